/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding events up: counts, and where an event has a duration or a size, its distribution.
 */
#ifndef PARAVANE_TRACES_STAT_H
#define PARAVANE_TRACES_STAT_H

#include <glib.h>

#include "traces/decode.h"

struct trace_stat;

/** What belongs together. */
struct trace_stat_row {
    const char *group;  /* name of the kind of events */
    unsigned domid;     /* whose, or TRACE_DOMID_UNKNOWN */
    char *what;         /* "mmu_update", "mmuext_op:pin_l4_table", "#PF", "take l1", ... */
    uint64_t count, failed;
    uint64_t insns, cycles;   /* sums; hypercalls only */
    uint64_t items;           /* of lists behind hypercalls: updates, operations; else 0 */
    GArray *durations;        /* uint64_t, instructions of each; NULL: has none */
    bool sorted;
};

struct trace_stat *trace_stat_new(void);
void trace_stat_free(struct trace_stat *s);

/** trace_stat_by_op - a row for each sub-operation of a hypercall.  Before the first event. */
void trace_stat_by_op(struct trace_stat *s, bool on);

void trace_stat_event(struct trace_stat *s, const struct trace_event *event);

/** trace_stat_events - how many there were. */
uint64_t trace_stat_events(const struct trace_stat *s);
/** trace_stat_rows - by group as kinds are numbered, then by instructions and count, falling.
 *  Owned by @s; of struct trace_stat_row *. */
const GPtrArray *trace_stat_rows(struct trace_stat *s);

/** trace_stat_percentile - the smallest duration that @percent of all do not exceed; 100 is the
 *  largest.  0 if there is none. */
uint64_t trace_stat_percentile(struct trace_stat_row *row, unsigned percent);

/** trace_stat_text - tables for people. */
void trace_stat_text(struct trace_stat *s, GString *out);
/** trace_stat_json - one JSON object. */
void trace_stat_json(struct trace_stat *s, GString *out);

#endif
