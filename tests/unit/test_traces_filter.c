/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/xen_public.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/trace_events.h"
#include "traces/filter.h"

static struct trace_build b;

/* Whether the event in @b passes a filter with these conditions: NAME, VALUE, ..., NULL. */
static bool passes(const char *name, ...)
{
    struct trace_filter *f = trace_filter_new();
    GError *error = NULL;
    va_list args;
    bool result;

    va_start(args, name);
    for (; name; name = va_arg(args, const char *))
        cr_assert(trace_filter_add(f, name, va_arg(args, const char *), &error), "%s",
                  error ? error->message : "");
    va_end(args);
    cr_assert(trace_filter_resolve(f, trace_schema_builtin(), &error), "%s",
              error ? error->message : "");
    result = trace_filter_pass(f, trace_build_end(&b));
    trace_filter_free(f);
    return result;
}

/* The message for a condition that is refused when it is given or looked up. */
static char *refusal(const char *name, const char *value)
{
    struct trace_filter *f = trace_filter_new();
    g_autoptr(GError) error = NULL;
    char *message;

    if (trace_filter_add(f, name, value, &error))
        trace_filter_resolve(f, trace_schema_builtin(), &error);
    message = g_strdup(error ? error->message : "accepted");
    trace_filter_free(f);
    return message;
}

static void a_call(void)
{
    const struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = 0x99};
    const uint64_t args[] = {0x1000, 1, 0, DOMID_SELF};

    events_call(&b, 26, -22, 4, args);
    events_blob(&b, TRACE_ROLE_MMUEXT_OP, 0, &op, sizeof(op));
}

Test(traces_filter, without_conditions_all_pass)
{
    a_call();
    cr_expect(passes(NULL));
}

Test(traces_filter, kinds)
{
    a_call();
    cr_expect(passes("kind", "pin,hypercall", NULL));
    cr_expect(not(passes("kind", "pin,console", NULL)));
    cr_expect(passes("kind", "no-pin", NULL));
    cr_expect(not(passes("kind", "no-pin,hypercall", NULL)));
}

Test(traces_filter, hypercalls_by_name_number_and_operation)
{
    a_call();
    cr_expect(passes("hypercall", "mmu_update,mmuext_op", NULL));
    cr_expect(passes("hypercall", "26", NULL));
    cr_expect(not(passes("hypercall", "mmu_update,27", NULL)));
    cr_expect(passes("hypercall", "mmuext_op:pin_l4_table", NULL));
    cr_expect(not(passes("hypercall", "mmuext_op:unpin_table", NULL)));
    events_new(&b, TRACE_KIND_PIN);
    cr_expect(not(passes("hypercall", "mmuext_op", NULL)));
    cr_expect(passes("hypercall", "mmuext_op", "kind", "pin,hypercall", NULL));
}

Test(traces_filter, ranges_are_inclusive)
{
    a_call(); /* 1000 instructions, 1.5 s */
    cr_expect(passes("insns", "1k..1k", NULL));
    cr_expect(passes("insns", "1000", NULL));
    cr_expect(not(passes("insns", "1001..", NULL)));
    cr_expect(not(passes("insns", "..999", NULL)));
    cr_expect(passes("time", "1500ms..2s", NULL));
    cr_expect(not(passes("time", "1500000001ns..", NULL)));
    cr_expect(passes("number", "0", NULL));
}

Test(traces_filter, whose_and_what_it_touches)
{
    a_call();
    cr_expect(passes("domain", "d1,d0", NULL));
    cr_expect(not(passes("domain", "1,none", NULL)));
    cr_expect(passes("vcpu", "0", NULL));
    cr_expect(passes("frame", "0x99", NULL));
    cr_expect(passes("frame", "153", "touches", "d0", NULL));
    cr_expect(not(passes("frame", "0x98", NULL)));
    cr_expect(not(passes("port", "0x99", NULL)));
    cr_expect(passes("failed", NULL, NULL));
    cr_expect(passes("text", "pin_l4", "text", "EINVAL", NULL));
    cr_expect(not(passes("text", "pin_l3", NULL)));
}

Test(traces_filter, what_makes_no_sense_is_refused_by_name)
{
    static const struct {
        const char *name, *value, *message;
    } cases[] = {
        {"kind", "pin,pun", "there is no kind of events \"pun\"; there are hypercall, "},
        {"hypercall", "frobnicate", "there is no hypercall \"frobnicate\""},
        {"hypercall", ":x", "hypercall: a name is missing"},
        {"insns", "5..4", "insns: \"5..4\" is no range"},
        {"insns", "..", "insns: \"..\" is no range"},
        {"time", "5..", "time: \"5..\" is no range"},
        {"domain", "dx", "domain: \"dx\" is no number"},
        {"frame", "0xzz", "frame: \"0xzz\" is no number"},
        {"frobnicate", "1", "there is no condition"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = refusal(cases[i].name, cases[i].value);

        cr_expect(g_str_has_prefix(message, cases[i].message), "%s %s: %s", cases[i].name,
                  cases[i].value, message);
    }
}

Test(traces_filter, nothing_behind_a_range_is_read)
{
    struct trace_filter *f = trace_filter_new();

    a_call();
    cr_assert(trace_filter_add(f, "insns", "10..999", NULL));
    cr_assert(trace_filter_resolve(f, trace_schema_builtin(), NULL));
    cr_expect(trace_filter_done(f, trace_build_end(&b)));
    cr_expect(not(trace_filter_early(f, trace_build_end(&b))));
    trace_build_at(&b, 9, 9);
    cr_expect(trace_filter_early(f, trace_build_end(&b)));
    trace_filter_free(f);
}
