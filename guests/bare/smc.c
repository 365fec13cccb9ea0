/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-modifying and cross-modifying code (SDM 3A 8.1.3, 11.6): what was
 * written is what runs, whichever way it was written.
 */
#include "bare.h"

typedef u64 (*code_fn)(void);
static u8 page[4][4096] __attribute__((aligned(4096)));
#define PA(x) ((u64)(ulong)(x))

/* mov $v,%eax; ret */
static void emit(volatile u8 *p, u32 v)
{
	p[0] = 0xb8;
	p[1] = v;
	p[2] = v >> 8;
	p[3] = v >> 16;
	p[4] = v >> 24;
	p[5] = 0xc3;
}

static void serialize(void)
{
	u32 r[4];
	cpuid(0, 0, r);
}

static u64 call_(volatile void *p)
{
	return ((code_fn)(ulong)p)();
}

CODE64(ahead, "movb $0x22,1f+1(%rip)\n 1: movl $0x11,%eax");
CODE64(ahead_jmp, "movb $0x22,1f+1(%rip)\n jmp 1f\n nop\n 1: movl $0x11,%eax");
CODE64(behind, "xorl %ebx,%ebx\n 2: movl $0x11,%eax\n addl %eax,%ebx\n movb $0x22,2b+1(%rip)\n incl %ecx\n cmpl $2,%ecx\n jb 2b");
CODE64(loop_, "xorl %ebx,%ebx\n 2: movb %cl,1f+1(%rip)\n 1: movl $0,%eax\n addl %eax,%ebx\n decl %ecx\n jnz 2b");
CODE64(self, "movb $0x90,2f(%rip)\n nop\n 2: movb $0x90,2b(%rip)\n movl $0x33,%eax");
CODE64(nopout, "movw $0x9090,1f(%rip)\n 1: incl %eax\n incl %eax");
CODE64(data_near, "movl $1000,%ecx\n 2: incl 3f(%rip)\n loop 2b\n movl 3f(%rip),%eax\n jmp 4f\n 3: .long 0\n 4: nop");
CODE64(to_jmp, "movl $0x11,%eax\n movw $0x02eb,1f(%rip)\n 1: nop\n nop\n movb $0x22,%al");
CODE64(push_code, "movl $0x11,%eax\n leaq 1f+8(%rip),%rdx\n movq %rsp,%rbx\n movq %rdx,%rsp\n movabsq $0x9090909090c0ff90,%rsi\n pushq %rsi\n movq %rbx,%rsp\n jmp 1f\n .balign 8\n 1: .quad 0x9090909090909090");
CODE64(sse_code, "movl $0x11,%eax\n movdqu 2f(%rip),%xmm0\n movdqu %xmm0,1f(%rip)\n jmp 1f\n 2: .byte 0xff,0xc0,0xff,0xc0\n .fill 12,1,0x90\n 1: .fill 16,1,0x90");
CODE64(xchg_code, "movl $0x11,%eax\n movl $0x9090c0ff,%ecx\n xchgl %ecx,1f(%rip)\n jmp 1f\n 1: .fill 4,1,0x90");
CODE64(cmpx_code, "movl $0x90909090,%eax\n movl $0x90907fb3,%ecx\n lock cmpxchgl %ecx,1f(%rip)\n jmp 1f\n 1: .fill 4,1,0x90");
CODE64(rep_self, "leaq 1f(%rip),%rdi\n movl $4,%ecx\n movb $0x90,%al\n rep stosb\n 1: ud2\n ud2\n movl $0x44,%eax");

CODE64(rep_own, "leaq 2f(%rip),%rdi\n movl $4,%ecx\n movb $0x90,%al\n jmp 2f\n 2: .fill 4,1,0xfc\n rep stosb\n movl $0x55,%eax");
CODE64(call_own, "movq %rsp,%rbx\n leaq 2f(%rip),%rsp\n jmp 1f\n 1: .fill 8,1,0x90\n 2: call 3f\n 3: movq %rbx,%rsp\n movl $0x66,%eax");

static void own(const char *name, const char *ref, struct snip *s, u64 rcx, u64 want_a, u64 want_b)
{
	for (int r = 0; r <= 3; r += 3) {
		static u8 keep[256];
		T(ref, "%s-r%d", name, r);
		copy(keep, s->code, s->len);
		in.rcx = rcx;
		eq("vec", run(r ? R3_64 : R0_64, s), DONE);
		if (want_a != ~0ull)
			eq("rax", (u32)rec->rax, want_a);
		if (want_b != ~0ull)
			eq("rbx", (u32)rec->rbx, want_b);
		copy(s->code, keep, s->len);
	}
}

