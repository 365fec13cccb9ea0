/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "tests/unit/hv_world.h"

#include <xen/xen.h>
#include <xen/grant_table.h>

TestSuite(hv_grant, .init = world_init, .fini = world_fini);

#define EQ(a, b) cr_assert_eq((long)(a), (long)(b), "%s is %ld, not %ld", #a, (long)(a), (long)(b))

#define RW 2u
#define GRANT_REF 20u

/* The first frame of a domain's table. */
static void *table(unsigned domain)
{
    xen_pfn_t mfn = 0;
    gnttab_setup_table_t op = {.dom = DOMID_SELF, .nr_frames = 1};

    world_is(domain);
    op.frame_list.p = &mfn;
    cr_assert(world_grant_op(GNTTABOP_setup_table, &op, 1) == 0 && op.status == 0);
    return world_frame(mfn);
}

static uint16_t *status_frame(unsigned domain)
{
    uint64_t mfn = 0;
    gnttab_get_status_frames_t op = {.dom = DOMID_SELF, .nr_frames = 1};

    world_is(domain);
    op.frame_list.p = &mfn;
    cr_assert(world_grant_op(GNTTABOP_get_status_frames, &op, 1) == 0 && op.status == 0);
    return world_frame(mfn);
}

static long set_version(unsigned domain, uint32_t version)
{
    gnttab_set_version_t op = {.version = version};

    world_is(domain);
    return world_grant_op(GNTTABOP_set_version, &op, 1);
}

/* Domain @from grants its frame @n to domain @to. */
static grant_entry_v1_t *grant(unsigned from, unsigned ref, unsigned to, unsigned n, unsigned flags)
{
    grant_entry_v1_t *e = (grant_entry_v1_t *)table(from) + ref;

    *e = (grant_entry_v1_t){GTF_permit_access | flags, to, world_mfn(from, n)};
    return e;
}

static int map(unsigned by, unsigned dom, unsigned ref, uint64_t host_addr, unsigned flags,
               uint32_t *handle)
{
    gnttab_map_grant_ref_t op = {.host_addr = host_addr, .flags = flags, .ref = ref, .dom = dom};

    world_is(by);
    EQ(world_grant_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    if (handle && op.status == 0)
        *handle = op.handle;
    return op.status;
}

static int unmap(unsigned by, uint32_t handle, uint64_t host_addr, uint64_t dev_bus_addr)
{
    gnttab_unmap_grant_ref_t op = {
        .host_addr = host_addr, .dev_bus_addr = dev_bus_addr, .handle = handle};

    world_is(by);
    EQ(world_grant_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

static struct gnttab_copy_ptr by_ref(unsigned dom, unsigned ref, unsigned offset)
{
    return (struct gnttab_copy_ptr){.u.ref = ref, .domid = dom, .offset = offset};
}

static struct gnttab_copy_ptr by_mfn(uint64_t mfn, unsigned offset)
{
    return (struct gnttab_copy_ptr){.u.gmfn = mfn, .domid = DOMID_SELF, .offset = offset};
}

static int copy(unsigned by, struct gnttab_copy_ptr source, struct gnttab_copy_ptr dest,
                unsigned len, unsigned flags)
{
    gnttab_copy_t op = {.source = source, .dest = dest, .len = len, .flags = flags};

    world_is(by);
    EQ(world_grant_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

Test(hv_grant, map_and_unmap_leave_no_trace)
{
    grant_entry_v1_t *e = grant(1, GRANT_REF, 0, 3, 0);
    uint64_t mfn = world_mfn(1, 3);
    uint32_t handle = 99;

    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, &handle), GNTST_okay);
    EQ(world_pte(0, 5) >> 12 & 0xfffffff, mfn);
    cr_assert(world_pte(0, 5) & RW);
    EQ(e->flags, GTF_permit_access | GTF_reading | GTF_writing);
    EQ(world_count(mfn), 2);
    EQ(world_type_count(mfn), 1);
    EQ(world_audit(), 0);
    EQ(world_flushes(), 0);
    EQ(unmap(0, handle, WORLD_VA(5), 0), GNTST_okay);
    EQ(world_flushes(), 1);
    EQ(world_pte(0, 5), 0);
    EQ(e->flags, GTF_permit_access);
    EQ(world_count(mfn), 1);
    EQ(world_type_count(mfn), 0);
    EQ(unmap(0, handle, WORLD_VA(5), 0), GNTST_bad_handle);
    EQ(world_audit(), 0);
}

Test(hv_grant, read_only_grants_are_mapped_read_only)
{
    grant_entry_v1_t *e = grant(1, GRANT_REF, 0, 3, GTF_readonly);
    uint32_t handle = 0;

    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, &handle), GNTST_general_error);
    EQ(e->flags, GTF_permit_access | GTF_readonly);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map | GNTMAP_readonly, &handle), GNTST_okay);
    cr_assert(!(world_pte(0, 5) & RW));
    EQ(e->flags, GTF_permit_access | GTF_readonly | GTF_reading);
    EQ(world_type_count(world_mfn(1, 3)), 0);
    EQ(world_audit(), 0);
}

