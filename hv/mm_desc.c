/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor tables: pages of checked descriptors, mapped into the per-domain area. */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/trap.h"

extern u64 hv_zero_mfn;

/* The L1 entries of a vCPU's part of the per-domain area: 14 GDT pages, ours, one free, 16 of LDT. */
static u64 *area(struct hv_vcpu *v) { return v->domain->gdt_l1[v->id / 16] + (v->id % 16) * 32; }

static void set_page(struct hv_vcpu *v, u32 page, u64 entry)
{
    area(v)[page] = entry;
    hv_invlpg(HV_VA_PERDOMAIN + ((u64)v->id * 32 + page) * 4096);
}

#define RW_PAGE (HV_PTE_P | HV_PTE_RW | HV_PTE_A | HV_PTE_D | HV_PTE_NX)

bool hv_descriptor_fix(u64 *d)
{
    u64 v = *d;
    unsigned type = v >> 40 & 15, sel;
    if (!(v >> 47 & 1))
        return true;
    if (v >> 44 & 1) {
        *d = v | 3ull << 45;
        return true;
    }
    if (type == 0)
        return true;
    sel = v >> 16 & 0xffff;
    if (type != 12 || (v >> 32 & 0xff) || (!(sel & 4) && (sel >> 3) >= 0xe000 >> 3 && (sel | 3) != HV_SEL_GUEST_CS64))
        return false;
    *d = v & ~(3ull << 45);	/* call gates are emulated, so they must fault */
    return true;
}

static void gdt_put(struct hv_vcpu *v)
{
    for (u32 i = 0; i < 14; i++)
        if (v->gdt_mfn[i] != HV_MFN_NONE) {
            set_page(v, i, hv_zero_mfn << 12 | (RW_PAGE & ~HV_PTE_RW));
            hv_put_page_and_type(hv_frame(v->gdt_mfn[i]));
            v->gdt_mfn[i] = HV_MFN_NONE;
        }
    v->gdt_ents = 0;
}

void hv_destroy_gdt(struct hv_vcpu *v) { gdt_put(v); }

int hv_set_gdt(struct hv_vcpu *v, const u64 *frames, u32 entries)
{
    u32 n = (entries + 511) / 512;
    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    for (u32 i = 0; i < n; i++)
        if (!hv_mfn_is_ram(frames[i]) || !hv_get_page_and_type(hv_frame(frames[i]), v->domain->id, HV_TYPE_SEG)) {
            while (i--)
                hv_put_page_and_type(hv_frame(frames[i]));
            return -EINVAL;
        }
    gdt_put(v);
    for (u32 i = 0; i < n; i++) {
        v->gdt_mfn[i] = frames[i];
        set_page(v, i, frames[i] << 12 | RW_PAGE);
    }
    v->gdt_ents = entries;
    return 0;
}

HV_HYPERCALL(set_gdt)
{
    u64 frames[16];
    u32 entries = (u32)a1;
    (void)a2, (void)a3, (void)a4;
    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    if (hv_copy_from_guest(frames, a0, (entries + 511) / 512 * 8))
        return -EFAULT;
    return hv_set_gdt(hv_current, frames, entries);
}

HV_HYPERCALL(update_descriptor)
{
    u64 d = a1;
    struct hv_frame *f;
    int rc = -EINVAL;
    (void)a2, (void)a3, (void)a4;
    if ((a0 & 7) || !hv_descriptor_fix(&d) || !(f = hv_get_page_mfn(a0 >> 12, hv_current->domain->id)))
        return -EINVAL;
    enum hv_frame_type type = f->type == HV_TYPE_SEG && f->type_count ? HV_TYPE_SEG : HV_TYPE_WRITABLE;
    if (!hv_get_type(f, type)) {
        *(u64 *)(HV_VA_DIRECT + a0) = d;
        hv_put_type(f);
        rc = 0;
    }
    hv_put_page(f);
    return rc;
}

void hv_ldt_drop(struct hv_vcpu *v)
{
    if (!v->ldt_mapped)
        return;
    for (u32 i = 0; i < 16; i++)
        if (v->ldt_mapped & 1u << i) {
            hv_mfn_t mfn = hv_pte_mfn(area(v)[16 + i]);
            set_page(v, 16 + i, 0);
            hv_put_page_and_type(hv_frame(mfn));
        }
    v->ldt_mapped = 0;
}

bool hv_ldt_fault(struct hv_vcpu *v, u64 off)
{
    u64 va = v->ldt_base + (off & HV_PAGE_MASK), *slot;
    if (off >= (u64)v->ldt_ents * 8)
        return false;
    slot = hv_walk_l1(v->cr3, va);
    if (!slot || !(*slot & HV_PTE_P))
        return false;
    hv_mfn_t mfn = hv_pte_mfn(*slot);
    if (!hv_mfn_is_ram(mfn) || !hv_get_page_and_type(hv_frame(mfn), v->domain->id, HV_TYPE_SEG))
        return false;
    set_page(v, 16 + (u32)(off >> 12), mfn << 12 | RW_PAGE);
    v->ldt_mapped |= 1u << (off >> 12);
    return true;
}
