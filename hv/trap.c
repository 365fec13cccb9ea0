/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and system calls of guests, and the frames that tell the guest's kernel of them. */
#include "hv/trap.h"

#include "hv/apic.h"
#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/uart.h"

_Static_assert(offsetof(struct hv_cpu, current) == HV_CPU_CURRENT, "entry.S");
_Static_assert(offsetof(struct hv_cpu, regs_end) == HV_CPU_REGS_END, "entry.S");
_Static_assert(offsetof(struct hv_cpu, work) == HV_CPU_WORK, "entry.S");
_Static_assert(offsetof(struct hv_cpu, scratch) == HV_CPU_SCRATCH, "entry.S");
_Static_assert(offsetof(struct hv_vcpu, regs) == HV_VCPU_REGS, "entry.S");
_Static_assert(offsetof(struct hv_vcpu, info) == HV_VCPU_INFO, "entry.S");
_Static_assert(offsetof(struct hv_vcpu, flags) == HV_VCPU_FLAGS, "entry.S");
_Static_assert(offsetof(struct cpu_user_regs, rip) == HV_REGS_RIP, "entry.S");
_Static_assert(offsetof(struct cpu_user_regs, es) == HV_REGS_END, "entry.S");

#define ERROR_VECTORS 0x27d00u	/* 8, 10 to 14, 17 */

u64 hv_zero_mfn;
static struct { u64 low, high; } idt[256] __attribute__((aligned(16)));
static struct {
    u32 r0;
    u64 rsp[3], r1, ist[7], r2;
    u16 r3, iomap;
} __attribute__((packed)) tss;
static u64 *gdt_page;
static u64 gdt_page_mfn;
extern char hv_stubs[], hv_ist_db[], hv_ist_nmi[], hv_ist_df[], hv_ist_mc[], hv_ist_top[];
extern char hv_syscall_entry[], hv_syscall32_entry[], hv_sysenter_entry[];
extern const s32 hv_fixups[], hv_fixups_end[];

static void HV_INIT gate(u32 vector, const void *entry, u32 dpl, u32 ist)
{
    u64 a = (u64)entry;
    idt[vector].low = (a & 0xffff) | (u64)HV_SEL_CS << 16 | (u64)ist << 32 | (0x8e00ull | dpl << 13) << 32 |
                      (a >> 16 & 0xffff) << 48;
    idt[vector].high = a >> 32;
}

static void load_table(bool is_idt, u64 base, u16 limit)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) r = {limit, base};
    if (is_idt)
        __asm__ volatile("lidt %0" ::"m"(r));
    else
        __asm__ volatile("lgdt %0" ::"m"(r));
}

HV_COLD void hv_load_gdt(struct hv_vcpu *v)
{
    u64 base = HV_VA_PERDOMAIN + (u64)v->id * 32 * 4096, ldt = base + 16 * 4096, n = v->ldt_ents;
    load_table(false, base, HV_GDT_LIMIT);
    if (n) {
        n = n * 8 - 1;
        gdt_page[10] = (n & 0xffff) | (ldt & 0xffffff) << 16 | 0x82ull << 40 | (n >> 16 & 15) << 48 | (ldt >> 24 & 255) << 56;
        gdt_page[11] = ldt >> 32;
    }
    __asm__ volatile("lldt %w0" ::"r"(n ? HV_SEL_LDT : 0));
}

u64 hv_gdt_page_mfn(void) { return gdt_page_mfn; }

void hv_set_rsp0(struct hv_vcpu *v)
{
    hv_cpu.regs_end = tss.rsp[0] = (u64)&v->regs + HV_REGS_END;
}

