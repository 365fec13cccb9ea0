/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of the hypervisor: noticing that one is entered, and that it returns.
 *
 * A point's execution point fires at its function's first instruction.  The return address lies at
 * RSP; an execution point is put there too, and stays: call sites are few.  When it fires, RSP says
 * which call has returned.
 *
 *     entry: push          return: RSP == sp + 8, address == ra: pop
 *
 * Invariants
 *  (1) Each stack of the hypervisor (an aligned block of stack_bytes) has a list of activations
 *      of its own, with falling sp.  So vCPUs, and hypervisors with a stack for each guest's vCPU,
 *      cannot be mixed up.
 *  (2) An activation whose sp lies at or below that of a function entered later, or below an RSP
 *      that has returned, is dead: the hypervisor has thrown the stack's contents away (Xen does so
 *      when it switches to another vCPU).  It is dropped, counted, and told if it is a hypercall.
 *  (3) Two functions with one sp and one return address: the first has jumped to the second.  Both
 *      return at once, the second first.  The same function again: the first was thrown away.
 */
#include "traces/capture_internal.h"

#include <string.h>

#include "sim/base/assert.h"

/* ---- builders ---- */

struct trace_build *capture_builder_take(struct trace_capture *c)
{
    if (c->builders->len == 0)
        return g_new0(struct trace_build, 1);
    return g_ptr_array_steal_index_fast(c->builders, c->builders->len - 1);
}

void capture_builder_give(struct trace_capture *c, struct trace_build *b)
{
    g_ptr_array_add(c->builders, b);
}

/* ---- events ---- */

void capture_note_vcpu(struct trace_capture *c, unsigned vcpu)
{
    if (c->last_vcpu != vcpu) {
        c->last_vcpu = vcpu;
        c->switches++;
    }
}

void capture_who_runs(struct trace_capture *c, const struct base_guest_view *view,
                      unsigned *domid, unsigned *dom_vcpu)
{
    struct trace_expr_frame frame = {.guest = c->guest, .entry = view->gpr};
    uint64_t value;

    *domid = TRACE_DOMID_UNKNOWN;
    *dom_vcpu = TRACE_DOM_VCPU_UNKNOWN;
    if (c->profile && c->profile->domid && trace_expr_value(c->profile->domid, &frame, &value))
        *domid = (unsigned)value & 0xffff;
    if (c->profile && c->profile->dom_vcpu &&
        trace_expr_value(c->profile->dom_vcpu, &frame, &value))
        *dom_vcpu = (unsigned)value & 0xffff;
    if (view->vcpu < CAPTURE_VCPUS_MAX)
        c->who[view->vcpu] = (struct capture_who){*domid, *dom_vcpu};
}

struct trace_build *capture_begin(struct trace_capture *c, enum trace_kind_id kind,
                                  const struct base_guest_view *view)
{
    unsigned domid, dom_vcpu;

    capture_who_runs(c, view, &domid, &dom_vcpu);
    trace_build_begin(c->scratch, kind, view->insns,
                      c->guest->virtual_ns(c->guest->user, view->cycles), view->vcpu);
    trace_build_domain(c->scratch, domid, dom_vcpu);
    return c->scratch;
}

void capture_emit(struct trace_capture *c, struct trace_build *b)
{
    c->counts.cut += b->cut;
    trace_sink_event(&c->sink, trace_build_end(b));
}

/* ---- stacks ---- */

static struct capture_stack *stack_of(struct trace_capture *c, uint64_t sp)
{
    uint64_t base = sp & ~(c->profile->stack_bytes - 1);
    struct capture_stack new_stack = {.base = base};
    struct capture_stack *s;

    if (c->last_stack < c->stacks->len) {
        s = &g_array_index(c->stacks, struct capture_stack, c->last_stack);
        if (s->base == base)
            return s;
    }
    for (c->last_stack = 0; c->last_stack < c->stacks->len; c->last_stack++) {
        s = &g_array_index(c->stacks, struct capture_stack, c->last_stack);
        if (s->base == base)
            return s;
    }
    new_stack.active = g_array_new(FALSE, FALSE, sizeof(struct activation));
    g_array_append_val(c->stacks, new_stack);
    return &g_array_index(c->stacks, struct capture_stack, c->last_stack);
}

static struct activation *top_of(struct capture_stack *s)
{
    return s->active->len ? &g_array_index(s->active, struct activation, s->active->len - 1) : NULL;
}

struct activation *capture_outer(struct trace_capture *c, uint64_t sp, enum trace_point_kind kind)
{
    struct capture_stack *s = stack_of(c, sp);

