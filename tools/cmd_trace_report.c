/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/trace_tool.h"
#include "traces/export.h"
#include "traces/report.h"

static bool add(void *user, const struct trace_event *event)
{
    trace_report_event(user, event);
    return true;
}

static gboolean write_page(struct trace_tool *t, const GString *page, const char *path,
                           GError **error)
{
    if (strcmp(path, "-") == 0) {
        trace_tool_put(t, page);
        return TRUE;
    }
    if (!g_file_set_contents(path, page->str, (gssize)page->len, error))
        return FALSE;
    fprintf(stderr, "paravane: %s written, %zu KiB\n", path, page->len / 1024);
    return TRUE;
}

static gboolean run(struct trace_tool *t, const char *title, const char *path, GError **error)
{
    const struct trace_info *trace = trace_reader_info(t->reader);
    g_autofree char *file = g_path_get_basename(t->argument[0]);
    g_autofree char *machine = g_path_get_basename(trace->config_name);
    g_autofree char *program = g_strdup_printf("recorded by paravane %s", trace->program);
    const struct trace_report_info info = {.title = title ? title : file,
                                           .file = file,
                                           .machine = machine,
                                           .program = program,
                                           .vcpus = trace->vcpus,
                                           .frequency_hz = trace->frequency_hz};
    struct trace_report *report = trace_report_new(&info);
    gboolean good = trace_tool_each(t, add, report, error);

    if (good) {
        GString *page = trace_report_page(report, error);

        good = page && write_page(t, page, path, error);
        if (page)
            g_string_free(page, TRUE);
    }
    trace_report_free(report);
    return good;
}

int cmd_trace_report(int argc, char **argv)
{
    g_autofree char *path = NULL, *title = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "the page; - is stdout", "PAGE.html"},
        {"title", 0, 0, G_OPTION_ARG_STRING, &title, "of the page, else the file's name", "TEXT"},
        G_OPTION_ENTRY_NULL,
    };
    struct trace_tool tool;
    GError *error = NULL;

    trace_tool_init(
        &tool, "trace report", "FILE -o PAGE.html",
        "Makes one HTML page of a trace, which needs no network: a timeline of each vCPU and\n"
        "domain to zoom into, hypercalls by time and latency, page types and grants over time,\n"
        "the slowest hypercalls, search.",
        "Examples\n"
        "  paravane trace report t.pvt -o t.html\n"
        "  paravane trace report t.pvt -o boot.html --time ..2s --kind no-port,mmio");
    trace_tool_filters(&tool);
    trace_tool_options(&tool, entries);
    if (trace_tool_parse(&tool, argc, argv, 1, 1, &error)) {
        if (!path)
            g_set_error(&error, TRACE_EXPORT_ERROR, TRACE_EXPORT_ERROR_USAGE,
                        "trace report: -o PAGE.html is missing (see paravane trace report --help)");
        else if (trace_tool_open(&tool, tool.argument[0], &error))
            run(&tool, title, path, &error);
    }
    return trace_tool_end(&tool, error);
}
