/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of keys says what exists, what is allowed and what is assumed.  Adding a key is a
 * member of struct sim_config, a row here, and a row in docs/machine-file.md.
 */
#include "sim/config_key.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "mmu/ram.h"
#include "sim/base/types.h"
#include "sim/base/units.h"
#include "sim/calendar.h"
#include "sim/config.h"

#define AT(member) offsetof(struct sim_config, member), sizeof(((struct sim_config *)0)->member)
#define MODULE_AT(member)                                                                          \
    offsetof(struct sim_config_module, member), sizeof(((struct sim_config_module *)0)->member)

/* In the order of the canonical text.  docs/machine-file.md has the same table. */
const struct sim_config_key sim_config_keys[] = {
    {"machine", "memory", SIM_CONFIG_SIZE, AT(memory_bytes), 1 << 20, MMU_RAM_MAX_BYTES, 4096,
     "256M"},
    {"machine", "cpus", SIM_CONFIG_NUMBER, AT(cpus), 1, 8, 1, "1"},
    {"machine", "seed", SIM_CONFIG_NUMBER, AT(seed), 0, UINT64_MAX, 1, "0"},
    {"machine", "cpu", SIM_CONFIG_NAME, AT(cpu_model), 0, 0, 0, "paravane-v1"},
    {"machine", "date", SIM_CONFIG_DATE, AT(start_seconds), 0, 0, 0, "2024-01-01T00:00:00Z"},
    {"machine", "on-halt", SIM_CONFIG_GOOD, AT(halted_is_good), 0, 0, 0, "bad"},
    {"boot", "kernel", SIM_CONFIG_PATH, AT(kernel), 0, 0, 0, NULL},
    {"boot", "cmdline", SIM_CONFIG_TEXT, AT(cmdline), 0, 0, 0, ""},
    {NULL, "path", SIM_CONFIG_PATH, MODULE_AT(path), 0, 0, 0, NULL},
    {NULL, "cmdline", SIM_CONFIG_TEXT, MODULE_AT(cmdline), 0, 0, 0, ""},
    {"domu", "kernel", SIM_CONFIG_PATH, AT(domu_kernel), 0, 0, 0, NULL},
    {"domu", "initrd", SIM_CONFIG_PATH, AT(domu_initrd), 0, 0, 0, NULL},
    {"domu", "memory", SIM_CONFIG_SIZE, AT(domu_memory_bytes), 1 << 20, MMU_RAM_MAX_BYTES, 4096,
     "64M"},
    {"domu", "vcpus", SIM_CONFIG_NUMBER, AT(domu_vcpus), 1, 32, 1, "1"},
    {"domu", "cmdline", SIM_CONFIG_TEXT, AT(domu_cmdline), 0, 0, 0, ""},
    {"timing", "model", SIM_CONFIG_NAME, AT(timing_model), 0, 0, 0, "flat"},
    {"timing", "frequency", SIM_CONFIG_FREQUENCY, AT(frequency_hz), 1000000, 10000000000, 1,
     "1GHz"},
    {"timing", "rdtsc-cycles", SIM_CONFIG_NUMBER, AT(rdtsc_cycles), 0, 1000000, 1, "0"},
    {"timing", "port-cycles", SIM_CONFIG_NUMBER, AT(port_cycles), 0, 1000000, 1, "0"},
    {"timing", "mmio-cycles", SIM_CONFIG_NUMBER, AT(mmio_cycles), 0, 1000000, 1, "0"},
    {"timing", "quantum-ns", SIM_CONFIG_NUMBER, AT(quantum_ns), 1000, 1000000000, 1, "250000"},
    {"timing", "input-poll-ns", SIM_CONFIG_NUMBER, AT(input_poll_ns), 1000, 1000000000, 1,
     "1000000"},
    {NULL, NULL, SIM_CONFIG_TEXT, 0, 0, 0, 0, 0, NULL},
};

static const char *const groups[] = {
    "machine", "boot",   SIM_CONFIG_MODULE_PREFIX "NAME", SIM_CONFIG_ARCHIVE_PREFIX "NAME",
    "domu",    "timing",
};

