/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a Multiboot 1 kernel file asks for: which of its bytes go where, and where it starts.
 *
 * Nothing here trusts the file: every offset and length is checked before it is used.
 */
#ifndef PARAVANE_SIM_KERNEL_H
#define PARAVANE_SIM_KERNEL_H

#include <glib.h>
#include <stdint.h>

#define SIM_KERNEL_SEGMENTS_MAX 64

struct sim_kernel_segment {
    size_t offset;      /* in the file */
    size_t file_bytes;  /* taken from the file */
    uint32_t pa;        /* physical address of the first byte */
    uint32_t mem_bytes; /* >= file_bytes and > 0; the rest is zero; pa + mem_bytes <= 4 GiB */
};

struct sim_kernel {
    uint32_t flags; /* of the Multiboot header */
    uint32_t entry; /* physical; lies in a segment */
    unsigned count;
    struct sim_kernel_segment segment[SIM_KERNEL_SEGMENTS_MAX]; /* by address, not overlapping */
};

/**
 * sim_kernel_parse - understand the kernel file in @data (already decompressed).
 * @name: of the file, for messages.
 * @out:  unspecified on failure.
 * Returns: FALSE with @error (domain SIM_LOADER_ERROR): no Multiboot header, a feature that
 *          is asked for and not offered, an ELF file that is damaged or not for x86.
 * Source:  Multiboot Specification 0.6.96, 3.1; System V ABI, chapters 4 and 5.
 * Test:    tests/unit/test_sim_kernel.c
 */
gboolean sim_kernel_parse(const char *name, const uint8_t *data, size_t size_bytes,
                          struct sim_kernel *out, GError **error);

#endif
