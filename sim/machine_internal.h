/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by machine.c (life, run, state) and board.c (devices and wires).
 */
#ifndef PARAVANE_SIM_MACHINE_INTERNAL_H
#define PARAVANE_SIM_MACHINE_INTERNAL_H

#include "sim/dev/i8259.h"
#include "sim/dev/ioapic.h"
#include "sim/dev/lapic.h"
#include "sim/dev/uart16550.h"
#include "sim/machine.h"
#include "sim/scheduler.h"

#define MACHINE_DEVICES_MAX 32

struct sim_machine {
    struct sim_attachments attach;
    const struct base_probe *probe;
    unsigned cpus;
    uint64_t seed;
    uint64_t input_poll_ns;

    struct mmu_ram *ram;
    struct cpu *cpu;
    struct cpu_bus cpu_bus;
    struct sim_scheduler *scheduler;
    struct sim_services services;

    /* In the order of construction, which is the order of state and reset. */
    struct sim_device device[MACHINE_DEVICES_MAX];
    unsigned devices;
    struct lapic *lapic;
    struct lapic_wires lapic_wires;
    struct ioapic *ioapic;
    struct i8259 *pic;
    struct uart16550 *uart;

    struct sim_event input_poll;
    uint32_t exit_value;
};

/* ---- board.c ---- */

/** board_bus - what the CPUs need of the platform. */
void board_bus(struct sim_machine *m, struct cpu_bus *out);
/** board_build - the devices, wired and as firmware leaves them; RAM, CPUs and scheduler exist. */
void board_build(struct sim_machine *m, const struct sim_config *config);
void board_free(struct sim_machine *m);

/** machine_at - where the machine stands, for probes. */
struct base_probe_at machine_at(const struct sim_machine *m);

#endif
