/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory in pieces of any size, on top of the page allocator.  One thread only.
 */
#ifndef GUESTS_LIB_HEAP_H
#define GUESTS_LIB_HEAP_H

#include "guests/lib/types.h"

/**
 * heap_alloc - zeroed memory, aligned to 16 bytes.
 * @size_bytes: 0 gives a valid piece, too.
 * Returns: to be given back with heap_free(); NULL when there is no more memory.
 */
void *heap_alloc(size_t size_bytes);

/** heap_free - give @piece back; NULL is allowed. */
void heap_free(void *piece);

/** heap_used_bytes - what is allocated now, for the leak checks. */
size_t heap_used_bytes(void);

#endif
