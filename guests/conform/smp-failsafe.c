/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The failsafe callback: what a vCPU gets when its data segments cannot be loaded at a switch to it.
 */
#include "guests/conform/second.h"
#include "guests/lib/clock.h"

#define DESC_DATA 0x00cff3000000fffful
#define SLOT      5u
#define SELECTOR  (SLOT * 8 + 3)
#define BAD       0xfff8u

/* The frame, from RSP up, and what the processor had loaded. */
enum { RCX, R11, DS, ES, FS, GS, RIP, CS, RFLAGS, RSP, SS, WORDS };
u64 failsafe_frame[WORDS], failsafe_rsp, failsafe_rax, failsafe_loaded[4], failsafe_flags;
extern u64 failsafe_count;
u64 failsafe_count;

/* Notes all that, and goes on at the library's entry point. */
__asm__(".text\n"
        "failsafe_stub:\n"
        "    movq %rax, failsafe_rax\n"
        "    movq %rsp, failsafe_rsp\n"
        "    incq failsafe_count\n"
        ".set word, 0\n"
        ".rept 11\n"
        "    movq word(%rsp), %rax\n movq %rax, failsafe_frame+word\n"
        ".set word, word + 8\n"
        ".endr\n"
        "    movq %ds, %rax\n movq %rax, failsafe_loaded\n"
        "    movq %es, %rax\n movq %rax, failsafe_loaded+8\n"
        "    movq %fs, %rax\n movq %rax, failsafe_loaded+16\n"
        "    movq %gs, %rax\n movq %rax, failsafe_loaded+24\n"
        "    pushfq\n popq failsafe_flags\n"
        "    movq failsafe_rax, %rax\n"
        "    jmp trap_entry_failsafe\n");
void failsafe_stub(void);

static u64 *gdt;
static u8 mask_there;

static bool handled(struct trap_frame *frame)
{
    (void)frame;
    mask_there = vcpu_info()->evtchn_upcall_mask;
    return true;
}

