/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the guest and back: frames of iret, handlers, stacks and return addresses that nobody may
 * have, and privileged instructions.
 */
#include "guests/hostile/hostile.h"

#define GROUP "entry"

/* In the hypervisor: its code. */
#define VA_CODE 0xffff82d080200000ul

static const u64 bad_addresses[] = {VA_CODE, VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 1, VA_NONCANONICAL,
                                    VA_NONCANONICAL - 1, 0xffff7fffffffffff, ~0ul, VA_UNMAPPED, 0x1234567890abcdef};

static u64 enter(u64 frame) { user_enter((const struct trap_frame *)frame); }

/* Goes where @frame says; the exception that ends it. */
static u32 go(const struct trap_frame *frame)
{
    trap_last.vector = TRAP_NONE;
    trap_result = trap_guarded(enter, (u64)frame);
    return trap_last.vector;
}

static u8 a_stack[8192] ALIGNED(16);
#define STACK_TOP ((u64)a_stack + sizeof a_stack - 64)

static u64 do_nothing(u64 arg) { return arg; }

ATTACK(user_addresses, FLAW_STATE, "iret to user mode at every address nobody may have, with every stack: #PF or #GP in user mode, no more")
{
    for (u32 i = 0; i < ARRAY_SIZE(bad_addresses); i++)
        for (u32 k = 0; k < ARRAY_SIZE(bad_addresses); k++) {
            struct trap_frame frame = {.rip = bad_addresses[i], .cs = SEL_USER_CS, .rflags = 2, .rsp = bad_addresses[k], .ss = SEL_DS};
            u32 vector = go(&frame);

            holds("its exception", vector == TRAP_PF || vector == TRAP_GP || vector == TRAP_SS);
            equal("in user mode", trap_last.frame.cs & 3, 3);
        }
}

ATTACK(kernel_addresses, FLAW_STATE, "iret to kernel mode at every address nobody may have: #PF or #GP in kernel mode, no more")
{
    for (u32 i = 0; i < ARRAY_SIZE(bad_addresses); i++) {
        struct trap_frame frame = {.rip = bad_addresses[i], .cs = SEL_KERNEL_CS, .rflags = 2, .rsp = STACK_TOP, .ss = SEL_DS};
        u32 vector = go(&frame);

        holds("its exception", vector == TRAP_PF || vector == TRAP_GP);
        equal("in kernel mode", trap_last.frame.cs & 3, 0);
    }
}

ATTACK(selectors, FLAW_DESCRIPTOR, "iret with CS and SS of the hypervisor, of its TSS and LDT, beyond the table, null, of the wrong kind: an exception, never ring 0")
{
    static const u16 selectors[] = {0, 3, 8, 0x10, 0xe008, 0xe00b, 0xe010, 0xe013, 0xe018, 0xe023, 0xe02b, 0xe033, 0xe040, 0xe043, 0xe050,
                                    0xe053, 0xe060, 0xe06b, 0xfff8, 0xffff, 7, 0xf, 0x1007};

    for (u32 i = 0; i < ARRAY_SIZE(selectors); i++)
        for (u32 k = 0; k < ARRAY_SIZE(selectors); k++)
            for (u32 user = 0; user < 2; user++) {
                struct trap_frame frame = {.rip = VA_UNMAPPED, .rflags = 2, .rsp = STACK_TOP, .ss = selectors[k]};

                frame.cs = (selectors[i] & ~3ul) | (user ? 3 : 0);
                equal("an exception", go(&frame) == TRAP_NONE, false);
                /* That it was one of ring 3: the guest's own mode is what it asked for. */
                equal("its mode", trap_last.frame.cs & 3, user ? 3 : 0);
            }
}

