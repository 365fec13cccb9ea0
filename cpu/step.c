/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instruction at a time, by the trap flag.
 *
 * TF is set in the library's state for the one instruction, and taken out of everything that
 * the instruction may have copied it to: R11 of SYSCALL, pushed flags, the flags image of
 * PUSHF.  When the guest itself has TF set, the trap is the guest's.
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

/* The flags image that PUSHF has just stored has our TF in it. */
static void clean_pushed_flags(struct cpu *c, const struct cpu_env *env)
{
    uint64_t sp = env->regs[4], va = sp;
    uint8_t byte;
    struct cpu_exc exc;

    if (!(env->hflags & HF_CS64))
        va = (env->segs[CPU_SS].base + (env->hflags & HF_SS32 ? sp & 0xffffffffull : sp & 0xffffull)) &
             0xffffffffull;
    if (!cpu_mem_read(c, va + 1, &byte, 1, CPU_MEM_EXPLICIT, true, &exc))
        return;
    byte &= (uint8_t)~(FLAG_TF >> 8);
    cpu_mem_write(c, va + 1, &byte, 1, CPU_MEM_EXPLICIT, true, &exc);
}

/* The single-step trap of our own TF: the instruction is complete. */
static void finish_step(struct cpu *c, const struct cpu_insn *insn, uint64_t start,
                        uint64_t count_before)
{
    struct cpu_env *env = env_load(c);

    ENV32(env, env_offsets(c)->old_exception) = UINT32_MAX;
    if (!(insn->flags & CPU_INSN_LOADS_FLAGS))
        env->eflags &= ~(uint64_t)FLAG_TF;
    if ((insn->flags & CPU_INSN_REP) && env->eip != start && ended_by_count(c, insn, count_before))
        env->eip = start;
    if (insn->flags & CPU_INSN_PUSHF)
        clean_pushed_flags(c, env);
    env_store(c);
}

void cpu_step_native(struct cpu *c, const struct cpu_insn *insn)
{
    struct cpu_env *env = env_load(c);
    bool guest_tf = (env->eflags & FLAG_TF) != 0;
    uint64_t start = env->eip, count_before = rep_count(env, insn);

    c->step_cost = 1 + (insn->flags & CPU_INSN_RDTSC ? c->timing.rdtsc_cycles : 0);
    env->eflags |= FLAG_TF;
    if (c->cutting)
        engine_cut(c, 0);
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    c->stepping = true;
    engine_start(c);
    c->stepping = false;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    if (insn->flags & CPU_INSN_IRET)
        cpu_loaded(c)->nmi_blocked = false;
    if (guest_tf) {
        cpu_handle_stop(c);
        return;
    }
    if (c->why == WHY_EXCEPTION && c->exc_vector == EXC_DB &&
        !ENV32(c->env, env_offsets(c)->exception_is_int)) {
        finish_step(c, insn, start, count_before);
        return;
    }
    if (c->why == WHY_SYSCALL || c->why == WHY_SYSENTER || c->why == WHY_EXCEPTION ||
        c->why == WHY_FAULT)
        env_load(c)->eflags &= ~(uint64_t)FLAG_TF;
    if (c->why != WHY_NONE)
        cpu_handle_stop(c);
}

void cpu_step(struct cpu *c)
{
    struct cpu_insn insn;

    if (cpu_fetch_insn(c, &insn) && (insn.flags & CPU_INSN_SPECIAL)) {
        c->why = WHY_SPECIAL;
        cpu_handle_stop(c);
        return;
    }
    cpu_step_native(c, &insn);
}
