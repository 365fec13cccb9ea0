/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random guests: see guest_gen.h. */
#include "tests/fuzz/guest_gen.h"

#include <string.h>

#include "sim/base/rng.h"

#define LOW_CODE   0x20000u
#define GDT_AT     0x104000u
#define IDT_AT     0x105000u
#define TSS_AT     0x106000u
#define HANDLERS   0x10a000u
#define COUNTER_AT 0x10bff0u
#define TABLES_AT  0x110000u
#define STACK0_TOP 0x124000u
#define STACK3_TOP 0x128000u
#define CODE_AT    0x130000u
#define CODE_BYTES 0x4000u
#define DATA_AT    0x140000u

/* selectors */
enum {
    SEL_CODE32 = 0x08, SEL_DATA = 0x10, SEL_TARGET0 = 0x18, SEL_DATA16 = 0x20,
    SEL_TARGET3 = 0x28, SEL_DATA3 = 0x30, SEL_TSS = 0x38, SEL_CODE64 = 0x48, SEL_LDT = 0x50,
    SEL_TSS2 = 0x60, SEL_GATE = 0x70, SEL_FREE = 0x80, GDT_BYTES = 0x100,
};

struct gen {
    struct base_rng rng;
    struct mmu_ram *ram;
    struct guest_facts facts;
    unsigned cpus;
    uint32_t at; /* where the next byte of code goes */
    unsigned bits; /* of the code that is being made */
};

const char *guest_mode_name(enum guest_mode mode)
{
    static const char *const name[GUEST_MODES] = {
        "real", "vm86", "pm16", "pm32", "compat16", "compat32", "long"};

    return name[mode];
}

static uint64_t rnd(struct gen *g)
{
    return base_rng_next(&g->rng);
}

static unsigned below(struct gen *g, unsigned n)
{
    return (unsigned)((rnd(g) >> 32) * n >> 32);
}

static bool one_in(struct gen *g, unsigned n)
{
    return below(g, n) == 0;
}

static void store(struct gen *g, uint32_t pa, const void *data, size_t size)
{
    mmu_ram_write(g->ram, GPA(pa), data, size);
}

static void store64(struct gen *g, uint32_t pa, uint64_t value)
{
    store(g, pa, &value, 8);
}

static void store32(struct gen *g, uint32_t pa, uint32_t value)
{
    store(g, pa, &value, 4);
}

/* ---- numbers worth trying ---- */

static uint64_t any_address(struct gen *g)
{
    static const uint64_t base[] = {
        CODE_AT, CODE_AT, DATA_AT, DATA_AT, DATA_AT, 0x200000, STACK0_TOP, STACK3_TOP, TABLES_AT,
        TABLES_AT + 0x3000, TABLES_AT + 0x9000, IDT_AT, GDT_AT, TSS_AT, HANDLERS, 0, LOW_CODE,
        0x9fc00, 0xa0000, 0xf0000, GUEST_RAM_BYTES - 8, GUEST_RAM_BYTES, 0x400000, 0x600000,
        0x800000, 0x40000000, 0x80000000, 0xc0000000, 0xe0000000, 0xfec00000, 0xfee00000,
        0xfee00000, 0xfffff000, 0xfffffff8, 0x100000000, 0x00007ffffffffff8, 0x0000800000000000,
        0xffff800000130000, 0xffff800000140000, 0xffffffff80140000, 0xfffffffffffffff8,
    };
    uint64_t a = base[below(g, ARRAY_LEN(base))];

    switch (below(g, 4)) {
    case 0:
        return a;
    case 1:
        return a + below(g, 0x1000);
    case 2:
        return a + (below(g, 0x400) & ~7u);
    default:
        return a + below(g, 16) * 0x1000 - below(g, 16);
    }
}

/* Mostly RAM: many a guest ends at device memory. */
static uint64_t address(struct gen *g)
{
    uint64_t a = any_address(g);

    return a < GUEST_RAM_BYTES || one_in(g, 4) ? a : DATA_AT + (a & 0xfff);
}

static uint64_t number(struct gen *g)
{
    switch (below(g, 8)) {
    case 0:
        return rnd(g);
    case 1:
        return below(g, 256);
    case 2:
        return 1ull << below(g, 64);
    case 3:
        return (1ull << below(g, 64)) - 1;
    case 4:
        return ~(1ull << below(g, 64));
    default:
        return address(g);
    }
}

/* ---- code ---- */

static void byte(struct gen *g, unsigned value)
{
    uint8_t b = (uint8_t)value;

    store(g, g->at++, &b, 1);
}

static void bytes(struct gen *g, uint64_t value, unsigned size)
{
    store(g, g->at, &value, size);
    g->at += size;
}

static void op(struct gen *g, const char *text, size_t size)
{
    store(g, g->at, text, size);
    g->at += (uint32_t)size;
}
#define OP(g, text) op(g, text, sizeof(text) - 1)

static void prefix32(struct gen *g)
{
    if (g->bits == 16)
        byte(g, 0x66);
}

/* mov REG, imm */
static void load_reg(struct gen *g, unsigned reg, uint64_t value)
{
    if (g->bits == 64 && !one_in(g, 3)) {
        byte(g, 0x48 | (reg >> 3));
        byte(g, 0xb8 | (reg & 7));
        bytes(g, value, 8);
        return;
    }
    prefix32(g);
    byte(g, 0xb8 | (reg & 7));
    bytes(g, value, 4);
}

