/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder: against Capstone on compiled code and on random bytes, and against the manual
 * where Capstone does not know an instruction.
 */
#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "sim/base/rng.h"

static const struct cpu_timing flat = {0};

/* Bytes from text such as "0f 01 f9".  Returns: how many. */
static size_t bytes(const char *text, uint8_t out[64])
{
    size_t n = 0;
    char *end;

    for (; *text && n < 64; text = end)
        out[n++] = (uint8_t)strtoul(text, &end, 16);
    return n;
}

static struct cpu_insn decode(enum cpu_mode mode, const char *text)
{
    uint8_t code[64] = {0};
    size_t size = bytes(text, code);
    struct cpu_insn insn;

    cpu_decode(mode, code, size, 0x1000, &insn);
    return insn;
}

static struct cpu_block block(enum cpu_mode mode, const char *text, unsigned rdtsc_cycles)
{
    const struct cpu_timing timing = {.rdtsc_cycles = rdtsc_cycles};
    uint8_t code[64] = {0};
    size_t size = bytes(text, code);
    struct cpu_block out;

    cpu_decode_block(mode, code, size, 0x1000, &timing, &out);
    return out;
}

/* ---- lengths ---- */

struct compared {
    unsigned long both, differ, only_ours, only_theirs, unexplained;
};

/* What Capstone 4.0.2 gets wrong where it knows the instruction. */
static bool is_known_capstone_error(const uint8_t *code, unsigned length)
{
    bool p66 = false, rexw = false;
    unsigned i = 0;

    for (; i < length; i++) {
        if (code[i] == 0x66)
            p66 = true;
        else if ((code[i] & 0xf8) == 0x48)
            rexw = true;
        else if ((code[i] & 0xf0) != 0x40 && (code[i] & 0xe7) != 0x26 && code[i] != 0xf0 &&
                 (code[i] & 0xfe) != 0xf2 && (code[i] < 0x64 || code[i] > 0x67))
            break;
    }
    if (code[i] == 0xe8 || code[i] == 0xe9) /* 66 does not shorten near branches (SDM 2A CALL) */
        return p66;
    if (code[i] == 0xc2 || code[i] == 0xca) /* RET imm16 has no imm32 */
        return rexw;
    if (code[i] != 0x0f)
        return false;
    if ((code[i + 1] & 0xf0) == 0x80)
        return p66;
    return code[i + 1] == 0xb9 || code[i + 1] == 0xff || code[i + 1] == 0x78; /* UD1 UD0 EXTRQ */
}

static void compare(csh handle, cs_insn *theirs, enum cpu_mode mode, const uint8_t *code,
                    struct compared *sum, unsigned *length)
{
    const uint8_t *at = code;
    size_t size = 15;
    uint64_t address = 0x1000;
    struct cpu_insn ours;
    bool we = cpu_decode(mode, code, 15, 0x1000, &ours);
    bool they = cs_disasm_iter(handle, &at, &size, &address, theirs);

    *length = we ? ours.length : they ? theirs->size : 1;
    sum->both += we && they;
    sum->only_ours += we && !they;
    sum->only_theirs += they && !we;
    if (!we || !they || ours.length == theirs->size)
        return;
    sum->differ++;
    if (!is_known_capstone_error(code, 15)) {
        sum->unexplained++;
        fprintf(stderr, "mode %d, ours %u, theirs %u %s %s:", mode, ours.length, theirs->size,
                theirs->mnemonic, theirs->op_str);
        for (unsigned i = 0; i < 15; i++)
            fprintf(stderr, " %02x", code[i]);
        fputc('\n', stderr);
    }
}

/* The code of every library in this process: some million instructions of compilers. */
static int compare_object(struct dl_phdr_info *info, size_t info_size, void *data)
{
    struct compared *sum = data;
    cs_insn *theirs;
    csh handle;

    (void)info_size;
    cs_open(CS_ARCH_X86, CS_MODE_64, &handle);
    theirs = cs_malloc(handle);
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        size_t size = p->p_filesz < (1 << 20) ? p->p_filesz : 1 << 20;
        const uint8_t *code = (const uint8_t *)(info->dlpi_addr + p->p_vaddr);
        unsigned length;

        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || !(p->p_flags & PF_R))
            continue;
        for (size_t at = 0; at + 15 <= size; at += length)
            compare(handle, theirs, CPU_MODE_64, code + at, sum, &length);
    }
    cs_free(theirs, 1);
    cs_close(&handle);
    return 0;
}

Test(cpu_decode, length_agrees_with_capstone_on_compiled_code)
{
    struct compared sum = {0};

    dl_iterate_phdr(compare_object, &sum);
    cr_assert_gt(sum.both, 200000, "only %lu instructions compared", sum.both);
    cr_assert_eq(sum.unexplained, 0, "%lu of %lu differ", sum.unexplained, sum.both);
    cr_assert_lt(sum.only_theirs, sum.both / 10000, "%lu known to Capstone only", sum.only_theirs);
}

