/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulated instructions have in common: registers, addresses, checked accesses.
 */
#include <string.h>

#include "cpu/emulate.h"
#include "cpu/segment.h"

bool emulate_is_64(const struct emulate *e)
{
    return cpu_code_mode(e->env) == CPU_MODE_64;
}

enum cpu_emulate emulate_done(struct emulate *e)
{
    struct cpu_env *env = e->env;

    env->eip += e->insn->length;
    if (!(env->hflags & HF_CS64))
        env->eip &= env->hflags & HF_CS32 ? 0xffffffff : 0xffff;
    env->eflags &= ~(uint64_t)FLAG_RF;
    env->hflags &= ~(uint32_t)HF_INHIBIT_IRQ;
    return CPU_EMULATE_DONE;
}

bool emulate_set_fault(struct emulate *e, unsigned vector)
{
    memset(e->exc, 0, sizeof(*e->exc));
    e->exc->vector = vector;
    e->exc->has_error = vector == EXC_GP || vector == EXC_SS || vector == EXC_AC ||
                        vector == EXC_TS || vector == EXC_NP;
    return false;
}

enum cpu_emulate emulate_fault(struct emulate *e, unsigned vector)
{
    emulate_set_fault(e, vector);
    return CPU_EMULATE_EXCEPTION;
}

/* ---- registers ---- */

uint64_t emulate_mask(unsigned bytes)
{
    return bytes >= 8 ? UINT64_MAX : (1ull << (8 * bytes)) - 1;
}

uint64_t emulate_reg_read(const struct emulate *e, unsigned reg, unsigned bytes)
{
    return e->env->regs[reg & 15] & emulate_mask(bytes);
}

void emulate_reg_write(struct emulate *e, unsigned reg, unsigned bytes, uint64_t value)
{
    uint64_t *r = &e->env->regs[reg & 15];

    if (bytes >= 4)
        *r = value & emulate_mask(bytes);
    else
        *r = (*r & ~emulate_mask(bytes)) | (value & emulate_mask(bytes));
}

uint64_t emulate_operand_read(const struct emulate *e)
{
    if (e->insn->reg_is_high8)
        return e->env->regs[e->insn->reg & 3] >> 8 & 0xff;
    return emulate_reg_read(e, e->insn->reg, e->insn->operand_bytes);
}

void emulate_operand_write(struct emulate *e, uint64_t value)
{
    uint64_t *r = &e->env->regs[e->insn->reg & 3];

    if (e->insn->reg_is_high8)
        *r = (*r & ~0xff00ull) | (value & 0xff) << 8;
    else
        emulate_reg_write(e, e->insn->reg, e->insn->operand_bytes, value);
}

void emulate_flags(struct emulate *e, uint64_t mask, uint64_t flags)
{
    env_set_rflags(e->c, (env_rflags(e->c) & ~mask) | (flags & mask));
}

/* ---- addresses (SDM 1 3.7.5, 3.7.7) ---- */

static uint64_t base_value(const struct cpu_env *env, const struct cpu_insn *insn)
{
    if (insn->base == CPU_NO_REG)
        return 0;
    if (insn->base == CPU_REG_RIP)
        return env->eip + insn->length;
    return env->regs[insn->base & 15];
}

static uint64_t wrapped_offset(const struct cpu_env *env, const struct cpu_insn *insn, uint64_t add)
{
    uint64_t offset = base_value(env, insn) + (uint64_t)insn->disp + add;

    if (insn->index != CPU_NO_REG)
        offset += env->regs[insn->index & 15] * insn->scale;
    return offset & emulate_mask(insn->address_bytes);
}

static uint64_t linear(const struct cpu_env *env, unsigned segment, uint64_t offset)
{
    const struct env_seg *seg = &env->segs[segment];

    if (env->hflags & HF_CS64)
        return segment >= CPU_FS ? offset + seg->base : offset;
    return (offset + seg->base) & 0xffffffff;
}

uint64_t emulate_offset(const struct emulate *e, uint64_t add)
{
    return wrapped_offset(e->env, e->insn, add);
}

uint64_t emulate_linear(const struct emulate *e, unsigned segment, uint64_t offset)
{
    return linear(e->env, segment, offset);
}

uint64_t cpu_effective_address(struct cpu *c, const struct cpu_insn *insn)
{
    const struct cpu_env *env = env_load(c);

    return linear(env, insn->segment, wrapped_offset(env, insn, 0));
}

/* ---- checks ---- */

