/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time from the TSC, calibrated against the PIT; timers on the local APIC's; wall clock from the RTC. */
#include "hv/time.h"

#include "hv/apic.h"
#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"

u32 hv_tsc_khz;
static u32 apic_khz, mul;
static s8 shift;
static u64 tsc_base, wall_seconds;
static u32 wall_ns;
static struct hv_timer *first;

static u64 scale(u64 delta)
{
    delta = shift < 0 ? delta >> -shift : delta << shift;
    return (u64)((unsigned __int128)delta * mul >> 32);
}

u64 hv_now(void) { return scale(hv_rdtsc() - tsc_base); }

/* Counter 2 of the PIT, latched. */
static u32 HV_INIT pit_left(void)
{
    hv_outb(0x43, 0x80);
    u32 low = hv_inb(0x42);
    return low | hv_inb(0x42) << 8;
}

/* Counter 2 of the PIT counts 11932 of its ticks, 10 ms, once.  A port is slow for a simulator, as for a machine: only the
 * last quarter of a millisecond is spent looking at nothing else. */
static void HV_INIT calibrate(void)
{
    u64 tsc, hz;
    hv_outb(0x61, (hv_inb(0x61) & ~2) | 1);
    hv_outb(0x43, 0xb0);
    hv_outb(0x42, 11932 & 255);
    hv_apic_timer(~0u);
    hv_outb(0x42, 11932 >> 8);
    tsc = hv_rdtsc();
    while (!(hv_inb(0x61) & 0x20) && pit_left() - 1 >= 300)	/* 0: it has not begun */
        for (u32 i = 0; i < 100; i++)
            __asm__ volatile("");
    while (!(hv_inb(0x61) & 0x20))
        ;
    tsc = hv_rdtsc() - tsc;
    apic_khz = (~0u - hv_apic_timer_left()) / 10;
    hv_apic_timer(0);
    hv_tsc_khz = (u32)(tsc / 10);
    if (hv_tsc_khz % 1000 < 5 || hv_tsc_khz % 1000 > 995)	/* a round number of MHz */
        hv_tsc_khz = (hv_tsc_khz + 500) / 1000 * 1000;
    hz = (u64)hv_tsc_khz * 1000;
    while (hz > 2000000000ull)
        hz >>= 1, shift--;
    while (hz <= 1000000000ull)
        hz <<= 1, shift++;
    mul = (u32)((1000000000ull << 32) / hz);
    tsc_base = hv_rdtsc();
}

static u32 rtc(u8 reg)
{
    hv_outb(0x70, reg);
    return hv_inb(0x71);
}

static u32 bcd(u32 v, u32 mode) { return mode & 4 ? v : (v >> 4) * 10 + (v & 15); }

static void HV_INIT read_rtc(void)
{
    static const u16 before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    u32 n = 0, mode = rtc(11);
    while ((rtc(10) & 0x80) && n++ < 1000000)
        ;
    u32 s = bcd(rtc(0), mode), mi = bcd(rtc(2), mode), h = bcd(rtc(4) & 0x7f, mode), d = bcd(rtc(7), mode);
    u32 mo = bcd(rtc(8), mode), y = 2000 + bcd(rtc(9), mode);
    u64 days = (u64)(y - 1970) * 365 + (y - 1969) / 4 + before[(mo + 11) % 12] + d - 1;
    if (y % 4 == 0 && mo > 2)
        days++;
    wall_seconds = days * 86400 + h * 3600 + mi * 60 + s;
}

void HV_INIT hv_time_init(void)
{
    calibrate();
    read_rtc();
}

/* ---- timers --------------------------------------------------------------------------------------- */
static void arm(void)
{
    if (!first) {
        hv_apic_timer(0);
        return;
    }
    u64 now = hv_now(), ns = first->deadline_ns > now ? first->deadline_ns - now : 0;
    u64 ticks = HV_MIN(ns, 1000000000ull) * apic_khz / 1000000 + 1;
    hv_apic_timer((u32)HV_MIN(ticks, 0xffffffffull));
}

