/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op: giving back what is in use, asking for too much, at bad addresses, in others' names.
 */
#include "guests/hostile/hostile.h"

#define GROUP "memory"

static long reservation(u32 cmd, u64 *list, u64 count, u32 order, u16 domid)
{
    struct xen_memory_reservation r = {.nr_extents = count, .extent_order = order, .domid = domid};

    set_xen_guest_handle(r.extent_start, list);
    return hypercall_memory_op(cmd, &r);
}

ATTACK(give_back_tables, FLAW_LIFE, "a pinned table of each level is given back: it stays a table, and the domain's, until it is unpinned")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level), mfn = mfn_of(table);
        long before = pages_now();

        equal("give back", give_frame_back(mfn), 1);
        equal("twice", give_frame_back(mfn), 0);
        equal("writable", memory_protect(table, MEMORY_RW), -XEN_EBUSY);
        equal("entry", set_entry(table + 1, 0), 0);
        memory_unmap(table);
        equal("still counted", pages_now(), before);
        equal("recount", (u64)recount(), 0);
        equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
        equal("gone", pages_now(), before - 1);
        equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), -XEN_EINVAL);
        page_again(table);
    }
}

ATTACK(give_back_tree, FLAW_LIFE, "the inner tables of a pinned tree are given back: they live as long as the tree, and go with it")
{
    struct tree t = tree_make();
    long before = pages_now();

    for (u32 level = 1; level <= 3; level++) {
        equal("give back", give_frame_back(mfn_of(t.table[level])), 1);
        memory_unmap(t.table[level]);
    }
    equal("still counted", pages_now(), before);
    equal("recount", (u64)recount(), 0);
    equal("unpin", unpin(t.table[4]), 0);
    equal("gone", pages_now(), before - 3);
    for (u32 level = 1; level <= 3; level++)
        page_again(t.table[level]);
    page_back(t.table[4]);
}

ATTACK(give_back_root, FLAW_LIFE, "the root in use is unpinned and given back: it is held while it is loaded, and goes when there is another")
{
    u64 *first = memory_root(), *second = page_alloc(), mfn;
    long before = pages_now();

    for (u32 i = 0; i < 512; i++)
        second[i] = i >= 256 && i <= 271 ? 0 : first[i];
    memory_protect(second, MEMORY_RO);
    equal("pin", pin(4, second), 0);
    equal("second root", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(second), 0), 0);
    equal("unpin it", unpin(second), 0);
    mfn = mfn_of(second);
    equal("give it back", give_frame_back(mfn), 1);
    memory_unmap(second);
    equal("still counted", pages_now(), before);
    equal("recount", (u64)recount(), 0);
    equal("it still works", store(memory_pfn_to_virt(memory_virt_to_pfn(&mfn)), mfn) != TRAP_NONE, 0);
    equal("first root", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(first), 0), 0);
    equal("gone", pages_now(), before - 1);
    page_again(second);
}

ATTACK(give_back_descriptors, FLAW_LIFE, "the page of the GDT in use is given back: it is held until there is another GDT")
{
    u64 *page = table_page(), mfn = mfn_of(page);
    long before = pages_now();

    equal("set", hypercall_set_gdt(&mfn, 512), 0);
    equal("give back", give_frame_back(mfn), 1);
    memory_unmap(page);
    equal("still counted", pages_now(), before);
    equal("recount", (u64)recount(), 0);
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    equal("gone", pages_now(), before - 1);
    page_again(page);
}

ATTACK(give_back_granted, FLAW_LIFE, "a page that is mapped by grant is given back: it is held until the map is gone")
{
    u64 *page = page_alloc(), mfn = mfn_of(page), va = memory_reserve(1);
    u32 handle, ref = offer(mfn);
    long before = pages_now();

    memory_map(va, 0);
    equal("map", map_grant(ref, va, GNTMAP_host_map, &handle), GNTST_okay);
    memory_unmap(page);
    equal("give back", give_frame_back(mfn), 1);
    equal("store", store((void *)va, 1), TRAP_NONE);
    equal("still counted", pages_now(), before);
    equal("recount", (u64)recount(), 0);
    equal("unmap", grant_unmap(handle, va), GNTST_okay);
    equal("gone", pages_now(), before - 1);
    holds("the grant ends", grant_end(ref));
    page_again(page);
}

