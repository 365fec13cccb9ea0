/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opcode tables and the length of an instruction.
 *
 * Source: Intel SDM volume 2, chapter 2 (formats) and appendix A (opcode maps).
 * Every defined opcode of the one-byte, 0F, 0F 38 and 0F 3A maps has its length here, also
 * those that no offered CPU model executes: the length of a block's instructions must
 * never depend on what a general disassembler happens to know.
 */
#include "cpu/decode_scan.h"

#include <string.h>

#include "sim/base/types.h"

#define M   ATTR_MODRM
#define I8  ATTR_I8
#define I16 ATTR_I16
#define IZ  ATTR_IZ
#define IV  ATTR_IV
#define MO  ATTR_MOFFS
#define FP  ATTR_FARPTR
#define BZ  ATTR_BZ
#define NM  ATTR_NOMEM
#define X   ATTR_X
#define X64 ATTR_X64
#define WM  ATTR_WM
#define WA  ATTR_WA
#define LK  ATTR_LOCK
#define BR  ATTR_BR
#define GR  ATTR_MORE
#define B   ATTR_BYTE
#define D64 ATTR_D64
#define ST  ATTR_SYSTAB

/* ADD and its seven sisters: E,G  G,E  accumulator,imm. */
#define ALU_ROW M | B | WM | LK, M | WM | LK, M | B, M, B | I8, IZ
#define X4(a)   a, a, a, a
#define X8(a)   X4(a), X4(a)
#define X16(a)  X8(a), X8(a)

/* clang-format off */

/* Prefixes and escapes never reach the tables; their entries are 0. */
static const uint32_t map_1[256] = {
    /* 00 */ ALU_ROW, WA | D64 | X64, D64 | X64 | ST,
    /* 08 */ ALU_ROW, WA | D64 | X64, 0,
    /* 10 */ ALU_ROW, WA | D64 | X64, D64 | X64 | ST | GR,
    /* 18 */ ALU_ROW, WA | D64 | X64, D64 | X64 | ST,
    /* 20 */ ALU_ROW, 0, X64,
    /* 28 */ ALU_ROW, 0, X64,
    /* 30 */ ALU_ROW, 0, X64,
    /* 38 */ M | B, M, M | B, M, B | I8, IZ, 0, X64,
    /* 40 */ X16(0),
    /* 50 */ X8(WA | D64), X8(D64),
    /* 60 */ WA | X64, X64, M | X64, M | GR, 0, 0, 0, 0,
    /* 68 */ IZ | WA | D64, M | IZ, I8 | WA | D64, M | I8, B | WA | GR, WA | GR, B | GR, GR,
    /* 70 */ X16(I8 | BR),
    /* 80 */ M | B | I8 | WM | LK | GR, M | IZ | WM | LK | GR, M | B | I8 | WM | LK | X64 | GR,
             M | I8 | WM | LK | GR, M | B, M, M | B | WM | LK, M | WM | LK,
    /* 88 */ M | B | WM, M | WM, M | B, M, M | WM | GR, M | GR, M | ST | GR, M | WM | D64 | GR,
    /* 90 */ X8(0),
    /* 98 */ 0, 0, FP | X64 | BR | WA | ST | GR, 0, WA | D64 | GR, D64 | GR, 0, 0,
    /* A0 */ MO | B, MO, MO | B | WA, MO | WA, B | WA | GR, WA | GR, B | GR, GR,
    /* A8 */ B | I8, IZ, B | WA | GR, WA | GR, B | GR, GR, B | GR, GR,
    /* B0 */ X8(B | I8), X8(IV),
    /* C0 */ M | B | I8 | WM, M | I8 | WM, I16 | BR | D64, BR | D64, M | X64 | ST, M | X64 | ST,
             M | B | I8 | WM | GR, M | IZ | WM | GR,
    /* C8 */ I16 | I8 | WA | D64, D64, I16 | BR | ST | GR, BR | ST | GR, BR | GR, I8 | BR | GR,
             X64 | BR | GR, BR | ST | GR,
    /* D0 */ M | B | WM, M | WM, M | B | WM, M | WM, I8 | X64, I8 | X64, X64, 0,
    /* D8 */ M, M | GR, M, M | GR, M, M | GR, M, M | GR,
    /* E0 */ X4(I8 | BR), I8 | B | GR, I8 | GR, I8 | B | GR, I8 | GR,
    /* E8 */ BZ | BR | WA | D64, BZ | BR | D64, FP | X64 | BR | ST | GR, I8 | BR | D64, B | GR, GR,
             B | GR, GR,
    /* F0 */ 0, BR | GR, 0, 0, GR, 0, M | B | WM | LK | GR, M | WM | LK | GR,
    /* F8 */ 0, 0, 0, GR, 0, 0, M | B | WM | LK | GR, M | WM | LK | GR,
};