gboolean sim_config_fail(GError **error, const struct sim_config_place *at, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_VALUE, "%s: %s[%s] %s: %s", at->file,
                at->by_set ? "--set " : "", at->group, at->key, text);
    return FALSE;
}

/* Levenshtein distance, three or more counted as three. */
static unsigned distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    unsigned row[33];

    if (la > 32 || lb > 32)
        return 3;
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            best = MIN(best, row[j] + 1);
            best = MIN(best, row[j - 1] + 1);
            row[j] = best;
        }
    }
    return MIN(row[lb], 3u);
}

/* The name nearest to @wrong as "; did you mean X?", or what there is. */
static char *suggestion(const char *wrong, const char *const *names, unsigned count)
{
    unsigned best = 3;
    const char *near = NULL;
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++) {
        unsigned d = distance(wrong, names[i]);

        if (d < best) {
            best = d;
            near = names[i];
        }
    }
    if (near) {
        g_string_printf(text, "; did you mean \"%s\"?", near);
    } else {
        g_string_append(text, "; there are ");
        for (unsigned i = 0; i < count; i++)
            g_string_append_printf(text, "%s%s", i ? ", " : "", names[i]);
    }
    return g_string_free(text, FALSE);
}

static bool key_in_group(const struct sim_config_key *key, const char *group)
{
    if (key->group)
        return strcmp(key->group, group) == 0;
    return g_str_has_prefix(group, SIM_CONFIG_MODULE_PREFIX);
}

static gboolean unknown(GError **error, const struct sim_config_place *at, const char *what,
                        const char *wrong, const char *const *names, unsigned count)
{
    g_autofree char *near = suggestion(wrong, names, count);

    g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY, "%s: %s[%s]%s%s: unknown %s%s",
                at->file, at->by_set ? "--set " : "", at->group, at->key ? " " : "",
                at->key ? at->key : "", what, near);
    return FALSE;
}

/* NAME of [module.NAME] and of [archive.NAME]. */
static const char *module_name(const char *group)
{
    return strchr(group, '.') + 1;
}

bool sim_config_key_is_archive(const char *group)
{
    return g_str_has_prefix(group, SIM_CONFIG_ARCHIVE_PREFIX);
}

static gboolean check_module_name(const struct sim_config_place *at, GError **error)
{
    const char *name = module_name(at->group);
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    if (length > 0 && name[length] == '\0' && length <= 64)
        return TRUE;
    g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY,
                "%s: %s[%s]: a module's name is 1 to 64 letters, digits, - and _", at->file,
                at->by_set ? "--set " : "", at->group);
    return FALSE;
}

gboolean sim_config_key_check_group(const struct sim_config_place *at, GError **error)
{
    if (g_str_has_prefix(at->group, SIM_CONFIG_MODULE_PREFIX) ||
        sim_config_key_is_archive(at->group))
        return check_module_name(at, error);
    for (unsigned i = 0; i < ARRAY_LEN(groups); i++)
        if (strcmp(groups[i], at->group) == 0)
            return TRUE;
    struct sim_config_place group_only = {at->file, at->group, NULL, at->by_set};
    return unknown(error, &group_only, "group", at->group, groups, ARRAY_LEN(groups));
}

const struct sim_config_key *sim_config_key_find(const struct sim_config_place *at, GError **error)
{
    const char *names[ARRAY_LEN(sim_config_keys)];
    unsigned count = 0;

    for (const struct sim_config_key *key = sim_config_keys; key->name; key++) {
        if (!key_in_group(key, at->group))
            continue;
        if (strcmp(key->name, at->key) == 0)
            return key;
        names[count++] = key->name;
    }
    unknown(error, at, "key", at->key, names, count);
    return NULL;
}

