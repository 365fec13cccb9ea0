/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control transfers that change privilege or code size: SYSCALL, SYSENTER,
 * IRET, far JMP/CALL/RET and call gates, in long mode.
 */
#include "bare.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FMASK 0xc0000084
#define SYSENTER_CS 0x174
#define SYSENTER_ESP 0x175
#define SYSENTER_EIP 0x176

static int amd;

CODE64(sysc, "nop\n syscall\n 1: nop");
CODE64(sysc_ud, "nop\n 1: syscall");
CODE32(sysc32, "nop\n 1: syscall");
CODE32(sysret32, "nop\n 1: sysretl");
CODE64(sysretq, "nop\n 1: sysretq");
CODE64(sysretl, "nop\n 1: sysretl");
CODE64(sysent, "nop\n 1: sysenter");
CODE32(sysent32, "nop\n 1: sysenter");
CODE64(sysexitq, "nop\n 1: sysexitq");
CODE64(sysexitl, "nop\n 1: sysexitl");
extern u8 umark[], umark32[];
/* Both are at an instruction that says DONE; umark32 also runs as 32-bit code. */
asm(".pushsection .snip,\"ax\"\n.balign 16\numark:\numark32: int $0xf0\n.popsection");

static void sce(int on)
{
	u64 e = rdmsr(MSR_EFER);
	wrmsr(MSR_EFER, on ? e | 1 : e & ~1ull);
}

