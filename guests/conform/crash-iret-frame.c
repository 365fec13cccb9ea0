/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iret with a frame that cannot be read ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-iret-frame");
    test("crash", "iret from a stack that is not mapped ends the domain");
    crashes();
    __asm__ volatile("movq %0, %%rsp\n movl $23, %%eax\n syscall" : : "r"(VA_UNMAPPED) : "rax", "rcx", "r11");
    report_end();
}
