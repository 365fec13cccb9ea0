/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8254.
 *
 * The chip counts clocks; here a counter is described by the clock at which its present
 * count was loaded, and everything else is arithmetic on the number of clocks since then.
 *
 *   control word ----> WAITING (loaded = 0; idle_out, idle_count show)
 *   WAITING ---------> LOADED   counter_load(): by the count in modes 0, 2, 3, 4, by a
 *                               rising gate in modes 1 and 5; at the next clock
 *   LOADED ----------> LOADED   counter_advance(): a new count in modes 2 and 3 takes over
 *                               at the end of the (half) cycle, switch_clock
 *   LOADED ----------> HELD     gate low in modes 0 and 4: held = clocks counted so far
 *   LOADED ----------> WAITING  gate low in modes 2 and 3, first byte of two in mode 0
 *
 * Invariants
 *  1. 2 <= count <= 65536 in modes 2 and 3, 1 <= count <= 65536 in the others.
 *  2. Clock numbers may be "before" clock 0 (a half cycle that is taken to have begun
 *     earlier): differences are computed modulo 2^64 and read as signed.
 *  3. The event of counter 0 is armed for the next change of its output, if there is one.
 */
#include "sim/dev/i8254.h"

#include <glib.h>

#include "sim/dev/ticks.h"

#define PIT_HZ      1193182u
#define PIT_CHANNEL 3
#define PIT_NEVER   UINT64_MAX

