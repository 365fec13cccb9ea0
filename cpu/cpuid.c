/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU models and their CPUID leaves (SDM 2A CPUID); docs/cpu-models.md describes them.
 *
 * A model is a row of constants.  What depends on the machine (APIC id, number of CPUs,
 * frequency) or on the CPU's state (OSXSAVE, the APIC's enable bit, the limit that
 * IA32_MISC_ENABLE sets) is filled in when the instruction is executed.
 *
 * No model offers what cannot be executed: the library translates no AVX, PCID, INVPCID
 * or XSAVE state management.
 */
#include "cpu/internal.h"

#include <string.h>

#define BIT(n) (1u << (n))

/* Leaf 1 EDX. */
#define D1_BASE                                                                                    \
    (BIT(0) /* FPU */ | BIT(2) /* DE */ | BIT(3) /* PSE */ | BIT(4) /* TSC */ | BIT(5) /* MSR */ | \
     BIT(6) /* PAE */ | BIT(8) /* CX8 */ | D1_APIC | BIT(11) /* SEP */ | BIT(12) /* MTRR */ |      \
     BIT(13) /* PGE */ | BIT(15) /* CMOV */ | BIT(16) /* PAT */ | BIT(17) /* PSE36 */ |            \
     BIT(19) /* CLFSH */ | BIT(23) /* MMX */ | BIT(24) /* FXSR */ | BIT(25) /* SSE */ |            \
     BIT(26) /* SSE2 */)
#define D1_MCE  BIT(7)
#define D1_APIC BIT(9)
#define D1_MCA  BIT(14)
#define D1_HTT  BIT(28)
/* Leaf 1 ECX. */
#define C1_SSE3         BIT(0)
#define C1_PCLMULQDQ    BIT(1)
#define C1_MONITOR      BIT(3)
#define C1_SSSE3        BIT(9)
#define C1_CX16         BIT(13)
#define C1_SSE41        BIT(19)
#define C1_SSE42        BIT(20)
#define C1_MOVBE        BIT(22)
#define C1_POPCNT       BIT(23)
#define C1_TSC_DEADLINE BIT(24)
#define C1_AES          BIT(25)
#define C1_XSAVE        BIT(26)
#define C1_OSXSAVE      BIT(27)
#define C1_RDRAND       BIT(30)
/* Leaf 7 EBX. */
#define B7_FSGSBASE   BIT(0)
#define B7_TSC_ADJUST BIT(1)
#define B7_SMEP       BIT(7)
#define B7_ERMS       BIT(9)
#define B7_INVPCID    BIT(10)
#define B7_RDSEED     BIT(18)
#define B7_ADX        BIT(19)
#define B7_SMAP       BIT(20)
/* Leaf 80000001. */
#define XC_LAHF      BIT(0)
#define XC_LZCNT     BIT(5)
#define XC_PREFETCHW BIT(8)
#define XD_SYSCALL   BIT(11)
#define XD_NX        BIT(20)
#define XD_1GIB      BIT(26)
#define XD_RDTSCP    BIT(27)
#define XD_LM        BIT(29)

#define MAX_EXTENDED           0x80000008u
#define MISC_ENABLE_LIMIT_LEAF (1ull << 22)
#define CR4_OSXMMEXCPT         (1ull << 10)
#define APIC_BASE_MSR          0x1bu
#define TSC_DEADLINE_MSR       0x6e0u
#define APIC_BASE_ENABLE       (1ull << 11)

struct cpu_model {
    const char *name;
    const char *brand; /* at most 47 characters */
    enum cpu_library library;
    uint32_t signature;
    uint32_t max_basic;
    uint32_t leaf1_ecx, leaf1_edx, leaf7_ebx, ext1_ecx, ext1_edx;
    uint8_t physical_bits;
};

