/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers, system instructions and their privilege, descriptor
 * queries, and prefixes that make instructions invalid.
 */
#include "bare.h"

CODE64(wcr0_, "nop\n 1: movq %rdi,%cr0");
CODE64(wcr3_, "nop\n 1: movq %rdi,%cr3");
CODE64(wcr4_, "nop\n 1: movq %rdi,%cr4");
CODE64(wcr8_, "nop\n 1: movq %rdi,%cr8");
CODE64(rcr8_, "nop\n 1: movq %cr8,%rax");
CODE64(cr1, "nop\n 1: .byte 0x0f,0x20,0xc8");
CODE64(wcr1, "nop\n 1: .byte 0x0f,0x22,0xc8");
CODE64(cr5, "nop\n 1: .byte 0x0f,0x20,0xe8");
CODE64(cr6, "nop\n 1: .byte 0x0f,0x20,0xf0");
CODE64(cr7, "nop\n 1: .byte 0x0f,0x20,0xf8");
CODE64(cr9, "nop\n 1: .byte 0x44,0x0f,0x20,0xc8");

static void cr_case(const char *name, const char *ref, struct snip *s, u64 v, u32 vec)
{
	ulong c0 = rcr0(), c3 = rcr3(), c4 = rcr4();

	T(ref, "%s", name);
	in.rdi = v;
	if (vec == DONE)
		eq("vec", run(R0_64, s), DONE);
	else
		expect(R0_64, s, vec, 0, 0);
	if (rcr0() != c0)
		wcr0(c0);
	if (rcr3() != c3)
		wcr3(c3);
	if (rcr4() != c4)
		wcr4(c4);
}

/* CR4 bits of features that CPUID reports (there = 1) or does not (0). */
static void cr4_gates(int there)
{
	static const struct { const char *n; u64 bit; u32 leaf, reg, b; } gate[] = {
		{ "smep", CR4_SMEP, 7, EBX_, 7 }, { "smap", CR4_SMAP, 7, EBX_, 20 },
		{ "fsgsbase", CR4_FSGSBASE, 7, EBX_, 0 }, { "osxsave", CR4_OSXSAVE, 1, ECX_, 26 },
		{ "umip", CR4_UMIP, 7, ECX_, 2 }, { "pke", 1u << 22, 7, ECX_, 3 },
		{ "vmxe", 1u << 13, 1, ECX_, 5 }, { "smxe", 1u << 14, 1, ECX_, 6 },
		{ "pcide", CR4_PCIDE, 1, ECX_, 17 },
	};
	ulong c4 = rcr4();

	map_supervisor(1);
	for (u32 i = 0; i < sizeof gate / sizeof *gate; i++) {
		if (has(gate[i].leaf, 0, gate[i].reg, gate[i].b) != there)
			continue;
		T("SDM 3A 2.5: a CR4 bit is settable iff CPUID reports the feature", "cr4-%s-gate", gate[i].n);
		in.rdi = c4 | gate[i].bit;
		eq("vec", run(R0_64, &wcr4_), there ? DONE : GP);
		wcr4(c4);
	}
	map_supervisor(0);
}

