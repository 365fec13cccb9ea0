/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16550A.
 *
 * Invariants
 *  1. The interrupt line is a function of the registers: uart_update() computes it after
 *     every change, and nothing else sets it.  The one exception is a write to THR, during
 *     which the transmitter is full for no time: the line goes low for an instant, so that
 *     an edge-triggered interrupt controller sees the transmitter become empty again.
 *  2. LSR.THRE and LSR.TEMT are always 1.
 *  3. rx_count <= capacity (16 with FIFOs, else 1); rx[0] is the oldest byte.
 *  4. The timeout event is armed only with FIFOs on and rx_count > 0.
 */
#include "sim/dev/uart16550.h"

#include <glib.h>
#include <string.h>

#define UART_CLOCK_HZ  1843200u
#define UART_FIFO      16
#define UART_NS_PER_S  1000000000u
#define UART_IIR_NONE  0x01
#define UART_IIR_MSR   0x00
#define UART_IIR_THRE  0x02
#define UART_IIR_RDA   0x04
#define UART_IIR_RLS   0x06
#define UART_IIR_CTI   0x0c
#define UART_IIR_FIFOS 0xc0

/* Registers by offset. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

enum { IER_RDA = 1, IER_THRE = 2, IER_RLS = 4, IER_MSR = 8, IER_MASK = 15 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_DMA = 8, FCR_TRIGGER = 0xc0 };
enum { LCR_WORD = 3, LCR_STOP = 4, LCR_PARITY = 8, LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16, MCR_MASK = 31 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 0x10, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum {
    MSR_DELTA = 15,
    MSR_TERI = 4,
    MSR_CTS = 0x10,
    MSR_DSR = 0x20,
    MSR_RI = 0x40,
    MSR_DCD = 0x80
};

#define LSR_ERRORS (LSR_OE | LSR_BI)

struct uart16550 {
    const struct sim_services *sv;
    struct sim_irq irq;
    void (*tx)(void *user, uint8_t byte);
    void *tx_user;
    struct sim_event timeout; /* character timeout, section 8.6.2 */

    uint8_t ier, fcr, lcr, mcr, msr, scr;
    uint8_t lsr_errors; /* the bits of LSR that reading it clears */
    uint8_t dll, dlm;
    uint8_t thre_pending; /* the transmitter became empty and nobody has been told */
    uint8_t timed_out;
    uint8_t level; /* of the interrupt line */
    uint8_t rx_count;
    uint8_t rx[UART_FIFO];
};

