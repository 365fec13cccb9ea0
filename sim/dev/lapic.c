/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APICs: acceptance, priority, delivery to the CPUs.
 *
 * Life of a fixed interrupt, and the function of each transition:
 *
 *     message, LVT --lapic_accept--> IRR --lapic_ack--> ISR --lapic_eoi--> gone
 *                                                        (level: EOI to the IO-APIC)
 *
 * Invariants
 *  1. The CPU's request line is a function of the registers and pins; lapic_update()
 *     computes it after every change of IRR, ISR, TPR, LINT0 or its entry.
 *  2. A vector below 16 is never in IRR or ISR.
 *  3. While an APIC is disabled by IA32_APIC_BASE its registers have their reset values.
 */
#include "sim/dev/lapic_internal.h"

#include <glib.h>
#include <string.h>

#include "sim/base/assert.h"

static bool map_test(const uint32_t map[8], unsigned vector)
{
    return map[vector / 32] >> (vector % 32) & 1;
}

static void map_assign(uint32_t map[8], unsigned vector, bool value)
{
    uint32_t bit = 1u << (vector % 32);

    map[vector / 32] = value ? map[vector / 32] | bit : map[vector / 32] & ~bit;
}

int lapic_highest(const uint32_t map[8])
{
    for (int word = 7; word >= 0; word--)
        if (map[word])
            return 32 * word + 31 - __builtin_clz(map[word]);
    return -1;
}

static bool is_present(const struct lapic_cpu *a)
{
    return a->base & BASE_ENABLE;
}

static bool is_software_enabled(const struct lapic_cpu *a)
{
    return is_present(a) && (a->svr & SVR_ENABLED);
}

/* SDM 10.8.3.1: the class is the higher one of TPR and the interrupt in service. */
uint32_t lapic_ppr(const struct lapic_cpu *a)
{
    int serving = lapic_highest(a->isr);
    uint32_t isrv = serving < 0 ? 0 : (uint32_t)serving;

    return a->tpr >> 4 >= isrv >> 4 ? a->tpr : isrv & 0xf0;
}

/* The vector that the CPU would be given now, -1 if none gets past the priority. */
static int deliverable(const struct lapic_cpu *a)
{
    int vector = lapic_highest(a->irr);

    return vector >= 0 && (uint32_t)vector >> 4 > lapic_ppr(a) >> 4 ? vector : -1;
}

/* ExtINT bypasses IRR and priorities: the 8259 pair's request goes straight to the CPU. */
static bool extint_pending(const struct lapic_cpu *a)
{
    if (!is_present(a))
        return a->set->lint[0];
    if (a->extint)
        return true;
    return a->set->lint[0] && !(a->lvt[LVT_LINT0] & LVT_MASKED) &&
           LVT_MODE(a->lvt[LVT_LINT0]) == APIC_EXTINT;
}

void lapic_update(struct lapic_cpu *a)
{
    const struct lapic_wires *w = a->set->wires;

    w->set_intr(w->user, a->vcpu, extint_pending(a) || deliverable(a) >= 0);
}

/*
 * SDM 10.5.3: errors collect until software writes the ESR; the error interrupt comes with
 * the first one and again after that write.
 */
void lapic_error(struct lapic_cpu *a, uint32_t bit)
{
    bool first = a->esr_logged == 0;
    uint32_t lvt = a->lvt[LVT_ERROR];

    a->esr_logged |= bit;
    if (first && !(lvt & LVT_MASKED))
        lapic_accept(a, APIC_FIXED, (uint8_t)lvt, false);
}

static bool accept_fixed(struct lapic_cpu *a, uint8_t vector, bool level)
{
    if (!is_software_enabled(a))
        return false;
    if (vector < 16) {
        lapic_error(a, ESR_RECEIVE_VECTOR);
        return false;
    }
    map_assign(a->irr, vector, true);
    map_assign(a->tmr, vector, level);
    lapic_update(a);
    return true;
}

bool lapic_accept(struct lapic_cpu *a, enum apic_mode mode, uint8_t vector, bool level)
{
    const struct lapic_wires *w = a->set->wires;

    if (!is_present(a))
        return false;
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        return accept_fixed(a, vector, level);
    case APIC_NMI:
        w->raise_nmi(w->user, a->vcpu);
        return true;
    case APIC_INIT:
        lapic_cpu_reset(a);
        lapic_update(a);
        w->raise_init(w->user, a->vcpu);
        return true;
    case APIC_STARTUP:
        w->raise_sipi(w->user, a->vcpu, vector);
        return true;
    case APIC_EXTINT:
        a->extint = 1;
        lapic_update(a);
        return true;
    case APIC_SMI:
    case APIC_RESERVED:
        break;
    }
    return mode == APIC_SMI;
}

/* SDM 10.6.2.2: the two models of logical destinations; 0xff means everyone in both. */
static bool matches_logical(const struct lapic_cpu *a, uint8_t destination)
{
    uint8_t ldr = (uint8_t)(a->ldr >> 24);

    if (destination == 0xff)
        return true;
    switch (a->dfr >> 28) {
    case 0xf: /* flat */
        return ldr & destination;
    case 0x0: /* cluster */
        return ldr >> 4 == destination >> 4 && (ldr & destination & 0xf);
    default:
        return false;
    }
}

