/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short forms of the calls that attacks with grants make.  The attacker grants to itself where a granter is
 * wanted: references are then all its own, and each one too many or too few is found by the recount.
 * Each function compares the answer of the call, and returns the status of its one request.
 */
#ifndef GUESTS_HOSTILE_GRANT_TOOLS_H
#define GUESTS_HOSTILE_GRANT_TOOLS_H

#include "guests/hostile/hostile.h"
#include "guests/lib/grant.h"

/* Entries of the table for attacks, which leave them empty. */
#define REF  20
#define REF2 21

/** grants_begin - each attack begins so: the table of version 1, and two pages of address space with tables. */
void grants_begin(void);
extern u64 map_window;

/** grant - offer @mfn to this domain by entry @ref; @flags: GTF_*. */
void grant(u32 ref, u64 mfn, u16 flags);
/** marks - GTF_reading and GTF_writing of an entry. */
u16 marks(u32 ref);

/** map - @ref of this domain at @addr with GNTMAP_* @flags; map_of - of domain @dom. */
short map(u32 ref, u64 addr, u32 flags);
short map_of(u16 dom, u32 ref, u64 addr, u32 flags);
/** What the last map has given. */
extern u32 map_handle;
extern u64 map_bus;
/** unmap - @handle, with its halves at @addr and @dev, 0 for none. */
short unmap(u32 handle, u64 addr, u64 dev);

short copy(gnttab_copy_t op);
short transfer(u64 mfn, u16 dom, u32 ref);
/** set_version - the answer of the call. */
long set_version(u32 version);
/** v2 - an entry as version 2 has it. */
static inline grant_entry_v2_t *v2(u32 ref) { return (grant_entry_v2_t *)grant_table + ref; }

/** SAME - equal() for statuses, which are signed. */
#define SAME(what, got, want) equal(what, (u64)(s64)(got), (u64)(s64)(want))

#endif
