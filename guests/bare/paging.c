/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-level paging: permissions and error codes, reserved bits, SMEP and SMAP, accessed and dirty bits. */
#include "paging.h"

CODE64(push_, "movq %rdi,%rsp\n 1: pushq %rax\n movq %rsi,%rsp");
CODE64(cmpx, "1: lock cmpxchgl %ecx,(%rdi)");
CODE64(xadd, "1: lock xaddl %ecx,(%rdi)");
CODE64(stac_rd, "stac\n 1: movb (%rdi),%al\n clac");
CODE64(stac_wr, "stac\n 1: movb %al,(%rdi)\n clac");
CODE64(popm, "pushq %rax\n 1: popq (%rdi)");
CODE64(movsb_, "1: rep movsb");
CODE64(lea_, "leaq (%rdi),%rax");
CODE64(rep0, "xorl %ecx,%ecx\n rep stosb");

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

void kmain(void)
{
	paging_begin();
	group("permissions", g_perm);
	group("reserved bits", g_reserved);
	group("SMEP and SMAP", g_smep);
	group("accessed and dirty", g_ad);
}
