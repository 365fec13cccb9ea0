/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replayer_internal.h"

#include <inttypes.h>
#include <string.h>

/* --- the log -------------------------------------------------------------------------------- */

/* The cursors go to the first entries behind where the machine stands. */
static void seek_log(struct replayer *r, const struct trace_position *at)
{
    const struct trace_input *in;
    const struct trace_link *p;

    log_cursor_init(&r->inputs, r->reader, at->insns);
    log_cursor_init(&r->points, r->reader, at->insns);
    while ((in = replayer_next_input(r)) && in->virtual_ns <= at->slice_ns)
        r->inputs.at++;
    while ((p = replayer_next_point(r)) && p->at.insns < at->insns)
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

/* --- events --------------------------------------------------------------------------------- */

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
                                          .sink = {.user = r, .event = replayer_check_event}};
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
    sim_machine_on_settled(r->machine, replayer_settled, r);
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
    replayer_check_start(r);
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
    r->input = (struct base_input){.user = r, .poll = replayer_poll_input};
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
    const struct sim_position to = replayer_position(end);
    enum sim_stop why = sim_machine_run_to(r->machine, &to);

    if (r->difference || r->error)
        return verdict(r, REPLAYER_END, error);
    if (why == SIM_STOP_REQUEST)
        return REPLAYER_INTERRUPTED;
    replayer_check_place(r, end, why);
    replayer_check_ending(r, why);
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
        replayer_differ(r,
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
