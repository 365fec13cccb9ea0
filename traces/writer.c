/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *     trace_writer_frame() --queue--> work(): compress, write, note for the index
 *
 * Invariants
 *  1. Only the thread touches fd, offset and index while it lives.
 *  2. The file ends with a whole frame whenever the thread is not inside write_frame().
 *  3. What waits is at most QUEUE_BYTES_MAX and one frame.
 */
#include "traces/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "sim/base/assert.h"
#include "traces/crc32c.h"
#include "traces/pack.h"
#include "traces/reader.h"

#define QUEUE_BYTES_MAX (64u << 20)

struct job {
    struct trace_frame frame;
    GByteArray *raw; /* NULL: the end */
};

struct trace_writer {
    char *path;
    GThread *thread;
    uint32_t frames; /* given so far */

    GMutex lock;
    GCond changed;
    GQueue queue;
    size_t queued_bytes;
    int error; /* errno of the first failure; read without the lock as well */

    /* the thread's */
    int fd;
    uint64_t offset;
    GByteArray *index;
    ZSTD_CCtx *zstd;
    uint8_t *packed;
    size_t packed_bytes;
};

static int write_all(int fd, const uint8_t *data, size_t size_bytes)
{
    while (size_bytes) {
        ssize_t n = write(fd, data, size_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        data += n;
        size_bytes -= (size_t)n;
    }
    return 0;
}

/* What changes little when it is packed harder is packed fast. */
static int level_of(unsigned type)
{
    return type == TRACE_FRAME_PAGES || type == TRACE_FRAME_IMAGE ? 1 : 5;
}

/* Header and payload in one buffer, so that one write() takes them. */
static size_t pack_frame(struct trace_writer *w, struct trace_frame *f, const GByteArray *raw)
{
    size_t need = TRACE_FRAME_HEADER_BYTES + ZSTD_compressBound(raw->len), n;

    if (need > w->packed_bytes) {
        w->packed = g_realloc(w->packed, need);
        w->packed_bytes = need;
    }
    n = ZSTD_compressCCtx(w->zstd, w->packed + TRACE_FRAME_HEADER_BYTES,
                          need - TRACE_FRAME_HEADER_BYTES, raw->data, raw->len, level_of(f->type));
    BASE_ASSERT(!ZSTD_isError(n));
    f->raw_bytes = raw->len;
    f->stored_bytes = (uint32_t)n;
    f->payload_crc = crc32c(0, w->packed + TRACE_FRAME_HEADER_BYTES, n);
    trace_frame_put(f, w->packed);
    return TRACE_FRAME_HEADER_BYTES + n;
}

static int write_frame(struct trace_writer *w, struct trace_frame *f, const GByteArray *raw)
{
    size_t size_bytes = pack_frame(w, f, raw);
    int error = write_all(w->fd, w->packed, size_bytes);

    if (error) {
        if (ftruncate(w->fd, (off_t)w->offset) != 0)
            return error; /* the reader stops at the last whole frame by itself */
        return error;
    }
    pack_u64(w->index, w->offset);
    g_byte_array_append(w->index, w->packed, TRACE_FRAME_HEADER_BYTES);
    w->offset += size_bytes;
    return 0;
}

static struct job *next_job(struct trace_writer *w)
{
    struct job *job;

    g_mutex_lock(&w->lock);
    while (g_queue_is_empty(&w->queue))
        g_cond_wait(&w->changed, &w->lock);
    job = g_queue_pop_head(&w->queue);
    g_mutex_unlock(&w->lock);
    return job;
}

static void job_done(struct trace_writer *w, struct job *job, int error)
{
    g_mutex_lock(&w->lock);
    w->queued_bytes -= job->raw->len;
    if (error && !w->error)
        g_atomic_int_set(&w->error, error);
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
    g_byte_array_unref(job->raw);
    g_free(job);
}

static gpointer work(gpointer user)
{
    struct trace_writer *w = user;

    for (;;) {
        struct job *job = next_job(w);

        if (!job->raw) {
            g_free(job);
            return NULL;
        }
        job_done(w, job, w->error ? 0 : write_frame(w, &job->frame, job->raw));
    }
}

static void submit(struct trace_writer *w, struct job *job)
{
    g_mutex_lock(&w->lock);
    while (job->raw && w->queued_bytes > QUEUE_BYTES_MAX)
        g_cond_wait(&w->changed, &w->lock);
    w->queued_bytes += job->raw ? job->raw->len : 0;
    g_queue_push_tail(&w->queue, job);
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
}

static gboolean fail(GError **error, const char *path, int number)
{
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FILE, "%s: %s", path, g_strerror(number));
    return FALSE;
}

struct trace_writer *trace_writer_new(const char *path, GError **error)
{
    uint8_t header[TRACE_FILE_HEADER_BYTES];
    struct trace_writer *w;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int why;

    if (fd < 0) {
        fail(error, path, errno);
        return NULL;
    }
    trace_file_header_put(header);
    why = write_all(fd, header, sizeof(header));
    if (why) {
        fail(error, path, why);
        close(fd);
        return NULL;
    }
    w = g_new0(struct trace_writer, 1);
    w->path = g_strdup(path);
    w->fd = fd;
    w->offset = sizeof(header);
    w->index = g_byte_array_new();
    w->zstd = ZSTD_createCCtx();
    g_mutex_init(&w->lock);
    g_cond_init(&w->changed);
    g_queue_init(&w->queue);
    w->thread = g_thread_new("trace-writer", work, w);
    return w;
}

uint32_t trace_writer_frame(struct trace_writer *w, const struct trace_frame *frame,
                            GByteArray *raw)
{
    struct job *job = g_new0(struct job, 1);

    BASE_ASSERT(raw->len <= TRACE_FRAME_RAW_MAX);
    job->frame = *frame;
    job->frame.number = w->frames;
    job->raw = raw;
    submit(w, job);
    return w->frames++;
}

bool trace_writer_failed(const struct trace_writer *w)
{
    return g_atomic_int_get(&w->error) != 0;
}

/* The index of a very long recording may be too large for a frame: then there is none, and
 * readers go from frame to frame. */
static int write_index(struct trace_writer *w)
{
    struct trace_frame f = {.type = TRACE_FRAME_INDEX, .number = w->frames};
    uint8_t trailer[TRACE_TRAILER_BYTES];
    uint64_t offset = w->offset;
    g_autoptr(GByteArray) raw = g_byte_array_new();
    int error;

    if (w->index->len > TRACE_FRAME_RAW_MAX)
        return 0;
    g_byte_array_append(raw, w->index->data, w->index->len);
    error = write_frame(w, &f, raw);
    if (error)
        return error;
    trace_trailer_put(offset, trailer);
    return write_all(w->fd, trailer, sizeof(trailer));
}

gboolean trace_writer_close(struct trace_writer *w, GError **error)
{
    int why;

    submit(w, g_new0(struct job, 1));
    g_thread_join(w->thread);
    why = w->error ? w->error : write_index(w);
    if (close(w->fd) != 0 && !why)
        why = errno;
    if (why)
        fail(error, w->path, why);
    ZSTD_freeCCtx(w->zstd);
    g_free(w->packed);
    g_byte_array_unref(w->index);
    g_mutex_clear(&w->lock);
    g_cond_clear(&w->changed);
    g_free(w->path);
    g_free(w);
    return why == 0;
}
