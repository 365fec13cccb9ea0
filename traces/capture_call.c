/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls: from the entry, where the memory behind the arguments is taken, to the return.
 */
#include <string.h>

#include "traces/capture_internal.h"
#include "traces/xen_public.h"

#define SYSCALL_BYTES 2 /* the instruction */
#define GUEST_CALLS_MAX   64
#define GUEST_RETURNS_MAX 1024

struct capture_call *capture_call_new(struct trace_capture *c)
{
    struct capture_call *call = g_new0(struct capture_call, 1);

    call->build = capture_builder_take(c);
    return call;
}

void capture_call_free(struct trace_capture *c, struct capture_call *call)
{
    if (!call)
        return;
    if (call->grant_frame)
        g_array_free(call->grant_frame, TRUE);
    capture_builder_give(c, call->build);
    g_free(call);
}

static void take_operands(struct capture_call *call, const struct activation *a)
{
    call->number = a->value[TRACE_HC_NUMBER];
    memcpy(call->arg, &a->value[TRACE_HC_ARG1], sizeof(call->arg));
    if (a->point->kind == TRACE_POINT_HYPERCALL) {
        call->rip = a->value[TRACE_HC_RIP];
        call->rsp = a->value[TRACE_HC_RSP];
    }
}

/* An entry of a multicall belongs to the multicall that is under way on the same stack. */
static void find_multicall(struct trace_capture *c, struct capture_call *call, uint64_t sp)
{
    struct activation *outer = capture_outer(c, sp, TRACE_POINT_HYPERCALL);

    call->depth = 1;
    if (!outer || !outer->call)
        return;
    call->index = outer->call->entries++;
    call->rip = outer->call->rip;
    call->rsp = outer->call->rsp;
}

static void note_user_root(struct trace_capture *c, struct capture_call *call,
                           const struct base_guest_view *view)
{
    struct trace_expr_frame frame = {.guest = c->guest, .entry = view->gpr};

    if (c->profile && c->profile->user_root && call->number == __HYPERVISOR_mmuext_op)
        trace_expr_value(c->profile->user_root, &frame, &call->user_root);
}

static void begin_call(struct trace_capture *c, struct capture_call *call,
                       const struct base_guest_view *view)
{
    call->insns = view->insns;
    call->cycles = view->cycles;
    call->switches = c->switches;
    trace_build_begin(call->build, TRACE_KIND_HYPERCALL, view->insns, 0, view->vcpu);
    trace_build_domain(call->build, call->domid, call->dom_vcpu);
    capture_memory(c, call->build, call, view, 0);
    note_user_root(c, call, view);
    capture_derive_entry(c, call, view);
}

void capture_hypercall_entry(struct trace_capture *c, struct activation *a,
                             const struct base_guest_view *view)
{
    a->call = capture_call_new(c);
    capture_who_runs(c, view, &a->call->domid, &a->call->dom_vcpu);
    take_operands(a->call, a);
    if (a->point->kind == TRACE_POINT_MULTICALL_ENTRY)
        find_multicall(c, a->call, a->sp);
    begin_call(c, a->call, view);
}

static void emit_call(struct trace_capture *c, struct capture_call *call, uint64_t insns,
                      uint64_t cycles, uint64_t virtual_ns)
{
    struct trace_build *b = call->build;

    trace_build_at(b, insns, virtual_ns);
    trace_build_u64(b, TRACE_HYPERCALL_NUMBER, call->number);
    trace_build_u64(b, TRACE_HYPERCALL_DEPTH, call->depth);
    trace_build_u64(b, TRACE_HYPERCALL_INDEX, call->index);
    for (unsigned i = 0; i < ARRAY_LEN(call->arg); i++)
        trace_build_u64(b, TRACE_HYPERCALL_ARG1 + i, call->arg[i]);
    trace_build_u64(b, TRACE_HYPERCALL_RESULT,
                    call->end == TRACE_END_RETURNED ? (uint64_t)call->result : 0);
    trace_build_u64(b, TRACE_HYPERCALL_END, call->end);
    trace_build_u64(b, TRACE_HYPERCALL_ABI, 64);
    trace_build_u64(b, TRACE_HYPERCALL_SWITCHED, c->switches != call->switches);
    trace_build_u64(b, TRACE_HYPERCALL_DURATION_INSNS, insns - call->insns);
    trace_build_u64(b, TRACE_HYPERCALL_DURATION_CYCLES, cycles - call->cycles);
    trace_build_u64(b, TRACE_HYPERCALL_RIP, call->rip);
    if (c->want[TRACE_KIND_HYPERCALL])
        capture_emit(c, b);
}

