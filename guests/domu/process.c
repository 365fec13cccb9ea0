/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/process.h"

#include "guests/domu/program.h"
#include "guests/domu/space.h"
#include "guests/domu/syscall.h"
#include "guests/domu/task.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/errno.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define MAX_WRITE 256u

static struct task *current(void)
{
    return cpu_this()->current;
}

/* ---- system calls ---- */

static long sys_write(u64 text_va, u64 size_bytes)
{
    char text[MAX_WRITE];

    if (size_bytes > sizeof text)
        size_bytes = sizeof text;
    if (!space_read(text, text_va, size_bytes))
        return -XEN_EFAULT;
    console_write(text, size_bytes);
    return (long)size_bytes;
}

static long sys_fork(const struct trap_frame *frame)
{
    struct trap_frame child_frame = *frame;
    struct space *space = space_fork(current()->space);
    struct task *child;

    if (!space)
        return -XEN_ENOMEM;
    child_frame.rax = 0;
    child = task_start_process(current()->name, current()->id, space, &child_frame);
    if (!child) {
        space_free(space);
        return -XEN_ENOMEM;
    }
    return child->id;
}

static long sys_exec(struct trap_frame *frame, u64 name_va)
{
    struct task *task = current();
    struct space *before = task->space, *space;
    char name[32];
    long error;

    if (!space_read(name, name_va, sizeof name))
        return -XEN_EFAULT;
    name[sizeof name - 1] = '\0';
    space = program_load(name, frame, &error);
    if (!space)
        return error;
    task->space = space;
    space_load(space);
    space_free(before);
    return 0;
}

static long sys_wait(u64 status_va)
{
    int status = 0;
    long id = task_wait(&status);

    if (id > 0 && status_va && !space_write(status_va, &status, sizeof status))
        return -XEN_EFAULT;
    return id;
}

static long sys_nanosleep(u64 span_ns)
{
    static const char nobody_wakes_it;

    task_sleep_on(&nobody_wakes_it, clock_system_ns() + span_ns);
    return 0;
}

static long sys_yield(void)
{
    task_yield();
    return 0;
}

static long system_call(struct trap_frame *frame)
{
    switch (frame->rax) {
    case SYS_WRITE:
        return sys_write(frame->rdi, frame->rsi);
    case SYS_BRK_GROW:
        return (long)space_grow(current()->space, (s64)frame->rdi);
    case SYS_YIELD:
        return sys_yield();
    case SYS_NANOSLEEP:
        return sys_nanosleep(frame->rdi);
    case SYS_GETPID:
        return current()->id;
    case SYS_FORK:
        return sys_fork(frame);
    case SYS_EXEC:
        return sys_exec(frame, frame->rdi);
    case SYS_EXIT:
        task_exit((int)(frame->rdi & 0xff));
    case SYS_WAIT:
        return sys_wait(frame->rdi);
    case SYS_CLOCK:
        return (long)clock_system_ns();
    case SYS_CPUS:
        return cpu_count;
    case SYS_COPIES:
        return (long)space_copies();
    default:
        return -XEN_ENOSYS;
    }
}

static bool on_system_call(struct trap_frame *frame)
{
    frame->rax = (u64)system_call(frame);
    return true;
}

/* ---- exceptions ---- */

static bool on_exception(struct trap_frame *frame)
{
    if (!trap_from_user(frame))
        return false;
    task_exit(STATUS_KILLED + (int)frame->vector);
}

static bool on_page_fault(struct trap_frame *frame)
{
    u64 va = vcpu_info()->arch.cr2;

    if (current()->space && space_fault(current()->space, va, frame->error & PF_WRITE))
        return true;
    return on_exception(frame);
}

void process_init(void)
{
    for (u32 vector = 0; vector < 256; vector++)
        trap_set_handler(vector, on_exception);
    trap_set_handler(TRAP_PF, on_page_fault);
    trap_set_handler(TRAP_SYSCALL, on_system_call);
    space_init();
}

long process_run(const char *program)
{
    struct trap_frame frame;
    long error;
    struct space *space = program_load(program, &frame, &error);
    struct task *task;
    int status;

    if (!space)
        return error;
    task = task_start_process(program, current()->id, space, &frame);
    if (!task) {
        space_free(space);
        return -XEN_ENOMEM;
    }
    error = task_wait(&status);
    return error < 0 ? error : status;
}
