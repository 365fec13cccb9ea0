/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery in real, protected and virtual-8086 mode, and through task gates. */
#include "tests/unit/fake_cpu_env.h"

#include <criterion/criterion.h>

enum {
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,
    TSS2 = 0x3400,
    LDT = 0x4000,
    STACK0 = 0x8000,
    STACK1 = 0xa000,
    STACK3 = 0xc000,
    HANDLER = 0x40000,
    RIP = 0x5555
};
enum {
    CODE = 0x08,
    DATA = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    CODE1 = 0x29,
    DATA1 = 0x31,
    CODE_CONFORMING = 0x38,
    CODE_SHORT = 0x40,
    CODE16 = 0x48,
    DATA_ABSENT = 0x50,
    DATA_READONLY = 0x58,
    STACK_SHORT = 0x60,
    STACK16 = 0x68,
    STACK_DOWN = 0x70,
    TR = 0x78,
    TR2 = 0x80,
    TR16 = 0x88,
    LDTR = 0x90
};
enum {
    INT32 = 0x8e00,
    TRAP32 = 0x8f00,
    INT16 = 0x8600,
    TRAP16 = 0x8700,
    TASK = 0x8500,
    DPL3 = 0x6000
};

static struct cpu *c;

static void gdt(unsigned selector, uint32_t base, uint32_t limit, uint32_t high)
{
    fake_poke(c, GDT + (selector & ~7u), (limit & 0xffff) | base << 16, 4);
    fake_poke(c, GDT + (selector & ~7u) + 4, high | (limit & 0xf0000) | (base >> 16 & 0xff), 4);
}

static void gate(unsigned vector, uint16_t selector, uint32_t offset, unsigned flags)
{
    fake_poke(c, IDT + vector * 8, (offset & 0xffff) | (uint32_t)selector << 16, 4);
    fake_poke(c, IDT + vector * 8 + 4, (offset & 0xffff0000) | flags, 4);
}

static void segment(unsigned n, unsigned selector, uint32_t flags)
{
    c->env.segs[n] = (struct env_seg){.selector = selector, .limit = 0xffffffff, .flags = flags};
}

static void in_ring3(void)
{
    segment(CPU_CS, CODE3, 0x00cffb00);
    segment(CPU_SS, DATA3, 0x00cff300);
    c->env.hflags = HF_PE | HF_CS32 | HF_SS32 | 3;
    c->env.regs[4] = STACK3;
}

static void in_vm86(void)
{
    for (unsigned i = 0; i < 6; i++) {
        c->env.segs[i] = (struct env_seg){
            .selector = 0x100 + i, .base = (0x100 + i) << 4, .limit = 0xffff, .flags = 0xf300};
    }
    c->env.hflags = HF_PE | HF_ADDSEG | 3;
    c->env.eflags |= FLAG_VM;
    c->env.regs[4] = 0x800;
}

static void set_up_gdt(void)
{
    gdt(CODE, 0, 0xfffff, 0x00c09b00);
    gdt(DATA, 0, 0xfffff, 0x00c09300);
    gdt(CODE3, 0, 0xfffff, 0x00c0fb00);
    gdt(DATA3, 0, 0xfffff, 0x00c0f300);
    gdt(CODE1, 0, 0xfffff, 0x00c0bb00);
    gdt(DATA1, 0, 0xfffff, 0x00c0b300);
    gdt(CODE_CONFORMING, 0, 0xfffff, 0x00c09f00);
    gdt(CODE_SHORT, 0, 0xfff, 0x00409b00);
    gdt(CODE16, 0, 0xffff, 0x00009b00);
    gdt(DATA_ABSENT, 0, 0xfffff, 0x00c01300);
    gdt(DATA_READONLY, 0, 0xfffff, 0x00c09100);
    gdt(STACK_SHORT, 0, STACK0 - 1, 0x00409300);
    gdt(STACK16, 0, 0xffff, 0x00009300);
    gdt(STACK_DOWN, 0, 0x7fff, 0x00409700);
    gdt(TR, TSS, 0x67, 0x00008b00);
    gdt(TR2, TSS2, 0x67, 0x00008900);
    gdt(LDTR, LDT, 0x17, 0x00008200);
}

