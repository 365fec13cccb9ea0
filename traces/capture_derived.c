/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that follow from a complete hypercall: from the structures of its arguments, its result,
 * and what it has written back.  Hypervisors need not be known for them.
 *
 * Of an array of requests the first are done, one may have failed, the rest has not been looked
 * at.  How many are done is what *done says if the guest wants to know; else all, if the result is
 * 0; else none but a failing single one is told.
 */
#include <string.h>

#include "traces/capture_internal.h"
#include "traces/xen_public.h"

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>

/* The first blob of that role and stage. */
static const struct trace_blob *blob_of(const struct capture_call *call, enum trace_role role,
                                        unsigned stage)
{
    const struct trace_build *b = call->build;

    for (unsigned i = 0; i < b->blobs; i++)
        if (b->blob[i].role == role && b->blob[i].stage == stage)
            return &b->blob[i];
    return NULL;
}

/* How many requests were done, and whether the one after them has failed. */
struct progress {
    uint64_t done;
    bool failed;
};

static bool done_counter(const struct capture_call *call, unsigned stage, uint32_t *value)
{
    const struct trace_blob *blob = blob_of(call, TRACE_ROLE_DATA, stage);

    if (!blob || blob->size_bytes != sizeof(*value))
        return false;
    memcpy(value, blob->data, sizeof(*value));
    return true;
}

static struct progress progress_of(const struct capture_call *call)
{
    uint64_t count = call->arg[1] & 0x7fffffff, after = call->count_after[0] & 0x7fffffff;
    uint32_t before_done, after_done;

    if (call->end == TRACE_END_CONTINUED)
        return (struct progress){after <= count ? count - after : 0, false};
    if (call->result == 0)
        return (struct progress){count, false};
    if (done_counter(call, 0, &before_done) && done_counter(call, 1, &after_done) &&
        after_done - before_done <= count)
        return (struct progress){after_done - before_done, true};
    return (struct progress){0, count == 1};
}

/* ---- mmuext_op ---- */

static void pin(struct trace_capture *c, const struct capture_call *call,
                const struct base_guest_view *view, const struct mmuext_op *op, int64_t result)
{
    struct trace_build *b;

    if (!c->want[TRACE_KIND_PIN])
        return;
    b = capture_begin(c, TRACE_KIND_PIN, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_PIN_MFN, op->arg1.mfn);
    if (op->cmd == MMUEXT_UNPIN_TABLE) {
        trace_build_u64(b, TRACE_PIN_OP, TRACE_PIN_OP_UNPIN);
        trace_build_u64(b, TRACE_PIN_TYPE, TRACE_PAGE_UNKNOWN);
    } else {
        trace_build_u64(b, TRACE_PIN_OP, TRACE_PIN_OP_PIN);
        trace_build_u64(b, TRACE_PIN_TYPE, TRACE_PAGE_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE));
    }
    trace_build_u64(b, TRACE_PIN_OWNER,
                    (call->arg[3] & 0xffff) == DOMID_SELF ? call->domid : call->arg[3] & 0xffff);
    trace_build_u64(b, TRACE_PIN_RESULT, (uint64_t)result);
    capture_emit(c, b);
}

static void base_pointer(struct trace_capture *c, const struct capture_call *call,
                         const struct base_guest_view *view, const struct mmuext_op *op,
                         int64_t result)
{
    bool user = op->cmd == MMUEXT_NEW_USER_BASEPTR;
    struct trace_build *b;

    if (!c->want[TRACE_KIND_CR3] || (!user && c->sees_cr3))
        return;
    b = capture_begin(c, TRACE_KIND_CR3, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_CR3_OLD, user ? call->user_root : 0);
    trace_build_u64(b, TRACE_CR3_NEW, op->arg1.mfn);
    trace_build_u64(b, TRACE_CR3_WHICH, user ? TRACE_CR3_USER : TRACE_CR3_KERNEL);
    trace_build_u64(b, TRACE_CR3_RESULT, (uint64_t)result);
    capture_emit(c, b);
}

