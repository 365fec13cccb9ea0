/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/report.h"

#include "guests/lib/console.h"

enum verdict { SUCCESS, FAILURE, SKIP, ERROR };
static const char *const verdict_names[] = {"Success", "Failure", "Skip", "Error"};

static const char *guest_name = "";
static const char *case_name;
static char hypothesis_text[160];
static char detail_text[160];
static enum verdict verdict;
static u32 counts[4];

void report_start(const char *guest)
{
    guest_name = guest;
    case_name = NULL;
    for (u32 i = 0; i < ARRAY_SIZE(counts); i++)
        counts[i] = 0;
}

static void close_case(void)
{
    if (!case_name)
        return;
    print("case|%s/%s|%s|%s|%s\n", guest_name, case_name, verdict_names[verdict], detail_text,
          hypothesis_text);
    counts[verdict]++;
    case_name = NULL;
}

void report_end(void)
{
    close_case();
    print("end|%s|%u|%u|%u|%u|%u\n", guest_name, counts[0] + counts[1] + counts[2] + counts[3],
          counts[SUCCESS], counts[FAILURE], counts[SKIP], counts[ERROR]);
}

void test(const char *name, const char *hypothesis, ...)
{
    va_list args;

    close_case();
    case_name = name;
    va_start(args, hypothesis);
    print_to_v(hypothesis_text, sizeof hypothesis_text, hypothesis, args);
    va_end(args);
    detail_text[0] = '\0';
    verdict = SUCCESS;
}

/* The first bad comparison of a case is the one that is told. */
static bool first(enum verdict of)
{
    if (verdict != SUCCESS)
        return false;
    verdict = of;
    return true;
}

void equal(const char *what, u64 got, u64 want)
{
    if (got != want && first(FAILURE))
        print_to(detail_text, sizeof detail_text, "%s: got %ld (0x%lx), expected %ld (0x%lx)", what,
                 (s64)got, got, (s64)want, want);
}

void differ(const char *what, u64 got, u64 unwanted)
{
    if (got == unwanted && first(FAILURE))
        print_to(detail_text, sizeof detail_text, "%s: got %ld (0x%lx), expected anything else", what,
                 (s64)got, got);
}

void holds(const char *what, bool condition)
{
    if (!condition && first(FAILURE))
        print_to(detail_text, sizeof detail_text, "not true: %s", what);
}

#define TELL(of, format)                                                                           \
    do {                                                                                           \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, format);                                                                    \
        if (first(of))                                                                             \
            print_to_v(detail_text, sizeof detail_text, format, args);                             \
        va_end(args);                                                                              \
    } while (0)

void skip(const char *format, ...)
{
    TELL(SKIP, format);
}

void broken(const char *format, ...)
{
    TELL(ERROR, format);
}

void crashes(void)
{
    print("crash|%s/%s|%s\n", guest_name, case_name, hypothesis_text);
    if (first(FAILURE))
        print_to(detail_text, sizeof detail_text, "the domain was not ended");
}
