/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-level paging: permissions and error codes, reserved bits, accessed and
 * dirty bits, page sizes, TLB maintenance, canonical and crossing accesses.
 */
#include "bare.h"

CODE64(rd, "nop\n 1: movb (%rdi),%al");
CODE64(wr, "nop\n 1: movb %al,(%rdi)");
CODE64(ex, "nop\n 1: jmp *%rdi");
CODE64(rd8, "nop\n 1: movq (%rdi),%rax");
CODE64(wr8, "nop\n 1: movq %rax,(%rdi)");
CODE64(push_, "movq %rdi,%rsp\n 1: pushq %rax\n movq %rsi,%rsp");
CODE64(cmpx, "1: lock cmpxchgl %ecx,(%rdi)");
CODE64(xadd, "1: lock xaddl %ecx,(%rdi)");
CODE64(rep, "1: rep stosb");
CODE64(stac_rd, "stac\n 1: movb (%rdi),%al\n clac");
CODE64(stac_wr, "stac\n 1: movb %al,(%rdi)\n clac");
CODE64(calln, "nop\n 1: call *%rdi");
CODE64(retn, "pushq %rdi\n 1: retq");
CODE64(jmpm, "pushq %rdi\n 1: jmp *(%rsp)");
CODE64(rd32, "nop\n 1: addr32 movb 0x10(%edi),%al");
CODE64(popm, "pushq %rax\n 1: popq (%rdi)");
CODE64(movsb_, "1: rep movsb");
CODE64(prefetch, "prefetcht0 (%rdi)");
CODE64(invl, "invlpg (%rdi)");
CODE64(lea_, "leaq (%rdi),%rax");
CODE64(cmov, "testl %eax,%eax\n 1: cmovnzl (%rdi),%eax");
CODE64(rep0, "xorl %ecx,%ecx\n rep stosb");

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

/* SDM 3A 4.6 and 4.7 as a function: CR0.WP=1, EFER.NXE=1, no SMEP, no SMAP. */
static u32 model(int ring, int op, u64 f)
{
	u32 err = (op == W ? 2 : 0) | (ring ? 4 : 0) | (op == X ? 16 : 0);

	if (!(f & P_P))
		return err;
	if ((ring && !(f & P_U)) || (op == W && !(f & P_W)) || (op == X && f & P_NX))
		return err | 1;
	return FINE;
}

static void g_perm(void)
{
	static const struct { const char *n; u64 f; } t[] = {
		{ "np", 0 }, { "np-rest-set", 6 | P_NX }, { "s-ro", P_P }, { "s-rw", P_P | P_W }, { "u-ro", P_P | P_U }, { "u-rw", 7 },
		{ "s-ro-nx", P_P | P_NX }, { "s-rw-nx", 3 | P_NX }, { "u-ro-nx", 5 | P_NX }, { "u-rw-nx", 7 | P_NX },
	};
	static const char *const ops[] = { "read", "write", "fetch" };

	win_init();
	frames();
	nxe(1);
	for (u32 i = 0; i < sizeof t / sizeof *t; i++)
		for (int ring = 0; ring <= 3; ring += 3)
			for (int op = R; op <= X; op++) {
				T("SDM 3A 4.6.1, 4.7: access rights and error code", "perm-%s-%s-r%d", t[i].n, ops[op], ring);
				win_pt[0] = PA(frame_a) | t[i].f;
				invlpg(TV2);
				access_at(ring, op, TV2, model(ring, op, t[i].f));
			}
	for (int u = 0; u < 2; u++) {
		T("SDM 3A 4.6.1: CR0.WP=0 lets ring 0 write a read-only page", "wp0-write-%s-r0", u ? "u" : "s");
		wcr0(rcr0() & ~CR0_WP);
		win_pt[0] = PA(frame_a) | P_P | (u ? P_U : 0);
		invlpg(TV2);
		access_at(0, W, TV2, FINE);
		wcr0(rcr0() | CR0_WP);
	}
	T("SDM 3A 4.6.1: CR0.WP=0 does not help ring 3", "wp0-write-u-r3");
	wcr0(rcr0() & ~CR0_WP);
	access_at(3, W, TV2, 7);
	wcr0(rcr0() | CR0_WP);
	T("SDM 3A 4.10.2: setting CR0.WP takes effect at once, warm TLB or not", "wp-toggle-warm");
	wcr0(rcr0() & ~CR0_WP);
	access_at(0, W, TV2, FINE);
	wcr0(rcr0() | CR0_WP);
	in.rsp = 0;
	access_at(0, W, TV2, 3);

	static const struct { const char *n; u64 *e; u64 f; int ring, op; u32 want; } up[] = {
		{ "pd-supervisor", &win_pd[0], P_P | P_W, 3, R, 5 },
		{ "pdpt-supervisor", &win_pdpt[0], P_P | P_W, 3, R, 5 },
		{ "pml4-supervisor", &pt_pml4[1], P_P | P_W, 3, R, 5 },
		{ "pd-readonly", &win_pd[0], P_P | P_U, 3, W, 7 },
		{ "pdpt-readonly", &win_pdpt[0], P_P | P_U, 0, W, 3 },
		{ "pml4-readonly", &pt_pml4[1], P_P | P_U, 3, W, 7 },
		{ "pd-nx", &win_pd[0], 7 | P_NX, 3, X, 0x15 },
		{ "pdpt-nx", &win_pdpt[0], 7 | P_NX, 0, X, 0x11 },
		{ "pml4-nx", &pt_pml4[1], 7 | P_NX, 3, X, 0x15 },
		{ "pd-np", &win_pd[0], 6, 3, R, 4 },
		{ "pdpt-np", &win_pdpt[0], 6, 3, W, 6 },
		{ "pml4-np", &pt_pml4[1], 6, 0, W, 2 },
	};
	win_pt[0] = PA(frame_a) | 7;
	for (u32 i = 0; i < sizeof up / sizeof *up; i++) {
		u64 old = *up[i].e;
		T("SDM 3A 4.6.1: rights are the AND over all levels", "upper-%s", up[i].n);
		*up[i].e = (old & 0xffffffffff000ull) | up[i].f;
		flush();
		access_at(up[i].ring, up[i].op, TV2, up[i].want);
		*up[i].e = old;
		flush();
	}
}

