/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of two vCPUs: which one is notified, interprocessor interrupts, moving a port, timers.
 */
#include "guests/conform/second.h"
#include "guests/lib/clock.h"

static vcpu_info_t *info_of(u32 vcpu)
{
    return &shared_info->vcpu_info[vcpu];
}

static void clean(u32 port)
{
    event_clear(port);
    for (u32 v = 0; v < 2; v++) {
        info_of(v)->evtchn_pending_sel = 0;
        info_of(v)->evtchn_upcall_pending = 0;
    }
}

static volatile u32 handled_by[2];

static void on_event(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    handled_by[runtime_vcpu()]++;
}

static u64 open(u64 unused)
{
    event_enable();
    event_disable();
    return unused;
}

static u64 sleep(u64 unused)
{
    hypercall_sched_op(SCHEDOP_block, NULL);
    event_disable();
    return unused;
}

static u64 send(u64 port)
{
    return (u64)event_send((u32)port);
}

static u64 poll(u64 port)
{
    evtchn_port_t ports[1] = {(evtchn_port_t)port};
    struct sched_poll op = {.nr_ports = 1};

    set_xen_guest_handle(op.ports, ports);
    return (u64)hypercall_sched_op(SCHEDOP_poll, &op);
}

static u32 vcpu_of(u32 port)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = port};

    return hypercall_event_channel_op(EVTCHNOP_status, &s) ? 99 : s.vcpu;
}

static long move(u32 port, u32 vcpu)
{
    evtchn_bind_vcpu_t bind = {.port = port, .vcpu = vcpu};

    return hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind);
}

static u32 interrupts(void)
{
    long port = event_bind_ipi(1);

    test("ipi", "an IPI port of vCPU 1: its status says so");
    holds("port", port > 0);
    equal("vcpu", vcpu_of((u32)port), 1);
    test("ipi-send", "a send by vCPU 0 is signalled to vCPU 1 alone");
    event_set_handler((u32)port, on_event, NULL);
    event_unmask((u32)port);
    clean((u32)port);
    equal("send", event_send((u32)port), 0);
    holds("pending", event_pending((u32)port));
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 1);
    equal("selector 1", info_of(1)->evtchn_pending_sel, 1ul << port / 64);
    equal("upcall 0", info_of(0)->evtchn_upcall_pending, 0);
    equal("selector 0", info_of(0)->evtchn_pending_sel, 0);
    test("ipi-handler", "vCPU 1 handles it when it unmasks");
    second_run(open, 0);
    equal("by 1", handled_by[1], 1);
    equal("by 0", handled_by[0], 0);
    test("ipi-wakes", "a vCPU that sleeps is woken by it");
    second_start(sleep, 0);
    holds("asleep", !second_wait(20));
    equal("send", event_send((u32)port), 0);
    holds("awake", second_wait(20));
    equal("by 1", handled_by[1], 2);
    test("ipi-move", "an IPI port cannot be moved: -EINVAL");
    equal("result", move((u32)port, 0), -XEN_EINVAL);
    test("ipi-own", "an IPI port of vCPU 0, sent by vCPU 1, is signalled to vCPU 0");
    long mine = event_bind_ipi(0);
    event_unmask((u32)mine);
    clean((u32)mine);
    equal("send", second_run(send, (u64)mine), 0);
    equal("upcall 0", info_of(0)->evtchn_upcall_pending, 1);
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 0);
    clean((u32)mine);
    return (u32)port;
}

