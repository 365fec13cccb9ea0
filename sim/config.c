/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine files: one table of keys says what exists, what is allowed and what is assumed.
 *
 * GKeyFile reads the text.  Three things it would let pass are looked for beforehand:
 * text that is not UTF-8, groups or keys given twice (it keeps the last), and keys with a
 * locale (it would drop them depending on the host's language).
 */
#include "sim/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "mmu/ram.h"
#include "sim/base/types.h"
#include "sim/base/units.h"
#include "sim/calendar.h"
#include "sim/image.h"

G_DEFINE_QUARK(sim_config_error, sim_config_error)

#define FILE_BYTES_MAX (1u << 20)
#define MODULES_MAX    64
#define MODULE_PREFIX  "module."
#define ARCHIVE_PREFIX "archive."
#define FILES_MAX      1024

enum kind {
    KIND_SIZE,
    KIND_FREQUENCY,
    KIND_NUMBER,
    KIND_NAME,
    KIND_TEXT,
    KIND_PATH,
    KIND_DATE,
    KIND_GOOD
};

struct key {
    const char *group; /* NULL: of every [module.NAME] */
    const char *name;
    enum kind kind;
    uint16_t offset;             /* in struct sim_config, or in struct sim_config_module */
    uint16_t size_bytes;         /* of the member */
    uint64_t min, max, multiple; /* numbers */
    const char *fallback;        /* as it would stand in the file */
};

#define AT(member) offsetof(struct sim_config, member), sizeof(((struct sim_config *)0)->member)
#define MODULE_AT(member)                                                                          \
    offsetof(struct sim_config_module, member), sizeof(((struct sim_config_module *)0)->member)

/* In the order of the canonical text.  docs/machine-file.md has the same table. */
static const struct key keys[] = {
    {"machine", "memory", KIND_SIZE, AT(memory_bytes), 1 << 20, MMU_RAM_MAX_BYTES, 4096, "256M"},
    {"machine", "cpus", KIND_NUMBER, AT(cpus), 1, 8, 1, "1"},
    {"machine", "seed", KIND_NUMBER, AT(seed), 0, UINT64_MAX, 1, "0"},
    {"machine", "cpu", KIND_NAME, AT(cpu_model), 0, 0, 0, "paravane-v1"},
    {"machine", "date", KIND_DATE, AT(start_seconds), 0, 0, 0, "2024-01-01T00:00:00Z"},
    {"machine", "on-halt", KIND_GOOD, AT(halted_is_good), 0, 0, 0, "bad"},
    {"boot", "kernel", KIND_PATH, AT(kernel), 0, 0, 0, NULL},
    {"boot", "cmdline", KIND_TEXT, AT(cmdline), 0, 0, 0, ""},
    {NULL, "path", KIND_PATH, MODULE_AT(path), 0, 0, 0, NULL},
    {NULL, "cmdline", KIND_TEXT, MODULE_AT(cmdline), 0, 0, 0, ""},
    {"domu", "kernel", KIND_PATH, AT(domu_kernel), 0, 0, 0, NULL},
    {"domu", "initrd", KIND_PATH, AT(domu_initrd), 0, 0, 0, NULL},
    {"domu", "memory", KIND_SIZE, AT(domu_memory_bytes), 1 << 20, MMU_RAM_MAX_BYTES, 4096, "64M"},
    {"domu", "vcpus", KIND_NUMBER, AT(domu_vcpus), 1, 32, 1, "1"},
    {"domu", "cmdline", KIND_TEXT, AT(domu_cmdline), 0, 0, 0, ""},
    {"timing", "model", KIND_NAME, AT(timing_model), 0, 0, 0, "flat"},
    {"timing", "frequency", KIND_FREQUENCY, AT(frequency_hz), 1000000, 10000000000, 1, "1GHz"},
    {"timing", "rdtsc-cycles", KIND_NUMBER, AT(rdtsc_cycles), 0, 1000000, 1, "0"},
    {"timing", "port-cycles", KIND_NUMBER, AT(port_cycles), 0, 1000000, 1, "0"},
    {"timing", "mmio-cycles", KIND_NUMBER, AT(mmio_cycles), 0, 1000000, 1, "0"},
    {"timing", "quantum-ns", KIND_NUMBER, AT(quantum_ns), 1000, 1000000000, 1, "250000"},
    {"timing", "input-poll-ns", KIND_NUMBER, AT(input_poll_ns), 1000, 1000000000, 1, "1000000"},
};

static const char *const groups[] = {
    "machine", "boot", MODULE_PREFIX "NAME", ARCHIVE_PREFIX "NAME", "domu", "timing",
};

/* Where a value stands, for messages. */
struct place {
    const char *file;
    const char *group;
    const char *key;
    bool by_set; /* given by --set, not in the file */
};

G_GNUC_PRINTF(3, 4)
static gboolean fail(GError **error, const struct place *at, const char *format, ...)
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

static bool key_in_group(const struct key *key, const char *group)
{
    if (key->group)
        return strcmp(key->group, group) == 0;
    return g_str_has_prefix(group, MODULE_PREFIX);
}

static gboolean unknown(GError **error, const struct place *at, const char *what, const char *wrong,
                        const char *const *names, unsigned count)
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

static bool is_archive(const char *group)
{
    return g_str_has_prefix(group, ARCHIVE_PREFIX);
}

static gboolean check_module_name(const struct place *at, GError **error)
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

static gboolean check_group(const struct place *at, GError **error)
{
    if (g_str_has_prefix(at->group, MODULE_PREFIX) || is_archive(at->group))
        return check_module_name(at, error);
    for (unsigned i = 0; i < ARRAY_LEN(groups); i++)
        if (strcmp(groups[i], at->group) == 0)
            return TRUE;
    struct place group_only = {at->file, at->group, NULL, at->by_set};
    return unknown(error, &group_only, "group", at->group, groups, ARRAY_LEN(groups));
}

static const struct key *find_key(const struct place *at, GError **error)
{
    const char *names[ARRAY_LEN(keys)];
    unsigned count = 0;

    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        if (!key_in_group(&keys[i], at->group))
            continue;
        if (strcmp(keys[i].name, at->key) == 0)
            return &keys[i];
        names[count++] = keys[i].name;
    }
    unknown(error, at, "key", at->key, names, count);
    return NULL;
}

