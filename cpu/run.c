/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run loop: everything that happens between two blocks of translated code.
 *
 *            +--------------------------- boundary() ---------------------------+
 *            |  deadline, limits, INIT, SIPI, NMI, interrupt, halt              |
 *            v                                                                  |
 *       engine_start() --- WHY_NONE, WHY_SPECIAL ---> special()  --------------->|
 *            |  |  |------ WHY_EXCEPTION -----------> exception() -------------->|
 *            |  |  |------ WHY_FAULT ---------------> fault() ------------------>|
 *            |  |  |------ WHY_SYSCALL/SYSENTER ----> transition() ------------->|
 *            |  |--------- WHY_CUT -----------------> cut(): translate anew ---->|
 *            |------------ WHY_BOUNDARY, must_step -> step(): one instruction -->|
 *
 * Invariants
 *  (1) At the top of the loop RIP, the instruction count and the cycle counter are exact: all
 *      before RIP has retired, nothing after it.
 *  (2) The bus is called only from here, never while the engine runs.
 *  (3) What the loop does depends on the guest and on the bus alone, not on where the library
 *      happens to end its blocks: an event inside a block is reached by single steps.
 */
#include "cpu/run.h"

#include <string.h>

#define DR6_BS (1u << 14)

static struct cpu_vcpu *current(struct cpu *c)
{
    return &c->vcpu[c->current];
}

static bool in_shadow(struct cpu *c)
{
    return (env_load(c)->hflags & HF_INHIBIT_IRQ) != 0;
}

bool cpu_can_interrupt(struct cpu *c)
{
    const struct cpu_vcpu *v = current(c);

    if (!v->intr && !v->nmi_pending)
        return false;
    if (in_shadow(c))
        return false;
    return (v->nmi_pending && !v->nmi_blocked) || (v->intr && (env_load(c)->eflags & FLAG_IF));
}

void cpu_probe_at(struct cpu *c, struct base_probe_at *at)
{
    at->insns = c->insns;
    at->vcpu = c->current;
    at->virtual_ns = cpu_virtual_ns(c, cpu_now(c));
}

static void probe_exception(struct cpu *c, const struct cpu_exc *exc, enum cpu_event_kind kind)
{
    struct base_probe_exception e = {.vector = exc->vector,
                                     .has_error_code = exc->has_error,
                                     .is_software = kind == CPU_EVENT_SOFT,
                                     .error_code = exc->error,
                                     .rip = c->env->eip,
                                     .cr2 = exc->cr2};
    struct base_probe_at at;

    if (!c->probe || !c->probe->exception)
        return;
    cpu_probe_at(c, &at);
    c->probe->exception(c->probe->user, &at, &e);
}

static void probe_interrupt(struct cpu *c, uint8_t vector, bool nmi)
{
    struct base_probe_at at;

    if (!c->probe || !c->probe->interrupt)
        return;
    cpu_probe_at(c, &at);
    c->probe->interrupt(c->probe->user, &at, vector, nmi);
}

/* ---- delivery ---- */

/* What a delivery takes, in cycles: not nothing, or a handler whose first instruction faults
 * would stop time and never be left. */
#define DELIVERY_CYCLES 1

void cpu_raise(struct cpu *c, struct cpu_exc exc, enum cpu_event_kind kind)
{
    struct cpu_vcpu *v = current(c);

    v->halted = false;
    c->left -= DELIVERY_CYCLES;
    if (kind == CPU_EVENT_EXTERNAL)
        probe_interrupt(c, exc.vector, exc.vector == EXC_NMI && v->nmi_blocked);
    else
        probe_exception(c, &exc, kind);
    if (!cpu_deliver(c, exc, kind)) {
        c->reset = true;
        g_snprintf(c->fault_text, sizeof(c->fault_text),
                   "triple fault: vector %u, error code %#x, while delivering it failed twice",
                   exc.vector, exc.error);
    }
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    env_store(c);
}

void cpu_deliver_exception(struct cpu *c, struct cpu_exc exc)
{
    c->watch.hits = 0;
    current(c)->held_db = 0;
    current(c)->counters.exceptions++;
    cpu_raise(c, exc, CPU_EVENT_EXCEPTION);
}

void cpu_mark_unfinished_rep(struct cpu *c)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], before;
    struct cpu_env *env = env_load(c);
    struct cpu_insn insn;

    before = cpu_linear_rip(env) - cpu_key_va(key);
    if (c->blocks == c->block_at_load || before >= cpu_key_size(key))
        return;
    if (!cpu_fetch_insn(c, &insn) || !(insn.flags & CPU_INSN_REP) ||
        before + insn.length != cpu_key_size(key))
        return;
    env_load(c)->eflags |= FLAG_RF;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
}

