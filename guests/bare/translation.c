/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 4-level paging: page sizes, the TLB and its maintenance, crossing and canonical accesses. */
#include "paging.h"

CODE64(rd8, "nop\n 1: movq (%rdi),%rax");
CODE64(calln, "nop\n 1: call *%rdi");
CODE64(retn, "pushq %rdi\n 1: retq");
CODE64(jmpm, "pushq %rdi\n 1: jmp *(%rsp)");
CODE64(rd32, "nop\n 1: addr32 movb 0x10(%edi),%al");
CODE64(prefetch, "prefetcht0 (%rdi)");
CODE64(invl, "invlpg (%rdi)");
CODE64(cmov, "testl %eax,%eax\n 1: cmovnzl (%rdi),%eax");

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
	paging_begin();
	group("large pages", g_large);
	group("TLB", g_tlb);
	group("crossing", g_cross);
	group("canonical edge", g_canonical);
}
