/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fast 128-bit hash for comparing machine states.
 *
 * It finds accidental differences; it is not a cryptographic hash (images are
 * identified by SHA-256, through GLib).  The value depends on the bytes and on
 * the order and lengths of the updates being the same stream: updates of "ab"
 * and "a","b" give the same value.
 */
#ifndef PARAVANE_SIM_BASE_HASH_H
#define PARAVANE_SIM_BASE_HASH_H

#include <stdint.h>
#include <stddef.h>

struct base_hash {
    uint64_t lane[4];
    uint64_t total_bytes;
    uint8_t tail[32]; /* bytes that do not fill a 32-byte round yet */
};

/** Length of a formatted hash, with the terminating NUL. */
#define BASE_HASH_TEXT 33

void base_hash_init(struct base_hash *h);
void base_hash_update(struct base_hash *h, const void *data, size_t size_bytes);
void base_hash_u64(struct base_hash *h, uint64_t value);

/** base_hash_final - 128-bit value as 32 hex digits; @h stays usable for more updates. */
void base_hash_final(const struct base_hash *h, char text[BASE_HASH_TEXT]);

/** base_hash_final64 - the same, folded into a number. */
uint64_t base_hash_final64(const struct base_hash *h);

/** base_hash_page - of 4096 bytes, 0 if they are all zero. */
uint64_t base_hash_page(const void *page);

#endif