static void g_syscall(void)
{
	T("SDM 2B SYSCALL: EFER.SCE=0 is #UD at ring 3", "syscall-sce0-r3");
	sce(0);
	expect(R3_64, &sysc_ud, UD, 0, 0);
	T("SDM 2B SYSCALL: EFER.SCE=0 is #UD at ring 0", "syscall-sce0-r0");
	expect(R0_64, &sysc_ud, UD, 0, 0);
	T("SDM 2B SYSRET: EFER.SCE=0 is #UD", "sysret-sce0");
	expect(R0_64, &sysretq, UD, 0, 0);
	sce(1);
	wrmsr(MSR_STAR, (u64)KCS << 32 | (u64)UCS32 << 48);
	wrmsr(MSR_LSTAR, (ulong)land);
	wrmsr(MSR_CSTAR, (ulong)land);
	wrmsr(MSR_FMASK, 0x47700);

	T("SDM 2B SYSCALL: arrives at LSTAR with CS and SS of STAR[47:32]", "syscall-cs-ss");
	run(R3_64, &sysc);
	eq("vec", rec->vec, LANDED);
	eq("rip", rec->rip, (ulong)land + 2);
	eq("cs", rec->cs, KCS);
	eq("ss", rec->ss, KDS);
	T("SDM 2B SYSCALL: RCX is the address of the next instruction", "syscall-rcx");
	run(R3_64, &sysc);
	eq("rcx", rec->rcx, (ulong)sysc.code + sysc.at);
	T("SDM 2B SYSCALL: RSP is not changed", "syscall-rsp");
	run(R3_64, &sysc);
	eq("rsp", rec->rsp, in.rsp);
	T("SDM 2B SYSCALL: R11 is RFLAGS", "syscall-r11");
	in.rflags = 2 | 0xcd5 | F_IF | IOPL(3) | 0x200000;
	run(R3_64, &sysc);
	eq("r11", rec->r11, in.rflags);
	T("SDM 2B SYSCALL: RFLAGS bits of FMASK are cleared, others kept", "syscall-fmask");
	in.rflags = 2 | 0xcd5 | F_IF | IOPL(3) | 0x200000;
	run(R3_64, &sysc);
	eq("rflags", rec->rflags, in.rflags & ~0x47700ull);
	T("SDM 2B SYSCALL: FMASK of 0 keeps every flag", "syscall-fmask-0");
	wrmsr(MSR_FMASK, 0);
	in.rflags = 2 | 0x8d5 | F_IF;
	run(R3_64, &sysc);
	eq("rflags", rec->rflags, in.rflags);
	wrmsr(MSR_FMASK, 0x47700);
	T("SDM 2B SYSCALL: works from ring 0 too", "syscall-r0");
	run(R0_64, &sysc);
	eq("vec", rec->vec, LANDED);
	eq("cs", rec->cs, KCS);
	T("SDM 2B SYSCALL: SS descriptor is not read (STAR may name any slot)", "syscall-fixed-ss");
	wrmsr(MSR_STAR, (u64)0xf0 << 32 | (u64)UCS32 << 48);
	gdt[0xf0 >> 3] = gdt[1];
	gdt[0xf8 >> 3] = 0;
	run(R3_64, &sysc);
	eq("cs", rec->cs, 0xf0);
	eq("ss", rec->ss, 0xf8);
	wrmsr(MSR_STAR, (u64)KCS << 32 | (u64)UCS32 << 48);
	T("SDM 2B SYSCALL: the RPL of STAR[47:32] is forced to 0", "syscall-star-rpl");
	wrmsr(MSR_STAR, (u64)(KCS | 3) << 32 | (u64)UCS32 << 48);
	run(R3_64, &sysc);
	eq("cs", rec->cs, KCS);
	wrmsr(MSR_STAR, (u64)KCS << 32 | (u64)UCS32 << 48);
	T("SDM 2B SYSCALL: #UD from compatibility mode (AMD: arrives at CSTAR)", "syscall-compat");
	run(R3_32, &sysc32);
	eq("vec", rec->vec, amd ? LANDED : UD);

	T("SDM 2B SYSRET: to 64-bit ring 3 at RCX with STAR[63:48]+16, +8, RPL 3", "sysret-64");
	in.rcx = (ulong)umark;
	run(R0_64, &sysretq);
	eq("vec", rec->vec, DONE);
	eq("rip", rec->rip, (ulong)umark + 2);
	eq("cs", rec->cs, UCS64);
	eq("ss", rec->ss, UDS);
	eq("rsp", rec->rsp, in.rsp);
	T("SDM 2B SYSRET: without REX.W to 32-bit ring 3 with STAR[63:48]", "sysret-32");
	in.rcx = (ulong)umark | 0x500000000;
	run(R0_64, &sysretl);
	eq("vec", rec->vec, DONE);
	eq("rip", rec->rip, (ulong)umark + 2);
	eq("cs", rec->cs, UCS32);
	eq("ss", rec->ss, UDS);
	T("SDM 2B SYSRET: the RPL of STAR[63:48] is forced to 3", "sysret-star-rpl");
	wrmsr(MSR_STAR, (u64)KCS << 32 | (u64)(UCS32 & ~3) << 48);
	in.rcx = (ulong)umark;
	run(R0_64, &sysretq);
	eq("cs", rec->cs, UCS64);
	eq("ss", rec->ss, UDS);
	wrmsr(MSR_STAR, (u64)KCS << 32 | (u64)UCS32 << 48);
	T("SDM 2B SYSRET: RFLAGS = (R11 & 0x3C7FD7) | 2", "sysret-r11");
	extern struct snip sysretf;
	in.rcx = (ulong)umark;
	in.rax = 0xffffffffffd8feff & ~0x44300ull;
	run(R0_64, &sysretf);
	eq("rflags", rec->rflags & ~F_RF, (in.rax & 0x3c7fd7) | 2);
	T("SDM 2B SYSRET: #GP(0) at ring 3", "sysret-r3");
	expect(R3_64, &sysretq, GP, 0, 0);
	T("SDM 2B SYSRET: #UD in compatibility mode (AMD: goes to ring 3)", "sysret-compat");
	in.rcx = (ulong)umark;
	eq("vec", run(R0_32, &sysret32), amd ? DONE : UD);
	T("SDM 2B SYSRET: non-canonical RCX is #GP(0) at ring 0 (AMD: #GP at the target, ring 3)", "sysret-noncanonical");
	in.rcx = 0x800000000000;
	run(R0_64, &sysretq);
	eq("vec", rec->vec, GP);
	eq("err", rec->err, 0);
	eq("cs", rec->cs, amd ? UCS64 : KCS);
	eq("rip", rec->rip, amd ? 0x800000000000 : (ulong)sysretq.code + sysretq.at);
}
CODE64(sysretf, "movq %rax,%r11\n 1: sysretq");

