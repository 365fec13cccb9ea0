/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The points of a profile that are no hypercalls: page types, owners of frames, base pointers, event
 * channels, switches.
 */
#include "traces/capture_internal.h"
#include "traces/xen_public.h"

#define SCAN_FRAMES_MAX (16u << 20) /* 64 GiB */

static uint64_t or_else(const struct activation *a, unsigned operand, uint64_t otherwise)
{
    return capture_knows(a, operand) ? a->value[operand] : otherwise;
}

/* ---- page types ---- */

/* A frame's type word, taken apart. */
struct type_word {
    enum trace_page_type type;
    uint64_t count;
    bool validated;
};

static uint64_t of_word(struct trace_capture *c, const struct trace_expr *expr, uint64_t word)
{
    struct trace_expr_frame frame = {.guest = c->guest, .argument = word};
    uint64_t value;

    return expr && trace_expr_value(expr, &frame, &value) ? value : 0;
}

static struct type_word take_apart(struct trace_capture *c, uint64_t word)
{
    uint64_t index = of_word(c, c->profile->type_index, word);

    return (struct type_word){
        .type = index < ARRAY_LEN(c->profile->type_of)
                    ? (enum trace_page_type)c->profile->type_of[index]
                    : TRACE_PAGE_UNKNOWN,
        .count = of_word(c, c->profile->type_count, word),
        .validated = of_word(c, c->profile->type_validated, word) != 0};
}

static void page_event(struct trace_capture *c, const struct base_guest_view *view, uint64_t frame,
                       enum trace_take_drop op, uint64_t before, uint64_t after, uint64_t owner,
                       int64_t result)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_PAGE_TYPE, view);
    struct type_word old = take_apart(c, before), now = take_apart(c, after);

    trace_build_u64(b, TRACE_PAGE_TYPE_MFN, frame);
    trace_build_u64(b, TRACE_PAGE_TYPE_OP, op);
    trace_build_u64(b, TRACE_PAGE_TYPE_OLD, old.type);
    trace_build_u64(b, TRACE_PAGE_TYPE_NEW, now.type);
    trace_build_u64(b, TRACE_PAGE_TYPE_OLD_COUNT, old.count);
    trace_build_u64(b, TRACE_PAGE_TYPE_NEW_COUNT, now.count);
    trace_build_u64(b, TRACE_PAGE_TYPE_VALIDATED, now.validated);
    trace_build_u64(b, TRACE_PAGE_TYPE_OWNER, owner);
    trace_build_u64(b, TRACE_PAGE_TYPE_RESULT, (uint64_t)result);
    trace_build_u64(b, TRACE_PAGE_TYPE_RAW, after);
    capture_emit(c, b);
}

static void page_get_put(struct trace_capture *c, const struct activation *a,
                         const struct base_guest_view *view)
{
    if (!capture_knows(a, TRACE_PG_FRAME) || !capture_knows(a, TRACE_PG_WORD_AFTER))
        return;
    page_event(c, view, a->value[TRACE_PG_FRAME],
               a->point->kind == TRACE_POINT_PAGE_GET ? TRACE_TAKE : TRACE_DROP,
               a->value[TRACE_PG_WORD], a->value[TRACE_PG_WORD_AFTER],
               or_else(a, TRACE_PG_OWNER, TRACE_DOMID_UNKNOWN),
               (int64_t)a->value[TRACE_PG_RESULT]);
}

static void page_set(struct trace_capture *c, const struct activation *a,
                     const struct base_guest_view *view)
{
    if (capture_knows(a, TRACE_PS_FRAME) && capture_knows(a, TRACE_PS_WORD_AFTER))
        page_event(c, view, a->value[TRACE_PS_FRAME], TRACE_SET, 0, a->value[TRACE_PS_WORD_AFTER],
                   or_else(a, TRACE_PS_OWNER, TRACE_DOMID_UNKNOWN), 0);
}

