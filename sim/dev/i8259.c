/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8259A pair.
 *
 * Invariants
 *  1. irr has the bit of every line that requests: latched edges that have not been
 *     acknowledged (and whose line is still high), and all high level-triggered lines.
 *  2. The output of each chip is a function of its registers (chip_next()); pair_update()
 *     carries the slave's output into the master's IR2 and the master's to the CPU after
 *     every change.
 *  3. lowest is the line with the lowest priority; priorities fall from lowest + 1 round to
 *     lowest.
 *
 *      ICW1 --> wait ICW2 --> [wait ICW3, unless SNGL] --> [wait ICW4, if IC4] --> ready
 *               (chip_write_odd makes every step; ICW1 in any state starts again)
 */
#include "sim/dev/i8259.h"

#include <glib.h>
#include <string.h>

#define PIC_CASCADE   2      /* the master's input that the slave drives */
#define PIC_EDGE_ONLY 0x2107 /* IRQ 0, 1, 2, 8, 13: ELCR bits that read and stay 0 */
#define PIC_NONE      8      /* no line */

/* LTIM, bit 3 of ICW1, does nothing on a PC: the ELCR takes its place. */
enum { ICW1_IC4 = 1, ICW1_SNGL = 2, ICW1 = 0x10 };
enum { ICW4_AEOI = 2, ICW4_SFNM = 0x10 };
enum {
    OCW3_READ_ISR = 1,
    OCW3_READ = 2,
    OCW3_POLL = 4,
    OCW3 = 8,
    OCW3_SMM = 0x20,
    OCW3_ESMM = 0x40
};
enum { OCW2_LEVEL = 7 };

enum pic_step { PIC_READY, PIC_ICW2, PIC_ICW3, PIC_ICW4 };

/* Bit n of a mask is line IRn. */
struct chip {
    uint8_t lines; /* present levels */
    uint8_t irr, isr, imr;
    uint8_t elcr; /* lines that are level triggered */
    uint8_t icw1, icw3, icw4;
    uint8_t base;   /* vector of IR0 */
    uint8_t lowest; /* the line with the lowest priority */
    uint8_t step;   /* enum pic_step */
    uint8_t read_isr, special_mask, poll, rotate_aeoi;
};

struct i8259 {
    struct sim_irq intr;
    uint16_t elcr_reset;
    uint8_t output; /* last level of the INT output */
    struct chip master, slave;
};

/* The line of the highest priority in @mask, PIC_NONE if there is none. */
static unsigned chip_highest(const struct chip *c, uint8_t mask)
{
    for (unsigned i = 1; i <= 8; i++) {
        unsigned line = (c->lowest + i) & 7;

        if (mask >> line & 1)
            return line;
    }
    return PIC_NONE;
}

static unsigned chip_rank(const struct chip *c, unsigned line)
{
    return (line - c->lowest - 1) & 7;
}

/* Lines in service that hold others back: in special mask mode a masked one does not. */
static unsigned chip_serving(const struct chip *c)
{
    return chip_highest(c, c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr);
}

/*
 * The request that would be acknowledged now, PIC_NONE if there is none.
 *
 * Anything of the priority in service or below waits.  In special fully nested mode the
 * master lets further requests of the slave through while one is in service.
 */
static unsigned chip_next(const struct chip *c)
{
    unsigned line = chip_highest(c, c->irr & (uint8_t)~c->imr), serving = chip_serving(c);

    if (c->step != PIC_READY)
        return PIC_NONE;
    if (line == PIC_NONE || serving == PIC_NONE)
        return line;
    if (chip_rank(c, line) < chip_rank(c, serving))
        return line;
    if ((c->icw4 & ICW4_SFNM) && line == serving && (c->icw3 >> line & 1))
        return line;
    return PIC_NONE;
}

static void chip_set_line(struct chip *c, unsigned line, bool level)
{
    uint8_t bit = (uint8_t)(1u << line);

    if (!level)
        c->irr &= (uint8_t)~bit;
    else if ((c->elcr & bit) || !(c->lines & bit))
        c->irr |= bit;
    c->lines = level ? c->lines | bit : c->lines & (uint8_t)~bit;
}

static void pair_update(struct i8259 *p)
{
    bool out;

    chip_set_line(&p->master, PIC_CASCADE, chip_next(&p->slave) != PIC_NONE);
    out = chip_next(&p->master) != PIC_NONE;
    if (out != p->output) {
        p->output = out;
        sim_irq_set(&p->intr, out);
    }
}

static void chip_end(struct chip *c, unsigned line, bool rotate)
{
    c->isr &= (uint8_t) ~(1u << line);
    if (rotate)
        c->lowest = (uint8_t)line;
}