static void load_some_reg(struct gen *g)
{
    unsigned reg = below(g, g->bits == 64 ? 16 : 8);

    if (reg == 4)
        load_reg(g, 4, (one_in(g, 4) ? address(g) : one_in(g, 2) ? STACK0_TOP : STACK3_TOP) & ~15ull);
    else
        load_reg(g, reg, number(g));
}

/* ModRM with whatever belongs to it; @reg: of the reg field. */
static void modrm(struct gen *g, unsigned reg)
{
    bool small = g->bits == 16;
    unsigned how = below(g, 6);

    if (how == 0) { /* register */
        byte(g, 0xc0 | (reg & 7) << 3 | below(g, 8));
    } else if (how == 1) { /* absolute */
        uint64_t a = address(g);

        if (g->bits == 64) {
            byte(g, 0x04 | (reg & 7) << 3);
            byte(g, 0x25);
        } else {
            byte(g, (small ? 0x06 : 0x05) | (reg & 7) << 3);
        }
        bytes(g, a, small ? 2 : 4);
    } else if (how == 2) { /* near here: rip-relative, self-modifying */
        if (g->bits == 64) {
            byte(g, 0x05 | (reg & 7) << 3);
            bytes(g, (uint64_t)(int64_t)((int)below(g, 64) - 16), 4);
        } else {
            byte(g, (small ? 0x06 : 0x05) | (reg & 7) << 3);
            bytes(g, g->at + below(g, 32), small ? 2 : 4);
        }
    } else { /* [reg + disp8] */
        unsigned rm = below(g, 8);

        byte(g, 0x40 | (reg & 7) << 3 | rm);
        if (rm == 4 && !small)
            byte(g, below(g, 256));
        byte(g, below(g, 256));
    }
}

