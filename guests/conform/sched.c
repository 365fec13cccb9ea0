/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched_op: yielding, blocking, polling, the watchdog, shutdown's errors.
 */
#include "guests/conform/conform.h"
#include "guests/lib/clock.h"

static u32 port, calls;

static void count(u32 which, void *arg)
{
    (void)which;
    (void)arg;
    calls++;
}

static long poll(const u32 *ports, u32 count_, u64 timeout_ns)
{
    struct sched_poll p = {.nr_ports = count_, .timeout = timeout_ns};

    set_xen_guest_handle(p.ports, (evtchn_port_t *)ports);
    return hypercall_sched_op(SCHEDOP_poll, &p);
}

static void clear(void)
{
    event_disable();
    event_clear(port);
    vcpu_info()->evtchn_pending_sel = 0;
    vcpu_info()->evtchn_upcall_pending = 0;
    calls = 0;
}

static void basics(void)
{
    test("yield", "yield answers 0");
    equal("result", hypercall_sched_op(SCHEDOP_yield, NULL), 0);
    test("unknown", "an unknown operation: -ENOSYS");
    equal("8", hypercall_sched_op(8, NULL), -XEN_ENOSYS);
    equal("-1", hypercall_sched_op(~0u, NULL), -XEN_ENOSYS);
    test("faults", "an unreadable argument: -EFAULT");
    equal("shutdown", hypercall_sched_op(SCHEDOP_shutdown, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("shutdown_code", hypercall_sched_op(SCHEDOP_shutdown_code, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("poll", hypercall_sched_op(SCHEDOP_poll, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("remote_shutdown", hypercall_sched_op(SCHEDOP_remote_shutdown, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("watchdog", hypercall_sched_op(SCHEDOP_watchdog, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("remote-nobody", "remote_shutdown of an unknown domain: -ESRCH");
    sched_remote_shutdown_t remote = {.domain_id = DOMID_NOBODY, .reason = SHUTDOWN_poweroff};
    equal("result", hypercall_sched_op(SCHEDOP_remote_shutdown, &remote), -XEN_ESRCH);
}

static void blocking(void)
{
    test("block-pending", "block with an event pending returns at once");
    clear();
    event_send(port);
    equal("result", hypercall_sched_op(SCHEDOP_block, NULL), 0);
    equal("calls", calls, 1);
    test("block-unmasks", "block unmasks upcalls");
    equal("mask", vcpu_info()->evtchn_upcall_mask, 0);
    clear();
    test("block-timer", "block sleeps until the timer's event");
    long timer = event_bind_virq(VIRQ_TIMER, 0);
    event_set_handler((u32)timer, count, NULL);
    event_unmask((u32)timer);
    u64 end = clock_system_ns() + 1000000;
    hypercall_set_timer_op(end);
    equal("result", hypercall_sched_op(SCHEDOP_block, NULL), 0);
    equal("calls", calls, 1);
    holds("not before", clock_system_ns() >= end);
    event_close((u32)timer);
    clear();
}

static void polling(void)
{
    static u32 many[129];
    u32 one[1] = {port};

    event_mask(port);
    clear();
    test("poll-pending", "poll of a pending port returns at once, though it is masked");
    event_send(port);
    equal("result", poll(one, 1, 0), 0);
    holds("still pending", event_pending(port));
    event_clear(port);
    test("poll-none", "poll of no port with a timeout that has passed returns");
    equal("result", poll(NULL, 0, 1), 0);
    test("poll-timeout", "poll waits until its timeout, an absolute system time");
    u64 end = clock_system_ns() + 500000;
    equal("result", poll(one, 1, end), 0);
    holds("not before", clock_system_ns() >= end);
    holds("not much later", clock_system_ns() < end + 100000000);
    test("poll-past", "a timeout in the past returns soon");
    equal("result", poll(one, 1, 1), 0);
    test("poll-many", "more than 128 ports: -EINVAL");
    equal("result", poll(many, 129, 1), -XEN_EINVAL);
    test("poll-invalid", "a port that does not exist: -EINVAL");
    one[0] = 0x7fffffff;
    equal("result", poll(one, 1, 1), -XEN_EINVAL);
    test("poll-unallocated", "a port that was never made: -EINVAL");
    one[0] = 3999;
    equal("result", poll(one, 1, 1), -XEN_EINVAL);
    test("poll-fault", "ports that cannot be read: -EFAULT");
    equal("result", poll((u32 *)VA_UNMAPPED, 1, 1), -XEN_EFAULT);
    equal("result", poll((u32 *)VA_HYPERVISOR, 1, 1), -XEN_EFAULT);
    test("poll-upcall", "an upcall that is pending and not masked ends poll at once");
    one[0] = port;
    event_unmask(port);
    clear();
    long other = event_bind_ipi(0);
    u32 idle[1] = {(u32)other};
    event_mask((u32)other);
    event_send(port);
    vcpu_info()->evtchn_upcall_mask = 0;
    equal("result", poll(idle, 1, 0), 0);
    event_close((u32)other);
    clear();
}

static void watchdog(void)
{
    sched_watchdog_t dog = {.id = 0, .timeout = 100};

    test("watchdog-new", "id 0 starts a watchdog and answers its id, from 1");
    equal("first", hypercall_sched_op(SCHEDOP_watchdog, &dog), 1);
    equal("second", hypercall_sched_op(SCHEDOP_watchdog, &dog), 2);
    test("watchdog-full", "there are two: -ENOSPC, as a number of 32 bits");
    equal("result", (u32)hypercall_sched_op(SCHEDOP_watchdog, &dog), (u32)-XEN_ENOSPC);
    test("watchdog-kick", "an id sets its timeout again: 0");
    dog.id = 1;
    equal("result", hypercall_sched_op(SCHEDOP_watchdog, &dog), 0);
    test("watchdog-stop", "timeout 0 stops it: 0");
    dog.timeout = 0;
    equal("1", hypercall_sched_op(SCHEDOP_watchdog, &dog), 0);
    dog.id = 2;
    equal("2", hypercall_sched_op(SCHEDOP_watchdog, &dog), 0);
    test("watchdog-stopped", "one that is stopped: -EINVAL");
    dog.timeout = 5;
    equal("result", hypercall_sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL);
    test("watchdog-bad", "an id that does not exist: -EINVAL");
    dog.id = 3;
    equal("result", hypercall_sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL);
}

static void misc(void)
{
    sched_shutdown_t code = {.reason = SHUTDOWN_poweroff};
    struct sched_pin_override pin = {.pcpu = -1};

    test("shutdown-code", "shutdown_code keeps the reason and answers 0");
    equal("result", hypercall_sched_op(SCHEDOP_shutdown_code, &code), 0);
    test("pin-override", "pin_override back, when there is none: -EINVAL");
    if (runtime_is_dom0())
        equal("result", hypercall_sched_op(SCHEDOP_pin_override, &pin), -XEN_EINVAL);
    else
        equal("result", hypercall_sched_op(SCHEDOP_pin_override, &pin), -XEN_EPERM);
    test("pin-override-bad", "pin_override to a processor that does not exist: -EINVAL");
    pin.pcpu = 4000;
    if (runtime_is_dom0())
        equal("result", hypercall_sched_op(SCHEDOP_pin_override, &pin), -XEN_EINVAL);
    else
        skip("not the initial domain");
}

void guest_main(void)
{
    port = (u32)event_bind_ipi(0);
    event_set_handler(port, count, NULL);
    event_unmask(port);
    report_start("sched");
    basics();
    blocking();
    polling();
    watchdog();
    misc();
    report_end();
}
