/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command lines of `paravane run` and `paravane record`.
 */
#ifndef PARAVANE_TOOLS_RUN_OPTIONS_H
#define PARAVANE_TOOLS_RUN_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define RUN_VERIFY_MAX 1000

struct run_options {
    const char *machine;
    GPtrArray *sets;                /* const char *, NULL-terminated; --seed is one of them */
    uint64_t until_insns, until_ns; /* UINT64_MAX: none */
    const char *until_text;         /* NULL: none */
    const char *script;
    const char *summary;
    const char *symbols;

    bool recording;            /* `record` */
    const char *output;        /* record: the trace; never NULL then */
    const char *events;        /* record: a list for event_list_parse() */
    const char *profile;       /* record: as profiles_find() has it; NULL: not given */
    uint64_t checkpoint_insns; /* record */
    bool no_pack;              /* record, --save */
    const char *save, *restore; /* run: NULL: not given */
    uint64_t save_at;          /* instructions; with save */

    bool quiet, hash, help, portable;
    unsigned verify;   /* 0: run once */
    GPtrArray *repeat; /* char *: the arguments for one run of several (no --verify, --summary,
                          --quiet); not NULL-terminated */
    GArray *pauses;    /* uint64_t instruction counts, rising: stop there and go on */
};

/**
 * run_options_parse - read the arguments behind `run`.
 * @argv:   texts are borrowed.
 * Returns: FALSE with @error (one line, fit for the user) and @out to be cleared nevertheless.
 */
gboolean run_options_parse(struct run_options *out, int argc, char **argv, GError **error);
/** record_options_parse - the same behind `record`. */
gboolean record_options_parse(struct run_options *out, int argc, char **argv, GError **error);
void run_options_clear(struct run_options *options);

/** run_options_usage - set @error to the text and where @command's help is.  Returns: FALSE. */
gboolean run_options_usage(GError **error, const char *command, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

GQuark run_options_error_quark(void);
#define RUN_OPTIONS_ERROR run_options_error_quark()
enum run_options_error { RUN_OPTIONS_ERROR_USAGE };

#endif
