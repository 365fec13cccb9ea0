/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/dev/i8042.h"
#include "tests/unit/fake_services.h"

static struct fake f;
static struct sim_device dev;

static void setup(void)
{
    fake_init(&f);
    i8042_device(i8042_new(&f.sv), &dev);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(i8042, .init = setup, .fini = teardown);

static void command(uint8_t c)
{
    fake_out(&f, 0x64, c);
}

static void command_with(uint8_t c, uint8_t parameter)
{
    command(c);
    fake_out(&f, 0x60, parameter);
}

Test(i8042, is_empty_tested_and_unlocked_after_reset)
{
    cr_assert_eq(fake_in(&f, 0x64), 0x14);
}

Test(i8042, self_test_passes)
{
    command(0xaa);
    cr_assert_eq(fake_in(&f, 0x64) & 1, 1);
    cr_assert_eq(fake_in(&f, 0x60), 0x55);
    cr_assert_eq(fake_in(&f, 0x64) & 1, 0);
}

Test(i8042, interface_tests_find_good_lines)
{
    command(0xab);
    cr_assert_eq(fake_in(&f, 0x60), 0);
    command(0xa9);
    cr_assert_eq(fake_in(&f, 0x60), 0);
}

Test(i8042, command_byte_and_memory_read_back)
{
    for (unsigned i = 0; i < 32; i++)
        command_with((uint8_t)(0x60 + i), (uint8_t)(0x40 + i));
    for (unsigned i = 0; i < 32; i++) {
        command((uint8_t)(0x20 + i));
        cr_assert_eq(fake_in(&f, 0x60), 0x40 + i, "byte %u", i);
    }
    command(0xad);
    command(0xa7);
    command(0x20);
    cr_assert_eq(fake_in(&f, 0x60), 0x70);
    command(0xae);
    command(0xa8);
    command(0x20);
    cr_assert_eq(fake_in(&f, 0x60), 0x40);
}

Test(i8042, a_byte_for_the_absent_keyboard_times_out)
{
    command_with(0x60, 0x41);
    fake_out(&f, 0x60, 0xff);
    cr_assert_eq(fake_in(&f, 0x64) & 1, 0);
    fake_run(&f, 14999999);
    cr_assert_eq(fake_in(&f, 0x64) & 1, 0);
    fake_run(&f, 1);
    cr_assert_eq(fake_in(&f, 0x64) & 0x61, 0x41);
    cr_assert(f.line[1]);
    cr_assert_eq(fake_in(&f, 0x60), 0xfe);
    cr_assert_not(f.line[1]);
    cr_assert_eq(fake_in(&f, 0x64) & 0x41, 0);
}

Test(i8042, a_byte_for_the_absent_mouse_times_out_on_irq_12)
{
    command_with(0x60, 0x43);
    command_with(0xd4, 0xf4);
    fake_run(&f, 15000000);
    cr_assert_eq(fake_in(&f, 0x64) & 0x61, 0x61);
    cr_assert(f.line[12]);
    cr_assert_not(f.line[1]);
    cr_assert_eq(fake_in(&f, 0x60), 0xfe);
    cr_assert_not(f.line[12]);
}

Test(i8042, echo_commands_fill_the_buffer_of_their_device)
{
    command_with(0xd2, 0x1c);
    cr_assert_eq(fake_in(&f, 0x64) & 0x21, 0x01);
    cr_assert_eq(fake_in(&f, 0x60), 0x1c);
    command_with(0xd3, 0x1d);
    cr_assert_eq(fake_in(&f, 0x64) & 0x21, 0x21);
    cr_assert_eq(fake_in(&f, 0x60), 0x1d);
}

Test(i8042, pulse_command_resets_only_with_bit_0_low)
{
    for (unsigned c = 0xf0; c <= 0xff; c++) {
        unsigned before = f.ends;

        command((uint8_t)c);
        cr_assert_eq(f.ends - before, !(c & 1), "command %#x", c);
    }
    cr_assert_eq(f.end_why, SIM_END_RESET);
}

Test(i8042, output_port_has_a20_and_reset)
{
    command_with(0xd1, 0x01);
    cr_assert_eq(fake_in(&f, 0x92), 0x00);
    command(0xd0);
    cr_assert_eq(fake_in(&f, 0x60) & 3, 1);
    command_with(0xd1, 0x03);
    cr_assert_eq(fake_in(&f, 0x92), 0x02);
    cr_assert_eq(f.ends, 0);
    command_with(0xd1, 0x02);
    cr_assert_eq(f.ends, 1);
}

Test(i8042, port_92_moves_a20_and_resets_when_bit_0_rises)
{
    cr_assert_eq(fake_in(&f, 0x92), 0x02);
    fake_out(&f, 0x92, 0x00);
    command(0xd0);
    cr_assert_eq(fake_in(&f, 0x60) & 2, 0);
    fake_out(&f, 0x92, 0x03);
    cr_assert_eq(f.ends, 1);
    cr_assert_eq(f.end_why, SIM_END_RESET);
    fake_out(&f, 0x92, 0x03);
    cr_assert_eq(f.ends, 1);
}

Test(i8042, port_80_keeps_the_post_code)
{
    fake_out(&f, 0x80, 0xa5);
    cr_assert_eq(fake_in(&f, 0x80), 0xa5);
}

Test(i8042, every_write_is_legal)
{
    uint32_t x = 7;

    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525u + 1013904223u;
        fake_out(&f, (x >> 31) ? 0x60 : 0x64, x >> 8 & 0xff);
        if ((x & 0x70) == 0)
            fake_in(&f, 0x60);
        fake_run(&f, x >> 12);
    }
}

Test(i8042, state_moves_to_another_chip)
{
    struct fake g;
    struct sim_device other;

    fake_init(&g);
    i8042_device(i8042_new(&g.sv), &other);
    command_with(0x65, 0x99);
    command(0xd4);
    cr_assert(fake_state_moves(&dev, &other));
    other.free(other.dev);
    fake_fini(&g);
}
