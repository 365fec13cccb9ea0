/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions that the simulator executes itself: results, checks, order of effects. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/segment.h"
#include "tests/unit/fake_cpu_env.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { TSS = 0x3000, DATA = 0x5000, STACK = 0x8000, RIP = 0x401000 };

#define ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

static struct cpu *c;
static struct cpu_env *env;
static struct cpu_exc exc;
static char port_log[256];
static uint32_t port_value;
static uint8_t tpr;

static uint32_t port_read(void *user, uint16_t port, unsigned size)
{
    size_t at = strlen(port_log);

    (void)user;
    g_snprintf(port_log + at, sizeof(port_log) - at, "r%x/%u ", port, size);
    return port_value++;
}

static void port_write(void *user, uint16_t port, unsigned size, uint32_t value)
{
    size_t at = strlen(port_log);

    (void)user;
    g_snprintf(port_log + at, sizeof(port_log) - at, "w%x/%u=%x ", port, size, value);
}

static uint8_t tpr_read(void *user, unsigned vcpu)
{
    (void)user;
    (void)vcpu;
    return tpr;
}

static void tpr_write(void *user, unsigned vcpu, uint8_t value)
{
    (void)user;
    (void)vcpu;
    tpr = value;
}

static void segment(unsigned n, uint32_t flags, uint32_t limit)
{
    env->segs[n] = (struct env_seg){.selector = 8, .limit = limit, .flags = flags};
}

static void set_up_64(unsigned cpl)
{
    env->hflags = HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32 | cpl;
    env->cr[0] = CR0_PE | CR0_PG | CR0_ET;
    env->cr[4] = CR4_PAE | CR4_OSFXSR;
    ENV64(env, env_offsets(c)->efer) = EFER_LME | EFER_LMA;
    segment(CPU_CS, 0xa09b00 | cpl << SEG_DPL_SHIFT, 0xffffffff);
}

static void set_up_32(unsigned cpl)
{
    env->hflags = HF_PE | HF_CS32 | HF_SS32 | cpl;
    env->cr[0] = CR0_PE | CR0_ET;
    env->cr[4] = CR4_OSFXSR;
    ENV64(env, env_offsets(c)->efer) = 0;
    segment(CPU_CS, 0xc09b00 | cpl << SEG_DPL_SHIFT, 0xffffffff);
}

static void set_up_real(void)
{
    env->eip = 0x100;
    env->hflags = HF_ADDSEG;
    env->cr[0] = CR0_ET;
    env->cr[4] = 0;
    ENV64(env, env_offsets(c)->efer) = 0;
    for (unsigned i = 0; i < 6; i++)
        segment(i, 0x9300, 0xffff);
}

static void set_up(void)
{
    c = fake_new();
    env = &c->env;
    c->bus.port_read = port_read;
    c->bus.port_write = port_write;
    c->bus.tpr_read = tpr_read;
    c->bus.tpr_write = tpr_write;
    c->vcpu.dr6 = 0xffff0ff0;
    c->vcpu.dr7 = 0x400;
    env->eip = RIP;
    env->regs[RSP] = STACK;
    port_log[0] = '\0';
    port_value = 0x11223344;
    for (unsigned i = 0; i < 6; i++)
        segment(i, 0xc09300, 0xffffffff);
    env->tr =
        (struct env_seg){.base = TSS, .limit = 0x67, .flags = SEG_P | SEG_TYPE_TSS32_BUSY << 8};
    fake_poke(c, TSS + 102, 0x68, 2); /* bitmap behind the limit: none */
    set_up_64(0);
}

static void tear_down(void)
{
    g_free(c);
}

TestSuite(cpu_emulate, .init = set_up, .fini = tear_down);

/* Decode and execute. */
static enum cpu_emulate run(const char *text)
{
    uint8_t code[16] = {0};
    size_t n = 0;
    char *end;
    struct cpu_insn insn;

    for (const char *p = text; *p && n < sizeof(code); p = end)
        code[n++] = (uint8_t)strtoul(p, &end, 16);
    cr_assert(cpu_decode(cpu_code_mode(env), code, n, env->eip, &insn), "%s", text);
    memset(&exc, 0xee, sizeof(exc));
    if (insn.flags & (CPU_INSN_SPECIAL | CPU_INSN_RDTSC))
        return cpu_emulate_special(c, &insn, &exc);
    return cpu_emulate_memory(c, &insn, &exc);
}

