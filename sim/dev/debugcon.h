/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug console at port 0xe9: every byte written is a character; reading gives 0xe9, by which
 * a guest finds out that it is there.
 *
 * Source: "Port E9 hack" of the Bochs user manual, section 8.2.
 */
#ifndef PARAVANE_SIM_DEV_DEBUGCON_H
#define PARAVANE_SIM_DEV_DEBUGCON_H

#include <stdint.h>

#include "sim/bus.h"

struct debugcon;

/**
 * debugcon_new - the port.
 * @sv:      borrowed; must outlive the result.
 * @tx:      called once for every byte (may be NULL); must not change the machine.
 * Returns:  owned by the caller, until the free function of debugcon_device() is called.
 */
struct debugcon *debugcon_new(const struct sim_services *sv, void (*tx)(void *user, uint8_t byte),
                              void *tx_user);

/** debugcon_device - the device interface of @con; freeing it frees @con. */
void debugcon_device(struct debugcon *con, struct sim_device *out);

#endif