void cpu_finish_insn(struct cpu *c, bool single_step, uint32_t flags)
{
    bool mov_ss = (flags & CPU_INSN_MOV_SS) != 0;
    unsigned hits = debug_take(c, mov_ss);

    if (mov_ss || !(single_step || hits))
        return;
    if (flags & CPU_INSN_REP)
        cpu_mark_unfinished_rep(c);
    current(c)->dr6 |= hits | (single_step ? DR6_BS : 0);
    cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_DB});
}

bool cpu_take_breakpoint(struct cpu *c)
{
    if (base_likely(!c->watch.exec) || !debug_before(c))
        return false;
    cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_DB});
    return true;
}

static void take_init(struct cpu *c, struct cpu_vcpu *v)
{
    v->init_pending = false;
    v->halted = false;
    v->nmi_pending = v->nmi_blocked = false;
    env_load(c);
    cpu_reset_vcpu(c, true);
    v->wait_sipi = c->current != 0;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    env_store(c);
    cpu_flush_tlb(c);
    debug_arm(c);
}

static void take_sipi(struct cpu *c, struct cpu_vcpu *v)
{
    v->sipi_pending = false;
    if (!v->wait_sipi)
        return;
    v->wait_sipi = false;
    env_load(c);
    cpu_enter_sipi(c, v->sipi_page);
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    env_store(c);
}

static void take_interrupt(struct cpu *c, struct cpu_vcpu *v)
{
    int vector;

    cpu_mark_unfinished_rep(c);
    if (v->nmi_pending && !v->nmi_blocked) {
        v->nmi_pending = false;
        v->nmi_blocked = true;
        v->counters.nmis++;
        cpu_raise(c, (struct cpu_exc){.vector = EXC_NMI}, CPU_EVENT_EXTERNAL);
        return;
    }
    vector = c->bus.intr_ack(c->bus.user, c->current);
    if (vector < 0)
        return;
    v->counters.interrupts++;
    cpu_raise(c, (struct cpu_exc){.vector = (uint8_t)vector}, CPU_EVENT_EXTERNAL);
}

/* What may happen between two instructions.  Returns: true with *stop to leave the loop. */
static bool boundary(struct cpu *c, enum cpu_stop *stop)
{
    struct cpu_vcpu *v = current(c);

    if (c->iret_ends_nmi) { /* the block with the IRET has run, or faulted at it */
        c->iret_ends_nmi = false;
        v->nmi_blocked = false;
    }
    if (c->crashed || c->reset) {
        *stop = c->crashed ? CPU_STOP_CRASH : CPU_STOP_RESET;
        return true;
    }
    if (c->stop_requested) {
        c->stop_requested = false;
        *stop = CPU_STOP_REQUEST;
        return true;
    }
    if (cpu_now(c) >= c->target || c->insns >= c->insn_limit) {
        *stop = c->insns >= c->insn_limit ? CPU_STOP_INSNS : CPU_STOP_DEADLINE;
        return true;
    }
    if (v->init_pending)
        take_init(c, v);
    if (v->sipi_pending)
        take_sipi(c, v);
    if (v->wait_sipi) {
        *stop = CPU_STOP_HALT;
        return true;
    }
    if (cpu_can_interrupt(c)) {
        take_interrupt(c, v);
        if (cpu_now(c) >= c->target) {
            *stop = CPU_STOP_DEADLINE;
            return !(c->reset || c->crashed) || boundary(c, stop);
        }
    }
    if (v->halted) {
        *stop = CPU_STOP_HALT;
        return true;
    }
    return c->reset || c->crashed ? boundary(c, stop) : false;
}

/* Set the counter so that the hook looks when something is due, or at each block when that
 * depends on what the block before did. */
void cpu_arm(struct cpu *c)
{
    const struct cpu_vcpu *v = current(c);
    uint64_t now = cpu_now(c), limit = c->target;

    if (v->intr || v->nmi_pending || c->iret_ends_nmi)
        limit = now;
    else if (c->insn_limit - c->insns < limit - now)
        limit = now + (c->insn_limit - c->insns);
    cpu_set_limit(c, limit);
}

/* ---- what the engine came back for ---- */

static bool pushes_error(unsigned vector)
{
    return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
}

/* INT n (CD n) or INT3 (CC): the library has gone behind it. */
static uint8_t soft_length(struct cpu *c, unsigned vector)
{
    uint8_t b[2] = {0};
    uint64_t va = cpu_linear_rip(c->env);

    return cpu_fetch_bytes(c, c->current, va - 2, b, 2) == 2 && b[0] == 0xcd && b[1] == vector ? 2
                                                                                               : 1;
}

