/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR and WRMSR as emulated for a kernel.  The base registers are in segments.c.
 */
#include "guests/conform/conform.h"

static u64 value;

static u32 rd(u32 msr)
{
    u32 low = 0, high = 0;
    u32 vector = TRAP_INSN("rdmsr", ("=a"(low), "=d"(high)), ("c"(msr)));

    value = (u64)high << 32 | low;
    return vector;
}

static u32 wr(u32 msr, u64 v)
{
    return TRAP_INSN("wrmsr", (), ("a"((u32)v), "d"((u32)(v >> 32)), "c"(msr)));
}

void guest_main(void)
{
    report_start("msr");
    test("efer", "EFER reads with SCE, LME and LMA");
    equal("vector", rd(0xc0000080), TRAP_NONE);
    equal("bits", value & 0x501, 0x501);
    test("efer-same", "EFER can be written with its own value");
    equal("vector", wr(0xc0000080, value), TRAP_NONE);
    test("efer-other", "EFER with another value: #GP");
    rd(0xc0000080);
    equal("vector", wr(0xc0000080, value ^ 1), TRAP_GP);
    test("apic-base", "APIC_BASE reads: 0xfee00000 and enabled, for the initial domain's vCPU 0 the BSP bit");
    equal("vector", rd(0x1b), TRAP_NONE);
    equal("base", value & ~0xffful, 0xfee00000);
    test("apic-base-write", "APIC_BASE cannot be changed: #GP");
    u32 v = wr(0x1b, 0);
    equal("vector", v, TRAP_GP);
    test("pat", "PAT reads");
    equal("vector", rd(0x277), TRAP_NONE);
    differ("value", value, 0);
    test("pat-value", "as the hypervisor uses it: WB, WT, UC-, UC, WC, WP, UC-, UC");
    equal("value", value, 0x050100070406);
    test("pat-same", "PAT cannot be written, not even with its own value: #GP");
    equal("vector", wr(0x277, value), TRAP_GP);
    test("pat-other", "PAT with another value: #GP");
    equal("vector", wr(0x277, 0x0007040600070406), TRAP_GP);
    test("tsc", "TSC reads as RDTSC");
    equal("vector", rd(0x10), TRAP_NONE);
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    holds("near", ((u64)high << 32 | low) - value < 1000000);
    static const struct {
        const char *name;
        u32 msr, read, write_same;
    } rest[] = {
        {"star", 0xc0000081, TRAP_GP, TRAP_GP},
        {"lstar", 0xc0000082, TRAP_GP, TRAP_GP},
        {"cstar", 0xc0000083, TRAP_GP, TRAP_GP},
        {"fmask", 0xc0000084, TRAP_GP, TRAP_GP},
        {"sysenter-cs", 0x174, TRAP_GP, TRAP_GP},
        {"sysenter-eip", 0x176, TRAP_GP, TRAP_GP},
        {"smi-count", 0x34, TRAP_GP, TRAP_GP},
        {"unknown-low", 0x12345, TRAP_GP, TRAP_GP},
        {"unknown-high", 0xc0012345, TRAP_GP, TRAP_GP},
        {"mtrr-cap", 0xfe, TRAP_GP, TRAP_GP},
        {"mtrr-base-0", 0x200, TRAP_GP, TRAP_GP},
        {"debugctl", 0x1d9, TRAP_GP, TRAP_GP},
        {"spec-ctrl", 0x48, TRAP_GP, TRAP_GP},
        {"pred-cmd", 0x49, TRAP_GP, TRAP_GP},
        {"tsc-aux", 0xc0000103, TRAP_NONE, TRAP_NONE},
        {"x2apic-id", 0x802, TRAP_GP, TRAP_GP},
        {"tsc-deadline", 0x6e0, TRAP_GP, TRAP_GP},
        {"hypervisor-page", 0x40000000, TRAP_NONE, TRAP_GP},
        {"viridian", 0x40000001, TRAP_GP, TRAP_GP},
        {"xss", 0xda0, TRAP_GP, TRAP_GP},
        {"platform-id", 0x17, TRAP_NONE, TRAP_GP},
        {"microcode", 0x8b, TRAP_NONE, TRAP_GP},
        {"microcode-update", 0x79, TRAP_GP, TRAP_GP},
        {"mcg-cap", 0x179, TRAP_NONE, TRAP_NONE},
        {"mcg-status", 0x17a, TRAP_NONE, TRAP_NONE},
        {"mc0-ctl", 0x400, TRAP_NONE, TRAP_NONE},
        {"mc0-status", 0x401, TRAP_NONE, TRAP_NONE},
        {"misc-enable", 0x1a0, TRAP_NONE, TRAP_NONE},
        {"platform-info", 0xce, TRAP_NONE, TRAP_GP},
        {"misc-features", 0x140, TRAP_NONE, TRAP_NONE},
        {"feature-control", 0x3a, TRAP_NONE, TRAP_GP},
        {"arch-capabilities", 0x10a, TRAP_NONE, TRAP_GP},
        {"perf-status", 0x198, TRAP_NONE, TRAP_GP},
        {"therm-status", 0x19c, TRAP_NONE, TRAP_GP},
        {"tsx-ctrl", 0x122, TRAP_GP, TRAP_GP},
        {"amd-syscfg", 0xc0010010, TRAP_GP, TRAP_GP},
    };
    for (u32 i = 0; i < ARRAY_SIZE(rest); i++) {
        test(rest[i].name, "MSR %x: a read %s, a write of the value read %s", rest[i].msr,
             rest[i].read == TRAP_GP ? "is #GP" : "works", rest[i].write_same == TRAP_GP ? "is #GP" : "works");
        u32 r = rd(rest[i].msr);
        u32 w = wr(rest[i].msr, r == TRAP_NONE ? value : 0);
        equal("read", r, rest[i].read);
        equal("write", w, rest[i].write_same);
    }
    test("no-handler", "RDMSR that fails before there is a #GP handler reads as 0, if the register can be read");
    hypercall_set_trap_table(NULL);
    u32 a = 1, d = 1;
    __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0xc0000082));
    trap_install();
    equal("value", (u64)d << 32 | a, 0);
    report_end();
}
