/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a grant into use and letting it go: the one place that believes a shared entry.
 *
 * A shared entry may change at any time between two hypercalls, but not during one: there is one
 * physical CPU and no interrupts in here.  So an entry is read once, field by field, judged by what was
 * read, and marked; no compare-and-exchange is needed.  Everything later goes by the active entry.
 */
#include "hv/grant_table.h"

/* A shared entry as it was read. */
struct claim {
    u64 frame;
    u16 flags;
    u16 start, length;
    u16 inner_dom; /* GTF_transitive */
    u32 inner_ref;
};

static void claim_read(const struct hv_grant_table *t, u32 ref, struct claim *c, u16 *user)
{
    c->start = 0;
    c->length = HV_PAGE_SIZE;
    c->inner_dom = 0;
    c->inner_ref = 0;
    if (t->version == 1) {
        volatile grant_entry_v1_t *e = hv_grant_v1(t, ref);

        c->flags = e->flags;
        *user = e->domid;
        c->frame = e->frame;
        return;
    }
    volatile grant_entry_v2_t *e = hv_grant_v2(t, ref);

    c->flags = e->hdr.flags;
    *user = e->hdr.domid;
    c->frame = e->full_page.frame;
    if ((c->flags & GTF_type_mask) == GTF_transitive) {
        c->inner_dom = e->transitive.trans_domid;
        c->inner_ref = e->transitive.gref;
    } else if (c->flags & GTF_sub_page) {
        c->start = e->sub_page.page_off;
        c->length = e->sub_page.length;
    }
}

static void status_set(const struct hv_grant_table *t, u32 ref, u16 flags)
{
    if (t->version == 1)
        hv_grant_v1(t, ref)->flags |= flags;
    else
        t->status[ref / HV_GRANT_STATUS_PER_FRAME][ref % HV_GRANT_STATUS_PER_FRAME] |= flags;
}

static void status_clear(const struct hv_grant_table *t, u32 ref, u16 flags)
{
    if (t->version == 1)
        hv_grant_v1(t, ref)->flags &= ~flags;
    else
        t->status[ref / HV_GRANT_STATUS_PER_FRAME][ref % HV_GRANT_STATUS_PER_FRAME] &= ~flags;
}

/*
 * Does the shared entry allow it?  @whole: only a grant of a whole frame will do; @direct: only one of
 * the granter's own frames.  Marks the entry if so.
 */
static int claim(const struct hv_grant_table *t, u32 ref, u16 user, bool write, bool whole,
                 bool direct, struct claim *c)
{
    u16 entry_user, type;

    claim_read(t, ref, c, &entry_user);
    type = c->flags & (GTF_type_mask | (whole ? GTF_sub_page : 0));
    if (entry_user != user ||
        (type != GTF_permit_access && (direct || t->version == 1 || type != GTF_transitive)) ||
        (write && (c->flags & GTF_readonly)))
        return GNTST_general_error;
    status_set(t, ref, write ? GTF_reading | GTF_writing : GTF_reading);
    return GNTST_okay;
}

void hv_grant_release(struct hv_domain *rd, u32 ref, u32 pins)
{
    struct hv_grant_active *a = hv_grant_active(rd->grants, ref);

    a->pins -= pins;
    if (!(a->pins & PIN_WRITE_MASK))
        status_clear(rd->grants, ref, a->pins ? GTF_writing : GTF_reading | GTF_writing);
}

void hv_grant_release_use(struct hv_domain *rd, u32 ref, u32 pins, struct hv_grant_use *use)
{
    if (use->transitive)
        hv_grant_release(hv_domain_find(use->inner_dom), use->inner_ref, pins);
    hv_put_page(use->frame);
    hv_grant_release(rd, ref, pins);
}

/* The frame of a claim not pinned before, with a reference. */
static int claim_frame(struct hv_domain *rd, u32 pins, const struct claim *c,
                       struct hv_grant_use *out)
{
    struct hv_domain *inner;
    int rc;

    if ((c->flags & GTF_type_mask) != GTF_transitive) {
        out->frame = hv_get_page_mfn(c->frame, rd->id);
        if (!out->frame)
            return GNTST_bad_page;
        out->mfn = c->frame;
        out->start = c->start;
        out->length = c->length;
        return GNTST_okay;
    }
    /* The granter uses a grant of its own; its user must not reach further than it could itself. */
    inner = hv_domain_find(c->inner_dom);
    if (!inner || inner == rd)
        return GNTST_general_error;
    if (c->inner_ref < hv_grant_entries(inner->grants) && inner->grants->version == 2 &&
        (hv_grant_v2(inner->grants, c->inner_ref)->hdr.flags & GTF_type_mask) == GTF_transitive)
        return GNTST_general_error; /* one step only: the stack is finite */
    rc = hv_grant_acquire(inner, c->inner_ref, rd->id, pins, false, out);
    if (rc)
        return rc;
    out->transitive = true;
    out->inner_dom = c->inner_dom;
    out->inner_ref = c->inner_ref;
    return GNTST_okay;
}

int hv_grant_acquire(struct hv_domain *rd, u32 ref, u16 user, u32 pins, bool mapping,
                  struct hv_grant_use *out)
{
    const struct hv_grant_table *t = rd->grants;
    bool write = pins & PIN_WRITE_MASK, fresh;
    struct hv_grant_active *a;
    struct claim c;
    int rc;

    if (ref >= hv_grant_entries(t))
        return GNTST_bad_gntref;
    a = hv_grant_active(t, ref);
    if (a->pins && (a->user != user || (a->pins & PIN_FULL) || (mapping && a->sub_page)))
        return GNTST_general_error;

    /* A transitive entry is never pinned longer than one copy: its source and destination. */
    fresh = !a->pins || a->transitive;
    if (fresh || (write && !(a->pins & PIN_WRITE_MASK))) {
        rc = claim(t, ref, user, write, mapping, mapping || !fresh, &c);
        if (rc)
            return rc;
    }
    out->transitive = false;
    out->active = a;
    if (fresh) {
        rc = claim_frame(rd, pins, &c, out);
        if (!rc && a->pins && out->transitive != a->transitive) {
            hv_grant_release_use(rd, ref, 0, out);
            rc = GNTST_general_error;
        }
        if (rc) {
            hv_grant_release(rd, ref, 0);
            return rc;
        }
        a->mfn = out->mfn;
        a->user = user;
        a->start = out->start;
        a->length = out->length;
        a->transitive = out->transitive;
        a->sub_page = out->transitive || (c.flags & GTF_sub_page);
    } else {
        out->frame = hv_get_page_mfn(a->mfn, rd->id);
        if (!out->frame) { /* too many references */
            hv_grant_release(rd, ref, 0);
            return GNTST_general_error;
        }
        out->mfn = a->mfn;
        out->start = a->start;
        out->length = a->length;
    }
    out->active = a;
    a->pins += pins;
    return GNTST_okay;
}