static void complete(struct trace_capture *c, struct capture_call *call,
                     const struct base_guest_view *view)
{
    if (call->end == TRACE_END_RETURNED || call->end == TRACE_END_CONTINUED)
        capture_memory(c, call->build, call, view, 1);
    capture_derive(c, call, view);
    emit_call(c, call, view->insns, view->cycles,
              c->guest->virtual_ns(c->guest->user, view->cycles));
    capture_call_free(c, call);
}

static uint64_t or_arg(const struct activation *a, unsigned operand, uint64_t arg)
{
    return capture_knows(a, operand) ? a->value[operand] : arg;
}

void capture_hypercall_exit(struct trace_capture *c, struct activation *a,
                            const struct base_guest_view *view)
{
    struct capture_call *call = a->call;

    if (a->point->kind == TRACE_POINT_HYPERCALL) {
        uint64_t rip = or_arg(a, TRACE_HC_RIP_AFTER, call->rip);

        call->result = (int64_t)a->value[TRACE_HC_RESULT];
        call->count_after[0] = or_arg(a, TRACE_HC_ARG2_AFTER, call->arg[1]);
        call->count_after[1] = or_arg(a, TRACE_HC_ARG3_AFTER, call->arg[2]);
        call->end = call->number == __HYPERVISOR_iret    ? TRACE_END_NO_RETURN
                    : rip == call->rip                   ? TRACE_END_RETURNED
                    : rip == call->rip - SYSCALL_BYTES   ? TRACE_END_CONTINUED
                                                         : TRACE_END_NO_RETURN;
    } else {
        call->result = (int64_t)a->value[TRACE_MC_RESULT];
        call->count_after[0] = or_arg(a, TRACE_MC_ARG2_AFTER, call->arg[1]);
        call->count_after[1] = or_arg(a, TRACE_MC_ARG3_AFTER, call->arg[2]);
        call->end = capture_knows(a, TRACE_MC_CONTINUED) && a->value[TRACE_MC_CONTINUED]
                        ? TRACE_END_CONTINUED
                        : TRACE_END_RETURNED;
    }
    if (!capture_knows(a, a->point->kind == TRACE_POINT_HYPERCALL ? TRACE_HC_RESULT
                                                                  : (unsigned)TRACE_MC_RESULT))
        call->end = TRACE_END_NO_RETURN;
    complete(c, call, view);
}

void capture_hypercall_lost(struct trace_capture *c, struct capture_call *call, uint64_t insns,
                            uint64_t virtual_ns, unsigned vcpu)
{
    (void)vcpu; /* it stands in the event since the entry */
    call->end = TRACE_END_UNFINISHED;
    emit_call(c, call, insns, call->cycles, virtual_ns);
}

/* ---- hypervisors without a profile ---- */

static void on_guest_return(void *user, const struct base_guest_view *view)
{
    struct trace_capture *c = user;

    capture_note_vcpu(c, view->vcpu);
    for (unsigned i = 0; i < c->guest_calls->len; i++) {
        struct guest_call *g = &g_array_index(c->guest_calls, struct guest_call, i);
        struct capture_call *call = g->call;

        if (call->rip != view->rip || g->rsp != view->gpr[BASE_RSP] || view->cpl != 3)
            continue;
        g_array_remove_index(c->guest_calls, i);
        call->result = (int64_t)view->gpr[BASE_RAX];
        call->end = TRACE_END_RETURNED;
        complete(c, call, view);
        return;
    }
}

