/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions, software interrupts, user system calls and event upcalls.
 *
 * An exception is offered, in this order, to the handler of its vector (trap_set_handler), to
 * the exception table (TRAP_FIXUP), to the innermost trap_try() or user_call(); if nobody takes
 * it the guest panics with its registers.
 */
#ifndef GUESTS_LIB_TRAP_H
#define GUESTS_LIB_TRAP_H

#include "guests/lib/layout.h"
#include "guests/lib/types.h"

enum {
    TRAP_DE, TRAP_DB, TRAP_NMI, TRAP_BP, TRAP_OF, TRAP_BR, TRAP_UD, TRAP_NM, TRAP_DF,
    TRAP_TS = 10, TRAP_NP, TRAP_SS, TRAP_GP, TRAP_PF, TRAP_MF = 16, TRAP_AC, TRAP_MC, TRAP_XM,
};
/** No exception came. */
#define TRAP_NONE 0xffffu

/* Error code of a page fault. */
#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER    4u
#define PF_FETCH   16u

/* Selectors of the hypervisor's flat segments, as a guest sees them in frames. */
#define SEL_KERNEL_CS 0xe030 /* RPL 0 marks the kernel's virtual mode */
#define SEL_USER_CS   0xe033
#define SEL_DS        0xe02b

/**
 * struct trap_frame - the interrupted state, as entry.S leaves it on the stack.  What a handler
 * writes is what is returned to.  From rax on it is struct iret_context of xen/arch-x86/xen-x86_64.h.
 */
struct trap_frame {
    u64 r15, r14, r13, r12, r10, r9, r8, rbp, rdi, rsi, rdx, rbx;
    u64 vector;
    u64 rax, r11, rcx, error;
    u64 rip;
    u64 cs; /* bits 32..39: the upcall mask before the entry */
    u64 rflags, rsp, ss;
};

/** struct trap_record - an exception that was caught. */
struct trap_record {
    u32 vector;
    u32 error;
    u64 cr2; /* of a page fault */
    u64 frame_va; /* where RIP lay on the stack that the hypervisor used */
    struct trap_frame frame;
};
/** The newest exception that was caught by fixup or trap_try(). */
extern struct trap_record trap_last;

/** A handler returns whether it has dealt with the exception. */
typedef bool (*trap_handler)(struct trap_frame *frame);

/** trap_init - install the trap table and the callbacks; called by the runtime. */
void trap_init(void);

/** trap_install - (re)install the table and the callbacks, after a test has changed them. */
void trap_install(void);

/**
 * trap_set_handler - who gets @vector (0..255, TRAP_SYSCALL, TRAP_FAILSAFE).  NULL: nobody.
 * Returns: the handler before.
 */
trap_handler trap_set_handler(u32 vector, trap_handler handler);

/**
 * trap_around - supplied by a guest that has to do something at every entry, such as to take a lock:
 * called in the place of @handle(@frame), which it has to call.  NULL: nothing.
 */
extern void (*trap_around)(struct trap_frame *frame, void (*handle)(struct trap_frame *frame));

/** trap_stub - address of the entry point of @vector, for a trap table of your own. */
u64 trap_stub(u32 vector);

/** The entry points behind the callbacks. */
void trap_entry_syscall(void);
void trap_entry_event(void);
void trap_entry_failsafe(void);

/** trap_from_user - whether the frame interrupted user mode. */
static inline bool trap_from_user(const struct trap_frame *frame)
{
    return (frame->cs & 3) == 3;
}

/**
 * trap_try - call @fn(@arg) and come back even if it raises an exception; may be nested.
 * Returns: the vector, the details in trap_last; TRAP_NONE when @fn returned (its result in
 *          trap_result).
 */
u32 trap_try(u64 (*fn)(u64), u64 arg);
extern u64 trap_result;

/**
 * trap_leave - from a handler: return from the innermost trap_try() or user_call() with @result,
 * when @frame is returned to.  False if there is none.
 */
bool trap_leave(struct trap_frame *frame, u64 result);

/** trap_guarded - trap_try without clearing trap_last; @fn may also end by trap_leave(). */
u64 trap_guarded(u64 (*fn)(u64), u64 arg);

/** TRAP_FIXUP - in assembly: an exception at label `from` goes on at label `to`. */
#define TRAP_FIXUP(from, to)                                                                       \
    ".pushsection .extable,\"a\"\n.balign 8\n.quad " from ", " to "\n.popsection\n"

/**
 * TRAP_INSN - run one instruction that may fault.  Evaluates to its vector or TRAP_NONE, details
 * in trap_last.  Operands after the text as in extended asm: TRAP_INSN("rdmsr", "=a"(v), ...).
 */
#define TRAP_INSN(text, outputs, inputs, ...)                                                      \
    ({                                                                                             \
        trap_last.vector = TRAP_NONE;                                                              \
        __asm__ volatile("771: " text "\n772:\n" TRAP_FIXUP("771b", "772b")                        \
                         : TRAP_LIST_ outputs                                                      \
                         : TRAP_LIST_ inputs                                                       \
                         : "memory", ##__VA_ARGS__);                                               \
        trap_last.vector;                                                                          \
    })
#define TRAP_LIST_(...) __VA_ARGS__

#endif