static void g_own(void)
{
	own("next-instruction", "SDM 3A 11.6: a store to the next instruction, same linear address", &ahead, 0, 0x22, ~0ull);
	own("after-jump", "SDM 3A 8.1.3: store, jump, run", &ahead_jmp, 0, 0x22, ~0ull);
	own("already-run", "SDM 3A 8.1.3: code that ran already is changed and runs again", &behind, 0, 0x22, 0x33);
	own("loop-patches-itself", "SDM 3A 8.1.3: every iteration changes its own immediate", &loop_, 100, ~0ull, 5050);
	own("overwrites-itself", "SDM 3A 11.6: an instruction overwrites its own first byte while it runs", &self, 0, 0x33, ~0ull);
	own("nop-out", "SDM 3A 11.6: the next instruction becomes NOPs", &nopout, 0, 1, ~0ull);
	own("becomes-jump", "SDM 3A 11.6: the next instruction becomes a jump", &to_jmp, 0, 0x11, ~0ull);
	own("data-beside-code", "SDM 3A 11.6: plain data in the page being executed", &data_near, 0, 1000, ~0ull);
	own("by-push", "SDM 3A 8.1.3: code written by PUSH", &push_code, 0, 0x12, ~0ull);
	own("by-sse-store", "SDM 3A 8.1.3: code written by a 16-byte SSE store", &sse_code, 0, 0x13, ~0ull);
	own("by-xchg", "SDM 3A 8.1.3: code written by XCHG", &xchg_code, 0, 0x12, ~0ull);
	own("by-cmpxchg", "SDM 3A 8.1.3: code written by LOCK CMPXCHG", &cmpx_code, 0, ~0ull, 0x7f);
	own("by-rep-stos-ahead", "SDM 3A 11.6: REP STOS over the instructions behind it", &rep_self, 0, 0x44, ~0ull);
	own("by-rep-stos-behind", "SDM 3A 11.6: REP STOS over the instructions before it", &rep_own, 0, 0x55, ~0ull);
	own("by-call-behind", "SDM 3A 11.6: CALL stores its return address over the instructions before it", &call_own, 0, 0x66, ~0ull);
}

static void alias(const char *name, const char *ref, u8 *w, u8 *x)
{
	T(ref, "alias-%s", name);
	for (u32 i = 0; i < 50; i++) {
		emit(w, 0x1000 + i);
		serialize();
		eq("value", call_(x), 0x1000 + i);
	}
}

static void g_alias(void)
{
	u8 *v0 = (u8 *)TV, *v1 = (u8 *)TV + 4096, *v2 = (u8 *)TV2, *id = page[0];

	win_init();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 0x800);
	win_pt[0] = PA(page[0]) | 7;
	win_pt[1] = PA(page[0]) | 7 | P_NX;
	win_pt[2] = PA(page[0]) | 5;
	wcr3(rcr3());
	alias("same", "SDM 3A 8.1.3: written and run at one address", id, id);
	alias("nx-to-x", "SDM 3A 8.1.3: written through a writable NX alias with a warm TLB", v1, v0);
	alias("x-to-x", "SDM 3A 8.1.3: written through another executable alias", v0, v2);
	alias("identity-to-window", "SDM 3A 8.1.3: written through a 2 MiB mapping, run in a 4 KiB one", id, v0);
	alias("window-to-identity", "SDM 3A 8.1.3: written through a 4 KiB mapping, run in a 2 MiB one", v1, id);
	alias("rw-to-ro", "SDM 3A 8.1.3: run through a read-only alias", v1, v0 + 8192);
	T("SDM 3A 8.1.3: two aliases run in turn, one written", "alias-both-run");
	for (u32 i = 0; i < 20; i++) {
		emit(v1, i);
		serialize();
		eq("first", call_(v0), i);
		eq("second", call_(id), i);
	}
	T("SDM 3A 8.1.3: another offset of the page is written while code of it is warm", "alias-other-offset");
	emit(id, 1);
	emit(id + 2048, 2);
	serialize();
	for (u32 i = 0; i < 20; i++) {
		eq("first", call_(v0), 1);
		emit(v1 + 2048, 100 + i);
		serialize();
		eq("second", call_(v0 + 2048), 100 + i);
	}
	T("SDM 3A 8.1.3: data beside code is stored through the alias, code stays", "alias-data-beside");
	for (u32 i = 0; i < 100; i++) {
		*(volatile u32 *)(v1 + 1024) = i;
		eq("code", call_(v0), 1);
		eq("data", *(volatile u32 *)(v0 + 1024), i);
	}
	T("SDM 3A 8.1.3: an instruction across two pages, second page written by alias", "alias-second-page");
	win_pt[0] = PA(page[0]) | 7;
	win_pt[1] = PA(page[1]) | 7;
	win_pt[3] = PA(page[1]) | 7 | P_NX;
	wcr3(rcr3());
	emit(v0 + 4093, 0x11223344);
	serialize();
	eq("before", call_(v0 + 4093), 0x11223344);
	(v0 + 3 * 4096)[1] = 0x55;
	serialize();
	eq("after", call_(v0 + 4093), 0x55223344);
	T("SDM 3A 8.1.3: first page written by the identity alias", "alias-first-page");
	page[0][4094] = 0x66;
	serialize();
	eq("after", call_(v0 + 4093), 0x55223366);
}

