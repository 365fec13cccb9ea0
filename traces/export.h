/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace in the formats of other tools.  Each event of the trace is one event there.
 *
 *     json      JSON lines: one object for each event; docs/traces.md has the members
 *     ctf       Common Trace Format 1.8: a folder with `metadata` and a stream for each vCPU of
 *               the machine; babeltrace2 and Trace Compass read it
 *     perfetto  Perfetto's protobuf with track events; ui.perfetto.dev shows it
 */
#ifndef PARAVANE_TRACES_EXPORT_H
#define PARAVANE_TRACES_EXPORT_H

#include <glib.h>
#include <stdio.h>

#include "traces/event.h"

struct trace_exporter;

/** What an exporter wants to know of the trace. */
struct trace_export_info {
    const struct trace_schema *schema; /* of the file; borrowed as long as the exporter lives */
    const char *name;                  /* of the trace, for people */
    unsigned vcpus;
    uint64_t frequency_hz; /* of the cycles of durations */
};

/**
 * trace_exporter_new - begin.
 * @format: "json", "ctf" or "perfetto".
 * @path:   a file that is written, or a folder that must be new or empty (ctf); "-" is standard
 *          output (json, perfetto).
 * Returns: NULL with @error.
 */
struct trace_exporter *trace_exporter_new(const char *format, const char *path,
                                          const struct trace_export_info *info, GError **error);
/** trace_exporter_event - @event is borrowed for the call. */
gboolean trace_exporter_event(struct trace_exporter *x, const struct trace_event *event,
                              GError **error);
/** trace_exporter_close - write what is left; frees @x in any case. */
gboolean trace_exporter_close(struct trace_exporter *x, GError **error);

GQuark trace_export_error_quark(void);
#define TRACE_EXPORT_ERROR trace_export_error_quark()
enum trace_export_error {
    TRACE_EXPORT_ERROR_USAGE,
    TRACE_EXPORT_ERROR_FILE,
    TRACE_EXPORT_ERROR_PIPE /* whoever reads has gone */
};

#endif
