/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control transfers whose checks the library leaves out.
 *
 * Near branches of 64-bit code run as they are.  One with a non-canonical target is noticed
 * when the target cannot be fetched, and taken back then (SDM 2A CALL, JMP; 2B RET): the
 * fault belongs to the branch.
 *
 * IRET and SYSRET are frequent.  They are blocks of their own, and cpu_far_is_plain() looks
 * before each: what is plain runs at full speed.  The others, and all other far transfers of
 * 64-bit code, are executed alone: registers saved, the library's turn, a look at where it
 * went, and back with an exception if it should not have gone there.
 */
#include "cpu/run.h"

#include <string.h>

#include "cpu/segment.h"

static const struct cpu_exc general_protection = {.vector = EXC_GP, .has_error = true};

/* ---- near branches ---- */

static void undo_stack(struct cpu_env *env, const struct cpu_insn *insn)
{
    bool group_5 = insn->opcode == 0xff;

    if (insn->map != 0)
        return;
    if (insn->opcode == 0xe8 || (group_5 && insn->modrm_reg == 2))
        env->regs[4] += 8;
    else if (insn->opcode == 0xc3)
        env->regs[4] -= 8;
    else if (insn->opcode == 0xc2)
        env->regs[4] -= 8 + (insn->imm & 0xffff);
    else if (insn->opcode >= 0xe0 && insn->opcode <= 0xe2) /* LOOP */
        env->regs[1] = insn->address_bytes == 4 ? (uint32_t)(env->regs[1] + 1) : env->regs[1] + 1;
}

/* The instruction before RIP, at the end of the block that ran last. */
static bool last_insn(struct cpu *c, struct cpu_insn *insn, uint64_t *at)
{
    uint8_t bytes[15];
    size_t n;

    if (!blocks_last_insn(c, at))
        return false;
    n = cpu_fetch_bytes(c, c->current, *at, bytes, sizeof(bytes));
    return cpu_decode(CPU_MODE_64, bytes, n, *at, insn);
}

void cpu_undo_branch(struct cpu *c)
{
    struct cpu_env *env = env_load(c);
    struct cpu_insn insn;
    uint64_t at;

    if (!last_insn(c, &insn, &at) || !(insn.flags & CPU_INSN_BRANCH) ||
        (insn.flags & CPU_INSN_FAR) || at + insn.length == env->eip)
        return;
    undo_stack(env, &insn);
    env->eip = at;
    blocks_uncount_tail(c, at);
}

bool cpu_undo_mov_cr3(struct cpu *c)
{
    struct cpu_env *env = env_load(c);
    struct cpu_insn insn;
    uint64_t at, bad = env->cr[3];

    env->cr[3] = c->good_cr3;
    if (!last_insn(c, &insn, &at) || insn.kind != CPU_KIND_MOV_TO_CR || insn.creg != 3 ||
        at + insn.length != env->eip) {
        env->cr[3] = bad;
        return false;
    }
    env->eip = at;
    blocks_uncount_tail(c, at);
    cpu_flush_tlb(c);
    return true;
}

/* ---- what the frequent ones are allowed to skip ---- */

/* RAM within one page; no side effects. */
static bool peek(struct cpu *c, uint64_t va, unsigned bytes, bool implicit, void *out)
{
    struct mmu_translation t;
    struct mmu_regs regs;

    if ((va & PAGE_MASK) + bytes > PAGE_SIZE)
        return false;
    cpu_mmu_regs(c, c->current, &regs);
    regs.implicit = implicit;
    return mmu_walk(c->ram, &regs, GVA(va), MMU_READ | MMU_PROBE, &t) == MMU_OK &&
           mmu_ram_read(c->ram, t.pa, out, bytes);
}

static bool peek_descriptor(struct cpu *c, const struct cpu_env *env, uint16_t selector,
                            struct cpu_descriptor *out)
{
    const struct env_seg *table = selector & 4 ? &env->ldt : &env->gdt;
    uint32_t raw[2], offset = selector & 0xfff8;

    if (offset + 7 > table->limit || !peek(c, table->base + offset, 8, true, raw))
        return false;
    out->low = raw[0];
    out->high = raw[1];
    return true;
}

/* IRETQ: RIP CS RFLAGS RSP SS. */
static bool iret_is_plain(struct cpu *c, const struct cpu_env *env)
{
    struct cpu_descriptor cs, ss;
    uint64_t frame[5];

    if (!peek(c, env->regs[4], sizeof(frame), false, frame) || !cpu_is_canonical(frame[0]) ||
        ((frame[2] | env->eflags) & (FLAG_VIF | FLAG_VIP)) || !(frame[1] & 0xfffc) ||
        !peek_descriptor(c, env, (uint16_t)frame[1], &cs))
        return false;
    if (frame[4] & 0xfffc) {
        if (!peek_descriptor(c, env, (uint16_t)frame[4], &ss) || !(ss.high & SEG_P))
            return false;
    } else if (!(cs.high & SEG_L)) {
        return false;
    }
    if (cs.high & SEG_L)
        return !(cs.high & SEG_DB);
    return frame[0] <= cpu_descriptor_limit(&cs);
}

