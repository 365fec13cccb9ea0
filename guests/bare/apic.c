/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC: registers, IPIs and their delivery, priorities, the timer. */
#include "apic.h"

static void g_regs(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	T("SDM 3A 10.4.6: the APIC id register agrees with CPUID", "id");
	eq("id", me, r[1] >> 24);
	T("SDM 3A 10.4.8: version 1x, at least 4 LVT entries", "version");
	eq("version", apic_r(VER) >> 4 & 0xf, 1);
	yes("lvt", (apic_r(VER) >> 16 & 0xff) >= 3);
	T("SDM 3A 10.8.3.1: TPR holds 8 bits", "tpr-readback");
	apic_w(TPR, 0xffffff5a);
	eq("tpr", apic_r(TPR), 0x5a);
	T("SDM 3A 10.8.3.1: PPR is TPR when nothing is in service", "ppr-is-tpr");
	eq("ppr", apic_r(PPR) & 0xf0, 0x50);
	apic_w(TPR, 0);
	T("SDM 3A 10.6.2.2: LDR keeps the logical id bits", "ldr");
	apic_w(LDR, 0x01000000);
	eq("ldr", apic_r(LDR), 0x01000000);
	T("SDM 3A 10.6.2.2: DFR bits 27:0 read 1", "dfr");
	apic_w(DFR, 0xf0000000);
	eq("dfr", apic_r(DFR), 0xffffffff);
	T("SDM 3A 10.5.1: a masked LVT entry reads back", "lvt-readback");
	apic_w(LVT_TIMER, 0x10044);
	eq("lvt", apic_r(LVT_TIMER), 0x10044);
	T("SDM 3A 10.5.4: the divide register keeps bits 0, 1, 3", "divide-readback");
	apic_w(TIMER_DIV, 0xb);
	eq("divide", apic_r(TIMER_DIV), 0xb);
	T("SDM 3A 10.4.3: with the software enable off LVT entries are forced masked", "software-disable-masks");
	apic_w(LVT_TIMER, 0x44);
	apic_w(SVR, 0xff);
	apic_w(SVR, 0x1ff);
	eq("mask", apic_r(LVT_TIMER) >> 16 & 1, 1);
	apic_w(LVT_TIMER, 0x10044);
	T("SDM 3A 10.12.8: registers read the same through another mapping of the page", "mapped-alias");
	win_init();
	win_pt[0] = LAPIC | 3 | 0x18;
	wcr3(rcr3());
	eq("ver", *(volatile u32 *)(TV + VER), apic_r(VER));
}

