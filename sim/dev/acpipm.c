/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI fixed hardware.
 *
 * Invariant: the SCI is high exactly while a status bit and its enable bit are set.  The
 * timer's status bit is set by crossing a boundary of 2^31 clocks; whether one was crossed
 * is computed when somebody looks (pm_sync), and an event makes sure that somebody looks
 * while the bit is enabled and clear.
 */
#include "sim/dev/acpipm.h"

#include <glib.h>

#include "sim/dev/ticks.h"

#define PM_HALF_SHIFT  31 /* TMR_STS: bit 31 of the timer changed */
#define PM_EVENT_BYTES 4

/* PM1 status and enable; ACPI tables 4.11 and 4.12. */
enum { PM1_TMR = 1 << 0, PM1_GBL = 1 << 5, PM1_PWRBTN = 1 << 8, PM1_WAK = 1 << 15 };
#define PM1_STATUS_MASK (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_WAK)
#define PM1_ENABLE_MASK (PM1_TMR | PM1_GBL | PM1_PWRBTN)

/* PM1 control; ACPI table 4.13.  GBL_RLS (bit 2) would raise an SMI: nobody is there. */
enum { CNT_SCI_EN = 1 << 0, CNT_BM_RLD = 1 << 1, CNT_SLP_TYP = 7 << 10, CNT_SLP_EN = 1 << 13 };
#define CNT_SLP_TYP_SHIFT 10

/* Reset control: the machine is reset when RCPU goes from 0 to 1. */
enum { RST_SYSTEM = 2, RST_CPU = 4, RST_FULL = 8 };

struct acpipm {
    const struct sim_services *sv;
    struct sim_irq sci;
    struct sim_event overflow;
    uint64_t halves_seen; /* boundaries of 2^31 clocks before the last look */
    uint16_t status, enable, control;
    uint8_t reset_control;
};

static uint64_t pm_now(const struct acpipm *pm)
{
    return ticks_at(sim_timeline_now_ns(pm->sv->timeline), ACPIPM_TIMER_HZ);
}

static void pm_sync(struct acpipm *pm)
{
    uint64_t halves = pm_now(pm) >> PM_HALF_SHIFT;

    if (halves > pm->halves_seen)
        pm->status |= PM1_TMR;
    pm->halves_seen = halves;
}

static void pm_update(struct acpipm *pm)
{
    sim_irq_set(&pm->sci, pm->status & pm->enable & PM1_ENABLE_MASK);
    if ((pm->enable & PM1_TMR) && !(pm->status & PM1_TMR))
        sim_event_arm(pm->sv->timeline, &pm->overflow,
                      ticks_ns((pm->halves_seen + 1) << PM_HALF_SHIFT, ACPIPM_TIMER_HZ));
    else
        sim_event_cancel(pm->sv->timeline, &pm->overflow);
}

static void pm_overflow(void *user, uint64_t due_ns)
{
    struct acpipm *pm = user;

    (void)due_ns;
    pm_sync(pm);
    pm_update(pm);
}

/* Bytes 0-1 are the status, written ones clear; bytes 2-3 the enable bits. */
static uint32_t pm_event_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct acpipm *pm = dev;
    uint32_t both;

    (void)size_bytes; /* the bus takes what it asked for */
    pm_sync(pm);
    pm_update(pm);
    both = pm->status | (uint32_t)pm->enable << 16;
    return both >> (8 * offset);
}

static void pm_event_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct acpipm *pm = dev;
    uint32_t mask = size_bytes == 4 ? UINT32_MAX : (1u << (8 * size_bytes)) - 1;
    uint32_t ones = (value & mask) << (8 * offset);
    uint32_t written = mask << (8 * offset);

    pm_sync(pm);
    pm->status &= (uint16_t)~ones;
    pm->enable = (uint16_t)((pm->enable & ~(written >> 16)) | (ones >> 16 & PM1_ENABLE_MASK));
    pm_update(pm);
}

