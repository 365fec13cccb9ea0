/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interrupt at every instruction of a hypercall.
 *
 * A window is a piece of code, mostly one hypercall.  It is run again and again, and each time a timer
 * runs out one nanosecond later, which with the machine's default timing is one instruction: from before
 * its first instruction until behind its last.  What the interrupt brings is an attack on the very frames,
 * tables, grants and ports that the window works with, by
 *
 *   other    another vCPU, which is woken in the midst and runs at once, or
 *   nested   the event upcall of the same vCPU, which comes wherever the call stops to go on later.
 *
 * After each one everything is given back: what then is not free again has lost a reference, and the
 * test build of the hypervisor recounts all of them now and then.
 *
 *   T = start of the window, exact to the cycle (window_align)      the timer runs out at T + k
 *
 *        arm        T                                   end
 *   -----|----------|===========window==================|-------> cycles
 *                       ^ k = -MARGIN ... length + MARGIN
 *
 * Words on the command line:
 *
 *   only=NAME   one window (all)          budget=N   positions of a window and mode (160), 0: each one
 *   phase=N     the first position (0)    rounds=N   how often, each time with the attacks shifted by one (1)
 *   only-attack=N                         list       the windows and attacks
 *
 * It wants three vCPUs.
 */
#include "guests/hostile/hostile.h"
#include "guests/lib/grant.h"

#define AUDIT  63
#define MARGIN 60
/* Enough for the other vCPU to get ready. */
#define LEAD_CYCLES 16000
/* Nothing here takes so long. */
#define PATIENCE_CYCLES 50000000ul
/* Positions between two recounts. */
#define RECOUNT_EVERY 64

bool audited;

long recount(void)
{
    return audited ? hypercall(AUDIT, 0, 0, 0, 0, 0) : 0;
}

/* ---- what is worked with ---------------------------------------------------------------------------- */

/*
 * T4[0] -> T3, T3[0] -> T2, T3[1] -> T2B, T2[0] -> T1, T2B[0] -> T1B, T2B[1] -> T1,
 * T1[0] -> DA writable, T1[1] -> DB, T1B[0] -> DB; T4[511] is the kernel's.  DA, DB, DC are empty.
 */
enum { T4, T3, T2, T1, T2B, T1B, DA, DB, DC, POOL };
static u64 mfns[POOL], pfns[POOL];

/* Pages of address space: for the restorer, the window, the attacker. */
enum { AT_CHECK, AT_WINDOW, AT_WINDOW2, AT_WINDOW3, AT_ATTACK, AT_ATTACK2, AT_PAGES };
static u64 space;

static u64 at(u32 page) { return space + ((u64)page << PAGE_SHIFT); }
static u64 pte(u32 frame, u64 flags) { return mfns[frame] << PAGE_SHIFT | flags; }
static long put(u32 page, u64 entry) { return hypercall_update_va_mapping(at(page), entry, UVMF_INVLPG | UVMF_ALL); }
static u64 slot(u32 frame, u32 index) { return mfns[frame] << PAGE_SHIFT | (u64)index * 8; }

/* Grants to this domain itself. */
enum { REF_A = 20, REF_B, REF_ACCEPT, REFS };
static u16 self;
static gnttab_map_grant_ref_t maps[3];       /* the window's */
static gnttab_map_grant_ref_t attack_map;    /* the attacker's */
static gnttab_unmap_grant_ref_t unmaps[3];
static gnttab_copy_t copies[3];
static multicall_entry_t calls[6];
static struct xen_memory_exchange exchange;
static u64 exchange_in[3], exchange_out[3], released[3], populated[2], attack_populated;
static u64 kernel_root;
static u64 total_pages;
static u32 port_first; /* the first that is not needed for the test itself */
static vcpu_guest_context_t context;

static u64 pages_of_domain(void)
{
    domid_t id = DOMID_SELF;

    return (u64)hypercall_memory_op(XENMEM_current_reservation, &id);
}

static void give_back(u64 *frame)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    if (!*frame)
        return;
    set_xen_guest_handle(r.extent_start, frame);
    hypercall_memory_op(XENMEM_decrease_reservation, &r);
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
        struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
        u64 frame = pfns[i];

        if (!lost[i])
            continue;
        set_xen_guest_handle(r.extent_start, &frame);
        equal("a frame instead of one that was lost", (u64)hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
        mfns[i] = frame;
    }
}

/* What is to happen, and what has. */
static volatile struct {
    u64 deadline_ns;
    s64 k; /* for messages: the interrupt's place */
    u32 attack;
    bool wanted, armed, finished, inside, done, tidy;
} order;

