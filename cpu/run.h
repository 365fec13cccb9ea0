/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the run loop's files only: run.c, special.c, step.c, debug.c; and by cpu.c. */
#ifndef PARAVANE_CPU_RUN_H
#define PARAVANE_CPU_RUN_H

#include "cpu/engine.h"

/** cpu_handle_stop - what c->why asks for. */
void cpu_handle_stop(struct cpu *c);
void cpu_take_exception(struct cpu *c);
void cpu_take_transition(struct cpu *c);

/** cpu_undo_branch - RIP is a non-canonical target: back to the near branch that led there. */
void cpu_undo_branch(struct cpu *c);
/** cpu_undo_mov_cr3 - back to the MOV that loaded CR3 with reserved bits; false: there is none. */
bool cpu_undo_mov_cr3(struct cpu *c);
/** cpu_far_begin, cpu_far_end - around a far transfer by the library.  The former returns the flags
 *  that the instruction loads, the latter false when it has taken all back and delivered an
 *  exception. */
uint64_t cpu_far_begin(struct cpu *c, const struct cpu_insn *insn);
bool cpu_far_end(struct cpu *c, const struct cpu_insn *insn, uint64_t flags);

/** cpu_find_descriptor - c->fault is a descriptor's page: make its address that of the descriptor. */
void cpu_find_descriptor(struct cpu *c, const struct cpu_insn *insn);

/** cpu_check_insn - the checks of check.c.  Returns: false with *exc. */
bool cpu_check_insn(struct cpu *c, const struct cpu_insn *insn, struct cpu_exc *exc);

/** cpu_step - exactly one instruction (or one delivery). */
void cpu_step(struct cpu *c);
/** cpu_step_native - one instruction by the library, special or not; @insn at env->eip. */
void cpu_step_native(struct cpu *c, const struct cpu_insn *insn);

/** cpu_raise - deliver @exc to the loaded vCPU; a triple fault is noted. */
void cpu_raise(struct cpu *c, struct cpu_exc exc, enum cpu_event_kind kind);
/** cpu_deliver_exception - a fault, trap or abort of the loaded vCPU. */
void cpu_deliver_exception(struct cpu *c, struct cpu_exc exc);
/** cpu_special - the instruction at RIP is one that the simulator executes. */
void cpu_special(struct cpu *c);
/** cpu_fault - c->fault says which TLB fill was refused. */
void cpu_fault(struct cpu *c);
struct cpu_exc cpu_page_fault(const struct cpu_fault *f);

/** cpu_take_breakpoint - deliver the instruction breakpoint that is due, if one is. */
bool cpu_take_breakpoint(struct cpu *c);
/** cpu_access_address - linear address of one access of @insn, at env->eip. */
uint64_t cpu_access_address(struct cpu *c, const struct cpu_insn *insn, const struct cpu_access *a);
/** cpu_have_fetched - the instruction at RIP counts as fetched.  Returns: as cpu_look(). */
bool cpu_have_fetched(struct cpu *c);
/** cpu_look - have the library fetch the instruction at RIP, as it does before it executes one.
 *  Returns: false when that faulted; the fault has been dealt with. */
bool cpu_look(struct cpu *c);
/** cpu_linear_rip - linear address of the next instruction. */
uint64_t cpu_linear_rip(const struct cpu_env *env);
/** cpu_finish_insn - an instruction is complete: the debug traps that are due after it.
 *  @single_step: TF was set for it; @flags: its CPU_INSN_*. */
void cpu_finish_insn(struct cpu *c, bool single_step, uint32_t flags);
/** cpu_mark_unfinished_rep - set RF if RIP is between two rounds of a REP instruction
 *  (SDM 3B 17.3.1.1). */
void cpu_mark_unfinished_rep(struct cpu *c);

/** cpu_fetch_insn - decode at RIP, no side effects.  Returns: false if it cannot be. */
bool cpu_fetch_insn(struct cpu *c, struct cpu_insn *insn);
/** cpu_fetch_bytes - code bytes at linear @va, no side effects.  Returns: how many were read. */
size_t cpu_fetch_bytes(struct cpu *c, unsigned vcpu, uint64_t va, uint8_t *out, size_t max);

/** cpu_read_bytes - the same for data: @access is MMU_READ or MMU_FETCH; permissions are not looked at. */
size_t cpu_read_bytes(struct cpu *c, unsigned vcpu, uint64_t va, void *out, size_t max,
                      unsigned access);

/** cpu_tell_points - the instruction at RIP is about to be executed on its own: execution points.
 *  Returns: false when an observer has asked for a stop before it. */
bool cpu_tell_points(struct cpu *c);

/** cpu_settle_counters - the counters of the loaded vCPU are exact in its struct. */
void cpu_settle_counters(struct cpu *c);

/** cpu_load_vcpu - make @vcpu the one in the engine. */
void cpu_load_vcpu(struct cpu *c, unsigned vcpu);

#endif