Test(hv_grant, what_is_refused_leaves_no_trace)
{
    grant_entry_v1_t *e = grant(1, GRANT_REF, 2, 3, 0);

    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), 0, NULL), GNTST_bad_gntref);
    EQ(map(0, 9, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_bad_domain);
    EQ(map(0, DOMID_SELF, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_bad_domain);
    EQ(map(0, 1, 512, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_bad_gntref);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_general_error);
    e->domid = 0;
    e->frame = world_mfn(2, 3); /* not the granter's */
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_bad_page);
    e->frame = 0xffffffff;
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_bad_page);
    e->frame = world_mfn(1, 3);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(WORLD_ENTRIES), GNTMAP_host_map, NULL), GNTST_general_error);
    EQ(map(0, 1, GRANT_REF, 8 * 5 + 3, GNTMAP_host_map | GNTMAP_contains_pte, NULL),
       GNTST_general_error);
    EQ(e->flags, GTF_permit_access);
    EQ(world_count(world_mfn(1, 3)), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, the_halves_of_a_map_go_one_by_one)
{
    const unsigned both = GNTMAP_host_map | GNTMAP_device_map;
    uint64_t mfn = world_mfn(1, 3);
    grant_entry_v1_t *e = grant(1, GRANT_REF, 0, 3, 0);
    uint32_t handle = 0;

    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), both, &handle), GNTST_okay);
    EQ(world_count(mfn), 3);
    EQ(world_type_count(mfn), 2);
    EQ(world_audit(), 0);
    EQ(unmap(0, handle, 0, (mfn + 1) << 12), GNTST_bad_dev_addr);
    EQ(unmap(0, handle, 0, mfn << 12), GNTST_okay);
    EQ(world_count(mfn), 2);
    EQ(unmap(0, handle, 0, mfn << 12), GNTST_okay); /* that half is gone: nothing to do */
    EQ(world_count(mfn), 2);
    EQ(e->flags & GTF_writing, GTF_writing);
    EQ(unmap(0, handle, WORLD_VA(6), 0), GNTST_general_error);
    EQ(unmap(0, handle, WORLD_VA(5), mfn << 12), GNTST_okay);
    EQ(world_count(mfn), 1);
    EQ(e->flags, GTF_permit_access);
    EQ(world_audit(), 0);
}

