/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants: what belongs to others, handles that are not there, halves taken twice, tables and frames that
 * must not be granted.  The attacker grants to itself where a granter is wanted: references are then all
 * its own, and each one too many or too few is found by the recount.
 */
#include "guests/hostile/hostile.h"
#include "guests/lib/grant.h"

#define GROUP "grants"

/* Entries this file uses. */
#define REF  20
#define REF2 21

static u16 self;
static u64 window; /* two pages of address space, with tables */

static void begin(void)
{
    if (self)
        return;
    self = own_id();
    if (grant_init(1))
        broken("there is no grant table");
    window = memory_reserve(2);
    memory_map(window, 0);
    memory_map(window + PAGE_SIZE, 0);
}

static void grant(u32 ref, u64 mfn, u16 flags)
{
    grant_table[ref].flags = 0;
    grant_table[ref].domid = self;
    grant_table[ref].frame = (u32)mfn;
    BARRIER();
    grant_table[ref].flags = GTF_permit_access | flags;
}

static u16 marks(u32 ref) { return grant_table[ref].flags & (GTF_reading | GTF_writing); }

static u32 handle; /* of the last map */
static u64 bus;

static short map_of(u16 dom, u32 ref, u64 addr, u32 flags)
{
    gnttab_map_grant_ref_t op = {.host_addr = addr, .flags = flags, .ref = ref, .dom = dom, .status = 77};

    equal("map_grant_ref", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    handle = op.handle;
    bus = op.dev_bus_addr;
    return op.status;
}
static short map(u32 ref, u64 addr, u32 flags) { return map_of(self, ref, addr, flags); }

static short unmap(u32 which, u64 addr, u64 dev)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = addr, .dev_bus_addr = dev, .handle = which, .status = 77};

    equal("unmap_grant_ref", (u64)hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

static short copy(gnttab_copy_t op)
{
    op.status = 77;
    equal("copy", (u64)hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static short transfer(u64 mfn, u16 dom, u32 ref)
{
    gnttab_transfer_t op = {.mfn = mfn, .domid = dom, .ref = ref, .status = 77};

    equal("transfer", (u64)hypercall_grant_table_op(GNTTABOP_transfer, &op, 1), 0);
    return op.status;
}

static long set_version(u32 version)
{
    gnttab_set_version_t op = {.version = version};

    return hypercall_grant_table_op(GNTTABOP_set_version, &op, 1);
}

#define SAME(what, got, want) equal(what, (u64)(s64)(got), (u64)(s64)(want))

ATTACK(grants_of_others, FLAW_RIGHTS, "mapping and copying what the victims and domain 0 have not granted to the attacker: general_error or bad_gntref")
{
    begin();
    for (u16 dom = 0; dom <= 2; dom++)
        for (u32 ref = 0; ref < 40; ref++) {
            short status = map_of(dom, ref, window, GNTMAP_host_map | (ref & 1 ? GNTMAP_readonly : 0));

            SAME("map", status, GNTST_general_error);
            status = copy((gnttab_copy_t){.source = {.u.ref = ref, .domid = dom}, .flags = GNTCOPY_source_gref,
                                          .dest = {.u.gmfn = mfn_of(&handle), .domid = DOMID_SELF}, .len = 8});
            SAME("copy", status, GNTST_general_error);
        }
    for (u16 dom = 0; dom <= 2; dom++) {
        SAME("behind the table", map_of(dom, 40000, window, GNTMAP_host_map), GNTST_bad_gntref);
        SAME("the last number", map_of(dom, ~0u, window, GNTMAP_host_map), GNTST_bad_gntref);
    }
    SAME("nobody", map_of(0x7abc, 8, window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_SELF", map_of(DOMID_SELF, 8, window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_XEN", map_of(DOMID_XEN, 8, window, GNTMAP_host_map), GNTST_bad_domain);
    SAME("DOMID_IO", map_of(DOMID_IO, 8, window, GNTMAP_host_map), GNTST_bad_domain);
}

ATTACK(frames_of_others, FLAW_FRAME, "granting frames of a victim, of the hypervisor, of nobody, and mapping or copying them: bad_page, and no mark stays")
{
    u64 page = (u64)page_alloc();
    u64 bad[] = {victim_frame(), MFN_HYPERVISOR, 0, 0xfee00, 0xa0, 0xffffffff, 0x7fffffff};

    begin();
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        grant(REF, bad[i], 0);
        SAME("map", map(REF, window, GNTMAP_host_map), GNTST_bad_page);
        equal("marks after it", marks(REF), 0);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_bad_page);
        SAME("read", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_source_gref,
                                          .dest = {.u.gmfn = mfn_of((void *)page), .domid = DOMID_SELF}, .len = 8}),
             GNTST_bad_page);
        SAME("write", copy((gnttab_copy_t){.dest = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_dest_gref,
                                           .source = {.u.gmfn = mfn_of((void *)page), .domid = DOMID_SELF}, .len = 8}),
             GNTST_bad_page);
        equal("marks", marks(REF), 0);
        SAME("by number", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of((void *)page), .domid = DOMID_SELF},
                                               .dest = {.u.gmfn = bad[i], .domid = DOMID_SELF}, .len = 8}),
             GNTST_bad_page);
        SAME("of another by number", copy((gnttab_copy_t){.source = {.u.gmfn = bad[i], .domid = 1},
                                                          .dest = {.u.gmfn = mfn_of((void *)page), .domid = DOMID_SELF}, .len = 8}),
             GNTST_permission_denied);
    }
    grant_table[REF].flags = 0;
    page_free((void *)page);
}

ATTACK(forged_handles, FLAW_COUNT, "unmapping handles that were never given, of others, and out of range: bad_handle")
{
    begin();
    for (u32 h = 0; h < 600; h++) {
        SAME("unmap", unmap(h, window, 0), GNTST_bad_handle);
        SAME("device", unmap(h, 0, 0x1000), GNTST_bad_handle);
    }
    SAME("far", unmap(0x40000, window, 0), GNTST_bad_handle);
    SAME("the last one", unmap(~0u, window, 0), GNTST_bad_handle);
    SAME("high bit", unmap(0x80000000, window, 0), GNTST_bad_handle);
}

ATTACK(unmap_twice, FLAW_COUNT, "a handle is unmapped twice, also in one batch: bad_handle the second time")
{
    u8 *page = page_alloc();
    gnttab_unmap_grant_ref_t batch[4];

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    SAME("unmap", unmap(handle, window, 0), 0);
    SAME("again", unmap(handle, window, 0), GNTST_bad_handle);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    for (u32 i = 0; i < 4; i++)
        batch[i] = (gnttab_unmap_grant_ref_t){.host_addr = window, .handle = handle};
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

    begin();
    for (u32 writable = 0; writable < 2; writable++)
        for (u32 i = 0; i < ARRAY_SIZE(orders); i++) {
            grant(REF, mfn_of(page), 0);
            SAME("map", map(REF, window, GNTMAP_host_map | GNTMAP_device_map | (writable ? 0 : GNTMAP_readonly)), 0);
            equal("bus address", bus, mfn_of(page) << PAGE_SHIFT);
            SAME("a wrong bus address", unmap(handle, 0, bus + PAGE_SIZE), GNTST_bad_dev_addr);
            for (u32 step = 0; step < 3; step++) {
                short status = unmap(handle, orders[i][step] & 1 ? window : 0, orders[i][step] & 2 ? bus : 0);

                /* A half that is gone is passed over as long as the handle is there. */
                holds("status", status == 0 || status == GNTST_bad_handle);
            }
            SAME("the handle is free", unmap(handle, window, bus), GNTST_bad_handle);
            equal("marks", marks(REF), 0);
            equal("counts", (u64)recount(), 0);
            hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
        }
    grant_table[REF].flags = 0;
    equal("the page is free", (u64)memory_protect(page, MEMORY_RW), 0);
    page_free(page);
}

