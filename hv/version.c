/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor says about itself, and the calls a PV guest only finds out about: hvm_op, xsm_op.
 */
#include "hv/access.h"
#include "hv/boot.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/layout.h"
#include "hv/lib.h"
#include "hv/version.h"

#include <xen/features.h>
#include <xen/trace.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/version.h>

#define XEN_MAJOR 4u /* the version whose interface this is */
#define XEN_MINOR 17u

static u32 features(const struct hv_domain *d)
{
    u32 map = 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |
              1u << XENFEAT_gnttab_map_avail_bits | 1u << XENFEAT_memory_op_vnode_supported |
              1u << XENFEAT_direct_mapped;

    if (d->vm_assist >> VMASST_TYPE_pae_extended_cr3 & 1)
        map |= 1u << XENFEAT_pae_pgdir_above_4gb;
    if (d == hv_dom0)
        map |= 1u << XENFEAT_dom0;
    return map;
}

/* Copies @text and zeros up to @size bytes; nothing else of the hypervisor's memory leaves it. */
static long put_text(u64 to, const char *text, size_t size)
{
    char buffer[1024] = {0};

    hv_snprintf(buffer, size, "%s", text);
    return hv_copy_to_guest(to, buffer, size) ? -EFAULT : 0;
}

static long put_compile_info(u64 to)
{
    xen_compile_info_t info = {0};

    hv_snprintf(info.compiler, sizeof(info.compiler), "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__,
                __GNUC_PATCHLEVEL__);
    return hv_store_guest(to, &info);
}

HV_HYPERCALL(xen_version)
{
    struct hv_domain *d = hv_current->domain;
    xen_feature_info_t feature;
    u64 virt_start = HV_VA_START;

    switch ((u32)a0) {
    case XENVER_version:
        return XEN_MAJOR << 16 | XEN_MINOR;
    case XENVER_extraversion:
        return put_text(a1, HV_EXTRAVERSION, XEN_EXTRAVERSION_LEN);
    case XENVER_compile_info:
        return put_compile_info(a1);
    case XENVER_capabilities:
        return put_text(a1, "xen-3.0-x86_64 ", XEN_CAPABILITIES_INFO_LEN);
    case XENVER_changeset:
        return put_text(a1, "unavailable", XEN_CHANGESET_INFO_LEN);
    case XENVER_platform_parameters:
        return hv_store_guest(a1, &virt_start);
    case XENVER_get_features:
        if (hv_load_guest(&feature, a1))
            return -EFAULT;
        if (feature.submap_idx)
            return -EINVAL;
        feature.submap = features(d);
        return hv_store_guest(a1, &feature);
    case XENVER_pagesize:
        return a1 ? -EINVAL : (long)HV_PAGE_SIZE;
    case XENVER_guest_handle:
        return hv_store_guest(a1, &d->handle);
    case XENVER_commandline:
        return put_text(a1, hv_privileged() ? hv_boot.cmdline : "<denied>",
                        sizeof(xen_commandline_t));
    case XENVER_build_id:
        return hv_privileged() ? -ENODATA : -EPERM;
    default:
        return -ENOSYS;
    }
}

/* Set or get: which of the ways to fail it is.  There is no HVM domain. */
static long hvm_param(u64 arg)
{
    struct xen_hvm_param op;

    if (hv_load_guest(&op, arg))
        return -EFAULT;
    if (op.index < HVM_NR_PARAMS && !hv_domain_resolve(op.domid))
        return -ESRCH;
    return -EINVAL;
}

static long hvm_get_mem_type(u64 arg)
{
    struct xen_hvm_get_mem_type op;

    if (hv_load_guest(&op, arg))
        return -EFAULT;
    return hv_domain_resolve(op.domid) ? -EINVAL : -ESRCH;
}

static long hvm_pagetable_dying(u64 arg)
{
    struct xen_hvm_pagetable_dying op;

    if (hv_load_guest(&op, arg))
        return -EFAULT;
    return hv_domain_resolve(op.domid) ? -EINVAL : -ESRCH;
}

/* A guest may write to the trace buffers, if there are any. */
static long hvm_trace(u64 arg)
{
    xen_hvm_xentrace_t op;

    if (hv_load_guest(&op, arg))
        return -EFAULT;
    return op.extra_bytes > sizeof(op.extra) || op.event >= 1u << TRC_SUBCLS_SHIFT ? -EINVAL : 0;
}

HV_HYPERCALL(hvm_op)
{
    struct xen_hvm_get_time time = {0};

    switch ((u32)a0) {
    case HVMOP_set_param:
    case HVMOP_get_param:
        return hvm_param(a1);
    case HVMOP_flush_tlbs:
    case HVMOP_set_evtchn_upcall_vector:
        return -EINVAL;
    case HVMOP_pagetable_dying:
        return hvm_pagetable_dying(a1);
    case HVMOP_get_time:
        time.now = hv_now();
        return hv_store_guest(a1, &time);
    case HVMOP_xentrace:
        return hvm_trace(a1);
    case HVMOP_guest_request_vm_event: /* nobody listens */
        return a1 ? -EINVAL : 0;
    case HVMOP_get_mem_type:
        return hvm_get_mem_type(a1);
    case HVMOP_altp2m:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(xsm_op)
{
    return -ENOSYS; /* no security module */
}
