/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * APIC timer.
 *
 *      stopped --start--> running --zero--> running (periodic), stopped (one-shot)
 *         ^------ start(0), reset, change from or to TSC-deadline mode ---'
 *
 * Invariants, outside of TSC-deadline mode
 *  1. event armed <=> running and not masked; then event.due_ns == zero_ns.
 *  2. While running and masked, zero_ns may lie in the past; catch_up() moves it.
 * In TSC-deadline mode running is 0 and the event is armed <=> deadline != 0.
 */
#include "sim/dev/lapic_timer.h"

void lapic_timer_init(struct lapic_timer *t, struct sim_timeline *timeline,
                      void (*fire)(void *user, uint64_t due_ns), void *user)
{
    t->timeline = timeline;
    sim_event_register(timeline, &t->event, "apic-timer", fire, user);
    lapic_timer_reset(t);
}

void lapic_timer_reset(struct lapic_timer *t)
{
    sim_event_cancel(t->timeline, &t->event);
    t->zero_ns = 0;
    t->deadline = 0;
    t->initial = 0;
    t->divide = 0;
    t->mode = LAPIC_TIMER_ONE_SHOT;
    t->running = 0;
    t->masked = 1;
}

/*
 * Nanoseconds per count.  Divide configuration, SDM figure 10-10: bits 3, 1, 0 are the
 * logarithm of the divisor less one, 111 means 1.
 */
static uint64_t count_ns(const struct lapic_timer *t)
{
    unsigned code = (t->divide & 3) | (t->divide >> 1 & 4);

    return 1ull << ((code + 1) & 7);
}

static uint64_t period_ns(const struct lapic_timer *t)
{
    return t->initial * count_ns(t);
}

/* Moves zero_ns behind @now_ns when the counter has reached zero without being heard. */
static void catch_up(struct lapic_timer *t, uint64_t now_ns)
{
    if (!t->running || t->zero_ns > now_ns)
        return;
    if (t->mode == LAPIC_TIMER_PERIODIC && t->initial)
        t->zero_ns += ((now_ns - t->zero_ns) / period_ns(t) + 1) * period_ns(t);
    else
        t->running = 0;
}

static void rearm(struct lapic_timer *t)
{
    if (t->running && !t->masked)
        sim_event_arm(t->timeline, &t->event, t->zero_ns);
    else
        sim_event_cancel(t->timeline, &t->event);
}

void lapic_timer_configure(struct lapic_timer *t, enum lapic_timer_mode mode, bool masked,
                           uint64_t now_ns)
{
    bool heard = !t->masked;

    if ((t->mode == LAPIC_TIMER_DEADLINE) != (mode == LAPIC_TIMER_DEADLINE)) {
        t->running = 0;
        t->initial = 0;
        t->deadline = 0;
        sim_event_cancel(t->timeline, &t->event);
    }
    /* A zero that is due and can be heard is left to the event. */
    if (!heard)
        catch_up(t, now_ns);
    t->mode = (uint8_t)mode;
    t->masked = masked;
    if (mode != LAPIC_TIMER_DEADLINE)
        rearm(t);
}

void lapic_timer_start(struct lapic_timer *t, uint32_t initial, uint64_t now_ns)
{
    if (t->mode == LAPIC_TIMER_DEADLINE)
        return;
    t->initial = initial;
    t->running = initial != 0;
    t->zero_ns = now_ns + period_ns(t);
    rearm(t);
}

uint32_t lapic_timer_count(const struct lapic_timer *t, uint64_t now_ns)
{
    uint64_t zero_ns = t->zero_ns;

    if (!t->running)
        return 0;
    if (zero_ns <= now_ns) {
        if (t->mode != LAPIC_TIMER_PERIODIC || !t->initial)
            return 0;
        zero_ns += ((now_ns - zero_ns) / period_ns(t) + 1) * period_ns(t);
    }
    return (uint32_t)((zero_ns - now_ns + count_ns(t) - 1) / count_ns(t));
}

void lapic_timer_set_divide(struct lapic_timer *t, uint32_t divide, uint64_t now_ns)
{
    uint32_t count = lapic_timer_count(t, now_ns);

    t->divide = divide;
    if (!t->running)
        return;
    t->zero_ns = now_ns + count * count_ns(t);
    rearm(t);
}

void lapic_timer_set_deadline(struct lapic_timer *t, uint64_t tsc, uint64_t due_ns)
{
    if (t->mode != LAPIC_TIMER_DEADLINE)
        return;
    t->deadline = tsc;
    if (tsc)
        sim_event_arm(t->timeline, &t->event, due_ns);
    else
        sim_event_cancel(t->timeline, &t->event);
}

uint64_t lapic_timer_deadline(const struct lapic_timer *t)
{
    return t->deadline;
}

void lapic_timer_expired(struct lapic_timer *t, uint64_t due_ns)
{
    if (t->mode == LAPIC_TIMER_DEADLINE) {
        t->deadline = 0;
        return;
    }
    catch_up(t, due_ns);
    rearm(t);
}

void lapic_timer_state(struct lapic_timer *t, struct base_state *st)
{
    BASE_STATE(st, t->zero_ns);
    BASE_STATE(st, t->deadline);
    BASE_STATE(st, t->initial);
    BASE_STATE(st, t->divide);
    BASE_STATE(st, t->mode);
    BASE_STATE(st, t->running);
    BASE_STATE(st, t->masked);
}
