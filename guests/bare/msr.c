/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSRs, segment bases, CPUID, the time-stamp counter, optional instructions. */
#include "bare.h"

CODE64(rd, "nop\n 1: rdmsr");
CODE64(wr, "nop\n 1: wrmsr");
CODE32(rd32, "nop\n 1: rdmsr");

static int amd;

static void wr_case(const char *name, const char *ref, u32 msr, u64 v, u32 vec)
{
	T(ref, "%s", name);
	in.rcx = msr;
	in.rax = (u32)v;
	in.rdx = v >> 32;
	if (vec == DONE)
		eq("vec", run(R0_64, &wr), DONE);
	else
		expect(R0_64, &wr, vec, 0, 0);
}

static void rd_case(const char *name, const char *ref, enum mode m, u32 msr, u32 vec)
{
	T(ref, "%s", name);
	in.rcx = msr;
	if (vec == DONE)
		eq("vec", run(m, &rd), DONE);
	else
		expect(m, &rd, vec, 0, 0);
}

static void g_access(void)
{
	static const struct { const char *n; u32 i; } canon[] = {
		{ "fs-base", 0xc0000100 }, { "gs-base", 0xc0000101 }, { "kernel-gs-base", 0xc0000102 },
		{ "lstar", 0xc0000082 }, { "cstar", 0xc0000083 },
		{ "sysenter-eip", 0x176 }, { "sysenter-esp", 0x175 },
	};
	u64 efer = rdmsr(MSR_EFER), base = rdmsr(0x1b), pat;

	rd_case("rdmsr-unknown", "SDM 2B RDMSR: a reserved or unimplemented MSR is #GP(0)", R0_64, 0x1234567, GP);
	rd_case("rdmsr-unknown-high", "SDM 2B RDMSR: an unimplemented MSR of the 0xc000 range is #GP(0)", R0_64, 0xc0001fff, GP);
	rd_case("rdmsr-unknown-ffffffff", "SDM 2B RDMSR: MSR 0xffffffff is #GP(0)", R0_64, 0xffffffff, GP);
	wr_case("wrmsr-unknown", "SDM 2B WRMSR: a reserved or unimplemented MSR is #GP(0)", 0x1234567, 0, GP);
	wr_case("wrmsr-unknown-high", "SDM 2B WRMSR: an unimplemented MSR of the 0xc000 range is #GP(0)", 0xc0001fff, 0, GP);
	rd_case("rdmsr-r3", "SDM 2B RDMSR: #GP(0) at ring 3", R3_64, MSR_EFER, GP);
	T("SDM 2B RDMSR: #GP(0) at ring 3 of compatibility mode", "rdmsr-r3-32");
	in.rcx = MSR_EFER;
	expect(R3_32, &rd32, GP, 0, 0);
	T("SDM 2B WRMSR: #GP(0) at ring 3", "wrmsr-r3");
	in.rcx = MSR_EFER;
	expect(R3_64, &wr, GP, 0, 0);
	T("SDM 2B RDMSR: clears the upper halves of RAX and RDX, ignores that of RCX", "rdmsr-upper");
	in.rcx = 0xffffffff00000000 | MSR_EFER;
	in.rax = in.rdx = ~0ull;
	eq("vec", run(R0_64, &rd), DONE);
	eq("rax", rec->rax, efer);
	eq("rdx", rec->rdx, 0);
	T("SDM 3A 2.2.1: EFER reads LME=1 LMA=1 in long mode", "efer-lme-lma");
	eq("efer", efer & 0x500, 0x500);
	for (int b = 1; b < 8; b++) {
		static char n[] = "efer-reserved-bit1";
		n[17] = '0' + b;
		wr_case(n, "SDM 4 IA32_EFER: reserved bits are #GP(0)", MSR_EFER, efer | 1ull << b, GP);
	}
	wr_case("efer-reserved-bit31", "SDM 4 IA32_EFER: reserved bits are #GP(0)", MSR_EFER, efer | 1ull << 31, GP);
	wr_case("efer-reserved-bit63", "SDM 4 IA32_EFER: reserved bits are #GP(0)", MSR_EFER, efer | 1ull << 63, GP);
	wr_case("efer-lme-with-paging", "SDM 3A 4.1.2: changing LME with paging on is #GP(0)", MSR_EFER, efer & ~0x100ull, GP);
	T("SDM 4 IA32_EFER: nothing of a refused write sticks", "efer-unchanged");
	eq("efer", rdmsr(MSR_EFER), efer);
	wr_case("efer-sce", "SDM 4 IA32_EFER: SCE is writable", MSR_EFER, efer | 1, DONE);
	wrmsr(MSR_EFER, efer);
	wr_case("efer-nxe", "SDM 4 IA32_EFER: NXE is writable iff CPUID reports NX", MSR_EFER, efer | 0x800,
		has(0x80000001, 0, EDX_, 20) ? DONE : GP);
	wrmsr(MSR_EFER, efer);

	for (u32 i = 0; i < sizeof canon / sizeof *canon; i++) {
		char n[40] = "noncanonical-";
		for (u32 j = 0; canon[i].n[j]; j++) {
			n[13 + j] = canon[i].n[j];
			n[14 + j] = 0;
		}
		u64 old = rdmsr(canon[i].i);
		wr_case(n, "SDM 2B WRMSR: a non-canonical value is #GP(0)", canon[i].i, 0x800000000000, GP);
		T("SDM 2B WRMSR: canonical values are kept in full", "canonical-%s", canon[i].n);
		wrmsr(canon[i].i, 0xffff800012345678);
		eq("value", rdmsr(canon[i].i), 0xffff800012345678);
		wrmsr(canon[i].i, old);
	}
	T("SDM 4 IA32_STAR: holds 64 bits", "star-value");
	wrmsr(0xc0000081, 0x0023000812345678);
	eq("value", rdmsr(0xc0000081), 0x0023000812345678);
	T("SDM 3A 10.4.4: the boot CPU has IA32_APIC_BASE.BSP and enable set, base 0xfee00000", "apic-base-reset");
	eq("value", base & 0xfffff900, 0xfee00900);
	wr_case("apic-base-reserved", "SDM 3A 10.4.4: reserved bits of IA32_APIC_BASE are #GP(0)", 0x1b, base | 1, GP);
	wr_case("apic-base-reserved-high", "SDM 3A 10.4.4: bits above MAXPHYADDR are #GP(0)", 0x1b, base | 1ull << 60, GP);
	if (has(1, 0, ECX_, 21)) {
		T("", "apic-base-x2apic");
		skip("CPUID has x2APIC");
	} else {
		wr_case("apic-base-x2apic", "SDM 3A 10.12.1: EXTD is #GP(0) without x2APIC", 0x1b, base | 0x400, GP);
	}
	T("SDM 3A 11.12.4: IA32_PAT after reset", "pat-reset");
	pat = rdmsr(0x277);
	eq("pat", pat, 0x0007040600070406);
	for (u32 ty = 2; ty < 4; ty++) {
		static char n[] = "pat-bad-type-2";
		n[13] = '0' + ty;
		wr_case(n, "SDM 3A 11.12.2: reserved memory types are #GP(0)", 0x277, (pat & ~0xffull) | ty, GP);
	}
	wr_case("pat-reserved-bits", "SDM 3A 11.12.2: reserved bits are #GP(0)", 0x277, pat | 0x8, GP);
	wr_case("pat-high-entry", "SDM 3A 11.12.2: the check covers PA7", 0x277, (pat & ~(0xffull << 56)) | 2ull << 56, GP);
	wr_case("pat-valid", "SDM 3A 11.12.2: a valid value is taken", 0x277, 0x0105040600070406, DONE);
	wrmsr(0x277, pat);
	T("SDM 3A 11.11.1: IA32_MTRRCAP readable iff CPUID reports MTRR", "mtrrcap");
	in.rcx = 0xfe;
	eq("vec", run(R0_64, &rd), has(1, 0, EDX_, 12) ? DONE : GP);
	T("SDM 3A 11.11.1: IA32_MTRRCAP is read-only", "mtrrcap-write");
	in.rcx = 0xfe;
	eq("vec", run(R0_64, &wr), GP);
	T("SDM 3A 11.11.2.1: IA32_MTRR_DEF_TYPE refuses a reserved type", "mtrr-def-type");
	in.rcx = 0x2ff;
	in.rax = 2;
	eq("vec", run(R0_64, &wr), GP);
}

