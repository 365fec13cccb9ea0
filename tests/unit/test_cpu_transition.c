/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SYSCALL, SYSENTER, SYSEXIT; reset, INIT and SIPI. */
#include "tests/unit/fake_cpu_env.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    IN_64 = HF_PE | HF_LMA | HF_CS64 | HF_CS32 | HF_SS32,
    IN_COMPAT = HF_PE | HF_LMA | HF_CS32 | HF_SS32,
    IN_32 = HF_PE | HF_CS32 | HF_SS32
};

#define MSR64(field) ENV64(&c->env, env_offsets(c)->field)
#define MSR32(field) ENV32(&c->env, env_offsets(c)->field)

static struct cpu *c;
static struct cpu_exc exc;

static void set_up(void)
{
    c = fake_new();
    c->env.cr[0] = CR0_PE | CR0_PG;
    c->env.hflags = IN_64 | 3;
    c->env.eip = 0x401000;
    c->env.regs[1] = 0x5000;
    c->env.regs[2] = 0x6000;
    MSR64(efer) = EFER_SCE | EFER_LME | EFER_LMA;
    MSR64(star) = 0x0023e00800000000;
    MSR64(lstar) = 0xffff82d040200000;
    MSR64(fmask) = 0x47702;
    MSR32(sysenter_cs) = 0xe008;
    MSR64(sysenter_esp) = 0xffff82d0400fff00;
    MSR64(sysenter_eip) = 0xffff82d040201000;
    memset(&exc, 0, sizeof(exc));
}

static void tear_down(void)
{
    g_free(c);
}

static void expect_fault(bool done, unsigned vector)
{
    cr_assert_not(done);
    cr_assert_eq(exc.vector, vector);
    cr_assert_eq(exc.has_error, vector == EXC_GP);
    cr_assert_eq(exc.error, 0);
    cr_assert_eq(c->env.eip, 0x401000);
}

static void expect_flat(unsigned n, unsigned selector, uint32_t flags)
{
    cr_assert_eq(c->env.segs[n].selector, selector, "segment %u: %#x", n, c->env.segs[n].selector);
    cr_assert_eq(c->env.segs[n].base, 0);
    cr_assert_eq(c->env.segs[n].limit, 0xffffffff);
    cr_assert_eq(c->env.segs[n].flags, flags, "segment %u: flags %#x", n, c->env.segs[n].flags);
}

TestSuite(cpu_transition, .init = set_up, .fini = tear_down);

Test(cpu_transition, syscall_enters_lstar)
{
    c->env.eflags = FLAG_IF | FLAG_TF | FLAG_RF | FLAG_CF | FLAG_DF | 2;
    cr_assert(cpu_syscall(c, 2, &exc));
    cr_assert_eq(c->env.eip, 0xffff82d040200000);
    cr_assert_eq(c->env.regs[1], 0x401002);
    cr_assert_eq(c->env.regs[11], (FLAG_IF | FLAG_TF | FLAG_CF | FLAG_DF | 2));
    cr_assert_eq(c->env.eflags, (FLAG_CF | 2));
    expect_flat(CPU_CS, 0xe008, 0x00a09b00);
    expect_flat(CPU_SS, 0xe010, 0x00c09300);
    cr_assert_eq(c->env.hflags, IN_64);
}

Test(cpu_transition, syscall_is_undefined_without_sce_and_outside_64_bit_mode)
{
    MSR64(efer) &= ~EFER_SCE;
    expect_fault(cpu_syscall(c, 2, &exc), EXC_UD);
    MSR64(efer) |= EFER_SCE;
    c->env.hflags = IN_COMPAT | 3;
    expect_fault(cpu_syscall(c, 2, &exc), EXC_UD);
    c->env.hflags = IN_32 | 3;
    expect_fault(cpu_syscall(c, 2, &exc), EXC_UD);
}

Test(cpu_transition, sysenter_from_compatibility_mode_enters_64_bit_code)
{
    c->env.hflags = IN_COMPAT | 3;
    c->env.eflags = FLAG_IF | FLAG_TF | FLAG_RF | 2;
    cr_assert(cpu_sysenter(c, &exc));
    cr_assert_eq(c->env.eip, 0xffff82d040201000);
    cr_assert_eq(c->env.regs[4], 0xffff82d0400fff00);
    cr_assert_eq(c->env.eflags, (FLAG_TF | 2));
    expect_flat(CPU_CS, 0xe008, 0x00a09b00);
    expect_flat(CPU_SS, 0xe010, 0x00c09300);
    cr_assert_eq(c->env.hflags, IN_64);
}

Test(cpu_transition, sysenter_in_legacy_mode_is_32_bits_wide)
{
    c->env.hflags = IN_32 | 3;
    cr_assert(cpu_sysenter(c, &exc));
    cr_assert_eq(c->env.eip, 0x40201000);
    cr_assert_eq(c->env.regs[4], 0x400fff00);
    expect_flat(CPU_CS, 0xe008, 0x00c09b00);
    cr_assert_eq(c->env.hflags, IN_32);
}

