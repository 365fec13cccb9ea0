/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain 0's command line: lines that are typed, and scripts.
 *
 * A line holds commands, separated by `;`.  A command is words, separated by blanks; "..." holds
 * blanks and semicolons; `#` starts a comment.
 */
#ifndef GUESTS_DOM0_SHELL_H
#define GUESTS_DOM0_SHELL_H

#include "guests/lib/types.h"

#define SHELL_LINE_BYTES 1024u
#define SHELL_MAX_WORDS  32u

/** shell_fail - say what is wrong with a command; for commands.  Returns false. */
bool shell_fail(const char *format, ...) PRINTF_LIKE(1, 2);

/** shell_line - run one line.  Returns false at the first command that fails. */
bool shell_line(const char *line);

/**
 * shell_script - run a text line by line.
 * @name: for messages.
 * Returns: false at the first command that fails, after a message that names the line.
 */
bool shell_script(const char *name, const char *text, size_t size_bytes);

/** shell_interactive - prompt, read, run; comes back only when a command ends the machine. */
NORETURN void shell_interactive(void);

/** shell_split - cut @line, in place, into words up to the end of its first command.
 * @rest: what follows it; "" at the end.
 * Returns: the number of words, or -1 for an open quote or too many words.  Test: test_guests_shell.c
 */
int shell_split(char *line, char **words, u32 max, char **rest);

#endif