static void set_up(void)
{
    c = fake_new();
    c->env.cr[0] = CR0_PE;
    c->env.gdt = (struct env_seg){.base = GDT, .limit = 0xff};
    c->env.idt = (struct env_seg){.base = IDT, .limit = 0x7ff};
    c->env.tr = (struct env_seg){.selector = TR, .base = TSS, .limit = 0x67, .flags = 0x8b00};
    set_up_gdt();
    fake_poke(c, TSS + 4, STACK0, 4);
    fake_poke(c, TSS + 8, DATA, 2);
    fake_poke(c, TSS + 12, STACK1, 4);
    fake_poke(c, TSS + 16, DATA1, 2);
    for (unsigned v = 0; v < 256; v++)
        gate(v, CODE, HANDLER + v, INT32);
    segment(CPU_CS, CODE, 0x00cf9b00);
    segment(CPU_SS, DATA, 0x00cf9300);
    c->env.hflags = HF_PE | HF_CS32 | HF_SS32;
    c->env.regs[4] = STACK0;
    c->env.eip = RIP;
    c->env.eflags = FLAG_IF | FLAG_TF | FLAG_NT | 2;
}

static void tear_down(void)
{
    g_free(c);
}

static bool deliver(unsigned vector, enum cpu_event_kind kind)
{
    return cpu_deliver(c, (struct cpu_exc){.vector = vector, .insn_bytes = 2}, kind);
}

static bool with_error(unsigned vector, uint32_t error)
{
    return cpu_deliver(c, (struct cpu_exc){.vector = vector, .has_error = true, .error = error},
                       CPU_EVENT_EXCEPTION);
}

static uint32_t frame(unsigned n)
{
    return (uint32_t)fake_peek(c, (uint32_t)c->env.regs[4] + n * 4, 4);
}

static uint16_t frame16(unsigned n)
{
    return (uint16_t)fake_peek(c, (uint32_t)c->env.regs[4] + n * 2, 2);
}

static void expect(unsigned vector, uint32_t error)
{
    cr_assert_eq(c->env.eip, HANDLER + vector, "vector %d instead of %u",
                 (int)(c->env.eip - HANDLER), vector);
    cr_assert_eq(frame(0), error, "vector %u: error code %#x instead of %#x", vector, frame(0),
                 error);
}

TestSuite(cpu_deliver_legacy, .init = set_up, .fini = tear_down);

/* ---- interrupt and trap gates ---- */

Test(cpu_deliver_legacy, same_ring_frame_has_three_values)
{
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], STACK0 - 12);
    cr_assert_eq(frame(0), RIP);
    cr_assert_eq(frame(1), CODE);
    cr_assert_eq(frame(2), (FLAG_IF | FLAG_TF | FLAG_NT | 2));
    cr_assert_eq(c->env.eflags, 2);
    cr_assert_eq(c->env.hflags, (HF_PE | HF_CS32 | HF_SS32));
}

Test(cpu_deliver_legacy, ring_change_loads_ss_and_esp_from_the_tss)
{
    in_ring3();
    cr_assert(with_error(EXC_GP, 0x1230));
    expect(EXC_GP, 0x1230);
    cr_assert_eq(c->env.regs[4], STACK0 - 24);
    cr_assert_eq(frame(1), RIP);
    cr_assert_eq(frame(2), CODE3);
    cr_assert_eq(frame(4), STACK3);
    cr_assert_eq(frame(5), DATA3);
    cr_assert_eq(c->env.segs[CPU_SS].selector, DATA);
    cr_assert_eq(c->env.segs[CPU_SS].limit, 0xffffffff);
    cr_assert_eq(env_cpl(&c->env), 0);
}

