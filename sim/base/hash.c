/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four independent multiply-and-rotate lanes over 32-byte rounds, folded and
 * finished with a strong integer mixer.  Input is read little-endian.
 */
#include "sim/base/hash.h"

#include <stdio.h>
#include <string.h>

#define MUL_A 0x9fb21c651e98df25ull
#define MUL_B 0xd6e8feb86659fd93ull

static inline uint64_t rotl(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= MUL_B;
    x ^= x >> 29;
    x *= MUL_A;
    x ^= x >> 32;
    return x;
}

static inline void round32(uint64_t lane[4], const uint8_t *p)
{
    uint64_t w[4];

    memcpy(w, p, sizeof(w));
    for (int i = 0; i < 4; i++)
        lane[i] = rotl((lane[i] ^ w[i]) * MUL_A, 31) + w[i];
}

void base_hash_init(struct base_hash *h)
{
    memset(h, 0, sizeof(*h));
    for (int i = 0; i < 4; i++)
        h->lane[i] = mix(0x243f6a8885a308d3ull + (uint64_t)i);
}

void base_hash_update(struct base_hash *h, const void *data, size_t size_bytes)
{
    const uint8_t *p = data;
    size_t have = h->total_bytes & 31;

    h->total_bytes += size_bytes;
    if (have) {
        size_t take = 32 - have < size_bytes ? 32 - have : size_bytes;
        memcpy(h->tail + have, p, take);
        p += take;
        size_bytes -= take;
        if (have + take < 32)
            return;
        round32(h->lane, h->tail);
    }
    for (; size_bytes >= 32; size_bytes -= 32, p += 32)
        round32(h->lane, p);
    memcpy(h->tail, p, size_bytes);
}

void base_hash_u64(struct base_hash *h, uint64_t value)
{
    base_hash_update(h, &value, sizeof(value));
}

static void finish(const struct base_hash *h, uint64_t out[2])
{
    uint64_t lane[4], lo, hi;
    uint8_t last[32] = {0};

    memcpy(lane, h->lane, sizeof(lane));
    memcpy(last, h->tail, h->total_bytes & 31);
    round32(lane, last);
    lo = mix(lane[0] ^ rotl(lane[1], 17)) ^ mix(lane[2] + h->total_bytes);
    hi = mix(lane[3] ^ rotl(lane[2], 23)) ^ mix(lane[1] + rotl(lo, 9));
    out[0] = hi;
    out[1] = mix(lo + hi);
}

void base_hash_final(const struct base_hash *h, char text[BASE_HASH_TEXT])
{
    uint64_t v[2];

    finish(h, v);
    snprintf(text, BASE_HASH_TEXT, "%016llx%016llx", (unsigned long long)v[0],
             (unsigned long long)v[1]);
}

uint64_t base_hash_final64(const struct base_hash *h)
{
    uint64_t v[2];

    finish(h, v);
    return v[0] ^ rotl(v[1], 29);
}

uint64_t base_hash_page(const void *page)
{
    static const uint8_t zero[64];
    const uint8_t *p = page;
    struct base_hash h;

    if (memcmp(p, zero, sizeof(zero)) == 0 && memcmp(p, p + 64, 4096 - 64) == 0)
        return 0;
    base_hash_init(&h);
    for (unsigned i = 0; i < 4096; i += 32)
        round32(h.lane, p + i);
    h.total_bytes = 4096;
    return base_hash_final64(&h);
}
