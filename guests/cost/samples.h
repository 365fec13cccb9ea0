/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the measuring guests share: samples of one operation, in ticks of the time stamp counter, the
 * reading of the counter taken off, and the line that tells of them,
 *
 *     cost NAME LOWEST MEDIAN
 *
 * On a machine with the timing model `flat` a tick is an instruction, so the figures are exact and the same
 * in every run; the median of a run with few timer interrupts is the cost without them.
 */
#ifndef GUESTS_COST_SAMPLES_H
#define GUESTS_COST_SAMPLES_H

#include "guests/lib/clock.h"
#include "guests/lib/runtime.h"
#include "guests/lib/types.h"

#define SAMPLES 64u

/** The samples of the operation that is being measured. */
extern u64 samples[SAMPLES];

/** samples_calibrate - measure what reading the counter costs, into samples_overhead. */
void samples_calibrate(void);
extern u64 samples_overhead;

/** samples_report - print the line of @name; puts the samples in order. */
void samples_report(const char *name);

/** MEASURE - take the samples of STATEMENT and report them. */
#define MEASURE(name, statement)                                                                   \
    do {                                                                                           \
        for (u32 round_ = 0; round_ < SAMPLES; round_++) {                                         \
            u64 start_ = clock_tsc();                                                              \
            statement;                                                                             \
            samples[round_] = clock_tsc() - start_ - samples_overhead;                             \
        }                                                                                          \
        samples_report(name);                                                                      \
    } while (0)

/** check - what cannot be done cannot be measured: panics if @result is an error. */
static inline void check(const char *what, long result)
{
    if (result < 0)
        panic("%s: %ld", what, result);
}

/**
 * samples_stub - an entry point for a callback, to stand before that of guests/lib: notes when it was
 * reached, in samples_arrived, and goes on at samples_next with the registers unchanged.
 */
void samples_stub(void);
extern volatile u64 samples_arrived;
extern u64 samples_next;
/** Where it keeps two registers meanwhile. */
extern u64 samples_rax, samples_rdx;

#endif
