/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of the features that CPUID tells of an instruction belongs to.
 *
 * Source: Intel SDM volume 2, the instructions' own pages.
 */
#include "cpu/decode_scan.h"

static enum cpu_insn_feature feature_1(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x9e:
    case 0x9f:
        return raw->mode == CPU_MODE_64 ? CPU_INSN_LAHF : CPU_INSN_FEATURES;
    case 0xdb: /* FISTTP */
    case 0xdd:
    case 0xdf:
        return decode_is_mem(raw) && decode_modrm_reg(raw) == 1 ? CPU_INSN_SSE3 : CPU_INSN_FEATURES;
    default:
        return CPU_INSN_FEATURES;
    }
}

static enum cpu_insn_feature feature_0f(const struct decode_raw *raw)
{
    switch (raw->opcode) {
    case 0x01:
        return raw->modrm == 0xf9 ? CPU_INSN_RDTSCP : CPU_INSN_FEATURES;
    case 0x12:
        return raw->rep ? CPU_INSN_SSE3 : CPU_INSN_FEATURES;
    case 0x16:
        return raw->rep == 0xf3 ? CPU_INSN_SSE3 : CPU_INSN_FEATURES;
    case 0x7c:
    case 0x7d:
    case 0xd0:
    case 0xf0:
        return CPU_INSN_SSE3;
    case 0xb8:
        return raw->rep == 0xf3 ? CPU_INSN_POPCNT : CPU_INSN_FEATURES;
    case 0xc7:
        return decode_modrm_reg(raw) == 1 && raw->rex & 8 ? CPU_INSN_CX16 : CPU_INSN_FEATURES;
    default:
        return CPU_INSN_FEATURES;
    }
}

static enum cpu_insn_feature feature_0f38(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;

    if (op <= 0x0b || (op >= 0x1c && op <= 0x1e))
        return CPU_INSN_SSSE3;
    if (op == 0x37)
        return CPU_INSN_SSE42;
    if (op >= 0x10 && op <= 0x41)
        return CPU_INSN_SSE41;
    if (op >= 0xdb && op <= 0xdf)
        return CPU_INSN_AES;
    if (op == 0xf0 || op == 0xf1)
        return raw->rep == 0xf2 ? CPU_INSN_SSE42 : CPU_INSN_MOVBE;
    return CPU_INSN_FEATURES;
}

static enum cpu_insn_feature feature_0f3a(const struct decode_raw *raw)
{
    uint8_t op = raw->opcode;

    if (op == 0x0f)
        return CPU_INSN_SSSE3;
    if (op == 0x44)
        return CPU_INSN_PCLMULQDQ;
    if (op == 0xdf)
        return CPU_INSN_AES;
    if (op >= 0x60 && op <= 0x63)
        return CPU_INSN_SSE42;
    return op >= 0x08 && op <= 0x42 ? CPU_INSN_SSE41 : CPU_INSN_FEATURES;
}

enum cpu_insn_feature decode_feature(const struct decode_raw *raw)
{
    switch (raw->map) {
    case DECODE_MAP_1:
        return feature_1(raw);
    case DECODE_MAP_0F:
        return feature_0f(raw);
    case DECODE_MAP_0F38:
        return feature_0f38(raw);
    case DECODE_MAP_0F3A:
        return feature_0f3a(raw);
    default:
        return CPU_INSN_FEATURES;
    }
}
