/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_cpu_env.h"

#include <criterion/criterion.h>

#define NON_CANONICAL 0x0000800000000000ull
#define KERNEL        0xffff82d040200000ull

static struct cpu *c;

static void set_up(void)
{
    c = fake_new();
    cpu_msr_reset(&c->vcpu, false);
}

static void tear_down(void)
{
    g_free(c);
}

static uint64_t rd(uint32_t msr)
{
    uint64_t value = 0x5a5a;

    cr_assert(cpu_msr_read(c, msr, &value), "MSR %#x cannot be read", msr);
    return value;
}

static void refuses_read(uint32_t msr)
{
    uint64_t value = 0x5a5a;

    cr_assert_not(cpu_msr_read(c, msr, &value), "MSR %#x can be read", msr);
    cr_assert_eq(value, 0x5a5a);
}

static void takes(uint32_t msr, uint64_t value)
{
    cr_assert(cpu_msr_write(c, msr, value), "MSR %#x refuses %#lx", msr, (unsigned long)value);
    cr_assert_eq(rd(msr), value, "MSR %#x does not hold %#lx", msr, (unsigned long)value);
}

static void refuses(uint32_t msr, uint64_t value)
{
    cr_assert_not(cpu_msr_write(c, msr, value), "MSR %#x takes %#lx", msr, (unsigned long)value);
}

static void use_model(const char *name)
{
    c->model = cpu_model_find(name);
}

TestSuite(cpu_msr, .init = set_up, .fini = tear_down);

Test(cpu_msr, unknown_ones_do_not_exist)
{
    static const uint32_t unknown[] = {
        0,     1,     0x11,  0x2a,  0x3a,       0x48,       0x49,       0xcd,      0xce,
        0xe7,  0x122, 0x186, 0x198, 0x210,      0x24f,      0x25a,      0x270,     0x345,
        0x480, 0x600, 0x7ff, 0x900, 0xc0000104, 0xc0010015, 0x40000000, 0xffffffff};

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        refuses_read(unknown[i]);
        refuses(unknown[i], 0);
    }
}

Test(cpu_msr, read_only_ones_refuse_writes)
{
    static const uint32_t constant[] = {0x17, 0xfe};

    for (size_t i = 0; i < ARRAY_LEN(constant); i++) {
        rd(constant[i]);
        refuses(constant[i], 0);
    }
}

Test(cpu_msr, tsc_counts_cycles_from_what_was_written)
{
    c->vcpu.cycles = 1000;
    cr_assert_eq(rd(0x10), 1000);
    takes(0x10, 5);
    c->vcpu.cycles += 10;
    cr_assert_eq(rd(0x10), 15);
}

Test(cpu_msr, tsc_adjust_and_tsc_move_together)
{
    refuses_read(0x3b);
    refuses(0x3b, 0);
    use_model("paravane-v2");
    c->vcpu.cycles = 1000;
    takes(0x10, 600);
    cr_assert_eq(rd(0x3b), (uint64_t)-400);
    takes(0x3b, 0);
    cr_assert_eq(rd(0x10), 1000);
    takes(0x3b, 50);
    cr_assert_eq(rd(0x10), 1050);
}

Test(cpu_msr, armed_deadline_is_armed_anew_when_the_tsc_jumps)
{
    use_model("paravane-v2");
    takes(0x10, 100);
    cr_assert_eq(c->deadline_writes, 0);
    takes(0x6e0, 5000);
    takes(0x10, 200);
    cr_assert_eq(c->deadline_writes, 2);
    takes(0x3b, 7);
    cr_assert_eq(c->deadline_writes, 3);
    cr_assert_eq(c->deadline, 5000);
}

Test(cpu_msr, local_apic_answers_for_its_own)
{
    takes(0x1b, 0xfee00000);
    cr_assert_eq(c->apic_base, 0xfee00000);
    refuses_read(0x802);
    refuses(0x80b, 0);
    refuses_read(0x6e0);
    refuses(0x6e0, 1);
    use_model("paravane-v2");
    takes(0x6e0, 12345);
    cr_assert_eq(c->deadline, 12345);
}

Test(cpu_msr, canonical_addresses_only)
{
    static const uint32_t address[] = {0x175,      0x176,      0xc0000082, 0xc0000083,
                                       0xc0000100, 0xc0000101, 0xc0000102};

    for (size_t i = 0; i < ARRAY_LEN(address); i++) {
        takes(address[i], KERNEL + i);
        refuses(address[i], NON_CANONICAL);
        refuses(address[i], 1ull << 63);
        cr_assert_eq(rd(address[i]), KERNEL + i);
    }
    for (size_t i = 0; i < ARRAY_LEN(address); i++)
        cr_assert_eq(rd(address[i]), KERNEL + i, "MSR %#x shares its place", address[i]);
}

Test(cpu_msr, segment_bases_are_those_of_the_segments)
{
    takes(0xc0000100, 0x1111);
    takes(0xc0000101, 0x2222);
    cr_assert_eq(c->env.segs[CPU_FS].base, 0x1111);
    cr_assert_eq(c->env.segs[CPU_GS].base, 0x2222);
}

