/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source: cpio(5), "New ASCII format"; "initramfs buffer format" of Linux' documentation.
 */
#include "sim/module.h"

#include <inttypes.h>
#include <string.h>

#include "sim/image.h"

#define MODE_FILE     0100644u
#define MODE_FOLDER   0040755u
#define ARCHIVE_ALIGN 512u

struct archive {
    GTree *members;       /* name -> GBytes, in the order of the names */
    uint64_t limit_bytes; /* of the files together ... */
    uint64_t left_bytes;  /* ... and what is left of it */
};

static void add_member(struct archive *archive, const char *name, GBytes *content)
{
    g_tree_insert(archive->members, g_strdup(name), content);
}

static gboolean add_file(struct archive *archive, const struct sim_config *config, const char *name,
                         const char *path, GError **error)
{
    GBytes *content = sim_config_read(config, path, archive->limit_bytes, SIM_IMAGE_PLAIN, error);
    size_t size_bytes = content ? g_bytes_get_size(content) : 0;

    if (size_bytes > archive->left_bytes) {
        g_set_error(error, SIM_IMAGE_ERROR, SIM_IMAGE_ERROR_SIZE,
                    "%s: with this file the archive has no room in the machine's memory", path);
        g_bytes_unref(content);
        return FALSE;
    }
    archive->left_bytes -= size_bytes;
    if (content)
        add_member(archive, name, content);
    return content != NULL;
}

/* What guests/dom0 reads when it is to start one domain: see guests/dom0/commands.c. */
static gboolean add_domu(struct archive *archive, const struct sim_config *config, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "mem=%" PRIu64 "K\nvcpus=%u\n", config->domu_memory_bytes >> 10,
                           config->domu_vcpus);
    if (*config->domu_cmdline)
        g_string_append_printf(text, "cmdline=%s\n", config->domu_cmdline);
    if (config->domu_initrd) {
        g_string_append(text, "initrd=domu/initrd\n");
        if (!add_file(archive, config, "domu/initrd", config->domu_initrd, error))
            return FALSE;
    }
    add_member(archive, "domu/config", g_bytes_new(text->str, text->len));
    return add_file(archive, config, "domu/kernel", config->domu_kernel, error);
}

static void put_padded(GByteArray *out, const void *bytes, size_t size_bytes)
{
    static const uint8_t zeros[4];

    g_byte_array_append(out, bytes, (guint)size_bytes);
    g_byte_array_append(out, zeros, -out->len & 3);
}

static void put_record(GByteArray *out, uint32_t inode, uint32_t mode, const char *name,
                       const void *content, size_t size_bytes)
{
    g_autofree char *record =
        g_strdup_printf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", inode, mode,
                        0u, 0u, mode == MODE_FOLDER ? 2u : 1u, 0u, (unsigned)size_bytes, 0u, 0u, 0u,
                        0u, (unsigned)strlen(name) + 1, 0u, name);

    put_padded(out, record, strlen(record) + 1);
    if (size_bytes)
        put_padded(out, content, size_bytes);
}

struct writer {
    GByteArray *out;
    GHashTable *folders; /* that were written */
    uint32_t inode;
};

static gboolean write_member(gpointer key, gpointer value, gpointer data)
{
    struct writer *w = data;
    const char *name = key;
    size_t size_bytes;
    const void *content = g_bytes_get_data(value, &size_bytes);

    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *folder = g_strndup(name, (gsize)(slash - name));

        /* The table owns the name, and frees it if it has it already. */
        if (!g_hash_table_contains(w->folders, folder))
            put_record(w->out, ++w->inode, MODE_FOLDER, folder, NULL, 0);
        g_hash_table_add(w->folders, folder);
    }
    put_record(w->out, ++w->inode, MODE_FILE, name, content, size_bytes);
    return FALSE;
}

static GBytes *write_archive(GTree *members)
{
    static const uint8_t zeros[ARCHIVE_ALIGN];
    g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct writer w = {g_byte_array_new(), folders, 0};

    g_tree_foreach(members, write_member, &w);
    put_record(w.out, 0, 0, "TRAILER!!!", NULL, 0);
    g_byte_array_append(w.out, zeros, -w.out->len & (ARCHIVE_ALIGN - 1));
    return g_byte_array_free_to_bytes(w.out);
}

static int compare_names(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void)unused;
    return strcmp(a, b);
}

GBytes *sim_module_read(const struct sim_config *config, const struct sim_config_module *module,
                        uint64_t limit_bytes, GError **error)
{
    g_autoptr(GTree) members = NULL;
    struct archive archive;

    if (module->path)
        return sim_config_read(config, module->path, limit_bytes, SIM_IMAGE_PLAIN, error);
    members = g_tree_new_full(compare_names, NULL, g_free, (GDestroyNotify)g_bytes_unref);
    limit_bytes = MIN(limit_bytes, SIM_IMAGE_BYTES_MAX);
    archive = (struct archive){members, limit_bytes, limit_bytes};
    for (unsigned i = 0; i < module->files->len; i++) {
        const struct sim_config_file *file = g_ptr_array_index(module->files, i);

        if (!add_file(&archive, config, file->name, file->path, error))
            return NULL;
    }
    if (config->domu_kernel && strcmp(module->name, SIM_CONFIG_DOMU_MODULE) == 0 &&
        !add_domu(&archive, config, error))
        return NULL;
    return write_archive(members);
}
