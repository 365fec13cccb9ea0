/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APICs: registers and MSRs.  Source: Intel SDM 3A table 10-1.
 *
 * A register's number is its offset divided by 16.
 */
#include "sim/dev/lapic_internal.h"

#include "sim/base/assert.h"

enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_REMOTE_READ = 0x0c,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
};

/*
 * ICR, SDM figure 10-12:
 *   19-18 shorthand | 15 level triggered | 14 assert | 12 delivery status | 11 logical |
 *   10-8 delivery mode | 7-0 vector
 */
#define ICR_WRITABLE       0x000ccfffu
#define ICR_LEVEL          (1u << 15)
#define ICR_ASSERT         (1u << 14)
#define ICR_LOGICAL        (1u << 11)
#define ICR_SHORTHAND(icr) ((icr) >> 18 & 3)
enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

#define SVR_WRITABLE 0x3ffu /* vector, enable, focus checking */

#define BASE_ADDRESS_BITS 40
#define BASE_ADDRESS      ((1ull << BASE_ADDRESS_BITS) - PAGE_SIZE)
#define BASE_RESERVED     (~(BASE_ADDRESS | BASE_ENABLE | BASE_BSP))

static uint64_t now_ns(const struct lapic_cpu *a)
{
    const struct lapic_wires *w = a->set->wires;

    return w->now_ns(w->user, a->vcpu);
}

/* SDM 10.6.2.4 in older editions: arbitration priority, of the P6 family. */
static uint32_t arbitration_priority(const struct lapic_cpu *a)
{
    int pending = lapic_highest(a->irr), serving = lapic_highest(a->isr);
    uint32_t tpr = a->tpr >> 4;
    uint32_t irrv = pending < 0 ? 0 : (uint32_t)pending >> 4;
    uint32_t isrv = serving < 0 ? 0 : (uint32_t)serving >> 4;
    uint32_t both = tpr & isrv;

    if (tpr >= irrv && tpr > isrv)
        return a->tpr;
    return (both > irrv ? both : irrv) << 4;
}

/* Reads have no side effect but the error of a register that does not exist. */
static uint32_t reg_read(struct lapic_cpu *a, unsigned reg)
{
    if (reg >= REG_ISR && reg < REG_TMR)
        return a->isr[reg - REG_ISR];
    if (reg >= REG_TMR && reg < REG_IRR)
        return a->tmr[reg - REG_TMR];
    if (reg >= REG_IRR && reg < REG_ESR)
        return a->irr[reg - REG_IRR];
    if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT)
        return a->lvt[reg - REG_LVT];
    switch (reg) {
    case REG_ID:
        return a->vcpu << 24;
    case REG_VERSION:
        return LAPIC_VERSION;
    case REG_TPR:
        return a->tpr;
    case REG_APR:
        return arbitration_priority(a);
    case REG_PPR:
        return lapic_ppr(a);
    case REG_EOI:
    case REG_REMOTE_READ:
        return 0;
    case REG_LDR:
        return a->ldr;
    case REG_DFR:
        return a->dfr;
    case REG_SVR:
        return a->svr;
    case REG_ESR:
        return a->esr;
    case REG_ICR_LOW:
        return a->icr_low;
    case REG_ICR_HIGH:
        return a->icr_high;
    case REG_INITIAL_COUNT:
        return a->timer.initial;
    case REG_CURRENT_COUNT:
        return lapic_timer_count(&a->timer, now_ns(a));
    case REG_DIVIDE:
        return a->timer.divide;
    default:
        lapic_error(a, ESR_REGISTER);
        return 0;
    }
}

static void send_to(struct lapic_cpu *a, struct apic_message *msg, bool self, bool others)
{
    struct lapic *l = a->set;

    for (unsigned i = 0; i < l->count; i++)
        if (i == a->vcpu ? self : others)
            lapic_accept(&l->cpu[i], msg->mode, msg->vector, false);
}