static void expect_done(const char *text, unsigned length)
{
    uint64_t at = env->eip;
    enum cpu_emulate result = run(text);

    cr_expect_eq(result, CPU_EMULATE_DONE, "%s: result %d, vector %u", text, result, exc.vector);
    cr_expect_eq(env->eip, at + length, "%s: RIP +%lld", text, (long long)(env->eip - at));
}

/* The instruction faults and leaves no trace in the registers. */
static void expect_fault(const char *text, unsigned vector)
{
    struct cpu_env before = *env;
    enum cpu_emulate result = run(text);
    bool has_error = vector == EXC_GP || vector == EXC_SS || vector == EXC_PF || vector == EXC_AC;

    cr_expect_eq(result, CPU_EMULATE_EXCEPTION, "%s: result %d", text, result);
    cr_expect_eq(exc.vector, vector, "%s: vector %u, not %u", text, exc.vector, vector);
    cr_expect_eq(exc.has_error, has_error, "%s: error code", text);
    if (vector != EXC_PF)
        cr_expect_eq(exc.error, 0, "%s: error code %#x", text, exc.error);
    cr_expect_arr_eq(env->regs, before.regs, sizeof(before.regs), "%s: registers", text);
    cr_expect_eq(env->eip, before.eip, "%s: RIP", text);
    cr_expect_eq(env->eflags, before.eflags, "%s: RFLAGS", text);
}

/* ---- ports ---- */

Test(cpu_emulate, in_writes_as_much_of_rax_as_it_reads)
{
    env->regs[RAX] = 0xaaaaaaaaaaaaaaaa;
    env->regs[RDX] = 0xffff03f8;
    expect_done("ec", 1);
    cr_expect_eq(env->regs[RAX], 0xaaaaaaaaaaaaaa44);
    expect_done("66 ed", 2);
    cr_expect_eq(env->regs[RAX], 0xaaaaaaaaaaaa3345);
    expect_done("ed", 1);
    cr_expect_eq(env->regs[RAX], 0x11223346);
    expect_done("e4 ff", 2);
    cr_expect_str_eq(port_log, "r3f8/1 r3f8/2 r3f8/4 rff/1 ");
}

Test(cpu_emulate, out_writes_al_ax_eax)
{
    env->regs[RAX] = 0x1122334455667788;
    env->regs[RDX] = 0x80;
    expect_done("ee", 1);
    expect_done("66 ef", 2);
    expect_done("48 ef", 2);
    expect_done("e7 f4", 2);
    cr_expect_str_eq(port_log, "w80/1=88 w80/2=7788 w80/4=55667788 wf4/4=55667788 ");
}

Test(cpu_emulate, in_of_ring_3_needs_iopl_or_the_bitmap)
{
    set_up_64(3);
    expect_fault("e4 60", EXC_GP); /* no bitmap: the limit ends before it */
    env->eflags |= FLAG_IOPL;
    expect_done("e4 60", 2);
    env->eflags &= ~(uint64_t)FLAG_IOPL;
    env->tr.limit = 0x68 + 0x20;
    expect_done("e4 60", 2);
    fake_poke(c, TSS + 0x68 + 0x60 / 8, 1, 1);
    expect_fault("e4 60", EXC_GP);
    expect_done("e4 61", 2);
    cr_expect_str_eq(port_log, "r60/1 r60/1 r61/1 ");
}

Test(cpu_emulate, wide_access_needs_every_bit_of_the_bitmap)
{
    set_up_64(3);
    env->tr.limit = 0x68 + 0x20;
    fake_poke(c, TSS + 102, 0x68, 2);
    fake_poke(c, TSS + 0x68 + 0x68 / 8, 1, 1); /* port 0x68 */
    expect_fault("e5 65", EXC_GP);             /* 0x65 to 0x68: in the next byte */
    expect_done("e5 64", 2);
    expect_done("66 e5 66", 3);
    expect_done("e5 69", 2);
}

Test(cpu_emulate, bitmap_must_end_a_byte_behind_the_port)
{
    set_up_64(3);
    env->tr.limit = 0x68 + 0x60 / 8; /* the second byte that is read is missing */
    expect_fault("e4 60", EXC_GP);
    env->tr.limit++;
    expect_done("e4 60", 2);
    env->tr.flags = SEG_P | SEG_TYPE_TSS16_BUSY << 8; /* a 16-bit TSS has none */
    expect_fault("e4 60", EXC_GP);
}

