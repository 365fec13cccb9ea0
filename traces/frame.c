/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/frame.h"

#include <string.h>

#include "traces/crc32c.h"
#include "traces/reader.h"

G_DEFINE_QUARK(paravane - trace - error - quark, trace_error)

/* As PNG has it: a byte that is not ASCII, a line end that transfers as text would change. */
static const uint8_t file_magic[12] = {0x89, 'P', 'V',  'T',  'R',  'A',
                                       'C',  'E', '\r', '\n', 0x1a, '\n'};
static const uint8_t frame_magic[4] = {'P', 'v', 'F', 'r'};
static const uint8_t trailer_magic[4] = {'P', 'v', 'I', 'x'};

#define PROGRAM_BYTES 32

static void put16(uint8_t *p, uint16_t v)
{
    v = GUINT16_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
    v = GUINT32_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
    v = GUINT64_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return GUINT16_FROM_LE(v);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return GUINT32_FROM_LE(v);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return GUINT64_FROM_LE(v);
}

/*
 *   0  magic      4  type   5  zero[3]   8  stored   12  raw    16  number   20  payload crc
 *  24  first     32  last  40  ident    48  count    52  time                60  header crc
 */
void trace_frame_put(const struct trace_frame *f, uint8_t out[TRACE_FRAME_HEADER_BYTES])
{
    memset(out, 0, TRACE_FRAME_HEADER_BYTES);
    memcpy(out, frame_magic, sizeof(frame_magic));
    out[4] = f->type;
    put32(out + 8, f->stored_bytes);
    put32(out + 12, f->raw_bytes);
    put32(out + 16, f->number);
    put32(out + 20, f->payload_crc);
    put64(out + 24, f->first_insns);
    put64(out + 32, f->last_insns);
    put64(out + 40, f->ident);
    put32(out + 48, f->count);
    put64(out + 52, f->virtual_ns);
    put32(out + 60, crc32c(0, out, 60));
}

bool trace_frame_get(struct trace_frame *f, const uint8_t in[TRACE_FRAME_HEADER_BYTES])
{
    *f = (struct trace_frame){
        .type = in[4],
        .stored_bytes = get32(in + 8),
        .raw_bytes = get32(in + 12),
        .number = get32(in + 16),
        .payload_crc = get32(in + 20),
        .first_insns = get64(in + 24),
        .last_insns = get64(in + 32),
        .ident = get64(in + 40),
        .count = get32(in + 48),
        .virtual_ns = get64(in + 52),
    };
    return memcmp(in, frame_magic, sizeof(frame_magic)) == 0 &&
           get32(in + 60) == crc32c(0, in, 60) && f->stored_bytes <= TRACE_FRAME_STORED_MAX &&
           f->raw_bytes <= TRACE_FRAME_RAW_MAX;
}

/*
 *   0  magic     12  version     14  oldest reader     16  program's version, text[32]
 *  48  zero[12]  60  crc
 */
void trace_file_header_put(uint8_t out[TRACE_FILE_HEADER_BYTES])
{
    memset(out, 0, TRACE_FILE_HEADER_BYTES);
    memcpy(out, file_magic, sizeof(file_magic));
    put16(out + 12, TRACE_VERSION);
    put16(out + 14, TRACE_VERSION_MIN);
    g_strlcpy((char *)out + 16, PARAVANE_VERSION, PROGRAM_BYTES);
    put32(out + 60, crc32c(0, out, 60));
}

gboolean trace_file_header_check(const uint8_t *in, size_t size_bytes, unsigned *version,
                                 GError **error)
{
    char program[PROGRAM_BYTES + 1] = {0};

    if (size_bytes < sizeof(file_magic) || memcmp(in, file_magic, sizeof(file_magic)) != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "not a trace of paravane");
        return FALSE;
    }
    if (size_bytes < TRACE_FILE_HEADER_BYTES) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "cut off: it ends within the header of the file");
        return FALSE;
    }
    if (get32(in + 60) != crc32c(0, in, 60)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "the header of the file is damaged");
        return FALSE;
    }
    memcpy(program, in + 16, PROGRAM_BYTES);
    if (get16(in + 14) > TRACE_VERSION) {
        g_autofree char *text = g_utf8_make_valid(program, -1);

        g_set_error(
            error, TRACE_ERROR, TRACE_ERROR_VERSION,
            "trace format %u, written by paravane %s: reading it needs a paravane that reads "
            "format %u; this one, %s, reads up to %u",
            get16(in + 12), text, get16(in + 14), PARAVANE_VERSION, TRACE_VERSION);
        return FALSE;
    }
    *version = get16(in + 12);
    return TRUE;
}

void trace_trailer_put(uint64_t index_offset, uint8_t out[TRACE_TRAILER_BYTES])
{
    memcpy(out, trailer_magic, sizeof(trailer_magic));
    put64(out + 4, index_offset);
    put32(out + 12, crc32c(0, out, 12));
}

bool trace_trailer_get(const uint8_t in[TRACE_TRAILER_BYTES], uint64_t *index_offset)
{
    *index_offset = get64(in + 4);
    return memcmp(in, trailer_magic, sizeof(trailer_magic)) == 0 &&
           get32(in + 12) == crc32c(0, in, 12);
}