static void g_sysenter(void)
{
	T("SDM 2B SYSENTER: IA32_SYSENTER_CS of 0 is #GP(0)", "sysenter-cs0");
	if (amd) {
		skip("this vendor has no SYSENTER in long mode");
		return;
	}
	wrmsr(SYSENTER_CS, 0);
	expect(R3_64, &sysent, GP, 0, 0);
	T("SDM 2B SYSEXIT: IA32_SYSENTER_CS of 0 is #GP(0)", "sysexit-cs0");
	expect(R0_64, &sysexitq, GP, 0, 0);
	wrmsr(SYSENTER_CS, KCS);
	wrmsr(SYSENTER_ESP, (ulong)ist_stack_top[4]);
	wrmsr(SYSENTER_EIP, (ulong)land);
	T("SDM 2B SYSENTER: from 64-bit ring 3 to the MSRs' CS, SS, RSP, RIP", "sysenter-64");
	run(R3_64, &sysent);
	eq("vec", rec->vec, LANDED);
	eq("rip", rec->rip, (ulong)land + 2);
	eq("cs", rec->cs, KCS);
	eq("ss", rec->ss, KDS);
	eq("rsp", rec->rsp, (ulong)ist_stack_top[4]);
	T("SDM 2B SYSENTER: from compatibility-mode ring 3 too", "sysenter-32");
	run(R3_32, &sysent32);
	eq("vec", rec->vec, LANDED);
	eq("cs", rec->cs, KCS);
	eq("rsp", rec->rsp, (ulong)ist_stack_top[4]);
	T("SDM 2B SYSENTER: clears IF, keeps other flags", "sysenter-if");
	in.rflags = 2 | F_IF | 0x8d5 | IOPL(3);
	run(R3_64, &sysent);
	eq("rflags", rec->rflags, in.rflags & ~(u64)F_IF);
	T("SDM 2B SYSENTER: from ring 0 stays in ring 0", "sysenter-r0");
	run(R0_64, &sysent);
	eq("vec", rec->vec, LANDED);
	T("SDM 2B SYSEXIT: with REX.W to 64-bit ring 3: CS+32, SS+40, RIP=RDX, RSP=RCX", "sysexit-64");
	in.rdx = (ulong)umark;
	in.rcx = (ulong)test_stack_top - 1024;
	run(R0_64, &sysexitq);
	eq("vec", rec->vec, DONE);
	eq("rip", rec->rip, (ulong)umark + 2);
	eq("rsp", rec->rsp, in.rcx);
	eq("cs", rec->cs, (KCS + 32) | 3);
	eq("ss", rec->ss, (KCS + 40) | 3);
	T("SDM 2B SYSEXIT: without REX.W to compatibility mode: CS+16, SS+24, 32-bit RIP and RSP", "sysexit-32");
	in.rdx = (ulong)umark | 0x100000000;
	in.rcx = ((ulong)test_stack_top - 1024) | 0x700000000;
	run(R0_64, &sysexitl);
	eq("vec", rec->vec, DONE);
	eq("rip", rec->rip, (ulong)umark + 2);
	eq("rsp", rec->rsp, (u32)in.rcx);
	eq("cs", rec->cs, (KCS + 16) | 3);
	eq("ss", rec->ss, (KCS + 24) | 3);
	T("SDM 2B SYSEXIT: #GP(0) at ring 3", "sysexit-r3");
	expect(R3_64, &sysexitq, GP, 0, 0);
	T("SDM 2B SYSEXIT: non-canonical RDX with REX.W is #GP(0)", "sysexit-noncanonical-rip");
	in.rdx = 0x800000000000;
	in.rcx = (ulong)test_stack_top - 1024;
	expect(R0_64, &sysexitq, GP, 0, 0);
	T("SDM 2B SYSEXIT: non-canonical RCX with REX.W is #GP(0)", "sysexit-noncanonical-rsp");
	in.rdx = (ulong)umark;
	in.rcx = 0x800000000000;
	expect(R0_64, &sysexitq, GP, 0, 0);
}

/* rax=SS rcx=RSP rdx=RFLAGS rbx=CS rsi=RIP */
CODE64(iret, "pushq %rax\n pushq %rcx\n pushq %rdx\n pushq %rbx\n pushq %rsi\n 1: iretq");
CODE64(iretd, "subq $20,%rsp\n movl %eax,16(%rsp)\n movl %ecx,12(%rsp)\n movl %edx,8(%rsp)\n movl %ebx,4(%rsp)\n movl %esi,(%rsp)\n 1: iretl");
CODE64(iretnt, "pushq %rax\n pushq %rcx\n pushq %rdx\n pushq %rbx\n pushq %rsi\n pushfq\n orl $0x4000,(%rsp)\n popfq\n 1: iretq");
CODE64(iretnt32, "nop");
CODE64(iretsp, "movq %rdi,%rsp\n 1: iretq");
CODE64(ds_after, "movl %ds,%eax\n movl %es,%ebx\n movl %fs,%ecx\n movl %gs,%edx");

static void iret_case(enum mode m, const char *name, const char *ref, u64 cs, u64 ss, u64 rip, u32 vec, u32 err)
{
	T(ref, "iret-%s-r%d", name, RING(m));
	in.rax = ss;
	in.rcx = (ulong)test_stack_top - 1024;
	in.rdx = 2;
	in.rbx = cs;
	in.rsi = rip;
	in.rsp = (ulong)test_stack_top - 256;
	run(m, &iret);
	eq("vec", rec->vec, vec);
	if (vec == DONE) {
		eq("cs", rec->cs, cs & 0xffff);
		eq("ss", rec->ss, ss & 0xffff);
		eq("rsp", rec->rsp, in.rcx);
	} else {
		eq("err", rec->err, err);
		eq("rip", rec->rip, (ulong)iret.code + iret.at);
		eq("cs", rec->cs, last_cs);
		eq("rsp", rec->rsp, in.rsp - 40);
	}
}

/* What lies behind a 16-byte code segment, should a subject run into it. */
static u8 behind[64] = { [0 ... 63] = 0x90 };

