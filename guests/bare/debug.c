/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single step, hardware breakpoints, the MOV SS and STI shadows, NMI and HLT.
 */
#include "bare.h"

#define EACH(m) for (enum mode m = R0_64; m <= R3_16; m++)
#define BS 0x4000
#define BD 0x2000

static int step(struct frame *f)
{
	(void)f;
	wdr6(0xffff0ff0);
	return 1;
}

static void dr_clear(void)
{
	wdr7(0x400);
	wdr0(0);
	wdr1(0);
	wdr2(0);
	wdr3(0);
	wdr6(0xffff0ff0);
}

static void arm(enum mode m, struct snip *s)
{
	wdr6(0xffff0ff0);
	if (!hook[DB])
		hook[DB] = step;
	run(m, s);
	dr_clear();
}

/* The n-th recorded event is a single-step trap at s + off. */
static void stepped(struct snip *s, enum mode m, u32 n, ulong off)
{
	eq("vec", log_[n].vec, DB);
	eq("rip", log_[n].rip, snip_ip(m, s, off));
	eq("dr6", log_[n].dr6 & 0xe00f, BS);
}

CODEALL(nops, "nop\n nop\n 1: nop");
CODE64(popf, "pushfq\n orl $0x100,(%rsp)\n popfq\n nop\n 1: nop");
CODE64(popfc, "pushfq\n andl $~0x100,(%rsp)\n popfq\n 1: nop\n nop");
CODE64(repm, "1: rep movsb\n nop");
CODE64(jmp_, "jmp 1f\n nop\n nop\n 1: nop");
CODE64(int40, "int $0x40\n nop\n 1: nop");
CODE64(ud, "1: ud2");
CODE64(movss, "movl %ss,%eax\n movl %eax,%ss\n nop\n 1: nop");
CODE32(popss, "pushl %ss\n popl %ss\n nop\n 1: nop");
CODE64(sti_, "sti\n 1: nop");
CODE64(pushf_, "pushfq\n popq %rax");
CODE64(sysc, "syscall\n nop");
CODE64(icebp, ".byte 0xf1\n 1: nop");

