/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the hypervisor and back.
 *
 * The guest's registers are pushed straight into hv_current->regs: hv_cpu.regs_end (and RSP0 of
 * the TSS, for exceptions) point to the end of it.  Then the one hypervisor stack is used, from its
 * top.  Nothing is copied at a context switch, and everything is addressed relative to RIP: no
 * SWAPGS is needed, GS always is the guest's.
 *
 * Interrupts stay off in here.  An exception of the hypervisor itself (a copy that faults, the last
 * IRET) finds ring 0 in the pushed CS and stays on the current stack.  #DB, NMI, #DF and #MC have a
 * stack of their own, because they can come when RSP is still the guest's.
 */
#include "hv/layout.h"

	.section .entry, "ax"
	.code64

	.macro	PUSH_GPRS
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	/* Loads all registers from regs at RSP and leaves RSP at regs.rip. */
	.macro	POP_GPRS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	.endm

/* ---- SYSCALL -------------------------------------------------------------------------------- */
	.globl hv_syscall_entry
hv_syscall_entry:
	movq	%rsp, hv_cpu+HV_CPU_SCRATCH(%rip)
	movq	hv_cpu+HV_CPU_REGS_END(%rip), %rsp
	pushq	$HV_SEL_GUEST_SS
	pushq	hv_cpu+HV_CPU_SCRATCH(%rip)
	pushq	%r11
	pushq	$HV_SEL_GUEST_CS64
	pushq	%rcx
	pushq	$0
	PUSH_GPRS
	leaq	hv_stack_top(%rip), %rsp
	movq	hv_cpu+HV_CPU_CURRENT(%rip), %rbx
	testb	$HV_VCPU_KERNEL, HV_VCPU_FLAGS(%rbx)
	jz	user_syscall
	orl	$HV_VCPU_SYSRET, HV_VCPU_FLAGS(%rbx)
	leaq	HV_VCPU_REGS(%rbx), %rdi
	/* RAX: number, RDI RSI RDX R10 R8: arguments, as C wants them */
	.globl hv_hypercall_dispatch
	call	hv_hypercall_dispatch

	/* Fast return of a hypercall: nothing to do, no event, plain registers: SYSRET. */
	.globl hv_return_sysret
hv_return_sysret:
	movq	hv_cpu+HV_CPU_CURRENT(%rip), %rbx
	movq	HV_VCPU_INFO(%rbx), %rax
	cmpl	$0, hv_cpu+HV_CPU_WORK(%rip)
	jne	hv_return_to_guest
	cmpw	$1, (%rax)		/* pending, and not masked */
	je	upcall
	testb	$HV_VCPU_SYSRET, HV_VCPU_FLAGS(%rbx)
	jz	hv_return_iret
	movq	HV_VCPU_REGS+HV_REGS_RIP(%rbx), %rcx
	movq	%rcx, %rdx		/* SYSRET to a non-canonical address faults in ring 0 */
	shlq	$16, %rdx
	sarq	$16, %rdx
	cmpq	%rcx, %rdx
	jne	hv_return_iret
	leaq	HV_VCPU_REGS(%rbx), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	addq	$8, %rsp
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	addq	$8, %rsp
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	HV_REGS_RFLAGS-HV_REGS_ERROR(%rsp), %r11
	movq	HV_REGS_RSP-HV_REGS_ERROR(%rsp), %rsp
	sysretq

user_syscall:
	call	hv_user_syscall
	/* fall through */

/* ---- back to the guest ---------------------------------------------------------------------- */
/* Whatever is to be done first is done; then events; then IRET or SYSRET. */
	.globl hv_return_to_guest
hv_return_to_guest:
	movq	hv_cpu+HV_CPU_CURRENT(%rip), %rbx
	movq	HV_VCPU_INFO(%rbx), %rax
	cmpl	$0, hv_cpu+HV_CPU_WORK(%rip)
	jne	1f
	cmpw	$1, (%rax)
	jne	hv_return_iret
	/* only an event: no need to look for anything else */
upcall:	leaq	hv_stack_top(%rip), %rsp
	movq	%rbx, %rdi
	call	hv_event_upcall
	cmpl	$0, hv_cpu+HV_CPU_WORK(%rip)
	je	hv_return_iret
1:	leaq	hv_stack_top(%rip), %rsp
	call	hv_exit_work
	movq	hv_cpu+HV_CPU_CURRENT(%rip), %rbx
	/* hv_exit_work only returns when there is a guest to run and nothing left to do */
	.globl hv_return_iret
hv_return_iret:
	andl	$~HV_VCPU_SYSRET, HV_VCPU_FLAGS(%rbx)
	leaq	HV_VCPU_REGS(%rbx), %rsp
	POP_GPRS
	.globl hv_final_iret
hv_final_iret:
	iretq

/* ---- exceptions and interrupts -------------------------------------------------------------- */
	.macro	STUB vector, has_error
	.balign 16
	.if	\has_error == 0
	pushq	$0
	.endif
	movl	$(\vector), 4(%rsp)
	jmp	common
	.endm

	.globl hv_stubs
	.balign 16
