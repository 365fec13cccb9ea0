/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/kernel.h"

#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/types.h"
#include "sim/loader.h"

/*
 * Multiboot header, at a multiple of 4 in the first 8 KiB of the file:
 *
 *    +0 magic  +4 flags  +8 checksum (the sum of the three is 0)
 *    +12 header_addr  +16 load_addr  +20 load_end_addr  +24 bss_end_addr  +28 entry_addr
 *
 * The addresses count only with flag 16; they then replace what an ELF header says.
 */
#define HEADER_MAGIC        0x1badb002u
#define HEADER_SEARCH_BYTES 8192u
#define HEADER_BYTES        12u
#define HEADER_FULL_BYTES   32u
#define FLAG_PAGE_ALIGN     (1u << 0) /* modules are always aligned */
#define FLAG_MEMORY_INFO    (1u << 1) /* always given */
#define FLAG_VIDEO          (1u << 2) /* a wish: there is no graphics to offer */
#define FLAG_ADDRESSES      (1u << 16)
#define FLAGS_REQUIRED      0xffffu /* bits 0-15 not known to the loader must make it refuse */
#define FLAGS_KNOWN         (FLAG_PAGE_ALIGN | FLAG_MEMORY_INFO | FLAG_VIDEO)

/* The file being read. */
struct file {
    const char *name;
    const uint8_t *data;
    size_t size_bytes;
};

G_GNUC_PRINTF(3, 4)
static gboolean fail(GError **error, const struct file *f, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SIM_LOADER_ERROR, SIM_LOADER_ERROR_FORMAT, "%s: %s", f->name, text);
    return FALSE;
}

/* @count bytes at @offset, or NULL when the file does not hold all of them. */
static const void *bytes_at(const struct file *f, uint64_t offset, uint64_t count)
{
    if (offset > f->size_bytes || count > f->size_bytes - offset)
        return NULL;
    return f->data + offset;
}

static uint32_t word_at(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return GUINT32_FROM_LE(value);
}

/* --- the Multiboot header ---------------------------------------------------------------- */

static const uint8_t *find_header(const struct file *f)
{
    size_t end = MIN(f->size_bytes, HEADER_SEARCH_BYTES);

    for (size_t at = 0; at + HEADER_BYTES <= end; at += 4) {
        const uint8_t *p = f->data + at;

        if (word_at(p) == HEADER_MAGIC && word_at(p) + word_at(p + 4) + word_at(p + 8) == 0)
            return p;
    }
    return NULL;
}

static gboolean add_segment(struct sim_kernel *out, const struct file *f, uint64_t offset,
                            uint64_t file_bytes, uint64_t pa, uint64_t mem_bytes, GError **error)
{
    if (mem_bytes == 0)
        return TRUE;
    if (out->count == SIM_KERNEL_SEGMENTS_MAX)
        return fail(error, f, "more than %u segments to load", SIM_KERNEL_SEGMENTS_MAX);
    if (file_bytes > mem_bytes)
        return fail(error, f, "damaged ELF file: a segment is larger in the file than in memory");
    if (!bytes_at(f, offset, file_bytes))
        return fail(error, f,
                    "truncated: a segment needs %" PRIu64 " bytes at offset %" PRIu64
                    ", the file has %zu bytes",
                    file_bytes, offset, f->size_bytes);
    if (pa > UINT32_MAX || mem_bytes > (1ull << 32) - pa || mem_bytes > UINT32_MAX)
        return fail(error, f,
                    "a segment of %" PRIu64 " bytes at physical address 0x%" PRIx64
                    " ends beyond 4 GiB",
                    mem_bytes, pa);
    out->segment[out->count++] = (struct sim_kernel_segment){(size_t)offset, (size_t)file_bytes,
                                                             (uint32_t)pa, (uint32_t)mem_bytes};
    return TRUE;
}

/* Flag 16: a flat image described by the header's own addresses. */
static gboolean parse_flat(struct sim_kernel *out, const struct file *f, const uint8_t *header,
                           GError **error)
{
    size_t at = (size_t)(header - f->data);
    uint32_t header_addr, load, load_end, bss_end;
    uint64_t offset, file_bytes;

    if (at + HEADER_FULL_BYTES > MIN(f->size_bytes, HEADER_SEARCH_BYTES))
        return fail(error, f, "truncated: the Multiboot header is cut off");
    header_addr = word_at(header + 12);
    load = word_at(header + 16);
    load_end = word_at(header + 20);
    bss_end = word_at(header + 24);
    out->entry = word_at(header + 28);
    if (load > header_addr || header_addr - load > at)
        return fail(error, f, "the Multiboot header's load address 0x%x lies outside the file",
                    load);
    offset = at - (header_addr - load);
    file_bytes = load_end ? (uint64_t)load_end - load : f->size_bytes - offset;
    if (load_end && load_end <= load)
        return fail(error, f, "the Multiboot header's load end 0x%x is not above its load address",
                    load_end);
    if (bss_end && bss_end < load + file_bytes)
        return fail(error, f, "the Multiboot header's bss end 0x%x lies below its load end",
                    bss_end);
    return add_segment(out, f, offset, file_bytes, load,
                       bss_end ? (uint64_t)bss_end - load : file_bytes, error);
}

/* --- ELF ----------------------------------------------------------------------------------- */

/* The fields of either class that matter. */
struct elf_header {
    uint64_t entry, phoff;
    unsigned phentsize, phnum;
};
struct elf_segment {
    uint64_t offset, vaddr, paddr, filesz, memsz;
    uint32_t type;
};

static bool is_elf(const struct file *f)
{
    return f->size_bytes >= EI_NIDENT && memcmp(f->data, ELFMAG, SELFMAG) == 0;
}

