/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Section numbers are those of the Intel SDM, volume 3A, chapter 10. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/apic_rig.h"

static struct apic_rig rig;

static void setup(void)
{
    apic_rig_open(&rig, 4, false);
}

static void teardown(void)
{
    apic_rig_close(&rig);
}

TestSuite(sim_lapic, .init = setup, .fini = teardown);

static uint32_t rd(unsigned vcpu, unsigned reg)
{
    return apic_read(&rig, vcpu, reg);
}

static void wr(unsigned vcpu, unsigned reg, uint32_t value)
{
    apic_write(&rig, vcpu, reg, value);
}

static int ack(unsigned vcpu)
{
    return lapic_ack(rig.lapic, vcpu);
}

static bool send(uint8_t destination, bool logical, enum apic_mode mode, uint8_t vector)
{
    return lapic_deliver(rig.lapic,
                         &(struct apic_message){destination, logical, mode, vector, false});
}

static void enable_all(void)
{
    for (unsigned v = 0; v < 4; v++)
        wr(v, APIC_SVR, 0x1ff);
}

/* Which CPUs have an interrupt request, as bits. */
static unsigned requests(void)
{
    unsigned mask = 0;

    for (unsigned v = 0; v < 4; v++)
        mask |= (unsigned)rig.intr[v] << v;
    return mask;
}

Test(sim_lapic, reset_values_are_those_of_10_4_7_1)
{
    for (unsigned v = 0; v < 4; v++) {
        cr_assert_eq(rd(v, APIC_ID), v << 24);
        cr_assert_eq(rd(v, APIC_VERSION), 0x50014);
        cr_assert_eq(rd(v, APIC_SVR), 0xff);
        cr_assert_eq(rd(v, APIC_DFR), 0xffffffff);
        cr_assert_eq(rd(v, APIC_LDR), 0);
        cr_assert_eq(rd(v, APIC_TPR), 0);
        cr_assert_eq(rd(v, APIC_ICR_LOW), 0);
        for (unsigned reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 0x10)
            cr_assert_eq(rd(v, reg), 0x10000, "register %x", reg);
    }
}

Test(sim_lapic, only_aligned_32_bit_writes_take_effect)
{
    static const struct {
        unsigned at, size;
    } bad[] = {{0, 1}, {0, 2}, {0, 8}, {1, 1}, {2, 2}, {4, 4}, {8, 4}, {12, 4}};

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        sim_bus_mmio_write(rig.bus, 0, GPA(LAPIC_BASE + APIC_TPR + bad[i].at), bad[i].size, 0x55);
        cr_assert_eq(rd(0, APIC_TPR), 0, "%u bytes at +%u", bad[i].size, bad[i].at);
    }
    wr(0, APIC_TPR, 0x55);
    cr_assert_eq(rd(0, APIC_TPR), 0x55);
}

Test(sim_lapic, narrow_reads_give_parts_of_the_register)
{
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(LAPIC_BASE + APIC_VERSION + 2), 1), 5);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(LAPIC_BASE + APIC_VERSION), 2), 0x14);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(LAPIC_BASE + APIC_VERSION + 4), 4), 0);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(LAPIC_BASE + APIC_VERSION), 8), 0x50014);
}

Test(sim_lapic, disabled_by_software_takes_no_fixed_interrupt)
{
    cr_assert_not(send(0, false, APIC_FIXED, 0x30));
    cr_assert_eq(requests(), 0);
    wr(0, APIC_SVR, 0x1ff);
    cr_assert(send(0, false, APIC_FIXED, 0x30));
    cr_assert_eq(requests(), 1);
}

Test(sim_lapic, disabling_by_software_masks_all_entries_for_good)
{
    wr(0, APIC_SVR, 0x1ff);
    wr(0, APIC_LVT_LINT0, 0x700);
    wr(0, APIC_SVR, 0xff);
    cr_assert_eq(rd(0, APIC_LVT_LINT0), 0x10700);
    wr(0, APIC_LVT_LINT0, 0x700);
    cr_assert_eq(rd(0, APIC_LVT_LINT0), 0x10700);
}

