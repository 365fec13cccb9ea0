/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery in IA-32e mode, and the rules for faults during delivery, common to all modes. */
#include "tests/unit/fake_cpu_env.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,
    STACK0 = 0x8000,
    STACK_IST = 0xa000,
    STACK3 = 0xc000,
    HANDLER = 0x401000,
    RIP = 0x5555
};
enum {
    CODE64 = 0x08,
    DATA = 0x10,
    CODE32_3 = 0x1b,
    DATA3 = 0x23,
    CODE64_3 = 0x2b,
    CODE32 = 0x30,
    CODE_LD = 0x38,
    CODE_ABSENT = 0x40,
    CODE_CONFORMING = 0x48,
    TR = 0x50
};
enum { GATE_INTERRUPT = 0x8e00, GATE_TRAP = 0x8f00 };

static struct cpu *c;

static void gdt(unsigned selector, uint32_t low, uint32_t high)
{
    fake_poke(c, GDT + (selector & ~7u), low, 4);
    fake_poke(c, GDT + (selector & ~7u) + 4, high, 4);
}

static void gate(unsigned vector, uint16_t selector, uint64_t offset, unsigned flags)
{
    uint64_t at = IDT + vector * 16;

    fake_poke(c, at, (offset & 0xffff) | (uint32_t)selector << 16, 4);
    fake_poke(c, at + 4, (offset & 0xffff0000) | flags, 4);
    fake_poke(c, at + 8, offset >> 32, 8);
}

static void segment(unsigned n, unsigned selector, uint32_t flags)
{
    c->env.segs[n] = (struct env_seg){.selector = selector, .limit = 0xffffffff, .flags = flags};
}

static void in_ring3(void)
{
    segment(CPU_CS, CODE64_3, 0x00affb00);
    segment(CPU_SS, DATA3, 0x00cff300);
    c->env.hflags = HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32 | 3;
    c->env.regs[4] = STACK3;
}

static void set_up(void)
{
    c = fake_new();
    c->env.cr[0] = CR0_PE | CR0_PG;
    c->env.gdt = (struct env_seg){.base = GDT, .limit = 0xff};
    c->env.idt = (struct env_seg){.base = IDT, .limit = 0xfff};
    c->env.tr = (struct env_seg){.selector = TR, .base = TSS, .limit = 0x67, .flags = 0x8b00};
    gdt(CODE64, 0xffff, 0x00af9b00);
    gdt(DATA, 0xffff, 0x00cf9300);
    gdt(CODE32_3, 0xffff, 0x00cffb00);
    gdt(DATA3, 0xffff, 0x00cff300);
    gdt(CODE64_3, 0xffff, 0x00affb00);
    gdt(CODE32, 0xffff, 0x00cf9b00);
    gdt(CODE_LD, 0xffff, 0x00ef9b00);
    gdt(CODE_ABSENT, 0xffff, 0x00af1b00);
    gdt(CODE_CONFORMING, 0xffff, 0x00af9f00);
    fake_poke(c, TSS + 4, STACK0, 8);
    fake_poke(c, TSS + 36, STACK_IST + 9, 8);
    for (unsigned v = 0; v < 256; v++)
        gate(v, CODE64, HANDLER + v, GATE_INTERRUPT);
    segment(CPU_CS, CODE64, 0x00af9b00);
    segment(CPU_SS, DATA, 0x00cf9300);
    c->env.hflags = HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32 | HF_INHIBIT_IRQ;
    c->env.regs[4] = STACK0;
    c->env.eip = RIP;
    c->env.eflags = FLAG_IF | FLAG_TF | FLAG_NT | 2;
}

static void tear_down(void)
{
    g_free(c);
}

static struct cpu_exc exception(unsigned vector, bool has_error, uint32_t error)
{
    return (struct cpu_exc){.vector = vector, .has_error = has_error, .error = error};
}

static bool soft(unsigned vector)
{
    return cpu_deliver(c, (struct cpu_exc){.vector = vector, .insn_bytes = 2}, CPU_EVENT_SOFT);
}

/* Value number @n of the frame, 0 being the last one pushed. */
static uint64_t frame(unsigned n)
{
    return fake_peek(c, c->env.regs[4] + n * 8, 8);
}

/* The handler of @vector runs, with @error on its stack. */
static void expect(unsigned vector, uint64_t error)
{
    cr_assert_eq(c->env.eip, HANDLER + vector, "vector %d instead of %u",
                 (int)(c->env.eip - HANDLER), vector);
    cr_assert_eq(frame(0), error, "vector %u: error code %#lx instead of %#lx", vector,
                 (unsigned long)frame(0), (unsigned long)error);
}

