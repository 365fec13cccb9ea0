/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exit port 0xf4: a write of 1, 2 or 4 bytes ends the run with the value written; 0 is the
 * good end.  Reads give 0.
 *
 * Source: the ports of the device isa-debug-exit of QEMU's documentation; the value itself
 * is kept here, not (value << 1) | 1.
 */
#ifndef PARAVANE_SIM_DEV_EXITPORT_H
#define PARAVANE_SIM_DEV_EXITPORT_H

#include "sim/bus.h"

struct exitport;

/** exitport_new - the port; @sv is borrowed and must outlive the result, which the caller owns. */
struct exitport *exitport_new(const struct sim_services *sv);

/** exitport_device - the device interface of @port; freeing it frees @port. */
void exitport_device(struct exitport *port, struct sim_device *out);

#endif
