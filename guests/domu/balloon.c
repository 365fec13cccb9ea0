/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/balloon.h"

#include "guests/domu/store.h"
#include "guests/domu/task.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/heap.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

/* What the balloon leaves to the kernel, whatever the target says. */
#define KEEP_PAGES 64u
#define RETRY_NS   100000000ul

#define NO_MFN (~0ul)

static u64 *holes; /* their pfns */
static u64 hole_count;
static char target_channel;
static bool target_changed;

static void add_hole(u64 pfn)
{
    memory_set_p2m(pfn, NO_MFN);
    holes[hole_count++] = pfn;
}

u64 balloon_take_page(void *page)
{
    u64 pfn = memory_virt_to_pfn(page), mfn = memory_pfn_to_mfn(pfn);

    memory_unmap(page);
    add_hole(pfn);
    return mfn;
}

bool balloon_make_hole(void)
{
    struct xen_memory_reservation release = {.nr_extents = 1, .domid = DOMID_SELF};
    void *page = page_count_free() > KEEP_PAGES ? page_try_alloc() : NULL;
    u64 mfn;
    long done;

    if (!page)
        return false;
    mfn = balloon_take_page(page);
    set_xen_guest_handle(release.extent_start, &mfn);
    done = hypercall_memory_op(XENMEM_decrease_reservation, &release);
    if (done == 1)
        return true;
    panic("the hypervisor does not take frame %lx back: %ld", mfn, done);
}

/* Make the page of the newest hole usable again. */
static void *close_hole(u64 mfn)
{
    u64 pfn = holes[hole_count - 1];
    void *page = memory_pfn_to_virt(pfn);

    memory_set_p2m(pfn, mfn);
    if (memory_protect(page, MEMORY_RW)) {
        memory_set_p2m(pfn, NO_MFN);
        return NULL;
    }
    hole_count--;
    return page;
}

void *balloon_fill_hole(u64 mfn)
{
    mmu_update_t update = {(mfn << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, holes[hole_count - 1]};

    if (hypercall_mmu_update(&update, 1, NULL, DOMID_SELF))
        return NULL;
    return close_hole(mfn);
}

/* Ask for a frame for a hole. */
static bool populate(void)
{
    struct xen_memory_reservation ask = {.nr_extents = 1, .domid = DOMID_SELF};
    u64 frame = holes[hole_count - 1];
    void *page;

    set_xen_guest_handle(ask.extent_start, &frame);
    if (hypercall_memory_op(XENMEM_populate_physmap, &ask) != 1)
        return false;
    page = close_hole(frame);
    if (!page)
        panic("a frame that was given cannot be mapped");
    page_free(page);
    return true;
}

/* How many holes the target asks for. */
static u64 wanted_holes(void)
{
    u64 kib = store_read_number("memory/target", start_info->nr_pages * 4), pages = kib / 4;

    return pages < start_info->nr_pages ? start_info->nr_pages - pages : 0;
}

static bool adjust(u64 want)
{
    while (hole_count < want)
        if (!balloon_make_hole())
            return false;
    while (hole_count > want)
        if (!populate())
            return false;
    return true;
}

static void balloon_thread(void *arg)
{
    u64 before = 0;

    (void)arg;
    for (;;) {
        u64 want = wanted_holes(), kib;

        target_changed = false;
        if (!adjust(want)) {
            task_sleep_on(&target_channel, clock_system_ns() + RETRY_NS);
            continue;
        }
        /* A transfer makes or fills a hole, too; that is no news. */
        if (before != want) {
            before = want;
            kib = (start_info->nr_pages - hole_count) * 4;
            print("balloon: %lu KiB\n", kib);
            console_flush();
            store_write_number("data/balloon", kib);
        }
        while (!target_changed)
            task_sleep_on(&target_channel, TASK_NEVER);
    }
}

void balloon_target_changed(void)
{
    target_changed = true;
    task_wake(&target_channel);
}

void balloon_start(void)
{
    holes = heap_alloc(start_info->nr_pages * sizeof *holes);
    if (!holes)
        panic("no memory for the balloon's list");
    task_start_thread("balloon", balloon_thread, NULL);
}
