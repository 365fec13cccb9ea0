/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in real mode (SDM 3A 20.1.4) and in protected mode, virtual-8086 mode included
 * (SDM 3A 6.12, 20.3, and the pseudo code of SDM 2A INT n).
 *
 *   frame, 2 or 4 bytes each by the gate's size:
 *     [GS FS DS ES]  from virtual-8086 mode
 *     [SS ESP]       when the privilege level changes
 *     EFLAGS CS EIP [error code]
 */
#include "cpu/deliver.h"

/* ---- real mode ---- */

static void commit_real(struct deliver *d, const struct deliver_stack *stack, uint16_t ip,
                        uint16_t selector)
{
    struct cpu_env *env = d->env;
    uint64_t mask = stack->mask;

    env->regs[4] = (env->regs[4] & ~mask) | (stack->sp & mask);
    env->segs[CPU_CS].selector = selector;
    env->segs[CPU_CS].base = (uint32_t)selector << 4;
    env->eip = ip;
    env->eflags &= ~(uint64_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
}

/* No error code is pushed, whatever the exception. */
bool deliver_real(struct deliver *d)
{
    struct cpu_env *env = d->env;
    struct deliver_stack stack = {.seg = env->segs[CPU_SS], .sp = env->regs[4]};
    struct deliver_frame frame = {.size = 2};
    uint32_t offset = d->event.vector * 4u;
    uint16_t entry[2];

    stack.mask = cpu_segment_stack_mask(&stack.seg);
    if (offset + 3 > env->idt.limit)
        return deliver_fault_idt(d, EXC_GP);
    if (!deliver_read(d, (uint32_t)(env->idt.base + offset), entry, sizeof(entry)))
        return false;
    deliver_frame_add(&frame, d->rflags);
    deliver_frame_add(&frame, env->segs[CPU_CS].selector);
    deliver_frame_add(&frame, d->ip);
    if (!deliver_has_room(&stack, &frame))
        return deliver_fault_ext(d, EXC_SS);
    if (entry[0] > env->segs[CPU_CS].limit)
        return deliver_fault_ext(d, EXC_GP);
    if (!deliver_push(d, &stack, &frame, 0))
        return false;
    commit_real(d, &stack, entry[0], entry[1]);
    return true;
}

/* ---- protected mode ---- */

static bool gate_type_is_valid(unsigned type)
{
    return type == SEG_TYPE_TASK_GATE || type == SEG_TYPE_INTERRUPT16 || type == SEG_TYPE_TRAP16 ||
           type == SEG_TYPE_INTERRUPT32 || type == SEG_TYPE_TRAP32;
}

static bool read_gate(struct deliver *d, struct deliver_gate *gate)
{
    const struct env_seg *idt = &d->env->idt;
    uint32_t offset = d->event.vector * 8u, raw[2];

    if (offset + 7 > idt->limit)
        return deliver_fault_idt(d, EXC_GP);
    if (!deliver_read(d, (uint32_t)(idt->base + offset), raw, sizeof(raw)))
        return false;
    gate->type = raw[1] >> 8 & 31;
    if (!gate_type_is_valid(gate->type))
        return deliver_fault_idt(d, EXC_GP);
    if (d->kind == CPU_EVENT_SOFT && (raw[1] >> SEG_DPL_SHIFT & 3) < env_cpl(d->env))
        return deliver_fault_idt(d, EXC_GP);
    if (!(raw[1] & SEG_P))
        return deliver_fault_idt(d, EXC_NP);
    gate->selector = raw[0] >> 16;
    gate->offset = raw[0] & 0xffff;
    if (gate->type & 8)
        gate->offset |= raw[1] & 0xffff0000;
    gate->ist = 0;
    gate->clears_if = !(gate->type & 1);
    return true;
}

/* SS and ESP of privilege level @cpl from the current TSS (SDM 3A 7.2.1, 7.6). */
static bool read_tss_stack(struct deliver *d, unsigned cpl, uint16_t *ss, uint32_t *esp)
{
    const struct env_seg *tr = &d->env->tr;
    unsigned type = tr->flags >> 8 & 31;
    bool is32 = type == SEG_TYPE_TSS32_BUSY || type == SEG_TYPE_TSS32;
    bool is16 = type == SEG_TYPE_TSS16_BUSY || type == SEG_TYPE_TSS16;
    uint32_t offset = is32 ? cpl * 8 + 4 : cpl * 4 + 2, bytes = is32 ? 6 : 4;
    uint16_t raw[3] = {0};

    if (!(tr->flags & SEG_P) || (!is32 && !is16) || offset + bytes - 1 > tr->limit)
        return deliver_fault_selector(d, EXC_TS, tr->selector);
    if (!deliver_read(d, (uint32_t)(tr->base + offset), raw, bytes))
        return false;
    *esp = is32 ? raw[0] | (uint32_t)raw[1] << 16 : raw[0];
    *ss = is32 ? raw[2] : raw[1];
    return true;
}

/* The inner stack: selector, descriptor and room are checked by the caller's rules. */
static bool open_inner_stack(struct deliver *d, unsigned cpl, struct deliver_stack *stack,
                             struct cpu_descriptor *desc)
{
    uint16_t ss = 0;
    uint32_t esp = 0;

    if (!read_tss_stack(d, cpl, &ss, &esp))
        return false;
    if ((ss & 0xfffc) == 0)
        return deliver_fault_ext(d, EXC_TS);
    if (!deliver_descriptor(d, EXC_TS, ss, desc))
        return false;
    if ((ss & 3u) != cpl || cpu_descriptor_dpl(desc) != cpl ||
        !cpu_descriptor_is_writable_data(desc))
        return deliver_fault_selector(d, EXC_TS, ss);
    if (!(desc->high & SEG_P))
        return deliver_fault_selector(d, EXC_SS, ss);
    cpu_segment_load(&stack->seg, ss, desc);
    stack->sp = esp;
    stack->mask = cpu_segment_stack_mask(&stack->seg);
    return true;
}

static void make_frame(const struct deliver *d, struct deliver_frame *frame, bool inner)
{
    const struct cpu_env *env = d->env;
    const struct env_seg *segs = env->segs;

    if (env->eflags & FLAG_VM) {
        deliver_frame_add(frame, segs[CPU_GS].selector & 0xffff);
        deliver_frame_add(frame, segs[CPU_FS].selector & 0xffff);
        deliver_frame_add(frame, segs[CPU_DS].selector & 0xffff);
        deliver_frame_add(frame, segs[CPU_ES].selector & 0xffff);
    }
    if (inner) {
        deliver_frame_add(frame, segs[CPU_SS].selector & 0xffff);
        deliver_frame_add(frame, env->regs[4]);
    }
    deliver_frame_add(frame, d->rflags);
    deliver_frame_add(frame, segs[CPU_CS].selector & 0xffff);
    deliver_frame_add(frame, d->ip);
    if (d->event.has_error)
        deliver_frame_add(frame, d->event.error);
}

static void commit(struct deliver *d, const struct deliver_gate *gate,
                   const struct cpu_descriptor *code, const struct deliver_stack *stack,
                   unsigned cpl)
{
    struct cpu_env *env = d->env;

    if (env->eflags & FLAG_VM) {
        cpu_segment_load_null(&env->segs[CPU_ES], 0, 0);
        cpu_segment_load_null(&env->segs[CPU_DS], 0, 0);
        cpu_segment_load_null(&env->segs[CPU_FS], 0, 0);
        cpu_segment_load_null(&env->segs[CPU_GS], 0, 0);
    }
    env->segs[CPU_SS] = stack->seg;
    cpu_segment_load(&env->segs[CPU_CS], (gate->selector & ~3) | cpl, code);
    env->regs[4] = (uint32_t)((env->regs[4] & ~stack->mask) | (stack->sp & stack->mask));
    env->eip = gate->offset;
    env->eflags &= ~(uint64_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
    if (gate->clears_if)
        env->eflags &= ~(uint64_t)FLAG_IF;
    cpu_segment_update_hflags(env, cpl);
}

/* A full stack is #SS of the new selector after a switch, of EXT alone without one. */
static bool check_room(struct deliver *d, const struct deliver_stack *stack,
                       const struct deliver_frame *frame, bool inner)
{
    if (deliver_has_room(stack, frame))
        return true;
    return inner ? deliver_fault_selector(d, EXC_SS, stack->seg.selector)
                 : deliver_fault_ext(d, EXC_SS);
}

bool deliver_protected(struct deliver *d)
{
    struct cpu_env *env = d->env;
    struct deliver_stack stack = {.seg = env->segs[CPU_SS], .sp = env->regs[4]};
    struct cpu_descriptor code, data = {.high = SEG_ACCESSED};
    struct deliver_frame frame = {.count = 0};
    struct deliver_gate gate;
    unsigned cpl;
    bool inner;

    if (!read_gate(d, &gate))
        return false;
    if (gate.type == SEG_TYPE_TASK_GATE)
        return deliver_task(d, gate.selector);
    if (!deliver_check_code(d, &gate, &code, &cpl))
        return false;
    stack.mask = cpu_segment_stack_mask(&stack.seg);
    inner = cpl != env_cpl(env);
    if (inner && !open_inner_stack(d, cpl, &stack, &data))
        return false;
    frame.size = gate.type & 8 ? 4 : 2;
    make_frame(d, &frame, inner);
    if (!check_room(d, &stack, &frame, inner))
        return false;
    if (gate.offset > cpu_descriptor_limit(&code))
        return deliver_fault_ext(d, EXC_GP);
    if (!deliver_push(d, &stack, &frame, cpl))
        return false;
    if (!cpu_segment_touch(d->c, &code, &d->fault) || !cpu_segment_touch(d->c, &data, &d->fault))
        return deliver_fault_memory(d);
    stack.seg.flags |= inner ? SEG_ACCESSED : 0;
    commit(d, &gate, &code, &stack, cpl);
    return true;
}
