/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/audit.h"

#include "guests/dom0/control.h"
#include "guests/dom0/domain.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/grant.h"
#include "guests/lib/heap.h"
#include "guests/lib/memory.h"

/* The hypervisor frees the last of a domain after destroydomain has returned; so long we wait. */
#define PATIENCE_NS 2000000000ul

enum { FREE_FRAMES, DOMAINS, PORTS, GRANT_MAPS, STORE_NODES, HEAP_BYTES, COUNTED };

static const char *const names[COUNTED] = {"free frames",        "domains",     "event channels",
                                           "mapped grants",      "store nodes", "bytes of heap"};

/* Hypercall of the test build of Paravane's hypervisor: hv/audit.c. */
#define RECOUNT 63
#define DIGEST  1

static u64 watch_first, watch_last, watch_digest;
static u64 marked[COUNTED];
static u64 allowed_frames;

/* Whether @now is what was marked. */
static bool is_same(u32 what, u64 now)
{
    u64 difference = now > marked[what] ? now - marked[what] : marked[what] - now;

    return difference <= (what == FREE_FRAMES ? allowed_frames : 0);
}

static bool count(u64 *now)
{
    static domain_info_t infos[256];
    struct xen_sysctl_physinfo info;
    long domains = control_list(0, infos, 256), error = control_physinfo(&info);

    if (domains < 0 || error)
        return shell_fail("audit: the hypervisor tells nothing");
    now[FREE_FRAMES] = info.free_pages;
    now[DOMAINS] = (u64)domains;
    now[PORTS] = pump_ports();
    now[GRANT_MAPS] = grant_map_count();
    now[STORE_NODES] = store_owned(&domain_xenstore.tree, 0);
    now[HEAP_BYTES] = heap_used_bytes();
    return true;
}

static bool same(void *arg)
{
    u64 *now = arg;

    if (!count(now))
        return true;
    for (u32 i = 0; i < COUNTED; i++)
        if (!is_same(i, now[i]))
            return false;
    return true;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static u64 digest(void)
{
    return (u64)hypercall(RECOUNT, DIGEST, watch_first, watch_last, 0, 0);
}

bool audit_watch(u64 first, u64 last)
{
    watch_first = first;
    watch_last = last;
    if ((s64)digest() >= 0)
        return true;
    watch_last = 0;
    return shell_fail("audit: this hypervisor makes no digests of memory");
}

/* What is still being freed is not yet what there is: note what stays for a while. */
bool audit_mark(void)
{
    u64 now[COUNTED], end = clock_system_ns() + PATIENCE_NS;

    allowed_frames = 0;
    do {
        if (!count(marked))
            return false;
        pump_until(never, NULL, clock_system_ns() + PATIENCE_NS / 10);
    } while (!same(now) && clock_system_ns() < end);
    watch_digest = watch_last ? digest() : 0;
    return true;
}

bool audit_check(u64 frames)
{
    u64 now[COUNTED], end = clock_system_ns() + PATIENCE_NS;
    bool good = true;

    allowed_frames = frames;
    while (pump_until(same, now, clock_system_ns() + PATIENCE_NS / 100) == PUMP_TIMEOUT &&
           clock_system_ns() < end)
        ;
    for (u32 i = 0; i < COUNTED; i++)
        if (!is_same(i, now[i]))
            good = shell_fail("audit: %s: %lu, were %lu", names[i], now[i], marked[i]);
    if (watch_last && hypercall(RECOUNT, 0, 0, 0, 0, 0))
        good = shell_fail("audit: the hypervisor's recount finds something wrong");
    if (watch_last && digest() != watch_digest)
        good = shell_fail("audit: the memory of the watched domains has changed");
    if (good)
        print("audit: frames, event channels, grants, store and heap are as they were\n");
    return good;
}
