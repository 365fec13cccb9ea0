/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine cannot do itself: special instructions, refused TLB fills, device memory.
 * Part of the run loop (run.c).
 */
#include <stddef.h>
#include <string.h>

#include "cpu/run.h"

/* ---- instructions that the simulator executes ---- */

uint64_t cpu_linear_rip(const struct cpu_env *env)
{
    uint64_t va = env->segs[CPU_CS].base + env->eip;

    return env->hflags & HF_CS64 ? env->eip : va & 0xffffffffull;
}

bool cpu_fetch_insn(struct cpu *c, struct cpu_insn *insn)
{
    const struct cpu_env *env = env_load(c);
    struct cpu_decoded key = {.va = cpu_linear_rip(env), .mode = (uint8_t)cpu_code_mode(env)}, *slot;

    key.size = (uint8_t)cpu_fetch_bytes(c, c->current, key.va, key.bytes, 15);
    slot = &c->decoded[key.va % CPU_DECODED];
    if (memcmp(slot, &key, offsetof(struct cpu_decoded, insn)) != 0) {
        slot->size = 0; /* no instruction has no bytes */
        if (!cpu_decode((enum cpu_mode)key.mode, key.bytes, key.size, key.va, insn))
            return false;
        key.insn = *insn;
        *slot = key;
    } else {
        *insn = slot->insn;
    }
    return true;
}

static void retire(struct cpu *c, uint32_t cost)
{
    c->insns++;
    c->left -= cost;
}

/* After an instruction that the simulator has executed; @start: its RIP. */
static void finish_special(struct cpu *c, const struct cpu_insn *insn, bool guest_tf,
                           uint64_t start)
{
    struct cpu_env *env = env_load(c);

    env->hflags &= ~(uint32_t)HF_INHIBIT_IRQ;
    env->eflags &= ~(uint64_t)FLAG_RF;
    if ((insn->rep || insn->repne) && env->eip == start) { /* rounds to go: SDM 3B 17.3.1.1 */
        env->eflags |= FLAG_RF;
        c->mode_key = CPU_KEY_MODE_UNKNOWN;
    }
    env_store(c);
    if (insn->kind == CPU_KIND_MOV_TO_DR || insn->kind == CPU_KIND_MOV_TO_CR)
        debug_arm(c);
    cpu_finish_insn(c, guest_tf, insn->flags & ~(uint32_t)CPU_INSN_REP);
}

/* INVLPG: the library drops 4 KiB of a large page, and tells nobody. */
static void invlpg(struct cpu *c, const struct cpu_insn *insn)
{
    uint64_t va = cpu_effective_address(c, insn), insns = c->insns;

    if (tlb_may_be_large(c, va)) {
        bool guest_tf = (env_load(c)->eflags & FLAG_TF) != 0;

        cpu_flush_tlb(c);
        c->env->eip += insn->length;
        retire(c, 1);
        finish_special(c, insn, guest_tf, c->env->eip - insn->length);
        return;
    }
    cpu_step_native(c, insn);
    if (c->insns != insns)
        tlb_drop_page(c, va);
}

static uint32_t special_cost(struct cpu *c, const struct cpu_insn *insn)
{
    switch (insn->kind) {
    case CPU_KIND_IN:
    case CPU_KIND_OUT:
    case CPU_KIND_INS:
    case CPU_KIND_OUTS:
        return 1 + c->config.port_cycles;
    case CPU_KIND_RDTSC:
    case CPU_KIND_RDTSCP:
        return 1 + c->config.rdtsc_cycles;
    default:
        return 1;
    }
}

/* What the library did not or could not fetch.  Returns: false when that has ended in an exception. */
static bool have_fetched(struct cpu *c, unsigned length)
{
    return tlb_fetch(c, cpu_linear_rip(env_load(c)), length, true) == TLB_FETCHED || cpu_look(c);
}

bool cpu_have_fetched(struct cpu *c)
{
    struct cpu_insn insn;

    return have_fetched(c, cpu_fetch_insn(c, &insn) ? insn.length : 1);
}

/* What cpu_must_check() looks at: CPL, CR0. */
static bool changes_checks(const struct cpu_insn *insn)
{
    return insn->flags & CPU_INSN_FAR || insn->kind == CPU_KIND_MOV_TO_CR ||
           insn->kind == CPU_KIND_LMSW;
}

/* REP string I/O counts as the library counts it elsewhere: once for each iteration and once
 * for finding the count at zero. */
