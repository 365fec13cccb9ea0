/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calendar dates of the simulated world: proleptic Gregorian, UTC, no leap seconds.
 * Nothing here knows the host's clock or time zone.
 */
#ifndef PARAVANE_SIM_CALENDAR_H
#define PARAVANE_SIM_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/**
 * sim_calendar_parse - "2024-01-01T00:00:00Z" to seconds since 1970-01-01T00:00:00Z.
 * Returns: false (and leaves @seconds) unless @text is exactly of this form and a real
 *          date of the years 1980 to 2099 (what a PC's clock with a century byte holds).
 */
bool sim_calendar_parse(const char *text, int64_t *seconds);

/** sim_calendar_text - the inverse, for the same years; @text holds 20 characters and NUL. */
void sim_calendar_text(int64_t seconds, char text[32]);

#endif
