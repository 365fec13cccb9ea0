/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written when
 *
 *     recorder_start   DESCRIPTION, IMAGE ...; the first point of the hash chain, into the log
 *     settled          a point; now and then PAGES ... CHECKPOINT
 *     any event        into the encoder; EVENTS when it is full
 *     flush            EVENTS, LOG: what is in the file is complete up to the log's end
 *     recorder_finish  flush, ENDING
 *
 * Flushes depend on instructions and virtual time, so that a run is always recorded as the same
 * file.  A flush at a poll keeps what is lost to a second of virtual time while nothing much is
 * executed; its position is that of the loop right after the events of that instant.
 */
#include "tools/recorder.h"

#include <string.h>

#include "tools/digest.h"
#include "tools/event_list.h"
#include "tools/symbols.h"
#include "traces/capture.h"
#include "traces/checkpoint.h"
#include "traces/columns.h"
#include "traces/description.h"
#include "traces/reader.h"
#include "traces/writer.h"

#define FLUSH_INSNS       100000000u
#define FLUSH_NS          1000000000u
#define FLUSH_EVENT_BYTES (2u << 20)
#define FLUSH_EVENTS      65536u
#define IMAGE_PART_BYTES  (4u << 20)
#define IMAGE_BYTES_MAX   SIM_IMAGE_BYTES_MAX

struct recorder {
    struct recorder_options options;
    char *path;
    struct trace_description *description;
    GPtrArray *images; /* GBytes, what the description's images hold */
    struct trace_writer *writer;
    struct sim_machine *machine;
    struct digest *digest;
    struct trace_log *log;
    uint64_t flushed_insns, flushed_ns;
    bool done; /* save_at has been reached */

    struct trace_encoder *encoder;
    struct trace_sink sink;
    struct trace_capture *capture;
    struct base_probe probe;
    struct trace_build *build;
    uint64_t events; /* so far */
    uint64_t frame_first_insns, frame_last_insns, frame_last_ns;

    struct base_input input, source;
    const struct base_input *given; /* what @source is a copy of */
};

/* --- the head of the file ------------------------------------------------------------------- */

/* The bytes that hexadecimal digits stand for; NULL for NULL. */
static uint8_t *bytes_of(const char *hex, unsigned *count)
{
    uint8_t *bytes = hex ? g_malloc(strlen(hex) / 2 + 1) : NULL;

    *count = hex ? (unsigned)strlen(hex) / 2 : 0;
    for (unsigned i = 0; i < *count; i++)
        bytes[i] =
            (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return bytes;
}

static void describe_image(struct trace_description *d, const struct sim_config_image *file,
                           GBytes *content, bool packed)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    unsigned image_id_bytes;
    g_autofree char *build_id = symbols_build_id(file->path);
    g_autofree uint8_t *id = bytes_of(build_id, &image_id_bytes);
    struct trace_image image = {.name = file->name, .path = file->path, .packed = packed};
    gsize size_bytes, digest_bytes = sizeof(image.sha256);
    const void *data = g_bytes_get_data(content, &size_bytes);

    g_checksum_update(sum, data, (gssize)size_bytes);
    g_checksum_get_digest(sum, image.sha256, &digest_bytes);
    image.size_bytes = size_bytes;
    image.build_id = id;
    image.build_id_bytes = image_id_bytes;
    trace_description_add_image(d, &image);
}

/* Reads every file once: what is described and packed is what the machine is made from. */
static gboolean read_images(struct recorder *rec, struct sim_config *config, GError **error)
{
    g_autoptr(GPtrArray) files = sim_config_images(config);

    for (unsigned i = 0; i < files->len; i++) {
        const struct sim_config_image *file = g_ptr_array_index(files, i);
        GBytes *content =
            sim_config_read(config, file->path, IMAGE_BYTES_MAX, SIM_IMAGE_PLAIN, error);

        if (!content)
            return FALSE;
        sim_config_set_content(config, file->path, content);
        describe_image(rec->description, file, content, !rec->options.no_pack);
        g_ptr_array_add(rec->images, content);
    }
    return TRUE;
}