Test(hv_grant, an_entry_of_other_rights_is_not_unmapped)
{
    uint64_t mfn = world_mfn(0, 3);
    uint32_t handle = 0;

    grant(0, GRANT_REF, 0, 3, 0);
    EQ(map(0, 0, GRANT_REF, WORLD_VA(5), GNTMAP_host_map | GNTMAP_readonly, &handle), GNTST_okay);
    /* The domain's own mapping takes its place: with RW, which the grant's had not. */
    cr_assert(world_pte_set(0, 5, mfn << 12 | RW | 1));
    EQ(unmap(0, handle, WORLD_VA(5), 0), GNTST_general_error);
    EQ(world_type_count(mfn), 1);
    cr_assert(world_pte_set(0, 5, 0));
    EQ(world_count(mfn), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, pins_do_not_overflow)
{
    uint32_t handles[200];
    unsigned n = 0;

    grant(1, GRANT_REF, 0, 3, 0);
    while (n < 200 && map(0, 1, GRANT_REF, 0, GNTMAP_device_map, &handles[n]) == GNTST_okay)
        n++;
    EQ(n, 128);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(1), GNTMAP_host_map, NULL), GNTST_general_error);
    EQ(world_audit(), 0);
    while (n--)
        EQ(unmap(0, handles[n], 0, world_mfn(1, 3) << 12), GNTST_okay);
    EQ(world_count(world_mfn(1, 3)), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, handles_run_out)
{
    unsigned n = 0;

    EQ(world_grant_limit(0, 64, 1, 2), 0);
    for (unsigned ref = 20; ref < 22; ref++)
        grant(1, ref, 0, ref, 0);
    while (map(0, 1, 20 + n / 128, 0, GNTMAP_device_map, NULL) == GNTST_okay)
        n++;
    EQ(n, 256);
    grant(1, 22, 0, 22, 0);
    EQ(map(0, 1, 22, 0, GNTMAP_device_map, NULL), GNTST_no_space);
    EQ(world_audit(), 0);
    world_preempt(3);
    world_kill(0);
    EQ(world_count(world_mfn(1, 20)), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, unmap_and_replace_moves_the_entry)
{
    uint32_t handle = 0;
    gnttab_unmap_and_replace_t op = {.host_addr = WORLD_VA(5), .new_addr = WORLD_VA(6)};

    grant(1, GRANT_REF, 0, 3, 0);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, &handle), GNTST_okay);
    cr_assert(world_pte_set(0, 6, world_mfn(0, 1) << 12 | RW | 1));
    op.handle = handle;
    EQ(world_grant_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
    EQ(op.status, GNTST_okay);
    EQ(world_pte(0, 6), 0);
    EQ(world_pte(0, 5), world_mfn(0, 1) << 12 | RW | 1);
    EQ(world_count(world_mfn(1, 3)), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, a_batch_flushes_once_and_survives_preemption)
{
    gnttab_map_grant_ref_t maps[50];
    gnttab_unmap_grant_ref_t unmaps[50];

    grant(1, GRANT_REF, 0, 3, 0);
    for (unsigned i = 0; i < 50; i++)
        maps[i] = (gnttab_map_grant_ref_t){
            .host_addr = WORLD_VA(i), .flags = GNTMAP_host_map, .ref = GRANT_REF, .dom = 1,
            .status = 1};
    world_is(0);
    world_preempt(3);
    EQ(world_grant_op(GNTTABOP_map_grant_ref, maps, 50), 0);
    for (unsigned i = 0; i < 50; i++) {
        EQ(maps[i].status, GNTST_okay);
        unmaps[i] = (gnttab_unmap_grant_ref_t){
            .host_addr = WORLD_VA(i), .handle = maps[i].handle, .status = 1};
    }
    EQ(world_audit(), 0);
    world_preempt(1);
    EQ(world_grant_op(GNTTABOP_unmap_grant_ref, unmaps, 50), 0);
    EQ(world_flushes(), 2); /* 32 and 18 */
    for (unsigned i = 0; i < 50; i++)
        EQ(unmaps[i].status, GNTST_okay);
    EQ(world_audit(), 0);
}

Test(hv_grant, copy_needs_the_right_and_stays_in_the_page)
{
    char *source = world_frame(world_mfn(1, 3)), *dest = world_frame(world_mfn(0, 4));
    grant_entry_v1_t *e = grant(1, GRANT_REF, 0, 3, GTF_readonly);

    strcpy(source + 100, "granted");
    EQ(copy(0, by_ref(1, GRANT_REF, 100), by_mfn(world_mfn(0, 4), 8), 8, GNTCOPY_source_gref), GNTST_okay);
    cr_assert_str_eq(dest + 8, "granted");
    EQ(e->flags, GTF_permit_access | GTF_readonly);
    EQ(copy(0, by_mfn(world_mfn(0, 4), 0), by_ref(1, GRANT_REF, 0), 8, GNTCOPY_dest_gref),
       GNTST_general_error);
    EQ(copy(0, by_ref(1, GRANT_REF, 4000), by_mfn(world_mfn(0, 4), 0), 97, GNTCOPY_source_gref),
       GNTST_bad_copy_arg);
    EQ(copy(0, (struct gnttab_copy_ptr){.u.gmfn = world_mfn(1, 3), .domid = 1},
            by_mfn(world_mfn(0, 4), 0), 8, 0), GNTST_permission_denied);
    EQ(copy(0, by_mfn(world_mfn(1, 3), 0), by_mfn(world_mfn(0, 4), 0), 8, 0), GNTST_bad_page);
    EQ(copy(2, by_ref(1, GRANT_REF, 0), by_mfn(world_mfn(2, 4), 0), 8, GNTCOPY_source_gref),
       GNTST_general_error);
    EQ(e->flags, GTF_permit_access | GTF_readonly);
    EQ(world_audit(), 0);
}

Test(hv_grant, a_pinned_grant_does_not_follow_its_entry)
{
    char *first = world_frame(world_mfn(1, 3)), *second = world_frame(world_mfn(1, 7));
    grant_entry_v1_t *e = grant(1, GRANT_REF, 0, 3, 0);
    uint32_t handle = 0;

    strcpy(first, "first");
    strcpy(second, "second");
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map | GNTMAP_readonly, &handle), GNTST_okay);
    e->frame = world_mfn(1, 7);
    EQ(copy(0, by_ref(1, GRANT_REF, 0), by_mfn(world_mfn(0, 4), 0), 8, GNTCOPY_source_gref), GNTST_okay);
    cr_assert_str_eq((char *)world_frame(world_mfn(0, 4)), "first");
    EQ(copy(0, by_mfn(world_mfn(0, 4), 0), by_ref(1, GRANT_REF, 64), 8, GNTCOPY_dest_gref), GNTST_okay);
    cr_assert_str_eq(first + 64, "first");
    EQ(e->flags, GTF_permit_access | GTF_reading);
    e->flags |= GTF_readonly; /* the right to write is looked up again */
    EQ(copy(0, by_mfn(world_mfn(0, 4), 0), by_ref(1, GRANT_REF, 64), 8, GNTCOPY_dest_gref),
       GNTST_general_error);
    EQ(world_audit(), 0);
    EQ(unmap(0, handle, WORLD_VA(5), 0), GNTST_okay);
    EQ(world_audit(), 0);
}

