/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a capture remembers, visited: hypercalls and functions under way, mapped grants, who runs.
 *
 * A state comes from a file, so nothing of it is believed: counts have limits, indices are checked,
 * and what is not in order makes the state bad and the capture empty.
 */
#include <string.h>

#include "traces/capture_internal.h"

#define ITEMS_MAX (1u << 20)

static bool is_loading(const struct base_state *st)
{
    return st->mode == BASE_STATE_LOAD;
}

/* How many items follow; 0 when that cannot be. */
static uint32_t visit_count(struct base_state *st, uint32_t count, uint32_t max)
{
    BASE_STATE(st, count);
    if (count > max)
        st->bad = true;
    return st->bad ? 0 : count;
}

static void visit_flag(struct base_state *st, bool *flag)
{
    uint8_t v = *flag;

    BASE_STATE(st, v);
    *flag = v != 0;
}

/* ---- a hypercall under way ---- */

static void visit_blob(struct base_state *st, struct trace_build *b, struct trace_blob *blob)
{
    uint32_t offset = is_loading(st) ? 0 : (uint32_t)(blob->data - b->arena);

    BASE_STATE(st, blob->role);
    BASE_STATE(st, blob->stage);
    BASE_STATE(st, blob->gva);
    BASE_STATE(st, offset);
    BASE_STATE(st, blob->size_bytes);
    if (!is_loading(st))
        return;
    if (offset > b->used_bytes || blob->size_bytes > b->used_bytes - offset) {
        st->bad = true;
        blob->size_bytes = offset = 0;
    }
    blob->data = b->arena + offset;
}

static void visit_build(struct base_state *st, struct trace_build *b, unsigned vcpu)
{
    struct trace_value *memory = &b->event.value[TRACE_HYPERCALL_MEMORY];

    if (is_loading(st))
        trace_build_begin(b, TRACE_KIND_HYPERCALL, 0, 0, vcpu);
    b->used_bytes = visit_count(st, b->used_bytes, TRACE_BUILD_BYTES);
    base_state_bytes(st, b->arena, b->used_bytes);
    b->blobs = visit_count(st, b->blobs, TRACE_BUILD_BLOBS);
    for (unsigned i = 0; i < b->blobs; i++)
        visit_blob(st, b, &b->blob[i]);
    visit_flag(st, &b->cut);
    memory->u64 = b->blobs;
    memory->blob = b->blob;
}

