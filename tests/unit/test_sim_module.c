/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sim/module.h"

#define LIMIT (1u << 20)

static char *folder;

static void set_up(void)
{
    folder = g_dir_make_tmp("paravane-module-XXXXXX", NULL);
    cr_assert_not_null(folder);
}

static void tear_down(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

TestSuite(sim_module, .init = set_up, .fini = tear_down);

static void make(const char *name, const char *content)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    cr_assert(g_file_set_contents(path, content, -1, NULL));
}

static struct sim_config *parse(const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "x.machine", NULL);
    g_autofree char *whole = g_strconcat("[boot]\nkernel=k\n", text, NULL);

    return sim_config_parse(path, whole, strlen(whole), NULL, error);
}

static GBytes *read_module(const char *text, GError **error)
{
    struct sim_config *config = parse(text, error);
    GBytes *bytes;

    cr_assert_not_null(config, "%s", error && *error ? (*error)->message : "?");
    cr_assert_eq(config->modules->len, 1);
    bytes = sim_module_read(config, g_ptr_array_index(config->modules, 0), LIMIT, error);
    sim_config_free(config);
    return bytes;
}

/* What cpio(1) says of the archive. */
static char *list_archive(GBytes *archive)
{
    g_autofree char *path = g_build_filename(folder, "archive", NULL);
    g_autofree char *command = g_strdup_printf("cpio -it --quiet <%s", path);
    g_autofree char *quoted = g_shell_quote(command);
    g_autofree char *shell = g_strconcat("sh -c ", quoted, NULL);
    size_t size_bytes;
    const char *data = g_bytes_get_data(archive, &size_bytes);
    char *out = NULL;
    int status;

    cr_assert(g_file_set_contents(path, data, (gssize)size_bytes, NULL));
    if (!g_find_program_in_path("cpio"))
        return NULL;
    cr_assert(g_spawn_command_line_sync(shell, &out, NULL, &status, NULL));
    cr_assert_eq(status, 0);
    return out;
}

/* Every record of the archive as "mode name bytes;", read back by the format's own rules. */
static char *records(GBytes *archive)
{
    GString *text = g_string_new(NULL);
    size_t size_bytes, at = 0;
    const char *data = g_bytes_get_data(archive, &size_bytes);

    cr_assert_eq(size_bytes % 512, 0);
    while (at + 110 <= size_bytes && data[at]) {
        unsigned mode, bytes, name_bytes;

        cr_assert_eq(sscanf(data + at, "070701%*8c%8x%*32c%8x%*32c%8x", &mode, &bytes, &name_bytes), 3);
        g_string_append_printf(text, "%o %s %.*s;", mode, data + at + 110, (int)bytes,
                               data + ((at + 110 + name_bytes + 3) & ~3ul));
        at = (((at + 110 + name_bytes + 3) & ~3ul) + bytes + 3) & ~3ul;
    }
    return g_string_free(text, FALSE);
}

Test(sim_module, a_file_is_taken_as_it_is)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;

    make("f", "content");
    bytes = read_module("[module.m]\npath=f\n", &error);
    cr_assert_not_null(bytes);
    cr_assert_eq(g_bytes_get_size(bytes), 7);
}

Test(sim_module, an_archive_holds_its_files_sorted_and_in_folders)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL, *list = NULL;

    make("f", "one");
    make("g", "two!");
    bytes = read_module("[archive.m]\nb/c/y=g\nb/x=f\na=g\n", NULL);
    cr_assert_not_null(bytes);
    text = records(bytes);
    cr_assert_str_eq(text, "100644 a two!;40755 b ;40755 b/c ;100644 b/c/y two!;100644 b/x one;"
                           "0 TRAILER!!! ;");
    list = list_archive(bytes);
    if (list)
        cr_assert_str_eq(list, "a\nb\nb/c\nb/c/y\nb/x\n");
}

Test(sim_module, a_domain_becomes_part_of_the_initrd)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL;

    make("f", "kernel");
    bytes = read_module("[domu]\nkernel=f\nmemory=32M\nvcpus=2\ncmdline=a b\n", NULL);
    cr_assert_not_null(bytes);
    text = records(bytes);
    cr_assert_str_eq(text, "40755 domu ;100644 domu/config mem=32768K\nvcpus=2\ncmdline=a b\n;"
                           "100644 domu/kernel kernel;0 TRAILER!!! ;");
}

Test(sim_module, the_files_of_an_archive_are_limited_together)
{
    g_autofree char *half = g_strnfill(LIMIT / 2, 'x');
    GError *error = NULL;

    make("one", half);
    make("two", half);
    make("three", "y");
    g_bytes_unref(read_module("[archive.m]\na=one\nb=two\n", &error));
    cr_assert_null(error, "just as much as is allowed: %s", error->message);
    cr_assert_null(read_module("[archive.m]\na=one\nb=two\nc=three\n", &error));
    cr_assert(strstr(error->message, "three: with this file the archive has no room"), "%s",
              error->message);
    g_clear_error(&error);
}

Test(sim_module, what_is_missing_is_named)
{
    g_autoptr(GError) error = NULL;

    cr_assert_null(read_module("[archive.m]\na=nowhere\n", &error));
    cr_assert(strstr(error->message, "nowhere"), "%s", error->message);
}

Test(sim_module, the_canonical_text_says_the_same)
{
    struct sim_config *config = parse("[archive.m]\nb/c=f\n[domu]\nkernel=f\n", NULL), *again;
    g_autofree char *once = sim_config_to_text(config), *twice = NULL;

    again = sim_config_parse("y.machine", once, strlen(once), NULL, NULL);
    cr_assert_not_null(again, "%s", once);
    twice = sim_config_to_text(again);
    cr_assert_str_eq(once, twice);
    cr_assert(strstr(once, "[archive.m]\nb/c="), "%s", once);
    sim_config_free(config);
    sim_config_free(again);
}

Test(sim_module, archives_that_cannot_be_are_refused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[archive.m]\n/a=f\n", "not a name of a file"},
        {"[archive.m]\na/=f\n", "not a name of a file"},
        {"[archive.m]\na/../b=f\n", "not a name of a file"},
        {"[archive.m]\na=\n", "path is empty"},
        {"[archive.a b]\na=f\n", "module's name"},
        {"[module.m]\npath=f\n[archive.m]\na=f\n", "a file already"},
        {"[module.initrd]\npath=f\n[domu]\nkernel=f\n", "a file already"},
        {"[module.m]\ncmdline=x\n", "missing"},
        {"[domu]\nkernel=f\nvcpus=33\n", "not allowed"},
        {"[domu]\nkernal=f\n", "did you mean \"kernel\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        cr_assert_null(parse(cases[i].text, &error), "%s was taken", cases[i].text);
        cr_assert(strstr(error->message, cases[i].message), "%s: %s", cases[i].text, error->message);
    }
}