enum { CW_BCD = 1, CW_READ_BACK = 0xc0, CW_PROGRAM = 0x3f };
enum { RB_NO_COUNT = 0x20, RB_NO_STATUS = 0x10 };
enum { RW_LATCH, RW_LOW, RW_HIGH, RW_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
/* Port 0x61. */
enum { PORTB_GATE2 = 1, PORTB_WRITABLE = 0x0f, PORTB_REFRESH = 0x10, PORTB_OUT2 = 0x20 };

struct counter {
    uint64_t load_clock;   /* when count was loaded */
    uint64_t switch_clock; /* when the pending count takes over in modes 2 and 3 */
    uint64_t held;         /* clocks counted before the gate fell */
    uint32_t count;        /* loaded count, 1 to 65536 */
    uint16_t written;      /* count register: what the guest wrote, perhaps BCD */
    uint16_t idle_count;   /* what a counter that is not loaded shows */
    uint16_t latch;
    uint8_t control; /* bits 5-0 of the control word, as written */
    uint8_t loaded, holding, gate;
    uint8_t have_count;            /* a whole count was written since the control word */
    uint8_t pending;               /* ... and is not in the counter yet */
    uint8_t idle_out;              /* output while not loaded */
    uint8_t write_high, read_high; /* the second byte of two is next */
    uint8_t latched, status_latched, status;
};

struct i8254 {
    const struct sim_services *sv;
    struct sim_irq irq;
    struct sim_event edge; /* next change of counter 0's output */
    uint8_t port_b;
    struct counter counter[PIT_CHANNEL];
};

static uint64_t pit_now(const struct i8254 *p)
{
    return ticks_at(sim_timeline_now_ns(p->sv->timeline), PIT_HZ);
}

/* Modes 6 and 7 are 2 and 3 with a bit that does not matter. */
static unsigned counter_mode(const struct counter *c)
{
    unsigned mode = c->control >> 1 & 7;

    return mode > 5 ? mode - 4 : mode;
}

static bool counter_periodic(const struct counter *c)
{
    return counter_mode(c) == 2 || counter_mode(c) == 3;
}

static unsigned counter_rw(const struct counter *c)
{
    return c->control >> 4 & 3;
}

static uint32_t from_bcd(uint16_t value)
{
    return (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u +
           (value & 15);
}

static uint16_t to_bcd(uint32_t value)
{
    return (uint16_t)((value / 1000 % 10) << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 |
                      value % 10);
}

/* The count register as a number of clocks.  1 is illegal in modes 2 and 3; it counts as 2. */
static uint32_t counter_written_count(const struct counter *c)
{
    bool bcd = c->control & CW_BCD;
    uint32_t count = bcd ? from_bcd(c->written) : c->written;

    if (count == 0)
        count = bcd ? 10000 : 65536;
    if (counter_periodic(c) && count < 2)
        count = 2;
    return count;
}

/* Clocks counted since the load; negative: the load is yet to happen. */
static int64_t counter_elapsed(const struct counter *c, uint64_t clock)
{
    return (int64_t)(c->holding ? c->held : clock - c->load_clock);
}

static uint32_t counter_high_half(uint32_t count)
{
    return (count + 1) / 2;
}

/* Level of OUT at @clock; data sheet, "Mode Definitions". */
static bool counter_out(const struct counter *c, uint64_t clock)
{
    int64_t elapsed = counter_elapsed(c, clock);

    if (!c->loaded || elapsed < 0)
        return c->idle_out;
    switch (counter_mode(c)) {
    case 0:
    case 1:
        return elapsed >= c->count;
    case 2:
        return elapsed % c->count != c->count - 1;
    case 3:
        return elapsed % c->count < counter_high_half(c->count);
    default:
        return elapsed != c->count;
    }
}

/* In mode 3 the counter goes by twos, from an even number, once in each half. */
static uint32_t counter_mode3_value(const struct counter *c, uint32_t position)
{
    uint32_t high = counter_high_half(c->count);

    return (c->count & ~1u) - 2 * (position < high ? position : position - high);
}

/* The counting element at @clock, as it reads (binary or BCD). */
static uint16_t counter_value(const struct counter *c, uint64_t clock)
{
    int64_t elapsed = counter_elapsed(c, clock);
    uint32_t modulus = (c->control & CW_BCD) ? 10000 : 65536;
    uint32_t value;

    if (!c->loaded || elapsed < 0)
        return c->idle_count;
    switch (counter_mode(c)) {
    case 2:
        value = c->count - (uint32_t)(elapsed % c->count);
        break;
    case 3:
        value = counter_mode3_value(c, (uint32_t)(elapsed % c->count));
        break;
    default:
        value = c->count + modulus - (uint32_t)(elapsed % modulus);
        break;
    }
    value %= modulus;
    return (c->control & CW_BCD) ? to_bcd(value) : (uint16_t)value;
}

/* First clock after @clock at which OUT changes with the present count; PIT_NEVER if none. */
static uint64_t counter_next_change(const struct counter *c, uint64_t clock)
{
    int64_t elapsed = counter_elapsed(c, clock);
    uint32_t position, first;

    if (!c->loaded || c->holding)
        return PIT_NEVER;
    if (elapsed < 0)
        return c->load_clock;
    if (!counter_periodic(c)) {
        bool strobe = counter_mode(c) >= 4;

        if (elapsed < c->count)
            return c->load_clock + c->count;
        return strobe && elapsed == c->count ? c->load_clock + c->count + 1 : PIT_NEVER;
    }
    position = (uint32_t)(elapsed % c->count);
    first = counter_mode(c) == 2 ? c->count - 1 : counter_high_half(c->count);
    return clock + (position < first ? first : c->count) - position;
}

static void counter_stop(struct counter *c, uint64_t clock, bool out)
{
    c->idle_count = counter_value(c, clock);
    c->idle_out = out;
    c->loaded = 0;
    c->holding = 0;
}

/* The written count goes into the counting element at the clock after @clock. */
static void counter_load(struct counter *c, uint64_t clock, bool out_until_then)
{
    counter_stop(c, clock, out_until_then);
    c->count = counter_written_count(c);
    c->load_clock = clock + 1;
    c->loaded = 1;
    c->pending = 0;
}

/* Bring @c to @clock: a count that waits for the end of the cycle may be due. */
static void counter_advance(struct counter *c, uint64_t clock)
{
    bool out;

    if (!c->pending || !c->loaded || !counter_periodic(c) || clock < c->switch_clock)
        return;
    out = counter_out(c, c->switch_clock);
    c->count = counter_written_count(c);
    c->load_clock = c->switch_clock;
    if (!out)
        c->load_clock -= counter_high_half(c->count);
    c->pending = 0;
}

/* End of the present half cycle (mode 3) or cycle (mode 2). */
static uint64_t counter_cycle_end(const struct counter *c, uint64_t clock)
{
    uint64_t change = counter_next_change(c, clock);

    if (counter_mode(c) == 2 && counter_elapsed(c, clock) >= 0 && counter_out(c, clock))
        change = counter_next_change(c, change);
    return change;
}

static void counter_count_written(struct counter *c, uint64_t clock)
{
    bool periodic = counter_periodic(c);

    if (c->pending && c->loaded && periodic)
        return; /* the switch is set up already and takes the newest count */
    c->have_count = 1;
    c->pending = 1;
    if (periodic && c->loaded) {
        c->switch_clock = counter_cycle_end(c, clock);
        if (counter_elapsed(c, clock) < 0)
            counter_load(c, clock, c->idle_out);
    } else if (periodic && c->gate) {
        counter_load(c, clock, true);
    } else if (counter_mode(c) == 0 || counter_mode(c) == 4) {
        counter_load(c, clock, counter_mode(c) == 4);
        c->holding = !c->gate;
        c->held = 0;
    }
}

static void counter_write(struct counter *c, uint64_t clock, uint8_t value)
{
    switch (counter_rw(c)) {
    case RW_LOW:
        c->written = value;
        break;
    case RW_HIGH:
        c->written = (uint16_t)(value << 8);
        break;
    default:
        if (!c->write_high) {
            c->written = (c->written & 0xff00) | value;
            c->write_high = 1;
            if (counter_mode(c) == 0) {
                counter_stop(c, clock, false);
                c->pending = 1;
            }
            return;
        }
        c->written = (uint16_t)((c->written & 0xff) | value << 8);
        c->write_high = 0;
        break;
    }
    counter_count_written(c, clock);
}

static uint8_t counter_read(struct counter *c, uint64_t clock)
{
    uint16_t value = c->latched ? c->latch : counter_value(c, clock);
    bool high = counter_rw(c) == RW_HIGH || (counter_rw(c) == RW_BOTH && c->read_high);

    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    if (counter_rw(c) == RW_BOTH)
        c->read_high = !c->read_high;
    if (counter_rw(c) != RW_BOTH || high)
        c->latched = 0;
    return (uint8_t)(high ? value >> 8 : value);
}

static void counter_latch(struct counter *c, uint64_t clock)
{
    if (c->latched)
        return;
    c->latch = counter_value(c, clock);
    c->latched = 1;
}

static void counter_latch_status(struct counter *c, uint64_t clock)
{
    bool null = !c->have_count || c->pending || (c->loaded && counter_elapsed(c, clock) < 0);

    if (c->status_latched)
        return;
    c->status = c->control | (null ? STATUS_NULL : 0) | (counter_out(c, clock) ? STATUS_OUT : 0);
    c->status_latched = 1;
}

static void counter_program(struct counter *c, uint64_t clock, uint8_t control)
{
    uint16_t value = counter_value(c, clock);

    c->control = control & CW_PROGRAM;
    c->idle_count = value;
    c->idle_out = counter_mode(c) != 0;
    c->loaded = c->holding = c->have_count = c->pending = 0;
    c->write_high = c->read_high = 0;
    c->latched = c->status_latched = 0;
}

/* Data sheet figure 21: what the gate does in each mode. */
static void counter_set_gate(struct counter *c, uint64_t clock, bool level)
{
    bool out = counter_out(c, clock);
    unsigned mode = counter_mode(c);
    int64_t elapsed = counter_elapsed(c, clock);

    if (level == c->gate)
        return;
    c->gate = level;
    if (mode == 0 || mode == 4) {
        if (!level)
            c->held = elapsed < 0 ? 0 : (uint64_t)elapsed;
        else if (c->loaded)
            c->load_clock = clock - c->held;
        c->holding = c->loaded && !level;
    } else if (!level && counter_periodic(c)) {
        counter_stop(c, clock, true);
    } else if (level && c->have_count) {
        counter_load(c, clock, out);
    }
}

/* Counter 0's output goes to its line as it is at @clock; the next change becomes an event. */
static void pit_drive(struct i8254 *p, uint64_t clock)
{
    struct counter *c = &p->counter[0];
    uint64_t next;

    counter_advance(c, clock);
    sim_irq_set(&p->irq, counter_out(c, clock));
    next = counter_next_change(c, clock);
    if (next == PIT_NEVER)
        sim_event_cancel(p->sv->timeline, &p->edge);
    else
        sim_event_arm(p->sv->timeline, &p->edge, ticks_ns(next, PIT_HZ));
}

static void pit_edge(void *user, uint64_t due_ns)
{
    pit_drive(user, ticks_at(due_ns, PIT_HZ));
}

static void pit_read_back(struct i8254 *p, uint64_t clock, uint8_t value)
{
    for (unsigned i = 0; i < PIT_CHANNEL; i++) {
        if (!(value >> (i + 1) & 1))
            continue;
        if (!(value & RB_NO_COUNT))
            counter_latch(&p->counter[i], clock);
        if (!(value & RB_NO_STATUS))
            counter_latch_status(&p->counter[i], clock);
    }
}

static void pit_write_control(struct i8254 *p, uint64_t clock, uint8_t value)
{
    struct counter *c;

    if ((value & CW_READ_BACK) == CW_READ_BACK) {
        pit_read_back(p, clock, value);
        return;
    }
    c = &p->counter[value >> 6];
    if ((value >> 4 & 3) == RW_LATCH)
        counter_latch(c, clock);
    else
        counter_program(c, clock, value);
}

static uint32_t pit_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct i8254 *p = dev;
    uint64_t clock = pit_now(p);

    (void)size_bytes;
    if (offset >= PIT_CHANNEL)
        return 0xff; /* the control word cannot be read */
    counter_advance(&p->counter[offset], clock);
    return counter_read(&p->counter[offset], clock);
}

static void pit_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8254 *p = dev;
    uint64_t clock = pit_now(p);

