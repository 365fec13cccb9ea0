/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames behind grants: those that must not be granted, copied to or transferred, that are page tables or
 * become some, that are given back or exchanged in the entry while they are in use.
 */
#include "guests/hostile/grant_tools.h"

#define GROUP "granted"

ATTACK(frames_of_others, FLAW_FRAME, "granting frames of a victim, of the hypervisor, of nobody, and mapping or copying them: bad_page, and no mark stays")
{
    u64 page = (u64)page_alloc();
    u64 bad[] = {victim_frame(), MFN_HYPERVISOR, 0, 0xfee00, 0xa0, 0xffffffff, 0x7fffffff};

    grants_begin();
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        grant(REF, bad[i], 0);
        SAME("map", map(REF, map_window, GNTMAP_host_map), GNTST_bad_page);
        equal("marks after it", marks(REF), 0);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_bad_page);
        SAME("read", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_source_gref,
                                          .dest = {.u.gmfn = mfn_of((void *)page), .domid = DOMID_SELF}, .len = 8}),
             GNTST_bad_page);
        SAME("write", copy((gnttab_copy_t){.dest = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_dest_gref,
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

ATTACK(granted_tables, FLAW_TYPE, "page tables of every level are granted: mapped writable and written by copy never; read-only they stay tables")
{
    u8 *page = page_alloc();

    grants_begin();
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        grant(REF, mfn_of(table), 0);
        SAME("host", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
        SAME("both", map(REF, map_window, GNTMAP_device_map | GNTMAP_host_map), GNTST_general_error);
        SAME("by a grant", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}, .len = 64,
                                                .dest = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_dest_gref}),
             GNTST_general_error);
        SAME("by number", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}, .len = 64,
                                               .dest = {.u.gmfn = mfn_of(table), .domid = DOMID_SELF}}),
             GNTST_general_error);
        equal("marks", marks(REF), 0);
        SAME("read-only", map(REF, map_window, GNTMAP_host_map | GNTMAP_readonly), 0);
        equal("cannot be written", store((void *)map_window, 7), TRAP_PF);
        equal("nor made writable", (u64)hypercall_update_va_mapping(map_window, entry_of(table, MEMORY_RW), UVMF_INVLPG), (u64)-XEN_EBUSY);
        SAME("unmap", unmap(map_handle, map_window, 0), 0);
        equal("unpin", (u64)unpin(table), 0);
        page_back(table);
    }
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(mapped_becomes_table, FLAW_TYPE, "a frame that is mapped writable by a grant, or granted for DMA, is no page table nor descriptor table: refused until it is unmapped")
{
    u64 *page = page_alloc();

    grants_begin();
    grant(REF, mfn_of(page), 0);
    for (u32 half = GNTMAP_device_map; half <= GNTMAP_host_map; half <<= 1) {
        SAME("map", map(REF, half == GNTMAP_host_map ? map_window : 0, half), 0);
        memory_protect(page, MEMORY_RO);
        for (u32 level = 1; level <= 4; level++)
            equal("pin", (u64)pin(level, page), (u64)-XEN_EINVAL);
        u64 frame = mfn_of(page);
        equal("gdt", (u64)hypercall_set_gdt(&frame, 512), (u64)-XEN_EINVAL);
        SAME("unmap", unmap(map_handle, half == GNTMAP_host_map ? map_window : 0, half == GNTMAP_device_map ? map_bus : 0), 0);
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

    grants_begin();
    grant(REF, mfn_of(page), GTF_readonly);
    SAME("write", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
    SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
    SAME("read", map(REF, map_window, GNTMAP_host_map | GNTMAP_readonly), 0);
    first = map_handle;
    SAME("write besides", map(REF, map_window + PAGE_SIZE, GNTMAP_host_map), GNTST_general_error);
    SAME("copy to", copy((gnttab_copy_t){.source = {.u.gmfn = mfn_of(other), .domid = DOMID_SELF}, .len = 8,
                                         .dest = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_dest_gref}),
         GNTST_general_error);
    equal("marks", marks(REF), GTF_reading);
    equal("cannot be written", store((void *)map_window, 7), TRAP_PF);
    SAME("unmap", unmap(first, map_window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
    page_free(other);
}

ATTACK(entry_changes_under_map, FLAW_RACE, "the frame and the user of an entry in use are rewritten: further maps and copies get the frame it was, and the counts are its")
{
    u8 *page = page_alloc(), *other = page_alloc(), *target = page_alloc();
    u32 first, second;

    grants_begin();
    memset(page, 0x11, PAGE_SIZE);
    memset(other, 0x22, PAGE_SIZE);
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map | GNTMAP_readonly), 0);
    first = map_handle;
    grant_table[REF].frame = (u32)victim_frame();
    SAME("again", map(REF, map_window + PAGE_SIZE, GNTMAP_host_map | GNTMAP_readonly), 0);
    second = map_handle;
    equal("is the old one", map_bus, mfn_of(page) << PAGE_SHIFT);
    grant_table[REF].frame = (u32)mfn_of(other);
    SAME("copy", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_source_gref, .len = 64,
                                      .dest = {.u.gmfn = mfn_of(target), .domid = DOMID_SELF}}), 0);
    equal("from the old one", target[0], 0x11);
    grant_table[REF].domid = 1;
    SAME("write, for another", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
    equal("counts", (u64)recount(), 0);
    grant_table[REF].flags = 0;
    SAME("unmap", unmap(second, map_window + PAGE_SIZE, 0), 0);
    SAME("unmap", unmap(first, map_window, 0), 0);
    SAME("ended", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
    page_free(page);
    page_free(other);
    page_free(target);
}

ATTACK(released_while_mapped, FLAW_LIFE, "a granted frame is given back while it is mapped: it is nobody else's before the last map is gone")
{
    u8 *page = page_alloc();
    u64 frame = mfn_of(page);

    grants_begin();
    grant(REF, frame, 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    *(volatile u64 *)map_window = 0x1234;
    memory_unmap(page);
    equal("give back", (u64)give_frame_back(frame), 1);
    equal("still there", *(volatile u64 *)map_window, 0x1234);
    equal("counts", (u64)recount(), 0);
    SAME("no transfer", transfer(frame, own_id(), REF2), GNTST_bad_page);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    SAME("now it is gone", map(REF, map_window, GNTMAP_host_map), GNTST_bad_page);
    grant_table[REF].flags = 0;
    page_again(page);
}

ATTACK(copy_bounds, FLAW_ADDRESS, "copies with offsets and lengths beyond the page, or whose sum wraps: bad_copy_arg, and nothing is written")
{
    static const u16 bad[][3] = {{4096, 0, 1}, {0, 4096, 1}, {4095, 0, 2}, {0, 4095, 2}, {1, 1, 4096},
                                 {0xffff, 0, 1}, {0, 0xffff, 1}, {0xffff, 0xffff, 0xffff}, {0, 0, 4097},
                                 {0x8000, 0x8000, 0x8000}, {1, 0, 0xffff}};
    u8 *from = page_alloc(), *to = pages_alloc(2);

    grants_begin();
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
                op.source.domid = own_id();
                op.flags |= GNTCOPY_source_gref;
            }
            if (refs & 2) {
                op.dest.u.ref = REF2;
                op.dest.domid = own_id();
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

    grants_begin();
    grant_table[REF].domid = own_id();
    grant_table[REF].flags = GTF_accept_transfer;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        SAME("to itself", transfer(bad[i], own_id(), REF), GNTST_bad_page);
        SAME("to domain 0", transfer(bad[i], 0, 8), GNTST_bad_page);
        SAME("to nobody", transfer(bad[i], DOMID_NOBODY, 8), GNTST_bad_page);
    }
    equal("not committed", grant_table[REF].flags, GTF_accept_transfer);
    grant(REF2, mfn_of(page), 0);
    SAME("map", map(REF2, 0, GNTMAP_device_map | GNTMAP_readonly), 0);
    memory_unmap(page);
    SAME("mapped for DMA", transfer(mfn_of(page), own_id(), REF), GNTST_bad_page);
    SAME("unmap", unmap(map_handle, 0, map_bus), 0);
    equal("mapped again", (u64)memory_protect(page, MEMORY_RW), 0);
    grant_table[REF].flags = grant_table[REF2].flags = 0;
    equal("unpin", (u64)unpin(table), 0);
    page_back(table);
    page_free(page);
}

ATTACK(transfer_to_others, FLAW_RIGHTS, "transferring to domains that do not accept it: the frame is lost to the attacker, and not theirs")
{
    long before;

    grants_begin();
    before = pages_now();
    for (u16 dom = 0; dom <= 3; dom++) {
        u8 *page = page_alloc();
        u64 frame = mfn_of(page);

        memset(page, 0x77, PAGE_SIZE);
        memory_unmap(page);
        differ("transfer", (u64)transfer(frame, dom == 3 ? DOMID_NOBODY : dom, 9), 0);
        page_again(page);
    }
    equal("pages", (u64)pages_now(), (u64)before);
}

ATTACK(cache_flush, FLAW_FRAME, "flushing lines of the hypervisor's, of a victim's, of no memory, or beyond a page: an error")
{
    u8 *page = page_alloc();
    gnttab_cache_flush_t op = {.length = 64, .op = GNTTAB_CACHE_CLEAN};
    u64 bad[] = {MFN_HYPERVISOR, victim_frame(), MFN_BEYOND, 0xfee00, ~0ul >> PAGE_SHIFT};

    grants_begin();
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
