/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an encoding to what the run loop and the emulator call it.
 *
 * Source: Intel SDM volume 2, appendix A; LOCK: the LOCK entry of volume 2A.
 */
#include "cpu/cpu.h"
#include "cpu/decode_scan.h"

struct verdict {
    uint32_t flags;
    enum cpu_insn_kind kind;
};

#define FAR_TRANSFER (CPU_INSN_FAR | CPU_INSN_BRANCH)

static void special(struct verdict *v, enum cpu_insn_kind kind)
{
    v->flags |= CPU_INSN_SPECIAL;
    v->kind = kind;
}

/* Far transfers of 64-bit code are rare, and the library does not check all of them. */
static void far_of_64(const struct decode_raw *raw, struct verdict *v)
{
    if (raw->mode == CPU_MODE_64 && !(v->flags & CPU_INSN_INVALID))
        special(v, CPU_KIND_FAR);
}

static void string_insn(const struct decode_raw *raw, struct verdict *v)
{
    if (!raw->rep)
        return;
    v->flags |= CPU_INSN_REP;
    if ((raw->opcode & 0xf6) == 0xa6) /* A6 A7 AE AF */
        v->flags |= CPU_INSN_REP_ZF;
}

/* Groups whose ModRM.reg decides whether the operand is written. */
static void group_write(const struct decode_raw *raw, struct verdict *v)
{
    unsigned reg = decode_modrm_reg(raw);
    bool writes = true;

    switch (raw->opcode) {
    case 0x80: /* CMP does not */
    case 0x81:
    case 0x82:
    case 0x83:
        writes = reg != 7;
        break;
    case 0xf6: /* only NOT and NEG */
    case 0xf7:
        writes = reg == 2 || reg == 3;
        if (reg == 3 && raw->lock) /* the library derives the flags from the operand */
            v->flags |= CPU_INSN_SPECIAL;
        break;
    default: /* FE */
        writes = reg < 2;
        if (!writes)
            v->flags |= CPU_INSN_INVALID;
        break;
    }
    if (!writes)
        v->flags &= ~(uint32_t)CPU_INSN_WRITES_MEM;
}

static void group_5(const struct decode_raw *raw, struct verdict *v)
{
    bool mem = decode_is_mem(raw);

    v->flags &= ~(uint32_t)CPU_INSN_WRITES_MEM;
    switch (decode_modrm_reg(raw)) {
    case 0:
    case 1:
        v->flags |= mem ? CPU_INSN_WRITES_MEM : 0;
        break;
    case 2:
        v->flags |= CPU_INSN_BRANCH | CPU_INSN_WRITES_MEM;
        break;
    case 3:
        v->flags |= FAR_TRANSFER | CPU_INSN_SYSTABLE | CPU_INSN_WRITES_MEM;
        v->flags |= mem ? 0 : CPU_INSN_INVALID;
        far_of_64(raw, v);
        break;
    case 4:
        v->flags |= CPU_INSN_BRANCH;
        break;
    case 5:
        v->flags |= FAR_TRANSFER | CPU_INSN_SYSTABLE;
        v->flags |= mem ? 0 : CPU_INSN_INVALID;
        far_of_64(raw, v);
        break;
    case 6:
        v->flags |= CPU_INSN_WRITES_MEM;
        break;
    default:
        v->flags |= CPU_INSN_INVALID;
        break;
    }
}

static void x87_stores(const struct decode_raw *raw, struct verdict *v)
{
    /* bit n: D9/DB/DD/DF with ModRM.reg = n and memory stores */
    static const uint8_t stores[4] = {0xcc, 0x8e, 0xce, 0xce};

    if (decode_is_mem(raw) && stores[(raw->opcode >> 1) & 3] >> decode_modrm_reg(raw) & 1)
        v->flags |= CPU_INSN_WRITES_MEM;
}

static void classify_mov_sreg(const struct decode_raw *raw, struct verdict *v)
{
    unsigned reg = decode_modrm_reg(raw);

    if (raw->opcode == 0x8c) {
        if (reg > 5)
            v->flags |= CPU_INSN_INVALID;
    } else if (reg == 1 || reg > 5) {
        v->flags |= CPU_INSN_INVALID;
    } else if (reg == 2) {
        v->flags |= CPU_INSN_SHADOW | CPU_INSN_MOV_SS;
    }
}

