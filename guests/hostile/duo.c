/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains that work on each other, for attacks that one alone cannot make.  The word on the command line
 * says who this is; peer=N is the number of the other domain.
 *
 *   granter   offers ports and FRAMES frames, gives them all back while they are mapped, and sleeps: it is
 *             to be destroyed.
 *   mapper    maps and binds all that, and when it sees that the granter is being destroyed it undoes a
 *             piece of it at each of its turns, which come in the midst of the destruction (period=NS),
 *             and calls for the dying domain in every way.  lose: it overwrites some page-table entries.
 *   watcher   fills a page and looks at it at each of its turns.
 *   toucher   has its time and runstate areas at the address of the watcher's page, which it has not mapped.
 */
#include "guests/hostile/hostile.h"
#include "guests/lib/grant.h"
#include "guests/lib/xenbus.h"

#define AUDIT  63
#define FRAMES 300u
#define PORTS  40u
#define FIRST_REF GNTTAB_NR_RESERVED_ENTRIES
#define TURNS  3000u

static u16 peer;
static u64 period_ns = 20000;

static void sleep_ns(u64 ns)
{
    sched_poll_t poll = {.nr_ports = 0, .timeout = clock_system_ns() + ns};

    hypercall_sched_op(SCHEDOP_poll, &poll);
}

static void tell_domain0(void)
{
    xenbus_init(NULL);
    xenbus_write(0, "data/state", "worked");
}

static void granter(void)
{
    static u64 mfns[FRAMES];
    struct xen_memory_reservation r = {.nr_extents = FRAMES, .domid = DOMID_SELF};

    if (grant_init(1))
        panic("no grant table");
    for (u32 i = 0; i < PORTS; i++)
        event_alloc_unbound(DOMID_SELF, peer);
    for (u32 i = 0; i < FRAMES; i++) {
        u8 *page = page_alloc();

        mfns[i] = mfn_of(page);
        memory_unmap(page);
        grant_table[FIRST_REF + i] = (grant_entry_v1_t){.flags = GTF_permit_access, .domid = peer, .frame = (u32)mfns[i]};
    }
    for (u32 i = 0; i < FRAMES; i++)
        while (!(*(volatile u16 *)&grant_table[FIRST_REF + i].flags & GTF_reading))
            sleep_ns(1000000);
    set_xen_guest_handle(r.extent_start, mfns);
    if (hypercall_memory_op(XENMEM_decrease_reservation, &r) != FRAMES)
        panic("the frames cannot be given back");
    tell_domain0();
    for (;;)
        sleep_ns(1000000000);
}

static gnttab_map_grant_ref_t maps[FRAMES];
static bool losing; /* page-table entries of some maps */
static u32 ports[PORTS], nr_ports;

/* Every call that names the dying domain, or something of it. */
static void call_for_it(void)
{
    static u8 page[PAGE_SIZE] ALIGNED(4096);
    evtchn_status_t status = {.dom = peer, .port = 3};
    gnttab_copy_t copy = {.source = {.u.ref = FIRST_REF + 1, .domid = peer}, .flags = GNTCOPY_source_gref, .len = 64,
                          .dest = {.u.gmfn = mfn_of(page), .domid = DOMID_SELF}};
    gnttab_map_grant_ref_t map = {.flags = GNTMAP_device_map, .ref = FIRST_REF + 2, .dom = peer};
    gnttab_setup_table_t setup = {.dom = peer, .nr_frames = 1};
    gnttab_get_version_t version = {.dom = peer};
    gnttab_transfer_t transfer = {.mfn = MFN_BEYOND, .domid = peer, .ref = FIRST_REF};
    domid_t id = peer;

    hypercall_event_channel_op(EVTCHNOP_status, &status);
    event_alloc_unbound(peer, own_id());
    event_bind_interdomain(peer, 5);
    for (u32 i = 0; i < nr_ports; i++)
        event_send(ports[i]);
    hypercall_grant_table_op(GNTTABOP_copy, &copy, 1);
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    if (!map.status) {
        gnttab_unmap_grant_ref_t unmap = {.dev_bus_addr = map.dev_bus_addr, .handle = map.handle};

        hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    }
    hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    hypercall_grant_table_op(GNTTABOP_get_version, &version, 1);
    hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
    hypercall_memory_op(XENMEM_maximum_gpfn, &id);
    hypercall_memory_op(XENMEM_current_reservation, &id);
}

static void undo(u32 i)
{
    gnttab_unmap_grant_ref_t unmap = {.host_addr = maps[i].host_addr, .handle = maps[i].handle};

    if (maps[i].status)
        return;
    hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    maps[i].status = GNTST_general_error;
    if (losing && i % 10 == 3) /* its entry is gone */
        holds("a map without an entry cannot be undone", unmap.status != 0);
    else
        equal("a map is undone", (u64)(long)unmap.status, 0);
}

