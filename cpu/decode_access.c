/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory an instruction accesses, for data breakpoints (SDM 3B 17.2.5, 17.3.1.2): its
 * explicit operand and what it does with the stack, strings and tables of its own.
 *
 * A data breakpoint fires on writes, or on reads and writes alike; so it is enough to know
 * what is written.  What is left out: descriptor tables, the TSS, frames of INT n and task
 * switches.
 */
#include "cpu/cpu.h"
#include "cpu/decode_scan.h"

struct list {
    const struct decode_raw *raw;
    struct cpu_access *out;
    unsigned count;
};

static void add(struct list *l, enum cpu_access_at at, unsigned bytes, bool write)
{
    l->out[l->count++] =
        (struct cpu_access){.at = at, .bytes = (uint16_t)bytes, .write = write, .read = !write};
}

/* An access that both reads and writes. */
static void add_modify(struct list *l, enum cpu_access_at at, unsigned bytes)
{
    add(l, at, bytes, true);
    l->out[l->count - 1].read = true;
}

/* Width of a stack item. */
static unsigned stack_bytes(const struct decode_raw *raw)
{
    if (raw->mode == CPU_MODE_64)
        return raw->p66 && !(raw->rex & 8) ? 2 : 8;
    return raw->operand_bytes;
}

static unsigned x87_bytes(const struct decode_raw *raw)
{
    /* By the opcode's low bits and ModRM.reg; 1 stands for the environment, 3 for the state. */
    static const uint8_t bytes[8][8] = {
        {4, 4, 4, 4, 4, 4, 4, 4}, {4, 0, 4, 4, 1, 2, 1, 2},  {4, 4, 4, 4, 4, 4, 4, 4},
        {4, 4, 4, 4, 0, 10, 0, 10}, {8, 8, 8, 8, 8, 8, 8, 8}, {8, 8, 8, 8, 3, 0, 3, 2},
        {2, 2, 2, 2, 2, 2, 2, 2}, {2, 2, 2, 2, 10, 8, 10, 8}};
    unsigned n = bytes[raw->opcode & 7][decode_modrm_reg(raw)];
    unsigned environment = raw->operand_bytes == 2 ? 14 : 28;

    return n == 1 ? environment : n == 3 ? environment + 80 : n;
}

static unsigned operand_bytes(const struct decode_raw *raw)
{
    return raw->attr & ATTR_BYTE ? 1 : raw->operand_bytes;
}

static unsigned mem_bytes_1(const struct decode_raw *raw)
{
    unsigned reg = decode_modrm_reg(raw);

    switch (raw->opcode) {
    case 0x8d: /* LEA */
        return 0;
    case 0x62: /* BOUND */
        return 2u * raw->operand_bytes;
    case 0x63:
        return raw->mode == CPU_MODE_64 ? 4 : 2;
    case 0x8c:
    case 0x8e:
        return 2;
    case 0x8f:
        return stack_bytes(raw);
    case 0xc4:
    case 0xc5:
        return raw->operand_bytes + 2u;
    case 0xd8 ... 0xdf:
        return x87_bytes(raw);
    case 0xff:
        if (reg == 3 || reg == 5)
            return raw->operand_bytes + 2u;
        return reg >= 2 ? stack_bytes(raw) : raw->operand_bytes;
    default:
        return operand_bytes(raw);
    }
}

/* Packed, or scalar with F3 or F2. */
static unsigned vector_bytes(const struct decode_raw *raw, unsigned packed)
{
    return raw->rep == 0xf3 ? 4 : raw->rep == 0xf2 ? 8 : packed;
}

static unsigned system_bytes(const struct decode_raw *raw)
{
    unsigned reg = decode_modrm_reg(raw);

    if (raw->opcode == 0x01 && reg != 4 && reg != 6)
        return reg >= 4 ? 0 : raw->mode == CPU_MODE_64 ? 10 : 6;
    return 2;
}

static unsigned group_15_bytes(const struct decode_raw *raw)
{
    static const uint16_t bytes[8] = {512, 512, 4, 4, 576, 576, 576, 0};

    return raw->p66 ? 0 : bytes[decode_modrm_reg(raw)];
}

