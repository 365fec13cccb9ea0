/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception with the stack in the range of the hypervisor ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-hypervisor-stack");
    test("crash", "an exception on a stack in the hypervisor's range ends the domain");
    crashes();
    __asm__ volatile("movq %0, %%rsp\n ud2" : : "r"(VA_HYPERVISOR));
    report_end();
}
