/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: the trace reader on any bytes.
 *
 * Checksums would keep the fuzzer out of the decoders, so the first byte chooses: the file as
 * it is; or the input as the payload of one frame of a sound file, written with right checksums.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/checkpoint.h"
#include "traces/description.h"
#include "traces/line.h"
#include "traces/reader.h"
#include "traces/writer.h"

#define FILE_BYTES_MAX (1u << 20)

static char path[] = "/tmp/paravane-fuzz-trace-XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

static void write_plain(const uint8_t *data, size_t size)
{
    g_file_set_contents_full(path, (const char *)data, (gssize)size, G_FILE_SET_CONTENTS_NONE,
                             0600, NULL);
}

static void put_description(struct trace_writer *w)
{
    struct trace_description *d = trace_description_new();
    struct trace_image image = {.name = "kernel", .path = "k", .size_bytes = 4, .packed = true};

    d->program = g_strdup("1");
    d->config = g_strdup("c");
    d->config_name = g_strdup("n");
    d->cpu_model = g_strdup("m");
    d->vcpus = 1;
    trace_description_add_image(d, &image);
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_DESCRIPTION},
                       trace_description_put(d));
    trace_description_free(d);
}

/* @type 1 to 7: the input is the payload of such a frame; what it needs stands before it. */
static void write_frame(unsigned type, unsigned count, const uint8_t *data, size_t size)
{
    struct trace_writer *w = trace_writer_new(path, NULL);
    struct trace_frame f = {.type = (uint8_t)type, .count = count};
    GByteArray *pages = g_byte_array_new();

    if (!w)
        abort();
    if (type != TRACE_FRAME_DESCRIPTION)
        put_description(w);
    g_byte_array_set_size(pages, 2 * TRACE_PAGE_BYTES);
    memset(pages->data, 1, pages->len);
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_PAGES, .count = 2}, pages);
    trace_writer_frame(w, &f, g_byte_array_append(g_byte_array_new(), data, (guint)size));
    trace_writer_close(w, NULL);
}

static bool page(void *user, uint64_t mfn, const uint8_t *data)
{
    volatile uint8_t *sum = user;

    (void)mfn;
    *sum ^= data[0] ^ data[TRACE_PAGE_BYTES - 1];
    return true;
}

static void touch_event(const struct trace_event *event, volatile uint8_t *sum)
{
    for (unsigned i = 0; i < event->kind->fields; i++) {
        const struct trace_value *v = &event->value[i];
        enum trace_type type = event->kind->field[i].type;

        if ((type == TRACE_TYPE_TEXT || type == TRACE_TYPE_BYTES) && v->u64)
            *sum ^= v->bytes[0] ^ v->bytes[v->u64 - 1];
        for (uint64_t k = 0; type == TRACE_TYPE_BLOBS && k < v->u64; k++)
            if (v->blob[k].size_bytes)
                *sum ^= v->blob[k].data[0] ^ v->blob[k].data[v->blob[k].size_bytes - 1];
    }
}

/* What dump, grep and export do with it. */
static void show_event(const struct trace_event *event, GString *text)
{
    static const struct trace_line_options options = {.number = true, .insns = true, .vcpu = true};
    struct trace_term term = {TRACE_TERM_FRAME, 1};
    struct trace_out line = {.items_max = 4}, found = {.term = &term, .terms = 1, .only_hits = true};
    struct trace_out json = {.json = text};

    g_string_truncate(text, 0);
    trace_line(text, event, &line, &options);
    trace_line(text, event, &found, &options);
    trace_out_start(&json);
    trace_decode_fields(&json, event);
    trace_decode_event(&json, event);
}

static void read_all(void)
{
    struct trace_reader *r = trace_reader_open(path, NULL);
    const struct trace_event *event;
    volatile uint8_t sum = 0;
    g_autoptr(GString) text = g_string_new(NULL);
    struct trace_cursor *c;
    struct trace_position at;

    if (!r)
        return;
    for (unsigned i = 0; i < trace_reader_info(r)->images && i < 4; i++) {
        GBytes *image = trace_reader_image(r, i, NULL);

        if (image)
            g_bytes_unref(image);
    }
    for (unsigned i = 0; i < trace_reader_logs(r); i++)
        trace_log_free(trace_reader_log(r, i, NULL));
    for (unsigned i = 0; i < trace_reader_info(r)->checkpoints; i++) {
        GBytes *capture = NULL, *state = trace_reader_state(r, i, &at, &capture, NULL);

        if (state) {
            g_bytes_unref(state);
            g_bytes_unref(capture);
        }
        trace_reader_pages(r, i, page, (void *)&sum, NULL);
    }
    c = trace_cursor_new(r);
    while (trace_cursor_next(c, &event, NULL) == TRACE_NEXT_EVENT) {
        touch_event(event, &sum);
        show_event(event, text);
    }
    trace_cursor_free(c);
    trace_reader_check(r, NULL);
    trace_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;

    if (!ready) {
        int fd = mkstemp(path);

        if (fd < 0)
            abort();
        close(fd);
        atexit(remove_file);
        ready = true;
    }
    if (size < 2 || size > FILE_BYTES_MAX)
        return 0;
    if (data[0] % 8 == 0)
        write_plain(data + 1, size - 1);
    else
        write_frame(data[0] % 8, data[1], data + 2, size - 2);
    read_all();
    return 0;
}
