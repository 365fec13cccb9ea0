/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table itself: size, versions, status frames, swapping, version 2 entries.
 */
#include "guests/conform/conform.h"
#include "guests/lib/grant.h"

static u16 self;
static u8 *from, *to;

static long set_version(u32 version, u32 *out)
{
    gnttab_set_version_t op = {.version = version};
    long error = hypercall_grant_table_op(GNTTABOP_set_version, &op, 1);

    if (out)
        *out = op.version;
    return error;
}

static u64 frames[70];

static s64 setup(u16 dom, u32 count, u64 *list)
{
    gnttab_setup_table_t op = {.dom = dom, .nr_frames = count, .status = 77};

    set_xen_guest_handle(op.frame_list, list);
    long error = hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1);

    return error ? 1000 - error : op.status;
}

static void sizes(void)
{
    gnttab_query_size_t query = {.dom = DOMID_SELF};
    gnttab_setup_table_t two[2] = {{.dom = DOMID_SELF}, {.dom = DOMID_SELF}};

    test("query", "query_size: the frames there are and the limit");
    equal("result", hypercall_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    equal("status", query.status, GNTST_okay);
    holds("frames", query.nr_frames >= 1);
    equal("max", query.max_nr_frames, 64);
    test("query-nobody", "an unknown domain: bad domain");
    query.dom = DOMID_NOBODY;
    hypercall_grant_table_op(GNTTABOP_query_size, &query, 1);
    equal("status", query.status, GNTST_bad_domain);
    test("query-count", "more than one operation: -EINVAL");
    equal("result", hypercall_grant_table_op(GNTTABOP_query_size, two, 2), -XEN_EINVAL);
    test("setup", "setup_table gives the frames' numbers");
    equal("status", setup(DOMID_SELF, 2, frames), GNTST_okay);
    differ("frame 0", frames[0], 0);
    differ("frame 1", frames[1], frames[0]);
    test("setup-grown", "after that the table has the frames asked for");
    query.dom = DOMID_SELF;
    hypercall_grant_table_op(GNTTABOP_query_size, &query, 1);
    equal("frames", query.nr_frames, 2);
    test("setup-less", "asking for fewer does not shrink it");
    equal("status", setup(DOMID_SELF, 1, frames), GNTST_okay);
    hypercall_grant_table_op(GNTTABOP_query_size, &query, 1);
    equal("frames", query.nr_frames, 2);
    test("setup-none", "asking for none is accepted");
    equal("status", setup(DOMID_SELF, 0, frames), GNTST_okay);
    test("setup-many", "more than the limit: general error");
    s64 got = setup(DOMID_SELF, 65, frames);
    equal("status", got, GNTST_general_error);
    test("setup-nobody", "an unknown domain: bad domain");
    equal("status", setup(DOMID_NOBODY, 1, frames), GNTST_bad_domain);
    test("setup-count", "more than one operation: -EINVAL");
    equal("result", hypercall_grant_table_op(GNTTABOP_setup_table, two, 2), -XEN_EINVAL);
    test("setup-fault", "a list that cannot be written: bad virtual address");
    got = setup(DOMID_SELF, 1, (u64 *)VA_UNMAPPED);
    equal("status", got, GNTST_bad_virt_addr);
    test("setup-by-number", "the own number is as good as DOMID_SELF");
    equal("status", setup(self, 1, frames), GNTST_okay);
    test("fresh", "the frames are zero, but for the reserved entries");
    u64 *frame = memory_map_mfn(frames[0], MEMORY_RW), or_ = 0;
    if (!frame) {
        broken("not mapped: %ld", memory_error);
        return;
    }
    for (u32 i = 8; i < 512; i++)
        or_ |= frame[i];
    equal("contents", or_, 0);
    test("no-table", "a frame of the table cannot become a page table: -EINVAL");
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, frames[0], 0), -XEN_EINVAL);
    test("dump", "dump_table is not there: -ENOSYS");
    gnttab_dump_table_t dump = {.dom = DOMID_SELF};
    equal("result", hypercall_grant_table_op(GNTTABOP_dump_table, &dump, 1), -XEN_ENOSYS);
}

