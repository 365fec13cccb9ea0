/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page that shows a trace: one HTML file with all it needs, for any browser of today, also
 * without a network.  Its parts are in traces/report/, and compiled in.
 *
 * Events are embedded as columns of variable-length numbers, compressed; lines as `trace dump`
 * prints them for all events if these are few, else for the slowest and the failed hypercalls.
 */
#ifndef PARAVANE_TRACES_REPORT_H
#define PARAVANE_TRACES_REPORT_H

#include <glib.h>

#include "traces/event.h"

struct trace_report;

struct trace_report_info {
    const char *title;   /* of the page */
    const char *file;    /* name of the trace, for commands that are shown */
    const char *machine; /* what was recorded */
    const char *program; /* by what */
    unsigned vcpus;
    uint64_t frequency_hz; /* of the cycles of durations */
};

/** trace_report_new - @info is borrowed as long as the report lives. */
struct trace_report *trace_report_new(const struct trace_report_info *info);
void trace_report_free(struct trace_report *r);

void trace_report_event(struct trace_report *r, const struct trace_event *event);

/** trace_report_page - the page; NULL with @error if compressing fails. */
GString *trace_report_page(struct trace_report *r, GError **error);

#endif
