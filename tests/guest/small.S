/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest guests: each does one thing and ends one way.  Assembled once per guest with
 * one of the names below defined; see small_guest() in small.sh.
 */
        .set COM1, 0x3f8

        .section .text
        .globl _start
        .long 0x1badb002, 0, -0x1badb002
_start:
        cli
        movl $stack_top, %esp
        movl $greeting, %esi
        call print

#if defined(HALT)                       /* interrupts off for ever */
        hlt
#elif defined(IDLE)                     /* waits for an interrupt that nobody will send */
        movb $0xff, %al
        outb %al, $0x21
        outb %al, $0xa1
        lidt good_idt
        sti
1:      hlt
        jmp 1b
#elif defined(EXIT)                     /* isa-debug-exit with the value EXIT */
        movl $EXIT, %eax
        movw $0xf4, %dx
        outl %eax, %dx
#elif defined(RESET)                    /* reset control register */
        movb $6, %al
        movw $0xcf9, %dx
        outb %al, %dx
#elif defined(TRIPLE)                   /* an exception that cannot be delivered */
        lidt no_idt
        .globl faulty
faulty:
        nop
        ud2
#elif defined(NOWHERE)                  /* a jump out of RAM */
        .globl faulty
faulty:
        movl $0xe0000000, %eax
        jmp *%eax
#elif defined(TABLES)                   /* page tables out of RAM */
        movl $0x80000000, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80000000, %eax
        .globl faulty
faulty:
        movl %eax, %cr0
        nop
#elif defined(ECHO)                     /* says every byte back; 'Q' ends well, 'F' badly */
1:      movl $500, %ecx                 /* ports are slow, waiting is not */
3:      decl %ecx
        jnz 3b
        movw $COM1 + 5, %dx
        inb %dx, %al
        testb $1, %al
        jz 1b
        movw $COM1, %dx
        inb %dx, %al
        outb %al, %dx
        cmpb $'Q', %al
        je good
        cmpb $'F', %al
        je bad
        jmp 1b
good:   xorl %eax, %eax
        jmp 2f
bad:    movl $7, %eax
2:      movw $0xf4, %dx
        outl %eax, %dx
#elif defined(SPIN)                     /* counts for ever, and fills some memory */
1:      movl $0x200000, %edi
2:      incl %eax
        movl %eax, (%edi)
        addl $4, %edi
        cmpl $0x300000, %edi
        jb 2b
        rdtsc
        jmp 1b
#elif defined(SPEW)                     /* never stops talking */
1:      movl $greeting, %esi
        call print
        jmp 1b
#else
#error which guest?
#endif
1:      jmp 1b

print:  movw $COM1, %dx
1:      lodsb
        testb %al, %al
        jz 2f
        outb %al, %dx
        jmp 1b
2:      ret

greeting:
        .asciz "small guest\r\n"
        .balign 8
no_idt: .word 0
        .long 0
good_idt:
        .word 0x7ff
        .long 0
        .balign 16
        .skip 4096
stack_top:
