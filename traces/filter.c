/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/filter.h"

#include <string.h>

#include "sim/base/types.h"
#include "sim/base/units.h"
#include "traces/line.h"

struct range {
    uint64_t from, to;
};

struct call_wanted {
    char *name, *op; /* name NULL: the number counts; op NULL: any */
    uint64_t number;
};

struct trace_filter {
    char *kinds;     /* as given, NULL: all */
    bool all_but;    /* @kinds are those that do not pass */
    GArray *domains; /* uint64_t */
    GArray *vcpus;
    GArray *calls; /* struct call_wanted */
    struct range insns, ns, number;
    struct trace_term term[TRACE_TERMS_MAX];
    unsigned terms;
    GPtrArray *texts;
    bool failed;

    bool want[TRACE_KIND_MAX + 1];
    const struct trace_kind *calls_kind; /* of the file */
    struct trace_out out;                /* the last event's touches */
    GString *line;
};

G_DEFINE_QUARK(trace_filter_error, trace_filter_error)

G_GNUC_PRINTF(2, 3)
static gboolean fail(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, TRACE_FILTER_ERROR, TRACE_FILTER_ERROR_USAGE, text);
    return FALSE;
}

static void clear_call(void *data)
{
    struct call_wanted *call = data;

    g_free(call->name);
    g_free(call->op);
}

struct trace_filter *trace_filter_new(void)
{
    struct trace_filter *f = g_new0(struct trace_filter, 1);

    f->domains = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    f->vcpus = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    f->calls = g_array_new(FALSE, FALSE, sizeof(struct call_wanted));
    g_array_set_clear_func(f->calls, clear_call);
    f->texts = g_ptr_array_new_with_free_func(g_free);
    f->insns.to = f->ns.to = f->number.to = UINT64_MAX;
    f->line = g_string_new(NULL);
    return f;
}

void trace_filter_free(struct trace_filter *f)
{
    if (!f)
        return;
    g_free(f->kinds);
    g_array_unref(f->domains);
    g_array_unref(f->vcpus);
    g_array_unref(f->calls);
    g_ptr_array_unref(f->texts);
    g_string_free(f->line, TRUE);
    g_free(f);
}

struct trace_filter *trace_filter_copy(const struct trace_filter *from)
{
    struct trace_filter *f = trace_filter_new();

    f->kinds = g_strdup(from->kinds);
    f->all_but = from->all_but;
    g_array_append_vals(f->domains, from->domains->data, from->domains->len);
    g_array_append_vals(f->vcpus, from->vcpus->data, from->vcpus->len);
    for (unsigned i = 0; i < from->calls->len; i++) {
        struct call_wanted call = g_array_index(from->calls, struct call_wanted, i);

        call.name = g_strdup(call.name);
        call.op = g_strdup(call.op);
        g_array_append_val(f->calls, call);
    }
    for (unsigned i = 0; i < from->texts->len; i++)
        g_ptr_array_add(f->texts, g_strdup(g_ptr_array_index(from->texts, i)));
    f->insns = from->insns;
    f->ns = from->ns;
    f->number = from->number;
    memcpy(f->term, from->term, sizeof(f->term));
    f->terms = from->terms;
    f->failed = from->failed;
    return f;
}

/* --- conditions ---------------------------------------------------------------------------- */

/* Decimal, or hexadecimal with 0x. */
static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    if (!g_ascii_isdigit(text[0]))
        return false;
    *out = g_ascii_strtoull(text, &end, g_str_has_prefix(text, "0x") ? 16 : 10);
    return *end == '\0';
}

static gboolean add_kinds(struct trace_filter *f, const char *value, GError **error)
{
    if (f->kinds)
        return fail(error, "kinds are given twice");
    f->all_but = g_str_has_prefix(value, "no-");
    f->kinds = g_strdup(f->all_but ? value + 3 : value);
    return TRUE;
}

static gboolean add_numbers(GArray *to, const char *name, const char *value, const char *prefix,
                            GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    for (unsigned i = 0; parts[i]; i++) {
        const char *text = g_str_has_prefix(parts[i], prefix) ? parts[i] + strlen(prefix) : parts[i];
        uint64_t number = TRACE_DOMID_UNKNOWN;

        if (!parse_number(text, &number) && !(*prefix && strcmp(parts[i], "none") == 0))
            return fail(error, "%s: \"%s\" is no number", name, parts[i]);
        g_array_append_val(to, number);
    }
    return TRUE;
}