Test(sim_lapic, disabled_by_software_still_takes_nmi_init_and_startup)
{
    cr_assert(send(2, false, APIC_NMI, 0));
    cr_assert(send(2, false, APIC_INIT, 0));
    cr_assert(send(2, false, APIC_STARTUP, 0x9a));
    cr_assert_str_eq(rig.log->str, "nmi2 init2 sipi2:9a ");
}

Test(sim_lapic, vector_goes_from_irr_to_isr_and_ends_with_eoi)
{
    enable_all();
    send(1, false, APIC_FIXED, 0x51);
    cr_assert_eq(rd(1, APIC_IRR + 0x20), 1u << 0x11);
    cr_assert_eq(requests(), 2);
    cr_assert_eq(ack(1), 0x51);
    cr_assert_eq(rd(1, APIC_IRR + 0x20), 0);
    cr_assert_eq(rd(1, APIC_ISR + 0x20), 1u << 0x11);
    cr_assert_eq(rd(1, APIC_PPR), 0x50);
    cr_assert_eq(requests(), 0);
    wr(1, APIC_EOI, 0);
    cr_assert_eq(rd(1, APIC_ISR + 0x20), 0);
    cr_assert_eq(rd(1, APIC_PPR), 0);
    cr_assert_str_empty(rig.log->str, "edge-triggered: no EOI message");
}

Test(sim_lapic, higher_class_interrupts_a_lower_one_and_the_same_class_waits)
{
    enable_all();
    send(0, false, APIC_FIXED, 0x41);
    cr_assert_eq(ack(0), 0x41);
    send(0, false, APIC_FIXED, 0x4f);
    cr_assert_eq(requests(), 0, "same class");
    send(0, false, APIC_FIXED, 0x50);
    cr_assert_eq(requests(), 1);
    cr_assert_eq(ack(0), 0x50);
    wr(0, APIC_EOI, 0);
    cr_assert_eq(requests(), 0);
    wr(0, APIC_EOI, 0);
    cr_assert_eq(requests(), 1);
    cr_assert_eq(ack(0), 0x4f);
}

Test(sim_lapic, task_priority_holds_back_its_class_and_below)
{
    enable_all();
    for (unsigned tpr = 0; tpr < 256; tpr++) {
        wr(0, APIC_TPR, tpr);
        cr_assert_eq(lapic_get_tpr(rig.lapic, 0), tpr >> 4);
        send(0, false, APIC_FIXED, 0x85);
        cr_assert_eq(requests(), tpr >> 4 < 8, "TPR %x", tpr);
        wr(0, APIC_TPR, 0);
        cr_assert_eq(ack(0), 0x85);
        wr(0, APIC_EOI, 0);
    }
    lapic_set_tpr(rig.lapic, 0, 9);
    cr_assert_eq(rd(0, APIC_TPR), 0x90);
}

Test(sim_lapic, request_masked_before_its_acknowledge_gives_the_spurious_vector)
{
    wr(0, APIC_SVR, 0x1ef);
    send(0, false, APIC_FIXED, 0x40);
    wr(0, APIC_TPR, 0x40);
    cr_assert_eq(ack(0), 0xef);
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(rd(0, APIC_ISR + 0x10 * i), 0);
    wr(0, APIC_TPR, 0);
    cr_assert_eq(ack(0), 0x40);
    cr_assert_eq(ack(1), -1, "nothing at all");
}

Test(sim_lapic, eoi_with_nothing_in_service_does_nothing)
{
    enable_all();
    wr(0, APIC_EOI, 0);
    cr_assert_str_empty(rig.log->str);
}

Test(sim_lapic, end_of_a_level_interrupt_is_broadcast)
{
    struct apic_message msg = {0, false, APIC_FIXED, 0x61, true};

    enable_all();
    lapic_deliver(rig.lapic, &msg);
    cr_assert_eq(rd(0, APIC_TMR + 0x30), 2);
    cr_assert_eq(ack(0), 0x61);
    wr(0, APIC_EOI, 0);
    cr_assert_str_eq(rig.log->str, "eoi:61 ");
    msg.level = false;
    lapic_deliver(rig.lapic, &msg);
    cr_assert_eq(rd(0, APIC_TMR + 0x30), 0);
}