static void g_step(void)
{
	EACH(m) {
		T("SDM 3B 17.3.1.4: TF set by IRET traps after each instruction, DR6.BS", "step-%s", mode_name(m));
		in.rflags |= F_TF;
		arm(m, nops[BITS(m)]);
		stepped(nops[BITS(m)], m, 0, 1);
		stepped(nops[BITS(m)], m, 1, 2);
		stepped(nops[BITS(m)], m, 2, 3);
		eq("done", log_[3].vec, DONE);
		eq("tf", log_[0].rflags & F_TF, F_TF);
	}
	T("SDM 3B 17.3.1.4: TF set by POPF traps after the next instruction, not after POPF", "step-popf-set");
	arm(R3_64, &popf);
	stepped(&popf, R3_64, 0, popf.at);
	T("SDM 3B 17.3.1.4: the POPF that clears TF is still trapped, what follows is not", "step-popf-clear");
	in.rflags |= F_TF;
	arm(R3_64, &popfc);
	stepped(&popfc, R3_64, 2, popfc.at);
	eq("then", log_[3].vec, DONE);
	eq("tf", log_[2].rflags & F_TF, 0);
	T("SDM 3B 17.3.1.4: a repeated string instruction traps after each iteration", "step-rep");
	in.rflags |= F_TF;
	in.rcx = 3;
	in.rsi = in.rdi = (ulong)test_stack;
	arm(R3_64, &repm);
	stepped(&repm, R3_64, 0, 0);
	eq("rcx", log_[0].rcx, 2);
	stepped(&repm, R3_64, 1, 0);
	eq("rcx", log_[1].rcx, 1);
	stepped(&repm, R3_64, 2, 2);
	stepped(&repm, R3_64, 3, 3);
	T("SDM 3B 17.3.1.4: a repeat count of 0 is one step", "step-rep-0");
	in.rflags |= F_TF;
	arm(R3_64, &repm);
	stepped(&repm, R3_64, 0, 2);
	T("SDM 3B 17.3.1.4: a taken jump traps at its target", "step-jmp");
	in.rflags |= F_TF;
	arm(R3_64, &jmp_);
	stepped(&jmp_, R3_64, 0, jmp_.at);
	T("SDM 3A 6.12.1, 3B 17.3.1.4: INT n clears TF; stepping goes on after IRET", "step-int-n");
	in.rflags |= F_TF;
	hook[0x40] = resume;
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
	arm(R3_64, &int40);
	eq("vec", log_[0].vec, 0x40);
	eq("tf", log_[0].rflags & F_TF, F_TF);
	stepped(&int40, R3_64, 1, int40.at);
	T("SDM 3A 6.9: a faulting instruction is not trapped; its frame has TF=1", "step-fault");
	in.rflags |= F_TF;
	arm(R3_64, &ud);
	eq("vec", log_[0].vec, UD);
	eq("tf", log_[0].rflags & F_TF, F_TF);
	T("SDM 3A 6.8.3: MOV SS holds the trap back until the next instruction is done", "step-mov-ss");
	in.rflags |= F_TF;
	arm(R0_64, &movss);
	stepped(&movss, R0_64, 0, 2);
	stepped(&movss, R0_64, 1, movss.at);
	T("SDM 3A 6.8.3: POP SS holds the trap back until the next instruction is done", "step-pop-ss");
	in.rflags |= F_TF;
	arm(R3_32, &popss);
	stepped(&popss, R3_32, 0, 1);
	stepped(&popss, R3_32, 1, popss.at);
	T("SDM 2B STI: the STI shadow does not hold a single-step trap", "step-sti");
	in.rflags |= F_TF;
	arm(R0_64, &sti_);
	stepped(&sti_, R0_64, 0, 1);
	T("SDM 3B 17.3.1.4: PUSHF under TF stores TF=1", "step-pushf");
	in.rflags |= F_TF;
	arm(R3_64, &pushf_);
	eq("tf", rec->rax & F_TF, F_TF);
	T("SDM 2B SYSCALL: with TF in FMASK nothing is trapped after SYSCALL", "step-syscall");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1);
	wrmsr(0xc0000081, (u64)KCS << 32 | (u64)UCS32 << 48);
	wrmsr(0xc0000082, (ulong)land);
	wrmsr(0xc0000084, F_TF);
	in.rflags |= F_TF;
	arm(R3_64, &sysc);
	eq("vec", log_[0].vec, LANDED);
	eq("r11", log_[0].r11 & F_TF, F_TF);
	T("SDM 3B 17.3.1: INT1 sets no DR6 bit", "int1-dr6");
	arm(R3_64, &icebp);
	eq("vec", log_[0].vec, DB);
	eq("dr6", log_[0].dr6 & 0xe00f, 0);
}

/* One instruction each, of the kinds a simulator treats apart. */
CODE64(st_cpuid, "cpuid\n 1: nop");
CODE64(st_rdtsc, "rdtsc\n 1: nop");
CODE64(st_in, "inb $0x61,%al\n 1: nop");
CODE64(st_out, "outb %al,$0x80\n 1: nop");
CODE64(st_rdmsr, "rdmsr\n 1: nop");
CODE64(st_cr3, "movq %rdi,%cr3\n 1: nop");
CODE64(st_rcr0, "movq %cr0,%rax\n 1: nop");
CODE64(st_clts, "clts\n 1: nop");
CODE64(st_invlpg, "invlpg (%rsp)\n 1: nop");
CODE64(st_lidt, "lidt (%rsi)\n 1: nop");
CODE64(st_swapgs, "swapgs\n 1: nop\n swapgs");
CODE64(st_wbinvd, "wbinvd\n 1: nop");
CODE64(st_pause, "pause\n 1: nop");
CODE64(st_mmio, "movl (%rbx),%eax\n 1: nop");
CODE64(st_cli, "cli\n 1: nop");
CODE64(st_ltr, "str %eax\n 1: nop");

static void g_step_each(void)
{
	static const struct { const char *n; struct snip *s; } t[] = {
		{ "cpuid", &st_cpuid }, { "rdtsc", &st_rdtsc }, { "in", &st_in }, { "out", &st_out },
		{ "rdmsr", &st_rdmsr }, { "mov-to-cr3", &st_cr3 }, { "mov-from-cr0", &st_rcr0 },
		{ "clts", &st_clts }, { "invlpg", &st_invlpg }, { "lidt", &st_lidt }, { "swapgs", &st_swapgs },
		{ "wbinvd", &st_wbinvd }, { "pause", &st_pause }, { "mmio-read", &st_mmio }, { "cli", &st_cli },
		{ "str", &st_ltr },
	};

	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3B 17.3.1.4: the trap comes right after the instruction, once", "step-over-%s", t[i].n);
		in.rflags |= F_TF;
		in.rcx = 0x1b;
		in.rdi = rcr3();
		in.rsi = (ulong)&idtr;
		in.rbx = LAPIC + 0x30;
		arm(R0_64, t[i].s);
		stepped(t[i].s, R0_64, 0, t[i].s->at);
		stepped(t[i].s, R0_64, 1, t[i].s->at + 1);
	}
}