static void versions(void)
{
    u32 out;
    gnttab_get_version_t get = {.dom = DOMID_SELF};

    test("get", "get_version: 1 at the start");
    equal("result", hypercall_grant_table_op(GNTTABOP_get_version, &get, 1), 0);
    equal("version", get.version, 1);
    test("set-same", "setting the version it has: 0");
    equal("result", set_version(1, &out), 0);
    equal("version", out, 1);
    test("set-bad", "version 0 or 3: -EINVAL");
    equal("0", set_version(0, &out), -XEN_EINVAL);
    equal("3", set_version(3, &out), -XEN_EINVAL);
    test("set-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_grant_table_op(GNTTABOP_set_version, (void *)VA_UNMAPPED, 1), -XEN_EFAULT);
    test("status-v1", "status frames of a version 1 table: general error");
    gnttab_get_status_frames_t status = {.nr_frames = 1, .dom = DOMID_SELF, .status = 77};
    set_xen_guest_handle(status.frame_list, (void *)frames);
    equal("result", hypercall_grant_table_op(GNTTABOP_get_status_frames, &status, 1), 0);
    equal("status", status.status, GNTST_general_error);
    test("get-nobody", "get_version of an unknown domain: -ESRCH");
    get.dom = DOMID_NOBODY;
    equal("result", hypercall_grant_table_op(GNTTABOP_get_version, &get, 1), -XEN_ESRCH);
}

static long swap(u32 a, u32 b)
{
    gnttab_swap_grant_ref_t op = {.ref_a = a, .ref_b = b, .status = 77};
    long error = hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1);

    return error ? 1000 - error : op.status;
}

static void swapping(void)
{
    u32 a = grant_access(self, memory_virt_to_mfn(from), true);
    u32 b = grant_access(self, memory_virt_to_mfn(to), false);

    test("swap", "swap_grant_ref exchanges two entries");
    equal("status", swap(a, b), GNTST_okay);
    equal("a", grant_table[a].frame, memory_virt_to_mfn(to));
    equal("b", grant_table[b].flags, GTF_permit_access | GTF_readonly);
    test("swap-same", "an entry with itself: nothing");
    equal("status", swap(a, a), GNTST_okay);
    test("swap-range", "a reference beyond the table: bad reference");
    equal("status", swap(a, 1000000), GNTST_bad_gntref);
    test("swap-in-use", "an entry that is mapped: try again later");
    u64 va = memory_reserve(1);
    memory_map(va, 0);
    long handle = grant_map(self, a, va, 0);
    holds("mapped", handle >= 0);
    equal("status", swap(a, b), GNTST_eagain);
    test("version-in-use", "the version cannot change while an entry is mapped: -EBUSY");
    u32 out;
    equal("result", set_version(2, &out), -XEN_EBUSY);
    grant_unmap((u32)handle, va);
    grant_end(a);
    grant_end(b);
}

static grant_entry_v2_t *v2;
static grant_status_t *status_words;

static s64 copy_ref(u32 ref, u16 offset, u16 length)
{
    gnttab_copy_t op = {.len = length, .flags = GNTCOPY_source_gref, .status = 77};

    op.source.u.ref = ref;
    op.source.domid = self;
    op.source.offset = offset;
    op.dest.u.gmfn = memory_virt_to_mfn(to);
    op.dest.domid = DOMID_SELF;
    op.dest.offset = offset;
    long error = hypercall_grant_table_op(GNTTABOP_copy, &op, 1);
    return error ? 1000 - error : op.status;
}

static void v2_entries(void)
{
    u64 va = memory_reserve(1);
    u32 ref = 20;

    test("v2-map", "a full-page entry maps; its status word shows it");
    v2[ref].full_page.frame = memory_virt_to_mfn(from);
    v2[ref].hdr.domid = self;
    v2[ref].hdr.flags = GTF_permit_access;
    memory_map(va, 0);
    long handle = grant_map(self, ref, va, 0);
    holds("handle", handle >= 0);
    equal("status word", status_words[ref], GTF_reading | GTF_writing);
    equal("flags stay", v2[ref].hdr.flags, GTF_permit_access);
    test("v2-unmap", "unmapped, the status word is clear");
    equal("status", grant_unmap((u32)handle, va), GNTST_okay);
    equal("status word", status_words[ref], 0);
    test("v2-sub-page", "a sub-page entry allows copies inside its range");
    ref = 21;
    v2[ref].sub_page.page_off = 256;
    v2[ref].sub_page.length = 128;
    v2[ref].sub_page.frame = memory_virt_to_mfn(from);
    v2[ref].hdr.domid = self;
    v2[ref].hdr.flags = GTF_permit_access | GTF_sub_page;
    from[300] = 0x3c;
    equal("status", copy_ref(ref, 256, 128), GNTST_okay);
    equal("byte", to[300], 0x3c);
    test("v2-sub-page-outside", "a copy outside of it: general error");
    equal("below", copy_ref(ref, 255, 10), GNTST_general_error);
    equal("above", copy_ref(ref, 300, 128), GNTST_general_error);
    test("v2-sub-page-map", "it cannot be mapped: general error");
    gnttab_map_grant_ref_t map = {.host_addr = va, .flags = GNTMAP_host_map, .ref = ref, .dom = self};
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    equal("status", map.status, GNTST_general_error);
}