static gboolean set_number(void *member, const struct key *key, const struct place *at,
                           const char *value, GError **error)
{
    const struct base_unit *units = key->kind == KIND_SIZE        ? base_units_size
                                    : key->kind == KIND_FREQUENCY ? base_units_frequency
                                                                  : base_units_none;
    uint64_t number;

    if (!base_units_parse(value, units, &number)) {
        return fail(error, at, "\"%s\" is not a number%s", value,
                    key->kind == KIND_SIZE        ? " of bytes (such as 4096, 64K, 768M, 2G)"
                    : key->kind == KIND_FREQUENCY ? " of hertz (such as 1000000000, 100MHz, 2.5GHz)"
                                                  : " (decimal, or 0x and hexadecimal digits)");
    }
    if (number < key->min || number > key->max || number % key->multiple) {
        char low[24], high[24];

        if (key->kind == KIND_SIZE) {
            base_units_size_text(key->min, low);
            base_units_size_text(key->max, high);
            return fail(error, at, "%s is not allowed: from %s to %s, a multiple of 4K", value, low,
                        high);
        }
        return fail(error, at, "%s is not allowed: from %" PRIu64 " to %" PRIu64, value, key->min,
                    key->max);
    }
    if (key->size_bytes == sizeof(uint64_t)) {
        *(uint64_t *)member = number;
    } else {
        *(unsigned *)member = (unsigned)number;
    }
    return TRUE;
}

static void set_text(void *member, char *value)
{
    char **text = member;

    g_free(*text);
    *text = value;
}

