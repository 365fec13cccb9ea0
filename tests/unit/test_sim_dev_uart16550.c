/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/dev/uart16550.h"
#include "tests/unit/fake_services.h"

#define COM  0x3f8
#define LINE 4

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct fake f;
static struct uart16550 *u;
static struct sim_device dev;

static void setup(void)
{
    fake_init(&f);
    u = uart16550_new(&f.sv, COM, LINE, fake_tx, &f);
    uart16550_device(u, &dev);
}

static void teardown(void)
{
    dev.free(dev.dev);
    fake_fini(&f);
}

TestSuite(uart16550, .init = setup, .fini = teardown);

static uint8_t in(unsigned reg)
{
    return (uint8_t)fake_in(&f, (uint16_t)(COM + reg));
}

static void out(unsigned reg, uint8_t value)
{
    fake_out(&f, (uint16_t)(COM + reg), value);
}

static size_t receive(const char *text)
{
    return uart16550_receive(u, (const uint8_t *)text, strlen(text));
}

Test(uart16550, registers_read_back_their_writable_bits)
{
    static const struct {
        unsigned reg;
        uint8_t mask;
    } reg[] = {{IER, 0x0f}, {LCR, 0x7f}, {MCR, 0x1f}, {SCR, 0xff}};

    for (unsigned i = 0; i < G_N_ELEMENTS(reg); i++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t value = (uint8_t)(reg[i].reg == LCR ? v & 0x7f : v);

            out(reg[i].reg, value);
            cr_assert_eq(in(reg[i].reg), value & reg[i].mask, "register %u, value %#x", reg[i].reg,
                         value);
        }
    }
}

Test(uart16550, divisor_latch_hides_data_and_ier)
{
    out(IER, 5);
    out(LCR, 0x83);
    out(DATA, 0x34);
    out(IER, 0x12);
    cr_assert_eq(in(DATA), 0x34);
    cr_assert_eq(in(IER), 0x12);
    out(LCR, 3);
    cr_assert_eq(in(IER), 5);
    cr_assert_eq(f.sent_count, 0);
}

Test(uart16550, bytes_written_are_sent_in_order_and_the_transmitter_is_empty)
{
    out(DATA, 'a');
    out(DATA, 'b');
    cr_assert_eq(f.sent_count, 2);
    cr_assert_eq(f.sent[0], 'a');
    cr_assert_eq(f.sent[1], 'b');
    cr_assert_eq(in(LSR), 0x60);
}

Test(uart16550, iir_shows_fifos_only_when_they_are_on)
{
    cr_assert_eq(in(IIR), 0x01);
    out(IIR, 1);
    cr_assert_eq(in(IIR), 0xc1);
    out(IIR, 0xc6);
    cr_assert_eq(in(IIR), 0x01);
}

Test(uart16550, loopback_routes_modem_outputs_to_inputs)
{
    static const uint8_t expect[16] = {0x00, 0x20, 0x10, 0x30, 0x40, 0x60, 0x50, 0x70,
                                       0x80, 0xa0, 0x90, 0xb0, 0xc0, 0xe0, 0xd0, 0xf0};

    cr_assert_eq(in(MSR), 0xb0);
    for (unsigned i = 0; i < 16; i++) {
        out(MCR, (uint8_t)(0x10 | i));
        cr_assert_eq(in(MSR)&0xf0, expect[i], "MCR %#x", 0x10 | i);
    }
    out(MCR, 0);
    cr_assert_eq(in(MSR)&0xf0, 0xb0);
}

Test(uart16550, modem_deltas_latch_until_read_and_ring_counts_its_end)
{
    in(MSR);
    out(MCR, 0x10); /* all inputs fall: CTS, DSR, DCD change */
    cr_assert_eq(in(MSR), 0x0b);
    cr_assert_eq(in(MSR), 0x00);
    out(MCR, 0x14); /* ring begins */
    cr_assert_eq(in(MSR), 0x40);
    out(MCR, 0x10); /* and ends */
    cr_assert_eq(in(MSR), 0x04);
}

Test(uart16550, loopback_returns_data_and_sends_nothing)
{
    out(MCR, 0x10);
    out(DATA, 0x5a);
    cr_assert_eq(in(LSR), 0x61);
    cr_assert_eq(in(DATA), 0x5a);
    cr_assert_eq(in(LSR), 0x60);
    cr_assert_eq(f.sent_count, 0);
}

Test(uart16550, loopback_overruns_without_fifo_keep_the_new_byte_with_fifo_the_old)
{
    out(MCR, 0x10);
    out(DATA, 1);
    out(DATA, 2);
    cr_assert_eq(in(LSR), 0x63);
    cr_assert_eq(in(LSR), 0x61, "reading clears the error");
    cr_assert_eq(in(DATA), 2);
    out(IIR, 1);
    for (uint8_t i = 0; i < 17; i++)
        out(DATA, i);
    cr_assert_eq(in(LSR), 0x63);
    for (uint8_t i = 0; i < 16; i++)
        cr_assert_eq(in(DATA), i);
    cr_assert_eq(in(LSR), 0x60);
}

