/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment descriptors and segment registers (SDM 3A 3.4, 3.5).
 *
 * Bits of a descriptor's high doubleword, also of env_seg.flags:
 *
 *   31      24 23 22 21 20  19   16 15 14 13 12 11   8 7        0
 *  | base    | G |DB| L |AVL| limit | P | DPL | S| type | base    |
 *
 * type, S = 1: 11 code; 10 conforming or expand-down; 9 readable or writable; 8 accessed.
 */
#ifndef PARAVANE_CPU_SEGMENT_H
#define PARAVANE_CPU_SEGMENT_H

#include "cpu/internal.h"

enum {
    SEG_ACCESSED = 1 << 8,
    SEG_WRITABLE = 1 << 9,     /* data; code: readable */
    SEG_EXPAND_DOWN = 1 << 10, /* data; code: conforming */
    SEG_CONFORMING = 1 << 10,
    SEG_CODE = 1 << 11,
    SEG_S = 1 << 12, /* code or data, not a system segment */
    SEG_DPL_SHIFT = 13,
    SEG_DPL = 3 << 13,
    SEG_P = 1 << 15,
    SEG_L = 1 << 21,
    SEG_DB = 1 << 22,
    SEG_G = 1 << 23,
};

/* Types of system segments and gates. */
enum {
    SEG_TYPE_TSS16 = 1,
    SEG_TYPE_LDT = 2,
    SEG_TYPE_TSS16_BUSY = 3,
    SEG_TYPE_TASK_GATE = 5,
    SEG_TYPE_INTERRUPT16 = 6,
    SEG_TYPE_TRAP16 = 7,
    SEG_TYPE_TSS32 = 9, /* and the 64-bit one */
    SEG_TYPE_TSS32_BUSY = 11,
    SEG_TYPE_INTERRUPT32 = 14, /* and the 64-bit one */
    SEG_TYPE_TRAP32 = 15,
};

/* A code, data or system descriptor as it lies in the GDT or an LDT. */
struct cpu_descriptor {
    uint32_t low, high;
    uint64_t va; /* where it lies */
};

/* Type and S bit together: a system type is below 16. */
static inline unsigned cpu_descriptor_type(const struct cpu_descriptor *d)
{
    return d->high >> 8 & 31;
}
static inline unsigned cpu_descriptor_dpl(const struct cpu_descriptor *d)
{
    return d->high >> SEG_DPL_SHIFT & 3;
}
static inline bool cpu_descriptor_is_code(const struct cpu_descriptor *d)
{
    return (d->high & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}
static inline bool cpu_descriptor_is_writable_data(const struct cpu_descriptor *d)
{
    return (d->high & (SEG_S | SEG_CODE | SEG_WRITABLE)) == (SEG_S | SEG_WRITABLE);
}

/** cpu_descriptor_base, cpu_descriptor_limit - limit in bytes, granularity applied. */
uint32_t cpu_descriptor_base(const struct cpu_descriptor *d);
uint32_t cpu_descriptor_limit(const struct cpu_descriptor *d);

enum cpu_segment_lookup {
    CPU_SEGMENT_FOUND,
    CPU_SEGMENT_OUTSIDE, /* beyond the table's limit, or there is no LDT */
    CPU_SEGMENT_FAULT,   /* *exc: the table could not be read */
};

/**
 * cpu_segment_lookup - the 8 bytes that @selector selects in the GDT or the LDT (SDM 3A 3.5.1).
 * A null selector is not special here.
 */
enum cpu_segment_lookup cpu_segment_lookup(struct cpu *c, uint16_t selector,
                                           struct cpu_descriptor *out, struct cpu_exc *exc);

/** cpu_segment_touch - set the accessed bit in the table if it is clear (SDM 3A 3.4.5.1). */
bool cpu_segment_touch(struct cpu *c, struct cpu_descriptor *d, struct cpu_exc *exc);

/** cpu_segment_load - fill a segment register, hidden part included; hflags are not touched. */
void cpu_segment_load(struct env_seg *seg, uint16_t selector, const struct cpu_descriptor *d);
/** cpu_segment_load_null - a null selector; @dpl is kept in the hidden part (SS). */
void cpu_segment_load_null(struct env_seg *seg, uint16_t selector, unsigned dpl);
/** cpu_segment_load_real - as in real and virtual-8086 mode: base = selector << 4. */
void cpu_segment_load_real(struct env_seg *seg, uint16_t selector);

/**
 * cpu_segment_holds - may @size bytes at @offset be accessed by the segment's limit?
 * Source: SDM 3A 5.3, expand-down segments included.
 */
bool cpu_segment_holds(const struct env_seg *seg, uint32_t offset, unsigned size);

/** cpu_segment_stack_mask - 0xffffffff or 0xffff: how much of ESP the stack uses. */
static inline uint32_t cpu_segment_stack_mask(const struct env_seg *ss)
{
    return ss->flags & SEG_DB ? 0xffffffff : 0xffff;
}

/**
 * cpu_segment_update_hflags - bring hflags in line with the segment registers, CR0.PE and
 * RFLAGS.VM: CPL, CS32, CS64, SS32, ADDSEG.  To be called after loading CS or SS.
 */
void cpu_segment_update_hflags(struct cpu_env *env, unsigned cpl);

#endif
