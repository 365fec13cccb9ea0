/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: ports of others, ports that are not there, all ports at once, and the shared bits as a
 * hostile guest writes them.
 */
#include "guests/hostile/hostile.h"

#define GROUP "events"

#define PORTS 4096u /* of the two-level interface */

static long op(u32 cmd, void *arg) { return hypercall_event_channel_op(cmd, arg); }

static long status_of(u16 dom, u32 port, evtchn_status_t *status)
{
    *status = (evtchn_status_t){.dom = dom, .port = port};
    return op(EVTCHNOP_status, status);
}

/* Closes all that were made. */
static void close_all(const u32 *ports, u32 count)
{
    for (u32 i = 0; i < count; i++)
        equal("close", (u64)event_close(ports[i]), 0);
}

static u32 all[PORTS + 8];

ATTACK(exhaustion, FLAW_TIME, "ports are allocated until there are no more: -ENOSPC, each below 4096 and given once; bind_virq then changes nothing")
{
    static u8 seen[PORTS];
    evtchn_status_t status;
    u32 n = 0;
    long port;

    memset(seen, 0, sizeof seen);
    while ((port = n % 3 == 0 ? event_bind_ipi(0) : event_alloc_unbound(DOMID_SELF, n % 3 == 1 ? 0 : DOMID_SELF)) >= 0 &&
           n < ARRAY_SIZE(all)) {
        holds("in range", port > 0 && port < (long)PORTS);
        equal("given once", seen[port]++, 0);
        all[n++] = (u32)port;
    }
    equal("the last answer", (u64)port, (u64)-XEN_ENOSPC);
    holds("all that the toolstack allows could be had", n > 900);
    equal("virq", (u64)event_bind_virq(VIRQ_DEBUG, 0), (u64)-XEN_ENOSPC);
    equal("ipi", (u64)event_bind_ipi(0), (u64)-XEN_ENOSPC);
    equal("counts", (u64)recount(), 0);
    close_all(all, n);
    port = event_bind_virq(VIRQ_DEBUG, 0);
    holds("afterwards it can be bound", port > 0);
    equal("and is what it says", (u64)status_of(DOMID_SELF, (u32)port, &status) | (status.status != EVTCHNSTAT_virq), 0);
    event_close((u32)port);
}

ATTACK(pairs_within, FLAW_COUNT, "a domain bound to itself 450 times, closed in another order, from either side: each pair comes apart once")
{
    u32 n = 0;

    for (u32 i = 0; i < 450; i++) {
        long first = event_alloc_unbound(DOMID_SELF, DOMID_SELF), second;

        second = event_bind_interdomain(DOMID_SELF, (u32)first);
        if (first < 0 || second < 0)
            broken("no pair: %ld %ld", first, second);
        equal("bound twice", (u64)event_bind_interdomain(DOMID_SELF, (u32)first), (u64)-XEN_EINVAL);
        equal("bound to the other end", (u64)event_bind_interdomain(DOMID_SELF, (u32)second), (u64)-XEN_EINVAL);
        all[n++] = (u32)first;
        all[n++] = (u32)second;
    }
    equal("counts", (u64)recount(), 0);
    for (u32 i = 0; i < n; i++) {
        u32 port = all[(i * 7919) % n];

        equal("close", (u64)event_close(port), 0);
        equal("again", (u64)event_close(port), (u64)-XEN_EINVAL);
        if (i % 250 == 0)
            equal("counts", (u64)recount(), 0);
    }
}

