/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One loop for the three formats of paging.
 *
 *              levels  entry  index bits   page sizes
 *   32-bit        2      4      10 10      4 MiB (CR4.PSE), 4 KiB
 *   PAE           3      8       2 9 9     2 MiB, 4 KiB
 *   4-level       4      8     9 9 9 9     1 GiB, 2 MiB, 4 KiB
 *
 *   63        51          12 11   9  8  7  6  5  4   3   2   1   0
 *   | NX | ign | frame number | avl | G| PS| D| A|PCD|PWT|U/S|R/W| P |
 *
 * Accessed bits are written after all permissions have been found good, so a walk
 * that faults changes nothing (SDM 3A 4.8 leaves that open; this is the choice that
 * does not depend on what a TLB holds).
 */
#include "mmu/walk.h"

#include <string.h>

#define PTE_P 1ull
#define PTE_RW 2ull
#define PTE_US 4ull
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_PS 0x80ull
#define PTE_G 0x100ull
#define PTE_NX (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull

#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

#define ERR_P 1u
#define ERR_W 2u
#define ERR_U 4u
#define ERR_RSVD 8u
#define ERR_I 16u

/* Physical address width of the CPU models; bits above are reserved in entries. */
#define PHYS_BITS 40
#define RSVD_HIGH (((1ull << 52) - 1) & ~((1ull << PHYS_BITS) - 1))

enum format { FORMAT_32, FORMAT_PAE, FORMAT_4LEVEL };

static enum format format_of(const struct mmu_regs *regs)
{
    if (!(regs->cr4 & CR4_PAE))
        return FORMAT_32;
    return regs->efer & EFER_LMA ? FORMAT_4LEVEL : FORMAT_PAE;
}

static bool user_mode(const struct mmu_regs *regs)
{
    return regs->cpl == 3 && !regs->implicit;
}

static uint32_t error_code(const struct mmu_regs *regs, unsigned access, uint32_t why)
{
    bool nx_counts = (regs->efer & EFER_NXE) || (regs->cr4 & CR4_SMEP);

    if (access & MMU_WRITE)
        why |= ERR_W;
    if (user_mode(regs))
        why |= ERR_U;
    if ((access & MMU_FETCH) && nx_counts)
        why |= ERR_I;
    return why;
}

/* Bits that must be zero in a present entry (SDM 3A tables 4-4 to 4-20). */
static bool reserved_bits_set(const struct mmu_regs *regs, enum format format, unsigned shift,
                              bool top_of_pae, bool leaf, uint64_t pte)
{
    if (format == FORMAT_32)
        return leaf && shift == 22 && (pte & (1ull << 21));
    if (top_of_pae)
        return (pte & (RSVD_HIGH | (0x7ffull << 52) | PTE_NX | 0x1e6ull)) != 0;
    if (pte & RSVD_HIGH)
        return true;
    if (format == FORMAT_PAE && (pte & (0x7ffull << 52)))
        return true;
    if ((pte & PTE_NX) && !(regs->efer & EFER_NXE))
        return true;
    if (shift == 39 && (pte & PTE_PS))
        return true;
    /* between the PAT bit (12) and the frame of a large page */
    return leaf && shift > 12 && (pte & ((1ull << shift) - 1) & ~0x1fffull);
}

/* Rights of the whole walk for this privilege (SDM 3A 4.6.1). */
static void set_rights(const struct mmu_regs *regs, bool us, bool rw, bool nx,
                       struct mmu_translation *out)
{
    if (user_mode(regs)) {
        out->readable = us;
        out->writable = us && rw;
        out->executable = us && !nx;
        return;
    }
    out->readable = !us || !(regs->cr4 & CR4_SMAP) || (regs->ac && !regs->implicit);
    out->writable = out->readable && (rw || !(regs->cr0 & CR0_WP));
    out->executable = !nx && !(us && (regs->cr4 & CR4_SMEP));
}

static bool access_allowed(const struct mmu_translation *t, unsigned access)
{
    if (access & MMU_ANY)
        return true;
    if (access & MMU_WRITE)
        return t->writable;
    return access & MMU_FETCH ? t->executable : t->readable;
}

/* Inline: millions of walks a second begin after each load of CR3. */
static inline bool read_entry(const struct mmu_ram *ram, uint64_t pa, unsigned entry_bytes,
                              uint64_t *pte)
{
    uint32_t half;

    if (!mmu_ram_has(ram, pa, entry_bytes))
        return false;
    if (entry_bytes == 8) {
        memcpy(pte, ram->host + pa, 8);
    } else {
        memcpy(&half, ram->host + pa, 4);
        *pte = half;
    }
    return true;
}

static void write_entry(struct mmu_ram *ram, uint64_t pa, uint64_t value, unsigned entry_bytes)
{
    mmu_ram_write(ram, GPA(pa), &value, entry_bytes);
}

