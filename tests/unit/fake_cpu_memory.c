/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulator needs beyond fake_cpu_env.c: the code mode, XMM registers, and a page walk
 * that sees the pages of the fake.
 */
#include <string.h>

#include "tests/unit/fake_cpu_env.h"

enum cpu_mode cpu_code_mode(const struct cpu_env *env)
{
    return env->hflags & HF_CS64 ? CPU_MODE_64 : env->hflags & HF_CS32 ? CPU_MODE_32 : CPU_MODE_16;
}

void engine_read_xmm(struct cpu *c, unsigned n, uint8_t value[16])
{
    memcpy(value, c->xmm[n], 16);
}

void cpu_flush_tlb(struct cpu *c)
{
    (void)c;
}

/* The fake's memory is in struct cpu. */
struct mmu_ram *cpu_get_ram(struct cpu *c)
{
    return (struct mmu_ram *)c;
}

enum mmu_status mmu_walk(struct mmu_ram *ram, const struct mmu_regs *regs, gva_t va,
                         unsigned access, struct mmu_translation *out)
{
    const struct cpu *c = (const struct cpu *)ram;
    uint8_t page = va.v < FAKE_MEMORY_BYTES ? c->page[va.v >> PAGE_SHIFT] : FAKE_ABSENT;
    bool write = access & MMU_WRITE, user = regs->cpl == 3;

    memset(out, 0, sizeof(*out));
    out->pa = GPA(va.v);
    out->error_code = (write ? 2u : 0) | (user ? 4u : 0) | (page & FAKE_ABSENT ? 0 : 1u);
    if (page & FAKE_ABSENT || (write && page & FAKE_READ_ONLY) || (user && page & FAKE_SUPERVISOR))
        return MMU_FAULT;
    return MMU_OK;
}

bool mmu_ram_read(const struct mmu_ram *ram, gpa_t pa, void *data, size_t size_bytes)
{
    if (pa.v + size_bytes > FAKE_MEMORY_BYTES)
        return false;
    memcpy(data, ((const struct cpu *)ram)->memory + pa.v, size_bytes);
    return true;
}
