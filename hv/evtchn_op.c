/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: their coming and going.
 *
 *              alloc_unbound            bind_interdomain (from the other side)
 *     FREE ----------------> UNBOUND ---------------------> INTERDOMAIN
 *      | ^                      |  ^                              |
 *      | |        close         |  |     close by the other side  |
 *      | +----------------------+  +------------------------------+
 *      | |        close of VIRQ, IPI, PIRQ, INTERDOMAIN
 *      v |
 *     VIRQ, IPI, PIRQ (bind_*)            port 0 is RESERVED for ever
 *
 * Invariants, which hv_evtchn_audit() recounts:
 *  1. INTERDOMAIN ports come in pairs that name each other; both domains exist.
 *  2. hv_virq_port(v)[n] is 0 or a port in state VIRQ with that n; for a global VIRQ v is vCPU 0.
 *  3. A port has no pending bit when it becomes FREE (the guest may set it later: its own affair).
 *  4. first_free is at or below the lowest FREE port; active counts those neither FREE nor RESERVED.
 */
#include "hv/evtchn.h"

#include "hv/access.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/irq.h"

#include <xen/event_channel.h>

/* Makes the next 64 ports exist. */
static int ports_grow(struct hv_domain *d)
{
    struct hv_evtchn_table *t = d->evtchn;
    struct hv_evtchn **page = &t->page[t->valid / HV_EVTCHN_PER_PAGE];

    if (t->valid % HV_EVTCHN_PER_PAGE == 0) {
        *page = hv_page_alloc();
        if (!*page)
            return -ENOMEM;
    }
    t->valid += HV_EVTCHN_STEP;
    return 0;
}

/*
 * Finds the lowest free port.  The caller makes it something else than FREE, with port_take(), or
 * leaves it.  Returns: the port; -ENOSPC; -ENOMEM; -EINVAL: @d is dying.
 */
static int port_find(struct hv_domain *d)
{
    struct hv_evtchn_table *t = d->evtchn;
    unsigned port = t->first_free;
    int error;

    if (d->dying)
        return -EINVAL;
    while (port < t->valid && hv_evtchn_port(d, port)->state != HV_EVTCHN_FREE)
        port++;
    t->first_free = port;
    if (port >= t->limit)
        return -ENOSPC;
    if (port == t->valid) {
        error = ports_grow(d);
        if (error)
            return error;
    }
    return port;
}

static struct hv_evtchn *port_take(struct hv_domain *d, unsigned port, enum hv_evtchn_state state)
{
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    *e = (struct hv_evtchn){.state = state};
    d->evtchn->first_free = port + 1;
    d->evtchn->active++;
    return e;
}

static int port_close(struct hv_domain *d, u32 port)
{
    struct hv_evtchn *e = hv_evtchn_port(d, port);
    struct hv_evtchn *peer;
    struct hv_domain *rd;

    if (!e)
        return -EINVAL;
    switch (e->state) {
    case HV_EVTCHN_FREE:
    case HV_EVTCHN_RESERVED:
        return -EINVAL;
    case HV_EVTCHN_INTERDOMAIN:
        rd = hv_domain_find(e->dom);
        peer = hv_evtchn_port(rd, e->port);
        peer->state = HV_EVTCHN_UNBOUND;
        peer->dom = d->id;
        break;
    case HV_EVTCHN_VIRQ:
        /* A global one is in the table of vCPU 0 although another may be notified. */
        d->evtchn->virq_port[hv_virq_is_global(e->virq) ? 0 : e->vcpu][e->virq] = 0;
        break;
    case HV_EVTCHN_PIRQ:
        hv_pirq_unbind(d, port);
        break;
    }
    *e = (struct hv_evtchn){.state = HV_EVTCHN_FREE};
    hv_bit_clear(d->shared->evtchn_pending, port);
    d->evtchn->active--;
    if (port < d->evtchn->first_free)
        d->evtchn->first_free = port;
    return 0;
}

/* Closes whatever is open from t->closing on.  Returns: 0 or -ERESTART. */
static int ports_close_all(struct hv_domain *d)
{
    struct hv_evtchn_table *t = d->evtchn;

    while (t->closing < t->valid) {
        port_close(d, t->closing++);
        if (t->closing % HV_EVTCHN_STEP == 0 && hv_preempt())
            return -ERESTART;
    }
    t->closing = 0;
    return 0;
}

