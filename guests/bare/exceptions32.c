/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions, gates, stacks and segments in legacy protected mode: 32- and
 * 16-bit code, rings 0 and 3, no paging.
 */
#include "bare.h"

#define EACH(m) for (enum mode m = R0_32; m <= R3_16; m++)

CODEALL(de, "nop\n 1: divb %cl");
CODEALL(ud2_, "nop\n 1: ud2");
CODEALL(int3_, "nop\n int3\n 1: nop");
CODEALL(cd03, "int $3\n 1: nop");
CODEALL(cd03f, "nop\n 1: int $3");
CODEALL(into_, "movb $0x7f,%al\n addb $1,%al\n into\n 1: nop");
CODE32(bound32, "pushl $10\n pushl $1\n 1: boundl %eax,(%esp)");
CODE16(bound16, "pushl $0x000a0001\n xorw %ax,%ax\n 1: .byte 0x67,0x62,0x04,0x24");
static struct snip *const bound[3] = { 0, &bound32, &bound16 };
CODEALL(fninit_, "nop\n 1: fninit");
CODEALL(ldds, "nop\n 1: movl %ecx,%ds");
CODEALL(ldss, "nop\n 1: movl %ecx,%ss");
CODEALL(hlt_, "nop\n 1: hlt");
CODEALL(int40, "nop\n 1: int $0x40");
CODEALL(int40t, "nop\n int $0x40\n 1: nop");
CODEALL(toolong, "1: .fill 15,1,0x66\n nop");
CODEALL(lock_, "nop\n 1: .byte 0xf0,0x90");
CODEALL(icebp, ".byte 0xf1\n 1: nop");
CODEALL(nops, "nop\n nop\n 1: nop");
CODEALL(syscall_, "nop\n 1: .byte 0x0f,0x05");
CODE32(dsread, "movl %ecx,%ds\n 1: movb (%edi),%al");
CODE32(dswrite, "movl %ecx,%ds\n 1: movb %al,(%edi)");
CODE32(cswrite, "1: movb %al,%cs:(%edi)");
CODE32(csread, "1: movb %cs:(%edi),%al");
CODE32(ssread, "movl %ecx,%ss\n 1: movl (%esp),%eax");
CODE32(esread, "movl %ecx,%es\n 1: movb %es:(%edi),%al");
CODE32(fsread, "movl %ecx,%fs\n 1: movb %fs:(%edi),%al");
CODE32(ac32, "nop\n 1: movl 1(%esp),%eax");
CODE32(mf32, "fninit\n pushl $0x340\n fldcw (%esp)\n addl $4,%esp\n fld1\n fldz\n fdivrp\n 1: fwait");
CODE32(rd, "nop\n 1: movb (%edi),%al");
CODE32(aam0, "nop\n 1: .byte 0xd4,0");
CODE32(daa_, "movb $0x0a,%al\n daa");
CODE32(salc_, "stc\n .byte 0xd6");
CODE32(jmpf, "nop\n 1: ljmp $0x1000,$0");
CODE32(jmp_limit, "1: ljmp $0x5b,$0x100");
CODE32(callgate, "lcall $0xb3,$0\n nop");
CODE32(peek, "popl %eax\n popl %ebx\n popl %ecx\n popl %edx");
CODE32(sysent, "nop\n 1: sysenter");
CODE32(sysexit_, "nop\n 1: sysexit");
CODE32(umark, "nop");
CODE32(iret_, "pushl %eax\n pushl %ecx\n pushl %edx\n pushl %ebx\n pushl %esi\n 1: iretl");
CODE32(lret_, "pushl %eax\n pushl %ecx\n pushl %ebx\n pushl %esi\n 1: lretl");
CODE32(cli_, "nop\n 1: cli");
CODE32(popf_, "pushl %edi\n popfl\n pushfl\n popl %eax");
CODE32(invlpg_, "nop\n 1: invlpg (%esp)");
CODE32(rsp_data, "movl %esp,%eax");
CODE32(in84, "nop\n 1: inb $0x84,%al");

