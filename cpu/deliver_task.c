/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task gates of the IDT: a hardware task switch (SDM 3A 6.12.2, 7.2, 7.3).
 *
 *   checks, save into the old TSS, link and busy bit     faults: in the old task
 *   ---- the registers change here ----
 *   descriptors of the new task, error code pushed       faults: in the new task (table 7-1)
 *
 * So this is the one delivery that can fail after it has changed the registers: a fault of the
 * second part is delivered with the new task's CS:EIP.  Not done: the T flag of the new TSS.
 */
#include "cpu/deliver.h"

#include <string.h>

enum { TSS32_MIN_LIMIT = 0x67, TSS16_MIN_LIMIT = 0x2b };

/* Contents of a TSS, 16- or 32-bit, as far as a switch loads them. */
struct task_image {
    uint32_t cr3, eip, eflags, gpr[8];
    uint16_t seg[6]; /* ES CS SS DS FS GS */
    uint16_t ldt;
};

static bool is_tss32(unsigned type)
{
    return type == SEG_TYPE_TSS32 || type == SEG_TYPE_TSS32_BUSY;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint16_t load16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

/* ---- in the old task ---- */

static bool open_tss(struct deliver *d, uint16_t selector, struct cpu_descriptor *tss)
{
    unsigned type;

    if ((selector & 0xfffc) == 0 || (selector & 4))
        return deliver_fault_selector(d, EXC_GP, selector);
    if (!deliver_descriptor(d, EXC_GP, selector, tss))
        return false;
    type = cpu_descriptor_type(tss);
    if (type != SEG_TYPE_TSS16 && type != SEG_TYPE_TSS32)
        return deliver_fault_selector(d, EXC_GP, selector);
    if (!(tss->high & SEG_P))
        return deliver_fault_selector(d, EXC_NP, selector);
    if (cpu_descriptor_limit(tss) < (is_tss32(type) ? TSS32_MIN_LIMIT : TSS16_MIN_LIMIT))
        return deliver_fault_selector(d, EXC_TS, selector);
    return true;
}

/* SDM 3A figures 7-2 (32-bit) and 7-10 (16-bit). */
static bool read_image(struct deliver *d, const struct cpu_descriptor *tss,
                       struct task_image *image)
{
    bool is32 = is_tss32(cpu_descriptor_type(tss));
    uint8_t raw[TSS32_MIN_LIMIT + 1] = {0};

    if (!deliver_read(d, cpu_descriptor_base(tss), raw,
                      (is32 ? TSS32_MIN_LIMIT : TSS16_MIN_LIMIT) + 1))
        return false;
    memset(image, 0, sizeof(*image));
    image->cr3 = is32 ? load32(raw + 0x1c) : 0;
    image->eip = is32 ? load32(raw + 0x20) : load16(raw + 0x0e);
    image->eflags = is32 ? load32(raw + 0x24) : load16(raw + 0x10);
    for (unsigned i = 0; i < 8; i++) {
        image->gpr[i] =
            is32 ? load32(raw + 0x28 + i * 4) : 0xffff0000u | load16(raw + 0x12 + i * 2);
    }
    for (unsigned i = 0; i < (is32 ? 6 : 4); i++)
        image->seg[i] = load16(is32 ? raw + 0x48 + i * 4 : raw + 0x22 + i * 2);
    image->ldt = load16(is32 ? raw + 0x60 : raw + 0x2a);
    return true;
}

static bool save32(struct deliver *d, uint32_t tss)
{
    uint32_t raw[10] = {(uint32_t)d->ip, (uint32_t)d->rflags};

    for (unsigned i = 0; i < 8; i++)
        raw[2 + i] = (uint32_t)d->env->regs[i];
    if (!deliver_write(d, tss + 0x20, raw, sizeof(raw)))
        return false;
    for (unsigned i = 0; i < 6; i++) {
        uint16_t selector = d->env->segs[i].selector;

        if (!deliver_write(d, tss + 0x48 + i * 4, &selector, sizeof(selector)))
            return false;
    }
    return true;
}

static bool save16(struct deliver *d, uint32_t tss)
{
    uint16_t raw[14] = {(uint16_t)d->ip, (uint16_t)d->rflags};

    for (unsigned i = 0; i < 8; i++)
        raw[2 + i] = (uint16_t)d->env->regs[i];
    for (unsigned i = 0; i < 4; i++)
        raw[10 + i] = d->env->segs[i].selector;
    return deliver_write(d, tss + 0x0e, raw, sizeof(raw));
}

static bool save_old_task(struct deliver *d)
{
    const struct env_seg *tr = &d->env->tr;
    unsigned type = tr->flags >> 8 & 31;
    bool is32 = is_tss32(type);

    if (!(tr->flags & SEG_P) || (!is32 && type != SEG_TYPE_TSS16 && type != SEG_TYPE_TSS16_BUSY) ||
        tr->limit < (is32 ? TSS32_MIN_LIMIT : TSS16_MIN_LIMIT))
        return deliver_fault_selector(d, EXC_TS, tr->selector);
    return is32 ? save32(d, (uint32_t)tr->base) : save16(d, (uint32_t)tr->base);
}

/* The new task's link names the old one, and its descriptor becomes busy. */
static bool link_tasks(struct deliver *d, struct cpu_descriptor *tss)
{
    uint16_t old = d->env->tr.selector;
    uint8_t type = (uint8_t)(tss->high >> 8) | 2;

    if (!deliver_write(d, cpu_descriptor_base(tss), &old, sizeof(old)) ||
        !deliver_write(d, tss->va + 5, &type, 1))
        return false;
    tss->high |= 2 << 8;
    return true;
}

/* ---- the registers change ---- */

static void switch_registers(struct deliver *d, uint16_t selector, const struct cpu_descriptor *tss,
                             const struct task_image *image)
{
    struct cpu_env *env = d->env;
    bool vm86 = image->eflags & FLAG_VM;
    unsigned cpl = vm86 ? 3 : image->seg[CPU_CS] & 3;

    if ((env->cr[0] & CR0_PG) && is_tss32(cpu_descriptor_type(tss)))
        engine_write_cr3(d->c, image->cr3);
    engine_write_cr0(d->c, env->cr[0] | CR0_TS);
    cpu_segment_load(&env->tr, selector, tss);
    env->tr.flags &= ~(2u << 8); /* busy: the library gives up on such a type */
    cpu_loaded(d->c)->dr7 &= ~0x155ull; /* L0..L3, LE */
    env_set_rflags(d->c, (image->eflags & 0x3f7fd5) | FLAG_NT | 2);
    env->eip = image->eip;
    for (unsigned i = 0; i < 8; i++)
        env->regs[i] = image->gpr[i];
    for (unsigned i = 0; i < 6; i++) {
        if (vm86)
            cpu_segment_load_real(&env->segs[i], image->seg[i]);
        else
            cpu_segment_load_null(&env->segs[i], image->seg[i], i == CPU_SS ? cpl : 0);
        env->segs[i].flags |= vm86 ? 3u << SEG_DPL_SHIFT : 0;
    }
    cpu_segment_load_null(&env->ldt, image->ldt, 0);
    cpu_segment_update_hflags(env, cpl);
    /* From here on, a fault is the new task's. */
    d->ip = env->eip;
    d->event.insn_bytes = 0;
}

/* ---- in the new task ---- */

static bool load_ldt(struct deliver *d, uint16_t selector)
{
    struct cpu_descriptor ldt;

    if ((selector & 0xfffc) == 0)
        return true;
    if (selector & 4)
        return deliver_fault_selector(d, EXC_TS, selector);
    if (!deliver_descriptor(d, EXC_TS, selector, &ldt))
        return false;
    if (cpu_descriptor_type(&ldt) != SEG_TYPE_LDT || !(ldt.high & SEG_P))
        return deliver_fault_selector(d, EXC_TS, selector);
    cpu_segment_load(&d->env->ldt, selector, &ldt);
    return true;
}

static bool code_is_valid(const struct cpu_descriptor *desc, unsigned rpl)
{
    if (!cpu_descriptor_is_code(desc))
        return false;
    return desc->high & SEG_CONFORMING ? cpu_descriptor_dpl(desc) <= rpl
                                       : cpu_descriptor_dpl(desc) == rpl;
}

static bool data_is_valid(const struct cpu_descriptor *desc, unsigned rpl, unsigned cpl)
{
    bool code = desc->high & SEG_CODE;

    if (!(desc->high & SEG_S) || (code && !(desc->high & SEG_WRITABLE)))
        return false;
    if (code && (desc->high & SEG_CONFORMING))
        return true;
    return cpu_descriptor_dpl(desc) >= rpl && cpu_descriptor_dpl(desc) >= cpl;
}

/* One segment register, which holds its selector already. */
static bool load_segment(struct deliver *d, unsigned n)
{
    struct env_seg *seg = &d->env->segs[n];
    uint16_t selector = seg->selector;
    unsigned rpl = selector & 3, cpl = env_cpl(d->env);
    struct cpu_descriptor desc;
    bool valid;

    if ((selector & 0xfffc) == 0)
        return (n != CPU_CS && n != CPU_SS) || deliver_fault_selector(d, EXC_TS, selector);
    if (!deliver_descriptor(d, EXC_TS, selector, &desc))
        return false;
    if (n == CPU_CS)
        valid = code_is_valid(&desc, rpl);
    else if (n == CPU_SS)
        valid = cpu_descriptor_is_writable_data(&desc) && rpl == cpl &&
                cpu_descriptor_dpl(&desc) == cpl;
    else
        valid = data_is_valid(&desc, rpl, cpl);
    if (!valid)
        return deliver_fault_selector(d, EXC_TS, selector);
    if (!(desc.high & SEG_P))
        return deliver_fault_selector(d, n == CPU_SS ? EXC_SS : EXC_NP, selector);
    if (!cpu_segment_touch(d->c, &desc, &d->fault))
        return deliver_fault_memory(d);
    cpu_segment_load(seg, selector, &desc);
    return true;
}

static bool load_segments(struct deliver *d)
{
    static const uint8_t order[] = {CPU_CS, CPU_SS, CPU_DS, CPU_ES, CPU_FS, CPU_GS};
    unsigned cpl = env_cpl(d->env);

    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        bool loaded = load_segment(d, order[i]);

        cpu_segment_update_hflags(d->env, cpl);
        if (!loaded)
            return false;
    }
    return true;
}

