/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers (SDM 4 chapter 2); docs/cpu-models.md has the list.
 *
 * A register is a row of one table: a reader and a writer; NULL as writer means that writing
 * is #GP(0).  What is in no row does not exist: #GP(0) both ways.  Values live where they are
 * used: in the library's state, in struct cpu_vcpu, or on the bus (local APIC).
 */
#include "cpu/internal.h"

#include <string.h>

enum {
    MSR_TSC = 0x10,
    MSR_PLATFORM_ID = 0x17,
    MSR_APIC_BASE = 0x1b,
    MSR_TSC_ADJUST = 0x3b,
    MSR_BIOS_UPDT_TRIG = 0x79,
    MSR_BIOS_SIGN_ID = 0x8b,
    MSR_MTRRCAP = 0xfe,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS = 0x17a,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_DEBUGCTL = 0x1d9,
    MSR_MTRR_PHYSBASE0 = 0x200,
    MSR_MTRR_PHYSMASK7 = 0x20f,
    MSR_MTRR_FIX64K_00000 = 0x250,
    MSR_MTRR_FIX16K_80000 = 0x258,
    MSR_MTRR_FIX16K_A0000 = 0x259,
    MSR_MTRR_FIX4K_C0000 = 0x268,
    MSR_MTRR_FIX4K_F8000 = 0x26f,
    MSR_PAT = 0x277,
    MSR_MTRR_DEF_TYPE = 0x2ff,
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_X2APIC_FIRST = 0x800,
    MSR_X2APIC_LAST = 0x8ff,
};
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_FMASK          0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u

#define PAT_RESET          0x0007040600070406ull
#define MTRRCAP            0x508u /* 8 variable ranges, fixed ranges, write-combining */
#define MICROCODE_REVISION (1ull << 32)
/* IA32_MISC_ENABLE: fast strings on; no branch trace store, no PEBS. */
#define MISC_ENABLE_RESET ((1ull << 0) | (1ull << 11) | (1ull << 12))
#define MISC_ENABLE_FIXED ((1ull << 7) | (1ull << 11) | (1ull << 12))
#define MISC_ENABLE_WRITE ((1ull << 0) | (1ull << 3) | (1ull << 16) | (1ull << 22) | (1ull << 23))
#define MTRR_DEF_MASK     0xcffull
#define MTRR_MASK_VALID   0x800ull

struct msr_access {
    struct cpu *c;
    struct cpu_env *env;
    const struct env_offsets *off;
    struct cpu_vcpu *v;
    uint32_t msr;
    uint64_t value; /* to be written, or read */
};

typedef bool msr_fn(struct msr_access *a);

/* ---- time ---- */

static bool read_tsc(struct msr_access *a)
{
    a->value = cpu_cycles(a->c, a->v->index) + a->v->tsc_offset;
    return true;
}

/* An armed deadline is a value of the TSC: when the TSC jumps, its instant moves (SDM 3A 10.5.4.1).
 * Outside TSC-deadline mode the register reads as 0. */
static void set_tsc_offset(struct msr_access *a, uint64_t offset)
{
    const struct cpu_bus *bus = cpu_get_bus(a->c);
    uint64_t deadline;

    a->v->tsc_offset = offset;
    if (cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_TSC_DEADLINE) &&
        bus->msr_read(bus->user, a->v->index, MSR_TSC_DEADLINE, &deadline) && deadline != 0)
        bus->msr_write(bus->user, a->v->index, MSR_TSC_DEADLINE, deadline);
}

/* A write moves IA32_TSC_ADJUST by as much as the counter (SDM 3B 17.17.3). */
static bool write_tsc(struct msr_access *a)
{
    uint64_t offset = a->value - cpu_cycles(a->c, a->v->index);

    a->v->tsc_adjust += offset - a->v->tsc_offset;
    set_tsc_offset(a, offset);
    return true;
}

static bool read_tsc_adjust(struct msr_access *a)
{
    a->value = a->v->tsc_adjust;
    return cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_TSC_ADJUST);
}

static bool write_tsc_adjust(struct msr_access *a)
{
    if (!cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_TSC_ADJUST))
        return false;
    set_tsc_offset(a, a->v->tsc_offset + a->value - a->v->tsc_adjust);
    a->v->tsc_adjust = a->value;
    return true;
}

