/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run was: the numbers of the summary line and of the JSON file.
 */
#ifndef PARAVANE_TOOLS_SUMMARY_H
#define PARAVANE_TOOLS_SUMMARY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "sim/base/hash.h"

struct summary {
    const char *stop_reason; /* sim_stop_name(), "left", "interrupted", "script" or "output" */
    uint64_t seed;
    uint64_t insns;
    uint64_t virtual_ns;
    double wall_s;
    uint64_t ram_touched_bytes; /* RAM that the guest has used */
    uint64_t peak_rss_bytes;    /* memory of the host, at most */
    bool has_exit_value;
    uint32_t exit_value;
    char state_hash[BASE_HASH_TEXT]; /* empty: not computed */
    char console_hash[BASE_HASH_TEXT];
    uint64_t console_bytes;
    unsigned vcpus;
    struct cpu_counters vcpu[CPU_MAX_VCPUS];
};

/** summary_line - the one line at the end of a run, without a line feed.  Free with g_free. */
char *summary_line(const struct summary *summary);

/**
 * summary_check_path - whether summary_write() to @path has a chance, to say so before a long
 *                      run rather than after it.
 */
gboolean summary_check_path(const char *path, GError **error);

/** summary_write - as JSON to @path; the file is complete or not there. */
gboolean summary_write(const struct summary *summary, const char *path, GError **error);
/** summary_write_text - the same for a JSON text that is there already. */
gboolean summary_write_text(const char *path, const char *text, GError **error);

#endif
