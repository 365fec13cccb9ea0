/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guests for fuzz_guest: what one seed puts into the RAM of a machine of 4 MiB.
 *
 *    0x000000  real-mode vector table          0x110000  page tables (16 pages)
 *    0x020000  16-bit code (also SIPI page)    0x120000  stacks
 *    0x100000  set-up code, the entry point    0x130000  code
 *    0x104000  GDT, IDT, TSS                   0x140000  data
 *    0x10a000  handlers                        0x200000  more data
 *
 * The set-up code loads tables and control registers and goes by IRET to one of seven modes;
 * what runs there is a mixture of random bytes and of instructions chosen to matter.
 */
#ifndef PARAVANE_TESTS_FUZZ_GUEST_GEN_H
#define PARAVANE_TESTS_FUZZ_GUEST_GEN_H

#include "mmu/ram.h"

#define GUEST_RAM_BYTES (4u << 20)
#define GUEST_ENTRY     0x100000u
/* Who gets lost comes back by way of #UD: 0F 0F is none of this CPU's instructions. */
#define GUEST_FILL      0x0f

enum guest_mode {
    GUEST_REAL,
    GUEST_VM86,
    GUEST_PM16,
    GUEST_PM32,
    GUEST_COMPAT16,
    GUEST_COMPAT32,
    GUEST_LONG,
    GUEST_MODES
};

struct guest_facts {
    enum guest_mode mode;
    unsigned ring;
    unsigned paging; /* 0 none, 1 32-bit, 2 PAE, 3 four levels */
};

/** guest_prepare - what all guests have in common: RAM full of invalid instructions. */
void guest_prepare(struct mmu_ram *ram);

/** guest_generate - put the guest of @seed into prepared @ram; @cpus: of the machine. */
struct guest_facts guest_generate(struct mmu_ram *ram, uint64_t seed, unsigned cpus);
const char *guest_mode_name(enum guest_mode mode);

#endif
