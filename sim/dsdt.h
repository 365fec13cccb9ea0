/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT: the machine's devices in ACPI Machine Language.
 */
#ifndef PARAVANE_SIM_DSDT_H
#define PARAVANE_SIM_DSDT_H

#include <glib.h>

/**
 * sim_dsdt_append - the definition block, without the table's header.
 * @cpus: how many processor objects, with ids from 0; at most 255.
 */
void sim_dsdt_append(GByteArray *out, unsigned cpus);

#endif
