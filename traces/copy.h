/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that outlive their cursor.
 */
#ifndef PARAVANE_TRACES_COPY_H
#define PARAVANE_TRACES_COPY_H

#include <glib.h>

#include "traces/event.h"

/** An event with all its memory; zero-initialised is fine, and can be used again. */
struct trace_copy {
    struct trace_event event; /* its kind is borrowed: a reader's or this version's schema */
    GByteArray *bytes;        /* of texts, bytes and blobs */
    GArray *blobs;            /* struct trace_blob */
};

void trace_copy_set(struct trace_copy *copy, const struct trace_event *event);
void trace_copy_clear(struct trace_copy *copy);

#endif
