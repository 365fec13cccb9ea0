/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC, I/O APIC, 8259 and 8254, and a second CPU. No case depends on
 * how long anything takes, only on order; waits are bounded.
 */
#include "bare.h"

#define ID 0x20
#define VER 0x30
#define TPR 0x80
#define PPR 0xa0
#define EOI 0xb0
#define LDR 0xd0
#define DFR 0xe0
#define SVR 0xf0
#define ISR 0x100
#define IRR 0x200
#define ESR 0x280
#define ICR 0x300
#define ICRH 0x310
#define LVT_TIMER 0x320
#define LINT0 0x350
#define TIMER_INIT 0x380
#define TIMER_CUR 0x390
#define TIMER_DIV 0x3e0

static volatile u32 count[256];
static volatile u32 order[16], norder;
static u32 me;

static int bit(u32 base, u32 v) { return apic_r(base + v / 32 * 16) >> v % 32 & 1; }

static int tick(struct frame *f)
{
	count[f->vec]++;
	apic_w(EOI, 0);
	return 1;
}

static int ordered(struct frame *f)
{
	if (norder < 16)
		order[norder++] = f->vec;
	apic_w(EOI, 0);
	return 1;
}

static void clear(void)
{
	for (int i = 0; i < 256; i++)
		count[i] = 0;
	norder = 0;
}

static void settle(void)
{
	for (int i = 0; i < 200; i++)
		apic_r(VER);
}

/* Interrupts on until count[v] >= n or the bound is reached. */
static void await(u32 v, u32 n)
{
	for (u32 i = 0; i < 3000000 && count[v] < n; i++) {
		sti();
		pause_();
	}
	cli();
}

static void window(void)
{
	for (u32 i = 0; i < 2000; i++) {
		sti();
		pause_();
	}
	cli();
}

static void self(u32 v)
{
	apic_w(ICR, 0x44000 | v);
	settle();
}

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
	extern struct snip sti_;
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
CODE64(sti_, "sti\n nop\n 1: nop\n nop");
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
	extern struct snip sti_;
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

/* ---- I/O APIC, PIC, PIT, UART ------------------------------------------- */

#define REDIR(pin) (0x10 + 2 * (pin))

static void pit_rate(u32 div)
{
	outb(0x43, 0x34);
	outb(0x40, div);
	outb(0x40, div >> 8);
}

static void pit_stop(void)
{
	outb(0x43, 0x30);	/* mode 0, no count: the output stays low */
}

static u32 seen_remote, level_left;

static int uart_level(struct frame *f)
{
	count[f->vec]++;
	seen_remote = ioapic_r(REDIR(4)) >> 14 & 1;
	if (count[f->vec] >= 2)
		level_left = inb(0x3fa);	/* takes the transmitter interrupt away */
	apic_w(EOI, 0);
	return 1;
}

static void uart_raise(void)
{
	outb(0x3f9, 0);
	inb(0x3fa);
	for (int i = 0; i < 1000000 && !(inb(0x3fd) & 0x40); i++)
		;
	outb(0x3fc, 0x0b);
	outb(0x3f9, 2);
}

static void uart_quiet(void)
{
	outb(0x3f9, 0);
	inb(0x3fa);
}