static const uint32_t map_0f[256] = {
    /* 00 */ M | GR, M | GR, M | ST, M | ST, X, BR | GR, GR, BR | GR,
    /* 08 */ GR, GR, X, BR, X, M, 0, M | I8,
    /* 10 */ M, M | WM, M, M | WM, M, M, M, M | WM,
    /* 18 */ X8(M),
    /* 20 */ X4(M | NM | GR), X, X, X, X,
    /* 28 */ M, M | WM, M, M | WM | GR, M, M, M, M,
    /* 30 */ GR, GR, GR, GR, BR | GR, BR | GR, X, GR,
    /* 38 */ X8(X),
    /* 40 */ X16(M),
    /* 50 */ M | GR, X4(M), M, M, M, X8(M),
    /* 60 */ X16(M),
    /* 70 */ M | I8, M | I8 | GR, M | I8 | GR, M | I8 | GR, M, M, M, 0,
    /* 78 */ M | GR, M | GR, X, X, M, M, M | GR, M | WM,
    /* 80 */ X16(BZ | BR | D64),
    /* 90 */ X16(M | B | WM),
    /* A0 */ WA | D64, D64 | ST, 0, M, M | I8 | WM, M | WM, X, X,
    /* A8 */ WA | D64, D64 | ST, GR, M | WM | LK, M | I8 | WM, M | WM, M | GR, M,
    /* B0 */ M | B | WM | LK, M | WM | LK, M | ST, M | WM | LK, M | ST, M | ST, M, M,
    /* B8 */ M | GR, M, M | I8 | GR, M | WM | LK, M, M, M, M,
    /* C0 */ M | B | WM | LK, M | WM | LK, M | I8, M | WM, M | I8, M | I8 | GR, M | I8, M | GR,
    /* C8 */ X8(0),
    /* D0 */ M, M, M, M, M, M, M | WM | GR, M | GR,
    /* D8 */ X8(M),
    /* E0 */ M, M, M, M, M, M, M, M | WM,
    /* E8 */ X8(M),
    /* F0 */ M, M, M, M, M, M, M, M | WA | GR,
    /* F8 */ X8(M),
};

/* clang-format on */

static uint32_t attr_0f38(uint8_t opcode)
{
    if (opcode >= 0x80 && opcode <= 0x82)
        return M | GR;
    if (opcode == 0xf0 || opcode == 0xf1 || (opcode >= 0xf5 && opcode <= 0xf9))
        return M | GR;
    return M;
}

static uint32_t attr_0f3a(uint8_t opcode)
{
    return M | I8 | (opcode >= 0x14 && opcode <= 0x17 ? WM : 0);
}

#undef M
#undef I8
#undef I16
#undef IZ
#undef IV
#undef MO
#undef FP
#undef BZ
#undef NM
#undef X
#undef X64
#undef WM
#undef WA
#undef LK
#undef BR
#undef GR
#undef B
#undef D64
#undef ST

/* Prefix bytes of the one-byte map; 4x in 64-bit mode is dealt with apart. */
static inline bool is_prefix(uint8_t b)
{
    return (b & 0xe7) == 0x26 || (b >= 0x64 && b <= 0x67) || b == 0xf0 || b == 0xf2 || b == 0xf3;
}

static void take_prefix(struct decode_raw *raw, uint8_t b)
{
    switch (b) {
    case 0x26: /* ES CS SS DS in this order */
    case 0x2e:
    case 0x36:
    case 0x3e:
        if (raw->mode != CPU_MODE_64)
            raw->segment = (b >> 3) & 3;
        break;
    case 0x64:
    case 0x65:
        raw->segment = 4 + (b & 1);
        break;
    case 0x66:
        raw->p66 = true;
        break;
    case 0x67:
        raw->p67 = true;
        break;
    case 0xf0:
        raw->lock = true;
        break;
    default:
        raw->rep = b;
        break;
    }
}

