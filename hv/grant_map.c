/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping the frames of others and unmapping them.
 *
 * Unmapping goes in two steps, for a batch at a time: page-table entries are cleared and handles
 * closed; then the TLB is flushed; only then pins and references are dropped, so that no stale
 * translation outlives the right to the frame.
 */
#include "hv/grant_table.h"

#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/mm.h"

#define UNMAP_BATCH 32u

#define HALVES (GNTMAP_device_map | GNTMAP_host_map)

u32 hv_grant_pins(unsigned flags)
{
    u32 pins = 0;

    if (flags & GNTMAP_device_map)
        pins += flags & GNTMAP_readonly ? PIN_DEVICE_READ : PIN_DEVICE_WRITE;
    if (flags & GNTMAP_host_map)
        pins += flags & GNTMAP_readonly ? PIN_HOST_READ : PIN_HOST_WRITE;
    return pins;
}

/* Adds 256 free handles in front of the list. */
static bool maptrack_grow(struct hv_grant_table *t)
{
    u32 first = t->maptrack_limit, last = first + HV_GRANT_MAPTRACK_STEP - 1;
    struct hv_grant_maptrack **page;

    if (first >= t->maptrack_max)
        return false;
    if (!t->maptrack && !(t->maptrack = hv_page_alloc()))
        return false;
    page = &t->maptrack[first / HV_GRANT_MAPTRACK_PER_PAGE];
    if (!*page && !(*page = hv_page_alloc()))
        return false;
    t->maptrack_limit += HV_GRANT_MAPTRACK_STEP;
    for (u32 i = first; i < last; i++)
        hv_grant_maptrack(t, i)->ref = i + 1;
    hv_grant_maptrack(t, last)->ref = t->free_head;
    if (t->free_head == HV_GRANT_NONE)
        t->free_tail = last;
    t->free_head = first;
    return true;
}

/* A free handle; HV_GRANT_NONE if there are no more. */
static u32 maptrack_take(struct hv_grant_table *t)
{
    u32 handle;

    /* A freed handle is used again as late as possible: the last free one waits for company. */
    if (t->free_head == HV_GRANT_NONE || hv_grant_maptrack(t, t->free_head)->ref == HV_GRANT_NONE)
        maptrack_grow(t);
    handle = t->free_head;
    if (handle != HV_GRANT_NONE)
        t->free_head = hv_grant_maptrack(t, handle)->ref;
    return handle;
}

static void maptrack_free(struct hv_grant_table *t, u32 handle)
{
    struct hv_grant_maptrack *m = hv_grant_maptrack(t, handle);

    m->flags = 0;
    m->ref = HV_GRANT_NONE;
    if (t->free_head == HV_GRANT_NONE)
        t->free_head = handle;
    else
        hv_grant_maptrack(t, t->free_tail)->ref = handle;
    t->free_tail = handle;
}

/* A handle that named a grant of @rd is closed, and what it held is released.  @rd may be gone now. */
static void closed(struct hv_domain *rd)
{
    if (--rd->grants->mapped == 0)
        hv_domain_try_free(rd);
}

/* The entry by which the host half of a map is reached. */
static u64 map_l1e(u32 mfn, u32 flags)
{
    u64 avail = flags >> _GNTMAP_guest_avail0 & 7;

    return (u64)mfn << HV_PAGE_SHIFT | HV_PTE_P | HV_PTE_A | HV_PTE_D | HV_PTE_NX | avail << 9 |
           (flags & GNTMAP_readonly ? 0 : HV_PTE_RW) | (flags & GNTMAP_application_map ? HV_PTE_US : 0);
}

/* References of the halves beyond the one general reference of hv_grant_acquire(). */
static bool map_references(struct hv_domain *rd, struct hv_frame *f, unsigned flags)
{
    bool write = !(flags & GNTMAP_readonly);

    if (write && hv_get_type(f, HV_TYPE_WRITABLE))
        return false;
    if ((flags & HALVES) != HALVES)
        return true;
    if (hv_get_page(f, rd->id)) {
        if (!write || !hv_get_type(f, HV_TYPE_WRITABLE))
            return true;
        hv_put_page(f);
    }
    if (write)
        hv_put_type(f);
    return false;
}

/* Drops the references of one half. */
static void map_unreference(struct hv_frame *f, unsigned flags)
{
    if (!(flags & GNTMAP_readonly))
        hv_put_type(f);
    hv_put_page(f);
}

