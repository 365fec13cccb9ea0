/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/base/types.h"
#include "sim/base/units.h"

static const uint64_t MARK = 0x1234567890abcdef;

struct good {
    const char *text;
    const struct base_unit *units;
    uint64_t value;
};

Test(base_units, well_formed_numbers_are_understood)
{
    const struct good cases[] = {
        {"0", base_units_none, 0},
        {"18446744073709551615", base_units_none, UINT64_MAX},
        {"0xffffffffffffffff", base_units_none, UINT64_MAX},
        {"0X1f", base_units_none, 31},
        {"007", base_units_none, 7},
        {"768M", base_units_size, 768ull << 20},
        {"1.5G", base_units_size, 3ull << 29},
        {"0.5K", base_units_size, 512},
        {"17179869183G", base_units_size, 17179869183ull << 30},
        {"0x1000", base_units_size, 4096},
        {"2.5GHz", base_units_frequency, 2500000000},
        {"100k", base_units_frequency, 100000},
        {"1Hz", base_units_frequency, 1},
        {"9G", base_units_count, 9000000000},
        {"1.5s", base_units_duration, 1500000000},
        {"20ms", base_units_duration, 20000000},
        {"0.000000001s", base_units_duration, 1},
        {"7ns", base_units_duration, 7},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = MARK;
        bool ok = base_units_parse(cases[i].text, cases[i].units, &value);

        cr_assert(ok && value == cases[i].value, "%s: %s, %" PRIu64 " instead of %" PRIu64,
                  cases[i].text, ok ? "accepted" : "refused", value, cases[i].value);
    }
}

Test(base_units, anything_else_is_refused_and_leaves_the_result)
{
    const struct good cases[] = {
        {"", base_units_none, 0},
        {" 1", base_units_none, 0},
        {"1 ", base_units_none, 0},
        {"-1", base_units_none, 0},
        {"+1", base_units_none, 0},
        {"1.0", base_units_none, 0},
        {"18446744073709551616", base_units_none, 0},
        {"99999999999999999999999", base_units_none, 0},
        {"0x", base_units_none, 0},
        {"0x10000000000000000", base_units_none, 0},
        {"0x1g", base_units_none, 0},
        {"1M", base_units_none, 0},
        {"1m", base_units_size, 0},
        {"1MB", base_units_size, 0},
        {"1 M", base_units_size, 0},
        {"M", base_units_size, 0},
        {".5M", base_units_size, 0},
        {"1.M", base_units_size, 0},
        {"0x10M", base_units_size, 0},
        {"17179869184G", base_units_size, 0},
        {"0.3K", base_units_size, 0},
        {"1K", base_units_frequency, 0},
        {"10", base_units_duration, 0},
        {"0x10", base_units_duration, 0},
        {"1.5ns", base_units_duration, 0},
        {"0.0000000001s", base_units_duration, 0},
        {"1s ", base_units_duration, 0},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = MARK;

        cr_assert_not(base_units_parse(cases[i].text, cases[i].units, &value),
                      "\"%s\" was taken for %" PRIu64, cases[i].text, value);
        cr_assert_eq(value, MARK, "\"%s\" changed the result", cases[i].text);
    }
}

Test(base_units, sizes_are_written_in_the_largest_whole_unit)
{
    const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1"},
                 {4096, "4K"},
                 {768 << 20, "768M"},
                 {64ull << 30, "64G"},
                 {(1ull << 30) + 4096, "1048580K"}};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char text[24];

        base_units_size_text(cases[i].bytes, text);
        cr_assert_str_eq(text, cases[i].text, "%" PRIu64 " gave %s", cases[i].bytes, text);
    }
}