static void g_ioapic(void)
{
	T("I/O APIC datasheet 3.2.2: version 0x11 or 0x20, 24 pins", "ioapic-version");
	u32 v = ioapic_r(1);
	yes("version", (v & 0xff) == 0x11 || (v & 0xff) == 0x20);
	eq("pins", (v >> 16 & 0xff) + 1, 24);
	T("I/O APIC datasheet 3.2.4: a redirection entry reads back", "ioapic-readback");
	ioapic_w(REDIR(9) + 1, 0x5a000000);
	ioapic_w(REDIR(9), 0x1a055);
	eq("low", ioapic_r(REDIR(9)) & 0x1afff, 0x1a055);
	eq("high", ioapic_r(REDIR(9) + 1) >> 24, 0x5a);
	ioapic_w(REDIR(9), 0x10000);
	T("I/O APIC datasheet 3.2.4: delivery status and remote IRR are read-only", "ioapic-readonly-bits");
	ioapic_w(REDIR(9), 0x1d055);
	eq("low", ioapic_r(REDIR(9)) & 0x5000, 0);
	ioapic_w(REDIR(9), 0x10000);

	T("I/O APIC: a masked pin delivers nothing (PIT, pin 2)", "ioapic-masked");
	clear();
	hook[0x62] = tick;
	ioapic_w(REDIR(2) + 1, me << 24);
	ioapic_w(REDIR(2), 0x10062);
	pit_rate(0x200);
	window();
	eq("count", count[0x62], 0);
	T("I/O APIC: the PIT arrives on pin 2, edge, again and again", "ioapic-pit");
	clear();
	hook[0x62] = tick;
	ioapic_w(REDIR(2), 0x62);
	await(0x62, 3);
	yes("count", count[0x62] >= 3);
	eq("remote-irr", ioapic_r(REDIR(2)) >> 14 & 1, 0);
	T("I/O APIC: logical destination", "ioapic-logical");
	clear();
	apic_w(LDR, 0x01000000);
	hook[0x62] = tick;
	ioapic_w(REDIR(2) + 1, 0x01000000);
	ioapic_w(REDIR(2), 0x862);
	await(0x62, 2);
	yes("count", count[0x62] >= 2);
	T("I/O APIC: lowest priority to the only one", "ioapic-lowest");
	clear();
	hook[0x62] = tick;
	ioapic_w(REDIR(2), 0x962);
	await(0x62, 2);
	yes("count", count[0x62] >= 2);
	T("8254 mode 0: one interrupt at terminal count", "pit-mode0");
	ioapic_w(REDIR(2) + 1, me << 24);
	ioapic_w(REDIR(2), 0x10062);
	pit_stop();
	hook[0x62] = tick;
	window();
	ioapic_w(REDIR(2), 0x62);
	clear();
	hook[0x62] = tick;
	window();
	u32 before = count[0x62];
	outb(0x40, 0x00);
	outb(0x40, 0x02);
	await(0x62, before + 1);
	window();
	eq("count", count[0x62] - before, 1);
	ioapic_w(REDIR(2), 0x10062);

	T("SDM 3A 10.8.5, I/O APIC: level: delivered again after EOI while the line is up; remote IRR until EOI", "ioapic-level");
	clear();
	hook[0x64] = uart_level;
	seen_remote = 0;
	ioapic_w(REDIR(4) + 1, me << 24);
	ioapic_w(REDIR(4), 0x8064);
	uart_raise();
	await(0x64, 2);
	window();
	uart_quiet();
	ioapic_w(REDIR(4), 0x18064);
	eq("count", count[0x64], 2);
	eq("remote-irr-in-handler", seen_remote, 1);
	eq("remote-irr-after", ioapic_r(REDIR(4)) >> 14 & 1, 0);
	eq("tmr-cleared-line", level_left & 0xf, 2);
	T("I/O APIC: a level raised while masked is delivered on unmasking", "ioapic-level-unmask");
	clear();
	ioapic_w(REDIR(4), 0x18064);
	uart_raise();
	count[0x64] = 1;	/* the handler takes the source away at once */
	hook[0x64] = uart_level;
	window();
	eq("masked", count[0x64], 1);
	ioapic_w(REDIR(4), 0x8064);
	await(0x64, 2);
	window();
	uart_quiet();
	eq("count", count[0x64], 2);
	T("SDM 3A 10.8.4: TMR tells level from edge", "tmr");
	uart_raise();
	hook[0x64] = 0;
	extern struct snip sti_;
	run(R0_64, &sti_);
	eq("vec", rec->vec, 0x64);
	eq("tmr", apic_r(0x180 + 0x64 / 32 * 16) >> (0x64 % 32) & 1, 1);
	uart_quiet();
	apic_w(EOI, 0);
	T("I/O APIC: an edge pin delivers once while the line stays up", "ioapic-edge");
	clear();
	hook[0x64] = tick;
	ioapic_w(REDIR(4), 0x10064);
	ioapic_w(REDIR(4), 0x64);
	uart_raise();
	await(0x64, 1);
	window();
	eq("count", count[0x64], 1);
	uart_quiet();
	ioapic_w(REDIR(4), 0x10064);
	outb(0x3fa, 1);
}

