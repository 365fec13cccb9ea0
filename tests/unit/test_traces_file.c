/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace file: what is written is read, from anywhere; what is damaged is refused.
 */
#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/rng.h"
#include "traces/checkpoint.h"
#include "traces/columns.h"
#include "traces/crc32c.h"
#include "traces/description.h"
#include "traces/frame.h"
#include "traces/reader.h"
#include "traces/writer.h"

#define EVENTS 3000u

static char *temporary(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("paravane-test-XXXXXX", &path, NULL);

    cr_assert(fd >= 0);
    close(fd);
    return path;
}

/* --- events that are a function of their number ------------------------------------------- */

static const struct trace_event *make_event(struct trace_build *b, unsigned n)
{
    static const enum trace_kind_id kinds[] = {TRACE_KIND_HYPERCALL, TRACE_KIND_PAGE_TYPE,
                                               TRACE_KIND_CONSOLE, TRACE_KIND_EXCEPTION,
                                               TRACE_KIND_INPUT};
    struct base_rng rng;
    uint64_t insns = 1000 + 37ull * n;
    const struct trace_kind *kind;

    base_rng_init(&rng, 7, n);
    trace_build_begin(b, kinds[base_rng_next(&rng) % 5], insns, insns + n / 100, n % 2);
    kind = b->event.kind;
    if (n % 3)
        trace_build_domain(b, n % 5, n % 2);
    for (unsigned i = 0; i < kind->fields; i++) {
        uint64_t v = base_rng_next(&rng);

        switch (kind->field[i].type) {
        case TRACE_TYPE_TEXT:
        case TRACE_TYPE_BYTES:
            trace_build_bytes(b, i, &v, v % 9);
            break;
        case TRACE_TYPE_BLOBS:
            for (unsigned k = 0; k < n % 4; k++) {
                uint32_t size = (uint32_t)(base_rng_next(&rng) % 60);
                uint8_t *p = trace_build_blob(b, i, (enum trace_role)(v % 24), k % 2, v, size);

                for (uint32_t j = 0; j < size; j++)
                    p[j] = (uint8_t)base_rng_next(&rng);
            }
            break;
        default:
            trace_build_u64(b, i, v >> (v % 64));
        }
    }
    return trace_build_end(b);
}

static void check_blob(const struct trace_blob *a, const struct trace_blob *b, unsigned n)
{
    cr_assert(a->role == b->role && a->stage == b->stage && a->gva == b->gva &&
                  a->size_bytes == b->size_bytes && memcmp(a->data, b->data, a->size_bytes) == 0,
              "blob of event %u", n);
}

static void check_event(const struct trace_event *a, const struct trace_event *b, unsigned n)
{
    cr_assert(a->kind->id == b->kind->id && strcmp(a->kind->name, b->kind->name) == 0, "event %u",
              n);
    cr_assert(a->insns == b->insns && a->virtual_ns == b->virtual_ns && a->vcpu == b->vcpu &&
                  a->domid == b->domid && a->dom_vcpu == b->dom_vcpu,
              "instant of event %u", n);
    cr_assert_eq(a->kind->fields, b->kind->fields);
    for (unsigned i = 0; i < a->kind->fields; i++) {
        const struct trace_value *x = &a->value[i], *y = &b->value[i];
        enum trace_type type = a->kind->field[i].type;

        cr_assert(x->u64 == y->u64, "event %u field %s: %lx, %lx", n, a->kind->field[i].name,
                  (long)x->u64, (long)y->u64);
        if (type == TRACE_TYPE_TEXT || type == TRACE_TYPE_BYTES)
            cr_assert(x->u64 == 0 || memcmp(x->bytes, y->bytes, x->u64) == 0, "event %u", n);
        for (uint64_t k = 0; type == TRACE_TYPE_BLOBS && k < x->u64; k++)
            check_blob(&x->blob[k], &y->blob[k], n);
    }
}

/* --- a whole file -------------------------------------------------------------------------- */

