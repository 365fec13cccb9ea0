/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/task.h"

#include "guests/domu/space.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

/* switch.S */
void task_switch(u64 *save_rsp, u64 new_rsp);
void task_begin_thread(void);
void task_begin_process(void);
void task_begin(void);

static struct task *all;
static struct task *ready_first, *ready_last;
/* Stacks of dead tasks, linked through their first word. */
static void *spare_stacks;
static u32 next_id = 1;

/* ---- the run queue ---- */

static void make_ready(struct task *task)
{
    task->state = TASK_READY;
    task->next = NULL;
    *(ready_last ? &ready_last->next : &ready_first) = task;
    ready_last = task;
    cpu_kick();
}

static struct task *take_ready(void)
{
    struct task *task = ready_first;

    if (task) {
        ready_first = task->next;
        if (!ready_first)
            ready_last = NULL;
    }
    return task;
}

/* The hypervisor's part of a switch: page tables, and the stack for entries from user mode. */
static void load(const struct task *task)
{
    space_load(task->space);
    if (task->space)
        hypercall_stack_switch(FLAT_KERNEL_SS,
                               (u64)task->stack + TASK_STACK_PAGES * PAGE_SIZE);
}

/* Give the processor to the next task; comes back when the caller is the next. */
static void schedule(void)
{
    struct cpu *cpu = cpu_this();
    struct task *before = cpu->current, *next = take_ready();

    if (!next)
        next = cpu->idle;
    cpu->resched = false;
    cpu->slice_end_ns = clock_system_ns() + TASK_SLICE_NS;
    next->state = TASK_RUNNING;
    if (next == before)
        return;
    cpu->current = next;
    load(next);
    task_switch(&before->rsp, next->rsp);
}

/* ---- life ---- */

static struct task *task_new(const char *name)
{
    struct task *task = heap_alloc(sizeof *task);

    if (!task)
        return NULL;
    task->name = name;
    task->wake_ns = TASK_NEVER;
    return task;
}

struct task *task_adopt_idle(struct cpu *cpu)
{
    struct task *task = task_new("idle");

    (void)cpu;
    if (!task)
        panic("no memory for an idle task");
    task->state = TASK_RUNNING;
    return task;
}

void task_init(void)
{
    struct cpu *cpu = cpu_this();

    cpu->idle = cpu->current = task_adopt_idle(cpu);
}

/* With a stack whose top is @frame_bytes lower than its end. */
static bool add(struct task *task)
{
    task->stack = spare_stacks;
    if (task->stack)
        spare_stacks = *(void **)task->stack;
    else
        task->stack = pages_try_alloc(TASK_STACK_PAGES);
    if (!task->stack)
        return false;
    task->id = next_id++;
    task->next_task = all;
    all = task;
    return true;
}

/* What task_switch() pops, and where it returns to. */
static void prepare(struct task *task, u64 *top, void (*entry)(void), u64 rbx, u64 r12)
{
    *--top = (u64)entry;
    *--top = rbx;
    *--top = 0;
    *--top = r12;
    for (u32 i = 0; i < 3; i++)
        *--top = 0;
    task->rsp = (u64)top;
}

struct task *task_start_thread(const char *name, void (*run)(void *arg), void *arg)
{
    struct task *task = task_new(name);

    if (!task || !add(task))
        panic("no memory for the thread %s", name);
    /* One word more, so that the function finds the stack as if it had been called. */
    prepare(task, (u64 *)((u64)task->stack + TASK_STACK_PAGES * PAGE_SIZE), task_begin_thread,
            (u64)run, (u64)arg);
    make_ready(task);
    return task;
}

struct task *task_start_process(const char *name, u32 parent, struct space *space,
                                const struct trap_frame *frame)
{
    struct task *task = task_new(name);
    struct trap_frame *copy;

    if (!task || !add(task)) {
        heap_free(task);
        return NULL;
    }
    task->parent = parent;
    task->space = space;
    copy = (struct trap_frame *)((u64)task->stack + TASK_STACK_PAGES * PAGE_SIZE) - 1;
    *copy = *frame;
    prepare(task, (u64 *)copy, task_begin_process, 0, 0);
    make_ready(task);
    return task;
}

