/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYSCALL, SYSENTER and SYSEXIT (SDM 2B; SDM 3A 5.8.7, 5.8.8): flat code and stack segments
 * that come from MSRs, no descriptor is read.
 */
#include "cpu/segment.h"

enum {
    FLAT_CODE = SEG_G | SEG_P | SEG_S | SEG_CODE | SEG_WRITABLE | SEG_ACCESSED,
    FLAT_DATA = SEG_G | SEG_DB | SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED
};

static void load_flat(struct env_seg *seg, uint16_t selector, uint32_t flags, unsigned dpl)
{
    seg->selector = selector;
    seg->base = 0;
    seg->limit = 0xffffffff;
    seg->flags = flags | dpl << SEG_DPL_SHIFT;
}

/* CS and the SS after it; @long_code: 64-bit, otherwise 32-bit. */
static void load_flat_pair(struct cpu_env *env, uint16_t cs, uint16_t ss, bool long_code,
                           unsigned cpl)
{
    load_flat(&env->segs[CPU_CS], cs, FLAT_CODE | (long_code ? SEG_L : SEG_DB), cpl);
    load_flat(&env->segs[CPU_SS], ss, FLAT_DATA, cpl);
    cpu_segment_update_hflags(env, cpl);
    env->hflags &= ~(uint32_t)HF_INHIBIT_IRQ;
}

static bool general_protection(struct cpu_exc *exc)
{
    *exc = (struct cpu_exc){.vector = EXC_GP, .has_error = true};
    return false;
}

/* Only from 64-bit code, as on Intel's processors.  RFLAGS bit 1 is fixed, FMASK or not. */
bool cpu_syscall(struct cpu *c, unsigned length, struct cpu_exc *exc)
{
    struct cpu_env *env = env_load(c);
    const struct env_offsets *off = env_offsets(c);
    uint64_t efer = ENV64(env, off->efer), star = ENV64(env, off->star);
    uint64_t rflags = env_rflags(c) & ~(uint64_t)FLAG_RF;
    uint16_t selector = star >> 32 & 0xfffc;

    if (!(efer & EFER_SCE) || !(env->hflags & HF_CS64)) {
        *exc = (struct cpu_exc){.vector = EXC_UD};
        return false;
    }
    env->regs[1] = env->eip + length;
    env->regs[11] = rflags;
    env->eip = ENV64(env, off->lstar);
    env_set_rflags(c, (rflags & ~(ENV64(env, off->fmask) & 0xffffffff)) | 2);
    load_flat_pair(env, selector, selector + 8, true, 0);
    return true;
}

bool cpu_sysenter(struct cpu *c, struct cpu_exc *exc)
{
    struct cpu_env *env = env_load(c);
    const struct env_offsets *off = env_offsets(c);
    uint16_t selector = ENV32(env, off->sysenter_cs) & 0xfffc;
    bool long_mode = env->hflags & HF_LMA;
    uint64_t mask = long_mode ? UINT64_MAX : 0xffffffff;

    if (!(env->cr[0] & CR0_PE) || selector == 0)
        return general_protection(exc);
    env->eflags &= ~(uint64_t)(FLAG_VM | FLAG_IF | FLAG_RF);
    env->regs[4] = ENV64(env, off->sysenter_esp) & mask;
    env->eip = ENV64(env, off->sysenter_eip) & mask;
    load_flat_pair(env, selector, selector + 8, long_mode, 0);
    return true;
}

bool cpu_sysexit(struct cpu *c, bool rex_w, struct cpu_exc *exc)
{
    struct cpu_env *env = env_load(c);
    uint16_t base = ENV32(env, env_offsets(c)->sysenter_cs) & 0xfffc;
    uint16_t selector = (base + (rex_w ? 32 : 16)) | 3;
    uint64_t rip = env->regs[2], rsp = env->regs[1];

    if (!(env->cr[0] & CR0_PE) || base == 0 || env_cpl(env) != 0)
        return general_protection(exc);
    if (rex_w && (!cpu_is_canonical(rip) || !cpu_is_canonical(rsp)))
        return general_protection(exc);
    env->eip = rex_w ? rip : (uint32_t)rip;
    env->regs[4] = rex_w ? rsp : (uint32_t)rsp;
    env->eflags &= ~(uint64_t)FLAG_RF;
    load_flat_pair(env, selector, selector + 8, rex_w, 3);
    return true;
}