static bool read_tsc_aux(struct msr_access *a)
{
    a->value = ENV64(a->env, a->off->tsc_aux);
    return cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_RDTSCP);
}

static bool write_tsc_aux(struct msr_access *a)
{
    if (!cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_RDTSCP) || a->value >> 32)
        return false;
    ENV64(a->env, a->off->tsc_aux) = a->value;
    return true;
}

/* ---- on the bus ---- */

static bool bus_offers(const struct msr_access *a)
{
    return a->msr != MSR_TSC_DEADLINE ||
           cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_TSC_DEADLINE);
}

static bool read_bus(struct msr_access *a)
{
    const struct cpu_bus *bus = cpu_get_bus(a->c);

    return bus_offers(a) && bus->msr_read(bus->user, a->v->index, a->msr, &a->value);
}

static bool write_bus(struct msr_access *a)
{
    const struct cpu_bus *bus = cpu_get_bus(a->c);

    return bus_offers(a) && bus->msr_write(bus->user, a->v->index, a->msr, a->value);
}

/* ---- identification, microcode, features ---- */

static bool read_zero(struct msr_access *a)
{
    a->value = 0;
    return true;
}

static bool write_ignored(struct msr_access *a)
{
    (void)a;
    return true;
}

static bool write_only_zero(struct msr_access *a)
{
    return a->value == 0;
}

static bool read_microcode(struct msr_access *a)
{
    a->value = MICROCODE_REVISION;
    return true;
}

static bool read_misc_enable(struct msr_access *a)
{
    a->value = a->v->msr_misc_enable;
    return true;
}

/* Read-only bits keep their value whatever is written to them. */
static bool write_misc_enable(struct msr_access *a)
{
    if (a->value & ~(MISC_ENABLE_WRITE | MISC_ENABLE_FIXED))
        return false;
    a->v->msr_misc_enable =
        (a->value & MISC_ENABLE_WRITE) | (a->v->msr_misc_enable & MISC_ENABLE_FIXED);
    return true;
}

/*
 * Machine check with no bank at all.  Readable in every model: Xen's XENMC_physcpuinfo reads it
 * whatever CPUID says, and dom0's Linux asks for that.
 */
static bool read_mcg_cap(struct msr_access *a)
{
    a->value = 0;
    return true;
}

static bool read_mcg_status(struct msr_access *a)
{
    a->value = a->v->msr_mcg_status;
    return cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_MCA);
}

static bool write_mcg_status(struct msr_access *a)
{
    if (!cpu_model_has(cpu_get_model(a->c), CPU_FEATURE_MCA) || (a->value & ~7ull))
        return false;
    a->v->msr_mcg_status = a->value;
    return true;
}

/* ---- memory types: kept, without effect ---- */

/* Uncached, write-combining, write-through, write-protected, write-back. */
static bool is_mtrr_type(uint8_t type)
{
    return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

/* All eight bytes are types; PAT also has type 7, uncached but yielding to an MTRR. */
static bool are_types(uint64_t value, bool pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        uint8_t type = (uint8_t)(value >> i);

        if (!is_mtrr_type(type) && !(pat && type == 7))
            return false;
    }
    return true;
}

static bool read_pat(struct msr_access *a)
{
    a->value = a->v->msr_pat;
    return true;
}

static bool write_pat(struct msr_access *a)
{
    if (!are_types(a->value, true))
        return false;
    a->v->msr_pat = a->value;
    return true;
}

static bool read_mtrr_cap(struct msr_access *a)
{
    a->value = MTRRCAP;
    return true;
}

static bool read_mtrr_def(struct msr_access *a)
{
    a->value = a->v->msr_mtrr_def;
    return true;
}

static bool write_mtrr_def(struct msr_access *a)
{
    if ((a->value & ~MTRR_DEF_MASK) || !is_mtrr_type((uint8_t)a->value))
        return false;
    a->v->msr_mtrr_def = a->value;
    return true;
}