static void compare_random(enum cpu_mode mode, cs_mode theirs_mode)
{
    struct compared sum = {0};
    struct base_rng rng;
    cs_insn *theirs;
    csh handle;

    base_rng_init(&rng, 20240, mode);
    cs_open(CS_ARCH_X86, theirs_mode, &handle);
    theirs = cs_malloc(handle);
    for (unsigned i = 0; i < 400000; i++) {
        uint64_t code[2] = {base_rng_next(&rng), base_rng_next(&rng)};
        unsigned length;

        compare(handle, theirs, mode, (const uint8_t *)code, &sum, &length);
    }
    cs_free(theirs, 1);
    cs_close(&handle);
    cr_expect_gt(sum.both, 200000, "mode %d: %lu compared", mode, sum.both);
    cr_expect_eq(sum.unexplained, 0, "mode %d: %lu of %lu differ", mode, sum.unexplained, sum.both);
    /* MOV to CS, which Capstone prints, and VIA's instructions are undefined here. */
    cr_expect_lt(sum.only_theirs, 400, "mode %d: %lu known to Capstone only", mode,
                 sum.only_theirs);
}

Test(cpu_decode, length_agrees_with_capstone_on_random_bytes)
{
    compare_random(CPU_MODE_16, CS_MODE_16);
    compare_random(CPU_MODE_32, CS_MODE_32);
    compare_random(CPU_MODE_64, CS_MODE_64);
}

Test(cpu_decode, length_of_what_capstone_may_not_know)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
        unsigned length;
    } cases[] = {
        {CPU_MODE_64, "f3 0f 1e fa", 4},             /* ENDBR64 */
        {CPU_MODE_64, "f3 48 0f 1e c8", 5},          /* RDSSPQ */
        {CPU_MODE_64, "f3 48 0f ae ea", 5},          /* INCSSPQ */
        {CPU_MODE_64, "0f 01 ca", 3},                /* CLAC */
        {CPU_MODE_64, "0f 01 cb", 3},                /* STAC */
        {CPU_MODE_64, "0f 01 ee", 3},                /* RDPKRU */
        {CPU_MODE_64, "0f 01 e8", 3},                /* SERIALIZE */
        {CPU_MODE_64, "0f c7 64 24 08", 5},          /* XSAVEC */
        {CPU_MODE_64, "66 0f ae 37", 4},             /* CLWB */
        {CPU_MODE_64, "0f 38 f9 07", 4},             /* MOVDIRI */
        {CPU_MODE_64, "66 0f 38 f8 3e", 5},          /* MOVDIR64B */
        {CPU_MODE_64, "f3 0f ae e0", 4},             /* PTWRITE */
        {CPU_MODE_64, "0f ff c0", 3},                /* UD0 */
        {CPU_MODE_64, "0f b9 05 01 02 03 04", 7},    /* UD1 */
        {CPU_MODE_64, "0f 19 84 00 01 02 03 04", 8}, /* NOP r/m */
        {CPU_MODE_64, "48 b8 01 02 03 04 05 06 07 08", 10},
        {CPU_MODE_64, "66 b8 01 02", 4},
        {CPU_MODE_64, "48 a1 01 02 03 04 05 06 07 08", 10},
        {CPU_MODE_64, "67 a1 01 02 03 04", 6},
        {CPU_MODE_32, "a1 01 02 03 04", 5},
        {CPU_MODE_32, "67 a1 01 02", 4},
        {CPU_MODE_16, "a1 01 02", 3},
        {CPU_MODE_64, "c8 10 00 01", 4},          /* ENTER */
        {CPU_MODE_32, "9a 01 02 03 04 05 06", 7}, /* CALL far */
        {CPU_MODE_16, "9a 01 02 03 04", 5},
        {CPU_MODE_16, "66 9a 01 02 03 04 05 06", 8},
        {CPU_MODE_64, "f7 05 01 02 03 04 05 06 07 08", 10}, /* TEST */
        {CPU_MODE_64, "f7 15 01 02 03 04", 6},              /* NOT */
        {CPU_MODE_64, "0f 20 04", 3},                       /* MOV CR: mod is ignored */
        {CPU_MODE_16, "8b 06 34 12", 4},
        {CPU_MODE_16, "8b 46 12", 3},
        {CPU_MODE_16, "67 8b 04 25 01 02 03 04", 8},
        {CPU_MODE_64, "c5 f8 77", 3}, /* VZEROUPPER */
        {CPU_MODE_64, "c4 e3 79 0f c1 08", 6},
        {CPU_MODE_64, "62 f3 7d 20 3f 47 01 00", 8},
        {CPU_MODE_32, "c5 f8 77", 3},
        {CPU_MODE_32, "c5 07", 2}, /* LDS */
        {CPU_MODE_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", 15},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(decode(cases[i].mode, cases[i].code).length, cases[i].length,
                     "mode %d, %s: %u", cases[i].mode, cases[i].code,
                     decode(cases[i].mode, cases[i].code).length);
}

