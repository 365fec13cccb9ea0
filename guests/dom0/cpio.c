/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/cpio.h"

#include "guests/lib/string.h"

#define HEADER_BYTES 110 /* magic of 6 characters, 13 numbers of 8 hexadecimal digits */
#define MODE_TYPE    0170000u
#define MODE_REGULAR 0100000u

enum { FIELD_MODE = 1, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };

static bool field(const char *header, u32 index, u32 *out)
{
    const char *digits = header + 6 + 8 * index;
    u32 value = 0;

    for (u32 i = 0; i < 8; i++) {
        char c = digits[i];
        u32 digit = c >= '0' && c <= '9'   ? (u32)(c - '0')
                    : c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10
                    : c >= 'A' && c <= 'F' ? (u32)(c - 'A') + 10
                                           : 16;

        if (digit == 16)
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static size_t padded(size_t size_bytes)
{
    return (size_bytes + 3) & ~(size_t)3;
}

int cpio_next(const void *archive, size_t size_bytes, size_t *at, struct cpio_file *out)
{
    const char *bytes = archive, *header;
    u32 mode, data_bytes, name_bytes;
    size_t data_at;

    /* Archives may follow each other, with zeros between them. */
    while (*at < size_bytes && !bytes[*at])
        (*at)++;
    if (*at == size_bytes)
        return 0;
    header = bytes + *at;
    if (size_bytes - *at < HEADER_BYTES || memcmp(header, "070701", 6) ||
        !field(header, FIELD_MODE, &mode) || !field(header, FIELD_FILESIZE, &data_bytes) ||
        !field(header, FIELD_NAMESIZE, &name_bytes))
        return -1;
    if (!name_bytes || name_bytes > size_bytes - *at - HEADER_BYTES ||
        header[HEADER_BYTES + name_bytes - 1])
        return -1;
    data_at = *at + padded(HEADER_BYTES + name_bytes);
    if (data_at > size_bytes || data_bytes > size_bytes - data_at)
        return -1;
    *out = (struct cpio_file){header + HEADER_BYTES, (const u8 *)bytes + data_at, data_bytes, mode};
    while (*out->name == '/')
        out->name++;
    *at = data_at + padded(data_bytes);
    if (*at > size_bytes)
        *at = size_bytes;
    if (!strcmp(out->name, "TRAILER!!!"))
        return cpio_next(archive, size_bytes, at, out);
    return 1;
}

bool cpio_find(const void *archive, size_t size_bytes, const char *name, struct cpio_file *out)
{
    size_t at = 0;

    while (*name == '/')
        name++;
    while (cpio_next(archive, size_bytes, &at, out) > 0)
        if ((out->mode & MODE_TYPE) == MODE_REGULAR && !strcmp(out->name, name))
            return true;
    return false;
}
