/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every exception with its error code and frame in long mode: rings 0 and 3,
 * from 64-bit code and from 32- and 16-bit compatibility-mode code.
 */
#include "bare.h"

#define EACH(m) for (enum mode m = R0_64; m <= R3_16; m++)

CODEALL(de_zero, "nop\n1: divb %cl");
CODEALL(de_over, "movw $0xffff,%ax\n movb $1,%cl\n 1: divb %cl");
CODEALL(de_idiv, "movl $0x80000000,%eax\n movl $-1,%edx\n movl $-1,%ecx\n 1: idivl %ecx");
CODEALL(ud2, "nop\n nop\n 1: ud2");
CODEALL(int3, "nop\n int3\n 1: nop");
CODEALL(cd03, "nop\n .byte 0xcd,3\n 1: nop");
CODEALL(icebp, ".byte 0xf1\n 1: nop");
CODE32(into32, "movb $0x7f,%al\n addb $1,%al\n into\n 1: nop");
CODE16(into16, "movb $0x7f,%al\n addb $1,%al\n into\n 1: nop");
static struct snip *const into[3] = { 0, &into32, &into16 };
CODE32(into_not32, "xorl %eax,%eax\n into\n 1:");
CODE64(into64, ".byte 0xce");
CODE32(bound32, "pushl $10\n pushl $1\n 1: boundl %eax,(%esp)");
CODE16(bound16, "pushl $0x000a0001\n xorw %ax,%ax\n 1: .byte 0x67,0x62,0x04,0x24");
static struct snip *const bound[3] = { 0, &bound32, &bound16 };
CODE32(bound_in32, "pushl $10\n pushl $1\n movl $10,%eax\n boundl %eax,(%esp)");
CODE64(bound64, ".byte 0x62,0x04,0x24,0x00,0x00,0x00");
CODEALL(fninit, "nop\n 1: fninit");
CODEALL(fwait_, "nop\n 1: fwait");
CODEALL(sse, "nop\n 1: xorps %xmm0,%xmm0");
CODEALL(mmx, "nop\n 1: emms");
CODEALL(gp_np, "nop\n 1: movl %ecx,%ds");
CODEALL(gp_lss, "nop\n 1: movl %ecx,%ss");
CODE64(mf64, "fninit\n pushq $0x340\n fldcw (%rsp)\n addq $8,%rsp\n fld1\n fldz\n fdivrp\n 1: fwait");
CODE32(mf32, "fninit\n pushl $0x340\n fldcw (%esp)\n addl $4,%esp\n fld1\n fldz\n fdivrp\n 1: fwait");
static struct snip *const mf[2] = { &mf64, &mf32 };
CODE64(xm64, "pushq $0x1d80\n ldmxcsr (%rsp)\n addq $8,%rsp\n movl $0x3f800000,%eax\n movd %eax,%xmm0\n xorps %xmm1,%xmm1\n 1: divss %xmm1,%xmm0");
CODE32(xm32, "pushl $0x1d80\n ldmxcsr (%esp)\n addl $4,%esp\n movl $0x3f800000,%eax\n movd %eax,%xmm0\n xorps %xmm1,%xmm1\n 1: divss %xmm1,%xmm0");
static struct snip *const xm[2] = { &xm64, &xm32 };
CODE64(xmi64, "pushq $0x1f80\n ldmxcsr (%rsp)\n addq $8,%rsp\n movaps 1(%rsp),%xmm0");
CODE64(ac64, "nop\n 1: movl 1(%rsp),%eax");
CODE32(ac32, "nop\n 1: movl 1(%esp),%eax");
CODE16(ac16, "nop\n 1: movl 1(%esp),%eax");
static struct snip *const ac[3] = { &ac64, &ac32, &ac16 };
CODE64(acb64, "movb 1(%rsp),%al\n movl 4(%rsp),%eax\n movw 2(%rsp),%ax\n");
CODE64(acw64, "1: movw 1(%rsp),%ax");
CODE64(acq64, "1: movq 4(%rsp),%rax");
CODE64(pf_r64, "nop\n 1: movb (%rdi),%al");
CODE32(pf_r32, "nop\n 1: movb (%edi),%al");
CODE16(pf_r16, "nop\n 1: movb (%edi),%al");
static struct snip *const pf_r[3] = { &pf_r64, &pf_r32, &pf_r16 };
CODE64(pf_w64, "nop\n 1: movb %al,(%rdi)");
CODE32(pf_w32, "nop\n 1: movb %al,(%edi)");
CODE16(pf_w16, "nop\n 1: movb %al,(%edi)");
static struct snip *const pf_w[3] = { &pf_w64, &pf_w32, &pf_w16 };
CODE64(pf_x64, "nop\n jmp *%rdi");
CODE64(gp_nc, "nop\n 1: movb (%rdi),%al");
CODE64(gp_ncw, "nop\n 1: movb %al,(%rdi)");
CODE64(ss_nc, "movq %rdi,%rsp\n 1: pushq %rax");
CODE64(ss_ncp, "movq %rdi,%rsp\n 1: popq %rax");
CODE64(ss_ncb, "movq %rdi,%rbp\n 1: movl 0(%rbp),%eax");
CODE64(ss_ncc, "movq %rdi,%rsp\n 1: call 2f\n2:");
CODE64(mis_sse, "1: movaps 1(%rsp),%xmm0");
CODE32(cs_wr32, "1: movb %al,%cs:(%edi)");
CODE32(null32, "movl %ecx,%ds\n 1: movb (%edi),%al");
CODE64(null64, "movl %ecx,%ds\n movb (%rdi),%al");
CODE32(limit32, "movl %ecx,%ds\n 1: movb (%edi),%al");
CODE32(limitss32, "movl %ecx,%ss\n 1: movl (%esp),%eax");
CODE32(limitok32, "movl %ecx,%ds\n movb (%edi),%al");
CODE32(rd_xo32, "movl %ecx,%ds\n 1: movb (%edi),%al");
CODE32(wr_ro32, "movl %ecx,%ds\n 1: movb %al,(%edi)");
CODE16(limitcs16, ".space 32, 0x90");
CODE64(lar_, "lar %ecx,%eax\n sete %dl");
CODEALL(lock_ud, "nop\n 1: .byte 0xf0,0x90");
CODEALL(ud1, "1: .byte 0x0f,0xb9,0xc0");
CODEALL(ud0, "1: .byte 0x0f,0xff,0xc0");
CODEALL(toolong, "1: .fill 15,1,0x66\n nop");
CODEALL(len15, ".fill 14,1,0x66\n nop");
CODE64(aad64, ".byte 0xd5,0x0a");
CODE64(push_es64, ".byte 0x06");
CODE64(daa64, ".byte 0x27");
CODE64(salc64, ".byte 0xd6");
CODE64(pusha64, ".byte 0x60");
CODE64(callf64, ".byte 0x9a,0,0,0,0,8,0");
CODE64(jmpf64, ".byte 0xea,0,0,0,0,8,0");
CODE64(ls64, ".byte 0xc5,0x04,0x24");

