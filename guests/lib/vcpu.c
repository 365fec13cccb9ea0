/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/vcpu.h"

#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

void vcpu_context(vcpu_guest_context_t *context, u64 entry, u64 arg, const void *stack_end, u64 root_mfn)
{
    memset(context, 0, sizeof *context);
    /* Without VGCF_online: it is VCPUOP_up that wakes the vCPU. */
    context->flags = VGCF_in_kernel;
    context->user_regs.rip = entry;
    context->user_regs.rdi = arg;
    context->user_regs.rsp = (u64)stack_end - 8; /* where a call leaves the return address */
    context->user_regs.rflags = 0x200;
    context->user_regs.cs = FLAT_KERNEL_CS;
    context->user_regs.ss = FLAT_KERNEL_SS;
    context->kernel_ss = FLAT_KERNEL_SS;
    context->kernel_sp = (u64)stack_end;
    context->ctrlreg[3] = root_mfn << PAGE_SHIFT;
}

long vcpu_start(u32 number, vcpu_guest_context_t *context)
{
    long error;

    shared_info->vcpu_info[number].evtchn_upcall_mask = 1;
    error = hypercall_vcpu_op(VCPUOP_initialise, number, context);
    return error ? error : hypercall_vcpu_op(VCPUOP_up, number, NULL);
}
