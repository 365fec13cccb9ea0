/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op: the loose frames are given back, taken again and exchanged, one by one and in runs.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/memory.h"
#include "guests/lib/string.h"

#define RUN 8u /* frames in one call, at most */

/* What a reservation or an exchange was about, behind its structure in the buffer. */
struct list {
    u64 entry[RUN];
    u32 index[RUN]; /* in the pool */
};

static bool learn_populate(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    struct xen_memory_reservation *r = call->buffer;
    struct list *list = (void *)(r + 1);

    (void)cpu;
    for (long i = 0; i < result && i < (long)RUN; i++)
        if (call->note[0] == DOMID_SELF && !r->extent_order)
            fuzz_set_frame(list->index[i], list->entry[i]);
    return result > 0;
}

static bool learn_decrease(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    struct xen_memory_reservation *r = call->buffer;
    struct list *list = (void *)(r + 1);

    (void)cpu;
    for (long i = 0; i < result && i < (long)RUN; i++)
        if (call->note[0] == DOMID_SELF && fuzz.mfn[list->index[i]] == list->entry[i])
            fuzz_set_frame(list->index[i], 0);
    /* Domain 0 has taken it away before. */
    if (!result && call->note[0] == DOMID_SELF && call->note[1] && call->arg[1] == (u64)r)
        fuzz_set_frame(list->index[0], 0);
    return result > 0;
}

/* Loose frames that are there, or places for some; each once.  Returns how many. */
static u32 some_places(struct fuzz_cpu *cpu, struct list *list, bool filled, u32 want)
{
    u32 n = 0, i = (u32)fuzz_below(cpu, BOARD_FRAMES);

    for (u32 tries = 0; tries < BOARD_FRAMES && n < want; tries++, i = (i + 1) % BOARD_FRAMES)
        if (!fuzz.mfn[i] != filled) {
            list->index[n] = i;
            list->entry[n++] = filled ? fuzz.mfn[i] : fuzz.pfn[i];
        }
    return n;
}

static u32 memory_flags(struct fuzz_cpu *cpu)
{
    if (!fuzz_one_in(cpu, 4))
        return 0;
    return fuzz_one_in(cpu, 2) ? (u32)fuzz_random(cpu) : XENMEMF_address_bits(20 + fuzz_below(cpu, 20));
}

/* Most places should be filled: all others play with these frames. */
static bool is_rich(void)
{
    u32 n = 0;

    for (u32 i = 0; i < BOARD_FRAMES; i++)
        n += fuzz.mfn[i] != 0;
    return n > BOARD_FRAMES * 2 / 3;
}

/* Whose memory: for domain 0 also another's, which then has something to find. */
static u16 whose(struct fuzz_cpu *cpu)
{
    return fuzz_one_in(cpu, fuzz.dom0 ? 12 : 40) ? fuzz_domid(cpu) : DOMID_SELF;
}

static bool gen_reservation(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct xen_memory_reservation *r = fuzz_buffer(cpu, sizeof *r + sizeof(struct list));
    struct list *list = (void *)(r + 1);
    bool give = fuzz_one_in(cpu, is_rich() ? 2 : 6);
    u16 domid = whose(cpu);
    const struct board *peer;

    r->nr_extents = some_places(cpu, list, give, 1 + (u32)fuzz_below(cpu, 3));
    if (!r->nr_extents)
        return false;
    if (give && domid != DOMID_SELF) { /* its own frames, as far as they are known, or nobody's */
        peer = fuzz_peer(cpu);
        for (u32 i = 0; i < r->nr_extents; i++)
            list->entry[i] = peer ? peer->mfn[fuzz_below(cpu, BOARD_FRAMES)] : 0;
        if (peer)
            domid = peer->domid;
    }
    r->domid = domid;
    r->mem_flags = memory_flags(cpu);
    /* No runs: there is no place for each of their frames. */
    if (!give && fuzz_one_in(cpu, 12))
        r->extent_order = 19 + (u32)fuzz_below(cpu, 60);
    r->extent_start.p = (void *)fuzz_pointer(cpu, list->entry);
    if (fuzz_one_in(cpu, 40))
        r->nr_extents = fuzz_one_in(cpu, 2) ? ~0ul >> fuzz_below(cpu, 12) : 0;
    call->buffer = r;
    call->note[0] = domid == fuzz.domid ? DOMID_SELF : domid;
    call->note[1] = r->extent_start.p == list->entry && r->nr_extents && r->nr_extents <= RUN;
    call->learn = give ? learn_decrease : learn_populate;
    fuzz_call_set(call, __HYPERVISOR_memory_op, give ? XENMEM_decrease_reservation : XENMEM_populate_physmap,
                  give ? XENMEM_decrease_reservation : XENMEM_populate_physmap, (u64)r, 0);
    if (fuzz_one_in(cpu, 60)) /* as if it went on */
        call->arg[0] |= fuzz_below(cpu, 8) << 6;
    return true;
}