static bool matches(const struct lapic_cpu *a, const struct apic_message *msg)
{
    if (msg->logical)
        return matches_logical(a, msg->destination);
    return msg->destination == 0xff || msg->destination == a->vcpu;
}

/*
 * Lowest priority: the enabled APIC among the addressed ones whose processor priority is
 * lowest takes it; of equals the one with the lowest number.
 */
static bool deliver_lowest(struct lapic *l, const struct apic_message *msg)
{
    struct lapic_cpu *best = NULL;

    for (unsigned i = 0; i < l->count; i++) {
        struct lapic_cpu *a = &l->cpu[i];

        if (matches(a, msg) && is_software_enabled(a) && (!best || lapic_ppr(a) < lapic_ppr(best)))
            best = a;
    }
    return best && lapic_accept(best, APIC_FIXED, msg->vector, msg->level);
}

bool lapic_deliver(struct lapic *l, const struct apic_message *msg)
{
    bool accepted = false;

    if (msg->mode == APIC_LOWEST_PRIORITY)
        return deliver_lowest(l, msg);
    for (unsigned i = 0; i < l->count; i++)
        if (matches(&l->cpu[i], msg))
            accepted |= lapic_accept(&l->cpu[i], msg->mode, msg->vector, msg->level);
    return accepted;
}

/* Whether the pin is active in the sense of its entry's polarity bit (SDM 10.5.1). */
static bool lint_active(const struct lapic_cpu *a, unsigned lint)
{
    return a->set->lint[lint] != !!(a->lvt[LVT_LINT0 + lint] & LVT_LOW);
}

/* Only LINT0 can be level triggered, and only in fixed mode. */
static bool lint_is_level(const struct lapic_cpu *a, unsigned lint)
{
    uint32_t lvt = a->lvt[LVT_LINT0 + lint];

    return lint == 0 && (lvt & LVT_LEVEL) && LVT_MODE(lvt) == APIC_FIXED;
}

void lapic_lint_level(struct lapic_cpu *a, unsigned lint)
{
    uint32_t *lvt = &a->lvt[LVT_LINT0 + lint];

    if ((*lvt & (LVT_MASKED | LVT_REMOTE_IRR)) || !lint_is_level(a, lint) || !lint_active(a, lint))
        return;
    if (lapic_accept(a, APIC_FIXED, (uint8_t)*lvt, true))
        *lvt |= LVT_REMOTE_IRR;
}

static void lint_changed(struct lapic_cpu *a, unsigned lint)
{
    const struct lapic_wires *w = a->set->wires;
    uint32_t lvt = a->lvt[LVT_LINT0 + lint];

    if (!is_present(a)) {
        if (lint == 1 && a->set->lint[1])
            w->raise_nmi(w->user, a->vcpu);
    } else if (lint_is_level(a, lint)) {
        lapic_lint_level(a, lint);
    } else if (!(lvt & LVT_MASKED) && LVT_MODE(lvt) != APIC_EXTINT && lint_active(a, lint)) {
        /* A start-up message cannot come from a pin (SDM 10.5.1). */
        if (LVT_MODE(lvt) != APIC_STARTUP)
            lapic_accept(a, LVT_MODE(lvt), (uint8_t)lvt, false);
    }
    lapic_update(a);
}

void lapic_set_lint(struct lapic *l, unsigned lint, bool level)
{
    BASE_ASSERT(lint < 2);
    if (l->lint[lint] == level)
        return;
    l->lint[lint] = level;
    for (unsigned i = 0; i < l->count; i++)
        lint_changed(&l->cpu[i], lint);
}

int lapic_ack(struct lapic *l, unsigned vcpu)
{
    struct lapic_cpu *a = &l->cpu[vcpu];
    int vector;

    BASE_ASSERT(vcpu < l->count);
    if (extint_pending(a)) {
        a->extint = 0;
        vector = l->wires->extint_ack(l->wires->user);
        lapic_update(a);
        return vector;
    }
    vector = deliverable(a);
    if (vector < 0) /* SDM 10.9: masked meanwhile; no bit of ISR is set */
        return lapic_highest(a->irr) >= 0 ? (int)(a->svr & 0xff) : -1;
    map_assign(a->irr, (unsigned)vector, false);
    map_assign(a->isr, (unsigned)vector, true);
    lapic_update(a);
    return vector;
}

/* SDM 10.8.5: ends the highest interrupt in service. */
void lapic_eoi(struct lapic_cpu *a)
{
    const struct lapic_wires *w = a->set->wires;
    int vector = lapic_highest(a->isr);
    uint32_t *lint0 = &a->lvt[LVT_LINT0];

    if (vector < 0)
        return;
    map_assign(a->isr, (unsigned)vector, false);
    if (map_test(a->tmr, (unsigned)vector)) {
        if ((*lint0 & LVT_REMOTE_IRR) && (uint8_t)*lint0 == vector) {
            *lint0 &= ~LVT_REMOTE_IRR;
            lapic_lint_level(a, 0);
        }
        w->eoi(w->user, (uint8_t)vector);
    }
    lapic_update(a);
}

