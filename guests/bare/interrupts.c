/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event delivery in long mode: gates and their checks, stacks, faults while
 * delivering, #DF, and implicit supervisor accesses to the tables.
 */
#include "bare.h"

#define EACH(m) for (enum mode m = R0_64; m <= R3_16; m++)

CODEALL(int40, "nop\n 1: int $0x40");
CODEALL(int40t, "nop\n int $0x40\n 1: nop");
CODE64(intfd, "1: int $0xfd");
CODE64(int3f, "1: int3");
CODE64(cd3f, "1: int $3");
CODE32(intof, "movb $0x7f,%al\n addb $1,%al\n 1: into");
CODE64(ud, "nop\n 1: ud2");
CODE64(de, "nop\n 1: divb %cl");
CODE64(nmx, "nop\n 1: fninit");
CODE64(gpx, "nop\n 1: movb (%rdi),%al");
CODE64(int3ok, "int3\n 1: nop");
CODE64(ldds, "1: movl %ecx,%ds");

static ulong hook_flags, hook_ss;

static int see_flags(struct frame *f)
{
	(void)f;
	asm volatile("pushfq\n popq %0\n movq %%ss,%1" : "=r"(hook_flags), "=r"(hook_ss));
	return 1;
}

static void bad_gate(const char *name, const char *ref, u64 off, u16 sel, u8 type, u32 vec, u32 err)
{
	T(ref, "gate-%s", name);
	idt_gate(0x40, (void *)(ulong)off, sel, type, 0);
	expect(R3_64, int40[0], vec, err, 0);
	idt_default(0x40);
}

