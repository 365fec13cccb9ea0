/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test builds: recounts every reference to every frame from what holds one - tables, pins,
 * roots, descriptor tables, vcpu_info pages, allocations, grants - and compares with the frame
 * table; looks whether each entry of each table leads to what it may lead to; whether ports, grants,
 * the queue of vCPUs and the timers agree with themselves.  Hypercall 63, which any domain may call:
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
    s32 linear;
};
static struct expected *expected;
static unsigned wrong;

/* Something is not as it must be; the first few are told. */
static void say(const char *what, u64 a, u64 b)
{
    if (wrong++ < 8)
        hv_printk("(HV) audit: %s: %lx, %lx\n", what, a, b);
}

static bool is_table(const struct hv_frame *f) { return f->type >= HV_TYPE_L1 && f->type <= HV_TYPE_L4; }

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

/* What an entry of an L1 may be: no reference is right if it lets a guest write what it must not. */
static void check_l1e(const struct hv_frame *f, u64 e)
{
    hv_mfn_t mfn = hv_pte_mfn(e);
    const struct hv_frame *to = hv_frame(mfn);
    const struct hv_domain *d = hv_domain_find(f->owner);
    if (!hv_mfn_is_ram(mfn)) {
        if (!d || !d->io_mem)
            say("device memory in a table of a domain without devices", hv_frame_mfn(f), e);
        return;
    }
    if ((e & HV_PTE_RW) && (to->type != HV_TYPE_WRITABLE || !to->type_count))
        say("a frame that is not writable is mapped writable", hv_frame_mfn(f), e);
    if (to->owner == DOMID_XEN &&
        ((e & HV_PTE_RW) || mfn - (hv_boot.m2p_pa >> 12) >= (hv_max_mfn * 8 + 4095) >> 12))
        say("the hypervisor's own frame is mapped", hv_frame_mfn(f), e);
    if (!to->count)
        say("a free frame is mapped", hv_frame_mfn(f), e);
}

static void check_upper(const struct hv_frame *f, u64 e)
{
    hv_mfn_t mfn = hv_pte_mfn(e);
    const struct hv_frame *to = hv_frame(mfn);
    if (!hv_mfn_is_ram(mfn) || to->owner != f->owner || !to->count || (e & (HV_PTE_PSE | HV_PTE_G)))
        say("an entry of an upper table leads nowhere", hv_frame_mfn(f), e);
    else if (to->type == f->type) {
        if (e & HV_PTE_RW)
            say("a linear entry is writable", hv_frame_mfn(f), e);
        if (to != f) {
            expected[hv_frame_mfn(f)].linear++;
            expected[mfn].linear--;
        }
    } else if (to->type != f->type - 1 || !(to->flags & HV_FRAME_VALIDATED)) {
        say("an entry of an upper table leads to no checked table", hv_frame_mfn(f), e);
    }
}

static void check_hypervisor_slots(const struct hv_frame *f)
{
    const u64 *l4 = hv_frame_va(f);
    for (u32 i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        if (i == 260 || (i == HV_L4_FIRST && !l4[i]))
            continue;
        if ((l4[i] ^ hv_template[i]) & ~(HV_PTE_A | HV_PTE_D))
            say("an L4 table has a slot of the hypervisor wrong", hv_frame_mfn(f), i);
    }
}

