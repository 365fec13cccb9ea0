/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an entry of a page table may say, what it refers to, and how one is changed. */
#include "hv/mm_entry.h"

#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/lib.h"
#include "hv/mm.h"

#define UPPER_ALLOWED \
    (HV_PTE_P | HV_PTE_RW | HV_PTE_US | HV_PTE_A | HV_PTE_D | HV_PTE_AVAIL | HV_PTE_AVAIL_HIGH | HV_PTE_NX)
#define L1_ALLOWED (UPPER_ALLOWED | HV_PTE_G)
/* Changing these alone changes no reference. */
#define L1_HARMLESS \
    (HV_PTE_NX | HV_PTE_AVAIL | HV_PTE_AVAIL_HIGH | HV_PTE_G | HV_PTE_D | HV_PTE_A | HV_PTE_US)
#define UPPER_HARMLESS (HV_PTE_NX | HV_PTE_AVAIL | HV_PTE_AVAIL_HIGH | HV_PTE_D | HV_PTE_A | HV_PTE_US)

static inline bool has_devices(const struct hv_domain *d) { return d->io_mem || d->io_ports || d->irqs; }

static inline int l1e_check(u64 *e, const struct hv_domain *d)
{
    u64 bad = *e & ~(L1_ALLOWED | HV_PTE_FRAME);
    if (unlikely(bad) && ((bad & ~HV_PTE_CACHE) || !has_devices(d)))
        return -EINVAL;
    if (!(*e & HV_PTE_US))
        *e |= HV_PTE_US | HV_PTE_GK;
    if (!(*e & HV_PTE_GK))
        *e |= HV_PTE_G | HV_PTE_US;
    return 0;
}

/* Device memory: no references; by permission, uncached. */
HV_COLD static HV_NOINLINE int l1e_get_device(u64 *e, struct hv_domain *pg)
{
    hv_mfn_t mfn = hv_pte_mfn(*e);
    if (mfn == HV_PTE_FRAME >> 12)
        return -EINVAL;
    if (!pg || !hv_range_holds(pg->io_mem, mfn, mfn))
        return -EPERM;
    if (!(*e & HV_PTE_CACHE))
        *e |= HV_PTE_PCD;
    return 0;
}

static inline int l1e_refs(u64 *e, struct hv_domain *pg)
{
    hv_mfn_t mfn = hv_pte_mfn(*e);
    if (unlikely(!hv_mfn_is_ram(mfn)))
        return l1e_get_device(e, pg == NULL ? hv_current->domain : pg);
    struct hv_frame *f = hv_frame(mfn);
    if (unlikely(!pg || !hv_get_page(f, pg->id)))
        return -EBUSY;
    if (unlikely(pg == &hv_xen_domain) &&
        ((*e & HV_PTE_RW) || mfn - (hv_boot.m2p_pa >> 12) >= (hv_max_mfn * 8 + 4095) >> 12)) {
        hv_put_page(f);
        return -EBUSY;
    }
    if (unlikely((*e & HV_PTE_CACHE) && (f->flags & HV_FRAME_SPECIAL))) {
        hv_put_page(f);
        return -EACCES;
    }
    if ((*e & HV_PTE_RW) && hv_get_type(f, HV_TYPE_WRITABLE)) {
        hv_put_page(f);
        return -EBUSY;
    }
    return 0;
}

int hv_l1e_get(u64 *e, struct hv_domain *d, struct hv_domain *pg)
{
    int rc = l1e_check(e, d);
    return rc ? rc : l1e_refs(e, pg);
}

void hv_l1e_put(u64 e)
{
    hv_mfn_t mfn = hv_pte_mfn(e);
    if (!(e & HV_PTE_P) || unlikely(!hv_mfn_is_ram(mfn)))
        return;
    if (e & HV_PTE_RW)
        hv_put_type(hv_frame(mfn));
    hv_put_page(hv_frame(mfn));
}