static void g_basic(void)
{
	EACH(m) {
		T("SDM 3A 6.15 #DE", "de-%s", mode_name(m));
		expect(m, de[BITS(m)], DE, 0, 0);
		T("SDM 3A 6.15 #UD", "ud-%s", mode_name(m));
		expect(m, ud2_[BITS(m)], UD, 0, 0);
		T("SDM 3A 6.15 #BP: INT3", "bp-%s", mode_name(m));
		expect(m, int3_[BITS(m)], BP, 0, 0);
		T("SDM 2A INT n: CD 03", "cd03-%s", mode_name(m));
		expect(m, cd03[BITS(m)], BP, 0, 0);
		T("SDM 3A 6.15 #OF: INTO", "of-%s", mode_name(m));
		expect(m, into_[BITS(m)], OF, 0, 0);
		T("SDM 3A 6.15 #BR: BOUND", "br-%s", mode_name(m));
		expect(m, bound[BITS(m)], BR, 0, FLEX_SP);
		T("SDM 3A 6.15 #NM: CR0.TS", "nm-%s", mode_name(m));
		wcr0(rcr0() | CR0_TS);
		expect(m, fninit_[BITS(m)], NM, 0, 0);
		wcr0(rcr0() & ~CR0_TS);
		T("SDM 2A INT1: #DB", "int1-%s", mode_name(m));
		expect(m, icebp[BITS(m)], DB, 0, 0);
		T("SDM 2A 2.3.11: more than 15 bytes: #GP(0)", "gp-16-bytes-%s", mode_name(m));
		expect(m, toolong[BITS(m)], GP, 0, 0);
		T("SDM 2A LOCK: #UD", "lock-nop-%s", mode_name(m));
		expect(m, lock_[BITS(m)], UD, 0, 0);
		T("SDM 3A 6.15 #NP: load DS", "np-ds-%s", mode_name(m));
		gdt_set(SEL_NP_DATA, 0, 0xfffff, RING(m) ? 0x73 : 0x13, 0xc);
		in.rcx = SEL_NP_DATA | RING(m);
		expect(m, ldds[BITS(m)], NP, SEL_NP_DATA, 0);
		T("SDM 3A 6.15 #SS: load SS not present", "ss-np-%s", mode_name(m));
		in.rcx = SEL_NP_DATA | RING(m);
		expect(m, ldss[BITS(m)], SS, SEL_NP_DATA, 0);
		T("SDM 2B MOV Sreg: null into SS is #GP(0) in legacy mode, also at ring 0", "ss-null-%s", mode_name(m));
		expect(m, ldss[BITS(m)], GP, 0, 0);
		T("SDM 2B MOV Sreg: beyond the GDT", "ds-limit-%s", mode_name(m));
		in.rcx = 0x1000;
		expect(m, ldds[BITS(m)], GP, 0x1000, 0);
		T("SDM 3B 17.3.1.4: single step", "step-%s", mode_name(m));
		in.rflags |= F_TF;
		wdr6(0xffff0ff0);
		hook[DB] = resume;
		run(m, nops[BITS(m)]);
		eq("vec", log_[0].vec, DB);
		eq("rip", log_[0].rip, snip_ip(m, nops[BITS(m)], 1));
		eq("second", log_[1].rip, snip_ip(m, nops[BITS(m)], 2));
		eq("bs", log_[0].dr6 & 0x4000, 0x4000);
	}
	T("SDM 3A 5.9: HLT at ring 3", "hlt-r3-32");
	expect(R3_32, hlt_[1], GP, 0, 0);
	T("SDM 3A 5.9: HLT at ring 3", "hlt-r3-16");
	expect(R3_16, hlt_[2], GP, 0, 0);
	T("SDM 3A 5.9: INVLPG at ring 3", "invlpg-r3-32");
	expect(R3_32, &invlpg_, GP, 0, 0);
	T("SDM 2A CLI: IOPL", "cli-r3-32");
	expect(R3_32, &cli_, GP, 0, 0);
	T("SDM 1 19.5.2: the 32-bit TSS's bitmap denies", "io-denied-r3-32");
	expect(R3_32, &in84, GP, 0, 0);
	T("SDM 1 19.5.2: the 32-bit TSS's bitmap allows", "io-allowed-r3-32");
	tss.iomap[0x84 / 8] &= ~(1 << 0x84 % 8);
	eq("vec", run(R3_32, &in84), DONE);
	T("SDM 2B POPF: ring 3 keeps IF and IOPL", "popf-r3-32");
	in.rdi = F_IF | IOPL(3);
	eq("vec", run(R3_32, &popf_), DONE);
	eq("flags", rec->rax & (F_IF | IOPL(3)), 0);
	T("SDM 2A AAM: base 0 is #DE", "aam-0");
	expect(R3_32, &aam0, DE, 0, 0);
	T("SDM 2A DAA runs in 32-bit mode", "daa");
	eq("vec", run(R3_32, &daa_), DONE);
	eq("al", rec->rax & 0xff, 0x10);
	T("SDM 2 opcode D6 (SALC) runs in 32-bit mode", "salc");
	eq("vec", run(R3_32, &salc_), DONE);
	eq("al", rec->rax & 0xff, 0xff);
	T("SDM 3A 6.15 #MF", "mf-r3-32");
	expect(R3_32, &mf32, MF, 0, 0);
	asm volatile("fninit");
	T("SDM 3A 6.15 #AC", "ac-r3-32");
	wcr0(rcr0() | CR0_AM);
	in.rflags |= F_AC;
	expect(R3_32, &ac32, AC, 0, 0);
	wcr0(rcr0() & ~CR0_AM);
	T("SDM 2B SYSCALL: #UD outside 64-bit mode (EFER.SCE=0)", "syscall-r3-32");
	expect(R3_32, syscall_[1], UD, 0, 0);
}

