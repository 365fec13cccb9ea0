/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "sim/base/rng.h"
#include "sim/timeline.h"

#define EVENTS 40

struct rig {
    struct sim_timeline *tl;
    uint64_t now_ns;
    uint64_t earlier_ns; /* last call of earlier() */
    unsigned earlier_calls;
    struct sim_event event[EVENTS];
    GArray *fired;           /* struct firing */
    struct sim_event *chain; /* armed by every firing of event 0, at chain_ns */
    uint64_t chain_ns;
};

struct firing {
    uint64_t due_ns;
    unsigned order;
};

static uint64_t rig_now(void *user)
{
    return ((struct rig *)user)->now_ns;
}

static void rig_earlier(void *user, uint64_t due_ns)
{
    struct rig *r = user;

    r->earlier_ns = due_ns;
    r->earlier_calls++;
}

static struct rig *the_rig;

static void fire(void *user, uint64_t due_ns)
{
    struct sim_event *ev = user;
    struct firing f = {due_ns, ev->order};

    g_array_append_val(the_rig->fired, f);
    if (ev->order == 0 && the_rig->chain)
        sim_event_arm(the_rig->tl, the_rig->chain, the_rig->chain_ns);
}

static void rig_open(struct rig *r)
{
    *r = (struct rig){.fired = g_array_new(FALSE, FALSE, sizeof(struct firing))};
    r->tl = sim_timeline_new(rig_now, rig_earlier, r);
    for (unsigned i = 0; i < EVENTS; i++)
        sim_event_register(r->tl, &r->event[i], "test", fire, &r->event[i]);
    the_rig = r;
}

static void rig_close(struct rig *r)
{
    sim_timeline_free(r->tl);
    g_array_free(r->fired, TRUE);
}

static struct firing fired(struct rig *r, unsigned i)
{
    cr_assert_lt(i, r->fired->len);
    return g_array_index(r->fired, struct firing, i);
}

Test(sim_timeline, registered_event_is_not_armed)
{
    struct rig r;

    rig_open(&r);
    cr_assert_eq(sim_timeline_next_ns(r.tl), SIM_TIME_NEVER);
    cr_assert_eq(sim_timeline_armed(r.tl), 0);
    sim_timeline_run(r.tl, SIM_TIME_NEVER - 1);
    cr_assert_eq(r.fired->len, 0);
    rig_close(&r);
}

Test(sim_timeline, same_instant_fires_in_order_of_registration)
{
    struct rig r;

    rig_open(&r);
    for (unsigned i = EVENTS; i > 0; i--)
        sim_event_arm(r.tl, &r.event[i - 1], 100);
    sim_timeline_run(r.tl, 100);
    cr_assert_eq(r.fired->len, EVENTS);
    for (unsigned i = 0; i < EVENTS; i++)
        cr_assert_eq(fired(&r, i).order, i);
    rig_close(&r);
}

Test(sim_timeline, run_fires_what_is_due_and_no_more)
{
    struct rig r;

    rig_open(&r);
    sim_event_arm(r.tl, &r.event[0], 9);
    sim_event_arm(r.tl, &r.event[1], 10);
    sim_event_arm(r.tl, &r.event[2], 11);
    sim_timeline_run(r.tl, 10);
    cr_assert_eq(r.fired->len, 2);
    cr_assert_eq(r.event[0].due_ns, SIM_TIME_NEVER);
    cr_assert_eq(sim_timeline_next_ns(r.tl), 11);
    rig_close(&r);
}

Test(sim_timeline, what_a_firing_arms_fires_in_the_same_run_if_due)
{
    struct rig r;

    rig_open(&r);
    r.chain = &r.event[3];
    r.chain_ns = 7;
    sim_event_arm(r.tl, &r.event[0], 5);
    sim_event_arm(r.tl, &r.event[1], 8);
    sim_timeline_run(r.tl, 10);
    cr_assert_eq(r.fired->len, 3);
    cr_assert_eq(fired(&r, 1).order, 3);
    cr_assert_eq(fired(&r, 1).due_ns, 7);
    rig_close(&r);
}

