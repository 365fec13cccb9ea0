/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   first                                     second
 *   grants a page and a copy source,
 *   makes an event channel, data/pair/step=1
 *                                             maps the page, binds the channel
 *   ping: a number and an event       --->
 *                                     <---    pong: another number and an event     (ROUNDS times)
 *   checks the answers, data/pair/step=2
 *                                             copies the copy source by GNTTABOP_copy, checks it,
 *                                             lets go of the page, offers a hole, data/pair/step=3
 *   ends its grants, transfers a frame,
 *   data/pair/step=4
 *                                             checks what the frame holds
 */
#include "guests/domu/pair.h"

#include "guests/domu/balloon.h"
#include "guests/domu/store.h"
#include "guests/domu/task.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define ROUNDS 200u
#define SEED   0x5041524156414e45ul

struct shared {
    u64 ping, pong;
};

static u16 peer;
static char store_channel, event_channel;
static bool event_came;

static void store_changed(void)
{
    task_wake(&store_channel);
}

static void on_event(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    event_came = true;
    task_wake(&event_channel);
}

static void wait_for_event(void)
{
    while (!event_came)
        task_sleep_on(&event_channel, TASK_NEVER);
    event_came = false;
}

static const char *peer_path(const char *rest)
{
    static char path[64];

    print_to(path, sizeof path, "/local/domain/%u/data/pair/%s", peer, rest);
    return path;
}

/* Wait until the peer has come to @step. */
static void wait_for_step(u64 step)
{
    while (store_read_number(peer_path("step"), 0) < step)
        task_sleep_on(&store_channel, TASK_NEVER);
}

static void tell(const char *rest, u64 value)
{
    char path[40];

    print_to(path, sizeof path, "data/pair/%s", rest);
    if (store_write_number(path, value) || store_share(path, peer))
        panic("the store does not take %s", path);
}

/* What is said comes out before what follows from it. */
static void step(u64 number)
{
    console_flush();
    tell("step", number);
}

static void fill(u64 *page, u64 seed)
{
    for (u32 i = 0; i < PAGE_SIZE / sizeof *page; i++)
        page[i] = seed = seed * 6364136223846793005ul + 1442695040888963407ul;
}

static bool is_filled(const u64 *page, u64 seed)
{
    for (u32 i = 0; i < PAGE_SIZE / sizeof *page; i++)
        if (page[i] != (seed = seed * 6364136223846793005ul + 1442695040888963407ul))
            return false;
    return true;
}

/* The answer to a ping, so that nobody can guess it without having seen the ping. */
static u64 pong_of(u64 ping)
{
    return ping * 3 + 1;
}

static void use_port(long port)
{
    if (port < 0)
        panic("no event channel to the peer: %ld", port);
    event_set_handler((u32)port, on_event, NULL);
    event_unmask((u32)port);
}

/* ---- first ---- */

static void play_pings(struct shared *shared, u32 port)
{
    u32 wrong = 0;

    for (u64 round = 1; round <= ROUNDS; round++) {
        shared->ping = round * SEED;
        BARRIER();
        event_send(port);
        wait_for_event();
        wrong += *(volatile u64 *)&shared->pong != pong_of(round * SEED);
    }
    print("pair: %u pings, %u wrong answers\n", ROUNDS, wrong);
}

static void transfer(void)
{
    u64 *page = page_alloc();
    gnttab_transfer_t transfer = {.domid = peer};
    long error;

    fill(page, SEED + 1);
    transfer.ref = (u32)store_read_number(peer_path("transfer-ref"), 0);
    transfer.mfn = balloon_take_page(page);
    error = hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
    if (error || transfer.status) {
        print("pair: the hypervisor transfers no frame: error %ld, status %d\n", error,
              transfer.status);
        if (balloon_fill_hole(transfer.mfn))
            page_free(page);
        return;
    }
    print("pair: a frame transferred\n");
    /* The hole it left is one more than the target has. */
    balloon_target_changed();
}

