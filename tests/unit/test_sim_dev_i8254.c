/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/dev/i8254.h"
#include "tests/unit/fake_services.h"

#define HZ 1193182ull

static struct fake f;
static struct i8254 *pit;
static struct sim_device dev;

static void setup(void)
{
    fake_init(&f);
    pit = i8254_new(&f.sv);
    i8254_device(pit, &dev);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(i8254, .init = setup, .fini = teardown);

/* The first nanosecond of clock @n. */
static uint64_t clock_ns(uint64_t n)
{
    return (uint64_t)(((unsigned __int128)n * 1000000000u + HZ - 1) / HZ);
}

static void run_clocks_to(uint64_t n)
{
    fake_run_to(&f, clock_ns(n));
}

static void program(unsigned counter, unsigned mode, unsigned count)
{
    fake_out(&f, 0x43, counter << 6 | 0x30 | mode << 1);
    fake_out(&f, (uint16_t)(0x40 + counter), count & 0xff);
    fake_out(&f, (uint16_t)(0x40 + counter), count >> 8);
}

static unsigned read_count(unsigned counter)
{
    unsigned low;

    fake_out(&f, 0x43, counter << 6);
    low = fake_in(&f, (uint16_t)(0x40 + counter));
    return low | fake_in(&f, (uint16_t)(0x40 + counter)) << 8;
}

/* Status byte by the read-back command. */
static unsigned read_status(unsigned counter)
{
    fake_out(&f, 0x43, 0xe0 | 2u << counter);
    return fake_in(&f, (uint16_t)(0x40 + counter));
}

static bool out2(void)
{
    return fake_in(&f, 0x61) & 0x20;
}

Test(i8254, mode_0_goes_high_n_plus_1_clocks_after_the_write)
{
    run_clocks_to(1000);
    program(0, 0, 10);
    cr_assert_not(f.line[0]);
    run_clocks_to(1010);
    cr_assert_not(f.line[0]);
    run_clocks_to(1011);
    cr_assert(f.line[0]);
    cr_assert_eq(f.rise_ns[0], clock_ns(1011));
    cr_assert_eq(read_count(0), 0);
    run_clocks_to(1012);
    cr_assert_eq(read_count(0), 0xffff, "the count goes on below zero");
    cr_assert(f.line[0], "and the output stays");
}

Test(i8254, mode_0_first_byte_of_a_new_count_stops_it)
{
    program(0, 0, 100);
    run_clocks_to(50);
    fake_out(&f, 0x40, 200);
    run_clocks_to(500);
    cr_assert_not(f.line[0]);
    fake_out(&f, 0x40, 0);
    run_clocks_to(700);
    cr_assert_not(f.line[0]);
    run_clocks_to(701);
    cr_assert(f.line[0]);
}

Test(i8254, mode_2_rises_every_n_clocks_without_drift)
{
    program(0, 2, 1193);
    for (uint64_t n = 1; n <= 2000; n++) {
        run_clocks_to(1 + n * 1193);
        cr_assert_eq(f.rise_ns[0], clock_ns(1 + n * 1193), "period %" PRIu64, n);
        cr_assert_eq(f.fall_ns[0], clock_ns(n * 1193), "period %" PRIu64, n);
    }
    cr_assert_eq(f.rises[0], 2001);
}

Test(i8254, mode_2_counts_from_n_to_1)
{
    program(0, 2, 5);
    for (unsigned i = 0; i < 20; i++) {
        run_clocks_to(1 + i);
        cr_assert_eq(read_count(0), 5 - i % 5, "clock %u", i);
    }
}

Test(i8254, mode_2_new_count_waits_for_the_end_of_the_period)
{
    program(0, 2, 100);
    run_clocks_to(51);
    fake_out(&f, 0x40, 30);
    fake_out(&f, 0x40, 0);
    cr_assert_eq(read_status(0) & 0x40, 0x40, "null count: not loaded yet");
    run_clocks_to(101);
    cr_assert_eq(f.rise_ns[0], clock_ns(101));
    cr_assert_eq(read_count(0), 30);
    cr_assert_eq(read_status(0) & 0x40, 0);
    run_clocks_to(131);
    cr_assert_eq(f.rise_ns[0], clock_ns(131));
}

Test(i8254, mode_3_is_high_for_the_longer_half)
{
    static const unsigned counts[] = {2, 3, 4, 5, 100, 101};

    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
        unsigned n = counts[i];
        uint64_t start = (i + 1) * 1000;

        run_clocks_to(start);
        program(2, 3, n);
        fake_out(&f, 0x61, 1);
        for (unsigned c = 0; c < 3 * n; c++) {
            run_clocks_to(start + 1 + c);
            cr_assert_eq(out2(), c % n < (n + 1) / 2, "count %u, clock %u", n, c);
        }
        fake_out(&f, 0x61, 0);
    }
}