static u64 watch[8] __attribute__((aligned(64)));

static void dr_set(int i, ulong a)
{
	if (i == 0) wdr0(a);
	if (i == 1) wdr1(a);
	if (i == 2) wdr2(a);
	if (i == 3) wdr3(a);
}

/* type 0 exec, 1 write, 2 io, 3 read/write; len code 0 1, 1 2, 2 8, 3 4 */
static ulong dr7(int i, int type, int len)
{
	return 0x400 | 1ul << (i * 2) | (ulong)type << (16 + i * 4) | (ulong)len << (18 + i * 4);
}

static int with_rf(struct frame *f)
{
	wdr6(0xffff0ff0);
	f->flags |= F_RF;
	return 1;
}

CODE64(w1, "movb %al,(%rdi)\n 1: nop");
CODE64(w2, "movw %ax,(%rdi)\n 1: nop");
CODE64(w4, "movl %eax,(%rdi)\n 1: nop");
CODE64(w8, "movq %rax,(%rdi)\n 1: nop");
CODE64(r4, "movl (%rdi),%eax\n 1: nop");
CODE64(pushw, "movq %rdi,%rsp\n pushq %rax\n 1: nop");
CODE64(stosb, "rep stosb\n 1: nop");
CODE64(out80, "outb %al,$0x80\n 1: nop");
CODE64(twice, "jmp 2f\n 2: decl %ecx\n 1: nop\n jnz 2b");
CODE64(ssmem, "movl %ss,%eax\n movw %ax,(%rdi)\n movw (%rdi),%ss\n nop\n 1: nop");
CODE64(ssexec, "movl %ss,%eax\n movl %eax,%ss\n 1: nop\n nop");
CODE64(rdr0_, "nop\n 1: movq %db0,%rax");
CODE64(wdr7_, "nop\n 1: movq %rdi,%db7");
CODE64(wdr6_, "nop\n 1: movq %rdi,%db6");
CODE64(rdr4_, "nop\n 1: movq %db4,%rax");
CODE64(rdr5_, "nop\n 1: movq %db5,%rax");

static void data_case(const char *name, const char *ref, struct snip *s, int type, int len, ulong at, ulong access, int hit)
{
	T(ref, "%s", name);
	wdr0((ulong)watch + at);
	in.rdi = (ulong)watch + access;
	wdr7(dr7(0, type, len));
	arm(R3_64, s);
	if (hit) {
		eq("vec", log_[0].vec, DB);
		eq("dr6", log_[0].dr6 & 0xe00f, 1);
		eq("rip", log_[0].rip, (ulong)s->code + s->at);
	} else {
		eq("vec", log_[0].vec, DONE);
	}
}

static void exec_modes(enum mode from, enum mode to)
{
	for (enum mode m = from; m <= to; m++) {
		if (m == R3_64)
			continue;
		T("SDM 3B 17.2.5: breakpoints compare linear addresses in every mode", "break-exec-%s", mode_name(m));
		wdr0((ulong)nops[BITS(m)]->code + 1);
		wdr7(dr7(0, 0, 0));
		hook[DB] = with_rf;
		arm(m, nops[BITS(m)]);
		eq("vec", log_[0].vec, DB);
		eq("rip", log_[0].rip, snip_ip(m, nops[BITS(m)], 1));
		eq("once", log_[1].vec, DONE);
	}
}

/* Last, because one known subject does not survive it. */
static void g_break16(void)
{
	exec_modes(R0_16, R3_16);
}

