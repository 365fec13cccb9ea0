/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/checkpoint.h"

#include "traces/pack.h"

static void list_free(gpointer p)
{
    struct trace_page_list *list = p;

    g_array_unref(list->mfns);
    g_free(list);
}

struct trace_checkpoint_body *trace_checkpoint_new(void)
{
    struct trace_checkpoint_body *c = g_new0(struct trace_checkpoint_body, 1);

    c->state = g_byte_array_new();
    c->capture = g_byte_array_new();
    c->zero = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->lists = g_ptr_array_new_with_free_func(list_free);
    return c;
}

void trace_checkpoint_free(struct trace_checkpoint_body *c)
{
    if (!c)
        return;
    g_byte_array_unref(c->state);
    g_byte_array_unref(c->capture);
    g_array_unref(c->zero);
    g_ptr_array_unref(c->lists);
    g_free(c);
}

struct trace_page_list *trace_checkpoint_list(struct trace_checkpoint_body *c)
{
    struct trace_page_list *list = g_new0(struct trace_page_list, 1);

    list->mfns = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_ptr_array_add(c->lists, list);
    return list;
}

/* Rising numbers: how many, then each as its distance from the one before. */
static void put_mfns(GByteArray *out, const GArray *mfns)
{
    uint64_t last = 0;

    pack_varint(out, mfns->len);
    for (guint i = 0; i < mfns->len; i++) {
        uint64_t mfn = g_array_index(mfns, uint64_t, i);

        pack_varint(out, mfn - last);
        last = mfn;
    }
}

static void get_mfns(struct unpack *in, GArray *mfns)
{
    uint64_t last = 0;

    for (uint64_t left = unpack_varint(in); left && !in->bad; left--) {
        last += unpack_varint(in);
        if (last > TRACE_MFN_MAX)
            in->bad = true;
        if (!in->bad)
            g_array_append_val(mfns, last);
    }
}

GByteArray *trace_checkpoint_put(const struct trace_checkpoint_body *c)
{
    GByteArray *out = g_byte_array_new();

    pack_varint(out, c->at.insns);
    pack_varint(out, c->at.virtual_ns);
    pack_varint(out, c->at.slice_ns);
    pack_varint(out, c->at.turn);
    pack_varint(out, c->event);
    pack_bytes(out, c->state->data, c->state->len);
    pack_bytes(out, c->capture->data, c->capture->len);
    put_mfns(out, c->zero);
    pack_varint(out, c->lists->len);
    for (guint i = 0; i < c->lists->len; i++) {
        const struct trace_page_list *list = g_ptr_array_index(c->lists, i);

        pack_varint(out, list->frame);
        put_mfns(out, list->mfns);
    }
    return out;
}

static void get_bytes(struct unpack *in, GByteArray *out)
{
    uint64_t size_bytes = unpack_varint(in);
    const uint8_t *data = unpack_take(in, size_bytes);

    if (data)
        g_byte_array_append(out, data, (guint)size_bytes);
}

static void get_list(struct unpack *in, struct trace_checkpoint_body *c)
{
    struct trace_page_list *list = trace_checkpoint_list(c);
    uint64_t frame = unpack_varint(in);

    get_mfns(in, list->mfns);
    list->frame = (uint32_t)frame;
    if (frame > UINT32_MAX || list->mfns->len > TRACE_PAGES_PER_FRAME)
        in->bad = true;
}

struct trace_checkpoint_body *trace_checkpoint_get(const void *data, size_t size_bytes)
{
    struct trace_checkpoint_body *c = trace_checkpoint_new();
    struct unpack in = unpack_init(data, size_bytes);

    c->at.insns = unpack_varint(&in);
    c->at.virtual_ns = unpack_varint(&in);
    c->at.slice_ns = unpack_varint(&in);
    c->at.turn = unpack_varint(&in);
    c->event = unpack_varint(&in);
    get_bytes(&in, c->state);
    get_bytes(&in, c->capture);
    get_mfns(&in, c->zero);
    for (uint64_t left = unpack_varint(&in); left && !in.bad; left--)
        get_list(&in, c);
    if (!in.bad && in.left == 0)
        return c;
    trace_checkpoint_free(c);
    return NULL;
}
