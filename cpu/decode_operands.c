/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operands of an instruction, for the emulator.
 *
 * Source: Intel SDM volume 2, 2.1.5 (ModRM and SIB), 2.2.1 (REX), volume 1, 3.7.4 (default
 * segments).
 */
#include "cpu/decode_scan.h"

#include <string.h>

#include "cpu/cpu.h"

enum { RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

static enum cpu_insn_kind group_kind(const struct decode_raw *raw)
{
    unsigned reg = decode_modrm_reg(raw);

    switch (raw->opcode) {
    case 0xc6:
    case 0xc7:
        return CPU_KIND_MOV; /* other than /0 is CPU_KIND_UD */
    case 0xf6:
    case 0xf7:
        return reg < 2    ? CPU_KIND_ALU
               : reg == 2 ? CPU_KIND_NOT
               : reg == 3 ? CPU_KIND_NEG
                          : CPU_KIND_OTHER;
    case 0xff:
        if (reg == 6)
            return CPU_KIND_PUSH;
        return reg == 0 ? CPU_KIND_INC : reg == 1 ? CPU_KIND_DEC : CPU_KIND_OTHER;
    default: /* FE */
        return reg == 0 ? CPU_KIND_INC : reg == 1 ? CPU_KIND_DEC : CPU_KIND_OTHER;
    }
}

static enum cpu_insn_kind memory_kind_1(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;

    if (op < 0x40)
        return (op & 7) < 6 ? CPU_KIND_ALU : CPU_KIND_OTHER;
    if (op < 0x50)
        return op < 0x48 ? CPU_KIND_INC : CPU_KIND_DEC;
    if (op < 0x60)
        return op < 0x58 ? CPU_KIND_PUSH : CPU_KIND_POP;
    switch (op) {
    case 0x63:
        return raw->mode == CPU_MODE_64 ? CPU_KIND_MOVSX : CPU_KIND_OTHER;
    case 0x68:
    case 0x6a:
        return CPU_KIND_PUSH;
    case 0x80 ... 0x85:
    case 0xa8:
    case 0xa9:
        return CPU_KIND_ALU;
    case 0x86:
    case 0x87:
        return CPU_KIND_XCHG;
    case 0x88 ... 0x8b:
    case 0xa0 ... 0xa3:
    case 0xb0 ... 0xbf:
        return CPU_KIND_MOV;
    case 0x8f:
        return CPU_KIND_POP;
    case 0xa4:
    case 0xa5:
        return CPU_KIND_MOVS;
    case 0xaa:
    case 0xab:
        return CPU_KIND_STOS;
    case 0xac:
    case 0xad:
        return CPU_KIND_LODS;
    case 0xc6:
    case 0xc7:
    case 0xf6:
    case 0xf7:
    case 0xfe:
    case 0xff:
        return group_kind(raw);
    default:
        return CPU_KIND_OTHER;
    }
}

/* Moves between XMM and memory.  Bytes moved, 0 if it is none. */
static unsigned vector_move_bytes(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x10:
    case 0x11: /* MOVUPS MOVUPD MOVSS MOVSD */
        return raw->rep == 0xf3 ? 4 : raw->rep == 0xf2 ? 8 : 16;
    case 0x28:
    case 0x29: /* MOVAPS MOVAPD */
    case 0x2b: /* MOVNTPS MOVNTPD */
        return raw->rep ? 0 : 16;
    case 0x6f:
    case 0x7f: /* MOVDQA MOVDQU; without prefix MMX */
        return raw->rep == 0xf3 || (!raw->rep && raw->p66) ? 16 : 0;
    case 0x6e: /* MOVD MOVQ */
        return !raw->rep && raw->p66 ? (raw->rex & 8 ? 8 : 4) : 0;
    case 0x7e:
        if (raw->rep == 0xf3)
            return 8;
        return !raw->rep && raw->p66 ? (raw->rex & 8 ? 8 : 4) : 0;
    case 0xd6:
        return !raw->rep && raw->p66 ? 8 : 0;
    case 0xe7: /* MOVNTDQ */
        return !raw->rep && raw->p66 ? 16 : 0;
    default:
        return 0;
    }
}

static bool vector_must_align(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x28:
    case 0x29:
    case 0x2b:
    case 0xe7:
        return true;
    default: /* MOVDQA */
        return (raw->opcode & 0xef) == 0x6f && raw->rep == 0;
    }
}

