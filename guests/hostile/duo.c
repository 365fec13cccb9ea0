/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains that work on each other, for attacks that one alone cannot make.  The word on the command line
 * says who this is; peer=N is the number of the other domain.
 *
 *   granter   offers PORTS ports and FRAMES frames, gives the frames back while they are mapped, and sleeps:
 *             it is to be destroyed.
 *   mapper    maps and binds all that, and when it sees that the granter is being destroyed it undoes a
 *             piece of it at each of its turns, which come in the midst of the destruction (period=NS),
 *             and calls for the dying domain in every way.  lose: it overwrites some page-table entries;
 *             recount=N: recount all references at that turn; all=N: give up all the rest at that turn.
 *   watcher   fills a page and looks at it at each of its turns.
 *   toucher   has its time and runstate areas at the address of the watcher's page, which it has not mapped.
 *
 * How far each is, domain 0 learns from `data/state`: ready, then worked.  It writes `data/die` of the mapper
 * before it destroys the granter, and `data/gone` when that is through.
 */
#include "guests/hostile/hostile.h"
#include "guests/lib/xenbus.h"

#define FRAMES    300u
#define PORTS     40u
#define FIRST_REF GNTTAB_NR_RESERVED_ENTRIES
#define TURNS     3000u
/* Frames that stay mapped until the destruction has come to its end. */
#define LAST_FRAMES 20u
/* Of the frames, those whose page-table entry the mapper overwrites: each LOST_STEPth from LOST_FIRST on. */
#define LOST_FIRST 3u
#define LOST_STEP  10u

static u16 peer;

static void sleep_ns(u64 ns)
{
    sched_poll_t poll = {.nr_ports = 0, .timeout = clock_system_ns() + ns};

    hypercall_sched_op(SCHEDOP_poll, &poll);
}

static void tell_domain0(const char *state)
{
    if (xenbus_init(NULL) || xenbus_write(0, "data/state", state))
        panic("there is no store to tell domain 0 in");
}

static bool is_bound(u32 port)
{
    evtchn_status_t status = {.dom = DOMID_SELF, .port = port};

    return !hypercall_event_channel_op(EVTCHNOP_status, &status) && status.status == EVTCHNSTAT_interdomain;
}

/* Binds the first @want ports that the other domain offers; returns how many there were. */
static u32 bind_ports(u32 *ports, u32 want)
{
    u32 n = 0;

    for (u32 port = 1; port < 64 + want && n < want; port++) {
        long mine = event_bind_interdomain(peer, port);

        if (mine > 0)
            ports[n++] = (u32)mine;
    }
    return n;
}

/* ---- granter and mapper ---- */

static void granter(void)
{
    static u64 mfns[FRAMES];

    if (grant_init(1))
        panic("no grant table");
    for (u32 i = 0; i < PORTS; i++)
        if (event_alloc_unbound(DOMID_SELF, peer) < 0)
            panic("no port");
    for (u32 i = 0; i < FRAMES; i++) {
        u8 *page = page_alloc();

        mfns[i] = mfn_of(page);
        memory_unmap(page);
        grant_table[FIRST_REF + i] = (grant_entry_v1_t){.flags = GTF_permit_access, .domid = peer, .frame = (u32)mfns[i]};
    }
    tell_domain0("ready");
    for (u32 i = 0; i < FRAMES; i++)
        while (!(*(volatile u16 *)&grant_table[FIRST_REF + i].flags & GTF_reading))
            sleep_ns(1000000);
    if (frames_give(mfns, FRAMES) != FRAMES)
        panic("the frames cannot be given back");
    tell_domain0("worked");
    for (;;)
        sleep_ns(1000000000);
}

static gnttab_map_grant_ref_t maps[FRAMES];
static bool losing; /* page-table entries of some maps */
static u32 ports[PORTS];

static bool is_lost(u32 i) { return losing && i % LOST_STEP == LOST_FIRST; }

