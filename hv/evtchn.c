/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: what is done all the time.  evtchn_op.c has the rest, and the invariants.
 *
 * There is one physical CPU and the hypervisor is not interrupted, so the shared bits need no locked
 * instructions.  Guests may write them at any time between two hypercalls; nothing here believes them.
 */
#include "hv/evtchn.h"

#include "hv/access.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/irq.h"

#include <xen/event_channel.h>

_Static_assert(sizeof(struct hv_evtchn) == 8, "512 ports fill a page");
_Static_assert(sizeof(struct hv_evtchn_table) <= HV_PAGE_SIZE, "one page for each domain");

struct hv_domain *hv_virq_handler[NR_VIRQS];

static void port_notify(struct hv_domain *d, unsigned port, struct hv_vcpu *v)
{
    if (!v) /* the toolstack opens ports before it makes vCPUs */
        return;
    if (!hv_bit_get(d->shared->evtchn_mask, port) &&
        !hv_bit_set(&v->info->evtchn_pending_sel, port / 64))
        hv_vcpu_mark_pending(v);
}

HV_PROBE void hv_evtchn_set_pending(struct hv_domain *d, unsigned port, const struct hv_evtchn *e)
{
    if (hv_bit_set(d->shared->evtchn_pending, port))
        return;
    port_notify(d, port, d->vcpu[e->vcpu]);
    hv_poll_wake(d, port);
}

int hv_evtchn_poll_check(struct hv_domain *d, u32 port)
{
    if (!hv_evtchn_port(d, port))
        return -EINVAL;
    return hv_bit_get(d->shared->evtchn_pending, port);
}

static void virq_raise(struct hv_domain *d, const struct hv_vcpu *v, u32 virq)
{
    u32 port = hv_virq_port(v)[virq];

    if (port)
        hv_evtchn_set_pending(d, port, hv_evtchn_port(d, port));
}

void hv_virq_raise_vcpu(struct hv_vcpu *v, u32 virq)
{
    virq_raise(v->domain, v, virq);
}

HV_COLD void hv_virq_raise_global(u32 virq)
{
    struct hv_domain *d = hv_virq_handler[virq] ? hv_virq_handler[virq] : hv_dom0;

    if (d && d->evtchn && d->vcpu[0])
        virq_raise(d, d->vcpu[0], virq);
}

void hv_evtchn_pirq(struct hv_domain *d, u32 port)
{
    hv_evtchn_set_pending(d, port, hv_evtchn_port(d, port));
}

HV_PROBE int hv_evtchn_send(u32 port)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    if (!e)
        return -EINVAL;
    switch (e->state) {
    case HV_EVTCHN_INTERDOMAIN:
        d = hv_domain_find(e->dom);
        hv_evtchn_set_pending(d, e->port, hv_evtchn_port(d, e->port));
        return 0;
    case HV_EVTCHN_IPI:
        hv_evtchn_set_pending(d, port, e);
        return 0;
    case HV_EVTCHN_UNBOUND:
        return 0;
    default:
        return -EINVAL;
    }
}

int hv_evtchn_unmask(u32 port)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    if (!e)
        return -EINVAL;
    if (hv_bit_get(d->shared->evtchn_mask, port)) {
        hv_bit_clear(d->shared->evtchn_mask, port);
        if (hv_bit_get(d->shared->evtchn_pending, port))
            port_notify(d, port, d->vcpu[e->vcpu]);
    }
    return 0;
}

HV_HYPERCALL(event_channel_op)
{
    u32 port;

    if (likely((u32)a0 == EVTCHNOP_send)) /* the hot one */
        return hv_load_guest32(&port, a1) ? -EFAULT : hv_evtchn_send(port);
    return hv_evtchn_op(a0, a1);
}