static void reserved(const char *name, const char *ref, u64 *e, u64 bits, int ring, int op, u32 want)
{
	u64 old = *e;

	T(ref, "reserved-%s", name);
	*e = old | bits;
	flush();
	access_at(ring, op, TV2, want);
	*e = old;
	flush();
}

static void g_reserved(void)
{
	u64 top = 1ull << (phys_bits < 52 ? phys_bits : 51);

	win_pt[0] = PA(frame_a) | 7;
	if (phys_bits < 52) {
		reserved("pte-read", "SDM 3A 4.7: address bits above MAXPHYADDR: error code P and RSVD", &win_pt[0], top, 3, R, 0xd);
		reserved("pte-write", "SDM 3A 4.7: the same for a write", &win_pt[0], top, 3, W, 0xf);
		reserved("pte-r0", "SDM 3A 4.7: the same at ring 0", &win_pt[0], top, 0, R, 9);
		reserved("pte-fetch", "SDM 3A 4.7: the same for a fetch", &win_pt[0], top, 3, X, 0x1d);
		reserved("pte-bit51", "SDM 3A 4.7: bit 51", &win_pt[0], 1ull << 51, 0, R, 9);
		reserved("pd", "SDM 3A 4.5: page-directory entry", &win_pd[0], top, 3, R, 0xd);
		reserved("pdpt", "SDM 3A 4.5: PDPT entry", &win_pdpt[0], top, 3, R, 0xd);
		reserved("pml4", "SDM 3A 4.5: PML4 entry", &pt_pml4[1], top, 3, R, 0xd);
	} else {
		T("", "reserved-pte-read");
		skip("no bits above MAXPHYADDR");
	}
	reserved("pml4-ps", "SDM 3A 4.5: PS in a PML4 entry is reserved", &pt_pml4[1], P_PS, 3, R, 0xd);
	u64 old = win_pd[0];
	T("SDM 3A 4.5: bits 20:13 of a 2 MiB entry are reserved", "reserved-2m-bit13");
	win_pd[0] = 0x200000 | 7 | P_PS | 1 << 13;
	flush();
	access_at(3, R, TV2, 0xd);
	T("SDM 3A 4.5: bit 20 of a 2 MiB entry is reserved", "reserved-2m-bit20");
	win_pd[0] = 0x200000 | 7 | P_PS | 1 << 20;
	flush();
	access_at(3, R, TV2, 0xd);
	win_pd[0] = old;
	T("SDM 3A 4.7: a not-present entry has no reserved bits", "reserved-not-present");
	win_pt[0] = ~1ull;
	flush();
	access_at(3, R, TV2, 4);
	win_pt[0] = PA(frame_a) | 7;
	nxe(0);
	T("SDM 3A 4.7: bit 63 is reserved with EFER.NXE=0", "reserved-nx-without-nxe");
	win_pt[0] |= P_NX;
	flush();
	access_at(3, R, TV2, 0xd);
	T("SDM 3A 4.7: the I bit of the error code needs NXE or SMEP", "fetch-error-without-nxe");
	win_pt[0] = 0;
	flush();
	access_at(3, X, TV2, 4);
	nxe(1);
	T("SDM 3A 4.5: ignored bits (9-11, 52-62, PWT, PCD, PAT) do not fault", "ignored-bits");
	win_pt[0] = PA(frame_a) | 7 | 0xe98 | 0x3ffull << 52;
	flush();
	access_at(3, W, TV2, FINE);
	win_pt[0] = PA(frame_a) | 7;
	flush();
}

