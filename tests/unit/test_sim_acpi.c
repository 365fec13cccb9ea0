/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include <string.h>

#include "sim/acpi.h"
#include "sim/aml.h"
#include "sim/dev/acpipm.h"

static struct mmu_ram *ram;
static const uint8_t *mem;

static void setup(void)
{
    GError *error = NULL;

    ram = mmu_ram_new(16u << 20, &error);
    cr_assert_not_null(ram);
    mem = ram->host;
}

static void teardown(void)
{
    mmu_ram_free(ram);
}

TestSuite(acpi, .init = setup, .fini = teardown);

static uint64_t le(uint32_t at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)mem[at + i] << (8 * i);
    return value;
}

static unsigned sum(uint32_t at, uint32_t size_bytes)
{
    uint8_t total = 0;

    for (uint32_t i = 0; i < size_bytes; i++)
        total += mem[at + i];
    return total;
}

/* Address of the table @signature, found the way an operating system does: by the XSDT. */
static uint32_t table(const char *signature)
{
    uint32_t xsdt = (uint32_t)le(SIM_ACPI_BASE + 24, 8);
    uint32_t count = ((uint32_t)le(xsdt + 4, 4) - 36) / 8;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)le(xsdt + 36 + 8 * i, 8);

        if (memcmp(mem + at, signature, 4) == 0)
            return at;
    }
    return 0;
}

static void install(unsigned cpus)
{
    GError *error = NULL;

    cr_assert(sim_acpi_install(ram, cpus, &error), "%u CPUs", cpus);
}

Test(acpi, rsdp_has_both_checksums_and_lies_on_a_paragraph)
{
    install(1);
    cr_assert_eq(memcmp(mem + SIM_ACPI_BASE, "RSD PTR ", 8), 0);
    cr_assert_eq(SIM_ACPI_BASE % 16, 0);
    cr_assert_eq(mem[SIM_ACPI_BASE + 15], 2);
    cr_assert_eq(sum(SIM_ACPI_BASE, 20), 0);
    cr_assert_eq(sum(SIM_ACPI_BASE, 36), 0);
}

Test(acpi, rsdt_and_xsdt_list_the_same_tables_each_with_a_good_checksum)
{
    uint32_t rsdt, xsdt;

    install(2);
    rsdt = (uint32_t)le(SIM_ACPI_BASE + 16, 4);
    xsdt = (uint32_t)le(SIM_ACPI_BASE + 24, 8);
    cr_assert_eq(memcmp(mem + rsdt, "RSDT", 4), 0);
    cr_assert_eq(memcmp(mem + xsdt, "XSDT", 4), 0);
    cr_assert_eq(sum(rsdt, (uint32_t)le(rsdt + 4, 4)), 0);
    cr_assert_eq(sum(xsdt, (uint32_t)le(xsdt + 4, 4)), 0);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t at = (uint32_t)le(rsdt + 36 + 4 * i, 4);

        cr_assert_eq(at, le(xsdt + 36 + 8 * i, 8));
        cr_assert_eq(sum(at, (uint32_t)le(at + 4, 4)), 0, "table %.4s", mem + at);
    }
}

Test(acpi, fadt_names_the_ports_of_the_power_management_block)
{
    uint32_t fadt, facs, dsdt;

    install(1);
    fadt = table("FACP");
    cr_assert_eq(le(fadt + 4, 4), 244);
    facs = (uint32_t)le(fadt + 36, 4);
    dsdt = (uint32_t)le(fadt + 40, 4);
    cr_assert_eq(le(fadt + 132, 8), facs);
    cr_assert_eq(le(fadt + 140, 8), dsdt);
    cr_assert_eq(le(fadt + 46, 2), ACPIPM_SCI_IRQ);
    cr_assert_eq(le(fadt + 48, 4), 0, "no SMI command port");
    cr_assert_eq(le(fadt + 56, 4), ACPIPM_PM1_EVENT_PORT);
    cr_assert_eq(le(fadt + 64, 4), ACPIPM_PM1_CONTROL_PORT);
    cr_assert_eq(le(fadt + 76, 4), ACPIPM_TIMER_PORT);
    cr_assert_eq(le(fadt + 88, 4), 0x04000204, "lengths: event 4, control 2, PM2 0, timer 4");
    cr_assert_eq(mem[fadt + 108], 0x32, "century");
    cr_assert_eq(le(fadt + 116, 4), 0x01000801, "reset register: 8 bits in port space");
    cr_assert_eq(le(fadt + 120, 8), ACPIPM_RESET_PORT);
    cr_assert_eq(mem[fadt + 128], ACPIPM_RESET_VALUE);
    cr_assert_eq(le(fadt + 152, 8), ACPIPM_PM1_EVENT_PORT);
    cr_assert_eq(le(fadt + 176, 8), ACPIPM_PM1_CONTROL_PORT);
    cr_assert_eq(le(fadt + 212, 8), ACPIPM_TIMER_PORT);
    cr_assert_eq(memcmp(mem + facs, "FACS", 4), 0);
    cr_assert_eq(facs % 64, 0);
    cr_assert_eq(le(facs + 4, 4), 64);
    cr_assert_eq(le(facs + 16, 4), 0, "the global lock is free");
    cr_assert_eq(sum(dsdt, (uint32_t)le(dsdt + 4, 4)), 0);
}