static void some_prefixes(struct gen *g)
{
    static const uint8_t prefix[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    while (one_in(g, 5))
        byte(g, prefix[below(g, sizeof(prefix))]);
    if (g->bits == 64 && one_in(g, 3))
        byte(g, 0x40 | below(g, 16));
}

static unsigned port(struct gen *g)
{
    static const uint16_t base[] = {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61,
                                    0x64, 0x70, 0x71, 0x80, 0x92, 0xe9, 0x3f8, 0x3f9, 0x3fa, 0x3fb,
                                    0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x4d0, 0x4d1, 0x600, 0x602, 0x604,
                                    0x608, 0xcf8, 0xcfc, 0xcfd, 0xcfe, 0xcff};

    if (one_in(g, 6))
        return below(g, 0x10000);
    return base[below(g, ARRAY_LEN(base))];
}

static void port_access(struct gen *g)
{
    static const uint8_t insn[] = {0xec, 0xed, 0xee, 0xee, 0xef, 0x6c, 0x6d, 0x6e, 0x6f};
    unsigned which = below(g, sizeof(insn) + 2);

    if (which >= sizeof(insn)) {
        byte(g, one_in(g, 2) ? 0xe6 : 0xe4);
        byte(g, port(g));
        return;
    }
    load_reg(g, 2, port(g));
    if (insn[which] >= 0xee && one_in(g, 2)) {
        load_reg(g, 0, number(g));
    } else if (insn[which] < 0x70) {
        load_reg(g, 6 + below(g, 2), address(g));
        if (one_in(g, 2)) {
            load_reg(g, 1, below(g, 20));
            byte(g, one_in(g, 2) ? 0xf3 : 0xf2);
        }
    }
    if (one_in(g, 4))
        byte(g, 0x66);
    byte(g, insn[which]);
}

static void device_memory(struct gen *g)
{
    uint32_t pa = one_in(g, 4) ? 0xfec00000 + 0x10 * below(g, 6) : 0xfee00000 + 0x10 * below(g, 0x40);

    load_reg(g, 7, one_in(g, 8) ? pa + below(g, 0x1000) : pa);
    load_reg(g, 6, one_in(g, 4) ? pa : DATA_AT);
    load_reg(g, 0, number(g));
    some_prefixes(g);
    switch (below(g, 20)) {
    default:
        OP(g, "\x89\x07"); /* mov [rdi], eax */
        break;
    case 2:
        OP(g, "\x8b\x07");
        break;
    case 3:
        OP(g, "\xf3\xa5");
        break;
    case 4:
        OP(g, "\xf3\xab");
        break;
    case 5: { /* some operation on [rdi] */
        static const uint8_t o[] = {0x01, 0x09, 0x21, 0x31, 0x39, 0x87, 0x86, 0x03, 0x85, 0xff, 0xf7};

        byte(g, o[below(g, sizeof(o))]);
        byte(g, 0x07 | below(g, 8) << 3);
        break;
    }
    case 6:
        byte(g, 0x0f);
        byte(g, below(g, 256));
        byte(g, 0x07 | below(g, 8) << 3);
        break;
    case 7:
        byte(g, below(g, 256));
        byte(g, 0x07 | below(g, 8) << 3);
        bytes(g, rnd(g), below(g, 5));
        break;
    }
}

static void model_register(struct gen *g)
{
    static const uint32_t msr[] = {
        0x10, 0x1b, 0x3a, 0x3b, 0x48, 0xfe, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x1a0, 0x200, 0x250,
        0x268, 0x277, 0x2ff, 0x6e0, 0x800, 0x830, 0xc0000080, 0xc0000080, 0xc0000081, 0xc0000082,
        0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0x40000000};
    uint64_t value = number(g);

    load_reg(g, 1, one_in(g, 8) ? rnd(g) : msr[below(g, ARRAY_LEN(msr))]);
    if (one_in(g, 3)) {
        OP(g, "\x0f\x32");
        return;
    }
    load_reg(g, 0, value);
    load_reg(g, 2, value >> 32);
    OP(g, "\x0f\x30");
}

static void control_register(struct gen *g)
{
    static const uint8_t cr[] = {0, 2, 3, 3, 4, 8};
    unsigned n = cr[below(g, sizeof(cr))], reg = below(g, 4);

    if (n == 3)
        load_reg(g, reg, one_in(g, 3) ? number(g) : TABLES_AT + 0x1000ull * below(g, 16));
    else if (n == 0)
        load_reg(g, reg, one_in(g, 4) ? number(g) : 0x80000011 ^ (1ull << below(g, 32)));
    else if (one_in(g, 4))
        load_reg(g, reg, number(g));
    else {
        byte(g, 0x0f);
        byte(g, 0x20);
        byte(g, 0xc0 | (n & 7) << 3 | reg);
    }
    if (n == 8)
        byte(g, g->bits == 64 ? 0x44 : 0xf0);
    byte(g, 0x0f);
    byte(g, one_in(g, 3) ? 0x20 : 0x22);
    byte(g, 0xc0 | (n & 7) << 3 | reg);
}

static void debug_register(struct gen *g)
{
    unsigned n = below(g, 8), reg = below(g, 4);

    load_reg(g, reg, n < 4 ? address(g) : number(g));
    byte(g, 0x0f);
    byte(g, one_in(g, 3) ? 0x21 : 0x23);
    byte(g, 0xc0 | n << 3 | reg);
}

static void flags(struct gen *g)
{
    uint32_t value = one_in(g, 3) ? (uint32_t)rnd(g) : 0x202 | 1u << below(g, 22);

    if (one_in(g, 3))
        byte(g, 0x9c);
    if (g->bits == 16)
        byte(g, 0x66);
    byte(g, 0x68);
    bytes(g, value, 4);
    if (g->bits == 16)
        byte(g, 0x66);
    byte(g, 0x9d);
}

static void transfer(struct gen *g)
{
    static const uint16_t sel[] = {SEL_CODE32, SEL_TARGET0, SEL_TARGET3 | 3, SEL_CODE64, SEL_GATE,
                                   SEL_TSS2, SEL_FREE, SEL_FREE + 8, SEL_DATA};
    unsigned s = one_in(g, 6) ? (unsigned)rnd(g) & 0xffff : sel[below(g, ARRAY_LEN(sel))];

    switch (below(g, 12)) {
    case 0:
        OP(g, "\x0f\x05");
        break;
    case 1:
        OP(g, "\x0f\x34");
        break;
    case 2:
        OP(g, "\x0f\x35");
        break;
    case 3:
        if (g->bits == 64)
            byte(g, 0x48);
        OP(g, "\x0f\x07");
        break;
    case 4:
        byte(g, 0xcd);
        byte(g, one_in(g, 2) ? below(g, 32) : below(g, 256));
        break;
    case 5:
        byte(g, "\xcc\xce\xf1\xcf\xcb\xc3\x62"[below(g, 7)]);
        break;
    case 6: /* far jump or call */
        if (g->bits == 64) {
            modrm(g, 0);
            break;
        }
        byte(g, one_in(g, 2) ? 0xea : 0x9a);
        bytes(g, g->at + 4, g->bits / 8);
        bytes(g, s, 2);
        break;
    case 7: /* iret to here or near */
        if (g->bits != 32)
            break;
        byte(g, 0x68);
        bytes(g, 0x202 | (one_in(g, 4) ? 1u << below(g, 22) : 0), 4);
        byte(g, 0x68);
        bytes(g, s, 4);
        byte(g, 0x68);
        bytes(g, g->at + 5, 4);
        byte(g, 0xcf);
        break;
    case 8: /* segment load */
        load_reg(g, 0, s | below(g, 4));
        byte(g, 0x8e);
        byte(g, 0xc0 | below(g, 6) << 3);
        break;
    case 9:
        byte(g, "\x70\x75\x7c\xe0\xe2\xe3\xeb"[below(g, 7)]);
        byte(g, below(g, 40) - 10);
        break;
    case 10:
        byte(g, 0xe8);
        bytes(g, below(g, 40), g->bits == 16 ? 2 : 4);
        break;
    default:
        byte(g, 0xff);
        modrm(g, 2 + below(g, 4));
    }
}

static void system_table(struct gen *g)
{
    switch (below(g, 6)) {
    case 0:
        OP(g, "\x0f\x01");
        modrm(g, below(g, 8)); /* SGDT SIDT LGDT LIDT SMSW LMSW INVLPG */
        break;
    case 1:
        load_reg(g, 0, below(g, GDT_BYTES));
        OP(g, "\x0f\x00");
        modrm(g, below(g, 8)); /* SLDT STR LLDT LTR VERR VERW */
        break;
    case 2:
        OP(g, "\x0f\x01");
        byte(g, 0xc0 | below(g, 64)); /* SWAPGS RDTSCP MONITOR XGETBV CLAC .. */
        break;
    case 3:
        load_reg(g, 0, address(g));
        OP(g, "\x0f\x01\x38"); /* invlpg [eax] */
        break;
    case 4:
        byte(g, 0x0f);
        byte(g, 2 + below(g, 2)); /* LAR LSL */
        modrm(g, below(g, 8));
        break;
    default:
        OP(g, "\x0f\xae");
        modrm(g, below(g, 8)); /* FXSAVE .. XSAVE CLFLUSH, FSGSBASE */
    }
}

static void simple(struct gen *g)
{
    static const char *const insn[] = {
        "\xf4", "\xfb\xf4", "\xfa", "\xfb", "\xfb", "\x0f\xa2", "\x0f\x31", "\x0f\x01\xf9", "\x0f\x06",
        "\x0f\x09", "\x0f\x08", "\xf3\x90", "\x90", "\x9c", "\x9d", "\x9b", "\xdb\xe3", "\xd9\xe8",
        "\x0f\x77", "\x0f\x0b", "\x0f\xaa", "\x0f\x33", "\x0f\xc7\xf0", "\x0f\xc7\xf8", "\x17", "\x07",
        "\x60", "\x61", "\xc8\x10\x01\x02", "\xc9", "\xfc", "\xfd", "\xd7", "\x27", "\xd4\x01", "\x98",
    };
    const char *s = insn[below(g, ARRAY_LEN(insn))];

    op(g, s, strlen(s));
}

static void string(struct gen *g)
{
    static const uint8_t o[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

    load_reg(g, 1, one_in(g, 6) ? number(g) : below(g, 200));
    load_reg(g, 6, address(g));
    load_reg(g, 7, one_in(g, 3) ? g->at + below(g, 64) : address(g));
    byte(g, one_in(g, 2) ? 0xf3 : 0xf2);
    if (g->bits == 64 && one_in(g, 2))
        byte(g, 0x48);
    byte(g, o[below(g, sizeof(o))]);
}

static void arithmetic(struct gen *g)
{
    static const uint8_t o[] = {0x00, 0x01, 0x03, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x84, 0x85,
                                0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0x8f, 0xd1, 0xd3, 0xf6, 0xf7,
                                0xfe, 0xff, 0x63, 0x69, 0x6b, 0x80, 0x81, 0x83, 0xc0, 0xc1, 0xc6, 0xc7};
    unsigned which = o[below(g, sizeof(o))];

    some_prefixes(g);
    byte(g, which);
    modrm(g, below(g, 8));
    if (which == 0x69 || which == 0x81 || which == 0xc7)
        bytes(g, number(g), g->bits == 16 ? 2 : 4);
    else if (which == 0x6b || which == 0x80 || which == 0x83 || (which & 0xfe) == 0xc0 || which == 0xc6)
        byte(g, below(g, 256));
}

static void two_byte(struct gen *g)
{
    some_prefixes(g);
    byte(g, 0x0f);
    if (one_in(g, 8)) {
        byte(g, one_in(g, 2) ? 0x38 : 0x3a);
    }
    byte(g, below(g, 256));
    modrm(g, below(g, 8));
    if (one_in(g, 3))
        byte(g, below(g, 256));
}

static void instruction(struct gen *g)
{
    switch (below(g, 24)) {
    case 0:
        port_access(g);
        break;
    case 1:
        device_memory(g);
        break;
    case 2:
        model_register(g);
        break;
    case 3:
        control_register(g);
        break;
    case 4:
        debug_register(g);
        break;
    case 5:
        flags(g);
        break;
    case 6:
    case 7:
        transfer(g);
        break;
    case 8:
        system_table(g);
        break;
    case 9:
    case 10:
        simple(g);
        break;
    case 11:
        string(g);
        break;
    case 12:
    case 13:
        two_byte(g);
        break;
    case 14: /* x87 and LOCK forms */
        byte(g, 0xd8 | below(g, 8));
        modrm(g, below(g, 8));
        break;
    case 15:
        bytes(g, rnd(g), 1 + below(g, 8));
        break;
    case 16:
    case 17:
    case 18:
        load_some_reg(g);
        break;
    default:
        arithmetic(g);
    }
}

static void code(struct gen *g, uint32_t at, uint32_t size, unsigned bits)
{
    bool plain = one_in(g, 8); /* only random bytes */

    g->at = at;
    g->bits = bits;
    while (g->at + 64 < at + size) {
        if (plain)
            bytes(g, rnd(g), 8);
        else
            instruction(g);
    }
}

/* ---- tables ---- */

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t type)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(type & 0xff) << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(type >> 8 & 15) << 52 |
           (uint64_t)(base >> 24) << 56;
}

