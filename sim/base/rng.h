/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeded generator: the only source of randomness in the simulator
 * (RDRAND, RDSEED, anything scattered on purpose).
 */
#ifndef PARAVANE_SIM_BASE_RNG_H
#define PARAVANE_SIM_BASE_RNG_H

#include <stdint.h>

struct base_rng {
    uint64_t s[4];
};

/** base_rng_init - start the stream number @stream of @seed; streams are independent. */
void base_rng_init(struct base_rng *rng, uint64_t seed, uint64_t stream);

/** base_rng_next - next 64 bits. */
uint64_t base_rng_next(struct base_rng *rng);

#endif
