/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture: makes events of what a hypervisor and its guests do.
 *
 * It looks through struct base_guest and a probe, and changes nothing: a run with a capture
 * attached has the same state, instruction count and virtual time as one without.
 *
 *     config.guest = cpu_guest(cpu);             where to look
 *     config.profile = profile;                  what is where; NULL: an unknown hypervisor
 *     config.want[TRACE_KIND_HYPERCALL] = true;
 *     capture = trace_capture_new(&config);
 *     trace_capture_probe(capture, &probe);      attach it, or forward to it
 *     ... run ...
 *     trace_capture_finish(capture, insns, virtual_ns);
 *     trace_capture_free(capture);
 *
 * Without a profile hypercalls are still seen, from the guest's side: from its SYSCALL to the
 * instruction behind it; so is what follows from their arguments and results (pins, grants, ...).
 * What only a profile shows is not.
 */
#ifndef PARAVANE_TRACES_CAPTURE_H
#define PARAVANE_TRACES_CAPTURE_H

#include "sim/base/guest.h"
#include "sim/base/probe.h"
#include "sim/base/state.h"
#include "traces/event.h"
#include "traces/profile.h"

struct trace_capture_config {
    const struct base_guest *guest;
    const struct trace_profile *profile; /* borrowed; NULL: none */
    struct trace_sink sink;
    bool want[TRACE_KIND_MAX + 1]; /* by kind; kinds that capture does not make are ignored */
};

struct trace_capture;

/** trace_capture_new - attaches its execution points. */
struct trace_capture *trace_capture_new(const struct trace_capture_config *config);
/** trace_capture_free - takes them back. */
void trace_capture_free(struct trace_capture *capture);

/** trace_capture_probe - fill @out with the members that the wanted kinds need; others are NULL. */
void trace_capture_probe(struct trace_capture *capture, struct base_probe *out);

/** trace_capture_finish - the run ends: tell of what is still under way. */
void trace_capture_finish(struct trace_capture *capture, uint64_t insns, uint64_t virtual_ns);

/** trace_capture_state - visit what is under way, so that a run that goes on from here makes the
 *  same events.  The same profile and kinds are needed to load it. */
void trace_capture_state(struct trace_capture *capture, struct base_state *st);

/** trace_capture_makes - whether events of @kind are made at all; @profile may be NULL. */
bool trace_capture_makes(const struct trace_profile *profile, enum trace_kind_id kind);

/** What went wrong on the way; for tests and for `trace info`. */
struct trace_capture_counts {
    uint64_t abandoned;  /* functions that never returned: the stack was used for something else */
    uint64_t cut;        /* events in which not everything found room */
    uint64_t unreadable; /* operands that could not be read */
};
void trace_capture_get_counts(const struct trace_capture *capture, struct trace_capture_counts *out);

#endif
