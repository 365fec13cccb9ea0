/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/base/types.h"
#include "tools/run_options.h"

/* Parses up to seven arguments. */
static gboolean parse(struct run_options *o, const char *const args[8], GError **error)
{
    int argc = 0;

    while (argc < 8 && args[argc])
        argc++;
    return run_options_parse(o, argc, (char **)(uintptr_t)args, error);
}

Test(run_options, nothing_but_a_machine_is_enough)
{
    const char *const args[8] = {"m"};
    struct run_options o;

    cr_assert(parse(&o, args, NULL));
    cr_assert_str_eq(o.machine, "m");
    cr_assert_eq(o.until_insns, UINT64_MAX);
    cr_assert_eq(o.until_ns, UINT64_MAX);
    cr_assert_null(o.until_text);
    cr_assert_null(o.sets->pdata[0]);
    cr_assert_eq(o.verify, 0);
    run_options_clear(&o);
}

Test(run_options, both_forms_of_a_value_are_understood)
{
    const char *const args[8] = {"--set",       "a.b=c=d", "m",        "--set=e.f=",
                                 "--seed=0x10", "--until", "insns=2G", "--until=vtime=1.5ms"};
    struct run_options o;

    cr_assert(parse(&o, args, NULL));
    cr_assert_str_eq(o.machine, "m");
    cr_assert_str_eq(o.sets->pdata[0], "a.b=c=d");
    cr_assert_str_eq(o.sets->pdata[1], "e.f=");
    cr_assert_str_eq(o.sets->pdata[2], "machine.seed=0x10");
    cr_assert_null(o.sets->pdata[3]);
    cr_assert_eq(o.until_insns, 2000000000);
    cr_assert_eq(o.until_ns, 1500000);
    run_options_clear(&o);
}

Test(run_options, pauses_are_sorted_and_random_ones_repeatable)
{
    const char *const args[8] = {"m", "--pause-at", "5,1k,2", "--pause-random=100:7:1M"};
    struct run_options a, b;

    cr_assert(parse(&a, args, NULL));
    cr_assert(parse(&b, args, NULL));
    cr_assert_eq(a.pauses->len, 103);
    for (unsigned i = 0; i < a.pauses->len; i++) {
        uint64_t x = g_array_index(a.pauses, uint64_t, i);

        cr_assert_eq(x, g_array_index(b.pauses, uint64_t, i));
        cr_assert(i == 0 || x >= g_array_index(a.pauses, uint64_t, i - 1));
        cr_assert(x >= 1 && x <= 1000000);
    }
    run_options_clear(&a);
    run_options_clear(&b);
}

Test(run_options, a_child_repeats_all_but_what_is_for_the_whole)
{
    const char *const args[8] = {"m", "--verify=3", "--quiet", "--summary",
                                 "x", "--seed",     "4",       "--hash"};
    const char *const want[] = {"m", "--seed", "4", "--hash"};
    struct run_options o;

    cr_assert(parse(&o, args, NULL));
    cr_assert_eq(o.verify, 3);
    cr_assert_eq(o.repeat->len, ARRAY_LEN(want));
    for (unsigned i = 0; i < ARRAY_LEN(want); i++)
        cr_assert_str_eq(o.repeat->pdata[i], want[i]);
    run_options_clear(&o);
}

Test(run_options, mistakes_are_named)
{
    const struct {
        const char *args[8];
        const char *wanted;
    } cases[] = {
        {{NULL}, "no machine file is given"},
        {{"a", "b"}, "more than one machine file: a and b"},
        {{"m", "--fast"}, "unknown option --fast"},
        {{"m", "--qui"}, "unknown option --qui"},
        {{"m", "-x"}, "unknown option -x"},
        {{"m", "--set"}, "--set needs a value"},
        {{"m", "--quiet=yes"}, "--quiet takes no value"},
        {{"m", "--seed", "-1"}, "--seed needs a number"},
        {{"m", "--seed="}, "--seed needs a number"},
        {{"m", "--until", "forever"}, "--until needs insns=N, vtime=T or console=TEXT"},
        {{"m", "--until", "insns=1x"}, "--until insns= needs a number"},
        {{"m", "--until", "insns=99999999999999999999"}, "--until insns= needs a number"},
        {{"m", "--until", "vtime=5"}, "--until vtime= needs a time"},
        {{"m", "--until", "console="}, "--until needs"},
        {{"m", "--verify", "1"}, "--verify needs a number of runs from 2 to 1000"},
        {{"m", "--verify", "x"}, "--verify needs"},
        {{"m", "--pause-at", "1,,2"}, "--pause-at needs"},
        {{"m", "--pause-random", "1:2"}, "--pause-random needs"},
        {{"m", "--pause-random", "1:2:0"}, "--pause-random needs"},
        {{"m", "--pause-random", "9G:2:3"}, "--pause-random needs"},
        {{"m", "--verify", "2", "--console-script", "-"}, "standard input can be read only once"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct run_options o;
        GError *error = NULL;

        cr_assert_not(parse(&o, cases[i].args, &error), "wanted: %s", cases[i].wanted);
        cr_assert(strstr(error->message, cases[i].wanted), "the message is \"%s\", without \"%s\"",
                  error->message, cases[i].wanted);
        g_error_free(error);
        run_options_clear(&o);
    }
}
