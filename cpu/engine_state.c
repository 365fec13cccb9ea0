/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library's registers: the view of them that the rest has, and what hangs on writing them.
 *
 * The raw view is the live state.  The portable one is a copy, written back before the library runs;
 * what goes through the library's own interface has to write it back, too, and read it again.
 */
#include <string.h>
#include <unicorn/unicorn.h>

#include "cpu/engine.h"
#include "cpu/engine_layout.h"

#define CC_OP_EFLAGS 1u
#define ARITHMETIC_FLAGS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

struct cpu_env *env_load(struct cpu *c)
{
    struct engine *e = c->engine;

    if (c->portable && (c->running || !e->loaded)) {
        uc_context_save(e->uc, e->scratch);
        e->loaded = !c->running; /* hooks only look */
    }
    return c->env;
}

void env_store(struct cpu *c)
{
    struct engine *e = c->engine;

    if (c->portable && e->loaded) {
        uc_context_restore(e->uc, e->scratch);
        e->loaded = false;
    }
}

const struct env_offsets *env_offsets(const struct cpu *c)
{
    return &c->engine->layout.off;
}

uint64_t env_rflags(struct cpu *c)
{
    struct cpu_env *env = env_load(c);
    uint64_t flags = env->cc_src;

    if (env->cc_op != CC_OP_EFLAGS)
        uc_reg_read(c->engine->uc, UC_X86_REG_RFLAGS, &flags);
    return (env->eflags & ~(uint64_t)(ARITHMETIC_FLAGS | FLAG_DF)) | (flags & ARITHMETIC_FLAGS) |
           (env->df < 0 ? FLAG_DF : 0) | 2;
}

void env_set_rflags(struct cpu *c, uint64_t rflags)
{
    struct cpu_env *env = env_load(c);

    env->cc_op = CC_OP_EFLAGS;
    env->cc_src = rflags & ARITHMETIC_FLAGS;
    env->df = rflags & FLAG_DF ? -1 : 1;
    /* The library takes them from here when it starts running, from the fields above while it
     * does. */
    env->eflags = rflags | 2;
    if (c->running)
        env->eflags &= ~(uint64_t)(ARITHMETIC_FLAGS | FLAG_DF);
}

enum cpu_mode cpu_code_mode(const struct cpu_env *env)
{
    return env->hflags & HF_CS64 ? CPU_MODE_64 : env->hflags & HF_CS32 ? CPU_MODE_32 : CPU_MODE_16;
}

/* The PDPTE registers, loaded with CR3 and by changes of CR0 and CR4 (SDM 3A 4.4.1). */
static void load_pdptes(struct cpu *c)
{
    const struct cpu_env *env = env_load(c);
    uint64_t *pdpte = c->vcpu[c->current].pdpte;

    if (!(env->cr[0] & CR0_PG) || !(env->cr[4] & CR4_PAE) || (env->hflags & HF_LMA))
        return;
    memset(pdpte, 0, sizeof(c->vcpu[0].pdpte));
    mmu_ram_read(c->ram, GPA(env->cr[3] & 0xffffffe0ull), pdpte, sizeof(c->vcpu[0].pdpte));
}

/* What the library derives from CR0 (SDM 3A 2.5; IA-32e activation: 9.8.5). */
void engine_write_cr0(struct cpu *c, uint64_t value)
{
    struct cpu_env *env = env_load(c);
    uint64_t *efer = &ENV64(env, env_offsets(c)->efer), changed = env->cr[0] ^ value;
    uint32_t h = env->hflags & ~(uint32_t)(HF_PE | HF_MP | HF_EM | HF_TS);

    h |= value & CR0_PE ? HF_PE : HF_ADDSEG;
    h |= (uint32_t)(value & (CR0_MP | CR0_EM | CR0_TS)) << 8;
    if ((value & CR0_PG) && (*efer & EFER_LME)) {
        *efer |= EFER_LMA;
        h |= HF_LMA;
    } else if (!(value & CR0_PG) && (*efer & EFER_LMA)) {
        *efer &= ~EFER_LMA;
        h &= ~(uint32_t)(HF_LMA | HF_CS64);
    }
    env->hflags = h;
    env->cr[0] = value | CR0_ET;
    if (changed & (CR0_PG | CR0_NW | CR0_CD))
        load_pdptes(c);
    if (changed & (CR0_PG | CR0_WP | CR0_PE))
        cpu_flush_tlb(c);
}

void engine_write_cr3(struct cpu *c, uint64_t value)
{
    env_load(c)->cr[3] = value;
    load_pdptes(c);
    cpu_flush_tlb(c);
}