static u32 bell; /* the other vCPU's port */
static const char *attack_name(u32 attack);

/* The case fails unless @got is @want; says at which place of the walk. */
static void told(const char *format, u32 number, long got, long want)
{
    char what[96];
    int n;

    if (got == want)
        return;
    n = (int)print_to(what, sizeof what, format, number);
    print_to(what + n, sizeof what - (u32)n, ", %s at %ld", attack_name(order.attack), order.k);
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

/* What each vCPU has of its own. */
static void restore_vcpu(void)
{
    mmuext(MMUEXT_NEW_BASEPTR, kernel_root, 0);
    mmuext(MMUEXT_NEW_USER_BASEPTR, kernel_root, 0);
    hypercall_set_gdt(NULL, 0);
    mmuext(MMUEXT_SET_LDT, 0, 0);
}

/* Everything back to where it was; what is in use although nobody uses it makes the case fail. */
static void restore(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = NULL}};

    restore_vcpu();
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
        grant_table[ref].domid = self;
        grant_table[ref].frame = (u32)mfns[ref == REF_ACCEPT ? DC : DA + ref - REF_A];
    }
    BARRIER();
    grant_table[REF_A].flags = GTF_permit_access;
    grant_table[REF_B].flags = GTF_permit_access | GTF_readonly;
    grant_table[REF_ACCEPT].flags = GTF_accept_transfer;
    told("pages of this domain (%u more frames)", 0, (long)pages_of_domain(), (long)total_pages);
}

/* ---- the attacks -------------------------------------------------------------------------------------- */

static long pin_as(u32 level, u32 frame) { return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfns[frame], 0); }
static void release_frame(u32 frame)
{
    u64 one = mfns[frame];

    give_back(&one);
}

static void by_nothing(void) {}
static void by_unpin(void) { mmuext(MMUEXT_UNPIN_TABLE, mfns[T4], 0); mmuext(MMUEXT_UNPIN_TABLE, mfns[T1], 0); }
static void by_pin(void) { pin_as(4, T4); }
static void by_pin_lower(void) { pin_as(3, T3); pin_as(2, T2B); }
static void by_wrong_level(void) { pin_as(3, T2); pin_as(4, T1); pin_as(1, T2B); }
static void by_pin_data(void) { pin_as(1, DA); pin_as(2, DB); pin_as(1, DC); }
static void by_map_l1(void) { put(AT_ATTACK, pte(T1, MEMORY_RW)); put(AT_ATTACK2, pte(T1B, MEMORY_RW)); }
static void by_map_upper(void) { put(AT_ATTACK, pte(T4, MEMORY_RW)); put(AT_ATTACK2, pte(T2, MEMORY_RW)); }
static void by_map_data(void) { put(AT_ATTACK, pte(DA, MEMORY_RW)); put(AT_ATTACK2, pte(DC, MEMORY_RW)); }
static void by_cutting_off(void) { memory_update(slot(T2, 0), 0); memory_update(slot(T3, 0), 0); }
static void by_linking(void) { memory_update(slot(T3, 1), pte(T2, MEMORY_TABLE)); memory_update(slot(T4, 1), pte(T3, MEMORY_TABLE)); }
static void by_linear(void) { memory_update(slot(T4, 2), pte(T4, MEMORY_RO)); memory_update(slot(T2, 2), pte(T2B, MEMORY_RO)); }
static void by_self_map(void) { memory_update(slot(T1, 2), pte(T1, MEMORY_RW)); memory_update(slot(T1B, 2), pte(T4, MEMORY_RW)); }
static void by_release_table(void) { release_frame(T2); release_frame(T1); }
static void by_release_data(void) { release_frame(DA); release_frame(DC); }

static void by_exchange(void)
{
    u64 in = mfns[T1], out = pfns[T1];
    struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
                                    .out = {.nr_extents = 1, .domid = DOMID_SELF}};

    set_xen_guest_handle(e.in.extent_start, &in);
    set_xen_guest_handle(e.out.extent_start, &out);
    if (!hypercall_memory_op(XENMEM_exchange, &e))
        mfns[T1] = out;
}

static void by_clear(void) { mmuext(MMUEXT_CLEAR_PAGE, mfns[T2], 0); mmuext(MMUEXT_COPY_PAGE, mfns[T1B], mfns[DC]); }

static void by_copy(void)
{
    gnttab_copy_t copy = {.source = {.u.gmfn = mfns[DC], .domid = DOMID_SELF},
                          .dest = {.u.gmfn = mfns[T1], .domid = DOMID_SELF}, .len = 64};

    hypercall_grant_table_op(GNTTABOP_copy, &copy, 1);
}

