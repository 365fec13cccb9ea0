/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain that misuses what domain 0 serves.  Its command line says how:
 *
 *   console-flood  prints without end         console-index  indexes that make no sense
 *   store-flood    requests without end       store-index    indexes that make no sense
 *   store-long     a message that is too long store-deaf     never reads, but makes events for itself
 *   store-many     as many nodes, watches and transactions as it gets
 *   events         notifies without reason    crash          a page fault nobody handles
 *   balloon        gives back all it can
 */
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"
#include "guests/lib/xenbus.h"

#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

static volatile struct xencons_interface *console(void)
{
    return memory_mfn_to_virt(start_info->console.domU.mfn);
}

static volatile struct xenstore_domain_interface *store(void)
{
    return memory_mfn_to_virt(start_info->store_mfn);
}

static void notify_for_ever(void)
{
    for (;;) {
        event_send(start_info->console.domU.evtchn);
        event_send(start_info->store_evtchn);
    }
}

static void console_flood(void)
{
    for (u64 line = 0;; line++)
        print("line %lu of nothing at all\n", line);
}

static void console_index(void)
{
    console()->out_prod = console()->out_cons + 0x80000000;
    notify_for_ever();
}

static void store_index(void)
{
    store()->req_prod = store()->req_cons - 1;
    notify_for_ever();
}

static void put(const void *from, u32 size_bytes)
{
    for (u32 i = 0; i < size_bytes; i++) {
        while (store()->req_prod - store()->req_cons == XENSTORE_RING_SIZE && !store()->error)
            notify_for_ever();
        store()->req[MASK_XENSTORE_IDX(store()->req_prod)] = ((const char *)from)[i];
        store()->req_prod++;
    }
}

static void store_long(void)
{
    struct xsd_sockmsg header = {XS_WRITE, 1, 0, 0xffffffff};

    put(&header, sizeof header);
    notify_for_ever();
}

/* Watches what it writes itself, and leaves the answers where they are. */
static void store_deaf(void)
{
    struct xsd_sockmsg watch = {XS_WATCH, 1, 0, sizeof "data\0t"};

    put(&watch, sizeof watch);
    put("data\0t", sizeof "data\0t");
    for (u32 i = 0;; i++) {
        char body[32];
        u32 n = (u32)print_to(body, sizeof body, "data/%u", i) + 1;
        struct xsd_sockmsg header = {XS_WRITE, i, 0, n};

        put(&header, sizeof header);
        put(body, n);
        event_send(start_info->store_evtchn);
    }
}

static void store_flood(void)
{
    char value[8];

    for (;;)
        xenbus_read(0, "name", value, sizeof value);
}

static void store_many(void)
{
    u32 nodes = 0, watches = 0, transactions = 0, tx;
    char path[32];

    do
        print_to(path, sizeof path, "data/%u", nodes++);
    while (!xenbus_write(0, path, "x"));
    do
        print_to(path, sizeof path, "data/%u", watches++);
    while (!xenbus_watch(path, "t"));
    while (!xenbus_transaction_start(&tx))
        transactions++;
    print("%u nodes, %u watches, %u transactions\n", nodes - 1, watches - 1, transactions);
    /* Room for one more. */
    xenbus_remove(0, "data/0");
    xenbus_write(0, "data/state", "worked");
    event_wait();
}

static void give_back_all(void)
{
    for (;;) {
        struct xen_memory_reservation release = {.nr_extents = 1, .domid = DOMID_SELF};
        void *page = page_try_alloc();
        u64 mfn;

        if (!page)
            break;
        mfn = memory_virt_to_mfn(page);
        memory_unmap(page);
        set_xen_guest_handle(release.extent_start, &mfn);
        hypercall_memory_op(XENMEM_decrease_reservation, &release);
    }
    event_wait();
}

static void crash(void)
{
    volatile u32 *volatile nowhere = (volatile u32 *)16;

    hypercall_set_trap_table(NULL);
    *nowhere = 1;
}

void guest_main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {
        {"console-flood", console_flood}, {"console-index", console_index},
        {"store-flood", store_flood},     {"store-index", store_index},
        {"store-long", store_long},       {"store-deaf", store_deaf},
        {"store-many", store_many},       {"events", notify_for_ever},
        {"crash", crash},                 {"balloon", give_back_all},
    };

    xenbus_init(NULL);
    for (u32 i = 0; i < ARRAY_SIZE(ways); i++)
        if (runtime_option(ways[i].name, NULL, 0))
            ways[i].run();
    print("rude: no way is named on the command line\n");
}