static void g_cr(void)
{
	ulong c0 = rcr0(), c3 = rcr3(), c4 = rcr4();

	cr_case("cr0-nw-without-cd", "SDM 2B MOV CR: NW=1 with CD=0 is #GP(0)", &wcr0_, c0 | 1ul << 29, GP);
	cr_case("cr0-high", "SDM 2B MOV CR: a 1 in the upper half of CR0 is #GP(0)", &wcr0_, c0 | 1ul << 32, GP);
	cr_case("cr0-bit63", "SDM 2B MOV CR: a 1 in the upper half of CR0 is #GP(0)", &wcr0_, c0 | 1ul << 63, GP);
	T("SDM 3A 2.5: reserved bits in the lower half of CR0 are ignored and ET reads 1", "cr0-reserved-low");
	in.rdi = (c0 | 0xffc0) & ~0x10ul;
	eq("vec", run(R0_64, &wcr0_), DONE);
	eq("cr0", rcr0(), c0);
	wcr0(c0);
	cr4_gates(1);
	T("SDM 2B MOV CR: a refused write changes nothing", "cr4-unchanged");
	eq("cr4", rcr4(), c4);
	T("SDM 3A 4.5: bits 0-2 and 5-11 of CR3 are ignored", "cr3-low-bits");
	in.rdi = c3 | 0xfe7;
	eq("vec", run(R0_64, &wcr3_), DONE);
	wcr3(c3);
	cr_case("cr8-reserved", "SDM 2B MOV CR: bits 63:4 of CR8 are #GP(0)", &wcr8_, 16, GP);
	T("SDM 3A 10.8.6: CR8 reads back", "cr8-readback");
	in.rdi = 9;
	run(R0_64, &wcr8_);
	run(R0_64, &rcr8_);
	eq("cr8", rec->rax, 9);
	T("SDM 3A 10.8.6: CR8 is bits 7:4 of the TPR", "cr8-is-tpr");
	wrmsr(0x1b, rdmsr(0x1b) | 0x800);
	eq("tpr", apic_r(0x80) & 0xff, 0x90);
	apic_w(0x80, 0x35);
	run(R0_64, &rcr8_);
	eq("cr8", rec->rax, 3);
	apic_w(0x80, 0);
	T("SDM 2B MOV CR: CR1 is #UD", "cr1-read");
	expect(R0_64, &cr1, UD, 0, 0);
	T("SDM 2B MOV CR: writing CR1 is #UD", "cr1-write");
	expect(R0_64, &wcr1, UD, 0, 0);
	T("SDM 2B MOV CR: CR5 is #UD", "cr5-read");
	expect(R0_64, &cr5, UD, 0, 0);
	T("SDM 2B MOV CR: CR6 is #UD", "cr6-read");
	expect(R0_64, &cr6, UD, 0, 0);
	T("SDM 2B MOV CR: CR7 is #UD", "cr7-read");
	expect(R0_64, &cr7, UD, 0, 0);
	T("SDM 2B MOV CR: CR9 is #UD", "cr9-read");
	expect(R0_64, &cr9, UD, 0, 0);
}

/* Last: a subject that does not refuse these is lost. */
static void g_cr_fatal(void)
{
	ulong c0 = rcr0(), c3 = rcr3(), c4 = rcr4();
	u32 r[4];

	cr4_gates(0);
	cr_case("cr4-bit15", "SDM 2B MOV CR: a reserved bit of CR4 is #GP(0)", &wcr4_, c4 | 1ul << 15, GP);
	cr_case("cr4-bit63", "SDM 2B MOV CR: a reserved bit of CR4 is #GP(0)", &wcr4_, c4 | 1ul << 63, GP);
	cr_case("cr4-bit31", "SDM 2B MOV CR: a reserved bit of CR4 is #GP(0)", &wcr4_, c4 | 1ul << 31, GP);
	cpuid(0x80000008, 0, r);
	cr_case("cr3-beyond-maxphyaddr", "SDM 2B MOV CR: bits of CR3 above MAXPHYADDR are #GP(0)", &wcr3_, c3 | 1ul << 55, GP);
	if ((r[0] & 0xff) < 52)
		cr_case("cr3-at-maxphyaddr", "SDM 3A 4.5: the first bit above MAXPHYADDR is #GP(0)", &wcr3_, c3 | 1ul << (r[0] & 0xff), GP);
	cr_case("cr4-pae-in-long", "SDM 2B MOV CR: clearing PAE in long mode is #GP(0)", &wcr4_, c4 & ~(ulong)CR4_PAE, GP);
	cr_case("cr0-no-pg-in-64", "SDM 2B MOV CR: clearing PG in 64-bit mode is #GP(0)", &wcr0_, c0 & ~(ulong)CR0_PG, GP);
	cr_case("cr0-pg-without-pe", "SDM 2B MOV CR: PG=1 with PE=0 is #GP(0)", &wcr0_, c0 & ~1ul, GP);
}

