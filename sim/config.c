/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine files: from text to a machine's make-up and back.  What keys there are is in
 * sim/config_key.c.
 *
 * GKeyFile reads the text.  Three things it would let pass are looked for beforehand:
 * text that is not UTF-8, groups or keys given twice (it keeps the last), and keys with a
 * locale (it would drop them depending on the host's language).  Escapes are taken out here:
 * its own reader may report two errors of one value, the second one with a warning of GLib's.
 */
#include "sim/config.h"

#include <string.h>

#include "sim/base/types.h"
#include "sim/config_key.h"
#include "sim/image.h"

G_DEFINE_QUARK(sim_config_error, sim_config_error)

#define FILE_BYTES_MAX (1u << 20)
#define MODULES_MAX    64
#define FILES_MAX      1024

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
    const char *name = strchr(group, '.') + 1; /* also of [archive.NAME] */
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
static gboolean apply_file_name(struct sim_config *config, const struct sim_config_place *at,
                                const char *value, GError **error)
{
    GPtrArray *files = module_of(config, at->group)->files;
    struct sim_config_file *file = NULL;
    size_t length =
        strspn(at->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");

    if (at->key[length] || length > 255 || at->key[0] == '/' || g_str_has_suffix(at->key, "/") ||
        strstr(at->key, "//") || strstr(at->key, ".."))
        return sim_config_fail(error, at,
                               "not a name of a file: letters, digits, - _ . and / inside");
    for (unsigned i = 0; i < files->len; i++)
        if (strcmp(((struct sim_config_file *)g_ptr_array_index(files, i))->name, at->key) == 0)
            file = g_ptr_array_index(files, i);
    if (!file) {
        if (files->len == FILES_MAX)
            return sim_config_fail(error, at, "more than %d files", FILES_MAX);
        file = g_new0(struct sim_config_file, 1);
        file->name = g_strdup(at->key);
        g_ptr_array_add(files, file);
    }
    return sim_config_key_set_path(&file->path, at, value, error);
}

static gboolean apply(struct sim_config *config, const struct sim_config_place *at,
                      const char *value, GError **error)
{
    const struct sim_config_key *key;
    void *base;

    if (sim_config_key_is_archive(at->group))
        return apply_file_name(config, at, value, error);
    key = sim_config_key_find(at, error);
    if (!key)
        return FALSE;
    base = key->group ? (void *)config : (void *)module_of(config, at->group);
    return sim_config_key_set(base, key, at, value, error);
}

/* --- the file --------------------------------------------------------------------------- */

static gboolean fail_line(GError **error, const char *file, unsigned line, const char *text)
{
    g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY, "%s:%u: %s", file, line, text);
    return FALSE;
}

/* Looks for lines that are nothing, and for groups and keys that are given twice. */
static gboolean check_lines(const char *file, const char *text, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *group = g_strdup("");

    for (unsigned i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]), *equals = strchr(line, '=');
        char *name;

        if (*line == '\0' || *line == '#')
            continue;
        if (*line == '[' && g_str_has_suffix(line, "]") && line[2]) {
            name = g_strdup(line);
            g_free(group);
            group = g_strdup(line);
        } else if (*line != '[' && equals && equals > line) {
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
    if (!check_lines(file, copy, error))
        return NULL;
    if (!g_key_file_load_from_data(kf, text, size_bytes, G_KEY_FILE_KEEP_TRANSLATIONS, &why)) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_FILE, "%s: %s", file, why->message);
        return NULL;
    }
    return g_steal_pointer(&kf);
}

/* The text that @raw stands for; NULL if there is a backslash too many.  Free with g_free(). */
static char *unescape(const char *raw)
{
    static const char letters[] = "sntr\\", meanings[] = " \n\t\r\\";
    g_autofree char *text = g_strdup(raw);
    char *out = text;

    for (; *raw; raw++, out++) {
        const char *letter;

        *out = *raw;
        if (*raw != '\\')
            continue;
        letter = raw[1] ? strchr(letters, raw[1]) : NULL;
        if (!letter)
            return NULL;
        *out = meanings[letter - letters];
        raw++;
    }
    *out = '\0';
    return g_steal_pointer(&text);
}

static gboolean apply_group(struct sim_config *config, GKeyFile *kf, const char *group,
                            GError **error)
{
    g_auto(GStrv) names = g_key_file_get_keys(kf, group, NULL, NULL);
    struct sim_config_place at = {config->file, group, NULL, false};

    if (!sim_config_key_check_group(&at, error))
        return FALSE;
    if (g_str_has_prefix(group, SIM_CONFIG_MODULE_PREFIX))
        module_of(config, group); /* keeps its place although it may have no key yet */
    for (unsigned i = 0; names && names[i]; i++) {
        g_autofree char *raw = g_key_file_get_value(kf, group, names[i], NULL);
        g_autofree char *value = unescape(raw);

        at.key = names[i];
        if (!value)
            return sim_config_fail(error, &at, "a backslash starts one of \\s \\n \\t \\r \\\\");
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
    struct sim_config_place at = {config->file, group, name, true};

    if (!dot || !*group || !*name || !g_utf8_validate(set, -1, NULL)) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_KEY,
                    "--set %s: not of the form GROUP.KEY=VALUE (such as machine.cpus=2)", set);
        return FALSE;
    }
    return sim_config_key_check_group(&at, error) && apply(config, &at, equals + 1, error);
}

