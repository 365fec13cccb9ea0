/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPUs of a fuzzing domain, what comes to them, and the recount. */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/trap.h"
#include "guests/lib/vcpu.h"

#define AUDIT 63 /* of hv's test build */

u64 fuzz_audits;

static struct fuzz_cpu cpus[BOARD_CPUS];
extern u8 fuzz_iret_landing[]; /* gen_cpu.c */
static u8 stacks[BOARD_CPUS][STACK_SIZE] PAGE_ALIGNED; /* vCPU 0 has the one it was started on */

/* No segment base can be relied on here: the calls change them.  Each vCPU is known by its stack. */
static u32 this_vcpu(void)
{
    u64 at = (u64)__builtin_frame_address(0) - (u64)stacks;

    return at < sizeof stacks ? (u32)(at / STACK_SIZE) : 0;
}

bool fuzz_audit(const char *when)
{
    long wrong = hypercall(AUDIT, 0, 0, 0, 0, 0);

    if (wrong == -XEN_ENOSYS)
        return true;
    fuzz_audits++;
    if (!wrong)
        return true;
    print("fuzz: the books are wrong %s: %ld disagreements\n", when, wrong);
    return false;
}

static bool take(struct trap_frame *frame)
{
    (void)frame;
    return true;
}

/* An iret with selectors that cannot be loaded. */
static bool take_bad_frame(struct trap_frame *frame)
{
    if (frame->rip != (u64)fuzz_iret_landing)
        return false;
    frame->cs = (frame->cs & 0xff00000000) | SEL_KERNEL_CS;
    frame->ss = SEL_DS;
    return true;
}

/* Our own breakpoints: no more of them. */
static bool take_debug(struct trap_frame *frame)
{
    frame->rflags &= ~0x100ul;
    hypercall_set_debugreg(7, 0x400);
    return true;
}

void fuzz_handlers(void)
{
    trap_set_handler(TRAP_NMI, take);
    trap_set_handler(TRAP_DB, take_debug);
    trap_set_handler(TRAP_NP, take_bad_frame);
    trap_set_handler(TRAP_SS, take_bad_frame);
    trap_set_handler(TRAP_GP, take_bad_frame);
    trap_set_handler(TRAP_PF, take_bad_frame); /* in the LDT */
    trap_set_handler(TRAP_FAILSAFE, take);
}

static void run(struct fuzz_cpu *cpu, u64 calls, u64 step)
{
    u64 next = step;

    event_enable();
    while (!*(volatile bool *)&fuzz_own_board()->stop && cpu->board->calls < calls) {
        fuzz_step(cpu);
        if (cpu->board->calls < next)
            continue;
        next += step;
        if (!fuzz_audit("meanwhile"))
            runtime_exit(SHUTDOWN_crash);
    }
    cpu->board->done = true;
}

NORETURN static void other_main(struct fuzz_cpu *cpu)
{
    trap_install();
    run(cpu, UINT64_MAX, UINT64_MAX);
    for (;;)
        hypercall_sched_op(SCHEDOP_block, NULL);
}

static void start(struct fuzz_cpu *cpu)
{
    static vcpu_guest_context_t context;
    long error;

    vcpu_context(&context, (u64)other_main, (u64)cpu, stacks[cpu->number] + STACK_SIZE, fuzz.root_mfn[0]);
    error = vcpu_start(cpu->number, &context);
    if (error)
        panic("vCPU %u does not start: error %ld", cpu->number, error);
}

void fuzz_run(u64 seed, u32 vcpus, u64 calls, u64 step)
{
    fuzz_handlers();
    runtime_vcpu = this_vcpu;
    for (u32 i = 0; i < vcpus; i++)
        fuzz_cpu_init(&cpus[i], i, seed);
    for (u32 i = 1; i < vcpus; i++)
        start(&cpus[i]);
    run(&cpus[0], calls, step);
}