Test(cpu_deliver_legacy, gate_to_ring_1_takes_its_own_stack)
{
    in_ring3();
    gate(0x40, CODE1 & ~3, HANDLER, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(env_cpl(&c->env), 1);
    cr_assert_eq(c->env.segs[CPU_CS].selector, CODE1);
    cr_assert_eq(c->env.segs[CPU_SS].selector, DATA1);
    cr_assert_eq(c->env.regs[4], STACK1 - 20);
}

Test(cpu_deliver_legacy, conforming_code_keeps_ring_3)
{
    in_ring3();
    gate(0x40, CODE_CONFORMING, HANDLER, TRAP32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(env_cpl(&c->env), 3);
    cr_assert_eq(c->env.segs[CPU_CS].selector, CODE_CONFORMING | 3);
    cr_assert_eq(c->env.regs[4], STACK3 - 12);
    cr_assert(c->env.eflags & FLAG_IF);
}

Test(cpu_deliver_legacy, sixteen_bit_gate_pushes_words_and_has_a_16_bit_offset)
{
    in_ring3();
    gate(EXC_GP, CODE, 0x12345678, INT16);
    cr_assert(with_error(EXC_GP, 0x18));
    cr_assert_eq(c->env.regs[4], STACK0 - 12);
    cr_assert_eq(frame16(0), 0x18);
    cr_assert_eq(frame16(1), RIP);
    cr_assert_eq(frame16(2), CODE3);
    cr_assert_eq(frame16(4), STACK3);
    cr_assert_eq(frame16(5), DATA3);
    cr_assert_eq(c->env.eip, 0x5678);
}

Test(cpu_deliver_legacy, sixteen_bit_tss_gives_ss_and_sp)
{
    in_ring3();
    c->env.tr.flags = 0x8300;
    c->env.tr.limit = 0x2b;
    fake_poke(c, TSS + 2, 0x7000, 2);
    fake_poke(c, TSS + 4, DATA, 2);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], 0x7000 - 20);
}

Test(cpu_deliver_legacy, sixteen_bit_stack_wraps_and_keeps_the_upper_half_of_esp)
{
    segment(CPU_SS, STACK16, 0x00009300);
    c->env.segs[CPU_SS].limit = 0xffff;
    c->env.regs[4] = 0xabcd0004;
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], 0xabcdfff8);
    cr_assert_eq(fake_peek(c, 0, 4), (FLAG_IF | FLAG_TF | FLAG_NT | 2));
    cr_assert_eq(fake_peek(c, 0xfff8, 4), RIP);
    cr_assert_not(c->env.hflags & HF_SS32);
}

Test(cpu_deliver_legacy, hflags_follow_the_code_and_the_bases)
{
    gate(0x40, CODE16, 0x1234, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.hflags, (HF_PE | HF_SS32 | HF_ADDSEG));
    c->env.segs[CPU_DS].base = 16;
    cr_assert(deliver(0x41, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.hflags, (HF_PE | HF_CS32 | HF_SS32 | HF_ADDSEG));
}

Test(cpu_deliver_legacy, accessed_bits_are_set)
{
    in_ring3();
    gdt(CODE, 0, 0xfffff, 0x00c09a00);
    gdt(DATA, 0, 0xfffff, 0x00c09200);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(fake_peek(c, GDT + CODE + 5, 1), 0x9b);
    cr_assert_eq(fake_peek(c, GDT + DATA + 5, 1), 0x93);
    cr_assert(c->env.segs[CPU_SS].flags & 0x100);
}

/* ---- checks ---- */

Test(cpu_deliver_legacy, int_n_needs_the_gates_dpl)
{
    in_ring3();
    cr_assert(deliver(0x80, CPU_EVENT_SOFT));
    expect(EXC_GP, 0x402);
    cr_assert_eq(frame(1), RIP - 2);
    in_ring3();
    gate(0x80, CODE, HANDLER + 0x80, TRAP32 | DPL3);
    cr_assert(deliver(0x80, CPU_EVENT_SOFT));
    cr_assert_eq(c->env.eip, HANDLER + 0x80);
}

Test(cpu_deliver_legacy, limit_type_and_presence_of_the_gate)
{
    static const unsigned bad[] = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 16, 22, 30};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        gate(0x40, CODE, HANDLER, 0x8000 | bad[i] << 8);
        cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
        expect(EXC_GP, 0x203);
    }
    gate(0x40, CODE, HANDLER, 0x0e00);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_NP, 0x203);
    c->env.idt.limit = 0x206;
    cr_assert(deliver(0x40, CPU_EVENT_SOFT));
    expect(EXC_GP, 0x202);
}

Test(cpu_deliver_legacy, bad_code_segments_fault_with_their_selector)
{
    static const struct {
        unsigned selector, vector, error;
    } cases[] = {
        {0, EXC_GP, 1},
        {0x100, EXC_GP, 0x101},
        {DATA, EXC_GP, DATA | 1},
        {TR, EXC_GP, TR | 1},
        {CODE3, EXC_GP, (CODE3 & ~3) | 1},
        {0x0c, EXC_GP, 0x0d},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        gate(0x40, cases[i].selector, HANDLER, INT32);
        cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
        expect(cases[i].vector, cases[i].error);
    }
    gdt(CODE_SHORT, 0, 0xfff, 0x00401b00);
    gate(0x40, CODE_SHORT, 0, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_NP, CODE_SHORT | 1);
}

