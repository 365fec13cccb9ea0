/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time, from the page shared with the hypervisor.
 */
#ifndef GUESTS_LIB_CLOCK_H
#define GUESTS_LIB_CLOCK_H

#include "guests/lib/types.h"

/** clock_system_ns - system time of this vCPU: since the hypervisor started. */
u64 clock_system_ns(void);

/** clock_wall_ns - wall clock, since 1970. */
u64 clock_wall_ns(void);

/** clock_tsc - the time stamp counter. */
static inline u64 clock_tsc(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

/** clock_sleep_ns - block until @span_ns have passed, handling events meanwhile. */
void clock_sleep_ns(u64 span_ns);

#endif
