/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Section numbers are those of the 82093AA data sheet. */
#include <criterion/criterion.h>

#include "tests/unit/apic_rig.h"

#define LOW_PINS 0xff0000u

static struct apic_rig rig;
static bool refuse;

/* Writes the message down and hands it to the local APICs. */
static bool deliver(void *user, const struct apic_message *msg)
{
    struct apic_rig *r = user;

    g_string_append_printf(r->log, "%s%x.%u.%x%s ", msg->logical ? "l" : "p", msg->destination,
                           msg->mode, msg->vector, msg->level ? "L" : "E");
    return !refuse && lapic_deliver(r->lapic, msg);
}

static void setup(void)
{
    apic_rig_open(&rig, 2, false);
    rig.ioapic = ioapic_new(&rig.sv, 0, LOW_PINS, deliver, &rig);
    apic_write(&rig, 0, APIC_SVR, 0x1ff);
    apic_write(&rig, 1, APIC_SVR, 0x1ff);
    refuse = false;
}

static void teardown(void)
{
    apic_rig_close(&rig);
}

TestSuite(sim_ioapic, .init = setup, .fini = teardown);

static uint32_t rd(unsigned index)
{
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE), 4, index);
    return (uint32_t)sim_bus_mmio_read(rig.bus, 0, GPA(IOAPIC_BASE + 0x10), 4);
}

static void wr(unsigned index, uint32_t value)
{
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE), 4, index);
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE + 0x10), 4, value);
}

static void entry(unsigned pin, uint8_t destination, uint32_t low)
{
    wr(0x11 + 2 * pin, (uint32_t)destination << 24);
    wr(0x10 + 2 * pin, low);
}

#define SAW(text)                                                                                  \
    do {                                                                                           \
        cr_assert_str_eq(rig.log->str, text);                                                      \
        g_string_truncate(rig.log, 0);                                                             \
    } while (0)

Test(sim_ioapic, reset_state_is_that_of_3_2)
{
    cr_assert_eq(rd(0), 0);
    cr_assert_eq(rd(1), 0x170011);
    cr_assert_eq(rd(2), 0);
    for (unsigned i = 0x10; i < 0x40; i++)
        cr_assert_eq(rd(i), i & 1 ? 0 : 0x10000, "register %x", i);
    cr_assert_eq(rd(3), 0);
    cr_assert_eq(rd(0x40), 0);
    cr_assert_eq(rd(0xff), 0);
}

Test(sim_ioapic, id_has_four_bits_and_arbitration_follows_it)
{
    wr(0, 0xffffffff);
    cr_assert_eq(rd(0), 0x0f000000);
    cr_assert_eq(rd(2), 0x0f000000);
    wr(1, 0);
    cr_assert_eq(rd(1), 0x170011);
}

Test(sim_ioapic, entries_keep_what_is_writable)
{
    for (unsigned pin = 0; pin < 24; pin++) {
        entry(pin, 0xff, 0xffffffff);
        cr_assert_eq(rd(0x10 + 2 * pin), 0x1afff);
        cr_assert_eq(rd(0x11 + 2 * pin), 0xff000000);
    }
}

Test(sim_ioapic, odd_widths_of_the_data_window_do_nothing)
{
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE), 1, 0x12);
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE + 0x10), 1, 0);
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE + 0x12), 2, 0);
    sim_bus_mmio_write(rig.bus, 0, GPA(IOAPIC_BASE + 0x10), 8, 0);
    cr_assert_eq(rd(0x12), 0x10000);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(IOAPIC_BASE + 0x12), 1), 1);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(IOAPIC_BASE), 4), 0x12);
    cr_assert_eq(sim_bus_mmio_read(rig.bus, 0, GPA(IOAPIC_BASE + 0x40), 4), 0);
}

Test(sim_ioapic, edge_is_sent_once_and_a_masked_edge_is_lost)
{
    ioapic_set_pin(rig.ioapic, 4, true);
    ioapic_set_pin(rig.ioapic, 4, false);
    entry(4, 1, 0x34);
    SAW("");
    ioapic_set_pin(rig.ioapic, 4, true);
    ioapic_set_pin(rig.ioapic, 4, true);
    ioapic_set_pin(rig.ioapic, 4, false);
    SAW("p1.0.34E ");
    cr_assert(rig.intr[1]);
    cr_assert_eq(lapic_ack(rig.lapic, 1), 0x34);
    apic_write(&rig, 1, APIC_EOI, 0);
    SAW("");
}

Test(sim_ioapic, unmasking_an_edge_pin_that_is_high_sends_nothing)
{
    ioapic_set_pin(rig.ioapic, 4, true);
    entry(4, 1, 0x34);
    SAW("");
}

