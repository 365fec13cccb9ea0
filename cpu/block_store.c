/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the blocks of translated code contain: two caches in front of the decoder.
 *
 *    FRONT, by linear address: what the block hook looks at;
 *    STORE, by physical address, size, mode and the very bytes.  Only what it does not have is decoded.
 *
 * Invariants
 *  (1) A front entry describes the bytes that the engine executes at its address.  So an entry
 *      is dropped when its page maps to another frame (blocks_page_is, from each fetch fill of
 *      the TLB) or its frame's code changes (blocks_frame_changed, from the W^X states).  A
 *      block that spans two pages lies in the first page's window; a change of the second
 *      page empties the first's too.
 *  (2) Blocks of MIXED frames are never in the front cache: writes to them go unseen.
 */
#include <string.h>
#include <sys/mman.h>

#include "cpu/blocks.h"
#include "cpu/run.h"

#define STORE_BUCKETS (1u << 17)
#define STORE_MAX_BLOCKS 400000u
#define BYTES_CHUNK (1u << 20)
#define FRONT_BYTES (CPU_FRONT_ENTRIES * sizeof(struct cpu_front))

struct stored {
    struct stored *next;
    uint64_t pa;
    uint64_t pa2; /* of the second page's part; UINT64_MAX: none */
    uint16_t size;
    uint8_t mode;
    struct cpu_block block;
    uint8_t bytes[]; /* size of them */
};

struct chunk {
    struct chunk *next;
    size_t used;
    uint8_t data[BYTES_CHUNK];
};

struct blocks {
    struct stored **bucket;
    unsigned count;
    struct chunk *chunks;
};

bool blocks_init(struct cpu *c)
{
    if (!cpu_decode_init())
        return false;
    c->front = mmap(NULL, FRONT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->front == MAP_FAILED) {
        c->front = NULL;
        return false;
    }
    madvise(c->front, FRONT_BYTES, MADV_HUGEPAGE); /* used all over: host TLB misses count */
    c->block_store = g_new0(struct blocks, 1);
    c->block_store->bucket = g_new0(struct stored *, STORE_BUCKETS);
    c->copies = g_new0(struct block_copies, 1);
    for (unsigned i = 0; i < CPU_WINDOWS; i++)
        c->windows[i].page = UINT64_MAX;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    return true;
}

static void store_clear(struct blocks *b)
{
    while (b->chunks) {
        struct chunk *next = b->chunks->next;

        g_free(b->chunks);
        b->chunks = next;
    }
    memset(b->bucket, 0, STORE_BUCKETS * sizeof(*b->bucket));
    b->count = 0;
}

void blocks_fini(struct cpu *c)
{
    if (c->block_store) {
        store_clear(c->block_store);
        g_free(c->block_store->bucket);
        g_free(c->block_store);
        g_free(c->copies);
        cpu_decode_fini();
    }
    if (c->front)
        munmap(c->front, FRONT_BYTES);
}

/* ---- windows of the front cache ---- */

static struct cpu_window *window_of(struct cpu *c, uint64_t page)
{
    return &c->windows[page & (CPU_WINDOWS - 1)];
}

static void window_empty(struct cpu *c, struct cpu_window *w)
{
    struct cpu_front *first = c->front + ((size_t)(w - c->windows) << CPU_WINDOW_SHIFT);

    for (unsigned i = 0; i < ARRAY_LEN(w->used_lines); i++) {
        if (!w->used_lines[i])
            continue;
        memset(first + i * 32u, 0, 32 * sizeof(*first));
        w->used_lines[i] = 0;
    }
}

static void window_empty_if(struct cpu *c, uint64_t page)
{
    struct cpu_window *w = window_of(c, page);

    if (w->page == page)
        window_empty(c, w);
}

void blocks_page_is(struct cpu *c, uint64_t page, uint64_t mfn)
{
    struct cpu_window *w = window_of(c, page);

    if (w->page == page && w->mfn == mfn)
        return;
    window_empty(c, w);
    window_empty_if(c, page - 1);
    w->page = page;
    w->mfn = mfn;
}

void blocks_frame_changed(struct cpu *c, uint64_t mfn)
{
    for (unsigned i = 0; i < CPU_WINDOWS; i++) {
        struct cpu_window *w = &c->windows[i];

        if (w->page == UINT64_MAX || w->mfn != mfn)
            continue;
        window_empty(c, w);
        window_empty_if(c, w->page - 1);
        w->page = UINT64_MAX;
    }
}

