/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The integer types and small macros of the PV guests.  The compiler's own freestanding
 * headers supply the rest.
 */
#ifndef GUESTS_LIB_TYPES_H
#define GUESTS_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define ALIGNED(n)      __attribute__((aligned(n)))
#define PAGE_ALIGNED    ALIGNED(4096)
#define NORETURN        __attribute__((noreturn))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define BARRIER()       __asm__ volatile("" ::: "memory")

#endif
