/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/compare.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/assert.h"
#include "traces/decode.h"
#include "traces/names.h"

/* A queue of events that were read ahead. */
struct side {
    struct trace_source source;
    struct trace_copy copy[TRACE_COMPARE_WINDOW];
    unsigned first, count;
    bool ended;
};

struct trace_compare {
    struct trace_compare_options options;
    struct side side[2];
    struct trace_copy context[TRACE_COMPARE_CONTEXT];
    uint64_t equal;
    struct trace_difference out;
    bool over;       /* there is no going on */
    bool difference; /* the last call ended with one, which is to be left behind */
};

struct trace_compare *trace_compare_new(const struct trace_compare_options *options,
                                        const struct trace_source *a,
                                        const struct trace_source *b)
{
    struct trace_compare *c = g_new0(struct trace_compare, 1);

    c->options = *options;
    c->side[0].source = *a;
    c->side[1].source = *b;
    return c;
}

void trace_compare_free(struct trace_compare *c)
{
    if (!c)
        return;
    for (unsigned s = 0; s < 2; s++)
        for (unsigned i = 0; i < TRACE_COMPARE_WINDOW; i++)
            trace_copy_clear(&c->side[s].copy[i]);
    for (unsigned i = 0; i < TRACE_COMPARE_CONTEXT; i++)
        trace_copy_clear(&c->context[i]);
    g_free(c->out.what);
    g_free(c);
}

/* --- are two events equal? ----------------------------------------------------------------- */

static bool same_bytes(const uint8_t *a, uint64_t size_a, const uint8_t *b, uint64_t size_b)
{
    return size_a == size_b && (!size_a || memcmp(a, b, size_a) == 0);
}

static bool same_blobs(const struct trace_value *a, const struct trace_value *b)
{
    if (a->u64 != b->u64)
        return false;
    for (uint64_t i = 0; i < a->u64; i++) {
        const struct trace_blob *x = &a->blob[i], *y = &b->blob[i];

        if (x->role != y->role || x->stage != y->stage || x->gva != y->gva ||
            !same_bytes(x->data, x->size_bytes, y->data, y->size_bytes))
            return false;
    }
    return true;
}

static bool same_value(const struct trace_field *f, const struct trace_value *a,
                       const struct trace_value *b)
{
    switch (f->type) {
    case TRACE_TYPE_TEXT:
    case TRACE_TYPE_BYTES:
        return same_bytes(a->bytes, a->u64, b->bytes, b->u64);
    case TRACE_TYPE_BLOBS:
        return same_blobs(a, b);
    default:
        return a->u64 == b->u64;
    }
}

/* Starts another part of the text. */
static GString *part(GString **what)
{
    if (!*what)
        *what = g_string_new(NULL);
    else
        g_string_append(*what, "; ");
    return *what;
}

static void differ_u64(GString **what, const char *name, uint64_t a, uint64_t b)
{
    if (a != b)
        g_string_append_printf(part(what), "%s %" PRIu64 ", %" PRIu64, name, a, b);
}

static void differ_field(GString **what, const struct trace_field *f, const struct trace_value *a,
                         const struct trace_value *b)
{
    switch (f->type) {
    case TRACE_TYPE_I64:
        g_string_append_printf(part(what), "%s %" PRId64 ", %" PRId64, f->name, (int64_t)a->u64,
                               (int64_t)b->u64);
        break;
    case TRACE_TYPE_HEX:
    case TRACE_TYPE_MFN:
        g_string_append_printf(part(what), "%s 0x%" PRIx64 ", 0x%" PRIx64, f->name, a->u64, b->u64);
        break;
    case TRACE_TYPE_ENUM: {
        const char *x = trace_field_value_name(f, a->u64), *y = trace_field_value_name(f, b->u64);

        if (x && y)
            g_string_append_printf(part(what), "%s %s, %s", f->name, x, y);
        else
            differ_u64(what, f->name, a->u64, b->u64);
        break;
    }
    case TRACE_TYPE_TEXT:
    case TRACE_TYPE_BYTES:
    case TRACE_TYPE_BLOBS:
        g_string_append_printf(part(what), "%s", f->name);
        break;
    default:
        differ_u64(what, f->name, a->u64, b->u64);
    }
}

static bool is_ignored(const struct trace_compare_options *options, const struct trace_field *f)
{
    if (options->ignore_insns && strcmp(f->name, "duration_insns") == 0)
        return true;
    return options->ignore_times && strcmp(f->name, "duration_cycles") == 0;
}