Test(cpu_emulate, virtual_8086_mode_ignores_iopl)
{
    set_up_32(3);
    env->eip = 0x100;
    env->hflags &= ~(uint32_t)HF_CS32;
    env->eflags |= FLAG_VM | FLAG_IOPL;
    expect_fault("e4 60", EXC_GP);
    env->tr.limit = 0x68 + 0x20;
    expect_done("e4 60", 2);
}

Test(cpu_emulate, real_mode_ports_are_free)
{
    set_up_real();
    env->hflags |= 3; /* whatever the library says */
    expect_done("e4 60", 2);
}

Test(cpu_emulate, ins_steps_by_the_direction_flag)
{
    env->regs[RDX] = 0x1f0;
    env->regs[RDI] = DATA;
    expect_done("66 6d", 2);
    cr_expect_eq(fake_peek(c, DATA, 2), 0x3344);
    cr_expect_eq(env->regs[RDI], DATA + 2);
    env->df = -1;
    expect_done("6c", 1);
    cr_expect_eq(env->regs[RDI], DATA + 1);
}

Test(cpu_emulate, rep_ins_does_one_iteration_a_call)
{
    env->regs[RDX] = 0x1f0;
    env->regs[RDI] = DATA;
    env->regs[RCX] = 3;
    expect_done("f3 6d", 0);
    cr_expect_eq(env->regs[RCX], 2);
    expect_done("f3 6d", 0);
    expect_done("f3 6d", 2);
    cr_expect_eq(env->regs[RCX], 0);
    cr_expect_eq(env->regs[RDI], DATA + 12);
    cr_expect_str_eq(port_log, "r1f0/4 r1f0/4 r1f0/4 ");
    expect_done("f3 6d", 2); /* a count of 0 */
    cr_expect_str_eq(port_log, "r1f0/4 r1f0/4 r1f0/4 ");
}

Test(cpu_emulate, rep_count_is_as_wide_as_an_address)
{
    env->regs[RDX] = 0x1f0;
    env->regs[RDI] = 0xffffffff00000000 | DATA;
    env->regs[RCX] = 0xffffffff00000001;
    expect_done("67 f3 6c", 3);
    cr_expect_eq(env->regs[RCX], 0);
    cr_expect_eq(env->regs[RDI], DATA + 1);
}

Test(cpu_emulate, ins_faults_before_it_reads_the_port)
{
    env->regs[RDX] = 0x1f0;
    env->regs[RDI] = DATA;
    c->page[DATA >> PAGE_SHIFT] = FAKE_READ_ONLY;
    expect_fault("6d", EXC_PF);
    cr_expect_eq(exc.error, 3);
    cr_expect_eq(exc.cr2, DATA);
    env->regs[RDI] = DATA - 2; /* the second page of the access */
    expect_fault("6d", EXC_PF);
    cr_expect_eq(exc.cr2, DATA);
    cr_expect_str_eq(port_log, "");
}

Test(cpu_emulate, outs_reads_memory_first)
{
    env->regs[RDX] = 0x80;
    env->regs[RSI] = DATA;
    fake_poke(c, DATA, 0x55667788, 4);
    expect_done("66 6f", 2);
    cr_expect_eq(env->regs[RSI], DATA + 2);
    c->page[DATA >> PAGE_SHIFT] = FAKE_ABSENT;
    expect_fault("6e", EXC_PF);
    cr_expect_str_eq(port_log, "w80/2=7788 ");
}

Test(cpu_emulate, outs_takes_a_segment)
{
    env->regs[RDX] = 0x80;
    env->regs[RSI] = 0x10;
    env->segs[CPU_FS].base = DATA;
    fake_poke(c, DATA + 0x10, 0x42, 1);
    expect_done("64 6e", 2);
    cr_expect_str_eq(port_log, "w80/1=42 ");
}

/* ---- privilege and undefined opcodes ---- */

Test(cpu_emulate, ring_3_may_not)
{
    static const char *const cases[] = {
        "0f 32",    "0f 30",    "0f 33",       "f4",          "0f 01 38",
        "0f 22 c0", "0f 22 e0", "44 0f 22 c0", "44 0f 20 c0", "0f 23 c0",
        "0f 21 c0", "0f 06",    "0f 01 f0",    "0f 08",       "0f 09",
    };

    set_up_64(3);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_fault(cases[i], EXC_GP);
}