Test(cpu_decode, too_few_bytes_and_undefined_opcodes_are_invalid)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
    } cases[] = {
        {CPU_MODE_64, ""},
        {CPU_MODE_64, "48"},
        {CPU_MODE_64, "8b"},
        {CPU_MODE_64, "8b 04"},
        {CPU_MODE_64, "8b 05 01 02 03"},
        {CPU_MODE_64, "c5 f8"},
        {CPU_MODE_64, "06"}, /* PUSH ES */
        {CPU_MODE_64, "9a 01 02 03 04 05 06"},
        {CPU_MODE_64, "0f 04"},
        {CPU_MODE_64, "0f 24 c0"},
        {CPU_MODE_64, "8e c8"}, /* MOV CS */
        {CPU_MODE_64, "8d c0"}, /* LEA of a register */
        {CPU_MODE_64, "ff f8"},
        {CPU_MODE_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_insn insn = decode(cases[i].mode, cases[i].code);

        cr_expect(insn.flags & CPU_INSN_INVALID, "%s", cases[i].code);
        cr_expect_eq(insn.length, 0, "%s", cases[i].code);
    }
}

/* ---- flags and kinds ---- */

#define FAR (CPU_INSN_FAR | CPU_INSN_BRANCH)
#define MODIFIES (CPU_INSN_WRITES_MEM | CPU_INSN_MODIFIES_MEM)

