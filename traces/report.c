/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/report.h"

#include <gio/gio.h>
#include <inttypes.h>
#include <string.h>

#include "sim/base/types.h"
#include "traces/levels.h"
#include "traces/line.h"
#include "traces/names.h"
#include "traces/protobuf.h"

/* The files of traces/report/, in a source that the build makes of them. */
GResource *report_get_resource(void);

#define LINES_ALL_MAX    20000 /* events whose lines are all in the page */
#define LINES_SLOW_MAX   1000
#define LINES_FAILED_MAX 4000
#define ITEMS_MAX        12

/* The page's data.js knows these names. */
enum column {
    COLUMN_KIND,
    COLUMN_NAME,
    COLUMN_LANE,
    COLUMN_END,
    COLUMN_DURATION,
    COLUMN_INSNS,
    COLUMN_SPENT,
    COLUMN_RESULT,
    COLUMN_FRAME,
    COLUMN_FAILED,
    COLUMN_NUMBER,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {"kind",  "name",   "lane",  "end",    "duration",
                                                  "insns", "spent",  "result", "frame", "failed",
                                                  "number"};

struct lane {
    bool machine;
    unsigned domid, vcpu;
    unsigned number; /* in the order in which they appeared */
};

struct line {
    uint64_t number, weight;
    char *text;
};

struct trace_report {
    const struct trace_report_info *info;
    GByteArray *column[COLUMNS];
    GHashTable *names;  /* text -> number + 1 */
    GPtrArray *name_list;
    GHashTable *kinds; /* kind -> number + 1 */
    GPtrArray *kind_list;
    GArray *lanes;
    uint64_t events, calls, failed;
    uint64_t begin_ns, end_ns, last_ns, last_insns, last_number, insns;
    GArray *all;       /* struct line; NULL: there are too many */
    GSequence *slow;   /* struct line *, falling */
    GPtrArray *bad;    /* struct line * */
    struct trace_levels *levels;
    GString *text;
};

static void clear_line(void *data)
{
    g_free(((struct line *)data)->text);
}

static void free_line(void *data)
{
    clear_line(data);
    g_free(data);
}

struct trace_report *trace_report_new(const struct trace_report_info *info)
{
    struct trace_report *r = g_new0(struct trace_report, 1);

    r->info = info;
    for (unsigned i = 0; i < COLUMNS; i++)
        r->column[i] = g_byte_array_new();
    r->names = g_hash_table_new(g_str_hash, g_str_equal);
    r->name_list = g_ptr_array_new_with_free_func(g_free);
    r->kinds = g_hash_table_new(g_direct_hash, g_direct_equal);
    r->kind_list = g_ptr_array_new();
    r->lanes = g_array_new(FALSE, FALSE, sizeof(struct lane));
    r->all = g_array_new(FALSE, FALSE, sizeof(struct line));
    g_array_set_clear_func(r->all, clear_line);
    r->slow = g_sequence_new(free_line);
    r->bad = g_ptr_array_new_with_free_func(free_line);
    r->levels = trace_levels_new();
    r->text = g_string_new(NULL);
    return r;
}

void trace_report_free(struct trace_report *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < COLUMNS; i++)
        g_byte_array_unref(r->column[i]);
    g_hash_table_unref(r->names);
    g_ptr_array_unref(r->name_list);
    g_hash_table_unref(r->kinds);
    g_ptr_array_unref(r->kind_list);
    g_array_unref(r->lanes);
    if (r->all)
        g_array_unref(r->all);
    g_sequence_free(r->slow);
    g_ptr_array_unref(r->bad);
    trace_levels_free(r->levels);
    g_string_free(r->text, TRUE);
    g_free(r);
}

/* --- columns ------------------------------------------------------------------------------- */