static void by_transfer(void)
{
    gnttab_transfer_t transfer = {.mfn = mfns[T3], .domid = self, .ref = REF_ACCEPT};

    hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
    transfer.mfn = mfns[DA];
    hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
}

static void by_gdt(void) { hypercall_set_gdt(&mfns[DA], 512); }
static void by_user_root(void) { mmuext(MMUEXT_NEW_USER_BASEPTR, mfns[T4], 0); }
static void by_ending_grants(void) { grant_table[REF_A].flags = grant_table[REF_B].flags = 0; }
static void by_other_frame(void) { grant_table[REF_A].frame = (u32)mfns[T4]; grant_table[REF_B].frame = 0x200; }

static void by_mapping_grant(void)
{
    attack_map = (gnttab_map_grant_ref_t){
        .host_addr = at(AT_ATTACK), .flags = GNTMAP_host_map, .ref = REF_A, .dom = self};
    if (hypercall_grant_table_op(GNTTABOP_map_grant_ref, &attack_map, 1))
        attack_map.status = GNTST_general_error;
}

static void by_unmapping_grant(void)
{
    for (u32 i = 0; i < 3; i++) {
        gnttab_unmap_grant_ref_t op = {.host_addr = maps[i].host_addr, .handle = maps[i].handle};

        if (maps[i].host_addr && !maps[i].status)
            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    }
}

static void by_version(void)
{
    gnttab_set_version_t version = {.version = 2};

    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    version.version = 1;
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
}

static void by_closing_ports(void)
{
    for (u32 i = 0; i < 4; i++)
        event_close(port_first + i);
}

static void by_ports(void)
{
    event_send(port_first);
    event_send(port_first + 1);
    event_bind_interdomain(DOMID_SELF, port_first);
    event_alloc_unbound(DOMID_SELF, DOMID_SELF);
}

static void by_vcpu(void)
{
    context.ctrlreg[3] = mfns[T4] << PAGE_SHIFT;
    hypercall_vcpu_op(VCPUOP_initialise, 2, &context);
    hypercall_vcpu_op(VCPUOP_up, 2, NULL);
}

static void by_rewriting_batch(void)
{
    for (u32 i = 2; i < ARRAY_SIZE(calls); i++)
        calls[i].op = i == 2 ? __HYPERVISOR_multicall : 99;
    exchange_in[2] = mfns[T4];
    released[1] = mfns[T1];
    maps[1].ref = 7000;
    unmaps[1].handle = ~0u;
    copies[1].len = 5000;
}

static void by_descriptor(void) { hypercall_update_descriptor(slot(DA, 5), 0x00cffb000000ffff); hypercall_update_descriptor(slot(T1, 5), 0); }

static void by_area(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)at(AT_WINDOW)}};

    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 1, &area);
}

static void by_populating(void)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    u64 frame = pfns[DC];

    set_xen_guest_handle(r.extent_start, &frame);
    if (hypercall_memory_op(XENMEM_populate_physmap, &r) == 1)
        attack_populated = frame;
}

#define ATTACK_BY(name) {#name, by_##name}
static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
    ATTACK_BY(nothing),       ATTACK_BY(unpin),          ATTACK_BY(pin),           ATTACK_BY(pin_lower),
    ATTACK_BY(wrong_level),   ATTACK_BY(pin_data),       ATTACK_BY(map_l1),        ATTACK_BY(map_upper),
    ATTACK_BY(map_data),      ATTACK_BY(cutting_off),    ATTACK_BY(linking),       ATTACK_BY(linear),
    ATTACK_BY(self_map),      ATTACK_BY(release_table),  ATTACK_BY(release_data),  ATTACK_BY(exchange),
    ATTACK_BY(clear),         ATTACK_BY(copy),           ATTACK_BY(transfer),      ATTACK_BY(gdt),
    ATTACK_BY(user_root),     ATTACK_BY(ending_grants),  ATTACK_BY(other_frame),   ATTACK_BY(mapping_grant),
    ATTACK_BY(unmapping_grant), ATTACK_BY(version),      ATTACK_BY(closing_ports), ATTACK_BY(ports),
    ATTACK_BY(vcpu),          ATTACK_BY(rewriting_batch), ATTACK_BY(descriptor),   ATTACK_BY(area),
    ATTACK_BY(populating),
};

static const char *attack_name(u32 attack) { return attacks[attack].name; }