static bool sysret_is_plain(const struct cpu_env *env, bool rex_w)
{
    return env_cpl(env) == 0 && !(env->regs[11] & (FLAG_VM | FLAG_VIF | FLAG_VIP)) &&
           (!rex_w || cpu_is_canonical(env->regs[1]));
}

bool cpu_far_is_plain(struct cpu *c, const uint8_t *code, uint32_t size)
{
    const struct cpu_env *env = env_load(c);

    if (!(env->hflags & HF_CS64))
        return false;
    if (size == 2 && code[0] == 0x48 && code[1] == 0xcf)
        return iret_is_plain(c, env);
    if (size == 3 && code[0] == 0x48 && code[1] == 0x0f)
        return sysret_is_plain(env, true);
    return size == 2 && code[0] == 0x0f && sysret_is_plain(env, false);
}

/* ---- where a descriptor lies ---- */

/* MOV to a segment register names its selector; of others only the page is known. */
void cpu_find_descriptor(struct cpu *c, const struct cpu_insn *insn)
{
    const struct cpu_env *env = c->env;
    uint16_t selector = 0;
    uint64_t va;

    if (c->fault.exact || insn->map != 0 || insn->opcode != 0x8e)
        return;
    if (!insn->has_mem)
        selector = (uint16_t)env->regs[insn->reg & 15];
    else if (!peek(c, cpu_effective_address(c, insn), 2, false, &selector))
        return;
    va = (selector & 4 ? env->ldt.base : env->gdt.base) + (selector & 0xfff8);
    if (va >> PAGE_SHIFT == c->fault.va >> PAGE_SHIFT)
        c->fault.va = va;
}

/* ---- the others ---- */

uint64_t cpu_far_begin(struct cpu *c, const struct cpu_insn *insn)
{
    const struct cpu_env *env = c->env;
    unsigned bytes = insn->operand_bytes;
    uint64_t flags = env->eflags;

    if (insn->flags & CPU_INSN_SYSRET)
        flags = env->regs[11];
    else if ((insn->flags & CPU_INSN_IRET) && bytes >= 4 && env_cpl(env) == 0)
        peek(c, env->regs[4] + 2 * bytes, bytes, false, &flags);
    if (!c->undo)
        c->undo = engine_context_new(c);
    env_store(c);
    engine_context_save(c, c->undo);
    env_load(c);
    return flags;
}

/* SDM 3A 6.15 #SS: a stack segment that is not present is #SS(selector), not #NP. */
static void not_present_stack(struct cpu *c, const struct cpu_insn *insn)
{
    const struct cpu_env *env = c->env;
    unsigned bytes = insn->operand_bytes;
    struct cpu_exc exc;
    uint64_t ss = 0;

    if (cpu_mem_read(c, env->regs[4] + 4 * bytes, &ss, bytes, CPU_MEM_EXPLICIT, true, &exc) &&
        (ss & 0xfffc) && (ss & 0xfffc) == ENV32(env, env_offsets(c)->error_code))
        c->exc_vector = EXC_SS;
}

/* Where the instruction went: *exc says what it should have raised instead. */
static bool landed_well(const struct cpu_env *env, const struct cpu_insn *insn, struct cpu_exc *exc)
{
    const struct env_seg *cs = &env->segs[CPU_CS], *ss = &env->segs[CPU_SS];

    *exc = general_protection;
    if ((env->hflags & HF_LMA) && (cs->flags & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB)) {
        exc->error = cs->selector & 0xfffc;
        return false;
    }
    if (env->hflags & HF_CS64)
        return cpu_is_canonical(env->eip);
    if (env->eip > cs->limit)
        return false;
    return !(insn->flags & CPU_INSN_IRET) || env_cpl(env) != 0 || (ss->selector & 0xfffc) != 0;
}

bool cpu_far_end(struct cpu *c, const struct cpu_insn *insn, uint64_t flags)
{
    struct cpu_env *env = env_load(c);
    struct cpu_exc exc;

    if (c->why == WHY_EXCEPTION && c->exc_vector == EXC_NP && (insn->flags & CPU_INSN_IRET))
        not_present_stack(c, insn);
    if (c->why != WHY_NONE && c->why != WHY_BOUNDARY &&
        !(c->why == WHY_EXCEPTION && c->exc_vector == EXC_DB))
        return true;
    if (landed_well(env, insn, &exc)) {
        if (insn->flags & CPU_INSN_LOADS_FLAGS) /* the library's mask is another one */
            env->eflags = (env->eflags & ~(uint64_t)(FLAG_VM | FLAG_VIF | FLAG_VIP)) |
                          (flags & (FLAG_VIF | FLAG_VIP));
        return true;
    }
    env_store(c);
    engine_context_load(c, c->undo);
    env_load(c);
    c->insns--;
    c->left += c->step_cost;
    cpu_deliver_exception(c, exc);
    return false;
}
