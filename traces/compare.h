/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sequences of events, side by side: where do they differ first, and do they agree again?
 *
 *     struct trace_compare *c = trace_compare_new(&options, a, b);
 *     while (trace_compare_next(c, &difference, &error) == TRACE_COMPARE_DIFFERENT)
 *         ... show it ...
 *
 * Behind a difference the sequences are aligned again: the fewest events are left out on
 * either side so that the next few are equal.
 */
#ifndef PARAVANE_TRACES_COMPARE_H
#define PARAVANE_TRACES_COMPARE_H

#include <glib.h>

#include "traces/copy.h"
#include "traces/reader.h"

/** Where events come from. */
struct trace_source {
    void *user;
    enum trace_next (*next)(void *user, const struct trace_event **event, GError **error);
};

struct trace_compare_options {
    bool ignore_times;  /* virtual time and cycles */
    bool ignore_insns;  /* instruction counts, of instants and of durations */
    bool ignore_frames; /* machine frame numbers, also in page table entries and memory */
    bool calls_only;    /* of hypercalls name, operation, result and whose they are; no others */
};

#define TRACE_COMPARE_CONTEXT 3   /* events shown before a difference */
#define TRACE_COMPARE_WINDOW  256 /* events that are looked through to agree again */
#define TRACE_COMPARE_RESYNC  3   /* so many equal ones are an agreement */

struct trace_difference {
    const struct trace_event *a, *b; /* NULL: the sequence has ended here */
    char *what;                      /* "result 0, -22; ..."; NULL if one has ended */
    unsigned before;                 /* events of A before it, equal in both; oldest first */
    const struct trace_event *context[TRACE_COMPARE_CONTEXT];
    bool agrees_again;
    unsigned skip_a, skip_b; /* events left out on either side until then */
    unsigned window_a, window_b; /* events that are there, from the difference on */
};

struct trace_compare;

/** trace_compare_new - @options is copied, sources are borrowed. */
struct trace_compare *trace_compare_new(const struct trace_compare_options *options,
                                        const struct trace_source *a,
                                        const struct trace_source *b);
void trace_compare_free(struct trace_compare *c);

enum trace_compare_result { TRACE_COMPARE_END, TRACE_COMPARE_DIFFERENT, TRACE_COMPARE_ERROR };

/**
 * trace_compare_next - go on to the next difference.
 * @out: valid until the next call.
 * Returns: TRACE_COMPARE_END when both have ended; also behind a difference after which they do
 *          not agree again.
 */
enum trace_compare_result trace_compare_next(struct trace_compare *c,
                                             const struct trace_difference **out, GError **error);

/** trace_compare_event - event number @index of A (@side 0) or B (1) from the difference on. */
const struct trace_event *trace_compare_event(const struct trace_compare *c, unsigned side,
                                              unsigned index);
/** trace_compare_equal - how many pairs of events were equal so far. */
uint64_t trace_compare_equal(const struct trace_compare *c);

/** trace_events_differ - NULL if they do not; else what is different.  Free with g_free. */
char *trace_events_differ(const struct trace_compare_options *options,
                          const struct trace_event *a, const struct trace_event *b);

#endif