static gboolean add_calls(struct trace_filter *f, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    for (unsigned i = 0; parts[i]; i++) {
        struct call_wanted call = {0};
        char *colon = strchr(parts[i], ':');

        if (colon) {
            *colon = '\0';
            call.op = g_strdup(colon + 1);
        }
        if (!parts[i][0]) {
            g_free(call.op);
            return fail(error, "hypercall: a name is missing in \"%s\"", value);
        }
        if (!parse_number(parts[i], &call.number))
            call.name = g_strdup(parts[i]);
        g_array_append_val(f->calls, call);
    }
    return TRUE;
}

static gboolean add_range(struct range *range, const char *name, const char *value,
                          const struct base_unit *units, GError **error)
{
    const char *dots = strstr(value, "..");
    g_autofree char *from = dots ? g_strndup(value, dots - value) : g_strdup(value);
    const char *to = dots ? dots + 2 : value;

    range->from = 0;
    range->to = UINT64_MAX;
    if ((*from && !base_units_parse(from, units, &range->from)) ||
        (*to && !base_units_parse(to, units, &range->to)) || (!*from && !*to) ||
        range->from > range->to)
        return fail(error, "%s: \"%s\" is no range such as 1000..2000, 1000.. or ..2000", name,
                    value);
    return TRUE;
}

static gboolean add_term(struct trace_filter *f, enum trace_term_kind kind, const char *name,
                         const char *value, GError **error)
{
    const char *text = kind == TRACE_TERM_DOMAIN && value[0] == 'd' ? value + 1 : value;
    struct trace_term *term = &f->term[f->terms];

    if (f->terms == TRACE_TERMS_MAX)
        return fail(error, "more than %u numbers to look for", TRACE_TERMS_MAX);
    if (!parse_number(text, &term->value))
        return fail(error, "%s: \"%s\" is no number", name, value);
    term->kind = kind;
    f->terms++;
    return TRUE;
}

gboolean trace_filter_add(struct trace_filter *f, const char *name, const char *value,
                          GError **error)
{
    static const struct {
        const char *name;
        enum trace_term_kind kind;
    } terms[] = {{"frame", TRACE_TERM_FRAME},
                 {"va", TRACE_TERM_VA},
                 {"touches", TRACE_TERM_DOMAIN},
                 {"ref", TRACE_TERM_REF},
                 {"port", TRACE_TERM_PORT}};

    for (unsigned i = 0; i < ARRAY_LEN(terms); i++)
        if (strcmp(name, terms[i].name) == 0)
            return add_term(f, terms[i].kind, name, value, error);
    if (strcmp(name, "kind") == 0)
        return add_kinds(f, value, error);
    if (strcmp(name, "domain") == 0)
        return add_numbers(f->domains, name, value, "d", error);
    if (strcmp(name, "vcpu") == 0)
        return add_numbers(f->vcpus, name, value, "", error);
    if (strcmp(name, "hypercall") == 0)
        return add_calls(f, value, error);
    if (strcmp(name, "insns") == 0)
        return add_range(&f->insns, name, value, base_units_count, error);
    if (strcmp(name, "time") == 0)
        return add_range(&f->ns, name, value, base_units_duration, error);
    if (strcmp(name, "number") == 0)
        return add_range(&f->number, name, value, base_units_count, error);
    if (strcmp(name, "text") == 0) {
        g_ptr_array_add(f->texts, g_strdup(value));
        return TRUE;
    }
    if (strcmp(name, "failed") == 0) {
        f->failed = true;
        return TRUE;
    }
    return fail(error, "there is no condition \"%s\"", name);
}

/* --- names of kinds ------------------------------------------------------------------------ */

static gboolean unknown_kind(const struct trace_schema *schema, const char *name, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        if (schema->kind[i])
            g_string_append_printf(all, "%s%s", all->len ? ", " : "", schema->kind[i]->name);
    return fail(error, "there is no kind of events \"%s\"; there are %s", name, all->str);
}

static gboolean resolve_kinds(struct trace_filter *f, const struct trace_schema *schema,
                              GError **error)
{
    g_auto(GStrv) parts = g_strsplit(f->kinds, ",", -1);

    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        f->want[i] = f->all_but;
    for (unsigned i = 0; parts[i]; i++) {
        const struct trace_kind *kind = trace_schema_find(schema, parts[i]);

        if (!kind)
            return unknown_kind(schema, parts[i], error);
        f->want[kind->id] = !f->all_but;
    }
    return TRUE;
}

