/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8042 without keyboard and mouse.
 *
 * The output buffer holds at most one byte.  A byte for a device that is not there is
 * answered after UNPLUGGED_NS, when the controller has given up waiting for the clock of
 * the line; a byte or command written in the meantime replaces what is under way.
 */
#include "sim/dev/i8042.h"

#include <glib.h>

#define KBC_RESEND    0xfe     /* what a controller puts into the buffer with a timeout */
#define UNPLUGGED_NS  15000000 /* a transmission begins within 15 ms or has failed */
#define KBC_SELF_TEST 0x55
#define KBC_IRQ       1
#define KBC_IRQ_AUX   12
#define KBC_RAM       32 /* command byte and 31 bytes more */

enum {
    ST_FULL = 1,
    ST_SYSTEM = 4,
    ST_COMMAND = 8,
    ST_UNLOCKED = 0x10,
    ST_AUX = 0x20,
    ST_TIMEOUT = 0x40
};
enum {
    CB_IRQ = 1,
    CB_IRQ_AUX = 2,
    CB_SYSTEM = 4,
    CB_DISABLE = 0x10,
    CB_DISABLE_AUX = 0x20,
    CB_TRANSLATE = 0x40
};
enum { OP_NO_RESET = 1, OP_A20 = 2, OP_FULL = 0x10, OP_FULL_AUX = 0x20 };
enum { PORT92_RESET = 1, PORT92_A20 = 2, PORT92_WRITABLE = 0xfa };

/* Which command waits for its parameter at 0x60; 0: none, a byte goes to the keyboard. */
enum {
    CMD_READ_RAM = 0x20,
    CMD_WRITE_RAM = 0x60,
    CMD_DISABLE_AUX = 0xa7,
    CMD_ENABLE_AUX = 0xa8,
    CMD_TEST_AUX = 0xa9,
    CMD_SELF_TEST = 0xaa,
    CMD_TEST_KEYBOARD = 0xab,
    CMD_DISABLE_KEYBOARD = 0xad,
    CMD_ENABLE_KEYBOARD = 0xae,
    CMD_READ_INPUT_PORT = 0xc0,
    CMD_READ_OUTPUT_PORT = 0xd0,
    CMD_WRITE_OUTPUT_PORT = 0xd1,
    CMD_ECHO_KEYBOARD = 0xd2,
    CMD_ECHO_AUX = 0xd3,
    CMD_WRITE_AUX = 0xd4,
    CMD_PULSE = 0xf0,
};

struct i8042 {
    const struct sim_services *sv;
    struct sim_irq irq, irq_aux;
    struct sim_event unplugged;
    uint8_t ram[KBC_RAM]; /* ram[0] is the command byte */
    uint8_t status;       /* ST_COMMAND and, with a byte in the buffer, the bits that go with it */
    uint8_t out;          /* output buffer */
    uint8_t output_port;  /* OP_NO_RESET, OP_A20 */
    uint8_t waiting;      /* command that waits for its parameter */
    uint8_t under_way;    /* 0, or the status bits of the answer that unplugged will give */
    uint8_t port_92, post;
};

static void kbc_update(struct i8042 *k)
{
    bool full = k->status & ST_FULL, aux = k->status & ST_AUX;

    sim_irq_set(&k->irq, full && !aux && (k->ram[0] & CB_IRQ));
    sim_irq_set(&k->irq_aux, full && aux && (k->ram[0] & CB_IRQ_AUX));
}

/* Put @byte into the output buffer; @flags are ST_AUX, ST_TIMEOUT or neither. */
static void kbc_answer(struct i8042 *k, uint8_t byte, uint8_t flags)
{
    k->out = byte;
    k->status = (k->status & (uint8_t) ~(ST_AUX | ST_TIMEOUT)) | ST_FULL | flags;
}

static void kbc_unplugged(void *user, uint64_t due_ns)
{
    struct i8042 *k = user;

    (void)due_ns;
    kbc_answer(k, KBC_RESEND, k->under_way);
    k->under_way = 0;
    kbc_update(k);
}

