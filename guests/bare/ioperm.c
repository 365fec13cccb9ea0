/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O privilege: IOPL, the I/O permission bitmap, string I/O, and the flag
 * instructions that IOPL governs.
 */
#include "bare.h"

CODEALL(in8, "nop\n 1: inb %dx,%al");
CODEALL(in16, "nop\n 1: inw %dx,%ax");
CODEALL(in32, "nop\n 1: inl %dx,%eax");
CODEALL(out8, "nop\n 1: outb %al,%dx");
CODEALL(out16, "nop\n 1: outw %ax,%dx");
CODEALL(out32, "nop\n 1: outl %eax,%dx");
CODE64(in8i, "nop\n 1: inb $0x84,%al");
CODE64(out8i, "nop\n 1: outb %al,$0x84");
CODE64(outs, "nop\n 1: rep outsb");
CODE64(ins, "nop\n 1: rep insb");
CODE64(outs1, "nop\n 1: outsb");
CODE64(outsl_, "nop\n 1: rep outsl");
CODE64(outs_std, "std\n rep outsb\n 1: cld");
CODEALL(cli_, "nop\n 1: cli");
CODEALL(sti_, "nop\n 1: sti");
CODE64(popf64, "pushq %rdi\n popfq\n pushfq\n popq %rax");
CODE32(popf32, "pushl %edi\n popfl\n pushfl\n popl %eax");
CODE64(popfw64, "pushw %di\n popfw\n pushfq\n popq %rax");

#define EACH3(m) for (enum mode m = R3_64; m <= R3_16; m += 2)

static void deny_all(void)
{
	fill(tss.iomap, 0xff, sizeof tss.iomap + 1);
}

static void allow(u32 port, u32 n)
{
	for (u32 p = port; p < port + n; p++)
		tss.iomap[p / 8] &= ~(1 << p % 8);
}

static void g_basic(void)
{
	static const struct { const char *n; struct snip *const *s; u32 w; } t[] = {
		{ "inb", in8, 1 }, { "inw", in16, 2 }, { "inl", in32, 4 },
		{ "outb", out8, 1 }, { "outw", out16, 2 }, { "outl", out32, 4 },
	};

	for (u32 i = 0; i < 6; i++) {
		EACH3(m) {
			T("SDM 1 19.5.2: CPL > IOPL and bitmap bit set: #GP(0)", "denied-%s-%s", t[i].n, mode_name(m));
			deny_all();
			in.rdx = 0x84;
			expect(m, t[i].s[BITS(m)], GP, 0, 0);
		}
		T("SDM 1 19.5.2: all bits clear: allowed", "allowed-%s", t[i].n);
		deny_all();
		allow(0x84, t[i].w);
		in.rdx = 0x84;
		eq("vec", run(R3_64, t[i].s[0]), DONE);
		T("SDM 1 19.5.2: CPL <= IOPL ignores the bitmap", "iopl3-%s", t[i].n);
		deny_all();
		in.rflags |= IOPL(3);
		in.rdx = 0x84;
		eq("vec", run(R3_64, t[i].s[0]), DONE);
	}
	T("SDM 1 19.5.2: ring 0 ignores the bitmap", "ring0-inb");
	in.rdx = 0x84;
	eq("vec", run(R0_64, in8[0]), DONE);
	T("SDM 1 19.5.2: compatibility-mode ring 0 ignores the bitmap", "ring0-compat-inb");
	in.rdx = 0x84;
	eq("vec", run(R0_32, in8[1]), DONE);
	for (u32 io = 1; io < 3; io++) {
		T("SDM 1 19.5.1: ring 3 with IOPL below 3 consults the bitmap", "iopl%u-denied", io);
		in.rflags |= IOPL(io);
		in.rdx = 0x84;
		expect(R3_64, in8[0], GP, 0, 0);
	}
	T("SDM 1 19.5.2: immediate port, denied IN", "denied-in-imm");
	expect(R3_64, &in8i, GP, 0, 0);
	T("SDM 1 19.5.2: immediate port, denied OUT", "denied-out-imm");
	expect(R3_64, &out8i, GP, 0, 0);
	T("SDM 1 19.5.2: immediate port, allowed", "allowed-imm");
	allow(0x84, 1);
	eq("vec", run(R3_64, &in8i), DONE);
	EACH3(m) {
		T("SDM 1 19.5.2: the 64-bit TSS bitmap serves every code size", "allowed-inb-%s", mode_name(m));
		deny_all();
		allow(0x84, 1);
		in.rdx = 0x84;
		eq("vec", run(m, in8[BITS(m)]), DONE);
	}
	T("SDM 2A IN: the upper bits of RDX do not count", "rdx-upper");
	in.rdx = 0xdead00000084;
	eq("vec", run(R3_64, in8[0]), DONE);
}