CODE64(p_hlt, "1: hlt");
CODE64(p_lgdt, "1: lgdt (%rsi)");
CODE64(p_lidt, "1: lidt (%rsi)");
CODE64(p_lldt, "1: lldt %ax");
CODE64(p_ltr, "1: ltr %ax");
CODE64(p_lmsw, "1: lmsw %ax");
CODE64(p_clts, "1: clts");
CODE64(p_invlpg, "1: invlpg (%rsi)");
CODE64(p_invd, "1: invd");
CODE64(p_wbinvd, "1: wbinvd");
CODE64(p_rcr0, "1: movq %cr0,%rax");
CODE64(p_rcr2, "1: movq %cr2,%rax");
CODE64(p_rcr3, "1: movq %cr3,%rax");
CODE64(p_rcr4, "1: movq %cr4,%rax");
CODE64(p_wcr0, "1: movq %rax,%cr0");
CODE64(p_wcr2, "1: movq %rax,%cr2");
CODE64(p_wcr3, "1: movq %rax,%cr3");
CODE64(p_wcr4, "1: movq %rax,%cr4");
CODE64(p_wcr8, "1: movq %rax,%cr8");
CODE64(p_rcr8, "1: movq %cr8,%rax");
CODE64(p_rdr7, "1: movq %db7,%rax");
CODE64(p_wdr0, "1: movq %rax,%db0");
CODE64(p_rdmsr, "1: rdmsr");
CODE64(p_wrmsr, "1: wrmsr");
CODE64(p_sysret, "1: sysretq");
CODE64(p_sysexit, "1: sysexitq");

static void g_priv(void)
{
	static const struct { const char *n; struct snip *s; } t[] = {
		{ "hlt", &p_hlt }, { "lgdt", &p_lgdt }, { "lidt", &p_lidt }, { "lldt", &p_lldt }, { "ltr", &p_ltr },
		{ "lmsw", &p_lmsw }, { "clts", &p_clts }, { "invlpg", &p_invlpg }, { "invd", &p_invd },
		{ "wbinvd", &p_wbinvd }, { "mov-from-cr0", &p_rcr0 }, { "mov-from-cr2", &p_rcr2 },
		{ "mov-from-cr3", &p_rcr3 }, { "mov-from-cr4", &p_rcr4 }, { "mov-to-cr0", &p_wcr0 },
		{ "mov-to-cr2", &p_wcr2 }, { "mov-to-cr3", &p_wcr3 }, { "mov-to-cr4", &p_wcr4 },
		{ "mov-to-cr8", &p_wcr8 }, { "mov-from-cr8", &p_rcr8 }, { "mov-from-dr7", &p_rdr7 },
		{ "mov-to-dr0", &p_wdr0 },
	};

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 5.9: a privileged instruction at ring 3 is #GP(0), whatever IOPL", "priv-%s", t[i].n);
		in.rsi = (ulong)&idtr;
		in.rflags |= IOPL(3);
		expect(R3_64, t[i].s, GP, 0, 0);
	}
}

CODE64(lldt_, "nop\n 1: lldt %cx");
CODE64(ltr_, "nop\n 1: ltr %cx");
CODE64(lgdt_, "nop\n 1: lgdt (%rsi)\n lgdt gdt_ptr");
CODE64(lidt_, "nop\n 1: lidt (%rsi)\n lidt idtr");
CODE64(sgdt_, "sgdt (%rsi)\n sidt 16(%rsi)\n sldt %eax\n str %ebx\n smsw %ecx");
CODE64(ldds, "nop\n 1: movl %ecx,%ds");
CODE64(smsw, "smsw %rax");
CODE64(lmsw_, "lmsw %cx\n smsw %rax");
CODE64(clts_, "clts\n movq %cr0,%rax");
CODE64(lar_, "lar %ecx,%eax\n setz %dl");
CODE64(lsl_, "lsl %ecx,%eax\n setz %dl");
CODE64(verr_, "verr %cx\n setz %dl");
CODE64(verw_, "verw %cx\n setz %dl");
CODE32(arpl_, "arpl %cx,%ax\n setz %dl");

