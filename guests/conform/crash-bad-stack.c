/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception whose frame cannot be written ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-bad-stack");
    test("crash", "an exception on a stack that is not mapped ends the domain");
    crashes();
    __asm__ volatile("movq %0, %%rsp\n ud2" : : "r"(VA_UNMAPPED));
    report_end();
}
