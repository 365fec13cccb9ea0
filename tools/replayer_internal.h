/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by replayer.c (machine, seeking, running) and replayer_check.c (what is compared).
 *
 * The log is gone through twice: for inputs, and for points.
 *
 * Invariants
 *  1. @inputs and @points stand at the first input and point that the machine has not reached.
 *  2. A difference is noted once, where it is seen; the machine is then asked to stop.
 *  3. A machine with several CPUs whose state was looked at between two settlings has lost its
 *     TLB (digest.h): @disturbed; replayer_run_to() then starts from a checkpoint again.
 */
#ifndef PARAVANE_TOOLS_REPLAYER_INTERNAL_H
#define PARAVANE_TOOLS_REPLAYER_INTERNAL_H

#include "sim/config.h"
#include "tools/digest.h"
#include "tools/log_cursor.h"
#include "tools/replayer.h"
#include "traces/capture.h"
#include "traces/profile.h"

struct replayer {
    struct trace_reader *reader;
    const struct trace_info *info;
    struct replayer_options options;
    struct sim_config *config;
    struct trace_profile *profile;

    struct sim_machine *machine;
    struct digest *digest;
    struct base_input input;
    bool live;      /* replayer_go_live() */
    bool disturbed; /* see 3. */

    struct log_cursor inputs, points;
    struct trace_capture *capture;
    struct base_probe probe;
    struct trace_cursor *events;

    GString *difference; /* NULL: none */
    GError *error;       /* seen inside a callback */
    uint64_t good_insns;
    uint64_t checked_points, checked_events;
};

/** replayer_position - where a recording says it was, as the machine says where it is. */
static inline struct sim_position replayer_position(const struct trace_position *at)
{
    return (struct sim_position){at->insns, at->slice_ns, (uint32_t)at->turn};
}

/** replayer_note_error - the first @error of a callback counts; takes it.  Stops the machine. */
void replayer_note_error(struct replayer *r, GError *error);
/** replayer_differ - the first difference counts; lines, each with its newline.  Stops the machine.
 */
void replayer_differ(struct replayer *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** The first input, and the first point, that is ahead; NULL at the end, or with an error noted. */
const struct trace_input *replayer_next_input(struct replayer *r);
const struct trace_link *replayer_next_point(struct replayer *r);

/* Callbacks of the machine; @user is the replayer. */
size_t replayer_poll_input(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                           uint8_t *buf, size_t size_bytes);
void replayer_settled(void *user);
void replayer_check_event(void *user, const struct trace_event *event);

/** replayer_check_start - a checkpoint's state is that of the point there, or one is damaged. */
void replayer_check_start(struct replayer *r);
/** replayer_check_place - the machine, stopped for reason @why, stands exactly at @at. */
void replayer_check_place(struct replayer *r, const struct trace_position *at, enum sim_stop why);
/** replayer_check_ending - it has ended as the recording did. */
void replayer_check_ending(struct replayer *r, enum sim_stop why);

#endif
