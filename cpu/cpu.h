/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs of a machine.
 *
 * All vCPUs share one translation engine and one memory; cpu_run() runs one of
 * them until an instant of its own cycle counter.  The caller (sim/machine.c)
 * schedules them.  What happens is a function of the arguments and of what the
 * bus answers, and of nothing else.
 *
 * Exactness: every instant is an instruction boundary.  A deadline is met at the
 * first boundary at which the vCPU's cycle counter has reached it; interrupts are
 * taken there; instruction counts are exact there.
 */
#ifndef PARAVANE_CPU_CPU_H
#define PARAVANE_CPU_CPU_H

#include <glib.h>

#include "mmu/ram.h"
#include "mmu/walk.h"
#include "sim/base/guest.h"
#include "sim/base/probe.h"
#include "sim/base/state.h"
#include "sim/base/types.h"

#define CPU_MAX_VCPUS 8
#define CPU_CYCLES_NEVER UINT64_MAX

struct cpu;

/* What a CPU needs of the platform around it.  All members are required. */
struct cpu_bus {
    void *user;
    /* @size_bytes is 1, 2 or 4.  Unassigned ports read as all ones. */
    uint32_t (*port_read)(void *user, uint16_t port, unsigned size_bytes);
    void (*port_write)(void *user, uint16_t port, unsigned size_bytes, uint32_t value);
    /* Anything that is not RAM; @size_bytes is 1, 2, 4 or 8, not crossing a page. */
    uint64_t (*mmio_read)(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes);
    void (*mmio_write)(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes, uint64_t value);
    /* Interrupt acknowledge: the vector to deliver, or -1 when the request has gone away. */
    int (*intr_ack)(void *user, unsigned vcpu);
    /* CR8: task priority, 0 to 15. */
    uint8_t (*tpr_read)(void *user, unsigned vcpu);
    void (*tpr_write)(void *user, unsigned vcpu, uint8_t value);
    /* MSRs of the platform (IA32_APIC_BASE, x2APIC, TSC deadline): false = #GP(0). */
    bool (*msr_read)(void *user, unsigned vcpu, uint32_t msr, uint64_t *value);
    bool (*msr_write)(void *user, unsigned vcpu, uint32_t msr, uint64_t value);
};

struct cpu_config {
    unsigned count;           /* 1 to CPU_MAX_VCPUS */
    const char *model;        /* a name of docs/cpu-models.md, see cpu_model_find() */
    uint64_t frequency_hz;    /* of the cycle counter and the TSC */
    uint64_t seed;            /* of RDRAND and RDSEED */
    unsigned rdtsc_cycles;    /* extra cost of RDTSC and RDTSCP */
    unsigned port_cycles;     /* extra cost of a port access */
    unsigned mmio_cycles;     /* extra cost of a device memory access */
    bool portable;            /* use only the library's public interface (tests; slower) */
};

/* Why cpu_run() came back. */
enum cpu_stop {
    CPU_STOP_DEADLINE, /* the cycle counter has reached the deadline */
    CPU_STOP_INSNS,    /* the machine's instruction count has reached the limit */
    CPU_STOP_HALT,     /* HLT with nothing deliverable, or waiting for INIT/SIPI */
    CPU_STOP_REQUEST,  /* cpu_request_stop() */
    CPU_STOP_RESET,    /* triple fault: the machine must be reset; cpu_describe_fault() says why */
    CPU_STOP_CRASH,    /* the guest left the machine: fetch outside RAM, tables outside RAM */
};

struct cpu_counters {
    uint64_t insns;
    uint64_t blocks;
    uint64_t exceptions;
    uint64_t interrupts;
    uint64_t nmis;
    uint64_t syscalls; /* SYSCALL and SYSENTER: what can carry a hypercall */
    uint64_t fills;    /* of the TLB, while the vCPU was the loaded one */
};

/* One vCPU's architectural registers, for reports, hashes and debuggers. */
struct cpu_segment {
    uint16_t selector;
    uint32_t limit;
    uint64_t base;
    uint32_t flags; /* high doubleword of the descriptor */
};
struct cpu_regs {
    uint64_t gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
    uint64_t rip, rflags;
    struct cpu_segment seg[6]; /* ES CS SS DS FS GS */
    struct cpu_segment ldt, tr, gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer;
    uint64_t dr[8];
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_aux, pat;
};
enum cpu_seg { CPU_ES, CPU_CS, CPU_SS, CPU_DS, CPU_FS, CPU_GS };

/**
 * cpu_new - create the vCPUs.
 * @ram, @bus: borrowed; must outlive the result.
 * Returns: all vCPUs in the architecture's reset state, vCPU 0 running and the others
 *          waiting for SIPI; NULL with @error when the library is not fit (version, or its
 *          self-check failed) or the model is unknown.
 */
struct cpu *cpu_new(const struct cpu_config *config, struct mmu_ram *ram,
                    const struct cpu_bus *bus, GError **error);
void cpu_free(struct cpu *cpu);

/**
 * cpu_run - run vCPU @vcpu.
 * @deadline: its cycle counter's value to stop at; may be lowered during the run.
 * @insn_limit: the machine's instruction count (cpu_insns()) to stop at, exactly.
 */
enum cpu_stop cpu_run(struct cpu *cpu, unsigned vcpu, uint64_t deadline, uint64_t insn_limit);

/** cpu_lower_deadline - the running vCPU shall come back at @deadline if that is earlier. */
void cpu_lower_deadline(struct cpu *cpu, uint64_t deadline);

/** cpu_request_stop - the running vCPU comes back before its next instruction. */
void cpu_request_stop(struct cpu *cpu);

/** cpu_current - the vCPU that cpu_run() is running, or ran last. */
unsigned cpu_current(const struct cpu *cpu);

