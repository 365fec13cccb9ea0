/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl: how domain 0 makes, watches and ends domains.
 *
 * The order of the checks is Xen's: the version of the interface, the domain, the right.  Each
 * operation returns 0 or an error; DONE_COPY means success with results in the structure.
 */
#include "hv/domctl.h"

#include "hv/access.h"
#include "hv/evtchn.h"
#include "hv/grant.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/irq.h"
#include "hv/lib.h"

#define DONE_COPY 1

#define IO_PORTS 0x10000u

/* The only flags a PV domain can be created with; there is no IOMMU and no vPMU. */
#define CREATE_FLAGS (XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_oos_off)

static int create_check(const struct xen_domctl_createdomain *op)
{
    if ((op->flags & ~CREATE_FLAGS) || op->iommu_opts || !op->max_vcpus ||
        op->max_vcpus > HV_MAX_VCPUS || (op->grant_opts & ~XEN_DOMCTL_GRANT_version_mask) ||
        op->vmtrace_size || (op->arch.misc_flags & ~XEN_X86_MSR_RELAXED))
        return -EINVAL;
    if (op->arch.emulation_flags)
        return -EOPNOTSUPP;
    if (op->cpupool_id)
        return -ESRCH;
    return hv_grant_limit(NULL, op->max_grant_frames, op->max_maptrack_frames,
                          XEN_DOMCTL_GRANT_version(op->grant_opts));
}

/* A free number: numbers are used again as late as possible.  Returns: 0 if there is none. */
static u16 create_pick_id(void)
{
    static u16 last;
    u16 id = last;

    do {
        id = id + 1 == DOMID_FIRST_RESERVED ? 1 : id + 1;
        if (!hv_domain_find(id))
            return (last = id);
    } while (id != last);
    return 0;
}

static long op_create(struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *config = &op->u.createdomain;
    struct hv_domain *d;
    u16 id = op->domain;
    int error;

    if (id == 0 || id >= DOMID_FIRST_RESERVED) {
        id = create_pick_id();
        if (!id)
            return -ENOMEM;
    } else if (hv_domain_find(id)) {
        return -EEXIST;
    }
    error = create_check(config);
    if (!error)
        error = hv_domain_create(id, false, &d);
    if (error)
        return error;
    hv_evtchn_limit(d, config->max_evtchn_port);
    hv_grant_limit(d, config->max_grant_frames, config->max_maptrack_frames,
                   XEN_DOMCTL_GRANT_version(config->grant_opts));
    d->wanted_vcpus = config->max_vcpus;
    d->max_pages = 0;       /* until max_mem */
    d->paused_by_tools = 1; /* until the tools unpause it first */
    d->ssidref = config->ssidref;
    d->creation_flags = config->flags;
    memcpy(d->handle, config->handle, sizeof(d->handle));
    op->domain = id;
    return DONE_COPY;
}

static long op_pause(struct hv_domain *d)
{
    if (d == hv_current->domain)
        return -EINVAL;
    if (d->paused_by_tools == INT32_MAX)
        return -EOVERFLOW;
    if (!d->paused_by_tools++)
        hv_domain_pause(d);
    return 0;
}

static long op_unpause(struct hv_domain *d)
{
    if (!d->paused_by_tools)
        return -EINVAL;
    if (!--d->paused_by_tools) {
        d->is_created = true;
        hv_domain_unpause(d);
    }
    return 0;
}

static long op_max_vcpus(struct hv_domain *d, u32 max)
{
    /* The number was given when the domain was created; this is when they are made. */
    if (d == hv_current->domain || max != HV_MAX(d->wanted_vcpus, d->max_vcpus))
        return -EINVAL;
    return hv_domain_set_max_vcpus(d, max);
}

static long op_max_mem(struct hv_domain *d, u64 max_kib)
{
    d->max_pages = HV_MIN(max_kib >> (HV_PAGE_SHIFT - 10), (u64)UINT32_MAX);
    return 0;
}

/* A context is larger than a page, and one call at a time is in here. */
static struct vcpu_guest_context context;

