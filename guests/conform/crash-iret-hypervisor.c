/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iret with a frame in the range of the hypervisor ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-iret-hypervisor");
    test("crash", "iret from a stack in the hypervisor's range ends the domain");
    crashes();
    __asm__ volatile("movq %0, %%rsp\n movl $23, %%eax\n syscall" : : "r"(VA_HYPERVISOR) : "rax", "rcx", "r11");
    report_end();
}
