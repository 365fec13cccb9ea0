/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going through a trace's log: inputs, or points of the hash chain, one after the other.  Frames
 * are read when they are needed.
 */
#ifndef PARAVANE_TOOLS_LOG_CURSOR_H
#define PARAVANE_TOOLS_LOG_CURSOR_H

#include "traces/reader.h"

struct log_cursor {
    struct trace_reader *reader; /* borrowed */
    unsigned frame;              /* LOG frame */
    guint at;                    /* entry of it */
    struct trace_log *log;       /* the frame; NULL: not read yet */
};

/** log_cursor_init - before the first entry of the LOG frame that goes as far as @insns. */
void log_cursor_init(struct log_cursor *c, struct trace_reader *reader, uint64_t insns);
/** log_cursor_fini - harmless on what is zero. */
void log_cursor_fini(struct log_cursor *c);

/**
 * log_cursor_input, log_cursor_point - the entry under the cursor; c->at++ goes on.  A cursor is
 * for one of the two.
 * Returns: NULL at the end of the log, or with @error: damaged.
 */
const struct trace_input *log_cursor_input(struct log_cursor *c, GError **error);
const struct trace_link *log_cursor_point(struct log_cursor *c, GError **error);

#endif
