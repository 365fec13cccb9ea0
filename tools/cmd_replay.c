/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `paravane replay`: a recording goes on again, and is checked as it goes.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/types.h"
#include "sim/base/units.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/console_out.h"
#include "tools/replayer.h"
#include "tools/report.h"
#include "tools/summary.h"

#define PROGRESS_INSNS    100000000u
#define DISASSEMBLY_LINES 6

struct replay {
    const char *path;
    char *until, *verify, *summary_path;
    gboolean quiet, hash;
    uint64_t until_insns; /* UINT64_MAX: the end */
    struct replayer_options options;
    struct trace_reader *reader;
    struct replayer *replayer;
    struct console_out out;
    bool out_open;
    int64_t start_us;
};

static struct replayer *running; /* for the signal handler */

static void interrupt_running(void)
{
    if (running)
        replayer_interrupt(running);
}

#define usage(error, ...) run_options_usage(error, "replay", __VA_ARGS__)

/* --- the command line ----------------------------------------------------------------------- */

static gboolean parse(struct replay *r, int argc, char **argv, bool *help, GError **error)
{
    gboolean want_help = FALSE;
    const GOptionEntry entries[] = {
        {"until", 0, 0, G_OPTION_ARG_STRING, &r->until, NULL, NULL},
        {"verify", 0, 0, G_OPTION_ARG_STRING, &r->verify, NULL, NULL},
        {"summary", 0, 0, G_OPTION_ARG_FILENAME, &r->summary_path, NULL, NULL},
        {"quiet", 0, 0, G_OPTION_ARG_NONE, &r->quiet, NULL, NULL},
        {"hash", 0, 0, G_OPTION_ARG_NONE, &r->hash, NULL, NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &want_help, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) why = NULL;
    g_autofree char **list = g_new0(char *, argc + 2);
    char **args = list;

    list[0] = (char *)"replay";
    memcpy(list + 1, argv, (size_t)argc * sizeof(*argv));
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    argc++;
    if (!g_option_context_parse(context, &argc, &args, &why))
        return usage(error, "%s", why->message);
    *help = want_help;
    if (want_help)
        return TRUE;
    if (argc != 2)
        return usage(error, argc < 2 ? "no trace file is given" : "more than one trace file");
    r->path = args[1];
    return TRUE;
}

static gboolean parse_verify(struct replay *r, GError **error)
{
    if (!r->verify || strcmp(r->verify, "hash") == 0)
        return TRUE;
    if (strcmp(r->verify, "full") != 0)
        return usage(error, "--verify needs full or hash, not \"%s\"", r->verify);
    r->options.full = true;
    return TRUE;
}

/* The instruction at which event number @number is complete. */
static gboolean find_event(struct replay *r, uint64_t number, GError **error)
{
    struct trace_cursor *cursor = trace_cursor_new(r->reader);
    const struct trace_event *event;
    enum trace_next next;

    trace_cursor_seek_event(cursor, number, NULL);
    next = trace_cursor_next(cursor, &event, error);
    if (next == TRACE_NEXT_EVENT)
        r->until_insns = event->insns;
    else if (next == TRACE_NEXT_END)
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_MISSING,
                    "%s: there is no event %" PRIu64 "; the last one is %" PRId64, r->path, number,
                    (int64_t)trace_reader_info(r->reader)->events - 1);
    trace_cursor_free(cursor);
    return next == TRACE_NEXT_EVENT;
}

static gboolean parse_until(struct replay *r, GError **error)
{
    uint64_t number;

    r->until_insns = UINT64_MAX;
    if (!r->until)
        return TRUE;
    if (g_str_has_prefix(r->until, "insns=") &&
        base_units_parse(r->until + 6, base_units_count, &r->until_insns))
        return TRUE;
    if (g_str_has_prefix(r->until, "event=") &&
        base_units_parse(r->until + 6, base_units_count, &number))
        return find_event(r, number, error);
    return usage(error, "--until needs insns=N or event=K, not \"%s\"", r->until);
}

