/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instruction at a time, by the trap flag.
 *
 * TF is set in the library's state for the one instruction, and taken out of everything that
 * the instruction may have copied it to: R11 of SYSCALL, pushed flags.  When the guest itself has TF
 * set, the trap is the guest's.
 *
 * PUSHF shows TF to the guest.  It is executed without, as a block that is cut behind it: where its
 * image lies only the library's TLB knows, which may be older than the page tables.
 *
 * REP string instructions: without TF the library executes one more, empty, turn to find the
 * count at zero; with TF it does not.  So that stepping changes nothing, RIP is set back to
 * the instruction when its last iteration ended by the count.
 */
#include "cpu/run.h"

static bool ended_by_count(struct cpu *c, const struct cpu_insn *insn, uint64_t count_before)
{
    bool equal = (env_rflags(c) & FLAG_ZF) != 0;

    if (count_before != 1)
        return false;
    return !(insn->flags & CPU_INSN_REP_ZF) || equal == insn->rep;
}

static uint64_t rep_count(const struct cpu_env *env, const struct cpu_insn *insn)
{
    uint64_t mask = insn->address_bytes == 8   ? ~0ull
                    : insn->address_bytes == 4 ? 0xffffffffull
                                               : 0xffffull;

    return env->regs[1] & mask;
}

/* The step that is under way. */
struct step {
    const struct cpu_insn *insn;
    bool guest_tf;
    bool by_cut; /* not by TF */
    uint64_t start, count_before;
};

/* The instruction is complete. */
static void finish_step(struct cpu *c, const struct step *s)
{
    const struct cpu_insn *insn = s->insn;
    struct cpu_env *env = env_load(c);

    ENV32(env, env_offsets(c)->old_exception) = UINT32_MAX;
    if (!s->guest_tf) {
        if (!(insn->flags & CPU_INSN_LOADS_FLAGS))
            env->eflags &= ~(uint64_t)FLAG_TF;
        if ((insn->flags & CPU_INSN_REP) && env->eip != s->start && !c->watch.hits &&
            ended_by_count(c, insn, s->count_before))
            env->eip = s->start;
    }
    if (!(insn->flags & CPU_INSN_IRET))
        env->eflags &= ~(uint64_t)FLAG_RF;
    if (!(env->hflags & HF_CS64))
        env->eip &= 0xffffffff;
    env_store(c);
    if (insn->kind == CPU_KIND_MOV_TO_CR && insn->creg == 3) /* the library's is empty, or nearly */
        cpu_flush_tlb(c);
    if (c->scratch.parts)
        device_commit(c);
    cpu_finish_insn(c, s->guest_tf, insn->flags);
}

/* Has the instruction trapped, or been left behind without a trap (see blocks.c)? */
static bool is_complete(struct cpu *c, const struct step *s)
{
    if (s->by_cut && c->why == WHY_NONE)
        return true;
    return c->why == WHY_BOUNDARY ||
           (c->why == WHY_EXCEPTION && c->exc_vector == EXC_DB &&
            !ENV32(c->env, env_offsets(c)->exception_is_int));
}

/* The block that begins at RIP is to end after @insn.  Returns: false when RIP cannot be fetched. */
static bool cut_behind(struct cpu *c, const struct cpu_insn *insn)
{
    uint64_t va;

    if (!cpu_look(c)) /* to drop a block, the library wants its page in the TLB */
        return false;
    va = cpu_linear_rip(env_load(c));
    engine_drop_range(c, va, insn->length);
    engine_cut(c, va + insn->length);
    return true;
}

