/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82093AA: I/O advanced programmable interrupt controller, 24 pins.
 *
 * Source: Intel 82093AA data sheet (order 290566-001), sections 3.1 (memory map), 3.2
 * (registers); numbers of sections in the source are its numbers.
 *
 * At 0xfec00000: index register at offset 0x00, data window at 0x10.  Version 0x170011, so
 * there is no EOI register; software ends a stuck level interrupt by making its entry edge
 * triggered for a moment, which clears the remote IRR bit.
 *
 * Accesses: the data window takes aligned 32-bit accesses; narrower reads give those bytes
 * of the register, other writes are ignored.  The index register takes any width.
 */
#ifndef PARAVANE_SIM_DEV_IOAPIC_H
#define PARAVANE_SIM_DEV_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/bus.h"
#include "sim/dev/lapic.h"

#define IOAPIC_BASE    0xfec00000u
#define IOAPIC_PINS    24
#define IOAPIC_VERSION 0x00170011u

struct ioapic;

/**
 * ioapic_new - after power-on: all pins masked.
 * @sv:        borrowed; must outlive the result.
 * @id:        APIC id at reset, 0 to 15.
 * @low_pins:  bit n: the wire at pin n is active low on the board (PCI interrupts); the
 *             others are active high.
 * @deliver:   sends a message to the local APICs.  Returns: whether one has accepted it.
 * Returns:    owned by the caller, until the free function of ioapic_device() is called.
 * Test:       tests/unit/test_sim_ioapic.c
 */
struct ioapic *ioapic_new(const struct sim_services *sv, unsigned id, uint32_t low_pins,
                          bool (*deliver)(void *user, const struct apic_message *msg),
                          void *deliver_user);
/** ioapic_device - the device interface; freeing it frees @io. */
void ioapic_device(struct ioapic *io, struct sim_device *out);

/** ioapic_set_pin - the source at @pin (0 to 23) asserts or releases its wire. */
void ioapic_set_pin(struct ioapic *io, unsigned pin, bool asserted);

/** ioapic_eoi - the local APICs have ended the level-triggered interrupt @vector. */
void ioapic_eoi(struct ioapic *io, uint8_t vector);

/** ioapic_has_nmi - whether a pin may raise an NMI or INIT. */
bool ioapic_has_nmi(const struct ioapic *io);

#endif