/* The hypervisor has built a domain with its own hands: tell all frames that have references. */
static void page_scan(struct trace_capture *c, const struct activation *a,
                      const struct base_guest_view *view)
{
    struct trace_expr_frame frame = {.guest = c->guest, .entry = a->gpr, .exit = view->gpr};
    uint64_t first = a->value[TRACE_SCAN_FIRST], word, owner;
    uint64_t count = MIN(a->value[TRACE_SCAN_COUNT], SCAN_FRAMES_MAX);

    for (uint64_t i = 0; i < count; i++) {
        frame.argument = first + i;
        if (!trace_expr_value(a->point->operand[TRACE_SCAN_WORD], &frame, &word) ||
            !of_word(c, c->profile->type_count, word))
            continue;
        if (!a->point->operand[TRACE_SCAN_OWNER] ||
            !trace_expr_value(a->point->operand[TRACE_SCAN_OWNER], &frame, &owner))
            owner = TRACE_DOMID_UNKNOWN;
        page_event(c, view, first + i, TRACE_SET, 0, word, owner, 0);
    }
}

/* ---- owners ---- */

static void owner_event(struct trace_capture *c, const struct base_guest_view *view, uint64_t frame,
                        unsigned order, uint64_t old, uint64_t new)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_FRAME_OWNER, view);

    trace_build_u64(b, TRACE_FRAME_OWNER_MFN, frame);
    trace_build_u64(b, TRACE_FRAME_OWNER_ORDER, order);
    trace_build_u64(b, TRACE_FRAME_OWNER_OLD, old);
    trace_build_u64(b, TRACE_FRAME_OWNER_NEW, new);
    capture_emit(c, b);
}

/* A run of frames, as blocks whose size is a power of two. */
static void frame_owner(struct trace_capture *c, const struct activation *a,
                        const struct base_guest_view *view)
{
    bool assign = a->point->kind == TRACE_POINT_FRAME_ASSIGN;
    uint64_t domain = or_else(a, TRACE_FR_DOMAIN, TRACE_DOMID_UNKNOWN);
    uint64_t frame = a->value[TRACE_FR_FRAME], count = or_else(a, TRACE_FR_COUNT, 1);
    uint64_t old = or_else(a, TRACE_FR_OLD, assign ? DOMID_INVALID : domain);

    if (!capture_knows(a, TRACE_FR_FRAME) || !or_else(a, TRACE_FR_SUCCESS, 1))
        return;
    while (count) {
        unsigned order = 63u - (unsigned)__builtin_clzll(count);

        owner_event(c, view, frame, order, old, assign ? domain : DOMID_INVALID);
        frame += 1ull << order;
        count -= 1ull << order;
    }
}

/* What an inner function finds out for the grant copy around it. */
static void grant_frame(struct trace_capture *c, const struct activation *a)
{
    struct capture_grant_frame f = {(uint32_t)a->value[TRACE_GF_DOMAIN],
                                    (uint32_t)a->value[TRACE_GF_REF], a->value[TRACE_GF_FRAME]};
    struct activation *outer = capture_outer(c, a->sp, TRACE_POINT_MULTICALL_ENTRY);

    if (!outer)
        outer = capture_outer(c, a->sp, TRACE_POINT_HYPERCALL);
    if (!outer || !outer->call || !capture_knows(a, TRACE_GF_FRAME))
        return;
    if (!outer->call->grant_frame)
        outer->call->grant_frame = g_array_new(FALSE, FALSE, sizeof(f));
    if (outer->call->grant_frame->len < 4096)
        g_array_append_val(outer->call->grant_frame, f);
}

/* ---- page tables ---- */

static void cr3(struct trace_capture *c, const struct activation *a,
                const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_CR3, view);

    trace_build_u64(b, TRACE_CR3_OLD, or_else(a, TRACE_CR_OLD, 0));
    trace_build_u64(b, TRACE_CR3_NEW, a->value[TRACE_CR_NEW]);
    trace_build_u64(b, TRACE_CR3_WHICH, or_else(a, TRACE_CR_WHICH, TRACE_CR3_KERNEL));
    trace_build_u64(b, TRACE_CR3_RESULT, or_else(a, TRACE_CR_RESULT, 0));
    capture_emit(c, b);
}