static uint32_t pm_control_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct acpipm *pm = dev;

    (void)size_bytes;
    return (uint32_t)(pm->control | CNT_SCI_EN) >> (8 * offset);
}

/* SLP_EN is write-only.  Types other than that of S5 are states this machine does not have:
 * its tables do not name them, and it stays awake. */
static void pm_control_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct acpipm *pm = dev;
    uint16_t written = (uint16_t)((size_bytes == 1 ? 0xffu : 0xffffu) << (8 * offset));
    uint16_t bits = (uint16_t)(value << (8 * offset)) & written;

    pm->control = (pm->control & (uint16_t)~written) | (bits & (CNT_BM_RLD | CNT_SLP_TYP));
    if ((bits & CNT_SLP_EN) &&
        (pm->control & CNT_SLP_TYP) >> CNT_SLP_TYP_SHIFT == ACPIPM_SLP_TYP_S5)
        pm->sv->end(pm->sv->machine, SIM_END_POWER_OFF, 0);
}

static uint32_t pm_timer_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct acpipm *pm = dev;

    (void)size_bytes;
    return (uint32_t)pm_now(pm) >> (8 * offset);
}

static void pm_timer_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    (void)dev;
    (void)offset;
    (void)size_bytes;
    (void)value; /* read-only */
}

static const struct sim_port_ops pm_event_ports = {pm_event_read, pm_event_write, 4};
static const struct sim_port_ops pm_control_ports = {pm_control_read, pm_control_write, 2};
static const struct sim_port_ops pm_timer_ports = {pm_timer_read, pm_timer_write, 4};

void acpipm_power_button(struct acpipm *pm)
{
    pm_sync(pm);
    pm->status |= PM1_PWRBTN;
    pm_update(pm);
}

uint8_t acpipm_reset_control_read(const struct acpipm *pm)
{
    return pm->reset_control;
}

void acpipm_reset_control_write(struct acpipm *pm, uint8_t value)
{
    bool rises = (value & ~pm->reset_control) & RST_CPU;

    pm->reset_control = value & (RST_SYSTEM | RST_CPU | RST_FULL);
    if (rises)
        pm->sv->end(pm->sv->machine, SIM_END_RESET, 0);
}

/* The timer itself runs on: it starts at 0 with virtual time and nothing resets it. */
static void acpipm_reset(void *dev)
{
    struct acpipm *pm = dev;

    pm->status = pm->enable = pm->control = 0;
    pm->reset_control = 0;
    pm->halves_seen = pm_now(pm) >> PM_HALF_SHIFT;
    pm_update(pm);
}

struct acpipm *acpipm_new(const struct sim_services *sv)
{
    struct acpipm *pm = g_new0(struct acpipm, 1);

    pm->sv = sv;
    pm->sci = sv->isa_irq(sv->machine, ACPIPM_SCI_IRQ);
    sim_event_register(sv->timeline, &pm->overflow, "ACPI PM timer", pm_overflow, pm);
    sim_bus_claim_ports(sv->bus, ACPIPM_PM1_EVENT_PORT, PM_EVENT_BYTES, &pm_event_ports, pm);
    sim_bus_claim_ports(sv->bus, ACPIPM_PM1_CONTROL_PORT, 2, &pm_control_ports, pm);
    sim_bus_claim_ports(sv->bus, ACPIPM_TIMER_PORT, 4, &pm_timer_ports, pm);
    acpipm_reset(pm);
    return pm;
}

static void acpipm_state(void *dev, struct base_state *st)
{
    struct acpipm *pm = dev;

    base_state_tag(st, "acpipm");
    BASE_STATE(st, pm->halves_seen);
    BASE_STATE(st, pm->status);
    BASE_STATE(st, pm->enable);
    BASE_STATE(st, pm->control);
    BASE_STATE(st, pm->reset_control);
}

void acpipm_device(struct acpipm *pm, struct sim_device *out)
{
    *out = (struct sim_device){"ACPI PM", pm, acpipm_reset, acpipm_state, g_free};
}