ATTACK(unmap_elsewhere, FLAW_COUNT, "unmapping with the address of another mapping, of one of other rights, of none: general_error, and nothing is undone")
{
    u8 *page = page_alloc(), *other = page_alloc();

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map | GNTMAP_readonly), 0);
    SAME("another frame", unmap(handle, (u64)other, 0), GNTST_general_error);
    SAME("our own, writable", unmap(handle, (u64)page, 0), GNTST_general_error);
    SAME("not mapped", unmap(handle, window + PAGE_SIZE, 0), GNTST_general_error);
    SAME("no tables", unmap(handle, VA_UNMAPPED, 0), GNTST_general_error);
    SAME("the hypervisor", unmap(handle, VA_HYPERVISOR, 0), GNTST_general_error);
    SAME("its first page", unmap(handle, MACH2PHYS_BASE, 0), GNTST_general_error);
    SAME("not canonical", unmap(handle, VA_NONCANONICAL, 0), GNTST_general_error);
    equal("marks", marks(REF), GTF_reading);
    SAME("right", unmap(handle, window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(entry_replaced, FLAW_COUNT, "the entry of a map is upgraded or overwritten, then unmapped: refused where it does not fit, and all counts are right")
{
    u8 *page = page_alloc(), *other = page_alloc();

    begin();
    grant(REF, mfn_of(page), 0);
    /* A writable entry of our own in the place of the read-only one of the map. */
    SAME("map", map(REF, window, GNTMAP_host_map | GNTMAP_readonly), 0);
    equal("upgrade", (u64)hypercall_update_va_mapping(window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(handle, window, 0), GNTST_general_error);
    equal("downgrade", (u64)hypercall_update_va_mapping(window, entry_of(page, MEMORY_RO), UVMF_INVLPG), 0);
    SAME("unmap", unmap(handle, window, 0), 0);
    equal("counts", (u64)recount(), 0);
    /* Another frame's. */
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    equal("overwrite", (u64)hypercall_update_va_mapping(window, entry_of(other, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(handle, window, 0), GNTST_general_error);
    equal("counts", (u64)recount(), 0);
    equal("put right", (u64)hypercall_update_va_mapping(window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("unmap", unmap(handle, window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(map_bad_address, FLAW_ADDRESS, "mapping at addresses that are the hypervisor's, not canonical, or without tables: general_error, and the grant is not marked")
{
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - PAGE_SIZE, VA_NONCANONICAL,
                              VA_NONCANONICAL - 1, 0xffff7fffffffffff, VA_UNMAPPED, 0};
    u8 *page = page_alloc();

    begin();
    grant(REF, mfn_of(page), 0);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        SAME("host", map(REF, bad[i], GNTMAP_host_map), GNTST_general_error);
        SAME("both", map(REF, bad[i], GNTMAP_host_map | GNTMAP_device_map), GNTST_general_error);
        equal("marks", marks(REF), 0);
    }
    SAME("no half", map(REF, window, GNTMAP_readonly), GNTST_bad_gntref);
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

    begin();
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
            SAME("unmap of a forged entry", unmap(handle, bad[i], 0), GNTST_general_error);
    SAME("unmap", unmap(handle, entry, 0), 0);
    equal("gone", tree.table[1][5], 0);
    grant_table[REF].flags = 0;
    tree_free(&tree);
    page_free(page);
}

ATTACK(over_mappings, FLAW_COUNT, "mapping over own pages and over other maps: what was there loses one reference, the handles stay")
{
    u8 *page = page_alloc(), *other = page_alloc();
    u32 first;

    begin();
    grant(REF, mfn_of(page), 0);
    grant(REF2, mfn_of(other), 0);
    equal("own", (u64)hypercall_update_va_mapping(window, entry_of(other, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("map over it", map(REF, window, GNTMAP_host_map), 0);
    first = handle;
    SAME("another over that", map(REF2, window, GNTMAP_host_map), 0);
    equal("counts", (u64)recount(), 0);
    SAME("the first has no entry", unmap(first, window, 0), GNTST_general_error);
    SAME("the second", unmap(handle, window, 0), 0);
    SAME("the second is gone", unmap(handle, window, 0), GNTST_bad_handle);
    /* Give the first an entry again, to close it. */
    equal("again", (u64)hypercall_update_va_mapping(window, entry_of(page, MEMORY_RW), UVMF_INVLPG), 0);
    SAME("the first", unmap(first, window, 0), 0);
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

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    for (u32 i = 0; i <= ARRAY_SIZE(bad); i++) {
        op = (gnttab_unmap_and_replace_t){.host_addr = window, .new_addr = i < ARRAY_SIZE(bad) ? bad[i] : window, .handle = handle};
        equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
        SAME("status", op.status, GNTST_general_error);
        op = (gnttab_unmap_and_replace_t){.host_addr = i < ARRAY_SIZE(bad) ? bad[i] : (u64)other, .new_addr = (u64)other, .handle = handle};
        equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
        SAME("status", op.status, GNTST_general_error);
    }
    equal("counts", (u64)recount(), 0);
    op = (gnttab_unmap_and_replace_t){.host_addr = window, .new_addr = (u64)other, .handle = handle};
    equal("call", (u64)hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
    SAME("status", op.status, 0);
    equal("moved", *memory_entry(window, 1) & PTE_MFN_MASK, mfn_of(other) << PAGE_SHIFT);
    equal("from there", *memory_entry((u64)other, 1), 0);
    hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
    equal("back", (u64)memory_protect(other, MEMORY_RW), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(granted_tables, FLAW_TYPE, "page tables of every level are granted: mapped writable and written by copy never; read-only they stay tables")
{
    u8 *page = page_alloc();

    begin();
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        grant(REF, mfn_of(table), 0);
        SAME("host", map(REF, window, GNTMAP_host_map), GNTST_general_error);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
        SAME("both", map(REF, window, GNTMAP_device_map | GNTMAP_host_map), GNTST_general_error);
        SAME("by a grant", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}, .len = 64,
                                                .dest = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_dest_gref}),
             GNTST_general_error);
        SAME("by number", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}, .len = 64,
                                               .dest = {.u.gmfn = mfn_of(table), .domid = DOMID_SELF}}),
             GNTST_general_error);
        equal("marks", marks(REF), 0);
        SAME("read-only", map(REF, window, GNTMAP_host_map | GNTMAP_readonly), 0);
        equal("cannot be written", store((void *)window, 7), TRAP_PF);
        equal("nor made writable", (u64)hypercall_update_va_mapping(window, entry_of(table, MEMORY_RW), UVMF_INVLPG), (u64)-XEN_EBUSY);
        SAME("unmap", unmap(handle, window, 0), 0);
        equal("unpin", (u64)unpin(table), 0);
        page_back(table);
    }
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(mapped_becomes_table, FLAW_TYPE, "a frame that is mapped writable by a grant, or granted for DMA, is no page table nor descriptor table: refused until it is unmapped")
{
    u64 *page = page_alloc();

    begin();
    grant(REF, mfn_of(page), 0);
    for (u32 half = GNTMAP_device_map; half <= GNTMAP_host_map; half <<= 1) {
        SAME("map", map(REF, half == GNTMAP_host_map ? window : 0, half), 0);
        memory_protect(page, MEMORY_RO);
        for (u32 level = 1; level <= 4; level++)
            equal("pin", (u64)pin(level, page), (u64)-XEN_EINVAL);
        u64 frame = mfn_of(page);
        equal("gdt", (u64)hypercall_set_gdt(&frame, 512), (u64)-XEN_EINVAL);
        SAME("unmap", unmap(handle, half == GNTMAP_host_map ? window : 0, half == GNTMAP_device_map ? bus : 0), 0);
        equal("now", (u64)pin(1, page), 0);
        equal("unpin", (u64)unpin(page), 0);
        memory_protect(page, MEMORY_RW);
    }
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(readonly_grant, FLAW_RIGHTS, "a read-only grant mapped or copied to for writing, also while a read-only map is there: general_error")
{
    u8 *page = page_alloc(), *other = page_alloc();
    u32 first;

    begin();
    grant(REF, mfn_of(page), GTF_readonly);
    SAME("write", map(REF, window, GNTMAP_host_map), GNTST_general_error);
    SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
    SAME("read", map(REF, window, GNTMAP_host_map | GNTMAP_readonly), 0);
    first = handle;
    SAME("write besides", map(REF, window + PAGE_SIZE, GNTMAP_host_map), GNTST_general_error);
    SAME("copy to", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(other), .domid = DOMID_SELF}, .len = 8,
                                         .dest = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_dest_gref}),
         GNTST_general_error);
    equal("marks", marks(REF), GTF_reading);
    equal("cannot be written", store((void *)window, 7), TRAP_PF);
    SAME("unmap", unmap(first, window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(entry_changes_under_map, FLAW_RACE, "the frame and the user of an entry in use are rewritten: further maps and copies get the frame it was, and the counts are its")
{
    u8 *page = page_alloc(), *other = page_alloc(), *target = page_alloc();
    u32 first, second;

    begin();
    memset(page, 0x11, PAGE_SIZE);
    memset(other, 0x22, PAGE_SIZE);
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map | GNTMAP_readonly), 0);
    first = handle;
    grant_table[REF].frame = (u32)victim_frame();
    SAME("again", map(REF, window + PAGE_SIZE, GNTMAP_host_map | GNTMAP_readonly), 0);
    second = handle;
    equal("is the old one", bus, mfn_of(page) << PAGE_SHIFT);
    grant_table[REF].frame = (u32)mfn_of(other);
    SAME("copy", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_source_gref, .len = 64,
                                      .dest = {.u.gmfn = mfn_of(target), .domid = DOMID_SELF}}), 0);
    equal("from the old one", target[0], 0x11);
    grant_table[REF].domid = 1;
    SAME("write, for another", map(REF, window, GNTMAP_host_map), GNTST_general_error);
    equal("counts", (u64)recount(), 0);
    grant_table[REF].flags = 0;
    SAME("unmap", unmap(second, window + PAGE_SIZE, 0), 0);
    SAME("unmap", unmap(first, window, 0), 0);
    SAME("ended", map(REF, window, GNTMAP_host_map), GNTST_general_error);
    page_free(page);
    page_free(other);
    page_free(target);
}

ATTACK(released_while_mapped, FLAW_LIFE, "a granted frame is given back while it is mapped: it is nobody else's before the last map is gone")
{
    u8 *page = page_alloc();
    u64 frame = mfn_of(page), again = memory_virt_to_pfn(page);
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    begin();
    grant(REF, frame, 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    *(volatile u64 *)window = 0x1234;
    memory_unmap(page);
    set_xen_guest_handle(r.extent_start, &frame);
    equal("give back", (u64)hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    equal("still there", *(volatile u64 *)window, 0x1234);
    equal("counts", (u64)recount(), 0);
    SAME("no transfer", transfer(frame, self, REF2), GNTST_bad_page);
    SAME("unmap", unmap(handle, window, 0), 0);
    SAME("now it is gone", map(REF, window, GNTMAP_host_map), GNTST_bad_page);
    set_xen_guest_handle(r.extent_start, &again);
    equal("another one", (u64)hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
    memory_set_p2m(memory_virt_to_pfn(page), again);
    equal("mapped", (u64)memory_protect(page, MEMORY_RW), 0);
    equal("empty", *(u64 *)page, 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(version_while_used, FLAW_LIFE, "the version is changed while a grant is mapped, or status frames are: -EBUSY; unknown versions: -EINVAL")
{
    u8 *page = page_alloc();
    u64 status = 0;
    gnttab_get_status_frames_t get = {.dom = DOMID_SELF, .nr_frames = 1};
    void *mapped;

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    equal("to 2", (u64)set_version(2), (u64)-XEN_EBUSY);
    SAME("unmap", unmap(handle, window, 0), 0);
    SAME("device", map(REF, 0, GNTMAP_device_map), 0);
    equal("to 2", (u64)set_version(2), (u64)-XEN_EBUSY);
    SAME("unmap", unmap(handle, 0, bus), 0);
    grant_table[REF].flags = 0;
    equal("0", (u64)set_version(0), (u64)-XEN_EINVAL);
    equal("3", (u64)set_version(3), (u64)-XEN_EINVAL);
    equal("to 2", (u64)set_version(2), 0);
    set_xen_guest_handle(get.frame_list, &status);
    equal("status frames", (u64)hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1), 0);
    SAME("status", get.status, 0);
    mapped = memory_map_mfn(status, MEMORY_RW);
    holds("they can be mapped", mapped != NULL);
    equal("to 1", (u64)set_version(1), (u64)-XEN_EBUSY);
    memory_unmap(mapped);
    equal("to 1 at last", (u64)set_version(1), 0);
    holds("its frame is not ours any more", memory_map_mfn(status, MEMORY_RO) == NULL);
    page_free(page);
}

ATTACK(table_size, FLAW_TIME, "setup_table and get_status_frames with sizes beyond the limit, of others, into the hypervisor: a status below 0")
{
    u64 list[4];
    static const u32 sizes[] = {65, 1000, 0x10000, 0x7fffffff, 0xffffffff};
    gnttab_setup_table_t op;
    gnttab_get_status_frames_t get;

    begin();
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        op = (gnttab_setup_table_t){.dom = DOMID_SELF, .nr_frames = sizes[i], .status = 77};
        set_xen_guest_handle(op.frame_list, list);
        hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);
        SAME("too large", op.status, GNTST_general_error);
        get = (gnttab_get_status_frames_t){.dom = DOMID_SELF, .nr_frames = sizes[i], .status = 77};
        set_xen_guest_handle(get.frame_list, list);
        hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1);
        SAME("status frames", get.status, GNTST_general_error);
    }
    for (u16 dom = 0; dom <= 2; dom++) {
        op = (gnttab_setup_table_t){.dom = dom, .nr_frames = 1, .status = 77};
        set_xen_guest_handle(op.frame_list, list);
        hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);
        SAME("of another", op.status, GNTST_permission_denied);
    }
    op = (gnttab_setup_table_t){.dom = DOMID_SELF, .nr_frames = 1, .frame_list.p = (void *)VA_HYPERVISOR, .status = 77};
    differ("into the hypervisor", (u64)hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1) | (u64)(s64)op.status, 0);
}

ATTACK(pins_overflow, FLAW_COUNT, "one grant is mapped until no more counts: refused before a counter wraps, and all can be unmapped")
{
    static u32 handles[1200];
    u8 *page = page_alloc();
    u32 n = 0;
    short status = 0;

    begin();
    grant(REF, mfn_of(page), 0);
    for (u32 kind = 0; kind < 2; kind++)
        while (n < ARRAY_SIZE(handles) && !(status = map(REF, 0, GNTMAP_device_map | (kind ? GNTMAP_readonly : 0))))
            handles[n++] = handle;
    SAME("the last one", status, GNTST_general_error);
    holds("some were possible", n >= 64);
    equal("counts", (u64)recount(), 0);
    while (n--)
        SAME("unmap", unmap(handles[n], 0, mfn_of(page) << PAGE_SHIFT), 0);
    equal("marks", marks(REF), 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(copy_bounds, FLAW_ADDRESS, "copies with offsets and lengths beyond the page, or whose sum wraps: bad_copy_arg, and nothing is written")
{
    static const u16 bad[][3] = {{4096, 0, 1}, {0, 4096, 1}, {4095, 0, 2}, {0, 4095, 2}, {1, 1, 4096},
                                 {0xffff, 0, 1}, {0, 0xffff, 1}, {0xffff, 0xffff, 0xffff}, {0, 0, 4097},
                                 {0x8000, 0x8000, 0x8000}, {1, 0, 0xffff}};
    u8 *from = page_alloc(), *to = pages_alloc(2);

    begin();
    memset(from, 0x5a, PAGE_SIZE);
    grant(REF, mfn_of(from), GTF_readonly);
    grant(REF2, mfn_of(to), 0);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        for (u32 refs = 0; refs < 4; refs++) {
            gnttab_copy_t op = {.source = {.domid = DOMID_SELF, .offset = bad[i][0]},
                                .dest = {.domid = DOMID_SELF, .offset = bad[i][1]}, .len = bad[i][2]};

            op.source.u.gmfn = mfn_of(from);
            op.dest.u.gmfn = mfn_of(to);
            if (refs & 1) {
                op.source.u.ref = REF;
                op.source.domid = self;
                op.flags |= GNTCOPY_source_gref;
            }
            if (refs & 2) {
                op.dest.u.ref = REF2;
                op.dest.domid = self;
                op.flags |= GNTCOPY_dest_gref;
            }
            SAME("status", copy(op), GNTST_bad_copy_arg);
        }
    for (u32 i = 0; i < 2 * PAGE_SIZE; i++)
        if (to[i])
            equal("nothing is written", i, ~0ul);
    equal("marks", marks(REF) | marks(REF2), 0);
    grant_table[REF].flags = grant_table[REF2].flags = 0;
    page_free(from);
    page_free(to);
    page_free(to + PAGE_SIZE);
}

ATTACK(transfer_in_use, FLAW_LIFE, "transferring frames that are mapped, pinned, granted in use, shared with the hypervisor, or not the caller's: bad_page")
{
    u64 *table = pinned_table(1);
    u8 *page = page_alloc();
    u64 bad[] = {mfn_of(page), mfn_of(table), start_info->shared_info >> PAGE_SHIFT, victim_frame(), MFN_HYPERVISOR,
                 MFN_BEYOND, ~0ul >> PAGE_SHIFT, 0xfee00, mfn_of(memory_root())};

    begin();
    grant_table[REF].domid = self;
    grant_table[REF].flags = GTF_accept_transfer;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        SAME("to itself", transfer(bad[i], self, REF), GNTST_bad_page);
        SAME("to domain 0", transfer(bad[i], 0, 8), GNTST_bad_page);
        SAME("to nobody", transfer(bad[i], 0x7abc, 8), GNTST_bad_page);
    }
    equal("not committed", grant_table[REF].flags, GTF_accept_transfer);
    grant(REF2, mfn_of(page), 0);
    SAME("map", map(REF2, 0, GNTMAP_device_map | GNTMAP_readonly), 0);
    memory_unmap(page);
    SAME("mapped for DMA", transfer(mfn_of(page), self, REF), GNTST_bad_page);
    SAME("unmap", unmap(handle, 0, bus), 0);
    equal("mapped again", (u64)memory_protect(page, MEMORY_RW), 0);
    grant_table[REF].flags = grant_table[REF2].flags = 0;
    equal("unpin", (u64)unpin(table), 0);
    page_back(table);
    page_free(page);
}

ATTACK(transfer_to_others, FLAW_RIGHTS, "transferring to domains that do not accept it: the frame is lost to the attacker, and not theirs")
{
    u64 before, after;
    domid_t me = DOMID_SELF;

    begin();
    before = (u64)hypercall_memory_op(XENMEM_current_reservation, &me);
    for (u16 dom = 0; dom <= 3; dom++) {
        u8 *page = page_alloc();
        u64 frame = mfn_of(page), pfn = memory_virt_to_pfn(page);
        struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

        memset(page, 0x77, PAGE_SIZE);
        memory_unmap(page);
        differ("transfer", (u64)transfer(frame, dom == 3 ? 0x7abc : dom, 9), 0);
        set_xen_guest_handle(r.extent_start, &pfn);
        equal("another one instead", (u64)hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
        memory_set_p2m(memory_virt_to_pfn(page), pfn);
        equal("mapped", (u64)memory_protect(page, MEMORY_RW), 0);
        equal("empty", *(u64 *)page, 0);
        page_free(page);
    }
    after = (u64)hypercall_memory_op(XENMEM_current_reservation, &me);
    equal("pages", after, before);
}

ATTACK(swap_in_use, FLAW_RACE, "swapping entries that are in use, or out of range: eagain, bad_gntref")
{
    u8 *page = page_alloc();
    gnttab_swap_grant_ref_t op = {.ref_a = REF, .ref_b = REF2, .status = 77};

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("in use", op.status, GNTST_eagain);
    op.ref_b = 0x7fffffff;
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("out of range", op.status, GNTST_bad_gntref);
    op.ref_a = ~0u;
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("both", op.status, GNTST_bad_gntref);
    SAME("unmap", unmap(handle, window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(cache_flush, FLAW_FRAME, "flushing lines of the hypervisor's, of a victim's, of no memory, or beyond a page: an error")
{
    u8 *page = page_alloc();
    gnttab_cache_flush_t op = {.length = 64, .op = GNTTAB_CACHE_CLEAN};
    u64 bad[] = {MFN_HYPERVISOR, victim_frame(), MFN_BEYOND, 0xfee00, ~0ul >> PAGE_SHIFT};

    begin();
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        op.a.dev_bus_addr = bad[i] << PAGE_SHIFT;
        holds("forged", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1) < 0);
        op.op = GNTTAB_CACHE_INVAL;
        holds("invalidate", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1) < 0);
        op.op = GNTTAB_CACHE_CLEAN;
    }
    op.a.dev_bus_addr = mfn_of(page) << PAGE_SHIFT;
    op.offset = 4095;
    equal("across the end", (u64)hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), (u64)-XEN_EINVAL);
    op.offset = 0xffff;
    equal("behind it", (u64)hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), (u64)-XEN_EINVAL);
    op.offset = 0;
    op.length = 0xffff;
    equal("too long", (u64)hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), (u64)-XEN_EINVAL);
    op.length = 64;
    equal("our own", (u64)hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
    page_free(page);
}

/* ---- version 2 ---- */

static grant_entry_v2_t *v2(u32 ref) { return (grant_entry_v2_t *)grant_table + ref; }

ATTACK(transitive_cycles, FLAW_TIME, "transitive grants that lead to themselves, to each other, to strangers, or that are mapped: an error, the stack stays, no mark")
{
    u8 *page = page_alloc();
    u16 *status;
    u64 frame = 0;
    gnttab_get_status_frames_t get = {.dom = DOMID_SELF, .nr_frames = 1};
    static const u16 to[] = {0, 1, 2, 0x7abc, DOMID_SELF, DOMID_XEN};

    begin();
    equal("version 2", (u64)set_version(2), 0);
    set_xen_guest_handle(get.frame_list, &frame);
    hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1);
    status = memory_map_mfn(frame, MEMORY_RW);
    for (u32 i = 0; i <= ARRAY_SIZE(to); i++)
        for (u32 inner = REF; inner <= REF2; inner++) {
            v2(REF)->hdr.flags = v2(REF2)->hdr.flags = 0;
            v2(REF)->transitive.trans_domid = i < ARRAY_SIZE(to) ? to[i] : self;
            v2(REF)->transitive.gref = inner;
            v2(REF2)->transitive.trans_domid = self;
            v2(REF2)->transitive.gref = REF;
            v2(REF)->hdr.domid = v2(REF2)->hdr.domid = self;
            BARRIER();
            v2(REF)->hdr.flags = v2(REF2)->hdr.flags = GTF_transitive;
            holds("read", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_source_gref, .len = 8,
                                               .dest = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}}) < 0);
            holds("write", copy((gnttab_copy_t){.dest = {.u.ref = REF, .domid = self}, .flags = GNTCOPY_dest_gref, .len = 8,
                                                .source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}}) < 0);
            holds("both", copy((gnttab_copy_t){.dest = {.u.ref = REF2, .domid = self}, .len = 8,
                                               .flags = GNTCOPY_dest_gref | GNTCOPY_source_gref,
                                               .source = {.u.ref = REF, .domid = self}}) < 0);
            SAME("map", map(REF, window, GNTMAP_host_map), GNTST_general_error);
            equal("marks", status[REF] | status[REF2], 0);
        }
    memory_unmap(status);
    v2(REF)->hdr.flags = v2(REF2)->hdr.flags = 0;
    equal("version 1", (u64)set_version(1), 0);
    page_free(page);
}

