/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry from a multiboot 1 loader, the way to long mode, exception entry and
 * the run/recover pair on which every case is built.
 */
#define KCS 0x08
#define KDS 0x10

	.section .head, "ax"
	.code32
	.globl start
start:
	jmp	1f
	.balign 4
	.long	0x1badb002, 0, -0x1badb002
1:	cli
	cld
	movl	$__bss_start, %edi
	movl	$__bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb
	movl	$stack_top, %esp

	/* Identity map of 4 GiB in 2 MiB pages, writable, user. */
	movl	$pt_pdpt + 7, pt_pml4
	movl	$pt_pd + 7, %eax
	movl	$pt_pdpt, %edi
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	loop	2b
	movl	$0x87, %eax
	movl	$pt_pd, %edi
	movl	$2048, %ecx
3:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	3b
	call	enter_long
	.code64
	movl	$stack_top, %esp
	call	lib_start
	.code32

/* To 64-bit mode with the boot page tables; the return address is 32-bit. */
enter_long:
	movl	$0x620, %eax
	movl	%eax, %cr4
	movl	$pt_pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	$0x80010033, %eax
	movl	%eax, %cr0
	lgdt	gdt_ptr
	popl	%esi
	ljmp	$KCS, $1f
	.code64
1:	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%esi, %esi
	jmp	*%rsi

	.data
	.globl gdt_ptr
	.balign 8
	.word 0, 0, 0
gdt_ptr: .word 0x1ff
	.quad gdt

	.text
	.globl stubs
	.balign 16
stubs:
	.set n, 0
	.rept 256
	.balign 16
	.if n == 8 || (n >= 10 && n <= 14) || n == 17
	.else
	pushq	$0
	.endif
	pushq	$n
	jmp	common
	.set n, n + 1
	.endr

common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rsp
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	trap_c
	movq	%rbp, %rsp
	testl	%eax, %eax
	jz	recover
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	addq	$8, %rsp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/* void run_asm(struct input *in): iret into the case; recover returns here. */
	.globl run_asm
run_asm:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, saved_rsp(%rip)
	pushq	96(%rdi)	/* ss */
	pushq	88(%rdi)	/* rsp */
	pushq	80(%rdi)	/* rflags */
	pushq	72(%rdi)	/* cs */
	pushq	64(%rdi)	/* rip */
	movl	$KDS, %eax
	testl	$3, 72(%rdi)
	jz	1f
	movl	$0x2b, %eax	/* or IRET would leave null behind */
1:	movl	%eax, %ds
	movl	%eax, %es
	movq	0(%rdi), %rax
	movq	8(%rdi), %rcx
	movq	16(%rdi), %rdx
	movq	24(%rdi), %rbx
	movq	40(%rdi), %rbp
	movq	48(%rdi), %rsi
	movq	56(%rdi), %rdi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	.globl run_iret
run_iret:
	iretq

	.globl recover
recover:
	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movq	saved_rsp(%rip), %rsp
	movq	%rsp, %rax
	pushq	$KDS
	pushq	%rax
	pushq	$2
	pushq	$KCS
	leaq	1f(%rip), %rcx
	pushq	%rcx
	iretq
1:	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* Where SYSCALL, SYSENTER and gates of the cases land: record as vector 0xf1. */
	.globl land
land:	int	$0xf1

/* AP trampoline: copied to 0x8000, entered in real mode. */
	.globl ap_tramp, ap_tramp_end
	.code16
ap_tramp:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	0x8000 + ap_gdtr - ap_tramp
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x18, $ap32
ap_gdtr: .word 0x1ff
	.long gdt
ap_tramp_end:
	.code32
ap32:	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$ap_stack_top, %esp
	call	enter_long
	.code64
	movl	$ap_stack_top, %esp
	call	ap_start
1:	hlt
	jmp	1b

	.bss
	.balign 8
	.globl saved_rsp
saved_rsp: .quad 0
	.balign 4096
	.globl pt_pml4, pt_pdpt, pt_pd
pt_pml4: .skip 4096
pt_pdpt: .skip 4096
pt_pd:	.skip 4 * 4096
	.skip 16384
stack_top:
	.skip 8192
ap_stack_top:
