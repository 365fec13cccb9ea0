/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "guests/dom0/words.h"

Test(guests_words, sizes_are_pages)
{
    static const struct {
        const char *text;
        u64 pages; /* 0: no size */
    } cases[] = {
        {"1", 256},       {"16", 4096},    {"4K", 1},
        {"6K", 1},        {"3M", 768},     {"2G", 524288},
        {"1048576", 1ul << 28},
        {"", 0},          {"M", 0},        {"-1", 0},
        {"1m", 0},        {"1MB", 0},      {"1 M", 0},
        {"0", 0},         {"3K", 0},       {"1048577", 0},
        {"1048576G", 0},  {"99999999999999999999", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        u64 pages = 0;
        bool good = words_parse_pages(cases[i].text, &pages);

        cr_assert_eq(good, cases[i].pages != 0, "%s", cases[i].text);
        if (good)
            cr_assert_eq(pages, cases[i].pages, "%s: %lu", cases[i].text, pages);
    }
}

Test(guests_words, counts_have_a_limit_and_nothing_behind_them)
{
    u64 value;

    cr_assert(words_parse_count("255", 255, &value));
    cr_assert_eq(value, 255);
    cr_assert_not(words_parse_count("256", 255, &value));
    cr_assert_not(words_parse_count("25x", 255, &value));
    cr_assert_not(words_parse_count("", 255, &value));
    cr_assert_not(words_parse_count("18446744073709551616", UINT64_MAX, &value));
}
