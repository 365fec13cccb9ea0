/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run, from the command line to the exit status.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/machine.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/console_out.h"
#include "tools/console_script.h"
#include "tools/event_list.h"
#include "tools/profiles.h"
#include "tools/recorder.h"
#include "tools/replayer.h"
#include "tools/report.h"
#include "tools/summary.h"
#include "tools/symbols.h"

#define PROGRESS_SLICE_NS 20000000ull /* virtual; the machine is stopped so often to look */
#define PROGRESS_EVERY_US 500000      /* wall */

struct run {
    struct run_options options;
    struct sim_config *config;       /* of the machine; of a restored one borrowed */
    struct trace_reader *reader;     /* --restore */
    struct replayer *replayer;       /* its machine is ours */
    struct console_script *script;
    struct console_out out;
    struct symbols *symbols;
    struct sim_machine *machine;
    struct base_input input;
    struct trace_profile *profile;
    char *profile_note; /* which one it is, to be shown when the machine starts */
    struct recorder *recorder; /* record, or --save until its place is reached */
    bool interactive, progress;
    bool not_recorded; /* the trace or the saved state is not whole */
    unsigned next_pause;
    enum sim_stop stop;
    int64_t start_us, shown_us; /* wall */
    double wall_s;
};

static struct sim_machine *running; /* for the signal handler */

static void interrupt_running(void)
{
    if (running)
        sim_machine_interrupt(running);
}

static void request_stop(void *user)
{
    struct run *run = user;

    if (run->machine)
        sim_machine_request_stop(run->machine);
}

/* --- input ------------------------------------------------------------------------------- */

static size_t poll_script(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                          uint8_t *buf, size_t size_bytes)
{
    struct run *run = user;
    size_t count;

    if (channel != BASE_INPUT_CONSOLE)
        return 0;
    count = console_script_poll(run->script, virtual_ns, buf, size_bytes);
    if (console_script_timed_out(run->script))
        request_stop(run);
    return count;
}

static size_t poll_terminal(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                            uint8_t *buf, size_t size_bytes)
{
    struct run *run = user;
    size_t count;

    if (channel != BASE_INPUT_CONSOLE)
        return 0;
    console_out_flush(&run->out);
    count = console_poll(virtual_ns, buf, size_bytes);
    if (console_wants_to_leave())
        request_stop(run);
    return count;
}

/* --- preparation ------------------------------------------------------------------------- */

static gboolean prepare_inputs(struct run *run, GError **error)
{
    const struct run_options *o = &run->options;

    if (!o->restore) {
        run->config = sim_config_load(o->machine, (const char *const *)o->sets->pdata, error);
        if (!run->config)
            return FALSE;
        run->config->portable = o->portable;
    }
    if (o->script) {
        run->script = console_script_load(o->script, error);
        if (!run->script)
            return FALSE;
    }
    if (o->symbols) {
        run->symbols = symbols_load(o->symbols, error);
        if (!run->symbols)
            return FALSE;
    }
    return !o->summary || summary_check_path(o->summary, error);
}

/* What `record` writes, or --save. */
static gboolean prepare_recorder(struct run *run, GError **error)
{
    const struct run_options *o = &run->options;
    struct recorder_options options = {.path = o->recording ? o->output : o->save,
                                       .checkpoint_insns = o->checkpoint_insns,
                                       .save_at = o->recording ? 0 : o->save_at,
                                       .no_pack = o->no_pack,
                                       .has_input = run->script || run->interactive};

    if (!options.path)
        return TRUE;
    if (o->recording) {
        if (!event_list_parse(o->events, options.want, error) ||
            !profiles_find(run->config->kernel, o->profile, o->symbols, &run->profile,
                           &run->profile_note, error))
            return FALSE;
        options.profile = run->profile;
    }
    run->recorder = recorder_new(&options, run->config, error);
    return run->recorder != NULL;
}

static void restored_console(void *user, uint8_t byte)
{
    struct run *run = user;

    if (run->machine) /* what was written before is not written again */
        console_out_byte(&run->out, byte);
}

