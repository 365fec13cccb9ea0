/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware breakpoints (SDM 3B 17.2, 17.3.1).
 *
 * The library never sees an enabled breakpoint, and nothing costs anything while there is none.
 *
 *  - Instruction breakpoints: a block that contains one is kept out of the front cache, so its
 *    hook comes to blocks_miss(), which has it executed step by step; debug_before() looks
 *    before each.  RF, MOV SS and an unfinished REP hold a breakpoint off.
 *  - Data breakpoints: the TLB gets no right to their pages (debug_withheld()), so each access to
 *    one leaves the engine, and its instruction is executed as a step.  debug_look() works out
 *    beforehand what the instruction accesses; when it is complete, the trap follows.
 *  - I/O breakpoints: the emulator executes the port instructions; debug_look() looks here too.
 *
 * Not seen are accesses to descriptor tables and the TSS, and frames that a delivery pushes.
 */
#include "cpu/run.h"

#define DR7_ENABLES 0xffull

enum { TYPE_EXEC, TYPE_WRITE, TYPE_IO, TYPE_ACCESS };
enum { RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

static bool unchanged(const struct cpu *c, const struct cpu_vcpu *v, uint64_t cr4)
{
    const struct cpu_watch *w = &c->watch;

    if (w->vcpu != v->index || w->dr7 != v->dr7 || (w->cr4 ^ cr4) & CR4_DE)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        if (w->at[i] != (v->dr[i] & ~(uint64_t)(w->bytes[i] - 1)))
            return false;
    }
    return true;
}

static void read_registers(struct cpu_watch *w, const struct cpu_vcpu *v, uint64_t cr4)
{
    static const uint8_t lengths[4] = {1, 2, 8, 4};

    w->any = w->exec = w->data = false;
    w->enabled = 0;
    w->dr7 = v->dr7;
    w->cr4 = cr4;
    w->vcpu = v->index;
    for (unsigned i = 0; i < 4; i++) {
        unsigned control = v->dr7 >> (16 + 4 * i) & 15;

        w->type[i] = control & 3;
        w->bytes[i] = w->type[i] == TYPE_EXEC ? 1 : lengths[control >> 2];
        w->at[i] = v->dr[i] & ~(uint64_t)(w->bytes[i] - 1);
        if (!(v->dr7 >> (2 * i) & 3) || (w->type[i] == TYPE_IO && !(cr4 & CR4_DE)))
            continue;
        w->enabled |= 1u << i;
        w->any = true;
        w->exec |= w->type[i] == TYPE_EXEC;
        w->data |= w->type[i] == TYPE_WRITE || w->type[i] == TYPE_ACCESS;
    }
}

void debug_arm(struct cpu *c)
{
    const struct cpu_vcpu *v = cpu_loaded(c);
    struct cpu_watch *w = &c->watch;
    uint64_t cr4;

    if (!w->any && !(v->dr7 & DR7_ENABLES))
        return;
    cr4 = env_load(c)->cr[4];
    if (w->any && unchanged(c, v, cr4))
        return;
    read_registers(w, v, cr4);
    if (w->data)
        engine_flush_tlb(c);
    for (unsigned i = 0; i < 4; i++) {
        if ((w->enabled >> i & 1) && w->type[i] == TYPE_EXEC)
            blocks_forget_page(c, w->at[i] >> PAGE_SHIFT);
    }
}

bool debug_in_block(const struct cpu *c, uint64_t va, uint32_t size)
{
    const struct cpu_watch *w = &c->watch;

    for (unsigned i = 0; i < 4; i++) {
        if ((w->enabled >> i & 1) && w->type[i] == TYPE_EXEC && w->at[i] - va < size)
            return true;
    }
    return false;
}

unsigned debug_withheld(struct cpu *c, uint64_t va)
{
    struct cpu_watch *w = &c->watch;
    unsigned rights = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (!(w->enabled >> i & 1) || w->at[i] >> PAGE_SHIFT != va >> PAGE_SHIFT)
            continue;
        if (w->type[i] == TYPE_WRITE)
            rights |= MMU_WRITE;
        else if (w->type[i] == TYPE_ACCESS)
            rights |= MMU_READ | MMU_WRITE;
    }
    if (rights && w->open) {
        w->filled = true;
        return 0;
    }
    return rights;
}

/* SDM 3A 6.8.3: no debug exception between MOV SS or POP SS and the next instruction. */
static bool after_mov_ss(struct cpu *c)
{
    return (c->env->hflags & HF_INHIBIT_IRQ) && (blocks_last_flags(c) & CPU_INSN_MOV_SS);
}

bool debug_before(struct cpu *c)
{
    const struct cpu_watch *w = &c->watch;
    const struct cpu_env *env = env_load(c);
    uint64_t va = cpu_linear_rip(env);
    unsigned hits = 0;

    for (unsigned i = 0; i < 4; i++) {
        if ((w->enabled >> i & 1) && w->type[i] == TYPE_EXEC && w->at[i] == va)
            hits |= 1u << i;
    }
    if (!hits || (env->eflags & FLAG_RF) || after_mov_ss(c))
        return false;
    cpu_mark_unfinished_rep(c);
    if (env_load(c)->eflags & FLAG_RF)
        return false;
    cpu_loaded(c)->dr6 |= hits;
    return true;
}

