/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the emulator's own files.
 *
 *   emulate.c         dispatch of the special instructions, and the small ones
 *   emulate_creg.c    control and debug registers
 *   emulate_io.c      IN, OUT, INS, OUTS and their permission
 *   emulate_access.c  registers, effective addresses, checked memory accesses
 *   emulate_table.c   descriptor tables, checks before far transfers
 *   emulate_mem.c     instructions whose memory operand is device memory
 *
 * The caller of cpu_emulate_special() and cpu_emulate_memory() has called env_load() and calls
 * env_store() afterwards.  An instruction either does all it has to and advances env->eip, or
 * raises one exception and leaves registers as they were.
 */
#ifndef PARAVANE_CPU_EMULATE_H
#define PARAVANE_CPU_EMULATE_H

#include "cpu/internal.h"

enum { EMU_RAX, EMU_RCX, EMU_RDX, EMU_RBX, EMU_RSP, EMU_RBP, EMU_RSI, EMU_RDI };

/* One instruction being executed. */
struct emulate {
    struct cpu *c;
    struct cpu_env *env;
    struct cpu_vcpu *vcpu;
    const struct cpu_insn *insn;
    struct cpu_exc *exc;
};

enum emulate_rw { EMULATE_READ, EMULATE_WRITE };

/* ---- results ---- */

/** emulate_done - past the instruction: RIP wraps as the code segment does, RF and shadow end. */
enum cpu_emulate emulate_done(struct emulate *e);
/** emulate_fault - raise @vector with error code 0 where the vector has one. */
enum cpu_emulate emulate_fault(struct emulate *e, unsigned vector);
/** emulate_set_fault - the same for functions that return false on a fault. */
bool emulate_set_fault(struct emulate *e, unsigned vector);

/* ---- registers (SDM 1 3.4.1.1: a 32-bit result zero-extends, smaller ones do not) ---- */

uint64_t emulate_mask(unsigned bytes);
uint64_t emulate_reg_read(const struct emulate *e, unsigned reg, unsigned bytes);
void emulate_reg_write(struct emulate *e, unsigned reg, unsigned bytes, uint64_t value);
/** The register operand of the instruction, AH to BH included. */
uint64_t emulate_operand_read(const struct emulate *e);
void emulate_operand_write(struct emulate *e, uint64_t value);
/** emulate_flags - replace the flags in @mask. */
void emulate_flags(struct emulate *e, uint64_t mask, uint64_t flags);

/* ---- memory ---- */

bool emulate_is_64(const struct emulate *e);
/** emulate_offset - of the memory operand within its segment, plus @add, wrapped. */
uint64_t emulate_offset(const struct emulate *e, uint64_t add);
/** emulate_linear - linear address of @offset in @segment. */
uint64_t emulate_linear(const struct emulate *e, unsigned segment, uint64_t offset);
/**
 * emulate_check - segment and alignment checks of an access (SDM 3A 5.3 to 5.5, 6.15 #AC).
 * @va: set to the linear address.
 */
bool emulate_check(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                   enum emulate_rw rw, uint64_t *va);
/** emulate_load, emulate_store - checks and access; up to 8 bytes. */
bool emulate_load(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                  uint64_t *value);
bool emulate_store(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes,
                   uint64_t value);
/** emulate_probe - would a store fault?  Nothing is changed, accessed and dirty bits included. */
bool emulate_probe(struct emulate *e, unsigned segment, uint64_t offset, unsigned bytes);

/* ---- strings ---- */

/** emulate_string_empty - REP with a count of zero. */
bool emulate_string_empty(const struct emulate *e);
/** emulate_string_step - an index register goes on by one element. */
void emulate_string_step(struct emulate *e, unsigned reg);
/** emulate_string_done - count this iteration; past the instruction after the last. */
enum cpu_emulate emulate_string_done(struct emulate *e);

/* ---- groups of special instructions ---- */

enum cpu_emulate emulate_mov_to_cr(struct emulate *e);
enum cpu_emulate emulate_mov_from_cr(struct emulate *e);
enum cpu_emulate emulate_clts(struct emulate *e);
enum cpu_emulate emulate_lmsw(struct emulate *e);
enum cpu_emulate emulate_mov_to_dr(struct emulate *e);
enum cpu_emulate emulate_mov_from_dr(struct emulate *e);
enum cpu_emulate emulate_in(struct emulate *e);
enum cpu_emulate emulate_out(struct emulate *e);
enum cpu_emulate emulate_ins(struct emulate *e);
enum cpu_emulate emulate_outs(struct emulate *e);
enum cpu_emulate emulate_table_register(struct emulate *e);
enum cpu_emulate emulate_system_segment(struct emulate *e);
enum cpu_emulate emulate_far(struct emulate *e);
enum cpu_emulate emulate_mxcsr(struct emulate *e);

#endif
