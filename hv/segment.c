/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a context switch moves besides the general registers: segments, FPU, debug registers. */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/trap.h"

#define LOAD_SEGMENT(seg) \
    static bool load_##seg(u16 sel) \
    { \
        __asm__ goto("1: movw %w0, %%" #seg "\n.pushsection .fixups,\"a\"\n.long 1b - ., %l1 - .\n.popsection" \
                     ::"r"(sel) : "memory" : fault); \
        return true; \
    fault: \
        __asm__ volatile("movw %w0, %%" #seg ::"r"(0)); \
        return false; \
    }
LOAD_SEGMENT(ds)
LOAD_SEGMENT(es)
LOAD_SEGMENT(fs)
LOAD_SEGMENT(gs)

void hv_segments_save(struct hv_vcpu *v)
{
    __asm__ volatile("mov %%ds,%0; mov %%es,%1; mov %%fs,%2; mov %%gs,%3"
                     : "=m"(v->ds), "=m"(v->es), "=m"(v->fs), "=m"(v->gs));
    v->fs_base = hv_rdmsr(HV_MSR_FS_BASE);
    u64 active = hv_rdmsr(HV_MSR_GS_BASE), other = hv_rdmsr(HV_MSR_KERNEL_GS);
    bool kernel = v->flags & HV_VCPU_KERNEL;
    v->gs_base_kernel = kernel ? active : other;
    v->gs_base_user = kernel ? other : active;
}

void hv_segments_load(struct hv_vcpu *v)
{
    bool kernel = v->flags & HV_VCPU_KERNEL, ok = true;
    u16 ds, es;
    __asm__ volatile("mov %%ds,%0; mov %%es,%1" : "=m"(ds), "=m"(es));
    if (v->ds | ds)
        ok &= load_ds(v->ds);
    if (v->es | es)
        ok &= load_es(v->es);
    ok &= load_fs(v->fs);
    ok &= load_gs(v->gs);
    hv_wrmsr(HV_MSR_FS_BASE, v->fs_base);
    hv_wrmsr(HV_MSR_GS_BASE, kernel ? v->gs_base_kernel : v->gs_base_user);
    hv_wrmsr(HV_MSR_KERNEL_GS, kernel ? v->gs_base_user : v->gs_base_kernel);
    if (unlikely(!ok))
        hv_bounce(v->failsafe_callback, false, 0, v->failsafe_masks, true);
}

HV_HYPERCALL(set_segment_base)
{
    struct hv_vcpu *v = hv_current;
    (void)v, (void)a2, (void)a3, (void)a4;
    switch ((u32)a0) {
    case SEGBASE_FS:
    case SEGBASE_GS_USER:
    case SEGBASE_GS_KERNEL:
        if (!hv_canonical(a1))
            return -EINVAL;
        hv_wrmsr((u32)a0 == SEGBASE_FS ? HV_MSR_FS_BASE : (u32)a0 == SEGBASE_GS_USER ? HV_MSR_KERNEL_GS : HV_MSR_GS_BASE, a1);
        return 0;
    case SEGBASE_GS_USER_SEL: {
        u64 kernel_base = hv_rdmsr(HV_MSR_GS_BASE);
        load_gs((u16)((u16)a1 > 3 ? a1 | 3 : a1));	/* not the hypervisor's own segments */
        u64 user_base = hv_rdmsr(HV_MSR_GS_BASE);
        hv_wrmsr(HV_MSR_KERNEL_GS, user_base);
        hv_wrmsr(HV_MSR_GS_BASE, kernel_base);
        return 0;
    }
    }
    return -EINVAL;
}

void hv_fpu_save(struct hv_vcpu *v)
{
    __asm__ volatile("clts; fxsaveq (%0)" ::"r"(v->fpu) : "memory");
}

void hv_fpu_load(struct hv_vcpu *v)
{
    __asm__ volatile("clts; fxrstorq (%0)" ::"r"(v->fpu));
    if (v->cr0_ts)
        hv_write_cr0(hv_read_cr0() | HV_CR0_TS);
}

HV_HYPERCALL(fpu_taskswitch)
{
    struct hv_vcpu *v = hv_current;
    (void)a1, (void)a2, (void)a3, (void)a4;
    if (a0) {
        v->cr0_ts = HV_CR0_TS;
        hv_write_cr0(hv_read_cr0() | HV_CR0_TS);
    } else {
        v->cr0_ts = 0;
        __asm__ volatile("clts");
    }
    return 0;
}

/* ---- debug registers ------------------------------------------------------------------------------ */
static void load_dr(u32 n, u64 v)
{
    switch (n) {
    case 0: __asm__ volatile("mov %0,%%dr0" ::"r"(v)); break;
    case 1: __asm__ volatile("mov %0,%%dr1" ::"r"(v)); break;
    case 2: __asm__ volatile("mov %0,%%dr2" ::"r"(v)); break;
    case 3: __asm__ volatile("mov %0,%%dr3" ::"r"(v)); break;
    case 7: __asm__ volatile("mov %0,%%dr7" ::"r"(v)); break;
    }
}

/* 0; -EPERM; -EINVAL; -ENODEV: no such register (also 4 and 5 with CR4.DE). */
int hv_set_debugreg(struct hv_vcpu *v, u32 n, u64 value)
{
    if (n < 4) {
        if (!hv_canonical(value) || (value >= HV_VA_START && value < HV_VA_END))
            return -EPERM;
        v->dr[n] = value;
        if (v == hv_current && (v->dr7 & 0xff))
            load_dr(n, value);
        return 0;
    }
    if (n > 7)
        return -ENODEV;
    if (n < 6) {
        if (v->cr4 & HV_CR4_DE)
            return -ENODEV;
        n += 2;
    }
    if (value >> 32)
        return -EINVAL;
    if (n == 6) {
        v->dr6 = (value & 0xe00f) | 0xffff0ff0;
        return 0;
    }
    if (value & 1u << 13)
        return -EPERM;
    value = (value & ~0xdc00ull) | 0x400;
    for (u32 i = 0; i < 4; i++) {
        if (!(value >> i * 2 & 3))
            value &= ~(15ull << (16 + i * 4));
        else if ((value >> (16 + i * 4) & 3) == 2 && !(v->cr4 & HV_CR4_DE))
            return -EPERM;
    }
    v->dr7 = value;
    if (v == hv_current)
        hv_debugregs_load(v);
    return 0;
}

void hv_debugregs_load(struct hv_vcpu *v)
{
    static bool in_use;
    if (!(v->dr7 & 0xff)) {
        if (in_use)
            load_dr(7, 0x400);
        in_use = false;
        return;
    }
    for (u32 i = 0; i < 4; i++)
        load_dr(i, v->dr[i]);
    load_dr(7, v->dr7);
    in_use = true;
}

HV_HYPERCALL(set_debugreg)
{
    (void)a2, (void)a3, (void)a4;
    return hv_set_debugreg(hv_current, (u32)a0, a1);
}

HV_HYPERCALL(get_debugreg)
{
    struct hv_vcpu *v = hv_current;
    u32 n = (u32)a0;
    (void)a1, (void)a2, (void)a3, (void)a4;
    if (n < 4)
        return (long)v->dr[n];
    if (n > 7)
        return -ENODEV;
    if (n < 6 && (v->cr4 & HV_CR4_DE))
        return -ENODEV;
    return (long)(n & 1 ? v->dr7 : v->dr6);
}
