/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits of entries: those that change what an entry means, and shortcuts that compare too few of them.
 */
#include "guests/hostile/hostile.h"

#define GROUP "entries"

static long update_keeping_ad(const u64 *at, u64 value)
{
    mmu_update_t request = {memory_virt_to_maddr(at) | MMU_PT_UPDATE_PRESERVE_AD, value};

    return hypercall_mmu_update(&request, 1, NULL, DOMID_SELF);
}

ATTACK(large_page, FLAW_FLAGS, "PSE in an L2, L3 or L4 entry, new or added to one that is there: -EINVAL")
{
    struct tree t = tree_make();

    for (u32 level = 2; level <= 4; level++) {
        u64 *slot = t.table[level], plain = entry_of(t.table[level - 1], MEMORY_TABLE);

        equal("added", set_entry(slot, plain | PTE_PSE), -XEN_EINVAL);
        equal("added, A and D kept", update_keeping_ad(slot, plain | PTE_PSE), -XEN_EINVAL);
        equal("new", set_entry(slot + 1, plain | PTE_PSE), -XEN_EINVAL);
        equal("frame 0", set_entry(slot + 1, MEMORY_TABLE | PTE_PSE), -XEN_EINVAL);
        equal("entry", slot[0] & PTE_PSE, 0);
        equal("absent", slot[1], 0);
    }
    tree_free(&t);
}

ATTACK(large_page_by_validation, FLAW_FLAGS, "a table with a PSE entry in any place cannot be pinned: -EINVAL, with nothing left behind")
{
    static const u32 places[] = {0, 255, 511};

    for (u32 level = 2; level <= 4; level++)
        for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
            u64 *below = table_page(), *table = page_alloc();

            table[0] = entry_of(below, MEMORY_TABLE);
            table[places[i]] = MEMORY_TABLE | PTE_PSE;
            memory_protect(table, MEMORY_RO);
            equal("pin", pin(level, table), -XEN_EINVAL);
            page_back(table);
            page_back(below);
        }
}

ATTACK(absent_large_page, FLAW_FLAGS, "an absent entry may hold anything; making it present is checked as if it were new: -EINVAL")
{
    struct tree t = tree_make();
    u64 forged = MFN_HYPERVISOR << 12 | (MEMORY_TABLE & ~PTE_P) | PTE_PSE;

    for (u32 level = 2; level <= 4; level++) {
        equal("absent", set_entry(t.table[level] + 9, forged), 0);
        equal("present", set_entry(t.table[level] + 9, forged | PTE_P), -XEN_EINVAL);
        equal("without PSE", set_entry(t.table[level] + 9, (forged & ~PTE_PSE) | PTE_P), -XEN_EINVAL);
        equal("entry", t.table[level][9], forged);
        set_entry(t.table[level] + 9, 0);
    }
    tree_free(&t);
}

ATTACK(absent_then_present, FLAW_FLAGS, "an absent L1 entry with another's frame, made present by an emulated OR of one bit: #PF")
{
    u64 va = memory_reserve(1), *entry;

    memory_map(va, 0);
    entry = memory_entry(va, 1);
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    for (u32 i = 0; i < 2; i++) {
        u64 forged = (i ? victim_frame() : MFN_HYPERVISOR) << 12 | (MEMORY_RW & ~PTE_P);

        equal("absent", memory_update(memory_entry_maddr(va, 1), forged), 0);
        equal("vector", TRAP_INSN("lock orb $1, (%0)", (), ("r"(entry)), "cc"), TRAP_PF);
        equal("entry", *entry, forged);
        equal("load", load((void *)va), TRAP_PF);
    }
    memory_unmap((void *)va);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
}

ATTACK(caching, FLAW_FLAGS, "PWT, PCD and PAT in an L1 entry, for a domain without devices: -EINVAL; in upper ones, with G, always")
{
    static const u64 bits[] = {PTE_PWT, PTE_PCD, PTE_PSE, PTE_PWT | PTE_PCD, PTE_PWT | PTE_PCD | PTE_PSE};
    u64 *data = page_alloc();
    struct tree t = tree_make();

    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        equal("L1", set_entry(t.table[1], entry_of(data, MEMORY_RW | bits[i])), -XEN_EINVAL);
        equal("shared info", set_entry(t.table[1], start_info->shared_info | MEMORY_RW | bits[i]), -XEN_EINVAL);
        for (u32 level = 2; level <= 4; level++)
            equal("upper", set_entry(t.table[level], t.table[level][0] | bits[i]), -XEN_EINVAL);
    }
    for (u32 level = 2; level <= 4; level++)
        equal("global", set_entry(t.table[level], t.table[level][0] | PTE_G), -XEN_EINVAL);
    tree_free(&t);
    page_free(data);
}

ATTACK(address_bits, FLAW_FLAGS, "an own frame number with one of the address bits 40 to 51 set as well: -EPERM as device memory, -EINVAL as a table")
{
    u64 *data = page_alloc();
    struct tree t = tree_make();

    for (u32 bit = 40; bit < 52; bit++) {
        equal("L1", set_entry(t.table[1], entry_of(data, MEMORY_RW) | 1ul << bit), -XEN_EPERM);
        for (u32 level = 2; level <= 4; level++)
            equal("upper", set_entry(t.table[level], t.table[level][0] | 1ul << bit), -XEN_EINVAL);
    }
    tree_free(&t);
    page_free(data);
}

