/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercall vcpu_op, and the whole state of a vCPU as one structure. */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/trap.h"

#include <xen/sched.h>

/* Too large for the stack; nothing is interrupted while it is in use. */
static struct vcpu_guest_context context;

static int take_root(struct hv_vcpu *v, u64 *root, u64 mfn, bool kernel)
{
    struct hv_frame *f = hv_get_page_mfn(mfn, v->domain->id);
    int rc;
    if (!f)
        return -EINVAL;
    rc = hv_get_type(f, HV_TYPE_L4);
    if (rc) {
        hv_put_page(f);
    } else {
        hv_l4_strict(hv_frame_va(f), v->domain, kernel);
        *root = mfn << 12;
    }
    return rc;
}

/* Addresses the processor would fault on, tables that cannot be. */
static bool context_is_good(const struct vcpu_guest_context *c)
{
    if (c->ldt_ents > 8192 || (c->ldt_base & 0xfff) || (c->ldt_ents && !hv_guest_range_ok(c->ldt_base, c->ldt_ents * 8)))
        return false;
    if (!hv_canonical(c->fs_base) || !hv_canonical(c->gs_base_kernel) || !hv_canonical(c->gs_base_user) ||
        !hv_canonical(c->event_callback_eip) || !hv_canonical(c->failsafe_callback_eip) ||
        !hv_canonical(c->syscall_callback_eip) || !hv_canonical(c->user_regs.rip))
        return false;
    for (u32 i = 0; i < 256; i++)
        if (!hv_canonical(c->trap_ctxt[i].address))
            return false;
    return (c->flags & VGCF_in_kernel) || c->ctrlreg[1];
}

/* What refers to frames: roots and descriptor tables; all, or nothing is changed. */
static int set_tables(struct hv_vcpu *v, const struct vcpu_guest_context *c)
{
    u64 frames[16], kernel = 0, user = 0;
    int rc = take_root(v, &kernel, c->ctrlreg[3] >> 12, true);
    if (!rc && c->ctrlreg[1])
        rc = take_root(v, &user, c->ctrlreg[1] >> 12, false);
    if (!rc && c->gdt_ents) {
        memcpy(frames, c->gdt_frames, sizeof(frames));
        rc = hv_set_gdt(v, frames, (u32)HV_MIN(c->gdt_ents, 0xffffffffull));
    }
    if (rc) {
        if (kernel)
            hv_put_page_and_type(hv_frame(kernel >> 12));
        if (user)
            hv_put_page_and_type(hv_frame(user >> 12));
        return rc;
    }
    if (!c->gdt_ents)
        hv_destroy_gdt(v);
    hv_ldt_drop(v);
    hv_drop_roots(v);
    v->cr3 = kernel;
    v->user_cr3 = user;
    v->ldt_base = c->ldt_base;
    v->ldt_ents = (u32)c->ldt_ents;
    return 0;
}

static void set_registers(struct hv_vcpu *v, const struct vcpu_guest_context *c)
{
    if (c->flags & VGCF_I387_VALID) {
        memcpy(v->fpu, c->fpu_ctxt.x, 512);
        *(u32 *)(v->fpu + 24) &= 0xffff;	/* MXCSR: FXRSTOR must not fault */
    }
    v->flags = c->flags & VGCF_in_kernel ? HV_VCPU_KERNEL : 0;
    v->regs = c->user_regs;
    v->regs.cs |= 3;
    v->regs.ss |= 3;
    v->regs.rflags = (v->regs.rflags & 0x254dd5 & ~HV_FLAG_IOPL) | HV_FLAG_IF | 2;
    v->iopl = c->user_regs.rflags >> 12 & 3;
    v->ds = c->user_regs.ds;
    v->es = c->user_regs.es;
    v->fs = c->user_regs.fs;
    v->gs = c->user_regs.gs;
    v->fs_base = c->fs_base;
    v->gs_base_kernel = c->gs_base_kernel;
    v->gs_base_user = c->gs_base_user;
    v->cr0_ts = c->ctrlreg[0] & HV_CR0_TS;
    v->cr4 = c->ctrlreg[4] & (HV_CR4_TSD | HV_CR4_DE | (hv_virtual_fsgsbase() ? HV_CR4_FSGSBASE : 0));
    v->dr6 = 0xffff0ff0;
    v->dr7 = 0x400;
    for (u32 i = 0; i < 8; i++)
        if (i < 4 || i > 5)
            (void)hv_set_debugreg(v, i, c->debugreg[i]);
}

