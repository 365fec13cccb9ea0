/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/run_options.h"

#include <string.h>

#include "sim/base/rng.h"
#include "sim/base/types.h"
#include "sim/base/units.h"
#include "tools/event_list.h"
#include "tools/recorder.h"

G_DEFINE_QUARK(run_options_error, run_options_error)

#define PAUSES_MAX 1000000u

typedef gboolean option_fn(struct run_options *o, const char *value, GError **error);

#define fail(o, error, ...) run_options_usage(error, (o)->recording ? "record" : "run", __VA_ARGS__)

gboolean run_options_usage(GError **error, const char *command, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, RUN_OPTIONS_ERROR, RUN_OPTIONS_ERROR_USAGE, "%s (see paravane help %s)",
                text, command);
    return FALSE;
}

/* An option's text that this module has made itself; it lives as long as the options. */
static void add_set(struct run_options *o, char *set)
{
    g_ptr_array_add(o->sets, set);
}

static gboolean option_set(struct run_options *o, const char *value, GError **error)
{
    (void)error; /* sim_config_load() judges it */
    add_set(o, g_strdup(value));
    return TRUE;
}

static gboolean option_seed(struct run_options *o, const char *value, GError **error)
{
    uint64_t seed;

    if (!base_units_parse(value, base_units_none, &seed))
        return fail(o, error, "--seed needs a number from 0 to 18446744073709551615, not \"%s\"",
                    value);
    add_set(o, g_strdup_printf("machine.seed=%s", value));
    return TRUE;
}

static gboolean option_until(struct run_options *o, const char *value, GError **error)
{
    if (g_str_has_prefix(value, "insns=")) {
        if (!base_units_parse(value + 6, base_units_count, &o->until_insns))
            return fail(o, error, "--until insns= needs a number such as 1000000 or 2G, not \"%s\"",
                        value + 6);
        return TRUE;
    }
    if (g_str_has_prefix(value, "vtime=")) {
        if (!base_units_parse(value + 6, base_units_duration, &o->until_ns))
            return fail(o, error,
                        "--until vtime= needs a time such as 500us, 20ms or 1.5s, not \"%s\"",
                        value + 6);
        return TRUE;
    }
    if (g_str_has_prefix(value, "console=") && value[8]) {
        o->until_text = value + 8;
        return TRUE;
    }
    return fail(o, error, "--until needs insns=N, vtime=T or console=TEXT, not \"%s\"", value);
}

static gboolean option_script(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->script = value;
    return TRUE;
}

static gboolean option_summary(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->summary = value;
    return TRUE;
}

static gboolean option_symbols(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->symbols = value;
    return TRUE;
}

static gboolean option_verify(struct run_options *o, const char *value, GError **error)
{
    uint64_t n;

    if (!base_units_parse(value, base_units_none, &n) || n < 2 || n > RUN_VERIFY_MAX)
        return fail(o, error, "--verify needs a number of runs from 2 to %u, not \"%s\"",
                    RUN_VERIFY_MAX, value);
    o->verify = (unsigned)n;
    return TRUE;
}

static gboolean add_pause(struct run_options *o, uint64_t insns, GError **error)
{
    if (o->pauses->len >= PAUSES_MAX)
        return fail(o, error, "more than %u pauses", PAUSES_MAX);
    g_array_append_val(o->pauses, insns);
    return TRUE;
}

static gboolean option_pause_at(struct run_options *o, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    for (unsigned i = 0; parts[i]; i++) {
        uint64_t insns;

        if (!base_units_parse(parts[i], base_units_count, &insns))
            return fail(o, error, "--pause-at needs instruction counts such as 1000,2M, not \"%s\"",
                        value);
        if (!add_pause(o, insns, error))
            return FALSE;
    }
    return TRUE;
}

/* COUNT:SEED:MAX */
static gboolean option_pause_random(struct run_options *o, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ":", -1);
    uint64_t count, seed, max;
    struct base_rng rng;

    if (g_strv_length(parts) != 3 || !base_units_parse(parts[0], base_units_count, &count) ||
        !base_units_parse(parts[1], base_units_none, &seed) ||
        !base_units_parse(parts[2], base_units_count, &max) || max == 0 || count > PAUSES_MAX)
        return fail(o, error, "--pause-random needs COUNT:SEED:MAX such as 1000:1:9G, not \"%s\"",
                    value);
    base_rng_init(&rng, seed, 0);
    while (count--)
        if (!add_pause(o, base_rng_next(&rng) % max + 1, error))
            return FALSE;
    return TRUE;
}

