/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "tools/cmd_trace.h"
#include "tools/commands.h"
#include "tools/trace_tool.h"
#include "traces/export.h"

struct export {
    struct trace_tool tool;
    struct trace_exporter *exporter;
    uint64_t events;
    GError *error;
};

static bool add(void *user, const struct trace_event *event)
{
    struct export *x = user;

    x->events++;
    return trace_exporter_event(x->exporter, event, &x->error);
}

/* Returns: FALSE with @error. */
static gboolean run(struct export *x, const char *format, const char *path, GError **error)
{
    const struct trace_info *info = trace_reader_info(x->tool.reader);
    struct trace_export_info about = {.schema = trace_reader_schema(x->tool.reader),
                                      .name = x->tool.argument[0],
                                      .vcpus = info->vcpus,
                                      .frequency_hz = info->frequency_hz};
    gboolean good;

    x->exporter = trace_exporter_new(format, path, &about, error);
    if (!x->exporter)
        return FALSE;
    good = trace_tool_each(&x->tool, add, x, error);
    if (x->error) {
        g_propagate_error(error, x->error);
        good = FALSE;
    }
    return trace_exporter_close(x->exporter, good ? error : NULL) && good;
}

int cmd_trace_export(int argc, char **argv)
{
    g_autofree char *format = NULL, *path = NULL;
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "json, ctf or perfetto", "FORMAT"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "file, folder (ctf) or - for stdout",
         "PATH"},
        G_OPTION_ENTRY_NULL,
    };
    struct export x = {0};
    GError *error = NULL;

    trace_tool_init(
        &x.tool, "trace export", "FILE --format FORMAT -o PATH",
        "Writes events in the format of other tools; each is one event there.\n\n"
        "  json      one JSON object a line: jq, scripts\n"
        "  ctf       Common Trace Format 1.8, a folder: babeltrace2, Trace Compass\n"
        "  perfetto  protobuf with track events: ui.perfetto.dev",
        "Examples\n"
        "  paravane trace export t.pvt --format json -o - | jq -c 'select(.op == \"map_grant_ref\")'\n"
        "  paravane trace export t.pvt --format ctf -o t.ctf && babeltrace2 t.ctf\n"
        "  paravane trace export t.pvt --format perfetto -o t.pftrace --time 1s..2s");
    trace_tool_filters(&x.tool);
    trace_tool_options(&x.tool, entries);
    if (trace_tool_parse(&x.tool, argc, argv, 1, 1, &error)) {
        if (!format || !path)
            g_set_error(&error, TRACE_EXPORT_ERROR, TRACE_EXPORT_ERROR_USAGE,
                        "trace export: %s is missing (see paravane trace export --help)",
                        format ? "-o PATH" : "--format FORMAT");
        else if (trace_tool_open(&x.tool, x.tool.argument[0], &error) &&
                 run(&x, format, path, &error) && g_strcmp0(path, "-") != 0)
            fprintf(stderr, "paravane: %" PRIu64 " events written to %s\n", x.events, path);
    }
    if (g_error_matches(error, TRACE_EXPORT_ERROR, TRACE_EXPORT_ERROR_PIPE))
        g_clear_error(&error); /* whoever reads has seen enough */
    return trace_tool_end(&x.tool, error);
}