/* 0F 10 .. 0F 7F, 0F C2 .. : MMX and SSE. */
static unsigned simd_bytes(const struct decode_raw *raw)
{
    unsigned wide = raw->rex & 8 ? 8 : 4, mmx = raw->p66 || raw->rep ? 16 : 8;

    switch (raw->opcode) {
    case 0x12:
    case 0x16:
        return raw->rep == 0xf3 ? 16 : 8;
    case 0x13:
    case 0x17:
    case 0xd6:
        return 8;
    case 0x10:
    case 0x11:
    case 0x51 ... 0x59:
    case 0x5c ... 0x5f:
    case 0xc2:
        return vector_bytes(raw, 16);
    case 0x5a:
        return vector_bytes(raw, raw->p66 ? 16 : 8);
    case 0x2a:
        return raw->rep ? wide : 8;
    case 0x2c:
    case 0x2d:
        return vector_bytes(raw, raw->p66 ? 16 : 8);
    case 0x2e:
    case 0x2f:
        return raw->p66 ? 8 : 4;
    case 0x6e:
        return wide;
    case 0x7e:
        return raw->rep == 0xf3 ? 8 : wide;
    case 0x60 ... 0x62:
        return raw->p66 ? 16 : 4;
    case 0xe6:
        return raw->rep == 0xf3 ? 8 : 16;
    case 0xc4:
        return 2;
    case 0x63 ... 0x6b:
    case 0x6f:
    case 0x70:
    case 0x74 ... 0x76:
    case 0x7f:
    case 0xd1 ... 0xd5:
    case 0xd7 ... 0xe5:
    case 0xe7 ... 0xff:
        return mmx;
    default:
        return 16;
    }
}

static unsigned mem_bytes_0f(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x00 ... 0x03:
        return system_bytes(raw);
    case 0x0d:
    case 0x18 ... 0x1f: /* prefetches and NOPs */
        return 0;
    case 0x40 ... 0x4f:
    case 0x90 ... 0x9f:
    case 0xa3 ... 0xa5:
    case 0xab ... 0xad:
    case 0xaf ... 0xb1:
    case 0xb3:
    case 0xb8 ... 0xbd:
    case 0xc0:
    case 0xc1:
    case 0xc3:
        return operand_bytes(raw);
    case 0xae:
        return group_15_bytes(raw);
    case 0xb2:
    case 0xb4:
    case 0xb5:
        return raw->operand_bytes + 2u;
    case 0xb6:
    case 0xbe:
        return 1;
    case 0xb7:
    case 0xbf:
        return 2;
    case 0xc7:
        return decode_modrm_reg(raw) == 1 ? (raw->rex & 8 ? 16 : 8) : 0;
    default:
        return simd_bytes(raw);
    }
}

static unsigned mem_bytes_0f38(const struct decode_raw *raw)
{
    static const uint8_t widened[6] = {8, 4, 2, 8, 4, 8}; /* PMOVSX.., PMOVZX.. */

    switch (raw->opcode) {
    case 0x20 ... 0x25:
    case 0x30 ... 0x35:
        return widened[raw->opcode & 7];
    case 0x80 ... 0x82:
        return 16;
    case 0xf0:
        return raw->rep == 0xf2 ? 1 : raw->operand_bytes;
    case 0xf1:
    case 0xf6:
        return raw->operand_bytes;
    default:
        return raw->p66 ? 16 : 8;
    }
}

static unsigned mem_bytes_0f3a(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x14:
    case 0x20:
        return 1;
    case 0x15:
        return 2;
    case 0x0a:
    case 0x17:
    case 0x21:
        return 4;
    case 0x0b:
        return 8;
    case 0x16:
    case 0x22:
        return raw->rex & 8 ? 8 : 4;
    default:
        return raw->p66 ? 16 : 8;
    }
}

static unsigned mem_bytes(const struct decode_raw *raw)
{
    switch (raw->map) {
    case DECODE_MAP_1:
        return mem_bytes_1(raw);
    case DECODE_MAP_0F:
        return mem_bytes_0f(raw);
    case DECODE_MAP_0F38:
        return mem_bytes_0f38(raw);
    case DECODE_MAP_0F3A:
        return mem_bytes_0f3a(raw);
    default:
        return 0;
    }
}

bool decode_modifies(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;

    if (raw->map == DECODE_MAP_0F) {
        switch (op) {
        case 0xa4: case 0xa5: case 0xac: case 0xad: /* SHLD SHRD */
        case 0xab: case 0xb3: case 0xba: case 0xbb:
        case 0xb0: case 0xb1: case 0xc0: case 0xc1: case 0xc7:
            return true;
        case 0xae: /* XSAVE leaves parts of its area alone */
            return decode_modrm_reg(raw) == 4 || decode_modrm_reg(raw) == 6;
        default:
            return false;
        }
    }
    if (raw->map != DECODE_MAP_1)
        return false;
    switch (op) {
    case 0x63: case 0x80 ... 0x83: case 0x86: case 0x87: case 0xc0: case 0xc1: case 0xd0 ... 0xd3:
    case 0xf6: case 0xf7:
        return true;
    case 0xfe: case 0xff:
        return decode_modrm_reg(raw) < 2;
    default:
        return op < 0x40;
    }
}

static void explicit_operand(struct list *l, uint32_t flags)
{
    const struct decode_raw *raw = l->raw;
    bool write = (flags & CPU_INSN_WRITES_MEM) != 0;
    unsigned bytes = mem_bytes(raw);

    if (raw->map == DECODE_MAP_1 && raw->opcode == 0xff && decode_modrm_reg(raw) >= 2)
        write = false; /* what is written is the stack */
    if (!bytes)
        return;
    if (write && decode_modifies(raw))
        add_modify(l, CPU_ACCESS_OPERAND, bytes);
    else
        add(l, raw->map == DECODE_MAP_1 && raw->opcode == 0x8f ? CPU_ACCESS_POPPED
                                                               : CPU_ACCESS_OPERAND,
            bytes, write);
}