/* The eleven fixed-range registers lie at 250, 258, 259 and 268 to 26f. */
static uint64_t *mtrr_fixed(struct msr_access *a)
{
    switch (a->msr) {
    case MSR_MTRR_FIX64K_00000:
        return &a->v->msr_mtrr_fixed[0];
    case MSR_MTRR_FIX16K_80000:
        return &a->v->msr_mtrr_fixed[1];
    case MSR_MTRR_FIX16K_A0000:
        return &a->v->msr_mtrr_fixed[2];
    default:
        return &a->v->msr_mtrr_fixed[3 + a->msr - MSR_MTRR_FIX4K_C0000];
    }
}

static bool read_mtrr_fixed(struct msr_access *a)
{
    a->value = *mtrr_fixed(a);
    return true;
}

static bool write_mtrr_fixed(struct msr_access *a)
{
    if (!are_types(a->value, false))
        return false;
    *mtrr_fixed(a) = a->value;
    return true;
}

static bool read_mtrr_var(struct msr_access *a)
{
    a->value = a->v->msr_mtrr_var[a->msr - MSR_MTRR_PHYSBASE0];
    return true;
}

/* Even: base and type; odd: mask and valid bit (SDM 3A 11.11.2.3). */
static bool write_mtrr_var(struct msr_access *a)
{
    unsigned bits = cpu_model_physical_bits(cpu_get_model(a->c));
    uint64_t frame = ((1ull << bits) - 1) & ~PAGE_MASK;
    bool is_mask = a->msr & 1;

    if (a->value & ~(frame | (is_mask ? MTRR_MASK_VALID : 0xff)))
        return false;
    if (!is_mask && !is_mtrr_type((uint8_t)a->value))
        return false;
    a->v->msr_mtrr_var[a->msr - MSR_MTRR_PHYSBASE0] = a->value;
    return true;
}

/* ---- system calls and bases ---- */

static bool read_sysenter_cs(struct msr_access *a)
{
    a->value = ENV32(a->env, a->off->sysenter_cs);
    return true;
}

/* Only the low half exists. */
static bool write_sysenter_cs(struct msr_access *a)
{
    ENV32(a->env, a->off->sysenter_cs) = (uint32_t)a->value;
    return true;
}

static uint64_t *address_of(struct msr_access *a)
{
    switch (a->msr) {
    case MSR_SYSENTER_ESP:
        return &ENV64(a->env, a->off->sysenter_esp);
    case MSR_SYSENTER_EIP:
        return &ENV64(a->env, a->off->sysenter_eip);
    case MSR_LSTAR:
        return &ENV64(a->env, a->off->lstar);
    case MSR_CSTAR:
        return &ENV64(a->env, a->off->cstar);
    case MSR_FS_BASE:
        return &a->env->segs[CPU_FS].base;
    case MSR_GS_BASE:
        return &a->env->segs[CPU_GS].base;
    default:
        return &ENV64(a->env, a->off->kernel_gs_base);
    }
}

static bool read_address(struct msr_access *a)
{
    a->value = *address_of(a);
    return true;
}

static bool write_address(struct msr_access *a)
{
    if (!cpu_is_canonical(a->value))
        return false;
    *address_of(a) = a->value;
    return true;
}

static bool read_star(struct msr_access *a)
{
    a->value = ENV64(a->env, a->off->star);
    return true;
}

static bool write_star(struct msr_access *a)
{
    ENV64(a->env, a->off->star) = a->value;
    return true;
}

static bool read_fmask(struct msr_access *a)
{
    a->value = ENV64(a->env, a->off->fmask);
    return true;
}

static bool write_fmask(struct msr_access *a)
{
    if (a->value >> 32)
        return false;
    ENV64(a->env, a->off->fmask) = a->value;
    return true;
}

static bool read_efer(struct msr_access *a)
{
    a->value = ENV64(a->env, a->off->efer);
    return true;
}

/* LMA is the CPU's own; LME is fixed while paging is on (SDM 3A 2.2.1, 4.1.1). */
static bool write_efer(struct msr_access *a)
{
    uint64_t old = ENV64(a->env, a->off->efer);

    if (a->value & ~cpu_model_efer_mask(cpu_get_model(a->c)))
        return false;
    if (((a->value ^ old) & EFER_LME) && (a->env->cr[0] & CR0_PG))
        return false;
    engine_write_efer(a->c, (a->value & ~EFER_LMA) | (old & EFER_LMA));
    return true;
}

/* ---- the table ---- */