enum cpu_insn_kind decode_memory_kind(const struct decode_raw *raw)
{
    if (raw->map == DECODE_MAP_1)
        return memory_kind_1(raw);
    if (raw->map != DECODE_MAP_0F)
        return CPU_KIND_OTHER;
    switch (raw->opcode) {
    case 0xb6:
    case 0xb7:
        return CPU_KIND_MOVZX;
    case 0xbe:
    case 0xbf:
        return CPU_KIND_MOVSX;
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
        return CPU_KIND_BT;
    case 0xba:
        return decode_modrm_reg(raw) >= 4 ? CPU_KIND_BT : CPU_KIND_OTHER;
    case 0xb0:
    case 0xb1:
        return CPU_KIND_CMPXCHG;
    case 0xc0:
    case 0xc1:
        return CPU_KIND_XADD;
    case 0xc3: /* MOVNTI */
        return decode_is_mem(raw) && !raw->p66 && !raw->rep ? CPU_KIND_MOV : CPU_KIND_OTHER;
    default:
        return vector_move_bytes(raw) && decode_is_mem(raw) ? CPU_KIND_MOV_VEC : CPU_KIND_OTHER;
    }
}

static uint8_t default_segment(const struct decode_raw *raw, uint8_t seg)
{
    return raw->segment != DECODE_NO_SEG ? raw->segment : seg;
}

static void address_16(const struct decode_raw *raw, struct cpu_insn *out)
{
    static const uint8_t base[8] = {3, 3, 5, 5, 6, 7, 5, 3};
    static const uint8_t index[8] = {6, 7, 6, 7, CPU_NO_REG, CPU_NO_REG, CPU_NO_REG, CPU_NO_REG};
    unsigned rm = raw->modrm & 7;

    if (raw->modrm < 0x40 && rm == 6)
        return; /* disp16 alone */
    out->base = base[rm];
    out->index = index[rm];
}

static void address_32_64(const struct decode_raw *raw, struct cpu_insn *out)
{
    unsigned rm = raw->modrm & 7;
    bool no_base = raw->modrm < 0x40 && rm == 5;

    if (raw->has_sib) {
        unsigned index = (raw->sib >> 3 & 7) | (raw->rex & 2 ? 8 : 0);

        if (index != 4) {
            out->index = index;
            out->scale = 1 << (raw->sib >> 6);
        }
        rm = raw->sib & 7;
        no_base = raw->modrm < 0x40 && rm == 5;
        if (no_base)
            return;
    }
    if (!no_base)
        out->base = rm | (raw->rex & 1 ? 8 : 0);
    else if (raw->mode == CPU_MODE_64)
        out->base = CPU_REG_RIP;
}

static void memory_operand(const struct decode_raw *raw, struct cpu_insn *out)
{
    out->has_mem = true;
    out->scale = 1;
    out->disp = raw->disp;
    if (raw->address_bytes == 2)
        address_16(raw, out);
    else
        address_32_64(raw, out);
    out->segment = default_segment(raw, out->base == RSP || out->base == RBP ? CPU_SS : CPU_DS);
}

static void byte_register(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (out->operand_bytes == 1 && !raw->rex && out->reg >= 4 && out->reg < 8) {
        out->reg -= 4;
        out->reg_is_high8 = true;
    }
}

/* ModRM: reg is the register operand unless it is a part of the opcode (kind_operands()). */
static void modrm_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    out->reg = decode_modrm_reg(raw) | (raw->rex & 4 ? 8 : 0);
    if (decode_is_mem(raw))
        memory_operand(raw, out);
    out->mem_is_dest = out->has_mem && raw->attr & ATTR_WM;
    if (raw->map == DECODE_MAP_1 && raw->opcode == 0x8e && !out->has_mem) /* MOV to a segment */
        out->reg = (raw->modrm & 7) | (raw->rex & 1 ? 8 : 0);
}

static void string_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    bool from_di = out->kind == CPU_KIND_STOS || out->kind == CPU_KIND_INS;

    out->has_mem = true;
    out->scale = 1;
    out->base = from_di ? RDI : RSI;
    out->segment = from_di ? CPU_ES : default_segment(raw, CPU_DS);
    out->mem_is_dest = from_di;
    if (out->kind == CPU_KIND_STOS || out->kind == CPU_KIND_LODS)
        out->reg = 0;
}