static int pic_tick(struct frame *f)
{
	count[f->vec]++;
	return 1;
}

static int pic_eoi(struct frame *f)
{
	count[f->vec]++;
	outb(0x20, 0x20);
	return 1;
}

static void g_pic(void)
{
	pic_mask_all();
	T("8259: the mask register reads back", "pic-imr");
	outb(0x21, 0xa5);
	eq("imr", inb(0x21), 0xa5);
	outb(0x21, 0xff);
	T("SDM 3A 10.5.1, 8259: PIT through PIC and LINT0 as ExtINT, vector from the PIC", "pic-extint");
	clear();
	hook[0x20] = pic_eoi;
	pit_rate(0x200);
	apic_w(LINT0, 0x700);
	outb(0x21, 0xfe);
	await(0x20, 3);
	yes("count", count[0x20] >= 3);
	T("SDM 3A 10.8.4: ExtINT sets no ISR bit in the local APIC", "pic-no-isr");
	eq("isr", bit(ISR, 0x20), 0);
	T("8259: no second interrupt before the EOI", "pic-no-eoi");
	clear();
	hook[0x20] = pic_tick;
	await(0x20, 1);
	window();
	window();
	eq("count", count[0x20], 1);
	T("8259: the in-service register shows it", "pic-isr");
	outb(0x20, 0x0b);
	eq("isr", inb(0x20) & 1, 1);
	T("8259: after the EOI it comes again", "pic-after-eoi");
	clear();
	hook[0x20] = pic_eoi;
	outb(0x20, 0x20);
	await(0x20, 2);
	yes("count", count[0x20] >= 2);
	T("8259: a masked request shows in IRR and is not delivered", "pic-masked");
	outb(0x21, 0xff);
	hook[0x20] = pic_eoi;
	window();
	clear();
	outb(0x20, 0x0a);
	u32 irr = 0;
	for (u32 i = 0; i < 2000000 && !irr; i++)
		irr = inb(0x20) & 1;
	hook[0x20] = pic_eoi;
	window();
	eq("irr", irr, 1);
	eq("count", count[0x20], 0);
	T("SDM 3A 10.5.1: masked LINT0 stops the PIC", "pic-lint0-masked");
	apic_w(LINT0, 0x10700);
	outb(0x21, 0xfe);
	clear();
	hook[0x20] = pic_eoi;
	window();
	eq("count", count[0x20], 0);
	outb(0x21, 0xff);
	apic_w(LINT0, 0x700);
	T("8259: the UART as IRQ 4 with another base", "pic-irq4-base");
	outb(0x20, 0x11); outb(0x21, 0x70); outb(0x21, 4); outb(0x21, 1);
	outb(0x21, 0xef);
	clear();
	hook[0x74] = pic_tick;
	uart_raise();
	await(0x74, 1);
	uart_quiet();
	outb(0x20, 0x20);
	eq("count", count[0x74], 1);
	T("8259: specific EOI ends that level only", "pic-specific-eoi");
	clear();
	hook[0x74] = pic_tick;
	uart_raise();
	await(0x74, 1);
	uart_quiet();
	outb(0x20, 0x63);
	outb(0x20, 0x0b);
	eq("isr-other", inb(0x20), 0x10);
	outb(0x20, 0x64);
	eq("isr", inb(0x20), 0);
	pic_mask_all();
	pit_stop();
	apic_w(LINT0, 0x10700);
	T("8254: the latched count only falls in mode 2", "pit-latch");
	outb(0x43, 0x34);
	outb(0x40, 0xff);
	outb(0x40, 0xff);
	settle();
	outb(0x43, 0);
	u32 a = inb(0x40);
	a |= inb(0x40) << 8;
	settle();
	outb(0x43, 0);
	u32 b = inb(0x40);
	b |= inb(0x40) << 8;
	yes("falls", b <= a);
	T("8254: a latched count stays until it is read", "pit-latch-holds");
	outb(0x43, 0);
	u32 lo = inb(0x40);
	settle();
	outb(0x43, 0);
	u32 hi = inb(0x40);
	(void)lo;
	yes("in-range", (hi << 8) <= 0xffff);
	T("8254 channel 2 with port 0x61: mode 0 output rises at terminal count", "pit-channel2");
	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 0x00);
	outb(0x42, 0x04);
	u32 first = inb(0x61) >> 5 & 1, later = 0;
	for (u32 i = 0; i < 3000000 && !later; i++)
		later = inb(0x61) >> 5 & 1;
	eq("before", first, 0);
	eq("after", later, 1);
	T("8254 channel 2: with the gate low it does not count", "pit-channel2-gate");
	outb(0x61, inb(0x61) & ~3);
	outb(0x43, 0xb0);
	outb(0x42, 0x10);
	outb(0x42, 0x00);
	for (u32 i = 0; i < 2000; i++)
		inb(0x61);
	eq("out", inb(0x61) >> 5 & 1, 0);
	pit_stop();
}