/** cpu_cycles - cycle counter of @vcpu, exact also when asked from within a bus call. */
uint64_t cpu_cycles(const struct cpu *cpu, unsigned vcpu);

/**
 * cpu_tsc_due - when the time-stamp counter of @vcpu reaches @tsc, unless the guest sets it.
 * @cycles: cycle counter of @vcpu then; its present value if @tsc has passed;
 *          CPU_CYCLES_NEVER if it is further away than the cycle counter goes.
 * Returns: false if the model has no TSC-deadline timer; *@cycles is then untouched.
 */
bool cpu_tsc_due(const struct cpu *cpu, unsigned vcpu, uint64_t tsc, uint64_t *cycles);

/** cpu_skip_to - a halted vCPU's cycle counter goes on to @cycles (no effect if not later). */
void cpu_skip_to(struct cpu *cpu, unsigned vcpu, uint64_t cycles);

/** cpu_insns - instructions retired by all vCPUs together, exact also from within a bus call. */
uint64_t cpu_insns(const struct cpu *cpu);

/** cpu_set_intr - level of the interrupt request of @vcpu's local APIC (or the 8259 pair). */
void cpu_set_intr(struct cpu *cpu, unsigned vcpu, bool pending);
/** cpu_raise_nmi - latch an NMI; one is held while NMIs are blocked. */
void cpu_raise_nmi(struct cpu *cpu, unsigned vcpu);
/** cpu_raise_init - INIT: reset state, waiting for SIPI (vCPU 0: starts at the reset vector). */
void cpu_raise_init(struct cpu *cpu, unsigned vcpu);
/** cpu_raise_sipi - start at real-mode CS:IP = (@page << 8):0 if waiting; else ignored. */
void cpu_raise_sipi(struct cpu *cpu, unsigned vcpu, uint8_t page);
/** cpu_is_runnable - false: in HLT (or waiting for SIPI) with nothing that would wake it. */
bool cpu_is_runnable(const struct cpu *cpu, unsigned vcpu);
/** cpu_is_dead_halted - in HLT with interrupts masked, or waiting for SIPI: no event of the
 *  interrupt line will wake it. */
bool cpu_is_dead_halted(const struct cpu *cpu, unsigned vcpu);

/** cpu_start_multiboot - vCPU 0 in flat 32-bit protected mode, as Multiboot 1 section 3.2 says. */
void cpu_start_multiboot(struct cpu *cpu, uint32_t entry, uint32_t eax, uint32_t ebx);

void cpu_get_regs(struct cpu *cpu, unsigned vcpu, struct cpu_regs *out);
void cpu_get_counters(const struct cpu *cpu, unsigned vcpu, struct cpu_counters *out);
/** cpu_mmu_regs - what mmu_walk() needs to see memory as @vcpu does now. */
void cpu_mmu_regs(struct cpu *cpu, unsigned vcpu, struct mmu_regs *out);

/** cpu_attach_probe - @probe borrowed until detached with NULL. */
void cpu_attach_probe(struct cpu *cpu, const struct base_probe *probe);

/**
 * cpu_guest - what observers may look at, and execution points (sim/base/guest.h); owned by @cpu.
 */
const struct base_guest *cpu_guest(struct cpu *cpu);
/** cpu_execpoint_add, cpu_execpoint_remove - as add and remove of struct base_guest. */
void cpu_execpoint_add(struct cpu *cpu, uint64_t va, base_execpoint_fn *fn, void *user);
void cpu_execpoint_remove(struct cpu *cpu, uint64_t va, base_execpoint_fn *fn, void *user);
/** cpu_virtual_ns - a cycle counter's value as virtual time. */
uint64_t cpu_virtual_ns(const struct cpu *cpu, uint64_t cycles);

/** cpu_state - visit all architectural state of all vCPUs (between runs only). */
void cpu_state(struct cpu *cpu, struct base_state *st);

/**
 * cpu_settle - forget what need not be remembered: the TLB.  Between runs only.
 *
 * When the TLB is filled decides when A bits are set, so its content is a part of the machine's
 * history that cannot be saved.  After this call it is empty and of a fixed size: the state that
 * cpu_state() and cpu_hidden_state() visit then is all there is.
 */
void cpu_settle(struct cpu *cpu);

/**
 * cpu_hidden_state - visit what no guest sees but what its future depends on, and the counters.
 * LOAD: after cpu_state(); RAM must have been cleared.
 */
void cpu_hidden_state(struct cpu *cpu, struct base_state *st);

/** cpu_fault_text - why the last run ended in RESET or CRASH; owned by @cpu. */
const char *cpu_fault_text(const struct cpu *cpu);

/** Recently executed blocks of all vCPUs, oldest first.  Returns: how many were written. */
struct cpu_block_ref {
    uint64_t rip;
    uint32_t size_bytes;
    uint8_t vcpu;
};
unsigned cpu_recent_blocks(const struct cpu *cpu, struct cpu_block_ref *out, unsigned max);

/**
 * cpu_disassemble - text of the instruction at linear @va as @vcpu sees it, no side effects.
 * Returns: its length in bytes; 0 if the bytes cannot be read or are no instruction.
 */
unsigned cpu_disassemble(struct cpu *cpu, unsigned vcpu, gva_t va, char *text, size_t text_size);

/** cpu_library_text - version of the library and which of its interfaces is in use. */
const char *cpu_library_text(const struct cpu *cpu);

/** cpu_model_names - NULL-terminated list of the models' names. */
const char *const *cpu_model_names(void);

GQuark cpu_error_quark(void);
#define CPU_ERROR cpu_error_quark()
enum cpu_error { CPU_ERROR_LIBRARY, CPU_ERROR_MODEL, CPU_ERROR_CONFIG };

#endif
