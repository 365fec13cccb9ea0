/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/base/types.h"
#include "tools/console_script.h"

#define SECOND 1000000000ull
#define MS     1000000ull

static struct console_script *script(const char *text)
{
    GError *error = NULL;
    struct console_script *s = console_script_parse("s", text, strlen(text), &error);

    cr_assert_not_null(s, "%s was refused: %s", text, error->message);
    return s;
}

static void say(struct console_script *s, const char *text)
{
    while (*text)
        console_script_output(s, (uint8_t)*text++);
}

/* What is typed at @ns, as a text; at most 16 bytes. */
static const char *typed(struct console_script *s, uint64_t ns)
{
    static char text[17];
    size_t count = console_script_poll(s, ns, (uint8_t *)text, 16);

    text[count] = '\0';
    return text;
}

static void met(struct console_script *s)
{
    g_autofree char *unmet = console_script_unmet(s);

    cr_assert_null(unmet, "%s", unmet);
    console_script_free(s);
}

static void unmet_with(struct console_script *s, const char *wanted)
{
    g_autofree char *unmet = console_script_unmet(s);

    cr_assert_not_null(unmet, "met; wanted: %s", wanted);
    cr_assert_str_eq(unmet, wanted);
    console_script_free(s);
}

Test(console_script, nothing_is_typed_before_the_text_is_there)
{
    struct console_script *s = script("expect login:\nsend root\\n\n");

    cr_assert_str_eq(typed(s, 0), "");
    say(s, "debian logi");
    cr_assert_str_eq(typed(s, 1), "");
    say(s, "n:");
    cr_assert_str_eq(typed(s, 2), "root\n");
    cr_assert_str_eq(typed(s, 3), "");
    met(s);
}

Test(console_script, long_texts_arrive_as_fast_as_they_are_taken)
{
    struct console_script *s = script("send 0123456789abcdefXYZ\nsend !\n");

    cr_assert_str_eq(typed(s, 0), "0123456789abcdef");
    cr_assert_str_eq(typed(s, 1), "XYZ!");
    met(s);
}

Test(console_script, each_byte_of_output_counts_once)
{
    struct console_script *s = script("expect ab\nexpect ab\nexpect b");

    say(s, "ab");
    cr_assert_str_eq(typed(s, 0), "");
    say(s, "abb");
    met(s);
    s = script("expect aa\nexpect aa");
    say(s, "aaa");
    unmet_with(s, "s:2: the console never said: \"aa\"");
}

Test(console_script, output_during_other_steps_is_kept_for_the_next_expect)
{
    struct console_script *s = script("wait 10\nexpect a\nexpect b\nsend x\nexpect c");

    say(s, "1a2b3c");
    cr_assert_str_eq(typed(s, 0), "");
    cr_assert_str_eq(typed(s, 10 * MS - 1), "");
    cr_assert_str_eq(typed(s, 10 * MS), "x");
    met(s);
}

Test(console_script, texts_that_repeat_themselves_are_found)
{
    const char *const cases[][2] = {
        {"aab", "aaab"}, {"abab", "abaabab"}, {"aaaa", "aaabaaaa"}, {"abcabd", "abcabcabd"}};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = g_strdup_printf("expect %s", cases[i][0]);
        struct console_script *s = script(text);

        say(s, cases[i][1]);
        met(s);
    }
}

Test(console_script, escapes_stand_for_bytes)
{
    struct console_script *s =
        script("send \\n\\r\\t\\a\\b\\e\\f\\v\\\\\\\"\\'\\x41\\xfF\\x20\n  send   b c  \r\n");

    cr_assert_str_eq(typed(s, 0), "\n\r\t\a\b\033\f\v\\\"'A\xff b ");
    cr_assert_str_eq(typed(s, 0), "c");
    met(s);
    s = script("expect a\\0b");
    console_script_output(s, 'a');
    console_script_output(s, 0);
    console_script_output(s, 'b');
    met(s);
}

Test(console_script, an_expect_times_out_in_virtual_time)
{
    struct console_script *s = script("timeout 2\nexpect a\n\n# more\ntimeout 0.5\nexpect b");

    typed(s, 7 * SECOND);
    say(s, "a");
    typed(s, 9 * SECOND); /* the second one starts waiting here */
    typed(s, 9 * SECOND + 500 * MS - 1);
    cr_assert_not(console_script_timed_out(s));
    typed(s, 9 * SECOND + 500 * MS);
    cr_assert(console_script_timed_out(s));
    unmet_with(s, "s:6: timed out waiting for: \"b\"");
}

Test(console_script, timeouts_are_300_seconds_unless_told)
{
    struct console_script *s = script("expect a");

    typed(s, 5);
    typed(s, 300 * SECOND + 4);
    cr_assert_not(console_script_timed_out(s));
    typed(s, 300 * SECOND + 5);
    cr_assert(console_script_timed_out(s));
    console_script_free(s);
    s = script("timeout 0\nexpect a");
    typed(s, 1);
    typed(s, UINT64_MAX);
    cr_assert_not(console_script_timed_out(s));
    console_script_free(s);
}

Test(console_script, waits_add_up_from_when_they_begin)
{
    struct console_script *s = script("wait 1\nwait 0.5\nsend x");

    typed(s, 100);
    typed(s, 100 + 1 * MS); /* the second begins */
    cr_assert_str_eq(typed(s, 100 + 1 * MS + MS / 2 - 1), "");
    cr_assert_str_eq(typed(s, 100 + 1 * MS + MS / 2), "x");
    met(s);
}

Test(console_script, an_expect_behind_an_undone_step_is_unmet)
{
    struct console_script *s = script("wait 5\nexpect late");

    say(s, "late");
    unmet_with(s, "s:2: the console never said: \"late\"");
    s = script("expect a\nsend b");
    say(s, "a");
    met(s);
    met(script(""));
    met(script("# nothing\n\n"));
}

Test(console_script, mistakes_are_named_with_their_line)
{
    const char *const cases[][2] = {
        {"exepct a", "s:1: unknown word \"exepct\"; there are expect, send, wait, timeout"},
        {"\n\nexpect\n", "s:3: a text is missing"},
        {"send   ", "s:1: a text is missing"},
        {"send \\q", "s:1: unknown escape"},
        {"send a\\", "s:1: unknown escape"},
        {"send \\x4", "s:1: unknown escape"},
        {"send \\xg0", "s:1: unknown escape"},
        {"# x\nwait", "s:2: wait needs a number of virtual milliseconds, not \"\""},
        {"wait 5s", "s:1: wait needs"},
        {"wait -1", "s:1: wait needs"},
        {"timeout soon", "s:1: timeout needs a number of virtual seconds, not \"soon\""},
        {"timeout 99999999999999999999", "s:1: timeout needs"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        GError *error = NULL;

        cr_assert_null(console_script_parse("s", cases[i][0], strlen(cases[i][0]), &error),
                       "\"%s\" was accepted", cases[i][0]);
        cr_assert(g_str_has_prefix(error->message, cases[i][1]), "\"%s\": %s", cases[i][0],
                  error->message);
        g_error_free(error);
    }
    GError *error = NULL;
    cr_assert_null(console_script_parse("s", "send a\0b", 8, &error));
    cr_assert_str_eq(error->message, "s:1: not a text file");
    g_error_free(error);
}