static void g_gates(void)
{
	ulong h = (ulong)STUB(0x40);

	EACH(m) {
		T("SDM 3A 6.12.1.2: INT n through a DPL 3 gate arrives, RIP after it", "int-n-dpl3-%s", mode_name(m));
		idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
		expect(m, int40t[BITS(m)], 0x40, 0, 0);
		idt_default(0x40);
	}
	for (enum mode m = R3_64; m <= R3_16; m += 2) {
		T("SDM 3A 6.12.1.2: INT n with CPL > gate DPL is #GP(n*8+2), RIP of INT", "int-n-dpl0-%s", mode_name(m));
		expect(m, int40[BITS(m)], GP, 0x40 * 8 + 2, 0);
	}
	T("SDM 3A 6.12.1.2: INT3 obeys the gate's DPL: #GP(3*8+2)", "int3-dpl0-r3-64");
	idt_gate(BP, STUB(BP), KCS, 0x8e, 0);
	expect(R3_64, &int3f, GP, BP * 8 + 2, 0);
	T("SDM 3A 6.12.1.2: CD 03 obeys the gate's DPL: #GP(3*8+2)", "cd03-dpl0-r3-64");
	expect(R3_64, &cd3f, GP, BP * 8 + 2, 0);
	idt_default(BP);
	T("SDM 3A 6.12.1.2: INTO obeys the gate's DPL: #GP(4*8+2)", "into-dpl0-r3-32");
	idt_gate(OF, STUB(OF), KCS, 0x8e, 0);
	expect(R3_32, &intof, GP, OF * 8 + 2, 0);
	idt_default(OF);
	T("SDM 3A 6.12.1.2: hardware exceptions ignore the gate's DPL", "exception-dpl0-r3-64");
	expect(R3_64, &ud, UD, 0, 0);
	EACH(m) {
		T("SDM 3A 6.13: INT n through a not-present gate is #NP(n*8+2)", "gate-np-%s", mode_name(m));
		idt_gate(0x40, STUB(0x40), KCS, 0x6e, 0);
		expect(m, int40[BITS(m)], NP, 0x40 * 8 + 2, 0);
		idt_default(0x40);
	}
	T("SDM 2A INT: vector beyond the IDT limit is #GP(n*8+2)", "int-beyond-limit-r3-64");
	struct idt_ptr p = { 0xfcf, idtr.base };
	asm volatile("lidt %0" :: "m"(p));
	expect(R3_64, &intfd, GP, 0xfd * 8 + 2, 0);
	T("SDM 2A INT: vector beyond the IDT limit is #GP(n*8+2)", "int-beyond-limit-r0-64");
	expect(R0_64, &intfd, GP, 0xfd * 8 + 2, 0);
	T("SDM 2A INT: a descriptor cut by the IDT limit is beyond it", "int-limit-cuts-descriptor");
	p.limit = 0xfde;
	asm volatile("lidt %0" :: "m"(p));
	expect(R0_64, &intfd, GP, 0xfd * 8 + 2, 0);
	asm volatile("lidt %0" :: "m"(idtr));

	bad_gate("task", "SDM 3A 6.14.1: a task gate is #GP(n*8+2) in long mode", 0, SEL_TSS, 0xe5, GP, 0x202);
	bad_gate("16bit", "SDM 3A 6.14.1: a 16-bit gate type is #GP(n*8+2) in long mode", h, KCS, 0xe6, GP, 0x202);
	bad_gate("call-type", "SDM 2A INT: a call gate in the IDT is #GP(n*8+2)", h, KCS, 0xec, GP, 0x202);
	bad_gate("null-cs", "SDM 2A INT: null code selector in the gate is #GP(0)", h, 0, 0xee, GP, 0);
	bad_gate("cs-limit", "SDM 2A INT: code selector beyond the GDT: #GP(selector)", h, 0x1008, 0xee, GP, 0x1008);
	bad_gate("cs-data", "SDM 2A INT: gate to a data segment: #GP(selector)", h, KDS, 0xee, GP, KDS);
	bad_gate("cs-np", "SDM 2A INT: gate to a not-present code segment: #NP(selector)", h, SEL_NP_CODE, 0xee, NP, SEL_NP_CODE);
	bad_gate("cs-32", "SDM 3A 6.14.1: gate to a code segment with L=0: #GP(selector)", h, KCS32, 0xee, GP, KCS32);
	bad_gate("offset-noncanonical", "SDM 2A INT: non-canonical offset in the gate is #GP(0)", 0x800000000000, KCS, 0xee, GP, 0);
	T("SDM 2A INT: target DPL > CPL: #GP(selector)", "gate-cs-dpl");
	idt_gate(0x40, STUB(0x40), UCS64 & ~3, 0xee, 0);
	expect(R0_64, int40[0], GP, UCS64 & ~3, 0);
	T("SDM 2A INT: the RPL in the gate's selector is ignored", "gate-cs-rpl-ignored");
	idt_gate(0x40, STUB(0x40), KCS | 3, 0xee, 0);
	eq("vec", run(R3_64, int40[0]), 0x40);
	idt_default(0x40);
	T("SDM 2A INT: gate to a conforming segment keeps CPL 3 and the stack", "gate-conforming");
	gdt_set(SEL_SCRATCH, 0, 0xfffff, 0x9f, 0xa);
	extern u8 land3[];
	idt_gate(0x40, land3, SEL_SCRATCH, 0xee, 0);
	run(R3_64, int40[0]);
	eq("vec", rec->vec, LANDED);
	eq("cs", rec->cs, SEL_SCRATCH | 3);
	eq("rsp", rec->rsp, ((in.rsp & ~15ull) - 40));
	idt_default(0x40);
}
asm(".pushsection .snip,\"ax\"\nland3: int $0xf1\n.popsection");

