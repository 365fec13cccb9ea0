/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events made by hand, for tests of what reads traces.
 */
#ifndef PARAVANE_TESTS_TRACE_EVENTS_H
#define PARAVANE_TESTS_TRACE_EVENTS_H

#include <glib.h>

#include "traces/decode.h"
#include "traces/line.h"

/** events_call - begin a returned hypercall of domain 0, vCPU 0, at 1.5 s and 1000 instructions,
 *                that took 412 instructions. */
void events_call(struct trace_build *b, uint64_t number, int64_t result, unsigned args,
                 const uint64_t *arg);
/** events_blob - memory behind the hypercall's arguments. */
void events_blob(struct trace_build *b, enum trace_role role, unsigned stage, const void *data,
                 size_t size);
/** events_new - begin an event of another kind, at the same place. */
void events_new(struct trace_build *b, enum trace_kind_id kind);

/** events_line - as one bare line; free with g_free. */
char *events_line(const struct trace_build *b);
/** events_json - what it says, as JSON; free with g_free. */
char *events_json(const struct trace_build *b);

#endif
