/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encoding of one instruction: prefixes, opcode, ModRM, displacement, immediate.
 * Below cpu/decode.h; shared by the decoder's own files only.
 */
#ifndef PARAVANE_CPU_DECODE_SCAN_H
#define PARAVANE_CPU_DECODE_SCAN_H

#include "cpu/decode.h"

#define DECODE_MAX_BYTES 15
#define DECODE_NO_SEG    0xff

/* What the opcode tables say; the first group decides the length. */
enum {
    ATTR_MODRM = 1 << 0,
    ATTR_I8 = 1 << 1,
    ATTR_I16 = 1 << 2,
    ATTR_IZ = 1 << 3,      /* 2 or 4 bytes by operand size */
    ATTR_IV = 1 << 4,      /* 2, 4 or 8 bytes by operand size */
    ATTR_MOFFS = 1 << 5,   /* as wide as an address */
    ATTR_FARPTR = 1 << 6,  /* offset and selector */
    ATTR_BZ = 1 << 7,      /* branch displacement: like IZ, 4 bytes in 64-bit mode */
    ATTR_NOMEM = 1 << 8,   /* ModRM.mod is ignored: always registers (MOV CR, MOV DR) */
    ATTR_X = 1 << 9,       /* undefined */
    ATTR_X64 = 1 << 10,    /* undefined in 64-bit mode */
    ATTR_WM = 1 << 11,     /* writes the r/m operand */
    ATTR_WA = 1 << 12,     /* writes memory whatever ModRM says: pushes, string stores */
    ATTR_LOCK = 1 << 13,   /* LOCK allowed with a memory operand */
    ATTR_BR = 1 << 14,     /* control transfer */
    ATTR_MORE = 1 << 15,   /* decode_classify() has more to say */
    ATTR_BYTE = 1 << 16,   /* operands are bytes */
    ATTR_D64 = 1 << 17,    /* operand size is 64 bits in 64-bit mode (16 with 66) */
    ATTR_SYSTAB = 1 << 18, /* reads descriptor tables implicitly */
    ATTR_VEX = 1 << 19,    /* VEX, EVEX, XOP */

    ATTR_IMMEDIATE = ATTR_I8 | ATTR_I16 | ATTR_IZ | ATTR_IV | ATTR_MOFFS | ATTR_FARPTR | ATTR_BZ,
};

enum decode_map { DECODE_MAP_1, DECODE_MAP_0F, DECODE_MAP_0F38, DECODE_MAP_0F3A, DECODE_MAP_VEX };

struct decode_raw {
    uint8_t length;
    uint8_t mode; /* enum cpu_mode */
    uint8_t map;
    uint8_t opcode;
    uint8_t rex;     /* 0: none */
    uint8_t segment; /* override: enum cpu_seg as encoded, DECODE_NO_SEG */
    uint8_t rep;     /* the last of F2 and F3, or 0 */
    bool lock, p66, p67;
    uint8_t modrm, sib;
    bool has_modrm, has_sib;
    uint8_t operand_bytes; /* 2, 4, 8: ATTR_BYTE and ATTR_D64 not yet applied */
    uint8_t address_bytes;
    uint8_t disp_bytes, imm_bytes;
    int32_t disp;
    uint64_t imm; /* raw, zero-extended; the branch displacement, moffs or far pointer too */
    uint32_t attr;
};

enum decode_status {
    DECODE_OK,       /* maybe undefined: see attr & ATTR_X */
    DECODE_SHORT,    /* more bytes are needed; attr is set if the opcode was there, else 0 */
    DECODE_TOO_LONG, /* more than 15 bytes: #GP(0) */
};

/** decode_scan - take the encoding apart.  At most 15 bytes are looked at. */
enum decode_status decode_scan(enum cpu_mode mode, const uint8_t *code, size_t size,
                               struct decode_raw *raw);

/** decode_classify - flags (CPU_INSN_*) and kind.  @raw: from decode_scan() with DECODE_OK. */
uint32_t decode_classify(const struct decode_raw *raw, enum cpu_insn_kind *kind);

/** decode_loses_flags - a fault in it makes the library forget flags that it has not worked out. */
bool decode_loses_flags(const struct decode_raw *raw);
/** decode_is_bit_test - BT, BTS, BTR, BTC. */
bool decode_is_bit_test(const struct decode_raw *raw);
/** decode_sets_arith_flags - the library does not work out the arithmetic flags behind it. */
bool decode_sets_arith_flags(const struct decode_raw *raw);

/** decode_names_rsp - rSP is an operand, or it is ENTER or LEAVE; pushes, pops and calls move it only. */
bool decode_names_rsp(const struct decode_raw *raw);

/** decode_modifies - an instruction that writes its memory operand reads it before. */
bool decode_modifies(const struct decode_raw *raw);

/** decode_feature - what CPUID calls the instruction, CPU_INSN_FEATURES: nothing that can be hidden. */
enum cpu_insn_feature decode_feature(const struct decode_raw *raw);

/** decode_memory_kind - the kind of an instruction that decode_classify() calls OTHER. */
enum cpu_insn_kind decode_memory_kind(const struct decode_raw *raw);

static inline unsigned decode_modrm_reg(const struct decode_raw *raw)
{
    return (raw->modrm >> 3) & 7;
}
static inline bool decode_is_mem(const struct decode_raw *raw)
{
    return raw->has_modrm && !(raw->attr & ATTR_NOMEM) && raw->modrm < 0xc0;
}

#endif
