/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames, grants and ports, and how they are brought back after each attack. */
#include "guests/hostile/window.h"

u64 mfns[POOL], pfns[POOL], space;
gnttab_map_grant_ref_t maps[3], attack_map;
gnttab_unmap_grant_ref_t unmaps[3];
gnttab_copy_t copies[3];
multicall_entry_t calls[6];
struct xen_memory_exchange exchange;
u64 exchange_in[3], exchange_out[3], released[3], populated[2], attack_populated, kernel_root;
u32 port_first, bell;
vcpu_guest_context_t context;
volatile struct order order;

static u64 total_pages;

static void give_back(u64 *frame)
{
    if (*frame)
        give_frame_back(*frame);
    *frame = 0;
}

static void unmap(const gnttab_map_grant_ref_t *map)
{
    if (map->status == GNTST_okay && map->host_addr)
        grant_unmap(map->handle, map->host_addr);
}

static void fill(u32 frame, u64 *table)
{
    static const struct {
        u8 table, index, child;
        u16 flags;
    } entries[] = {{T4, 0, T3, MEMORY_TABLE},  {T3, 0, T2, MEMORY_TABLE},   {T3, 1, T2B, MEMORY_TABLE},
                   {T2, 0, T1, MEMORY_TABLE},  {T2B, 0, T1B, MEMORY_TABLE}, {T2B, 1, T1, MEMORY_TABLE},
                   {T1, 0, DA, MEMORY_RW},     {T1, 1, DB, MEMORY_RO},      {T1B, 0, DB, MEMORY_RO}};

    memset(table, 0, PAGE_SIZE);
    for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
        if (entries[i].table == frame)
            table[entries[i].index] = pte(entries[i].child, entries[i].flags);
    if (frame == T4)
        table[511] = ((const u64 *)memory_pfn_to_virt(memory_mfn_to_pfn(kernel_root)))[511];
}

/* Whether frame @i is no longer ours, or ours because its number came back as that of another. */
static bool is_lost(u32 i)
{
    for (u32 k = 0; k < i; k++)
        if (mfns[k] == mfns[i])
            return true;
    return put(AT_CHECK, pte(i, MEMORY_RO)) != 0;
}

static void frames_back(void)
{
    bool lost[POOL];

    /* All of them before the first is replaced: the new one may have the number that another had. */
    for (u32 i = 0; i < POOL; i++)
        lost[i] = is_lost(i);
    for (u32 i = 0; i < POOL; i++) {
        u64 frame = pfns[i];

        if (!lost[i])
            continue;
        equal("a frame instead of one that was lost", (u64)frames_take(&frame, 1), 1);
        mfns[i] = frame;
    }
}

void told(const char *format, u32 number, long got, long want)
{
    char what[96];
    int n;

    if (got == want)
        return;
    n = (int)print_to(what, sizeof what, format, number);
    print_to(what + n, sizeof what - (u32)n, ", %s at %ld", window_attacks[order.attack].name, order.k);
    equal(what, (u64)got, (u64)want);
}

/* Which frames came for which; by_rewriting_batch may have given T4 away instead of DC. */
static void exchanged(void)
{
    u32 instead = DC;

    if (exchange.nr_exchanged == 3 && exchange_in[2] == mfns[T4] && mfns[DC] != exchange_out[0] &&
        mfns[DC] != exchange_out[1] && mfns[DC] != exchange_out[2] && !put(AT_CHECK, pte(DC, MEMORY_RO)))
        instead = T4;
    for (u32 i = 0; i < exchange.nr_exchanged; i++)
        mfns[i == 2 ? instead : DA + i] = exchange_out[i];
    exchange.nr_exchanged = 0;
}

void world_restore_vcpu(void)
{
    mmuext(MMUEXT_NEW_BASEPTR, kernel_root, 0);
    mmuext(MMUEXT_NEW_USER_BASEPTR, kernel_root, 0);
    hypercall_set_gdt(NULL, 0);
    mmuext(MMUEXT_SET_LDT, 0, 0);
}

void world_restore(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = NULL}};

    world_restore_vcpu();
    order.tidy = false;
    event_send(bell);
    equal("the other vCPU tidies up", order.tidy, true);
    for (u32 i = 0; i < 2; i++)
        hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, i, &area);
    for (u32 i = 0; i < 3; i++)
        unmap(&maps[i]);
    unmap(&attack_map);
    memset(maps, 0, sizeof maps);
    memset(&attack_map, 0, sizeof attack_map);
    for (u32 i = 0; i < AT_PAGES; i++)
        equal("an address is free again", (u64)put(i, 0), 0);
    for (u32 ref = REF_A; ref < REFS; ref++) {
        equal("a grant is in use", grant_table[ref].flags & (GTF_permit_access | GTF_accept_transfer) & GTF_accept_transfer
                                       ? 0 : grant_table[ref].flags & (GTF_reading | GTF_writing), 0);
        grant_table[ref].flags = 0;
    }
    for (u32 port = port_first; port < port_first + 12; port++)
        event_close(port);
    for (u32 i = 0; i < 2; i++)
        give_back(&populated[i]);
    give_back(&attack_populated);
    exchanged();
    for (u32 i = 0; i < POOL; i++)
        mmuext(MMUEXT_UNPIN_TABLE, mfns[i], 0);
    frames_back();
    for (u32 i = 0; i < POOL; i++) {
        long error = put(AT_CHECK, pte(i, MEMORY_RW));

        told("frame %u is free again", i, error, 0);
        if (!error)
            fill(i, (u64 *)at(AT_CHECK));
    }
    put(AT_CHECK, 0);
    for (u32 ref = REF_A; ref < REFS; ref++) {
        grant_table[ref].domid = own_id();
        grant_table[ref].frame = (u32)mfns[ref == REF_ACCEPT ? DC : DA + ref - REF_A];
    }
    BARRIER();
    grant_table[REF_A].flags = GTF_permit_access;
    grant_table[REF_B].flags = GTF_permit_access | GTF_readonly;
    grant_table[REF_ACCEPT].flags = GTF_accept_transfer;
    told("pages of this domain (%u more frames)", 0, pages_now(), (long)total_pages);
}

void world_make(void)
{
    long port;

    own_id();
    /* Ports from here on are for windows and attacks. */
    port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    port_first = (u32)port;
    event_close((u32)port);
    space = memory_reserve(AT_PAGES);
    for (u32 i = 0; i < AT_PAGES; i++)
        memory_map(at(i), 0);
    for (u32 i = 0; i < POOL; i++) {
        void *page = page_alloc();

        pfns[i] = memory_virt_to_pfn(page);
        mfns[i] = memory_virt_to_mfn(page);
        memory_unmap(page);
    }
    total_pages = (u64)pages_now();
}