ATTACK(ports_of_others, FLAW_RIGHTS, "binding to ports of the victims and of domain 0 that are not for the attacker, or not there: -EINVAL; to nobody: -ESRCH")
{
    evtchn_status_t status;

    /* Domain 0 has ports for this domain, but both are bound: console and store. */
    for (u16 dom = 0; dom <= 2; dom++)
        for (u32 port = 0; port < 200; port++)
            equal("bind", (u64)event_bind_interdomain(dom, port), (u64)-XEN_EINVAL);
    for (u16 dom = 0; dom <= 2; dom++) {
        equal("4096", (u64)event_bind_interdomain(dom, PORTS), (u64)-XEN_EINVAL);
        equal("the last one", (u64)event_bind_interdomain(dom, ~0u), (u64)-XEN_EINVAL);
        equal("a new one for it", (u64)event_alloc_unbound(dom, own_id()), (u64)-XEN_EPERM);
        equal("status", (u64)status_of(dom, 1, &status), (u64)-XEN_EPERM);
    }
    equal("nobody", (u64)event_bind_interdomain(DOMID_NOBODY, 1), (u64)-XEN_ESRCH);
    equal("DOMID_XEN", (u64)event_bind_interdomain(DOMID_XEN, 1), (u64)-XEN_ESRCH);
    equal("DOMID_IO", (u64)event_bind_interdomain(DOMID_IO, 1), (u64)-XEN_ESRCH);
    equal("status of nobody", (u64)status_of(DOMID_NOBODY, 1, &status), (u64)-XEN_ESRCH);
    equal("for nobody", (u64)event_alloc_unbound(DOMID_NOBODY, 0), (u64)-XEN_ESRCH);
}

ATTACK(no_such_port, FLAW_ADDRESS, "every operation on ports that are not there (0, a free one, 4095, 4096, the last numbers): -EINVAL")
{
    static const u32 bad[] = {0, 1000, 4095, 4096, 4097, 0x10001, 0x7fffffff, 0x80000001, ~0u};

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        evtchn_bind_vcpu_t bind = {.port = bad[i], .vcpu = 0};
        evtchn_unmask_t unmask = {.port = bad[i]};
        evtchn_set_priority_t priority = {.port = bad[i]};
        sched_poll_t poll = {.nr_ports = 1, .timeout = 1};
        evtchn_status_t status;

        equal("close", (u64)event_close(bad[i]), (u64)-XEN_EINVAL);
        equal("send", (u64)event_send(bad[i]), (u64)-XEN_EINVAL);
        equal("bind_vcpu", (u64)op(EVTCHNOP_bind_vcpu, &bind), (u64)-XEN_EINVAL);
        holds("set_priority", op(EVTCHNOP_set_priority, &priority) < 0);
        if (bad[i] < 1024) /* a free port that exists has a status, a mask and a pending bit */
            continue;
        equal("unmask", (u64)op(EVTCHNOP_unmask, &unmask), (u64)-XEN_EINVAL);
        equal("status", (u64)status_of(DOMID_SELF, bad[i], &status), (u64)-XEN_EINVAL);
        set_xen_guest_handle(poll.ports, (evtchn_port_t *)&bad[i]);
        equal("poll", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EINVAL);
    }
}

ATTACK(virqs, FLAW_ADDRESS, "VIRQs that are not there: -EINVAL; of a vCPU that is not: -ENOENT; global ones of vCPU 1: -EINVAL; twice: -EEXIST")
{
    static const u32 bad[] = {24, 25, 31, 32, 64, 0x100, 0x10000, 0x7fffffff, ~0u};
    long port;

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        equal("virq", (u64)event_bind_virq(bad[i], 0), (u64)-XEN_EINVAL);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        equal("vcpu", (u64)event_bind_virq(VIRQ_TIMER, bad[i]), (u64)-XEN_ENOENT);
        equal("ipi", (u64)event_bind_ipi(bad[i]), (u64)-XEN_ENOENT);
    }
    for (u32 virq = 2; virq < 13; virq++)
        if (virq != VIRQ_XENOPROF)
            equal("global on vCPU 1", (u64)event_bind_virq(virq, 1), (u64)-XEN_EINVAL);
    port = event_bind_virq(VIRQ_DEBUG, 1);
    holds("once", port > 0);
    equal("twice", (u64)event_bind_virq(VIRQ_DEBUG, 1), (u64)-XEN_EEXIST);
    equal("send to it", (u64)event_send((u32)port), (u64)-XEN_EINVAL);
    event_close((u32)port);
}