/* A table that points to one of its own level; only one step deep, and never writable. */
HV_COLD static HV_NOINLINE int linear_get(struct hv_frame *f, u64 e, struct hv_frame *child)
{
    if ((e & HV_PTE_RW) || child->owner != f->owner)
        return -EINVAL;
    if (child == f)
        return 0;
    if (!(child->flags & HV_FRAME_VALIDATED) || !child->type_count || child->type_count >= 0xfffffff0u ||
        f->linear < 0 || child->linear > 0 || f->linear == 0x7fff || child->linear == -0x7fff)
        return -EINVAL;
    if (!hv_get_page(child, f->owner))
        return -EINVAL;
    child->type_count++;
    f->linear++;
    child->linear--;
    return 0;
}

HV_COLD int hv_upper_get(struct hv_frame *f, u64 *e, struct hv_frame **child)
{
    hv_mfn_t mfn = hv_pte_mfn(*e);
    u8 want = f->type - 1;
    if ((*e & ~(UPPER_ALLOWED | HV_PTE_FRAME)) || !hv_mfn_is_ram(mfn))
        return -EINVAL;
    *e |= HV_PTE_US;
    struct hv_frame *c = *child = hv_frame(mfn);
    if (c->owner == f->owner && c->type == f->type && c->type_count)
        return linear_get(f, *e, c);
    if (want > HV_TYPE_L1 && !c->type_count) {
        if (c->owner != f->owner || !c->count || c->count >= 0xfffffff0u)
            return -EINVAL;
        return HV_UPPER_NEEDS;
    }
    if (!hv_get_page(c, f->owner))
        return -EINVAL;
    int rc = hv_get_type(c, want);
    if (rc)
        hv_put_page(c);
    return rc;
}

HV_COLD void hv_upper_put(struct hv_frame *f, u64 e)
{
    struct hv_frame *c = hv_frame(hv_pte_mfn(e));
    if (!(e & HV_PTE_P) || c == f)
        return;
    if (unlikely(c->type == f->type)) {
        f->linear--;
        c->linear++;
    }
    hv_put_page_and_type(c);
}

HV_COLD void hv_l4_strict(u64 *l4, const struct hv_domain *d, bool kernel)
{
    if (d->vm_assist & 1ull << VMASST_TYPE_m2p_strict)
        l4[HV_L4_FIRST] = kernel ? hv_template[HV_L4_FIRST] : 0;
}

HV_COLD void hv_l4_fill(u64 *l4, struct hv_domain *d)
{
    memcpy(&l4[HV_L4_FIRST], &hv_template[HV_L4_FIRST], (HV_L4_LAST - HV_L4_FIRST + 1) * 8);
    hv_l4_strict(l4, d, false);
    l4[260] = d->perdomain_l3_mfn << 12 | HV_PTE_P | HV_PTE_RW | HV_PTE_A | HV_PTE_D;
}

static int mod_l1(u64 *slot, u64 val, struct hv_domain *d, struct hv_domain *pg, bool preserve_ad)
{
    u64 old = *slot;
    if (val & HV_PTE_P) {
        int rc = l1e_check(&val, d);
        if (rc)
            return rc;
        if (preserve_ad)
            val |= old & (HV_PTE_A | HV_PTE_D);
        if (((old ^ val) & ~L1_HARMLESS) == 0) {
            *slot = val;
            return 0;
        }
        rc = l1e_refs(&val, pg);
        if (rc)
            return rc;
    }
    *slot = val;
    if (old & HV_PTE_P)
        hv_l1e_put(old);
    return 0;
}

