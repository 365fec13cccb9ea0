/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several runs of the same, compared.  Each is a process of its own, so that the host gives it
 * other addresses; and each gets an environment of another size.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sim/base/types.h"
#include "tools/commands.h"
#include "tools/console_out.h"
#include "tools/summary.h"

#define PROGRAM   "/proc/self/exe"
#define PAD_BYTES 1237 /* by so much does the environment grow from run to run */

/* What must be the same; also the table's columns. */
static const struct field {
    const char *name;
    int width;
} fields[] = {{"stop_reason", 12}, {"insns", 14},      {"virtual_ns", 14},
              {"blocks", 13},      {"state_hash", 32}, {"console_hash", 32}};

struct outcome {
    int status;    /* exit status, or -1 when it died of a signal */
    char *summary; /* JSON text; NULL if there is none */
    char *value[ARRAY_LEN(fields)];
    double wall_s;
};

static void outcome_clear(struct outcome *o)
{
    g_free(o->summary);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        g_free(o->value[i]);
}

static char *member_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return g_strdup("?");
    if (json_node_get_value_type(node) == G_TYPE_INT64)
        return g_strdup_printf("%" PRId64, (int64_t)json_node_get_int(node));
    return g_strdup(json_node_get_string(node));
}

static gboolean read_outcome(struct outcome *o, const char *path, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object;

    if (!g_file_get_contents(path, &o->summary, NULL, error) ||
        !json_parser_load_from_data(parser, o->summary, -1, error))
        return FALSE;
    object = json_node_get_object(json_parser_get_root(parser));
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        o->value[i] = member_text(object, fields[i].name);
    o->wall_s = json_object_get_double_member(object, "wall_s");
    return TRUE;
}

/* In the child: it ends when we do. */
static void child_setup(void *user)
{
    (void)user;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static GSubprocess *start(const struct run_options *options, unsigned number, const char *summary,
                          const char *messages, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_autofree char *pad = g_strnfill((gsize)number * PAD_BYTES, 'x');

    g_ptr_array_add(args, (char *)PROGRAM);
    g_ptr_array_add(args, (char *)"run");
    for (unsigned i = 0; i < options->repeat->len; i++)
        g_ptr_array_add(args, g_ptr_array_index(options->repeat, i));
    g_ptr_array_add(args, (char *)"--summary");
    g_ptr_array_add(args, (char *)summary);
    if (number > 0 || options->quiet)
        g_ptr_array_add(args, (char *)"--quiet");
    g_ptr_array_add(args, NULL);
    g_subprocess_launcher_setenv(launcher, "PARAVANE_VERIFY_PAD", pad, TRUE);
    g_subprocess_launcher_set_stderr_file_path(launcher, messages);
    g_subprocess_launcher_set_child_setup(launcher, child_setup, NULL, NULL);
    return g_subprocess_launcher_spawnv(launcher, (const char *const *)args->pdata, error);
}

/* What a run said that did not go well. */
static void show_messages(const char *path)
{
    g_autofree char *text = NULL;
    gsize size_bytes;

    if (g_file_get_contents(path, &text, &size_bytes, NULL))
        console_out_write_all(STDERR_FILENO, text, size_bytes);
}

static gboolean run_one(const struct run_options *options, unsigned number, const char *folder,
                        struct outcome *o, GError **error)
{
    g_autofree char *summary = g_build_filename(folder, "summary", NULL);
    g_autofree char *messages = g_build_filename(folder, "messages", NULL);
    g_autoptr(GSubprocess) child = start(options, number, summary, messages, error);
    gboolean ok;

    if (!child)
        return FALSE;
    g_subprocess_wait(child, NULL, NULL);
    o->status = g_subprocess_get_if_exited(child) ? g_subprocess_get_exit_status(child) : -1;
    ok = o->status == TOOLS_EXIT_GOOD || o->status == TOOLS_EXIT_BAD;
    if (!ok || (o->status == TOOLS_EXIT_BAD && number == 0))
        show_messages(messages);
    if (ok)
        ok = read_outcome(o, summary, error);
    else if (o->status < 0)
        g_set_error(error, RUN_OPTIONS_ERROR, RUN_OPTIONS_ERROR_USAGE, "run %u died of signal %d",
                    number + 1, g_subprocess_get_term_sig(child));
    g_unlink(summary);
    g_unlink(messages);
    return ok;
}

static void print_row(unsigned number, const struct outcome *o)
{
    fprintf(stderr, "%4u  %6d", number, o->status);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        fprintf(stderr, "  %*s", fields[i].width, o->value[i]);
    fprintf(stderr, "  %8.3f\n", o->wall_s);
}

static void print_head(void)
{
    fputs(" run  status", stderr);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        fprintf(stderr, "  %*s", fields[i].width, fields[i].name);
    fputs("    wall_s\n", stderr);
}

/* Says what differs from @first.  Returns: whether anything does. */
static bool compare(unsigned number, const struct outcome *first, const struct outcome *o)
{
    bool differs = false;

    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(first->value[i], o->value[i]) == 0)
            continue;
        fprintf(stderr, "paravane: run %u differs from run 1 in %s\n", number, fields[i].name);
        differs = true;
    }
    return differs;
}

/* One run after the other; stops at the first that comes to no verdict. */
static bool run_each(const struct run_options *options, const char *folder,
                     struct outcome *outcomes, bool *differs, GError **error)
{
    for (unsigned i = 0; i < options->verify; i++) {
        if (!run_one(options, i, folder, &outcomes[i], error))
            return false;
        if (i == 0)
            print_head();
        print_row(i + 1, &outcomes[i]);
        *differs |= compare(i + 1, &outcomes[0], &outcomes[i]);
    }
    return !options->summary || summary_write_text(options->summary, outcomes[0].summary, error);
}

/* Returns: an exit status. */
static int run_all(const struct run_options *options, const char *folder)
{
    g_autofree struct outcome *outcomes = g_new0(struct outcome, options->verify);
    bool differs = false;
    GError *error = NULL;
    int status = TOOLS_EXIT_USAGE;

    if (run_each(options, folder, outcomes, &differs, &error)) {
        status = differs ? TOOLS_EXIT_BAD : outcomes[0].status;
        fprintf(stderr, "paravane: %u runs, %s\n", options->verify,
                differs ? "NOT identical" : "identical");
    } else if (error) { /* else the run has said what is wrong */
        tools_fail(error);
    }
    for (unsigned i = 0; i < options->verify; i++)
        outcome_clear(&outcomes[i]);
    return status;
}

int cmd_verify(const struct run_options *options)
{
    GError *error = NULL;
    g_autofree char *folder = NULL;
    int status;

    if (options->summary && !summary_check_path(options->summary, &error))
        return tools_fail(error);
    folder = g_dir_make_tmp("paravane-verify-XXXXXX", &error);
    if (!folder)
        return tools_fail(error);
    status = run_all(options, folder);
    g_rmdir(folder);
    return status;
}
