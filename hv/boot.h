/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loader left, and what only start-up needs. */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include "hv/types.h"

struct hv_boot_range {
    u64 start, end;
    u32 type;		/* 1 RAM, as in the multiboot map */
};
struct hv_boot_module {
    u64 start, end;
    char cmdline[1024];
};
struct hv_boot {
    struct hv_boot_range map[64];
    u32 nr_map;
    struct hv_boot_module module[8];
    u32 nr_modules;
    char cmdline[1024];
    u64 idle_cr3;
    u64 m2p_pa;		/* the machine-to-phys table */
    u64 early_start;	/* early allocations lie from here */
};
extern struct hv_boot hv_boot;
extern u64 hv_template[512];

/** hv_boot_option - the text behind NAME= on the command line, or NULL. */
const char *hv_boot_option(const char *name);
/** hv_boot_number - a number there, with K, M or G. */
u64 hv_boot_number(const char *name, u64 otherwise);
/** hv_early_alloc - zeroed memory that is never freed, by physical address. */
u64 hv_early_alloc(u64 bytes);
void hv_frame_pool_init(u64 pool_pa, u64 seed);
/** hv_frame_pool_add - says that a frame is RAM, and whether it is free. */
void hv_frame_pool_add(u64 mfn, bool free);
void hv_dom0_build(void);
void hv_audit_init(void);
/** hv_boot_release - the start-up code becomes free memory, and the first guest runs. */
void hv_boot_release(void) __attribute__((noreturn));
extern char hv_init[], hv_init_end[];
void hv_enter_guest(void) __attribute__((noreturn));
void hv_main(u32 magic, u32 info) __attribute__((noreturn));

#endif
