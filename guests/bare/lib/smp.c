/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC set-up and a second CPU that takes work from a mailbox. */
#include "bare.h"

volatile u32 ap_alive;
static void (*volatile work)(void);
static struct tss64 ap_tss;
static u8 ap_ist[8192];
extern u8 ap_tramp[], ap_tramp_end[];

void pic_mask_all(void)
{
	outb(0x20, 0x11); outb(0x21, 0x20); outb(0x21, 4); outb(0x21, 1);
	outb(0xa0, 0x11); outb(0xa1, 0x28); outb(0xa1, 2); outb(0xa1, 1);
	outb(0x21, 0xff); outb(0xa1, 0xff);
}

void apic_on(void)
{
	pic_mask_all();
	wrmsr(0x1b, rdmsr(0x1b) | 0x800);
	apic_w(0xf0, 0x1ff);
	apic_w(0x80, 0);
	apic_w(0xe0, 0xffffffff);
	apic_w(0x320, 0x10000);
	apic_w(0x350, 0x10000);
	apic_w(0x360, 0x10000);
}

/* The second CPU in 64-bit mode, on its own stack. */
void ap_start(void)
{
	asm volatile("lidt %0" :: "m"(idtr));
	ap_tss.rsp[0] = (ulong)ap_ist + sizeof ap_ist;
	ap_tss.iomap = sizeof ap_tss;
	gdt_set(SEL_TSS2, (ulong)&ap_tss, sizeof ap_tss - 1, 0x89, 0);
	gdt[(SEL_TSS2 >> 3) + 1] = 0;
	asm volatile("ltr %w0" :: "r"(SEL_TSS2));
	apic_w(0xf0, 0x1ff);
	apic_w(0xe0, 0xffffffff);
	ap_alive = 1;
	for (;;) {
		void (*fn)(void) = work;

		if (fn) {
			fn();
			work = 0;
		}
		pause_();
	}
}

static void icr(u32 dest, u32 v)
{
	apic_w(0x310, dest << 24);
	apic_w(0x300, v);
	for (int i = 0; i < 1000000 && apic_r(0x300) & 0x1000; i++)
		;
}

int ap_boot(void)
{
	if (ap_alive)
		return 1;
	apic_on();
	copy((void *)0x8000, ap_tramp, ap_tramp_end - ap_tramp);
	icr(1, 0x4500);
	for (int i = 0; i < 20000; i++)
		inb(0x61);
	for (int n = 0; n < 2 && !ap_alive; n++) {
		icr(1, 0x4608);
		for (int i = 0; i < 200000 && !ap_alive; i++)
			inb(0x61);
	}
	return ap_alive;
}

void ap_post(void (*fn)(void))
{
	work = fn;
}

void ap_wait(void)
{
	for (u64 i = 0; i < 50000000ull && work; i++)
		pause_();
}

void ap_do(void (*fn)(void))
{
	ap_post(fn);
	ap_wait();
}
