/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Console scripts: somebody at the guest's console who always types the same.
 *
 *     expect login:
 *     send root\n
 *
 * docs/console-script.md describes the language.  A script acts only when it is asked at an
 * instant of virtual time, and on nothing but the bytes the guest has written: the same
 * machine with the same script is the same run.
 */
#ifndef PARAVANE_TOOLS_CONSOLE_SCRIPT_H
#define PARAVANE_TOOLS_CONSOLE_SCRIPT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct console_script;

/**
 * console_script_parse - read a script.
 * @name: of the file, for messages.
 * Returns: NULL with @error, whose message names file and line.
 * Test:    tests/unit/test_tools_console_script.c
 */
struct console_script *console_script_parse(const char *name, const char *text, size_t size_bytes,
                                            GError **error);
/** console_script_load - the same from a file; "-" is standard input. */
struct console_script *console_script_load(const char *path, GError **error);
void console_script_free(struct console_script *script);

/** console_script_output - the guest has written @byte. */
void console_script_output(struct console_script *script, uint8_t byte);

/**
 * console_script_poll - what is typed at @virtual_ns.
 * Returns: the number of bytes put into @buf, at most @size_bytes; the rest waits for the
 *          next call.
 */
size_t console_script_poll(struct console_script *script, uint64_t virtual_ns, uint8_t *buf,
                           size_t size_bytes);

/** console_script_timed_out - an expect has waited longer than its timeout: give up. */
bool console_script_timed_out(const struct console_script *script);

/** console_script_unmet - the first expect that was not met, as a message with file and line;
 *  NULL when all were.  Free with g_free. */
char *console_script_unmet(const struct console_script *script);

GQuark console_script_error_quark(void);
#define CONSOLE_SCRIPT_ERROR console_script_error_quark()
enum console_script_error { CONSOLE_SCRIPT_ERROR_FILE, CONSOLE_SCRIPT_ERROR_SYNTAX };

#endif