Test(cpu_emulate, undefined)
{
    static const char *const cases[] = {
        "0f 01 c8",    "0f 01 c9",       "0f 01 d0",          "0f 01 d1", "66 0f 38 82 07",
        "c5 f8 77",    "0f aa",          "0f 01 c1",          "0f 01 d9", "0f 78 c0",
        "f0 90",       "f0 01 c0",       "62 f1 7c 48 10 07", "c6 f8 00", "48 0f c7 f0",
        "48 0f c7 f8", "f3 48 0f ae c0", "0f 23 e8 90",
    };

    env->cr[4] |= CR4_DE; /* for DR5 */
    for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
        set_up_64(cpl);
        env->cr[4] |= CR4_DE;
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
            expect_fault(cases[i], EXC_UD);
    }
}

Test(cpu_emulate, cpuid_less_model_has_no_rdtscp)
{
    c->model = cpu_model_find("paravane-min");
    expect_fault("0f 01 f9", EXC_UD);
    expect_done("0f 31", 2);
}

/* ---- MSRs, time, randomness ---- */

Test(cpu_emulate, rdmsr_zero_extends)
{
    env->regs[RAX] = env->regs[RDX] = UINT64_MAX;
    env->regs[RCX] = 0xffffffff0000001b;
    c->apic_base = 0x1fee00900;
    expect_done("0f 32", 2);
    cr_expect_eq(env->regs[RAX], 0xfee00900);
    cr_expect_eq(env->regs[RDX], 1);
    env->regs[RCX] = 0x12345;
    expect_fault("0f 32", EXC_GP);
    expect_fault("0f 30", EXC_GP);
}

Test(cpu_emulate, wrmsr_takes_edx_eax)
{
    env->regs[RAX] = 0xffffffff00000000 | 0xfee00800;
    env->regs[RDX] = 0xffffffff00000000;
    env->regs[RCX] = 0x1b;
    expect_done("0f 30", 2);
    cr_expect_eq(c->apic_base, 0xfee00800);
}

Test(cpu_emulate, rdtsc_is_cycles_plus_offset)
{
    c->vcpu.cycles = 0x100000005;
    c->vcpu.tsc_offset = 0 - 6ull;
    ENV64(env, env_offsets(c)->tsc_aux) = 77;
    expect_done("0f 31", 2);
    cr_expect_eq(env->regs[RDX] << 32 | env->regs[RAX], 0xffffffff);
    expect_done("0f 01 f9", 3);
    cr_expect_eq(env->regs[RCX], 77);
    set_up_64(3);
    expect_done("0f 31", 2);
    env->cr[4] |= CR4_TSD;
    expect_fault("0f 31", EXC_GP);
    expect_fault("0f 01 f9", EXC_GP);
    set_up_64(0);
    env->cr[4] |= CR4_TSD;
    expect_done("0f 31", 2);
}

Test(cpu_emulate, rdrand_sets_cf_alone)
{
    struct base_rng rng;
    uint64_t first, second;

    c->model = cpu_model_find("paravane-v2");
    base_rng_init(&c->vcpu.rng, 5, 0);
    rng = c->vcpu.rng;
    first = base_rng_next(&rng);
    second = base_rng_next(&rng);
    env->eflags |= ARITH;
    expect_done("48 0f c7 f0", 4);
    cr_expect_eq(env->regs[RAX], first);
    cr_expect_eq(env->eflags & ARITH, FLAG_CF);
    env->regs[RAX] = UINT64_MAX;
    expect_done("66 0f c7 f8", 4);
    cr_expect_eq(env->regs[RAX], 0xffffffffffff0000 | (second & 0xffff));
}

Test(cpu_emulate, rdpmc_knows_no_counter)
{
    env->cr[4] |= CR4_PCE;
    expect_fault("0f 33", EXC_GP);
}

Test(cpu_emulate, fsbase_and_gsbase)
{
    env->cr[4] |= CR4_FSGSBASE;
    env->segs[CPU_FS].base = 0xffff888000001000;
    expect_done("f3 48 0f ae c1", 5); /* rdfsbase rcx */
    cr_expect_eq(env->regs[RCX], 0xffff888000001000);
    expect_done("f3 0f ae c1", 4); /* rdfsbase ecx */
    cr_expect_eq(env->regs[RCX], 0x1000);
    env->regs[RBX] = 0x7fffffffffff;
    expect_done("f3 48 0f ae db", 5); /* wrgsbase rbx */
    cr_expect_eq(env->segs[CPU_GS].base, 0x7fffffffffff);
    env->regs[RBX] = 0x800000000000;
    expect_fault("f3 48 0f ae db", EXC_GP);
    expect_done("f3 0f ae db", 4); /* ebx is canonical */
    cr_expect_eq(env->segs[CPU_GS].base, 0);
    set_up_32(0);
    env->cr[4] |= CR4_FSGSBASE;
    expect_fault("f3 0f ae db", EXC_UD);
}

