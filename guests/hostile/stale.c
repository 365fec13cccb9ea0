/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translations that outlive what allowed them: no attack here flushes, so that what keeps the old
 * entry from being used is the hypervisor alone.
 */
#include "guests/hostile/hostile.h"

#define GROUP "stale"

/* An address of the window for one entry, present in the TLB as a writable page after use. */
static u64 warm(const void *page)
{
    u64 va = memory_reserve(1);

    memory_map(va, entry_of(page, MEMORY_RW));
    equal("used", store((void *)va, 0), TRAP_NONE);
    return va;
}

/* Change the entry of @va, without a flush. */
static void quietly(u64 va, u64 entry)
{
    equal("change", memory_update(memory_entry_maddr(va, 1), entry), 0);
}

/* The linear map's own writable entry goes, without a flush. */
static void quietly_read_only(const void *page)
{
    quietly((u64)page, entry_of(page, MEMORY_RO));
}

ATTACK(unmapped_then_table, FLAW_STALE, "a page is used, unmapped without a flush, and becomes a table: the old writable translation is gone, #PF")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *page = page_alloc(), va = warm(page);

        quietly_read_only(page);
        quietly(va, 0);
        equal("pin", pin(level, page), 0);
        equal("store", store((void *)va, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
        equal("store in place", store(page, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
        equal("entry", page[0], 0);
        equal("unpin", unpin(page), 0);
        page_back(page);
    }
}

ATTACK(read_only_then_table, FLAW_STALE, "the same with the entry made read-only instead of absent, and with the entry's frame replaced")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *page = page_alloc(), *other = page_alloc(), va = warm(page), second = warm(page);

        quietly_read_only(page);
        quietly(va, entry_of(page, MEMORY_RO));
        quietly(second, entry_of(other, MEMORY_RW));
        equal("pin", pin(level, page), 0);
        equal("store", store((void *)va, 1), TRAP_PF);
        equal("store to the other", store((void *)second, 1), TRAP_NONE);
        equal("entry", page[0], 0);
        equal("the other", other[0], 1);
        memory_unmap((void *)va);
        memory_unmap((void *)second);
        equal("unpin", unpin(page), 0);
        page_back(page);
        page_free(other);
    }
}

