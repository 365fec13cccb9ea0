/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/foreign.h"

#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

static u64 window;
static u64 entries[FOREIGN_PAGES]; /* machine addresses of the window's L1 entries */
static u32 mapped;

void foreign_init(void)
{
    window = memory_reserve(FOREIGN_PAGES);
    for (u32 i = 0; i < FOREIGN_PAGES; i++) {
        if (!memory_map(window + i * PAGE_SIZE, 0))
            panic("no window for other domains' memory: %ld", memory_error);
        entries[i] = memory_entry_maddr(window + i * PAGE_SIZE, 1);
    }
}

void *foreign_map(u16 domid, const u64 *mfns, u32 count)
{
    mmu_update_t updates[FOREIGN_PAGES];
    long error;

    ASSERT(!mapped && count && count <= FOREIGN_PAGES);
    for (u32 i = 0; i < count; i++)
        updates[i] = (mmu_update_t){entries[i] | MMU_NORMAL_PT_UPDATE,
                                    (mfns[i] << PAGE_SHIFT) | MEMORY_RW};
    mapped = count;
    error = hypercall_mmu_update(updates, count, NULL, domid);
    if (!error)
        return (void *)window;
    foreign_unmap();
    return NULL;
}

void foreign_unmap(void)
{
    mmu_update_t updates[FOREIGN_PAGES];
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    for (u32 i = 0; i < mapped; i++)
        updates[i] = (mmu_update_t){entries[i] | MMU_NORMAL_PT_UPDATE, 0};
    if (hypercall_mmu_update(updates, mapped, NULL, DOMID_SELF) ||
        hypercall_mmuext_op(&flush, 1, NULL, DOMID_SELF))
        panic("the window of other domains' memory cannot be cleared");
    mapped = 0;
}