/* ---- control registers ---- */

Test(cpu_emulate, cr0_refuses_what_is_inconsistent)
{
    static const uint64_t bad[] = {
        CR0_PG,                      /* without PE */
        CR0_PE | CR0_NW,             /* without CD */
        1ull << 32 | CR0_PE, CR0_PE, /* PG off in 64-bit mode */
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        env->regs[RAX] = bad[i];
        expect_fault("0f 22 c0", EXC_GP);
    }
    env->regs[RAX] = CR0_PE | CR0_PG | CR0_WP | 0x1ff8ff40;
    expect_done("0f 22 c0", 3);
    cr_expect_eq(env->cr[0], CR0_PE | CR0_PG | CR0_WP | CR0_ET, "reserved bits stay 0: %#lx",
                 (unsigned long)env->cr[0]);
}

Test(cpu_emulate, long_mode_is_activated_by_pg)
{
    set_up_32(0);
    ENV64(env, env_offsets(c)->efer) = EFER_LME;
    env->regs[RAX] = CR0_PE | CR0_PG;
    expect_fault("0f 22 c0", EXC_GP); /* PAE is off */
    env->cr[4] |= CR4_PAE;
    env->segs[CPU_CS].flags |= SEG_L;
    expect_fault("0f 22 c0", EXC_GP);
    env->segs[CPU_CS].flags &= ~(uint32_t)SEG_L;
    env->tr.flags = SEG_P | SEG_TYPE_TSS16_BUSY << 8;
    expect_fault("0f 22 c0", EXC_GP);
    env->tr.flags = SEG_P | SEG_TYPE_TSS32_BUSY << 8;
    expect_done("0f 22 c0", 3);
    cr_expect_eq(ENV64(env, env_offsets(c)->efer), EFER_LME | EFER_LMA);
    env->regs[RAX] = CR0_PE; /* from compatibility mode, which HF_CS64 = 0 stands for */
    expect_done("0f 22 c0", 3);
    cr_expect_eq(ENV64(env, env_offsets(c)->efer), EFER_LME);
}

Test(cpu_emulate, pae_paging_checks_its_pdptes)
{
    set_up_32(0);
    env->cr[4] |= CR4_PAE;
    env->cr[3] = DATA;
    fake_poke(c, DATA + 8, 0x6003, 8); /* R/W is reserved there */
    env->regs[RAX] = CR0_PE | CR0_PG;
    expect_fault("0f 22 c0", EXC_GP);
    fake_poke(c, DATA + 8, 0x6002, 8); /* not present */
    expect_done("0f 22 c0", 3);
    fake_poke(c, DATA + 8, 0x6003, 8);
    env->regs[RAX] = env->cr[4] | CR4_PGE;
    expect_fault("0f 22 e0", EXC_GP);
}

Test(cpu_emulate, cr4_refuses_reserved_bits)
{
    static const uint64_t bad[] = {
        CR4_PAE | 1ull << 63,
        CR4_PAE | CR4_PCIDE,
        CR4_PAE | CR4_OSXSAVE,
        CR4_PAE | CR4_SMEP, /* the model has none */
        0,                  /* PAE off in long mode */
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        env->regs[RAX] = bad[i];
        expect_fault("0f 22 e0", EXC_GP);
    }
    env->regs[RAX] = CR4_PAE | CR4_PGE;
    expect_done("0f 22 e0", 3);
    cr_expect_eq(env->cr[4], CR4_PAE | CR4_PGE);
}

Test(cpu_emulate, cr8_is_the_task_priority)
{
    env->regs[RAX] = 9;
    expect_done("44 0f 22 c0", 4);
    cr_expect_eq(tpr, 9);
    env->regs[RAX] = 16;
    expect_fault("44 0f 22 c0", EXC_GP);
    expect_done("44 0f 20 c3", 4);
    cr_expect_eq(env->regs[RBX], 9);
}

Test(cpu_emulate, lmsw_sets_pe_and_never_clears_it)
{
    set_up_real();
    env->regs[RAX] = 0xfff1;
    expect_done("0f 01 f0", 3);
    cr_expect_eq(env->cr[0], CR0_ET | CR0_PE);
    fake_poke(c, DATA, 0x000e, 2);
    env->regs[RBX] = DATA;
    expect_done("0f 01 37", 3);
    cr_expect_eq(env->cr[0] & 0xf, 0xf & (CR0_PE | fake_peek(c, DATA, 2)));
    expect_done("0f 06", 2); /* CLTS */
    cr_expect_not(env->cr[0] & CR0_TS);
}