static void put_description(struct trace_writer *w)
{
    struct trace_description *d = trace_description_new();
    const char *kinds[] = {"hypercall", "console", NULL};
    struct trace_image image = {.name = "kernel", .path = "/x/y", .size_bytes = 5, .packed = true};
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = 32;

    g_checksum_update(sum, (const guchar *)"image", 5);
    g_checksum_get_digest(sum, image.sha256, &n);
    g_checksum_free(sum);
    d->program = g_strdup("1.2");
    d->config = g_strdup("[machine]\n");
    d->config_name = g_strdup("a.machine");
    d->cpu_model = g_strdup("m");
    d->vcpus = 2;
    d->seed = 99;
    d->kinds = g_strdupv((char **)kinds);
    trace_description_add_image(d, &image);
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_DESCRIPTION},
                       trace_description_put(d));
    trace_description_free(d);
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_IMAGE},
                       g_byte_array_append(g_byte_array_new(), (const guint8 *)"image", 5));
}

static void put_log(struct trace_writer *w, uint64_t until)
{
    struct trace_log *log = trace_log_new();
    struct trace_link p = {.at = {until, until + 1, until - 3, 1}, .vcpus = 2};

    log->until = p.at;
    trace_log_input(log, &(struct trace_input){.virtual_ns = until - 2,
                                               .insns = until - 1,
                                               .data = (const uint8_t *)"ab",
                                               .size_bytes = 2});
    for (unsigned i = 0; i < TRACE_LINK_REGS; i++)
        p.reg[1][i] = until * i;
    p.digest.memory = until * 0x9e3779b97f4a7c15ull;
    g_array_append_val(log->points, p);
    trace_writer_frame(
        w, &(struct trace_frame){.type = TRACE_FRAME_LOG, .last_insns = until, .count = 1},
        trace_log_put(log));
    trace_log_free(log);
}

static void put_events(struct trace_writer *w, struct trace_encoder *e, unsigned first,
                       unsigned count)
{
    g_autofree struct trace_build *b = g_new0(struct trace_build, 1);
    struct trace_frame f = {.type = TRACE_FRAME_EVENTS, .ident = first, .count = count};

    for (unsigned i = first; i < first + count; i++) {
        const struct trace_event *event = make_event(b, i);

        trace_encoder_add(e, event);
        f.first_insns = i == first ? event->insns : f.first_insns;
        f.last_insns = event->insns;
    }
    trace_writer_frame(w, &f, trace_encoder_finish(e));
}

/* Two pages in the first checkpoint, one of them newer and one zero in the second. */
static void put_checkpoint(struct trace_writer *w, unsigned number)
{
    struct trace_checkpoint_body *c = trace_checkpoint_new();
    struct trace_page_list *list = trace_checkpoint_list(c);
    GByteArray *pages = g_byte_array_new();
    uint64_t mfn = 5, other = 9, gone = 9;

    g_byte_array_set_size(pages, number ? 4096 : 8192);
    memset(pages->data, number ? 0x22 : 0x11, pages->len);
    g_array_append_val(list->mfns, mfn);
    if (number)
        g_array_append_val(c->zero, gone);
    else
        g_array_append_val(list->mfns, other);
    list->frame = trace_writer_frame(
        w, &(struct trace_frame){.type = TRACE_FRAME_PAGES, .count = list->mfns->len}, pages);
    c->at.insns = 1000 * (number + 1);
    g_byte_array_append(c->state, (const guint8 *)"state", 5);
    trace_writer_frame(
        w, &(struct trace_frame){.type = TRACE_FRAME_CHECKPOINT, .last_insns = c->at.insns},
        trace_checkpoint_put(c));
    trace_checkpoint_free(c);
}

static void put_ending(struct trace_writer *w)
{
    struct trace_end end = {.stop_reason = g_strdup("limit"), .state_hash = g_strdup("00ff")};

    end.point.at.insns = 5000;
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_ENDING, .last_insns = 5000},
                       trace_end_put(&end));
    trace_end_clear(&end);
}

static void write_file(const char *path, unsigned events, bool close_it)
{
    GError *error = NULL;
    struct trace_writer *w = trace_writer_new(path, &error);
    struct trace_encoder *e = trace_encoder_new();

    cr_assert(w, "%s", error ? error->message : "");
    put_description(w);
    put_checkpoint(w, 0);
    put_log(w, 1000);
    for (unsigned at = 0; at < events; at += 500)
        put_events(w, e, at, MIN(500, events - at));
    put_checkpoint(w, 1);
    put_log(w, 5000);
    if (close_it)
        put_ending(w);
    cr_assert(trace_writer_close(w, &error), "%s", error ? error->message : "");
    trace_encoder_free(e);
}

