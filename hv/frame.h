/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame table: one struct hv_frame for each machine frame.
 *
 * Two kinds of reference keep a frame what it is:
 *
 *  - the *count*: as long as it is not zero, the frame belongs to its owner and is not reused.
 *    The owner's allocation holds one (HV_FRAME_ALLOCATED); so does each page-table entry, each
 *    pin, each grant mapping, each CR3, each user of a descriptor page, each call in progress
 *    that needs the frame past a point where it could be given up.
 *  - the *type count*: as long as it is not zero, the frame keeps its type.  A type reference
 *    is always held together with a count.
 *
 * Types exclude each other: a frame that is writable somewhere is no page table anywhere.
 * When its type count is zero a frame may take another type; it must then pass validation
 * (hv/mm.h) if it is to become a page table or a descriptor page.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include "hv/types.h"

#include <xen/xen.h>

#include "hv/layout.h"

typedef u64 hv_mfn_t;
#define HV_MFN_NONE (~0ull)

enum hv_frame_type {
    HV_TYPE_NONE,
    HV_TYPE_L1,
    HV_TYPE_L2,
    HV_TYPE_L3,
    HV_TYPE_L4,
    HV_TYPE_SEG,	/* a page of descriptors */
    HV_TYPE_WRITABLE,
};

#define HV_FRAME_ALLOCATED 0x01u	/* the owner's allocation holds a count */
#define HV_FRAME_VALIDATED 0x02u	/* contents checked for the type */
#define HV_FRAME_PINNED 0x04u		/* a guest's pin holds a count and a type count */
#define HV_FRAME_PARTIAL 0x08u		/* between: being validated or taken apart (mm_types.c) */
#define HV_FRAME_SPECIAL 0x10u		/* hypervisor memory that is shared with a guest */
#define HV_FRAME_RAM 0x20u		/* exists; all others are device memory or nothing */

/* Owners that are not domains: DOMID_XEN (ours), DOMID_IO (devices), DOMID_INVALID (free, or a page
 * that was shared with a domain which is no more, and which others still map). */
struct hv_frame {
    u32 count;
    u32 type_count;
    u16 owner;		/* domain id */
    u8 type;		/* enum hv_frame_type */
    u8 flags;		/* HV_FRAME_ */
    u16 nr_valid;	/* page tables: entries [0, nr_valid) hold references (mm_types.c) */
    s16 linear;		/* > 0: linear entries within; < 0: linear uses of it */
    u32 next, prev;	/* list of the owner's frames by mfn, 0 = end; free: place in the pool */
    u32 stamp;		/* hv_cpu.tlb_clock when the type count fell to 0 */
    u32 link;		/* stack of frames in work (mm_types.c), by mfn */
};
_Static_assert(sizeof(struct hv_frame) == 32, "frame table entries are shifted to");

extern hv_mfn_t hv_max_mfn;	/* one more than the last frame of RAM */

#define hv_frames ((struct hv_frame *)HV_VA_FRAMES)
static inline struct hv_frame *hv_frame(hv_mfn_t mfn) { return &hv_frames[mfn]; }
static inline hv_mfn_t hv_frame_mfn(const struct hv_frame *f) { return (hv_mfn_t)(f - hv_frames); }
/** hv_mfn_is_ram - whether @mfn names a frame of RAM, so that hv_frame(mfn) may be used. */
HV_INLINE bool hv_mfn_is_ram(hv_mfn_t mfn) HV_BODY({
    return mfn < hv_max_mfn && (hv_frame(mfn)->flags & HV_FRAME_RAM);
})
/** hv_mfn_va - the hypervisor's own address of a frame (all RAM is mapped, writable). */
static inline void *hv_mfn_va(hv_mfn_t mfn) { return (void *)(HV_VA_DIRECT + (mfn << 12)); }
static inline void *hv_frame_va(const struct hv_frame *f) { return hv_mfn_va(hv_frame_mfn(f)); }
static inline hv_mfn_t hv_va_mfn(const void *va) { return ((u64)va - HV_VA_DIRECT) >> 12; }

/* The machine-to-phys table, writable view. */
#define hv_m2p ((u64 *)HV_VA_M2P_RW)

/**
 * hv_get_page - takes a count, if the frame is alive and belongs to @owner.
 * Returns false for other owners, dead frames and a count that is about to overflow.
 */