void hv_timer_stop(struct hv_timer *t)
{
    if (!t->link)
        return;
    bool head = first == t;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->link = NULL;
    if (head)
        arm();
}

void hv_timer_set(struct hv_timer *t, u64 deadline_ns)
{
    struct hv_timer **p = &first;
    if (t->link) {
        *t->link = t->next;
        if (t->next)
            t->next->link = t->link;
    }
    t->deadline_ns = deadline_ns;
    while (*p && (*p)->deadline_ns <= deadline_ns)
        p = &(*p)->next;
    t->next = *p;
    t->link = p;
    if (t->next)
        t->next->link = &t->next;
    *p = t;
    if (first == t)
        arm();
}

void hv_time_run(void)
{
    u64 now = hv_now();
    while (first && first->deadline_ns <= now) {
        struct hv_timer *t = first;
        first = t->next;
        if (first)
            first->link = &first;
        t->link = NULL;
        t->fn(t->data);
    }
    arm();
}

/* ---- what guests see -------------------------------------------------------------------------------- */
void hv_time_vcpu_update(struct hv_vcpu *v)
{
    struct vcpu_time_info *t = &v->info->time, copy;
    if (t->tsc_to_system_mul == mul && !v->time_area)
        return;
    t->version |= 1;
    hv_barrier();
    t->tsc_timestamp = hv_rdtsc();
    t->system_time = scale(t->tsc_timestamp - tsc_base);
    t->tsc_to_system_mul = mul;
    t->tsc_shift = shift;
    t->flags = 1;
    hv_barrier();
    t->version++;
    if (v->time_area && v == hv_current && (v->flags & HV_VCPU_KERNEL)) {
        copy = *t;
        hv_store_guest(v->time_area, &copy);
    }
}

void hv_wallclock_update(struct hv_domain *d)
{
    struct shared_info *s = d->shared;
    u64 seconds = wall_seconds + (u64)d->time_offset_seconds;
    s->wc_version |= 1;
    hv_barrier();
    s->wc_sec = (u32)seconds;
    s->wc_nsec = wall_ns;
    s->wc_sec_hi = (u32)(seconds >> 32);
    hv_barrier();
    s->wc_version++;
}

void hv_wallclock_set(u64 seconds, u32 ns, u64 system_time)
{
    u64 total = seconds * 1000000000ull + ns - system_time;
    wall_seconds = total / 1000000000ull;
    wall_ns = (u32)(total % 1000000000ull);
    hv_for_each_domain(d)
        if (d->shared)
            hv_wallclock_update(d);
}

HV_HYPERCALL(set_timer_op)
{
    struct hv_vcpu *v = hv_current;
    (void)a1, (void)a2, (void)a3, (void)a4;
    if (a0 == 0) {
        hv_timer_stop(&v->singleshot);
        return 0;
    }
    if ((s64)a0 < 0)
        a0 = hv_now() + 100000000ull;
    hv_timer_set(&v->singleshot, a0);
    return 0;
}

#ifdef HV_AUDIT
#include "hv/audit_services.h"

static unsigned timer_audit(const struct hv_timer *t, unsigned *set)
{
    *set += hv_timer_is_set(t);
    return t->link && *t->link != t;
}

/* The list is in order, and holds the timers of living vCPUs and domains, and the scheduler's slice. */
unsigned hv_time_audit(void)
{
    unsigned bad = 0, listed = 0, set = 0;
    for (const struct hv_timer *t = first; t; t = t->next, listed++)
        bad += *t->link != t || (t->next && t->next->deadline_ns < t->deadline_ns);
    hv_for_each_domain(d) {
        bad += timer_audit(&d->watchdog[0], &set) + timer_audit(&d->watchdog[1], &set);
        hv_for_each_vcpu(d, v)
            bad += timer_audit(&v->singleshot, &set) + timer_audit(&v->periodic, &set) +
                   timer_audit(&v->poll_timer, &set);
    }
    return bad + (listed - set > 1);
}
#endif