static void flush(struct trace_capture *c, const struct capture_call *call,
                  const struct base_guest_view *view, const struct mmuext_op *op)
{
    bool page = op->cmd == MMUEXT_INVLPG_LOCAL || op->cmd == MMUEXT_INVLPG_MULTI ||
                op->cmd == MMUEXT_INVLPG_ALL;
    struct trace_build *b;

    if (!c->want[TRACE_KIND_TLB_FLUSH] || c->sees_flushes)
        return;
    b = capture_begin(c, TRACE_KIND_TLB_FLUSH, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_TLB_FLUSH_SCOPE,
                    page                                  ? TRACE_TLB_PAGE
                    : op->cmd == MMUEXT_TLB_FLUSH_LOCAL ? TRACE_TLB_LOCAL
                                                          : TRACE_TLB_MASK);
    trace_build_u64(b, TRACE_TLB_FLUSH_VA, page ? op->arg1.linear_addr : 0);
    capture_emit(c, b);
}

static void mmuext_op(struct trace_capture *c, const struct capture_call *call,
                      const struct base_guest_view *view)
{
    const struct trace_blob *blob = blob_of(call, TRACE_ROLE_MMUEXT_OP, 0);
    struct progress p = progress_of(call);
    struct mmuext_op op;

    for (uint64_t i = 0; blob && (i + 1) * sizeof(op) <= blob->size_bytes; i++) {
        int64_t result = i < p.done ? 0 : call->result;

        if (i > p.done || (i == p.done && !p.failed))
            break;
        memcpy(&op, blob->data + i * sizeof(op), sizeof(op));
        if (op.cmd <= MMUEXT_UNPIN_TABLE)
            pin(c, call, view, &op, result);
        else if (op.cmd == MMUEXT_NEW_BASEPTR || op.cmd == MMUEXT_NEW_USER_BASEPTR)
            base_pointer(c, call, view, &op, result);
        else if (op.cmd >= MMUEXT_TLB_FLUSH_LOCAL && op.cmd <= MMUEXT_INVLPG_ALL && result == 0)
            flush(c, call, view, &op);
    }
}

/* ---- grants ---- */

