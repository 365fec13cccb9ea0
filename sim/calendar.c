/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/calendar.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define YEAR_MIN    1980
#define YEAR_MAX    2099

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of @month in @year. */
static int64_t days_before(unsigned year, unsigned month)
{
    int64_t days = 0;

    for (unsigned y = 1970; y < year; y++)
        days += is_leap(y) ? 366 : 365;
    for (unsigned m = 1; m < month; m++)
        days += month_days(year, m);
    return days;
}

/* The number in @digits characters at @text, which are known to be digits. */
static unsigned number_at(const char *text, unsigned digits)
{
    unsigned value = 0;

    while (digits--)
        value = value * 10 + (unsigned)(*text++ - '0');
    return value;
}

bool sim_calendar_parse(const char *text, int64_t *seconds)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    unsigned year, month, day, hour, minute, second;

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (unsigned i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    year = number_at(text, 4);
    month = number_at(text + 5, 2);
    day = number_at(text + 8, 2);
    hour = number_at(text + 11, 2);
    minute = number_at(text + 14, 2);
    second = number_at(text + 17, 2);
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    *seconds =
        (days_before(year, month) + day - 1) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    return true;
}

void sim_calendar_text(int64_t seconds, char text[32])
{
    int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
    unsigned year = YEAR_MIN, month = 1;

    while (year < YEAR_MAX && days_before(year + 1, 1) <= days)
        year++;
    while (month < 12 && days_before(year, month + 1) <= days)
        month++;
    snprintf(text, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month,
             (unsigned)(days - days_before(year, month)) % 100 + 1, (unsigned)(rest / 3600),
             (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
}
