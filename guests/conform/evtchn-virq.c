/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual interrupts, and the FIFO operations as long as nobody turns the FIFO ABI on.
 */
#include "guests/conform/conform.h"

static void errors(void)
{
    static const struct {
        const char *name;
        u32 virq;
    } global[] = {{"console", VIRQ_CONSOLE}, {"dom-exc", VIRQ_DOM_EXC}, {"tbuf", VIRQ_TBUF},
                  {"debugger", VIRQ_DEBUGGER}, {"con-ring", VIRQ_CON_RING}, {"pcpu-state", VIRQ_PCPU_STATE},
                  {"enomem", VIRQ_ENOMEM}};

    test("timer", "VIRQ_TIMER is each vCPU's");
    long a = event_bind_virq(VIRQ_TIMER, 0);
    holds("port", a > 0);
    test("twice", "bound again: -EEXIST");
    equal("result", event_bind_virq(VIRQ_TIMER, 0), -XEN_EEXIST);
    test("close", "closed, it can be bound again");
    equal("close", event_close((u32)a), 0);
    holds("port", event_bind_virq(VIRQ_TIMER, 0) > 0);
    test("status", "its status names the virq");
    evtchn_status_t s = {.dom = DOMID_SELF, .port = (u32)a};
    equal("result", hypercall_event_channel_op(EVTCHNOP_status, &s), 0);
    equal("state", s.status, EVTCHNSTAT_virq);
    equal("virq", s.u.virq, VIRQ_TIMER);
    test("send", "a send to a VIRQ port: -EINVAL");
    equal("result", event_send((u32)a), -XEN_EINVAL);
    test("bind-vcpu", "a per-vCPU virq cannot be moved: -EINVAL");
    evtchn_bind_vcpu_t bind = {.port = (u32)a, .vcpu = 0};
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    test("range", "a virq out of range: -EINVAL");
    equal("24", event_bind_virq(24, 0), -XEN_EINVAL);
    equal("-1", event_bind_virq(~0u, 0), -XEN_EINVAL);
    test("vcpu", "a vCPU that does not exist: -ENOENT");
    equal("result", event_bind_virq(VIRQ_DEBUG, 99), -XEN_ENOENT);
    test("debug", "VIRQ_DEBUG is each vCPU's");
    holds("port", event_bind_virq(VIRQ_DEBUG, 0) > 0);
    for (u32 i = 0; i < ARRAY_SIZE(global); i++) {
        static char names[ARRAY_SIZE(global)][32];

        print_to(names[i], sizeof names[i], "global-%s", global[i].name);
        test(names[i], "a global virq is bound to vCPU 0 only, to another: -EINVAL");
        equal("vcpu 1", event_bind_virq(global[i].virq, 1), -XEN_EINVAL);
        long port = event_bind_virq(global[i].virq, 0);
        if (runtime_is_dom0())
            holds("vcpu 0", port > 0 || port == -XEN_EEXIST);
    }
    test("arch-0", "VIRQ_ARCH_0 (VIRQ_MCA) can be bound by the initial domain");
    long port = event_bind_virq(16, 0);
    if (runtime_is_dom0())
        holds("port", port > 0);
    test("unassigned", "a virq without a meaning can be bound");
    holds("port", event_bind_virq(5, 0) > 0);
}

static void fifo(void)
{
    evtchn_init_control_t init = {.control_gfn = 1, .vcpu = 0, .offset = 0};
    evtchn_expand_array_t expand = {.array_gfn = 1};
    evtchn_set_priority_t priority = {.port = 1, .priority = 3};

    test("expand-early", "expand_array before init_control: -EOPNOTSUPP");
    equal("result", hypercall_event_channel_op(EVTCHNOP_expand_array, &expand), -XEN_EOPNOTSUPP);
    test("priority-early", "set_priority of a port that does not exist: -EINVAL");
    priority.port = 3000;
    equal("result", hypercall_event_channel_op(EVTCHNOP_set_priority, &priority), -XEN_EINVAL);
    test("priority-2-level", "set_priority with the two-level ABI: -ENOSYS");
    priority.port = 1;
    equal("result", hypercall_event_channel_op(EVTCHNOP_set_priority, &priority), -XEN_ENOSYS);
    test("init-gfn", "init_control with a frame the domain does not have: -EINVAL");
    init.control_gfn = ~0ul;
    equal("result", hypercall_event_channel_op(EVTCHNOP_init_control, &init), -XEN_EINVAL);
    test("init-offset", "init_control with an offset that does not fit: -EINVAL");
    init.control_gfn = memory_virt_to_mfn(page_alloc());
    init.offset = PAGE_SIZE - 8;
    equal("result", hypercall_event_channel_op(EVTCHNOP_init_control, &init), -XEN_EINVAL);
    test("init-alignment", "init_control with an offset that is not aligned to 8: -EINVAL");
    init.offset = 4;
    equal("result", hypercall_event_channel_op(EVTCHNOP_init_control, &init), -XEN_EINVAL);
    test("init-vcpu", "init_control for a vCPU that does not exist: -ENOENT");
    init.offset = 0;
    init.vcpu = 1000;
    equal("result", hypercall_event_channel_op(EVTCHNOP_init_control, &init), -XEN_ENOENT);
    test("stays", "after all that the two-level ABI still works");
    long port = event_bind_ipi(0);
    event_send((u32)port);
    holds("pending", event_pending((u32)port));
    test("fault", "an unreadable argument: -EFAULT");
    equal("init", hypercall_event_channel_op(EVTCHNOP_init_control, (void *)VA_UNMAPPED), -XEN_EFAULT);
}

void guest_main(void)
{
    report_start("evtchn-virq");
    errors();
    fifo();
    report_end();
}
