/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding one's way in a file.
 *
 * A file that was closed has an index at its end: the headers of all frames.  Otherwise, and
 * if the index is not what it should be, the headers are read one after the other; each says
 * where the next one is.  Either way nothing is decompressed but the description.
 */
#include "traces/reader_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "traces/crc32c.h"
#include "traces/pack.h"

/* --- bytes --------------------------------------------------------------------------------- */

gboolean reader_fail(const struct trace_reader *r, GError **error, enum trace_error code,
                     const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, TRACE_ERROR, code, "%s: %s", r->path, text);
    return FALSE;
}

/* Returns: false when the file ends before, or cannot be read. */
static bool read_at(const struct trace_reader *r, uint64_t offset, void *data, size_t size_bytes)
{
    uint8_t *p = data;

    while (size_bytes) {
        ssize_t n = pread(r->fd, p, size_bytes, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        offset += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return true;
}

gboolean reader_damaged(const struct trace_reader *r, const struct trace_frame *f, GError **error)
{
    return reader_fail(r, error, TRACE_ERROR_FORMAT,
                       "damaged: the frame at byte %" G_GUINT64_FORMAT
                       " (number %u) is not what was written",
                       f->offset, f->number);
}

/* As it is in the file, checked; free it.  NULL with @error. */
static uint8_t *stored_payload(const struct trace_reader *r, const struct trace_frame *f,
                               GError **error)
{
    g_autofree uint8_t *stored = g_malloc(MAX(f->stored_bytes, 1));

    if (!read_at(r, f->offset + TRACE_FRAME_HEADER_BYTES, stored, f->stored_bytes) ||
        crc32c(0, stored, f->stored_bytes) != f->payload_crc) {
        reader_damaged(r, f, error);
        return NULL;
    }
    return g_steal_pointer(&stored);
}

GBytes *reader_payload(struct trace_reader *r, const struct trace_frame *f, GError **error)
{
    g_autofree uint8_t *stored = stored_payload(r, f, error);
    g_autofree uint8_t *raw = NULL;
    size_t n;

    if (!stored)
        return NULL;
    raw = g_malloc(MAX(f->raw_bytes, 1));
    n = ZSTD_decompressDCtx(r->zstd, raw, f->raw_bytes, stored, f->stored_bytes);
    if (ZSTD_isError(n) || n != f->raw_bytes) {
        reader_damaged(r, f, error);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&raw), f->raw_bytes);
}

const struct trace_frame *reader_frame(const struct trace_reader *r, unsigned type, unsigned index)
{
    return &g_array_index(r->frames, struct trace_frame,
                          g_array_index(r->by_type[type], uint32_t, index));
}

/* --- frames -------------------------------------------------------------------------------- */

static void count_bytes(struct trace_info *info, const struct trace_frame *f)
{
    uint64_t n = TRACE_FRAME_HEADER_BYTES + (uint64_t)f->stored_bytes;

    switch (f->type) {
    case TRACE_FRAME_IMAGE:
        info->image_bytes += n;
        break;
    case TRACE_FRAME_LOG:
        info->log_bytes += n;
        info->inputs += f->count;
        break;
    case TRACE_FRAME_EVENTS:
        info->event_bytes += n;
        info->events = f->ident + f->count;
        break;
    case TRACE_FRAME_PAGES:
    case TRACE_FRAME_CHECKPOINT:
        info->checkpoint_bytes += n;
        break;
    default:
        info->header_bytes += n;
        break;
    }
}

/* Pages that belong to it: those of the PAGES frames right before it. */
static void add_checkpoint(struct trace_reader *r, const struct trace_frame *f)
{
    struct trace_checkpoint c = {.insns = f->last_insns,
                                 .virtual_ns = f->virtual_ns,
                                 .event = f->ident,
                                 .offset = f->offset,
                                 .size_bytes =
                                     TRACE_FRAME_HEADER_BYTES + (uint64_t)f->stored_bytes};

    for (guint i = r->frames->len - 1; i-- > 0;) {
        const struct trace_frame *pages = &g_array_index(r->frames, struct trace_frame, i);

        if (pages->type != TRACE_FRAME_PAGES)
            break;
        c.pages += pages->count;
        c.size_bytes += TRACE_FRAME_HEADER_BYTES + (uint64_t)pages->stored_bytes;
    }
    g_array_append_val(r->checkpoints, c);
}

static void add_frame(struct trace_reader *r, const struct trace_frame *f)
{
    uint32_t at = r->frames->len;

    g_array_append_val(r->frames, *f);
    if (f->type < G_N_ELEMENTS(r->by_type) && r->by_type[f->type])
        g_array_append_val(r->by_type[f->type], at);
    r->end = f->offset + TRACE_FRAME_HEADER_BYTES + f->stored_bytes;
    count_bytes(&r->info, f);
    if (f->type == TRACE_FRAME_CHECKPOINT)
        add_checkpoint(r, f);
    if (f->type == TRACE_FRAME_LOG || f->type == TRACE_FRAME_ENDING)
        r->info.insns = MAX(r->info.insns, f->last_insns);
}

/* Whether @f may follow what is there. */
static bool is_next(const struct trace_reader *r, const struct trace_frame *f)
{
    return f->number == r->frames->len && (f->number > 0 || f->type == TRACE_FRAME_DESCRIPTION);
}

/* From header to header, from where we are to the end of the file. */
static void scan(struct trace_reader *r)
{
    uint8_t header[TRACE_FRAME_HEADER_BYTES];
    struct trace_frame f;

    r->info.damaged = false;
    while (!r->closed && r->size_bytes - r->end >= sizeof(header)) {
        if (!read_at(r, r->end, header, sizeof(header)) || !trace_frame_get(&f, header) ||
            !is_next(r, &f)) {
            r->info.damaged = true;
            break;
        }
        f.offset = r->end;
        if (r->size_bytes - r->end - sizeof(header) < f.stored_bytes)
            break;
        if (f.type == TRACE_FRAME_INDEX) {
            r->closed = true;
            r->end = r->size_bytes;
            break;
        }
        add_frame(r, &f);
    }
}

/* Takes all frames from the index.  Returns: false, with nothing taken, if it is not right. */
static bool take_index(struct trace_reader *r, const uint8_t *p, size_t size_bytes, uint64_t end)
{
    uint64_t offset = TRACE_FILE_HEADER_BYTES;
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(struct trace_frame));
    struct unpack in = unpack_init(p, size_bytes);

    while (in.left) {
        uint64_t at = unpack_u64(&in);
        const uint8_t *header = unpack_take(&in, TRACE_FRAME_HEADER_BYTES);
        struct trace_frame f;

        if (!header || at != offset || !trace_frame_get(&f, header) || f.number != frames->len)
            return false;
        f.offset = at;
        offset = at + TRACE_FRAME_HEADER_BYTES + f.stored_bytes;
        g_array_append_val(frames, f);
    }
    if (offset != end || frames->len == 0 ||
        g_array_index(frames, struct trace_frame, 0).type != TRACE_FRAME_DESCRIPTION)
        return false;
    for (guint i = 0; i < frames->len; i++)
        add_frame(r, &g_array_index(frames, struct trace_frame, i));
    return true;
}