/* ---- the second CPU ------------------------------------------------------ */

static volatile u32 ap_id, ap_cpuid, ap_bsp, ap_ints, ap_nmis, ap_go;
static volatile u64 ap_seen;

static void ap_ident(void)
{
	u32 r[4];
	cpuid(1, 0, r);
	ap_cpuid = r[1] >> 24;
	ap_id = apic_r(ID) >> 24;
	ap_bsp = rdmsr(0x1b) >> 8 & 1;
}

static int ap_tick(struct frame *f)
{
	if (apic_r(ID) >> 24 != me)
		ap_ints++;
	else
		count[f->vec]++;
	if (f->vec != NMI)
		apic_w(EOI, 0);
	return 1;
}

static int ap_nmi(struct frame *f)
{
	(void)f;
	ap_nmis++;
	return 1;
}

/* Waits with interrupts on until told to stop. */
static void ap_listen(void)
{
	apic_w(LDR, 0x02000000);
	ap_go = 1;
	while (ap_go) {
		sti();
		pause_();
	}
	cli();
}

static void ap_halt(void)
{
	ap_go = 1;
	while (!ap_ints)
		asm volatile("sti\n hlt\n cli" ::: "memory");
}

static void started(void)
{
	for (u32 i = 0; i < 3000000 && !ap_go; i++)
		pause_();
}

static void until(volatile u32 *p, u32 n)
{
	for (u32 i = 0; i < 3000000 && *p < n; i++)
		pause_();
}

static volatile u64 counter;
static void ap_add(void)
{
	for (int i = 0; i < 20000; i++)
		asm volatile("lock incq %0" : "+m"(counter));
}

static void ap_read(void) { ap_seen = *(volatile u8 *)(TV + 4000); }
static int ap_shoot(struct frame *f)
{
	(void)f;
	invlpg(TV);
	ap_ints++;
	apic_w(EOI, 0);
	return 1;
}

