/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by reader.c (the file and its frames), reader_replay.c (images, log, checkpoints) and
 * cursor.c (events).
 */
#ifndef PARAVANE_TRACES_READER_INTERNAL_H
#define PARAVANE_TRACES_READER_INTERNAL_H

#include <zstd.h>

#include "traces/description.h"
#include "traces/frame.h"
#include "traces/reader.h"

struct trace_reader {
    char *path;
    int fd;
    uint64_t size_bytes;                    /* of the file when it was last looked at */
    uint64_t end;                           /* of the last whole frame */
    bool closed;                            /* an INDEX frame has been seen: nothing follows */
    GArray *frames;                         /* struct trace_frame, all whole ones but INDEX */
    GArray *by_type[TRACE_FRAME_INDEX + 1]; /* uint32_t: their places in frames */
    struct trace_description *description;
    struct trace_info info;
    struct trace_ending ending;
    struct trace_end end_body;
    GArray *checkpoints; /* struct trace_checkpoint */
    ZSTD_DCtx *zstd;
};

/** reader_fail - set @error to "PATH: ...".  Returns: FALSE. */
gboolean reader_fail(const struct trace_reader *r, GError **error, enum trace_error code,
                     const char *format, ...) G_GNUC_PRINTF(4, 5);
/** reader_damaged - the frame is not what was written.  Returns: FALSE. */
gboolean reader_damaged(const struct trace_reader *r, const struct trace_frame *f, GError **error);

/** reader_payload - decompressed and checked; NULL with @error. */
GBytes *reader_payload(struct trace_reader *r, const struct trace_frame *f, GError **error);

/** reader_frame - the @index-th frame of @type. */
const struct trace_frame *reader_frame(const struct trace_reader *r, unsigned type, unsigned index);

#endif