/* --- running -------------------------------------------------------------------------------- */

static void show_progress(struct replay *r, uint64_t goal)
{
    uint64_t insns = sim_machine_insns(replayer_machine(r->replayer));

    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " M instructions, %.1f s wall\033[K",
            insns / 1000000, goal / 1000000, (double)(g_get_monotonic_time() - r->start_us) / 1e6);
}

/* In steps, when somebody wants to see how far it is. */
static enum replayer_status run_on(struct replay *r, GError **error)
{
    bool progress = r->quiet && isatty(STDERR_FILENO);
    uint64_t goal = MIN(r->until_insns, trace_reader_info(r->reader)->insns);
    enum replayer_status status;

    if (!replayer_seek(r->replayer, r->until_insns == UINT64_MAX ? 0 : r->until_insns, error))
        return REPLAYER_ERROR;
    if (!progress)
        return replayer_run(r->replayer, r->until_insns, error);
    do {
        uint64_t insns = sim_machine_insns(replayer_machine(r->replayer)) + PROGRESS_INSNS;

        show_progress(r, goal);
        status = replayer_run(r->replayer, insns < goal ? insns : r->until_insns, error);
        if (insns >= goal)
            break;
    } while (status == REPLAYER_LIMIT);
    fputs("\r\033[K", stderr);
    return status;
}

/* Who replays all of it wants to know that all of it is good: checkpoints are not needed for it. */
static enum replayer_status run(struct replay *r, GError **error)
{
    enum replayer_status status = run_on(r, error);

    if (status == REPLAYER_END && r->until_insns == UINT64_MAX &&
        !trace_reader_check(r->reader, error))
        return REPLAYER_ERROR;
    return status;
}

/* --- what came of it ------------------------------------------------------------------------ */

static void show_place(struct replay *r)
{
    struct sim_machine *m = replayer_machine(r->replayer);
    struct cpu *cpu = sim_machine_cpu(m);

    for (unsigned v = 0; v < sim_machine_cpus(m); v++) {
        struct cpu_regs regs;
        uint64_t at;
        char text[160];
        unsigned length;

        cpu_get_regs(cpu, v, &regs);
        fprintf(stderr, "vcpu %u\n", v);
        report_registers(stderr, &regs);
        at = regs.rip + (regs.efer & 0x400 ? 0 : regs.seg[CPU_CS].base);
        for (unsigned i = 0; i < DISASSEMBLY_LINES; i++, at += length) {
            length = cpu_disassemble(cpu, v, GVA(at), text, sizeof(text));
            if (!length)
                break;
            fprintf(stderr, "  %016" PRIx64 "  %s\n", at, text);
        }
    }
}

static void show_difference(struct replay *r)
{
    g_auto(GStrv) lines = g_strsplit(replayer_difference(r->replayer), "\n", -1);

    fprintf(stderr, "paravane: %s: the replay is not what was recorded\n", r->path);
    for (unsigned i = 0; lines[i] && *lines[i]; i++)
        fprintf(stderr, "  %s\n", lines[i]);
    fprintf(stderr, "between instruction %" PRIu64 " (all was equal) and instruction %" PRIu64 "\n",
            replayer_good_insns(r->replayer), sim_machine_insns(replayer_machine(r->replayer)));
    show_place(r);
}

static gboolean write_summary(struct replay *r, struct summary *s, GError **error)
{
    struct sim_machine *m = replayer_machine(r->replayer);

    s->vcpus = sim_machine_cpus(m);
    for (unsigned i = 0; i < s->vcpus; i++)
        cpu_get_counters(sim_machine_cpu(m), i, &s->vcpu[i]);
    return summary_write(s, r->summary_path, error);
}

