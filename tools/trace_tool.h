/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands that read traces have in common: options, opening, going through events,
 * writing to standard output.
 *
 *     struct trace_tool tool;
 *     trace_tool_init(&tool, "trace dump", "FILE", summary, description);
 *     trace_tool_filters(&tool);                         - options that choose events
 *     trace_tool_options(&tool, entries);                - the command's own
 *     if (trace_tool_parse(&tool, argc, argv, 1, 1, &error) &&
 *         trace_tool_open(&tool, tool.argument[0], &error))
 *         trace_tool_each(&tool, show, user, &error);
 *     return trace_tool_end(&tool, error);
 */
#ifndef PARAVANE_TOOLS_TRACE_TOOL_H
#define PARAVANE_TOOLS_TRACE_TOOL_H

#include <glib.h>
#include <stdbool.h>

#include "traces/filter.h"
#include "traces/levels.h"
#include "traces/reader.h"

struct trace_tool {
    const char *name; /* "trace dump" */
    GOptionContext *context;
    struct trace_filter *filter;
    char **argument; /* what is not an option, NULL-terminated */
    unsigned arguments;
    struct trace_reader *reader;
    struct trace_cursor *cursor;
    bool follow; /* wait for a growing file */
    struct trace_levels *levels; /* learn what tables are, for the lines of hypercalls; may be NULL,
                                    set it before opening; not owned */
    bool want[TRACE_KIND_MAX + 1]; /* the kinds that are decoded */
    bool pipe_broken; /* whoever read our output has gone */
    int output_errno; /* of any other failure, else 0 */
};

/** trace_tool_init - @arguments: what stands behind the options, for --help. */
void trace_tool_init(struct trace_tool *t, const char *name, const char *arguments,
                     const char *summary, const char *description);
/** trace_tool_filters - have the options that choose events.  Before trace_tool_options(). */
void trace_tool_filters(struct trace_tool *t);
/** trace_tool_options - have the command's own options. */
void trace_tool_options(struct trace_tool *t, const GOptionEntry *entries);

/**
 * trace_tool_parse - options and arguments; --help prints and exits.
 * @least, @most: how many arguments there may be.
 */
gboolean trace_tool_parse(struct trace_tool *t, int argc, char **argv, unsigned least,
                          unsigned most, GError **error);

/** trace_tool_open - the file, its filter and a cursor. */
gboolean trace_tool_open(struct trace_tool *t, const char *path, GError **error);

/** One event that passed.  Returns: false to go no further. */
typedef bool trace_tool_event(void *user, const struct trace_event *event);

/** trace_tool_each - all events that pass, in order. */
gboolean trace_tool_each(struct trace_tool *t, trace_tool_event *event, void *user,
                         GError **error);

/** trace_tool_put - write to standard output.  Returns: false when that makes no sense any more. */
bool trace_tool_put(struct trace_tool *t, const GString *text);

/** trace_tool_end - free all, print @error if there is one.  Returns: the exit status. */
int trace_tool_end(struct trace_tool *t, GError *error);

#endif
