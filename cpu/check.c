/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks at every access that the library does not make: segment limits and types outside
 * 64-bit mode, and alignment (#AC).
 *
 * They can only fail while a segment register is not flat, or while CR0.AM, RFLAGS.AC and CPL 3
 * come together.  cpu_must_check() finds out at the few places where that may change (the
 * block after a far transfer, a delivery, a segment load, POPF); as long as it says so, code
 * is executed instruction by instruction, each after cpu_check_insn().  FS and GS, often null
 * in 32-bit systems, count only for blocks that use them.
 *
 * Source: SDM 3A 5.3 to 5.5, 6.15 (#GP, #SS, #AC).  Real and virtual-8086 mode: not checked.
 */
#include "cpu/emulate.h"
#include "cpu/run.h"
#include "cpu/segment.h"

static bool is_flat_data(const struct env_seg *s)
{
    return s->limit == UINT32_MAX &&
           (s->flags & (SEG_P | SEG_S | SEG_CODE | SEG_WRITABLE | SEG_EXPAND_DOWN)) ==
               (SEG_P | SEG_S | SEG_WRITABLE);
}

static bool is_flat_code(const struct env_seg *s)
{
    return s->limit == UINT32_MAX && (s->flags & SEG_WRITABLE); /* readable */
}

static bool has_limits(const struct cpu_env *env)
{
    return !(env->hflags & HF_CS64) && (env->cr[0] & CR0_PE) && !(env->eflags & FLAG_VM);
}

static bool checks_alignment(const struct cpu_env *env)
{
    return (env->eflags & FLAG_AC) && (env->cr[0] & CR0_AM) && env_cpl(env) == 3;
}

bool cpu_must_check(struct cpu *c)
{
    const struct cpu_env *env = env_load(c);

    if (checks_alignment(env))
        return true;
    return has_limits(env) &&
           !(is_flat_code(&env->segs[CPU_CS]) && is_flat_data(&env->segs[CPU_DS]) &&
             is_flat_data(&env->segs[CPU_ES]) && is_flat_data(&env->segs[CPU_SS]));
}

bool cpu_must_check_fsgs(struct cpu *c)
{
    const struct cpu_env *env = env_load(c);

    return has_limits(env) &&
           !(is_flat_data(&env->segs[CPU_FS]) && is_flat_data(&env->segs[CPU_GS]));
}

/* ---- what an instruction accesses ---- */

static bool at(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes, bool write)
{
    uint64_t va;

    return emulate_check(e, segment, offset, bytes, write ? EMULATE_WRITE : EMULATE_READ, &va);
}

static uint64_t stack_mask(const struct emulate *e)
{
    return emulate_is_64(e) ? UINT64_MAX : cpu_segment_stack_mask(&e->env->segs[CPU_SS]);
}

/* PUSHA, POPA, ENTER and far calls have several items. */
static bool stack(struct emulate *e, uint64_t sp, const struct cpu_access *a)
{
    unsigned item = e->insn->operand_bytes;

    if (item == 0 || a->bytes % item != 0)
        item = a->bytes;
    for (unsigned done = 0; done < a->bytes; done += item)
        if (!at(e, CPU_SS, (sp + done) & stack_mask(e), item, a->write))
            return false;
    return true;
}

/* BT and its sisters with a register reach beyond the operand (SDM 2A BT). */
static uint64_t bit_distance(const struct emulate *e)
{
    unsigned bits = 8 * e->insn->operand_bytes;
    int64_t n;

    if (e->insn->kind != CPU_KIND_BT || e->insn->has_imm)
        return 0;
    n = (int64_t)(emulate_operand_read(e) << (64 - bits)) >> (64 - bits);
    return (uint64_t)(n >> __builtin_ctz(bits)) * e->insn->operand_bytes;
}

static bool access_fits(struct emulate *e, const struct cpu_access *a)
{
    const struct cpu_insn *insn = e->insn;
    uint64_t mask = emulate_mask(insn->address_bytes), *regs = e->env->regs;

    switch ((enum cpu_access_at)a->at) {
    case CPU_ACCESS_OPERAND:
        return at(e, insn->segment, emulate_offset(e, bit_distance(e)), a->bytes, a->write);
    case CPU_ACCESS_POPPED: /* ESP as a base is the one after the pop */
        return at(e, insn->segment,
                  emulate_offset(e, insn->base == EMU_RSP ? insn->operand_bytes : 0), a->bytes,
                  a->write);
    case CPU_ACCESS_PUSH:
        return stack(e, regs[EMU_RSP] - a->bytes, a);
    case CPU_ACCESS_POP:
        return stack(e, regs[EMU_RSP], a);
    case CPU_ACCESS_BP:
        return stack(e, regs[EMU_RBP], a);
    case CPU_ACCESS_BELOW_BP:
        return stack(e, regs[EMU_RBP] - a->bytes, a);
    case CPU_ACCESS_SI:
        return emulate_string_empty(e) ||
               at(e, insn->segment, regs[EMU_RSI] & mask, a->bytes, a->write);
    case CPU_ACCESS_DI:
        return emulate_string_empty(e) || at(e, CPU_ES, regs[EMU_RDI] & mask, a->bytes, a->write);
    case CPU_ACCESS_DI_DS:
        return at(e, insn->segment, regs[EMU_RDI] & mask, a->bytes, a->write);
    case CPU_ACCESS_XLAT:
        return at(e, insn->segment, (regs[EMU_RBX] + (regs[EMU_RAX] & 0xff)) & mask, 1, false);
    }
    return true;
}

/* #NM and #UD of x87, MMX and SSE come first (SDM 3A table 6-2). */
static bool is_vector_or_x87(const struct cpu_insn *insn)
{
    uint8_t op = insn->opcode;

    if (insn->map == 0)
        return op >= 0xd8 && op <= 0xdf;
    if (insn->map > 1)
        return op < 0xf0;
    return (op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) || (op >= 0x50 && op <= 0x7f) ||
           op == 0xae || op == 0xc2 || (op >= 0xc4 && op <= 0xc6) || op >= 0xd0;
}

/* The instruction's own bytes and the limit of CS. */
static bool fetch_fits(const struct cpu_env *env, const struct cpu_insn *insn)
{
    unsigned length = insn->length ? insn->length : 1;

    return cpu_segment_holds(&env->segs[CPU_CS], (uint32_t)env->eip, length);
}

static bool cr3_is_valid(struct cpu *c, const struct cpu_env *env, const struct cpu_insn *insn)
{
    return insn->kind != CPU_KIND_MOV_TO_CR || insn->creg != 3 || env_cpl(env) != 0 ||
           !(env->hflags & HF_CS64) || !(env->regs[insn->reg & 15] & c->cr3_reserved);
}

bool cpu_check_insn(struct cpu *c, const struct cpu_insn *insn, struct cpu_exc *exc)
{
    struct emulate e = {
        .c = c, .env = env_load(c), .vcpu = cpu_loaded(c), .insn = insn, .exc = exc};
    struct cpu_access accesses[CPU_ACCESSES_MAX];
    uint8_t bytes[15];
    unsigned n;

    if (!cr3_is_valid(c, e.env, insn))
        return emulate_set_fault(&e, EXC_GP);
    if (has_limits(e.env)) {
        if (!fetch_fits(e.env, insn))
            return emulate_set_fault(&e, EXC_GP);
    } else if (!checks_alignment(e.env)) {
        return true;
    }
    if (insn->length == 0 || (insn->flags & (CPU_INSN_INVALID | CPU_INSN_FAR)))
        return true;
    if (is_vector_or_x87(insn) && e.env->cr[0] & (CR0_EM | CR0_TS))
        return true;
    n = cpu_decode_accesses(cpu_code_mode(e.env), bytes,
                            cpu_fetch_bytes(c, c->current, cpu_linear_rip(e.env), bytes, 15),
                            accesses);
    for (unsigned i = 0; i < n; i++)
        if (!access_fits(&e, &accesses[i]))
            return false;
    return true;
}