static void put(struct trace_report *r, enum column column, uint64_t value)
{
    protobuf_put_varint(r->column[column], value);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static unsigned name_of(struct trace_report *r, const char *text)
{
    unsigned number = GPOINTER_TO_UINT(g_hash_table_lookup(r->names, text));

    if (!number) {
        g_ptr_array_add(r->name_list, g_strdup(text));
        number = r->name_list->len;
        g_hash_table_insert(r->names, r->name_list->pdata[number - 1], GUINT_TO_POINTER(number));
    }
    return number - 1;
}

static unsigned kind_of(struct trace_report *r, const struct trace_kind *kind)
{
    unsigned number = GPOINTER_TO_UINT(g_hash_table_lookup(r->kinds, kind));

    if (!number) {
        g_ptr_array_add(r->kind_list, (gpointer)kind->name);
        number = r->kind_list->len;
        g_hash_table_insert(r->kinds, (gpointer)kind, GUINT_TO_POINTER(number));
    }
    return number - 1;
}

static unsigned lane_of(struct trace_report *r, const struct trace_event *e)
{
    struct lane lane = {.machine = trace_event_is_machines(e), .number = r->lanes->len};

    lane.domid = lane.machine ? 0 : e->domid;
    lane.vcpu = lane.machine ? e->vcpu : e->dom_vcpu;
    for (unsigned i = 0; i < r->lanes->len; i++) {
        const struct lane *x = &g_array_index(r->lanes, struct lane, i);

        if (x->machine == lane.machine && x->domid == lane.domid && x->vcpu == lane.vcpu)
            return i;
    }
    g_array_append_val(r->lanes, lane);
    return lane.number;
}

/* The first frame that an event names, and 1 added. */
static uint64_t frame_of(const struct trace_event *e)
{
    for (unsigned i = 0; i < e->kind->fields; i++)
        if (e->kind->field[i].type == TRACE_TYPE_MFN)
            return e->value[i].u64 + 1;
    return 0;
}

static void put_duration(struct trace_report *r, const struct trace_event *e)
{
    uint64_t cycles = 0, insns = 0, ns, hz = r->info->frequency_hz ? r->info->frequency_hz : 1;
    int64_t result = 0;

    if (trace_event_is_call(e)) {
        cycles = e->value[TRACE_HYPERCALL_DURATION_CYCLES].u64;
        insns = e->value[TRACE_HYPERCALL_DURATION_INSNS].u64;
        result = (int64_t)e->value[TRACE_HYPERCALL_RESULT].u64;
    }
    ns = (uint64_t)((unsigned __int128)cycles * 1000000000u / hz);
    put(r, COLUMN_DURATION, MIN(ns, e->virtual_ns));
    put(r, COLUMN_SPENT, insns);
    put(r, COLUMN_RESULT, zigzag(result));
}

/* --- lines --------------------------------------------------------------------------------- */

static char *make_line(struct trace_report *r, const struct trace_event *e)
{
    static const struct trace_line_options options = {.bare = true};
    struct trace_out o = {.items_max = ITEMS_MAX, .levels = r->levels};
    const char *text;

    g_string_truncate(r->text, 0);
    trace_line(r->text, e, &o, &options);
    text = strstr(r->text->str, "] ");
    return g_strdup(text ? text + 2 : r->text->str);
}

static int falling(const void *a, const void *b, void *user)
{
    const struct line *x = a, *y = b;

    (void)user;
    return x->weight != y->weight ? (y->weight > x->weight) - (y->weight < x->weight)
                                  : (x->number > y->number) - (x->number < y->number);
}

static struct line *new_line(struct trace_report *r, const struct trace_event *e, uint64_t weight)
{
    struct line *line = g_new(struct line, 1);

    *line = (struct line){e->number, weight, make_line(r, e)};
    return line;
}

static void keep_slow(struct trace_report *r, const struct trace_event *e)
{
    uint64_t insns = e->value[TRACE_HYPERCALL_DURATION_INSNS].u64;
    GSequenceIter *last;

    if (g_sequence_get_length(r->slow) == LINES_SLOW_MAX) {
        last = g_sequence_iter_prev(g_sequence_get_end_iter(r->slow));
        if (((struct line *)g_sequence_get(last))->weight >= insns)
            return;
        g_sequence_remove(last);
    }
    g_sequence_insert_sorted(r->slow, new_line(r, e, insns), falling, NULL);
}

static void keep_line(struct trace_report *r, const struct trace_event *e, bool failed)
{
    if (r->all && r->all->len < LINES_ALL_MAX) {
        struct line line = {e->number, 0, make_line(r, e)};

        g_array_append_val(r->all, line);
    } else {
        g_clear_pointer(&r->all, g_array_unref);
    }
    if (trace_event_is_call(e))
        keep_slow(r, e);
    if (failed && r->bad->len < LINES_FAILED_MAX)
        g_ptr_array_add(r->bad, new_line(r, e, 0));
}

void trace_report_event(struct trace_report *r, const struct trace_event *e)
{
    bool failed = trace_event_failed(e);

    trace_levels_event(r->levels, e);
    g_string_truncate(r->text, 0);
    trace_line_title(r->text, e);
    put(r, COLUMN_NAME, name_of(r, r->text->str));
    put(r, COLUMN_KIND, kind_of(r, e->kind));
    put(r, COLUMN_LANE, lane_of(r, e));
    put(r, COLUMN_END, zigzag((int64_t)(e->virtual_ns - r->last_ns)));
    put(r, COLUMN_INSNS, zigzag((int64_t)(e->insns - r->last_insns)));
    put(r, COLUMN_NUMBER, zigzag((int64_t)(e->number - r->last_number)));
    put_duration(r, e);
    put(r, COLUMN_FRAME, frame_of(e));
    put(r, COLUMN_FAILED, failed);
    r->last_ns = e->virtual_ns;
    r->last_insns = e->insns;
    r->last_number = e->number;
    r->begin_ns = r->events ? MIN(r->begin_ns, e->virtual_ns) : e->virtual_ns;
    r->end_ns = MAX(r->end_ns, e->virtual_ns);
    r->insns = MAX(r->insns, e->insns);
    r->events++;
    r->calls += trace_event_is_call(e);
    r->failed += failed;
    keep_line(r, e, failed);
}

/* --- the page ------------------------------------------------------------------------------ */

static int lane_order(const void *a, const void *b)
{
    const struct lane *x = a, *y = b;

    if (x->machine != y->machine)
        return y->machine - x->machine;
    if (x->domid != y->domid)
        return x->domid < y->domid ? -1 : 1;
    return (x->vcpu > y->vcpu) - (x->vcpu < y->vcpu);
}

/* Lanes sorted: the machine's, then the domains'; the column gets the new numbers. */
static void sort_lanes(struct trace_report *r)
{
    g_autofree unsigned *place = g_new(unsigned, r->lanes->len + 1);
    GByteArray *old = r->column[COLUMN_LANE];
    uint64_t value = 0;
    unsigned shift = 0;

    g_array_sort(r->lanes, lane_order);
    for (unsigned i = 0; i < r->lanes->len; i++)
        place[g_array_index(r->lanes, struct lane, i).number] = i;
    for (unsigned i = 0; i < r->lanes->len; i++)
        g_array_index(r->lanes, struct lane, i).number = i;
    r->column[COLUMN_LANE] = g_byte_array_new();
    for (unsigned i = 0; i < old->len; i++) {
        value |= (uint64_t)(old->data[i] & 127) << shift;
        shift += 7;
        if (old->data[i] & 128)
            continue;
        put(r, COLUMN_LANE, place[value]);
        value = shift = 0;
    }
    g_byte_array_unref(old);
}

static void put_lanes(struct trace_report *r, struct trace_out *o)
{
    struct trace_out_array array;

    trace_out_array(o, &array, "lanes");
    for (unsigned i = 0; i < r->lanes->len; i++) {
        const struct lane *lane = &g_array_index(r->lanes, struct lane, i);
        g_autoptr(GString) label = g_string_new(NULL);

        if (lane->machine)
            g_string_printf(label, "cpu%u", lane->vcpu);
        else
            trace_put_vcpu(label, lane->domid, lane->vcpu);
        trace_out_begin(o, NULL);
        trace_out_word(o, "label", label->str);
        trace_out_bool(o, "machine", lane->machine);
        trace_out_end(o);
    }
    trace_out_array_end(o, &array);
}

static void put_words(struct trace_out *o, const char *name, const GPtrArray *words)
{
    struct trace_out_array array;

    trace_out_array(o, &array, name);
    for (unsigned i = 0; i < words->len; i++)
        trace_out_word(o, NULL, words->pdata[i]);
    trace_out_array_end(o, &array);
}

static char *make_meta(struct trace_report *r)
{
    g_autoptr(GString) json = g_string_new(NULL);
    struct trace_out o = {.json = json};
    struct trace_out_array columns, column;

    trace_out_start(&o);
    trace_out_begin(&o, NULL);
    trace_out_word(&o, "title", r->info->title);
    trace_out_word(&o, "file", r->info->file);
    trace_out_word(&o, "machine", r->info->machine);
    trace_out_word(&o, "program", r->info->program);
    trace_out_u64(&o, "vcpus", r->info->vcpus);
    trace_out_u64(&o, "events", r->events);
    trace_out_u64(&o, "calls", r->calls);
    trace_out_u64(&o, "failed", r->failed);
    trace_out_u64(&o, "insns", r->insns);
    trace_out_u64(&o, "begin_ns", r->begin_ns);
    trace_out_u64(&o, "end_ns", r->end_ns);
    trace_out_bool(&o, "lines_all", r->all != NULL);
    put_words(&o, "kinds", r->kind_list);
    put_words(&o, "names", r->name_list);
    put_lanes(r, &o);
    trace_out_array(&o, &columns, "columns");
    for (unsigned i = 0; i < COLUMNS; i++) {
        trace_out_array(&o, &column, NULL);
        trace_out_word(&o, NULL, column_names[i]);
        trace_out_u64(&o, NULL, r->column[i]->len);
        trace_out_array_end(&o, &column);
    }
    trace_out_array_end(&o, &columns);
    trace_out_end(&o);
    g_string_replace(json, "<", "\\u003c", 0); /* no tag can begin in it */
    return g_strdup(json->str);
}

/* Compressed, as text. */
static char *pack(const void *data, size_t size, GError **error)
{
    g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(zlib));

    if (!g_output_stream_write_all(stream, data, size, NULL, NULL, error) ||
        !g_output_stream_close(stream, NULL, error))
        return NULL;
    return g_base64_encode(
        g_memory_output_stream_get_data(G_MEMORY_OUTPUT_STREAM(memory)),
        g_memory_output_stream_get_data_size(G_MEMORY_OUTPUT_STREAM(memory)));
}