static void g_ipi(void)
{
	static const struct { const char *n; u32 high, low; } t[] = {
		{ "self-shorthand", 0, 0x44000 }, { "physical", 1, 0x4000 }, { "logical-flat", 2, 0x4800 },
		{ "all-including-self", 0, 0x84000 }, { "physical-broadcast", 3, 0x4000 },
	};

	apic_w(LDR, 0x01000000);
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 10.6.1: a fixed IPI to this CPU arrives once", "ipi-%s", t[i].n);
		clear();
		hook[0x51] = tick;
		apic_w(ICRH, (t[i].high == 1 ? me : t[i].high == 2 ? 1 : t[i].high == 3 ? 0xff : 0) << 24);
		apic_w(ICR, t[i].low | 0x51);
		await(0x51, 1);
		window();
		eq("count", count[0x51], 1);
	}
	T("SDM 3A 10.6.1: logical destination without our bit does not arrive", "ipi-logical-other");
	clear();
	hook[0x51] = tick;
	apic_w(ICRH, 0x80000000);
	apic_w(ICR, 0x4851);
	window();
	eq("count", count[0x51], 0);
	T("SDM 3A 10.6.1: all-excluding-self does not arrive here", "ipi-all-but-self-not-here");
	clear();
	hook[0x51] = tick;
	apic_w(ICR, 0xc4051);
	window();
	eq("count", count[0x51], 0);
	T("SDM 3A 10.6.1: delivery status reads idle afterwards", "ipi-idle");
	hook[0x51] = tick;
	self(0x51);
	eq("pending", apic_r(ICR) >> 12 & 1, 0);
	window();
	T("SDM 3A 10.8.4: IRR is set while the interrupt waits, ISR while it is served", "irr-isr");
	self(0x52);
	eq("irr", bit(IRR, 0x52), 1);
	eq("isr", bit(ISR, 0x52), 0);
	hook[0x52] = 0;
	run(R0_64, &sti_);
	eq("vec", rec->vec, 0x52);
	eq("irr-served", bit(IRR, 0x52), 0);
	eq("isr-served", bit(ISR, 0x52), 1);
	eq("ppr", apic_r(PPR) & 0xf0, 0x50);
	T("SDM 3A 10.8.5: EOI clears the highest ISR bit", "eoi");
	apic_w(EOI, 0);
	eq("isr", bit(ISR, 0x52), 0);
	eq("ppr", apic_r(PPR) & 0xf0, 0);
	T("SDM 3A 6.8.1, 10.8: the interrupt frame: vector, no error code, RIP of the next instruction", "frame-r3");
	self(0x52);
	in.rflags |= F_IF;
	extern struct snip nops_;
	run(R3_64, &nops_);
	eq("vec", rec->vec, 0x52);
	eq("rip", rec->rip, (ulong)nops_.code);
	eq("cs", rec->cs, UCS64);
	eq("frame", rec->frame_end, (ulong)rsp0_stack_top);
	apic_w(EOI, 0);
	static const enum mode ms[] = { R3_32, R3_16, R0_32 };
	for (int i = 0; i < 3; i++) {
		extern struct snip nops32_, nops16_;
		T("SDM 3A 6.14: an interrupt out of compatibility-mode code", "frame-%s", mode_name(ms[i]));
		self(0x52);
		in.rflags |= F_IF;
		run(ms[i], BITS(ms[i]) == 1 ? &nops32_ : &nops16_);
		eq("vec", rec->vec, 0x52);
		eq("rip", rec->rip, snip_ip(ms[i], BITS(ms[i]) == 1 ? &nops32_ : &nops16_, 0));
		eq("cs", rec->cs, last_cs);
		apic_w(EOI, 0);
	}
	T("SDM 3A 10.8.4: the same vector twice while pending is one interrupt", "ipi-merge");
	clear();
	hook[0x52] = tick;
	self(0x52);
	self(0x52);
	await(0x52, 1);
	window();
	eq("count", count[0x52], 1);
	T("SDM 3A 10.8.4: one in service and one pending are two", "ipi-two-deep");
	clear();
	self(0x53);
	hook[0x53] = 0;
	run(R0_64, &sti_);
	self(0x53);
	eq("isr", bit(ISR, 0x53), 1);
	eq("irr", bit(IRR, 0x53), 1);
	apic_w(EOI, 0);
	hook[0x53] = tick;
	window();
	eq("count", count[0x53], 1);
	T("SDM 3A 10.5.2: vectors below 16 are illegal: ESR send or receive illegal vector", "esr-illegal-vector");
	apic_w(ESR, 0);
	apic_w(ESR, 0);
	self(0x05);
	apic_w(ESR, 0);
	yes("esr", (apic_r(ESR) & 0x60) != 0);
	apic_w(ESR, 0);
}

CODE64(nops_, "nop\n nop\n nop");
CODE32(nops32_, "nop\n nop\n nop");
CODE16(nops16_, "nop\n nop\n nop");

static int nest_low(struct frame *f)
{
	order[norder++] = f->vec;
	self(0x91);
	sti();
	settle();
	cli();
	order[norder++] = 0x1000 + f->vec;
	apic_w(EOI, 0);
	return 1;
}

static int nest_high(struct frame *f)
{
	order[norder++] = f->vec;
	self(0x41);
	sti();
	settle();
	cli();
	order[norder++] = 0x1000 + f->vec;
	apic_w(EOI, 0);
	return 1;
}

static void wcr8(ulong v) { asm volatile("mov %0,%%cr8" :: "r"(v)); }

