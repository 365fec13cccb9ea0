/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User mode: entries from it, its second set of page tables, what it may not do.
 */
#include "guests/conform/conform.h"

static struct trap_frame seen;
static u64 seen_at;

static bool keep(struct trap_frame *frame)
{
    seen = *frame;
    seen_at = (u64)frame;
    return trap_leave(frame, 0);
}

static u64 do_syscall(u64 number)
{
    u64 result;

    __asm__ volatile("movl $0xb1, %%ebx\n"
                     "syscall\n"
                     "user_syscall_end:\n"
                     : "=a"(result)
                     : "0"(number), "D"(0xd1), "S"(0x51), "d"(0xdd)
                     : "rcx", "r11", "rbx", "memory");
    return result;
}
extern u8 user_syscall_end[];

INSN(do_ud2, "ud2")
INSN(do_int80, "int $0x80")
INSN(do_int81, "int $0x81")
INSN(do_int14, "int $14")
INSN(do_int3, "int3")
INSN(do_cli, "cli")
INSN(do_write, "movq $0x77, (%%rdi)")

static u64 do_read(u64 at)
{
    return *(volatile u64 *)at;
}

static u64 do_in(u64 port)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"((u16)port));
    return value;
}

static u64 do_cr0(u64 arg)
{
    __asm__ volatile("movq %%cr0, %0" : "=r"(arg));
    return arg;
}

static u64 do_rdmsr(u64 msr)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((u32)msr));
    return low;
}

static u64 do_rdtsc(u64 mark)
{
    u64 low;

    __asm__ volatile("movq %1, %%rax\n movq %1, %%rdx\n rdtsc" : "=&a"(low) : "r"(mark) : "rdx");
    return low;
}

static u32 set_tsd(bool on)
{
    u64 cr4;

    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    cr4 = on ? cr4 | 4 : cr4 & ~4ul;
    return TRAP_INSN("movq %0, %%cr4", (), ("r"(cr4)));
}

static u64 do_flags(u64 arg)
{
    (void)arg;
    u64 flags;

    __asm__ volatile("pushfq\n popq %0" : "=r"(flags));
    return flags;
}

static void syscalls(void)
{
    trap_handler before;

    test("syscall", "SYSCALL enters the syscall callback, not the hypervisor");
    before = trap_set_handler(TRAP_SYSCALL, keep);
    user_call(do_syscall, __HYPERVISOR_xen_version);
    trap_set_handler(TRAP_SYSCALL, before);
    /* user_call() installs its own handler, which hands on what is no exit. */
    equal("rip", seen.rip, (u64)user_syscall_end);
    equal("rax", seen.rax, __HYPERVISOR_xen_version);
    equal("rdi", seen.rdi, 0xd1);
    equal("rbx", seen.rbx, 0xb1);
    test("syscall-cs", "CS in its frame is the flat user code segment");
    equal("cs", seen.cs & 0xffff, FLAT_USER_CS);
    test("syscall-rcx", "RCX is the return address, R11 the flags");
    equal("rcx", seen.rcx, (u64)user_syscall_end);
    equal("r11", seen.r11 & 0x8d5, seen.rflags & 0x8d5);
    test("syscall-stack", "the frame lies below the stack given by stack_switch");
    holds("near", (u64)&seen_at != 0 && seen_at > (u64)&boot_registers);
    test("syscall-masks", "upcalls are masked: the callback was registered so");
    equal("saved", seen.cs >> 32 & 0xff, 0);
    test("syscall-ss", "SS in its frame is the flat data segment");
    equal("ss", seen.ss, FLAT_USER_SS);
}

static void exceptions(void)
{
    u64 *page = page_alloc();

    test("exception", "an exception of user mode is bounced with the user's CS, RPL 3");
    equal("vector", user_call(do_ud2, 0), TRAP_UD);
    equal("cs", trap_last.frame.cs & 0xffff, FLAT_USER_CS);
    test("pf-u", "a page fault of user mode has U in its error code");
    equal("vector", user_call(do_read, VA_UNMAPPED), TRAP_PF);
    equal("error", trap_last.error, PF_USER);
    equal("cr2", trap_last.cr2, VA_UNMAPPED);
    test("pf-write", "a write to a read-only page: P, W and U");
    memory_protect(page, MEMORY_RO);
    equal("vector", user_call(do_write, (u64)page), TRAP_PF);
    equal("error", trap_last.error, PF_USER | PF_PRESENT | PF_WRITE);
    memory_protect(page, MEMORY_RW);
    test("m2p-hidden", "the m2p table is there for user mode as well without m2p_strict, or hidden");
    u32 vector = user_call(do_read, MACH2PHYS_BASE);
    holds("readable or #PF", vector == TRAP_NONE || vector == TRAP_PF);
    test("int-level-3", "INT n with level 3");
    equal("vector", user_call(do_int80, 0), 0x80);
    equal("from user", trap_last.frame.cs & 3, 3);
    test("int-level-0", "INT 14 with level 0: #GP with 14 * 8 + 2");
    equal("vector", user_call(do_int14, 0), TRAP_GP);
    equal("error", trap_last.error, 14 * 8 + 2);
    set_trap(0x80, 0, 0x80);
    set_trap(0x81, 1, 0x81);
    test("int-level-1", "INT n with level 1 is the kernel's: #GP from user mode");
    equal("vector", user_call(do_int81, 0), TRAP_GP);
    equal("error", trap_last.error, 0x81 * 8 + 2);
    set_trap(0x81, 2, 0x81);
    test("int-level-2", "so is level 2");
    equal("vector", user_call(do_int81, 0), TRAP_GP);
    test("int-80-level", "the level of vector 0x80 is not looked at: its way in is direct");
    equal("vector", user_call(do_int80, 0), 0x80);
    trap_install();
    test("int3", "INT3 needs no level");
    set_trap(TRAP_BP, 0, TRAP_BP);
    equal("vector", user_call(do_int3, 0), TRAP_BP);
    trap_install();
}

