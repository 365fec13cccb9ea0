/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slices and turns.
 *
 *     T = time_ns                                     T' = slice_end_ns
 *     |---- CPU 0 runs ------------------------------>|  events due at T' fire,
 *     |---- CPU 1 runs ---> HLT . . . . . . . . . . . |  then the next slice begins
 *     |. . . asleep . . . . woken by CPU 1 --- runs ->|
 *
 *     next_slice --turn = 0--> take_turn(0) --> take_turn(1) ... --turn = cpus--> next_slice
 *
 * Invariants
 *  1. T' = min(T + quantum, earliest event) when the slice begins; an event that a running
 *     CPU arms before T' lowers T' (clock_earlier), for that CPU and those whose turn is
 *     still to come.  T' is never before T.
 *  2. At the end of a slice every CPU is asleep or its clock is at T' or later.  Later:
 *     by the length of an instruction, or because T' was lowered after its turn.
 *  3. asleep[v]: v could not run when it was last asked.  When it can, its clock goes to
 *     the instant at which it was woken, or T if its turn in that slice was over.
 *  4. What happens is a function of the members under "history" and of the machine's
 *     parts.  Limits and requests only decide when sim_scheduler_run() returns.
 *  5. Whenever the machine has retired a multiple of SIM_MACHINE_SETTLE_INSNS instructions the
 *     CPUs settle, in every run, whoever looks.
 *  6. When no CPU can run the slice ends at the next event, wherever that is.
 */
#include "sim/scheduler.h"

#include <signal.h>

#include "sim/base/assert.h"

#define NS_PER_S 1000000000u

struct sim_scheduler {
    struct sim_scheduler_config config;
    struct cpu *cpu;
    struct sim_timeline *timeline;

    /* history */
    uint64_t time_ns;
    uint64_t slice_end_ns;
    uint64_t device_ns; /* latest instant that a running CPU has shown to the devices */
    uint32_t turn;      /* whose turn it is; config.cpus: the slice is over */
    uint8_t asleep[CPU_MAX_VCPUS];
    uint8_t ended;
    uint8_t end; /* enum sim_stop, if ended */
    uint64_t settle_at; /* follows from the instruction count */

    void (*settled)(void *user);
    void *settled_user;

    /* of the present call only */
    bool running; /* cpu_run() is on the stack */
    bool requested;
    uint64_t waited_ns; /* a time limit was reached while all were asleep */
    volatile sig_atomic_t interrupted;
};

static uint64_t cycles_to_ns(const struct sim_scheduler *s, uint64_t cycles)
{
    if (s->config.frequency_hz == NS_PER_S)
        return cycles;
    return (uint64_t)((unsigned __int128)cycles * NS_PER_S / s->config.frequency_hz);
}

/* The first cycle at which the time is @ns. */
static uint64_t ns_to_cycles(const struct sim_scheduler *s, uint64_t ns)
{
    unsigned __int128 cycles;

    if (ns == SIM_TIME_NEVER)
        return CPU_CYCLES_NEVER;
    cycles = ((unsigned __int128)ns * s->config.frequency_hz + NS_PER_S - 1) / NS_PER_S;
    return cycles < CPU_CYCLES_NEVER ? (uint64_t)cycles : CPU_CYCLES_NEVER;
}

static uint64_t turn_ns(const struct sim_scheduler *s)
{
    return cycles_to_ns(s, cpu_cycles(s->cpu, s->turn));
}

static uint64_t clock_now(void *user)
{
    struct sim_scheduler *s = user;

    if (s->running)
        s->device_ns = MAX(s->device_ns, turn_ns(s));
    return MAX(s->device_ns, s->time_ns);
}

static void clock_earlier(void *user, uint64_t due_ns)
{
    struct sim_scheduler *s = user;

    due_ns = MAX(due_ns, s->time_ns);
    if (!s->running || due_ns >= s->slice_end_ns)
        return;
    s->slice_end_ns = due_ns;
    cpu_lower_deadline(s->cpu, ns_to_cycles(s, due_ns));
}

struct sim_scheduler *sim_scheduler_new(const struct sim_scheduler_config *config)
{
    struct sim_scheduler *s = g_new0(struct sim_scheduler, 1);

    BASE_ASSERT(config->cpus >= 1 && config->cpus <= CPU_MAX_VCPUS);
    BASE_ASSERT(config->frequency_hz > 0 && config->quantum_ns > 0);
    s->config = *config;
    if (config->cpus == 1)
        s->config.quantum_ns = SIM_SCHEDULER_SOLO_NS;
    s->turn = config->cpus;
    s->settle_at = SIM_MACHINE_SETTLE_INSNS;
    s->timeline = sim_timeline_new(clock_now, clock_earlier, s);
    return s;
}

