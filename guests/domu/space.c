/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invariants:
 *  1. Tables of a space are pages of ours that are mapped read-only and reached from its two L4s, which
 *     are pinned: the hypervisor has seen every entry.
 *  2. users[pfn] is the number of L1 entries of all spaces that map the frame, 0 for all other frames.
 *  3. An entry with PTE_COW has no PTE_RW.  A frame with more than one user has PTE_RW nowhere.
 *  4. A space is loaded on at most one vCPU, that of its only task; so flushing there is enough.
 */
#include "guests/domu/space.h"

#include "guests/domu/cpu.h"
#include "guests/lib/heap.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"
#include "guests/lib/trap.h"

#define PTE_COW     0x200ul /* one of the bits that are the guest's */
#define USER_PAGE   (PTE_P | PTE_US | PTE_A)
#define USER_PAGE_W (USER_PAGE | PTE_RW | PTE_D)
#define ENTRIES     512u
#define BATCH       64u
#define KERNEL_SLOT ((VIRT_BASE >> 39) & 511)

struct space {
    u64 *kernel_l4, *user_l4; /* in the linear map, like all tables here */
    u64 brk_start, brk;
};

static u16 *users;
static u64 *kernel_root;
static u64 copies, frames;
static struct space *loaded[CPU_MAX];

void space_init(void)
{
    users = heap_alloc(start_info->nr_pages * sizeof *users);
    if (!users)
        panic("no memory to count the users of frames");
    kernel_root = memory_root();
}

u64 space_copies(void)
{
    return copies;
}

u64 space_frames(void)
{
    return frames;
}

/* ---- frames ---- */

static void *frame_new(void)
{
    void *page = page_try_alloc();

    if (page) {
        users[memory_virt_to_pfn(page)] = 1;
        frames++;
    }
    return page;
}

static void frame_put(u64 pfn)
{
    if (--users[pfn])
        return;
    frames--;
    page_free(memory_pfn_to_virt(pfn));
}

static u64 entry_pfn(u64 entry)
{
    return memory_mfn_to_pfn((entry & PTE_MFN_MASK) >> PAGE_SHIFT);
}

static u64 *entry_table(u64 entry)
{
    return memory_pfn_to_virt(entry_pfn(entry));
}

/* ---- tables ---- */

static u32 index_of(u64 va, u32 level)
{
    return (u32)(va >> (PAGE_SHIFT + 9 * (level - 1))) & (ENTRIES - 1);
}

static bool is_pinned(const struct space *space)
{
    return space->user_l4 != NULL;
}

/* Set an entry: by hypercall once the hypervisor watches the table, before that directly. */
static bool set_entry(const struct space *space, u64 *entry, u64 value)
{
    if (is_pinned(space))
        return !memory_update(memory_virt_to_maddr(entry), value);
    *entry = value;
    return true;
}

static u64 *table_new(const struct space *space)
{
    u64 *table = page_try_alloc();

    if (table && is_pinned(space) && memory_protect(table, MEMORY_RO))
        panic("a page table cannot be made read-only");
    return table;
}

/* The L1 entry of @va, with the tables above it.  NULL: no memory. */
static u64 *need_entry(struct space *space, u64 va)
{
    u64 *table = space->kernel_l4;

    for (u32 level = 4; level > 1; level--) {
        u64 *entry = &table[index_of(va, level)];

        if (!(*entry & PTE_P)) {
            u64 *below = table_new(space);

            /* Slot 0 of both L4s is there from the beginning: only shared tables are added. */
            if (!below || !set_entry(space, entry, memory_virt_to_maddr(below) | MEMORY_TABLE))
                return NULL;
        }
        table = entry_table(*entry);
    }
    return &table[index_of(va, 1)];
}

static u64 *find_entry(const struct space *space, u64 va)
{
    u64 *table = space->kernel_l4;

    for (u32 level = 4; level > 1; level--) {
        u64 entry = table[index_of(va, level)];

        if (!(entry & PTE_P))
            return NULL;
        table = entry_table(entry);
    }
    return &table[index_of(va, 1)];
}

/* Call @fn for every table of the user's part, the ones below first. */
static void for_tables(u64 *table, u32 level, void (*fn)(u64 *table, u32 level))
{
    if (level > 1)
        for (u32 i = 0; i < ENTRIES; i++)
            if (table[i] & PTE_P)
                for_tables(entry_table(table[i]), level - 1, fn);
    fn(table, level);
}

static void make_read_only(u64 *table, u32 level)
{
    (void)level;
    if (memory_protect(table, MEMORY_RO))
        panic("a page table cannot be made read-only");
}

