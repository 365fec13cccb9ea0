/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests of a machine's state, as points of a trace's hash chain have them.
 *
 * Of memory only what may have been written since the last time is looked at; the value
 * depends on the content alone.
 */
#ifndef PARAVANE_TOOLS_DIGEST_H
#define PARAVANE_TOOLS_DIGEST_H

#include "sim/machine.h"
#include "traces/log.h"

struct digest;

/** digest_new - of @machine, borrowed; everything counts as written.  There can be one. */
struct digest *digest_new(struct sim_machine *machine);
void digest_free(struct digest *d);

/**
 * digest_point - the state as it is now; between runs, or when the machine has settled.
 * @out: all but its event.
 *
 * With several CPUs and not settled, the TLB is lost: go on from a checkpoint if it matters.
 */
void digest_point(struct digest *d, struct trace_link *out);

/** digest_take_changed - frames whose content has changed since the last call, rising; uint64_t.
 *  As of the last digest_point(). */
GArray *digest_take_changed(struct digest *d);

/** digest_is_zero - whether frame @mfn was all zero at the last digest_point(). */
bool digest_is_zero(const struct digest *d, uint64_t mfn);

/** digest_position - where the machine stands, in the words of a trace. */
void digest_position(const struct sim_machine *machine, struct trace_position *out);

/**
 * digest_explain - say what differs between two points: one line for each thing, appended to
 *                  @out.
 * @frames: of the machine.
 * Returns: whether anything does.
 */
bool digest_explain(const struct trace_link *recorded, const struct trace_link *now,
                    uint64_t frames, GString *out);

#endif