int hv_vcpu_set_context(struct hv_vcpu *v, struct vcpu_guest_context *c)
{
    int rc = context_is_good(c) ? set_tables(v, c) : -EINVAL;
    if (rc)
        return rc;
    set_registers(v, c);
    memcpy(v->traps, c->trap_ctxt, sizeof(c->trap_ctxt));
    for (u32 i = 0; i < 256; i++)
        v->traps[i].cs |= 3;
    v->kernel_ss = c->kernel_ss | 3;
    v->kernel_sp = c->kernel_sp;
    v->event_callback = c->event_callback_eip;
    v->failsafe_callback = c->failsafe_callback_eip;
    v->syscall_callback = c->syscall_callback_eip;
    v->failsafe_masks = !!(c->flags & VGCF_failsafe_disables_events);
    v->syscall_masks = !!(c->flags & VGCF_syscall_disables_events);
    v->initialised = true;
    /* The tools have cleared the page that both clocks are in. */
    hv_time_vcpu_update(v);
    if (v->id == 0)
        hv_wallclock_update(v->domain);
    if (c->flags & VGCF_online)
        hv_unhold(v, HV_HOLD_DOWN);
    else
        hv_hold(v, HV_HOLD_DOWN);
    return 0;
}

void hv_vcpu_get_context(struct hv_vcpu *v, struct vcpu_guest_context *c)
{
    memset(c, 0, sizeof(*c));
    memcpy(c->fpu_ctxt.x, v->fpu, 512);
    c->flags = VGCF_I387_VALID | (v->flags & HV_VCPU_KERNEL ? VGCF_in_kernel : 0) |
               (v->hold & HV_HOLD_DOWN ? 0 : VGCF_online) | (v->syscall_masks ? VGCF_syscall_disables_events : 0) |
               (v->failsafe_masks ? VGCF_failsafe_disables_events : 0);
    c->user_regs = v->regs;
    c->user_regs.rflags |= (u64)v->iopl << 12;
    c->user_regs.ds = v->ds;
    c->user_regs.es = v->es;
    c->user_regs.fs = v->fs;
    c->user_regs.gs = v->gs;
    memcpy(c->trap_ctxt, v->traps, sizeof(c->trap_ctxt));
    c->ldt_base = v->ldt_base;
    c->ldt_ents = v->ldt_ents;
    c->gdt_ents = v->gdt_ents;
    for (u32 i = 0; i < 14; i++)
        c->gdt_frames[i] = v->gdt_mfn[i] == HV_MFN_NONE ? 0 : v->gdt_mfn[i];
    c->kernel_ss = v->kernel_ss;
    c->kernel_sp = v->kernel_sp;
    c->ctrlreg[0] = (hv_read_cr0() & ~HV_CR0_TS) | v->cr0_ts;
    c->ctrlreg[1] = v->user_cr3;
    c->ctrlreg[3] = v->cr3;
    c->ctrlreg[4] = v->cr4;
    memcpy(c->debugreg, v->dr, sizeof(v->dr));
    c->debugreg[6] = v->dr6;
    c->debugreg[7] = v->dr7;
    c->event_callback_eip = v->event_callback;
    c->failsafe_callback_eip = v->failsafe_callback;
    c->syscall_callback_eip = v->syscall_callback;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = v->fs_base;
    c->gs_base_kernel = v->gs_base_kernel;
    c->gs_base_user = v->gs_base_user;
}

static long register_info(struct hv_vcpu *v, u64 arg)
{
    struct vcpu_register_vcpu_info a;
    struct hv_frame *f;
    struct vcpu_info *to;
    if (hv_load_guest(&a, arg))
        return -EFAULT;
    /* Of another vCPU only while that does not run. */
    if (v->info_frame || (v != hv_current && !(v->hold & HV_HOLD_DOWN)))
        return -EINVAL;
    if (a.offset > HV_PAGE_SIZE - sizeof(*to) || (a.offset & 7))
        return -ENXIO;
    f = hv_mfn_is_ram(a.mfn) ? hv_frame(a.mfn) : NULL;
    if (!f || !hv_get_page_and_type(f, v->domain->id, HV_TYPE_WRITABLE))
        return -EINVAL;
    to = (struct vcpu_info *)((char *)hv_frame_va(f) + a.offset);
    memcpy(to, v->info, sizeof(*to));
    v->info_frame = f;
    v->info = to;
    to->evtchn_pending_sel = ~0ul;
    hv_time_vcpu_update(v);
    hv_evtchn_vcpu_moved(v);
    hv_vcpu_mark_pending(v);
    return 0;
}