void blocks_forget_all(struct cpu *c)
{
    for (unsigned i = 0; i < CPU_WINDOWS; i++) {
        window_empty(c, &c->windows[i]);
        c->windows[i].page = UINT64_MAX;
    }
}

void blocks_forget_page(struct cpu *c, uint64_t page)
{
    window_empty_if(c, page);
    window_empty_if(c, page - 1);
}

/* The frame that linear page @page is executed from; false when there is none. */
static bool frame_of_page(struct cpu *c, uint64_t page, uint64_t *mfn)
{
    struct cpu_window *w = window_of(c, page);
    struct mmu_translation t;
    struct mmu_regs regs;
    struct tlb_page p;

    if (w->page != page) {
        cpu_mmu_regs(c, c->current, &regs);
        if (!tlb_find(c, &regs, page << PAGE_SHIFT, MMU_FETCH, &p)) {
            if (mmu_walk(c->ram, &regs, GVA(page << PAGE_SHIFT), MMU_FETCH | MMU_PROBE | MMU_ANY,
                         &t) != MMU_OK ||
                !mmu_ram_has(c->ram, t.pa.v & ~PAGE_MASK, PAGE_SIZE))
                return false;
            p.pa = t.pa.v;
        }
        blocks_page_is(c, page, p.pa >> PAGE_SHIFT);
    }
    *mfn = w->mfn;
    return true;
}

/* ---- the store ---- */

static size_t bucket_of(uint64_t pa, uint32_t size, unsigned mode)
{
    uint64_t h = (pa ^ ((uint64_t)size << 40) ^ ((uint64_t)mode << 60)) * 0x9e3779b97f4a7c15ull;

    return h >> 47;
}

static struct stored *stored_new(struct blocks *b, uint32_t size)
{
    size_t need = (sizeof(struct stored) + size + 15) & ~(size_t)15;
    struct stored *s;

    if (!b->chunks || b->chunks->used + need > BYTES_CHUNK) {
        struct chunk *chunk = g_malloc(sizeof(*chunk));

        chunk->next = b->chunks;
        chunk->used = 0;
        b->chunks = chunk;
    }
    s = (struct stored *)(void *)(b->chunks->data + b->chunks->used);
    b->chunks->used += need;
    return s;
}

bool block_locate(struct cpu *c, uint64_t va, uint32_t size, struct block_place *p)
{
    uint64_t mfn, mask = c->mode_key >> CPU_KEY_MODE_SHIFT == CPU_MODE_64 ? ~0ull : 0xffffffffull;

    if (!frame_of_page(c, va >> PAGE_SHIFT, &mfn))
        return false;
    p->pa = (mfn << PAGE_SHIFT) | (va & PAGE_MASK);
    p->pa2 = UINT64_MAX;
    p->first = c->ram->host + p->pa;
    p->second = NULL;
    p->first_size = MIN(size, PAGE_SIZE - (uint32_t)(va & PAGE_MASK));
    if (p->first_size == size)
        return true;
    if (size - p->first_size > PAGE_SIZE ||
        !frame_of_page(c, ((va + p->first_size) & mask) >> PAGE_SHIFT, &mfn))
        return false;
    p->pa2 = mfn << PAGE_SHIFT;
    p->second = c->ram->host + p->pa2;
    return true;
}

void block_copy_bytes(const struct block_place *p, uint32_t size, uint8_t *out)
{
    memcpy(out, p->first, p->first_size);
    if (p->second)
        memcpy(out + p->first_size, p->second, size - p->first_size);
}

static bool same_bytes(const struct block_place *p, const struct stored *s)
{
    return memcmp(p->first, s->bytes, p->first_size) == 0 &&
           (!p->second || memcmp(p->second, s->bytes + p->first_size, s->size - p->first_size) == 0);
}

const struct cpu_block *block_at(struct cpu *c, uint64_t va, uint32_t size,
                                 const struct block_place *p)
{
    struct blocks *b = c->block_store;
    unsigned mode = (unsigned)(c->mode_key >> CPU_KEY_MODE_SHIFT);
    struct stored **slot = &b->bucket[bucket_of(p->pa, size, mode)], *s;

    for (s = *slot; s; s = s->next)
        if (s->pa == p->pa && s->size == size && s->mode == mode && s->pa2 == p->pa2)
            break;
    if (s && same_bytes(p, s))
        return &s->block;
    if (!s) {
        if (b->count >= STORE_MAX_BLOCKS)
            store_clear(b);
        s = stored_new(b, size);
        s->pa = p->pa;
        s->pa2 = p->pa2;
        s->size = (uint16_t)size;
        s->mode = (uint8_t)mode;
        s->next = *slot;
        *slot = s;
        b->count++;
    }
    block_copy_bytes(p, size, s->bytes);
    cpu_decode_block((enum cpu_mode)mode, s->bytes, size, va, &c->timing, &s->block);
    return &s->block;
}

