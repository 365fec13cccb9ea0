/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that goes on as a trace says, checked as it goes.
 *
 *     replayer = replayer_new(reader, &options, &error);      at power-on
 *     replayer_seek(replayer, insns, &error);                 or at the last checkpoint before
 *     switch (replayer_run(replayer, insns, &error)) ...
 *
 * Each point of the hash chain is compared when the machine gets there, and each event when
 * events are recorded.  Two replayers may live side by side.
 */
#ifndef PARAVANE_TOOLS_REPLAYER_H
#define PARAVANE_TOOLS_REPLAYER_H

#include <glib.h>

#include "sim/machine.h"
#include "traces/reader.h"

struct replayer;

struct replayer_options {
    bool unchecked; /* do not compare: to see where a difference leads */
    bool no_events; /* compare no events */
    bool full;      /* at checkpoints compare every byte, not digests only */
    void (*console)(void *user, uint8_t byte); /* what the guest writes; may be NULL */
    void *console_user;
};

enum replayer_status {
    REPLAYER_LIMIT,       /* stands before instruction number insns + 1 */
    REPLAYER_END,         /* the recording ends here */
    REPLAYER_INTERRUPTED, /* replayer_interrupt() */
    REPLAYER_DIVERGED,    /* replayer_difference() says how */
    REPLAYER_ERROR        /* @error: the file is damaged from here on */
};

/**
 * replayer_new - the machine of @reader's file, borrowed, at power-on.
 * Returns: NULL with @error: images that are not in the file and not where they were, a
 *          machine of another version, damage.
 */
struct replayer *replayer_new(struct trace_reader *reader, const struct replayer_options *options,
                              GError **error);
void replayer_free(struct replayer *r);

/** replayer_machine - owned by @r; another one after each replayer_seek(). */
struct sim_machine *replayer_machine(struct replayer *r);
const struct sim_config *replayer_config(const struct replayer *r);

/**
 * replayer_seek - stand at the last place, power-on or a checkpoint, that is not behind
 *                 instruction count @insns.
 */
gboolean replayer_seek(struct replayer *r, uint64_t insns, GError **error);

/** replayer_run - go on to instruction count @insns, UINT64_MAX for the end of the recording. */
enum replayer_status replayer_run(struct replayer *r, uint64_t insns, GError **error);

/**
 * replayer_run_to - stand at instruction count @insns, from wherever @r is: goes back if need
 *                   be, and skips what a checkpoint spares.
 */
enum replayer_status replayer_run_to(struct replayer *r, uint64_t insns, GError **error);

/** replayer_interrupt - async-signal-safe: stop soon. */
void replayer_interrupt(struct replayer *r);

/** replayer_difference - what differs, several lines; NULL if nothing has.  Owned by @r. */
const char *replayer_difference(const struct replayer *r);
/** replayer_good_insns - up to here nothing differs; the difference lies behind. */
uint64_t replayer_good_insns(const struct replayer *r);

/** replayer_point - digests and main registers of the present state, e.g. to compare two. */
void replayer_point(struct replayer *r, struct trace_link *out);

/** replayer_checked - points and events that were compared so far and found equal. */
void replayer_checked(const struct replayer *r, uint64_t *points, uint64_t *events);

/**
 * replayer_go_live - the recording has ended; from now on the machine gets its input from
 *                    @input (may be NULL, borrowed) and nothing is compared.
 */
void replayer_go_live(struct replayer *r, const struct base_input *input);

#endif