static void short_code(u8 access)
{
	for (int i = 0; i < 64; i += 2) {
		behind[i] = 0xcd;
		behind[i + 1] = 0xf0;
	}
	gdt_set(0xd0, (ulong)behind, 0xf, access, 4);
}

static void g_iret(void)
{
	u64 u = (ulong)umark;

	gdt_set(0xc0, 0, 0xfffff, 0x9f, 0xa);		/* conforming, DPL 0 */
	gdt_set(0xc8, 0, 0xfffff, 0xfb, 0xe);		/* L and D both */
	short_code(0xfb);
	gdt_set(0xd8, 0, 0xfffff, 0x73, 0xc);		/* not-present data, DPL 3 */
	gdt_set(0xe0, 0, 0xfffff, 0x7b, 0xa);		/* not-present code, DPL 3 */
	gdt_set(0xe8, 0, 0xfffff, 0xf1, 0xc);		/* read-only data, DPL 3 */
	gdt_set(0xf0, 0, 0xfffff, 0xff, 0xa);		/* conforming, DPL 3 */
	iret_case(R0_64, "same", "SDM 2A IRET: same ring, SS:RSP popped too", KCS, KDS, u, DONE, 0);
	iret_case(R0_64, "null-ss", "SDM 2A IRET: null SS allowed to 64-bit ring 0", KCS, 0, u, DONE, 0);
	iret_case(R0_64, "to-64", "SDM 2A IRET: to ring 3 64-bit", UCS64, UDS, u, DONE, 0);
	iret_case(R0_64, "to-32", "SDM 2A IRET: to ring 3 compatibility mode", UCS32, UDS, u, DONE, 0);
	iret_case(R0_64, "to-compat", "SDM 2A IRET: to ring 0 compatibility mode", KCS32, KDS, u, DONE, 0);
	iret_case(R3_64, "same", "SDM 2A IRET: ring 3 to itself", UCS64, UDS, u, DONE, 0);
	iret_case(R3_64, "to-32", "SDM 2A IRET: ring 3 64-bit to compatibility mode", UCS32, UDS, u, DONE, 0);
	iret_case(R0_64, "conforming", "SDM 2A IRET: to a conforming segment with DPL < RPL", 0xc3, UDS, u, DONE, 0);
	iret_case(R0_64, "cs-null", "SDM 2A IRET: null CS is #GP(0)", 0, KDS, u, GP, 0);
	iret_case(R0_64, "cs-null-rpl3", "SDM 2A IRET: null CS with RPL 3 is #GP(0)", 3, UDS, u, GP, 0);
	iret_case(R0_64, "cs-limit", "SDM 2A IRET: CS beyond the GDT is #GP(selector)", 0x1003, UDS, u, GP, 0x1000);
	iret_case(R0_64, "cs-ldt", "SDM 2A IRET: CS in a null LDT is #GP(selector)", 0x0f, UDS, u, GP, 0x0c);
	iret_case(R0_64, "cs-data", "SDM 2A IRET: CS a data segment is #GP(selector)", UDS, UDS, u, GP, UDS & ~3);
	iret_case(R0_64, "cs-np", "SDM 2A IRET: CS not present is #NP(selector)", 0xe3, UDS, u, NP, 0xe0);
	iret_case(R0_64, "cs-dpl", "SDM 2A IRET: non-conforming CS with DPL != RPL is #GP(selector)", KCS | 3, UDS, u, GP, KCS);
	iret_case(R0_64, "cs-conforming-dpl", "SDM 2A IRET: conforming CS with DPL > RPL is #GP(selector)", 0xf0, KDS, u, GP, 0xf0);
	iret_case(R0_64, "cs-l-and-d", "SDM 2A IRET: CS with L=1 and D=1 is #GP(selector)", 0xcb, UDS, u, GP, 0xc8);
	iret_case(R0_64, "cs-tss", "SDM 2A IRET: CS a TSS is #GP(selector)", SEL_TSS, KDS, u, GP, SEL_TSS);
	iret_case(R3_64, "cs-rpl", "SDM 2A IRET: CS RPL < CPL is #GP(selector)", KCS, UDS, u, GP, KCS);
	iret_case(R0_64, "ss-null-outer", "SDM 2A IRET: null SS to ring 3 is #GP(0)", UCS64, 0, u, GP, 0);
	iret_case(R0_64, "ss-null3-outer", "SDM 2A IRET: null SS with RPL 3 to ring 3 is #GP(0)", UCS64, 3, u, GP, 0);
	iret_case(R0_64, "ss-null-compat", "SDM 2A IRET: null SS to ring 0 compatibility mode is #GP(0)", KCS32, 0, u, GP, 0);
	iret_case(R0_64, "ss-limit", "SDM 2A IRET: SS beyond the GDT is #GP(selector)", UCS64, 0x1003, u, GP, 0x1000);
	iret_case(R0_64, "ss-rpl", "SDM 2A IRET: SS RPL != CS RPL is #GP(selector)", UCS64, KDS, u, GP, KDS);
	iret_case(R0_64, "ss-dpl", "SDM 2A IRET: SS DPL != CS RPL is #GP(selector)", UCS64, KDS | 3, u, GP, KDS);
	iret_case(R0_64, "ss-code", "SDM 2A IRET: SS a code segment is #GP(selector)", UCS64, UCS64, u, GP, UCS64 & ~3);
	iret_case(R0_64, "ss-readonly", "SDM 2A IRET: SS read-only is #GP(selector)", UCS64, 0xeb, u, GP, 0xe8);
	iret_case(R0_64, "ss-np", "SDM 2A IRET: SS not present is #SS(selector)", UCS64, 0xdb, u, SS, 0xd8);
	iret_case(R0_64, "rip-noncanonical", "SDM 2A IRET: non-canonical RIP to ring 3 is #GP(0) at the IRET", UCS64, UDS, 0x800000000000, GP, 0);
	iret_case(R0_64, "rip-noncanonical-same", "SDM 2A IRET: non-canonical RIP to ring 0 is #GP(0) at the IRET", KCS, KDS, 0x800000000000, GP, 0);
	iret_case(R0_64, "rip-limit", "SDM 2A IRET: RIP beyond the 32-bit CS limit is #GP(0)", 0xd3, UDS, 0x10, GP, 0);

	for (enum mode m = R0_64; m <= R3_64; m++) {
		T("SDM 2A IRET: NT=1 in long mode is #GP(0)", "iret-nt-r%d", RING(m));
		in.rax = UDS;
		in.rbx = UCS64;
		in.rdx = 2;
		in.rsi = u;
		expect(m, &iretnt, GP, 0, FLEX_SP);
	}
	T("SDM 2A IRET: NT in the popped image is loaded", "iret-loads-nt");
	in.rflags = 2 | F_NT;
	run(R3_64, &iretnt32);
	eq("nt", rec->rflags & F_NT, F_NT);
	T("SDM 2A IRET: non-canonical RSP is #SS(0)", "iret-stack-noncanonical");
	in.rdi = 0x7ffffffffff0;
	idt_gate(SS, STUB(SS), KCS, 0x8e, 1);
	idt_gate(PF, STUB(PF), KCS, 0x8e, 1);
	in.rdi = 0x800000000000;
	expect(R0_64, &iretsp, SS, 0, FLEX_SP);
	T("SDM 2A IRET: frame in a not-present page is #PF at the IRET", "iret-stack-np");
	in.rdi = 0x7000000800;
	run(R0_64, &iretsp);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0);
	eq("rip", rec->rip, (ulong)iretsp.code + iretsp.at);
	idt_default(SS);
	idt_default(PF);
	T("SDM 2A IRET: 32-bit operand size pops 4-byte items, SS:ESP too in 64-bit mode", "iretd");
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2; in.rbx = UCS32; in.rsi = u;
	run(R0_64, &iretd);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, UCS32);
	eq("rsp", rec->rsp, in.rcx);
	T("SDM 2A IRET: at ring 3 IOPL and IF are not loaded (IOPL < CPL)", "iret-r3-keeps-iopl-if");
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2 | IOPL(3) | F_IF; in.rbx = UCS64; in.rsi = u;
	run(R3_64, &iret);
	eq("rflags", rec->rflags & (IOPL(3) | F_IF), 0);
	T("SDM 2A IRET: at ring 3 with IOPL 3 IF is loaded", "iret-r3-iopl3-loads-if");
	in.rflags = 2 | IOPL(3);
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2 | F_IF; in.rbx = UCS64; in.rsi = u;
	run(R3_64, &iret);
	eq("rflags", rec->rflags & (IOPL(3) | F_IF), IOPL(3) | F_IF);
	T("SDM 2A IRET: to an outer ring nulls data segments with DPL < CPL", "iret-outer-nulls-segments");
	extern struct snip iretseg;
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2; in.rbx = UCS64; in.rsi = (ulong)ds_after.code;
	run(R0_64, &iretseg);
	eq("ds", rec->rax, 0);
	eq("es", rec->rbx, UDS);
	eq("fs", rec->rcx, 0);
	eq("gs", rec->rdx, UDS);
	T("SDM 2A IRET: the same ring keeps data segments", "iret-same-keeps-segments");
	in.rax = KDS; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2; in.rbx = KCS; in.rsi = (ulong)ds_after.code;
	run(R0_64, &iretseg);
	eq("ds", rec->rax, KDS);
	eq("es", rec->rbx, UDS);
	asm volatile("movl %0,%%fs\n movl %0,%%gs" :: "r"(0));
}
CODE64(iretseg, "movl $0x10,%edi\n movl %edi,%ds\n movl %edi,%fs\n movl $0x2b,%edi\n movl %edi,%es\n movl %edi,%gs\n"
       " pushq %rax\n pushq %rcx\n pushq %rdx\n pushq %rbx\n pushq %rsi\n 1: iretq");