static void g_tables(void)
{
	static u8 out[32];
	static u64 ldt[4];
	struct idt_ptr p;

	gdt[SEL_LDT >> 3] = 0;
	gdt_set(SEL_LDT, (ulong)ldt, sizeof ldt - 1, 0x82, 0);
	gdt[(SEL_LDT >> 3) + 1] = 0;
	ldt[1] = gdt[UDS >> 3];
	T("SDM 2B LLDT: loads an LDT whose selectors then work", "lldt-use");
	in.rcx = SEL_LDT;
	eq("vec", run(R0_64, &lldt_), DONE);
	in.rcx = 0x0f;
	in.rsp = 0;
	in.ss = 0;
	eq("load", run(R3_64, &ldds), DONE);
	T("SDM 3A 5.2: a selector beyond the LDT limit is #GP(selector with TI)", "ldt-limit");
	in.rcx = 0x27;
	expect(R3_64, &ldds, GP, 0x24, 0);
	T("SDM 2B LLDT: null is allowed; then its selectors are #GP", "lldt-null");
	eq("vec", run(R0_64, &lldt_), DONE);
	in.rcx = 0x0f;
	in.ss = 0;
	expect(R3_64, &ldds, GP, 0x0c, 0);
	T("SDM 2B LLDT: not an LDT descriptor: #GP(selector)", "lldt-type");
	in.rcx = KDS;
	expect(R0_64, &lldt_, GP, KDS, 0);
	T("SDM 2B LLDT: a selector of the LDT itself: #GP(selector)", "lldt-ti");
	in.rcx = 0x0c;
	expect(R0_64, &lldt_, GP, 0x0c, 0);
	T("SDM 2B LLDT: not present: #NP(selector)", "lldt-np");
	gdt_set(SEL_LDT, (ulong)ldt, sizeof ldt - 1, 0x02, 0);
	in.rcx = SEL_LDT;
	expect(R0_64, &lldt_, NP, SEL_LDT, 0);
	T("SDM 2B LTR: null is #GP(0)", "ltr-null");
	expect(R0_64, &ltr_, GP, 0, 0);
	T("SDM 2B LTR: a busy TSS is #GP(selector)", "ltr-busy");
	in.rcx = SEL_TSS;
	expect(R0_64, &ltr_, GP, SEL_TSS, 0);
	T("SDM 2B LTR: not a TSS: #GP(selector)", "ltr-type");
	in.rcx = KDS;
	expect(R0_64, &ltr_, GP, KDS, 0);
	T("SDM 3A 7.7: a 16-bit TSS is #GP(selector) in long mode", "ltr-16bit");
	gdt_set(SEL_TSS2, (ulong)&tss, 0x67, 0x81, 0);
	gdt[(SEL_TSS2 >> 3) + 1] = 0;
	in.rcx = SEL_TSS2;
	expect(R0_64, &ltr_, GP, SEL_TSS2, 0);
	T("SDM 2B LTR: not present: #NP(selector)", "ltr-np");
	gdt_set(SEL_TSS2, (ulong)&tss, 0x67, 0x09, 0);
	in.rcx = SEL_TSS2;
	expect(R0_64, &ltr_, NP, SEL_TSS2, 0);
	T("SDM 2B LTR: marks the descriptor busy", "ltr-marks-busy");
	gdt_set(SEL_TSS, (ulong)&tss, sizeof tss - 1, 0x89, 0);
	in.rcx = SEL_TSS;
	eq("vec", run(R0_64, &ltr_), DONE);
	eq("type", gdt[SEL_TSS >> 3] >> 40 & 0xff, 0x8b);
	T("SDM 2A LGDT: a non-canonical base is #GP(0)", "lgdt-noncanonical");
	p.limit = 0x1ff;
	p.base = 0x800000000000;
	in.rsi = (ulong)&p;
	expect(R0_64, &lgdt_, GP, 0, 0);
	T("SDM 2A LIDT: a non-canonical base is #GP(0)", "lidt-noncanonical");
	in.rsi = (ulong)&p;
	expect(R0_64, &lidt_, GP, 0, 0);
	T("SDM 2B SGDT, SIDT, SLDT, STR, SMSW: usable at ring 3 with UMIP=0", "sgdt-r3");
	in.rsi = (ulong)out;
	eq("vec", run(R3_64, &sgdt_), DONE);
	eq("limit", *(u16 *)out, GDT_LIMIT);
	eq("base", *(u64 *)(out + 2), (ulong)gdt);
	eq("idt", *(u64 *)(out + 18), idtr.base);
	eq("ldt", rec->rax, 0);
	eq("tr", rec->rbx, SEL_TSS);
	T("SDM 3A 2.5 CR4.UMIP: SGDT at ring 3 is #GP(0)", "sgdt-umip");
	if (has(7, 0, ECX_, 2)) {
		wcr4(rcr4() | CR4_UMIP);
		in.rsi = (ulong)out;
		expect(R3_64, &sgdt_, GP, 0, 0);
		wcr4(rcr4() & ~CR4_UMIP);
	} else {
		skip("CPUID has no UMIP");
	}
	T("SDM 2B SMSW: stores CR0", "smsw");
	run(R0_64, &smsw);
	eq("rax", rec->rax & 0xffff, rcr0() & 0xffff);
	T("SDM 2A LMSW: cannot clear PE, can set TS", "lmsw");
	in.rcx = CR0_TS;
	eq("vec", run(R0_64, &lmsw_), DONE);
	eq("low", rec->rax & 15, CR0_PE | CR0_TS);
	wcr0((rcr0() & ~CR0_TS) | CR0_MP);
	T("SDM 2A CLTS: clears TS only", "clts");
	wcr0(rcr0() | CR0_TS);
	ulong want = rcr0() & ~CR0_TS;
	eq("vec", run(R0_64, &clts_), DONE);
	eq("cr0", rec->rax, want);
}

