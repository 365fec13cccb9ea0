/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers, CLTS, fpu_taskswitch, SMSW and the like as emulated for a kernel.
 */
#include "guests/conform/conform.h"

#define CR0_TS 8ul

static u64 cr0(void)
{
    u64 v = 0;

    TRAP_INSN("movq %%cr0, %0", ("=r"(v)), ());
    return v;
}

static u64 cr4(void)
{
    u64 v = 0;

    TRAP_INSN("movq %%cr4, %0", ("=r"(v)), ());
    return v;
}

static u32 set_cr0(u64 v)
{
    return TRAP_INSN("movq %0, %%cr0", (), ("r"(v)));
}

static u32 set_cr4(u64 v)
{
    return TRAP_INSN("movq %0, %%cr4", (), ("r"(v)));
}

/* An instruction of the FPU; TRAP_NM when the virtual TS is set. */
static u32 fpu(void)
{
    return TRAP_INSN("fnop", (), ());
}

static void task_switched(void)
{
    test("cr0-read", "CR0 shows PE, PG, PE's kin and no TS at the start");
    equal("pe, pg", cr0() & 0x80000001, 0x80000001);
    equal("ts", cr0() & CR0_TS, 0);
    test("cr0-same", "writing the same value: accepted");
    equal("vector", set_cr0(cr0()), TRAP_NONE);
    test("cr0-ts", "TS can be set, and shows");
    equal("vector", set_cr0(cr0() | CR0_TS), TRAP_NONE);
    equal("ts", cr0() & CR0_TS, CR0_TS);
    test("nm", "with TS an FPU instruction is #NM");
    equal("vector", fpu(), TRAP_NM);
    test("nm-clears", "#NM has cleared TS");
    equal("ts", cr0() & CR0_TS, 0);
    equal("vector", fpu(), TRAP_NONE);
    test("clts", "CLTS clears TS");
    set_cr0(cr0() | CR0_TS);
    equal("vector", TRAP_INSN("clts", (), ()), TRAP_NONE);
    equal("ts", cr0() & CR0_TS, 0);
    test("taskswitch", "fpu_taskswitch(1) sets TS, fpu_taskswitch(0) clears it; both answer 0");
    equal("set", hypercall_fpu_taskswitch(1), 0);
    equal("ts", cr0() & CR0_TS, CR0_TS);
    equal("clear", hypercall_fpu_taskswitch(0), 0);
    equal("ts", cr0() & CR0_TS, 0);
    test("taskswitch-any", "any value but 0 sets it");
    equal("set", hypercall_fpu_taskswitch(0x1000), 0);
    equal("ts", cr0() & CR0_TS, CR0_TS);
    hypercall_fpu_taskswitch(0);
    static const struct {
        const char *name;
        u64 bit;
    } bits[] = {{"cr0-pe", 1}, {"cr0-em", 4}, {"cr0-wp", 1 << 16}, {"cr0-am", 1 << 18},
                {"cr0-cd", 1 << 30}, {"cr0-pg", 1ul << 31}, {"cr0-mp", 2}};
    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        test(bits[i].name, "changing another bit of CR0: #GP, and it stays");
        u64 before = cr0();
        equal("vector", set_cr0(before ^ bits[i].bit), TRAP_GP);
        equal("cr0", cr0(), before);
    }
    test("lmsw", "LMSW is not emulated: #GP");
    u32 v = TRAP_INSN("lmsw %w0", (), ("r"((u32)cr0())));
    equal("vector", v, TRAP_GP);
    test("smsw", "SMSW reads the real CR0");
    u64 msw = 0;
    equal("vector", TRAP_INSN("smsw %0", ("=r"(msw)), ()), TRAP_NONE);
    equal("pe", msw & 1, 1);
}

