/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain 0 with its toolstack (guests/dom0), which starts several domains that make random hypercalls,
 * makes such calls itself, and looks after all of them.  One of them is reckless: it ends when it likes,
 * or domain 0 destroys it in the middle of what it does, and then starts another in its place.  Everything
 * is recounted now and then and after each such end; in the end all domains are destroyed, and what they had
 * must have come back.
 *
 *   seed=N     decides all calls (1)
 *   calls=N    how many, all domains together but the reckless one (100000)
 *   step=N     recount everything after so many (5000)
 *   table      in the end, print what was called, how often, with what success
 *
 * The others' kernel is fuzz.elf of the initrd.  The machine ends with status 1 if anything is wrong.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/dom0/commands.h"
#include "guests/dom0/commands_internal.h"
#include "guests/dom0/control.h"
#include "guests/dom0/cpio.h"
#include "guests/dom0/domain.h"
#include "guests/dom0/foreign.h"
#include "guests/dom0/pump.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define FIRST_BOARD_REF 100u /* of our grant table: BOARD_PAGES for each domain */
#define DOMAIN_PAGES    1024u
#define SECOND_NS       1000000000ul
#define PATIENCE_NS     (2 * SECOND_NS)
#define PATIENCE_LOOKS  24u /* with the reckless one, at which we look every 32 steps */

static u8 *boards;
static struct fuzz_cpu cpu;
static u64 seed;
static struct {
    struct domain *domain;
    u32 vcpus;
    u64 calls, since_ns; /* when it was last seen to have made calls */
} others[BOARD_SLOTS];

/* How often the reckless one was there, and what became of it. */
static struct {
    u64 begun, ended, destroyed, stuck, no_room;
    u32 looks; /* without a call */
} reckless;