static const struct {
    uint32_t first, last;
    msr_fn *read, *write;
} table[] = {
    {MSR_TSC, MSR_TSC, read_tsc, write_tsc},
    {MSR_PLATFORM_ID, MSR_PLATFORM_ID, read_zero, NULL},
    {MSR_APIC_BASE, MSR_APIC_BASE, read_bus, write_bus},
    {MSR_TSC_ADJUST, MSR_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust},
    {MSR_BIOS_UPDT_TRIG, MSR_BIOS_UPDT_TRIG, NULL, write_ignored},
    {MSR_BIOS_SIGN_ID, MSR_BIOS_SIGN_ID, read_microcode, write_ignored},
    {MSR_MTRRCAP, MSR_MTRRCAP, read_mtrr_cap, NULL},
    {MSR_SYSENTER_CS, MSR_SYSENTER_CS, read_sysenter_cs, write_sysenter_cs},
    {MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, read_address, write_address},
    {MSR_MCG_CAP, MSR_MCG_CAP, read_mcg_cap, NULL},
    {MSR_MCG_STATUS, MSR_MCG_STATUS, read_mcg_status, write_mcg_status},
    {MSR_MISC_ENABLE, MSR_MISC_ENABLE, read_misc_enable, write_misc_enable},
    {MSR_DEBUGCTL, MSR_DEBUGCTL, read_zero, write_only_zero},
    {MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSMASK7, read_mtrr_var, write_mtrr_var},
    {MSR_MTRR_FIX64K_00000, MSR_MTRR_FIX64K_00000, read_mtrr_fixed, write_mtrr_fixed},
    {MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000, read_mtrr_fixed, write_mtrr_fixed},
    {MSR_MTRR_FIX4K_C0000, MSR_MTRR_FIX4K_F8000, read_mtrr_fixed, write_mtrr_fixed},
    {MSR_PAT, MSR_PAT, read_pat, write_pat},
    {MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, read_mtrr_def, write_mtrr_def},
    {MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, read_bus, write_bus},
    {MSR_X2APIC_FIRST, MSR_X2APIC_LAST, read_bus, write_bus},
    {MSR_EFER, MSR_EFER, read_efer, write_efer},
    {MSR_STAR, MSR_STAR, read_star, write_star},
    {MSR_LSTAR, MSR_CSTAR, read_address, write_address},
    {MSR_FMASK, MSR_FMASK, read_fmask, write_fmask},
    {MSR_FS_BASE, MSR_KERNEL_GS_BASE, read_address, write_address},
    {MSR_TSC_AUX, MSR_TSC_AUX, read_tsc_aux, write_tsc_aux},
};

static msr_fn *find(uint32_t msr, bool write)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (msr >= table[i].first && msr <= table[i].last)
            return write ? table[i].write : table[i].read;
    return NULL;
}

static struct msr_access access_of(struct cpu *c, uint32_t msr, uint64_t value)
{
    return (struct msr_access){
        .c = c,
        .env = env_load(c),
        .off = env_offsets(c),
        .v = cpu_loaded(c),
        .msr = msr,
        .value = value,
    };
}

bool cpu_msr_read(struct cpu *c, uint32_t msr, uint64_t *value)
{
    struct msr_access a = access_of(c, msr, 0);
    msr_fn *read = find(msr, false);

    if (read == NULL || !read(&a))
        return false;
    *value = a.value;
    return true;
}

bool cpu_msr_write(struct cpu *c, uint32_t msr, uint64_t value)
{
    struct msr_access a = access_of(c, msr, value);
    msr_fn *write = find(msr, true);

    return write != NULL && write(&a);
}

/* INIT leaves all of them alone (SDM 3A table 9-1). */
void cpu_msr_reset(struct cpu_vcpu *v, bool init)
{
    if (init)
        return;
    v->tsc_adjust = 0;
    v->msr_misc_enable = MISC_ENABLE_RESET;
    v->msr_mtrr_def = 0;
    memset(v->msr_mtrr_fixed, 0, sizeof(v->msr_mtrr_fixed));
    memset(v->msr_mtrr_var, 0, sizeof(v->msr_mtrr_var));
    v->msr_pat = PAT_RESET;
    v->msr_feature_control = 0;
    v->msr_spec_ctrl = 0;
    v->msr_mcg_status = 0;
}