static void g_smep(void)
{
	int smep = has(7, 0, EBX_, 7), smap = has(7, 0, EBX_, 20);
	static const struct { const char *n; int smap; u64 f; int ring; struct snip *s; u32 want; } t[] = {
		{ "smep-fetch-user-r0", 0, 7, 0, &ex, 0x11 },
		{ "smep-fetch-super-r0", 0, 3, 0, &ex, FINE },
		{ "smep-read-user-r0", 0, 7, 0, &rd, FINE },
		{ "smap-read-user-r0", 1, 7, 0, &rd, 1 },
		{ "smap-write-user-r0", 1, 7, 0, &wr, 3 },
		{ "smap-read-super-r0", 1, 3, 0, &rd, FINE },
		{ "smap-stac-read-r0", 1, 7, 0, &stac_rd, FINE },
		{ "smap-stac-write-r0", 1, 7, 0, &stac_wr, FINE },
		{ "smap-stac-write-ro-r0", 1, 5, 0, &stac_wr, 3 },
	};

	map_supervisor(1);
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 4.6.1: supervisor accesses to user pages under SMEP, SMAP, EFLAGS.AC", "%s", t[i].n);
		if (t[i].smap ? !smap : !smep) {
			skip(t[i].smap ? "CPUID has no SMAP" : "CPUID has no SMEP");
			continue;
		}
		win_pt[0] = PA(frame_a) | t[i].f;
		wcr4(rcr4() | (t[i].smap ? CR4_SMAP : CR4_SMEP));
		flush();
		in.rdi = TV2;
		run(R0_64, t[i].s);
		wcr4(rcr4() & ~(CR4_SMAP | CR4_SMEP));
		if (t[i].want == FINE) {
			eq("vec", rec->vec, DONE);
		} else {
			eq("vec", rec->vec, PF);
			eq("err", rec->err, t[i].want);
		}
	}
	map_supervisor(0);
	win_pt[0] = PA(frame_a) | 7;
	win_pt[1] = 0;
	flush();
}

static void ad(const char *name, const char *ref, int ring, struct snip *s, u64 keep, u64 want)
{
	T(ref, "ad-%s", name);
	win_pt[0] = PA(frame_a) | 7 | keep;
	win_pt[1] = PA(frame_b) | 7;
	flush();
	in.rdi = TV2;
	in.rsi = (ulong)test_stack_top - 256;
	if (s == &push_)
		in.rdi = TV2 + 64;
	if (s == &rep || s == &movsb_)
		in.rcx = 3;
	in.rax = 0xf0cd;
	eq("vec", run(ring ? R3_64 : R0_64, s), DONE);
	eq("ad", win_pt[0] & (P_A | P_D), want);
	frames();
}