/* The part that needs early memory; runs on the boot GDT until its end. */
void HV_INIT hv_trap_init(void)
{
    u64 t = (u64)&tss;
    gdt_page_mfn = hv_early_alloc(4096) >> 12;
    hv_zero_mfn = hv_early_alloc(4096) >> 12;
    gdt_page = hv_mfn_va(gdt_page_mfn);
    gdt_page[1] = 0x00af9b000000ffff;
    gdt_page[2] = 0x00cf93000000ffff;
    gdt_page[4] = 0x00cffb000000ffff;
    gdt_page[5] = 0x00cff3000000ffff;
    gdt_page[6] = 0x00affb000000ffff;
    gdt_page[8] = (sizeof(tss) - 1) | (t & 0xffffff) << 16 | 0x89ull << 40 | (t >> 24 & 255) << 56;
    gdt_page[9] = t >> 32;
    tss.iomap = sizeof(tss);
    for (u32 i = 0; i < 7; i++)
        tss.ist[i] = (u64)hv_ist_top;
    for (u32 i = 0; i < 256; i++)
        gate(i, hv_stubs + 16 * HV_MIN(i, HV_VECTOR_SPURIOUS), i == 3 || i == 4 ? 3 : 0, 0);
    gate(1, hv_ist_db, 0, 1);
    gate(2, hv_ist_nmi, 0, 1);
    gate(8, hv_ist_df, 0, 1);
    gate(18, hv_ist_mc, 0, 1);
    load_table(true, (u64)idt, sizeof(idt) - 1);
    /* The idle vCPU's area: only our own descriptors. */
    u64 *l3 = (u64 *)(HV_VA_DIRECT + hv_early_alloc(4096)), *l2 = (u64 *)(HV_VA_DIRECT + hv_early_alloc(4096));
    u64 *l1 = (u64 *)(HV_VA_DIRECT + hv_early_alloc(4096)), *l4 = (u64 *)(HV_VA_DIRECT + hv_boot.idle_cr3);
    l4[260] = hv_va_mfn(l3) << 12 | 0x63;
    l3[0] = hv_va_mfn(l2) << 12 | 0x63;
    l2[0] = hv_va_mfn(l1) << 12 | 0x63;
    l1[14] = gdt_page_mfn << 12 | 0x63 | HV_PTE_NX;
    load_table(false, HV_VA_PERDOMAIN, HV_GDT_LIMIT);
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1: movw %w1, %%ss; ltr %w2"
                     ::"i"(HV_SEL_CS), "r"(HV_SEL_SS), "r"(HV_SEL_TSS) : "rax", "memory");
}

void HV_INIT hv_trap_late_init(void)
{
    hv_wrmsr(0x277, 0x0000050100070406ull);	/* PAT: WB WT UC- UC WC WP UC UC */
    hv_wrmsr(HV_MSR_STAR, (u64)HV_SEL_CS << 32 | (u64)HV_SEL_GUEST_CS32 << 48);
    hv_wrmsr(HV_MSR_LSTAR, (u64)hv_syscall_entry);
    hv_wrmsr(HV_MSR_CSTAR, (u64)hv_syscall32_entry);
    hv_wrmsr(HV_MSR_FMASK, 0x257fd5 & ~0x8d5u);	/* all but the arithmetic flags */
    hv_wrmsr(0x174, HV_SEL_CS);
    hv_wrmsr(0x175, (u64)hv_ist_top);
    hv_wrmsr(0x176, (u64)hv_sysenter_entry);
}

/* ---- bouncing to the guest -------------------------------------------------------------------- */
void hv_toggle_mode(struct hv_vcpu *v)
{
    v->flags ^= HV_VCPU_KERNEL;
    __asm__ volatile("swapgs" ::: "memory");
    hv_load_cr3(v);
}

static u64 frame_flags(struct hv_vcpu *v, u8 masked)
{
    u64 f = v->regs.rflags & ~(HV_FLAG_IF | HV_FLAG_IOPL);
    if (!masked)
        f |= HV_FLAG_IF;
    if (v->domain->vm_assist & 1ull << VMASST_TYPE_architectural_iopl)
        f |= (u64)v->iopl << 12;
    return f;
}

/* Five words of a frame, from the return address up; false: the guest has no stack there. */
static bool push_return(u64 *to, const struct cpu_user_regs *r, u64 cs, u64 rflags)
{
    __asm__ goto("1: mov %1,(%0)\n2: mov %2,8(%0)\n3: mov %3,16(%0)\n4: mov %4,24(%0)\n5: mov %5,32(%0)\n"
                 ".pushsection .fixups,\"a\"\n.long 1b - ., %l6 - .\n.long 2b - ., %l6 - .\n.long 3b - ., %l6 - .\n"
                 ".long 4b - ., %l6 - .\n.long 5b - ., %l6 - .\n.popsection"
                 ::"r"(to), "r"(r->rip), "r"(cs), "r"(rflags), "r"(r->rsp), "r"((u64)r->ss)
                 : "memory"
                 : fault);
    return true;
fault:
    return false;
}

/* What lies below: RCX, R11, and what kind of frame it is decides. */
static bool push_head(u64 *to, const struct cpu_user_regs *r)
{
    __asm__ goto("1: mov %1,(%0)\n2: mov %2,8(%0)\n"
                 ".pushsection .fixups,\"a\"\n.long 1b - ., %l3 - .\n.long 2b - ., %l3 - .\n.popsection"
                 ::"r"(to), "r"(r->rcx), "r"(r->r11)
                 : "memory"
                 : fault);
    return true;
fault:
    return false;
}