static void g_de(void)
{
	EACH(m) {
		T("SDM 3A 6.15 #DE: fault, no error code, RIP of the DIV", "de-zero-%s", mode_name(m));
		expect(m, de_zero[BITS(m)], DE, 0, 0);
	}
	EACH(m) {
		T("SDM 2A DIV: quotient too large is #DE", "de-overflow-%s", mode_name(m));
		expect(m, de_over[BITS(m)], DE, 0, 0);
	}
	for (enum mode m = R0_64; m <= R3_64; m++) {
		T("SDM 2A IDIV: most negative / -1 style overflow is #DE", "de-idiv-%s", mode_name(m));
		expect(m, de_idiv[0], DE, 0, 0);
	}
	T("SDM 3A 6.15 #DE: destination registers keep their values", "de-registers-kept");
	in.rax = 0x1234567812345678;
	in.rdx = 0x1111;
	run(R0_64, &de_zero64);
	eq("rax", rec->rax, 0x1234567812345678);
	eq("rdx", rec->rdx, 0x1111);
}

static void g_traps(void)
{
	EACH(m) {
		T("SDM 3A 6.15 #BP: trap, RIP after INT3", "bp-int3-%s", mode_name(m));
		expect(m, int3[BITS(m)], BP, 0, 0);
	}
	EACH(m) {
		T("SDM 2A INT n: CD 03 reaches vector 3, RIP after it", "bp-cd03-%s", mode_name(m));
		expect(m, cd03[BITS(m)], BP, 0, 0);
	}
	EACH(m) {
		T("SDM 2A INT1: opcode F1 is #DB as a trap whatever the gate's DPL", "db-int1-%s", mode_name(m));
		expect(m, icebp[BITS(m)], DB, 0, 0);
	}
	for (enum mode m = R0_32; m <= R3_16; m++) {
		T("SDM 3A 6.15 #OF: trap, RIP after INTO", "of-into-%s", mode_name(m));
		expect(m, into[BITS(m)], OF, 0, 0);
	}
	T("SDM 2A INTO: OF=0 does nothing", "of-into-clear-r3-32");
	eq("vec", run(R3_32, &into_not32), DONE);
	T("SDM 2A INTO: #UD in 64-bit mode", "of-into-r0-64");
	expect(R0_64, &into64, UD, 0, 0);
	for (enum mode m = R0_32; m <= R3_16; m++) {
		T("SDM 3A 6.15 #BR: fault, RIP of BOUND", "br-bound-%s", mode_name(m));
		expect(m, bound[BITS(m)], BR, 0, FLEX_SP);
	}
	T("SDM 2A BOUND: an index equal to the upper bound is inside", "br-bound-inside-r3-32");
	eq("vec", run(R3_32, &bound_in32), DONE);
	T("SDM 2A BOUND: opcode 62 is #UD in 64-bit mode (EVEX with reserved bits)", "br-bound-r0-64");
	expect(R0_64, &bound64, UD, 0, 0);
}

