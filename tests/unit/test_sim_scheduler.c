/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/rng.h"
#include "sim/scheduler.h"
#include "tests/unit/fake_cpu.h"

#define GHZ 1000000000ull

static const struct sim_limits no_limit = {UINT64_MAX, UINT64_MAX};

/* A scheduler with scripted CPUs and some events whose firing is put into a log. */
struct rig {
    struct sim_scheduler *s;
    struct sim_timeline *tl;
    struct cpu *cpu;
    struct sim_event event[4];
    unsigned wakes;     /* vCPU that an event wakes */
    uint64_t period_ns; /* of event 0: armed again; 0: not */
    bool dead_is_end;
    uint64_t clock[16]; /* what read_clock() saw */
    unsigned clocks;
    GString *fired; /* "e0@due/now " */
};

static void fired(struct rig *r, unsigned n, uint64_t due_ns)
{
    g_string_append_printf(r->fired, "e%u@%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " ", n, due_ns,
                           cpu_cycles(r->cpu, 0));
}

static void wake(struct rig *r, unsigned vcpu)
{
    sim_scheduler_wake(r->s, vcpu);
    cpu_set_intr(r->cpu, vcpu, true);
}

static void fire0(void *user, uint64_t due_ns)
{
    struct rig *r = user;

    fired(r, 0, due_ns);
    wake(r, r->wakes);
    if (r->period_ns)
        sim_event_arm(r->tl, &r->event[0], due_ns + r->period_ns);
}

static void fire1(void *user, uint64_t due_ns)
{
    fired(user, 1, due_ns);
}

static bool asleep(void *user, bool dead, enum sim_stop *stop)
{
    struct rig *r = user;

    *stop = SIM_STOP_HALTED;
    return dead && r->dead_is_end;
}

static void rig_open(struct rig *r, unsigned cpus, uint64_t frequency_hz, uint64_t quantum_ns)
{
    const struct sim_scheduler_config config = {
        .cpus = cpus,
        .frequency_hz = frequency_hz,
        .quantum_ns = quantum_ns,
        .asleep = asleep,
        .user = r,
    };

    *r = (struct rig){.dead_is_end = true, .fired = g_string_new("")};
    r->s = sim_scheduler_new(&config);
    r->tl = sim_scheduler_timeline(r->s);
    r->cpu = fake_cpu_make(cpus);
    fake_cpu_start(r->cpu);
    sim_scheduler_set_cpu(r->s, r->cpu);
    sim_event_register(r->tl, &r->event[0], "zero", fire0, r);
    sim_event_register(r->tl, &r->event[1], "one", fire1, r);
}

static void rig_close(struct rig *r)
{
    sim_scheduler_free(r->s);
    cpu_free(r->cpu);
    g_string_free(r->fired, TRUE);
}

static void rig_hash(struct rig *r, char text[BASE_HASH_TEXT])
{
    struct base_hash hash;
    struct base_state st;

    base_hash_init(&hash);
    base_state_init_hash(&st, &hash);
    sim_scheduler_state(r->s, &st);
    cpu_state(r->cpu, &st);
    base_hash_final(&hash, text);
}

static void arm1(void *user, unsigned vcpu, uint64_t due_ns)
{
    struct rig *r = user;

    (void)vcpu;
    sim_event_arm(r->tl, &r->event[1], due_ns);
}

static void wake_other(void *user, unsigned vcpu, uint64_t other)
{
    (void)vcpu;
    wake(user, (unsigned)other);
}

static void read_clock(void *user, unsigned vcpu, uint64_t n)
{
    struct rig *r = user;

    (void)vcpu;
    (void)n;
    r->clock[r->clocks++ % G_N_ELEMENTS(r->clock)] = sim_timeline_now_ns(r->tl);
}

static void request(void *user, unsigned vcpu, uint64_t n)
{
    struct rig *r = user;

    (void)vcpu;
    (void)n;
    sim_scheduler_request_stop(r->s);
}

static void end(void *user, unsigned vcpu, uint64_t why)
{
    struct rig *r = user;

    (void)vcpu;
    sim_scheduler_end(r->s, (enum sim_stop)why);
}

static enum sim_stop run_ns(struct rig *r, uint64_t virtual_ns)
{
    return sim_scheduler_run(r->s, &(struct sim_limits){UINT64_MAX, virtual_ns});
}

