/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time and what shall happen in it.
 *
 * Time is in nanoseconds since power-on and comes from the CPUs' cycle counters;
 * nothing here knows the host's clock.  Events are due at an instant; those due at
 * the same instant fire in the order in which they were registered at machine
 * construction (not the order of arming), so the order never depends on history.
 */
#ifndef PARAVANE_SIM_TIMELINE_H
#define PARAVANE_SIM_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/state.h"

#define SIM_TIME_NEVER UINT64_MAX

struct sim_timeline;

/* Intrusive: embedded in the device that owns it. */
struct sim_event {
    const char *name; /* static text, for reports and state tags */
    void (*fire)(void *user, uint64_t due_ns);
    void *user;
    uint64_t due_ns;  /* SIM_TIME_NEVER when not armed */
    unsigned order;   /* registration number: the tie-break */
    unsigned heap_at; /* place in the heap, maintained by the timeline */
};

/**
 * sim_timeline_new - an empty timeline.
 * @now_ns:  asked for the present instant.
 * @earlier: called when the earliest due instant became earlier (may be NULL).
 */
struct sim_timeline *sim_timeline_new(uint64_t (*now_ns)(void *user),
                                      void (*earlier)(void *user, uint64_t due_ns), void *user);
void sim_timeline_free(struct sim_timeline *tl);

uint64_t sim_timeline_now_ns(const struct sim_timeline *tl);

/** sim_event_register - once per event, at construction; not armed. */
void sim_event_register(struct sim_timeline *tl, struct sim_event *ev, const char *name,
                        void (*fire)(void *user, uint64_t due_ns), void *user);
/** sim_event_arm - (re)arm for @due_ns; an instant in the past fires at the next boundary. */
void sim_event_arm(struct sim_timeline *tl, struct sim_event *ev, uint64_t due_ns);
void sim_event_cancel(struct sim_timeline *tl, struct sim_event *ev);

/** sim_timeline_next_ns - earliest due instant, SIM_TIME_NEVER if none. */
uint64_t sim_timeline_next_ns(const struct sim_timeline *tl);
/** sim_timeline_armed - how many events are armed. */
unsigned sim_timeline_armed(const struct sim_timeline *tl);
/** sim_timeline_run - fire everything due at or before @now_ns, also what that arms. */
void sim_timeline_run(struct sim_timeline *tl, uint64_t now_ns);

/** sim_timeline_state - visit the due instants of all registered events, in order. */
void sim_timeline_state(struct sim_timeline *tl, struct base_state *st);

#endif
