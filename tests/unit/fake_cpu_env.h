/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One vCPU without an engine: a register file and 1 MiB of memory, mapped one to one.
 * What cpu/deliver*.c, transition.c, reset.c, cpuid.c and msr.c need of the rest of cpu/.
 */
#ifndef PARAVANE_TESTS_FAKE_CPU_ENV_H
#define PARAVANE_TESTS_FAKE_CPU_ENV_H

#include "cpu/internal.h"

#define FAKE_MEMORY_BYTES 0x100000u

/* Restrictions of a page; 0: everybody may do everything. */
enum { FAKE_ABSENT = 1, FAKE_READ_ONLY = 2, FAKE_SUPERVISOR = 4 };

struct cpu {
    union {
        struct cpu_env env;
        uint8_t bytes[6000];
    };
    struct cpu_vcpu vcpu;
    struct cpu_config config;
    struct cpu_bus bus;
    const struct cpu_model *model;
    uint64_t apic_base, deadline;
    unsigned deadline_writes;
    bool no_deadline; /* the local APIC has no such mode */
    char crash[200];
    uint8_t xmm[16][16];
    uint8_t page[FAKE_MEMORY_BYTES / PAGE_SIZE];
    uint8_t memory[FAKE_MEMORY_BYTES];
};

/** fake_new - zeroed, model paravane-v1, one CPU; freed by g_free(). */
struct cpu *fake_new(void);

/** fake_peek, fake_poke - @size bytes, little-endian, past all checks. */
uint64_t fake_peek(const struct cpu *c, uint64_t va, unsigned size);
void fake_poke(struct cpu *c, uint64_t va, uint64_t value, unsigned size);

#endif
