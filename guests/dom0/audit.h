/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the machine is as it was: what domain 0 can see of frames, event channels, grants and its
 * own memory, noted once and compared later.
 */
#ifndef GUESTS_DOM0_AUDIT_H
#define GUESTS_DOM0_AUDIT_H

#include "guests/lib/types.h"

/** audit_mark - note what is in use now, and what the memory of the watched domains holds. */
bool audit_mark(void);

/**
 * audit_watch - from the next audit_mark() on the memory of the domains numbered @first to @last must
 * not change: they sleep.  Needs a hypervisor that makes digests (hv-audit.elf); false without one.
 */
bool audit_watch(u64 first, u64 last);

/**
 * audit_check - compare and say the differences.
 * @frames: by so many the free frames may differ: a hypervisor may keep some for itself.
 * Returns: false if there are any others.
 */
bool audit_check(u64 frames);

#endif