static void four(void)
{
    test("cr4-read", "CR4 shows PAE");
    equal("pae", cr4() & 0x20, 0x20);
    test("cr4-same", "writing the same value: accepted");
    u64 before = cr4();
    equal("vector", set_cr4(before), TRAP_NONE);
    equal("cr4", cr4(), before);
    test("cr4-tsd", "TSD can be set: then RDTSC is emulated in kernel mode, and user mode's is #GP");
    equal("vector", set_cr4(before | 4), TRAP_NONE);
    equal("tsd", cr4() & 4, 4);
    u32 low, high;
    equal("rdtsc", TRAP_INSN("rdtsc", ("=a"(low), "=d"(high)), ()), TRAP_NONE);
    set_cr4(before);
    equal("back", cr4() & 4, 0);
    test("cr4-de", "DE can be set");
    equal("vector", set_cr4(before | 8), TRAP_NONE);
    equal("de", cr4() & 8, 8);
    set_cr4(before);
    test("cr4-others", "bits that are not the guest's are dropped: no fault, no change");
    static const u64 bits[] = {1 << 4, 1 << 5, 1 << 7, 1 << 9, 1 << 10, 1 << 13, 1 << 17, 1 << 20, 1 << 21};
    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        equal("vector", set_cr4(before ^ bits[i]), TRAP_NONE);
        equal("cr4", cr4(), before);
    }
    test("cr8", "CR8 is no register of the guest: #GP or #UD");
    u64 v;
    u32 vector = TRAP_INSN("movq %%cr8, %0", ("=r"(v)), ());
    equal("read", vector, TRAP_GP);
    test("cr1", "CR1 does not exist: #GP, as ring 3 must not ask");
    vector = TRAP_INSN(".byte 0x0f, 0x20, 0xc8", (), (), "rax");
    equal("read", vector, TRAP_GP);
    test("cr2-write", "CR2 can be written, and read back");
    equal("vector", TRAP_INSN("movq %0, %%cr2", (), ("r"(0x1234ul))), TRAP_NONE);
    u64 cr2;
    TRAP_INSN("movq %%cr2, %0", ("=r"(cr2)), ());
    equal("cr2", cr2, 0x1234);
    equal("vcpu_info", vcpu_info()->arch.cr2, 0x1234);
}

static void flags_(void)
{
    test("cli-sti", "CLI and STI with IOPL 0: #GP in kernel mode too");
    u32 cli = TRAP_INSN("cli", (), ()), sti = TRAP_INSN("sti", (), ());
    equal("cli", cli, TRAP_GP);
    equal("sti", sti, TRAP_GP);
    struct physdev_set_iopl iopl = {.iopl = 1};
    test("cli-sti-iopl", "with IOPL 1 they are accepted and change nothing");
    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    u8 mask = vcpu_info()->evtchn_upcall_mask;
    equal("cli", TRAP_INSN("cli", (), ()), TRAP_NONE);
    equal("mask", vcpu_info()->evtchn_upcall_mask, mask);
    equal("sti", TRAP_INSN("sti", (), ()), TRAP_NONE);
    equal("mask", vcpu_info()->evtchn_upcall_mask, mask);
    iopl.iopl = 0;
    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    test("popf-if", "POPF does not change IF, without a fault");
    u64 flags;
    __asm__ volatile("pushfq\n andq $~0x200, (%%rsp)\n popfq\n pushfq\n popq %0" : "=r"(flags) : : "cc");
    equal("if", flags >> 9 & 1, 1);
    test("wbinvd", "WBINVD is accepted");
    equal("vector", TRAP_INSN("wbinvd", (), ()), TRAP_NONE);
    test("sgdt", "SGDT, SIDT, STR and SLDT read the real registers");
    static u8 table[10];
    equal("sgdt", TRAP_INSN("sgdt %0", (), ("m"(table))), TRAP_NONE);
    equal("sidt", TRAP_INSN("sidt %0", (), ("m"(table))), TRAP_NONE);
    u64 v;
    equal("str", TRAP_INSN("str %0", ("=r"(v)), ()), TRAP_NONE);
    equal("sldt", TRAP_INSN("sldt %0", ("=r"(v)), ()), TRAP_NONE);
    test("rdtsc", "RDTSC runs natively");
    u32 low, high;
    equal("vector", TRAP_INSN("rdtsc", ("=a"(low), "=d"(high)), ()), TRAP_NONE);
    test("prefix", "a LOCK prefix before MOV from CR0: #UD or #GP");
    u32 vector = TRAP_INSN(".byte 0xf0, 0x0f, 0x20, 0xc0", (), (), "rax");
    holds("fault or CR8", vector == TRAP_UD || vector == TRAP_GP);
}

void guest_main(void)
{
    report_start("cr");
    task_switched();
    four();
    flags_();
    report_end();
}
