/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * until, then the number of inputs and the inputs, then the number of points and the points.
 * Instants are written as distances from the one before, registers as distances from those of
 * the point before.
 */
#include "traces/log.h"

#include "sim/base/types.h"
#include "traces/pack.h"

#define TEXT_MAX 256u

const char *const trace_link_reg_names[TRACE_LINK_REGS] = {
    "rax", "rcx", "rdx",  "rbx", "rsp", "rbp",     "rsi",     "rdi",    "r8",  "r9",
    "r10", "r11", "r12",  "r13", "r14", "r15",     "rip",     "rflags", "cr0", "cr2",
    "cr3", "cr4", "efer", "cs",  "ss",  "fs_base", "gs_base", "cycles"};

struct trace_log *trace_log_new(void)
{
    struct trace_log *log = g_new0(struct trace_log, 1);

    log->inputs = g_array_new(FALSE, FALSE, sizeof(struct trace_input));
    log->points = g_array_new(FALSE, FALSE, sizeof(struct trace_link));
    log->bytes = g_byte_array_new();
    return log;
}

void trace_log_free(struct trace_log *log)
{
    if (!log)
        return;
    g_array_unref(log->inputs);
    g_array_unref(log->points);
    g_byte_array_unref(log->bytes);
    g_clear_pointer(&log->payload, g_bytes_unref);
    g_free(log);
}

void trace_log_clear(struct trace_log *log)
{
    g_array_set_size(log->inputs, 0);
    g_array_set_size(log->points, 0);
    g_byte_array_set_size(log->bytes, 0);
}

/* Its bytes may move: trace_log_put() takes them in order. */
void trace_log_input(struct trace_log *log, const struct trace_input *input)
{
    struct trace_input copy = *input;

    copy.data = NULL;
    g_byte_array_append(log->bytes, input->data, input->size_bytes);
    g_array_append_val(log->inputs, copy);
}

/* --- writing ------------------------------------------------------------------------------- */

static void put_delta(GByteArray *out, uint64_t value, uint64_t from)
{
    pack_varint(out, pack_zigzag(value - from));
}

static void put_position(GByteArray *out, const struct trace_position *at,
                         const struct trace_position *from)
{
    put_delta(out, at->insns, from->insns);
    put_delta(out, at->virtual_ns, from->virtual_ns);
    put_delta(out, at->slice_ns, at->virtual_ns);
    pack_varint(out, at->turn);
}

static void put_point(GByteArray *out, const struct trace_link *p, const struct trace_link *from)
{
    put_position(out, &p->at, &from->at);
    pack_u64(out, p->digest.memory);
    pack_u64(out, p->digest.memory_by_frame);
    pack_u64(out, p->digest.devices);
    pack_u64(out, p->digest.cpus);
    put_delta(out, p->event, from->event);
    pack_varint(out, p->vcpus);
    for (unsigned v = 0; v < p->vcpus; v++)
        for (unsigned r = 0; r < TRACE_LINK_REGS; r++)
            put_delta(out, p->reg[v][r], from->reg[v][r]);
}

GByteArray *trace_log_put(const struct trace_log *log)
{
    static const struct trace_link origin;
    GByteArray *out = g_byte_array_new();
    struct trace_position last = {0};
    const struct trace_link *before = &origin;
    const uint8_t *bytes = log->bytes->data;

    put_position(out, &log->until, &last);
    pack_varint(out, log->inputs->len);
    for (guint i = 0; i < log->inputs->len; i++) {
        const struct trace_input *in = &g_array_index(log->inputs, struct trace_input, i);

        pack_varint(out, in->channel);
        put_delta(out, in->virtual_ns, last.virtual_ns);
        put_delta(out, in->insns, last.insns);
        pack_bytes(out, bytes, in->size_bytes);
        bytes += in->size_bytes;
        last.virtual_ns = in->virtual_ns;
        last.insns = in->insns;
    }
    pack_varint(out, log->points->len);
    for (guint i = 0; i < log->points->len; i++) {
        const struct trace_link *p = &g_array_index(log->points, struct trace_link, i);

        put_point(out, p, before);
        before = p;
    }
    return out;
}

