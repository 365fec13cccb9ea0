/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/dev/mc146818.h"
#include "tests/unit/fake_services.h"

#define S     1000000000ull
#define LINE  8
#define START 1709251198 /* 2024-02-29T23:59:58Z, a Thursday */

static struct fake f;
static struct mc146818 *rtc;
static struct sim_device dev;

static void setup(void)
{
    fake_init(&f);
    rtc = mc146818_new(&f.sv, START, 768ull << 20);
    mc146818_device(rtc, &dev);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(mc146818, .init = setup, .fini = teardown);

static uint8_t get(unsigned at)
{
    fake_out(&f, 0x70, at);
    return (uint8_t)fake_in(&f, 0x71);
}

static void set(unsigned at, uint8_t value)
{
    fake_out(&f, 0x70, at);
    fake_out(&f, 0x71, value);
}

/* Date and time as one number in hex digits (century to second). */
static uint64_t shown(void)
{
    return (uint64_t)get(0x32) << 48 | (uint64_t)get(9) << 40 | (uint64_t)get(8) << 32 |
           (uint64_t)get(7) << 24 | (uint64_t)get(4) << 16 | (uint64_t)get(2) << 8 | get(0);
}

Test(mc146818, shows_the_start_date_and_goes_on_with_virtual_time)
{
    cr_assert_eq(shown(), 0x20240229235958);
    cr_assert_eq(get(6), 5);
    fake_run_to(&f, S - 1);
    cr_assert_eq(shown(), 0x20240229235958);
    fake_run_to(&f, S);
    cr_assert_eq(shown(), 0x20240229235959);
    fake_run_to(&f, 2 * S);
    cr_assert_eq(shown(), 0x20240301000000);
    cr_assert_eq(get(6), 6);
    fake_run_to(&f, (2 + 366 * 86400ull) * S);
    cr_assert_eq(shown(), 0x20250302000000);
}

Test(mc146818, agrees_with_the_calendar_at_many_instants)
{
    uint64_t x = 1;

    for (unsigned i = 0; i < 2000; i++) {
        int64_t seconds;
        GDateTime *date;
        struct sim_device d;
        struct fake g;
        unsigned day;

        x = x * 6364136223846793005ull + 1442695040888963407ull;
        seconds = (int64_t)(x >> 31) - 2000000000ll; /* 1906 to 2178 */
        fake_init(&g);
        mc146818_device(mc146818_new(&g.sv, seconds - 1000000, 64u << 20), &d);
        g.now_ns = 1000000 * S;
        date = g_date_time_new_from_unix_utc(seconds);
        fake_out(&g, 0x70, 7);
        day = fake_in(&g, 0x71);
        cr_assert_eq((day >> 4) * 10 + (day & 15), (unsigned)g_date_time_get_day_of_month(date),
                     "%" PRId64, seconds);
        fake_out(&g, 0x70, 6);
        cr_assert_eq(fake_in(&g, 0x71), (uint32_t)g_date_time_get_day_of_week(date) % 7 + 1,
                     "%" PRId64, seconds);
        g_date_time_unref(date);
        d.free(d.dev);
        fake_fini(&g);
    }
}

Test(mc146818, setting_the_clock_takes_effect_and_it_goes_on)
{
    set(0x0b, 0x82);
    set(0x0a, 0x76); /* divider in reset */
    set(9, 0x99);
    set(8, 0x12);
    set(7, 0x31);
    set(4, 0x23);
    set(2, 0x59);
    set(0, 0x59);
    set(0x32, 0x19);
    fake_run(&f, 10 * S);
    set(0x0b, 0x02);
    set(0x0a, 0x26);
    cr_assert_eq(shown(), 0x19991231235959, "no second passed while it was stopped");
    fake_run(&f, S / 2 - 1);
    cr_assert_eq(shown(), 0x19991231235959);
    fake_run(&f, 1);
    cr_assert_eq(shown(), 0x20000101000000, "half a second after the divider was let go");
}

Test(mc146818, set_bit_alone_keeps_the_phase_of_the_second)
{
    fake_run_to(&f, 300000000);
    set(0x0b, 0x82);
    set(4, 0x11);
    fake_run_to(&f, 5 * S + 600000000);
    set(0x0b, 0x02);
    cr_assert_eq(shown(), 0x20240229115958);
    fake_run_to(&f, 6 * S);
    cr_assert_eq(shown(), 0x20240229115959);
}

Test(mc146818, writing_one_byte_of_a_running_clock_changes_only_it)
{
    fake_run_to(&f, S + 5);
    set(4, 0x07);
    cr_assert_eq(shown(), 0x20240229075959);
    fake_run_to(&f, 2 * S);
    cr_assert_eq(shown(), 0x20240229080000);
}

Test(mc146818, binary_and_12_hour_modes)
{
    static const struct {
        uint8_t hour24, binary12, bcd12;
    } hour[] = {{0, 12, 0x12},    {1, 1, 1},        {11, 11, 0x11},
                {12, 0x8c, 0x92}, {13, 0x81, 0x81}, {23, 0x8b, 0x91}};

    for (unsigned i = 0; i < G_N_ELEMENTS(hour); i++) {
        set(0x0b, 0x86);
        set(4, hour[i].hour24);
        set(2, 59);
        set(0, 59);
        set(0x0b, 0x06);
        fake_run(&f, 3600 * S); /* through the arithmetic, to the next hour */
        cr_assert_eq(get(4), (hour[i].hour24 + 1) % 24, "hour %u", hour[i].hour24);
        set(0x0b, 0x84);
        set(4, hour[i].binary12);
        set(0x0b, 0x04);
        fake_run(&f, 86400 * S);
        cr_assert_eq(get(4), hour[i].binary12, "hour %u", hour[i].hour24);
        set(0x0b, 0x80);
        set(4, hour[i].bcd12);
        set(2, 0x30);
        set(9, 0x24);
        set(8, 1);
        set(7, 1);
        set(0, 0);
        set(0x32, 0x20);
        set(0x0b, 0x00);
        fake_run(&f, 86400 * S);
        cr_assert_eq(get(4), hour[i].bcd12, "hour %u", hour[i].hour24);
    }
}

Test(mc146818, update_in_progress_covers_the_end_of_each_second)
{
    for (unsigned i = 1; i < 4; i++) {
        fake_run_to(&f, i * S - 2228001);
        cr_assert_eq(get(0x0a), 0x26);
        fake_run_to(&f, i * S - 2228000);
        cr_assert_eq(get(0x0a), 0xa6);
        fake_run_to(&f, i * S - 1);
        cr_assert_eq(get(0x0a), 0xa6);
        fake_run_to(&f, i * S);
        cr_assert_eq(get(0x0a), 0x26);
    }
    set(0x0b, 0x82);
    fake_run_to(&f, 4 * S - 1);
    cr_assert_eq(get(0x0a), 0x26, "no update while SET");
}

Test(mc146818, update_ended_interrupt_comes_every_second_and_reading_c_ends_it)
{
    set(0x0b, 0x12);
    for (unsigned i = 1; i <= 3; i++) {
        fake_run_to(&f, i * S);
        cr_assert(f.line[LINE]);
        cr_assert_eq(f.rise_ns[LINE], i * S);
        cr_assert_eq(get(0x0c) & 0x90, 0x90);
        cr_assert_not(f.line[LINE]);
        cr_assert_eq(get(0x0c), 0);
    }
    fake_run(&f, 10 * S);
    cr_assert_eq(f.rises[LINE], 4, "level until it is read");
}

Test(mc146818, flags_are_set_without_interrupts_and_without_events)
{
    fake_run_to(&f, 2 * S);
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
    cr_assert_eq(get(0x0c), 0x50 | 0x20, "alarm at 00:00:00 passed as well");
    cr_assert_eq(f.rises[LINE], 0);
}

Test(mc146818, periodic_interrupt_has_every_rate_exactly)
{
    set(0x0b, 0x42);
    for (unsigned rate = 1; rate < 16; rate++) {
        uint64_t clocks = 1u << (rate <= 2 ? rate + 6 : rate - 1);
        unsigned before;

        fake_run_to(&f, (f.now_ns / S + 1) * S);
        set(0x0a, 0x20);
        get(0x0c);
        set(0x0a, (uint8_t)(0x20 | rate));
        before = f.rises[LINE];
        for (unsigned i = 1; i <= 3; i++) {
            uint64_t due = f.now_ns / S * S + (i * clocks * S + 32767) / 32768;

            if (due % S < f.now_ns % S)
                break;
            fake_run_to(&f, due - 1);
            cr_assert_not(f.line[LINE], "rate %u, period %u", rate, i);
            fake_run_to(&f, due);
            cr_assert_eq(f.rises[LINE], before + i, "rate %u, period %u", rate, i);
            cr_assert_eq(get(0x0c) & 0xc0, 0xc0);
        }
    }
    set(0x0a, 0x20);
    get(0x0c);
    fake_run(&f, 5 * S);
    cr_assert_not(f.line[LINE], "rate 0 is off");
}

Test(mc146818, alarm_comes_at_its_time_of_day)
{
    set(1, 0x30);
    set(3, 0x01);
    set(5, 0x06);
    set(0x0b, 0x22);
    fake_run_to(&f, 2 * 86400 * S);
    cr_assert_eq(f.rise_ns[LINE], (2 + 6 * 3600 + 60 + 30) * S);
    cr_assert_eq(f.rises[LINE], 1);
    cr_assert_eq(get(0x0c) & 0xa0, 0xa0);
    fake_run_to(&f, 3 * 86400 * S);
    cr_assert_eq(f.rise_ns[LINE], (2 + 2 * 86400 + 6 * 3600 + 60 + 30) * S);
}

Test(mc146818, alarm_bytes_can_match_everything)
{
    set(1, 0x15);
    set(3, 0xc0);
    set(5, 0xff);
    set(0x0b, 0x22);
    fake_run_to(&f, 17 * S);
    cr_assert_eq(f.rise_ns[LINE], 17 * S);
    get(0x0c);
    fake_run_to(&f, 77 * S);
    cr_assert_eq(f.rise_ns[LINE], 77 * S);
    get(0x0c);
    set(1, 0x7f); /* no second looks like this */
    fake_run(&f, 86400 * S);
    cr_assert_eq(f.rises[LINE], 2);
}

Test(mc146818, set_clears_the_update_ended_interrupt)
{
    set(0x0b, 0x92);
    cr_assert_eq(get(0x0b), 0x82);
}

Test(mc146818, memory_bytes_tell_the_size_of_ram)
{
    static const struct {
        uint64_t bytes;
        unsigned extended_kib, above_16m, above_4g;
    } size[] = {{1ull << 20, 0, 0, 0},
                {16ull << 20, 15 << 10, 0, 0},
                {768ull << 20, 0xffff, 752 * 16, 0},
                {3ull << 30, 0xffff, (3072 - 16) * 16, 0},
                {8ull << 30, 0xffff, (3072 - 16) * 16, 5 << 14}};

    for (unsigned i = 0; i < G_N_ELEMENTS(size); i++) {
        struct sim_device d;
        struct fake g;
        uint8_t m[128];
        unsigned sum = 0;

        fake_init(&g);
        mc146818_device(mc146818_new(&g.sv, 0, size[i].bytes), &d);
        for (unsigned at = 0; at < 128; at++) {
            fake_out(&g, 0x70, at);
            m[at] = (uint8_t)fake_in(&g, 0x71);
            sum += at >= 0x10 && at < 0x2e ? m[at] : 0;
        }
        cr_assert_eq(m[0x15] | m[0x16] << 8, 640);
        cr_assert_eq((unsigned)(m[0x17] | m[0x18] << 8), size[i].extended_kib, "case %u", i);
        cr_assert_eq((unsigned)(m[0x30] | m[0x31] << 8), size[i].extended_kib, "case %u", i);
        cr_assert_eq((unsigned)(m[0x34] | m[0x35] << 8), size[i].above_16m, "case %u", i);
        cr_assert_eq((unsigned)(m[0x5b] | m[0x5c] << 8 | m[0x5d] << 16), size[i].above_4g,
                     "case %u", i);
        cr_assert_eq((unsigned)(m[0x2e] << 8 | m[0x2f]), sum);
        d.free(d.dev);
        fake_fini(&g);
    }
}

Test(mc146818, memory_survives_a_reset_and_read_only_registers_stay)
{
    set(0x40, 0xa5);
    set(0x80 | 0x41, 0x5a); /* with NMI masked */
    set(0x0b, 0x72);
    set(0x0d, 0);
    dev.reset(dev.dev);
    cr_assert_eq(get(0x40), 0xa5);
    cr_assert_eq(get(0x41), 0x5a);
    cr_assert_eq(get(0x0b), 0x02);
    cr_assert_eq(get(0x0d), 0x80);
    cr_assert_eq(shown(), 0x20240229235958);
}

Test(mc146818, senseless_bytes_are_kept_until_the_next_second)
{
    for (unsigned at = 0; at < 10; at++)
        set(at, 0xff);
    set(0x32, 0xff);
    for (unsigned at = 0; at < 10; at++)
        cr_assert_eq(get(at), 0xff, "byte %u", at);
    fake_run(&f, 3 * S);
    cr_assert_neq(get(0), 0xff);
}

Test(mc146818, every_write_is_legal)
{
    uint32_t x = 99;

    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525u + 1013904223u;
        fake_out(&f, (uint16_t)(0x70 + (x >> 31)), x >> 8 & 0xff);
        if ((x & 0x3) == 0)
            fake_in(&f, 0x71);
        if ((x & 0xf00) == 0)
            fake_run(&f, x);
    }
}

Test(mc146818, state_moves_to_another_chip)
{
    struct fake g;
    struct sim_device other;

    fake_init(&g);
    mc146818_device(mc146818_new(&g.sv, 0, 1u << 20), &other);
    set(0x0b, 0x72);
    fake_run(&f, 12345678901);
    cr_assert(fake_state_moves(&dev, &other));
    other.free(other.dev);
    fake_fini(&g);
}