ATTACK(shortcut_other_frame, FLAW_FLAGS, "an entry that differs from the old one in its frame only is checked in full: -EBUSY")
{
    u64 *data = page_alloc(), *table = pinned_table(1);
    struct tree t = tree_make();

    equal("data", set_entry(t.table[1], entry_of(data, MEMORY_RW)), 0);
    equal("table", set_entry(t.table[1], (t.table[1][0] & ~PTE_MFN_MASK) | mfn_of(table) << 12), -XEN_EBUSY);
    equal("hypervisor", set_entry(t.table[1], (t.table[1][0] & ~PTE_MFN_MASK) | MFN_HYPERVISOR << 12), -XEN_EBUSY);
    equal("A and D kept", update_keeping_ad(t.table[1], entry_of(table, MEMORY_RW)), -XEN_EBUSY);
    equal("entry", t.table[1][0] & PTE_MFN_MASK, mfn_of(data) << 12);
    tree_free(&t);
    equal("unpin", unpin(table), 0);
    page_back(table);
    page_free(data);
}

ATTACK(shortcut_counts, FLAW_COUNT, "turning NX, A, D, G, the free bits and US on and off takes and drops no reference; RW does, each way")
{
    static const u64 bits[] = {PTE_NX, PTE_A, PTE_D, PTE_G, PTE_AVAIL, 0x7fful << 52, PTE_US, PTE_RW};
    u64 *data = table_page();
    struct tree t = tree_make();

    for (u32 round = 0; round < 64; round++)
        for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
            equal("L1", set_entry(t.table[1], entry_of(data, PTE_P | (round & 1 ? bits[i] : 0))), 0);
            for (u32 level = 2; level <= 4; level++)
                equal("upper", set_entry(t.table[level], entry_of(t.table[level - 1], PTE_P |
                                         (round & 1 && bits[i] != PTE_G ? bits[i] : 0))), 0);
        }
    set_entry(t.table[1], entry_of(data, MEMORY_RO));
    equal("recount", (u64)recount(), 0);
    equal("no writable reference is left", pin(1, data), 0);
    equal("unpin", unpin(data), 0);
    tree_free(&t);
    page_back(data);
}

ATTACK(kernel_bit, FLAW_FLAGS, "bit 52 and US set by the guest itself: the entry is stored as the rules say, never without US")
{
    static const u64 given[] = {0, PTE_US, 1ul << 52, PTE_US | 1ul << 52, PTE_G, PTE_G | 1ul << 52};
    u64 *data = page_alloc();
    struct tree t = tree_make();

    for (u32 i = 0; i < ARRAY_SIZE(given); i++) {
        equal("set", set_entry(t.table[1], entry_of(data, PTE_P | PTE_RW | given[i])), 0);
        equal("user", t.table[1][0] & PTE_US, PTE_US);
        holds("a kernel page or a global one", t.table[1][0] & (1ul << 52 | PTE_G));
    }
    for (u32 level = 2; level <= 4; level++) {
        equal("set", set_entry(t.table[level], entry_of(t.table[level - 1], PTE_P | PTE_RW)), 0);
        equal("user", t.table[level][0] & PTE_US, PTE_US);
    }
    tree_free(&t);
    page_free(data);
}

ATTACK(hypervisor_slots, FLAW_TABLE, "slots 256 to 271 of an L4: no entry, by any command, -EINVAL; what was in the page is overwritten by pinning")
{
    u64 *l4 = page_alloc();
    struct tree t = tree_make();

    for (u32 slot = 256; slot <= 271; slot++) {
        u64 before = t.table[4][slot];

        equal("set", set_entry(t.table[4] + slot, entry_of(t.table[3], MEMORY_TABLE)), -XEN_EINVAL);
        equal("clear", set_entry(t.table[4] + slot, 0), -XEN_EINVAL);
        equal("the same", set_entry(t.table[4] + slot, before), -XEN_EINVAL);
        equal("user bit", set_entry(t.table[4] + slot, before | PTE_US), -XEN_EINVAL);
        equal("A and D kept", update_keeping_ad(t.table[4] + slot, entry_of(t.table[3], MEMORY_TABLE)), -XEN_EINVAL);
        equal("slot", t.table[4][slot], before);
        l4[slot] = entry_of(t.table[3], MEMORY_TABLE);
    }
    memory_protect(l4, MEMORY_RO);
    equal("pin", pin(4, l4), 0);
    for (u32 slot = 256; slot <= 271; slot++)
        if (slot != 258) /* on Xen the table itself */
            equal("as in every table", l4[slot], t.table[4][slot]);
    equal("unpin", unpin(l4), 0);
    /* Now the page holds the hypervisor's entries: as a lower table they must not pass. */
    equal("as L1", pin(1, l4), -XEN_EBUSY);
    for (u32 level = 2; level <= 3; level++)
        equal("as upper", pin(level, l4), -XEN_EINVAL);
    page_back(l4);
    tree_free(&t);
}