static void drop_table(u64 *table, u32 level)
{
    if (memory_protect(table, MEMORY_RW))
        panic("a page table of level %u is still in use", level);
    if (level == 1)
        for (u32 i = 0; i < ENTRIES; i++)
            if (table[i] & PTE_P)
                frame_put(entry_pfn(table[i]));
    page_free(table);
}

static void drop_plain_table(u64 *table, u32 level)
{
    if (level == 1)
        for (u32 i = 0; i < ENTRIES; i++)
            if (table[i] & PTE_P)
                frame_put(entry_pfn(table[i]));
    page_free(table);
}

/* ---- life of a space ---- */

struct space *space_new(void)
{
    struct space *space = heap_alloc(sizeof *space);
    u64 *l3 = page_try_alloc();

    if (!space || !l3) {
        heap_free(space);
        return NULL;
    }
    space->kernel_l4 = page_try_alloc();
    if (!space->kernel_l4) {
        page_free(l3);
        heap_free(space);
        return NULL;
    }
    space->kernel_l4[0] = memory_virt_to_maddr(l3) | MEMORY_TABLE;
    return space;
}

/* Have the hypervisor check all tables; from then on they change by hypercall. */
static bool pin(struct space *space)
{
    u64 *user_l4 = page_try_alloc();

    if (!user_l4)
        return false;
    for_tables(entry_table(space->kernel_l4[0]), 3, make_read_only);
    user_l4[0] = space->kernel_l4[0];
    space->kernel_l4[KERNEL_SLOT] = kernel_root[KERNEL_SLOT];
    if (memory_pin(user_l4, 4) || memory_pin(space->kernel_l4, 4))
        panic("the hypervisor does not take a process' page tables");
    space->user_l4 = user_l4;
    return true;
}

void space_free(struct space *space)
{
    u64 *l3 = entry_table(space->kernel_l4[0]);

    if (is_pinned(space)) {
        if (memory_unpin(space->user_l4) || memory_unpin(space->kernel_l4))
            panic("a process' page tables cannot be unpinned");
        page_free(space->user_l4);
        for_tables(l3, 3, drop_table);
    } else {
        for_tables(l3, 3, drop_plain_table);
    }
    page_free(space->kernel_l4);
    heap_free(space);
}

void space_load(struct space *space)
{
    struct space **here = &loaded[cpu_this()->number];
    struct mmuext_op ops[2] = {{.cmd = MMUEXT_NEW_BASEPTR}, {.cmd = MMUEXT_NEW_USER_BASEPTR}};

    if (space && !is_pinned(space) && !pin(space))
        panic("no memory for a process' page tables");
    if (*here == space)
        return;
    ops[0].arg1.mfn = memory_virt_to_mfn(space ? space->kernel_l4 : kernel_root);
    ops[1].arg1.mfn = space ? memory_virt_to_mfn(space->user_l4) : 0;
    if (hypercall_mmuext_op(ops, 2, NULL, DOMID_SELF))
        panic("page tables cannot be loaded");
    *here = space;
}

bool space_put(struct space *space, u64 va, const void *from, u64 size_bytes, bool writable)
{
    while (size_bytes) {
        u64 offset = va & ~PAGE_MASK, n = PAGE_SIZE - offset;
        u64 *entry = va < SPACE_END ? need_entry(space, va) : NULL;
        u8 *page;

        if (!entry)
            return false;
        n = n < size_bytes ? n : size_bytes;
        if (*entry & PTE_P) {
            page = memory_pfn_to_virt(entry_pfn(*entry));
        } else {
            page = frame_new();
            if (!page)
                return false;
            set_entry(space, entry,
                      memory_virt_to_maddr(page) | (writable ? USER_PAGE_W : USER_PAGE));
        }
        if (from) {
            memcpy(page + offset, from, n);
            from = (const u8 *)from + n;
        }
        va += n;
        size_bytes -= n;
    }
    return true;
}

/* ---- fork ---- */

/* Entries of the parent that lose PTE_RW, changed many at a time. */
struct batch {
    mmu_update_t updates[BATCH];
    u32 count;
};

static void batch_flush(struct batch *batch)
{
    if (batch->count && hypercall_mmu_update(batch->updates, batch->count, NULL, DOMID_SELF))
        panic("page table entries cannot be made read-only");
    batch->count = 0;
}

