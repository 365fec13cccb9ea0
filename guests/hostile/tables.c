/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting a page table that can be written, by every way an entry can be made.
 */
#include "guests/hostile/hostile.h"

#define GROUP "tables"

ATTACK(by_va_mapping, FLAW_TABLE, "update_va_mapping of a pinned table of any level with RW: -EBUSY, and it stays read-only")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("map", memory_protect(table, MEMORY_RW), -XEN_EBUSY);
        equal("store", store(&table[7], 0x1000), TRAP_PF);
        equal("entry", table[7], 0);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_mmu_update, FLAW_TABLE, "mmu_update of an L1 entry to map a pinned table of any level writable: -EBUSY")
{
    u64 va = memory_reserve(1);

    memory_map(va, 0);
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("map", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RW)), -XEN_EBUSY);
        equal("read-only", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RO)), 0);
        equal("upgrade", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RW)), -XEN_EBUSY);
        equal("store", store((void *)va, 0x1000), TRAP_PF);
        memory_unmap((void *)va);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_validation, FLAW_TABLE, "pinning an L1 table that maps a table, or itself, writable: -EBUSY, and nothing of it stays")
{
    u64 *table = pinned_table(2), *l1 = page_alloc();

    l1[511] = entry_of(table, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("pin", pin(1, l1), -XEN_EBUSY);
    equal("writable again", memory_protect(l1, MEMORY_RW), 0);
    l1[511] = entry_of(l1, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("itself", pin(1, l1), -XEN_EBUSY);
    page_back(l1);
    equal("unpin", unpin(table), 0);
    page_back(table);
}