CODE64(fsread, "movq %fs:(%rdi),%rax\n movq %gs:(%rdi),%rbx");
CODE64(swap, "swapgs\n movq %gs:0,%rax\n swapgs\n movq %gs:0,%rbx");
CODE64(swap3, "nop\n 1: swapgs");
CODE32(swap32, "nop\n 1: .byte 0x0f,0x01,0xf8");
CODE64(ldfs, "movl %ecx,%fs\n movl %ecx,%gs");
CODE64(rdfs, "nop\n 1: rdfsbase %rax");
CODE64(rdgs, "nop\n 1: rdgsbase %rax");
CODE64(wrfs, "nop\n 1: wrfsbase %rdi");
CODE64(wrgs, "nop\n 1: wrgsbase %rdi");
CODE64(wrfs32, "nop\n 1: wrfsbase %edi");
CODE32(rdfs_c, "nop\n 1: .byte 0xf3,0x0f,0xae,0xc0");

static void g_bases(void)
{
	static u64 a = 0x1111, b = 0x2222;
	int fsg = has(7, 0, EBX_, 0);
	static const struct { const char *n; struct snip *s; } t[] = {
		{ "rdfsbase", &rdfs }, { "rdgsbase", &rdgs }, { "wrfsbase", &wrfs }, { "wrgsbase", &wrgs },
	};

	T("SDM 3A 3.4.4: IA32_FS_BASE and IA32_GS_BASE are the bases", "fs-gs-base");
	wrmsr(0xc0000100, (ulong)&a);
	wrmsr(0xc0000101, (ulong)&b);
	eq("vec", run(R3_64, &fsread), DONE);
	eq("fs", rec->rax, a);
	eq("gs", rec->rbx, b);
	T("SDM 3A 3.4.4: the effective address wraps with a base of the upper half", "fs-base-wrap");
	wrmsr(0xc0000100, (ulong)&a + 0xffff800000000000);
	wrmsr(0xc0000101, (ulong)&b + 0xffff800000000000);
	in.rdi = 0x800000000000;
	run(R3_64, &fsread);
	eq("vec", rec->vec, DONE);
	eq("fs", rec->rax, a);
	T("SDM 2B SWAPGS: exchanges IA32_GS_BASE and IA32_KERNEL_GS_BASE", "swapgs");
	wrmsr(0xc0000101, (ulong)&a);
	wrmsr(0xc0000102, (ulong)&b);
	eq("vec", run(R0_64, &swap), DONE);
	eq("swapped", rec->rax, b);
	eq("back", rec->rbx, a);
	T("SDM 2B SWAPGS: #GP(0) at ring 3", "swapgs-r3");
	expect(R3_64, &swap3, GP, 0, 0);
	T("SDM 2B SWAPGS: #UD in compatibility mode", "swapgs-compat");
	expect(R0_32, &swap32, UD, 0, 0);
	T("SDM 3A 3.4.4: loading FS and GS takes the descriptor's 32-bit base", "mov-fs-base");
	gdt_set(SEL_SCRATCH, 0x12345678, 0xfff, 0xf3, 4);
	wrmsr(0xc0000100, 0xffff800000000000);
	in.rcx = SEL_SCRATCH | 3;
	eq("vec", run(R3_64, &ldfs), DONE);
	eq("fs", rdmsr(0xc0000100), 0x12345678);
	eq("gs", rdmsr(0xc0000101), 0x12345678);
	T("SDM 3A 3.4.4: loading a null selector clears the base (AMD keeps it)", "mov-fs-null");
	wrmsr(0xc0000100, (ulong)&a);
	eq("vec", run(R3_64, &ldfs), DONE);
	eq("fs", rdmsr(0xc0000100), amd ? (ulong)&a : 0);

	for (u32 i = 0; i < 4; i++) {
		T("SDM 2B RDFSBASE/WRFSBASE: #UD with CR4.FSGSBASE=0 (or without CPUID)", "fsgsbase-off-%s", t[i].n);
		expect(R3_64, t[i].s, UD, 0, 0);
	}
	if (fsg)
		wcr4(rcr4() | CR4_FSGSBASE);
	for (u32 i = 0; i < 4; i++) {
		T("SDM 2B RDFSBASE/WRFSBASE: usable at ring 3 with CR4.FSGSBASE=1", "fsgsbase-on-%s", t[i].n);
		if (!fsg) {
			skip("CPUID has no FSGSBASE");
			continue;
		}
		in.rdi = 0xffff800000001000;
		wrmsr(i & 1 ? 0xc0000101 : 0xc0000100, 0x7fff12345678);
		eq("vec", run(R3_64, t[i].s), DONE);
		if (i < 2)
			eq("rax", rec->rax, 0x7fff12345678);
		else
			eq("base", rdmsr(i & 1 ? 0xc0000101 : 0xc0000100), in.rdi);
	}
	for (u32 i = 2; i < 4; i++) {
		T("SDM 2B WRFSBASE: a non-canonical value is #GP(0)", "fsgsbase-noncanonical-%s", t[i].n);
		in.rdi = 0x800000000000;
		if (!fsg)
			skip("CPUID has no FSGSBASE");
		else
			expect(R3_64, t[i].s, GP, 0, 0);
	}
	T("SDM 2B WRFSBASE: a 32-bit operand clears the upper half", "fsgsbase-wr32");
	if (fsg) {
		in.rdi = 0xffffffff87654321;
		eq("vec", run(R3_64, &wrfs32), DONE);
		eq("base", rdmsr(0xc0000100), 0x87654321);
	} else {
		skip("CPUID has no FSGSBASE");
	}
	T("SDM 2B RDFSBASE: #UD in compatibility mode", "fsgsbase-compat");
	expect(R3_32, &rdfs_c, UD, 0, 0);
	wcr4(rcr4() & ~CR4_FSGSBASE);
	wrmsr(0xc0000100, 0);
	wrmsr(0xc0000101, 0);
	wrmsr(0xc0000102, 0);
}

