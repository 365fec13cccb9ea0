/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions whose memory operand is device memory; those of them with a kind of their own in
 * cpu/decode.h.  The others are executed on scratch pages: device.c.
 *
 * A device register is read once and written once, in the operand's full width: the library
 * would cut wide accesses, and would repeat an access after a stop.  So whatever else can fault
 * (the other operand of MOVS, write permission of a read-modify-write) is found out before the
 * first access.
 *
 * Source: SDM volume 2, each instruction's own page; flags: SDM 1 appendix A.
 */
#include <string.h>

#include "cpu/emulate.h"
#include "cpu/segment.h"

#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* ---- flags ---- */

static uint64_t top_bit(unsigned bytes)
{
    return 1ull << (8 * bytes - 1);
}

/* SF ZF PF of a result. */
static uint64_t result_flags(uint64_t r, unsigned bytes)
{
    uint64_t flags = 0;

    r &= emulate_mask(bytes);
    if (!r)
        flags |= FLAG_ZF;
    if (r & top_bit(bytes))
        flags |= FLAG_SF;
    if (!__builtin_parity((unsigned)(r & 0xff)))
        flags |= FLAG_PF;
    return flags;
}

/* a + b + carry; AF and OF from the carries into bit 4 and out of the two top bits. */
static uint64_t add(uint64_t a, uint64_t b, unsigned carry, unsigned bytes, uint64_t *flags)
{
    uint64_t r = (a + b + carry) & emulate_mask(bytes);
    uint64_t carries = (a & b) | ((a | b) & ~r);

    *flags = result_flags(r, bytes) | ((a ^ b ^ r) & FLAG_AF);
    if (carries & top_bit(bytes))
        *flags |= FLAG_CF;
    if ((a ^ r) & (b ^ r) & top_bit(bytes))
        *flags |= FLAG_OF;
    return r;
}

static uint64_t sub(uint64_t a, uint64_t b, unsigned borrow, unsigned bytes, uint64_t *flags)
{
    uint64_t r = (a - b - borrow) & emulate_mask(bytes);
    uint64_t borrows = (~a & b) | ((~a | b) & r);

    *flags = result_flags(r, bytes) | ((a ^ b ^ r) & FLAG_AF);
    if (borrows & top_bit(bytes))
        *flags |= FLAG_CF;
    if ((a ^ b) & (a ^ r) & top_bit(bytes))
        *flags |= FLAG_OF;
    return r;
}

/* The nine of enum cpu_alu_op.  AF of the logical ones is undefined: 0, as in the library. */
static uint64_t alu(const struct emulate *e, uint64_t a, uint64_t b, uint64_t *flags)
{
    unsigned bytes = e->insn->operand_bytes;
    unsigned carry = env_rflags(e->c) & FLAG_CF;
    uint64_t r;

    switch (e->insn->alu_op) {
    case CPU_ALU_ADD:
        return add(a, b, 0, bytes, flags);
    case CPU_ALU_ADC:
        return add(a, b, carry, bytes, flags);
    case CPU_ALU_SUB:
    case CPU_ALU_CMP:
        return sub(a, b, 0, bytes, flags);
    case CPU_ALU_SBB:
        return sub(a, b, carry, bytes, flags);
    case CPU_ALU_OR:
        r = a | b;
        break;
    case CPU_ALU_XOR:
        r = a ^ b;
        break;
    default: /* AND TEST */
        r = a & b;
        break;
    }
    *flags = result_flags(r, bytes);
    return r;
}

/* ---- the memory operand ---- */

static bool load(struct emulate *e, unsigned bytes, uint64_t *value)
{
    return emulate_load(e, e->insn->segment, emulate_offset(e, 0), bytes, value);
}

static bool store(struct emulate *e, uint64_t value)
{
    return emulate_store(e, e->insn->segment, emulate_offset(e, 0), e->insn->operand_bytes, value);
}

/* First half of a read-modify-write at @add from the operand: must be writable before it is read.
 */
static bool load_to_modify(struct emulate *e, uint64_t distance, uint64_t *value)
{
    uint64_t offset = emulate_offset(e, distance);
    unsigned bytes = e->insn->operand_bytes;

    return emulate_probe(e, e->insn->segment, offset, bytes) &&
           emulate_load(e, e->insn->segment, offset, bytes, value);
}

static uint64_t source(const struct emulate *e)
{
    if (e->insn->has_imm)
        return e->insn->imm & emulate_mask(e->insn->operand_bytes);
    return emulate_operand_read(e);
}