static void g_ad(void)
{
	ad("read", "SDM 3A 4.8: a read sets A, not D", 0, &rd, 0, P_A);
	ad("read-r3", "SDM 3A 4.8: a read at ring 3 sets A", 3, &rd, 0, P_A);
	ad("write", "SDM 3A 4.8: a write sets A and D", 0, &wr, 0, P_A | P_D);
	ad("write-r3", "SDM 3A 4.8: a write at ring 3 sets A and D", 3, &wr, 0, P_A | P_D);
	ad("fetch", "SDM 3A 4.8: a fetch sets A, not D", 3, &ex, 0, P_A);
	ad("write-a-set", "SDM 3A 4.8: a write sets D when only A was set", 3, &wr, P_A, P_A | P_D);
	ad("push", "SDM 3A 4.8: a push sets D", 3, &push_, 0, P_A | P_D);
	ad("cmpxchg-fail", "SDM 2A CMPXCHG: the destination is written even when unequal: D", 3, &cmpx, 0, P_A | P_D);
	ad("xadd", "SDM 3A 4.8: a locked read-modify-write sets D", 3, &xadd, 0, P_A | P_D);
	ad("rep-stos", "SDM 3A 4.8: a string store sets D", 3, &rep, 0, P_A | P_D);
	ad("pop-mem", "SDM 3A 4.8: POP to memory sets D", 3, &popm, 0, P_A | P_D);
	ad("lea", "SDM 3A 4.8: LEA accesses nothing", 3, &lea_, 0, 0);
	ad("rep-stos-0", "SDM 3A 4.8: a string store of count 0 touches nothing", 3, &rep0, 0, 0);
	T("SDM 3A 4.8: A is set in every level used", "ad-upper-levels");
	win_pd[0] &= ~P_A; win_pdpt[0] &= ~P_A; pt_pml4[1] &= ~P_A;
	win_pt[0] = PA(frame_a) | 7;
	flush();
	access_at(3, R, TV2, FINE);
	eq("pt", win_pt[0] & P_A, P_A);
	eq("pd", win_pd[0] & P_A, P_A);
	eq("pdpt", win_pdpt[0] & P_A, P_A);
	eq("pml4", pt_pml4[1] & P_A, P_A);
	T("SDM 3A 4.8: D is a leaf's bit only", "ad-dirty-leaf-only");
	win_pd[0] &= ~P_D; win_pdpt[0] &= ~P_D; pt_pml4[1] &= ~P_D;
	win_pt[0] = PA(frame_a) | 7;
	flush();
	access_at(3, W, TV2, FINE);
	eq("pt", win_pt[0] & P_D, P_D);
	eq("upper", (win_pd[0] | win_pdpt[0] | pt_pml4[1]) & P_D, 0);
	T("SDM 3A 4.8: a write that faults on protection does not set D", "ad-fault-no-dirty");
	win_pt[0] = PA(frame_a) | 5;
	flush();
	access_at(3, W, TV2, 7);
	eq("d", win_pt[0] & P_D, 0);
	T("SDM 3A 4.8: a not-present entry is not changed", "ad-not-present");
	win_pt[0] = 0xabcdef0;
	flush();
	access_at(3, W, TV2, 6);
	eq("pte", win_pt[0], 0xabcdef0);
	T("SDM 3A 4.8: an entry with a reserved bit set is not changed", "ad-reserved");
	win_pt[0] = PA(frame_a) | 7 | (phys_bits < 52 ? 1ull << 51 : 0);
	flush();
	if (phys_bits < 52) {
		access_at(3, W, TV2, 0xf);
		eq("d", win_pt[0] & P_D, 0);
	} else {
		skip("no reserved address bits");
	}
	T("SDM 3A 4.8, 4.10.4.2: cleared D is set again by a write after INVLPG", "ad-dirty-again");
	win_pt[0] = PA(frame_a) | 7;
	flush();
	*(volatile u8 *)TV2 = 0xcd;
	win_pt[0] &= ~(P_A | P_D);
	invlpg(TV2);
	*(volatile u8 *)TV2 = 0xcd;
	eq("ad", win_pt[0] & (P_A | P_D), P_A | P_D);
	T("SDM 3A 4.8: a read after that does not set D", "ad-read-after-clear");
	win_pt[0] &= ~(P_A | P_D);
	invlpg(TV2);
	(void)*(volatile u8 *)TV2;
	eq("ad", win_pt[0] & (P_A | P_D), P_A);
	T("SDM 3A 4.8: the write after a read (warm read entry) sets D", "ad-write-after-read");
	(void)*(volatile u8 *)TV2;
	*(volatile u8 *)TV2 = 0xcd;
	eq("ad", win_pt[0] & (P_A | P_D), P_A | P_D);
	T("SDM 3A 4.8: two aliases have A and D of their own", "ad-alias");
	win_pt[0] = win_pt[1] = PA(frame_a) | 7;
	flush();
	*(volatile u8 *)TV2 = 0xcd;
	(void)*(volatile u8 *)(TV2 + 4096);
	eq("first", win_pt[0] & (P_A | P_D), P_A | P_D);
	eq("second", win_pt[1] & (P_A | P_D), P_A);
	T("SDM 3A 6.12.1: exception frame pushes set D", "ad-frame-push");
	win_pt[0] = PA(pages[5]) | 7;
	flush();
	tss.t.rsp[0] = TV2 + 4096;
	run(R3_64, &lea_);
	tss.t.rsp[0] = (ulong)rsp0_stack_top;
	eq("ad", win_pt[0] & (P_A | P_D), P_A | P_D);
	T("SDM 3A 4.8: an access crossing pages sets A and D in both", "ad-crossing");
	win_pt[0] = PA(frame_a) | 7;
	win_pt[1] = PA(frame_b) | 7;
	flush();
	in.rdi = TV2 + 4092;
	in.rax = 0xf0cdf0cdf0cdf0cd;
	eq("vec", run(R3_64, &wr8), DONE);
	eq("first", win_pt[0] & (P_A | P_D), P_A | P_D);
	eq("second", win_pt[1] & (P_A | P_D), P_A | P_D);
	frames();
}

