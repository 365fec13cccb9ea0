/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounce frame: where it lies, what its words hold, what the handler starts with.
 *
 * Vector 0x60 has an entry of its own here, which keeps all it finds and goes back by iret.
 */
#include "guests/conform/conform.h"

u64 seen_rsp, seen_words[8], seen_cs, seen_ss, seen_flags, seen_mask;
u64 seen_ds, seen_rax, seen_rbx;
extern u8 probe_entry[], probe_error_entry[], probe_at[], probe_resume[];
u64 probe_mask_at;
u64 stack_top;

/* Keeps the frame in seen_words, then leaves to probe_resume on the stack saved there. */
__asm__(".pushsection .text\n"
        "probe_entry:\n"
        "    movq %rsp, seen_rsp\n"
        "    movq %rax, seen_rax\n"
        "    movq %rbx, seen_rbx\n"
        "    movq %cs, %rax\n movq %rax, seen_cs\n"
        "    movq %ss, %rax\n movq %rax, seen_ss\n"
        "    pushfq\n popq seen_flags\n"
        "    movq probe_mask_at, %rax\n movzbl (%rax), %eax\n movq %rax, seen_mask\n"
        "    xorl %ecx, %ecx\n"
        "1:  movq (%rsp,%rcx,8), %rax\n"
        "    movq %rax, seen_words(,%rcx,8)\n"
        "    incl %ecx\n cmpl $8, %ecx\n jne 1b\n"
        "    jmp probe_resume\n"
        ".popsection\n");

/* Raises vector 0x60 with @rsp = the stack, RAX, RBX, RCX, R11 known; @flags in RFLAGS. */
static void raise(u64 rsp, u64 flags)
{
    __asm__ volatile("pushq %%rbp\n"
                     "movq %%rsp, %%rbp\n"
                     "pushq %%rbp\n popq stack_top\n"
                     "movq %0, %%rsp\n"
                     "movl $0xa1, %%eax\n movl $0xb1, %%ebx\n movl $0xc1, %%ecx\n movl $0x111, %%r11d\n"
                     "pushfq\n orq %1, (%%rsp)\n popfq\n"
                     "probe_at: int $0x60\n"
                     "probe_resume:\n"
                     "movq stack_top, %%rsp\n"
                     "popq %%rbp\n"
                     "pushfq\n andq $~0x44500, (%%rsp)\n popfq\n"
                     "cld\n"
                     :
                     : "r"(rsp), "r"(flags)
                     : "rax", "rbx", "rcx", "r11", "memory", "cc");
}

static void set(u8 flags)
{
    struct trap_info table[2] = {
        {.vector = 0x60, .flags = flags, .cs = FLAT_KERNEL_CS, .address = (u64)probe_entry}, {0}};

    if (hypercall_set_trap_table(table))
        broken("no trap table");
}

enum { W_RCX, W_R11, W_RIP, W_CS, W_RFLAGS, W_RSP, W_SS };

static u8 stack[8192] ALIGNED(4096);

static void layout(void)
{
    u64 top = (u64)stack + 4096;

    test("order", "RCX, R11, RIP, CS, RFLAGS, RSP, SS from the lowest address up");
    set(3);
    raise(top, 0);
    equal("rcx", seen_words[W_RCX], 0xc1);
    equal("r11", seen_words[W_R11], 0x111);
    equal("rip", seen_words[W_RIP], (u64)probe_at + 2);
    equal("rsp", seen_words[W_RSP], top);
    equal("ss", seen_words[W_SS], FLAT_KERNEL_SS);
    test("place", "7 words below RSP aligned to 16");
    equal("rsp", seen_rsp, top - 56);
    for (u32 off = 1; off < 16; off += 2) {
        raise(top - off, 0);
        equal("rsp", seen_rsp, ((top - off) & ~15ul) - 56);
        equal("saved rsp", seen_words[W_RSP], top - off);
    }
    test("cs-kernel", "CS of kernel mode in the frame has RPL 0");
    equal("cs", seen_words[W_CS] & 0xffff, SEL_KERNEL_CS);
    test("registers", "the other registers are untouched");
    equal("rax", seen_rax, 0xa1);
    equal("rbx", seen_rbx, 0xb1);
    test("handler-cs", "the handler runs with the flat code segment, RPL 3");
    equal("cs", seen_cs, FLAT_KERNEL_CS);
    test("handler-ss", "the handler's SS is the flat data segment or null");
    equal("ss", seen_ss, FLAT_KERNEL_SS);
}

static void mask_and_flags(void)
{
    u64 top = (u64)stack + 4096;

    probe_mask_at = (u64)&vcpu_info()->evtchn_upcall_mask;
    test("mask-saved-1", "masked: the frame's IF is 0, byte 4 of CS is 1");
    event_disable();
    raise(top, 0);
    equal("if", seen_words[W_RFLAGS] >> 9 & 1, 0);
    equal("byte", seen_words[W_CS] >> 32 & 0xff, 1);
    equal("other bytes", seen_words[W_CS] >> 40, 0);
    test("mask-saved-0", "not masked: the frame's IF is 1, byte 4 of CS is 0");
    event_enable();
    raise(top, 0);
    equal("if", seen_words[W_RFLAGS] >> 9 & 1, 1);
    equal("byte", seen_words[W_CS] >> 32, 0);
    test("mask-kept", "without TI_GET_IF the mask stays as it is");
    equal("mask", seen_mask, 0);
    test("mask-set", "with TI_GET_IF (bit 2 of flags) upcalls are masked at the entry");
    set(3 | 4);
    raise(top, 0);
    equal("mask", seen_mask, 1);
    equal("if", seen_words[W_RFLAGS] >> 9 & 1, 1);
    event_disable();
    set(3);
    test("status-flags", "the frame's status flags are the interrupted ones");
    raise(top, 0x8d5);
    equal("flags", seen_words[W_RFLAGS] & 0x8d5, 0x8d5);
    test("df", "DF is saved, and not cleared for the handler");
    raise(top, 0x400);
    equal("saved", seen_words[W_RFLAGS] >> 10 & 1, 1);
    equal("handler", seen_flags >> 10 & 1, 1);
    __asm__ volatile("cld");
    test("nt-ac", "NT and AC are saved, and clear in the handler");
    raise(top, 0x44000);
    equal("saved", seen_words[W_RFLAGS] & 0x44000, 0x44000);
    equal("handler", seen_flags & 0x44000, 0);
    test("handler-if", "the real IF is always 1");
    equal("if", seen_flags >> 9 & 1, 1);
    test("iopl-hidden", "the frame shows IOPL 0");
    equal("iopl", seen_words[W_RFLAGS] >> 12 & 3, 0);
}

static u64 write_ro(u64 at)
{
    *(volatile u64 *)at = 1;
    return 0;
}

static void with_error(void)
{
    u64 *page = table_page();

    test("error-code", "an error code lies between R11 and RIP; 8 words from the aligned RSP");
    equal("vector", trap_try(write_ro, (u64)page), TRAP_PF);
    equal("error", trap_last.error, PF_PRESENT | PF_WRITE);
    equal("place", trap_last.frame_va + 48, (trap_last.frame.rsp & ~15ul) + 8);
    test("error-code-width", "the error code is a word of 8 bytes");
    equal("upper", trap_last.frame.error >> 32, 0);
}

void guest_main(void)
{
    report_start("bounce");
    probe_mask_at = (u64)&vcpu_info()->evtchn_upcall_mask;
    layout();
    mask_and_flags();
    with_error();
    report_end();
}
