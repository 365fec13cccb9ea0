/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user programs, ELF files inside this kernel's image.
 */
#ifndef GUESTS_DOMU_PROGRAM_H
#define GUESTS_DOMU_PROGRAM_H

#include "guests/lib/trap.h"
#include "guests/lib/types.h"

struct space;

/**
 * program_load - a new address space with the program @name in it.
 * @frame: becomes what to return to: its entry, with an empty stack.
 * @error: -ENOENT, -ENOEXEC or -ENOMEM when there is none.
 */
struct space *program_load(const char *name, struct trap_frame *frame, long *error);

#endif
