/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception without an entry in the trap table ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-no-handler");
    test("crash", "an exception without a handler ends the domain");
    crashes();
    hypercall_set_trap_table(NULL);
    __asm__ volatile("ud2");
    report_end();
}