static void seg(const char *name, const char *ref, struct snip *s, u32 base, u32 limit, u8 access, u8 fl, u32 off, u32 vec)
{
	T(ref, "seg-%s", name);
	gdt_set(SEL_SCRATCH, base, limit, access, fl);
	in.rcx = SEL_SCRATCH | 3;
	in.rdi = off;
	run(R3_32, s);
	eq("vec", rec->vec, vec);
	if (vec != DONE)
		eq("err", rec->err, 0);
}

static void g_segments(void)
{
	seg("limit-last", "SDM 3A 5.3: the last byte inside", &dsread, 0x1000, 0xff, 0xf3, 4, 0xff, DONE);
	seg("limit-beyond", "SDM 3A 5.3: one beyond is #GP(0)", &dsread, 0x1000, 0xff, 0xf3, 4, 0x100, GP);
	seg("limit-write", "SDM 3A 5.3: writes too", &dswrite, 0x1000, 0xff, 0xf3, 4, 0x100, GP);
	seg("limit-es", "SDM 3A 5.3: ES", &esread, 0x1000, 0xff, 0xf3, 4, 0x100, GP);
	seg("limit-fs", "SDM 3A 5.3: FS", &fsread, 0x1000, 0xff, 0xf3, 4, 0x100, GP);
	seg("limit-granular", "SDM 3A 5.3: G=1 scales the limit by 4096", &dsread, 0, 1, 0xf3, 0xc, 0x1fff, DONE);
	seg("limit-granular-beyond", "SDM 3A 5.3: G=1, one beyond", &dsread, 0, 1, 0xf3, 0xc, 0x2000, GP);
	seg("expand-down-below", "SDM 3A 5.3: expand-down: at the limit is #GP(0)", &dsread, 0, 0xff, 0xf7, 4, 0xff, GP);
	seg("expand-down-above", "SDM 3A 5.3: expand-down: above the limit is fine", &dsread, 0, 0xff, 0xf7, 4, 0x100, DONE);
	seg("expand-down-16bit", "SDM 3A 5.3: expand-down with B=0 ends at 0xffff", &dsread, 0, 0xff, 0xf7, 0, 0x10000, GP);
	seg("readonly-write", "SDM 3A 3.4.5.1: write to read-only data", &dswrite, 0, 0xfffff, 0xf1, 0xc, (ulong)test_stack, GP);
	seg("code-read", "SDM 3A 3.4.5.1: readable code in DS can be read", &dsread, 0, 0xfffff, 0xfb, 0xc, (ulong)test_stack, DONE);
	seg("code-write", "SDM 3A 3.4.5.1: but not written", &dswrite, 0, 0xfffff, 0xfb, 0xc, (ulong)test_stack, GP);
	seg("cs-write", "SDM 3A 3.4.5.1: CS is never writable", &cswrite, 0, 0, 0, 0, (ulong)test_stack, GP);
	seg("cs-read", "SDM 3A 3.4.5.1: readable CS can be read", &csread, 0, 0, 0, 0, (ulong)test_stack, DONE);
	seg("base", "SDM 3A 3.4.3: the base is added", &dsread, (ulong)test_stack - 0x10, 0xff, 0xf3, 4, 0x10, DONE);
	T("SDM 3A 5.4.1: an access through null DS is #GP(0)", "seg-null");
	in.rdi = (ulong)test_stack;
	run(R3_32, &dsread);
	eq("vec", rec->vec, GP);
	eq("err", rec->err, 0);
	T("SDM 3A 6.15 #SS: beyond the SS limit", "seg-ss-limit");
	gdt_set(SEL_SCRATCH, 0, 0xff, 0xf3, 4);
	in.rcx = SEL_SCRATCH | 3;
	run(R3_32, &ssread);
	eq("vec", rec->vec, SS);
	eq("err", rec->err, 0);
	T("SDM 2A JMP: far beyond the GDT", "ljmp-limit");
	expect(R3_32, &jmpf, GP, 0x1000, 0);
	T("SDM 2A JMP: offset beyond the new CS limit is #GP(0)", "ljmp-offset-limit");
	gdt_set(SEL_SCRATCH, 0, 0xff, 0xfb, 4);
	expect(R3_32, &jmp_limit, GP, 0, 0);
}