Test(i8254, mode_3_counts_by_two_twice_a_period)
{
    static const unsigned even[] = {8, 6, 4, 2, 8, 6, 4, 2, 8};
    static const unsigned odd[] = {6, 4, 2, 0, 6, 4, 2, 6, 4};

    program(0, 3, 8);
    for (unsigned i = 0; i < 9; i++) {
        run_clocks_to(1 + i);
        cr_assert_eq(read_count(0), even[i], "clock %u", i);
    }
    run_clocks_to(100);
    program(0, 3, 7);
    for (unsigned i = 0; i < 9; i++) {
        run_clocks_to(101 + i);
        cr_assert_eq(read_count(0), odd[i], "clock %u", i);
    }
}

Test(i8254, mode_3_interrupts_once_a_period)
{
    program(0, 3, 0); /* 65536 */
    run_clocks_to(1 + 10 * 65536);
    cr_assert_eq(f.rises[0], 11);
    cr_assert_eq(f.rise_ns[0], clock_ns(1 + 10 * 65536));
}

Test(i8254, mode_4_strobes_low_for_one_clock)
{
    program(0, 4, 10);
    cr_assert(f.line[0]);
    run_clocks_to(10);
    cr_assert(f.line[0]);
    run_clocks_to(11);
    cr_assert_not(f.line[0]);
    run_clocks_to(12);
    cr_assert(f.line[0]);
    run_clocks_to(100000);
    cr_assert_eq(f.fall_ns[0], clock_ns(11), "once only");
}

Test(i8254, mode_1_starts_with_the_gate_and_can_be_retriggered)
{
    program(2, 1, 10);
    cr_assert(out2());
    run_clocks_to(100);
    cr_assert(out2(), "a count alone starts nothing");
    fake_out(&f, 0x61, 1);
    run_clocks_to(101);
    cr_assert_not(out2());
    run_clocks_to(106);
    fake_out(&f, 0x61, 0);
    fake_out(&f, 0x61, 1);
    run_clocks_to(116);
    cr_assert_not(out2(), "the second trigger began it anew");
    run_clocks_to(117);
    cr_assert(out2());
}

Test(i8254, mode_5_strobes_n_clocks_after_the_gate)
{
    program(2, 5, 10);
    fake_out(&f, 0x61, 1);
    run_clocks_to(10);
    cr_assert(out2());
    run_clocks_to(11);
    cr_assert_not(out2());
    run_clocks_to(12);
    cr_assert(out2());
}

Test(i8254, gate_holds_mode_0_and_restarts_mode_2)
{
    fake_out(&f, 0x61, 1);
    program(2, 0, 100);
    run_clocks_to(41);
    fake_out(&f, 0x61, 0);
    run_clocks_to(1000);
    cr_assert_eq(read_count(2), 60);
    fake_out(&f, 0x61, 1);
    run_clocks_to(1059);
    cr_assert_not(out2());
    run_clocks_to(1060);
    cr_assert(out2());

    program(2, 2, 50);
    run_clocks_to(1100);
    fake_out(&f, 0x61, 0);
    run_clocks_to(1200);
    cr_assert(out2());
    fake_out(&f, 0x61, 1);
    run_clocks_to(1201);
    cr_assert_eq(read_count(2), 50);
}

Test(i8254, bcd_counts_in_decimal)
{
    fake_out(&f, 0x43, 0x31); /* counter 0, both bytes, mode 0, BCD */
    fake_out(&f, 0x40, 0x00);
    fake_out(&f, 0x40, 0x10); /* 1000 */
    run_clocks_to(2);
    cr_assert_eq(read_count(0), 0x0999);
    run_clocks_to(1001);
    cr_assert(f.line[0]);
    run_clocks_to(1002);
    cr_assert_eq(read_count(0), 0x9999);
    fake_out(&f, 0x43, 0x35);
    fake_out(&f, 0x40, 0);
    fake_out(&f, 0x40, 0); /* 10000 */
    run_clocks_to(1003 + 10000);
    cr_assert_eq(f.rise_ns[0], clock_ns(1003 + 10000));
}