uint8_t lapic_get_tpr(const struct lapic *l, unsigned vcpu)
{
    return (uint8_t)(l->cpu[vcpu].tpr >> 4);
}

void lapic_set_tpr(struct lapic *l, unsigned vcpu, uint8_t value)
{
    l->cpu[vcpu].tpr = (value & 0xfu) << 4;
    lapic_update(&l->cpu[vcpu]);
}

bool lapic_lint_is_nmi(const struct lapic *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        uint32_t lvt = l->cpu[i].lvt[LVT_LINT0];

        if (!(lvt & LVT_MASKED) && (LVT_MODE(lvt) == APIC_NMI || LVT_MODE(lvt) == APIC_INIT))
            return true;
    }
    return false;
}

/* SDM 10.4.7: after power-up, INIT, and while disabled.  All entries are masked, the APIC is
 * disabled by software, its spurious vector is 0xff. */
void lapic_cpu_reset(struct lapic_cpu *a)
{
    memset(a->irr, 0, sizeof(a->irr));
    memset(a->isr, 0, sizeof(a->isr));
    memset(a->tmr, 0, sizeof(a->tmr));
    for (unsigned i = 0; i < LVT_COUNT; i++)
        a->lvt[i] = LVT_MASKED;
    a->tpr = 0;
    a->ldr = 0;
    a->dfr = UINT32_MAX;
    a->svr = 0xff;
    a->icr_low = 0;
    a->icr_high = 0;
    a->esr = 0;
    a->esr_logged = 0;
    a->extint = 0;
    lapic_timer_reset(&a->timer);
}

static void lapic_timer_fire(void *user, uint64_t due_ns)
{
    struct lapic_cpu *a = user;
    uint32_t lvt = a->lvt[LVT_TIMER];

    lapic_timer_expired(&a->timer, due_ns);
    if (!(lvt & LVT_MASKED))
        lapic_accept(a, APIC_FIXED, (uint8_t)lvt, false);
}

static void lapic_reset(void *dev)
{
    struct lapic *l = dev;

    for (unsigned i = 0; i < l->count; i++) {
        l->cpu[i].base = LAPIC_BASE | BASE_ENABLE | (i == 0 ? BASE_BSP : 0);
        lapic_cpu_reset(&l->cpu[i]);
        lapic_update(&l->cpu[i]);
    }
}

void lapic_firmware_setup(struct lapic *l)
{
    struct lapic_cpu *a = &l->cpu[0];

    a->svr |= SVR_ENABLED;
    a->lvt[LVT_LINT0] = LVT_LEVEL | APIC_EXTINT << 8;
    a->lvt[LVT_LINT1] = LVT_LEVEL | APIC_NMI << 8;
    lapic_update(a);
}

static void cpu_visit(struct lapic_cpu *a, struct base_state *st)
{
    BASE_STATE(st, a->base);
    BASE_STATE(st, a->irr);
    BASE_STATE(st, a->isr);
    BASE_STATE(st, a->tmr);
    BASE_STATE(st, a->lvt);
    BASE_STATE(st, a->tpr);
    BASE_STATE(st, a->ldr);
    BASE_STATE(st, a->dfr);
    BASE_STATE(st, a->svr);
    BASE_STATE(st, a->icr_low);
    BASE_STATE(st, a->icr_high);
    BASE_STATE(st, a->esr);
    BASE_STATE(st, a->esr_logged);
    BASE_STATE(st, a->extint);
    lapic_timer_state(&a->timer, st);
}

static void lapic_state(void *dev, struct base_state *st)
{
    struct lapic *l = dev;

    base_state_tag(st, "lapic");
    BASE_STATE(st, l->lint);
    for (unsigned i = 0; i < l->count; i++) {
        cpu_visit(&l->cpu[i], st);
        if (st->mode == BASE_STATE_LOAD)
            lapic_update(&l->cpu[i]);
    }
}

static void lapic_free(void *dev)
{
    g_free(dev);
}

struct lapic *lapic_new(const struct sim_services *sv, unsigned count,
                        const struct lapic_wires *wires)
{
    struct lapic *l = g_new0(struct lapic, 1);

    BASE_ASSERT(count >= 1 && count <= LAPIC_MAX_CPUS);
    l->sv = sv;
    l->wires = wires;
    l->count = count;
    for (unsigned i = 0; i < count; i++) {
        l->cpu[i].set = l;
        l->cpu[i].vcpu = i;
        lapic_timer_init(&l->cpu[i].timer, sv->timeline, lapic_timer_fire, &l->cpu[i]);
    }
    sim_bus_claim_mmio(sv->bus, GPA(LAPIC_BASE), PAGE_SIZE, &lapic_mmio_ops, l);
    lapic_reset(l);
    return l;
}

void lapic_device(struct lapic *l, struct sim_device *out)
{
    *out = (struct sim_device){.name = "local APIC",
                               .dev = l,
                               .reset = lapic_reset,
                               .state = lapic_state,
                               .free = lapic_free};
}