static int64_t sign_extend(uint64_t value, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;

    return (int64_t)(value << shift) >> shift;
}

static void immediate(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (!raw->imm_bytes || raw->attr & (ATTR_MOFFS | ATTR_FARPTR) || raw->imm_bytes == 3)
        return;
    out->has_imm = true;
    out->imm = sign_extend(raw->imm, raw->imm_bytes);
}

static void alu_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    uint8_t op = raw->opcode;

    if (op < 0x40) {
        out->alu_op = op >> 3;
        if ((op & 7) >= 4)
            out->reg = 0;
        out->mem_is_dest = out->has_mem && (op & 7) < 2;
    } else if (op < 0x84) {
        out->alu_op = decode_modrm_reg(raw);
        out->reg = CPU_NO_REG;
        out->mem_is_dest = out->has_mem;
    } else {
        out->alu_op = CPU_ALU_TEST;
        out->mem_is_dest = out->has_mem;
        if (op == 0xa8 || op == 0xa9)
            out->reg = 0;
        else if (op >= 0xf6)
            out->reg = CPU_NO_REG;
    }
}

static void stack_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (raw->opcode < 0x60)
        out->reg = (raw->opcode & 7) | (raw->rex & 1 ? 8 : 0);
    else
        out->reg = CPU_NO_REG;
    if (!out->has_mem && raw->has_modrm)
        out->reg = (raw->modrm & 7) | (raw->rex & 1 ? 8 : 0);
    if (raw->opcode != 0xff)
        return;
    out->mem_is_dest = false;
    if (raw->mode == CPU_MODE_64) /* group 5: only its PUSH is 64 bits wide by itself */
        out->operand_bytes = raw->p66 && !(raw->rex & 8) ? 2 : 8;
}

static void mov_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    uint8_t op = raw->opcode;

    if (raw->map == DECODE_MAP_0F) { /* MOVNTI: never 16 bits */
        out->operand_bytes = raw->rex & 8 ? 8 : 4;
    } else if (op >= 0xa0 && op <= 0xa3) {
        out->has_mem = true;
        out->scale = 1;
        out->disp = (int64_t)raw->imm;
        out->segment = default_segment(raw, CPU_DS);
        out->mem_is_dest = op >= 0xa2;
        out->reg = 0;
    } else if (op >= 0xb0 && op <= 0xbf) {
        out->reg = (op & 7) | (raw->rex & 1 ? 8 : 0);
    } else if (op >= 0xc6) {
        out->reg = CPU_NO_REG;
    }
}

static void bt_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (raw->opcode == 0xba) {
        out->alu_op = decode_modrm_reg(raw) & 3;
        out->reg = CPU_NO_REG;
        out->imm &= 0xff;
    } else {
        out->alu_op = raw->opcode >> 3 & 3;
    }
    out->mem_is_dest = out->has_mem;
    if (!out->has_mem)
        out->rm_reg = (raw->modrm & 7) | (raw->rex & 1 ? 8 : 0);
}

static void extend_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (raw->map == DECODE_MAP_1) /* MOVSXD */
        out->source_bytes = out->operand_bytes == 2 ? 2 : 4;
    else
        out->source_bytes = raw->opcode & 1 ? 2 : 1;
}

static void vector_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    out->operand_bytes = vector_move_bytes(raw);
    out->mem_aligned = vector_must_align(raw);
    out->mem_is_dest = raw->opcode == 0x11 || raw->opcode == 0x29 || raw->opcode == 0x2b ||
                       raw->opcode == 0x7f || raw->opcode == 0xd6 || raw->opcode == 0xe7 ||
                       (raw->opcode == 0x7e && raw->rep != 0xf3);
}

static void port_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    if (out->operand_bytes == 8)
        out->operand_bytes = 4;
    out->reg = 0;
    out->port_is_dx = !raw->imm_bytes;
    out->imm &= 0xff;
}

/* Control and debug registers: always as wide as a general register (SDM 2B MOV). */
static void creg_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    out->creg = decode_modrm_reg(raw) | (raw->rex & 4 ? 8 : 0);
    out->reg = (raw->modrm & 7) | (raw->rex & 1 ? 8 : 0);
    out->operand_bytes = raw->mode == CPU_MODE_64 ? 8 : 4;
}

