/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain 0: its memory, its image and its first page tables. */

#include "hv/apic.h"
#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/lib.h"
#include "hv/mm.h"

#include <elf.h>
#include <xen/elfnote.h>

struct image {
    const Elf64_Ehdr *elf;
    u64 size;
    u64 virt_base, paddr_offset, entry, hypercall_page;
    bool has_page, has_version;
    u64 start, end;		/* virtual */
};

/* PFN to MFN while it is built: pages of 512 numbers. */
static u64 *leaves[64][512];
static u64 pfn_mfn(u64 pfn) { return leaves[pfn >> 18][pfn >> 9 & 511][pfn & 511]; }
static void *pfn_va(u64 pfn) { return hv_mfn_va(pfn_mfn(pfn)); }

static HV_COLD void note(struct image *m, u32 type, const u8 *data, u32 size)
{
    u64 n = 0;
    if (size <= 8)
        memcpy(&n, data, size);
    switch (type) {
    case XEN_ELFNOTE_ENTRY: m->entry = n; break;
    case XEN_ELFNOTE_HYPERCALL_PAGE: m->hypercall_page = n; m->has_page = true; break;
    case XEN_ELFNOTE_VIRT_BASE: m->virt_base = n; break;
    case XEN_ELFNOTE_PADDR_OFFSET: m->paddr_offset = n; break;
    case XEN_ELFNOTE_XEN_VERSION: m->has_version = size >= 7 && !memcmp(data, "xen-3.0", 7); break;
    }
}

static HV_COLD bool notes(struct image *m, u64 offset, u64 size)
{
    const u8 *p = (const u8 *)m->elf + offset, *end = p + size;
    bool found = false;
    if (offset > m->size || size > m->size - offset)
        hv_panic("domain 0: a note lies outside of the file");
    while (end - p >= 12) {
        u32 name, data, type;
        memcpy(&name, p, 4);
        memcpy(&data, p + 4, 4);
        memcpy(&type, p + 8, 4);
        u64 space = (((u64)name + 3) & ~3ull) + (((u64)data + 3) & ~3ull);
        if (space > (u64)(end - p) - 12)
            break;
        if (name == 4 && !memcmp(p + 12, "Xen", 4)) {
            note(m, type, p + 12 + ((name + 3) & ~3u), data);
            found = true;
        }
        p += 12 + space;
    }
    return found;
}

static HV_COLD void parse(struct image *m)
{
    const Elf64_Ehdr *e = m->elf;
    bool found = false;
    u64 low = ~0ull, high = 0;
    if (m->size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, 4) || e->e_ident[EI_CLASS] != ELFCLASS64 ||
        e->e_machine != EM_X86_64 || e->e_phentsize != sizeof(Elf64_Phdr) ||
        e->e_phoff > m->size || e->e_phnum * sizeof(Elf64_Phdr) > m->size - e->e_phoff)
        hv_panic("domain 0: the module is no 64-bit ELF image");
    const Elf64_Phdr *ph = (const void *)((const char *)e + e->e_phoff);
    m->entry = e->e_entry;
    for (u32 i = 0; i < e->e_phnum; i++)
        if (ph[i].p_type == PT_NOTE && ph[i].p_offset)
            found |= notes(m, ph[i].p_offset, ph[i].p_filesz);
    if (!found && e->e_shoff && e->e_shoff < m->size && e->e_shnum * sizeof(Elf64_Shdr) <= m->size - e->e_shoff) {
        const Elf64_Shdr *sh = (const void *)((const char *)e + e->e_shoff);
        for (u32 i = 0; i < e->e_shnum; i++)
            if (sh[i].sh_type == SHT_NOTE)
                found |= notes(m, sh[i].sh_offset, sh[i].sh_size);
    }
    if (!found || !m->has_version)
        hv_panic("domain 0: not a Xen PV kernel (no ELF notes of version xen-3.0)");
    for (u32 i = 0; i < e->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD) {
            if (ph[i].p_offset > m->size || ph[i].p_filesz > m->size - ph[i].p_offset || ph[i].p_filesz > ph[i].p_memsz)
                hv_panic("domain 0: a segment lies outside of the file");
            low = HV_MIN(low, ph[i].p_paddr);
            high = HV_MAX(high, ph[i].p_paddr + ph[i].p_memsz);
        }
    m->start = low + m->virt_base - m->paddr_offset;
    m->end = high + m->virt_base - m->paddr_offset;
    if (low >= high || m->entry < m->start || m->entry > m->end || m->virt_base > m->start || (m->virt_base & 0xfff))
        hv_panic("domain 0: its addresses make no sense");
}