/* The calls that name the dying domain, or something of it. */
#define CALLS 12u
static void call_for_it(u32 which)
{
    static u8 page[PAGE_SIZE] PAGE_ALIGNED;
    evtchn_status_t status = {.dom = peer, .port = 3};
    gnttab_copy_t copy = {.source = {.u.ref = FIRST_REF + 1, .domid = peer}, .flags = GNTCOPY_source_gref, .len = 64,
                          .dest = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}};
    gnttab_map_grant_ref_t map = {.flags = GNTMAP_device_map, .ref = FIRST_REF + 2, .dom = peer};
    gnttab_unmap_grant_ref_t unmap;
    gnttab_setup_table_t setup = {.dom = peer, .nr_frames = 1};
    gnttab_get_version_t version = {.dom = peer};
    gnttab_transfer_t transfer = {.mfn = MFN_BEYOND, .domid = peer, .ref = FIRST_REF};
    domid_t id = peer;

    switch (which % CALLS) {
    case 0: hypercall_event_channel_op(EVTCHNOP_status, &status); break;
    case 1: event_alloc_unbound(peer, own_id()); break;
    case 2: event_bind_interdomain(peer, 5); break;
    case 3: event_send(ports[which / CALLS % PORTS]); break;
    case 4: hypercall_grant_table_op(GNTTABOP_copy, &copy, 1); break;
    case 5:
        hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
        unmap = (gnttab_unmap_grant_ref_t){.dev_bus_addr = map.dev_bus_addr, .handle = map.handle};
        if (!map.status)
            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
        break;
    case 6: hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1); break;
    case 7: hypercall_grant_table_op(GNTTABOP_get_version, &version, 1); break;
    case 8: hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1); break;
    case 9: hypercall_memory_op(XENMEM_maximum_gpfn, &id); break;
    case 10: hypercall_memory_op(XENMEM_current_reservation, &id); break;
    case 11: event_close(ports[which / CALLS % PORTS]); break;
    }
}

static void call_in_every_way(void)
{
    for (u32 i = 0; i < CALLS; i++)
        call_for_it(i);
}

static short unmap(u32 i)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = maps[i].host_addr, .handle = maps[i].handle};

    hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    return op.status;
}

static void undo(u32 i)
{
    if (is_lost(i))
        holds("a map without an entry cannot be undone", unmap(i) != GNTST_okay);
    else
        equal("a map is undone", (u64)(long)unmap(i), GNTST_okay);
}

static void take_all(void)
{
    u64 va = memory_reserve(FRAMES);

    equal("ports of the other", bind_ports(ports, PORTS), PORTS);
    for (u32 i = 0; i < FRAMES; i++) {
        memory_map(va + i * PAGE_SIZE, 0);
        maps[i] = (gnttab_map_grant_ref_t){.host_addr = va + i * PAGE_SIZE, .flags = GNTMAP_host_map | (i & 1 ? GNTMAP_readonly : 0),
                                           .ref = FIRST_REF + i, .dom = peer};
    }
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, FRAMES);
    for (u32 i = 0; i < FRAMES; i++)
        equal("a map", (u64)(long)maps[i].status, GNTST_okay);
    for (u32 i = 0; i < FRAMES; i++)
        if (is_lost(i))
            hypercall_update_va_mapping(maps[i].host_addr, 0, UVMF_INVLPG);
}

/*
 * Sleep until domain 0 has written @name.  Whoever sleeps long is preferred when it wakes, and as long as it
 * works less than domain 0 does.
 */
static void await_word(const char *name)
{
    char token[XENBUS_TOKEN_BYTES] = "";
    evtchn_port_t port = xenbus_port();
    sched_poll_t poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &port);
    while (strcmp(token, name)) {
        event_clear(port);
        if (!xenbus_next_event(token))
            hypercall_sched_op(SCHEDOP_poll, &poll);
    }
}

static void watch(const char *path)
{
    if (xenbus_watch(path, path))
        panic("the store takes no watch");
    await_word(path); /* one event comes at once */
}

static u32 undone; /* so many maps */

static void undo_up_to(u32 end)
{
    while (undone < end && undone < FRAMES - LAST_FRAMES)
        undo(undone++);
}

/* Short turns, or domain 0 would have the processor until it is through; a recount is a long one. */
static void turns_while_it_dies(u64 period_ns)
{
    u64 recount_at = runtime_option_number("recount", ~0ul), all_at = runtime_option_number("all", ~0ul);
    char token[XENBUS_TOKEN_BYTES];
    u32 turns = 0;

    do {
        call_for_it(turns);
        undo_up_to(turns == all_at ? FRAMES : undone + 1);
        if (turns == recount_at)
            equal("wrong counts in the books in the midst of it", (u64)recount(), 0);
        turns++;
        sleep_ns(period_ns);
    } while (!xenbus_next_event(token));
    print("duo: %u turns while it died\n", turns);
    undo_up_to(FRAMES);
}

