/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/pvimage.h"

#include "guests/lib/elf.h"
#include "guests/lib/string.h"

#include <xen/elfnote.h>
#include <xen/features.h>

/* The largest guest-physical address of an image: more than any domain here can have. */
#define MAX_ADDRESS (1ul << 40)

struct parser {
    const u8 *file;
    size_t size_bytes;
    struct elf_header header;
    struct pv_image *out;
    const char *why;
    u64 paddr_offset;
    u32 supported, required; /* feature bits */
    bool any_note, entry_given, loader_known, version_known;
};

static bool bad(struct parser *p, const char *why)
{
    p->why = why;
    return false;
}

static bool inside(const struct parser *p, u64 offset, u64 size_bytes)
{
    return offset <= p->size_bytes && size_bytes <= p->size_bytes - offset;
}

/* ---- notes ---- */

/* The names of the feature bits that a 64-bit PV kernel may require. */
static bool feature_bit(const char *name, size_t n, u32 *bit)
{
    static const struct {
        const char *name;
        u32 bit;
    } features[] = {
        {"writable_page_tables", XENFEAT_writable_page_tables},
        {"writable_descriptor_tables", XENFEAT_writable_descriptor_tables},
        {"auto_translated_physmap", XENFEAT_auto_translated_physmap},
        {"supervisor_mode_kernel", XENFEAT_supervisor_mode_kernel},
        {"pae_pgdir_above_4gb", XENFEAT_pae_pgdir_above_4gb},
        {"hvm_callback_vector", XENFEAT_hvm_callback_vector},
        {"dom0", XENFEAT_dom0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(features); i++)
        if (strlen(features[i].name) == n && !strncmp(features[i].name, name, n)) {
            *bit = features[i].bit;
            return true;
        }
    return false;
}

static bool parse_features(struct parser *p, const char *text)
{
    while (*text) {
        const char *end = text;
        bool required = *text == '!';
        u32 bit;

        while (*end && *end != '|')
            end++;
        text += required;
        if (feature_bit(text, (size_t)(end - text), &bit)) {
            p->supported |= 1u << bit;
            p->required |= required ? 1u << bit : 0;
        } else if (required) {
            return bad(p, "it requires a feature that is not known");
        }
        text = *end ? end + 1 : end;
    }
    return true;
}

/* Number notes have 4 or 8 bytes, text notes end in a zero byte. */
static bool use_note(struct parser *p, u32 type, const u8 *desc, u32 desc_bytes)
{
    const char *text = desc_bytes && !desc[desc_bytes - 1] ? (const char *)desc : "";
    u64 number = 0;

    if (desc_bytes == 4 || desc_bytes == 8)
        memcpy(&number, desc, desc_bytes);
    p->any_note = true;
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        p->out->entry = number;
        p->entry_given = true;
        break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        p->out->hypercall_page = number;
        break;
    case XEN_ELFNOTE_VIRT_BASE:
        p->out->virt_base = number;
        break;
    case XEN_ELFNOTE_PADDR_OFFSET:
        p->paddr_offset = number;
        break;
    case XEN_ELFNOTE_XEN_VERSION:
        p->version_known = !strncmp(text, "xen-3.0", 7);
        break;
    case XEN_ELFNOTE_GUEST_OS:
        p->loader_known |= !strncmp(text, "linux", 5);
        break;
    case XEN_ELFNOTE_LOADER:
        p->loader_known |= !strncmp(text, "generic", 7);
        break;
    case XEN_ELFNOTE_INIT_P2M:
        p->out->init_p2m = number;
        break;
    case XEN_ELFNOTE_MOD_START_PFN:
        p->out->initrd_by_pfn = number != 0;
        break;
    case XEN_ELFNOTE_SUPPORTED_FEATURES:
        p->supported |= (u32)number;
        break;
    case XEN_ELFNOTE_FEATURES:
        return parse_features(p, text);
    default:
        break;
    }
    return true;
}

static bool parse_notes(struct parser *p, u64 offset, u64 size_bytes)
{
    const u8 *at = p->file + offset;

    while (size_bytes >= sizeof(struct elf_note)) {
        struct elf_note note;
        u64 name_bytes, desc_bytes;

        memcpy(&note, at, sizeof note);
        name_bytes = (note.namesz + 3ul) & ~3ul;
        desc_bytes = (note.descsz + 3ul) & ~3ul;
        if (name_bytes > size_bytes - sizeof note ||
            note.descsz > size_bytes - sizeof note - name_bytes)
            return bad(p, "an ELF note reaches beyond its segment");
        if (note.namesz == 4 && !memcmp(at + sizeof note, "Xen", 4) &&
            !use_note(p, note.type, at + sizeof note + name_bytes, note.descsz))
            return false;
        if (sizeof note + name_bytes + desc_bytes >= size_bytes)
            break;
        at += sizeof note + name_bytes + desc_bytes;
        size_bytes -= sizeof note + name_bytes + desc_bytes;
    }
    return true;
}

