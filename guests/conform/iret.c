/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iret hypercall: what it restores, what it forces, both virtual modes, what it cannot return to.
 */
#include "guests/conform/conform.h"

#include <xen/arch-x86/xen.h>

struct result {
    u64 rax, rcx, r11, rsp, rflags, cs, ss, ds;
};
struct result got;
u64 iret_saved_rsp;
extern u8 iret_landing[];
struct iret_context iret_frame;

/* iret with the frame iret_frame, which lies on top of a scratch stack; lands at iret_landing. */
static void iret(void)
{
    __asm__ volatile("pushq %%rbx\n pushq %%rbp\n"
                     "movq %%rsp, iret_saved_rsp\n"
                     "leaq iret_frame, %%rsp\n"
                     "movl $0xdead, %%ecx\n movl $0xdead, %%r11d\n"
                     "movl %0, %%eax\n"
                     "syscall\n"
                     "ud2\n"
                     "iret_landing:\n"
                     "movq %%rax, got\n movq %%rcx, got+8\n movq %%r11, got+16\n"
                     "movq %%rsp, got+24\n"
                     "movq iret_saved_rsp, %%rsp\n"
                     "pushfq\n popq got+32\n"
                     "movq %%cs, %%rax\n movq %%rax, got+40\n"
                     "movq %%ss, %%rax\n movq %%rax, got+48\n"
                     "pushfq\n andq $~0x44500, (%%rsp)\n popfq\n"
                     "popq %%rbp\n popq %%rbx\n"
                     :
                     : "i"(__HYPERVISOR_iret)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "memory", "cc");
}

static u8 scratch[4096] ALIGNED(4096);

static void frame(u64 cs, u64 rflags, u64 flags)
{
    iret_frame = (struct iret_context){.rax = 0xa5a5,
                                       .r11 = 0x1111,
                                       .rcx = 0xcccc,
                                       .flags = flags,
                                       .rip = (u64)iret_landing,
                                       .cs = cs,
                                       .rflags = rflags,
                                       .rsp = (u64)scratch + 2048,
                                       .ss = FLAT_KERNEL_SS};
}

static void kernel(void)
{
    test("registers", "RAX, RCX, R11, RSP come from the frame");
    frame(SEL_KERNEL_CS, 2, 0);
    iret();
    equal("rax", got.rax, 0xa5a5);
    equal("rcx", got.rcx, 0xcccc);
    equal("r11", got.r11, 0x1111);
    equal("rsp", got.rsp, (u64)scratch + 2048);
    test("cs-rpl", "CS and SS get RPL 3");
    equal("cs", got.cs, FLAT_KERNEL_CS);
    equal("ss", got.ss, FLAT_KERNEL_SS);
    test("mask-set", "IF 0 in the frame masks upcalls");
    event_enable();
    frame(SEL_KERNEL_CS, 2, 0);
    iret();
    equal("mask", vcpu_info()->evtchn_upcall_mask, 1);
    test("mask-clear", "IF 1 in the frame unmasks upcalls");
    frame(SEL_KERNEL_CS, 0x202, 0);
    iret();
    equal("mask", vcpu_info()->evtchn_upcall_mask, 0);
    event_disable();
    test("real-if", "the real IF stays 1");
    frame(SEL_KERNEL_CS, 2, 0);
    iret();
    equal("if", got.rflags >> 9 & 1, 1);
    test("iopl", "IOPL in the frame is dropped");
    frame(SEL_KERNEL_CS, 0x3002, 0);
    iret();
    equal("iopl", got.rflags >> 12 & 3, 0);
    test("status", "status flags and DF come from the frame");
    frame(SEL_KERNEL_CS, 0xcd7, 0);
    iret();
    equal("flags", got.rflags & 0xcd5, 0xcd5);
    test("ac-nt", "AC and NT may be set");
    frame(SEL_KERNEL_CS, 0x44002, 0);
    iret();
    equal("flags", got.rflags & 0x44000, 0x44000);
    test("reserved", "reserved bits of RFLAGS are ignored");
    frame(SEL_KERNEL_CS, 0xffffffff00000002ul | 0x8028, 0);
    iret();
    equal("flags", got.rflags & 0xffffffff00008028ul, 0);
    test("in-syscall", "VGCF_in_syscall: RCX and R11 are not restored from the frame");
    frame(SEL_KERNEL_CS, 2, VGCF_in_syscall);
    iret();
    equal("rax", got.rax, 0xa5a5);
    equal("rcx", got.rcx, (u64)iret_landing);
    equal("r11", got.r11 & 0xd5, got.rflags & 0xd5);
}

/* In user mode the same code must work: it reaches user mode with user page tables equal to the kernel's. */
static u64 user_body(u64 arg)
{
    u64 cs;

    __asm__ volatile("movq %%cs, %0" : "=r"(cs));
    return cs << 16 | arg;
}

static void user(void)
{
    test("user-mode", "CS with RPL 3 returns to user mode; SYSCALL there is the guest's own");
    equal("vector", user_call(user_body, 0x55), TRAP_NONE);
    equal("value", trap_result & 0xffff, 0x55);
    equal("cs", trap_result >> 16, FLAT_USER_CS);
}

static u64 go(u64 arg)
{
    (void)arg;
    iret();
    return 0;
}

/* What the processor refuses to return to is the guest's #GP, as if it had happened at the target. */
static void refused(void)
{
    static const struct {
        const char *name, *what;
        u64 cs, ss;
        u32 error;
    } t[] = {
        {"bad-ss", "an SS that cannot be loaded", SEL_KERNEL_CS, 0xfff8, 0xfff8},
        {"bad-cs", "a CS that is no code segment", 0xe028, FLAT_KERNEL_SS, 0xe028},
        {"null-cs", "a null CS", 0, FLAT_KERNEL_SS, 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "iret to %s: #GP with the selector, at the RIP it was to return to", t[i].what);
        frame(t[i].cs, 2, 0);
        iret_frame.ss = t[i].ss;
        equal("vector", trap_try(go, 0), TRAP_GP);
        equal("error", trap_last.error, t[i].error);
        equal("rip", trap_last.frame.rip, (u64)iret_landing);
    }
}

void guest_main(void)
{
    report_start("iret");
    kernel();
    refused();
    user_init();
    user();
    report_end();
}
