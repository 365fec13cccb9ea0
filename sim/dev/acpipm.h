/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI fixed hardware: PM1 event and control blocks, PM timer, reset control.
 *
 * Source: ACPI specification 6.5, section 4.8 (fixed hardware), 4.8.3.3 (PM timer), 4.8.3.6
 * (reset register); reset control: Intel 82371AB (PIIX4) data sheet, section 4.1.6.
 *
 * The machine is always in ACPI mode (no SMI command port, SCI_EN reads 1).  The SCI is
 * IRQ 9, level triggered, active high.  The ports are named here because the tables of
 * sim/acpi.c must say the same.
 */
#ifndef PARAVANE_SIM_DEV_ACPIPM_H
#define PARAVANE_SIM_DEV_ACPIPM_H

#include <stdint.h>

#include "sim/bus.h"

#define ACPIPM_PM1_EVENT_PORT   0x600 /* 2 bytes status, 2 bytes enable */
#define ACPIPM_PM1_CONTROL_PORT 0x604 /* 2 bytes */
#define ACPIPM_TIMER_PORT       0x608 /* 4 bytes, 32 bits wide */
#define ACPIPM_TIMER_HZ         3579545
#define ACPIPM_RESET_PORT       0xcf9
#define ACPIPM_RESET_VALUE      0x06
#define ACPIPM_SCI_IRQ          9
#define ACPIPM_SLP_TYP_S5       5 /* as in the package \_S5 */

struct acpipm;

/**
 * acpipm_new - the blocks at power-on.  Port 0xcf9 lies among those of the PCI host bridge,
 *              which hands its byte accesses to the two functions below.
 * @sv:      borrowed; must outlive the result.  Writing SLP_EN with the type of S5 calls
 *           its end() with SIM_END_POWER_OFF, the reset control with SIM_END_RESET.
 * Returns:  owned by the caller, until the free function of acpipm_device() is called.
 * Test:     tests/unit/test_sim_dev_acpipm.c
 */
struct acpipm *acpipm_new(const struct sim_services *sv);

/** acpipm_power_button - the button is pressed: PWRBTN_STS, and the SCI if enabled. */
void acpipm_power_button(struct acpipm *pm);

uint8_t acpipm_reset_control_read(const struct acpipm *pm);
void acpipm_reset_control_write(struct acpipm *pm, uint8_t value);

/** acpipm_device - the device interface of @pm; freeing it frees @pm. */
void acpipm_device(struct acpipm *pm, struct sim_device *out);

#endif
