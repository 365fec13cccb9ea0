/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON lines.  Every field of the schema, and of hypercalls what the decoders say as well.
 * Numbers that are shown in hexadecimal are texts: they do not fit into a double.
 */
#include "traces/decode.h"
#include "traces/export_internal.h"

struct json {
    struct export_file file;
    GString *line;
};

static void *json_open(const char *path, const struct trace_export_info *info, GError **error)
{
    struct json *j = g_new0(struct json, 1);

    (void)info;
    if (!export_file_open(&j->file, path, error)) {
        g_free(j);
        return NULL;
    }
    j->line = g_string_new(NULL);
    return j;
}

static gboolean json_event(void *state, const struct trace_event *e, GError **error)
{
    struct json *j = state;
    struct trace_out o = {.json = j->line};
    char buffer[32];
    const char *op = trace_decode_op(e);

    g_string_truncate(j->line, 0);
    trace_out_start(&o);
    trace_out_begin(&o, NULL);
    trace_out_u64(&o, "number", e->number);
    trace_out_u64(&o, "insns", e->insns);
    trace_out_u64(&o, "virtual_ns", e->virtual_ns);
    trace_out_u64(&o, "vcpu", e->vcpu);
    if (e->domid != TRACE_DOMID_UNKNOWN)
        trace_out_u64(&o, "domain", e->domid);
    if (e->dom_vcpu != TRACE_DOM_VCPU_UNKNOWN)
        trace_out_u64(&o, "domain_vcpu", e->dom_vcpu);
    trace_out_word(&o, "kind", e->kind->name);
    trace_out_word(&o, "name", trace_decode_name(e, buffer, sizeof(buffer)));
    if (op)
        trace_out_word(&o, "op", op);
    trace_out_begin(&o, "fields");
    trace_decode_fields(&o, e);
    trace_out_end(&o);
    if (trace_event_is_call(e)) {
        trace_out_begin(&o, "args");
        trace_decode_event(&o, e);
        trace_out_end(&o);
    }
    trace_out_end(&o);
    g_string_append_c(j->line, '\n');
    return export_file_write(&j->file, j->line->str, j->line->len, error);
}

static gboolean json_close(void *state, GError **error)
{
    struct json *j = state;
    gboolean good = export_file_close(&j->file, error);

    g_string_free(j->line, TRUE);
    g_free(j);
    return good;
}

const struct export_format export_json = {"json", json_open, json_event, json_close};
