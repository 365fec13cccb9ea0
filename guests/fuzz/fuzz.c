/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls about memory: tables are filled, pinned, changed, unpinned, exchanged and given
 * back without sense, in a small pool of frames so that it often fits.  On the audit build of
 * Paravane's hypervisor hypercall 63 recounts everything now and then.  A timer often runs out in
 * the middle of a call, so that it has to stop and go on.
 *
 *   seed=N    what is called (1)
 *   calls=N   how many calls (100000)
 *   step=N    recount after every N calls (2000)
 */
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define POOL 24
#define AUDIT 63

static u64 state, mfns[POOL], window;
static u64 pfns[POOL];

static u64 rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull >> 8;
}

static u64 below(u64 n) { return rnd() % n; }

static u64 option(const char *name, u64 otherwise)
{
    size_t n = strlen(name);

    for (const char *s = (const char *)start_info->cmd_line; *s; s++)
        if (!strncmp(s, name, n) && s[n] == '=') {
            u64 value = 0;

            for (s += n + 1; *s >= '0' && *s <= '9'; s++)
                value = value * 10 + (u64)(*s - '0');
            return value;
        }
    return otherwise;
}

/* Mostly a frame of the pool, now and then any number. */
static u64 some_mfn(void)
{
    static const u64 odd[] = {0, 1, 0x200, 0xfee00, 0xfec00, 0xf0, ~0ull >> 12, 1ull << 28, 0xffffff};

    if (below(40) == 0)
        return odd[below(9)];
    if (below(60) == 0)
        return below(0x20000);
    if (below(60) == 0)
        return start_info->shared_info >> 12;
    return mfns[below(POOL)];
}

static u64 some_entry(void)
{
    u64 e = some_mfn() << 12 | 1;

    if (below(4) == 0)
        return 0;
    if (below(3))
        e |= 2;
    if (below(2))
        e |= 4;
    e |= below(8) == 0 ? rnd() & 0xfff : 0x20;
    if (below(16) == 0)
        e |= rnd() & 0xfff0000000000000ull;
    return e;
}

static long change(void)
{
    mmu_update_t r[4];
    u32 done = 0, n = 1 + (u32)below(4);

    for (u32 i = 0; i < n; i++) {
        u64 slot = below(3) ? below(6) : below(512);

        r[i].ptr = some_mfn() << 12 | slot << 3 | (below(12) == 0 ? below(8) : 0);
        r[i].val = some_entry();
        if (below(50))	/* mostly the pool: the rest of our memory is needed */
            r[i].ptr = mfns[below(POOL)] << 12 | (r[i].ptr & 0xfff);
        else
            r[i].ptr = below(256) << 12 | (r[i].ptr & 0xfff);
        if ((r[i].ptr & 7) == 1)	/* the machine-to-phys table: not for others' sake */
            r[i].ptr &= ~7ull;
    }
    return hypercall_mmu_update(r, n, below(2) ? &done : NULL, below(20) ? DOMID_SELF : (u32)rnd());
}

static long extended(void)
{
    static const u8 cmds[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 6, 7, 10, 12, 13, 15, 16, 17, 18, 19, 30};
    struct mmuext_op op[3];
    u32 n = 1 + (u32)below(3);

    for (u32 i = 0; i < n; i++) {
        op[i].cmd = cmds[below(sizeof(cmds))];
        op[i].arg1.mfn = op[i].cmd == 13 ? window : some_mfn();
        op[i].arg2.src_mfn = op[i].cmd == 13 ? below(9000) : some_mfn();
        if (op[i].cmd == 16 || op[i].cmd == 17)	/* not our own memory beyond the pool */
            op[i].arg1.mfn = mfns[below(POOL)];
    }
    return hypercall_mmuext_op(op, n, NULL, DOMID_SELF);
}

static long give_and_take(void)
{
    u32 i = (u32)below(POOL);
    u64 frame = mfns[i];
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
                                    .out = {.nr_extents = 1, .domid = DOMID_SELF}};
    u64 out = pfns[i], ins[2] = {mfns[i], mfns[below(POOL)]}, outs[2] = {pfns[i], pfns[i]};

    if (below(2)) {
        u32 n = 1 + (u32)below(2);

        e.in.nr_extents = e.out.nr_extents = n;
        e.in.extent_start.p = ins;
        e.out.extent_start.p = outs;
        if (hypercall_memory_op(XENMEM_exchange, &e) == 0 || e.nr_exchanged)
            mfns[i] = outs[0];
        return 0;
    }
    r.extent_start.p = &frame;
    if (hypercall_memory_op(XENMEM_decrease_reservation, &r) != 1)
        return 0;
    r.extent_start.p = &out;
    if (hypercall_memory_op(XENMEM_populate_physmap, &r) == 1)
        mfns[i] = out;
    return 0;
}

static long step(void)
{
    u64 frames[3], va = window + below(POOL) * 4096;

    switch (below(16)) {
    case 0: case 1: case 2: case 3: case 4: case 5:
        return change();
    case 6: case 7: case 8: case 9:
        return extended();
    case 10: case 11:
        return hypercall_update_va_mapping(va, some_entry(), below(3));
    case 12:
        for (u32 i = 0; i < 3; i++)
            frames[i] = some_mfn();
        return hypercall_set_gdt(frames, (u32)below(1600));
    case 13:
        return hypercall_update_descriptor(mfns[below(POOL)] << 12 | below(512) << 3, rnd());
    case 14:
        return give_and_take();
    }
    if (below(8) == 0)	/* anything, to the calls that cannot end us */
        return hypercall((u64[]){1, 2, 10, 12, 14, 22, 26, 17, 20, 32, 33, 8, 9}[below(13)], rnd(), rnd(), rnd(), rnd(), rnd());
    return 0;
}

void guest_main(void)
{
    u64 calls = option("calls", 100000), every = option("step", 2000), good = 0, seed = option("seed", 1);
    bool audits = hypercall(AUDIT, 0, 0, 0, 0, 0) == 0;

    state = seed * 0x9e3779b97f4a7c15ull | 1;
    window = memory_reserve(POOL);
    for (u32 i = 0; i < POOL; i++) {
        void *page = page_alloc();

        pfns[i] = memory_virt_to_pfn(page);
        mfns[i] = memory_virt_to_mfn(page);
        hypercall_update_va_mapping((u64)page, 0, 2);
        hypercall_update_va_mapping(window + i * 4096, 0, 2);
    }
    for (u64 i = 1; i <= calls; i++) {
        if (below(2))	/* an interrupt in the middle of what follows */
            hypercall_set_timer_op(clock_system_ns() + 200 + below(4000));
        good += step() == 0;
        if (audits && i % every == 0 && hypercall(AUDIT, 0, 0, 0, 0, 0)) {
            print("fuzz: seed %lu: the books are wrong after %lu calls\n", seed, i);
            return;
        }
    }
    print("fuzz: seed %lu: %lu calls, %lu of them good%s\n", seed, calls, good, audits ? ", audited" : "");
}
