/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine of the decoders, and which decoder a hypercall has.
 */
#include "traces/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "traces/decode_table.h"
#include "traces/names.h"

/* By number.  tmem_op, xsm_op, xenoprof_op and whatever else is missing show their arguments. */
static const struct decode_handler *const handlers[] = {
    [0] = &decode_set_trap_table,
    [1] = &decode_mmu_update,
    [2] = &decode_set_gdt,
    [3] = &decode_stack_switch,
    [4] = &decode_set_callbacks,
    [5] = &decode_fpu_taskswitch,
    [6] = &decode_sched_op_compat,
    [7] = &decode_platform_op,
    [8] = &decode_set_debugreg,
    [9] = &decode_get_debugreg,
    [10] = &decode_update_descriptor,
    [12] = &decode_memory_op,
    [13] = &decode_multicall,
    [14] = &decode_update_va_mapping,
    [15] = &decode_set_timer_op,
    [17] = &decode_xen_version,
    [18] = &decode_console_io,
    [20] = &decode_grant_table_op,
    [21] = &decode_vm_assist,
    [22] = &decode_update_va_mapping_otherdomain,
    [23] = &decode_iret,
    [24] = &decode_vcpu_op,
    [25] = &decode_set_segment_base,
    [26] = &decode_mmuext_op,
    [28] = &decode_nmi_op,
    [29] = &decode_sched_op,
    [30] = &decode_callback_op,
    [32] = &decode_event_channel_op,
    [33] = &decode_physdev_op,
    [34] = &decode_hvm_op,
    [35] = &decode_sysctl,
    [36] = &decode_domctl,
    [37] = &decode_kexec_op,
};

/* --- captured memory ----------------------------------------------------------------------- */

struct decode_span decode_blob(const struct trace_event *e, enum trace_role role, unsigned stage,
                               unsigned nth)
{
    const struct trace_value *memory = &e->value[TRACE_HYPERCALL_MEMORY];

    for (uint64_t i = 0; i < memory->u64; i++) {
        const struct trace_blob *blob = &memory->blob[i];

        if (blob->role == role && blob->stage == stage && nth-- == 0)
            return (struct decode_span){blob->data, blob->size_bytes, blob->gva};
    }
    return (struct decode_span){0};
}

struct decode_span decode_slice(struct decode_span span, uint64_t offset, uint32_t size_bytes)
{
    if (!span.data || offset >= span.size_bytes)
        return (struct decode_span){0};
    return (struct decode_span){span.data + offset, MIN(size_bytes, span.size_bytes - offset),
                                span.gva + offset};
}

uint64_t decode_read_u64(const uint8_t *data, unsigned size_bytes)
{
    uint64_t value = 0;

    memcpy(&value, data, MIN(size_bytes, sizeof(value)));
    return value;
}

static int64_t sign_extend(uint64_t value, unsigned size_bytes)
{
    unsigned shift = 64 - 8 * MIN(size_bytes, 8);

    return (int64_t)(value << shift) >> shift;
}

/* --- the engine ---------------------------------------------------------------------------- */

static void put_field(struct trace_out *o, const struct decode_field *f, const uint8_t *data)
{
    uint64_t value = decode_read_u64(data, f->size);

    switch ((enum decode_type)f->type) {
    case DECODE_U64:
        return trace_out_u64(o, f->name, value);
    case DECODE_I64:
        return trace_out_i64(o, f->name, sign_extend(value, f->size));
    case DECODE_HEX:
        return trace_out_hex(o, f->name, value);
    case DECODE_GFN:
        return trace_out_gfn(o, f->name, value);
    case DECODE_BOOL:
        return trace_out_bool(o, f->name, value != 0);
    case DECODE_MFN:
        return trace_out_mfn(o, f->name, value, "named");
    case DECODE_PTE:
        return trace_out_pte(o, f->name, value);
    case DECODE_VA:
        return trace_out_va(o, f->name, value, "named");
    case DECODE_DOMID:
        return trace_out_domid(o, f->name, value, "named");
    case DECODE_PORT:
        return trace_out_port(o, f->name, value, "named");
    case DECODE_REF:
        return trace_out_ref(o, f->name, value, "named");
    case DECODE_ENUM:
        return trace_out_enum(o, f->name, value, f->names, f->count);
    case DECODE_FLAGS:
        return trace_out_flags(o, f->name, value, f->names, f->count);
    case DECODE_TIME:
        return trace_out_time(o, f->name, value);
    case DECODE_STATUS:
        return trace_out_grant_status(o, f->name, sign_extend(value, f->size));
    case DECODE_TEXT:
        return trace_out_text(o, f->name, data, strnlen((const char *)data, f->size));
    case DECODE_BYTES:
        return trace_out_bytes(o, f->name, data, f->size);
    }
}