ATTACK(sub_page_bounds, FLAW_ADDRESS, "a part of a page is granted, with bounds that do not fit it: copies outside of it fail, and it cannot be mapped")
{
    static const u16 parts[][2] = {{256, 256}, {4095, 1}, {0, 0xffff}, {0xffff, 0xffff}, {4096, 64}, {0xfff0, 0x20}, {0, 0}};
    u8 *page = page_alloc(), *other = page_alloc();

    begin();
    memset(page, 0x33, PAGE_SIZE);
    equal("version 2", (u64)set_version(2), 0);
    for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
        u32 first = parts[i][0], end = first + parts[i][1];

        v2(REF)->hdr.flags = 0;
        v2(REF)->hdr.domid = self;
        v2(REF)->sub_page.page_off = parts[i][0];
        v2(REF)->sub_page.length = parts[i][1];
        v2(REF)->sub_page.frame = mfn_of(page);
        BARRIER();
        v2(REF)->hdr.flags = GTF_permit_access | GTF_sub_page;
        SAME("map", map(REF, window, GNTMAP_host_map), GNTST_general_error);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
        for (u32 offset = 0; offset < 4200; offset += 97)
            for (u32 length = 1; length < 600; length += 111) {
                bool right = offset >= first && offset + length <= end && offset + length <= PAGE_SIZE;
                short got = copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = self, .offset = (u16)offset},
                                               .flags = GNTCOPY_source_gref, .len = (u16)length,
                                               .dest = {.u.gmfn = mfn_of(other), .domid = DOMID_SELF}});

                if ((got == 0) != right)
                    equal("a copy from a part", (u64)offset << 16 | length, ~0ul);
            }
    }
    v2(REF)->hdr.flags = 0;
    equal("version 1", (u64)set_version(1), 0);
    page_free(page);
    page_free(other);
}

