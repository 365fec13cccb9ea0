/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ports that are for tests and debugging: debugcon and exitport. */
#include <criterion/criterion.h>

#include "sim/dev/debugcon.h"
#include "sim/dev/exitport.h"
#include "tests/unit/fake_services.h"

Test(debugcon, reads_its_own_address_and_sends_what_is_written)
{
    struct fake f;
    struct sim_device dev;

    fake_init(&f);
    debugcon_device(debugcon_new(&f.sv, fake_tx, &f), &dev);
    cr_assert_eq(fake_in(&f, 0xe9), 0xe9);
    fake_out(&f, 0xe9, 'h');
    fake_out(&f, 0xe9, 'i');
    cr_assert_eq(f.sent_count, 2);
    cr_assert_eq(f.sent[0], 'h');
    cr_assert_eq(f.sent[1], 'i');
    dev.free(dev.dev);
    fake_fini(&f);
}

Test(exitport, ends_with_the_value_in_each_width)
{
    static const uint32_t value[] = {[1] = 0x12, [2] = 0x1234, [4] = 0x12345678};
    struct fake f;
    struct sim_device dev;

    fake_init(&f);
    exitport_device(exitport_new(&f.sv), &dev);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xf4, 4), 0);
    cr_assert_eq(f.ends, 0);
    for (unsigned size = 1; size <= 4; size *= 2) {
        sim_bus_port_write(f.sv.bus, 0xf4, size, 0x12345678 >> (32 - 8 * size));
        cr_assert_eq(f.ends, size == 1 ? 1 : size == 2 ? 2 : 3);
        cr_assert_eq(f.end_why, SIM_END_EXIT_PORT);
        cr_assert_eq(f.end_value, value[size], "size %u", size);
    }
    dev.free(dev.dev);
    fake_fini(&f);
}

Test(exitport, zero_is_a_value_too)
{
    struct fake f;
    struct sim_device dev;

    fake_init(&f);
    exitport_device(exitport_new(&f.sv), &dev);
    fake_out(&f, 0xf4, 0);
    cr_assert_eq(f.ends, 1);
    cr_assert_eq(f.end_value, 0);
    dev.free(dev.dev);
    fake_fini(&f);
}