static void pt_write(struct trace_capture *c, const struct activation *a,
                     const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_PT_WRITE, view);

    trace_build_u64(b, TRACE_PT_WRITE_VA, a->value[TRACE_PW_VA]);
    trace_build_u64(b, TRACE_PT_WRITE_MFN, or_else(a, TRACE_PW_MFN, 0));
    trace_build_u64(b, TRACE_PT_WRITE_LEVEL, or_else(a, TRACE_PW_LEVEL, 1));
    trace_build_u64(b, TRACE_PT_WRITE_OLD, or_else(a, TRACE_PW_OLD, 0));
    trace_build_u64(b, TRACE_PT_WRITE_NEW, or_else(a, TRACE_PW_NEW, 0));
    trace_build_u64(b, TRACE_PT_WRITE_SIZE, or_else(a, TRACE_PW_SIZE, 8));
    trace_build_u64(b, TRACE_PT_WRITE_RESULT, or_else(a, TRACE_PW_RESULT, 0));
    trace_build_u64(b, TRACE_PT_WRITE_RIP, or_else(a, TRACE_PW_RIP, 0));
    capture_emit(c, b);
}

static void tlb_flush(struct trace_capture *c, const struct activation *a,
                      const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_TLB_FLUSH, view);

    trace_build_u64(b, TRACE_TLB_FLUSH_SCOPE, or_else(a, TRACE_TF_SCOPE, TRACE_TLB_LOCAL));
    trace_build_u64(b, TRACE_TLB_FLUSH_VA, or_else(a, TRACE_TF_VA, 0));
    trace_build_u64(b, TRACE_TLB_FLUSH_ORDER, or_else(a, TRACE_TF_ORDER, 0));
    trace_build_u64(b, TRACE_TLB_FLUSH_CPUS, or_else(a, TRACE_TF_CPUS, 0));
    trace_build_u64(b, TRACE_TLB_FLUSH_FLAGS, or_else(a, TRACE_TF_FLAGS, 0));
    capture_emit(c, b);
}

/* ---- event channels ---- */

static void evtchn_send(struct trace_capture *c, const struct activation *a,
                        const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_EVTCHN_SEND, view);

    if (capture_knows(a, TRACE_ES_DOMAIN))
        trace_build_domain(b, (unsigned)a->value[TRACE_ES_DOMAIN] & 0xffff,
                           (unsigned)or_else(a, TRACE_ES_VCPU, TRACE_DOM_VCPU_UNKNOWN));
    trace_build_u64(b, TRACE_EVTCHN_SEND_PORT, a->value[TRACE_ES_PORT]);
    trace_build_u64(b, TRACE_EVTCHN_SEND_REMOTE,
                    a->has_pending ? a->pending[0] : TRACE_DOMID_UNKNOWN);
    trace_build_u64(b, TRACE_EVTCHN_SEND_REMOTE_VCPU, a->has_pending ? a->pending[1] : 0);
    trace_build_u64(b, TRACE_EVTCHN_SEND_REMOTE_PORT, a->has_pending ? a->pending[2] : 0);
    trace_build_u64(b, TRACE_EVTCHN_SEND_RESULT, a->value[TRACE_ES_RESULT]);
    capture_emit(c, b);
}

static void virq(struct trace_capture *c, const struct activation *a,
                 const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_VIRQ, view);

    trace_build_u64(b, TRACE_VIRQ_VIRQ, a->value[TRACE_VQ_VIRQ]);
    trace_build_u64(b, TRACE_VIRQ_TARGET, a->value[TRACE_VQ_TARGET]);
    trace_build_u64(b, TRACE_VIRQ_TARGET_VCPU,
                    or_else(a, TRACE_VQ_VCPU, a->has_pending ? a->pending[1] : 0));
    trace_build_u64(b, TRACE_VIRQ_PORT, a->has_pending ? a->pending[2] : 0);
    capture_emit(c, b);
}

/* A port becomes pending: the innermost sender or virq around it wants to know. */
static void evtchn_pending(struct trace_capture *c, const struct activation *a,
                           const struct base_guest_view *view)
{
    uint64_t sp = view->gpr[BASE_RSP];
    struct activation *send = capture_outer(c, sp, TRACE_POINT_EVTCHN_SEND);
    struct activation *raise = capture_outer(c, sp, TRACE_POINT_VIRQ);
    struct activation *outer = !send ? raise : !raise || send->sp < raise->sp ? send : raise;

    if (!outer || outer->has_pending)
        return;
    outer->has_pending = true;
    outer->pending[0] = a->value[TRACE_EP_DOMAIN];
    outer->pending[1] = or_else(a, TRACE_EP_VCPU, 0);
    outer->pending[2] = a->value[TRACE_EP_PORT];
}