/* Sending enables the interface (PS/2 Technical Reference, command byte bits 4 and 5). */
static void kbc_send(struct i8042 *k, bool aux)
{
    k->ram[0] &= (uint8_t) ~(aux ? CB_DISABLE_AUX : CB_DISABLE);
    k->under_way = ST_TIMEOUT | (aux ? ST_AUX : 0);
    sim_event_arm(k->sv->timeline, &k->unplugged,
                  sim_timeline_now_ns(k->sv->timeline) + UNPLUGGED_NS);
}

static void kbc_end_reset(struct i8042 *k)
{
    k->sv->end(k->sv->machine, SIM_END_RESET, 0);
}

static void kbc_write_output_port(struct i8042 *k, uint8_t value)
{
    k->output_port = value & (OP_NO_RESET | OP_A20);
    if (!(value & OP_NO_RESET))
        kbc_end_reset(k);
}

static uint8_t kbc_read_output_port(const struct i8042 *k)
{
    uint8_t value = k->output_port;

    if (k->status & ST_FULL)
        value |= (k->status & ST_AUX) ? OP_FULL_AUX : OP_FULL;
    return value | 0xc0; /* the lines to the keyboard idle high */
}

/* Commands that take a byte at 0x60 next. */
static bool kbc_takes_parameter(uint8_t command)
{
    return (command >= CMD_WRITE_RAM && command < CMD_WRITE_RAM + KBC_RAM) ||
           (command >= CMD_WRITE_OUTPUT_PORT && command <= CMD_WRITE_AUX);
}

static void kbc_command(struct i8042 *k, uint8_t command)
{
    k->waiting = kbc_takes_parameter(command) ? command : 0;
    if (command >= CMD_READ_RAM && command < CMD_READ_RAM + KBC_RAM)
        kbc_answer(k, k->ram[command - CMD_READ_RAM], 0);
    if (command >= CMD_PULSE && !(command & OP_NO_RESET))
        kbc_end_reset(k); /* bit 0 low: line 0 of the output port is pulsed */
    switch (command) {
    case CMD_DISABLE_AUX:
        k->ram[0] |= CB_DISABLE_AUX;
        break;
    case CMD_ENABLE_AUX:
        k->ram[0] &= (uint8_t)~CB_DISABLE_AUX;
        break;
    case CMD_DISABLE_KEYBOARD:
        k->ram[0] |= CB_DISABLE;
        break;
    case CMD_ENABLE_KEYBOARD:
        k->ram[0] &= (uint8_t)~CB_DISABLE;
        break;
    case CMD_SELF_TEST:
        k->ram[0] = CB_TRANSLATE | CB_DISABLE_AUX | CB_DISABLE | CB_SYSTEM;
        kbc_answer(k, KBC_SELF_TEST, 0);
        break;
    case CMD_TEST_AUX:
    case CMD_TEST_KEYBOARD:
        kbc_answer(k, 0, 0); /* the lines are good; whether anything is on them is no part of it */
        break;
    case CMD_READ_INPUT_PORT:
        kbc_answer(k, 0x80, 0); /* keyboard not locked */
        break;
    case CMD_READ_OUTPUT_PORT:
        kbc_answer(k, kbc_read_output_port(k), 0);
        break;
    default:
        break;
    }
}

static void kbc_parameter(struct i8042 *k, uint8_t command, uint8_t value)
{
    switch (command) {
    case 0:
        kbc_send(k, false);
        break;
    case CMD_WRITE_AUX:
        kbc_send(k, true);
        break;
    case CMD_WRITE_OUTPUT_PORT:
        kbc_write_output_port(k, value);
        break;
    case CMD_ECHO_KEYBOARD:
        kbc_answer(k, value, 0);
        break;
    case CMD_ECHO_AUX:
        kbc_answer(k, value, ST_AUX);
        break;
    default:
        k->ram[(command - CMD_WRITE_RAM) & (KBC_RAM - 1)] = value;
        break;
    }
}

static uint32_t kbc_read_data(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    k->status &= (uint8_t) ~(ST_FULL | ST_AUX | ST_TIMEOUT);
    kbc_update(k);
    return k->out;
}

