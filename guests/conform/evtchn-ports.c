/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: making, binding, closing and asking about ports.
 */
#include "guests/conform/conform.h"

static long status(u32 port, u16 dom, evtchn_status_t *out)
{
    *out = (evtchn_status_t){.dom = dom, .port = port};
    return hypercall_event_channel_op(EVTCHNOP_status, out);
}

static u32 state_of(u32 port)
{
    evtchn_status_t s;
    long error = status(port, DOMID_SELF, &s);

    return error ? 0x100 + (u32)-error : s.status;
}

static void alloc(u16 self)
{
    evtchn_status_t s;

    test("alloc", "alloc_unbound gives the lowest free port, closed ports come again");
    long a = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    long b = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    holds("ports", a > 0 && b > a);
    equal("close", event_close((u32)a), 0);
    equal("again", event_alloc_unbound(DOMID_SELF, DOMID_SELF), a);
    test("alloc-status", "its status is unbound, for the remote domain");
    equal("status", status((u32)a, DOMID_SELF, &s), 0);
    equal("state", s.status, EVTCHNSTAT_unbound);
    equal("dom", s.u.unbound.dom, self);
    equal("vcpu", s.vcpu, 0);
    test("alloc-own-id", "the own numeric id is as good as DOMID_SELF");
    long c = event_alloc_unbound(self, self);
    holds("port", c > 0);
    test("alloc-nobody", "an unknown domain: -ESRCH");
    equal("result", event_alloc_unbound(DOMID_NOBODY, DOMID_SELF), -XEN_ESRCH);
    test("alloc-remote-unchecked", "the remote domain need not exist");
    long d = event_alloc_unbound(DOMID_SELF, DOMID_NOBODY);
    holds("port", d > 0);
    status((u32)d, DOMID_SELF, &s);
    equal("dom", s.u.unbound.dom, DOMID_NOBODY);
    test("alloc-special", "a special id as remote domain is taken as it is");
    long e = event_alloc_unbound(DOMID_SELF, DOMID_XEN);
    holds("port", e > 0);
    test("alloc-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, (void *)VA_UNMAPPED), -XEN_EFAULT);
    event_close((u32)a);
    event_close((u32)b);
    event_close((u32)c);
    event_close((u32)d);
    event_close((u32)e);
}

static void interdomain(u16 self)
{
    evtchn_status_t s;
    long a = event_alloc_unbound(DOMID_SELF, self);

    test("loopback", "an unbound port for the own domain can be bound");
    long b = event_bind_interdomain(DOMID_SELF, (u32)a);
    holds("port", b > 0 && b != a);
    test("loopback-status", "both ends are interdomain and name each other");
    status((u32)a, DOMID_SELF, &s);
    equal("state", s.status, EVTCHNSTAT_interdomain);
    equal("dom", s.u.interdomain.dom, self);
    equal("port", s.u.interdomain.port, b);
    status((u32)b, DOMID_SELF, &s);
    equal("state", s.status, EVTCHNSTAT_interdomain);
    equal("port", s.u.interdomain.port, a);
    test("loopback-pending", "the new local port is pending at once, the other one not");
    holds("local", event_pending((u32)b));
    holds("remote", !event_pending((u32)a));
    test("loopback-send", "a send sets the other end pending");
    event_clear((u32)b);
    equal("send", event_send((u32)a), 0);
    holds("peer", event_pending((u32)b));
    holds("not itself", !event_pending((u32)a));
    test("rebind", "a bound port cannot be bound again: -EINVAL");
    equal("result", event_bind_interdomain(DOMID_SELF, (u32)a), -XEN_EINVAL);
    test("close-peer", "closing one end makes the other unbound, for the closer");
    equal("close", event_close((u32)b), 0);
    status((u32)a, DOMID_SELF, &s);
    equal("state", s.status, EVTCHNSTAT_unbound);
    equal("dom", s.u.unbound.dom, self);
    test("close-clears", "the closed port's pending bit is cleared");
    holds("clear", !event_pending((u32)b));
    test("send-unbound", "a send to an unbound port: 0, and nothing happens");
    equal("result", event_send((u32)a), 0);
    test("rebind-after-close", "after that it can be bound again");
    long c = event_bind_interdomain(DOMID_SELF, (u32)a);
    holds("port", c > 0);
    event_close((u32)c);
    event_close((u32)a);
    test("bind-free", "a free remote port: -EINVAL");
    equal("result", event_bind_interdomain(DOMID_SELF, (u32)a), -XEN_EINVAL);
    test("bind-beyond", "a remote port beyond the limit: -EINVAL");
    equal("result", event_bind_interdomain(DOMID_SELF, 0x7fffffff), -XEN_EINVAL);
    test("bind-nobody", "an unknown remote domain: -ESRCH");
    equal("result", event_bind_interdomain(DOMID_NOBODY, 1), -XEN_ESRCH);
    test("bind-reserved", "a port reserved for another domain: -EINVAL");
    long d = event_alloc_unbound(DOMID_SELF, DOMID_NOBODY);
    equal("result", event_bind_interdomain(DOMID_SELF, (u32)d), -XEN_EINVAL);
    event_close((u32)d);
    test("bind-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_interdomain, (void *)VA_HYPERVISOR), -XEN_EFAULT);
}

static void ipi(void)
{
    evtchn_status_t s;

    test("ipi", "bind_ipi of vCPU 0");
    long a = event_bind_ipi(0);
    holds("port", a > 0);
    equal("status", state_of((u32)a), EVTCHNSTAT_ipi);
    test("ipi-send", "a send to an IPI port sets it pending itself");
    equal("send", event_send((u32)a), 0);
    holds("pending", event_pending((u32)a));
    test("ipi-vcpu", "a vCPU that does not exist: -ENOENT");
    equal("1", event_bind_ipi(4000), -XEN_ENOENT);
    equal("-1", event_bind_ipi(~0u), -XEN_ENOENT);
    test("ipi-bind-vcpu", "bind_vcpu of an IPI port: -EINVAL");
    evtchn_bind_vcpu_t bind = {.port = (u32)a, .vcpu = 0};
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    status((u32)a, DOMID_SELF, &s);
    equal("vcpu", s.vcpu, 0);
    event_close((u32)a);
    test("ipi-twice", "one vCPU may have many IPI ports");
    long b = event_bind_ipi(0), c = event_bind_ipi(0);
    holds("ports", b > 0 && c > 0 && b != c);
    event_close((u32)b);
    event_close((u32)c);
}

static void other(u16 self)
{
    evtchn_status_t s;
    evtchn_bind_vcpu_t bind = {0};

    test("close-zero", "port 0: -EINVAL");
    equal("close", event_close(0), -XEN_EINVAL);
    test("close-free", "a free port: -EINVAL");
    equal("close", event_close(900), -XEN_EINVAL);
    test("close-beyond", "a port beyond the limit: -EINVAL");
    equal("4096", event_close(4096), -XEN_EINVAL);
    equal("-1", event_close(~0u), -XEN_EINVAL);
    test("send-free", "a send to a free port: -EINVAL");
    equal("free", event_send(900), -XEN_EINVAL);
    equal("zero", event_send(0), -XEN_EINVAL);
    equal("beyond", event_send(1u << 31), -XEN_EINVAL);
    test("status-free", "the status of a free port inside the allocated ones: closed");
    long a = event_alloc_unbound(DOMID_SELF, self), b = event_alloc_unbound(DOMID_SELF, self);
    event_close((u32)a);
    equal("state", state_of((u32)a), EVTCHNSTAT_closed);
    test("status-beyond", "the status of a port beyond the allocated ones: -EINVAL");
    equal("result", status(5000000, DOMID_SELF, &s), -XEN_EINVAL);
    test("status-nobody", "the status of an unknown domain's port: -ESRCH");
    equal("result", status(1, DOMID_NOBODY, &s), -XEN_ESRCH);
    test("bind-vcpu", "bind_vcpu of an unbound port");
    bind.port = (u32)b;
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind), 0);
    test("bind-vcpu-none", "to a vCPU that does not exist: -ENOENT");
    bind.vcpu = 77;
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_ENOENT);
    test("bind-vcpu-free", "of a free port: -EINVAL");
    bind.vcpu = 0;
    bind.port = (u32)a;
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    event_close((u32)b);
    test("unmask-free", "unmask of a free port inside the allocated ones: accepted");
    evtchn_unmask_t unmask = {.port = (u32)a};
    equal("result", hypercall_event_channel_op(EVTCHNOP_unmask, &unmask), 0);
    test("unmask-beyond", "unmask of a port beyond: -EINVAL");
    unmask.port = 1u << 30;
    equal("result", hypercall_event_channel_op(EVTCHNOP_unmask, &unmask), -XEN_EINVAL);
    test("unknown-op", "an unknown operation: -ENOSYS");
    equal("15", hypercall_event_channel_op(15, &unmask), -XEN_ENOSYS);
    equal("-1", hypercall_event_channel_op(~0u, &unmask), -XEN_ENOSYS);
    test("faults", "an unreadable argument: -EFAULT for every operation");
    for (u32 op = 0; op <= 13; op++)
        if (op != EVTCHNOP_bind_pirq && op != EVTCHNOP_init_control)
            equal("op", hypercall_event_channel_op(op, (void *)VA_UNMAPPED), -XEN_EFAULT);
}