ATTACK(events_of_domain0, FLAW_RIGHTS, "a bound VIRQ of domain 0's (the end of domains, console input, errors) never comes to the attacker")
{
    long ports[24];

    for (u32 virq = 0; virq < ARRAY_SIZE(ports); virq++) {
        ports[virq] = virq == VIRQ_TIMER || virq == VIRQ_DEBUG ? 0 : event_bind_virq(virq, 0);
        if (ports[virq] > 0)
            event_clear((u32)ports[virq]);
    }
    print("what is printed makes events for domain 0\n");
    console_flush();
    for (u32 i = 0; i < 50; i++)
        vcpu_yield();
    for (u32 virq = 0; virq < ARRAY_SIZE(ports); virq++)
        if (ports[virq] > 0) {
            equal("pending", event_pending((u32)ports[virq]), false);
            equal("close", (u64)event_close((u32)ports[virq]), 0);
        }
}

ATTACK(physical_interrupts, FLAW_RIGHTS, "bind_pirq of every number: refused; end of interrupt of every number: refused or without effect")
{
    for (u32 pirq = 0; pirq < 300; pirq++) {
        evtchn_bind_pirq_t bind = {.pirq = pirq};
        physdev_eoi_t eoi = {.irq = pirq};

        holds("bind", op(EVTCHNOP_bind_pirq, &bind) < 0);
        bind.flags = BIND_PIRQ__WILL_SHARE;
        holds("bind shared", op(EVTCHNOP_bind_pirq, &bind) < 0);
        equal("end", (u64)hypercall_physdev_op(PHYSDEVOP_eoi, &eoi), (u64)-XEN_EINVAL);
    }
    evtchn_bind_pirq_t last = {.pirq = ~0u};
    holds("the last number", op(EVTCHNOP_bind_pirq, &last) < 0);
}

ATTACK(notify_whom, FLAW_ADDRESS, "bind_vcpu to vCPUs that are not there: -ENOENT; of an IPI, a per-vCPU VIRQ: -EINVAL; to one that is down: its events wait")
{
    static const u32 bad[] = {2, 31, 32, 33, 64, 0xffff, 0x10000, 0x7fffffff, ~0u};
    long unbound = event_alloc_unbound(DOMID_SELF, DOMID_SELF), ipi = event_bind_ipi(0), debug = event_bind_virq(VIRQ_DEBUG, 0);
    evtchn_bind_vcpu_t bind = {.port = (u32)unbound};

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        bind.vcpu = bad[i];
        equal("vcpu", (u64)op(EVTCHNOP_bind_vcpu, &bind), (u64)-XEN_ENOENT);
    }
    bind = (evtchn_bind_vcpu_t){.port = (u32)ipi, .vcpu = 1};
    equal("ipi", (u64)op(EVTCHNOP_bind_vcpu, &bind), (u64)-XEN_EINVAL);
    bind.port = (u32)debug;
    equal("virq", (u64)op(EVTCHNOP_bind_vcpu, &bind), (u64)-XEN_EINVAL);
    bind.port = (u32)unbound;
    equal("a vCPU that is down", (u64)op(EVTCHNOP_bind_vcpu, &bind), 0);
    long other = event_bind_interdomain(DOMID_SELF, (u32)unbound);
    event_unmask((u32)unbound);
    equal("send", (u64)event_send((u32)other), 0);
    equal("pending", event_pending((u32)unbound), true);
    event_close((u32)other);
    event_close((u32)unbound);
    event_close((u32)ipi);
    event_close((u32)debug);
}