static void query(const char *name, const char *ref, enum mode m, struct snip *s, u64 sel, int zf, u64 value, int check)
{
	T(ref, "%s-r%d", name, RING(m));
	in.rcx = sel;
	in.rax = 0x7777;
	eq("vec", run(m, s), DONE);
	eq("zf", rec->rdx & 1, zf);
	if (check)
		eq("value", (u32)rec->rax & (s == &lar_ && zf ? 0xf0ff00 : ~0u), value);	/* 19:16 are undefined */
}

static void g_query(void)
{
	query("lar-code", "SDM 2A LAR: access rights of a code segment", R0_64, &lar_, KCS, 1, 0x00a09b00, 1);
	query("lar-null", "SDM 2A LAR: null selector clears ZF", R0_64, &lar_, 0, 0, 0x7777, 1);
	query("lar-limit", "SDM 2A LAR: selector beyond the GDT clears ZF", R0_64, &lar_, 0x1000, 0, 0x7777, 1);
	query("lar-dpl", "SDM 2A LAR: DPL < CPL clears ZF", R3_64, &lar_, KDS, 0, 0x7777, 1);
	query("lar-dpl", "SDM 2A LAR: ring 0 sees the access byte", R0_64, &lar_, KDS, 1, 0x00c09300, 1);
	gdt_set(SEL_SCRATCH, 0, 0xff, 0x86, 0);
	query("lar-idt-gate-type", "SDM 2A LAR: an interrupt gate type clears ZF", R0_64, &lar_, SEL_SCRATCH, 0, 0x7777, 1);
	query("lar-np", "SDM 2A LAR: a not-present segment is fine", R0_64, &lar_, SEL_NP_DATA, 1, 0x00c01300, 1);
	query("lsl-granular", "SDM 2A LSL: page-granular limit in bytes", R0_64, &lsl_, KDS, 1, 0xffffffff, 1);
	gdt_set(SEL_SCRATCH, 0, 0x1234, 0xf3, 4);
	query("lsl-bytes", "SDM 2A LSL: byte-granular limit", R3_64, &lsl_, SEL_SCRATCH, 1, 0x1234, 1);
	query("lsl-tss", "SDM 2A LSL: a 64-bit TSS", R0_64, &lsl_, SEL_TSS, 1, sizeof tss - 1, 1);
	query("lsl-null", "SDM 2A LSL: null selector clears ZF", R0_64, &lsl_, 0, 0, 0x7777, 1);
	query("verr-data", "SDM 2B VERR: readable data", R3_64, &verr_, UDS, 1, 0, 0);
	query("verr-dpl", "SDM 2B VERR: DPL < CPL clears ZF", R3_64, &verr_, KDS, 0, 0, 0);
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0xf9, 0xa);
	query("verr-xonly", "SDM 2B VERR: execute-only code clears ZF", R3_64, &verr_, SEL_SCRATCH, 0, 0, 0);
	query("verw-data", "SDM 2B VERW: writable data", R3_64, &verw_, UDS, 1, 0, 0);
	query("verw-code", "SDM 2B VERW: code clears ZF", R3_64, &verw_, UCS64, 0, 0, 0);
	query("verw-null", "SDM 2B VERW: null clears ZF", R3_64, &verw_, 0, 0, 0, 0);
	T("SDM 2A ARPL: raises RPL and sets ZF", "arpl-raises");
	in.rax = 0x10;
	in.rcx = 3;
	eq("vec", run(R3_32, &arpl_), DONE);
	eq("rax", rec->rax & 0xffff, 0x13);
	eq("zf", rec->rdx & 1, 1);
	T("SDM 2A ARPL: a higher RPL stays and ZF is 0", "arpl-stays");
	in.rax = 0x13;
	in.rcx = 1;
	eq("vec", run(R3_32, &arpl_), DONE);
	eq("rax", rec->rax & 0xffff, 0x13);
	eq("zf", rec->rdx & 1, 0);
}

