/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second vCPU, which does jobs for an attack, and the timer that interrupts the first. */
#include "guests/hostile/hostile.h"

#define STACK_PAGES 4

static void (*volatile job)(u64 arg);
static volatile u64 job_arg;
static bool started;

/* The second vCPU lives here: a job, then down until there is another. It has no trap table: jobs must not fault. */
NORETURN static void second_main(u64 first_registers)
{
    struct second_registers *r = (struct second_registers *)first_registers;

    __asm__ volatile("movw %%cs, %0\n movw %%ss, %1\n movw %%ds, %2\n movw %%es, %3\n movw %%fs, %4\n movw %%gs, %5\n"
                     "pushfq\n popq %6\n cld" /* compiled code wants it clear, and attacks start with all flags set */
                     : "=m"(r->cs), "=m"(r->ss), "=m"(r->ds), "=m"(r->es), "=m"(r->fs), "=m"(r->gs), "=m"(r->rflags));
    for (;;) {
        if (job)
            job(job_arg);
        job = NULL;
        hypercall_vcpu_op(VCPUOP_down, 1, NULL);
    }
}

struct second_registers second_registers;

void second_context(vcpu_guest_context_t *c, const u64 *root)
{
    static u8 *stack;

    if (!stack)
        stack = pages_alloc(STACK_PAGES);
    vcpu_context(c, (u64)second_main, (u64)&second_registers, stack + STACK_PAGES * PAGE_SIZE, mfn_of(root));
    shared_info->vcpu_info[1].evtchn_upcall_mask = 1;
}

void second_initialised(void)
{
    started = true;
}

void second_start(void (*fn)(u64 arg), u64 arg)
{
    static vcpu_guest_context_t context;

    if (!started) {
        second_context(&context, memory_root());
        if (hypercall_vcpu_op(VCPUOP_initialise, 1, &context)) {
            broken("no second vCPU");
            return;
        }
        started = true;
    }
    while (hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) == 1)
        vcpu_yield();
    job_arg = arg;
    job = fn;
    if (hypercall_vcpu_op(VCPUOP_up, 1, NULL))
        broken("the second vCPU does not come up");
}

bool second_busy(void)
{
    return job != NULL;
}

void second_wait(void)
{
    while (job)
        vcpu_yield();
}

void second_do(void (*fn)(u64 arg), u64 arg)
{
    second_start(fn, arg);
    second_wait();
}

/* ---- the timer ---- */

void (*volatile interrupt)(void);
volatile u32 interruptions;

static void on_timer(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    interruptions++;
    if (interrupt)
        interrupt();
}

void interrupt_after(u64 ns, void (*handler)(void))
{
    static u32 timer;

    if (!timer) {
        clock_sleep_ns(1); /* has bound it */
        for (u32 port = 1; port < 64 && !timer; port++) {
            evtchn_status_t status = {.dom = DOMID_SELF, .port = port};

            if (!hypercall_event_channel_op(EVTCHNOP_status, &status) && status.status == EVTCHNSTAT_virq &&
                status.u.virq == VIRQ_TIMER)
                timer = port;
        }
        if (!timer) {
            broken("no timer");
            return;
        }
        event_set_handler(timer, on_timer, NULL);
    }
    interrupt = handler;
    event_unmask(timer);
    event_enable();
    hypercall_set_timer_op(ns ? clock_system_ns() + ns : 0);
}

void interrupt_off(void)
{
    hypercall_set_timer_op(0);
    interrupt = NULL;
    event_disable();
}