static void use_index(struct trace_reader *r)
{
    uint8_t trailer[TRACE_TRAILER_BYTES], header[TRACE_FRAME_HEADER_BYTES];
    g_autoptr(GBytes) payload = NULL;
    struct trace_frame f;
    uint64_t at;
    size_t size_bytes;
    const uint8_t *data;

    if (r->size_bytes < TRACE_FILE_HEADER_BYTES + sizeof(header) + sizeof(trailer) ||
        !read_at(r, r->size_bytes - sizeof(trailer), trailer, sizeof(trailer)) ||
        !trace_trailer_get(trailer, &at) || at > r->size_bytes - sizeof(trailer) - sizeof(header) ||
        !read_at(r, at, header, sizeof(header)) || !trace_frame_get(&f, header) ||
        f.type != TRACE_FRAME_INDEX)
        return;
    f.offset = at;
    payload = reader_payload(r, &f, NULL);
    if (!payload)
        return;
    data = g_bytes_get_data(payload, &size_bytes);
    if (take_index(r, data, size_bytes, at)) {
        r->closed = true;
        r->end = r->size_bytes;
    }
}

/* --- opening ------------------------------------------------------------------------------- */

static gboolean read_description(struct trace_reader *r, GError **error)
{
    const struct trace_frame *f;
    g_autoptr(GBytes) payload = NULL;
    struct trace_info *info = &r->info;
    struct trace_description *d;
    size_t size_bytes;
    const void *data;

    if (r->frames->len == 0)
        return reader_fail(r, error, TRACE_ERROR_FORMAT,
                           info->damaged ? "damaged: the description is not what was written"
                                         : "cut off: it ends within its description");
    f = reader_frame(r, TRACE_FRAME_DESCRIPTION, 0);
    payload = reader_payload(r, f, error);
    if (!payload)
        return FALSE;
    data = g_bytes_get_data(payload, &size_bytes);
    r->description = d = trace_description_get(data, size_bytes);
    if (!d)
        return reader_damaged(r, f, error);
    info->program = d->program;
    info->config = d->config;
    info->config_name = d->config_name;
    info->seed = d->seed;
    info->cpu_model = d->cpu_model;
    info->vcpus = d->vcpus;
    info->frequency_hz = d->frequency_hz;
    info->has_input = d->has_input;
    info->hash_insns = d->hash_insns;
    info->state_number = d->state_number;
    info->profile = d->profile;
    info->kinds = (const char *const *)d->kinds;
    info->images = d->images->len;
    info->image = (const struct trace_image *)(const void *)d->images->data;
    return TRUE;
}