/* --- the whole -------------------------------------------------------------------------- */

static void set_defaults(struct sim_config *config)
{
    for (const struct sim_config_key *key = sim_config_keys; key->name; key++) {
        struct sim_config_place at = {"defaults", key->group, key->name, true};

        if (key->group && key->fallback &&
            !sim_config_key_set(config, key, &at, key->fallback, NULL))
            g_assert_not_reached();
    }
}

/* A module is a file or an archive. */
static gboolean check_module(const struct sim_config *config,
                             const struct sim_config_module *module, GError **error)
{
    g_autofree char *group = g_strconcat(SIM_CONFIG_MODULE_PREFIX, module->name, NULL);
    struct sim_config_place at = {config->file, group, "path", false};
    bool domu = config->domu_kernel && strcmp(module->name, SIM_CONFIG_DOMU_MODULE) == 0;

    if (module->path && (module->files->len || domu))
        return sim_config_fail(error, &at, "the module is a file already; %s cannot add to it",
                               domu ? "[domu]" : "an archive");
    if (!module->path && !module->files->len && !domu)
        return sim_config_fail(error, &at,
                               "missing; give it in the file or with --set %s.path=FILE", group);
    return TRUE;
}

static gboolean check_whole(const struct sim_config *config, GError **error)
{
    if (!config->kernel) {
        struct sim_config_place at = {config->file, "boot", "kernel", false};
        return sim_config_fail(error, &at,
                               "missing; give it in the file or with --set boot.kernel=FILE");
    }
    if (strcmp(config->timing_model, "flat") != 0) {
        struct sim_config_place at = {config->file, "timing", "model", false};
        return sim_config_fail(error, &at, "\"%s\" is not known; there is flat",
                               config->timing_model);
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
        module_of(config, SIM_CONFIG_MODULE_PREFIX SIM_CONFIG_DOMU_MODULE);
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

static char *image_name(const struct sim_config_key *key)
{
    return strcmp(key->group, "boot") == 0 ? g_strdup("kernel")
                                           : g_strdup_printf("%s.%s", key->group, key->name);
}

GPtrArray *sim_config_images(const struct sim_config *config)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(image_free);

    for (const struct sim_config_key *key = sim_config_keys; key->name; key++) {
        g_autofree char *path = NULL;

        if (key->kind != SIM_CONFIG_PATH || !key->group)
            continue;
        path = sim_config_key_text(config, key);
        if (path)
            add_image(files, image_name(key), path);
    }
    for (unsigned i = 0; i < config->modules->len; i++) {
        const struct sim_config_module *m = g_ptr_array_index(config->modules, i);

        if (m->path)
            add_image(files, g_strconcat(SIM_CONFIG_MODULE_PREFIX, m->name, NULL), m->path);
        for (unsigned k = 0; k < m->files->len; k++) {
            const struct sim_config_file *file = g_ptr_array_index(m->files, k);

            add_image(files,
                      g_strdup_printf(SIM_CONFIG_ARCHIVE_PREFIX "%s/%s", m->name, file->name),
                      file->path);
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

static void put_key(GKeyFile *kf, const char *group, const void *base,
                    const struct sim_config_key *key)
{
    g_autofree char *value = sim_config_key_text(base, key);

    if (value) /* a path that is not given */
        g_key_file_set_string(kf, group, key->name, value);
}

static void put_archive(GKeyFile *kf, const struct sim_config_module *module)
{
    g_autofree char *group = g_strconcat(SIM_CONFIG_ARCHIVE_PREFIX, module->name, NULL);

    for (unsigned i = 0; i < module->files->len; i++) {
        const struct sim_config_file *file = g_ptr_array_index(module->files, i);

        g_key_file_set_string(kf, group, file->name, file->path);
    }
}

static void put_modules(GKeyFile *kf, const struct sim_config *config)
{
    for (unsigned m = 0; m < config->modules->len; m++) {
        const struct sim_config_module *module = g_ptr_array_index(config->modules, m);
        g_autofree char *group = g_strconcat(SIM_CONFIG_MODULE_PREFIX, module->name, NULL);

        for (const struct sim_config_key *key = sim_config_keys; key->name; key++)
            if (!key->group)
                put_key(kf, group, module, key);
        put_archive(kf, module);
    }
}

char *sim_config_to_text(const struct sim_config *config)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    bool modules_done = false;

    for (const struct sim_config_key *key = sim_config_keys; key->name; key++) {
        if (key->group) {
            if (strcmp(key->group, "domu") == 0 && !config->domu_kernel)
                continue;
            put_key(kf, key->group, config, key);
        } else if (!modules_done) {
            put_modules(kf, config);
            modules_done = true;
        }
    }
    return g_key_file_to_data(kf, NULL, NULL);
}
