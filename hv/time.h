/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time (nanoseconds since the hypervisor started) and timers. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include "hv/types.h"

/** hv_now - system time, in nanoseconds; never goes back. */
u64 hv_now(void);
extern u32 hv_tsc_khz;

/* A timer calls once, at or after its deadline, with interrupts off and no lock to care for. */
struct hv_timer {
    u64 deadline_ns;
    void (*fn)(void *data);
    void *data;
    struct hv_timer *next, **link;	/* link != NULL while it is set */
};
static inline void hv_timer_init(struct hv_timer *t, void (*fn)(void *), void *data)
{
    *t = (struct hv_timer){.fn = fn, .data = data};
}
static inline bool hv_timer_is_set(const struct hv_timer *t) { return t->link != NULL; }
/** hv_timer_set - (re)starts it; a deadline in the past is due at once. */
void hv_timer_set(struct hv_timer *t, u64 deadline_ns);
void hv_timer_stop(struct hv_timer *t);

/** hv_time_init - calibrates, reads the RTC; hv_time_run - calls what is due, arms the APIC. */
void hv_time_init(void);
void hv_time_run(void);
/** hv_time_vcpu_update - publishes time in a vCPU's vcpu_info and registered time area. */
void hv_time_vcpu_update(struct hv_vcpu *v);
/** hv_wallclock_set - seconds and nanoseconds of the epoch at system time 0; tells all domains. */
void hv_wallclock_set(u64 seconds, u32 ns, u64 system_time);
/** hv_wallclock_update - publishes the wall clock in a domain's shared info. */
void hv_wallclock_update(struct hv_domain *d);

#endif
