/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APICs (and an IO-APIC) on a bus of their own, with a clock that the test moves and
 * wires that are written down.
 */
#ifndef PARAVANE_TESTS_UNIT_APIC_RIG_H
#define PARAVANE_TESTS_UNIT_APIC_RIG_H

#include <glib.h>

#include "sim/dev/ioapic.h"
#include "sim/dev/lapic.h"

/* Offsets of registers. */
enum {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_APR = 0x90,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR_LOW = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERF = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

struct apic_rig {
    struct sim_bus *bus;
    struct sim_timeline *timeline;
    struct sim_services sv;
    struct lapic_wires wires;
    struct lapic *lapic;
    struct ioapic *ioapic;
    uint64_t now_ns;
    bool intr[LAPIC_MAX_CPUS];
    int extint_vector;
    GString *log; /* "nmi0 init1 sipi1:8 eoi:61 ", and of the IO-APIC's messages */
};

/** apic_rig_open - @deadline: TSC-deadline mode is offered; the TSC counts 3 per nanosecond. */
void apic_rig_open(struct apic_rig *r, unsigned cpus, bool deadline);
void apic_rig_close(struct apic_rig *r);
uint32_t apic_read(struct apic_rig *r, unsigned vcpu, unsigned reg);
void apic_write(struct apic_rig *r, unsigned vcpu, unsigned reg, uint32_t value);
/** apic_rig_go - time passes to @now_ns; events fire at their instants. */
void apic_rig_go(struct apic_rig *r, uint64_t now_ns);

#endif