CODE64(cpuid_, "cpuid");
CODE32(cpuid32, "cpuid");
CODE64(rdtsc_, "nop\n 1: rdtsc");
CODE32(rdtsc32, "nop\n 1: rdtsc");
CODE64(rdtscp_, "nop\n 1: rdtscp");
CODE64(rdpmc_, "nop\n 1: rdpmc");
CODE64(tsc2, "rdtsc\n movl %eax,%ebx\n movl %edx,%esi\n rdtsc");

static void g_cpuid(void)
{
	u32 r[4], q[4];
	static const struct { const char *n; int bit; } f1[] = {
		{ "fpu", 0 }, { "de", 2 }, { "pse", 3 }, { "tsc", 4 }, { "msr", 5 }, { "pae", 6 }, { "cx8", 8 },
		{ "apic", 9 }, { "pge", 13 }, { "cmov", 15 }, { "pat", 16 }, { "fxsr", 24 }, { "sse", 25 }, { "sse2", 26 },
	};

	T("SDM 2A CPUID: the highest basic leaf is at least 1", "cpuid-max");
	cpuid(0, 0, r);
	yes("at-least-1", r[0] >= 1 && r[0] < 0x100);
	T("SDM 2A CPUID: a basic leaf beyond the highest answers as the highest (AMD: zero)", "cpuid-beyond-max");
	u32 max = r[0];
	cpuid(max, 0, q);
	cpuid(0x3fffffff, 0, r);
	eq("eax", r[0], amd ? 0 : q[0]);
	eq("ebx", r[1], amd ? 0 : q[1]);
	eq("edx", r[3], amd ? 0 : q[3]);
	T("SDM 2A CPUID: highest extended leaf is at least 0x80000008", "cpuid-extended-max");
	cpuid(0x80000000, 0, r);
	yes("at-least-8", r[0] >= 0x80000008);
	for (u32 i = 0; i < sizeof f1 / sizeof *f1; i++) {
		T("SDM 3A 2.2, AMD64 baseline: a 64-bit processor reports it", "cpuid-1-%s", f1[i].n);
		yes("bit", has(1, 0, EDX_, f1[i].bit));
	}
	T("SDM 2A CPUID: 80000001 EDX reports SYSCALL, NX and long mode", "cpuid-80000001");
	cpuid(0x80000001, 0, r);
	eq("edx", r[3] & 0x20100800, 0x20100800);
	T("SDM 2A CPUID: 80000008: 48 (or 57) linear bits, 32..52 physical", "cpuid-80000008");
	cpuid(0x80000008, 0, r);
	yes("linear", (r[0] >> 8 & 0xff) == 48 || (r[0] >> 8 & 0xff) == 57);
	yes("physical", (r[0] & 0xff) >= 32 && (r[0] & 0xff) <= 52);
	T("SDM 2A CPUID: leaf 1 EBX[31:24] is the initial APIC id", "cpuid-apic-id");
	cpuid(1, 0, r);
	eq("id", r[1] >> 24, apic_r(0x20) >> 24);
	T("SDM 2A CPUID: leaf 1 OSXSAVE follows CR4.OSXSAVE", "cpuid-osxsave");
	eq("off", has(1, 0, ECX_, 27), 0);
	if (has(1, 0, ECX_, 26)) {
		wcr4(rcr4() | CR4_OSXSAVE);
		eq("on", has(1, 0, ECX_, 27), 1);
		wcr4(rcr4() & ~CR4_OSXSAVE);
	}
	T("SDM 2A CPUID: usable at ring 3", "cpuid-r3");
	eq("vec", run(R3_64, &cpuid_), DONE);
	T("SDM 2A CPUID: usable in compatibility mode, same answer", "cpuid-r3-32");
	cpuid(0, 0, r);
	eq("vec", run(R3_32, &cpuid32), DONE);
	eq("ebx", (u32)rec->rbx, r[1]);
	T("SDM 2A CPUID: clears the upper halves of RAX, RBX, RCX, RDX", "cpuid-upper");
	in.rax = 0xffffffff00000000;
	in.rbx = in.rdx = ~0ull;
	in.rcx = 0xffffffff00000000;
	run(R0_64, &cpuid_);
	eq("upper", (rec->rax | rec->rbx | rec->rcx | rec->rdx) >> 32, 0);
}