Test(sim_scheduler, event_is_met_at_its_first_cycle)
{
    static const uint64_t frequency[] = {GHZ, 3 * GHZ, 2 * GHZ + 1, 700000000, 1193182, 1};
    struct rig r;

    for (unsigned i = 0; i < G_N_ELEMENTS(frequency); i++) {
        uint64_t f = frequency[i], due = 1234567;
        uint64_t cycle = (uint64_t)(((unsigned __int128)due * f + GHZ - 1) / GHZ);
        g_autofree char *want = NULL;

        rig_open(&r, 1, f, 1);
        sim_event_arm(r.tl, &r.event[0], due);
        run_ns(&r, due + 1);
        want = g_strdup_printf("e0@%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " ", due, cycle);
        cr_assert_str_eq(r.fired->str, want, "at %llu Hz", (unsigned long long)f);
        rig_close(&r);
    }
}

Test(sim_scheduler, long_instruction_passes_an_event_but_not_its_order)
{
    static const struct fake_op ops[] = {{.kind = FAKE_LONG, .n = 100}, {.kind = FAKE_RUN, .n = 9}};
    struct rig r;

    rig_open(&r, 1, GHZ, 1);
    fake_cpu_script(r.cpu, 0, ops, G_N_ELEMENTS(ops), &r);
    sim_event_arm(r.tl, &r.event[0], 60);
    sim_event_arm(r.tl, &r.event[1], 50);
    run_ns(&r, 105);
    cr_assert_str_eq(r.fired->str, "e1@50/100 e0@60/100 ");
    rig_close(&r);
}

Test(sim_scheduler, halted_cpu_skips_to_the_event_that_wakes_it)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 10}, {.kind = FAKE_HALT}};
    struct rig r;

    rig_open(&r, 1, GHZ, 1);
    fake_cpu_script(r.cpu, 0, ops, G_N_ELEMENTS(ops), &r);
    sim_event_arm(r.tl, &r.event[0], 5 * GHZ);
    cr_assert_eq(run_ns(&r, 5 * GHZ + 1), SIM_STOP_LIMIT);
    cr_assert_str_eq(fake_cpu_log(r.cpu), "w0@5000000000 ");
    cr_assert_eq(cpu_insns(r.cpu), 12);
    rig_close(&r);
}

Test(sim_scheduler, cpus_take_turns_in_fixed_order)
{
    struct rig r;

    rig_open(&r, 3, GHZ, 100);
    fake_cpu_log_returns(r.cpu, true);
    sim_event_arm(r.tl, &r.event[1], 150);
    run_ns(&r, 250);
    cr_assert_str_eq(fake_cpu_log(r.cpu), "v0:100 v1:100 v2:100 v0:150 v1:150 v2:150 v0:250 v1:250 "
                                          "v2:250 ");
    rig_close(&r);
}

Test(sim_scheduler, armed_event_shortens_the_slice_for_self_and_those_to_come)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 20},
                                         {.kind = FAKE_CALL, .n = 40, .call = arm1}};
    struct rig r;

    rig_open(&r, 3, GHZ, 100);
    fake_cpu_log_returns(r.cpu, true);
    fake_cpu_script(r.cpu, 1, ops, G_N_ELEMENTS(ops), &r);
    run_ns(&r, 140);
    cr_assert_str_eq(fake_cpu_log(r.cpu), "v0:100 c1@20 v1:40 v2:40 v0:140 v1:140 v2:140 ");
    cr_assert_str_eq(r.fired->str, "e1@40/100 ");
    rig_close(&r);
}

Test(sim_scheduler, event_armed_in_the_past_fires_at_the_next_boundary)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 20},
                                         {.kind = FAKE_CALL, .n = 3, .call = arm1}};
    struct rig r;

    rig_open(&r, 1, GHZ, 1);
    fake_cpu_script(r.cpu, 0, ops, G_N_ELEMENTS(ops), &r);
    run_ns(&r, 100);
    cr_assert_str_eq(r.fired->str, "e1@3/21 ");
    rig_close(&r);
}

Test(sim_scheduler, cpu_woken_by_an_earlier_one_runs_from_the_senders_instant)
{
    static const struct fake_op sender[] = {{.kind = FAKE_RUN, .n = 130},
                                            {.kind = FAKE_CALL, .n = 1, .call = wake_other}};
    static const struct fake_op sleeper[] = {{.kind = FAKE_HALT}};
    struct rig r;

    rig_open(&r, 2, GHZ, 100);
    fake_cpu_script(r.cpu, 0, sender, 2, &r);
    fake_cpu_script(r.cpu, 1, sleeper, 1, &r);
    run_ns(&r, 300);
    cr_assert_str_eq(fake_cpu_log(r.cpu), "c0@130 w1@130 ");
    rig_close(&r);
}

Test(sim_scheduler, cpu_woken_by_a_later_one_runs_in_the_next_slice)
{
    static const struct fake_op sender[] = {{.kind = FAKE_RUN, .n = 130},
                                            {.kind = FAKE_CALL, .n = 0, .call = wake_other}};
    static const struct fake_op sleeper[] = {{.kind = FAKE_HALT}};
    struct rig r;

    rig_open(&r, 2, GHZ, 100);
    fake_cpu_script(r.cpu, 0, sleeper, 1, &r);
    fake_cpu_script(r.cpu, 1, sender, 2, &r);
    run_ns(&r, 300);
    cr_assert_str_eq(fake_cpu_log(r.cpu), "c1@130 w0@200 ");
    rig_close(&r);
}