ATTACK(resets, FLAW_RIGHTS, "reset of the victims' and domain 0's ports: -EPERM, of nobody's: -ESRCH; FIFO set-up with forged frames: -EINVAL, and two levels stay")
{
    evtchn_reset_t reset;
    u64 frames[] = {MFN_BEYOND, ~0ul, victim_frame(), MFN_HYPERVISOR, mfn_of(memory_root()), 0xfee00};
    long port;

    for (u16 dom = 0; dom <= 2; dom++) {
        reset.dom = dom;
        equal("reset", (u64)op(EVTCHNOP_reset, &reset), (u64)-XEN_EPERM);
    }
    reset.dom = DOMID_NOBODY;
    equal("nobody", (u64)op(EVTCHNOP_reset, &reset), (u64)-XEN_ESRCH);
    for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
        for (u32 again = 0; again < 3; again++) {
            evtchn_init_control_t init = {.control_gfn = frames[i], .offset = 0, .vcpu = 0};
            evtchn_expand_array_t expand = {.array_gfn = frames[i]};

            equal("init_control", (u64)op(EVTCHNOP_init_control, &init), (u64)-XEN_EINVAL);
            init.offset = 0xfffffff8;
            equal("a bad offset", (u64)op(EVTCHNOP_init_control, &init), (u64)-XEN_EINVAL);
            init.vcpu = 77;
            equal("no vCPU", (u64)op(EVTCHNOP_init_control, &init), (u64)-XEN_ENOENT);
            holds("expand_array", op(EVTCHNOP_expand_array, &expand) < 0);
        }
    port = event_bind_ipi(0);
    event_send((u32)port);
    equal("two levels", event_pending((u32)port), true);
    event_close((u32)port);
}

ATTACK(shared_bits, FLAW_STATE, "a guest that sets all pending, mask and selector bits, and odd values of the upcall bytes, harms itself only; every port can be unmasked")
{
    static unsigned long mask[64];
    vcpu_info_t *vcpu = vcpu_info();
    bool enabled = event_enabled();

    event_disable();
    memcpy(mask, (void *)shared_info->evtchn_mask, sizeof mask);
    for (u32 round = 0; round < 4; round++) {
        memset((void *)shared_info->evtchn_pending, 0xff, sizeof shared_info->evtchn_pending);
        memset((void *)shared_info->evtchn_mask, round & 1 ? 0xff : 0, sizeof shared_info->evtchn_mask);
        *(volatile unsigned long *)&vcpu->evtchn_pending_sel = round & 2 ? ~0ul : 0;
        *(volatile u8 *)&vcpu->evtchn_upcall_pending = (u8)(round * 85);
        *(volatile u8 *)&vcpu->evtchn_upcall_mask = (u8)(0xff - round);
        for (u32 port = 0; port < 200; port++) {
            evtchn_unmask_t unmask = {.port = port};

            op(EVTCHNOP_unmask, &unmask);
        }
        hypercall_xen_version(XENVER_version, NULL);
    }
    memset((void *)shared_info->evtchn_pending, 0, sizeof shared_info->evtchn_pending);
    memcpy((void *)shared_info->evtchn_mask, mask, sizeof mask);
    vcpu->evtchn_pending_sel = 0;
    vcpu->evtchn_upcall_pending = 0;
    vcpu->evtchn_upcall_mask = 1;
    if (enabled)
        event_enable();
}

ATTACK(bad_arguments, FLAW_ADDRESS, "arguments of event_channel_op in the hypervisor's range, across its border, in nothing: -EFAULT; a result that cannot be written leaves a port, no more")
{
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 2, VA_NONCANONICAL, VA_NONCANONICAL - 2,
                              0xffff7ffffffffffe, ~0ul - 1, VA_UNMAPPED};
    evtchn_alloc_unbound_t *arg = page_alloc();
    evtchn_status_t status;
    u32 before = 0, after = 0;

    for (u32 cmd = 0; cmd <= EVTCHNOP_set_priority; cmd++)
        for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
            equal("argument", (u64)op(cmd, (void *)bad[i]), (u64)-XEN_EFAULT);
    for (u32 cmd = EVTCHNOP_set_priority + 1; cmd < 40; cmd++)
        equal("no such operation", (u64)op(cmd, arg), (u64)-XEN_ENOSYS);
    holds("the last one", op(~0u, arg) < 0);
    for (u32 port = 0; port < 64; port++)
        before += !status_of(DOMID_SELF, port, &status) && status.status != EVTCHNSTAT_closed;
    *arg = (evtchn_alloc_unbound_t){.dom = DOMID_SELF, .remote_dom = 0};
    memory_protect(arg, MEMORY_RO);
    equal("read-only", (u64)op(EVTCHNOP_alloc_unbound, arg), (u64)-XEN_EFAULT);
    memory_protect(arg, MEMORY_RW);
    for (u32 port = 63; port; port--) {
        bool open = !status_of(DOMID_SELF, port, &status) && status.status != EVTCHNSTAT_closed;

        if (open && status.status == EVTCHNSTAT_unbound && status.u.unbound.dom == 0) {
            equal("close", (u64)event_close(port), 0);
            break;
        }
    }
    for (u32 port = 0; port < 64; port++)
        after += !status_of(DOMID_SELF, port, &status) && status.status != EVTCHNSTAT_closed;
    equal("ports", after, before);
    page_free(arg);
}

