/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers, by hypercall and by MOV; breakpoints and single steps.
 */
#include "guests/conform/conform.h"

static volatile u64 watched[2];

static u64 touch(u64 arg)
{
    watched[0] = arg;
    __asm__ volatile("nop");
    return 0;
}

static u64 target(u64 arg)
{
    return arg;
}

static u64 call_target(u64 arg)
{
    u64 (*volatile fn)(u64) = target;

    return fn(arg);
}

static u64 step(u64 arg)
{
    (void)arg;
    __asm__ volatile("pushfq\n orl $0x100, (%rsp)\n popfq\n nop\n nop\n");
    return 0;
}

static long set(u32 reg, u64 value)
{
    return hypercall_set_debugreg(reg, value);
}

static u64 get(u32 reg)
{
    return (u64)hypercall_get_debugreg(reg);
}

static void values(void)
{
    test("initial", "DR0 to DR3 are 0, DR6 and DR7 have their reset values");
    for (u32 i = 0; i < 4; i++)
        equal("dr", get(i), 0);
    equal("dr6", get(6), 0xffff0ff0);
    equal("dr7", get(7), 0x400);
    test("addresses", "DR0 to DR3 hold an address of the guest");
    for (u32 i = 0; i < 4; i++) {
        equal("set", set(i, (u64)&watched[i & 1]), 0);
        equal("get", get(i), (u64)&watched[i & 1]);
    }
    test("lower-half", "also one of the lower half");
    equal("set", set(0, 0x1000), 0);
    test("hypervisor", "an address in the hypervisor's range: -EPERM");
    equal("set", set(0, VA_HYPERVISOR), -XEN_EPERM);
    equal("kept", get(0), 0x1000);
    test("noncanonical", "an address that is not canonical: -EPERM");
    equal("set", set(1, VA_NONCANONICAL), -XEN_EPERM);
    test("dr6", "DR6: reserved bits are forced");
    equal("set", set(6, 0), 0);
    equal("get", get(6), 0xffff0ff0);
    equal("set", set(6, 0x4001), 0);
    equal("get", get(6), 0xffff4ff1);
    test("dr6-upper", "DR6: the upper half must be 0: -EINVAL");
    equal("set", set(6, 1ul << 32), -XEN_EINVAL);
    test("dr7", "DR7: bit 10 is forced, reserved ones are dropped");
    equal("set", set(7, 0), 0);
    equal("get", get(7), 0x400);
    test("dr7-upper", "DR7: the upper half must be 0: -EINVAL");
    equal("set", set(7, 1ul << 32), -XEN_EINVAL);
    test("dr7-gd", "DR7: GD: -EPERM");
    equal("set", set(7, 0x2400), -XEN_EPERM);
    test("dr7-io", "DR7: an I/O breakpoint without CR4.DE: -EPERM");
    equal("set", set(7, 0x20001), -XEN_EPERM);
    equal("kept", get(7), 0x400);
    test("dr7-len", "DR7: a length with an instruction breakpoint is taken: 0");
    long got = set(7, 0x40001);
    equal("set", got, 0);
    set(7, 0);
    test("dr45", "DR4 and DR5 are DR6 and DR7 without CR4.DE");
    set(6, 0);
    equal("4", get(4), get(6));
    equal("5", get(5), get(7));
    equal("set 4", set(4, 0), 0);
    test("dr8", "no such register: -EINVAL, or -ENODEV");
    equal("set", set(8, 0), -XEN_ENODEV);
    equal("get", get(8), (u64)-XEN_ENODEV);
}

static void moves(void)
{
    u64 v;

    test("mov-read", "MOV from a debug register");
    set(2, (u64)&watched[1]);
    equal("vector", TRAP_INSN("movq %%db2, %0", ("=r"(v)), ()), TRAP_NONE);
    equal("value", v, (u64)&watched[1]);
    test("mov-write", "MOV to a debug register");
    equal("vector", TRAP_INSN("movq %0, %%db3", (), ("r"(0x2000ul))), TRAP_NONE);
    equal("value", get(3), 0x2000);
    test("mov-bad", "MOV of what the hypercall refuses: #GP");
    equal("hypervisor", TRAP_INSN("movq %0, %%db3", (), ("r"(VA_HYPERVISOR))), TRAP_GP);
    equal("dr7", TRAP_INSN("movq %0, %%db7", (), ("r"(0x2400ul))), TRAP_GP);
    test("mov-dr4", "MOV from DR4 without CR4.DE");
    equal("vector", TRAP_INSN("movq %%db4, %0", ("=r"(v)), ()), TRAP_NONE);
    test("de", "with CR4.DE, DR4 is #UD and the hypercall says -ENODEV");
    u64 cr4;
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    TRAP_INSN("movq %0, %%cr4", (), ("r"(cr4 | 8)));
    equal("vector", TRAP_INSN("movq %%db4, %0", ("=r"(v)), ()), TRAP_UD);
    equal("get", get(4), (u64)-XEN_ENODEV);
    test("de-io", "with CR4.DE an I/O breakpoint is allowed");
    equal("set", set(7, 0x20001), 0);
    set(7, 0);
    TRAP_INSN("movq %0, %%cr4", (), ("r"(cr4)));
}

static void hits(void)
{
    test("watch", "a write breakpoint: #DB behind the instruction, bit in DR6");
    set(0, (u64)&watched[0]);
    set(6, 0);
    equal("set", set(7, 0xd0003), 0);
    equal("vector", trap_try(touch, 5), TRAP_DB);
    equal("dr6", get(6) & 0xf, 1);
    equal("written", watched[0], 5);
    test("exec", "an instruction breakpoint: #DB at the instruction");
    set(7, 0);
    set(1, (u64)target);
    set(6, 0);
    equal("set", set(7, 0xc), 0);
    equal("vector", trap_try(call_target, 1), TRAP_DB);
    equal("rip", trap_last.frame.rip, (u64)target);
    equal("dr6", get(6) & 0xf, 2);
    set(7, 0);
    test("off", "disabled, nothing comes");
    equal("vector", trap_try(call_target, 1), TRAP_NONE);
    test("step", "TF: #DB behind the next instruction, BS in DR6");
    set(6, 0);
    equal("vector", trap_try(step, 0), TRAP_DB);
    equal("dr6", get(6) & 0x4000, 0x4000);
    equal("tf", trap_last.frame.rflags >> 8 & 1, 1);
    test("step-sticky", "DR6 is the guest's to clear");
    equal("dr6", get(6) & 0x4000, 0x4000);
    set(6, 0);
    equal("dr6", get(6) & 0x4000, 0);
}

void guest_main(void)
{
    report_start("debugreg");
    values();
    moves();
    hits();
    report_end();
}
