/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/console_service.h"

#include "guests/lib/console.h"
#include "guests/lib/string.h"

/* Indexes are free-running 32-bit counters; the guest owns out_prod and in_cons. */
#define OUT_BYTES ((u32)sizeof(((struct xencons_interface *)0)->out))
#define IN_BYTES  ((u32)sizeof(((struct xencons_interface *)0)->in))

void console_end_line(struct console *console)
{
    if (!console->line_bytes)
        return;
    if (console->plain)
        print("%s\n", console->line);
    else
        print("%s: %s\n", console->name, console->line);
    console->line_bytes = 0;
}

static void put(struct console *console, char c)
{
    if (c == '\r' || !c)
        return;
    if (c == '\n' && !console->line_bytes) {
        /* An empty line is a line, too. */
        console->line[0] = '\0';
        print("%s%s\n", console->plain ? "" : console->name, console->plain ? "" : ":");
        return;
    }
    if (c != '\n')
        console->line[console->line_bytes++] = c;
    console->line[console->line_bytes] = '\0';
    if (c == '\n' || console->line_bytes == CONSOLE_LINE_BYTES - 1)
        console_end_line(console);
}

bool console_service(struct console *console, bool *again)
{
    volatile struct xencons_interface *ring = console->ring;
    char chunk[OUT_BYTES];
    u32 cons, filled;

    *again = false;
    if (!ring || console->broken)
        return false;
    cons = ring->out_cons;
    filled = ring->out_prod - cons;
    if (filled > OUT_BYTES) {
        console->broken = true;
        return false;
    }
    __sync_synchronize();
    for (u32 i = 0; i < filled; i++)
        chunk[i] = ring->out[(cons + i) & (OUT_BYTES - 1)];
    if (console->attached)
        console_write(chunk, filled);
    else
        for (u32 i = 0; i < filled; i++)
            put(console, chunk[i]);
    /* Only now: a domain that waits until its ring is empty knows that its text is out. */
    __sync_synchronize();
    ring->out_cons = cons + filled;
    *again = ring->out_prod != cons + filled;
    return filled != 0;
}

u32 console_type(struct console *console, const char *text, u32 size_bytes)
{
    volatile struct xencons_interface *ring = console->ring;
    u32 prod, filled, n;

    if (!ring || console->broken)
        return 0;
    prod = ring->in_prod;
    filled = prod - ring->in_cons;
    if (filled > IN_BYTES) {
        console->broken = true;
        return 0;
    }
    n = size_bytes < IN_BYTES - filled ? size_bytes : IN_BYTES - filled;
    for (u32 i = 0; i < n; i++)
        ring->in[(prod + i) & (IN_BYTES - 1)] = text[i];
    __sync_synchronize();
    ring->in_prod = prod + n;
    return n;
}
