/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op: giving pages back, getting them, exchange, maps, limits, errors.
 */
#include "guests/conform/conform.h"

static u64 own_mfn;

static struct xen_memory_reservation reservation(u64 *list, u64 count, u32 order)
{
    struct xen_memory_reservation r = {.nr_extents = count, .extent_order = order, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, list);
    return r;
}

static long pages(void)
{
    domid_t self = DOMID_SELF;

    return hypercall_memory_op(XENMEM_current_reservation, &self);
}

static void queries(void)
{
    domid_t self = DOMID_SELF, nobody = DOMID_NOBODY;

    test("current", "current_reservation: pages of the domain");
    holds("range", pages() >= (long)start_info->nr_pages);
    test("maximum", "maximum_reservation: not less than the current one");
    long max = hypercall_memory_op(XENMEM_maximum_reservation, &self);
    holds("range", max >= pages());
    test("maximum-gpfn", "maximum_gpfn: what the shared info page's max_pfn says");
    shared_info->arch.max_pfn = 4711;
    equal("result", hypercall_memory_op(XENMEM_maximum_gpfn, &self), 4710);
    shared_info->arch.max_pfn = start_info->nr_pages;
    test("maximum-ram-page", "maximum_ram_page: beyond all frames of the domain");
    long last = hypercall_memory_op(XENMEM_maximum_ram_page, NULL);
    holds("range", last > (long)memory_virt_to_mfn(page_alloc()));
    test("nobody", "an unknown domain: -ESRCH");
    equal("current", hypercall_memory_op(XENMEM_current_reservation, &nobody), -XEN_ESRCH);
    equal("maximum", hypercall_memory_op(XENMEM_maximum_reservation, &nobody), -XEN_ESRCH);
    test("fault", "an unreadable argument: -EFAULT");
    for (u32 cmd = 0; cmd < 12; cmd++)
        if (cmd > XENMEM_maximum_ram_page && cmd != XENMEM_populate_physmap && cmd != 8 &&
            (cmd != XENMEM_machine_memory_map || runtime_is_dom0()))
            equal("cmd", hypercall_memory_op(cmd, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("fault-reservation", "of a reservation: no extent done, 0");
    equal("increase", hypercall_memory_op(XENMEM_increase_reservation, (void *)VA_UNMAPPED), 0);
    equal("decrease", hypercall_memory_op(XENMEM_decrease_reservation, (void *)VA_UNMAPPED), 0);
    equal("populate", hypercall_memory_op(XENMEM_populate_physmap, (void *)VA_UNMAPPED), 0);
    test("unknown", "an unknown operation: -ENOSYS");
    equal("8", hypercall_memory_op(8, NULL), -XEN_ENOSYS);
    equal("60", hypercall_memory_op(60, NULL), -XEN_ENOSYS);
}

static void balloon(void)
{
    u8 *page = page_alloc();
    u64 pfn = memory_virt_to_pfn(page), mfn = memory_virt_to_mfn(page), list[4];
    struct xen_memory_reservation r;
    long before = pages();

    test("decrease-mapped", "a page that is still mapped can be given back: it goes when the mapping goes");
    list[0] = mfn;
    r = reservation(list, 1, 0);
    memory_unmap(page);
    equal("result", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    equal("count", pages(), before - 1);
    test("decrease-twice", "once more: 0 extents done");
    equal("result", hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
    test("decrease-m2p", "its m2p entry is invalid");
    equal("m2p", memory_mfn_to_pfn(mfn), ~0ul);
    test("populate", "populate_physmap gives a page for a pfn, sets its m2p entry");
    list[0] = pfn;
    r = reservation(list, 1, 0);
    equal("result", hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
    own_mfn = list[0];
    equal("m2p", memory_mfn_to_pfn(own_mfn), pfn);
    equal("count", pages(), before);
    memory_set_p2m(pfn, own_mfn);
    test("populate-zero", "its contents are zero");
    equal("map", memory_protect(page, MEMORY_RW), 0);
    u64 or_ = 0;
    for (u32 i = 0; i < 512; i++)
        or_ |= ((u64 *)page)[i];
    equal("contents", or_, 0);
    test("decrease-beyond", "a frame beyond memory: nothing done");
    list[0] = MFN_BEYOND;
    r = reservation(list, 1, 0);
    equal("result", hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
    test("decrease-order", "a multi-page extent is given back page by page");
    u8 *two = pages_alloc(2); /* exchanged for two side by side */
    for (u32 i = 0; i < 2; i++) {
        list[i] = memory_virt_to_mfn(two + i * PAGE_SIZE);
        memory_unmap(two + i * PAGE_SIZE);
    }
    r = reservation(list, 2, 0);
    equal("two given back", hypercall_memory_op(XENMEM_decrease_reservation, &r), 2);
    r = reservation(list, 1, 1);
    list[0] = 0;
    equal("an extent of two", hypercall_memory_op(XENMEM_increase_reservation, &r), 1);
    equal("aligned", list[0] & 1, 0);
    before = pages();
    r = reservation(list, 1, 1);
    equal("result", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    equal("count", pages(), before - 2);
    test("decrease-table", "a page table: nothing is done to its type; the extent counts as done");
    u8 *table = (u8 *)table_page();
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    list[0] = memory_virt_to_mfn(table);
    r = reservation(list, 1, 0);
    long got = hypercall_memory_op(XENMEM_decrease_reservation, &r);
    equal("result", got, 1);
    equal("still a table", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0), -XEN_EINVAL);
    test("decrease-shared-info", "the shared info page: counted as done");
    list[0] = start_info->shared_info >> 12;
    got = hypercall_memory_op(XENMEM_decrease_reservation, &r);
    equal("result", got, 1);
    test("increase", "increase_reservation gives frames by number");
    r = reservation(list, 2, 0);
    list[0] = list[1] = 0;
    got = hypercall_memory_op(XENMEM_increase_reservation, &r);
    equal("result", got, 2);
    differ("frame", list[0], 0);
    test("increase-null", "without a list the frames are given all the same");
    r = (struct xen_memory_reservation){.nr_extents = 1, .domid = DOMID_SELF};
    got = hypercall_memory_op(XENMEM_increase_reservation, &r);
    equal("result", got, 1);
    test("populate-order-max", "an extent above the largest order: 0 done or -EPERM");
    list[0] = 0x100000;
    r = reservation(list, 1, 30);
    got = hypercall_memory_op(XENMEM_populate_physmap, &r);
    equal("result", got, 0);
    test("empty", "no extents: 0");
    r = reservation(list, 0, 0);
    equal("populate", hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
    equal("decrease", hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
    test("extent-fault", "an unreadable list of extents: 0 done");
    r = reservation((u64 *)VA_UNMAPPED, 1, 0);
    equal("populate", hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
    test("extent-hypervisor", "a list in the hypervisor's range: 0 done");
    r = reservation((u64 *)VA_HYPERVISOR, 1, 0);
    equal("decrease", hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
    test("nobody-reservation", "an unknown domain: 0 extents done");
    r = reservation(list, 1, 0);
    r.domid = DOMID_NOBODY;
    got = hypercall_memory_op(XENMEM_populate_physmap, &r);
    equal("result", got, 0);
}

static void exchange(void)
{
    u8 *page = page_alloc();
    u64 in[2], out[2];
    struct xen_memory_exchange e = {.nr_exchanged = 0};
    long before = pages();

    in[0] = memory_virt_to_mfn(page);
    out[0] = memory_virt_to_pfn(page);
    e.in = reservation(in, 1, 0);
    e.out = reservation(out, 1, 0);
    memory_unmap(page);
    test("exchange", "one page for another: the new frame's number comes back");
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), 0);
    equal("exchanged", e.nr_exchanged, 1);
    equal("count", pages(), before);
    equal("m2p", memory_mfn_to_pfn(out[0]), memory_virt_to_pfn(page));
    memory_set_p2m(memory_virt_to_pfn(page), out[0]);
    equal("mapped", memory_protect(page, MEMORY_RW), 0);
    test("exchange-mapped", "a page that is mapped cannot be exchanged: -EINVAL");
    in[0] = memory_virt_to_mfn(page);
    out[0] = memory_virt_to_pfn(page);
    e = (struct xen_memory_exchange){.in = reservation(in, 1, 0), .out = reservation(out, 1, 0)};
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    equal("exchanged", e.nr_exchanged, 0);
    test("exchange-sizes", "in and out of different sizes: -EINVAL");
    e = (struct xen_memory_exchange){.in = reservation(in, 1, 0), .out = reservation(out, 2, 0)};
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    test("exchange-domains", "in and out of different domains: -EINVAL");
    e = (struct xen_memory_exchange){.in = reservation(in, 1, 0), .out = reservation(out, 1, 0)};
    e.out.domid = 5;
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    test("exchange-done", "nr_exchanged above the number of extents: -EINVAL");
    e = (struct xen_memory_exchange){.in = reservation(in, 1, 0), .out = reservation(out, 1, 0), .nr_exchanged = 9};
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    test("exchange-fault", "an unreadable list: -EFAULT");
    e = (struct xen_memory_exchange){.in = reservation((u64 *)VA_UNMAPPED, 1, 0), .out = reservation(out, 1, 0)};
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EFAULT);
    test("exchange-beyond", "a frame beyond memory: -EINVAL");
    in[0] = MFN_BEYOND;
    e = (struct xen_memory_exchange){.in = reservation(in, 1, 0), .out = reservation(out, 1, 0)};
    equal("result", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
}

static void maps(void)
{
    static struct {
        u64 addr, size;
        u32 type;
    } __attribute__((packed)) entries[64];
    struct xen_memory_map map = {.nr_entries = 64};
    struct xen_machphys_mapping mapping;
    static u64 frames[16];
    struct xen_machphys_mfn_list list = {.max_extents = 16};
    struct xen_add_to_physmap add = {.domid = DOMID_SELF};

    set_xen_guest_handle(map.buffer, (void *)entries);
    test("memory-map", "memory_map of a domain that was given none: -ENOSYS");
    long got = hypercall_memory_op(XENMEM_memory_map, &map);
    equal("result", got, -XEN_ENOSYS);
    test("machine-memory-map", "machine_memory_map: for the initial domain only");
    map.nr_entries = 64;
    got = hypercall_memory_op(XENMEM_machine_memory_map, &map);
    if (runtime_is_dom0()) {
        equal("result", got, 0);
        holds("entries", map.nr_entries > 0 && map.nr_entries < 64);
        equal("first", entries[0].addr, 0);
    } else
        equal("result", got, -XEN_EPERM);
    test("machine-memory-map-small", "with room for too few entries: -EINVAL");
    map.nr_entries = 1;
    got = hypercall_memory_op(XENMEM_machine_memory_map, &map);
    if (runtime_is_dom0())
        equal("result", got, -XEN_EINVAL);
    else
        equal("result", got, -XEN_EPERM);
    test("machphys-mapping", "where the m2p table is and how far it goes");
    equal("result", hypercall_memory_op(XENMEM_machphys_mapping, &mapping), 0);
    equal("start", mapping.v_start, MACH2PHYS_BASE);
    holds("end", mapping.v_end > mapping.v_start);
    holds("max", mapping.max_mfn >= memory_virt_to_mfn(entries));
    test("machphys-list", "the frames of the m2p table, one for each 2 MiB");
    set_xen_guest_handle(list.extent_start, frames);
    equal("result", hypercall_memory_op(XENMEM_machphys_mfn_list, &list), 0);
    holds("extents", list.nr_extents >= 1);
    differ("frame", frames[0], 0);
    test("machphys-list-short", "with room for none: 0 extents");
    list.max_extents = 0;
    equal("result", hypercall_memory_op(XENMEM_machphys_mfn_list, &list), 0);
    equal("extents", list.nr_extents, 0);
    test("add-to-physmap", "add_to_physmap of a PV domain: -EACCES");
    got = hypercall_memory_op(XENMEM_add_to_physmap, &add);
    equal("result", got, -XEN_EACCES);
}

void guest_main(void)
{
    report_start("memory-op");
    queries();
    balloon();
    exchange();
    maps();
    report_end();
}
