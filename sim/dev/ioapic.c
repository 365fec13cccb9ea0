/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82093AA.
 *
 * A pin's interrupt, level triggered:
 *
 *     idle --active, accepted--> in service (remote IRR) --ioapic_eoi--> idle, or again if
 *       \--active, refused--> pending (delivery status), tried again at the next change
 *
 * Edge triggered: an edge on an unmasked pin is sent at once; an edge on a masked pin is
 * lost (3.2.4, bit 16).
 */
#include "sim/dev/ioapic.h"

#include <glib.h>

#include "sim/base/assert.h"

#define OFFSET_INDEX 0x00
#define OFFSET_DATA  0x10

enum { REG_ID = 0x00, REG_VERSION = 0x01, REG_ARBITRATION = 0x02, REG_ENTRY = 0x10 };

/*
 * Redirection entry, 3.2.4:
 *   63-56 destination | 16 mask | 15 level | 14 remote IRR | 13 active low |
 *   12 delivery status | 11 logical | 10-8 delivery mode | 7-0 vector
 */
#define ENTRY_MASKED     (1ull << 16)
#define ENTRY_LEVEL      (1ull << 15)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LOW        (1ull << 13)
#define ENTRY_STATUS     (1ull << 12)
#define ENTRY_LOGICAL    (1ull << 11)
#define ENTRY_MODE(e)    ((enum apic_mode)((e) >> 8 & 7))
#define ENTRY_WRITABLE   0xff0000000001afffull

struct ioapic {
    bool (*deliver)(void *user, const struct apic_message *msg);
    void *deliver_user;
    uint32_t low_pins;
    uint8_t reset_id;

    uint8_t index;
    uint8_t id;
    uint32_t levels;             /* electrical level of each wire */
    uint64_t entry[IOAPIC_PINS]; /* without ENTRY_STATUS, which is computed */
};

static bool pin_active(const struct ioapic *io, unsigned pin)
{
    return (io->levels >> pin & 1) != !!(io->entry[pin] & ENTRY_LOW);
}

/* Only fixed and lowest priority interrupts can be level triggered (3.2.4, bits 10-8). */
static bool pin_is_level(const struct ioapic *io, unsigned pin)
{
    uint64_t e = io->entry[pin];

    return (e & ENTRY_LEVEL) && ENTRY_MODE(e) <= APIC_LOWEST_PRIORITY;
}

static bool pin_send(struct ioapic *io, unsigned pin)
{
    uint64_t e = io->entry[pin];
    struct apic_message msg = {
        .destination = (uint8_t)(e >> 56),
        .logical = e & ENTRY_LOGICAL,
        .mode = ENTRY_MODE(e),
        .vector = (uint8_t)e,
        .level = pin_is_level(io, pin),
    };

    /* Modes 3 and 6 are reserved. */
    if (msg.mode == APIC_RESERVED || msg.mode == APIC_STARTUP)
        return true;
    return io->deliver(io->deliver_user, &msg);
}

static bool pin_waits(const struct ioapic *io, unsigned pin)
{
    return !(io->entry[pin] & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) && pin_is_level(io, pin) &&
           pin_active(io, pin);
}

static void pin_service_level(struct ioapic *io, unsigned pin)
{
    if (!pin_waits(io, pin))
        return;
    io->entry[pin] |= ENTRY_REMOTE_IRR;
    if (!pin_send(io, pin))
        io->entry[pin] &= ~ENTRY_REMOTE_IRR;
}

void ioapic_set_pin(struct ioapic *io, unsigned pin, bool asserted)
{
    uint32_t bit = 1u << pin;
    bool level = asserted != !!(io->low_pins & bit);

    BASE_ASSERT(pin < IOAPIC_PINS);
    if (!!(io->levels & bit) == level)
        return;
    io->levels ^= bit;
    if (pin_is_level(io, pin))
        pin_service_level(io, pin);
    else if (pin_active(io, pin) && !(io->entry[pin] & ENTRY_MASKED))
        pin_send(io, pin);
}

void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if (!(io->entry[pin] & ENTRY_REMOTE_IRR) || (uint8_t)io->entry[pin] != vector)
            continue;
        io->entry[pin] &= ~ENTRY_REMOTE_IRR;
        pin_service_level(io, pin);
    }
}

