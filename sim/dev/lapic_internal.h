/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by lapic.c (delivery and acceptance) and lapic_regs.c (what software sees).
 */
#ifndef PARAVANE_SIM_DEV_LAPIC_INTERNAL_H
#define PARAVANE_SIM_DEV_LAPIC_INTERNAL_H

#include "sim/dev/lapic.h"
#include "sim/dev/lapic_timer.h"

/* Local vector table entries in the order of their registers, 0x320 to 0x370. */
enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

/*
 * LVT entry, SDM figure 10-8:
 *   18-17 timer mode | 16 mask | 15 level | 14 remote IRR | 13 polarity | 12 delivery status |
 *   10-8 delivery mode | 7-0 vector
 */
#define LVT_MASKED     (1u << 16)
#define LVT_LEVEL      (1u << 15)
#define LVT_REMOTE_IRR (1u << 14)
#define LVT_LOW        (1u << 13)
#define LVT_MODE(lvt)  ((enum apic_mode)((lvt) >> 8 & 7))

#define SVR_ENABLED (1u << 8)

/* Error status register, SDM figure 10-9. */
#define ESR_SEND_VECTOR    (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER       (1u << 7)

#define BASE_BSP    (1ull << 8)
#define BASE_ENABLE (1ull << 11)

/* One local APIC.  Bitmaps of vectors: bit v % 32 of word v / 32. */
struct lapic_cpu {
    struct lapic *set;
    unsigned vcpu;
    struct lapic_timer timer;
    uint64_t base; /* IA32_APIC_BASE */
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t lvt[LVT_COUNT];
    uint32_t tpr, ldr, dfr, svr;
    uint32_t icr_low, icr_high;
    uint32_t esr;        /* as software reads it */
    uint32_t esr_logged; /* since the last write to it */
    uint8_t extint;      /* an ExtINT message waits for its acknowledge */
};

struct lapic {
    const struct sim_services *sv;
    const struct lapic_wires *wires;
    unsigned count;
    uint8_t lint[2]; /* levels of the pins */
    struct lapic_cpu cpu[LAPIC_MAX_CPUS];
};

/* ---- lapic.c ---- */

/** lapic_cpu_reset - all registers but IA32_APIC_BASE: power-on, INIT, enable bit cleared. */
void lapic_cpu_reset(struct lapic_cpu *a);
/** lapic_update - recompute the CPU's interrupt request. */
void lapic_update(struct lapic_cpu *a);
/** lapic_highest - highest vector in a bitmap, -1 if empty. */
int lapic_highest(const uint32_t map[8]);
uint32_t lapic_ppr(const struct lapic_cpu *a);
void lapic_error(struct lapic_cpu *a, uint32_t bit);
/** lapic_accept - one APIC takes a message.  Returns: whether it did. */
bool lapic_accept(struct lapic_cpu *a, enum apic_mode mode, uint8_t vector, bool level);
/** lapic_lint_level - a LINT entry or pin changed: deliver if level triggered and active. */
void lapic_lint_level(struct lapic_cpu *a, unsigned lint);
void lapic_eoi(struct lapic_cpu *a);

/* ---- lapic_regs.c ---- */

extern const struct sim_mmio_ops lapic_mmio_ops;

#endif
