/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer types, error numbers and the few macros every file of hv/ uses. */
#ifndef HV_TYPES_H
#define HV_TYPES_H

/* Everything is linked into one image: no symbol goes through a table. */
#pragma GCC visibility push(hidden)

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define HV_PAGE_SHIFT 12
#define HV_PAGE_SIZE 4096ul
#define HV_PAGE_MASK (~0xffful)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define HV_NORETURN __attribute__((noreturn))
#define HV_NOINLINE __attribute__((noinline))
#define HV_WEAK __attribute__((weak))
/* Code for which size counts more than speed: it runs once, or seldom. */
#define HV_COLD __attribute__((cold))
/* Code that runs once, at boot, and is not there afterwards (hv_boot_release()); so are boot.c and
 * dom0.c as a whole. */
#define HV_INIT __attribute__((cold, noinline, section(".init.text")))
/*
 * Small functions of headers: HV_INLINE int f(void) HV_BODY({ ... }).  On the paths that guests take all
 * the time (HV_FAST, hv/Makefile.inc) they are inline; elsewhere they are declared only, because a call
 * takes less room, and hv/outline.c (HV_OUTLINE) has them once.
 */
#ifdef HV_FAST
#define HV_INLINE static inline
#else
#define HV_INLINE
#endif
#if defined(HV_FAST) || defined(HV_OUTLINE)
#define HV_BODY(...) __VA_ARGS__
#else
#define HV_BODY(...) ;
#endif
/* A place where the tracing profile sets a probe: an own function with a stable name. */
#define HV_PROBE __attribute__((noinline, noclone, noipa))

#define HV_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HV_MAX(a, b) ((a) > (b) ? (a) : (b))
#define HV_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define hv_container(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* One read of memory that a guest may change at any time. */
#define HV_READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define HV_WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define hv_barrier() __asm__ volatile("" ::: "memory")

/* Xen's error numbers, EPERM and so on; calls return them negated. */
#define XEN_ERRNO(name, value) name = value,
enum hv_errno {
#include <xen/errno.h>
    ERESTART = 85,	/* within the hypervisor: stop here and continue later */
};

struct hv_domain;
struct hv_vcpu;
struct hv_frame;

#endif
