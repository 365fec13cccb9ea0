/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels.
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
 *  2. virq_port(v)[n] is 0 or a port in state VIRQ with that n; for a global VIRQ v is vCPU 0.
 *  3. A port has no pending bit when it becomes FREE (the guest may set it later; it is cleared when
 *     the port is taken).
 *  4. first_free is at or below the lowest FREE port; active counts those neither FREE nor RESERVED.
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

static struct hv_domain *virq_handler[NR_VIRQS]; /* NULL: domain 0 */

static bool bit_get(const xen_ulong_t *map, unsigned n)
{
    return map[n / 64] >> (n % 64) & 1;
}

/* Sets the bit.  Returns: what it was. */
static bool bit_set(xen_ulong_t *map, unsigned n)
{
    bool was = bit_get(map, n);

    map[n / 64] |= 1ul << (n % 64);
    return was;
}

static void bit_clear(xen_ulong_t *map, unsigned n)
{
    map[n / 64] &= ~(1ul << (n % 64));
}

/* Where the port of each VIRQ of @v is kept. */
static u16 *virq_port(const struct hv_vcpu *v)
{
    return v->domain->evtchn->virq_port[v->id];
}

static void port_notify(struct hv_domain *d, unsigned port, struct hv_vcpu *v)
{
    if (!v) /* the toolstack opens ports before it makes vCPUs */
        return;
    if (!bit_get(d->shared->evtchn_mask, port) &&
        !bit_set(&v->info->evtchn_pending_sel, port / 64))
        hv_vcpu_mark_pending(v);
}

HV_PROBE static void port_set_pending(struct hv_domain *d, unsigned port, const struct hv_evtchn *e)
{
    if (bit_set(d->shared->evtchn_pending, port))
        return;
    port_notify(d, port, d->vcpu[e->vcpu]);
    hv_poll_wake(d, port);
}

/* Makes the next 64 ports exist. */
HV_COLD static int ports_grow(struct hv_domain *d)
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
HV_COLD static int port_find(struct hv_domain *d)
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

HV_COLD static struct hv_evtchn *port_take(struct hv_domain *d, unsigned port, enum hv_evtchn_state state)
{
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    *e = (struct hv_evtchn){.state = state};
    d->evtchn->first_free = port + 1;
    d->evtchn->active++;
    return e;
}

HV_COLD static int port_close(struct hv_domain *d, u32 port)
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
    bit_clear(d->shared->evtchn_pending, port);
    d->evtchn->active--;
    if (port < d->evtchn->first_free)
        d->evtchn->first_free = port;
    return 0;
}

/* Closes whatever is open from t->closing on.  Returns: 0 or -ERESTART. */
HV_COLD static int ports_close_all(struct hv_domain *d)
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

HV_COLD int hv_evtchn_domain_init(struct hv_domain *d)
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

HV_COLD void hv_evtchn_limit(struct hv_domain *d, u32 max_port)
{
    d->evtchn->limit = max_port < HV_EVTCHN_PORTS ? max_port + 1 : HV_EVTCHN_PORTS;
}

HV_COLD void hv_evtchn_kill_begin(struct hv_domain *d)
{
    d->evtchn->closing = 0; /* a reset may have stopped in between and never gone on */
    for (unsigned virq = 0; virq < NR_VIRQS; virq++)
        if (virq_handler[virq] == d)
            virq_handler[virq] = NULL;
}

HV_COLD int hv_evtchn_kill(struct hv_domain *d)
{
    return ports_close_all(d);
}

HV_COLD void hv_evtchn_domain_fini(struct hv_domain *d)
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

HV_COLD void hv_evtchn_vcpu_moved(struct hv_vcpu *v)
{
    /* What was pending in the old place is not looked up: the guest looks at all of its ports. */
    v->info->evtchn_pending_sel = ~0ul;
    hv_vcpu_mark_pending(v);
}

int hv_evtchn_poll_check(struct hv_domain *d, u32 port)
{
    if (!hv_evtchn_port(d, port))
        return -EINVAL;
    return bit_get(d->shared->evtchn_pending, port);
}

static void virq_raise(struct hv_domain *d, const struct hv_vcpu *v, u32 virq)
{
    u32 port = virq_port(v)[virq];

    if (port)
        port_set_pending(d, port, hv_evtchn_port(d, port));
}

void hv_virq_raise_vcpu(struct hv_vcpu *v, u32 virq)
{
    virq_raise(v->domain, v, virq);
}