#define L(name, text) CODE64(name, text)
L(l_mov, ".byte 0xf0\n movl %eax,(%rsi)");
L(l_addr, ".byte 0xf0\n addl %eax,%ecx");
L(l_load, ".byte 0xf0\n addl (%rsi),%eax");
L(l_cmp, ".byte 0xf0\n cmpl %eax,(%rsi)");
L(l_test, ".byte 0xf0\n testl %eax,(%rsi)");
L(l_bt, ".byte 0xf0\n btl $1,(%rsi)");
L(l_shl, ".byte 0xf0\n shll $1,(%rsi)");
L(l_push, ".byte 0xf0\n pushq %rax");
L(l_lea, ".byte 0xf0\n leaq (%rsi),%rax");
L(l_imul, ".byte 0xf0\n imull (%rsi),%eax");
L(l_cmpxr, ".byte 0xf0\n cmpxchgl %eax,%ecx");
L(l_call, ".byte 0xf0,0xe8,0,0,0,0");
L(l_cpuid, ".byte 0xf0\n cpuid");
L(l_rdtsc, ".byte 0xf0\n rdtsc");
L(l_in, ".byte 0xf0\n inb $0x61,%al");
L(l_movs, ".byte 0xf0\n movsb");
L(k_add, "lock addl %eax,(%rsi)");
L(k_xchg, "lock xchgl %eax,(%rsi)");
L(k_xadd, "lock xaddl %eax,(%rsi)");
L(k_cmpx, "lock cmpxchgl %ecx,(%rsi)");
L(k_cx8, "lock cmpxchg8b (%rsi)");
L(k_bts, "lock btsl $1,(%rsi)");
L(k_not, "lock notl (%rsi)");
L(k_dec, "lock decl (%rsi)");
L(u_cx8r, ".byte 0x0f,0xc7,0xc9");
L(u_lear, ".byte 0x8d,0xc0");
L(u_movcs, ".byte 0x8e,0xc8");
L(u_mov_s6, ".byte 0x8e,0xf0");
L(u_ff7, ".byte 0xff,0xf8");
L(u_fe2, ".byte 0xfe,0xd0");
L(u_c7_1, ".byte 0xc7,0xc8,0,0,0,0");
L(u_bt0, ".byte 0x0f,0xba,0xc0,0");
L(u_movnti, ".byte 0x0f,0xc3,0xc0");
L(u_lldt6, ".byte 0x0f,0x00,0xf0");
L(u_clfl, ".byte 0x0f,0x01,0xd8,0x90");
L(u_sgdtr, ".byte 0x0f,0x01,0xc5");
L(u_lgdtr, ".byte 0x0f,0x01,0xd7");
L(u_0f04, ".byte 0x0f,0x04");
L(u_0f0a, ".byte 0x0f,0x0a");
L(u_0f24, ".byte 0x0f,0x24,0xc0");
L(u_0fa6, ".byte 0x0f,0x36");
L(u_lds, ".byte 0x82,0xc0,0x01");
L(u_aam, ".byte 0xd4,0x0a");
L(u_les, ".byte 0xc4,0x06,0x00");
L(u_lcallr, ".byte 0xff,0xd8");
L(u_lssr, ".byte 0x0f,0xb2,0xc0");
L(g_fxsave, "fxsave 1(%rsi)");
L(g_fxrstor, "fxrstor 1(%rsi)");
L(g_cx16, "cmpxchg16b 8(%rsi)");
L(g_mxcsr, "movl $0xffff0000,(%rsi)\n 1: ldmxcsr (%rsi)");
L(g_movapd, "movapd %xmm0,8(%rsi)");
L(g_movdqu, "movdqu %xmm0,9(%rsi)");
L(g_memop, "pand 8(%rsi),%xmm0");

