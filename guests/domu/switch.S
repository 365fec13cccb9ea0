/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one kernel stack to another.
 */
    .text
    .code64

/* void task_switch(u64 *save_rsp, u64 new_rsp) */
    .globl task_switch
task_switch:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* A new thread: function in RBX, argument in R12. */
    .globl task_begin_thread
task_begin_thread:
    movq %r12, %rdi
    call *%rbx
    xorl %edi, %edi
    call task_exit

/* A new process: its trap_frame lies at RSP. */
    .globl task_begin_process
task_begin_process:
    movq %rsp, %rbx
    andq $-16, %rsp
    call task_begin
    movq %rbx, %rsp
    jmp trap_return
