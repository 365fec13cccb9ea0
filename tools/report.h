/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to read when the guest has come to grief: why, where, and how it got there.
 */
#ifndef PARAVANE_TOOLS_REPORT_H
#define PARAVANE_TOOLS_REPORT_H

#include <stdio.h>

#include "sim/machine.h"
#include "tools/symbols.h"

/**
 * report_catastrophe - the state of the CPU that ended the run, and the last blocks it and the
 *                      others executed, disassembled.
 * @symbols: may be NULL.
 */
void report_catastrophe(FILE *out, struct sim_machine *m, const struct symbols *symbols);

/** report_registers - one CPU's registers, several lines. */
void report_registers(FILE *out, const struct cpu_regs *regs);

#endif
