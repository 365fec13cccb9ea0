/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and texts as bytes, the same way in every frame of a trace: docs/trace-format.md,
 * "Basic encodings".
 *
 * Writing goes to a GByteArray.  Reading goes through a cursor that never leaves its bytes:
 * what is asked for beyond the end is 0 or empty, and @bad is set for good, so that a decoder
 * may look once, at its end.
 */
#ifndef PARAVANE_TRACES_PACK_H
#define PARAVANE_TRACES_PACK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PACK_VARINT_MAX 10 /* bytes of the longest varint */

static inline uint64_t pack_zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t unpack_zigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

/** pack_varint_to - low groups of seven bits first.  Returns: the byte behind it. */
static inline uint8_t *pack_varint_to(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline void pack_varint(GByteArray *out, uint64_t v)
{
    uint8_t b[PACK_VARINT_MAX];

    g_byte_array_append(out, b, (guint)(pack_varint_to(b, v) - b));
}

/** pack_u64 - eight bytes, little-endian. */
static inline void pack_u64(GByteArray *out, uint64_t v)
{
    v = GUINT64_TO_LE(v);
    g_byte_array_append(out, (const guint8 *)&v, sizeof(v));
}

/** pack_bytes - a length and the bytes. */
static inline void pack_bytes(GByteArray *out, const void *data, size_t size_bytes)
{
    pack_varint(out, size_bytes);
    g_byte_array_append(out, data, (guint)size_bytes);
}

static inline void pack_text(GByteArray *out, const char *text)
{
    pack_bytes(out, text, strlen(text));
}

struct unpack {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static inline struct unpack unpack_init(const void *data, size_t size_bytes)
{
    return (struct unpack){.at = data, .left = size_bytes};
}

/** unpack_take - the next @size_bytes bytes, in place; NULL if there are fewer. */
static inline const uint8_t *unpack_take(struct unpack *u, uint64_t size_bytes)
{
    const uint8_t *p = u->at;

    if (u->bad || size_bytes > u->left) {
        u->bad = true;
        return NULL;
    }
    if (!size_bytes)
        return p ? p : (const uint8_t *)"";
    u->at += size_bytes;
    u->left -= (size_t)size_bytes;
    return p;
}

static inline uint64_t unpack_varint(struct unpack *u)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && u->left && !u->bad; shift += 7) {
        uint8_t b = *u->at++;

        u->left--;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    u->bad = true;
    return 0;
}

static inline uint64_t unpack_u64(struct unpack *u)
{
    const uint8_t *p = unpack_take(u, 8);
    uint64_t v = 0;

    if (p)
        memcpy(&v, p, 8);
    return GUINT64_FROM_LE(v);
}

/** unpack_text - a new string with a NUL behind it; NULL (and bad) if it holds one itself or
 *  is longer than @max. */
static inline char *unpack_text(struct unpack *u, size_t max)
{
    uint64_t size_bytes = unpack_varint(u);
    const uint8_t *p = size_bytes <= max ? unpack_take(u, size_bytes) : NULL;

    if (!p || memchr(p, 0, (size_t)size_bytes)) {
        u->bad = true;
        return NULL;
    }
    return g_strndup((const char *)p, (gsize)size_bytes);
}

#endif