static void g_priority(void)
{
	T("SDM 3A 10.8.3: the highest pending vector is delivered first", "priority-order");
	clear();
	hook[0x41] = hook[0x61] = hook[0x91] = ordered;
	self(0x61);
	self(0x41);
	self(0x91);
	window();
	eq("first", order[0], 0x91);
	eq("second", order[1], 0x61);
	eq("third", order[2], 0x41);
	T("SDM 3A 10.8.3.1: a higher class interrupts a handler", "priority-nest");
	clear();
	hook[0x41] = nest_low;
	hook[0x91] = ordered;
	self(0x41);
	window();
	eq("0", order[0], 0x41);
	eq("1", order[1], 0x91);
	eq("2", order[2], 0x1041);
	T("SDM 3A 10.8.3.1: a lower class waits for EOI", "priority-wait");
	clear();
	hook[0x91] = nest_high;
	hook[0x41] = ordered;
	self(0x91);
	window();
	eq("0", order[0], 0x91);
	eq("1", order[1], 0x1091);
	eq("2", order[2], 0x41);
	T("SDM 3A 10.8.3.1: the same class waits for EOI too", "priority-same-class");
	clear();
	hook[0x45] = 0;
	self(0x45);
	run(R0_64, &sti_);
	eq("vec", rec->vec, 0x45);
	hook[0x4e] = ordered;
	self(0x4e);
	window();
	eq("held", norder, 0);
	apic_w(EOI, 0);
	window();
	eq("then", order[0], 0x4e);
	T("SDM 3A 10.8.3.1: TPR holds back its own and lower classes", "tpr-blocks");
	clear();
	hook[0x55] = tick;
	apic_w(TPR, 0x50);
	self(0x55);
	window();
	eq("count", count[0x55], 0);
	eq("irr", bit(IRR, 0x55), 1);
	T("SDM 3A 10.8.3.1: lowering TPR lets it through", "tpr-lowered");
	clear();
	hook[0x55] = tick;
	apic_w(TPR, 0x4f);
	window();
	eq("count", count[0x55], 1);
	apic_w(TPR, 0);
	T("SDM 3A 10.8.6: CR8 holds back as TPR does", "cr8-blocks");
	clear();
	hook[0x55] = tick;
	wcr8(5);
	self(0x55);
	window();
	eq("count", count[0x55], 0);
	T("SDM 3A 10.8.6: lowering CR8 lets it through", "cr8-lowered");
	hook[0x55] = tick;
	wcr8(4);
	window();
	eq("count", count[0x55], 1);
	wcr8(0);
	T("SDM 3A 10.8.3.1: a class above TPR passes", "tpr-higher-passes");
	clear();
	hook[0x65] = tick;
	apic_w(TPR, 0x5f);
	self(0x65);
	window();
	eq("count", count[0x65], 1);
	apic_w(TPR, 0);
	T("SDM 3A 10.8.3.1: PPR in a handler is the class of the vector", "ppr-in-service");
	hook[0x75] = 0;
	self(0x75);
	run(R0_64, &sti_);
	eq("ppr", apic_r(PPR) & 0xff, 0x70);
	apic_w(EOI, 0);
}

static void timer_off(void)
{
	apic_w(LVT_TIMER, 0x10000);
	apic_w(TIMER_INIT, 0);
}