/* ---- debug registers ---- */

Test(cpu_emulate, debug_registers_have_fixed_bits)
{
    env->regs[RAX] = 0;
    expect_done("0f 23 f0", 3);
    cr_expect_eq(c->vcpu.dr6, 0xffff0ff0);
    expect_done("0f 23 f8", 3);
    cr_expect_eq(c->vcpu.dr7, 0x400);
    env->regs[RAX] = 0xffffffff;
    expect_done("0f 23 f0", 3);
    cr_expect_eq(c->vcpu.dr6, 0xffffefff);
    env->regs[RAX] = 0xffffdfff; /* but GD */
    expect_done("0f 23 f8", 3);
    cr_expect_eq(c->vcpu.dr7, 0xffff07ff);
    env->regs[RAX] = 1ull << 32;
    expect_fault("0f 23 f0", EXC_GP);
    expect_fault("0f 23 f8", EXC_GP);
    expect_done("0f 23 c0", 3); /* DR0 takes any address */
    expect_done("0f 21 c3", 3);
    cr_expect_eq(env->regs[RBX], 1ull << 32);
}

Test(cpu_emulate, dr4_and_dr5_are_aliases_without_de)
{
    c->vcpu.dr6 = 0xffff0ff1;
    expect_done("0f 21 e0", 3);
    cr_expect_eq(env->regs[RAX], 0xffff0ff1);
    expect_done("0f 21 e8", 3);
    cr_expect_eq(env->regs[RAX], 0x400);
    env->cr[4] |= CR4_DE;
    expect_fault("0f 21 e0", EXC_UD);
    expect_fault("44 0f 21 c0", EXC_UD); /* DR8 */
}

Test(cpu_emulate, general_detect_stops_every_access)
{
    c->vcpu.dr7 = 0x2400;
    expect_fault("0f 21 c0", EXC_DB);
    cr_expect(c->vcpu.dr6 & 1 << 13, "BD");
    cr_expect_not(c->vcpu.dr7 & 1 << 13, "GD is cleared for the handler");
    expect_done("0f 21 c0", 3);
}

/* ---- the rest of the special ones ---- */

Test(cpu_emulate, hlt_invlpg_icebp_and_wbinvd)
{
    env->hflags |= HF_INHIBIT_IRQ;
    env->eflags |= FLAG_RF;
    cr_expect_eq(run("f4"), CPU_EMULATE_HALT);
    cr_expect_eq(env->eip, RIP + 1);
    cr_expect_not(env->hflags & HF_INHIBIT_IRQ);
    cr_expect_not(env->eflags & FLAG_RF);
    cr_expect_eq(run("0f 01 38"), CPU_EMULATE_NATIVE);
    cr_expect_eq(env->eip, RIP + 1);
    cr_expect_eq(run("f1"), CPU_EMULATE_ICEBP);
    cr_expect_eq(env->eip, RIP + 2);
    cr_expect_eq(exc.insn_bytes, 1);
    expect_done("0f 09", 2);
    cr_expect_eq(run("0f 22 d8"), CPU_EMULATE_UNKNOWN, "MOV CR3 is the library's");
}

Test(cpu_emulate, rip_wraps_with_the_code_segment)
{
    set_up_real();
    env->eip = 0xffff;
    run("0f 09");
    cr_expect_eq(env->eip, 1);
    set_up_32(0);
    env->eip = 0xffffffff;
    run("0f 09");
    cr_expect_eq(env->eip, 1);
}

/* ---- addresses ---- */

static uint64_t address(const char *text)
{
    uint8_t code[16] = {0};
    size_t n = 0;
    char *end;
    struct cpu_insn insn;

    for (const char *p = text; *p; p = end)
        code[n++] = (uint8_t)strtoul(p, &end, 16);
    cr_assert(cpu_decode(cpu_code_mode(env), code, n, env->eip, &insn), "%s", text);
    return cpu_effective_address(c, &insn);
}

