/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the conformance guests share: short forms of calls that nearly all of them make.  A guest
 * is one file, named after what it is about, with one function for each group of its cases: a list that is read
 * from top to bottom, and may be longer than functions are elsewhere.
 *
 * The reference is Debian's Xen 4.17: a hypothesis that it does not meet is a wrong hypothesis.
 */
#ifndef GUESTS_CONFORM_CONFORM_H
#define GUESTS_CONFORM_CONFORM_H

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/report.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"
#include "guests/lib/trap.h"
#include "guests/lib/trial.h"
#include "guests/lib/types.h"
#include "guests/lib/user.h"
#include "guests/lib/vcpu.h"

/** A page with one entry set, mapped read-only. */
static inline u64 *table_with(u32 index, u64 entry)
{
    u64 *page = page_alloc();

    page[index] = entry;
    if (memory_protect(page, MEMORY_RO))
        panic("a fresh page cannot be made read-only");
    return page;
}

/** INSN - a function for trap_try() and user_call() that runs @text, its argument in RDI, and returns 0. */
#define INSN(name, text)                                                                           \
    static u64 name(u64 arg)                                                                       \
    {                                                                                              \
        __asm__ volatile(text : "+D"(arg) : : "rax", "rbx", "rcx", "rdx", "memory", "cc");         \
        return 0;                                                                                  \
    }

/** Set one entry of the trap table: @vector is entered at the stub of @stub, with @level for INT n. */
static inline void set_trap(u8 vector, u8 level, u32 stub)
{
    const struct trap_info table[2] = {
        {.vector = vector, .flags = level, .cs = FLAT_KERNEL_CS, .address = trap_stub(stub)}, {0}};

    if (hypercall_set_trap_table(table))
        panic("the trap table was not taken");
}

#endif
