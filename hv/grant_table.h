/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the grant table share (hv/grant*.c only): the table of a domain, who uses its
 * entries now ("active"), and which grants of others the domain has mapped ("maptrack").
 *
 *   the granter's                                  the user's
 *   +--------------+      +-------------+         +-----------------+
 *   | shared entry |      | active      | <------ | maptrack entry  | <-- handle
 *   | (the guest   | ---> | (ours: pins,|  domid, | (domid, ref,    |
 *   |  writes it)  |      |  mfn, user) |  ref    |  GNTMAP_ flags) |
 *   +--------------+      +-------------+         +-----------------+
 *
 * Invariants, which hv_grant_audit() recounts:
 *  1. The pins of an active entry are the halves (host, device) of the maptrack entries that name it;
 *     between two hypercalls no copy is in flight.
 *  2. While pins is not zero, mfn, user and range are what they were when the first pin was taken:
 *     the shared entry is read again only for the right to write.
 *  3. GTF_reading is set while there are pins, GTF_writing while there are write pins (the granter
 *     may scribble over them; that hurts nobody else).
 *  4. Each host half has a reference to the frame that belongs to its page-table entry, each device
 *     half one of its own; with the writable type if it is not read-only.
 *  5. A free maptrack entry has flags 0 and is once in the free list.
 *  6. The domain a maptrack entry names exists: its table counts such entries.
 */
#ifndef HV_GRANT_TABLE_H
#define HV_GRANT_TABLE_H

#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/grant.h"

#include <xen/grant_table.h>

#define HV_GRANT_PER_FRAME_V1     512u
#define HV_GRANT_PER_FRAME_V2     256u
#define HV_GRANT_STATUS_PER_FRAME 2048u
#define HV_GRANT_ACTIVE_PER_PAGE  256u
#define HV_GRANT_MAPTRACK_PER_PAGE 512u
#define HV_GRANT_MAPTRACK_STEP    256u /* entries in what the interface calls a maptrack frame */
#define HV_GRANT_NONE             UINT32_MAX

/* Counts of pins, 8 bits each; the top bit of each says that there may be no more. */
#define PIN_HOST_READ    0x00000001u
#define PIN_HOST_WRITE   0x00000100u
#define PIN_DEVICE_READ  0x00010000u
#define PIN_DEVICE_WRITE 0x01000000u
#define PIN_DEVICE_MASK  0xffff0000u
#define PIN_WRITE_MASK   0xff00ff00u
#define PIN_FULL         0x80808080u

struct hv_grant_active {
    u32 pins;
    u32 mfn;
    u16 user;  /* domain id */
    u16 start; /* the bytes of the frame that may be copied */
    u16 length;
    u8 sub_page;   /* not the whole frame: cannot be mapped */
    u8 transitive; /* the frame is that of a grant of another domain: likewise */
};

struct hv_grant_maptrack {
    u16 domid;
    u16 flags; /* GNTMAP_; device_map and host_map name the halves that are left; 0: free */
    u32 ref;   /* free: the next free handle, or HV_GRANT_NONE */
};

/** struct hv_grant_table - one page for each domain. */
struct hv_grant_table {
    u8 version;
    u8 version_max;
    u16 frames, frames_max;
    u16 status_frames; /* version 2 only */
    u32 maptrack_limit, maptrack_max; /* handles */
    u32 free_head, free_tail;
    u32 mapped; /* handles of all domains which name this table: it stays as long as there are any */
    struct hv_grant_maptrack **maptrack; /* a page of pointers to pages; made at the first map */
    void *shared[HV_GRANT_FRAMES_MAX];
    u16 *status[HV_GRANT_FRAMES_MAX * HV_GRANT_PER_FRAME_V2 / HV_GRANT_STATUS_PER_FRAME];
    struct hv_grant_active *active[HV_GRANT_FRAMES_MAX * HV_GRANT_PER_FRAME_V1 / HV_GRANT_ACTIVE_PER_PAGE];
};