static void visit_grant_frames(struct base_state *st, struct capture_call *call)
{
    uint32_t count = visit_count(st, call->grant_frame ? call->grant_frame->len : 0, 4096);

    if (is_loading(st) && count) {
        call->grant_frame = g_array_new(FALSE, TRUE, sizeof(struct capture_grant_frame));
        g_array_set_size(call->grant_frame, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct capture_grant_frame *f =
            &g_array_index(call->grant_frame, struct capture_grant_frame, i);

        BASE_STATE(st, f->domid);
        BASE_STATE(st, f->ref);
        BASE_STATE(st, f->mfn);
    }
}

static void visit_call(struct base_state *st, struct capture_call *call)
{
    uint32_t vcpu = call->build->event.vcpu;

    BASE_STATE(st, vcpu);
    BASE_STATE(st, call->number);
    BASE_STATE(st, call->arg);
    BASE_STATE(st, call->rip);
    BASE_STATE(st, call->rsp);
    BASE_STATE(st, call->insns);
    BASE_STATE(st, call->cycles);
    BASE_STATE(st, call->switches);
    BASE_STATE(st, call->user_root);
    BASE_STATE(st, call->domid);
    BASE_STATE(st, call->dom_vcpu);
    BASE_STATE(st, call->depth);
    BASE_STATE(st, call->index);
    BASE_STATE(st, call->entries);
    visit_build(st, call->build, vcpu);
    if (is_loading(st))
        trace_build_domain(call->build, call->domid, call->dom_vcpu);
    visit_grant_frames(st, call);
}

static void visit_maybe_call(struct trace_capture *c, struct base_state *st,
                             struct capture_call **call)
{
    bool has = *call != NULL;

    visit_flag(st, &has);
    if (is_loading(st))
        *call = has && !st->bad ? capture_call_new(c) : NULL;
    if (*call)
        visit_call(st, *call);
}

/* ---- functions under way ---- */

static void visit_point(struct trace_capture *c, struct base_state *st,
                        const struct trace_point **point)
{
    uint32_t index = 0;

    while (!is_loading(st) && c->users[index].point != *point)
        index++;
    BASE_STATE(st, index);
    if (!is_loading(st))
        return;
    if (index >= c->user_count)
        st->bad = true;
    else
        *point = c->users[index].point;
}

static void visit_activation(struct trace_capture *c, struct base_state *st, struct activation *a)
{
    visit_point(c, st, &a->point);
    BASE_STATE(st, a->sp);
    BASE_STATE(st, a->ra);
    BASE_STATE(st, a->gpr);
    BASE_STATE(st, a->value);
    BASE_STATE(st, a->known);
    visit_flag(st, &a->has_pending);
    BASE_STATE(st, a->pending);
    visit_maybe_call(c, st, &a->call);
    if (is_loading(st) && !st->bad && !a->call != !capture_is_call(a->point))
        st->bad = true;
}

static void visit_stack(struct trace_capture *c, struct base_state *st, struct capture_stack *s)
{
    uint32_t count;

    BASE_STATE(st, s->base);
    count = visit_count(st, s->active->len, ITEMS_MAX);
    for (uint32_t i = 0; i < count && !st->bad; i++) {
        struct activation new_one = {.point = NULL};

        if (is_loading(st)) {
            visit_activation(c, st, &new_one);
            g_array_append_val(s->active, new_one);
        } else {
            visit_activation(c, st, &g_array_index(s->active, struct activation, i));
        }
    }
}

static void visit_stacks(struct trace_capture *c, struct base_state *st)
{
    uint32_t count = visit_count(st, c->stacks->len, ITEMS_MAX);

    for (uint32_t i = 0; i < count && !st->bad; i++) {
        if (is_loading(st)) {
            struct capture_stack s = {
                .active = g_array_new(FALSE, FALSE, sizeof(struct activation))};

            g_array_append_val(c->stacks, s);
        }
        visit_stack(c, st, &g_array_index(c->stacks, struct capture_stack, i));
    }
}

/* ---- the rest ---- */

static void visit_addresses(struct base_state *st, GArray *list)
{
    uint32_t count = visit_count(st, list->len, ITEMS_MAX);

    for (uint32_t i = 0; i < count && !st->bad; i++) {
        uint64_t va = is_loading(st) ? 0 : g_array_index(list, uint64_t, i);

        BASE_STATE(st, va);
        if (is_loading(st))
            g_array_append_val(list, va);
    }
}

static void visit_mappings(struct trace_capture *c, struct base_state *st)
{
    uint32_t count = visit_count(st, c->mappings->len, ITEMS_MAX);
    uint64_t last = 0;

    for (uint32_t i = 0; i < count && !st->bad; i++) {
        struct capture_mapping m = {0};

        if (!is_loading(st))
            m = g_array_index(c->mappings, struct capture_mapping, i);
        BASE_STATE(st, m.key);
        BASE_STATE(st, m.granter);
        BASE_STATE(st, m.ref);
        BASE_STATE(st, m.mfn);
        BASE_STATE(st, m.halves);
        if (i && m.key <= last)
            st->bad = true;
        last = m.key;
        if (is_loading(st))
            g_array_append_val(c->mappings, m);
    }
}

static void visit_guest_calls(struct trace_capture *c, struct base_state *st)
{
    uint32_t count = visit_count(st, c->guest_calls->len, ITEMS_MAX);

    for (uint32_t i = 0; i < count && !st->bad; i++) {
        struct guest_call g = {0};

        if (!is_loading(st))
            g = g_array_index(c->guest_calls, struct guest_call, i);
        BASE_STATE(st, g.rsp);
        BASE_STATE(st, g.vcpu);
        visit_maybe_call(c, st, &g.call);
        if (is_loading(st) && g.call)
            g_array_append_val(c->guest_calls, g);
    }
}

static void visit_console(struct trace_capture *c, struct base_state *st)
{
    uint32_t size = visit_count(st, (uint32_t)c->console->len, 4096);

    if (is_loading(st))
        g_string_set_size(c->console, size);
    base_state_bytes(st, c->console->str, size);
}

static void visit_who(struct trace_capture *c, struct base_state *st)
{
    for (unsigned i = 0; i < CAPTURE_VCPUS_MAX; i++) {
        BASE_STATE(st, c->who[i].domid);
        BASE_STATE(st, c->who[i].dom_vcpu);
    }
    BASE_STATE(st, c->switches);
    BASE_STATE(st, c->last_vcpu);
    visit_flag(st, &c->seen_high);
    BASE_STATE(st, c->counts.abandoned);
    BASE_STATE(st, c->counts.cut);
    BASE_STATE(st, c->counts.unreadable);
}

void trace_capture_state(struct trace_capture *c, struct base_state *st)
{
    if (is_loading(st))
        capture_forget(c);
    base_state_tag(st, "capture");
    visit_who(c, st);
    visit_console(c, st);
    visit_mappings(c, st);
    visit_addresses(st, c->return_list);
    visit_addresses(st, c->guest_returns);
    visit_stacks(c, st);
    visit_guest_calls(c, st);
    if (!is_loading(st))
        return;
    if (st->bad)
        capture_forget(c);
    capture_watch_again(c);
}
