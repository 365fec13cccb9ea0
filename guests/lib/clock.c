/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/clock.h"

#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"

/* The hypervisor makes @version odd while it writes. */
#define READ_STABLE(version, ...)                                                                  \
    do {                                                                                           \
        u32 seen_;                                                                                 \
                                                                                                   \
        do {                                                                                       \
            seen_ = *(volatile u32 *)&(version);                                                   \
            BARRIER();                                                                             \
            __VA_ARGS__;                                                                           \
            BARRIER();                                                                             \
        } while ((seen_ & 1) || seen_ != *(volatile u32 *)&(version));                             \
    } while (0)

u64 clock_system_ns(void)
{
    struct vcpu_time_info *time = &vcpu_info()->time;
    u64 base, ticks, multiplier;
    signed char shift;

    READ_STABLE(time->version, base = time->system_time, multiplier = time->tsc_to_system_mul,
                shift = time->tsc_shift, ticks = clock_tsc() - time->tsc_timestamp);
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return base + (u64)(((unsigned __int128)ticks * multiplier) >> 32);
}

u64 clock_wall_ns(void)
{
    u64 seconds, ns;

    READ_STABLE(shared_info->wc_version, seconds = shared_info->wc_sec, ns = shared_info->wc_nsec,
                seconds |= (u64)shared_info->wc_sec_hi << 32);
    return seconds * 1000000000 + ns + clock_system_ns();
}

static void nothing(u32 port, void *arg)
{
    (void)port;
    (void)arg;
}

void clock_sleep_ns(u64 span_ns)
{
    static long port = -1;
    bool enabled = event_enabled();
    u64 end = clock_system_ns() + span_ns;

    if (port < 0) {
        port = event_bind_virq(VIRQ_TIMER, 0);
        if (port < 0)
            panic("no timer: %ld", port);
        event_set_handler((u32)port, nothing, NULL);
    }
    event_unmask((u32)port);
    while (clock_system_ns() < end) {
        event_disable();
        hypercall_set_timer_op(end);
        event_wait();
    }
    if (!enabled)
        event_disable();
}
