/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/segment.h"

uint32_t cpu_descriptor_base(const struct cpu_descriptor *d)
{
    return d->low >> 16 | (d->high & 0xff) << 16 | (d->high & 0xff000000);
}

uint32_t cpu_descriptor_limit(const struct cpu_descriptor *d)
{
    uint32_t limit = (d->low & 0xffff) | (d->high & 0xf0000);
    return d->high & SEG_G ? limit << 12 | 0xfff : limit;
}

enum cpu_segment_lookup cpu_segment_lookup(struct cpu *c, uint16_t selector,
                                           struct cpu_descriptor *out, struct cpu_exc *exc)
{
    const struct cpu_env *env = env_load(c);
    const struct env_seg *table = &env->gdt;
    uint32_t offset = selector & 0xfff8;
    uint32_t raw[2];

    if (selector & 4) {
        table = &env->ldt;
        if ((table->selector & 0xfffc) == 0)
            return CPU_SEGMENT_OUTSIDE;
    }
    if (offset + 7 > table->limit)
        return CPU_SEGMENT_OUTSIDE;
    out->va = table->base + offset;
    if (!(env->hflags & HF_LMA))
        out->va = (uint32_t)out->va;
    if (!cpu_mem_read(c, out->va, raw, sizeof(raw), CPU_MEM_IMPLICIT, false, exc))
        return CPU_SEGMENT_FAULT;
    out->low = raw[0];
    out->high = raw[1];
    return CPU_SEGMENT_FOUND;
}

bool cpu_segment_touch(struct cpu *c, struct cpu_descriptor *d, struct cpu_exc *exc)
{
    uint8_t type;

    if (d->high & SEG_ACCESSED)
        return true;
    type = (uint8_t)(d->high >> 8) | 1;
    if (!cpu_mem_write(c, d->va + 5, &type, 1, CPU_MEM_IMPLICIT, false, exc))
        return false;
    d->high |= SEG_ACCESSED;
    return true;
}

void cpu_segment_load(struct env_seg *seg, uint16_t selector, const struct cpu_descriptor *d)
{
    seg->selector = selector;
    seg->base = cpu_descriptor_base(d);
    seg->limit = cpu_descriptor_limit(d);
    seg->flags = d->high;
}

void cpu_segment_load_null(struct env_seg *seg, uint16_t selector, unsigned dpl)
{
    seg->selector = selector;
    seg->base = 0;
    seg->limit = 0;
    seg->flags = dpl << SEG_DPL_SHIFT;
}

void cpu_segment_load_real(struct env_seg *seg, uint16_t selector)
{
    seg->selector = selector;
    seg->base = (uint32_t)selector << 4;
    seg->limit = 0xffff;
    seg->flags = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
}

bool cpu_segment_holds(const struct env_seg *seg, uint32_t offset, unsigned size)
{
    uint64_t last = (uint64_t)offset + size - 1;

    if ((seg->flags & (SEG_S | SEG_CODE | SEG_EXPAND_DOWN)) == (SEG_S | SEG_EXPAND_DOWN))
        return offset > seg->limit && last <= (seg->flags & SEG_DB ? 0xffffffff : 0xffff);
    /* At the end of a segment of 4 GiB it is the processor's choice (SDM 3A 5.3); there is none. */
    return last <= seg->limit || seg->limit == UINT32_MAX;
}

/* In 64-bit mode SS32 is always set, whatever SS.B: the library's translations are tagged with
 * hflags, and code reached by SYSCALL and by a gate should share them.  HF_VM stays clear: the
 * library adds it from RFLAGS by itself. */
void cpu_segment_update_hflags(struct cpu_env *env, unsigned cpl)
{
    const struct env_seg *cs = &env->segs[CPU_CS], *ss = &env->segs[CPU_SS];
    uint32_t hflags = env->hflags;
    bool real = !(env->cr[0] & CR0_PE), vm86 = env->eflags & FLAG_VM;

    hflags &= ~(uint32_t)(HF_CPL | HF_CS32 | HF_CS64 | HF_SS32 | HF_ADDSEG | HF_VM);
    hflags |= cpl;
    if ((hflags & HF_LMA) && (cs->flags & SEG_L)) {
        env->hflags = hflags | HF_CS64 | HF_CS32 | HF_SS32;
        return;
    }
    if (cs->flags & SEG_DB)
        hflags |= HF_CS32;
    if (ss->flags & SEG_DB)
        hflags |= HF_SS32;
    if (real || vm86 || !(cs->flags & SEG_DB) ||
        (env->segs[CPU_DS].base | env->segs[CPU_ES].base | ss->base) != 0)
        hflags |= HF_ADDSEG;
    env->hflags = hflags;
}
