/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying and transferring, loopback; version 1 tables.
 */
#include "guests/conform/conform.h"
#include "guests/lib/grant.h"

static u16 self;
static u8 *from, *to;

static s64 copy(gnttab_copy_t *op)
{
    op->status = 77;
    long error = hypercall_grant_table_op(GNTTABOP_copy, op, 1);

    return error ? 1000 - error : op->status;
}

static gnttab_copy_t frames(u16 from_offset, u16 to_offset, u16 length)
{
    gnttab_copy_t op = {.len = length, .flags = 0};

    op.source.u.gmfn = memory_virt_to_mfn(from);
    op.source.domid = DOMID_SELF;
    op.source.offset = from_offset;
    op.dest.u.gmfn = memory_virt_to_mfn(to);
    op.dest.domid = DOMID_SELF;
    op.dest.offset = to_offset;
    return op;
}

static void local(void)
{
    gnttab_copy_t op;

    for (u32 i = 0; i < PAGE_SIZE; i++)
        from[i] = (u8)(i * 7);
    test("frames", "from an own frame to an own frame, at any offsets");
    op = frames(3, 1001, 500);
    memset(to, 0xee, PAGE_SIZE);
    equal("status", copy(&op), GNTST_okay);
    equal("before", to[1000], 0xee);
    equal("bytes", memcmp(to + 1001, from + 3, 500), 0);
    equal("after", to[1501], 0xee);
    test("whole", "a whole page");
    op = frames(0, 0, PAGE_SIZE);
    equal("status", copy(&op), GNTST_okay);
    equal("bytes", memcmp(to, from, PAGE_SIZE), 0);
    test("nothing", "no bytes");
    op = frames(0, 0, 0);
    equal("status", copy(&op), GNTST_okay);
    test("crosses", "across the end of the source or the destination: bad copy argument");
    op = frames(1, 0, PAGE_SIZE);
    equal("source", copy(&op), GNTST_bad_copy_arg);
    op = frames(0, 1, PAGE_SIZE);
    equal("destination", copy(&op), GNTST_bad_copy_arg);
    op = frames(0, 4095, 2);
    equal("destination", copy(&op), GNTST_bad_copy_arg);
    op = frames(0, 4096, 0);
    equal("offset 4096", copy(&op), GNTST_okay);
    test("frame-domain", "a frame number with a domain's number instead of DOMID_SELF: permission denied");
    op = frames(0, 0, 16);
    op.source.domid = self;
    equal("source", copy(&op), GNTST_permission_denied);
    op = frames(0, 0, 16);
    op.dest.domid = self;
    equal("destination", copy(&op), GNTST_permission_denied);
    test("frame-nobody", "an unknown domain: bad domain, also for a frame number");
    op = frames(0, 0, 16);
    op.source.domid = DOMID_NOBODY;
    equal("status", copy(&op), GNTST_bad_domain);
    test("frame-beyond", "a frame beyond memory: bad page");
    op = frames(0, 0, 16);
    op.source.u.gmfn = MFN_BEYOND;
    long got = copy(&op);
    equal("source", got, GNTST_bad_page);
    op = frames(0, 0, 16);
    op.dest.u.gmfn = MFN_BEYOND;
    got = copy(&op);
    equal("destination", got, GNTST_bad_page);
    test("to-table", "to a page table: general error");
    u64 *table = table_page();
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    op = frames(0, 0, 16);
    op.dest.u.gmfn = memory_virt_to_mfn(table);
    equal("status", copy(&op), GNTST_general_error);
    test("from-table", "from a page table");
    op = frames(0, 0, 16);
    op.source.u.gmfn = memory_virt_to_mfn(table);
    equal("status", copy(&op), GNTST_okay);
    test("overlap", "within one page");
    op = frames(0, 0, 16);
    op.dest = op.source;
    op.dest.offset = 64;
    equal("status", copy(&op), GNTST_okay);
    equal("bytes", memcmp(from, from + 64, 16), 0);
}

