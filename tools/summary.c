/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/console_out.h"

static double mips(const struct summary *s)
{
    return s->wall_s > 0 ? (double)s->insns / s->wall_s / 1e6 : 0;
}

char *summary_line(const struct summary *s)
{
    GString *line = g_string_new(s->stop_reason);

    if (s->has_exit_value)
        g_string_append_printf(line, " (value %" PRIu32 ")", s->exit_value);
    g_string_append_printf(line,
                           " after %" PRIu64 " instructions, %" PRIu64 ".%09" PRIu64
                           " s virtual, %.3f s wall, %.1f MIPS",
                           s->insns, s->virtual_ns / 1000000000, s->virtual_ns % 1000000000,
                           s->wall_s, mips(s));
    if (*s->state_hash)
        g_string_append_printf(line, ", state %s", s->state_hash);
    return g_string_free(line, FALSE);
}

/* JSON readers keep numbers as int64 or double: what does not fit is written as a text. */
static void add_u64(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    if (value <= INT64_MAX) {
        json_builder_add_int_value(b, (gint64)value);
    } else {
        g_autofree char *text = g_strdup_printf("%" PRIu64, value);
        json_builder_add_string_value(b, text);
    }
}

static void add_text(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void add_double(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

static void add_vcpu(JsonBuilder *b, const struct cpu_counters *c)
{
    json_builder_begin_object(b);
    add_u64(b, "insns", c->insns);
    add_u64(b, "blocks", c->blocks);
    add_u64(b, "exceptions", c->exceptions);
    add_u64(b, "interrupts", c->interrupts);
    add_u64(b, "nmis", c->nmis);
    add_u64(b, "syscalls", c->syscalls);
    json_builder_end_object(b);
}

static char *to_json(const struct summary *s)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    uint64_t blocks = 0;

    for (unsigned i = 0; i < s->vcpus; i++)
        blocks += s->vcpu[i].blocks;
    json_builder_begin_object(b);
    add_text(b, "version", PARAVANE_VERSION);
    add_text(b, "stop_reason", s->stop_reason);
    if (s->has_exit_value)
        add_u64(b, "exit_value", s->exit_value);
    add_u64(b, "seed", s->seed);
    add_u64(b, "insns", s->insns);
    add_u64(b, "blocks", blocks);
    add_u64(b, "virtual_ns", s->virtual_ns);
    add_double(b, "wall_s", s->wall_s);
    add_double(b, "mips", mips(s));
    add_u64(b, "peak_rss_bytes", s->peak_rss_bytes);
    add_u64(b, "ram_touched_bytes", s->ram_touched_bytes);
    add_text(b, "state_hash", s->state_hash);
    add_text(b, "console_hash", s->console_hash);
    add_u64(b, "console_bytes", s->console_bytes);
    json_builder_set_member_name(b, "vcpus");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < s->vcpus; i++)
        add_vcpu(b, &s->vcpu[i]);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    return json_to_string(root, TRUE);
}

/* A file is replaced; a device, a pipe, or what a link (such as /dev/stdout) leads to is kept. */
static bool is_special(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static gboolean fail(GError **error, const char *path, int number)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "--summary %s: %s", path,
                g_strerror(number));
    return FALSE;
}

gboolean summary_check_path(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (!*path) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "--summary needs the name of a file");
        return FALSE;
    }
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return fail(error, path, EISDIR);
    if (access(is_special(path) ? path : folder, W_OK) != 0)
        return fail(error, path, errno);
    return TRUE;
}

static gboolean write_special(const char *path, const char *text, GError **error)
{
    bool is_device = g_str_has_prefix(path, "/dev/") || g_str_has_prefix(path, "/proc/");
    int fd = open(path, O_WRONLY | O_CLOEXEC | (is_device ? O_APPEND : O_TRUNC | O_CREAT), 0666);
    int number = fd < 0 ? errno : console_out_write_all(fd, text, strlen(text));

    if (fd >= 0 && close(fd) != 0 && number == 0)
        number = errno;
    return number == 0 ? TRUE : fail(error, path, number);
}

/* Writes a file beside @path and puts it in its place. */
static gboolean write_regular(const char *path, const char *text, GError **error)
{
    g_autofree char *beside = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, 0666);
    int number = fd < 0 ? errno : console_out_write_all(fd, text, strlen(text));

    if (fd < 0)
        return fail(error, path, number);
    if (close(fd) != 0 && number == 0)
        number = errno;
    if (number == 0 && rename(beside, path) != 0)
        number = errno;
    if (number == 0)
        return TRUE;
    unlink(beside);
    return fail(error, path, number);
}

gboolean summary_write_text(const char *path, const char *text, GError **error)
{
    return (is_special(path) ? write_special : write_regular)(path, text, error);
}

gboolean summary_write(const struct summary *s, const char *path, GError **error)
{
    g_autofree char *json = to_json(s);
    g_autofree char *text = g_strconcat(json, "\n", NULL);

    return summary_write_text(path, text, error);
}