static void g_ud(void)
{
	static const struct { const char *name; struct snip *s; } gone[] = {
		{ "push-es", &push_es64 }, { "daa", &daa64 }, { "salc", &salc64 }, { "pusha", &pusha64 },
		{ "call-ptr", &callf64 }, { "jmp-ptr", &jmpf64 },
	};

	EACH(m) {
		T("SDM 3A 6.15 #UD: fault, RIP of UD2", "ud-ud2-%s", mode_name(m));
		expect(m, ud2[BITS(m)], UD, 0, 0);
	}
	T("SDM 2B UD1 raises #UD", "ud-ud1");
	expect(R3_64, ud1[0], UD, 0, 0);
	T("SDM 2B UD0 raises #UD", "ud-ud0");
	expect(R3_64, ud0[0], UD, 0, 0);
	EACH(m) {
		T("SDM 2A LOCK: a prefix on an instruction that cannot be locked is #UD", "ud-lock-nop-%s", mode_name(m));
		expect(m, lock_ud[BITS(m)], UD, 0, 0);
	}
	EACH(m) {
		T("SDM 2A 2.3.11: an instruction longer than 15 bytes is #GP(0)", "gp-16-bytes-%s", mode_name(m));
		expect(m, toolong[BITS(m)], GP, 0, 0);
	}
	T("SDM 2A 2.3.11: exactly 15 bytes are allowed", "len-15-bytes");
	eq("vec", run(R3_64, len15[0]), DONE);
	for (u32 i = 0; i < sizeof gone / sizeof *gone; i++) {
		T("SDM 2: instruction invalid in 64-bit mode is #UD", "ud-64-%s", gone[i].name);
		expect(R3_64, gone[i].s, UD, 0, 0);
	}
}

