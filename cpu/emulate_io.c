/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port input and output.
 *
 * Source: SDM 1 chapter 19 (I/O permission: IOPL, then the bitmap in the TSS), SDM 2A and 2B IN,
 * OUT, INS, OUTS.  Everything that can fault comes before the port is touched: a port access
 * cannot be taken back.
 */
#include "cpu/emulate.h"
#include "cpu/segment.h"

#define TSS_IO_MAP_BASE 102
#define TSS_MIN_LIMIT   103

static bool tss_read16(struct emulate *e, uint32_t offset, uint16_t *value)
{
    uint64_t va = e->env->tr.base + offset;

    if (!(e->env->hflags & HF_LMA))
        va &= 0xffffffff;
    return cpu_mem_read(e->c, va, value, sizeof(*value), CPU_MEM_IMPLICIT, false, e->exc);
}

/* The bits of all @bytes ports must be clear; two bytes of the map are always read. */
static bool bitmap_allows(struct emulate *e, uint16_t port, unsigned bytes)
{
    const struct env_seg *tr = &e->env->tr;
    unsigned type = tr->flags >> 8 & 15;
    uint16_t map_base, bits;
    uint32_t at;

    if ((type != SEG_TYPE_TSS32 && type != SEG_TYPE_TSS32_BUSY) || !(tr->flags & SEG_P) ||
        tr->limit < TSS_MIN_LIMIT)
        return emulate_set_fault(e, EXC_GP);
    if (!tss_read16(e, TSS_IO_MAP_BASE, &map_base))
        return false;
    at = (uint32_t)map_base + port / 8;
    if (at + 1 > tr->limit)
        return emulate_set_fault(e, EXC_GP);
    if (!tss_read16(e, at, &bits))
        return false;
    if (bits >> (port & 7) & ((1u << bytes) - 1))
        return emulate_set_fault(e, EXC_GP);
    return true;
}

static bool port_allowed(struct emulate *e, uint16_t port, unsigned bytes)
{
    const struct cpu_env *env = e->env;
    unsigned iopl = env->eflags >> 12 & 3;

    if (!(env->cr[0] & CR0_PE))
        return true;
    if (!(env->eflags & FLAG_VM) && env_cpl(env) <= iopl)
        return true;
    return bitmap_allows(e, port, bytes);
}

static uint16_t port_number(const struct emulate *e)
{
    return e->insn->port_is_dx ? e->env->regs[EMU_RDX] & 0xffff : e->insn->imm & 0xff;
}

enum cpu_emulate emulate_in(struct emulate *e)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);
    uint16_t port = port_number(e);
    unsigned bytes = e->insn->operand_bytes;

    if (!port_allowed(e, port, bytes))
        return CPU_EMULATE_EXCEPTION;
    emulate_reg_write(e, EMU_RAX, bytes, bus->port_read(bus->user, port, bytes));
    return emulate_done(e);
}

enum cpu_emulate emulate_out(struct emulate *e)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);
    uint16_t port = port_number(e);
    unsigned bytes = e->insn->operand_bytes;

    if (!port_allowed(e, port, bytes))
        return CPU_EMULATE_EXCEPTION;
    bus->port_write(bus->user, port, bytes, (uint32_t)emulate_reg_read(e, EMU_RAX, bytes));
    return emulate_done(e);
}

enum cpu_emulate emulate_ins(struct emulate *e)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);
    uint16_t port = e->env->regs[EMU_RDX] & 0xffff;
    unsigned bytes = e->insn->operand_bytes;
    uint64_t offset = emulate_offset(e, 0);
    uint64_t value;

    if (!port_allowed(e, port, bytes))
        return CPU_EMULATE_EXCEPTION;
    if (emulate_string_empty(e))
        return emulate_done(e);
    if (!emulate_probe(e, CPU_ES, offset, bytes))
        return CPU_EMULATE_EXCEPTION;
    value = bus->port_read(bus->user, port, bytes);
    if (!emulate_store(e, CPU_ES, offset, bytes, value))
        return CPU_EMULATE_EXCEPTION;
    emulate_string_step(e, EMU_RDI);
    return emulate_string_done(e);
}

enum cpu_emulate emulate_outs(struct emulate *e)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);
    uint16_t port = e->env->regs[EMU_RDX] & 0xffff;
    unsigned bytes = e->insn->operand_bytes;
    uint64_t value;

    if (!port_allowed(e, port, bytes))
        return CPU_EMULATE_EXCEPTION;
    if (emulate_string_empty(e))
        return emulate_done(e);
    if (!emulate_load(e, e->insn->segment, emulate_offset(e, 0), bytes, &value))
        return CPU_EMULATE_EXCEPTION;
    bus->port_write(bus->user, port, bytes, (uint32_t)value);
    emulate_string_step(e, EMU_RSI);
    return emulate_string_done(e);
}
