/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power-up, INIT and start-up IPI (SDM 3A 9.1, table 9-1; 8.4). */
#include "cpu/segment.h"

#include <string.h>

#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400

static void reset_control(struct cpu *c, struct cpu_env *env, bool init)
{
    uint64_t cr0 = CR0_ET;

    /* INIT keeps CD and NW; power-up sets them. */
    cr0 |= init ? env->cr[0] & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;
    engine_write_cr0(c, cr0);
    engine_write_cr4(c, 0);
    engine_write_cr3(c, 0);
    engine_write_efer(c, 0);
    env->cr[2] = 0;
}

static void reset_segments(struct cpu_env *env)
{
    for (unsigned i = 0; i < ARRAY_LEN(env->segs); i++)
        cpu_segment_load_real(&env->segs[i], 0);
    env->segs[CPU_CS] = (struct env_seg){
        .selector = 0xf000,
        .base = 0xffff0000,
        .limit = 0xffff,
        .flags = SEG_P | SEG_S | SEG_CODE | SEG_WRITABLE | SEG_ACCESSED,
    };
    env->gdt = (struct env_seg){.limit = 0xffff};
    env->idt = (struct env_seg){.limit = 0xffff};
    env->ldt = (struct env_seg){.limit = 0xffff, .flags = SEG_P | SEG_TYPE_LDT << 8};
    env->tr = (struct env_seg){.limit = 0xffff, .flags = SEG_P | SEG_TYPE_TSS32 << 8};
}

static void reset_general(struct cpu *c, struct cpu_env *env)
{
    memset(env->regs, 0, sizeof(env->regs));
    env->regs[2] = cpu_model_signature(cpu_get_model(c));
    env->eip = 0xfff0;
    env_set_rflags(c, 2);
    env->hflags = HF_ADDSEG;
}

/* MSRs that live in the library; INIT leaves them alone. */
static void reset_library_msrs(struct cpu_env *env, const struct env_offsets *off)
{
    ENV64(env, off->star) = 0;
    ENV64(env, off->lstar) = 0;
    ENV64(env, off->cstar) = 0;
    ENV64(env, off->fmask) = 0;
    ENV64(env, off->kernel_gs_base) = 0;
    ENV32(env, off->sysenter_cs) = 0;
    ENV64(env, off->sysenter_esp) = 0;
    ENV64(env, off->sysenter_eip) = 0;
    ENV64(env, off->tsc_aux) = 0;
}

static void reset_xmm(struct cpu *c)
{
    static const uint8_t zero[16];

    for (unsigned i = 0; i < 16; i++)
        engine_write_xmm(c, i, zero);
}

static void reset_vcpu_fields(struct cpu *c, struct cpu_vcpu *v, bool init)
{
    v->dr6 = DR6_RESET;
    v->dr7 = DR7_RESET;
    memset(v->dr, 0, sizeof(v->dr));
    v->held_db = 0;
    v->xcr0 = 1;
    v->shadow = false;
    v->halted = false;
    v->nmi_pending = false;
    v->nmi_blocked = false;
    if (!init) {
        v->tsc_offset = 0 - cpu_cycles(c, v->index);
        base_rng_init(&v->rng, cpu_get_config(c)->seed, v->index);
    }
    cpu_msr_reset(v, init);
}

/* INIT does not touch x87 and SSE state. */
void cpu_reset_vcpu(struct cpu *c, bool init)
{
    struct cpu_env *env = env_load(c);
    const struct env_offsets *off = env_offsets(c);

    reset_control(c, env, init);
    reset_segments(env);
    reset_vcpu_fields(c, cpu_loaded(c), init);
    reset_general(c, env);
    if (!init) {
        reset_library_msrs(env, off);
        reset_xmm(c);
        engine_reset_fpu(c);
    }
    ENV32(env, off->old_exception) = UINT32_MAX;
}

void cpu_enter_sipi(struct cpu *c, uint8_t page)
{
    struct cpu_env *env = env_load(c);

    env->segs[CPU_CS].selector = (uint32_t)page << 8;
    env->segs[CPU_CS].base = (uint32_t)page << PAGE_SHIFT;
    env->segs[CPU_CS].limit = 0xffff;
    env->eip = 0;
}
