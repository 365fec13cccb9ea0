/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/dev/pci_host.h"
#include "tests/unit/fake_services.h"

#define INTX 16 /* fake lines 16 to 19 */

/* A device with a memory BAR, a 64-bit memory BAR and a port BAR; reads tell who answered. */
struct card {
    struct pci_function fn;
    uint8_t tag;
    uint32_t last_port_write;
    unsigned last_port_size;
    unsigned written_at, written_count;
};

static uint64_t card_mmio_read(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes)
{
    const struct card *c = dev;

    (void)vcpu;
    (void)size_bytes;
    return c->tag + offset;
}

static void card_mmio_write(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes,
                            uint64_t value)
{
    (void)dev;
    (void)vcpu;
    (void)offset;
    (void)size_bytes;
    (void)value;
}

static uint32_t card_port_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct card *c = dev;

    return c->tag + offset + (size_bytes << 8);
}

static void card_port_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct card *c = dev;

    (void)offset;
    c->last_port_write = value;
    c->last_port_size = size_bytes;
}

static void card_written(void *dev, unsigned offset, unsigned size_bytes)
{
    struct card *c = dev;

    (void)size_bytes;
    c->written_at = offset;
    c->written_count++;
}

static const struct sim_mmio_ops card_mmio = {card_mmio_read, card_mmio_write, 4};
static const struct sim_port_ops card_ports = {card_port_read, card_port_write, 2};

static struct fake f;
static struct pci_host *host;
static struct acpipm *pm;
static struct sim_device dev, pm_dev;
static struct card card[2];

static void card_init(struct card *c, uint8_t tag, uint8_t pin)
{
    static const uint8_t id[4] = {0xf4, 0x1a, 0x00, 0x11};

    *c = (struct card){.tag = tag};
    c->fn.name = "card";
    c->fn.dev = c;
    memcpy(c->fn.config_reset, id, 4);
    c->fn.writable[4] = 7;
    c->fn.writable[5] = 4;
    c->fn.write_one_clear[7] = 0xf9;
    c->fn.config_reset[7] = 0x80;
    c->fn.interrupt_pin = pin;
    c->fn.config_written = card_written;
    c->fn.bar[0] = (struct pci_bar){.kind = PCI_BAR_MEMORY, .size_bytes = 8192, .mmio = &card_mmio};
    c->fn.bar[1] = (struct pci_bar){
        .kind = PCI_BAR_MEMORY_64, .size_bytes = 4096, .prefetchable = true, .mmio = &card_mmio};
    c->fn.bar[3] = (struct pci_bar){.kind = PCI_BAR_PORTS, .size_bytes = 32, .ports = &card_ports};
}

static void setup(void)
{
    struct sim_irq intx[PCI_INTX_LINES];

    fake_init(&f);
    for (unsigned i = 0; i < PCI_INTX_LINES; i++)
        intx[i] = fake_irq(&f, INTX + i);
    pm = acpipm_new(&f.sv);
    acpipm_device(pm, &pm_dev);
    host = pci_host_new(&f.sv, intx, pm);
    pci_host_device(host, &dev);
    card_init(&card[0], 0x10, 1);
    card_init(&card[1], 0x20, 4);
    pci_host_attach(host, &card[0].fn, 3, 0);
    pci_host_attach(host, &card[1].fn, 4, 1);
}

static void teardown(void)
{
    dev.free(dev.dev);
    pm_dev.free(pm_dev.dev);
    fake_fini(&f);
}

TestSuite(pci_host, .init = setup, .fini = teardown);

static void select_config(unsigned slot, unsigned function, unsigned at)
{
    sim_bus_port_write(f.sv.bus, 0xcf8, 4, 0x80000000u | slot << 11 | function << 8 | (at & 0xfc));
}

static uint32_t config(unsigned slot, unsigned function, unsigned at, unsigned size_bytes)
{
    select_config(slot, function, at);
    return sim_bus_port_read(f.sv.bus, (uint16_t)(0xcfc + (at & 3)), size_bytes);
}

static void set_config(unsigned slot, unsigned function, unsigned at, unsigned size_bytes,
                       uint32_t value)
{
    select_config(slot, function, at);
    sim_bus_port_write(f.sv.bus, (uint16_t)(0xcfc + (at & 3)), size_bytes, value);
}

static uint64_t mmio(uint64_t at)
{
    return sim_bus_mmio_read(f.sv.bus, 0, GPA(at), 4);
}