static u64 own_flags(u64 arg)
{
    u64 flags;

    (void)arg;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

ATTACK(flags, FLAW_STATE, "iret to user mode with every bit of RFLAGS: interrupts stay on, IOPL 0, no virtual-8086 mode")
{
    for (u32 bit = 0; bit < 64; bit++) {
        u32 vector = user_call_flags(own_flags, 0, 1ul << bit);

        if (vector == TRAP_NONE)
            equal("IF, IOPL, VM", trap_result & 0x23200, 0x200);
        else
            holds("TF and AC may trap", vector == TRAP_DB || vector == TRAP_AC);
    }
    u32 vector = user_call_flags(own_flags, 0, ~0x40100ul);
    equal("all at once", vector == TRAP_NONE ? trap_result & 0x23200 : 0x200, 0x200);
    equal("still in order", user_call(do_nothing, 7), TRAP_NONE);
}

/* iret or another call with RSP = @rsp and upcalls masked. */
static long call_at(u64 rsp, u64 number, u64 a, u64 b)
{
    long result;

    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %3, %%rsp\n\tsyscall\n\tmovq %%rbx, %%rsp"
                     : "=a"(result), "+D"(a), "+S"(b)
                     : "r"(rsp), "0"(number)
                     : "rbx", "rcx", "r11", "rdx", "r8", "r10", "memory");
    return result;
}

ATTACK(stack_pointers, FLAW_ADDRESS, "hypercalls with RSP in the hypervisor, not canonical, in nothing: they are done, RSP stays, nothing is written there")
{
    for (u32 i = 0; i < ARRAY_SIZE(bad_addresses); i++) {
        equal("version", (u64)call_at(bad_addresses[i], __HYPERVISOR_xen_version, XENVER_version, 0) >> 16, 4);
        equal("vm_assist", (u64)call_at(bad_addresses[i], __HYPERVISOR_vm_assist, 9, 9), (u64)-XEN_EINVAL);
    }
}

static multicall_entry_t batch[3];
static u64 batch_at(u64 frame)
{
    call_at(frame, __HYPERVISOR_multicall, (u64)batch, 3);
    return TRAP_NONE;
}

ATTACK(iret_in_multicall, FLAW_STATE, "a multicall whose second entry is iret to user mode: what follows is not done with user mode's tables")
{
    static struct {
        u64 rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
    } context;
    u64 *page = page_alloc();

    context.rip = VA_UNMAPPED;
    context.cs = SEL_USER_CS;
    context.rflags = 2;
    context.rsp = STACK_TOP;
    context.ss = SEL_DS;
    for (u32 in_syscall = 0; in_syscall < 2; in_syscall++) {
        context.flags = in_syscall ? VGCF_in_syscall : 0;
        batch[0] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_version}, .result = 77};
        batch[1] = (multicall_entry_t){.op = __HYPERVISOR_iret, .result = 77};
        batch[2] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {(u64)page, 0, UVMF_INVLPG}, .result = 77};
        hypercall_stack_switch(SEL_DS, (u64)a_stack + 4096);
        trap_last.vector = TRAP_NONE;
        trap_guarded(batch_at, (u64)&context);
        equal("user mode was entered", trap_last.vector, TRAP_PF);
        equal("there", trap_last.frame.rip, VA_UNMAPPED);
        equal("the first call was done", batch[0].result >> 16, 4);
        equal("the third was not", batch[2].result, 77);
        *page = 5;
    }
    page_free(page);
}

static u64 raise_ipi(u64 port)
{
    event_send((u32)port);
    event_enable();
    hypercall_xen_version(XENVER_version, NULL);
    return TRAP_NONE;
}

static u64 do_ud2(u64 arg)
{
    (void)arg;
    __asm__ volatile("ud2");
    return TRAP_NONE;
}