TestSuite(cpu_deliver, .init = set_up, .fini = tear_down);

Test(cpu_deliver, same_ring_frame_has_five_values_on_an_aligned_stack)
{
    c->env.regs[4] = STACK0 - 3;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], STACK0 - 16 - 40);
    cr_assert_eq(frame(0), RIP);
    cr_assert_eq(frame(1), CODE64);
    cr_assert_eq(frame(2), (FLAG_IF | FLAG_TF | FLAG_NT | 2));
    cr_assert_eq(frame(3), STACK0 - 3);
    cr_assert_eq(frame(4), DATA);
    cr_assert_eq(c->env.segs[CPU_SS].selector, DATA);
    cr_assert_eq(c->env.eflags, 2);
    cr_assert_eq(c->env.hflags, (HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32));
}

Test(cpu_deliver, ring_change_takes_rsp0_and_a_null_ss)
{
    in_ring3();
    cr_assert(cpu_deliver(c, exception(EXC_GP, true, 0x1234), CPU_EVENT_EXCEPTION));
    expect(EXC_GP, 0x1234);
    cr_assert_eq(c->env.regs[4], STACK0 - 48);
    cr_assert_eq(frame(1), RIP);
    cr_assert_eq(frame(2), CODE64_3);
    cr_assert_eq(frame(4), STACK3);
    cr_assert_eq(frame(5), DATA3);
    cr_assert_eq(c->env.segs[CPU_SS].selector, 0);
    cr_assert_eq(c->env.segs[CPU_CS].selector, CODE64);
    cr_assert_eq(env_cpl(&c->env), 0);
}

Test(cpu_deliver, ist_is_taken_and_aligned_without_ring_change)
{
    gate(EXC_NMI, CODE64, HANDLER + 2, GATE_INTERRUPT | 1);
    cr_assert(cpu_deliver(c, exception(EXC_NMI, false, 0), CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.regs[4], STACK_IST - 40);
    cr_assert_eq(c->env.segs[CPU_SS].selector, DATA);
}

Test(cpu_deliver, compatibility_mode_source_saves_its_selectors)
{
    in_ring3();
    segment(CPU_CS, CODE32_3, 0x00cffb00);
    c->env.hflags = HF_PE | HF_LMA | HF_CS32 | HF_SS32 | HF_ADDSEG | 3;
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(frame(1), CODE32_3);
    cr_assert_eq(c->env.hflags, (HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32));
}

Test(cpu_deliver, trap_gate_keeps_if)
{
    gate(0x40, CODE64, HANDLER + 0x40, GATE_TRAP);
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.eflags, (FLAG_IF | 2));
}

Test(cpu_deliver, conforming_code_keeps_the_ring_and_the_stack)
{
    in_ring3();
    gate(EXC_UD, CODE_CONFORMING, HANDLER + 6, GATE_INTERRUPT);
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(env_cpl(&c->env), 3);
    cr_assert_eq(c->env.segs[CPU_CS].selector, CODE_CONFORMING | 3);
    cr_assert_eq(c->env.segs[CPU_SS].selector, DATA3);
    cr_assert_eq(c->env.regs[4], STACK3 - 40);
}

