/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels between domains: the initial domain makes one that does not run, and looks at what
 * sending does to it.
 */
#include "guests/conform/child.h"

static struct child child;

static bool pending_there(u32 port)
{
    return *(volatile unsigned long *)&child.shared->evtchn_pending[0] >> port & 1;
}

static long status_of(u16 domid, u32 port, evtchn_status_t *out)
{
    *out = (evtchn_status_t){.dom = domid, .port = port};
    return hypercall_event_channel_op(EVTCHNOP_status, out);
}

/* The child's vCPU has nothing pending and the port not masked. */
static void clean(u32 port)
{
    child.shared->evtchn_pending[0] = 0;
    child.shared->evtchn_mask[0] = ~(1ul << port);
    child.shared->vcpu_info[0].evtchn_pending_sel = 0;
    child.shared->vcpu_info[0].evtchn_upcall_pending = 0;
}

static void channel(void)
{
    evtchn_status_t s;
    long theirs, ours;

    test("alloc", "a port of another domain for the initial one");
    theirs = event_alloc_unbound(child.domid, DOMID_SELF);
    equal("port", theirs, 1);
    equal("status", status_of(child.domid, (u32)theirs, &s), 0);
    equal("unbound", s.status, EVTCHNSTAT_unbound);
    equal("for", s.u.unbound.dom, 0);
    test("bind", "bound, both ends name each other");
    ours = event_bind_interdomain(child.domid, (u32)theirs);
    holds("port", ours > 0);
    status_of(child.domid, (u32)theirs, &s);
    equal("theirs", s.status, EVTCHNSTAT_interdomain);
    equal("domain", s.u.interdomain.dom, 0);
    equal("port", s.u.interdomain.port, (u64)ours);
    status_of(DOMID_SELF, (u32)ours, &s);
    equal("ours", s.status, EVTCHNSTAT_interdomain);
    equal("domain", s.u.interdomain.dom, child.domid);
    equal("port", s.u.interdomain.port, (u64)theirs);
    test("bind-pending", "the new port is pending at once, the other is not");
    holds("ours", event_pending((u32)ours));
    holds("theirs", !pending_there((u32)theirs));
    test("bind-again", "a port that is bound cannot be bound again: -EINVAL");
    equal("result", event_bind_interdomain(child.domid, (u32)theirs), -XEN_EINVAL);
    test("send", "a send sets the other end's pending bit, its selector bit and the upcall");
    clean((u32)theirs);
    equal("send", event_send((u32)ours), 0);
    holds("pending", pending_there((u32)theirs));
    equal("selector", child.shared->vcpu_info[0].evtchn_pending_sel, 1);
    equal("upcall", child.shared->vcpu_info[0].evtchn_upcall_pending, 1);
    test("send-pending", "a send to a port that is pending does nothing");
    child.shared->vcpu_info[0].evtchn_pending_sel = 0;
    child.shared->vcpu_info[0].evtchn_upcall_pending = 0;
    equal("send", event_send((u32)ours), 0);
    equal("selector", child.shared->vcpu_info[0].evtchn_pending_sel, 0);
    equal("upcall", child.shared->vcpu_info[0].evtchn_upcall_pending, 0);
    test("send-masked", "to a masked port: pending, nothing else");
    clean((u32)theirs);
    child.shared->evtchn_mask[0] = ~0ul;
    equal("send", event_send((u32)ours), 0);
    holds("pending", pending_there((u32)theirs));
    equal("selector", child.shared->vcpu_info[0].evtchn_pending_sel, 0);
    equal("upcall", child.shared->vcpu_info[0].evtchn_upcall_pending, 0);
    test("close-ours", "closed on this side, the other end is unbound, for whoever closed; pending stays");
    equal("close", event_close((u32)ours), 0);
    equal("status", status_of(child.domid, (u32)theirs, &s), 0);
    equal("unbound", s.status, EVTCHNSTAT_unbound);
    equal("for", s.u.unbound.dom, 0);
    test("bind-after", "and can be bound again");
    ours = event_bind_interdomain(child.domid, (u32)theirs);
    holds("port", ours > 0);
    test("alloc-for-another", "a port for another domain cannot be bound: -EINVAL");
    long other = event_alloc_unbound(child.domid, DOMID_NOBODY);
    holds("port", other > 0);
    equal("bind", event_bind_interdomain(child.domid, (u32)other), -XEN_EINVAL);
    test("bind-none", "nor one that does not exist, nor one of a domain that does not");
    equal("free", event_bind_interdomain(child.domid, 15), -XEN_EINVAL);
    equal("beyond", event_bind_interdomain(child.domid, 4000), -XEN_EINVAL);
    equal("domain", event_bind_interdomain(DOMID_NOBODY, 1), -XEN_ESRCH);
    test("limit", "a domain has the ports it was made for: -ENOSPC");
    long made = 0, last = 0;
    while ((made = event_alloc_unbound(child.domid, 0)) > 0)
        last = made;
    equal("error", made, -XEN_ENOSPC);
    equal("last", last, CHILD_PORTS);
    test("status-beyond", "a port beyond its limit: its bucket exists, so closed");
    equal("status", status_of(child.domid, CHILD_PORTS + 1, &s), 0);
    equal("closed", s.status, EVTCHNSTAT_closed);
}