hv_stubs:
	.set	i, 0
	.rept	64
	.if	(i == 8) || ((i >= 10) && (i <= 14)) || (i == 17)
	STUB	i, 1
	.else
	STUB	i, 0
	.endif
	.set	i, i + 1
	.endr

common:
	testb	$3, 16(%rsp)
	jz	from_hypervisor
	PUSH_GPRS
	movq	%rsp, %rdi
	cld
	leaq	hv_stack_top(%rip), %rsp
	cmpb	$14, HV_REGS_VECTOR(%rdi)
	jne	2f
	call	hv_guest_page_fault
	jmp	hv_return_to_guest
2:	call	hv_guest_trap
	jmp	hv_return_to_guest

from_hypervisor:
	PUSH_GPRS
	cld
	movq	%rsp, %rdi
	leaq	hv_final_iret(%rip), %rax
	cmpq	%rax, HV_REGS_RIP(%rdi)
	je	iret_failed
	subq	$8, %rsp
	andq	$~15, %rsp
	movq	%rdi, %rbx
	call	hv_own_trap
	movq	%rbx, %rsp
	POP_GPRS
	iretq

/* The final IRET faulted: what was pushed lies within the vCPU's registers. */
iret_failed:
	leaq	hv_stack_top(%rip), %rsp
	call	hv_iret_failed
	jmp	hv_return_to_guest

/* #DB, NMI, #DF, #MC come on their own stack; from ring 3 they join the others. */
	.macro	IST_STUB name, vector, has_error
	.balign 16
	.globl \name
\name:
	.if	\has_error == 0
	pushq	$0
	.endif
	movl	$\vector, 4(%rsp)
	testb	$3, 16(%rsp)
	jz	ist_from_hypervisor
	jmp	ist_from_guest
	.endm
	IST_STUB hv_ist_db, 1, 0
	IST_STUB hv_ist_nmi, 2, 0
	IST_STUB hv_ist_df, 8, 1
	IST_STUB hv_ist_mc, 18, 0

ist_from_guest:
	pushq	%rax
	movq	%rsp, %rax
	movq	hv_cpu+HV_CPU_REGS_END(%rip), %rsp
	pushq	48(%rax)
	pushq	40(%rax)
	pushq	32(%rax)
	pushq	24(%rax)
	pushq	16(%rax)
	pushq	8(%rax)
	movq	(%rax), %rax
	jmp	common

ist_from_hypervisor:
	PUSH_GPRS
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$~15, %rsp
	call	hv_own_trap
	movq	%rbx, %rsp
	POP_GPRS
	iretq

/* ---- 32-bit SYSCALL and SYSENTER: user mode only --------------------------------------------- */
	.globl hv_sysenter_entry
hv_sysenter_entry:
	movq	hv_cpu+HV_CPU_REGS_END(%rip), %rsp
	pushq	$HV_SEL_GUEST_SS
	pushq	$0
	pushfq
	pushq	$3
	pushq	$0
	pushq	$0
	PUSH_GPRS
	leaq	hv_stack_top(%rip), %rsp
	pushq	$2			/* NT and the like are not ours */
	popfq
	call	hv_sysenter
	jmp	hv_return_to_guest

	.globl hv_syscall32_entry
hv_syscall32_entry:
	movq	%rsp, hv_cpu+HV_CPU_SCRATCH(%rip)
	movq	hv_cpu+HV_CPU_REGS_END(%rip), %rsp
	pushq	$HV_SEL_GUEST_SS
	pushq	hv_cpu+HV_CPU_SCRATCH(%rip)
	pushq	%r11
	pushq	$HV_SEL_GUEST_CS32
	pushq	%rcx
	pushq	$0
	PUSH_GPRS
	leaq	hv_stack_top(%rip), %rsp
	call	hv_user_syscall
	jmp	hv_return_to_guest

/* size_t hv_copy_raw(to, from, size): bytes not copied */
	.globl hv_copy_raw
hv_copy_raw:
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
1:	rep movsq
	movl	%edx, %ecx
2:	rep movsb
3:	movl	%ecx, %eax
	ret
4:	leaq	(%rdx,%rcx,8), %rcx	/* what words and bytes were left */
	jmp	2b
	.pushsection .fixups, "a"
	.long	1b - ., 4b - .
	.long	2b - ., 3b - .
	.popsection

	.globl memcpy, memset
memcpy:
	movq	%rdi, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
	rep movsq
	movl	%edx, %ecx
	rep movsb
	ret
memset:
	movq	%rdi, %r9
	movl	%esi, %eax
	movq	%rdx, %rcx
	testl	%eax, %eax
	jnz	5f
	shrq	$3, %rcx
	rep stosq
	movl	%edx, %ecx
	andl	$7, %ecx
5:	rep stosb
	movq	%r9, %rax
	ret
	.section .note.GNU-stack, "", @progbits