Test(cpu_deliver, rf_is_pushed_set_for_faults_only)
{
    static const struct {
        unsigned vector;
        enum cpu_event_kind kind;
        bool rf;
    } cases[] = {
        {EXC_UD, CPU_EVENT_EXCEPTION, true},  {EXC_PF, CPU_EVENT_EXCEPTION, true},
        {EXC_DB, CPU_EVENT_EXCEPTION, false}, {EXC_MC, CPU_EVENT_EXCEPTION, false},
        {EXC_BP, CPU_EVENT_SOFT, false},      {EXC_UD, CPU_EVENT_SOFT, false},
        {0x40, CPU_EVENT_EXTERNAL, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        c->env.regs[4] = STACK0;
        cr_assert(cpu_deliver(c, exception(cases[i].vector, false, 0), cases[i].kind));
        cr_assert_eq(!!(frame(2) & FLAG_RF), cases[i].rf, "vector %u, kind %d", cases[i].vector,
                     cases[i].kind);
    }
}

Test(cpu_deliver, rf_held_by_rflags_is_pushed_for_interrupts_not_for_int_n)
{
    c->env.eflags |= FLAG_RF;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    cr_assert(frame(2) & FLAG_RF);
    cr_assert_not(c->env.eflags & FLAG_RF);
    c->env.eflags |= FLAG_RF;
    cr_assert(soft(0x41));
    cr_assert_not(frame(2) & FLAG_RF);
}

Test(cpu_deliver, page_fault_sets_cr2)
{
    struct cpu_exc exc = exception(EXC_PF, true, 6);

    exc.cr2 = 0xdeadb000;
    cr_assert(cpu_deliver(c, exc, CPU_EVENT_EXCEPTION));
    expect(EXC_PF, 6);
    cr_assert_eq(c->env.cr[2], 0xdeadb000);
}

Test(cpu_deliver, old_exception_and_shadow_are_cleared)
{
    const struct env_offsets *off = env_offsets(c);

    ENV32(&c->env, off->old_exception) = 14;
    c->vcpu.shadow = true;
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(ENV32(&c->env, off->old_exception), UINT32_MAX);
    cr_assert_not(c->vcpu.shadow);
}

Test(cpu_deliver, debug_exception_clears_gd_and_int_1_does_not)
{
    c->vcpu.dr7 = 0x2400;
    cr_assert(soft(EXC_DB));
    cr_assert_eq(c->vcpu.dr7, 0x2400);
    cr_assert(cpu_deliver(c, exception(EXC_DB, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(c->vcpu.dr7, 0x400);
}

Test(cpu_deliver, accessed_bit_of_the_code_segment_is_set)
{
    gdt(CODE64, 0xffff, 0x00af9a00);
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(fake_peek(c, GDT + CODE64 + 5, 1), 0x9b);
    cr_assert_eq(c->env.segs[CPU_CS].flags, 0x00af9b00);
}

Test(cpu_deliver, base_of_a_64_bit_code_segment_is_ignored)
{
    gdt(CODE64, 0x1234ffff, 0x55af9b66);
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(c->env.segs[CPU_CS].base, 0);
}

/* ---- checks of the gate ---- */

Test(cpu_deliver, int_n_below_the_gates_dpl_is_gp_without_ext_at_the_instruction)
{
    in_ring3();
    cr_assert(soft(0x80));
    expect(EXC_GP, 0x80 * 8 + 2);
    cr_assert_eq(frame(1), RIP - 2, "RIP is that of the INT n");
    cr_assert(frame(3) & FLAG_RF);
}

Test(cpu_deliver, int_n_through_a_dpl_3_gate_passes)
{
    in_ring3();
    gate(0x80, CODE64, HANDLER + 0x80, GATE_INTERRUPT | 0x6000);
    cr_assert(soft(0x80));
    cr_assert_eq(c->env.eip, HANDLER + 0x80);
    cr_assert_eq(frame(0), RIP);
}

Test(cpu_deliver, int1_needs_no_dpl)
{
    in_ring3();
    cr_assert(cpu_deliver(c, exception(EXC_DB, false, 0), CPU_EVENT_ICEBP));
    cr_assert_eq(c->env.eip, HANDLER + EXC_DB);
}

Test(cpu_deliver, vector_beyond_the_idt_limit_is_gp_with_idt_and_ext)
{
    c->env.idt.limit = 0x40 * 16 + 14;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_GP, 0x40 * 8 + 3);
    cr_assert_eq(frame(1), RIP);
}

Test(cpu_deliver, last_byte_of_the_gate_may_be_the_limit)
{
    c->env.idt.limit = 0x40 * 16 + 15;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    cr_assert_eq(c->env.eip, HANDLER + 0x40);
}

Test(cpu_deliver, gates_of_other_types_are_gp)
{
    for (unsigned type = 0; type < 32; type++) {
        if (type == 14 || type == 15)
            continue;
        gate(0x40, CODE64, HANDLER, 0x8000 | type << 8);
        cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
        expect(EXC_GP, 0x40 * 8 + 3);
    }
}

Test(cpu_deliver, absent_gate_is_np_after_the_dpl_check)
{
    gate(0x40, CODE64, HANDLER, 0x0e00);
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_NP, 0x40 * 8 + 3);
    cr_assert(soft(0x40));
    expect(EXC_NP, 0x40 * 8 + 2);
    in_ring3();
    cr_assert(soft(0x40));
    expect(EXC_GP, 0x40 * 8 + 2);
}

/* ---- checks of the code segment, the TSS and the stack ---- */

Test(cpu_deliver, bad_code_segments_fault_with_their_selector)
{
    static const struct {
        unsigned selector, vector, error;
    } cases[] = {
        {0, EXC_GP, 1},
        {3, EXC_GP, 1},
        {0x100, EXC_GP, 0x101},
        {0x0c, EXC_GP, 0x0d}, /* there is no LDT */
        {DATA, EXC_GP, DATA | 1},
        {CODE32, EXC_GP, CODE32 | 1},
        {CODE_LD, EXC_GP, CODE_LD | 1},
        {CODE_ABSENT, EXC_NP, CODE_ABSENT | 1},
        {CODE64_3, EXC_GP, (CODE64_3 & ~3) | 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        gate(0x40, cases[i].selector, HANDLER, GATE_INTERRUPT);
        cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
        expect(cases[i].vector, cases[i].error);
    }
}

Test(cpu_deliver, non_canonical_handler_is_gp_with_ext_alone)
{
    gate(0x40, CODE64, 0x0000800000000000, GATE_INTERRUPT);
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_GP, 1);
    cr_assert(soft(0x40));
    expect(EXC_GP, 0);
}

Test(cpu_deliver, stack_pointer_beyond_the_tss_is_ts_of_the_tr)
{
    gate(0x40, CODE64, HANDLER, GATE_INTERRUPT | 1);
    c->env.tr.limit = 42;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_TS, TR | 1);
}

Test(cpu_deliver, non_canonical_stack_from_the_tss_is_ss)
{
    fake_poke(c, TSS + 36, 0x8000000000000000, 8);
    gate(0x40, CODE64, HANDLER, GATE_INTERRUPT | 1);
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_SS, 1);
}

