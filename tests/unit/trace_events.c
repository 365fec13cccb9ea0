/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/trace_events.h"

#include <string.h>

void events_new(struct trace_build *b, enum trace_kind_id kind)
{
    trace_build_begin(b, kind, 1000, 1500000000, 0);
    trace_build_domain(b, 0, 0);
}

void events_call(struct trace_build *b, uint64_t number, int64_t result, unsigned args,
                 const uint64_t *arg)
{
    events_new(b, TRACE_KIND_HYPERCALL);
    trace_build_u64(b, TRACE_HYPERCALL_NUMBER, number);
    for (unsigned i = 0; i < args; i++)
        trace_build_u64(b, TRACE_HYPERCALL_ARG1 + i, arg[i]);
    trace_build_u64(b, TRACE_HYPERCALL_RESULT, (uint64_t)result);
    trace_build_u64(b, TRACE_HYPERCALL_END, TRACE_END_RETURNED);
    trace_build_u64(b, TRACE_HYPERCALL_ABI, 64);
    trace_build_u64(b, TRACE_HYPERCALL_DURATION_INSNS, 412);
    trace_build_u64(b, TRACE_HYPERCALL_DURATION_CYCLES, 824);
}

void events_blob(struct trace_build *b, enum trace_role role, unsigned stage, const void *data,
                 size_t size)
{
    uint8_t *to =
        trace_build_blob(b, TRACE_HYPERCALL_MEMORY, role, stage, 0x1000, (uint32_t)size);

    if (size)
        memcpy(to, data, size);
}

char *events_line(const struct trace_build *b)
{
    const struct trace_line_options options = {.bare = true};
    struct trace_out o = {.items_max = 3};
    GString *line = g_string_new(NULL);

    trace_line(line, &b->event, &o, &options);
    return g_string_free(line, FALSE);
}

char *events_json(const struct trace_build *b)
{
    GString *json = g_string_new("{");
    struct trace_out o = {.json = json};

    trace_out_start(&o);
    trace_decode_event(&o, &b->event);
    g_string_append_c(json, '}');
    return g_string_free(json, FALSE);
}
