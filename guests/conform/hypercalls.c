/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport: numbers without a call, what a call preserves, where SYSCALL may stand.
 */
#include "guests/conform/conform.h"

static void unknown(void)
{
    static const u16 numbers[] = {11, 38, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56, 60, 63};

    for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
        static char names[ARRAY_SIZE(numbers)][16];

        print_to(names[i], sizeof names[i], "number-%u", numbers[i]);
        test(names[i], "number %u is no hypercall for this domain: -ENOSYS", numbers[i]);
        equal("result", hypercall(numbers[i], 0, 0, 0, 0, 0), -XEN_ENOSYS);
    }
    test("number-64", "behind the end of the table: -ENOSYS");
    equal("64", hypercall(64, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    equal("1000", hypercall(1000, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    test("number-32-bits", "only the lower 32 bits of RAX are the number, or the call is refused");
    long result = hypercall(1ul << 32 | __HYPERVISOR_xen_version, 0, 0, 0, 0, 0);
    equal("result", result, -XEN_ENOSYS);
    test("number-negative", "-1: -ENOSYS");
    equal("-1", hypercall(~0ul, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    equal("0x80000000", hypercall(0x80000000, 0, 0, 0, 0, 0), -XEN_ENOSYS);
}

u64 kept[16];

/* xen_version with all registers set to known values. */
static u64 call_registers(u64 number)
{
    u64 result;

    __asm__ volatile("movq %1, %%rax\n"
                     "movq $0x1111, %%rbx\n movq $0x6666, %%r12\n movq $0x7777, %%r13\n"
                     "movq $0x8888, %%r14\n movq $0x9999, %%r15\n"
                     "movq $0, %%rdi\n movq $0x2222, %%rsi\n movq $0x3333, %%rdx\n"
                     "movq $0x4444, %%r10\n movq $0x5555, %%r8\n movq $0xaaaa, %%r9\n"
                     "syscall\n"
                     "movq %%rax, %0\n"
                     "movq %%rbx, kept\n movq %%r12, kept+8\n movq %%r13, kept+16\n"
                     "movq %%r14, kept+24\n movq %%r15, kept+32\n movq %%rdi, kept+40\n"
                     "movq %%rsi, kept+48\n movq %%rdx, kept+56\n movq %%r10, kept+64\n"
                     "movq %%r8, kept+72\n movq %%r9, kept+80\n"
                     : "=m"(result)
                     : "m"(number)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "memory");
    return result;
}

static void preserved(void)
{
    static const u64 want[] = {0x1111, 0x6666, 0x7777, 0x8888, 0x9999, 0,
                               0x2222, 0x3333, 0x4444, 0x5555, 0xaaaa};
    u64 flags, stack = 0;

    test("preserved", "a call preserves all registers but RAX, RCX and R11");
    holds("version", call_registers(__HYPERVISOR_xen_version) >> 16 == 4);
    for (u32 i = 0; i < ARRAY_SIZE(want); i++)
        equal("register", kept[i], want[i]);
    test("preserved-unknown", "so does a number that is no call");
    equal("result", call_registers(63), -XEN_ENOSYS);
    for (u32 i = 0; i < ARRAY_SIZE(want); i++)
        equal("register", kept[i], want[i]);
    test("flags", "a call preserves the status flags and DF");
    __asm__ volatile("pushfq\n orq $0xcd5, (%%rsp)\n popfq\n"
                     "movl %1, %%eax\n xorq %%rdi, %%rdi\n"
                     "pushq $0xcd7\n popfq\n"
                     "syscall\n"
                     "pushfq\n popq %0\n cld\n"
                     : "=r"(flags)
                     : "i"(__HYPERVISOR_xen_version)
                     : "rax", "rcx", "r11", "rdi", "memory", "cc");
    equal("flags", flags & 0xcd5, 0xcd5);
    test("stack", "a call leaves the words around RSP alone");
    __asm__ volatile("pushq $0x5a5a\n movl %1, %%eax\n xorq %%rdi, %%rdi\n syscall\n popq %0\n"
                     : "=r"(stack)
                     : "i"(__HYPERVISOR_xen_version)
                     : "rax", "rcx", "r11", "rdi", "memory");
    equal("word", stack, 0x5a5a);
    test("no-stack", "a call does not use the guest's stack at all");
    u64 result;
    __asm__ volatile("movq %%rsp, %%rbx\n movq %2, %%rsp\n movl %1, %%eax\n xorq %%rdi, %%rdi\n"
                     "syscall\n movq %%rbx, %%rsp\n"
                     : "=a"(result)
                     : "i"(__HYPERVISOR_xen_version), "r"(VA_UNMAPPED)
                     : "rcx", "r11", "rdi", "rbx", "memory");
    equal("version", result >> 16, 4);
}

static u64 sysenter_(u64 arg)
{
    (void)arg;
    __asm__ volatile("movl %0, %%eax\n int $0x82" : : "i"(__HYPERVISOR_xen_version) : "rax");
    return 0;
}

static void other_ways(void)
{
    test("int-82", "int $0x82 is no way into the hypervisor for 64-bit code: it is the guest's own vector");
    u32 vector = trap_try(sysenter_, 0);
    equal("vector", vector, 0x82);
    test("lower-half", "SYSCALL may stand anywhere, also in the lower half");
    u8 *code = page_alloc();
    memcpy(code, "\x0f\x05\xc3", 3);
    if (!memory_map(0x400000, entry_of(code, MEMORY_RW)))
        broken("no mapping: %ld", memory_error);
    else {
        u64 result;

        __asm__ volatile("xorl %%edi, %%edi\n call *%2\n"
                         : "=a"(result)
                         : "0"(__HYPERVISOR_xen_version), "r"(0x400000ul)
                         : "rcx", "r11", "rdi", "memory");
        equal("version", result >> 16, 4);
    }
}

void guest_main(void)
{
    report_start("hypercalls");
    unknown();
    preserved();
    other_ways();
    report_end();
}
