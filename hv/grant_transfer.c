/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving frames between domains: GNTTABOP_transfer. */
#include "hv/grant_table.h"

#include "hv/guest.h"
#include "hv/hypercall.h"

/* Does @to expect a frame from @from at @ref?  Commits it to that if so. */
static bool transfer_commit(struct hv_domain *to, const struct hv_domain *from, u32 ref)
{
    const struct hv_grant_table *t = to->grants;
    u16 flags, user;

    if (ref >= hv_grant_entries(t))
        return false;
    if (t->version == 1) {
        flags = hv_grant_v1(t, ref)->flags;
        user = hv_grant_v1(t, ref)->domid;
    } else {
        flags = hv_grant_v2(t, ref)->hdr.flags;
        user = hv_grant_v2(t, ref)->hdr.domid;
    }
    if (flags != GTF_accept_transfer || user != from->id)
        return false;
    if (t->version == 1)
        hv_grant_v1(t, ref)->flags = GTF_accept_transfer | GTF_transfer_committed;
    else
        hv_grant_v2(t, ref)->hdr.flags = GTF_accept_transfer | GTF_transfer_committed;
    return true;
}

/* The frame is the receiver's: tell it which one, then that it is there. */
static void transfer_complete(struct hv_domain *to, u32 ref, u32 mfn)
{
    const struct hv_grant_table *t = to->grants;

    if (t->version == 1) {
        volatile grant_entry_v1_t *e = hv_grant_v1(t, ref);

        hv_m2p[mfn] = e->frame; /* where the receiver wants it */
        e->frame = mfn;
        e->flags |= GTF_transfer_completed;
    } else {
        volatile grant_entry_v2_t *e = hv_grant_v2(t, ref);

        hv_m2p[mfn] = e->full_page.frame;
        e->full_page.frame = mfn;
        e->hdr.flags |= GTF_transfer_completed;
    }
}

static int transfer_one(struct hv_domain *d, const gnttab_transfer_t *op)
{
    struct hv_frame *f;
    struct hv_domain *to;
    int rc;

    if (!hv_mfn_is_ram(op->mfn))
        return GNTST_bad_page;
    f = hv_frame(op->mfn);
    if (!hv_frame_steal(f, d))
        return GNTST_bad_page;
    /* From here on the frame has left @d, whatever comes. */
    to = hv_domain_find(op->domid);
    if (!to)
        rc = GNTST_bad_domain;
    else if (to->dying || to->tot_pages >= to->max_pages || !transfer_commit(to, d, op->ref))
        rc = GNTST_general_error;
    else {
        hv_frame_give(f, to); /* there is room */
        transfer_complete(to, op->ref, op->mfn);
        return GNTST_okay;
    }
    hv_frame_free(f);
    return rc;
}

long hv_grant_transfer(u64 arg, unsigned count)
{
    struct hv_domain *d = hv_current->domain;
    gnttab_transfer_t op;

    for (unsigned i = 0; i < count; i++, arg += sizeof(op)) {
        if (i && hv_preempt())
            return i;
        if (hv_copy_from_guest(&op, arg, sizeof(op)))
            return -EFAULT;
        op.status = transfer_one(d, &op);
        if (hv_copy_to_guest(arg + offsetof(gnttab_transfer_t, status), &op.status, sizeof(op.status)))
            return -EFAULT;
    }
    return count;
}
