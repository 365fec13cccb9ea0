/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing Protocol Buffers: the wire format's few rules.
 *
 * A message inside a message is written in its place; its length is put before it when it ends.
 */
#ifndef PARAVANE_TRACES_PROTOBUF_H
#define PARAVANE_TRACES_PROTOBUF_H

#include <glib.h>
#include <stdint.h>

void protobuf_put_varint(GByteArray *to, uint64_t value);
/** protobuf_put_u64 - field @field of type uint64, int64, uint32, bool or an enumeration. */
void protobuf_put_u64(GByteArray *to, unsigned field, uint64_t value);
/** protobuf_put_bytes - field @field of type bytes or string. */
void protobuf_put_bytes(GByteArray *to, unsigned field, const void *data, size_t size);
void protobuf_put_string(GByteArray *to, unsigned field, const char *text);

/** protobuf_begin - field @field is a message.  Returns: what protobuf_end() wants. */
guint protobuf_begin(GByteArray *to, unsigned field);
void protobuf_end(GByteArray *to, guint begin);

#endif
