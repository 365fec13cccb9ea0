/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The special instructions: what the library does not do, does wrong, or does with the host.
 *
 * Source: SDM volume 2, each instruction's own page; the order of the checks is the
 * architecture's: #UD before #GP(0).
 */
#include "cpu/emulate.h"

#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define XCR0_X87    1ull
#define XCR0_BITS   3ull /* x87 and SSE: no model has AVX */

static bool has(const struct emulate *e, enum cpu_feature feature)
{
    return cpu_model_has(cpu_get_model(e->c), feature);
}

/* EDX:EAX, as RDMSR, RDTSC and XGETBV return and WRMSR and XSETBV take it. */
static void write_edx_eax(struct emulate *e, uint64_t value)
{
    emulate_reg_write(e, EMU_RAX, 4, value);
    emulate_reg_write(e, EMU_RDX, 4, value >> 32);
}

static uint64_t read_edx_eax(const struct emulate *e)
{
    return emulate_reg_read(e, EMU_RDX, 4) << 32 | emulate_reg_read(e, EMU_RAX, 4);
}

static enum cpu_emulate rdmsr(struct emulate *e)
{
    uint64_t value;

    if (env_cpl(e->env) != 0 || !cpu_msr_read(e->c, (uint32_t)e->env->regs[EMU_RCX], &value))
        return emulate_fault(e, EXC_GP);
    write_edx_eax(e, value);
    return emulate_done(e);
}

static enum cpu_emulate wrmsr(struct emulate *e)
{
    if (env_cpl(e->env) != 0 ||
        !cpu_msr_write(e->c, (uint32_t)e->env->regs[EMU_RCX], read_edx_eax(e)))
        return emulate_fault(e, EXC_GP);
    return emulate_done(e);
}

static enum cpu_emulate rdtsc(struct emulate *e)
{
    bool rdtscp = e->insn->kind == CPU_KIND_RDTSCP;

    if (rdtscp && !has(e, CPU_FEATURE_RDTSCP))
        return emulate_fault(e, EXC_UD);
    if (e->env->cr[4] & CR4_TSD && env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    write_edx_eax(e, cpu_cycles(e->c, e->vcpu->index) + e->vcpu->tsc_offset);
    if (rdtscp)
        emulate_reg_write(e, EMU_RCX, 4, ENV64(e->env, env_offsets(e->c)->tsc_aux));
    return emulate_done(e);
}

static enum cpu_emulate rdrand(struct emulate *e)
{
    bool seed = e->insn->kind == CPU_KIND_RDSEED;

    if (!has(e, seed ? CPU_FEATURE_RDSEED : CPU_FEATURE_RDRAND))
        return emulate_fault(e, EXC_UD);
    emulate_operand_write(e, base_rng_next(&e->vcpu->rng));
    emulate_flags(e, FLAGS_ARITH, FLAG_CF);
    return emulate_done(e);
}

static enum cpu_emulate segment_base(struct emulate *e)
{
    unsigned kind = e->insn->kind;
    bool gs = kind == CPU_KIND_RDGSBASE || kind == CPU_KIND_WRGSBASE;
    struct env_seg *seg = &e->env->segs[gs ? CPU_GS : CPU_FS];
    uint64_t value;