/* One-byte map, first half. */
static void classify_low(const struct decode_raw *raw, struct verdict *v)
{
    switch (raw->opcode) {
    case 0x17:
        v->flags |= CPU_INSN_SHADOW | CPU_INSN_MOV_SS;
        break;
    case 0x63:
        if (raw->mode != CPU_MODE_64 && decode_is_mem(raw)) /* ARPL */
            v->flags |= CPU_INSN_WRITES_MEM;
        break;
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
        string_insn(raw, v);
        v->flags |= CPU_INSN_REP_STRING_IO;
        special(v, raw->opcode < 0x6e ? CPU_KIND_INS : CPU_KIND_OUTS);
        break;
    default:
        group_write(raw, v);
        break;
    }
}

static void classify_8x_to_cx(const struct decode_raw *raw, struct verdict *v)
{
    switch (raw->opcode) {
    case 0x8c:
    case 0x8e:
        classify_mov_sreg(raw, v);
        break;
    case 0x8d:
        if (!decode_is_mem(raw))
            v->flags |= CPU_INSN_INVALID;
        break;
    case 0x8f:
    case 0xc6:
    case 0xc7:
        if (decode_modrm_reg(raw) != 0)
            special(v, CPU_KIND_UD);
        break;
    case 0xca:
    case 0xcb:
        v->flags |= FAR_TRANSFER;
        far_of_64(raw, v);
        break;
    case 0x9a:
    case 0xcc:
    case 0xcd:
    case 0xce:
        v->flags |= FAR_TRANSFER;
        break;
    case 0x9c:
        v->flags |= CPU_INSN_PUSHF;
        break;
    case 0x9d:
        v->flags |= CPU_INSN_LOADS_FLAGS;
        break;
    case 0xcf:
        v->flags |= FAR_TRANSFER | CPU_INSN_IRET | CPU_INSN_LOADS_FLAGS;
        if (raw->mode == CPU_MODE_64) {
            v->flags |= CPU_INSN_GUARDED;
            v->kind = CPU_KIND_FAR;
        }
        break;
    default: /* A4..AF */
        string_insn(raw, v);
        break;
    }
}

static void classify_high(const struct decode_raw *raw, struct verdict *v)
{
    switch (raw->opcode) {
    case 0xd9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
        x87_stores(raw, v);
        break;
    case 0xe4:
    case 0xe5:
    case 0xec:
    case 0xed:
        special(v, CPU_KIND_IN);
        break;
    case 0xe6:
    case 0xe7:
    case 0xee:
    case 0xef:
        special(v, CPU_KIND_OUT);
        break;
    case 0xea:
        v->flags |= FAR_TRANSFER;
        break;
    case 0xf1:
        v->flags |= FAR_TRANSFER;
        special(v, CPU_KIND_ICEBP);
        break;
    case 0xf4:
        special(v, CPU_KIND_HLT);
        break;
    case 0xfb:
        v->flags |= CPU_INSN_SHADOW;
        break;
    case 0xff:
        group_5(raw, v);
        break;
    default: /* F6 F7 FE */
        group_write(raw, v);
        break;
    }
}

/* 0F 01 with registers: every ModRM byte is an instruction of its own. */
static void classify_0f01_reg(const struct decode_raw *raw, struct verdict *v)
{
    uint8_t b = raw->modrm;

    if ((b >= 0xc1 && b <= 0xc4) || b == 0xd4 || (b >= 0xd8 && b <= 0xdf))
        special(v, CPU_KIND_VMX);
    else if (b == 0xc8 || b == 0xfa) /* and MONITORX, MWAITX */
        special(v, CPU_KIND_MONITOR);
    else if (b == 0xc9 || b == 0xfb)
        special(v, CPU_KIND_MWAIT);
    else if (b == 0xd0)
        special(v, CPU_KIND_XGETBV);
    else if (b == 0xd1)
        special(v, CPU_KIND_XSETBV);
    else if ((b & 0xf8) == 0xf0)
        special(v, CPU_KIND_LMSW);
    else if (b == 0xf9) {
        v->kind = CPU_KIND_RDTSCP;
        v->flags |= CPU_INSN_RDTSC;
    }
}