static void g_flags(void)
{
	T("SDM 3A 6.8.1: an interrupt gate clears IF", "interrupt-gate-if");
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
	hook[0x40] = see_flags;
	in.rflags |= F_IF;
	run(R3_64, int40[0]);
	eq("if", hook_flags & F_IF, 0);
	T("SDM 3A 6.12.1.2: a trap gate leaves IF", "trap-gate-if");
	idt_gate(0x40, STUB(0x40), KCS, 0xef, 0);
	hook[0x40] = see_flags;
	in.rflags |= F_IF;
	run(R3_64, int40[0]);
	eq("if", hook_flags & F_IF, F_IF);
	T("SDM 3A 6.12.1.2: NT set by POPF is cleared on entry and saved", "entry-clears-nt-popf");
	extern struct snip ntset;
	hook[0x40] = see_flags;
	hook[GP] = 0;
	run(R3_64, &ntset);
	eq("vec", log_[0].vec, 0x40);
	eq("frame-nt", log_[0].rflags & F_NT, F_NT);
	eq("nt", hook_flags & F_NT, 0);
	T("SDM 3A 6.14.4: SS is null with RPL 0 after an inter-privilege entry", "entry-ss-null");
	hook[0x40] = see_flags;
	run(R3_64, int40[0]);
	eq("ss", hook_ss, 0);
	T("SDM 3A 6.14.4: SS is kept on a same-privilege entry", "entry-ss-kept");
	hook[0x40] = see_flags;
	run(R0_64, int40[0]);
	eq("ss", hook_ss, KDS);
	T("SDM 3A 6.12.1: IOPL, AC, ID and arithmetic flags survive entry and IRET", "entry-exit-flags");
	hook[0x40] = see_flags;
	in.rflags = 2 | 0x8d5 | IOPL(3) | 0x200000;
	run(R3_64, int40[0]);
	eq("rflags", rec->rflags & ~F_RF, in.rflags);
	idt_default(0x40);
}
CODE64(ntset, "pushfq\n orl $0x4000,(%rsp)\n popfq\n int $0x40");

static void g_stacks(void)
{
	static const u8 mis[] = { 0, 1, 7, 8, 15 };

	for (u32 i = 0; i < sizeof mis; i++) {
		T("SDM 3A 6.14.2: RSP is aligned to 16 before the frame is pushed", "align-rsp-%u", mis[i]);
		in.rsp = (ulong)test_stack_top - 512 + mis[i];
		idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
		expect(R0_64, int40t[0], 0x40, 0, 0);
		eq("frame", rec->frame_end, (ulong)test_stack_top - 512);
	}
	T("SDM 3A 6.14.2: RSP0 is aligned to 16 too", "align-rsp0");
	tss.t.rsp[0] = (ulong)rsp0_stack_top - 24;
	expect(R3_64, int40t[0], 0x40, 0, 0);
	eq("frame", rec->frame_end, (ulong)rsp0_stack_top - 32);
	tss.t.rsp[0] = (ulong)rsp0_stack_top;
	for (enum mode m = R3_64; m <= R3_16; m += 2) {
		T("SDM 3A 6.14.4: ring 3 to 0 uses TSS.RSP0", "rsp0-%s", mode_name(m));
		expect(m, int40t[BITS(m)], 0x40, 0, 0);
		eq("frame", rec->frame_end, (ulong)rsp0_stack_top);
	}
	EACH(m) {
		T("SDM 3A 6.14.5: IST switches the stack from any ring", "ist-switch-%s", mode_name(m));
		idt_gate(0x40, STUB(0x40), KCS, 0xee, 1 + m);
		expect(m, int40t[BITS(m)], 0x40, 0, 0);
		eq("frame", rec->frame_end, tss.t.ist[m]);
	}
	T("SDM 3A 6.14.5: IST 7 is usable", "ist-7");
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 7);
	expect(R3_64, int40t[0], 0x40, 0, 0);
	eq("frame", rec->frame_end, tss.t.ist[6]);
	T("SDM 3A 6.14.5: a misaligned IST entry is aligned to 16", "ist-misaligned");
	tss.t.ist[6] -= 8;
	expect(R3_64, int40t[0], 0x40, 0, 0);
	eq("frame", rec->frame_end, tss.t.ist[6] - 8);
	tss.t.ist[6] += 8;
	T("SDM 2A INT: non-canonical IST stack is #SS(0)", "ist-noncanonical");
	u64 keep = tss.t.ist[6];
	tss.t.ist[6] = 0x800000001000;
	idt_gate(SS, STUB(SS), KCS, 0x8e, 1);
	expect(R0_64, int40[0], SS, 0, 0);
	idt_default(SS);
	tss.t.ist[6] = keep;
	idt_default(0x40);
	T("SDM 2A INT: an IST entry beyond the TSS limit is #TS(TSS selector)", "ist-beyond-tss");
	tss_load(90);
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 7);
	expect(R3_64, int40[0], TS, SEL_TSS, 0);
	idt_default(0x40);
	tss_load(sizeof tss - 1);
}