static gboolean show_summary(struct replay *r, enum replayer_status status, GError **error)
{
    const struct trace_info *info = trace_reader_info(r->reader);
    struct sim_machine *m = replayer_machine(r->replayer);
    bool at_end = status == REPLAYER_END && info->ending;
    struct summary s = {.stop_reason = at_end                           ? info->ending->stop_reason
                                       : status == REPLAYER_INTERRUPTED ? "interrupted"
                                                                        : "limit",
                        .seed = info->seed,
                        .insns = sim_machine_insns(m),
                        .virtual_ns = sim_machine_virtual_ns(m),
                        .wall_s = (double)(g_get_monotonic_time() - r->start_us) / 1e6,
                        .has_exit_value = at_end && info->ending->has_exit_value,
                        .console_bytes = r->out.total_bytes};
    g_autofree char *line = NULL;
    uint64_t points, events;

    if (s.has_exit_value)
        s.exit_value = info->ending->exit_value;
    if (r->hash || r->summary_path)
        sim_machine_state_hash(m, s.state_hash);
    base_hash_final(&r->out.hash, s.console_hash);
    replayer_checked(r->replayer, &points, &events);
    line = summary_line(&s);
    fprintf(stderr, "paravane: replayed: %s; %" PRIu64 " states and %" PRIu64 " events compared\n",
            line, points, events);
    if (status == REPLAYER_END && !info->ending)
        fprintf(stderr,
                "paravane: %s: the recording was cut off (%" PRIu64
                " bytes at its end are of no use); this is as far as it goes\n",
                r->path, info->cut_bytes);
    return !r->summary_path || write_summary(r, &s, error);
}

static int finish(struct replay *r, enum replayer_status status, GError *error)
{
    if (status == REPLAYER_ERROR) {
        if (r->replayer && replayer_machine(r->replayer))
            fprintf(stderr, "paravane: replayed as far as instruction %" PRIu64 "\n",
                    sim_machine_insns(replayer_machine(r->replayer)));
        return tools_fail(error);
    }
    if (status == REPLAYER_DIVERGED) {
        show_difference(r);
        return TOOLS_EXIT_DIVERGED;
    }
    if (!show_summary(r, status, &error))
        return tools_fail(error);
    if (status == REPLAYER_LIMIT || (status == REPLAYER_END && r->until))
        show_place(r);
    if (r->out.error) {
        fprintf(stderr, "paravane: standard output: %s\n", g_strerror(r->out.error));
        return TOOLS_EXIT_USAGE;
    }
    return TOOLS_EXIT_GOOD;
}

static int replay(struct replay *r)
{
    GError *error = NULL;
    enum replayer_status status = REPLAYER_ERROR;

    r->reader = trace_reader_open(r->path, &error);
    if (!r->reader || !parse_until(r, &error) || !parse_verify(r, &error) ||
        (r->summary_path && !summary_check_path(r->summary_path, &error)))
        return tools_fail(error);
    console_out_init(&r->out, r->quiet ? -1 : STDOUT_FILENO, NULL);
    r->out_open = true;
    r->options.console = console_out_byte;
    r->options.console_user = &r->out;
    r->start_us = g_get_monotonic_time();
    r->replayer = replayer_new(r->reader, &r->options, &error);
    if (r->replayer) {
        running = r->replayer;
        console_catch_signals(interrupt_running);
        status = run(r, &error);
        running = NULL;
        console_out_flush(&r->out);
    }
    return finish(r, status, error);
}

int cmd_replay(int argc, char **argv)
{
    struct replay r = {0};
    GError *error = NULL;
    bool help = false;
    int status, caught;

    if (!parse(&r, argc, argv, &help, &error)) {
        status = tools_fail(error);
    } else if (help) {
        help_print("replay");
        status = TOOLS_EXIT_GOOD;
    } else {
        status = replay(&r);
    }
    replayer_free(r.replayer);
    trace_reader_free(r.reader);
    if (r.out_open)
        console_out_fini(&r.out);
    g_free(r.until);
    g_free(r.verify);
    g_free(r.summary_path);
    caught = console_caught_signal();
    if (caught) {
        signal(caught, SIG_DFL);
        raise(caught);
    }
    return status;
}
