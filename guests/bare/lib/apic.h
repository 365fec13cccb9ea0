/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the kernels about interrupt controllers: names of registers, a counting handler, bounded waits.
 * No case depends on how long anything takes, only on order.
 */
#ifndef BARE_APIC_H
#define BARE_APIC_H

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

/* Interrupts that came, by vector and in their order; whose local APIC this is. */
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

/* For a vector without a hook: its frame ends the run, and can be looked at. */
CODE64(sti_, "sti\n nop\n 1: nop\n nop");

static void self(u32 v)
{
	apic_w(ICR, 0x44000 | v);
	settle();
}

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

/* The state the cases start from. */
static void controllers_begin(void)
{
	apic_on();
	me = apic_r(ID) >> 24;
	for (int v = 32; v < 0xf0; v++)
		base_hook[v] = tick;
	base_hook[5] = tick;		/* a subject that delivers an illegal vector */
	base_hook[0xff] = resume;	/* spurious */
}

#endif
