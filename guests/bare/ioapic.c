/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O APIC, 8259 and 8254; the UART is what raises a level. */
#include "apic.h"

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

void kmain(void)
{
	controllers_begin();
	group("I/O APIC and PIT", g_ioapic);
	group("PIC and PIT", g_pic);
}
