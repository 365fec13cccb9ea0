/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/user.h"

#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

NORETURN void user_switch(const struct trap_frame *frame);

#define USER_STACK_BYTES 8192

static u8 user_stack[USER_STACK_BYTES] ALIGNED(4096);

long user_set_root(u64 mfn)
{
    struct mmuext_op op = {.cmd = MMUEXT_NEW_USER_BASEPTR};

    op.arg1.mfn = mfn;
    return hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

void user_init(void)
{
    long error = user_set_root(memory_virt_to_mfn(memory_root()));

    if (error)
        panic("no user page tables: %ld", error);
}

void user_exit(u64 value)
{
    __asm__ volatile("syscall" : : "a"((u64)USER_EXIT), "D"(value) : "rcx", "r11", "memory");
    __builtin_unreachable();
}

/* Where a user function returns to. */
__asm__(".pushsection .text\n"
        "user_returned:\n"
        "    movq %rax, %rdi\n"
        "    movl $0x45584954, %eax\n"
        "    syscall\n"
        "    ud2\n"
        ".popsection\n");
extern u8 user_returned[];

static trap_handler outer_syscall;

static bool handle_exit(struct trap_frame *frame)
{
    if (frame->rax == USER_EXIT && trap_from_user(frame))
        return trap_leave(frame, frame->rdi);
    return outer_syscall && outer_syscall(frame);
}

NORETURN void user_enter(const struct trap_frame *frame)
{
    /* Exceptions and system calls from user mode come in below what is live on this stack. */
    u64 rsp = (u64)__builtin_frame_address(0) - 1024;

    /* Between here and user mode an upcall would come in on the frame itself. */
    event_disable();
    hypercall_stack_switch(SEL_DS, rsp & ~15ul);
    user_switch(frame);
}

static u64 enter(u64 arg)
{
    user_enter((const struct trap_frame *)arg);
}

u32 user_call_flags(u64 (*fn)(u64), u64 arg, u64 rflags)
{
    u64 *top = (u64 *)(user_stack + sizeof user_stack) - 1;
    struct trap_frame frame = {
        .rdi = arg,
        .rip = (u64)fn,
        .cs = SEL_USER_CS,
        .rflags = rflags | 2,
        .rsp = (u64)top,
        .ss = SEL_DS,
    };
    trap_handler before = trap_set_handler(TRAP_SYSCALL, handle_exit);

    *top = (u64)user_returned;
    outer_syscall = before;
    trap_last.vector = TRAP_NONE;
    trap_result = trap_guarded(enter, (u64)&frame);
    trap_set_handler(TRAP_SYSCALL, before);
    return trap_last.vector;
}

u32 user_call(u64 (*fn)(u64), u64 arg)
{
    return user_call_flags(fn, arg, event_enabled() ? 0x200 : 0);
}
