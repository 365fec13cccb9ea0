/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/line.h"

#include <inttypes.h>

#include "traces/names.h"

void trace_line_start(GString *out, const struct trace_event *e,
                      const struct trace_line_options *options)
{
    g_string_append_c(out, '[');
    if (options->number)
        g_string_append_printf(out, "#%" PRIu64 " ", e->number);
    if (!options->bare)
        g_string_append_printf(out, "%3" PRIu64 ".%09" PRIu64 " ", e->virtual_ns / 1000000000u,
                               e->virtual_ns % 1000000000u);
    if (options->insns && !options->bare)
        g_string_append_printf(out, "i%" PRIu64 " ", e->insns);
    if (options->vcpu || e->domid == TRACE_DOMID_UNKNOWN)
        g_string_append_printf(out, "cpu%u", e->vcpu);
    if (e->domid != TRACE_DOMID_UNKNOWN) {
        if (options->vcpu)
            g_string_append_c(out, ' ');
        trace_put_vcpu(out, e->domid, e->dom_vcpu);
    }
    g_string_append(out, "] ");
    if (trace_event_is_call(e) && e->value[TRACE_HYPERCALL_DEPTH].u64)
        g_string_append_printf(out, "  [%" PRIu64 "] ", e->value[TRACE_HYPERCALL_INDEX].u64);
}

/* Behind a hypercall's arguments. */
static void put_end(GString *out, const struct trace_event *e,
                    const struct trace_line_options *options)
{
    switch (e->value[TRACE_HYPERCALL_END].u64) {
    case TRACE_END_RETURNED:
        g_string_append(out, " = ");
        trace_put_result(out, (int64_t)e->value[TRACE_HYPERCALL_RESULT].u64);
        break;
    case TRACE_END_NO_RETURN:
        g_string_append(out, " = ?");
        break;
    case TRACE_END_CONTINUED:
        g_string_append(out, " = ? (continued)");
        break;
    default:
        g_string_append(out, " <unfinished ...>");
    }
    if (e->value[TRACE_HYPERCALL_ABI].u64 == 32)
        g_string_append(out, " [32-bit]");
    if (options->bare)
        return;
    g_string_append_printf(out, " <%" PRIu64 " insns>",
                           e->value[TRACE_HYPERCALL_DURATION_INSNS].u64);
    if (e->value[TRACE_HYPERCALL_SWITCHED].u64)
        g_string_append(out, " (others ran)");
}

void trace_line(GString *out, const struct trace_event *e, struct trace_out *o,
                const struct trace_line_options *options)
{
    char buffer[32];

    trace_line_start(out, e, options);
    g_string_append(out, trace_decode_name(e, buffer, sizeof(buffer)));
    g_string_append_c(out, '(');
    o->text = out;
    o->json = NULL;
    trace_out_start(o);
    trace_decode_event(o, e);
    g_string_append_c(out, ')');
    if (trace_event_is_call(e))
        put_end(out, e, options);
}

void trace_line_title(GString *out, const struct trace_event *e)
{
    const struct trace_kind *kind = e->kind;
    char buffer[32];
    const char *name;

    if (kind->id == TRACE_KIND_SWITCH && kind->fields > TRACE_SWITCH_TO_VCPU) {
        trace_put_vcpu(out, e->value[TRACE_SWITCH_TO].u64, e->value[TRACE_SWITCH_TO_VCPU].u64);
        return;
    }
    g_string_append(out, trace_decode_name(e, buffer, sizeof(buffer)));
    if (kind->id == TRACE_KIND_INTERRUPT && kind->fields > TRACE_INTERRUPT_VECTOR)
        g_string_append_printf(out, " 0x%" PRIx64, e->value[TRACE_INTERRUPT_VECTOR].u64);
    for (unsigned i = 0; i < kind->fields && !trace_event_is_call(e); i++) {
        if (kind->field[i].type != TRACE_TYPE_ENUM ||
            (kind->id == TRACE_KIND_PAGE_TYPE && i == TRACE_PAGE_TYPE_OLD))
            continue;
        name = trace_field_value_name(&kind->field[i], e->value[i].u64);
        if (name)
            g_string_append_printf(out, " %s", name);
    }
}

bool trace_event_is_machines(const struct trace_event *e)
{
    switch (e->kind->id) {
    case TRACE_KIND_SWITCH:
    case TRACE_KIND_INTERRUPT:
    case TRACE_KIND_CONSOLE:
    case TRACE_KIND_PORT:
    case TRACE_KIND_MMIO:
    case TRACE_KIND_DMA:
    case TRACE_KIND_INPUT:
        return true;
    default:
        return e->domid == TRACE_DOMID_UNKNOWN || e->dom_vcpu == TRACE_DOM_VCPU_UNKNOWN;
    }
}