/* The entries of a table which hold references: all of a validated one, the first of a partial one. */
static void count_table(const struct hv_frame *f)
{
    const u64 *table = hv_frame_va(f);
    u32 n = f->flags & HV_FRAME_PARTIAL ? f->nr_valid : 512;
    if (!f->type_count) {
        if (f->flags & (HV_FRAME_PARTIAL | HV_FRAME_VALIDATED))
            say("a table nobody uses counts as checked", hv_frame_mfn(f), f->flags);
        return;
    }
    if (!(f->flags & (HV_FRAME_PARTIAL | HV_FRAME_VALIDATED)))
        say("a table in use was not checked", hv_frame_mfn(f), f->flags);
    if (f->type == HV_TYPE_L4 && (f->flags & HV_FRAME_VALIDATED))
        check_hypervisor_slots(f);
    for (u32 i = 0; i < n; i++) {
        hv_mfn_t mfn = hv_pte_mfn(table[i]);
        if (!(table[i] & HV_PTE_P) || (f->type == HV_TYPE_L4 && i >= HV_L4_FIRST && i <= HV_L4_LAST))
            continue;
        if (!(table[i] & HV_PTE_US))
            say("an entry is not for ring 3", hv_frame_mfn(f), table[i]);
        if (f->type == HV_TYPE_L1) {
            check_l1e(f, table[i]);
            add(mfn, table[i] & HV_PTE_RW, NULL);
        } else {
            check_upper(f, table[i]);
            if (mfn != hv_frame_mfn(f))
                add(mfn, true, NULL);
        }
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
    if (is_table(f))
        count_table(f);
}

/* A reference of a vCPU: also a type. */
static void count_typed(struct hv_vcpu *v, hv_mfn_t mfn, enum hv_frame_type type)
{
    const struct hv_frame *f = hv_frame(mfn);
    add(mfn, true, NULL);
    if (!hv_mfn_is_ram(mfn) || f->owner != v->domain->id || f->type != type || !(f->flags & HV_FRAME_VALIDATED))
        say("a vCPU uses a frame as what it is not", mfn, type);
}

static void count_vcpu(struct hv_vcpu *v)
{
    const u64 *pages = v->domain->gdt_l1[v->id / 16] + (v->id % 16) * 32;
    if (v->cr3)
        count_typed(v, v->cr3 >> 12, HV_TYPE_L4);
    if (v->user_cr3)
        count_typed(v, v->user_cr3 >> 12, HV_TYPE_L4);
    for (u32 i = 0; i < 14; i++)
        if (v->gdt_mfn[i] != HV_MFN_NONE) {
            count_typed(v, v->gdt_mfn[i], HV_TYPE_SEG);
            if (hv_pte_mfn(pages[i]) != v->gdt_mfn[i])
                say("a GDT page is mapped that is not in use", pages[i], v->gdt_mfn[i]);
        } else if (pages[i] & HV_PTE_RW) {
            say("a GDT page is mapped though there is none", pages[i], i);
        }
    for (u32 i = 0; i < 16; i++)
        if (v->ldt_mapped & 1u << i)
            count_typed(v, hv_pte_mfn(pages[16 + i]), HV_TYPE_SEG);
        else if (pages[16 + i])
            say("an LDT page is mapped though there is none", pages[16 + i], i);
    if (v->info_frame)
        count_typed(v, hv_frame_mfn(v->info_frame), HV_TYPE_WRITABLE);
}

/* A stack of frames in work: each is in work, and there once. */
static void check_stack(u32 mfn)
{
    for (u64 n = 0; mfn; mfn = hv_frame(mfn)->link)
        if (!(hv_frame(mfn)->flags & HV_FRAME_PARTIAL) || n++ > hv_max_mfn) {
            say("a frame is on the stack of those in work, and is not", mfn, hv_frame(mfn)->flags);
            return;
        }
}

static void compare(void)
{
    for (hv_mfn_t mfn = 0; mfn < hv_max_mfn; mfn++) {
        const struct hv_frame *f = hv_frame(mfn);
        const struct expected *e = &expected[mfn];
        if (f->flags & HV_FRAME_RAM && is_table(f) && f->type_count && f->linear != e->linear)
            say("linear entries miscounted", mfn, (u64)f->linear);
        if (!(f->flags & HV_FRAME_RAM) || (f->count == e->count && f->type_count == e->type_count))
            continue;
        if (wrong++ < 8)
            hv_printk("(HV) audit: frame %lx of d%u, type %u, flags %x: count %u, expected %u; type count %u, "
                      "expected %u\n", mfn, f->owner, f->type, f->flags, f->count, e->count, f->type_count,
                      e->type_count);
    }
}

/* Each domain's counters against its lists. */
static void compare_lists(void)
{
    hv_for_each_domain(d) {
        u64 pages = 0, special = 0;
        for (u32 mfn = d->pages; mfn; mfn = hv_frame(mfn)->next)
            pages += hv_frame(mfn)->owner == d->id;
        for (u32 mfn = d->special_pages; mfn; mfn = hv_frame(mfn)->next)
            special += hv_frame(mfn)->owner == d->id;
        if (pages != d->tot_pages || special != d->nr_special)
            say("pages of a domain listed, counted", pages, d->tot_pages);
    }
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
    wrong = 0;
    memset(expected, 0, hv_max_mfn * sizeof(*expected));
    for (hv_mfn_t mfn = 0; mfn < hv_max_mfn; mfn++)
        if (hv_frame(mfn)->flags & HV_FRAME_RAM)
            count_frame(hv_frame(mfn));
    hv_for_each_domain(d)
        hv_for_each_vcpu(d, v) {
            count_vcpu(v);
            check_stack(v->validating);
            check_stack(v->deferred);
        }
    hv_service_visit(add, NULL);
    compare();
    compare_lists();
    static const struct {
        const char *what;
        unsigned (*count)(void);
    } others[] = {{"ports", hv_evtchn_audit}, {"grants", hv_grant_audit}, {"interrupts", hv_irq_audit},
                  {"vCPUs in the queue", hv_sched_audit}, {"timers", hv_time_audit}};
    for (u32 i = 0; i < HV_ARRAY_SIZE(others); i++) {
        unsigned n = others[i].count();
        if (n)
            say(others[i].what, n, 0);
    }
    return wrong;
}