/* A call on the same stack was never going to return, or is executed again. */
static void guest_call_bury(struct trace_capture *c, uint64_t rip, uint64_t rsp,
                            const struct base_guest_view *view)
{
    for (unsigned i = c->guest_calls->len; i > 0; i--) {
        struct guest_call *g = &g_array_index(c->guest_calls, struct guest_call, i - 1);
        struct capture_call *call = g->call;
        bool again = g->rsp == rsp && call->rip == rip;

        if (!again && c->guest_calls->len < GUEST_CALLS_MAX)
            continue;
        call->end = again ? TRACE_END_CONTINUED : TRACE_END_UNFINISHED;
        emit_call(c, call, view->insns, view->cycles,
                  c->guest->virtual_ns(c->guest->user, view->cycles));
        capture_call_free(c, call);
        g_array_remove_index(c->guest_calls, i - 1);
    }
}

/*
 * SYSCALL from a guest's kernel is a hypercall, from its user space a system call.  Kernels live in
 * the upper half, but for small ones that live in the lower and have no user space; hypercall
 * numbers are below 64.
 */
static bool is_hypercall(struct trace_capture *c, const struct base_guest_view *view, uint64_t rip)
{
    bool high = rip >> 63 != 0;

    c->seen_high |= high;
    return view->cpl == 3 && (high || !c->seen_high) && view->gpr[BASE_RAX] < 64;
}

/* Hypercall instructions are few: a page of them, and some in line. */
static void watch_guest(struct trace_capture *c, uint64_t rip)
{
    for (unsigned i = 0; i < c->guest_returns->len; i++)
        if (g_array_index(c->guest_returns, uint64_t, i) == rip)
            return;
    if (c->guest_returns->len == GUEST_RETURNS_MAX) /* a guest that plays: not seen to return */
        return;
    g_array_append_val(c->guest_returns, rip);
    c->guest->add(c->guest->user, rip, on_guest_return, c);
}

void capture_guest_syscall(struct trace_capture *c, uint64_t rip)
{
    static const uint8_t order[6] = {BASE_RDI, BASE_RSI, BASE_RDX, BASE_R10, BASE_R8, BASE_R9};
    struct base_guest_view view;
    struct guest_call g;

    c->guest->view(c->guest->user, &view);
    capture_note_vcpu(c, view.vcpu);
    if (!is_hypercall(c, &view, rip))
        return;
    guest_call_bury(c, rip + SYSCALL_BYTES, view.gpr[BASE_RSP], &view);
    g = (struct guest_call){capture_call_new(c), view.gpr[BASE_RSP], view.vcpu};
    g.call->domid = TRACE_DOMID_UNKNOWN;
    g.call->dom_vcpu = TRACE_DOM_VCPU_UNKNOWN;
    g.call->number = view.gpr[BASE_RAX];
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        g.call->arg[i] = view.gpr[order[i]];
    g.call->rip = rip + SYSCALL_BYTES;
    g.call->rsp = view.gpr[BASE_RSP];
    begin_call(c, g.call, &view);
    if (g.call->number == __HYPERVISOR_iret) {
        g.call->end = TRACE_END_NO_RETURN;
        complete(c, g.call, &view);
        return;
    }
    g_array_append_val(c->guest_calls, g);
    watch_guest(c, g.call->rip);
}

void capture_guest_watch_again(struct trace_capture *c)
{
    for (unsigned i = 0; i < c->guest_returns->len; i++)
        c->guest->add(c->guest->user, g_array_index(c->guest_returns, uint64_t, i),
                      on_guest_return, c);
}

void capture_guest_calls_end(struct trace_capture *c, uint64_t insns, uint64_t virtual_ns)
{
    for (unsigned i = 0; i < c->guest_calls->len; i++) {
        struct guest_call *g = &g_array_index(c->guest_calls, struct guest_call, i);

        if (insns)
            capture_hypercall_lost(c, g->call, insns, virtual_ns, g->vcpu);
        capture_call_free(c, g->call);
    }
    g_array_set_size(c->guest_calls, 0);
    for (unsigned i = 0; i < c->guest_returns->len; i++)
        c->guest->remove(c->guest->user, g_array_index(c->guest_returns, uint64_t, i),
                         on_guest_return, c);
    g_array_set_size(c->guest_returns, 0);
}