/* ---- the windows -------------------------------------------------------------------------------------- */

/* Windows that need something set up have it done by a function of the name prepare_. */
static void ready(void) {}

static long run_pin(void) { return pin_as(4, T4); }
static void prepare_unpin(void) { pin_as(4, T4); }
static long run_unpin(void) { return mmuext(MMUEXT_UNPIN_TABLE, mfns[T4], 0); }
static long run_pin_l1(void) { return pin_as(1, T1); }

static void prepare_update(void) { pin_as(3, T3); }
static long run_update(void)
{
    /* An L1 entry, a subtree that goes, one that comes back and has to be checked again, a plain store. */
    mmu_update_t requests[] = {{.ptr = slot(T1, 3), .val = pte(DC, MEMORY_RW)},
                               {.ptr = slot(T3, 1), .val = 0},
                               {.ptr = slot(T3, 2), .val = pte(T2B, MEMORY_TABLE)},
                               {.ptr = slot(T2, 1), .val = pte(T1B, MEMORY_TABLE)}};
    u32 done = 0;

    return hypercall_mmu_update(requests, ARRAY_SIZE(requests), &done, DOMID_SELF);
}

static long run_va_mapping(void) { return put(AT_WINDOW, pte(DA, MEMORY_RW)); }

static long run_roots(void)
{
    struct mmuext_op ops[] = {{.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfns[T4]},
                              {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfns[T4]},
                              {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = kernel_root},
                              {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = kernel_root}};

    return hypercall_mmuext_op(ops, ARRAY_SIZE(ops), NULL, DOMID_SELF);
}

static void prepare_grant_map(void)
{
    for (u32 i = 0; i < 3; i++)
        maps[i] = (gnttab_map_grant_ref_t){.host_addr = at(AT_WINDOW + i), .dom = self,
                                           .flags = GNTMAP_host_map | (i == 1 ? GNTMAP_readonly : 0),
                                           .ref = i == 1 ? REF_B : REF_A, .status = 1};
}
static long run_grant_map(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, 3);

    return error ? error : maps[0].status | maps[1].status | maps[2].status;
}

static void prepare_grant_unmap(void)
{
    prepare_grant_map();
    run_grant_map();
    for (u32 i = 0; i < 3; i++)
        unmaps[i] = (gnttab_unmap_grant_ref_t){.host_addr = at(AT_WINDOW + i), .handle = maps[i].handle, .status = 1};
}
static long run_grant_unmap(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, 3);

    for (u32 i = 0; i < 3; i++)
        if (!unmaps[i].status)
            maps[i].status = GNTST_general_error;
    return error ? error : unmaps[0].status | unmaps[1].status | unmaps[2].status;
}

static void prepare_grant_copy(void)
{
    for (u32 i = 0; i < 3; i++)
        copies[i] = (gnttab_copy_t){.source = {.u.ref = REF_B, .domid = self},
                                    .dest = {.u.ref = REF_A, .domid = self, .offset = (u16)(i * 64)},
                                    .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = 64, .status = 1};
}
static long run_grant_copy(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_copy, copies, 3);

    return error ? error : copies[0].status | copies[1].status | copies[2].status;
}

static long run_transfer(void)
{
    gnttab_transfer_t transfers[2] = {{.mfn = mfns[DC], .domid = self, .ref = REF_ACCEPT, .status = 1},
                                      {.mfn = mfns[T1], .domid = self, .ref = REF_B, .status = 1}};
    long error = hypercall_grant_table_op(GNTTABOP_transfer, transfers, 2);

    return error ? error : transfers[0].status;
}

static void prepare_exchange(void)
{
    for (u32 i = 0; i < 3; i++) {
        exchange_in[i] = mfns[DA + i];
        exchange_out[i] = pfns[DA + i];
    }
    exchange = (struct xen_memory_exchange){.in = {.nr_extents = 3, .domid = DOMID_SELF},
                                            .out = {.nr_extents = 3, .domid = DOMID_SELF}};
    set_xen_guest_handle(exchange.in.extent_start, exchange_in);
    set_xen_guest_handle(exchange.out.extent_start, exchange_out);
}
static long run_exchange(void) { return hypercall_memory_op(XENMEM_exchange, &exchange); }

static void prepare_release(void)
{
    for (u32 i = 0; i < 3; i++)
        released[i] = mfns[DA + i];
}
static long run_release(void)
{
    struct xen_memory_reservation r = {.nr_extents = 3, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, released);
    return hypercall_memory_op(XENMEM_decrease_reservation, &r);
}