/* The error code goes onto the new task's stack, 2 or 4 bytes by its TSS. */
static bool push_error(struct deliver *d)
{
    struct cpu_env *env = d->env;
    struct deliver_stack stack = {.seg = env->segs[CPU_SS], .sp = env->regs[4]};
    struct deliver_frame frame = {.size = is_tss32(env->tr.flags >> 8 & 31) ? 4 : 2};

    if (!d->event.has_error)
        return true;
    stack.mask = cpu_segment_stack_mask(&stack.seg);
    deliver_frame_add(&frame, d->event.error);
    if (!deliver_has_room(&stack, &frame))
        return deliver_fault_ext(d, EXC_SS);
    if (!deliver_push(d, &stack, &frame, env_cpl(env)))
        return false;
    env->regs[4] = (uint32_t)stack.sp;
    return true;
}

bool deliver_task(struct deliver *d, uint16_t selector)
{
    struct cpu_descriptor tss;
    struct task_image image;

    if (!open_tss(d, selector, &tss) || !read_image(d, &tss, &image) || !save_old_task(d) ||
        !link_tasks(d, &tss))
        return false;
    switch_registers(d, selector, &tss, &image);
    if (!load_ldt(d, image.ldt))
        return false;
    if (!(image.eflags & FLAG_VM) && !load_segments(d))
        return false;
    if (!push_error(d))
        return false;
    if (d->env->eip > d->env->segs[CPU_CS].limit)
        return deliver_fault_ext(d, EXC_GP);
    return true;
}
