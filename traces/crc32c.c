/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight bytes a round: table[k][b] is the remainder of the byte b with k zero bytes behind it.
 */
#include "traces/crc32c.h"

#include <glib.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* bits reversed */

static uint32_t table[8][256];

static void fill_table(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint32_t v = i;

        for (unsigned bit = 0; bit < 8; bit++)
            v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
        table[0][i] = v;
    }
    for (unsigned i = 0; i < 256; i++)
        for (unsigned k = 1; k < 8; k++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

uint32_t crc32c(uint32_t seed, const void *data, size_t size_bytes)
{
    static gsize once;
    const uint8_t *p = data;
    uint32_t v = ~seed;

    if (g_once_init_enter(&once)) {
        fill_table();
        g_once_init_leave(&once, 1);
    }
    for (; size_bytes >= 8; size_bytes -= 8, p += 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        w = GUINT64_FROM_LE(w) ^ v;
        v = 0;
        for (unsigned k = 0; k < 8; k++)
            v ^= table[7 - k][w >> (8 * k) & 0xff];
    }
    for (; size_bytes; size_bytes--)
        v = v >> 8 ^ table[0][(v ^ *p++) & 0xff];
    return ~v;
}
