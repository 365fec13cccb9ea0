/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "tools/cmd_trace.h"
#include "tools/trace_tool.h"
#include "traces/names.h"

static void put_hex(GString *out, const uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        g_string_append_printf(out, "%02x", bytes[i]);
}

/* --- for people ---------------------------------------------------------------------------- */

static void put_images(GString *out, const struct trace_info *info)
{
    for (unsigned i = 0; i < info->images; i++) {
        const struct trace_image *image = &info->image[i];

        g_string_append_printf(out, "%-12s%s: %s, %" PRIu64 " bytes, %s\n", i ? "" : "images",
                               image->name, image->path, image->size_bytes,
                               image->packed ? "packed" : "not packed");
        g_string_append_printf(out, "%-12s  sha256 ", "");
        put_hex(out, image->sha256, sizeof(image->sha256));
        if (image->build_id) {
            g_string_append_printf(out, "\n%-12s  build-id ", "");
            put_hex(out, image->build_id, image->build_id_bytes);
        }
        g_string_append_c(out, '\n');
    }
}

static void put_state(GString *out, const struct trace_info *info)
{
    const struct trace_ending *end = info->ending;

    g_string_append_printf(out, "%-12s", "recording");
    if (end) {
        g_string_append_printf(out, "complete: %s after %" PRIu64 " instructions, ",
                               end->stop_reason, end->insns);
        trace_put_time(out, end->virtual_ns);
        g_string_append(out, " s virtual");
        if (end->has_exit_value)
            g_string_append_printf(out, ", exit value %" PRIu32, end->exit_value);
        if (end->state_hash[0])
            g_string_append_printf(out, "\n%-12sstate_hash %s", "", end->state_hash);
    } else if (info->damaged) {
        g_string_append_printf(out, "damaged behind %" PRIu64 " bytes; good up to %" PRIu64
                                    " instructions", info->file_bytes, info->insns);
    } else {
        g_string_append_printf(out, "cut off, or not ended yet: good up to %" PRIu64
                                    " instructions, %" PRIu64 " bytes behind the last whole frame",
                               info->insns, info->cut_bytes);
    }
    g_string_append_c(out, '\n');
}

static void put_bytes(GString *out, const struct trace_info *info)
{
    double log_rate = info->insns ? (double)info->log_bytes / ((double)info->insns / 1000) : 0;

    g_string_append_printf(out,
                           "%-12s%" PRIu64 " bytes: images %" PRIu64 ", events %" PRIu64
                           ", log %" PRIu64 ", checkpoints %" PRIu64 ", header %" PRIu64 "\n",
                           "size", info->file_bytes, info->image_bytes, info->event_bytes,
                           info->log_bytes, info->checkpoint_bytes, info->header_bytes);
    g_string_append_printf(out, "%-12s%" PRIu64 " inputs, hash chain every %" PRIu64
                                " instructions; %.4f bytes per 1000 instructions\n",
                           "log", info->inputs, info->hash_insns, log_rate);
    g_string_append_printf(out, "%-12s%" PRIu64, "events", info->events);
    if (info->events)
        g_string_append_printf(out, ", %.2f bytes each",
                               (double)info->event_bytes / (double)info->events);
    for (unsigned i = 0; info->kinds[i]; i++)
        g_string_append_printf(out, "%s%s", i ? "," : "; kinds ", info->kinds[i]);
    g_string_append_c(out, '\n');
}

static void put_checkpoints(GString *out, const struct trace_info *info, bool all)
{
    g_string_append_printf(out, "%-12s%u", "checkpoints", info->checkpoints);
    if (info->checkpoints)
        g_string_append_printf(out, ", from %" PRIu64 " to %" PRIu64 " instructions",
                               info->checkpoint[0].insns,
                               info->checkpoint[info->checkpoints - 1].insns);
    g_string_append_c(out, '\n');
    for (unsigned i = 0; all && i < info->checkpoints; i++) {
        const struct trace_checkpoint *c = &info->checkpoint[i];

        g_string_append_printf(out, "%-12s%4u  insns %" PRIu64 "  event %" PRIu64 "  pages %" PRIu64
                                    "  bytes %" PRIu64 "\n",
                               "", i, c->insns, c->event, c->pages, c->size_bytes);
    }
}

static void put_text(GString *out, const struct trace_info *info, const char *path, bool all)
{
    g_string_append_printf(out, "%-12s%s, version %u, written by paravane %s\n", "trace", path,
                           info->version, info->program);
    g_string_append_printf(out, "%-12s%s: %u vCPU%s, %s, %" PRIu64 " Hz, seed %" PRIu64 "\n",
                           "machine", info->config_name, info->vcpus, info->vcpus == 1 ? "" : "s",
                           info->cpu_model, info->frequency_hz, info->seed);
    put_state(out, info);
    put_images(out, info);
    put_bytes(out, info);
    put_checkpoints(out, info, all);
    if (all)
        g_string_append_printf(out, "\n%s", info->config);
}

/* --- for machines -------------------------------------------------------------------------- */