Test(hv_grant, parts_of_a_page_can_be_copied_but_not_mapped)
{
    grant_entry_v2_t *e;

    EQ(set_version(1, 2), 0);
    e = (grant_entry_v2_t *)table(1) + GRANT_REF;
    e->sub_page.page_off = 256;
    e->sub_page.length = 16;
    e->sub_page.frame = world_mfn(1, 3);
    e->hdr.domid = 0;
    e->hdr.flags = GTF_permit_access | GTF_sub_page;
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_general_error);
    EQ(copy(0, by_ref(1, GRANT_REF, 256), by_mfn(world_mfn(0, 4), 0), 16, GNTCOPY_source_gref), GNTST_okay);
    EQ(copy(0, by_ref(1, GRANT_REF, 255), by_mfn(world_mfn(0, 4), 0), 16, GNTCOPY_source_gref),
       GNTST_general_error);
    EQ(copy(0, by_ref(1, GRANT_REF, 256), by_mfn(world_mfn(0, 4), 0), 17, GNTCOPY_source_gref),
       GNTST_general_error);
    EQ(status_frame(1)[GRANT_REF], 0);
    EQ(world_audit(), 0);
}

Test(hv_grant, a_transitive_grant_reaches_one_step)
{
    grant_entry_v2_t *inner, *outer, *loop;

    EQ(set_version(1, 2), 0);
    EQ(set_version(2, 2), 0);
    inner = (grant_entry_v2_t *)table(2) + 30;
    inner->full_page.frame = world_mfn(2, 3);
    inner->hdr.domid = 1;
    inner->hdr.flags = GTF_permit_access;
    outer = (grant_entry_v2_t *)table(1) + GRANT_REF;
    outer->transitive.trans_domid = 2;
    outer->transitive.gref = 30;
    outer->hdr.domid = 0;
    outer->hdr.flags = GTF_transitive;
    loop = outer + 1;
    loop->transitive.trans_domid = 1;
    loop->transitive.gref = GRANT_REF + 1;
    loop->hdr.domid = 1;
    loop->hdr.flags = GTF_transitive;
    strcpy(world_frame(world_mfn(2, 3)), "deep");
    EQ(copy(0, by_ref(1, GRANT_REF, 0), by_mfn(world_mfn(0, 4), 0), 8, GNTCOPY_source_gref), GNTST_okay);
    cr_assert_str_eq((char *)world_frame(world_mfn(0, 4)), "deep");
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, NULL), GNTST_general_error);
    EQ(copy(0, by_ref(1, GRANT_REF, 0), by_ref(1, GRANT_REF, 64), 8,
            GNTCOPY_source_gref | GNTCOPY_dest_gref), GNTST_okay);
    EQ(copy(1, by_ref(1, GRANT_REF + 1, 0), by_mfn(world_mfn(1, 4), 0), 8, GNTCOPY_source_gref),
       GNTST_general_error);
    EQ(status_frame(1)[GRANT_REF], 0);
    EQ(status_frame(2)[30], 0);
    EQ(world_count(world_mfn(2, 3)), 1);
    EQ(world_audit(), 0);
}

