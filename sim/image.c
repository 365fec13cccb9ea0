/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/image.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/units.h"

G_DEFINE_QUARK(sim_image_error, sim_image_error)

G_GNUC_PRINTF(4, 5)
static void *fail(GError **error, enum sim_image_error code, const char *path, const char *format,
                  ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SIM_IMAGE_ERROR, code, "%s: %s", path, text);
    return NULL;
}

static void *fail_limit(GError **error, const char *path, const char *what, uint64_t limit_bytes)
{
    char limit[24];

    base_units_size_text(limit_bytes, limit);
    return fail(error, SIM_IMAGE_ERROR_SIZE, path, "%s larger than the limit of %s", what, limit);
}

/* Reads until the end of file; a file that grew past the limit meanwhile is refused. */
static GByteArray *read_all(int fd, const char *path, uint64_t size_bytes, uint64_t limit_bytes,
                            GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_sized_new((guint)size_bytes);
    g_autofree uint8_t *piece = g_malloc(1 << 18);
    ssize_t got;

    for (;;) {
        got = read(fd, piece, 1 << 18);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, SIM_IMAGE_ERROR_FILE, path, "%s", g_strerror(errno));
        if (got == 0)
            break;
        if (all->len + (uint64_t)got > limit_bytes)
            return fail_limit(error, path, "is", limit_bytes);
        g_byte_array_append(all, piece, (guint)got);
    }
    if (all->len == 0)
        return fail(error, SIM_IMAGE_ERROR_FILE, path, "is empty");
    return g_steal_pointer(&all);
}

/* The whole regular file at @path. */
static GByteArray *read_file(const char *path, uint64_t limit_bytes, GError **error)
{
    GByteArray *all = NULL;
    struct stat info;
    /* Non-blocking, so that a FIFO without a writer does not hold us up before it is refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return fail(error, SIM_IMAGE_ERROR_FILE, path, "%s", g_strerror(errno));
    if (fstat(fd, &info) != 0)
        fail(error, SIM_IMAGE_ERROR_FILE, path, "%s", g_strerror(errno));
    else if (S_ISDIR(info.st_mode))
        fail(error, SIM_IMAGE_ERROR_FILE, path, "is a directory");
    else if (!S_ISREG(info.st_mode))
        fail(error, SIM_IMAGE_ERROR_FILE, path, "is not a regular file");
    else if ((uint64_t)info.st_size > limit_bytes)
        fail_limit(error, path, "is", limit_bytes);
    else
        all = read_all(fd, path, (uint64_t)info.st_size, limit_bytes, error);
    close(fd);
    return all;
}

static bool is_gzip(const uint8_t *data, size_t size_bytes)
{
    return size_bytes >= 3 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8;
}

/* Decompresses one gzip member.  Returns: compressed bytes it took, 0 with @error. */
static size_t gunzip_member(const char *name, const uint8_t *data, size_t size_bytes,
                            uint64_t limit_bytes, GByteArray *out, GError **error)
{
    g_autoptr(GZlibDecompressor) gz = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autofree uint8_t *piece = g_malloc(1 << 18);
    size_t at = 0;

    for (;;) {
        g_autoptr(GError) why = NULL;
        gsize took = 0, made = 0;
        GConverterResult result =
            g_converter_convert(G_CONVERTER(gz), data + at, size_bytes - at, piece, 1 << 18,
                                G_CONVERTER_INPUT_AT_END, &took, &made, &why);

        if (result == G_CONVERTER_ERROR) {
            fail(error, SIM_IMAGE_ERROR_FORMAT, name, "%s",
                 g_error_matches(why, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT) ? "truncated gzip data"
                                                                            : "damaged gzip data");
            return 0;
        }
        at += took;
        if (out->len + made > limit_bytes) {
            fail_limit(error, name, "is, decompressed,", limit_bytes);
            return 0;
        }
        g_byte_array_append(out, piece, (guint)made);
        if (result == G_CONVERTER_FINISHED)
            return at;
    }
}

static bool all_zero(const uint8_t *data, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (data[i])
            return false;
    return true;
}

GBytes *sim_image_gunzip(const char *name, const void *data, size_t size_bytes,
                         uint64_t limit_bytes, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const uint8_t *bytes = data;

    do {
        size_t took = gunzip_member(name, bytes, size_bytes, limit_bytes, out, error);

        if (took == 0)
            return NULL;
        bytes += took;
        size_bytes -= took;
    } while (is_gzip(bytes, size_bytes));
    if (!all_zero(bytes, size_bytes))
        return fail(error, SIM_IMAGE_ERROR_FORMAT, name,
                    "%" G_GSIZE_FORMAT " bytes of something else after the gzip data", size_bytes);
    if (out->len == 0)
        return fail(error, SIM_IMAGE_ERROR_FILE, name, "is empty once decompressed");
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

GBytes *sim_image_unpack(const char *path, GBytes *file, uint64_t limit_bytes,
                         enum sim_image_mode mode, GError **error)
{
    size_t size_bytes;
    const uint8_t *data = g_bytes_get_data(file, &size_bytes);

    limit_bytes = MIN(limit_bytes, SIM_IMAGE_BYTES_MAX);
    if (mode == SIM_IMAGE_GUNZIP && is_gzip(data, size_bytes))
        return sim_image_gunzip(path, data, size_bytes, limit_bytes, error);
    if (size_bytes > limit_bytes)
        return fail(error, SIM_IMAGE_ERROR_SIZE, path, "is larger than %" G_GUINT64_FORMAT " bytes",
                    limit_bytes);
    return g_bytes_ref(file);
}

GBytes *sim_image_read(const char *path, uint64_t limit_bytes, enum sim_image_mode mode,
                       GError **error)
{
    GByteArray *content = read_file(path, MIN(limit_bytes, SIM_IMAGE_BYTES_MAX), error);
    g_autoptr(GBytes) file = content ? g_byte_array_free_to_bytes(content) : NULL;

    return file ? sim_image_unpack(path, file, limit_bytes, mode, error) : NULL;
}