Test(cpu_deliver, faulting_push_names_the_first_value_that_does_not_fit)
{
    gate(EXC_PF, CODE64, HANDLER + EXC_PF, GATE_INTERRUPT | 1);
    c->env.regs[4] = STACK0 + 16;
    c->page[STACK0 / PAGE_SIZE - 1] = FAKE_READ_ONLY;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_PF, 3);
    cr_assert_eq(c->env.cr[2], STACK0 - 8);
    cr_assert_eq(frame(4), STACK0 + 16, "RSP is that before the abandoned delivery");
    cr_assert_eq(fake_peek(c, STACK0 + 8, 8), DATA, "what was pushed stays");
}

Test(cpu_deliver, stack_is_accessed_with_the_privilege_of_the_new_ring)
{
    in_ring3();
    c->page[STACK0 / PAGE_SIZE - 1] = FAKE_SUPERVISOR;
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(c->env.eip, HANDLER + EXC_UD);

    in_ring3();
    gate(EXC_UD, CODE_CONFORMING, HANDLER + 6, GATE_INTERRUPT);
    c->page[STACK3 / PAGE_SIZE - 1] = FAKE_SUPERVISOR;
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    expect(EXC_PF, 7);
}

Test(cpu_deliver, non_canonical_own_stack_is_ss_then_double_fault_on_an_ist)
{
    gate(EXC_SS, CODE64, HANDLER + EXC_SS, GATE_INTERRUPT | 1);
    c->env.regs[4] = 0x0000900000000000;
    cr_assert(cpu_deliver(c, exception(0x40, false, 0), CPU_EVENT_EXTERNAL));
    expect(EXC_SS, 1);
}

/* ---- nesting ---- */

/* Make the delivery of @vector fail: 'g' #GP, 'p' #PF on its handler's stack. */
static void break_vector(unsigned vector, char how)
{
    if (how == 'g') {
        gate(vector, CODE64, HANDLER, 0x8500);
    } else {
        gate(vector, CODE64, HANDLER, GATE_INTERRUPT | 2);
        fake_poke(c, TSS + 44, 0x5000, 8);
        c->page[4] = FAKE_ABSENT;
    }
}