static gboolean option_output(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->output = value;
    return TRUE;
}

static gboolean option_events(struct run_options *o, const char *value, GError **error)
{
    bool want[TRACE_KIND_MAX + 1];

    o->events = value;
    return event_list_parse(value, want, error);
}

static gboolean option_profile(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->profile = value;
    return TRUE;
}

static gboolean option_checkpoint(struct run_options *o, const char *value, GError **error)
{
    if (!base_units_parse(value, base_units_count, &o->checkpoint_insns))
        return fail(o, error,
                    "--checkpoint-every needs a number of instructions such as 500M, or 0 "
                    "for none, not \"%s\"",
                    value);
    return TRUE;
}

static gboolean option_no_pack(struct run_options *o, const char *value, GError **error)
{
    (void)value, (void)error;
    o->no_pack = true;
    return TRUE;
}

static gboolean option_save(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->save = value;
    return TRUE;
}

static gboolean option_save_at(struct run_options *o, const char *value, GError **error)
{
    if (!g_str_has_prefix(value, "insns=") ||
        !base_units_parse(value + 6, base_units_count, &o->save_at) || !o->save_at)
        return fail(o, error, "--save-at needs insns=N such as insns=2G, not \"%s\"", value);
    return TRUE;
}

static gboolean option_restore(struct run_options *o, const char *value, GError **error)
{
    (void)error;
    o->restore = value;
    return TRUE;
}

static gboolean option_quiet(struct run_options *o, const char *value, GError **error)
{
    (void)value, (void)error;
    o->quiet = true;
    return TRUE;
}

static gboolean option_hash(struct run_options *o, const char *value, GError **error)
{
    (void)value, (void)error;
    o->hash = true;
    return TRUE;
}

static gboolean option_portable(struct run_options *o, const char *value, GError **error)
{
    (void)value, (void)error;
    o->portable = true;
    return TRUE;
}

static gboolean option_help(struct run_options *o, const char *value, GError **error)
{
    (void)value, (void)error;
    o->help = true;
    return TRUE;
}

static const struct option {
    const char *name;
    bool has_value;
    option_fn *apply;
    bool once; /* for the whole of several runs, not for each */
    enum { FOR_BOTH, FOR_RUN, FOR_RECORD } command;
} options[] = {
    {"--set", true, option_set, false, FOR_BOTH},
    {"--seed", true, option_seed, false, FOR_BOTH},
    {"--until", true, option_until, false, FOR_BOTH},
    {"--console-script", true, option_script, false, FOR_BOTH},
    {"--summary", true, option_summary, true, FOR_BOTH},
    {"--symbols", true, option_symbols, false, FOR_BOTH},
    {"--verify", true, option_verify, true, FOR_RUN},
    {"--pause-at", true, option_pause_at, false, FOR_BOTH},
    {"--pause-random", true, option_pause_random, false, FOR_BOTH},
    {"--quiet", false, option_quiet, true, FOR_BOTH},
    {"--hash", false, option_hash, false, FOR_BOTH},
    {"--portable", false, option_portable, false, FOR_BOTH},
    {"--help", false, option_help, false, FOR_BOTH},
    {"-h", false, option_help, false, FOR_BOTH},
    {"--save", true, option_save, true, FOR_RUN},
    {"--save-at", true, option_save_at, true, FOR_RUN},
    {"--restore", true, option_restore, false, FOR_RUN},
    {"--output", true, option_output, true, FOR_RECORD},
    {"-o", true, option_output, true, FOR_RECORD},
    {"--events", true, option_events, true, FOR_RECORD},
    {"--profile", true, option_profile, true, FOR_RECORD},
    {"--checkpoint-every", true, option_checkpoint, true, FOR_RECORD},
    {"--no-pack", false, option_no_pack, true, FOR_BOTH},
};

