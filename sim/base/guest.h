/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an observer may look at: registers and memory of the vCPU that runs, and execution points.
 *
 * An execution point is a linear address.  Each time the instruction there is about to execute,
 * its function is called, with all before the instruction retired and nothing after it.  Nothing
 * is written to guest memory and no instruction is added: a machine with execution points has the
 * same state, instruction count and virtual time as one without.
 *
 *  - A point fires once for each execution: for each round of a REP instruction, and once more
 *    when an instruction that faulted is executed again after the fault's handler.
 *  - Address spaces are not told apart, nor are privilege levels: look at cpl and cr3.
 *  - Without points nothing is paid; with some, only by the blocks that contain them.
 *
 * Everything here is valid only inside a function that an observer is called with.
 */
#ifndef PARAVANE_SIM_BASE_GUEST_H
#define PARAVANE_SIM_BASE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/probe.h"

enum base_gpr {
    BASE_RAX, BASE_RCX, BASE_RDX, BASE_RBX, BASE_RSP, BASE_RBP, BASE_RSI, BASE_RDI,
    BASE_R8, BASE_R9, BASE_R10, BASE_R11, BASE_R12, BASE_R13, BASE_R14, BASE_R15,
};

struct base_guest;

/* The vCPU that runs, between two instructions. */
struct base_guest_view {
    const struct base_guest *guest;
    uint64_t rip; /* linear address of the next instruction */
    uint64_t insns;  /* retired by the whole machine so far */
    uint64_t cycles; /* this vCPU's cycle counter */
    const uint64_t *gpr; /* 16, in the order of enum base_gpr; for as long as the call lasts */
    uint64_t cr3;
    uint8_t vcpu;
    uint8_t cpl;
};

typedef void base_execpoint_fn(void *user, const struct base_guest_view *view);

struct base_guest {
    void *user; /* first argument of every member */

    /** view - of the vCPU that runs; in a probe's callback. */
    void (*view)(void *user, struct base_guest_view *out);

    /** at - @cycles of vCPU @vcpu's counter as virtual time. */
    uint64_t (*virtual_ns)(void *user, uint64_t cycles);

    /**
     * read - copy from linear address @va as the running vCPU's page tables map it, permissions
     * aside; no accessed bit is set.
     * Returns: how many bytes were copied: fewer than @size_bytes when a page is not present or
     *          is not RAM.
     */
    size_t (*read)(void *user, uint64_t va, void *out, size_t size_bytes);

    /** read_physical - copy from RAM.  Returns: false (and copies nothing) unless all is RAM. */
    bool (*read_physical)(void *user, uint64_t pa, void *out, size_t size_bytes);

    /**
     * add - call @fn with @fn_user before each execution of the instruction at linear @va.
     * May be called while the machine runs, also by @fn; several may share an address, and are
     * called in the order they were added.  The same three arguments count once.
     */
    void (*add)(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user);
    /** remove - take that back; nothing happens if it was not added. */
    void (*remove)(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user);
};

#endif
