/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <signal.h>

#include "sim/bus.h"

/* A device that writes down every access: "r4+2 " = read of 2 bytes at offset 4. */
struct scribe {
    GString *log;
    char name;
};

static uint32_t port_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct scribe *s = dev;

    g_string_append_printf(s->log, "%cr%u+%u ", s->name, offset, size_bytes);
    return 0xa0b0c0d0u + offset;
}

static void port_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct scribe *s = dev;

    g_string_append_printf(s->log, "%cw%u+%u=%x ", s->name, offset, size_bytes, value);
}

static uint64_t mmio_read(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes)
{
    struct scribe *s = dev;

    g_string_append_printf(s->log, "%cr%u:%x+%u ", s->name, vcpu, (unsigned)offset, size_bytes);
    return 0x1122334455667700u + offset;
}

static void mmio_write(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes,
                       uint64_t value)
{
    struct scribe *s = dev;

    g_string_append_printf(s->log, "%cw%u:%x+%u=%" G_GINT64_MODIFIER "x ", s->name, vcpu,
                           (unsigned)offset, size_bytes, value);
}

static const struct sim_port_ops ports[] = {
    {port_read, port_write, 1}, {port_read, port_write, 2}, {port_read, port_write, 4}};
static const struct sim_mmio_ops mmio4 = {mmio_read, mmio_write, 4};
static const struct sim_mmio_ops mmio8 = {mmio_read, mmio_write, 8};

static struct sim_bus *bus;
static struct scribe a, b;

static void setup(void)
{
    bus = sim_bus_new();
    a = (struct scribe){g_string_new(""), 'a'};
    b = (struct scribe){a.log, 'b'};
}

static void teardown(void)
{
    sim_bus_free(bus);
    g_string_free(a.log, TRUE);
}

TestSuite(sim_bus, .init = setup, .fini = teardown);

#define SAW(text)                                                                                  \
    do {                                                                                           \
        cr_assert_str_eq(a.log->str, text);                                                        \
        g_string_truncate(a.log, 0);                                                               \
    } while (0)

Test(sim_bus, unclaimed_port_reads_as_all_ones)
{
    cr_assert_eq(sim_bus_port_read(bus, 0x3f8, 1), 0xff);
    cr_assert_eq(sim_bus_port_read(bus, 0x3f8, 2), 0xffff);
    cr_assert_eq(sim_bus_port_read(bus, 0xfffe, 4), 0xffffffffu);
    sim_bus_port_write(bus, 0xffff, 4, 0);
}

Test(sim_bus, port_access_within_the_width_arrives_whole)
{
    sim_bus_claim_ports(bus, 0x100, 8, &ports[2], &a);
    cr_assert_eq(sim_bus_port_read(bus, 0x104, 4), 0xa0b0c0d4u);
    cr_assert_eq(sim_bus_port_read(bus, 0x104, 1), 0xd4);
    sim_bus_port_write(bus, 0x103, 2, 0xffff1234u);
    SAW("ar4+4 ar4+1 aw3+2=1234 ");
}

Test(sim_bus, wide_port_access_is_split_lowest_address_first)
{
    sim_bus_claim_ports(bus, 0x100, 8, &ports[1], &a);
    sim_bus_claim_ports(bus, 0x200, 8, &ports[0], &b);
    cr_assert_eq(sim_bus_port_read(bus, 0x100, 4), 0xc0d2c0d0u);
    sim_bus_port_write(bus, 0x200, 4, 0x11223344);
    SAW("ar0+2 ar2+2 bw0+1=44 bw1+1=33 bw2+1=22 bw3+1=11 ");
}

Test(sim_bus, port_access_across_claims_goes_byte_by_byte)
{
    sim_bus_claim_ports(bus, 0x100, 2, &ports[2], &a);
    sim_bus_claim_ports(bus, 0x103, 1, &ports[2], &b);
    cr_assert_eq(sim_bus_port_read(bus, 0x100, 4), 0xd0ffd1d0u);
    SAW("ar0+1 ar1+1 br0+1 ");
    sim_bus_port_write(bus, 0xff, 4, 0x44332211);
    SAW("aw0+1=22 aw1+1=33 ");
}

