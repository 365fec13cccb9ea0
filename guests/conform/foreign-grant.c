/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants of another domain: the initial domain makes one, writes its grant entries, and maps, copies
 * and transfers; then the granter ends while its page is mapped.
 */
#include "guests/conform/child.h"
#include "guests/lib/grant.h"

/* Entries of the child's table, above the reserved ones. */
enum { REF_RW = 8, REF_RO, REF_OTHER, REF_FREE, REF_ACCEPT, REF_ACCEPT_OTHER, REF_BEYOND, REF_TABLE };

static struct child child;
static u64 va;

static void entry(u32 ref, u16 flags, u16 domid, u64 mfn)
{
    child.grants[ref].flags = 0;
    child.grants[ref].domid = domid;
    child.grants[ref].frame = (u32)mfn;
    BARRIER();
    child.grants[ref].flags = flags;
}

static u16 in_use(u32 ref)
{
    return *(volatile u16 *)&child.grants[ref].flags & (GTF_reading | GTF_writing);
}

static long map(u32 ref, u64 at, u32 flags)
{
    return grant_map(child.domid, ref, at, flags);
}

static void prepare(void)
{
    u64 *data = child_map(&child, child.mfn[CHILD_DATA]);

    data[0] = 0x1234;
    data[1] = 0x5678;
    memory_unmap(data);
    va = memory_reserve(2);
    memory_map(va, 0);
    memory_map(va + PAGE_SIZE, 0);
    entry(REF_RW, GTF_permit_access, 0, child.mfn[CHILD_DATA]);
    entry(REF_RO, GTF_permit_access | GTF_readonly, 0, child.mfn[CHILD_DATA]);
    entry(REF_OTHER, GTF_permit_access, DOMID_NOBODY, child.mfn[CHILD_DATA]);
    entry(REF_BEYOND, GTF_permit_access, 0, memory_virt_to_mfn(memory_root()));
}

static void maps(void)
{
    long handle, second;

    test("map", "a page that another domain grants is mapped; its entry says reading and writing");
    handle = map(REF_RW, va, 0);
    holds("handle", handle >= 0);
    equal("contents", *(volatile u64 *)va, 0x1234);
    equal("use", in_use(REF_RW), GTF_reading | GTF_writing);
    *(volatile u64 *)va = 0x4321;
    test("map-again", "a second map has a handle of its own and sees what was written by the first");
    second = map(REF_RW, va + PAGE_SIZE, GNTMAP_readonly);
    holds("handle", second >= 0 && second != handle);
    equal("contents", *(volatile u64 *)(va + PAGE_SIZE), 0x4321);
    test("map-pte", "the entry of the map names the granter's frame");
    equal("frame", (*memory_entry(va, 1) & PTE_MFN_MASK) >> PAGE_SHIFT, child.mfn[CHILD_DATA]);
    test("granter-type", "while it is mapped writable it cannot become a table of the granter: -EINVAL");
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE};
    pin.arg1.mfn = child.mfn[CHILD_DATA];
    equal("pin", hypercall_mmuext_op(&pin, 1, NULL, child.domid), -XEN_EINVAL);
    test("snapshot", "an entry in use that is changed still stands for the old frame");
    child.grants[REF_RW].frame = (u32)child.mfn[CHILD_FREE];
    equal("unmap", grant_unmap((u32)second, va + PAGE_SIZE), GNTST_okay);
    second = map(REF_RW, va + PAGE_SIZE, 0);
    holds("handle", second >= 0);
    equal("contents", *(volatile u64 *)(va + PAGE_SIZE), 0x4321);
    child.grants[REF_RW].frame = (u32)child.mfn[CHILD_DATA];
    test("own-mapping", "the granter's frame cannot be mapped as the own domain's beside the grant: -EBUSY");
    u64 other = memory_reserve(1);
    memory_map(other, 0);
    equal("result", hypercall_update_va_mapping(other, child.mfn[CHILD_DATA] << PAGE_SHIFT | MEMORY_RW, UVMF_INVLPG),
          -XEN_EBUSY);
    test("unmap-one", "one map given up: the entry is still in use");
    equal("unmap", grant_unmap((u32)second, va + PAGE_SIZE), GNTST_okay);
    equal("use", in_use(REF_RW), GTF_reading | GTF_writing);
    test("unmap-last", "the last one given up: it is not, and the address is not mapped");
    equal("unmap", grant_unmap((u32)handle, va), GNTST_okay);
    equal("use", in_use(REF_RW), 0);
    equal("entry", *memory_entry(va, 1) & PTE_P, 0);
    test("unmap-twice", "the handle is free then: bad_handle");
    equal("unmap", grant_unmap((u32)handle, va), GNTST_bad_handle);
    test("pin-after", "a page that nobody maps can become a table of the granter");
    pin.arg1.mfn = child.mfn[CHILD_FREE];
    equal("pin", hypercall_mmuext_op(&pin, 1, NULL, child.domid), 0);
    test("map-table", "a page table cannot be mapped writable: general_error");
    entry(REF_TABLE, GTF_permit_access, 0, child.mfn[CHILD_FREE]);
    equal("map", map(REF_TABLE, va, 0), GNTST_general_error);
    equal("use", in_use(REF_TABLE), 0);
    test("map-table-ro", "read-only it can");
    handle = map(REF_TABLE, va, GNTMAP_readonly);
    holds("handle", handle >= 0);
    equal("use", in_use(REF_TABLE), GTF_reading);
    equal("unmap", grant_unmap((u32)handle, va), GNTST_okay);
    pin.cmd = MMUEXT_UNPIN_TABLE;
    equal("unpin", hypercall_mmuext_op(&pin, 1, NULL, child.domid), 0);
}