static gboolean read_ending(struct trace_reader *r, GError **error)
{
    const struct trace_frame *f;
    g_autoptr(GBytes) payload = NULL;
    size_t size_bytes;
    const void *data;

    if (r->info.ending || r->by_type[TRACE_FRAME_ENDING]->len == 0)
        return TRUE;
    f = reader_frame(r, TRACE_FRAME_ENDING, 0);
    payload = reader_payload(r, f, error);
    if (!payload)
        return FALSE;
    data = g_bytes_get_data(payload, &size_bytes);
    if (!trace_end_get(&r->end_body, data, size_bytes)) {
        trace_end_clear(&r->end_body);
        return reader_damaged(r, f, error);
    }
    r->ending = (struct trace_ending){.stop_reason = r->end_body.stop_reason,
                                      .insns = r->end_body.point.at.insns,
                                      .virtual_ns = r->end_body.point.at.virtual_ns,
                                      .state_hash = r->end_body.state_hash,
                                      .exit_value = r->end_body.exit_value,
                                      .has_exit_value = r->end_body.has_exit_value,
                                      .point = &r->end_body.point};
    r->info.ending = &r->ending;
    return TRUE;
}

static void update_info(struct trace_reader *r)
{
    r->info.file_bytes = r->end;
    r->info.cut_bytes = r->size_bytes - r->end;
    r->info.checkpoints = r->checkpoints->len;
    r->info.checkpoint = (const struct trace_checkpoint *)(const void *)r->checkpoints->data;
}

static gboolean look_at_size(struct trace_reader *r, GError **error)
{
    struct stat st;

    if (fstat(r->fd, &st) != 0)
        return reader_fail(r, error, TRACE_ERROR_FILE, "%s", g_strerror(errno));
    if (!S_ISREG(st.st_mode))
        return reader_fail(r, error, TRACE_ERROR_FILE, "not a regular file");
    r->size_bytes = (uint64_t)st.st_size;
    return TRUE;
}

static gboolean open_file(struct trace_reader *r, GError **error)
{
    uint8_t header[TRACE_FILE_HEADER_BYTES];
    size_t have;

    r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0)
        return reader_fail(r, error, TRACE_ERROR_FILE, "%s", g_strerror(errno));
    if (!look_at_size(r, error))
        return FALSE;
    have = MIN(r->size_bytes, sizeof(header));
    if (!read_at(r, 0, header, have))
        return reader_fail(r, error, TRACE_ERROR_FILE, "%s", g_strerror(errno));
    if (!trace_file_header_check(header, have, &r->info.version, error)) {
        g_prefix_error(error, "%s: ", r->path);
        return FALSE;
    }
    r->end = sizeof(header);
    return TRUE;
}

struct trace_reader *trace_reader_open(const char *path, GError **error)
{
    struct trace_reader *r = g_new0(struct trace_reader, 1);

    r->path = g_strdup(path);
    r->zstd = ZSTD_createDCtx();
    r->frames = g_array_new(FALSE, FALSE, sizeof(struct trace_frame));
    r->checkpoints = g_array_new(FALSE, FALSE, sizeof(struct trace_checkpoint));
    for (unsigned i = TRACE_FRAME_DESCRIPTION; i < TRACE_FRAME_INDEX; i++)
        r->by_type[i] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (!open_file(r, error))
        goto bad;
    use_index(r);
    if (!r->closed)
        scan(r);
    if (!read_description(r, error) || !read_ending(r, error))
        goto bad;
    update_info(r);
    return r;
bad:
    trace_reader_free(r);
    return NULL;
}

void trace_reader_free(struct trace_reader *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    for (unsigned i = 0; i < G_N_ELEMENTS(r->by_type); i++)
        if (r->by_type[i])
            g_array_unref(r->by_type[i]);
    g_array_unref(r->frames);
    g_array_unref(r->checkpoints);
    trace_description_free(r->description);
    trace_end_clear(&r->end_body);
    ZSTD_freeDCtx(r->zstd);
    g_free(r->path);
    g_free(r);
}

const struct trace_info *trace_reader_info(const struct trace_reader *r)
{
    return &r->info;
}

const struct trace_schema *trace_reader_schema(const struct trace_reader *r)
{
    return r->description->schema;
}

gboolean trace_reader_refresh(struct trace_reader *r, bool *grown, GError **error)
{
    guint before = r->frames->len;

    *grown = false;
    if (!look_at_size(r, error))
        return FALSE;
    if (r->size_bytes < r->end)
        return reader_fail(r, error, TRACE_ERROR_FILE, "it has become shorter");
    if (!r->closed)
        scan(r);
    *grown = r->frames->len > before;
    if (!read_ending(r, error))
        return FALSE;
    update_info(r);
    return TRUE;
}

gboolean trace_reader_check(const struct trace_reader *r, GError **error)
{
    for (guint i = 0; i < r->frames->len; i++) {
        g_autofree uint8_t *stored =
            stored_payload(r, &g_array_index(r->frames, struct trace_frame, i), error);

        if (!stored)
            return FALSE;
    }
    if (r->info.damaged)
        trace_reader_damage(r, error);
    return !r->info.damaged;
}

void trace_reader_damage(const struct trace_reader *r, GError **error)
{
    reader_fail(r, error, TRACE_ERROR_FORMAT,
                "damaged at byte %" G_GUINT64_FORMAT ": what is there is not the frame number %u",
                r->end, r->frames->len);
}
