/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of the CPUs over virtual time.
 *
 * Owns the timeline and the clock.  Virtual time of a CPU is its cycle counter divided by
 * the frequency, rounded down to nanoseconds; an event due at t is met at the first cycle
 * of which that is true.  Arithmetic is exact, 128 bits wide.
 */
#ifndef PARAVANE_SIM_SCHEDULER_H
#define PARAVANE_SIM_SCHEDULER_H

#include "cpu/cpu.h"
#include "sim/base/state.h"
#include "sim/machine.h"
#include "sim/timeline.h"

struct sim_scheduler;

/* A slice of a machine with one CPU: bounds only how long a host signal waits. */
#define SIM_SCHEDULER_SOLO_NS 10000000u

struct sim_scheduler_config {
    unsigned cpus;
    uint64_t frequency_hz;
    uint64_t quantum_ns; /* several CPUs: longest slice, at least 1 */
    /*
     * Asked when no CPU can run before an event wakes it.
     * @all_dead: none would take an interrupt either.
     * Returns: true with *stop to end the run, false to wait for the next event.
     */
    bool (*asleep)(void *user, bool all_dead, enum sim_stop *stop);
    void *user;
};

/** sim_scheduler_new - at instant 0.  @config is copied. */
struct sim_scheduler *sim_scheduler_new(const struct sim_scheduler_config *config);
void sim_scheduler_free(struct sim_scheduler *s);
/** sim_scheduler_set_cpu - before the first run; borrowed. */
void sim_scheduler_set_cpu(struct sim_scheduler *s, struct cpu *cpu);

/**
 * sim_scheduler_timeline - the machine's timeline, owned by the scheduler.
 * Its clock never goes back: while a CPU runs that is behind what another one has shown to
 * the devices, the devices' time stands still.
 */
struct sim_timeline *sim_scheduler_timeline(struct sim_scheduler *s);

/**
 * sim_scheduler_run - go on until a limit, a request or an end.
 * Returns: as sim_machine_run().  After LIMIT and REQUEST the next call goes on with exactly
 *          the same turns as if there had been no stop; after an end it returns that again.
 */
enum sim_stop sim_scheduler_run(struct sim_scheduler *s, const struct sim_limits *limits);

/** sim_scheduler_end - the run ends before the next instruction, for good. */
void sim_scheduler_end(struct sim_scheduler *s, enum sim_stop why);
/** sim_scheduler_request_stop - the run stops before the next instruction. */
void sim_scheduler_request_stop(struct sim_scheduler *s);
/** sim_scheduler_interrupt - async-signal-safe: the run stops soon. */
void sim_scheduler_interrupt(struct sim_scheduler *s);

/** sim_scheduler_wake - something that may wake @vcpu is about to be raised: its clock, if it
 *  sleeps, is set to the present instant. */
void sim_scheduler_wake(struct sim_scheduler *s, unsigned vcpu);

/** sim_scheduler_now_ns - for reports: how far the machine has got; while a CPU runs, its time. */
uint64_t sim_scheduler_now_ns(const struct sim_scheduler *s);
/** sim_scheduler_cpu_now_ns - the present instant as @vcpu sees it. */
uint64_t sim_scheduler_cpu_now_ns(const struct sim_scheduler *s, unsigned vcpu);
/** sim_scheduler_due_ns - the first instant at which a CPU's counter has reached @cycles. */
uint64_t sim_scheduler_due_ns(const struct sim_scheduler *s, uint64_t cycles);

/** sim_scheduler_on_settled - @fn is called whenever the CPUs have settled (see machine.h). */
void sim_scheduler_on_settled(struct sim_scheduler *s, void (*fn)(void *user), void *user);

/** sim_scheduler_position - where the run stands; between runs or from within settled. */
void sim_scheduler_position(const struct sim_scheduler *s, struct sim_position *out);

/** sim_scheduler_run_to - as sim_machine_run_to(). */
enum sim_stop sim_scheduler_run_to(struct sim_scheduler *s, const struct sim_position *to);

/** sim_scheduler_state - visit the clock, the turn and the timeline. */
void sim_scheduler_state(struct sim_scheduler *s, struct base_state *st);
/** sim_scheduler_restored - scheduler and CPUs have been loaded. */
void sim_scheduler_restored(struct sim_scheduler *s);

#endif
