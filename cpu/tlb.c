/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB that a guest has.
 *
 * When a translation is fetched and how long it is kept decides when A bits are set and for how long a
 * changed page table goes unnoticed, and a guest can see both.  The library's TLB is no measure: it is
 * filled by translating code that is never executed, and emptied for reasons of its own.  So each vCPU
 * has a TLB here, of TLB_PAGES_MAX pages, and the library's is a cache in front of it:
 *
 *     access --> library's TLB --miss--> frames_fill() --> this TLB --miss--> page walk
 *
 * Invariants
 *  (1) What a TLB holds is a function of the instructions that the vCPU has executed.
 *  (2) The library's TLB grants nothing that this one does not, but for (3): what empties this one
 *      empties the library's; not the other way round.
 *  (3) Pages that the library has fetched from, to look a block up or to translate it, are AHEAD until
 *      the block's hook: only there is it known what will be executed.  The library may execute an
 *      AHEAD page, not read it.  No page stays AHEAD behind that hook or a stop.
 *  (4) A block that goes on in a second page counts as fetching that when it begins, if the page's A
 *      bits are set, and is taken back if it is left before; else it is executed step by step.
 *
 * Nothing is ever evicted: a full TLB is emptied.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/run.h"

#define TLB_PAGES_MAX 4096u
#define TLB_SLOTS (2 * TLB_PAGES_MAX)
#define GENERATION_MAX ((1u << 26) - 1)

#define PTE_A 0x20u

/* Translations hang on privilege: the library's three address spaces. */
enum space { SPACE_USER, SPACE_SUPERVISOR_STRICT, SPACE_SUPERVISOR };

/*
 *   key    63        38 37            2 1     0      value  63         12 11    3 2 1 0
 *          | generation | linear page | space |             | frame      | 0     |X|W|R|
 */
struct entry {
    uint64_t key, value;
};

struct cpu_tlb {
    struct entry slot[TLB_SLOTS];
    uint32_t generation; /* what has another is free */
    uint32_t count;
    /* Where entries of large pages may be: a bit for each hash of a 2 MiB region; huge: a 1 GiB page. */
    uint64_t large[64];
    uint8_t huge;
};

bool tlb_init(struct cpu *c)
{
    for (unsigned i = 0; i < c->config.count; i++) {
        c->tlb[i] = calloc(1, sizeof(*c->tlb[i])); /* pages that are never touched cost nothing */
        if (!c->tlb[i])
            return false;
        c->tlb[i]->generation = 1;
    }
    return true;
}

void tlb_fini(struct cpu *c)
{
    for (unsigned i = 0; i < c->config.count; i++)
        free(c->tlb[i]);
}

static enum space space_of(const struct mmu_regs *regs)
{
    if (regs->cpl == 3 && !regs->implicit)
        return SPACE_USER;
    return (regs->cr4 & CR4_SMAP) && !(regs->ac && !regs->implicit) ? SPACE_SUPERVISOR_STRICT
                                                                    : SPACE_SUPERVISOR;
}

static uint64_t key_of(const struct cpu_tlb *t, uint64_t va, enum space space)
{
    return (uint64_t)t->generation << 38 | ((va >> PAGE_SHIFT) & ((1ull << 36) - 1)) << 2 | space;
}

/* The slot of @key, or the free one where it would be. */
static struct entry *slot_of(struct cpu_tlb *t, uint64_t key)
{
    size_t i = ((key & ((1ull << 38) - 1)) * 0x9e3779b97f4a7c15ull) >> 51;

    while (t->slot[i].key != key && t->slot[i].key >> 38 == t->generation)
        i = (i + 1) % TLB_SLOTS;
    return &t->slot[i];
}

bool tlb_find(struct cpu *c, const struct mmu_regs *regs, uint64_t va, unsigned access,
              struct tlb_page *out)
{
    struct cpu_tlb *t = c->tlb[c->current];
    uint64_t key = key_of(t, va, space_of(regs));
    const struct entry *e = slot_of(t, key);

    if (e->key != key || !(e->value & access) || !cpu_is_canonical(va)) /* a key has 48 bits of it */
        return false;
    out->pa = e->value & ~PAGE_MASK;
    out->rights = e->value & (MMU_READ | MMU_WRITE | MMU_FETCH);
    return true;
}

/* ---- filling ---- */

