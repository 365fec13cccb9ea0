/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every conformance kernel shares: start-up, exception recorder, a way
 * to run a snippet in any ring and code size, and the report.
 *
 * A case is opened with T(reference, name), fed with eq() comparisons, and
 * closed by the next T(). It prints exactly one of
 *     ok NAME
 *     not ok NAME: got ... expected ...
 *     skip NAME: reason
 *     error NAME: reason            (the test itself is broken)
 * on the first serial port.
 */
#ifndef BARE_H
#define BARE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long ulong;

/* ---- selectors ---------------------------------------------------------- */
#define KCS   0x08	/* ring 0 code, 64-bit (32-bit in the legacy kernels) */
#define KDS   0x10
#define KCS32 0x18
#define UCS32 0x23	/* laid out for SYSRET: +0 32-bit, +8 data, +16 64-bit */
#define UDS   0x2b
#define UCS64 0x33
#define KCS16 0x38	/* base is moved to the snippet before each run */
#define UCS16 0x43
#define SEL_NP_DATA 0x48
#define SEL_NP_CODE 0x50
#define SEL_SCRATCH 0x58	/* 0x58..0x78: 5 free slots */
#define SEL_TSS  0x80
#define SEL_TSS2 0x90
#define SEL_LDT  0xa0
#define SEL_GATE 0xb0	/* 16-byte call gate slot */
#define SEL_FREE 0xc0	/* 0xc0..0xf8 */
#define GDT_LIMIT 0x1ff

extern u64 gdt[64];
extern struct idt_ptr { u16 limit; ulong base; } __attribute__((packed)) idtr;

/* ---- vectors ------------------------------------------------------------ */
enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, V9, TS, NP, SS, GP, PF, V15, MF, AC, MC, XM };
#define DONE   0xf0	/* the snippet came to its end */
#define LANDED 0xf1	/* control arrived at land() */
#define NOTHING 0xfff

/* ---- running a snippet -------------------------------------------------- */
enum mode { R0_64, R3_64, R0_32, R3_32, R0_16, R3_16 };

struct snip { void *code; ulong at; ulong len; };

#ifdef __x86_64__
#define PTR ".quad "
#define NATIVE ".code64\n"
#else
#define PTR ".long "
#define NATIVE ".code32\n"
#endif

/*
 * A snippet ends in `int $0xf0`. Local label 1: marks the instruction that is
 * expected to fault (the first one when not given); .at is its offset.
 */
#define CODE_(name, bits, text) \
	extern struct snip name; \
	asm(".pushsection .snip,\"ax\"\n.code" #bits "\n.balign 16\n777:1:\n" \
	    text "\nint $0xf0\n778:\n" NATIVE ".popsection\n" \
	    ".pushsection .data\n.balign 8\n.globl " #name "\n" #name ":\n" \
	    PTR "777b, 1b - 777b, 778b - 777b\n.popsection")
