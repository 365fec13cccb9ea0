/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/unit/hv_world.h"

#include <xen/xen.h>
#include <xen/event_channel.h>

TestSuite(hv_evtchn, .init = world_init, .fini = world_fini);

#define EQ(a, b) cr_assert_eq((long)(a), (long)(b), "%s is %ld, not %ld", #a, (long)(a), (long)(b))

static long alloc(unsigned dom, unsigned remote)
{
    evtchn_alloc_unbound_t op = {.dom = dom, .remote_dom = remote};
    long rc = world_evtchn_op(EVTCHNOP_alloc_unbound, &op);

    return rc ? rc : op.port;
}

static long bind(unsigned dom, uint32_t port)
{
    evtchn_bind_interdomain_t op = {.remote_dom = dom, .remote_port = port};
    long rc = world_evtchn_op(EVTCHNOP_bind_interdomain, &op);

    return rc ? rc : op.local_port;
}

static long bind_virq(uint32_t virq, uint32_t vcpu)
{
    evtchn_bind_virq_t op = {.virq = virq, .vcpu = vcpu};
    long rc = world_evtchn_op(EVTCHNOP_bind_virq, &op);

    return rc ? rc : op.port;
}

static long port_op(unsigned cmd, uint32_t port)
{
    return world_evtchn_op(cmd, &port);
}

static long status(unsigned dom, uint32_t port)
{
    evtchn_status_t op = {.dom = dom, .port = port};
    long rc = world_evtchn_op(EVTCHNOP_status, &op);

    return rc ? rc : op.status;
}

Test(hv_evtchn, ports_are_given_lowest_first)
{
    EQ(alloc(DOMID_SELF, 1), 1);
    EQ(alloc(DOMID_SELF, 1), 2);
    EQ(alloc(DOMID_SELF, 1), 3);
    EQ(port_op(EVTCHNOP_close, 2), 0);
    EQ(alloc(DOMID_SELF, 1), 2);
    EQ(alloc(DOMID_SELF, 1), 4);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, a_pair_carries_events_both_ways)
{
    EQ(alloc(DOMID_SELF, 1), 1);
    world_is(1);
    EQ(alloc(DOMID_SELF, 0), 1); /* so that the numbers differ */
    EQ(bind(0, 1), 2);
    cr_assert(world_event_pending(1, 2));
    cr_assert(world_upcall_pending(1));
    world_event_clear(1, 2);
    EQ(port_op(EVTCHNOP_send, 2), 0);
    cr_assert(world_event_pending(0, 1));
    world_is(0);
    EQ(port_op(EVTCHNOP_send, 1), 0);
    cr_assert(world_event_pending(1, 2));
    EQ(world_audit(), 0);
}

Test(hv_evtchn, a_masked_port_raises_no_upcall_until_unmasked)
{
    EQ(alloc(DOMID_SELF, 0), 1);
    EQ(bind(DOMID_SELF, 1), 2);
    world_event_clear(0, 2);
    world_event_mask(0, 1, true);
    EQ(port_op(EVTCHNOP_send, 2), 0);
    cr_assert(world_event_pending(0, 1));
    cr_assert(!world_upcall_pending(0));
    EQ(port_op(EVTCHNOP_unmask, 1), 0);
    cr_assert(world_upcall_pending(0));
}

Test(hv_evtchn, only_the_named_domain_may_bind)
{
    EQ(alloc(DOMID_SELF, 1), 1);
    world_is(2);
    EQ(bind(0, 1), -EINVAL);
    EQ(bind(0, 2), -EINVAL);
    EQ(bind(0, 100000), -EINVAL);
    EQ(bind(77, 1), -ESRCH);
    world_is(1);
    EQ(bind(0, 1), 1);
    EQ(bind(0, 1), -EINVAL);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, domain_0_alone_may_act_for_others)
{
    EQ(alloc(1, 2), 1);
    EQ(status(1, 1), EVTCHNSTAT_unbound);
    world_is(2);
    EQ(alloc(1, 2), -EPERM);
    EQ(status(1, 1), -EPERM);
    EQ(status(1, 4000), -EINVAL);
    EQ(status(9, 1), -ESRCH);
}

Test(hv_evtchn, closing_one_end_leaves_the_other_unbound)
{
    EQ(alloc(DOMID_SELF, 1), 1);
    world_is(1);
    EQ(bind(0, 1), 1);
    EQ(port_op(EVTCHNOP_close, 1), 0);
    EQ(port_op(EVTCHNOP_close, 1), -EINVAL);
    cr_assert(!world_event_pending(1, 1));
    world_is(0);
    EQ(status(DOMID_SELF, 1), EVTCHNSTAT_unbound);
    EQ(port_op(EVTCHNOP_send, 1), 0);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, a_dying_domain_lets_go)
{
    EQ(alloc(DOMID_SELF, 1), 1);
    world_is(1);
    EQ(bind(0, 1), 1);
    world_preempt(2);
    world_kill(1);
    world_is(0);
    EQ(status(DOMID_SELF, 1), EVTCHNSTAT_unbound);
    EQ(status(1, 1), EVTCHNSTAT_closed);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, virqs_are_bound_once)
{
    EQ(bind_virq(VIRQ_TIMER, 0), 1);
    EQ(bind_virq(VIRQ_TIMER, 0), -EEXIST);
    EQ(bind_virq(VIRQ_TIMER, 1), -ENOENT);
    EQ(bind_virq(VIRQ_CONSOLE, 1), -EINVAL);
    EQ(bind_virq(NR_VIRQS, 0), -EINVAL);
    world_virq(0, VIRQ_TIMER);
    cr_assert(world_event_pending(0, 1));
    EQ(port_op(EVTCHNOP_send, 1), -EINVAL);
    EQ(port_op(EVTCHNOP_close, 1), 0);
    world_event_clear(0, 1);
    world_virq(0, VIRQ_TIMER);
    cr_assert(!world_event_pending(0, 1));
    EQ(bind_virq(VIRQ_TIMER, 0), 1);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, ports_run_out_and_reset_brings_them_back)
{
    unsigned n = 0, pages;

    world_is(1);
    while (alloc(DOMID_SELF, 0) > 0)
        n++;
    EQ(n, 4095);
    EQ(alloc(DOMID_SELF, 0), -ENOSPC);
    EQ(bind_virq(VIRQ_DEBUG, 0), -ENOSPC);
    EQ(world_audit(), 0);
    pages = world_pages();
    world_preempt(2);
    evtchn_reset_t op = {.dom = DOMID_SELF};
    EQ(world_evtchn_op(EVTCHNOP_reset, &op), 0);
    EQ(alloc(DOMID_SELF, 0), 1);
    EQ(world_pages(), pages);
    EQ(world_audit(), 0);
}

Test(hv_evtchn, a_domains_own_limit_counts)
{
    world_evtchn_limit(1, 5);
    world_is(1);
    for (unsigned port = 1; port <= 5; port++)
        EQ(alloc(DOMID_SELF, 0), port);
    EQ(alloc(DOMID_SELF, 0), -ENOSPC);
}
