/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks of a fixed frequency, counted from instant 0 of virtual time, exactly.
 *
 * Clock number n happens at the first nanosecond at or after n / hz seconds, and
 * ticks_at(ticks_ns(n)) == n.  Seconds and the rest are treated apart, so that every product
 * fits 64 bits for frequencies up to 4 GHz.
 */
#ifndef PARAVANE_SIM_DEV_TICKS_H
#define PARAVANE_SIM_DEV_TICKS_H

#include <stdint.h>

#define TICKS_NS_PER_S 1000000000ull

/** ticks_at - number of the last clock at or before @ns. */
static inline uint64_t ticks_at(uint64_t ns, uint32_t hz)
{
    return ns / TICKS_NS_PER_S * hz + ns % TICKS_NS_PER_S * hz / TICKS_NS_PER_S;
}

/** ticks_ns - the first nanosecond of clock number @clock. */
static inline uint64_t ticks_ns(uint64_t clock, uint32_t hz)
{
    return clock / hz * TICKS_NS_PER_S + (clock % hz * TICKS_NS_PER_S + hz - 1) / hz;
}

#endif
