/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain 0's one loop: events in, service of the other domains, and sleep.
 *
 * Upcalls stay masked but while the loop blocks, so nothing here ever runs beside anything else:
 * a command that waits for something runs the loop until that has come.
 */
#ifndef GUESTS_DOM0_PUMP_H
#define GUESTS_DOM0_PUMP_H

#include "guests/lib/types.h"

#define PUMP_FOR_EVER UINT64_MAX

/** pump_init - bind the virtual interrupts. */
void pump_init(void);

/** pump_ended - why pump_until() came back. */
enum pump_end { PUMP_DONE, PUMP_TIMEOUT, PUMP_INTERRUPTED };

/**
 * pump_until - run until @done(@arg) says so.
 * @deadline_ns: of system time, or PUMP_FOR_EVER.
 * Returns: PUMP_INTERRUPTED when Ctrl-C was typed meanwhile.
 */
enum pump_end pump_until(bool (*done)(void *arg), void *arg, u64 deadline_ns);

/** pump_read - a byte of console input, or -1.  Ctrl-C is a byte like any other here. */
int pump_read(void);

/** pump_ports - how many event channels domain 0 has now. */
u32 pump_ports(void);

#endif