ATTACK(handlers_in_the_hypervisor, FLAW_ADDRESS, "the event callback, the handler of #UD at addresses of the hypervisor: a #PF of ring 3 there; not canonical: -EINVAL")
{
    long port = event_bind_ipi(0);
    bool enabled = event_enabled();

    event_unmask((u32)port);
    for (u32 i = 0; i < 3; i++) {
        static struct trap_info table[2];
        struct callback_register callback = {.type = CALLBACKTYPE_event, .address = bad_addresses[i]};

        event_disable();
        equal("register", (u64)hypercall_callback_op(CALLBACKOP_register, &callback), 0);
        trap_last.vector = TRAP_NONE;
        trap_guarded(raise_ipi, (u64)port);
        equal("upcall", trap_last.vector, TRAP_PF);
        equal("there", trap_last.frame.rip, bad_addresses[i]);
        trap_install();
        event_disable();
        table[0] = (struct trap_info){.vector = TRAP_UD, .flags = 0, .cs = FLAT_KERNEL_CS, .address = bad_addresses[i]};
        equal("trap table", (u64)hypercall_set_trap_table(table), 0);
        trap_last.vector = TRAP_NONE;
        trap_guarded(do_ud2, 0);
        equal("#UD", trap_last.vector, TRAP_PF);
        equal("at its handler", trap_last.frame.rip, bad_addresses[i]);
        trap_install();
    }
    event_close((u32)port);
    for (u32 type = 0; type < 8; type++)
        for (u32 i = 4; i < 7; i++) {
            struct callback_register callback = {.type = (u16)type, .address = bad_addresses[i]};

            holds("not canonical", hypercall_callback_op(CALLBACKOP_register, &callback) < 0 || bad_addresses[i] == VA_NONCANONICAL - 1);
        }
    trap_install();
    event_disable();
    if (enabled)
        event_enable();
}

ATTACK(trap_tables, FLAW_ADDRESS, "trap tables in the hypervisor's range, without an end, with addresses that are not canonical: -EFAULT, -EINVAL")
{
    static struct trap_info table[2];
    struct trap_info *endless = pages_alloc(2);

    for (u32 i = 0; i < ARRAY_SIZE(bad_addresses); i++)
        equal("at a bad address", (u64)hypercall_set_trap_table((void *)bad_addresses[i]), (u64)-XEN_EFAULT);
    for (u32 i = 4; i < 7; i++) {
        if (bad_addresses[i] == VA_NONCANONICAL - 1)
            continue;
        table[0] = (struct trap_info){.vector = 100, .cs = FLAT_KERNEL_CS, .address = bad_addresses[i]};
        equal("address", (u64)hypercall_set_trap_table(table), (u64)-XEN_EINVAL);
    }
    for (u32 i = 0; i < 2 * PAGE_SIZE / sizeof *endless; i++)
        endless[i] = (struct trap_info){.vector = 100, .cs = FLAT_KERNEL_CS, .address = 0x1000};
    memory_unmap((u8 *)endless + PAGE_SIZE);
    equal("without an end", (u64)hypercall_set_trap_table(endless), (u64)-XEN_EFAULT);
    memory_protect((u8 *)endless + PAGE_SIZE, MEMORY_RW);
    trap_install();
    page_free(endless);
    page_free((u8 *)endless + PAGE_SIZE);
}

static u64 by_sysenter(u64 nt)
{
    if (nt)
        __asm__ volatile("pushfq; orq $0x4000, (%%rsp); popfq" ::: "memory", "cc");
    __asm__ volatile("sysenter" ::: "memory");
    return 0;
}
static u64 by_int80(u64 arg)
{
    (void)arg;
    __asm__ volatile("int $0x80");
    return 0;
}
static u64 by_int2(u64 arg)
{
    (void)arg;
    __asm__ volatile("int $2");
    return 0;
}
static u64 by_int8(u64 arg)
{
    (void)arg;
    __asm__ volatile("int $8");
    return 0;
}

ATTACK(gates, FLAW_STATE, "user mode's SYSENTER, also with NT, and software interrupts to gates it may not use: one #GP in user mode")
{
    static u64 (*const ways[])(u64) = {by_sysenter, by_int2, by_int8};

    for (u32 i = 0; i < ARRAY_SIZE(ways); i++)
        for (u32 arg = 0; arg < 2; arg++) {
            equal("vector", user_call(ways[i], arg), TRAP_GP);
            equal("from user mode", trap_last.frame.cs & 3, 3);
            equal("the stack is not the hypervisor's", trap_last.frame.rsp >= MACH2PHYS_BASE && trap_last.frame.rsp < HYPERVISOR_END, false);
        }
    equal("int80 has a handler", user_call(by_int80, 0), 0x80);
}