static void classify_0f01(const struct decode_raw *raw, struct verdict *v)
{
    unsigned reg = decode_modrm_reg(raw);

    if (!decode_is_mem(raw)) {
        classify_0f01_reg(raw, v);
        return;
    }
    if (reg < 2 || reg == 4) /* SGDT SIDT SMSW */
        v->flags |= CPU_INSN_WRITES_MEM;
    else if (reg == 5)
        v->flags |= CPU_INSN_INVALID;
    else if (reg < 4)
        special(v, reg == 2 ? CPU_KIND_LGDT : CPU_KIND_LIDT);
    else if (reg == 6)
        special(v, CPU_KIND_LMSW);
    else if (reg == 7)
        special(v, CPU_KIND_INVLPG);
}

static void classify_0f00(const struct decode_raw *raw, struct verdict *v)
{
    unsigned reg = decode_modrm_reg(raw);

    if (reg < 2)
        v->flags |= decode_is_mem(raw) ? CPU_INSN_WRITES_MEM : 0;
    else if (reg < 4)
        special(v, reg == 2 ? CPU_KIND_LLDT : CPU_KIND_LTR);
    else if (reg < 6)
        v->flags |= CPU_INSN_SYSTABLE;
    else
        v->flags |= CPU_INSN_INVALID;
}

static void classify_mov_cr(const struct decode_raw *raw, struct verdict *v)
{
    unsigned creg = decode_modrm_reg(raw) | (raw->rex & 4 ? 8 : 0);

    switch (raw->opcode) {
    case 0x20:
        if (creg == 8)
            special(v, CPU_KIND_MOV_FROM_CR);
        break;
    case 0x22:
        v->kind = CPU_KIND_MOV_TO_CR;
        if (creg == 0 || creg == 4 || creg == 8 || (creg == 3 && raw->mode != CPU_MODE_64))
            special(v, CPU_KIND_MOV_TO_CR); /* PAE paging loads the PDPTEs with CR3 */
        else if (creg == 3)
            v->flags |= CPU_INSN_LOADS_CR3;
        break;
    case 0x21:
        special(v, CPU_KIND_MOV_FROM_DR);
        break;
    default:
        special(v, CPU_KIND_MOV_TO_DR);
        break;
    }
}

/* Group 15, 0F AE. */
static void classify_0fae(const struct decode_raw *raw, struct verdict *v)
{
    static const enum cpu_insn_kind base_kinds[4] = {CPU_KIND_RDFSBASE, CPU_KIND_RDGSBASE,
                                                     CPU_KIND_WRFSBASE, CPU_KIND_WRGSBASE};
    unsigned reg = decode_modrm_reg(raw);

    if (decode_is_mem(raw)) {
        if (reg == 0 || reg == 3 || reg == 4 || (reg == 6 && !raw->p66 && !raw->rep))
            v->flags |= CPU_INSN_WRITES_MEM; /* FXSAVE STMXCSR XSAVE XSAVEOPT */
        else if ((reg == 1 || reg == 2) && !raw->p66 && !raw->rep)
            special(v, reg == 1 ? CPU_KIND_FXRSTOR : CPU_KIND_LDMXCSR);
    } else if (raw->rep == 0xf3 && reg < 4) {
        special(v, base_kinds[reg]);
    }
}

/* Group 9, 0F C7. */
static void classify_0fc7(const struct decode_raw *raw, struct verdict *v)
{
    unsigned reg = decode_modrm_reg(raw);

    if (!decode_is_mem(raw)) {
        if (raw->rep) /* F3: SENDUIPI, RDPID */
            v->flags |= raw->rep == 0xf3 && reg >= 6 ? 0 : CPU_INSN_INVALID;
        else if (reg >= 6)
            special(v, reg == 6 ? CPU_KIND_RDRAND : CPU_KIND_RDSEED);
        else
            v->flags |= CPU_INSN_INVALID;
    } else if (reg == 1 || reg == 4 || reg == 5) { /* CMPXCHG8B/16B XSAVEC XSAVES */
        v->flags |= CPU_INSN_WRITES_MEM;
    } else if (reg >= 6) {
        special(v, CPU_KIND_VMX);
    }
}

