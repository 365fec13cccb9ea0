/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of the guest that is running, by its own addresses, and the continuation of calls.
 *
 * The guest's kernel page tables are loaded during a hypercall, so its memory is read and
 * written in place; a fault ends the copy.  An address must lie outside of the hypervisor's
 * part of the address space: that is checked for the whole range before anything is touched.
 */
#ifndef HV_GUEST_H
#define HV_GUEST_H

#include "hv/cpu.h"
#include "hv/layout.h"
#include "hv/lib.h"
#include "hv/types.h"

/** hv_guest_range_ok - whether [va, va + bytes) is guest address space. */
HV_INLINE bool hv_guest_range_ok(u64 va, u64 bytes) HV_BODY({
    u64 end = va + bytes;
    return end >= va && (end <= 0x800000000000ull || va >= HV_VA_END);
})

/**
 * hv_copy_from_guest - copies @size bytes from guest address @va.
 * Returns: 0, or how many bytes were not copied (the copy stopped at a fault).
 */
size_t hv_copy_raw(void *to, const void *from, size_t size);
HV_INLINE size_t hv_copy_from_guest(void *to, u64 va, size_t size) HV_BODY({
    return hv_guest_range_ok(va, size) ? hv_copy_raw(to, (const void *)va, size) : size;
})
/** hv_copy_to_guest - copies @size bytes to guest address @va; result as above. */
HV_INLINE size_t hv_copy_to_guest(u64 va, const void *from, size_t size) HV_BODY({
    return hv_guest_range_ok(va, size) ? hv_copy_raw((void *)va, from, size) : size;
})

/* Single words, without a call: 0 or -EFAULT. */
#define HV_GUEST_LOAD(bits, insn) \
    HV_INLINE int hv_load_guest##bits(u##bits *value, u64 va) HV_BODY({ \
        if (!hv_guest_range_ok(va, bits / 8)) \
            return -EFAULT; \
        __asm__ goto("1: " insn " \n" ".pushsection .fixups,\"a\"\n.long 1b - ., %l2 - .\n.popsection" \
            ::"r"(va), "r"(value) : "memory", "rax" : fault); \
        return 0; \
    fault: \
        return -EFAULT; \
    })
HV_GUEST_LOAD(64, "mov (%0),%%rax\n mov %%rax,(%1)")
HV_GUEST_LOAD(32, "mov (%0),%%eax\n mov %%eax,(%1)")
#undef HV_GUEST_LOAD
#define HV_GUEST_STORE(bits, reg) \
    HV_INLINE int hv_store_guest##bits(u64 va, u##bits value) HV_BODY({ \
        if (!hv_guest_range_ok(va, bits / 8)) \
            return -EFAULT; \
        __asm__ goto("1: mov %" reg "1,(%0)\n" ".pushsection .fixups,\"a\"\n.long 1b - ., %l2 - .\n.popsection" \
            ::"r"(va), "r"(value) : "memory" : fault); \
        return 0; \
    fault: \
        return -EFAULT; \
    })
HV_GUEST_STORE(64, "q")
HV_GUEST_STORE(32, "k")
HV_GUEST_STORE(16, "w")
HV_GUEST_STORE(8, "b")
#undef HV_GUEST_STORE

/* A whole object: 0 or -EFAULT. */
#define hv_load_guest(object, va) (hv_copy_from_guest((object), (va), sizeof(*(object))) ? -EFAULT : 0)
#define hv_store_guest(va, object) (hv_copy_to_guest((va), (object), sizeof(*(object))) ? -EFAULT : 0)

/**
 * hv_continue - makes the guest execute call @nr again with new arguments, after whatever
 * made the operation stop (interrupts, other vCPUs, events) has been served.
 * @nr:     hypercall number; @args: @nr_args arguments.
 * Returns: what the handler must return.
 */
long hv_continue(u32 nr, u32 nr_args, const u64 *args);
#define HV_CONTINUE(nr, ...) \
    hv_continue((nr), sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64), (const u64[]){__VA_ARGS__})

#endif