static void g_copy(void)
{
	static u8 src[3][16];

	emit(src[0], 0xaaa);
	emit(src[1], 0xbbb);
	emit(src[2], 0xccc);
	T("SDM 3A 8.1.3: code copied by REP MOVSB", "copy-rep-movsb");
	for (u32 i = 0; i < 30; i++) {
		copy(page[2], src[i % 3], 16);
		serialize();
		eq("value", call_(page[2]), (u64[]){ 0xaaa, 0xbbb, 0xccc }[i % 3]);
	}
	T("SDM 3A 8.1.3: code copied by REP MOVSQ", "copy-rep-movsq");
	for (u32 i = 0; i < 30; i++) {
		void *d = page[2], *s = src[i % 3];
		ulong n = 2;
		asm volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(n) :: "memory");
		serialize();
		eq("value", call_(page[2]), (u64[]){ 0xaaa, 0xbbb, 0xccc }[i % 3]);
	}
	T("SDM 3A 8.1.3: a whole page filled by REP STOS over code that ran", "copy-page-fill");
	emit(page[2] + 4000, 1);
	serialize();
	eq("before", call_(page[2] + 4000), 1);
	fill(page[2], 0x90, 4096);
	emit(page[2] + 4080, 0x77);
	serialize();
	eq("after", call_(page[2] + 4000), 0x77);
	T("SDM 3A 8.1.3: a breakpoint opcode put in and taken out again", "copy-int3");
	hook[BP] = resume;
	emit(page[2] + 1, 5);
	page[2][0] = 0x90;
	serialize();
	for (u32 i = 0; i < 10; i++) {
		page[2][0] = 0xcc;
		serialize();
		call_(page[2]);
		page[2][0] = 0x90;
		serialize();
		eq("value", call_(page[2]), 5);
	}
	eq("hits", nlog, 10);
	T("SDM 3A 8.1.3: the page is code, data, code again", "copy-flip");
	for (u32 i = 0; i < 20; i++) {
		emit(page[3], i);
		serialize();
		eq("code", call_(page[3]), i);
		for (u32 j = 0; j < 64; j++)
			((volatile u64 *)page[3])[j] = j * i;
		eq("data", ((volatile u64 *)page[3])[63], 63 * i);
	}
	T("SDM 3A 6.12.1: an exception frame written over code that ran", "copy-frame");
	extern struct snip ud2_;
	emit(page[3] + 4096 - 40, 9);
	serialize();
	eq("before", call_(page[3] + 4096 - 40), 9);
	tss.t.rsp[0] = (ulong)page[3] + 4096;
	run(R3_64, &ud2_);
	tss.t.rsp[0] = (ulong)rsp0_stack_top;
	eq("frame", *(volatile u64 *)(page[3] + 4096 - 40), (ulong)ud2_.code);
	emit(page[3] + 4096 - 40, 10);
	serialize();
	eq("after", call_(page[3] + 4096 - 40), 10);
	T("SDM 1 3.6: the same bytes run in 32-bit and 64-bit code", "modes-40");
	/* 40 is INC EAX or a REX prefix */
	copy(page[3], "\x31\xc0\x40\x90\xcd\xf0", 6);
	serialize();
	in.rsp = 0;
	run_at(UCS32, PA(page[3]));
	eq("rax-32", rec->rax, 1);
	run_at(UCS64, PA(page[3]));
	eq("rax-64", rec->rax, 0);
	run_at(UCS32, PA(page[3]));
	eq("rax-32-again", rec->rax, 1);
	T("SDM 1 3.6: the same bytes run in 16-bit and 32-bit code", "modes-b8");
	/* B8 takes 2 or 4 bytes */
	copy(page[3], "\xb8\x11\x22\x90\x90\xcd\xf0", 7);
	serialize();
	run_at(UCS32, PA(page[3]));
	eq("rax-32", (u32)rec->rax, 0x90902211);
	gdt_set(UCS16, (ulong)page[3], 0xffff, 0xfb, 0);
	in.rax = 0;
	run_at(UCS16, 0);
	eq("rax-16", (u32)rec->rax, 0x2211);
	T("SDM 3A 4.10: the linear address is given another frame with other code", "remap");
	win_init();
	for (u32 i = 0; i < 20; i++) {
		emit(page[i & 1], 0x100 + i);
		win_pt[0] = PA(page[i & 1]) | 7;
		invlpg(TV);
		eq("value", call_((void *)TV), 0x100 + i);
	}
	T("SDM 3A 4.10: two frames at one address by turns, no writes", "remap-only");
	emit(page[0], 1);
	emit(page[1], 2);
	for (u32 i = 0; i < 20; i++) {
		win_pt[0] = PA(page[i & 1]) | 7;
		wcr3(rcr3());
		eq("value", call_((void *)TV), 1 + (i & 1));
	}
}
CODE64(ud2_, "ud2");