static inline u32 hv_grant_entries(const struct hv_grant_table *t)
{
    return t->frames * (t->version == 1 ? HV_GRANT_PER_FRAME_V1 : HV_GRANT_PER_FRAME_V2);
}

/* For all three: @ref is below hv_grant_entries(). */
static inline struct hv_grant_active *hv_grant_active(const struct hv_grant_table *t, u32 ref)
{
    return &t->active[ref / HV_GRANT_ACTIVE_PER_PAGE][ref % HV_GRANT_ACTIVE_PER_PAGE];
}

static inline volatile grant_entry_v1_t *hv_grant_v1(const struct hv_grant_table *t, u32 ref)
{
    return (grant_entry_v1_t *)t->shared[ref / HV_GRANT_PER_FRAME_V1] + ref % HV_GRANT_PER_FRAME_V1;
}

static inline volatile grant_entry_v2_t *hv_grant_v2(const struct hv_grant_table *t, u32 ref)
{
    return (grant_entry_v2_t *)t->shared[ref / HV_GRANT_PER_FRAME_V2] + ref % HV_GRANT_PER_FRAME_V2;
}

/** grant_maptrack - the entry of a handle below t->maptrack_limit. */
static inline struct hv_grant_maptrack *hv_grant_maptrack(const struct hv_grant_table *t, u32 handle)
{
    return &t->maptrack[handle / HV_GRANT_MAPTRACK_PER_PAGE][handle % HV_GRANT_MAPTRACK_PER_PAGE];
}

/** struct hv_grant_use - a grant in use, as hv_grant_acquire() gives it. */
struct hv_grant_use {
    struct hv_grant_active *active;
    struct hv_frame *frame;    /* with one general reference */
    u32 mfn;
    u16 start, length; /* bytes that may be copied */
    bool transitive;        /* the frame comes from a grant to the granter, which is pinned as well: */
    u16 inner_dom;
    u32 inner_ref;
};

/**
 * grant_acquire - checks that @user may use grant @ref of @rd, and pins it.
 * @pins:     what to add: PIN_, one or two of a kind.
 * @mapping:  for a map, which takes whole frames only; not for a copy.
 * @out:      written on success.
 * Returns: GNTST_okay; bad_gntref, general_error, bad_page, bad_domain: nothing is pinned.
 */
int hv_grant_acquire(struct hv_domain *rd, u32 ref, u16 user, u32 pins, bool mapping,
                  struct hv_grant_use *out);

/** grant_release - takes back @pins; the frame's references are the caller's affair. */
void hv_grant_release(struct hv_domain *rd, u32 ref, u32 pins);

/** grant_release_use - undoes hv_grant_acquire(): the pins, those of an inner grant, the reference. */
void hv_grant_release_use(struct hv_domain *rd, u32 ref, u32 pins, struct hv_grant_use *use);

/** hv_grant_pins - the pins of a map with these GNTMAP_ flags. */
u32 hv_grant_pins(unsigned flags);

/* The operations; see docs/hypercalls.md.  Those which take an array return how many elements are
   done (less than @count: a preemption is due) or an error of the call. */
long hv_grant_map(u64 arg, unsigned count);
long hv_grant_unmap(u64 arg, unsigned count);
long hv_grant_unmap_and_replace(u64 arg, unsigned count);
long hv_grant_copy(u64 arg, unsigned count);
long hv_grant_transfer(u64 arg, unsigned count);
long hv_grant_setup_table(u64 arg);
long hv_grant_query_size(u64 arg);
long hv_grant_set_version(u64 arg);
long hv_grant_get_version(u64 arg);
long hv_grant_get_status_frames(u64 arg);
long hv_grant_swap_ref(u64 arg, unsigned count);
long hv_grant_cache_flush(u64 arg, unsigned count);

#endif
