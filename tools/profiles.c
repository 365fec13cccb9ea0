/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/profiles.h"

#include <string.h>

#include "tools/symbols.h"

/* Where profiles are, from where the program is: in a build folder, or installed. */
static const char *const folders[] = {"profiles", "../share/paravane/profiles"};

static char *program_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);

    return program ? g_path_get_dirname(program) : g_strdup(".");
}

static bool address_of(void *user, const char *name, uint64_t *address)
{
    return user && symbols_address(user, name, address);
}

/* What a profile is chosen by: the image's build-id, or what its symbols are; NULL: not known. */
struct image {
    const char *build_id;
    struct symbols *symbols;
};

static bool is_for(const char *text, const struct image *image)
{
    return (image->build_id && trace_profile_is_for(text, image->build_id)) ||
           (image->symbols && trace_profile_is_for_symbols(text, address_of, image->symbols));
}

/* Text of the profile in @folder that is for @image; *path is where it was. */
static char *search(const char *folder, const struct image *image, char **path)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    char *text;

    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(folder, name, NULL);

        if (!g_str_has_suffix(name, ".profile") || !g_file_get_contents(file, &text, NULL, NULL))
            continue;
        if (is_for(text, image)) {
            *path = g_steal_pointer(&file);
            return text;
        }
        g_free(text);
    }
    return NULL;
}

static char *search_all(const struct image *image, char **path)
{
    g_autofree char *program = program_folder();
    char *text = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(folders) && !text; i++) {
        g_autofree char *folder = g_build_filename(program, folders[i], NULL);

        text = search(folder, image, path);
    }
    return text;
}

/* ---- symbols ---- */

static struct symbols *symbols_beside(const char *kernel, const char *build_id)
{
    g_autofree char *folder = g_path_get_dirname(kernel);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    struct symbols *symbols = NULL;
    const char *name;

    while (dir && !symbols && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_autofree char *id = strstr(name, "syms") ? symbols_build_id(file) : NULL;

        if (g_strcmp0(id, build_id) == 0)
            symbols = symbols_load(file, NULL);
    }
    return symbols;
}

static struct symbols *find_symbols(const char *kernel, const char *path, const char *build_id,
                                    GError **error)
{
    struct symbols *symbols;

    if (path) {
        g_autofree char *id = symbols_build_id(path);

        symbols = symbols_load(path, error);
        if (symbols && build_id && g_strcmp0(id, build_id) != 0) {
            g_set_error(error, SYMBOLS_ERROR, SYMBOLS_ERROR_FORMAT,
                        "%s: its build-id is %s, that of %s is %s", path, id ? id : "missing",
                        kernel, build_id);
            symbols_free(symbols);
            symbols = NULL;
        }
        return symbols;
    }
    symbols = symbols_load(kernel, NULL);
    return symbols ? symbols : build_id ? symbols_beside(kernel, build_id) : NULL;
}

gboolean profiles_find(const char *kernel, const char *profile, const char *symbols,
                       struct trace_profile **out, char **note, GError **error)
{
    g_autofree char *build_id = symbols_build_id(kernel), *text = NULL, *path = NULL;
    struct symbols *table;
    struct image image;

    *out = NULL;
    *note = NULL;
    if (profile && strcmp(profile, "none") == 0) {
        *note = g_strdup("no hypervisor profile");
        return TRUE;
    }
    table = find_symbols(kernel, symbols, build_id, error);
    if (symbols && !table)
        return FALSE;
    image = (struct image){build_id, table};
    if (!profile) {
        text = search_all(&image, &path);
    } else if (!g_file_get_contents(profile, &text, NULL, error)) {
        symbols_free(table);
        return FALSE;
    } else {
        path = g_strdup(profile);
    }
    if (!text) {
        *note = g_strdup_printf("no hypervisor profile for %s (build-id %s)", kernel,
                                build_id ? build_id : "missing");
        symbols_free(table);
        return TRUE;
    }
    if (!table && !profile && !strstr(text, "[symbols]")) {
        *note = g_strdup_printf("no symbols for %s: hypercalls are seen from outside only", kernel);
        return TRUE;
    }
    *out = trace_profile_parse(text, path, address_of, table, error);
    symbols_free(table);
    if (*out)
        *note = g_strdup_printf("%s (%s)", (*out)->name, path);
    return *out != NULL;
}
