/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static unsigned encode(uint8_t out[10], uint64_t value)
{
    unsigned size = 0;

    while (value >= 0x80) {
        out[size++] = (uint8_t)value | 0x80;
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

void protobuf_put_varint(GByteArray *to, uint64_t value)
{
    uint8_t raw[10];

    g_byte_array_append(to, raw, encode(raw, value));
}

void protobuf_put_u64(GByteArray *to, unsigned field, uint64_t value)
{
    protobuf_put_varint(to, field << 3 | WIRE_VARINT);
    protobuf_put_varint(to, value);
}

void protobuf_put_bytes(GByteArray *to, unsigned field, const void *data, size_t size)
{
    protobuf_put_varint(to, field << 3 | WIRE_BYTES);
    protobuf_put_varint(to, size);
    if (size)
        g_byte_array_append(to, data, (guint)size);
}

void protobuf_put_string(GByteArray *to, unsigned field, const char *text)
{
    protobuf_put_bytes(to, field, text, strlen(text));
}

guint protobuf_begin(GByteArray *to, unsigned field)
{
    protobuf_put_varint(to, field << 3 | WIRE_BYTES);
    return to->len;
}

void protobuf_end(GByteArray *to, guint begin)
{
    uint8_t raw[10];
    guint size = to->len - begin;
    unsigned length = encode(raw, size);

    g_byte_array_set_size(to, to->len + length);
    memmove(to->data + begin + length, to->data + begin, size);
    memcpy(to->data + begin, raw, length);
}