Test(sim_bus, last_port_can_be_claimed)
{
    sim_bus_claim_ports(bus, 0xffff, 1, &ports[0], &a);
    cr_assert_eq(sim_bus_port_read(bus, 0xffff, 2), 0xffd0);
}

Test(sim_bus, overlapping_port_claims_abort, .signal = SIGABRT)
{
    sim_bus_claim_ports(bus, 0x100, 8, &ports[0], &a);
    sim_bus_claim_ports(bus, 0x107, 1, &ports[0], &b);
}

Test(sim_bus, device_memory_is_found_whatever_the_order_of_claims)
{
    sim_bus_claim_mmio(bus, GPA(0xfec00000), 0x1000, &mmio4, &b);
    sim_bus_claim_mmio(bus, GPA(0xc0000000), 0x10000, &mmio4, &a);
    sim_bus_claim_mmio(bus, GPA(0xfee00000), 0x1000, &mmio4, &a);
    sim_bus_mmio_read(bus, 1, GPA(0xc000fffc), 4);
    sim_bus_mmio_read(bus, 2, GPA(0xfec00ffc), 4);
    sim_bus_mmio_read(bus, 3, GPA(0xfee00010), 4);
    SAW("ar1:fffc+4 br2:ffc+4 ar3:10+4 ");
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0xc0010000), 8), UINT64_MAX);
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0xbfffffff), 1), 0xff);
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0), 2), 0xffff);
    sim_bus_mmio_write(bus, 0, GPA(0xfee01000), 4, 1);
    SAW("");
}

Test(sim_bus, wide_memory_access_is_split)
{
    sim_bus_claim_mmio(bus, GPA(0x1000000), 0x1000, &mmio4, &a);
    sim_bus_claim_mmio(bus, GPA(0x2000000), 0x1000, &mmio8, &b);
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0x1000010), 8), 0x5566771455667710u);
    sim_bus_mmio_write(bus, 0, GPA(0x1000000), 8, 0x1122334455667788u);
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0x2000010), 8), 0x1122334455667710u);
    SAW("ar0:10+4 ar0:14+4 aw0:0+4=55667788 aw0:4+4=11223344 br0:10+8 ");
}

Test(sim_bus, memory_access_across_the_end_of_a_claim_goes_byte_by_byte)
{
    sim_bus_claim_mmio(bus, GPA(0x1000000), 0x1000, &mmio8, &a);
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0x1000ffe), 4), 0xfffffffeu);
    SAW("ar0:ffe+1 ar0:fff+1 ");
    sim_bus_mmio_write(bus, 0, GPA(0xfffffe), 4, 0x44332211);
    SAW("aw0:0+1=33 aw0:1+1=44 ");
}

Test(sim_bus, released_memory_answers_no_more)
{
    sim_bus_claim_mmio(bus, GPA(0x1000000), 0x1000, &mmio8, &a);
    sim_bus_claim_mmio(bus, GPA(0x2000000), 0x1000, &mmio8, &b);
    sim_bus_mmio_read(bus, 0, GPA(0x2000000), 1);
    sim_bus_release_mmio(bus, GPA(0x2000000));
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0x2000000), 4), 0xffffffffu);
    sim_bus_release_mmio(bus, GPA(0x1000000));
    cr_assert_eq(sim_bus_mmio_read(bus, 0, GPA(0x1000000), 4), 0xffffffffu);
    sim_bus_claim_mmio(bus, GPA(0x1000000), 0x2000, &mmio8, &b);
    sim_bus_mmio_read(bus, 0, GPA(0x1001000), 2);
    SAW("br0:0+1 br0:1000+2 ");
}

Test(sim_bus, overlapping_memory_claims_abort, .signal = SIGABRT)
{
    sim_bus_claim_mmio(bus, GPA(0x1000000), 0x2000, &mmio8, &a);
    sim_bus_claim_mmio(bus, GPA(0x1001000), 0x1000, &mmio8, &b);
}
