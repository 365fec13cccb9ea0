/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log is gone through twice: for inputs, and for points.
 *
 * Invariants
 *  1. @inputs and @points stand at the first input and point that the machine has not reached.
 *  2. A difference is noted once, where it is seen; the machine is then asked to stop.
 *  3. A machine with several CPUs whose state was looked at between two settlings has lost its
 *     TLB (digest.h): @disturbed; replayer_run_to() then starts from a checkpoint again.
 */
#include "tools/replayer.h"

#include <inttypes.h>
#include <string.h>

#include "sim/config.h"
#include "tools/digest.h"
#include "tools/log_cursor.h"
#include "traces/capture.h"
#include "traces/compare.h"
#include "traces/profile.h"

struct replayer {
    struct trace_reader *reader;
    const struct trace_info *info;
    struct replayer_options options;
    struct sim_config *config;
    struct trace_profile *profile;

    struct sim_machine *machine;
    struct digest *digest;
    struct base_input input;
    bool live;
    bool disturbed;

    struct log_cursor inputs, points;
    struct trace_capture *capture;
    struct base_probe probe;
    struct trace_cursor *events;
    GBytes *capture_state;

    GString *difference; /* NULL: none */
    GError *error;       /* seen inside a callback */
    uint64_t good_insns;
    uint64_t checked_points, checked_events;
};

/* --- what goes wrong ------------------------------------------------------------------------ */

static void stop(struct replayer *r)
{
    sim_machine_request_stop(r->machine);
}

static void note_error(struct replayer *r, GError *error)
{
    if (r->error)
        g_error_free(error);
    else
        r->error = error;
    stop(r);
}

G_GNUC_PRINTF(2, 3)
static void differ(struct replayer *r, const char *format, ...)
{
    va_list args;

    if (r->difference)
        return;
    r->difference = g_string_new(NULL);
    va_start(args, format);
    g_string_append_vprintf(r->difference, format, args);
    va_end(args);
    stop(r);
}

/* --- the log -------------------------------------------------------------------------------- */

static const struct trace_input *next_input(struct replayer *r)
{
    GError *error = NULL;
    const struct trace_input *in = log_cursor_input(&r->inputs, &error);

    if (error)
        note_error(r, error);
    return in;
}

static const struct trace_link *next_point(struct replayer *r)
{
    GError *error = NULL;
    const struct trace_link *p = log_cursor_point(&r->points, &error);

    if (error)
        note_error(r, error);
    return p;
}

/* The cursors go to the first entries behind where the machine stands. */
static void seek_log(struct replayer *r, const struct trace_position *at)
{
    const struct trace_input *in;
    const struct trace_link *p;

    log_cursor_init(&r->inputs, r->reader, at->insns);
    log_cursor_init(&r->points, r->reader, at->insns);
    while ((in = next_input(r)) && in->virtual_ns <= at->slice_ns)
        r->inputs.at++;
    while ((p = next_point(r)) && p->at.insns < at->insns)
        r->points.at++;
}

/* How far the log goes. */
static gboolean log_end(struct replayer *r, struct trace_position *end, GError **error)
{
    unsigned logs = trace_reader_logs(r->reader);
    struct trace_log *log;

    if (r->info->ending) {
        *end = r->info->ending->point->at;
        return TRUE;
    }
    *end = (struct trace_position){0};
    if (!logs)
        return TRUE;
    log = trace_reader_log(r->reader, logs - 1, error);
    if (!log)
        return FALSE;
    *end = log->until;
    trace_log_free(log);
    return TRUE;
}

/* --- input ---------------------------------------------------------------------------------- */

static size_t poll_input(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                         uint8_t *buf, size_t size_bytes)
{
    struct replayer *r = user;
    const struct trace_input *in;
    size_t n;

    in = next_input(r);
    if (!in || in->virtual_ns > virtual_ns)
        return 0;
    if (in->virtual_ns < virtual_ns || in->channel != (uint32_t)channel ||
        in->size_bytes > size_bytes ||
        (!r->options.unchecked && in->insns != sim_machine_insns(r->machine))) {
        differ(r,
               "input: %u bytes came in at %" PRIu64 " ns, instruction %" PRIu64
               "; now the machine asks at %" PRIu64 " ns, instruction %" PRIu64
               ", and takes up to %zu\n",
               in->size_bytes, in->virtual_ns, in->insns, virtual_ns, sim_machine_insns(r->machine),
               size_bytes);
        return 0;
    }
    n = in->size_bytes;
    memcpy(buf, in->data, n);
    r->inputs.at++;
    return n;
}