/* As they were to be loaded: what could not be is null by now. */
HV_COLD static bool push_selectors(const struct hv_vcpu *v, u64 to)
{
    return !hv_store_guest64(to, v->ds) && !hv_store_guest64(to + 8, v->es) &&
           !hv_store_guest64(to + 16, v->fs) && !hv_store_guest64(to + 24, v->gs);
}

bool hv_bounce(u64 entry, bool has_error, u32 error, bool mask, bool failsafe)
{
    struct hv_vcpu *v = hv_current;
    struct cpu_user_regs *r = &v->regs;
    u64 sp = r->rsp, cs = r->cs, size = 7 * 8 + has_error * 8;
    u8 masked = v->info->evtchn_upcall_mask;
    if (unlikely(!entry)) {
        hv_domain_crash(v->domain, "no handler for an exception or callback");
        return false;
    }
    if (v->flags & HV_VCPU_KERNEL) {
        cs &= ~3ull;
    } else {
        hv_toggle_mode(v);
        sp = v->kernel_sp;
    }
    if (unlikely(failsafe))
        size += 4 * 8;
    sp = (sp & ~15ull) - size;
    if (unlikely(!hv_guest_range_ok(sp, size) || !push_head((u64 *)sp, r) ||
                 (failsafe && !push_selectors(v, sp + 16)) ||
                 (has_error && hv_store_guest64(sp + size - 6 * 8, error)) ||
                 !push_return((u64 *)(sp + size - 5 * 8), r, cs | (u64)masked << 32,
                              frame_flags(v, masked)))) {
        hv_domain_crash(v->domain, "no stack for an exception or callback");
        return false;
    }
    r->rsp = sp;
    r->rip = entry;
    r->cs = HV_SEL_GUEST_CS64;
    r->ss = HV_SEL_GUEST_SS;
    r->rflags &= ~(HV_FLAG_TF | HV_FLAG_VM | HV_FLAG_RF | HV_FLAG_NT | HV_FLAG_AC);
    v->flags &= ~HV_VCPU_SYSRET;
    if (mask)
        v->info->evtchn_upcall_mask = 1;
    return true;
}

HV_PROBE void hv_inject(u32 vector, u32 error)
{
    struct trap_info *t = &hv_current->traps[vector];
    if (vector == HV_TRAP_NM)
        hv_current->cr0_ts = 0;
    hv_bounce(t->address, vector < 32 && (ERROR_VECTORS >> vector & 1), error, TI_GET_IF(t), false);
}

void hv_inject_pf(u64 va, u32 error)
{
    struct hv_vcpu *v = hv_current;
    error &= ~4u;
    if (!(v->flags & HV_VCPU_KERNEL))
        error |= 4;
    v->info->arch.cr2 = va;
    hv_inject(HV_TRAP_PF, error);
}

HV_PROBE void hv_event_upcall(struct hv_vcpu *v)
{
    hv_bounce(v->event_callback, false, 0, true, false);
}

void hv_user_syscall(void)
{
    struct hv_vcpu *v = hv_current;
    bool compat = v->regs.cs == HV_SEL_GUEST_CS32;
    u64 entry = compat ? v->syscall32_callback : v->syscall_callback;
    if (!entry) {
        v->regs.rip -= 2;
        hv_inject(HV_TRAP_UD, 0);
        return;
    }
    hv_bounce(entry, false, 0, compat ? v->syscall32_masks : v->syscall_masks, false);
    v->regs.rflags &= ~HV_FLAG_DF;
}

HV_COLD void hv_sysenter(void)
{
    struct hv_vcpu *v = hv_current;
    v->regs.rflags |= HV_FLAG_IF;
    if ((v->flags & HV_VCPU_KERNEL) || !v->sysenter_callback)
        hv_inject(HV_TRAP_GP, 0);
    else
        hv_bounce(v->sysenter_callback, false, 0, v->sysenter_masks, false);
}