static char *make_data(struct trace_report *r, GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();

    for (unsigned i = 0; i < COLUMNS; i++)
        g_byte_array_append(all, r->column[i]->data, r->column[i]->len);
    return pack(all->data, all->len, error);
}

static void put_line(GString *out, const struct line *line)
{
    g_string_append_printf(out, "%" PRIu64 "\t%s\n", line->number, line->text);
}

static char *make_lines(struct trace_report *r, GError **error)
{
    g_autoptr(GString) out = g_string_new("");

    for (unsigned i = 0; r->all && i < r->all->len; i++)
        put_line(out, &g_array_index(r->all, struct line, i));
    for (GSequenceIter *i = g_sequence_get_begin_iter(r->slow); !r->all && !g_sequence_iter_is_end(i);
         i = g_sequence_iter_next(i))
        put_line(out, g_sequence_get(i));
    for (unsigned i = 0; !r->all && i < r->bad->len; i++)
        put_line(out, r->bad->pdata[i]);
    return pack(out->str, out->len, error);
}

static void append_part(GString *out, const char *name)
{
    g_autofree char *path = g_strdup_printf("/paravane/report/%s", name);
    g_autoptr(GBytes) part =
        g_resource_lookup_data(report_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    gsize size;
    const char *data = g_bytes_get_data(part, &size);

    g_string_append_len(out, data, (gssize)size);
}

/* The template with each @WORD@ replaced. */
static GString *fill(const struct trace_report *r, const char *meta, const char *data,
                     const char *lines)
{
    g_autofree char *title = g_markup_escape_text(r->info->title, -1);
    g_autoptr(GString) style = g_string_new(NULL), script = g_string_new(NULL);
    g_autoptr(GString) template = g_string_new(NULL);
    static const char *const scripts[] = {"data.js", "lanes.js", "charts.js", "tables.js",
                                          "main.js"};
    const struct {
        const char *word, *text;
    } parts[] = {{"@TITLE@", title}, {"@STYLE@", NULL}, {"@META@", meta},
                 {"@DATA@", data},   {"@LINES@", lines}, {"@SCRIPT@", NULL}};
    GString *page = g_string_new(NULL);
    const char *rest;

    append_part(template, "page.html");
    append_part(style, "style.css");
    for (unsigned i = 0; i < ARRAY_LEN(scripts); i++)
        append_part(script, scripts[i]);
    rest = template->str;
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        const char *at = strstr(rest, parts[i].word);
        const char *text = parts[i].text ? parts[i].text : i == 1 ? style->str : script->str;

        g_string_append_len(page, rest, at - rest);
        g_string_append(page, text);
        rest = at + strlen(parts[i].word);
    }
    g_string_append(page, rest);
    return page;
}

GString *trace_report_page(struct trace_report *r, GError **error)
{
    g_autofree char *meta = NULL, *data = NULL, *lines = NULL;

    sort_lanes(r);
    meta = make_meta(r);
    data = make_data(r, error);
    lines = data ? make_lines(r, error) : NULL;
    return lines ? fill(r, meta, data, lines) : NULL;
}