    (void)size_bytes;
    for (unsigned i = 0; i < PIT_CHANNEL; i++)
        counter_advance(&p->counter[i], clock);
    if (offset >= PIT_CHANNEL)
        pit_write_control(p, clock, (uint8_t)value);
    else
        counter_write(&p->counter[offset], clock, (uint8_t)value);
    pit_drive(p, clock);
}

/* Every period of counter 1 is one refresh cycle. */
static bool pit_refresh_toggle(const struct counter *c, uint64_t clock)
{
    int64_t elapsed = counter_elapsed(c, clock);

    if (!c->loaded || elapsed < 0 || !counter_periodic(c))
        return false;
    return elapsed / c->count & 1;
}

static uint32_t port_b_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct i8254 *p = dev;
    uint64_t clock = pit_now(p);

    (void)offset;
    (void)size_bytes;
    counter_advance(&p->counter[1], clock);
    counter_advance(&p->counter[2], clock);
    return p->port_b | (pit_refresh_toggle(&p->counter[1], clock) ? PORTB_REFRESH : 0) |
           (counter_out(&p->counter[2], clock) ? PORTB_OUT2 : 0);
}

static void port_b_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8254 *p = dev;
    uint64_t clock = pit_now(p);

    (void)offset;
    (void)size_bytes;
    p->port_b = value & PORTB_WRITABLE;
    counter_advance(&p->counter[2], clock);
    counter_set_gate(&p->counter[2], clock, value & PORTB_GATE2);
}

