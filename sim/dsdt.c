/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the notation of ACPI source language, the DSDT is:
 *
 *     Name (\_S5, Package (4) {5, 5, 0, 0})
 *     Scope (\_PR) { Processor (C000, 0, 0, 0) {} ... one for each CPU }
 *     Scope (\_SB) {
 *         Device (PCI0) {
 *             _HID PNP0A03, _UID 0, _BBN 0
 *             _CRS: bus 0, ports 0xcf8-0xcff (its own), the two windows of pci_host.h
 *             _PRT: each pin of each slot to its GSI
 *             Device (COM1) PNP0501, Device (RTC0) PNP0B00, Device (TIMR) PNP0100,
 *             Device (PIC0) PNP0000, Device (SPKR) PNP0800, Device (SYSR) PNP0C02
 *         }
 *     }
 */
#include "sim/dsdt.h"

#include <stdio.h>

#include "sim/aml.h"
#include "sim/dev/acpipm.h"
#include "sim/dev/pci_host.h"

#define DSDT_SLOTS 32

static void add_sleep_states(GByteArray *out)
{
    aml_mark package;

    aml_name(out, "\\_S5_");
    package = aml_open_package(out, 4);
    aml_integer(out, ACPIPM_SLP_TYP_S5); /* PM1a */
    aml_integer(out, ACPIPM_SLP_TYP_S5); /* PM1b, which is not there */
    aml_integer(out, 0);
    aml_integer(out, 0);
    aml_close(out, package);
}

static void add_processors(GByteArray *out, unsigned cpus)
{
    aml_mark scope = aml_open_scope(out, "\\_PR_");

    for (unsigned i = 0; i < cpus; i++) {
        char name[16];

        snprintf(name, sizeof(name), "C%03X", i);
        aml_processor(out, name, (uint8_t)i);
    }
    aml_close(out, scope);
}

/* A device with a plug-and-play id and its ports (up to three ranges) and interrupt. */
struct board_device {
    const char *name, *id;
    struct {
        uint16_t first;
        uint8_t count;
    } ports[3];
    int irq; /* -1: none */
};

static const struct board_device board_devices[] = {
    {"COM1", "PNP0501", {{0x3f8, 8}}, 4},
    {"RTC0", "PNP0B00", {{0x70, 2}}, 8},
    {"TIMR", "PNP0100", {{0x40, 4}}, 0},
    {"PIC0", "PNP0000", {{0x20, 2}, {0xa0, 2}, {0x4d0, 2}}, 2},
    {"SPKR", "PNP0800", {{0x61, 1}}, -1},
    /* Motherboard resources: POST code, port 0x92, power management. */
    {"SYSR", "PNP0C02", {{0x80, 1}, {0x92, 1}, {ACPIPM_PM1_EVENT_PORT, 0x10}}, -1},
};

static void add_board_device(GByteArray *out, const struct board_device *dev)
{
    GByteArray *res = g_byte_array_new();
    aml_mark device = aml_open_device(out, dev->name);

    aml_name_eisa_id(out, "_HID", dev->id);
    aml_name_integer(out, "_UID", 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(dev->ports) && dev->ports[i].count; i++)
        aml_resource_io(res, dev->ports[i].first, dev->ports[i].count);
    if (dev->irq >= 0)
        aml_resource_irq(res, (unsigned)dev->irq);
    aml_name_resources(out, "_CRS", res);
    aml_close(out, device);
    g_byte_array_free(res, TRUE);
}

static void add_pci_windows(GByteArray *out)
{
    GByteArray *res = g_byte_array_new();

    aml_resource_bus_range(res, 0, 0);
    aml_resource_io(res, 0xcf8, 8);
    aml_resource_io_range(res, PCI_PORT_BASE, PCI_PORT_END - 1);
    aml_resource_memory_range(res, PCI_MEMORY_BASE, PCI_MEMORY_END - 1);
    aml_name_resources(out, "_CRS", res);
    g_byte_array_free(res, TRUE);
}

/* Package (4) {slot and any function, pin, 0: the next is a GSI, GSI} */
static void add_pci_route(GByteArray *out, unsigned slot, unsigned pin)
{
    aml_mark package = aml_open_package(out, 4);

    aml_integer(out, slot << 16 | 0xffff);
    aml_integer(out, pin);
    aml_integer(out, 0);
    aml_integer(out, PCI_INTX_GSI_BASE + (slot + pin) % PCI_INTX_LINES);
    aml_close(out, package);
}

static void add_pci_routes(GByteArray *out)
{
    aml_mark package;

    aml_name(out, "_PRT");
    package = aml_open_package(out, (DSDT_SLOTS - 1) * PCI_INTX_LINES);
    for (unsigned slot = 1; slot < DSDT_SLOTS; slot++) /* slot 0 has no pins */
        for (unsigned pin = 0; pin < PCI_INTX_LINES; pin++)
            add_pci_route(out, slot, pin);
    aml_close(out, package);
}

static void add_pci_root(GByteArray *out)
{
    aml_mark device = aml_open_device(out, "PCI0");

    aml_name_eisa_id(out, "_HID", "PNP0A03");
    aml_name_integer(out, "_UID", 0);
    aml_name_integer(out, "_BBN", 0);
    add_pci_windows(out);
    add_pci_routes(out);
    for (unsigned i = 0; i < G_N_ELEMENTS(board_devices); i++)
        add_board_device(out, &board_devices[i]);
    aml_close(out, device);
}

void sim_dsdt_append(GByteArray *out, unsigned cpus)
{
    aml_mark scope;

    add_sleep_states(out);
    add_processors(out, cpus);
    scope = aml_open_scope(out, "\\_SB_");
    add_pci_root(out);
    aml_close(out, scope);
}
