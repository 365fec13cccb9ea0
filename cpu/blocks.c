/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the blocks of translated code contain: two caches in front of the decoder.
 *
 * 1. The library calls the block hook with the linear address and size of every block it
 *    executes.  The hook (engine.c) finds most of them in the FRONT cache, by linear address.
 * 2. A miss comes here, and is answered from the STORE: blocks by physical address, size,
 *    mode and the very bytes.  Only what the store does not have is decoded.
 *
 * Invariants
 *  (1) A front entry describes the bytes that the engine executes at its address.  So an entry
 *      is dropped when its page maps to another frame (blocks_page_is, from each fetch fill of
 *      the TLB) or its frame's code changes (blocks_frame_changed, from the W^X states).  A
 *      block that spans two pages lies in the first page's window; a change of the second
 *      page empties the first's too.
 *  (2) Blocks of MIXED frames are never in the front cache: writes to them go unseen.
 *  (3) A block with a special instruction never runs: the engine is stopped before it, or
 *      (special instruction not the first) the block is translated again, cut before it.
 *  (4) Blocks that may change the code's mode, or what check.c looks at, are never in the front
 *      cache; after one the mode is unknown, so that the next block misses and both are looked
 *      at.
 *  (5) A block that begins with an execution point is in the front cache with a mark that makes it
 *      miss, and no block contains one further inside.
 */
#include <string.h>
#include <sys/mman.h>

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
    /* What the frames of the block that runs were before it: see undo_part(). */
    unsigned copies;
    uint64_t copy_mfn[2];
    uint8_t copy[2][PAGE_SIZE];
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

/* Where a block's bytes lie. */
struct place {
    uint64_t pa, pa2;
    uint32_t first_size;
    const uint8_t *first, *second;
};

static bool locate(struct cpu *c, uint64_t va, uint32_t size, struct place *p)
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

static void copy_bytes(const struct place *p, uint32_t size, uint8_t *out)
{
    memcpy(out, p->first, p->first_size);
    if (p->second)
        memcpy(out + p->first_size, p->second, size - p->first_size);
}

static bool same_bytes(const struct place *p, const struct stored *s)
{
    return memcmp(p->first, s->bytes, p->first_size) == 0 &&
           (!p->second || memcmp(p->second, s->bytes + p->first_size, s->size - p->first_size) == 0);
}

static const struct cpu_block *block_at(struct cpu *c, uint64_t va, uint32_t size,
                                        const struct place *p)
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
    copy_bytes(p, size, s->bytes);
    cpu_decode_block((enum cpu_mode)mode, s->bytes, size, va, &c->timing, &s->block);
    return &s->block;
}

/* ---- counting ---- */

static void count(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    c->ring[c->blocks++ % CPU_RING] = cpu_key(c, va, size);
    c->insns += insns;
    c->left -= cost;
}

static void uncount(struct cpu *c, uint32_t insns, uint32_t cost)
{
    c->blocks--;
    c->insns -= insns;
    c->left += cost;
}

/* Whether the counted block at hand may run whole.  Otherwise it is not counted and the engine
 * stops before it. */
