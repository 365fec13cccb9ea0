/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What blocks.c, block_store.c and block_smc.c know of each other; what the rest calls is in engine.h.
 */
#ifndef PARAVANE_CPU_BLOCKS_H
#define PARAVANE_CPU_BLOCKS_H

#include "cpu/engine.h"

/** struct block_place - where a block's bytes lie. */
struct block_place {
    uint64_t pa;
    uint64_t pa2; /* of the second page's part; UINT64_MAX: none */
    uint32_t first_size;
    const uint8_t *first, *second;
};

/** struct block_copies - what the frames of the block that runs were before it. */
struct block_copies {
    unsigned count;
    uint64_t mfn[2];
    uint8_t page[2][PAGE_SIZE];
};

/* ---- block_store.c ---- */

/** block_locate - find a block's bytes.  Returns: false when a page of it is mapped no more. */
bool block_locate(struct cpu *c, uint64_t va, uint32_t size, struct block_place *p);

/** block_copy_bytes - a block's bytes, to @out. */
void block_copy_bytes(const struct block_place *p, uint32_t size, uint8_t *out);

/** block_at - what a block contains.  Lives until the next call. */
const struct cpu_block *block_at(struct cpu *c, uint64_t va, uint32_t size,
                                 const struct block_place *p);

/** block_front_fill - the hook shall find the block itself from now on. @mark: 0 or CPU_KEY_POINT. */
void block_front_fill(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                      uint64_t mark);

/** block_last_place - where the block lies that ran last.  Returns: as block_locate(). */
bool block_last_place(struct cpu *c, struct block_place *p);

/* ---- block_smc.c ---- */

/** block_is_mixed - whether a frame of the block is MIXED: code that is written to. */
bool block_is_mixed(const struct cpu *c, const struct block_place *p);

/** block_is_lone_store - stores that may lead to themselves, by repeating or by calling: in MIXED
 *  frames they have a block of their own. */
bool block_is_lone_store(const struct cpu_block *b);

/** block_calls_elsewhere - the lone store that ends the block is a near call whose return address
 *  certainly goes to another frame than the block's. */
bool block_calls_elsewhere(struct cpu *c, const struct cpu_block *b, const struct block_place *p);

/** block_keep_frames - remember what the block's frames are before it runs. */
void block_keep_frames(struct cpu *c, const struct block_place *p);
/** block_forget_frames - the block that is going to run needs none of that. */
void block_forget_frames(struct cpu *c);

/** block_undo_part - take back what a store has done of itself before it is done again. */
void block_undo_part(struct cpu *c);

/** block_uncount_aborted - block @b is going to run: take back what the one before it has not done. */
void block_uncount_aborted(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b);

#endif
