/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a trace with events of every kind, for tests of what reads traces:
 *
 *     sample FILE EVENTS [SEED]
 *
 * The events tell no story; their fields are filled from the seed, within what their types mean.
 * Hypercalls have memory of each role.  Event number SEED % EVENTS differs from one seed to
 * another only if SEED is not 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/rng.h"
#include "traces/checkpoint.h"
#include "traces/columns.h"
#include "traces/description.h"
#include "traces/log.h"
#include "traces/writer.h"

#define FRAME_EVENTS 1000

static struct trace_build build;

static uint64_t number_for(struct base_rng *rng, const struct trace_field *f)
{
    uint64_t r = base_rng_next(rng);

    switch (f->type) {
    case TRACE_TYPE_MFN:
        return r % 0x20000;
    case TRACE_TYPE_DOMID:
        return r % 3;
    case TRACE_TYPE_ENUM:
        return f->names[r % f->name_count].value;
    case TRACE_TYPE_BOOL:
        return r % 2;
    case TRACE_TYPE_I64:
        return r % 8 ? 0 : -(r % 40);
    case TRACE_TYPE_HEX:
        return r % 3 ? r % 0x100000 : r;
    default:
        return r % 1000;
    }
}

static void put_blobs(struct base_rng *rng, unsigned field)
{
    unsigned count = base_rng_next(rng) % 4;

    for (unsigned i = 0; i < count; i++) {
        uint32_t size = base_rng_next(rng) % 200;
        uint8_t *to = trace_build_blob(&build, field, base_rng_next(rng) % 24,
                                       base_rng_next(rng) % 2, 0x1000 * i, size);

        for (uint32_t at = 0; at < size; at++)
            to[at] = base_rng_next(rng) % 4 ? 0 : (uint8_t)base_rng_next(rng);
    }
}

static void put_hypercall_end(struct base_rng *rng)
{
    trace_build_u64(&build, TRACE_HYPERCALL_DEPTH, base_rng_next(rng) % 4 == 0);
    trace_build_u64(&build, TRACE_HYPERCALL_ABI, 64);
    trace_build_u64(&build, TRACE_HYPERCALL_DURATION_INSNS, base_rng_next(rng) % 4000);
    trace_build_u64(&build, TRACE_HYPERCALL_DURATION_CYCLES, base_rng_next(rng) % 8000);
}

static const struct trace_event *make(uint64_t number, uint64_t seed)
{
    const struct trace_schema *schema = trace_schema_builtin();
    struct base_rng rng;
    unsigned kinds = 0, kind;

    base_rng_init(&rng, seed, number);
    while (schema->kind[kinds + 1])
        kinds++;
    kind = 1 + (number % 3 == 0 ? 0 : base_rng_next(&rng) % kinds); /* many hypercalls */
    trace_build_begin(&build, kind, 100 + number * 50, 1000 + number * 70000, number / 16 % 2);
    if (base_rng_next(&rng) % 8)
        trace_build_domain(&build, base_rng_next(&rng) % 3, number / 16 % 2);
    for (unsigned i = 0; i < schema->kind[kind]->fields; i++) {
        const struct trace_field *f = &schema->kind[kind]->field[i];
        char text[24];

        if (f->type == TRACE_TYPE_BLOBS)
            put_blobs(&rng, i);
        else if (f->type == TRACE_TYPE_TEXT || f->type == TRACE_TYPE_BYTES)
            trace_build_bytes(&build, i, text,
                              (size_t)snprintf(text, sizeof(text), "a \"%u\"\n\xc3\xa4\xff",
                                               (unsigned)(base_rng_next(&rng) % 1000)));
        else
            trace_build_u64(&build, i, number_for(&rng, f));
    }
    if (kind == TRACE_KIND_HYPERCALL)
        put_hypercall_end(&rng);
    return trace_build_end(&build);
}

static void put_description(struct trace_writer *w)
{
    const struct trace_schema *schema = trace_schema_builtin();
    struct trace_description *d = trace_description_new();
    GPtrArray *kinds = g_ptr_array_new();

    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        if (schema->kind[i])
            g_ptr_array_add(kinds, g_strdup(schema->kind[i]->name));
    g_ptr_array_add(kinds, NULL);
    d->program = g_strdup("0");
    d->config = g_strdup("[machine]\n");
    d->config_name = g_strdup("sample.machine");
    d->cpu_model = g_strdup("none");
    d->vcpus = 2;
    d->frequency_hz = 1000000000;
    d->kinds = (char **)g_ptr_array_free(kinds, FALSE);
    trace_writer_frame(w, &(struct trace_frame){.type = TRACE_FRAME_DESCRIPTION},
                       trace_description_put(d));
    trace_description_free(d);
}

static void put_events(struct trace_writer *w, uint64_t events, uint64_t seed)
{
    struct trace_encoder *e = trace_encoder_new();

    for (uint64_t at = 0; at < events; at += FRAME_EVENTS) {
        uint64_t count = MIN(FRAME_EVENTS, events - at);
        struct trace_frame f = {
            .type = TRACE_FRAME_EVENTS, .ident = at, .count = (uint32_t)count};

        for (uint64_t i = at; i < at + count; i++) {
            const struct trace_event *event = make(i, seed && i == seed % events ? seed : 0);

            trace_encoder_add(e, event);
            f.first_insns = i == at ? event->insns : f.first_insns;
            f.last_insns = event->insns;
        }
        trace_writer_frame(w, &f, trace_encoder_finish(e));
    }
    trace_encoder_free(e);
}

int main(int argc, char **argv)
{
    uint64_t events = argc > 2 ? g_ascii_strtoull(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 3 ? g_ascii_strtoull(argv[3], NULL, 10) : 0;
    struct trace_end end = {.stop_reason = g_strdup("limit"), .state_hash = g_strdup("")};
    GError *error = NULL;
    struct trace_writer *w;

    if (argc < 3) {
        fputs("usage: sample FILE EVENTS [SEED]\n", stderr);
        return 2;
    }
    w = trace_writer_new(argv[1], &error);
    if (!w) {
        fprintf(stderr, "sample: %s\n", error->message);
        return 2;
    }
    put_description(w);
    put_events(w, events, seed);
    end.point.at.insns = 100 + events * 50;
    end.point.at.virtual_ns = 1000 + events * 70000;
    trace_writer_frame(
        w, &(struct trace_frame){.type = TRACE_FRAME_ENDING, .last_insns = end.point.at.insns},
        trace_end_put(&end));
    trace_end_clear(&end);
    if (trace_writer_close(w, &error))
        return 0;
    fprintf(stderr, "sample: %s\n", error->message);
    return 2;
}
