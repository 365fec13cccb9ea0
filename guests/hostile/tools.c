/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/hostile/hostile.h"

bool audited;

void audit_find(void)
{
    audited = hypercall(AUDIT, 0, 0, 0, 0, 0) == 0;
}

long recount(void)
{
    return audited ? hypercall(AUDIT, 0, 0, 0, 0, 0) : 0;
}

long pin(u32 level, const void *page)
{
    return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn_of(page), 0);
}

long unpin(const void *page)
{
    return mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page), 0);
}

u64 *pinned_table(u32 level)
{
    u64 *page = table_page();
    long error = pin(level, page);

    if (error)
        broken("an empty L%u table cannot be pinned: %ld", level, error);
    return page;
}

long pages_now(void)
{
    domid_t self = DOMID_SELF;

    return hypercall_memory_op(XENMEM_current_reservation, &self);
}

static long frames_of(u32 cmd, u64 *frames, u64 n)
{
    struct xen_memory_reservation r = {.nr_extents = n, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frames);
    return hypercall_memory_op(cmd, &r);
}

long frames_give(u64 *mfns, u64 n) { return frames_of(XENMEM_decrease_reservation, mfns, n); }
long frames_take(u64 *frames, u64 n) { return frames_of(XENMEM_populate_physmap, frames, n); }
long give_frame_back(u64 mfn) { return frames_give(&mfn, 1); }

struct tree tree_make(void)
{
    struct tree t;
    long error;

    t.table[0] = NULL;
    t.table[1] = table_page();
    for (u32 level = 2; level <= 4; level++) {
        t.table[level] = page_alloc();
        t.table[level][0] = entry_of(t.table[level - 1], MEMORY_TABLE);
        memory_protect(t.table[level], MEMORY_RO);
    }
    error = pin(4, t.table[4]);
    if (error)
        broken("a tree of four tables cannot be pinned: %ld", error);
    return t;
}

void tree_free(struct tree *tree)
{
    equal("unpin the tree", unpin(tree->table[4]), 0);
    for (u32 level = 4; level; level--)
        page_back(tree->table[level]);
}

void page_back(void *page)
{
    long error = memory_protect(page, MEMORY_RW);

    equal("a page is free again", error, 0);
    if (!error)
        page_free(page);
}

void page_again(void *page)
{
    u64 pfn = memory_virt_to_pfn(page), frame = pfn;
    long taken = frames_take(&frame, 1);

    equal("a new frame", (u64)taken, 1);
    if (taken != 1)
        return;
    memory_set_p2m(pfn, frame);
    equal("mapped", (u64)memory_protect(page, MEMORY_RW), 0);
    equal("it is empty", *(u64 *)page, 0);
    page_free(page);
}

u32 offer(u64 mfn)
{
    if (!grant_table && grant_init(1))
        broken("no grant table");
    return grant_access(own_id(), mfn, false);
}

long map_grant(u32 ref, u64 host_addr, u32 flags, u32 *handle)
{
    gnttab_map_grant_ref_t map = {.host_addr = host_addr, .flags = flags, .ref = ref, .dom = own_id()};
    long error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);

    if (error)
        broken("map_grant_ref: %ld", error);
    *handle = map.handle;
    return map.status;
}

static u64 store_arg;

static u64 do_store(u64 va)
{
    *(volatile u64 *)va = store_arg;
    return 0;
}

static u64 do_load(u64 va)
{
    return *(volatile u64 *)va;
}

u32 store(const volatile void *va, u64 value)
{
    store_arg = value;
    return trap_try(do_store, (u64)va);
}

u32 load(const volatile void *va)
{
    return trap_try(do_load, (u64)va);
}
