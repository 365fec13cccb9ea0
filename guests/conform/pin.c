/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinning and unpinning: levels, what validation refuses, what it leaves behind.
 */
#include "guests/conform/conform.h"

static u64 mfn(const void *page)
{
    return memory_virt_to_mfn(page);
}

static long pin(u32 level, const void *page)
{
    return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn(page), 0);
}

static long unpin(const void *page)
{
    return mmuext(MMUEXT_UNPIN_TABLE, mfn(page), 0);
}

static void basics(void)
{
    static char names[4][3][24];

    for (u32 level = 1; level <= 4; level++) {
        u64 *page = table_page();

        print_to(names[level - 1][0], 24, "l%u", level);
        test(names[level - 1][0], "an empty page is pinned as an L%u table", level);
        equal("pin", pin(level, page), 0);
        print_to(names[level - 1][1], 24, "l%u-twice", level);
        test(names[level - 1][1], "pinned again: -EINVAL");
        equal("pin", pin(level, page), -XEN_EINVAL);
        print_to(names[level - 1][2], 24, "l%u-other", level);
        test(names[level - 1][2], "pinned as another level: -EINVAL");
        equal("pin", pin(level == 1 ? 2 : level - 1, page), -XEN_EINVAL);
        unpin(page);
    }
    u64 *page = table_page();
    test("unpin-unpinned", "unpinning what is not pinned: -EINVAL");
    equal("unpin", unpin(page), -XEN_EINVAL);
    test("retype", "unpinned, the page may be pinned as another level");
    equal("as 1", pin(1, page), 0);
    equal("unpin", unpin(page), 0);
    equal("as 3", pin(3, page), 0);
    equal("unpin", unpin(page), 0);
    test("writable", "a page that is mapped writable: -EINVAL");
    memory_protect(page, MEMORY_RW);
    equal("pin", pin(1, page), -XEN_EINVAL);
    test("beyond", "a frame beyond memory: -EINVAL");
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, MFN_BEYOND, 0), -XEN_EINVAL);
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, MFN_BEYOND, 0), -XEN_EINVAL);
    test("foreign", "a frame of nobody: -EINVAL");
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, 1, 0), -XEN_EINVAL);
    test("shared-info", "the shared info page: -EINVAL");
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, start_info->shared_info >> 12, 0), -XEN_EINVAL);
    test("unpin-root", "the builder's root, while it is in use: it stays a table");
    equal("unpin", unpin(memory_root()), 0);
    equal("rw", memory_protect(memory_root(), MEMORY_RW), -XEN_EBUSY);
    equal("pin", pin(4, memory_root()), 0);
}

