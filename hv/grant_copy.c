/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving data between domains: GNTTABOP_copy. */
#include "hv/grant_table.h"

#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"

/* One end of a copy. */
struct end {
    struct hv_domain *d;
    u32 ref;
    u32 pins; /* 0: the frame is the caller's own */
    struct hv_grant_use use;
};

static int end_domain(const struct gnttab_copy_ptr *p, bool is_ref, struct end *e)
{
    if (p->domid == DOMID_SELF) {
        e->d = hv_current->domain;
        return GNTST_okay;
    }
    e->d = hv_domain_find(p->domid);
    if (!e->d)
        return GNTST_bad_domain;
    return is_ref ? GNTST_okay : GNTST_permission_denied;
}

static int end_open(const struct gnttab_copy_ptr *p, bool is_ref, bool write, struct end *e)
{
    int rc;

    if (is_ref) {
        e->ref = p->u.ref;
        e->pins = write ? PIN_HOST_WRITE : PIN_HOST_READ;
        rc = hv_grant_acquire(e->d, e->ref, hv_current->domain->id, e->pins, false, &e->use);
        if (rc)
            return rc;
    } else {
        e->pins = 0;
        e->use.frame = hv_get_page_mfn(p->u.gmfn, e->d->id);
        if (!e->use.frame)
            return GNTST_bad_page;
        e->use.mfn = p->u.gmfn;
        e->use.start = 0;
        e->use.length = HV_PAGE_SIZE;
    }
    if (!write || !hv_get_type(e->use.frame, HV_TYPE_WRITABLE))
        return GNTST_okay;
    if (e->pins)
        hv_grant_release_use(e->d, e->ref, e->pins, &e->use);
    else
        hv_put_page(e->use.frame);
    return GNTST_general_error;
}

static inline void end_close(bool write, struct end *e)
{
    if (write)
        hv_put_type(e->use.frame);
    if (e->pins)
        hv_grant_release_use(e->d, e->ref, e->pins, &e->use);
    else
        hv_put_page(e->use.frame);
}

static bool in_range(const struct end *e, unsigned offset, unsigned length)
{
    return offset >= e->use.start && offset + length <= (unsigned)e->use.start + e->use.length;
}

static int copy_one(const gnttab_copy_t *op)
{
    bool src_ref = op->flags & GNTCOPY_source_gref, dst_ref = op->flags & GNTCOPY_dest_gref;
    struct end src, dst;
    int rc;

    rc = end_domain(&op->source, src_ref, &src);
    if (!rc)
        rc = end_domain(&op->dest, dst_ref, &dst);
    if (!rc)
        rc = end_open(&op->source, src_ref, false, &src);
    if (rc)
        return rc;
    rc = end_open(&op->dest, dst_ref, true, &dst);
    if (rc) {
        end_close(false, &src);
        return rc;
    }
    if (HV_MAX(op->source.offset, op->dest.offset) + op->len > (int)HV_PAGE_SIZE)
        rc = GNTST_bad_copy_arg;
    else if (!in_range(&src, op->source.offset, op->len) ||
             !in_range(&dst, op->dest.offset, op->len))
        rc = GNTST_general_error;
    else if (dst.use.mfn != src.use.mfn)
        memcpy((char *)hv_mfn_va(dst.use.mfn) + op->dest.offset,
               (const char *)hv_mfn_va(src.use.mfn) + op->source.offset, op->len);
    else
        memmove((char *)hv_mfn_va(dst.use.mfn) + op->dest.offset,
                (const char *)hv_mfn_va(src.use.mfn) + op->source.offset, op->len);
    end_close(true, &dst);
    end_close(false, &src);
    return rc;
}

long hv_grant_copy(u64 arg, unsigned count)
{
    gnttab_copy_t op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (i && hv_preempt())
            return i;
        if (hv_copy_raw(&op, (const void *)arg, sizeof(op))) /* the caller has checked the range */
            return -EFAULT;
        if (hv_store_guest16(arg + offsetof(gnttab_copy_t, status), (u16)copy_one(&op)))
            return -EFAULT;
    }
    return count;
}
