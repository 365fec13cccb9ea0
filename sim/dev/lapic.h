/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APICs of all CPUs, and the bus on which interrupt messages travel.
 *
 * Source: Intel SDM 3A chapter 10 (APIC), 10.4 (registers), 10.6 (IPIs), 10.8 (handling).
 *
 * xAPIC at 0xfee00000, the same address for every CPU; APIC ids are vCPU numbers and cannot
 * be changed; x2APIC is not offered.  Version register 0x50014: six LVT entries, no EOI
 * broadcast suppression.
 *
 * Accesses: registers are read and written by aligned 32-bit accesses to the first 4 of
 * their 16 bytes.  What the manual leaves open is here: narrower reads give those bytes of
 * the register, reads of the other 12 bytes give 0, all other writes are ignored.  Registers
 * that do not exist read as 0 and set "illegal register address" in the ESR.
 *
 * IA32_APIC_BASE: moving the registers is refused with #GP(0), as are reserved bits; the BSP
 * bit keeps its value.  Clearing the enable bit makes the APIC vanish (all ones) and
 * connects LINT0 and LINT1 to the CPU as INTR and NMI; setting it again finds a reset APIC.
 */
#ifndef PARAVANE_SIM_DEV_LAPIC_H
#define PARAVANE_SIM_DEV_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/bus.h"

#define LAPIC_BASE     0xfee00000u
#define LAPIC_VERSION  0x50014u
#define LAPIC_MAX_CPUS 8

#define LAPIC_MSR_BASE         0x1bu
#define LAPIC_MSR_TSC_DEADLINE 0x6e0u

/* Delivery modes of the ICR, the LVT and the IO-APIC's redirection entries. */
enum apic_mode {
    APIC_FIXED,
    APIC_LOWEST_PRIORITY,
    APIC_SMI, /* accepted and ignored: there is no SMM */
    APIC_RESERVED,
    APIC_NMI,
    APIC_INIT,
    APIC_STARTUP,
    APIC_EXTINT,
};

/* An interrupt message on its way to the local APICs. */
struct apic_message {
    uint8_t destination; /* APIC id (0xff: all), or logical destination */
    bool logical;
    enum apic_mode mode;
    uint8_t vector;
    bool level; /* level triggered: its EOI is broadcast */
};

/* What hangs on the local APICs.  All members are required unless said otherwise. */
struct lapic_wires {
    void *user;
    void (*set_intr)(void *user, unsigned vcpu, bool pending);
    void (*raise_nmi)(void *user, unsigned vcpu);
    void (*raise_init)(void *user, unsigned vcpu);
    void (*raise_sipi)(void *user, unsigned vcpu, uint8_t page);
    /* End of a level-triggered interrupt, to the IO-APIC. */
    void (*eoi)(void *user, uint8_t vector);
    /* Acknowledge cycle to the 8259 pair. */
    int (*extint_ack)(void *user);
    /* The present instant as @vcpu sees it. */
    uint64_t (*now_ns)(void *user, unsigned vcpu);
    /* When the TSC of @vcpu reaches @tsc.  NULL: TSC-deadline mode is not offered. */
    uint64_t (*tsc_due_ns)(void *user, unsigned vcpu, uint64_t tsc);
};

struct lapic;

/**
 * lapic_new - @count local APICs, as after power-on.
 * @sv, @wires: borrowed; must outlive the result.
 * Returns: owned by the caller, until the free function of lapic_device() is called.
 * Test:    tests/unit/test_sim_lapic.c, test_sim_lapic_timer.c
 */
struct lapic *lapic_new(const struct sim_services *sv, unsigned count,
                        const struct lapic_wires *wires);
/** lapic_device - the device interface; freeing it frees @l. */
void lapic_device(struct lapic *l, struct sim_device *out);

/**
 * lapic_firmware_setup - leave the first CPU's APIC as firmware does: enabled, LINT0 ExtINT,
 * LINT1 NMI.  Source: Multiprocessor Specification 1.4, 3.6.2.2 (virtual wire mode).
 */
void lapic_firmware_setup(struct lapic *l);

/**
 * lapic_deliver - an interrupt message from the IO-APIC.
 * Returns: whether a local APIC has accepted it.
 */
bool lapic_deliver(struct lapic *l, const struct apic_message *msg);

/** lapic_set_lint - level of the LINT0 (the 8259 pair's output) or LINT1 pin of all CPUs. */
void lapic_set_lint(struct lapic *l, unsigned lint, bool level);

/**
 * lapic_ack - the CPU takes an interrupt.
 * Returns: its vector; the spurious vector when what is pending has become masked; -1 when
 *          nothing is pending.
 */
int lapic_ack(struct lapic *l, unsigned vcpu);

/** Task priority as CR8 has it, 0 to 15. */
uint8_t lapic_get_tpr(const struct lapic *l, unsigned vcpu);
void lapic_set_tpr(struct lapic *l, unsigned vcpu, uint8_t value);

/** lapic_msr_read, lapic_msr_write - IA32_APIC_BASE and IA32_TSC_DEADLINE.
 *  Returns: false for other MSRs and refused values: #GP(0). */
bool lapic_msr_read(struct lapic *l, unsigned vcpu, uint32_t msr, uint64_t *value);
bool lapic_msr_write(struct lapic *l, unsigned vcpu, uint32_t msr, uint64_t value);

/** lapic_lint_is_nmi - whether a change of LINT0 can raise an NMI or INIT on some CPU. */
bool lapic_lint_is_nmi(const struct lapic *l);

#endif