static void g_large(void)
{
	static const u64 probe = 0x123458;
	u64 old_pd = win_pd[1];
	volatile u8 *low = (void *)0x500000;	/* RAM above every kernel here */

	low[0x23458] = 0x5c;
	T("SDM 3A 4.5: a 2 MiB page", "page-2m");
	win_pd[1] = 0x400000 | 7 | P_PS;
	flush();
	eq("byte", *(volatile u8 *)(TV2 + 0x200000 + probe), 0x5c);
	T("SDM 3A 4.8: A and D of a 2 MiB page", "page-2m-ad");
	win_pd[1] = 0x400000 | 7 | P_PS;
	flush();
	(void)*(volatile u8 *)(TV2 + 0x200000 + probe);
	eq("a", win_pd[1] & (P_A | P_D), P_A);
	*(volatile u8 *)(TV2 + 0x3ffff8) = 1;
	eq("ad", win_pd[1] & (P_A | P_D), P_A | P_D);
	T("SDM 3A 4.6.1: a read-only 2 MiB page", "page-2m-readonly");
	win_pd[1] = 0x400000 | 5 | P_PS;
	flush();
	access_at(3, W, TV2 + 0x2fffff, 7);
	T("SDM 3A 4.6.1: NX in a 2 MiB page", "page-2m-nx");
	win_pd[1] = 0x400000 | 7 | P_PS | P_NX;
	flush();
	access_at(3, X, TV2 + 0x200000, 0x15);
	T("SDM 3A 4.10.4.1: INVLPG anywhere in a 2 MiB page drops all of it", "invlpg-2m");
	win_pd[1] = 0x400000 | 7 | P_PS;
	flush();
	low[0x23458] = 0x5c;
	*(volatile u8 *)(0x700000 + 0x23458) = 0x77;
	for (u64 a = 0; a < 0x200000; a += 4096)
		(void)*(volatile u8 *)(TV2 + 0x200000 + a);
	eq("before", *(volatile u8 *)(TV2 + 0x200000 + probe), 0x5c);
	win_pd[1] = 0x600000 | 7 | P_PS;
	invlpg(TV2 + 0x200000);
	eq("after", *(volatile u8 *)(TV2 + 0x200000 + probe), 0x77);
	eq("last", *(volatile u8 *)(TV2 + 0x200000 + probe), 0x77);
	T("SDM 3A 4.10.4.1: the same for removal: every 4 KiB of it faults", "invlpg-2m-removed");
	(void)*(volatile u8 *)(TV2 + 0x3ff000);
	win_pd[1] = 0;
	invlpg(TV2 + 0x201000);
	access_at(3, R, TV2 + 0x3ff008, 4);
	T("SDM 3A 4.5: a 2 MiB page split into 4 KiB pages", "split-2m");
	win_pd[1] = 0x400000 | 7 | P_PS;
	flush();
	(void)*(volatile u8 *)(TV2 + 0x200000 + 4000);
	fill(pages[0], 0, 4096);
	((u64 *)pages[0])[0] = PA(frame_b) | 7;
	win_pd[1] = PA(pages[0]) | 7;
	flush();
	eq("byte", *(volatile u8 *)(TV2 + 0x200000 + 4000), 0xbb);
	win_pd[1] = old_pd;
	flush();
	int g1 = has(0x80000001, 0, EDX_, 26);
	T("SDM 3A 4.5: a 1 GiB page", "page-1g");
	if (!g1) {
		skip("CPUID has no 1 GiB pages");
	} else {
		low[0x23458] = 0x5c;
		win_pdpt[2] = 0 | 7 | P_PS;
		flush();
		eq("byte", *(volatile u8 *)(TV2 + 0x80000000ull + 0x523458), 0x5c);
	}
	T("SDM 3A 4.8: A and D of a 1 GiB page", "page-1g-ad");
	if (!g1) {
		skip("CPUID has no 1 GiB pages");
	} else {
		win_pdpt[2] = 0 | 7 | P_PS;
		flush();
		*(volatile u8 *)(TV2 + 0x80523458ull) = 0x5c;
		eq("ad", win_pdpt[2] & (P_A | P_D), P_A | P_D);
	}
	T("SDM 3A 4.5: bit 13 of a 1 GiB entry is reserved", "reserved-1g-bit13");
	if (!g1) {
		skip("CPUID has no 1 GiB pages");
	} else {
		win_pdpt[2] = 7 | P_PS | 1 << 13;
		flush();
		access_at(3, R, TV2 + 0x80000000, 0xd);
	}
	T("SDM 3A 4.10.4.1: INVLPG in a 1 GiB page drops all of it", "invlpg-1g");
	if (!g1) {
		skip("CPUID has no 1 GiB pages");
	} else {
		win_pdpt[2] = 7 | P_PS;
		flush();
		(void)*(volatile u8 *)(TV2 + 0x80523458ull);
		win_pdpt[2] = 0;
		invlpg(TV2 + 0x80000000ull);
		access_at(3, R, TV2 + 0x80523458, 4);
	}
	win_pdpt[2] = 0;
	flush();
}

/* Page 0 of the window shows frame a, is touched, is turned to frame b. */
static void turn(u64 extra, void (*how)(void), u32 want)
{
	volatile u8 *p = (void *)(TV2 + 4000);

	win_pt[0] = PA(frame_a) | 7 | extra;
	invlpg(TV2);
	eq("before", *p, 0xaa);
	win_pt[0] = PA(frame_b) | 7 | extra;
	how();
	eq("after", *p, want);
}
static void by_invlpg(void) { invlpg(TV2); }
static void by_invlpg_offset(void) { invlpg(TV2 + 4095); }
static void by_cr3(void) { flush(); }
static void by_pge(void) { ulong c = rcr4(); wcr4(c ^ CR4_PGE); wcr4(c); }
static void by_other_root(void)
{
	ulong c = rcr3();
	copy(pages[1], pt_pml4, 4096);
	wcr3(PA(pages[1]));
	wcr3(c);
}
static void by_wp(void) { ulong c = rcr0(); wcr0(c & ~CR0_WP); wcr0(c); by_invlpg(); }

