/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device-memory emulator against the library: each instruction runs once on the library's
 * RAM and once through the emulator on a copy, with the same registers; registers, flags, XMM
 * and memory must be equal afterwards.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "sim/base/rng.h"
#include "tests/unit/fake_cpu_env.h"

#define SMALL_MASK 0xff8 /* registers that serve as addresses: 0x400 .. 0x13ff */

/* ---- the two subjects ---- */

static const int gpr_ids[3][16] = {
    [CPU_MODE_16] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX, UC_X86_REG_ESP,
                     UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI},
    [CPU_MODE_32] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX, UC_X86_REG_ESP,
                     UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI},
    [CPU_MODE_64] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP,
                     UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8, UC_X86_REG_R9,
                     UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14,
                     UC_X86_REG_R15},
};

struct duel {
    enum cpu_mode mode;
    unsigned gprs;
    uint64_t code_base, code_size, code_at;
    struct base_rng rng;
    struct cpu *ours;
    uc_engine *theirs;
    uint8_t *their_memory;
    uint8_t code[16];
    struct cpu_insn insn;
    uint64_t before[16], flags_before;
    unsigned ran, skipped;
};

static uint64_t random_below(struct duel *d, uint64_t n)
{
    return base_rng_next(&d->rng) % n;
}

static void set_up(struct duel *d, enum cpu_mode mode)
{
    static const uc_mode modes[3] = {UC_MODE_16, UC_MODE_32, UC_MODE_64};
    uint64_t cr4 = CR4_OSFXSR | 1 << 10;

    memset(d, 0, sizeof(*d));
    d->mode = mode;
    d->gprs = mode == CPU_MODE_64 ? 16 : 8;
    d->code_base = mode == CPU_MODE_16 ? 0xe000 : 0xc0000;
    d->code_size = mode == CPU_MODE_16 ? 0x1000 : 0x20000;
    base_rng_init(&d->rng, 7, mode);
    d->ours = fake_new();
    for (size_t i = 0; i < FAKE_MEMORY_BYTES; i += 8)
        fake_poke(d->ours, i, base_rng_next(&d->rng), 8);
    d->their_memory = g_malloc(FAKE_MEMORY_BYTES);
    memcpy(d->their_memory, d->ours->memory, FAKE_MEMORY_BYTES);
    cr_assert_eq(uc_open(UC_ARCH_X86, modes[mode], &d->theirs), UC_ERR_OK);
    uc_mem_map_ptr(d->theirs, 0, FAKE_MEMORY_BYTES, UC_PROT_ALL, d->their_memory);
    uc_reg_write(d->theirs, UC_X86_REG_CR4, &cr4);
    d->ours->env.cr[4] = cr4;
    d->ours->env.cr[0] = mode == CPU_MODE_16 ? CR0_ET : CR0_ET | CR0_PE;
    d->ours->env.hflags = mode == CPU_MODE_64   ? HF_CS64 | HF_CS32 | HF_PE | HF_LMA
                          : mode == CPU_MODE_32 ? HF_CS32 | HF_SS32 | HF_PE
                                                : 0;
    for (unsigned i = 0; i < 6; i++) {
        d->ours->env.segs[i].limit = mode == CPU_MODE_16 ? 0xffff : 0xffffffff;
        d->ours->env.segs[i].flags = mode == CPU_MODE_16 ? 0x9300 : 0xcf9300;
    }
}

static void tear_down(struct duel *d)
{
    uc_close(d->theirs);
    g_free(d->their_memory);
    g_free(d->ours);
}

static bool is_address_register(const struct duel *d, unsigned reg)
{
    const struct cpu_insn *i = &d->insn;
    bool string = i->kind == CPU_KIND_MOVS || i->kind == CPU_KIND_STOS || i->kind == CPU_KIND_LODS;

    return reg == i->base || reg == i->index || reg == 4 || (string && (reg == 6 || reg == 7));
}