ATTACK(exchange_in_use, FLAW_LIFE, "an exchange whose list holds a frame in use (mapped, only read-only too, table, GDT, shared, twice): -EINVAL, all others come back")
{
    u64 *free = page_alloc(), *busy[4], list[2], out[2];
    struct xen_memory_exchange e = {.in = {.nr_extents = 2, .domid = DOMID_SELF},
                                    .out = {.nr_extents = 1, .extent_order = 1, .domid = DOMID_SELF}};
    u64 mfn = mfn_of(free), pfn = memory_virt_to_pfn(free), gdt, bad[6];
    long before;

    busy[0] = page_alloc();
    busy[1] = pinned_table(1);
    busy[2] = table_page();
    busy[3] = table_page(); /* no table: nothing but a read-only mapping */
    gdt = mfn_of(busy[2]);
    equal("GDT", hypercall_set_gdt(&gdt, 512), 0);
    memory_unmap(free);
    for (u32 i = 0; i < 4; i++)
        bad[i] = mfn_of(busy[i]);
    bad[4] = start_info->shared_info >> 12;
    bad[5] = mfn;
    before = pages_now();
    for (u32 i = 0; i < 6; i++) {
        list[0] = mfn;
        list[1] = bad[i];
        out[0] = pfn;
        set_xen_guest_handle(e.in.extent_start, list);
        set_xen_guest_handle(e.out.extent_start, out);
        e.nr_exchanged = 0;
        equal("exchange", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
        equal("none done", e.nr_exchanged, 0);
        equal("out", out[0], pfn);
        equal("m2p", memory_mfn_to_pfn(mfn), pfn);
        equal("pages", pages_now(), before);
        equal("recount", (u64)recount(), 0);
    }
    equal("no GDT", hypercall_set_gdt(NULL, 0), 0);
    equal("unpin", unpin(busy[1]), 0);
    for (u32 i = 0; i < 4; i++)
        page_back(busy[i]);
    page_back(free);
}

ATTACK(exchange_fails, FLAW_LIFE, "an exchange for which there is no memory, or whose list ends in the midst of an extent: -ENOMEM, -EFAULT, all comes back")
{
    u64 *free[2] = {page_alloc(), page_alloc()}, out[2], list[2], *end, before;
    u64 at = memory_reserve(2);

    end = page_alloc();
    memory_map(at, entry_of(end, MEMORY_RW));
    memory_map(at + PAGE_SIZE, 0);
    for (u32 i = 0; i < 2; i++) {
        list[i] = mfn_of(free[i]);
        memory_unmap(free[i]);
    }
    end[511] = list[0];
    before = (u64)pages_now();
    for (u32 i = 0; i < 3; i++) {
        struct xen_memory_exchange e = {.in = {.nr_extents = 2, .domid = DOMID_SELF},
                                        .out = {.nr_extents = 1, .extent_order = 1, .domid = DOMID_SELF}};

        out[0] = memory_virt_to_pfn(free[0]);
        set_xen_guest_handle(e.out.extent_start, out);
        set_xen_guest_handle(e.in.extent_start, i < 2 ? list : (u64 *)at + 511);
        if (i < 2) /* nothing lies so low */
            e.out.mem_flags = XENMEMF_address_bits(i ? 13 : 1);
        equal("exchange", hypercall_memory_op(XENMEM_exchange, &e), i < 2 ? -XEN_ENOMEM : -XEN_EFAULT);
        equal("none done", e.nr_exchanged, 0);
        equal("pages", (u64)pages_now(), before);
        for (u32 k = 0; k < 2; k++)
            equal("m2p", memory_mfn_to_pfn(list[k]), memory_virt_to_pfn(free[k]));
        equal("recount", (u64)recount(), 0);
    }
    memory_map(at, 0);
    page_back(end);
    page_back(free[0]);
    page_back(free[1]);
}

ATTACK(exchange_addresses, FLAW_ADDRESS, "an exchange whose lists lie in the hypervisor's range or reach into it by a huge count: -EFAULT or -EINVAL, nothing written")
{
    u64 *page = page_alloc(), mfn = mfn_of(page), pfn = memory_virt_to_pfn(page);
    static const u64 counts[] = {1, 2, 1ul << 32, 1ul << 40, 1ul << 61, 1ul << 63, ~0ul};
    static const u64 places[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 8, 0x7ffffffffff8ul, VA_NONCANONICAL, ~7ul};

    memory_unmap(page);
    for (u32 i = 0; i < ARRAY_SIZE(places); i++)
        for (u32 k = 0; k < ARRAY_SIZE(counts); k++) {
            struct xen_memory_exchange e = {.in = {.nr_extents = counts[k], .domid = DOMID_SELF},
                                            .out = {.nr_extents = counts[k], .domid = DOMID_SELF}};

            set_xen_guest_handle(e.in.extent_start, &mfn);
            e.out.extent_start.p = (void *)places[i];
            differ("out", hypercall_memory_op(XENMEM_exchange, &e) < 0, 0);
            e.nr_exchanged = counts[k] - 1;
            differ("out, from the end on", hypercall_memory_op(XENMEM_exchange, &e) < 0, 0);
            e.nr_exchanged = 0;
            e.in.extent_start.p = (void *)places[i];
            set_xen_guest_handle(e.out.extent_start, &pfn);
            differ("in", hypercall_memory_op(XENMEM_exchange, &e) < 0, 0);
            equal("recount", k ? 0 : (u64)recount(), 0);
        }
    equal("still mine", memory_protect(page, MEMORY_RW), 0);
    page_free(page);
}

ATTACK(exchange_arguments, FLAW_RIGHTS, "an exchange with orders that are absurd or differ, counts that do not fit, two domains, another domain: refused")
{
    u64 *page = page_alloc(), mfn = mfn_of(page), pfn = memory_virt_to_pfn(page);
    struct xen_memory_exchange good = {.in = {.nr_extents = 1, .domid = DOMID_SELF}, .out = {.nr_extents = 1, .domid = DOMID_SELF}}, e;

    memory_unmap(page);
    set_xen_guest_handle(good.in.extent_start, &mfn);
    set_xen_guest_handle(good.out.extent_start, &pfn);
    for (u32 order = 1; order < 70; order++) {
        e = good;
        e.in.extent_order = order;
        equal("in", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
        e.out.extent_order = order;
        equal("both", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
        e.in.extent_order = 0;
        equal("out", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    }
    e = good;
    e.nr_exchanged = 2;
    equal("more done than there are", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    e = good;
    e.out.domid = 1;
    equal("to a victim", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    e.in.domid = 1;
    equal("in its name", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EPERM);
    e.in.domid = e.out.domid = 0;
    equal("in domain 0's name", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EPERM);
    e.in.domid = e.out.domid = DOMID_NOBODY;
    equal("in nobody's", hypercall_memory_op(XENMEM_exchange, &e), -XEN_ESRCH);
    equal("still mine", memory_protect(page, MEMORY_RW), 0);
    page_free(page);
}

ATTACK(populate_absurd, FLAW_ADDRESS, "populate, increase and decrease with absurd orders, counts, lists, flags, in others' names: nothing is done")
{
    static const u32 cmds[] = {XENMEM_populate_physmap, XENMEM_increase_reservation, XENMEM_decrease_reservation};
    static const u32 orders[] = {10, 18, 31, 32, 52, 63, 64, 0x80000000u, ~0u};
    static const u64 places[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 4, 0x7ffffffffff9ul, VA_NONCANONICAL, VA_UNMAPPED, ~3ul};
    u64 zero[2] = {0, 0};
    long before = pages_now();

    for (u32 c = 0; c < ARRAY_SIZE(cmds); c++) {
        for (u32 i = 0; i < ARRAY_SIZE(orders); i++)
            equal("order", reservation(cmds[c], zero, 1, orders[i], DOMID_SELF), 0);
        for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
            equal("list", reservation(cmds[c], (u64 *)places[i], 1, 0, DOMID_SELF), 0);
            equal("pages", pages_now(), before);
        }
        for (u16 domid = 0; domid < 3; domid++)
            equal("for others", reservation(cmds[c], zero, 2, 0, domid), 0);
        equal("for nobody", reservation(cmds[c], zero, 2, 0, DOMID_NOBODY), 0);
        equal("a count without end", reservation(cmds[c], zero, ~0ul, 0, DOMID_SELF), 0);
        equal("a count too big to continue", reservation(cmds[c], zero, ~0ul >> 5, 0, DOMID_SELF), 0);
    }
    equal("pages", pages_now(), before);
}

ATTACK(populate_until_full, FLAW_RIGHTS, "asking for more than the domain may have, by one, by many, in runs: it stops at the limit")
{
    domid_t self = DOMID_SELF;
    long max = hypercall_memory_op(XENMEM_maximum_reservation, &self), before = pages_now(), got;
    static u64 list[512];
    u32 n = 0;

    for (u32 order = 0; order <= 9; order++)
        while (n < 256) {
            u64 mfn = 0;

            if (reservation(XENMEM_populate_physmap, &mfn, 1, order, DOMID_SELF) != 1)
                break;
            for (u32 i = 0; i < 1u << order && n < 512; i++)
                list[n++] = mfn + i;
        }
    got = pages_now();
    holds("not above the limit", got <= max);
    equal("one more", n < 256 ? (u64)reservation(XENMEM_populate_physmap, &(u64){0}, 1, 0, DOMID_SELF) : 0, 0);
    equal("counted", (u64)got, (u64)before + n);
    equal("recount", (u64)recount(), 0);
    equal("give back", reservation(XENMEM_decrease_reservation, list, n, 0, DOMID_SELF), n);
    equal("as before", pages_now(), before);
}

ATTACK(flags_of_memory, FLAW_ADDRESS, "populate with every node number and every address width in mem_flags: an answer, and no frame too many")
{
    u64 *page = page_alloc(), mfn = mfn_of(page), pfn = memory_virt_to_pfn(page);
    long before = pages_now();

    memory_unmap(page);
    equal("room for one", give_frame_back(mfn), 1);
    for (u32 node = 0; node < 256; node += 5)
        for (u32 bits = 0; bits < 256; bits += 17) {
            struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF, .mem_flags = bits | node << 8 | 1u << 16};
            u64 at = pfn;
            long got;

            set_xen_guest_handle(r.extent_start, &at);
            got = hypercall_memory_op(XENMEM_populate_physmap, &r);
            if (got == 1)
                equal("give back", give_frame_back(at), 1);
            else
                equal("none", got, 0);
        }
    equal("pages", pages_now(), before - 1);
    page_again(page);
}

ATTACK(for_the_privileged, FLAW_RIGHTS, "operations of memory_op that are not for a domain of this kind: each has its error, and none panics")
{
    static u8 buffer[4096];
    static const struct {
        u32 cmd;
        long want;
    } t[] = {
        {XENMEM_machine_memory_map, -XEN_EPERM}, {XENMEM_add_to_physmap, -XEN_EACCES},
        {XENMEM_remove_from_physmap, -XEN_EACCES}, {60, -XEN_ENOSYS}, {63, -XEN_ENOSYS},
    };

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        *(u16 *)buffer = DOMID_SELF;
        equal("result", hypercall_memory_op(t[i].cmd, buffer), t[i].want);
    }
    for (u32 cmd = 0; cmd < 64; cmd++)
        if (cmd > 12 || cmd == 8) { /* not those that move memory */
            *(u16 *)buffer = 1;
            hypercall_memory_op(cmd, buffer);
            hypercall_memory_op(cmd, (void *)VA_HYPERVISOR);
            hypercall_memory_op(cmd | 1u << 6, buffer);
        }
}