void engine_write_cr4(struct cpu *c, uint64_t value)
{
    struct cpu_env *env = env_load(c);
    uint64_t changed = env->cr[4] ^ value;

    env->hflags &= ~(uint32_t)(HF_SMAP | HF_OSFXSR);
    env->hflags |= (value & CR4_SMAP ? HF_SMAP : 0) | (value & CR4_OSFXSR ? HF_OSFXSR : 0);
    env->cr[4] = value;
    if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP))
        load_pdptes(c);
    if (changed & (CR4_PGE | CR4_PAE | CR4_PSE | CR4_SMEP | CR4_SMAP))
        cpu_flush_tlb(c);
}

void engine_write_efer(struct cpu *c, uint64_t value)
{
    struct cpu_env *env = env_load(c);
    uint64_t *efer = &ENV64(env, env_offsets(c)->efer), changed = *efer ^ value;

    *efer = value;
    env->hflags &= ~(uint32_t)HF_LMA;
    env->hflags |= value & EFER_LMA ? HF_LMA : 0;
    if (changed & EFER_NXE)
        cpu_flush_tlb(c);
}

void engine_read_xmm(struct cpu *c, unsigned n, uint8_t value[16])
{
    uc_reg_read(c->engine->uc, UC_X86_REG_XMM0 + (int)n, value);
}

/* The library's copy must not undo it: a portable view is written back first. */
void engine_write_xmm(struct cpu *c, unsigned n, const uint8_t value[16])
{
    bool loaded = c->engine->loaded;

    env_store(c);
    uc_reg_write(c->engine->uc, UC_X86_REG_XMM0 + (int)n, value);
    if (loaded)
        env_load(c);
}

/* The library begins with a control word of 0, and computes as if it were another. */
void engine_reset_fpu(struct cpu *c)
{
    static const struct {
        int id;
        uint32_t value;
    } word[] = {{UC_X86_REG_FPSW, 0}, {UC_X86_REG_FPCW, 0x40}, {UC_X86_REG_FPTAG, 0x5555},
                {UC_X86_REG_MXCSR, 0x1f80}};
    static const uint8_t zero[10];
    bool loaded = c->engine->loaded;

    env_store(c);
    for (int i = 0; i < 8; i++)
        uc_reg_write(c->engine->uc, UC_X86_REG_FP0 + i, zero);
    for (unsigned i = 0; i < ARRAY_LEN(word); i++)
        uc_reg_write(c->engine->uc, word[i].id, &word[i].value);
    if (loaded)
        env_load(c);
}

void *engine_context_new(struct cpu *c)
{
    uc_context *context = NULL;

    return uc_context_alloc(c->engine->uc, &context) == UC_ERR_OK ? context : NULL;
}

void engine_context_free(struct cpu *c, void *context)
{
    (void)c;
    if (context)
        uc_context_free(context);
}

void engine_context_save(struct cpu *c, void *context)
{
    uc_context_save(c->engine->uc, context);
}

void engine_context_load(struct cpu *c, void *context)
{
    uc_context_restore(c->engine->uc, context);
    engine_flush_tlb(c);
}

struct cpu_env *engine_context_env(struct cpu *c, void *context)
{
    return (struct cpu_env *)(void *)((uint8_t *)context + c->engine->layout.header_bytes);
}

/* x87 and SSE registers of the loaded vCPU; the rest is in struct cpu_env. */
void engine_visit_fpu(struct cpu *c, struct base_state *st)
{
    static const int word[] = {UC_X86_REG_FPSW, UC_X86_REG_FPCW, UC_X86_REG_FPTAG,
                               UC_X86_REG_MXCSR, UC_X86_REG_FIP, UC_X86_REG_FCS,
                               UC_X86_REG_FDP, UC_X86_REG_FDS, UC_X86_REG_FOP};
    uc_engine *uc = c->engine->uc;

    for (int i = 0; i < 16; i++) {
        uint8_t xmm[16] = {0};

        uc_reg_read(uc, UC_X86_REG_XMM0 + i, xmm);
        BASE_STATE(st, xmm);
        if (st->mode == BASE_STATE_LOAD)
            uc_reg_write(uc, UC_X86_REG_XMM0 + i, xmm);
    }
    for (int i = 0; i < 8; i++) {
        uint8_t fp[10] = {0};

        uc_reg_read(uc, UC_X86_REG_FP0 + i, fp);
        BASE_STATE(st, fp);
        if (st->mode == BASE_STATE_LOAD)
            uc_reg_write(uc, UC_X86_REG_FP0 + i, fp);
    }
    for (unsigned i = 0; i < ARRAY_LEN(word); i++) {
        uint64_t v = 0;

        uc_reg_read(uc, word[i], &v);
        BASE_STATE(st, v);
        if (st->mode == BASE_STATE_LOAD)
            uc_reg_write(uc, word[i], &v);
    }
}
