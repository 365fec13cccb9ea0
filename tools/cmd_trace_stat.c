/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/cmd_trace.h"
#include "tools/trace_tool.h"
#include "traces/stat.h"

static bool add(void *user, const struct trace_event *event)
{
    trace_stat_event(user, event);
    return true;
}

int cmd_trace_stat(int argc, char **argv)
{
    gboolean json = FALSE, ops = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "for machines", NULL},
        {"ops", 0, 0, G_OPTION_ARG_NONE, &ops, "a row for each sub-operation of hypercalls", NULL},
        G_OPTION_ENTRY_NULL,
    };
    struct trace_stat *stat = trace_stat_new();
    struct trace_tool tool;
    GError *error = NULL;

    trace_tool_init(
        &tool, "trace stat", "FILE",
        "Counts events by domain and name; of hypercalls also instructions and cycles from entry\n"
        "to end, with percentiles of the instructions. A multicall contains its entries, which\n"
        "have rows of their own; items are the requests of lists.",
        "Examples\n"
        "  paravane trace stat t.pvt --domain d0 --kind hypercall\n"
        "  paravane trace stat t.pvt --ops --json | jq '.rows[] | select(.failed > 0)'");
    trace_tool_filters(&tool);
    trace_tool_options(&tool, entries);
    if (trace_tool_parse(&tool, argc, argv, 1, 1, &error) &&
        trace_tool_open(&tool, tool.argument[0], &error)) {
        trace_stat_by_op(stat, ops);
        if (trace_tool_each(&tool, add, stat, &error)) {
            g_autoptr(GString) text = g_string_new(NULL);

            if (json)
                trace_stat_json(stat, text);
            else
                trace_stat_text(stat, text);
            trace_tool_put(&tool, text);
        }
    }
    trace_stat_free(stat);
    return trace_tool_end(&tool, error);
}