/* --- points --------------------------------------------------------------------------------- */

static uint64_t frames_of(const struct replayer *r)
{
    return sim_machine_ram(r->machine)->top >> PAGE_SHIFT;
}

static void compare_point(struct replayer *r, const struct trace_link *recorded)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct trace_link now;

    digest_point(r->digest, &now);
    if (digest_explain(recorded, &now, frames_of(r), text)) {
        differ(r, "%s", text->str);
        return;
    }
    r->checked_points++;
    r->good_insns = recorded->at.insns;
}

/* Every byte at a checkpoint.  What the digest finds is found before; this says more. */
struct full {
    struct replayer *r;
    bool differs;
};

static bool compare_page(void *user, uint64_t mfn, const uint8_t *data)
{
    struct full *full = user;
    const struct mmu_ram *ram = sim_machine_ram(full->r->machine);
    const uint8_t *now;
    unsigned i = 0;

    if (mfn >= ram->top >> PAGE_SHIFT)
        return false;
    now = ram->host + (mfn << PAGE_SHIFT);
    if (memcmp(now, data, PAGE_SIZE) == 0)
        return true;
    while (now[i] == data[i])
        i++;
    if (!full->differs)
        differ(full->r,
               "memory: frame 0x%" PRIx64 " at byte 0x%x: 0x%02x, in the checkpoint 0x%02x\n", mfn,
               i, now[i], data[i]);
    full->differs = true;
    return true;
}

static void compare_checkpoint(struct replayer *r, unsigned index)
{
    struct full full = {r, false};
    struct trace_position at;
    g_autoptr(GBytes) state = NULL, capture = NULL;
    g_autoptr(GByteArray) now = g_byte_array_new();
    struct base_state st;
    GError *error = NULL;
    size_t i = 0, size_bytes;
    const uint8_t *data;

    state = trace_reader_state(r->reader, index, &at, &capture, &error);
    if (!state || !trace_reader_pages(r->reader, index, compare_page, &full, &error)) {
        note_error(r, error);
        return;
    }
    base_state_init_save(&st, now);
    sim_machine_visit(r->machine, &st, SIM_PART_DEVICES | SIM_PART_CPUS);
    data = g_bytes_get_data(state, &size_bytes);
    while (i < now->len && i < size_bytes && now->data[i] == data[i])
        i++;
    if (i < now->len)
        differ(r, "the state of a device or a CPU, at byte %zu of the checkpoint's\n", i);
}

static void full_compare(struct replayer *r, uint64_t insns)
{
    for (unsigned i = 0; i < r->info->checkpoints; i++)
        if (r->info->checkpoint[i].insns == insns)
            compare_checkpoint(r, i);
}

static void settled(void *user)
{
    struct replayer *r = user;
    uint64_t insns = sim_machine_insns(r->machine);
    const struct trace_link *p;

    if (r->live || r->options.unchecked || r->difference)
        return;
    while ((p = next_point(r)) && p->at.insns < insns)
        r->points.at++;
    if (!p || p->at.insns != insns)
        return;
    if (r->options.full)
        full_compare(r, insns);
    compare_point(r, p);
}

/* --- events --------------------------------------------------------------------------------- */

static void replayed_event(void *user, const struct trace_event *event)
{
    struct replayer *r = user;
    static const struct trace_compare_options strictly;
    const struct trace_event *recorded;
    g_autofree char *what = NULL;
    GError *error = NULL;

    if (r->difference || r->error || r->live)
        return;
    switch (trace_cursor_next(r->events, &recorded, &error)) {
    case TRACE_NEXT_ERROR:
        note_error(r, error);
        return;
    case TRACE_NEXT_END: /* of a file that was cut off */
        return;
    case TRACE_NEXT_EVENT:
        break;
    }
    what = trace_events_differ(&strictly, recorded, event);
    if (what) {
        differ(r,
               "event %" PRIu64 ": recorded %s at instruction %" PRIu64
               ", now %s at instruction %" PRIu64 "; recorded and now: %s\n",
               recorded->number, recorded->kind->name, recorded->insns, event->kind->name,
               event->insns, what);
        return;
    }
    r->checked_events++;
    r->good_insns = MAX(r->good_insns, event->insns);
}

