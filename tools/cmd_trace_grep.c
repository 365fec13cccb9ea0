/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of something: every event that touches it, how, and what is the matter with it in
 * the end.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/base/types.h"
#include "tools/cmd_trace.h"
#include "tools/trace_tool.h"
#include "traces/levels.h"
#include "traces/line.h"
#include "traces/names.h"

/* What a frame was last seen as. */
struct frame_state {
    bool has_owner, has_type;
    uint64_t owner, type, count;
    const struct trace_field *type_field;
};

struct grep {
    struct trace_tool tool;
    struct trace_line_options line;
    struct trace_out out;
    struct trace_levels *levels;
    struct frame_state frame;
    GHashTable *ways; /* how -> count; static strings */
    uint64_t events;
    GString *text;
};

/* Owner and type, from events that are about frame @mfn. */
static void follow_frame(struct frame_state *s, const struct trace_event *e, uint64_t mfn)
{
    if (e->kind->id == TRACE_KIND_PAGE_TYPE && e->kind->fields > TRACE_PAGE_TYPE_OWNER &&
        e->value[TRACE_PAGE_TYPE_MFN].u64 == mfn) {
        s->has_type = true;
        s->type = e->value[TRACE_PAGE_TYPE_NEW].u64;
        s->type_field = &e->kind->field[TRACE_PAGE_TYPE_NEW];
        s->count = e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64;
        s->has_owner = true;
        s->owner = e->value[TRACE_PAGE_TYPE_OWNER].u64;
    } else if (e->kind->id == TRACE_KIND_FRAME_OWNER && e->kind->fields > TRACE_FRAME_OWNER_NEW) {
        s->has_owner = true;
        s->owner = e->value[TRACE_FRAME_OWNER_NEW].u64;
    }
}

static void count_way(struct grep *g, const char *how)
{
    uint64_t count = (uint64_t)g_hash_table_lookup(g->ways, how);

    g_hash_table_insert(g->ways, (gpointer)how, (gpointer)(count + 1));
}

static bool show(void *user, const struct trace_event *event)
{
    struct grep *g = user;
    const char *how = NULL;

    g->events++;
    g_string_truncate(g->text, 0);
    for (unsigned i = 0; i < g->out.terms; i++) {
        how = trace_filter_how(g->tool.filter, i);
        if (how)
            count_way(g, how);
        g_string_append_printf(g->text, "%-16s ", how ? how : "");
    }
    if (g->out.terms && g->out.term[0].kind == TRACE_TERM_FRAME)
        follow_frame(&g->frame, event, g->out.term[0].value);
    trace_line(g->text, event, &g->out, &g->line);
    g_string_append_c(g->text, '\n');
    return trace_tool_put(&g->tool, g->text);
}

/* --- in the end ---------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_ways(struct grep *g)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iter;
    void *name;

    g_hash_table_iter_init(&iter, g->ways);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, by_text);
    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(g->text, "%s%s %" PRIu64, i ? ", " : ": ",
                               (const char *)names->pdata[i],
                               (uint64_t)g_hash_table_lookup(g->ways, names->pdata[i]));
}

static void put_sum(struct grep *g)
{
    const struct frame_state *s = &g->frame;

    g_string_printf(g->text, "%" PRIu64 " events", g->events);
    put_ways(g);
    if (s->has_owner) {
        g_string_append(g->text, "; owner in the end ");
        trace_put_domid(g->text, s->owner);
    }
    if (s->has_type) {
        const char *name = trace_field_value_name(s->type_field, s->type);

        g_string_append_printf(g->text, "; type in the end %s, count %" PRIu64, name ? name : "?",
                               s->count);
    }
    g_string_append_c(g->text, '\n');
    trace_tool_put(&g->tool, g->text);
}

/* --- the command --------------------------------------------------------------------------- */

