/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls, typed, by direct SYSCALL: number in RAX, arguments in RDI, RSI, RDX, R10, R8.
 * RCX and R11 are lost; a call that the hypervisor continued may have changed the argument
 * registers.  Each function returns what the hypervisor left in RAX: a negative errno
 * (xen/errno.h) or the call's own result.  The calls are those of xen/xen.h under the same
 * names, `hypercall_` in front; pointers may be invalid on purpose.
 */
#ifndef GUESTS_LIB_HYPERCALL_H
#define GUESTS_LIB_HYPERCALL_H

#include "guests/lib/errno.h"
#include "guests/lib/types.h"

#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

/**
 * hypercall - any hypercall by its number, with five raw arguments.
 */
static inline long hypercall(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     : "0"(number)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

#define HC_(name, a, b, c, d, e) \
    hypercall(__HYPERVISOR_##name, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e))

static inline long hypercall_set_trap_table(const struct trap_info *table)
{
    return HC_(set_trap_table, table, 0, 0, 0, 0);
}

/** @done may be NULL.  @domid: frames' owner, and above bit 16 the tables'. */
static inline long hypercall_mmu_update(const mmu_update_t *requests, u32 count, u32 *done,
                                        u32 domid)
{
    return HC_(mmu_update, requests, count, done, domid, 0);
}

static inline long hypercall_set_gdt(const u64 *mfns, u32 entries)
{
    return HC_(set_gdt, mfns, entries, 0, 0, 0);
}

static inline long hypercall_stack_switch(u64 ss, u64 rsp)
{
    return HC_(stack_switch, ss, rsp, 0, 0, 0);
}

static inline long hypercall_set_callbacks(u64 event, u64 failsafe, u64 syscall)
{
    return HC_(set_callbacks, event, failsafe, syscall, 0, 0);
}

static inline long hypercall_fpu_taskswitch(u64 set)
{
    return HC_(fpu_taskswitch, set, 0, 0, 0, 0);
}

static inline long hypercall_platform_op(void *op)
{
    return HC_(platform_op, op, 0, 0, 0, 0);
}

static inline long hypercall_set_debugreg(u64 reg, u64 value)
{
    return HC_(set_debugreg, reg, value, 0, 0, 0);
}

static inline long hypercall_get_debugreg(u64 reg)
{
    return HC_(get_debugreg, reg, 0, 0, 0, 0);
}

/** @maddr: machine address of the descriptor. */
static inline long hypercall_update_descriptor(u64 maddr, u64 descriptor)
{
    return HC_(update_descriptor, maddr, descriptor, 0, 0, 0);
}

static inline long hypercall_memory_op(u32 cmd, void *arg)
{
    return HC_(memory_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_multicall(multicall_entry_t *calls, u32 count)
{
    return HC_(multicall, calls, count, 0, 0, 0);
}

/** @pte: the whole L1 entry.  @flags: UVMF_*. */
static inline long hypercall_update_va_mapping(u64 va, u64 pte, u64 flags)
{
    return HC_(update_va_mapping, va, pte, flags, 0, 0);
}

static inline long hypercall_update_va_mapping_otherdomain(u64 va, u64 pte, u64 flags, u64 domid)
{
    return HC_(update_va_mapping_otherdomain, va, pte, flags, domid, 0);
}

/** @system_time_ns: absolute; 0 stops the timer. */
static inline long hypercall_set_timer_op(u64 system_time_ns)
{
    return HC_(set_timer_op, system_time_ns, 0, 0, 0, 0);
}

static inline long hypercall_xen_version(u32 cmd, void *arg)
{
    return HC_(xen_version, cmd, arg, 0, 0, 0);
}

static inline long hypercall_console_io(u32 cmd, u64 size_bytes, const void *text)
{
    return HC_(console_io, cmd, size_bytes, text, 0, 0);
}

static inline long hypercall_grant_table_op(u32 cmd, void *args, u32 count)
{
    return HC_(grant_table_op, cmd, args, count, 0, 0);
}

static inline long hypercall_vm_assist(u32 cmd, u32 type)
{
    return HC_(vm_assist, cmd, type, 0, 0, 0);
}

static inline long hypercall_vcpu_op(u32 cmd, u32 vcpu, void *arg)
{
    return HC_(vcpu_op, cmd, vcpu, arg, 0, 0);
}

static inline long hypercall_set_segment_base(u32 which, u64 base)
{
    return HC_(set_segment_base, which, base, 0, 0, 0);
}

/** @done may be NULL. */
static inline long hypercall_mmuext_op(const struct mmuext_op *ops, u32 count, u32 *done, u32 domid)
{
    return HC_(mmuext_op, ops, count, done, domid, 0);
}

static inline long hypercall_nmi_op(u32 cmd, void *arg)
{
    return HC_(nmi_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_sched_op(u32 cmd, void *arg)
{
    return HC_(sched_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_callback_op(u32 cmd, const void *arg)
{
    return HC_(callback_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_xenoprof_op(u32 op, void *arg)
{
    return HC_(xenoprof_op, op, arg, 0, 0, 0);
}

static inline long hypercall_event_channel_op(u32 cmd, void *arg)
{
    return HC_(event_channel_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_physdev_op(u32 cmd, void *arg)
{
    return HC_(physdev_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_hvm_op(u32 cmd, void *arg)
{
    return HC_(hvm_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_sysctl(void *op)
{
    return HC_(sysctl, op, 0, 0, 0, 0);
}

static inline long hypercall_domctl(void *op)
{
    return HC_(domctl, op, 0, 0, 0, 0);
}

static inline long hypercall_kexec_op(u32 cmd, void *arg)
{
    return HC_(kexec_op, cmd, arg, 0, 0, 0);
}

static inline long hypercall_xsm_op(void *op)
{
    return HC_(xsm_op, op, 0, 0, 0, 0);
}

static inline long hypercall_sched_op_compat(u32 cmd, u64 arg)
{
    return HC_(sched_op_compat, cmd, arg, 0, 0, 0);
}

static inline long hypercall_event_channel_op_compat(evtchn_op_t *op)
{
    return HC_(event_channel_op_compat, op, 0, 0, 0, 0);
}

static inline long hypercall_physdev_op_compat(physdev_op_t *op)
{
    return HC_(physdev_op_compat, op, 0, 0, 0, 0);
}

#endif
