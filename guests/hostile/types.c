/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One frame as two things: tables of two levels, table and descriptors, table and root.
 */
#include "guests/hostile/hostile.h"

#define GROUP "types"

ATTACK(two_levels, FLAW_TYPE, "a pinned table pinned as a table of another level, or pinned again: -EINVAL")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        for (u32 other = 1; other <= 4; other++)
            equal("pin", pin(other, table), -XEN_EINVAL);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(wrong_child, FLAW_TYPE, "a table entered into one that is not of the next level: -EINVAL; read-only at its own level it may")
{
    struct tree t = tree_make();

    for (u32 level = 2; level <= 4; level++)
        for (u32 other = 1; other <= 4; other++)
            if (other != level - 1) {
                equal("writable", set_entry(t.table[level] + 1, entry_of(t.table[other], MEMORY_TABLE)), -XEN_EINVAL);
                if (other != level)
                    equal("read-only", set_entry(t.table[level] + 1, entry_of(t.table[other], PTE_P | PTE_US)), -XEN_EINVAL);
            }
    tree_free(&t);
}

ATTACK(two_levels_in_a_tree, FLAW_TYPE, "a tree in which one page is the L2 of an L3 and the L1 of that L2's sibling: pinning is -EINVAL, and all is given back")
{
    u64 *both = page_alloc(), *l2 = page_alloc(), *l3 = page_alloc(), *l4 = page_alloc();

    l2[0] = entry_of(both, MEMORY_TABLE);
    l3[0] = entry_of(both, MEMORY_TABLE);
    l3[1] = entry_of(l2, MEMORY_TABLE);
    l4[0] = entry_of(l3, MEMORY_TABLE);
    l4[1] = entry_of(l2, MEMORY_TABLE);
    memory_protect(both, MEMORY_RO);
    memory_protect(l2, MEMORY_RO);
    memory_protect(l3, MEMORY_RO);
    memory_protect(l4, MEMORY_RO);
    equal("pin L3", pin(3, l3), -XEN_EINVAL);
    equal("pin L4", pin(4, l4), -XEN_EINVAL);
    equal("recount", (u64)recount(), 0);
    page_back(both);
    page_back(l2);
    page_back(l3);
    page_back(l4);
}

ATTACK(unpin_twice, FLAW_COUNT, "unpinning a table twice, or one that was never pinned: -EINVAL, and the tree that uses it stands")
{
    struct tree t = tree_make();
    u64 *plain = page_alloc();

    for (u32 level = 1; level <= 3; level++) {
        equal("never pinned", unpin(t.table[level]), -XEN_EINVAL);
        equal("pin", pin(level, t.table[level]), 0);
        equal("unpin", unpin(t.table[level]), 0);
        equal("twice", unpin(t.table[level]), -XEN_EINVAL);
        equal("still a table", memory_protect(t.table[level], MEMORY_RW), -XEN_EBUSY);
    }
    equal("a plain page", unpin(plain), -XEN_EINVAL);
    equal("the shared info page", mmuext(MMUEXT_UNPIN_TABLE, start_info->shared_info >> 12, 0), -XEN_EINVAL);
    tree_free(&t);
    page_free(plain);
}

ATTACK(unpin_root, FLAW_LIFE, "the root in use is unpinned: it stays a table that nobody can write; it can be pinned again")
{
    u64 *root = memory_root();

    equal("unpin", unpin(root), 0);
    equal("twice", unpin(root), -XEN_EINVAL);
    equal("writable", memory_protect(root, MEMORY_RW), -XEN_EBUSY);
    equal("as L3", pin(3, root), -XEN_EINVAL);
    equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn_of(root), 0), -XEN_EINVAL);
    equal("recount", (u64)recount(), 0);
    equal("pin", pin(4, root), 0);
}

