/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timer of one local APIC.
 *
 * Source: Intel SDM 3A 10.5.4 (APIC timer), 10.5.4.1 (TSC-deadline mode).
 *
 * The counter is not counted: it is known from the instant at which it reaches zero.  It
 * runs whether or not its interrupt is masked; an event is armed only while it is not.
 */
#ifndef PARAVANE_SIM_DEV_LAPIC_TIMER_H
#define PARAVANE_SIM_DEV_LAPIC_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/state.h"
#include "sim/timeline.h"

/* Input clock of the divider: 1 GHz, so that one undivided count is one nanosecond. */
#define LAPIC_TIMER_HZ 1000000000u

enum lapic_timer_mode {
    LAPIC_TIMER_ONE_SHOT,
    LAPIC_TIMER_PERIODIC,
    LAPIC_TIMER_DEADLINE,
    LAPIC_TIMER_RESERVED,
};

/* Embedded in the local APIC; its members are this file's own. */
struct lapic_timer {
    struct sim_timeline *timeline;
    struct sim_event event;
    uint64_t zero_ns;  /* when the counter reaches zero next, if running */
    uint64_t deadline; /* IA32_TSC_DEADLINE */
    uint32_t initial;  /* initial count register */
    uint32_t divide;   /* divide configuration register */
    uint8_t mode;      /* enum lapic_timer_mode */
    uint8_t running;
    uint8_t masked;
};

/** lapic_timer_init - @fire is called when the timer's interrupt is due, with @user. */
void lapic_timer_init(struct lapic_timer *t, struct sim_timeline *timeline,
                      void (*fire)(void *user, uint64_t due_ns), void *user);
void lapic_timer_reset(struct lapic_timer *t);

/**
 * lapic_timer_configure - the LVT entry was written.
 * A running counter goes on when the mode changes between one-shot and periodic; changing
 * from or to TSC-deadline mode disarms the timer.
 */
void lapic_timer_configure(struct lapic_timer *t, enum lapic_timer_mode mode, bool masked,
                           uint64_t now_ns);
/** lapic_timer_start - initial count written: 0 stops; ignored in TSC-deadline mode. */
void lapic_timer_start(struct lapic_timer *t, uint32_t initial, uint64_t now_ns);
/** lapic_timer_set_divide - a running counter goes on from its present count. */
void lapic_timer_set_divide(struct lapic_timer *t, uint32_t divide, uint64_t now_ns);
/** lapic_timer_count - the current count register. */
uint32_t lapic_timer_count(const struct lapic_timer *t, uint64_t now_ns);

/** lapic_timer_set_deadline - IA32_TSC_DEADLINE written; @due_ns is when the TSC gets there.
 *  Ignored in other modes, 0 disarms. */
void lapic_timer_set_deadline(struct lapic_timer *t, uint64_t tsc, uint64_t due_ns);
uint64_t lapic_timer_deadline(const struct lapic_timer *t);

/** lapic_timer_expired - to be called first by @fire. */
void lapic_timer_expired(struct lapic_timer *t, uint64_t due_ns);

void lapic_timer_state(struct lapic_timer *t, struct base_state *st);

#endif