Test(cpu_decode, flags)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
        uint32_t flags;
    } cases[] = {
        {CPU_MODE_64, "90", 0},
        {CPU_MODE_64, "48 89 07", CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "48 89 c7", 0},
        {CPU_MODE_64, "48 8b 07", 0},
        {CPU_MODE_64, "80 3f 01", 0}, /* CMP */
        {CPU_MODE_64, "80 07 01", MODIFIES},
        {CPU_MODE_64, "f6 1f", MODIFIES}, /* NEG */
        {CPU_MODE_64, "f6 27", 0},                   /* MUL */
        {CPU_MODE_64, "55", CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "e8 00 00 00 00", CPU_INSN_BRANCH | CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "ff d0", CPU_INSN_BRANCH | CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "ff e0", CPU_INSN_BRANCH},
        {CPU_MODE_64, "eb 00", CPU_INSN_BRANCH},
        {CPU_MODE_64, "0f 84 00 00 00 00", CPU_INSN_BRANCH},
        {CPU_MODE_64, "c3", CPU_INSN_BRANCH},
        {CPU_MODE_64, "0f 0b", CPU_INSN_BRANCH},
        {CPU_MODE_64, "f3 a4", CPU_INSN_REP | CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "a4", CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "f3 a6", CPU_INSN_REP | CPU_INSN_REP_ZF},
        {CPU_MODE_64, "f2 48 af", CPU_INSN_REP | CPU_INSN_REP_ZF},
        {CPU_MODE_64, "f3 ac", CPU_INSN_REP},
        {CPU_MODE_64, "0f 31", CPU_INSN_RDTSC},
        {CPU_MODE_64, "0f 01 f9", CPU_INSN_RDTSC | CPU_INSN_OPTIONAL},
        {CPU_MODE_64, "fb", CPU_INSN_SHADOW},
        {CPU_MODE_64, "8e d0", CPU_INSN_SHADOW | CPU_INSN_MOV_SS | CPU_INSN_SYSTABLE},
        {CPU_MODE_32, "17", CPU_INSN_SPECIAL | CPU_INSN_SHADOW | CPU_INSN_MOV_SS | CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "8e d8", CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "0f a1", CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "0f b2 07", CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "0f 02 c0", CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "0f 00 e0", CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "0f 00 d8", CPU_INSN_SPECIAL},
        {CPU_MODE_64, "9c", CPU_INSN_PUSHF | CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "9d", CPU_INSN_LOADS_FLAGS},
        {CPU_MODE_64, "48 cf",
         FAR | CPU_INSN_IRET | CPU_INSN_LOADS_FLAGS | CPU_INSN_SYSTABLE | CPU_INSN_GUARDED},
        {CPU_MODE_32, "cf",
         FAR | CPU_INSN_IRET | CPU_INSN_LOADS_FLAGS | CPU_INSN_SYSTABLE | CPU_INSN_SPECIAL},
        {CPU_MODE_64, "48 0f 07",
         FAR | CPU_INSN_SYSRET | CPU_INSN_LOADS_FLAGS | CPU_INSN_GUARDED},
        {CPU_MODE_64, "0f 05", FAR},
        {CPU_MODE_64, "0f 34", FAR},
        {CPU_MODE_64, "cd 80", FAR},
        {CPU_MODE_64, "cc", FAR},
        {CPU_MODE_64, "48 cb", FAR | CPU_INSN_SYSTABLE | CPU_INSN_SPECIAL},
        {CPU_MODE_32, "cb", FAR | CPU_INSN_SYSTABLE},
        {CPU_MODE_64, "ff 2f", FAR | CPU_INSN_SYSTABLE | CPU_INSN_SPECIAL},
        {CPU_MODE_64, "ff 1f",
         FAR | CPU_INSN_SYSTABLE | CPU_INSN_WRITES_MEM | CPU_INSN_SPECIAL},
        {CPU_MODE_32, "ea 00 00 00 00 08 00", FAR | CPU_INSN_SYSTABLE | CPU_INSN_SPECIAL},
        {CPU_MODE_64, "d9 17", CPU_INSN_WRITES_MEM},    /* FST */
        {CPU_MODE_64, "d9 07", 0},                      /* FLD */
        {CPU_MODE_64, "0f ae 07", CPU_INSN_WRITES_MEM}, /* FXSAVE */
        {CPU_MODE_64, "0f ae 0f", CPU_INSN_SPECIAL}, /* FXRSTOR */
        {CPU_MODE_32, "64 8b 07", CPU_INSN_FSGS},
        {CPU_MODE_64, "64 8b 07", 0},
        {CPU_MODE_32, "2e 89 07", CPU_INSN_WRITES_MEM | CPU_INSN_SPECIAL},
        {CPU_MODE_32, "8e d8", CPU_INSN_SYSTABLE | CPU_INSN_SPECIAL},
        {CPU_MODE_64, "0f 38 f0 07", CPU_INSN_OPTIONAL}, /* MOVBE */
        {CPU_MODE_64, "66 0f 38 dc c1", CPU_INSN_OPTIONAL},
        {CPU_MODE_64, "f3 0f b8 c1", CPU_INSN_OPTIONAL},
        {CPU_MODE_64, "0f 11 07", CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "0f 10 07", 0},
        {CPU_MODE_64, "f3 0f 7e 07", 0},
        {CPU_MODE_64, "66 0f 7e 07", CPU_INSN_WRITES_MEM},
        {CPU_MODE_64, "0f c7 0f", MODIFIES},    /* CMPXCHG8B */
        {CPU_MODE_64, "0f ba 27 00", 0},                   /* BT */
        {CPU_MODE_64, "0f ba 2f 00", MODIFIES}, /* BTS */
        {CPU_MODE_64, "0f 94 07", CPU_INSN_WRITES_MEM | CPU_INSN_SPECIAL}, /* SETZ, and of a register */
        {CPU_MODE_64, "0f 94 c0", 0},
        {CPU_MODE_64, "d1 17", MODIFIES | CPU_INSN_SPECIAL}, /* RCL */
        {CPU_MODE_64, "d1 d0", 0},
        {CPU_MODE_64, "d1 27", MODIFIES},                 /* SHL */
        {CPU_MODE_64, "e1 00", CPU_INSN_BRANCH | CPU_INSN_SPECIAL}, /* LOOPE */
        {CPU_MODE_64, "e2 00", CPU_INSN_BRANCH},
        {CPU_MODE_64, "f0 0f b1 0f", MODIFIES},
        {CPU_MODE_64, "0f 20 d8", 0}, /* MOV from CR3 */
        {CPU_MODE_64, "0f 22 d8", CPU_INSN_LOADS_CR3},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_insn insn = decode(cases[i].mode, cases[i].code);

        uint32_t flags = insn.flags & ~(uint32_t)CPU_INSN_NAMES_RSP; /* see names_rsp */

        cr_expect_eq(flags, cases[i].flags, "%s: %#x, not %#x", cases[i].code, flags, cases[i].flags);
    }
}

/* Who may set rSP to anything must have the flag; others may have it. */
Test(cpu_decode, names_rsp)
{
    static const char *const does[] = {
        "48 89 c4",       /* MOV rSP,rAX */
        "48 8b 20",       /* MOV rSP,(rAX) */
        "48 8d 60 08",    /* LEA rSP,8(rAX) */
        "48 83 c4 08",    /* ADD rSP,8 */
        "48 87 e0",       /* XCHG rAX,rSP */
        "48 94",          /* XCHG rSP,rAX */
        "5c",             /* POP rSP */
        "bc 00 00 00 00", /* MOV eSP,0 */
        "b4 00",          /* MOV AH: not told apart from SPL */
        "40 b4 00",       /* MOV SPL,0 */
        "0f cc",          /* BSWAP eSP */
        "48 0f 44 e0",    /* CMOVE rSP,rAX */
        "c9",             /* LEAVE */
        "c8 10 00 00",    /* ENTER */
        "0f c7 f4",       /* RDRAND eSP */
        "f3 48 0f ae cc", /* RDGSBASE rSP */
    };
    static const char *const does_not[] = {"55", "5d", "41 5c", "c3", "e8 00 00 00 00", "ff d0", "4c 89 e0",
                                           "41 bc 00 00 00 00", "48 89 07", "9c", "6a 00", "49 89 c4"};

    for (size_t i = 0; i < ARRAY_LEN(does); i++)
        cr_expect(decode(CPU_MODE_64, does[i]).flags & CPU_INSN_NAMES_RSP, "%s", does[i]);
    for (size_t i = 0; i < ARRAY_LEN(does_not); i++)
        cr_expect(!(decode(CPU_MODE_64, does_not[i]).flags & CPU_INSN_NAMES_RSP), "%s", does_not[i]);
}

