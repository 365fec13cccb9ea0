/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that store into themselves.
 *
 * Writes to MIXED frames go unseen by the W^X states, and the library's own answer to a store into the
 * block that runs is to leave it, sometimes with the store half done: here what has been counted too
 * much, or stored in part, is taken back.
 */
#include <string.h>

#include "cpu/blocks.h"
#include "cpu/run.h"

/* Stores that may lead to themselves, by repeating or by calling: in MIXED frames they have a block
 * of their own, see below. */
bool block_is_lone_store(const struct cpu_block *b)
{
    return (b->last_flags & (CPU_INSN_REP | CPU_INSN_BRANCH)) &&
           (b->last_flags & CPU_INSN_WRITES_MEM);
}

/* May linear @page be one of the block's frames?  What is not mapped may. */
static bool may_be_own(struct cpu *c, uint64_t page, const struct block_place *p)
{
    struct mmu_translation t;
    struct mmu_regs regs;
    struct tlb_page known;
    uint64_t pa;

    cpu_mmu_regs(c, c->current, &regs);
    if (tlb_find(c, &regs, page << PAGE_SHIFT, MMU_WRITE, &known))
        pa = known.pa;
    else if (mmu_walk(c->ram, &regs, GVA(page << PAGE_SHIFT), MMU_WRITE | MMU_PROBE | MMU_ANY, &t) == MMU_OK)
        pa = t.pa.v;
    else
        return true;
    return pa >> PAGE_SHIFT == p->pa >> PAGE_SHIFT || (p->second && pa >> PAGE_SHIFT == p->pa2 >> PAGE_SHIFT);
}

/* Code that patches its neighbours (Linux: alternatives) is MIXED for as long as it does, and calls a
 * lot; a call of its own takes two stops of the engine. */
bool block_calls_elsewhere(struct cpu *c, const struct cpu_block *b, const struct block_place *p)
{
    uint64_t rsp = env_load(c)->regs[4], room = 8ull * (b->insns + 1u);

    if (b->flags & CPU_INSN_NAMES_RSP || b->last_flags & CPU_INSN_REP ||
        c->mode_key >> CPU_KEY_MODE_SHIFT != CPU_MODE_64)
        return false;
    for (uint64_t page = (rsp - room) >> PAGE_SHIFT; page <= (rsp + room) >> PAGE_SHIFT; page++)
        if (may_be_own(c, page, p))
            return false;
    return true;
}

/* Does an instruction of the block that ran last begin at linear @va? */
static bool ran_last(struct cpu *c, uint64_t va)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], start = cpu_key_va(key);
    uint32_t size = cpu_key_size(key);
    uint8_t bytes[2 * PAGE_SIZE];
    struct block_place p;

    if (c->left_block == c->blocks || va < start || va >= start + size || !block_last_place(c, &p))
        return false;
    block_copy_bytes(&p, size, bytes);
    return cpu_decode_boundary(cpu_key_mode(key), bytes, size, va - start);
}

void block_keep_frames(struct cpu *c, const struct block_place *p)
{
    struct block_copies *b = c->copies;

    b->count = 0;
    b->mfn[b->count] = p->pa >> PAGE_SHIFT;
    memcpy(b->page[b->count++], p->first - (p->pa & PAGE_MASK), PAGE_SIZE);
    if (!p->second)
        return;
    b->mfn[b->count] = p->pa2 >> PAGE_SHIFT;
    memcpy(b->page[b->count++], p->second, PAGE_SIZE);
}

void block_forget_frames(struct cpu *c)
{
    c->copies->count = 0;
}

/*
 * The library stores byte by byte what is not aligned, and may leave a block it stores into with
 * some of the bytes stored: an instruction that adds to what is there would add to them twice.
 */
void block_undo_part(struct cpu *c)
{
    const struct block_copies *b = c->copies;
    struct cpu_piece piece[CPU_PIECES_MAX];
    struct cpu_access a[CPU_ACCESSES_MAX];
    struct cpu_insn insn;
    struct cpu_exc exc;
    uint8_t bytes[15];
    unsigned n, pieces;

    if (!b->count || !cpu_fetch_insn(c, &insn) || !(insn.flags & CPU_INSN_MODIFIES_MEM))
        return;
    n = cpu_decode_accesses(cpu_code_mode(c->env), bytes,
                            cpu_fetch_bytes(c, c->current, cpu_linear_rip(c->env), bytes, 15), a);
    for (unsigned i = 0; i < n; i++) {
        if (!a[i].read || !a[i].write)
            continue;
        pieces = cpu_mem_split(c, cpu_access_address(c, &insn, &a[i]), a[i].bytes,
                               CPU_MEM_EXPLICIT, MMU_WRITE | MMU_PROBE, false, piece, &exc);
        for (unsigned k = 0; k < pieces; k++)
            for (unsigned m = 0; m < b->count; m++)
                if (piece[k].pa >> PAGE_SHIFT == b->mfn[m])
                    memcpy(c->ram->host + piece[k].pa, b->page[m] + (piece[k].pa & PAGE_MASK),
                           piece[k].size);
    }
}

bool block_is_mixed(const struct cpu *c, const struct block_place *p)
{
    return ((c->ram->frame[p->pa >> PAGE_SHIFT] |
             (p->second ? c->ram->frame[p->pa2 >> PAGE_SHIFT] : 0)) & MMU_FRAME_MIXED) != 0;
}

/*
 * A store into its own block makes the library leave the block, execute the storing
 * instruction alone, and go on behind it: take the instructions back that are about to be
 * executed a second time, or were not executed at all.
 *
 * A round of a REP instruction, or a call of a call to itself, looks like that, too: such
 * instructions have a block of their own in MIXED frames (see blocks_miss), and rCX or rSP says
 * whether the one before was executed.  When it has overwritten itself, what follows at its address is
 * something else; so is what follows a step, which ends behind the store whatever it was.
 */
void block_uncount_aborted(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b)
{
    uint64_t reg, key = c->ring[(c->blocks - 1) % CPU_RING], start = cpu_key_va(key);

    if (!c->blocks || b->insns != 1 || !(b->flags & CPU_INSN_WRITES_MEM))
        return;
    if (!block_is_lone_store(b)) {
        if (c->lone_blocks != c->blocks && c->step_block != c->blocks && ran_last(c, va)) {
            c->parts += va + size < start + cpu_key_size(key) ? 2 : 1;
            blocks_uncount_tail(c, va);
            block_undo_part(c);
        }
        return;
    }
    reg = env_load(c)->regs[b->flags & CPU_INSN_REP ? 1 : 4];
    if (c->lone_blocks == c->blocks && start == va && c->lone_reg == reg) {
        blocks_uncount_tail(c, va);
        c->parts++;
    }
    c->lone_reg = reg;
    c->lone_blocks = c->blocks + 1; /* with the one that begins now */
}