Test(sim_ioapic, level_interrupt_waits_for_its_end_and_comes_again_while_high)
{
    entry(9, 0, 0x8059);
    ioapic_set_pin(rig.ioapic, 9, true);
    SAW("p0.0.59L ");
    cr_assert_eq(rd(0x10 + 18), 0xc059, "remote IRR");
    ioapic_set_pin(rig.ioapic, 9, false);
    ioapic_set_pin(rig.ioapic, 9, true);
    SAW("");
    cr_assert_eq(lapic_ack(rig.lapic, 0), 0x59);
    apic_write(&rig, 0, APIC_EOI, 0);
    SAW("eoi:59 p0.0.59L ");
    cr_assert_eq(lapic_ack(rig.lapic, 0), 0x59);
    ioapic_set_pin(rig.ioapic, 9, false);
    apic_write(&rig, 0, APIC_EOI, 0);
    SAW("eoi:59 ");
    cr_assert_eq(rd(0x10 + 18), 0x8059);
    cr_assert_not(rig.intr[0]);
}

Test(sim_ioapic, level_pin_that_is_high_is_sent_when_unmasked)
{
    entry(9, 0, 0x18059);
    ioapic_set_pin(rig.ioapic, 9, true);
    SAW("");
    entry(9, 0, 0x8059);
    SAW("p0.0.59L ");
}

Test(sim_ioapic, end_while_masked_does_not_send_again)
{
    entry(9, 0, 0x8059);
    ioapic_set_pin(rig.ioapic, 9, true);
    lapic_ack(rig.lapic, 0);
    entry(9, 0, 0x18059);
    apic_write(&rig, 0, APIC_EOI, 0);
    SAW("p0.0.59L eoi:59 ");
    cr_assert_eq(rd(0x10 + 18), 0x18059);
}

Test(sim_ioapic, refused_level_interrupt_is_pending_and_tried_again)
{
    refuse = true;
    entry(9, 0, 0x8059);
    ioapic_set_pin(rig.ioapic, 9, true);
    cr_assert_eq(rd(0x10 + 18), 0x9059, "delivery status");
    refuse = false;
    entry(9, 0, 0x8059);
    cr_assert_eq(rd(0x10 + 18), 0xc059);
}

Test(sim_ioapic, switching_to_edge_forgets_the_interrupt_in_service)
{
    entry(9, 0, 0x8059);
    ioapic_set_pin(rig.ioapic, 9, true);
    ioapic_set_pin(rig.ioapic, 9, false);
    wr(0x10 + 18, 0x10059);
    wr(0x10 + 18, 0x8059);
    cr_assert_eq(rd(0x10 + 18), 0x8059);
}

Test(sim_ioapic, polarity_is_that_of_the_wire)
{
    entry(16, 0, 0xa061);
    SAW("");
    ioapic_set_pin(rig.ioapic, 16, true);
    SAW("p0.0.61L ");
    entry(9, 0, 0xa059);
    SAW("p0.0.59L ");
    entry(3, 0, 0x2033);
    ioapic_set_pin(rig.ioapic, 3, true);
    SAW("");
    ioapic_set_pin(rig.ioapic, 3, false);
    SAW("p0.0.33E ");
}

Test(sim_ioapic, every_delivery_mode_is_passed_on)
{
    static const char *const want[8] = {"p1.0.40E ", "p1.1.40E ",      "p1.2.40E ",
                                        "",          "p1.4.40E nmi1 ", "p1.5.40E init1 ",
                                        "",          "p1.7.40E "};

    for (unsigned mode = 0; mode < 8; mode++) {
        entry(5, 1, mode << 8 | 0x40);
        ioapic_set_pin(rig.ioapic, 5, true);
        ioapic_set_pin(rig.ioapic, 5, false);
        cr_assert_str_eq(rig.log->str, want[mode], "mode %u", mode);
        g_string_truncate(rig.log, 0);
    }
}

Test(sim_ioapic, only_fixed_and_lowest_priority_are_level_triggered)
{
    entry(5, 1, 0x8440);
    ioapic_set_pin(rig.ioapic, 5, true);
    SAW("p1.4.40E nmi1 ");
    cr_assert_eq(rd(0x10 + 10), 0x8440);
}

Test(sim_ioapic, shared_vector_ends_on_all_its_pins)
{
    entry(16, 0, 0xa061);
    entry(17, 0, 0xa061);
    ioapic_set_pin(rig.ioapic, 16, true);
    ioapic_set_pin(rig.ioapic, 17, true);
    SAW("p0.0.61L p0.0.61L ");
    lapic_ack(rig.lapic, 0);
    ioapic_set_pin(rig.ioapic, 16, false);
    apic_write(&rig, 0, APIC_EOI, 0);
    SAW("eoi:61 p0.0.61L ");
}

Test(sim_ioapic, nmi_pins_are_seen)
{
    cr_assert_not(ioapic_has_nmi(rig.ioapic));
    entry(7, 0, 0x400);
    cr_assert(ioapic_has_nmi(rig.ioapic));
    entry(7, 0, 0x10400);
    cr_assert_not(ioapic_has_nmi(rig.ioapic));
}