static void g_nm(void)
{
	EACH(m) {
		T("SDM 3A 6.15 #NM: x87 instruction with CR0.TS=1", "nm-x87-ts-%s", mode_name(m));
		wcr0(rcr0() | CR0_TS);
		expect(m, fninit[BITS(m)], NM, 0, 0);
		wcr0(rcr0() & ~CR0_TS);
	}
	for (enum mode m = R0_64; m <= R3_32; m++) {
		T("SDM 3A 6.15 #NM: SSE instruction with CR0.TS=1", "nm-sse-ts-%s", mode_name(m));
		wcr0(rcr0() | CR0_TS);
		expect(m, sse[BITS(m)], NM, 0, 0);
		wcr0(rcr0() & ~CR0_TS);
	}
	T("SDM 3A 2.5 CR0.EM: x87 instruction is #NM", "nm-x87-em");
	wcr0(rcr0() | CR0_EM);
	expect(R3_64, fninit[0], NM, 0, 0);
	wcr0(rcr0() & ~CR0_EM);
	T("SDM 3A 2.5 CR0.EM: SSE instruction is #UD", "ud-sse-em");
	wcr0(rcr0() | CR0_EM);
	expect(R3_64, sse[0], UD, 0, 0);
	wcr0(rcr0() & ~CR0_EM);
	T("SDM 3A 2.5 CR0.EM: MMX instruction is #UD", "ud-mmx-em");
	wcr0(rcr0() | CR0_EM);
	expect(R3_64, mmx[0], UD, 0, 0);
	wcr0(rcr0() & ~CR0_EM);
	T("SDM 3A 2.5 CR0.TS: MMX instruction is #NM", "nm-mmx-ts");
	wcr0(rcr0() | CR0_TS);
	expect(R3_64, mmx[0], NM, 0, 0);
	wcr0(rcr0() & ~CR0_TS);
	T("SDM 3A 2.5 CR0.MP: WAIT with MP=1 TS=1 is #NM", "nm-wait-mp-ts");
	wcr0(rcr0() | CR0_TS | CR0_MP);
	expect(R3_64, fwait_[0], NM, 0, 0);
	wcr0(rcr0() & ~CR0_TS);
	T("SDM 3A 2.5 CR0.MP: WAIT with MP=0 TS=1 runs", "wait-no-mp-ts");
	asm volatile("fninit");
	wcr0((rcr0() | CR0_TS) & ~CR0_MP);
	eq("vec", run(R3_64, fwait_[0]), DONE);
	wcr0((rcr0() & ~CR0_TS) | CR0_MP);
	T("SDM 3A 2.5 CR4.OSFXSR: SSE with OSFXSR=0 is #UD", "ud-sse-osfxsr");
	wcr4(rcr4() & ~CR4_OSFXSR);
	expect(R3_64, sse[0], UD, 0, 0);
	wcr4(rcr4() | CR4_OSFXSR);
}

static void g_fp(void)
{
	for (enum mode m = R0_64; m <= R3_32; m++) {
		T("SDM 3A 6.15 #MF: unmasked x87 fault is reported at the next waiting instruction", "mf-fwait-%s", mode_name(m));
		expect(m, mf[BITS(m)], MF, 0, 0);
		asm volatile("fninit");
	}
	for (enum mode m = R0_64; m <= R3_32; m++) {
		T("SDM 3A 6.15 #XM: unmasked SSE divide by zero", "xm-divss-%s", mode_name(m));
		expect(m, xm[BITS(m)], XM, 0, 0);
		u32 v = 0x1f80;
		asm volatile("ldmxcsr %0" :: "m"(v));
	}
	T("SDM 3A 2.5 CR4.OSXMMEXCPT=0: unmasked SSE exception is #UD", "ud-xm-no-osxmm");
	wcr4(rcr4() & ~CR4_OSXMM);
	expect(R3_64, xm[0], UD, 0, 0);
	wcr4(rcr4() | CR4_OSXMM);
	u32 v = 0x1f80;
	asm volatile("ldmxcsr %0" :: "m"(v));
}

