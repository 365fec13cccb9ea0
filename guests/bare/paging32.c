/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 32-bit paging with and without PSE, and PAE paging. */
#include "bare.h"

CODE32(rd, "nop\n 1: movb (%edi),%al");
CODE32(wr, "nop\n 1: movb %al,(%edi)");
CODE32(ex, "nop\n 1: jmp *%edi");
CODE32(rd4, "nop\n 1: movl (%edi),%eax");
CODE32(wcr3_, "nop\n 1: movl %edi,%cr3");
CODE32(wcr0_, "nop\n 1: movl %edi,%cr0");

#define VA 0x40000000u	/* directory entry 256, PDPT entry 1 */
static u32 pd[1024] __attribute__((aligned(4096)));
static u32 id_pt[4][1024] __attribute__((aligned(4096)));
static u32 pt[1024] __attribute__((aligned(4096)));
static u64 pdpt[4] __attribute__((aligned(4096)));
static u64 ppd0[512] __attribute__((aligned(4096)));
static u64 ppd[512] __attribute__((aligned(4096)));
static u64 ppt[512] __attribute__((aligned(4096)));
static u8 frame_a[4096] __attribute__((aligned(4096)));
static u8 frame_b[4096] __attribute__((aligned(4096)));

enum { R, W, X };
#define FINE (~0u)

