/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The legacy protected-mode twin of start64.S: flat, no paging at first. */
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
	lgdt	gdt_ptr
	ljmp	$KCS, $2f
2:	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$0x33, %eax
	movl	%eax, %cr0
	movl	$0x600, %eax
	movl	%eax, %cr4
	call	lib_start

	.data
	.globl gdt_ptr
	.balign 8
	.word 0, 0, 0
gdt_ptr: .word 0x1ff
	.long gdt

	.text
	.globl stubs
	.balign 16
stubs:
	.set n, 0
	.rept 256
	.balign 16
	.if n == 8 || (n >= 10 && n <= 14) || n == 17
	.else
	pushl	$0
	.endif
	pushl	$n
	jmp	common
	.set n, n + 1
	.endr

	.globl common
common:
	pushal
	pushl	%ds
	pushl	%es
	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	cld
	movl	%esp, %ebp
	andl	$-16, %esp
	subl	$12, %esp
	pushl	%ebp
	call	trap_c
	movl	%ebp, %esp
	testl	%eax, %eax
	jz	recover
	popl	%es
	popl	%ds
	popal
	addl	$8, %esp
	iretl

/* void run_asm(struct input *in) */
	.globl run_asm
run_asm:
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %edi
	movl	%esp, saved_rsp
	movl	72(%edi), %eax
	testl	$3, %eax
	jnz	1f
	/* Same ring: the stack is switched by hand, IRET takes no SS:ESP. */
	movl	88(%edi), %esp
	jmp	2f
1:	pushl	96(%edi)
	pushl	88(%edi)
2:	pushl	80(%edi)
	pushl	72(%edi)
	pushl	64(%edi)
	testl	$3, %eax
	movl	$KDS, %eax
	jz	3f
	movl	$0x2b, %eax
3:	movl	%eax, %ds
	movl	%eax, %es
	movl	0(%edi), %eax
	movl	8(%edi), %ecx
	movl	16(%edi), %edx
	movl	24(%edi), %ebx
	movl	40(%edi), %ebp
	movl	48(%edi), %esi
	movl	56(%edi), %edi
	.globl run_iret
run_iret:
	iretl

	.globl recover
recover:
	movl	$KDS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	saved_rsp, %esp
	pushl	$2
	pushl	$KCS
	pushl	$1f
	iretl
1:	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
	ret

	.globl land
land:	int	$0xf1

	.bss
	.balign 16
	.globl saved_rsp
saved_rsp: .long 0
	.skip 16384
stack_top:
