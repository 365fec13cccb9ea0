/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as columns: the payload of an EVENTS frame.  docs/trace-format.md has every byte.
 *
 * Each field of each kind is a column of its own, in which a value is written as its distance
 * from what was to be expected; zstd does the rest.
 */
#ifndef PARAVANE_TRACES_COLUMNS_H
#define PARAVANE_TRACES_COLUMNS_H

#include <glib.h>

#include "traces/event.h"

/* Limits of one event, for readers. */
#define TRACE_EVENT_BLOBS_MAX 64
#define TRACE_EVENT_BYTES_MAX (1u << 20)

struct trace_encoder;

struct trace_encoder *trace_encoder_new(void);
void trace_encoder_free(struct trace_encoder *e);

/** trace_encoder_add - append @event, whose kind is one of trace_schema_builtin(). */
void trace_encoder_add(struct trace_encoder *e, const struct trace_event *event);
/** trace_encoder_count - events since the last finish. */
uint32_t trace_encoder_count(const struct trace_encoder *e);
/** trace_encoder_bytes - about how large their payload is. */
size_t trace_encoder_bytes(const struct trace_encoder *e);
/** trace_encoder_finish - the payload, owned by the caller; the encoder is empty again. */
GByteArray *trace_encoder_finish(struct trace_encoder *e);

struct trace_decoder;

/**
 * trace_decoder_new - read a payload.
 * @schema:  of the file; borrowed, as @payload is.
 * @payload: untrusted.
 * @count, @first: of the frame's header.
 * Returns:  NULL if it is damaged.
 */
struct trace_decoder *trace_decoder_new(const struct trace_schema *schema, GBytes *payload,
                                        uint32_t count, uint64_t first);
void trace_decoder_free(struct trace_decoder *d);

enum trace_decode { TRACE_DECODE_EVENT, TRACE_DECODE_END, TRACE_DECODE_BAD };

/**
 * trace_decoder_next - the next event whose kind passes.
 * @want: by number of the kind, NULL: all.  The fields of others are never decoded, so it
 *        must be the same in all calls.
 * @out:  valid until the next call.
 */
enum trace_decode trace_decoder_next(struct trace_decoder *d, const bool *want,
                                     const struct trace_event **out);

#endif
