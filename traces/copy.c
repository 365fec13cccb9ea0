/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/copy.h"

#include <string.h>

static bool is_bytes(const struct trace_field *f)
{
    return f->type == TRACE_TYPE_TEXT || f->type == TRACE_TYPE_BYTES;
}

static void append(GByteArray *to, const uint8_t *data, uint64_t size)
{
    if (size)
        g_byte_array_append(to, data, (guint)size);
}

/* All bytes in one piece, in the order of the fields. */
static void gather(struct trace_copy *copy, const struct trace_event *e)
{
    for (unsigned i = 0; i < e->kind->fields; i++) {
        const struct trace_value *value = &e->value[i];

        if (is_bytes(&e->kind->field[i]))
            append(copy->bytes, value->bytes, value->u64);
        if (e->kind->field[i].type != TRACE_TYPE_BLOBS)
            continue;
        for (uint64_t k = 0; k < value->u64; k++)
            append(copy->bytes, value->blob[k].data, value->blob[k].size_bytes);
        if (value->u64)
            g_array_append_vals(copy->blobs, value->blob, (guint)value->u64);
    }
}

/* Pointers, now that nothing moves any more. */
static void point(struct trace_copy *copy)
{
    const uint8_t *bytes = copy->bytes->data;
    struct trace_blob *blob = (struct trace_blob *)(void *)copy->blobs->data;
    struct trace_event *e = &copy->event;

    for (unsigned i = 0; i < e->kind->fields; i++) {
        struct trace_value *value = &e->value[i];

        if (is_bytes(&e->kind->field[i])) {
            value->bytes = bytes;
            bytes += value->u64;
        }
        if (e->kind->field[i].type != TRACE_TYPE_BLOBS)
            continue;
        value->blob = blob;
        for (uint64_t k = 0; k < value->u64; k++, blob++) {
            blob->data = bytes;
            bytes += blob->size_bytes;
        }
    }
}

void trace_copy_set(struct trace_copy *copy, const struct trace_event *e)
{
    if (!copy->bytes) {
        copy->bytes = g_byte_array_new();
        copy->blobs = g_array_new(FALSE, FALSE, sizeof(struct trace_blob));
    }
    g_byte_array_set_size(copy->bytes, 0);
    g_array_set_size(copy->blobs, 0);
    memcpy(&copy->event, e, offsetof(struct trace_event, value));
    memcpy(copy->event.value, e->value, e->kind->fields * sizeof(e->value[0]));
    gather(copy, e);
    point(copy);
}

void trace_copy_clear(struct trace_copy *copy)
{
    g_clear_pointer(&copy->bytes, g_byte_array_unref);
    g_clear_pointer(&copy->blobs, g_array_unref);
}