static void g_gates(void)
{
	EACH(m) {
		T("SDM 3A 6.12.1: INT n through a DPL 3 gate", "int-n-%s", mode_name(m));
		idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
		expect(m, int40t[BITS(m)], 0x40, 0, 0);
		if (RING(m))
			eq("frame", rec->frame_end, (ulong)rsp0_stack_top);
		else
			eq("frame", rec->frame_end, in.rsp);
		T("SDM 3A 6.13: not-present gate: #NP(n*8+2)", "gate-np-%s", mode_name(m));
		idt_gate(0x40, STUB(0x40), KCS, 0x6e, 0);
		expect(m, int40[BITS(m)], NP, 0x202, 0);
		idt_default(0x40);
	}
	for (enum mode m = R3_32; m <= R3_16; m += 2) {
		T("SDM 3A 6.12.1.2: DPL < CPL: #GP(n*8+2)", "int-n-dpl0-%s", mode_name(m));
		expect(m, int40[BITS(m)], GP, 0x202, 0);
		T("SDM 3A 6.12.1.2: CD 03 with a DPL 0 gate", "cd03-dpl0-%s", mode_name(m));
		idt_gate(BP, STUB(BP), KCS, 0x8e, 0);
		expect(m, cd03f[BITS(m)], GP, BP * 8 + 2, 0);
		idt_default(BP);
	}
	static const struct { const char *n; u16 sel; u8 type; u32 vec, err; } t[] = {
		{ "null-cs", 0, 0xee, GP, 0 }, { "cs-limit", 0x1000, 0xee, GP, 0x1000 }, { "cs-data", KDS, 0xee, GP, KDS },
		{ "cs-np", SEL_NP_CODE, 0xee, NP, SEL_NP_CODE }, { "call-type", KCS, 0xec, GP, 0x202 },
		{ "task-null", 0, 0xe5, GP, 0 },
	};
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 2A INT: checks of the gate", "gate-%s", t[i].n);
		idt_gate(0x40, STUB(0x40), t[i].sel, t[i].type, 0);
		if (i == 5) {
			run(R3_32, int40[1]);
			eq("vec", rec->vec, GP);
		} else {
			expect(R3_32, int40[1], t[i].vec, t[i].err, 0);
		}
		idt_default(0x40);
	}
	T("SDM 3A 6.13: an exception's bad gate carries EXT", "gate-ext");
	idt_gate(UD, STUB(UD), KCS, 0x0e, 0);
	expect(R3_32, ud2_[1], NP, UD * 8 + 3, 0);
	idt_default(UD);
	T("SDM 3A 6.15 #DF: contributory after contributory, error code 0", "df");
	idt_gate(DE, STUB(DE), KCS, 0x0e, 0);
	run(R3_32, de[1]);
	eq("vec", rec->vec, DF);
	eq("err", rec->err, 0);
	idt_default(DE);
	T("SDM 3A 6.15 #TS: null SS0 in the TSS: #TS(0)", "ts-ss0-null");
	/* Only INT 0x40 meets the bad stack: #TS is taken through a conforming segment. */
	gdt_set(0xc0, 0, 0xfffff, 0x9f, 0xc);
	extern u8 land3[];
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
	idt_gate(TS, land3, 0xc0, 0x8e, 0);
	idt_gate(0xf1, STUB(0xf1), KCS, 0xee, 0);
	tss.t.ss0 = 0;
	extern u32 land_err, land_ip, fix_ss0;
	land_err = 0xdead;
	run(R3_32, int40[1]);
	tss.t.ss0 = KDS;
	eq("vec", rec->vec, LANDED);
	eq("err", land_err, 0);
	eq("rip", land_ip, (ulong)int40[1]->code + int40[1]->at);
	T("SDM 3A 6.15 #TS: SS0 a read-only segment: #TS(selector)", "ts-ss0-readonly");
	gdt_set(0xc8, 0, 0xfffff, 0x91, 0xc);
	tss.t.ss0 = 0xc8;
	land_err = 0xdead;
	run(R3_32, int40[1]);
	tss.t.ss0 = KDS;
	eq("vec", rec->vec, LANDED);
	eq("err", land_err, 0xc8);
	T("SDM 3A 6.15 #TS: SS0 with RPL 3: #TS(selector)", "ts-ss0-rpl");
	tss.t.ss0 = KDS | 3;
	land_err = 0xdead;
	run(R3_32, int40[1]);
	tss.t.ss0 = KDS;
	eq("vec", rec->vec, LANDED);
	eq("err", land_err, KDS);
	T("SDM 3A 6.15 #SS: SS0 not present: #SS(selector)", "ss-ss0-np");
	gdt_set(0xc8, 0, 0xfffff, 0x13, 0xc);
	idt_gate(SS, land3, 0xc0, 0x8e, 0);
	tss.t.ss0 = 0xc8;
	land_err = 0xdead;
	run(R3_32, int40[1]);
	tss.t.ss0 = KDS;
	eq("vec", rec->vec, LANDED);
	eq("err", land_err, 0xc8);
	idt_default(TS);
	idt_default(SS);
	idt_default(0x40);
	T("SDM 3A 6.12.1: a 16-bit gate pushes 2-byte IP, CS, FLAGS", "gate-16bit");
	extern u8 gate16[];
	gdt_set(SEL_SCRATCH, (ulong)gate16, 0xffff, 0x9b, 0);
	idt_gate(0x40, 0, SEL_SCRATCH, 0xe6, 0);
	run(R0_16, int40t[2]);
	eq("vec", rec->vec, LANDED);
	eq("ip", rec->rax & 0xffff, int40t[2]->at);
	eq("cs", rec->rbx & 0xffff, KCS16);
	eq("flags", rec->rcx & 0xffff, 2);
	idt_default(0x40);
	(void)fix_ss0;
}
/* Runs at CPL 3 on the interrupted stack: notes error code and EIP, repairs the TSS, reports. */
asm(".pushsection .snip,\"ax\"\n.code32\nland3: popl land_err\n popl land_ip\n movl $0x10,tss+8\n int $0xf1\n"
    ".code16\ngate16: popw %ax\n popw %bx\n popw %cx\n int $0xf1\n.code32\n.popsection");