static void g_bits(void)
{
	for (u32 i = 0; i < 2; i++) {
		T("SDM 1 19.5.2: a word access tests both bits", "word-bit%u-denied", i);
		deny_all();
		allow(0x84 + !i, 1);
		in.rdx = 0x84;
		expect(R3_64, in16[0], GP, 0, 0);
	}
	for (u32 i = 0; i < 4; i++) {
		T("SDM 1 19.5.2: a doubleword access tests all four bits", "dword-bit%u-denied", i);
		deny_all();
		for (u32 j = 0; j < 4; j++)
			if (j != i)
				allow(0x84 + j, 1);
		in.rdx = 0x84;
		expect(R3_64, in32[0], GP, 0, 0);
	}
	for (u32 b = 0; b < 8; b++) {
		T("SDM 1 19.5.2: bit n%%8 of byte n/8 is port n", "byte-port-%u", 0x80 + b);
		deny_all();
		tss.iomap[0x10] = ~(1 << b);
		in.rdx = 0x80 + b;
		eq("vec", run(R3_64, in8[0]), DONE);
		in.rdx = 0x80 + (b ^ 1);
		in.rsp = 0;
		eq("neighbour", run(R3_64, in8[0]), GP);
	}
	T("SDM 1 19.5.2: a word across two bitmap bytes, allowed", "word-across-bytes");
	deny_all();
	allow(0x87, 2);
	in.rdx = 0x87;
	eq("vec", run(R3_64, in16[0]), DONE);
	T("SDM 1 19.5.2: a word across two bitmap bytes, second denied", "word-across-bytes-denied");
	deny_all();
	allow(0x87, 1);
	in.rdx = 0x87;
	expect(R3_64, in16[0], GP, 0, 0);
	T("SDM 1 19.5.2: port 0xffff uses the last bitmap byte", "port-ffff");
	deny_all();
	allow(0xffff, 1);
	in.rdx = 0xffff;
	eq("vec", run(R3_64, in8[0]), DONE);
	T("SDM 1 19.5.2: the byte after the map is all ones, so a word at 0xffff is denied", "port-ffff-word");
	in.rdx = 0xffff;
	expect(R3_64, in16[0], GP, 0, 0);

	T("SDM 1 19.5.2: a port whose bitmap byte is beyond the TSS limit is denied", "limit-before-byte");
	deny_all();
	allow(0x84, 1);
	tss_load(sizeof tss.t + 0x10 - 1);
	in.rdx = 0x84;
	expect(R3_64, in8[0], GP, 0, 0);
	T("SDM 1 19.5.2: two bytes are read: the limit must cover the next one too", "limit-at-byte");
	tss_load(sizeof tss.t + 0x10);
	in.rdx = 0x84;
	expect(R3_64, in8[0], GP, 0, 0);
	T("SDM 1 19.5.2: limit covering both bytes: allowed", "limit-after-byte");
	tss_load(sizeof tss.t + 0x11);
	in.rdx = 0x84;
	eq("vec", run(R3_64, in8[0]), DONE);
	T("SDM 1 19.5.2: map base at or beyond the limit: no map, all denied", "no-bitmap");
	fill(tss.iomap, 0, sizeof tss.iomap);
	tss_load(sizeof tss.t - 1);
	in.rdx = 0x84;
	expect(R3_64, in8[0], GP, 0, 0);
	tss_load(sizeof tss - 1);
	T("SDM 1 19.5.2: the map base moves the map", "bitmap-base");
	deny_all();
	allow(0x84, 1);
	tss.t.iomap = sizeof tss.t + 1;
	in.rdx = 0x84 - 8;
	eq("vec", run(R3_64, in8[0]), DONE);
	tss.t.iomap = sizeof tss.t;
	T("SDM 3A 4.6.1: the map in a not-present page: #PF, U=0", "bitmap-page-np");
	static u8 page[4096] __attribute__((aligned(4096)));
	win_init();
	copy(page + 4096 - sizeof tss.t, &tss.t, sizeof tss.t);
	win_pt[0] = (ulong)page | 3;
	wcr3(rcr3());
	ulong a = TV + 4096 - sizeof tss.t;
	gdt_set(SEL_SCRATCH, (u32)a, sizeof tss - 1, 0x89, 0);
	gdt[(SEL_SCRATCH >> 3) + 1] = a >> 32;
	asm volatile("ltr %w0" :: "r"(SEL_SCRATCH));
	in.rdx = 0x84;
	run(R3_64, in8[0]);
	tss_load(sizeof tss - 1);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0);
	eq("cr2", rec->cr2 & ~1ull, TV + 0x1000 + 0x10);
	eq("rip", rec->rip, (ulong)in8[0]->code + in8[0]->at);
}

