/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the exporters: what a format implements, and files that are written to.
 */
#ifndef PARAVANE_TRACES_EXPORT_INTERNAL_H
#define PARAVANE_TRACES_EXPORT_INTERNAL_H

#include "traces/export.h"

struct export_file {
    FILE *file;
    char *path;
};

/** export_file_open - for writing; "-" is standard output. */
gboolean export_file_open(struct export_file *f, const char *path, GError **error);
gboolean export_file_write(struct export_file *f, const void *data, size_t size, GError **error);
/** export_file_close - also after errors, then with @error NULL.  No effect on a closed one. */
gboolean export_file_close(struct export_file *f, GError **error);

struct export_format {
    const char *name;
    void *(*open)(const char *path, const struct trace_export_info *info, GError **error);
    gboolean (*event)(void *state, const struct trace_event *event, GError **error);
    gboolean (*close)(void *state, GError **error); /* frees @state */
};

extern const struct export_format export_json, export_ctf, export_perfetto;

#endif
