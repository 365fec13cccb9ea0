/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/cmd_trace.h"
#include "tools/trace_tool.h"
#include "traces/levels.h"
#include "traces/line.h"

#define ITEMS_MAX 4 /* of a list, without --full */

struct dump {
    struct trace_tool tool;
    struct trace_line_options line;
    struct trace_out out;
    struct trace_levels *levels;
    GString *text;
};

static bool show(void *user, const struct trace_event *event)
{
    struct dump *d = user;

    g_string_truncate(d->text, 0);
    trace_line(d->text, event, &d->out, &d->line);
    g_string_append_c(d->text, '\n');
    return trace_tool_put(&d->tool, d->text);
}

int cmd_trace_dump(int argc, char **argv)
{
    gboolean full = FALSE, follow = FALSE, number = FALSE, insns = FALSE, cpu = FALSE;
    const GOptionEntry entries[] = {
        {"full", 0, 0, G_OPTION_ARG_NONE, &full, "all items of lists, all bytes", NULL},
        {"follow", 'f', 0, G_OPTION_ARG_NONE, &follow, "wait for more until recording ends", NULL},
        {"show-number", 0, 0, G_OPTION_ARG_NONE, &number, "the event's number", NULL},
        {"show-insns", 0, 0, G_OPTION_ARG_NONE, &insns, "the instruction count", NULL},
        {"show-vcpu", 0, 0, G_OPTION_ARG_NONE, &cpu, "the machine's vCPU", NULL},
        G_OPTION_ENTRY_NULL,
    };
    struct dump d = {.text = g_string_new(NULL), .levels = trace_levels_new()};
    GError *error = NULL;

    trace_tool_init(
        &d.tool, "trace dump", "FILE", "One line for each event, as strace would show it:\n\n"
        "  [  1.234567890 d0v0] mmu_update([{l1e 0x1a2b3[7] <- 0x4d5e067 mfn 0x4d5e RW U A D}],\n"
        "      count=1, domain=DOMID_SELF) = 0 <412 insns>\n\n"
        "virtual time, domain and its vCPU (or cpu0, the machine's, where the domain is not\n"
        "known); name, arguments with the memory behind them (what the hypervisor wrote is\n"
        "behind =>), result, duration. Entries of a multicall are indented and stand before it.",
        "Examples\n"
        "  paravane trace dump t.pvt --hypercall grant_table_op:map_grant_ref --full\n"
        "  paravane trace dump t.pvt --kind exception,interrupt --insns 1G..1001M\n"
        "  paravane trace dump t.pvt --frame 0x1a2b3 --failed");
    trace_tool_filters(&d.tool);
    trace_tool_options(&d.tool, entries);
    if (trace_tool_parse(&d.tool, argc, argv, 1, 1, &error)) {
        d.line = (struct trace_line_options){.number = number, .insns = insns, .vcpu = cpu};
        d.out = (struct trace_out){.items_max = full ? 0 : ITEMS_MAX, .levels = d.levels};
        d.tool.follow = follow;
        d.tool.levels = d.levels;
        if (trace_tool_open(&d.tool, d.tool.argument[0], &error))
            trace_tool_each(&d.tool, show, &d, &error);
    }
    g_string_free(d.text, TRUE);
    trace_levels_free(d.levels);
    return trace_tool_end(&d.tool, error);
}