/* A copy of @table and all below, as plain pages.  NULL: no memory; what was made is freed. */
static u64 *copy_table(u64 *table, u32 level, struct batch *batch)
{
    u64 *copy = page_try_alloc();

    for (u32 i = 0; copy && i < ENTRIES; i++) {
        u64 entry = table[i];

        if (!(entry & PTE_P))
            continue;
        if (level > 1) {
            u64 *below = copy_table(entry_table(entry), level - 1, batch);

            if (!below) {
                for_tables(copy, level, drop_plain_table);
                return NULL;
            }
            copy[i] = memory_virt_to_maddr(below) | MEMORY_TABLE;
            continue;
        }
        if (entry & PTE_RW) {
            entry = (entry & ~PTE_RW) | PTE_COW;
            batch->updates[batch->count++] =
                (mmu_update_t){memory_virt_to_maddr(&table[i]), entry};
            if (batch->count == BATCH)
                batch_flush(batch);
        }
        users[entry_pfn(entry)]++;
        copy[i] = entry;
    }
    return copy;
}

struct space *space_fork(struct space *parent)
{
    struct space *space = heap_alloc(sizeof *space);
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    struct batch batch = {.count = 0};
    u64 *l4 = page_try_alloc(), *l3;

    if (!space || !l4) {
        heap_free(space);
        if (l4)
            page_free(l4);
        return NULL;
    }
    l3 = copy_table(entry_table(parent->kernel_l4[0]), 3, &batch);
    batch_flush(&batch);
    hypercall_mmuext_op(&flush, 1, NULL, DOMID_SELF);
    if (!l3) {
        page_free(l4);
        heap_free(space);
        return NULL;
    }
    *space = (struct space){.kernel_l4 = l4, .brk_start = parent->brk_start, .brk = parent->brk};
    l4[0] = memory_virt_to_maddr(l3) | MEMORY_TABLE;
    return space;
}

/* ---- faults ---- */

static bool in_heap_or_stack(const struct space *space, u64 va)
{
    return (va >= space->brk_start && va < space->brk) ||
           (va >= SPACE_STACK_TOP - SPACE_STACK_BYTES && va < SPACE_STACK_TOP);
}

static bool map_zero_page(struct space *space, u64 va)
{
    u64 *entry = need_entry(space, va);
    void *page = entry ? frame_new() : NULL;

    return page && set_entry(space, entry, memory_virt_to_maddr(page) | USER_PAGE_W);
}

static bool unshare(u64 va, u64 entry)
{
    u64 pfn = entry_pfn(entry);
    void *copy;

    if (users[pfn] == 1)
        return !hypercall_update_va_mapping(va & PAGE_MASK, (entry & ~PTE_COW) | PTE_RW | PTE_D,
                                            UVMF_INVLPG);
    copy = frame_new();
    if (!copy)
        return false;
    memcpy(copy, memory_pfn_to_virt(pfn), PAGE_SIZE);
    copies++;
    if (hypercall_update_va_mapping(va & PAGE_MASK, memory_virt_to_maddr(copy) | USER_PAGE_W,
                                    UVMF_INVLPG))
        panic("a copied page cannot be mapped");
    frame_put(pfn);
    return true;
}

bool space_fault(struct space *space, u64 va, bool write)
{
    u64 *entry;

    if (!space || va >= SPACE_END)
        return false;
    entry = find_entry(space, va);
    if (!entry || !(*entry & PTE_P))
        return in_heap_or_stack(space, va) && map_zero_page(space, va);
    return write && (*entry & PTE_COW) && unshare(va, *entry);
}

void space_set_brk(struct space *space, u64 va)
{
    space->brk_start = space->brk = (va + PAGE_SIZE - 1) & PAGE_MASK;
}

u64 space_grow(struct space *space, s64 bytes)
{
    u64 before = space->brk, after = before + (u64)bytes;

    if (after < space->brk_start || after > SPACE_STACK_TOP - SPACE_STACK_BYTES)
        return 0;
    /* What lies above a lowered end stays mapped: it is the process' own memory. */
    space->brk = after;
    return before;
}

/* ---- the kernel at a process' memory ---- */

static bool range_is_user(u64 va, u64 size_bytes)
{
    return va < SPACE_END && size_bytes <= SPACE_END - va;
}

/* RCX after it: what was not copied; 0 if all went well.  Faults are tried by space_fault() first. */
static u64 copy_guarded(void *to, const void *from, u64 size_bytes)
{
    __asm__ volatile("1: rep movsb\n2:\n" TRAP_FIXUP("1b", "2b")
                     : "+D"(to), "+S"(from), "+c"(size_bytes)
                     :
                     : "memory");
    return size_bytes;
}

bool space_read(void *to, u64 from_va, u64 size_bytes)
{
    return range_is_user(from_va, size_bytes) && !copy_guarded(to, (const void *)from_va, size_bytes);
}

bool space_write(u64 to_va, const void *from, u64 size_bytes)
{
    return range_is_user(to_va, size_bytes) && !copy_guarded((void *)to_va, from, size_bytes);
}