static int in_handler;
static u64 first_frame;

static int nest_ud(struct frame *f)
{
	(void)f;
	first_frame = rec->frame_end;
	asm volatile("ud2");
	return 1;
}

static int skip2(struct frame *f)
{
	in_handler++;
	f->ip += 2;
	return 1;
}

static int again_ist(struct frame *f)
{
	(void)f;
	asm volatile("int $0x41");
	return 0;
}

static void g_nested(void)
{
	T("SDM 3A 6.14: a fault in a handler nests on the same stack and returns", "nested-fault");
	in_handler = 0;
	hook[BP] = nest_ud;
	hook[UD] = skip2;
	run(R3_64, &int3ok);
	eq("vec", rec->vec, DONE);
	eq("nested", in_handler, 1);
	eq("second-cs", log_[1].cs, KCS);
	yes("below", log_[1].frame_end < first_frame);
	eq("resumed-at", log_[2].cs, UCS64);
	T("SDM 3A 6.14.5: a second event on the same IST starts at its top again", "ist-reenter");
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 3);
	idt_gate(0x41, STUB(0x41), KCS, 0xee, 3);
	hook[0x40] = again_ist;
	run(R3_64, int40[0]);
	eq("vec", rec->vec, 0x41);
	eq("first", log_[0].frame_end, tss.t.ist[2]);
	eq("second", log_[1].frame_end, tss.t.ist[2]);
	idt_default(0x40);
	idt_default(0x41);
}

/* Vector first's gate is spoiled so that delivery raises something. */
static void spoil(const char *name, const char *ref, struct snip *s, int first, u16 sel, u8 type, u32 vec, u32 err)
{
	for (int r = 0; r < 2; r++) {
		T(ref, "%s-r%d", name, r * 3);
		in.rdi = first == PF ? 0x7000000000 : 0x800000000000;
		if (first == NM)
			wcr0(rcr0() | CR0_TS);
		idt_gate(first, STUB(first), sel, type, 0);
		idt_gate(DF, STUB(DF), KCS, 0x8e, 4);
		run(r ? R3_64 : R0_64, s);
		eq("vec", rec->vec, vec);
		eq("err", rec->err, err);
		if (vec == DF)
			eq("frame", rec->frame_end, tss.t.ist[3]);
		else
			eq("rip", rec->rip, (ulong)s->code + s->at);
		idt_default(first);
		idt_default(DF);
		wcr0(rcr0() & ~CR0_TS);
	}
}