/* The first thing a process does, before user mode. */
void task_begin(void)
{
    task_leave_kernel();
    cpu_unlock();
}

void task_exit(int status)
{
    struct task *task = cpu_this()->current;
    struct space *space = task->space;

    /* From here on it runs on the kernel's own page tables. */
    task->space = NULL;
    space_load(NULL);
    if (space)
        space_free(space);
    for (struct task *child = all; child; child = child->next_task)
        if (child->parent == task->id)
            child->parent = 1;
    task->status = status;
    task->state = TASK_DEAD;
    task_wake(&all);
    schedule();
    panic("a dead task runs");
}

static void reap(struct task *task)
{
    struct task **at = &all;

    while (*at != task)
        at = &(*at)->next_task;
    *at = task->next_task;
    *(void **)task->stack = spare_stacks;
    spare_stacks = task->stack;
    heap_free(task);
}

long task_wait(int *status)
{
    u32 self = cpu_this()->current->id;

    for (;;) {
        bool any = false;

        for (struct task *child = all; child; child = child->next_task) {
            u32 id = child->id;

            if (child->parent != self || child == cpu_this()->current)
                continue;
            any = true;
            if (child->state != TASK_DEAD)
                continue;
            *status = child->status;
            reap(child);
            return id;
        }
        if (!any)
            return -XEN_ECHILD;
        task_sleep_on(&all, TASK_NEVER);
    }
}

void task_print_all(void)
{
    static const char *const states[] = {"ready", "running", "asleep", "dead"};

    for (struct task *task = all; task; task = task->next_task)
        print("%4u %4u %-8s %s\n", task->id, task->parent, states[task->state], task->name);
}

/* ---- sleep ---- */

bool task_sleep_on(const void *channel, u64 wake_ns)
{
    struct cpu *cpu = cpu_this();
    struct task *task = cpu->current;
    bool woken;

    /* Before there are other tasks, and in the idle task itself, waiting is idling. */
    if (task == cpu->idle) {
        cpu_idle();
        return true;
    }
    task->channel = channel;
    task->wake_ns = wake_ns;
    task->state = TASK_ASLEEP;
    schedule();
    woken = !task->channel;
    task->channel = NULL;
    return woken;
}

void task_wake(const void *channel)
{
    for (struct task *task = all; task; task = task->next_task)
        if (task->state == TASK_ASLEEP && task->channel == channel) {
            task->channel = NULL;
            task->wake_ns = TASK_NEVER;
            make_ready(task);
        }
}

void task_yield(void)
{
    struct cpu *cpu = cpu_this();

    if (cpu->current != cpu->idle)
        make_ready(cpu->current);
    schedule();
}

static u64 wake_sleepers(u64 now)
{
    u64 next = TASK_NEVER;

    for (struct task *task = all; task; task = task->next_task) {
        if (task->state != TASK_ASLEEP || task->wake_ns == TASK_NEVER)
            continue;
        if (task->wake_ns <= now) {
            task->wake_ns = TASK_NEVER;
            make_ready(task);
        } else if (task->wake_ns < next) {
            next = task->wake_ns;
        }
    }
    return next;
}

void task_tick(void)
{
    struct cpu *cpu = cpu_this();
    u64 now = clock_system_ns();

    wake_sleepers(now);
    if (ready_first && now >= cpu->slice_end_ns)
        cpu->resched = true;
}

void task_leave_kernel(void)
{
    struct cpu *cpu = cpu_this();
    u64 deadline;

    if (cpu->resched && cpu->current != cpu->idle)
        task_yield();
    cpu = cpu_this();
    deadline = wake_sleepers(clock_system_ns());
    if (ready_first && cpu->slice_end_ns < deadline)
        deadline = cpu->slice_end_ns;
    cpu_set_timer(deadline == TASK_NEVER ? 0 : deadline);
}

void task_idle_loop(void)
{
    for (;;) {
        u64 deadline = wake_sleepers(clock_system_ns());

        if (ready_first) {
            schedule();
            continue;
        }
        cpu_set_timer(deadline == TASK_NEVER ? 0 : deadline);
        cpu_idle();
    }
}