static gboolean set_path(void *member, const struct place *at, const char *value, GError **error)
{
    g_autofree char *folder = NULL;

    if (!*value)
        return fail(error, at, "the path is empty");
    if (at->by_set || g_path_is_absolute(value)) {
        set_text(member, g_strdup(value));
        return TRUE;
    }
    folder = g_path_get_dirname(at->file);
    set_text(member,
             strcmp(folder, ".") == 0 ? g_strdup(value) : g_build_filename(folder, value, NULL));
    return TRUE;
}

static gboolean set_value(void *member, const struct key *key, const struct place *at,
                          const char *value, GError **error)
{
    switch (key->kind) {
    case KIND_SIZE:
    case KIND_FREQUENCY:
    case KIND_NUMBER:
        return set_number(member, key, at, value, error);
    case KIND_PATH:
        return set_path(member, at, value, error);
    case KIND_NAME:
        if (!*value)
            return fail(error, at, "the name is empty");
        /* fall through */
    case KIND_TEXT:
        set_text(member, g_strstrip(g_strdup(value)));
        return TRUE;
    case KIND_DATE:
        if (!sim_calendar_parse(value, member))
            return fail(error, at, "\"%s\" is not a date from 1980 to 2099 such as %s", value,
                        key->fallback);
        return TRUE;
    case KIND_GOOD:
        if (strcmp(value, "good") != 0 && strcmp(value, "bad") != 0)
            return fail(error, at, "\"%s\" is neither \"good\" nor \"bad\"", value);
        *(bool *)member = strcmp(value, "good") == 0;
        return TRUE;
    }
    g_assert_not_reached();
}

static void file_free(void *p)
{
    struct sim_config_file *file = p;

    g_free(file->name);
    g_free(file->path);
    g_free(file);
}

static void module_free(void *p)
{
    struct sim_config_module *module = p;

    g_ptr_array_unref(module->files);
    g_free(module->name);
    g_free(module->path);
    g_free(module->cmdline);
    g_free(module);
}

static struct sim_config_module *module_of(struct sim_config *config, const char *group)
{
    const char *name = module_name(group);
    struct sim_config_module *module;

    for (unsigned i = 0; i < config->modules->len; i++) {
        module = g_ptr_array_index(config->modules, i);
        if (strcmp(module->name, name) == 0)
            return module;
    }
    module = g_new0(struct sim_config_module, 1);
    module->name = g_strdup(name);
    module->cmdline = g_strdup("");
    module->files = g_ptr_array_new_with_free_func(file_free);
    g_ptr_array_add(config->modules, module);
    return module;
}

/* A key of [archive.NAME]: the name of a file in it. */
static gboolean apply_file_name(struct sim_config *config, const struct place *at,
                                const char *value, GError **error)
{
    GPtrArray *files = module_of(config, at->group)->files;
    struct sim_config_file *file = NULL;
    size_t length =
        strspn(at->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");

    if (at->key[length] || length > 255 || at->key[0] == '/' || g_str_has_suffix(at->key, "/") ||
        strstr(at->key, "//") || strstr(at->key, ".."))
        return fail(error, at, "not a name of a file: letters, digits, - _ . and / inside");
    for (unsigned i = 0; i < files->len; i++)
        if (strcmp(((struct sim_config_file *)g_ptr_array_index(files, i))->name, at->key) == 0)
            file = g_ptr_array_index(files, i);
    if (!file) {
        if (files->len == FILES_MAX)
            return fail(error, at, "more than %d files", FILES_MAX);
        file = g_new0(struct sim_config_file, 1);
        file->name = g_strdup(at->key);
        g_ptr_array_add(files, file);
    }
    return set_path(&file->path, at, value, error);
}

static gboolean apply(struct sim_config *config, const struct place *at, const char *value,
                      GError **error)
{
    const struct key *key;
    char *base;

    if (is_archive(at->group))
        return apply_file_name(config, at, value, error);
    key = find_key(at, error);
    if (!key)
        return FALSE;
    base = key->group ? (char *)config : (char *)module_of(config, at->group);
    return set_value(base + key->offset, key, at, value, error);
}

/* --- the file --------------------------------------------------------------------------- */

static gboolean fail_line(GError **error, const char *file, unsigned line, const char *text)
{
    g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY, "%s:%u: %s", file, line, text);
    return FALSE;
}

