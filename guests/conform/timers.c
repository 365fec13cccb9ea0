/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_timer_op and the vCPU timers, system time and its record in shared memory.
 */
#include "guests/conform/conform.h"
#include "guests/lib/clock.h"

static u32 calls;
static u64 fired_at;

static void count(u32 which, void *arg)
{
    (void)which;
    (void)arg;
    calls++;
    fired_at = clock_system_ns();
}

/* Wait for @want events, at most @span_ns. */
static void wait_for(u32 want, u64 span_ns)
{
    u64 end = clock_system_ns() + span_ns;
    struct sched_poll p = {.nr_ports = 0};

    event_enable();
    while (calls < want && clock_system_ns() < end) {
        p.timeout = clock_system_ns() + 100000;
        hypercall_sched_op(SCHEDOP_poll, &p);
    }
    event_disable();
}

static void stop_all(void)
{
    hypercall_set_timer_op(0);
    hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
    hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    calls = 0;
}

static void single(void)
{
    struct vcpu_set_singleshot_timer single = {.flags = 0};

    test("timer-op", "set_timer_op raises VIRQ_TIMER at the time, not before");
    u64 at = clock_system_ns() + 300000;
    equal("result", hypercall_set_timer_op(at), 0);
    wait_for(1, 50000000);
    equal("calls", calls, 1);
    holds("not before", fired_at >= at);
    stop_all();
    test("timer-op-past", "a time in the past raises it at once");
    equal("result", hypercall_set_timer_op(1), 0);
    wait_for(1, 10000000);
    equal("calls", calls, 1);
    stop_all();
    test("timer-op-stop", "0 stops it");
    hypercall_set_timer_op(clock_system_ns() + 300000);
    equal("result", hypercall_set_timer_op(0), 0);
    wait_for(1, 1500000);
    equal("calls", calls, 0);
    stop_all();
    test("timer-op-replace", "a second call replaces the first");
    hypercall_set_timer_op(clock_system_ns() + 200000);
    hypercall_set_timer_op(clock_system_ns() + 600000);
    wait_for(2, 2000000);
    equal("calls", calls, 1);
    stop_all();
    test("timer-op-far", "a time that never comes is taken");
    equal("result", hypercall_set_timer_op(0x7fffffffffffffff), 0);
    stop_all();

    test("singleshot", "set_singleshot_timer raises VIRQ_TIMER at the time");
    single.timeout_abs_ns = clock_system_ns() + 300000;
    equal("result", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single), 0);
    wait_for(1, 50000000);
    equal("calls", calls, 1);
    stop_all();
    test("singleshot-future", "VCPU_SSHOTTMR_future is ignored: a time that has passed fires at once");
    single.flags = VCPU_SSHOTTMR_future;
    single.timeout_abs_ns = 1;
    equal("result", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single), 0);
    wait_for(1, 10000000);
    equal("calls", calls, 1);
    stop_all();
    test("singleshot-past", "without it the same");
    single.flags = 0;
    equal("result", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single), 0);
    wait_for(1, 10000000);
    equal("calls", calls, 1);
    stop_all();
    test("singleshot-stop", "stop_singleshot_timer stops it");
    single.timeout_abs_ns = clock_system_ns() + 300000;
    hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
    equal("result", hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    wait_for(1, 1500000);
    equal("calls", calls, 0);
    stop_all();
    test("singleshot-other", "the timer of another vCPU: -EINVAL or -ENOENT");
    long got = hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 1, &single);
    equal("result", got, -XEN_ENOENT);
    test("singleshot-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)VA_UNMAPPED), -XEN_EFAULT);
}

static void periodic(void)
{
    struct vcpu_set_periodic_timer period = {.period_ns = 2000000};

    test("periodic", "set_periodic_timer raises VIRQ_TIMER again and again");
    u64 start = clock_system_ns();
    equal("result", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), 0);
    wait_for(3, 50000000);
    equal("calls", calls, 3);
    holds("not too soon", clock_system_ns() - start >= 4000000);
    stop_all();
    test("periodic-stop", "stop_periodic_timer stops it");
    wait_for(1, 5000000);
    equal("calls", calls, 0);
    test("periodic-short", "a period below 1 ms: -EINVAL");
    period.period_ns = 999999;
    equal("result", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), -XEN_EINVAL);
    test("periodic-long", "an absurdly long period: -EINVAL");
    period.period_ns = 0x7fffffffffffffff;
    equal("result", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), -XEN_EINVAL);
    test("periodic-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, (void *)VA_HYPERVISOR), -XEN_EFAULT);
    stop_all();
}

static void clocks(void)
{
    test("monotonic", "system time never goes back");
    u64 last = clock_system_ns(), now;
    bool ok = true;
    for (u32 i = 0; i < 1000; i++, last = now) {
        now = clock_system_ns();
        ok &= now >= last;
    }
    holds("monotonic", ok);
    test("wall", "the wall clock is after 2000 and before 2100");
    u64 seconds = clock_wall_ns() / 1000000000;
    holds("range", seconds > 946684800 && seconds < 4102444800);
    test("time-area", "a registered time area gets a copy of the record");
    struct vcpu_register_time_memory_area area;
    static struct vcpu_time_info copy;
    area.addr.v = &copy;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);
    equal("mul", copy.tsc_to_system_mul, vcpu_info()->time.tsc_to_system_mul);
    equal("shift", (u8)copy.tsc_shift, (u8)vcpu_info()->time.tsc_shift);
    test("time-area-bad", "a time area in the hypervisor's range is taken or refused, without harm");
    area.addr.v = (void *)VA_HYPERVISOR;
    long got = hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area);
    equal("result", got, -XEN_EFAULT);
}

void guest_main(void)
{
    long port = event_bind_virq(VIRQ_TIMER, 0);

    report_start("timers");
    event_set_handler((u32)port, count, NULL);
    event_unmask((u32)port);
    stop_all();
    single();
    periodic();
    clocks();
    report_end();
}