static struct trace_reader *open_good(const char *path)
{
    GError *error = NULL;
    struct trace_reader *r = trace_reader_open(path, &error);

    cr_assert(r, "%s", error ? error->message : "");
    return r;
}

Test(traces_crc32c, known_values)
{
    uint8_t zero[32] = {0};

    cr_assert_eq(crc32c(0, "123456789", 9), 0xe3069283u);
    cr_assert_eq(crc32c(0, zero, 32), 0x8a9136aau); /* RFC 3720 B.4 */
    cr_assert_eq(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

Test(traces_file, events_come_back_in_order_and_equal)
{
    g_autofree char *path = temporary();
    g_autofree struct trace_build *b = g_new0(struct trace_build, 1);
    const struct trace_event *event;
    struct trace_reader *r;
    struct trace_cursor *c;

    write_file(path, EVENTS, true);
    r = open_good(path);
    c = trace_cursor_new(r);
    cr_assert_eq(trace_reader_info(r)->events, EVENTS);
    for (unsigned i = 0; i < EVENTS; i++) {
        cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_EVENT, "event %u", i);
        cr_assert_eq(event->number, i);
        check_event(event, make_event(b, i), i);
    }
    cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_END);
    trace_cursor_free(c);
    trace_reader_free(r);
    g_unlink(path);
}

Test(traces_file, seeking_and_filtering_agree_with_reading_all)
{
    g_autofree char *path = temporary();
    g_autofree struct trace_build *b = g_new0(struct trace_build, 1);
    static const unsigned place[] = {0, 1, 499, 500, 1234, EVENTS - 1};
    bool want[TRACE_KIND_MAX + 1] = {0};
    const struct trace_event *event;
    struct trace_reader *r;
    struct trace_cursor *c;

    write_file(path, EVENTS, true);
    r = open_good(path);
    c = trace_cursor_new(r);
    for (unsigned i = 0; i < G_N_ELEMENTS(place); i++) {
        cr_assert(trace_cursor_seek_event(c, place[i], NULL));
        cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_EVENT);
        check_event(event, make_event(b, place[i]), place[i]);
        cr_assert(trace_cursor_seek_insns(c, 1000 + 37ull * place[i] - 5, NULL));
        cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_EVENT);
        cr_assert_eq(event->number, place[i], "sought %u", place[i]);
    }
    want[TRACE_KIND_PAGE_TYPE] = true;
    trace_cursor_want(c, want);
    cr_assert(trace_cursor_seek_event(c, 0, NULL));
    for (unsigned i = 0; i < EVENTS; i++) {
        if (make_event(b, i)->kind->id != TRACE_KIND_PAGE_TYPE)
            continue;
        cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_EVENT);
        check_event(event, make_event(b, i), i);
    }
    cr_assert_eq(trace_cursor_next(c, &event, NULL), TRACE_NEXT_END);
    trace_cursor_free(c);
    trace_reader_free(r);
    g_unlink(path);
}

static bool take_page(void *user, uint64_t mfn, const uint8_t *data)
{
    uint8_t *seen = user;

    cr_assert(mfn < 16 && !seen[mfn]);
    seen[mfn] = data[4095];
    return true;
}

Test(traces_file, checkpoints_give_the_newest_pages)
{
    g_autofree char *path = temporary();
    uint8_t first[16] = {0}, second[16] = {0};
    struct trace_position at;
    struct trace_reader *r;
    GBytes *state, *capture;

    write_file(path, 10, true);
    r = open_good(path);
    cr_assert_eq(trace_reader_info(r)->checkpoints, 2);
    cr_assert_eq(trace_reader_info(r)->checkpoint[0].pages, 2);
    cr_assert(trace_reader_pages(r, 0, take_page, first, NULL));
    cr_assert(first[5] == 0x11 && first[9] == 0x11);
    cr_assert(trace_reader_pages(r, 1, take_page, second, NULL));
    cr_assert(second[5] == 0x22 && second[9] == 0);
    state = trace_reader_state(r, 1, &at, &capture, NULL);
    cr_assert(state && g_bytes_get_size(state) == 5 && at.insns == 2000);
    g_bytes_unref(state);
    g_bytes_unref(capture);
    trace_reader_free(r);
    g_unlink(path);
}

