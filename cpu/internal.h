/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of cpu/ only.
 *
 * The architectural state of the vCPU that is loaded into the engine is reached
 * through struct cpu_env, a view of the library's own state: env_load() makes the
 * view current, env_store() makes changes take effect.  With the raw view (the
 * usual case, see engine.c) both cost nothing; with the public interface they are
 * a context save and restore.  Rule: everything in cpu/ that touches c->env does
 * so between env_load() and env_store().
 */
#ifndef PARAVANE_CPU_INTERNAL_H
#define PARAVANE_CPU_INTERNAL_H

#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "sim/base/assert.h"
#include "sim/base/rng.h"

/* A segment register with its hidden part, as the library lays it out. */
struct env_seg {
    uint32_t selector;
    uint32_t pad;
    uint64_t base;
    uint32_t limit; /* in bytes, granularity applied */
    uint32_t flags; /* high doubleword of the descriptor: type, S, DPL, P, AVL, L, D, G */
};

/* Start of the library's state; the offsets are verified at start-up (engine.c). */
struct cpu_env {
    uint64_t regs[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
    uint64_t eip;
    uint64_t eflags; /* without CF PF AF ZF SF OF (lazy, see env_rflags()) and DF */
    uint64_t cc_dst, cc_src, cc_src2;
    uint32_t cc_op;
    int32_t df; /* 1 or -1 */
    uint32_t hflags;
    uint32_t hflags2;
    struct env_seg segs[6]; /* ES CS SS DS FS GS */
    struct env_seg ldt, tr, gdt, idt;
    uint64_t cr[5]; /* CR0, -, CR2, CR3, CR4 */
};
_Static_assert(offsetof(struct cpu_env, segs) == 184, "layout");
_Static_assert(offsetof(struct cpu_env, ldt) == 328, "layout");
_Static_assert(offsetof(struct cpu_env, cr) == 424, "layout");

/* Fields behind gaps whose offsets are found at start-up, in bytes from the env. */
struct env_offsets {
    unsigned efer, star, lstar, cstar, fmask, kernel_gs_base;
    unsigned sysenter_cs, sysenter_esp, sysenter_eip;
    unsigned error_code, exception_is_int, old_exception, dr, tsc_aux;
};

/* hflags: the library's summary of CPL, segment widths and modes. */
enum {
    HF_CPL = 3,
    HF_INHIBIT_IRQ = 1 << 3,
    HF_CS32 = 1 << 4,
    HF_SS32 = 1 << 5,
    HF_ADDSEG = 1 << 6,
    HF_PE = 1 << 7,
    HF_TF = 1 << 8,
    HF_MP = 1 << 9,
    HF_EM = 1 << 10,
    HF_TS = 1 << 11,
    HF_IOPL = 3 << 12,
    HF_LMA = 1 << 14,
    HF_CS64 = 1 << 15,
    HF_RF = 1 << 16,
    HF_VM = 1 << 17,
    HF_OSFXSR = 1 << 22,
    HF_SMAP = 1 << 23,
};

enum {
    FLAG_CF = 1 << 0,
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_TF = 1 << 8,
    FLAG_IF = 1 << 9,
    FLAG_DF = 1 << 10,
    FLAG_OF = 1 << 11,
    FLAG_IOPL = 3 << 12,
    FLAG_NT = 1 << 14,
    FLAG_RF = 1 << 16,
    FLAG_VM = 1 << 17,
    FLAG_AC = 1 << 18,
    FLAG_VIF = 1 << 19,
    FLAG_VIP = 1 << 20,
    FLAG_ID = 1 << 21,
};

#define CR0_PE (1ull << 0)
#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_AM (1ull << 18)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR0_PG (1ull << 31)
#define CR4_TSD (1ull << 2)
#define CR4_DE (1ull << 3)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_PCE (1ull << 8)
#define CR4_OSFXSR (1ull << 9)
#define CR4_UMIP (1ull << 11)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

enum {
    EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5, EXC_UD = 6,
    EXC_NM = 7, EXC_DF = 8, EXC_TS = 10, EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14,
    EXC_MF = 16, EXC_AC = 17, EXC_MC = 18, EXC_XM = 19,
};

/* An exception on its way; also the result of everything that can raise one. */
struct cpu_exc {
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t cr2; /* EXC_PF only */
    uint8_t insn_bytes; /* CPU_EVENT_SOFT, CPU_EVENT_ICEBP: length of the instruction; if its
                           delivery faults, RIP goes back by it (SDM 3A 6.5: faults restart) */
};

/* How an event came about: decides DPL checks, EXT and what is pushed. */
enum cpu_event_kind {
    CPU_EVENT_EXCEPTION, /* fault, trap or abort of the CPU */
    CPU_EVENT_SOFT,      /* INT n, INT3, INTO: gate DPL checked */
    CPU_EVENT_ICEBP,     /* INT1 (F1): no DPL check */
    CPU_EVENT_EXTERNAL,  /* interrupt, NMI: EXT = 1 in error codes */
};

struct cpu_model; /* cpuid.c */

/* What a vCPU has besides the library's registers. */
struct cpu_vcpu {
    unsigned index;
    void *context;      /* the library's saved registers while not loaded */
    uint64_t cycles;    /* cycle counter while not loaded */
    uint64_t tsc_offset; /* TSC = cycles + offset */
    uint64_t tsc_adjust;
    struct cpu_counters counters;
    bool intr;          /* interrupt request line */
    bool nmi_pending;
    bool nmi_blocked;   /* until IRET */
    bool halted;
    bool wait_sipi;
    bool init_pending;
    bool sipi_pending;
    uint8_t sipi_page;
    bool shadow;        /* interrupt shadow that the engine does not know of */
    uint64_t dr6, dr7;  /* kept here: the engine never sees enabled breakpoints */
    uint64_t dr[4];
    uint8_t held_db;    /* B0 to B3 that MOV SS has hit: due after the next instruction */
    uint64_t xcr0;
    uint64_t pdpte[4]; /* PAE paging outside IA-32e mode */
    /* MSRs that the library does not back, see msr.c */
    uint64_t msr_misc_enable, msr_mtrr_def, msr_mtrr_fixed[11], msr_mtrr_var[16];
    uint64_t msr_pat, msr_feature_control, msr_spec_ctrl;
    uint64_t msr_mcg_status;
    struct base_rng rng;
};

struct cpu; /* the whole is in engine.h: only the run loop's files need it */

/* ---- engine.c: access to the loaded vCPU ---- */

/* A second env_load() before env_store() returns the same view and loses no change. */
struct cpu_env *env_load(struct cpu *c);
void env_store(struct cpu *c);
const struct env_offsets *env_offsets(const struct cpu *c);
#define ENV64(env, off) (*(uint64_t *)((uint8_t *)(env) + (off)))
#define ENV32(env, off) (*(uint32_t *)((uint8_t *)(env) + (off)))

/** env_rflags - RFLAGS with the lazy arithmetic flags and DF worked out. */
uint64_t env_rflags(struct cpu *c);
/** env_set_rflags - all of RFLAGS, arithmetic flags and DF included (between load and store). */
void env_set_rflags(struct cpu *c, uint64_t rflags);

struct cpu_vcpu *cpu_loaded(struct cpu *c);
const struct cpu_bus *cpu_get_bus(const struct cpu *c);
const struct cpu_config *cpu_get_config(const struct cpu *c);
const struct cpu_model *cpu_get_model(const struct cpu *c);
struct mmu_ram *cpu_get_ram(struct cpu *c);
/** cpu_flush_tlb - of the loaded vCPU, global pages included. */
void cpu_flush_tlb(struct cpu *c);
/** cpu_set_crash - the guest left the machine; the run ends with CPU_STOP_CRASH and @text. */
void cpu_set_crash(struct cpu *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Write control registers and what hangs on them (hflags, TLB): no checks, engine.c. */
void engine_write_cr0(struct cpu *c, uint64_t value);
void engine_write_cr3(struct cpu *c, uint64_t value);
void engine_write_cr4(struct cpu *c, uint64_t value);
void engine_write_efer(struct cpu *c, uint64_t value);

/** engine_reset_fpu - x87 state and MXCSR as after power-up (SDM 3A table 9-1). */
void engine_reset_fpu(struct cpu *c);

/* XMM registers, 16 bytes. */
void engine_read_xmm(struct cpu *c, unsigned n, uint8_t value[16]);
void engine_write_xmm(struct cpu *c, unsigned n, const uint8_t value[16]);

enum cpu_mode cpu_code_mode(const struct cpu_env *env);
static inline unsigned env_cpl(const struct cpu_env *env)
{
    return env->hflags & HF_CPL;
}
static inline bool cpu_is_canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* ---- memory.c: guest memory as the loaded vCPU sees it ---- */

enum cpu_mem_how {
    CPU_MEM_EXPLICIT, /* with the privilege of CPL */
    CPU_MEM_IMPLICIT, /* supervisor access to descriptor tables and TSS */
    CPU_MEM_SUPERVISOR, /* as if CPL were 0: stack pushes of a delivery to ring 0..2 */
    CPU_MEM_USER,     /* as if CPL were 3: stack pushes of a delivery to ring 3 */
};

/**
 * cpu_mem_read, cpu_mem_write - linear addresses, page crossing allowed, A/D bits set as the
 * architecture does.  A write checks all pages before it changes anything.
 * Returns: true, or false with *exc = #PF (CR2 in exc->cr2), or #GP(0) for a non-canonical
 *          address (@stack: #SS(0)).  Device memory goes to the bus, in pieces of up to 8 bytes.
 */
bool cpu_mem_read(struct cpu *c, uint64_t va, void *data, size_t size, enum cpu_mem_how how,
                  bool stack, struct cpu_exc *exc);
bool cpu_mem_write(struct cpu *c, uint64_t va, const void *data, size_t size,
                   enum cpu_mem_how how, bool stack, struct cpu_exc *exc);

/* A linear range by pages. */
#define CPU_PIECES_MAX 4
struct cpu_piece {
    uint64_t pa;
    size_t size;
    bool is_ram;
};
/**
 * cpu_mem_split - translate each page of linear [@va, @va + @size).
 * @access: MMU_READ or MMU_WRITE, with MMU_PROBE to change nothing.
 * Returns: the number of pieces; 0 on a fault, with *exc.
 */
unsigned cpu_mem_split(struct cpu *c, uint64_t va, size_t size, enum cpu_mem_how how,
                       unsigned access, bool stack, struct cpu_piece out[CPU_PIECES_MAX],
                       struct cpu_exc *exc);
/** cpu_mem_device - one access to device memory, in pieces of up to 8 bytes. */
void cpu_mem_device(struct cpu *c, uint64_t pa, uint8_t *data, size_t size, bool write);

/** cpu_mem_probe_write - whether a write would succeed; changes nothing, not even A/D bits. */
bool cpu_mem_probe_write(struct cpu *c, uint64_t va, size_t size, enum cpu_mem_how how, bool stack,
                         struct cpu_exc *exc);

/* ---- deliver.c ---- */

/**
 * cpu_deliver - vector through the IDT (or the real-mode table), between env_load/env_store.
 * env->eip is what is pushed.  Faults during delivery become #GP.., #DF or a triple fault by the
 * architecture's table (SDM 3A 6.15).
 * Returns: false on a triple fault (the caller stops the machine); env is then as before.
 */
bool cpu_deliver(struct cpu *c, struct cpu_exc exc, enum cpu_event_kind kind);

/* Transitions; env->eip is the address of the instruction, @length its length.
 * They either set env to the target or return false with *exc. */
bool cpu_syscall(struct cpu *c, unsigned length, struct cpu_exc *exc);
bool cpu_sysenter(struct cpu *c, struct cpu_exc *exc);
bool cpu_sysexit(struct cpu *c, bool rex_w, struct cpu_exc *exc);

/** cpu_reset_vcpu - architectural reset or INIT state into env (between load and store). */
void cpu_reset_vcpu(struct cpu *c, bool init);
/** cpu_enter_sipi - real mode at @page << 12. */
void cpu_enter_sipi(struct cpu *c, uint8_t page);

/* ---- emulate.c ---- */

enum cpu_emulate {
    CPU_EMULATE_DONE,      /* executed, env->eip advanced (or not, REP: one iteration done) */
    CPU_EMULATE_EXCEPTION, /* *exc is to be delivered; env->eip is the instruction's */
    CPU_EMULATE_HALT,      /* HLT: env->eip advanced */
    CPU_EMULATE_NATIVE,    /* checks passed: let the library execute it */
    CPU_EMULATE_UNKNOWN,   /* the emulator has no such instruction */
    CPU_EMULATE_ICEBP,     /* deliver #DB as CPU_EVENT_ICEBP; env->eip advanced */
};

/**
 * cpu_emulate_special - execute the CPU_INSN_SPECIAL instruction at env->eip.
 * REP INS/OUTS: one iteration per call, env->eip stays until the last.
 */
enum cpu_emulate cpu_emulate_special(struct cpu *c, const struct cpu_insn *insn,
                                     struct cpu_exc *exc);

/** cpu_emulate_memory - execute an instruction whose memory operand is device memory.
 *  REP: one iteration per call. */
enum cpu_emulate cpu_emulate_memory(struct cpu *c, const struct cpu_insn *insn,
                                    struct cpu_exc *exc);

/** cpu_effective_address - linear address of the memory operand; env->eip at the instruction. */
uint64_t cpu_effective_address(struct cpu *c, const struct cpu_insn *insn);

/* ---- cpuid.c, msr.c ---- */

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};
const struct cpu_model *cpu_model_find(const char *name);
/** The library's CPU model that can execute everything @model offers. */
enum cpu_library { CPU_LIBRARY_HASWELL, CPU_LIBRARY_BROADWELL };
enum cpu_library cpu_model_library_id(const struct cpu_model *model);
/** cpu_model_cpuid - the CPUID instruction on the loaded vCPU; between env_load and env_store. */
void cpu_model_cpuid(struct cpu *c, uint32_t leaf, uint32_t subleaf, struct cpuid_result *out);
/** Bits of CR4 and EFER that the model offers; others are reserved. */
uint64_t cpu_model_cr4_mask(const struct cpu_model *model);
uint64_t cpu_model_efer_mask(const struct cpu_model *model);
enum cpu_feature { CPU_FEATURE_RDRAND, CPU_FEATURE_RDSEED, CPU_FEATURE_FSGSBASE, CPU_FEATURE_SMAP,
                   CPU_FEATURE_MONITOR, CPU_FEATURE_RDTSCP, CPU_FEATURE_TSC_DEADLINE,
                   CPU_FEATURE_INVPCID, CPU_FEATURE_XSAVE, CPU_FEATURE_TSC_ADJUST,
                   CPU_FEATURE_MCA };
bool cpu_model_has(const struct cpu_model *model, enum cpu_feature feature);
/** cpu_model_hidden - 1 << enum cpu_insn_feature: what the model's CPUID does not tell of. */
uint32_t cpu_model_hidden(const struct cpu_model *model);
unsigned cpu_model_physical_bits(const struct cpu_model *model);
/** cpu_model_signature - family, model, stepping as in CPUID leaf 1 EAX and in EDX after reset. */
uint32_t cpu_model_signature(const struct cpu_model *model);

/** cpu_msr_read/write - of the loaded vCPU, between env_load and env_store; false: #GP(0). */
bool cpu_msr_read(struct cpu *c, uint32_t msr, uint64_t *value);
bool cpu_msr_write(struct cpu *c, uint32_t msr, uint64_t value);
/** cpu_msr_reset - power-on values of the MSRs kept in struct cpu_vcpu. */
void cpu_msr_reset(struct cpu_vcpu *v, bool init);

#endif