static void classify_0f_low(const struct decode_raw *raw, struct verdict *v)
{
    switch (raw->opcode) {
    case 0x00:
        classify_0f00(raw, v);
        break;
    case 0x01:
        classify_0f01(raw, v);
        break;
    case 0x05: /* SYSCALL */
    case 0x34: /* SYSENTER */
        v->flags |= FAR_TRANSFER;
        break;
    case 0x06:
        special(v, CPU_KIND_CLTS);
        break;
    case 0x07:
        v->flags |= FAR_TRANSFER | CPU_INSN_SYSRET | CPU_INSN_LOADS_FLAGS | CPU_INSN_GUARDED;
        v->kind = CPU_KIND_FAR;
        break;
    case 0x08:
    case 0x09:
        special(v, CPU_KIND_INVD);
        break;
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
        classify_mov_cr(raw, v);
        break;
    case 0x30:
        special(v, CPU_KIND_WRMSR);
        break;
    case 0x31:
        v->kind = CPU_KIND_RDTSC;
        v->flags |= CPU_INSN_RDTSC;
        break;
    case 0x32:
        special(v, CPU_KIND_RDMSR);
        break;
    case 0x33:
        special(v, CPU_KIND_RDPMC);
        break;
    case 0x35:
        v->flags |= FAR_TRANSFER;
        special(v, CPU_KIND_SYSEXIT);
        break;
    default: /* 37: GETSEC */
        special(v, CPU_KIND_VMX);
        break;
    }
}

static void classify_0f_high(const struct decode_raw *raw, struct verdict *v)
{
    switch (raw->opcode) {
    case 0x2b: /* with F2 or F3 MOVNTSD MOVNTSS of SSE4a */
        if (raw->rep)
            special(v, CPU_KIND_UD);
        break;
    case 0x50: /* MOVMSK, shifts, PEXTRW, MOVQ2DQ, PMOVMSKB, MASKMOV: of registers only */
    case 0x71 ... 0x73:
    case 0xc5:
    case 0xd7:
    case 0xf7:
        if (decode_is_mem(raw))
            special(v, CPU_KIND_UD);
        break;
    case 0xd6:
        if (decode_is_mem(raw) && raw->rep)
            special(v, CPU_KIND_UD);
        break;
    case 0x78:
    case 0x79: /* VMREAD VMWRITE; with 66 or F2 EXTRQ INSERTQ of SSE4a, which no model has */
        special(v, CPU_KIND_VMX);
        break;
    case 0x7e: /* with F3 a load */
        if (raw->rep != 0xf3 && decode_is_mem(raw))
            v->flags |= CPU_INSN_WRITES_MEM;
        break;
    case 0xaa:
        special(v, CPU_KIND_RSM);
        break;
    case 0xae:
        classify_0fae(raw, v);
        break;
    case 0xb8: /* POPCNT needs its F3 */
        if (raw->rep != 0xf3)
            v->flags |= CPU_INSN_INVALID;
        break;
    case 0xba:
        if (decode_modrm_reg(raw) < 4)
            v->flags |= CPU_INSN_INVALID;
        else if (decode_modrm_reg(raw) > 4 && decode_is_mem(raw))
            v->flags |= CPU_INSN_WRITES_MEM;
        break;
    default: /* C7 */
        classify_0fc7(raw, v);
        break;
    }
}

static void classify_0f38(const struct decode_raw *raw, struct verdict *v)
{
    if (raw->opcode <= 0x82) { /* 80..82: INVEPT INVVPID INVPCID */
        if (raw->p66 && decode_is_mem(raw))
            special(v, raw->opcode == 0x82 ? CPU_KIND_INVPCID : CPU_KIND_VMX);
        else
            v->flags |= CPU_INSN_INVALID;
    } else if (decode_is_mem(raw)) {
        if (raw->opcode == 0xf1 && raw->rep != 0xf2) /* MOVBE; with F2 CRC32 */
            v->flags |= CPU_INSN_WRITES_MEM;
        else if (raw->opcode == 0xf8 || raw->opcode == 0xf9 || raw->opcode == 0xf5)
            v->flags |= CPU_INSN_WRITES_MEM; /* MOVDIR64B MOVDIRI WRUSS */
        else if (raw->opcode == 0xf6 && !raw->p66 && !raw->rep)
            v->flags |= CPU_INSN_WRITES_MEM; /* WRSS; else ADCX ADOX */
    }
}

