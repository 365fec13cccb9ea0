/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor: instructions C has no words for, and the state of the one physical CPU. */
#ifndef HV_CPU_H
#define HV_CPU_H

#include "hv/types.h"

/* Reasons not to go back to the guest at once (hv_cpu.work). */
#define HV_WORK_SCHEDULE 1u	/* another vCPU may have to run */
#define HV_WORK_TIMER 2u	/* a timer of hv/time.h is due */
#define HV_WORK_VCPU 4u		/* the current vCPU has something to finish first */
#define HV_WORK_CONSOLE 8u	/* bytes came in on the UART */

/* All state of the CPU; entry.S knows the first members. */
struct hv_cpu {
    struct hv_vcpu *current;	/* whose registers are loaded; the idle vCPU if nobody's */
    u64 regs_end;		/* where entry.S pushes: end of current->regs */
    u32 work;			/* HV_WORK_ bits */
    u32 budget;			/* preemption checks left before interrupts are let in */
    u64 scratch;
    u64 cr3;			/* what is loaded */
    u32 tlb_clock;		/* counts flushes that took global entries along */
    bool tlb_stale;		/* a flush is owed before a guest runs or a reference is dropped */
};
extern struct hv_cpu hv_cpu;
#define hv_current (hv_cpu.current)

/**
 * hv_preempt - whether a long operation should stop here and continue later.
 * Cheap; lets interrupts in every so many calls.  Call it once for each unit of work.
 */
bool hv_preempt_slow(void);
HV_INLINE bool hv_preempt(void) HV_BODY({
    return unlikely(--hv_cpu.budget == 0) && hv_preempt_slow();
})

static inline void hv_outb(u16 port, u8 v) { __asm__ volatile("outb %0,%1" ::"a"(v), "Nd"(port)); }
static inline void hv_outw(u16 port, u16 v) { __asm__ volatile("outw %0,%1" ::"a"(v), "Nd"(port)); }
static inline void hv_outl(u16 port, u32 v) { __asm__ volatile("outl %0,%1" ::"a"(v), "Nd"(port)); }
static inline u8 hv_inb(u16 port) { u8 v; __asm__ volatile("inb %1,%0" : "=a"(v) : "Nd"(port)); return v; }
static inline u16 hv_inw(u16 port) { u16 v; __asm__ volatile("inw %1,%0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 hv_inl(u16 port) { u32 v; __asm__ volatile("inl %1,%0" : "=a"(v) : "Nd"(port)); return v; }
static inline u64 hv_rdtsc(void) { u32 a, d; __asm__ volatile("rdtsc" : "=a"(a), "=d"(d)); return (u64)d << 32 | a; }
static inline u64 hv_rdmsr(u32 n) { u32 a, d; __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n)); return (u64)d << 32 | a; }
static inline void hv_wrmsr(u32 n, u64 v) { __asm__ volatile("wrmsr" ::"a"((u32)v), "d"((u32)(v >> 32)), "c"(n) : "memory"); }
static inline void hv_cpuid(u32 leaf, u32 sub, u32 r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}
#define HV_CR(n) \
    static inline u64 hv_read_cr##n(void) { u64 v; __asm__ volatile("mov %%cr" #n ",%0" : "=r"(v)); return v; } \
    static inline void hv_write_cr##n(u64 v) { __asm__ volatile("mov %0,%%cr" #n ::"r"(v) : "memory"); }
HV_CR(0)
HV_CR(2)
HV_CR(3)
HV_CR(4)
#undef HV_CR
static inline void hv_invlpg(u64 va) { __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory"); }

#define HV_MSR_EFER 0xc0000080u
#define HV_MSR_STAR 0xc0000081u
#define HV_MSR_LSTAR 0xc0000082u
#define HV_MSR_CSTAR 0xc0000083u
#define HV_MSR_FMASK 0xc0000084u
#define HV_MSR_FS_BASE 0xc0000100u
#define HV_MSR_GS_BASE 0xc0000101u
#define HV_MSR_KERNEL_GS 0xc0000102u

#define HV_CR0_TS 8ull
#define HV_CR4_TSD 4ull
#define HV_CR4_DE 8ull
#define HV_CR4_PGE 0x80ull
#define HV_CR4_FSGSBASE 0x10000ull
#define HV_CR4_OSXSAVE 0x40000ull

#define HV_FLAG_TF 0x100ull
#define HV_FLAG_IF 0x200ull
#define HV_FLAG_DF 0x400ull
#define HV_FLAG_IOPL 0x3000ull
#define HV_FLAG_NT 0x4000ull
#define HV_FLAG_RF 0x10000ull
#define HV_FLAG_VM 0x20000ull
#define HV_FLAG_AC 0x40000ull

static inline bool hv_canonical(u64 va) { return (u64)((s64)(va << 16) >> 16) == va; }

#endif