static unsigned mapping_place(const struct trace_capture *c, uint64_t key)
{
    unsigned low = 0, high = c->mappings->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (g_array_index(c->mappings, struct capture_mapping, middle).key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct capture_mapping *mapping_of(struct trace_capture *c, uint64_t key)
{
    unsigned i = mapping_place(c, key);

    if (i == c->mappings->len || g_array_index(c->mappings, struct capture_mapping, i).key != key)
        return NULL;
    return &g_array_index(c->mappings, struct capture_mapping, i);
}

static void mapping_add(struct trace_capture *c, const struct capture_mapping *m)
{
    struct capture_mapping *old = mapping_of(c, m->key);

    if (old)
        *old = *m; /* the mapper died, and its handles with it */
    else
        g_array_insert_vals(c->mappings, mapping_place(c, m->key), m, 1);
}

static uint64_t mapping_key(const struct capture_call *call, uint32_t handle)
{
    return (uint64_t)call->domid << 32 | handle;
}

static void grant_map(struct trace_capture *c, const struct capture_call *call,
                      const struct base_guest_view *view, const void *data)
{
    struct gnttab_map_grant_ref op;
    struct trace_build *b;
    uint64_t mfn;

    memcpy(&op, data, sizeof(op));
    mfn = op.status == GNTST_okay ? op.dev_bus_addr >> PAGE_SHIFT : 0;
    if (op.status == GNTST_okay)
        mapping_add(c, &(struct capture_mapping){mapping_key(call, op.handle), op.dom, op.ref, mfn,
                                                 op.flags & (GNTMAP_device_map | GNTMAP_host_map)});
    if (!c->want[TRACE_KIND_GRANT_MAP])
        return;
    b = capture_begin(c, TRACE_KIND_GRANT_MAP, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_GRANT_MAP_GRANTER, op.dom);
    trace_build_u64(b, TRACE_GRANT_MAP_MAPPER, call->domid);
    trace_build_u64(b, TRACE_GRANT_MAP_REF, op.ref);
    trace_build_u64(b, TRACE_GRANT_MAP_MFN, mfn);
    trace_build_u64(b, TRACE_GRANT_MAP_HOST_ADDR, op.host_addr);
    trace_build_u64(b, TRACE_GRANT_MAP_FLAGS, op.flags);
    trace_build_u64(b, TRACE_GRANT_MAP_HANDLE, op.status == GNTST_okay ? op.handle : 0);
    trace_build_u64(b, TRACE_GRANT_MAP_STATUS, (uint64_t)(int64_t)op.status);
    capture_emit(c, b);
}

/* A mapping for host and device is gone when both are. */
static void mapping_drop(struct trace_capture *c, uint64_t key, uint32_t halves)
{
    struct capture_mapping *m = mapping_of(c, key);

    if (!m)
        return;
    m->halves &= ~halves;
    if (!m->halves)
        g_array_remove_index(c->mappings, mapping_place(c, key));
}

static void grant_unmap(struct trace_capture *c, const struct capture_call *call,
                        const struct base_guest_view *view, uint64_t host_addr, uint64_t bus_addr,
                        uint32_t handle, int16_t status)
{
    uint64_t key = mapping_key(call, handle);
    const struct capture_mapping *m = mapping_of(c, key);
    struct trace_build *b;

    if (c->want[TRACE_KIND_GRANT_UNMAP]) {
        b = capture_begin(c, TRACE_KIND_GRANT_UNMAP, view);
        trace_build_domain(b, call->domid, call->dom_vcpu);
        trace_build_u64(b, TRACE_GRANT_UNMAP_GRANTER, m ? m->granter : TRACE_DOMID_UNKNOWN);
        trace_build_u64(b, TRACE_GRANT_UNMAP_MAPPER, call->domid);
        trace_build_u64(b, TRACE_GRANT_UNMAP_REF, m ? m->ref : 0);
        trace_build_u64(b, TRACE_GRANT_UNMAP_MFN, m ? m->mfn : 0);
        trace_build_u64(b, TRACE_GRANT_UNMAP_HOST_ADDR, host_addr);
        trace_build_u64(b, TRACE_GRANT_UNMAP_HANDLE, handle);
        trace_build_u64(b, TRACE_GRANT_UNMAP_STATUS, (uint64_t)(int64_t)status);
        capture_emit(c, b);
    }
    if (status == GNTST_okay)
        mapping_drop(c, key,
                     (host_addr ? GNTMAP_host_map : 0u) | (bus_addr ? GNTMAP_device_map : 0u));
}

static uint64_t copy_frame(const struct capture_call *call, const struct gnttab_copy *op,
                           bool source)
{
    bool by_ref = (op->flags & (source ? GNTCOPY_source_gref : GNTCOPY_dest_gref)) != 0;
    uint32_t domid = source ? op->source.domid : op->dest.domid;
    uint32_t ref = source ? op->source.u.ref : op->dest.u.ref;

    if (!by_ref)
        return source ? op->source.u.gmfn : op->dest.u.gmfn;
    for (unsigned i = 0; call->grant_frame && i < call->grant_frame->len; i++) {
        const struct capture_grant_frame *f =
            &g_array_index(call->grant_frame, struct capture_grant_frame, i);

        if (f->domid == domid && f->ref == ref)
            return f->mfn;
    }
    return 0;
}

static void grant_copy(struct trace_capture *c, const struct capture_call *call,
                       const struct base_guest_view *view, const void *data)
{
    struct gnttab_copy op;
    struct trace_build *b;

    if (!c->want[TRACE_KIND_GRANT_COPY])
        return;
    memcpy(&op, data, sizeof(op));
    b = capture_begin(c, TRACE_KIND_GRANT_COPY, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_GRANT_COPY_CALLER, call->domid);
    trace_build_u64(b, TRACE_GRANT_COPY_SRC,
                    op.source.domid == DOMID_SELF ? call->domid : op.source.domid);
    trace_build_u64(b, TRACE_GRANT_COPY_SRC_REF,
                    op.flags & GNTCOPY_source_gref ? op.source.u.ref : 0);
    trace_build_u64(b, TRACE_GRANT_COPY_SRC_MFN, copy_frame(call, &op, true));
    trace_build_u64(b, TRACE_GRANT_COPY_SRC_OFFSET, op.source.offset);
    trace_build_u64(b, TRACE_GRANT_COPY_DST,
                    op.dest.domid == DOMID_SELF ? call->domid : op.dest.domid);
    trace_build_u64(b, TRACE_GRANT_COPY_DST_REF,
                    op.flags & GNTCOPY_dest_gref ? op.dest.u.ref : 0);
    trace_build_u64(b, TRACE_GRANT_COPY_DST_MFN, copy_frame(call, &op, false));
    trace_build_u64(b, TRACE_GRANT_COPY_DST_OFFSET, op.dest.offset);
    trace_build_u64(b, TRACE_GRANT_COPY_SIZE, op.len);
    trace_build_u64(b, TRACE_GRANT_COPY_FLAGS, op.flags);
    trace_build_u64(b, TRACE_GRANT_COPY_STATUS, (uint64_t)(int64_t)op.status);
    capture_emit(c, b);
}

static void grant_transfer(struct trace_capture *c, const struct capture_call *call,
                           const struct base_guest_view *view, const void *data)
{
    struct gnttab_transfer op;
    struct trace_build *b;

    if (!c->want[TRACE_KIND_GRANT_TRANSFER])
        return;
    memcpy(&op, data, sizeof(op));
    b = capture_begin(c, TRACE_KIND_GRANT_TRANSFER, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_GRANT_TRANSFER_GIVER, call->domid);
    trace_build_u64(b, TRACE_GRANT_TRANSFER_RECEIVER, op.domid);
    trace_build_u64(b, TRACE_GRANT_TRANSFER_REF, op.ref);
    trace_build_u64(b, TRACE_GRANT_TRANSFER_MFN, op.mfn);
    trace_build_u64(b, TRACE_GRANT_TRANSFER_STATUS, (uint64_t)(int64_t)op.status);
    capture_emit(c, b);
}

static void grant_op(struct trace_capture *c, const struct capture_call *call,
                     const struct base_guest_view *view, uint64_t command, const uint8_t *data)
{
    struct gnttab_unmap_grant_ref unmap;
    struct gnttab_unmap_and_replace replace;

    switch (command) {
    case GNTTABOP_map_grant_ref:
        grant_map(c, call, view, data);
        break;
    case GNTTABOP_unmap_grant_ref:
        memcpy(&unmap, data, sizeof(unmap));
        grant_unmap(c, call, view, unmap.host_addr, unmap.dev_bus_addr, unmap.handle,
                    unmap.status);
        break;
    case GNTTABOP_unmap_and_replace:
        memcpy(&replace, data, sizeof(replace));
        grant_unmap(c, call, view, replace.host_addr, 0, replace.handle, replace.status);
        break;
    case GNTTABOP_copy:
        grant_copy(c, call, view, data);
        break;
    case GNTTABOP_transfer:
        grant_transfer(c, call, view, data);
        break;
    default:
        break;
    }
}

/* Elements carry their own status; the hypercall fails only as a whole. */
static void grant_table_op(struct trace_capture *c, const struct capture_call *call,
                           const struct base_guest_view *view)
{
    const struct trace_blob *blob = blob_of(call, TRACE_ROLE_GRANT_OP, 1);
    uint64_t command = call->arg[0] & 0xfff, count = (uint32_t)call->arg[2];
    size_t bytes = capture_grant_op_bytes(command);

    if (!blob || !bytes || (call->end == TRACE_END_RETURNED && call->result != 0))
        return;
    if (call->end == TRACE_END_CONTINUED)
        count -= MIN(count, (uint32_t)call->count_after[1]);
    for (uint64_t i = 0; i < count && (i + 1) * bytes <= blob->size_bytes; i++)
        grant_op(c, call, view, command, blob->data + i * bytes);
}

/* ---- domains ---- */

static void domain(struct trace_capture *c, const struct capture_call *call,
                   const struct base_guest_view *view, unsigned target, enum trace_domain_op op,
                   uint64_t reason)
{
    struct trace_build *b = capture_begin(c, TRACE_KIND_DOMAIN, view);

    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_DOMAIN_TARGET, target);
    trace_build_u64(b, TRACE_DOMAIN_OP, op);
    trace_build_u64(b, TRACE_DOMAIN_REASON, reason);
    capture_emit(c, b);
}

static void domctl(struct trace_capture *c, const struct capture_call *call,
                   const struct base_guest_view *view)
{
    static const struct {
        uint32_t command;
        enum trace_domain_op op;
    } ops[] = {{XEN_DOMCTL_createdomain, TRACE_DOMAIN_CREATE},
               {XEN_DOMCTL_destroydomain, TRACE_DOMAIN_DESTROY},
               {XEN_DOMCTL_pausedomain, TRACE_DOMAIN_PAUSE},
               {XEN_DOMCTL_unpausedomain, TRACE_DOMAIN_UNPAUSE}};
    const struct trace_blob *in = blob_of(call, TRACE_ROLE_DOMCTL, 0);
    const struct trace_blob *out = blob_of(call, TRACE_ROLE_DOMCTL, 1);
    uint32_t command;
    domid_t target;

    if (!in || in->size_bytes < sizeof(struct xen_domctl) || call->result != 0)
        return;
    memcpy(&command, in->data, sizeof(command));
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        if (ops[i].command != command)
            continue;
        if (ops[i].op == TRACE_DOMAIN_CREATE && out && out->size_bytes == in->size_bytes)
            in = out; /* the number that was given */
        memcpy(&target, in->data + offsetof(struct xen_domctl, domain), sizeof(target));
        domain(c, call, view, target, ops[i].op, 0);
    }
}