static void g_ac(void)
{
	wcr0(rcr0() | CR0_AM);
	for (int b = 0; b < 3; b++) {
		enum mode m = b * 2 + 1;
		T("SDM 3A 6.15 #AC: ring 3, AM=1 AC=1, error code 0, fault", "ac-dword-%s", mode_name(m));
		in.rflags |= F_AC;
		expect(m, ac[b], AC, 0, 0);
	}
	T("SDM 3A 6.15 #AC: word access", "ac-word-r3-64");
	in.rflags |= F_AC;
	expect(R3_64, &acw64, AC, 0, 0);
	T("SDM 3A 6.15 #AC: quadword at 4 mod 8", "ac-qword-r3-64");
	in.rflags |= F_AC;
	expect(R3_64, &acq64, AC, 0, 0);
	T("SDM 3A 6.15 #AC: aligned accesses and bytes do not fault", "ac-aligned-r3-64");
	in.rflags |= F_AC;
	eq("vec", run(R3_64, &acb64), DONE);
	T("SDM 3A 6.15 #AC: never at ring 0", "ac-not-ring0");
	in.rflags |= F_AC;
	eq("vec", run(R0_64, ac[0]), DONE);
	T("SDM 3A 6.15 #AC: EFLAGS.AC=0 does not fault", "ac-not-without-ac");
	eq("vec", run(R3_64, ac[0]), DONE);
	wcr0(rcr0() & ~CR0_AM);
	T("SDM 3A 6.15 #AC: CR0.AM=0 does not fault", "ac-not-without-am");
	in.rflags |= F_AC;
	eq("vec", run(R3_64, ac[0]), DONE);
	T("SDM 2B MOVAPS: misaligned 16-byte operand is #GP(0), not #AC", "gp-movaps-misaligned");
	expect(R3_64, &mis_sse, GP, 0, 0);
}

static void g_selectors(void)
{
	EACH(m) {
		T("SDM 3A 6.15 #NP: load DS with a not-present segment: #NP(selector)", "np-load-ds-%s", mode_name(m));
		in.rcx = SEL_NP_DATA | (RING(m) ? 3 : 0);
		gdt_set(SEL_NP_DATA, 0, 0xfffff, RING(m) ? 0x73 : 0x13, 0xc);
		expect(m, gp_np[BITS(m)], NP, SEL_NP_DATA, 0);
	}
	EACH(m) {
		T("SDM 3A 6.15 #SS: load SS with a not-present segment: #SS(selector)", "ss-load-np-%s", mode_name(m));
		in.rcx = SEL_NP_DATA | (RING(m) ? 3 : 0);
		gdt_set(SEL_NP_DATA, 0, 0xfffff, RING(m) ? 0x73 : 0x13, 0xc);
		expect(m, gp_lss[BITS(m)], SS, SEL_NP_DATA, 0);
	}
	EACH(m) {
		T("SDM 2B MOV Sreg: selector beyond the GDT limit: #GP(selector)", "gp-load-ds-limit-%s", mode_name(m));
		in.rcx = 0x1000 | RING(m);
		expect(m, gp_np[BITS(m)], GP, 0x1000, 0);
	}
	EACH(m) {
		T("SDM 2B MOV Sreg: SS with wrong RPL: #GP(selector)", "gp-load-ss-rpl-%s", mode_name(m));
		in.rcx = (RING(m) ? KDS : UDS);
		expect(m, gp_lss[BITS(m)], GP, in.rcx & ~3, 0);
	}
	EACH(m) {
		if (m == R0_64)
			continue;
		T("SDM 2B MOV Sreg: null selector into SS is #GP(0) outside 64-bit ring 0", "gp-load-ss-null-%s", mode_name(m));
		in.rcx = 0;
		expect(m, gp_lss[BITS(m)], GP, 0, 0);
	}
	T("SDM 3A 5.4.1: 64-bit ring 0 may load SS with null", "ss-null-r0-64");
	in.rcx = 0;
	eq("vec", run(R0_64, gp_lss[0]), DONE);
	eq("ss", rec->ss, 0);
	T("SDM 2B MOV Sreg: DS with a system segment: #GP(selector)", "gp-load-ds-system");
	in.rcx = SEL_TSS;
	expect(R0_64, gp_np[0], GP, SEL_TSS, 0);
	T("SDM 2B MOV Sreg: DS with an execute-only code segment: #GP(selector)", "gp-load-ds-xonly");
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0x99, 0xc);
	in.rcx = SEL_SCRATCH;
	expect(R0_64, gp_np[0], GP, SEL_SCRATCH, 0);
	T("SDM 2B MOV Sreg: SS with read-only data: #GP(selector)", "gp-load-ss-readonly");
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0x91, 0xc);
	in.rcx = SEL_SCRATCH;
	expect(R0_64, gp_lss[0], GP, SEL_SCRATCH, 0);
	T("SDM 2B MOV Sreg: ring 3 loading a DPL 0 data segment: #GP(selector)", "gp-load-ds-dpl");
	in.rcx = KDS | 3;
	expect(R3_64, gp_np[0], GP, KDS, 0);
	T("SDM 3A 3.4.2: LDT selector with a null LDT: #GP(selector with TI)", "gp-load-ds-no-ldt");
	in.rcx = 0x0c;
	expect(R0_64, gp_np[0], GP, 0x0c, 0);
	T("SDM 3A 3.4.5.1: loading a segment sets its accessed bit", "seg-accessed-bit");
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0x92, 0xc);
	in.rcx = SEL_SCRATCH;
	eq("vec", run(R0_64, gp_np[0]), DONE);
	eq("access", gdt[SEL_SCRATCH >> 3] >> 40 & 0xff, 0x93);
}

