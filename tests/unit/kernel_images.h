/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small Multiboot kernels made by hand, to be broken by tests.
 */
#ifndef PARAVANE_TESTS_UNIT_KERNEL_IMAGES_H
#define PARAVANE_TESTS_UNIT_KERNEL_IMAGES_H

#include <elf.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#define MAGIC      0x1badb002u
#define TEXT_AT    0x400u /* offset of the code in the images made here */
#define TEXT_BYTES 0x100u
#define BASE       0x100000u

/* --- images ------------------------------------------------------------------------------ */

struct image {
    uint8_t bytes[TEXT_AT + TEXT_BYTES];
};

static inline void put32(uint8_t *p, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(p, &value, 4);
}

static inline void put_header(struct image *image, uint32_t flags)
{
    put32(image->bytes + 0x200, MAGIC);
    put32(image->bytes + 0x204, flags);
    put32(image->bytes + 0x208, -(MAGIC + flags));
}

static inline void put_text(struct image *image)
{
    for (unsigned i = 0; i < TEXT_BYTES; i++)
        image->bytes[TEXT_AT + i] = (uint8_t)(i + 1);
}

/* An ELF32 kernel with two segments; the second is all zero. */
static inline struct image elf32(void)
{
    struct image image = {{0}};
    Elf32_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_386,
                    .e_version = 1,
                    .e_entry = BASE + 0x10,
                    .e_phoff = sizeof(e),
                    .e_ehsize = sizeof(e),
                    .e_phentsize = sizeof(Elf32_Phdr),
                    .e_phnum = 2};
    Elf32_Phdr p[2] = {{PT_LOAD, TEXT_AT, BASE, BASE, TEXT_BYTES, 0x1000, 7, 0x1000},
                       {PT_LOAD, 0, BASE + 0x2000, BASE + 0x2000, 0, 0x800, 6, 0x1000}};

    memcpy(image.bytes, &e, sizeof(e));
    memcpy(image.bytes + sizeof(e), p, sizeof(p));
    put_header(&image, 3);
    put_text(&image);
    return image;
}

static inline Elf32_Phdr *phdr32(struct image *image, unsigned i)
{
    return (Elf32_Phdr *)(void *)(image->bytes + sizeof(Elf32_Ehdr)) + i;
}

/* An ELF64 kernel that is linked high and lies low. */
static inline struct image elf64(void)
{
    struct image image = {{0}};
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = 1,
                    .e_entry = 0xffffffff80000020,
                    .e_phoff = sizeof(e),
                    .e_ehsize = sizeof(e),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 1};
    Elf64_Phdr p = {PT_LOAD, 7, TEXT_AT, 0xffffffff80000000, BASE, TEXT_BYTES, TEXT_BYTES, 0x1000};

    memcpy(image.bytes, &e, sizeof(e));
    memcpy(image.bytes + sizeof(e), &p, sizeof(p));
    put_header(&image, 0);
    put_text(&image);
    return image;
}

static inline Elf64_Phdr *phdr64(struct image *image)
{
    return (Elf64_Phdr *)(void *)(image->bytes + sizeof(Elf64_Ehdr));
}

/* No ELF file: the header's addresses say all. */
static inline struct image flat(uint32_t load, uint32_t load_end, uint32_t bss_end, uint32_t entry)
{
    struct image image = {{0}};

    put_header(&image, 0x10003);
    put32(image.bytes + 0x20c, load + 0x200 - 0x100); /* loaded from offset 0x100 on */
    put32(image.bytes + 0x210, load);
    put32(image.bytes + 0x214, load_end);
    put32(image.bytes + 0x218, bss_end);
    put32(image.bytes + 0x21c, entry);
    put_text(&image);
    return image;
}

#endif