/* The fields of one direction.  Returns: whether some are not in @span. */
static bool put_fields(struct trace_out *o, const struct decode_field *field, unsigned fields,
                       struct decode_span span, bool out)
{
    bool cut = false;

    for (unsigned i = 0; i < fields; i++) {
        if (field[i].out != out)
            continue;
        if ((uint32_t)field[i].offset + field[i].size > span.size_bytes) {
            cut = true;
            continue;
        }
        put_field(o, &field[i], span.data + field[i].offset);
    }
    return cut;
}

void decode_members(struct trace_out *o, const struct decode_field *field, unsigned fields,
                    struct decode_span in, struct decode_span out)
{
    bool cut = put_fields(o, field, fields, in.data ? in : out, false);

    if (out.data) {
        trace_out_glue(o, " => ");
        cut |= put_fields(o, field, fields, out, true);
        trace_out_glue(o, NULL);
    }
    if (cut)
        trace_out_word(o, ".cut", "cut off");
}

const struct decode_op *decode_op_find(const struct decode_op *ops, unsigned count, uint64_t cmd)
{
    for (unsigned i = 0; i < count; i++)
        if (ops[i].cmd == cmd)
            return &ops[i];
    return NULL;
}

void decode_simple(struct decode_call *c, const struct decode_op *ops, unsigned count, uint64_t cmd,
                   uint64_t pointer, enum trace_role role)
{
    const struct decode_op *op = decode_op_find(ops, count, cmd);
    struct decode_span in = decode_blob(c->event, role, 0, 0);
    struct decode_span out = decode_blob(c->event, role, 1, 0);

    if (op)
        trace_out_word(c->o, ".op", op->name);
    else
        trace_out_u64(c->o, "op", cmd);
    if (op && op->field && (in.data || out.data)) {
        if (c->result < 0 && in.data)
            out.data = NULL; /* nothing was written */
        trace_out_begin(c->o, ".arg");
        decode_members(c->o, op->field, op->fields, in, out);
        trace_out_end(c->o);
    } else if (in.data || out.data) {
        trace_out_bytes(c->o, ".arg", in.data ? in.data : out.data,
                        in.data ? in.size_bytes : out.size_bytes);
    } else if (pointer || (op && op->field)) {
        trace_out_hex(c->o, ".arg", pointer);
    }
}

void decode_frame_list(struct decode_call *c, const char *in_how, const char *out_how)
{
    static const char *const names[] = {"frames", ".frames_after"};
    const char *const how[] = {in_how, out_how};

    for (unsigned stage = 0; stage < 2; stage++) {
        struct decode_span list;

        for (unsigned nth = 0;
             (list = decode_blob(c->event, TRACE_ROLE_FRAME_LIST, stage, nth)).data; nth++) {
            struct trace_out_array array;

            if (stage == 1)
                trace_out_glue(c->o, " => ");
            trace_out_array(c->o, &array, names[stage]);
            for (uint32_t at = 0; at + 8 <= list.size_bytes; at += 8) {
                uint64_t frame = decode_read_u64(list.data + at, 8);

                trace_out_item(c->o, &array);
                trace_out_gfn(c->o, NULL, frame);
                if (how[stage])
                    trace_out_touch(c->o, TRACE_TERM_FRAME, frame, 1, how[stage]);
                trace_out_item_done(c->o, &array);
            }
            trace_out_array_end(c->o, &array);
        }
    }
}

