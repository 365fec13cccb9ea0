/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "traces/protobuf.h"

static void expect_bytes(const GByteArray *got, const uint8_t *wanted, unsigned size)
{
    cr_expect(got->len == size && memcmp(got->data, wanted, size) == 0, "%u bytes, %02x %02x",
              got->len, got->len > 0 ? got->data[0] : 0, got->len > 1 ? got->data[1] : 0);
}

#define EXPECT(got, ...)                                                                           \
    expect_bytes(got, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The examples of the wire format's own description. */
Test(traces_protobuf, numbers_and_texts)
{
    g_autoptr(GByteArray) a = g_byte_array_new(), b = g_byte_array_new();

    protobuf_put_u64(a, 1, 150);
    EXPECT(a, 0x08, 0x96, 0x01);
    protobuf_put_string(b, 2, "testing");
    EXPECT(b, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67);
}

Test(traces_protobuf, a_negative_number_is_ten_bytes)
{
    g_autoptr(GByteArray) a = g_byte_array_new();

    protobuf_put_u64(a, 4, (uint64_t)-2);
    EXPECT(a, 0x20, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
}

Test(traces_protobuf, messages_nest_and_lengths_of_two_bytes_move_what_is_there)
{
    g_autoptr(GByteArray) a = g_byte_array_new();
    uint8_t bytes[130];
    guint outer, inner;

    outer = protobuf_begin(a, 3);
    protobuf_put_u64(a, 1, 150);
    protobuf_end(a, outer);
    EXPECT(a, 0x1a, 0x03, 0x08, 0x96, 0x01);

    memset(bytes, 0x55, sizeof(bytes));
    g_byte_array_set_size(a, 0);
    outer = protobuf_begin(a, 60);
    inner = protobuf_begin(a, 1);
    protobuf_put_bytes(a, 2, bytes, sizeof(bytes));
    protobuf_end(a, inner);
    protobuf_end(a, outer);
    cr_expect(eq(uint, a->len, 2 + 2 + 1 + 2 + 1 + 2 + 130));
    a->len = 10;
    EXPECT(a, 0xe2, 0x03, 0x88, 0x01, 0x0a, 0x85, 0x01, 0x12, 0x82, 0x01);
}