/* Operand and address size, before ATTR_BYTE and ATTR_D64 (SDM 1 3.6). */
static void set_sizes(struct decode_raw *raw)
{
    switch (raw->mode) {
    case CPU_MODE_64:
        raw->operand_bytes = raw->rex & 8 ? 8 : raw->p66 ? 2 : 4;
        raw->address_bytes = raw->p67 ? 4 : 8;
        break;
    case CPU_MODE_32:
        raw->operand_bytes = raw->p66 ? 2 : 4;
        raw->address_bytes = raw->p67 ? 2 : 4;
        break;
    default:
        raw->operand_bytes = raw->p66 ? 4 : 2;
        raw->address_bytes = raw->p67 ? 4 : 2;
        break;
    }
}

static uint64_t little_endian(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, p, bytes);
    return value;
}

/* ModRM, SIB and displacement at @at (SDM 2A 2.1.5).  Returns: the end, 0 if bytes lack. */
static unsigned scan_modrm(struct decode_raw *raw, const uint8_t *code, unsigned at, unsigned end)
{
    unsigned mod, rm, disp = 0;

    if (at >= end)
        return 0;
    raw->modrm = code[at++];
    raw->has_modrm = true;
    mod = raw->modrm >> 6;
    rm = raw->modrm & 7;
    if (mod == 3 || raw->attr & ATTR_NOMEM)
        return at;
    if (raw->address_bytes == 2) {
        disp = mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
    } else {
        if (rm == 4) {
            if (at >= end)
                return 0;
            raw->sib = code[at++];
            raw->has_sib = true;
            rm = raw->sib & 7;
        }
        disp = mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
    }
    if (at + disp > end)
        return 0;
    raw->disp_bytes = disp;
    if (disp == 1)
        raw->disp = (int8_t)code[at];
    else if (disp == 2)
        raw->disp = (int16_t)little_endian(code + at, 2);
    else if (disp == 4)
        raw->disp = (int32_t)little_endian(code + at, 4);
    return at + disp;
}

static unsigned immediate_bytes(const struct decode_raw *raw)
{
    uint32_t attr = raw->attr;
    unsigned z = raw->operand_bytes == 2 ? 2 : 4;
    unsigned n = 0;

    if (!(attr & ATTR_IMMEDIATE))
        return 0;
    if (attr & ATTR_I8)
        n += 1;
    if (attr & ATTR_I16)
        n += 2;
    if (attr & ATTR_IZ)
        n += z;
    if (attr & ATTR_IV)
        n += raw->operand_bytes;
    if (attr & ATTR_MOFFS)
        n += raw->address_bytes;
    if (attr & ATTR_FARPTR)
        n += z + 2;
    if (attr & ATTR_BZ)
        n += raw->mode == CPU_MODE_64 ? 4 : z;
    return n;
}

/* Immediates that depend on ModRM: TEST in group 3, EXTRQ and INSERTQ. */
static void fix_group_immediate(struct decode_raw *raw)
{
    if (raw->map == DECODE_MAP_1 && (raw->opcode & 0xfe) == 0xf6) {
        if (decode_modrm_reg(raw) < 2)
            raw->attr |= raw->opcode & 1 ? ATTR_IZ : ATTR_I8;
    } else if (raw->map == DECODE_MAP_0F && raw->opcode == 0x78) {
        if (raw->p66 || raw->rep == 0xf2)
            raw->attr |= ATTR_I16; /* two bytes: length and index */
    }
}

/* VEX, EVEX, XOP after the first byte.  Returns: offset behind the opcode, 0 if bytes lack. */
static unsigned scan_vex(struct decode_raw *raw, const uint8_t *code, unsigned at, unsigned end)
{
    uint8_t first = code[at];
    unsigned payload = first == 0xc5 ? 1 : first == 0x62 ? 3 : 2;
    unsigned map;

    raw->map = DECODE_MAP_VEX;
    raw->attr = ATTR_VEX | ATTR_MORE;
    if (at + payload + 2 > end)
        return 0;
    map = first == 0xc5 ? 1 : code[at + 1] & (first == 0x62 ? 7 : 0x1f);
    at += payload + 1;
    raw->opcode = code[at++];
    raw->attr |= ATTR_MODRM;
    if (map == 1) {
        raw->attr |= map_0f[raw->opcode] & ATTR_I8;
        if (raw->opcode == 0x77)
            raw->attr &= ~(uint32_t)ATTR_MODRM;
    } else if (map == 3 || map == 8) {
        raw->attr |= ATTR_I8;
    } else if (map == 10) {
        raw->attr |= ATTR_IZ; /* of an XOP map: four bytes */
    }
    return at;
}

