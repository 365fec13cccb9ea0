/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console_io.
 */
#include "guests/conform/conform.h"

void guest_main(void)
{
    char buffer[64];

    report_start("console");
    test("write", "CONSOLEIO_write answers 0");
    if (!runtime_is_dom0())
        skip("not the initial domain");
    else
        equal("result", hypercall_console_io(CONSOLEIO_write, 6, "hello\n"), 0);
    test("write-empty", "nothing to write: 0");
    if (runtime_is_dom0())
        equal("result", hypercall_console_io(CONSOLEIO_write, 0, NULL), 0);
    test("write-fault", "an unreadable text: -EFAULT");
    if (runtime_is_dom0()) {
        equal("unmapped", hypercall_console_io(CONSOLEIO_write, 4, (void *)VA_UNMAPPED), -XEN_EFAULT);
        equal("hypervisor", hypercall_console_io(CONSOLEIO_write, 4, (void *)VA_HYPERVISOR), -XEN_EFAULT);
    }
    test("read-empty", "CONSOLEIO_read with nothing typed: 0 bytes");
    if (runtime_is_dom0())
        equal("result", hypercall_console_io(CONSOLEIO_read, sizeof buffer, buffer), 0);
    test("domu", "other domains: -EPERM");
    if (runtime_is_dom0())
        skip("the initial domain");
    else
        equal("result", hypercall_console_io(CONSOLEIO_write, 1, "x"), -XEN_EPERM);
    test("unknown", "an unknown operation: -ENOSYS for the initial domain");
    long got = hypercall_console_io(2, 1, buffer);
    equal("result", got, runtime_is_dom0() ? -XEN_ENOSYS : -XEN_EPERM);
    report_end();
}