void decode_raw(struct decode_call *c)
{
    const struct trace_value *memory = &c->event->value[TRACE_HYPERCALL_MEMORY];

    for (uint64_t i = 0; i < memory->u64; i++) {
        const struct trace_blob *blob = &memory->blob[i];

        if (blob->role != TRACE_ROLE_RAW && blob->role != TRACE_ROLE_DATA)
            continue;
        if (blob->stage == 1)
            trace_out_glue(c->o, " => ");
        trace_out_bytes(c->o, blob->stage ? "data_after" : "data", blob->data, blob->size_bytes);
    }
}

/* --- hypercalls ---------------------------------------------------------------------------- */

bool trace_event_is_call(const struct trace_event *e)
{
    return e->kind->id == TRACE_KIND_HYPERCALL && e->kind->fields > TRACE_HYPERCALL_MEMORY &&
           e->kind->field[TRACE_HYPERCALL_MEMORY].type == TRACE_TYPE_BLOBS;
}

static const struct decode_handler *handler_of(const struct trace_event *e)
{
    uint64_t number = e->value[TRACE_HYPERCALL_NUMBER].u64;

    /* Structures of 32-bit guests have another layout. */
    if (e->value[TRACE_HYPERCALL_ABI].u64 == 32 || number >= ARRAY_LEN(handlers))
        return NULL;
    return handlers[number];
}

static void call_init(struct decode_call *c, struct trace_out *o, const struct trace_event *e)
{
    c->o = o;
    c->event = e;
    c->result = (int64_t)e->value[TRACE_HYPERCALL_RESULT].u64;
    for (unsigned i = 0; i < ARRAY_LEN(c->arg); i++)
        c->arg[i] = e->value[TRACE_HYPERCALL_ARG1 + i].u64;
}

/* How many arguments a hypercall without a decoder has; all that are not 0 if nobody knows. */
static unsigned args_of(const struct trace_event *e)
{
    static const uint8_t known[] = {[16] = 1, [19] = 1, [27] = 1, [31] = 2, [38] = 1,
                                    [39] = 5, [40] = 2, [41] = 3, [42] = 5, [48] = 1};
    uint64_t number = e->value[TRACE_HYPERCALL_NUMBER].u64;
    unsigned count = 6;

    if (number < ARRAY_LEN(known) && known[number])
        return known[number];
    while (count && !e->value[TRACE_HYPERCALL_ARG1 + count - 1].u64)
        count--;
    return count;
}

/* Registers, and all memory, as bytes. */
static void put_unknown_call(struct decode_call *c)
{
    const struct trace_value *memory = &c->event->value[TRACE_HYPERCALL_MEMORY];
    unsigned count = args_of(c->event);
    for (unsigned i = 0; i < count; i++) {
        char name[8];

        snprintf(name, sizeof(name), ".arg%u", i + 1);
        trace_out_hex(c->o, name, c->arg[i]);
    }
    for (uint64_t i = 0; i < memory->u64; i++) {
        const struct trace_blob *blob = &memory->blob[i];
        const char *role =
            trace_field_value_name(&c->event->kind->field[TRACE_HYPERCALL_MEMORY], blob->role);

        if (blob->stage == 1)
            trace_out_glue(c->o, " => ");
        trace_out_bytes(c->o, role ? role : "data", blob->data, blob->size_bytes);
    }
}

static void put_call(struct trace_out *o, const struct trace_event *e)
{
    const struct decode_handler *handler = handler_of(e);
    struct decode_call call;

    call_init(&call, o, e);
    if (handler)
        handler->args(&call);
    else
        put_unknown_call(&call);
}

const char *trace_decode_op(const struct trace_event *e)
{
    const struct decode_handler *handler = trace_event_is_call(e) ? handler_of(e) : NULL;
    struct decode_call call;

    if (!handler || !handler->op)
        return NULL;
    call_init(&call, NULL, e);
    return handler->op(&call);
}

const char *trace_decode_name(const struct trace_event *e, char *buffer, size_t size)
{
    const char *name;

    if (!trace_event_is_call(e))
        return e->kind->name;
    name = trace_field_value_name(&e->kind->field[TRACE_HYPERCALL_NUMBER],
                                  e->value[TRACE_HYPERCALL_NUMBER].u64);
    if (name)
        return name;
    snprintf(buffer, size, "hypercall_%" PRIu64, e->value[TRACE_HYPERCALL_NUMBER].u64);
    return buffer;
}