/* ---- what an instruction accesses ---- */

static void look_at_range(struct cpu_watch *w, uint64_t va, unsigned bytes, bool write)
{
    for (unsigned i = 0; i < 4; i++) {
        bool wanted = w->type[i] == TYPE_ACCESS || (w->type[i] == TYPE_WRITE && write);

        if ((w->enabled >> i & 1) && wanted &&
            (w->at[i] - va < bytes || va - w->at[i] < w->bytes[i]))
            w->hits |= (uint8_t)(1u << i);
    }
}

static void look_at_port(struct cpu *c, const struct cpu_insn *insn)
{
    uint64_t port = insn->port_is_dx || (insn->flags & CPU_INSN_REP_STRING_IO)
                        ? c->env->regs[2] & 0xffff
                        : insn->imm;
    struct cpu_watch *w = &c->watch;

    for (unsigned i = 0; i < 4; i++) {
        if ((w->enabled >> i & 1) && w->type[i] == TYPE_IO &&
            (w->at[i] - port < insn->operand_bytes || port - w->at[i] < w->bytes[i]))
            w->hits |= (uint8_t)(1u << i);
    }
}

static uint64_t width_mask(unsigned bytes)
{
    return bytes >= 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
}

static uint64_t in_segment(const struct cpu_env *env, unsigned segment, uint64_t offset)
{
    if (env->hflags & HF_CS64)
        return segment >= CPU_FS ? env->segs[segment].base + offset : offset;
    return (env->segs[segment].base + offset) & 0xffffffff;
}

static uint64_t on_stack(const struct cpu_env *env, uint64_t offset)
{
    unsigned bytes = env->hflags & HF_CS64 ? 8 : env->hflags & HF_SS32 ? 4 : 2;

    return in_segment(env, CPU_SS, offset & width_mask(bytes));
}

/* BT and its kin with a register reach beyond their operand (SDM 2A BT). */
static uint64_t operand_address(struct cpu *c, const struct cpu_insn *insn)
{
    uint64_t va = cpu_effective_address(c, insn);
    unsigned bits = 8u * insn->operand_bytes;
    int64_t bit;

    if (insn->kind != CPU_KIND_BT || insn->reg == CPU_NO_REG)
        return va;
    bit = (int64_t)(c->env->regs[insn->reg & 15] << (64 - bits)) >> (64 - bits);
    return va + (uint64_t)((bit & ~(int64_t)(bits - 1)) / 8);
}

uint64_t cpu_access_address(struct cpu *c, const struct cpu_insn *insn, const struct cpu_access *a)
{
    const struct cpu_env *env = c->env;
    uint64_t mask = width_mask(insn->address_bytes);

    switch (a->at) {
    case CPU_ACCESS_OPERAND:
        return operand_address(c, insn);
    case CPU_ACCESS_POPPED:
        return cpu_effective_address(c, insn) + (insn->base == RSP ? a->bytes : 0);
    case CPU_ACCESS_PUSH:
        return on_stack(env, env->regs[RSP] - a->bytes);
    case CPU_ACCESS_POP:
        return on_stack(env, env->regs[RSP]);
    case CPU_ACCESS_BP:
        return on_stack(env, env->regs[RBP]);
    case CPU_ACCESS_BELOW_BP:
        return on_stack(env, env->regs[RBP] - a->bytes);
    case CPU_ACCESS_SI:
        return in_segment(env, insn->string_segment, env->regs[RSI] & mask);
    case CPU_ACCESS_DI:
        return in_segment(env, CPU_ES, env->regs[RDI] & mask);
    case CPU_ACCESS_DI_DS:
        return in_segment(env, insn->string_segment, env->regs[RDI] & mask);
    default: /* CPU_ACCESS_XLAT */
        return in_segment(env, insn->string_segment,
                          (env->regs[RBX] + (env->regs[0] & 0xff)) & mask);
    }
}

void debug_look(struct cpu *c, const struct cpu_insn *insn)
{
    struct cpu_access a[CPU_ACCESSES_MAX];
    const struct cpu_env *env = env_load(c);
    uint8_t bytes[15];
    size_t size;
    unsigned n;

    c->watch.hits = 0;
    if ((insn->rep || insn->repne) && (insn->flags & CPU_INSN_REP) &&
        !(env->regs[1] & width_mask(insn->address_bytes)))
        return;
    if (insn->kind >= CPU_KIND_IN && insn->kind <= CPU_KIND_OUTS)
        look_at_port(c, insn);
    if (!c->watch.data)
        return;
    size = cpu_fetch_bytes(c, c->current, cpu_linear_rip(env), bytes, sizeof(bytes));
    n = cpu_decode_accesses(cpu_code_mode(env), bytes, size, a);
    for (unsigned i = 0; i < n; i++)
        look_at_range(&c->watch, cpu_access_address(c, insn, &a[i]), a[i].bytes, a[i].write);
}

unsigned debug_take(struct cpu *c, bool mov_ss)
{
    struct cpu_vcpu *v = cpu_loaded(c);
    unsigned hits = c->watch.hits | v->held_db;

    c->watch.hits = 0;
    v->held_db = mov_ss ? (uint8_t)hits : 0;
    return mov_ss ? 0 : hits;
}