static void g_prefix(void)
{
	static u8 buf[1024] __attribute__((aligned(64)));
	static const struct { const char *n; struct snip *s; u32 vec; } t[] = {
		{ "lock-mov", &l_mov, UD }, { "lock-add-reg", &l_addr, UD }, { "lock-add-load", &l_load, UD },
		{ "lock-cmp", &l_cmp, UD }, { "lock-test", &l_test, UD }, { "lock-bt", &l_bt, UD },
		{ "lock-shl", &l_shl, UD }, { "lock-push", &l_push, UD }, { "lock-lea", &l_lea, UD },
		{ "lock-imul", &l_imul, UD }, { "lock-cmpxchg-reg", &l_cmpxr, UD }, { "lock-call", &l_call, UD },
		{ "lock-cpuid", &l_cpuid, UD }, { "lock-rdtsc", &l_rdtsc, UD }, { "lock-in", &l_in, UD },
		{ "lock-movs", &l_movs, UD },
		{ "lock-add-mem", &k_add, DONE }, { "lock-xchg-mem", &k_xchg, DONE }, { "lock-xadd-mem", &k_xadd, DONE },
		{ "lock-cmpxchg-mem", &k_cmpx, DONE }, { "lock-cmpxchg8b-mem", &k_cx8, DONE },
		{ "lock-bts-mem", &k_bts, DONE }, { "lock-not-mem", &k_not, DONE }, { "lock-dec-mem", &k_dec, DONE },
		{ "cmpxchg8b-reg", &u_cx8r, UD }, { "lea-reg", &u_lear, UD }, { "mov-to-cs", &u_movcs, UD },
		{ "mov-to-segment-6", &u_mov_s6, UD }, { "group5-7", &u_ff7, UD }, { "group4-2", &u_fe2, UD },
		{ "group11-1", &u_c7_1, UD }, { "group8-0", &u_bt0, UD }, { "movnti-reg", &u_movnti, UD },
		{ "group6-6", &u_lldt6, UD }, { "sgdt-reg", &u_sgdtr, UD }, { "lgdt-reg-d7", &u_lgdtr, UD },
		{ "0f04", &u_0f04, UD }, { "0f0a", &u_0f0a, UD }, { "0f24", &u_0f24, UD }, { "0f36", &u_0fa6, UD },
		{ "opcode-82", &u_lds, UD }, { "aam-64", &u_aam, UD }, { "lcall-reg", &u_lcallr, UD }, { "lss-reg", &u_lssr, UD },
		{ "fxsave-misaligned", &g_fxsave, GP }, { "fxrstor-misaligned", &g_fxrstor, GP },
		{ "ldmxcsr-reserved", &g_mxcsr, GP }, { "movapd-misaligned", &g_movapd, GP },
		{ "sse-memory-operand-misaligned", &g_memop, GP }, { "movdqu-misaligned", &g_movdqu, DONE },
	};

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T(t[i].vec == UD ? "SDM 2: this encoding or LOCK on this form is #UD" :
		  t[i].vec == GP ? "SDM 2: misaligned or reserved operand is #GP(0)" : "SDM 2: this form is valid",
		  "%s", t[i].n);
		in.rsi = (ulong)buf;
		in.rdi = (ulong)buf + 128;
		if (t[i].vec == DONE)
			eq("vec", run(R0_64, t[i].s), DONE);
		else
			expect(R0_64, t[i].s, t[i].vec, 0, 0);
	}
	T("SDM 2A CMPXCHG16B: a misaligned operand is #GP(0)", "cmpxchg16b-misaligned");
	in.rsi = (ulong)buf;
	if (has(1, 0, ECX_, 13))
		expect(R3_64, &g_cx16, GP, 0, 0);
	else
		skip("CPUID has no CMPXCHG16B");
}

void kmain(void)
{
	group("control registers", g_cr);
	group("privileged instructions", g_priv);
	group("descriptor tables", g_tables);
	group("descriptor queries", g_query);
	group("encodings", g_prefix);
	group("control register writes that must be refused", g_cr_fatal);
}