/* Registers: those of the address small, a string's count smaller, the others anything. */
static void random_registers(struct duel *d)
{
    struct cpu_env *env = &d->ours->env;
    bool bit_number = d->insn.kind == CPU_KIND_BT && d->insn.reg != CPU_NO_REG;

    for (unsigned i = 0; i < d->gprs; i++) {
        uint64_t value = base_rng_next(&d->rng);

        if (is_address_register(d, i))
            value = 0x400 + (value & SMALL_MASK);
        else if (bit_number && i == d->insn.reg)
            value &= 0x1fff; /* reaches 1 KiB further */
        else if (i == 1 && (d->insn.rep || d->insn.repne))
            value %= 5;
        else if (i < 4 && random_below(d, 4) == 0 && !bit_number)
            value = value & 1 ? 0x7fffffffffffffff : 0; /* for the flags */
        if (d->mode != CPU_MODE_64)
            value &= 0xffffffff;
        env->regs[i] = d->before[i] = value;
        uc_reg_write(d->theirs, gpr_ids[d->mode][i], &value);
    }
}

static void random_state(struct duel *d)
{
    struct cpu_env *env = &d->ours->env;
    uint64_t flags = 2 | (base_rng_next(&d->rng) & 0x8d5);
    uint64_t rip = d->code_at, fs = 0x2000, gs = 0x3000;

    random_registers(d);
    env->df = random_below(d, 2) ? 1 : -1;
    env->eip = rip;
    env->eflags = d->flags_before = flags | (env->df < 0 ? FLAG_DF : 0);
    uc_reg_write(d->theirs, UC_X86_REG_EFLAGS, &env->eflags);
    if (d->mode == CPU_MODE_64) { /* the library takes them there only */
        env->segs[CPU_FS].base = fs;
        env->segs[CPU_GS].base = gs;
        uc_reg_write(d->theirs, UC_X86_REG_FS_BASE, &fs);
        uc_reg_write(d->theirs, UC_X86_REG_GS_BASE, &gs);
    }
    for (unsigned i = 0; i < d->gprs; i++) {
        uint64_t half[2] = {base_rng_next(&d->rng), base_rng_next(&d->rng)};

        memcpy(d->ours->xmm[i], half, 16);
        uc_reg_write(d->theirs, UC_X86_REG_XMM0 + (int)i, half);
    }
}

/* ---- instructions ---- */

struct shape {
    const char *opcode; /* after the prefixes */
    int extension;      /* ModRM.reg, or -1: any; -2: no ModRM */
    bool lock;
    uint8_t prefix; /* mandatory */
};

/*
 * Not here because the library is wrong: LOCK NEG (it sets the flags from the operand, not from
 * the result; see cpu/decode_kind.c), MOV r/m,imm and POP r/m with REX.R (it raises #UD).
 */
