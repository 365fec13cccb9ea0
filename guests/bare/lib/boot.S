/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot sector for subjects without a multiboot loader: copies the flat
 * kernel that follows it on the disk to 1 MiB through the BIOS, then enters
 * it the way a multiboot loader would (flat 32-bit, EAX = loader magic).
 */
	.set SECTORS, 1024		/* 512 KiB: more than any kernel here */
	.set CHUNK, 64

	.text
	.code16
	.globl boot
boot:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	movb	%dl, drive
	sti
next:
	movw	$packet, %si
	movb	$0x42, %ah
	movb	drive, %dl
	int	$0x13
	jc	dead
	movw	$gdt_copy, %si
	movw	$(CHUNK * 512 / 2), %cx
	movb	$0x87, %ah
	int	$0x15
	jc	dead
	addl	$CHUNK, packet + 8
	addw	$(CHUNK * 512), gdt_copy + 0x1a
	adcb	$0, gdt_copy + 0x1c
	cmpl	$SECTORS, packet + 8
	jb	next

	cli
	inb	$0x92, %al
	orb	$2, %al
	outb	%al, $0x92
	lgdt	gdt_ptr
	movl	$0x11, %eax
	movl	%eax, %cr0
	ljmp	$8, $flat
	.code32
flat:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	movl	$0x2badb002, %eax
	xorl	%ebx, %ebx
	movl	$0x100000, %ecx
	jmp	*%ecx
	.code16
dead:
	hlt
	jmp	dead

	.balign 4
packet:	.byte 16, 0
	.word CHUNK, 0x0000, 0x1000
	.quad 1
gdt_copy:
	.quad 0, 0
	.word 0xffff, 0x0000		/* source 0x10000 */
	.byte 0x01, 0x93, 0, 0
	.word 0xffff, 0x0000		/* target 0x100000 and up */
	.byte 0x10, 0x93, 0, 0
	.quad 0, 0
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_ptr: .word gdt_ptr - gdt - 1
	.long gdt
drive:	.byte 0
	.org 510
	.word 0xaa55
