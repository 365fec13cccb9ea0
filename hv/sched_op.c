/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercall sched_op. */

#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/sched.h"

#include <xen/sched.h>

static void poll_timeout(void *data) { hv_unhold(data, HV_HOLD_BLOCKED); }

static long poll(struct hv_vcpu *v, u64 arg)
{
    struct sched_poll p;
    u32 port = 0;
    if (hv_load_guest(&p, arg))
        return -EFAULT;
    if (p.nr_ports > 128)
        return -EINVAL;
    if (!hv_guest_range_ok((u64)p.ports.p, p.nr_ports * 4))
        return -EFAULT;
    if (hv_vcpu_has_events(v))
        return 0;
    for (u32 i = 0; i < p.nr_ports; i++) {
        if (hv_load_guest32(&port, (u64)p.ports.p + i * 4))
            return -EFAULT;
        int rc = hv_evtchn_poll_check(v->domain, port);
        if (rc)
            return rc < 0 ? rc : 0;
    }
    v->poll_port = p.nr_ports == 1 ? (s32)port : HV_POLL_MANY;
    v->domain->pollers++;
    hv_timer_init(&v->poll_timer, poll_timeout, v);
    hv_hold(v, HV_HOLD_BLOCKED);
    if (p.timeout)
        hv_timer_set(&v->poll_timer, p.timeout);
    return 0;
}

static void watchdog_bites(void *data) { hv_domain_shutdown(data, SHUTDOWN_watchdog); }

static long watchdog(struct hv_domain *d, u32 id, u32 seconds)
{
    if (id > 2)
        return -EINVAL;
    if (id == 0) {
        if (seconds == 0)
            return -EINVAL;
        for (id = 0; id < 2; id++)
            if (!d->watchdog_used[id]) {
                d->watchdog_used[id] = true;
                hv_timer_init(&d->watchdog[id], watchdog_bites, d);
                hv_timer_set(&d->watchdog[id], hv_now() + seconds * 1000000000ull);
                return id + 1;
            }
        return -ENOSPC;
    }
    if (!d->watchdog_used[--id])
        return -EINVAL;
    if (seconds == 0) {
        hv_timer_stop(&d->watchdog[id]);
        d->watchdog_used[id] = false;
    } else {
        hv_timer_set(&d->watchdog[id], hv_now() + seconds * 1000000000ull);
    }
    return 0;
}

static long pin_override(struct hv_vcpu *v, s32 cpu)
{
    if (!v->domain->privileged)
        return -EPERM;
    if (cpu < 0) {
        if (!v->pinned_temporarily)
            return -EINVAL;
        v->hard_affinity = v->saved_affinity;
        v->pinned_temporarily = false;
        return 0;
    }
    if (cpu > 0)
        return -EINVAL;
    if (v->pinned_temporarily)
        return -EBUSY;
    v->saved_affinity = v->hard_affinity;
    v->hard_affinity = 1;
    v->pinned_temporarily = true;
    return 0;
}

HV_HYPERCALL(sched_op)
{
    struct hv_vcpu *v = hv_current;
    union {
        struct sched_shutdown shutdown;
        struct sched_remote_shutdown remote;
        struct sched_watchdog watchdog;
        struct sched_pin_override pin;
    } a;
    struct hv_domain *d;
    (void)a2, (void)a3, (void)a4;
    switch ((u32)a0) {
    case SCHEDOP_yield:
        hv_sched_yield();
        return 0;
    case SCHEDOP_block:
        v->info->evtchn_upcall_mask = 0;
        if (!v->info->evtchn_upcall_pending)
            hv_hold(v, HV_HOLD_BLOCKED);
        return 0;
    case SCHEDOP_poll:
        return poll(v, a1);
    case SCHEDOP_shutdown:
    case SCHEDOP_shutdown_code:
        if (hv_load_guest(&a.shutdown, a1))
            return -EFAULT;
        if ((u32)a0 == SCHEDOP_shutdown_code) {
            if (!v->domain->shut_down)
                v->domain->shutdown_code = (u8)a.shutdown.reason;
            return 0;
        }
        hv_domain_shutdown(v->domain, (u8)a.shutdown.reason);
        return 0;
    case SCHEDOP_remote_shutdown:
        if (hv_load_guest(&a.remote, a1))
            return -EFAULT;
        d = hv_domain_find(a.remote.domain_id);
        if (!d)
            return -ESRCH;
        if (!v->domain->privileged)
            return -EPERM;
        hv_domain_shutdown(d, (u8)a.remote.reason);
        return 0;
    case SCHEDOP_watchdog:
        if (hv_load_guest(&a.watchdog, a1))
            return -EFAULT;
        return watchdog(v->domain, a.watchdog.id, a.watchdog.timeout);
    case SCHEDOP_pin_override:
        if (hv_load_guest(&a.pin, a1))
            return -EFAULT;
        return pin_override(v, a.pin.pcpu);
    }
    return -ENOSYS;
}