static void prepare_populate(void) { release_frame(DA); release_frame(DB); }
static long run_populate(void)
{
    struct xen_memory_reservation r = {.nr_extents = 2, .domid = DOMID_SELF};
    u64 frames[2] = {pfns[DA], pfns[DB]};
    long n;

    set_xen_guest_handle(r.extent_start, frames);
    n = hypercall_memory_op(XENMEM_populate_physmap, &r);
    for (long i = 0; i < n; i++)
        populated[i] = frames[i];
    return n;
}

static void prepare_multicall(void)
{
    static struct mmuext_op pin_op, unpin_op;

    pin_op = (struct mmuext_op){.cmd = MMUEXT_PIN_L2_TABLE, .arg1.mfn = mfns[T2B]};
    unpin_op = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfns[T2B]};
    prepare_grant_copy();
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {at(AT_WINDOW), pte(DA, MEMORY_RW), UVMF_INVLPG}};
    calls[1] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&pin_op, 1, 0, DOMID_SELF}};
    calls[2] = (multicall_entry_t){.op = __HYPERVISOR_grant_table_op, .args = {GNTTABOP_copy, (u64)copies, 3}};
    calls[3] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&unpin_op, 1, 0, DOMID_SELF}};
    calls[4] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {at(AT_WINDOW), 0, UVMF_INVLPG}};
    calls[5] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_version, 0}};
}
static long run_multicall(void) { return hypercall_multicall(calls, ARRAY_SIZE(calls)); }

static long run_descriptors(void)
{
    long error = hypercall_set_gdt(&mfns[DA], 512);

    if (!error)
        error = hypercall_update_descriptor(slot(DA, 3), 0x00cff3000000ffff);
    hypercall_set_gdt(NULL, 0);
    return error;
}

static long run_traps(void)
{
    trap_install();
    return TRAP_INSN("hlt", (), ()) == TRAP_GP && TRAP_INSN("ud2", (), ()) == TRAP_UD ? 0 : -1;
}

static u64 in_user_mode(u64 arg) { return arg + 1; }
static long run_user(void) { return user_call(in_user_mode, 41) == TRAP_NONE ? (long)trap_result : -1; }

static void prepare_emulated(void)
{
    pin_as(1, T1);
    put(AT_WINDOW, pte(T1, MEMORY_RO));
}
static long run_emulated(void)
{
    u32 vector = store((u64 *)at(AT_WINDOW) + 3, pte(DC, MEMORY_RW));

    return vector == TRAP_NONE ? 0 : vector;
}

static long run_ports(void)
{
    evtchn_bind_vcpu_t to = {.vcpu = 1};
    evtchn_status_t status = {.dom = DOMID_SELF};
    long first = event_alloc_unbound(DOMID_SELF, DOMID_SELF), second, error;

    if (first < 0)
        return first;
    second = event_bind_interdomain(DOMID_SELF, (u32)first);
    if (second < 0)
        return second;
    to.port = status.port = (u32)second;
    error = event_send((u32)first);
    if (!error)
        error = hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &to);
    if (!error)
        error = hypercall_event_channel_op(EVTCHNOP_status, &status);
    if (!error)
        error = event_close((u32)second);
    return error ? error : event_close((u32)first);
}

static long run_poll(void)
{
    evtchn_port_t port = port_first + 30;
    sched_poll_t poll = {.nr_ports = 1, .timeout = clock_system_ns() + 700};

    set_xen_guest_handle(poll.ports, &port);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    return hypercall_sched_op(SCHEDOP_yield, NULL);
}

static long run_vcpu(void)
{
    context.ctrlreg[3] = mfns[T4] << PAGE_SHIFT;
    return hypercall_vcpu_op(VCPUOP_initialise, 2, &context);
}

static long run_area(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)at(AT_WINDOW)}};
    long error = hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);

    hypercall_sched_op(SCHEDOP_yield, NULL);
    area.addr.v = NULL;
    return error ? error : hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
}
static void prepare_area(void) { put(AT_WINDOW, pte(DA, MEMORY_RW)); }

static long run_version(void)
{
    gnttab_set_version_t version = {.version = 2};
    long error = hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);

    version.version = 1;
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    return error;
}