/* What the decoders say without frames. */
static void differ_decoded(GString **what, const struct trace_event *a, const struct trace_event *b)
{
    g_autoptr(GString) x = g_string_new(NULL), y = g_string_new(NULL);
    struct trace_out ox = {.json = x, .hide_frames = true}, oy = {.json = y, .hide_frames = true};

    trace_out_start(&ox);
    trace_out_start(&oy);
    trace_decode_event(&ox, a);
    trace_decode_event(&oy, b);
    if (!g_string_equal(x, y))
        g_string_append(part(what), "arguments");
}

static void differ_where(GString **what, const struct trace_compare_options *options,
                         const struct trace_event *a, const struct trace_event *b)
{
    if (a->domid != b->domid) {
        g_string_append(part(what), "domain ");
        trace_put_domid(*what, a->domid);
        g_string_append(*what, ", ");
        trace_put_domid(*what, b->domid);
    }
    differ_u64(what, "domain's vCPU", a->dom_vcpu, b->dom_vcpu);
    if (options->calls_only)
        return;
    differ_u64(what, "vCPU", a->vcpu, b->vcpu);
    if (!options->ignore_insns)
        differ_u64(what, "insns", a->insns, b->insns);
    if (!options->ignore_times)
        differ_u64(what, "virtual_ns", a->virtual_ns, b->virtual_ns);
}

/* Names, operations and results. */
static void differ_calls(GString **what, const struct trace_event *a, const struct trace_event *b)
{
    const char *x = trace_decode_op(a), *y = trace_decode_op(b);
    static const unsigned fields[] = {TRACE_HYPERCALL_DEPTH, TRACE_HYPERCALL_END,
                                      TRACE_HYPERCALL_RESULT};

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        unsigned f = fields[i];

        if (f == TRACE_HYPERCALL_RESULT && a->value[TRACE_HYPERCALL_END].u64 != TRACE_END_RETURNED)
            continue;
        if (a->value[f].u64 != b->value[f].u64)
            differ_field(what, &a->kind->field[f], &a->value[f], &b->value[f]);
    }
    if (g_strcmp0(x, y) != 0)
        g_string_append_printf(part(what), "operation %s, %s", x ? x : "-", y ? y : "-");
}

static void differ_fields(GString **what, const struct trace_compare_options *options,
                          const struct trace_event *a, const struct trace_event *b)
{
    bool decoded = options->ignore_frames;

    for (unsigned i = 0; i < a->kind->fields; i++) {
        const struct trace_field *f = &a->kind->field[i];

        if (is_ignored(options, f))
            continue;
        /* with frames ignored, arguments are compared decoded; the rest of a hypercall raw */
        if (decoded && !(trace_event_is_call(a) && (i < TRACE_HYPERCALL_ARG1 ||
                                                   (i > TRACE_HYPERCALL_ARG6 &&
                                                    f->type != TRACE_TYPE_BLOBS))))
            continue;
        if (!same_value(f, &a->value[i], &b->value[i]))
            differ_field(what, f, &a->value[i], &b->value[i]);
    }
    if (decoded)
        differ_decoded(what, a, b);
}

char *trace_events_differ(const struct trace_compare_options *options,
                          const struct trace_event *a, const struct trace_event *b)
{
    GString *what = NULL;

    if (strcmp(a->kind->name, b->kind->name) != 0 || a->kind->fields != b->kind->fields)
        return g_strdup_printf("kind %s, %s", a->kind->name, b->kind->name);
    differ_where(&what, options, a, b);
    if (trace_event_is_call(a) &&
        a->value[TRACE_HYPERCALL_NUMBER].u64 != b->value[TRACE_HYPERCALL_NUMBER].u64)
        differ_field(&what, &a->kind->field[TRACE_HYPERCALL_NUMBER],
                     &a->value[TRACE_HYPERCALL_NUMBER], &b->value[TRACE_HYPERCALL_NUMBER]);
    else if (options->calls_only && trace_event_is_call(a) && trace_event_is_call(b))
        differ_calls(&what, a, b);
    else
        differ_fields(&what, options, a, b);
    return what ? g_string_free(what, FALSE) : NULL;
}

/* --- reading ahead ------------------------------------------------------------------------- */

static struct trace_copy *at(const struct side *s, unsigned index)
{
    return (struct trace_copy *)&s->copy[(s->first + index) % TRACE_COMPARE_WINDOW];
}

/* Until there are @count or the end.  Returns: false with @error. */
static bool fill(struct trace_compare *c, struct side *s, unsigned count, GError **error)
{
    const struct trace_event *event;

    BASE_ASSERT(count <= TRACE_COMPARE_WINDOW);
    while (!s->ended && s->count < count) {
        switch (s->source.next(s->source.user, &event, error)) {
        case TRACE_NEXT_EVENT:
            if (!c->options.calls_only || trace_event_is_call(event))
                trace_copy_set(at(s, s->count++), event);
            break;
        case TRACE_NEXT_END:
            s->ended = true;
            break;
        case TRACE_NEXT_ERROR:
            return false;
        }
    }
    return true;
}