void cpu_step_native(struct cpu *c, const struct cpu_insn *insn)
{
    struct cpu_env *env = env_load(c);
    struct step s = {.insn = insn,
                     .guest_tf = (env->eflags & FLAG_TF) != 0,
                     .start = env->eip,
                     .count_before = rep_count(env, insn)};
    uint64_t flags = 0, va = cpu_linear_rip(env);

    if (insn->kind == CPU_KIND_FAR)
        flags = cpu_far_begin(c, insn);
    if (base_unlikely(c->watch.any))
        debug_look(c, insn);
    c->step_cost = 1 + (insn->flags & CPU_INSN_RDTSC ? c->timing.rdtsc_cycles : 0);
    if (c->cutting)
        engine_cut(c, 0);
    if (insn->flags & CPU_INSN_PUSHF) /* the library would show it (SDM 2B PUSHF: it does not) */
        env->eflags &= ~(uint64_t)FLAG_RF;
    s.by_cut = (insn->flags & CPU_INSN_PUSHF) && !s.guest_tf;
    if (!s.by_cut)
        env->eflags |= FLAG_TF;
    else if (!cut_behind(c, insn))
        return;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    c->step_blocks = 0;
    c->stepping = c->watch.open = true;
    engine_start(c);
    c->stepping = c->watch.open = false;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    if (s.by_cut)
        engine_drop_range(c, va, insn->length);
    if (c->watch.filled) {
        c->watch.filled = false;
        engine_flush_tlb(c);
    }
    if (insn->flags & CPU_INSN_IRET)
        cpu_loaded(c)->nmi_blocked = false;
    if (insn->kind == CPU_KIND_FAR && !cpu_far_end(c, insn, flags))
        return;
    if (insn->flags & CPU_INSN_SYSRET) /* the trap after it is that of the flags it loads */
        s.guest_tf = (flags & FLAG_TF) != 0;
    if (is_complete(c, &s)) {
        finish_step(c, &s);
        return;
    }
    if (c->step_blocks)
        c->parts--; /* the block ends here */
    if (!s.guest_tf)
        env_load(c)->eflags &= ~(uint64_t)FLAG_TF;
    if (c->why == WHY_EXCEPTION) /* it has begun, as in a block */
        env_load(c)->eflags &= ~(uint64_t)FLAG_RF;
    c->step_failed = true;
    if (c->why != WHY_NONE)
        cpu_handle_stop(c);
    c->step_failed = false;
}

bool cpu_look(struct cpu *c)
{
    struct cpu_env *env = env_load(c);
    uint64_t tf = env->eflags & FLAG_TF;
    struct cpu_insn insn;

    env->eflags |= FLAG_TF; /* nothing but this instruction is translated */
    if (c->cutting)
        engine_cut(c, 0);
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    c->looking = true;
    engine_start(c);
    c->looking = false;
    env = env_load(c);
    env->eflags = (env->eflags & ~(uint64_t)FLAG_TF) | tf;
    if (c->why == WHY_BOUNDARY)
        return true;
    if (c->why == WHY_GAVE_UP) { /* it has fetched all before it gave up */
        if (tlb_fetch(c, cpu_linear_rip(env), cpu_fetch_insn(c, &insn) ? insn.length : 1, true) !=
            TLB_FAULT)
            return true;
        c->why = WHY_NO_FETCH;
    }
    c->step_failed = true;
    cpu_handle_stop(c);
    c->step_failed = false;
    return false;
}

/* What the simulator does in the place of the library comes after the library's fetch, too: whether
 * accessed bits are set must not depend on how RIP came here. */
void cpu_step(struct cpu *c)
{
    struct cpu_insn insn;
    struct cpu_exc exc;

    if (base_unlikely(c->watch.exec) && !cpu_look(c))
        return;
    if (cpu_take_breakpoint(c) || !cpu_tell_points(c))
        return;
    if (cpu_fetch_insn(c, &insn) && (insn.flags & CPU_INSN_OURS)) {
        if (!cpu_look(c))
            return;
        c->why = WHY_SPECIAL;
        cpu_handle_stop(c);
        return;
    }
    if (cpu_check_insn(c, &insn, &exc))
        cpu_step_native(c, &insn);
    else if (cpu_look(c))
        cpu_deliver_exception(c, exc);
}