Test(i8254, latch_keeps_the_first_value_until_it_is_read)
{
    program(0, 2, 1000);
    run_clocks_to(101);
    fake_out(&f, 0x43, 0x00);
    run_clocks_to(201);
    fake_out(&f, 0x43, 0x00);
    cr_assert_eq(fake_in(&f, 0x40), 900 & 0xff);
    cr_assert_eq(fake_in(&f, 0x40), 900 >> 8);
    cr_assert_eq(fake_in(&f, 0x40), 800 & 0xff, "live again");
}

Test(i8254, read_back_latches_status_and_counts_of_the_named_counters)
{
    program(0, 2, 1000);
    program(2, 3, 50);
    run_clocks_to(101);
    fake_out(&f, 0x43, 0xca); /* count and status of 0 and 2 */
    run_clocks_to(150);
    cr_assert_eq(fake_in(&f, 0x40), 0xb4, "output high, loaded, both bytes, mode 2");
    cr_assert_eq(fake_in(&f, 0x40), 900 & 0xff);
    cr_assert_eq(fake_in(&f, 0x40), 900 >> 8);
    cr_assert_eq(fake_in(&f, 0x42), 0xf6, "not loaded: its gate is low");
}

Test(i8254, single_byte_modes_write_and_read_one_byte)
{
    fake_out(&f, 0x43, 0x14);
    fake_out(&f, 0x40, 100);
    run_clocks_to(1);
    cr_assert_eq(fake_in(&f, 0x40), 100);
    cr_assert_eq(fake_in(&f, 0x40), 100);
    fake_out(&f, 0x43, 0x24);
    fake_out(&f, 0x40, 2); /* 512 */
    run_clocks_to(3);
    cr_assert_eq(fake_in(&f, 0x40), 1, "511 >> 8");
}

Test(i8254, port_61_keeps_its_bits_and_shows_refresh)
{
    unsigned toggles = 0, last = fake_in(&f, 0x61) & 0x10;

    fake_out(&f, 0x61, 0xff);
    cr_assert_eq(fake_in(&f, 0x61) & 0xcf, 0x0f);
    for (unsigned c = 0; c < 18 * 10; c++) {
        unsigned now;

        run_clocks_to(1 + c);
        now = fake_in(&f, 0x61) & 0x10;
        toggles += now != last;
        last = now;
    }
    cr_assert_eq(toggles, 9);
}

Test(i8254, count_1_in_periodic_modes_does_not_stop_time)
{
    program(0, 2, 1);
    run_clocks_to(1000);
    cr_assert_leq(f.rises[0], 501);
    program(0, 3, 1);
    run_clocks_to(2000);
}

Test(i8254, an_idle_chip_arms_nothing)
{
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
    program(0, 2, 100);
    cr_assert_neq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
    dev.reset(dev.dev);
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
}

/* The channel 2 sequence by which operating systems calibrate their clocks. */
Test(i8254, fifty_milliseconds_by_counter_2_take_fifty_milliseconds)
{
    uint64_t start;

    fake_run_to(&f, 123456789);
    fake_out(&f, 0x61, (fake_in(&f, 0x61) & ~2u) | 1);
    fake_out(&f, 0x43, 0xb0);
    fake_out(&f, 0x42, 59659 & 0xff);
    fake_out(&f, 0x42, 59659 >> 8);
    start = f.now_ns;
    while (!out2())
        fake_run(&f, 100);
    cr_assert_float_eq((double)(f.now_ns - start), 50000000.0, 2000.0);
}

Test(i8254, every_write_is_legal)
{
    uint32_t x = 12345;

    for (unsigned i = 0; i < 200000; i++) {
        x = x * 1664525u + 1013904223u;
        if (x >> 31)
            fake_out(&f, (uint16_t)((x >> 28 & 4) ? 0x61 : 0x40 + (x >> 26 & 3)), x >> 8 & 0xff);
        else
            fake_in(&f, (uint16_t)(0x40 + (x >> 26 & 3)));
        if ((x & 0xf0) == 0)
            fake_run(&f, x >> 16 & 0x7fff);
    }
}

Test(i8254, state_moves_to_another_chip)
{
    struct fake g;
    struct i8254 *other;
    struct sim_device other_dev;

    fake_init(&g);
    other = i8254_new(&g.sv);
    i8254_device(other, &other_dev);
    program(0, 3, 1000);
    fake_run(&f, 1234567);
    cr_assert(fake_state_moves(&dev, &other_dev));
    other_dev.free(other);
    fake_fini(&g);
}
