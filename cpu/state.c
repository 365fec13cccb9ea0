/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All architectural state of the vCPUs, visited in one fixed order.
 *
 * The library's lazy flags are visited as RFLAGS: how it holds them depends on which blocks it
 * last executed.
 */
#include <string.h>

#include "cpu/run.h"

static void visit_segment(struct env_seg *s, struct base_state *st)
{
    BASE_STATE(st, s->selector);
    BASE_STATE(st, s->base);
    BASE_STATE(st, s->limit);
    BASE_STATE(st, s->flags);
}

static void visit_env(struct cpu *c, struct base_state *st)
{
    const struct env_offsets *off = env_offsets(c);
    struct cpu_env *env = env_load(c);
    uint64_t rflags = env_rflags(c);

    BASE_STATE(st, env->regs);
    BASE_STATE(st, env->eip);
    BASE_STATE(st, rflags);
    if (st->mode == BASE_STATE_LOAD)
        env_set_rflags(c, rflags);
    BASE_STATE(st, env->hflags);
    for (unsigned i = 0; i < ARRAY_LEN(env->segs); i++)
        visit_segment(&env->segs[i], st);
    visit_segment(&env->ldt, st);
    visit_segment(&env->tr, st);
    visit_segment(&env->gdt, st);
    visit_segment(&env->idt, st);
    for (unsigned i = 0; i < ARRAY_LEN(env->cr); i++)
        BASE_STATE(st, env->cr[i]);
    BASE_STATE(st, ENV64(env, off->efer));
    BASE_STATE(st, ENV64(env, off->star));
    BASE_STATE(st, ENV64(env, off->lstar));
    BASE_STATE(st, ENV64(env, off->cstar));
    BASE_STATE(st, ENV64(env, off->fmask));
    BASE_STATE(st, ENV64(env, off->kernel_gs_base));
    BASE_STATE(st, ENV32(env, off->sysenter_cs));
    BASE_STATE(st, ENV64(env, off->sysenter_esp));
    BASE_STATE(st, ENV64(env, off->sysenter_eip));
    BASE_STATE(st, ENV32(env, off->tsc_aux));
    env_store(c);
    engine_visit_fpu(c, st);
}

static void visit_flag(bool *flag, struct base_state *st)
{
    uint8_t v = *flag;

    BASE_STATE(st, v);
    *flag = v != 0;
}

static void visit_vcpu(struct cpu *c, struct cpu_vcpu *v, struct base_state *st)
{
    uint64_t cycles = cpu_now(c);

    BASE_STATE(st, cycles);
    if (st->mode == BASE_STATE_LOAD) {
        c->limit = cycles;
        c->left = 0;
    }
    BASE_STATE(st, v->tsc_offset);
    BASE_STATE(st, v->tsc_adjust);
    visit_flag(&v->intr, st);
    visit_flag(&v->nmi_pending, st);
    visit_flag(&v->nmi_blocked, st);
    visit_flag(&v->halted, st);
    visit_flag(&v->wait_sipi, st);
    visit_flag(&v->init_pending, st);
    visit_flag(&v->sipi_pending, st);
    BASE_STATE(st, v->sipi_page);
    BASE_STATE(st, v->dr6);
    BASE_STATE(st, v->dr7);
    BASE_STATE(st, v->dr);
    BASE_STATE(st, v->held_db);
    BASE_STATE(st, v->xcr0);
    BASE_STATE(st, v->pdpte);
    BASE_STATE(st, v->msr_misc_enable);
    BASE_STATE(st, v->msr_mtrr_def);
    BASE_STATE(st, v->msr_mtrr_fixed);
    BASE_STATE(st, v->msr_mtrr_var);
    BASE_STATE(st, v->msr_pat);
    BASE_STATE(st, v->msr_feature_control);
    BASE_STATE(st, v->msr_spec_ctrl);
    BASE_STATE(st, v->msr_mcg_status);
    BASE_STATE(st, v->rng.s);
}

void cpu_state(struct cpu *c, struct base_state *st)
{
    unsigned was = c->current;

    base_state_tag(st, "cpu");
    BASE_STATE(st, c->insns);
    for (unsigned i = 0; i < c->config.count; i++) {
        cpu_load_vcpu(c, i);
        visit_env(c, st);
        visit_vcpu(c, &c->vcpu[i], st);
    }
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    cpu_load_vcpu(c, was);
    if (st->mode == BASE_STATE_LOAD) {
        execpoint_forget_last(c);
        blocks_forget_all(c);
        engine_drop_all(c);
        tlb_forget_all(c);
    }
}

void cpu_settle(struct cpu *c)
{
    tlb_forget_all(c);
    engine_settle(c);
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
}

static void visit_counters(struct cpu_counters *n, struct base_state *st)
{
    BASE_STATE(st, n->insns);
    BASE_STATE(st, n->blocks);
    BASE_STATE(st, n->exceptions);
    BASE_STATE(st, n->interrupts);
    BASE_STATE(st, n->nmis);
    BASE_STATE(st, n->syscalls);
    BASE_STATE(st, n->fills);
}

/* Which code is translated, and what the library's TLB holds, is not visited: nobody can tell. */

/* The ring and what goes with it tell what the last block was, which a store into its own code
 * asks for. */
void cpu_hidden_state(struct cpu *c, struct base_state *st)
{
    uint32_t current = c->current;

    base_state_tag(st, "cpu-hidden");
    cpu_settle_counters(c);
    BASE_STATE(st, current);
    if (st->mode == BASE_STATE_LOAD && current >= c->config.count)
        st->bad = true;
    if (st->bad)
        return;
    cpu_load_vcpu(c, current);
    BASE_STATE(st, c->ring);
    BASE_STATE(st, c->blocks);
    BASE_STATE(st, c->step_block);
    BASE_STATE(st, c->left_block);
    BASE_STATE(st, c->lone_reg);
    BASE_STATE(st, c->lone_blocks);
    BASE_STATE(st, c->good_cr3);
    for (unsigned i = 0; i < c->config.count; i++)
        visit_counters(&c->vcpu[i].counters, st);
    frames_visit(c, st);
    tlb_visit(c, st);
    if (st->mode != BASE_STATE_LOAD)
        return;
    c->insns_at_load = c->insns;
    c->blocks_at_load = c->blocks;
    engine_flush_tlb(c);
}