static void start(void)
{
    struct vcpu_guest_context *c = second_context();

    gdt = page_alloc();
    gdt[SLOT] = DESC_DATA;
    memory_protect(gdt, MEMORY_RO);
    trap_set_handler(TRAP_FAILSAFE, handled);
    c->gdt_ents = 512;
    c->gdt_frames[0] = memory_virt_to_mfn(gdt);
    c->failsafe_callback_eip = (u64)failsafe_stub;
    c->user_regs.rcx = 0xc1c1;
    c->user_regs.r11 = 0x1111;
    c->user_regs.rsp -= 8;
    c->user_regs.rflags = 0x2d7;
    c->user_regs.ds = SELECTOR;
    c->user_regs.es = BAD;
    c->user_regs.fs = BAD;
    c->user_regs.gs = BAD;
    test("start", "a vCPU that starts with selectors that cannot be loaded enters the failsafe callback once");
    equal("initialise", hypercall_vcpu_op(VCPUOP_initialise, 1, c), 0);
    equal("up", hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
    holds("alive", second_alive());
    equal("entries", failsafe_count, 1);
    test("start-return", "its frame returns to the first instruction");
    equal("rip", failsafe_frame[RIP], c->user_regs.rip);
    equal("rsp", failsafe_frame[RSP], c->user_regs.rsp);
    equal("rcx", failsafe_frame[RCX], 0xc1c1);
    equal("r11", failsafe_frame[R11], 0x1111);
    equal("flags", failsafe_frame[RFLAGS] & 0xad5, 0xd5);
    test("start-stack", "and lies below RSP, aligned to 16 before");
    equal("at", failsafe_rsp, (c->user_regs.rsp & ~15ul) - WORDS * 8);
    test("start-cs", "with CS of kernel mode, RPL 0, and the upcall mask in it; SS as it was");
    equal("cs", failsafe_frame[CS] & 0xffffffff, FLAT_KERNEL_CS & ~3ul);
    equal("mask", failsafe_frame[CS] >> 32, 1);
    equal("ss", failsafe_frame[SS], FLAT_KERNEL_SS);
    test("start-selectors", "the frame holds the selectors as they were to be loaded");
    equal("ds", failsafe_frame[DS], SELECTOR);
    equal("es", failsafe_frame[ES], BAD);
    equal("fs", failsafe_frame[FS], BAD);
    equal("gs", failsafe_frame[GS], BAD);
    test("start-loaded", "those that could be loaded are, the others are null");
    equal("ds", failsafe_loaded[0], SELECTOR);
    equal("es", failsafe_loaded[1], 0);
    equal("fs", failsafe_loaded[2], 0);
    equal("gs", failsafe_loaded[3], 0);
}

static u64 load_and_yield(u64 which)
{
    u64 after = 99;

    switch (which) {
    case 0:
        __asm__ volatile("movl %0, %%ds" : : "r"(SELECTOR));
        break;
    case 1:
        __asm__ volatile("movl %0, %%es" : : "r"(SELECTOR));
        break;
    case 2:
        __asm__ volatile("movl %0, %%fs" : : "r"(SELECTOR));
        break;
    default:
        __asm__ volatile("movl %0, %%gs" : : "r"(SELECTOR));
    }
    /* Until the descriptor is gone. */
    while (*(volatile u64 *)&gdt[SLOT])
        vcpu_yield();
    switch (which) {
    case 0:
        __asm__ volatile("movq %%ds, %0" : "=r"(after));
        break;
    case 1:
        __asm__ volatile("movq %%es, %0" : "=r"(after));
        break;
    case 2:
        __asm__ volatile("movq %%fs, %0" : "=r"(after));
        break;
    default:
        __asm__ volatile("movq %%gs, %0" : "=r"(after));
    }
    return after;
}

static long descriptor(u64 value)
{
    return hypercall_update_descriptor(memory_virt_to_maddr(&gdt[SLOT]), value);
}

/* Job @which, whose descriptor goes after some turns; to its end. */
static void take_away(u64 which)
{
    failsafe_count = 0;
    equal("set", descriptor(DESC_DATA), 0);
    second_start(load_and_yield, which);
    holds("it waits", !second_wait(10));
    equal("not yet", failsafe_count, 0);
    equal("clear", descriptor(0), 0);
    holds("done", second_wait(2000));
    equal("entries", failsafe_count, 1);
}

static u64 register_failsafe(u64 flags)
{
    struct callback_register r = {
        .type = CALLBACKTYPE_failsafe, .flags = (u16)flags, .address = (u64)failsafe_stub};

    return (u64)hypercall_callback_op(CALLBACKOP_register, &r);
}

static u64 enable(u64 on)
{
    if (on)
        event_enable();
    else
        event_disable();
    return 0;
}

static void switches(void)
{
    static const struct {
        const char *name, *what;
        u32 word;
    } t[] = {{"switch-ds", "DS", DS}, {"switch-es", "ES", ES}, {"switch-fs", "FS", FS}, {"switch-gs", "GS", GS}};

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "%s whose descriptor has gone while the vCPU did not run: the callback, once; then it is null",
             t[i].what);
        take_away(i);
        equal("selector", failsafe_frame[t[i].word], SELECTOR);
        equal("after", second_result, 0);
    }
    test("mask", "a callback registered to mask events: upcalls are masked in it, and again as before after it");
    equal("register", second_run(register_failsafe, CALLBACKF_mask_events), 0);
    second_run(enable, 1);
    take_away(2);
    equal("saved", failsafe_frame[CS] >> 32, 0);
    equal("if", failsafe_frame[RFLAGS] >> 9 & 1, 1);
    equal("masked", mask_there, 1);
    equal("after", shared_info->vcpu_info[1].evtchn_upcall_mask, 0);
    test("no-mask", "one registered without: they stay unmasked");
    equal("register", second_run(register_failsafe, 0), 0);
    take_away(2);
    equal("masked", mask_there, 0);
    second_run(enable, 0);
}

static volatile bool in_user;

static u64 user_body(u64 unused)
{
    __asm__ volatile("movl %0, %%fs" : : "r"(SELECTOR));
    in_user = true;
    while (*(volatile u64 *)&gdt[SLOT])
        __asm__ volatile("pause");
    __asm__ volatile("movq %%fs, %0" : "=r"(unused));
    return unused;
}

static u64 user_job(u64 unused)
{
    (void)unused;
    return user_call(user_body, 0) == TRAP_NONE ? trap_result : 99;
}

static u64 set_user_root(u64 unused)
{
    user_init();
    return unused;
}

/* Its turn ends without its doing; vCPU 0 comes in by its timer. */
static void from_user(void)
{
    test("user", "in user mode: the frame lies on the kernel stack, with the CS of user mode");
    second_run(set_user_root, 0);
    failsafe_count = 0;
    descriptor(DESC_DATA);
    second_start(user_job, 0);
    for (u32 i = 0; i < 100 && !in_user; i++)
        clock_sleep_ns(1000000);
    holds("in user mode", in_user);
    descriptor(0);
    for (u32 i = 0; i < 100 && !second_done(); i++)
        clock_sleep_ns(1000000);
    holds("done", second_done());
    equal("entries", failsafe_count, 1);
    equal("cs", failsafe_frame[CS] & 0xffff, FLAT_USER_CS);
    equal("selector", failsafe_frame[FS], SELECTOR);
    holds("stack", failsafe_rsp - (u64)second_stack < SECOND_STACK_BYTES);
    differ("stack", failsafe_frame[RSP] - (u64)second_stack < SECOND_STACK_BYTES, true);
    equal("after", second_result, 0);
}

void guest_main(void)
{
    report_start("smp-failsafe");
    start();
    if (second_alive()) {
        switches();
        from_user();
    }
    report_end();
}
