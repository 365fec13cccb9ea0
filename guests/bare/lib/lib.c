/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorder, runner and report: see bare.h. Compiled once for the 64-bit
 * kernels and once for the legacy 32-bit ones.
 */
#include "bare.h"
#include <stdarg.h>

#define COM 0x3f8

u64 loader_magic;
struct input in;
struct rec log_[LOGS];
u32 nlog;
struct rec *rec = log_;
hook_fn hook[256], base_hook[256];
u32 last_cs;
u8 test_stack[8192] __attribute__((aligned(4096)));
asm(".globl test_stack_top\n.set test_stack_top, test_stack + 8192");
u8 rsp0_stack[8192] __attribute__((aligned(4096)));
asm(".globl rsp0_stack_top\n.set rsp0_stack_top, rsp0_stack + 8192");
u8 ist_stacks[8][4096] __attribute__((aligned(4096)));
asm(".globl ist_stack_top\n.set ist_stack_top, ist_stacks + 4096");

void run_asm(struct input *);

/* ---- serial and text ---------------------------------------------------- */

static void serial_init(void)
{
	outb(COM + 1, 0);
	outb(COM + 3, 0x80);
	outb(COM + 0, 1);
	outb(COM + 1, 0);
	outb(COM + 3, 3);
	outb(COM + 2, 1);
	outb(COM + 4, 3);
}

static void put(char c)
{
	for (int i = 0; i < 100000 && !(inb(COM + 5) & 0x20); i++)
		;
	outb(COM, c);
}

struct out { char *p; ulong left; };

static void emit(struct out *o, char c)
{
	if (!o->p)
		put(c);
	else if (o->left > 1) {
		*o->p++ = c;
		*o->p = 0;
		o->left--;
	}
}

static void number(struct out *o, u64 v, u32 base)
{
	char d[24];
	int n = 0;

	if (base == 16) {
		do d[n++] = "0123456789abcdef"[v & 15]; while (v >>= 4);
	} else {
		u32 w = (u32)v;
		do d[n++] = '0' + w % 10; while (w /= 10);
	}
	while (n)
		emit(o, d[--n]);
}

/* %s %d %u %c %x %llx; nothing else is used. */
static void format(struct out *o, const char *f, va_list ap)
{
	for (; *f; f++) {
		int l = 0;

		if (*f != '%') {
			emit(o, *f);
			continue;
		}
		for (f++; *f == 'l'; f++)
			l++;
		if (*f == 's') {
			const char *s = va_arg(ap, const char *);
			while (*s)
				emit(o, *s++);
		} else if (*f == 'c') {
			emit(o, va_arg(ap, int));
		} else if (*f == 'x') {
			number(o, l == 2 ? va_arg(ap, u64) : l ? va_arg(ap, ulong) : va_arg(ap, u32), 16);
		} else if (*f == 'd') {
			int v = va_arg(ap, int);
			if (v < 0) {
				emit(o, '-');
				v = -v;
			}
			number(o, v, 10);
		} else {
			number(o, va_arg(ap, u32), 10);
		}
	}
}

void say(const char *f, ...)
{
	struct out o = { 0, 0 };
	va_list ap;

	va_start(ap, f);
	format(&o, f, ap);
	va_end(ap);
}

void copy(void *d, const void *s, ulong n)
{
	asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) :: "memory");
}

void fill(void *d, int c, ulong n)
{
	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
}

void *memcpy(void *d, const void *s, ulong n) { copy(d, s, n); return d; }
void *memset(void *d, int c, ulong n) { fill(d, c, n); return d; }

/* ---- report ------------------------------------------------------------- */

static char name[64], ref[160], got[400], want[400];
static struct out got_o, want_o;
static int open_, bad, state;	/* state: 0 plain, 1 skip, 2 broken */
static const char *reason;
static u32 cases, failures;

static void mode_reset(void)
{
	fill(&in, 0, sizeof in);
	fill(hook, 0, sizeof hook);
	in.rflags = 2;
	nlog = 0;
	rec = log_;
	fill(log_, 0xee, sizeof log_[0]);
}

static void close_case(void)
{
	if (!open_)
		return;
	open_ = 0;
	cases++;
	if (state == 1)
		say("skip %s: %s\n", name, reason);
	else if (state == 2) {
		say("error %s: %s\n", name, reason);
		failures++;
	} else if (!bad)
		say("ok %s\n", name);
	else {
		say("not ok %s: got%s expected%s\n#   %s\n", name, got, want, ref);
		failures++;
	}
}

void T(const char *r, const char *f, ...)
{
	struct out o = { name, sizeof name };
	struct out p = { ref, sizeof ref };
	va_list ap;

	close_case();
	va_start(ap, f);
	format(&o, f, ap);
	va_end(ap);
	while (*r)
		emit(&p, *r++);
	got[0] = want[0] = 0;
	got_o = (struct out){ got, sizeof got };
	want_o = (struct out){ want, sizeof want };
	open_ = 1;
	bad = 0;
	state = 0;
	mode_reset();
}

