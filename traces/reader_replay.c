/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a replay needs of a file: images, the log, checkpoints.
 */
#include <string.h>

#include "sim/base/assert.h"
#include "traces/checkpoint.h"
#include "traces/reader_internal.h"

/* --- images -------------------------------------------------------------------------------- */

bool trace_image_is(const struct trace_image *image, GBytes *content)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    uint8_t sha256[32];
    gsize n = sizeof(sha256), size_bytes;
    const void *data = g_bytes_get_data(content, &size_bytes);

    g_checksum_update(sum, data, (gssize)size_bytes);
    g_checksum_get_digest(sum, sha256, &n);
    return size_bytes == image->size_bytes && memcmp(sha256, image->sha256, sizeof(sha256)) == 0;
}

GBytes *trace_reader_image(struct trace_reader *r, unsigned index, GError **error)
{
    const struct trace_image *image = &r->info.image[index];
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GBytes) content = NULL;

    BASE_ASSERT(index < r->info.images);
    if (!image->packed) {
        reader_fail(r, error, TRACE_ERROR_MISSING, "image %s is not in the file", image->name);
        return NULL;
    }
    for (guint i = 0; i < r->by_type[TRACE_FRAME_IMAGE]->len; i++) {
        const struct trace_frame *f = reader_frame(r, TRACE_FRAME_IMAGE, i);
        g_autoptr(GBytes) part = NULL;

        if (f->ident != index)
            continue;
        if (bytes->len + (uint64_t)f->raw_bytes > image->size_bytes) {
            reader_damaged(r, f, error);
            return NULL;
        }
        part = reader_payload(r, f, error);
        if (!part)
            return NULL;
        g_byte_array_append(bytes, g_bytes_get_data(part, NULL), (guint)g_bytes_get_size(part));
    }
    if (bytes->len < image->size_bytes && !r->closed) {
        reader_fail(r, error, TRACE_ERROR_MISSING, "cut off: it ends within image %s", image->name);
        return NULL;
    }
    content = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    if (trace_image_is(image, content))
        return g_steal_pointer(&content);
    reader_fail(r, error, TRACE_ERROR_FORMAT, "damaged: image %s is not what was packed",
                image->name);
    return NULL;
}

/* --- the log ------------------------------------------------------------------------------- */

unsigned trace_reader_logs(const struct trace_reader *r)
{
    return r->by_type[TRACE_FRAME_LOG]->len;
}

struct trace_log *trace_reader_log(struct trace_reader *r, unsigned index, GError **error)
{
    const struct trace_frame *f = reader_frame(r, TRACE_FRAME_LOG, index);
    GBytes *payload = reader_payload(r, f, error);
    struct trace_log *log;
    size_t size_bytes;
    const void *data;

    if (!payload)
        return NULL;
    log = trace_log_new();
    log->payload = payload;
    data = g_bytes_get_data(payload, &size_bytes);
    if (trace_log_get(log, data, size_bytes))
        return log;
    reader_damaged(r, f, error);
    trace_log_free(log);
    return NULL;
}

unsigned trace_reader_log_at(const struct trace_reader *r, uint64_t insns)
{
    unsigned low = 0, high = trace_reader_logs(r);

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (reader_frame(r, TRACE_FRAME_LOG, middle)->last_insns >= insns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* --- checkpoints --------------------------------------------------------------------------- */

static struct trace_checkpoint_body *read_checkpoint(struct trace_reader *r, unsigned index,
                                                     GError **error)
{
    const struct trace_frame *f = reader_frame(r, TRACE_FRAME_CHECKPOINT, index);
    g_autoptr(GBytes) payload = reader_payload(r, f, error);
    struct trace_checkpoint_body *c;
    size_t size_bytes;
    const void *data;

    if (!payload)
        return NULL;
    data = g_bytes_get_data(payload, &size_bytes);
    c = trace_checkpoint_get(data, size_bytes);
    if (!c)
        reader_damaged(r, f, error);
    return c;
}

GBytes *trace_reader_state(struct trace_reader *r, unsigned index, struct trace_position *at,
                           GBytes **capture, GError **error)
{
    struct trace_checkpoint_body *c = read_checkpoint(r, index, error);
    GBytes *state;

    if (!c)
        return NULL;
    *at = c->at;
    state = g_bytes_new(c->state->data, c->state->len);
    *capture = g_bytes_new(c->capture->data, c->capture->len);
    trace_checkpoint_free(c);
    return state;
}

/* Which pages have been given already: their newest version comes first. */
struct seen {
    GByteArray *bits;
};

static bool see(struct seen *s, uint64_t mfn)
{
    guint at = (guint)(mfn / 8), need = at + 1, had = s->bits->len;
    uint8_t bit = (uint8_t)(1u << (mfn % 8));

    if (need > had) {
        need = MAX(need, had * 2);
        g_byte_array_set_size(s->bits, need);
        memset(s->bits->data + had, 0, need - had);
    }
    if (s->bits->data[at] & bit)
        return false;
    s->bits->data[at] |= bit;
    return true;
}

typedef bool page_fn(void *user, uint64_t mfn, const uint8_t *data);

static gboolean give_list(struct trace_reader *r, const struct trace_page_list *list,
                          struct seen *seen, page_fn *page, void *user, GError **error)
{
    const struct trace_frame *f;
    g_autoptr(GBytes) payload = NULL;
    const uint8_t *data = NULL;

    if (list->frame >= r->frames->len)
        return reader_fail(r, error, TRACE_ERROR_FORMAT,
                           "damaged: a checkpoint names a frame that is not there");
    f = &g_array_index(r->frames, struct trace_frame, list->frame);
    if (f->type != TRACE_FRAME_PAGES || f->raw_bytes != list->mfns->len * TRACE_PAGE_BYTES)
        return reader_damaged(r, f, error);
    for (guint i = 0; i < list->mfns->len; i++) {
        uint64_t mfn = g_array_index(list->mfns, uint64_t, i);

        if (!see(seen, mfn))
            continue;
        if (!payload) { /* only if a page of it is the newest */
            payload = reader_payload(r, f, error);
            if (!payload)
                return FALSE;
            data = g_bytes_get_data(payload, NULL);
        }
        if (!page(user, mfn, data + (size_t)i * TRACE_PAGE_BYTES))
            return reader_fail(r, error, TRACE_ERROR_FORMAT,
                               "damaged: the machine has no frame 0x%" G_GINT64_MODIFIER "x", mfn);
    }
    return TRUE;
}

static gboolean give_pages(struct trace_reader *r, const struct trace_checkpoint_body *c,
                           struct seen *seen, page_fn *page, void *user, GError **error)
{
    for (guint i = 0; i < c->zero->len; i++)
        see(seen, g_array_index(c->zero, uint64_t, i));
    for (guint i = 0; i < c->lists->len; i++)
        if (!give_list(r, g_ptr_array_index(c->lists, i), seen, page, user, error))
            return FALSE;
    return TRUE;
}

gboolean trace_reader_pages(struct trace_reader *r, unsigned index, page_fn *page, void *user,
                            GError **error)
{
    struct seen seen = {g_byte_array_new()};
    gboolean ok = TRUE;

    for (unsigned i = index + 1; ok && i-- > 0;) {
        struct trace_checkpoint_body *c = read_checkpoint(r, i, error);

        ok = c && give_pages(r, c, &seen, page, user, error);
        trace_checkpoint_free(c);
    }
    g_byte_array_unref(seen.bits);
    return ok;
}