ATTACK_ENDS(sysenter_of_the_kernel, FLAW_STATE, "SYSENTER in kernel mode, which leaves no stack pointer behind: the domain is ended")
{
    crashes();
    console_flush();
    by_sysenter(1);
}

/* At 0x7ffffffffffe: SYSCALL, whose next instruction would be at a non-canonical address. */
static u64 at_the_edge(u64 arg)
{
    long result;

    (void)arg;
    __asm__ volatile("callq *%1" : "=a"(result) : "r"(0x7ffffffffffeul), "0"(__HYPERVISOR_xen_version), "D"(0ul), "S"(0ul)
                     : "rcx", "r11", "memory");
    return TRAP_NONE;
}

ATTACK(edge_of_the_address_space, FLAW_STATE, "a hypercall from the last two bytes below the gap: #GP or #PF of ring 3 at 0x800000000000, no SYSRET to it")
{
    u8 *page = page_alloc();
    u64 va = 0x7ffffffff000ul;

    page[4094] = 0x0f;
    page[4095] = 0x05;
    holds("mapped", memory_map(va, entry_of(page, MEMORY_RW)));
    trap_last.vector = TRAP_NONE;
    trap_guarded(at_the_edge, 0);
    holds("vector", trap_last.vector == TRAP_GP || trap_last.vector == TRAP_PF);
    equal("at", trap_last.frame.rip, 0x800000000000ul);
    hypercall_update_va_mapping(va, 0, UVMF_INVLPG);
    page_free(page);
}

ATTACK(privileged_instructions, FLAW_RIGHTS, "what only ring 0 may do, and no emulation offers: #GP; control registers keep what is the hypervisor's")
{
    static u8 memory[16];
    u64 cr0, cr4, value;

    equal("lidt", TRAP_INSN("lidt (%0)", (), ("r"(memory))), TRAP_GP);
    equal("lgdt", TRAP_INSN("lgdt (%0)", (), ("r"(memory))), TRAP_GP);
    equal("lldt", TRAP_INSN("lldt %w0", (), ("r"(0xe050))), TRAP_GP);
    equal("ltr", TRAP_INSN("ltr %w0", (), ("r"(0xe040))), TRAP_GP);
    equal("invlpg", TRAP_INSN("invlpg (%0)", (), ("r"(memory))), TRAP_GP);
    equal("invd", TRAP_INSN("invd", (), ()), TRAP_GP);
    equal("hlt", TRAP_INSN("hlt", (), ()), TRAP_GP);
    equal("swapgs", TRAP_INSN("swapgs", (), ()), TRAP_GP);
    equal("sysret", TRAP_INSN("sysretq", (), ()), TRAP_GP);
    equal("cli", TRAP_INSN("cli", (), ()), TRAP_GP);
    equal("lmsw", TRAP_INSN("lmsw %w0", (), ("r"(1))), TRAP_GP);
    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    for (u32 bit = 0; bit < 64; bit++) {
        u32 vector = TRAP_INSN("movq %0, %%cr0", (), ("r"(cr0 ^ 1ul << bit)));

        if (bit != 3) /* TS */
            equal("cr0", vector, TRAP_GP);
        TRAP_INSN("movq %0, %%cr4", (), ("r"(cr4 ^ 1ul << bit)));
        __asm__ volatile("movq %%cr4, %0" : "=r"(value));
        equal("cr4", (value ^ cr4) & ~(4ul | 8ul | 1ul << 16), 0);
    }
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
    __asm__ volatile("movq %0, %%cr0" : : "r"(cr0 & ~8ul));
    equal("cr8", TRAP_INSN("movq %0, %%cr8", (), ("r"(0ul))), TRAP_GP);
    u64 roots[] = {victim_frame() << PAGE_SHIFT, MFN_HYPERVISOR << PAGE_SHIFT, MFN_BEYOND << PAGE_SHIFT, 0, ~0ul,
                   mfn_of(memory) << PAGE_SHIFT};
    for (u32 i = 0; i < ARRAY_SIZE(roots); i++)
        equal("cr3", TRAP_INSN("movq %0, %%cr3", (), ("r"(roots[i]))), TRAP_GP);
}