    if (!emulate_is_64(e) || !(e->env->cr[4] & CR4_FSGSBASE) || !has(e, CPU_FEATURE_FSGSBASE))
        return emulate_fault(e, EXC_UD);
    if (kind == CPU_KIND_RDFSBASE || kind == CPU_KIND_RDGSBASE) {
        emulate_operand_write(e, seg->base);
        return emulate_done(e);
    }
    value = emulate_operand_read(e);
    if (!cpu_is_canonical(value))
        return emulate_fault(e, EXC_GP);
    seg->base = value;
    return emulate_done(e);
}

/* MONITOR and MWAIT: waiting for nothing at all is allowed (SDM 2B MWAIT). */
static enum cpu_emulate monitor(struct emulate *e)
{
    if (!has(e, CPU_FEATURE_MONITOR) || env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_UD);
    if (emulate_reg_read(e, EMU_RCX, 4) & ~(e->insn->kind == CPU_KIND_MWAIT ? 1ull : 0ull))
        return emulate_fault(e, EXC_GP);
    return emulate_done(e);
}

static bool xcr_undefined(const struct emulate *e)
{
    return !(e->env->cr[4] & CR4_OSXSAVE) || e->insn->rep || e->insn->repne;
}

static enum cpu_emulate xgetbv(struct emulate *e)
{
    if (xcr_undefined(e))
        return emulate_fault(e, EXC_UD);
    if (emulate_reg_read(e, EMU_RCX, 4) != 0)
        return emulate_fault(e, EXC_GP);
    write_edx_eax(e, e->vcpu->xcr0);
    return emulate_done(e);
}

/* The library executes it after the checks: XSAVE there looks at the library's own XCR0. */
static enum cpu_emulate xsetbv(struct emulate *e)
{
    uint64_t value = read_edx_eax(e);

    if (xcr_undefined(e))
        return emulate_fault(e, EXC_UD);
    if (env_cpl(e->env) != 0 || emulate_reg_read(e, EMU_RCX, 4) != 0 || value & ~XCR0_BITS ||
        !(value & XCR0_X87))
        return emulate_fault(e, EXC_GP);
    e->vcpu->xcr0 = value;
    return CPU_EMULATE_NATIVE;
}

/* INVPCID: dropping more than asked for is allowed (SDM 2A INVPCID). */
static enum cpu_emulate invpcid(struct emulate *e)
{
    uint64_t pcid, address, type;

    if (!has(e, CPU_FEATURE_INVPCID))
        return emulate_fault(e, EXC_UD);
    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    type = emulate_reg_read(e, e->insn->reg, emulate_is_64(e) ? 8 : 4);
    if (!emulate_load(e, e->insn->segment, emulate_offset(e, 0), 8, &pcid) ||
        !emulate_load(e, e->insn->segment, emulate_offset(e, 8), 8, &address))
        return CPU_EMULATE_EXCEPTION;
    if (type > 3 || pcid >> 12 || (type == 0 && !cpu_is_canonical(address)) ||
        (type < 2 && pcid && !(e->env->cr[4] & CR4_PCIDE)))
        return emulate_fault(e, EXC_GP);
    cpu_flush_tlb(e->c);
    return emulate_done(e);
}

/* Instructions of ring 0 with nothing else to check. */
static enum cpu_emulate ring0(struct emulate *e)
{
    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    switch (e->insn->kind) {
    case CPU_KIND_INVLPG:
        return CPU_EMULATE_NATIVE;
    case CPU_KIND_HLT:
        emulate_done(e);
        return CPU_EMULATE_HALT;
    default: /* INVD WBINVD: there is no cache */
        return emulate_done(e);
    }
}

static enum cpu_emulate icebp(struct emulate *e)
{
    emulate_set_fault(e, EXC_DB);
    e->exc->insn_bytes = e->insn->length;
    emulate_done(e);
    return CPU_EMULATE_ICEBP;
}

static enum cpu_emulate sysexit_insn(struct emulate *e)
{
    return cpu_sysexit(e->c, e->insn->rex_w, e->exc) ? CPU_EMULATE_DONE : CPU_EMULATE_EXCEPTION;
}

/* No model has performance counters: every index is unknown, whatever CR4.PCE says. */
static enum cpu_emulate raise_gp(struct emulate *e)
{
    return emulate_fault(e, EXC_GP);
}

static enum cpu_emulate raise_ud(struct emulate *e)
{
    return emulate_fault(e, EXC_UD);
}

static enum cpu_emulate optional(struct emulate *e)
{
    bool hidden = cpu_model_hidden(cpu_get_model(e->c)) >> e->insn->feature & 1;