/* The kinds that are compared: those that were asked for and that capture makes. */
static bool wanted_kinds(const struct replayer *r, bool want[TRACE_KIND_MAX + 1])
{
    bool any = false;

    memset(want, 0, (TRACE_KIND_MAX + 1) * sizeof(*want));
    for (unsigned i = 0; r->info->kinds && r->info->kinds[i]; i++) {
        const struct trace_kind *kind =
            trace_schema_find(trace_schema_builtin(), r->info->kinds[i]);

        if (!kind || kind->id == TRACE_KIND_INPUT ||
            !trace_capture_makes(r->profile, (enum trace_kind_id)kind->id))
            continue;
        want[kind->id] = any = true;
    }
    return any;
}

static gboolean attach_capture(struct replayer *r, uint64_t first_event, GBytes *state,
                               GError **error)
{
    struct trace_capture_config config = {.guest = cpu_guest(sim_machine_cpu(r->machine)),
                                          .profile = r->profile,
                                          .sink = {.user = r, .event = replayed_event}};
    struct base_state st;

    if (r->options.no_events || r->options.unchecked || !wanted_kinds(r, config.want))
        return TRUE;
    r->capture = trace_capture_new(&config);
    memset(&r->probe, 0, sizeof(r->probe));
    trace_capture_probe(r->capture, &r->probe);
    sim_machine_attach_probe(r->machine, &r->probe);
    r->events = trace_cursor_new(r->reader);
    trace_cursor_want(r->events, config.want);
    trace_cursor_seek_event(r->events, first_event, NULL);
    if (!state)
        return TRUE;
    base_state_init_load(&st, g_bytes_get_data(state, NULL), g_bytes_get_size(state));
    trace_capture_state(r->capture, &st);
    if (!st.bad)
        return TRUE;
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                "the checkpoint's state of the events does not fit this program");
    return FALSE;
}

/* --- the machine ---------------------------------------------------------------------------- */

static gboolean provide_images(struct replayer *r, GError **error)
{
    for (unsigned i = 0; i < r->info->images; i++) {
        const struct trace_image *image = &r->info->image[i];
        g_autoptr(GBytes) content = NULL;

        if (image->packed) {
            content = trace_reader_image(r->reader, i, error);
        } else {
            content = sim_image_read(image->path, SIM_IMAGE_BYTES_MAX, SIM_IMAGE_PLAIN, error);
            if (!content)
                g_prefix_error(error, "the trace does not hold image %s: ", image->name);
            else if (!trace_image_is(image, content)) {
                g_set_error(error, TRACE_ERROR, TRACE_ERROR_MISSING,
                            "%s: not the image %s that was recorded: another SHA-256", image->path,
                            image->name);
                return FALSE;
            }
        }
        if (!content)
            return FALSE;
        sim_config_set_content(r->config, image->path, content);
    }
    return TRUE;
}

static gboolean read_profile(struct replayer *r, GError **error)
{
    if (!r->info->profile)
        return TRUE;
    r->profile = trace_profile_parse(r->info->profile, "profile of the trace", NULL, NULL, error);
    return r->profile != NULL;
}

static void drop_machine(struct replayer *r)
{
    if (r->machine)
        sim_machine_attach_probe(r->machine, NULL);
    g_clear_pointer(&r->events, trace_cursor_free);
    g_clear_pointer(&r->capture, trace_capture_free);
    g_clear_pointer(&r->digest, digest_free);
    g_clear_pointer(&r->machine, sim_machine_free);
    log_cursor_fini(&r->inputs);
    log_cursor_fini(&r->points);
}

static gboolean power_on(struct replayer *r, GError **error)
{
    struct sim_attachments attach = {.console = r->options.console,
                                     .console_user = r->options.console_user,
                                     .input = r->info->has_input ? &r->input : NULL};

    drop_machine(r);
    r->disturbed = false;
    r->machine = sim_machine_new(r->config, &attach, error);
    if (!r->machine)
        return FALSE;
    r->digest = digest_new(r->machine);
    sim_machine_on_settled(r->machine, settled, r);
    return TRUE;
}

static bool restore_page(void *user, uint64_t mfn, const uint8_t *data)
{
    return mmu_ram_restore(user, mfn, data);
}

