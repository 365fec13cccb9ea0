/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables, as firmware would leave them in memory.
 *
 * Source: ACPI specification 6.5, section 5.2 (tables), chapter 20 (AML).
 *
 * RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT lie together in the BIOS area; the map of
 * memory handed to the guest must have [SIM_ACPI_BASE, SIM_ACPI_END) and
 * [SIM_ACPI_EBDA, 0xa0000) reserved.
 */
#ifndef PARAVANE_SIM_ACPI_H
#define PARAVANE_SIM_ACPI_H

#include <glib.h>

#include "mmu/ram.h"

#define SIM_ACPI_BASE 0xf0000u /* the RSDP is its first bytes */
#define SIM_ACPI_END  0x100000u
#define SIM_ACPI_EBDA 0x9fc00u /* extended BIOS data area, empty; base memory ends here */

/**
 * sim_acpi_install - write the tables and the two BIOS data area words they go with
 *                    (0x40e EBDA segment, 0x413 KiB of base memory).
 * @cpus:   1 to 255; local APIC ids are 0 to @cpus - 1.
 * Returns: FALSE with @error when the tables do not fit into the area or the RAM.
 * Test:    tests/unit/test_sim_acpi.c
 */
gboolean sim_acpi_install(struct mmu_ram *ram, unsigned cpus, GError **error);

GQuark sim_acpi_error_quark(void);
#define SIM_ACPI_ERROR sim_acpi_error_quark()
enum sim_acpi_error { SIM_ACPI_ERROR_SIZE };

#endif