bool hv_get_page_slow(struct hv_frame *f);
HV_INLINE bool hv_get_page(struct hv_frame *f, u16 owner) HV_BODY({
    if (unlikely(f->owner != owner || f->count - 1 >= 0xfffffff0u))
        return false;
    f->count++;
    return true;
})
/** hv_get_page_mfn - the same by number; NULL unless it is RAM of @owner. */
HV_INLINE struct hv_frame *hv_get_page_mfn(hv_mfn_t mfn, u16 owner) HV_BODY({
    return hv_mfn_is_ram(mfn) && hv_get_page(hv_frame(mfn), owner) ? hv_frame(mfn) : NULL;
})
/** hv_put_page - gives a count back; the last one frees the frame. */
void hv_frame_release(struct hv_frame *f);
HV_INLINE void hv_put_page(struct hv_frame *f) HV_BODY({
    if (unlikely(--f->count == 0))
        hv_frame_release(f);
})

/**
 * hv_get_type - takes a type count; the caller holds a count.
 * Returns 0; -EINVAL (other type in use, or contents refused), -EBUSY (contents refused, or the
 * frame is in work); -ERESTART (page tables above L1 only): stop and continue later.
 * Never returns -ERESTART for SEG, WRITABLE and L1.
 */
int hv_get_type_slow(struct hv_frame *f, enum hv_frame_type type);
HV_INLINE int hv_get_type(struct hv_frame *f, enum hv_frame_type type) HV_BODY({
    if (likely(f->type == type && (f->flags & HV_FRAME_VALIDATED) && f->type_count - 1 < 0xfffffff0u)) {
        f->type_count++;
        return 0;
    }
    return hv_get_type_slow(f, type);
})
/**
 * hv_put_type - gives a type count back (before the count).
 * A page table whose last one goes is taken apart: an L1 at once, others are queued on the
 * current vCPU and taken apart by hv_types_drain().
 */
void hv_put_type_last(struct hv_frame *f);
HV_INLINE void hv_put_type(struct hv_frame *f) HV_BODY({
    if (unlikely(--f->type_count == 0))
        hv_put_type_last(f);
})
HV_INLINE bool hv_get_page_and_type(struct hv_frame *f, u16 owner, enum hv_frame_type type) HV_BODY({
    if (!hv_get_page(f, owner))
        return false;
    if (hv_get_type(f, type) == 0)
        return true;
    hv_put_page(f);
    return false;
})
HV_INLINE void hv_put_page_and_type(struct hv_frame *f) HV_BODY({
    hv_put_type(f);
    hv_put_page(f);
})

/* ---- allocation ------------------------------------------------------------------------- */
/**
 * hv_frame_alloc - a free frame for domain @d, zeroed, with HV_FRAME_ALLOCATED, on the
 * domain's list and counted in tot_pages.  NULL: no memory or max_pages reached.
 */
struct hv_frame *hv_frame_alloc(struct hv_domain *d);
/** hv_frame_alloc_run - 2^@order frames in a row below @max_bits address bits (0: any). */
struct hv_frame *hv_frame_alloc_run(struct hv_domain *d, unsigned order, unsigned max_bits);
/** hv_frame_steal - takes a frame from its owner: true if the allocation was its only user.
 * The frame has then no owner and count 0; hv_frame_give() or hv_frame_free() it. */
bool hv_frame_steal(struct hv_frame *f, struct hv_domain *d);
/** hv_frame_give - makes a stolen frame @d's, which is alive; max_pages is the caller's affair. */
void hv_frame_give(struct hv_frame *f, struct hv_domain *d);
void hv_frame_free(struct hv_frame *f);
/** hv_frame_drop_allocation - clears HV_FRAME_ALLOCATED and drops its count; false if clear. */
bool hv_frame_drop_allocation(struct hv_frame *f);
u64 hv_frames_free(void);
u64 hv_frames_total(void);
/** hv_frame_shuffle - a number from the seeded generator that scatters memory. */
u64 hv_random(void);

/**
 * hv_page_alloc - a zeroed page for the hypervisor itself (owner DOMID_XEN); NULL: no memory.
 * hv_page_share - lets @d map it writable, by machine address (shared info, grant frames);
 * hv_page_unshare - takes it back, false while the guest still maps it;
 * hv_page_free - also for a page that is still shared and mapped: it is freed with the last
 * mapping; NULL is none;
 * hv_pages_disown - makes the shared pages of @d nobody's: it ends, and they are freed next.
 */
void *hv_page_alloc(void);
void hv_page_share(void *page, struct hv_domain *d);
bool hv_page_unshare(void *page);
void hv_page_free(void *page);
void hv_pages_disown(struct hv_domain *d);

#endif
