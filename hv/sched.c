/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vCPU runs; the switch; the way out to a guest. */
#include "hv/sched.h"

#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/trap.h"

#define SLICE_NS 10000000ull
#define WAKE_CREDIT_NS 1000000ull	/* what a sleeper may be ahead of the others */
/* Units of work between two looks for interrupts; few where interruptions are to be tested. */
#ifdef HV_AUDIT
#define PREEMPT_CHECKS 2u
#else
#define PREEMPT_CHECKS 64u
#endif

static struct hv_domain idle_domain = {.id = DOMID_IDLE};
static struct hv_vcpu idle_vcpu = {.domain = &idle_domain};
struct hv_vcpu *hv_idle_vcpu = &idle_vcpu;
static struct hv_vcpu *queue;		/* all vCPUs that may run, the running one too */
static struct hv_timer slice;
static u64 switched_at;			/* until then the running one's time is counted */
static u64 virtual_now;			/* where the shares have got to: nobody wakes up further behind */

static void slice_over(void *data)
{
    (void)data;
    hv_cpu.work |= HV_WORK_SCHEDULE;
}

void hv_sched_init(void)
{
    hv_cpu.current = &idle_vcpu;
    hv_cpu.budget = PREEMPT_CHECKS;
    hv_set_rsp0(&idle_vcpu);
    hv_timer_init(&slice, slice_over, NULL);
}

void hv_sched_vcpu_init(struct hv_vcpu *v)
{
    v->hard_affinity = ~0ull;
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = hv_now();
}

/* ---- runstate -------------------------------------------------------------------------------------- */
static void set_runstate(struct hv_vcpu *v, int state, u64 now)
{
    if (v == &idle_vcpu || v->runstate.state == state)
        return;
    v->runstate.time[v->runstate.state] += now - v->runstate.state_entry_time;
    v->runstate.state_entry_time = now;
    v->runstate.state = state;
}

u64 hv_vcpu_state_time(const struct hv_vcpu *v, unsigned state)
{
    u64 t = v->runstate.time[state];
    return (unsigned)v->runstate.state == state ? t + hv_now() - v->runstate.state_entry_time : t;
}

static void publish_runstate(struct hv_vcpu *v)
{
    struct vcpu_runstate_info r = v->runstate;
    u64 flag = XEN_RUNSTATE_UPDATE, at = v->runstate_area;
    bool marks = v->domain->vm_assist & 1ull << VMASST_TYPE_runstate_update_flag;
    if (!at || !(v->flags & HV_VCPU_KERNEL))
        return;
    u64 where = at + offsetof(struct vcpu_runstate_info, state_entry_time);
    if (marks) {
        hv_store_guest64(where, r.state_entry_time | flag);
        r.state_entry_time |= flag;
    }
    hv_store_guest(at, &r);
    if (marks)
        hv_store_guest64(where, r.state_entry_time & ~flag);
}

/* ---- queue ------------------------------------------------------------------------------------------ */
/* Counts the time of the running vCPU, and what the shares have got to. */
static void charge(u64 now)
{
    u64 least = ~0ull;
    if (hv_current != &idle_vcpu)
        hv_current->vruntime += (now - switched_at) * HV_WEIGHT_DEFAULT / hv_current->domain->weight;
    switched_at = now;
    for (struct hv_vcpu *q = queue; q; q = q->run_next)
        least = HV_MIN(least, q->vruntime);
    if (!queue)
        least = hv_current->vruntime;	/* it just stopped; the idle one's is 0 */
    virtual_now = HV_MAX(virtual_now, least);
}

static void enqueue(struct hv_vcpu *v)
{
    u64 now = hv_now();
    charge(now);
    v->vruntime = HV_MAX(v->vruntime + WAKE_CREDIT_NS, virtual_now) - WAKE_CREDIT_NS;
    v->run_prev = NULL;
    v->run_next = queue;
    if (queue)
        queue->run_prev = v;
    queue = v;
    v->on_queue = true;
    set_runstate(v, RUNSTATE_runnable, now);
    if (hv_current == &idle_vcpu || v->vruntime < hv_current->vruntime)
        hv_cpu.work |= HV_WORK_SCHEDULE;
    else if (!hv_timer_is_set(&slice))
        hv_timer_set(&slice, now + SLICE_NS);
}