/* All of a map but its handle. */
static int map_grant(struct hv_domain *d, struct hv_domain *rd, gnttab_map_grant_ref_t *op)
{
    unsigned flags = op->flags;
    struct hv_grant_use use;
    int rc = hv_grant_acquire(rd, op->ref, d->id, hv_grant_pins(flags), true, &use);

    if (rc)
        return rc;
    if (!map_references(rd, use.frame, flags)) {
        hv_grant_release_use(rd, op->ref, hv_grant_pins(flags), &use);
        return GNTST_general_error;
    }
    if ((flags & GNTMAP_host_map) &&
        hv_pte_grant_set(op->host_addr, flags & GNTMAP_contains_pte, map_l1e(use.mfn, flags))) {
        if (flags & GNTMAP_device_map)
            map_unreference(use.frame, flags);
        map_unreference(use.frame, flags);
        hv_grant_release(rd, op->ref, hv_grant_pins(flags));
        return GNTST_general_error;
    }
    op->dev_bus_addr = (u64)use.mfn << HV_PAGE_SHIFT;
    return GNTST_okay;
}

static int map_one(struct hv_domain *d, gnttab_map_grant_ref_t *op)
{
    struct hv_domain *rd;
    u32 handle;
    int rc;

    if (!(op->flags & HALVES))
        return GNTST_bad_gntref;
    rd = hv_domain_find(op->dom);
    if (!rd)
        return GNTST_bad_domain;
    handle = maptrack_take(d->grants);
    if (handle == HV_GRANT_NONE)
        return GNTST_no_space;
    rc = map_grant(d, rd, op);
    if (rc) {
        maptrack_free(d->grants, handle);
        return rc;
    }
    *hv_grant_maptrack(d->grants, handle) =
        (struct hv_grant_maptrack){.domid = rd->id, .flags = op->flags & 0xff, .ref = op->ref};
    rd->grants->mapped++;
    op->handle = handle;
    return GNTST_okay;
}

long hv_grant_map(u64 arg, unsigned count)
{
    struct hv_domain *d = hv_current->domain;
    gnttab_map_grant_ref_t op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (i && hv_preempt())
            return i;
        if (hv_copy_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = map_one(d, &op);
        if (hv_copy_to_guest(arg, &op, sizeof(op)))
            return -EFAULT;
    }
    return count;
}

/* What an unmap gave up and must still release once the TLB is clean. */
struct unmapped {
    struct hv_domain *rd;
    u32 ref;
    u32 mfn;
    u16 done; /* the halves, and GNTMAP_readonly */
    bool last; /* the handle is closed */
};

struct unmap {
    u64 host_addr;    /* 0: leave the host half alone */
    u64 dev_bus_addr; /* 0: leave the device half alone */
    u64 new_addr;     /* 0: clear the entry; else move the entry of this address there */
    u32 handle;
};

static int unmap_host(const struct unmap *op, unsigned flags, u32 mfn)
{
    bool writable = !(flags & GNTMAP_readonly), is_pte = flags & GNTMAP_contains_pte;

    if (op->new_addr) {
        if (is_pte)
            return GNTST_general_error;
        return hv_pte_grant_replace(op->host_addr, op->new_addr, mfn, writable) ? GNTST_general_error
                                                                             : GNTST_okay;
    }
    return hv_pte_grant_clear(op->host_addr, is_pte, mfn, writable) ? GNTST_general_error : GNTST_okay;
}

/* First step.  @u->done is written in any case. */
static int unmap_one(struct hv_domain *d, const struct unmap *op, struct unmapped *u)
{
    struct hv_grant_maptrack *m;
    unsigned flags;
    int rc;

    u->done = 0;
    u->last = false;
    if (op->handle >= d->grants->maptrack_limit)
        return GNTST_bad_handle;
    m = hv_grant_maptrack(d->grants, op->handle);
    flags = m->flags;
    if (!flags)
        return GNTST_bad_handle;
    u->rd = hv_domain_find(m->domid); /* there as long as its grants are used */
    u->ref = m->ref;
    u->mfn = hv_grant_active(u->rd->grants, m->ref)->mfn;

    if (op->dev_bus_addr && (flags & GNTMAP_device_map) &&
        op->dev_bus_addr != (u64)u->mfn << HV_PAGE_SHIFT)
        return GNTST_bad_dev_addr;
    if (op->host_addr && (flags & GNTMAP_host_map)) {
        rc = unmap_host(op, flags, u->mfn);
        if (rc)
            return rc;
        u->done |= GNTMAP_host_map;
    }
    if (op->dev_bus_addr)
        u->done |= flags & GNTMAP_device_map;
    m->flags &= ~u->done;
    u->last = !(m->flags & HALVES);
    if (u->last)
        maptrack_free(d->grants, op->handle);
    u->done |= flags & GNTMAP_readonly;
    return GNTST_okay;
}