/* A table that is validated, or taken apart, in several goes: not refused, but not yet done. */
static bool goes_on(const struct trace_event *e, int64_t result)
{
    enum { XEN_EINTR = 4, XEN_ERESTART = 85 };

    return e->kind->id == TRACE_KIND_PAGE_TYPE && (result == -XEN_EINTR || result == -XEN_ERESTART);
}

bool trace_event_failed(const struct trace_event *e)
{
    for (unsigned i = 0; i < e->kind->fields; i++) {
        const struct trace_field *f = &e->kind->field[i];

        if (f->type != TRACE_TYPE_I64 ||
            (strcmp(f->name, "result") != 0 && strcmp(f->name, "status") != 0))
            continue;
        if (trace_event_is_call(e) && e->value[TRACE_HYPERCALL_END].u64 != TRACE_END_RETURNED)
            return false;
        return (int64_t)e->value[i].u64 < 0 && (int64_t)e->value[i].u64 >= -4095 &&
               !goes_on(e, (int64_t)e->value[i].u64);
    }
    return false;
}

/* --- events of other kinds ----------------------------------------------------------------- */

static void put_blobs(struct trace_out *o, const struct trace_field *f,
                      const struct trace_value *value)
{
    struct trace_out_array array;

    trace_out_array(o, &array, f->name);
    for (uint64_t i = 0; i < value->u64; i++) {
        const struct trace_blob *blob = &value->blob[i];

        trace_out_item(o, &array);
        trace_out_begin(o, NULL);
        trace_out_enum(o, "role", blob->role, f->names, f->name_count);
        trace_out_u64(o, "stage", blob->stage);
        trace_out_hex(o, "gva", blob->gva);
        trace_out_bytes(o, "data", blob->data, blob->size_bytes);
        trace_out_end(o);
        trace_out_item_done(o, &array);
    }
    trace_out_array_end(o, &array);
}

/* The usual meaning of some names; fields of kinds to come are named alike. */
static bool put_by_name(struct trace_out *o, const struct trace_field *f, uint64_t value,
                        const char *how)
{
    size_t length = strlen(f->name);

    if (f->type == TRACE_TYPE_HEX && (strcmp(f->name, "va") == 0 || strcmp(f->name, "cr2") == 0 ||
                                      strcmp(f->name, "host_addr") == 0))
        trace_out_va(o, f->name, value, how);
    else if (f->type == TRACE_TYPE_HEX && length == 3 && f->name[0] == 'l' && f->name[2] == 'e')
        trace_out_pte(o, f->name, value);
    else if (f->type == TRACE_TYPE_U64 && length >= 3 && strcmp(f->name + length - 3, "ref") == 0)
        trace_out_ref(o, f->name, value, how);
    else if (f->type == TRACE_TYPE_U64 && length >= 4 && strcmp(f->name + length - 4, "port") == 0)
        trace_out_port(o, f->name, value, how);
    else if (f->type == TRACE_TYPE_I64 && strcmp(f->name, "status") == 0)
        trace_out_grant_status(o, f->name, (int64_t)value);
    else if (f->type == TRACE_TYPE_I64 && strcmp(f->name, "result") == 0)
        trace_out_errno(o, f->name, (int64_t)value);
    else
        return false;
    return true;
}

static void put_generic(struct trace_out *o, const struct trace_field *f,
                        const struct trace_value *value, const char *how)
{
    if (put_by_name(o, f, value->u64, how))
        return;
    switch (f->type) {
    case TRACE_TYPE_I64:
        return trace_out_i64(o, f->name, (int64_t)value->u64);
    case TRACE_TYPE_HEX:
        return trace_out_hex(o, f->name, value->u64);
    case TRACE_TYPE_MFN:
        return trace_out_mfn(o, f->name, value->u64, how);
    case TRACE_TYPE_DOMID:
        return trace_out_domid(o, f->name, value->u64, how);
    case TRACE_TYPE_ENUM:
        return trace_out_enum(o, f->name, value->u64, f->names, f->name_count);
    case TRACE_TYPE_BOOL:
        return trace_out_bool(o, f->name, value->u64 != 0);
    case TRACE_TYPE_TEXT:
        return trace_out_text(o, f->name, value->bytes, value->u64);
    case TRACE_TYPE_BYTES:
        return trace_out_bytes(o, f->name, value->bytes, value->u64);
    case TRACE_TYPE_BLOBS:
        return put_blobs(o, f, value);
    case TRACE_TYPE_U64:
    default:
        return trace_out_u64(o, f->name, value->u64);
    }
}

