/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control and debug registers: the checks; engine_state.c does the writing.
 *
 * Source: SDM 3A 2.5 (control registers), 10.8.5 (IA-32e mode activation), 4.4.1 (PDPTEs),
 * 4.10.1 (PCIDs), 3B 18.2 (debug registers), 2B MOV (control and debug registers), LMSW, CLTS.
 */
#include "cpu/emulate.h"
#include "cpu/segment.h"

/* CR0: PE MP EM TS ET NE, WP, AM, NW CD PG.  Others below bit 32 are ignored. */
#define CR0_BITS           (0x3full | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR3_PDPT           0xffffffe0ull
#define PDPTE_P            1ull
#define PDPTE_RESERVED_LOW 0x1e6ull
#define DR6_FIXED          0xffff0ff0ull
#define DR6_WRITABLE       0xe00full
#define DR6_BD             (1ull << 13)
#define DR7_FIXED          0x400ull
#define DR7_WRITABLE       0xffff23ffull
#define DR7_GD             (1ull << 13)

static uint64_t read_efer(const struct emulate *e)
{
    return ENV64(e->env, env_offsets(e->c)->efer);
}

/* PAE paging loads its four PDPTEs at once; reserved bits in a present one are #GP(0). */
static bool pdptes_valid(struct emulate *e, uint64_t cr3)
{
    uint64_t pdpte[4];
    uint64_t reserved =
        PDPTE_RESERVED_LOW | ~((1ull << cpu_model_physical_bits(cpu_get_model(e->c))) - 1);

    if (!mmu_ram_read(cpu_get_ram(e->c), GPA(cr3 & CR3_PDPT), pdpte, sizeof(pdpte)))
        return true; /* outside RAM: all of them are not present */
    for (unsigned i = 0; i < 4; i++) {
        if (pdpte[i] & PDPTE_P && pdpte[i] & reserved)
            return false;
    }
    return true;
}

static bool tss_is_16bit(const struct cpu_env *env)
{
    unsigned type = env->tr.flags >> 8 & 15;

    return type == SEG_TYPE_TSS16 || type == SEG_TYPE_TSS16_BUSY;
}

static bool paging_may_start(struct emulate *e)
{
    const struct cpu_env *env = e->env;

    if (read_efer(e) & EFER_LME)
        return env->cr[4] & CR4_PAE && !(env->segs[CPU_CS].flags & SEG_L) && !tss_is_16bit(env);
    return !(env->cr[4] & CR4_PAE) || pdptes_valid(e, env->cr[3]);
}

static bool paging_may_stop(struct emulate *e)
{
    return !(e->env->hflags & HF_CS64) && !(e->env->cr[4] & CR4_PCIDE);
}

static bool cr0_valid(struct emulate *e, uint64_t value)
{
    uint64_t old = e->env->cr[0];

    if ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
        return false;
    if (value & ~old & CR0_PG)
        return paging_may_start(e);
    if (old & ~value & CR0_PG)
        return paging_may_stop(e);
    return true;
}

static enum cpu_emulate write_cr0(struct emulate *e, uint64_t value)
{
    uint64_t efer;

    if (value >> 32 || !cr0_valid(e, value))
        return emulate_fault(e, EXC_GP);
    value = (value & CR0_BITS) | CR0_ET;
    engine_write_cr0(e->c, value);
    efer = read_efer(e) & ~EFER_LMA;
    if (value & CR0_PG && efer & EFER_LME)
        efer |= EFER_LMA;
    if (efer != read_efer(e))
        engine_write_efer(e->c, efer);
    return emulate_done(e);
}

static bool cr4_valid(struct emulate *e, uint64_t value)
{
    const struct cpu_env *env = e->env;
    uint64_t changed = value ^ env->cr[4];
    bool long_mode = read_efer(e) & EFER_LMA;

    if (value & ~cpu_model_cr4_mask(cpu_get_model(e->c)))
        return false;
    if (long_mode && !(value & CR4_PAE))
        return false;
    if (changed & value & CR4_PCIDE && (!long_mode || env->cr[3] & 0xfff))
        return false;
    if (!long_mode && env->cr[0] & CR0_PG && value & CR4_PAE &&
        changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP))
        return pdptes_valid(e, env->cr[3]);
    return true;
}

static enum cpu_emulate write_cr4(struct emulate *e, uint64_t value)
{
    if (!cr4_valid(e, value))
        return emulate_fault(e, EXC_GP);
    engine_write_cr4(e->c, value);
    return emulate_done(e);
}

