/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short guest for bisecting: it computes, asks for the time once in the middle and goes on
 * computing, with what it was told in memory.
 */
        .set ROUNDS, 8
#ifndef FACTOR
#define FACTOR 3
#endif

        .section .text
        .globl _start
        .long 0x1badb002, 0, -0x1badb002
_start:
        movl $ROUNDS, %ecx
        movl $1, %eax
1:      imull $FACTOR, %eax
        movl %eax, buffer(,%ecx,4)
        decl %ecx
        jnz 1b

        rdtsc
        movl %eax, told

        movl $ROUNDS, %ecx
1:      addl told, %eax
        movl %eax, buffer(,%ecx,4)
        decl %ecx
        jnz 1b
        movl $0, %eax
        movw $0xf4, %dx                 /* isa-debug-exit: good */
        outl %eax, %dx
2:      hlt
        jmp 2b

        .data
        .balign 16
told:   .long 0
buffer: .fill ROUNDS + 1, 4, 0
