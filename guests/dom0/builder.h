/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a PV kernel into the memory of a new domain and makes its first vCPU ready to run.
 *
 * Layout, page by page from guest-physical 0:
 *
 *   image, at its physical addresses | initrd (1) | p2m list (2) | start_info | xenstore ring |
 *   console ring | page tables: L4, L3s, L2s, L1s | boot stack | free, mapped up to a 4 MiB boundary,
 *   at least 512 KiB | initrd (1) | p2m list and the tables that map it (2)
 *
 * (1) behind what is mapped if the image takes it by pfn; (2) there if the image has a place for it.
 */
#ifndef GUESTS_DOM0_BUILDER_H
#define GUESTS_DOM0_BUILDER_H

#include "guests/dom0/pvimage.h"
#include "guests/lib/types.h"

struct builder_request {
    u16 domid; /* a domain without memory yet, allowed @pages */
    const struct pv_image *image;
    const u8 *initrd; /* may be NULL */
    u64 initrd_bytes;
    const char *cmdline;
    u64 pages;
    u32 store_port, console_port; /* of the domain */
};

struct builder_result {
    u64 store_mfn, console_mfn;
};

/**
 * builder_build - on failure the domain is in no usable state and is to be destroyed.
 * @why: a constant text, unless it worked.
 * Returns: 0 or a negative errno.
 */
long builder_build(const struct builder_request *request, struct builder_result *out,
                   const char **why);

#endif
