/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event says: its values, with the structures of Xen's public interface taken apart.
 *
 * Nothing here trusts the trace: a structure that was captured short shows the members that are
 * there and says "cut off", an unknown operation shows its number and its bytes.
 */
#ifndef PARAVANE_TRACES_DECODE_H
#define PARAVANE_TRACES_DECODE_H

#include "traces/event.h"
#include "traces/out.h"

/**
 * trace_decode_event - all values of @event into @o, between trace_out_start() and whatever the
 *                      caller puts behind them.
 *
 * Of a hypercall these are its arguments, and not number, result, end and durations.  Of an event
 * whose kind or fields this version does not know, the fields as the file's schema names them.
 * The event's own domain is touched as well ("its own").
 */
void trace_decode_event(struct trace_out *o, const struct trace_event *event);

/** trace_decode_fields - the fields as the schema has them, one by one and whole. */
void trace_decode_fields(struct trace_out *o, const struct trace_event *event);

/** trace_decode_name - of a hypercall its name ("hypercall 61" if it has none), else the kind's.
 *  @buffer: at least 32 bytes, may be used for it. */
const char *trace_decode_name(const struct trace_event *event, char *buffer, size_t size);

/** trace_decode_op - the name of the hypercall's sub-operation, such as "map_grant_ref"; NULL if
 *  there is none or it is unknown.  Static.  Of a list of operations it is the first. */
const char *trace_decode_op(const struct trace_event *event);

/** trace_event_is_call - @event is a hypercall with the fields that this version knows. */
bool trace_event_is_call(const struct trace_event *event);

/** trace_event_failed - it has a result or a status that says that something was refused. */
bool trace_event_failed(const struct trace_event *event);

#endif
