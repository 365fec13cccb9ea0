/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free pages are those from the builder's stack to the end of the domain, handed out in order
 * ([next_pfn, start_info->nr_pages)), and a list of those that came back.  Pages up to mapped_end
 * are in the linear map.  When next_pfn comes near it, one more L1 table is built, which maps 512
 * more; the table itself is taken from the pages that are still mapped, hence the RESERVE.
 */
#include "guests/lib/memory.h"

#include "guests/lib/console.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

/* Pages that are kept for new tables: at most an L1, an L2 and an L3. */
#define RESERVE 3

long memory_error;
u64 memory_flush = UVMF_INVLPG | UVMF_LOCAL;

static u64 *p2m;
static u64 next_pfn, mapped_end;
static u64 window_next = WINDOW_BASE;
/* Freed pages, linked through their first word. */
static void *free_list;
static u64 free_listed;

static u64 index_of(u64 va, u32 level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

u64 memory_pfn_to_mfn(u64 pfn)
{
    return p2m[pfn];
}

void memory_set_p2m(u64 pfn, u64 mfn)
{
    p2m[pfn] = mfn;
}

u64 memory_mfn_to_pfn(u64 mfn)
{
    return ((const u64 *)MACH2PHYS_BASE)[mfn];
}

u64 *memory_root(void)
{
    u64 cr3;

    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    return memory_mfn_to_virt(cr3 >> PAGE_SHIFT);
}

u64 *memory_entry(u64 va, u32 level)
{
    u64 *table = memory_root();

    for (u32 at = 4; at > level; at--) {
        u64 entry = table[index_of(va, at)];

        if (!(entry & PTE_P))
            return NULL;
        table = memory_mfn_to_virt((entry & PTE_MFN_MASK) >> PAGE_SHIFT);
    }
    return &table[index_of(va, level)];
}

u64 memory_entry_maddr(u64 va, u32 level)
{
    u64 *entry = memory_entry(va, level);

    return entry ? memory_virt_to_maddr(entry) : 0;
}

long memory_update(u64 maddr, u64 value)
{
    mmu_update_t request = {.ptr = maddr | MMU_NORMAL_PT_UPDATE, .val = value};

    return hypercall_mmu_update(&request, 1, NULL, DOMID_SELF);
}

long memory_protect(const void *va, u64 flags)
{
    u64 pte = (memory_virt_to_mfn(va) << PAGE_SHIFT) | flags;

    return hypercall_update_va_mapping((u64)va, pte, memory_flush);
}

static bool failed(long error)
{
    memory_error = error;
    return error != 0;
}

/* Hook @table (a zeroed or filled page) into the entry for @va at @level. */
static bool install_table(u64 va, u32 level, void *table)
{
    u64 maddr = memory_entry_maddr(va, level);

    if (failed(memory_protect(table, MEMORY_RO)))
        return false;
    return !failed(memory_update(maddr, memory_virt_to_maddr(table) | MEMORY_TABLE));
}

static void *take_mapped_page(void)
{
    void *page = memory_pfn_to_virt(next_pfn++);

    memset(page, 0, PAGE_SIZE);
    return page;
}

/* Map one more stretch of the linear map: the rest of the L1 table that mapped_end falls into. */
static void extend(void)
{
    u64 va = (u64)memory_pfn_to_virt(mapped_end);
    u64 stop = (mapped_end | 511) + 1;

    for (u32 level = 4; level > 2; level--)
        if (!(*memory_entry(va, level) & PTE_P) && !install_table(va, level, take_mapped_page()))
            panic("no table for %lx: %ld", va, memory_error);
    if (stop > start_info->nr_pages)
        stop = start_info->nr_pages;
    if (*memory_entry(va, 2) & PTE_P) {
        for (u64 pfn = mapped_end; pfn < stop; pfn++)
            if (memory_protect(memory_pfn_to_virt(pfn), MEMORY_RW))
                panic("frame %lu cannot be mapped", pfn);
    } else {
        u64 *table = take_mapped_page();

        for (u64 pfn = mapped_end; pfn < stop; pfn++)
            table[index_of((u64)memory_pfn_to_virt(pfn), 1)] = (p2m[pfn] << PAGE_SHIFT) | MEMORY_RW;
        if (!install_table(va, 2, table))
            panic("no table for %lx: %ld", va, memory_error);
    }
    mapped_end = stop;
}

/* Make sure that @count more pages, and the reserve, are mapped. */
static void want_mapped(u64 count)
{
    while (next_pfn + count + RESERVE > mapped_end && mapped_end < start_info->nr_pages)
        extend();
}

void memory_init(u64 stack_end)
{
    u64 *entry;

    p2m = (u64 *)start_info->mfn_list;
    next_pfn = memory_virt_to_pfn((void *)stack_end);
    for (mapped_end = next_pfn; mapped_end < start_info->nr_pages; mapped_end++) {
        entry = memory_entry((u64)memory_pfn_to_virt(mapped_end), 1);
        if (!entry || !(*entry & PTE_P))
            break;
    }
}

void *pages_try_alloc(u64 count)
{
    void *page;

    want_mapped(count);
    if (next_pfn + count > mapped_end)
        return NULL;
    page = memory_pfn_to_virt(next_pfn);
    next_pfn += count;
    memset(page, 0, count * PAGE_SIZE);
    return page;
}

void *pages_alloc(u64 count)
{
    void *page = pages_try_alloc(count);

    if (!page)
        panic("out of memory");
    return page;
}

void *page_try_alloc(void)
{
    void *page = free_list;

    if (!page)
        return pages_try_alloc(1);
    free_list = *(void **)page;
    free_listed--;
    memset(page, 0, PAGE_SIZE);
    return page;
}

void *page_alloc(void)
{
    void *page = page_try_alloc();

    if (!page)
        panic("out of memory");
    return page;
}

void page_free(void *page)
{
    *(void **)page = free_list;
    free_list = page;
    free_listed++;
}

u64 page_count_free(void)
{
    return free_listed + start_info->nr_pages - next_pfn;
}

bool memory_map(u64 va, u64 pte)
{
    for (u32 level = 4; level > 1; level--)
        if (!(*memory_entry(va, level) & PTE_P) && !install_table(va, level, page_alloc()))
            return false;
    return !failed(hypercall_update_va_mapping(va, pte, UVMF_INVLPG));
}

u64 memory_reserve(u64 pages)
{
    u64 va = window_next;

    window_next += pages << PAGE_SHIFT;
    if (window_next > WINDOW_BASE + WINDOW_SIZE)
        panic("the window is full");
    return va;
}

void *memory_map_mfns(const u64 *mfns, u64 count, u64 flags)
{
    u64 va = memory_reserve(count);

    for (u64 i = 0; i < count; i++)
        if (!memory_map(va + (i << PAGE_SHIFT), (mfns[i] << PAGE_SHIFT) | flags))
            return NULL;
    return (void *)va;
}

void *memory_map_mfn(u64 mfn, u64 flags)
{
    return memory_map_mfns(&mfn, 1, flags);
}

void memory_unmap(const void *va)
{
    hypercall_update_va_mapping((u64)va, 0, memory_flush);
}

long memory_pin(const void *table, u32 level)
{
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE + level - 1};
    long error = memory_protect(table, MEMORY_RO);

    op.arg1.mfn = memory_virt_to_mfn(table);
    return error ? error : hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

long memory_unpin(const void *table)
{
    struct mmuext_op op = {.cmd = MMUEXT_UNPIN_TABLE};
    long error;

    op.arg1.mfn = memory_virt_to_mfn(table);
    error = hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
    return error ? error : memory_protect(table, MEMORY_RW);
}