void trace_decode_fields(struct trace_out *o, const struct trace_event *e)
{
    for (unsigned i = 0; i < e->kind->fields; i++)
        put_generic(o, &e->kind->field[i], &e->value[i], "named");
}

/* Some kinds touch more than their fields say one by one. */
static void touch_more(struct trace_out *o, const struct trace_event *e)
{
    switch (e->kind->id) {
    case TRACE_KIND_FRAME_OWNER:
        trace_out_touch(o, TRACE_TERM_FRAME, e->value[TRACE_FRAME_OWNER_MFN].u64,
                        1ull << (e->value[TRACE_FRAME_OWNER_ORDER].u64 & 31), "owner");
        break;
    case TRACE_KIND_DMA: {
        uint64_t first = e->value[TRACE_DMA_GPA].u64, size = e->value[TRACE_DMA_SIZE].u64;

        if (size)
            trace_out_touch(o, TRACE_TERM_FRAME, first >> 12,
                            ((first + size - 1) >> 12) - (first >> 12) + 1,
                            e->value[TRACE_DMA_WRITE].u64 ? "DMA to it" : "DMA from it");
        break;
    }
    default:
        break;
    }
}

static void put_pt_write(struct trace_out *o, const struct trace_event *e)
{
    trace_out_va(o, "va", e->value[TRACE_PT_WRITE_VA].u64, "store");
    trace_out_mfn(o, "mfn", e->value[TRACE_PT_WRITE_MFN].u64, "table");
    trace_out_u64(o, "level", e->value[TRACE_PT_WRITE_LEVEL].u64);
    trace_out_old_pte(o, "old", e->value[TRACE_PT_WRITE_OLD].u64, e->value[TRACE_PT_WRITE_NEW].u64);
    trace_out_glue(o, " -> ");
    trace_out_pte(o, ".new", e->value[TRACE_PT_WRITE_NEW].u64);
    trace_out_u64(o, "size", e->value[TRACE_PT_WRITE_SIZE].u64);
    trace_out_hex(o, "rip", e->value[TRACE_PT_WRITE_RIP].u64);
    trace_out_errno(o, "result", (int64_t)e->value[TRACE_PT_WRITE_RESULT].u64);
}

/* What somebody types is text; what other channels may bring, bytes. */
static void put_input(struct trace_out *o, const struct trace_event *e)
{
    const struct trace_field *channel = &e->kind->field[TRACE_INPUT_CHANNEL];
    const struct trace_value *bytes = &e->value[TRACE_INPUT_BYTES];

    trace_out_enum(o, channel->name, e->value[TRACE_INPUT_CHANNEL].u64, channel->names,
                   channel->name_count);
    if (g_utf8_validate_len(bytes->bytes ? (const char *)bytes->bytes : "", bytes->u64, NULL))
        trace_out_text(o, "text", bytes->bytes, bytes->u64);
    else
        trace_out_bytes(o, "bytes", bytes->bytes, bytes->u64);
}

static void put_exception(struct trace_out *o, const struct trace_event *e)
{
    const struct trace_field *field = e->kind->field;

    trace_out_enum(o, ".vector", e->value[TRACE_EXCEPTION_VECTOR].u64,
                   field[TRACE_EXCEPTION_VECTOR].names, field[TRACE_EXCEPTION_VECTOR].name_count);
    if (e->value[TRACE_EXCEPTION_HAS_ERROR].u64)
        trace_out_hex(o, "error", e->value[TRACE_EXCEPTION_ERROR].u64);
    if (e->value[TRACE_EXCEPTION_VECTOR].u64 == 14)
        trace_out_va(o, "cr2", e->value[TRACE_EXCEPTION_CR2].u64, "fault");
    trace_out_hex(o, "rip", e->value[TRACE_EXCEPTION_RIP].u64);
    if (e->value[TRACE_EXCEPTION_SOFTWARE].u64)
        trace_out_bool(o, "software", true);
}

