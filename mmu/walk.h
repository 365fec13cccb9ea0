/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page walk: linear to guest-physical, with the architecture's faults.
 *
 * One walker serves the CPU (with accessed and dirty bits), exception delivery,
 * tracers and debuggers (MMU_PROBE: no side effects at all).
 */
#ifndef PARAVANE_MMU_WALK_H
#define PARAVANE_MMU_WALK_H

#include "mmu/ram.h"
#include "sim/base/types.h"

/* What a walk depends on besides memory. */
struct mmu_regs {
    uint64_t cr0, cr3, cr4, efer;
    uint8_t cpl;
    bool ac;       /* RFLAGS.AC, for SMAP */
    bool implicit; /* implicit supervisor access: descriptor tables, TSS (SDM 3A 4.6) */
    const uint64_t *pdpte; /* the four registers of PAE paging (SDM 3A 4.4.1); NULL: from memory */
};

enum mmu_access {
    MMU_READ = 1,
    MMU_WRITE = 2,
    MMU_FETCH = 4,
    MMU_PROBE = 8, /* added: sets no A/D bit; permissions are still checked */
    MMU_ANY = 16,  /* added: ignores permissions (debuggers): only presence counts */
};

enum mmu_status {
    MMU_OK,
    MMU_FAULT,        /* #PF with out->error_code */
    MMU_NONCANONICAL, /* #GP(0), or #SS(0) for a stack access */
    MMU_BUS,          /* a paging structure lies outside RAM */
};

struct mmu_translation {
    gpa_t pa;
    uint64_t page_size_bytes; /* 4 KiB, 2 MiB, 4 MiB, 1 GiB */
    uint32_t error_code;      /* of #PF, guest-visible */
    uint8_t levels;           /* entries read: pte[0] is the top level */
    bool readable, writable, executable; /* for the privilege of the access, D bit not counted */
    bool dirty;               /* the leaf's D bit after this walk */
    bool global;              /* G in the leaf and CR4.PGE */
    uint64_t pte[4];          /* raw, after A/D updates */
    uint64_t pte_pa[4];       /* where they lie */
};

/**
 * mmu_walk - translate one linear address.
 * @ram:    guest memory; A and D bits are written unless MMU_PROBE.
 * @regs:   borrowed for the call.  Without CR0.PG the linear address is the physical one.
 * @va:     linear byte address, any alignment.
 * @access: exactly one of READ, WRITE, FETCH; optionally with PROBE and ANY.
 * @out:    fully written on MMU_OK; on MMU_FAULT error_code, levels and pte[] of what was read.
 * Returns: see enum mmu_status.
 * Source:  Intel SDM 3A 4.3 (32-bit), 4.4 (PAE), 4.5 (4-level), 4.6, 4.7, 4.8.
 */
enum mmu_status mmu_walk(struct mmu_ram *ram, const struct mmu_regs *regs, gva_t va,
                         unsigned access, struct mmu_translation *out);

#endif