Test(sim_lapic, physical_destination_is_the_id_or_everyone)
{
    enable_all();
    for (unsigned d = 0; d < 256; d++) {
        unsigned want = d < 4 ? 1u << d : d == 0xff ? 0xf : 0;

        cr_assert_eq(send((uint8_t)d, false, APIC_FIXED, 0x31), want != 0, "destination %x", d);
        cr_assert_eq(requests(), want, "destination %x", d);
        for (unsigned v = 0; v < 4; v++)
            if (want >> v & 1) {
                cr_assert_eq(ack(v), 0x31);
                wr(v, APIC_EOI, 0);
            }
    }
}

static void check_logical(const uint8_t want_of[256])
{
    for (unsigned d = 0; d < 256; d++) {
        send((uint8_t)d, true, APIC_FIXED, 0x31);
        cr_assert_eq(requests(), want_of[d], "destination %x: %x", d, requests());
        for (unsigned v = 0; v < 4; v++)
            if (rig.intr[v]) {
                ack(v);
                wr(v, APIC_EOI, 0);
            }
    }
}

Test(sim_lapic, flat_logical_destination_is_a_mask)
{
    uint8_t want[256];

    enable_all();
    for (unsigned v = 0; v < 4; v++)
        wr(v, APIC_LDR, 0x10101u << (24 + 2 * v));
    for (unsigned d = 0; d < 256; d++)
        want[d] = (uint8_t)((d & 1) | (d >> 1 & 2) | (d >> 2 & 4) | (d >> 3 & 8));
    check_logical(want);
}

Test(sim_lapic, cluster_logical_destination_is_cluster_and_mask)
{
    static const uint8_t ldr[4] = {0x01, 0x02, 0x11, 0x32};
    uint8_t want[256];

    enable_all();
    for (unsigned v = 0; v < 4; v++) {
        wr(v, APIC_DFR, 0x0fffffff);
        wr(v, APIC_LDR, (uint32_t)ldr[v] << 24);
    }
    for (unsigned d = 0; d < 256; d++) {
        want[d] = 0;
        for (unsigned v = 0; v < 4; v++)
            if (d == 0xff || (ldr[v] >> 4 == d >> 4 && (ldr[v] & d & 0xf)))
                want[d] |= (uint8_t)(1u << v);
    }
    check_logical(want);
}

Test(sim_lapic, lowest_priority_goes_to_one_enabled_cpu_of_lowest_priority)
{
    enable_all();
    wr(0, APIC_TPR, 0x20);
    wr(1, APIC_TPR, 0x10);
    wr(2, APIC_TPR, 0x10);
    wr(3, APIC_SVR, 0xff);
    cr_assert(send(0xff, false, APIC_LOWEST_PRIORITY, 0x31));
    cr_assert_eq(requests(), 2);
    cr_assert_eq(ack(1), 0x31);
    cr_assert(send(0xff, false, APIC_LOWEST_PRIORITY, 0x32), "CPU 1 now runs at class 3");
    cr_assert_eq(requests(), 4);
    cr_assert_not(send(3, false, APIC_LOWEST_PRIORITY, 0x33));
}

static void ipi(unsigned from, uint8_t destination, uint32_t low)
{
    wr(from, APIC_ICR_HIGH, (uint32_t)destination << 24);
    wr(from, APIC_ICR_LOW, low);
}

Test(sim_lapic, ipi_shorthands_address_self_all_and_others)
{
    static const unsigned want[4] = {1u << 1, 1u << 2, 0xf, 0xb};

    enable_all();
    for (unsigned shorthand = 0; shorthand < 4; shorthand++) {
        ipi(2, 1, 0x4000 | shorthand << 18 | 0x77);
        cr_assert_eq(requests(), want[shorthand], "shorthand %u", shorthand);
        for (unsigned v = 0; v < 4; v++)
            if (rig.intr[v]) {
                ack(v);
                wr(v, APIC_EOI, 0);
            }
    }
    ipi(2, 1, 0xc4000 | 1 << 8 | 0x77);
    cr_assert_eq(requests(), 1, "lowest priority among the others");
}