/* The acknowledge cycle of one chip.  A request that has gone away answers as IR7, without
 * a bit in service. */
static unsigned chip_ack(struct chip *c)
{
    unsigned line = chip_next(c);

    if (line == PIC_NONE)
        return 7;
    if (!(c->elcr >> line & 1))
        c->irr &= (uint8_t) ~(1u << line);
    c->isr |= (uint8_t)(1u << line);
    if (c->icw4 & ICW4_AEOI)
        chip_end(c, line, c->rotate_aeoi);
    return line;
}

/* The slave's output falls with the acknowledge, and rises again if there is more. */
static unsigned slave_ack(struct i8259 *p)
{
    unsigned line = chip_ack(&p->slave);

    chip_set_line(&p->master, PIC_CASCADE, false);
    return line;
}

int i8259_ack(struct i8259 *p)
{
    unsigned line = chip_ack(&p->master);
    int vector = p->master.base + (int)line;

    /* An idle slave behind the cascade answers with its own IR7. */
    if (line == PIC_CASCADE)
        vector = p->slave.base + (int)slave_ack(p);
    pair_update(p);
    return vector;
}

static void chip_write_icw1(struct chip *c, uint8_t value)
{
    c->icw1 = value;
    c->icw4 = 0;
    c->imr = 0;
    c->isr = 0;
    c->special_mask = 0;
    c->read_isr = 0;
    c->poll = 0;
    c->rotate_aeoi = 0;
    c->lowest = 7;
    c->step = PIC_ICW2;
    /* The edge sense is cleared: a line must fall and rise to request again. */
    c->irr = c->lines & c->elcr;
}

/* OCW2, data sheet figure 8: bits 7-5 R, SL, EOI. */
static void chip_write_ocw2(struct chip *c, uint8_t value)
{
    unsigned line = value & OCW2_LEVEL;
    unsigned serving = chip_serving(c);

    switch (value >> 5) {
    case 0: /* clear rotation in automatic end of interrupt */
        c->rotate_aeoi = 0;
        break;
    case 4: /* set it */
        c->rotate_aeoi = 1;
        break;
    case 1: /* end of interrupt */
    case 5: /* with rotation */
        if (serving != PIC_NONE)
            chip_end(c, serving, value >> 5 == 5);
        break;
    case 3: /* end of the named interrupt */
    case 7: /* with rotation */
        chip_end(c, line, value >> 5 == 7);
        break;
    case 6: /* set priority */
        c->lowest = (uint8_t)line;
        break;
    default: /* 2: no operation */
        break;
    }
}

static void chip_write_ocw3(struct chip *c, uint8_t value)
{
    if (value & OCW3_ESMM)
        c->special_mask = !!(value & OCW3_SMM);
    if (value & OCW3_READ)
        c->read_isr = value & OCW3_READ_ISR;
    c->poll = !!(value & OCW3_POLL);
}

static void chip_write_even(struct chip *c, uint8_t value)
{
    if (value & ICW1)
        chip_write_icw1(c, value);
    else if (value & OCW3)
        chip_write_ocw3(c, value);
    else
        chip_write_ocw2(c, value);
}

static void chip_write_odd(struct chip *c, uint8_t value)
{
    switch (c->step) {
    case PIC_ICW2:
        c->base = value & 0xf8;
        c->step = !(c->icw1 & ICW1_SNGL) ? PIC_ICW3 : (c->icw1 & ICW1_IC4) ? PIC_ICW4 : PIC_READY;
        break;
    case PIC_ICW3:
        c->icw3 = value;
        c->step = (c->icw1 & ICW1_IC4) ? PIC_ICW4 : PIC_READY;
        break;
    case PIC_ICW4:
        c->icw4 = value;
        c->step = PIC_READY;
        break;
    default:
        c->imr = value;
        break;
    }
}

/* A poll acknowledges by reading: bit 7 says whether there was a request, bits 2-0 which. */
static uint8_t chip_poll(struct chip *c)
{
    bool any = chip_next(c) != PIC_NONE;

    c->poll = 0;
    return any ? 0x80 | (uint8_t)chip_ack(c) : 7;
}

static uint8_t chip_read(struct chip *c, unsigned odd)
{
    if (c->poll)
        return chip_poll(c);
    if (odd)
        return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

static uint32_t pair_read(struct i8259 *p, struct chip *c, unsigned odd)
{
    bool poll = c->poll;
    uint8_t value = chip_read(c, odd);

    if (poll && c == &p->slave)
        chip_set_line(&p->master, PIC_CASCADE, false);
    pair_update(p);
    return value;
}

static void pair_write(struct i8259 *p, struct chip *c, unsigned odd, uint32_t value)
{
    if (odd)
        chip_write_odd(c, (uint8_t)value);
    else
        chip_write_even(c, (uint8_t)value);
    pair_update(p);
}

static uint32_t master_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct i8259 *p = dev;

    (void)size_bytes;
    return pair_read(p, &p->master, offset & 1);
}