static const struct cpu_model models[] = {
    {
        .name = "paravane-v1",
        .brand = "Paravane v1 simulated processor",
        .library = CPU_LIBRARY_HASWELL,
        .signature = 0x10676,
        .max_basic = 0xb,
        .leaf1_ecx = C1_SSE3 | C1_SSSE3 | C1_CX16 | C1_SSE41 | C1_SSE42 | C1_POPCNT,
        .leaf1_edx = D1_BASE,
        .leaf7_ebx = B7_FSGSBASE | B7_ERMS,
        .ext1_ecx = XC_LAHF,
        .ext1_edx = XD_SYSCALL | XD_NX | XD_1GIB | XD_RDTSCP | XD_LM,
        .physical_bits = 40,
    },
    {
        .name = "paravane-v2",
        .brand = "Paravane v2 simulated processor",
        .library = CPU_LIBRARY_BROADWELL,
        .signature = 0x1067a,
        .max_basic = 0x16,
        .leaf1_ecx = C1_SSE3 | C1_PCLMULQDQ | C1_SSSE3 | C1_CX16 | C1_SSE41 | C1_SSE42 | C1_MOVBE |
                     C1_POPCNT | C1_TSC_DEADLINE | C1_AES | C1_RDRAND,
        .leaf1_edx = D1_BASE | D1_MCE | D1_MCA,
        .leaf7_ebx = B7_FSGSBASE | B7_TSC_ADJUST | B7_SMEP | B7_ERMS | B7_RDSEED | B7_ADX | B7_SMAP,
        .ext1_ecx = XC_LAHF | XC_LZCNT | XC_PREFETCHW,
        .ext1_edx = XD_SYSCALL | XD_NX | XD_1GIB | XD_RDTSCP | XD_LM,
        .physical_bits = 40,
    },
    {
        .name = "paravane-min",
        .brand = "Paravane minimal x86-64 processor",
        .library = CPU_LIBRARY_HASWELL,
        .signature = 0x10676,
        .max_basic = 6,
        .leaf1_edx = D1_BASE,
        .ext1_edx = XD_SYSCALL | XD_NX | XD_LM,
        .physical_bits = 40,
    },
};

static const char *const names[] = {"paravane-v1", "paravane-v2", "paravane-min", NULL};
_Static_assert(ARRAY_LEN(names) == ARRAY_LEN(models) + 1, "a name for each model");

const char *const *cpu_model_names(void)
{
    return names;
}

const struct cpu_model *cpu_model_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(models); i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

enum cpu_library cpu_model_library_id(const struct cpu_model *model)
{
    return model->library;
}

unsigned cpu_model_physical_bits(const struct cpu_model *model)
{
    return model->physical_bits;
}

uint32_t cpu_model_signature(const struct cpu_model *model)
{
    return model->signature;
}

bool cpu_model_has(const struct cpu_model *model, enum cpu_feature feature)
{
    switch (feature) {
    case CPU_FEATURE_RDRAND:
        return model->leaf1_ecx & C1_RDRAND;
    case CPU_FEATURE_RDSEED:
        return model->leaf7_ebx & B7_RDSEED;
    case CPU_FEATURE_FSGSBASE:
        return model->leaf7_ebx & B7_FSGSBASE;
    case CPU_FEATURE_SMAP:
        return model->leaf7_ebx & B7_SMAP;
    case CPU_FEATURE_MONITOR:
        return model->leaf1_ecx & C1_MONITOR;
    case CPU_FEATURE_RDTSCP:
        return model->ext1_edx & XD_RDTSCP;
    case CPU_FEATURE_TSC_DEADLINE:
        return model->leaf1_ecx & C1_TSC_DEADLINE;
    case CPU_FEATURE_TSC_ADJUST:
        return model->leaf7_ebx & B7_TSC_ADJUST;
    case CPU_FEATURE_MCA:
        return model->leaf1_edx & D1_MCA;
    case CPU_FEATURE_INVPCID:
        return model->leaf7_ebx & B7_INVPCID;
    case CPU_FEATURE_XSAVE:
        return model->leaf1_ecx & C1_XSAVE;
    }
    return false;
}

uint32_t cpu_model_hidden(const struct cpu_model *model)
{
    static const uint32_t bit[] = {
        [CPU_INSN_SSE3] = C1_SSE3,   [CPU_INSN_SSSE3] = C1_SSSE3,
        [CPU_INSN_SSE41] = C1_SSE41, [CPU_INSN_SSE42] = C1_SSE42,
        [CPU_INSN_POPCNT] = C1_POPCNT, [CPU_INSN_MOVBE] = C1_MOVBE,
        [CPU_INSN_AES] = C1_AES,     [CPU_INSN_PCLMULQDQ] = C1_PCLMULQDQ,
        [CPU_INSN_CX16] = C1_CX16,
    };
    uint32_t hidden = 0;

    for (unsigned i = 0; i < ARRAY_LEN(bit); i++)
        hidden |= model->leaf1_ecx & bit[i] ? 0 : 1u << i;
    hidden |= model->ext1_edx & XD_RDTSCP ? 0 : 1u << CPU_INSN_RDTSCP;
    hidden |= model->ext1_ecx & XC_LAHF ? 0 : 1u << CPU_INSN_LAHF;
    return hidden;
}

