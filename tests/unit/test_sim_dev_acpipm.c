/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/dev/acpipm.h"
#include "tests/unit/fake_services.h"

static struct fake f;
static struct acpipm *pm;
static struct sim_device dev;

static void setup(void)
{
    fake_init(&f);
    pm = acpipm_new(&f.sv);
    acpipm_device(pm, &dev);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(acpipm, .init = setup, .fini = teardown);

static uint32_t in(uint16_t port, unsigned size_bytes)
{
    return sim_bus_port_read(f.sv.bus, port, size_bytes);
}

static void out(uint16_t port, unsigned size_bytes, uint32_t value)
{
    sim_bus_port_write(f.sv.bus, port, size_bytes, value);
}

/* The first nanosecond of timer clock @n. */
static uint64_t clock_ns(uint64_t n)
{
    return (uint64_t)(((unsigned __int128)n * 1000000000u + ACPIPM_TIMER_HZ - 1) / ACPIPM_TIMER_HZ);
}

Test(acpipm, timer_counts_3579545_hz_without_drift_in_32_bits)
{
    static const uint64_t clocks[] = {0,          1,           3579545,   0x7fffffff,
                                      0xffffffff, 0x100000000, 1ull << 40};

    for (unsigned i = 0; i < G_N_ELEMENTS(clocks); i++) {
        fake_run_to(&f, clock_ns(clocks[i]));
        cr_assert_eq(in(0x608, 4), (uint32_t)clocks[i], "case %u", i);
        if (clocks[i]) {
            f.now_ns--;
            cr_assert_eq(in(0x608, 4), (uint32_t)(clocks[i] - 1), "before case %u", i);
        }
    }
    cr_assert_eq(in(0x609, 1), (uint32_t)((1ull << 40) - 1) >> 8 & 0xff);
}

Test(acpipm, timer_status_follows_the_top_bit)
{
    fake_run_to(&f, clock_ns(1ull << 31) - 1);
    cr_assert_eq(in(0x600, 2), 0);
    fake_run_to(&f, clock_ns(1ull << 31));
    cr_assert_eq(in(0x600, 2), 1);
    out(0x600, 2, 1);
    cr_assert_eq(in(0x600, 2), 0);
    fake_run_to(&f, clock_ns(1ull << 32));
    cr_assert_eq(in(0x600, 2), 1, "both directions count");
    cr_assert_eq(f.rises[9], 0);
}

Test(acpipm, enabled_timer_status_raises_the_sci_until_it_is_cleared)
{
    out(0x602, 2, 1);
    cr_assert_eq(in(0x602, 2), 1);
    fake_run_to(&f, clock_ns(1ull << 31) + 5);
    cr_assert(f.line[9]);
    cr_assert_eq(f.rise_ns[9], clock_ns(1ull << 31));
    out(0x600, 2, 1);
    cr_assert_not(f.line[9]);
    fake_run_to(&f, clock_ns(1ull << 32));
    cr_assert_eq(f.rises[9], 2);
}

Test(acpipm, a_timer_nobody_listens_to_arms_nothing)
{
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
    out(0x602, 2, 1);
    cr_assert_neq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
    out(0x602, 2, 0);
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
}

Test(acpipm, enable_bits_read_back_in_any_width)
{
    out(0x602, 2, 0xffff);
    cr_assert_eq(in(0x602, 2), 0x0121, "timer, global lock, power button");
    out(0x602, 1, 0x20);
    cr_assert_eq(in(0x602, 2), 0x0120);
    out(0x603, 1, 0x00);
    cr_assert_eq(in(0x600, 4), 0x00200000);
    out(0x600, 4, 0x01000000);
    cr_assert_eq(in(0x602, 2), 0x0100);
}

Test(acpipm, power_button_is_an_event)
{
    acpipm_power_button(pm);
    cr_assert_eq(in(0x600, 2), 0x100);
    cr_assert_not(f.line[9]);
    out(0x602, 2, 0x100);
    cr_assert(f.line[9]);
    out(0x600, 2, 0xfeff);
    cr_assert(f.line[9], "other bits do not clear it");
    out(0x601, 1, 1);
    cr_assert_not(f.line[9]);
}

Test(acpipm, sci_en_always_reads_1)
{
    cr_assert_eq(in(0x604, 2), 1);
    out(0x604, 2, 0);
    cr_assert_eq(in(0x604, 2), 1);
}

Test(acpipm, only_slp_en_with_the_type_of_s5_powers_off)
{
    for (unsigned type = 0; type < 8; type++) {
        out(0x604, 2, type << 10);
        cr_assert_eq(in(0x604, 2), 1 | type << 10);
        cr_assert_eq(f.ends, 0);
        if (type == ACPIPM_SLP_TYP_S5)
            continue;
        out(0x604, 2, type << 10 | 1 << 13);
        cr_assert_eq(f.ends, 0, "type %u", type);
        cr_assert_eq(in(0x604, 2), 1 | type << 10, "SLP_EN reads 0");
    }
    out(0x604, 2, ACPIPM_SLP_TYP_S5 << 10 | 1 << 13);
    cr_assert_eq(f.ends, 1);
    cr_assert_eq(f.end_why, SIM_END_POWER_OFF);
}

Test(acpipm, power_off_works_by_bytes_too)
{
    out(0x605, 1, ACPIPM_SLP_TYP_S5 << 2 | 1 << 5);
    cr_assert_eq(f.end_why, SIM_END_POWER_OFF);
}

Test(acpipm, reset_control_resets_when_bit_2_rises)
{
    acpipm_reset_control_write(pm, 0x02);
    cr_assert_eq(f.ends, 0);
    cr_assert_eq(acpipm_reset_control_read(pm), 0x02);
    acpipm_reset_control_write(pm, 0x06);
    cr_assert_eq(f.ends, 1);
    cr_assert_eq(f.end_why, SIM_END_RESET);
    acpipm_reset_control_write(pm, 0x0e);
    cr_assert_eq(f.ends, 1, "it was set already");
    dev.reset(dev.dev);
    acpipm_reset_control_write(pm, 0x0e);
    cr_assert_eq(f.ends, 2);
}

Test(acpipm, state_moves_to_another)
{
    struct fake g;
    struct sim_device other;

    fake_init(&g);
    acpipm_device(acpipm_new(&g.sv), &other);
    out(0x602, 2, 0x101);
    acpipm_power_button(pm);
    cr_assert(fake_state_moves(&dev, &other));
    other.free(other.dev);
    fake_fini(&g);
}
