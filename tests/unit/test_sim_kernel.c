/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/base/types.h"
#include "sim/kernel.h"
#include "tests/unit/kernel_images.h"

static gboolean parse(const struct image *image, size_t size_bytes, struct sim_kernel *out,
                      GError **error)
{
    /* On the heap and exactly as long, so that a sanitizer sees reads behind the end. */
    g_autofree uint8_t *copy = g_memdup2(image->bytes, size_bytes);

    return sim_kernel_parse("file", copy, size_bytes, out, error);
}

static void refused_with(const struct image *image, const char *wanted)
{
    struct sim_kernel kernel;
    GError *error = NULL;

    cr_assert_not(parse(image, sizeof(*image), &kernel, &error), "accepted; wanted: %s", wanted);
    cr_assert(g_str_has_prefix(error->message, "file: ") && strstr(error->message, wanted),
              "the message is \"%s\", without \"%s\"", error->message, wanted);
    g_error_free(error);
}

Test(sim_kernel, elf32_segments_go_to_their_physical_addresses)
{
    struct image image = elf32();
    struct sim_kernel k;
    GError *error = NULL;

    cr_assert(parse(&image, sizeof(image), &k, &error), "%s", error ? error->message : "");
    cr_assert_eq(k.count, 2);
    cr_assert_eq(k.entry, BASE + 0x10);
    cr_assert_eq(k.segment[0].offset, TEXT_AT);
    cr_assert_eq(k.segment[0].file_bytes, TEXT_BYTES);
    cr_assert_eq(k.segment[0].pa, BASE);
    cr_assert_eq(k.segment[0].mem_bytes, 0x1000);
    cr_assert_eq(k.segment[1].pa, BASE + 0x2000);
    cr_assert_eq(k.segment[1].file_bytes, 0);
}

Test(sim_kernel, a_virtual_entry_point_is_entered_where_it_was_loaded)
{
    struct image image = elf64();
    struct sim_kernel k;
    GError *error = NULL;

    cr_assert(parse(&image, sizeof(image), &k, &error), "%s", error ? error->message : "");
    cr_assert_eq(k.entry, BASE + 0x20);
}

Test(sim_kernel, the_headers_addresses_describe_a_flat_image)
{
    struct image image = flat(0x200000, 0x200380, 0x201000, 0x200300);
    struct sim_kernel k;
    GError *error = NULL;

    cr_assert(parse(&image, sizeof(image), &k, &error), "%s", error ? error->message : "");
    cr_assert_eq(k.count, 1);
    cr_assert_eq(k.entry, 0x200300);
    cr_assert_eq(k.segment[0].offset, 0x100);
    cr_assert_eq(k.segment[0].file_bytes, 0x380);
    cr_assert_eq(k.segment[0].pa, 0x200000);
    cr_assert_eq(k.segment[0].mem_bytes, 0x1000);
    image = flat(0x200000, 0, 0, 0x200000); /* to the end of the file, no zeroes behind */
    cr_assert(parse(&image, sizeof(image), &k, &error), "%s", error ? error->message : "");
    cr_assert_eq(k.segment[0].file_bytes, sizeof(image) - 0x100);
    cr_assert_eq(k.segment[0].mem_bytes, sizeof(image) - 0x100);
}