    for (unsigned i = s->active->len; i > 0; i--) {
        struct activation *a = &g_array_index(s->active, struct activation, i - 1);

        if (a->point->kind == kind && a->sp > sp)
            return a;
    }
    return NULL;
}

static void drop_top(struct trace_capture *c, struct capture_stack *s,
                     const struct base_guest_view *view)
{
    struct activation *a = top_of(s);

    c->counts.abandoned++;
    if (a->call) {
        capture_hypercall_lost(c, a->call, view->insns,
                               c->guest->virtual_ns(c->guest->user, view->cycles), view->vcpu);
        capture_call_free(c, a->call);
    }
    g_array_set_size(s->active, s->active->len - 1);
}

/* ---- operands ---- */

static void evaluate(struct trace_capture *c, struct activation *a, bool at_exit,
                     const struct base_guest_view *view)
{
    struct trace_expr_frame frame = {
        .guest = c->guest, .entry = at_exit ? a->gpr : view->gpr, .exit = at_exit ? view->gpr : NULL};
    unsigned count;
    const struct trace_operand *o = trace_point_operands(a->point->kind, &count);

    for (unsigned i = 0; i < count; i++) {
        if (!a->point->operand[i] || o[i].at_exit != at_exit)
            continue;
        if (trace_expr_value(a->point->operand[i], &frame, &a->value[i]))
            a->known |= 1u << i;
        else
            c->counts.unreadable++;
    }
}

static bool applies(struct trace_capture *c, const struct trace_point *point,
                    const struct base_guest_view *view)
{
    struct trace_expr_frame frame = {.guest = c->guest, .entry = view->gpr};
    uint64_t value;

    return !point->when || (trace_expr_value(point->when, &frame, &value) && value);
}

/* ---- entry and return ---- */

bool capture_is_call(const struct trace_point *point)
{
    return point->kind == TRACE_POINT_HYPERCALL || point->kind == TRACE_POINT_MULTICALL_ENTRY;
}

static void on_return(void *user, const struct base_guest_view *view);

static void watch_return(struct trace_capture *c, uint64_t ra)
{
    if (g_hash_table_contains(c->returns, &ra))
        return;
    g_hash_table_add(c->returns, g_memdup2(&ra, sizeof(ra)));
    g_array_append_val(c->return_list, ra);
    c->guest->add(c->guest->user, ra, on_return, c);
}

/* Those that the new function's stack use shows to be dead. */
static void bury(struct trace_capture *c, struct capture_stack *s, const struct trace_point *point,
                 uint64_t sp, uint64_t ra, const struct base_guest_view *view)
{
    const struct activation *a;

    while ((a = top_of(s)) != NULL &&
           (a->sp < sp || (a->sp == sp && (a->ra != ra || a->point == point))))
        drop_top(c, s, view);
}

static void on_entry(void *user, const struct base_guest_view *view)
{
    const struct point_user *u = user;
    struct trace_capture *c = u->capture;
    struct activation a = {.point = u->point, .sp = view->gpr[BASE_RSP]};
    struct capture_stack *s;

    capture_note_vcpu(c, view->vcpu);
    if (view->cpl != 0 || !applies(c, u->point, view))
        return;
    evaluate(c, &a, false, view);
    if (!u->point->exits) {
        capture_point(c, &a, view);
        return;
    }
    if (c->guest->read(c->guest->user, a.sp, &a.ra, sizeof(a.ra)) != sizeof(a.ra)) {
        c->counts.unreadable++;
        return;
    }
    memcpy(a.gpr, view->gpr, sizeof(a.gpr));
    s = stack_of(c, a.sp);
    bury(c, s, u->point, a.sp, a.ra, view);
    if (capture_is_call(u->point))
        capture_hypercall_entry(c, &a, view);
    s = stack_of(c, a.sp);
    g_array_append_val(s->active, a);
    watch_return(c, a.ra);
}

static void on_return(void *user, const struct base_guest_view *view)
{
    struct trace_capture *c = user;
    uint64_t sp = view->gpr[BASE_RSP] - sizeof(uint64_t);
    struct capture_stack *s = stack_of(c, sp);
    struct activation *top;

    capture_note_vcpu(c, view->vcpu);
    while ((top = top_of(s)) != NULL && top->sp < sp)
        drop_top(c, s, view);
    while ((top = top_of(s)) != NULL && top->sp == sp && top->ra == view->rip) {
        struct activation a = *top;

        g_array_set_size(s->active, s->active->len - 1);
        evaluate(c, &a, true, view);
        if (a.call)
            capture_hypercall_exit(c, &a, view);
        else
            capture_point(c, &a, view);
        s = stack_of(c, sp);
    }
}

