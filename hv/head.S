/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the loader's 32-bit protected mode to 64-bit C.
 *
 * The first tables map the first 4 GiB three times, by 2 MiB pages: at its own address (to get
 * across), in the direct map, and from HV_VA_IMAGE.  hv/boot.c builds the real ones.
 */
#include "hv/layout.h"

#define PHYS(x) (x - HV_VA_IMAGE)

	.section .head, "ax"
	.code32
	.balign 4
	.globl hv_header
hv_header:
	.long 0x1badb002
	.long 0x00010003
	.long -(0x1badb002 + 0x00010003)
	.long hv_header_phys
	.long hv_image_phys
	.long hv_load_end_phys
	.long hv_end_phys
	.long hv_start_phys

	.globl hv_start32
hv_start32:
	cli
	cld
	movl	%eax, PHYS(hv_boot_magic)
	movl	%ebx, PHYS(hv_boot_info)
	movl	$PHYS(hv_stack_top), %esp
	/* 4 L2 tables, 2048 entries of 2 MiB */
	movl	$PHYS(boot_l2), %edi
	movl	$0x183, %eax
	xorl	%edx, %edx
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$0x200000, %eax
	adcl	$0, %edx
	addl	$8, %edi
	loop	1b
	movl	$PHYS(boot_l3), %edi
	movl	$PHYS(boot_l2) + 0x103, %eax
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	movl	%eax, (boot_l3_image - boot_l3) + 0x142 * 8 (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	loop	2b
	movl	$PHYS(boot_l3) + 0x103, PHYS(boot_l4)
	movl	$PHYS(boot_l3) + 0x103, PHYS(boot_l4) + 262 * 8
	movl	$PHYS(boot_l3_image) + 0x103, PHYS(boot_l4) + 261 * 8
	movl	%cr4, %eax
	orl	$0x6b0, %eax		/* PSE PAE PGE OSFXSR OSXMMEXCPT; below */
	andl	$~0x10, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_l4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x901, %eax		/* SCE LME NXE */
	wrmsr
	movl	$0x80050033, %eax	/* PG AM WP NE ET MP PE */
	movl	%eax, %cr0
	lgdt	PHYS(boot_gdtr)
	ljmp	$8, $PHYS(3f)
	.code64
3:	movabsq	$4f, %rax
	jmp	*%rax
4:	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	hv_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	movl	hv_boot_magic(%rip), %edi
	movl	hv_boot_info(%rip), %esi
	call	hv_main
	ud2

	.balign 8
boot_gdt:
	.quad 0, 0x00af9a000000ffff
boot_gdtr:
	.word 15
	.long PHYS(boot_gdt)

	.bss
	.balign 4096
	.globl hv_stack_top, hv_stack, hv_ist_top
boot_l4: .skip 4096
boot_l3: .skip 4096
boot_l3_image: .skip 4096
boot_l2: .skip 4 * 4096
hv_stack: .skip HV_STACK_SIZE
hv_stack_top:
	.skip HV_IST_SIZE
hv_ist_top:
	.section .data
	.globl hv_boot_magic, hv_boot_info
hv_boot_magic: .long 0
hv_boot_info: .long 0
