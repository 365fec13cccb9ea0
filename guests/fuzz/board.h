/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boards: a page for each vCPU of each domain, which domain 0 grants to all of them.  There a
 * domain says what it has on offer, so that the others find it, and counts its calls, so that they
 * are not lost with it.  Only hints: whoever reads them must live with anything.
 */
#ifndef GUESTS_FUZZ_BOARD_H
#define GUESTS_FUZZ_BOARD_H

#include "guests/lib/types.h"

/* Domain 0, three others that last, and a reckless one, which is lost and made anew; it may write anything there. */
#define BOARD_SLOTS    5u
#define BOARD_RECKLESS 4u
#define BOARD_CPUS   2u
#define BOARD_PAGES  (BOARD_SLOTS * BOARD_CPUS)
#define BOARD_FRAMES 24u
#define BOARD_REFS   48u
#define BOARD_PORTS  48u
#define BOARD_KINDS  290u

/** What an entry of a grant table is for. */
enum { BOARD_NOTHING, BOARD_ACCESS, BOARD_ACCEPT, BOARD_TRANSITIVE };

/** struct board_kind - calls of one kind. */
struct board_kind {
    u8 number, command; /* both capped to 255 */
    u32 made, good;
};

/** struct board - all of it but @stop is written by the vCPU that it belongs to. */
struct board {
    u16 domid;
    bool present; /* by domain 0: there is such a domain */
    bool stop;    /* by domain 0: come to an end */
    bool done;
    u32 kinds;
    u64 calls;    /* hypercalls */
    u64 batched;  /* and calls in multicalls */
    /* On offer, on the board of vCPU 0: */
    u64 mfn[BOARD_FRAMES];
    struct {
        u16 domid;
        u16 what;
    } ref[BOARD_REFS];
    u16 port_for[BOARD_PORTS]; /* unbound, for this domain; 0xffff none */
    struct board_kind kind[BOARD_KINDS], more; /* all that found no place there */
};
_Static_assert(sizeof(struct board) <= 4096, "a board is a page");

/** The first entry of a grant table that is on offer. */
#define BOARD_FIRST_REF 8u

#endif