/* Are all names of hypercalls known? */
static gboolean resolve_calls(struct trace_filter *f, GError **error)
{
    const struct trace_field *names = &f->calls_kind->field[TRACE_HYPERCALL_NUMBER];

    for (unsigned i = 0; i < f->calls->len; i++) {
        struct call_wanted *call = &g_array_index(f->calls, struct call_wanted, i);
        unsigned at = 0;

        while (call->name && at < names->name_count &&
               strcmp(names->names[at].name, call->name) != 0)
            at++;
        if (call->name && at == names->name_count)
            return fail(error, "there is no hypercall \"%s\" (a number is taken as well)",
                        call->name);
        if (call->name)
            call->number = names->names[at].value;
    }
    return TRUE;
}

gboolean trace_filter_resolve(struct trace_filter *f, const struct trace_schema *schema,
                              GError **error)
{
    f->calls_kind = schema->kind[TRACE_KIND_HYPERCALL];
    memset(f->want, !f->calls->len, sizeof(f->want));
    if (f->calls->len) {
        if (!f->calls_kind || f->calls_kind->fields <= TRACE_HYPERCALL_NUMBER)
            return fail(error, "the file has no hypercalls");
        if (!resolve_calls(f, error))
            return FALSE;
        f->want[TRACE_KIND_HYPERCALL] = true;
    }
    return f->kinds ? resolve_kinds(f, schema, error) : TRUE;
}

const bool *trace_filter_kinds(const struct trace_filter *f)
{
    return f->want;
}

gboolean trace_filter_seek(const struct trace_filter *f, struct trace_cursor *cursor,
                           GError **error)
{
    return f->number.from ? trace_cursor_seek_event(cursor, f->number.from, error)
                          : trace_cursor_seek_insns(cursor, f->insns.from, error);
}

bool trace_filter_early(const struct trace_filter *f, const struct trace_event *e)
{
    return e->insns < f->insns.from || e->number < f->number.from;
}

/* --- one event ----------------------------------------------------------------------------- */

static bool among(const GArray *numbers, uint64_t number)
{
    for (unsigned i = 0; i < numbers->len; i++)
        if (g_array_index(numbers, uint64_t, i) == number)
            return true;
    return numbers->len == 0;
}

static bool in_range(const struct range *range, uint64_t value)
{
    return value >= range->from && value <= range->to;
}

static bool call_passes(const struct trace_filter *f, const struct trace_event *e)
{
    const char *op = NULL;

    for (unsigned i = 0; i < f->calls->len; i++) {
        const struct call_wanted *call = &g_array_index(f->calls, struct call_wanted, i);

        if (call->number != e->value[TRACE_HYPERCALL_NUMBER].u64)
            continue;
        if (call->op && !op)
            op = trace_decode_op(e);
        if (!call->op || (op && strcmp(op, call->op) == 0))
            return true;
    }
    return f->calls->len == 0;
}

static bool touches(struct trace_filter *f, const struct trace_event *e)
{
    if (!f->terms)
        return true;
    f->out = (struct trace_out){.term = f->term, .terms = f->terms};
    trace_out_start(&f->out);
    trace_decode_event(&f->out, e);
    return f->out.hit == (1u << f->terms) - 1;
}

static bool has_texts(struct trace_filter *f, const struct trace_event *e)
{
    static const struct trace_line_options options = {0};
    struct trace_out out = {0};

    if (!f->texts->len)
        return true;
    g_string_truncate(f->line, 0);
    trace_line(f->line, e, &out, &options);
    for (unsigned i = 0; i < f->texts->len; i++)
        if (!strstr(f->line->str, g_ptr_array_index(f->texts, i)))
            return false;
    return true;
}

bool trace_filter_pass(struct trace_filter *f, const struct trace_event *e)
{
    return f->want[e->kind->id] && in_range(&f->insns, e->insns) &&
           in_range(&f->ns, e->virtual_ns) && in_range(&f->number, e->number) &&
           among(f->domains, e->domid) && among(f->vcpus, e->vcpu) &&
           (e->kind != f->calls_kind || call_passes(f, e)) &&
           (!f->failed || trace_event_failed(e)) && touches(f, e) && has_texts(f, e);
}

/* Virtual time is a vCPU's own, so it does not say that nothing follows. */
bool trace_filter_done(const struct trace_filter *f, const struct trace_event *e)
{
    return e->insns > f->insns.to || e->number > f->number.to;
}

const struct trace_term *trace_filter_terms(const struct trace_filter *f, unsigned *count)
{
    *count = f->terms;
    return f->term;
}

const char *trace_filter_how(const struct trace_filter *f, unsigned index)
{
    return f->out.hit & 1u << index ? f->out.how[index] : NULL;
}
