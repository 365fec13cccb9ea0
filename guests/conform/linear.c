/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear page tables: a table entered at its own level, read-only.
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

static void level(u32 n)
{
    static char names[5][8][24];
    u64 *self, *a = table_page(), *b = table_page(), *c = table_page();
    u32 i = 0;

#define CASE(text) (print_to(names[n][i], 24, "l%u-" text, n), names[n][i++])
    test(CASE("self"), "an L%u table may enter itself read-only", n);
    self = table_page();
    equal("pin", pin(n, self), 0);
    equal("enter", set_entry(self + 100, entry_of(self, PTE_P | PTE_US)), 0);
    test(CASE("self-rw"), "not with RW: -EINVAL");
    equal("enter", set_entry(self + 101, entry_of(self, MEMORY_TABLE)), -XEN_EINVAL);
    test(CASE("self-upgrade"), "nor by turning RW on afterwards: -EINVAL");
    equal("enter", set_entry(self + 100, entry_of(self, PTE_P | PTE_US | PTE_RW)), -XEN_EINVAL);
    test(CASE("self-free"), "its own entry holds nothing: unpinned, it is free");
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn(self), 0), 0);
    equal("rw", memory_protect(self, MEMORY_RW), 0);
    test(CASE("other"), "another validated L%u table may be entered read-only", n);
    pin(n, a);
    pin(n, b);
    equal("enter", set_entry(a + 1, entry_of(b, PTE_P | PTE_US)), 0);
    test(CASE("chain"), "but not one that has linear entries itself, or has been entered: -EINVAL");
    pin(n, c);
    equal("second link", set_entry(b + 1, entry_of(c, PTE_P | PTE_US)), -XEN_EINVAL);
    equal("first link", set_entry(c + 1, entry_of(a, PTE_P | PTE_US)), -XEN_EINVAL);
    test(CASE("other-rw"), "with RW: -EINVAL");
    equal("enter", set_entry(a + 2, entry_of(c, MEMORY_TABLE)), -XEN_EINVAL);
    test(CASE("held"), "an entered table stays one when it is unpinned");
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn(b), 0), 0);
    equal("rw", memory_protect(b, MEMORY_RW), -XEN_EBUSY);
    equal("leave", set_entry(a + 1, 0), 0);
    equal("rw", memory_protect(b, MEMORY_RW), 0);
    mmuext(MMUEXT_UNPIN_TABLE, mfn(a), 0);
    mmuext(MMUEXT_UNPIN_TABLE, mfn(c), 0);
}

void guest_main(void)
{
    u64 *table;

    report_start("linear");
    for (u32 n = 2; n <= 4; n++)
        level(n);
    test("pin-self", "a table that holds itself is pinned as well");
    table = page_alloc();
    table[4] = entry_of(table, PTE_P | PTE_US);
    memory_protect(table, MEMORY_RO);
    equal("pin", pin(4, table), 0);
    mmuext(MMUEXT_UNPIN_TABLE, mfn(table), 0);
    test("pin-self-rw", "one that holds itself writable is not: -EINVAL");
    memory_protect(table, MEMORY_RW);
    table[4] = entry_of(table, MEMORY_TABLE);
    memory_protect(table, MEMORY_RO);
    equal("pin", pin(4, table), -XEN_EINVAL);
    test("wrong-level", "an L3 table entered into an L2 table, read-only: -EINVAL");
    u64 *l2 = table_page(), *l3 = table_page();
    pin(2, l2);
    pin(3, l3);
    equal("enter", set_entry(l2, entry_of(l3, PTE_P | PTE_US)), -XEN_EINVAL);
    test("read", "the tables can be read through the linear entry of the root");
    u64 *root = memory_root();
    equal("enter", set_entry(root + 300, entry_of(root, PTE_P | PTE_US)), 0);
    u64 va = 0xffff000000000000ul | 300ul << 39 | 300ul << 30 | 300ul << 21 | 300ul << 12;
    u64 got = 0;
    equal("vector", TRAP_INSN("movq (%1), %0", ("=r"(got)), ("r"(va + 8 * 511))), TRAP_NONE);
    equal("entry", got & PTE_MFN_MASK, root[511] & PTE_MFN_MASK);
    test("no-write", "and not be written");
    equal("vector", TRAP_INSN("movq %0, (%1)", (), ("r"(0ul), "r"(va + 8 * 511))), TRAP_PF);
    set_entry(root + 300, 0);
    report_end();
}
