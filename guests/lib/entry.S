/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries from the hypervisor, and the two ways of leaving a function that may not come back.
 *
 * The hypervisor pushes RCX, R11, [error code], RIP, CS, RFLAGS, RSP, SS.  The stubs turn this
 * into the frame that the iret hypercall reads (RAX, R11, RCX, flags, RIP ...), so that the way
 * back is to drop the other registers and ask for it.  struct trap_frame is the C view.
 */
#define __ASSEMBLY__ 1
#include <xen/xen.h>
#include "guests/lib/layout.h"

    .text
    .code64

/* trap_stub VECTOR HAS_ERROR - the stubs are 32 bytes each, in the order of their vectors. */
.macro trap_stub vector:req, error:req
    .balign 32
    popq %rcx
    popq %r11
    .if \error == 0
    pushq $0
    .endif
    pushq %rcx
    pushq %r11
    pushq %rax
    pushq $\vector
    jmp trap_common
.endm

    .balign 32
    .globl trap_stubs
trap_stubs:
.altmacro
.set vector, 0
.rept 256
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
    trap_stub %vector, 1
    .else
    trap_stub %vector, 0
    .endif
    .set vector, vector + 1
.endr
.noaltmacro
    .globl trap_entry_syscall, trap_entry_event, trap_entry_failsafe
trap_entry_syscall:
    trap_stub TRAP_SYSCALL, 0
trap_entry_event:
    trap_stub TRAP_EVENT, 0

/* The failsafe frame has DS, ES, FS and GS above RCX and R11; they are dropped here. */
    .balign 32
trap_entry_failsafe:
    popq %rcx
    popq %r11
    addq $24, %rsp
    movq $0, (%rsp)
    pushq %rcx
    pushq %r11
    pushq %rax
    pushq $TRAP_FAILSAFE
    jmp trap_common

trap_common:
    pushq %rbx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call trap_dispatch
    movq %rbx, %rsp
    .globl trap_return
trap_return:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rbx
    addq $8, %rsp
    movq $0, 24(%rsp)
    movl $__HYPERVISOR_iret, %eax
    syscall
    ud2

/*
 * u64 trap_guard(u64 *saved_rsp, u64 (*fn)(u64), u64 arg)
 * Saves what a C caller expects to be kept and calls fn.  trap_unwind(), entered with RSP =
 * *saved_rsp and RAX = the result, returns from trap_guard() instead of fn.
 */
    .globl trap_guard, trap_unwind
trap_guard:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushfq
    movq %rsp, (%rdi)
    movq %rdx, %rdi
    call *%rsi
trap_unwind:
    popfq
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/*
 * u64 user_switch(const struct user_state *state) - never returns: goes to user mode with an
 * iret hypercall.  The frame lies at the end of *state, in the order of trap_frame.
 */
    .globl user_switch
user_switch:
    movq %rdi, %rsp
    jmp trap_return