static bool is_long(const struct gen *g)
{
    return g->facts.mode >= GUEST_COMPAT16;
}

static void make_gdt(struct gen *g)
{
    static const uint16_t width[GUEST_MODES] = {0x000, 0x000, 0x000, 0xc00, 0x000, 0xc00, 0xa00};
    unsigned w = width[g->facts.mode];
    uint32_t base = w == 0 ? CODE_AT : 0, limit = w == 0 ? 0xffff : 0xfffff;

    store64(g, GDT_AT + SEL_CODE32, descriptor(0, 0xfffff, 0xc9b));
    store64(g, GDT_AT + SEL_DATA, descriptor(0, 0xfffff, 0xc93));
    store64(g, GDT_AT + SEL_TARGET0, descriptor(base, limit, w | 0x9b));
    store64(g, GDT_AT + SEL_DATA16, descriptor(DATA_AT, 0xffff, 0x093));
    store64(g, GDT_AT + SEL_TARGET3, descriptor(base, limit, w | 0xfb));
    store64(g, GDT_AT + SEL_DATA3, descriptor(0, 0xfffff, 0xcf3));
    store64(g, GDT_AT + SEL_TSS, descriptor(TSS_AT, 0x2fff, is_long(g) || !one_in(g, 8) ? 0x89 : 0x81));
    store64(g, GDT_AT + SEL_TSS + 8, 0);
    store64(g, GDT_AT + SEL_CODE64, descriptor(0, 0xfffff, 0xa9b));
    store64(g, GDT_AT + SEL_LDT, descriptor(GDT_AT, GDT_BYTES - 1, 0x82));
    store64(g, GDT_AT + SEL_LDT + 8, 0);
    store64(g, GDT_AT + SEL_TSS2, descriptor(TSS_AT + 0x2000, 0xfff, 0x89 | below(g, 4) << 5));
    store64(g, GDT_AT + SEL_TSS2 + 8, 0);
    store64(g, GDT_AT + SEL_GATE,
            (HANDLERS & 0xffff) | (uint64_t)(is_long(g) ? SEL_CODE64 : SEL_CODE32) << 16 |
                (uint64_t)(0xec00 | below(g, 4)) << 32 | (uint64_t)(HANDLERS >> 16) << 48);
    store64(g, GDT_AT + SEL_GATE + 8, 0);
    for (uint32_t s = SEL_FREE; s < GDT_BYTES; s += 8)
        store64(g, GDT_AT + s,
                one_in(g, 2) ? rnd(g)
                             : descriptor((uint32_t)address(g), (uint32_t)rnd(g) & 0xfffff,
                                          (uint32_t)(rnd(g) & 0xf7f) | 0x80));
}