static void g_tsc(void)
{
	u64 a, b;

	T("SDM 3B 17.17: the counter never goes backwards", "tsc-monotonic");
	a = rdtsc();
	int back = 0;
	for (int i = 0; i < 1000; i++) {
		b = rdtsc();
		back += b < a;
		a = b;
	}
	eq("backwards", back, 0);
	T("SDM 2B RDTSC: clears the upper halves of RAX and RDX", "rdtsc-upper");
	in.rax = in.rdx = ~0ull;
	eq("vec", run(R3_64, &rdtsc_), DONE);
	eq("upper", (rec->rax | rec->rdx) >> 32, 0);
	T("SDM 3A 2.5 CR4.TSD: RDTSC at ring 3 is #GP(0)", "rdtsc-tsd-r3");
	wcr4(rcr4() | CR4_TSD);
	expect(R3_64, &rdtsc_, GP, 0, 0);
	T("SDM 3A 2.5 CR4.TSD: the same in compatibility mode", "rdtsc-tsd-r3-32");
	expect(R3_32, &rdtsc32, GP, 0, 0);
	T("SDM 3A 2.5 CR4.TSD: ring 0 may", "rdtsc-tsd-r0");
	eq("vec", run(R0_64, &rdtsc_), DONE);
	T("SDM 3A 2.5 CR4.TSD: RDTSCP at ring 3 is #GP(0)", "rdtscp-tsd-r3");
	if (has(0x80000001, 0, EDX_, 27))
		expect(R3_64, &rdtscp_, GP, 0, 0);
	else
		skip("CPUID has no RDTSCP");
	wcr4(rcr4() & ~CR4_TSD);
	T("SDM 2B RDTSCP: ECX is IA32_TSC_AUX", "rdtscp-aux");
	if (has(0x80000001, 0, EDX_, 27)) {
		wrmsr(0xc0000103, 0x12345678);
		in.rcx = ~0ull;
		eq("vec", run(R3_64, &rdtscp_), DONE);
		eq("rcx", rec->rcx, 0x12345678);
		wrmsr(0xc0000103, 0);
	} else {
		skip("CPUID has no RDTSCP");
	}
	T("SDM 3B 17.17.3: writing IA32_TIME_STAMP_COUNTER sets the counter", "tsc-write");
	wrmsr(0x10, 0x123456789abcd);
	a = rdtsc();
	yes("from-there", a >= 0x123456789abcd && a < 0x123456789abcd + (1ull << 36));
	T("SDM 3B 17.17.3: RDMSR of the counter agrees with RDTSC", "tsc-rdmsr");
	a = rdtsc();
	b = rdmsr(0x10);
	yes("not-before", b >= a && b - a < (1ull << 36));
	T("SDM 2B RDPMC: ring 3 with CR4.PCE=0 is #GP(0)", "rdpmc-r3");
	expect(R3_64, &rdpmc_, GP, 0, 0);
}