static void pack_image(struct recorder *rec, unsigned index, GBytes *content)
{
    struct trace_frame f = {.type = TRACE_FRAME_IMAGE, .ident = index};
    gsize size_bytes;
    const uint8_t *data = g_bytes_get_data(content, &size_bytes);

    for (gsize at = 0; at < size_bytes; at += IMAGE_PART_BYTES, f.count++) {
        GByteArray *part = g_byte_array_new();

        g_byte_array_append(part, data + at, (guint)MIN(IMAGE_PART_BYTES, size_bytes - at));
        trace_writer_frame(rec->writer, &f, part);
    }
}

static void describe(struct recorder *rec, const struct sim_config *config)
{
    struct trace_description *d = rec->description;

    d->program = g_strdup(PARAVANE_VERSION);
    d->config = sim_config_to_text(config);
    d->config_name = g_strdup(config->file);
    d->cpu_model = g_strdup(config->cpu_model);
    d->seed = config->seed;
    d->frequency_hz = config->frequency_hz;
    d->vcpus = config->cpus;
    d->has_input = rec->options.has_input;
    d->hash_insns = SIM_MACHINE_SETTLE_INSNS;
    d->state_number = SIM_MACHINE_STATE_NUMBER;
    d->kinds = event_list_names(rec->options.want);
    d->profile = rec->options.profile ? g_strdup(rec->options.profile->text) : NULL;
}

static gboolean write_head(struct recorder *rec, GError **error)
{
    rec->writer = trace_writer_new(rec->path, error);
    if (!rec->writer)
        return FALSE;
    trace_writer_frame(rec->writer, &(struct trace_frame){.type = TRACE_FRAME_DESCRIPTION},
                       trace_description_put(rec->description));
    for (unsigned i = 0; i < rec->images->len && !rec->options.no_pack; i++)
        pack_image(rec, i, g_ptr_array_index(rec->images, i));
    g_clear_pointer(&rec->images, g_ptr_array_unref);
    return TRUE;
}

/* --- events --------------------------------------------------------------------------------- */

static void flush_events(struct recorder *rec)
{
    struct trace_frame f = {.type = TRACE_FRAME_EVENTS,
                            .first_insns = rec->frame_first_insns,
                            .last_insns = rec->frame_last_insns,
                            .virtual_ns = rec->frame_last_ns,
                            .count = trace_encoder_count(rec->encoder)};

    if (!f.count)
        return;
    f.ident = rec->events - f.count;
    trace_writer_frame(rec->writer, &f, trace_encoder_finish(rec->encoder));
}

static void sink_event(void *user, const struct trace_event *event)
{
    struct recorder *rec = user;

    if (rec->done)
        return;
    if (trace_encoder_count(rec->encoder) == 0)
        rec->frame_first_insns = event->insns;
    rec->frame_last_insns = event->insns;
    rec->frame_last_ns = event->virtual_ns;
    trace_encoder_add(rec->encoder, event);
    rec->events++;
    if (trace_encoder_bytes(rec->encoder) >= FLUSH_EVENT_BYTES ||
        trace_encoder_count(rec->encoder) >= FLUSH_EVENTS)
        flush_events(rec);
}

/* --- the log -------------------------------------------------------------------------------- */

static void flush(struct recorder *rec, const struct trace_position *until)
{
    struct trace_frame f = {.type = TRACE_FRAME_LOG,
                            .first_insns = rec->flushed_insns,
                            .last_insns = until->insns,
                            .virtual_ns = until->virtual_ns,
                            .count = rec->log->inputs->len};

    flush_events(rec);
    rec->log->until = *until;
    trace_writer_frame(rec->writer, &f, trace_log_put(rec->log));
    trace_log_clear(rec->log);
    rec->flushed_insns = until->insns;
    rec->flushed_ns = until->virtual_ns;
    if (trace_writer_failed(rec->writer))
        sim_machine_request_stop(rec->machine);
}

static void add_point(struct recorder *rec, struct trace_link *point)
{
    digest_point(rec->digest, point);
    point->event = rec->events;
    g_array_append_val(rec->log->points, *point);
}

static void input_event(struct recorder *rec, enum base_input_channel channel, uint64_t insns,
                        uint64_t virtual_ns, const uint8_t *data, size_t size_bytes)
{
    if (!rec->options.want[TRACE_KIND_INPUT])
        return;
    trace_build_begin(rec->build, TRACE_KIND_INPUT, insns, virtual_ns, 0);
    trace_build_u64(rec->build, TRACE_INPUT_CHANNEL, channel);
    trace_build_bytes(rec->build, TRACE_INPUT_BYTES, data, size_bytes);
    sink_event(rec, trace_build_end(rec->build));
}

