/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/xen_public.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/trace_events.h"
#include "traces/compare.h"

/* A sequence written as a text: a letter is a hypercall of this number and result. */
struct text {
    const char *at;
    struct trace_build build;
};

static enum trace_next next(void *user, const struct trace_event **event, GError **error)
{
    struct text *t = user;

    (void)error;
    if (!*t->at)
        return TRACE_NEXT_END;
    events_call(&t->build, *t->at % 32, 0, 1, (const uint64_t[]){(uint64_t)*t->at});
    *event = trace_build_end(&t->build);
    t->at++;
    return TRACE_NEXT_EVENT;
}

/* All differences as "SKIPA/SKIPB@EQUAL;", "x" when they never agree again. */
static char *differences(const char *a, const char *b)
{
    static const struct trace_compare_options options;
    struct text *x = g_new0(struct text, 1), *y = g_new0(struct text, 1);
    const struct trace_source sx = {x, next}, sy = {y, next};
    struct trace_compare *c;
    const struct trace_difference *d;
    GString *out = g_string_new(NULL);

    x->at = a;
    y->at = b;
    c = trace_compare_new(&options, &sx, &sy);
    while (trace_compare_next(c, &d, NULL) == TRACE_COMPARE_DIFFERENT) {
        if (d->agrees_again)
            g_string_append_printf(out, "%u/%u@%u;", d->skip_a, d->skip_b,
                                   (unsigned)trace_compare_equal(c));
        else
            g_string_append_printf(out, "x@%u;", (unsigned)trace_compare_equal(c));
    }
    trace_compare_free(c);
    g_free(x);
    g_free(y);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *a, *b, *wanted;
} sequences[] = {
    {"", "", ""},
    {"abcdef", "abcdef", ""},
    {"abcdef", "abXdef", "1/1@2;"},
    {"abcdef", "abXcdef", "0/1@2;"},
    {"abXYcdef", "abcdef", "2/0@2;"},
    {"abc", "abcd", "0/1@3;"},
    {"abcd", "abc", "1/0@3;"},
    {"", "a", "0/1@0;"},
    {"abcdefghi", "aXcdefYhi", "1/1@1;1/1@5;"},
    {"abcdeffff", "aXYZWdeffff", "2/4@1;"},
    {"abcabcabc", "abcXabcabc", "0/1@3;"},
};

Test(traces_compare, sequences_are_aligned_again)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sequences); i++) {
        g_autofree char *got = differences(sequences[i].a, sequences[i].b);

        cr_expect(strcmp(got, sequences[i].wanted) == 0, "%s and %s: %s, wanted %s",
                  sequences[i].a, sequences[i].b, got, sequences[i].wanted);
    }
}

Test(traces_compare, far_from_each_other_is_said)
{
    g_autofree char *a = g_strnfill(600, 'a'), *b = g_strnfill(600, 'b');
    g_autofree char *got = differences(a, b);

    cr_expect(eq(str, got, "x@0;"));
}

static struct trace_build a, b;

static void expect_difference(const struct trace_compare_options *options, const char *wanted)
{
    g_autofree char *what = trace_events_differ(options, trace_build_end(&a), trace_build_end(&b));

    cr_expect(g_strcmp0(what, wanted) == 0, "%s, wanted %s", what ? what : "equal",
              wanted ? wanted : "equal");
}

static void two_updates(uint64_t ptr, uint64_t val)
{
    const struct mmu_update x = {0x1000008, 0x5067}, y = {ptr, val};
    const uint64_t args[] = {0xffff0000, 1, 0, DOMID_SELF};

    events_call(&a, 1, 0, 4, args);
    events_blob(&a, TRACE_ROLE_MMU_UPDATE, 0, &x, sizeof(x));
    events_call(&b, 1, 0, 4, args);
    events_blob(&b, TRACE_ROLE_MMU_UPDATE, 0, &y, sizeof(y));
}

Test(traces_compare, memory_behind_a_hypercall_counts)
{
    static const struct trace_compare_options all, no_frames = {.ignore_frames = true};

    two_updates(0x1000008, 0x5067);
    expect_difference(&all, NULL);
    two_updates(0x1000008, 0x6067);
    expect_difference(&all, "memory");
    expect_difference(&no_frames, NULL);
    two_updates(0x2000008, 0x6067);
    expect_difference(&no_frames, NULL);
    two_updates(0x2000010, 0x6067);
    expect_difference(&no_frames, "arguments");
    two_updates(0x2000008, 0x6065);
    expect_difference(&no_frames, "arguments");
}

Test(traces_compare, what_is_ignored_and_what_is_not)
{
    static const struct trace_compare_options all, times = {.ignore_times = true},
                                              insns = {.ignore_times = true, .ignore_insns = true},
                                              calls = {.ignore_times = true,
                                                       .ignore_insns = true,
                                                       .calls_only = true};

    two_updates(0x1000008, 0x5067);
    b.event.virtual_ns++;
    trace_build_u64(&b, TRACE_HYPERCALL_DURATION_CYCLES, 825);
    expect_difference(&all, "virtual_ns 1500000000, 1500000001; duration_cycles 824, 825");
    expect_difference(&times, NULL);
    b.event.insns++;
    trace_build_u64(&b, TRACE_HYPERCALL_DURATION_INSNS, 413);
    expect_difference(&times, "insns 1000, 1001; duration_insns 412, 413");
    expect_difference(&insns, NULL);
    trace_build_u64(&b, TRACE_HYPERCALL_ARG1, 0);
    expect_difference(&insns, "arg1 0xffff0000, 0x0");
    expect_difference(&calls, NULL);
    trace_build_u64(&b, TRACE_HYPERCALL_RESULT, (uint64_t)-22);
    expect_difference(&calls, "result 0, -22");
    b.event.domid = 1;
    expect_difference(&calls, "domain d0, d1; result 0, -22");
    trace_build_u64(&b, TRACE_HYPERCALL_NUMBER, 26);
    expect_difference(&calls, "domain d0, d1; number mmu_update, mmuext_op");
    events_new(&b, TRACE_KIND_PIN);
    expect_difference(&all, "kind hypercall, pin");
}

Test(traces_compare, a_copy_is_equal_and_independent)
{
    static const struct trace_compare_options all;
    struct trace_copy copy = {0};
    g_autofree char *what = NULL;

    two_updates(0x1000008, 0x5067);
    trace_copy_set(&copy, trace_build_end(&a));
    memset(&a, 0x55, sizeof(a));
    what = trace_events_differ(&all, &copy.event, trace_build_end(&b));
    cr_expect(what == NULL, "%s", what);
    trace_copy_clear(&copy);
}
