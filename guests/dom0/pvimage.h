/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the image of a PV kernel says: an ELF64 file with the notes of xen/elfnote.h.
 *
 * Everything the file claims is checked here; who uses a struct pv_image need not check again.
 * Test: test_guests_pvimage.c
 */
#ifndef GUESTS_DOM0_PVIMAGE_H
#define GUESTS_DOM0_PVIMAGE_H

#include "guests/lib/types.h"

#define PV_IMAGE_MAX_SEGMENTS 16u

struct pv_segment {
    const u8 *data;    /* in the file */
    u64 address;       /* guest-physical */
    u64 file_bytes;    /* to be copied; the rest is zero */
    u64 memory_bytes;
};

struct pv_image {
    struct pv_segment segments[PV_IMAGE_MAX_SEGMENTS];
    u32 segment_count;
    u64 virt_base;      /* virtual address of guest-physical 0 */
    u64 entry;          /* virtual */
    u64 start, end;     /* guest-physical bytes that the segments span */
    u64 hypercall_page; /* virtual; 0 = none wanted */
    u64 init_p2m;       /* virtual; 0 = in the base mapping */
    bool initrd_by_pfn; /* MOD_START_PFN: the initrd need not be mapped */
};

/**
 * pv_image_parse - read an image.
 * @file: borrowed; the segments point into it.
 * @why:  what is wrong with it, a constant text.
 * Returns: false if the image cannot be booted.
 */
bool pv_image_parse(const void *file, size_t size_bytes, struct pv_image *out, const char **why);

#endif