static void g_break(void)
{
	for (int i = 0; i < 4; i++) {
		T("SDM 3B 17.3.1.1: instruction breakpoint: #DB as a fault, DR6.Bn", "break-exec-dr%d", i);
		dr_set(i, (ulong)nops[0]->code + 1);
		wdr7(dr7(i, 0, 0));
		hook[DB] = with_rf;
		arm(R3_64, nops[0]);
		eq("vec", log_[0].vec, DB);
		eq("rip", log_[0].rip, (ulong)nops[0]->code + 1);
		eq("dr6", log_[0].dr6 & 0xe00f, 1 << i);
		eq("once", log_[1].vec, DONE);
	}
	exec_modes(R0_64, R3_32);
	T("SDM 3B 17.3.1.1: the instruction-breakpoint frame has RF=0", "break-exec-rf");
	wdr0((ulong)nops[0]->code + 1);
	wdr7(dr7(0, 0, 0));
	hook[DB] = with_rf;
	arm(R3_64, nops[0]);
	eq("vec", log_[0].vec, DB);
	eq("rf", log_[0].rflags & F_RF, 0);
	T("SDM 3B 17.3.1.1: RF holds the breakpoint off for one instruction only", "break-exec-rf-once");
	wdr0((ulong)twice.code + twice.at);
	wdr7(dr7(0, 0, 0));
	hook[DB] = with_rf;
	in.rcx = 3;
	arm(R3_64, &twice);
	eq("hits", nlog, 4);
	eq("done", rec->vec, DONE);
	T("SDM 3B 17.2.4: global enable bits work like local ones", "break-exec-global");
	wdr0((ulong)nops[0]->code + 1);
	wdr7(0x402);
	hook[DB] = with_rf;
	arm(R3_64, nops[0]);
	eq("vec", log_[0].vec, DB);
	T("SDM 3B 17.2.4: a disabled breakpoint does not fire", "break-exec-disabled");
	wdr0((ulong)nops[0]->code + 1);
	wdr7(0x400);
	arm(R3_64, nops[0]);
	eq("vec", log_[0].vec, DONE);
	T("SDM 3B 17.2.3: DR6 bits stay until software clears them", "dr6-sticky");
	wdr0((ulong)nops[0]->code + 1);
	wdr7(dr7(0, 0, 0));
	hook[DB] = with_rf;
	wdr6(0xffff4ff2);
	run(R3_64, nops[0]);
	wdr7(0x400);
	eq("bs", log_[0].dr6 & BS, BS);
	eq("b0", log_[0].dr6 & 1, 1);
	T("SDM 3B 17.3.1.1: an instruction breakpoint on the second of two traps together with BS", "break-exec-and-step");
	wdr0((ulong)nops[0]->code + 1);
	wdr7(dr7(0, 0, 0));
	hook[DB] = with_rf;
	in.rflags |= F_TF;
	arm(R3_64, nops[0]);
	eq("rip", log_[0].rip, (ulong)nops[0]->code + 1);
	eq("bs", log_[0].dr6 & BS, BS);

	data_case("break-write-1", "SDM 3B 17.3.1.2: data write breakpoint: trap, RIP after it", &w1, 1, 0, 0, 0, 1);
	data_case("break-write-2", "SDM 3B 17.2.5: two-byte breakpoint", &w2, 1, 1, 2, 2, 1);
	data_case("break-write-4", "SDM 3B 17.2.5: four-byte breakpoint", &w4, 1, 3, 4, 4, 1);
	data_case("break-write-8", "SDM 3B 17.2.5: eight-byte breakpoint", &w8, 1, 2, 8, 8, 1);
	data_case("break-write-not-read", "SDM 3B 17.2.4: a write breakpoint ignores reads", &r4, 1, 3, 0, 0, 0);
	data_case("break-rw-read", "SDM 3B 17.2.4: R/W=3 fires on reads", &r4, 3, 3, 0, 0, 1);
	data_case("break-rw-write", "SDM 3B 17.2.4: R/W=3 fires on writes", &w4, 3, 3, 0, 0, 1);
	data_case("break-overlap-low", "SDM 3B 17.2.5: any overlap fires: wider access over one byte", &w8, 1, 0, 5, 0, 1);
	data_case("break-overlap-unaligned", "SDM 3B 17.2.5: any overlap fires: misaligned access", &w4, 1, 3, 8, 5, 1);
	data_case("break-adjacent-below", "SDM 3B 17.2.5: an access ending just below does not fire", &w4, 1, 3, 8, 4, 0);
	data_case("break-adjacent-above", "SDM 3B 17.2.5: an access starting just above does not fire", &w4, 1, 3, 8, 12, 0);
	data_case("break-len-aligns", "SDM 3B 17.2.5: the address is aligned by the length", &w1, 1, 3, 1, 0, 1);
	data_case("break-push", "SDM 3B 17.3.1.2: a PUSH is a write", &pushw, 1, 2, 8, 16, 1);
	T("SDM 3B 17.3.1.2: two data breakpoints hit by one store set both bits", "break-two");
	wdr0((ulong)watch);
	wdr3((ulong)watch + 4);
	in.rdi = (ulong)watch;
	wdr7(dr7(0, 1, 3) | dr7(3, 1, 3));
	arm(R3_64, &w8);
	eq("dr6", log_[0].dr6 & 0xe00f, 9);
	T("SDM 3B 17.3.1.2: a data breakpoint in a REP is taken after that iteration", "break-rep");
	wdr0((ulong)watch + 2);
	wdr7(dr7(0, 1, 0));
	in.rdi = (ulong)watch;
	in.rcx = 5;
	arm(R3_64, &stosb);
	eq("vec", log_[0].vec, DB);
	eq("rcx", log_[0].rcx, 2);
	eq("rip", log_[0].rip, (ulong)stosb.code);
	eq("done", rec->vec, DONE);
	T("SDM 3B 17.2.4: I/O breakpoint (R/W=2, CR4.DE=1): trap after OUT", "break-io");
	wcr4(rcr4() | CR4_DE);
	wdr0(0x80);
	wdr7(dr7(0, 2, 0));
	arm(R0_64, &out80);
	eq("vec", log_[0].vec, DB);
	eq("dr6", log_[0].dr6 & 0xe00f, 1);
	eq("rip", log_[0].rip, (ulong)out80.code + out80.at);
	wcr4(rcr4() & ~CR4_DE);
	T("SDM 3A 6.8.3: a data breakpoint hit by MOV SS is held until after the next instruction", "break-mov-ss-data");
	wdr0((ulong)watch);
	wdr7(dr7(0, 3, 1));
	in.rdi = (ulong)watch;
	hook[DB] = step;
	arm(R0_64, &ssmem);
	eq("first", log_[0].vec, DB);	/* the store before it */
	eq("vec", log_[1].vec, DB);
	eq("rip", log_[1].rip, (ulong)ssmem.code + ssmem.at);
	T("SDM 3A 6.8.3: an instruction breakpoint right after MOV SS does not fire", "break-mov-ss-exec");
	wdr0((ulong)ssexec.code + ssexec.at);
	wdr7(dr7(0, 0, 0));
	hook[DB] = with_rf;
	arm(R0_64, &ssexec);
	eq("vec", log_[0].vec, DONE);
}

