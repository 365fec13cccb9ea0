/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of `paravane trace`.  Each takes what follows its name and returns an exit
 * status.
 */
#ifndef PARAVANE_TOOLS_CMD_TRACE_H
#define PARAVANE_TOOLS_CMD_TRACE_H

int cmd_trace_info(int argc, char **argv);
int cmd_trace_dump(int argc, char **argv);
int cmd_trace_stat(int argc, char **argv);
int cmd_trace_grep(int argc, char **argv);
int cmd_trace_export(int argc, char **argv);
int cmd_trace_report(int argc, char **argv);

#endif
