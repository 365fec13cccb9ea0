/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other vCPUs of this domain.
 *
 *     static vcpu_guest_context_t context;
 *
 *     vcpu_context(&context, (u64)other_main, 0, stack_end, memory_virt_to_mfn(memory_root()));
 *     error = vcpu_start(1, &context);
 *
 * Trap table and callbacks are each vCPU's own: it calls trap_install() to have those of this runtime, and
 * the guest supplies runtime_vcpu.  What guests/lib keeps has no locks.
 */
#ifndef GUESTS_LIB_VCPU_H
#define GUESTS_LIB_VCPU_H

#include "guests/lib/hypercall.h"

/**
 * vcpu_context - the state in which a vCPU starts as a kernel, as if @entry had been called.
 * @context:   written whole; what else it is to hold is set afterwards.
 * @entry:     address of a function that does not return.
 * @arg:       its argument.
 * @stack_end: end of its stack, a multiple of 16; also where it enters the kernel from user mode.
 * @root_mfn:  its L4 table.
 */
void vcpu_context(vcpu_guest_context_t *context, u64 entry, u64 arg, const void *stack_end, u64 root_mfn);

/**
 * vcpu_start - set vCPU @number up with @context and let it run, upcalls to it masked.
 * Returns: 0, or the hypervisor's answer to the step that failed.
 */
long vcpu_start(u32 number, vcpu_guest_context_t *context);

/** vcpu_yield - let others run. */
static inline void vcpu_yield(void)
{
    hypercall_sched_op(SCHEDOP_yield, NULL);
}

#endif