ATTACK(root_of_what, FLAW_TYPE, "a root that is an L1, L2, L3 table, a page of data, the shared info page, nothing: -EINVAL, the old one stays")
{
    static const u32 cmds[] = {MMUEXT_NEW_BASEPTR, MMUEXT_NEW_USER_BASEPTR};
    u64 *data = page_alloc();
    struct tree t = tree_make();

    for (u32 i = 0; i < ARRAY_SIZE(cmds); i++) {
        for (u32 level = 1; level <= 3; level++)
            equal("table", mmuext(cmds[i], mfn_of(t.table[level]), 0), -XEN_EINVAL);
        equal("data", mmuext(cmds[i], mfn_of(data), 0), -XEN_EINVAL);
        equal("shared info", mmuext(cmds[i], start_info->shared_info >> 12, 0), -XEN_EINVAL);
        equal("beyond", mmuext(cmds[i], MFN_BEYOND, 0), -XEN_EINVAL);
    }
    equal("none", mmuext(MMUEXT_NEW_BASEPTR, 0, 0), -XEN_EINVAL);
    tree_free(&t);
    page_free(data);
}

ATTACK(user_root_is_held, FLAW_LIFE, "a table that is the user root is unpinned: it cannot be written until there is another user root")
{
    u64 *l4 = pinned_table(4);

    equal("user root", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0), 0);
    equal("again", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0), 0);
    equal("unpin", unpin(l4), 0);
    equal("writable", memory_protect(l4, MEMORY_RW), -XEN_EBUSY);
    equal("as L1", pin(1, l4), -XEN_EINVAL);
    equal("none", mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    page_back(l4);
    user_init();
}

ATTACK(bad_lower_tables, FLAW_COUNT, "a big tree whose very last entry is bad, pinned 20 times: refused each time, no count moves, all its pages are plain again")
{
    u64 *data = table_page(), *l1[4], *l2 = page_alloc(), *l3 = page_alloc(), *l4 = page_alloc();

    for (u32 i = 0; i < 4; i++) {
        l1[i] = page_alloc();
        for (u32 k = 0; k < 512; k++)
            l1[i][k] = entry_of(data, MEMORY_RO);
        for (u32 k = i; k < 512; k += 4)
            l2[k] = entry_of(l1[i], MEMORY_TABLE);
    }
    l1[3][511] = entry_of(l4, MEMORY_RW); /* the L4 itself, writable */
    l3[17] = entry_of(l2, MEMORY_TABLE);
    l4[0] = l4[511] = entry_of(l3, MEMORY_TABLE);
    for (u32 i = 0; i < 4; i++)
        memory_protect(l1[i], MEMORY_RO);
    memory_protect(l2, MEMORY_RO);
    memory_protect(l3, MEMORY_RO);
    memory_protect(l4, MEMORY_RO);
    for (u32 round = 0; round < 20; round++) {
        equal("pin L4", pin(4, l4), -XEN_EBUSY);
        equal("recount", round % 5 ? 0 : (u64)recount(), 0);
    }
    for (u32 i = 0; i < 4; i++)
        page_back(l1[i]);
    page_back(l2);
    page_back(l3);
    page_back(l4);
    page_back(data);
}

ATTACK(shared_pages, FLAW_TYPE, "pages that the hypervisor shares (shared info, grant table) as tables, descriptors, or given back: refused")
{
    u64 shared[2] = {start_info->shared_info >> 12};
    long pages;

    offer(0);
    shared[1] = (*memory_entry((u64)grant_table, 1) & PTE_MFN_MASK) >> 12;
    for (u32 i = 0; i < 2; i++) {
        for (u32 level = 1; level <= 4; level++)
            equal("pin", mmuext(MMUEXT_PIN_L1_TABLE + level - 1, shared[i], 0), -XEN_EINVAL);
        equal("GDT", hypercall_set_gdt(&shared[i], 512), -XEN_EINVAL);
        pages = pages_now();
        give_frame_back(shared[i]);
        give_frame_back(shared[i]);
        equal("pages", pages_now(), pages);
        equal("recount", (u64)recount(), 0);
    }
    holds("shared info works", shared_info->vcpu_info[0].time.tsc_to_system_mul != 0);
}