Test(sim_lapic, ipi_modes_reach_the_cpu)
{
    ipi(0, 1, 0x4400);
    ipi(0, 1, 0xc500);
    ipi(0, 1, 0x8500);
    ipi(0, 1, 0x4608);
    ipi(0, 0, 0x44400);
    ipi(0, 1, 0x4200);
    ipi(0, 1, 0x4700);
    ipi(0, 1, 0x4300);
    cr_assert_str_eq(rig.log->str, "nmi1 init1 sipi1:8 nmi0 ");
}

Test(sim_lapic, icr_keeps_what_was_written_and_is_always_idle)
{
    ipi(0, 7, 0xffffffffu & ~0xc0700u);
    cr_assert_eq(rd(0, APIC_ICR_LOW), 0xc8ff);
    cr_assert_eq(rd(0, APIC_ICR_HIGH), 0x07000000);
}

Test(sim_lapic, init_resets_the_apic_but_not_its_base)
{
    enable_all();
    wr(1, APIC_TPR, 0x20);
    wr(1, APIC_LDR, 0x02000000);
    send(1, false, APIC_FIXED, 0x80);
    ipi(0, 1, 0xc500);
    cr_assert_eq(rd(1, APIC_SVR), 0xff);
    cr_assert_eq(rd(1, APIC_TPR), 0);
    cr_assert_eq(rd(1, APIC_LDR), 0);
    cr_assert_eq(rd(1, APIC_IRR + 0x40), 0);
    cr_assert_eq(rd(1, APIC_ID), 0x01000000);
    cr_assert_eq(requests(), 0);
}

Test(sim_lapic, illegal_vectors_are_not_sent_and_set_the_error_status)
{
    enable_all();
    for (unsigned vector = 0; vector < 16; vector++) {
        ipi(0, 1, 0x4000 | vector);
        cr_assert_eq(rd(0, APIC_ESR), vector ? 0x20 : 0, "still as at the last write");
        wr(0, APIC_ESR, 0);
        cr_assert_eq(rd(0, APIC_ESR), 0x20);
        cr_assert_not(send(1, false, APIC_FIXED, (uint8_t)vector));
        wr(1, APIC_ESR, 0);
        cr_assert_eq(rd(1, APIC_ESR), 0x40);
    }
    cr_assert_eq(requests(), 0);
    wr(0, APIC_ESR, 0);
    cr_assert_eq(rd(0, APIC_ESR), 0);
}

Test(sim_lapic, registers_that_do_not_exist_set_the_error_status)
{
    static const unsigned none[] = {0x000, 0x010, 0x040, 0x070, 0x290, 0x2f0,
                                    0x3a0, 0x3d0, 0x3f0, 0x400, 0xff0};

    for (unsigned i = 0; i < G_N_ELEMENTS(none); i++) {
        cr_assert_eq(rd(0, none[i]), 0);
        wr(0, APIC_ESR, 0);
        cr_assert_eq(rd(0, APIC_ESR), 0x80, "read of %x", none[i]);
        wr(0, none[i], 1);
        wr(0, APIC_ESR, 0);
        cr_assert_eq(rd(0, APIC_ESR), 0x80, "write of %x", none[i]);
    }
    for (unsigned reg = 0x20; reg < 0x280; reg += 0x10) {
        if ((reg > 0x30 && reg < 0x80) || reg == APIC_EOI)
            continue;
        wr(0, reg, rd(0, reg));
        wr(0, APIC_ESR, 0);
        cr_assert_eq(rd(0, APIC_ESR), 0, "register %x exists", reg);
    }
}

Test(sim_lapic, error_interrupt_comes_once_until_the_status_is_written)
{
    enable_all();
    wr(0, APIC_LVT_ERROR, 0xe0);
    rd(0, 0x40);
    cr_assert_eq(requests(), 1);
    cr_assert_eq(ack(0), 0xe0);
    wr(0, APIC_EOI, 0);
    rd(0, 0x40);
    cr_assert_eq(requests(), 0);
    wr(0, APIC_ESR, 0);
    rd(0, 0x40);
    cr_assert_eq(requests(), 1);
}

Test(sim_lapic, error_entry_with_an_illegal_vector_does_not_recurse)
{
    enable_all();
    wr(0, APIC_LVT_ERROR, 0x02);
    rd(0, 0x40);
    wr(0, APIC_ESR, 0);
    cr_assert_eq(rd(0, APIC_ESR), 0xc0);
}

