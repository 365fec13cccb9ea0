/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2, L3 and L4 entries: bits, types of what they point to, the hypervisor's slots.
 */
#include "guests/conform/conform.h"

/* A tree of unpinned tables: [1] an L1, [2] an L2 with it in slot 0, and so on. */
struct tree {
    u64 *table[5];
};

static struct tree make(void)
{
    struct tree t;

    t.table[1] = table_page();
    for (u32 level = 2; level <= 4; level++)
        t.table[level] = table_with(0, entry_of(t.table[level - 1], MEMORY_TABLE));
    return t;
}

static u64 mfn(const u64 *page)
{
    return memory_virt_to_mfn(page);
}

static void bits(struct tree *t, u32 level)
{
    static const struct {
        const char *name;
        u64 bit;
        long want;
    } b[] = {
        {"rw-clear", 0, 0},
        {"pwt", PTE_PWT, -XEN_EINVAL},  {"pcd", PTE_PCD, -XEN_EINVAL}, {"pse", PTE_PSE, -XEN_EINVAL},
        {"g", PTE_G, -XEN_EINVAL},      {"avail", PTE_AVAIL, 0},       {"a-d", PTE_A | PTE_D, 0},
        {"nx", PTE_NX, 0},              {"bit-53", 1ul << 53, 0},
    };
    static char names[5][ARRAY_SIZE(b)][24];

    for (u32 i = 0; i < ARRAY_SIZE(b); i++) {
        print_to(names[level][i], sizeof names[level][i], "l%u-%s", level, b[i].name);
        test(names[level][i], "bit %lx in an L%u entry: %ld", b[i].bit, level, b[i].want);
        equal("result", set_entry(t->table[level], entry_of(t->table[level - 1], PTE_P | PTE_US | b[i].bit)),
              b[i].want);
    }
}

static void types(struct tree *t, u32 level)
{
    static char names[5][8][24];
    u64 *data = page_alloc();
    u64 *slot = t->table[level] + 5;
    u32 n = 0;

#define NAME(text) (print_to(names[level][n], sizeof names[level][n], "l%u-" text, level), names[level][n++])
    test(NAME("adds-us"), "an L%u entry without US gets it", level);
    equal("result", set_entry(t->table[level], entry_of(t->table[level - 1], PTE_P)), 0);
    equal("us", t->table[level][0] & PTE_US, PTE_US);
    test(NAME("to-writable"), "an L%u entry for a page that is mapped writable: -EINVAL", level);
    equal("result", set_entry(slot, entry_of(data, MEMORY_TABLE)), -XEN_EINVAL);
    test(NAME("to-wrong-level"), "an L%u entry for a table of another level: -EINVAL", level);
    u64 *wrong = level == 2 ? t->table[3] : t->table[1];
    if (level == 3)
        wrong = t->table[1];
    equal("result", set_entry(slot, entry_of(wrong, MEMORY_TABLE)), -XEN_EINVAL);
    test(NAME("to-beyond"), "an L%u entry for a frame beyond memory: -EINVAL", level);
    equal("result", set_entry(slot, MFN_BEYOND << 12 | MEMORY_TABLE), -XEN_EINVAL);
    test(NAME("to-shared"), "an L%u entry for the shared info page: -EINVAL", level);
    equal("result", set_entry(slot, start_info->shared_info | MEMORY_TABLE), -XEN_EINVAL);
    test(NAME("twice"), "a table may be entered twice at L%u", level);
    equal("result", set_entry(slot, entry_of(t->table[level - 1], MEMORY_TABLE)), 0);
    equal("clear", set_entry(slot, 0), 0);
    test(NAME("absent"), "an absent L%u entry is stored as it is", level);
    equal("result", set_entry(slot, 0xaa0), 0);
    equal("entry", *slot, 0xaa0);
    set_entry(slot, 0);
    test(NAME("preserve-ad"), "PRESERVE_AD keeps A and D of an L%u entry", level);
    set_entry(t->table[level], entry_of(t->table[level - 1], MEMORY_TABLE));
    mmu_update_t request = {memory_virt_to_maddr(t->table[level]) | MMU_PT_UPDATE_PRESERVE_AD,
                            entry_of(t->table[level - 1], PTE_P | PTE_US)};
    equal("result", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), 0);
    equal("ad", t->table[level][0] & (PTE_A | PTE_D), PTE_A | PTE_D);
}

static void slots(struct tree *t)
{
    u64 *l4 = t->table[4];
    u64 entry = entry_of(t->table[3], MEMORY_TABLE);

    test("l4-slot-255", "slot 255 is the guest's");
    equal("set", set_entry(l4 + 255, entry), 0);
    equal("clear", set_entry(l4 + 255, 0), 0);
    test("l4-slot-256", "slot 256 is not: -EINVAL");
    equal("set", set_entry(l4 + 256, entry), -XEN_EINVAL);
    equal("clear", set_entry(l4 + 256, 0), -XEN_EINVAL);
    test("l4-slots", "none of the slots to 271 is");
    for (u32 i = 257; i <= 271; i++)
        equal("set", set_entry(l4 + i, entry), -XEN_EINVAL);
    test("l4-slot-272", "slot 272 is the guest's again");
    equal("set", set_entry(l4 + 272, entry), 0);
    equal("clear", set_entry(l4 + 272, 0), 0);
    test("l4-filled", "a pinned L4 table shows the hypervisor's slots filled");
    for (u32 i = 261; i <= 271; i++)
        equal("slot as in the root", l4[i], memory_root()[i]);
    test("l4-m2p", "and the m2p slot of the root in use");
    holds("256 of the root", memory_root()[256] & PTE_P);
    test("l4-overwritten", "what the guest had stored there is lost, and not checked");
    u64 *other = page_alloc();
    other[256] = 0xffffffffffffffff;
    other[260] = 0x123;
    other[0] = entry;
    memory_protect(other, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L4_TABLE, mfn(other), 0), 0);
    differ("256", other[256], 0xffffffffffffffff);
    differ("260", other[260], 0x123);
    mmuext(MMUEXT_UNPIN_TABLE, mfn(other), 0);
    test("l4-slot-271-read", "slots of hypervisor memory are not readable through as user pages");
    u64 got;
    equal("vector", TRAP_INSN("movq (%1), %0", ("=r"(got)), ("r"(0xffff87ff00000000ul))), TRAP_PF);
}

void guest_main(void)
{
    struct tree t = make();

    report_start("pt-upper");
    test("pin", "a tree of four tables is pinned as an L4 table");
    equal("pin", mmuext(MMUEXT_PIN_L4_TABLE, mfn(t.table[4]), 0), 0);
    for (u32 level = 2; level <= 4; level++) {
        bits(&t, level);
        types(&t, level);
    }
    slots(&t);
    test("unpin", "unpinned, all its tables can be written again");
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn(t.table[4]), 0), 0);
    for (u32 level = 1; level <= 4; level++)
        equal("rw", memory_protect(t.table[level], MEMORY_RW), 0);
    report_end();
}