void cpu_special(struct cpu *c)
{
    struct cpu_insn insn;
    struct cpu_exc exc;
    struct cpu_env *env;
    enum cpu_mode mode;
    uint64_t start;
    bool guest_tf;

    if (cpu_take_breakpoint(c) || !cpu_tell_points(c))
        return;
    if (!cpu_fetch_insn(c, &insn) ||
        !(insn.flags & (CPU_INSN_OURS | CPU_INSN_RDTSC) || insn.kind == CPU_KIND_BT)) {
        cpu_step_native(c, &insn);
        return;
    }
    if (!have_fetched(c, insn.length))
        return;
    if (!cpu_check_insn(c, &insn, &exc)) {
        cpu_deliver_exception(c, exc);
        return;
    }
    env = env_load(c);
    guest_tf = (env->eflags & FLAG_TF) != 0;
    mode = cpu_code_mode(env);
    start = env->eip;
    if (base_unlikely(c->watch.any))
        debug_look(c, &insn);
    switch (cpu_emulate_special(c, &insn, &exc)) {
    case CPU_EMULATE_DONE:
        retire(c, special_cost(c, &insn));
        if (cpu_code_mode(env) != mode || changes_checks(&insn))
            c->mode_key = CPU_KEY_MODE_UNKNOWN;
        finish_special(c, &insn, guest_tf, start);
        break;
    case CPU_EMULATE_HALT:
        retire(c, 1);
        cpu_loaded(c)->halted = true;
        finish_special(c, &insn, guest_tf, start);
        break;
    case CPU_EMULATE_ICEBP:
        retire(c, 1);
        cpu_loaded(c)->counters.exceptions++;
        cpu_raise(c, (struct cpu_exc){.vector = EXC_DB, .insn_bytes = insn.length},
                CPU_EVENT_ICEBP);
        break;
    case CPU_EMULATE_EXCEPTION:
        cpu_deliver_exception(c, exc);
        break;
    case CPU_EMULATE_NATIVE:
        if (insn.kind == CPU_KIND_INVLPG)
            invlpg(c, &insn);
        else
            cpu_step_native(c, &insn);
        break;
    case CPU_EMULATE_UNKNOWN:
        cpu_set_crash(c, "instruction at %#" G_GINT64_MODIFIER "x is not implemented", env->eip);
        break;
    }
}

bool cpu_tell_points(struct cpu *c)
{
    if (base_unlikely(c->points.count))
        execpoint_fire(c, cpu_linear_rip(env_load(c)));
    return !c->stop_requested;
}

/* ---- what the engine could not do ---- */

struct cpu_exc cpu_page_fault(const struct cpu_fault *f)
{
    return (struct cpu_exc){
        .vector = EXC_PF, .has_error = true, .error = f->error_code, .cr2 = f->va};
}

/* Does the explicit memory operand of @insn touch the faulting page? */
static bool explicit_operand(struct cpu *c, const struct cpu_insn *insn)
{
    uint64_t first, last;

    if (!insn->has_mem)
        return false;
    first = cpu_effective_address(c, insn);
    last = first + (insn->operand_bytes ? insn->operand_bytes : 1) - 1;
    return first >> PAGE_SHIFT == c->fault.va >> PAGE_SHIFT ||
           last >> PAGE_SHIFT == c->fault.va >> PAGE_SHIFT;
}

/*
 * At CPL 3 the library reads descriptor tables and the TSS without saying that the access is
 * a supervisor's: an instruction that does so is granted the page for one step.
 */
static bool implicit_access(struct cpu *c, const struct cpu_insn *insn)
{
    struct mmu_translation t;
    struct mmu_regs regs;

    if (env_cpl(c->env) != 3 || !(insn->flags & CPU_INSN_SYSTABLE) || explicit_operand(c, insn))
        return false;
    cpu_mmu_regs(c, c->current, &regs);
    regs.implicit = true;
    if (mmu_walk(c->ram, &regs, GVA(c->fault.va), c->fault.access | MMU_PROBE, &t) != MMU_OK) {
        c->fault.error_code = t.error_code;
        cpu_find_descriptor(c, insn);
        return false;
    }
    c->implicit_page = c->fault.va >> PAGE_SHIFT;
    cpu_step_native(c, insn);
    c->implicit_page = UINT64_MAX;
    return true;
}