/* ---- the call itself ---- */

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

    begin();
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
    *ops = (gnttab_map_grant_ref_t){.host_addr = window, .flags = GNTMAP_host_map, .ref = REF, .dom = self, .status = 77};
    equal("half an array", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, ops, 2), (u64)-XEN_EFAULT);
    SAME("the first one", ops->status, 0);
    SAME("unmap", unmap(ops->handle, window, 0), 0);
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
    u32 before;

    begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, window, GNTMAP_host_map), 0);
    before = handle;
    SAME("unmap", unmap(handle, window, 0), 0);
    *op = (gnttab_map_grant_ref_t){.host_addr = window, .flags = GNTMAP_host_map, .ref = REF, .dom = self, .status = 77};
    memory_protect(op, MEMORY_RO);
    equal("map", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, op, 1), (u64)-XEN_EFAULT);
    equal("counts", (u64)recount(), 0);
    memory_protect(op, MEMORY_RW);
    /* Nobody told the handle: it is one of those that are free. */
    for (u32 h = 0, found = 0; h < 600 && !found; h++)
        found = unmap(h, window, 0) == 0;
    (void)before;
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
    struct xen_memory_reservation r = {.nr_extents = 3, .domid = DOMID_SELF};

    begin();
    grant(REF, mfn_of(page), 0);
    grant(REF2, mfn_of(other), 0);
    SAME("map", map(REF, window, GNTMAP_host_map | GNTMAP_device_map), 0);
    SAME("map", map(REF2, window + PAGE_SIZE, GNTMAP_host_map), 0);
    SAME("device", map(REF2, 0, GNTMAP_device_map | GNTMAP_readonly), 0);
    hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
    for (u32 i = 1; i <= 2; i++)
        memory_unmap(tree.table[i]);
    memory_unmap(other);
    set_xen_guest_handle(r.extent_start, gone);
    equal("give back", (u64)hypercall_memory_op(XENMEM_decrease_reservation, &r), 3);
    equal("counts", (u64)recount(), 0);
    crashes();
    panic("on purpose");
}