static void dequeue(struct hv_vcpu *v)
{
    if (v->run_prev)
        v->run_prev->run_next = v->run_next;
    else
        queue = v->run_next;
    if (v->run_next)
        v->run_next->run_prev = v->run_prev;
    v->on_queue = false;
    if (v == hv_current)
        hv_cpu.work |= HV_WORK_SCHEDULE;
}

/* The state of a vCPU that is held: one that sleeps is blocked, whatever else keeps it. */
static void set_runstate_held(struct hv_vcpu *v, u64 now)
{
    set_runstate(v, v->hold & HV_HOLD_BLOCKED ? RUNSTATE_blocked : RUNSTATE_offline, now);
}

void hv_hold(struct hv_vcpu *v, u32 why)
{
    v->hold |= why;
    if (v->on_queue)
        dequeue(v);
    if (v != hv_current)
        set_runstate_held(v, hv_now());
}

void hv_unhold(struct hv_vcpu *v, u32 why)
{
    if ((why & HV_HOLD_BLOCKED) && v->poll_port != HV_POLL_NONE) {
        v->poll_port = HV_POLL_NONE;
        v->domain->pollers--;
        hv_timer_stop(&v->poll_timer);
    }
    v->hold &= ~why;
    if (!v->hold && !v->on_queue)
        enqueue(v);
    else if (v->hold && v != hv_current)
        set_runstate_held(v, hv_now());
}

void hv_vcpu_kick(struct hv_vcpu *v)
{
    if ((v->hold & HV_HOLD_BLOCKED) && hv_vcpu_has_events(v))
        hv_unhold(v, HV_HOLD_BLOCKED);
}

void hv_vcpu_nmi(struct hv_vcpu *v)
{
    v->nmi_pending = true;
    hv_unhold(v, HV_HOLD_BLOCKED);
    if (v == hv_current)
        hv_cpu.work |= HV_WORK_VCPU;
}

void hv_poll_wake_slow(struct hv_domain *d, u32 port)
{
    hv_for_each_vcpu(d, v)
        if (v->poll_port == (s32)port || v->poll_port == HV_POLL_MANY)
            hv_unhold(v, HV_HOLD_BLOCKED);
}

/* ---- the switch ---------------------------------------------------------------------------------------- */
HV_PROBE void hv_context_switch(struct hv_vcpu *prev, struct hv_vcpu *next)
{
    if (prev != &idle_vcpu) {
        hv_segments_save(prev);
        hv_fpu_save(prev);
    }
    hv_cpu.current = next;
    hv_set_rsp0(next);
    if (next == &idle_vcpu) {
        hv_write_cr3(hv_boot.idle_cr3);
        hv_load_gdt(next);
        return;
    }
    hv_load_cr3(next);
    hv_tlb_flush_local();
    hv_load_gdt(next);
    /* In its own memory, which may not be there: a fault needs the GDT.  Tools may have cleared the page. */
    hv_time_vcpu_update(next);
    hv_fpu_load(next);
    u64 cr4 = hv_read_cr4(), mine = HV_CR4_TSD | HV_CR4_DE | HV_CR4_FSGSBASE;
    if ((cr4 ^ next->cr4) & mine)
        hv_write_cr4((cr4 & ~mine) | next->cr4);
    hv_debugregs_load(next);
    hv_segments_load(next);
}

void hv_sched_yield(void)
{
    struct hv_vcpu *v = hv_current;
    u64 least = ~0ull;
    for (struct hv_vcpu *q = queue; q; q = q->run_next)
        if (q != v)
            least = HV_MIN(least, q->vruntime);
    if (least != ~0ull)
        v->vruntime = HV_MAX(v->vruntime, least + 1);
    hv_cpu.work |= HV_WORK_SCHEDULE;
}

