/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/types.h"
#include "sim/image.h"
#include "sim/loader.h"
#include "tests/unit/kernel_images.h"

/* --- the loader -------------------------------------------------------------------------- */

struct fixture {
    char *folder;
    struct mmu_ram *ram;
    struct sim_config *config;
    struct sim_loader_result result;
    GError *error;
};

static void write_file(const struct fixture *f, const char *name, const void *data,
                       size_t size_bytes)
{
    g_autofree char *path = g_build_filename(f->folder, name, NULL);

    cr_assert(g_file_set_contents(path, data, (gssize)size_bytes, NULL));
}

static void setup(struct fixture *f, const char *memory, const char *more)
{
    g_autofree char *file = NULL, *text = NULL;
    struct image image = elf32();

    memset(f, 0, sizeof(*f));
    f->folder = g_dir_make_tmp("paravane-loader-XXXXXX", NULL);
    write_file(f, "kernel", &image, sizeof(image));
    file = g_build_filename(f->folder, "x.machine", NULL);
    text = g_strdup_printf("[machine]\nmemory=%s\n[boot]\nkernel=kernel\ncmdline=one two\n%s",
                           memory, more);
    f->config = sim_config_parse(file, text, strlen(text), NULL, &f->error);
    cr_assert_not_null(f->config, "%s", f->error ? f->error->message : "");
    f->ram = mmu_ram_new(f->config->memory_bytes, &f->error);
    cr_assert_not_null(f->ram);
}

