/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16550A: asynchronous receiver/transmitter with two 16-byte FIFOs.
 *
 * Source: National Semiconductor PC16550D data sheet (June 1995); numbers of sections below
 * are its numbers.
 *
 * What goes out leaves at the instant of the write: the transmitter is always empty again
 * before the next instruction.  What comes in is handed over by the machine, which keeps
 * what the chip has no room for, so that nothing typed is ever lost.  The far end has
 * CTS, DSR and DCD asserted.
 */
#ifndef PARAVANE_SIM_DEV_UART16550_H
#define PARAVANE_SIM_DEV_UART16550_H

#include <stddef.h>
#include <stdint.h>

#include "sim/bus.h"

struct uart16550;

/**
 * uart16550_new - a chip at @base to @base + 7.
 * @sv:      borrowed; must outlive the result.
 * @isa_irq: the line it drives, high while an enabled interrupt is pending and OUT2 is set.
 * @tx:      called once for every byte sent (may be NULL); must not change the machine.
 * Returns:  owned by the caller, until the free function of uart16550_device() is called.
 * Test:     tests/unit/test_sim_dev_uart16550.c
 */
struct uart16550 *uart16550_new(const struct sim_services *sv, uint16_t base, unsigned isa_irq,
                                void (*tx)(void *user, uint8_t byte), void *tx_user);

/** uart16550_room - how many bytes uart16550_receive() would take now; 0 in loopback. */
size_t uart16550_room(const struct uart16550 *u);

/**
 * uart16550_receive - bytes arrive on the serial line.
 * Returns: how many of @size_bytes were taken; the caller keeps the others.
 */
size_t uart16550_receive(struct uart16550 *u, const uint8_t *data, size_t size_bytes);

/** uart16550_device - the device interface of @u; freeing it frees @u. */
void uart16550_device(struct uart16550 *u, struct sim_device *out);

#endif
