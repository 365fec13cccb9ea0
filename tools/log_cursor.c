/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/log_cursor.h"

void log_cursor_init(struct log_cursor *c, struct trace_reader *reader, uint64_t insns)
{
    log_cursor_fini(c);
    *c = (struct log_cursor){.reader = reader,
                             .frame = insns ? trace_reader_log_at(reader, insns) : 0};
}

void log_cursor_fini(struct log_cursor *c)
{
    trace_log_free(c->log);
    c->log = NULL;
}

static bool has_frame(struct log_cursor *c, GError **error)
{
    if (!c->log && c->frame < trace_reader_logs(c->reader))
        c->log = trace_reader_log(c->reader, c->frame, error);
    return c->log != NULL;
}

static void next_frame(struct log_cursor *c)
{
    log_cursor_fini(c);
    c->frame++;
    c->at = 0;
}

const struct trace_input *log_cursor_input(struct log_cursor *c, GError **error)
{
    for (; has_frame(c, error); next_frame(c))
        if (c->at < c->log->inputs->len)
            return &g_array_index(c->log->inputs, struct trace_input, c->at);
    return NULL;
}

const struct trace_link *log_cursor_point(struct log_cursor *c, GError **error)
{
    for (; has_frame(c, error); next_frame(c))
        if (c->at < c->log->points->len)
            return &g_array_index(c->log->points, struct trace_link, c->at);
    return NULL;
}
