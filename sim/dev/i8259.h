/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8259A: the pair of interrupt controllers of a PC, with the edge/level control registers.
 *
 * Source: Intel 8259A data sheet (order 231468-003); ELCR: Intel 82371AB (PIIX4) data sheet,
 * section 4.2.5.
 *
 * The master answers at 0x20 and 0x21, the slave (on the master's IR2) at 0xa0 and 0xa1, the
 * ELCRs at 0x4d0 and 0x4d1.  After a reset the pair is as firmware leaves it: initialised,
 * vectors 0x08 and 0x70, everything masked.
 */
#ifndef PARAVANE_SIM_DEV_I8259_H
#define PARAVANE_SIM_DEV_I8259_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/bus.h"

struct i8259;

/**
 * i8259_new - the pair.
 * @sv:         borrowed; must outlive the result.
 * @elcr_reset: one bit per IRQ that is level triggered after a reset, as firmware sets it
 *              up; bits 0, 1, 2, 8 and 13 are ignored, these lines are always edge triggered.
 * @intr:       the INT output of the master; set high while an interrupt is waiting.
 * Returns:     owned by the caller, until the free function of i8259_device() is called.
 * Test:        tests/unit/test_sim_dev_i8259.c
 */
struct i8259 *i8259_new(const struct sim_services *sv, uint16_t elcr_reset,
                        const struct sim_irq *intr);

/** i8259_set_irq - level of IRQ line @irq, 0 to 15; line 2 is the cascade and ignored. */
void i8259_set_irq(struct i8259 *pair, unsigned irq, bool level);

/** i8259_intr - level of the INT output of the master. */
bool i8259_intr(const struct i8259 *pair);

/**
 * i8259_ack - the CPU's interrupt acknowledge cycles.
 * Returns: the vector, 0 to 255; that of IR7 when the request has gone away (spurious).
 */
int i8259_ack(struct i8259 *pair);

/** i8259_device - the device interface of @pair; freeing it frees @pair. */
void i8259_device(struct i8259 *pair, struct sim_device *out);

#endif