Test(traces_file, log_image_and_ending_come_back)
{
    g_autofree char *path = temporary();
    const struct trace_info *info;
    struct trace_reader *r;
    struct trace_log *log;
    const struct trace_input *in;
    const struct trace_link *p;
    GBytes *image;

    write_file(path, 10, true);
    r = open_good(path);
    info = trace_reader_info(r);
    cr_assert(info->seed == 99 && info->vcpus == 2 && info->inputs == 2 && info->insns == 5000);
    cr_assert_str_eq(info->kinds[1], "console");
    cr_assert(info->ending && strcmp(info->ending->stop_reason, "limit") == 0);
    cr_assert_eq(info->cut_bytes, 0);
    cr_assert_eq(trace_reader_logs(r), 2);
    cr_assert(trace_reader_log_at(r, 1000) == 0 && trace_reader_log_at(r, 1001) == 1 &&
              trace_reader_log_at(r, 5001) == 2);
    log = trace_reader_log(r, 1, NULL);
    in = &g_array_index(log->inputs, struct trace_input, 0);
    p = &g_array_index(log->points, struct trace_link, 0);
    cr_assert(in->virtual_ns == 4998 && in->insns == 4999 && memcmp(in->data, "ab", 2) == 0);
    cr_assert(p->at.slice_ns == 4997 && p->at.turn == 1 && p->reg[1][27] == 5000 * 27);
    trace_log_free(log);
    image = trace_reader_image(r, 0, NULL);
    cr_assert(image && memcmp(g_bytes_get_data(image, NULL), "image", 5) == 0);
    g_bytes_unref(image);
    trace_reader_free(r);
    g_unlink(path);
}

/* --- damage -------------------------------------------------------------------------------- */

/* Reads all there is.  Returns: how many events came before the end or an error; -1 when it
 * could not be opened. */
static int read_everything(const char *path, GError **error)
{
    g_autofree struct trace_build *b = g_new0(struct trace_build, 1);
    struct trace_reader *r = trace_reader_open(path, error);
    const struct trace_event *event;
    uint8_t seen[16] = {0};
    struct trace_cursor *c;
    enum trace_next next;
    int n = 0;

    if (!r)
        return -1;
    for (unsigned i = 0; i < trace_reader_logs(r); i++)
        trace_log_free(trace_reader_log(r, i, NULL));
    for (unsigned i = 0; i < trace_reader_info(r)->checkpoints; i++) {
        memset(seen, 0, sizeof(seen));
        trace_reader_pages(r, i, take_page, seen, NULL);
    }
    c = trace_cursor_new(r);
    while ((next = trace_cursor_next(c, &event, error)) == TRACE_NEXT_EVENT) {
        cr_assert_eq(event->number, (unsigned)n);
        check_event(event, make_event(b, (unsigned)n), (unsigned)n);
        n++;
    }
    cr_assert_eq(next == TRACE_NEXT_ERROR, error && *error);
    trace_cursor_free(c);
    trace_reader_free(r);
    return n;
}

Test(traces_file, every_truncation_reads_as_a_prefix, .timeout = 120)
{
    g_autofree char *path = temporary(), *bytes = NULL;
    int last = -1;
    gsize size;

    write_file(path, 12, true);
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize length = 0; length < size; length++) {
        g_autoptr(GError) error = NULL;
        int n;

        cr_assert(g_file_set_contents_full(path, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE,
                                           0666, NULL));
        n = read_everything(path, &error);
        cr_assert(n >= last, "%d events of %zu bytes, but %d of fewer", n, length, last);
        cr_assert((n < 0) == (error != NULL), "%zu bytes: %s", length, error ? error->message : "");
        last = n;
    }
    cr_assert_eq(last, 12);
    g_unlink(path);
}

