/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paravane diff: where do two traces differ first?
 */
#include <inttypes.h>
#include <string.h>

#include "tools/bisect.h"
#include "tools/commands.h"
#include "tools/trace_tool.h"
#include "traces/compare.h"
#include "traces/line.h"

#define AFTER       4 /* events of each side that are shown from the difference on */
#define ITEMS_MAX   8
#define WITH_ALL_MAX 1000 /* differences */

struct diff {
    struct trace_tool tool;         /* A */
    struct trace_reader *reader_b;
    struct trace_cursor *cursor_b;
    struct trace_filter *filter_b;
    struct trace_compare_options options;
    gboolean all, quiet;
    struct trace_compare *compare;
    GString *text;
    uint64_t differences;
};

/* --- sources ------------------------------------------------------------------------------- */

static enum trace_next next_of(struct trace_cursor *cursor, struct trace_filter *filter,
                               const struct trace_event **event, GError **error)
{
    enum trace_next next;

    while ((next = trace_cursor_next(cursor, event, error)) == TRACE_NEXT_EVENT) {
        if (trace_filter_done(filter, *event))
            return TRACE_NEXT_END;
        if (trace_filter_pass(filter, *event))
            return TRACE_NEXT_EVENT;
    }
    return next;
}

static enum trace_next next_a(void *user, const struct trace_event **event, GError **error)
{
    struct diff *d = user;

    return next_of(d->tool.cursor, d->tool.filter, event, error);
}

static enum trace_next next_b(void *user, const struct trace_event **event, GError **error)
{
    struct diff *d = user;

    return next_of(d->cursor_b, d->filter_b, event, error);
}

/* --- what is shown ------------------------------------------------------------------------- */

static void put_line(struct diff *d, const char *side, const struct trace_event *e)
{
    const struct trace_line_options line = {.number = true, .insns = !d->options.ignore_insns};
    struct trace_out o = {.items_max = ITEMS_MAX};

    g_string_append_printf(d->text, "%s ", side);
    trace_line(d->text, e, &o, &line);
    g_string_append_c(d->text, '\n');
}

static void put_rest(struct diff *d, unsigned side, const struct trace_difference *x)
{
    static const char *const names[] = {"A", "B"};
    unsigned there = side ? x->window_b : x->window_a;
    unsigned until = x->agrees_again ? (side ? x->skip_b : x->skip_a) : AFTER;

    if (!there)
        g_string_append_printf(d->text, "%s ends here\n", names[side]);
    for (unsigned i = 0; i < MIN(MIN(MAX(until, 1), AFTER), there); i++)
        put_line(d, names[side], trace_compare_event(d->compare, side, i));
    if (until > AFTER && x->agrees_again)
        g_string_append_printf(d->text, "%s ... %u more\n", names[side], until - AFTER);
}

static void put_after(struct diff *d, const struct trace_difference *x)
{
    if (!x->agrees_again)
        g_string_append_printf(d->text, "they do not agree again within %u and %u events\n",
                               x->window_a, x->window_b);
    else if (x->skip_a == x->skip_b)
        g_string_append_printf(d->text, "they agree again behind %s\n",
                               x->skip_a == 1 ? "it" : "these");
    else
        g_string_append_printf(d->text, "they agree again behind %u event%s of A and %u of B\n",
                               x->skip_a, x->skip_a == 1 ? "" : "s", x->skip_b);
}

static void show(struct diff *d, const struct trace_difference *x)
{
    g_string_truncate(d->text, 0);
    if (d->differences > 1)
        g_string_append_c(d->text, '\n');
    for (unsigned i = 0; i < x->before; i++)
        put_line(d, " ", x->context[i]);
    put_rest(d, 0, x);
    put_rest(d, 1, x);
    if (x->what)
        g_string_append_printf(d->text, "differs: %s\n", x->what);
    put_after(d, x);
    trace_tool_put(&d->tool, d->text);
}

static void show_sum(struct diff *d)
{
    uint64_t equal = trace_compare_equal(d->compare);

    if (!d->differences)
        g_string_printf(d->text, "equal: %" PRIu64 " events\n", equal);
    else if (d->all)
        g_string_printf(d->text, "\n%" PRIu64 " events are equal, %" PRIu64 " difference%s\n", equal,
                        d->differences, d->differences == 1 ? "" : "s");
    else
        g_string_printf(d->text, "%" PRIu64 " events are equal before it\n", equal);
    trace_tool_put(&d->tool, d->text);
}

/* --- the command --------------------------------------------------------------------------- */

