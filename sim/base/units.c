/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct base_unit base_units_none[] = {{"", 1}, {NULL, 0}};
const struct base_unit base_units_size[] = {
    {"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {NULL, 0}};
const struct base_unit base_units_frequency[] = {
    {"", 1},        {"Hz", 1},           {"kHz", 1000},     {"k", 1000}, {"MHz", 1000000},
    {"M", 1000000}, {"GHz", 1000000000}, {"G", 1000000000}, {NULL, 0}};
const struct base_unit base_units_count[] = {
    {"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};
const struct base_unit base_units_duration[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}};

static const struct base_unit *find(const struct base_unit *units, const char *suffix)
{
    for (; units->suffix; units++)
        if (strcmp(units->suffix, suffix) == 0)
            return units;
    return NULL;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* Reads digits of @radix at *@at and leaves *@at behind them; false: none, or too large. */
static bool read_digits(const char **at, unsigned radix, uint64_t *out)
{
    const char *p = *at;
    uint64_t value = 0;

    while ((unsigned)digit_value(*p) < radix) {
        if (__builtin_mul_overflow(value, radix, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit_value(*p), &value))
            return false;
        p++;
    }
    if (p == *at)
        return false;
    *at = p;
    *out = value;
    return true;
}

static bool parse_hex(const char *text, const struct base_unit *units, uint64_t *out)
{
    uint64_t value;

    text += 2;
    if (!find(units, "") || !read_digits(&text, 16, &value) || *text)
        return false;
    *out = value;
    return true;
}

bool base_units_parse(const char *text, const struct base_unit *units, uint64_t *out)
{
    uint64_t whole, fraction = 0, scale = 1;
    const struct base_unit *unit;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_hex(text, units, out);
    if (!read_digits(&text, 10, &whole))
        return false;
    if (*text == '.') {
        const char *start = ++text;

        if (!read_digits(&text, 10, &fraction) || text - start > 9)
            return false;
        for (; start < text; start++)
            scale *= 10;
    }
    unit = find(units, text);
    if (!unit || (scale > 1 && unit->factor == 1))
        return false;
    /* fraction < 10^9 and factor <= 2^30: their product fits. */
    if (fraction * unit->factor % scale != 0)
        return false;
    if (__builtin_mul_overflow(whole, unit->factor, &whole) ||
        __builtin_add_overflow(whole, fraction * unit->factor / scale, &whole))
        return false;
    *out = whole;
    return true;
}

void base_units_size_text(uint64_t bytes, char text[24])
{
    static const char suffix[] = {'G', 'M', 'K'};

    for (unsigned i = 0; i < 3; i++) {
        unsigned shift = 30 - 10 * i;

        if (bytes && (bytes & ((1ull << shift) - 1)) == 0) {
            snprintf(text, 24, "%" PRIu64 "%c", bytes >> shift, suffix[i]);
            return;
        }
    }
    snprintf(text, 24, "%" PRIu64, bytes);
}