static void g_dregs(void)
{
	T("SDM 3B 17.2.4: DR7.GD: MOV DR is #DB as a fault with DR6.BD", "dr7-gd");
	wdr6(0xffff0ff0);
	hook[DB] = resume;
	wdr7(0x2400);
	run(R0_64, &rdr0_);
	eq("vec", log_[0].vec, DB);
	eq("rip", log_[0].rip, (ulong)rdr0_.code + rdr0_.at);
	eq("dr6", log_[0].dr6 & BD, BD);
	eq("after", log_[1].vec, DONE);
	T("SDM 3B 17.2.4: GD is cleared on entry to the handler", "dr7-gd-cleared");
	hook[DB] = resume;
	wdr7(0x2400);
	run(R0_64, &rdr0_);
	eq("dr7", rdr7() & 0x2000, 0);
	T("SDM 2B MOV DR: #GP(0) at ring 3", "mov-dr-r3");
	expect(R3_64, &rdr0_, GP, 0, 0);
	T("SDM 3B 17.2.2: DR4 aliases DR6 with CR4.DE=0", "dr4-alias");
	wdr6(0xffff0ff0);
	eq("vec", run(R0_64, &rdr4_), DONE);
	eq("rax", rec->rax & 0xe00f, 0);
	T("SDM 3B 17.2.2: DR5 aliases DR7 with CR4.DE=0", "dr5-alias");
	eq("vec", run(R0_64, &rdr5_), DONE);
	eq("rax", rec->rax, 0x400);
	wcr4(rcr4() | CR4_DE);
	T("SDM 3B 17.2.2: DR4 is #UD with CR4.DE=1", "dr4-ud");
	expect(R0_64, &rdr4_, UD, 0, 0);
	T("SDM 3B 17.2.2: DR5 is #UD with CR4.DE=1", "dr5-ud");
	expect(R0_64, &rdr5_, UD, 0, 0);
	wcr4(rcr4() & ~CR4_DE);
	T("SDM 3B 17.2.6: a 1 in the upper half of DR7 is #GP(0)", "dr7-high");
	in.rdi = 0x100000400;
	expect(R0_64, &wdr7_, GP, 0, 0);
	T("SDM 3B 17.2.6: a 1 in the upper half of DR6 is #GP(0)", "dr6-high");
	in.rdi = 0x1ffff0ff0;
	expect(R0_64, &wdr6_, GP, 0, 0);
	T("SDM 3B 17.2.3: DR6 bits 4-10 read 1, bit 12 and the upper half 0", "dr6-fixed-bits");
	wdr6(0);
	eq("dr6", rdr6() & 0xfffffffffffe17f0, 0xfffe07f0);
	wdr6(0xffff0ff0);
	T("SDM 3B 17.2.4: DR7 bit 10 reads 1, bits 12, 14, 15 read 0", "dr7-fixed-bits");
	wdr7(0xd000);
	eq("dr7", rdr7(), 0x400);
	wdr7(0x400);
	T("SDM 3B 17.2.1: DR0-3 hold 64 bits", "dr0-64bit");
	wdr0(0xffff800012345678);
	eq("dr0", rdr0(), 0xffff800012345678);
	wdr0(0);
}