static long op_set_context(struct hv_domain *d, const struct xen_domctl_vcpucontext *op)
{
    struct hv_vcpu *v = hv_vcpu_find(d, op->vcpu);
    long rc;

    if (d == hv_current->domain || !v)
        return -EINVAL;
    if (!op->ctxt.p)
        return hv_vcpu_reset(v);
    if (hv_load_guest(&context, (u64)op->ctxt.p))
        return -EFAULT;
    hv_domain_pause(d);
    rc = hv_vcpu_set_context(v, &context);
    hv_domain_unpause(d);
    return rc;
}

static long op_get_context(struct hv_domain *d, const struct xen_domctl_vcpucontext *op)
{
    struct hv_vcpu *v = hv_vcpu_find(d, op->vcpu);

    if (!v || v == hv_current)
        return -EINVAL;
    if (!v->initialised)
        return -ENODATA;
    hv_vcpu_pause(v);
    memset(&context, 0, sizeof(context));
    hv_vcpu_get_context(v, &context);
    hv_vcpu_unpause(v);
    return hv_store_guest((u64)op->ctxt.p, &context) ? -EFAULT : DONE_COPY;
}

static long op_vcpu_info(struct hv_domain *d, struct xen_domctl_getvcpuinfo *op)
{
    const struct hv_vcpu *v;

    if (op->vcpu >= HV_MAX(d->wanted_vcpus, d->max_vcpus))
        return -EINVAL;
    v = hv_vcpu_find(d, op->vcpu);
    if (!v)
        return -ESRCH;
    op->online = !(v->hold & HV_HOLD_DOWN);
    op->blocked = !!(v->hold & HV_HOLD_BLOCKED);
    op->running = v == hv_current;
    op->cpu_time = hv_vcpu_state_time(v, RUNSTATE_running);
    op->cpu = 0;
    return DONE_COPY;
}

/* The one CPU must be among those the caller wants. */
static long set_cpus(const struct xenctl_bitmap *map)
{
    u64 cpus;

    if (hv_bitmap_get(map, &cpus, 1))
        return -EFAULT;
    return cpus ? 0 : -EINVAL;
}

static long op_vcpu_affinity(struct hv_domain *d, struct xen_domctl_vcpuaffinity *op, bool set)
{
    const u32 hard = XEN_VCPUAFFINITY_HARD, soft = XEN_VCPUAFFINITY_SOFT;
    struct hv_vcpu *v = hv_vcpu_find(d, op->vcpu);
    long rc = 0;

    if (op->vcpu >= HV_MAX(d->wanted_vcpus, d->max_vcpus))
        return -EINVAL;
    if (!v)
        return -ESRCH;
    if (!(op->flags & (hard | soft)) || (op->flags & ~(hard | soft | XEN_VCPUAFFINITY_FORCE)))
        return -EINVAL;
    if (set && v->pinned_temporarily && !(op->flags & XEN_VCPUAFFINITY_FORCE))
        return -EBUSY;
    if (set && (op->flags & hard)) {
        rc = set_cpus(&op->cpumap_hard);
        if (rc)
            return rc;
        v->hard_affinity = 1;
    }
    if (set && (op->flags & soft))
        rc = set_cpus(&op->cpumap_soft); /* a wish for the only CPU needs no keeping */
    if (!rc && (op->flags & hard))
        rc = hv_bitmap_put(&op->cpumap_hard, 1, 1);
    if (!rc && (op->flags & soft))
        rc = hv_bitmap_put(&op->cpumap_soft, 1, 1);
    return rc;
}

static long op_scheduler(struct hv_domain *d, struct xen_domctl_scheduler_op *op)
{
    if (op->sched_id != HV_SCHED_ID)
        return -EINVAL;
    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit2.weight = d->weight;
        op->u.credit2.cap = 0;
        return DONE_COPY;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        if (op->u.credit2.cap)
            return -EOPNOTSUPP; /* shares only, no upper limit */
        if (op->u.credit2.weight) /* 0: leave it */
            d->weight = op->u.credit2.weight;
        return 0;
    default:
        return -EINVAL;
    }
}

static long permit(struct hv_range **list, u64 first, u64 last, bool allow)
{
    return allow ? hv_range_add(list, first, last) : hv_range_remove(list, first, last);
}

