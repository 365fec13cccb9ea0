/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at and writing into the memory of another domain, through a window of FOREIGN_PAGES.
 * One map at a time.
 */
#ifndef GUESTS_DOM0_FOREIGN_H
#define GUESTS_DOM0_FOREIGN_H

#include "guests/lib/types.h"

#define FOREIGN_PAGES 64u

/** foreign_init - set the window up, once. */
void foreign_init(void);

/**
 * foreign_map - frames of @domid, side by side, writable.
 * @count: 1 to FOREIGN_PAGES.
 * Returns: NULL when the hypervisor refuses one of them.
 */
void *foreign_map(u16 domid, const u64 *mfns, u32 count);

/** foreign_unmap - end the map; must come before the next one. */
void foreign_unmap(void);

#endif