static void refusals(void)
{
    gnttab_map_grant_ref_t op = {.flags = GNTMAP_host_map, .ref = REF_RW, .dom = DOMID_NOBODY};

    test("readonly", "writable from a read-only entry: general_error, and the entry is not in use");
    equal("map", map(REF_RO, va, 0), GNTST_general_error);
    equal("use", in_use(REF_RO), 0);
    test("readonly-ro", "read-only from it: the entry says reading only");
    long handle = map(REF_RO, va, GNTMAP_readonly);
    holds("handle", handle >= 0);
    equal("use", in_use(REF_RO), GTF_reading);
    test("readonly-write", "and a write there is a page fault");
    u32 vector = TRAP_INSN("movq %%rax, (%0)", (), ("r"(va)));
    equal("vector", vector, TRAP_PF);
    equal("unmap", grant_unmap((u32)handle, va), GNTST_okay);
    test("for-another", "an entry for another domain: general_error");
    equal("map", map(REF_OTHER, va, 0), GNTST_general_error);
    test("empty", "an empty entry: general_error");
    equal("map", map(REF_FREE, va, 0), GNTST_general_error);
    test("no-such-entry", "an entry behind the end of the table: bad_gntref");
    equal("map", map(100000, va, 0), GNTST_bad_gntref);
    test("not-its-frame", "a frame that is not the granter's: bad_page, or general_error");
    long got = map(REF_BEYOND, va, GNTMAP_readonly);
    holds("error", got == GNTST_general_error || got == GNTST_bad_page);
    equal("use", in_use(REF_BEYOND), 0);
    test("nobody", "a granter that does not exist: bad_domain");
    op.host_addr = va;
    equal("result", hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    equal("status", op.status, GNTST_bad_domain);
    test("no-l1", "an address without an L1 table: general_error, and the entry is not in use");
    equal("map", map(REF_RW, VA_UNMAPPED, 0), GNTST_general_error);
    equal("use", in_use(REF_RW), 0);
}

static int copy(u32 flags, u16 from_dom, u64 from, u16 to_dom, u64 to, u16 len)
{
    gnttab_copy_t op = {.len = len, .flags = (u16)flags, .source.domid = from_dom, .dest.domid = to_dom};

    if (flags & GNTCOPY_source_gref)
        op.source.u.ref = (u32)from;
    else
        op.source.u.gmfn = from;
    if (flags & GNTCOPY_dest_gref)
        op.dest.u.ref = (u32)to;
    else
        op.dest.u.gmfn = to;
    equal("copy", hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static void copies(void)
{
    u64 *page = page_alloc();
    u64 mfn = memory_virt_to_mfn(page);

    test("copy-from", "a copy out of another domain's page");
    equal("status", copy(GNTCOPY_source_gref, child.domid, REF_RO, DOMID_SELF, mfn, 16), GNTST_okay);
    equal("word 0", page[0], 0x4321);
    equal("word 1", page[1], 0x5678);
    equal("word 2", page[2], 0);
    test("copy-to", "a copy into one");
    page[0] = 0xabcd;
    equal("status", copy(GNTCOPY_dest_gref, DOMID_SELF, mfn, child.domid, REF_RW, 8), GNTST_okay);
    equal("use", in_use(REF_RW), 0);
    page[0] = 0;
    copy(GNTCOPY_source_gref, child.domid, REF_RO, DOMID_SELF, mfn, 16);
    equal("word 0", page[0], 0xabcd);
    equal("word 1", page[1], 0x5678);
    test("copy-to-readonly", "a copy into a page granted read-only: general_error");
    equal("status", copy(GNTCOPY_dest_gref, DOMID_SELF, mfn, child.domid, REF_RO, 8), GNTST_general_error);
    test("copy-for-another", "out of a grant for another domain: general_error");
    equal("status", copy(GNTCOPY_source_gref, child.domid, REF_OTHER, DOMID_SELF, mfn, 8), GNTST_general_error);
    test("copy-nobody", "out of a domain that does not exist: bad_domain");
    equal("status", copy(GNTCOPY_source_gref, DOMID_NOBODY, REF_RW, DOMID_SELF, mfn, 8), GNTST_bad_domain);
    test("copy-by-frame", "out of another domain's frame by its number: permission_denied");
    equal("status", copy(0, child.domid, child.mfn[CHILD_DATA], DOMID_SELF, mfn, 8), GNTST_permission_denied);
    test("copy-both", "between two grants of another domain");
    entry(REF_FREE, GTF_permit_access, 0, child.mfn[CHILD_FREE + 1]);
    equal("status", copy(GNTCOPY_source_gref | GNTCOPY_dest_gref, child.domid, REF_RO, child.domid, REF_FREE, 8),
          GNTST_okay);
    page[0] = 0;
    copy(GNTCOPY_source_gref, child.domid, REF_FREE, DOMID_SELF, mfn, 8);
    equal("word 0", page[0], 0xabcd);
}

static void tables(void)
{
    gnttab_query_size_t size = {.dom = child.domid};
    gnttab_get_version_t version = {.dom = child.domid};
    u64 mfns[4] = {0};
    gnttab_setup_table_t setup = {.dom = child.domid, .nr_frames = 2};
    gnttab_get_status_frames_t status = {.dom = child.domid, .nr_frames = 1};

    test("query", "query_size of another domain, by the initial one: what it was made with");
    equal("result", hypercall_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    equal("status", size.status, GNTST_okay);
    equal("frames", size.nr_frames, 1);
    equal("max", size.max_nr_frames, 4);
    test("version", "get_version of another domain");
    equal("result", hypercall_grant_table_op(GNTTABOP_get_version, &version, 1), 0);
    equal("version", version.version, 1);
    test("setup", "setup_table of another domain lets its table grow");
    set_xen_guest_handle(setup.frame_list, mfns);
    equal("result", hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    equal("status", setup.status, GNTST_okay);
    differ("second frame", mfns[1], 0);
    hypercall_grant_table_op(GNTTABOP_query_size, &size, 1);
    equal("frames", size.nr_frames, 2);
    test("setup-limit", "beyond its limit: general_error");
    setup.nr_frames = 5;
    equal("result", hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    equal("status", setup.status, GNTST_general_error);
    test("status-frames", "status frames of a table of version 1: general_error");
    set_xen_guest_handle(status.frame_list, mfns);
    equal("result", hypercall_grant_table_op(GNTTABOP_get_status_frames, &status, 1), 0);
    equal("status", status.status, GNTST_general_error);
}

/* A page of this domain that nothing maps any more. */
static u64 spare_frame(u64 word)
{
    u64 *page = page_alloc();
    u64 mfn = memory_virt_to_mfn(page);

    page[0] = word;
    memory_unmap(page);
    return mfn;
}

static int transfer(u64 mfn, u16 domid, u32 ref)
{
    gnttab_transfer_t op = {.mfn = mfn, .domid = domid, .ref = ref};

    equal("call", hypercall_grant_table_op(GNTTABOP_transfer, &op, 1), 0);
    return op.status;
}

static u64 pages_of(u16 domid)
{
    xen_domctl_t op = {0};

    domctl_op(&op, XEN_DOMCTL_getdomaininfo, domid);
    return op.u.getdomaininfo.tot_pages;
}

static void transfers(void)
{
    u64 theirs = pages_of(child.domid), ours = pages_of(0), mfn = spare_frame(0x7777);

    test("transfer", "a frame goes to a domain that accepts one: the entry is complete and names it");
    entry(REF_ACCEPT, GTF_accept_transfer, 0, 0);
    equal("status", transfer(mfn, child.domid, REF_ACCEPT), GNTST_okay);
    equal("flags", child.grants[REF_ACCEPT].flags,
          GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    equal("frame", child.grants[REF_ACCEPT].frame, mfn);
    test("transfer-count", "it has one page more, this domain one less");
    equal("theirs", pages_of(child.domid), theirs + 1);
    equal("ours", pages_of(0), ours - 1);
    test("transfer-contents", "and what was in it");
    u64 *at = child_map(&child, mfn);
    holds("mapped", at);
    if (at) {
        equal("word", at[0], 0x7777);
        memory_unmap(at);
    }
    test("transfer-gone", "it is not this domain's any more: bad_page");
    equal("status", transfer(mfn, child.domid, REF_ACCEPT), GNTST_bad_page);
    test("transfer-mapped", "a frame that is mapped: bad_page");
    u64 *page = page_alloc();
    equal("status", transfer(memory_virt_to_mfn(page), child.domid, REF_ACCEPT), GNTST_bad_page);
    test("transfer-nobody", "to a domain that does not exist: bad_domain");
    equal("status", transfer(spare_frame(0), DOMID_NOBODY, REF_ACCEPT), GNTST_bad_domain);
    test("transfer-complete", "to an entry that is used up: general_error");
    equal("status", transfer(spare_frame(0), child.domid, REF_ACCEPT), GNTST_general_error);
    test("transfer-for-another", "to an entry that expects another domain's: general_error");
    entry(REF_ACCEPT_OTHER, GTF_accept_transfer, DOMID_NOBODY, 0);
    equal("status", transfer(spare_frame(0), child.domid, REF_ACCEPT_OTHER), GNTST_general_error);
    equal("flags", child.grants[REF_ACCEPT_OTHER].flags, GTF_accept_transfer);
    test("transfer-access", "to an entry that grants access: general_error");
    equal("status", transfer(spare_frame(0), child.domid, REF_RW), GNTST_general_error);
    test("transfer-limit", "to a domain that has all it may have: general_error");
    xen_domctl_t limit = {.u.max_mem.max_memkb = pages_of(child.domid) * 4};
    equal("limit", domctl_op(&limit, XEN_DOMCTL_max_mem, child.domid), 0);
    entry(REF_ACCEPT, GTF_accept_transfer, 0, 0);
    equal("status", transfer(spare_frame(0), child.domid, REF_ACCEPT), GNTST_general_error);
}

/* What others map of a domain outlives it. */
static void end(void)
{
    xen_domctl_getdomaininfo_t info;
    long handle = map(REF_RW, va, 0);

    test("destroyed", "a domain whose page is mapped elsewhere can be destroyed");
    holds("mapped", handle >= 0);
    *(volatile u64 *)va = 0x9999;
    equal("destroy", child_end(&child), 0);
    test("end-page", "the page stays as it was, writable");
    equal("contents", *(volatile u64 *)va, 0x9999);
    *(volatile u64 *)va = 0x8888;
    equal("contents", *(volatile u64 *)va, 0x8888);
    test("end-dying", "the domain is there, dying");
    equal("info", child_info(&child, &info), 0);
    equal("dying", info.flags & XEN_DOMINF_dying, XEN_DOMINF_dying);
    test("end-map", "it grants none of its other pages any more");
    holds("error", map(REF_FREE, va + PAGE_SIZE, GNTMAP_readonly) < 0);
    test("end-unmap", "the page can be unmapped");
    equal("unmap", grant_unmap((u32)handle, va), GNTST_okay);
    test("end-gone", "then the domain is gone: -ESRCH");
    equal("info", child_info(&child, &info), -XEN_ESRCH);
    equal("map", map(REF_RW, va, 0), GNTST_bad_domain);
}

void guest_main(void)
{
    report_start("foreign-grant");
    if (!runtime_is_dom0()) {
        test("not-dom0", "another domain's grant table is not to be asked for: permission_denied or bad_domain");
        gnttab_query_size_t size = {.dom = 0};
        equal("result", hypercall_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
        equal("status", size.status, GNTST_permission_denied);
        report_end();
        return;
    }
    test("make", "a domain with memory and a grant table is made");
    long error = child_make(&child, 1);
    equal("result", error, 0);
    if (!error) {
        prepare();
        maps();
        refusals();
        copies();
        tables();
        transfers();
        end();
    }
    report_end();
}
