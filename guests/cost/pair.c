/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to get from one domain to another: two domains of this kernel, which a domain 0
 * has told of each other (the command `link` of guests/dom0).  Lines and ticks as in samples.h;
 * the time stamp counter is the machine's in both domains.
 *
 *   first                                       second
 *   grants a page, makes an event channel  -->  maps the page, binds the channel
 *   sends and sleeps                       -->  sleeps in SCHEDOP_block; its event handler is reached
 *   sends and sleeps                       -->  sleeps in SCHEDOP_poll; answers
 *   yields                                <-->  yields: the next instruction is the other's
 *   sleeps                                 -->  was ready to run: the next instruction is its
 *
 * A figure is what lies between the reading of the counter in one domain, just before the hypercall, and
 * that in the other, at its first instruction.
 */
#include "guests/cost/samples.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/string.h"
#include "guests/lib/trap.h"
#include "guests/lib/vcpu.h"
#include "guests/lib/xenbus.h"

enum phase { PREPARE, HANDLER, PING_PONG, YIELD, BLOCK, DONE };

/* The page both have. */
struct shared {
    u64 phase;
    u64 ready;   /* the phase that second waits for */
    u64 arrived; /* when second's handler was reached */
    u64 stamp;   /* when who left */
    u64 who;     /* 1 first, 2 second; 0 the stamp is used up */
    u64 asleep;
};
static volatile struct shared *shared;

static u16 peer;
static u32 port;

static void poll(void)
{
    evtchn_port_t ports[1] = {port};
    struct sched_poll op = {.nr_ports = 1};

    set_xen_guest_handle(op.ports, ports);
    hypercall_sched_op(SCHEDOP_poll, &op);
    event_clear(port);
}

/* Sleep until the other has come to @phase. */
static void wait_for(const volatile u64 *word, u64 phase)
{
    while (*word < phase)
        poll();
}

static void tell(volatile u64 *word, u64 phase)
{
    *word = phase;
    event_send(port);
}

/* --- meeting, by the store --- */

static u64 read_number(const char *path)
{
    char text[24];

    return xenbus_read(0, path, text, sizeof text) ? 0 : runtime_number(text);
}

static u64 await_number(const char *format)
{
    char path[64];
    u64 value;

    print_to(path, sizeof path, format, peer);
    while (!(value = read_number(path)))
        vcpu_yield();
    return value;
}

static void publish(const char *path, u64 value)
{
    char text[24], owner[8], reader[8];
    const char *perms[] = {owner, reader, NULL};

    print_to(text, sizeof text, "%lu", value);
    print_to(owner, sizeof owner, "n%lu", read_number("domid"));
    print_to(reader, sizeof reader, "r%u", peer);
    check("the store", xenbus_write(0, path, text));
    check("the store", xenbus_set_perms(0, path, perms));
}

static void meet_as_first(void)
{
    long made = event_alloc_unbound(DOMID_SELF, peer);

    check("event channel", made);
    port = (u32)made;
    shared = page_alloc();
    publish("data/ref", grant_access(peer, memory_virt_to_mfn((const void *)shared), false));
    publish("data/port", port);
    event_clear(port);
    wait_for(&shared->ready, HANDLER);
}

static void meet_as_second(void)
{
    u64 va = memory_reserve(1);
    long bound;

    ASSERT(memory_map(va, 0));
    check("grant map", grant_map(peer, (u32)await_number("/local/domain/%u/data/ref"), va, 0));
    shared = (struct shared *)va;
    bound = event_bind_interdomain(peer, (u32)await_number("/local/domain/%u/data/port"));
    check("event channel", bound);
    port = (u32)bound;
    event_clear(port);
}

/* --- an event until its handler runs --- */

static volatile bool came;

static void on_event(u32 from, void *arg)
{
    (void)from;
    (void)arg;
    came = true;
}

static void send_to_handler(void)
{
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start;

        /* Let the other go to sleep: it says so just before. */
        while (!shared->asleep)
            vcpu_yield();
        vcpu_yield();
        shared->asleep = 0;
        shared->arrived = 0;
        start = clock_tsc();
        event_send(port);
        while (!shared->arrived)
            poll();
        samples[round] = shared->arrived - start - samples_overhead;
    }
    samples_report("event-to-other-domain");
    tell(&shared->phase, PING_PONG);
}