static void g_timer(void)
{
	apic_w(TIMER_DIV, 0xb);
	T("SDM 3A 10.5.4: one-shot fires once", "timer-one-shot");
	clear();
	hook[0x60] = tick;
	apic_w(LVT_TIMER, 0x60);
	apic_w(TIMER_INIT, 20000);
	await(0x60, 1);
	window();
	eq("count", count[0x60], 1);
	T("SDM 3A 10.5.4: after one-shot the current count stays 0", "timer-one-shot-zero");
	eq("current", apic_r(TIMER_CUR), 0);
	T("SDM 3A 10.5.4: periodic fires again and again", "timer-periodic");
	clear();
	hook[0x60] = tick;
	apic_w(LVT_TIMER, 0x20060);
	apic_w(TIMER_INIT, 100000);
	await(0x60, 4);
	yes("count", count[0x60] >= 4);
	T("SDM 3A 10.5.4: an initial count of 0 stops it", "timer-stop");
	apic_w(TIMER_INIT, 0);
	hook[0x60] = tick;
	window();
	clear();
	window();
	eq("count", count[0x60], 0);
	eq("current", apic_r(TIMER_CUR), 0);
	T("SDM 3A 10.5.1: a masked timer counts but does not interrupt", "timer-masked");
	clear();
	apic_w(LVT_TIMER, 0x10060);
	apic_w(TIMER_INIT, 5000);
	for (u32 i = 0; i < 3000000 && apic_r(TIMER_CUR); i++)
		pause_();
	eq("current", apic_r(TIMER_CUR), 0);
	eq("irr", bit(IRR, 0x60), 0);
	T("SDM 3A 10.5.4: the current count only falls", "timer-current");
	apic_w(TIMER_INIT, 0xffffffff);
	u32 a = apic_r(TIMER_CUR), b;
	settle();
	b = apic_r(TIMER_CUR);
	yes("falls", b < a && a != 0);
	T("SDM 3A 10.5.4: writing the initial count again starts anew", "timer-restart");
	apic_w(TIMER_INIT, 0x10000000);
	yes("new", apic_r(TIMER_CUR) <= 0x10000000 && apic_r(TIMER_CUR) > 0x01000000);
	timer_off();
	T("SDM 3A 10.5.4: expiry with IF=0 leaves IRR set", "timer-irr");
	hook[0x60] = tick;
	apic_w(LVT_TIMER, 0x60);
	apic_w(TIMER_INIT, 1000);
	for (u32 i = 0; i < 3000000 && !bit(IRR, 0x60); i++)
		pause_();
	eq("irr", bit(IRR, 0x60), 1);
	eq("delivery-status", apic_r(LVT_TIMER) >> 12 & 1, 0);
	window();
	T("SDM 3A 10.5.4: divide by 128 counts slower than divide by 1", "timer-divide");
	apic_w(LVT_TIMER, 0x10060);
	apic_w(TIMER_DIV, 0xb);
	apic_w(TIMER_INIT, 0xffffffff);
	u64 t0 = rdtsc();
	for (int i = 0; i < 2000; i++)
		apic_r(VER);
	u64 d1 = 0xffffffff - apic_r(TIMER_CUR), c1 = rdtsc() - t0;
	apic_w(TIMER_DIV, 0xa);
	apic_w(TIMER_INIT, 0xffffffff);
	t0 = rdtsc();
	for (int i = 0; i < 2000; i++)
		apic_r(VER);
	u64 d2 = 0xffffffff - apic_r(TIMER_CUR), c2 = rdtsc() - t0;
	/* ratio of counts per cycle is 128; far enough from 1 to need no clock */
	yes("slower", d2 * 8 * (c1 >> 4) < d1 * (c2 >> 4) + (c2 >> 4));
	timer_off();
	apic_w(TIMER_DIV, 0xb);
	T("SDM 3A 10.5.4.1: TSC-deadline mode", "timer-tsc-deadline");
	if (!has(1, 0, ECX_, 24)) {
		skip("CPUID has no TSC deadline");
	} else {
		clear();
		hook[0x60] = tick;
		apic_w(LVT_TIMER, 0x40060);
		wrmsr(0x6e0, rdtsc() + 100000);
		await(0x60, 1);
		window();
		eq("count", count[0x60], 1);
		timer_off();
	}
	T("SDM 3A 10.5.4.1: the deadline MSR reads 0 once it has fired", "timer-tsc-deadline-disarmed");
	if (!has(1, 0, ECX_, 24)) {
		skip("CPUID has no TSC deadline");
	} else {
		clear();
		hook[0x60] = tick;
		apic_w(LVT_TIMER, 0x40060);
		wrmsr(0x6e0, rdtsc() + 100000);
		await(0x60, 1);
		eq("msr", rdmsr(0x6e0), 0);
		timer_off();
	}
	T("SDM 2A HLT: the timer wakes HLT; RIP after it", "timer-wakes-hlt");
	extern struct snip hlt_;
	apic_w(LVT_TIMER, 0x20060);
	apic_w(TIMER_INIT, 50000);
	hook[0x60] = 0;
	run(R0_64, &hlt_);
	apic_w(EOI, 0);
	eq("vec", rec->vec, 0x60);
	timer_off();
	hook[0x60] = tick;
	window();
}
CODE64(hlt_, "sti\n hlt\n 1: nop\n 2: jmp 2b");

void kmain(void)
{
	controllers_begin();
	group("local APIC registers", g_regs);
	group("IPIs and delivery", g_ipi);
	group("priority", g_priority);
	group("timer", g_timer);
}