Test(uart16550, receive_refuses_what_does_not_fit)
{
    cr_assert_eq(uart16550_room(u), 1);
    cr_assert_eq(receive("xy"), 1);
    cr_assert_eq(uart16550_room(u), 0);
    cr_assert_eq(receive("y"), 0);
    cr_assert_eq(in(DATA), 'x');
    out(IIR, 1);
    cr_assert_eq(uart16550_room(u), 16);
    cr_assert_eq(receive("0123456789abcdefXYZ"), 16);
    for (unsigned i = 0; i < 16; i++)
        cr_assert_eq(in(DATA), "0123456789abcdef"[i]);
    cr_assert_eq(in(LSR), 0x60, "no overrun was reported");
    out(MCR, 0x10);
    cr_assert_eq(uart16550_room(u), 0, "in loopback the line is cut");
}

Test(uart16550, line_is_level_until_the_byte_is_read)
{
    out(MCR, 0x08);
    out(IER, 1);
    cr_assert_not(f.line[LINE]);
    receive("k");
    cr_assert(f.line[LINE]);
    cr_assert_eq(in(IIR), 0x04);
    cr_assert(f.line[LINE], "identification does not acknowledge");
    in(DATA);
    cr_assert_not(f.line[LINE]);
    receive("l");
    cr_assert_eq(f.rises[LINE], 2);
}

Test(uart16550, out2_gates_the_line)
{
    out(IER, 1);
    receive("k");
    cr_assert_not(f.line[LINE]);
    out(MCR, 0x08);
    cr_assert(f.line[LINE]);
    out(MCR, 0x00);
    cr_assert_not(f.line[LINE]);
}

Test(uart16550, thre_interrupt_comes_on_enable_and_after_each_write_and_goes_on_iir_read)
{
    out(MCR, 0x08);
    out(IER, 2);
    cr_assert(f.line[LINE]);
    cr_assert_eq(in(IIR), 0x02);
    cr_assert_not(f.line[LINE]);
    cr_assert_eq(in(IIR), 0x01);
    out(DATA, 'a');
    cr_assert(f.line[LINE]);
    out(DATA, 'b');
    cr_assert_eq(f.rises[LINE], 3, "a write is an edge even while the interrupt waits");
    out(IER, 0);
    cr_assert_not(f.line[LINE]);
    out(IER, 2);
    cr_assert(f.line[LINE]);
}

Test(uart16550, priorities_are_line_status_data_transmitter_modem)
{
    out(MCR, 0x10);
    in(MSR);
    out(IER, 0x0f);
    out(DATA, 1);
    out(DATA, 2);
    out(MCR, 0x11);
    cr_assert_eq(in(IIR), 0x06);
    in(LSR);
    cr_assert_eq(in(IIR), 0x04);
    in(DATA);
    cr_assert_eq(in(IIR), 0x02);
    cr_assert_eq(in(IIR), 0x00);
    in(MSR);
    cr_assert_eq(in(IIR), 0x01);
}

Test(uart16550, fifo_interrupts_at_its_trigger_level)
{
    static const unsigned level[4] = {1, 4, 8, 14};

    out(MCR, 0x08);
    out(IER, 1);
    for (unsigned i = 0; i < 4; i++) {
        out(IIR, (uint8_t)(0x03 | i << 6));
        for (unsigned n = 1; n <= 16; n++) {
            receive("k");
            cr_assert_eq(f.line[LINE], n >= level[i], "trigger %u, %u bytes", level[i], n);
        }
        for (unsigned n = 15; n < 16; n--) {
            in(DATA);
            cr_assert_eq(f.line[LINE], n >= level[i], "trigger %u, %u bytes left", level[i], n);
        }
    }
}

Test(uart16550, bytes_below_the_trigger_time_out_after_four_characters)
{
    /* 115200 8N1: a character is 10 bits of 8680.5 ns. */
    out(LCR, 0x83);
    out(DATA, 1);
    out(IER, 0);
    out(LCR, 3);
    out(MCR, 0x08);
    out(IER, 1);
    out(IIR, 0xc1);
    receive("k");
    fake_run(&f, 347221);
    cr_assert_not(f.line[LINE]);
    fake_run(&f, 1);
    cr_assert(f.line[LINE]);
    cr_assert_eq(in(IIR), 0xcc);
    in(DATA);
    cr_assert_eq(in(IIR), 0xc1);
    cr_assert_not(f.line[LINE]);
    fake_run(&f, 1000000);
    cr_assert_not(f.line[LINE], "nothing left, nothing to time out");
}

Test(uart16550, clearing_the_fifo_drops_its_bytes)
{
    out(IIR, 1);
    receive("abc");
    out(IIR, 0x03);
    cr_assert_eq(in(LSR), 0x60);
    receive("abc");
    out(IIR, 0x00);
    cr_assert_eq(in(LSR), 0x60, "turning FIFOs off empties them");
}

Test(uart16550, reset_leaves_the_line_low_and_registers_clear)
{
    out(MCR, 0x08);
    out(IER, 3);
    receive("k");
    dev.reset(dev.dev);
    cr_assert_not(f.line[LINE]);
    cr_assert_eq(in(IER), 0);
    cr_assert_eq(in(LSR), 0x60);
    cr_assert_eq(sim_timeline_next_ns(f.sv.timeline), SIM_TIME_NEVER);
}

Test(uart16550, state_moves_to_another_chip)
{
    struct uart16550 *other = uart16550_new(&f.sv, 0x2f8, 3, NULL, NULL);
    struct sim_device other_dev;

    uart16550_device(other, &other_dev);
    out(IIR, 0xc1);
    out(MCR, 0x0b);
    receive("abc");
    cr_assert(fake_state_moves(&dev, &other_dev));
    cr_assert_eq(fake_in(&f, 0x2f8), 'a');
    other_dev.free(other_dev.dev);
}
