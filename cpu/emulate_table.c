/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptor tables and the checks that come before far transfers.
 *
 * Source: SDM 2A LGDT/LIDT, LLDT, LTR, IRET, 2B SYSRET; 3A 3.5.1, 7.2.2, 7.2.3 (system
 * descriptors are 16 bytes long in IA-32e mode).
 */
#include "cpu/emulate.h"
#include "cpu/segment.h"

#define MXCSR_BITS 0xffffull /* DAZ included */

enum cpu_emulate emulate_table_register(struct emulate *e)
{
    struct env_seg *table = e->insn->kind == CPU_KIND_LGDT ? &e->env->gdt : &e->env->idt;
    bool is64 = emulate_is_64(e);
    uint64_t limit, base;

    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    if (!emulate_load(e, e->insn->segment, emulate_offset(e, 0), 2, &limit) ||
        !emulate_load(e, e->insn->segment, emulate_offset(e, 2), is64 ? 8 : 4, &base))
        return CPU_EMULATE_EXCEPTION;
    if (is64 && !cpu_is_canonical(base))
        return emulate_fault(e, EXC_GP);
    if (!is64 && e->insn->operand_bytes == 2)
        base &= 0xffffff;
    table->base = base;
    table->limit = (uint32_t)limit;
    return emulate_done(e);
}

/* A fault with the selector as error code. */
static bool selector_fault(struct emulate *e, unsigned vector, uint16_t selector)
{
    emulate_set_fault(e, vector);
    e->exc->error = selector & 0xfffc;
    return false;
}

/* The descriptor of a TSS or LDT, from the GDT; its base in all 64 bits. */
static bool system_descriptor(struct emulate *e, uint16_t selector, struct cpu_descriptor *d,
                              uint64_t *base)
{
    bool long_mode = e->env->hflags & HF_LMA;
    uint32_t upper[2] = {0, 0};

    if (selector & 4 || (selector & 0xfff8u) + (long_mode ? 15 : 7) > e->env->gdt.limit)
        return selector_fault(e, EXC_GP, selector);
    if (cpu_segment_lookup(e->c, selector, d, e->exc) != CPU_SEGMENT_FOUND)
        return false; /* the table cannot be read */
    if (long_mode &&
        !cpu_mem_read(e->c, d->va + 8, upper, sizeof(upper), CPU_MEM_IMPLICIT, false, e->exc))
        return false;
    *base = cpu_descriptor_base(d) | (uint64_t)upper[0] << 32;
    if (upper[1] & 0x1f00)
        return selector_fault(e, EXC_GP, selector);
    return true;
}

static bool type_fits(const struct emulate *e, const struct cpu_descriptor *d)
{
    unsigned type = cpu_descriptor_type(d);

    if (e->insn->kind == CPU_KIND_LLDT)
        return type == SEG_TYPE_LDT;
    return type == SEG_TYPE_TSS32 || (type == SEG_TYPE_TSS16 && !(e->env->hflags & HF_LMA));
}

static bool load_system_segment(struct emulate *e, uint16_t selector, struct env_seg *seg)
{
    struct cpu_descriptor d;
    uint64_t base;

    if (!system_descriptor(e, selector, &d, &base))
        return false;
    if (!type_fits(e, &d))
        return selector_fault(e, EXC_GP, selector);
    if (!(d.high & SEG_P))
        return selector_fault(e, EXC_NP, selector);
    if (!cpu_is_canonical(base))
        return selector_fault(e, EXC_GP, selector);
    if (e->insn->kind == CPU_KIND_LTR) { /* busy; not in TR: the library gives up on such a type */
        uint8_t access = (uint8_t)(d.high >> 8) | 2;

        if (!cpu_mem_write(e->c, d.va + 5, &access, 1, CPU_MEM_IMPLICIT, false, e->exc))
            return false;
    }
    cpu_segment_load(seg, selector, &d);
    seg->base = base;
    return true;
}

enum cpu_emulate emulate_system_segment(struct emulate *e)
{
    bool is_ldt = e->insn->kind == CPU_KIND_LLDT;
    struct env_seg *seg = is_ldt ? &e->env->ldt : &e->env->tr;
    uint64_t selector;

    if (!(e->env->cr[0] & CR0_PE) || e->env->eflags & FLAG_VM)
        return emulate_fault(e, EXC_UD);
    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    if (!e->insn->has_mem)
        selector = emulate_reg_read(e, e->insn->reg, 2);
    else if (!emulate_load(e, e->insn->segment, emulate_offset(e, 0), 2, &selector))
        return CPU_EMULATE_EXCEPTION;
    if (!(selector & 0xfffc)) {
        if (!is_ldt)
            return emulate_fault(e, EXC_GP);
        cpu_segment_load_null(seg, (uint16_t)selector, 0);
        return emulate_done(e);
    }
    return load_system_segment(e, (uint16_t)selector, seg) ? emulate_done(e)
                                                           : CPU_EMULATE_EXCEPTION;
}

/* ---- far transfers: the rest is far.c's ---- */

static enum cpu_emulate sysret(struct emulate *e)
{
    if (!emulate_is_64(e) || !(ENV64(e->env, env_offsets(e->c)->efer) & EFER_SCE))
        return emulate_fault(e, EXC_UD);
    if (env_cpl(e->env) != 0 || (e->insn->rex_w && !cpu_is_canonical(e->env->regs[EMU_RCX])))
        return emulate_fault(e, EXC_GP);
    return CPU_EMULATE_NATIVE;
}

/* What pops from a stack needs a canonical one. */
enum cpu_emulate emulate_far(struct emulate *e)
{
    uint64_t sp = e->env->regs[EMU_RSP];
    bool pops = e->insn->flags & CPU_INSN_IRET || (e->insn->opcode & 0xfe) == 0xca;

    if (e->insn->flags & CPU_INSN_SYSRET)
        return sysret(e);
    if (pops && (!cpu_is_canonical(sp) || !cpu_is_canonical(sp + 2 * e->insn->operand_bytes - 1)))
        return emulate_fault(e, EXC_SS);
    return CPU_EMULATE_NATIVE;
}

/* ---- MXCSR ---- */

/* LDMXCSR, FXRSTOR: the library takes reserved bits (SDM 2A FXRSTOR, LDMXCSR). */
enum cpu_emulate emulate_mxcsr(struct emulate *e)
{
    bool all = e->insn->kind == CPU_KIND_FXRSTOR;
    uint64_t value, va;

    if (e->env->cr[0] & (CR0_EM | CR0_TS) || !(e->env->cr[4] & CR4_OSFXSR))
        return CPU_EMULATE_NATIVE;
    if (all) {
        va = emulate_linear(e, e->insn->segment, emulate_offset(e, 0));
        if (va & 15)
            return emulate_fault(e, EXC_GP);
    }
    if (!emulate_load(e, e->insn->segment, emulate_offset(e, all ? 24 : 0), 4, &value))
        return CPU_EMULATE_EXCEPTION;
    return value & ~MXCSR_BITS ? emulate_fault(e, EXC_GP) : CPU_EMULATE_NATIVE;
}