Test(cpu_deliver_legacy, handler_beyond_the_code_limit_is_gp_with_ext_alone)
{
    gate(0x40, CODE_SHORT, 0x1000, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_GP, 1);
    gate(0x40, CODE_SHORT, 0xfff, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.eip, 0xfff);
}

Test(cpu_deliver_legacy, bad_inner_stacks)
{
    static const struct {
        unsigned ss, vector, error;
    } cases[] = {
        {0, EXC_TS, 1},
        {0x100, EXC_TS, 0x101},
        {DATA | 1, EXC_TS, DATA | 1},
        {DATA3 & ~3, EXC_TS, (DATA3 & ~3) | 1},
        {CODE, EXC_TS, CODE | 1},
        {DATA_READONLY, EXC_TS, DATA_READONLY | 1},
        {DATA_ABSENT, EXC_SS, DATA_ABSENT | 1},
        {STACK_SHORT, 0x40, 0}, /* room enough: ESP just above the limit */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        in_ring3();
        fake_poke(c, TSS + 8, cases[i].ss, 2);
        gate(EXC_TS, CODE_CONFORMING, HANDLER + EXC_TS, INT32);
        gate(EXC_SS, CODE_CONFORMING, HANDLER + EXC_SS, INT32);
        cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
        cr_assert_eq(c->env.eip, HANDLER + cases[i].vector, "SS %#x: vector %d", cases[i].ss,
                     (int)(c->env.eip - HANDLER));
        if (cases[i].vector != 0x40)
            expect(cases[i].vector, cases[i].error);
    }
}

Test(cpu_deliver_legacy, full_stack_is_ss_of_the_new_selector_or_of_ext)
{
    gate(EXC_SS, CODE_CONFORMING, HANDLER + EXC_SS, INT32);
    in_ring3();
    fake_poke(c, TSS + 8, STACK_SHORT, 2);
    fake_poke(c, TSS + 4, STACK0 + 1, 4);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_SS, STACK_SHORT | 1);
    /* The same ring: what is left is too small for #SS as well. */
    segment(CPU_CS, CODE, 0x00cf9b00);
    segment(CPU_SS, STACK_SHORT, 0x00409300);
    c->env.segs[CPU_SS].limit = 7;
    c->env.regs[4] = 8;
    c->env.hflags = HF_PE | HF_CS32 | HF_SS32;
    cr_assert_not(deliver(0x40, CPU_EVENT_EXTERNAL));
}

Test(cpu_deliver_legacy, expand_down_stack_has_its_room_above_the_limit)
{
    in_ring3();
    fake_poke(c, TSS + 8, STACK_DOWN, 2);
    fake_poke(c, TSS + 4, 0x8000 + 20, 4);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.eip, HANDLER + 0x40);
    in_ring3();
    gate(EXC_SS, CODE_CONFORMING, HANDLER + EXC_SS, INT32);
    fake_poke(c, TSS + 4, 0x8000 + 19, 4);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_SS, STACK_DOWN | 1);
}

Test(cpu_deliver_legacy, short_tss_is_ts_of_the_tr)
{
    in_ring3();
    gate(EXC_TS, CODE_CONFORMING, HANDLER + EXC_TS, INT32);
    c->env.tr.limit = 8;
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_TS, TR | 1);
    in_ring3();
    c->env.tr.limit = 9;
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.eip, HANDLER + 0x40);
}

Test(cpu_deliver_legacy, code_in_an_ldt)
{
    c->env.ldt = (struct env_seg){.selector = LDTR, .base = LDT, .limit = 0xf};
    fake_poke(c, LDT + 8, 0x00cf9b000000ffff, 8);
    gate(0x40, 8 | 4, HANDLER, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.segs[CPU_CS].selector, 8 | 4);
    gate(0x40, 0x10 | 4, HANDLER, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_GP, 0x15);
}

/* ---- virtual-8086 mode ---- */

