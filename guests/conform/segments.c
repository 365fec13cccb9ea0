/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_segment_base, stack_switch, base MSRs.
 */
#include "guests/conform/conform.h"

static u64 words[4] = {0x1111, 0x2222, 0x3333, 0x4444};

static u64 read_fs(void)
{
    u64 v;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(v));
    return v;
}

static u64 read_gs(void)
{
    u64 v;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(v));
    return v;
}

static u64 rdmsr_(u32 msr)
{
    u32 low = 0, high = 0;

    TRAP_INSN("rdmsr", ("=a"(low), "=d"(high)), ("c"(msr)));
    return (u64)high << 32 | low;
}

static u32 wrmsr_(u32 msr, u64 value)
{
    return TRAP_INSN("wrmsr", (), ("a"((u32)value), "d"((u32)(value >> 32)), "c"(msr)));
}

static u64 user_gs(u64 arg)
{
    (void)arg;
    return read_gs();
}

static u64 user_fs(u64 arg)
{
    (void)arg;
    return read_fs();
}

static void bases(void)
{
    test("fs", "SEGBASE_FS sets the base of FS");
    equal("result", hypercall_set_segment_base(SEGBASE_FS, (u64)&words[1]), 0);
    equal("word", read_fs(), 0x2222);
    test("fs-msr", "RDMSR of FS_BASE shows it");
    equal("msr", rdmsr_(0xc0000100), (u64)&words[1]);
    test("gs-kernel", "SEGBASE_GS_KERNEL sets the base of GS in kernel mode");
    equal("result", hypercall_set_segment_base(SEGBASE_GS_KERNEL, (u64)&words[2]), 0);
    equal("word", read_gs(), 0x3333);
    test("gs-kernel-msr", "RDMSR of GS_BASE shows it");
    equal("msr", rdmsr_(0xc0000101), (u64)&words[2]);
    test("gs-user", "SEGBASE_GS_USER does not change the base in kernel mode");
    equal("result", hypercall_set_segment_base(SEGBASE_GS_USER, (u64)&words[3]), 0);
    equal("word", read_gs(), 0x3333);
    test("gs-user-msr", "RDMSR of KERNEL_GS_BASE shows the other base");
    equal("msr", rdmsr_(0xc0000102), (u64)&words[3]);
    test("gs-user-mode", "in user mode GS has the user's base");
    user_init();
    equal("vector", user_call(user_gs, 0), TRAP_NONE);
    equal("word", trap_result, 0x4444);
    test("gs-back", "and back in kernel mode the kernel's");
    equal("word", read_gs(), 0x3333);
    test("fs-user-mode", "FS is the same in both modes");
    equal("vector", user_call(user_fs, 0), TRAP_NONE);
    equal("word", trap_result, 0x2222);
    static const char *const names[] = {"noncanonical-fs", "noncanonical-gs-user", "noncanonical-gs-kernel"};
    for (u32 which = 0; which < 3; which++) {
        test(names[which], "a base that is not canonical: -EINVAL");
        equal("result", hypercall_set_segment_base(which, VA_NONCANONICAL), -XEN_EINVAL);
    }
    test("hypervisor-base", "a base in the hypervisor's range is canonical: taken");
    equal("result", hypercall_set_segment_base(SEGBASE_FS, VA_HYPERVISOR), 0);
    equal("vector", TRAP_INSN("movq %%fs:0, %%rax", (), (), "rax"), TRAP_PF);
    test("user-sel", "SEGBASE_GS_USER_SEL with a null selector: 0");
    equal("result", hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
    test("user-sel-bad", "with a selector that cannot be loaded: a null selector is loaded, 0");
    equal("result", hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0xfff8), 0);
    test("unknown", "an unknown register: -EINVAL");
    equal("4", hypercall_set_segment_base(4, 0), -XEN_EINVAL);
    equal("-1", hypercall_set_segment_base(~0u, 0), -XEN_EINVAL);
}

static void msrs(void)
{
    test("wrmsr-fs", "WRMSR of FS_BASE");
    equal("vector", wrmsr_(0xc0000100, (u64)&words[0]), TRAP_NONE);
    equal("word", read_fs(), 0x1111);
    test("wrmsr-gs", "WRMSR of GS_BASE");
    equal("vector", wrmsr_(0xc0000101, (u64)&words[1]), TRAP_NONE);
    equal("word", read_gs(), 0x2222);
    test("wrmsr-kernel-gs", "WRMSR of KERNEL_GS_BASE");
    equal("vector", wrmsr_(0xc0000102, (u64)&words[2]), TRAP_NONE);
    equal("kept", read_gs(), 0x2222);
    test("wrmsr-noncanonical", "a value that is not canonical: #GP");
    equal("fs", wrmsr_(0xc0000100, VA_NONCANONICAL), TRAP_GP);
    equal("gs", wrmsr_(0xc0000101, VA_NONCANONICAL), TRAP_GP);
    equal("kernel gs", wrmsr_(0xc0000102, VA_NONCANONICAL), TRAP_GP);
    test("fsgsbase", "RDFSBASE without CR4.FSGSBASE: #UD");
    u64 v;
    equal("vector", TRAP_INSN("rdfsbase %0", ("=r"(v)), ()), TRAP_UD);
    test("selector-load", "loading FS with a null selector: its base becomes 0 or stays");
    wrmsr_(0xc0000100, (u64)&words[0]);
    __asm__ volatile("xorl %%eax, %%eax\n movl %%eax, %%fs" : : : "rax");
    u64 base = rdmsr_(0xc0000100);
    holds("either", base == 0 || base == (u64)&words[0]);
}

static u64 *gdt;

static u64 enter_with_ds(u64 arg)
{
    __asm__ volatile("movl %%edi, %%ds" : : "D"((u32)arg));
    hypercall_update_descriptor(memory_virt_to_maddr(gdt) + 16, 0);
    /* The selector is still in DS; the next switch of domains would load it again. */
    vcpu_yield();
    __asm__ volatile("xorl %%eax, %%eax\n movl %%eax, %%ds" : : : "rax");
    return 0;
}

static void taken_away(void)
{
    test("descriptor-gone", "a descriptor taken away while it is loaded does no harm before the next switch of domains, "
                            "and then is the failsafe callback");
    gdt = page_alloc();
    gdt[2] = 0x00cff3000000fffful;
    memory_protect(gdt, MEMORY_RO);
    u64 mfn = memory_virt_to_mfn(gdt);
    if (hypercall_set_gdt(&mfn, 512)) {
        broken("no GDT");
        return;
    }
    u32 vector = trap_try(enter_with_ds, 2 * 8 + 3);
    holds("nothing or the callback", vector == TRAP_NONE || vector == TRAP_FAILSAFE);
}

static void stack(void)
{
    test("stack-switch", "stack_switch answers 0, whatever it is given");
    equal("flat", hypercall_stack_switch(SEL_DS, (u64)words), 0);
    test("stack-switch-odd", "also to addresses that make no sense");
    equal("noncanonical", hypercall_stack_switch(SEL_DS, VA_NONCANONICAL), 0);
    equal("hypervisor", hypercall_stack_switch(SEL_DS, VA_HYPERVISOR), 0);
    equal("selector", hypercall_stack_switch(0, (u64)words), 0);
}

void guest_main(void)
{
    report_start("segments");
    bases();
    msrs();
    taken_away();
    stack();
    report_end();
}
