/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery of exceptions and interrupts: what is common to all modes.
 *
 *   cpu_deliver --> deliver_once --> deliver_real | deliver_protected | deliver_long
 *        ^               |
 *        |   fault       v ok: registers changed, done
 *        +---- deliver_combine: serially, #DF, or triple fault
 *
 * Invariants:
 *  1. The registers change only after every check, push and table write has succeeded.
 *  2. Each round's event is graver than the one before (benign, contributory, page fault,
 *     double fault), or the chain ends: at most four rounds.
 *  3. CR2 is the address of the last page fault of the chain, also when #DF is delivered.
 */
#include "cpu/deliver.h"

#include <string.h>

/* Classes of SDM 3A table 6-4; software and external events are benign whatever their vector. */
enum deliver_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE_FAULT };

static enum deliver_class class_of(const struct cpu_exc *exc, enum cpu_event_kind kind)
{
    if (kind != CPU_EVENT_EXCEPTION)
        return CLASS_BENIGN;
    switch (exc->vector) {
    case EXC_DE:
    case EXC_TS:
    case EXC_NP:
    case EXC_SS:
    case EXC_GP:
        return CLASS_CONTRIBUTORY;
    case EXC_PF:
        return CLASS_PAGE_FAULT;
    case EXC_DF:
        return CLASS_DOUBLE_FAULT;
    default:
        return CLASS_BENIGN;
    }
}

bool deliver_fault(struct deliver *d, uint8_t vector, uint32_t error)
{
    d->fault = (struct cpu_exc){.vector = vector, .has_error = true, .error = error};
    return false;
}

bool deliver_fault_ext(struct deliver *d, uint8_t vector)
{
    return deliver_fault(d, vector, d->ext);
}

bool deliver_fault_selector(struct deliver *d, uint8_t vector, uint16_t selector)
{
    return deliver_fault(d, vector, (selector & 0xfffcu) | d->ext);
}

bool deliver_fault_idt(struct deliver *d, uint8_t vector)
{
    return deliver_fault(d, vector, d->event.vector * 8u + 2 + d->ext);
}

bool deliver_fault_memory(struct deliver *d)
{
    if (d->fault.vector != EXC_PF && d->fault.has_error)
        d->fault.error |= d->ext;
    return false;
}

bool deliver_read(struct deliver *d, uint64_t va, void *data, size_t size)
{
    return cpu_mem_read(d->c, va, data, size, CPU_MEM_IMPLICIT, false, &d->fault) ||
           deliver_fault_memory(d);
}

bool deliver_write(struct deliver *d, uint64_t va, const void *data, size_t size)
{
    return cpu_mem_write(d->c, va, data, size, CPU_MEM_IMPLICIT, false, &d->fault) ||
           deliver_fault_memory(d);
}

bool deliver_descriptor(struct deliver *d, uint8_t vector, uint16_t selector,
                        struct cpu_descriptor *out)
{
    switch (cpu_segment_lookup(d->c, selector, out, &d->fault)) {
    case CPU_SEGMENT_FOUND:
        return true;
    case CPU_SEGMENT_OUTSIDE:
        return deliver_fault_selector(d, vector, selector);
    default:
        return deliver_fault_memory(d);
    }
}

/* SDM 2A INT n, TRAP-OR-INTERRUPT-GATE.  In virtual-8086 mode only a non-conforming segment of
 * ring 0 will do. */
bool deliver_check_code(struct deliver *d, const struct deliver_gate *gate,
                        struct cpu_descriptor *code, unsigned *cpl)
{
    unsigned old_cpl = env_cpl(d->env);
    bool conforming;

    if ((gate->selector & 0xfffc) == 0)
        return deliver_fault_ext(d, EXC_GP);
    if (!deliver_descriptor(d, EXC_GP, gate->selector, code))
        return false;
    if (!cpu_descriptor_is_code(code) || cpu_descriptor_dpl(code) > old_cpl)
        return deliver_fault_selector(d, EXC_GP, gate->selector);
    if ((d->env->hflags & HF_LMA) && (code->high & (SEG_L | SEG_DB)) != SEG_L)
        return deliver_fault_selector(d, EXC_GP, gate->selector);
    if (!(code->high & SEG_P))
        return deliver_fault_selector(d, EXC_NP, gate->selector);
    conforming = code->high & SEG_CONFORMING;
    *cpl = conforming ? old_cpl : cpu_descriptor_dpl(code);
    if ((d->env->eflags & FLAG_VM) && *cpl != 0)
        return deliver_fault_selector(d, EXC_GP, gate->selector);
    return true;
}

bool deliver_has_room(const struct deliver_stack *stack, const struct deliver_frame *frame)
{
    for (unsigned i = 1; i <= frame->count; i++) {
        uint32_t offset = (uint32_t)((stack->sp - i * frame->size) & stack->mask);

        if (!cpu_segment_holds(&stack->seg, offset, frame->size))
            return false;
    }
    return true;
}

/* Linear address of a stack offset: 32 bits wide outside IA-32e mode. */
static uint64_t stack_va(const struct deliver_stack *stack, uint64_t sp)
{
    if (stack->mask > 0xffffffff)
        return sp;
    return (uint32_t)(stack->seg.base + (sp & stack->mask));
}

/* The whole frame in one write, which the memory layer checks before it changes anything; only
 * inside one page and without wrap-around. */