/* rbx=CS rsi=RIP through memory at the stack */
CODE64(ljmp, "pushq %rbx\n pushq %rsi\n movl %ebx,4(%rsp)\n 1: ljmpl *(%rsp)");
CODE64(ljmpq, "subq $16,%rsp\n movq %rsi,(%rsp)\n movq %rbx,8(%rsp)\n 1: .byte 0x48\n ljmpl *(%rsp)");
CODE64(lcall, "pushq %rbx\n pushq %rsi\n movl %ebx,4(%rsp)\n 1: lcalll *(%rsp)\n2: nop");
CODE64(lcallq, "subq $16,%rsp\n movq %rsi,(%rsp)\n movq %rbx,8(%rsp)\n 1: .byte 0x48\n lcalll *(%rsp)");
CODE64(lret, "pushq %rax\n pushq %rcx\n pushq %rbx\n pushq %rsi\n 1: lretq");
CODE64(lretn, "pushq %rax\n pushq %rcx\n pushq $7\n pushq $8\n pushq %rbx\n pushq %rsi\n 1: lretq $16");
CODE64(lret_gate, "nop");
/* Pops what a far call or gate left: rip, cs (rsp, ss) into registers. */
CODE64(peek, "popq %rax\n popq %rbx\n popq %rcx\n popq %rdx");
CODE64(peek32, "movl (%rsp),%eax\n movl 4(%rsp),%ebx");

