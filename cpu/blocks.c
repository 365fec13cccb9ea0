/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block hook's slow half: what a block of translated code contains is looked up, and whether it may
 * run now, and whole.
 *
 * 1. The library calls the block hook with the linear address and size of every block it
 *    executes.  The hook (engine_hook.c) finds most of them in the FRONT cache, by linear address.
 * 2. A miss comes here, and is answered from the STORE (block_store.c).
 *
 * Invariants (those of the two caches are in block_store.c)
 *  (3) A block with a special instruction never runs: the engine is stopped before it, or
 *      (special instruction not the first) the block is translated again, cut before it.
 *  (4) Blocks that may change the code's mode, or what check.c looks at, are never in the front
 *      cache; after one the mode is unknown, so that the next block misses and both are looked
 *      at.
 *  (5) A block that begins with an execution point is in the front cache with a mark that makes it
 *      miss, and no block contains one further inside.
 */
#include "cpu/blocks.h"
#include "cpu/run.h"

/* ---- counting ---- */

static void count(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    c->ring[c->blocks++ % CPU_RING] = cpu_key(c, va, size);
    c->insns += insns;
    c->left -= cost;
}

static void uncount(struct cpu *c, uint32_t insns, uint32_t cost)
{
    c->blocks--;
    c->insns -= insns;
    c->left += cost;
}

/* Whether the counted block at hand may run whole.  Otherwise it is not counted and the engine
 * stops before it. */