void hv_schedule(void)
{
    struct hv_vcpu *prev = hv_current, *next = &idle_vcpu;
    u64 now = hv_now();
    charge(now);
    for (struct hv_vcpu *q = queue; q; q = q->run_next)
        if (next == &idle_vcpu || q->vruntime < next->vruntime || (q->vruntime == next->vruntime && next == prev))
            next = q;
    if (queue && queue->run_next)
        hv_timer_set(&slice, now + SLICE_NS);
    else
        hv_timer_stop(&slice);
    if (prev != next && prev->on_queue)
        set_runstate(prev, RUNSTATE_runnable, now);
    else if (prev != next)
        set_runstate_held(prev, now);
    set_runstate(next, RUNSTATE_running, now);
    if (prev != next) {
        hv_context_switch(prev, next);
        if (next != &idle_vcpu)
            publish_runstate(next);
    }
}

bool hv_preempt_slow(void)
{
    hv_cpu.budget = PREEMPT_CHECKS;
    __asm__ volatile("sti; nop; cli" ::: "memory");
    return hv_cpu.work & (HV_WORK_TIMER | HV_WORK_SCHEDULE | HV_WORK_CONSOLE);
}

/* Everything that must be done before a guest runs; returns with one that has nothing left to do. */
void hv_exit_work(void)
{
    for (;;) {
        if (hv_cpu.work & HV_WORK_TIMER) {
            hv_cpu.work &= ~HV_WORK_TIMER;
            hv_time_run();
        }
        if (hv_cpu.work & HV_WORK_CONSOLE) {
            hv_cpu.work &= ~HV_WORK_CONSOLE;
            hv_console_input();
        }
        if (hv_cpu.work & HV_WORK_SCHEDULE) {
            hv_cpu.work &= ~HV_WORK_SCHEDULE;
            hv_schedule();
        }
        struct hv_vcpu *v = hv_current;
        if (v->deferred && hv_types_drain())
            continue;
        hv_cpu.work &= ~HV_WORK_VCPU;
        if (hv_cpu.work)
            continue;
        if (v == &idle_vcpu) {
            __asm__ volatile("sti; hlt; cli" ::: "memory");
            continue;
        }
        if (v->nmi_pending && !v->nmi_masked && v->traps[2].address) {
            v->nmi_pending = false;
            v->nmi_masked = true;
            hv_bounce(v->traps[2].address, false, 0, TI_GET_IF(&v->traps[2]), false);
        } else if (hv_vcpu_has_events(v)) {
            hv_event_upcall(v);
        }
        if (!hv_cpu.work)
            return;
    }
}

void hv_enter_guest(void)
{
    __asm__ volatile("jmp hv_return_to_guest");
    __builtin_unreachable();
}

#ifdef HV_AUDIT
#include "hv/audit_services.h"

/* Exactly those vCPUs are in the queue that nothing holds; pollers are counted. */
unsigned hv_sched_audit(void)
{
    unsigned bad = 0, queued = 0;
    for (struct hv_vcpu *q = queue; q; q = q->run_next, queued++)
        bad += q->hold || !q->on_queue || (q->run_next && q->run_next->run_prev != q);
    hv_for_each_domain(d) {
        u32 pollers = 0;
        hv_for_each_vcpu(d, v) {
            bad += !v->hold != v->on_queue;
            queued -= v->on_queue;
            pollers += v->poll_port != HV_POLL_NONE;
            bad += v->poll_port != HV_POLL_NONE && !(v->hold & HV_HOLD_BLOCKED);
            bad += !!(v->hold & HV_HOLD_PAUSED) != (v->pause_count || d->pause_count);
            bad += !!(v->hold & HV_HOLD_SHUTDOWN) != d->shut_down;
        }
        bad += pollers != d->pollers;
    }
    return bad + !!queued;
}
#endif