int hv_evtchn_domain_init(struct hv_domain *d)
{
    struct hv_evtchn_table *t = hv_page_alloc();

    d->evtchn = t;
    if (!t || ports_grow(d))
        return -ENOMEM;
    t->limit = HV_EVTCHN_PORTS;
    hv_evtchn_port(d, 0)->state = HV_EVTCHN_RESERVED;
    t->first_free = 1;
    return 0;
}

void hv_evtchn_limit(struct hv_domain *d, u32 max_port)
{
    d->evtchn->limit = max_port < HV_EVTCHN_PORTS ? max_port + 1 : HV_EVTCHN_PORTS;
}

void hv_evtchn_kill_begin(struct hv_domain *d)
{
    d->evtchn->closing = 0; /* a reset may have stopped in between and never gone on */
    for (unsigned virq = 0; virq < NR_VIRQS; virq++)
        if (hv_virq_handler[virq] == d)
            hv_virq_handler[virq] = NULL;
}

int hv_evtchn_kill(struct hv_domain *d)
{
    return ports_close_all(d);
}

void hv_evtchn_domain_fini(struct hv_domain *d)
{
    struct hv_evtchn_table *t = d->evtchn;

    if (!t)
        return;
    for (unsigned i = 0; i < HV_ARRAY_SIZE(t->page); i++)
        if (t->page[i])
            hv_page_free(t->page[i]);
    hv_page_free(t);
    d->evtchn = NULL;
}

void hv_evtchn_vcpu_moved(struct hv_vcpu *v)
{
    /* What was pending in the old place is not looked up: the guest looks at all of its ports. */
    v->info->evtchn_pending_sel = ~0ul;
    hv_vcpu_mark_pending(v);
}

int hv_virq_handler_set(struct hv_domain *d, u32 virq)
{
    if (virq >= NR_VIRQS || !hv_virq_is_global(virq))
        return -EINVAL;
    hv_virq_handler[virq] = d;
    return 0;
}

/* ---- the operations: arguments in @op, results as well; 0 or an error ---- */

static int op_alloc_unbound(evtchn_alloc_unbound_t *op)
{
    struct hv_domain *d = hv_domain_resolve(op->dom);
    int port;

    if (!d)
        return -ESRCH;
    port = port_find(d); /* as on Xen, a full table is told before a missing right */
    if (port < 0)
        return port;
    if (!hv_controls(d))
        return -EPERM;
    op->port = port;
    port_take(d, port, HV_EVTCHN_UNBOUND)->dom =
        op->remote_dom == DOMID_SELF ? hv_current->domain->id : op->remote_dom;
    return 0;
}

static int op_bind_interdomain(evtchn_bind_interdomain_t *op)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_domain *rd = op->remote_dom == DOMID_SELF ? d : hv_domain_find(op->remote_dom);
    struct hv_evtchn *e, *peer;
    int port;

    if (!rd)
        return -ESRCH;
    port = port_find(d);
    if (port < 0)
        return port;
    peer = hv_evtchn_port(rd, op->remote_port);
    if (!peer || peer->state != HV_EVTCHN_UNBOUND || peer->dom != d->id)
        return -EINVAL;
    e = port_take(d, port, HV_EVTCHN_INTERDOMAIN);
    e->dom = rd->id;
    e->port = op->remote_port;
    peer->state = HV_EVTCHN_INTERDOMAIN;
    peer->dom = d->id;
    peer->port = port;
    op->local_port = port;
    /* Events sent while the remote port was unbound are lost: let the binder look for itself. */
    hv_evtchn_set_pending(d, port, e);
    return 0;
}

static int op_bind_virq(evtchn_bind_virq_t *op)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e;
    struct hv_vcpu *v;
    int port;

    if (op->virq >= NR_VIRQS || (hv_virq_is_global(op->virq) && op->vcpu))
        return -EINVAL;
    v = hv_vcpu_find(d, op->vcpu);
    if (!v)
        return -ENOENT;
    if (hv_virq_port(v)[op->virq])
        return -EEXIST;
    port = port_find(d);
    if (port < 0)
        return port;
    e = port_take(d, port, HV_EVTCHN_VIRQ);
    e->vcpu = op->vcpu;
    e->virq = op->virq;
    hv_virq_port(v)[op->virq] = port;
    op->port = port;
    return 0;
}