static void upcall(struct trace_capture *c, const struct activation *a,
                   const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_UPCALL, view);

    trace_build_u64(b, TRACE_UPCALL_RIP, a->value[TRACE_UP_RIP]);
    trace_build_u64(b, TRACE_UPCALL_CALLBACK, or_else(a, TRACE_UP_CALLBACK, 0));
    trace_build_u64(b, TRACE_UPCALL_SELECTOR, or_else(a, TRACE_UP_SELECTOR, 0));
    capture_emit(c, b);
}

/* ---- who runs ---- */

static void switch_to(struct trace_capture *c, const struct activation *a,
                      const struct base_guest_view *view)
{
    uint64_t to = a->value[TRACE_SW_TO];
    uint64_t to_vcpu = or_else(a, TRACE_SW_TO_VCPU, TRACE_DOM_VCPU_UNKNOWN);
    struct trace_build *b;

    c->switches++;
    if (c->want[TRACE_KIND_SWITCH]) {
        b = capture_begin(c, TRACE_KIND_SWITCH, view);
        trace_build_domain(b, (unsigned)to & 0xffff, (unsigned)to_vcpu & 0xffff);
        trace_build_u64(b, TRACE_SWITCH_FROM, a->value[TRACE_SW_FROM]);
        trace_build_u64(b, TRACE_SWITCH_FROM_VCPU,
                        or_else(a, TRACE_SW_FROM_VCPU, TRACE_DOM_VCPU_UNKNOWN));
        trace_build_u64(b, TRACE_SWITCH_TO, to);
        trace_build_u64(b, TRACE_SWITCH_TO_VCPU, to_vcpu);
        capture_emit(c, b);
    }
    if (view->vcpu < CAPTURE_VCPUS_MAX)
        c->who[view->vcpu] = (struct capture_who){(unsigned)to & 0xffff, (unsigned)to_vcpu & 0xffff};
}

static void mode(struct trace_capture *c, const struct activation *a,
                 const struct base_guest_view *view)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_MODE, view);

    trace_build_u64(b, TRACE_MODE_TO, a->value[TRACE_MD_TO]);
    trace_build_u64(b, TRACE_MODE_RIP, or_else(a, TRACE_MD_RIP, 0));
    capture_emit(c, b);
}

void capture_point(struct trace_capture *c, struct activation *a,
                   const struct base_guest_view *view)
{
    if (a->point->required & ~a->known) /* counted as unreadable: no event that says 0 instead */
        return;
    switch (a->point->kind) {
    case TRACE_POINT_HYPERCALL: /* capture_call.c */
    case TRACE_POINT_MULTICALL_ENTRY:
    case TRACE_POINT_KINDS:
        break;
    case TRACE_POINT_PAGE_GET:
    case TRACE_POINT_PAGE_PUT:
        page_get_put(c, a, view);
        break;
    case TRACE_POINT_PAGE_SET:
        page_set(c, a, view);
        break;
    case TRACE_POINT_PAGE_SCAN:
        page_scan(c, a, view);
        break;
    case TRACE_POINT_FRAME_ASSIGN:
    case TRACE_POINT_FRAME_FREE:
        frame_owner(c, a, view);
        break;
    case TRACE_POINT_GRANT_FRAME:
        grant_frame(c, a);
        break;
    case TRACE_POINT_CR3:
        cr3(c, a, view);
        break;
    case TRACE_POINT_PT_WRITE:
        pt_write(c, a, view);
        break;
    case TRACE_POINT_TLB_FLUSH:
        tlb_flush(c, a, view);
        break;
    case TRACE_POINT_EVTCHN_SEND:
        evtchn_send(c, a, view);
        break;
    case TRACE_POINT_EVTCHN_PENDING:
        evtchn_pending(c, a, view);
        break;
    case TRACE_POINT_VIRQ:
        virq(c, a, view);
        break;
    case TRACE_POINT_UPCALL:
        upcall(c, a, view);
        break;
    case TRACE_POINT_SWITCH:
        switch_to(c, a, view);
        break;
    case TRACE_POINT_MODE:
        mode(c, a, view);
        break;
    }
}
