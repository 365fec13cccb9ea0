/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest to be observed: some memory, registers, execution points; a test says what happens.
 */
#ifndef PARAVANE_TESTS_UNIT_FAKE_GUEST_H
#define PARAVANE_TESTS_UNIT_FAKE_GUEST_H

#include <glib.h>

#include "sim/base/guest.h"

#define FAKE_GUEST_BASE  0x10000ull /* linear and physical address of its memory */
#define FAKE_GUEST_BYTES 0x40000u

struct fake_guest {
    struct base_guest guest;
    uint8_t memory[FAKE_GUEST_BYTES];
    uint64_t gpr[16], cr3, insns, cycles;
    unsigned vcpu, cpl;
    GArray *points;
};

void fake_guest_init(struct fake_guest *g);
void fake_guest_fini(struct fake_guest *g);
void fake_guest_poke(struct fake_guest *g, uint64_t va, const void *data, size_t size_bytes);
void fake_guest_poke64(struct fake_guest *g, uint64_t va, uint64_t value);
/** fake_guest_reach - the instruction at @va is about to execute; ten have since the last one. */
void fake_guest_reach(struct fake_guest *g, uint64_t va);
/** fake_guest_call - push @return_address and reach @function. */
void fake_guest_call(struct fake_guest *g, uint64_t function, uint64_t return_address);
/** fake_guest_return - pop the return address and reach it, with @rax. */
void fake_guest_return(struct fake_guest *g, uint64_t rax);

#endif
