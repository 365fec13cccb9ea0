/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/cpu.h"

#include "guests/domu/task.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/trap.h"
#include "guests/lib/vcpu.h"

/* How often a lock is looked at before its holder is given the processor. */
#define SPINS 1000u

struct cpu cpus[CPU_MAX];
u32 cpu_count = 1;

static u32 lock_word;

void cpu_lock(void)
{
    while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE))
        for (u32 spin = 0; __atomic_load_n(&lock_word, __ATOMIC_RELAXED); spin++)
            if (spin == SPINS) {
                vcpu_yield();
                spin = 0;
            }
}

void cpu_unlock(void)
{
    __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

static u32 this_number(void)
{
    return (u32)cpu_this()->number;
}

/* See cpu.h: from user mode and from the idle loop the lock has to be taken, else it is held. */
static void around(struct trap_frame *frame, void (*handle)(struct trap_frame *frame))
{
    bool user = trap_from_user(frame), take = user || frame->vector == TRAP_EVENT;

    if (take)
        cpu_lock();
    handle(frame);
    if (user)
        task_leave_kernel();
    if (take)
        cpu_unlock();
}

static void on_timer(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    task_tick();
}

static void on_ipi(u32 port, void *arg)
{
    (void)port;
    (void)arg;
}

static u32 bind(long port, event_handler handler)
{
    if (port < 0)
        panic("no event channel: %ld", port);
    event_set_handler((u32)port, handler, NULL);
    event_unmask((u32)port);
    return (u32)port;
}

static void bind_events(struct cpu *cpu)
{
    bind(event_bind_virq(VIRQ_TIMER, (u32)cpu->number), on_timer);
    cpu->ipi_port = bind(event_bind_ipi((u32)cpu->number), on_ipi);
}

void cpu_init(void)
{
    cpus[0].number = 0;
    if (hypercall_set_segment_base(SEGBASE_GS_KERNEL, (u64)&cpus[0]))
        panic("no base for GS");
    runtime_vcpu = this_number;
    trap_around = around;
    memory_flush = UVMF_INVLPG | UVMF_ALL;
    cpu_lock();
    task_init();
    bind_events(&cpus[0]);
}

/* Where another vCPU starts, upcalls masked. */
NORETURN static void cpu_main(struct cpu *cpu)
{
    cpu_lock();
    trap_install();
    cpu->idle = cpu->current = task_adopt_idle(cpu);
    bind_events(cpu);
    cpu_count++;
    task_wake(&cpu_count);
    task_idle_loop();
}

static bool start(u32 number)
{
    static vcpu_guest_context_t context;
    struct cpu *cpu = &cpus[number];
    u8 *stack = pages_alloc(TASK_STACK_PAGES);
    long error;

    cpu->number = number;
    vcpu_context(&context, (u64)cpu_main, (u64)cpu, stack + TASK_STACK_PAGES * PAGE_SIZE,
                 memory_virt_to_mfn(memory_root()));
    context.gs_base_kernel = (u64)cpu;
    error = vcpu_start(number, &context);
    if (error)
        print("vCPU %u does not start: error %ld\n", number, error);
    return !error;
}

void cpu_start_others(void)
{
    for (u32 number = 1; number < CPU_MAX; number++) {
        u32 before = cpu_count;

        if (hypercall_vcpu_op(VCPUOP_is_up, number, NULL) < 0)
            break;
        if (!start(number))
            break;
        while (cpu_count == before)
            task_sleep_on(&cpu_count, TASK_NEVER);
    }
}

void cpu_idle(void)
{
    struct cpu *cpu = cpu_this();

    cpu->idling = true;
    cpu_unlock();
    /* An event that came before this makes the call return at once. */
    event_wait();
    event_disable();
    cpu_lock();
    cpu->idling = false;
}

void cpu_kick(void)
{
    for (u32 i = 0; i < cpu_count; i++)
        if (cpus[i].idling) {
            cpus[i].idling = false;
            event_send(cpus[i].ipi_port);
            return;
        }
}

void cpu_set_timer(u64 deadline_ns)
{
    hypercall_set_timer_op(deadline_ns);
}
