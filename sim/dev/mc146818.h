/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MC146818: real-time clock with 128 bytes of battery-backed memory ("CMOS").
 *
 * Source: Motorola MC146818A data sheet (1984); the use of the memory: IBM PC/AT Technical
 * Reference, section 1, "CMOS RAM Address Map".
 *
 * Ports 0x70 (index, bit 7 masks NMI) and 0x71 (data).  The clock shows UTC: the start date
 * plus virtual time, until the guest sets it.  IRQ 8.
 */
#ifndef PARAVANE_SIM_DEV_MC146818_H
#define PARAVANE_SIM_DEV_MC146818_H

#include <stdint.h>

#include "sim/bus.h"

struct mc146818;

/**
 * mc146818_new - the clock at power-on: 24 hours, BCD, as a PC's firmware sets it up.
 * @sv:            borrowed; must outlive the result.
 * @start_seconds: what it shows at virtual time 0, seconds since 1970-01-01T00:00:00Z;
 *                 outside the years 1 to 9999 the nearest of them is taken.
 * @memory_bytes:  RAM of the machine, for the memory size bytes.
 * Returns:        owned by the caller, until the free function of mc146818_device() is called.
 * Test:           tests/unit/test_sim_dev_mc146818.c
 */
struct mc146818 *mc146818_new(const struct sim_services *sv, int64_t start_seconds,
                              uint64_t memory_bytes);

/** mc146818_device - the device interface of @rtc; freeing it frees @rtc. */
void mc146818_device(struct mc146818 *rtc, struct sim_device *out);

#endif
