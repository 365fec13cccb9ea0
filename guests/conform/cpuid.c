/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID by the forced-emulation prefix, and the hypervisor's leaves.
 */
#include "guests/conform/conform.h"

static u32 r[4];

static u32 forced(u32 leaf, u32 sub)
{
    return TRAP_INSN("ud2\n .ascii \"xen\"\n cpuid", ("=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])),
                     ("0"(leaf), "2"(sub)));
}

static u64 user_forced(u64 leaf)
{
    u32 a = (u32)leaf, b, c = 0, d;

    __asm__ volatile("ud2\n .ascii \"xen\"\n cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return a;
}

void guest_main(void)
{
    u64 cr4;

    report_start("cpuid");
    test("prefix", "the prefix ud2, 'xen' makes CPUID the hypervisor's");
    equal("vector", forced(0x40000000, 0), TRAP_NONE);
    equal("ebx", r[1], 0x566e6558);
    equal("ecx", r[2], 0x65584d4d);
    equal("edx", r[3], 0x4d4d566e);
    test("max-leaf", "the highest hypervisor leaf is 0x40000005");
    equal("eax", r[0], 0x40000005);
    test("version", "leaf 0x40000001: version 4.17");
    forced(0x40000001, 0);
    equal("eax", r[0], 4 << 16 | 17);
    equal("others", r[1] | r[2] | r[3], 0);
    test("hypercall-leaf", "leaf 0x40000002: one hypercall page, its MSR, preserve_ad");
    forced(0x40000002, 0);
    equal("eax", r[0], 1);
    equal("ebx", r[1], 0x40000000);
    equal("ecx", r[2] & 1, 1);
    test("time-leaf", "leaf 0x40000003: the TSC is not emulated, has no mode");
    forced(0x40000003, 0);
    equal("vtsc", r[0] & 1, 0);
    equal("mode", r[1], 0);
    test("time-host", "sub-leaf 2: the host's TSC frequency in kHz, as shared_info has it");
    forced(0x40000003, 2);
    u64 mul = vcpu_info()->time.tsc_to_system_mul;
    signed char shift = vcpu_info()->time.tsc_shift;
    u64 khz = 1000000ul << 32;
    khz = shift < 0 ? (khz << -shift) / mul : (khz / mul) >> shift;
    holds("near", r[0] > khz - khz / 1000 && r[0] < khz + khz / 1000);
    test("hvm-leaf", "leaf 0x40000004 is empty for a PV domain");
    forced(0x40000004, 0);
    equal("or", r[0] | r[1] | r[2] | r[3], 0);
    test("pv-leaf", "leaf 0x40000005: the width of machine addresses");
    forced(0x40000005, 0);
    holds("range", (r[1] & 0xff) > 20 && (r[1] & 0xff) <= 52);
    holds("covers", memory_virt_to_maddr(r) < 1ul << (r[1] & 0xff));
    test("beyond", "a hypervisor leaf beyond the last: zeroes");
    forced(0x40000006, 0);
    equal("or", r[0] | r[1] | r[2] | r[3], 0);
    test("length", "behind the instruction execution goes on: 5 + 2 bytes");
    equal("vector", forced(0, 0), TRAP_NONE);
    differ("vendor", r[1], 0);
    test("leaf-1-hypervisor", "leaf 1 has the hypervisor bit");
    forced(1, 0);
    equal("bit 31", r[2] >> 31, 1);
    test("leaf-1-osxsave", "leaf 1's OSXSAVE is the guest's CR4");
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    equal("bit 27", r[2] >> 27 & 1, cr4 >> 18 & 1);
    test("leaf-1-hidden", "leaf 1 hides VMX, PCID, monitor, x2APIC's kin from a PV domain, and VME, PSE36's kin");
    equal("vmx", r[2] >> 5 & 1, 0);
    equal("pcid", r[2] >> 17 & 1, 0);
    test("leaf-1-basics", "leaf 1 shows what a 64-bit kernel needs: FPU, TSC, MSR, PAE, CX8, CMOV, FXSR, SSE, SSE2");
    equal("needed", r[3] & (1 << 0 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 15 | 1 << 24 | 1 << 25 | 1 << 26),
          1 << 0 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 15 | 1 << 24 | 1 << 25 | 1 << 26);
    test("leaf-7-hidden", "leaf 7 hides SMEP and SMAP");
    forced(7, 0);
    equal("smep", r[1] >> 7 & 1, 0);
    equal("smap", r[1] >> 20 & 1, 0);
    test("extended", "leaf 0x80000001 has long mode, SYSCALL and NX");
    forced(0x80000001, 0);
    equal("bits", r[3] & (1u << 29 | 1 << 11 | 1 << 20), 1u << 29 | 1 << 11 | 1 << 20);
    test("max-basic", "a basic leaf beyond the last: zeroes");
    forced(0, 0);
    u32 max = r[0];
    forced(max + 1, 0);
    equal("or", r[0] | r[1] | r[2] | r[3], 0);
    test("user", "the prefix works in user mode too");
    user_init();
    equal("vector", user_call(user_forced, 0x40000001), TRAP_NONE);
    equal("eax", trap_result, 4 << 16 | 17);
    test("native", "CPUID without the prefix is the processor's own, or emulated where it faults");
    u32 a = 0, b, c, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    differ("vendor", b, 0);
    test("partial-prefix", "a prefix that is not followed by CPUID: #UD at its start");
    u32 vector = TRAP_INSN("ud2\n .ascii \"xen\"\n rdtsc", (), (), "rax", "rdx");
    equal("vector", vector, TRAP_UD);
    test("wrong-letters", "ud2 with other letters behind it: #UD");
    vector = TRAP_INSN("ud2\n .ascii \"xem\"\n cpuid", (), (), "rax", "rbx", "rcx", "rdx");
    equal("vector", vector, TRAP_UD);
    report_end();
}