static enum cpu_emulate mov(struct emulate *e)
{
    uint64_t value;

    if (e->insn->mem_is_dest) {
        if (!store(e, source(e)))
            return CPU_EMULATE_EXCEPTION;
    } else {
        if (!load(e, e->insn->operand_bytes, &value))
            return CPU_EMULATE_EXCEPTION;
        emulate_operand_write(e, value);
    }
    return emulate_done(e);
}

static enum cpu_emulate movzx_movsx(struct emulate *e)
{
    unsigned bytes = e->insn->source_bytes;
    uint64_t value;

    if (!load(e, bytes, &value))
        return CPU_EMULATE_EXCEPTION;
    if (e->insn->kind == CPU_KIND_MOVSX && value & top_bit(bytes))
        value |= ~emulate_mask(bytes);
    emulate_operand_write(e, value);
    return emulate_done(e);
}

static enum cpu_emulate alu_insn(struct emulate *e)
{
    bool discards = e->insn->alu_op == CPU_ALU_CMP || e->insn->alu_op == CPU_ALU_TEST;
    uint64_t value, result, flags;

    if (e->insn->mem_is_dest && !discards ? !load_to_modify(e, 0, &value)
                                          : !load(e, e->insn->operand_bytes, &value))
        return CPU_EMULATE_EXCEPTION;
    if (e->insn->mem_is_dest) {
        result = alu(e, value, source(e), &flags);
        if (!discards && !store(e, result))
            return CPU_EMULATE_EXCEPTION;
    } else {
        result = alu(e, emulate_operand_read(e), value, &flags);
        if (!discards)
            emulate_operand_write(e, result);
    }
    emulate_flags(e, FLAGS_ARITH, flags);
    return emulate_done(e);
}

static enum cpu_emulate xchg(struct emulate *e)
{
    uint64_t value;

    if (!load_to_modify(e, 0, &value) || !store(e, emulate_operand_read(e)))
        return CPU_EMULATE_EXCEPTION;
    emulate_operand_write(e, value);
    return emulate_done(e);
}

/* INC DEC NOT NEG */
static enum cpu_emulate unary(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes;
    uint64_t value, flags = 0, mask = FLAGS_ARITH;

    if (!load_to_modify(e, 0, &value))
        return CPU_EMULATE_EXCEPTION;
    switch (e->insn->kind) {
    case CPU_KIND_INC:
        value = add(value, 1, 0, bytes, &flags);
        mask &= ~(uint64_t)FLAG_CF;
        break;
    case CPU_KIND_DEC:
        value = sub(value, 1, 0, bytes, &flags);
        mask &= ~(uint64_t)FLAG_CF;
        break;
    case CPU_KIND_NEG:
        value = sub(0, value, 0, bytes, &flags);
        break;
    default:
        value = ~value;
        mask = 0;
        break;
    }
    if (!store(e, value))
        return CPU_EMULATE_EXCEPTION;
    if (mask)
        emulate_flags(e, mask, flags);
    return emulate_done(e);
}

/* What BTS, BTR and BTC make of the operand. */
static uint64_t bit_changed(const struct emulate *e, uint64_t value, uint64_t bit)
{
    switch (e->insn->alu_op) {
    case 1:
        return value | bit;
    case 2:
        return value & ~bit;
    default:
        return value ^ bit;
    }
}

/* BT BTS BTR BTC.  A bit number in a register reaches beyond the operand (SDM 2A BT).  All flags but
 * CF stay as they are. */
static enum cpu_emulate bit_test(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes;
    unsigned bits = 8 * bytes;
    bool writes = e->insn->alu_op != 0;
    uint64_t distance = 0, number, value, bit;

    if (e->insn->has_imm) {
        number = e->insn->imm;
    } else {
        int64_t n = (int64_t)(emulate_operand_read(e) << (64 - bits)) >> (64 - bits);

        distance = (uint64_t)(n >> __builtin_ctz(bits)) * bytes;
        number = (uint64_t)n;
    }
    bit = 1ull << (number & (bits - 1));
    if (!e->insn->has_mem) {
        value = emulate_reg_read(e, e->insn->rm_reg, bytes);
        if (writes)
            emulate_reg_write(e, e->insn->rm_reg, bytes, bit_changed(e, value, bit));
    } else {
        if (writes ? !load_to_modify(e, distance, &value)
                   : !emulate_load(e, e->insn->segment, emulate_offset(e, distance), bytes, &value))
            return CPU_EMULATE_EXCEPTION;
        if (writes && !emulate_store(e, e->insn->segment, emulate_offset(e, distance), bytes,
                                     bit_changed(e, value, bit)))
            return CPU_EMULATE_EXCEPTION;
    }
    emulate_flags(e, FLAG_CF, value & bit ? FLAG_CF : 0);
    return emulate_done(e);
}