Test(cpu_decode, special_instructions)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
        enum cpu_insn_kind kind;
    } cases[] = {
        {CPU_MODE_64, "e4 60", CPU_KIND_IN},
        {CPU_MODE_64, "ed", CPU_KIND_IN},
        {CPU_MODE_64, "e6 60", CPU_KIND_OUT},
        {CPU_MODE_64, "66 ef", CPU_KIND_OUT},
        {CPU_MODE_64, "6c", CPU_KIND_INS},
        {CPU_MODE_64, "f3 6f", CPU_KIND_OUTS},
        {CPU_MODE_64, "0f 32", CPU_KIND_RDMSR},
        {CPU_MODE_64, "0f 30", CPU_KIND_WRMSR},
        {CPU_MODE_64, "0f 33", CPU_KIND_RDPMC},
        {CPU_MODE_64, "48 0f c7 f0", CPU_KIND_RDRAND},
        {CPU_MODE_64, "0f c7 f8", CPU_KIND_RDSEED},
        {CPU_MODE_64, "f4", CPU_KIND_HLT},
        {CPU_MODE_64, "0f 01 38", CPU_KIND_INVLPG},
        {CPU_MODE_64, "0f 22 c0", CPU_KIND_MOV_TO_CR},
        {CPU_MODE_64, "0f 22 e0", CPU_KIND_MOV_TO_CR},
        {CPU_MODE_64, "44 0f 22 c0", CPU_KIND_MOV_TO_CR},
        {CPU_MODE_64, "44 0f 20 c0", CPU_KIND_MOV_FROM_CR},
        {CPU_MODE_64, "0f 23 c0", CPU_KIND_MOV_TO_DR},
        {CPU_MODE_64, "0f 21 c0", CPU_KIND_MOV_FROM_DR},
        {CPU_MODE_64, "0f 06", CPU_KIND_CLTS},
        {CPU_MODE_64, "0f 01 f0", CPU_KIND_LMSW},
        {CPU_MODE_16, "0f 01 36 00 01", CPU_KIND_LMSW},
        {CPU_MODE_64, "f3 48 0f ae d0", CPU_KIND_WRFSBASE},
        {CPU_MODE_64, "f3 48 0f ae d8", CPU_KIND_WRGSBASE},
        {CPU_MODE_64, "f3 48 0f ae c0", CPU_KIND_RDFSBASE},
        {CPU_MODE_64, "f3 48 0f ae c8", CPU_KIND_RDGSBASE},
        {CPU_MODE_64, "0f 01 c8", CPU_KIND_MONITOR},
        {CPU_MODE_64, "0f 01 c9", CPU_KIND_MWAIT},
        {CPU_MODE_64, "0f 01 d1", CPU_KIND_XSETBV},
        {CPU_MODE_64, "0f 01 d0", CPU_KIND_XGETBV},
        {CPU_MODE_64, "66 0f 38 82 07", CPU_KIND_INVPCID},
        {CPU_MODE_64, "0f 09", CPU_KIND_INVD},
        {CPU_MODE_64, "c5 f8 77", CPU_KIND_VEX},
        {CPU_MODE_64, "c4 e2 70 f2 c2", CPU_KIND_VEX},
        {CPU_MODE_64, "62 f1 7c 48 10 07", CPU_KIND_VEX},
        {CPU_MODE_32, "62 f1 7c 48 10 07", CPU_KIND_VEX},
        {CPU_MODE_16, "c4 e2 70 f2 c2", CPU_KIND_VEX},
        {CPU_MODE_64, "f1", CPU_KIND_ICEBP},
        {CPU_MODE_64, "0f aa", CPU_KIND_RSM},
        {CPU_MODE_64, "0f 01 c1", CPU_KIND_VMX},
        {CPU_MODE_64, "0f 01 d9", CPU_KIND_VMX},
        {CPU_MODE_64, "0f 78 c0", CPU_KIND_VMX},
        {CPU_MODE_64, "0f c7 37", CPU_KIND_VMX},
        {CPU_MODE_64, "f3 0f c7 37", CPU_KIND_VMX},
        {CPU_MODE_64, "66 0f 38 80 07", CPU_KIND_VMX},
        {CPU_MODE_64, "48 0f 35", CPU_KIND_SYSEXIT},
        {CPU_MODE_64, "c7 f8 00 00 00 00", CPU_KIND_UD},
        {CPU_MODE_64, "8f c8", CPU_KIND_VEX}, /* XOP, maps 8 and up */
        {CPU_MODE_64, "8f e0", CPU_KIND_UD},
        {CPU_MODE_64, "f0 90", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 01 c0", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 03 07", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 39 07", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 89 07", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 83 3f 00", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 0f ba 27 00", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 0f a3 07", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 f7 27", CPU_KIND_LOCK_UD},
        {CPU_MODE_64, "f0 e6 60", CPU_KIND_LOCK_UD},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t code[64] = {0};
        struct cpu_insn insn;

        bytes(cases[i].code, code); /* zeros follow: XOP above is cut short */
        cpu_decode(cases[i].mode, code, 15, 0, &insn);
        cr_expect(insn.flags & CPU_INSN_SPECIAL, "%s", cases[i].code);
        cr_expect_eq(insn.kind, cases[i].kind, "%s: %u", cases[i].code, insn.kind);
    }
}