Test(cpu_emulate, effective_address)
{
    env->regs[RBX] = 0xffffffff12345678;
    env->regs[RSI] = 0x10;
    env->segs[CPU_DS].base = 0x100000; /* no effect in 64-bit mode */
    env->segs[CPU_GS].base = 0xffff800000000000;
    cr_expect_eq(address("8b 03"), 0xffffffff12345678);
    cr_expect_eq(address("67 8b 03"), 0x12345678);
    cr_expect_eq(address("8b 44 b3 f0"), 0xffffffff12345678 + 0x40 - 0x10);
    cr_expect_eq(address("8b 05 10 00 00 00"), RIP + 6 + 16);
    cr_expect_eq(address("65 8b 04 25 08 00 00 00"), 0xffff800000000008);
    cr_expect_eq(address("65 67 8b 03"), 0xffff800012345678);
    set_up_32(0);
    cr_expect_eq(address("8b 03"), 0x12445678);
    env->regs[RBX] = 0xfff80000;
    cr_expect_eq(address("8b 03"), 0x00080000, "wraps at 4 GiB");
    cr_expect_eq(address("67 8b 40 10"), 0x100020, "BX + SI + 16, 16 bits");
    env->segs[CPU_SS].base = 0x200000;
    cr_expect_eq(address("8b 04 24"), 0x200000 + STACK);
}

Test(cpu_emulate, segment_limits_in_legacy_modes)
{
    set_up_32(0);
    env->regs[RBX] = 0xffd;
    segment(CPU_DS, 0x9300 | SEG_DB, 0xfff);
    expect_fault("8b 03", EXC_GP);
    env->regs[RBX] = 0xffc;
    expect_done("8b 03", 2);
    segment(CPU_SS, 0x9300 | SEG_DB, 0xfff);
    env->regs[RBP] = 0x1000;
    expect_fault("8b 45 00", EXC_SS);
    segment(CPU_DS, 0x9100 | SEG_DB, 0xfff); /* read-only */
    expect_done("8b 03", 2);
    expect_fault("89 03", EXC_GP);
    segment(CPU_DS, 0, 0); /* null */
    expect_fault("8b 03", EXC_GP);
    segment(CPU_DS, 0x9700 | SEG_DB, 0xfff); /* expand-down: above the limit */
    expect_fault("8b 03", EXC_GP);
    env->regs[RBX] = 0x1000;
    expect_done("8b 03", 2);
    segment(CPU_CS, 0x9900 | SEG_DB, 0xffffffff); /* execute-only */
    expect_fault("2e 8b 03", EXC_GP);
}

Test(cpu_emulate, non_canonical_is_gp_and_for_the_stack_ss)
{
    env->regs[RBX] = 0x800000000000;
    env->regs[RBP] = 0x7fffffffffff;
    expect_fault("8b 03", EXC_GP);
    expect_fault("8b 45 00", EXC_SS); /* the second byte */
}

Test(cpu_emulate, alignment_check)
{
    set_up_64(3);
    env->cr[0] |= CR0_AM;
    env->eflags |= FLAG_AC;
    env->regs[RBX] = DATA + 2;
    expect_fault("8b 03", EXC_AC);
    expect_done("66 8b 03", 3);
    set_up_64(0);
    env->cr[0] |= CR0_AM;
    expect_done("8b 03", 2);
}

/* ---- faults of memory forms ---- */

Test(cpu_emulate, read_modify_write_needs_write_permission_first)
{
    static const char *const cases[] = {"01 03",    "87 03",    "fe 03",    "f7 1b",
                                        "0f b1 0b", "0f c1 0b", "0f ab 03", "f0 83 03 01"};

    env->regs[RBX] = DATA;
    c->page[DATA >> PAGE_SHIFT] = FAKE_READ_ONLY;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        expect_fault(cases[i], EXC_PF);
        cr_expect_eq(exc.error, 3, "%s", cases[i]);
    }
    expect_done("39 03", 2); /* CMP, TEST, BT only read */
    expect_done("85 03", 2);
    expect_done("0f a3 03", 3);
}

Test(cpu_emulate, movs_checks_its_destination_before_it_reads)
{
    env->regs[RSI] = DATA;
    env->regs[RDI] = DATA + PAGE_SIZE;
    c->page[(DATA >> PAGE_SHIFT) + 1] = FAKE_ABSENT;
    c->page[DATA >> PAGE_SHIFT] = FAKE_ABSENT;
    expect_fault("a5", EXC_PF);
    cr_expect_eq(exc.cr2, DATA + PAGE_SIZE);
}

Test(cpu_emulate, pop_to_memory_restores_rsp_on_a_fault)
{
    env->regs[RBX] = DATA;
    c->page[DATA >> PAGE_SHIFT] = FAKE_READ_ONLY;
    expect_fault("8f 03", EXC_PF);
    c->page[DATA >> PAGE_SHIFT] = 0;
    fake_poke(c, STACK, 0x1122334455667788, 8);
    expect_done("8f 44 24 10", 4); /* [RSP + 16] with RSP after the increment */
    cr_expect_eq(fake_peek(c, STACK + 24, 8), 0x1122334455667788);
    cr_expect_eq(env->regs[RSP], STACK + 8);
}

