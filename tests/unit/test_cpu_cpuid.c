/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_cpu_env.h"

#include <criterion/criterion.h>
#include <string.h>

static struct cpu *c;

static void set_up(void)
{
    c = fake_new();
    c->env.hflags = HF_LMA | HF_CS64;
    cpu_msr_reset(&c->vcpu, false);
}

static void tear_down(void)
{
    g_free(c);
}

static struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;

    cpu_model_cpuid(c, leaf, subleaf, &r);
    return r;
}

static void expect(uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx, uint32_t ecx,
                   uint32_t edx)
{
    struct cpuid_result r = cpuid(leaf, subleaf);

    cr_assert(r.eax == eax && r.ebx == ebx && r.ecx == ecx && r.edx == edx,
              "leaf %#x.%u: %#x %#x %#x %#x", leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
}

TestSuite(cpu_cpuid, .init = set_up, .fini = tear_down);

Test(cpu_cpuid, v1_is_what_its_page_says)
{
    expect(0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69);
    expect(1, 0, 0x10676, 0x00000800, 0x00982201, 0x078bbb7d);
    expect(6, 0, 4, 0, 0, 0);
    expect(7, 0, 0, 0x201, 0, 0);
    expect(7, 1, 0, 0, 0, 0);
    expect(0x80000000, 0, 0x80000008, 0, 0, 0);
    expect(0x80000001, 0, 0, 0, 1, 0x2c100800);
    expect(0x80000007, 0, 0, 0, 0, 0x100);
    expect(0x80000008, 0, 0x3028, 0, 0, 0);
}

Test(cpu_cpuid, other_models_are_what_their_page_says)
{
    c->model = cpu_model_find("paravane-v2");
    expect(1, 0, 0x1067a, 0x00000800, 0x43d82203, 0x078bfbfd);
    expect(7, 0, 0, 0x1c0283, 0, 0);
    expect(0x80000001, 0, 0, 0, 0x121, 0x2c100800);
    c->model = cpu_model_find("paravane-min");
    expect(0, 0, 6, 0x756e6547, 0x6c65746e, 0x49656e69);
    expect(1, 0, 0x10676, 0x00000800, 0, 0x078bbb7d);
    expect(0x80000001, 0, 0, 0, 0, 0x20100800);
    expect(7, 0, 4, 0, 0, 0);
}

Test(cpu_cpuid, no_model_offers_what_cannot_be_executed)
{
    const char *const *names = cpu_model_names();

    for (; *names != NULL; names++) {
        c->model = cpu_model_find(*names);
        cr_assert_not_null(c->model, "%s", *names);
        cr_assert_eq(cpuid(1, 0).ecx & (1u << 3 | 1u << 5 | 1u << 12 | 1u << 17 | 1u << 21 |
                                        1u << 26 | 1u << 27 | 1u << 28 | 1u << 29 | 1u << 31),
                     0, "%s: MONITOR VMX FMA PCID x2APIC XSAVE OSXSAVE AVX F16C hypervisor",
                     *names);
        cr_assert_eq(cpuid(7, 0).ebx & (1u << 3 | 1u << 5 | 1u << 8 | 1u << 10), 0,
                     "%s: BMI1 AVX2 BMI2 INVPCID", *names);
        cr_assert_eq(cpuid(7, 0).ecx | cpuid(7, 0).edx, 0, "%s", *names);
        cr_assert_eq(cpu_model_physical_bits(c->model), cpuid(0x80000008, 0).eax & 0xff);
        cr_assert_eq(cpu_model_signature(c->model), cpuid(1, 0).eax);
    }
}

Test(cpu_cpuid, unknown_models_are_not_found)
{
    cr_assert_null(cpu_model_find("paravane-v9"));
    cr_assert_null(cpu_model_find(""));
}

Test(cpu_cpuid, features_agree_with_the_leaves)
{
    const struct cpu_model *v1 = cpu_model_find("paravane-v1"), *v2 = cpu_model_find("paravane-v2"),
                           *min = cpu_model_find("paravane-min");

    cr_assert(cpu_model_has(v1, CPU_FEATURE_FSGSBASE) && cpu_model_has(v1, CPU_FEATURE_RDTSCP));
    cr_assert_not(cpu_model_has(v1, CPU_FEATURE_RDRAND));
    cr_assert_not(cpu_model_has(v1, CPU_FEATURE_SMAP));
    cr_assert(cpu_model_has(v2, CPU_FEATURE_RDRAND) && cpu_model_has(v2, CPU_FEATURE_RDSEED));
    cr_assert(cpu_model_has(v2, CPU_FEATURE_SMAP));
    cr_assert(cpu_model_has(v2, CPU_FEATURE_TSC_DEADLINE));
    cr_assert_not(cpu_model_has(min, CPU_FEATURE_FSGSBASE));
    cr_assert_not(cpu_model_has(min, CPU_FEATURE_RDTSCP));
    cr_assert_eq(cpu_model_cr4_mask(v1) &
                     (CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_MCE | CR4_PCIDE),
                 CR4_FSGSBASE);
    cr_assert_eq(cpu_model_cr4_mask(v2) &
                     (CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_MCE | CR4_PCIDE),
                 (CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_MCE));
    cr_assert_eq(cpu_model_efer_mask(v1), (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE));
    cr_assert_eq(cpu_model_library_id(v1), CPU_LIBRARY_HASWELL);
    cr_assert_eq(cpu_model_library_id(v2), CPU_LIBRARY_BROADWELL);
}

Test(cpu_cpuid, leaves_beyond_the_maximum_give_the_highest_basic_one)
{
    static const uint32_t leaves[] = {0xc, 0x1000, 0x40000000, 0x7fffffff, 0x80000009, 0xffffffff};

    c->vcpu.index = 1;
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        expect(leaves[i], 0, 0, 1, 0x100, 1);
        expect(leaves[i], 1, 0, 1, 0x201, 1);
        expect(leaves[i], 2, 0, 0, 2, 1);
    }
}