Test(acpi, madt_has_every_cpu_and_the_overrides)
{
    for (unsigned cpus = 1; cpus <= 8; cpus++) {
        uint32_t madt, at, end, seen = 0;
        unsigned lapics = 0;

        install(cpus);
        madt = table("APIC");
        end = madt + (uint32_t)le(madt + 4, 4);
        cr_assert_eq(le(madt + 36, 4), 0xfee00000);
        for (at = madt + 44; at < end; at += mem[at + 1]) {
            cr_assert_geq(mem[at + 1], 6);
            if (mem[at] == 0) {
                cr_assert_eq(mem[at + 3], lapics, "%u CPUs", cpus);
                cr_assert_eq(le(at + 4, 4), 1);
                lapics++;
            }
            if (mem[at] == 1)
                cr_assert_eq(le(at + 4, 4), 0xfec00000);
            if (mem[at] == 2 && mem[at + 3] == 0)
                cr_assert_eq(le(at + 4, 4), 2);
            if (mem[at] == 2 && mem[at + 3] == ACPIPM_SCI_IRQ)
                cr_assert_eq(le(at + 8, 2), 0x0d, "level triggered, active high");
            seen |= 1u << mem[at];
        }
        cr_assert_eq(at, end);
        cr_assert_eq(lapics, cpus);
        cr_assert_eq(seen, 0x17);
    }
}

Test(acpi, dsdt_has_the_sleep_package_of_s5_in_bytes_everyone_looks_for)
{
    static const uint8_t s5[] = {0x08,
                                 '\\',
                                 '_',
                                 'S',
                                 '5',
                                 '_',
                                 0x12,
                                 0x08,
                                 0x04,
                                 0x0a,
                                 ACPIPM_SLP_TYP_S5,
                                 0x0a,
                                 ACPIPM_SLP_TYP_S5,
                                 0,
                                 0};
    uint32_t dsdt;

    install(1);
    dsdt = (uint32_t)le(table("FACP") + 40, 4);
    cr_assert_eq(memcmp(mem + dsdt + 36, s5, sizeof(s5)), 0);
}

Test(acpi, bios_data_area_has_ebda_and_base_memory)
{
    install(1);
    cr_assert_eq(le(0x40e, 2) << 4, SIM_ACPI_EBDA);
    cr_assert_eq(le(0x413, 2), 639);
}

Test(acpi, the_most_cpus_fit_and_others_are_refused)
{
    static const unsigned bad[] = {0, 256, 100000};

    install(255);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;

        cr_assert_not(sim_acpi_install(ram, bad[i], &error), "%u CPUs", bad[i]);
        cr_assert(g_error_matches(error, SIM_ACPI_ERROR, SIM_ACPI_ERROR_SIZE));
        g_error_free(error);
    }
}

Test(aml, package_lengths_take_one_to_three_bytes)
{
    static const struct {
        unsigned body, length_bytes;
        uint8_t first;
    } c[] = {{57, 1, 0x3e}, {58, 1, 0x3f}, {59, 2, 0x41}, {4089, 2, 0x4f}, {4090, 3, 0x81}};

    for (unsigned i = 0; i < G_N_ELEMENTS(c); i++) {
        GByteArray *out = g_byte_array_new();
        aml_mark mark = aml_open_scope(out, "ABCD");

        for (unsigned n = 0; n < c[i].body; n++)
            aml_integer(out, 0);
        aml_close(out, mark);
        cr_assert_eq(out->len, 1 + c[i].length_bytes + 4 + c[i].body, "body %u", c[i].body);
        cr_assert_eq(out->data[1], c[i].first, "body %u: %#x", c[i].body, out->data[1]);
        cr_assert_eq(memcmp(out->data + 1 + c[i].length_bytes, "ABCD", 4), 0);
        g_byte_array_free(out, TRUE);
    }
}

Test(aml, integers_take_their_shortest_form)
{
    static const struct {
        uint64_t value;
        unsigned bytes;
        uint8_t op;
    } c[] = {{0, 1, 0},
             {1, 1, 1},
             {2, 2, 0x0a},
             {255, 2, 0x0a},
             {256, 3, 0x0b},
             {65535, 3, 0x0b},
             {65536, 5, 0x0c},
             {UINT32_MAX, 5, 0x0c},
             {1ull << 32, 9, 0x0e}};

    for (unsigned i = 0; i < G_N_ELEMENTS(c); i++) {
        GByteArray *out = g_byte_array_new();

        aml_integer(out, c[i].value);
        cr_assert_eq(out->len, c[i].bytes, "case %u", i);
        cr_assert_eq(out->data[0], c[i].op, "case %u", i);
        g_byte_array_free(out, TRUE);
    }
}

Test(aml, eisa_ids_are_as_the_specification_has_them)
{
    static const uint8_t pnp0a03[] = {0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03};
    GByteArray *out = g_byte_array_new();

    aml_name_eisa_id(out, "_HID", "PNP0A03");
    cr_assert_eq(out->len, sizeof(pnp0a03));
    cr_assert_eq(memcmp(out->data, pnp0a03, sizeof(pnp0a03)), 0);
    g_byte_array_free(out, TRUE);
}