static const struct shape shapes[] = {
    {"\x88", -1, false, 0},        {"\x89", -1, false, 0},        {"\x8a", -1, false, 0},
    {"\x8b", -1, false, 0},        {"\xc6", 0, false, 0},         {"\xc7", 0, false, 0},
    {"\x0f\xb6", -1, false, 0},    {"\x0f\xb7", -1, false, 0},    {"\x0f\xbe", -1, false, 0},
    {"\x0f\xbf", -1, false, 0},    {"\x63", -1, false, 0},        {"\x0f\xc3", -1, false, 0},
    {"\x01", -1, true, 0},         {"\x02", -1, false, 0},        {"\x03", -1, false, 0},
    {"\x08", -1, true, 0},         {"\x09", -1, true, 0},         {"\x0a", -1, false, 0},
    {"\x0b", -1, false, 0},        {"\x10", -1, true, 0},         {"\x11", -1, true, 0},
    {"\x12", -1, false, 0},        {"\x13", -1, false, 0},        {"\x18", -1, true, 0},
    {"\x19", -1, true, 0},         {"\x1a", -1, false, 0},        {"\x1b", -1, false, 0},
    {"\x20", -1, true, 0},         {"\x21", -1, true, 0},         {"\x22", -1, false, 0},
    {"\x23", -1, false, 0},        {"\x28", -1, true, 0},         {"\x29", -1, true, 0},
    {"\x2a", -1, false, 0},        {"\x2b", -1, false, 0},        {"\x30", -1, true, 0},
    {"\x31", -1, true, 0},         {"\x32", -1, false, 0},        {"\x33", -1, false, 0},
    {"\x38", -1, false, 0},        {"\x39", -1, false, 0},        {"\x3a", -1, false, 0},
    {"\x3b", -1, false, 0},        {"\x80", -1, false, 0},        {"\x81", -1, false, 0},
    {"\x83", -1, false, 0},        {"\x80", 2, true, 0},          {"\x83", 3, true, 0},
    {"\x84", -1, false, 0},        {"\x85", -1, false, 0},        {"\x86", -1, true, 0},
    {"\x87", -1, true, 0},         {"\xf6", 0, false, 0},         {"\xf7", 0, false, 0},
    {"\xf6", 2, true, 0},          {"\xf7", 2, true, 0},          {"\xf6", 3, false, 0},
    {"\xf7", 3, false, 0},         {"\xfe", 0, true, 0},          {"\xff", 0, true, 0},
    {"\xfe", 1, true, 0},          {"\xff", 1, true, 0},          {"\xff", 6, false, 0},
    {"\x8f", 0, false, 0},         {"\x0f\xa3", -1, false, 0},    {"\x0f\xab", -1, true, 0},
    {"\x0f\xb3", -1, true, 0},     {"\x0f\xbb", -1, true, 0},     {"\x0f\xba", 4, false, 0},
    {"\x0f\xba", 5, true, 0},      {"\x0f\xba", 6, true, 0},      {"\x0f\xba", 7, true, 0},
    {"\x0f\xb0", -1, true, 0},     {"\x0f\xb1", -1, true, 0},     {"\x0f\xc0", -1, true, 0},
    {"\x0f\xc1", -1, true, 0},     {"\xa0", -2, false, 0},        {"\xa1", -2, false, 0},
    {"\xa2", -2, false, 0},        {"\xa3", -2, false, 0},        {"\xa4", -2, false, 0},
    {"\xa5", -2, false, 0},        {"\xaa", -2, false, 0},        {"\xab", -2, false, 0},
    {"\xac", -2, false, 0},        {"\xad", -2, false, 0},        {"\xa4", -2, false, 0xf3},
    {"\xa5", -2, false, 0xf3},     {"\xaa", -2, false, 0xf3},     {"\xab", -2, false, 0xf3},
    {"\xac", -2, false, 0xf3},     {"\xad", -2, false, 0xf2},     {"\x50", -2, false, 0},
    {"\x53", -2, false, 0},        {"\x54", -2, false, 0},        {"\x58", -2, false, 0},
    {"\x5b", -2, false, 0},        {"\x5c", -2, false, 0},        {"\x68", -2, false, 0},
    {"\x6a", -2, false, 0},        {"\x0f\x10", -1, false, 0},    {"\x0f\x11", -1, false, 0},
    {"\x0f\x10", -1, false, 0x66}, {"\x0f\x11", -1, false, 0x66}, {"\x0f\x10", -1, false, 0xf3},
    {"\x0f\x11", -1, false, 0xf3}, {"\x0f\x10", -1, false, 0xf2}, {"\x0f\x11", -1, false, 0xf2},
    {"\x0f\x28", -1, false, 0},    {"\x0f\x29", -1, false, 0},    {"\x0f\x2b", -1, false, 0},
    {"\x0f\x6f", -1, false, 0x66}, {"\x0f\x7f", -1, false, 0x66}, {"\x0f\x6f", -1, false, 0xf3},
    {"\x0f\x7f", -1, false, 0xf3}, {"\x0f\x6e", -1, false, 0x66}, {"\x0f\x7e", -1, false, 0x66},
    {"\x0f\x7e", -1, false, 0xf3}, {"\x0f\xd6", -1, false, 0x66}, {"\x0f\xe7", -1, false, 0x66},
};

static unsigned put(struct duel *d, unsigned at, uint64_t value, unsigned bytes)
{
    memcpy(d->code + at, &value, bytes);
    return at + bytes;
}

/* A random memory operand at @at: registers are small, so are displacements. */
static unsigned put_modrm(struct duel *d, unsigned at, int extension, bool wide)
{
    unsigned mod = (unsigned)random_below(d, 3), rm = (unsigned)random_below(d, 8);
    unsigned reg = extension >= 0 ? (unsigned)extension : (unsigned)random_below(d, 8);
    uint64_t target = 0x4000 + random_below(d, 0x4000);

    at = put(d, at, mod << 6 | reg << 3 | rm, 1);
    if (!wide) {
        if (mod == 1)
            return put(d, at, random_below(d, 256), 1);
        return mod == 2 || rm == 6 ? put(d, at, target, 2) : at;
    }
    if (rm == 4) {
        at = put(d, at, base_rng_next(&d->rng), 1);
        rm = d->code[at - 1] & 7;
    } else if (mod == 0 && rm == 5 && d->mode == CPU_MODE_64) {
        return put(d, at, target - d->code_at - 8, 4); /* of RIP */
    }
    if (mod == 1)
        return put(d, at, random_below(d, 256), 1);
    return mod == 2 || rm == 5 ? put(d, at, target, 4) : at;
}