/* Whether the byte at @at starts a VEX, EVEX or XOP encoding; needs the next byte. */
static bool starts_vex(const struct decode_raw *raw, const uint8_t *code, unsigned at, unsigned end)
{
    uint8_t b = code[at];

    if (b != 0xc4 && b != 0xc5 && b != 0x62 && b != 0x8f)
        return false;
    if (b == 0x8f) /* XOP: POP has ModRM.reg 0, XOP maps are 8 and up */
        return at + 1 < end && (code[at + 1] & 0x1f) >= 8;
    return raw->mode == CPU_MODE_64 || (at + 1 < end && code[at + 1] >= 0xc0);
}

/* The opcode at @at.  Returns: the offset behind it, 0 if bytes lack. */
static unsigned scan_opcode(struct decode_raw *raw, const uint8_t *code, unsigned at, unsigned end)
{
    uint8_t b = code[at];

    if (starts_vex(raw, code, at, end))
        return scan_vex(raw, code, at, end);
    at++;
    if (b != 0x0f) {
        raw->opcode = b;
        raw->attr = map_1[b];
        return at;
    }
    if (at >= end)
        return 0;
    b = code[at++];
    if (b != 0x38 && b != 0x3a) {
        raw->map = DECODE_MAP_0F;
        raw->opcode = b;
        raw->attr = map_0f[b];
        return at;
    }
    raw->map = b == 0x38 ? DECODE_MAP_0F38 : DECODE_MAP_0F3A;
    if (at >= end)
        return 0;
    raw->opcode = code[at++];
    raw->attr = b == 0x38 ? attr_0f38(raw->opcode) : attr_0f3a(raw->opcode);
    return at;
}

/* Legacy prefixes and REX; a REX that no opcode follows has no effect (SDM 2A 2.2.1). */
static unsigned scan_prefixes(struct decode_raw *raw, const uint8_t *code, unsigned end)
{
    unsigned at = 0;

    for (; at < end; at++) {
        uint8_t b = code[at];

        if (raw->mode == CPU_MODE_64 && (b & 0xf0) == 0x40) {
            raw->rex = b;
        } else if (is_prefix(b)) {
            take_prefix(raw, b);
            raw->rex = 0;
        } else {
            break;
        }
    }
    return at;
}

enum decode_status decode_scan(enum cpu_mode mode, const uint8_t *code, size_t size,
                               struct decode_raw *raw)
{
    bool all = size >= DECODE_MAX_BYTES;
    unsigned end = all ? DECODE_MAX_BYTES : (unsigned)size;
    enum decode_status short_status = all ? DECODE_TOO_LONG : DECODE_SHORT;
    unsigned at;

    memset(raw, 0, sizeof(*raw));
    raw->mode = mode;
    raw->segment = DECODE_NO_SEG;
    at = scan_prefixes(raw, code, end);
    set_sizes(raw);
    if (at >= end)
        return short_status;
    at = scan_opcode(raw, code, at, end);
    if (!at)
        return short_status;
    if (raw->attr & ATTR_X64 && mode == CPU_MODE_64)
        raw->attr |= ATTR_X;
    if (raw->attr & ATTR_MODRM) {
        at = scan_modrm(raw, code, at, end);
        if (!at)
            return short_status;
        if (raw->attr & ATTR_MORE)
            fix_group_immediate(raw);
    }
    raw->imm_bytes = immediate_bytes(raw);
    if (at + raw->imm_bytes > end)
        return short_status;
    if (raw->imm_bytes)
        raw->imm = little_endian(code + at, raw->imm_bytes > 8 ? 8 : raw->imm_bytes);
    raw->length = at + raw->imm_bytes;
    return DECODE_OK;
}