static unsigned region_bit(uint64_t va)
{
    return (unsigned)(((va >> 21) * 0x9e3779b97f4a7c15ull) >> 52);
}

static void note_large(struct cpu_tlb *t, uint64_t va, uint64_t page_size_bytes)
{
    unsigned bit = region_bit(va);

    if (page_size_bytes > (4u << 20))
        t->huge = 1;
    t->large[bit >> 6] |= 1ull << (bit & 63);
    if (page_size_bytes == (4u << 20)) { /* 32-bit paging: both halves */
        bit = region_bit(va ^ (1u << 21));
        t->large[bit >> 6] |= 1ull << (bit & 63);
    }
}

bool tlb_may_be_large(const struct cpu *c, uint64_t va)
{
    const struct cpu_tlb *t = c->tlb[c->current];
    unsigned bit = region_bit(va);

    return t->huge || (t->large[bit >> 6] >> (bit & 63) & 1);
}

void tlb_page_of(const struct mmu_translation *t, struct tlb_page *out)
{
    out->pa = t->pa.v & ~PAGE_MASK;
    out->rights = (t->readable ? MMU_READ : 0) | (t->writable && t->dirty ? MMU_WRITE : 0) |
                  (t->executable ? MMU_FETCH : 0);
}

static void put(struct cpu_tlb *t, uint64_t key, uint64_t value)
{
    struct entry *e = slot_of(t, key);

    t->count += e->key != key;
    *e = (struct entry){key, value};
}

void tlb_insert(struct cpu *c, const struct mmu_regs *regs, uint64_t va,
                const struct mmu_translation *t)
{
    struct cpu_tlb *tlb = c->tlb[c->current];
    struct tlb_page p;

    if (tlb->count >= TLB_PAGES_MAX)
        cpu_flush_tlb(c);
    c->vcpu[c->current].counters.fills++;
    tlb_page_of(t, &p);
    put(tlb, key_of(tlb, va, space_of(regs)), p.pa | p.rights);
    if (t->page_size_bytes > PAGE_SIZE)
        note_large(tlb, va, t->page_size_bytes);
}

/* ---- emptying ---- */

static void forget(struct cpu_tlb *t)
{
    if (t->generation == GENERATION_MAX) {
        memset(t->slot, 0, sizeof(t->slot));
        t->generation = 0;
    }
    t->generation++;
    t->count = 0;
    memset(t->large, 0, sizeof(t->large));
    t->huge = 0;
}

void cpu_flush_tlb(struct cpu *c)
{
    forget(c->tlb[c->current]);
    engine_flush_tlb(c);
}

void tlb_forget_all(struct cpu *c)
{
    for (unsigned i = 0; i < c->config.count; i++)
        forget(c->tlb[i]);
    engine_flush_tlb(c);
}

/* The entry stays, with no rights: others may lie behind it. */
static void drop(struct cpu *c, uint64_t va, enum space space)
{
    struct cpu_tlb *t = c->tlb[c->current];
    uint64_t key = key_of(t, va, space);
    struct entry *e = slot_of(t, key);

    if (e->key == key)
        e->value = 0;
}

void tlb_drop_page(struct cpu *c, uint64_t va)
{
    drop(c, va, SPACE_USER);
    drop(c, va, SPACE_SUPERVISOR_STRICT);
    drop(c, va, SPACE_SUPERVISOR);
}

void tlb_cr3_is_loaded(struct cpu *c)
{
    c->cr3_block = 0;
    forget(c->tlb[c->current]);
}

/* ---- fetching ---- */

/* Have all entries of the walk their A bit? */
static bool is_accessed(const struct mmu_regs *regs, const struct mmu_translation *t)
{
    bool pae = (regs->cr4 & CR4_PAE) && !(regs->efer & EFER_LMA);

    for (unsigned i = pae ? 1 : 0; i < t->levels; i++)
        if (!(t->pte[i] & PTE_A))
            return false;
    return true;
}

void tlb_ahead(struct cpu *c, uint64_t va)
{
    if (c->ahead < ARRAY_LEN(c->ahead_pages))
        c->ahead_pages[c->ahead] = va >> PAGE_SHIFT;
    c->ahead++;
    if (c->running)
        cpu_set_limit(c, cpu_now(c)); /* so that the next hook looks */
}

void tlb_forget_ahead(struct cpu *c)
{
    c->ahead = 0;
    engine_flush_tlb(c);
}