static void value(struct out *o, const char *what, u64 v)
{
	emit(o, ' ');
	while (*what)
		emit(o, *what++);
	emit(o, '=');
	if (v > 9) {
		emit(o, '0');
		emit(o, 'x');
	}
	number(o, v, 16);
}

void eq(const char *what, u64 g, u64 w)
{
	if (g == w)
		return;
	bad = 1;
	value(&got_o, what, g);
	value(&want_o, what, w);
}

void yes(const char *what, int cond)
{
	eq(what, !!cond, 1);
}

void skip(const char *r)
{
	state = 1;
	reason = r;
}

void broken(const char *r)
{
	state = 2;
	reason = r;
}

void finish(void)
{
	close_case();
	say("# %u cases, %u failed\n", cases, failures);
	for (int i = 0; i < 1000000 && !(inb(COM + 5) & 0x40); i++)
		;
	outl(0xf4, failures > 100 ? 100 : failures);
	for (const char *s = "Shutdown"; *s; s++)
		outb(0x8900, *s);
	for (;;)
		asm volatile("cli\nhlt");
}

/* ---- groups: an exception nobody asked for ends the group, not the run -- */

static void *group_jmp[5];
static int in_group, running;

void group(const char *n, void (*fn)(void))
{
	close_case();
	say("# %s\n", n);
	in_group = 1;
	if (!__builtin_setjmp(group_jmp))
		fn();
	else
		mode_reset();
	in_group = 0;
	running = 0;
	close_case();
}

static void unexpected(struct rec *r)
{
	static char msg[120];
	struct out o = { msg, sizeof msg };
	static const char t[] = "unexpected exception";

	for (const char *s = t; *s; s++)
		emit(&o, *s);
	value(&o, "vec", r->vec);
	value(&o, "err", r->err);
	value(&o, "rip", r->rip);
	value(&o, "cr2", r->cr2);
	if (!open_)
		T("", "unexpected");
	broken(msg);
	if (!in_group)
		finish();
	__builtin_longjmp(group_jmp, 1);
}

/* ---- recorder ----------------------------------------------------------- */

int resume(struct frame *f)
{
	(void)f;
	return 1;
}

/* Called by the stubs: 1 = pop the frame and iret, 0 = recover. */
int trap_c(struct frame *f)
{
	struct rec *r = &log_[nlog < LOGS ? nlog : LOGS - 1];

	nlog++;
	rec = r;
	r->vec = f->vec;
	r->err = f->err;
	r->rip = f->ip;
	r->cs = f->cs;
	r->rflags = f->flags;
	r->cr2 = rcr2();
	r->dr6 = rdr6();
#ifdef __x86_64__
	r->rsp = f->sp;
	r->ss = f->ss;
	r->frame_end = (ulong)(&f->ss + 1);
	r->r8 = f->r8; r->r9 = f->r9; r->r10 = f->r10; r->r11 = f->r11;
#else
	if ((f->cs ^ KCS) & 3) {
		r->rsp = f->sp;
		r->ss = f->ss & 0xffff;
		r->frame_end = (ulong)(&f->ss + 1);
	} else {
		u32 s;
		asm volatile("mov %%ss,%0" : "=r"(s));
		r->rsp = (ulong)&f->sp;
		r->ss = s;
		r->frame_end = (ulong)&f->sp;
	}
	r->cs &= 0xffff;
#endif
	r->rax = f->ax; r->rcx = f->cx; r->rdx = f->dx; r->rbx = f->bx;
	r->rbp = f->bp; r->rsi = f->si; r->rdi = f->di;
	if (hook[f->vec])
		return hook[f->vec](f);
	if (base_hook[f->vec] && (!running || f->vec == 0xff))
		return base_hook[f->vec](f);
	if (!running)
		unexpected(r);
	return 0;
}

static const u16 cs_of[] = {
#ifdef __x86_64__
	KCS, UCS64, KCS32, UCS32, KCS16, UCS16
#else
	0, 0, KCS, UCS32, KCS16, UCS16
#endif
};

const char *mode_name(enum mode m)
{
	static const char *const n[] = { "r0-64", "r3-64", "r0-32", "r3-32", "r0-16", "r3-16" };
	return n[m];
}

u64 snip_ip(enum mode m, struct snip *s, ulong off)
{
	return BITS(m) == 2 ? off : (ulong)s->code + off;
}

u32 run_at(u64 cs, u64 rip)
{
	in.cs = cs;
	in.rip = rip;
	if (!in.ss)
		in.ss = cs & 3 ? UDS : KDS;
	if (!in.rsp)
		in.rsp = (ulong)test_stack_top - 256;
	last_cs = cs;
	running = 1;
	run_asm(&in);
	running = 0;
	return rec->vec;
}

