/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables entered at their own level: what they show, what they let through, how deep they go.
 */
#include "guests/hostile/hostile.h"

#define GROUP "linear"

#define RO_TABLE (PTE_P | PTE_US | PTE_A)

static long update_keeping_ad(const u64 *at, u64 value)
{
    mmu_update_t request = {memory_virt_to_maddr(at) | MMU_PT_UPDATE_PRESERVE_AD, value};

    return hypercall_mmu_update(&request, 1, NULL, DOMID_SELF);
}

/* A linear address from its four indexes. */
static u64 address(u64 l4, u64 l3, u64 l2, u64 l1)
{
    return (l4 & 256 ? 0xffff000000000000ul : 0) | l4 << 39 | l3 << 30 | l2 << 21 | l1 << 12;
}

/* A slot of the root that nobody uses, above the hypervisor's. */
#define SLOT 300ul

static void enter_root(void)
{
    equal("enter the root", set_entry(memory_root() + SLOT, entry_of(memory_root(), RO_TABLE)), 0);
}

static void leave_root(void)
{
    equal("leave the root", set_entry(memory_root() + SLOT, 0), 0);
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

ATTACK(self_writable, FLAW_LINEAR, "a table enters itself writable, at once or by adding RW to a read-only entry: -EINVAL at each level")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("writable", set_entry(table + 3, entry_of(table, MEMORY_TABLE)), -XEN_EINVAL);
        equal("read-only", set_entry(table + 3, entry_of(table, RO_TABLE)), 0);
        equal("upgrade", set_entry(table + 3, entry_of(table, RO_TABLE | PTE_RW)), -XEN_EINVAL);
        equal("upgrade, A and D kept", update_keeping_ad(table + 3, entry_of(table, RO_TABLE | PTE_RW)), -XEN_EINVAL);
        equal("NX changes", set_entry(table + 3, entry_of(table, RO_TABLE | PTE_NX)), 0);
        equal("upgrade after it", set_entry(table + 3, entry_of(table, RO_TABLE | PTE_NX | PTE_RW)), -XEN_EINVAL);
        equal("entry", table[3] & PTE_RW, 0);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(self_writable_by_validation, FLAW_LINEAR, "pinning a table that holds itself writable: -EINVAL")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *table = page_alloc();

        table[500] = entry_of(table, MEMORY_TABLE);
        memory_protect(table, MEMORY_RO);
        equal("pin", pin(level, table), -XEN_EINVAL);
        page_back(table);
    }
}

ATTACK(write_through, FLAW_LINEAR, "through a recursive entry of the root every level of tables can be read, and not be written, emulation or not")
{
    u64 va = memory_reserve(1), i4 = va >> 39 & 511, i3 = va >> 30 & 511, i2 = va >> 21 & 511, i1 = va >> 12 & 511;
    u64 at[5];

    memory_map(va, 0);
    enter_root();
    at[2] = address(SLOT, SLOT, i4, i3) + 8 * i2;
    at[3] = address(SLOT, SLOT, SLOT, i4) + 8 * i3;
    at[4] = address(SLOT, SLOT, SLOT, SLOT) + 8 * i4;
    at[1] = address(SLOT, i4, i3, i2) + 8 * i1;
    for (u32 round = 0; round < 2; round++) {
        for (u32 level = 2; level <= 4; level++) {
            equal("load", load((void *)at[level]), TRAP_NONE);
            equal("entry", trap_result, *memory_entry(va, level));
            equal("store", store((void *)at[level], trap_result | PTE_PSE), TRAP_PF);
            equal("user store", user_call((u64(*)(u64))(u64)store, at[level]) != TRAP_NONE || trap_result, 1);
        }
        equal("L1 store", store((void *)at[1], entry_of(memory_root(), MEMORY_RW)), TRAP_PF);
        equal("L1 entry", *memory_entry(va, 1), 0);
        hypercall_vm_assist(round ? VMASST_CMD_disable : VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    }
    leave_root();
}

ATTACK(see_hypervisor, FLAW_LINEAR, "through a recursive entry the hypervisor's slots 257 to 271 cannot be read at any depth: #PF")
{
    enter_root();
    for (u64 slot = 257; slot <= 271; slot++) {
        if (!(memory_root()[slot] & PTE_P))
            continue;
        equal("its L3", load((void *)address(SLOT, SLOT, SLOT, slot)), TRAP_PF);
        for (u64 i = 0; i < 512; i += 73) {
            equal("its L2", load((void *)address(SLOT, SLOT, slot, i)), TRAP_PF);
            equal("its L1", load((void *)address(SLOT, slot, i, 0)), TRAP_PF);
            equal("itself", load((void *)address(slot, i, 0, 0)), TRAP_PF);
        }
    }
    for (u64 i = 0; i < 4; i++) {
        store((void *)address(SLOT, SLOT, SLOT, 256), 0);
        equal("m2p", store((void *)(MACH2PHYS_BASE + i * 8), 0), TRAP_PF);
        equal("tables of the m2p", store((void *)(address(SLOT, SLOT, SLOT, 256) + i * 8), 0), TRAP_PF);
        equal("tables of the m2p", store((void *)(address(SLOT, SLOT, 256, 0) + i * 8), 0), TRAP_PF);
    }
    leave_root();
}

ATTACK(map_through, FLAW_LINEAR, "update_va_mapping of an address whose `L1' is a table of another level, or the hypervisor's: -EINVAL")
{
    u64 *data = page_alloc(), value = entry_of(data, MEMORY_RW);

    enter_root();
    equal("an L2 entry", hypercall_update_va_mapping(address(SLOT, 511, 510, 0), value, 0), -XEN_EINVAL);
    equal("an L3 entry", hypercall_update_va_mapping(address(SLOT, SLOT, 511, 510), value, 0), -XEN_EINVAL);
    equal("an L4 entry", hypercall_update_va_mapping(address(SLOT, SLOT, SLOT, 511), value, 0), -XEN_EINVAL);
    for (u64 slot = 256; slot <= 271; slot++)
        for (u64 i = 0; i < 512; i += 171) {
            equal("hypervisor's L4", hypercall_update_va_mapping(address(SLOT, SLOT, SLOT, slot), value, 0), -XEN_EINVAL);
            equal("its L3", hypercall_update_va_mapping(address(SLOT, SLOT, slot, i), value, 0), -XEN_EINVAL);
            equal("its L2", hypercall_update_va_mapping(address(SLOT, slot, i, i), value, 0), -XEN_EINVAL);
        }
    leave_root();
    page_free(data);
}

ATTACK(chain, FLAW_LINEAR, "tables of one level entered into each other in a chain or a ring: the second step is -EINVAL")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *a = pinned_table(level), *b = pinned_table(level), *c = pinned_table(level);

        equal("a to b", set_entry(a + 1, entry_of(b, RO_TABLE)), 0);
        equal("b to c", set_entry(b + 1, entry_of(c, RO_TABLE)), -XEN_EINVAL);
        equal("b to a", set_entry(b + 1, entry_of(a, RO_TABLE)), -XEN_EINVAL);
        equal("c to a", set_entry(c + 1, entry_of(a, RO_TABLE)), -XEN_EINVAL);
        equal("recount", (u64)recount(), 0);
        equal("c to b", set_entry(c + 1, entry_of(b, RO_TABLE)), 0);
        equal("a clears", set_entry(a + 1, 0), 0);
        equal("b to a, still entered by c", set_entry(b + 1, entry_of(a, RO_TABLE)), -XEN_EINVAL);
        equal("c clears", set_entry(c + 1, 0), 0);
        equal("b to a", set_entry(b + 1, entry_of(a, RO_TABLE)), 0);
        unpin(b);
        unpin(a);
        unpin(c);
        page_back(a);
        page_back(b);
        page_back(c);
    }
}