/* ---- attaching ---- */

/* The kinds of events that a kind of point is needed for. */
static bool needs_point(const struct trace_capture *c, enum trace_point_kind kind)
{
    const bool *want = c->want;

    switch (kind) {
    case TRACE_POINT_HYPERCALL:
    case TRACE_POINT_MULTICALL_ENTRY:
        return want[TRACE_KIND_HYPERCALL] || want[TRACE_KIND_PIN] || want[TRACE_KIND_CR3] ||
               want[TRACE_KIND_GRANT_MAP] || want[TRACE_KIND_GRANT_UNMAP] ||
               want[TRACE_KIND_GRANT_COPY] || want[TRACE_KIND_GRANT_TRANSFER] ||
               want[TRACE_KIND_DOMAIN] || want[TRACE_KIND_EVTCHN_SEND] ||
               want[TRACE_KIND_TLB_FLUSH];
    case TRACE_POINT_PAGE_GET:
    case TRACE_POINT_PAGE_PUT:
    case TRACE_POINT_PAGE_SET:
    case TRACE_POINT_PAGE_SCAN:
        return want[TRACE_KIND_PAGE_TYPE];
    case TRACE_POINT_FRAME_ASSIGN:
    case TRACE_POINT_FRAME_FREE:
        return want[TRACE_KIND_FRAME_OWNER];
    case TRACE_POINT_GRANT_FRAME:
        return want[TRACE_KIND_GRANT_COPY];
    case TRACE_POINT_CR3:
        return want[TRACE_KIND_CR3];
    case TRACE_POINT_PT_WRITE:
        return want[TRACE_KIND_PT_WRITE];
    case TRACE_POINT_TLB_FLUSH:
        return want[TRACE_KIND_TLB_FLUSH];
    case TRACE_POINT_EVTCHN_SEND:
        return want[TRACE_KIND_EVTCHN_SEND];
    case TRACE_POINT_EVTCHN_PENDING:
        return want[TRACE_KIND_EVTCHN_SEND] || want[TRACE_KIND_VIRQ];
    case TRACE_POINT_VIRQ:
        return want[TRACE_KIND_VIRQ];
    case TRACE_POINT_UPCALL:
        return want[TRACE_KIND_UPCALL];
    case TRACE_POINT_SWITCH: /* always: it says who runs */
        return true;
    case TRACE_POINT_MODE:
        return want[TRACE_KIND_MODE];
    case TRACE_POINT_KINDS:
        break;
    }
    return false;
}

static void attach_points(struct trace_capture *c)
{
    GPtrArray *points = c->profile->points;

    c->users = g_new0(struct point_user, points->len);
    for (unsigned i = 0; i < points->len; i++) {
        const struct trace_point *point = g_ptr_array_index(points, i);

        c->sees_multicall_entries |= point->kind == TRACE_POINT_MULTICALL_ENTRY;
        c->sees_cr3 |= point->kind == TRACE_POINT_CR3;
        c->sees_flushes |= point->kind == TRACE_POINT_TLB_FLUSH;
        c->sees_sends |= point->kind == TRACE_POINT_EVTCHN_SEND;
        if (!needs_point(c, point->kind))
            continue;
        c->users[c->user_count] = (struct point_user){c, point};
        c->guest->add(c->guest->user, point->address, on_entry, &c->users[c->user_count]);
        c->user_count++;
    }
}

struct trace_capture *trace_capture_new(const struct trace_capture_config *config)
{
    struct trace_capture *c = g_new0(struct trace_capture, 1);

    c->guest = config->guest;
    c->profile = config->profile;
    c->sink = config->sink;
    memcpy(c->want, config->want, sizeof(c->want));
    c->returns = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    c->return_list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->stacks = g_array_new(FALSE, FALSE, sizeof(struct capture_stack));
    c->builders = g_ptr_array_new_with_free_func(g_free);
    c->scratch = g_new0(struct trace_build, 1);
    c->mappings = g_array_new(FALSE, FALSE, sizeof(struct capture_mapping));
    c->guest_calls = g_array_new(FALSE, FALSE, sizeof(struct guest_call));
    c->guest_returns = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->console = g_string_new("");
    for (unsigned i = 0; i < CAPTURE_VCPUS_MAX; i++)
        c->who[i] = (struct capture_who){TRACE_DOMID_UNKNOWN, TRACE_DOM_VCPU_UNKNOWN};
    if (c->profile)
        attach_points(c);
    return c;
}