static long op_iomem(struct hv_domain *d, const struct xen_domctl_iomem_permission *op)
{
    u64 last = op->first_mfn + op->nr_mfns - 1;

    if (last < op->first_mfn)
        return -EINVAL;
    if (!hv_range_holds(hv_current->domain->io_mem, op->first_mfn, last))
        return -EPERM;
    return permit(&d->io_mem, op->first_mfn, last, op->allow_access);
}

static long op_ioport(struct hv_domain *d, const struct xen_domctl_ioport_permission *op)
{
    u64 end = (u64)op->first_port + op->nr_ports;

    if (!op->nr_ports || end > IO_PORTS)
        return -EINVAL;
    if (!hv_range_holds(hv_current->domain->io_ports, op->first_port, end - 1))
        return -EPERM;
    return permit(&d->io_ports, op->first_port, end - 1, op->allow_access);
}

static long op_irq(struct hv_domain *d, const struct xen_domctl_irq_permission *op)
{
    int error = hv_pirq_check(hv_current->domain, op->pirq);

    if (error && error != -EEXIST)
        return error;
    return permit(&d->irqs, op->pirq, op->pirq, op->allow_access);
}

static long op_hypercall_page(struct hv_domain *d, u64 mfn)
{
    struct hv_frame *f = hv_get_page_mfn(mfn, d->id);

    if (!f)
        return -EINVAL;
    if (hv_get_type(f, HV_TYPE_WRITABLE)) {
        hv_put_page(f);
        return -EPERM;
    }
    hv_hypercall_page_fill(hv_frame_va(f));
    hv_put_page_and_type(f);
    return 0;
}

static long op_send_trigger(struct hv_domain *d, const struct xen_domctl_sendtrigger *op)
{
    struct hv_vcpu *v = hv_vcpu_find(d, op->vcpu);

    if (!v)
        return -ESRCH;
    switch (op->trigger) {
    case XEN_DOMCTL_SENDTRIGGER_NMI:
        hv_vcpu_nmi(v);
        return 0;
    case XEN_DOMCTL_SENDTRIGGER_POWER: /* buttons are HVM's */
    case XEN_DOMCTL_SENDTRIGGER_SLEEP:
        return -EINVAL;
    default:
        return -ENOSYS;
    }
}

static long op_tsc_info(struct xen_domctl_tsc_info *op)
{
    *op = (struct xen_domctl_tsc_info){
        .gtsc_khz = hv_tsc_khz, .incarnation = 1, .elapsed_nsec = hv_now()};
    return DONE_COPY;
}