static void g_compat_segments(void)
{
	T("SDM 3A 5.4.1: compatibility mode access through null DS is #GP(0)", "gp-null-ds-r3-32");
	in.rdi = (ulong)test_stack;
	expect(R3_32, &null32, GP, 0, 0);
	T("SDM 3A 5.4.1: 64-bit mode access through null DS is fine", "null-ds-r3-64");
	in.rdi = (ulong)test_stack;
	eq("vec", run(R3_64, &null64), DONE);
	T("SDM 3A 5.3: compatibility mode access beyond the DS limit is #GP(0)", "gp-ds-limit-r3-32");
	gdt_set(SEL_SCRATCH, 0x1000, 0xff, 0xf3, 4);
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = 0x100;
	expect(R3_32, &limit32, GP, 0, 0);
	T("SDM 3A 5.3: the last byte inside the limit is fine", "ds-limit-last-r3-32");
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = 0xff;
	eq("vec", run(R3_32, &limitok32), DONE);
	T("SDM 3A 5.3: expand-down segment: offset equal to the limit is #GP(0)", "gp-expand-down-r3-32");
	gdt_set(SEL_SCRATCH, 0, 0xff, 0xf7, 4);
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = 0xff;
	expect(R3_32, &limit32, GP, 0, 0);
	T("SDM 3A 5.3: expand-down segment: offset above the limit is fine", "expand-down-ok-r3-32");
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = 0x100000;
	eq("vec", run(R3_32, &limitok32), DONE);
	T("SDM 3A 6.15 #SS: compatibility mode access beyond the SS limit is #SS(0)", "ss-limit-r3-32");
	gdt_set(SEL_SCRATCH, 0, 0xff, 0xf3, 4);
	in.rcx = SEL_SCRATCH | 3;
	run(R3_32, &limitss32);
	eq("vec", rec->vec, SS);
	eq("err", rec->err, 0);
	eq("ss", rec->ss, SEL_SCRATCH | 3);
	T("SDM 3A 3.4.5.1: write to a read-only segment is #GP(0)", "gp-readonly-ds-r3-32");
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0xf1, 0xc);
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = (ulong)test_stack;
	expect(R3_32, &wr_ro32, GP, 0, 0);
	T("SDM 3A 3.4.5.1: write through CS is #GP(0) in compatibility mode", "gp-write-cs-r3-32");
	in.rdi = (ulong)test_stack;
	expect(R3_32, &cs_wr32, GP, 0, 0);
	T("SDM 3A 5.3: fetch past the CS limit is #GP(0) at that offset", "gp-cs-limit-r3-16");
	gdt_set(UCS16, (ulong)limitcs16.code, 15, 0xfb, 0);
	run_at(UCS16, 0);
	eq("vec", rec->vec, GP);
	eq("err", rec->err, 0);
	eq("rip", rec->rip, 16);
}