Test(sim_lapic, lint0_in_extint_mode_asks_the_8259_whatever_the_priority)
{
    enable_all();
    wr(0, APIC_LVT_LINT0, 0x700);
    wr(0, APIC_TPR, 0xff);
    rig.extint_vector = 0x0b;
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(requests(), 1, "only CPU 0 has it unmasked");
    cr_assert_eq(ack(0), 0x0b);
    cr_assert_eq(requests(), 1, "the line is still high");
    lapic_set_lint(rig.lapic, 0, false);
    cr_assert_eq(requests(), 0);
    lapic_set_lint(rig.lapic, 0, true);
    wr(0, APIC_LVT_LINT0, 0x10700);
    cr_assert_eq(requests(), 0, "masked");
}

Test(sim_lapic, extint_message_is_latched_until_acknowledged)
{
    rig.extint_vector = 0x22;
    cr_assert(send(2, false, APIC_EXTINT, 0x99));
    cr_assert_eq(requests(), 4);
    cr_assert_eq(ack(2), 0x22);
    cr_assert_eq(requests(), 0);
}

Test(sim_lapic, lint0_level_triggered_comes_again_after_eoi_while_high)
{
    enable_all();
    wr(0, APIC_LVT_LINT0, 0x8055);
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(ack(0), 0x55);
    cr_assert_eq(rd(0, APIC_LVT_LINT0), 0xc055, "remote IRR");
    cr_assert_eq(requests(), 0);
    wr(0, APIC_EOI, 0);
    cr_assert_eq(requests(), 1);
    cr_assert_eq(ack(0), 0x55);
    lapic_set_lint(rig.lapic, 0, false);
    wr(0, APIC_EOI, 0);
    cr_assert_eq(requests(), 0);
    cr_assert_eq(rd(0, APIC_LVT_LINT0), 0x8055);
}

Test(sim_lapic, lint0_edge_triggered_comes_once_per_edge)
{
    enable_all();
    wr(0, APIC_LVT_LINT0, 0x55);
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(ack(0), 0x55);
    wr(0, APIC_EOI, 0);
    cr_assert_eq(requests(), 0);
    lapic_set_lint(rig.lapic, 0, false);
    cr_assert_eq(requests(), 0);
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(requests(), 1);
}

Test(sim_lapic, lint_polarity_bit_inverts_the_pin)
{
    enable_all();
    lapic_set_lint(rig.lapic, 0, true);
    wr(0, APIC_LVT_LINT0, 0x2055);
    cr_assert_eq(requests(), 0);
    lapic_set_lint(rig.lapic, 0, false);
    cr_assert_eq(requests(), 1);
}

Test(sim_lapic, lint1_in_nmi_mode_raises_nmi_on_its_edge)
{
    wr(0, APIC_SVR, 0x1ff);
    wr(0, APIC_LVT_LINT1, 0x400);
    lapic_set_lint(rig.lapic, 1, true);
    lapic_set_lint(rig.lapic, 1, true);
    lapic_set_lint(rig.lapic, 1, false);
    cr_assert_str_eq(rig.log->str, "nmi0 ");
}

Test(sim_lapic, nmi_source_on_lint0_is_seen)
{
    enable_all();
    cr_assert_not(lapic_lint_is_nmi(rig.lapic));
    wr(3, APIC_LVT_LINT0, 0x400);
    cr_assert(lapic_lint_is_nmi(rig.lapic));
    wr(3, APIC_LVT_LINT0, 0x10400);
    cr_assert_not(lapic_lint_is_nmi(rig.lapic));
}

Test(sim_lapic, firmware_leaves_virtual_wire_mode)
{
    lapic_firmware_setup(rig.lapic);
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(requests(), 1);
    lapic_set_lint(rig.lapic, 1, true);
    cr_assert_str_eq(rig.log->str, "nmi0 ");
}

