/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Section numbers are those of the Intel SDM, volume 3A. */
#include <criterion/criterion.h>

#include "tests/unit/apic_rig.h"

#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define MASKED   0x10000

static struct apic_rig rig;

static void setup(void)
{
    apic_rig_open(&rig, 2, true);
    apic_write(&rig, 0, APIC_SVR, 0x1ff);
    apic_write(&rig, 1, APIC_SVR, 0x1ff);
}

static void teardown(void)
{
    apic_rig_close(&rig);
}

TestSuite(sim_lapic_timer, .init = setup, .fini = teardown);

static uint32_t count(void)
{
    return apic_read(&rig, 0, APIC_TIMER_CURRENT);
}

static void wr(unsigned reg, uint32_t value)
{
    apic_write(&rig, 0, reg, value);
}

/* Whether the timer has interrupted; takes the interrupt. */
static bool ticked(void)
{
    if (!rig.intr[0])
        return false;
    cr_assert_eq(lapic_ack(rig.lapic, 0), 0xec);
    wr(APIC_EOI, 0);
    return true;
}

Test(sim_lapic_timer, one_shot_counts_down_and_interrupts_once)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, 0xec);
    rig.now_ns = 500;
    wr(APIC_TIMER_INITIAL, 1000);
    cr_assert_eq(count(), 1000);
    apic_rig_go(&rig, 501);
    cr_assert_eq(count(), 999);
    apic_rig_go(&rig, 1499);
    cr_assert_eq(count(), 1);
    cr_assert_not(ticked());
    apic_rig_go(&rig, 1500);
    cr_assert_eq(count(), 0);
    cr_assert(ticked());
    apic_rig_go(&rig, 100000);
    cr_assert_eq(count(), 0);
    cr_assert_not(ticked());
    cr_assert_eq(apic_read(&rig, 0, APIC_TIMER_INITIAL), 1000);
}

Test(sim_lapic_timer, every_divisor_of_10_5_4_counts_as_it_says)
{
    static const struct {
        uint32_t code, divisor;
    } code[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};

    for (unsigned i = 0; i < G_N_ELEMENTS(code); i++) {
        uint32_t d = code[i].divisor;
        uint64_t start = rig.now_ns;

        wr(APIC_LVT_TIMER, 0xec);
        wr(APIC_TIMER_DIVIDE, code[i].code);
        wr(APIC_TIMER_INITIAL, 10);
        apic_rig_go(&rig, start + d - 1);
        cr_assert_eq(count(), 10, "divisor %u", d);
        apic_rig_go(&rig, start + d);
        cr_assert_eq(count(), 9, "divisor %u", d);
        apic_rig_go(&rig, start + 10 * d - 1);
        cr_assert_not(ticked(), "divisor %u", d);
        apic_rig_go(&rig, start + 10 * d);
        cr_assert(ticked(), "divisor %u", d);
    }
}

Test(sim_lapic_timer, periodic_interrupts_at_multiples_without_drift)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    wr(APIC_TIMER_INITIAL, 700);
    for (unsigned i = 1; i <= 1000; i++) {
        apic_rig_go(&rig, i * 700 - 1);
        cr_assert_eq(count(), 1);
        cr_assert_not(ticked());
        apic_rig_go(&rig, i * 700);
        cr_assert_eq(count(), 700);
        cr_assert(ticked(), "period %u", i);
    }
}

Test(sim_lapic_timer, masked_timer_counts_silently_and_arms_nothing)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, PERIODIC | MASKED | 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
    apic_rig_go(&rig, 12345);
    cr_assert_eq(count(), 655);
    cr_assert_not(ticked());
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    apic_rig_go(&rig, 12999);
    cr_assert_not(ticked());
    apic_rig_go(&rig, 13000);
    cr_assert(ticked());
}

Test(sim_lapic_timer, one_shot_that_ran_out_while_masked_is_lost)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, MASKED | 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    apic_rig_go(&rig, 1001);
    wr(APIC_LVT_TIMER, 0xec);
    apic_rig_go(&rig, 99999);
    cr_assert_not(ticked());
}