Test(cpu_decode, not_special)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
    } cases[] = {
        {CPU_MODE_64, "0f 22 d0"}, /* MOV to CR2, CR3, from CR0 */
        {CPU_MODE_64, "0f 22 d8"},       {CPU_MODE_64, "0f 20 c0"},
        {CPU_MODE_64, "0f a2"},                                        /* CPUID */
        {CPU_MODE_64, "0f 01 f8"},                                     /* SWAPGS */
        {CPU_MODE_64, "0f 01 ca"},                                     /* CLAC */
        {CPU_MODE_64, "f3 90"},          {CPU_MODE_64, "f3 0f c7 f8"}, /* RDPID */
        {CPU_MODE_64, "0f ae e8"},                                     /* LFENCE */
        {CPU_MODE_32, "62 07"}, /* BOUND */
        {CPU_MODE_64, "f0 01 07"}, /* LOCK where it belongs */
        {CPU_MODE_64, "f0 83 07 01"},    {CPU_MODE_64, "f0 0f ba 2f 00"},
        {CPU_MODE_64, "f0 48 0f c7 0f"}, {CPU_MODE_64, "f0 87 07"},
        {CPU_MODE_64, "f0 fe 0f"},       {CPU_MODE_64, "8f 00"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_insn insn = decode(cases[i].mode, cases[i].code);

        cr_expect_gt(insn.length, 0, "%s", cases[i].code);
        cr_expect_not(insn.flags & CPU_INSN_SPECIAL, "%s: kind %u", cases[i].code, insn.kind);
    }
}

/* ---- operands ---- */

struct memory {
    int base, index, scale;
    int64_t disp;
    int segment, address_bytes;
};

Test(cpu_decode, memory_operand)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
        struct memory want;
    } cases[] = {
        {CPU_MODE_64, "8b 07", {7, CPU_NO_REG, 1, 0, CPU_DS, 8}},
        {CPU_MODE_64, "8b 45 f8", {5, CPU_NO_REG, 1, -8, CPU_SS, 8}},
        {CPU_MODE_64, "41 8b 45 f8", {13, CPU_NO_REG, 1, -8, CPU_DS, 8}},
        {CPU_MODE_64, "8b 04 24", {4, CPU_NO_REG, 1, 0, CPU_SS, 8}},
        {CPU_MODE_64, "8b 44 8d 10", {5, 1, 4, 16, CPU_SS, 8}},
        {CPU_MODE_64, "42 8b 04 25 00 10 00 00", {CPU_NO_REG, 12, 1, 0x1000, CPU_DS, 8}},
        {CPU_MODE_64,
         "8b 04 25 00 10 00 80",
         {CPU_NO_REG, CPU_NO_REG, 1, (int32_t)0x80001000, CPU_DS, 8}},
        {CPU_MODE_64, "8b 05 00 10 00 00", {CPU_REG_RIP, CPU_NO_REG, 1, 0x1000, CPU_DS, 8}},
        {CPU_MODE_32, "8b 05 00 10 00 00", {CPU_NO_REG, CPU_NO_REG, 1, 0x1000, CPU_DS, 4}},
        {CPU_MODE_64, "65 8b 04 25 00 00 00 00", {CPU_NO_REG, CPU_NO_REG, 1, 0, CPU_GS, 8}},
        {CPU_MODE_64, "2e 8b 07", {7, CPU_NO_REG, 1, 0, CPU_DS, 8}},
        {CPU_MODE_32, "2e 8b 07", {7, CPU_NO_REG, 1, 0, CPU_CS, 4}},
        {CPU_MODE_64, "67 8b 07", {7, CPU_NO_REG, 1, 0, CPU_DS, 4}},
        {CPU_MODE_16, "8b 42 fe", {5, 6, 1, -2, CPU_SS, 2}},
        {CPU_MODE_16, "8b 1e 34 12", {CPU_NO_REG, CPU_NO_REG, 1, 0x1234, CPU_DS, 2}},
        {CPU_MODE_64,
         "a1 88 77 66 55 44 33 22 11",
         {CPU_NO_REG, CPU_NO_REG, 1, 0x1122334455667788, CPU_DS, 8}},
        {CPU_MODE_64, "64 ac", {6, CPU_NO_REG, 1, 0, CPU_FS, 8}},
        {CPU_MODE_64, "64 aa", {7, CPU_NO_REG, 1, 0, CPU_ES, 8}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_insn insn = decode(cases[i].mode, cases[i].code);
        const struct memory *w = &cases[i].want;

        cr_expect(insn.has_mem, "%s", cases[i].code);
        cr_expect(insn.base == w->base && insn.index == w->index && insn.scale == w->scale &&
                      insn.disp == w->disp && insn.segment == w->segment &&
                      insn.address_bytes == w->address_bytes,
                  "%s: base %u index %u scale %u disp %lld segment %u address %u", cases[i].code,
                  insn.base, insn.index, insn.scale, (long long)insn.disp, insn.segment,
                  insn.address_bytes);
    }
}