static long initialise(struct hv_vcpu *v, u64 arg)
{
    int rc;
    if (hv_load_guest(&context, arg))
        return -EFAULT;
    if (v->initialised)
        return -EEXIST;
    rc = hv_vcpu_set_context(v, &context);
    return rc == -ERESTART ? HV_CONTINUE(__HYPERVISOR_vcpu_op, VCPUOP_initialise, v->id, arg) : rc;
}

static long register_area(u64 *area, u64 arg, u64 size)
{
    u64 va;
    if (hv_load_guest64(&va, arg))
        return -EFAULT;
    if (va && !hv_guest_range_ok(va, size))
        return -EFAULT;
    *area = va;
    return 0;
}

static long timer_op(u32 cmd, struct hv_vcpu *v, u64 arg)
{
    struct vcpu_set_periodic_timer period;
    struct vcpu_set_singleshot_timer single;
    switch (cmd) {
    case VCPUOP_set_periodic_timer:
        if (hv_load_guest(&period, arg))
            return -EFAULT;
        if (period.period_ns < 1000000 || period.period_ns > 0x3fffffffffffffffull)
            return -EINVAL;
        v->period_ns = period.period_ns;
        hv_timer_set(&v->periodic, hv_now() + v->period_ns);
        return 0;
    case VCPUOP_stop_periodic_timer:
        hv_timer_stop(&v->periodic);
        return 0;
    case VCPUOP_set_singleshot_timer:
        if (v != hv_current)
            return -EINVAL;
        if (hv_load_guest(&single, arg))
            return -EFAULT;
        hv_timer_set(&v->singleshot, single.timeout_abs_ns);
        return 0;
    case VCPUOP_stop_singleshot_timer:
        if (v != hv_current)
            return -EINVAL;
        hv_timer_stop(&v->singleshot);
        return 0;
    }
    return -ENOSYS;
}

HV_HYPERCALL(vcpu_op)
{
    struct hv_vcpu *self = hv_current, *v = hv_vcpu_find(self->domain, (u32)a1);
    struct vcpu_runstate_info runstate;
    long rc;
    (void)a3, (void)a4;
    if (!v)
        return -ENOENT;
    switch ((u32)a0) {
    case VCPUOP_initialise:
        return initialise(v, a2);
    case VCPUOP_up:
        if (!v->initialised)
            return -EINVAL;
        hv_unhold(v, HV_HOLD_DOWN);
        return 0;
    case VCPUOP_down: {
        u32 others = 0;
        hv_for_each_vcpu(self->domain, o)
            others += o != v && !(o->hold & HV_HOLD_DOWN);
        if (!others)
            hv_domain_shutdown(self->domain, SHUTDOWN_poweroff);
        else
            hv_hold(v, HV_HOLD_DOWN);
        return 0;
    }
    case VCPUOP_is_up:
        return !(v->hold & HV_HOLD_DOWN);
    case VCPUOP_get_runstate_info:
        runstate = v->runstate;
        for (u32 i = 0; i < 4; i++)
            runstate.time[i] = hv_vcpu_state_time(v, i);
        return hv_store_guest(a2, &runstate);
    case VCPUOP_register_runstate_memory_area:
        rc = register_area(&v->runstate_area, a2, sizeof(struct vcpu_runstate_info));
        if (!rc && v->runstate_area && v == self)
            hv_store_guest(v->runstate_area, &v->runstate);
        return rc;
    case VCPUOP_register_vcpu_time_memory_area:
        rc = register_area(&v->time_area, a2, sizeof(struct vcpu_time_info));
        if (!rc)
            hv_time_vcpu_update(v);
        return rc;
    case VCPUOP_set_periodic_timer:
    case VCPUOP_stop_periodic_timer:
    case VCPUOP_set_singleshot_timer:
    case VCPUOP_stop_singleshot_timer:
        return timer_op((u32)a0, v, a2);
    case VCPUOP_register_vcpu_info:
        return register_info(v, a2);
    case VCPUOP_send_nmi:
        hv_vcpu_nmi(v);
        return 0;
    case VCPUOP_get_physid: {
        u64 id = 0;	/* the only processor's */
        return self->domain->privileged ? hv_store_guest64(a2, id) : -EINVAL;
    }
    }
    return -ENOSYS;
}