static void g_smp(void)
{
	static u8 fa[4096] __attribute__((aligned(4096))), fb[4096] __attribute__((aligned(4096)));

	T("SDM 3A 8.4.4: INIT and SIPI start the second CPU", "ap-start");
	eq("alive", ap_boot(), 1);
	if (!ap_alive)
		return;
	ap_do(ap_ident);
	T("SDM 3A 10.4.6: its APIC id is 1, CPUID agrees", "ap-id");
	eq("id", ap_id, 1);
	eq("cpuid", ap_cpuid, 1);
	T("SDM 3A 10.4.4: its IA32_APIC_BASE has no BSP flag", "ap-not-bsp");
	eq("bsp", ap_bsp, 0);
	static const struct { const char *n; u32 high, low; } t[] = {
		{ "physical", 0x01000000, 0x4051 }, { "logical", 0x02000000, 0x4851 }, { "all-but-self", 0, 0xc4051 },
		{ "all-with-self", 0, 0x84051 }, { "logical-both", 0x03000000, 0x4851 },
	};
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 10.6.1: a fixed IPI to the other CPU", "ap-ipi-%s", t[i].n);
		clear();
		ap_ints = ap_go = 0;
		hook[0x51] = ap_tick;
		apic_w(LDR, 0x01000000);
		ap_post(ap_listen);
		started();
		apic_w(ICRH, t[i].high);
		apic_w(ICR, t[i].low);
		until(&ap_ints, 1);
		window();
		ap_go = 0;
		ap_wait();
		eq("there", ap_ints, 1);
		eq("here", count[0x51], i > 2);
	}
	T("SDM 3A 10.6.1: an NMI IPI to the other CPU with IF=0 there", "ap-nmi");
	ap_nmis = 0;
	hook[NMI] = ap_nmi;
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4400);
	until(&ap_nmis, 1);
	eq("nmis", ap_nmis, 1);
	T("SDM 2A HLT: an IPI wakes the other CPU from HLT", "ap-wake");
	ap_ints = ap_go = 0;
	hook[0x51] = ap_tick;
	ap_post(ap_halt);
	started();
	settle();
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4051);
	ap_wait();
	eq("woken", ap_ints >= 1, 1);
	T("SDM 3A 8.1.2: locked increments of both CPUs add up", "ap-locked-add");
	counter = 0;
	ap_post(ap_add);
	ap_add();
	ap_wait();
	eq("sum", counter, 40000);
	T("SDM 3A 4.10.5: TLB shoot-down by IPI and INVLPG", "ap-shootdown");
	win_init();
	fa[4000] = 0xaa;
	fb[4000] = 0xbb;
	win_pt[0] = (ulong)fa | 7;
	ap_do(ap_read);
	eq("before", ap_seen, 0xaa);
	win_pt[0] = (ulong)fb | 7;
	ap_ints = ap_go = 0;
	hook[0x51] = ap_shoot;
	ap_post(ap_listen);
	started();
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4051);
	until(&ap_ints, 1);
	ap_go = 0;
	ap_wait();
	ap_do(ap_read);
	eq("after", ap_seen, 0xbb);
	T("I/O APIC: an interrupt directed at the other CPU", "ap-ioapic");
	clear();
	ap_ints = ap_go = 0;
	hook[0x62] = ap_tick;
	ap_post(ap_listen);
	started();
	ioapic_w(REDIR(2) + 1, 0x01000000);
	ioapic_w(REDIR(2), 0x62);
	pit_rate(0x200);
	until(&ap_ints, 2);
	ioapic_w(REDIR(2), 0x10062);
	pit_stop();
	ap_go = 0;
	ap_wait();
	yes("there", ap_ints >= 2);
	eq("here", count[0x62], 0);

	/* From here on the second CPU runs the real-mode stub below. */
	extern u8 stub_start[], stub_end[];
	volatile u32 *box = (void *)0x9800;
	copy((void *)0x9000, stub_start, stub_end - stub_start);
	fill((void *)0x9800, 0, 64);
	T("SDM 3A 8.4.4.1: SIPI vector 0x09 starts in real mode at 0900:0000", "ap-real-mode");
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4500);
	for (int i = 0; i < 20000; i++)
		inb(0x61);
	eq("waiting", box[0], 0);
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4609);
	until(box + 7, 1);
	eq("cs", box[0], 0x900);
	eq("ip", box[1], 0);
	T("SDM 3A 9.1.1: CR0 after INIT is 0x60000010, or CD and NW as they were", "ap-init-cr0");
	eq("cr0", box[2] & ~0x60000000u, 0x10);
	T("SDM 3A 9.1.1: EFLAGS after INIT is 2", "ap-init-eflags");
	eq("eflags", box[3], 2);
	T("SDM 3A 9.1.1: data segments after INIT are 0", "ap-init-segments");
	eq("ds-es", box[4], 0);
	T("SDM 3A 9.1.1: CR4 after INIT is 0", "ap-init-cr4");
	eq("cr4", box[5], 0);
	T("SDM 3A 9.1.1: EDX after INIT is the processor signature", "ap-init-edx");
	u32 r[4];
	cpuid(1, 0, r);
	eq("edx", box[6] & 0x0fff0ff0, r[0] & 0x0fff0ff0);
	T("SDM 3A 8.4.4: a SIPI to a CPU that runs is ignored", "ap-sipi-ignored");
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4609);
	for (int i = 0; i < 20000; i++)
		inb(0x61);
	eq("starts", box[7], 1);
	T("SDM 3A 6.7, 20.1.4: INT n in real mode goes through the IVT and comes back", "ap-real-int");
	eq("marker", box[8], 0x1234);
	T("SDM 3A 20.1.4: #DE in real mode pushes FLAGS, CS, IP of the DIV, no error code", "ap-real-de");
	eq("ip", box[9] & 0xffff, box[10] & 0xffff);
	eq("depth", box[11] & 0xffff, 6);
}

