/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: I/O privilege of the caller, and the interrupts and IO-APIC of the machine for domain 0.
 */
#include "hv/access.h"
#include "hv/apic.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/irq.h"

#include <xen/physdev.h>

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_RTE 0x10u /* first register of the routing table, two for each pin */
#define RTE_LOW 0x2000u
#define RTE_LEVEL 0x8000u

union physdev_args {
    physdev_eoi_t eoi;
    physdev_pirq_eoi_gmfn_t eoi_gmfn;
    physdev_irq_status_query_t status;
    physdev_set_iopl_t iopl;
    physdev_set_iobitmap_t iobitmap;
    physdev_apic_t apic;
    physdev_irq_t irq;
    physdev_map_pirq_t map;
    physdev_unmap_pirq_t unmap;
    physdev_setup_gsi_t setup;
    physdev_get_free_pirq_t free;
};

static int op_irq_status(physdev_irq_status_query_t *op)
{
    if (op->irq >= hv_pirq_limit(hv_current->domain))
        return -EINVAL;
    /* Who wants to know more precisely registers a page by pirq_eoi_gmfn. */
    op->flags = XENIRQSTAT_needs_eoi;
    return 0;
}

static int op_set_iopl(const physdev_set_iopl_t *op)
{
    if (op->iopl > 3)
        return -EINVAL;
    hv_current->iopl = op->iopl;
    return 0;
}

static int op_apic_read(physdev_apic_t *op)
{
    if (!hv_privileged())
        return -EPERM;
    if (op->apic_physbase != IOAPIC_BASE)
        return -EINVAL;
    op->value = hv_ioapic_read(op->reg);
    return 0;
}

/* Of the routing table domain 0 decides trigger and polarity; the rest is the hypervisor's. */
static int op_apic_write(const physdev_apic_t *op)
{
    if (!hv_privileged())
        return -EPERM;
    if (op->apic_physbase != IOAPIC_BASE)
        return -EINVAL;
    if (op->reg < IOAPIC_RTE || op->reg % 2)
        return 0;
    hv_pirq_setup((op->reg - IOAPIC_RTE) / 2, op->value & RTE_LEVEL, op->value & RTE_LOW);
    return 0;
}

static int op_map_pirq(physdev_map_pirq_t *op)
{
    struct hv_domain *d = hv_domain_resolve(op->domid);

    if (!d)
        return -ESRCH;
    if (!hv_privileged())
        return -EPERM;
    switch (op->type) {
    case MAP_PIRQ_TYPE_GSI:
        if (op->index < 0)
            return -EINVAL;
        /* Interrupts are for domain 0: there is no other with devices. */
        return d == hv_dom0 ? hv_pirq_map(d, op->index, &op->pirq) : -EINVAL;
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return -ENODEV; /* no PCI device was ever made known */
    default:
        return -EINVAL;
    }
}

static int op_unmap_pirq(const physdev_unmap_pirq_t *op)
{
    struct hv_domain *d = hv_domain_resolve(op->domid);

    if (!d)
        return -ESRCH;
    if (!hv_privileged())
        return -EPERM;
    return d == hv_dom0 ? hv_pirq_unmap(d, op->pirq) : -EINVAL;
}

static int op_setup_gsi(const physdev_setup_gsi_t *op)
{
    if (op->gsi < 0 || op->gsi >= (int)HV_NR_GSI)
        return -EINVAL;
    if (!hv_privileged())
        return -EPERM;
    return hv_pirq_setup(op->gsi, op->triggering, op->polarity);
}

