/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/dev/exitport.h"

#include <glib.h>

#define EXITPORT_PORT 0xf4

struct exitport {
    const struct sim_services *sv;
};

/* The port has nothing to tell: the run is over after the write that matters. */
static uint32_t exitport_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    (void)dev;
    (void)offset;
    (void)size_bytes;
    return 0;
}

/* Only an access that begins at the port itself counts: its value is whole. */
static void exitport_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct exitport *port = dev;

    if (offset != 0)
        return;
    if (size_bytes < 4)
        value &= (1u << (8 * size_bytes)) - 1;
    port->sv->end(port->sv->machine, SIM_END_EXIT_PORT, value);
}

static const struct sim_port_ops exitport_ports = {exitport_read, exitport_write, 4};

struct exitport *exitport_new(const struct sim_services *sv)
{
    struct exitport *port = g_new0(struct exitport, 1);

    port->sv = sv;
    sim_bus_claim_ports(sv->bus, EXITPORT_PORT, 4, &exitport_ports, port);
    return port;
}

static void exitport_reset(void *dev)
{
    (void)dev;
}

static void exitport_state(void *dev, struct base_state *st)
{
    (void)dev;
    base_state_tag(st, "exitport");
}

void exitport_device(struct exitport *port, struct sim_device *out)
{
    *out = (struct sim_device){"exit port", port, exitport_reset, exitport_state, g_free};
}
