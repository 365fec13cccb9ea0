/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/base/types.h"
#include "sim/calendar.h"

Test(sim_calendar, known_dates_have_their_seconds)
{
    const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1980-01-01T00:00:00Z", 315532800},  {"2000-02-29T12:34:56Z", 951827696},
        {"2024-01-01T00:00:00Z", 1704067200}, {"2024-02-29T23:59:59Z", 1709251199},
        {"2038-01-19T03:14:08Z", 2147483648}, {"2099-12-31T23:59:59Z", 4102444799},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t seconds = -1;
        char text[32];

        cr_assert(sim_calendar_parse(cases[i].text, &seconds), "%s was refused", cases[i].text);
        cr_assert_eq(seconds, cases[i].seconds, "%s: %" PRId64, cases[i].text, seconds);
        sim_calendar_text(seconds, text);
        cr_assert_str_eq(text, cases[i].text, "%s came back as %s", cases[i].text, text);
    }
}

Test(sim_calendar, every_day_comes_back)
{
    for (int64_t seconds = 315532800; seconds <= 4102444799; seconds += 86400 - 7) {
        int64_t back = -1;
        char text[32];

        sim_calendar_text(seconds, text);
        cr_assert(sim_calendar_parse(text, &back) && back == seconds,
                  "%" PRId64 " was written %s and read %" PRId64, seconds, text, back);
    }
}

Test(sim_calendar, what_is_no_date_is_refused)
{
    const char *const cases[] = {
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00Z ",
        "2024-1-01T00:00:00ZZ",
        "1979-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2o24-01-01T00:00:00Z",
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t seconds = 42;

        cr_assert_not(sim_calendar_parse(cases[i], &seconds), "\"%s\" was accepted", cases[i]);
        cr_assert_eq(seconds, 42, "\"%s\" changed the result", cases[i]);
    }
}