/* Looks for groups and keys that are given twice. */
static gboolean check_twice(const char *file, const char *text, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *group = g_strdup("");

    for (unsigned i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]), *equals = strchr(line, '=');
        char *name;

        if (*line == '\0' || *line == '#')
            continue;
        if (*line == '[') {
            name = g_strdup(line);
            g_free(group);
            group = g_strdup(line);
        } else if (equals) {
            *equals = '\0';
            name = g_strdup_printf("%s %s", group, g_strchomp(line));
        } else {
            return fail_line(error, file, i + 1,
                             "neither a [group], nor KEY=VALUE, nor a # comment");
        }
        if (!g_hash_table_add(seen, name)) {
            g_autofree char *message = g_strdup_printf("%s is given twice", name);
            return fail_line(error, file, i + 1, message);
        }
    }
    return TRUE;
}

static GKeyFile *parse_text(const char *file, const char *text, size_t size_bytes, GError **error)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autofree char *copy = NULL;
    g_autoptr(GError) why = NULL;

    if (!g_utf8_validate(text, (gssize)size_bytes, NULL)) { /* a NUL is not valid either */
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_FILE, "%s: not a text file (UTF-8)",
                    file);
        return NULL;
    }
    copy = g_strndup(text, size_bytes);
    if (!check_twice(file, copy, error))
        return NULL;
    if (!g_key_file_load_from_data(kf, text, size_bytes, G_KEY_FILE_KEEP_TRANSLATIONS, &why)) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_FILE, "%s: %s", file, why->message);
        return NULL;
    }
    return g_steal_pointer(&kf);
}

static gboolean apply_group(struct sim_config *config, GKeyFile *kf, const char *group,
                            GError **error)
{
    g_auto(GStrv) names = g_key_file_get_keys(kf, group, NULL, NULL);
    struct place at = {config->file, group, NULL, false};

    if (!check_group(&at, error))
        return FALSE;
    if (g_str_has_prefix(group, MODULE_PREFIX))
        module_of(config, group); /* keeps its place although it may have no key yet */
    for (unsigned i = 0; names && names[i]; i++) {
        g_autoptr(GError) why = NULL;
        g_autofree char *value = g_key_file_get_string(kf, group, names[i], &why);

        at.key = names[i];
        if (!value || why)
            return fail(error, &at, "a backslash starts one of \\s \\n \\t \\r \\\\");
        if (!apply(config, &at, g_strstrip(value), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean apply_file(struct sim_config *config, GKeyFile *kf, GError **error)
{
    g_auto(GStrv) names = g_key_file_get_groups(kf, NULL);

    for (unsigned i = 0; names[i]; i++)
        if (!apply_group(config, kf, names[i], error))
            return FALSE;
    return TRUE;
}

/* "GROUP.KEY=VALUE"; the group may hold a dot, the key does not. */
static gboolean apply_set(struct sim_config *config, const char *set, GError **error)
{
    const char *equals = strchr(set, '=');
    const char *dot = equals ? g_strrstr_len(set, equals - set, ".") : NULL;
    g_autofree char *group = dot ? g_strndup(set, (gsize)(dot - set)) : NULL;
    g_autofree char *name = dot ? g_strndup(dot + 1, (gsize)(equals - dot - 1)) : NULL;
    struct place at = {config->file, group, name, true};

    if (!dot || !*group || !*name || !g_utf8_validate(set, -1, NULL)) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY,
                    "--set %s: not of the form GROUP.KEY=VALUE (such as machine.cpus=2)", set);
        return FALSE;
    }
    return check_group(&at, error) && apply(config, &at, equals + 1, error);
}

/* --- the whole -------------------------------------------------------------------------- */

static void set_defaults(struct sim_config *config)
{
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        struct place at = {"defaults", keys[i].group, keys[i].name, true};

        if (keys[i].group && keys[i].fallback &&
            !set_value((char *)config + keys[i].offset, &keys[i], &at, keys[i].fallback, NULL))
            g_assert_not_reached();
    }
}

/* A module is a file or an archive. */
static gboolean check_module(const struct sim_config *config,
                             const struct sim_config_module *module, GError **error)
{
    g_autofree char *group = g_strconcat(MODULE_PREFIX, module->name, NULL);
    struct place at = {config->file, group, "path", false};
    bool domu = config->domu_kernel && strcmp(module->name, SIM_CONFIG_DOMU_MODULE) == 0;

    if (module->path && (module->files->len || domu))
        return fail(error, &at, "the module is a file already; %s cannot add to it",
                    domu ? "[domu]" : "an archive");
    if (!module->path && !module->files->len && !domu)
        return fail(error, &at, "missing; give it in the file or with --set %s.path=FILE", group);
    return TRUE;
}

static gboolean check_whole(const struct sim_config *config, GError **error)
{
    if (!config->kernel) {
        struct place at = {config->file, "boot", "kernel", false};
        return fail(error, &at, "missing; give it in the file or with --set boot.kernel=FILE");
    }
    if (strcmp(config->timing_model, "flat") != 0) {
        struct place at = {config->file, "timing", "model", false};
        return fail(error, &at, "\"%s\" is not known; there is flat", config->timing_model);
    }
    if (config->modules->len > MODULES_MAX) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_VALUE,
                    "%s: %u modules; at most %u are allowed", config->file, config->modules->len,
                    MODULES_MAX);
        return FALSE;
    }
    for (unsigned i = 0; i < config->modules->len; i++) {
        if (!check_module(config, g_ptr_array_index(config->modules, i), error))
            return FALSE;
    }
    return TRUE;
}