static void g_string(void)
{
	static u8 buf[64];

	deny_all();
	T("SDM 2B OUTS: denied: #GP(0), registers unchanged", "outs-denied");
	in.rdx = 0x84; in.rcx = 5; in.rsi = (ulong)buf;
	expect(R3_64, &outs, GP, 0, 0);
	eq("rcx", rec->rcx, 5);
	eq("rsi", rec->rsi, (ulong)buf);
	T("SDM 2B OUTS without REP: denied", "outs-single-denied");
	in.rdx = 0x84; in.rsi = (ulong)buf;
	expect(R3_64, &outs1, GP, 0, 0);
	T("SDM 2A INS: denied: #GP(0)", "ins-denied");
	in.rdx = 0x84; in.rcx = 5; in.rdi = (ulong)buf;
	expect(R3_64, &ins, GP, 0, 0);
	allow(0x84, 4);
	T("SDM 2B OUTS: REP runs RCX times and advances RSI", "outs-rep");
	in.rdx = 0x84; in.rcx = 5; in.rsi = (ulong)buf;
	eq("vec", run(R3_64, &outs), DONE);
	eq("rcx", rec->rcx, 0);
	eq("rsi", rec->rsi, (ulong)buf + 5);
	T("SDM 2B OUTS: doublewords advance RSI by 4", "outs-rep-dword");
	in.rdx = 0x84; in.rcx = 3; in.rsi = (ulong)buf;
	eq("vec", run(R3_64, &outsl_), DONE);
	eq("rsi", rec->rsi, (ulong)buf + 12);
	T("SDM 2B OUTS: DF=1 walks down", "outs-rep-down");
	in.rdx = 0x84; in.rcx = 3; in.rsi = (ulong)buf + 8;
	eq("vec", run(R3_64, &outs_std), DONE);
	eq("rsi", rec->rsi, (ulong)buf + 5);
	T("SDM 2A INS: REP runs RCX times, writes memory, advances RDI", "ins-rep");
	fill(buf, 0x5a, sizeof buf);
	u8 v = inb(0x84);
	in.rdx = 0x84; in.rcx = 5; in.rdi = (ulong)buf;
	eq("vec", run(R3_64, &ins), DONE);
	eq("rdi", rec->rdi, (ulong)buf + 5);
	eq("first", buf[0], v);
	eq("last", buf[4], v);
	eq("beyond", buf[5], 0x5a);
	T("SDM 2A INS: RCX of 0 does nothing", "ins-rep-0");
	fill(buf, 0x5a, sizeof buf);
	in.rdx = 0x84; in.rdi = (ulong)buf;
	eq("vec", run(R3_64, &ins), DONE);
	eq("mem", buf[0], 0x5a);
	T("SDM 2A INS: a fault in the middle leaves the count of what is left", "ins-rep-fault");
	win_init();
	win_pt[0] = (ulong)rsp0_stack_top - 8192 + 7;
	wcr3(rcr3());
	in.rdx = 0x84; in.rcx = 5; in.rdi = TV + 0xffe;
	run(R3_64, &ins);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 6);
	eq("cr2", rec->cr2, TV + 0x1000);
	eq("rcx", rec->rcx, 3);
	eq("rip", rec->rip, (ulong)ins.code + ins.at);
	T("SDM 2B OUTS: a fault reading memory leaves the count of what is left", "outs-rep-fault");
	in.rdx = 0x84; in.rcx = 5; in.rsi = TV + 0xffe;
	run(R3_64, &outs);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 4);
	eq("rcx", rec->rcx, 3);
	T("SDM 2A INS: the permission is checked before memory is touched", "ins-denied-before-memory");
	deny_all();
	in.rdx = 0x84; in.rcx = 5; in.rdi = TV + 0x2000;
	expect(R3_64, &ins, GP, 0, 0);
}

