/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8042: the keyboard controller of a PC with nothing plugged in, and the small ports that
 * belong to the same corner of the board: 0x92 (fast A20 and reset) and 0x80 (POST code).
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard/Auxiliary Device
 * Controller" and "System Control Port A"; PC/AT Technical Reference, section 1.
 *
 * Self-test, command byte, input and output port work.  Bytes for the keyboard or mouse are
 * answered as a real controller does when none is there: after a while with 0xfe and the
 * timeout bit in the status.  A20 is a stored bit: memory always has all its address lines.
 */
#ifndef PARAVANE_SIM_DEV_I8042_H
#define PARAVANE_SIM_DEV_I8042_H

#include "sim/bus.h"

struct i8042;

/**
 * i8042_new - the controller at 0x60 and 0x64, ports 0x80 and 0x92; IRQ 1 and IRQ 12.
 * @sv:     borrowed; must outlive the result.  Pulsing the reset line calls its end() with
 *          SIM_END_RESET.
 * Returns: owned by the caller, until the free function of i8042_device() is called.
 * Test:    tests/unit/test_sim_dev_i8042.c
 */
struct i8042 *i8042_new(const struct sim_services *sv);

/** i8042_device - the device interface of @kbc; freeing it frees @kbc. */
void i8042_device(struct i8042 *kbc, struct sim_device *out);

#endif
