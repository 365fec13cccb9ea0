/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outer layer of a trace file: a header, then frames.  docs/trace-format.md is the
 * contract.
 *
 * A frame is a header of 64 bytes and a payload that zstd decompresses on its own.  The header
 * says everything that is needed to find one's way, so that nobody has to decompress what he
 * does not want to read.
 */
#ifndef PARAVANE_TRACES_FRAME_H
#define PARAVANE_TRACES_FRAME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The version rule.  A file says which version it is written in, and the oldest version whose
 * readers understand it.  A reader reads what its own version is not below the latter.  What
 * may be added without raising the latter: types of frames, kinds of events, fields at the end
 * of a kind, items of the description.  See docs/trace-format.md.
 */
#define TRACE_VERSION     1
#define TRACE_VERSION_MIN 1 /* what a reader of a file written now must at least be */

#define TRACE_FILE_HEADER_BYTES  64
#define TRACE_FRAME_HEADER_BYTES 64
#define TRACE_TRAILER_BYTES      16
#define TRACE_FRAME_RAW_MAX      (16u << 20) /* of a payload, decompressed */
#define TRACE_FRAME_STORED_MAX   (17u << 20) /* and as it is in the file */

enum trace_frame_type {
    TRACE_FRAME_DESCRIPTION = 1, /* the first one: what was recorded */
    TRACE_FRAME_IMAGE = 2,       /* a part of an image */
    TRACE_FRAME_LOG = 3,         /* inputs and points of the hash chain */
    TRACE_FRAME_EVENTS = 4,
    TRACE_FRAME_PAGES = 5, /* memory of the checkpoint that follows */
    TRACE_FRAME_CHECKPOINT = 6,
    TRACE_FRAME_ENDING = 7,
    TRACE_FRAME_INDEX = 8 /* the last one of a file that was closed */
};

struct trace_frame {
    uint8_t type; /* enum trace_frame_type, or one that this version does not know */
    uint32_t stored_bytes, raw_bytes;
    uint32_t number;                  /* 0, 1, ... */
    uint32_t payload_crc;             /* CRC-32C of the payload as stored */
    uint64_t first_insns, last_insns; /* what the payload is about */
    uint64_t ident;      /* EVENTS: number of the first; IMAGE: which; CHECKPOINT: which */
    uint32_t count;      /* EVENTS: how many; LOG: inputs; PAGES: pages; IMAGE: which part */
    uint64_t virtual_ns; /* at last_insns */
    uint64_t offset;     /* of the header in the file; not part of the header */
};

void trace_frame_put(const struct trace_frame *frame, uint8_t out[TRACE_FRAME_HEADER_BYTES]);
/** trace_frame_get - Returns: false unless it is a frame's header, whole and within limits. */
bool trace_frame_get(struct trace_frame *frame, const uint8_t in[TRACE_FRAME_HEADER_BYTES]);

/** trace_file_header_put - the 64 bytes that a file begins with. */
void trace_file_header_put(uint8_t out[TRACE_FILE_HEADER_BYTES]);
/**
 * trace_file_header_check - Returns: FALSE with @error (without a path) when the file is not a
 *                           trace, damaged, or of a version that this program does not read.
 * @version: of the file; set on success.
 */
gboolean trace_file_header_check(const uint8_t *in, size_t size_bytes, unsigned *version,
                                 GError **error);

/** The last bytes of a closed file: where the index is. */
void trace_trailer_put(uint64_t index_offset, uint8_t out[TRACE_TRAILER_BYTES]);
bool trace_trailer_get(const uint8_t in[TRACE_TRAILER_BYTES], uint64_t *index_offset);

#endif
