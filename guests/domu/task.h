/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: kernel threads, and processes with an address space of their own.
 *
 * Kernel code is not preempted; processes are, after SLICE_NS, when another task waits.
 */
#ifndef GUESTS_DOMU_TASK_H
#define GUESTS_DOMU_TASK_H

#include "guests/domu/cpu.h"
#include "guests/lib/trap.h"
#include "guests/lib/types.h"

#define TASK_STACK_PAGES 4u
#define TASK_SLICE_NS    10000000ul
#define TASK_NEVER       UINT64_MAX

struct space;

enum task_state { TASK_READY, TASK_RUNNING, TASK_ASLEEP, TASK_DEAD };

struct task {
    struct task *next;      /* in the run queue */
    struct task *next_task; /* of all */
    enum task_state state;
    u32 id;
    u32 parent; /* 0: nobody waits for it */
    int status; /* of a dead one */
    const char *name;
    u64 rsp; /* while it does not run */
    void *stack;
    struct space *space; /* NULL: kernel thread */
    const void *channel; /* what it sleeps on */
    u64 wake_ns;         /* or when it wakes without that */
};

/** task_init - make the caller the idle task of vCPU 0. */
void task_init(void);

/** task_adopt_idle - an idle task for another vCPU; its stack is the caller's business. */
struct task *task_adopt_idle(struct cpu *cpu);

/** task_start_thread - a kernel thread.  Panics without memory. */
struct task *task_start_thread(const char *name, void (*run)(void *arg), void *arg);

/**
 * task_start_process - a process that begins by returning to @frame.
 * @space: becomes the task's.
 * Returns: NULL without memory.
 */
struct task *task_start_process(const char *name, u32 parent, struct space *space,
                                const struct trap_frame *frame);

/** task_exit - end the current task. */
NORETURN void task_exit(int status);

/**
 * task_wait - reap a dead child of the current task, waiting for one.
 * Returns: its id, or -ECHILD's number negated when there are no children.
 */
long task_wait(int *status);

/** task_sleep_on - until task_wake(@channel) or @wake_ns of system time.  Returns false on timeout. */
bool task_sleep_on(const void *channel, u64 wake_ns);
void task_wake(const void *channel);

/** task_yield - let others run first. */
void task_yield(void);

/** task_tick - from the timer: wake who has slept long enough, see whose slice is over. */
void task_tick(void);

/** task_leave_kernel - what has to be done before user mode or idling: the timer, maybe another task. */
void task_leave_kernel(void);

/** task_idle_loop - what an idle task does. */
NORETURN void task_idle_loop(void);

/** task_print_all - a list of all tasks but idle ones. */
void task_print_all(void);

#endif