static void json_images(struct trace_out *o, const struct trace_info *info)
{
    struct trace_out_array array;

    trace_out_array(o, &array, "images");
    for (unsigned i = 0; i < info->images; i++) {
        const struct trace_image *image = &info->image[i];

        trace_out_begin(o, NULL);
        trace_out_word(o, "name", image->name);
        trace_out_word(o, "path", image->path);
        trace_out_u64(o, "size_bytes", image->size_bytes);
        trace_out_bytes(o, "sha256", image->sha256, sizeof(image->sha256));
        if (image->build_id)
            trace_out_bytes(o, "build_id", image->build_id, image->build_id_bytes);
        trace_out_bool(o, "packed", image->packed);
        trace_out_end(o);
    }
    trace_out_array_end(o, &array);
}

static void json_checkpoints(struct trace_out *o, const struct trace_info *info)
{
    struct trace_out_array array;

    trace_out_array(o, &array, "checkpoints");
    for (unsigned i = 0; i < info->checkpoints; i++) {
        trace_out_begin(o, NULL);
        trace_out_u64(o, "insns", info->checkpoint[i].insns);
        trace_out_u64(o, "virtual_ns", info->checkpoint[i].virtual_ns);
        trace_out_u64(o, "event", info->checkpoint[i].event);
        trace_out_u64(o, "pages", info->checkpoint[i].pages);
        trace_out_u64(o, "size_bytes", info->checkpoint[i].size_bytes);
        trace_out_end(o);
    }
    trace_out_array_end(o, &array);
}

static void json_ending(struct trace_out *o, const struct trace_info *info)
{
    const struct trace_ending *end = info->ending;

    trace_out_bool(o, "complete", end != NULL);
    if (!end)
        return;
    trace_out_begin(o, "ending");
    trace_out_word(o, "stop_reason", end->stop_reason);
    trace_out_u64(o, "insns", end->insns);
    trace_out_u64(o, "virtual_ns", end->virtual_ns);
    trace_out_word(o, "state_hash", end->state_hash);
    if (end->has_exit_value)
        trace_out_u64(o, "exit_value", end->exit_value);
    trace_out_end(o);
}

static void put_json(GString *out, const struct trace_info *info)
{
    struct trace_out o = {.json = out};
    struct trace_out_array array;

    trace_out_start(&o);
    trace_out_begin(&o, NULL);
    trace_out_u64(&o, "version", info->version);
    trace_out_word(&o, "program", info->program);
    trace_out_word(&o, "machine", info->config_name);
    trace_out_word(&o, "config", info->config);
    trace_out_word(&o, "cpu_model", info->cpu_model);
    trace_out_u64(&o, "vcpus", info->vcpus);
    trace_out_u64(&o, "frequency_hz", info->frequency_hz);
    trace_out_u64(&o, "seed", info->seed);
    json_ending(&o, info);
    trace_out_bool(&o, "damaged", info->damaged);
    trace_out_u64(&o, "cut_bytes", info->cut_bytes);
    json_images(&o, info);
    trace_out_u64(&o, "insns", info->insns);
    trace_out_u64(&o, "events", info->events);
    trace_out_array(&o, &array, "kinds");
    for (unsigned i = 0; info->kinds[i]; i++)
        trace_out_word(&o, NULL, info->kinds[i]);
    trace_out_array_end(&o, &array);
    trace_out_u64(&o, "inputs", info->inputs);
    trace_out_u64(&o, "hash_insns", info->hash_insns);
    trace_out_begin(&o, "bytes");
    trace_out_u64(&o, "file", info->file_bytes);
    trace_out_u64(&o, "header", info->header_bytes);
    trace_out_u64(&o, "images", info->image_bytes);
    trace_out_u64(&o, "events", info->event_bytes);
    trace_out_u64(&o, "log", info->log_bytes);
    trace_out_u64(&o, "checkpoints", info->checkpoint_bytes);
    trace_out_end(&o);
    json_checkpoints(&o, info);
    trace_out_end(&o);
    g_string_append_c(out, '\n');
}

int cmd_trace_info(int argc, char **argv)
{
    gboolean json = FALSE, all = FALSE, check = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "for machines", NULL},
        {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "each checkpoint, and the machine file", NULL},
        {"check", 0, 0, G_OPTION_ARG_NONE, &check, "read all of it: is it what was written?", NULL},
        G_OPTION_ENTRY_NULL,
    };
    struct trace_tool tool;
    GError *error = NULL;

    trace_tool_init(&tool, "trace info", "FILE",
                    "What a trace is of, and what is in it. A file that was cut off is good up to\n"
                    "its last whole frame.",
                    NULL);
    trace_tool_options(&tool, entries);
    if (trace_tool_parse(&tool, argc, argv, 1, 1, &error) &&
        trace_tool_open(&tool, tool.argument[0], &error)) {
        g_autoptr(GString) text = g_string_new(NULL);
        const struct trace_info *info = trace_reader_info(tool.reader);

        if (json)
            put_json(text, info);
        else
            put_text(text, info, tool.argument[0], all);
        if (trace_tool_put(&tool, text) && check && trace_reader_check(tool.reader, &error) &&
            !json) {
            g_string_printf(text, "%-12sall checksums are right\n", "check");
            trace_tool_put(&tool, text);
        }
    }
    return trace_tool_end(&tool, error);
}
