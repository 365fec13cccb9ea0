/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <json-glib/json-glib.h>

#include "tests/unit/trace_events.h"
#include "traces/stat.h"

static struct trace_build b;

static void add_call(struct trace_stat *s, uint64_t number, int64_t result, uint64_t insns,
                     unsigned domid)
{
    const uint64_t args[] = {0x1000, 2, 0, 0x7ff0};

    events_call(&b, number, result, 4, args);
    trace_build_domain(&b, domid, 0);
    trace_build_u64(&b, TRACE_HYPERCALL_DURATION_INSNS, insns);
    trace_build_u64(&b, TRACE_HYPERCALL_DURATION_CYCLES, 2 * insns);
    trace_stat_event(s, trace_build_end(&b));
}

static struct trace_stat_row *row(struct trace_stat *s, unsigned index)
{
    return g_ptr_array_index(trace_stat_rows(s), index);
}

Test(traces_stat, sums_and_percentiles)
{
    struct trace_stat *s = trace_stat_new();

    for (unsigned i = 100; i >= 1; i--)
        add_call(s, 1, i % 10 ? 0 : -22, i, 0);
    cr_expect(eq(u64, trace_stat_events(s), 100));
    cr_assert(eq(uint, trace_stat_rows(s)->len, 1));
    cr_expect(eq(str, row(s, 0)->what, "mmu_update"));
    cr_expect(eq(u64, row(s, 0)->count, 100));
    cr_expect(eq(u64, row(s, 0)->failed, 10));
    cr_expect(eq(u64, row(s, 0)->items, 200));
    cr_expect(eq(u64, row(s, 0)->insns, 5050));
    cr_expect(eq(u64, row(s, 0)->cycles, 10100));
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 50), 50));
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 90), 90));
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 99), 99));
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 100), 100));
    trace_stat_free(s);
}

Test(traces_stat, percentiles_of_few)
{
    struct trace_stat *s = trace_stat_new();

    add_call(s, 1, 0, 7, 0);
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 50), 7));
    add_call(s, 1, 0, 9, 0);
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 50), 7));
    cr_expect(eq(u64, trace_stat_percentile(row(s, 0), 90), 9));
    trace_stat_free(s);
}

Test(traces_stat, rows_by_domain_and_weight)
{
    struct trace_stat *s = trace_stat_new();

    add_call(s, 29, 0, 10, 0);
    add_call(s, 1, 0, 500, 1);
    add_call(s, 29, 0, 1000, 1);
    events_new(&b, TRACE_KIND_EXCEPTION);
    trace_build_u64(&b, TRACE_EXCEPTION_VECTOR, 14);
    trace_stat_event(s, trace_build_end(&b));
    cr_assert(eq(uint, trace_stat_rows(s)->len, 4));
    cr_expect(eq(str, row(s, 0)->what, "sched_op"));
    cr_expect(eq(uint, row(s, 0)->domid, 1));
    cr_expect(eq(str, row(s, 1)->what, "mmu_update"));
    cr_expect(eq(uint, row(s, 2)->domid, 0));
    cr_expect(eq(str, row(s, 3)->what, "#PF"));
    cr_expect(row(s, 3)->durations == NULL);
    trace_stat_free(s);
}

Test(traces_stat, operations_have_rows_of_their_own_on_request)
{
    struct trace_stat *s = trace_stat_new();
    const uint64_t block[] = {1, 0}, yield[] = {0, 0};

    trace_stat_by_op(s, true);
    events_call(&b, 29, 0, 2, block);
    trace_stat_event(s, trace_build_end(&b));
    events_call(&b, 29, 0, 2, yield);
    trace_stat_event(s, trace_build_end(&b));
    cr_assert(eq(uint, trace_stat_rows(s)->len, 2));
    cr_expect(eq(str, row(s, 0)->what, "sched_op:block"));
    cr_expect(eq(str, row(s, 1)->what, "sched_op:yield"));
    trace_stat_free(s);
}

Test(traces_stat, json_is_json_and_adds_up)
{
    struct trace_stat *s = trace_stat_new();
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    JsonArray *rows;
    int64_t sum = 0;

    for (unsigned i = 0; i < 20; i++)
        add_call(s, i, 0, i, i % 3 ? i % 3 : TRACE_DOMID_UNKNOWN);
    trace_stat_json(s, text);
    cr_assert(json_parser_load_from_data(parser, text->str, -1, &error), "%s: %s", text->str,
              error ? error->message : "");
    rows = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "rows");
    for (unsigned i = 0; i < json_array_get_length(rows); i++)
        sum += json_object_get_int_member(json_array_get_object_element(rows, i), "count");
    cr_expect(eq(i64, sum, 20));
    g_string_truncate(text, 0);
    trace_stat_text(s, text);
    cr_expect(strstr(text->str, "\n20 events\n") != NULL, "%s", text->str);
    trace_stat_free(s);
}