static gboolean read_header(const struct file *f, bool *is64, struct elf_header *h, GError **error)
{
    const uint8_t *ident = f->data;
    unsigned machine, type;

    if (!is_elf(f))
        return fail(error, f, "not an ELF file, and its Multiboot header gives no load addresses");
    *is64 = ident[EI_CLASS] == ELFCLASS64;
    if (ident[EI_DATA] != ELFDATA2LSB || (!*is64 && ident[EI_CLASS] != ELFCLASS32))
        return fail(error, f, "an ELF file of a wrong class or byte order");
    if (*is64) {
        const void *p = bytes_at(f, 0, sizeof(Elf64_Ehdr));
        Elf64_Ehdr e = {0};

        if (!p)
            return fail(error, f, "truncated: the ELF header is cut off");
        memcpy(&e, p, sizeof(e));
        *h = (struct elf_header){e.e_entry, e.e_phoff, e.e_phentsize, e.e_phnum};
        machine = e.e_machine;
        type = e.e_type;
    } else {
        const void *p = bytes_at(f, 0, sizeof(Elf32_Ehdr));
        Elf32_Ehdr e = {0};

        if (!p)
            return fail(error, f, "truncated: the ELF header is cut off");
        memcpy(&e, p, sizeof(e));
        *h = (struct elf_header){e.e_entry, e.e_phoff, e.e_phentsize, e.e_phnum};
        machine = e.e_machine;
        type = e.e_type;
    }
    if ((machine != EM_386 && machine != EM_X86_64) || type != ET_EXEC)
        return fail(error, f, "not an executable ELF file for x86 (machine %u, type %u)", machine,
                    type);
    if (h->phentsize != (*is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return fail(error, f, "damaged ELF file: program header entries of %u bytes", h->phentsize);
    return TRUE;
}

static void read_segment(const uint8_t *p, bool is64, struct elf_segment *out)
{
    if (is64) {
        Elf64_Phdr h;

        memcpy(&h, p, sizeof(h));
        *out =
            (struct elf_segment){h.p_offset, h.p_vaddr, h.p_paddr, h.p_filesz, h.p_memsz, h.p_type};
    } else {
        Elf32_Phdr h;

        memcpy(&h, p, sizeof(h));
        *out =
            (struct elf_segment){h.p_offset, h.p_vaddr, h.p_paddr, h.p_filesz, h.p_memsz, h.p_type};
    }
}

/* An entry point that is a linked (virtual) address is entered at where that was loaded. */
static uint64_t physical_entry(uint64_t entry, const struct elf_segment *s, bool *found)
{
    if (*found || entry < s->vaddr || entry - s->vaddr >= s->memsz)
        return entry;
    *found = true;
    return s->paddr + (entry - s->vaddr);
}

static gboolean parse_elf(struct sim_kernel *out, const struct file *f, GError **error)
{
    struct elf_header h = {0};
    bool is64 = false, found = false;
    const uint8_t *table;
    uint64_t entry;

    if (!read_header(f, &is64, &h, error))
        return FALSE;
    table = bytes_at(f, h.phoff, (uint64_t)h.phnum * h.phentsize);
    if (!table)
        return fail(error, f, "truncated: the ELF program headers are cut off");
    entry = h.entry;
    for (unsigned i = 0; i < h.phnum; i++) {
        struct elf_segment s;

        read_segment(table + (size_t)i * h.phentsize, is64, &s);
        if (s.type != PT_LOAD)
            continue;
        if (!add_segment(out, f, s.offset, s.filesz, s.paddr, s.memsz, error))
            return FALSE;
        entry = physical_entry(entry, &s, &found);
    }
    if (entry > UINT32_MAX)
        return fail(error, f, "the entry point 0x%" PRIx64 " lies beyond 4 GiB", entry);
    out->entry = (uint32_t)entry;
    return TRUE;
}

/* --- the whole --------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct sim_kernel_segment *x = a, *y = b;

    return (x->pa > y->pa) - (x->pa < y->pa);
}

static gboolean check_segments(struct sim_kernel *k, const struct file *f, GError **error)
{
    bool entry_inside = false;

    if (k->count == 0)
        return fail(error, f, "nothing to load");
    qsort(k->segment, k->count, sizeof(k->segment[0]), by_address);
    for (unsigned i = 0; i < k->count; i++) {
        const struct sim_kernel_segment *s = &k->segment[i];

        if (i > 0 && s[-1].mem_bytes > s->pa - s[-1].pa)
            return fail(error, f, "segments overlap at physical address 0x%x", s->pa);
        entry_inside |= k->entry >= s->pa && k->entry - s->pa < s->mem_bytes;
    }
    if (!entry_inside)
        return fail(error, f, "the entry point 0x%x lies outside what is loaded", k->entry);
    return TRUE;
}

gboolean sim_kernel_parse(const char *name, const uint8_t *data, size_t size_bytes,
                          struct sim_kernel *out, GError **error)
{
    struct file f = {name, data, size_bytes};
    const uint8_t *header = find_header(&f);
    gboolean ok;

    memset(out, 0, sizeof(*out));
    if (!header)
        return fail(error, &f, "not a Multiboot 1 kernel (no header in its first 8 KiB)%s",
                    is_elf(&f) ? "" : ", nor an ELF file");
    out->flags = word_at(header + 4);
    if (out->flags & FLAGS_REQUIRED & ~FLAGS_KNOWN)
        return fail(error, &f,
                    "its Multiboot header requires features 0x%x, which do not exist here",
                    out->flags & FLAGS_REQUIRED & ~FLAGS_KNOWN);
    ok = out->flags & FLAG_ADDRESSES ? parse_flat(out, &f, header, error)
                                     : parse_elf(out, &f, error);
    return ok && check_segments(out, &f, error);
}
