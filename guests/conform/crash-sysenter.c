/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYSENTER in kernel mode: it leaves no stack on which the exception could be told.
 */
#include "guests/conform/conform.h"

void guest_main(void)
{
    report_start("crash-sysenter");
    test("crash", "SYSENTER in kernel mode ends the domain: RSP is lost, so there is no stack for the #GP");
    crashes();
    __asm__ volatile("sysenter");
    report_end();
}