HV_HYPERCALL(iret)
{
    struct hv_vcpu *v = hv_current;
    struct cpu_user_regs *r = &v->regs;
    struct iret_context c;
    (void)a0, (void)a1, (void)a2, (void)a3, (void)a4;
    if (unlikely(hv_load_guest(&c, r->rsp))) {
        hv_domain_crash(v->domain, "iret: its frame cannot be read");
        return 0;
    }
    if ((c.cs & 3) == 3) {
        if (unlikely(!v->user_cr3)) {
            hv_domain_crash(v->domain, "iret to user mode without user page tables");
            return 0;
        }
        if (v->domain->vm_assist & 1ull << VMASST_TYPE_architectural_iopl)
            v->iopl = c.rflags >> 12 & 3;
        hv_toggle_mode(v);
    }
    r->rip = c.rip;
    r->cs = (u16)(c.cs | 3);
    r->rflags = (c.rflags & ~(HV_FLAG_IOPL | HV_FLAG_VM)) | HV_FLAG_IF;
    r->rsp = c.rsp;
    r->ss = (u16)(c.ss | 3);
    if (!(c.flags & VGCF_in_syscall)) {
        v->flags &= ~HV_VCPU_SYSRET;
        r->r11 = c.r11;
        r->rcx = c.rcx;
    } else {		/* as SYSRET leaves them, whichever way it returns */
        r->rcx = r->rip;
        r->r11 = r->rflags;
    }
    if (r->cs != HV_SEL_GUEST_CS64 || r->ss != HV_SEL_GUEST_SS) {
        v->flags &= ~HV_VCPU_SYSRET;
    }
    v->info->evtchn_upcall_mask = !(c.rflags & HV_FLAG_IF);
    v->nmi_masked = false;
    if (unlikely(v->nmi_pending))
        hv_cpu.work |= HV_WORK_VCPU;
    return (long)c.rax;
}

/* ---- faults --------------------------------------------------------------------------------- */
HV_COLD static bool ldt_fault(u64 va)
{
    struct hv_vcpu *v = hv_current;
    u64 area = HV_VA_PERDOMAIN + ((u64)v->id * 32 + 16) * 4096;
    return va - area < 65536 && v->domain->shared && hv_ldt_fault(v, va - area);
}

void hv_guest_page_fault(struct cpu_user_regs *r)
{
    struct hv_vcpu *v = hv_current;
    u64 va = hv_read_cr2();
    u32 error = r->error_code;
    if (unlikely(va >= HV_VA_START && va < HV_VA_END)) {
        u64 area = HV_VA_PERDOMAIN + ((u64)v->id * 32 + 16) * 4096;
        if (!(error & 4) && va - area < 65536) {
            if (hv_ldt_fault(v, va - area))
                return;
            va = v->ldt_base + (va - area);
        }
    } else {
        const struct hv_paging_ops *paging = v->domain->paging;
        if ((error & 0x13) == 3 ? paging->write_fault(v, va) : paging->miss && paging->miss(v, va, error))
            return;
    }
    hv_inject_pf(va, error);
}

HV_COLD static void interrupt(u32 vector)
{
    if (vector == HV_VECTOR_TIMER) {
        hv_cpu.work |= HV_WORK_TIMER;
    } else if (vector == HV_VECTOR_GSI + 4) {
        hv_uart_irq();
    } else if (vector >= HV_VECTOR_GSI && vector < HV_VECTOR_GSI + HV_NR_GSI) {
        hv_irq_guest(vector - HV_VECTOR_GSI);
    } else {
        return;		/* spurious: no end of interrupt */
    }
    hv_apic_eoi();
}

/* INT n: a #GP that names the gate. */
HV_COLD static void software_interrupt(struct hv_vcpu *v, u32 error)
{
    u32 vector = error >> 3 & 255;
    struct trap_info *t = &v->traps[vector];
    u8 insn[2];
    if ((vector == 0x80 || (u32)TI_GET_DPL(t) >= (v->flags & HV_VCPU_KERNEL ? 1u : 3u)) && t->address &&
        !hv_copy_from_guest(insn, v->regs.rip, 2) && insn[0] == 0xcd) {
        v->regs.rip += 2;
        hv_bounce(t->address, false, 0, TI_GET_IF(t), false);
        return;
    }
    hv_inject(HV_TRAP_GP, error);
}

void hv_guest_trap(struct cpu_user_regs *r)
{
    struct hv_vcpu *v = hv_current;
    u32 vector = r->entry_vector & 255, error = r->error_code;
    u64 dr6;
    if (vector >= 32) {
        interrupt(vector);
        return;
    }
    switch (vector) {
    case 1:
        __asm__ volatile("mov %%dr6,%0; mov %1,%%dr6" : "=&r"(dr6) : "r"(0xffff0ff0ull));
        v->dr6 = dr6;
        break;
    case 2:
        return;
    case 6:
        if (hv_emulate_ud(r))
            return;
        break;
    case 7:
        __asm__ volatile("clts");
        if (!v->cr0_ts)
            return;
        break;
    case 8:
    case 18:
        hv_panic("exception %u in a guest", vector);
    case 13:
        if (error & 2) {
            software_interrupt(v, error);
            return;
        }
        if (!error && hv_emulate_gp(r))
            return;
        break;
    }
    hv_inject(vector, error);
}