#define CODE64(name, text) CODE_(name, 64, text)
#define CODE32(name, text) CODE_(name, 32, text)
#define CODE16(name, text) CODE_(name, 16, text)
/* The same source in every code size: name##64, name##32, name##16. */
#ifdef __x86_64__
#define CODEALL(name, text) \
	CODE_(name##64, 64, text); CODE_(name##32, 32, text); CODE_(name##16, 16, text); \
	static struct snip *const name[3] = { &name##64, &name##32, &name##16 }
#else
#define CODEALL(name, text) \
	CODE_(name##32, 32, text); CODE_(name##16, 16, text); \
	static struct snip *const name[3] = { 0, &name##32, &name##16 }
#endif
#define BITS(mode) ((mode) >> 1)
#define RING(mode) (((mode) & 1) ? 3 : 0)

/* What the case starts with. T() resets it: registers 0, RFLAGS 2. */
struct input {
	u64 rax, rcx, rdx, rbx, pad, rbp, rsi, rdi;
	u64 rip, cs, rflags, rsp, ss;
};
extern struct input in;

struct rec {
	u64 vec, err, rip, cs, rflags, rsp, ss, cr2, dr6;
	u64 frame_end;	/* address just above the pushed frame */
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11;
};
#define LOGS 64
extern struct rec log_[LOGS];
extern u32 nlog;
extern struct rec *rec;	/* the newest */

/* The exception frame as the stubs leave it. */
struct frame {
#ifdef __x86_64__
	ulong r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, nsp, bx, dx, cx, ax;
#else
	ulong es, ds, di, si, bp, nsp, bx, dx, cx, ax;
#endif
	ulong vec, err, ip, cs, flags, sp, ss;
};
/* A hook sees the frame after it is recorded; 1 = iret to it, 0 = recover. */
typedef int (*hook_fn)(struct frame *);
extern hook_fn hook[256];
/* Outlives T(): for stray interrupts while no snippet runs. */
extern hook_fn base_hook[256];

/* Runs s in the given mode until an exception; the vector, DONE at its end. */
u32 run(enum mode m, struct snip *s);
/* Runs with the given CS:RIP and everything else from `in`. */
u32 run_at(u64 cs, u64 rip);
extern u32 last_cs;	/* selector run() used */

/*
 * run() and compare: vector, error code, RIP = .at (offset within the code
 * segment), CS, SS, RSP as the case left it (unless FLEX_SP).
 */
#define NOERR 0
#define FLEX_SP 1
void expect(enum mode m, struct snip *s, u32 vec, u64 err, int flags);
u64 snip_ip(enum mode m, struct snip *s, ulong off);
const char *mode_name(enum mode m);

extern u8 test_stack[], test_stack_top[];
extern u8 rsp0_stack_top[], ist_stack_top[8][4096];
void land(void);
int resume(struct frame *f);	/* a hook that just returns */

/* ---- tables ------------------------------------------------------------- */
void idt_gate(int vec, void *fn, u16 sel, u8 type_dpl_p, u8 ist);
void idt_default(int vec);
extern u8 stubs[];
#define STUB(v) ((void *)(stubs + 16 * (v)))
void gdt_set(u16 sel, u32 base, u32 limit, u8 access, u8 flags);
struct tss64 {
	u32 r0; u64 rsp[3]; u64 r1; u64 ist[7]; u64 r2; u16 r3; u16 iomap;
} __attribute__((packed));
struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt; u16 trap, iomap;
} __attribute__((packed));
#ifdef __x86_64__
extern struct { struct tss64 t; u8 iomap[8192]; u8 end; } __attribute__((packed)) tss;
#else
extern struct { struct tss32 t; u8 iomap[8192]; u8 end; } __attribute__((packed)) tss;
#endif
void tss_load(u32 limit);	/* (re)writes the descriptor and loads TR */

/* ---- report ------------------------------------------------------------- */
void T(const char *ref, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void eq(const char *what, u64 got, u64 want);
void yes(const char *what, int cond);
void skip(const char *reason);
void broken(const char *reason);
void group(const char *name, void (*fn)(void));
void finish(void) __attribute__((noreturn));
void say(const char *fmt, ...);
void kmain(void);
void copy(void *d, const void *s, ulong n);
void fill(void *d, int c, ulong n);
extern u64 loader_magic;

/* ---- processor ---------------------------------------------------------- */
static inline void outb(u16 p, u8 v) { asm volatile("outb %0,%1" :: "a"(v), "Nd"(p)); }
static inline void outl(u16 p, u32 v) { asm volatile("outl %0,%1" :: "a"(v), "Nd"(p)); }
static inline u8 inb(u16 p) { u8 v; asm volatile("inb %1,%0" : "=a"(v) : "Nd"(p)); return v; }
static inline u64 rdmsr(u32 n)
{ u32 a, d; asm volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n)); return (u64)d << 32 | a; }
static inline void wrmsr(u32 n, u64 v)
{ asm volatile("wrmsr" :: "a"((u32)v), "d"((u32)(v >> 32)), "c"(n) : "memory"); }
static inline void cpuid(u32 l, u32 s, u32 r[4])
{ asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(l), "c"(s)); }
static inline u64 rdtsc(void)
{ u32 a, d; asm volatile("rdtsc" : "=a"(a), "=d"(d)); return (u64)d << 32 | a; }
#define CRN(n) \
static inline ulong rcr##n(void) { ulong v; asm volatile("mov %%cr" #n ",%0" : "=r"(v)); return v; } \
static inline void wcr##n(ulong v) { asm volatile("mov %0,%%cr" #n :: "r"(v) : "memory"); }
CRN(0) CRN(2) CRN(3) CRN(4)
#define DRN(n) \
static inline ulong rdr##n(void) { ulong v; asm volatile("mov %%dr" #n ",%0" : "=r"(v)); return v; } \
static inline void wdr##n(ulong v) { asm volatile("mov %0,%%dr" #n :: "r"(v) : "memory"); }
DRN(0) DRN(1) DRN(2) DRN(3) DRN(6) DRN(7)
static inline void invlpg(ulong a) { asm volatile("invlpg (%0)" :: "r"(a) : "memory"); }
static inline void cli(void) { asm volatile("cli" ::: "memory"); }
static inline void sti(void) { asm volatile("sti\nnop" ::: "memory"); }
static inline void pause_(void) { asm volatile("pause" ::: "memory"); }
static inline int has(u32 leaf, u32 sub, int reg, int bit)
{ u32 r[4]; cpuid(leaf & 0xffff0000u, 0, r); if (r[0] < leaf) return 0;
  cpuid(leaf, sub, r); return r[reg] >> bit & 1; }
#define EAX_ 0
#define EBX_ 1
#define ECX_ 2
#define EDX_ 3
#define CR0_PE 1u
#define CR0_MP 2u
#define CR0_EM 4u
#define CR0_TS 8u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_AM 0x40000u
#define CR0_PG 0x80000000u
#define CR4_TSD 4u
#define CR4_DE 8u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_PGE 0x80u
#define CR4_PCE 0x100u
#define CR4_OSFXSR 0x200u
#define CR4_OSXMM 0x400u
#define CR4_UMIP 0x800u
#define CR4_FSGSBASE 0x10000u
#define CR4_PCIDE 0x20000u
#define CR4_OSXSAVE 0x40000u
#define CR4_SMEP 0x100000u
#define CR4_SMAP 0x200000u
#define F_CF 1u
#define F_TF 0x100u
#define F_IF 0x200u
#define F_DF 0x400u
#define F_NT 0x4000u
#define F_RF 0x10000u
#define F_AC 0x40000u
#define IOPL(n) ((u32)(n) << 12)
#define MSR_EFER 0xc0000080u

/* ---- paging window of the 64-bit kernels -------------------------------- */
#define TV 0x4000000000ull	/* page i of the window is TV + i * 4096 */
extern u64 pt_pml4[512], pt_pdpt[512], pt_pd[2048];
extern u64 win_pd[512], win_pt[512];
extern u64 win_pdpt[512];
void win_init(void);
/* The same window once more under a PML4 entry of its own. */
#define TV2 0x8000000000ull
/* Takes the user bit from everything but TV2, so SMEP and SMAP can be on. */
void map_supervisor(int on);
#define P_P 1ull
#define P_W 2ull
#define P_U 4ull
#define P_A 0x20ull
#define P_D 0x40ull
#define P_PS 0x80ull
#define P_G 0x100ull
#define P_NX (1ull << 63)

/* ---- second CPU and APIC (smp.c, 64-bit kernels) ------------------------ */
#define LAPIC 0xfee00000u
static inline u32 apic_r(u32 o) { return *(volatile u32 *)(ulong)(LAPIC + o); }
static inline void apic_w(u32 o, u32 v) { *(volatile u32 *)(ulong)(LAPIC + o) = v; }
static inline u32 ioapic_r(u32 i)
{ *(volatile u32 *)0xfec00000ul = i; return *(volatile u32 *)0xfec00010ul; }
static inline void ioapic_w(u32 i, u32 v)
{ *(volatile u32 *)0xfec00000ul = i; *(volatile u32 *)0xfec00010ul = v; }
void apic_on(void);
void pic_mask_all(void);
int ap_boot(void);		/* 1 when the second CPU runs */
void ap_do(void (*fn)(void));	/* hands work to it and waits */
void ap_post(void (*fn)(void));	/* hands work to it */
void ap_wait(void);
extern volatile u32 ap_alive;

#endif
