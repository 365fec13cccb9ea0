/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SDM 3A 6.15 (#DF): a fault while calling the #DF handler shuts the
 * processor down; the chipset turns that into a machine reset. Nothing may
 * be printed after the announcement.
 */
#include "bare.h"

void kmain(void)
{
	struct idt_ptr none = { 0, 0 };

	say("# triple fault: the next event is a machine reset\n");
	for (int i = 0; i < 1000000 && !(inb(0x3f8 + 5) & 0x40); i++)
		;
	asm volatile("lidt %0\n\tud2" :: "m"(none));
	T("SDM 3A 6.15", "machine-reset");
	broken("still running");
}