u32 land_err, land_ip, fix_ss0;

static void g_transfers(void)
{
	static const struct { const char *n; u32 cs, ss, vec, err; } t[] = {
		{ "to-r3", UCS32, UDS, DONE, 0 }, { "null-cs", 0, UDS, GP, 0 }, { "cs-limit", 0x1003, UDS, GP, 0x1000 },
		{ "cs-data", UDS, UDS, GP, UDS & ~3 }, { "cs-dpl", KCS | 3, UDS, GP, KCS }, { "ss-null", UCS32, 0, GP, 0 },
		{ "ss-rpl", UCS32, KDS, GP, KDS }, { "ss-code", UCS32, UCS32, GP, UCS32 & ~3 },
	};

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 2A IRET: checks of a return to ring 3", "iret-%s", t[i].n);
		in.rax = t[i].ss; in.rcx = (ulong)test_stack_top - 1024; in.rdx = 2; in.rbx = t[i].cs; in.rsi = (ulong)umark.code;
		run(R0_32, &iret_);
		eq("vec", rec->vec, t[i].vec);
		if (t[i].vec == DONE) {
			eq("cs", rec->cs, UCS32);
			eq("ss", rec->ss, UDS);
			eq("rsp", rec->rsp, in.rcx);
		} else {
			eq("err", rec->err, t[i].err);
			eq("rip", rec->rip, (ulong)iret_.code + iret_.at);
		}
	}
	T("SDM 2B RET: far to ring 3", "lret-to-r3");
	in.rax = UDS; in.rcx = (ulong)test_stack_top - 1024; in.rbx = UCS32; in.rsi = (ulong)umark.code;
	run(R0_32, &lret_);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, UCS32);
	eq("rsp", rec->rsp, in.rcx);
	T("SDM 3A 5.8.4: a 32-bit call gate from ring 3: stack of the TSS, old SS:ESP, CS:EIP", "call-gate");
	gdt[SEL_GATE >> 3] = ((ulong)peek.code & 0xffff) | (u64)KCS << 16 | 0xecull << 40 | (u64)((ulong)peek.code >> 16) << 48;
	run(R3_32, &callgate);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, KCS);
	eq("eip", rec->rax, (ulong)callgate.code + 7);
	eq("pushed-cs", rec->rbx, UCS32);
	eq("esp", rec->rcx, in.rsp);
	eq("ss", rec->rdx & 0xffff, UDS);
	T("SDM 3A 5.8.5: a call gate with 2 parameters copies them", "call-gate-parameters");
	extern struct snip callgate_p;
	gdt[SEL_GATE >> 3] |= 2ull << 32;
	run(R3_32, &callgate_p);
	eq("vec", rec->vec, DONE);
	eq("first", rec->rcx, 0x222);
	eq("second", rec->rdx, 0x111);
	T("SDM 2B SYSENTER: IA32_SYSENTER_CS=0 is #GP(0)", "sysenter-cs0");
	wrmsr(0x174, 0);
	expect(R3_32, &sysent, GP, 0, 0);
	T("SDM 2B SYSENTER: to ring 0", "sysenter");
	wrmsr(0x174, KCS);
	wrmsr(0x175, (ulong)test_stack_top - 2048);
	wrmsr(0x176, (ulong)land);
	run(R3_32, &sysent);
	eq("vec", rec->vec, LANDED);
	eq("rip", rec->rip, (ulong)land + 2);
	eq("cs", rec->cs, KCS);
	eq("rsp", rec->rsp, (ulong)test_stack_top - 2048);
	T("SDM 2B SYSEXIT: to ring 3", "sysexit");
	in.rdx = (ulong)umark.code;
	in.rcx = (ulong)test_stack_top - 1024;
	run(R0_32, &sysexit_);
	eq("vec", rec->vec, DONE);
	eq("cs", rec->cs, (KCS + 16) | 3);
	eq("rsp", rec->rsp, in.rcx);
	T("SDM 2B SYSEXIT: #GP(0) at ring 3", "sysexit-r3");
	expect(R3_32, &sysexit_, GP, 0, 0);
}
CODE32(callgate_p, "pushl $0x111\n pushl $0x222\n lcall $0xb3,$0\n nop");

void kmain(void)
{
	group("exceptions", g_basic);
	group("segments", g_segments);
	group("gates", g_gates);
	group("transfers", g_transfers);
}
