/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: interrupts of the initial domain.  Ports and IOPL are in ioports.c.
 */
#include "guests/conform/conform.h"

static long map_gsi(int gsi, int *pirq)
{
    struct physdev_map_pirq op = {.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = gsi, .pirq = *pirq};
    long error = hypercall_physdev_op(PHYSDEVOP_map_pirq, &op);

    *pirq = op.pirq;
    return error;
}

static struct physdev_setup_gsi gsi = {.gsi = 5, .triggering = 0, .polarity = 0};

static void mapping(void)
{
    int pirq;

    test("setup-gsi", "setup_gsi of an interrupt: 0");
    equal("result", hypercall_physdev_op(PHYSDEVOP_setup_gsi, &gsi), 0);
    test("setup-gsi-range", "of one beyond the IO-APIC's: -EINVAL");
    gsi.gsi = 4000;
    equal("result", hypercall_physdev_op(PHYSDEVOP_setup_gsi, &gsi), -XEN_EINVAL);
    test("map-gsi", "map_pirq of a GSI gives the PIRQ of the same number");
    pirq = 5;
    equal("result", map_gsi(5, &pirq), 0);
    equal("pirq", pirq, 5);
    test("map-again", "once more: the same PIRQ");
    pirq = 5;
    equal("result", map_gsi(5, &pirq), 0);
    test("map-any", "with PIRQ -1 the hypervisor chooses");
    pirq = -1;
    long got = map_gsi(6, &pirq);
    equal("result", got, 0);
    holds("pirq", pirq >= 0);
    test("map-range", "a GSI that does not exist: -EINVAL");
    pirq = -1;
    equal("result", map_gsi(5000, &pirq), -XEN_EINVAL);
    test("map-type", "an unknown type: -EINVAL");
    struct physdev_map_pirq odd = {.domid = DOMID_SELF, .type = 77, .index = 1, .pirq = -1};
    equal("result", hypercall_physdev_op(PHYSDEVOP_map_pirq, &odd), -XEN_EINVAL);
    test("map-domain", "for an unknown domain: -ESRCH");
    odd.type = MAP_PIRQ_TYPE_GSI;
    odd.domid = DOMID_NOBODY;
    equal("result", hypercall_physdev_op(PHYSDEVOP_map_pirq, &odd), -XEN_ESRCH);
}

static void binding(void)
{
    struct physdev_irq_status_query query = {.irq = 5};
    struct physdev_eoi eoi = {.irq = 5};
    struct physdev_unmap_pirq unmap = {.domid = DOMID_SELF};
    evtchn_bind_pirq_t bind = {.pirq = 5};
    long got;

    test("bind", "a mapped PIRQ can be bound to a port");
    got = hypercall_event_channel_op(EVTCHNOP_bind_pirq, &bind);
    equal("result", got, 0);
    evtchn_status_t s = {.dom = DOMID_SELF, .port = bind.port};
    hypercall_event_channel_op(EVTCHNOP_status, &s);
    equal("state", s.status, EVTCHNSTAT_pirq);
    equal("pirq", s.u.pirq, 5);
    test("bind-twice", "once more: -EEXIST");
    evtchn_bind_pirq_t again = {.pirq = 5};
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_pirq, &again), -XEN_EEXIST);
    test("status", "irq_status_query of a bound interrupt: needs EOI");
    equal("result", hypercall_physdev_op(PHYSDEVOP_irq_status_query, &query), 0);
    equal("flags", query.flags & XENIRQSTAT_needs_eoi, XENIRQSTAT_needs_eoi);
    test("status-range", "of one that does not exist: -EINVAL");
    query.irq = 100000;
    equal("result", hypercall_physdev_op(PHYSDEVOP_irq_status_query, &query), -XEN_EINVAL);
    test("eoi", "eoi of a bound interrupt: 0");
    equal("result", hypercall_physdev_op(PHYSDEVOP_eoi, &eoi), 0);
    test("eoi-range", "of one that does not exist: -EINVAL");
    eoi.irq = 100000;
    equal("result", hypercall_physdev_op(PHYSDEVOP_eoi, &eoi), -XEN_EINVAL);
    test("close", "closing its port unbinds it");
    equal("close", event_close(bind.port), 0);
    equal("bind", hypercall_event_channel_op(EVTCHNOP_bind_pirq, &again), 0);
    event_close(again.port);
    test("unmap", "unmap_pirq of a mapped one: 0");
    unmap.pirq = 5;
    equal("result", hypercall_physdev_op(PHYSDEVOP_unmap_pirq, &unmap), 0);
    test("unmap-twice", "once more: -EINVAL");
    got = hypercall_physdev_op(PHYSDEVOP_unmap_pirq, &unmap);
    equal("result", got, -XEN_EINVAL);
}

