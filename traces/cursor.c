/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going through the events of a file: one EVENTS frame at a time.
 */
#include <string.h>

#include "traces/columns.h"
#include "traces/reader_internal.h"

struct trace_cursor {
    struct trace_reader *r;
    bool wants_all;
    bool want[TRACE_KIND_MAX + 1];
    unsigned next_frame; /* of EVENTS frames */
    struct trace_decoder *decoder;
    uint64_t min_insns, min_number;
};

struct trace_cursor *trace_cursor_new(struct trace_reader *r)
{
    struct trace_cursor *c = g_new0(struct trace_cursor, 1);

    c->r = r;
    c->wants_all = true;
    return c;
}

static void drop_frame(struct trace_cursor *c)
{
    g_clear_pointer(&c->decoder, trace_decoder_free);
}

void trace_cursor_free(struct trace_cursor *c)
{
    if (!c)
        return;
    drop_frame(c);
    g_free(c);
}

void trace_cursor_want(struct trace_cursor *c, const bool want[TRACE_KIND_MAX + 1])
{
    c->wants_all = !want;
    if (want)
        memcpy(c->want, want, sizeof(c->want));
    if (c->decoder) { /* begin the frame anew: decoders do not change their mind */
        drop_frame(c);
        c->next_frame--;
    }
}

/* Before the first EVENTS frame that may hold what is sought. */
static void seek(struct trace_cursor *c, uint64_t insns, uint64_t number)
{
    unsigned low = 0, high = c->r->by_type[TRACE_FRAME_EVENTS]->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const struct trace_frame *f = reader_frame(c->r, TRACE_FRAME_EVENTS, middle);

        if (f->last_insns >= insns && f->ident + f->count > number)
            high = middle;
        else
            low = middle + 1;
    }
    drop_frame(c);
    c->next_frame = low;
    c->min_insns = insns;
    c->min_number = number;
}

gboolean trace_cursor_seek_insns(struct trace_cursor *c, uint64_t insns, GError **error)
{
    (void)error;
    seek(c, insns, 0);
    return TRUE;
}

gboolean trace_cursor_seek_event(struct trace_cursor *c, uint64_t number, GError **error)
{
    (void)error;
    seek(c, 0, number);
    return TRUE;
}

static enum trace_next next_frame(struct trace_cursor *c, GError **error)
{
    struct trace_reader *r = c->r;
    const struct trace_frame *f;
    g_autoptr(GBytes) payload = NULL;

    if (c->next_frame >= r->by_type[TRACE_FRAME_EVENTS]->len) {
        if (!r->info.damaged)
            return TRACE_NEXT_END;
        trace_reader_damage(r, error);
        return TRACE_NEXT_ERROR;
    }
    f = reader_frame(r, TRACE_FRAME_EVENTS, c->next_frame);
    payload = reader_payload(r, f, error);
    if (!payload)
        return TRACE_NEXT_ERROR;
    c->decoder = trace_decoder_new(r->description->schema, payload, f->count, f->ident);
    if (!c->decoder) {
        reader_damaged(r, f, error);
        return TRACE_NEXT_ERROR;
    }
    c->next_frame++;
    return TRACE_NEXT_EVENT;
}

enum trace_next trace_cursor_next(struct trace_cursor *c, const struct trace_event **event,
                                  GError **error)
{
    for (;;) {
        enum trace_next next;

        if (!c->decoder && (next = next_frame(c, error)) != TRACE_NEXT_EVENT)
            return next;
        switch (trace_decoder_next(c->decoder, c->wants_all ? NULL : c->want, event)) {
        case TRACE_DECODE_EVENT:
            if ((*event)->insns >= c->min_insns && (*event)->number >= c->min_number)
                return TRACE_NEXT_EVENT;
            break;
        case TRACE_DECODE_END:
            drop_frame(c);
            break;
        case TRACE_DECODE_BAD:
            reader_damaged(c->r, reader_frame(c->r, TRACE_FRAME_EVENTS, c->next_frame - 1), error);
            return TRACE_NEXT_ERROR;
        }
    }
}
