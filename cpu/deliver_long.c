/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in IA-32e mode, from 64-bit and from compatibility-mode code (SDM 3A 6.14).
 *
 *   gate, 16 bytes:   offset 15:0 | selector | IST, type, DPL, P | offset 31:16
 *                     offset 63:32 | reserved
 *   frame:            SS  RSP  RFLAGS  CS  RIP  [error code], always all of it
 */
#include "cpu/deliver.h"

static bool read_gate(struct deliver *d, struct deliver_gate *gate)
{
    const struct env_seg *idt = &d->env->idt;
    uint32_t offset = d->event.vector * 16u, raw[4];

    if (offset + 15 > idt->limit)
        return deliver_fault_idt(d, EXC_GP);
    if (!deliver_read(d, idt->base + offset, raw, sizeof(raw)))
        return false;
    gate->type = raw[1] >> 8 & 31;
    if (gate->type != SEG_TYPE_INTERRUPT32 && gate->type != SEG_TYPE_TRAP32)
        return deliver_fault_idt(d, EXC_GP);
    if (d->kind == CPU_EVENT_SOFT && (raw[1] >> SEG_DPL_SHIFT & 3) < env_cpl(d->env))
        return deliver_fault_idt(d, EXC_GP);
    if (!(raw[1] & SEG_P))
        return deliver_fault_idt(d, EXC_NP);
    gate->selector = raw[0] >> 16;
    gate->offset = (uint64_t)raw[2] << 32 | (raw[1] & 0xffff0000) | (raw[0] & 0xffff);
    gate->ist = raw[1] & 7;
    gate->clears_if = gate->type == SEG_TYPE_INTERRUPT32;
    return true;
}

/* RSP0..RSP2 lie at 4, 12, 20 in the TSS, IST1..IST7 at 36, 44, .. (SDM 3A 7.7). */
static bool read_tss_stack(struct deliver *d, unsigned cpl, unsigned ist, uint64_t *rsp)
{
    const struct env_seg *tr = &d->env->tr;
    uint32_t offset = ist != 0 ? ist * 8 + 28 : cpl * 8 + 4;
    unsigned type = tr->flags >> 8 & 31;

    if (!(tr->flags & SEG_P) || (type != SEG_TYPE_TSS32_BUSY && type != SEG_TYPE_TSS32) ||
        offset + 7 > tr->limit)
        return deliver_fault_selector(d, EXC_TS, tr->selector);
    if (!deliver_read(d, tr->base + offset, rsp, 8))
        return false;
    if (!cpu_is_canonical(*rsp))
        return deliver_fault_ext(d, EXC_SS);
    return true;
}

static void make_frame(const struct deliver *d, struct deliver_frame *frame)
{
    const struct cpu_env *env = d->env;

    frame->size = 8;
    deliver_frame_add(frame, env->segs[CPU_SS].selector & 0xffff);
    deliver_frame_add(frame, env->regs[4]);
    deliver_frame_add(frame, d->rflags);
    deliver_frame_add(frame, env->segs[CPU_CS].selector & 0xffff);
    deliver_frame_add(frame, d->ip);
    if (d->event.has_error)
        deliver_frame_add(frame, d->event.error);
}

static void commit(struct deliver *d, const struct deliver_gate *gate,
                   const struct cpu_descriptor *code, unsigned cpl, uint64_t rsp)
{
    struct cpu_env *env = d->env;

    if (cpl != env_cpl(env))
        cpu_segment_load_null(&env->segs[CPU_SS], cpl, cpl);
    cpu_segment_load(&env->segs[CPU_CS], (gate->selector & ~3) | cpl, code);
    env->segs[CPU_CS].base = 0; /* SDM 3A 3.4.4: the descriptor's base is ignored */
    env->regs[4] = rsp;
    env->eip = gate->offset;
    env->eflags &= ~(uint64_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
    if (gate->clears_if)
        env->eflags &= ~(uint64_t)FLAG_IF;
    cpu_segment_update_hflags(env, cpl);
}

bool deliver_long(struct deliver *d)
{
    struct deliver_stack stack = {.sp = d->env->regs[4], .mask = UINT64_MAX};
    struct deliver_frame frame = {.count = 0};
    struct cpu_descriptor code;
    struct deliver_gate gate;
    unsigned cpl;

    if (!read_gate(d, &gate) || !deliver_check_code(d, &gate, &code, &cpl))
        return false;
    if ((cpl != env_cpl(d->env) || gate.ist != 0) && !read_tss_stack(d, cpl, gate.ist, &stack.sp))
        return false;
    if (!cpu_is_canonical(gate.offset))
        return deliver_fault_ext(d, EXC_GP);
    stack.sp &= ~0xfull;
    make_frame(d, &frame);
    if (!deliver_push(d, &stack, &frame, cpl))
        return false;
    if (!cpu_segment_touch(d->c, &code, &d->fault))
        return deliver_fault_memory(d);
    commit(d, &gate, &code, cpl, stack.sp);
    return true;
}