static bool has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* The handlers: four kinds for each of "no error code" and "error code", 64 bytes apart. */
enum { KIND_SKIP, KIND_JUMP, KIND_RETURN, KIND_EOI, KINDS };

static void make_handlers(struct gen *g)
{
    bool wide = is_long(g);

    g->bits = wide ? 64 : 32;
    for (unsigned i = 0; i < 2 * KINDS; i++) {
        g->at = HANDLERS + i * 64;
        if (i >= KINDS) { /* drop the error code */
            if (wide)
                byte(g, 0x48);
            OP(g, "\x83\xc4");
            byte(g, wide ? 8 : 4);
        }
        switch (i % KINDS) {
        case KIND_SKIP: /* add [sp], 1 */
            if (wide)
                byte(g, 0x48);
            OP(g, "\x83\x04\x24\x01");
            break;
        case KIND_JUMP: /* a pseudo-random place in the code */
            OP(g, "\x50\x8b\x04\x25"); /* the SIB form is the same in both */
            bytes(g, COUNTER_AT, 4);
            OP(g, "\x69\xc0\xfd\x43\x03\x00\x05\xc3\x9e\x26\x00\x89\x04\x25");
            bytes(g, COUNTER_AT, 4);
            OP(g, "\xc1\xe8\x12"); /* shr eax, 18: 14 bits */
            if (g->facts.mode == GUEST_PM32 || g->facts.mode >= GUEST_COMPAT32) {
                byte(g, 0x05);
                bytes(g, CODE_AT, 4);
            }
            if (wide)
                byte(g, 0x48);
            OP(g, "\x89\x44\x24");
            byte(g, wide ? 8 : 4);
            byte(g, 0x58);
            break;
        case KIND_EOI:
            OP(g, "\x50\x31\xc0\x89\x04\x25\xb0\x00\xe0\xfe\xb0\x20\xe6\x20\x58");
            break;
        }
        if (wide)
            byte(g, 0x48);
        byte(g, 0xcf);
    }
    store32(g, COUNTER_AT, (uint32_t)rnd(g));
}

static unsigned handler_kind(struct gen *g, unsigned vector)
{
    if (one_in(g, 64))
        return KIND_RETURN;
    if (vector >= 32)
        return one_in(g, 3) ? KIND_RETURN : KIND_EOI;
    if (vector == 1 || vector == 2 || vector == 3 || vector == 4)
        return KIND_RETURN;
    return vector == 14 || one_in(g, 3) ? KIND_JUMP : KIND_SKIP;
}

static void make_idt(struct gen *g)
{
    bool wild = one_in(g, 10), ist = !one_in(g, 3);

    for (unsigned v = 0; v < 256; v++) {
        uint32_t target = HANDLERS + 64 * (handler_kind(g, v) + (has_error_code(v) ? KINDS : 0));
        uint32_t at = IDT_AT + v * (is_long(g) ? 16 : 8);
        unsigned type = 0x8e | below(g, 2) | (one_in(g, 2) ? 0x60 : 0);
        unsigned sel = is_long(g) ? SEL_CODE64 : SEL_CODE32;

        if (one_in(g, 128))
            target = (uint32_t)address(g);
        if (one_in(g, 128)) {
            static const uint8_t odd[] = {0x85, 0x86, 0x87, 0x0e, 0x8c, 0xee};

            type = odd[below(g, sizeof(odd))];
            if (type == 0x85)
                sel = SEL_TSS2;
        }
        if (one_in(g, 200))
            sel = (unsigned)rnd(g) & 0xffff;
        store64(g, at,
                (target & 0xffff) | (uint64_t)sel << 16 |
                    (uint64_t)(is_long(g) && ist ? 1 + v % 7 : 0) << 32 | (uint64_t)type << 40 |
                    (uint64_t)(target >> 16) << 48);
        if (is_long(g))
            store64(g, at + 8, one_in(g, 200) ? rnd(g) : 0);
        if (wild && one_in(g, 3))
            store64(g, at, rnd(g));
    }
}