void sim_scheduler_free(struct sim_scheduler *s)
{
    if (!s)
        return;
    sim_timeline_free(s->timeline);
    g_free(s);
}

void sim_scheduler_set_cpu(struct sim_scheduler *s, struct cpu *cpu)
{
    s->cpu = cpu;
}

struct sim_timeline *sim_scheduler_timeline(struct sim_scheduler *s)
{
    return s->timeline;
}

void sim_scheduler_end(struct sim_scheduler *s, enum sim_stop why)
{
    if (s->ended)
        return;
    s->ended = 1;
    s->end = (uint8_t)why;
    if (s->running)
        cpu_request_stop(s->cpu);
}

void sim_scheduler_request_stop(struct sim_scheduler *s)
{
    s->requested = true;
    if (s->running)
        cpu_request_stop(s->cpu);
}

void sim_scheduler_interrupt(struct sim_scheduler *s)
{
    s->interrupted = 1;
}

void sim_scheduler_wake(struct sim_scheduler *s, unsigned vcpu)
{
    if (cpu_is_runnable(s->cpu, vcpu))
        return;
    cpu_skip_to(s->cpu, vcpu,
                s->running ? cpu_cycles(s->cpu, s->turn) : ns_to_cycles(s, s->time_ns));
}

uint64_t sim_scheduler_cpu_now_ns(const struct sim_scheduler *s, unsigned vcpu)
{
    uint64_t own_ns = cycles_to_ns(s, cpu_cycles(s->cpu, vcpu));

    return s->running && vcpu == s->turn ? own_ns : MAX(own_ns, s->time_ns);
}

uint64_t sim_scheduler_due_ns(const struct sim_scheduler *s, uint64_t cycles)
{
    uint64_t f = s->config.frequency_hz;
    unsigned __int128 ns = ((unsigned __int128)cycles * NS_PER_S + f - 1) / f;

    return cycles < CPU_CYCLES_NEVER && ns < SIM_TIME_NEVER ? (uint64_t)ns : SIM_TIME_NEVER;
}

uint64_t sim_scheduler_now_ns(const struct sim_scheduler *s)
{
    uint64_t ns = MAX(s->time_ns, s->waited_ns);

    if (s->running)
        return turn_ns(s);
    for (unsigned v = 0; v < s->config.cpus; v++)
        ns = MAX(ns, cycles_to_ns(s, cpu_cycles(s->cpu, v)));
    return ns;
}

/*
 * The turn of one CPU, or a part of it.
 * Returns: true with *stop when the time limit has been reached.
 */
static bool take_turn(struct sim_scheduler *s, const struct sim_limits *limits, enum sim_stop *stop)
{
    uint64_t deadline = ns_to_cycles(s, s->slice_end_ns);
    uint64_t limit = ns_to_cycles(s, limits->virtual_ns);
    unsigned v = s->turn;
    enum cpu_stop why;

    if (!cpu_is_runnable(s->cpu, v)) {
        s->asleep[v] = 1;
        s->turn++;
        return false;
    }
    if (s->asleep[v]) {
        s->asleep[v] = 0;
        cpu_skip_to(s->cpu, v, ns_to_cycles(s, s->time_ns));
    }
    if (cpu_cycles(s->cpu, v) >= deadline) {
        s->turn++;
        return false;
    }
    if (cpu_cycles(s->cpu, v) >= limit) {
        *stop = SIM_STOP_LIMIT;
        return true;
    }
    s->running = true;
    why = cpu_run(s->cpu, v, MIN(deadline, limit), MIN(limits->insns, s->settle_at));
    s->running = false;
    if (why == CPU_STOP_RESET)
        sim_scheduler_end(s, SIM_STOP_TRIPLE_FAULT);
    else if (why == CPU_STOP_CRASH)
        sim_scheduler_end(s, SIM_STOP_CRASH);
    return false;
}

static bool can_run(const struct sim_scheduler *s)
{
    for (unsigned v = 0; v < s->config.cpus; v++)
        if (cpu_is_runnable(s->cpu, v))
            return true;
    return false;
}

static bool all_dead(const struct sim_scheduler *s)
{
    for (unsigned v = 0; v < s->config.cpus; v++)
        if (!cpu_is_dead_halted(s->cpu, v))
            return false;
    return true;
}

/*
 * Ends the slice and begins the next one.
 * Returns: true with *stop when the machine sleeps for good or beyond the time limit.
 */
static bool next_slice(struct sim_scheduler *s, const struct sim_limits *limits,
                       enum sim_stop *stop)
{
    uint64_t end_ns = s->slice_end_ns;

