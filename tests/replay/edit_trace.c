/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a trace that is wrong but whole: one payload is changed, and what guards it is made
 * anew.  For tests that ask whether a replay finds the difference.
 *
 *     edit_trace IN OUT flip TYPE N OFFSET BIT     of the Nth frame of the type, decompressed
 *     edit_trace IN OUT damage TYPE N OFFSET BIT   of its payload as it is in the file; nothing is
 *                                                  made anew: this is what a bad disk does
 *     edit_trace IN OUT replace TYPE OLD NEW       texts of equal length, where it is first
 */
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "traces/frame.h"
#include "traces/writer.h"

struct edit {
    char **argv;
    unsigned type, seen;
    bool done;
    GBytes *old_image; /* its hash is replaced in the description */
    GBytes *new_image;
};

static GByteArray *payload_of(const struct trace_frame *f, const uint8_t *data)
{
    GByteArray *raw = g_byte_array_new();

    g_byte_array_set_size(raw, f->raw_bytes);
    if (ZSTD_decompress(raw->data, raw->len, data, f->stored_bytes) != f->raw_bytes)
        exit(2);
    return raw;
}

static bool replace(GByteArray *raw, const void *old, const void *new, size_t size)
{
    for (size_t i = 0; i + size <= raw->len; i++) {
        if (memcmp(raw->data + i, old, size) == 0) {
            memcpy(raw->data + i, new, size);
            return true;
        }
    }
    return false;
}

static void apply(struct edit *e, const struct trace_frame *f, GByteArray *raw)
{
    if (f->type != e->type || e->done)
        return;
    if (strcmp(e->argv[3], "flip") == 0) {
        size_t at = strtoull(e->argv[6], NULL, 0);

        if (e->seen++ != strtoul(e->argv[5], NULL, 0) || at >= raw->len)
            return;
        if (f->type == TRACE_FRAME_IMAGE)
            e->old_image = g_bytes_new(raw->data, raw->len);
        raw->data[at] ^= (uint8_t)(1u << (strtoul(e->argv[7], NULL, 0) & 7));
        if (f->type == TRACE_FRAME_IMAGE)
            e->new_image = g_bytes_new(raw->data, raw->len);
        e->done = true;
    } else {
        e->done = strlen(e->argv[5]) == strlen(e->argv[6]) &&
                  replace(raw, e->argv[5], e->argv[6], strlen(e->argv[5]));
    }
}

static void digest(GBytes *bytes, uint8_t out[32])
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = 32, size;
    const void *data = g_bytes_get_data(bytes, &size);

    g_checksum_update(sum, data, (gssize)size);
    g_checksum_get_digest(sum, out, &n);
    g_checksum_free(sum);
}

/* Goes through all frames; with @w, writes them. */
static void pass(struct edit *e, const uint8_t *data, size_t size, struct trace_writer *w)
{
    struct trace_frame f;

    for (size_t at = TRACE_FILE_HEADER_BYTES; at + TRACE_FRAME_HEADER_BYTES <= size;) {
        GByteArray *raw;

        if (!trace_frame_get(&f, data + at) || f.type == TRACE_FRAME_INDEX)
            return;
        raw = payload_of(&f, data + at + TRACE_FRAME_HEADER_BYTES);
        apply(e, &f, raw);
        if (w && f.type == TRACE_FRAME_DESCRIPTION && e->old_image) {
            uint8_t old[32], new[32];

            digest(e->old_image, old);
            digest(e->new_image, new);
            replace(raw, old, new, 32);
        }
        if (w)
            trace_writer_frame(w, &f, raw);
        else
            g_byte_array_unref(raw);
        at += TRACE_FRAME_HEADER_BYTES + f.stored_bytes;
    }
}

/* Returns: the exit status. */
static int damage(char **argv, const char *data, size_t size)
{
    unsigned type = (unsigned)strtoul(argv[4], NULL, 0), left = (unsigned)strtoul(argv[5], NULL, 0);
    size_t offset = strtoull(argv[6], NULL, 0);
    uint8_t *copy = g_memdup2(data, size);
    struct trace_frame f;
    bool done = false;

    for (size_t at = TRACE_FILE_HEADER_BYTES; !done && at + TRACE_FRAME_HEADER_BYTES <= size;
         at += TRACE_FRAME_HEADER_BYTES + f.stored_bytes) {
        if (!trace_frame_get(&f, copy + at))
            break;
        if (f.type != type || left--)
            continue;
        if (offset >= f.stored_bytes)
            break;
        copy[at + TRACE_FRAME_HEADER_BYTES + offset] ^=
            (uint8_t)(1u << (strtoul(argv[7], NULL, 0) & 7));
        done = g_file_set_contents(argv[2], (const char *)copy, (gssize)size, NULL);
    }
    g_free(copy);
    return done ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct edit first = {.argv = argv}, second;
    GError *error = NULL;
    struct trace_writer *w;
    char *data;
    gsize size;

    if (argc < 7 || !g_file_get_contents(argv[1], &data, &size, &error))
        return 2;
    if (strcmp(argv[3], "damage") == 0)
        return argc < 8 ? 2 : damage(argv, data, size);
    first.type = (unsigned)strtoul(argv[4], NULL, 0);
    second = first;
    pass(&first, (const uint8_t *)data, size, NULL); /* to know the image's new hash */
    second.old_image = first.old_image;
    second.new_image = first.new_image;
    w = trace_writer_new(argv[2], &error);
    if (!w || !first.done)
        return 2;
    pass(&second, (const uint8_t *)data, size, w);
    g_free(data);
    return trace_writer_close(w, &error) ? 0 : 2;
}