static void make_tss(struct gen *g)
{
    for (uint32_t i = 0; i < 0x68; i += 4)
        store32(g, TSS_AT + 0x2000 + i, one_in(g, 2) ? (uint32_t)address(g) : 0);
    store32(g, TSS_AT + 0x2000 + 0x20, CODE_AT);
    store32(g, TSS_AT + 0x2000 + 0x24, 0x202);
    store32(g, TSS_AT + 0x2000 + 0x38, STACK0_TOP - 0x800);
    for (uint32_t i = 0; i < 6; i++)
        store32(g, TSS_AT + 0x2000 + 0x48 + 4 * i, i == 1 ? SEL_CODE32 : SEL_DATA);
    if (is_long(g)) {
        for (uint32_t i = 0; i < 11; i++)
            store64(g, TSS_AT + 4 + 8 * i,
                    one_in(g, 40) ? address(g) : STACK0_TOP - 0x100 * (i + 1));
    } else {
        for (uint32_t i = 0; i < 3; i++) {
            store32(g, TSS_AT + 4 + 8 * i, one_in(g, 40) ? (uint32_t)address(g) : STACK0_TOP - 0x100);
            store32(g, TSS_AT + 8 + 8 * i, SEL_DATA | (one_in(g, 40) ? below(g, 4) : 0));
        }
        store32(g, TSS_AT + 0x1c, (uint32_t)address(g)); /* CR3 for task switches */
    }
    store32(g, TSS_AT + 0x64, one_in(g, 4) ? (uint32_t)rnd(g) << 16 : 0x68u << 16);
    for (uint32_t i = 0; i < 0x2000; i += 8)
        store64(g, TSS_AT + 0x68 + i, one_in(g, 2) ? 0 : rnd(g));
}

/* ---- paging ---- */

#define T(n) (TABLES_AT + 0x1000u * (n))

static uint64_t leaf_flags(struct gen *g, bool pae)
{
    uint64_t flags = 7 | (rnd(g) & 0x160);

    if (one_in(g, 16))
        flags ^= 1ull << below(g, 9);
    if (pae && one_in(g, 24))
        flags |= 1ull << 63;
    return flags & ~0x80ull;
}

/* Some page of the guest's, or a device's, or none's. */
static uint64_t some_frame(struct gen *g)
{
    switch (below(g, 40)) {
    case 0:
        return 0xfee00000;
    case 1:
    case 2:
    case 3:
        return T(below(g, 12));
    case 4:
    case 5:
    case 6:
        return CODE_AT + 0x1000ull * below(g, 4);
    case 7:
        return rnd(g) & 0xfffff000;
    default:
        return 0x1000ull * below(g, GUEST_RAM_BYTES >> 12);
    }
}

static void make_wide_tables(struct gen *g)
{
    bool legacy = !is_long(g);
    uint64_t dir = legacy ? 1 : 7;

    store64(g, T(0), T(1) | 7);
    store64(g, T(0) + 256 * 8, T(1) | 7);
    store64(g, T(0) + 511 * 8, (one_in(g, 2) ? T(0) : T(1)) | 7);
    for (unsigned i = 0; i < 6; i++)
        store64(g, T(0) + 8 * (1 + below(g, 500)), one_in(g, 3) ? rnd(g) : T(below(g, 8)) | 7);
    store64(g, T(1), T(2) | dir);
    store64(g, T(1) + 3 * 8, T(6) | dir);
    if (!legacy) {
        store64(g, T(1) + 8, 0x87);
        store64(g, T(1) + 2 * 8, rnd(g) & ~0x7e00000000000ull);
        store64(g, T(1) + 510 * 8, T(2) | 7);
    }
    store64(g, T(2), T(3) | 7);
    store64(g, T(2) + 8, T(4) | 7);
    store64(g, T(2) + 2 * 8, 0x87);
    store64(g, T(2) + 3 * 8, 0x200087 | (one_in(g, 3) ? 1ull << below(g, 64) : 0));
    store64(g, T(2) + 4 * 8, T(7) | 7);
    for (unsigned i = 5; i < 12; i++)
        store64(g, T(2) + i * 8, rnd(g) & 0xffffffffull);
    for (unsigned i = 0; i < 1024; i++)
        store64(g, T(3) + i * 8, 0x1000ull * i | leaf_flags(g, true));
    for (unsigned i = 0; i < 512; i++)
        store64(g, T(6) + i * 8, (0xc0000000ull + 0x200000ull * i) | 0x87);
    for (unsigned i = 0; i < 512; i++)
        store64(g, T(7) + i * 8, some_frame(g) | leaf_flags(g, true));
    for (uint32_t pa = GUEST_ENTRY; pa < TABLES_AT; pa += 0x1000) /* what set-up needs */
        store64(g, T(3) + pa / 0x1000 * 8, pa | (one_in(g, 8) ? 0x61 : 0x67));
}

static void make_narrow_tables(struct gen *g)
{
    store32(g, T(8), T(9) | 7);
    store32(g, T(8) + 4, 0x87);
    store32(g, T(8) + 2 * 4, T(10) | 7);
    store32(g, T(8) + 3 * 4, (uint32_t)rnd(g));
    store32(g, T(8) + 768 * 4, T(9) | 7);
    store32(g, T(8) + 1019 * 4, 0xfec00087);
    store32(g, T(8) + 1023 * 4, T(8) | 7);
    for (unsigned i = 0; i < 1024; i++) {
        store32(g, T(9) + i * 4, 0x1000u * i | (uint32_t)leaf_flags(g, false));
        store32(g, T(10) + i * 4, (uint32_t)(some_frame(g) | leaf_flags(g, false)));
    }
    for (uint32_t pa = GUEST_ENTRY; pa < TABLES_AT; pa += 0x1000)
        store32(g, T(9) + pa / 0x1000 * 4, pa | (one_in(g, 8) ? 0x61 : 0x67));
}