/* ---- interrupt shadow, HLT, NMI: events come from the local APIC ------- */

#define IPI 0x50
#define SELF_IPI (0x40000 | 0x4000 | IPI)
#define SELF_NMI 0x4400	/* fixed destination, set by ICR high */
#define NMI_ICR 0x4400

static int eoi(struct frame *f)
{
	(void)f;
	apic_w(0xb0, 0);
	return 0;	/* recover: the frame is the result */
}

static int eoi_go(struct frame *f)
{
	(void)f;
	apic_w(0xb0, 0);
	return 1;
}

static void settle(void)
{
	for (int i = 0; i < 200; i++)
		apic_r(0x30);
}

CODE64(sh_sti, "sti\n nop\n 1: nop\n nop");
CODE64(sh_sticli, "sti\n cli\n nop\n nop");
CODE64(sh_stihlt, "sti\n hlt\n 1: nop");
CODE64(sh_popf, "pushfq\n orl $0x200,(%rsp)\n popfq\n 1: nop\n nop");
CODE64(sh_stimovss, "movl %ss,%eax\n sti\n movl %eax,%ss\n 1: nop\n 2: nop\n nop");
CODE64(sh_iret, "nop\n nop");
CODE64(hlt_, "hlt\n 1: nop");

static void pend(void)
{
	apic_w(0x300, SELF_IPI);
	settle();
}

static void shadow(const char *name, const char *ref, struct snip *s, u64 flags)
{
	T(ref, "%s", name);
	hook[IPI] = eoi;
	in.rflags |= flags;
	pend();
	run(R0_64, s);
	eq("vec", rec->vec, IPI);
	eq("rip", rec->rip, (ulong)s->code + s->at);
	eq("if", rec->rflags & F_IF, F_IF);
}

static void g_shadow(void)
{
	apic_on();
	shadow("shadow-sti", "SDM 2B STI: a pending interrupt is taken after the instruction behind STI", &sh_sti, 0);
	shadow("shadow-sti-hlt", "SDM 2B STI: STI; HLT wakes, RIP after HLT", &sh_stihlt, 0);
	shadow("no-shadow-popf", "SDM 2B POPF: no shadow: taken right after POPF", &sh_popf, 0);
	shadow("no-shadow-iret", "SDM 2A IRET: no shadow: taken before the first instruction", &sh_iret, F_IF);
	T("SDM 2B STI: STI; CLI opens no window", "shadow-sti-cli");
	hook[IPI] = eoi;
	pend();
	eq("vec", run(R0_64, &sh_sticli), DONE);
	eq("irr", apic_r(0x200 + (IPI / 32) * 16) >> (IPI % 32) & 1, 1);
	hook[IPI] = eoi_go;
	sti();
	cli();
	T("SDM 3A 6.8.3: STI; MOV SS: not before MOV SS is done", "shadow-sti-mov-ss");
	hook[IPI] = eoi;
	pend();
	run(R0_64, &sh_stimovss);
	eq("vec", rec->vec, IPI);
	yes("after-mov-ss", rec->rip == (ulong)sh_stimovss.code + sh_stimovss.at || rec->rip == (ulong)sh_stimovss.code + sh_stimovss.at + 1);
	T("SDM 2A HLT: #GP(0) at ring 3", "hlt-r3");
	run(R3_64, &hlt_);
	eq("vec", rec->vec, GP);
	eq("rip", rec->rip, (ulong)hlt_.code);
}