static void kbc_drop_transmission(struct i8042 *k)
{
    k->under_way = 0;
    sim_event_cancel(k->sv->timeline, &k->unplugged);
}

static void kbc_write_data(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8042 *k = dev;
    uint8_t command = k->waiting;

    (void)offset;
    (void)size_bytes;
    k->waiting = 0;
    k->status &= (uint8_t)~ST_COMMAND;
    kbc_drop_transmission(k);
    kbc_parameter(k, command, (uint8_t)value);
    kbc_update(k);
}

static uint32_t kbc_read_status(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    return k->status | ST_UNLOCKED | ((k->ram[0] & CB_SYSTEM) ? ST_SYSTEM : 0);
}

static void kbc_write_command(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    k->status |= ST_COMMAND;
    kbc_drop_transmission(k);
    kbc_command(k, (uint8_t)value);
    kbc_update(k);
}

static uint32_t port_92_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    return k->port_92 | ((k->output_port & OP_A20) ? PORT92_A20 : 0);
}

/* A20 is one line with two handles; the reset bit acts when it goes from 0 to 1. */
static void port_92_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8042 *k = dev;
    bool rises = (value & ~k->port_92) & PORT92_RESET;

    (void)offset;
    (void)size_bytes;
    k->port_92 = value & (PORT92_WRITABLE & ~PORT92_A20);
    k->port_92 |= value & PORT92_RESET;
    k->output_port = (k->output_port & (uint8_t)~OP_A20) | ((value & PORT92_A20) ? OP_A20 : 0);
    if (rises)
        kbc_end_reset(k);
}

static uint32_t post_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    return k->post;
}

static void post_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct i8042 *k = dev;

    (void)offset;
    (void)size_bytes;
    k->post = (uint8_t)value;
}

static const struct sim_port_ops data_ports = {kbc_read_data, kbc_write_data, 1};
static const struct sim_port_ops command_ports = {kbc_read_status, kbc_write_command, 1};
static const struct sim_port_ops port_92_ports = {port_92_read, port_92_write, 1};
static const struct sim_port_ops post_ports = {post_read, post_write, 1};

/* As firmware leaves it: tested, translating, interfaces off, A20 on. */
static void i8042_reset(void *dev)
{
    struct i8042 *k = dev;

    for (unsigned i = 0; i < KBC_RAM; i++)
        k->ram[i] = 0;
    k->ram[0] = CB_TRANSLATE | CB_DISABLE_AUX | CB_DISABLE | CB_SYSTEM;
    k->status = k->out = k->waiting = k->port_92 = k->post = 0;
    k->output_port = OP_NO_RESET | OP_A20;
    kbc_drop_transmission(k);
    kbc_update(k);
}

struct i8042 *i8042_new(const struct sim_services *sv)
{
    struct i8042 *k = g_new0(struct i8042, 1);

    k->sv = sv;
    k->irq = sv->isa_irq(sv->machine, KBC_IRQ);
    k->irq_aux = sv->isa_irq(sv->machine, KBC_IRQ_AUX);
    sim_event_register(sv->timeline, &k->unplugged, "8042 timeout", kbc_unplugged, k);
    sim_bus_claim_ports(sv->bus, 0x60, 1, &data_ports, k);
    sim_bus_claim_ports(sv->bus, 0x64, 1, &command_ports, k);
    sim_bus_claim_ports(sv->bus, 0x92, 1, &port_92_ports, k);
    sim_bus_claim_ports(sv->bus, 0x80, 1, &post_ports, k);
    i8042_reset(k);
    return k;
}

static void i8042_state(void *dev, struct base_state *st)
{
    struct i8042 *k = dev;

    base_state_tag(st, "i8042");
    BASE_STATE(st, k->ram);
    BASE_STATE(st, k->status);
    BASE_STATE(st, k->out);
    BASE_STATE(st, k->output_port);
    BASE_STATE(st, k->waiting);
    BASE_STATE(st, k->under_way);
    BASE_STATE(st, k->port_92);
    BASE_STATE(st, k->post);
}

void i8042_device(struct i8042 *k, struct sim_device *out)
{
    *out = (struct sim_device){"8042", k, i8042_reset, i8042_state, g_free};
}
