/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/control.h"

#include "guests/lib/string.h"

/* Of each domain, as Debian's toolstack has them. */
#define MAX_EVTCHN_PORT  1023u
#define MAX_GRANT_FRAMES 64
#define MAX_MAPTRACK     1024

static long domctl(struct xen_domctl *op, u32 cmd, u16 domid)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return hypercall_domctl(op);
}

static long sysctl(struct xen_sysctl *op, u32 cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall_sysctl(op);
}

/* The newest version of the grant table that the hypervisor offers. */
static u32 grant_version(void)
{
    struct xen_sysctl_physinfo info;

    if (control_physinfo(&info))
        return 1;
    return info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? 2 : 1;
}

long control_create(u32 vcpus)
{
    struct xen_domctl op = {.u.createdomain = {
                                .max_vcpus = vcpus,
                                .max_evtchn_port = MAX_EVTCHN_PORT,
                                .max_grant_frames = MAX_GRANT_FRAMES,
                                .max_maptrack_frames = MAX_MAPTRACK,
                                .grant_opts = XEN_DOMCTL_GRANT_version(grant_version()),
                            }};
    struct xen_domctl max = {.u.max_vcpus.max = vcpus};
    long error = domctl(&op, XEN_DOMCTL_createdomain, 0);

    if (error)
        return error;
    error = domctl(&max, XEN_DOMCTL_max_vcpus, op.domain);
    if (error) {
        control_destroy(op.domain);
        return error;
    }
    return op.domain;
}

long control_destroy(u16 domid)
{
    struct xen_domctl op = {0};
    long error;

    do
        error = domctl(&op, XEN_DOMCTL_destroydomain, domid);
    while (error == -XEN_EAGAIN);
    return error;
}

long control_pause(u16 domid)
{
    struct xen_domctl op = {0};

    return domctl(&op, XEN_DOMCTL_pausedomain, domid);
}

long control_unpause(u16 domid)
{
    struct xen_domctl op = {0};

    return domctl(&op, XEN_DOMCTL_unpausedomain, domid);
}

long control_max_memory(u16 domid, u64 pages)
{
    struct xen_domctl op = {.u.max_mem.max_memkb = pages << (PAGE_SHIFT - 10)};

    return domctl(&op, XEN_DOMCTL_max_mem, domid);
}

long control_hypercall_page(u16 domid, u64 mfn)
{
    struct xen_domctl op = {.u.hypercall_init.gmfn = mfn};

    return domctl(&op, XEN_DOMCTL_hypercall_init, domid);
}

long control_set_vcpu(u16 domid, u32 vcpu, vcpu_guest_context_t *context)
{
    struct xen_domctl op = {.u.vcpucontext.vcpu = vcpu};

    set_xen_guest_handle(op.u.vcpucontext.ctxt, context);
    return domctl(&op, XEN_DOMCTL_setvcpucontext, domid);
}

long control_info(u16 domid, domain_info_t *out)
{
    struct xen_domctl op = {0};
    long error = domctl(&op, XEN_DOMCTL_getdomaininfo, domid);

    if (error)
        return error;
    *out = op.u.getdomaininfo;
    /* The call answers for the next domain if there is none of this number. */
    return out->domain == domid ? 0 : -XEN_ESRCH;
}

long control_list(u16 first, domain_info_t *out, u32 max)
{
    struct xen_sysctl op = {.u.getdomaininfolist = {.first_domain = first, .max_domains = max}};
    long error;

    set_xen_guest_handle(op.u.getdomaininfolist.buffer, out);
    error = sysctl(&op, XEN_SYSCTL_getdomaininfolist);
    return error ? error : (long)op.u.getdomaininfolist.num_domains;
}

long control_physinfo(struct xen_sysctl_physinfo *out)
{
    struct xen_sysctl op = {0};
    long error = sysctl(&op, XEN_SYSCTL_physinfo);

    *out = op.u.physinfo;
    return error;
}

long control_populate(u16 domid, u64 *pfns, u32 count)
{
    struct xen_memory_reservation op = {.nr_extents = count, .domid = domid};
    long done;

    set_xen_guest_handle(op.extent_start, pfns);
    done = hypercall_memory_op(XENMEM_populate_physmap, &op);
    return done < 0 ? done : done == (long)count ? 0 : -XEN_ENOMEM;
}

long control_pin_l4(u16 domid, u64 mfn)
{
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mfn};

    return hypercall_mmuext_op(&op, 1, NULL, domid);
}

long control_grant_frame(u16 domid, u64 *mfn)
{
    gnttab_setup_table_t op = {.dom = domid, .nr_frames = 1};
    long error;

    set_xen_guest_handle(op.frame_list, mfn);
    error = hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);
    return error ? error : op.status ? -XEN_EINVAL : 0;
}
