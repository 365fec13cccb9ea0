/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grant table of this domain, version 1, and maps of other domains' grants.
 */
#ifndef GUESTS_LIB_GRANT_H
#define GUESTS_LIB_GRANT_H

#include "guests/lib/types.h"

#include <xen/xen.h>
#include <xen/grant_table.h>

/** The shared entries, mapped by grant_init. */
extern grant_entry_v1_t *grant_table;
extern u32 grant_entries;

/**
 * grant_init - set version 1 and map @frames frames of the table (512 entries each).
 * Returns: 0, a negative errno of the hypervisor, or a negative GNTST_*.
 */
long grant_init(u32 frames);

/**
 * grant_access - let @domid map frame @mfn.
 * Returns: the reference; panics when none is free.
 */
u32 grant_access(u16 domid, u64 mfn, bool readonly);

/** grant_accept - an entry that accepts a transfer of a frame from @domid. */
u32 grant_accept(u16 domid);

/**
 * grant_end - take the grant back and free the entry.
 * Returns: false, with nothing changed, while it is in use.
 */
bool grant_end(u32 ref);

/**
 * grant_end_transfer - end an entry of grant_accept().
 * Returns: the frame that has come, or 0 when none came and none will.
 */
u64 grant_end_transfer(u32 ref);

/**
 * grant_map - map @ref of @domid at @va, whose tables must exist.
 * @flags: GNTMAP_*; GNTMAP_host_map is added.
 * Returns: the handle, or a negative GNTST_*.
 */
long grant_map(u16 domid, u32 ref, u64 va, u32 flags);

/** grant_map_count - how many maps there are now: grant_map() less grant_unmap(). */
u32 grant_map_count(void);

/** grant_unmap - returns GNTST_*. */
long grant_unmap(u32 handle, u64 va);

#endif
