/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: one physical CPU, weighted shares, preemptive.
 *
 * A vCPU runs when nothing of hv_vcpu.hold is set.  Each has a virtual run time that grows
 * with the time it runs, divided by its domain's weight; the runnable one with the least is next.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include "hv/types.h"

/* Why a vCPU does not run (hv_vcpu.hold). */
#define HV_HOLD_DOWN 0x01u	/* not brought up, or taken down */
#define HV_HOLD_BLOCKED 0x02u	/* waits for an event */
#define HV_HOLD_PAUSED 0x04u	/* its domain or itself is paused (pause counts) */
#define HV_HOLD_SHUTDOWN 0x08u	/* its domain has shut down */

#define HV_WEIGHT_DEFAULT 256u

/** hv_hold / hv_unhold - sets or clears reasons; reschedules as needed.  Any vCPU. */
void hv_hold(struct hv_vcpu *v, u32 why);
void hv_unhold(struct hv_vcpu *v, u32 why);
/** hv_schedule - gives the CPU to whose turn it is; returns on the hypervisor's stack with
 * another hv_current.  Only called on the way out to a guest. */
void hv_schedule(void);
/** hv_sched_yield - the current vCPU goes behind the next one of the others. */
void hv_sched_yield(void);
void hv_sched_init(void);
void hv_sched_vcpu_init(struct hv_vcpu *v);
/** hv_sched_vcpu_fini - out of the queue, its timers stopped. */
void hv_sched_vcpu_fini(struct hv_vcpu *v);
/** hv_cr4_load - the bits of CR4 that are the guest's. */
void hv_cr4_load(const struct hv_vcpu *v);
/** hv_vcpu_runtime - nanoseconds in RUNSTATE_ @state so far. */
u64 hv_vcpu_state_time(const struct hv_vcpu *v, unsigned state);

/** hv_poll_wake - an event arrived at @port: wakes the vCPUs that wait for it in SCHEDOP_poll. */
void hv_poll_wake_slow(struct hv_domain *d, u32 port);

#endif