/* The option that @arg is; *@value is what stands behind its "=", or NULL. */
static const struct option *find(const struct run_options *o, const char *arg, const char **value)
{
    size_t length = strcspn(arg, "=");

    *value = arg[length] ? arg + length + 1 : NULL;
    for (unsigned i = 0; i < ARRAY_LEN(options); i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, arg, length) == 0 &&
            options[i].command != (o->recording ? FOR_RUN : FOR_RECORD))
            return &options[i];
    return NULL;
}

static void add_repeat(struct run_options *o, char **argv, int count)
{
    for (int i = 0; i < count; i++)
        g_ptr_array_add(o->repeat, g_strdup(argv[i]));
}

/* Takes the argument at argv[0].  Returns: how many it took, 0 with @error. */
static int take(struct run_options *o, int argc, char **argv, GError **error)
{
    const char *value;
    const struct option *option;
    int used = 1;

    if (argv[0][0] != '-') {
        if (o->machine)
            return fail(o, error, "more than one machine file: %s and %s", o->machine, argv[0]);
        o->machine = argv[0];
        add_repeat(o, argv, 1);
        return 1;
    }
    option = find(o, argv[0], &value);
    if (!option)
        return fail(o, error, "unknown option %s", argv[0]);
    if (!option->has_value && value)
        return fail(o, error, "%s takes no value", option->name);
    if (option->has_value && !value) {
        if (argc < 2)
            return fail(o, error, "%s needs a value", option->name);
        value = argv[1];
        used = 2;
    }
    if (!option->apply(o, value, error))
        return 0;
    if (!option->once)
        add_repeat(o, argv, used);
    return used;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static gboolean check_restore(const struct run_options *o, GError **error)
{
    if (o->machine)
        return fail(o, error, "--restore needs no machine file: the saved one goes on");
    if (o->sets->len > 1)
        return fail(o, error, "--restore takes the machine as it is: no --set and no --seed");
    if (o->save || o->portable)
        return fail(o, error, "--restore does not go with %s", o->save ? "--save" : "--portable");
    return TRUE;
}

static gboolean check_whole(const struct run_options *o, GError **error)
{
    if (o->restore && !check_restore(o, error))
        return FALSE;
    if (!o->machine && !o->restore)
        return fail(o, error, "no machine file is given");
    if (o->recording && !o->output)
        return fail(o, error, "no trace file is given: -o FILE");
    if (!o->save != !o->save_at)
        return fail(o, error, "--save FILE and --save-at insns=N go together");
    if (o->verify && (o->save || o->no_pack))
        return fail(o, error, "--verify does not go with --save");
    if (o->verify && o->script && strcmp(o->script, "-") == 0)
        return fail(o, error,
                    "--verify runs several times, but standard input can be read only once");
    return TRUE;
}

static gboolean parse(struct run_options *out, bool recording, int argc, char **argv,
                      GError **error)
{
    memset(out, 0, sizeof(*out));
    out->recording = recording;
    out->checkpoint_insns = RECORDER_CHECKPOINT_INSNS;
    out->events = EVENT_LIST_DEFAULT;
    out->until_insns = out->until_ns = UINT64_MAX;
    out->sets = g_ptr_array_new_with_free_func(g_free);
    out->repeat = g_ptr_array_new_with_free_func(g_free);
    out->pauses = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (int at = 0; at < argc;) {
        int used = take(out, argc - at, argv + at, error);

        if (used == 0)
            return FALSE;
        at += used;
    }
    g_ptr_array_add(out->sets, NULL);
    g_array_sort(out->pauses, rising);
    return out->help || check_whole(out, error);
}

gboolean run_options_parse(struct run_options *out, int argc, char **argv, GError **error)
{
    return parse(out, false, argc, argv, error);
}

gboolean record_options_parse(struct run_options *out, int argc, char **argv, GError **error)
{
    return parse(out, true, argc, argv, error);
}

void run_options_clear(struct run_options *o)
{
    g_clear_pointer(&o->sets, g_ptr_array_unref);
    g_clear_pointer(&o->repeat, g_ptr_array_unref);
    g_clear_pointer(&o->pauses, g_array_unref);
}