/* ---- real mode ---- */

static void make_vectors(struct gen *g)
{
    g->bits = 16;
    g->at = LOW_CODE + 0xf000; /* push bp; mov bp, sp; add word [bp+2], 0x3d; and .., 0x1fff */
    OP(g, "\x55\x89\xe5\x83\x46\x02\x3d\x81\x66\x02\xff\x1f\x5d\xcf");
    g->at = LOW_CODE + 0xf020;
    byte(g, 0xcf);
    for (unsigned v = 0; v < 256; v++) {
        uint32_t target = LOW_CODE >> 4 << 16 | (v == 6 || v == 0 || v == 13 ? 0xf000 : 0xf020);

        store32(g, v * 4, one_in(g, 100) ? (uint32_t)rnd(g) : target);
    }
}

/* ---- set-up code ---- */

static void set_msr(struct gen *g, uint32_t msr, uint64_t value)
{
    load_reg(g, 1, msr);
    load_reg(g, 0, value);
    load_reg(g, 2, value >> 32);
    OP(g, "\x0f\x30");
}

static void set_cr(struct gen *g, unsigned n, uint32_t value)
{
    load_reg(g, 0, value);
    byte(g, 0x0f);
    byte(g, 0x22);
    byte(g, 0xc0 | n << 3);
}

static void setup_modes(struct gen *g)
{
    uint32_t cr0 = 0x11, cr4 = 0x600; /* PE ET; OSFXSR OSXMMEXCPT */

    cr4 |= (uint32_t)rnd(g) & 0x9c;
    if (g->facts.paging >= 2)
        cr4 |= 0x20;
    if (g->facts.paging) {
        cr0 |= 0x80000000u;
        set_cr(g, 3, g->facts.paging == 1 ? T(8) : g->facts.paging == 2 ? T(1) : T(0));
    }
    cr0 |= (uint32_t)rnd(g) & 0x50022;
    if (one_in(g, 8))
        cr0 |= 1u << (2 + below(g, 2));
    set_cr(g, 4, cr4);
    if (g->facts.paging >= 2)
        set_msr(g, 0xc0000080, (is_long(g) ? 0x100 : 0) | (one_in(g, 4) ? 0 : 0x800) | below(g, 2));
    set_msr(g, 0xc0000081, (uint64_t)(SEL_TARGET3 - 0x10) << 48 | (uint64_t)SEL_CODE32 << 32 | CODE_AT);
    set_msr(g, 0xc0000082, one_in(g, 4) ? address(g) & 0x7fffffffffff : CODE_AT + below(g, CODE_BYTES));
    set_msr(g, 0xc0000083, CODE_AT + below(g, CODE_BYTES));
    set_msr(g, 0xc0000084, rnd(g) & 0x7fffff);
    set_msr(g, 0x174, SEL_CODE32);
    set_msr(g, 0x175, STACK0_TOP - 0x1000);
    set_msr(g, 0x176, CODE_AT + below(g, CODE_BYTES));
    set_cr(g, 0, cr0);
}

/* INIT and start-up IPIs to the second CPU: it runs the 16-bit code. */
static void setup_other_cpu(struct gen *g)
{
    static const uint32_t icr[] = {0xc4500, 0xc4600 | LOW_CODE >> 12};

    for (unsigned i = 0; i < 2; i++) {
        OP(g, "\xc7\x05\x00\x03\xe0\xfe"); /* mov dword [fee00300], .. */
        bytes(g, icr[i], 4);
    }
}

/* LAPIC timer or PIT, so that interrupts come. */
static void setup_timer(struct gen *g)
{
    OP(g, "\xc7\x05\xf0\x00\xe0\xfe\xff\x01\x00\x00"); /* SVR */
    OP(g, "\xc7\x05\xe0\x03\xe0\xfe\x0b\x00\x00\x00"); /* divide by 1 */
    OP(g, "\xc7\x05\x20\x03\xe0\xfe");
    bytes(g, 0x20030u + below(g, 16), 4);
    OP(g, "\xc7\x05\x80\x03\xe0\xfe");
    bytes(g, 5 + below(g, 300), 4);
}

static void push_imm(struct gen *g, uint32_t value)
{
    byte(g, 0x68);
    bytes(g, value, 4);
}

