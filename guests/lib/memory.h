/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudo-physical memory, page tables and pages.
 *
 *   pfn    the domain's own numbering, 0 .. nr_pages-1
 *   mfn    the machine's frames, as they stand in page table entries
 *   p2m    pfn -> mfn, made by the builder, owned by the guest
 *   m2p    mfn -> pfn, read-only, the hypervisor's
 *
 * Frame `pfn` is at VIRT_BASE + pfn * 4096.  The builder maps the first of them; the page
 * allocator maps more when it needs them.  Tables are read-only in every mapping and change by
 * hypercall.  The functions that return bool or NULL leave the hypervisor's answer in
 * memory_error.
 */
#ifndef GUESTS_LIB_MEMORY_H
#define GUESTS_LIB_MEMORY_H

#include "guests/lib/layout.h"
#include "guests/lib/types.h"

/* Bits of an entry. */
#define PTE_P        0x001ul
#define PTE_RW       0x002ul
#define PTE_US       0x004ul
#define PTE_PWT      0x008ul
#define PTE_PCD      0x010ul
#define PTE_A        0x020ul
#define PTE_D        0x040ul
#define PTE_PSE      0x080ul /* PAT in an L1 entry */
#define PTE_G        0x100ul
#define PTE_AVAIL    0xe00ul
#define PTE_NX       0x8000000000000000ul
#define PTE_MFN_MASK 0x000ffffffffff000ul

#define MEMORY_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_US)
#define MEMORY_RO (PTE_P | PTE_A | PTE_US)
/* Every table entry above L1. */
#define MEMORY_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

/** The hypervisor's last answer to a function here that failed. */
extern long memory_error;

/** How mappings are flushed: UVMF_INVLPG on this vCPU; a guest with several sets UVMF_ALL. */
extern u64 memory_flush;

/** memory_init - @stack_end: end of the builder's stack, where free memory starts. */
void memory_init(u64 stack_end);

/** The p2m and m2p.  memory_set_p2m tells nobody but this guest. */
u64 memory_pfn_to_mfn(u64 pfn);
void memory_set_p2m(u64 pfn, u64 mfn);
u64 memory_mfn_to_pfn(u64 mfn);

/* Between frames and the linear map at VIRT_BASE. */
static inline void *memory_pfn_to_virt(u64 pfn)
{
    return (void *)(VIRT_BASE + (pfn << PAGE_SHIFT));
}
static inline u64 memory_virt_to_pfn(const void *va)
{
    return ((u64)va - VIRT_BASE) >> PAGE_SHIFT;
}
static inline u64 memory_virt_to_mfn(const void *va)
{
    return memory_pfn_to_mfn(memory_virt_to_pfn(va));
}
static inline u64 memory_virt_to_maddr(const void *va)
{
    return (memory_virt_to_mfn(va) << PAGE_SHIFT) | ((u64)va & ~PAGE_MASK);
}
static inline void *memory_mfn_to_virt(u64 mfn)
{
    return memory_pfn_to_virt(memory_mfn_to_pfn(mfn));
}

/** memory_root - the L4 table in use, its address in the linear map. */
u64 *memory_root(void);

/**
 * memory_entry - where the entry for @va is in the table of @level (1..4), as a readable address.
 * Returns: NULL if a higher level is not present.
 */
u64 *memory_entry(u64 va, u32 level);

/** memory_entry_maddr - the same as a machine address, for mmu_update; 0 if not there. */
u64 memory_entry_maddr(u64 va, u32 level);

/** memory_update - one mmu_update of the entry at machine address @maddr.  Returns its answer. */
long memory_update(u64 maddr, u64 value);

/**
 * memory_map - put @pte into the L1 entry of @va and flush it, making the tables above it.
 */
bool memory_map(u64 va, u64 pte);

/** memory_protect - remap a page of the linear map with @flags (PTE_*).  Returns the answer. */
long memory_protect(const void *va, u64 flags);

/** memory_reserve - @pages of unused address space in the window; for good. */
u64 memory_reserve(u64 pages);

/** memory_map_mfn - one frame into the window, with PTE_* @flags.  NULL on failure. */
void *memory_map_mfn(u64 mfn, u64 flags);

/** memory_map_mfns - the same for @count frames, side by side. */
void *memory_map_mfns(const u64 *mfns, u64 count, u64 flags);

/** memory_unmap - clear the L1 entry of any address. */
void memory_unmap(const void *va);

/** memory_pin - make @table a pinned table of @level; it is mapped read-only first. */
long memory_pin(const void *table, u32 level);

/** memory_unpin - undo it and make the page writable again. */
long memory_unpin(const void *table);

/**
 * page_alloc - one zeroed page, mapped writable in the linear map.  Panics when there is none.
 */
void *page_alloc(void);

/** pages_alloc - @count zeroed pages side by side.  They can be freed one by one. */
void *pages_alloc(u64 count);

/** page_try_alloc, pages_try_alloc - the same, but NULL when there is none. */
void *page_try_alloc(void);
void *pages_try_alloc(u64 count);

/** page_free - give a page back; it must be mapped writable again. */
void page_free(void *page);

/** page_count_free - pages that page_alloc could still return. */
u64 page_count_free(void);

#endif