static void far_case(struct snip *s, enum mode m, const char *name, const char *ref, u64 cs, u64 rip, u32 vec, u32 err, u64 want_cs)
{
	T(ref, "%s-r%d", name, RING(m));
	in.rbx = cs;
	in.rsi = rip;
	run(m, s);
	eq("vec", rec->vec, vec);
	if (vec == DONE) {
		eq("cs", rec->cs, want_cs);
	} else {
		eq("err", rec->err, err);
		eq("rip", rec->rip, (ulong)s->code + s->at);
		eq("cs", rec->cs, last_cs);
	}
}

static void call_gate(u64 off, u16 sel, u8 type, u32 high)
{
	gdt[SEL_GATE >> 3] = (off & 0xffff) | (u64)sel << 16 | (u64)type << 40 | (off >> 16 & 0xffff) << 48;
	gdt[(SEL_GATE >> 3) + 1] = off >> 32 | (u64)high << 32;
}

static void g_far(void)
{
	u64 u = (ulong)umark;

	gdt_set(0xc0, 0, 0xfffff, 0x9f, 0xa);
	gdt_set(0xe0, 0, 0xfffff, 0x7b, 0xa);
	short_code(0x9b);
	far_case(&ljmp, R0_64, "ljmp-same", "SDM 2A JMP: far, same segment", KCS, u, DONE, 0, KCS);
	far_case(&ljmp, R0_64, "ljmp-compat", "SDM 2A JMP: far to 32-bit code enters compatibility mode", KCS32, u, DONE, 0, KCS32);
	far_case(&ljmp, R3_64, "ljmp-compat", "SDM 2A JMP: ring 3 to 32-bit code", UCS32, u, DONE, 0, UCS32);
	far_case(&ljmp, R3_64, "ljmp-conforming", "SDM 2A JMP: conforming DPL 0 segment from ring 3 keeps CPL", 0xc0, u, DONE, 0, 0xc3);
	far_case(&ljmp, R0_64, "ljmp-null", "SDM 2A JMP: null selector is #GP(0)", 0, u, GP, 0, 0);
	far_case(&ljmp, R0_64, "ljmp-limit", "SDM 2A JMP: selector beyond the GDT is #GP(selector)", 0x1000, u, GP, 0x1000, 0);
	far_case(&ljmp, R0_64, "ljmp-data", "SDM 2A JMP: data segment is #GP(selector)", KDS, u, GP, KDS, 0);
	far_case(&ljmp, R0_64, "ljmp-np", "SDM 2A JMP: not-present code is #NP(selector)", SEL_NP_CODE, u, NP, SEL_NP_CODE, 0);
	far_case(&ljmp, R0_64, "ljmp-dpl", "SDM 2A JMP: non-conforming DPL 3 from ring 0 is #GP(selector)", UCS64, u, GP, UCS64 & ~3, 0);
	far_case(&ljmp, R3_64, "ljmp-dpl", "SDM 2A JMP: non-conforming DPL 0 from ring 3 is #GP(selector)", KCS, u, GP, KCS, 0);
	far_case(&ljmp, R0_64, "ljmp-tss", "SDM 2A JMP: a TSS is #GP(selector) in long mode", SEL_TSS, u, GP, SEL_TSS, 0);
	far_case(&ljmp, R0_64, "ljmp-eip-limit", "SDM 2A JMP: offset beyond the new limit is #GP(0)", 0xd0, 0x10, GP, 0, 0);
	if (!amd) {
		far_case(&ljmpq, R0_64, "ljmpq-same", "SDM 2A JMP: m16:64 form", KCS, u, DONE, 0, KCS);
		far_case(&ljmpq, R0_64, "ljmpq-noncanonical", "SDM 2A JMP: m16:64 with non-canonical offset is #GP(0)", KCS, 0x800000000000, GP, 0, 0);
	}

	T("SDM 2A CALL: far call pushes CS and 32-bit RIP with 32-bit operand size", "lcall-frame-32");
	in.rbx = KCS;
	in.rsi = (ulong)peek32.code;
	run(R0_64, &lcall);
	eq("rip", rec->rax, (ulong)lcall.code + lcall.len - 3);
	eq("cs", rec->rbx & 0xffff, KCS);
	eq("rsp", rec->rsp, in.rsp - 24);
	far_case(&lcall, R0_64, "lcall-null", "SDM 2A CALL: null selector is #GP(0)", 0, u, GP, 0, 0);
	far_case(&lcall, R3_64, "lcall-dpl", "SDM 2A CALL: DPL 0 code from ring 3 is #GP(selector)", KCS, u, GP, KCS, 0);
	far_case(&lcall, R0_64, "lcall-np", "SDM 2A CALL: not-present code is #NP(selector)", SEL_NP_CODE, u, NP, SEL_NP_CODE, 0);

	far_case(&lret, R0_64, "lret-same", "SDM 2B RET: far, same ring", KCS, u, DONE, 0, KCS);
	far_case(&lret, R0_64, "lret-null", "SDM 2B RET: null CS is #GP(0)", 0, u, GP, 0, 0);
	far_case(&lret, R3_64, "lret-rpl", "SDM 2B RET: RPL < CPL is #GP(selector)", KCS, u, GP, KCS, 0);
	far_case(&lret, R0_64, "lret-np", "SDM 2B RET: CS not present is #NP(selector)", SEL_NP_CODE, u, NP, SEL_NP_CODE, 0);
	far_case(&lret, R0_64, "lret-data", "SDM 2B RET: CS a data segment is #GP(selector)", KDS, u, GP, KDS, 0);
	far_case(&lret, R0_64, "lret-noncanonical", "SDM 2B RET: non-canonical RIP is #GP(0)", KCS, 0x800000000000, GP, 0, 0);
	T("SDM 2B RET: far return to ring 3 pops RSP and SS", "lret-outer");
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rbx = UCS64; in.rsi = u;
	run(R0_64, &lret);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, UCS64);
	eq("ss", rec->ss, UDS);
	eq("rsp", rec->rsp, in.rcx);
	T("SDM 2B RET: imm16 releases parameters on both stacks", "lret-outer-imm");
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rbx = UCS64; in.rsi = u;
	run(R0_64, &lretn);
	eq("vec", rec->vec, DONE);
	eq("rsp", rec->rsp, in.rcx + 16);
	T("SDM 2B RET: null SS on the way to ring 3 is #GP(0)", "lret-outer-ss-null");
	in.rax = 0; in.rcx = (ulong)test_stack_top - 1024; in.rbx = UCS64; in.rsi = u;
	run(R0_64, &lret);
	eq("vec", rec->vec, GP);
	eq("err", rec->err, 0);
}