static gboolean load_checkpoint(struct replayer *r, unsigned index, GError **error)
{
    struct trace_position at;
    g_autoptr(GBytes) capture = NULL;
    g_autoptr(GBytes) state = trace_reader_state(r->reader, index, &at, &capture, error);

    if (!state || !sim_machine_load(r->machine, g_bytes_get_data(state, NULL),
                                    g_bytes_get_size(state), error))
        return FALSE;
    if (!trace_reader_pages(r->reader, index, restore_page, sim_machine_ram(r->machine), error))
        return FALSE;
    seek_log(r, &at);
    r->good_insns = at.insns;
    return attach_capture(r, r->info->checkpoint[index].event, capture, error);
}

/* The checkpoint's state is that of the point in the log, or one of them is damaged. */
static void check_start(struct replayer *r)
{
    const struct trace_link *p = next_point(r);

    if (p && p->at.insns == sim_machine_insns(r->machine) && !r->options.unchecked)
        compare_point(r, p);
}

static gboolean give_error(struct replayer *r, GError **error)
{
    if (!r->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&r->error));
    return FALSE;
}

gboolean replayer_seek(struct replayer *r, uint64_t insns, GError **error)
{
    static const struct trace_position origin;
    unsigned k = r->info->checkpoints;

    if (r->difference)
        g_string_free(g_steal_pointer(&r->difference), TRUE);
    g_clear_error(&r->error);
    r->good_insns = 0;
    while (k > 0 && r->info->checkpoint[k - 1].insns > insns)
        k--;
    if (!power_on(r, error))
        return FALSE;
    if (k > 0) {
        if (!load_checkpoint(r, k - 1, error))
            return FALSE;
    } else {
        seek_log(r, &origin);
        if (!attach_capture(r, 0, NULL, error))
            return FALSE;
    }
    check_start(r);
    return give_error(r, error);
}

static gboolean check_version(const struct replayer *r, GError **error)
{
    if (r->info->state_number == SIM_MACHINE_STATE_NUMBER)
        return TRUE;
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_VERSION,
                "recorded by paravane %s, whose machines go on differently (their number is "
                "%" PRIu64
                ", this program's is %u): replaying needs that version; its events can be "
                "read",
                r->info->program, r->info->state_number, SIM_MACHINE_STATE_NUMBER);
    return FALSE;
}

static gboolean read_config(struct replayer *r, GError **error)
{
    g_autofree char *name = g_path_get_basename(r->info->config_name);

    /* a name without a folder: paths are as they were */
    r->config = sim_config_parse(name, r->info->config, strlen(r->info->config), NULL, error);
    return r->config != NULL;
}

struct replayer *replayer_new(struct trace_reader *reader, const struct replayer_options *options,
                              GError **error)
{
    struct replayer *r = g_new0(struct replayer, 1);

    r->reader = reader;
    r->info = trace_reader_info(reader);
    r->options = *options;
    r->input = (struct base_input){.user = r, .poll = poll_input};
    if (check_version(r, error) && read_config(r, error) && provide_images(r, error) &&
        read_profile(r, error) && replayer_seek(r, 0, error))
        return r;
    replayer_free(r);
    return NULL;
}

void replayer_free(struct replayer *r)
{
    if (!r)
        return;
    drop_machine(r);
    sim_config_free(r->config);
    trace_profile_free(r->profile);
    g_clear_error(&r->error);
    if (r->difference)
        g_string_free(r->difference, TRUE);
    g_free(r);
}

/* --- running -------------------------------------------------------------------------------- */

static struct sim_position position_of(const struct trace_position *at)
{
    return (struct sim_position){at->insns, at->slice_ns, (uint32_t)at->turn};
}

/* Whether the machine stands exactly at @at; notes the difference if not. */
static void check_place(struct replayer *r, const struct trace_position *at, enum sim_stop why)
{
    struct sim_position now, want = position_of(at);

    sim_machine_position(r->machine, &now);
    if (r->options.unchecked ||
        (now.insns == want.insns && now.slice_ns == want.slice_ns && now.turn == want.turn))
        return;
    differ(r,
           "the machine is at instruction %" PRIu64 " in the slice from %" PRIu64
           " ns (%s); the recording was at "
           "instruction %" PRIu64 " in the slice from %" PRIu64 " ns\n",
           now.insns, now.slice_ns, sim_stop_name(why), want.insns, want.slice_ns);
}