static void put_page_type(struct trace_out *o, const struct trace_event *e)
{
    const struct trace_field *field = e->kind->field;
    const struct trace_field *old = &field[TRACE_PAGE_TYPE_OLD], *new = &field[TRACE_PAGE_TYPE_NEW];
    const struct trace_field *op = &field[TRACE_PAGE_TYPE_OP];

    trace_out_enum(o, ".op", e->value[TRACE_PAGE_TYPE_OP].u64, op->names, op->name_count);
    trace_out_mfn(o, "mfn", e->value[TRACE_PAGE_TYPE_MFN].u64, "type");
    trace_out_domid(o, "owner", e->value[TRACE_PAGE_TYPE_OWNER].u64, "owner");
    trace_out_enum(o, ".old", e->value[TRACE_PAGE_TYPE_OLD].u64, old->names, old->name_count);
    trace_out_glue(o, ":");
    trace_out_u64(o, ".old_count", e->value[TRACE_PAGE_TYPE_OLD_COUNT].u64);
    trace_out_glue(o, " -> ");
    trace_out_enum(o, ".new", e->value[TRACE_PAGE_TYPE_NEW].u64, new->names, new->name_count);
    trace_out_glue(o, ":");
    trace_out_u64(o, ".new_count", e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64);
    trace_out_bool(o, "validated", e->value[TRACE_PAGE_TYPE_VALIDATED].u64 != 0);
    trace_out_hex(o, "raw", e->value[TRACE_PAGE_TYPE_RAW].u64);
    trace_out_errno(o, "result", (int64_t)e->value[TRACE_PAGE_TYPE_RESULT].u64);
}

/* How the frames, domains, ... of a kind are touched. */
static const char *how_of(const struct trace_kind *kind)
{
    switch (kind->id) {
    case TRACE_KIND_PIN:
        return "pin";
    case TRACE_KIND_CR3:
        return "base pointer";
    case TRACE_KIND_GRANT_MAP:
        return "grant mapped";
    case TRACE_KIND_GRANT_UNMAP:
        return "grant unmapped";
    case TRACE_KIND_GRANT_COPY:
        return "grant copied";
    case TRACE_KIND_GRANT_TRANSFER:
        return "transferred";
    case TRACE_KIND_FRAME_OWNER:
        return "owner";
    case TRACE_KIND_DEMAND_WALK:
        return "walked";
    case TRACE_KIND_TLB_FLUSH:
        return "flushed";
    case TRACE_KIND_EVTCHN_SEND:
    case TRACE_KIND_VIRQ:
        return "event";
    case TRACE_KIND_SWITCH:
        return "switched";
    case TRACE_KIND_DOMAIN:
        return "life";
    default:
        return "named";
    }
}

/* Whether this version's own fields are there, and of the types it knows. */
static bool is_builtin(const struct trace_kind *kind)
{
    const struct trace_kind *mine = trace_schema_builtin()->kind[kind->id];

    if (kind == mine)
        return true;
    if (!mine || kind->fields < mine->fields)
        return false;
    for (unsigned i = 0; i < mine->fields; i++)
        if (kind->field[i].type != mine->field[i].type)
            return false;
    return true;
}

/* Kinds of which this version knows more than the schema says. */
static void (*const special[TRACE_KIND_MAX + 1])(struct trace_out *, const struct trace_event *) = {
    [TRACE_KIND_HYPERCALL] = put_call,      [TRACE_KIND_PT_WRITE] = put_pt_write,
    [TRACE_KIND_EXCEPTION] = put_exception, [TRACE_KIND_PAGE_TYPE] = put_page_type,
    [TRACE_KIND_INPUT] = put_input,
};

void trace_decode_event(struct trace_out *o, const struct trace_event *e)
{
    bool mine = is_builtin(e->kind);
    const char *how = how_of(e->kind);

    o->self = e->domid;
    trace_out_touch(o, TRACE_TERM_DOMAIN, e->domid, 1, "its own");
    if (mine && special[e->kind->id]) {
        special[e->kind->id](o, e);
        return;
    }
    for (unsigned i = 0; i < e->kind->fields; i++)
        put_generic(o, &e->kind->field[i], &e->value[i], how);
    if (mine)
        touch_more(o, e);
}