static bool wide_addresses(const struct duel *d, bool p67)
{
    return d->mode == CPU_MODE_64 || (d->mode == CPU_MODE_32) != p67;
}

/* A random instruction of @shape in d->code.  Returns: false if the mode has none such. */
static bool make(struct duel *d, const struct shape *shape)
{
    bool p67 = random_below(d, 6) == 0;
    unsigned at = 0, address = d->mode == CPU_MODE_64 ? (p67 ? 4 : 8) : 0;

    if (d->mode != CPU_MODE_64)
        address = wide_addresses(d, p67) ? 4 : 2;
    if (shape->lock && random_below(d, 2))
        at = put(d, at, 0xf0, 1);
    if (shape->prefix)
        at = put(d, at, shape->prefix, 1);
    else if (random_below(d, 3) == 0 && d->code[0] != 0xf0)
        at = put(d, at, 0x66, 1);
    if (p67)
        at = put(d, at, 0x67, 1);
    if (random_below(d, 6) == 0)
        at = put(d, at, 0x64 + random_below(d, 2), 1);
    if (d->mode == CPU_MODE_64 && random_below(d, 2))
        at = put(d, at, 0x40 + (random_below(d, 16) & (shape->extension >= 0 ? 0xb : 0xf)), 1);
    for (const char *p = shape->opcode; *p; p++)
        at = put(d, at, (uint8_t)*p, 1);
    if (shape->extension != -2)
        at = put_modrm(d, at, shape->extension, wide_addresses(d, p67));
    else if (((uint8_t)shape->opcode[0] & 0xfc) == 0xa0)
        at = put(d, at, 0x4000 + random_below(d, 0x4000), address);
    while (at < 15)
        at = put(d, at, base_rng_next(&d->rng), 1);
    cr_assert(cpu_decode(d->mode, d->code, 15, d->code_at, &d->insn));
    return d->insn.kind >= CPU_KIND_MOV && !(d->insn.flags & CPU_INSN_SPECIAL);
}

/* ---- one round ---- */

static void describe(const struct duel *d, char *text, size_t size)
{
    size_t at = 0;

    for (unsigned i = 0; i < d->insn.length; i++)
        at += (size_t)snprintf(text + at, size - at, "%02x ", d->code[i]);
    snprintf(text + at, size - at, "(mode %d, kind %u)", d->mode, d->insn.kind);
}

/* Flags that the manual leaves undefined are not compared. */
static uint64_t compared_flags(const struct cpu_insn *insn)
{
    uint64_t mask = 0x8d5 | FLAG_DF;

    if (insn->kind == CPU_KIND_ALU && (insn->alu_op == CPU_ALU_AND || insn->alu_op == CPU_ALU_OR ||
                                       insn->alu_op == CPU_ALU_XOR || insn->alu_op == CPU_ALU_TEST))
        mask &= ~(uint64_t)FLAG_AF;
    if (insn->kind == CPU_KIND_BT)
        mask = FLAG_CF | FLAG_ZF;
    return mask;
}

static uc_err run_theirs(struct duel *d)
{
    uint64_t end = d->code_at + d->insn.length;

    memcpy(d->their_memory + d->code_at, d->code, 16);
    return uc_emu_start(d->theirs, d->code_at, end, 0, 0);
}

static enum cpu_emulate run_ours(struct duel *d)
{
    uint64_t end = d->code_at + d->insn.length;
    enum cpu_emulate result;
    struct cpu_exc exc;

    memcpy(d->ours->memory + d->code_at, d->code, 16);
    do
        result = cpu_emulate_memory(d->ours, &d->insn, &exc);
    while (result == CPU_EMULATE_DONE && d->ours->env.eip != end);
    return result;
}