static void shutdown(struct trace_capture *c, const struct capture_call *call,
                     const struct base_guest_view *view)
{
    const struct trace_blob *in = blob_of(call, TRACE_ROLE_SCHED_OP, 0);
    struct sched_shutdown own;
    struct sched_remote_shutdown other;

    if (!in)
        return;
    if (call->arg[0] == SCHEDOP_shutdown && in->size_bytes == sizeof(own)) {
        memcpy(&own, in->data, sizeof(own));
        domain(c, call, view, call->domid, TRACE_DOMAIN_SHUTDOWN, own.reason);
    } else if (call->arg[0] == SCHEDOP_remote_shutdown && in->size_bytes == sizeof(other)) {
        memcpy(&other, in->data, sizeof(other));
        domain(c, call, view, other.domain_id, TRACE_DOMAIN_SHUTDOWN, other.reason);
    }
}

/* ---- event channels ---- */

static void evtchn_send(struct trace_capture *c, const struct capture_call *call,
                        const struct base_guest_view *view)
{
    const struct trace_blob *in = blob_of(call, TRACE_ROLE_EVTCHN_OP, 0);
    struct evtchn_send send;
    struct trace_build *b;

    if (call->arg[0] != EVTCHNOP_send || !in || in->size_bytes != sizeof(send))
        return;
    memcpy(&send, in->data, sizeof(send));
    b = capture_begin(c, TRACE_KIND_EVTCHN_SEND, view);
    trace_build_domain(b, call->domid, call->dom_vcpu);
    trace_build_u64(b, TRACE_EVTCHN_SEND_PORT, send.port);
    trace_build_u64(b, TRACE_EVTCHN_SEND_REMOTE, TRACE_DOMID_UNKNOWN);
    trace_build_u64(b, TRACE_EVTCHN_SEND_RESULT, (uint64_t)call->result);
    capture_emit(c, b);
}

/* What does not return is told at once. */
void capture_derive_entry(struct trace_capture *c, const struct capture_call *call,
                          const struct base_guest_view *view)
{
    if (call->number == __HYPERVISOR_sched_op && c->want[TRACE_KIND_DOMAIN])
        shutdown(c, call, view);
}

void capture_derive(struct trace_capture *c, const struct capture_call *call,
                    const struct base_guest_view *view)
{
    bool ended = call->end == TRACE_END_RETURNED || call->end == TRACE_END_CONTINUED;

    switch (call->number) {
    case __HYPERVISOR_mmuext_op:
        if (ended)
            mmuext_op(c, call, view);
        break;
    case __HYPERVISOR_grant_table_op:
        if (ended)
            grant_table_op(c, call, view);
        break;
    case __HYPERVISOR_domctl:
        if (c->want[TRACE_KIND_DOMAIN] && call->end == TRACE_END_RETURNED)
            domctl(c, call, view);
        break;
    case __HYPERVISOR_event_channel_op:
        if (c->want[TRACE_KIND_EVTCHN_SEND] && !c->sees_sends && ended)
            evtchn_send(c, call, view);
        break;
    default:
        break;
    }
}