static void mapper(void)
{
    u64 period_ns = runtime_option_number("period", 20000);

    report_start("duo");
    losing = runtime_option("lose", NULL, 0);
    test("destroyed", "a domain is destroyed while another uses, calls for and gives up what is its, each %lu ns%s: nothing is lost",
         period_ns, losing ? ", some of it without a trace" : "");
    take_all();
    tell_domain0("ready");
    watch("data/die");
    watch("data/gone");
    tell_domain0("worked");
    await_word("data/die");
    while (is_bound(ports[0]))
        sleep_ns(period_ns);
    turns_while_it_dies(period_ns);
    for (u32 i = 0; i < PORTS; i++)
        event_close(ports[i]);
    call_in_every_way();
    equal("it is still known: its frames are mapped", (u64)event_bind_interdomain(peer, 5), (u64)-XEN_EINVAL);
    for (u32 i = FRAMES - LAST_FRAMES; i < FRAMES; i++)
        undo(i);
    /* Handles whose entry is lost cannot be closed: what is left of it ends with this domain. */
    equal("now it is gone", (u64)event_bind_interdomain(peer, 5), (u64)(losing ? -XEN_EINVAL : -XEN_ESRCH));
    call_in_every_way();
    for (u32 i = 0; i < FRAMES; i++)
        holds("nothing can be undone twice", unmap(i) != GNTST_okay);
    equal("wrong counts in the books", (u64)recount(), 0);
    report_end();
}

/* ---- watcher and toucher ---- */

/* The same address in both, as they are the same program. */
static u64 meeting_place(void) { return memory_reserve(1); }

static void watcher(void)
{
    u64 va = meeting_place(), *page = page_alloc();
    long port = event_alloc_unbound(DOMID_SELF, peer);

    report_start("duo");
    test("page", "areas of one domain at an address where another has a page: that page is not written, whoever ran before");
    memory_map(va, entry_of(page, MEMORY_RW));
    memset((void *)va, 0x3c, PAGE_SIZE);
    tell_domain0("ready");
    while (!is_bound((u32)port))
        sleep_ns(1000000);
    for (u32 turn = 0; turn < TURNS; turn++) {
        vcpu_yield();
        for (u32 i = 0; i < 32; i++)
            equal("a word of the page", ((volatile u64 *)va)[i], 0x3c3c3c3c3c3c3c3c);
    }
    event_close((u32)port);
    report_end();
}

static void toucher(void)
{
    u64 va = meeting_place(), *page = page_alloc();
    struct vcpu_time_info *time = (struct vcpu_time_info *)page;
    struct vcpu_runstate_info *state = (struct vcpu_runstate_info *)((u8 *)page + 64);
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)(va + 64)}};
    struct vcpu_register_time_memory_area times = {{.v = (void *)va}};
    u32 port = 0;

    report_start("duo");
    test("areas", "areas at an address without a page are accepted, and written once there is one");
    equal("time", (u64)hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &times), 0);
    equal("runstate", (u64)hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    equal("a port of the watcher", bind_ports(&port, 1), 1);
    while (is_bound(port)) /* the watcher looks */
        vcpu_yield();
    memory_map(va, entry_of(page, MEMORY_RW));
    sleep_ns(1000000);
    differ("system time", *(volatile u64 *)&time->system_time, 0);
    differ("time in a state", *(volatile u64 *)&state->state_entry_time, 0);
    report_end();
}

void guest_main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } roles[] = {{"granter", granter}, {"mapper", mapper}, {"watcher", watcher}, {"toucher", toucher}};

    audit_find();
    peer = (u16)runtime_option_number("peer", 0);
    for (u32 i = 0; i < ARRAY_SIZE(roles); i++)
        if (runtime_option(roles[i].name, NULL, 0)) {
            roles[i].run();
            return;
        }
    print("duo: granter, mapper, watcher or toucher?\n");
}
