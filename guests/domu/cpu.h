/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual CPUs, and the one lock of this kernel.
 *
 *                 lock at entry                      unlock on the way back
 *   user mode --------------------> kernel mode ------------------------------> user mode
 *   idle: lock dropped, blocked in SCHEDOP_block; an upcall takes the lock for its handlers
 *
 * All kernel code but the blocked idle loop runs with the lock held and upcalls masked, so user mode
 * of one vCPU runs beside anything of the others, and kernel code beside user mode only.
 */
#ifndef GUESTS_DOMU_CPU_H
#define GUESTS_DOMU_CPU_H

#include "guests/lib/types.h"

#define CPU_MAX 8u

struct task;

/** struct cpu - found through the kernel's GS base; @number comes first for cpu_number(). */
struct cpu {
    u64 number;
    struct task *current;
    struct task *idle;
    u32 ipi_port; /* wakes this vCPU out of its idle loop */
    bool idling;
    bool resched;      /* somebody wants current's place */
    u64 slice_end_ns;
};

extern struct cpu cpus[CPU_MAX];
extern u32 cpu_count; /* that run */

static inline struct cpu *cpu_this(void)
{
    u64 number;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(number));
    return &cpus[number];
}

/** cpu_init - make the caller vCPU 0 of this kernel, with the lock held. */
void cpu_init(void);

/** cpu_start_others - bring up the other vCPUs that the domain has; each goes to its idle loop. */
void cpu_start_others(void);

/** cpu_idle - wait for an event; called by idle tasks, with the lock, which is dropped meanwhile. */
void cpu_idle(void);

/** cpu_kick - wake a vCPU that idles, if there is one. */
void cpu_kick(void);

/** cpu_lock, cpu_unlock - the kernel's lock. */
void cpu_lock(void);
void cpu_unlock(void);

/** cpu_set_timer - have this vCPU interrupted at @deadline_ns of system time; 0: not at all. */
void cpu_set_timer(u64 deadline_ns);

#endif