/* Real mode at 0900:0000. Stores what INIT left, then tries two events. */
asm(".pushsection .snip,\"ax\"\n.code16\n"
    "stub_start:\n"
    "	movl	%edx,%cs:0x818\n"
    "	movw	%cs,%ax\n"
    "	movw	%ax,%cs:0x800\n"
    "	pushfl\n"
    "	popl	%cs:0x80c\n"
    "	movl	%cr0,%eax\n"
    "	movl	%eax,%cs:0x808\n"
    "	movl	%cr4,%eax\n"
    "	movl	%eax,%cs:0x814\n"
    "	movw	%ds,%ax\n"
    "	movw	%es,%bx\n"
    "	orw	%bx,%ax\n"
    "	movw	%ax,%cs:0x810\n"
    "	call	1f\n"
    "1:	popw	%ax\n"
    "	subw	$(1b - stub_start),%ax\n"
    "	movw	%ax,%cs:0x804\n"
    "	xorw	%ax,%ax\n"
    "	movw	%ax,%ds\n"
    "	movw	%ax,%ss\n"
    "	movw	$0x9f00,%sp\n"
    "	movw	$(stub_int - stub_start),0x180\n"
    "	movw	%cs,0x182\n"
    "	movw	$(stub_de - stub_start),0\n"
    "	movw	%cs,2\n"
    "	int	$0x60\n"
    "	xorw	%cx,%cx\n"
    "	movw	%sp,%bx\n"
    "2:	divb	%cl\n"
    "3:	hlt\n"
    "	jmp	3b\n"
    "stub_int:\n"
    "	movw	$0x1234,%cs:0x820\n"
    "	iretw\n"
    "stub_de:\n"
    "	subw	%sp,%bx\n"
    "	movw	%bx,%cs:0x82c\n"
    "	popw	%cs:0x824\n"
    "	movw	$(2b - stub_start),%cs:0x828\n"
    "	incl	%cs:0x81c\n"
    "	jmp	3b\n"
    "stub_end:\n"
    ".code64\n.popsection");

void kmain(void)
{
	apic_on();
	me = apic_r(ID) >> 24;
	for (int v = 32; v < 0xf0; v++)
		base_hook[v] = tick;
	base_hook[5] = tick;		/* a subject that delivers an illegal vector */
	base_hook[0xff] = resume;	/* spurious */
	group("local APIC registers", g_regs);
	group("IPIs and delivery", g_ipi);
	group("priority", g_priority);
	group("timer", g_timer);
	group("I/O APIC and PIT", g_ioapic);
	group("PIC and PIT", g_pic);
	group("second CPU", g_smp);
}