Test(sim_lapic, apic_base_tells_the_bsp_and_refuses_what_is_not_there)
{
    uint64_t value;

    for (unsigned v = 0; v < 4; v++) {
        cr_assert(lapic_msr_read(rig.lapic, v, 0x1b, &value));
        cr_assert_eq(value, v ? 0xfee00800 : 0xfee00900);
        cr_assert(lapic_msr_write(rig.lapic, v, 0x1b, value));
        cr_assert_not(lapic_msr_write(rig.lapic, v, 0x1b, value | 0x400), "x2APIC");
        cr_assert_not(lapic_msr_write(rig.lapic, v, 0x1b, value | 1), "reserved");
        cr_assert_not(lapic_msr_write(rig.lapic, v, 0x1b, value | 1ull << 40), "reserved");
        cr_assert_not(lapic_msr_write(rig.lapic, v, 0x1b, value + 0x1000), "relocation");
    }
    cr_assert_not(lapic_msr_read(rig.lapic, 0, 0x802, &value));
    cr_assert_not(lapic_msr_read(rig.lapic, 0, 0x6e0, &value));
    cr_assert_not(lapic_msr_write(rig.lapic, 0, 0x6e0, 1));
}

Test(sim_lapic, disabled_by_its_base_vanishes_and_comes_back_reset)
{
    enable_all();
    wr(0, APIC_TPR, 0x30);
    cr_assert(lapic_msr_write(rig.lapic, 0, 0x1b, 0xfee00100));
    cr_assert_eq(rd(0, APIC_VERSION), 0xffffffff);
    cr_assert_eq(rd(1, APIC_VERSION), 0x50014, "the others stay");
    cr_assert_not(send(0, false, APIC_NMI, 0));
    rig.extint_vector = 0x08;
    lapic_set_lint(rig.lapic, 0, true);
    cr_assert_eq(requests(), 1, "LINT0 is INTR now");
    cr_assert_eq(ack(0), 8);
    lapic_set_lint(rig.lapic, 1, true);
    cr_assert_str_eq(rig.log->str, "nmi0 ");
    cr_assert(lapic_msr_write(rig.lapic, 0, 0x1b, 0xfee00900));
    cr_assert_eq(requests(), 0);
    cr_assert_eq(rd(0, APIC_TPR), 0);
    cr_assert_eq(rd(0, APIC_SVR), 0xff);
}

/* ---- the bits that software can write ---- */

Test(sim_lapic, reserved_bits_read_back_as_the_manual_has_them)
{
    static const struct {
        unsigned reg;
        uint32_t ones;
    } regs[] = {
        {APIC_ID, 0},
        {APIC_VERSION, 0x50014},
        {APIC_TPR, 0xff},
        {APIC_LDR, 0xff000000},
        {APIC_DFR, 0xffffffff},
        {APIC_SVR, 0x3ff},
        {APIC_LVT_TIMER, 0x300ff},
        {APIC_LVT_THERMAL, 0x107ff},
        {APIC_LVT_PERF, 0x107ff},
        {APIC_LVT_LINT0, 0x1a7ff},
        {APIC_LVT_LINT1, 0x1a7ff},
        {APIC_LVT_ERROR, 0x100ff},
        {APIC_TIMER_DIVIDE, 0xb},
        {APIC_TIMER_CURRENT, 0},
    };

    wr(0, APIC_SVR, 0x1ff);
    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++) {
        wr(0, regs[i].reg, 0xffffffff);
        cr_assert_eq(rd(0, regs[i].reg), regs[i].ones, "register %x: %x", regs[i].reg,
                     rd(0, regs[i].reg));
    }
}

Test(sim_lapic, loaded_state_is_the_saved_one)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    struct sim_device dev;
    struct base_state st;

    lapic_device(rig.lapic, &dev);
    enable_all();
    send(2, false, APIC_FIXED, 0x91);
    wr(1, APIC_TPR, 0x77);
    wr(3, APIC_TIMER_INITIAL, 1000);
    base_state_init_save(&st, saved);
    dev.state(dev.dev, &st);
    dev.reset(dev.dev);
    cr_assert_eq(requests(), 0);
    base_state_init_load(&st, saved->data, saved->len);
    dev.state(dev.dev, &st);
    cr_assert_not(st.bad);
    cr_assert_eq(requests(), 4);
    base_state_init_save(&st, again);
    dev.state(dev.dev, &st);
    cr_assert_eq(again->len, saved->len);
    cr_assert_eq(memcmp(again->data, saved->data, saved->len), 0);
}
