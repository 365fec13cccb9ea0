/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/dev/debugcon.h"

#include <glib.h>

#define DEBUGCON_PORT 0xe9

struct debugcon {
    void (*tx)(void *user, uint8_t byte);
    void *tx_user;
    uint64_t sent; /* so that the state of a machine tells how much was said */
};

static uint32_t debugcon_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    (void)dev;
    (void)offset;
    (void)size_bytes;
    return DEBUGCON_PORT;
}

static void debugcon_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct debugcon *con = dev;

    (void)offset;
    (void)size_bytes;
    con->sent++;
    if (con->tx)
        con->tx(con->tx_user, (uint8_t)value);
}

static const struct sim_port_ops debugcon_ports = {debugcon_read, debugcon_write, 1};

struct debugcon *debugcon_new(const struct sim_services *sv, void (*tx)(void *user, uint8_t byte),
                              void *tx_user)
{
    struct debugcon *con = g_new0(struct debugcon, 1);

    con->tx = tx;
    con->tx_user = tx_user;
    sim_bus_claim_ports(sv->bus, DEBUGCON_PORT, 1, &debugcon_ports, con);
    return con;
}

static void debugcon_reset(void *dev)
{
    (void)dev;
}

static void debugcon_state(void *dev, struct base_state *st)
{
    struct debugcon *con = dev;

    base_state_tag(st, "debugcon");
    BASE_STATE(st, con->sent);
}

void debugcon_device(struct debugcon *con, struct sim_device *out)
{
    *out = (struct sim_device){"debug console", con, debugcon_reset, debugcon_state, g_free};
}