static int op_bind_ipi(evtchn_bind_ipi_t *op)
{
    struct hv_domain *d = hv_current->domain;
    int port;

    if (!hv_vcpu_find(d, op->vcpu))
        return -ENOENT;
    port = port_find(d);
    if (port < 0)
        return port;
    port_take(d, port, HV_EVTCHN_IPI)->vcpu = op->vcpu;
    op->port = port;
    return 0;
}

static int op_bind_pirq(evtchn_bind_pirq_t *op)
{
    struct hv_domain *d = hv_current->domain;
    int port, error = hv_pirq_check(d, op->pirq);

    if (error)
        return error;
    port = port_find(d);
    if (port < 0)
        return port;
    error = hv_pirq_bind(d, op->pirq, port);
    if (error)
        return error;
    port_take(d, port, HV_EVTCHN_PIRQ)->port = op->pirq;
    op->port = port;
    return 0;
}

static int op_status(evtchn_status_t *op)
{
    struct hv_domain *d = hv_domain_resolve(op->dom);
    const struct hv_evtchn *e;

    if (!d)
        return -ESRCH;
    e = hv_evtchn_port(d, op->port);
    if (!e)
        return -EINVAL;
    if (!hv_controls(d))
        return -EPERM;
    switch (e->state) {
    case HV_EVTCHN_UNBOUND:
        op->status = EVTCHNSTAT_unbound;
        op->u.unbound.dom = e->dom;
        break;
    case HV_EVTCHN_INTERDOMAIN:
        op->status = EVTCHNSTAT_interdomain;
        op->u.interdomain.dom = e->dom;
        op->u.interdomain.port = e->port;
        break;
    case HV_EVTCHN_PIRQ:
        op->status = EVTCHNSTAT_pirq;
        op->u.pirq = e->port;
        break;
    case HV_EVTCHN_VIRQ:
        op->status = EVTCHNSTAT_virq;
        op->u.virq = e->virq;
        break;
    case HV_EVTCHN_IPI:
        op->status = EVTCHNSTAT_ipi;
        break;
    default:
        op->status = EVTCHNSTAT_closed;
        break;
    }
    op->vcpu = e->vcpu;
    return 0;
}

static int op_bind_vcpu(const evtchn_bind_vcpu_t *op)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e;

    if (!hv_vcpu_find(d, op->vcpu))
        return -ENOENT;
    e = hv_evtchn_port(d, op->port);
    if (!e)
        return -EINVAL;
    switch (e->state) {
    case HV_EVTCHN_VIRQ:
        if (!hv_virq_is_global(e->virq))
            return -EINVAL;
        break;
    case HV_EVTCHN_UNBOUND:
    case HV_EVTCHN_INTERDOMAIN:
    case HV_EVTCHN_PIRQ:
        break;
    default:
        return -EINVAL;
    }
    e->vcpu = op->vcpu;
    return 0;
}

static long op_reset(const evtchn_reset_t *op)
{
    struct hv_domain *d = hv_domain_resolve(op->dom);

    if (!d)
        return -ESRCH;
    if (!hv_controls(d))
        return -EPERM;
    if (d != hv_current->domain && !d->paused_by_tools)
        return -EINVAL;
    return ports_close_all(d);
}

/*
 * The FIFO ABI is not offered, but its set-up call looks at its arguments first: a kernel that tries
 * out bad ones learns that they are bad, and stays with 2 levels.
 */
static int op_init_control(evtchn_init_control_t *op)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_frame *f;
    int error;

    if (!hv_vcpu_find(d, op->vcpu))
        return -ENOENT;
    if (op->offset > HV_PAGE_SIZE - sizeof(evtchn_fifo_control_block_t) || op->offset % 8)
        return -EINVAL;
    f = hv_get_page_mfn(op->control_gfn, d->id);
    if (!f)
        return -EINVAL;
    error = hv_get_type(f, HV_TYPE_WRITABLE);
    if (!error)
        hv_put_type(f);
    hv_put_page(f);
    return error ? -EINVAL : -ENOSYS;
}

static int op_set_priority(const evtchn_set_priority_t *op)
{
    return hv_evtchn_port(hv_current->domain, op->port) ? -ENOSYS : -EINVAL;
}