static void setup_leave(struct gen *g)
{
    bool user = g->facts.ring == 3;
    uint32_t eflags = 2 | (one_in(g, 2) ? 0x200 : 0) | (user ? below(g, 4) << 12 : 0) |
                      (one_in(g, 10) ? 0x100 : 0) | (one_in(g, 10) ? 0x40000 : 0);
    bool small = g->facts.mode == GUEST_PM16 || g->facts.mode == GUEST_COMPAT16;
    uint32_t eip = (small ? 0 : CODE_AT) + (one_in(g, 2) ? 0 : below(g, CODE_BYTES));

    load_reg(g, 4, STACK0_TOP - 0x1000);
    if (g->facts.mode == GUEST_VM86) {
        for (unsigned i = 0; i < 4; i++)
            push_imm(g, LOW_CODE >> 4);
        push_imm(g, LOW_CODE >> 4);
        push_imm(g, 0xe000);
        push_imm(g, eflags | 0x20000);
        push_imm(g, LOW_CODE >> 4);
        push_imm(g, below(g, 0x1000));
        byte(g, 0xcf);
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        if (i != 4)
            load_reg(g, i, number(g));
    if (user) {
        push_imm(g, SEL_DATA3 | 3);
        push_imm(g, STACK3_TOP - below(g, 64));
    }
    push_imm(g, eflags);
    push_imm(g, user ? SEL_TARGET3 | 3 : SEL_TARGET0);
    push_imm(g, eip);
    byte(g, 0xcf);
}

/* From flat 32-bit code through 16-bit protected mode to real mode. */
static void setup_real(struct gen *g)
{
    byte(g, 0xea);
    bytes(g, 0xe800, 4);
    bytes(g, SEL_FREE, 2);
    store64(g, GDT_AT + SEL_FREE, descriptor(LOW_CODE, 0xffff, 0x09b));
    g->at = LOW_CODE + 0xe800;
    g->bits = 16;
    OP(g, "\x66\x31\xc0\x0f\x22\xc0\xea"); /* CR0 = 0, far jump */
    bytes(g, 0xe810, 2);
    bytes(g, LOW_CODE >> 4, 2);
    g->at = LOW_CODE + 0xe810;
    OP(g, "\xb8");
    bytes(g, LOW_CODE >> 4, 2);
    OP(g, "\x8e\xd8\x8e\xc0\x8e\xd0\xbc\x00\xe0"); /* ds es ss; mov sp, 0xe000 */
    if (one_in(g, 2))
        byte(g, 0xfb);
    byte(g, 0xe9);
    bytes(g, below(g, 0x100) - (g->at + 2 - LOW_CODE), 2);
}

static void setup(struct gen *g)
{
    uint32_t gdtr = GUEST_ENTRY + 0xf00, idtr = GUEST_ENTRY + 0xf10;
    uint64_t table = (GDT_BYTES - 1) | (uint64_t)GDT_AT << 16;
    bool real = g->facts.mode == GUEST_REAL;

    store64(g, gdtr, table);
    table = (one_in(g, 20) ? below(g, 0x1000) : is_long(g) ? 0xfff : real ? 0x3ff : 0x7ff) |
            (uint64_t)(real ? 0 : IDT_AT) << 16;
    store64(g, idtr, table);
    g->at = GUEST_ENTRY;
    g->bits = 32;
    OP(g, "\x0f\x01\x15");
    bytes(g, gdtr, 4);
    OP(g, "\x0f\x01\x1d");
    bytes(g, idtr, 4);
    load_reg(g, 4, STACK0_TOP - 0x1000);
    if (!one_in(g, 4)) /* mask the PICs */
        OP(g, "\xb0\xff\xe6\x21\xe6\xa1");
    if (one_in(g, 2))
        setup_timer(g);
    if (g->cpus > 1)
        setup_other_cpu(g);
    if (real) {
        setup_real(g);
        return;
    }
    setup_modes(g);
    load_reg(g, 0, SEL_TSS);
    OP(g, "\x0f\x00\xd8"); /* ltr ax */
    load_reg(g, 0, g->facts.ring == 3 ? SEL_DATA3 | 3 : SEL_DATA);
    OP(g, "\x8e\xd8\x8e\xc0\x8e\xe0\x8e\xe8");
    setup_leave(g);
}

static void choose(struct gen *g)
{
    static const enum guest_mode weighted[] = {
        GUEST_LONG, GUEST_LONG, GUEST_LONG, GUEST_LONG, GUEST_PM32, GUEST_PM32,
        GUEST_PM32, GUEST_COMPAT32, GUEST_COMPAT16, GUEST_PM16, GUEST_VM86, GUEST_REAL};

    g->facts.mode = weighted[below(g, ARRAY_LEN(weighted))];
    g->facts.ring = one_in(g, 2) ? 0 : 3;
    g->facts.paging = below(g, 3);
    if (is_long(g))
        g->facts.paging = 3;
    if (g->facts.mode == GUEST_VM86)
        g->facts.ring = 3;
    if (g->facts.mode == GUEST_REAL)
        g->facts.ring = g->facts.paging = 0;
}

void guest_prepare(struct mmu_ram *ram)
{
    uint8_t page[0x1000];

    memset(page, GUEST_FILL, sizeof(page));
    for (uint32_t pa = 0; pa < GUEST_RAM_BYTES; pa += sizeof(page))
        mmu_ram_write(ram, GPA(pa), page, sizeof(page));
}

struct guest_facts guest_generate(struct mmu_ram *ram, uint64_t seed, unsigned cpus)
{
    static const unsigned bits[GUEST_MODES] = {16, 16, 16, 32, 16, 32, 64};
    static const uint8_t zero[0x1000];
    struct gen g = {.ram = ram, .cpus = cpus};

    base_rng_init(&g.rng, seed, 0);
    choose(&g);
    for (uint32_t pa = TABLES_AT; pa < TABLES_AT + 0x10000; pa += sizeof(zero))
        store(&g, pa, zero, sizeof(zero));
    make_vectors(&g);
    if (g.facts.mode <= GUEST_VM86 || cpus > 1)
        code(&g, LOW_CODE, 0x2000, 16);
    code(&g, CODE_AT, CODE_BYTES, bits[g.facts.mode]);
    make_gdt(&g);
    make_handlers(&g);
    make_idt(&g);
    make_tss(&g);
    make_wide_tables(&g);
    make_narrow_tables(&g);
    for (uint32_t i = 0; i < 0x1000; i += 8)
        store64(&g, DATA_AT + i, number(&g));
    setup(&g);
    return g.facts;
}
