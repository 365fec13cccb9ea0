/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl: the machine as a whole, for domain 0's tools. */
#include "hv/access.h"
#include "hv/console_io.h"
#include "hv/domctl.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/time.h"

#include <xen/sysctl.h>

#define NR_CPUS 1u
#define MAX_NODES 64u
#define DISTANCE_LOCAL 10u /* of a NUMA node to itself */

static long op_physinfo(struct xen_sysctl_physinfo *op)
{
    static const struct {
        u32 leaf;
        u8 sub, reg; /* reg: 0 to 3 for EAX to EDX */
    } words[] = {{1, 0, 3},    {1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
                 {0xd, 1, 0}, {7, 0, 1}, {7, 0, 2},          {0x80000007, 0, 3}};
    u32 r[4];

    memset(op, 0, sizeof(*op));
    op->threads_per_core = 1;
    op->cores_per_socket = 1;
    op->nr_cpus = NR_CPUS;
    op->nr_nodes = 1;
    op->max_node_id = MAX_NODES - 1;
    op->cpu_khz = hv_tsc_khz;
    op->capabilities =
        XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
    op->total_pages = hv_frames_total();
    op->free_pages = hv_frames_free();
    op->max_mfn = hv_max_mfn - 1;
    /* The words of xen/arch-x86/cpufeatureset.h. */
    for (unsigned i = 0; i < HV_ARRAY_SIZE(words); i++) {
        hv_cpuid(words[i].leaf & 0x80000000, 0, r);
        if (r[0] < words[i].leaf)
            continue;
        hv_cpuid(words[i].leaf, words[i].sub, r);
        op->hw_cap[i] = r[words[i].reg];
    }
    return 0;
}

static long op_getdomaininfolist(struct xen_sysctl_getdomaininfolist *op)
{
    struct xen_domctl_getdomaininfo info;
    u32 n = 0;

    hv_for_each_domain(d) {
        if (d->id < op->first_domain)
            continue;
        if (n == op->max_domains)
            break;
        hv_domain_info(d, &info);
        if (hv_copy_to_guest((u64)op->buffer.p + n * sizeof(info), &info, sizeof(info)))
            return -EFAULT;
        n++;
    }
    op->num_domains = n;
    return 0;
}

static long op_getcpuinfo(struct xen_sysctl_getcpuinfo *op)
{
    xen_sysctl_cpuinfo_t info = {.idletime = hv_vcpu_state_time(hv_idle_vcpu, RUNSTATE_running)};

    op->nr_cpus = HV_MIN(op->max_cpus, NR_CPUS);
    return op->nr_cpus && hv_store_guest((u64)op->info.p, &info) ? -EFAULT : 0;
}

static long op_availheap(struct xen_sysctl_availheap *op)
{
    u64 bytes = hv_max_mfn << HV_PAGE_SHIFT;
    bool none = op->node > 0 ||
                (op->min_bitwidth && (op->min_bitwidth > 63 || bytes >> op->min_bitwidth == 0));

    op->avail_bytes = none ? 0 : hv_frames_free() << HV_PAGE_SHIFT;
    return 0;
}

/* For both: a null array asks for the number only. */
static long op_cputopoinfo(struct xen_sysctl_cputopoinfo *op)
{
    xen_sysctl_cputopo_t cpu = {0};

    if (op->cputopo.p && op->num_cpus && hv_store_guest((u64)op->cputopo.p, &cpu))
        return -EFAULT;
    op->num_cpus = op->cputopo.p ? HV_MIN(op->num_cpus, NR_CPUS) : NR_CPUS;
    return 0;
}

static long op_numainfo(struct xen_sysctl_numainfo *op)
{
    xen_sysctl_meminfo_t node = {hv_frames_total() << HV_PAGE_SHIFT,
                                 hv_frames_free() << HV_PAGE_SHIFT};

    if (op->num_nodes && op->meminfo.p && hv_store_guest((u64)op->meminfo.p, &node))
        return -EFAULT;
    if (op->num_nodes && op->distance.p && hv_store_guest32((u64)op->distance.p, DISTANCE_LOCAL))
        return -EFAULT;
    op->num_nodes = op->meminfo.p || op->distance.p ? HV_MIN(op->num_nodes, 1u) : 1;
    return 0;
}

/* There is one pool, number 0, of all CPUs and domains. */
static long op_cpupool(struct xen_sysctl_cpupool_op *op)
{
    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO: /* of this pool or the next one */
        if (op->cpupool_id)
            return -ENOENT;
        op->sched_id = HV_SCHED_ID;
        op->n_dom = 0;
        hv_for_each_domain(each)
            op->n_dom += each != NULL;
        return hv_bitmap_put(&op->cpumap, 1, NR_CPUS);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        return hv_bitmap_put(&op->cpumap, 0, NR_CPUS);
    default:
        return -ENOSYS;
    }
}

/* Slices are of one length, and nobody runs for a while undisturbed: there is nothing to set. */
static long op_scheduler(struct xen_sysctl_scheduler_op *op)
{
    if (op->cpupool_id)
        return -ESRCH;
    if (op->sched_id != HV_SCHED_ID)
        return -EINVAL;
    switch (op->cmd) {
    case XEN_SYSCTL_SCHEDOP_getinfo:
        op->u.sched_credit2.ratelimit_us = 0;
        return 0;
    case XEN_SYSCTL_SCHEDOP_putinfo:
        return op->u.sched_credit2.ratelimit_us ? -EOPNOTSUPP : 0;
    default:
        return -EINVAL;
    }
}

static long dispatch(struct xen_sysctl *op)
{
    switch (op->cmd) {
    case XEN_SYSCTL_readconsole:
        return hv_console_ring_read(&op->u.readconsole);
    case XEN_SYSCTL_physinfo:
        return op_physinfo(&op->u.physinfo);
    case XEN_SYSCTL_sched_id:
        op->u.sched_id.sched_id = HV_SCHED_ID;
        return 0;
    case XEN_SYSCTL_getdomaininfolist:
        return op_getdomaininfolist(&op->u.getdomaininfolist);
    case XEN_SYSCTL_getcpuinfo:
        return op_getcpuinfo(&op->u.getcpuinfo);
    case XEN_SYSCTL_availheap:
        return op_availheap(&op->u.availheap);
    case XEN_SYSCTL_cputopoinfo:
        return op_cputopoinfo(&op->u.cputopoinfo);
    case XEN_SYSCTL_numainfo:
        return op_numainfo(&op->u.numainfo);
    case XEN_SYSCTL_scheduler_op:
        return op_scheduler(&op->u.scheduler_op);
    case XEN_SYSCTL_cpupool_op:
        return op_cpupool(&op->u.cpupool_op);
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(sysctl)
{
    struct xen_sysctl op;
    long rc;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    if (!hv_privileged())
        return -EPERM;
    rc = dispatch(&op);
    return rc ? rc : hv_store_guest(a0, &op);
}