static bool uart_fifos(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned uart_capacity(const struct uart16550 *u)
{
    return uart_fifos(u) ? UART_FIFO : 1;
}

static unsigned uart_trigger(const struct uart16550 *u)
{
    static const uint8_t level[4] = {1, 4, 8, 14};

    return uart_fifos(u) ? level[u->fcr >> 6] : 1;
}

/* Time of @count characters on the line; a divisor of 0 counts as 1. */
static uint64_t uart_chars_ns(const struct uart16550 *u, unsigned count)
{
    unsigned divisor = u->dll | u->dlm << 8;
    unsigned bits =
        1 + 5 + (u->lcr & LCR_WORD) + !!(u->lcr & LCR_PARITY) + 1 + !!(u->lcr & LCR_STOP);

    return (uint64_t)UART_NS_PER_S * 16 * bits * count * (divisor ? divisor : 1) / UART_CLOCK_HZ;
}

/* The highest-priority interrupt that is enabled and pending: bits 3-0 of IIR, table VI. */
static uint8_t uart_pending(const struct uart16550 *u)
{
    if ((u->ier & IER_RLS) && u->lsr_errors)
        return UART_IIR_RLS;
    if ((u->ier & IER_RDA) && u->rx_count >= uart_trigger(u))
        return UART_IIR_RDA;
    if ((u->ier & IER_RDA) && u->timed_out)
        return UART_IIR_CTI;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return UART_IIR_THRE;
    if ((u->ier & IER_MSR) && (u->msr & MSR_DELTA))
        return UART_IIR_MSR;
    return UART_IIR_NONE;
}

/* OUT2 gates the line on a PC; in loopback the output pins are inactive (section 8.9). */
static void uart_update(struct uart16550 *u)
{
    bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    bool level = gate && uart_pending(u) != UART_IIR_NONE;

    if (level == u->level)
        return; /* a polled console does not trouble the interrupt controllers */
    u->level = level;
    sim_irq_set(&u->irq, level);
}

static void uart_restart_timeout(struct uart16550 *u)
{
    u->timed_out = 0;
    if (uart_fifos(u) && u->rx_count > 0)
        sim_event_arm(u->sv->timeline, &u->timeout,
                      sim_timeline_now_ns(u->sv->timeline) + uart_chars_ns(u, 4));
    else
        sim_event_cancel(u->sv->timeline, &u->timeout);
}

static void uart_timeout(void *user, uint64_t due_ns)
{
    struct uart16550 *u = user;

    (void)due_ns;
    u->timed_out = u->rx_count > 0;
    uart_update(u);
}

/* One character arrives in the shift register.  With FIFOs a full FIFO keeps its bytes and
 * the new one is lost; without, the new one replaces the old (section 8.4, bit 1). */
static void uart_shift_in(struct uart16550 *u, uint8_t byte)
{
    if (u->rx_count >= uart_capacity(u)) {
        u->lsr_errors |= LSR_OE;
        if (!uart_fifos(u))
            u->rx[0] = byte;
        return;
    }
    u->rx[u->rx_count++] = byte;
}

static uint8_t uart_read_data(struct uart16550 *u)
{
    uint8_t byte = u->rx[0];

    if (u->rx_count == 0)
        return byte; /* the buffer still holds what was last in it */
    u->rx_count--;
    if (u->rx_count > 0)
        memmove(u->rx, u->rx + 1, u->rx_count);
    uart_restart_timeout(u);
    return byte;
}

static void uart_write_data(struct uart16550 *u, uint8_t byte)
{
    u->thre_pending = 0;
    uart_update(u);
    if (u->mcr & MCR_LOOP) {
        uart_shift_in(u, byte);
        uart_restart_timeout(u);
    } else if (u->tx) {
        u->tx(u->tx_user, byte);
    }
    u->thre_pending = 1;
}

/* Enabling the interrupt of an empty transmitter raises it at once. */
static void uart_write_ier(struct uart16550 *u, uint8_t value)
{
    if ((value & IER_THRE) && !(u->ier & IER_THRE))
        u->thre_pending = 1;
    u->ier = value & IER_MASK;
}

/* Section 8.5: a change of bit 0 empties both FIFOs; the other bits need bit 0 set. */
static void uart_write_fcr(struct uart16550 *u, uint8_t value)
{
    bool change = (value ^ u->fcr) & FCR_ENABLE;

    u->fcr = (value & FCR_ENABLE) ? value & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
    if (change || (value & (FCR_ENABLE | FCR_CLEAR_RX)) == (FCR_ENABLE | FCR_CLEAR_RX))
        u->rx_count = 0;
    if (change || (value & (FCR_ENABLE | FCR_CLEAR_TX)) == (FCR_ENABLE | FCR_CLEAR_TX))
        u->thre_pending = 1;
    uart_restart_timeout(u);
}

/* The modem inputs as they are now: bits 7-4 of MSR. */
static uint8_t uart_modem_lines(const struct uart16550 *u)
{
    uint8_t lines = 0;

    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    lines |= (u->mcr & MCR_RTS) ? MSR_CTS : 0;
    lines |= (u->mcr & MCR_DTR) ? MSR_DSR : 0;
    lines |= (u->mcr & MCR_OUT1) ? MSR_RI : 0;
    lines |= (u->mcr & MCR_OUT2) ? MSR_DCD : 0;
    return lines;
}

/* The delta bits: RI counts only its end (section 8.8, bit 2). */
static void uart_write_mcr(struct uart16550 *u, uint8_t value)
{
    uint8_t before = u->msr, now, changed;

    u->mcr = value & MCR_MASK;
    now = uart_modem_lines(u);
    changed = (uint8_t)((before ^ now) >> 4);
    if (now & MSR_RI)
        changed &= (uint8_t)~MSR_TERI;
    u->msr = now | (before & MSR_DELTA) | changed;
}

static uint8_t uart_read_iir(struct uart16550 *u)
{
    uint8_t id = uart_pending(u);

    if (id == UART_IIR_THRE)
        u->thre_pending = 0;
    return id | (uart_fifos(u) ? UART_IIR_FIFOS : 0);
}

static uint8_t uart_read_lsr(struct uart16550 *u)
{
    uint8_t value = LSR_THRE | LSR_TEMT | u->lsr_errors;

    u->lsr_errors = 0;
    return value | (u->rx_count ? LSR_DR : 0);
}

static uint8_t uart_read_register(struct uart16550 *u, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case REG_DATA:
        return (u->lcr & LCR_DLAB) ? u->dll : uart_read_data(u);
    case REG_IER:
        return (u->lcr & LCR_DLAB) ? u->dlm : u->ier;
    case REG_IIR_FCR:
        return uart_read_iir(u);
    case REG_LCR:
        return u->lcr;
    case REG_MCR:
        return u->mcr;
    case REG_LSR:
        return uart_read_lsr(u);
    case REG_MSR:
        value = u->msr;
        u->msr &= (uint8_t)~MSR_DELTA;
        return value;
    default:
        return u->scr;
    }
}

