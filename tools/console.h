/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's terminal as the guest's keyboard.
 *
 * The terminal is in raw mode between console_open() and console_close() and is given back
 * as it was after every kind of exit: return, exit(), abort, fatal signals, suspension.
 * Keys after Ctrl-A are for the simulator: x leaves, z suspends, h helps, Ctrl-A is itself.
 */
#ifndef PARAVANE_TOOLS_CONSOLE_H
#define PARAVANE_TOOLS_CONSOLE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** console_is_usable - standard input is a terminal, and we are in its foreground. */
bool console_is_usable(void);

/** console_open - put the terminal on standard input into raw mode.  Only one at a time. */
gboolean console_open(GError **error);
/** console_close - give the terminal back; harmless when it is not open. */
void console_close(void);

/**
 * console_poll - keys that were pressed, as the guest shall get them.
 * @virtual_ns: the present instant; when virtual time is ahead of the host's, this waits, so
 *              that an idle guest does not run through years while somebody thinks.
 * Returns: the number of bytes put into @buf, at most @size_bytes.
 */
size_t console_poll(uint64_t virtual_ns, uint8_t *buf, size_t size_bytes);

/** console_wants_to_leave - Ctrl-A x was pressed, or the terminal has gone away. */
bool console_wants_to_leave(void);

/**
 * console_catch_signals - make SIGINT, SIGTERM and SIGHUP end the run in an orderly way.
 * @interrupt: async-signal-safe; called at the first one.  The second one ends the process.
 */
void console_catch_signals(void (*interrupt)(void));
/** console_caught_signal - the number of the first one, 0 if there was none. */
int console_caught_signal(void);

#endif