/* SDM 2B SETcc; the conditions: 1 appendix B. */
static enum cpu_emulate setcc(struct emulate *e)
{
    uint64_t f = env_rflags(e->c);
    bool below = f & FLAG_CF, zero = f & FLAG_ZF, less = !(f & FLAG_SF) != !(f & FLAG_OF);
    const bool condition[8] = {
        (f & FLAG_OF) != 0, below, zero, below || zero, (f & FLAG_SF) != 0, (f & FLAG_PF) != 0,
        less, less || zero};
    uint64_t value = condition[e->insn->opcode >> 1 & 7] != (e->insn->opcode & 1);

    return emulate_store(e, e->insn->segment, emulate_offset(e, 0), 1, value)
               ? emulate_done(e)
               : CPU_EMULATE_EXCEPTION;
}

/* The destination is written in either case (SDM 2A CMPXCHG). */
static enum cpu_emulate cmpxchg(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes;
    uint64_t accumulator = emulate_reg_read(e, EMU_RAX, bytes);
    uint64_t value, flags;

    if (!load_to_modify(e, 0, &value))
        return CPU_EMULATE_EXCEPTION;
    sub(accumulator, value, 0, bytes, &flags);
    if (!store(e, flags & FLAG_ZF ? emulate_operand_read(e) : value))
        return CPU_EMULATE_EXCEPTION;
    if (!(flags & FLAG_ZF))
        emulate_reg_write(e, EMU_RAX, bytes, value);
    emulate_flags(e, FLAGS_ARITH, flags);
    return emulate_done(e);
}

static enum cpu_emulate xadd(struct emulate *e)
{
    uint64_t value, flags, sum;

    if (!load_to_modify(e, 0, &value))
        return CPU_EMULATE_EXCEPTION;
    sum = add(value, emulate_operand_read(e), 0, e->insn->operand_bytes, &flags);
    if (!store(e, sum))
        return CPU_EMULATE_EXCEPTION;
    emulate_operand_write(e, value);
    emulate_flags(e, FLAGS_ARITH, flags);
    return emulate_done(e);
}

/* ---- strings ---- */

static uint64_t destination(const struct emulate *e)
{
    return emulate_reg_read(e, EMU_RDI, e->insn->address_bytes);
}

static enum cpu_emulate stos(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes;

    if (emulate_string_empty(e))
        return emulate_done(e);
    if (!emulate_store(e, CPU_ES, destination(e), bytes, emulate_reg_read(e, EMU_RAX, bytes)))
        return CPU_EMULATE_EXCEPTION;
    emulate_string_step(e, EMU_RDI);
    return emulate_string_done(e);
}

static enum cpu_emulate lods(struct emulate *e)
{
    uint64_t value;

    if (emulate_string_empty(e))
        return emulate_done(e);
    if (!load(e, e->insn->operand_bytes, &value))
        return CPU_EMULATE_EXCEPTION;
    emulate_reg_write(e, EMU_RAX, e->insn->operand_bytes, value);
    emulate_string_step(e, EMU_RSI);
    return emulate_string_done(e);
}

static enum cpu_emulate movs(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes;
    uint64_t value;

    if (emulate_string_empty(e))
        return emulate_done(e);
    if (!emulate_probe(e, CPU_ES, destination(e), bytes) || !load(e, bytes, &value) ||
        !emulate_store(e, CPU_ES, destination(e), bytes, value))
        return CPU_EMULATE_EXCEPTION;
    emulate_string_step(e, EMU_RSI);
    emulate_string_step(e, EMU_RDI);
    return emulate_string_done(e);
}

/* ---- stack ---- */

static unsigned stack_width(const struct emulate *e)
{
    if (emulate_is_64(e))
        return 8;
    return e->env->segs[CPU_SS].flags & SEG_DB ? 4 : 2;
}

static enum cpu_emulate push(struct emulate *e)
{
    unsigned width = stack_width(e), bytes = e->insn->operand_bytes;
    uint64_t sp = (emulate_reg_read(e, EMU_RSP, width) - bytes) & emulate_mask(width);
    uint64_t value;