static void uart_write_lcr(struct uart16550 *u, uint8_t value)
{
    bool break_begins = (value & ~u->lcr) & LCR_BREAK;

    u->lcr = value;
    /* A break sent in loopback comes back: a zero character with BI set. */
    if (break_begins && (u->mcr & MCR_LOOP)) {
        uart_shift_in(u, 0);
        u->lsr_errors |= LSR_BI;
        uart_restart_timeout(u);
    }
}

static uint32_t uart_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct uart16550 *u = dev;
    uint8_t value = uart_read_register(u, offset & 7);

    (void)size_bytes;
    uart_update(u);
    return value;
}

static void uart_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value32)
{
    struct uart16550 *u = dev;
    uint8_t value = (uint8_t)value32;

    (void)size_bytes;
    switch (offset & 7) {
    case REG_DATA:
        if (u->lcr & LCR_DLAB)
            u->dll = value;
        else
            uart_write_data(u, value);
        break;
    case REG_IER:
        if (u->lcr & LCR_DLAB)
            u->dlm = value;
        else
            uart_write_ier(u, value);
        break;
    case REG_IIR_FCR:
        uart_write_fcr(u, value);
        break;
    case REG_LCR:
        uart_write_lcr(u, value);
        break;
    case REG_MCR:
        uart_write_mcr(u, value);
        break;
    case REG_SCR:
        u->scr = value;
        break;
    default: /* LSR is for factory tests only, MSR is read-only */
        break;
    }
    uart_update(u);
}

static const struct sim_port_ops uart_ports = {uart_read, uart_write, 1};

size_t uart16550_room(const struct uart16550 *u)
{
    return (u->mcr & MCR_LOOP) ? 0 : uart_capacity(u) - u->rx_count;
}

size_t uart16550_receive(struct uart16550 *u, const uint8_t *data, size_t size_bytes)
{
    size_t count = MIN(size_bytes, uart16550_room(u));

    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        uart_shift_in(u, data[i]);
    uart_restart_timeout(u);
    uart_update(u);
    return count;
}

/* Table III: what master reset does.  SCR and the divisor latch keep their values on the
 * chip; here they get fixed ones (9600 baud). */
static void uart_reset(void *dev)
{
    struct uart16550 *u = dev;

    u->ier = u->fcr = u->lcr = u->mcr = u->scr = 0;
    u->msr = MSR_CTS | MSR_DSR | MSR_DCD;
    u->lsr_errors = 0;
    u->dll = 12;
    u->dlm = 0;
    u->thre_pending = 0;
    u->rx_count = 0;
    memset(u->rx, 0, sizeof(u->rx));
    uart_restart_timeout(u);
    uart_update(u);
}

struct uart16550 *uart16550_new(const struct sim_services *sv, uint16_t base, unsigned isa_irq,
                                void (*tx)(void *user, uint8_t byte), void *tx_user)
{
    struct uart16550 *u = g_new0(struct uart16550, 1);

    u->sv = sv;
    u->irq = sv->isa_irq(sv->machine, isa_irq);
    u->tx = tx;
    u->tx_user = tx_user;
    sim_event_register(sv->timeline, &u->timeout, "16550A character timeout", uart_timeout, u);
    sim_bus_claim_ports(sv->bus, base, 8, &uart_ports, u);
    uart_reset(u);
    return u;
}

static void uart_state(void *dev, struct base_state *st)
{
    struct uart16550 *u = dev;

    base_state_tag(st, "uart16550");
    BASE_STATE(st, u->ier);
    BASE_STATE(st, u->fcr);
    BASE_STATE(st, u->lcr);
    BASE_STATE(st, u->mcr);
    BASE_STATE(st, u->msr);
    BASE_STATE(st, u->scr);
    BASE_STATE(st, u->lsr_errors);
    BASE_STATE(st, u->dll);
    BASE_STATE(st, u->dlm);
    BASE_STATE(st, u->thre_pending);
    BASE_STATE(st, u->timed_out);
    BASE_STATE(st, u->level);
    BASE_STATE(st, u->rx_count);
    BASE_STATE(st, u->rx);
    if (u->rx_count > UART_FIFO) {
        st->bad = true;
        u->rx_count = 0;
    }
}

void uart16550_device(struct uart16550 *u, struct sim_device *out)
{
    *out = (struct sim_device){"16550A", u, uart_reset, uart_state, g_free};
}