Test(sim_lapic_timer, initial_count_of_zero_stops_the_timer)
{
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    wr(APIC_TIMER_INITIAL, 100);
    wr(APIC_TIMER_INITIAL, 0);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
    cr_assert_eq(count(), 0);
}

Test(sim_lapic_timer, longest_count_takes_its_550_seconds)
{
    wr(APIC_TIMER_DIVIDE, 10);
    wr(APIC_LVT_TIMER, 0xec);
    wr(APIC_TIMER_INITIAL, 0xffffffff);
    apic_rig_go(&rig, 0xffffffffull * 128 - 1);
    cr_assert_not(ticked());
    cr_assert_eq(count(), 1);
    apic_rig_go(&rig, 0xffffffffull * 128);
    cr_assert(ticked());
}

Test(sim_lapic_timer, new_divisor_goes_on_from_the_present_count)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    apic_rig_go(&rig, 400);
    wr(APIC_TIMER_DIVIDE, 0);
    cr_assert_eq(count(), 600);
    apic_rig_go(&rig, 1599);
    cr_assert_not(ticked());
    apic_rig_go(&rig, 1600);
    cr_assert(ticked());
}

Test(sim_lapic_timer, change_to_one_shot_lets_the_count_run_out)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    apic_rig_go(&rig, 1500);
    cr_assert(ticked());
    wr(APIC_LVT_TIMER, 0xec);
    cr_assert_eq(count(), 500);
    apic_rig_go(&rig, 5000);
    cr_assert(ticked());
    cr_assert_not(ticked());
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
}

Test(sim_lapic_timer, disabling_by_software_silences_the_timer)
{
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    wr(APIC_SVR, 0xff);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
}

Test(sim_lapic_timer, each_cpu_has_its_own)
{
    wr(APIC_TIMER_DIVIDE, 0xb);
    wr(APIC_LVT_TIMER, 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    apic_write(&rig, 1, APIC_LVT_TIMER, 0xed);
    apic_write(&rig, 1, APIC_TIMER_INITIAL, 400);
    apic_rig_go(&rig, 800);
    cr_assert(rig.intr[1]);
    cr_assert_not(rig.intr[0]);
}

Test(sim_lapic_timer, tsc_deadline_fires_when_the_tsc_gets_there)
{
    uint64_t value;

    wr(APIC_LVT_TIMER, DEADLINE | 0xec);
    cr_assert(lapic_msr_write(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, 3001));
    cr_assert(lapic_msr_read(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, &value));
    cr_assert_eq(value, 3001);
    wr(APIC_TIMER_INITIAL, 5);
    cr_assert_eq(count(), 0, "the count registers do nothing in this mode");
    apic_rig_go(&rig, 1000);
    cr_assert_not(ticked());
    apic_rig_go(&rig, 1001);
    cr_assert(ticked());
    lapic_msr_read(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, &value);
    cr_assert_eq(value, 0);
}

Test(sim_lapic_timer, tsc_deadline_of_zero_disarms)
{
    wr(APIC_LVT_TIMER, DEADLINE | 0xec);
    lapic_msr_write(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, 3000);
    lapic_msr_write(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, 0);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
}

Test(sim_lapic_timer, tsc_deadline_is_ignored_in_other_modes)
{
    uint64_t value;

    wr(APIC_LVT_TIMER, 0xec);
    cr_assert(lapic_msr_write(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, 3000));
    lapic_msr_read(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, &value);
    cr_assert_eq(value, 0);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
}

Test(sim_lapic_timer, entering_and_leaving_deadline_mode_disarms)
{
    wr(APIC_LVT_TIMER, 0xec);
    wr(APIC_TIMER_INITIAL, 1000);
    wr(APIC_LVT_TIMER, DEADLINE | 0xec);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
    lapic_msr_write(rig.lapic, 0, LAPIC_MSR_TSC_DEADLINE, 3000);
    wr(APIC_LVT_TIMER, PERIODIC | 0xec);
    cr_assert_eq(sim_timeline_armed(rig.timeline), 0);
    cr_assert_eq(count(), 0);
}
