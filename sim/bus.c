/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch of port and device memory accesses.
 *
 * Ports: a table with the number of the claim for each of the 65536 ports, so that a
 * console that is polled costs one look-up.  Memory: claims sorted by base, with the
 * claim that answered last tried first; the answer does not depend on that.
 */
#include "sim/bus.h"

#include <glib.h>

#include "sim/base/assert.h"

#define PORT_COUNT 65536u

struct port_claim {
    const struct sim_port_ops *ops;
    void *dev;
    uint32_t first;
    uint32_t end; /* first port after the claim */
};

struct mmio_claim {
    const struct sim_mmio_ops *ops;
    void *dev;
    uint64_t base;
    uint64_t size_bytes;
};

struct sim_bus {
    GArray *ports; /* struct port_claim; [0] stands for "nobody" */
    GArray *mmio;  /* struct mmio_claim, by base */
    unsigned mmio_last;
    uint16_t port_table[PORT_COUNT];
};

struct sim_bus *sim_bus_new(void)
{
    struct sim_bus *bus = g_new0(struct sim_bus, 1);

    bus->ports = g_array_new(FALSE, TRUE, sizeof(struct port_claim));
    g_array_set_size(bus->ports, 1);
    bus->mmio = g_array_new(FALSE, TRUE, sizeof(struct mmio_claim));
    return bus;
}

void sim_bus_free(struct sim_bus *bus)
{
    if (!bus)
        return;
    g_array_free(bus->ports, TRUE);
    g_array_free(bus->mmio, TRUE);
    g_free(bus);
}

static bool access_width_ok(unsigned max, unsigned widest)
{
    return max != 0 && max <= widest && (max & (max - 1)) == 0;
}

void sim_bus_claim_ports(struct sim_bus *bus, uint16_t first, unsigned count,
                         const struct sim_port_ops *ops, void *dev)
{
    struct port_claim claim = {.ops = ops, .dev = dev, .first = first, .end = first + count};

    BASE_ASSERT(count > 0 && claim.end <= PORT_COUNT);
    BASE_ASSERT(access_width_ok(ops->max_access_bytes, 4));
    BASE_ASSERT(bus->ports->len <= UINT16_MAX);
    for (uint32_t port = claim.first; port < claim.end; port++) {
        BASE_ASSERT(bus->port_table[port] == 0);
        bus->port_table[port] = (uint16_t)bus->ports->len;
    }
    g_array_append_val(bus->ports, claim);
}

static struct mmio_claim *mmio_at(struct sim_bus *bus, unsigned i)
{
    return &g_array_index(bus->mmio, struct mmio_claim, i);
}

void sim_bus_claim_mmio(struct sim_bus *bus, gpa_t base, uint64_t size_bytes,
                        const struct sim_mmio_ops *ops, void *dev)
{
    struct mmio_claim claim = {.ops = ops, .dev = dev, .base = base.v, .size_bytes = size_bytes};
    unsigned at = 0;

    BASE_ASSERT(size_bytes > 0 && ((base.v | size_bytes) & PAGE_MASK) == 0);
    BASE_ASSERT(base.v + size_bytes > base.v);
    BASE_ASSERT(access_width_ok(ops->max_access_bytes, 8));
    while (at < bus->mmio->len && mmio_at(bus, at)->base < base.v)
        at++;
    BASE_ASSERT(at == 0 || base.v - mmio_at(bus, at - 1)->base >= mmio_at(bus, at - 1)->size_bytes);
    BASE_ASSERT(at == bus->mmio->len || mmio_at(bus, at)->base - base.v >= size_bytes);
    g_array_insert_val(bus->mmio, at, claim);
    bus->mmio_last = at;
}

void sim_bus_release_mmio(struct sim_bus *bus, gpa_t base)
{
    for (unsigned i = 0; i < bus->mmio->len; i++) {
        if (mmio_at(bus, i)->base != base.v)
            continue;
        g_array_remove_index(bus->mmio, i);
        bus->mmio_last = 0;
        return;
    }
    BASE_ASSERT(!"released device memory was claimed");
}

/* All ones of @size_bytes bytes. */
static uint64_t ones(unsigned size_bytes)
{
    return size_bytes >= 8 ? UINT64_MAX : (1ull << (8 * size_bytes)) - 1;
}

/*
 * Splitting: an access that lies in one claim is done in pieces of the device's widest
 * access; one that leaves a claim, or begins outside of any, goes byte by byte.
 */
