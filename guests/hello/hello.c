/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest guest: says what it was given and powers off.  A start for a guest of your own.
 */
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

void guest_main(void)
{
    long version = hypercall_xen_version(XENVER_version, NULL);

    print("hello from a PV guest of %lu pages, %lu of them free, on version %ld.%ld\n",
          start_info->nr_pages, page_count_free(), version >> 16, version & 0xffff);
    print("command line '%s', system time %lu us\n", (const char *)start_info->cmd_line,
          clock_system_ns() / 1000);
}
