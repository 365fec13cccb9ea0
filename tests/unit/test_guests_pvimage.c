/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>

#include "guests/dom0/pvimage.h"
#include "sim/base/rng.h"

#include <xen/elfnote.h>

#define BASE 0xffffffff80000000ul

/* A small PV kernel: one segment at 1 MiB, notes in a segment or only in a section. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr load, notes;
    Elf64_Shdr section;
    u8 note_area[512];
    u8 text[64];
};

static struct file file;
static u32 note_bytes;

static void note(u32 type, const void *desc, u32 desc_bytes)
{
    Elf64_Nhdr header = {4, desc_bytes, type};

    memcpy(file.note_area + note_bytes, &header, sizeof header);
    memcpy(file.note_area + note_bytes + sizeof header, "Xen", 4);
    memcpy(file.note_area + note_bytes + sizeof header + 4, desc, desc_bytes);
    note_bytes += (u32)sizeof header + 4 + ((desc_bytes + 3) & ~3u);
    file.notes.p_filesz = file.section.sh_size = note_bytes;
}

static void note_number(u32 type, u64 value)
{
    note(type, &value, sizeof value);
}

static void note_text(u32 type, const char *text)
{
    note(type, text, (u32)strlen(text) + 1);
}

static void set_up(void)
{
    memset(&file, 0, sizeof file);
    note_bytes = 0;
    memcpy(file.header.e_ident, "\177ELF\2\1\1", 7);
    file.header.e_type = ET_EXEC;
    file.header.e_machine = EM_X86_64;
    file.header.e_entry = BASE + 0x100000;
    file.header.e_phoff = offsetof(struct file, load);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 2;
    file.header.e_shoff = offsetof(struct file, section);
    file.header.e_shentsize = sizeof(Elf64_Shdr);
    file.header.e_shnum = 1;
    file.load.p_type = PT_LOAD;
    file.load.p_offset = offsetof(struct file, text);
    file.load.p_paddr = 0x100000;
    file.load.p_vaddr = BASE + 0x100000;
    file.load.p_filesz = sizeof file.text;
    file.load.p_memsz = 0x3000;
    file.notes.p_type = PT_NOTE;
    file.notes.p_offset = offsetof(struct file, note_area);
    file.section.sh_type = SHT_NOTE;
    file.section.sh_offset = offsetof(struct file, note_area);
    note_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    note_text(XEN_ELFNOTE_LOADER, "generic");
    note_number(XEN_ELFNOTE_VIRT_BASE, BASE);
}

TestSuite(guests_pvimage, .init = set_up);

static struct pv_image image;
static const char *why;

static void expect_good(void)
{
    cr_assert(pv_image_parse(&file, sizeof file, &image, &why), "%s", why);
}

static void expect_bad(const char *reason)
{
    cr_assert_not(pv_image_parse(&file, sizeof file, &image, &why));
    cr_assert(strstr(why, reason), "%s, not %s", why, reason);
}

Test(guests_pvimage, notes_and_segments_are_read)
{
    u32 narrow = 1;

    note_number(XEN_ELFNOTE_ENTRY, BASE + 0x100010);
    note_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x102000);
    note_number(XEN_ELFNOTE_INIT_P2M, 0x8000000000);
    note(XEN_ELFNOTE_MOD_START_PFN, &narrow, 4);
    expect_good();
    cr_assert_eq(image.virt_base, BASE);
    cr_assert_eq(image.entry, BASE + 0x100010);
    cr_assert_eq(image.hypercall_page, BASE + 0x102000);
    cr_assert_eq(image.init_p2m, 0x8000000000);
    cr_assert(image.initrd_by_pfn);
    cr_assert_eq(image.start, 0x100000);
    cr_assert_eq(image.end, 0x103000);
    cr_assert_eq(image.segment_count, 1);
    cr_assert_eq(image.segments[0].data, file.text);
    cr_assert_eq(image.segments[0].file_bytes, sizeof file.text);
}

Test(guests_pvimage, the_entry_is_the_elf_header_s_without_a_note)
{
    expect_good();
    cr_assert_eq(image.entry, BASE + 0x100000);
    cr_assert_eq(image.hypercall_page, 0);
}

Test(guests_pvimage, notes_in_sections_count_when_there_is_no_segment)
{
    file.notes.p_type = PT_NULL;
    expect_good();
    cr_assert_eq(image.virt_base, BASE);
    /* A note segment at offset 0 is none. */
    file.notes.p_type = PT_NOTE;
    file.notes.p_offset = 0;
    expect_good();
}

Test(guests_pvimage, physical_addresses_are_relative_to_the_offset)
{
    note_number(XEN_ELFNOTE_PADDR_OFFSET, 0x80000);
    file.header.e_entry = BASE + 0x80000;
    expect_good();
    cr_assert_eq(image.start, 0x80000);
}

Test(guests_pvimage, what_is_no_pv_kernel_is_refused)
{
    file.notes.p_type = PT_NULL;
    file.section.sh_type = SHT_NULL;
    expect_bad("no notes");
    set_up();
    file.header.e_machine = EM_386;
    expect_bad("not an x86-64");
    set_up();
    file.header.e_ident[4] = ELFCLASS32;
    expect_bad("ELF64");
}

Test(guests_pvimage, features_are_weighed)
{
    note_text(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb|from_the_future");
    expect_good();
    note_text(XEN_ELFNOTE_FEATURES, "!from_the_future");
    expect_bad("not known");
}

Test(guests_pvimage, what_reaches_beyond_is_refused)
{
    file.load.p_filesz = sizeof file.text + 1;
    expect_bad("beyond the file");
    set_up();
    file.load.p_offset = UINT64_MAX;
    expect_bad("beyond the file");
    set_up();
    file.load.p_filesz = 8;
    file.load.p_memsz = 4;
    expect_bad("beyond the file");
    set_up();
    file.load.p_paddr = UINT64_MAX - 0x1000;
    expect_bad("outside");
    set_up();
    file.header.e_phnum = 0xffff;
    expect_bad("segment table");
    set_up();
    file.header.e_entry = BASE;
    expect_bad("entry");
    set_up();
    note_number(XEN_ELFNOTE_HYPERCALL_PAGE, 0x1000);
    expect_bad("hypercall page");
    set_up();
    note_number(XEN_ELFNOTE_INIT_P2M, BASE + 0x101000);
    expect_bad("p2m");
    set_up();
    file.load.p_type = PT_NULL;
    expect_bad("nothing to load");
}

Test(guests_pvimage, a_broken_note_is_refused)
{
    Elf64_Nhdr header = {4, 0xfffffff0, XEN_ELFNOTE_ENTRY};

    memcpy(file.note_area + note_bytes, &header, sizeof header);
    file.notes.p_filesz += sizeof header + 4;
    expect_bad("beyond its segment");
}

Test(guests_pvimage, damage_is_no_harm)
{
    struct base_rng rng;
    struct file good = file;

    base_rng_init(&rng, 3, 0);
    for (int i = 0; i < 50000; i++) {
        file = good;
        for (int k = 0; k < 3; k++)
            ((u8 *)&file)[base_rng_next(&rng) % sizeof file] = (u8)base_rng_next(&rng);
        if (!pv_image_parse(&file, sizeof file, &image, &why)) {
            cr_assert_not_null(why);
            continue;
        }
        for (u32 s = 0; s < image.segment_count; s++)
            cr_assert(image.segments[s].data >= (u8 *)&file &&
                          image.segments[s].data + image.segments[s].file_bytes <=
                              (u8 *)&file + sizeof file,
                      "round %d: segment %u reaches beyond the file", i, s);
    }
}