static const struct port_claim *port_claim_of(struct sim_bus *bus, uint32_t port)
{
    return &g_array_index(bus->ports, struct port_claim,
                          port < PORT_COUNT ? bus->port_table[port] : 0);
}

static bool port_within_claim(struct sim_bus *bus, uint16_t port, unsigned size_bytes)
{
    const struct port_claim *claim = port_claim_of(bus, port);

    return claim->ops && claim->end - port >= size_bytes;
}

uint32_t sim_bus_port_read(struct sim_bus *bus, uint16_t port, unsigned size_bytes)
{
    bool whole = port_within_claim(bus, port, size_bytes);
    uint32_t value = 0;
    unsigned done;

    for (unsigned at = 0; at < size_bytes; at += done) {
        const struct port_claim *claim = port_claim_of(bus, (uint32_t)port + at);
        uint32_t piece = 0xff;

        done = 1;
        if (claim->ops) {
            if (whole)
                done = MIN(size_bytes - at, claim->ops->max_access_bytes);
            piece = claim->ops->read(claim->dev, (uint16_t)(port + at - claim->first), done);
            piece &= (uint32_t)ones(done);
        }
        value |= piece << (8 * at);
    }
    return value;
}

void sim_bus_port_write(struct sim_bus *bus, uint16_t port, unsigned size_bytes, uint32_t value)
{
    bool whole = port_within_claim(bus, port, size_bytes);
    unsigned done;

    for (unsigned at = 0; at < size_bytes; at += done) {
        const struct port_claim *claim = port_claim_of(bus, (uint32_t)port + at);

        done = 1;
        if (!claim->ops)
            continue;
        if (whole)
            done = MIN(size_bytes - at, claim->ops->max_access_bytes);
        claim->ops->write(claim->dev, (uint16_t)(port + at - claim->first), done,
                          (value >> (8 * at)) & (uint32_t)ones(done));
    }
}

/* The claim that holds @pa, or NULL. */
static const struct mmio_claim *mmio_claim_of(struct sim_bus *bus, uint64_t pa)
{
    unsigned low = 0, high = bus->mmio->len;
    const struct mmio_claim *claim;

    if (high == 0)
        return NULL;
    claim = mmio_at(bus, bus->mmio_last);
    if (pa - claim->base < claim->size_bytes)
        return claim;
    while (low < high) {
        unsigned mid = (low + high) / 2;

        claim = mmio_at(bus, mid);
        if (pa - claim->base < claim->size_bytes) {
            bus->mmio_last = mid;
            return claim;
        }
        if (pa < claim->base)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static bool mmio_within_claim(struct sim_bus *bus, uint64_t pa, unsigned size_bytes)
{
    const struct mmio_claim *claim = mmio_claim_of(bus, pa);

    return claim && claim->base + claim->size_bytes - pa >= size_bytes;
}

uint64_t sim_bus_mmio_read(struct sim_bus *bus, unsigned vcpu, gpa_t pa, unsigned size_bytes)
{
    bool whole = mmio_within_claim(bus, pa.v, size_bytes);
    uint64_t value = 0;
    unsigned done;

    for (unsigned at = 0; at < size_bytes; at += done) {
        const struct mmio_claim *claim = mmio_claim_of(bus, pa.v + at);
        uint64_t piece = 0xff;

        done = 1;
        if (claim) {
            if (whole)
                done = MIN(size_bytes - at, claim->ops->max_access_bytes);
            piece = claim->ops->read(claim->dev, vcpu, pa.v + at - claim->base, done) & ones(done);
        }
        value |= piece << (8 * at);
    }
    return value;
}

void sim_bus_mmio_write(struct sim_bus *bus, unsigned vcpu, gpa_t pa, unsigned size_bytes,
                        uint64_t value)
{
    bool whole = mmio_within_claim(bus, pa.v, size_bytes);
    unsigned done;

    for (unsigned at = 0; at < size_bytes; at += done) {
        const struct mmio_claim *claim = mmio_claim_of(bus, pa.v + at);

        done = 1;
        if (!claim)
            continue;
        if (whole)
            done = MIN(size_bytes - at, claim->ops->max_access_bytes);
        claim->ops->write(claim->dev, vcpu, pa.v + at - claim->base, done,
                          (value >> (8 * at)) & ones(done));
    }
}
