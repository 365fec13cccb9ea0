/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_shutdown with SHUTDOWN_crash ends the domain as a crash.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-reason");
    test("crash", "shutdown with reason crash ends the domain");
    crashes();
    runtime_exit(SHUTDOWN_crash);
    report_end();
}
