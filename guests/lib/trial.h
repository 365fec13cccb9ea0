/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For guests that try the interface out, rightly and wrongly (guests/conform, guests/hostile): short forms of
 * calls that nearly all of them make, and what nobody may give.
 */
#ifndef GUESTS_LIB_TRIAL_H
#define GUESTS_LIB_TRIAL_H

#include "guests/lib/memory.h"
#include "guests/lib/types.h"

/* Addresses no guest may give: in the hypervisor's range, not canonical, not mapped. */
#define VA_HYPERVISOR   0xffff830000000000ul
#define VA_NONCANONICAL 0x8000000000000000ul
#define VA_UNMAPPED     0x0000700000000000ul
/* A domain that does not exist. */
#define DOMID_NOBODY 0x7abc
/* A frame number beyond any memory. */
#define MFN_BEYOND 0xfffffffffful

/** The frame of a page of the linear map. */
static inline u64 mfn_of(const void *page)
{
    return memory_virt_to_mfn(page);
}

/** The entry for a page of the linear map. */
static inline u64 entry_of(const void *page, u64 flags)
{
    return mfn_of(page) << PAGE_SHIFT | flags;
}

/** Write an entry of a page of the linear map, which may be a table, by mmu_update. */
static inline long set_entry(const u64 *at, u64 value)
{
    return memory_update(memory_virt_to_maddr(at), value);
}

/** mmuext - one mmuext_op on this domain. */
long mmuext(u32 cmd, u64 arg1, u64 arg2);

/** table_page - a zeroed page, mapped read-only: fit to become a table. */
u64 *table_page(void);

/** own_id - the number of this domain, which DOMID_SELF hides: a port says for whom it is. */
u16 own_id(void);

#endif