static void g_pf(void)
{
	/* A hole in the identity map: 1 GiB + 2 MiB, in reach of 32-bit code. */
	const u64 hole = 0x40200000;
	u64 *e = &pt_pd[hole >> 21], old = *e;

	*e = 0;
	invlpg(hole);
	EACH(m) {
		T("SDM 3A 4.7: read of a non-present page", "pf-read-np-%s", mode_name(m));
		in.rdi = hole + 5;
		expect(m, pf_r[BITS(m)], PF, RING(m) ? 4 : 0, 0);
		eq("cr2", rec->cr2, hole + 5);
	}
	EACH(m) {
		T("SDM 3A 4.7: write to a non-present page", "pf-write-np-%s", mode_name(m));
		in.rdi = hole + 0xfff;
		expect(m, pf_w[BITS(m)], PF, RING(m) ? 6 : 2, 0);
		eq("cr2", rec->cr2, hole + 0xfff);
	}
	T("SDM 3A 4.7: fetch from a non-present page: RIP and CR2 are the target", "pf-fetch-np-r3-64");
	in.rdi = hole;
	run(R3_64, &pf_x64);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 4);
	eq("rip", rec->rip, hole);
	eq("cr2", rec->cr2, hole);
	*e = old;
	invlpg(hole);
	T("SDM 3A 3.3.7.1: non-canonical read is #GP(0)", "gp-noncanonical-read-r3-64");
	in.rdi = 0x800000000000;
	expect(R3_64, &gp_nc, GP, 0, 0);
	T("SDM 3A 3.3.7.1: non-canonical write is #GP(0)", "gp-noncanonical-write-r0-64");
	in.rdi = 0xffff7fffffffffff;
	expect(R0_64, &gp_ncw, GP, 0, 0);
	static const struct { const char *n; struct snip *s; } nc[] = {
		{ "push", &ss_nc }, { "pop", &ss_ncp }, { "rbp", &ss_ncb }, { "call", &ss_ncc },
	};
	for (int i = 0; i < 4; i++) {
		for (enum mode m = R0_64; m <= R3_64; m++) {
			T("SDM 3A 3.3.7.1: non-canonical stack reference is #SS(0)", "ss-noncanonical-%s-%s", nc[i].n, mode_name(m));
			if (m == R0_64) {
				idt_gate(SS, STUB(SS), KCS, 0x8e, 1);
				idt_gate(GP, STUB(GP), KCS, 0x8e, 1);
				idt_gate(DF, STUB(DF), KCS, 0x8e, 2);
			}
			in.rdi = 0x800000000100;
			expect(m, nc[i].s, SS, 0, FLEX_SP);
			idt_default(SS);
			idt_default(GP);
			idt_default(DF);
		}
	}
}

static void g_flags(void)
{
	static const struct { const char *name; struct snip *s; u32 vec, rf; } t[] = {
		{ "de", &de_zero64, DE, F_RF }, { "ud", &ud264, UD, F_RF }, { "gp", &gp_nc, GP, F_RF },
		{ "pf", &pf_r64, PF, F_RF }, { "bp", &int364, BP, 0 }, { "int1", &icebp64, DB, 0 },
	};

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 6.8.3, 17.3.1.1: faults push RF=1, traps RF=0", "rf-pushed-%s", t[i].name);
		in.rdi = t[i].vec == GP ? 0x800000000000 : 0x7000000000;
		eq("vec", run(R3_64, t[i].s), t[i].vec);
		eq("rf", rec->rflags & F_RF, t[i].rf);
	}
	T("SDM 3A 6.12.1: the pushed RFLAGS holds the interrupted flags", "flags-pushed");
	in.rflags = 2 | 0xcd5 | IOPL(3) | 0x200000;
	run(R3_64, &int364);
	eq("rflags", rec->rflags & ~F_RF, in.rflags);
}

void kmain(void)
{
	group("#DE", g_de);
	group("#BP #DB #OF #BR", g_traps);
	group("#UD and instruction length", g_ud);
	group("#NM", g_nm);
	group("#MF #XM", g_fp);
	group("#AC", g_ac);
	group("segment loads", g_selectors);
	group("compatibility-mode segments", g_compat_segments);
	group("#PF and canonical addresses", g_pf);
	group("pushed flags", g_flags);
}
