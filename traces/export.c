/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/export.h"

#include <errno.h>
#include <string.h>

#include "sim/base/types.h"
#include "traces/export_internal.h"

G_DEFINE_QUARK(trace_export_error, trace_export_error)

static const struct export_format *const formats[] = {&export_json, &export_ctf, &export_perfetto};

struct trace_exporter {
    const struct export_format *format;
    void *state;
};

struct trace_exporter *trace_exporter_new(const char *format, const char *path,
                                          const struct trace_export_info *info, GError **error)
{
    struct trace_exporter *x;
    unsigned i = 0;

    while (i < ARRAY_LEN(formats) && strcmp(formats[i]->name, format) != 0)
        i++;
    if (i == ARRAY_LEN(formats)) {
        g_set_error(error, TRACE_EXPORT_ERROR, TRACE_EXPORT_ERROR_USAGE,
                    "there is no format \"%s\"; there are json, ctf, perfetto", format);
        return NULL;
    }
    x = g_new0(struct trace_exporter, 1);
    x->format = formats[i];
    x->state = x->format->open(path, info, error);
    if (!x->state)
        g_clear_pointer(&x, g_free);
    return x;
}

gboolean trace_exporter_event(struct trace_exporter *x, const struct trace_event *event,
                              GError **error)
{
    return x->format->event(x->state, event, error);
}

gboolean trace_exporter_close(struct trace_exporter *x, GError **error)
{
    gboolean good = x->format->close(x->state, error);

    g_free(x);
    return good;
}

/* --- files --------------------------------------------------------------------------------- */

static gboolean fail(const struct export_file *f, GError **error)
{
    int code = errno;

    g_set_error(error, TRACE_EXPORT_ERROR,
                code == EPIPE ? TRACE_EXPORT_ERROR_PIPE : TRACE_EXPORT_ERROR_FILE, "%s: %s",
                f->path, g_strerror(code));
    return FALSE;
}

gboolean export_file_open(struct export_file *f, const char *path, GError **error)
{
    bool standard = strcmp(path, "-") == 0;

    f->path = g_strdup(standard ? "standard output" : path);
    f->file = standard ? stdout : fopen(path, "wb");
    if (f->file)
        return TRUE;
    fail(f, error);
    g_clear_pointer(&f->path, g_free);
    return FALSE;
}

gboolean export_file_write(struct export_file *f, const void *data, size_t size, GError **error)
{
    return fwrite(data, 1, size, f->file) == size || fail(f, error);
}

gboolean export_file_close(struct export_file *f, GError **error)
{
    gboolean good = TRUE;

    if (!f->file)
        return TRUE;
    if (fflush(f->file) != 0)
        good = fail(f, error);
    if (f->file != stdout && fclose(f->file) != 0 && good)
        good = fail(f, error);
    f->file = NULL;
    g_clear_pointer(&f->path, g_free);
    return good;
}
