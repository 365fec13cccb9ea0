/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PV consoles of the other domains.  What a domain prints appears on our own console line by
 * line, with its name in front; the domain that the terminal is attached to writes to it directly.
 * Test: test_guests_console.c
 */
#ifndef GUESTS_DOM0_CONSOLE_SERVICE_H
#define GUESTS_DOM0_CONSOLE_SERVICE_H

#include "guests/lib/types.h"

#include <xen/xen.h>
#include <xen/io/console.h>

#define CONSOLE_LINE_BYTES 256

struct console {
    struct xencons_interface *ring; /* NULL: none */
    const char *name;               /* borrowed */
    bool attached;                  /* raw */
    bool plain;                     /* lines without the name */
    bool broken;                    /* its indexes make no sense; not looked at any more */
    char line[CONSOLE_LINE_BYTES];
    u32 line_bytes;
};

/**
 * console_service - print what the domain has written, a bounded amount.
 * @again: whether there is more.
 * Returns: whether the domain must be notified.
 */
bool console_service(struct console *console, bool *again);

/** console_end_line - print a last line that has no end. */
void console_end_line(struct console *console);

/**
 * console_type - put input into the ring.
 * Returns: how many bytes there was room for; the domain must be notified if it is not 0.
 */
u32 console_type(struct console *console, const char *text, u32 size_bytes);

#endif
