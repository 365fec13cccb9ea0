/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/cmd_trace.h"

#include <stdio.h>
#include <string.h>

#include "sim/base/types.h"
#include "tools/commands.h"

static const char help[] =
    "usage: paravane trace info FILE               what a trace is of, and what is in it\n"
    "       paravane trace dump FILE               its events, one a line\n"
    "       paravane trace stat FILE               how many there are, and how long they took\n"
    "       paravane trace grep frame=MFN FILE     the life of a frame, address, domain, ...\n"
    "       paravane trace export FILE --format json|ctf|perfetto -o PATH\n"
    "                                              for other tools\n"
    "       paravane trace report FILE -o PAGE.html a page to look at, with all in it\n"
    "\n"
    "Each has options that choose events (--kind, --domain, --hypercall, --insns, ...);\n"
    "`paravane trace dump --help` lists them.\n"
    "\n"
    "Examples\n"
    "  paravane record guests/machines/xen-linux.machine -o boot.pvt\n"
    "  paravane trace dump boot.pvt --hypercall mmu_update,mmuext_op --failed\n"
    "  paravane trace dump boot.pvt --time 1.5s..1.6s --kind no-page_type\n"
    "  paravane trace stat boot.pvt\n"
    "  paravane trace grep frame=0x1a2b3 boot.pvt\n"
    "  paravane trace export boot.pvt --format ctf -o boot.ctf && babeltrace2 boot.ctf\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"info", cmd_trace_info},
    {"dump", cmd_trace_dump},
    {"stat", cmd_trace_stat},
    {"grep", cmd_trace_grep},
    {"export", cmd_trace_export},
    {"report", cmd_trace_report},
};

int cmd_trace(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "";

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        fputs(help, stdout);
        return fflush(stdout) == 0 ? TOOLS_EXIT_GOOD : TOOLS_EXIT_USAGE;
    }
    fprintf(stderr, "paravane: trace: %s%s; there are ", *name ? "unknown command " : "no command",
            name);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(stderr, "%s%s", i ? ", " : "", commands[i].name);
    fputs(" (see paravane trace --help)\n", stderr);
    return TOOLS_EXIT_USAGE;
}