/* Pages from @first to @last are AHEAD no more. */
static void arrive(struct cpu *c, uint64_t first, uint64_t last)
{
    bool others = c->ahead > ARRAY_LEN(c->ahead_pages);

    for (unsigned i = 0; !others && i < c->ahead; i++)
        others = c->ahead_pages[i] != first && c->ahead_pages[i] != last;
    if (others)
        tlb_forget_ahead(c);
    c->ahead = 0;
}

static enum tlb_fetch fetch_page(struct cpu *c, const struct mmu_regs *regs, uint64_t va, bool later)
{
    struct mmu_translation t;
    enum mmu_status status;
    struct tlb_page p;

    if (tlb_find(c, regs, va, MMU_FETCH, &p))
        return TLB_FETCHED;
    status = mmu_walk(c->ram, regs, GVA(va), MMU_FETCH | (later ? MMU_PROBE : 0), &t);
    if (status == MMU_FAULT && !later) {
        c->fault = (struct cpu_fault){
            .kind = FAULT_PAGE, .access = MMU_FETCH, .va = va, .error_code = t.error_code};
        return TLB_FAULT;
    }
    if (status != MMU_OK || !mmu_ram_has(c->ram, t.pa.v & ~PAGE_MASK, PAGE_SIZE) ||
        (later && !is_accessed(regs, &t)))
        return TLB_STEP;
    tlb_insert(c, regs, va, &t);
    if (later) {
        c->later_block = c->blocks;
        c->later_va = va;
    }
    return TLB_FETCHED;
}

enum tlb_fetch tlb_fetch(struct cpu *c, uint64_t va, uint32_t size, bool single)
{
    uint64_t mask = env_load(c)->hflags & HF_CS64 ? ~0ull : 0xffffffffull;
    uint64_t first = va & mask, last = (va + size - 1) & mask;
    enum tlb_fetch result;
    struct mmu_regs regs;

    cpu_mmu_regs(c, c->current, &regs);
    result = fetch_page(c, &regs, first, false);
    if (result == TLB_FETCHED && first >> PAGE_SHIFT != last >> PAGE_SHIFT)
        result = fetch_page(c, &regs, last & ~PAGE_MASK, !single);
    if (result == TLB_FETCHED && c->ahead)
        arrive(c, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    return result;
}

void tlb_left_early(struct cpu *c, uint64_t va)
{
    struct mmu_regs regs;
    struct cpu_insn insn;
    uint8_t bytes[15];
    size_t n;

    if (c->cr3_block == c->blocks)
        c->cr3_block = 0;
    if (c->later_block != c->blocks || va >= c->later_va)
        return;
    c->later_block = 0;
    n = cpu_fetch_bytes(c, c->current, va, bytes, sizeof(bytes));
    if (cpu_decode(cpu_code_mode(env_load(c)), bytes, n, va, &insn) &&
        va + insn.length > c->later_va)
        return;
    cpu_mmu_regs(c, c->current, &regs);
    drop(c, c->later_va, space_of(&regs));
    engine_flush_tlb(c);
}

/* ---- saving ---- */

static void visit(struct cpu *c, struct cpu_tlb *t, struct base_state *st)
{
    uint32_t count = t->count, generation = t->generation;

    BASE_STATE(st, count);
    BASE_STATE(st, t->large);
    BASE_STATE(st, t->huge);
    if (st->mode != BASE_STATE_LOAD) {
        for (unsigned i = 0; i < TLB_SLOTS; i++) {
            uint64_t key = t->slot[i].key & ((1ull << 38) - 1);

            if (t->slot[i].key >> 38 != generation)
                continue;
            BASE_STATE(st, key);
            BASE_STATE(st, t->slot[i].value);
        }
        return;
    }
    for (unsigned i = 0; i < count && !st->bad; i++) {
        uint64_t key, value;

        BASE_STATE(st, key);
        BASE_STATE(st, value);
        if (key >> 38 || t->count >= TLB_PAGES_MAX ||
            (value && !mmu_ram_has(c->ram, value & ~PAGE_MASK, PAGE_SIZE)) || (value & PAGE_MASK) > 7)
            st->bad = true;
        else
            put(t, (uint64_t)generation << 38 | key, value);
    }
}

void tlb_visit(struct cpu *c, struct base_state *st)
{
    for (unsigned i = 0; i < c->config.count && !st->bad; i++)
        visit(c, c->tlb[i], st);
}