Test(pci_host, host_bridge_answers_in_every_width)
{
    cr_assert_eq(config(0, 0, 0, 4), 0x12378086);
    cr_assert_eq(config(0, 0, 2, 2), 0x1237);
    cr_assert_eq(config(0, 0, 1, 1), 0x80);
    cr_assert_eq(config(0, 0, 8, 4), 0x06000002);
    cr_assert_eq(config(0, 0, 0x3d, 1), 0);
}

Test(pci_host, absent_functions_and_buses_read_all_ones)
{
    cr_assert_eq(config(1, 0, 0, 4), 0xffffffff);
    cr_assert_eq(config(3, 1, 0, 2), 0xffff);
    sim_bus_port_write(f.sv.bus, 0xcf8, 4, 0x80010000);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcfc, 4), 0xffffffff);
    sim_bus_port_write(f.sv.bus, 0xcf8, 4, 0);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcfc, 4), 0xffffffff, "not enabled");
}

Test(pci_host, address_register_takes_dwords_only)
{
    sim_bus_port_write(f.sv.bus, 0xcf8, 4, 0xffffffff);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcf8, 4), 0x80fffffc);
    sim_bus_port_write(f.sv.bus, 0xcf8, 2, 0);
    sim_bus_port_write(f.sv.bus, 0xcfb, 1, 0);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcf8, 4), 0x80fffffc);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcf8, 1), 0xff);
}

Test(pci_host, reset_control_lies_in_the_address_register_as_a_byte)
{
    select_config(0, 0, 0);
    fake_out(&f, 0xcf9, 2);
    cr_assert_eq(fake_in(&f, 0xcf9), 2);
    cr_assert_eq(f.ends, 0);
    fake_out(&f, 0xcf9, 6);
    cr_assert_eq(f.end_why, SIM_END_RESET);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xcf8, 4), 0x80000000);
}

Test(pci_host, read_only_bits_stay_and_status_bits_clear_by_ones)
{
    set_config(3, 0, 0, 4, 0);
    cr_assert_eq(config(3, 0, 0, 4), 0x11001af4);
    set_config(3, 0, 4, 4, 0xffffffff);
    cr_assert_eq(config(3, 0, 4, 4), 0x00000407);
    cr_assert_eq(card[0].written_at, 4);
    cr_assert_eq(card[0].written_count, 2);
}

Test(pci_host, bars_tell_their_size_and_kind)
{
    set_config(3, 0, 0x10, 4, 0xffffffff);
    cr_assert_eq(config(3, 0, 0x10, 4), 0xffffe000);
    set_config(3, 0, 0x14, 4, 0xffffffff);
    set_config(3, 0, 0x18, 4, 0xffffffff);
    cr_assert_eq(config(3, 0, 0x14, 4), 0xfffff00c);
    cr_assert_eq(config(3, 0, 0x18, 4), 0xffffffff);
    set_config(3, 0, 0x1c, 4, 0xffffffff);
    cr_assert_eq(config(3, 0, 0x1c, 4), 0xffffffe1);
    set_config(3, 0, 0x20, 4, 0xffffffff);
    cr_assert_eq(config(3, 0, 0x20, 4), 0);
}

Test(pci_host, memory_bar_decodes_where_it_is_put_while_enabled)
{
    set_config(3, 0, 0x10, 4, 0xd0000000);
    cr_assert_eq(mmio(0xd0000004), 0xffffffff);
    set_config(3, 0, 4, 2, 2);
    cr_assert_eq(mmio(0xd0000004), 0x14);
    set_config(3, 0, 0x10, 4, 0xd0010000);
    cr_assert_eq(mmio(0xd0000004), 0xffffffff);
    cr_assert_eq(mmio(0xd0011004), 0x1014);
    set_config(3, 0, 4, 2, 0);
    cr_assert_eq(mmio(0xd0011004), 0xffffffff);
}

Test(pci_host, bars_outside_the_window_decode_nothing)
{
    static const uint32_t bad[] = {0, 0x1000, 0xbfffe000, 0xfec00000, 0xfee00000, 0xffffe000};

    set_config(3, 0, 4, 2, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        set_config(3, 0, 0x10, 4, bad[i]);
        cr_assert_eq(mmio(bad[i]), 0xffffffff, "at %#x", bad[i]);
    }
    set_config(3, 0, 0x14, 4, 0xd0000000);
    set_config(3, 0, 0x18, 4, 1);
    cr_assert_eq(mmio(0xd0000000), 0xffffffff, "a 64-bit one above 4 GiB");
    set_config(3, 0, 0x18, 4, 0);
    cr_assert_eq(mmio(0xd0000000), 0x10);
}