static gboolean set_number(void *member, const struct sim_config_key *key,
                           const struct sim_config_place *at, const char *value, GError **error)
{
    const struct base_unit *units = key->kind == SIM_CONFIG_SIZE        ? base_units_size
                                    : key->kind == SIM_CONFIG_FREQUENCY ? base_units_frequency
                                                                        : base_units_none;
    uint64_t number;

    if (!base_units_parse(value, units, &number)) {
        return sim_config_fail(
            error, at, "\"%s\" is not a number%s", value,
            key->kind == SIM_CONFIG_SIZE        ? " of bytes (such as 4096, 64K, 768M, 2G)"
            : key->kind == SIM_CONFIG_FREQUENCY ? " of hertz (such as 1000000000, 100MHz, 2.5GHz)"
                                                : " (decimal, or 0x and hexadecimal digits)");
    }
    if (number < key->min || number > key->max || number % key->multiple) {
        char low[24], high[24];

        if (key->kind == SIM_CONFIG_SIZE) {
            base_units_size_text(key->min, low);
            base_units_size_text(key->max, high);
            return sim_config_fail(error, at, "%s is not allowed: from %s to %s, a multiple of 4K",
                                   value, low, high);
        }
        return sim_config_fail(error, at, "%s is not allowed: from %" PRIu64 " to %" PRIu64, value,
                               key->min, key->max);
    }
    if (key->size_bytes == sizeof(uint64_t)) {
        *(uint64_t *)member = number;
    } else {
        *(unsigned *)member = (unsigned)number;
    }
    return TRUE;
}

static void set_text(char **text, char *value)
{
    g_free(*text);
    *text = value;
}

gboolean sim_config_key_set_path(char **path, const struct sim_config_place *at, const char *value,
                                 GError **error)
{
    g_autofree char *folder = NULL;

    if (!*value)
        return sim_config_fail(error, at, "the path is empty");
    if (at->by_set || g_path_is_absolute(value)) {
        set_text(path, g_strdup(value));
        return TRUE;
    }
    folder = g_path_get_dirname(at->file);
    set_text(path,
             strcmp(folder, ".") == 0 ? g_strdup(value) : g_build_filename(folder, value, NULL));
    return TRUE;
}

gboolean sim_config_key_set(void *base, const struct sim_config_key *key,
                            const struct sim_config_place *at, const char *value, GError **error)
{
    void *member = (char *)base + key->offset;

    switch (key->kind) {
    case SIM_CONFIG_SIZE:
    case SIM_CONFIG_FREQUENCY:
    case SIM_CONFIG_NUMBER:
        return set_number(member, key, at, value, error);
    case SIM_CONFIG_PATH:
        return sim_config_key_set_path(member, at, value, error);
    case SIM_CONFIG_NAME:
        if (!*value)
            return sim_config_fail(error, at, "the name is empty");
        /* fall through */
    case SIM_CONFIG_TEXT:
        set_text(member, g_strstrip(g_strdup(value)));
        return TRUE;
    case SIM_CONFIG_DATE:
        if (!sim_calendar_parse(value, member))
            return sim_config_fail(error, at, "\"%s\" is not a date from 1980 to 2099 such as %s",
                                   value, key->fallback);
        return TRUE;
    case SIM_CONFIG_GOOD:
        if (strcmp(value, "good") != 0 && strcmp(value, "bad") != 0)
            return sim_config_fail(error, at, "\"%s\" is neither \"good\" nor \"bad\"", value);
        *(bool *)member = strcmp(value, "good") == 0;
        return TRUE;
    }
    g_assert_not_reached();
}

char *sim_config_key_text(const void *base, const struct sim_config_key *key)
{
    const void *member = (const char *)base + key->offset;
    char text[32];

    switch (key->kind) {
    case SIM_CONFIG_SIZE:
        base_units_size_text(*(const uint64_t *)member, text);
        return g_strdup(text);
    case SIM_CONFIG_FREQUENCY:
    case SIM_CONFIG_NUMBER:
        return g_strdup_printf("%" PRIu64, key->size_bytes == sizeof(uint64_t)
                                               ? *(const uint64_t *)member
                                               : *(const unsigned *)member);
    case SIM_CONFIG_DATE:
        sim_calendar_text(*(const int64_t *)member, text);
        return g_strdup(text);
    case SIM_CONFIG_GOOD:
        return g_strdup(*(const bool *)member ? "good" : "bad");
    case SIM_CONFIG_NAME:
    case SIM_CONFIG_TEXT:
    case SIM_CONFIG_PATH:
        break;
    }
    return g_strdup(*(char *const *)member);
}
