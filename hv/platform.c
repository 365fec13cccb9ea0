/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform_op: what domain 0 tells and asks about the machine. */
#include "hv/access.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/time.h"

#include <xen/platform.h>

#define BDA_KEYBOARD_FLAGS 0x417u /* BIOS data area: what int 16, AH=02 answers */

static long op_firmware_info(xenpf_firmware_info_t *op)
{
    switch (op->type) {
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
        return -ESRCH; /* the BIOS was not asked about disks and screens */
    case XEN_FW_EFI_INFO:
        return -ENOSYS;
    case XEN_FW_KBD_SHIFT_FLAGS:
        if (op->index)
            return -ESRCH;
        op->u.kbd_shift_flags = ((const volatile u8 *)hv_mfn_va(0))[BDA_KEYBOARD_FLAGS];
        return 0;
    default:
        return -EINVAL;
    }
}

static long op_get_cpuinfo(xenpf_pcpuinfo_t *op)
{
    u32 r[4];

    op->max_present = 0;
    if (op->xen_cpuid) {
        op->flags = XEN_PCPU_FLAGS_INVALID;
        return 0;
    }
    hv_cpuid(1, 0, r);
    op->flags = XEN_PCPU_FLAGS_ONLINE;
    op->apic_id = r[1] >> 24;
    op->acpi_id = 0;
    return 0;
}

static long op_get_cpu_version(xenpf_pcpu_version_t *op)
{
    u32 r[4], family, model;

    op->max_present = 0;
    if (op->xen_cpuid) {
        memset(op->vendor_id, 0, sizeof(op->vendor_id));
        op->family = op->model = op->stepping = 0;
        return 0;
    }
    hv_cpuid(0, 0, r);
    memcpy(op->vendor_id, &r[1], 4);
    memcpy(op->vendor_id + 4, &r[3], 4);
    memcpy(op->vendor_id + 8, &r[2], 4);
    hv_cpuid(1, 0, r);
    family = r[0] >> 8 & 15;
    model = r[0] >> 4 & 15;
    if (family >= 6)
        model |= r[0] >> 12 & 0xf0;
    if (family == 15)
        family += r[0] >> 20 & 0xff;
    op->family = family;
    op->model = model;
    op->stepping = r[0] & 15;
    return 0;
}

/* Returns: 0 to have @op copied back; else the result. */
static long dispatch(xen_platform_op_t *op)
{
    switch (op->cmd) {
    case XENPF_settime32:
        hv_wallclock_set(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
        return 0;
    case XENPF_settime64:
        if (op->u.settime64.mbz)
            return -EINVAL;
        hv_wallclock_set(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
        return 0;
    case XENPF_firmware_info:
        return op_firmware_info(&op->u.firmware_info);
    case XENPF_get_cpuinfo:
        return op_get_cpuinfo(&op->u.pcpu_info);
    case XENPF_get_cpu_version:
        return op_get_cpu_version(&op->u.pcpu_version);
    case XENPF_cpu_online:
        return op->u.cpu_ol.cpuid ? -EINVAL : 0; /* the only one, and it is */
    case XENPF_cpu_offline:
        return op->u.cpu_ol.cpuid ? -EINVAL : -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(platform_op)
{
    xen_platform_op_t op;
    long rc;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return -EACCES;
    if (!hv_privileged())
        return -EPERM;
    rc = dispatch(&op);
    return rc ? rc : hv_store_guest(a0, &op);
}
