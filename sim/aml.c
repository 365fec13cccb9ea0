/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/aml.h"

#include <string.h>

/* Opcodes, table 20.2; two-byte ones begin with EXT. */
enum {
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_EXT = 0x5b,
    EXT_DEVICE = 0x82,
    EXT_PROCESSOR = 0x83,
};

/* Resource tags, table 6.40 (small: type << 3 | length) and 6.48 (large). */
enum {
    TAG_IRQ = 0x22, /* two bytes: mask, no flags */
    TAG_IO = 0x47,
    TAG_END = 0x79,
    TAG_DWORD_SPACE = 0x87,
    TAG_WORD_SPACE = 0x88,
};
enum { SPACE_MEMORY = 0, SPACE_IO = 1, SPACE_BUS = 2 };
#define SPACE_PRODUCED_FIXED 0x0c /* producer, minimum and maximum fixed */
#define SPACE_IO_ENTIRE      0x03 /* ISA and non-ISA addresses */
#define SPACE_MEMORY_RW      0x01 /* read-write, not cacheable */

static void put(GByteArray *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        g_byte_array_append(out, &byte, 1);
    }
}

static void put_name(GByteArray *out, const char *name)
{
    g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
}

aml_mark aml_open_scope(GByteArray *out, const char *name)
{
    aml_mark mark;

    put(out, OP_SCOPE, 1);
    mark = out->len;
    put_name(out, name);
    return mark;
}

aml_mark aml_open_device(GByteArray *out, const char *name)
{
    aml_mark mark;

    put(out, OP_EXT | EXT_DEVICE << 8, 2);
    mark = out->len;
    put_name(out, name);
    return mark;
}

aml_mark aml_open_package(GByteArray *out, unsigned elements)
{
    aml_mark mark;

    put(out, OP_PACKAGE, 1);
    mark = out->len;
    put(out, elements, 1);
    return mark;
}

/*
 * PkgLength (section 20.2.4) counts itself: one byte for lengths to 63, else bits 7-6 of the
 * first byte say how many more follow, its low four bits are the lowest of the length.
 */
void aml_close(GByteArray *out, aml_mark mark)
{
    guint body = out->len - mark;
    guint extra = body + 1 < 0x40 ? 0 : body + 2 < 0x1000 ? 1 : 2;
    guint length = body + 1 + extra;

    g_byte_array_set_size(out, out->len + 1 + extra);
    memmove(out->data + mark + 1 + extra, out->data + mark, body);
    if (extra == 0) {
        out->data[mark] = (guint8)length;
        return;
    }
    out->data[mark] = (guint8)(extra << 6 | (length & 15));
    for (guint i = 0; i < extra; i++)
        out->data[mark + 1 + i] = (guint8)(length >> (4 + 8 * i));
}

void aml_name(GByteArray *out, const char *name)
{
    put(out, OP_NAME, 1);
    put_name(out, name);
}

void aml_integer(GByteArray *out, uint64_t value)
{
    if (value <= 1) {
        put(out, value, 1); /* ZeroOp, OneOp */
    } else if (value <= UINT8_MAX) {
        put(out, OP_BYTE, 1);
        put(out, value, 1);
    } else if (value <= UINT16_MAX) {
        put(out, OP_WORD, 1);
        put(out, value, 2);
    } else if (value <= UINT32_MAX) {
        put(out, OP_DWORD, 1);
        put(out, value, 4);
    } else {
        put(out, OP_QWORD, 1);
        put(out, value, 8);
    }
}

void aml_name_integer(GByteArray *out, const char *name, uint64_t value)
{
    aml_name(out, name);
    aml_integer(out, value);
}

/* EISA: three letters of five bits and four hex digits, as a big-endian number. */
void aml_name_eisa_id(GByteArray *out, const char *name, const char *id)
{
    uint32_t code = 0;

    for (unsigned i = 0; i < 3; i++)
        code = code << 5 | (uint32_t)(id[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        code = code << 4 | (uint32_t)g_ascii_xdigit_value(id[i]);
    aml_name(out, name);
    put(out, OP_DWORD, 1);
    put(out, GUINT32_SWAP_LE_BE(code), 4);
}

void aml_processor(GByteArray *out, const char *name, uint8_t acpi_id)
{
    aml_mark mark;

    put(out, OP_EXT | EXT_PROCESSOR << 8, 2);
    mark = out->len;
    put_name(out, name);
    put(out, acpi_id, 1);
    put(out, 0, 4 + 1); /* no processor register block */
    aml_close(out, mark);
}

void aml_name_resources(GByteArray *out, const char *name, const GByteArray *resources)
{
    aml_mark mark;

    aml_name(out, name);
    put(out, OP_BUFFER, 1);
    mark = out->len;
    aml_integer(out, resources->len + 2);
    g_byte_array_append(out, resources->data, resources->len);
    put(out, TAG_END, 2); /* with checksum 0: not checked */
    aml_close(out, mark);
}

void aml_resource_io(GByteArray *res, uint16_t first, uint8_t count)
{
    put(res, TAG_IO, 1);
    put(res, 1, 1); /* 16 lines decoded */
    put(res, first, 2);
    put(res, first, 2);
    put(res, 1, 1); /* alignment */
    put(res, count, 1);
}

void aml_resource_irq(GByteArray *res, unsigned irq)
{
    put(res, TAG_IRQ, 1);
    put(res, 1u << irq, 2);
}

/* Address space descriptor: @bytes is the width of its five numbers, 2 or 4. */
static void put_space(GByteArray *res, unsigned bytes, unsigned type, uint8_t type_flags,
                      uint64_t first, uint64_t last)
{
    put(res, bytes == 2 ? TAG_WORD_SPACE : TAG_DWORD_SPACE, 1);
    put(res, 3 + 5 * bytes, 2);
    put(res, type, 1);
    put(res, SPACE_PRODUCED_FIXED, 1);
    put(res, type_flags, 1);
    put(res, 0, bytes); /* granularity */
    put(res, first, bytes);
    put(res, last, bytes);
    put(res, 0, bytes); /* translation */
    put(res, last - first + 1, bytes);
}

void aml_resource_bus_range(GByteArray *res, uint16_t first, uint16_t last)
{
    put_space(res, 2, SPACE_BUS, 0, first, last);
}

void aml_resource_io_range(GByteArray *res, uint16_t first, uint16_t last)
{
    put_space(res, 2, SPACE_IO, SPACE_IO_ENTIRE, first, last);
}

void aml_resource_memory_range(GByteArray *res, uint32_t first, uint32_t last)
{
    put_space(res, 4, SPACE_MEMORY, SPACE_MEMORY_RW, first, last);
}
