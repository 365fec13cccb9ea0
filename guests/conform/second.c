/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/conform/second.h"

#define PATIENCE 20000u

struct boot_registers second_registers;
u8 second_stack[SECOND_STACK_BYTES] PAGE_ALIGNED;
volatile u64 second_result;

static volatile bool alive;
static u64 (*volatile job)(u64);
static volatile u64 job_arg;

/* Keeps the registers and goes on in second_loop(). */
__asm__(".text\n"
        "second_entry:\n"
        "    movq %rax, second_registers\n    movq %rbx, second_registers+8\n"
        "    movq %rcx, second_registers+16\n movq %rdx, second_registers+24\n"
        "    movq %rsi, second_registers+32\n movq %rdi, second_registers+40\n"
        "    movq %rbp, second_registers+48\n movq %rsp, second_registers+56\n"
        "    movq %r8, second_registers+64\n  movq %r9, second_registers+72\n"
        "    movq %r10, second_registers+80\n movq %r11, second_registers+88\n"
        "    movq %r12, second_registers+96\n movq %r13, second_registers+104\n"
        "    movq %r14, second_registers+112\n movq %r15, second_registers+120\n"
        "    pushfq\n popq second_registers+128\n"
        "    movq %cs, %rax\n movq %rax, second_registers+136\n"
        "    movq %ss, %rax\n movq %rax, second_registers+144\n"
        "    movq %ds, %rax\n movq %rax, second_registers+152\n"
        "    movq %es, %rax\n movq %rax, second_registers+160\n"
        "    movq %fs, %rax\n movq %rax, second_registers+168\n"
        "    movq %gs, %rax\n movq %rax, second_registers+176\n"
        "    cld\n"
        "    call second_loop\n"
        "    ud2\n");
void second_entry(void);
NORETURN void second_loop(void);

NORETURN void second_loop(void)
{
    alive = true;
    for (;;) {
        if (job) {
            second_result = job(job_arg);
            job = NULL;
        }
        vcpu_yield();
    }
}

static u32 which(void)
{
    u64 rsp = (u64)__builtin_frame_address(0);

    return rsp - (u64)second_stack < SECOND_STACK_BYTES;
}

struct vcpu_guest_context *second_context(void)
{
    static struct vcpu_guest_context context;

    runtime_vcpu = which;
    alive = false;
    vcpu_context(&context, (u64)second_entry, 0, second_stack + SECOND_STACK_BYTES,
                 memory_virt_to_mfn(memory_root()));
    context.user_regs.rsp += 8; /* second_entry does the call itself */
    context.event_callback_eip = (u64)trap_entry_event;
    context.failsafe_callback_eip = (u64)trap_entry_failsafe;
    context.syscall_callback_eip = (u64)trap_entry_syscall;
    for (u32 vector = 0; vector < 256; vector++)
        context.trap_ctxt[vector] = (struct trap_info){.vector = (u8)vector,
                                                       .flags = (vector >= 32 ? 3 : 0) | 4,
                                                       .cs = FLAT_KERNEL_CS,
                                                       .address = trap_stub(vector)};
    return &context;
}

bool second_alive(void)
{
    for (u32 i = 0; i < PATIENCE && !alive; i++)
        vcpu_yield();
    return alive;
}

bool second_up(void)
{
    test("start", "the second vCPU starts");
    equal("initialise", hypercall_vcpu_op(VCPUOP_initialise, 1, second_context()), 0);
    equal("up", hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
    if (second_alive())
        return true;
    broken("it does not come to its loop");
    return false;
}

bool second_wait(u32 yields)
{
    for (u32 i = 0; i < yields && job; i++)
        vcpu_yield();
    return !job;
}

void second_start(u64 (*what)(u64), u64 arg)
{
    job_arg = arg;
    BARRIER();
    job = what;
}

bool second_done(void)
{
    return !job;
}

u64 second_run(u64 (*what)(u64), u64 arg)
{
    second_start(what, arg);
    if (!second_wait(PATIENCE))
        panic("the second vCPU does not come to the end of its job");
    return second_result;
}
