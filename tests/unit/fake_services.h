/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for one device: the real bus and timeline, a clock that the test moves, and
 * interrupt lines and ends that are only written down.
 */
#ifndef PARAVANE_TESTS_UNIT_FAKE_SERVICES_H
#define PARAVANE_TESTS_UNIT_FAKE_SERVICES_H

#include <glib.h>
#include <string.h>

#include "sim/bus.h"

#define FAKE_LINES 24

struct fake {
    struct sim_services sv;
    uint64_t now_ns;
    bool line[FAKE_LINES];
    unsigned rises[FAKE_LINES];   /* how often the line went up */
    uint64_t rise_ns[FAKE_LINES]; /* when it last did */
    uint64_t fall_ns[FAKE_LINES];
    unsigned ends;
    enum sim_end end_why;
    uint32_t end_value;
    uint8_t sent[256]; /* by a device's tx function */
    unsigned sent_count;
};

static inline uint64_t fake_now(void *user)
{
    return ((struct fake *)user)->now_ns;
}

static inline void fake_line_set(void *user, unsigned pin, bool level)
{
    struct fake *f = user;

    if (level && !f->line[pin]) {
        f->rises[pin]++;
        f->rise_ns[pin] = f->now_ns;
    }
    if (!level && f->line[pin])
        f->fall_ns[pin] = f->now_ns;
    f->line[pin] = level;
}

static inline struct sim_irq fake_irq(void *user, unsigned irq)
{
    return (struct sim_irq){.set = fake_line_set, .user = user, .pin = irq};
}

static inline void fake_end(void *user, enum sim_end why, uint32_t value)
{
    struct fake *f = user;

    f->ends++;
    f->end_why = why;
    f->end_value = value;
}

static inline void fake_tx(void *user, uint8_t byte)
{
    struct fake *f = user;

    if (f->sent_count < sizeof(f->sent))
        f->sent[f->sent_count++] = byte;
}

static inline void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    f->sv = (struct sim_services){
        .bus = sim_bus_new(),
        .timeline = sim_timeline_new(fake_now, NULL, f),
        .isa_irq = fake_irq,
        .end = fake_end,
        .machine = f,
    };
}

static inline void fake_fini(struct fake *f)
{
    sim_timeline_free(f->sv.timeline);
    sim_bus_free(f->sv.bus);
}

/* Move the clock to @ns; every event fires at its very instant. */
static inline void fake_run_to(struct fake *f, uint64_t ns)
{
    while (sim_timeline_next_ns(f->sv.timeline) <= ns) {
        f->now_ns = MAX(f->now_ns, sim_timeline_next_ns(f->sv.timeline));
        sim_timeline_run(f->sv.timeline, f->now_ns);
    }
    f->now_ns = ns;
}

static inline void fake_run(struct fake *f, uint64_t more_ns)
{
    fake_run_to(f, f->now_ns + more_ns);
}

static inline uint32_t fake_in(struct fake *f, uint16_t port)
{
    return sim_bus_port_read(f->sv.bus, port, 1);
}

static inline void fake_out(struct fake *f, uint16_t port, uint32_t value)
{
    sim_bus_port_write(f->sv.bus, port, 1, value);
}

/* Whether what @from saves can be loaded by @to, and is then the same. */
static inline bool fake_state_moves(struct sim_device *from, struct sim_device *to)
{
    GByteArray *first = g_byte_array_new(), *second = g_byte_array_new();
    struct base_state st;
    bool same;

    base_state_init_save(&st, first);
    from->state(from->dev, &st);
    base_state_init_load(&st, first->data, first->len);
    to->state(to->dev, &st);
    same = !st.bad && st.in_left == 0;
    base_state_init_save(&st, second);
    to->state(to->dev, &st);
    same = same && first->len == second->len && memcmp(first->data, second->data, first->len) == 0;
    g_byte_array_free(first, TRUE);
    g_byte_array_free(second, TRUE);
    return same;
}

#endif
