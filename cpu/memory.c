/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as the loaded vCPU sees it, for what the simulator does in its place:
 * delivery pushes, descriptor tables, emulated instructions.
 */
#include <string.h>

#include "cpu/engine.h"

static bool raise_gp_or_ss(bool stack, struct cpu_exc *exc)
{
    *exc = (struct cpu_exc){.vector = stack ? EXC_SS : EXC_GP, .has_error = true};
    return false;
}

static void regs_for(struct cpu *c, enum cpu_mem_how how, struct mmu_regs *regs)
{
    cpu_mmu_regs(c, c->current, regs);
    switch (how) {
    case CPU_MEM_EXPLICIT:
        break;
    case CPU_MEM_IMPLICIT:
        regs->implicit = true;
        break;
    case CPU_MEM_SUPERVISOR:
        regs->cpl = 0;
        regs->implicit = true; /* pushes of a delivery are implicit for SMAP (SDM 3A 4.6.1) */
        break;
    case CPU_MEM_USER:
        regs->cpl = 3;
        break;
    }
}

static bool translate(struct cpu *c, const struct mmu_regs *regs, uint64_t va, unsigned access,
                      bool stack, uint64_t *pa, struct cpu_exc *exc)
{
    struct mmu_translation t;

    switch (mmu_walk(c->ram, regs, GVA(va), access, &t)) {
    case MMU_OK:
        *pa = t.pa.v;
        return true;
    case MMU_FAULT:
        *exc = (struct cpu_exc){
            .vector = EXC_PF, .has_error = true, .error = t.error_code, .cr2 = va};
        return false;
    case MMU_NONCANONICAL:
        return raise_gp_or_ss(stack, exc);
    case MMU_BUS:
        cpu_set_crash(c, "page tables outside RAM: entry at %#" G_GINT64_MODIFIER
                         "x for linear address %#" G_GINT64_MODIFIER "x",
                      t.levels ? t.pte_pa[t.levels - 1] : 0, va);
        break;
    }
    *exc = (struct cpu_exc){.vector = EXC_GP, .has_error = true};
    return false;
}

static uint64_t wrap(struct cpu *c, uint64_t va)
{
    return cpu_code_mode(c->env) == CPU_MODE_64 || (c->env->hflags & HF_LMA) ? va
                                                                             : va & 0xffffffffull;
}

unsigned cpu_mem_split(struct cpu *c, uint64_t va, size_t size, enum cpu_mem_how how,
                       unsigned access, bool stack, struct cpu_piece out[CPU_PIECES_MAX],
                       struct cpu_exc *exc)
{
    struct mmu_regs regs;
    unsigned n = 0;

    BASE_ASSERT(size > 0 && size <= (CPU_PIECES_MAX - 1) * PAGE_SIZE);
    regs_for(c, how, &regs);
    for (size_t done = 0; done < size; n++) {
        uint64_t at = wrap(c, va + done);
        size_t room = PAGE_SIZE - (at & PAGE_MASK);

        out[n].size = MIN(room, size - done);
        if (!translate(c, &regs, at, access, stack, &out[n].pa, exc))
            return 0;
        out[n].is_ram = mmu_ram_has(c->ram, out[n].pa, out[n].size);
        done += out[n].size;
    }
    return n;
}

void cpu_mem_device(struct cpu *c, uint64_t pa, uint8_t *data, size_t size, bool write)
{
    while (size) {
        unsigned n = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
        uint64_t v = 0;

        while (n > 1 && (pa & PAGE_MASK) + n > PAGE_SIZE)
            n /= 2;
        if (write) {
            memcpy(&v, data, n);
            c->bus.mmio_write(c->bus.user, c->current, GPA(pa), n, v);
        } else {
            v = c->bus.mmio_read(c->bus.user, c->current, GPA(pa), n);
            memcpy(data, &v, n);
        }
        if (c->probe && c->probe->mmio) {
            struct base_probe_at at;

            cpu_probe_at(c, &at);
            c->probe->mmio(c->probe->user, &at, pa, n, write, v);
        }
        pa += n;
        data += n;
        size -= n;
    }
}

bool cpu_mem_read(struct cpu *c, uint64_t va, void *data, size_t size, enum cpu_mem_how how,
                  bool stack, struct cpu_exc *exc)
{
    struct cpu_piece p[CPU_PIECES_MAX];
    unsigned n = cpu_mem_split(c, va, size, how, MMU_READ, stack, p, exc);
    uint8_t *to = data;

    for (unsigned i = 0; i < n; to += p[i].size, i++) {
        if (p[i].is_ram)
            memcpy(to, c->ram->host + p[i].pa, p[i].size);
        else
            cpu_mem_device(c, p[i].pa, to, p[i].size, false);
    }
    return n != 0;
}

bool cpu_mem_write(struct cpu *c, uint64_t va, const void *data, size_t size,
                   enum cpu_mem_how how, bool stack, struct cpu_exc *exc)
{
    struct cpu_piece p[CPU_PIECES_MAX];
    unsigned n = cpu_mem_split(c, va, size, how, MMU_WRITE, stack, p, exc);
    const uint8_t *from = data;

    for (unsigned i = 0; i < n; from += p[i].size, i++) {
        if (p[i].is_ram)
            mmu_ram_write(c->ram, GPA(p[i].pa), from, p[i].size);
        else
            cpu_mem_device(c, p[i].pa, (uint8_t *)from, p[i].size, true);
    }
    return n != 0;
}

/* A writer may have translated entries of the range already: walk with PROBE first, so that a
 * fault on the second page leaves the first page's D bit alone. */
bool cpu_mem_probe_write(struct cpu *c, uint64_t va, size_t size, enum cpu_mem_how how, bool stack,
                         struct cpu_exc *exc)
{
    struct cpu_piece p[CPU_PIECES_MAX];

    return cpu_mem_split(c, va, size, how, MMU_WRITE | MMU_PROBE, stack, p, exc) != 0;
}