static void master_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8259 *p = dev;

    (void)size_bytes;
    pair_write(p, &p->master, offset & 1, value);
}

static uint32_t slave_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct i8259 *p = dev;

    (void)size_bytes;
    return pair_read(p, &p->slave, offset & 1);
}

static void slave_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8259 *p = dev;

    (void)size_bytes;
    pair_write(p, &p->slave, offset & 1, value);
}

static uint32_t elcr_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct i8259 *p = dev;

    (void)size_bytes;
    return offset ? p->slave.elcr : p->master.elcr;
}

/* A line that becomes level triggered requests while it is high; one that becomes edge
 * triggered waits for its next edge. */
static void chip_set_elcr(struct chip *c, uint8_t value)
{
    uint8_t changed = c->elcr ^ value;

    c->elcr = value;
    c->irr = (c->irr & (uint8_t)~changed) | (c->lines & c->elcr);
}

static void elcr_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8259 *p = dev;

    (void)size_bytes;
    if (offset)
        chip_set_elcr(&p->slave, (uint8_t)(value & ~(PIC_EDGE_ONLY >> 8)));
    else
        chip_set_elcr(&p->master, (uint8_t)(value & ~(PIC_EDGE_ONLY & 0xff)));
    pair_update(p);
}

static const struct sim_port_ops master_ports = {master_read, master_write, 1};
static const struct sim_port_ops slave_ports = {slave_read, slave_write, 1};
static const struct sim_port_ops elcr_ports = {elcr_read, elcr_write, 1};

void i8259_set_irq(struct i8259 *p, unsigned irq, bool level)
{
    if (irq == PIC_CASCADE || irq > 15)
        return;
    chip_set_line(irq < 8 ? &p->master : &p->slave, irq & 7, level);
    pair_update(p);
}

bool i8259_intr(const struct i8259 *p)
{
    return p->output;
}

/* The levels of the lines are not the chip's to reset. */
static void chip_reset(struct chip *c, uint8_t base, uint8_t icw3, uint8_t elcr)
{
    *c = (struct chip){
        .lines = c->lines,
        .irr = c->lines & elcr,
        .imr = 0xff,
        .elcr = elcr,
        .icw1 = ICW1 | ICW1_IC4,
        .icw3 = icw3,
        .icw4 = 1, /* 8086 mode */
        .base = base,
        .lowest = 7,
    };
}

static void i8259_reset(void *dev)
{
    struct i8259 *p = dev;

    chip_reset(&p->master, 0x08, 1u << PIC_CASCADE, (uint8_t)p->elcr_reset);
    chip_reset(&p->slave, 0x70, PIC_CASCADE, (uint8_t)(p->elcr_reset >> 8));
    pair_update(p);
}

struct i8259 *i8259_new(const struct sim_services *sv, uint16_t elcr_reset,
                        const struct sim_irq *intr)
{
    struct i8259 *p = g_new0(struct i8259, 1);

    p->intr = *intr;
    p->elcr_reset = elcr_reset & (uint16_t)~PIC_EDGE_ONLY;
    sim_bus_claim_ports(sv->bus, 0x20, 2, &master_ports, p);
    sim_bus_claim_ports(sv->bus, 0xa0, 2, &slave_ports, p);
    sim_bus_claim_ports(sv->bus, 0x4d0, 2, &elcr_ports, p);
    i8259_reset(p);
    return p;
}

static void chip_state(struct chip *c, struct base_state *st)
{
    BASE_STATE(st, c->lines);
    BASE_STATE(st, c->irr);
    BASE_STATE(st, c->isr);
    BASE_STATE(st, c->imr);
    BASE_STATE(st, c->elcr);
    BASE_STATE(st, c->icw1);
    BASE_STATE(st, c->icw3);
    BASE_STATE(st, c->icw4);
    BASE_STATE(st, c->base);
    BASE_STATE(st, c->lowest);
    BASE_STATE(st, c->step);
    BASE_STATE(st, c->read_isr);
    BASE_STATE(st, c->special_mask);
    BASE_STATE(st, c->poll);
    BASE_STATE(st, c->rotate_aeoi);
}

static void i8259_state(void *dev, struct base_state *st)
{
    struct i8259 *p = dev;

    base_state_tag(st, "i8259");
    BASE_STATE(st, p->output);
    chip_state(&p->master, st);
    chip_state(&p->slave, st);
}

void i8259_device(struct i8259 *p, struct sim_device *out)
{
    *out = (struct sim_device){"8259A pair", p, i8259_reset, i8259_state, g_free};
}