static void resets(void)
{
    evtchn_status_t s;
    evtchn_reset_t reset = {.dom = child.domid};
    long theirs, ours;

    test("reset", "reset of another domain that is paused closes its ports; the peer's becomes unbound");
    equal("first", hypercall_event_channel_op(EVTCHNOP_reset, &reset), 0);
    theirs = event_alloc_unbound(child.domid, DOMID_SELF);
    ours = event_bind_interdomain(child.domid, (u32)theirs);
    holds("bound", ours > 0);
    equal("reset", hypercall_event_channel_op(EVTCHNOP_reset, &reset), 0);
    status_of(DOMID_SELF, (u32)ours, &s);
    equal("ours", s.status, EVTCHNSTAT_unbound);
    equal("for", s.u.unbound.dom, child.domid);
    status_of(child.domid, (u32)theirs, &s);
    equal("theirs", s.status, EVTCHNSTAT_closed);
    test("reset-nobody", "of a domain that does not exist: -ESRCH");
    reset.dom = DOMID_NOBODY;
    equal("result", hypercall_event_channel_op(EVTCHNOP_reset, &reset), -XEN_ESRCH);
    event_close((u32)ours);
}

static void ends(void)
{
    evtchn_status_t s;
    long theirs = event_alloc_unbound(child.domid, DOMID_SELF);
    long ours = event_bind_interdomain(child.domid, (u32)theirs);
    long offered = event_alloc_unbound(DOMID_SELF, child.domid);
    long virq = event_bind_virq(VIRQ_DOM_EXC, 0);

    test("virq", "the initial domain can have VIRQ_DOM_EXC");
    holds("port", virq > 0);
    event_clear((u32)virq);
    event_clear((u32)ours);
    test("destroyed", "a domain that is destroyed leaves its peer's port unbound, for its number");
    equal("destroy", child_end(&child), 0);
    status_of(DOMID_SELF, (u32)ours, &s);
    equal("ours", s.status, EVTCHNSTAT_unbound);
    equal("for", s.u.unbound.dom, child.domid);
    test("end-virq", "and makes VIRQ_DOM_EXC pending");
    holds("pending", event_pending((u32)virq));
    test("end-send", "a send there does nothing: 0");
    equal("send", event_send((u32)ours), 0);
    test("end-offered", "a port offered to it stays offered");
    status_of(DOMID_SELF, (u32)offered, &s);
    equal("state", s.status, EVTCHNSTAT_unbound);
    equal("for", s.u.unbound.dom, child.domid);
    test("end-alloc", "a port of a domain that is gone: -ESRCH");
    equal("alloc", event_alloc_unbound(child.domid, 0), -XEN_ESRCH);
    equal("bind", event_bind_interdomain(child.domid, 1), -XEN_ESRCH);
    equal("status", status_of(child.domid, 1, &s), -XEN_ESRCH);
}

void guest_main(void)
{
    report_start("foreign-event");
    if (!runtime_is_dom0()) {
        evtchn_reset_t reset = {.dom = 0};
        evtchn_status_t s;

        test("not-dom0", "other domains' ports are not to be made, asked for or reset: -EPERM");
        equal("alloc", event_alloc_unbound(0, DOMID_SELF), -XEN_EPERM);
        equal("status", status_of(0, 1, &s), -XEN_EPERM);
        equal("reset", hypercall_event_channel_op(EVTCHNOP_reset, &reset), -XEN_EPERM);
        report_end();
        return;
    }
    test("make", "a domain with a vCPU is made");
    long error = child_make(&child, 1);
    equal("result", error, 0);
    if (!error) {
        channel();
        resets();
        ends();
    }
    report_end();
}