static void teardown(struct fixture *f)
{
    g_autoptr(GDir) folder = g_dir_open(f->folder, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    mmu_ram_free(f->ram);
    sim_config_free(f->config);
    g_clear_error(&f->error);
}

static bool load(struct fixture *f)
{
    return sim_loader_load(f->ram, f->config, &f->result, &f->error);
}

static void load_refused_with(struct fixture *f, const char *wanted)
{
    cr_assert_not(load(f), "loaded; wanted: %s", wanted);
    cr_assert(strstr(f->error->message, wanted), "the message is \"%s\", without \"%s\"",
              f->error->message, wanted);
}

static uint32_t word(const struct fixture *f, uint64_t pa)
{
    uint32_t value = 0xdeadbeef;

    cr_assert(mmu_ram_read(f->ram, GPA(pa), &value, 4), "0x%" PRIx64 " is no RAM", pa);
    return value;
}

static void has_text(const struct fixture *f, uint32_t pa, const char *wanted)
{
    char text[64] = "";

    cr_assert(mmu_ram_read(f->ram, GPA(pa), text, sizeof(text) - 1));
    cr_assert_str_eq(text, wanted);
}

Test(sim_loader, kernel_and_information_are_where_the_guest_looks)
{
    struct fixture f;
    uint32_t info;

    setup(&f, "64M", "");
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    cr_assert_eq(f.result.magic, 0x2badb002);
    cr_assert_eq(f.result.entry, BASE + 0x10);
    cr_assert_eq(word(&f, BASE), 0x04030201);
    cr_assert_eq(word(&f, BASE + TEXT_BYTES), 0);
    info = f.result.info;
    cr_assert_eq(word(&f, info) & 0x24d, 0x24d, "flags 0x%x", word(&f, info));
    cr_assert_eq(word(&f, info + 4), 639);
    cr_assert_eq(word(&f, info + 8), 63 * 1024);
    has_text(&f, word(&f, info + 16), "kernel one two");
    cr_assert_eq(word(&f, info + 20), 0);
    has_text(&f, word(&f, info + 64), "paravane");
    teardown(&f);
}

/* The map as text, to compare it in one go. */
static char *map_text(const struct fixture *f)
{
    GString *text = g_string_new(NULL);
    uint32_t at = word(f, f->result.info + 48), end = at + word(f, f->result.info + 44);

    while (at < end) {
        uint64_t base, length;

        mmu_ram_read(f->ram, GPA(at + 4), &base, 8);
        mmu_ram_read(f->ram, GPA(at + 12), &length, 8);
        g_string_append_printf(text, "%" PRIx64 "-%" PRIx64 ":%u ", base, base + length,
                               word(f, at + 20));
        at += word(f, at) + 4;
    }
    return g_string_free(text, FALSE);
}

Test(sim_loader, the_map_reserves_what_is_not_for_the_guest)
{
    const struct {
        const char *memory, *map;
    } cases[] = {
        {"64M", "0-9fc00:1 9fc00-a0000:2 f0000-100000:2 100000-4000000:1 "
                "fec00000-fec01000:2 fee00000-fee01000:2 "},
        {"5G", "0-9fc00:1 9fc00-a0000:2 f0000-100000:2 100000-c0000000:1 "
               "fec00000-fec01000:2 fee00000-fee01000:2 100000000-180000000:1 "},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        g_autofree char *map = NULL;

        setup(&f, cases[i].memory, "");
        cr_assert(load(&f), "%s", f.error ? f.error->message : "");
        map = map_text(&f);
        cr_assert_str_eq(map, cases[i].map);
        teardown(&f);
    }
}

Test(sim_loader, modules_lie_on_pages_in_order_with_their_lines)
{
    struct fixture f;
    uint32_t list;

    setup(&f, "64M", "[module.b]\npath=mb\ncmdline=x=1 y\n[module.a]\npath=ma\n");
    write_file(&f, "mb", "BBBBBBBB", 8);
    write_file(&f, "ma", "AAAA", 4);
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    cr_assert_eq(word(&f, f.result.info + 20), 2);
    list = word(&f, f.result.info + 24);
    cr_assert_eq(word(&f, list), 0x1000000);
    cr_assert_eq(word(&f, list + 4), 0x1000008);
    has_text(&f, word(&f, list + 8), "b x=1 y");
    cr_assert_eq(word(&f, list + 16), 0x1001000);
    cr_assert_eq(word(&f, list + 20), 0x1001004);
    has_text(&f, word(&f, list + 24), "a");
    cr_assert_eq(word(&f, 0x1000000), 0x42424242);
    cr_assert_eq(word(&f, 0x1001000), 0x41414141);
    teardown(&f);
}

Test(sim_loader, modules_move_down_when_ram_is_small)
{
    struct fixture f;

    setup(&f, "4M", "[module.m]\npath=m\n");
    write_file(&f, "m", "MMMM", 4);
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    cr_assert_eq(word(&f, word(&f, f.result.info + 24)), BASE + 0x3000);
    teardown(&f);
}

Test(sim_loader, modules_past_the_end_of_ram_are_refused)
{
    struct fixture f;
    g_autofree uint8_t *data = g_malloc0(3 << 20);

    setup(&f, "4M", "[module.m]\npath=m\n");
    write_file(&f, "m", data, (3 << 20) - 0x3000); /* just fits */
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    teardown(&f);
    setup(&f, "4M", "[module.m]\npath=m\n");
    write_file(&f, "m", data, (3 << 20) - 0x3000 + 1);
    load_refused_with(&f, "the 1 modules need");
    teardown(&f);
    setup(&f, "2M", "[module.m]\npath=m\n");
    write_file(&f, "m", data, 3 << 20);
    load_refused_with(&f, "is larger than the limit of 2M");
    teardown(&f);
}

Test(sim_loader, kernels_in_the_way_are_refused)
{
    const struct {
        uint32_t pa;
        const char *wanted;
    } cases[] = {
        {0, "overlaps the interrupt vectors"},
        {0xfff, "overlaps the interrupt vectors"},
        {0x10000 - 0xfff, "overlaps the boot information"},
        {0x1f000, "overlaps the boot information"},
        {0x9f000, "overlaps the BIOS and video areas"},
        {0xb8000, "overlaps the BIOS and video areas"},
        {0xff001, "overlaps the BIOS and video areas"},
        {0x4000000 - 0xfff, "does not fit into RAM, which ends at 0x4000000"},
        {0xc0000000, "does not fit into RAM"},
        {0xfffff000, "does not fit into RAM"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct image image = elf32();
        struct fixture f;

        phdr32(&image, 0)->p_paddr = phdr32(&image, 0)->p_vaddr = cases[i].pa;
        ((Elf32_Ehdr *)(void *)image.bytes)->e_entry = cases[i].pa;
        phdr32(&image, 1)->p_type = PT_NULL;
        setup(&f, "64M", "");
        write_file(&f, "kernel", &image, sizeof(image));
        load_refused_with(&f, cases[i].wanted);
        teardown(&f);
    }
}

Test(sim_loader, a_kernel_in_base_memory_is_fine)
{
    struct image image = elf32();
    struct fixture f;

    phdr32(&image, 0)->p_paddr = phdr32(&image, 0)->p_vaddr = 0x20000;
    ((Elf32_Ehdr *)(void *)image.bytes)->e_entry = 0x20000;
    setup(&f, "64M", "");
    write_file(&f, "kernel", &image, sizeof(image));
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    teardown(&f);
}

Test(sim_loader, command_lines_have_a_limit)
{
    g_autofree char *line = g_strnfill(66000, 'x');
    g_autofree char *more = g_strdup_printf("[module.m]\npath=m\ncmdline=%s\n", line);
    struct fixture f;

    setup(&f, "64M", more);
    write_file(&f, "m", "M", 1);
    load_refused_with(&f, "the command lines are too long");
    teardown(&f);
}

/* --- files ------------------------------------------------------------------------------- */

static GBytes *gzip(const void *data, size_t size_bytes)
{
    g_autoptr(GZlibCompressor) gz = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
    g_autoptr(GInputStream) in =
        g_memory_input_stream_new_from_data(data, (gssize)size_bytes, NULL);
    g_autoptr(GInputStream) out = g_converter_input_stream_new(in, G_CONVERTER(gz));

    uint8_t *packed = g_malloc(size_bytes + 4096);
    gsize made;

    cr_assert(g_input_stream_read_all(out, packed, size_bytes + 4096, &made, NULL, NULL));
    return g_bytes_new_take(packed, made);
}

Test(sim_image, a_compressed_kernel_is_loaded_and_every_truncation_refused)
{
    struct image image = elf32();
    g_autoptr(GBytes) packed = gzip(&image, sizeof(image));
    size_t size_bytes;
    const uint8_t *data = g_bytes_get_data(packed, &size_bytes);
    struct fixture f;

    setup(&f, "64M", "");
    write_file(&f, "kernel", data, size_bytes);
    cr_assert(load(&f), "%s", f.error ? f.error->message : "");
    cr_assert_eq(word(&f, BASE), 0x04030201);
    for (size_t length = 1; length < size_bytes; length++) {
        write_file(&f, "kernel", data, length);
        cr_assert_not(load(&f), "%zu of %zu bytes were enough", length, size_bytes);
        if (length >= 3)
            cr_assert(strstr(f.error->message, "truncated gzip data"), "length %zu: %s", length,
                      f.error->message);
        g_clear_error(&f.error);
    }
    teardown(&f);
}

Test(sim_image, damaged_and_oversized_gzip_files_are_refused)
{
    static const uint8_t zero[1 << 20];
    g_autoptr(GBytes) packed = gzip(zero, sizeof(zero));
    size_t size_bytes;
    g_autofree uint8_t *data = g_memdup2(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed));
    GError *error = NULL;

    size_bytes = g_bytes_get_size(packed);
    cr_assert_null(sim_image_gunzip("z", data, size_bytes, sizeof(zero) - 1, &error));
    cr_assert(strstr(error->message, "decompressed, larger than the limit"), "%s", error->message);
    g_clear_error(&error);
    data[size_bytes - 6] ^= 1; /* the checksum */
    cr_assert_null(sim_image_gunzip("z", data, size_bytes, 1 << 30, &error));
    cr_assert(strstr(error->message, "damaged gzip data"), "%s", error->message);
    g_clear_error(&error);
}

Test(sim_image, bytes_behind_gzip_data_must_be_zero_or_gzip)
{
    g_autoptr(GBytes) packed = gzip("hello", 5);
    g_autoptr(GByteArray) file = g_byte_array_new();
    GError *error = NULL;
    GBytes *out;

    g_byte_array_append(file, g_bytes_get_data(packed, NULL), (guint)g_bytes_get_size(packed));
    g_byte_array_append(file, g_bytes_get_data(packed, NULL), (guint)g_bytes_get_size(packed));
    g_byte_array_append(file, (const guint8 *)"\0\0\0", 3);
    out = sim_image_gunzip("z", file->data, file->len, 100, &error);
    cr_assert_not_null(out, "%s", error ? error->message : "");
    cr_assert_eq(g_bytes_get_size(out), 10);
    g_bytes_unref(out);
    g_byte_array_append(file, (const guint8 *)"x", 1);
    cr_assert_null(sim_image_gunzip("z", file->data, file->len, 100, &error));
    cr_assert(strstr(error->message, "something else after"), "%s", error->message);
    g_clear_error(&error);
}

Test(sim_image, files_that_are_none_are_named)
{
    const char *const cases[][2] = {{"/nonexistent", "/nonexistent: No such file or directory"},
                                    {"/", "/: is a directory"},
                                    {"/dev/zero", "/dev/zero: is not a regular file"},
                                    {"", ": No such file or directory"}};
    struct fixture f;
    g_autofree char *path = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        GError *error = NULL;

        cr_assert_null(sim_image_read(cases[i][0], 1 << 20, SIM_IMAGE_PLAIN, &error));
        cr_assert_str_eq(error->message, cases[i][1]);
        g_clear_error(&error);
    }
    setup(&f, "64M", "");
    path = g_build_filename(f.folder, "kernel", NULL);
    write_file(&f, "kernel", "", 0);
    load_refused_with(&f, "kernel: is empty");
    g_clear_error(&f.error);
    cr_assert_eq(truncate(path, 1ll << 31), 0);
    load_refused_with(&f, "kernel: is larger than the limit of 256M");
    teardown(&f);
}
