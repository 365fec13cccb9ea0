/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/trace_tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/commands.h"

#define FOLLOW_US   100000 /* wall; how often a growing file is looked at */
#define PROGRESS_US 500000

void trace_tool_init(struct trace_tool *t, const char *name, const char *arguments,
                     const char *summary, const char *description)
{
    *t = (struct trace_tool){.name = name, .filter = trace_filter_new()};
    t->context = g_option_context_new(arguments);
    g_option_context_set_summary(t->context, summary);
    g_option_context_set_description(t->context, description);
}

void trace_tool_options(struct trace_tool *t, const GOptionEntry *entries)
{
    g_option_context_add_main_entries(t->context, entries, NULL);
}

static gboolean add_condition(const char *option, const char *value, void *user, GError **error)
{
    struct trace_tool *t = user;

    return trace_filter_add(t->filter, option + 2, value, error);
}

void trace_tool_filters(struct trace_tool *t)
{
#define CONDITION(name, help, argument)                                                            \
    {                                                                                              \
        name, 0, 0, G_OPTION_ARG_CALLBACK, (void *)add_condition, help, argument                   \
    }
    static const GOptionEntry entries[] = {
        CONDITION("kind", "hypercall, page_type, ...; no-LIST: all but these", "LIST"),
        CONDITION("domain", "whose events: 0 or d0; none: nobody's", "LIST"),
        CONDITION("vcpu", "the machine's vCPUs", "LIST"),
        CONDITION("hypercall", "by name or number; NAME:OP is one operation of it", "LIST"),
        CONDITION("insns", "FROM..TO, FROM.., ..TO, in instructions (k, M, G)", "RANGE"),
        CONDITION("time", "the same in virtual time, as 1.5s..2s", "RANGE"),
        CONDITION("number", "the same in numbers of events", "RANGE"),
        CONDITION("frame", "that touch this machine frame", "MFN"),
        CONDITION("va", "that touch the page of this address", "ADDRESS"),
        CONDITION("touches", "that touch this domain", "DOMAIN"),
        CONDITION("ref", "that touch this grant reference", "N"),
        CONDITION("port", "that touch this event channel port", "N"),
        CONDITION("text", "whose line contains TEXT", "TEXT"),
        {"failed", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (void *)add_condition,
         "in which something was refused", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionGroup *group = g_option_group_new(NULL, NULL, NULL, t, NULL);

    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(t->context, group);
}

G_GNUC_PRINTF(3, 4)
static gboolean usage(const struct trace_tool *t, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, TRACE_FILTER_ERROR, TRACE_FILTER_ERROR_USAGE, "%s (see paravane %s --help)",
                text, t->name);
    return FALSE;
}

gboolean trace_tool_parse(struct trace_tool *t, int argc, char **argv, unsigned least,
                          unsigned most, GError **error)
{
    g_autoptr(GError) wrong = NULL;
    g_autofree char *program = g_strdup_printf("paravane %s", t->name);
    g_auto(GStrv) copy = g_new0(char *, argc + 2);

    copy[0] = g_strdup(program);
    for (int i = 0; i < argc; i++)
        copy[i + 1] = g_strdup(argv[i]);
    g_set_prgname(program);
    if (!g_option_context_parse_strv(t->context, &copy, &wrong))
        return usage(t, error, "%s: %s", t->name, wrong->message);
    /* "--" is left where it stood when it was needed */
    t->argument = g_strdupv(copy + 1);
    if (t->argument[0] && strcmp(t->argument[0], "--") == 0) {
        g_free(t->argument[0]);
        memmove(t->argument, t->argument + 1, g_strv_length(t->argument + 1) * sizeof(char *) +
                                                  sizeof(char *));
    }
    t->arguments = g_strv_length(t->argument);
    if (t->arguments < least)
        return usage(t, error, "%s: %s", t->name,
                     t->arguments ? "an argument is missing" : "no trace file is given");
    if (t->arguments > most)
        return usage(t, error, "%s: one argument too many: %s", t->name, t->argument[most]);
    return TRUE;
}

gboolean trace_tool_open(struct trace_tool *t, const char *path, GError **error)
{
    GError *wrong = NULL;

    t->reader = trace_reader_open(path, error);
    if (!t->reader)
        return FALSE;
    if (!trace_filter_resolve(t->filter, trace_reader_schema(t->reader), &wrong)) {
        usage(t, error, "%s: %s", t->name, wrong->message);
        g_error_free(wrong);
        return FALSE;
    }
    t->cursor = trace_cursor_new(t->reader);
    memcpy(t->want, trace_filter_kinds(t->filter), sizeof(t->want));
    if (!t->want[TRACE_KIND_HYPERCALL])
        t->levels = NULL;
    if (t->levels)
        t->want[TRACE_KIND_PAGE_TYPE] = true;
    trace_cursor_want(t->cursor, t->want);
    return TRUE;
}

/* --- going through ------------------------------------------------------------------------- */

struct progress {
    bool on;
    int64_t shown_us; /* wall */
    uint64_t count;
    bool dirty;
};

static void progress_init(struct progress *p)
{
    *p = (struct progress){.on = isatty(2) && !isatty(1), .shown_us = g_get_monotonic_time()};
}

static void progress_step(struct progress *p, const struct trace_tool *t,
                          const struct trace_event *e)
{
    uint64_t all;
    int64_t now;

    if (!p->on || (++p->count & 0xfff))
        return;
    now = g_get_monotonic_time();
    if (now - p->shown_us < PROGRESS_US)
        return;
    p->shown_us = now;
    p->dirty = true;
    all = trace_reader_info(t->reader)->events;
    fprintf(stderr, "\r%s: event %" PRIu64 " of %" PRIu64 " (%u%%) ", t->name, e->number, all,
            all ? (unsigned)(100.0 * (double)e->number / (double)all) : 0);
}

static void progress_end(struct progress *p)
{
    if (p->dirty)
        fputs("\r\033[K", stderr);
}

/* At the end of what is there.  Returns: whether to try again. */
static bool wait_for_more(struct trace_tool *t, GError **error)
{
    bool grown = false;

    while (t->follow && !trace_reader_info(t->reader)->ending && !grown) {
        if (fflush(stdout) != 0)
            return false;
        g_usleep(FOLLOW_US);
        if (!trace_reader_refresh(t->reader, &grown, error))
            return false;
    }
    return grown;
}

/* Go to where the filter begins.  What tables are until then is learned from page types alone. */
static gboolean begin(struct trace_tool *t, GError **error)
{
    const bool page_types[TRACE_KIND_MAX + 1] = {[TRACE_KIND_PAGE_TYPE] = true};
    const struct trace_event *e;
    enum trace_next next;

    if (t->levels) {
        trace_cursor_want(t->cursor, page_types);
        while ((next = trace_cursor_next(t->cursor, &e, error)) == TRACE_NEXT_EVENT &&
               trace_filter_early(t->filter, e))
            trace_levels_event(t->levels, e);
        if (next == TRACE_NEXT_ERROR)
            return FALSE;
        trace_cursor_want(t->cursor, t->want);
    }
    return trace_filter_seek(t->filter, t->cursor, error);
}

gboolean trace_tool_each(struct trace_tool *t, trace_tool_event *event, void *user, GError **error)
{
    const struct trace_event *e;
    struct progress progress;
    enum trace_next next;
    GError *wrong = NULL;

    if (!begin(t, error))
        return FALSE;
    progress_init(&progress);
    do {
        while ((next = trace_cursor_next(t->cursor, &e, &wrong)) == TRACE_NEXT_EVENT) {
            progress_step(&progress, t, e);
            if (t->levels)
                trace_levels_event(t->levels, e);
            if (trace_filter_done(t->filter, e) ||
                (trace_filter_pass(t->filter, e) && !event(user, e))) {
                progress_end(&progress);
                return TRUE;
            }
        }
    } while (next == TRACE_NEXT_END && wait_for_more(t, &wrong));
    progress_end(&progress);
    if (!wrong && next == TRACE_NEXT_END && trace_reader_info(t->reader)->damaged)
        trace_reader_damage(t->reader, &wrong);
    if (wrong) {
        g_propagate_error(error, wrong);
        return FALSE;
    }
    return TRUE;
}

/* --- output -------------------------------------------------------------------------------- */

bool trace_tool_put(struct trace_tool *t, const GString *text)
{
    if (t->pipe_broken || t->output_errno)
        return false;
    if (fwrite(text->str, 1, text->len, stdout) == text->len)
        return true;
    if (errno == EPIPE)
        t->pipe_broken = true;
    else
        t->output_errno = errno ? errno : EIO;
    return false;
}

int trace_tool_end(struct trace_tool *t, GError *error)
{
    int status = TOOLS_EXIT_GOOD;

    if (!t->pipe_broken && fflush(stdout) != 0 && errno != EPIPE && !t->output_errno)
        t->output_errno = errno;
    if (error)
        status = tools_fail(error);
    if (t->output_errno) {
        fprintf(stderr, "paravane: standard output: %s\n", g_strerror(t->output_errno));
        status = TOOLS_EXIT_USAGE;
    }
    trace_cursor_free(t->cursor);
    if (t->reader)
        trace_reader_free(t->reader);
    trace_filter_free(t->filter);
    g_option_context_free(t->context);
    g_strfreev(t->argument);
    return status;
}