NORETURN static void fail(const char *format, ...) PRINTF_LIKE(1, 2);
static void fail(const char *format, ...)
{
    char line[160];
    va_list args;
    u64 batched, calls;

    va_start(args, format);
    print_to_v(line, sizeof line, format, args);
    va_end(args);
    calls = fuzz_calls(&batched);
    print("fuzz: seed %lu: after %lu calls: %s\n", seed, calls, line);
    commands_exit(1);
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

/* ---- the others ---- */

static void grant_boards(u32 slot, u16 domid)
{
    for (u32 i = 0; i < BOARD_PAGES; i++) {
        volatile grant_entry_v1_t *e = &grant_table[FIRST_BOARD_REF + slot * BOARD_PAGES + i];

        e->flags = 0;
        e->domid = domid;
        e->frame = (u32)memory_virt_to_mfn(boards + i * PAGE_SIZE);
        e->flags = GTF_permit_access | (i / BOARD_CPUS == slot ? 0 : GTF_readonly);
    }
}

/* Returns: false if there is no room for it, which only the reckless one may find. */
static bool create(u32 slot, u32 vcpus)
{
    struct cpio_file kernel;
    char name[16], cmdline[96];
    struct domain_config config = {.name = name, .cmdline = cmdline, .pages = DOMAIN_PAGES, .vcpus = vcpus + 1};
    const char *why;
    struct domain *d;

    if (!commands_find_file("fuzz.elf", &kernel))
        commands_exit(1);
    config.kernel = kernel.data;
    config.kernel_bytes = kernel.size_bytes;
    print_to(name, sizeof name, "fuzz%u", slot);
    print_to(cmdline, sizeof cmdline, "seed=%lu slot=%u vcpus=%u ref=%u%s", seed + (reckless.begun << 32), slot, vcpus,
             FIRST_BOARD_REF + slot * BOARD_PAGES, slot == BOARD_RECKLESS ? " reckless" : "");
    d = domain_create(&config, &why);
    if (!d && slot == BOARD_RECKLESS && (strstr(why, "(error -12)") || strstr(why, "no grant table")))
        return false;
    if (!d)
        fail("%s: %s", name, why);
    for (u32 i = 0; i < BOARD_CPUS; i++) {
        fuzz_board(slot, i)->domid = d->domid;
        fuzz_board(slot, i)->stop = false;
    }
    grant_boards(slot, d->domid);
    others[slot].domain = d;
    others[slot].vcpus = vcpus;
    others[slot].since_ns = clock_system_ns();
    fuzz_board(slot, 0)->present = true;
    if (control_unpause(d->domid))
        fail("%s cannot be started", name);
    return true;
}

static void destroy(u32 slot)
{
    domain_destroy(others[slot].domain);
    others[slot].domain = NULL;
    fuzz_board(slot, 0)->present = false;
}

/* ---- the reckless one ---- */

static void begin_reckless(void)
{
    reckless.begun++;
    reckless.looks = 0;
    /* Of the one before there may be frames that others map: no room until they let go. */
    fuzz.victim = DOMID_INVALID;
    if (!create(BOARD_RECKLESS, 2))
        reckless.no_room++;
    else
        fuzz.victim = others[BOARD_RECKLESS].domain->domid;
}

/* What we still map of it, and our ports to it, stay: they are let go of by later calls. */
static void end_reckless(void)
{
    fuzz.victim = DOMID_INVALID;
    destroy(BOARD_RECKLESS);
    if (!fuzz_audit("after a domain was destroyed"))
        fail("the books are wrong");
}

static void look_after_reckless(void)
{
    const struct domain *d = others[BOARD_RECKLESS].domain;
    u64 calls = fuzz_board(BOARD_RECKLESS, 0)->calls;

    if (!d) {
        if (fuzz_one_in(&cpu, 4))
            begin_reckless();
        return;
    }
    reckless.looks = calls == others[BOARD_RECKLESS].calls ? reckless.looks + 1 : 0;
    others[BOARD_RECKLESS].calls = calls;
    if (fuzz.victim == DOMID_INVALID) /* by one of our calls */
        reckless.destroyed++;
    else if (d->ended)
        reckless.ended++;
    else if (reckless.looks > PATIENCE_LOOKS)
        reckless.stuck++;
    else
        return;
    end_reckless();
}

/* ---- looking after all ---- */

/* Serve the rings, and see that everybody is still there and calls. */
static void look_after(void)
{
    u64 now = clock_system_ns();

    event_disable();
    domain_ended_event();
    pump_until(at_once, NULL, PUMP_FOR_EVER);
    look_after_reckless();
    event_enable();
    for (u32 slot = 1; slot < BOARD_RECKLESS; slot++) {
        struct domain *d = others[slot].domain;
        u64 calls = fuzz_board(slot, 0)->calls;

        if (d->ended)
            fail("%s has ended: %s", d->name, commands_reason_name(d->end_reason));
        if (calls != others[slot].calls) {
            others[slot].calls = calls;
            others[slot].since_ns = now;
        } else if (now - others[slot].since_ns > PATIENCE_NS) {
            fail("%s makes no calls any more", d->name);
        }
    }
}

static bool has_ended(void *arg)
{
    return ((struct domain *)arg)->ended;
}

static bool all_call(void *arg)
{
    bool all = true;

    (void)arg;
    for (u32 slot = 1; slot < BOARD_RECKLESS; slot++)
        for (u32 i = 0; i < others[slot].vcpus; i++)
            all &= others[slot].domain->ended || *(volatile u64 *)&fuzz_board(slot, i)->calls;
    return all;
}

/* Domain 0 does not begin before the others. */
static void wait_for_all(void)
{
    u64 end = clock_system_ns() + PATIENCE_NS;

    while (pump_until(all_call, NULL, clock_system_ns() + SECOND_NS / 1000) != PUMP_DONE)
        if (clock_system_ns() > end)
            fail("not all domains begin");
}

static void end_all(void)
{
    if (others[BOARD_RECKLESS].domain)
        end_reckless();
    for (u32 slot = 1; slot < BOARD_RECKLESS; slot++)
        fuzz_board(slot, 0)->stop = true;
    for (u32 slot = 1; slot < BOARD_RECKLESS; slot++) {
        struct domain *d = others[slot].domain;

        if (pump_until(has_ended, d, clock_system_ns() + PATIENCE_NS) != PUMP_DONE)
            fail("%s does not come to its end", d->name);
        if (d->end_reason != SHUTDOWN_poweroff)
            fail("%s has ended: %s", d->name, commands_reason_name(d->end_reason));
        destroy(slot);
    }
}

/* ---- the books ---- */

/* Frames that are free or ours; what the hypervisor itself needs shows in them, too. */
static u64 frames(void)
{
    struct xen_sysctl_physinfo info;
    u16 self = DOMID_SELF;
    long ours = hypercall_memory_op(XENMEM_current_reservation, &self);

    if (control_physinfo(&info) || ours < 0)
        fail("the hypervisor tells nothing");
    return info.free_pages + (u64)ours;
}

struct expected {
    u64 frames;
    u32 ports;
};

/* Domain 0's own tables grow and do not shrink: let them be as large as they can become before we count. */
static void grow_own_tables(void)
{
    u64 list[64];
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = ARRAY_SIZE(list)};
    u64 va = fuzz.grant_window;
    long handle, port;
    u32 ref = grant_access(0, memory_virt_to_mfn(boards), true);

    set_xen_guest_handle(setup.frame_list, list);
    if (hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status)
        panic("the grant table does not grow");
    handle = grant_map(0, ref, va, GNTMAP_readonly);
    if (handle < 0 || grant_unmap((u32)handle, va) || !grant_end(ref))
        panic("domain 0 cannot use a grant of its own: %ld", handle);
    do
        port = event_alloc_unbound(DOMID_SELF, 0);
    while (port > 0);
    for (port = 1; port < (long)EVTCHN_2L_NR_CHANNELS; port++)
        if (!event_has_handler((u32)port))
            event_close((u32)port);
}

