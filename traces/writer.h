/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing frames to a trace file.
 *
 * Frames are compressed and written by a thread of the writer's own, in the order in which
 * they were given: the file is a function of the frames.  Nothing of the machine is touched
 * there.  When writing fails, the file is cut back to its last whole frame, and stays.
 */
#ifndef PARAVANE_TRACES_WRITER_H
#define PARAVANE_TRACES_WRITER_H

#include "traces/frame.h"

struct trace_writer;

/**
 * trace_writer_new - create @path, or empty it, and write the file's header.
 * Returns: NULL with @error.
 */
struct trace_writer *trace_writer_new(const char *path, GError **error);

/**
 * trace_writer_frame - append a frame.
 * @frame: type, first_insns, last_insns, ident and count are the caller's.
 * @raw:   the payload, at most TRACE_FRAME_RAW_MAX bytes; taken over.
 * Returns: the frame's number.  May wait when much is waiting to be written already.
 */
uint32_t trace_writer_frame(struct trace_writer *w, const struct trace_frame *frame,
                            GByteArray *raw);

/** trace_writer_failed - writing has failed; further frames are thrown away. */
bool trace_writer_failed(const struct trace_writer *w);

/**
 * trace_writer_close - wait until all is written, add the index, free the writer.
 * Returns: FALSE with @error if anything could not be written.
 */
gboolean trace_writer_close(struct trace_writer *w, GError **error);

#endif