uint64_t cpu_model_cr4_mask(const struct cpu_model *model)
{
    uint64_t mask =
        CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    mask |= model->leaf1_edx & D1_MCE ? CR4_MCE : 0;
    mask |= model->leaf7_ebx & B7_FSGSBASE ? CR4_FSGSBASE : 0;
    mask |= model->leaf7_ebx & B7_SMEP ? CR4_SMEP : 0;
    mask |= model->leaf7_ebx & B7_SMAP ? CR4_SMAP : 0;
    mask |= model->leaf1_ecx & C1_XSAVE ? CR4_OSXSAVE : 0;
    return mask;
}

uint64_t cpu_model_efer_mask(const struct cpu_model *model)
{
    uint64_t mask = 0;

    mask |= model->ext1_edx & XD_SYSCALL ? EFER_SCE : 0;
    mask |= model->ext1_edx & XD_LM ? EFER_LME | EFER_LMA : 0;
    mask |= model->ext1_edx & XD_NX ? EFER_NXE : 0;
    return mask;
}

/* ---- the leaves ---- */

static uint32_t register_of(const char *text)
{
    return (uint32_t)(uint8_t)text[0] | (uint32_t)(uint8_t)text[1] << 8 |
           (uint32_t)(uint8_t)text[2] << 16 | (uint32_t)(uint8_t)text[3] << 24;
}

/* How many bits an APIC id needs for @count CPUs. */
static unsigned id_bits(unsigned count)
{
    unsigned bits = 0;

    while ((1u << bits) < count)
        bits++;
    return bits;
}

/* IA32_MISC_ENABLE bit 22 caps the basic leaves at 2 (SDM 4 table 2-2; old systems that cannot
 * bear more ask for it). */
static void leaf_0(struct cpu *c, const struct cpu_model *model, struct cpuid_result *out)
{
    bool limited = cpu_loaded(c)->msr_misc_enable & MISC_ENABLE_LIMIT_LEAF;

    out->eax = limited ? 2 : model->max_basic;
    out->ebx = register_of("Genu");
    out->edx = register_of("ineI");
    out->ecx = register_of("ntel");
}

/* The local APIC has the last word on itself: is it enabled, does it know TSC deadlines? */
static void apic_features(struct cpu *c, struct cpuid_result *out)
{
    const struct cpu_bus *bus = cpu_get_bus(c);
    unsigned index = cpu_loaded(c)->index;
    uint64_t value;

    if (bus->msr_read(bus->user, index, APIC_BASE_MSR, &value) && !(value & APIC_BASE_ENABLE))
        out->edx &= ~D1_APIC;
    if (!bus->msr_read(bus->user, index, TSC_DEADLINE_MSR, &value))
        out->ecx &= ~C1_TSC_DEADLINE;
}

static void leaf_1(struct cpu *c, const struct cpu_model *model, struct cpuid_result *out)
{
    unsigned index = cpu_loaded(c)->index, count = cpu_get_config(c)->count;

    out->eax = model->signature;
    out->ebx = index << 24 | 8 << 8; /* initial APIC id; CLFLUSH: 8 quadwords */
    out->ecx = model->leaf1_ecx;
    out->edx = model->leaf1_edx;
    if (count > 1) {
        out->ebx |= 1u << id_bits(count) << 16;
        out->edx |= D1_HTT;
    }
    apic_features(c, out);
    if ((model->leaf1_ecx & C1_XSAVE) && (env_load(c)->cr[4] & CR4_OSXSAVE))
        out->ecx |= C1_OSXSAVE;
}

/* One byte each: 01 the count; FF caches are in leaf 4; B0, 03 TLBs; F0 64-byte prefetch. */
static void leaf_2(struct cpuid_result *out)
{
    out->eax = 0x03b0ff01;
    out->edx = 0x000000f0;
}

/* A cache of leaf 4: @ways of 64-byte lines. */
static void leaf_4(unsigned count, uint32_t subleaf, struct cpuid_result *out)
{
    enum { NONE, DATA, INSTRUCTION, UNIFIED };
    static const struct {
        uint8_t type, level, ways;
        bool shared;
        uint32_t sets;
    } caches[] = {
        {DATA, 1, 8, false, 64},        /* 32 KiB */
        {INSTRUCTION, 1, 8, false, 64}, /* 32 KiB */
        {UNIFIED, 2, 8, false, 512},    /* 256 KiB */
        {UNIFIED, 3, 16, true, 8192},   /* 8 MiB */
    };
    uint32_t ids = 1u << id_bits(count);

    if (subleaf >= ARRAY_LEN(caches))
        return;
    out->eax = caches[subleaf].type | (uint32_t)caches[subleaf].level << 5 | 1 << 8 |
               (caches[subleaf].shared ? ids - 1 : 0) << 14 | (ids - 1) << 26;
    out->ebx = (caches[subleaf].ways - 1u) << 22 | 63;
    out->ecx = caches[subleaf].sets - 1;
}