/* The machine of a saved file, where that ends, with its input from us from now on. */
static gboolean restore_machine(struct run *run, const struct base_input *input, GError **error)
{
    const struct replayer_options options = {
        .no_events = true, .console = restored_console, .console_user = run};
    enum replayer_status status;

    run->reader = trace_reader_open(run->options.restore, error);
    run->replayer = run->reader ? replayer_new(run->reader, &options, error) : NULL;
    if (!run->replayer)
        return FALSE;
    run->config = (struct sim_config *)replayer_config(run->replayer);
    status = replayer_run_to(run->replayer, UINT64_MAX, error);
    if (status == REPLAYER_DIVERGED)
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "%s: it does not go on as it was saved: %s", run->options.restore,
                    replayer_difference(run->replayer));
    if (status != REPLAYER_END)
        return FALSE;
    run->machine = replayer_machine(run->replayer);
    replayer_go_live(run->replayer, input);
    return TRUE;
}

static gboolean prepare_machine(struct run *run, GError **error)
{
    struct sim_attachments attach = {.console = console_out_byte, .console_user = &run->out};

    run->interactive = !run->script && !run->options.quiet && console_is_usable();
    if (run->script || run->interactive) {
        run->input.user = run;
        run->input.poll = run->script ? poll_script : poll_terminal;
        attach.input = &run->input;
    }
    if (!prepare_recorder(run, error))
        return FALSE;
    if (run->recorder)
        attach.input = recorder_input(run->recorder, attach.input);
    console_out_init(&run->out, run->options.quiet ? -1 : STDOUT_FILENO, run->options.until_text);
    run->out.script = run->script;
    run->out.stop = request_stop;
    run->out.stop_user = run;
    if (run->options.restore)
        return restore_machine(run, attach.input, error);
    run->machine = sim_machine_new(run->config, &attach, error);
    if (!run->machine ||
        (run->recorder && !recorder_start(run->recorder, run->machine, error)))
        return FALSE;
    if (run->profile_note)
        fprintf(stderr, "paravane: %s\n", run->profile_note);
    return TRUE;
}

/* --- running ----------------------------------------------------------------------------- */

static void show_progress(struct run *run)
{
    int64_t now_us = g_get_monotonic_time();
    uint64_t virtual_ns = sim_machine_virtual_ns(run->machine);

    if (now_us - run->shown_us < PROGRESS_EVERY_US)
        return;
    run->shown_us = now_us;
    fprintf(stderr,
            "\r%" PRIu64 " M instructions, %" PRIu64 ".%03" PRIu64 " s virtual, %.1f s wall\033[K",
            sim_machine_insns(run->machine) / 1000000, virtual_ns / 1000000000,
            virtual_ns / 1000000 % 1000, (double)(now_us - run->start_us) / 1e6);
}

/* The next place to stop at: the end, a pause, or a look at the clock for the progress line. */
static struct sim_limits next_limits(struct run *run)
{
    const struct run_options *o = &run->options;
    struct sim_limits limits = {o->until_insns, o->until_ns};
    uint64_t insns = sim_machine_insns(run->machine);

    while (run->next_pause < o->pauses->len &&
           g_array_index(o->pauses, uint64_t, run->next_pause) <= insns)
        run->next_pause++;
    if (run->next_pause < o->pauses->len)
        limits.insns = MIN(limits.insns, g_array_index(o->pauses, uint64_t, run->next_pause));
    if (o->save && run->recorder)
        limits.insns = MIN(limits.insns, o->save_at);
    if (run->progress)
        limits.virtual_ns =
            MIN(limits.virtual_ns, sim_machine_virtual_ns(run->machine) + PROGRESS_SLICE_NS);
    return limits;
}

static bool is_at_end(const struct run *run)
{
    return sim_machine_insns(run->machine) >= run->options.until_insns ||
           sim_machine_virtual_ns(run->machine) >= run->options.until_ns;
}

