/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception on a read-only stack ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-ro-stack");
    test("crash", "an exception on a read-only stack ends the domain");
    crashes();
    u8 *stack = page_alloc();

    memory_protect(stack, MEMORY_RO);
    __asm__ volatile("movq %0, %%rsp\n ud2" : : "r"(stack + 2048));
    report_end();
}