union evtchn_args {
    evtchn_alloc_unbound_t alloc_unbound;
    evtchn_bind_interdomain_t bind_interdomain;
    evtchn_bind_virq_t bind_virq;
    evtchn_bind_pirq_t bind_pirq;
    evtchn_bind_ipi_t bind_ipi;
    evtchn_close_t close;
    evtchn_send_t send;
    evtchn_status_t status;
    evtchn_bind_vcpu_t bind_vcpu;
    evtchn_unmask_t unmask;
    evtchn_reset_t reset;
    evtchn_init_control_t init_control;
    evtchn_expand_array_t expand_array;
    evtchn_set_priority_t set_priority;
};

static const struct {
    u8 size;      /* of the argument */
    bool returns : 1;  /* the argument is written back on success */
} ops[] = {
    [EVTCHNOP_bind_interdomain] = {sizeof(evtchn_bind_interdomain_t), true},
    [EVTCHNOP_bind_virq] = {sizeof(evtchn_bind_virq_t), true},
    [EVTCHNOP_bind_pirq] = {sizeof(evtchn_bind_pirq_t), true},
    [EVTCHNOP_close] = {sizeof(evtchn_close_t), false},
    [EVTCHNOP_send] = {sizeof(evtchn_send_t), false},
    [EVTCHNOP_status] = {sizeof(evtchn_status_t), true},
    [EVTCHNOP_alloc_unbound] = {sizeof(evtchn_alloc_unbound_t), true},
    [EVTCHNOP_bind_ipi] = {sizeof(evtchn_bind_ipi_t), true},
    [EVTCHNOP_bind_vcpu] = {sizeof(evtchn_bind_vcpu_t), false},
    [EVTCHNOP_unmask] = {sizeof(evtchn_unmask_t), false},
    [EVTCHNOP_reset] = {sizeof(evtchn_reset_t), false},
    [EVTCHNOP_init_control] = {sizeof(evtchn_init_control_t), false},
    [EVTCHNOP_expand_array] = {sizeof(evtchn_expand_array_t), false},
    [EVTCHNOP_set_priority] = {sizeof(evtchn_set_priority_t), false},
};

static long op_dispatch(unsigned cmd, union evtchn_args *a)
{
    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        return op_bind_interdomain(&a->bind_interdomain);
    case EVTCHNOP_bind_virq:
        return op_bind_virq(&a->bind_virq);
    case EVTCHNOP_bind_pirq:
        return op_bind_pirq(&a->bind_pirq);
    case EVTCHNOP_close:
        return port_close(hv_current->domain, a->close.port);
    case EVTCHNOP_send:
        return hv_evtchn_send(a->send.port);
    case EVTCHNOP_status:
        return op_status(&a->status);
    case EVTCHNOP_alloc_unbound:
        return op_alloc_unbound(&a->alloc_unbound);
    case EVTCHNOP_bind_ipi:
        return op_bind_ipi(&a->bind_ipi);
    case EVTCHNOP_bind_vcpu:
        return op_bind_vcpu(&a->bind_vcpu);
    case EVTCHNOP_unmask:
        return hv_evtchn_unmask(a->unmask.port);
    case EVTCHNOP_reset:
        return op_reset(&a->reset);
    case EVTCHNOP_init_control:
        return op_init_control(&a->init_control);
    case EVTCHNOP_expand_array:
        return -EOPNOTSUPP;
    case EVTCHNOP_set_priority:
        return op_set_priority(&a->set_priority);
    default:
        return -ENOSYS;
    }
}

long hv_evtchn_op(u32 cmd, u64 arg)
{
    union evtchn_args a;
    long rc;

    if (cmd >= HV_ARRAY_SIZE(ops))
        return -ENOSYS;
    if (hv_copy_from_guest(&a, arg, ops[cmd].size))
        return -EFAULT;
    rc = op_dispatch(cmd, &a);
    if (rc == -ERESTART)
        return HV_CONTINUE(__HYPERVISOR_event_channel_op, cmd, arg);
    if (rc == 0 && ops[cmd].returns && hv_copy_to_guest(arg, &a, ops[cmd].size))
        return -EFAULT;
    return rc;
}

HV_HYPERCALL(event_channel_op_compat)
{
    evtchn_op_t op;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    /* Only the calls of that time, up to unmask, had this form. */
    if (op.cmd > EVTCHNOP_unmask)
        return -ENOSYS;
    return hv_evtchn_op(op.cmd, a0 + offsetof(evtchn_op_t, u));
}
