/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/dev/i8259.h"
#include "tests/unit/fake_services.h"

#define OUTPUT 16 /* fake line for INT */

static struct fake f;
static struct i8259 *p;
static struct sim_device dev;

/* The usual way to program a PC's pair; everything unmasked. */
static void program(uint8_t icw4)
{
    static const uint16_t base[2] = {0x20, 0xa0};

    for (unsigned i = 0; i < 2; i++) {
        fake_out(&f, base[i], 0x11);
        fake_out(&f, base[i] + 1, i ? 0x28 : 0x20);
        fake_out(&f, base[i] + 1, i ? 2 : 4);
        fake_out(&f, base[i] + 1, icw4);
        fake_out(&f, base[i] + 1, 0);
    }
}

static void setup(void)
{
    struct sim_irq intr;

    fake_init(&f);
    intr = fake_irq(&f, OUTPUT);
    p = i8259_new(&f.sv, 1u << 9, &intr);
    i8259_device(p, &dev);
    program(1);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(i8259, .init = setup, .fini = teardown);

static void pulse(unsigned irq)
{
    i8259_set_irq(p, irq, false);
    i8259_set_irq(p, irq, true);
}

static uint8_t read_isr(uint16_t base)
{
    fake_out(&f, base, 0x0b);
    return (uint8_t)fake_in(&f, base);
}

static uint8_t read_irr(uint16_t base)
{
    fake_out(&f, base, 0x0a);
    return (uint8_t)fake_in(&f, base);
}

Test(i8259, after_reset_everything_is_masked_and_firmware_vectors_are_set)
{
    dev.reset(dev.dev);
    cr_assert_eq(fake_in(&f, 0x21), 0xff);
    cr_assert_eq(fake_in(&f, 0xa1), 0xff);
    pulse(0);
    cr_assert_not(f.line[OUTPUT]);
    fake_out(&f, 0x21, 0xfe);
    cr_assert(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x08);
}

Test(i8259, every_line_gives_its_vector)
{
    for (unsigned irq = 0; irq < 16; irq++) {
        if (irq == 2)
            continue;
        pulse(irq);
        cr_assert(f.line[OUTPUT], "IRQ %u", irq);
        cr_assert_eq(i8259_ack(p), (int)(0x20 + irq), "IRQ %u", irq);
        cr_assert_not(f.line[OUTPUT], "IRQ %u", irq);
        i8259_set_irq(p, irq, false);
        if (irq >= 8)
            fake_out(&f, 0xa0, 0x20);
        fake_out(&f, 0x20, 0x20);
        cr_assert_eq(read_isr(0x20) | read_isr(0xa0), 0, "IRQ %u", irq);
    }
}

Test(i8259, edge_request_is_latched_once_and_goes_when_the_line_falls)
{
    i8259_set_irq(p, 3, true);
    cr_assert_eq(i8259_ack(p), 0x23);
    fake_out(&f, 0x20, 0x20);
    cr_assert_not(f.line[OUTPUT], "still high is no new edge");
    pulse(3);
    cr_assert(f.line[OUTPUT]);
    i8259_set_irq(p, 3, false);
    cr_assert_not(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x27, "spurious");
    cr_assert_eq(read_isr(0x20), 0, "a spurious interrupt is not in service");
}

Test(i8259, level_request_lasts_as_long_as_its_line)
{
    cr_assert_eq(fake_in(&f, 0x4d1), 0x02);
    i8259_set_irq(p, 9, true);
    cr_assert_eq(i8259_ack(p), 0x29);
    cr_assert_not(f.line[OUTPUT]);
    fake_out(&f, 0xa0, 0x20);
    fake_out(&f, 0x20, 0x20);
    cr_assert(f.line[OUTPUT], "asks again");
    i8259_set_irq(p, 9, false);
    cr_assert_not(f.line[OUTPUT]);
}

Test(i8259, elcr_bits_of_fixed_edge_lines_stay_clear)
{
    fake_out(&f, 0x4d0, 0xff);
    fake_out(&f, 0x4d1, 0xff);
    cr_assert_eq(fake_in(&f, 0x4d0), 0xf8);
    cr_assert_eq(fake_in(&f, 0x4d1), 0xde);
}

Test(i8259, lower_priorities_wait_for_the_end_of_the_higher)
{
    pulse(4);
    cr_assert_eq(i8259_ack(p), 0x24);
    pulse(6);
    cr_assert_not(f.line[OUTPUT]);
    pulse(1);
    cr_assert(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x21);
    fake_out(&f, 0x20, 0x20);
    cr_assert_not(f.line[OUTPUT], "4 is still in service");
    fake_out(&f, 0x20, 0x64); /* specific end */
    cr_assert_eq(i8259_ack(p), 0x26);
}

Test(i8259, special_mask_mode_lets_lower_priorities_through)
{
    pulse(1);
    i8259_ack(p);
    pulse(5);
    cr_assert_not(f.line[OUTPUT]);
    fake_out(&f, 0x21, 0x02);
    fake_out(&f, 0x20, 0x68);
    cr_assert(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x25);
    fake_out(&f, 0x20, 0x20);
    cr_assert_eq(read_isr(0x20), 0x02, "a masked level is not ended by a plain end");
    fake_out(&f, 0x20, 0x48);
    pulse(5);
    cr_assert_not(f.line[OUTPUT], "mode off again");
}

Test(i8259, special_mask_mode_frees_only_what_a_masked_line_in_service_held_back)
{
    pulse(1);
    i8259_ack(p);
    fake_out(&f, 0x20, 0x68);
    pulse(5);
    cr_assert_not(f.line[OUTPUT], "1 is in service and not masked");
    fake_out(&f, 0x21, 0x02);
    cr_assert(f.line[OUTPUT]);
}

Test(i8259, automatic_end_leaves_nothing_in_service)
{
    program(3);
    pulse(8);
    pulse(12);
    cr_assert_eq(i8259_ack(p), 0x28);
    cr_assert_eq(read_isr(0x20) | read_isr(0xa0), 0);
    cr_assert(f.line[OUTPUT], "the slave's second request raises the cascade again");
    cr_assert_eq(i8259_ack(p), 0x2c);
    cr_assert_not(f.line[OUTPUT]);
}

Test(i8259, rotation_makes_the_served_line_the_lowest)
{
    pulse(3);
    pulse(5);
    cr_assert_eq(i8259_ack(p), 0x23);
    fake_out(&f, 0x20, 0xa0);
    pulse(3);
    cr_assert_eq(i8259_ack(p), 0x25, "3 has become the lowest");
    fake_out(&f, 0x20, 0x20);
    cr_assert_eq(i8259_ack(p), 0x23);
    fake_out(&f, 0x20, 0xc5); /* set priority: 5 lowest, 6 highest */
    fake_out(&f, 0x20, 0x20);
    pulse(0);
    pulse(6);
    cr_assert_eq(i8259_ack(p), 0x26);
}

Test(i8259, poll_acknowledges_by_reading)
{
    fake_out(&f, 0x20, 0x0c);
    cr_assert_eq(fake_in(&f, 0x20) & 0x80, 0);
    pulse(5);
    fake_out(&f, 0x20, 0x0c);
    cr_assert_eq(fake_in(&f, 0x20), 0x85);
    cr_assert_eq(read_isr(0x20), 0x20);
    cr_assert_not(f.line[OUTPUT]);
}

Test(i8259, special_fully_nested_master_takes_a_higher_slave_line)
{
    fake_out(&f, 0x20, 0x11);
    fake_out(&f, 0x21, 0x20);
    fake_out(&f, 0x21, 4);
    fake_out(&f, 0x21, 0x11);
    pulse(12);
    cr_assert_eq(i8259_ack(p), 0x2c);
    pulse(8);
    cr_assert(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x28);
}

Test(i8259, slave_request_that_goes_away_is_spurious_at_the_master)
{
    pulse(10);
    i8259_set_irq(p, 10, false);
    cr_assert_not(f.line[OUTPUT]);
    cr_assert_eq(i8259_ack(p), 0x27);
}

Test(i8259, initialisation_clears_masks_requests_and_service)
{
    pulse(3);
    i8259_ack(p);
    pulse(4);
    fake_out(&f, 0x21, 0x55);
    fake_out(&f, 0x20, 0x11);
    cr_assert_eq(read_irr(0x20), 0);
    fake_out(&f, 0x21, 0x40);
    fake_out(&f, 0x21, 4);
    fake_out(&f, 0x21, 1);
    cr_assert_eq(fake_in(&f, 0x21), 0);
    cr_assert_eq(read_isr(0x20), 0);
    pulse(0);
    cr_assert_eq(i8259_ack(p), 0x40);
}

Test(i8259, single_mode_without_icw4_needs_one_word_more)
{
    fake_out(&f, 0x20, 0x12);
    fake_out(&f, 0x21, 0x48);
    fake_out(&f, 0x21, 0xfd);
    cr_assert_eq(fake_in(&f, 0x21), 0xfd);
    pulse(1);
    cr_assert_eq(i8259_ack(p), 0x49);
}

Test(i8259, state_moves_to_another_pair)
{
    struct fake g;
    struct sim_irq intr;
    struct i8259 *other;
    struct sim_device other_dev;

    fake_init(&g);
    intr = fake_irq(&g, OUTPUT);
    other = i8259_new(&g.sv, 0, &intr);
    i8259_device(other, &other_dev);
    pulse(4);
    i8259_ack(p);
    pulse(1);
    cr_assert(fake_state_moves(&dev, &other_dev));
    cr_assert(i8259_intr(other));
    cr_assert_eq(i8259_ack(other), 0x21);
    other_dev.free(other);
    fake_fini(&g);
}