Test(hv_grant, transfer_moves_a_frame_to_who_expects_it)
{
    uint64_t mfn = world_mfn(0, 4);
    grant_entry_v1_t *e = (grant_entry_v1_t *)table(1) + GRANT_REF;
    gnttab_transfer_t op = {.mfn = mfn, .domid = 1, .ref = GRANT_REF};

    *e = (grant_entry_v1_t){GTF_accept_transfer, 0, 1234};
    cr_assert(world_pte_set(0, 5, mfn << 12 | 1));
    world_is(0);
    EQ(world_grant_op(GNTTABOP_transfer, &op, 1), 0);
    EQ(op.status, GNTST_bad_page); /* it is mapped */
    cr_assert(world_pte_set(0, 5, 0));
    EQ(world_grant_op(GNTTABOP_transfer, &op, 1), 0);
    EQ(op.status, GNTST_okay);
    EQ(world_owner(mfn), 1);
    EQ(e->frame, mfn);
    EQ(e->flags, GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    op.mfn = world_mfn(0, 6);
    EQ(world_grant_op(GNTTABOP_transfer, &op, 1), 0);
    EQ(op.status, GNTST_general_error); /* once only, and the frame is lost */
    EQ(world_owner(world_mfn(0, 6)), DOMID_INVALID);
    EQ(world_audit(), 0);
}

Test(hv_grant, the_version_changes_only_while_nothing_is_in_use)
{
    uint32_t reserved = 0, handle = 0;
    unsigned pages = world_pages();
    grant_entry_v1_t *e = grant(1, 1, 0, 2, 0);

    EQ(set_version(1, 3), -EINVAL);
    EQ(set_version(1, 1), 0);
    EQ(map(0, 1, 1, WORLD_VA(4), GNTMAP_host_map, &reserved), GNTST_okay);
    grant(1, GRANT_REF, 0, 3, 0);
    EQ(map(0, 1, GRANT_REF, WORLD_VA(5), GNTMAP_host_map, &handle), GNTST_okay);
    EQ(set_version(1, 2), -EBUSY);
    EQ(unmap(0, handle, WORLD_VA(5), 0), GNTST_okay);
    EQ(set_version(1, 2), 0);
    EQ(status_frame(1)[1], GTF_reading | GTF_writing);
    EQ(((grant_entry_v2_t *)table(1))[GRANT_REF].hdr.flags, 0);
    EQ(world_audit(), 0);
    /* A status frame that is mapped cannot go. */
    uint64_t status_mfn = ((uint64_t)status_frame(1) - (uint64_t)world_frame(0)) >> 12;
    cr_assert(world_pte_set(1, 9, status_mfn << 12 | RW | 1));
    EQ(set_version(1, 1), -EBUSY);
    cr_assert(world_pte_set(1, 9, 0));
    EQ(set_version(1, 1), 0);
    EQ(e->flags, GTF_permit_access | GTF_reading | GTF_writing);
    EQ(unmap(0, reserved, WORLD_VA(4), 0), GNTST_okay);
    EQ(e->flags, GTF_permit_access);
    EQ(world_pages(), pages + 2); /* domain 0's handles and their directory */
    EQ(world_audit(), 0);
}

/* The same numbers for each run. */
static uint32_t random_below(uint32_t n)
{
    static uint64_t x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)(x >> 32) % n;
}