Test(pci_host, of_overlapping_bars_the_first_function_answers)
{
    set_config(4, 1, 0x10, 4, 0xd0000000);
    set_config(4, 1, 4, 2, 2);
    cr_assert_eq(mmio(0xd0000000), 0x20);
    set_config(3, 0, 0x10, 4, 0xd0000000);
    set_config(3, 0, 4, 2, 2);
    cr_assert_eq(mmio(0xd0000000), 0x10);
    set_config(3, 0, 0x10, 4, 0xd0002000);
    cr_assert_eq(mmio(0xd0000000), 0x20);
    cr_assert_eq(mmio(0xd0002000), 0x10);
}

Test(pci_host, port_bar_decodes_and_splits_wide_accesses)
{
    set_config(3, 0, 0x1c, 4, 0xc100);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xc100, 2), 0xffff);
    set_config(3, 0, 4, 2, 1);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xc104, 2), 0x214);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xc104, 4), 0x02160214);
    sim_bus_port_write(f.sv.bus, 0xc104, 4, 0x11223344);
    cr_assert_eq(card[0].last_port_write, 0x1122);
    cr_assert_eq(card[0].last_port_size, 2);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0xc11f, 2) >> 8, 0xff, "past its end");
    set_config(3, 0, 0x1c, 4, 0x3f8);
    cr_assert_eq(sim_bus_port_read(f.sv.bus, 0x3f8, 1), 0xff, "outside the window");
}

Test(pci_host, pins_go_to_their_lines_and_are_shared)
{
    /* Slot 3 INTA# and slot 4 INTD# are both line 3. */
    pci_function_set_intx(&card[0].fn, true);
    cr_assert(f.line[INTX + 3]);
    cr_assert_eq(config(3, 0, 6, 2) & 8, 8, "interrupt status");
    pci_function_set_intx(&card[1].fn, true);
    pci_function_set_intx(&card[0].fn, false);
    cr_assert(f.line[INTX + 3]);
    set_config(4, 1, 4, 2, 0x400);
    cr_assert_not(f.line[INTX + 3], "interrupt disable");
    set_config(4, 1, 4, 2, 0);
    cr_assert(f.line[INTX + 3]);
    dev.reset(dev.dev);
    cr_assert_not(f.line[INTX + 3]);
}

Test(pci_host, interrupt_registers_show_pin_and_keep_line)
{
    cr_assert_eq(config(4, 1, 0x3d, 1), 4);
    set_config(4, 1, 0x3c, 2, 0xff0b);
    cr_assert_eq(config(4, 1, 0x3c, 2), 0x040b);
}

Test(pci_host, reset_takes_the_bars_back)
{
    set_config(3, 0, 0x10, 4, 0xd0000000);
    set_config(3, 0, 4, 2, 2);
    dev.reset(dev.dev);
    cr_assert_eq(mmio(0xd0000000), 0xffffffff);
    cr_assert_eq(config(3, 0, 0x10, 4), 0);
}

Test(pci_host, every_write_is_legal)
{
    uint32_t x = 3;

    for (unsigned i = 0; i < 200000; i++) {
        unsigned size = 1u << (x >> 29 & 3) & 7;

        x = x * 1664525u + 1013904223u;
        if (x & 0x100)
            set_config(x >> 30 & 1 ? 3 : 4, x >> 30 & 1 ? 0 : 1, 4 + (x >> 24 & 0x1f), 1,
                       x >> 12 & 0xff);
        else if (x & 0x200)
            sim_bus_port_write(f.sv.bus, (uint16_t)(0xcf8 + (x >> 27 & 7)), size ? size : 4,
                               x * 2654435761u);
        else
            sim_bus_port_read(f.sv.bus, (uint16_t)(0xc000 + (x >> 16 & 0x3fff)), size ? size : 4);
    }
}

Test(pci_host, loaded_state_decodes_as_the_saved_one_did)
{
    struct base_state st;
    GByteArray *saved = g_byte_array_new();

    set_config(3, 0, 0x10, 4, 0xd0000000);
    set_config(3, 0, 4, 2, 2);
    base_state_init_save(&st, saved);
    dev.state(dev.dev, &st);
    dev.reset(dev.dev);
    base_state_init_load(&st, saved->data, saved->len);
    dev.state(dev.dev, &st);
    cr_assert_not(st.bad);
    cr_assert_eq(mmio(0xd0000000), 0x10);
    g_byte_array_free(saved, TRUE);
}