Test(cpu_deliver_legacy, vm86_saves_and_clears_the_data_segments)
{
    in_vm86();
    cr_assert(with_error(EXC_GP, 0));
    expect(EXC_GP, 0);
    cr_assert_eq(c->env.regs[4], STACK0 - 40);
    cr_assert_eq(frame(2), 0x100 + CPU_CS);
    cr_assert(frame(3) & FLAG_VM);
    cr_assert_eq(frame(4), 0x800);
    cr_assert_eq(frame(5), 0x100 + CPU_SS);
    cr_assert_eq(frame(6), 0x100 + CPU_ES);
    cr_assert_eq(frame(7), 0x100 + CPU_DS);
    cr_assert_eq(frame(8), 0x100 + CPU_FS);
    cr_assert_eq(frame(9), 0x100 + CPU_GS);
    cr_assert_eq(c->env.segs[CPU_DS].selector, 0);
    cr_assert_eq(c->env.segs[CPU_GS].flags, 0);
    cr_assert_not(c->env.eflags & FLAG_VM);
    cr_assert_eq(c->env.hflags, (HF_PE | HF_CS32 | HF_SS32));
}

Test(cpu_deliver_legacy, vm86_enters_only_non_conforming_ring_0)
{
    in_vm86();
    gate(0x40, CODE1 & ~3, HANDLER, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_GP, (CODE1 & ~3) | 1);
    in_vm86();
    gate(0x40, CODE_CONFORMING, HANDLER, INT32);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_GP, CODE_CONFORMING | 1);
}

/* ---- real mode ---- */

static void in_real_mode(void)
{
    c->env.cr[0] = 0;
    c->env.hflags = HF_ADDSEG;
    c->env.idt = (struct env_seg){.limit = 0x3ff};
    for (unsigned i = 0; i < 6; i++) {
        c->env.segs[i] = (struct env_seg){
            .selector = 0x100 * i, .base = 0x1000 * i, .limit = 0xffff, .flags = 0x9300};
    }
    for (unsigned v = 0; v < 256; v++)
        fake_poke(c, v * 4, 0x12340000 | v, 4);
    c->env.regs[4] = 0x1000;
    c->env.eflags |= FLAG_AC;
}

Test(cpu_deliver_legacy, real_mode_pushes_six_bytes_and_no_error_code)
{
    in_real_mode();
    cr_assert(with_error(EXC_GP, 0x55));
    cr_assert_eq(c->env.eip, EXC_GP);
    cr_assert_eq(c->env.segs[CPU_CS].selector, 0x1234);
    cr_assert_eq(c->env.segs[CPU_CS].base, 0x12340);
    cr_assert_eq(c->env.regs[4], 0xffa);
    cr_assert_eq(fake_peek(c, 0x2ffa, 2), RIP);
    cr_assert_eq(fake_peek(c, 0x2ffc, 2), 0x100);
    cr_assert_eq(fake_peek(c, 0x2ffe, 2), (FLAG_IF | FLAG_TF | FLAG_NT | 2));
    cr_assert_eq(c->env.eflags, (FLAG_NT | 2));
    cr_assert_eq(c->env.hflags, HF_ADDSEG);
}

Test(cpu_deliver_legacy, real_mode_stack_wraps_at_0_and_faults_at_1)
{
    in_real_mode();
    c->env.regs[4] = 0;
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], 0xfffa);
    c->env.regs[4] = 1;
    cr_assert_not(deliver(0x40, CPU_EVENT_EXTERNAL), "#SS, #DF: no stack for any of them");
}

Test(cpu_deliver_legacy, real_mode_vector_beyond_the_limit_is_gp)
{
    in_real_mode();
    c->env.idt.limit = 0x40 * 4 + 2;
    cr_assert(deliver(0x40, CPU_EVENT_SOFT));
    cr_assert_eq(c->env.eip, EXC_GP);
    cr_assert_eq(fake_peek(c, 0x2ffa, 2), RIP - 2);
}

/* ---- task gates ---- */