static void set_accessed_dirty(struct mmu_ram *ram, unsigned access, bool pae_format,
                               unsigned entry_bytes, struct mmu_translation *out)
{
    for (unsigned i = 0; i < out->levels; i++) {
        bool leaf = i + 1u == out->levels;
        uint64_t want = out->pte[i] | PTE_A | (leaf && (access & MMU_WRITE) ? PTE_D : 0);

        if (pae_format && i == 0)
            continue; /* PDPTEs have neither */
        if (want == out->pte[i])
            continue;
        out->pte[i] = want;
        write_entry(ram, out->pte_pa[i], want, entry_bytes);
    }
}

static enum mmu_status no_paging(gva_t va, struct mmu_translation *out)
{
    out->pa.v = va.v & 0xffffffffull;
    out->page_size_bytes = PAGE_SIZE;
    out->readable = out->writable = out->executable = out->dirty = true;
    return MMU_OK;
}

static enum mmu_status fault(const struct mmu_regs *regs, unsigned access, uint32_t why,
                             struct mmu_translation *out)
{
    out->error_code = error_code(regs, access, why);
    return MMU_FAULT;
}

static bool is_leaf(enum format format, const struct mmu_regs *regs, unsigned shift, uint64_t pte)
{
    if (shift == 12)
        return true;
    if (!(pte & PTE_PS))
        return false;
    if (format == FORMAT_32)
        return (regs->cr4 & CR4_PSE) != 0;
    return shift == 21 || (format == FORMAT_4LEVEL && shift == 30);
}

static uint64_t leaf_base(enum format format, unsigned shift, uint64_t pte)
{
    if (format == FORMAT_32 && shift == 22) /* PSE-36: bits 20:13 are address bits 39:32 */
        return (pte & 0xffc00000ull) | ((pte & 0x1fe000ull) << 19);
    return pte & PTE_FRAME & ~((1ull << shift) - 1);
}

enum mmu_status mmu_walk(struct mmu_ram *ram, const struct mmu_regs *regs, gva_t va,
                         unsigned access, struct mmu_translation *out)
{
    static const uint8_t top_shift[] = {22, 30, 39};
    enum format format = format_of(regs);
    unsigned entry_bytes = format == FORMAT_32 ? 4 : 8;
    unsigned index_bits = format == FORMAT_32 ? 10 : 9;
    unsigned shift = top_shift[format];
    bool us = true, rw = true, nx = false;
    uint64_t table, pte;

    memset(out, 0, sizeof(*out));
    if (!(regs->cr0 & CR0_PG))
        return no_paging(va, out);
    if (format != FORMAT_4LEVEL)
        va.v &= 0xffffffffull;
    else if ((uint64_t)((int64_t)(va.v << 16) >> 16) != va.v)
        return MMU_NONCANONICAL;
    table = format == FORMAT_PAE ? regs->cr3 & 0xffffffe0ull
            : format == FORMAT_32 ? regs->cr3 & 0xfffff000ull
                                  : regs->cr3 & PTE_FRAME;
    for (;; shift -= index_bits) {
        bool top_of_pae = format == FORMAT_PAE && shift == 30;
        uint64_t at = table + ((va.v >> shift) & ((1u << index_bits) - 1)) * entry_bytes;
        bool leaf;

        pte = 0;
        if (top_of_pae && regs->pdpte)
            pte = regs->pdpte[va.v >> 30];
        else if (!read_entry(ram, at, entry_bytes, &pte))
            return MMU_BUS;
        out->pte[out->levels] = pte;
        out->pte_pa[out->levels++] = at;
        if (!(pte & PTE_P))
            return fault(regs, access, 0, out);
        leaf = !top_of_pae && is_leaf(format, regs, shift, pte);
        if (reserved_bits_set(regs, format, shift, top_of_pae, leaf, pte))
            return fault(regs, access, ERR_P | ERR_RSVD, out);
        if (!top_of_pae) {
            us = us && (pte & PTE_US);
            rw = rw && (pte & PTE_RW);
            nx = nx || (entry_bytes == 8 && (pte & PTE_NX));
        }
        if (leaf)
            break;
        table = pte & (entry_bytes == 4 ? 0xfffff000ull : PTE_FRAME);
    }
    set_rights(regs, us, rw, nx, out);
    if (!access_allowed(out, access))
        return fault(regs, access, ERR_P, out);
    if (!(access & MMU_PROBE))
        set_accessed_dirty(ram, access, format == FORMAT_PAE, entry_bytes, out);
    pte = out->pte[out->levels - 1];
    out->page_size_bytes = 1ull << shift;
    out->pa.v = leaf_base(format, shift, pte) | (va.v & ((1ull << shift) - 1));
    out->dirty = (pte & PTE_D) != 0;
    out->global = (pte & PTE_G) && (regs->cr4 & CR4_PGE);
    return MMU_OK;
}
