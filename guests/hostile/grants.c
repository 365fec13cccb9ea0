/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps of grants: what belongs to others, handles that are not there, halves taken twice, addresses that are
 * not the caller's, arrays of requests that cannot be read or written.
 */
#include "guests/hostile/grant_tools.h"

#define GROUP "grants"

ATTACK(grants_of_others, FLAW_RIGHTS, "mapping and copying what the victims and domain 0 have not granted to the attacker: general_error or bad_gntref")
{
    grants_begin();
    for (u16 dom = 0; dom <= 2; dom++)
        for (u32 ref = 0; ref < 40; ref++) {
            short status = map_of(dom, ref, map_window, GNTMAP_host_map | (ref & 1 ? GNTMAP_readonly : 0));

            SAME("map", status, GNTST_general_error);
            status = copy((gnttab_copy_t){.source = {.u.ref = ref, .domid = dom}, .flags = GNTCOPY_source_gref,
                                          .dest = {.u.gmfn = mfn_of(&map_handle), .domid = DOMID_SELF}, .len = 8});
            SAME("copy", status, GNTST_general_error);
        }
    for (u16 dom = 0; dom <= 2; dom++) {
        SAME("behind the table", map_of(dom, 40000, map_window, GNTMAP_host_map), GNTST_bad_gntref);
        SAME("the last number", map_of(dom, ~0u, map_window, GNTMAP_host_map), GNTST_bad_gntref);
    }
    SAME("nobody", map_of(DOMID_NOBODY, 8, map_window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_SELF", map_of(DOMID_SELF, 8, map_window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_XEN", map_of(DOMID_XEN, 8, map_window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_IO", map_of(DOMID_IO, 8, map_window, GNTMAP_host_map), GNTST_bad_domain);
}

ATTACK(forged_handles, FLAW_COUNT, "unmapping handles that were never given, of others, and out of range: bad_handle")
{
    grants_begin();
    for (u32 h = 0; h < 600; h++) {
        SAME("unmap", unmap(h, map_window, 0), GNTST_bad_handle);
        SAME("device", unmap(h, 0, 0x1000), GNTST_bad_handle);
    }
    SAME("far", unmap(0x40000, map_window, 0), GNTST_bad_handle);
    SAME("the last one", unmap(~0u, map_window, 0), GNTST_bad_handle);
    SAME("high bit", unmap(0x80000000, map_window, 0), GNTST_bad_handle);
}

ATTACK(unmap_twice, FLAW_COUNT, "a handle is unmapped twice, also in one batch: bad_handle the second time")
{
    u8 *page = page_alloc();
    gnttab_unmap_grant_ref_t batch[4];

    grants_begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    SAME("again", unmap(map_handle, map_window, 0), GNTST_bad_handle);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    for (u32 i = 0; i < 4; i++)
        batch[i] = (gnttab_unmap_grant_ref_t){.host_addr = map_window, .handle = map_handle};
    equal("batch", (u64)hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, batch, 4), 0);
    SAME("first", batch[0].status, 0);
    for (u32 i = 1; i < 4; i++)
        SAME("others", batch[i].status, GNTST_bad_handle);
    equal("marks", marks(REF), 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(unmap_halves, FLAW_COUNT, "host and device half of a map are given up in every order, each but once, and the marks go with the last")
{
    static const u8 orders[][3] = {{1, 2, 3}, {2, 1, 3}, {1, 1, 2}, {2, 2, 1}, {3, 1, 2}, {1, 3, 3}};
    u8 *page = page_alloc();

    grants_begin();
    for (u32 writable = 0; writable < 2; writable++)
        for (u32 i = 0; i < ARRAY_SIZE(orders); i++) {
            grant(REF, mfn_of(page), 0);
            SAME("map", map(REF, map_window, GNTMAP_host_map | GNTMAP_device_map | (writable ? 0 : GNTMAP_readonly)), 0);
            equal("bus address", map_bus, mfn_of(page) << PAGE_SHIFT);
            SAME("a wrong bus address", unmap(map_handle, 0, map_bus + PAGE_SIZE), GNTST_bad_dev_addr);
            for (u32 step = 0; step < 3; step++) {
                short status = unmap(map_handle, orders[i][step] & 1 ? map_window : 0, orders[i][step] & 2 ? map_bus : 0);

                /* A half that is gone is passed over as long as the handle is there. */
                holds("status", status == 0 || status == GNTST_bad_handle);
            }
            SAME("the handle is free", unmap(map_handle, map_window, map_bus), GNTST_bad_handle);
            equal("marks", marks(REF), 0);
            equal("counts", (u64)recount(), 0);
            hypercall_update_va_mapping(map_window, 0, UVMF_INVLPG);
        }
    grant_table[REF].flags = 0;
    equal("the page is free", (u64)memory_protect(page, MEMORY_RW), 0);
    page_free(page);
}

ATTACK(unmap_elsewhere, FLAW_COUNT, "unmapping with the address of another mapping, of one of other rights, of none: general_error, and nothing is undone")
{
    u8 *page = page_alloc(), *other = page_alloc();

    grants_begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map | GNTMAP_readonly), 0);
    SAME("another frame", unmap(map_handle, (u64)other, 0), GNTST_general_error);
    SAME("our own, writable", unmap(map_handle, (u64)page, 0), GNTST_general_error);
    SAME("not mapped", unmap(map_handle, map_window + PAGE_SIZE, 0), GNTST_general_error);
    SAME("no tables", unmap(map_handle, VA_UNMAPPED, 0), GNTST_general_error);
    SAME("the hypervisor", unmap(map_handle, VA_HYPERVISOR, 0), GNTST_general_error);
    SAME("its first page", unmap(map_handle, MACH2PHYS_BASE, 0), GNTST_general_error);
    SAME("not canonical", unmap(map_handle, VA_NONCANONICAL, 0), GNTST_general_error);
    equal("marks", marks(REF), GTF_reading);
    SAME("right", unmap(map_handle, map_window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(entry_replaced, FLAW_COUNT, "the entry of a map is upgraded or overwritten, then unmapped: refused where it does not fit, and all counts are right")
{
    u8 *page = page_alloc(), *other = page_alloc();

    grants_begin();
    grant(REF, mfn_of(page), 0);
    /* A writable entry of our own in the place of the read-only one of the map. */
    SAME("map", map(REF, map_window, GNTMAP_host_map | GNTMAP_readonly), 0);
    equal("upgrade", (u64)hypercall_update_va_mapping(map_window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(map_handle, map_window, 0), GNTST_general_error);
    equal("downgrade", (u64)hypercall_update_va_mapping(map_window, entry_of(page, MEMORY_RO), UVMF_INVLPG), 0);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    equal("counts", (u64)recount(), 0);
    /* Another frame's. */
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    equal("overwrite", (u64)hypercall_update_va_mapping(map_window, entry_of(other, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(map_handle, map_window, 0), GNTST_general_error);
    equal("counts", (u64)recount(), 0);
    equal("put right", (u64)hypercall_update_va_mapping(map_window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(map_bad_address, FLAW_ADDRESS, "mapping at addresses that are the hypervisor's, not canonical, or without tables: general_error, and the grant is not marked")
{
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - PAGE_SIZE, VA_NONCANONICAL,
                              VA_NONCANONICAL - 1, 0xffff7fffffffffff, VA_UNMAPPED, 0};
    u8 *page = page_alloc();

    grants_begin();
    grant(REF, mfn_of(page), 0);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        SAME("host", map(REF, bad[i], GNTMAP_host_map), GNTST_general_error);
        SAME("both", map(REF, bad[i], GNTMAP_host_map | GNTMAP_device_map), GNTST_general_error);
        equal("marks", marks(REF), 0);
    }
    SAME("no half", map(REF, map_window, GNTMAP_readonly), GNTST_bad_gntref);
    grant_table[REF].flags = 0;
    equal("the page is free", (u64)pin(1, table_page()), 0);
    page_free(page);
}

ATTACK(contains_pte, FLAW_TABLE, "mapping by the machine address of an entry in anything but an own L1 table, or not at a multiple of 8: general_error")
{
    u8 *page = page_alloc();
    struct tree tree = tree_make();
    u64 entry = memory_virt_to_maddr(&tree.table[1][5]);
    u64 bad[] = {memory_virt_to_maddr(page),           memory_virt_to_maddr(&tree.table[2][5]),
                 memory_virt_to_maddr(&tree.table[3][5]), memory_virt_to_maddr(&tree.table[4][5]),
                 victim_frame() << PAGE_SHIFT,         MFN_HYPERVISOR << PAGE_SHIFT,
                 start_info->shared_info,              memory_virt_to_maddr(&memory_root()[300]),
                 MFN_BEYOND << PAGE_SHIFT,             0xfffffffffffffff8,
                 0,                                    VA_HYPERVISOR};

    grants_begin();
    grant(REF, mfn_of(page), 0);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        SAME("a forged entry", map(REF, bad[i], GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    for (u32 shift = 1; shift < 8; shift++)
        SAME("across two entries", map(REF, entry + shift, GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    equal("marks", marks(REF), 0);
    SAME("right", map(REF, entry, GNTMAP_host_map | GNTMAP_contains_pte), 0);
    equal("the entry", tree.table[1][5] & (PTE_MFN_MASK | PTE_P | PTE_RW), entry_of(page, PTE_P | PTE_RW));
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        if (bad[i]) /* 0 leaves the half alone */
            SAME("unmap of a forged entry", unmap(map_handle, bad[i], 0), GNTST_general_error);
    SAME("unmap", unmap(map_handle, entry, 0), 0);
    equal("gone", tree.table[1][5], 0);
    grant_table[REF].flags = 0;
    tree_free(&tree);
    page_free(page);
}

ATTACK(over_mappings, FLAW_COUNT, "mapping over own pages and over other maps: what was there loses one reference, the handles stay")
{
    u8 *page = page_alloc(), *other = page_alloc();
    u32 first;

    grants_begin();
    grant(REF, mfn_of(page), 0);
    grant(REF2, mfn_of(other), 0);
    equal("own", (u64)hypercall_update_va_mapping(map_window, entry_of(other, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("map over it", map(REF, map_window, GNTMAP_host_map), 0);
    first = map_handle;
    SAME("another over that", map(REF2, map_window, GNTMAP_host_map), 0);
    equal("counts", (u64)recount(), 0);
    SAME("the first has no entry", unmap(first, map_window, 0), GNTST_general_error);
    SAME("the second", unmap(map_handle, map_window, 0), 0);
    SAME("the second is gone", unmap(map_handle, map_window, 0), GNTST_bad_handle);
    /* Give the first an entry again, to close it. */
    equal("again", (u64)hypercall_update_va_mapping(map_window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("the first", unmap(first, map_window, 0), 0);
    equal("marks", marks(REF) | marks(REF2), 0);
    grant_table[REF].flags = grant_table[REF2].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(replace_onto, FLAW_TABLE, "unmap_and_replace with a new address that is the hypervisor's, has no tables, or is the same: general_error; a right one moves the entry")
{
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, VA_NONCANONICAL, VA_UNMAPPED};
    u8 *page = page_alloc(), *other = page_alloc();
    gnttab_unmap_and_replace_t op;

    grants_begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    for (u32 i = 0; i <= ARRAY_SIZE(bad); i++) {
        op = (gnttab_unmap_and_replace_t){.host_addr = map_window, .new_addr = i < ARRAY_SIZE(bad) ? bad[i] : map_window, .handle = map_handle};
        equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
        SAME("status", op.status, GNTST_general_error);
        op = (gnttab_unmap_and_replace_t){.host_addr = i < ARRAY_SIZE(bad) ? bad[i] : (u64)other, .new_addr = (u64)other, .handle = map_handle};
        equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
        SAME("status", op.status, GNTST_general_error);
    }
    equal("counts", (u64)recount(), 0);
    op = (gnttab_unmap_and_replace_t){.host_addr = map_window, .new_addr = (u64)other, .handle = map_handle};
    equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
    SAME("status", op.status, 0);
    equal("moved", *memory_entry(map_window, 1) & PTE_MFN_MASK, mfn_of(other) << PAGE_SHIFT);
    equal("from there", *memory_entry((u64)other, 1), 0);
    hypercall_update_va_mapping(map_window, 0, UVMF_INVLPG);
    equal("back", (u64)memory_protect(other, MEMORY_RW), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(pins_overflow, FLAW_COUNT, "one grant is mapped until no more counts: refused before a counter wraps, and all can be unmapped")
{
    static u32 handles[1200];
    u8 *page = page_alloc();
    u32 n = 0;
    short status = 0;

    grants_begin();
    grant(REF, mfn_of(page), 0);
    for (u32 kind = 0; kind < 2; kind++)
        while (n < ARRAY_SIZE(handles) && !(status = map(REF, 0, GNTMAP_device_map | (kind ? GNTMAP_readonly : 0))))
            handles[n++] = map_handle;
    SAME("the last one", status, GNTST_general_error);
    holds("some were possible", n >= 64);
    equal("counts", (u64)recount(), 0);
    while (n--)
        SAME("unmap", unmap(handles[n], 0, mfn_of(page) << PAGE_SHIFT), 0);
    equal("marks", marks(REF), 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(bad_arrays, FLAW_ADDRESS, "grant_table_op with counts below 0, arrays in the hypervisor's range, that wrap, or end in nothing: -EINVAL, -EFAULT, and what was done is right")
{
    static const u32 cmds[] = {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_copy, GNTTABOP_transfer,
                               GNTTABOP_unmap_and_replace, GNTTABOP_swap_grant_ref, GNTTABOP_cache_flush,
                               GNTTABOP_setup_table, GNTTABOP_query_size, GNTTABOP_set_version,
                               GNTTABOP_get_status_frames, GNTTABOP_get_version};
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 8, VA_NONCANONICAL, VA_NONCANONICAL - 4,
                              0xffff7ffffffffff8, ~0ul - 15, VA_UNMAPPED};
    gnttab_map_grant_ref_t *ops;
    u8 *pages = pages_alloc(2), *page = page_alloc();

    grants_begin();
    for (u32 c = 0; c < ARRAY_SIZE(cmds); c++) {
        for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
            equal("a bad array", (u64)hypercall_grant_table_op(cmds[c], (void *)bad[i], 1), (u64)-XEN_EFAULT);
        equal("a count below 0", (u64)hypercall_grant_table_op(cmds[c], pages, 0x80000000), (u64)-XEN_EINVAL);
        holds("a count that is huge", hypercall_grant_table_op(cmds[c], (void *)(VA_UNMAPPED + 64), 0x7fffffff) < 0);
    }
    for (u32 cmd = 13; cmd < 40; cmd++)
        holds("no such call", hypercall_grant_table_op(cmd, pages, 1) < 0);
    holds("high bits", hypercall_grant_table_op(0x1000, pages, 1) < 0);
    /* The second element is where nothing is. */
    memory_unmap(pages + PAGE_SIZE);
    ops = (gnttab_map_grant_ref_t *)(pages + PAGE_SIZE) - 1;
    grant(REF, mfn_of(page), 0);
    *ops = (gnttab_map_grant_ref_t){.host_addr = map_window, .flags = GNTMAP_host_map, .ref = REF, .dom = own_id(), .status = 77};
    equal("half an array", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, ops, 2), (u64)-XEN_EFAULT);
    SAME("the first one", ops->status, 0);
    SAME("unmap", unmap(ops->handle, map_window, 0), 0);
    equal("mapped again", (u64)memory_protect(pages + PAGE_SIZE, MEMORY_RW), 0);
    grant_table[REF].flags = 0;
    page_free(pages);
    page_free(pages + PAGE_SIZE);
    page_free(page);
}

ATTACK(readonly_array, FLAW_COUNT, "the array of a map, of an unmap, of a copy cannot be written: -EFAULT, and what was done is on the books")
{
    gnttab_map_grant_ref_t *op = page_alloc();
    u8 *page = page_alloc();

    grants_begin();
    grant(REF, mfn_of(page), 0);
    *op = (gnttab_map_grant_ref_t){.host_addr = map_window, .flags = GNTMAP_host_map, .ref = REF, .dom = own_id(), .status = 77};
    memory_protect(op, MEMORY_RO);
    equal("map", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, op, 1), (u64)-XEN_EFAULT);
    equal("counts", (u64)recount(), 0);
    memory_protect(op, MEMORY_RW);
    /* Nobody told the handle: it is one of those that are free. */
    for (u32 h = 0, found = 0; h < 600 && !found; h++)
        found = unmap(h, map_window, 0) == 0;
    equal("it was found", marks(REF), 0);
    grant_table[REF].flags = 0;
    page_free(op);
    page_free(page);
}

ATTACK_ENDS(dies_with_maps, FLAW_LIFE, "a domain dies with grants mapped, entries overwritten, frames given back and tables cut off: all of it is free afterwards")
{
    u8 *page = page_alloc(), *other = page_alloc();
    struct tree tree = tree_make();
    u64 gone[] = {mfn_of(tree.table[2]), mfn_of(tree.table[1]), mfn_of(other)};

    grants_begin();
    grant(REF, mfn_of(page), 0);
    grant(REF2, mfn_of(other), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map | GNTMAP_device_map), 0);
    SAME("map", map(REF2, map_window + PAGE_SIZE, GNTMAP_host_map), 0);
    SAME("device", map(REF2, 0, GNTMAP_device_map | GNTMAP_readonly), 0);
    hypercall_update_va_mapping(map_window, 0, UVMF_INVLPG);
    for (u32 i = 1; i <= 2; i++)
        memory_unmap(tree.table[i]);
    memory_unmap(other);
    equal("give back", (u64)frames_give(gone, 3), 3);
    equal("counts", (u64)recount(), 0);
    crashes();
    panic("on purpose");
}