static void clear_stacks(struct trace_capture *c)
{
    for (unsigned i = 0; i < c->stacks->len; i++) {
        struct capture_stack *s = &g_array_index(c->stacks, struct capture_stack, i);

        for (unsigned k = 0; k < s->active->len; k++)
            capture_call_free(c, g_array_index(s->active, struct activation, k).call);
        g_array_free(s->active, TRUE);
    }
    g_array_set_size(c->stacks, 0);
}

static void remove_returns(struct trace_capture *c)
{
    for (unsigned i = 0; i < c->return_list->len; i++)
        c->guest->remove(c->guest->user, g_array_index(c->return_list, uint64_t, i), on_return, c);
    g_array_set_size(c->return_list, 0);
    g_hash_table_remove_all(c->returns);
}

void capture_forget(struct trace_capture *c)
{
    remove_returns(c);
    capture_guest_calls_end(c, 0, 0);
    clear_stacks(c);
    g_array_set_size(c->mappings, 0);
    g_string_truncate(c->console, 0);
}

void capture_watch_again(struct trace_capture *c)
{
    for (unsigned i = 0; i < c->return_list->len; i++) {
        uint64_t ra = g_array_index(c->return_list, uint64_t, i);

        g_hash_table_add(c->returns, g_memdup2(&ra, sizeof(ra)));
        c->guest->add(c->guest->user, ra, on_return, c);
    }
    capture_guest_watch_again(c);
}

void trace_capture_free(struct trace_capture *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->user_count; i++)
        c->guest->remove(c->guest->user, c->users[i].point->address, on_entry, &c->users[i]);
    capture_forget(c);
    g_array_free(c->stacks, TRUE);
    g_array_free(c->return_list, TRUE);
    g_hash_table_destroy(c->returns);
    g_ptr_array_free(c->builders, TRUE);
    g_array_free(c->mappings, TRUE);
    g_array_free(c->guest_calls, TRUE);
    g_array_free(c->guest_returns, TRUE);
    g_string_free(c->console, TRUE);
    g_free(c->scratch);
    g_free(c->users);
    g_free(c);
}

void trace_capture_finish(struct trace_capture *c, uint64_t insns, uint64_t virtual_ns)
{
    struct base_probe_at at = {insns, virtual_ns, c->last_vcpu};

    capture_console_flush(c, &at);
    for (unsigned i = 0; i < c->stacks->len; i++) {
        struct capture_stack *s = &g_array_index(c->stacks, struct capture_stack, i);

        for (unsigned k = s->active->len; k > 0; k--) {
            struct activation *a = &g_array_index(s->active, struct activation, k - 1);

            if (a->call)
                capture_hypercall_lost(c, a->call, insns, virtual_ns, c->last_vcpu);
        }
    }
    clear_stacks(c);
    capture_guest_calls_end(c, insns, virtual_ns);
}

bool trace_capture_makes(const struct trace_profile *profile, enum trace_kind_id kind)
{
    struct trace_capture probe = {.want = {false}};

    switch (kind) {
    case TRACE_KIND_HYPERCALL:
    case TRACE_KIND_PIN:
    case TRACE_KIND_CR3:
    case TRACE_KIND_TLB_FLUSH:
    case TRACE_KIND_GRANT_MAP:
    case TRACE_KIND_GRANT_UNMAP:
    case TRACE_KIND_GRANT_COPY:
    case TRACE_KIND_GRANT_TRANSFER:
    case TRACE_KIND_EVTCHN_SEND:
    case TRACE_KIND_EXCEPTION:
    case TRACE_KIND_INTERRUPT:
    case TRACE_KIND_DEMAND_WALK:
    case TRACE_KIND_CONSOLE:
    case TRACE_KIND_PORT:
    case TRACE_KIND_MMIO:
    case TRACE_KIND_DOMAIN:
        return true;
    case TRACE_KIND_DMA:
    case TRACE_KIND_INPUT:
    case TRACE_KIND_NOTE:
        return false;
    default:
        break;
    }
    probe.want[kind] = true;
    for (unsigned i = 0; profile && i < profile->points->len; i++) {
        const struct trace_point *point = g_ptr_array_index(profile->points, i);

        if (needs_point(&probe, point->kind) &&
            (point->kind != TRACE_POINT_SWITCH || kind == TRACE_KIND_SWITCH))
            return true;
    }
    return false;
}

void trace_capture_get_counts(const struct trace_capture *c, struct trace_capture_counts *out)
{
    *out = c->counts;
}