Test(cpu_decode, operands)
{
    struct cpu_insn insn = decode(CPU_MODE_64, "88 27"); /* mov [rdi], ah */

    cr_expect(insn.kind == CPU_KIND_MOV && insn.mem_is_dest && insn.operand_bytes == 1);
    cr_expect(insn.reg == 0 && insn.reg_is_high8);
    insn = decode(CPU_MODE_64, "40 88 27"); /* spl */
    cr_expect(insn.reg == 4 && !insn.reg_is_high8);
    insn = decode(CPU_MODE_64, "48 c7 07 ff ff ff ff");
    cr_expect(insn.has_imm && insn.imm == UINT64_MAX && insn.operand_bytes == 8);
    insn = decode(CPU_MODE_64, "83 3f 80");
    cr_expect(insn.kind == CPU_KIND_ALU && insn.alu_op == CPU_ALU_CMP && insn.mem_is_dest);
    cr_expect_eq(insn.imm, (uint64_t)-128);
    insn = decode(CPU_MODE_64, "3b 07");
    cr_expect(insn.alu_op == CPU_ALU_CMP && !insn.mem_is_dest && insn.reg == 0);
    insn = decode(CPU_MODE_64, "0f b7 07");
    cr_expect(insn.kind == CPU_KIND_MOVZX && insn.source_bytes == 2 && insn.operand_bytes == 4);
    insn = decode(CPU_MODE_64, "48 63 07");
    cr_expect(insn.kind == CPU_KIND_MOVSX && insn.source_bytes == 4 && insn.operand_bytes == 8);
    insn = decode(CPU_MODE_64, "ff 37");
    cr_expect(insn.kind == CPU_KIND_PUSH && insn.operand_bytes == 8 && !insn.mem_is_dest);
    insn = decode(CPU_MODE_64, "66 0f 7f 07");
    cr_expect(insn.kind == CPU_KIND_MOV_VEC && insn.mem_aligned && insn.operand_bytes == 16);
    insn = decode(CPU_MODE_64, "0f 7f 07"); /* MMX */
    cr_expect_eq(insn.kind, CPU_KIND_OTHER);
    insn = decode(CPU_MODE_64, "e5 71");
    cr_expect(insn.imm == 0x71 && !insn.port_is_dx && insn.operand_bytes == 4);
    insn = decode(CPU_MODE_64, "48 ed");
    cr_expect(insn.port_is_dx && insn.operand_bytes == 4);
    insn = decode(CPU_MODE_64, "e4 ff");
    cr_expect(insn.imm == 0xff && insn.operand_bytes == 1);
    insn = decode(CPU_MODE_64, "45 0f 22 c7");
    cr_expect(insn.creg == 8 && insn.reg == 15 && insn.operand_bytes == 8);
    insn = decode(CPU_MODE_64, "0f 22 d8");
    cr_expect(insn.kind == CPU_KIND_MOV_TO_CR && insn.creg == 3);
    insn = decode(CPU_MODE_64, "66 41 0f c7 f1");
    cr_expect(insn.kind == CPU_KIND_RDRAND && insn.reg == 9 && insn.operand_bytes == 2);
    insn = decode(CPU_MODE_64, "0f ba 3f ff");
    cr_expect(insn.kind == CPU_KIND_BT && insn.alu_op == 3 && insn.imm == 0xff);
    insn = decode(CPU_MODE_64, "0f b3 07");
    cr_expect(insn.kind == CPU_KIND_BT && insn.alu_op == 2 && insn.mem_is_dest);
}

/* ---- blocks ---- */

