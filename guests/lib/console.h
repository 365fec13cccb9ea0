/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's console: console_io for the initial domain, the PV console ring
 * (xen/io/console.h) for every other.  Output is complete when a function returns.
 */
#ifndef GUESTS_LIB_CONSOLE_H
#define GUESTS_LIB_CONSOLE_H

#include "guests/lib/types.h"

#include <stdarg.h>

/**
 * console_init - find the ring of a domain that has one.  Needs start_info; called by the runtime.
 */
void console_init(void);

/**
 * console_write - all @size_bytes, waiting (SCHEDOP_yield) while the ring is full.
 */
void console_write(const char *text, size_t size_bytes);

/**
 * console_flush - wait until whoever serves the console has taken all of it.
 */
void console_flush(void);

/**
 * console_read - up to @max_bytes of what has been typed, without waiting.
 * Returns: the number of bytes, 0 when there is nothing.
 */
size_t console_read(char *to, size_t max_bytes);

/** console_port - the event channel of the console ring; 0 when there is none. */
u32 console_port(void);

/**
 * print - formatted output: %c %s %d %i %u %x %X %p %%, with h, l, ll, z, width, `-` and `0`.
 */
void print(const char *format, ...) PRINTF_LIKE(1, 2);

/**
 * print_to - the same into memory.
 * @size_bytes: of @to; the text is cut to fit and always ends in a zero byte, unless it is 0.
 * Returns: the length the whole text would have.
 */
size_t print_to(char *to, size_t size_bytes, const char *format, ...) PRINTF_LIKE(3, 4);
size_t print_to_v(char *to, size_t size_bytes, const char *format, va_list args);

#endif