static bool find_notes(struct parser *p)
{
    for (u32 i = 0; i < p->header.phnum; i++) {
        struct elf_segment s;

        memcpy(&s, p->file + p->header.phoff + i * sizeof s, sizeof s);
        if (s.type != PT_NOTE || !s.offset)
            continue;
        if (!inside(p, s.offset, s.filesz))
            return bad(p, "a note segment reaches beyond the file");
        if (!parse_notes(p, s.offset, s.filesz))
            return false;
    }
    if (p->any_note || !p->header.shnum)
        return true;
    if (p->header.shentsize != sizeof(struct elf_section) ||
        !inside(p, p->header.shoff, (u64)p->header.shnum * sizeof(struct elf_section)))
        return bad(p, "its section table is broken");
    for (u32 i = 0; i < p->header.shnum; i++) {
        struct elf_section s;

        memcpy(&s, p->file + p->header.shoff + i * sizeof s, sizeof s);
        if (s.type != SHT_NOTE)
            continue;
        if (!inside(p, s.offset, s.size))
            return bad(p, "a note section reaches beyond the file");
        if (!parse_notes(p, s.offset, s.size))
            return false;
    }
    return true;
}

/* ---- segments ---- */

static bool load_segments(struct parser *p)
{
    struct pv_image *out = p->out;

    out->start = UINT64_MAX;
    for (u32 i = 0; i < p->header.phnum; i++) {
        struct elf_segment s;
        u64 address;

        memcpy(&s, p->file + p->header.phoff + i * sizeof s, sizeof s);
        if (s.type != PT_LOAD || !s.memsz)
            continue;
        if (out->segment_count == PV_IMAGE_MAX_SEGMENTS)
            return bad(p, "it has too many segments");
        if (!inside(p, s.offset, s.filesz) || s.filesz > s.memsz)
            return bad(p, "a segment reaches beyond the file");
        address = s.paddr - p->paddr_offset;
        if (s.paddr < p->paddr_offset || address > MAX_ADDRESS || s.memsz > MAX_ADDRESS - address)
            return bad(p, "a segment lies outside of what a domain can have");
        out->segments[out->segment_count++] =
            (struct pv_segment){p->file + s.offset, address, s.filesz, s.memsz};
        if (address < out->start)
            out->start = address;
        if (address + s.memsz > out->end)
            out->end = address + s.memsz;
    }
    return out->segment_count ? true : bad(p, "it has nothing to load");
}

static bool check(struct parser *p)
{
    const struct pv_image *out = p->out;
    u64 first = out->virt_base + out->start, last = out->virt_base + out->end;

    if (!p->any_note || !p->version_known || !p->loader_known)
        return bad(p, "it has no notes of a PV kernel");
    if (p->required & ~p->supported)
        return bad(p, "it requires a feature that it does not support");
    if (last < first || out->entry < first || out->entry >= last)
        return bad(p, "its entry lies outside of it");
    if (out->hypercall_page &&
        ((out->hypercall_page & ~PAGE_MASK) || out->hypercall_page < out->virt_base ||
         out->hypercall_page - out->virt_base >= MAX_ADDRESS))
        return bad(p, "its hypercall page lies outside of it");
    if (out->init_p2m >= first && out->init_p2m < last)
        return bad(p, "its p2m lies inside of it");
    return true;
}

bool pv_image_parse(const void *file, size_t size_bytes, struct pv_image *out, const char **why)
{
    struct parser p = {.file = file, .size_bytes = size_bytes, .out = out};
    bool good;

    *out = (struct pv_image){0};
    if (size_bytes < sizeof p.header || memcmp(file, "\177ELF\2\1", 6)) {
        *why = "it is not a little-endian ELF64 file";
        return false;
    }
    memcpy(&p.header, file, sizeof p.header);
    if (p.header.machine != EM_X86_64 || (p.header.type != ET_EXEC && p.header.type != ET_DYN))
        good = bad(&p, "it is not an x86-64 program");
    else if (p.header.phentsize != sizeof(struct elf_segment) ||
             !inside(&p, p.header.phoff, (u64)p.header.phnum * sizeof(struct elf_segment)))
        good = bad(&p, "its segment table is broken");
    else
        good = find_notes(&p) && load_segments(&p);
    if (good && !p.entry_given)
        out->entry = p.header.entry;
    good = good && check(&p);
    *why = p.why;
    return good;
}