/* Optional instructions: #UD exactly when CPUID does not report them. */
CODE64(o_rdrand, ".byte 0x0f,0xc7,0xf0");
CODE64(o_rdseed, ".byte 0x0f,0xc7,0xf8");
CODE64(o_popcnt, "popcnt %eax,%eax");
CODE64(o_movbe, "movbe (%rsp),%eax");
CODE64(o_crc32, "crc32b %al,%eax");
CODE64(o_pshufb, "pshufb %xmm0,%xmm0");
CODE64(o_pabs, "pmulld %xmm0,%xmm0");
CODE64(o_sse3, "haddps %xmm0,%xmm0");
CODE64(o_aes, "aesenc %xmm0,%xmm0");
CODE64(o_pclmul, "pclmulqdq $0,%xmm0,%xmm0");
CODE64(o_adx, "adcx %rax,%rax");
CODE64(o_sha, "sha256msg1 %xmm0,%xmm0");
CODE64(o_cx16, "subq $16,%rsp\n andq $-16,%rsp\n 1: cmpxchg16b (%rsp)");
CODE64(o_rdtscp, "rdtscp");
CODE64(o_clflopt, "clflushopt (%rsp)");
CODE64(o_lahf, "lahf");
CODE64(o_invpcid, "invpcid (%rsp),%rcx");
CODE64(o_stac, "stac");
CODE64(o_clac, "clac");
CODE64(o_rdpid, ".byte 0xf3,0x0f,0xc7,0xf8");
CODE64(o_vmcall, "vmcall");
CODE64(o_vmxoff, "vmxoff");
CODE64(o_xgetbv, "xgetbv");
CODE64(o_xsave, "xsave (%rsp)");
CODE64(o_avx, "vaddps %xmm0,%xmm0,%xmm0");
CODE64(o_avx256, "vpaddd %ymm0,%ymm0,%ymm0");
CODE64(o_andn, "andn %eax,%eax,%eax");
CODE64(o_vzero, "vzeroupper");
CODE64(o_sse4a, ".byte 0x66,0x0f,0x79,0xc0");
CODE64(o_3dnow, ".byte 0x0f,0x0f,0xc0,0x9e");
CODE64(o_monitor, "monitor");
CODE64(o_mwait, "mwait");
CODE64(o_clflush, "clflush (%rsp)");
CODE64(o_fxsave, "subq $512,%rsp\n andq $-16,%rsp\n fxsave (%rsp)");
CODE64(o_mfence, "mfence");
CODE64(o_prefetchw, "prefetchw (%rsp)");