Test(sim_scheduler, devices_clock_never_goes_back)
{
    static const struct fake_op first[] = {{.kind = FAKE_RUN, .n = 80},
                                           {.kind = FAKE_CALL, .call = read_clock}};
    static const struct fake_op second[] = {{.kind = FAKE_RUN, .n = 10},
                                            {.kind = FAKE_CALL, .call = read_clock},
                                            {.kind = FAKE_RUN, .n = 79},
                                            {.kind = FAKE_CALL, .call = read_clock}};
    struct rig r;

    rig_open(&r, 2, GHZ, 100);
    fake_cpu_script(r.cpu, 0, first, G_N_ELEMENTS(first), &r);
    fake_cpu_script(r.cpu, 1, second, G_N_ELEMENTS(second), &r);
    run_ns(&r, 150);
    cr_assert_eq(r.clocks, 3);
    cr_assert_eq(r.clock[0], 80);
    cr_assert_eq(r.clock[1], 80, "CPU 1 at 10 ns saw %llu", (unsigned long long)r.clock[1]);
    cr_assert_eq(r.clock[2], 90);
    rig_close(&r);
}

Test(sim_scheduler, everybody_halted_for_good_ends_the_run)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 7}, {.kind = FAKE_HALT_DEAD}};
    struct rig r;

    rig_open(&r, 2, GHZ, 100);
    r.period_ns = 1000;
    fake_cpu_script(r.cpu, 0, ops, 2, &r);
    fake_cpu_script(r.cpu, 1, ops, 2, &r);
    sim_event_arm(r.tl, &r.event[0], 1000);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_HALTED);
    cr_assert_eq(cpu_insns(r.cpu), 16);
    cr_assert_eq(sim_scheduler_now_ns(r.s), 8);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_HALTED);
    rig_close(&r);
}

Test(sim_scheduler, everybody_halted_with_nothing_armed_is_idle)
{
    static const struct fake_op ops[] = {{.kind = FAKE_HALT}};
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, ops, 1, &r);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_IDLE);
    rig_close(&r);
}

Test(sim_scheduler, request_stops_before_the_next_instruction)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 41},
                                         {.kind = FAKE_CALL, .call = request}};
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, ops, 2, &r);
    cr_assert_eq(run_ns(&r, 1000), SIM_STOP_REQUEST);
    cr_assert_eq(cpu_insns(r.cpu), 42);
    cr_assert_eq(run_ns(&r, 1000), SIM_STOP_LIMIT);
    cr_assert_eq(cpu_insns(r.cpu), 1000);
    rig_close(&r);
}

Test(sim_scheduler, end_is_final)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 41},
                                         {.kind = FAKE_CALL, .n = SIM_STOP_POWER_OFF, .call = end},
                                         {.kind = FAKE_CALL, .n = SIM_STOP_RESET, .call = end}};
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, ops, 3, &r);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_POWER_OFF);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_POWER_OFF);
    cr_assert_eq(cpu_insns(r.cpu), 42);
    rig_close(&r);
}

Test(sim_scheduler, triple_fault_and_crash_are_told_apart)
{
    static const struct fake_op reset[] = {{.kind = FAKE_RESET}}, crash[] = {{.kind = FAKE_CRASH}};
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, reset, 1, &r);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_TRIPLE_FAULT);
    rig_close(&r);
    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, crash, 1, &r);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_CRASH);
    rig_close(&r);
}

Test(sim_scheduler, interrupt_from_a_signal_stops_a_cpu_that_never_halts)
{
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    sim_scheduler_interrupt(r.s);
    cr_assert_eq(sim_scheduler_run(r.s, &no_limit), SIM_STOP_REQUEST);
    cr_assert_eq(run_ns(&r, 100), SIM_STOP_LIMIT);
    rig_close(&r);
}

Test(sim_scheduler, time_limit_is_exact_while_running_and_while_asleep)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 1000}, {.kind = FAKE_HALT}};
    struct rig r;

    rig_open(&r, 1, GHZ, 100);
    fake_cpu_script(r.cpu, 0, ops, 2, &r);
    sim_event_arm(r.tl, &r.event[0], 500000);
    for (uint64_t ns = 0; ns <= 500000; ns += 333) {
        cr_assert_eq(run_ns(&r, ns), SIM_STOP_LIMIT);
        cr_assert_eq(sim_scheduler_now_ns(r.s), ns, "asked for %llu, is at %llu",
                     (unsigned long long)ns, (unsigned long long)sim_scheduler_now_ns(r.s));
    }
    cr_assert_str_empty(r.fired->str);
    rig_close(&r);
}