static void pirq(void)
{
    evtchn_bind_pirq_t bind = {.pirq = 0xffffff};

    test("pirq-range", "bind_pirq of an interrupt out of range: -EINVAL");
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_pirq, &bind), -XEN_EINVAL);
    test("pirq-unmapped", "bind_pirq of an interrupt that is not mapped: -EPERM");
    bind.pirq = 9;
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_pirq, &bind), -XEN_EPERM);
}

static void exhaust(void)
{
    long port = 0, last = 0;
    u32 n = 0;

    test("exhaust", "ports run out with -ENOSPC, at 4095 or at the domain's limit");
    while ((port = event_alloc_unbound(DOMID_SELF, DOMID_SELF)) > 0) {
        last = port;
        n++;
    }
    equal("error", port, -XEN_ENOSPC);
    holds("last port", last == 4095 || last == 1023);
    test("exhaust-bind", "so do the other ways to make a port");
    equal("ipi", event_bind_ipi(0), -XEN_ENOSPC);
    equal("virq", event_bind_virq(VIRQ_DEBUG, 0), -XEN_ENOSPC);
    test("exhaust-close", "one port closed is one port to be had");
    event_close(500);
    equal("port", event_alloc_unbound(DOMID_SELF, DOMID_SELF), 500);
    test("reset", "EVTCHNOP_reset closes all ports");
    evtchn_reset_t reset = {.dom = DOMID_SELF};
    equal("result", hypercall_event_channel_op(EVTCHNOP_reset, &reset), 0);
    equal("state", state_of((u32)last), EVTCHNSTAT_closed);
    equal("first", event_alloc_unbound(DOMID_SELF, DOMID_SELF), 1);
    test("reset-nobody", "reset of an unknown domain: -ESRCH");
    reset.dom = DOMID_NOBODY;
    equal("result", hypercall_event_channel_op(EVTCHNOP_reset, &reset), -XEN_ESRCH);
}

void guest_main(void)
{
    u16 self = own_id();

    report_start("evtchn-ports");
    alloc(self);
    interdomain(self);
    ipi();
    other(self);
    pirq();
    exhaust();
    report_end();
}