static void g_optional(void)
{
	/* vec_if: what happens in ring 0 when the feature is there */
	static const struct { const char *n; struct snip *s; u32 leaf, reg, bit; } t[] = {
		{ "rdrand", &o_rdrand, 1, ECX_, 30 }, { "rdseed", &o_rdseed, 7, EBX_, 18 },
		{ "popcnt", &o_popcnt, 1, ECX_, 23 }, { "movbe", &o_movbe, 1, ECX_, 22 },
		{ "crc32", &o_crc32, 1, ECX_, 20 }, { "ssse3", &o_pshufb, 1, ECX_, 9 },
		{ "sse4-1", &o_pabs, 1, ECX_, 19 }, { "sse3", &o_sse3, 1, ECX_, 0 },
		{ "aes", &o_aes, 1, ECX_, 25 }, { "pclmulqdq", &o_pclmul, 1, ECX_, 1 },
		{ "adx", &o_adx, 7, EBX_, 19 }, { "sha", &o_sha, 7, EBX_, 29 },
		{ "cmpxchg16b", &o_cx16, 1, ECX_, 13 }, { "rdtscp", &o_rdtscp, 0x80000001, EDX_, 27 },
		{ "clflushopt", &o_clflopt, 7, EBX_, 23 }, { "lahf-64", &o_lahf, 0x80000001, ECX_, 0 },
		{ "stac", &o_stac, 7, EBX_, 20 }, { "clac", &o_clac, 7, EBX_, 20 },
		{ "rdpid", &o_rdpid, 7, ECX_, 22 },
		{ "monitor", &o_monitor, 1, ECX_, 3 },
		{ "clflush", &o_clflush, 1, EDX_, 19 }, { "fxsave", &o_fxsave, 1, EDX_, 24 },
		{ "mfence", &o_mfence, 1, EDX_, 26 }, { "sse4a", &o_sse4a, 0x80000001, ECX_, 6 },
	};
	static const struct { const char *n; struct snip *s; } ud[] = {
		{ "avx", &o_avx }, { "avx2", &o_avx256 }, { "vzeroupper", &o_vzero },
		{ "xgetbv", &o_xgetbv }, { "xsave", &o_xsave },
	};
	static u8 line[64];

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		int there = has(t[i].leaf, 0, t[i].reg, t[i].bit);
		T("SDM 2: an instruction CPUID does not report is #UD, a reported one runs", "optional-%s", t[i].n);
		in.rax = (ulong)line;
		in.rsi = (ulong)line;
		run(R0_64, t[i].s);
		eq("vec", rec->vec, there ? DONE : UD);
	}
	for (u32 i = 0; i < sizeof ud / sizeof *ud; i++) {
		T("SDM 2A 2.4, 3A 2.6: #UD with CR4.OSXSAVE=0", "no-osxsave-%s", ud[i].n);
		in.rsp = (ulong)test_stack_top - 1024;
		eq("vec", run(R3_64, ud[i].s), UD);
	}
	T("SDM 2A ANDN: VEX on general registers needs BMI1, not OSXSAVE", "bmi1-andn");
	eq("vec", run(R3_64, &o_andn), has(7, 0, EBX_, 3) ? DONE : UD);
	T("SDM 2B MONITOR: #UD at ring 3", "monitor-r3");
	in.rax = (ulong)line;
	eq("vec", run(R3_64, &o_monitor), UD);
	T("SDM 2B MWAIT: #UD at ring 3", "mwait-r3");
	eq("vec", run(R3_64, &o_mwait), UD);
	T("SDM 3C VMXOFF: #UD outside VMX operation", "vmxoff");
	eq("vec", run(R0_64, &o_vmxoff), UD);
	T("SDM 3C VMCALL: #UD outside VMX operation", "vmcall");
	eq("vec", run(R0_64, &o_vmcall), UD);
	T("SDM 2B STAC: #UD at ring 3", "stac-r3");
	eq("vec", run(R3_64, &o_stac), UD);
	T("SDM 2B RDRAND: CF=1 delivers a value", "rdrand-cf");
	if (has(1, 0, ECX_, 30)) {
		run(R3_64, &o_rdrand);
		eq("cf", rec->rflags & 1, 1);
	} else {
		skip("CPUID has no RDRAND");
	}
}

void kmain(void)
{
	u32 r[4];

	cpuid(0, 0, r);
	amd = r[1] == 0x68747541;
	wrmsr(0x1b, rdmsr(0x1b) | 0x800);
	group("RDMSR and WRMSR", g_access);
	group("segment bases", g_bases);
	group("CPUID", g_cpuid);
	group("time-stamp counter", g_tsc);
	group("optional instructions", g_optional);
}
