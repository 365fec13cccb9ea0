/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A checkpoint: the state of the machine but for its memory, and where its pages are.  The
 * payload of a CHECKPOINT frame; the PAGES frames that it names hold the pages themselves, one
 * after the other.
 */
#ifndef PARAVANE_TRACES_CHECKPOINT_H
#define PARAVANE_TRACES_CHECKPOINT_H

#include <glib.h>

#include "traces/log.h"

#define TRACE_PAGE_BYTES      4096u
#define TRACE_PAGES_PER_FRAME 512u
#define TRACE_MFN_MAX         (1ull << 26)

/* Frames of the machine that a PAGES frame holds, rising. */
struct trace_page_list {
    uint32_t frame; /* number of the frame in the file */
    GArray *mfns;   /* uint64_t */
};

struct trace_checkpoint_body {
    struct trace_position at;
    uint64_t event;    /* number of the next event */
    GByteArray *state; /* the machine's, opaque here */
    GByteArray *capture; /* of who makes events: what has begun and is not complete */
    GArray *zero;      /* uint64_t: pages that have become zero, rising */
    GPtrArray *lists;  /* struct trace_page_list * */
};

struct trace_checkpoint_body *trace_checkpoint_new(void);
void trace_checkpoint_free(struct trace_checkpoint_body *c);

/** trace_checkpoint_list - a new list at the end; owned by @c. */
struct trace_page_list *trace_checkpoint_list(struct trace_checkpoint_body *c);

GByteArray *trace_checkpoint_put(const struct trace_checkpoint_body *c);
/** trace_checkpoint_get - Returns: NULL if it is damaged. */
struct trace_checkpoint_body *trace_checkpoint_get(const void *data, size_t size_bytes);

#endif
