/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/trap.h"

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"

/* entry.S */
extern u8 trap_stubs[];
extern u8 trap_unwind[];
u64 trap_guard(u64 *saved_rsp, u64 (*fn)(u64), u64 arg);
void trap_dispatch(struct trap_frame *frame);

#define STUB_BYTES 32

struct fixup {
    u64 from, to;
};
extern const struct fixup extable_start[], extable_end[];

void (*trap_around)(struct trap_frame *frame, void (*handle)(struct trap_frame *frame));
struct trap_record trap_last;
u64 trap_result;

static trap_handler handlers[TRAP_VECTORS];
/* The stack of the innermost trap_guard(), 0 when there is none. */
static u64 guard_rsp;

u64 trap_stub(u32 vector)
{
    return (u64)trap_stubs + (u64)vector * STUB_BYTES;
}

static void register_callback(u16 type, u16 flags, void (*entry)(void))
{
    struct callback_register callback = {.type = type, .flags = flags, .address = (u64)entry};
    long error = hypercall_callback_op(CALLBACKOP_register, &callback);

    if (error)
        print("callback %u: error %ld\n", type, error);
}

void trap_install(void)
{
    static struct trap_info table[257];

    for (u32 vector = 0; vector < 256; vector++) {
        /* Breakpoints and software interrupts may come from user mode. */
        u8 level = vector == TRAP_BP || vector == TRAP_OF || vector >= 32 ? 3 : 0;

        table[vector] = (struct trap_info){.vector = (u8)vector,
                                           .flags = level | 4,
                                           .cs = FLAT_KERNEL_CS,
                                           .address = trap_stub(vector)};
    }
    if (hypercall_set_trap_table(table))
        panic("the trap table was not taken");
    register_callback(CALLBACKTYPE_event, 0, trap_entry_event);
    register_callback(CALLBACKTYPE_failsafe, 0, trap_entry_failsafe);
    register_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events, trap_entry_syscall);
}

void trap_init(void)
{
    trap_install();
}

trap_handler trap_set_handler(u32 vector, trap_handler handler)
{
    trap_handler before;

    ASSERT(vector < TRAP_VECTORS);
    before = handlers[vector];
    handlers[vector] = handler;
    return before;
}

bool trap_leave(struct trap_frame *frame, u64 result)
{
    if (!guard_rsp)
        return false;
    frame->rip = (u64)trap_unwind;
    frame->cs = SEL_KERNEL_CS;
    frame->ss = SEL_DS;
    frame->rsp = guard_rsp;
    frame->rax = result;
    /* No TF, DF, AC; events stay masked (IF) until trap_guarded() puts the mask back. */
    frame->rflags &= ~(u64)0x40700;
    return true;
}

u64 trap_guarded(u64 (*fn)(u64), u64 arg)
{
    u64 outer = guard_rsp, result;
    bool enabled = event_enabled();

    result = trap_guard(&guard_rsp, fn, arg);
    guard_rsp = outer;
    if (enabled)
        event_enable();
    return result;
}

u32 trap_try(u64 (*fn)(u64), u64 arg)
{
    trap_last.vector = TRAP_NONE;
    trap_result = trap_guarded(fn, arg);
    return trap_last.vector;
}

static void record(const struct trap_frame *frame)
{
    trap_last.vector = (u32)frame->vector;
    trap_last.error = (u32)frame->error;
    trap_last.cr2 = frame->vector == TRAP_PF && shared_info ? vcpu_info()->arch.cr2 : 0;
    trap_last.frame = *frame;
    trap_last.frame_va = (u64)&frame->rip;
}

static bool fix_up(struct trap_frame *frame)
{
    for (const struct fixup *f = extable_start; f < extable_end; f++)
        if (f->from == frame->rip) {
            record(frame);
            frame->rip = f->to;
            return true;
        }
    return false;
}

NORETURN static void die(const struct trap_frame *f)
{
    print("exception %lu, error %lx, cr2 %lx\n", f->vector, f->error,
          shared_info ? vcpu_info()->arch.cr2 : 0);
    print("rip %lx cs %lx rflags %lx rsp %lx ss %lx\n", f->rip, f->cs, f->rflags, f->rsp, f->ss);
    print("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n", f->rax, f->rbx, f->rcx,
          f->rdx, f->rsi, f->rdi, f->rbp);
    print("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", f->r8, f->r9, f->r10,
          f->r11, f->r12, f->r13, f->r14, f->r15);
    panic("exception %lu nobody expected at %lx", f->vector, f->rip);
}

static void handle_frame(struct trap_frame *frame)
{
    if (frame->vector == TRAP_EVENT) {
        event_dispatch();
        return;
    }
    if (handlers[frame->vector] && handlers[frame->vector](frame))
        return;
    if (!trap_from_user(frame) && fix_up(frame))
        return;
    if (guard_rsp) {
        record(frame);
        trap_leave(frame, frame->vector);
        return;
    }
    die(frame);
}

/* Called by entry.S with the frame of the entry. */
void trap_dispatch(struct trap_frame *frame)
{
    if (trap_around)
        trap_around(frame, handle_frame);
    else
        handle_frame(frame);
}