static void string_operands(struct list *l)
{
    const struct decode_raw *raw = l->raw;
    unsigned bytes = operand_bytes(raw);

    if (raw->opcode >= 0x6c && raw->opcode <= 0x6f && bytes == 8)
        bytes = 4;
    switch (raw->opcode & 0xfe) {
    case 0xa4: /* MOVS */
        add(l, CPU_ACCESS_SI, bytes, false);
        add(l, CPU_ACCESS_DI, bytes, true);
        break;
    case 0xa6: /* CMPS */
        add(l, CPU_ACCESS_SI, bytes, false);
        add(l, CPU_ACCESS_DI, bytes, false);
        break;
    case 0x6c: /* INS STOS */
    case 0xaa:
        add(l, CPU_ACCESS_DI, bytes, true);
        break;
    case 0xae: /* SCAS */
        add(l, CPU_ACCESS_DI, bytes, false);
        break;
    default: /* OUTS LODS */
        add(l, CPU_ACCESS_SI, bytes, false);
        break;
    }
}

static void stack_1(struct list *l)
{
    const struct decode_raw *raw = l->raw;
    unsigned n = stack_bytes(raw), reg = decode_modrm_reg(raw);

    switch (raw->opcode) {
    case 0x06: case 0x0e: case 0x16: case 0x1e: case 0x50 ... 0x57: case 0x68: case 0x6a:
    case 0x9c: case 0xe8:
        add(l, CPU_ACCESS_PUSH, n, true);
        break;
    case 0x07: case 0x17: case 0x1f: case 0x58 ... 0x5f: case 0x8f: case 0x9d: case 0xc2:
    case 0xc3:
        add(l, CPU_ACCESS_POP, n, false);
        break;
    case 0x60:
        add(l, CPU_ACCESS_PUSH, 8 * n, true);
        break;
    case 0x61:
        add(l, CPU_ACCESS_POP, 8 * n, false);
        break;
    case 0x9a:
        add(l, CPU_ACCESS_PUSH, 2 * n, true);
        break;
    case 0xca: case 0xcb:
        add(l, CPU_ACCESS_POP, 2u * raw->operand_bytes, false);
        break;
    case 0xcf:
        add(l, CPU_ACCESS_POP, (raw->mode == CPU_MODE_64 ? 5u : 3u) * raw->operand_bytes, false);
        break;
    case 0xc8: /* ENTER: the frame pointer, and pointers of outer frames */
        add(l, CPU_ACCESS_PUSH, n * ((raw->imm >> 16 & 31) + 1), true);
        if ((raw->imm >> 16 & 31) > 1)
            add(l, CPU_ACCESS_BELOW_BP, n * ((raw->imm >> 16 & 31) - 1), false);
        break;
    case 0xc9:
        add(l, CPU_ACCESS_BP, n, false);
        break;
    case 0xff:
        if (reg == 2 || reg == 3 || reg == 6)
            add(l, CPU_ACCESS_PUSH, reg == 3 ? 2u * raw->operand_bytes : n, true);
        break;
    default:
        break;
    }
}

static void implicit_operands(struct list *l)
{
    const struct decode_raw *raw = l->raw;
    uint8_t op = raw->opcode;

    if (raw->map == DECODE_MAP_0F) {
        if (op == 0xa0 || op == 0xa8)
            add(l, CPU_ACCESS_PUSH, stack_bytes(raw), true);
        else if (op == 0xa1 || op == 0xa9)
            add(l, CPU_ACCESS_POP, stack_bytes(raw), false);
        else if (op == 0xf7) /* MASKMOVQ MASKMOVDQU: as if all bytes were stored */
            add_modify(l, CPU_ACCESS_DI_DS, raw->p66 ? 16 : 8);
        return;
    }
    if (raw->map != DECODE_MAP_1)
        return;
    if ((op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf))
        string_operands(l);
    else if (op >= 0xa0 && op <= 0xa3)
        add(l, CPU_ACCESS_OPERAND, operand_bytes(raw), op >= 0xa2);
    else if (op == 0xd7)
        add(l, CPU_ACCESS_XLAT, 1, false);
    else
        stack_1(l);
}

unsigned cpu_decode_accesses(enum cpu_mode mode, const uint8_t *code, size_t size,
                             struct cpu_access out[CPU_ACCESSES_MAX])
{
    struct list l = {.out = out};
    struct decode_raw raw;
    enum cpu_insn_kind kind;
    uint32_t flags;

    if (decode_scan(mode, code, size, &raw) != DECODE_OK)
        return 0;
    l.raw = &raw;
    flags = decode_classify(&raw, &kind);
    if (flags & CPU_INSN_INVALID)
        return 0;
    if (decode_is_mem(&raw))
        explicit_operand(&l, flags);
    implicit_operands(&l);
    return l.count;
}