static void set_up_task(void)
{
    fake_poke(c, TSS2 + 0x1c, 0x77000, 4);
    fake_poke(c, TSS2 + 0x20, 0x6666, 4);
    fake_poke(c, TSS2 + 0x24, 2, 4);
    for (unsigned i = 0; i < 8; i++)
        fake_poke(c, TSS2 + 0x28 + i * 4, i == 4 ? STACK1 : 0x1000 + i, 4);
    for (unsigned i = 0; i < 6; i++)
        fake_poke(c, TSS2 + 0x48 + i * 4, i == CPU_CS ? CODE : DATA, 2);
    gate(EXC_DF, TR2, 0, TASK);
    gate(0x40, TR2, 0, TASK | DPL3);
}

Test(cpu_deliver_legacy, task_gate_switches_tasks)
{
    in_ring3();
    set_up_task();
    c->env.cr[0] |= CR0_PG;
    c->env.regs[3] = 0xbbbb;
    c->vcpu.dr7 = 0x7ff;
    cr_assert(with_error(EXC_DF, 0));
    cr_assert_eq(c->env.eip, 0x6666);
    cr_assert_eq(c->env.cr[3], 0x77000);
    cr_assert(c->env.cr[0] & CR0_TS);
    cr_assert_eq(c->env.eflags, (FLAG_NT | 2));
    cr_assert_eq(c->env.regs[3], 0x1003);
    cr_assert_eq(c->env.regs[4], STACK1 - 4);
    cr_assert_eq(frame(0), 0);
    cr_assert_eq(c->env.tr.selector, TR2);
    cr_assert_eq(env_cpl(&c->env), 0);
    cr_assert_eq(c->env.hflags, (HF_PE | HF_CS32 | HF_SS32));
    cr_assert_eq(c->vcpu.dr7, 0x7ff & ~0x155);
    cr_assert_eq(fake_peek(c, TSS2, 2), TR);
    cr_assert_eq(fake_peek(c, GDT + TR2 + 5, 1), 0x8b);
    cr_assert_eq(fake_peek(c, TSS + 0x20, 4), RIP);
    cr_assert_eq(fake_peek(c, TSS + 0x34, 4), 0xbbbb);
    cr_assert_eq(fake_peek(c, TSS + 0x38, 4), STACK3);
    cr_assert_eq(fake_peek(c, TSS + 0x4c, 2), CODE3);
}

Test(cpu_deliver_legacy, bad_task_gates_fault_in_the_old_task)
{
    static const struct {
        unsigned selector, vector, error;
        uint32_t type;
    } cases[] = {
        {0, EXC_GP, 1, 0x8900},           {TR2 | 4, EXC_GP, TR2 | 5, 0x8900},
        {0x100, EXC_GP, 0x101, 0x8900},   {TR2, EXC_GP, TR2 | 1, 0x8b00},
        {DATA, EXC_GP, DATA | 1, 0x8900}, {TR2, EXC_NP, TR2 | 1, 0x0900},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        gate(0x40, cases[i].selector, 0, TASK);
        gdt(TR2, TSS2, 0x67, cases[i].type);
        cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
        expect(cases[i].vector, cases[i].error);
        cr_assert_eq(c->env.tr.selector, TR);
    }
    gdt(TR2, TSS2, 0x66, 0x8900);
    gate(0x40, TR2, 0, TASK);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    expect(EXC_TS, TR2 | 1);
}

Test(cpu_deliver_legacy, bad_segment_of_the_new_task_faults_there)
{
    set_up_task();
    fake_poke(c, TSS2 + 0x54, CODE3 & ~3, 2);  /* DS: fine, readable code of ring 3 */
    fake_poke(c, TSS2 + 0x48, DATA_ABSENT, 2); /* ES */
    cr_assert(deliver(0x40, CPU_EVENT_SOFT));
    expect(EXC_NP, DATA_ABSENT);
    cr_assert_eq(frame(1), 0x6666, "EIP of the new task");
    cr_assert_eq(c->env.tr.selector, TR2);
    cr_assert_eq(c->env.regs[4], STACK1 - 16);
}

Test(cpu_deliver_legacy, task_in_vm86)
{
    set_up_task();
    fake_poke(c, TSS2 + 0x24, FLAG_VM | 2, 4);
    cr_assert(deliver(0x40, CPU_EVENT_EXTERNAL));
    cr_assert_eq(env_cpl(&c->env), 3);
    cr_assert_eq(c->env.segs[CPU_CS].base, CODE << 4);
    cr_assert_eq(c->env.segs[CPU_DS].flags >> 13 & 3, 3);
    cr_assert(c->env.hflags & HF_ADDSEG);
}