Test(cpu_transition, sysenter_needs_a_selector_and_protected_mode)
{
    MSR32(sysenter_cs) = 0x10003;
    expect_fault(cpu_sysenter(c, &exc), EXC_GP);
    MSR32(sysenter_cs) = 8;
    c->env.cr[0] = 0;
    expect_fault(cpu_sysenter(c, &exc), EXC_GP);
}

Test(cpu_transition, sysexit_returns_to_ring_3_of_either_width)
{
    c->env.hflags = IN_64;
    c->env.regs[1] = 0x700000005000;
    c->env.regs[2] = 0x700000006000;
    cr_assert(cpu_sysexit(c, true, &exc));
    cr_assert_eq(c->env.eip, 0x700000006000);
    cr_assert_eq(c->env.regs[4], 0x700000005000);
    expect_flat(CPU_CS, 0xe02b, 0x00a0fb00);
    expect_flat(CPU_SS, 0xe033, 0x00c0f300);
    cr_assert_eq(c->env.hflags, (IN_64 | 3));

    c->env.hflags = IN_64;
    cr_assert(cpu_sysexit(c, false, &exc));
    cr_assert_eq(c->env.eip, 0x6000);
    cr_assert_eq(c->env.regs[4], 0x5000);
    expect_flat(CPU_CS, 0xe01b, 0x00c0fb00);
    expect_flat(CPU_SS, 0xe023, 0x00c0f300);
    cr_assert_eq(c->env.hflags, (IN_COMPAT | 3));
}

Test(cpu_transition, sysexit_needs_ring_0_a_selector_and_canonical_addresses)
{
    expect_fault(cpu_sysexit(c, true, &exc), EXC_GP);
    c->env.hflags = IN_64;
    c->env.regs[2] = 0x800000000000;
    expect_fault(cpu_sysexit(c, true, &exc), EXC_GP);
    c->env.regs[2] = 0;
    c->env.regs[1] = 0x800000000000;
    expect_fault(cpu_sysexit(c, true, &exc), EXC_GP);
    MSR32(sysenter_cs) = 0;
    expect_fault(cpu_sysexit(c, false, &exc), EXC_GP);
}

/* ---- reset ---- */

TestSuite(cpu_reset, .init = set_up, .fini = tear_down);

Test(cpu_reset, power_up_state_is_that_of_the_manual)
{
    c->vcpu.cycles = 1000;
    cpu_reset_vcpu(c, false);
    cr_assert_eq(c->env.cr[0], 0x60000010);
    cr_assert_eq(c->env.cr[2] | c->env.cr[3] | c->env.cr[4] | MSR64(efer), 0);
    cr_assert_eq(c->env.eip, 0xfff0);
    cr_assert_eq(c->env.eflags, 2);
    cr_assert_eq(c->env.segs[CPU_CS].selector, 0xf000);
    cr_assert_eq(c->env.segs[CPU_CS].base, 0xffff0000);
    cr_assert_eq(c->env.segs[CPU_CS].limit, 0xffff);
    cr_assert_eq(c->env.segs[CPU_SS].limit, 0xffff);
    cr_assert_eq(c->env.regs[2], 0x10676);
    cr_assert_eq(c->env.regs[1], 0);
    cr_assert_eq(c->env.hflags, HF_ADDSEG);
    cr_assert_eq(c->vcpu.dr6, 0xffff0ff0);
    cr_assert_eq(c->vcpu.dr7, 0x400);
    cr_assert_eq(c->vcpu.cycles + c->vcpu.tsc_offset, 0, "the TSC starts at 0");
    cr_assert_eq(MSR64(lstar), 0);
    cr_assert_eq(c->vcpu.msr_pat, 0x0007040600070406);
}

Test(cpu_reset, init_keeps_msrs_tsc_vector_registers_and_the_cache_bits)
{
    c->env.cr[0] = CR0_PE | CR0_PG | CR0_CD;
    c->vcpu.tsc_offset = 77;
    c->vcpu.msr_pat = 6;
    c->xmm[3][2] = 9;
    cpu_reset_vcpu(c, true);
    cr_assert_eq(c->env.cr[0], (CR0_CD | CR0_ET));
    cr_assert_eq(c->vcpu.tsc_offset, 77);
    cr_assert_eq(c->vcpu.msr_pat, 6);
    cr_assert_eq(c->xmm[3][2], 9);
    cr_assert_neq(MSR64(lstar), 0);
    cr_assert_eq(MSR64(efer), 0);
    cr_assert_eq(c->env.hflags, HF_ADDSEG);
}

Test(cpu_reset, sipi_starts_at_its_page)
{
    cpu_reset_vcpu(c, true);
    cpu_enter_sipi(c, 0x9f);
    cr_assert_eq(c->env.segs[CPU_CS].selector, 0x9f00);
    cr_assert_eq(c->env.segs[CPU_CS].base, 0x9f000);
    cr_assert_eq(c->env.eip, 0);
}