ATTACK(chain_by_validation, FLAW_LINEAR, "a chain made in plain pages and pinned from its end: no more than one step deep")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *page[4];

        for (u32 i = 0; i < 4; i++)
            page[i] = page_alloc();
        for (u32 i = 0; i < 3; i++)
            page[i][i] = entry_of(page[i + 1], RO_TABLE);
        for (u32 i = 0; i < 4; i++)
            memory_protect(page[i], MEMORY_RO);
        equal("the last", pin(level, page[3]), 0);
        equal("the one before", pin(level, page[2]), 0);
        equal("the next", pin(level, page[1]), -XEN_EINVAL);
        unpin(page[2]);
        unpin(page[3]);
        for (u32 i = 0; i < 4; i++)
            page_back(page[i]);
    }
}

ATTACK(target_goes_first, FLAW_COUNT, "a table that is entered linearly is unpinned first: it stays a table until the entry goes")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *a = pinned_table(level), *b = pinned_table(level);

        equal("enter", set_entry(a + 7, entry_of(b, RO_TABLE)), 0);
        equal("unpin the target", unpin(b), 0);
        equal("still a table", memory_protect(b, MEMORY_RW), -XEN_EBUSY);
        equal("unpin the holder", unpin(a), 0);
        page_back(a);
        page_back(b);
    }
}

ATTACK(many_uses, FLAW_COUNT, "a table entered linearly 32767 times: no more, -EINVAL; all of them can be taken back")
{
    enum { HOLDERS = 65, EACH = 508 };
    static u64 *holders[HOLDERS];
    static mmu_update_t requests[EACH];
    u64 *b = pinned_table(2);
    u32 made = 0, done;

    for (u32 h = 0; h < HOLDERS; h++) {
        holders[h] = pinned_table(2);
        for (u32 i = 0; i < EACH; i++)
            requests[i] = (mmu_update_t){memory_virt_to_maddr(holders[h] + i), entry_of(b, RO_TABLE)};
        done = 0;
        long error = hypercall_mmu_update(requests, EACH, &done, DOMID_SELF);
        made += done;
        equal("result", error, made < 32767 ? 0 : -XEN_EINVAL);
    }
    equal("how many", made, 32767);
    equal("recount", (u64)recount(), 0);
    for (u32 h = 0; h < HOLDERS; h++) {
        unpin(holders[h]);
        page_back(holders[h]);
    }
    equal("unpin", unpin(b), 0);
    page_back(b);
}

ATTACK(across_domains, FLAW_FRAME, "a linear entry to a frame of another domain or of the hypervisor: -EINVAL")
{
    for (u32 level = 2; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("a victim", set_entry(table, victim_frame() << 12 | RO_TABLE), -XEN_EINVAL);
        for (u32 slot = 256; slot <= 271; slot++)
            if ((memory_root()[slot] & PTE_P) && (memory_root()[slot] & PTE_MFN_MASK) >> 12 != mfn_of(memory_root()))
                equal("the hypervisor's tables", set_entry(table, (memory_root()[slot] & PTE_MFN_MASK) | RO_TABLE), -XEN_EINVAL);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}