static void validation(void)
{
    u64 *data = page_alloc(), *page, *l1, *l2;

    test("l1-content", "the entries of an L1 table are checked and take references");
    page = table_with(7, entry_of(data, MEMORY_RW));
    equal("pin", pin(1, page), 0);
    memory_protect(data, MEMORY_RO);
    equal("held", pin(1, data), -XEN_EINVAL);
    test("l1-released", "and give them back");
    equal("unpin", unpin(page), 0);
    equal("free", pin(1, data), 0);
    unpin(data);
    memory_protect(data, MEMORY_RW);
    test("l1-adjusted", "entries are adjusted: US and bit 52 added, or G");
    page = page_alloc();
    page[0] = entry_of(data, PTE_P | PTE_RW);
    page[1] = entry_of(data, PTE_P | PTE_US);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(1, page), 0);
    equal("kernel", page[0] & (PTE_US | PTE_G | 1ul << 52), PTE_US | 1ul << 52);
    equal("user", page[1] & (PTE_US | PTE_G | 1ul << 52), PTE_US | PTE_G);
    unpin(page);
    test("l1-last", "a bad last entry fails the table; the error is the entry's");
    page = page_alloc();
    page[0] = entry_of(data, MEMORY_RW);
    page[511] = entry_of(memory_root(), MEMORY_RW);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(1, page), -XEN_EBUSY);
    test("l1-undone", "and nothing is left behind");
    memory_protect(data, MEMORY_RO);
    equal("free", pin(1, data), 0);
    unpin(data);
    memory_protect(data, MEMORY_RW);
    equal("rw", memory_protect(page, MEMORY_RW), 0);
    test("l1-self", "an L1 table that maps itself read-only");
    page = page_alloc();
    page[3] = entry_of(page, MEMORY_RO);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(1, page), 0);
    unpin(page);
    test("l1-self-rw", "one that maps itself writable: refused");
    memory_protect(page, MEMORY_RW);
    page[3] = entry_of(page, MEMORY_RW);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(1, page), -XEN_EBUSY);
    test("l2-content", "an L2 table validates its L1 tables");
    l1 = table_with(0, entry_of(data, MEMORY_RW));
    l2 = table_with(9, entry_of(l1, MEMORY_TABLE));
    equal("pin", pin(2, l2), 0);
    equal("l1 is a table", memory_protect(l1, MEMORY_RW), -XEN_EBUSY);
    equal("unpin", unpin(l2), 0);
    equal("l1 is free", memory_protect(l1, MEMORY_RW), 0);
    test("l2-bad-l1", "a bad L1 table fails the L2 table, with the error of its entry");
    l1[0] = entry_of(memory_root(), MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("pin", pin(2, l2), -XEN_EBUSY);
    equal("l2 free", memory_protect(l2, MEMORY_RW), 0);
    equal("l1 free", memory_protect(l1, MEMORY_RW), 0);
    test("l2-pse", "a large page in an L2 table: -EINVAL");
    u64 *pse = table_with(0, entry_of(data, MEMORY_RW | PTE_PSE) & ~0x1ff000ul);
    equal("pin", pin(2, pse), -XEN_EINVAL);
    test("l3-pse", "a large page in an L3 table: -EINVAL");
    equal("pin", pin(3, pse), -XEN_EINVAL);
    test("l1-held-by-l2", "a table that is entered stays one when it is unpinned");
    l1 = table_page();
    pin(1, l1);
    l2 = table_with(0, entry_of(l1, MEMORY_TABLE));
    equal("pin", pin(2, l2), 0);
    equal("unpin", unpin(l1), 0);
    equal("rw", memory_protect(l1, MEMORY_RW), -XEN_EBUSY);
    unpin(l2);
    equal("rw after", memory_protect(l1, MEMORY_RW), 0);
    test("full-l1", "an L1 table with 512 entries of one page");
    page = page_alloc();
    for (u32 i = 0; i < 512; i++)
        page[i] = entry_of(data, MEMORY_RO);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(1, page), 0);
    equal("unpin", unpin(page), 0);
    test("full-l2", "an L2 table with 512 entries of one L1 table");
    l1 = table_page();
    page = page_alloc();
    for (u32 i = 0; i < 512; i++)
        page[i] = entry_of(l1, MEMORY_TABLE);
    memory_protect(page, MEMORY_RO);
    equal("pin", pin(2, page), 0);
    equal("unpin", unpin(page), 0);
    equal("released", memory_protect(l1, MEMORY_RW), 0);
}

static void batch(void)
{
    u64 *a = table_page(), *b = table_page();
    struct mmuext_op op[3] = {{.cmd = MMUEXT_PIN_L1_TABLE}, {.cmd = MMUEXT_PIN_L2_TABLE}, {.cmd = MMUEXT_PIN_L3_TABLE}};
    u32 done = 0;

    op[0].arg1.mfn = mfn(a);
    op[1].arg1.mfn = MFN_BEYOND;
    op[2].arg1.mfn = mfn(b);
    test("batch-stops", "the first error stops a list; the count says how many were done");
    equal("result", hypercall_mmuext_op(op, 3, &done, DOMID_SELF), -XEN_EINVAL);
    equal("done", done, 1);
    equal("not done", unpin(b), -XEN_EINVAL);
    unpin(a);
    test("batch", "a list of several operations");
    op[1] = op[0];
    op[1].cmd = MMUEXT_UNPIN_TABLE;
    done = 0;
    equal("result", hypercall_mmuext_op(op, 3, &done, DOMID_SELF), 0);
    equal("done", done, 3);
    unpin(b);
}

void guest_main(void)
{
    report_start("pin");
    basics();
    validation();
    batch();
    report_end();
}