/* One package of @count cores with one thread each. */
static void leaf_b(unsigned count, unsigned index, uint32_t subleaf, struct cpuid_result *out)
{
    out->ecx = subleaf & 0xff;
    out->edx = index;
    if (subleaf == 0) {
        out->ebx = 1;
        out->ecx |= 1 << 8; /* level type: SMT */
    } else if (subleaf == 1) {
        out->eax = id_bits(count);
        out->ebx = count;
        out->ecx |= 2 << 8; /* core */
    }
}

static void leaf_16(uint64_t frequency_hz, struct cpuid_result *out)
{
    uint64_t mhz = frequency_hz / 1000000;

    out->eax = out->ebx = mhz < 0xffff ? (uint32_t)mhz : 0xffff;
    out->ecx = 100;
}

static void brand(const char *text, unsigned part, struct cpuid_result *out)
{
    char padded[49] = {0};

    g_strlcpy(padded, text, sizeof(padded));
    out->eax = register_of(padded + part * 16);
    out->ebx = register_of(padded + part * 16 + 4);
    out->ecx = register_of(padded + part * 16 + 8);
    out->edx = register_of(padded + part * 16 + 12);
}

static void basic_leaf(struct cpu *c, const struct cpu_model *model, uint32_t leaf,
                       uint32_t subleaf, struct cpuid_result *out)
{
    const struct cpu_config *config = cpu_get_config(c);

    switch (leaf) {
    case 0:
        leaf_0(c, model, out);
        break;
    case 1:
        leaf_1(c, model, out);
        break;
    case 2:
        leaf_2(out);
        break;
    case 4:
        leaf_4(config->count, subleaf, out);
        break;
    case 6:
        out->eax = BIT(2); /* ARAT: the APIC timer never stops */
        break;
    case 7:
        out->ebx = subleaf == 0 ? model->leaf7_ebx : 0;
        break;
    case 0xb:
        leaf_b(config->count, cpu_loaded(c)->index, subleaf, out);
        break;
    case 0x16:
        leaf_16(config->frequency_hz, out);
        break;
    default: /* 3, 5, 9, a, c .. 15: nothing of that kind here */
        break;
    }
}

/* SYSCALL is told of in 64-bit mode only (SDM 2A CPUID, 80000001H EDX bit 11). */
static void extended_leaf(struct cpu *c, const struct cpu_model *model, uint32_t leaf,
                          struct cpuid_result *out)
{
    switch (leaf) {
    case 0x80000000:
        out->eax = MAX_EXTENDED;
        break;
    case 0x80000001:
        out->ecx = model->ext1_ecx;
        out->edx = model->ext1_edx;
        if (!(env_load(c)->hflags & HF_CS64))
            out->edx &= ~XD_SYSCALL;
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        brand(model->brand, leaf - 0x80000002, out);
        break;
    case 0x80000006:
        out->ecx = 256u << 16 | 6 << 12 | 64; /* L2: 256 KiB, 8 ways, 64-byte lines */
        break;
    case 0x80000007:
        out->edx = BIT(8); /* the TSC's rate is constant */
        break;
    case 0x80000008:
        out->eax = 48 << 8 | model->physical_bits;
        break;
    default: /* 80000005: reserved */
        break;
    }
}

/* A leaf above the basic or the extended maximum gives the data of the highest basic leaf, with
 * the subleaf applied (SDM 2A CPUID, "INPUT EAX = ..."); so do the leaves from 40000000 on, which
 * only hypervisors have.  The limit of IA32_MISC_ENABLE is told by leaf 0 alone. */
void cpu_model_cpuid(struct cpu *c, uint32_t leaf, uint32_t subleaf, struct cpuid_result *out)
{
    const struct cpu_model *model = cpu_get_model(c);

    memset(out, 0, sizeof(*out));
    if (leaf >= 0x80000000 && leaf <= MAX_EXTENDED)
        extended_leaf(c, model, leaf, out);
    else
        basic_leaf(c, model, leaf <= model->max_basic ? leaf : model->max_basic, subleaf, out);
}
