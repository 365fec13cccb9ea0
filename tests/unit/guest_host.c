/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/guest_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guests/lib/console.h"

static size_t used_bytes;
static u32 allocations_left; /* 0: no limit */
static bool failing;

static char printed[1 << 16], handed_out[1 << 16];
static size_t printed_bytes;

/* The size lies in front of the piece. */
struct piece {
    size_t size_bytes, pad;
};

void host_heap_fail_after(u32 count)
{
    allocations_left = count;
    failing = false;
}

void *heap_alloc(size_t size_bytes)
{
    struct piece *piece;

    if (failing || (allocations_left && !--allocations_left)) {
        failing = true;
        return NULL;
    }
    piece = calloc(1, sizeof *piece + size_bytes);
    if (!piece)
        abort();
    piece->size_bytes = size_bytes;
    used_bytes += size_bytes;
    return piece + 1;
}

void heap_free(void *bytes)
{
    struct piece *piece;

    if (!bytes)
        return;
    piece = (struct piece *)bytes - 1;
    used_bytes -= piece->size_bytes;
    free(piece);
}

size_t heap_used_bytes(void)
{
    return used_bytes;
}

void console_write(const char *text, size_t size_bytes)
{
    if (size_bytes > sizeof printed - 1 - printed_bytes)
        abort();
    memcpy(printed + printed_bytes, text, size_bytes);
    printed_bytes += size_bytes;
}

size_t print_to_v(char *to, size_t size_bytes, const char *format, va_list args)
{
    return (size_t)vsnprintf(to, size_bytes, format, args);
}

size_t print_to(char *to, size_t size_bytes, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = print_to_v(to, size_bytes, format, args);
    va_end(args);
    return length;
}

void print(const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    console_write(text, strlen(text));
}

const char *host_printed(void)
{
    memcpy(handed_out, printed, printed_bytes);
    handed_out[printed_bytes] = '\0';
    printed_bytes = 0;
    return handed_out;
}