bool ioapic_has_nmi(const struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        enum apic_mode mode = ENTRY_MODE(io->entry[pin]);

        if (!(io->entry[pin] & ENTRY_MASKED) && (mode == APIC_NMI || mode == APIC_INIT))
            return true;
    }
    return false;
}

static uint32_t entry_read(const struct ioapic *io, unsigned number)
{
    unsigned pin = number / 2;
    uint64_t e = io->entry[pin];

    if (pin_waits(io, pin))
        e |= ENTRY_STATUS;
    return (uint32_t)(number & 1 ? e >> 32 : e);
}

/* An entry that is made edge triggered forgets its interrupt in service. */
static void entry_write(struct ioapic *io, unsigned number, uint32_t value)
{
    unsigned pin = number / 2, shift = 32 * (number & 1);
    uint64_t *e = &io->entry[pin];
    uint64_t writable = ENTRY_WRITABLE & (uint64_t)UINT32_MAX << shift;

    *e = (*e & ~writable) | ((uint64_t)value << shift & writable);
    if (!(*e & ENTRY_LEVEL))
        *e &= ~ENTRY_REMOTE_IRR;
    pin_service_level(io, pin);
}

static uint32_t reg_read(const struct ioapic *io)
{
    if (io->index >= REG_ENTRY && io->index < REG_ENTRY + 2 * IOAPIC_PINS)
        return entry_read(io, io->index - REG_ENTRY);
    switch (io->index) {
    case REG_ID:
    case REG_ARBITRATION: /* takes the id's value when that is written (3.2.3) */
        return (uint32_t)io->id << 24;
    case REG_VERSION:
        return IOAPIC_VERSION;
    default:
        return 0;
    }
}

static void reg_write(struct ioapic *io, uint32_t value)
{
    if (io->index >= REG_ENTRY && io->index < REG_ENTRY + 2 * IOAPIC_PINS)
        entry_write(io, io->index - REG_ENTRY, value);
    else if (io->index == REG_ID)
        io->id = value >> 24 & 0xf;
}

static uint64_t ioapic_mmio_read(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes)
{
    struct ioapic *io = dev;

    (void)vcpu;
    (void)size_bytes; /* the bus takes the bytes it has asked for */
    if (offset == OFFSET_INDEX)
        return io->index;
    if (offset >= OFFSET_DATA && offset < OFFSET_DATA + 4)
        return reg_read(io) >> (8 * (offset - OFFSET_DATA));
    return 0;
}

static void ioapic_mmio_write(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes,
                              uint64_t value)
{
    struct ioapic *io = dev;

    (void)vcpu;
    if (offset == OFFSET_INDEX)
        io->index = (uint8_t)value;
    else if (offset == OFFSET_DATA && size_bytes == 4)
        reg_write(io, (uint32_t)value);
}

static const struct sim_mmio_ops ioapic_mmio_ops = {ioapic_mmio_read, ioapic_mmio_write, 8};

/* The levels of the wires are not the chip's to reset. */
static void ioapic_reset(void *dev)
{
    struct ioapic *io = dev;

    io->index = 0;
    io->id = io->reset_id;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->entry[pin] = ENTRY_MASKED;
}

static void ioapic_state(void *dev, struct base_state *st)
{
    struct ioapic *io = dev;

    base_state_tag(st, "82093AA");
    BASE_STATE(st, io->index);
    BASE_STATE(st, io->id);
    BASE_STATE(st, io->levels);
    BASE_STATE(st, io->entry);
}

static void ioapic_free(void *dev)
{
    g_free(dev);
}

struct ioapic *ioapic_new(const struct sim_services *sv, unsigned id, uint32_t low_pins,
                          bool (*deliver)(void *user, const struct apic_message *msg),
                          void *deliver_user)
{
    struct ioapic *io = g_new0(struct ioapic, 1);

    io->deliver = deliver;
    io->deliver_user = deliver_user;
    io->low_pins = low_pins;
    io->reset_id = id & 0xf;
    io->levels = low_pins;
    ioapic_reset(io);
    sim_bus_claim_mmio(sv->bus, GPA(IOAPIC_BASE), PAGE_SIZE, &ioapic_mmio_ops, io);
    return io;
}

void ioapic_device(struct ioapic *io, struct sim_device *out)
{
    *out = (struct sim_device){.name = "82093AA",
                               .dev = io,
                               .reset = ioapic_reset,
                               .state = ioapic_state,
                               .free = ioapic_free};
}
