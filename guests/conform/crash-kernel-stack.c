/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system call with a kernel stack that is not mapped ends the domain.
 */
#include "guests/conform/conform.h"

static u8 stack[4096];
NORETURN void user_switch(const struct trap_frame *frame);

static u64 code(u64 arg)
{
    __asm__ volatile("syscall" : : "a"(arg) : "rcx", "r11");
    return 0;
}

static void enter(const struct trap_frame *frame)
{
    hypercall_stack_switch(SEL_DS, VA_UNMAPPED);
    user_switch(frame);
}

void guest_main(void)
{
    report_start("crash-kernel-stack");
    test("crash", "a system call onto a kernel stack that is not mapped ends the domain");
    crashes();
    static struct trap_frame frame;

    user_init();
    frame = (struct trap_frame){.rip = (u64)code, .cs = SEL_USER_CS, .rflags = 2, .rsp = (u64)stack + sizeof stack, .ss = SEL_DS};
    enter(&frame);
    report_end();
}