/*
 * Lowest priority with a shorthand addresses "all others"; it goes through the arbitration
 * like any other, so the sender is taken out by hand.
 */
static void send_lowest_to_others(struct lapic_cpu *a, const struct apic_message *msg)
{
    struct lapic_cpu *best = NULL;

    for (unsigned i = 0; i < a->set->count; i++) {
        struct lapic_cpu *b = &a->set->cpu[i];

        if (b != a && (b->base & BASE_ENABLE) && (b->svr & SVR_ENABLED) &&
            (!best || lapic_ppr(b) < lapic_ppr(best)))
            best = b;
    }
    if (best)
        lapic_accept(best, APIC_FIXED, msg->vector, false);
}

/* SDM 10.6.1.  IPIs are edge triggered whatever bit 15 says, but for INIT de-assert. */
static void icr_send(struct lapic_cpu *a)
{
    uint32_t icr = a->icr_low;
    struct apic_message msg = {
        .destination = (uint8_t)(a->icr_high >> 24),
        .logical = icr & ICR_LOGICAL,
        .mode = (enum apic_mode)(icr >> 8 & 7),
        .vector = (uint8_t)icr,
    };

    if (msg.mode == APIC_RESERVED || msg.mode == APIC_EXTINT)
        return;
    if (msg.mode == APIC_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
        return; /* INIT level de-assert: not supported since the Pentium 4, ignored */
    if (msg.mode <= APIC_LOWEST_PRIORITY && msg.vector < 16) {
        lapic_error(a, ESR_SEND_VECTOR);
        return;
    }
    switch (ICR_SHORTHAND(icr)) {
    case SHORTHAND_NONE:
        lapic_deliver(a->set, &msg);
        break;
    case SHORTHAND_SELF:
        send_to(a, &msg, true, false);
        break;
    case SHORTHAND_ALL:
        send_to(a, &msg, true, true);
        break;
    default:
        if (msg.mode == APIC_LOWEST_PRIORITY)
            send_lowest_to_others(a, &msg);
        else
            send_to(a, &msg, false, true);
        break;
    }
}

static uint32_t lvt_writable(const struct lapic_cpu *a, unsigned entry)
{
    static const uint32_t writable[LVT_COUNT] = {
        [LVT_TIMER] = 0x200ff, [LVT_THERMAL] = 0x7ff, [LVT_PERF] = 0x7ff,
        [LVT_LINT0] = 0xa7ff,  [LVT_LINT1] = 0xa7ff,  [LVT_ERROR] = 0xff,
    };
    uint32_t bits = writable[entry] | LVT_MASKED;

    if (entry == LVT_TIMER && a->set->wires->tsc_due_ns)
        bits |= 1u << 18;
    return bits;
}

static void lvt_write(struct lapic_cpu *a, unsigned entry, uint32_t value)
{
    uint32_t lvt = value & lvt_writable(a, entry);

    if (!(a->svr & SVR_ENABLED)) /* SDM 10.4.7.2: mask bits cannot be cleared */
        lvt |= LVT_MASKED;
    if (entry == LVT_LINT0 && (lvt & LVT_LEVEL)) /* edge triggered: nothing to remember */
        lvt |= a->lvt[entry] & LVT_REMOTE_IRR;
    a->lvt[entry] = lvt;
    if (entry == LVT_TIMER)
        lapic_timer_configure(&a->timer, (enum lapic_timer_mode)(lvt >> 17 & 3), lvt & LVT_MASKED,
                              now_ns(a));
    if (entry == LVT_LINT0) {
        lapic_lint_level(a, 0);
        lapic_update(a);
    }
}

static void svr_write(struct lapic_cpu *a, uint32_t value)
{
    a->svr = value & SVR_WRITABLE;
    if (!(a->svr & SVR_ENABLED))
        for (unsigned i = 0; i < LVT_COUNT; i++)
            lvt_write(a, i, a->lvt[i] | LVT_MASKED);
}

static void reg_write(struct lapic_cpu *a, unsigned reg, uint32_t value)
{
    if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT) {
        lvt_write(a, reg - REG_LVT, value);
        return;
    }
    switch (reg) {
    case REG_TPR:
        a->tpr = value & 0xff;
        lapic_update(a);
        break;
    case REG_EOI:
        lapic_eoi(a);
        break;
    case REG_LDR:
        a->ldr = value & 0xff000000u;
        break;
    case REG_DFR:
        a->dfr = value | 0x0fffffffu;
        break;
    case REG_SVR:
        svr_write(a, value);
        break;
    case REG_ESR:
        a->esr = a->esr_logged;
        a->esr_logged = 0;
        break;
    case REG_ICR_LOW:
        a->icr_low = value & ICR_WRITABLE;
        icr_send(a);
        break;
    case REG_ICR_HIGH:
        a->icr_high = value & 0xff000000u;
        break;
    case REG_INITIAL_COUNT:
        lapic_timer_start(&a->timer, value, now_ns(a));
        break;
    case REG_DIVIDE:
        lapic_timer_set_divide(&a->timer, value & 0xb, now_ns(a));
        break;
    default:
        if (reg < REG_ID || (reg > REG_VERSION && reg < REG_TPR) ||
            (reg >= REG_ESR && reg != REG_CURRENT_COUNT))
            lapic_error(a, ESR_REGISTER);
        break; /* the others exist and are read-only */
    }
}

