/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a cpio archive of the format newc in memory (the initrd).
 *
 * Source: cpio(5), "New ASCII format"; initramfs buffer format of Linux.  Test: test_guests_cpio.c
 */
#ifndef GUESTS_DOM0_CPIO_H
#define GUESTS_DOM0_CPIO_H

#include "guests/lib/types.h"

struct cpio_file {
    const char *name; /* inside the archive, zero-terminated, without a leading slash */
    const u8 *data;
    size_t size_bytes;
    u32 mode; /* type and permissions, as stat(2) has them */
};

/**
 * cpio_next - the next entry.
 * @at: offset of the entry, 0 at first; moved on.
 * Returns: 1; 0 at the end; -1 if the archive is broken there.
 */
int cpio_next(const void *archive, size_t size_bytes, size_t *at, struct cpio_file *out);

/** cpio_find - the regular file @name, with or without leading slash.  False: there is none. */
bool cpio_find(const void *archive, size_t size_bytes, const char *name, struct cpio_file *out);

#endif