static long dispatch(struct xen_domctl *op, struct hv_domain *d)
{
    switch (op->cmd) {
    case XEN_DOMCTL_createdomain:
        return op_create(op);
    case XEN_DOMCTL_destroydomain:
        return hv_domain_kill(d);
    case XEN_DOMCTL_pausedomain:
        return op_pause(d);
    case XEN_DOMCTL_unpausedomain:
        return op_unpause(d);
    case XEN_DOMCTL_resumedomain:
        if (d == hv_current->domain)
            return -EINVAL;
        hv_domain_resume(d);
        return 0;
    case XEN_DOMCTL_getdomaininfo:
        hv_domain_info(d, &op->u.getdomaininfo);
        op->domain = d->id;
        return DONE_COPY;
    case XEN_DOMCTL_getpageframeinfo3:
        return hv_page_frame_info(d, &op->u.getpageframeinfo3);
    case XEN_DOMCTL_max_vcpus:
        return op_max_vcpus(d, op->u.max_vcpus.max);
    case XEN_DOMCTL_max_mem:
        return op_max_mem(d, op->u.max_mem.max_memkb);
    case XEN_DOMCTL_setvcpucontext:
        return op_set_context(d, &op->u.vcpucontext);
    case XEN_DOMCTL_getvcpucontext:
        return op_get_context(d, &op->u.vcpucontext);
    case XEN_DOMCTL_getvcpuinfo:
        return op_vcpu_info(d, &op->u.getvcpuinfo);
    case XEN_DOMCTL_setvcpuaffinity:
        return op_vcpu_affinity(d, &op->u.vcpuaffinity, true);
    case XEN_DOMCTL_getvcpuaffinity:
        return op_vcpu_affinity(d, &op->u.vcpuaffinity, false);
    case XEN_DOMCTL_setnodeaffinity:
        return set_cpus(&op->u.nodeaffinity.nodemap); /* one node, as one CPU */
    case XEN_DOMCTL_getnodeaffinity:
        return hv_bitmap_put(&op->u.nodeaffinity.nodemap, 1, 1);
    case XEN_DOMCTL_scheduler_op:
        return op_scheduler(d, &op->u.scheduler_op);
    case XEN_DOMCTL_setdomainhandle:
        memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
        return 0;
    case XEN_DOMCTL_irq_permission:
        return op_irq(d, &op->u.irq_permission);
    case XEN_DOMCTL_iomem_permission:
        return op_iomem(d, &op->u.iomem_permission);
    case XEN_DOMCTL_ioport_permission:
        return op_ioport(d, &op->u.ioport_permission);
    case XEN_DOMCTL_hypercall_init:
        return op_hypercall_page(d, op->u.hypercall_init.gmfn);
    case XEN_DOMCTL_settimeoffset:
        d->time_offset_seconds = op->u.settimeoffset.time_offset_seconds;
        hv_wallclock_update(d);
        return 0;
    case XEN_DOMCTL_set_address_size:
        return op->u.address_size.size == 64   ? 0
               : op->u.address_size.size == 32 ? -EOPNOTSUPP
                                               : -EINVAL;
    case XEN_DOMCTL_get_address_size:
        op->u.address_size.size = 64;
        return DONE_COPY;
    case XEN_DOMCTL_sendtrigger:
        return op_send_trigger(d, &op->u.sendtrigger);
    case XEN_DOMCTL_gettscinfo:
        return d == hv_current->domain ? -EINVAL : op_tsc_info(&op->u.tsc_info);
    case XEN_DOMCTL_settscinfo: /* only what every domain has: the machine's own TSC */
        return d == hv_current->domain || op->u.tsc_info.tsc_mode ? -EINVAL : 0;
    case XEN_DOMCTL_set_virq_handler:
        return hv_virq_handler_set(d, op->u.set_virq_handler.virq);
    case XEN_DOMCTL_shadow_op: /* what only HVM domains can have */
    case XEN_DOMCTL_gethvmcontext:
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial:
    case XEN_DOMCTL_memory_mapping:
    case XEN_DOMCTL_debug_op:
    case XEN_DOMCTL_monitor_op:
    case XEN_DOMCTL_vmtrace_op:
        return -EINVAL;
    case XEN_DOMCTL_get_paging_mempool_size:
    case XEN_DOMCTL_set_paging_mempool_size:
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_assign_device: /* what needs an IOMMU */
    case XEN_DOMCTL_deassign_device:
    case XEN_DOMCTL_test_assign_device:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

/* The domain @op is about.  Returns: 0; -ESRCH. */
static long find_domain(const struct xen_domctl *op, struct hv_domain **d)
{
    *d = NULL;
    if (op->cmd == XEN_DOMCTL_createdomain)
        return 0;
    *d = hv_domain_find(op->domain);
    if (!*d && op->cmd == XEN_DOMCTL_getdomaininfo && hv_privileged()) {
        hv_for_each_domain(next) { /* of this number or the next one */
            if (next->id > op->domain) {
                *d = next;
                break;
            }
        }
    }
    return *d ? 0 : -ESRCH;
}

HV_HYPERCALL(domctl)
{
    struct hv_domain *d;
    struct xen_domctl op;
    long rc;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return -EACCES;
    rc = find_domain(&op, &d);
    if (rc)
        return rc;
    if (!hv_privileged())
        return -EPERM;
    if (d && d->dying && op.cmd != XEN_DOMCTL_destroydomain && op.cmd != XEN_DOMCTL_getdomaininfo)
        return -ESRCH;
    rc = dispatch(&op, d);
    if (rc == -ERESTART)
        return HV_CONTINUE(__HYPERVISOR_domctl, a0);
    if (rc == DONE_COPY)
        rc = hv_store_guest(a0, &op);
    return rc;
}