static void access_at(int ring, int op, u32 va, u32 want)
{
	struct snip *s = op == R ? &rd : op == W ? &wr : &ex;

	in.rdi = va;
	in.rax = 0xcd;
	run(ring ? R3_32 : R0_32, s);
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

static void paging_off(void)
{
	wcr0(rcr0() & ~(CR0_PG | CR0_WP));
	wcr4(rcr4() & ~(CR4_PSE | CR4_PAE | CR4_PGE));
}

static void frames(void)
{
	for (int i = 0; i < 4096; i += 2) {
		frame_a[i] = frame_b[i] = 0xcd;
		frame_a[i + 1] = frame_b[i + 1] = 0xf0;
	}
	frame_a[4000] = 0xaa;
	frame_b[4000] = 0xbb;
}

static const struct { const char *n; u32 f; } prot[] = {
	{ "np", 6 }, { "s-ro", 1 }, { "s-rw", 3 }, { "u-ro", 5 }, { "u-rw", 7 },
};
static const char *const ops[] = { "read", "write", "fetch" };

static u32 model(int ring, int op, u32 f, int nx, int ibit)
{
	u32 err = (op == W ? 2 : 0) | (ring ? 4 : 0) | (op == X && ibit ? 16 : 0);

	if (!(f & 1))
		return err;
	if ((ring && !(f & 4)) || (op == W && !(f & 2)) || (op == X && nx))
		return err | 1;
	return FINE;
}

static void g_32(void)
{
	/* identity for the first 16 MiB by 4 KiB pages */
	for (u32 i = 0; i < 4096; i++)
		id_pt[i >> 10][i & 1023] = i << 12 | 7;
	for (u32 i = 0; i < 4; i++)
		pd[i] = (ulong)id_pt[i] | 7;
	pd[VA >> 22] = (ulong)pt | 7;
	frames();
	T("SDM 3A 4.3: switching 32-bit paging on", "enable");
	wcr3((ulong)pd);
	wcr0(rcr0() | CR0_PG | CR0_WP);
	eq("pg", rcr0() >> 31, 1);
	for (u32 i = 0; i < sizeof prot / sizeof *prot; i++)
		for (int ring = 0; ring <= 3; ring += 3)
			for (int op = R; op <= X; op++) {
				T("SDM 3A 4.6.1, 4.7: 32-bit paging access rights", "perm-%s-%s-r%d", prot[i].n, ops[op], ring);
				pt[0] = (ulong)frame_a | prot[i].f;
				invlpg(VA);
				access_at(ring, op, VA, model(ring, op, prot[i].f, 0, 0));
			}
	T("SDM 3A 4.3: directory and table rights combine: supervisor directory", "pde-supervisor");
	pt[0] = (ulong)frame_a | 7;
	pd[VA >> 22] = (ulong)pt | 3;
	wcr3(rcr3());
	access_at(3, R, VA, 5);
	T("SDM 3A 4.3: read-only directory entry", "pde-readonly");
	pd[VA >> 22] = (ulong)pt | 5;
	wcr3(rcr3());
	access_at(3, W, VA, 7);
	T("SDM 3A 4.3: not-present directory entry", "pde-np");
	pd[VA >> 22] = 0;
	wcr3(rcr3());
	access_at(3, W, VA, 6);
	T("SDM 3A 4.3: PS is ignored with CR4.PSE=0", "ps-without-pse");
	pd[VA >> 22] = (ulong)pt | 7 | 0x80;
	wcr3(rcr3());
	access_at(3, R, VA, FINE);
	T("SDM 3A 4.8: A and D in 32-bit paging, read", "ad-read");
	pd[VA >> 22] = (ulong)pt | 7;
	pt[0] = (ulong)frame_a | 7;
	wcr3(rcr3());
	access_at(3, R, VA, FINE);
	eq("pte", pt[0] & 0x60, 0x20);
	eq("pde", pd[VA >> 22] & 0x20, 0x20);
	T("SDM 3A 4.8: A and D in 32-bit paging, write", "ad-write");
	access_at(3, W, VA, FINE);
	eq("pte", pt[0] & 0x60, 0x60);
	T("SDM 3A 4.10.4.1: INVLPG", "invlpg");
	(void)*(volatile u8 *)VA;
	pt[0] = (ulong)frame_b | 7;
	invlpg(VA);
	eq("byte", *(volatile u8 *)(VA + 4000), 0xbb);
	T("SDM 3A 4.10.4.1: CR3 write", "cr3-flush");
	pt[0] = (ulong)frame_a | 7;
	wcr3(rcr3());
	eq("byte", *(volatile u8 *)(VA + 4000), 0xaa);
	T("SDM 3A 4.6.1: CR0.WP=0", "wp0");
	wcr0(rcr0() & ~CR0_WP);
	pt[0] = (ulong)frame_a | 5;
	wcr3(rcr3());
	access_at(0, W, VA, FINE);
	wcr0(rcr0() | CR0_WP);
	T("SDM 3A 4.7: an access crossing two pages, second not present", "cross");
	pt[0] = (ulong)frame_a | 7;
	pt[1] = 0;
	wcr3(rcr3());
	in.rdi = VA + 4094;
	expect(R3_32, &rd4, PF, 4, 0);
	eq("cr2", rec->cr2, VA + 4096);

	wcr4(rcr4() | CR4_PSE);
	T("SDM 3A 4.3: a 4 MiB page", "pse-4m");
	*(volatile u8 *)0x523458 = 0x5c;
	pd[(VA >> 22) + 1] = 0x400000 | 7 | 0x80;
	wcr3(rcr3());
	eq("byte", *(volatile u8 *)(VA + 0x400000 + 0x123458), 0x5c);
	T("SDM 3A 4.8: A and D of a 4 MiB page", "pse-ad");
	*(volatile u8 *)(VA + 0x400000 + 0x123458) = 0x5c;
	eq("ad", pd[(VA >> 22) + 1] & 0x60, 0x60);
	T("SDM 3A 4.6.1: a read-only 4 MiB page", "pse-readonly");
	pd[(VA >> 22) + 1] = 0x400000 | 5 | 0x80;
	wcr3(rcr3());
	access_at(3, W, VA + 0x400000, 7);
	T("SDM 3A 4.3: bit 21 of a 4 MiB entry is reserved", "pse-reserved");
	pd[(VA >> 22) + 1] = 0x400000 | 7 | 0x80 | 1 << 21;
	wcr3(rcr3());
	access_at(3, R, VA + 0x400000, 0xd);
	T("SDM 3A 4.10.4.1: INVLPG in a 4 MiB page drops all of it", "pse-invlpg");
	pd[(VA >> 22) + 1] = 0x400000 | 7 | 0x80;
	wcr3(rcr3());
	(void)*(volatile u8 *)(VA + 0x7ff000);
	pd[(VA >> 22) + 1] = 0;
	invlpg(VA + 0x400000);
	access_at(3, R, VA + 0x7ff000, 4);
	T("SDM 3A 4.10.4.1: global pages go with CR4.PGE", "pge-toggle");
	wcr4(rcr4() | CR4_PGE);
	pt[0] = (ulong)frame_a | 7 | 0x100;
	invlpg(VA);
	eq("before", *(volatile u8 *)(VA + 4000), 0xaa);
	pt[0] = (ulong)frame_b | 7 | 0x100;
	wcr4(rcr4() & ~CR4_PGE);
	eq("after", *(volatile u8 *)(VA + 4000), 0xbb);
	T("SDM 3A 4.1.1: clearing CR0.PG turns translation off", "disable");
	paging_off();
	*(volatile u8 *)0x600000 = 0x42;
	eq("byte", *(volatile u8 *)0x600000, 0x42);
	eq("pg", rcr0() >> 31, 0);
}

static void g_pae(void)
{
	int nx = has(0x80000001, 0, EDX_, 20);

	paging_off();
	frames();
	for (u32 i = 0; i < 512; i++)
		ppd0[i] = (u64)i << 21 | 7 | P_PS;
	pdpt[0] = (ulong)ppd0 | 1;
	pdpt[1] = (ulong)ppd | 1;
	ppd[0] = (ulong)ppt | 7;
	if (nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 0x800);
	T("SDM 3A 4.4: switching PAE paging on", "pae-enable");
	wcr4(rcr4() | CR4_PAE);
	wcr3((ulong)pdpt);
	wcr0(rcr0() | CR0_PG | CR0_WP);
	eq("pg", rcr0() >> 31, 1);
	for (u32 i = 0; i < sizeof prot / sizeof *prot; i++)
		for (int ring = 0; ring <= 3; ring += 3)
			for (int op = R; op <= X; op++) {
				T("SDM 3A 4.6.1, 4.7: PAE access rights", "pae-perm-%s-%s-r%d", prot[i].n, ops[op], ring);
				ppt[0] = (ulong)frame_a | prot[i].f;
				invlpg(VA);
				access_at(ring, op, VA, model(ring, op, prot[i].f, 0, nx));
			}
	T("SDM 3A 4.6.1: NX in PAE paging, ring 3", "pae-nx-r3");
	if (!nx) {
		skip("CPUID has no NX");
	} else {
		ppt[0] = (ulong)frame_a | 7 | P_NX;
		invlpg(VA);
		access_at(3, X, VA, 0x15);
	}
	T("SDM 3A 4.6.1: NX in PAE paging, ring 0", "pae-nx-r0");
	if (!nx) {
		skip("CPUID has no NX");
	} else {
		ppt[0] = (ulong)frame_a | 7 | P_NX;
		invlpg(VA);
		access_at(0, X, VA, 0x11);
	}
	T("SDM 3A 4.4.2: bits 62:52 of a PAE entry are reserved", "pae-reserved");
	ppt[0] = (ulong)frame_a | 7 | 1ull << 62;
	invlpg(VA);
	access_at(3, R, VA, 0xd);
	T("SDM 3A 4.4.2: the same in a directory entry", "pae-reserved-pd");
	ppt[0] = (ulong)frame_a | 7;
	ppd[0] = (ulong)ppt | 7 | 1ull << 55;
	wcr3(rcr3());
	access_at(3, R, VA, 0xd);
	ppd[0] = (ulong)ppt | 7;
	T("SDM 3A 4.4.2: a 2 MiB page", "pae-2m");
	*(volatile u8 *)0x523458 = 0x5c;
	ppd[1] = 0x400000 | 7 | P_PS;
	wcr3(rcr3());
	eq("byte", *(volatile u8 *)(VA + 0x200000 + 0x123458), 0x5c);
	T("SDM 3A 4.4.2: bit 13 of a 2 MiB entry is reserved", "pae-2m-reserved");
	ppd[1] = 0x400000 | 7 | P_PS | 1 << 13;
	wcr3(rcr3());
	access_at(3, R, VA + 0x200000, 0xd);
	T("SDM 3A 4.8: A and D", "pae-ad");
	ppt[0] = (ulong)frame_a | 7;
	wcr3(rcr3());
	*(volatile u8 *)VA = 0xcd;
	eq("ad", ppt[0] & 0x60, 0x60);
	T("SDM 3A 4.4.1: a not-present PDPTE", "pae-pdpte-np");
	access_at(3, R, 0x80000000, 4);
	T("SDM 3A 4.4.1: PDPTEs are loaded by MOV to CR3, not by a walk", "pae-pdpte-cached");
	pdpt[2] = (ulong)ppd | 1;
	invlpg(0x80000000);
	access_at(3, R, 0x80000000, 4);
	T("SDM 3A 4.4.1: MOV to CR3 loads the new PDPTE", "pae-pdpte-loaded");
	wcr3(rcr3());
	access_at(3, R, 0x80000000, FINE);
	T("SDM 3A 4.4.1: a PDPTE with reserved bits is #GP(0) at MOV to CR3", "pae-pdpte-reserved");
	pdpt[2] = (ulong)ppd | 1 | 2;
	in.rdi = (ulong)pdpt;
	expect(R0_32, &wcr3_, GP, 0, 0);
	T("SDM 3A 4.4.1: reserved bits of a not-present PDPTE are ignored", "pae-pdpte-np-reserved");
	pdpt[2] = 0x1e6;
	in.rdi = (ulong)pdpt;
	eq("vec", run(R0_32, &wcr3_), DONE);
	T("SDM 3A 4.4.1: PDPTEs are also checked when CR0.PG is set", "pae-pdpte-checked-by-pg");
	pdpt[2] = 0;
	wcr3(rcr3());
	wcr0(rcr0() & ~CR0_PG);
	pdpt[2] = (ulong)ppd | 1 | 4;
	in.rdi = rcr0() | CR0_PG;
	expect(R0_32, &wcr0_, GP, 0, 0);
	paging_off();
}

void kmain(void)
{
	group("32-bit paging", g_32);
	group("PAE paging", g_pae);
}