static HV_COLD void get_memory(struct hv_domain *d, u64 n)
{
    d->max_pages = n;
    for (u64 pfn = 0; pfn < n; pfn++) {
        if (!(pfn & 511) && !(leaves[pfn >> 18][pfn >> 9 & 511] = hv_page_alloc()))
            hv_panic("domain 0: out of memory");
        struct hv_frame *f = hv_frame_alloc(d);
        if (!f)
            hv_panic("domain 0: dom0_mem is more than there is");
        hv_m2p[hv_frame_mfn(f)] = pfn;
        leaves[pfn >> 18][pfn >> 9 & 511][pfn & 511] = hv_frame_mfn(f);
    }
}

static void copy_to_pfns(u64 pa, const void *from, u64 size)
{
    while (size) {
        u64 n = HV_MIN(size, HV_PAGE_SIZE - (pa & 0xfff));
        memcpy((char *)pfn_va(pa >> 12) + (pa & 0xfff), from, n);
        pa += n, from = (const char *)from + n, size -= n;
    }
}

static u64 next_table, first_table, end_tables;

static u64 *lower(u64 *slot)
{
    if (!*slot) {
        HV_ASSERT(next_table < end_tables);
        *slot = pfn_mfn(next_table++) << 12 | HV_PTE_P | HV_PTE_RW | HV_PTE_US | HV_PTE_A | HV_PTE_D;
    }
    return hv_mfn_va(hv_pte_mfn(*slot));
}

static HV_COLD u64 count_tables(u64 from, u64 to)
{
    u64 n = 1;
    for (int shift = 21; shift <= 39; shift += 9)
        n += ((to - 1) >> shift) - (from >> shift) + 1;
    return n;
}

static HV_COLD void permissions(struct hv_domain *d)
{
    static const u16 ours[][2] = {{0x20, 0x21}, {0x40, 0x43}, {0x61, 0x61}, {0xa0, 0xa1}, {0x3f8, 0x3ff}, {0xcf9, 0xcf9}};
    hv_range_add(&d->io_ports, 0, 0xffff);
    for (u32 i = 0; i < HV_ARRAY_SIZE(ours); i++)
        hv_range_remove(&d->io_ports, ours[i][0], ours[i][1]);
    hv_range_add(&d->io_mem, 0, (1ull << 28) - 1);
    hv_range_remove(&d->io_mem, 0xfee00, 0xfee00);
    hv_range_remove(&d->io_mem, 0xfec00, 0xfec00);
    hv_range_add(&d->irqs, 1, HV_NR_GSI - 1);
}

/* Where things lie, in PFNs from virt_base. */
struct plan {
    u64 frames;		/* of the domain */
    u64 pages;		/* mapped at the start */
    u64 initrd, p2m, info, stack;
};

static void make_plan(struct plan *p, const struct image *m, const struct hv_boot_module *initrd)
{
    u64 at = (m->end - m->virt_base + 4095) >> 12, end;
    if (initrd) {
        p->initrd = at;
        at += (initrd->end - initrd->start + 4095) >> 12;
    }
    p->p2m = at;
    at += (p->frames * 8 + 4095) >> 12;
    p->info = at++;
    first_table = at;
    for (u64 guess = 4;; guess++) {
        end = ((at + guess + 1 + 128) * 4096 + m->virt_base + 0x3fffff) & ~0x3fffffull;
        if (count_tables(m->virt_base, end) <= guess) {
            next_table = at;
            end_tables = at += guess;
            break;
        }
    }
    p->stack = at;
    p->pages = (end - m->virt_base) >> 12;
    if (p->pages > p->frames)
        hv_panic("domain 0: dom0_mem is too small: %lu KiB are needed", p->pages * 4);
}

static void load(const struct plan *p, const struct image *m, const struct hv_boot_module *initrd)
{
    const Elf64_Phdr *ph = (const void *)((const char *)m->elf + m->elf->e_phoff);
    for (u32 i = 0; i < m->elf->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD)
            copy_to_pfns(ph[i].p_paddr - m->paddr_offset, (const char *)m->elf + ph[i].p_offset, ph[i].p_filesz);
    if (m->has_page && m->hypercall_page - m->virt_base < p->pages << 12)
        hv_hypercall_page_fill(pfn_va((m->hypercall_page - m->virt_base) >> 12));
    if (initrd)
        copy_to_pfns(p->initrd << 12, (void *)(HV_VA_DIRECT + initrd->start), initrd->end - initrd->start);
    for (u64 pfn = 0; pfn < p->frames; pfn++)
        ((u64 *)pfn_va(p->p2m + (pfn >> 9)))[pfn & 511] = pfn_mfn(pfn);
}

