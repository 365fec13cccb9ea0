/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iret to user mode without page tables for it ends the domain.
 */
#include "guests/conform/conform.h"

static u64 nothing(u64 arg)
{
    return arg;
}

void guest_main(void)
{
    report_start("crash-no-user-root");
    test("crash", "iret to user mode without user page tables ends the domain");
    crashes();
    user_set_root(0);
    user_call(nothing, 0);
    report_end();
}