static void compare_registers(struct duel *d, const char *text)
{
    uint64_t theirs = 0, flags = 0, mask = compared_flags(&d->insn);

    for (unsigned i = 0; i < d->gprs; i++) {
        theirs = 0;
        uc_reg_read(d->theirs, gpr_ids[d->mode][i], &theirs);
        /* CMPXCHG that succeeds: the library zero-extends EAX, the manual leaves RAX alone. */
        if (i == 0 && d->insn.kind == CPU_KIND_CMPXCHG && d->insn.operand_bytes == 4 &&
            d->ours->env.eflags & FLAG_ZF)
            theirs = (d->before[0] & ~0xffffffffull) | (uint32_t)theirs;
        cr_assert_eq(d->ours->env.regs[i], theirs, "%s: register %u: %#lx, library %#lx (was %#lx)",
                     text, i, (unsigned long)d->ours->env.regs[i], (unsigned long)theirs,
                     (unsigned long)d->before[i]);
    }
    uc_reg_read(d->theirs, UC_X86_REG_EFLAGS, &flags);
    cr_assert_eq(d->ours->env.eflags & mask, flags & mask,
                 "%s: flags %#lx, library %#lx (were %#lx)", text,
                 (unsigned long)(d->ours->env.eflags & mask), (unsigned long)(flags & mask),
                 (unsigned long)d->flags_before);
    for (unsigned i = 0; i < d->gprs; i++) {
        uint8_t xmm[16];

        uc_reg_read(d->theirs, UC_X86_REG_XMM0 + (int)i, xmm);
        cr_assert_arr_eq(d->ours->xmm[i], xmm, 16, "%s: xmm%u", text, i);
    }
}

/* All that these instructions can reach lies below 64 KiB. */
static void compare_memory(struct duel *d, const char *text)
{
    size_t size = MIN(0x10000, d->code_base);

    if (!memcmp(d->ours->memory, d->their_memory, size))
        return;
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(d->ours->memory[i], d->their_memory[i], "%s: byte at %#zx: %#x, library %#x",
                     text, i, d->ours->memory[i], d->their_memory[i]);
}

/* The stack pointer is moved by the instruction: away from the code in any case. */
static bool reaches_code(struct duel *d)
{
    uint64_t va = cpu_effective_address(d->ours, &d->insn);

    return d->insn.has_mem && (va >= d->code_base - 0x800 || va < 0x100);
}

static void duel(struct duel *d, const struct shape *shape)
{
    enum cpu_emulate result;
    uc_err error;
    char text[120];

    d->code_at += 16;
    if (d->code_at < d->code_base || d->code_at + 32 > d->code_base + d->code_size) {
        d->code_at = d->code_base;
        uc_ctl_remove_cache(d->theirs, d->code_base, d->code_base + d->code_size);
    }
    if (!make(d, shape)) {
        d->skipped++;
        return;
    }
    random_state(d);
    describe(d, text, sizeof(text));
    if (reaches_code(d)) {
        d->skipped++;
        return;
    }
    if (d->insn.mem_aligned && cpu_effective_address(d->ours, &d->insn) & 15) {
        cr_assert_eq(run_ours(d), CPU_EMULATE_EXCEPTION, "%s: not aligned", text);
        d->skipped++;
        return;
    }
    error = run_theirs(d);
    cr_assert_eq(error, UC_ERR_OK, "%s: library at %#lx: %s", text,
                 (unsigned long)cpu_effective_address(d->ours, &d->insn), uc_strerror(error));
    result = run_ours(d);
    cr_assert_eq(result, CPU_EMULATE_DONE, "%s: result %d", text, result);
    compare_registers(d, text);
    compare_memory(d, text);
    d->ran++;
}

static void tournament(enum cpu_mode mode, unsigned rounds)
{
    struct duel d;

    set_up(&d, mode);
    for (unsigned i = 0; i < rounds; i++) {
        for (size_t s = 0; s < ARRAY_LEN(shapes); s++)
            duel(&d, &shapes[s]);
    }
    cr_expect_gt(d.ran, rounds * ARRAY_LEN(shapes) / 2, "mode %d: ran %u, skipped %u", mode, d.ran,
                 d.skipped);
    tear_down(&d);
}

Test(cpu_emulate_library, memory_forms_in_64_bit_mode)
{
    tournament(CPU_MODE_64, 150);
}

Test(cpu_emulate_library, memory_forms_in_32_bit_mode)
{
    tournament(CPU_MODE_32, 100);
}

Test(cpu_emulate_library, memory_forms_in_real_mode)
{
    tournament(CPU_MODE_16, 100);
}
