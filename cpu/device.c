/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions on device memory that the emulator (emulate_mem.c) does not know: shifts, CMPS and
 * SCAS, x87, MMX, SSE, far pointers and all the rest.
 *
 * The library executes them, one step, on scratch pages that stand for the device's.  What the
 * instruction reads is read from the device before, each operand once in its full width; what it
 * writes is written to the device when it is complete.  An instruction that faults writes nothing.
 *
 *    data_fault() -> device_step() -> parts: which bytes of which device
 *                                  -> cpu_step_native(): frames_fill() grants the scratch pages
 *                                        complete: device_commit()
 *
 * What an instruction finds by itself, descriptors and the TSS, is not among its operands: the page
 * is read whole, and what has changed of it is written back.  No real system has these on a device.
 */
#include <string.h>
#include <sys/mman.h>

#include "cpu/run.h"

bool device_init(struct cpu *c)
{
    void *host = mmap(NULL, 2 * CPU_SCRATCH_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    c->scratch.host = host == MAP_FAILED ? NULL : host;
    return c->scratch.host != NULL;
}

void device_fini(struct cpu *c)
{
    if (c->scratch.host)
        munmap(c->scratch.host, 2 * CPU_SCRATCH_PAGES * PAGE_SIZE);
}

/* Linear addresses above 4 GiB outside 64-bit mode are the library's way to wrap. */
static uint64_t page_of(const struct cpu *c, uint64_t va)
{
    return (c->env->hflags & HF_CS64 ? va : va & 0xffffffff) >> PAGE_SHIFT;
}

bool device_scratch_page(struct cpu *c, uint64_t va, uint64_t *pa)
{
    for (unsigned i = 0; i < c->scratch.pages; i++) {
        if (c->scratch.page[i] != page_of(c, va))
            continue;
        *pa = CPU_SCRATCH_PA + i * PAGE_SIZE;
        return true;
    }
    return false;
}

/* The scratch page for linear @va; CPU_SCRATCH_PAGES: there are no more. */
static unsigned page_for(struct cpu *c, uint64_t va)
{
    struct cpu_scratch *s = &c->scratch;
    unsigned i = 0;

    while (i < s->pages && s->page[i] != page_of(c, va))
        i++;
    if (i == s->pages && i < CPU_SCRATCH_PAGES) {
        s->page[s->pages++] = page_of(c, va);
        memset(s->host + i * PAGE_SIZE, 0, PAGE_SIZE);
    }
    return i;
}

static bool add_part(struct cpu *c, uint64_t va, const struct cpu_piece *piece, bool read, bool write)
{
    struct cpu_scratch *s = &c->scratch;
    struct cpu_scratch_part *part = &s->part[s->parts];
    unsigned page = page_for(c, va);

    if (s->parts == CPU_SCRATCH_PARTS || page == CPU_SCRATCH_PAGES)
        return false;
    *part = (struct cpu_scratch_part){.pa = piece->pa,
                                      .size = (uint32_t)piece->size,
                                      .at = s->host + page * PAGE_SIZE + (piece->pa & PAGE_MASK),
                                      .read = read,
                                      .write = write};
    s->parts++;
    return true;
}

static bool on_stack(const struct cpu_insn *insn, const struct cpu_access *a)
{
    switch (a->at) {
    case CPU_ACCESS_PUSH:
    case CPU_ACCESS_POP:
    case CPU_ACCESS_BP:
    case CPU_ACCESS_BELOW_BP:
        return true;
    case CPU_ACCESS_OPERAND:
    case CPU_ACCESS_POPPED:
        return insn->segment == CPU_SS;
    default:
        return false;
    }
}

/* The parts of one operand.  Returns: false with *exc when the access faults. */
static bool add_operand(struct cpu *c, const struct cpu_insn *insn, const struct cpu_access *a,
                        struct cpu_exc *exc)
{
    struct cpu_piece piece[CPU_PIECES_MAX];
    uint64_t va = cpu_access_address(c, insn, a);
    unsigned n = cpu_mem_split(c, va, a->bytes, CPU_MEM_EXPLICIT,
                               (a->write ? MMU_WRITE : MMU_READ) | MMU_PROBE, on_stack(insn, a),
                               piece, exc);

    if (!n)
        return false;
    for (unsigned i = 0; i < n; va += piece[i].size, i++)
        if (!piece[i].is_ram)
            add_part(c, va, &piece[i], a->read, a->write);
    return true;
}

static bool add_operands(struct cpu *c, const struct cpu_insn *insn, struct cpu_exc *exc)
{
    struct cpu_access a[CPU_ACCESSES_MAX];
    uint8_t bytes[15];
    size_t size = cpu_fetch_bytes(c, c->current, cpu_linear_rip(c->env), bytes, sizeof(bytes));
    unsigned n = cpu_decode_accesses(cpu_code_mode(c->env), bytes, size, a);

    for (unsigned i = 0; i < n; i++)
        if (a[i].bytes && !add_operand(c, insn, &a[i], exc))
            return false;
    return true;
}

/* The page that the instruction needs without having it as an operand. */
static bool add_whole_page(struct cpu *c)
{
    struct cpu_piece piece = {.pa = c->fault.pa & ~PAGE_MASK, .size = PAGE_SIZE};

    return add_part(c, c->fault.va, &piece, true, true);
}

/* Before the instruction. */
static void read_parts(struct cpu *c, unsigned from)
{
    const struct cpu_scratch *s = &c->scratch;

    for (unsigned i = from; i < s->parts; i++) {
        const struct cpu_scratch_part *p = &s->part[i];

        if (p->read)
            cpu_mem_device(c, p->pa, p->at, p->size, false);
        memcpy(p->at + CPU_SCRATCH_PAGES * PAGE_SIZE, p->at, p->size);
    }
}

void device_commit(struct cpu *c)
{
    const struct cpu_scratch *s = &c->scratch;

    for (unsigned i = 0; i < s->parts; i++) {
        const struct cpu_scratch_part *p = &s->part[i];
        const uint8_t *before = p->at + CPU_SCRATCH_PAGES * PAGE_SIZE;

        if (!p->write)
            continue;
        if (p->size < PAGE_SIZE) {
            cpu_mem_device(c, p->pa, p->at, p->size, true);
            continue;
        }
        for (unsigned at = 0; at < PAGE_SIZE; at += 4)
            if (memcmp(p->at + at, before + at, 4) != 0)
                cpu_mem_device(c, p->pa + at, p->at + at, 4, true);
    }
    c->left -= c->config.mmio_cycles;
    c->scratch.parts = 0;
}

bool device_step(struct cpu *c, const struct cpu_insn *insn)
{
    bool again = c->scratch.pages != 0; /* the step below has come to one more page */
    unsigned parts = c->scratch.parts;
    struct cpu_exc exc;
    uint64_t pa;
    bool granted;

    if (!again && !add_operands(c, insn, &exc)) {
        c->scratch.pages = c->scratch.parts = 0;
        cpu_deliver_exception(c, exc);
        return true;
    }
    granted = (!again && device_scratch_page(c, c->fault.va, &pa)) || add_whole_page(c);
    if (granted) {
        read_parts(c, parts);
        cpu_step_native(c, insn);
    }
    if (!again) {
        c->scratch.pages = c->scratch.parts = 0;
        engine_flush_tlb(c);
    }
    return granted;
}