static void g_tlb(void)
{
	T("SDM 3A 4.10.4.1: INVLPG drops the entry of its page", "invlpg-4k");
	turn(0, by_invlpg, 0xbb);
	T("SDM 3A 4.10.4.1: INVLPG takes any address in the page", "invlpg-4k-offset");
	turn(0, by_invlpg_offset, 0xbb);
	T("SDM 3A 4.10.4.1: writing CR3 drops non-global entries", "cr3-flush");
	turn(0, by_cr3, 0xbb);
	T("SDM 3A 4.10.4.1: going to another root and back drops them", "cr3-other-root");
	turn(0, by_other_root, 0xbb);
	T("SDM 3A 4.10.4.1: toggling CR4.PGE drops non-global entries", "pge-toggle");
	turn(0, by_pge, 0xbb);
	wcr4(rcr4() | CR4_PGE);
	T("SDM 3A 4.10.4.1: toggling CR4.PGE drops global entries", "pge-toggle-global");
	turn(P_G, by_pge, 0xbb);
	T("SDM 3A 4.10.4.1: INVLPG drops a global entry", "invlpg-global");
	turn(P_G, by_invlpg, 0xbb);
	T("SDM 3A 4.10.4.1: writing CR3 drops non-global entries with CR4.PGE=1 too", "cr3-flush-pge");
	turn(0, by_cr3, 0xbb);
	wcr4(rcr4() & ~CR4_PGE);
	T("SDM 3A 4.10.2.4: with CR4.PGE=0 the G bit has no meaning: CR3 drops it", "cr3-flush-g-without-pge");
	turn(P_G, by_cr3, 0xbb);
	T("SDM 3A 4.10.4.1: CR0.WP change plus INVLPG", "invlpg-after-wp");
	turn(0, by_wp, 0xbb);
	T("SDM 3A 4.10.4.3: making a not-present entry present needs no invalidation", "np-to-present");
	win_pt[0] = 0;
	invlpg(TV2);
	access_at(3, R, TV2 + 4000, 4);
	win_pt[0] = PA(frame_b) | 7;
	eq("byte", *(volatile u8 *)(TV2 + 4000), 0xbb);
	T("SDM 3A 4.10.4.3: nor does an upper level", "np-to-present-pd");
	win_pd[0] &= ~1ull;
	flush();
	in.rsp = 0;
	access_at(3, R, TV2, 4);
	win_pd[0] |= 1;
	eq("byte", *(volatile u8 *)(TV2 + 4000), 0xbb);
	T("SDM 3A 4.10.4.2: after a page fault the faulting address is walked afresh", "fault-drops-entry");
	win_pt[0] = PA(frame_a) | 5;
	invlpg(TV2);
	(void)*(volatile u8 *)TV2;
	access_at(3, W, TV2, 7);
	win_pt[0] = PA(frame_a) | 7;
	in.rsp = 0;
	access_at(3, W, TV2, FINE);
	T("SDM 3A 4.10.4.1: a lowered page is read-only after INVLPG", "lower-to-readonly");
	*(volatile u8 *)TV2 = 0xcd;
	win_pt[0] = PA(frame_a) | 5;
	invlpg(TV2);
	access_at(3, W, TV2, 7);
	T("SDM 3A 4.10.4.1: a page made supervisor is closed to ring 3 after INVLPG", "lower-to-supervisor");
	win_pt[0] = PA(frame_a) | 7;
	invlpg(TV2);
	access_at(3, R, TV2, FINE);
	win_pt[0] = PA(frame_a) | 3;
	invlpg(TV2);
	in.rsp = 0;
	access_at(3, R, TV2, 5);
	T("SDM 3A 4.10.4.1: a page made NX is not executed after INVLPG", "lower-to-nx");
	win_pt[0] = PA(frame_a) | 7;
	invlpg(TV2);
	access_at(3, X, TV2, FINE);
	win_pt[0] = PA(frame_a) | 7 | P_NX;
	invlpg(TV2);
	in.rsp = 0;
	access_at(3, X, TV2, 0x15);
	T("SDM 3A 4.10.4.1: code mapped elsewhere after INVLPG is the new code", "remap-code");
	static u8 *fa = pages[2], *fb = pages[3];
	copy(fa, "\xb8\x11\0\0\0\xcd\xf0", 7);
	copy(fb, "\xb8\x22\0\0\0\xcd\xf0", 7);
	win_pt[0] = PA(fa) | 7;
	invlpg(TV2);
	run_at(UCS64, TV2);
	eq("first", rec->rax, 0x11);
	win_pt[0] = PA(fb) | 7;
	invlpg(TV2);
	in.rsp = 0;
	run_at(UCS64, TV2);
	eq("second", rec->rax, 0x22);
	T("SDM 3A 4.10.4.1: the same by CR3 write", "remap-code-cr3");
	win_pt[0] = PA(fa) | 7;
	flush();
	run_at(UCS64, TV2);
	eq("first", rec->rax, 0x11);
	win_pt[0] = PA(fb) | 7;
	flush();
	in.rsp = 0;
	run_at(UCS64, TV2);
	eq("second", rec->rax, 0x22);
	T("SDM 2A INVLPG: a non-canonical address is a no-op", "invlpg-noncanonical");
	in.rdi = 0x800000000000;
	eq("vec", run(R0_64, &invl), DONE);
	T("SDM 2A INVLPG: an unmapped address is a no-op", "invlpg-unmapped");
	in.rdi = 0x7000000000;
	eq("vec", run(R0_64, &invl), DONE);
	T("SDM 2B PREFETCH: never faults", "prefetch-unmapped");
	in.rdi = 0x7000000000;
	eq("vec", run(R3_64, &prefetch), DONE);
}

