/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Durations are kept one by one (8 bytes each), so percentiles are exact.
 */
#include "traces/stat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/types.h"
#include "traces/names.h"

struct trace_stat {
    bool by_op;
    uint64_t events;
    GHashTable *row; /* "kind id/domain/what" -> struct trace_stat_row * */
    GPtrArray *rows; /* owns them */
    GString *key;
};

static void free_row(void *data)
{
    struct trace_stat_row *row = data;

    g_free(row->what);
    if (row->durations)
        g_array_unref(row->durations);
    g_free(row);
}

struct trace_stat *trace_stat_new(void)
{
    struct trace_stat *s = g_new0(struct trace_stat, 1);

    s->row = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->rows = g_ptr_array_new_with_free_func(free_row);
    s->key = g_string_new(NULL);
    return s;
}

void trace_stat_free(struct trace_stat *s)
{
    if (!s)
        return;
    g_hash_table_unref(s->row);
    g_ptr_array_unref(s->rows);
    g_string_free(s->key, TRUE);
    g_free(s);
}

void trace_stat_by_op(struct trace_stat *s, bool on)
{
    s->by_op = on;
}

/* --- one event ----------------------------------------------------------------------------- */

/* Appends the name of a value that is an enumeration. */
static void put_enum(GString *out, const struct trace_event *e, unsigned field)
{
    const char *name = trace_field_value_name(&e->kind->field[field], e->value[field].u64);

    if (name)
        g_string_append(out, name);
    else
        g_string_append_printf(out, "%" PRIu64, e->value[field].u64);
}

/* What the row is called: all enumerations of the event; of hypercalls the name. */
static void put_what(const struct trace_stat *s, GString *out, const struct trace_event *e)
{
    size_t start = out->len;
    char buffer[32];

    if (trace_event_is_call(e)) {
        const char *op = s->by_op ? trace_decode_op(e) : NULL;

        g_string_append(out, trace_decode_name(e, buffer, sizeof(buffer)));
        if (op)
            g_string_append_printf(out, ":%s", op);
        return;
    }
    for (unsigned i = 0; i < e->kind->fields; i++) {
        if (e->kind->field[i].type != TRACE_TYPE_ENUM)
            continue;
        if (out->len != start)
            g_string_append_c(out, ' ');
        put_enum(out, e, i);
    }
    if (e->kind->id == TRACE_KIND_INTERRUPT && e->kind->fields > TRACE_INTERRUPT_VECTOR)
        g_string_append_printf(out, "vector 0x%02" PRIx64, e->value[TRACE_INTERRUPT_VECTOR].u64);
    if (e->kind->id == TRACE_KIND_PORT && e->kind->fields > TRACE_PORT_PORT)
        g_string_append_printf(out, "port 0x%03" PRIx64, e->value[TRACE_PORT_PORT].u64);
}

static struct trace_stat_row *row_of(struct trace_stat *s, const struct trace_event *e)
{
    struct trace_stat_row *row;
    size_t what_at;

    g_string_printf(s->key, "%u/%u/", e->kind->id, e->domid);
    what_at = s->key->len;
    put_what(s, s->key, e);
    row = g_hash_table_lookup(s->row, s->key->str);
    if (row)
        return row;
    row = g_new0(struct trace_stat_row, 1);
    row->group = e->kind->name;
    row->domid = e->domid;
    row->what = g_strdup(s->key->str + what_at);
    if (trace_event_is_call(e))
        row->durations = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_hash_table_insert(s->row, g_strdup(s->key->str), row);
    g_ptr_array_add(s->rows, row);
    return row;
}

/* How many requests a hypercall had. */
static uint64_t items_of(const struct trace_event *e)
{
    switch (e->value[TRACE_HYPERCALL_NUMBER].u64) {
    case 1:  /* mmu_update */
    case 26: /* mmuext_op */
        return e->value[TRACE_HYPERCALL_ARG1 + 1].u64 & 0x7fffffff;
    case 13: /* multicall */
        return e->value[TRACE_HYPERCALL_ARG1 + 1].u64;
    case 20: /* grant_table_op */
        return e->value[TRACE_HYPERCALL_ARG1 + 2].u64;
    default:
        return 0;
    }
}

void trace_stat_event(struct trace_stat *s, const struct trace_event *e)
{
    struct trace_stat_row *row = row_of(s, e);

    s->events++;
    row->count++;
    row->failed += trace_event_failed(e);
    if (!row->durations)
        return;
    row->insns += e->value[TRACE_HYPERCALL_DURATION_INSNS].u64;
    row->cycles += e->value[TRACE_HYPERCALL_DURATION_CYCLES].u64;
    row->items += items_of(e);
    g_array_append_val(row->durations, e->value[TRACE_HYPERCALL_DURATION_INSNS].u64);
    row->sorted = false;
}

/* --- results ------------------------------------------------------------------------------- */

uint64_t trace_stat_events(const struct trace_stat *s)
{
    return s->events;
}