ATTACK(nmis, FLAW_STATE, "NMIs to itself, to a vCPU that is down, to none; handlers that are not canonical: one NMI at a time, -ENOENT, -EINVAL")
{
    struct xennmi_callback callback = {.handler_address = VA_NONCANONICAL};

    equal("handler", (u64)hypercall_nmi_op(XENNMI_register_callback, &callback), (u64)-XEN_EINVAL);
    equal("its address", (u64)hypercall_nmi_op(XENNMI_register_callback, (void *)VA_HYPERVISOR), (u64)-XEN_EFAULT);
    equal("none", (u64)hypercall_vcpu_op(VCPUOP_send_nmi, 2, NULL), (u64)-XEN_ENOENT);
    equal("the last", (u64)hypercall_vcpu_op(VCPUOP_send_nmi, ~0u, NULL), (u64)-XEN_ENOENT);
    equal("one that is down", (u64)hypercall_vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
    equal("still down", (u64)hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

static void end_with_stack(u64 stack)
{
    static struct {
        u64 rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
    } context;

    hypercall_stack_switch(SEL_DS, stack);
    crashes();
    console_flush();
    context.rip = VA_UNMAPPED; /* #PF in user mode needs the kernel's stack */
    context.cs = SEL_USER_CS;
    context.rflags = 2;
    context.rsp = STACK_TOP;
    context.ss = SEL_DS;
    call_at((u64)&context, __HYPERVISOR_iret, 0, 0);
}

ATTACK_ENDS(stack_in_the_hypervisor, FLAW_ADDRESS, "an exception of user mode with the kernel's stack in the hypervisor: the domain is ended, nothing is written there")
{
    end_with_stack(VA_HYPERVISOR + 0x300000);
}

ATTACK_ENDS(stack_at_its_end, FLAW_ADDRESS, "the same with a stack that begins just above the hypervisor's range: the frame would lie in it, the domain is ended")
{
    end_with_stack(HYPERVISOR_END + 16);
}

ATTACK_ENDS(stack_not_canonical, FLAW_ADDRESS, "the same with a stack at an address that is not canonical: the domain is ended")
{
    end_with_stack(VA_NONCANONICAL + 64);
}

ATTACK_ENDS(iret_from_the_hypervisor, FLAW_ADDRESS, "iret with its frame in the hypervisor's memory: the domain is ended, nothing of it is loaded")
{
    crashes();
    console_flush();
    call_at(VA_HYPERVISOR + 0x200000, __HYPERVISOR_iret, 0, 0);
}

ATTACK_ENDS(iret_across_the_edge, FLAW_ADDRESS, "iret with its frame across the edge of the canonical range: the domain is ended")
{
    crashes();
    console_flush();
    call_at(VA_NONCANONICAL - 16, __HYPERVISOR_iret, 0, 0);
}

ATTACK_ENDS(upcall_without_stack, FLAW_ADDRESS, "an event comes while RSP is the hypervisor's: the domain is ended")
{
    long port = event_bind_ipi(0);

    event_unmask((u32)port);
    event_disable();
    event_send((u32)port);
    crashes();
    console_flush();
    vcpu_info()->evtchn_upcall_mask = 0;
    vcpu_info()->evtchn_upcall_pending = 1;
    call_at(VA_CODE + 64, __HYPERVISOR_xen_version, XENVER_version, 0);
}