/* Ends what is recorded.  Returns: false, and has said so, when it is not whole. */
static bool finish_recording(struct run *run, const char *stop_reason, const char *state_hash)
{
    uint32_t value = sim_machine_exit_value(run->machine);
    const char *path = run->options.recording ? run->options.output : run->options.save;
    GError *error = NULL;
    bool ok;

    if (!run->recorder)
        return true;
    ok = recorder_finish(run->recorder, stop_reason,
                         run->stop == SIM_STOP_EXIT_PORT ? &value : NULL, state_hash, &error);
    recorder_free(g_steal_pointer(&run->recorder));
    if (!ok) {
        run->not_recorded = true;
        fprintf(stderr, "paravane: %s; what was written before is kept\n", error->message);
        g_error_free(error);
    } else if (!run->options.recording) {
        fprintf(stderr, "paravane: saved to %s\n", path);
    }
    return ok;
}

static void run_machine(struct run *run)
{
    run->progress = run->options.quiet && isatty(STDERR_FILENO);
    run->start_us = run->shown_us = g_get_monotonic_time();
    running = run->machine;
    console_catch_signals(interrupt_running);
    do {
        struct sim_limits limits = next_limits(run);

        run->stop = sim_machine_run(run->machine, &limits);
        if (run->options.save && run->recorder && run->stop == SIM_STOP_LIMIT &&
            sim_machine_insns(run->machine) >= run->options.save_at &&
            !finish_recording(run, "saved", ""))
            break;
        if (run->progress)
            show_progress(run);
    } while (run->stop == SIM_STOP_LIMIT && !is_at_end(run) && !console_caught_signal());
    run->wall_s = (double)(g_get_monotonic_time() - run->start_us) / 1e6;
    console_close();
    console_out_flush(&run->out);
    if (run->progress)
        fputs("\r\033[K", stderr);
    else if (run->out.fd >= 0 && run->out.total_bytes && run->out.last != '\n' &&
             isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

/* --- the end ----------------------------------------------------------------------------- */

/* The name of the end: the machine's, or of what outside the machine ended the run. */
static const char *stop_reason(const struct run *run)
{
    if (run->stop != SIM_STOP_REQUEST && run->stop != SIM_STOP_LIMIT)
        return sim_stop_name(run->stop);
    if (run->out.error)
        return "output";
    if (run->not_recorded || (run->recorder && recorder_failed(run->recorder)))
        return "output";
    if (console_caught_signal())
        return "interrupted";
    if (run->script && console_script_timed_out(run->script))
        return "script";
    if (run->out.until_seen)
        return sim_stop_name(SIM_STOP_LIMIT);
    if (run->interactive && console_wants_to_leave())
        return "left";
    return sim_stop_name(run->stop);
}

static bool machine_is_good(const struct run *run)
{
    switch (run->stop) {
    case SIM_STOP_LIMIT:
    case SIM_STOP_REQUEST:
    case SIM_STOP_POWER_OFF:
        return true;
    case SIM_STOP_EXIT_PORT:
        return sim_machine_exit_value(run->machine) == 0;
    case SIM_STOP_HALTED:
        return run->config->halted_is_good;
    case SIM_STOP_RESET:
    case SIM_STOP_IDLE:
    case SIM_STOP_TRIPLE_FAULT:
    case SIM_STOP_CRASH:
        break;
    }
    return false;
}

/* A script must be met when the machine has ended; not when the user has ended the run. */
static bool script_is_good(const struct run *run)
{
    g_autofree char *unmet = run->script ? console_script_unmet(run->script) : NULL;
    bool user_ended = run->stop == SIM_STOP_LIMIT || run->stop == SIM_STOP_REQUEST;

    if (!unmet || (user_ended && !console_script_timed_out(run->script)))
        return true;
    fprintf(stderr, "paravane: %s\n", unmet);
    return false;
}

static uint64_t peak_rss_bytes(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss << 10 : 0;
}

static void fill_summary(struct run *run, struct summary *s)
{
    struct cpu *cpu = sim_machine_cpu(run->machine);

    *s = (struct summary){
        .stop_reason = stop_reason(run),
        .seed = run->config->seed,
        .insns = sim_machine_insns(run->machine),
        .virtual_ns = sim_machine_virtual_ns(run->machine),
        .wall_s = run->wall_s,
        .ram_touched_bytes = mmu_ram_touched_bytes(sim_machine_ram(run->machine)),
        .peak_rss_bytes = peak_rss_bytes(),
        .has_exit_value = run->stop == SIM_STOP_EXIT_PORT,
        .console_bytes = run->out.total_bytes,
        .vcpus = run->config->cpus,
    };
    if (s->has_exit_value)
        s->exit_value = sim_machine_exit_value(run->machine);
    if (run->options.hash || run->options.summary || run->options.recording)
        sim_machine_state_hash(run->machine, s->state_hash);
    base_hash_final(&run->out.hash, s->console_hash);
    for (unsigned i = 0; i < s->vcpus; i++)
        cpu_get_counters(cpu, i, &s->vcpu[i]);
}

static void report(struct run *run)
{
    if (run->stop != SIM_STOP_TRIPLE_FAULT && run->stop != SIM_STOP_CRASH)
        return;
    if (!run->symbols) /* a kernel without symbols is nothing to complain about */
        run->symbols = symbols_load(run->config->kernel, NULL);
    report_catastrophe(stderr, run->machine, run->symbols);
}

static int finish(struct run *run)
{
    struct summary summary;
    g_autofree char *line = NULL;
    GError *error = NULL;
    int status = machine_is_good(run) ? TOOLS_EXIT_GOOD : TOOLS_EXIT_BAD;

    report(run);
    if (!script_is_good(run))
        status = TOOLS_EXIT_BAD;
    fill_summary(run, &summary);
    if (run->out.error) {
        fprintf(stderr, "paravane: standard output: %s\n", g_strerror(run->out.error));
        status = TOOLS_EXIT_USAGE;
    }
    if (run->options.save && run->recorder) {
        fprintf(stderr, "paravane: the machine ended before instruction %" PRIu64
                        ": nothing to go on from is saved\n",
                run->options.save_at);
        status = TOOLS_EXIT_USAGE;
    }
    finish_recording(run, summary.stop_reason, summary.state_hash);
    if (run->not_recorded)
        status = TOOLS_EXIT_USAGE;
    if (run->options.summary && !summary_write(&summary, run->options.summary, &error))
        status = tools_fail(error);
    line = summary_line(&summary);
    fprintf(stderr, "paravane: %s\n", line);
    return status;
}

static void clear(struct run *run)
{
    running = NULL;
    console_close();
    console_out_fini(&run->out);
    recorder_free(run->recorder);
    if (run->options.restore) { /* both are the replayer's */
        replayer_free(run->replayer);
        trace_reader_free(run->reader);
    } else {
        sim_machine_free(run->machine);
        sim_config_free(run->config);
    }
    trace_profile_free(run->profile);
    g_free(run->profile_note);
    symbols_free(run->symbols);
    console_script_free(run->script);
    run_options_clear(&run->options);
}

static int run_once(struct run *run)
{
    GError *error = NULL;

    if (!prepare_inputs(run, &error) || !prepare_machine(run, &error))
        return tools_fail(error);
    if (run->interactive) {
        fputs("paravane: you are at the guest's console; Ctrl-A x leaves, Ctrl-A h helps\n",
              stderr);
        if (!console_open(&error))
            return tools_fail(error);
    }
    run_machine(run);
    return finish(run);
}

static int run_command(bool recording, int argc, char **argv)
{
    struct run run = {0};
    GError *error = NULL;
    int status, caught;

    if (!(recording ? record_options_parse : run_options_parse)(&run.options, argc, argv, &error)) {
        status = tools_fail(error);
    } else if (run.options.help) {
        help_print(recording ? "record" : "run");
        status = TOOLS_EXIT_GOOD;
    } else {
        status = run.options.verify ? cmd_verify(&run.options) : run_once(&run);
    }
    clear(&run);
    caught = console_caught_signal();
    if (caught) { /* our parent shall see what ended us */
        signal(caught, SIG_DFL);
        raise(caught);
    }
    return status;
}

int cmd_run(int argc, char **argv)
{
    return run_command(false, argc, argv);
}

int cmd_record(int argc, char **argv)
{
    return run_command(true, argc, argv);
}