u32 run(enum mode m, struct snip *s)
{
	if (BITS(m) == 2)
		gdt_set(cs_of[m], (ulong)s->code, 0xffff, RING(m) ? 0xfb : 0x9b, 0);
	return run_at(cs_of[m], snip_ip(m, s, 0));
}

void expect(enum mode m, struct snip *s, u32 vec, u64 err, int flags)
{
	run(m, s);
	eq("vec", rec->vec, vec);
	if (rec->vec != vec)
		return;
	eq("err", rec->err, err);
	eq("rip", rec->rip, snip_ip(m, s, s->at));
	eq("cs", rec->cs, last_cs);
	eq("ss", rec->ss, in.ss);
	if (!(flags & FLEX_SP))
		eq("rsp", rec->rsp, in.rsp);
}

/* ---- descriptor tables -------------------------------------------------- */

u64 gdt[64] __attribute__((aligned(16))) = {
	0,
#ifdef __x86_64__
	0x00af9b000000ffff,
#else
	0x00cf9b000000ffff,
#endif
	0x00cf93000000ffff,
	0x00cf9b000000ffff,
	0x00cffb000000ffff,
	0x00cff3000000ffff,
	0x00affb000000ffff,
	0x00009b000000ffff,
	0x0000fb000000ffff,
	0x00cf13000000ffff,
#ifdef __x86_64__
	0x00af1b000000ffff,
#else
	0x00cf1b000000ffff,
#endif
};

#ifdef __x86_64__
static struct { u16 off0, sel; u8 ist, type; u16 off1; u32 off2, zero; } idt[256] __attribute__((aligned(16)));
#else
static struct { u16 off0, sel; u8 ist, type; u16 off1; } idt[256] __attribute__((aligned(16)));
#endif
struct idt_ptr idtr = { sizeof idt - 1, (ulong)idt };

void idt_gate(int v, void *fn, u16 sel, u8 type, u8 ist)
{
	idt[v].off0 = (ulong)fn;
	idt[v].off1 = (ulong)fn >> 16;
#ifdef __x86_64__
	idt[v].off2 = (ulong)fn >> 32;
#endif
	idt[v].sel = sel;
	idt[v].type = type;
	idt[v].ist = ist;
}

void idt_default(int v)
{
	idt_gate(v, STUB(v), KCS, v >= 0xf0 || v == BP || v == OF ? 0xee : 0x8e, 0);
}

void gdt_set(u16 sel, u32 base, u32 limit, u8 access, u8 flags)
{
	gdt[sel >> 3] = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 |
		(u64)(limit >> 16 & 15) << 48 | (u64)flags << 52 | (u64)(base >> 24) << 56;
}

__typeof__(tss) tss __attribute__((aligned(16)));

void tss_load(u32 limit)
{
	gdt_set(SEL_TSS, (ulong)&tss, limit, 0x89, 0);
	gdt[(SEL_TSS >> 3) + 1] = 0;
	asm volatile("ltr %w0" :: "r"(SEL_TSS));
}

#ifdef __x86_64__
u64 win_pd[512] __attribute__((aligned(4096)));
u64 win_pt[512] __attribute__((aligned(4096)));
u64 win_pdpt[512] __attribute__((aligned(4096)));

void win_init(void)
{
	fill(win_pt, 0, 4096);
	fill(win_pd, 0, 4096);
	win_pd[0] = (ulong)win_pt | 7;
	fill(win_pdpt, 0, 4096);
	win_pdpt[0] = (ulong)win_pd | 7;
	pt_pdpt[256] = (ulong)win_pd | 7;
	pt_pml4[1] = (ulong)win_pdpt | 7;
	wcr3(rcr3());
}

void map_supervisor(int on)
{
	pt_pml4[0] = (ulong)pt_pdpt | (on ? 3 : 7);
	wcr3(rcr3());
}
#endif

void lib_start(void)
{
	serial_init();
	for (int v = 0; v < 256; v++)
		idt_default(v);
	asm volatile("lidt %0\n\tlldt %w1" :: "m"(idtr), "r"(0));
#ifdef __x86_64__
	tss.t.rsp[0] = (ulong)rsp0_stack_top;
	for (int i = 1; i < 8; i++)
		tss.t.ist[i - 1] = (ulong)ist_stacks[i] + 4096;
#else
	tss.t.esp0 = (ulong)rsp0_stack_top;
	tss.t.ss0 = KDS;
#endif
	tss.t.iomap = sizeof tss.t;
	fill(tss.iomap, 0xff, sizeof tss.iomap + 1);
	tss_load(sizeof tss - 1);
	/* Both PICs masked: interrupts come only where a case asks for them. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	mode_reset();
	kmain();
	finish();
}
