/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iret inside a multicall ends it: control goes where the frame says, the rest is not done.
 */
#include "guests/conform/conform.h"

#include <xen/arch-x86/xen.h>

multicall_entry_t mi_calls[3];
struct iret_context mi_frame;
u64 mi_saved, mi_rax;
extern u8 mi_landing[];

static void run(u32 count)
{
    __asm__ volatile("pushq %%rbx\n pushq %%rbp\n movq %%rsp, mi_saved\n"
                     "leaq mi_frame, %%rsp\n"
                     "leaq mi_calls, %%rdi\n movl %1, %%esi\n movl %0, %%eax\n"
                     "syscall\n"
                     "movq mi_saved, %%rsp\n"
                     "movq $-1, mi_rax\n"
                     "jmp 1f\n"
                     "mi_landing:\n"
                     "movq %%rax, mi_rax\n"
                     "movq mi_saved, %%rsp\n"
                     "1: popq %%rbp\n popq %%rbx\n"
                     :
                     : "i"(__HYPERVISOR_multicall), "r"(count)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "memory", "cc");
}

static u8 stack[4096] ALIGNED(16);

void guest_main(void)
{
    report_start("multicall-iret");
    test("iret", "control goes to the frame's RIP with the frame's RAX");
    mi_frame = (struct iret_context){.rax = 0x4242,
                                     .rip = (u64)mi_landing,
                                     .cs = SEL_KERNEL_CS,
                                     .rflags = 2,
                                     .rsp = (u64)stack + sizeof stack,
                                     .ss = FLAT_KERNEL_SS};
    mi_calls[0] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .result = 1, .args = {XENVER_pagesize}};
    mi_calls[1] = (multicall_entry_t){.op = __HYPERVISOR_iret, .result = 0x1234};
    mi_calls[2] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .result = 0x5555, .args = {XENVER_pagesize}};
    run(3);
    equal("rax", mi_rax, 0x4242);
    test("before", "entries before it are done, with results");
    equal("result", mi_calls[0].result, PAGE_SIZE);
    test("after", "entries after it are not done");
    equal("result", mi_calls[2].result, 0x5555);
    test("last", "the same as the last entry");
    mi_frame.rax = 0x4343;
    run(2);
    equal("rax", mi_rax, 0x4343);
    test("next", "the next multicall works");
    mi_calls[1] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}};
    equal("result", hypercall_multicall(mi_calls, 2), 0);
    equal("entry", mi_calls[1].result, PAGE_SIZE);
    report_end();
}