Test(cpu_deliver, nesting_follows_the_table)
{
    static const struct {
        unsigned first;
        enum cpu_event_kind kind;
        char how;
        unsigned result;
    } cases[] = {
        {EXC_UD, CPU_EVENT_EXCEPTION, 'g', EXC_GP}, {EXC_UD, CPU_EVENT_EXCEPTION, 'p', EXC_PF},
        {EXC_DB, CPU_EVENT_EXCEPTION, 'g', EXC_GP}, {EXC_DE, CPU_EVENT_EXCEPTION, 'g', EXC_DF},
        {EXC_DE, CPU_EVENT_EXCEPTION, 'p', EXC_PF}, {EXC_TS, CPU_EVENT_EXCEPTION, 'g', EXC_DF},
        {EXC_NP, CPU_EVENT_EXCEPTION, 'g', EXC_DF}, {EXC_SS, CPU_EVENT_EXCEPTION, 'g', EXC_DF},
        {EXC_SS, CPU_EVENT_EXCEPTION, 'p', EXC_PF}, {EXC_AC, CPU_EVENT_EXCEPTION, 'g', EXC_GP},
        {EXC_PF, CPU_EVENT_EXCEPTION, 'g', EXC_DF}, {EXC_PF, CPU_EVENT_EXCEPTION, 'p', EXC_DF},
        {EXC_NMI, CPU_EVENT_EXTERNAL, 'g', EXC_GP}, {EXC_DE, CPU_EVENT_SOFT, 'g', EXC_GP},
        {EXC_TS, CPU_EVENT_EXTERNAL, 'g', EXC_GP},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tear_down();
        set_up();
        break_vector(cases[i].first, cases[i].how);
        cr_assert(cpu_deliver(c, exception(cases[i].first, false, 0), cases[i].kind));
        cr_assert_eq(c->env.eip, HANDLER + cases[i].result,
                     "vector %u, kind %d, fault '%c': vector %d", cases[i].first, cases[i].kind,
                     cases[i].how, (int)(c->env.eip - HANDLER));
        if (cases[i].result == EXC_DF)
            expect(EXC_DF, 0);
    }
}

Test(cpu_deliver, double_fault_leaves_the_second_page_faults_address_in_cr2)
{
    struct cpu_exc exc = exception(EXC_PF, true, 2);

    exc.cr2 = 0x7000;
    break_vector(EXC_PF, 'p');
    cr_assert(cpu_deliver(c, exc, CPU_EVENT_EXCEPTION));
    expect(EXC_DF, 0);
    cr_assert_eq(c->env.cr[2], 0x5000 - 8);
}

Test(cpu_deliver, chain_of_benign_contributory_and_page_fault_ends_in_double_fault)
{
    break_vector(EXC_UD, 'g');
    break_vector(EXC_GP, 'p');
    gate(EXC_PF, CODE64, HANDLER, 0);
    cr_assert(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    expect(EXC_DF, 0);
}

Test(cpu_deliver, fault_during_double_fault_is_a_triple_fault_that_changes_nothing)
{
    struct cpu_env before;

    c->env.idt.limit = 0;
    c->env.cr[2] = 0x1234;
    before = c->env;
    cr_assert_not(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
    cr_assert_arr_eq((uint8_t *)&c->env, (uint8_t *)&before, sizeof(before));
}

Test(cpu_deliver, triple_fault_keeps_cr2)
{
    break_vector(EXC_PF, 'p');
    break_vector(EXC_DF, 'p');
    cr_assert_not(cpu_deliver(c, exception(EXC_PF, true, 0), CPU_EVENT_EXCEPTION));
    cr_assert_eq(c->env.cr[2], 0);
    cr_assert_eq(c->env.eip, RIP);
}

Test(cpu_deliver, unreadable_idt_is_a_page_fault_and_then_triple)
{
    c->page[IDT / PAGE_SIZE] = FAKE_ABSENT;
    cr_assert_not(cpu_deliver(c, exception(EXC_UD, false, 0), CPU_EVENT_EXCEPTION));
}

Test(cpu_deliver, any_state_is_survived)
{
    struct base_rng rng;

    base_rng_init(&rng, 7, 0);
    for (unsigned i = 0; i < 20000; i++) {
        for (unsigned at = GDT; at < TSS + 0x68; at += 8)
            if (base_rng_next(&rng) % 8 == 0)
                fake_poke(c, at, base_rng_next(&rng), 8);
        c->env.eflags = base_rng_next(&rng) & 0x3fffff;
        c->env.hflags = base_rng_next(&rng) & (HF_LMA | HF_CS64 | HF_CS32 | HF_CPL);
        c->env.cr[0] = base_rng_next(&rng) & CR0_PE;
        c->env.idt.limit = base_rng_next(&rng) & 0xfff;
        c->env.tr.limit = base_rng_next(&rng) & 0x7f;
        c->env.ldt = (struct env_seg){.selector = 8, .base = GDT, .limit = 0x7f};
        c->env.regs[4] = base_rng_next(&rng) >> (base_rng_next(&rng) & 63);
        cpu_deliver(c, exception(base_rng_next(&rng) & 0xff, i & 1, 0), base_rng_next(&rng) & 3);
    }
}
