/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A binary heap of armed events, ordered by (due_ns, order).
 *
 * Invariants
 *  1. heap[0..armed) holds exactly the registered events with due_ns != SIM_TIME_NEVER,
 *     and heap[ev->heap_at] == ev for each of them.
 *  2. A parent comes before its children; no two events compare equal, because
 *     registration numbers differ.  So the order of firing is a function of the due
 *     instants alone, whatever the heap's inner layout.
 *  3. The heap has room for every registered event, so arming never allocates.
 */
#include "sim/timeline.h"

#include <glib.h>

#include "sim/base/assert.h"

struct sim_timeline {
    uint64_t (*now_ns)(void *user);
    void (*earlier)(void *user, uint64_t due_ns);
    void *user;
    struct sim_event **heap;
    struct sim_event **all; /* by registration number */
    unsigned armed;
    unsigned count;
};

struct sim_timeline *sim_timeline_new(uint64_t (*now_ns)(void *user),
                                      void (*earlier)(void *user, uint64_t due_ns), void *user)
{
    struct sim_timeline *tl = g_new0(struct sim_timeline, 1);

    tl->now_ns = now_ns;
    tl->earlier = earlier;
    tl->user = user;
    return tl;
}

void sim_timeline_free(struct sim_timeline *tl)
{
    if (!tl)
        return;
    g_free(tl->heap);
    g_free(tl->all);
    g_free(tl);
}

uint64_t sim_timeline_now_ns(const struct sim_timeline *tl)
{
    return tl->now_ns(tl->user);
}

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_place(struct sim_timeline *tl, unsigned at, struct sim_event *ev)
{
    tl->heap[at] = ev;
    ev->heap_at = at;
}

static void heap_sift_up(struct sim_timeline *tl, unsigned at, struct sim_event *ev)
{
    while (at > 0) {
        unsigned parent = (at - 1) / 2;

        if (!event_before(ev, tl->heap[parent]))
            break;
        heap_place(tl, at, tl->heap[parent]);
        at = parent;
    }
    heap_place(tl, at, ev);
}

static void heap_sift_down(struct sim_timeline *tl, unsigned at, struct sim_event *ev)
{
    for (;;) {
        unsigned child = 2 * at + 1;

        if (child >= tl->armed)
            break;
        if (child + 1 < tl->armed && event_before(tl->heap[child + 1], tl->heap[child]))
            child++;
        if (!event_before(tl->heap[child], ev))
            break;
        heap_place(tl, at, tl->heap[child]);
        at = child;
    }
    heap_place(tl, at, ev);
}

/* Puts @ev, whose due instant is new, where it belongs, starting from place @at. */
static void heap_settle(struct sim_timeline *tl, unsigned at, struct sim_event *ev)
{
    if (at > 0 && event_before(ev, tl->heap[(at - 1) / 2]))
        heap_sift_up(tl, at, ev);
    else
        heap_sift_down(tl, at, ev);
}

static void heap_remove(struct sim_timeline *tl, struct sim_event *ev)
{
    unsigned at = ev->heap_at;
    struct sim_event *last = tl->heap[--tl->armed];

    ev->due_ns = SIM_TIME_NEVER;
    if (last != ev)
        heap_settle(tl, at, last);
}

void sim_event_register(struct sim_timeline *tl, struct sim_event *ev, const char *name,
                        void (*fire)(void *user, uint64_t due_ns), void *user)
{
    *ev = (struct sim_event){
        .name = name, .fire = fire, .user = user, .due_ns = SIM_TIME_NEVER, .order = tl->count};
    tl->count++;
    tl->heap = g_renew(struct sim_event *, tl->heap, tl->count);
    tl->all = g_renew(struct sim_event *, tl->all, tl->count);
    tl->all[ev->order] = ev;
}

void sim_event_arm(struct sim_timeline *tl, struct sim_event *ev, uint64_t due_ns)
{
    uint64_t next = sim_timeline_next_ns(tl);

    BASE_ASSERT(ev->order < tl->count && tl->all[ev->order] == ev);
    if (due_ns == SIM_TIME_NEVER) {
        sim_event_cancel(tl, ev);
        return;
    }
    if (ev->due_ns == SIM_TIME_NEVER) {
        ev->due_ns = due_ns;
        heap_sift_up(tl, tl->armed++, ev);
    } else {
        ev->due_ns = due_ns;
        heap_settle(tl, ev->heap_at, ev);
    }
    if (due_ns < next && tl->earlier)
        tl->earlier(tl->user, due_ns);
}

void sim_event_cancel(struct sim_timeline *tl, struct sim_event *ev)
{
    if (ev->due_ns != SIM_TIME_NEVER)
        heap_remove(tl, ev);
}

uint64_t sim_timeline_next_ns(const struct sim_timeline *tl)
{
    return tl->armed ? tl->heap[0]->due_ns : SIM_TIME_NEVER;
}

unsigned sim_timeline_armed(const struct sim_timeline *tl)
{
    return tl->armed;
}

void sim_timeline_run(struct sim_timeline *tl, uint64_t now_ns)
{
    while (tl->armed && tl->heap[0]->due_ns <= now_ns) {
        struct sim_event *ev = tl->heap[0];
        uint64_t due_ns = ev->due_ns;

        heap_remove(tl, ev);
        ev->fire(ev->user, due_ns);
    }
}

void sim_timeline_state(struct sim_timeline *tl, struct base_state *st)
{
    base_state_tag(st, "timeline");
    for (unsigned i = 0; i < tl->count; i++)
        BASE_STATE(st, tl->all[i]->due_ns);
    if (st->mode != BASE_STATE_LOAD)
        return;
    tl->armed = 0;
    for (unsigned i = 0; i < tl->count; i++)
        if (tl->all[i]->due_ns != SIM_TIME_NEVER)
            heap_sift_up(tl, tl->armed++, tl->all[i]);
}