Test(cpu_decode, block_counts_whole_instructions)
{
    struct cpu_block b = block(CPU_MODE_64, "55 48 89 e5 9c c3", 0);

    cr_expect_eq(b.insns, 4);
    cr_expect_eq(b.cost, 4);
    cr_expect_eq(b.cut_at, -1);
    cr_expect_eq(b.last_flags, CPU_INSN_BRANCH);
    cr_expect_eq(b.flags, CPU_INSN_BRANCH | CPU_INSN_WRITES_MEM | CPU_INSN_PUSHF | CPU_INSN_NAMES_RSP);
    cr_expect_eq(b.rdtsc_tail_insns, 0);
}

Test(cpu_decode, block_ends_before_a_special_instruction)
{
    struct cpu_block b = block(CPU_MODE_64, "90 90 0f 30 c3", 0);

    cr_expect_eq(b.insns, 2);
    cr_expect_eq(b.cut_at, 2);
    cr_expect_eq(b.last_flags, 0);
    b = block(CPU_MODE_64, "f4", 0);
    cr_expect_eq(b.insns, 0);
    cr_expect_eq(b.cut_at, 0);
}

Test(cpu_decode, block_is_cut_at_its_second_rdtsc)
{
    struct cpu_block b = block(CPU_MODE_64, "90 0f 31 90 90 0f 01 f9 c3", 20);

    cr_expect_eq(b.insns, 4);
    cr_expect_eq(b.cost, 24);
    cr_expect_eq(b.rdtsc_tail_insns, 3);
    cr_expect_eq(b.rdtsc_tail_cost, 23);
    cr_expect_eq(b.cut_at, 5);
}

Test(cpu_decode, block_ends_before_an_instruction_that_is_cut_off)
{
    struct cpu_block b = block(CPU_MODE_64, "90 0f 72 be 00", 0); /* has a displacement */

    cr_expect_eq(b.insns, 1);
    cr_expect_eq(b.cut_at, 1);
    b = block(CPU_MODE_32, "90 8f 4e e5", 0); /* XOP */
    cr_expect_eq(b.insns, 1);
    cr_expect_eq(b.cut_at, 1);
}

Test(cpu_decode, block_ends_before_a_bit_test_of_lazy_flags)
{
    cr_expect_eq(block(CPU_MODE_64, "01 d8 90 0f a3 c8", 0).cut_at, 3);
    cr_expect_eq(block(CPU_MODE_64, "d1 e0 0f ba e8 03", 0).cut_at, 2);
    cr_expect_eq(block(CPU_MODE_64, "90 0f a3 c8 90", 0).cut_at, -1);
    cr_expect_eq(block(CPU_MODE_64, "89 d8 0f ab c8 0f b3 c8", 0).cut_at, -1);
}

Test(cpu_decode, block_counts_an_undefined_instruction_as_one)
{
    struct cpu_block b;

    b = block(CPU_MODE_64, "90 66 e8 00 00", 0); /* as the library takes it */
    cr_expect_eq(b.insns, 2);
    cr_expect_eq(b.last_flags, CPU_INSN_INVALID | CPU_INSN_BRANCH);
    b = block(CPU_MODE_64, "90 06", 0);
    cr_expect_eq(b.insns, 2);
    cr_expect_eq(b.last_flags, CPU_INSN_INVALID);
}

Test(cpu_decode, index_counts_what_lies_before_the_offset)
{
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0x0f, 0x31, 0xc3};
    static const unsigned want[] = {0, 1, 1, 1, 2, 2, 3, 4};
    const struct cpu_timing timing = {.rdtsc_cycles = 10};
    uint32_t cost;

    for (size_t i = 0; i <= sizeof(code); i++)
        cr_expect_eq(cpu_decode_index(CPU_MODE_64, code, sizeof(code), 0, i, &flat, NULL), want[i],
                     "offset %zu", i);
    cpu_decode_index(CPU_MODE_64, code, sizeof(code), 0, 6, &timing, &cost);
    cr_expect_eq(cost, 13);
}

/* ---- text ---- */

Test(cpu_decode, text)
{
    static const uint8_t mov[] = {0x48, 0x89, 0xe5}, clac[] = {0x0f, 0x01, 0xee};
    char text[64];

    cr_assert(cpu_decode_init());
    cr_expect_eq(cpu_decode_text(CPU_MODE_64, mov, sizeof(mov), 0, text, sizeof(text)), 3);
    cr_expect_str_eq(text, "mov rbp, rsp");
    cr_expect_eq(cpu_decode_text(CPU_MODE_64, clac, sizeof(clac), 0, text, sizeof(text)), 3);
    cr_expect_gt(strlen(text), 0);
    cr_expect_eq(cpu_decode_text(CPU_MODE_64, mov, 1, 0, text, sizeof(text)), 0);
    cr_expect_str_eq(text, "");
    cr_expect_eq(cpu_decode_text(CPU_MODE_64, clac, sizeof(clac), 0, text, 4), 3);
    cpu_decode_fini();
    cr_expect_eq(cpu_decode_text(CPU_MODE_64, mov, sizeof(mov), 0, text, sizeof(text)), 3);
}
