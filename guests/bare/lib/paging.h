/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the kernels about 4-level paging: accesses at an address of the window, and what is behind it. */
#ifndef BARE_PAGING_H
#define BARE_PAGING_H

#include "bare.h"

CODE64(rd, "nop\n 1: movb (%rdi),%al");
CODE64(wr, "nop\n 1: movb %al,(%rdi)");
CODE64(ex, "nop\n 1: jmp *%rdi");
CODE64(wr8, "nop\n 1: movq %rax,(%rdi)");
CODE64(rep, "1: rep stosb");

/* Two frames full of `int $0xf0`, told apart by their last byte but one. */
static u8 frame_a[4096] __attribute__((aligned(4096)));
static u8 frame_b[4096] __attribute__((aligned(4096)));
static u8 pages[6][4096] __attribute__((aligned(4096)));
#define PA(x) ((u64)(ulong)(x))
static u32 phys_bits;

enum { R, W, X };

static void frames(void)
{
	for (int i = 0; i < 4096; i += 2) {
		frame_a[i] = frame_b[i] = 0xcd;
		frame_a[i + 1] = frame_b[i + 1] = 0xf0;
	}
	frame_a[4000] = 0xaa;
	frame_b[4000] = 0xbb;
}

static void flush(void)
{
	wcr3(rcr3());
}

/* access at TV2 page 0; want: error code, or ~0 for no fault */
#define FINE (~0u)
static void access_at(int ring, int op, u64 va, u32 want)
{
	struct snip *s = op == R ? &rd : op == W ? &wr : &ex;

	in.rdi = va;
	in.rax = 0xcd;
	run(ring ? R3_64 : R0_64, s);
	if (want == FINE) {
		eq("vec", rec->vec, DONE);
		return;
	}
	eq("vec", rec->vec, PF);
	if (rec->vec != PF)
		return;
	eq("err", rec->err, want);
	eq("cr2", rec->cr2, va);
	eq("rip", rec->rip, op == X ? va : (ulong)s->code + s->at);
}

static void nxe(int on)
{
	u64 e = rdmsr(MSR_EFER);
	wrmsr(MSR_EFER, on ? e | 0x800 : e & ~0x800ull);
	flush();
}

/* The state the cases start from. */
static void paging_begin(void)
{
	u32 r[4];

	cpuid(0x80000008, 0, r);
	phys_bits = r[0] & 0xff;
	win_init();
	frames();
	nxe(1);
}

#endif
