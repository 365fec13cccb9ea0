/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatch, multicall, continuation. */
#include "hv/hypercall.h"

#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/mm.h"

static const hv_hypercall_fn table[HV_NR_HYPERCALLS] = {
    [__HYPERVISOR_set_trap_table] = hv_do_set_trap_table,
    [__HYPERVISOR_mmu_update] = hv_do_mmu_update,
    [__HYPERVISOR_set_gdt] = hv_do_set_gdt,
    [__HYPERVISOR_stack_switch] = hv_do_stack_switch,
    [__HYPERVISOR_set_callbacks] = hv_do_set_callbacks,
    [__HYPERVISOR_fpu_taskswitch] = hv_do_fpu_taskswitch,
    [__HYPERVISOR_sched_op_compat] = hv_do_sched_op_compat,
    [__HYPERVISOR_platform_op] = hv_do_platform_op,
    [__HYPERVISOR_set_debugreg] = hv_do_set_debugreg,
    [__HYPERVISOR_get_debugreg] = hv_do_get_debugreg,
    [__HYPERVISOR_update_descriptor] = hv_do_update_descriptor,
    [__HYPERVISOR_memory_op] = hv_do_memory_op,
    [__HYPERVISOR_multicall] = hv_do_multicall,
    [__HYPERVISOR_update_va_mapping] = hv_do_update_va_mapping,
    [__HYPERVISOR_set_timer_op] = hv_do_set_timer_op,
    [__HYPERVISOR_event_channel_op_compat] = hv_do_event_channel_op_compat,
    [__HYPERVISOR_xen_version] = hv_do_xen_version,
    [__HYPERVISOR_console_io] = hv_do_console_io,
    [__HYPERVISOR_physdev_op_compat] = hv_do_physdev_op_compat,
    [__HYPERVISOR_grant_table_op] = hv_do_grant_table_op,
    [__HYPERVISOR_vm_assist] = hv_do_vm_assist,
    [__HYPERVISOR_update_va_mapping_otherdomain] = hv_do_update_va_mapping_otherdomain,
    [__HYPERVISOR_iret] = hv_do_iret,
    [__HYPERVISOR_vcpu_op] = hv_do_vcpu_op,
    [__HYPERVISOR_set_segment_base] = hv_do_set_segment_base,
    [__HYPERVISOR_mmuext_op] = hv_do_mmuext_op,
    [__HYPERVISOR_xsm_op] = hv_do_xsm_op,
    [__HYPERVISOR_nmi_op] = hv_do_nmi_op,
    [__HYPERVISOR_sched_op] = hv_do_sched_op,
    [__HYPERVISOR_callback_op] = hv_do_callback_op,
    [__HYPERVISOR_event_channel_op] = hv_do_event_channel_op,
    [__HYPERVISOR_physdev_op] = hv_do_physdev_op,
    [__HYPERVISOR_hvm_op] = hv_do_hvm_op,
    [__HYPERVISOR_sysctl] = hv_do_sysctl,
    [__HYPERVISOR_domctl] = hv_do_domctl,
#ifdef HV_AUDIT
    [63] = hv_do_audit,
#endif
};

/* The multicall that is being worked on: the entry a continuation changes, or NULL. */
static struct multicall_entry *in_multicall;
static bool stopped;

/* RDI: the registers; the tracing profile reads number and arguments there. */
HV_PROBE void hv_hypercall_dispatch(struct cpu_user_regs *r)
{
    u64 nr = r->rax;
    if (likely(nr < HV_NR_HYPERCALLS && table[nr]))
        r->rax = (u64)table[nr](r->rdi, r->rsi, r->rdx, r->r10, r->r8);
    else
        r->rax = (u64)-(s64)ENOSYS;
}

HV_COLD long hv_continue(u32 nr, u32 nr_args, const u64 *args)
{
    struct cpu_user_regs *r = &hv_current->regs;
    u64 *to[5] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8};
    if (in_multicall) {
        in_multicall->op = nr;
        for (u32 i = 0; i < nr_args; i++)
            in_multicall->args[i] = args[i];
        stopped = true;
        return -ERESTART;
    }
    for (u32 i = 0; i < nr_args; i++)
        *to[i] = args[i];
    r->rip -= 2;
    return nr;
}

/* A function of its own, so that an observer sees each entry. */
HV_PROBE static long hv_multicall_entry(const struct multicall_entry *e)
{
    return e->op < HV_NR_HYPERCALLS && table[e->op]
        ? table[e->op](e->args[0], e->args[1], e->args[2], e->args[3], e->args[4]) : -ENOSYS;
}

HV_HYPERCALL(multicall)
{
    struct hv_vcpu *v = hv_current;
    struct multicall_entry e;
    u32 i, n = (u32)a1;
    long rc = 0;
    (void)a2, (void)a3, (void)a4;
    if (in_multicall)
        return -EINVAL;
    if (!hv_guest_range_ok(a0, (u64)n * sizeof(e)))
        return -EFAULT;
    for (i = 0; i < n; i++, a0 += sizeof(e)) {
        if (i && (hv_preempt() || (v->deferred && hv_types_drain()))) {
            in_multicall = NULL;
            return HV_CONTINUE(__HYPERVISOR_multicall, a0, n - i);
        }
        if (hv_load_guest(&e, a0)) {
            rc = -EFAULT;
            break;
        }
        in_multicall = &e;
        stopped = false;
        long result = hv_multicall_entry(&e);
        in_multicall = NULL;
        if (unlikely(stopped)) {
            if (hv_store_guest(a0, &e))
                return -EFAULT;
            return HV_CONTINUE(__HYPERVISOR_multicall, a0, n - i);
        }
        if (unlikely(e.op == __HYPERVISOR_iret))	/* the caller's registers are gone */
            return result;
        if (hv_store_guest64(a0 + offsetof(struct multicall_entry, result), (u64)result)) {
            rc = -EFAULT;
            break;
        }
        if (unlikely(v->hold)) {	/* it blocked or shut down: the others when it runs again */
            if (i + 1 < n)
                return HV_CONTINUE(__HYPERVISOR_multicall, a0 + sizeof(e), n - i - 1);
            break;
        }
    }
    return rc;
}