static bool may_run(struct cpu *c, uint32_t insns, uint32_t cost)
{
    if (base_unlikely(c->stopping)) {
        uncount(c, insns, cost);
        return false;
    }
    if (base_likely(c->left >= 0) && c->insns <= c->insn_limit)
        return true;
    if (cpu_now(c) > c->target || c->insns > c->insn_limit) {
        uncount(c, insns, cost);
        c->must_step = true;
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    if (cpu_can_interrupt(c)) {
        uncount(c, insns, cost);
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    return true;
}

/* The counted block at hand runs now: its pages have been fetched from.  Returns: false when it does
 * not run after all. */
static bool have_fetched(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    enum tlb_fetch result = tlb_fetch(c, va, size, insns == 1);

    if (result == TLB_FETCHED) {
        cpu_arm(c);
        return true;
    }
    uncount(c, insns, cost);
    c->must_step = result == TLB_STEP;
    engine_stop(c, result == TLB_STEP ? WHY_BOUNDARY : WHY_NO_FETCH);
    return false;
}

void blocks_due(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    if (c->iret_ends_nmi && !c->stopping) {
        c->iret_ends_nmi = false;
        cpu_loaded(c)->nmi_blocked = false;
    }
    if (may_run(c, insns, cost) && c->ahead)
        have_fetched(c, va, size, insns, cost);
}

static void front_fill(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
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

/* Stores that may lead to themselves, by repeating or by calling: in MIXED frames they have a block
 * of their own, see below. */
static bool is_lone_store(const struct cpu_block *b)
{
    return (b->last_flags & (CPU_INSN_REP | CPU_INSN_BRANCH)) &&
           (b->last_flags & CPU_INSN_WRITES_MEM);
}

/* Does an instruction of the block that ran last begin at linear @va? */
static bool ran_last(struct cpu *c, uint64_t va)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], saved = c->mode_key;
    uint64_t start = cpu_key_va(key);
    uint32_t size = cpu_key_size(key);
    uint8_t bytes[2 * PAGE_SIZE];
    struct place p;
    bool found;

    if (!c->blocks || c->left_block == c->blocks || va < start || va >= start + size)
        return false;
    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    found = locate(c, start, size, &p);
    if (found)
        copy_bytes(&p, size, bytes);
    c->mode_key = saved;
    return found && cpu_decode_boundary(cpu_key_mode(key), bytes, size, va - start);
}

static void keep_frames(struct cpu *c, const struct place *p)
{
    struct blocks *b = c->block_store;

    b->copies = 0;
    b->copy_mfn[b->copies] = p->pa >> PAGE_SHIFT;
    memcpy(b->copy[b->copies++], p->first - (p->pa & PAGE_MASK), PAGE_SIZE);
    if (!p->second)
        return;
    b->copy_mfn[b->copies] = p->pa2 >> PAGE_SHIFT;
    memcpy(b->copy[b->copies++], p->second, PAGE_SIZE);
}

/*
 * The library stores byte by byte what is not aligned, and may leave a block it stores into with
 * some of the bytes stored: an instruction that adds to what is there would add to them twice.
 */
static void undo_part(struct cpu *c)
{
    const struct blocks *b = c->block_store;
    struct cpu_piece piece[CPU_PIECES_MAX];
    struct cpu_access a[CPU_ACCESSES_MAX];
    struct cpu_insn insn;
    struct cpu_exc exc;
    uint8_t bytes[15];
    unsigned n, pieces;

    if (!b->copies || !cpu_fetch_insn(c, &insn) || !(insn.flags & CPU_INSN_MODIFIES_MEM))
        return;
    n = cpu_decode_accesses(cpu_code_mode(c->env), bytes,
                            cpu_fetch_bytes(c, c->current, cpu_linear_rip(c->env), bytes, 15), a);
    for (unsigned i = 0; i < n; i++) {
        if (!a[i].read || !a[i].write)
            continue;
        pieces = cpu_mem_split(c, cpu_access_address(c, &insn, &a[i]), a[i].bytes,
                               CPU_MEM_EXPLICIT, MMU_WRITE | MMU_PROBE, false, piece, &exc);
        for (unsigned k = 0; k < pieces; k++)
            for (unsigned m = 0; m < b->copies; m++)
                if (piece[k].pa >> PAGE_SHIFT == b->copy_mfn[m])
                    memcpy(c->ram->host + piece[k].pa, b->copy[m] + (piece[k].pa & PAGE_MASK),
                           piece[k].size);
    }
}

static bool is_mixed(const struct cpu *c, const struct place *p)
{
    return ((c->ram->frame[p->pa >> PAGE_SHIFT] |
             (p->second ? c->ram->frame[p->pa2 >> PAGE_SHIFT] : 0)) & MMU_FRAME_MIXED) != 0;
}

/*
 * One instruction by TF: the caller has decoded it.  A second block means that the library did
 * not trap after it (MOV SS, PAUSE), and is not run; or, at the same place, that it stored into
 * itself and is executed once more.
 */
static void count_step(struct cpu *c, uint64_t va, uint32_t size)
{
    struct place p;

    if (!c->step_blocks && tlb_fetch(c, va, size, true) == TLB_FAULT) {
        engine_stop(c, WHY_NO_FETCH);
    } else if (c->step_blocks++ == 0) {
        c->step_va = va;
        count(c, va, size, 1, c->step_cost);
        c->parts++;
        c->step_block = c->blocks;
        c->block_store->copies = 0;
        if (locate(c, va, size, &p) && is_mixed(c, &p))
            keep_frames(c, &p);
    } else if (va != c->step_va) {
        engine_stop(c, WHY_BOUNDARY);
    } else {
        undo_part(c);
    }
}

/*
 * A store into its own block makes the library leave the block, execute the storing
 * instruction alone, and go on behind it: take the instructions back that are about to be
 * executed a second time, or were not executed at all.
 *
 * A round of a REP instruction, or a call of a call to itself, looks like that, too: such
 * instructions have a block of their own in MIXED frames (see blocks_miss), and rCX or rSP says
 * whether the one before was executed.  When it has overwritten itself, what follows at its address is
 * something else; so is what follows a step, which ends behind the store whatever it was.
 */
static void uncount_aborted(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b)
{
    uint64_t reg, key = c->ring[(c->blocks - 1) % CPU_RING], start = cpu_key_va(key);

    if (!c->blocks || b->insns != 1 || !(b->flags & CPU_INSN_WRITES_MEM))
        return;
    if (!is_lone_store(b)) {
        if (c->lone_blocks != c->blocks && c->step_block != c->blocks && ran_last(c, va)) {
            c->parts += va + size < start + cpu_key_size(key) ? 2 : 1;
            blocks_uncount_tail(c, va);
            undo_part(c);
        }
        return;
    }
    reg = env_load(c)->regs[b->flags & CPU_INSN_REP ? 1 : 4];
    if (c->lone_blocks == c->blocks && start == va && c->lone_reg == reg) {
        blocks_uncount_tail(c, va);
        c->parts++;
    }
    c->lone_reg = reg;
    c->lone_blocks = c->blocks + 1; /* with the one that begins now */
}

/*
 * The counted block at hand is going to run, and begins with an execution point.  Observers see all
 * before the block and nothing of it.
 * Returns: false when it does not run now after all: for a stop, or for a point that was added
 *          inside it.  It comes here again, and execpoint_fire() knows that.
 */
static bool tell_points(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost)
{
    uint64_t generation = c->points.generation, inside;

    uncount(c, insns, cost);
    execpoint_fire(c, va);
    if (c->stop_requested ||
        (c->points.generation != generation && execpoint_first(c, va + 1, size - 1, &inside))) {
        engine_stop(c, WHY_BOUNDARY);
        return false;
    }
    count(c, va, size, insns, cost);
    return true;
}

/* A block that the front cache knows to begin with an execution point. */
static bool run_marked(struct cpu *c, uint64_t va, uint32_t size)
{
    const struct cpu_front *e = &c->front[CPU_FRONT_INDEX(va)];
    uint32_t insns = e->insns, cost = e->cost;

    if (e->key != (cpu_key(c, va, size) ^ CPU_KEY_POINT) || c->cutting || c->iret_ends_nmi)
        return false;
    count(c, va, size, insns, cost);
    if (may_run(c, insns, cost) && tell_points(c, va, size, insns, cost) && c->ahead)
        have_fetched(c, va, size, insns, cost);
    return true;
}

/* Where the block has to end earlier; UINT64_MAX: it need not. */
static uint64_t cut_before(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                           bool mixed)
{
    uint64_t cut = UINT64_MAX, point;

    if (b->cut_at > 0)
        cut = va + (uint32_t)b->cut_at;
    else if (mixed && is_lone_store(b) && b->last_at)
        cut = va + b->last_at;
    if (base_unlikely(c->points.count) && execpoint_first(c, va + 1, size - 1, &point))
        cut = MIN(cut, point);
    return cut;
}

/* The library does not trap after PAUSE, so that it is stepped under TF: where it lies behind a POPF,
 * each time has to be looked whether that has set TF. */
static bool pause_follows(struct cpu *c, uint64_t va)
{
    struct cpu_insn insn;
    uint8_t bytes[15];
    size_t n = cpu_fetch_bytes(c, c->current, va, bytes, sizeof(bytes));

    return cpu_decode(cpu_code_mode(env_load(c)), bytes, n, va, &insn) && insn.map == 0 &&
           insn.opcode == 0x90 && insn.rep;
}

/* A block that nothing keeps from running, unless it is too long.  Returns: whether it runs. */
static bool run_block(struct cpu *c, uint64_t va, uint32_t size, const struct cpu_block *b,
                      bool mixed)
{
    uint64_t mark = 0, point;

    count(c, va, size, b->insns, b->cost);
    if (!may_run(c, b->insns, b->cost))
        return false;
    if (base_unlikely(c->points.count) && execpoint_first(c, va, 1, &point)) {
        if (!tell_points(c, va, size, b->insns, b->cost))
            return false;
        mark = execpoint_first(c, va, 1, &point) ? CPU_KEY_POINT : 0; /* an observer may remove it */
    }
    if ((mixed || c->ahead) && !have_fetched(c, va, size, b->insns, b->cost))
        return false;
    if (b->flags & CPU_INSN_LOADS_CR3) {
        c->cr3_block = c->blocks;
    } else if (b->flags & CPU_INSN_FAR) {
        c->iret_ends_nmi = (b->flags & CPU_INSN_IRET) && cpu_loaded(c)->nmi_blocked;
        c->mode_key = CPU_KEY_MODE_UNKNOWN;
    } else if ((b->flags & CPU_INSN_LOADS_FLAGS) &&
               (env_cpl(env_load(c)) == 3 || pause_follows(c, va + size))) {
        c->mode_key = CPU_KEY_MODE_UNKNOWN; /* POPF may set AC, or TF */
    } else if (!mixed && !(b->flags & CPU_INSN_FSGS)) {
        front_fill(c, va, size, b, mark);
    }
    return true;
}

/* Blocks around the end of the address space are stepped: outside 64-bit mode the library lets the
 * instruction pointer grow beyond 4 GiB, and ranges of addresses are ranges elsewhere. */
static bool goes_around(struct cpu *c, uint64_t va, uint32_t size)
{
    uint32_t eip;

    if (c->mode_key >> CPU_KEY_MODE_SHIFT == CPU_MODE_64)
        return va + size < va;
    eip = (uint32_t)(va - env_load(c)->segs[CPU_CS].base);
    return (va + size) >> 32 || ((uint64_t)eip + size) >> 32;
}

/*
 * RF lasts for one instruction, in the library for one block, and its PUSHF shows it.  So it is
 * dropped when a block begins to run.  Nobody looks at it during its first instruction: there is
 * no breakpoint in this block.  The portable view cannot drop it here: the instruction is stepped.
 */
void blocks_miss(struct cpu *c, uint64_t va, uint32_t size)
{
    const struct cpu_block *b;
    uint64_t flags = 0;
    struct place p;
    bool mixed;

    if (c->stopping)
        return;
    if (base_unlikely(c->looking)) {
        engine_stop(c, tlb_fetch(c, va, size, true) == TLB_FAULT ? WHY_NO_FETCH : WHY_BOUNDARY);
        return;
    }
    if (base_unlikely(c->points.count) && run_marked(c, va, size))
        return;
    if (c->mode_key == CPU_KEY_MODE_UNKNOWN) {
        const struct cpu_env *env = env_load(c);

        if (!c->stepping && cpu_must_check(c)) {
            c->checking = true;
            engine_stop(c, WHY_BOUNDARY);
            return;
        }
        c->mode_key = (uint64_t)cpu_code_mode(env) << CPU_KEY_MODE_SHIFT;
        flags = env->eflags & (FLAG_TF | FLAG_RF);
    }
    if (c->stepping) {
        count_step(c, va, size);
        c->mode_key = CPU_KEY_MODE_UNKNOWN;
        return;
    }
    if ((flags & FLAG_TF) || goes_around(c, va, size) || (c->watch.exec && debug_in_block(c, va, size))) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (c->iret_ends_nmi) {
        c->iret_ends_nmi = false;
        cpu_loaded(c)->nmi_blocked = false;
    }
    if (!locate(c, va, size, &p)) { /* the mapping went away under a stale TLB entry */
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    mixed = is_mixed(c, &p);
    b = block_at(c, va, size, &p);
    if (b->cut_at == 0) {
        engine_stop(c, WHY_SPECIAL);
        return;
    }
    c->cut_va = cut_before(c, va, size, b, mixed);
    if (c->cut_va != UINT64_MAX) {
        engine_stop(c, WHY_CUT);
        return;
    }
    if ((b->flags & CPU_INSN_GUARDED) && !cpu_far_is_plain(c, p.first, size)) {
        engine_stop(c, WHY_SPECIAL);
        return;
    }
    if ((b->flags & CPU_INSN_FSGS) && cpu_must_check_fsgs(c)) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (c->cutting)
        engine_cut(c, 0);
    c->cut_tries = 0;
    if ((flags & FLAG_RF) && c->portable && b->insns > 1) {
        engine_stop(c, WHY_BOUNDARY);
        c->must_step = true;
        return;
    }
    if (mixed) {
        uncount_aborted(c, va, size, b);
        c->block_store->copies = 0;
        if (b->flags & CPU_INSN_MODIFIES_MEM)
            keep_frames(c, &p);
    }
    if (run_block(c, va, size, b, mixed)) {
        if ((flags & FLAG_RF) && !c->portable)
            c->env->eflags &= ~(uint64_t)FLAG_RF;
    } else if (flags & FLAG_RF) {
        c->mode_key = CPU_KEY_MODE_UNKNOWN; /* look at it again */
    }
}

void blocks_uncount_tail(struct cpu *c, uint64_t va)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], saved = c->mode_key;
    uint64_t start = cpu_key_va(key);
    uint32_t size = cpu_key_size(key), cost_before;
    const struct cpu_block *b;
    unsigned before;
    struct place p;

    if (va < start || va >= start + size || c->left_block == c->blocks)
        return;
    c->left_block = c->blocks;
    tlb_left_early(c, va);
    if (c->step_block == c->blocks) {
        c->insns--;
        c->left += c->step_cost;
        return;
    }
    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    if (locate(c, start, size, &p)) {
        uint8_t bytes[2 * PAGE_SIZE];

        b = block_at(c, start, size, &p);
        copy_bytes(&p, size, bytes);
        before = cpu_decode_index(cpu_key_mode(key), bytes, size, start, va - start, &c->timing,
                                  &cost_before);
        if (before < b->insns) {
            c->insns -= b->insns - before;
            c->left += b->cost - cost_before;
        }
    }
    c->mode_key = saved;
}