ATTACK(as_part_of_a_tree, FLAW_STALE, "a page that becomes a table not by a pin of its own but below one, or by an entry: no stale writable translation either")
{
    for (u32 way = 0; way < 2; way++) {
        u64 *l1 = page_alloc(), *l2 = page_alloc(), va = warm(l1);

        quietly_read_only(l1);
        quietly(va, 0);
        if (way == 0)
            l2[0] = entry_of(l1, MEMORY_TABLE);
        memory_protect(l2, MEMORY_RO);
        store((void *)va, 0); /* as long as it is data this may do what it likes */
        equal("pin L2", pin(2, l2), 0);
        if (way == 1)
            equal("enter", set_entry(l2, entry_of(l1, MEMORY_TABLE)), 0);
        equal("store", store((void *)va, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
        equal("entry", l1[0], 0);
        equal("unpin", unpin(l2), 0);
        page_back(l2);
        page_back(l1);
    }
}

ATTACK(then_descriptors, FLAW_STALE, "a page that becomes a descriptor table keeps no stale writable translation: #PF")
{
    u64 *page = page_alloc(), va = warm(page), mfn = mfn_of(page);

    quietly_read_only(page);
    quietly(va, 0);
    equal("set", hypercall_set_gdt(&mfn, 512), 0);
    equal("store", store((void *)va, 0x00009a000000fffful), TRAP_PF);
    equal("descriptor", page[0], 0);
    equal("clear", hypercall_set_gdt(NULL, 0), 0);
    page_back(page);
}

/* An L1 table hung into the window's L2 by hand; va: an address that it maps. */
static u64 hang(u64 *l1, u64 *page)
{
    /* 2 MiB of the window for it alone: up to the next multiple, then as much again. */
    u64 va = memory_reserve(1024);

    va = (va + 0x1fffff) & ~0x1ffffful;
    l1[3] = entry_of(page, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("hang in", memory_update(memory_entry_maddr(va, 2), entry_of(l1, MEMORY_TABLE)), 0);
    return va + 3 * PAGE_SIZE;
}

ATTACK(cut_off_table, FLAW_STALE, "an L1 table is cut off from its L2 without a flush, then written as data: what it says now is followed by nobody")
{
    u64 *l1 = page_alloc(), *page = page_alloc(), va = hang(l1, page);

    equal("used", store((void *)va, 0x11), TRAP_NONE);
    equal("cut off", memory_update(memory_entry_maddr(va, 2), 0), 0);
    /* The linear map's entry for the table becomes writable: only now may anything be written. */
    quietly((u64)l1, entry_of(l1, MEMORY_RW));
    l1[3] = MFN_HYPERVISOR << 12 | MEMORY_RW;
    l1[4] = MFN_HYPERVISOR << 12 | MEMORY_RW;
    if (victim_frame())
        l1[5] = victim_frame() << 12 | MEMORY_RW;
    equal("store", store((void *)va, 0x22), TRAP_PF);
    equal("store, next", store((void *)(va + PAGE_SIZE), 0x22), TRAP_PF);
    equal("load, next", load((void *)(va + PAGE_SIZE)), TRAP_PF);
    equal("load, third", load((void *)(va + 2 * PAGE_SIZE)), TRAP_PF);
    equal("page", page[0], 0x11);
    page_free(l1);
    page_free(page);
}

ATTACK(cut_off_page, FLAW_STALE, "what a cut off L1 table mapped writable becomes a table: the stale translation is gone, #PF")
{
    u64 *l1 = page_alloc(), *page = page_alloc(), va = hang(l1, page);

    equal("used", store((void *)va, 0), TRAP_NONE);
    quietly_read_only(page);
    equal("cut off", memory_update(memory_entry_maddr(va, 2), 0), 0);
    equal("pin", pin(1, page), 0);
    equal("store", store((void *)va, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
    equal("entry", page[0], 0);
    equal("unpin", unpin(page), 0);
    page_back(page);
    page_back(l1);
}

/* A second root: a copy of the one in use, pinned. */
static u64 *second_root(void)
{
    u64 *root = memory_root(), *copy = page_alloc();

    for (u32 i = 0; i < 512; i++)
        copy[i] = i >= 256 && i <= 271 ? 0 : root[i];
    memory_protect(copy, MEMORY_RO);
    equal("pin the copy", pin(4, copy), 0);
    return copy;
}

ATTACK(other_root, FLAW_STALE, "a global (user) page that only the old root maps: after a change of the root it is unreachable, #PF")
{
    u64 *first = memory_root(), *second = second_root(), *page = page_alloc(), va = 5ul << 39;
    struct tree t = tree_make();

    equal("page", set_entry(t.table[1], entry_of(page, PTE_P | PTE_RW | PTE_US)), 0);
    holds("global", t.table[1][0] & PTE_G);
    equal("enter", set_entry(first + 5, entry_of(t.table[3], MEMORY_TABLE)), 0);
    equal("used", store((void *)va, 0x33), TRAP_NONE);
    equal("second root", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(second), 0), 0);
    equal("store", store((void *)va, 0x44), TRAP_PF);
    equal("first root", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(first), 0), 0);
    equal("page", page[0], 0x33);
    equal("leave", set_entry(first + 5, 0), 0);
    equal("unpin", unpin(second), 0);
    page_back(second);
    tree_free(&t);
    page_free(page);
}

static u64 user_store_va;

static u64 user_store(u64 value)
{
    *(volatile u64 *)user_store_va = value;
    return 0;
}

ATTACK(user_then_table, FLAW_STALE, "user mode's global translation of a page that becomes a table: user mode's store is #PF")
{
    u64 *page = page_alloc(), *other = page_alloc();

    user_store_va = memory_reserve(1);
    memory_map(user_store_va, entry_of(page, PTE_P | PTE_RW | PTE_US));
    equal("used", user_call(user_store, 0), TRAP_NONE);
    quietly_read_only(page);
    quietly(user_store_va, 0);
    equal("pin", pin(1, page), 0);
    equal("user store", user_call(user_store, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
    equal("kernel store", store((void *)user_store_va, 1), TRAP_PF);
    equal("entry", page[0], 0);
    equal("unpin", unpin(page), 0);
    page_back(page);
    page_free(other);
}

ATTACK(given_back_mapped, FLAW_LIFE, "a page is given back while it is mapped writable: it stays the domain's until the last mapping goes")
{
    u64 *page = page_alloc(), mfn = mfn_of(page), pfn = memory_virt_to_pfn(page), va = warm(page);
    long before = pages_now();

    memory_unmap(page);
    equal("give back", give_frame_back(mfn), 1);
    equal("twice", give_frame_back(mfn), 0);
    equal("still counted", pages_now(), before);
    equal("store", store((void *)va, 0x77), TRAP_NONE);
    equal("recount", (u64)recount(), 0);
    /* Not free: a new page is another one. */
    u64 fresh = pfn;
    long got = frames_take(&fresh, 1);
    differ("a new page", got ? fresh : 0, mfn);
    quietly(va, 0);
    equal("now it is gone", pages_now(), before - 1 + got);
    equal("not mine any more", hypercall_update_va_mapping(va, mfn << 12 | MEMORY_RW, 0), -XEN_EBUSY);
    if (!got)
        equal("a new page after all", frames_take(&fresh, 1), 1);
    memory_set_p2m(pfn, fresh);
    equal("mapped", memory_protect(page, MEMORY_RW), 0);
    equal("zeroed", page[0], 0);
    page_free(page);
}

ATTACK(given_back_quietly, FLAW_STALE, "a page is used, unmapped without a flush, given back: stores by the stale translation reach no page that anybody gets")
{
    enum { PAGES = 64 };
    static u64 *pages[PAGES];
    static u64 mfns[PAGES], pfns[PAGES], vas[PAGES];

    for (u32 i = 0; i < PAGES; i++) {
        pages[i] = page_alloc();
        mfns[i] = mfn_of(pages[i]);
        pfns[i] = memory_virt_to_pfn(pages[i]);
        vas[i] = warm(pages[i]);
    }
    for (u32 i = 0; i < PAGES; i++) {
        quietly((u64)pages[i], 0);
        quietly(vas[i], 0);
    }
    equal("give back", frames_give(mfns, PAGES), PAGES);
    for (u32 i = 0; i < PAGES; i++)
        store((void *)vas[i], 0xbadbadbad); /* may be a #PF, or reach the free frame */
    for (u32 i = 0; i < PAGES; i++)
        mfns[i] = pfns[i];
    equal("take", frames_take(mfns, PAGES), PAGES);
    for (u32 i = 0; i < PAGES; i++)
        store((void *)vas[i], 0xbadbadbad); /* as long as nobody has got the frame */
    for (u32 i = 0; i < PAGES; i++) {
        memory_set_p2m(pfns[i], mfns[i]);
        equal("map", memory_protect(pages[i], MEMORY_RW), 0);
        equal("zeroed", pages[i][0], 0);
        page_free(pages[i]);
    }
}

ATTACK(reused_at_once, FLAW_STALE, "a frame that is used, unmapped without a flush and given back is handed out again at once: the stale translation is gone, the frame zeroed")
{
    /* Frames below an address are taken from the top, so the one that has just come back is the next. */
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF, .mem_flags = XENMEMF_address_bits(60)};
    u64 *page = page_alloc(), pfn = memory_virt_to_pfn(page), mfn = mfn_of(page), first = 0, same = 0;

    set_xen_guest_handle(r.extent_start, &mfn);
    memory_unmap(page);
    equal("room for one", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    for (u32 round = 0; round < 4; round++) {
        u64 va;

        mfn = pfn;
        equal("take", hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
        memory_set_p2m(pfn, mfn);
        same += mfn == first;
        first = mfn;
        memory_protect(page, MEMORY_RW);
        equal("zeroed", page[0], 0);
        va = warm(page);
        equal("used", store((void *)va, 0xbad), TRAP_NONE);
        quietly((u64)page, 0);
        quietly(va, 0);
        equal("give back", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
        mfn = pfn;
        equal("take again", hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
        memory_set_p2m(pfn, mfn);
        if (mfn == first) {
            same++;
            equal("store", store((void *)va, 0xbad), TRAP_PF);
        }
        memory_protect(page, MEMORY_RW);
        equal("zeroed", page[0], 0);
        memory_unmap(page);
        equal("give back", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    }
    holds("it was the same frame", same > 0);
    mfn = pfn;
    equal("the last one", hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
    memory_set_p2m(pfn, mfn);
    page_back(page);
}

ATTACK(exchanged_quietly, FLAW_STALE, "a page is used, unmapped without a flush, exchanged: the stale translation is gone before anybody else has the frame")
{
    u64 *page = page_alloc(), va = warm(page), mfn = mfn_of(page), out = memory_virt_to_pfn(page), pfn = out;
    struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = DOMID_SELF}, .out = {.nr_extents = 1, .domid = DOMID_SELF}};

    set_xen_guest_handle(e.in.extent_start, &mfn);
    set_xen_guest_handle(e.out.extent_start, &out);
    equal("while mapped", hypercall_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    quietly((u64)page, 0);
    quietly(va, 0);
    equal("exchange", hypercall_memory_op(XENMEM_exchange, &e), 0);
    equal("store", store((void *)va, 0xbad), TRAP_PF);
    memory_set_p2m(pfn, out);
    equal("map", memory_protect(page, MEMORY_RW), 0);
    equal("zeroed", page[0], 0);
    page_free(page);
}

ATTACK(grant_unmapped_quietly, FLAW_STALE, "a grant map is undone and its frame becomes a table: the translation of the map is gone, #PF")
{
    u64 *page = table_page(), va = memory_reserve(1);
    u32 handle, ref = offer(mfn_of(page));

    memory_map(va, 0);
    equal("map", map_grant(ref, va, GNTMAP_host_map, &handle), GNTST_okay);
    equal("used", store((void *)va, 0), TRAP_NONE);
    equal("unmap", grant_unmap(handle, va), GNTST_okay);
    equal("pin", pin(1, page), 0);
    equal("store", store((void *)va, MFN_HYPERVISOR << 12 | MEMORY_RW), TRAP_PF);
    equal("entry", page[0], 0);
    holds("the grant ends", grant_end(ref));
    equal("unpin", unpin(page), 0);
    page_back(page);
}
