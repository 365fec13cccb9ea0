/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a replay is compared with: inputs, points of the hash chain, checkpoints, events.
 */
#include <inttypes.h>
#include <string.h>

#include "tools/replayer_internal.h"
#include "traces/compare.h"

/* --- what goes wrong ------------------------------------------------------------------------ */

static void stop(struct replayer *r)
{
    sim_machine_request_stop(r->machine);
}

void replayer_note_error(struct replayer *r, GError *error)
{
    if (r->error)
        g_error_free(error);
    else
        r->error = error;
    stop(r);
}

void replayer_differ(struct replayer *r, const char *format, ...)
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

const struct trace_input *replayer_next_input(struct replayer *r)
{
    GError *error = NULL;
    const struct trace_input *in = log_cursor_input(&r->inputs, &error);

    if (error)
        replayer_note_error(r, error);
    return in;
}

const struct trace_link *replayer_next_point(struct replayer *r)
{
    GError *error = NULL;
    const struct trace_link *p = log_cursor_point(&r->points, &error);

    if (error)
        replayer_note_error(r, error);
    return p;
}

/* --- input ---------------------------------------------------------------------------------- */

size_t replayer_poll_input(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                           uint8_t *buf, size_t size_bytes)
{
    struct replayer *r = user;
    const struct trace_input *in;
    size_t n;

    in = replayer_next_input(r);
    if (!in || in->virtual_ns > virtual_ns)
        return 0;
    if (in->virtual_ns < virtual_ns || in->channel != (uint32_t)channel ||
        in->size_bytes > size_bytes ||
        (!r->options.unchecked && in->insns != sim_machine_insns(r->machine))) {
        replayer_differ(r,
                        "input: %u bytes came in at %" PRIu64 " ns, instruction %" PRIu64
                        "; now the machine asks at %" PRIu64 " ns, instruction %" PRIu64
                        ", and takes up to %zu\n",
                        in->size_bytes, in->virtual_ns, in->insns, virtual_ns,
                        sim_machine_insns(r->machine), size_bytes);
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
        replayer_differ(r, "%s", text->str);
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

    if (mfn >= ram->top >> PAGE_SHIFT || !mmu_ram_has(ram, mfn << PAGE_SHIFT, PAGE_SIZE))
        return false;
    now = ram->host + (mfn << PAGE_SHIFT);
    if (memcmp(now, data, PAGE_SIZE) == 0)
        return true;
    while (now[i] == data[i])
        i++;
    if (!full->differs)
        replayer_differ(
            full->r, "memory: frame 0x%" PRIx64 " at byte 0x%x: 0x%02x, in the checkpoint 0x%02x\n",
            mfn, i, now[i], data[i]);
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
        replayer_note_error(r, error);
        return;
    }
    base_state_init_save(&st, now);
    sim_machine_visit(r->machine, &st, SIM_PART_DEVICES | SIM_PART_CPUS);
    data = g_bytes_get_data(state, &size_bytes);
    while (i < now->len && i < size_bytes && now->data[i] == data[i])
        i++;
    if (i < now->len)
        replayer_differ(r, "the state of a device or a CPU, at byte %zu of the checkpoint's\n", i);
}

static void full_compare(struct replayer *r, uint64_t insns)
{
    for (unsigned i = 0; i < r->info->checkpoints; i++)
        if (r->info->checkpoint[i].insns == insns)
            compare_checkpoint(r, i);
}

void replayer_settled(void *user)
{
    struct replayer *r = user;
    uint64_t insns = sim_machine_insns(r->machine);
    const struct trace_link *p;

    if (r->live || r->options.unchecked || r->difference)
        return;
    while ((p = replayer_next_point(r)) && p->at.insns < insns)
        r->points.at++;
    if (!p || p->at.insns != insns)
        return;
    if (r->options.full)
        full_compare(r, insns);
    compare_point(r, p);
}

/* --- events --------------------------------------------------------------------------------- */

void replayer_check_event(void *user, const struct trace_event *event)
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
        replayer_note_error(r, error);
        return;
    case TRACE_NEXT_END: /* of a file that was cut off */
        return;
    case TRACE_NEXT_EVENT:
        break;
    }
    what = trace_events_differ(&strictly, recorded, event);
    if (what) {
        replayer_differ(r,
                        "event %" PRIu64 ": recorded %s at instruction %" PRIu64
                        ", now %s at instruction %" PRIu64 "; recorded and now: %s\n",
                        recorded->number, recorded->kind->name, recorded->insns, event->kind->name,
                        event->insns, what);
        return;
    }
    r->checked_events++;
    r->good_insns = MAX(r->good_insns, event->insns);
}

/* --- places --------------------------------------------------------------------------------- */

void replayer_check_start(struct replayer *r)
{
    const struct trace_link *p = replayer_next_point(r);

    if (p && p->at.insns == sim_machine_insns(r->machine) && !r->options.unchecked)
        compare_point(r, p);
}

void replayer_check_place(struct replayer *r, const struct trace_position *at, enum sim_stop why)
{
    struct sim_position now, want = replayer_position(at);

    sim_machine_position(r->machine, &now);
    if (r->options.unchecked ||
        (now.insns == want.insns && now.slice_ns == want.slice_ns && now.turn == want.turn))
        return;
    replayer_differ(r,
                    "the machine is at instruction %" PRIu64 " in the slice from %" PRIu64
                    " ns (%s); the recording was at "
                    "instruction %" PRIu64 " in the slice from %" PRIu64 " ns\n",
                    now.insns, now.slice_ns, sim_stop_name(why), want.insns, want.slice_ns);
}

/* What capture tells at the end of a recording, and that nothing is left then. */
static void check_last_events(struct replayer *r)
{
    const struct trace_event *recorded;
    GError *error = NULL;

    if (!r->events)
        return;
    trace_capture_finish(r->capture, sim_machine_insns(r->machine),
                         sim_machine_virtual_ns(r->machine));
    if (r->difference || r->error)
        return;
    switch (trace_cursor_next(r->events, &recorded, &error)) {
    case TRACE_NEXT_ERROR:
        replayer_note_error(r, error);
        break;
    case TRACE_NEXT_EVENT:
        replayer_differ(
            r, "event %" PRIu64 ": recorded %s at instruction %" PRIu64 ", now there is none\n",
            recorded->number, recorded->kind->name, recorded->insns);
        break;
    case TRACE_NEXT_END:
        break;
    }
}

void replayer_check_ending(struct replayer *r, enum sim_stop why)
{
    const struct trace_ending *ending = r->info->ending;
    bool ended = why != SIM_STOP_LIMIT && why != SIM_STOP_REQUEST;

    if (!ending || r->options.unchecked || r->difference)
        return;
    if (ended && strcmp(ending->stop_reason, sim_stop_name(why)) != 0)
        replayer_differ(r, "the machine ended by itself (%s); the recording ended otherwise (%s)\n",
                        sim_stop_name(why), ending->stop_reason);
    else if (ending->has_exit_value && ending->exit_value != sim_machine_exit_value(r->machine))
        replayer_differ(r, "exit value: %" PRIu32 ", recorded %" PRIu32 "\n",
                        sim_machine_exit_value(r->machine), ending->exit_value);
    else
        compare_point(r, ending->point);
    if (!r->difference)
        check_last_events(r);
}