static void io_apic(void)
{
    struct physdev_apic apic = {.apic_physbase = 0xfec00000, .reg = 1};
    long got;

    test("apic-read", "apic_read of the IO-APIC's version");
    got = hypercall_physdev_op(PHYSDEVOP_apic_read, &apic);
    equal("result", got, 0);
    equal("version", apic.value & 0xff, 0x11);
    test("apic-read-none", "of an IO-APIC that is not there: -EINVAL");
    apic.apic_physbase = 0x12345000;
    equal("result", hypercall_physdev_op(PHYSDEVOP_apic_read, &apic), -XEN_EINVAL);
}

static void eoi_page(void)
{
    int pirq = 7;

    test("eoi-gmfn", "pirq_eoi_gmfn with a frame that is not the domain's: -EINVAL");
    struct physdev_pirq_eoi_gmfn page = {.gmfn = MFN_BEYOND};
    equal("v1", hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v1, &page), -XEN_EINVAL);
    equal("v2", hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &page), -XEN_EINVAL);
    test("eoi-gmfn-own", "with a page of its own: 0, once; then -EBUSY");
    page.gmfn = memory_virt_to_mfn(page_alloc());
    equal("v2", hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &page), 0);
    equal("again", hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &page), -XEN_EBUSY);
    test("eoi-page", "whose bit of an edge-triggered interrupt is clear: it needs no EOI");
    equal("map", map_gsi(7, &pirq), 0);
    evtchn_bind_pirq_t seven = {.pirq = 7};
    equal("bind", hypercall_event_channel_op(EVTCHNOP_bind_pirq, &seven), 0);
    equal("bit", *(volatile u64 *)memory_mfn_to_virt(page.gmfn) >> 7 & 1, 0);
}

static void others(void)
{
    struct physdev_eoi eoi = {.irq = 100000};
    long got;

    test("alloc-vector", "alloc_irq_vector answers the irq as its vector");
    struct physdev_irq irq = {.irq = 5, .vector = 0};
    equal("result", hypercall_physdev_op(PHYSDEVOP_alloc_irq_vector, &irq), 0);
    equal("vector", irq.vector, 5);
    test("msi-none", "MSI of a PCI device that is not there: -ENODEV");
    struct physdev_restore_msi restore = {.bus = 77, .devfn = 8};
    struct physdev_pci_device device = {.seg = 0, .bus = 77, .devfn = 8};
    equal("restore_msi", hypercall_physdev_op(PHYSDEVOP_restore_msi, &restore), -XEN_ENODEV);
    equal("restore_msi_ext", hypercall_physdev_op(PHYSDEVOP_restore_msi_ext, &device), -XEN_ENODEV);
    got = hypercall_physdev_op(PHYSDEVOP_prepare_msix, &device);
    equal("prepare_msix", got, -XEN_ENODEV);
    test("free-pirq", "get_free_pirq: a number that is not in use");
    struct physdev_get_free_pirq free = {.type = MAP_PIRQ_TYPE_GSI};
    equal("result", hypercall_physdev_op(PHYSDEVOP_get_free_pirq, &free), 0);
    test("fault", "an unreadable argument: -EFAULT");
    equal("eoi", hypercall_physdev_op(PHYSDEVOP_eoi, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("status", hypercall_physdev_op(PHYSDEVOP_irq_status_query, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("map", hypercall_physdev_op(PHYSDEVOP_map_pirq, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("gsi", hypercall_physdev_op(PHYSDEVOP_setup_gsi, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("unknown", "an unknown operation: -ENOSYS");
    equal("99", hypercall_physdev_op(99, &eoi), -XEN_ENOSYS);
}

void guest_main(void)
{
    report_start("physdev");
    if (!runtime_is_dom0()) {
        test("domain", "only the initial domain has interrupts: -EPERM");
        equal("result", hypercall_physdev_op(PHYSDEVOP_setup_gsi, &gsi), -XEN_EPERM);
    } else {
        mapping();
        binding();
        io_apic();
        eoi_page();
        others();
    }
    report_end();
}