ATTACK(polls, FLAW_ADDRESS, "poll for too many ports: -EINVAL; with lists in the hypervisor's range or in nothing: -EFAULT; in the past: at once; inside a multicall it ends the wait once")
{
    static const u32 sizes[] = {129, 1000, 0x40000000, 0x7fffffff, ~0u};
    evtchn_port_t port = 1;
    sched_poll_t poll;

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        poll = (sched_poll_t){.nr_ports = sizes[i], .timeout = 1};
        set_xen_guest_handle(poll.ports, &port);
        equal("too many", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EINVAL);
    }
    poll = (sched_poll_t){.nr_ports = 1, .ports.p = (void *)VA_HYPERVISOR, .timeout = 1};
    equal("the hypervisor", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EFAULT);
    poll.ports.p = (void *)VA_UNMAPPED;
    equal("nothing", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EFAULT);
    poll.ports.p = (void *)(VA_NONCANONICAL - 2);
    equal("across the border", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EFAULT);
    for (u32 i = 0; i < 100; i++) {
        poll = (sched_poll_t){.nr_ports = 0, .timeout = i + 1};
        equal("in the past", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), 0);
    }
    poll = (sched_poll_t){.nr_ports = 0, .timeout = 1};
    multicall_entry_t calls[4];
    for (u32 i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i] = (multicall_entry_t){.op = __HYPERVISOR_sched_op, .args = {SCHEDOP_poll, (u64)&poll}, .result = 77};
    equal("multicall", (u64)hypercall_multicall(calls, ARRAY_SIZE(calls)), 0);
    for (u32 i = 0; i < ARRAY_SIZE(calls); i++)
        equal("its results", calls[i].result, 0);
}

ATTACK_ENDS(dies_with_ports, FLAW_LIFE, "a domain dies with all its ports open, bound to itself and offered to others: all of them are gone")
{
    for (u32 i = 0; i < 1200; i++) {
        long port = event_alloc_unbound(DOMID_SELF, i % 2 ? DOMID_SELF : (u16)(i % 3));

        if (i % 2)
            event_bind_interdomain(DOMID_SELF, (u32)port);
    }
    event_bind_virq(VIRQ_DEBUG, 0);
    event_bind_ipi(1);
    equal("counts", (u64)recount(), 0);
    crashes();
    panic("on purpose");
}

ATTACK_ENDS(reset_of_itself, FLAW_LIFE, "a domain resets its ports, its console's too, while 900 are open, and dies: nothing is left")
{
    evtchn_reset_t reset = {.dom = DOMID_SELF};
    sched_shutdown_t shutdown = {.reason = SHUTDOWN_crash};

    for (u32 i = 0; i < 450; i++)
        event_bind_interdomain(DOMID_SELF, (u32)event_alloc_unbound(DOMID_SELF, DOMID_SELF));
    crashes();
    console_flush();
    equal("reset", (u64)op(EVTCHNOP_reset, &reset), 0);
    if (recount())
        for (;;)
            ; /* without a console it cannot be said: domain 0 will miss the end */
    hypercall_sched_op(SCHEDOP_shutdown, &shutdown);
}