static void g_cross(void)
{
	win_pt[0] = PA(frame_a) | 7;
	win_pt[1] = 0;
	flush();
	T("SDM 3A 4.7: a read crossing into a not-present page: CR2 is the first byte there", "cross-read");
	in.rdi = TV2 + 4092;
	expect(R3_64, &rd8, PF, 4, 0);
	eq("cr2", rec->cr2, TV2 + 4096);
	T("SDM 3A 4.7: a write crossing into a not-present page writes nothing", "cross-write");
	fill(pages[4], 0x11, 4096);
	win_pt[0] = PA(pages[4]) | 7;
	flush();
	in.rdi = TV2 + 4092;
	in.rax = ~0ull;
	expect(R3_64, &wr8, PF, 6, 0);
	eq("cr2", rec->cr2, TV2 + 4096);
	eq("kept", pages[4][4095], 0x11);
	T("SDM 3A 4.7: first page not present: CR2 is the access's first byte", "cross-first");
	win_pt[0] = 0;
	win_pt[1] = PA(frame_b) | 7;
	flush();
	in.rdi = TV2 + 4092;
	expect(R3_64, &rd8, PF, 4, 0);
	eq("cr2", rec->cr2, TV2 + 4092);
	T("SDM 3A 4.7: a write crossing into a read-only page", "cross-readonly");
	win_pt[0] = PA(pages[4]) | 7;
	win_pt[1] = PA(frame_b) | 5;
	flush();
	in.rdi = TV2 + 4093;
	in.rax = ~0ull;
	expect(R3_64, &wr8, PF, 7, 0);
	eq("cr2", rec->cr2, TV2 + 4096);
	eq("kept", pages[4][4094], 0x11);
	T("SDM 3A 4.7: an instruction crossing into a not-present page: RIP its start, CR2 the page", "cross-fetch");
	copy(pages[4] + 4094, "\xb8\x11", 2);
	win_pt[1] = 0;
	flush();
	run_at(UCS64, TV2 + 4094);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0x14);
	eq("rip", rec->rip, TV2 + 4094);
	eq("cr2", rec->cr2, TV2 + 4096);
	T("SDM 3A 4.7: an instruction crossing into an NX page", "cross-fetch-nx");
	win_pt[1] = PA(frame_b) | 7 | P_NX;
	flush();
	run_at(UCS64, TV2 + 4094);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0x15);
	eq("cr2", rec->cr2, TV2 + 4096);
	T("SDM 3A 4.7: an instruction across two frames that are not neighbours", "cross-fetch-frames");
	copy(pages[3], "\x22\x33\x44\xcd\xf0", 5);
	win_pt[1] = PA(pages[3]) | 7;
	flush();
	run_at(UCS64, TV2 + 4094);
	eq("vec", rec->vec, DONE);
	eq("rax", rec->rax, 0x44332211);
	T("SDM 3A 4.7: code running off into a not-present page: RIP and CR2 are the page", "run-off");
	copy(pages[4] + 4095, "\x90", 1);
	win_pt[1] = 0;
	flush();
	run_at(UCS64, TV2 + 4095);
	eq("vec", rec->vec, PF);
	eq("rip", rec->rip, TV2 + 4096);
	eq("cr2", rec->cr2, TV2 + 4096);
	T("SDM 2B REP: a fault inside leaves RIP, RCX and RDI restartable", "rep-fault");
	in.rdi = TV2 + 4090;
	in.rcx = 100;
	expect(R3_64, &rep, PF, 6, 0);
	eq("rcx", rec->rcx, 94);
	eq("rdi", rec->rdi, TV2 + 4096);
	T("SDM 2A CMOVcc: reads its memory operand even when the condition is false", "cmov-reads");
	in.rdi = TV2 + 4096;
	expect(R3_64, &cmov, PF, 4, 0);
	T("SDM 3A 3.3.7: an address-size prefix wraps at 32 bits", "addr32-wrap");
	in.rdi = 0xfffffff8;
	eq("vec", run(R3_64, &rd32), DONE);
	T("SDM 3A 6.15: CR2 is not touched by #GP", "cr2-kept");
	wcr2(0x1234567890);
	in.rdi = 0x800000000000;
	run(R3_64, &rd);
	eq("vec", rec->vec, GP);
	eq("cr2", rec->cr2, 0x1234567890);
}