/* 32-bit code only: in 64-bit mode the library executes it, and frames.c looks at the value. */
static enum cpu_emulate write_cr3(struct emulate *e, uint64_t value)
{
    bool pae = e->env->cr[0] & CR0_PG && e->env->cr[4] & CR4_PAE && !(e->env->hflags & HF_LMA);

    if (pae && !pdptes_valid(e, value))
        return emulate_fault(e, EXC_GP);
    engine_write_cr3(e->c, value);
    return emulate_done(e);
}

static enum cpu_emulate write_cr8(struct emulate *e, uint64_t value)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);

    if (value > 15)
        return emulate_fault(e, EXC_GP);
    bus->tpr_write(bus->user, e->vcpu->index, (uint8_t)value);
    return emulate_done(e);
}

enum cpu_emulate emulate_mov_to_cr(struct emulate *e)
{
    uint64_t value = emulate_reg_read(e, e->insn->reg, e->insn->operand_bytes);

    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    switch (e->insn->creg) {
    case 0:
        return write_cr0(e, value);
    case 3:
        return emulate_is_64(e) ? CPU_EMULATE_NATIVE : write_cr3(e, value);
    case 4:
        return write_cr4(e, value);
    case 8:
        return write_cr8(e, value);
    default:
        return CPU_EMULATE_NATIVE;
    }
}

enum cpu_emulate emulate_mov_from_cr(struct emulate *e)
{
    const struct cpu_bus *bus = cpu_get_bus(e->c);

    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    if (e->insn->creg != 8)
        return CPU_EMULATE_NATIVE;
    emulate_reg_write(e, e->insn->reg, 8, bus->tpr_read(bus->user, e->vcpu->index) & 15);
    return emulate_done(e);
}

enum cpu_emulate emulate_clts(struct emulate *e)
{
    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    engine_write_cr0(e->c, e->env->cr[0] & ~CR0_TS);
    return emulate_done(e);
}

/* LMSW: PE MP EM TS; PE can be set but not cleared. */
enum cpu_emulate emulate_lmsw(struct emulate *e)
{
    uint64_t value;

    if (env_cpl(e->env) != 0)
        return emulate_fault(e, EXC_GP);
    if (!e->insn->has_mem)
        value = emulate_reg_read(e, e->insn->reg, 2);
    else if (!emulate_load(e, e->insn->segment, emulate_offset(e, 0), 2, &value))
        return CPU_EMULATE_EXCEPTION;
    engine_write_cr0(e->c, (e->env->cr[0] & ~0xeull) | (value & 0xf));
    return emulate_done(e);
}

/* What MOV DR checks both ways; the register's number after aliasing in *@n. */
static bool dr_access(struct emulate *e, unsigned *n, enum cpu_emulate *result)
{
    *n = e->insn->creg;
    if (*n > 7 || ((*n == 4 || *n == 5) && e->env->cr[4] & CR4_DE)) {
        *result = emulate_fault(e, EXC_UD);
        return false;
    }
    if (env_cpl(e->env) != 0) {
        *result = emulate_fault(e, EXC_GP);
        return false;
    }
    if (e->vcpu->dr7 & DR7_GD) { /* general detect: a fault; the handler may use them again */
        e->vcpu->dr6 |= DR6_BD;
        e->vcpu->dr7 &= ~DR7_GD;
        *result = emulate_fault(e, EXC_DB);
        return false;
    }
    if (*n == 4 || *n == 5)
        *n += 2;
    return true;
}

enum cpu_emulate emulate_mov_to_dr(struct emulate *e)
{
    uint64_t value = emulate_reg_read(e, e->insn->reg, e->insn->operand_bytes);
    enum cpu_emulate result;
    unsigned n;

    if (!dr_access(e, &n, &result))
        return result;
    if (n < 4) {
        e->vcpu->dr[n] = value;
        return emulate_done(e);
    }
    if (value >> 32)
        return emulate_fault(e, EXC_GP);
    if (n == 6)
        e->vcpu->dr6 = (value & DR6_WRITABLE) | DR6_FIXED;
    else
        e->vcpu->dr7 = (value & DR7_WRITABLE) | DR7_FIXED;
    return emulate_done(e);
}

enum cpu_emulate emulate_mov_from_dr(struct emulate *e)
{
    enum cpu_emulate result;
    unsigned n;

    if (!dr_access(e, &n, &result))
        return result;
    emulate_reg_write(e, e->insn->reg, e->insn->operand_bytes,
                      n < 4    ? e->vcpu->dr[n]
                      : n == 6 ? e->vcpu->dr6
                               : e->vcpu->dr7);
    return emulate_done(e);
}
