/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port space, device memory space, interrupt lines, and the interface of devices.
 *
 * A device is created with the services it uses (struct sim_services), claims its
 * ports and memory, and hands out three functions: reset, state, free.
 */
#ifndef PARAVANE_SIM_BUS_H
#define PARAVANE_SIM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/state.h"
#include "sim/base/types.h"
#include "sim/timeline.h"

struct sim_bus;

/* One claimed range.  Accesses arrive whole when they lie in the range and
 * size_bytes <= max_access_bytes; wider ones are split into max_access_bytes pieces,
 * lowest address first. */
struct sim_port_ops {
    uint32_t (*read)(void *dev, uint16_t offset, unsigned size_bytes);
    void (*write)(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value);
    unsigned max_access_bytes; /* 1, 2 or 4 */
};
struct sim_mmio_ops {
    uint64_t (*read)(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes);
    void (*write)(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes, uint64_t value);
    unsigned max_access_bytes; /* 1, 2, 4 or 8 */
};

struct sim_bus *sim_bus_new(void);
void sim_bus_free(struct sim_bus *bus);

/** sim_bus_claim_ports - @dev answers for [@first, @first + @count); aborts on overlap. */
void sim_bus_claim_ports(struct sim_bus *bus, uint16_t first, unsigned count,
                         const struct sim_port_ops *ops, void *dev);
/** sim_bus_claim_mmio - @dev answers for [@base, @base + @size_bytes), page aligned. */
void sim_bus_claim_mmio(struct sim_bus *bus, gpa_t base, uint64_t size_bytes,
                        const struct sim_mmio_ops *ops, void *dev);
/** sim_bus_release_mmio - take the claim at @base back (a moved BAR). */
void sim_bus_release_mmio(struct sim_bus *bus, gpa_t base);

/* Unclaimed addresses read as all ones and swallow writes. */
uint32_t sim_bus_port_read(struct sim_bus *bus, uint16_t port, unsigned size_bytes);
void sim_bus_port_write(struct sim_bus *bus, uint16_t port, unsigned size_bytes, uint32_t value);
uint64_t sim_bus_mmio_read(struct sim_bus *bus, unsigned vcpu, gpa_t pa, unsigned size_bytes);
void sim_bus_mmio_write(struct sim_bus *bus, unsigned vcpu, gpa_t pa, unsigned size_bytes,
                        uint64_t value);

/* An interrupt line as its source sees it. */
struct sim_irq {
    void (*set)(void *user, unsigned pin, bool level);
    void *user;
    unsigned pin;
};
static inline void sim_irq_set(const struct sim_irq *irq, bool level)
{
    if (irq->set)
        irq->set(irq->user, irq->pin, level);
}

/* Why a device wants the machine to end or start again. */
enum sim_end {
    SIM_END_NONE,
    SIM_END_POWER_OFF, /* ACPI S5 */
    SIM_END_RESET,     /* reset register, keyboard controller, port 0xcf9 */
    SIM_END_EXIT_PORT, /* value written to the exit port */
};

/* What a device may use of the machine. */
struct sim_services {
    struct sim_bus *bus;
    struct sim_timeline *timeline;
    /* Line of a legacy interrupt (ISA IRQ 0-15): goes to the 8259 pair and the IO-APIC. */
    struct sim_irq (*isa_irq)(void *machine, unsigned irq);
    void (*end)(void *machine, enum sim_end why, uint32_t value);
    void *machine;
};

/* What a device gives the machine. */
struct sim_device {
    const char *name; /* of the chip or specification: "16550A", "8254" */
    void *dev;
    void (*reset)(void *dev);
    void (*state)(void *dev, struct base_state *st);
    void (*free)(void *dev);
};

#endif
