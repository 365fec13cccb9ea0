/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short guest with two CPUs for bisecting: the first wakes the second, both compute, the second
 * asks for the time once in the middle, and the first waits until it is through.
 */
        .set ROUNDS, 8
        .set SECOND, 0x8000             /* where the second one begins, in real mode */
        .set TOLD, 0x8f00
        .set DONE, 0x8f08
        .set ICR, 0xfee00300

        .section .text
        .globl _start
        .long 0x1badb002, 0, -0x1badb002
_start:
        movl $second, %esi
        movl $SECOND, %edi
        movl $second_end - second, %ecx
        rep movsb
        movl $0x01000000, ICR + 0x10    /* to APIC 1 */
        movl $0x00004500, ICR           /* INIT */
        movl $0x00004600 | SECOND >> 12, ICR /* start-up */
        movl $ROUNDS, %ecx
        movl $1, %eax
1:      imull $3, %eax
        movl %eax, buffer(,%ecx,4)
        decl %ecx
        jnz 1b
2:      pause
        cmpl $0, DONE
        je 2b
        movl $0, %eax
        movw $0xf4, %dx                 /* isa-debug-exit: good */
        outl %eax, %dx
3:      hlt
        jmp 3b

        .code16
second:
        xorw %ax, %ax
        movw %ax, %ds
        movw $ROUNDS, %cx
        movl $1, %eax
4:      imull $5, %eax
        addl %eax, TOLD
        decw %cx
        jnz 4b
        rdtsc
        movl %eax, TOLD
        movw $ROUNDS, %cx
5:      addl TOLD, %eax
        decw %cx
        jnz 5b
        movl %eax, TOLD
        movl $1, DONE
6:      hlt
        jmp 6b
second_end:

        .data
        .balign 16
buffer: .fill ROUNDS + 1, 4, 0