Test(hv_grant, random_calls_keep_the_books)
{
    uint32_t handles[WORLD_DOMAINS][64] = {{0}};
    unsigned maps = 0, unmaps = 0, copies = 0, versions = 0;

    for (unsigned round = 0; round < 20000; round++) {
        unsigned by = random_below(3), dom = random_below(4), ref = random_below(12) + 4;
        unsigned slot = random_below(64), va = random_below(WORLD_ENTRIES + 2);
        unsigned flags = random_below(32);

        world_preempt(random_below(5));
        switch (random_below(8)) {
        case 0:
            if (dom < 3) {
                /* In either version's layout this is something: often a grant. */
                uint16_t *e = (uint16_t *)table(dom) + ref * 4;

                e[0] = random_below(8) ? GTF_permit_access | (random_below(4) ? 0 : GTF_readonly)
                                       : random_below(512);
                e[1] = random_below(3);
                *(uint32_t *)(e + 2) = world_mfn(dom, random_below(WORLD_OWN));
            }
            break;
        case 1:
        case 2:
            maps += map(by, dom, ref, flags & GNTMAP_contains_pte ? va * 8 : WORLD_VA(va), flags,
                        &handles[by][slot]) == GNTST_okay;
            break;
        case 3:
        case 4:
            /* By chance an address is the right one; the map's own entry is found by trying all. */
            for (va = random_below(8) ? 0 : va; va < WORLD_ENTRIES; va++)
                if (unmap(by, handles[by][slot], WORLD_VA(va),
                          random_below(3) ? world_mfn(dom % 3, random_below(WORLD_OWN)) << 12 : 0) ==
                    GNTST_okay) {
                    unmaps++;
                    break;
                }
            break;
        case 5:
            copies += copy(by, by_ref(dom, ref, random_below(64)),
                 random_below(2) ? by_mfn(world_mfn(by, random_below(WORLD_OWN)), 0)
                                 : by_ref(dom, random_below(12) + 4, 0),
                 random_below(4096), 1 + 2 * random_below(2)) == GNTST_okay;
            break;
        case 6:
            world_is(by);
            world_pte_set(by, va % WORLD_ENTRIES,
                          random_below(2) ? 0 : world_mfn(by, random_below(WORLD_OWN)) << 12 | 3);
            break;
        case 7:
            if (random_below(40) == 0)
                versions += set_version(by, 1 + random_below(2)) == 0;
            break;
        }
        if (round % 64 == 0)
            EQ(world_audit(), 0);
    }
    cr_assert(maps > 500 && unmaps > 200 && copies > 50 && versions > 5, "%u %u %u %u", maps, unmaps,
              copies, versions);
    world_preempt(3);
    for (unsigned d = 0; d < WORLD_DOMAINS; d++)
        world_kill(d);
    EQ(world_audit(), 0);
    for (unsigned d = 0; d < WORLD_DOMAINS; d++)
        for (unsigned n = 0; n < WORLD_OWN; n++)
            EQ(world_count(world_mfn(d, n)), 1);
}