/* --- reading ------------------------------------------------------------------------------- */

static uint64_t get_delta(struct unpack *in, uint64_t from)
{
    return from + unpack_zigzag(unpack_varint(in));
}

static void get_position(struct unpack *in, struct trace_position *at,
                         const struct trace_position *from)
{
    at->insns = get_delta(in, from->insns);
    at->virtual_ns = get_delta(in, from->virtual_ns);
    at->slice_ns = get_delta(in, at->virtual_ns);
    at->turn = unpack_varint(in);
}

static void get_point(struct unpack *in, struct trace_link *p, const struct trace_link *from)
{
    uint64_t vcpus;

    *p = (struct trace_link){0};
    get_position(in, &p->at, &from->at);
    p->digest.memory = unpack_u64(in);
    p->digest.memory_by_frame = unpack_u64(in);
    p->digest.devices = unpack_u64(in);
    p->digest.cpus = unpack_u64(in);
    p->event = get_delta(in, from->event);
    vcpus = unpack_varint(in);
    if (vcpus > TRACE_LINK_VCPUS)
        in->bad = true;
    for (unsigned v = 0; v < vcpus && !in->bad; v++)
        for (unsigned r = 0; r < TRACE_LINK_REGS; r++)
            p->reg[v][r] = get_delta(in, from->reg[v][r]);
    p->vcpus = in->bad ? 0 : (unsigned)vcpus;
}

static void get_inputs(struct trace_log *log, struct unpack *in)
{
    struct trace_position last = {0};

    for (uint64_t left = unpack_varint(in); left && !in->bad; left--) {
        struct trace_input input = {0};
        uint64_t channel = unpack_varint(in), size_bytes;

        input.virtual_ns = last.virtual_ns = get_delta(in, last.virtual_ns);
        input.insns = last.insns = get_delta(in, last.insns);
        size_bytes = unpack_varint(in);
        input.data = unpack_take(in, size_bytes);
        input.channel = (uint32_t)channel;
        input.size_bytes = (uint32_t)size_bytes;
        if (channel > UINT16_MAX || size_bytes == 0)
            in->bad = true;
        if (!in->bad)
            g_array_append_val(log->inputs, input);
    }
}

bool trace_log_get(struct trace_log *log, const void *data, size_t size_bytes)
{
    struct unpack in = unpack_init(data, size_bytes);
    struct trace_position start = {0};
    struct trace_link before = {0}, point;

    get_position(&in, &log->until, &start);
    get_inputs(log, &in);
    for (uint64_t left = unpack_varint(&in); left && !in.bad; left--) {
        get_point(&in, &point, &before);
        if (!in.bad)
            g_array_append_val(log->points, point);
        before = point;
    }
    return !in.bad && in.left == 0;
}

/* --- the end ------------------------------------------------------------------------------- */

GByteArray *trace_end_put(const struct trace_end *end)
{
    static const struct trace_link origin;
    GByteArray *out = g_byte_array_new();

    pack_text(out, end->stop_reason ? end->stop_reason : "");
    pack_varint(out, end->has_exit_value);
    pack_varint(out, end->exit_value);
    pack_text(out, end->state_hash ? end->state_hash : "");
    put_point(out, &end->point, &origin);
    return out;
}

bool trace_end_get(struct trace_end *end, const void *data, size_t size_bytes)
{
    static const struct trace_link origin;
    struct unpack in = unpack_init(data, size_bytes);

    *end = (struct trace_end){0};
    end->stop_reason = unpack_text(&in, TEXT_MAX);
    end->has_exit_value = unpack_varint(&in) != 0;
    end->exit_value = (uint32_t)unpack_varint(&in);
    end->state_hash = unpack_text(&in, TEXT_MAX);
    get_point(&in, &end->point, &origin);
    return !in.bad;
}

void trace_end_clear(struct trace_end *end)
{
    g_free(end->stop_reason);
    g_free(end->state_hash);
    *end = (struct trace_end){0};
}