static void handle(void)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_event, .flags = CALLBACKF_mask_events, .address = (u64)samples_stub};

    event_set_handler(port, on_event, NULL);
    samples_next = (u64)trap_entry_event;
    check("callback", hypercall_callback_op(CALLBACKOP_register, &callback));
    event_clear(port);
    event_unmask(port);
    tell(&shared->ready, HANDLER);
    while (shared->phase < PING_PONG) {
        event_disable();
        came = false;
        shared->asleep = 1;
        /* Blocking unmasks upcalls: from here on only the event wakes. */
        while (!came)
            event_wait();
        shared->arrived = samples_arrived;
        event_send(port);
    }
    event_disable();
    event_mask(port);
    trap_install();
}

/* --- both asleep in SCHEDOP_poll: there and back --- */

static void ping(void)
{
    wait_for(&shared->ready, PING_PONG);
    event_clear(port);
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start = clock_tsc();

        event_send(port);
        poll();
        samples[round] = clock_tsc() - start - samples_overhead;
    }
    samples_report("domain-ping-pong");
    tell(&shared->phase, YIELD);
}

static void pong(void)
{
    event_clear(port);
    tell(&shared->ready, PING_PONG);
    while (shared->phase < YIELD) {
        poll();
        event_send(port);
    }
}

/* --- switches --- */

/*
 * Take the sample if the other was the last who left.  In line, at the first instruction after the
 * hypercall.
 */
#define TAKE_STAMP(other, count)                                                                   \
    do {                                                                                           \
        u64 now_ = clock_tsc();                                                                    \
        if (shared->who == (other) && (count) < SAMPLES) {                                          \
            samples[(count)++] = now_ - shared->stamp - samples_overhead;                                   \
            shared->who = 0;                                                                       \
        }                                                                                          \
    } while (0)

static void yields(u64 me)
{
    u32 count = 0;

    while (count < SAMPLES) {
        shared->who = me;
        shared->stamp = clock_tsc();
        vcpu_yield();
        TAKE_STAMP(3 - me, count);
    }
}

static void yield_as_first(void)
{
    wait_for(&shared->ready, YIELD);
    yields(1);
    samples_report("switch-by-yield");
    tell(&shared->phase, BLOCK);
}

static void yield_as_second(void)
{
    event_clear(port);
    tell(&shared->ready, YIELD);
    while (shared->phase < BLOCK) {
        shared->who = 2;
        shared->stamp = clock_tsc();
        vcpu_yield();
    }
}

/* First sleeps while second is ready to run; second wakes it. */
static void block_as_first(void)
{
    wait_for(&shared->ready, BLOCK);
    event_clear(port);
    while (shared->phase < DONE) {
        shared->who = 1;
        shared->stamp = clock_tsc();
        poll();
    }
}

static void block_as_second(void)
{
    u32 count = 0;

    event_clear(port);
    shared->who = 0;
    tell(&shared->ready, BLOCK);
    while (count < SAMPLES) {
        vcpu_yield();
        TAKE_STAMP(1, count);
        if (shared->who)
            continue;
        event_send(port);
        /* A hypervisor may have run first at once. */
        TAKE_STAMP(1, count);
    }
    samples_report("switch-by-block");
    tell(&shared->phase, DONE);
}

void guest_main(void)
{
    char role[16] = "";

    samples_calibrate();
    /* Were it emulated for this domain, its ticks would be no instructions of the two hypervisors alone. */
    if (samples_overhead > 100)
        panic("the counter takes %lu ticks to read: it is not the machine's", samples_overhead);
    check("store", xenbus_init(NULL));
    check("grant table", grant_init(1));
    peer = (u16)await_number("data/peer");
    check("role", xenbus_read(0, "data/role", role, sizeof role));
    if (!strcmp(role, "first")) {
        meet_as_first();
        send_to_handler();
        ping();
        yield_as_first();
        block_as_first();
    } else {
        meet_as_second();
        handle();
        pong();
        yield_as_second();
        block_as_second();
        print("cost done\n");
    }
    console_flush();
}