struct sim_config *sim_config_load(const char *path, const char *const *sets, GError **error)
{
    g_autoptr(GBytes) bytes = sim_image_read(path, FILE_BYTES_MAX, SIM_IMAGE_PLAIN, error);
    size_t size_bytes;
    const char *text;

    if (!bytes)
        return NULL;
    text = g_bytes_get_data(bytes, &size_bytes);
    return sim_config_parse(path, text, size_bytes, sets, error);
}

struct sim_config *sim_config_parse(const char *path, const char *text, size_t size_bytes,
                                    const char *const *sets, GError **error)
{
    struct sim_config *config = g_new0(struct sim_config, 1);
    g_autoptr(GKeyFile) kf = NULL;

    config->file = g_strdup(path);
    config->modules = g_ptr_array_new_with_free_func(module_free);
    set_defaults(config);
    kf = parse_text(path, text, size_bytes, error);
    if (!kf || !apply_file(config, kf, error))
        goto bad;
    for (; sets && *sets; sets++)
        if (!apply_set(config, *sets, error))
            goto bad;
    if (config->domu_kernel)
        module_of(config, MODULE_PREFIX SIM_CONFIG_DOMU_MODULE);
    if (check_whole(config, error))
        return config;
bad:
    sim_config_free(config);
    return NULL;
}

void sim_config_free(struct sim_config *config)
{
    if (!config)
        return;
    g_free(config->file);
    g_clear_pointer(&config->contents, g_hash_table_unref);
    g_free(config->cpu_model);
    g_free(config->kernel);
    g_free(config->cmdline);
    g_free(config->domu_kernel);
    g_free(config->domu_initrd);
    g_free(config->domu_cmdline);
    g_free(config->timing_model);
    g_ptr_array_unref(config->modules);
    g_free(config);
}

/* --- the files it names ------------------------------------------------------------------- */

static void image_free(void *p)
{
    struct sim_config_image *file = p;

    g_free(file->name);
    g_free(file->path);
    g_free(file);
}

static void add_image(GPtrArray *files, char *name, const char *path)
{
    struct sim_config_image *file = g_new0(struct sim_config_image, 1);

    file->name = name;
    file->path = g_strdup(path);
    g_ptr_array_add(files, file);
}