/* ---- two CPUs ----------------------------------------------------------- */

static volatile u64 ap_value;
static volatile u32 ap_in;
static void ap_call(void) { serialize(); ap_value = call_(page[0]); }
static void ap_emit(void) { emit(page[0], 0x4321); }
static void ap_alias_emit(void) { emit((u8 *)TV + 4096, 0x5432); }
static void ap_spin(void) { ap_in = 1; ap_value = call_(page[1]); }

static void g_cross(void)
{
	int there = ap_boot();

	T("SDM 3A 8.1.3: code changed by this CPU runs on the other after it serialises", "cross-to-ap");
	if (!there) {
		skip("no second CPU");
	} else {
		for (u32 i = 0; i < 10; i++) {
			emit(page[0], 0x900 + i);
			ap_do(ap_call);
			eq("value", ap_value, 0x900 + i);
		}
	}
	T("SDM 3A 8.1.3: code changed by the other CPU runs here after serialising", "cross-from-ap");
	if (!there) {
		skip("no second CPU");
	} else {
		emit(page[0], 1);
		serialize();
		eq("before", call_(page[0]), 1);
		ap_do(ap_emit);
		serialize();
		eq("after", call_(page[0]), 0x4321);
	}
	T("SDM 3A 8.1.3: the other CPU writes through an alias", "cross-from-ap-alias");
	if (!there) {
		skip("no second CPU");
	} else {
		win_init();
		win_pt[1] = PA(page[0]) | 7;
		wcr3(rcr3());
		ap_do(ap_alias_emit);
		serialize();
		eq("after", call_(page[0]), 0x5432);
	}
	T("SDM 3A 8.1.3: the other CPU leaves a loop when the loop is patched under it", "cross-live");
	if (!there) {
		skip("no second CPU");
	} else {
		/* 0: pause; jmp 0 -> the jump becomes two NOPs */
		copy(page[1], "\xf3\x90\xeb\xfc\xb8\x78\x56\x34\x12\xc3", 10);
		ap_value = ap_in = 0;
		ap_post(ap_spin);
		for (u32 i = 0; i < 10000000 && !ap_in; i++)
			pause_();
		for (u32 i = 0; i < 1000; i++)
			pause_();
		*(volatile u16 *)(page[1] + 2) = 0x9090;
		ap_wait();
		eq("value", ap_value, 0x12345678);
	}
}

void kmain(void)
{
	group("own code", g_own);
	group("aliases", g_alias);
	group("copies and modes", g_copy);
	group("other CPU", g_cross);
}