Test(sim_timeline, earlier_is_called_only_when_the_first_instant_gets_earlier)
{
    struct rig r;

    rig_open(&r);
    sim_event_arm(r.tl, &r.event[0], 50);
    cr_assert_eq(r.earlier_calls, 1);
    sim_event_arm(r.tl, &r.event[1], 50);
    sim_event_arm(r.tl, &r.event[2], 60);
    sim_event_arm(r.tl, &r.event[0], 70);
    cr_assert_eq(r.earlier_calls, 1);
    sim_event_arm(r.tl, &r.event[2], 20);
    cr_assert_eq(r.earlier_calls, 2);
    cr_assert_eq(r.earlier_ns, 20);
    rig_close(&r);
}

Test(sim_timeline, arming_for_never_cancels)
{
    struct rig r;

    rig_open(&r);
    sim_event_arm(r.tl, &r.event[0], 50);
    sim_event_arm(r.tl, &r.event[0], SIM_TIME_NEVER);
    cr_assert_eq(sim_timeline_armed(r.tl), 0);
    sim_event_cancel(r.tl, &r.event[0]);
    cr_assert_eq(sim_timeline_next_ns(r.tl), SIM_TIME_NEVER);
    rig_close(&r);
}

/* Against a plain search for the smallest. */
Test(sim_timeline, any_history_of_arming_fires_in_order_of_due_and_registration)
{
    struct base_rng rng;
    struct rig r;

    rig_open(&r);
    base_rng_init(&rng, 42, 0);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned before = r.fired->len;
        uint64_t until;

        for (unsigned i = 0; i < 12; i++) {
            struct sim_event *ev = &r.event[base_rng_next(&rng) % EVENTS];

            if (base_rng_next(&rng) % 4 == 0)
                sim_event_cancel(r.tl, ev);
            else
                sim_event_arm(r.tl, ev, r.now_ns + base_rng_next(&rng) % 30);
        }
        until = r.now_ns + base_rng_next(&rng) % 20;
        for (unsigned i = before;; i++) {
            struct sim_event *first = NULL;
            struct firing want;

            for (unsigned e = 0; e < EVENTS; e++)
                if (r.event[e].due_ns <= until && (!first || r.event[e].due_ns < first->due_ns))
                    first = &r.event[e];
            if (!first)
                break;
            want = (struct firing){first->due_ns, first->order};
            sim_timeline_run(r.tl, first->due_ns);
            cr_assert_eq(fired(&r, i).due_ns, want.due_ns, "round %u", round);
            cr_assert_eq(fired(&r, i).order, want.order, "round %u", round);
            /* others of the same instant have fired too, by registration */
            while (i + 1 < r.fired->len) {
                i++;
                cr_assert_eq(fired(&r, i).due_ns, want.due_ns);
                cr_assert_gt(fired(&r, i).order, fired(&r, i - 1).order);
            }
        }
        r.now_ns = until;
    }
    rig_close(&r);
}

Test(sim_timeline, loaded_state_fires_like_the_saved_one)
{
    g_autoptr(GByteArray) saved = g_byte_array_new();
    struct base_state st;
    struct rig r;

    rig_open(&r);
    for (unsigned i = 0; i < EVENTS; i++)
        if (i % 3)
            sim_event_arm(r.tl, &r.event[i], (i * 37) % 11);
    base_state_init_save(&st, saved);
    sim_timeline_state(r.tl, &st);
    sim_timeline_run(r.tl, 100);
    rig_close(&r);

    rig_open(&r);
    sim_event_arm(r.tl, &r.event[0], 1);
    base_state_init_load(&st, saved->data, saved->len);
    sim_timeline_state(r.tl, &st);
    cr_assert_not(st.bad);
    sim_timeline_run(r.tl, 100);
    cr_assert_eq(r.fired->len, 26);
    for (unsigned i = 1; i < r.fired->len; i++)
        cr_assert(fired(&r, i).due_ns > fired(&r, i - 1).due_ns ||
                  (fired(&r, i).due_ns == fired(&r, i - 1).due_ns &&
                   fired(&r, i).order > fired(&r, i - 1).order));
    rig_close(&r);
}