    if (!can_run(s)) {
        if (s->config.asleep(s->config.user, all_dead(s), stop))
            return true;
        *stop = SIM_STOP_IDLE;
        end_ns = sim_timeline_next_ns(s->timeline);
        if (end_ns == SIM_TIME_NEVER)
            return true;
        end_ns = MAX(end_ns, s->time_ns);
    }
    if (end_ns > limits->virtual_ns) {
        s->waited_ns = limits->virtual_ns;
        *stop = SIM_STOP_LIMIT;
        return true;
    }
    s->time_ns = end_ns;
    sim_timeline_run(s->timeline, s->time_ns);
    s->slice_end_ns = MIN(s->time_ns + s->config.quantum_ns, sim_timeline_next_ns(s->timeline));
    s->turn = 0;
    return false;
}

static void settle(struct sim_scheduler *s)
{
    s->settle_at = (cpu_insns(s->cpu) / SIM_MACHINE_SETTLE_INSNS + 1) * SIM_MACHINE_SETTLE_INSNS;
    cpu_settle(s->cpu);
    if (s->settled)
        s->settled(s->settled_user);
}

/* What comes before each part of a turn.  Returns: true with *stop to end the run. */
static bool must_stop(struct sim_scheduler *s, enum sim_stop *stop)
{
    if (s->ended) {
        *stop = (enum sim_stop)s->end;
        return true;
    }
    if (s->requested || s->interrupted) {
        s->requested = false;
        s->interrupted = 0;
        *stop = SIM_STOP_REQUEST;
        return true;
    }
    if (cpu_insns(s->cpu) >= s->settle_at)
        settle(s);
    return false;
}

static bool go_on(struct sim_scheduler *s, const struct sim_limits *limits, enum sim_stop *stop)
{
    return s->turn < s->config.cpus ? take_turn(s, limits, stop) : next_slice(s, limits, stop);
}

enum sim_stop sim_scheduler_run(struct sim_scheduler *s, const struct sim_limits *limits)
{
    enum sim_stop stop;

    s->waited_ns = 0;
    while (!must_stop(s, &stop)) {
        if (cpu_insns(s->cpu) >= limits->insns)
            return SIM_STOP_LIMIT;
        if (go_on(s, limits, &stop))
            return stop;
    }
    return stop;
}

void sim_scheduler_on_settled(struct sim_scheduler *s, void (*fn)(void *user), void *user)
{
    s->settled = fn;
    s->settled_user = user;
}

void sim_scheduler_position(const struct sim_scheduler *s, struct sim_position *out)
{
    *out = (struct sim_position){.insns = cpu_insns(s->cpu), .slice_ns = s->time_ns, .turn = s->turn};
}

static bool same_position(const struct sim_position *a, const struct sim_position *b)
{
    return a->insns == b->insns && a->slice_ns == b->slice_ns && a->turn == b->turn;
}

/* So often may a part of a turn leave the position as it is: it has delivered an interrupt. */
#define STANDING_MAX 10000u

/*
 * Of a sleeping machine time goes on and its instruction count does not: the position is that
 * of the loop.  What was passed, or is not approached any more, is not on the way.
 */
enum sim_stop sim_scheduler_run_to(struct sim_scheduler *s, const struct sim_position *to)
{
    const struct sim_limits limits = {to->insns, UINT64_MAX};
    struct sim_position before, now;
    unsigned standing = 0;
    enum sim_stop stop;

    sim_scheduler_position(s, &now);
    while (!must_stop(s, &stop)) {
        if (same_position(&now, to) || now.insns > to->insns || now.slice_ns > to->slice_ns)
            return SIM_STOP_LIMIT;
        before = now;
        if (go_on(s, &limits, &stop))
            return stop;
        sim_scheduler_position(s, &now);
        standing = same_position(&before, &now) ? standing + 1 : 0;
        if (standing > STANDING_MAX)
            return SIM_STOP_LIMIT;
    }
    return stop;
}

void sim_scheduler_state(struct sim_scheduler *s, struct base_state *st)
{
    base_state_tag(st, "scheduler");
    BASE_STATE(st, s->time_ns);
    BASE_STATE(st, s->slice_end_ns);
    BASE_STATE(st, s->device_ns);
    BASE_STATE(st, s->turn);
    BASE_STATE(st, s->asleep);
    BASE_STATE(st, s->ended);
    BASE_STATE(st, s->end);
    sim_timeline_state(s->timeline, st);
    if (st->mode == BASE_STATE_LOAD && s->turn > s->config.cpus)
        st->bad = true;
}

void sim_scheduler_restored(struct sim_scheduler *s)
{
    s->settle_at = (cpu_insns(s->cpu) / SIM_MACHINE_SETTLE_INSNS + 1) * SIM_MACHINE_SETTLE_INSNS;
    s->requested = false;
    s->interrupted = 0;
    s->waited_ns = 0;
}
