/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the conformance guests share: short forms of calls that nearly all of them make.  A guest
 * is one file, named after what it is about, with one function for each group of its cases.
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
#include "guests/lib/types.h"
#include "guests/lib/user.h"
#include "guests/lib/vcpu.h"

/* Addresses no guest may give: in the hypervisor's range, not canonical, not mapped. */
#define VA_HYPERVISOR    0xffff830000000000ul
#define VA_NONCANONICAL  0x8000000000000000ul
#define VA_UNMAPPED      0x0000700000000000ul
/* A domain that does not exist. */
#define DOMID_NOBODY 0x7abc
/* A frame number beyond any memory. */
#define MFN_BEYOND 0xfffffffffful

/** One mmuext_op on this domain. */
static inline long mmuext(u32 cmd, u64 arg1, u64 arg2)
{
    struct mmuext_op op = {.cmd = cmd};

    op.arg1.mfn = arg1;
    __builtin_memcpy(&op.arg2, &arg2, sizeof arg2);
    return hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

/** A zeroed page, mapped read-only: fit to become a table. */
static inline u64 *table_page(void)
{
    u64 *page = page_alloc();

    if (memory_protect(page, MEMORY_RO))
        panic("a fresh page cannot be made read-only");
    return page;
}

/** A page with one entry set, mapped read-only. */
static inline u64 *table_with(u32 index, u64 entry)
{
    u64 *page = page_alloc();

    page[index] = entry;
    if (memory_protect(page, MEMORY_RO))
        panic("a fresh page cannot be made read-only");
    return page;
}

/** The entry for a page of the linear map. */
static inline u64 entry_of(const void *page, u64 flags)
{
    return (memory_virt_to_mfn(page) << PAGE_SHIFT) | flags;
}

/** INSN - a function for trap_try() and user_call() that runs @text, its argument in RDI, and returns 0. */
#define INSN(name, text)                                                                           \
    static u64 name(u64 arg)                                                                       \
    {                                                                                              \
        __asm__ volatile(text : "+D"(arg) : : "rax", "rbx", "rcx", "rdx", "memory", "cc");         \
        return 0;                                                                                  \
    }

/** The number of this domain, which DOMID_SELF hides: a port says for whom it is. */
static inline u16 own_id(void)
{
    evtchn_status_t s = {.dom = DOMID_SELF};
    long port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);

    s.port = (u32)port;
    hypercall_event_channel_op(EVTCHNOP_status, &s);
    event_close((u32)port);
    return s.u.unbound.dom;
}

/** Set one entry of the trap table: @vector is entered at the stub of @stub, with @level for INT n. */
static inline void set_trap(u8 vector, u8 level, u32 stub)
{
    const struct trap_info table[2] = {
        {.vector = vector, .flags = level, .cs = FLAT_KERNEL_CS, .address = trap_stub(stub)}, {0}};

    if (hypercall_set_trap_table(table))
        panic("the trap table was not taken");
}

/** Write an entry of a page that may be a table. */
static inline long set_entry(const u64 *at, u64 value)
{
    return memory_update(memory_virt_to_maddr(at), value);
}

#endif