    return hidden ? emulate_fault(e, EXC_UD) : CPU_EMULATE_NATIVE;
}

static enum cpu_emulate native(struct emulate *e)
{
    (void)e;
    return CPU_EMULATE_NATIVE;
}

/* See decode_loses_flags(). */
static enum cpu_emulate work_out_flags(struct emulate *e)
{
    env_set_rflags(e->c, env_rflags(e->c));
    return CPU_EMULATE_NATIVE;
}

typedef enum cpu_emulate emulate_fn(struct emulate *e);

static emulate_fn *const special_fns[] = {
    [CPU_KIND_IN] = emulate_in,
    [CPU_KIND_OUT] = emulate_out,
    [CPU_KIND_INS] = emulate_ins,
    [CPU_KIND_OUTS] = emulate_outs,
    [CPU_KIND_RDMSR] = rdmsr,
    [CPU_KIND_WRMSR] = wrmsr,
    [CPU_KIND_RDPMC] = raise_gp,
    [CPU_KIND_RDRAND] = rdrand,
    [CPU_KIND_RDSEED] = rdrand,
    [CPU_KIND_RDTSC] = rdtsc,
    [CPU_KIND_RDTSCP] = rdtsc,
    [CPU_KIND_HLT] = ring0,
    [CPU_KIND_INVLPG] = ring0,
    [CPU_KIND_MOV_TO_CR] = emulate_mov_to_cr,
    [CPU_KIND_MOV_FROM_CR] = emulate_mov_from_cr,
    [CPU_KIND_MOV_TO_DR] = emulate_mov_to_dr,
    [CPU_KIND_MOV_FROM_DR] = emulate_mov_from_dr,
    [CPU_KIND_CLTS] = emulate_clts,
    [CPU_KIND_LMSW] = emulate_lmsw,
    [CPU_KIND_WRFSBASE] = segment_base,
    [CPU_KIND_WRGSBASE] = segment_base,
    [CPU_KIND_RDFSBASE] = segment_base,
    [CPU_KIND_RDGSBASE] = segment_base,
    [CPU_KIND_MONITOR] = monitor,
    [CPU_KIND_MWAIT] = monitor,
    [CPU_KIND_XSETBV] = xsetbv,
    [CPU_KIND_XGETBV] = xgetbv,
    [CPU_KIND_INVPCID] = invpcid,
    [CPU_KIND_INVD] = ring0,
    [CPU_KIND_VEX] = raise_ud,
    [CPU_KIND_ICEBP] = icebp,
    [CPU_KIND_FLAGS] = work_out_flags,
    [CPU_KIND_RSM] = raise_ud,
    [CPU_KIND_VMX] = raise_ud,
    [CPU_KIND_UD] = raise_ud,
    [CPU_KIND_SYSEXIT] = sysexit_insn,
    [CPU_KIND_LOCK_UD] = raise_ud,
    [CPU_KIND_LGDT] = emulate_table_register,
    [CPU_KIND_LIDT] = emulate_table_register,
    [CPU_KIND_LLDT] = emulate_system_segment,
    [CPU_KIND_LTR] = emulate_system_segment,
    [CPU_KIND_LDMXCSR] = emulate_mxcsr,
    [CPU_KIND_FXRSTOR] = emulate_mxcsr,
    [CPU_KIND_SEGMENT] = native,
    [CPU_KIND_FAR] = emulate_far,
    [CPU_KIND_OPTIONAL] = optional,
};

enum cpu_emulate cpu_emulate_special(struct cpu *c, const struct cpu_insn *insn,
                                     struct cpu_exc *exc)
{
    struct emulate e = {
        .c = c, .env = env_load(c), .vcpu = cpu_loaded(c), .insn = insn, .exc = exc};

    if (insn->kind >= CPU_KIND_MOV)
        return cpu_emulate_memory(c, insn, exc);
    if (insn->kind >= ARRAY_LEN(special_fns) || !special_fns[insn->kind])
        return CPU_EMULATE_UNKNOWN;
    return special_fns[insn->kind](&e);
}