static void drop(struct side *s, unsigned count)
{
    s->first = (s->first + count) % TRACE_COMPARE_WINDOW;
    s->count -= count;
}

/* --- differences --------------------------------------------------------------------------- */

static bool equal_at(const struct trace_compare *c, unsigned i, unsigned j)
{
    g_autofree char *what =
        trace_events_differ(&c->options, &at(&c->side[0], i)->event, &at(&c->side[1], j)->event);

    return what == NULL;
}

/* Whether the sequences agree from these places on, for a while or to their ends. */
static bool agrees(const struct trace_compare *c, unsigned i, unsigned j)
{
    const struct side *a = &c->side[0], *b = &c->side[1];

    for (unsigned n = 0; n < TRACE_COMPARE_RESYNC; n++) {
        bool end_a = i + n >= a->count, end_b = j + n >= b->count;

        if (end_a || end_b)
            return end_a && end_b && a->ended && b->ended;
        if (!equal_at(c, i + n, j + n))
            return false;
    }
    return true;
}

/* The fewest events to leave out; as many on both sides before more on one. */
static void align(struct trace_compare *c)
{
    unsigned most = MAX(c->side[0].count, c->side[1].count);

    for (unsigned sum = 1; sum <= 2 * most; sum++) {
        for (unsigned k = 0; k <= sum + 1; k++) {
            /* the middle first: sum/2, then away from it on either side */
            unsigned step = (k + 1) / 2, i = k % 2 ? sum / 2 - step : sum / 2 + step;
            unsigned j = sum - i;

            if (i > sum || i > c->side[0].count || j > c->side[1].count)
                continue;
            if (agrees(c, i, j)) {
                c->out.agrees_again = true;
                c->out.skip_a = i;
                c->out.skip_b = j;
                return;
            }
        }
    }
}

static void set_context(struct trace_compare *c)
{
    unsigned have = (unsigned)MIN(c->equal, TRACE_COMPARE_CONTEXT);

    c->out.before = have;
    for (unsigned i = 0; i < have; i++)
        c->out.context[i] = &c->context[(c->equal - have + i) % TRACE_COMPARE_CONTEXT].event;
}

static enum trace_compare_result found(struct trace_compare *c, char *what, GError **error)
{
    g_free(c->out.what);
    c->out = (struct trace_difference){.what = what};
    if (!fill(c, &c->side[0], TRACE_COMPARE_WINDOW, error) ||
        !fill(c, &c->side[1], TRACE_COMPARE_WINDOW, error))
        return TRACE_COMPARE_ERROR;
    c->out.window_a = c->side[0].count;
    c->out.window_b = c->side[1].count;
    c->out.a = c->side[0].count ? &at(&c->side[0], 0)->event : NULL;
    c->out.b = c->side[1].count ? &at(&c->side[1], 0)->event : NULL;
    set_context(c);
    align(c);
    c->over = !c->out.agrees_again;
    c->difference = true;
    return TRACE_COMPARE_DIFFERENT;
}

static void leave_difference(struct trace_compare *c)
{
    if (!c->difference)
        return;
    c->difference = false;
    drop(&c->side[0], c->out.skip_a);
    drop(&c->side[1], c->out.skip_b);
}

enum trace_compare_result trace_compare_next(struct trace_compare *c,
                                             const struct trace_difference **out, GError **error)
{
    struct side *a = &c->side[0], *b = &c->side[1];

    *out = &c->out;
    if (c->over)
        return TRACE_COMPARE_END;
    leave_difference(c);
    for (;;) {
        char *what;

        if (!fill(c, a, 1, error) || !fill(c, b, 1, error))
            return TRACE_COMPARE_ERROR;
        if (!a->count && !b->count)
            return TRACE_COMPARE_END;
        if (!a->count || !b->count)
            return found(c, NULL, error);
        what = trace_events_differ(&c->options, &at(a, 0)->event, &at(b, 0)->event);
        if (what)
            return found(c, what, error);
        trace_copy_set(&c->context[c->equal++ % TRACE_COMPARE_CONTEXT], &at(a, 0)->event);
        drop(a, 1);
        drop(b, 1);
    }
}

const struct trace_event *trace_compare_event(const struct trace_compare *c, unsigned side,
                                              unsigned index)
{
    return index < c->side[side].count ? &at(&c->side[side], index)->event : NULL;
}

uint64_t trace_compare_equal(const struct trace_compare *c)
{
    return c->equal;
}
