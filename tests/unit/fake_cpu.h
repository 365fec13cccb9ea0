/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for cpu/ in tests of the run loop: implements cpu/cpu.h with vCPUs that
 * execute scripts.  Every instruction takes one cycle unless the script says otherwise.
 */
#ifndef PARAVANE_TESTS_UNIT_FAKE_CPU_H
#define PARAVANE_TESTS_UNIT_FAKE_CPU_H

#include "cpu/cpu.h"

enum fake_kind {
    FAKE_RUN,       /* @n instructions */
    FAKE_LONG,      /* one instruction of @n cycles */
    FAKE_CALL,      /* one instruction that calls @call with @n */
    FAKE_HALT,      /* HLT with interrupts on */
    FAKE_HALT_DEAD, /* HLT with interrupts off */
    FAKE_LOOP,      /* no instruction: go on at operation @n */
    FAKE_RESET,     /* triple fault */
    FAKE_CRASH,
};

struct fake_op {
    enum fake_kind kind;
    uint64_t n;
    void (*call)(void *user, unsigned vcpu, uint64_t n);
};

/** fake_cpu_script - @ops is borrowed; after its end the vCPU runs on and on. */
void fake_cpu_script(struct cpu *cpu, unsigned vcpu, const struct fake_op *ops, unsigned count,
                     void *user);

/** fake_cpu_bus - what cpu_new() was given. */
const struct cpu_bus *fake_cpu_bus(const struct cpu *cpu);

/** fake_cpu_make - without a bus. */
struct cpu *fake_cpu_make(unsigned count);

/** fake_cpu_start - all vCPUs run, none waits for SIPI. */
void fake_cpu_start(struct cpu *cpu);

/** fake_cpu_log - what happened, as text: "v0:100 " vCPU 0 came back at cycle 100; "c1@7 " a
 *  call of vCPU 1 at cycle 7; "w1@9 " it woke; "i1@9=48 " it took an interrupt. */
const char *fake_cpu_log(const struct cpu *cpu);
/** fake_cpu_log_returns - whether "v" entries are written (off at first). */
void fake_cpu_log_returns(struct cpu *cpu, bool on);

#endif