/* ---- stopping changes nothing ---- */

#define SCRIPT_OPS 24

static void make_script(struct base_rng *rng, struct fake_op *ops, unsigned cpus)
{
    for (unsigned i = 0; i < SCRIPT_OPS - 1; i++) {
        uint64_t pick = base_rng_next(rng), n = base_rng_next(rng);

        switch (pick % 8) {
        case 0:
            ops[i] = (struct fake_op){.kind = FAKE_LONG, .n = 1 + n % 150};
            break;
        case 1:
            ops[i] = (struct fake_op){.kind = FAKE_HALT};
            break;
        case 2:
            ops[i] = (struct fake_op){.kind = FAKE_CALL, .n = n % cpus, .call = wake_other};
            break;
        case 3:
            ops[i] = (struct fake_op){.kind = FAKE_CALL, .n = n % 20000, .call = arm1};
            break;
        case 4:
            ops[i] = (struct fake_op){.kind = FAKE_CALL, .call = read_clock};
            break;
        default:
            ops[i] = (struct fake_op){.kind = FAKE_RUN, .n = 1 + n % 120};
            break;
        }
    }
    ops[SCRIPT_OPS - 1] = (struct fake_op){.kind = FAKE_LOOP, .n = 0};
}

static void random_rig(struct rig *r, struct fake_op ops[CPU_MAX_VCPUS][SCRIPT_OPS], uint64_t seed)
{
    struct base_rng rng;
    unsigned cpus;

    base_rng_init(&rng, seed, 0);
    cpus = 1 + (unsigned)(base_rng_next(&rng) % 4);
    rig_open(r, cpus, GHZ + base_rng_next(&rng) % GHZ, 1 + base_rng_next(&rng) % 200);
    r->wakes = (unsigned)(base_rng_next(&rng) % cpus);
    r->period_ns = 1 + base_rng_next(&rng) % 300;
    sim_event_arm(r->tl, &r->event[0], r->period_ns);
    for (unsigned v = 0; v < cpus; v++) {
        make_script(&rng, ops[v], cpus);
        fake_cpu_script(r->cpu, v, ops[v], SCRIPT_OPS, r);
    }
}

Test(sim_scheduler, stopping_and_going_on_changes_nothing)
{
    static struct fake_op ops[CPU_MAX_VCPUS][SCRIPT_OPS];
    char want[BASE_HASH_TEXT], got[BASE_HASH_TEXT];
    struct rig a, b;
    struct base_rng rng;

    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t last_insns;

        random_rig(&a, ops, seed);
        cr_assert_eq(sim_scheduler_run(a.s, &(struct sim_limits){20000, 1000000}), SIM_STOP_LIMIT);
        last_insns = cpu_insns(a.cpu);
        rig_hash(&a, want);

        random_rig(&b, ops, seed);
        base_rng_init(&rng, seed, 1);
        while (cpu_insns(b.cpu) < last_insns) {
            struct sim_limits step = {cpu_insns(b.cpu) + 1 + base_rng_next(&rng) % 300, UINT64_MAX};

            step.insns = MIN(step.insns, last_insns);
            if (base_rng_next(&rng) % 2)
                step.virtual_ns = sim_scheduler_now_ns(b.s) + base_rng_next(&rng) % 200;
            step.virtual_ns = MIN(step.virtual_ns, 1000000);
            cr_assert_eq(sim_scheduler_run(b.s, &step), SIM_STOP_LIMIT);
        }
        sim_scheduler_run(b.s, &(struct sim_limits){20000, 1000000});
        rig_hash(&b, got);
        cr_assert_str_eq(a.fired->str, b.fired->str, "seed %llu", (unsigned long long)seed);
        cr_assert_str_eq(fake_cpu_log(a.cpu), fake_cpu_log(b.cpu), "seed %llu",
                         (unsigned long long)seed);
        cr_assert_str_eq(want, got, "seed %llu", (unsigned long long)seed);
        rig_close(&a);
        rig_close(&b);
    }
}

/* A probe that asks for the time changes nothing either. */
Test(sim_scheduler, asking_for_the_time_between_runs_changes_nothing)
{
    static struct fake_op ops[CPU_MAX_VCPUS][SCRIPT_OPS];
    char before[BASE_HASH_TEXT], after[BASE_HASH_TEXT];
    struct rig r;

    for (uint64_t seed = 0; seed < 50; seed++) {
        random_rig(&r, ops, seed);
        sim_scheduler_run(r.s, &(struct sim_limits){777, 1000000});
        rig_hash(&r, before);
        sim_timeline_now_ns(r.tl);
        sim_scheduler_now_ns(r.s);
        rig_hash(&r, after);
        cr_assert_str_eq(before, after, "seed %llu", (unsigned long long)seed);
        rig_close(&r);
    }
}
