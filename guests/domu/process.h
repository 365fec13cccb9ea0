/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes: system calls and what happens on exceptions.
 */
#ifndef GUESTS_DOMU_PROCESS_H
#define GUESTS_DOMU_PROCESS_H

#include "guests/lib/types.h"

/** process_init - install the handlers. */
void process_init(void);

/** process_run - start a program and wait for its end; by a kernel thread.  Returns its status, or a negative errno. */
long process_run(const char *program);

#endif