/* The L4 first, then as they are needed; tables are mapped read-only. */
static void make_tables(const struct plan *p, u64 virt_base)
{
    u64 *l4 = pfn_va(next_table++);
    for (u64 pfn = 0; pfn < p->pages; pfn++) {
        u64 va = virt_base + (pfn << 12);
        u64 *l1 = lower(&lower(&lower(&l4[va >> 39 & 511])[va >> 30 & 511])[va >> 21 & 511]);
        u64 rw = pfn >= first_table && pfn < end_tables ? 0 : HV_PTE_RW;
        l1[va >> 12 & 511] = pfn_mfn(pfn) << 12 | HV_PTE_P | HV_PTE_A | rw;
    }
}

static void fill_start_info(const struct plan *p, const struct hv_domain *d, u64 virt_base,
                            const struct hv_boot_module *initrd)
{
    struct start_info *s = pfn_va(p->info);
    memcpy(s->magic, "xen-3.0-x86_64p", 16);
    s->nr_pages = p->frames;
    s->shared_info = hv_va_mfn(d->shared) << 12;
    /* For the others their builder does this. */
    for (u32 i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        d->shared->vcpu_info[i].evtchn_upcall_mask = 1;
    s->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
    s->pt_base = virt_base + (first_table << 12);
    s->nr_pt_frames = end_tables - first_table;
    s->mfn_list = virt_base + (p->p2m << 12);
    if (initrd) {
        s->mod_start = virt_base + (p->initrd << 12);
        s->mod_len = initrd->end - initrd->start;
    }
    memcpy(s->cmd_line, hv_boot.module[0].cmdline, sizeof(s->cmd_line));
}

/* Its root is pinned, and loaded. */
static void start_vcpu(struct hv_vcpu *v, const struct plan *p, const struct image *m)
{
    struct hv_frame *root = hv_frame(pfn_mfn(first_table));
    int rc;
    while ((rc = hv_get_type(root, HV_TYPE_L4)) == -ERESTART)
        ;
    if (rc)
        hv_panic("domain 0: its page tables are refused: %d", rc);
    root->count++;
    root->flags |= HV_FRAME_PINNED;
    root->count++;		/* and as CR3 */
    root->type_count++;
    v->cr3 = hv_frame_mfn(root) << 12;
    v->flags = HV_VCPU_KERNEL;
    v->regs.rip = m->entry;
    v->regs.rsp = m->virt_base + ((p->stack + 1) << 12);
    v->regs.rsi = m->virt_base + (p->info << 12);
    v->regs.rflags = HV_FLAG_IF | 2;
    v->regs.cs = HV_SEL_GUEST_CS64;
    v->regs.ss = HV_SEL_GUEST_SS;
    v->kernel_ss = HV_SEL_GUEST_SS;
    v->kernel_sp = v->regs.rsp;
    v->initialised = true;
    v->hold &= ~HV_HOLD_DOWN;
}

void hv_dom0_build(void)
{
    struct hv_boot_module *kernel = &hv_boot.module[0], *initrd = hv_boot.nr_modules > 1 ? &hv_boot.module[1] : NULL;
    struct image m = {.elf = (void *)(HV_VA_DIRECT + kernel->start), .size = kernel->end - kernel->start};
    struct plan p = {.frames = hv_boot_number("dom0_mem", 0) >> 12};
    u32 vcpus = (u32)hv_boot_number("dom0_max_vcpus", 1);
    struct hv_domain *d;
    parse(&m);
    if (hv_domain_create(0, true, &d) || hv_domain_set_max_vcpus(d, vcpus))
        hv_panic("domain 0: out of memory");
    d->wanted_vcpus = vcpus;
    hv_dom0 = d;
    permissions(d);
    if (!p.frames)
        p.frames = hv_frames_free() / 2; /* the rest is for the domains it starts */
    p.frames = HV_MIN(p.frames, (64ull << 18) - 1);
    get_memory(d, p.frames);
    make_plan(&p, &m, initrd);
    load(&p, &m, initrd);
    make_tables(&p, m.virt_base);
    fill_start_info(&p, d, m.virt_base, initrd);
    start_vcpu(d->vcpu[0], &p, &m);
    d->max_pages = 0xffffffff;
    for (u64 pfn = 0; pfn < p.frames; pfn += 512)
        hv_page_free(leaves[pfn >> 18][pfn >> 9 & 511]);
    hv_printk("(HV) domain 0: %lu MiB, kernel %lx-%lx, entry %lx\n", p.frames >> 8, m.start, m.end, m.entry);
}