Test(cpu_msr, widths_of_the_system_call_registers)
{
    takes(0xc0000081, 0x0023e008ffffffff);
    takes(0xc0000084, 0x47700);
    refuses(0xc0000084, 1ull << 32);
    cr_assert(cpu_msr_write(c, 0x174, 0x1234500e008));
    cr_assert_eq(rd(0x174), 0x4500e008);
}

Test(cpu_msr, tsc_aux_is_32_bits_wide_and_comes_with_rdtscp)
{
    takes(0xc0000103, 0xffffffff);
    refuses(0xc0000103, 1ull << 32);
    use_model("paravane-min");
    refuses_read(0xc0000103);
    refuses(0xc0000103, 0);
}

Test(cpu_msr, efer_reserved_bits_and_lme_under_paging)
{
    takes(0xc0000080, EFER_SCE | EFER_NXE | EFER_LME);
    refuses(0xc0000080, EFER_SCE | 2);
    refuses(0xc0000080, 1ull << 12);
    refuses(0xc0000080, 1ull << 14);
    c->env.cr[0] = CR0_PE | CR0_PG;
    refuses(0xc0000080, EFER_SCE);
    takes(0xc0000080, EFER_LME);
}

Test(cpu_msr, efer_lma_is_read_only)
{
    cr_assert(cpu_msr_write(c, 0xc0000080, EFER_LMA | EFER_SCE));
    cr_assert_eq(rd(0xc0000080), EFER_SCE);
    ENV64(&c->env, env_offsets(c)->efer) = EFER_LME | EFER_LMA;
    cr_assert(cpu_msr_write(c, 0xc0000080, EFER_LME | EFER_NXE));
    cr_assert_eq(rd(0xc0000080), (EFER_LME | EFER_LMA | EFER_NXE));
}

Test(cpu_msr, pat_takes_valid_types_only)
{
    cr_assert_eq(rd(0x277), 0x0007040600070406);
    takes(0x277, 0x0706050401000606);
    refuses(0x277, 0x0007040600070402);
    refuses(0x277, 0x0307040600070406);
    refuses(0x277, 0x0807040600070406);
}

Test(cpu_msr, mtrr_fixed_ranges)
{
    static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                     0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        takes(fixed[i], (0x0605040100060606 & ~0xffull) | (i & 1 ? 6 : 5));
        refuses(fixed[i], 0x0606060606060607);
        refuses(fixed[i], 0x0206060606060606);
    }
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        cr_assert_eq(rd(fixed[i]) & 0xff, i & 1 ? 6 : 5);
}

Test(cpu_msr, mtrr_variable_ranges)
{
    cr_assert_eq(rd(0xfe), 0x508);
    for (uint32_t i = 0; i < 8; i++) {
        takes(0x200 + 2 * i, 0xff80000006 & ~0xffull);
        takes(0x201 + 2 * i, 0xffc0000800);
    }
    takes(0x200, 0x80000006);
    refuses(0x200, 0x80000002);
    refuses(0x200, 0x80000106);
    refuses(0x200, 1ull << 40);
    refuses(0x201, 0x400);
    refuses(0x201, 1ull << 40 | 0x800);
}

Test(cpu_msr, mtrr_default_type)
{
    takes(0x2ff, 0xc06);
    refuses(0x2ff, 0xc07);
    refuses(0x2ff, 0x1006);
    refuses(0x2ff, 0xc16);
}

Test(cpu_msr, misc_enable_keeps_its_read_only_bits)
{
    cr_assert_eq(rd(0x1a0), 0x1801);
    cr_assert(cpu_msr_write(c, 0x1a0, 0x80));
    cr_assert_eq(rd(0x1a0), 0x1800);
    refuses(0x1a0, 1ull << 18);
    refuses(0x1a0, 1ull << 34);
}

Test(cpu_msr, machine_check_has_no_bank_and_comes_with_v2)
{
    cr_assert_eq(rd(0x179), 0);
    refuses(0x179, 0);
    refuses_read(0x17a);
    refuses(0x17a, 0);
    use_model("paravane-v2");
    cr_assert_eq(rd(0x179), 0);
    refuses(0x179, 0);
    takes(0x17a, 7);
    refuses(0x17a, 8);
    refuses_read(0x400);
}

Test(cpu_msr, microcode_revision_and_update_trigger)
{
    cr_assert(cpu_msr_write(c, 0x8b, 0));
    cr_assert_eq(rd(0x8b) >> 32, 1);
    refuses_read(0x79);
    cr_assert(cpu_msr_write(c, 0x79, 0x1000));
}

Test(cpu_msr, debugctl_is_zero)
{
    cr_assert_eq(rd(0x1d9), 0);
    cr_assert(cpu_msr_write(c, 0x1d9, 0));
    refuses(0x1d9, 2);
}

Test(cpu_msr, init_keeps_them_and_power_up_does_not)
{
    takes(0x277, 0);
    takes(0x2ff, 0xc06);
    cpu_msr_reset(&c->vcpu, true);
    cr_assert_eq(rd(0x277), 0);
    cpu_msr_reset(&c->vcpu, false);
    cr_assert_eq(rd(0x277), 0x0007040600070406);
    cr_assert_eq(rd(0x2ff), 0);
}