Test(traces_file, every_changed_byte_is_found_or_harmless, .timeout = 300)
{
    g_autofree char *path = temporary(), *bytes = NULL;
    static const uint8_t flip[] = {0x01, 0x80, 0xff};
    unsigned found = 0;
    gsize size;

    write_file(path, 12, true);
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize i = 0; i < size; i++) {
        for (unsigned k = 0; k < G_N_ELEMENTS(flip); k++) {
            g_autoptr(GError) error = NULL;

            bytes[i] ^= (char)flip[k];
            cr_assert(g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE,
                                               0666, NULL));
            bytes[i] ^= (char)flip[k];
            read_everything(path, &error); /* asserts that what it reads is right */
            found += error != NULL;
        }
    }
    cr_assert(found > size, "%u of %zu", found, size * 3);
    g_unlink(path);
}

Test(traces_file, unknown_newer_version_is_refused_with_what_is_needed)
{
    g_autofree char *path = temporary(), *bytes = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t crc;
    gsize size;

    write_file(path, 1, true);
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    bytes[12] = bytes[14] = TRACE_VERSION + 1;
    crc = GUINT32_TO_LE(crc32c(0, bytes, 60));
    memcpy(bytes + 60, &crc, 4);
    cr_assert(
        g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    cr_assert_null(trace_reader_open(path, &error));
    cr_assert(g_error_matches(error, TRACE_ERROR, TRACE_ERROR_VERSION));
    cr_assert(strstr(error->message, "needs"), "%s", error->message);
    g_unlink(path);
}

Test(traces_file, newer_version_that_old_readers_understand_is_read)
{
    g_autofree char *path = temporary(), *bytes = NULL;
    struct trace_reader *r;
    uint32_t crc;
    gsize size;

    write_file(path, 1, true);
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    bytes[12] = TRACE_VERSION + 1;
    crc = GUINT32_TO_LE(crc32c(0, bytes, 60));
    memcpy(bytes + 60, &crc, 4);
    cr_assert(
        g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    r = open_good(path);
    cr_assert_eq(trace_reader_info(r)->version, TRACE_VERSION + 1);
    trace_reader_free(r);
    g_unlink(path);
}

Test(traces_file, growing_file_is_followed)
{
    g_autofree char *path = temporary(), *bytes = NULL;
    const struct trace_event *event;
    struct trace_reader *r;
    struct trace_cursor *c;
    unsigned n = 0;
    bool grown;
    gsize size;

    write_file(path, 1500, true);
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    cr_assert(truncate(path, (off_t)size / 2) == 0);
    r = open_good(path);
    c = trace_cursor_new(r);
    while (trace_cursor_next(c, &event, NULL) == TRACE_NEXT_EVENT)
        n++;
    cr_assert(n < 1500);
    cr_assert(trace_reader_refresh(r, &grown, NULL) && !grown);
    { /* in place: the reader has the file open */
        FILE *f = fopen(path, "r+");

        cr_assert(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
    }
    cr_assert(trace_reader_refresh(r, &grown, NULL) && grown);
    while (trace_cursor_next(c, &event, NULL) == TRACE_NEXT_EVENT)
        cr_assert_eq(event->number, n++);
    cr_assert_eq(n, 1500);
    cr_assert(trace_reader_info(r)->ending);
    trace_cursor_free(c);
    trace_reader_free(r);
    g_unlink(path);
}

Test(traces_writer, same_frames_make_the_same_file)
{
    g_autofree char *a = temporary(), *b = temporary(), *x = NULL, *y = NULL;
    gsize n, m;

    write_file(a, 700, true);
    write_file(b, 700, true);
    cr_assert(g_file_get_contents(a, &x, &n, NULL) && g_file_get_contents(b, &y, &m, NULL));
    cr_assert(n == m && memcmp(x, y, n) == 0);
    g_unlink(a);
    g_unlink(b);
}

Test(traces_writer, full_disk_is_an_error)
{
    GError *error = NULL;
    struct trace_writer *w = trace_writer_new("/dev/full", &error);

    cr_assert(!w && error);
    cr_assert(strstr(error->message, "/dev/full"), "%s", error->message);
    g_error_free(error);
}