static uint64_t lapic_mmio_read(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes)
{
    struct lapic *l = dev;
    struct lapic_cpu *a = &l->cpu[vcpu];
    unsigned at = offset & 15;

    (void)size_bytes; /* the bus takes the bytes it has asked for */
    BASE_ASSERT(vcpu < l->count);
    if (!(a->base & BASE_ENABLE))
        return UINT64_MAX;
    return at < 4 ? reg_read(a, (unsigned)(offset >> 4)) >> (8 * at) : 0;
}

static void lapic_mmio_write(void *dev, unsigned vcpu, uint64_t offset, unsigned size_bytes,
                             uint64_t value)
{
    struct lapic *l = dev;
    struct lapic_cpu *a = &l->cpu[vcpu];

    BASE_ASSERT(vcpu < l->count);
    if (size_bytes == 4 && (offset & 15) == 0 && (a->base & BASE_ENABLE))
        reg_write(a, (unsigned)(offset >> 4), (uint32_t)value);
}

const struct sim_mmio_ops lapic_mmio_ops = {lapic_mmio_read, lapic_mmio_write, 8};

bool lapic_msr_read(struct lapic *l, unsigned vcpu, uint32_t msr, uint64_t *value)
{
    struct lapic_cpu *a = &l->cpu[vcpu];

    if (msr == LAPIC_MSR_BASE)
        *value = a->base;
    else if (msr == LAPIC_MSR_TSC_DEADLINE && l->wires->tsc_due_ns)
        *value = lapic_timer_deadline(&a->timer);
    else
        return false;
    return true;
}

static bool base_write(struct lapic_cpu *a, uint64_t value)
{
    uint64_t address = value & BASE_ADDRESS;

    if ((value & BASE_RESERVED) || address != LAPIC_BASE)
        return false;
    if ((a->base ^ value) & BASE_ENABLE) {
        a->base ^= BASE_ENABLE;
        lapic_cpu_reset(a);
        lapic_update(a);
    }
    return true;
}

bool lapic_msr_write(struct lapic *l, unsigned vcpu, uint32_t msr, uint64_t value)
{
    struct lapic_cpu *a = &l->cpu[vcpu];

    if (msr == LAPIC_MSR_BASE)
        return base_write(a, value);
    if (msr != LAPIC_MSR_TSC_DEADLINE || !l->wires->tsc_due_ns)
        return false;
    lapic_timer_set_deadline(&a->timer, value, l->wires->tsc_due_ns(l->wires->user, vcpu, value));
    return true;
}
