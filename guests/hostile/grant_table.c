/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grant table itself: its size, its versions, entries that change places; grants of a part of a page, and
 * those that lead to other grants.
 */
#include "guests/hostile/grant_tools.h"

#define GROUP "grant-table"

ATTACK(version_while_used, FLAW_LIFE, "the version is changed while a grant is mapped, or status frames are: -EBUSY; unknown versions: -EINVAL")
{
    u8 *page = page_alloc();
    u64 status = 0;
    gnttab_get_status_frames_t get = {.dom = DOMID_SELF, .nr_frames = 1};
    void *mapped;

    grants_begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    equal("to 2", (u64)set_version(2), (u64)-XEN_EBUSY);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    SAME("device", map(REF, 0, GNTMAP_device_map), 0);
    equal("to 2", (u64)set_version(2), (u64)-XEN_EBUSY);
    SAME("unmap", unmap(map_handle, 0, map_bus), 0);
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

    grants_begin();
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

ATTACK(swap_in_use, FLAW_RACE, "swapping entries that are in use, or out of range: eagain, bad_gntref")
{
    u8 *page = page_alloc();
    gnttab_swap_grant_ref_t op = {.ref_a = REF, .ref_b = REF2, .status = 77};

    grants_begin();
    grant(REF, mfn_of(page), 0);
    SAME("map", map(REF, map_window, GNTMAP_host_map), 0);
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("in use", op.status, GNTST_eagain);
    op.ref_b = 0x7fffffff;
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("out of range", op.status, GNTST_bad_gntref);
    op.ref_a = ~0u;
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);
    SAME("both", op.status, GNTST_bad_gntref);
    SAME("unmap", unmap(map_handle, map_window, 0), 0);
    grant_table[REF].flags = 0;
    page_free(page);
}

ATTACK(transitive_cycles, FLAW_TIME, "transitive grants that lead to themselves, to each other, to strangers, or that are mapped: an error, the stack stays, no mark")
{
    u8 *page = page_alloc();
    u16 *status;
    u64 frame = 0;
    gnttab_get_status_frames_t get = {.dom = DOMID_SELF, .nr_frames = 1};
    static const u16 to[] = {0, 1, 2, DOMID_NOBODY, DOMID_SELF, DOMID_XEN};

    grants_begin();
    equal("version 2", (u64)set_version(2), 0);
    set_xen_guest_handle(get.frame_list, &frame);
    hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1);
    status = memory_map_mfn(frame, MEMORY_RW);
    for (u32 i = 0; i <= ARRAY_SIZE(to); i++)
        for (u32 inner = REF; inner <= REF2; inner++) {
            v2(REF)->hdr.flags = v2(REF2)->hdr.flags = 0;
            v2(REF)->transitive.trans_domid = i < ARRAY_SIZE(to) ? to[i] : own_id();
            v2(REF)->transitive.gref = inner;
            v2(REF2)->transitive.trans_domid = own_id();
            v2(REF2)->transitive.gref = REF;
            v2(REF)->hdr.domid = v2(REF2)->hdr.domid = own_id();
            BARRIER();
            v2(REF)->hdr.flags = v2(REF2)->hdr.flags = GTF_transitive;
            holds("read", copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_source_gref, .len = 8,
                                               .dest = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}}) < 0);
            holds("write", copy((gnttab_copy_t){.dest = {.u.ref = REF, .domid = own_id()}, .flags = GNTCOPY_dest_gref, .len = 8,
                                                .source = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}}) < 0);
            holds("both", copy((gnttab_copy_t){.dest = {.u.ref = REF2, .domid = own_id()}, .len = 8,
                                               .flags = GNTCOPY_dest_gref | GNTCOPY_source_gref,
                                               .source = {.u.ref = REF, .domid = own_id()}}) < 0);
            SAME("map", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
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

    grants_begin();
    memset(page, 0x33, PAGE_SIZE);
    equal("version 2", (u64)set_version(2), 0);
    for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
        u32 first = parts[i][0], end = first + parts[i][1];

        v2(REF)->hdr.flags = 0;
        v2(REF)->hdr.domid = own_id();
        v2(REF)->sub_page.page_off = parts[i][0];
        v2(REF)->sub_page.length = parts[i][1];
        v2(REF)->sub_page.frame = mfn_of(page);
        BARRIER();
        v2(REF)->hdr.flags = GTF_permit_access | GTF_sub_page;
        SAME("map", map(REF, map_window, GNTMAP_host_map), GNTST_general_error);
        SAME("device", map(REF, 0, GNTMAP_device_map), GNTST_general_error);
        for (u32 offset = 0; offset < 4200; offset += 97)
            for (u32 length = 1; length < 600; length += 111) {
                bool right = offset >= first && offset + length <= end && offset + length <= PAGE_SIZE;
                short got = copy((gnttab_copy_t){.source = {.u.ref = REF, .domid = own_id(), .offset = (u16)offset},
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