struct swap {
    struct xen_memory_exchange e;
    struct list in, out;
};

static bool learn_exchange(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    struct swap *s = call->buffer;
    u64 ins = s->e.nr_exchanged << s->e.in.extent_order, outs = ins >> s->e.out.extent_order;

    (void)cpu;
    for (u64 i = 0; i < outs && i < RUN; i++)
        for (u64 k = 0; k < 1ul << s->e.out.extent_order; k++) {
            u64 at = (i << s->e.out.extent_order) + k;

            if (at < RUN)
                fuzz_set_frame(s->in.index[at], s->out.entry[i] + k);
        }
    return result == 0;
}

static bool gen_exchange(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct swap *s = fuzz_buffer(cpu, sizeof *s);
    u32 order = (u32)fuzz_below(cpu, 3), runs = 1 + (u32)fuzz_below(cpu, 2), n;

    n = some_places(cpu, &s->in, true, runs << order);
    if (n < runs << order)
        return false;
    for (u32 i = 0; i < runs; i++)
        s->out.entry[i] = fuzz.pfn[s->in.index[i << order]];
    s->e.in = (struct xen_memory_reservation){.nr_extents = n, .domid = DOMID_SELF};
    s->e.out = (struct xen_memory_reservation){
        .nr_extents = runs, .extent_order = order, .mem_flags = memory_flags(cpu), .domid = DOMID_SELF};
    s->e.in.extent_start.p = (void *)fuzz_pointer(cpu, s->in.entry);
    s->e.out.extent_start.p = (void *)fuzz_pointer(cpu, s->out.entry);
    if (fuzz_one_in(cpu, 20)) /* what is not ours to give, or not to have: none of it must go */
        s->in.entry[fuzz_below(cpu, n)] = fuzz.window_entry >> PAGE_SHIFT;
    if (fuzz_one_in(cpu, 30))
        s->e.in.domid = s->e.out.domid = fuzz.dom0 ? DOMID_INVALID : fuzz_domid(cpu);
    if (fuzz_one_in(cpu, 30))
        s->e.out.nr_extents = fuzz_random(cpu) >> fuzz_below(cpu, 64);
    if (fuzz_one_in(cpu, 60))
        s->e.out.extent_order = (u32)fuzz_random(cpu);
    call->buffer = s;
    call->learn = learn_exchange;
    fuzz_call_set(call, __HYPERVISOR_memory_op, XENMEM_exchange, XENMEM_exchange, (u64)s, 0);
    return true;
}

/* Those that tell something: a buffer large enough for any of them. */
static bool gen_other(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {XENMEM_maximum_ram_page,   XENMEM_current_reservation,  XENMEM_maximum_reservation,
                                  XENMEM_maximum_gpfn,       XENMEM_machphys_mfn_list,    XENMEM_machphys_mapping,
                                  XENMEM_memory_map,         XENMEM_machine_memory_map,   XENMEM_add_to_physmap,
                                  XENMEM_remove_from_physmap, XENMEM_add_to_physmap_batch, XENMEM_claim_pages,
                                  XENMEM_get_vnumainfo,      XENMEM_get_pod_target,       XENMEM_access_op};
    u64 *arg = fuzz_buffer(cpu, 256);
    u32 command = fuzz_one_in(cpu, 12) ? (u32)fuzz_below(cpu, 64) : FUZZ_PICK(cpu, commands);

    /* Not the two that change what one has, and may forget it (0: increase, without a place for it). */
    if (command <= XENMEM_populate_physmap || command == XENMEM_exchange)
        command = XENMEM_maximum_ram_page;
    arg[0] = command == XENMEM_memory_map || command == XENMEM_machine_memory_map ||
                     command == XENMEM_machphys_mfn_list
                 ? fuzz_below(cpu, 8)
                 : fuzz_domid(cpu);
    arg[1] = fuzz_pointer(cpu, arg + 4);
    fuzz_call_set(call, __HYPERVISOR_memory_op, command, command, (u64)arg, 0);
    return true;
}

fuzz_generator fuzz_gen_memory(struct fuzz_cpu *cpu)
{
    switch (fuzz_below(cpu, 8)) {
    case 0: case 1: case 2: case 3:
        return gen_reservation;
    case 4: case 5:
        return gen_exchange;
    }
    return gen_other;
}
