/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8254: three 16-bit counters at 1.193182 MHz, and port 0x61.
 *
 * Source: Intel 8254 data sheet (order 231164-005); port 0x61: IBM PS/2 Hardware Interface
 * Technical Reference, "System Control Port B".
 *
 * Counter 0 drives IRQ 0.  Counter 1 runs (memory refresh on a PC); bit 4 of port 0x61
 * toggles with its period.  Counter 2 has its gate in bit 0 of port 0x61 and its output in
 * bit 5.  Ports 0x40 to 0x43 and 0x61.
 *
 * Counters are not counted: what they show is computed from the number of clocks since the
 * last load, and clock number n happens at ceil(n * 10^9 / 1193182) ns, so nothing drifts.
 */
#ifndef PARAVANE_SIM_DEV_I8254_H
#define PARAVANE_SIM_DEV_I8254_H

#include "sim/bus.h"

struct i8254;

/**
 * i8254_new - the counters at power-on: counters 0 and 2 in mode 3, waiting for their first
 *             count with the output high; counter 1 in mode 2 with count 18.
 *             Drives its line at once: make the interrupt controllers before.
 * @sv:      borrowed; must outlive the result.
 * Returns:  owned by the caller, until the free function of i8254_device() is called.
 * Test:     tests/unit/test_sim_dev_i8254.c
 */
struct i8254 *i8254_new(const struct sim_services *sv);

/** i8254_device - the device interface of @pit; freeing it frees @pit. */
void i8254_device(struct i8254 *pit, struct sim_device *out);

#endif
