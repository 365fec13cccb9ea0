/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grant table of a domain as a whole: its frames and its version.
 */
#include "hv/grant.h"

#include "hv/access.h"
#include "hv/grant_table.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"

_Static_assert(sizeof(struct hv_grant_table) <= HV_PAGE_SIZE, "one page for each domain");
_Static_assert(sizeof(struct hv_grant_active) * HV_GRANT_ACTIVE_PER_PAGE == HV_PAGE_SIZE, "pins fill a page");
_Static_assert(sizeof(struct hv_grant_maptrack) * HV_GRANT_MAPTRACK_PER_PAGE == HV_PAGE_SIZE,
               "handles fill a page");

static unsigned status_frames_for(unsigned frames)
{
    return (frames * HV_GRANT_PER_FRAME_V2 + HV_GRANT_STATUS_PER_FRAME - 1) / HV_GRANT_STATUS_PER_FRAME;
}

/* A zeroed page which @d may map. */
static void *shared_alloc(struct hv_domain *d)
{
    void *page = hv_page_alloc();

    if (page)
        hv_page_share(page, d);
    return page;
}

/* Makes status frames for as many entries as @frames hold. */
static bool status_grow(struct hv_domain *d, unsigned frames)
{
    struct hv_grant_table *t = d->grants;

    while (t->status_frames < status_frames_for(frames)) {
        t->status[t->status_frames] = shared_alloc(d);
        if (!t->status[t->status_frames])
            return false;
        t->status_frames++;
    }
    return true;
}

static bool table_grow(struct hv_domain *d, unsigned frames)
{
    struct hv_grant_table *t = d->grants;

    if (t->version == 2 && !status_grow(d, frames))
        return false;
    while (t->frames < frames) {
        for (unsigned i = 2 * t->frames; i < 2 * t->frames + 2u; i++)
            if (!t->active[i] && !(t->active[i] = hv_page_alloc()))
                return false;
        t->shared[t->frames] = shared_alloc(d);
        if (!t->shared[t->frames])
            return false;
        t->frames++;
    }
    return true;
}

int hv_grant_domain_init(struct hv_domain *d)
{
    struct hv_grant_table *t = hv_page_alloc();

    d->grants = t;
    if (!t)
        return -ENOMEM;
    t->version = 1;
    t->free_head = HV_GRANT_NONE;
    hv_grant_limit(d, -1, -1, 2);
    return table_grow(d, 1) ? 0 : -ENOMEM;
}

int hv_grant_limit(struct hv_domain *d, s32 frames_max, s32 maptrack_max, unsigned version_max)
{
    if (frames_max < 0)
        frames_max = HV_GRANT_FRAMES_MAX;
    if (maptrack_max < 0)
        maptrack_max = HV_GRANT_MAPTRACK_MAX;
    if (frames_max == 0 || frames_max > HV_GRANT_FRAMES_MAX ||
        maptrack_max > HV_GRANT_MAPTRACK_MAX || version_max < 1 || version_max > 2)
        return -EINVAL;
    if (d) {
        d->grants->frames_max = frames_max;
        d->grants->maptrack_max = maptrack_max * HV_GRANT_MAPTRACK_STEP;
        d->grants->version_max = version_max;
    }
    return 0;
}

u32 hv_grant_mapped(const struct hv_domain *d)
{
    return d->grants ? d->grants->mapped : 0;
}

void hv_grant_domain_fini(struct hv_domain *d)
{
    struct hv_grant_table *t = d->grants;

    if (!t)
        return;
    for (unsigned i = 0; i < t->frames; i++)
        hv_page_free(t->shared[i]);
    for (unsigned i = 0; i < t->status_frames; i++)
        hv_page_free(t->status[i]);
    for (unsigned i = 0; i < sizeof(t->active) / sizeof(t->active[0]); i++)
        if (t->active[i])
            hv_page_free(t->active[i]);
    for (u32 i = 0; i < t->maptrack_limit; i += HV_GRANT_MAPTRACK_PER_PAGE)
        hv_page_free(t->maptrack[i / HV_GRANT_MAPTRACK_PER_PAGE]);
    if (t->maptrack)
        hv_page_free(t->maptrack);
    hv_page_free(t);
    d->grants = NULL;
}

/* The domain an operation is about, if the caller may.  Returns: its status code. */
static int target(domid_t id, struct hv_domain **d)
{
    *d = hv_domain_resolve(id);
    if (!*d || (*d)->dying)
        return GNTST_bad_domain;
    return hv_controls(*d) ? GNTST_okay : GNTST_permission_denied;
}