static void popf_case(const char *name, const char *ref, enum mode m, struct snip *s, u64 have, u64 load, u64 mask, u64 want)
{
	T(ref, "%s", name);
	in.rflags |= have;
	in.rdi = load;
	eq("vec", run(m, s), DONE);
	eq("flags", rec->rax & mask, want);
}

static void g_flags(void)
{
	EACH3(m) {
		T("SDM 2A CLI: CPL > IOPL is #GP(0)", "cli-%s", mode_name(m));
		expect(m, cli_[BITS(m)], GP, 0, 0);
		T("SDM 2B STI: CPL > IOPL is #GP(0)", "sti-%s", mode_name(m));
		expect(m, sti_[BITS(m)], GP, 0, 0);
	}
	T("SDM 2A CLI: IOPL 3 lets ring 3 clear IF", "cli-iopl3");
	in.rflags |= IOPL(3) | F_IF;
	eq("vec", run(R3_64, cli_[0]), DONE);
	eq("if", rec->rflags & F_IF, 0);
	T("SDM 2B STI: IOPL 3 lets ring 3 set IF", "sti-iopl3");
	in.rflags |= IOPL(3);
	eq("vec", run(R3_64, sti_[0]), DONE);
	eq("if", rec->rflags & F_IF, F_IF);
	popf_case("popf-r3-if", "SDM 2B POPF: CPL > IOPL: IF is kept, no fault", R3_64, &popf64, 0, F_IF, F_IF, 0);
	popf_case("popf-r3-if-stays", "SDM 2B POPF: CPL > IOPL: a set IF stays set", R3_64, &popf64, F_IF, 0, F_IF, F_IF);
	popf_case("popf-r3-iopl", "SDM 2B POPF: CPL > 0: IOPL is kept", R3_64, &popf64, 0, IOPL(3), IOPL(3), 0);
	popf_case("popf-r3-iopl3-if", "SDM 2B POPF: CPL <= IOPL: IF is loaded", R3_64, &popf64, IOPL(3), F_IF | IOPL(3), F_IF, F_IF);
	popf_case("popf-r3-iopl3-iopl", "SDM 2B POPF: CPL 3 with IOPL 3 cannot lower IOPL", R3_64, &popf64, IOPL(3), 0, IOPL(3), IOPL(3));
	popf_case("popf-r0-iopl", "SDM 2B POPF: CPL 0 loads IOPL", R0_64, &popf64, 0, IOPL(2), IOPL(3), IOPL(2));
	popf_case("popf-r0-if", "SDM 2B POPF: CPL 0 loads IF", R0_64, &popf64, 0, F_IF, F_IF, F_IF);
	popf_case("popf-r3-32-if", "SDM 2B POPF: the same from compatibility mode", R3_32, &popf32, 0, F_IF, F_IF, 0);
	popf_case("popf-vm", "SDM 2B POPF: VM is not loaded", R0_64, &popf64, 0, 0x20000, 0x20000, 0);
	popf_case("popf-rf", "SDM 2B POPF: RF is cleared", R0_64, &popf64, 0, F_RF, F_RF, 0);
	popf_case("popf-vif-vip", "SDM 2B POPF: VIF and VIP are cleared", R0_64, &popf64, 0, 0x180000, 0x180000, 0);
	popf_case("popf-id", "SDM 2B POPF: ID is loaded at ring 3", R3_64, &popf64, 0, 0x200000, 0x200000, 0x200000);
	popf_case("popf-ac", "SDM 2B POPF: AC is loaded at ring 3", R3_64, &popf64, 0, F_AC, F_AC, F_AC);
	popf_case("popf-nt", "SDM 2B POPF: NT is loaded at ring 3", R3_64, &popf64, 0, F_NT, F_NT, F_NT);
	popf_case("popf-reserved", "SDM 1 3.4.3: bit 1 reads 1, bits 3, 5, 15 and 22 up read 0", R3_64, &popf64, 0, 0xffffffffffc0802aull & ~2ull, 0xffffffffffc0802aull, 2);
	popf_case("popf-16", "SDM 2B POPF: 16-bit operand keeps the upper half", R3_64, &popfw64, 0x200000, 1, 0x200001, 0x200001);
}

void kmain(void)
{
	group("permission", g_basic);
	group("bitmap", g_bits);
	group("string I/O", g_string);
	group("IOPL and flags", g_flags);
}