static const struct {
    u8 size;
    bool returns;
} ops[] = {
    [PHYSDEVOP_irq_status_query] = {sizeof(physdev_irq_status_query_t), true},
    [PHYSDEVOP_set_iopl] = {sizeof(physdev_set_iopl_t), false},
    [PHYSDEVOP_set_iobitmap] = {sizeof(physdev_set_iobitmap_t), false},
    [PHYSDEVOP_apic_read] = {sizeof(physdev_apic_t), true},
    [PHYSDEVOP_apic_write] = {sizeof(physdev_apic_t), false},
    [PHYSDEVOP_alloc_irq_vector] = {sizeof(physdev_irq_t), true},
    [PHYSDEVOP_eoi] = {sizeof(physdev_eoi_t), false},
    [PHYSDEVOP_map_pirq] = {sizeof(physdev_map_pirq_t), true},
    [PHYSDEVOP_unmap_pirq] = {sizeof(physdev_unmap_pirq_t), false},
    [PHYSDEVOP_pirq_eoi_gmfn_v1] = {sizeof(physdev_pirq_eoi_gmfn_t), false},
    [PHYSDEVOP_setup_gsi] = {sizeof(physdev_setup_gsi_t), false},
    [PHYSDEVOP_pirq_eoi_gmfn_v2] = {sizeof(physdev_pirq_eoi_gmfn_t), false},
};

static long dispatch(u32 cmd, union physdev_args *a)
{
    struct hv_domain *d = hv_current->domain;

    switch (cmd) {
    case PHYSDEVOP_irq_status_query:
        return op_irq_status(&a->status);
    case PHYSDEVOP_set_iopl:
        return op_set_iopl(&a->iopl);
    case PHYSDEVOP_set_iobitmap:
        if (a->iobitmap.nr_ports > 0x10000 ||
            !hv_guest_range_ok((u64)a->iobitmap.bitmap.p, (a->iobitmap.nr_ports + 7) / 8))
            return -EINVAL;
        return hv_iobitmap_set(hv_current, (u64)a->iobitmap.bitmap.p, a->iobitmap.nr_ports);
    case PHYSDEVOP_apic_read:
        return op_apic_read(&a->apic);
    case PHYSDEVOP_apic_write:
        return op_apic_write(&a->apic);
    case PHYSDEVOP_alloc_irq_vector:
        if (!hv_privileged())
            return -EPERM;
        a->irq.vector = a->irq.irq; /* vectors are not the guest's business */
        return 0;
    case PHYSDEVOP_eoi:
        return hv_pirq_eoi(d, a->eoi.irq);
    case PHYSDEVOP_map_pirq:
        return op_map_pirq(&a->map);
    case PHYSDEVOP_unmap_pirq:
        return op_unmap_pirq(&a->unmap);
    case PHYSDEVOP_pirq_eoi_gmfn_v1:
    case PHYSDEVOP_pirq_eoi_gmfn_v2:
        return hv_pirq_eoi_map(d, a->eoi_gmfn.gmfn, cmd == PHYSDEVOP_pirq_eoi_gmfn_v1);
    case PHYSDEVOP_setup_gsi:
        return op_setup_gsi(&a->setup);
    default:
        return -ENOSYS;
    }
}

static long physdev_op(u32 cmd, u64 arg)
{
    union physdev_args a;
    long rc;

    switch (cmd) {
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY:
        hv_pirq_eoi_all(hv_current->domain);
        return 0;
    case PHYSDEVOP_restore_msi: /* about PCI devices: none was ever made known */
    case PHYSDEVOP_restore_msi_ext:
    case PHYSDEVOP_pci_mmcfg_reserved:
    case PHYSDEVOP_prepare_msix:
    case PHYSDEVOP_release_msix:
        return hv_privileged() ? -ENODEV : -EPERM;
    }
    if (cmd >= HV_ARRAY_SIZE(ops) || !ops[cmd].size)
        return -ENOSYS;
    if (hv_copy_from_guest(&a, arg, ops[cmd].size))
        return -EFAULT;
    rc = dispatch(cmd, &a);
    if (rc == 0 && ops[cmd].returns && hv_copy_to_guest(arg, &a, ops[cmd].size))
        return -EFAULT;
    return rc;
}

HV_HYPERCALL(physdev_op)
{
    return physdev_op(a0, a1);
}

HV_HYPERCALL(physdev_op_compat)
{
    physdev_op_t op;

    if (hv_load_guest(&op, a0))
        return -EFAULT;
    return physdev_op(op.cmd, a0 + offsetof(physdev_op_t, u));
}