static bool may_run(struct cpu *c, uint32_t insns, uint32_t cost)
{
    if (base_unlikely(c->stopping)) {
        uncount(c, insns, cost);
        return false;
    }
    if (base_likely(c->left >= 0) && c->insns <= c->insn_limit)
        return true;
    if (cpu_now(c) > c->target || c->insns > c->insn_limit) {
        uncount(c, insns, cost);
        c->must_step = true;
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    if (cpu_can_interrupt(c)) {
        uncount(c, insns, cost);
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    return true;
}

/* The counted block at hand runs now: its pages have been fetched from.  Returns: false when it does
 * not run after all. */
static bool have_fetched(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    enum tlb_fetch result = tlb_fetch(c, va, size, insns == 1);

    if (result == TLB_FETCHED) {
        cpu_arm(c);
        return true;
    }
    uncount(c, insns, cost);
    c->must_step = result == TLB_STEP;
    engine_stop(c, result == TLB_STEP ? WHY_BOUNDARY : WHY_NO_FETCH);
    return false;
}

void blocks_due(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    if (c->iret_ends_nmi && !c->stopping) {
        c->iret_ends_nmi = false;
        cpu_loaded(c)->nmi_blocked = false;
    }
    if (may_run(c, insns, cost) && c->ahead)
        have_fetched(c, va, size, insns, cost);
}

/*
 * One instruction by TF: the caller has decoded it.  A second block means that the library did
 * not trap after it (MOV SS, PAUSE), and is not run; or, at the same place, that it stored into
 * itself and is executed once more.
 */
static void count_step(struct cpu *c, uint64_t va, uint32_t size)
{
    struct block_place p;

    if (!c->step_blocks && tlb_fetch(c, va, size, true) == TLB_FAULT) {
        engine_stop(c, WHY_NO_FETCH);
    } else if (c->step_blocks++ == 0) {
        c->step_va = va;
        count(c, va, size, 1, c->step_cost);
        c->parts++;
        c->step_block = c->blocks;
        block_forget_frames(c);
        if (block_locate(c, va, size, &p) && block_is_mixed(c, &p))
            block_keep_frames(c, &p);
    } else if (va != c->step_va) {
        engine_stop(c, WHY_BOUNDARY);
    } else {
        block_undo_part(c);
    }
}


/*
 * The counted block at hand is going to run, and begins with an execution point.  Observers see all
 * before the block and nothing of it.
 * Returns: false when it does not run now after all: for a stop, or for a point that was added
 *          inside it.  It comes here again, and execpoint_fire() knows that.
 */
static bool tell_points(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    uint64_t generation = c->points.generation, inside;

    uncount(c, insns, cost);
    execpoint_fire(c, va);
    if (c->stop_requested ||
        (c->points.generation != generation && execpoint_first(c, va + 1, size - 1, &inside))) {
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    count(c, va, size, insns, cost);
    return true;
}

/* A block that the front cache knows to begin with an execution point. */
static bool run_marked(struct cpu *c, uint64_t va, uint32_t size)
{
    const struct cpu_front *e = &c->front[CPU_FRONT_INDEX(va)];
    uint32_t insns = e->insns, cost = e->cost;

    if (e->key != (cpu_key(c, va, size) ^ CPU_KEY_POINT) || c->cutting || c->iret_ends_nmi)
        return false;
    count(c, va, size, insns, cost);
    if (may_run(c, insns, cost) && tell_points(c, va, size, insns, cost) && c->ahead)
        have_fetched(c, va, size, insns, cost);
    return true;
}

/* Where the block has to end earlier; UINT64_MAX: it need not. */
static uint64_t cut_before(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                           const struct block_place *p, bool mixed)
{
    uint64_t cut = UINT64_MAX, point;

    if (b->cut_at > 0)
        cut = va + (uint32_t)b->cut_at;
    else if (mixed && block_is_lone_store(b) && b->last_at && !block_calls_elsewhere(c, b, p))
        cut = va + b->last_at;
    if (base_unlikely(c->points.count) && execpoint_first(c, va + 1, size - 1, &point))
        cut = MIN(cut, point);
    return cut;
}

/* The library does not trap after PAUSE, so that it is stepped under TF: where it lies behind a POPF,
 * each time has to be looked whether that has set TF. */
static bool pause_follows(struct cpu *c, uint64_t va)
{
    struct cpu_insn insn;
    uint8_t bytes[15];
    size_t n = cpu_fetch_bytes(c, c->current, va, bytes, sizeof(bytes));

    return cpu_decode(cpu_code_mode(env_load(c)), bytes, n, va, &insn) && insn.map == 0 &&
           insn.opcode == 0x90 && insn.rep;
}

/* A block that nothing keeps from running, unless it is too long.  Returns: whether it runs. */
static bool run_block(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                      bool mixed)
{
    uint64_t mark = 0, point;

    count(c, va, size, b->insns, b->cost);
    if (!may_run(c, b->insns, b->cost))
        return false;
    if (base_unlikely(c->points.count) && execpoint_first(c, va, 1, &point)) {
        if (!tell_points(c, va, size, b->insns, b->cost))
            return false;
        mark = execpoint_first(c, va, 1, &point) ? CPU_KEY_POINT : 0; /* an observer may remove it */
    }
    if ((mixed || c->ahead) && !have_fetched(c, va, size, b->insns, b->cost))
        return false;
    if (b->flags & CPU_INSN_LOADS_CR3) {
        c->cr3_block = c->blocks;
    } else if (b->flags & CPU_INSN_FAR) {
        c->iret_ends_nmi = (b->flags & CPU_INSN_IRET) && cpu_loaded(c)->nmi_blocked;
        c->mode_key = CPU_KEY_MODE_UNKNOWN;
    } else if ((b->flags & CPU_INSN_LOADS_FLAGS) &&
               (env_cpl(env_load(c)) == 3 || pause_follows(c, va + size))) {
        c->mode_key = CPU_KEY_MODE_UNKNOWN; /* POPF may set AC, or TF */
    } else if (!mixed && !(b->flags & CPU_INSN_FSGS)) {
        block_front_fill(c, va, size, b, mark);
    }
    return true;
}

/* Blocks around the end of the address space are stepped: outside 64-bit mode the library lets the
 * instruction pointer grow beyond 4 GiB, and ranges of addresses are ranges elsewhere. */
static bool goes_around(struct cpu *c, uint64_t va, uint32_t size)
{
    uint32_t eip;

    if (c->mode_key >> CPU_KEY_MODE_SHIFT == CPU_MODE_64)
        return va + size < va;
    eip = (uint32_t)(va - env_load(c)->segs[CPU_CS].base);
    return (va + size) >> 32 || ((uint64_t)eip + size) >> 32;
}

/*
 * RF lasts for one instruction, in the library for one block, and its PUSHF shows it.  So it is
 * dropped when a block begins to run.  Nobody looks at it during its first instruction: there is
 * no breakpoint in this block.  The portable view cannot drop it here: the instruction is stepped.
 */
void blocks_miss(struct cpu *c, uint64_t va, uint32_t size)
{
    const struct cpu_block *b;
    uint64_t flags = 0;
    struct block_place p;
    bool mixed;

    if (c->stopping)
        return;
    if (base_unlikely(c->looking)) {
        engine_stop(c, tlb_fetch(c, va, size, true) == TLB_FAULT ? WHY_NO_FETCH : WHY_BOUNDARY);
        return;
    }
    if (base_unlikely(c->points.count) && run_marked(c, va, size))
        return;
    if (c->mode_key == CPU_KEY_MODE_UNKNOWN) {
        const struct cpu_env *env = env_load(c);

        if (!c->stepping && cpu_must_check(c)) {
            c->checking = true;
            engine_stop(c, WHY_BOUNDARY);
            return;
        }
        c->mode_key = (uint64_t)cpu_code_mode(env) << CPU_KEY_MODE_SHIFT;
        flags = env->eflags & (FLAG_TF | FLAG_RF);
    }
    if (c->stepping) {
        count_step(c, va, size);
        c->mode_key = CPU_KEY_MODE_UNKNOWN;
        return;
    }
    if ((flags & FLAG_TF) || goes_around(c, va, size) || (c->watch.exec && debug_in_block(c, va, size))) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (c->iret_ends_nmi) {
        c->iret_ends_nmi = false;
        cpu_loaded(c)->nmi_blocked = false;
    }
    if (!block_locate(c, va, size, &p)) { /* the mapping went away under a stale TLB entry */
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    mixed = block_is_mixed(c, &p);
    b = block_at(c, va, size, &p);
    if (b->cut_at == 0) {
        engine_stop(c, WHY_SPECIAL);
        return;
    }
    c->cut_va = cut_before(c, va, size, b, &p, mixed);
    if (c->cut_va != UINT64_MAX) {
        engine_stop(c, WHY_CUT);
        return;
    }
    if ((b->flags & CPU_INSN_GUARDED) && !cpu_far_is_plain(c, p.first, size)) {
        engine_stop(c, WHY_SPECIAL);
        return;
    }
    if ((b->flags & CPU_INSN_FSGS) && cpu_must_check_fsgs(c)) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (c->cutting)
        engine_cut(c, 0);
    c->cut_tries = 0;
    if ((flags & FLAG_RF) && c->portable && b->insns > 1) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (mixed) {
        block_uncount_aborted(c, va, size, b);
        block_forget_frames(c);
        if (b->flags & CPU_INSN_MODIFIES_MEM)
            block_keep_frames(c, &p);
    }
    if (run_block(c, va, size, b, mixed)) {
        if ((flags & FLAG_RF) && !c->portable)
            c->env->eflags &= ~(uint64_t)FLAG_RF;
    } else if (flags & FLAG_RF) {
        c->mode_key = CPU_KEY_MODE_UNKNOWN; /* look at it again */
    }
}