static bool is_back(void *arg)
{
    const struct expected *e = arg;

    return frames() == e->frames;
}

static void check_all_is_back(const struct expected *e)
{
    domain_info_t info[8];

    /* Destroyed domains are freed a little later. */
    while (pump_until(is_back, (void *)e, clock_system_ns() + SECOND_NS / 100) == PUMP_TIMEOUT)
        if (clock_system_ns() > others[0].since_ns + SECOND_NS)
            fail("%lu frames are free or domain 0's, were %lu; %ld domains are left", frames(), e->frames,
                 control_list(0, info, 8));
    if (control_list(0, info, 8) != 1)
        fail("%ld domains are left", control_list(0, info, 8));
    if (pump_ports() != e->ports)
        fail("%u event channels are left, were %u", pump_ports(), e->ports);
}

/* The recounts are charged to us: without a larger share there would be few calls of ours. */
static void take_our_share(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_scheduler_op,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .u.scheduler_op = {.sched_id = XEN_SCHEDULER_CREDIT2,
                                               .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                               .u.credit2.weight = FUZZ_WEIGHT}};

    if (hypercall_domctl(&op))
        fail("no larger share of the processor");
}

static void direct(u64 calls, u64 step)
{
    u64 next = step, batched, made;

    take_our_share();
    event_enable();
    for (u32 i = 0; (made = fuzz_calls(&batched)) < calls; i++) {
        for (u32 n = 0; n < 32; n++)
            fuzz_step(&cpu);
        look_after();
        if (i % 4 == 0)
            fuzz_unpause_all();
        if (made >= next) {
            next += step;
            if (!fuzz_audit("meanwhile"))
                fail("the books are wrong");
        }
    }
    event_disable();
    fuzz_unpause_all();
    fuzz_destroy_toys();
}

void guest_main(void)
{
    u64 calls = runtime_option_number("calls", 100000), batched;
    struct expected before;

    seed = runtime_option_number("seed", 1);
    foreign_init();
    domain_init();
    pump_init();
    if (grant_init(1))
        panic("no grant table");
    boards = pages_alloc(BOARD_PAGES);
    ((struct board *)boards)->present = true;
    fuzz.toolstack = true;
    fuzz.grant_frames = (u64)grant_table;
    fuzz.grant_version = 1;
    fuzz_domain_init(boards, 0, 1);
    fuzz_cpu_init(&cpu, 0, seed);
    fuzz_handlers();
    grow_own_tables();
    before = (struct expected){.frames = frames(), .ports = pump_ports()};
    create(1, 2);
    create(2, 1);
    create(3, 2);
    begin_reckless();
    wait_for_all();
    direct(calls, runtime_option_number("step", 5000));
    end_all();
    fuzz_domain_tidy();
    others[0].since_ns = clock_system_ns();
    check_all_is_back(&before);
    if (!fuzz_audit("at the end"))
        fail("the books are wrong");
    calls = fuzz_calls(&batched);
    if (runtime_option("table", NULL, 0))
        fuzz_table();
    fuzz_shares();
    print("fuzz: the reckless domain: begun %lu times, ended by itself %lu, destroyed by a call %lu, stuck %lu, without room %lu\n",
          reckless.begun, reckless.ended, reckless.destroyed, reckless.stuck, reckless.no_room);
    print("fuzz: seed %lu: %lu calls, and %lu in multicalls, of %u domains, audited %lu times\n", seed, calls, batched,
          BOARD_RECKLESS, fuzz_audits);
    commands_exit(0);
}