static int mod_upper(struct hv_frame *f, u64 *slot, u64 val, struct hv_domain *d, struct hv_domain *pg,
                     bool preserve_ad)
{
    u64 old = *slot, index = ((u64)slot & 0xfff) / 8;
    struct hv_frame *child;
    if (pg != d || (f->type == HV_TYPE_L4 && index >= HV_L4_FIRST && index <= HV_L4_LAST))
        return -EINVAL;
    if (val & HV_PTE_P) {
        if (val & ~(UPPER_ALLOWED | HV_PTE_FRAME))
            return -EINVAL;
        val |= HV_PTE_US;
        if (preserve_ad)
            val |= old & (HV_PTE_A | HV_PTE_D);
        if (((old ^ val) & ~UPPER_HARMLESS) == 0) {
            *slot = val;
            return 0;
        }
        int rc = hv_upper_get(f, &val, &child);
        if (rc == HV_UPPER_NEEDS) {
            if (!hv_get_page(child, f->owner))
                return -EINVAL;
            rc = hv_get_type(child, f->type - 1);
            if (rc)
                hv_put_page(child);
        }
        if (rc)
            return rc;
    }
    *slot = val;
    if (old & HV_PTE_P)
        hv_upper_put(f, old);
    return 0;
}

int hv_mod_entry(struct hv_frame *f, u64 *slot, u64 val, struct hv_domain *d, struct hv_domain *pg,
                 bool preserve_ad)
{
    return likely(f->type == HV_TYPE_L1) ? mod_l1(slot, val, d, pg, preserve_ad)
                                         : mod_upper(f, slot, val, d, pg, preserve_ad);
}

u64 *hv_walk_l1(u64 cr3, u64 va)
{
    u64 e = ((u64 *)(HV_VA_DIRECT + (cr3 & HV_PTE_FRAME)))[va >> 39 & 511];
    for (int shift = 30; shift >= 12; shift -= 9) {
        if (!(e & HV_PTE_P))
            return NULL;
        u64 *slot = (u64 *)(HV_VA_DIRECT + (e & HV_PTE_FRAME)) + (va >> shift & 511);
        if (shift == 12)
            return slot;
        e = *slot;
    }
    return NULL;
}

/* ---- entries of grant maps --------------------------------------------------------------------- */
HV_COLD static u64 *grant_slot(u64 host_addr, bool contains_pte)
{
    struct hv_vcpu *v = hv_current;
    u64 *slot = NULL;
    if (contains_pte) {
        if (!(host_addr & 7) && hv_mfn_is_ram(host_addr >> 12))
            slot = (u64 *)(HV_VA_DIRECT + host_addr);
    } else if (hv_canonical(host_addr) && (host_addr < HV_VA_START || host_addr >= HV_VA_END)) {
        slot = hv_walk_l1(v->cr3, host_addr);
    }
    if (!slot)
        return NULL;
    struct hv_frame *f = hv_frame(hv_va_mfn(slot));
    if (f->type != HV_TYPE_L1 || !(f->flags & HV_FRAME_VALIDATED) || !f->type_count ||
        f->owner != v->domain->id)
        return NULL;
    return slot;
}

int hv_pte_grant_set(u64 host_addr, bool contains_pte, u64 pte)
{
    u64 *slot = grant_slot(host_addr, contains_pte);
    if (!slot || l1e_check(&pte, hv_current->domain))
        return -EINVAL;
    u64 old = *slot;
    *slot = pte;
    hv_l1e_put(old);
    return 0;
}

int hv_pte_grant_clear(u64 host_addr, bool contains_pte, hv_mfn_t mfn, bool writable)
{
    u64 *slot = grant_slot(host_addr, contains_pte);
    if (!slot || !(*slot & HV_PTE_P) || hv_pte_mfn(*slot) != mfn || !(*slot & HV_PTE_RW) != !writable)
        return -EINVAL;
    *slot = 0;
    return 0;
}

HV_COLD int hv_pte_grant_replace(u64 host_addr, u64 new_addr, hv_mfn_t mfn, bool writable)
{
    u64 *from = grant_slot(new_addr, false), *to = grant_slot(host_addr, false);
    if (!from || !to || !(*to & HV_PTE_P) || hv_pte_mfn(*to) != mfn || !(*to & HV_PTE_RW) != !writable)
        return -EINVAL;
    if (from == to)
        return -EINVAL;
    *to = *from;
    *from = 0;
    return 0;
}