void block_front_fill(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                      uint64_t mark)
{
    struct cpu_front *e = &c->front[CPU_FRONT_INDEX(va)];
    unsigned at = (unsigned)CPU_FRONT_INDEX(va) & ((1u << CPU_WINDOW_SHIFT) - 1);

    e->key = cpu_key(c, va, size) ^ mark;
    e->insns = b->insns;
    e->cost = b->cost;
    e->rdtsc_tail_cost = (uint16_t)MIN(b->rdtsc_tail_cost, UINT16_MAX);
    window_of(c, va >> PAGE_SHIFT)->used_lines[at >> 5] |= 1u << (at & 31);
}

/* ---- the block that ran last ---- */

static uint64_t last_key(const struct cpu *c)
{
    return c->ring[(c->blocks - 1) % CPU_RING];
}

bool block_last_place(struct cpu *c, struct block_place *p)
{
    uint64_t key = last_key(c), saved = c->mode_key;
    bool found;

    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    found = c->blocks && block_locate(c, cpu_key_va(key), cpu_key_size(key), p);
    c->mode_key = saved;
    return found;
}

/* Returns: NULL when there is none, or its pages are mapped no more. */
static const struct cpu_block *last_block(struct cpu *c, struct block_place *p)
{
    uint64_t key = last_key(c), saved = c->mode_key;
    const struct cpu_block *b = NULL;

    if (block_last_place(c, p)) {
        c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
        b = block_at(c, cpu_key_va(key), cpu_key_size(key), p);
        c->mode_key = saved;
    }
    return b;
}

void blocks_uncount_tail(struct cpu *c, uint64_t va)
{
    uint64_t key = last_key(c), start = cpu_key_va(key);
    uint32_t size = cpu_key_size(key), cost_before;
    uint8_t bytes[2 * PAGE_SIZE];
    const struct cpu_block *b;
    struct block_place p;
    unsigned before;

    if (va < start || va >= start + size || c->left_block == c->blocks)
        return;
    c->left_block = c->blocks;
    tlb_left_early(c, va);
    if (c->step_block == c->blocks) {
        c->insns--;
        c->left += c->step_cost;
        return;
    }
    b = last_block(c, &p);
    if (!b)
        return;
    block_copy_bytes(&p, size, bytes);
    before = cpu_decode_index(cpu_key_mode(key), bytes, size, start, va - start, &c->timing,
                              &cost_before);
    if (before < b->insns) {
        c->insns -= b->insns - before;
        c->left += b->cost - cost_before;
    }
}

bool blocks_is_inside(struct cpu *c)
{
    uint64_t key = last_key(c);

    return cpu_linear_rip(env_load(c)) - cpu_key_va(key) < cpu_key_size(key);
}

bool blocks_last_insn(struct cpu *c, uint64_t *va)
{
    struct block_place p;
    const struct cpu_block *b = last_block(c, &p);

    *va = cpu_key_va(last_key(c)) + (b ? b->last_at : 0);
    return b != NULL;
}

uint32_t blocks_rdtsc_tail(struct cpu *c)
{
    struct block_place p;
    const struct cpu_block *b;

    if (c->stepping)
        return c->step_cost;
    b = last_block(c, &p);
    return b ? b->rdtsc_tail_cost : 0;
}

uint32_t blocks_last_flags(struct cpu *c)
{
    struct block_place p;
    const struct cpu_block *b = last_block(c, &p);

    return b ? b->last_flags : 0;
}

bool blocks_executes_frame(struct cpu *c, uint64_t mfn)
{
    uint64_t key, first, last;

    if (!c->running || !c->blocks)
        return false;
    key = c->ring[(c->blocks - 1) % CPU_RING];
    first = cpu_key_va(key) >> PAGE_SHIFT;
    last = (cpu_key_va(key) + cpu_key_size(key) - 1) >> PAGE_SHIFT;
    for (uint64_t page = first; page <= last; page++) {
        struct cpu_window *w = window_of(c, page);

        if (w->page == page && w->mfn == mfn)
            return true;
    }
    return false;
}