static size_t poll_input(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                         uint8_t *buf, size_t size_bytes)
{
    struct recorder *rec = user;
    size_t n = rec->source.poll(rec->source.user, channel, virtual_ns, buf, size_bytes);
    struct trace_position until;

    if (rec->done || !rec->machine)
        return n;
    digest_position(rec->machine, &until);
    if (n) {
        struct trace_input in = {.channel = channel,
                                 .virtual_ns = virtual_ns,
                                 .insns = until.insns,
                                 .data = buf,
                                 .size_bytes = (uint32_t)n};

        trace_log_input(rec->log, &in);
        input_event(rec, channel, until.insns, virtual_ns, buf, n);
    }
    if (virtual_ns - rec->flushed_ns >= FLUSH_NS && virtual_ns > rec->flushed_ns) {
        until.virtual_ns = virtual_ns;
        until.turn = 0;
        flush(rec, &until);
    }
    return n;
}

const struct base_input *recorder_input(struct recorder *rec, const struct base_input *input)
{
    if (!input)
        return NULL;
    rec->given = input;
    rec->source = *input;
    rec->input = (struct base_input){.user = rec, .poll = poll_input};
    return &rec->input;
}

/* --- checkpoints ---------------------------------------------------------------------------- */

static void put_pages(struct recorder *rec, struct trace_checkpoint_body *c, const uint64_t *mfn,
                      guint count)
{
    struct mmu_ram *ram = sim_machine_ram(rec->machine);
    struct trace_page_list *list = trace_checkpoint_list(c);
    GByteArray *pages = g_byte_array_sized_new(count * PAGE_SIZE);
    struct trace_frame f = {.type = TRACE_FRAME_PAGES,
                            .first_insns = c->at.insns,
                            .last_insns = c->at.insns,
                            .virtual_ns = c->at.virtual_ns,
                            .count = count};

    for (guint i = 0; i < count; i++)
        g_byte_array_append(pages, ram->host + (mfn[i] << PAGE_SHIFT), PAGE_SIZE);
    g_array_append_vals(list->mfns, mfn, count);
    list->frame = trace_writer_frame(rec->writer, &f, pages);
}

static void put_changed(struct recorder *rec, struct trace_checkpoint_body *c)
{
    g_autoptr(GArray) changed = digest_take_changed(rec->digest);
    guint kept = 0;

    for (guint i = 0; i < changed->len; i++) {
        uint64_t mfn = g_array_index(changed, uint64_t, i);

        if (digest_is_zero(rec->digest, mfn))
            g_array_append_val(c->zero, mfn);
        else
            g_array_index(changed, uint64_t, kept++) = mfn;
    }
    for (guint i = 0; i < kept; i += TRACE_PAGES_PER_FRAME)
        put_pages(rec, c, &g_array_index(changed, uint64_t, i),
                  MIN(TRACE_PAGES_PER_FRAME, kept - i));
}

static void put_checkpoint(struct recorder *rec, const struct trace_link *point)
{
    struct trace_checkpoint_body *c = trace_checkpoint_new();
    struct trace_frame f = {.type = TRACE_FRAME_CHECKPOINT,
                            .first_insns = point->at.insns,
                            .last_insns = point->at.insns,
                            .virtual_ns = point->at.virtual_ns,
                            .ident = rec->events};
    struct base_state st;

    c->at = point->at;
    c->event = rec->events;
    base_state_init_save(&st, c->state);
    sim_machine_visit(rec->machine, &st, SIM_PART_DEVICES | SIM_PART_CPUS | SIM_PART_HIDDEN);
    if (rec->capture) {
        base_state_init_save(&st, c->capture);
        trace_capture_state(rec->capture, &st);
    }
    put_changed(rec, c);
    trace_writer_frame(rec->writer, &f, trace_checkpoint_put(c));
    trace_checkpoint_free(c);
}

static bool checkpoint_is_due(const struct recorder *rec, uint64_t insns)
{
    const struct recorder_options *o = &rec->options;

    if (o->save_at)
        return insns <= o->save_at && o->save_at - insns < SIM_MACHINE_SETTLE_INSNS;
    return o->checkpoint_insns && insns % o->checkpoint_insns == 0;
}