static int nmis, depth, deepest, mode_;
static u32 bsp_id;

static void nmi_self(void)
{
	apic_w(0x310, bsp_id << 24);
	apic_w(0x300, NMI_ICR);
}

static int nmi_hook(struct frame *f)
{
	(void)f;
	nmis++;
	if (++depth > deepest)
		deepest = depth;
	if (nmis == 1 && mode_) {
		nmi_self();
		settle();
		nmi_self();
		settle();
		if (mode_ == 2) {
			asm volatile("int3");	/* its IRET ends the blocking */
			settle();
		}
	}
	depth--;
	return 1;
}

CODE64(nmi_send, "movl $0x4400,%eax\n movl %eax,(%rdi)\n movl $300,%ecx\n 2: movl 0x30(%rbx),%eax\n loop 2b\n 1: nop");
CODE64(nmi_hlt, "3: hlt\n 1: nop\n jmp 3b");

/* Ends when an NMI has interrupted right after the HLT. */
static int after_hlt(struct frame *f)
{
	return f->ip != (ulong)nmi_hlt.code + nmi_hlt.at;
}

static void nmi_case(const char *name, const char *ref, enum mode m, int how, int want_n, int want_depth)
{
	T(ref, "%s", name);
	nmis = depth = deepest = 0;
	mode_ = how;
	hook[NMI] = nmi_hook;
	hook[BP] = resume;
	in.rdi = LAPIC + 0x300;
	in.rbx = LAPIC;
	apic_w(0x310, bsp_id << 24);
	run(m, &nmi_send);
	eq("vec", rec->vec, DONE);
	eq("nmis", nmis, want_n);
	eq("depth", deepest, want_depth);
}

static void g_nmi(void)
{
	apic_on();
	bsp_id = apic_r(0x20) >> 24;
	nmi_case("nmi-self-ipi", "SDM 3A 6.7: NMI by self IPI arrives with IF=0 as vector 2", R0_64, 0, 1, 1);
	nmi_case("nmi-r3", "SDM 3A 6.7: NMI interrupts ring 3", R3_64, 0, 1, 1);
	nmi_case("nmi-blocked", "SDM 3A 6.7.1: NMIs in the handler are held, one only, until IRET", R0_64, 1, 2, 1);
	nmi_case("nmi-iret-unblocks", "SDM 3A 6.7.1: any IRET ends the blocking, also a nested exception's", R0_64, 2, 2, 2);
	T("SDM 3A 6.7: the NMI frame: no error code, RIP between instructions, CS of the interrupted code", "nmi-frame");
	in.rdi = LAPIC + 0x300;
	in.rbx = LAPIC;
	run(R3_64, &nmi_send);
	eq("vec", rec->vec, NMI);
	eq("err", rec->err, 0);
	eq("cs", rec->cs, UCS64);
	eq("ss", rec->ss, UDS);
	eq("frame", rec->frame_end, (ulong)rsp0_stack_top);
	T("SDM 3A 6.14.5: NMI on its IST", "nmi-ist");
	idt_gate(NMI, STUB(NMI), KCS, 0x8e, 6);
	in.rdi = LAPIC + 0x300;
	in.rbx = LAPIC;
	run(R0_64, &nmi_send);
	eq("vec", rec->vec, NMI);
	eq("frame", rec->frame_end, tss.t.ist[5]);
	idt_default(NMI);
	T("SDM 2A HLT: NMI ends HLT even with IF=0", "nmi-wakes-hlt");
	hook[NMI] = after_hlt;
	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0x40);
	ioapic_w(0x15, bsp_id << 24);
	ioapic_w(0x14, 0x400);
	run(R0_64, &nmi_hlt);
	ioapic_w(0x14, 0x10000);
	eq("vec", rec->vec, NMI);
	eq("rip", rec->rip, (ulong)nmi_hlt.code + nmi_hlt.at);
}

void kmain(void)
{
	group("single step", g_step);
	group("single step over special instructions", g_step_each);
	group("breakpoints", g_break);
	group("debug registers", g_dregs);
	group("interrupt shadow and HLT", g_shadow);
	group("NMI", g_nmi);
	group("breakpoints in 16-bit code", g_break16);
}