static void device_access(struct cpu *c, const struct cpu_insn *insn)
{
    bool guest_tf = (env_load(c)->eflags & FLAG_TF) != 0;
    uint64_t start = c->env->eip;
    struct cpu_exc exc;

    if (base_unlikely(c->watch.any))
        debug_look(c, insn);
    switch (cpu_emulate_memory(c, insn, &exc)) {
    case CPU_EMULATE_DONE:
        retire(c, 1 + c->config.mmio_cycles);
        finish_special(c, insn, guest_tf, start);
        return;
    case CPU_EMULATE_EXCEPTION:
        cpu_deliver_exception(c, exc);
        return;
    default:
        if (device_step(c, insn))
            return;
        cpu_set_crash(c,
                      "the instruction at %#" G_GINT64_MODIFIER
                      "x accesses too many pages of device memory, %#" G_GINT64_MODIFIER
                      "x among them", c->env->eip, c->fault.pa);
    }
}

static void data_fault(struct cpu *c)
{
    struct cpu_insn insn;
    bool decoded;

    blocks_uncount_tail(c, cpu_linear_rip(env_load(c)));
    if (c->fault.kind == FAULT_OWN_CODE) { /* then the storing instruction once more */
        frames_mix(c, c->fault.pa >> PAGE_SHIFT);
        return;
    }
    decoded = cpu_fetch_insn(c, &insn);
    if (c->fault.kind == FAULT_WATCH) {
        cpu_step_native(c, &insn);
        return;
    }
    c->env->eflags &= ~(uint64_t)FLAG_RF; /* it has begun, as a block or stepped */
    if (decoded && !c->fault.exact && explicit_operand(c, &insn))
        c->fault.va = MAX(cpu_effective_address(c, &insn), c->fault.va);
    if (c->fault.kind == FAULT_DEVICE) {
        if (decoded)
            device_access(c, &insn);
        else /* the library took it for something */
            cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_UD});
        return;
    }
    if (c->fault.kind == FAULT_PAGE) {
        if (!decoded || !implicit_access(c, &insn))
            cpu_deliver_exception(c, cpu_page_fault(&c->fault));
        return;
    }
    if (c->fault.kind == FAULT_NONCANONICAL) {
        bool stack = decoded && (insn.has_mem && explicit_operand(c, &insn)
                                     ? insn.segment == CPU_SS
                                     : !(insn.flags & CPU_INSN_SYSTABLE) && !insn.rep);

        cpu_deliver_exception(c, (struct cpu_exc){.vector = stack ? EXC_SS : EXC_GP,
                                              .has_error = true});
        return;
    }
    cpu_set_crash(c, "page tables outside RAM: entry at %#" G_GINT64_MODIFIER
                     "x for linear address %#" G_GINT64_MODIFIER "x", c->fault.pa, c->fault.va);
}

/* A block that runs off its page into one that cannot be fetched: the library has executed
 * nothing of it.  Is it not the next instruction yet that lies there? */
static bool comes_later(struct cpu *c)
{
    uint64_t va = cpu_linear_rip(env_load(c)), page = c->fault.va >> PAGE_SHIFT;
    struct cpu_insn insn;

    return !c->step_failed && va >> PAGE_SHIFT != page && cpu_fetch_insn(c, &insn) &&
           (va + insn.length - 1) >> PAGE_SHIFT != page;
}

void cpu_fault(struct cpu *c)
{
    const struct cpu_fault *f = &c->fault;

    if (f->access != MMU_FETCH) {
        data_fault(c);
        return;
    }
    if (f->kind != FAULT_AROUND && cpu_take_breakpoint(c))
        return;
    if (f->kind != FAULT_AROUND && comes_later(c)) {
        c->must_step = true;
        return;
    }
    switch (f->kind) {
    case FAULT_PAGE:
        cpu_deliver_exception(c, cpu_page_fault(f));
        break;
    case FAULT_NONCANONICAL:
        cpu_undo_branch(c);
        cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_GP, .has_error = true});
        break;
    case FAULT_CR3:
        if (cpu_undo_mov_cr3(c))
            cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_GP, .has_error = true});
        else
            cpu_set_crash(c, "CR3 is %#" G_GINT64_MODIFIER "x", f->pa);
        break;
    case FAULT_AROUND:
        env_load(c)->eip &= 0xffffffff;
        env_store(c);
        break;
    case FAULT_WATCH: /* of data only */
    case FAULT_OWN_CODE:
        break;
    case FAULT_DEVICE:
        cpu_set_crash(c, "jump to %#" G_GINT64_MODIFIER "x, where there is no RAM (physical %#"
                         G_GINT64_MODIFIER "x)", f->va, f->pa);
        break;
    case FAULT_BUS:
        cpu_set_crash(c, "page tables outside RAM: entry at %#" G_GINT64_MODIFIER
                         "x for linear address %#" G_GINT64_MODIFIER "x", f->pa, f->va);
        break;
    }
}