static bool push_at_once(struct deliver *d, const struct deliver_stack *stack,
                         const struct deliver_frame *frame, enum cpu_mem_how how)
{
    uint8_t bytes[sizeof(frame->value)];
    unsigned total = frame->count * frame->size;
    uint64_t low = (stack->sp - total) & stack->mask;
    uint64_t va = stack_va(stack, low);

    if (low + total - 1 > stack->mask || (va & PAGE_MASK) + total > PAGE_SIZE)
        return false;
    for (unsigned i = 0; i < frame->count; i++)
        memcpy(bytes + total - (i + 1) * frame->size, &frame->value[i], frame->size);
    return cpu_mem_write(d->c, va, bytes, total, how, true, &d->fault);
}

/* Values are pushed in order, so that CR2 is the address of the first push that faults. */
bool deliver_push(struct deliver *d, struct deliver_stack *stack, const struct deliver_frame *frame,
                  unsigned cpl)
{
    enum cpu_mem_how how = cpl == 3 ? CPU_MEM_USER : CPU_MEM_SUPERVISOR;
    unsigned total = frame->count * frame->size;

    if (!push_at_once(d, stack, frame, how)) {
        for (unsigned i = 0; i < frame->count; i++) {
            uint64_t va = stack_va(stack, stack->sp - (i + 1) * frame->size);

            if (!cpu_mem_write(d->c, va, &frame->value[i], frame->size, how, true, &d->fault))
                return deliver_fault_memory(d);
        }
    }
    stack->sp = (stack->sp & ~stack->mask) | ((stack->sp - total) & stack->mask);
    return true;
}

/* SDM 3B 17.3.1.1: a fault pushes RF = 1, INT n pushes 0; traps, aborts and interrupts push what
 * RFLAGS holds.  #DB never forces it: only the caller knows whether it is a fault.  An interrupt
 * between two rounds of a repeated string instruction: the caller has set RF. */
static uint64_t pushed_rflags(struct deliver *d)
{
    const uint32_t not_faults =
        1u << EXC_DB | 1u << EXC_NMI | 1u << EXC_BP | 1u << EXC_OF | 1u << EXC_DF | 1u << EXC_MC;
    uint64_t rflags = env_rflags(d->c);

    if (d->kind == CPU_EVENT_SOFT || d->kind == CPU_EVENT_ICEBP)
        return rflags & ~(uint64_t)FLAG_RF;
    if (d->kind == CPU_EVENT_EXCEPTION && d->event.vector < 32 &&
        !(not_faults >> d->event.vector & 1))
        return rflags | FLAG_RF;
    return rflags;
}

static bool deliver_once(struct deliver *d)
{
    d->ext = d->kind != CPU_EVENT_SOFT;
    d->rflags = pushed_rflags(d);
    if (!(d->env->cr[0] & CR0_PE))
        return deliver_real(d);
    return d->env->hflags & HF_LMA ? deliver_long(d) : deliver_protected(d);
}

/* SDM 3A 6.15, table 6-5: d->event becomes what d->fault makes of it.
 * Returns: false on a triple fault. */
static bool deliver_combine(struct deliver *d)
{
    enum deliver_class first = class_of(&d->event, d->kind);
    enum deliver_class second = class_of(&d->fault, CPU_EVENT_EXCEPTION);

    if (first == CLASS_DOUBLE_FAULT)
        return false;
    if ((first == CLASS_CONTRIBUTORY && second == CLASS_CONTRIBUTORY) ||
        (first == CLASS_PAGE_FAULT && second != CLASS_BENIGN)) {
        d->fault.vector = EXC_DF;
        d->fault.has_error = true;
        d->fault.error = 0;
    }
    if (d->kind == CPU_EVENT_SOFT || d->kind == CPU_EVENT_ICEBP) {
        uint64_t mask = d->env->hflags & HF_CS64   ? UINT64_MAX
                        : d->env->hflags & HF_CS32 ? 0xffffffff
                                                   : 0xffff;
        d->ip = (d->ip - d->event.insn_bytes) & mask;
    }
    d->event = d->fault;
    d->event.insn_bytes = 0;
    d->kind = CPU_EVENT_EXCEPTION;
    return true;
}

/* State of the CPU that every delivery changes, in any mode. */
static void deliver_finish(struct deliver *d, uint64_t cr2)
{
    struct cpu_vcpu *v = cpu_loaded(d->c);

    d->env->cr[2] = cr2;
    d->env->hflags &= ~(uint32_t)HF_INHIBIT_IRQ;
    ENV32(d->env, env_offsets(d->c)->old_exception) = UINT32_MAX;
    v->shadow = false;
    if (d->event.vector == EXC_DB && (d->kind == CPU_EVENT_EXCEPTION || d->kind == CPU_EVENT_ICEBP))
        v->dr7 &= ~(1ull << 13); /* GD: SDM 3B 17.2.4 */
}

bool cpu_deliver(struct cpu *c, struct cpu_exc exc, enum cpu_event_kind kind)
{
    struct deliver d = {.c = c, .env = env_load(c), .event = exc, .kind = kind};
    uint64_t cr2 = d.env->cr[2];

    d.ip = d.env->eip;
    if (kind != CPU_EVENT_EXCEPTION)
        d.event.has_error = false;
    for (;;) {
        if (kind == CPU_EVENT_EXCEPTION && d.event.vector == EXC_PF)
            cr2 = d.event.cr2;
        if (deliver_once(&d)) {
            deliver_finish(&d, cr2);
            return true;
        }
        if (d.fault.vector == EXC_PF)
            cr2 = d.fault.cr2;
        if (!deliver_combine(&d))
            return false;
    }
}