/* Segment type and limit outside 64-bit mode: #SS(0) for the stack segment, else #GP(0). */
static bool check_segment(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                          enum emulate_rw rw)
{
    const struct env_seg *seg = &e->env->segs[segment];
    unsigned vector = segment == CPU_SS ? EXC_SS : EXC_GP;

    if ((e->env->cr[0] & CR0_PE) && !(e->env->eflags & FLAG_VM)) {
        if (!(seg->flags & SEG_P))
            return emulate_set_fault(e, vector); /* a null selector */
        if (rw == EMULATE_WRITE && (seg->flags & SEG_CODE || !(seg->flags & SEG_WRITABLE)))
            return emulate_set_fault(e, EXC_GP);
        if (rw == EMULATE_READ && (seg->flags & SEG_CODE) && !(seg->flags & SEG_WRITABLE))
            return emulate_set_fault(e, EXC_GP); /* execute-only code */
    }
    if (!cpu_segment_holds(seg, (uint32_t)offset, bytes))
        return emulate_set_fault(e, vector);
    return true;
}

/* SDM 3A table 6-7; vectors have rules of their own. */
static bool misaligned(uint64_t va, unsigned bytes)
{
    unsigned boundary = bytes;

    if (bytes == 6 || bytes == 28) /* far pointers, environments */
        boundary = 4;
    else if (bytes == 10)
        boundary = 8;
    else if (bytes == 14)
        boundary = 2;
    return boundary <= 8 && va & (boundary - 1);
}

bool emulate_check(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                   enum emulate_rw rw, uint64_t *va)
{
    *va = linear(e->env, segment, offset);
    if (!emulate_is_64(e)) {
        if (!check_segment(e, segment, offset, bytes, rw))
            return false;
    } else if (!cpu_is_canonical(*va) || !cpu_is_canonical(*va + bytes - 1)) {
        return emulate_set_fault(e, segment == CPU_SS ? EXC_SS : EXC_GP);
    }
    if (e->env->eflags & FLAG_AC && e->env->cr[0] & CR0_AM && env_cpl(e->env) == 3 && misaligned(*va, bytes))
        return emulate_set_fault(e, EXC_AC);
    return true;
}

bool emulate_load(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                  uint64_t *value)
{
    uint64_t va;

    *value = 0;
    return emulate_check(e, segment, offset, bytes, EMULATE_READ, &va) &&
           cpu_mem_read(e->c, va, value, bytes, CPU_MEM_EXPLICIT, segment == CPU_SS, e->exc);
}

bool emulate_store(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                   uint64_t value)
{
    uint64_t va;

    return emulate_check(e, segment, offset, bytes, EMULATE_WRITE, &va) &&
           cpu_mem_write(e->c, va, &value, bytes, CPU_MEM_EXPLICIT, segment == CPU_SS, e->exc);
}

static bool probe_page(struct emulate *e, uint64_t va, unsigned segment)
{
    struct mmu_regs regs = {
        .cr0 = e->env->cr[0],
        .cr3 = e->env->cr[3],
        .cr4 = e->env->cr[4],
        .efer = ENV64(e->env, env_offsets(e->c)->efer),
        .cpl = (uint8_t)env_cpl(e->env),
        .ac = e->env->eflags & FLAG_AC,
        .pdpte = e->vcpu->pdpte,
    };
    struct mmu_translation tr;

    switch (mmu_walk(cpu_get_ram(e->c), &regs, GVA(va), MMU_WRITE | MMU_PROBE, &tr)) {
    case MMU_FAULT:
        emulate_set_fault(e, EXC_PF);
        e->exc->has_error = true;
        e->exc->error = tr.error_code;
        e->exc->cr2 = va;
        return false;
    case MMU_NONCANONICAL:
        return emulate_set_fault(e, segment == CPU_SS ? EXC_SS : EXC_GP);
    default: /* a table outside RAM: the access itself deals with it */
        return true;
    }
}

bool emulate_probe(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes)
{
    uint64_t va, last;

    if (!emulate_check(e, segment, offset, bytes, EMULATE_WRITE, &va))
        return false;
    if (!probe_page(e, va, segment))
        return false;
    last = va + bytes - 1;
    if (!(e->env->hflags & HF_CS64))
        last &= 0xffffffff;
    return !((last ^ va) & ~PAGE_MASK) || probe_page(e, last & ~PAGE_MASK, segment);
}

/* ---- strings (SDM 2B REP) ---- */

static bool repeats(const struct emulate *e)
{
    return e->insn->rep || e->insn->repne;
}

bool emulate_string_empty(const struct emulate *e)
{
    return repeats(e) && !emulate_reg_read(e, EMU_RCX, e->insn->address_bytes);
}

void emulate_string_step(struct emulate *e, unsigned reg)
{
    unsigned width = e->insn->address_bytes;
    uint64_t value = emulate_reg_read(e, reg, width);
    unsigned step = e->insn->operand_bytes;

    emulate_reg_write(e, reg, width, e->env->df < 0 ? value - step : value + step);
}

enum cpu_emulate emulate_string_done(struct emulate *e)
{
    unsigned width = e->insn->address_bytes;

    if (!repeats(e))
        return emulate_done(e);
    emulate_reg_write(e, EMU_RCX, width, emulate_reg_read(e, EMU_RCX, width) - 1);
    return emulate_string_empty(e) ? emulate_done(e) : CPU_EMULATE_DONE;
}