/* One register in r/m: RDRAND, RDSEED, the FS/GS base group, LMSW with a register. */
static void rm_register(const struct decode_raw *raw, struct cpu_insn *out)
{
    out->reg = CPU_NO_REG;
    if (!out->has_mem)
        out->reg = (raw->modrm & 7) | (raw->rex & 1 ? 8 : 0);
    if (out->kind == CPU_KIND_LMSW || out->kind == CPU_KIND_LLDT || out->kind == CPU_KIND_LTR)
        out->operand_bytes = 2;
}

static void kind_operands(const struct decode_raw *raw, struct cpu_insn *out)
{
    switch (out->kind) {
    case CPU_KIND_IN:
    case CPU_KIND_OUT:
        port_operands(raw, out);
        break;
    case CPU_KIND_INS:
    case CPU_KIND_OUTS:
        port_operands(raw, out);
        string_operands(raw, out);
        break;
    case CPU_KIND_STOS:
    case CPU_KIND_LODS:
    case CPU_KIND_MOVS:
        string_operands(raw, out);
        break;
    case CPU_KIND_MOV_TO_CR:
    case CPU_KIND_MOV_FROM_CR:
    case CPU_KIND_MOV_TO_DR:
    case CPU_KIND_MOV_FROM_DR:
        creg_operands(raw, out);
        break;
    case CPU_KIND_RDRAND:
    case CPU_KIND_RDSEED:
    case CPU_KIND_WRFSBASE:
    case CPU_KIND_WRGSBASE:
    case CPU_KIND_RDFSBASE:
    case CPU_KIND_RDGSBASE:
    case CPU_KIND_LMSW:
    case CPU_KIND_LLDT:
    case CPU_KIND_LTR:
        rm_register(raw, out);
        break;
    case CPU_KIND_ALU:
        alu_operands(raw, out);
        break;
    case CPU_KIND_MOV:
        mov_operands(raw, out);
        break;
    case CPU_KIND_MOVZX:
    case CPU_KIND_MOVSX:
        extend_operands(raw, out);
        break;
    case CPU_KIND_PUSH:
    case CPU_KIND_POP:
        stack_operands(raw, out);
        break;
    case CPU_KIND_BT:
        bt_operands(raw, out);
        break;
    case CPU_KIND_INC:
    case CPU_KIND_DEC:
    case CPU_KIND_NOT:
    case CPU_KIND_NEG:
        out->reg = raw->has_modrm ? CPU_NO_REG : raw->opcode & 7;
        break;
    case CPU_KIND_MOV_VEC:
        vector_operands(raw, out);
        break;
    default:
        break;
    }
}

static uint8_t operand_width(const struct decode_raw *raw)
{
    if (raw->attr & ATTR_BYTE)
        return 1;
    if (raw->attr & ATTR_D64 && raw->mode == CPU_MODE_64)
        return raw->p66 && !(raw->rex & 8) ? 2 : 8;
    return raw->operand_bytes;
}

bool cpu_decode(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                struct cpu_insn *out)
{
    struct decode_raw raw;
    enum cpu_insn_kind kind;

    (void)va;
    memset(out, 0, sizeof(*out));
    out->base = out->index = out->reg = out->rm_reg = CPU_NO_REG;
    out->flags = CPU_INSN_INVALID;
    if (decode_scan(mode, code, size, &raw) != DECODE_OK)
        return false;
    out->flags = decode_classify(&raw, &kind);
    if (out->flags & CPU_INSN_INVALID) {
        out->flags = CPU_INSN_INVALID;
        return false;
    }
    out->kind = kind == CPU_KIND_OTHER ? decode_memory_kind(&raw) : kind;
    out->length = raw.length;
    out->operand_bytes = operand_width(&raw);
    out->map = raw.map;
    out->opcode = raw.opcode;
    out->modrm_reg = decode_modrm_reg(&raw);
    out->feature = decode_feature(&raw);
    out->segment = default_segment(&raw, CPU_DS);
    out->address_bytes = raw.address_bytes;
    out->string_segment = default_segment(&raw, CPU_DS);
    out->rep = raw.rep == 0xf3;
    out->repne = raw.rep == 0xf2;
    out->lock = raw.lock;
    out->rex_w = raw.rex & 8;
    immediate(&raw, out);
    if (raw.has_modrm)
        modrm_operands(&raw, out);
    kind_operands(&raw, out);
    if (out->kind != CPU_KIND_MOV_VEC && out->reg != CPU_NO_REG)
        byte_register(&raw, out);
    return true;
}
