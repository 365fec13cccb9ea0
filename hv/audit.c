/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test builds: recounts every reference to every frame from what holds one - tables, pins,
 * roots, descriptor tables, vcpu_info pages, allocations, grants - and compares with the frame
 * table.  Hypercall 63, which any domain may call:
 *
 *   (0)               the number of disagreements
 *   (1, FIRST, LAST)  a digest of all memory of the domains FIRST to LAST, with its owners and places,
 *                     and of the hypervisor's code and constants; never negative
 *   (2, DOMAIN)       the number of a frame of that domain, 0 if it has none
 */
#include "hv/audit_services.h"
#include "hv/boot.h"
#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"

struct expected {
    u32 count, type_count;
};
static struct expected *expected;

/* As long as memory is taken from the start only. */
void HV_INIT hv_audit_init(void)
{
    expected = (struct expected *)(HV_VA_DIRECT + hv_early_alloc(hv_max_mfn * sizeof(*expected)));
}

static void add(hv_mfn_t mfn, bool with_type, void *data)
{
    (void)data;
    if (!hv_mfn_is_ram(mfn))
        return;
    expected[mfn].count++;
    expected[mfn].type_count += with_type;
}

/* The entries of a table which hold references: all of a validated one, the first of a partial one. */
static void count_table(const struct hv_frame *f)
{
    const u64 *table = hv_frame_va(f);
    u32 n = f->flags & HV_FRAME_PARTIAL ? f->nr_valid : 512;
    if (!(f->flags & (HV_FRAME_PARTIAL | HV_FRAME_VALIDATED)) || !f->type_count)
        return;
    for (u32 i = 0; i < n; i++) {
        hv_mfn_t mfn = hv_pte_mfn(table[i]);
        if (!(table[i] & HV_PTE_P) || (f->type == HV_TYPE_L4 && i >= HV_L4_FIRST && i <= HV_L4_LAST))
            continue;
        if (f->type == HV_TYPE_L1)
            add(mfn, table[i] & HV_PTE_RW, NULL);
        else if (mfn != hv_frame_mfn(f))
            add(mfn, true, NULL);
    }
}

static void count_frame(const struct hv_frame *f)
{
    hv_mfn_t mfn = hv_frame_mfn(f);
    if (f->owner == DOMID_XEN || (f->flags & HV_FRAME_ALLOCATED))
        add(mfn, f->flags & HV_FRAME_SPECIAL, NULL);
    if (f->flags & HV_FRAME_PINNED)
        add(mfn, true, NULL);
    if (f->flags & HV_FRAME_PARTIAL)
        add(mfn, true, NULL);
    if (f->type >= HV_TYPE_L1 && f->type <= HV_TYPE_L4)
        count_table(f);
}

static void count_vcpu(struct hv_vcpu *v)
{
    const u64 *ldt = v->domain->gdt_l1[v->id / 16] + (v->id % 16) * 32 + 16;
    if (v->cr3)
        add(v->cr3 >> 12, true, NULL);
    if (v->user_cr3)
        add(v->user_cr3 >> 12, true, NULL);
    for (u32 i = 0; i < 14; i++)
        if (v->gdt_mfn[i] != HV_MFN_NONE)
            add(v->gdt_mfn[i], true, NULL);
    for (u32 i = 0; i < 16; i++)
        if (v->ldt_mapped & 1u << i)
            add(hv_pte_mfn(ldt[i]), true, NULL);
    if (v->info_frame)
        add(hv_frame_mfn(v->info_frame), true, NULL);
}

static unsigned compare(void)
{
    unsigned wrong = 0;
    for (hv_mfn_t mfn = 0; mfn < hv_max_mfn; mfn++) {
        const struct hv_frame *f = hv_frame(mfn);
        const struct expected *e = &expected[mfn];
        if (!(f->flags & HV_FRAME_RAM) || (f->count == e->count && f->type_count == e->type_count))
            continue;
        if (wrong++ < 8)
            hv_printk("(HV) audit: frame %lx of d%u, type %u, flags %x: count %u, expected %u; type count %u, "
                      "expected %u\n", mfn, f->owner, f->type, f->flags, f->count, e->count, f->type_count,
                      e->type_count);
    }
    return wrong;
}

/* Each domain's counters against its lists. */
static unsigned compare_lists(void)
{
    unsigned wrong = 0;
    hv_for_each_domain(d) {
        u64 pages = 0, special = 0;
        for (u32 mfn = d->pages; mfn; mfn = hv_frame(mfn)->next)
            pages += hv_frame(mfn)->owner == d->id;
        for (u32 mfn = d->special_pages; mfn; mfn = hv_frame(mfn)->next)
            special += hv_frame(mfn)->owner == d->id;
        if (pages != d->tot_pages || special != d->nr_special) {
            hv_printk("(HV) audit: d%u: %lu pages listed, %lu counted\n", d->id, pages, d->tot_pages);
            wrong++;
        }
    }
    return wrong;
}

static u64 digest(u64 h, const void *from, size_t size_bytes)
{
    for (const u64 *p = from; (const char *)p < (const char *)from + size_bytes; p++)
        h = ((h ^ *p) * 0x9e3779b97f4a7c15ull) ^ h >> 29;
    return h;
}

/* What nobody but the domains first to last themselves, and nobody at all, may change. */
static long memory_digest(u64 first, u64 last)
{
    extern const char hv_image[], hv_rodata_end[];
    u64 h = digest(0, hv_image, (size_t)(hv_rodata_end - hv_image));
    for (hv_mfn_t mfn = 0; mfn < hv_max_mfn; mfn++) {
        const struct hv_frame *f = hv_frame(mfn);
        u64 place[] = {mfn, f->owner, hv_m2p[mfn]};
        if (!(f->flags & HV_FRAME_RAM) || f->owner < first || f->owner > last)
            continue;
        h = digest(digest(h, place, sizeof(place)), hv_frame_va(f), HV_PAGE_SIZE);
    }
    return (long)(h >> 1);
}

HV_HYPERCALL(audit)
{
    (void)a3, (void)a4;
    if (a0 == 1)
        return memory_digest(a1, a2);
    if (a0 == 2) {
        struct hv_domain *d = hv_domain_find((u16)a1);
        return d ? d->pages : 0;
    }
    memset(expected, 0, hv_max_mfn * sizeof(*expected));
    for (hv_mfn_t mfn = 0; mfn < hv_max_mfn; mfn++)
        if (hv_frame(mfn)->flags & HV_FRAME_RAM)
            count_frame(hv_frame(mfn));
    hv_for_each_domain(d)
        hv_for_each_vcpu(d, v)
            count_vcpu(v);
    hv_service_visit(add, NULL);
    return compare() + compare_lists() + hv_evtchn_audit() + hv_grant_audit();
}
