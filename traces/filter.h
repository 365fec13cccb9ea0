/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events are wanted.
 *
 *     struct trace_filter *f = trace_filter_new();
 *     trace_filter_add(f, "hypercall", "mmu_update,mmuext_op", &error);
 *     trace_filter_resolve(f, trace_reader_schema(r), &error);
 *     trace_cursor_want(c, trace_filter_kinds(f));
 *     ... if (trace_filter_pass(f, event)) ...
 *
 * Conditions of different names must all hold; of the values of one, any.
 */
#ifndef PARAVANE_TRACES_FILTER_H
#define PARAVANE_TRACES_FILTER_H

#include <glib.h>

#include "traces/decode.h"
#include "traces/reader.h"

struct trace_filter;

struct trace_filter *trace_filter_new(void);
void trace_filter_free(struct trace_filter *f);
/** trace_filter_copy - the same conditions, to be resolved for another file. */
struct trace_filter *trace_filter_copy(const struct trace_filter *f);

/**
 * trace_filter_add - a condition.
 * @name, @value:
 *     kind       names of kinds, separated by commas; with "no-" before it, all but these
 *     domain     domain ids ("0", "d0"), "none" for events without one
 *     vcpu       vCPUs of the machine
 *     hypercall  names or numbers, with ":OP" only this sub-operation ("mmuext_op:pin_l4_table");
 *                without a condition on kinds, only hypercalls pass
 *     insns      FROM..TO, FROM.., ..TO (both inclusive); k, M and G are understood
 *     time       the same of virtual time: 1.5s..2s
 *     number     the same of the events' numbers
 *     frame, va, ref, port, touches    a number: events that touch it, see trace_out_touch();
 *                "touches" is of domains
 *     text       the line contains it
 *     failed     (no value) something was refused
 */
gboolean trace_filter_add(struct trace_filter *f, const char *name, const char *value,
                          GError **error);

/** trace_filter_resolve - look up names of kinds.  Must be called before the following. */
gboolean trace_filter_resolve(struct trace_filter *f, const struct trace_schema *schema,
                              GError **error);

/** trace_filter_kinds - by number, which kinds may pass; for trace_cursor_want(). */
const bool *trace_filter_kinds(const struct trace_filter *f);

/** trace_filter_seek - let @cursor stand before the first event that may pass, or shortly before. */
gboolean trace_filter_seek(const struct trace_filter *f, struct trace_cursor *cursor,
                           GError **error);
/** trace_filter_early - @event comes before all that may pass. */
bool trace_filter_early(const struct trace_filter *f, const struct trace_event *event);

bool trace_filter_pass(struct trace_filter *f, const struct trace_event *event);
/** trace_filter_done - neither @event nor any behind it passes. */
bool trace_filter_done(const struct trace_filter *f, const struct trace_event *event);

/** trace_filter_terms - what must be touched; @count of them. */
const struct trace_term *trace_filter_terms(const struct trace_filter *f, unsigned *count);
/** trace_filter_how - of the last event that passed: how it touches term @index. */
const char *trace_filter_how(const struct trace_filter *f, unsigned index);

GQuark trace_filter_error_quark(void);
#define TRACE_FILTER_ERROR trace_filter_error_quark()
enum trace_filter_error { TRACE_FILTER_ERROR_USAGE };

#endif