static void privileges(void)
{
    test("cli", "CLI in user mode: #GP");
    equal("vector", user_call(do_cli, 0), TRAP_GP);
    test("in", "IN in user mode: #GP");
    equal("vector", user_call(do_in, 0x80), TRAP_GP);
    test("cr0", "MOV from CR0 is emulated in kernel mode only: #GP");
    equal("vector", user_call(do_cr0, 0), TRAP_GP);
    test("rdmsr", "RDMSR is emulated in kernel mode only: #GP");
    equal("vector", user_call(do_rdmsr, 0xc0000080), TRAP_GP);
    test("rdtsc", "RDTSC in user mode: with CR4.TSD it is #GP and leaves its registers as they were");
    equal("vector", user_call(do_rdtsc, 0x123456789abcdef), TRAP_NONE);
    equal("TSD", set_tsd(true), TRAP_NONE);
    equal("vector", user_call(do_rdtsc, 0x123456789abcdef), TRAP_GP);
    equal("rax", trap_last.frame.rax, 0x123456789abcdef);
    equal("rdx", trap_last.frame.rdx, 0x123456789abcdef);
    equal("no TSD", set_tsd(false), TRAP_NONE);
    test("if", "IF is 1 in user mode");
    equal("vector", user_call_flags(do_flags, 0, 0), TRAP_NONE);
    equal("if", trap_result >> 9 & 1, 1);
    equal("iopl", trap_result >> 12 & 3, 0);
}

/* A root of its own whose lower half has one page that the kernel's does not have. */
static void own_root(void)
{
    u64 *root = page_alloc(), *l3 = page_alloc(), *l2 = page_alloc(), *l1 = page_alloc();
    u64 *data = page_alloc(), *kernel = memory_root();
    u64 at = 0x10000000;

    data[0] = 0x1234;
    l1[at >> 12 & 511] = entry_of(data, MEMORY_RW);
    l2[at >> 21 & 511] = entry_of(l1, MEMORY_TABLE);
    l3[0] = entry_of(l2, MEMORY_TABLE);
    root[0] = entry_of(l3, MEMORY_TABLE);
    root[511] = kernel[511] & ~0x10000000000000ul;
    memory_protect(l1, MEMORY_RO);
    memory_protect(l2, MEMORY_RO);
    memory_protect(l3, MEMORY_RO);
    test("root", "user mode runs on the root of NEW_USER_BASEPTR");
    long error = memory_pin(root, 4);
    if (error) {
        broken("pin: %ld", error);
        return;
    }
    equal("baseptr", user_set_root(memory_virt_to_mfn(root)), 0);
    equal("vector", user_call(do_read, at), TRAP_NONE);
    equal("value", trap_result, 0x1234);
    test("root-kernel", "kernel mode does not see it");
    equal("vector", trap_try(do_read, at), TRAP_PF);
    test("root-cr3", "CR3 as read is the kernel's root");
    equal("root", (u64)memory_root(), (u64)kernel);
    test("root-in-use", "an unpinned user root stays a table while it is loaded");
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(root), 0), 0);
    equal("rw", memory_protect(root, MEMORY_RW), -XEN_EBUSY);
    test("root-none", "user root 0: accepted");
    equal("result", user_set_root(0), 0);
    test("root-released", "after that the old root is an ordinary page again");
    equal("rw", memory_protect(root, MEMORY_RW), 0);
    test("root-bad", "a page that cannot be an L4 table: -EINVAL");
    equal("result", user_set_root(memory_virt_to_mfn(root)), -XEN_EINVAL);
    test("root-beyond", "a frame beyond memory: -EINVAL");
    equal("result", user_set_root(MFN_BEYOND), -XEN_EINVAL);
    user_init();
}

void guest_main(void)
{
    report_start("user-mode");
    user_init();
    event_enable();
    syscalls();
    event_disable();
    exceptions();
    privileges();
    own_root();
    report_end();
}