Test(cpu_cpuid, brand_string_names_the_model)
{
    char text[49] = {0};

    for (unsigned i = 0; i < 3; i++) {
        struct cpuid_result r = cpuid(0x80000002 + i, 0);

        memcpy(text + i * 16, &r, 16);
    }
    cr_assert_str_eq(text, "Paravane v1 simulated processor");
}

Test(cpu_cpuid, topology_is_one_package_with_a_core_for_each_cpu)
{
    static const unsigned bits[] = {0, 0, 1, 2, 2, 3, 3, 3, 3};

    for (unsigned count = 1; count <= CPU_MAX_VCPUS; count++) {
        c->config.count = count;
        for (unsigned i = 0; i < count; i++) {
            c->vcpu.index = i;
            cr_assert_eq(cpuid(1, 0).ebx >> 24, i);
            cr_assert_eq(cpuid(1, 0).ebx >> 16 & 0xff, count > 1 ? 1u << bits[count] : 0);
            cr_assert_eq(cpuid(1, 0).edx >> 28 & 1, count > 1);
            expect(0xb, 0, 0, 1, 0x100, i);
            expect(0xb, 1, bits[count], count, 0x201, i);
            expect(0xb, 2, 0, 0, 2, i);
            cr_assert_eq(cpuid(4, 0).eax >> 26, (1u << bits[count]) - 1);
            cr_assert_eq(cpuid(4, 3).eax >> 14 & 0xfff, (1u << bits[count]) - 1);
        }
    }
}

Test(cpu_cpuid, caches_have_the_sizes_of_the_page)
{
    static const unsigned sizes[] = {32768, 32768, 262144, 8388608};

    for (unsigned i = 0; i < 4; i++) {
        struct cpuid_result r = cpuid(4, i);
        unsigned size =
            ((r.ebx >> 22) + 1) * ((r.ebx >> 12 & 0x3ff) + 1) * ((r.ebx & 0xfff) + 1) * (r.ecx + 1);

        cr_assert_eq(size, sizes[i], "cache %u: %u bytes", i, size);
    }
    cr_assert_eq(cpuid(4, 4).eax, 0);
    cr_assert_eq(cpuid(2, 0).eax & 0xff, 1);
    cr_assert_eq((cpuid(2, 0).eax | cpuid(2, 0).edx) >> 31, 0, "leaf 2: registers are valid");
}

Test(cpu_cpuid, apic_bit_follows_the_apics_enable_bit)
{
    cr_assert(cpuid(1, 0).edx & 1u << 9);
    c->apic_base &= ~0x800ull;
    cr_assert_not(cpuid(1, 0).edx & 1u << 9);
}

Test(cpu_cpuid, deadline_bit_needs_a_local_apic_that_has_it)
{
    c->model = cpu_model_find("paravane-v2");
    cr_assert(cpuid(1, 0).ecx & 1u << 24);
    c->no_deadline = true;
    cr_assert_not(cpuid(1, 0).ecx & 1u << 24);
}

Test(cpu_cpuid, syscall_bit_shows_in_64_bit_mode_only)
{
    cr_assert(cpuid(0x80000001, 0).edx & 1u << 11);
    c->env.hflags = HF_LMA;
    cr_assert_not(cpuid(0x80000001, 0).edx & 1u << 11);
}

Test(cpu_cpuid, limit_of_misc_enable_shows_in_leaf_0)
{
    cr_assert(cpu_msr_write(c, 0x1a0, 1 | 1ull << 22));
    cr_assert_eq(cpuid(0, 0).eax, 2);
}

Test(cpu_cpuid, frequency_leaf_of_v2)
{
    c->model = cpu_model_find("paravane-v2");
    cr_assert_eq(cpuid(0, 0).eax, 0x16);
    expect(0x15, 0, 0, 0, 0, 0);
    expect(0x16, 0, 1000, 1000, 100, 0);
    c->config.frequency_hz = UINT64_MAX;
    expect(0x16, 0, 0xffff, 0xffff, 100, 0);
}