Test(sim_kernel, flat_images_that_cannot_be_are_refused)
{
    const struct {
        uint32_t load, load_end, bss_end, entry;
        const char *wanted;
    } cases[] = {
        {0x200000, 0x200501, 0, 0x200000, "truncated: a segment needs"},
        {0x200000, 0x200000, 0, 0x200000, "load end 0x200000 is not above"},
        {0x200000, 0x1fffff, 0, 0x200000, "is not above its load address"},
        {0x200000, 0x200100, 0x2000ff, 0x200000, "bss end 0x2000ff lies below"},
        {0x200000, 0x200100, 0x200200, 0x200200, "the entry point 0x200200 lies outside"},
        {0x200000, 0x200100, 0x200200, 0x1fffff, "the entry point 0x1fffff lies outside"},
        {0xffffff00, 0, 0, 0xffffff00, "lies outside the file"}, /* its header wraps to 0 */
        {0xfffffe00, 0, 0, 0xfffffe00, "ends beyond 4 GiB"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct image image =
            flat(cases[i].load, cases[i].load_end, cases[i].bss_end, cases[i].entry);

        refused_with(&image, cases[i].wanted);
    }
}

Test(sim_kernel, a_load_address_before_the_file_is_refused)
{
    struct image image = flat(0x200000, 0, 0, 0x200000);

    put32(image.bytes + 0x20c, 0x200000 + 0x201); /* header would lie at offset >= 0x201 */
    refused_with(&image, "load address 0x200000 lies outside the file");
    put32(image.bytes + 0x20c, 0x1fffff);
    refused_with(&image, "load address 0x200000 lies outside the file");
}

Test(sim_kernel, a_header_must_be_whole_aligned_early_and_sum_to_zero)
{
    struct image image = elf32();

    put32(image.bytes + 0x208, 1);
    refused_with(&image, "not a Multiboot 1 kernel");
    image = elf32();
    memmove(image.bytes + 0x202, image.bytes + 0x200, 12);
    refused_with(&image, "not a Multiboot 1 kernel");
    image = elf32();
    put_header(&image, 3 | 8);
    refused_with(&image, "requires features 0x8");
    image = elf32();
    put_header(&image, 7); /* a video mode is a wish */
    struct sim_kernel k;
    cr_assert(parse(&image, sizeof(image), &k, NULL));
    memset(&image, 'x', sizeof(image));
    refused_with(&image, "nor an ELF file");
}

Test(sim_kernel, a_header_behind_8_kib_does_not_count)
{
    g_autofree uint8_t *data = g_malloc0(16384);
    struct image image = flat(0x200000, 0, 0, 0x200000);
    struct sim_kernel k;
    GError *error = NULL;

    memcpy(data + 8192 - 12, image.bytes + 0x200, 32);
    cr_assert_not(sim_kernel_parse("file", data, 16384, &k, &error));
    cr_assert(strstr(error->message, "header is cut off"), "%s", error->message);
    g_clear_error(&error);
    memmove(data + 8192 - 8, data + 8192 - 12, 32);
    memset(data, 0, 8192 - 8);
    cr_assert_not(sim_kernel_parse("file", data, 16384, &k, &error));
    cr_assert(strstr(error->message, "not a Multiboot 1 kernel"), "%s", error->message);
    g_clear_error(&error);
}

Test(sim_kernel, damaged_elf32_headers_are_refused)
{
    struct image image = elf32();
    Elf32_Ehdr *e = (void *)image.bytes;

#define BREAK(field, value, wanted)                                                                \
    do {                                                                                           \
        image = elf32();                                                                           \
        (field) = (value);                                                                         \
        refused_with(&image, wanted);                                                              \
    } while (0)
    BREAK(e->e_ident[0], 0, "not an ELF file");
    BREAK(e->e_ident[EI_CLASS], 3, "wrong class");
    BREAK(e->e_ident[EI_DATA], ELFDATA2MSB, "byte order");
    BREAK(e->e_machine, EM_ARM, "not an executable ELF file for x86");
    BREAK(e->e_type, ET_REL, "not an executable ELF file for x86");
    BREAK(e->e_type, ET_DYN, "not an executable ELF file for x86");
    BREAK(e->e_phentsize, 31, "program header entries of 31 bytes");
    BREAK(e->e_phentsize, 0, "program header entries of 0 bytes");
    BREAK(e->e_phoff, 0xffffffff, "program headers are cut off");
    BREAK(e->e_phoff, sizeof(image) - 1, "program headers are cut off");
    BREAK(e->e_phnum, 0xffff, "program headers are cut off");
    BREAK(e->e_phnum, 0, "nothing to load");
    BREAK(e->e_entry, BASE + 0x1000, "the entry point 0x101000 lies outside");
    BREAK(phdr32(&image, 0)->p_type, PT_NOTE, "the entry point");
    BREAK(phdr32(&image, 0)->p_offset, 0xffffffff, "truncated: a segment needs");
    BREAK(phdr32(&image, 0)->p_offset, sizeof(image) - TEXT_BYTES + 1, "truncated: a segment");
    BREAK(phdr32(&image, 0)->p_filesz, 0xffffffff, "larger in the file than in memory");
    BREAK(phdr32(&image, 0)->p_memsz, TEXT_BYTES - 1, "larger in the file than in memory");
    BREAK(phdr32(&image, 0)->p_memsz, 0xffffffff, "ends beyond 4 GiB");
    BREAK(phdr32(&image, 0)->p_memsz, 0x2001, "segments overlap at physical address 0x102000");
    BREAK(phdr32(&image, 1)->p_paddr, BASE + 0xfff, "segments overlap");
    BREAK(phdr32(&image, 1)->p_paddr, 0xffffffff, "ends beyond 4 GiB");
    BREAK(phdr32(&image, 1)->p_paddr, BASE - 0x7ff, "segments overlap");
#undef BREAK
}

Test(sim_kernel, damaged_elf64_headers_are_refused)
{
    struct image image = elf64();
    Elf64_Ehdr *e = (void *)image.bytes;

#define BREAK(field, value, wanted)                                                                \
    do {                                                                                           \
        image = elf64();                                                                           \
        (field) = (value);                                                                         \
        refused_with(&image, wanted);                                                              \
    } while (0)
    BREAK(e->e_phoff, UINT64_MAX, "program headers are cut off");
    BREAK(e->e_phoff, UINT64_MAX - 55, "program headers are cut off");
    BREAK(e->e_phentsize, 32, "program header entries");
    BREAK(phdr64(&image)->p_offset, UINT64_MAX, "truncated: a segment needs");
    BREAK(phdr64(&image)->p_offset, -(uint64_t)TEXT_BYTES, "truncated: a segment needs");
    BREAK(phdr64(&image)->p_memsz, UINT64_MAX, "ends beyond 4 GiB");
    BREAK(phdr64(&image)->p_memsz, 1ull << 32, "ends beyond 4 GiB");
    BREAK(phdr64(&image)->p_paddr, UINT64_MAX, "ends beyond 4 GiB");
    BREAK(phdr64(&image)->p_paddr, 1ull << 32, "ends beyond 4 GiB");
    BREAK(phdr64(&image)->p_vaddr, 0, "the entry point 0xffffffff80000020 lies beyond 4 GiB");
    BREAK(e->e_entry, 0x500000, "the entry point 0x500000 lies outside");
#undef BREAK
}

Test(sim_kernel, too_many_segments_are_refused)
{
    g_autofree uint8_t *data = g_malloc0(65536);
    struct image image = elf32();
    Elf32_Ehdr *e = (void *)data;
    struct sim_kernel k;
    GError *error = NULL;

    memcpy(data, image.bytes, sizeof(image));
    e->e_phoff = 0x1000;
    e->e_phnum = SIM_KERNEL_SEGMENTS_MAX + 1;
    for (unsigned i = 0; i < e->e_phnum; i++) {
        Elf32_Phdr p = {PT_LOAD, 0, 0, BASE + i * 0x1000, 16, 0x1000, 7, 0};
        memcpy(data + e->e_phoff + i * sizeof(p), &p, sizeof(p));
    }
    cr_assert_not(sim_kernel_parse("file", data, 65536, &k, &error));
    cr_assert(strstr(error->message, "more than 64 segments"), "%s", error->message);
    g_clear_error(&error);
}

static void truncate_everywhere(const struct image *image, size_t needed)
{
    for (size_t length = 0; length < sizeof(*image); length++) {
        struct sim_kernel k;
        GError *error = NULL;
        gboolean ok = parse(image, length, &k, &error);

        cr_assert(ok == (length >= needed), "length %zu: %s", length, ok ? "accepted" : "refused");
        cr_assert((error != NULL) == !ok, "length %zu", length);
        g_clear_error(&error);
    }
}

Test(sim_kernel, every_truncation_is_refused)
{
    struct image image = elf32();

    truncate_everywhere(&image, sizeof(image));
    image = elf64();
    truncate_everywhere(&image, sizeof(image));
    image = flat(0x200000, 0x200400, 0, 0x200000);
    truncate_everywhere(&image, sizeof(image));
}
