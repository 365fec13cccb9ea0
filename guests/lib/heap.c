/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece has one of the sizes 32 << class, header included.  Freed pieces go to the list of their
 * class and are handed out again first; what is new is cut from pages, never given back to them.
 */
#include "guests/lib/heap.h"

#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define CLASSES     20 /* up to 16 MiB */
#define SMALLEST    32u
#define ALLOCATED   0xa110cu

struct piece {
    u32 class, state;
    u64 size_bytes; /* that were asked for */
    union {
        struct piece *next; /* of a free one */
        u8 bytes[1];
    };
};
#define HEADER_BYTES offsetof(struct piece, bytes)

static struct piece *free_pieces[CLASSES];
static size_t used_bytes;

/* Cut new memory into pieces of @class. */
static bool refill(u32 class)
{
    size_t size = (size_t)SMALLEST << class;
    size_t total = size < PAGE_SIZE ? PAGE_SIZE : size;
    u8 *at = pages_try_alloc(total / PAGE_SIZE);

    if (!at)
        return false;
    for (size_t offset = 0; offset < total; offset += size) {
        struct piece *piece = (struct piece *)(at + offset);

        piece->class = class;
        piece->next = free_pieces[class];
        free_pieces[class] = piece;
    }
    return true;
}

void *heap_alloc(size_t size_bytes)
{
    struct piece *piece;
    u32 class = 0;

    if (size_bytes > ((size_t)SMALLEST << (CLASSES - 1)) - HEADER_BYTES)
        return NULL;
    while (((size_t)SMALLEST << class) < size_bytes + HEADER_BYTES)
        class++;
    if (!free_pieces[class] && !refill(class))
        return NULL;
    piece = free_pieces[class];
    free_pieces[class] = piece->next;
    piece->state = ALLOCATED;
    piece->size_bytes = size_bytes;
    used_bytes += size_bytes;
    return memset(piece->bytes, 0, size_bytes);
}

void heap_free(void *bytes)
{
    struct piece *piece;

    if (!bytes)
        return;
    piece = (struct piece *)((u8 *)bytes - HEADER_BYTES);
    ASSERT(piece->state == ALLOCATED);
    piece->state = 0;
    used_bytes -= piece->size_bytes;
    piece->next = free_pieces[piece->class];
    free_pieces[piece->class] = piece;
}

size_t heap_used_bytes(void)
{
    return used_bytes;
}