static void check_ending(struct replayer *r, enum sim_stop why)
{
    const struct trace_ending *ending = r->info->ending;
    bool ended = why != SIM_STOP_LIMIT && why != SIM_STOP_REQUEST;

    if (!ending || r->options.unchecked || r->difference)
        return;
    if (ended && strcmp(ending->stop_reason, sim_stop_name(why)) != 0)
        differ(r, "the machine ended by itself (%s); the recording ended otherwise (%s)\n",
               sim_stop_name(why), ending->stop_reason);
    else if (ending->has_exit_value && ending->exit_value != sim_machine_exit_value(r->machine))
        differ(r, "exit value: %" PRIu32 ", recorded %" PRIu32 "\n",
               sim_machine_exit_value(r->machine), ending->exit_value);
    else
        compare_point(r, ending->point);
}

static enum replayer_status verdict(struct replayer *r, enum replayer_status otherwise,
                                    GError **error)
{
    if (!give_error(r, error))
        return REPLAYER_ERROR;
    return r->difference ? REPLAYER_DIVERGED : otherwise;
}

static enum replayer_status run_to_end(struct replayer *r, const struct trace_position *end,
                                       GError **error)
{
    const struct sim_position to = position_of(end);
    enum sim_stop why = sim_machine_run_to(r->machine, &to);

    if (r->difference || r->error)
        return verdict(r, REPLAYER_END, error);
    if (why == SIM_STOP_REQUEST)
        return REPLAYER_INTERRUPTED;
    check_place(r, end, why);
    check_ending(r, why);
    if (!r->difference && !r->info->ending && r->info->damaged)
        trace_reader_damage(r->reader, &r->error);
    return verdict(r, REPLAYER_END, error);
}

enum replayer_status replayer_run(struct replayer *r, uint64_t insns, GError **error)
{
    struct sim_limits limits = {insns, UINT64_MAX};
    struct trace_position end;
    enum sim_stop why;

    if (r->difference)
        return REPLAYER_DIVERGED;
    if (!log_end(r, &end, error))
        return REPLAYER_ERROR;
    if (insns >= end.insns)
        return run_to_end(r, &end, error);
    why = sim_machine_run(r->machine, &limits);
    if (r->difference || r->error)
        return verdict(r, REPLAYER_LIMIT, error);
    if (why == SIM_STOP_REQUEST)
        return REPLAYER_INTERRUPTED;
    if (why != SIM_STOP_LIMIT)
        differ(r,
               "the machine ended by itself (%s) after %" PRIu64
               " instructions; the recording goes on\n",
               sim_stop_name(why), sim_machine_insns(r->machine));
    return verdict(r, REPLAYER_LIMIT, error);
}

enum replayer_status replayer_run_to(struct replayer *r, uint64_t insns, GError **error)
{
    uint64_t now = sim_machine_insns(r->machine), start = 0;

    for (unsigned i = 0; i < r->info->checkpoints; i++)
        if (r->info->checkpoint[i].insns <= insns)
            start = r->info->checkpoint[i].insns;
    if ((now > insns || now < start || r->disturbed || r->difference) &&
        !replayer_seek(r, insns, error))
        return REPLAYER_ERROR;
    return replayer_run(r, insns, error);
}

void replayer_interrupt(struct replayer *r)
{
    sim_machine_interrupt(r->machine);
}

void replayer_point(struct replayer *r, struct trace_link *out)
{
    digest_point(r->digest, out);
    r->disturbed = sim_machine_cpus(r->machine) > 1;
}

void replayer_go_live(struct replayer *r, const struct base_input *input)
{
    r->live = true;
    sim_machine_set_input(r->machine, input);
    sim_machine_on_settled(r->machine, NULL, NULL);
}

struct sim_machine *replayer_machine(struct replayer *r)
{
    return r->machine;
}

const struct sim_config *replayer_config(const struct replayer *r)
{
    return r->config;
}

const char *replayer_difference(const struct replayer *r)
{
    return r->difference ? r->difference->str : NULL;
}

uint64_t replayer_good_insns(const struct replayer *r)
{
    return r->good_insns;
}

void replayer_checked(const struct replayer *r, uint64_t *points, uint64_t *events)
{
    *points = r->checked_points;
    *events = r->checked_events;
}