/* The last IRET could not load CS or SS; @f is what was pushed over the vCPU's registers. */
HV_COLD void hv_iret_failed(struct cpu_user_regs *f)
{
    struct hv_vcpu *v = hv_current;
    u32 vector = f->entry_vector & 255, error = f->error_code;
    memmove(&v->regs, f, HV_REGS_ERROR);
    if (vector == HV_TRAP_PF) {	/* of the LDT */
        v->regs.error_code = error;
        hv_guest_page_fault(&v->regs);
        return;
    }
    /* As on Xen it is the guest's exception at the place it was to return to. */
    hv_inject(vector, error);
}

HV_COLD static void print_regs(const struct cpu_user_regs *r)
{
    hv_printk("\n(HV) rip %p cs %x rflags %lx rsp %p\nrax %p rbx %p rcx %p\nrdx %p rsi %p rdi %p\n"
              "r8  %p r9  %p r10 %p\nr11 %p r12 %p r13 %p\nr14 %p r15 %p rbp %p\ncr2 %p cr3 %p\n",
              (void *)r->rip, r->cs, r->rflags, (void *)r->rsp, (void *)r->rax, (void *)r->rbx, (void *)r->rcx,
              (void *)r->rdx, (void *)r->rsi, (void *)r->rdi, (void *)r->r8, (void *)r->r9, (void *)r->r10,
              (void *)r->r11, (void *)r->r12, (void *)r->r13, (void *)r->r14, (void *)r->r15, (void *)r->rbp,
              (void *)hv_read_cr2(), (void *)hv_read_cr3());
}

/* An exception or interrupt of the hypervisor itself. */
HV_COLD void hv_own_trap(struct cpu_user_regs *r)
{
    u32 vector = r->entry_vector & 255;
    if (vector >= 32) {
        interrupt(vector);
        return;
    }
    if (vector == 1) {	/* MOV SS before SYSCALL, or a breakpoint on what a call copies */
        __asm__ volatile("mov %0,%%dr6" ::"r"(0xffff0ff0ull));
        return;
    }
    if (vector == 2)
        return;
    if (vector == HV_TRAP_PF && ldt_fault(hv_read_cr2()))
        return;
    for (const s32 *f = hv_fixups; f < hv_fixups_end; f += 2)
        if ((u64)f + (u64)(s64)f[0] == r->rip) {
            r->rip = (u64)&f[1] + (u64)(s64)f[1];
            return;
        }
    u64 offset;
    const char *name = hv_symbol(r->rip, &offset);
    print_regs(r);
    hv_panic("exception %u, error %x, in %s+0x%lx", vector, r->error_code, name, offset);
}

/* ---- registration ---------------------------------------------------------------------------- */
HV_COLD HV_HYPERCALL(set_trap_table)
{
    struct hv_vcpu *v = hv_current;
    struct trap_info t;
    (void)a1, (void)a2, (void)a3, (void)a4;
    if (!a0) {
        memset(v->traps, 0, HV_PAGE_SIZE);
        return 0;
    }
    for (;; a0 += sizeof(t)) {
        if (hv_preempt())
            return HV_CONTINUE(__HYPERVISOR_set_trap_table, a0);
        if (hv_load_guest(&t, a0))
            return -EFAULT;
        if (!t.address)
            return 0;
        if (!hv_canonical(t.address))
            return -EINVAL;
        t.cs |= 3;
        v->traps[t.vector] = t;
    }
}

HV_COLD HV_HYPERCALL(set_callbacks)
{
    struct hv_vcpu *v = hv_current;
    (void)a3, (void)a4;
    /* Always succeeds; what is no address is no handler. */
    v->event_callback = hv_canonical(a0) ? a0 : 0;
    v->failsafe_callback = hv_canonical(a1) ? a1 : 0;
    v->failsafe_masks = true;
    v->syscall_callback = hv_canonical(a2) ? a2 : 0;
    v->syscall_masks = false;
    return 0;
}

HV_HYPERCALL(stack_switch)
{
    (void)a2, (void)a3, (void)a4;
    hv_current->kernel_ss = a0 | 3;
    hv_current->kernel_sp = a1;
    return 0;
}
