/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as people write them: "768M", "0x1f", "2.5GHz", "10ms".
 *
 * Strict: the whole text must be a number (no blanks, no sign, nothing after it), the
 * result must be a whole number of the base unit and fit into 64 bits.
 */
#ifndef PARAVANE_SIM_BASE_UNITS_H
#define PARAVANE_SIM_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* A suffix and what it multiplies with; a list ends with a NULL name. */
struct base_unit {
    const char *suffix;
    uint64_t factor;
};

extern const struct base_unit base_units_none[];      /* a bare number only */
extern const struct base_unit base_units_size[];      /* bytes: "", K, M, G (powers of 1024) */
extern const struct base_unit base_units_frequency[]; /* hertz: "", Hz, kHz, k, MHz, M, GHz, G */
extern const struct base_unit base_units_count[];     /* "", k, M, G (powers of 1000) */
extern const struct base_unit base_units_duration[];  /* nanoseconds: ns, us, ms, s; required */

/**
 * base_units_parse - read a number with a unit.
 * @text:  decimal digits, with a fraction if it has a suffix ("1.5G"), or 0x and hexadecimal
 *         digits (no suffix then; not for durations).
 * @units: the suffixes allowed; "" stands for none.
 * @out:   written only on success.
 * Returns: false when @text is anything else, or the value does not fit.
 * Test: tests/unit/test_base_units.c
 */
bool base_units_parse(const char *text, const struct base_unit *units, uint64_t *out);

/** base_units_size_text - "768M", "4100K", "1" in @text: the largest unit without a fraction. */
void base_units_size_text(uint64_t bytes, char text[24]);

#endif
