/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/apic_rig.h"

static uint64_t rig_now(void *user)
{
    return ((struct apic_rig *)user)->now_ns;
}

static uint64_t wire_now(void *user, unsigned vcpu)
{
    (void)vcpu;
    return rig_now(user);
}

static void wire_intr(void *user, unsigned vcpu, bool pending)
{
    ((struct apic_rig *)user)->intr[vcpu] = pending;
}

static void wire_nmi(void *user, unsigned vcpu)
{
    g_string_append_printf(((struct apic_rig *)user)->log, "nmi%u ", vcpu);
}

static void wire_init(void *user, unsigned vcpu)
{
    g_string_append_printf(((struct apic_rig *)user)->log, "init%u ", vcpu);
}

static void wire_sipi(void *user, unsigned vcpu, uint8_t page)
{
    g_string_append_printf(((struct apic_rig *)user)->log, "sipi%u:%x ", vcpu, page);
}

static void wire_eoi(void *user, uint8_t vector)
{
    struct apic_rig *r = user;

    g_string_append_printf(r->log, "eoi:%x ", vector);
    if (r->ioapic)
        ioapic_eoi(r->ioapic, vector);
}

static int wire_extint(void *user)
{
    return ((struct apic_rig *)user)->extint_vector;
}

static uint64_t wire_tsc_due(void *user, unsigned vcpu, uint64_t tsc)
{
    (void)user;
    (void)vcpu;
    return tsc / 3 + (tsc % 3 != 0);
}

void apic_rig_open(struct apic_rig *r, unsigned cpus, bool deadline)
{
    *r = (struct apic_rig){.bus = sim_bus_new(), .log = g_string_new("")};
    r->timeline = sim_timeline_new(rig_now, NULL, r);
    r->sv = (struct sim_services){.bus = r->bus, .timeline = r->timeline};
    r->wires = (struct lapic_wires){
        .user = r,
        .set_intr = wire_intr,
        .raise_nmi = wire_nmi,
        .raise_init = wire_init,
        .raise_sipi = wire_sipi,
        .eoi = wire_eoi,
        .extint_ack = wire_extint,
        .now_ns = wire_now,
        .tsc_due_ns = deadline ? wire_tsc_due : NULL,
    };
    r->lapic = lapic_new(&r->sv, cpus, &r->wires);
}

void apic_rig_close(struct apic_rig *r)
{
    struct sim_device dev;

    if (r->ioapic) {
        ioapic_device(r->ioapic, &dev);
        dev.free(dev.dev);
    }
    lapic_device(r->lapic, &dev);
    dev.free(dev.dev);
    sim_timeline_free(r->timeline);
    sim_bus_free(r->bus);
    g_string_free(r->log, TRUE);
}

uint32_t apic_read(struct apic_rig *r, unsigned vcpu, unsigned reg)
{
    return (uint32_t)sim_bus_mmio_read(r->bus, vcpu, GPA(LAPIC_BASE + reg), 4);
}

void apic_write(struct apic_rig *r, unsigned vcpu, unsigned reg, uint32_t value)
{
    sim_bus_mmio_write(r->bus, vcpu, GPA(LAPIC_BASE + reg), 4, value);
}

void apic_rig_go(struct apic_rig *r, uint64_t now_ns)
{
    while (sim_timeline_next_ns(r->timeline) <= now_ns) {
        r->now_ns = MAX(r->now_ns, sim_timeline_next_ns(r->timeline));
        sim_timeline_run(r->timeline, r->now_ns);
    }
    r->now_ns = now_ns;
}