static void g_double(void)
{
	spoil("ud-gate-np", "SDM 3A 6.13: not-present gate met by an exception: #NP(n*8+2+EXT)", &ud, UD, KCS, 0x0e, NP, UD * 8 + 3);
	spoil("nm-gate-np", "SDM 3A 6.15: benign then contributory is served serially", &nmx, NM, KCS, 0x0e, NP, NM * 8 + 3);
	spoil("ud-gate-bad-cs", "SDM 3A 6.13: error code of the gate's selector carries EXT", &ud, UD, KDS, 0x8e, GP, KDS | 1);
	spoil("ud-gate-null-cs", "SDM 3A 6.13: null selector: error code is EXT alone", &ud, UD, 0, 0x8e, GP, 1);
	spoil("ud-gate-np-cs", "SDM 3A 6.13: not-present handler segment: #NP(selector+EXT)", &ud, UD, SEL_NP_CODE, 0x8e, NP, SEL_NP_CODE | 1);
	spoil("ud-gate-type", "SDM 3A 6.13: wrong gate type met by an exception: #GP(n*8+2+EXT)", &ud, UD, KCS, 0x85, GP, UD * 8 + 3);
	spoil("df-de-np", "SDM 3A 6.15 table 6-5: contributory #DE then #NP is #DF(0)", &de, DE, KCS, 0x0e, DF, 0);
	spoil("df-gp-np", "SDM 3A 6.15 table 6-5: contributory #GP then #NP is #DF(0)", &gpx, GP, KCS, 0x0e, DF, 0);
	spoil("df-gp-gp", "SDM 3A 6.15 table 6-5: #GP then #GP is #DF(0)", &gpx, GP, KDS, 0x8e, DF, 0);
	spoil("df-pf-np", "SDM 3A 6.15 table 6-5: #PF then contributory is #DF(0)", &gpx, PF, KCS, 0x0e, DF, 0);
	spoil("df-pf-gp", "SDM 3A 6.15 table 6-5: #PF then #GP is #DF(0)", &gpx, PF, KDS, 0x8e, DF, 0);
}

static void g_stack_faults(void)
{
	win_init();
	win_pt[1] = (ulong)ist_stack_top[6] | 7;
	/* page 0 of the window is the hole under test */
	static const struct { const char *n; struct snip *s; u32 first, df; } t[] = {
		{ "int-n", &int3f, BP, 0 }, { "ud", &ud, UD, 0 }, { "de", &de, DE, 0 },
		{ "gp", &gpx, GP, 0 }, { "pf", &gpx, PF, 1 },
	};
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		for (int r = 0; r < 2; r++) {
			T("SDM 3A 6.15 table 6-5: #PF while pushing the frame: #PF(W, supervisor), or #DF after #PF",
			  "push-fault-%s-r%d", t[i].n, r * 3);
			in.rdi = t[i].first == PF ? 0x7000000000 : 0x800000000000;
			idt_gate(DF, STUB(DF), KCS, 0x8e, 4);
			if (t[i].first == PF) {
				/* #PF itself goes to the bad stack */
			} else {
				idt_gate(PF, STUB(PF), KCS, 0x8e, 5);
			}
			if (r)
				tss.t.rsp[0] = TV + 0x800;
			else
				in.rsp = TV + 0x800;
			run(r ? R3_64 : R0_64, t[i].s);
			if (t[i].df) {
				eq("vec", rec->vec, DF);
				eq("err", rec->err, 0);
			} else {
				eq("vec", rec->vec, PF);
				eq("err", rec->err, 2);
				eq("cr2-page", rec->cr2 & ~0xfffull, TV);
				eq("rip", rec->rip, (ulong)t[i].s->code + t[i].s->at);
				eq("cs", rec->cs, r ? UCS64 : KCS);
			}
			tss.t.rsp[0] = (ulong)rsp0_stack_top;
			idt_default(DF);
			idt_default(PF);
		}
	}
	T("SDM 3A 4.6.1: frame pushes to a read-only page obey CR0.WP: #PF(P,W)", "push-fault-readonly");
	win_pt[0] = (ulong)ist_stack_top[6] | P_P;
	invlpg(TV);
	idt_gate(PF, STUB(PF), KCS, 0x8e, 5);
	tss.t.rsp[0] = TV + 0x800;
	run(R3_64, &ud);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 3);
	tss.t.rsp[0] = (ulong)rsp0_stack_top;
	idt_default(PF);
}