bool blocks_is_inside(struct cpu *c)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING];

    return cpu_linear_rip(env_load(c)) - cpu_key_va(key) < cpu_key_size(key);
}

bool blocks_last_insn(struct cpu *c, uint64_t *va)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], saved = c->mode_key;
    struct place p;
    bool found;

    *va = cpu_key_va(key);
    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    found = c->blocks && locate(c, *va, cpu_key_size(key), &p);
    if (found)
        *va += block_at(c, *va, cpu_key_size(key), &p)->last_at;
    c->mode_key = saved;
    return found;
}

uint32_t blocks_rdtsc_tail(struct cpu *c)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], saved = c->mode_key;
    uint32_t tail = 0;
    struct place p;

    if (c->stepping)
        return c->step_cost;
    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    if (locate(c, cpu_key_va(key), cpu_key_size(key), &p))
        tail = block_at(c, cpu_key_va(key), cpu_key_size(key), &p)->rdtsc_tail_cost;
    c->mode_key = saved;
    return tail;
}

uint32_t blocks_last_flags(struct cpu *c)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING], saved = c->mode_key;
    uint32_t flags = 0;
    struct place p;

    c->mode_key = (uint64_t)cpu_key_mode(key) << CPU_KEY_MODE_SHIFT;
    if (c->blocks && locate(c, cpu_key_va(key), cpu_key_size(key), &p))
        flags = block_at(c, cpu_key_va(key), cpu_key_size(key), &p)->last_flags;
    c->mode_key = saved;
    return flags;
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
