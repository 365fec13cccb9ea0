/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain that makes random hypercalls: alone, as domain 0, or one of several that guests/fuzz/director.c
 * has started, which find each other on its boards.
 *
 *   seed=N    decides all calls (1)
 *   calls=N   alone: how many (100000)
 *   step=N    alone: recount everything after so many (2000)
 *   table     alone: print what was called, how often, with what success
 *   slot=N    else: the place on the boards
 *   ref=N     else: domain 0's grants of the boards, from this one on
 *   vcpus=N   how many call (1)
 *   reckless  it need not survive
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/console.h"
#include "guests/lib/grant.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

static void alone(void)
{
    struct board *boards = pages_alloc(BOARD_PAGES);
    u64 seed = runtime_option_number("seed", 1), batched, calls;

    boards->present = true;
    fuzz_domain_init(boards, 0, 1);
    fuzz_run(seed, 1, runtime_option_number("calls", 100000), runtime_option_number("step", 2000));
    fuzz_domain_tidy();
    if (!fuzz_audit("at the end"))
        runtime_exit(SHUTDOWN_crash);
    calls = fuzz_calls(&batched);
    if (runtime_option("table", NULL, 0))
        fuzz_table();
    print("fuzz: seed %lu: %lu calls, and %lu in multicalls, audited %lu times\n", seed, calls, batched, fuzz_audits);
}

/* The boards, as domain 0 has granted them. */
static void *map_boards(u32 slot, u32 ref)
{
    u64 va = memory_reserve(BOARD_PAGES);

    for (u32 i = 0; i < BOARD_PAGES; i++) {
        u64 at = va + i * PAGE_SIZE;
        long handle;

        if (!memory_map(at, 0))
            panic("no place for the boards: %ld", memory_error);
        handle = grant_map(0, ref + i, at, i / BOARD_CPUS == slot ? 0 : GNTMAP_readonly);
        if (handle < 0)
            panic("board %u cannot be mapped: %ld", i, handle);
        if (fuzz.kept_handles <= (u32)handle)
            fuzz.kept_handles = (u32)handle + 1;
    }
    return (void *)va;
}

static void one_of_several(void)
{
    u32 slot = (u32)runtime_option_number("slot", 1), vcpus = (u32)runtime_option_number("vcpus", 1);
    void *boards = map_boards(slot, (u32)runtime_option_number("ref", 0));

    ASSERT(slot < BOARD_SLOTS && vcpus <= BOARD_CPUS);
    fuzz_keep_port(console_port());
    fuzz_keep_port(start_info->store_evtchn);
    fuzz.reckless = runtime_option("reckless", NULL, 0);
    fuzz_domain_init(boards, slot, vcpus);
    fuzz_run(runtime_option_number("seed", 1), vcpus, UINT64_MAX, UINT64_MAX);
    console_flush();
}

void guest_main(void)
{
    if (runtime_is_dom0())
        alone();
    else
        one_of_several();
}