static void g_tables(void)
{
	win_init();
	ulong idt = idtr.base;
	struct idt_ptr p = { 0xfff, TV + (idt & 0xfff) };

	T("SDM 3A 4.6.1: IDT in a supervisor page serves ring 3 (implicit supervisor access)", "idt-supervisor-page");
	win_pt[0] = (idt & ~0xffful) | 3;
	win_pt[1] = ((idt & ~0xffful) + 4096) | 3;
	asm volatile("lidt %0" :: "m"(p));
	idt_gate(0x40, STUB(0x40), KCS, 0xee, 0);
	expect(R3_64, int40t[0], 0x40, 0, 0);
	idt_default(0x40);
	T("SDM 3A 4.7: IDT page not present: #PF with U=0 even from ring 3, CR2 in the descriptor", "idt-page-np");
	static u8 two[8192] __attribute__((aligned(4096)));
	copy(two + 0xe00, (void *)idt, 0x200);
	win_pt[0] = (ulong)two | 3;
	win_pt[1] = 0;
	wcr3(rcr3());
	p.base = TV + 0xe00;
	asm volatile("lidt %0" :: "m"(p));
	run(R3_64, int40[0]);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0);
	eq("cr2", rec->cr2 & ~15ull, TV + 0xe00 + 0x400);
	asm volatile("lidt %0" :: "m"(idtr));

	struct idt_ptr g = { GDT_LIMIT, TV + ((ulong)gdt & 0xfff) };
	extern struct idt_ptr gdt_ptr;
	T("SDM 3A 4.6.1: GDT in a supervisor page serves ring 3 segment loads", "gdt-supervisor-page");
	win_pt[0] = ((ulong)gdt & ~0xffful) | 3;
	win_pt[1] = (((ulong)gdt & ~0xffful) + 4096) | 3;
	wcr3(rcr3());
	asm volatile("lgdt %0" :: "m"(g));
	in.rcx = UDS;
	eq("vec", run(R3_64, &ldds), DONE);
	asm volatile("lgdt %0" :: "m"(gdt_ptr));
	T("SDM 3A 4.7: descriptor in a not-present page: #PF with U=0 even from ring 3", "gdt-page-np");
	copy(two + 0xf00, gdt, 0x100);
	win_pt[0] = (ulong)two | 3;
	win_pt[1] = 0;
	wcr3(rcr3());
	g.base = TV + 0xf00;
	asm volatile("lgdt %0" :: "m"(g));
	in.rcx = 0x10b;
	run(R3_64, &ldds);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0);
	eq("cr2", rec->cr2 & ~7ull, TV + 0x1008);
	asm volatile("lgdt %0" :: "m"(gdt_ptr));
	T("SDM 3A 4.7: TSS page not present: #PF with U=0 on entry from ring 3", "tss-page-np");
	gdt_set(SEL_SCRATCH, 0, 0xfff, 0x89, 0);
	gdt[SEL_SCRATCH >> 3] = (gdt[SEL_SCRATCH >> 3] & ~0xff0000ffffff0000ull);
	gdt[(SEL_SCRATCH >> 3) + 1] = TV >> 32;
	win_pt[0] = (ulong)two | 3;
	wcr3(rcr3());
	/* RSP0 (offset 4) is in the hole, the IST entries (offset 36 on) are in the next page. */
	gdt[SEL_SCRATCH >> 3] |= (u64)0x1ff0 << 16;
	win_pt[1] = 0;
	win_pt[2] = (ulong)two + 4096 + 3;
	copy(two + 4096 + 0x14, &tss.t.ist, sizeof tss.t.ist);
	wcr3(rcr3());
	asm volatile("ltr %w0" :: "r"(SEL_SCRATCH));
	idt_gate(PF, STUB(PF), KCS, 0x8e, 5);
	run(R3_64, &ud);
	eq("vec", rec->vec, PF);
	eq("err", rec->err, 0);
	eq("cr2", rec->cr2, TV + 0x1ff4);
	tss_load(sizeof tss - 1);
	idt_default(PF);
}

void kmain(void)
{
	group("gates", g_gates);
	group("flags and SS on entry", g_flags);
	group("stacks", g_stacks);
	group("nesting", g_nested);
	group("faults while delivering", g_double);
	group("faults while pushing", g_stack_faults);
	group("tables in memory", g_tables);
}