/* Second step. */
static void unmap_release(const struct unmapped *u)
{
    struct hv_frame *f;

    if (!(u->done & HALVES))
        return;
    f = hv_frame(u->mfn);
    for (unsigned half = GNTMAP_device_map; half <= GNTMAP_host_map; half <<= 1)
        if (u->done & half)
            map_unreference(f, u->done);
    hv_grant_release(u->rd, u->ref, hv_grant_pins(u->done));
    if (u->last)
        closed(u->rd);
}

_Static_assert(sizeof(gnttab_unmap_and_replace_t) == sizeof(gnttab_unmap_grant_ref_t) &&
                   offsetof(gnttab_unmap_and_replace_t, status) ==
                       offsetof(gnttab_unmap_grant_ref_t, status),
               "the two differ in the meaning of the second field only");

static long unmap_batch(u64 arg, unsigned count, bool replace)
{
    struct hv_domain *d = hv_current->domain;
    struct unmapped done[UNMAP_BATCH];
    gnttab_unmap_grant_ref_t op;
    unsigned i, flush = 0;
    int error = 0;

    for (i = 0; i < count && !error; i++, arg += sizeof(op)) {
        if (hv_copy_from_guest(&op, arg, sizeof(op))) {
            error = -EFAULT;
            break;
        }
        op.status = unmap_one(d,
                              &(struct unmap){
                                  .host_addr = op.host_addr,
                                  .dev_bus_addr = replace ? 0 : op.dev_bus_addr,
                                  .new_addr = replace ? op.dev_bus_addr : 0,
                                  .handle = op.handle,
                              },
                              &done[i]);
        flush |= done[i].done & GNTMAP_host_map;
        error = hv_copy_to_guest(arg + offsetof(gnttab_unmap_grant_ref_t, status), &op.status,
                            sizeof(op.status));
    }
    if (flush)
        hv_tlb_flush_local();
    for (unsigned k = 0; k < i; k++)
        unmap_release(&done[k]);
    return error;
}

static long unmap(u64 arg, unsigned count, bool replace)
{
    unsigned done = 0;

    while (done < count) {
        unsigned n = count - done < UNMAP_BATCH ? count - done : UNMAP_BATCH;
        long error = unmap_batch(arg + done * sizeof(gnttab_unmap_grant_ref_t), n, replace);

        if (error)
            return error;
        done += n;
        if (hv_preempt())
            break;
    }
    return done;
}

long hv_grant_unmap(u64 arg, unsigned count)
{
    return unmap(arg, count, false);
}

long hv_grant_unmap_and_replace(u64 arg, unsigned count)
{
    return unmap(arg, count, true);
}

int hv_grant_domain_kill(struct hv_domain *d)
{
    struct hv_grant_table *t = d->grants;

    for (u32 handle = 0; t && handle < t->maptrack_limit; handle++) {
        struct hv_grant_maptrack *m = hv_grant_maptrack(t, handle);
        struct hv_domain *rd;
        struct unmapped u;

        if (!m->flags) {
            if (handle % 4096 == 4095 && hv_preempt())
                return -ERESTART;
            continue;
        }
        rd = hv_domain_find(m->domid);
        if (m->flags & GNTMAP_device_map) {
            u = (struct unmapped){rd, m->ref, hv_grant_active(rd->grants, m->ref)->mfn,
                                  m->flags & (GNTMAP_device_map | GNTMAP_readonly), false};
            unmap_release(&u);
        }
        /* The reference of the host half belongs to a page-table entry, which may be gone by now. */
        if (m->flags & GNTMAP_host_map)
            hv_grant_release(rd, m->ref, hv_grant_pins(m->flags & ~GNTMAP_device_map));
        maptrack_free(t, handle);
        closed(rd);
        if (handle % 64 == 63 && hv_preempt())
            return -ERESTART;
    }
    return 0;
}
