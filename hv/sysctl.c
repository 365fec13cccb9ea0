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
#define DISTANCE_LOCAL 10u /* of a NUMA node to itself */

static long op_physinfo(struct xen_sysctl_physinfo *op)
{
    u32 r[4];

    memset(op, 0, sizeof(*op));
    op->threads_per_core = 1;
    op->cores_per_socket = 1;
    op->nr_cpus = NR_CPUS;
    op->nr_nodes = 1;
    op->cpu_khz = hv_tsc_khz;
    op->capabilities =
        XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
    op->total_pages = hv_frames_total();
    op->free_pages = hv_frames_free();
    op->max_mfn = hv_max_mfn - 1;
    /* As the first words of Xen's feature set: leaves 1 and 0x80000001. */
    hv_cpuid(1, 0, r);
    op->hw_cap[0] = r[3];
    op->hw_cap[1] = r[2];
    hv_cpuid(0x80000001, 0, r);
    op->hw_cap[2] = r[3];
    op->hw_cap[3] = r[2];
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
    op->avail_bytes = op->node > 0 ? 0 : hv_frames_free() << HV_PAGE_SHIFT;
    return 0;
}

/* For both: a null array asks for the number only. */
static long op_cputopoinfo(struct xen_sysctl_cputopoinfo *op)
{
    xen_sysctl_cputopo_t cpu = {0};

    if (op->cputopo.p && op->num_cpus && hv_store_guest((u64)op->cputopo.p, &cpu))
        return -EFAULT;
    op->num_cpus = NR_CPUS;
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
    op->num_nodes = 1;
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
        return -EOPNOTSUPP;
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
