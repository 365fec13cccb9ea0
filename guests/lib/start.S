/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the domain builder reads (ELF notes, xen/elfnote.h) and where it starts the guest:
 * RSI holds the address of start_info, RSP the end of the builder's stack page, which is also
 * the last page the builder has taken for itself.
 */
#define __ASSEMBLY__ 1
#include <xen/elfnote.h>
#include <xen/features.h>
#include "guests/lib/layout.h"

.macro note type:req
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4
    .long 2f - 1f
    .long \type
    .asciz "Xen"
1:
.endm
.macro endnote
2:  .balign 4
    .popsection
.endm
.macro note_text type:req, text:req
    note \type
    .asciz "\text"
    endnote
.endm
.macro note_quad type:req, value:req
    note \type
    .quad \value
    endnote
.endm

note_text XEN_ELFNOTE_GUEST_OS, "paravane"
note_text XEN_ELFNOTE_LOADER, "generic"
note_text XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
note_quad XEN_ELFNOTE_VIRT_BASE, VIRT_BASE
note_quad XEN_ELFNOTE_PADDR_OFFSET, 0
note_quad XEN_ELFNOTE_ENTRY, start
note_text XEN_ELFNOTE_PAE_MODE, "yes"
note XEN_ELFNOTE_SUPPORTED_FEATURES
    .long (1 << XENFEAT_dom0)
endnote

    .section .text.start, "ax"
    .code64
    .globl start
start:
    movq %rax, boot_registers + 0(%rip)
    movq %rbx, boot_registers + 8(%rip)
    movq %rcx, boot_registers + 16(%rip)
    movq %rdx, boot_registers + 24(%rip)
    movq %rsi, boot_registers + 32(%rip)
    movq %rdi, boot_registers + 40(%rip)
    movq %rbp, boot_registers + 48(%rip)
    movq %rsp, boot_registers + 56(%rip)
    movq %r8, boot_registers + 64(%rip)
    movq %r9, boot_registers + 72(%rip)
    movq %r10, boot_registers + 80(%rip)
    movq %r11, boot_registers + 88(%rip)
    movq %r12, boot_registers + 96(%rip)
    movq %r13, boot_registers + 104(%rip)
    movq %r14, boot_registers + 112(%rip)
    movq %r15, boot_registers + 120(%rip)
    movq %rsi, start_info_va(%rip)
    movq %rsp, boot_stack_end(%rip)
    pushfq
    popq boot_registers + 128(%rip)
    movl %cs, %eax
    movq %rax, boot_registers + 136(%rip)
    movl %ss, %eax
    movq %rax, boot_registers + 144(%rip)
    movl %ds, %eax
    movq %rax, boot_registers + 152(%rip)
    movl %es, %eax
    movq %rax, boot_registers + 160(%rip)
    movl %fs, %eax
    movq %rax, boot_registers + 168(%rip)
    movl %gs, %eax
    movq %rax, boot_registers + 176(%rip)
    cld
    leaq boot_stack + STACK_SIZE(%rip), %rsp
    xorl %ebp, %ebp
    call runtime_main
    ud2

    .bss
    .balign 4096
    .globl boot_stack
boot_stack:
    .skip STACK_SIZE
