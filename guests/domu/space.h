/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces of processes.
 *
 *   0x400000 ...            the program's segments, then its heap up to brk
 *   ... SPACE_STACK_TOP     the stack, SPACE_STACK_BYTES, filled in when it is touched
 *
 * A space has two L4 tables, because a 64-bit PV guest runs its kernel in ring 3 as well: one for user
 * mode, with the user's part only, and one for kernel mode, with the kernel's part besides.  Both
 * share all tables below.
 *
 * After a fork both spaces map the same frames read-only, marked PTE_COW; the first to write gets a
 * copy, the last one the frame itself.
 */
#ifndef GUESTS_DOMU_SPACE_H
#define GUESTS_DOMU_SPACE_H

#include "guests/lib/types.h"

#define SPACE_END         0x8000000000ul /* one L4 slot */
#define SPACE_STACK_TOP   0x7ffffff000ul
#define SPACE_STACK_BYTES 0x10000ul

struct space;

/** space_init - once, before the first space. */
void space_init(void);

/** space_new - an empty one.  NULL without memory. */
struct space *space_new(void);

/** space_fork - a copy of the current task's space.  NULL without memory. */
struct space *space_fork(struct space *parent);

/** space_free - give everything back; the space must not be loaded. */
void space_free(struct space *space);

/** space_load - use it for user mode from now on; NULL: the kernel's own tables, no user mode. */
void space_load(struct space *space);

/**
 * space_put - copy into the space, which is not loaded anywhere, mapping pages as needed.
 * @from: NULL: zeros.
 */
bool space_put(struct space *space, u64 va, const void *from, u64 size_bytes, bool writable);

/** space_set_brk - where the heap starts; space_grow: move its end.  Returns the old end, or 0 if not possible. */
void space_set_brk(struct space *space, u64 va);
u64 space_grow(struct space *space, s64 bytes);

/**
 * space_fault - a page fault at @va in the loaded space.
 * @write: of a write access.
 * Returns: whether the access can be tried again.
 */
bool space_fault(struct space *space, u64 va, bool write);

/** space_copies - how many pages were copied by writes since the start. */
u64 space_copies(void);

/** space_frames - frames that processes have. */
u64 space_frames(void);

/*
 * The current process' memory, from the kernel.  False: the process may not access it like that.
 */
bool space_read(void *to, u64 from_va, u64 size_bytes);
bool space_write(u64 to_va, const void *from, u64 size_bytes);

#endif