void cpu_take_exception(struct cpu *c)
{
    const struct env_offsets *off = env_offsets(c);
    struct cpu_env *env = env_load(c);
    struct cpu_exc exc = {.vector = (uint8_t)c->exc_vector};
    bool soft = ENV32(env, off->exception_is_int) != 0;

    ENV32(env, off->exception_is_int) = 0;
    ENV32(env, off->old_exception) = UINT32_MAX;
    if (c->exc_vector > 255) {
        cpu_set_crash(c, "the library raised its internal exception %#x", c->exc_vector);
        return;
    }
    if (exc.vector == EXC_DB && !soft) {
        cpu_finish_insn(c, true, 0);
        return;
    }
    blocks_uncount_tail(c, cpu_linear_rip(env)); /* INTO does not end a block */
    if (soft) {
        current(c)->counters.exceptions++;
        exc.insn_bytes = soft_length(c, exc.vector);
        cpu_raise(c, exc, CPU_EVENT_SOFT);
        cpu_finish_insn(c, false, 0); /* what MOV SS before it has held back */
        return;
    }
    exc.has_error = pushes_error(exc.vector);
    exc.error = exc.has_error ? ENV32(env, off->error_code) : 0;
    cpu_deliver_exception(c, exc); /* and the breakpoints that it would have hit are forgotten */
}

void cpu_take_transition(struct cpu *c)
{
    struct cpu_env *env = env_load(c);
    struct base_probe_at at;
    struct cpu_exc exc;
    bool ok;

    env->eip -= 2; /* the library went on behind the instruction */
    current(c)->counters.syscalls++;
    if (c->probe && c->probe->syscall) {
        cpu_probe_at(c, &at);
        c->probe->syscall(c->probe->user, &at, env->eip);
    }
    ok = c->why == WHY_SYSCALL ? cpu_syscall(c, 2, &exc) : cpu_sysenter(c, &exc);
    if (!ok)
        blocks_uncount_tail(c, cpu_linear_rip(env));
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    env_store(c);
    if (!ok)
        cpu_deliver_exception(c, exc);
    else /* TF counts as it is after FMASK (SDM 2B SYSCALL) */
        cpu_finish_insn(c, (env_load(c)->eflags & FLAG_TF) != 0, 0);
}

/* A special instruction inside a block: have the block translated so that it ends before it. */
static void cut(struct cpu *c)
{
    uint64_t va = cpu_linear_rip(env_load(c));

    if (c->cut_tries++ >= 3) { /* the library keeps its old block: walk there */
        c->must_step = true;
        return;
    }
    c->mode_key = CPU_KEY_MODE_UNKNOWN; /* look at RF again */
    engine_drop_range(c, va, (uint32_t)(c->cut_va - va) + 1);
    /* The hook has to miss, for it takes the cut back: left in place, the cut would make the
     * library drop the block each time it comes back from it. */
    blocks_forget_page(c, va >> PAGE_SHIFT);
    engine_cut(c, c->cut_va);
}

/* Something has to happen between the block that ended and the special instruction behind it. */
static bool boundary_is_due(struct cpu *c)
{
    return cpu_now(c) >= c->target || c->insns >= c->insn_limit || cpu_can_interrupt(c);
}

void cpu_handle_stop(struct cpu *c)
{
    switch (c->why) {
    case WHY_NONE:
    case WHY_SPECIAL:
        if (!c->crashed && !boundary_is_due(c))
            cpu_special(c);
        break;
    case WHY_BOUNDARY:
        break;
    case WHY_CUT:
        cut(c);
        break;
    case WHY_EXCEPTION:
        cpu_take_exception(c);
        break;
    case WHY_SYSCALL:
    case WHY_SYSENTER:
        cpu_take_transition(c);
        break;
    case WHY_FAULT: /* to fetch: no hook has looked before */
        if (c->fault.access != MMU_FETCH || c->fault.kind == FAULT_NONCANONICAL || !boundary_is_due(c))
            cpu_fault(c);
        break;
    case WHY_GAVE_UP: /* step: the instruction that it cannot may not be the first */
        if (c->step_failed && cpu_have_fetched(c))
            cpu_deliver_exception(c, (struct cpu_exc){.vector = EXC_UD});
        c->must_step = true;
        break;
    case WHY_NO_FETCH:
        cpu_deliver_exception(c, cpu_page_fault(&c->fault));
        break;
    }
}

/* Does the next instruction have to be executed on its own? */
static bool steps(struct cpu *c)
{
    if (base_unlikely(c->checking))
        c->checking = cpu_must_check(c);
    return c->must_step || c->checking || (env_load(c)->eflags & FLAG_TF) || current(c)->held_db;
}

/* In the library RF lives until a block ends in certain ways. */
static void run_blocks(struct cpu *c)
{
    frames_reconsider(c);
    engine_start(c);
    cpu_handle_stop(c);
}

enum cpu_stop cpu_run(struct cpu *c, unsigned vcpu, uint64_t deadline, uint64_t insn_limit)
{
    enum cpu_stop stop;

    cpu_load_vcpu(c, vcpu);
    c->target = deadline;
    c->insn_limit = insn_limit;
    c->must_step = c->checking = false;
    debug_arm(c);
    while (!boundary(c, &stop)) {
        cpu_arm(c);
        if (base_unlikely(steps(c))) {
            c->must_step = false;
            cpu_step(c);
        } else {
            run_blocks(c);
        }
    }
    cpu_mark_unfinished_rep(c);
    env_store(c);
    return stop;
}