#define ANY 12345678 /* of what the attacks lead to: any answer */
static const struct window {
    const char *name, *hypothesis;
    void (*prepare)(void);
    long (*run)(void);
    long alone;     /* the answer when nothing is attacked */
    long others[2]; /* and otherwise, besides -EINVAL and -EBUSY */
} windows[] = {
    {"pin", "pinning a tree of six tables", ready, run_pin, 0, {0}},
    {"unpin", "unpinning it", prepare_unpin, run_unpin, 0, {0}},
    {"pin_l1", "pinning an L1 table", ready, run_pin_l1, 0, {0}},
    {"update", "mmu_update of four entries, with a subtree that goes and comes", prepare_update, run_update, 0, {0}},
    {"va_mapping", "update_va_mapping", ready, run_va_mapping, 0, {0}},
    {"roots", "new page-table roots for kernel and user mode, and back", ready, run_roots, 0, {0}},
    {"grant_map", "mapping three grants", prepare_grant_map, run_grant_map, 0, {ANY}},
    {"grant_unmap", "unmapping three grants", prepare_grant_unmap, run_grant_unmap, 0, {ANY}},
    {"grant_copy", "copying by three grants", prepare_grant_copy, run_grant_copy, 0, {ANY}},
    {"transfer", "transferring a frame, and one that is not accepted", ready, run_transfer, 0, {GNTST_bad_page, GNTST_general_error}},
    {"exchange", "exchanging three frames", prepare_exchange, run_exchange, 0, {0}},
    {"release", "giving three frames back", prepare_release, run_release, 3, {ANY}},
    {"populate", "getting two frames", prepare_populate, run_populate, 2, {0, 1}},
    {"multicall", "a batch of six calls", prepare_multicall, run_multicall, 0, {0}},
    {"descriptors", "a descriptor table comes, changes and goes", ready, run_descriptors, 0, {0}},
    {"traps", "trap table and callbacks, two exceptions with their iret", ready, run_traps, 0, {0}},
    {"user", "to user mode and back by a system call", ready, run_user, 42, {0}},
    {"emulated", "an emulated store to an L1 table", prepare_emulated, run_emulated, 0, {TRAP_PF, 0}},
    {"ports", "a pair of ports is made, used and closed", ready, run_ports, 0, {0}},
    {"poll", "waiting with a timeout, and yielding", ready, run_poll, 0, {0}},
    {"vcpu", "a context for a vCPU whose user root is refused", ready, run_vcpu, -XEN_EINVAL, {0}},
    {"area", "a runstate area comes, is written and goes", prepare_area, run_area, 0, {0}},
    {"version", "the version of the grant table changes twice", ready, run_version, 0, {0}},
};

static bool fits(const struct window *w, u32 attack, long result)
{
    if (result == w->alone)
        return true;
    if (attack == 0)
        return false;
    return result == -XEN_EINVAL || result == -XEN_EBUSY || w->others[0] == ANY || result == w->others[0] ||
           result == w->others[1];
}

/* ---- the interrupt ------------------------------------------------------------------------------------ */

/*
 * u64 window_align(u64 tsc) - comes back so many cycles after TSC = @tsc, always the same; 0: too late.
 */
u64 window_align(u64 tsc);
__asm__(".pushsection .text\n"
        "window_align:\n"
        "1:  rdtsc\n"
        "    shlq $32, %rdx\n"
        "    orq %rdx, %rax\n"
        "    movq %rdi, %rcx\n"
        "    subq %rax, %rcx\n"
        "    cmpq $120, %rcx\n"
        "    jg 1b\n"
        "    testq %rcx, %rcx\n"
        "    js 3f\n"
        "    leaq 2f(%rip), %rax\n"
        "    subq %rcx, %rax\n"
        "    jmp *%rax\n"
        "    .skip 128, 0x90\n"
        "2:  movl $1, %eax\n"
        "    ret\n"
        "3:  xorl %eax, %eax\n"
        "    ret\n"
        ".popsection\n");

static void attack_now(void)
{
    order.inside = !order.finished;
    attacks[order.attack].run();
    BARRIER();
    order.done = true;
}

static void on_timer(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    if (order.armed && !order.done)
        attack_now();
}

static u8 other_stack[STACK_SIZE] ALIGNED(16);

static u32 which_vcpu(void)
{
    u64 rsp = (u64)__builtin_frame_address(0);

    return rsp > (u64)other_stack && rsp <= (u64)other_stack + STACK_SIZE;
}

/* The other vCPU sleeps until it is given an order, then until the instant of it. */
NORETURN static void other_main(void)
{
    for (;;) {
        evtchn_port_t port = bell;
        sched_poll_t until_rung = {.nr_ports = 1}, until_due = {.nr_ports = 0};

        set_xen_guest_handle(until_rung.ports, &port);
        hypercall_sched_op(SCHEDOP_poll, &until_rung);
        event_clear(bell);
        if (!order.wanted) {
            restore_vcpu();
            order.tidy = true;
            continue;
        }
        order.wanted = false;
        until_due.timeout = order.deadline_ns;
        order.armed = true;
        hypercall_sched_op(SCHEDOP_poll, &until_due);
        attack_now();
    }
}