static void g_gate(void)
{
	u64 u = (ulong)umark;

	call_gate((ulong)peek.code, KCS, 0xec, 0);
	T("SDM 3A 5.8.3.1: 64-bit call gate from ring 3 goes to ring 0 on RSP0 with 8-byte CS:RIP, SS:RSP", "gate-call-r3");
	in.rbx = SEL_GATE | 3;
	run(R3_64, &lcall);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, KCS);
	eq("pushed-rip", rec->rax, (ulong)lcall.code + lcall.len - 3);
	eq("pushed-cs", rec->rbx, UCS64);
	eq("pushed-rsp", rec->rcx, in.rsp - 16);
	eq("pushed-ss", rec->rdx, UDS);
	eq("ss", rec->ss, 0);
	eq("rsp", rec->rsp, (ulong)rsp0_stack_top);
	T("SDM 3A 5.8.3.1: call gate from ring 0 keeps the stack, pushes 8-byte CS:RIP", "gate-call-r0");
	in.rbx = SEL_GATE;
	run(R0_64, &lcall);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, KCS);
	eq("pushed-cs", rec->rbx, KCS);
	eq("rsp", rec->rsp, in.rsp);
	T("SDM 3A 5.8.3.1: the gate serves compatibility-mode callers", "gate-call-r3-32");
	extern struct snip lcall32;
	in.rbx = SEL_GATE | 3;
	run(R3_32, &lcall32);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, KCS);
	eq("pushed-cs", rec->rbx, UCS32);
	call_gate(u, KCS, 0xec, 0);
	far_case(&ljmp, R0_64, "gate-ljmp", "SDM 3A 5.8.3.1: JMP through a gate at the same ring", SEL_GATE, 0, DONE, 0, KCS);
	far_case(&ljmp, R3_64, "gate-ljmp-inner", "SDM 2A JMP: a gate to an inner non-conforming segment is #GP(code selector)", SEL_GATE | 3, 0, GP, KCS, 0);
	call_gate(u, KCS, 0x8c, 0);
	far_case(&lcall, R3_64, "gate-dpl", "SDM 2A CALL: gate DPL < CPL is #GP(gate selector)", SEL_GATE | 3, 0, GP, SEL_GATE, 0);
	far_case(&lcall, R0_64, "gate-rpl", "SDM 2A CALL: gate DPL < RPL is #GP(gate selector)", SEL_GATE | 3, 0, GP, SEL_GATE, 0);
	call_gate(u, KCS, 0x6c, 0);
	far_case(&lcall, R3_64, "gate-np", "SDM 2A CALL: not-present gate is #NP(gate selector)", SEL_GATE | 3, 0, NP, SEL_GATE, 0);
	call_gate(u, KCS32, 0xec, 0);
	far_case(&lcall, R3_64, "gate-cs32", "SDM 2A CALL: gate to a segment with L=0 is #GP(code selector)", SEL_GATE | 3, 0, GP, KCS32, 0);
	call_gate(u, KDS, 0xec, 0);
	far_case(&lcall, R3_64, "gate-data", "SDM 2A CALL: gate to a data segment is #GP(code selector)", SEL_GATE | 3, 0, GP, KDS, 0);
	call_gate(u, SEL_NP_CODE, 0xec, 0);
	far_case(&lcall, R3_64, "gate-cs-np", "SDM 2A CALL: gate to not-present code is #NP(code selector)", SEL_GATE | 3, 0, NP, SEL_NP_CODE, 0);
	call_gate(u, 0, 0xec, 0);
	far_case(&lcall, R3_64, "gate-cs-null", "SDM 2A CALL: gate with null code selector is #GP(0)", SEL_GATE | 3, 0, GP, 0, 0);
	call_gate(0x800000000000, KCS, 0xec, 0);
	far_case(&lcall, R3_64, "gate-noncanonical", "SDM 2A CALL: gate with non-canonical offset is #GP(0)", SEL_GATE | 3, 0, GP, 0, 0);
	call_gate(u, KCS, 0xec, 0x100);
	far_case(&lcall, R3_64, "gate-upper-type", "SDM 3A 5.8.3.1: non-zero type in the upper half is #GP(gate selector)", SEL_GATE | 3, 0, GP, SEL_GATE, 0);
	call_gate(u, KCS, 0xe4, 0);
	far_case(&lcall, R3_64, "gate-16bit", "SDM 3A 5.8.3: a 16-bit call gate is #GP(gate selector) in long mode", SEL_GATE | 3, 0, GP, SEL_GATE, 0);
	call_gate(u, KCS, 0xe5, 0);
	far_case(&lcall, R3_64, "gate-task", "SDM 3A 7.7: a task gate is #GP(gate selector) in long mode", SEL_GATE | 3, 0, GP, SEL_GATE, 0);
	T("SDM 2B RET: back from the gate to ring 3", "gate-and-back");
	extern struct snip gate_lret, gate_back;
	call_gate((ulong)gate_lret.code, KCS, 0xec, 0);
	in.rbx = SEL_GATE | 3;
	run(R3_64, &gate_back);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, UCS64);
	eq("ss", rec->ss, UDS);
	eq("rsp", rec->rsp, in.rsp - 16);
	eq("rax", rec->rax, 0x77);
}
CODE32(lcall32, "lcall $0xb3,$0");
CODE64(gate_lret, "movl $0x77,%eax\n lretq");
CODE64(gate_back, "pushq %rbx\n pushq %rsi\n movl %ebx,4(%rsp)\n lcalll *(%rsp)\n nop");

void kmain(void)
{
	u32 r[4];

	cpuid(0, 0, r);
	amd = r[1] == 0x68747541;
	group("SYSCALL and SYSRET", g_syscall);
	group("SYSENTER and SYSEXIT", g_sysenter);
	group("IRET", g_iret);
	group("far transfers", g_far);
	group("call gates", g_gate);
}