/* LOCK: the read-modify-write instructions with a memory destination, else #UD. */
static bool lock_allowed(const struct decode_raw *raw)
{
    unsigned reg = decode_modrm_reg(raw);

    if (!decode_is_mem(raw))
        return false;
    if (raw->map == DECODE_MAP_0F) {
        if (raw->opcode == 0xba)
            return reg > 4;
        if (raw->opcode == 0xc7)
            return reg == 1;
    }
    if (!(raw->attr & ATTR_LOCK))
        return false;
    if (raw->map != DECODE_MAP_1)
        return true;
    switch (raw->opcode) {
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83:
        return reg != 7;
    case 0xf6:
    case 0xf7:
        return reg == 2 || reg == 3;
    case 0xfe:
    case 0xff:
        return reg < 2;
    default:
        return true;
    }
}

static void classify_more(const struct decode_raw *raw, struct verdict *v)
{
    uint8_t op = raw->opcode;

    switch (raw->map) {
    case DECODE_MAP_1:
        if (op < 0x84)
            classify_low(raw, v);
        else if (op < 0xd0)
            classify_8x_to_cx(raw, v);
        else
            classify_high(raw, v);
        break;
    case DECODE_MAP_0F:
        if (op < 0x40 && op != 0x2b)
            classify_0f_low(raw, v);
        else
            classify_0f_high(raw, v);
        break;
    case DECODE_MAP_0F38:
        classify_0f38(raw, v);
        break;
    default: /* VEX; nothing in 0F 3A */
        special(v, CPU_KIND_VEX);
        break;
    }
}

/* Outside 64-bit mode segments have limits and types: the run loop wants to know when a segment
 * register changes, and where FS and GS, often null, are used. */
static void classify_segments(const struct decode_raw *raw, struct verdict *v)
{
    if (v->flags & CPU_INSN_INVALID)
        return;
    if (raw->segment != DECODE_NO_SEG && raw->segment >= CPU_FS)
        v->flags |= CPU_INSN_FSGS;
    if (v->kind != CPU_KIND_OTHER || v->flags & CPU_INSN_FAR)
        return;
    if (v->flags & CPU_INSN_SYSTABLE && !(raw->map == DECODE_MAP_0F && raw->opcode < 4))
        special(v, CPU_KIND_SEGMENT); /* VERR VERW LAR LSL load nothing */
    if (raw->segment == CPU_CS && v->flags & CPU_INSN_WRITES_MEM && decode_is_mem(raw))
        special(v, CPU_KIND_SEGMENT); /* CS is never writable */
}

uint32_t decode_classify(const struct decode_raw *raw, enum cpu_insn_kind *kind)
{
    struct verdict v = {0, CPU_KIND_OTHER};
    uint32_t attr = raw->attr;

    if (attr & ATTR_WA || (attr & ATTR_WM && decode_is_mem(raw)))
        v.flags |= CPU_INSN_WRITES_MEM;
    if (attr & ATTR_BR)
        v.flags |= CPU_INSN_BRANCH;
    if (attr & ATTR_SYSTAB)
        v.flags |= CPU_INSN_SYSTABLE;
    if (attr & ATTR_X)
        v.flags = CPU_INSN_INVALID;
    else if (attr & ATTR_MORE)
        classify_more(raw, &v);
    if (raw->mode != CPU_MODE_64)
        classify_segments(raw, &v);
    if (v.kind == CPU_KIND_OTHER && !(v.flags & CPU_INSN_INVALID) && decode_loses_flags(raw))
        special(&v, raw->map == DECODE_MAP_0F ? CPU_KIND_SETCC : CPU_KIND_FLAGS);
    if (decode_feature(raw) != CPU_INSN_FEATURES && !(v.flags & CPU_INSN_INVALID)) {
        v.flags |= CPU_INSN_OPTIONAL;
        if (v.kind == CPU_KIND_OTHER)
            v.kind = CPU_KIND_OPTIONAL;
    }
    if (v.flags & CPU_INSN_WRITES_MEM && decode_is_mem(raw) && decode_modifies(raw))
        v.flags |= CPU_INSN_MODIFIES_MEM;
    if (raw->lock && v.kind != CPU_KIND_VEX && !(v.flags & CPU_INSN_INVALID) && !lock_allowed(raw))
        special(&v, CPU_KIND_LOCK_UD);
    if (decode_names_rsp(raw))
        v.flags |= CPU_INSN_NAMES_RSP;
    *kind = v.kind;
    return v.flags;
}