Test(cpu_emulate, vector_moves_check_cr0_and_cr4)
{
    env->regs[RBX] = DATA;
    expect_done("0f 10 03", 3);
    env->cr[0] |= CR0_TS;
    expect_fault("0f 10 03", EXC_NM);
    env->cr[0] |= CR0_EM;
    expect_fault("0f 10 03", EXC_UD);
    env->cr[0] &= ~(CR0_EM | CR0_TS);
    env->cr[4] &= ~CR4_OSFXSR;
    expect_fault("0f 10 03", EXC_UD);
}

Test(cpu_emulate, lock_neg_is_executed_here)
{
    env->regs[RBX] = DATA;
    fake_poke(c, DATA, 1, 4);
    expect_done("f0 f7 1b", 3);
    cr_expect_eq(fake_peek(c, DATA, 4), 0xffffffff);
    cr_expect_eq(env->eflags & ARITH, FLAG_CF | FLAG_SF | FLAG_PF | FLAG_AF);
}

Test(cpu_emulate, cmpxchg_leaves_the_accumulator_alone_when_equal)
{
    env->regs[RBX] = DATA;
    env->regs[RAX] = 0xaaaaaaaa00000005;
    env->regs[RCX] = 7;
    fake_poke(c, DATA, 5, 4);
    expect_done("0f b1 0b", 3);
    cr_expect_eq(env->regs[RAX], 0xaaaaaaaa00000005);
    cr_expect_eq(fake_peek(c, DATA, 4), 7);
    expect_done("0f b1 0b", 3);
    cr_expect_eq(env->regs[RAX], 7);
}

/* ---- anything at all ---- */

static void random_state(struct base_rng *rng)
{
    static const uint32_t flags[] = {0, 0x9300, 0xc09300, 0xc09b00, 0xc09700, 0xa09b00, 0xc09100};

    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = base_rng_next(rng);

        env->regs[i] = value & 1 ? value : value >> (44 + (value >> 1 & 15));
    }
    for (unsigned i = 0; i < 6; i++) {
        segment(i, flags[base_rng_next(rng) % ARRAY_LEN(flags)], (uint32_t)base_rng_next(rng));
        env->segs[i].base = base_rng_next(rng) & 0xffff;
    }
    env->hflags = base_rng_next(rng) & (HF_CPL | HF_CS32 | HF_CS64 | HF_SS32 | HF_LMA | HF_PE);
    env->eflags = base_rng_next(rng) & 0x3fffd5;
    env->df = base_rng_next(rng) & 1 ? 1 : -1;
    env->cr[0] = base_rng_next(rng) & 0xe005003f;
    env->cr[4] = base_rng_next(rng) & 0x3f07ff;
    env->eip = base_rng_next(rng) >> (base_rng_next(rng) & 63);
    env->tr.limit = base_rng_next(rng) & 0x1fff;
    env->tr.base = base_rng_next(rng) & 0xfffff;
    c->page[base_rng_next(rng) % ARRAY_LEN(c->page)] = base_rng_next(rng) & 7;
    port_log[0] = '\0';
}

Test(cpu_emulate, random_code_in_random_states_stays_inside)
{
    struct base_rng rng;
    unsigned done = 0, faults = 0;

    base_rng_init(&rng, 3, 0);
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t code[2] = {base_rng_next(&rng), base_rng_next(&rng)};
        struct cpu_insn insn;
        enum cpu_emulate result;

        random_state(&rng);
        c->model = cpu_model_find(i & 1 ? "paravane-v2" : "paravane-min");
        if (!cpu_decode(cpu_code_mode(env), (const uint8_t *)code, 15, env->eip, &insn))
            continue;
        result = insn.flags & CPU_INSN_SPECIAL ? cpu_emulate_special(c, &insn, &exc)
                                               : cpu_emulate_memory(c, &insn, &exc);
        done += result == CPU_EMULATE_DONE;
        faults += result == CPU_EMULATE_EXCEPTION;
        if (result == CPU_EMULATE_EXCEPTION)
            cr_assert_lt(exc.vector, 32, "vector %u", exc.vector);
    }
    cr_expect_gt(done, 2000, "%u done", done);
    cr_expect_gt(faults, 20000, "%u faults", faults);
}
