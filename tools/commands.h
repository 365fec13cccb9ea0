/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of `paravane`, and what they have in common.
 */
#ifndef PARAVANE_TOOLS_COMMANDS_H
#define PARAVANE_TOOLS_COMMANDS_H

#include <glib.h>
#include <stdbool.h>

#include "tools/run_options.h"

/* Exit statuses.  The numbers are part of the contract. */
enum tools_exit {
    TOOLS_EXIT_GOOD = 0,
    TOOLS_EXIT_BAD = 1,     /* the run's own verdict */
    TOOLS_EXIT_USAGE = 2,   /* usage, input or output */
    TOOLS_EXIT_DIVERGED = 3 /* a replay is not what was recorded */
};

/** tools_fail - print "paravane: MESSAGE", free @error.  Returns: TOOLS_EXIT_USAGE. */
int tools_fail(GError *error);

/** cmd_run - `paravane run`; @argv is what follows the word.  Returns: an exit status. */
int cmd_run(int argc, char **argv);

/** cmd_record - `paravane record`: the same, recorded. */
int cmd_record(int argc, char **argv);
/** cmd_replay - `paravane replay`. */
int cmd_replay(int argc, char **argv);

/**
 * cmd_verify - run the same several times, each in a process of its own with another address
 *              space layout and environment, and compare.
 * Returns: the status of the runs if they are identical, TOOLS_EXIT_BAD if they are not.
 */
int cmd_verify(const struct run_options *options);

/** cmd_trace - `paravane trace SUBCOMMAND`: reading traces. */
int cmd_trace(int argc, char **argv);
/** cmd_diff - `paravane diff A B`: comparing traces. */
int cmd_diff(int argc, char **argv);

/** help_print - of @topic ("run"), or the overview when NULL.  Returns: false if there is none. */
bool help_print(const char *topic);

#endif
