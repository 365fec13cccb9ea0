/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/grant.h"

#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

grant_entry_v1_t *grant_table;
u32 grant_entries;

#define MAX_FRAMES 32

static u32 map_count;

u32 grant_map_count(void)
{
    return map_count;
}

long grant_init(u32 frames)
{
    gnttab_set_version_t version = {.version = 1};
    u64 mfns[MAX_FRAMES];
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = frames};
    long error;

    ASSERT(frames <= MAX_FRAMES);
    /* A hypervisor that knows version 1 only may not know this call. */
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    set_xen_guest_handle(setup.frame_list, mfns);
    error = hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (error || setup.status)
        return error ? error : setup.status;
    grant_table = memory_map_mfns(mfns, frames, MEMORY_RW);
    if (!grant_table)
        return memory_error;
    grant_entries = frames * (u32)(PAGE_SIZE / sizeof *grant_table);
    return 0;
}

static u32 find_free(void)
{
    for (u32 ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_entries; ref++)
        if (!grant_table[ref].flags)
            return ref;
    panic("no free grant entry");
}

static u32 offer(u16 domid, u64 mfn, u16 flags)
{
    u32 ref = find_free();

    grant_table[ref].domid = domid;
    grant_table[ref].frame = (u32)mfn;
    BARRIER();
    grant_table[ref].flags = flags;
    return ref;
}

u32 grant_access(u16 domid, u64 mfn, bool readonly)
{
    return offer(domid, mfn, GTF_permit_access | (readonly ? GTF_readonly : 0));
}

u32 grant_accept(u16 domid)
{
    return offer(domid, 0, GTF_accept_transfer);
}

bool grant_end(u32 ref)
{
    u16 flags = grant_table[ref].flags;

    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&grant_table[ref].flags, &flags, 0, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    grant_table[ref].frame = 0;
    return true;
}

u64 grant_end_transfer(u32 ref)
{
    u16 open = GTF_accept_transfer;
    u64 mfn;

    if (__atomic_compare_exchange_n(&grant_table[ref].flags, &open, 0, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        return 0;
    /* Committed: it is a matter of moments. */
    while (!(*(volatile u16 *)&grant_table[ref].flags & GTF_transfer_completed))
        BARRIER();
    mfn = grant_table[ref].frame;
    grant_table[ref].frame = 0;
    BARRIER();
    grant_table[ref].flags = 0;
    return mfn;
}

long grant_map(u16 domid, u32 ref, u64 va, u32 flags)
{
    gnttab_map_grant_ref_t map = {
        .host_addr = va, .flags = flags | GNTMAP_host_map, .ref = ref, .dom = domid};
    long error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);

    if (error)
        panic("map_grant_ref: %ld", error);
    if (map.status)
        return map.status;
    map_count++;
    return (long)map.handle;
}

long grant_unmap(u32 handle, u64 va)
{
    gnttab_unmap_grant_ref_t unmap = {.host_addr = va, .handle = handle};
    long error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);

    if (error)
        panic("unmap_grant_ref: %ld", error);
    if (!unmap.status)
        map_count--;
    return unmap.status;
}