/* Stores the numbers of @pages in a list of the caller's.  Returns: the status. */
static int put_frames(u64 list, void *const *pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (hv_store_guest64(list + i * sizeof(u64), hv_va_mfn(pages[i])))
            return GNTST_bad_virt_addr;
    return GNTST_okay;
}

long hv_grant_setup_table(u64 arg)
{
    gnttab_setup_table_t op;
    struct hv_domain *d;

    if (hv_copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    op.status = target(op.dom, &d);
    if (!op.status && (op.nr_frames > d->grants->frames_max || !table_grow(d, op.nr_frames)))
        op.status = GNTST_general_error;
    if (!op.status)
        op.status = put_frames((u64)op.frame_list.p, d->grants->shared, op.nr_frames);
    return hv_copy_to_guest(arg, &op, sizeof(op)) ? -EFAULT : 0;
}

long hv_grant_query_size(u64 arg)
{
    gnttab_query_size_t op;
    struct hv_domain *d;

    if (hv_copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    op.status = target(op.dom, &d);
    if (!op.status) {
        op.nr_frames = d->grants->frames;
        op.max_nr_frames = d->grants->frames_max;
    }
    return hv_copy_to_guest(arg, &op, sizeof(op)) ? -EFAULT : 0;
}

long hv_grant_get_status_frames(u64 arg)
{
    gnttab_get_status_frames_t op;
    struct hv_domain *d;

    if (hv_copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    op.status = target(op.dom, &d);
    if (!op.status && op.nr_frames > d->grants->status_frames)
        op.status = GNTST_general_error;
    if (!op.status)
        op.status = put_frames((u64)op.frame_list.p, (void **)d->grants->status, op.nr_frames);
    return hv_copy_to_guest(arg, &op, sizeof(op)) ? -EFAULT : 0;
}

long hv_grant_get_version(u64 arg)
{
    gnttab_get_version_t op;
    struct hv_domain *d;

    if (hv_copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    d = hv_domain_resolve(op.dom);
    if (!d)
        return -ESRCH;
    if (!hv_controls(d))
        return -EPERM;
    op.version = d->grants->version;
    return hv_copy_to_guest(arg, &op, sizeof(op)) ? -EFAULT : 0;
}

/*
 * The reserved entries survive a change of the version: the toolstack filled them before the kernel
 * had a say.
 */
struct reserved {
    u16 flags, domid;
    u32 frame;
};

static void reserved_save(const struct hv_grant_table *t, struct reserved *r)
{
    for (unsigned ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++, r++) {
        if (t->version == 1) {
            r->flags = hv_grant_v1(t, ref)->flags;
            r->domid = hv_grant_v1(t, ref)->domid;
            r->frame = hv_grant_v1(t, ref)->frame;
        } else {
            r->flags = hv_grant_v2(t, ref)->hdr.flags | t->status[0][ref];
            r->domid = hv_grant_v2(t, ref)->hdr.domid;
            r->frame = hv_grant_v2(t, ref)->full_page.frame;
        }
        /* What version 1 has no words for is gone, and nobody but a mapping user sees it. */
        if (t->version == 2 &&
            ((r->flags & GTF_type_mask) != GTF_permit_access || (r->flags & GTF_sub_page)))
            *r = (struct reserved){0};
    }
}

static void reserved_restore(const struct hv_grant_table *t, const struct reserved *r)
{
    for (unsigned ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++, r++) {
        /* The same bits mean something else in entries that accept a frame. */
        u16 in_use = (r->flags & GTF_type_mask) == GTF_permit_access ? GTF_reading | GTF_writing : 0;

        if (t->version == 1) {
            hv_grant_v1(t, ref)->flags = r->flags;
            hv_grant_v1(t, ref)->domid = r->domid;
            hv_grant_v1(t, ref)->frame = r->frame;
        } else {
            hv_grant_v2(t, ref)->hdr.flags = r->flags & ~in_use;
            hv_grant_v2(t, ref)->hdr.domid = r->domid;
            hv_grant_v2(t, ref)->full_page.frame = r->frame;
            t->status[0][ref] = r->flags & in_use;
        }
    }
}

/* Takes the status frames away.  Returns: 0; -EBUSY: the domain still has some of them mapped. */
static int status_drop(struct hv_domain *d)
{
    struct hv_grant_table *t = d->grants;

    for (unsigned i = 0; i < t->status_frames; i++) {
        if (hv_page_unshare(t->status[i]))
            continue;
        while (i--)
            hv_page_share(t->status[i], d);
        return -EBUSY;
    }
    while (t->status_frames) {
        hv_page_free(t->status[--t->status_frames]);
        t->status[t->status_frames] = NULL;
    }
    return 0;
}

static int version_change(struct hv_domain *d, unsigned version)
{
    struct hv_grant_table *t = d->grants;
    struct reserved saved[GNTTAB_NR_RESERVED_ENTRIES];
    u32 ref, entries = hv_grant_entries(t);
    int error;

    for (ref = GNTTAB_NR_RESERVED_ENTRIES; ref < entries; ref++)
        if (hv_grant_active(t, ref)->pins)
            return -EBUSY;
    if (version == 2 && !status_grow(d, t->frames))
        return -ENOMEM;
    reserved_save(t, saved);
    if (version == 1) {
        error = status_drop(d);
        if (error)
            return error;
    }
    for (unsigned i = 0; i < t->frames; i++)
        memset(t->shared[i], 0, HV_PAGE_SIZE);
    t->version = version;
    reserved_restore(t, saved);
    return 0;
}

long hv_grant_set_version(u64 arg)
{
    struct hv_grant_table *t = hv_current->domain->grants;
    gnttab_set_version_t op;
    long rc = 0;

    if (hv_copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (op.version != 1 && op.version != 2)
        rc = -EINVAL;
    else if (op.version > t->version_max)
        rc = -ENOSYS;
    else if (op.version != t->version)
        rc = version_change(hv_current->domain, op.version);
    op.version = t->version;
    return hv_copy_to_guest(arg, &op, sizeof(op)) ? -EFAULT : rc;
}

static int swap_one(struct hv_grant_table *t, u32 a, u32 b)
{
    if (a >= hv_grant_entries(t) || b >= hv_grant_entries(t))
        return GNTST_bad_gntref;
    if (a == b)
        return GNTST_okay;
    if (hv_grant_active(t, a)->pins || hv_grant_active(t, b)->pins)
        return GNTST_eagain;
    if (t->version == 1) {
        grant_entry_v1_t e = *hv_grant_v1(t, a);

        *hv_grant_v1(t, a) = *hv_grant_v1(t, b);
        *hv_grant_v1(t, b) = e;
    } else {
        grant_entry_v2_t e = *hv_grant_v2(t, a);

        *hv_grant_v2(t, a) = *hv_grant_v2(t, b);
        *hv_grant_v2(t, b) = e;
    }
    return GNTST_okay;
}

long hv_grant_swap_ref(u64 arg, unsigned count)
{
    gnttab_swap_grant_ref_t op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (i && hv_preempt())
            return i;
        if (hv_copy_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = swap_one(hv_current->domain->grants, op.ref_a, op.ref_b);
        if (hv_copy_to_guest(arg + offsetof(gnttab_swap_grant_ref_t, status), &op.status,
                        sizeof(op.status)))
            return -EFAULT;
    }
    return count;
}

/* Has @d a mapping of frame @mfn of domain @rd through a grant? */
static bool has_mapped(const struct hv_domain *d, const struct hv_domain *rd, u64 mfn)
{
    const struct hv_grant_table *t = d->grants;

    for (u32 handle = 0; handle < t->maptrack_limit; handle++) {
        const struct hv_grant_maptrack *m = hv_grant_maptrack(t, handle);

        if (m->flags && m->domid == rd->id && hv_grant_active(rd->grants, m->ref)->mfn == mfn)
            return true;
    }
    return false;
}

/* Writes the lines back, and lets them go. */
static void clean(const char *from, unsigned length)
{
    for (const char *line = (const char *)((u64)from & ~63ul); line < from + length; line += 64)
        __asm__ volatile("clflush %0" ::"m"(*line));
}

static int cache_flush_one(const gnttab_cache_flush_t *op)
{
    struct hv_domain *d = hv_current->domain, *owner;
    hv_mfn_t mfn = op->a.dev_bus_addr >> HV_PAGE_SHIFT;

    if (op->offset >= HV_PAGE_SIZE || op->length > HV_PAGE_SIZE ||
        op->offset + op->length > HV_PAGE_SIZE ||
        (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
        return -EINVAL;
    if (!op->length || !op->op)
        return 0;
    if (!hv_mfn_is_ram(mfn))
        return -EINVAL;
    owner = hv_domain_find(hv_frame(mfn)->owner);
    if (!owner || !owner->grants)
        return -EPERM;
    if (owner != d && !has_mapped(d, owner, mfn))
        return -EINVAL;
    if (!(op->op & GNTTAB_CACHE_CLEAN))
        return -EOPNOTSUPP; /* to forget what was written is not possible for a guest */
    clean((const char *)hv_mfn_va(mfn) + op->offset, op->length);
    return 0;
}

long hv_grant_cache_flush(u64 arg, unsigned count)
{
    gnttab_cache_flush_t op;
    int error;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (i && hv_preempt())
            return i;
        if (hv_copy_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        error = cache_flush_one(&op);
        if (error)
            return error;
    }
    return count;
}
