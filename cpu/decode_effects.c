/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What instructions do to flags and stack pointer, as far as it decides how they are executed.
 */
#include "cpu/decode_scan.h"

/*
 * Where the library loses arithmetic flags that are not worked out before: SETcc to memory and
 * RCL, RCR of memory work them out in the place of their operands, and a page fault then finds
 * neither; LOOPE and LOOPNE forget to when the count ends the loop; a task switch that faults
 * half-way mixes the new flags with the old ones.
 */
bool decode_loses_flags(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;
    unsigned reg = raw->has_modrm ? decode_modrm_reg(raw) : 0;

    if (raw->map == DECODE_MAP_0F)
        return (op & 0xf0) == 0x90 && decode_is_mem(raw);
    if (raw->map != DECODE_MAP_1)
        return false;
    if (op == 0xe0 || op == 0xe1)
        return true;
    if (raw->mode != CPU_MODE_64 &&
        (op == 0x9a || op == 0xcf || op == 0xea || (op == 0xff && (reg == 3 || reg == 5))))
        return true;
    return ((op & 0xfe) == 0xc0 || (op & 0xfc) == 0xd0) && (reg == 2 || reg == 3) &&
           decode_is_mem(raw);
}

bool decode_is_bit_test(const struct decode_raw *raw)
{
    if (raw->map != DECODE_MAP_0F)
        return false;
    return (raw->opcode & 0xe7) == 0xa3 || (raw->opcode == 0xba && decode_modrm_reg(raw) >= 4);
}

bool decode_sets_arith_flags(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;
    unsigned reg = decode_modrm_reg(raw);

    if (raw->map == DECODE_MAP_0F)
        return (op & 0xf6) == 0xa4 || op == 0xaf || (op & 0xfe) == 0xb0 || op == 0xbc ||
               op == 0xbd || (op & 0xfe) == 0xc0; /* SHLD SHRD IMUL CMPXCHG BSF BSR XADD */
    if (raw->map != DECODE_MAP_1)
        return false;
    if (op < 0x40)
        return (op & 7) < 6;
    if (op < 0x50)
        return raw->mode != CPU_MODE_64;
    switch (op) {
    case 0x69: case 0x6b: case 0x80 ... 0x85: case 0xa6: case 0xa7: case 0xa8: case 0xa9:
    case 0xae: case 0xaf: case 0xd4: case 0xd5:
        return true;
    case 0xc0: case 0xc1: case 0xd0 ... 0xd3: /* rotates and those by CL keep some: worked out */
        return reg >= 4;
    case 0xf6: case 0xf7:
        return reg != 2 && reg < 6;
    case 0xfe: case 0xff:
        return reg < 2;
    default:
        return false;
    }
}

bool decode_names_rsp(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode, opcode_reg = op & 0xf8;
    bool rex_r = raw->rex & 4, rex_b = raw->rex & 1;

    if (raw->has_modrm)
        return (decode_modrm_reg(raw) == 4 && !rex_r) ||
               (!decode_is_mem(raw) && (raw->modrm & 7) == 4 && !rex_b);
    if (raw->map == DECODE_MAP_0F)
        return op == 0xcc && !rex_b; /* BSWAP */
    if (op == 0xc8 || op == 0xc9)
        return true;
    return (opcode_reg == 0x58 || opcode_reg == 0x90 || opcode_reg == 0xb0 || opcode_reg == 0xb8) &&
           (op & 7) == 4 && !rex_b; /* POP, XCHG, MOV */
}