HV_COLD void hv_virq_raise_global(u32 virq)
{
    struct hv_domain *d = virq_handler[virq] ? virq_handler[virq] : hv_dom0;

    if (d && d->evtchn && d->vcpu[0])
        virq_raise(d, d->vcpu[0], virq);
}

HV_COLD int hv_virq_handler_set(struct hv_domain *d, u32 virq)
{
    if (virq >= NR_VIRQS || !hv_virq_is_global(virq))
        return -EINVAL;
    virq_handler[virq] = d;
    return 0;
}

HV_COLD void hv_evtchn_pirq(struct hv_domain *d, u32 port)
{
    port_set_pending(d, port, hv_evtchn_port(d, port));
}

/* ---- the operations: arguments in @op, results as well; 0 or an error ---- */

HV_COLD static int op_alloc_unbound(evtchn_alloc_unbound_t *op)
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

HV_COLD static int op_bind_interdomain(evtchn_bind_interdomain_t *op)
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
    port_set_pending(d, port, e);
    return 0;
}

HV_COLD static int op_bind_virq(evtchn_bind_virq_t *op)
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
    if (virq_port(v)[op->virq])
        return -EEXIST;
    port = port_find(d);
    if (port < 0)
        return port;
    e = port_take(d, port, HV_EVTCHN_VIRQ);
    e->vcpu = op->vcpu;
    e->virq = op->virq;
    virq_port(v)[op->virq] = port;
    op->port = port;
    return 0;
}

HV_COLD static int op_bind_ipi(evtchn_bind_ipi_t *op)
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

HV_COLD static int op_bind_pirq(evtchn_bind_pirq_t *op)
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

HV_PROBE static int op_send(u32 port)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    if (!e)
        return -EINVAL;
    switch (e->state) {
    case HV_EVTCHN_INTERDOMAIN:
        d = hv_domain_find(e->dom);
        port_set_pending(d, e->port, hv_evtchn_port(d, e->port));
        return 0;
    case HV_EVTCHN_IPI:
        port_set_pending(d, port, e);
        return 0;
    case HV_EVTCHN_UNBOUND:
        return 0;
    default:
        return -EINVAL;
    }
}

HV_COLD static int op_status(evtchn_status_t *op)
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

HV_COLD static int op_bind_vcpu(const evtchn_bind_vcpu_t *op)
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

int hv_evtchn_unmask(u32 port)
{
    struct hv_domain *d = hv_current->domain;
    struct hv_evtchn *e = hv_evtchn_port(d, port);

    if (!e)
        return -EINVAL;
    if (bit_get(d->shared->evtchn_mask, port)) {
        bit_clear(d->shared->evtchn_mask, port);
        if (bit_get(d->shared->evtchn_pending, port))
            port_notify(d, port, d->vcpu[e->vcpu]);
    }
    return 0;
}

HV_COLD static long op_reset(const evtchn_reset_t *op)
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
HV_COLD static int op_init_control(evtchn_init_control_t *op)
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

HV_COLD static int op_set_priority(const evtchn_set_priority_t *op)
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

HV_COLD static long op_dispatch(unsigned cmd, union evtchn_args *a)
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

static long evtchn_op(u32 cmd, u64 arg)
{
    union evtchn_args a;
    u32 port;
    long rc;

    if (cmd == EVTCHNOP_send)
        return hv_load_guest32(&port, arg) ? -EFAULT : op_send(port);
    if (cmd >= HV_ARRAY_SIZE(ops))
        return -ENOSYS;
    if (hv_copy_from_guest(&a, arg, ops[cmd].size))
        return -EFAULT;
    rc = op_dispatch(cmd, &a);
    if (rc == 0 && ops[cmd].returns && hv_copy_to_guest(arg, &a, ops[cmd].size))
        return -EFAULT;
    return rc;
}

static HV_NOINLINE long evtchn_op_other(u64 cmd, u64 arg)
{
    long rc = evtchn_op(cmd, arg);

    return rc == -ERESTART ? HV_CONTINUE(__HYPERVISOR_event_channel_op, (u32)cmd, arg) : rc;
}

HV_HYPERCALL(event_channel_op)
{
    u32 port;

    if (likely((u32)a0 == EVTCHNOP_send)) /* the hot one */
        return hv_load_guest32(&port, a1) ? -EFAULT : op_send(port);
    return evtchn_op_other(a0, a1);
}

HV_HYPERCALL(event_channel_op_compat)
{
    evtchn_op_t op;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    /* Only the calls of that time, up to unmask, had this form. */
    if (op.cmd > EVTCHNOP_unmask)
        return -ENOSYS;
    return evtchn_op(op.cmd, a0 + offsetof(evtchn_op_t, u));
}