static void be_first(void)
{
    struct shared *shared = page_alloc();
    u64 *source = page_alloc();
    u32 ref = grant_access(peer, memory_virt_to_mfn(shared), false);
    u32 copy_ref = grant_access(peer, memory_virt_to_mfn(source), true);
    long port = event_alloc_unbound(DOMID_SELF, peer);

    use_port(port);
    fill(source, SEED);
    tell("ref", ref);
    tell("copy-ref", copy_ref);
    tell("port", (u64)port);
    step(1);
    /* The peer's first event says that it is there. */
    wait_for_event();
    play_pings(shared, (u32)port);
    step(2);
    wait_for_step(3);
    if (!grant_end(ref) || !grant_end(copy_ref))
        panic("the peer holds on to a grant");
    event_close((u32)port);
    page_free(shared);
    page_free(source);
    transfer();
    step(4);
}

/* ---- second ---- */

static void play_pongs(struct shared *shared, u32 port)
{
    event_send(port);
    for (u32 round = 1; round <= ROUNDS; round++) {
        wait_for_event();
        shared->pong = pong_of(*(volatile u64 *)&shared->ping);
        BARRIER();
        event_send(port);
    }
}

static void copy_by_grant(void)
{
    u64 *page = page_alloc();
    gnttab_copy_t copy = {
        .source = {.u.ref = (u32)store_read_number(peer_path("copy-ref"), 0), .domid = peer},
        .dest = {.u.gmfn = memory_virt_to_mfn(page), .domid = DOMID_SELF},
        .len = PAGE_SIZE,
        .flags = GNTCOPY_source_gref,
    };
    long error = hypercall_grant_table_op(GNTTABOP_copy, &copy, 1);

    if (error || copy.status)
        print("pair: no copy: error %ld, status %d\n", error, copy.status);
    else
        print("pair: a page copied by grant, %s\n", is_filled(page, SEED) ? "as it is" : "wrong");
    page_free(page);
}

static void receive(u32 ref)
{
    u64 mfn = grant_end_transfer(ref), *page;

    if (!mfn)
        return;
    page = balloon_fill_hole(mfn);
    if (!page)
        panic("the frame that was transferred cannot be mapped");
    print("pair: a frame received, %s\n", is_filled(page, SEED + 1) ? "as it was sent" : "wrong");
    page_free(page);
}

static void be_second(void)
{
    u64 va = memory_reserve(1);
    long handle, port;
    u32 ref;

    wait_for_step(1);
    if (!memory_map(va, 0))
        panic("no place for the peer's page");
    handle = grant_map(peer, (u32)store_read_number(peer_path("ref"), 0), va, 0);
    port = event_bind_interdomain(peer, (u32)store_read_number(peer_path("port"), 0));
    if (handle < 0)
        panic("the peer's page cannot be mapped: %ld", handle);
    use_port(port);
    /* Binding made the channel pending. */
    wait_for_event();
    play_pongs((struct shared *)va, (u32)port);
    wait_for_step(2);
    copy_by_grant();
    if (grant_unmap((u32)handle, va))
        panic("the peer's page cannot be unmapped");
    event_close((u32)port);
    ref = grant_accept(peer);
    if (!balloon_make_hole())
        panic("no page to make room for the peer's");
    tell("transfer-ref", ref);
    step(3);
    wait_for_step(4);
    receive(ref);
    /* If no frame came, the hole is one too many. */
    balloon_target_changed();
}

static void pair_thread(void *arg)
{
    char role[16];

    (void)arg;
    while (!(peer = (u16)store_read_number("data/peer", 0)))
        task_sleep_on(&store_channel, TASK_NEVER);
    store_watch(peer_path("step"), store_changed);
    if (store_read("data/role", role, sizeof role))
        role[0] = '\0';
    if (!strcmp(role, "first"))
        be_first();
    else
        be_second();
    console_flush();
    store_write("data/pair/state", "done");
}

void pair_start(void)
{
    long error = grant_init(1);

    if (error) {
        print("no grant table: %ld\n", error);
        return;
    }
    store_watch("data/peer", store_changed);
    task_start_thread("pair", pair_thread, NULL);
}