static void other_start(void)
{
    long port = event_bind_ipi(1), error;
    static vcpu_guest_context_t c;

    if (port < 0)
        panic("no port for the other vCPU: %ld", port);
    bell = (u32)port;
    c.flags = VGCF_in_kernel;
    c.user_regs.rip = (u64)other_main;
    c.user_regs.rsp = (u64)other_stack + STACK_SIZE - 8;
    c.user_regs.rflags = 0x200;
    c.user_regs.cs = FLAT_KERNEL_CS;
    c.user_regs.ss = FLAT_KERNEL_SS;
    c.kernel_ss = FLAT_KERNEL_SS;
    c.kernel_sp = c.user_regs.rsp;
    c.ctrlreg[3] = kernel_root << PAGE_SHIFT;
    shared_info->vcpu_info[1].evtchn_upcall_mask = 1;
    shared_info->vcpu_info[2].evtchn_upcall_mask = 1;
    error = hypercall_vcpu_op(VCPUOP_initialise, 1, &c);
    if (!error)
        error = hypercall_vcpu_op(VCPUOP_up, 1, NULL);
    if (error)
        panic("the other vCPU does not start: %ld", error);
    /* For the window: all is well but the user root. */
    context = c;
    context.ctrlreg[1] = MFN_BEYOND << PAGE_SHIFT;
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

enum mode { OTHER, NESTED };

struct walk {
    u64 length;    /* of the window, in cycles */
    u32 positions; /* done */
    u32 inside;    /* where the attack came before the window's end */
};

/*
 * The hypervisor rounds instants down to nanoseconds of its own, which are some millionths longer or
 * shorter than a cycle.  The rounding is always the same at the instants that this waits for.
 */
static void same_rounding(void)
{
    const volatile struct vcpu_time_info *time = &shared_info->vcpu_info[0].time;
    u32 fraction;

    do {
        u64 ticks = clock_tsc() - time->tsc_timestamp;

        ticks = time->tsc_shift < 0 ? ticks >> -time->tsc_shift : ticks << time->tsc_shift;
        fraction = (u32)(ticks * time->tsc_to_system_mul);
    } while (fraction - 0x40000000u > 0x20000000u);
}

/* One run of @w with the interrupt at T + @k.  False: it has to be done again. */
static bool run_at(const struct window *w, enum mode mode, s64 k, u32 attack, struct walk *walk)
{
    u64 start, now, ns;
    long result;
    bool aligned;

    w->prepare();
    order.attack = attack;
    order.k = k;
    order.wanted = order.armed = order.finished = order.inside = order.done = false;
    same_rounding();
    ns = clock_system_ns();
    now = clock_tsc();
    start = now + LEAD_CYCLES;
    order.deadline_ns = ns + (start + (u64)k - now);
    if (mode == OTHER) {
        order.wanted = true;
        event_send(bell);
    } else {
        hypercall_set_timer_op(order.deadline_ns);
        order.armed = true;
        event_enable();
    }
    aligned = window_align(start) && order.armed;
    result = w->run();
    order.finished = true;
    walk->length = clock_tsc() - start;
    while (!order.done)
        if (clock_tsc() - start > PATIENCE_CYCLES) {
            equal("the attacker comes", 0, 1);
            break;
        }
    event_disable();
    hypercall_set_timer_op(0);
    if (!fits(w, attack, result))
        told("answer of window %u", (u32)(w - windows), result, w->alone);
    if (aligned) {
        walk->positions++;
        walk->inside += order.inside;
    }
    restore();
    return aligned;
}

/* 512 instructions of one byte. */
void window_nops(void);
extern const u8 window_nops_end[];
__asm__(".pushsection .text\n"
        "window_nops: .skip 512, 0x90\n"
        "window_nops_end: ret\n"
        ".popsection\n");
static long run_nops(void)
{
    window_nops();
    return 0;
}

static u64 interrupted;
static void note_rip(struct trap_frame *frame, void (*handle)(struct trap_frame *frame))
{
    if (frame->vector == TRAP_EVENT)
        interrupted = frame->rip;
    handle(frame);
}

/* That it is so: where the guest itself is interrupted its RIP tells. */
static void exactness(void)
{
    static const struct window nops = {"exact", "", ready, run_nops, 0, {0}};
    struct walk walk = {0};
    u64 before = 0;
    u32 hit = 0;

    test("exact", "a nanosecond later is an instruction later: 300 in a row are each interrupted once");
    trap_around = note_rip;
    for (s64 k = 60; k < 360; k++) {
        for (u32 tries = 0; !run_at(&nops, NESTED, k, 0, &walk) && tries < 5; tries++)
            ;
        hit += interrupted >= (u64)window_nops && interrupted < (u64)window_nops_end;
        if (before)
            equal("distance of two", interrupted - before, 1);
        before = interrupted;
    }
    trap_around = NULL;
    equal("within the instructions", hit, 300);
}

static u32 number(const char *option, u32 otherwise)
{
    char text[16] = "";
    u32 value = 0;

    if (!runtime_option(option, text, sizeof text))
        return otherwise;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (u32)(*c - '0');
    return value;
}

static u32 total, total_inside; 

static void walk_through(const struct window *w, enum mode mode, u32 round)
{
    u32 budget = number("budget", 160), phase = number("phase", 0), only = number("only-attack", ~0u), turn = round;
    struct walk walk = {0};
    u64 span, step;
    static char names[2][48]; /* of the open case, and of the one that is closed by it */
    static u32 which;
    char *name = names[which++ % 2];

    print_to(name, sizeof names[0], "%s-%s%s%u", w->name, mode == OTHER ? "other" : "nested", round ? "-" : "", round);
    if (!round)
        name[strlen(name) - 1] = '\0';
    test(name, "%s, wherever it is interrupted: its answer is right, and nothing is lost", w->hypothesis);
    /* Without an interrupt: how long it is. */
    for (u32 i = 0; i < 2; i++)
        run_at(w, mode, 1000000, 0, &walk);
    span = walk.length + 2 * MARGIN;
    step = budget && span > budget ? (span + budget - 1) / budget : 1;
    walk.positions = walk.inside = 0;
    for (u64 k = phase % step; k < span; k += step, turn++) {
        u32 attack = only == ~0u ? turn % ARRAY_SIZE(attacks) : only;
        struct walk one = walk;
        u32 tries = 0;

        while (!run_at(w, mode, (s64)k - MARGIN, attack, &one) && ++tries < 5)
            ;
        walk.positions = one.positions;
        walk.inside = one.inside;
        if (turn % RECOUNT_EVERY == 0)
            equal("wrong counts in the books", (u64)recount(), 0);
    }
    equal("wrong counts in the books", (u64)recount(), 0);
    print("window|%s|%lu|%lu|%u|%u\n", name, walk.length, step, walk.positions, walk.inside);
    total += walk.positions;
    total_inside += walk.inside;
}

static void setup(void)
{
    u64 cr3;
    long port;

    audited = hypercall(AUDIT, 0, 0, 0, 0, 0) == 0;
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    kernel_root = cr3 >> PAGE_SHIFT;
    runtime_vcpu = which_vcpu;
    user_init();
    if (grant_init(1))
        panic("no grant table");
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    other_start();
    port = event_bind_virq(VIRQ_TIMER, 0);
    event_set_handler((u32)port, on_timer, NULL);
    event_unmask((u32)port);
    /* Our own number: a port knows whom it is for. */
    port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    evtchn_status_t status = {.dom = DOMID_SELF, .port = (u32)port};
    hypercall_event_channel_op(EVTCHNOP_status, &status);
    self = status.u.unbound.dom;
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
    total_pages = pages_of_domain();
}

void guest_main(void)
{
    char only[32] = "";
    u32 rounds = number("rounds", 1);

    runtime_option("only", only, sizeof only);
    if (runtime_option("list", NULL, 0)) {
        for (u32 i = 0; i < ARRAY_SIZE(windows); i++)
            print("window %s: %s\n", windows[i].name, windows[i].hypothesis);
        for (u32 i = 0; i < ARRAY_SIZE(attacks); i++)
            print("attack %u: %s\n", i, attacks[i].name);
        return;
    }
    setup();
    report_start("window");
    test("start", "what the windows need can be set up");
    restore();
    equal("wrong counts in the books", (u64)recount(), 0);
    if (!*only)
        exactness();
    for (u32 i = 0; i < ARRAY_SIZE(windows); i++)
        if (!*only || !strcmp(only, windows[i].name))
            for (u32 round = 0; round < rounds; round++) {
                walk_through(&windows[i], OTHER, round);
                walk_through(&windows[i], NESTED, round);
            }
    report_end();
    print("windows: %u positions, the attack came inside %u of them%s\n", total, total_inside, audited ? ", audited" : "");
}