    if (!emulate_probe(e, CPU_SS, sp, bytes))
        return CPU_EMULATE_EXCEPTION;
    if (!e->insn->has_mem)
        value = source(e);
    else if (!load(e, bytes, &value))
        return CPU_EMULATE_EXCEPTION;
    if (!emulate_store(e, CPU_SS, sp, bytes, value))
        return CPU_EMULATE_EXCEPTION;
    emulate_reg_write(e, EMU_RSP, width, sp);
    return emulate_done(e);
}

/* RSP is incremented before it serves in the address of the destination (SDM 2B POP). */
static enum cpu_emulate pop(struct emulate *e)
{
    unsigned width = stack_width(e), bytes = e->insn->operand_bytes;
    uint64_t old = e->env->regs[EMU_RSP];
    uint64_t sp = emulate_reg_read(e, EMU_RSP, width);
    uint64_t value;

    emulate_reg_write(e, EMU_RSP, width, sp + bytes);
    if (e->insn->has_mem && !emulate_probe(e, e->insn->segment, emulate_offset(e, 0), bytes))
        goto fault;
    if (!emulate_load(e, CPU_SS, sp, bytes, &value))
        goto fault;
    if (!e->insn->has_mem)
        emulate_operand_write(e, value);
    else if (!store(e, value))
        goto fault;
    return emulate_done(e);
fault:
    e->env->regs[EMU_RSP] = old;
    return CPU_EMULATE_EXCEPTION;
}

/* ---- XMM ---- */

static enum cpu_emulate mov_vec(struct emulate *e)
{
    unsigned bytes = e->insn->operand_bytes, segment = e->insn->segment;
    bool to_memory = e->insn->mem_is_dest;
    uint8_t value[16] = {0};
    uint64_t va;

    if (e->env->cr[0] & CR0_EM || !(e->env->cr[4] & CR4_OSFXSR))
        return emulate_fault(e, EXC_UD);
    if (e->env->cr[0] & CR0_TS)
        return emulate_fault(e, EXC_NM);
    if (!emulate_check(e, segment, emulate_offset(e, 0), bytes,
                       to_memory ? EMULATE_WRITE : EMULATE_READ, &va))
        return CPU_EMULATE_EXCEPTION;
    if (e->insn->mem_aligned && va & 15)
        return emulate_fault(e, EXC_GP);
    if (to_memory) {
        engine_read_xmm(e->c, e->insn->reg, value);
        if (!cpu_mem_write(e->c, va, value, bytes, CPU_MEM_EXPLICIT, segment == CPU_SS, e->exc))
            return CPU_EMULATE_EXCEPTION;
    } else {
        if (!cpu_mem_read(e->c, va, value, bytes, CPU_MEM_EXPLICIT, segment == CPU_SS, e->exc))
            return CPU_EMULATE_EXCEPTION;
        engine_write_xmm(e->c, e->insn->reg, value);
    }
    return emulate_done(e);
}

static enum cpu_emulate (*const memory_fns[])(struct emulate *) = {
    [CPU_KIND_MOV] = mov,      [CPU_KIND_MOVZX] = movzx_movsx, [CPU_KIND_MOVSX] = movzx_movsx,
    [CPU_KIND_ALU] = alu_insn, [CPU_KIND_XCHG] = xchg,         [CPU_KIND_INC] = unary,
    [CPU_KIND_DEC] = unary,    [CPU_KIND_NOT] = unary,         [CPU_KIND_NEG] = unary,
    [CPU_KIND_SETCC] = setcc,
    [CPU_KIND_BT] = bit_test,  [CPU_KIND_CMPXCHG] = cmpxchg,   [CPU_KIND_XADD] = xadd,
    [CPU_KIND_STOS] = stos,    [CPU_KIND_LODS] = lods,         [CPU_KIND_MOVS] = movs,
    [CPU_KIND_PUSH] = push,    [CPU_KIND_POP] = pop,           [CPU_KIND_MOV_VEC] = mov_vec,
};

enum cpu_emulate cpu_emulate_memory(struct cpu *c, const struct cpu_insn *insn, struct cpu_exc *exc)
{
    struct emulate e = {
        .c = c, .env = env_load(c), .vcpu = cpu_loaded(c), .insn = insn, .exc = exc};
    bool other = insn->kind == CPU_KIND_PUSH || insn->kind == CPU_KIND_POP ||
                 (insn->kind == CPU_KIND_BT && insn->rm_reg != CPU_NO_REG);

    if (insn->kind >= ARRAY_LEN(memory_fns) || !memory_fns[insn->kind] ||
        (!insn->has_mem && !other))
        return CPU_EMULATE_UNKNOWN;
    return memory_fns[insn->kind](&e);
}