static void moves(void)
{
    long port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    long peer = event_bind_interdomain(DOMID_SELF, (u32)port);

    test("move", "a port between domains starts at vCPU 0 and can be moved to vCPU 1");
    equal("before", vcpu_of((u32)port), 0);
    equal("move", move((u32)port, 1), 0);
    equal("after", vcpu_of((u32)port), 1);
    event_unmask((u32)port);
    clean((u32)port);
    equal("send", event_send((u32)peer), 0);
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 1);
    equal("upcall 0", info_of(0)->evtchn_upcall_pending, 0);
    test("move-back", "and back");
    equal("move", move((u32)port, 0), 0);
    clean((u32)port);
    equal("send", event_send((u32)peer), 0);
    equal("upcall 0", info_of(0)->evtchn_upcall_pending, 1);
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 0);
    test("move-pending", "moving a port that is pending does not signal it to the other");
    equal("move", move((u32)port, 1), 0);
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 0);
    holds("pending", event_pending((u32)port));
    test("unmask", "unmask of a pending port by vCPU 0 signals it to the vCPU it is bound to");
    event_mask((u32)port);
    clean((u32)port);
    equal("send", event_send((u32)peer), 0);
    equal("masked", info_of(1)->evtchn_upcall_pending, 0);
    event_unmask((u32)port);
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 1);
    equal("upcall 0", info_of(0)->evtchn_upcall_pending, 0);
    clean((u32)port);
    test("move-none", "to a vCPU that does not exist: -ENOENT");
    equal("result", move((u32)port, 2), -XEN_ENOENT);
    test("poll", "a vCPU that polls a masked port wakes when it becomes pending");
    event_mask((u32)port);
    second_start(poll, (u64)port);
    holds("asleep", !second_wait(20));
    event_send((u32)peer);
    holds("awake", second_wait(20));
    equal("result", second_result, 0);
    clean((u32)port);
    test("poll-other", "a poll by vCPU 1 of a port that is bound to vCPU 0 wakes as well");
    move((u32)port, 0);
    second_start(poll, (u64)port);
    holds("asleep", !second_wait(20));
    event_send((u32)peer);
    holds("awake", second_wait(20));
    clean((u32)port);
}

static u64 set_timer(u64 span_ns)
{
    return (u64)hypercall_set_timer_op(clock_system_ns() + span_ns);
}

static u64 set_single(u64 span_ns)
{
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = clock_system_ns() + span_ns};

    return (u64)hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 1, &timer);
}

static void wait_pending(u32 port)
{
    for (u32 i = 0; i < 20000 && !event_pending(port); i++)
        vcpu_yield();
}

static void virqs(void)
{
    long first = event_bind_virq(VIRQ_TIMER, 0), second = event_bind_virq(VIRQ_TIMER, 1);

    test("virq", "each vCPU has its own VIRQ_TIMER");
    holds("first", first > 0);
    holds("second", second > 0 && second != first);
    equal("vcpu", vcpu_of((u32)second), 1);
    equal("again", event_bind_virq(VIRQ_TIMER, 1), -XEN_EEXIST);
    test("timer", "the timer of vCPU 1 makes its own port pending");
    clean((u32)first);
    clean((u32)second);
    event_unmask((u32)second);
    equal("set", second_run(set_timer, 200000), 0);
    wait_pending((u32)second);
    holds("second", event_pending((u32)second));
    holds("first", !event_pending((u32)first));
    equal("upcall 1", info_of(1)->evtchn_upcall_pending, 1);
    test("single", "so does its one-shot timer");
    clean((u32)second);
    equal("set", second_run(set_single, 200000), 0);
    wait_pending((u32)second);
    holds("second", event_pending((u32)second));
    holds("first", !event_pending((u32)first));
    clean((u32)second);
    test("virq-move", "a VIRQ of a vCPU cannot be moved: -EINVAL");
    equal("result", move((u32)second, 0), -XEN_EINVAL);
    if (runtime_is_dom0()) {
        long global = event_bind_virq(VIRQ_DOM_EXC, 0);

        test("virq-global", "a global VIRQ can be moved to vCPU 1");
        holds("port", global > 0);
        equal("move", move((u32)global, 1), 0);
        equal("vcpu", vcpu_of((u32)global), 1);
    }
    test("close", "closed, the timer of vCPU 1 can be bound again");
    equal("close", event_close((u32)second), 0);
    holds("port", event_bind_virq(VIRQ_TIMER, 1) > 0);
}

/* A record in a page of its own is one vCPU's. */
static void records(void)
{
    vcpu_info_t *moved = page_alloc();
    struct vcpu_register_vcpu_info reg = {.mfn = memory_virt_to_mfn(moved)};
    u32 port = (u32)event_bind_ipi(1);

    test("info", "vCPU 1 taken down, its vcpu_info can be moved by vCPU 0; events are signalled there");
    equal("down", hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
    equal("register", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &reg), 0);
    moved->evtchn_pending_sel = 0;
    moved->evtchn_upcall_pending = 0;
    clean(port);
    event_unmask(port);
    equal("send", event_send(port), 0);
    equal("upcall", moved->evtchn_upcall_pending, 1);
    equal("old", info_of(1)->evtchn_upcall_pending, 0);
    equal("mask", moved->evtchn_upcall_mask, 1);
}

void guest_main(void)
{
    report_start("smp-events");
    if (second_up()) {
        interrupts();
        moves();
        virqs();
        records();
    }
    report_end();
}
