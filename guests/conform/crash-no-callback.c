/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event with no callback registered does not come; a bad callback ends the domain.
 */
#include "guests/conform/conform.h"


void guest_main(void)
{
    report_start("crash-no-callback");
    test("crash", "an upcall to code that is not mapped, without a page fault handler, ends the domain");
    crashes();
    struct callback_register r = {.type = CALLBACKTYPE_event, .address = 0x1000};
    hypercall_callback_op(CALLBACKOP_register, &r);
    memory_unmap((void *)0x1000);
    hypercall_set_trap_table(NULL);
    vcpu_info()->evtchn_upcall_pending = 1;
    vcpu_info()->evtchn_upcall_mask = 0;
    hypercall_xen_version(0, NULL);
    report_end();
}