static void by_reference(void)
{
    u32 src = grant_access(self, memory_virt_to_mfn(from), true);
    u32 dst = grant_access(self, memory_virt_to_mfn(to), false);
    gnttab_copy_t op = frames(0, 0, 64);

    test("references", "from a read-only grant to a writable one");
    op.source.u.ref = src;
    op.source.domid = self;
    op.dest.u.ref = dst;
    op.dest.domid = self;
    op.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
    memset(to, 0, PAGE_SIZE);
    equal("status", copy(&op), GNTST_okay);
    equal("bytes", memcmp(to, from, 64), 0);
    test("references-released", "afterwards the entries are not in use");
    equal("source", grant_table[src].flags, GTF_permit_access | GTF_readonly);
    equal("destination", grant_table[dst].flags, GTF_permit_access);
    test("to-readonly", "to a read-only grant: general error");
    op.dest.u.ref = src;
    equal("status", copy(&op), GNTST_general_error);
    equal("flags", grant_table[src].flags, GTF_permit_access | GTF_readonly);
    op.dest.u.ref = dst;
    test("ref-range", "a reference beyond the table: bad reference");
    op.source.u.ref = 1000000;
    equal("status", copy(&op), GNTST_bad_gntref);
    test("ref-free", "an entry that grants nothing: general error");
    op.source.u.ref = dst + 50;
    equal("status", copy(&op), GNTST_general_error);
    op.source.u.ref = src;
    test("domain", "an unknown domain: bad domain");
    op.source.domid = DOMID_NOBODY;
    equal("status", copy(&op), GNTST_bad_domain);
    test("domain-self", "DOMID_SELF with a reference is the own domain");
    op.source.domid = DOMID_SELF;
    equal("status", copy(&op), GNTST_okay);
    test("one-reference", "a reference on one side only");
    op.flags = GNTCOPY_dest_gref;
    op.source.u.gmfn = memory_virt_to_mfn(from);
    equal("status", copy(&op), GNTST_okay);
    test("for-another", "a grant for another domain: general error");
    u32 other = grant_access(self + 1, memory_virt_to_mfn(from), false);
    op.flags = GNTCOPY_source_gref;
    op.source.u.ref = other;
    op.source.domid = self;
    op.dest.u.gmfn = memory_virt_to_mfn(to);
    op.dest.domid = DOMID_SELF;
    equal("status", copy(&op), GNTST_general_error);
    grant_end(other);
    test("batch", "each operation has its status; one that fails stops nothing");
    static gnttab_copy_t ops[3];
    ops[0] = frames(0, 0, 8);
    ops[1] = frames(4000, 0, 100);
    ops[2] = frames(8, 8, 8);
    equal("result", hypercall_grant_table_op(GNTTABOP_copy, ops, 3), 0);
    equal("0", ops[0].status, GNTST_okay);
    equal("1", ops[1].status, GNTST_bad_copy_arg);
    equal("2", ops[2].status, GNTST_okay);
    test("fault", "an unreadable operation: -EFAULT");
    equal("result", hypercall_grant_table_op(GNTTABOP_copy, (void *)VA_UNMAPPED, 1), -XEN_EFAULT);
    holds("ends", grant_end(src) && grant_end(dst));
}

static s64 transfer(u64 mfn, u16 domid, u32 ref)
{
    gnttab_transfer_t op = {.mfn = mfn, .domid = domid, .ref = ref, .status = 77};
    long error = hypercall_grant_table_op(GNTTABOP_transfer, &op, 1);

    return error ? 1000 - error : op.status;
}

static void transfers(void)
{
    u8 *page = page_alloc();
    u64 mfn = memory_virt_to_mfn(page);
    u32 ref = grant_accept(self);

    page[0] = 0x5e;
    test("transfer-mapped", "a page that is mapped: bad page");
    equal("status", transfer(mfn, self, ref), GNTST_bad_page);
    test("transfer-beyond", "a frame beyond memory: bad page");
    equal("status", transfer(MFN_BEYOND, self, ref), GNTST_bad_page);
    test("transfer-table", "a page table: bad page");
    u64 *table = table_page();
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    equal("status", transfer(memory_virt_to_mfn(table), self, ref), GNTST_bad_page);
    test("transfer-shared-info", "the shared info page: bad page");
    equal("status", transfer(start_info->shared_info >> 12, self, ref), GNTST_bad_page);
    test("transfer", "to the own domain, by an entry that accepts");
    memory_unmap(page);
    equal("status", transfer(mfn, self, ref), GNTST_okay);
    equal("flags", grant_table[ref].flags, GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    equal("frame", grant_table[ref].frame, mfn);
    test("transfer-contents", "the contents go with it");
    memory_protect(page, MEMORY_RW);
    equal("byte", page[0], 0x5e);
    test("transfer-again", "an entry takes one frame only: general error, and the page stays the domain's own");
    memory_unmap(page);
    equal("status", transfer(mfn, self, ref), GNTST_general_error);
    grant_table[ref].flags = 0;
    test("transfer-domain", "an unknown domain: bad domain");
    u8 *other = page_alloc();
    u64 other_mfn = memory_virt_to_mfn(other);
    memory_unmap(other);
    equal("status", transfer(other_mfn, DOMID_NOBODY, ref), GNTST_bad_domain);
    test("transfer-fault", "an unreadable operation: -EFAULT");
    equal("result", hypercall_grant_table_op(GNTTABOP_transfer, (void *)VA_UNMAPPED, 1), -XEN_EFAULT);
}

void guest_main(void)
{
    long error = grant_init(1);

    report_start("grant-copy");
    test("setup", "the table is set up and mapped");
    equal("error", error, 0);
    self = own_id();
    from = page_alloc();
    to = page_alloc();
    local();
    by_reference();
    transfers();
    report_end();
}