/* Arguments of the form NAME=VALUE are what is looked for; the other one is the file. */
static gboolean take_arguments(struct grep *g, const char **path, GError **error)
{
    static const char *const names[] = {"frame", "va",       "domain",    "ref", "port",
                                        "text",  "hypercall", "kind"};
    bool looked_for = false;

    for (unsigned i = 0; i < g->tool.arguments; i++) {
        const char *argument = g->tool.argument[i], *equals = strchr(argument, '=');
        unsigned at = 0;

        while (equals && at < ARRAY_LEN(names) &&
               (strlen(names[at]) != (size_t)(equals - argument) ||
                strncmp(names[at], argument, equals - argument) != 0))
            at++;
        if (equals && at < ARRAY_LEN(names)) {
            const char *name = strcmp(names[at], "domain") == 0 ? "touches" : names[at];

            if (!trace_filter_add(g->tool.filter, name, equals + 1, error))
                return FALSE;
            looked_for = true;
        } else if (*path) {
            g_set_error(error, TRACE_FILTER_ERROR, TRACE_FILTER_ERROR_USAGE,
                        "trace grep: more than one file: %s and %s (see paravane trace grep "
                        "--help)",
                        *path, argument);
            return FALSE;
        } else {
            *path = argument;
        }
    }
    if (looked_for && *path)
        return TRUE;
    g_set_error(error, TRACE_FILTER_ERROR, TRACE_FILTER_ERROR_USAGE,
                "trace grep: %s (see paravane trace grep --help)",
                looked_for ? "no trace file is given"
                           : "nothing to look for is given, such as frame=0x1a2b3");
    return FALSE;
}

static void run(struct grep *g, GError **error)
{
    const char *path = NULL;

    if (!take_arguments(g, &path, error) || !trace_tool_open(&g->tool, path, error))
        return;
    g->out.term = trace_filter_terms(g->tool.filter, &g->out.terms);
    g->out.only_hits = g->out.terms != 0;
    if (trace_tool_each(&g->tool, show, g, error))
        put_sum(g);
}

int cmd_trace_grep(int argc, char **argv)
{
    gboolean number = FALSE, insns = FALSE, cpu = FALSE;
    const GOptionEntry entries[] = {
        {"show-number", 0, 0, G_OPTION_ARG_NONE, &number, "the event's number", NULL},
        {"show-insns", 0, 0, G_OPTION_ARG_NONE, &insns, "the instruction count", NULL},
        {"show-vcpu", 0, 0, G_OPTION_ARG_NONE, &cpu, "the machine's vCPU", NULL},
        G_OPTION_ENTRY_NULL,
    };
    struct grep g = {.text = g_string_new(NULL), .levels = trace_levels_new()};
    GError *error = NULL;

    g.ways = g_hash_table_new(g_str_hash, g_str_equal);
    trace_tool_init(
        &g.tool, "trace grep", "WHAT=VALUE... FILE",
        "Every event that touches something, with how it is touched before it; of lists only\n"
        "the items that do. WHAT is one of\n\n"
        "  frame=MFN    a machine frame: owner, type, pins, entries that map it, entries written\n"
        "               in it, grants, transfers, DMA\n"
        "  va=ADDRESS   the page of a guest's address\n"
        "  domain=ID    a domain: its own events and those of others that name it\n"
        "  ref=N        a grant reference\n"
        "  port=N       an event channel port\n"
        "  text=TEXT    the line contains it\n\n"
        "Several must all hold. The last line adds up.",
        "Examples\n"
        "  paravane trace grep frame=0x1a2b3 t.pvt\n"
        "  paravane trace grep ref=8 domain=d1 t.pvt --kind hypercall\n"
        "  paravane trace grep text=EINVAL t.pvt --time 2s..");
    trace_tool_filters(&g.tool);
    trace_tool_options(&g.tool, entries);
    if (trace_tool_parse(&g.tool, argc, argv, 0, G_MAXUINT, &error)) {
        g.line = (struct trace_line_options){.number = number, .insns = insns, .vcpu = cpu};
        g.out = (struct trace_out){.levels = g.levels};
        g.tool.levels = g.levels;
        run(&g, &error);
    }
    g_hash_table_unref(g.ways);
    g_string_free(g.text, TRUE);
    trace_levels_free(g.levels);
    return trace_tool_end(&g.tool, error);
}