static void settled(void *user)
{
    struct recorder *rec = user;
    struct trace_link point;
    uint64_t insns;

    if (rec->done)
        return;
    add_point(rec, &point);
    insns = point.at.insns;
    if (checkpoint_is_due(rec, insns)) {
        flush(rec, &point.at); /* the log goes as far as the checkpoint */
        put_checkpoint(rec, &point);
    } else if (insns - rec->flushed_insns >= FLUSH_INSNS) {
        flush(rec, &point.at);
    }
    if (trace_writer_failed(rec->writer))
        sim_machine_request_stop(rec->machine);
}

/* --- life ----------------------------------------------------------------------------------- */

struct recorder *recorder_new(const struct recorder_options *options, struct sim_config *config,
                              GError **error)
{
    struct recorder *rec = g_new0(struct recorder, 1);

    rec->options = *options;
    rec->path = g_strdup(options->path);
    /* to the next settling */
    rec->options.checkpoint_insns = (options->checkpoint_insns + SIM_MACHINE_SETTLE_INSNS - 1) /
                                    SIM_MACHINE_SETTLE_INSNS * SIM_MACHINE_SETTLE_INSNS;
    rec->log = trace_log_new();
    rec->encoder = trace_encoder_new();
    rec->build = g_new0(struct trace_build, 1);
    rec->sink = (struct trace_sink){.user = rec, .event = sink_event};
    rec->description = trace_description_new();
    rec->images = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    if (read_images(rec, config, error)) {
        describe(rec, config);
        return rec;
    }
    recorder_free(rec);
    return NULL;
}

static void attach_capture(struct recorder *rec)
{
    struct trace_capture_config config = {.guest = cpu_guest(sim_machine_cpu(rec->machine)),
                                          .profile = rec->options.profile,
                                          .sink = rec->sink};
    bool any = false;

    memcpy(config.want, rec->options.want, sizeof(config.want));
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        any |= config.want[k] && k != TRACE_KIND_INPUT;
    if (!any)
        return;
    rec->capture = trace_capture_new(&config);
    trace_capture_probe(rec->capture, &rec->probe);
}

gboolean recorder_start(struct recorder *rec, struct sim_machine *machine, GError **error)
{
    struct trace_link point;

    if (!write_head(rec, error))
        return FALSE;
    rec->machine = machine;
    rec->digest = digest_new(machine);
    attach_capture(rec);
    add_point(rec, &point);
    if (rec->capture)
        sim_machine_attach_probe(machine, &rec->probe);
    sim_machine_on_settled(machine, settled, rec);
    return TRUE;
}

bool recorder_failed(const struct recorder *rec)
{
    return rec->writer && trace_writer_failed(rec->writer);
}

gboolean recorder_finish(struct recorder *rec, const char *stop_reason, const uint32_t *exit_value,
                         const char *state_hash, GError **error)
{
    struct trace_end end = {.stop_reason = (char *)stop_reason,
                            .has_exit_value = exit_value != NULL,
                            .exit_value = exit_value ? *exit_value : 0,
                            .state_hash = (char *)state_hash};
    struct trace_frame f = {.type = TRACE_FRAME_ENDING};

    g_return_val_if_fail(rec->writer && rec->machine, FALSE);
    digest_point(rec->digest, &end.point);
    if (rec->capture)
        trace_capture_finish(rec->capture, end.point.at.insns, end.point.at.virtual_ns);
    end.point.event = rec->events;
    flush(rec, &end.point.at);
    f.first_insns = f.last_insns = end.point.at.insns;
    f.virtual_ns = end.point.at.virtual_ns;
    trace_writer_frame(rec->writer, &f, trace_end_put(&end));
    rec->done = true;
    return trace_writer_close(g_steal_pointer(&rec->writer), error);
}

void recorder_free(struct recorder *rec)
{
    if (!rec)
        return;
    if (rec->machine) {
        sim_machine_attach_probe(rec->machine, NULL);
        sim_machine_on_settled(rec->machine, NULL, NULL);
        sim_machine_set_input(rec->machine, rec->given); /* the machine may go on */
    }
    trace_capture_free(rec->capture);
    if (rec->writer)
        trace_writer_close(rec->writer, NULL);
    trace_description_free(rec->description);
    g_clear_pointer(&rec->images, g_ptr_array_unref);
    digest_free(rec->digest);
    trace_log_free(rec->log);
    trace_encoder_free(rec->encoder);
    g_free(rec->build);
    g_free(rec->path);
    g_free(rec);
}