static const struct sim_port_ops pit_ports = {pit_read, pit_write, 1};
static const struct sim_port_ops port_b_ports = {port_b_read, port_b_write, 1};

static void i8254_reset(void *dev)
{
    struct i8254 *p = dev;
    uint64_t clock = pit_now(p);

    p->port_b = 0;
    for (unsigned i = 0; i < PIT_CHANNEL; i++) {
        p->counter[i] = (struct counter){.count = 65536, .gate = i != 2};
        counter_program(&p->counter[i], clock, RW_BOTH << 4 | 3 << 1);
    }
    counter_program(&p->counter[1], clock, RW_LOW << 4 | 2 << 1);
    counter_write(&p->counter[1], clock, 18);
    pit_drive(p, clock);
}

struct i8254 *i8254_new(const struct sim_services *sv)
{
    struct i8254 *p = g_new0(struct i8254, 1);

    p->sv = sv;
    p->irq = sv->isa_irq(sv->machine, 0);
    sim_event_register(sv->timeline, &p->edge, "8254 counter 0", pit_edge, p);
    sim_bus_claim_ports(sv->bus, 0x40, 4, &pit_ports, p);
    sim_bus_claim_ports(sv->bus, 0x61, 1, &port_b_ports, p);
    i8254_reset(p);
    return p;
}

static void counter_state(struct counter *c, struct base_state *st)
{
    BASE_STATE(st, c->load_clock);
    BASE_STATE(st, c->switch_clock);
    BASE_STATE(st, c->held);
    BASE_STATE(st, c->count);
    BASE_STATE(st, c->written);
    BASE_STATE(st, c->idle_count);
    BASE_STATE(st, c->latch);
    BASE_STATE(st, c->control);
    BASE_STATE(st, c->loaded);
    BASE_STATE(st, c->holding);
    BASE_STATE(st, c->gate);
    BASE_STATE(st, c->have_count);
    BASE_STATE(st, c->pending);
    BASE_STATE(st, c->idle_out);
    BASE_STATE(st, c->write_high);
    BASE_STATE(st, c->read_high);
    BASE_STATE(st, c->latched);
    BASE_STATE(st, c->status_latched);
    BASE_STATE(st, c->status);
    if (c->count < 1 || c->count > 65536) { /* no state of ours: nothing divides by it */
        st->bad = true;
        c->count = 65536;
    }
}

static void i8254_state(void *dev, struct base_state *st)
{
    struct i8254 *p = dev;

    base_state_tag(st, "i8254");
    BASE_STATE(st, p->port_b);
    for (unsigned i = 0; i < PIT_CHANNEL; i++)
        counter_state(&p->counter[i], st);
}

void i8254_device(struct i8254 *p, struct sim_device *out)
{
    *out = (struct sim_device){"8254", p, i8254_reset, i8254_state, g_free};
}