static void v2_transitive(void)
{
    gnttab_map_grant_ref_t map = {.host_addr = memory_reserve(1), .flags = GNTMAP_host_map, .ref = 22, .dom = self, .status = 77};

    memory_map(map.host_addr, 0);
    test("v2-transitive", "a transitive entry that names the granting domain itself: general error");
    v2[22].transitive.trans_domid = self;
    v2[22].transitive.gref = 20;
    v2[22].hdr.domid = self;
    v2[22].hdr.flags = GTF_transitive;
    equal("status", copy_ref(22, 0, 64), GNTST_general_error);
    test("v2-transitive-map", "it cannot be mapped: general error");
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    equal("status", map.status, GNTST_general_error);
    test("v2-transitive-loop", "one that names itself: an error, not a hang");
    v2[22].transitive.gref = 22;
    holds("error", copy_ref(22, 0, 64) < 0);
    test("v2-transitive-bad", "one that names an entry that is not there: an error");
    v2[22].transitive.gref = 999999;
    holds("error", copy_ref(22, 0, 64) < 0);
}

static void two(void)
{
    u32 out = 0;
    gnttab_get_status_frames_t get = {.nr_frames = 1, .dom = DOMID_SELF, .status = 77};

    test("v2", "version 2 can be set");
    long error = set_version(2, &out);
    if (error == -XEN_ENOSYS) {
        skip("version 2 is not there");
        return;
    }
    equal("result", error, 0);
    equal("version", out, 2);
    test("v2-cleared", "the table is cleared by the change");
    v2 = (grant_entry_v2_t *)grant_table;
    equal("entry", v2[20].hdr.flags, 0);
    test("v2-status-frames", "it has a frame of status words");
    set_xen_guest_handle(get.frame_list, (void *)frames);
    equal("result", hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1), 0);
    equal("status", get.status, GNTST_okay);
    status_words = memory_map_mfn(frames[0], MEMORY_RW);
    holds("mapped", status_words);
    if (!status_words)
        return;
    test("v2-status-many", "more status frames than there are: general error");
    get.nr_frames = 30;
    get.status = 77;
    hypercall_grant_table_op(GNTTABOP_get_status_frames, &get, 1);
    equal("status", get.status, GNTST_general_error);
    v2_entries();
    v2_transitive();
    test("v2-swap", "swap of version 2 entries");
    equal("status", swap(20, 21), GNTST_okay);
    equal("a", v2[20].hdr.flags, GTF_permit_access | GTF_sub_page);
    test("v2-back-busy", "back to version 1 with a status frame mapped: -EBUSY");
    equal("result", set_version(1, &out), -XEN_EBUSY);
    equal("version", out, 2);
    test("v2-back", "back to version 1 once it is unmapped");
    memory_unmap(status_words);
    equal("result", set_version(1, &out), 0);
    equal("version", out, 1);
}

static void cache(void)
{
    gnttab_cache_flush_t op = {.length = 64, .offset = 0, .op = GNTTAB_CACHE_CLEAN};

    op.a.dev_bus_addr = memory_virt_to_maddr(from);
    test("cache-range", "cache_flush across a page's end: -EINVAL");
    op.offset = 4090;
    equal("result", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), -XEN_EINVAL);
    test("cache-beyond", "of a frame beyond memory: -EINVAL");
    op.offset = 0;
    op.a.dev_bus_addr = MFN_BEYOND << 12;
    equal("result", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), -XEN_EINVAL);
    test("cache-nothing", "of no bytes: 0");
    op.length = 0;
    equal("result", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
    test("cache-no-op", "no operation: 0");
    op.length = 64;
    op.op = 0;
    equal("result", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
    test("cache-own", "of an own frame: 0");
    op.op = GNTTAB_CACHE_CLEAN;
    op.a.dev_bus_addr = memory_virt_to_maddr(from);
    equal("result", hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
}

void guest_main(void)
{
    long error;

    report_start("grant-table");
    self = own_id();
    from = page_alloc();
    to = page_alloc();
    sizes();
    versions();
    error = grant_init(1);
    test("init", "the table is mapped");
    equal("error", error, 0);
    swapping();
    cache();
    two();
    report_end();
}