static gboolean compare(struct diff *d, GError **error)
{
    const struct trace_source a = {d, next_a}, b = {d, next_b};
    const struct trace_difference *x;
    enum trace_compare_result result;

    d->compare = trace_compare_new(&d->options, &a, &b);
    while ((result = trace_compare_next(d->compare, &x, error)) == TRACE_COMPARE_DIFFERENT) {
        d->differences++;
        if (!d->quiet)
            show(d, x);
        if (!d->all || d->differences == WITH_ALL_MAX)
            break;
    }
    if (result == TRACE_COMPARE_ERROR)
        return FALSE;
    if (!d->quiet)
        show_sum(d);
    return TRUE;
}

static void bisect(struct diff *d, GError **error)
{
    if (bisect_run(d->tool.reader, d->reader_b, d->text, error) == BISECT_DIFFERENT)
        d->differences++;
    if (!d->quiet)
        trace_tool_put(&d->tool, d->text);
}

static gboolean open_b(struct diff *d, GError **error)
{
    /* the same conditions again: a filter belongs to one file's schema */
    struct trace_tool other;
    gboolean good;

    trace_tool_init(&other, d->tool.name, "", "", NULL);
    trace_filter_free(other.filter);
    other.filter = trace_filter_copy(d->tool.filter);
    good = trace_tool_open(&other, d->tool.argument[1], error) &&
           trace_filter_seek(other.filter, other.cursor, error);
    d->reader_b = g_steal_pointer(&other.reader);
    d->cursor_b = g_steal_pointer(&other.cursor);
    d->filter_b = g_steal_pointer(&other.filter);
    trace_tool_end(&other, NULL);
    return good;
}

static int finish(struct diff *d, GError *error)
{
    int status;

    trace_compare_free(d->compare);
    trace_cursor_free(d->cursor_b);
    if (d->reader_b)
        trace_reader_free(d->reader_b);
    trace_filter_free(d->filter_b);
    g_string_free(d->text, TRUE);
    status = trace_tool_end(&d->tool, error);
    return status == TOOLS_EXIT_GOOD && d->differences ? TOOLS_EXIT_BAD : status;
}

int cmd_diff(int argc, char **argv)
{
    gboolean times = FALSE, insns = FALSE, frames = FALSE, calls = FALSE, states = FALSE;
    struct diff d = {.text = g_string_new(NULL)};
    const GOptionEntry entries[] = {
        {"ignore-time", 0, 0, G_OPTION_ARG_NONE, &times, "virtual time and cycles", NULL},
        {"ignore-insns", 0, 0, G_OPTION_ARG_NONE, &insns, "instruction counts", NULL},
        {"ignore-frames", 0, 0, G_OPTION_ARG_NONE, &frames, "machine frame numbers", NULL},
        {"hypercalls", 0, 0, G_OPTION_ARG_NONE, &calls,
         "only whose hypercalls, which, and their results", NULL},
        {"bisect", 0, 0, G_OPTION_ARG_NONE, &states,
         "not events: replay both, find the first instruction that makes a difference", NULL},
        {"all", 0, 0, G_OPTION_ARG_NONE, &d.all, "all differences, not the first only", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &d.quiet, "the exit status only", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GError *error = NULL;

    trace_tool_init(
        &d.tool, "diff", "A B",
        "Compares two traces event by event, and shows the first difference with what is before\n"
        "and behind it. Two recordings of the same machine and inputs are equal in everything;\n"
        "for others, say what does not count. Exit status: 0 equal, 1 different, 2 bad input.",
        "Examples\n"
        "  paravane diff monday.pvt tuesday.pvt\n"
        "  paravane diff monday.pvt tuesday.pvt --bisect\n"
        "  paravane diff xen.pvt hv.pvt --hypercalls --domain d1 --all\n"
        "  paravane diff a.pvt b.pvt --kind hypercall,page_type --ignore-time --ignore-insns");
    trace_tool_filters(&d.tool);
    trace_tool_options(&d.tool, entries);
    if (trace_tool_parse(&d.tool, argc, argv, 2, 2, &error)) {
        d.options = (struct trace_compare_options){.ignore_times = times || calls,
                                                   .ignore_insns = insns || calls,
                                                   .ignore_frames = frames,
                                                   .calls_only = calls};
        if (trace_tool_open(&d.tool, d.tool.argument[0], &error) && open_b(&d, &error) &&
            trace_filter_seek(d.tool.filter, d.tool.cursor, &error))
            states ? bisect(&d, &error) : (void)compare(&d, &error);
    }
    return finish(&d, error);
}