static void g_canonical(void)
{
	static u64 hi_pdpt[512] __attribute__((aligned(4096)));
	static u64 hi_pd[512] __attribute__((aligned(4096)));
	static u64 hi_pt[512] __attribute__((aligned(4096)));
	const u64 edge = 0x800000000000;

	pt_pml4[255] = PA(hi_pdpt) | 7;
	hi_pdpt[511] = PA(hi_pd) | 7;
	hi_pd[511] = PA(hi_pt) | 7;
	fill(pages[4], 0x90, 4096);
	hi_pt[511] = PA(pages[4]) | 7;
	pt_pml4[256] = PA(hi_pdpt) | 7;
	hi_pdpt[0] = PA(hi_pd) | 7;
	hi_pd[0] = PA(hi_pt) | 7;
	hi_pt[0] = PA(frame_a) | 7;
	flush();
	for (int r = 0; r <= 3; r += 3) {
		enum mode m = r ? R3_64 : R0_64;
		T("SDM 3A 3.3.7.1: execution running into 0x0000800000000000 is #GP(0) with that RIP", "run-into-edge-r%d", r);
		run_at(r ? UCS64 : KCS, edge - 1);
		eq("vec", rec->vec, GP);
		eq("err", rec->err, 0);
		eq("rip", rec->rip, edge);
		T("SDM 2A JMP: a non-canonical target is #GP(0) at the JMP", "jmp-noncanonical-r%d", r);
		in.rdi = edge;
		expect(m, &ex, GP, 0, 0);
		T("SDM 2A JMP: the same from memory", "jmp-mem-noncanonical-r%d", r);
		in.rdi = edge;
		expect(m, &jmpm, GP, 0, FLEX_SP);
		T("SDM 2A CALL: a non-canonical target is #GP(0) at the CALL, RSP unchanged", "call-noncanonical-r%d", r);
		in.rdi = 0xffff7fffffffffff;
		expect(m, &calln, GP, 0, 0);
		T("SDM 2B RET: a non-canonical target is #GP(0) at the RET, RSP unchanged", "ret-noncanonical-r%d", r);
		in.rdi = edge;
		expect(m, &retn, GP, 0, FLEX_SP);
		eq("rsp", rec->rsp, in.rsp - 8);
		T("SDM 3A 3.3.7.1: a read across the edge is #GP(0)", "cross-edge-read-r%d", r);
		in.rdi = edge - 4;
		expect(m, &rd8, GP, 0, 0);
		T("SDM 3A 3.3.7.1: a write across the edge is #GP(0) and writes nothing", "cross-edge-write-r%d", r);
		in.rdi = edge - 4;
		in.rax = 0;
		expect(m, &wr8, GP, 0, 0);
		eq("kept", pages[4][4095], 0x90);
	}
	T("SDM 3A 3.3.7.1: the last bytes below the edge are fine", "below-edge");
	in.rdi = edge - 8;
	eq("vec", run(R3_64, &rd8), DONE);
	T("SDM 3A 3.3.7.1: the first bytes of the upper half are fine", "upper-half");
	in.rdi = 0xffff800000000000;
	eq("vec", run(R3_64, &rd8), DONE);
	T("SDM 3A 3.3.7.1: code runs in the upper half", "upper-half-code");
	run_at(UCS64, 0xffff800000000000);
	eq("vec", rec->vec, DONE);
	eq("rip", rec->rip, 0xffff800000000002);
	T("SDM 3A 3.3.7.1: one byte below the upper half is #GP(0)", "below-upper-half");
	in.rdi = 0xffff7fffffffffff;
	expect(R3_64, &rd, GP, 0, 0);
}

void kmain(void)
{
	u32 r[4];

	cpuid(0x80000008, 0, r);
	phys_bits = r[0] & 0xff;
	group("permissions", g_perm);
	group("reserved bits", g_reserved);
	group("SMEP and SMAP", g_smep);
	group("accessed and dirty", g_ad);
	group("large pages", g_large);
	group("TLB", g_tlb);
	group("crossing", g_cross);
	group("canonical edge", g_canonical);
}
