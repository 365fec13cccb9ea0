/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The observer interface of the machine.
 *
 * A probe sees what happens and changes nothing: a run with probes attached has
 * the same state_hash as one without.  Every member may be NULL.  With no probe
 * attached nothing is called and nothing is paid on the hot path.
 */
#ifndef PARAVANE_SIM_BASE_PROBE_H
#define PARAVANE_SIM_BASE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/** When and where an event happened. */
struct base_probe_at {
    uint64_t insns;      /* instructions retired by the whole machine before the event */
    uint64_t virtual_ns; /* virtual time */
    unsigned vcpu;
};

struct base_probe_exception {
    uint8_t vector;
    bool has_error_code;
    bool is_software; /* INT n, INT3, INTO */
    uint32_t error_code;
    uint64_t rip; /* the address that is pushed */
    uint64_t cr2; /* vector 14 only */
};

struct base_probe {
    void *user; /* first argument of every member */
    void (*exception)(void *user, const struct base_probe_at *at,
                      const struct base_probe_exception *exc);
    void (*interrupt)(void *user, const struct base_probe_at *at, uint8_t vector, bool nmi);
    void (*syscall)(void *user, const struct base_probe_at *at, uint64_t rip);
    void (*port)(void *user, const struct base_probe_at *at, uint16_t port, unsigned size_bytes,
                 bool is_write, uint32_t value);
    void (*mmio)(void *user, const struct base_probe_at *at, uint64_t gpa, unsigned size_bytes,
                 bool is_write, uint64_t value);
    void (*console)(void *user, const struct base_probe_at *at, uint8_t byte);
};

#endif