static void mapper(void)
{
    u64 va = memory_reserve(FRAMES);
    evtchn_status_t status;
    u32 turns = 0, next = 0;

    report_start("duo");
    test("destroyed", "a domain is destroyed while its ports and grants are used, given back and called for at each turn: nothing is lost");
    for (u32 i = 0; i < FRAMES; i++) {
        memory_map(va + i * PAGE_SIZE, 0);
        maps[i] = (gnttab_map_grant_ref_t){.host_addr = va + i * PAGE_SIZE, .flags = GNTMAP_host_map | (i & 1 ? GNTMAP_readonly : 0),
                                           .ref = FIRST_REF + i, .dom = peer};
    }
    for (u32 port = 1; port < 64 + PORTS; port++) {
        long mine = event_bind_interdomain(peer, port);

        if (mine > 0)
            ports[nr_ports++] = (u32)mine;
        if (nr_ports == PORTS)
            break;
    }
    equal("ports of the other", nr_ports, PORTS);
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, FRAMES);
    for (u32 i = 0; i < FRAMES; i++)
        equal("a map", (u64)(long)maps[i].status, 0);
    losing = runtime_option("lose", NULL, 0);
    for (u32 i = 3; losing && i < FRAMES; i += 10)
        hypercall_update_va_mapping(maps[i].host_addr, 0, UVMF_INVLPG);
    tell_domain0();
    do {
        sleep_ns(period_ns);
        status = (evtchn_status_t){.dom = DOMID_SELF, .port = ports[0]};
        hypercall_event_channel_op(EVTCHNOP_status, &status);
    } while (status.status == EVTCHNSTAT_interdomain);
    /* From here on it dies. */
    for (; next < FRAMES - 20; turns++) {
        call_for_it();
        for (u32 i = 0; i < 5 && next < FRAMES - 20; i++)
            undo(next++);
        if (turns % 8 == 0)
            equal("wrong counts in the books", (u64)hypercall(AUDIT, 0, 0, 0, 0, 0), 0);
        sleep_ns(period_ns);
    }
    for (u32 i = 0; i < nr_ports; i++)
        equal("close", (u64)event_close(ports[i]), 0);
    sleep_ns(50000000);
    call_for_it();
    equal("it is still known: its frames are mapped", event_bind_interdomain(peer, 5) != -XEN_ESRCH, true);
    while (next < FRAMES)
        undo(next++);
    /* Handles whose entry is lost cannot be closed: what is left of it ends with this domain. */
    equal("now it is gone", (u64)event_bind_interdomain(peer, 5), (u64)(losing ? -XEN_EINVAL : -XEN_ESRCH));
    call_for_it();
    for (u32 i = 3; i < FRAMES; i += 10) {
        gnttab_unmap_grant_ref_t unmap = {.host_addr = maps[i].host_addr, .handle = maps[i].handle};

        hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    }
    equal("wrong counts in the books", (u64)hypercall(AUDIT, 0, 0, 0, 0, 0), 0);
    report_end();
    print("duo: %u turns while it died\n", turns);
}

/* The same address in both, as they are the same program. */
static u64 meeting_place(void) { return memory_reserve(1); }

static void watcher(void)
{
    u64 va = meeting_place(), *page = page_alloc();

    report_start("duo");
    test("areas", "areas of one domain at an address where another has a page: that page is not written, whoever ran before");
    memory_map(va, entry_of(page, MEMORY_RW));
    memset((void *)va, 0x3c, PAGE_SIZE);
    tell_domain0();
    for (u32 turn = 0; turn < TURNS; turn++) {
        hypercall_sched_op(SCHEDOP_yield, NULL);
        for (u32 i = 0; i < 32; i++)
            if (((u64 *)va)[i] != 0x3c3c3c3c3c3c3c3c)
                equal("a word of the page", i, ~0ul);
    }
    report_end();
}

static void toucher(void)
{
    u64 va = meeting_place();
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)(va + 64)}};
    struct vcpu_register_time_memory_area time = {{.v = (void *)va}};

    hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    for (u32 turn = 0; turn < TURNS; turn++)
        hypercall_sched_op(SCHEDOP_yield, NULL);
    print("touched\n");
}

static u64 number(const char *option, u64 otherwise)
{
    char text[16] = "";
    u64 value = 0;

    if (!runtime_option(option, text, sizeof text))
        return otherwise;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (u64)(*c - '0');
    return value;
}

void guest_main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } roles[] = {{"granter", granter}, {"mapper", mapper}, {"watcher", watcher}, {"toucher", toucher}};

    peer = (u16)number("peer", 0);
    period_ns = number("period", period_ns);
    for (u32 i = 0; i < ARRAY_SIZE(roles); i++)
        if (runtime_option(roles[i].name, NULL, 0)) {
            roles[i].run();
            return;
        }
    print("duo: granter, mapper, watcher or toucher?\n");
}