static char *image_name(const struct key *key)
{
    return strcmp(key->group, "boot") == 0 ? g_strdup("kernel")
                                            : g_strdup_printf("%s.%s", key->group, key->name);
}

GPtrArray *sim_config_images(const struct sim_config *config)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(image_free);

    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const char *path;

        if (keys[i].kind != KIND_PATH || !keys[i].group)
            continue;
        path = *(char *const *)((const char *)config + keys[i].offset);
        if (path)
            add_image(files, image_name(&keys[i]), path);
    }
    for (unsigned i = 0; i < config->modules->len; i++) {
        const struct sim_config_module *m = g_ptr_array_index(config->modules, i);

        if (m->path)
            add_image(files, g_strconcat(MODULE_PREFIX, m->name, NULL), m->path);
        for (unsigned k = 0; k < m->files->len; k++) {
            const struct sim_config_file *file = g_ptr_array_index(m->files, k);

            add_image(files, g_strdup_printf(ARCHIVE_PREFIX "%s/%s", m->name, file->name), file->path);
        }
    }
    return files;
}

void sim_config_set_content(struct sim_config *config, const char *path, GBytes *content)
{
    if (!config->contents)
        config->contents =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(config->contents, g_strdup(path), g_bytes_ref(content));
}

GBytes *sim_config_read(const struct sim_config *config, const char *path, uint64_t limit_bytes,
                        enum sim_image_mode mode, GError **error)
{
    GBytes *content = config->contents ? g_hash_table_lookup(config->contents, path) : NULL;

    return content ? sim_image_unpack(path, content, limit_bytes, mode, error)
                   : sim_image_read(path, limit_bytes, mode, error);
}

/* --- canonical text --------------------------------------------------------------------- */

static char *value_text(const void *member, const struct key *key)
{
    char text[32];

    switch (key->kind) {
    case KIND_SIZE:
        base_units_size_text(*(const uint64_t *)member, text);
        return g_strdup(text);
    case KIND_FREQUENCY:
    case KIND_NUMBER:
        return g_strdup_printf("%" PRIu64, key->size_bytes == sizeof(uint64_t)
                                               ? *(const uint64_t *)member
                                               : *(const unsigned *)member);
    case KIND_DATE:
        sim_calendar_text(*(const int64_t *)member, text);
        return g_strdup(text);
    case KIND_GOOD:
        return g_strdup(*(const bool *)member ? "good" : "bad");
    case KIND_NAME:
    case KIND_TEXT:
    case KIND_PATH:
        break;
    }
    return g_strdup(*(char *const *)member);
}

static void put_key(GKeyFile *kf, const char *group, const void *base, const struct key *key)
{
    g_autofree char *value = value_text((const char *)base + key->offset, key);

    if (value) /* a path that is not given */
        g_key_file_set_string(kf, group, key->name, value);
}

static void put_archive(GKeyFile *kf, const struct sim_config_module *module)
{
    g_autofree char *group = g_strconcat(ARCHIVE_PREFIX, module->name, NULL);

    for (unsigned i = 0; i < module->files->len; i++) {
        const struct sim_config_file *file = g_ptr_array_index(module->files, i);

        g_key_file_set_string(kf, group, file->name, file->path);
    }
}

static void put_modules(GKeyFile *kf, const struct sim_config *config)
{
    for (unsigned m = 0; m < config->modules->len; m++) {
        const struct sim_config_module *module = g_ptr_array_index(config->modules, m);
        g_autofree char *group = g_strconcat(MODULE_PREFIX, module->name, NULL);

        for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
            if (!keys[i].group)
                put_key(kf, group, module, &keys[i]);
        put_archive(kf, module);
    }
}

char *sim_config_to_text(const struct sim_config *config)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    bool modules_done = false;

    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].group) {
            if (strcmp(keys[i].group, "domu") == 0 && !config->domu_kernel)
                continue;
            put_key(kf, keys[i].group, config, &keys[i]);
        } else if (!modules_done) {
            put_modules(kf, config);
            modules_done = true;
        }
    }
    return g_key_file_to_data(kf, NULL, NULL);
}