static int by_weight(const void *a, const void *b)
{
    const struct trace_stat_row *x = *(struct trace_stat_row *const *)a;
    const struct trace_stat_row *y = *(struct trace_stat_row *const *)b;
    const struct trace_schema *schema = trace_schema_builtin();
    const struct trace_kind *kx = trace_schema_find(schema, x->group);
    const struct trace_kind *ky = trace_schema_find(schema, y->group);
    int order = (int)(kx ? kx->id : TRACE_KIND_MAX) - (int)(ky ? ky->id : TRACE_KIND_MAX);

    if (!order)
        order = strcmp(x->group, y->group);
    if (!order)
        order = (y->insns > x->insns) - (y->insns < x->insns);
    if (!order)
        order = (y->count > x->count) - (y->count < x->count);
    if (!order)
        order = (x->domid > y->domid) - (x->domid < y->domid);
    return order ? order : strcmp(x->what, y->what);
}

const GPtrArray *trace_stat_rows(struct trace_stat *s)
{
    g_ptr_array_sort(s->rows, by_weight);
    return s->rows;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

uint64_t trace_stat_percentile(struct trace_stat_row *row, unsigned percent)
{
    uint64_t count = row->durations ? row->durations->len : 0;
    uint64_t rank = (count * percent + 99) / 100;

    if (!count)
        return 0;
    if (!row->sorted)
        g_array_sort(row->durations, rising);
    row->sorted = true;
    return g_array_index(row->durations, uint64_t, rank ? rank - 1 : 0);
}

/* --- for people ---------------------------------------------------------------------------- */

static void put_domain(GString *out, const struct trace_stat_row *row)
{
    g_autoptr(GString) name = g_string_new(NULL);

    if (row->domid == TRACE_DOMID_UNKNOWN)
        g_string_append(name, "-");
    else
        trace_put_vcpu(name, row->domid, TRACE_DOM_VCPU_UNKNOWN);
    g_string_append_printf(out, "%-6s ", name->str);
}

static void put_call_row(GString *out, struct trace_stat_row *row)
{
    put_domain(out, row);
    g_string_append_printf(out,
                           "%-36s %9" PRIu64 " %7" PRIu64 " %9" PRIu64 " %13" PRIu64 " %14" PRIu64
                           " %7" PRIu64 " %7" PRIu64 " %8" PRIu64 " %9" PRIu64 "\n",
                           row->what, row->count, row->failed, row->items, row->insns, row->cycles,
                           trace_stat_percentile(row, 50), trace_stat_percentile(row, 90),
                           trace_stat_percentile(row, 99), trace_stat_percentile(row, 100));
}

static void put_heading(GString *out, const struct trace_stat_row *row)
{
    g_string_append_printf(out, "%s%s\n", out->len ? "\n" : "", row->group);
    if (row->durations)
        g_string_append_printf(out, "%-6s %-36s %9s %7s %9s %13s %14s %7s %7s %8s %9s\n", "domain",
                               "name", "count", "failed", "items", "insns", "cycles", "p50", "p90",
                               "p99", "max");
    else
        g_string_append_printf(out, "%-6s %-36s %9s %7s\n", "domain", "what", "count", "failed");
}

void trace_stat_text(struct trace_stat *s, GString *out)
{
    const GPtrArray *rows = trace_stat_rows(s);
    const char *group = NULL;

    for (unsigned i = 0; i < rows->len; i++) {
        struct trace_stat_row *row = g_ptr_array_index(rows, i);

        if (!group || strcmp(group, row->group) != 0)
            put_heading(out, row);
        group = row->group;
        if (row->durations) {
            put_call_row(out, row);
            continue;
        }
        put_domain(out, row);
        g_string_append_printf(out, "%-36s %9" PRIu64 " %7" PRIu64 "\n",
                               row->what[0] ? row->what : "-", row->count, row->failed);
    }
    g_string_append_printf(out, "%s%" PRIu64 " events\n", out->len ? "\n" : "", s->events);
}

/* --- for machines -------------------------------------------------------------------------- */

static void put_json_row(GString *out, struct trace_stat_row *row)
{
    struct trace_out o = {.json = out};

    trace_out_start(&o);
    trace_out_begin(&o, NULL);
    trace_out_word(&o, "kind", row->group);
    trace_out_domid(&o, "domain", row->domid, NULL);
    trace_out_word(&o, "what", row->what);
    trace_out_u64(&o, "count", row->count);
    trace_out_u64(&o, "failed", row->failed);
    if (row->durations) {
        trace_out_u64(&o, "items", row->items);
        trace_out_u64(&o, "insns", row->insns);
        trace_out_u64(&o, "cycles", row->cycles);
        trace_out_u64(&o, "p50_insns", trace_stat_percentile(row, 50));
        trace_out_u64(&o, "p90_insns", trace_stat_percentile(row, 90));
        trace_out_u64(&o, "p99_insns", trace_stat_percentile(row, 99));
        trace_out_u64(&o, "max_insns", trace_stat_percentile(row, 100));
    }
    trace_out_end(&o);
}

void trace_stat_json(struct trace_stat *s, GString *out)
{
    const GPtrArray *rows = trace_stat_rows(s);

    g_string_append_printf(out, "{\"events\":%" PRIu64 ",\"rows\":[\n", s->events);
    for (unsigned i = 0; i < rows->len; i++) {
        if (i)
            g_string_append(out, ",\n");
        put_json_row(out, g_ptr_array_index(rows, i));
    }
    g_string_append(out, "\n]}\n");
}
