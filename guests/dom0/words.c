/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/words.h"

#include "guests/lib/string.h"

#define MAX_PAGES (1ul << (40 - PAGE_SHIFT))

bool words_parse_u64(const char *text, u64 *out, const char **end)
{
    u64 value = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (u64)(*text - '0');
    }
    *out = value;
    *end = text;
    return true;
}

bool words_parse_count(const char *text, u64 max, u64 *out)
{
    const char *end;

    return words_parse_u64(text, out, &end) && !*end && *out <= max;
}

/* A size of memory: MiB, or with K, M, G behind it. */
bool words_parse_pages(const char *text, u64 *pages)
{
    const char *end, *unit;
    u64 value, shift = 20;

    if (!words_parse_u64(text, &value, &end) || value >= 1ul << 40)
        return false;
    if (*end) {
        unit = strchr("KMG", *end);
        if (!unit || end[1])
            return false;
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
    }
    *pages = (value << shift) >> PAGE_SHIFT;
    return *pages && *pages <= MAX_PAGES;
}
