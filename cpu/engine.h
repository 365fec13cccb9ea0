/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of struct cpu, and the engine as the run loop uses it.
 *
 * engine*.c are the only files that know the library.  The hooks record what
 * happened in struct cpu and stop the engine; run.c decides what it means.
 */
#ifndef PARAVANE_CPU_ENGINE_H
#define PARAVANE_CPU_ENGINE_H

#include "cpu/internal.h"

/*
 * A block's entry in the front cache, found by its linear address alone.
 *
 *   key   63    61    48 47                                        0
 *        |sign|mode|size| linear address: sign-extended, xor-ed in  |
 *
 * Entries of one linear page form a window; block_store.c keeps, for each window, the
 * frame that the page maps to, and empties it when that changes.
 */
struct cpu_front {
    uint64_t key;
    uint16_t insns;
    uint16_t rdtsc_tail_cost; /* see struct cpu_block; UINT16_MAX: ask the store */
    uint32_t cost;
};
_Static_assert(sizeof(struct cpu_front) == 16, "four to a cache line");

#define CPU_WINDOW_SHIFT 11 /* entries of a window: one for each 2 bytes of a page */
#define CPU_WINDOWS 1024
#define CPU_FRONT_ENTRIES (CPU_WINDOWS << CPU_WINDOW_SHIFT)
/* Blocks that start at neighbouring bytes share an entry; few blocks are one byte long. */
#define CPU_FRONT_INDEX(va) (((va) >> 1) & (CPU_FRONT_ENTRIES - 1))
#define CPU_KEY_SIZE_SHIFT 48
#define CPU_KEY_MODE_SHIFT 61
#define CPU_KEY_MODE_UNKNOWN (3ull << CPU_KEY_MODE_SHIFT) /* no block has it: misses */
#define CPU_KEY_POINT (1ull << 63) /* in an entry: the block begins with an execution point */
#define CPU_RING 32

struct cpu_window {
    uint64_t page; /* linear page number; UINT64_MAX: none */
    uint64_t mfn;
    uint32_t used_lines[64]; /* bitmap of entries that may be set */
};

/* Why the engine came back. */
enum cpu_why {
    WHY_NONE,      /* ran to a cut: a special instruction is next */
    WHY_BOUNDARY,  /* a block's hook: something is due at or inside the block */
    WHY_SPECIAL,   /* a block's hook: its first instruction is special */
    WHY_CUT,       /* a block's hook: a special instruction lies inside, at cut_va */
    WHY_EXCEPTION, /* exception raised by the library: exc_vector .. */
    WHY_SYSCALL,
    WHY_SYSENTER,
    WHY_FAULT,     /* the TLB fill refused: fault */
    WHY_GAVE_UP,   /* the library cannot translate what lies at RIP */
    WHY_NO_FETCH,  /* a block's hook: what lies there may not be executed: fault */
};

/* What a refused TLB fill means. */
enum cpu_fault_kind {
    FAULT_PAGE,
    FAULT_NONCANONICAL,
    FAULT_DEVICE,
    FAULT_BUS,
    FAULT_CR3,      /* it has bits that the CPU model does not have */
    FAULT_WATCH,    /* no fault: a page with a data breakpoint */
    FAULT_OWN_CODE, /* no fault: a block is about to write the frame it executes from */
    FAULT_AROUND,   /* no fault: EIP has gone around, and the library's has not */
};

/* An instruction decoded before: cpu_fetch_insn(). */
#define CPU_DECODED 64
struct cpu_decoded {
    uint64_t va;
    uint8_t mode, size;
    uint8_t bytes[22]; /* 15 of them; then there is no padding */
    struct cpu_insn insn;
};

/* Breakpoints of the loaded vCPU's debug registers: debug.c. */
struct cpu_watch {
    bool any, exec, data;
    bool open;    /* the step under way may access watched pages */
    bool filled;  /* ... and has: the TLB holds entries that it must not */
    uint8_t hits; /* B0 to B3 for what the instruction under way accesses */
    uint8_t enabled; /* bit n: DRn is */
    uint8_t type[4];
    uint8_t bytes[4];
    uint64_t at[4];
    uint64_t dr7, cr4; /* what it was made from, with at[] */
    unsigned vcpu;
};

/* Execution points: execpoint.c. */
struct cpu_points {
    GArray *list;        /* struct execpoint, by address */
    unsigned count;      /* of them */
    uint64_t generation; /* of the list */
    uint64_t last_va, last_insns; /* the attempt that was told last ... */
    unsigned last_vcpu;           /* ... CPU_MAX_VCPUS: none */
    struct base_guest guest;
};

/* Pages that stand for device memory during one step: device.c. */
#define CPU_SCRATCH_PAGES 8
#define CPU_SCRATCH_PARTS 12
#define CPU_SCRATCH_PA (MMU_RAM_HIGH_BASE - CPU_SCRATCH_PAGES * PAGE_SIZE) /* never RAM */
struct cpu_scratch_part {
    uint64_t pa; /* of the device */
    uint32_t size;
    uint8_t *at; /* in the scratch page */
    bool read, write;
};
struct cpu_scratch {
    uint8_t *host; /* the pages, then as many for what they were before the instruction */
    unsigned pages, parts;
    uint64_t page[CPU_SCRATCH_PAGES]; /* linear page numbers */
    struct cpu_scratch_part part[CPU_SCRATCH_PARTS];
};

struct cpu_fault {
    enum cpu_fault_kind kind;
    unsigned access; /* MMU_READ, MMU_WRITE, MMU_FETCH */
    uint64_t va;
    bool exact; /* va is the byte, not only its page */
    uint64_t pa; /* FAULT_DEVICE */
    uint32_t error_code;
};

struct engine; /* engine.c */
struct blocks; /* block_store.c */
struct block_copies; /* block_smc.c */

struct cpu {
    /* Hot: one cache line for the block hook. */
    int64_t left; /* cycles to limit; negative: past it */
    struct cpu_front *front;
    uint64_t mode_key; /* mode of the code that runs, as in a key */
    uint64_t insns; /* of all vCPUs */
    uint64_t ring[CPU_RING]; /* keys of the last blocks */
    uint64_t blocks; /* not next to insns: two counters in one vector register are slower */
    void (*block_miss)(struct cpu *c, uint64_t va, uint32_t size); /* blocks_miss() and blocks_due(): */
    void (*block_due)(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost);
    uint64_t parts;  /* how many of them were not blocks of their own: see blocks_done() */

    uint64_t limit; /* cycle counter's value at left == 0 */
    uint64_t target; /* what cpu_run() shall stop at; limit is earlier when attention is needed */
    uint64_t insn_limit;

    enum cpu_why why;
    bool stopping; /* the engine was told to stop: a block's hook until then counts nothing */
    bool running;  /* inside the engine */
    bool stop_requested;
    bool stepping; /* one instruction by TF */
    bool looking;  /* the instruction is fetched only */
    bool must_step; /* the next block is too long: step */
    bool step_failed; /* a step could not fetch its instruction */
    uint64_t step_va; /* where the step's first block began */
    unsigned step_blocks; /* how many it has begun */
    struct cpu_watch watch;
    struct cpu_points points;
    struct cpu_scratch scratch;
    uint64_t lone_reg; /* rCX or rSP when a lone store in a MIXED frame began (block_smc.c) ... */
    uint64_t lone_blocks; /* ... and the count of blocks with it */
    uint64_t left_block;  /* c->blocks when the block that ran last was found to be left early */
    bool checking;  /* each instruction is checked before it: see check.c */
    bool iret_ends_nmi; /* the block that runs ends with IRET while NMIs are blocked */
    uint32_t step_cost;
    uint64_t cut_va;
    unsigned cut_tries;
    bool cutting;
    struct cpu_fault fault;
    unsigned exc_vector;
    uint64_t step_block; /* c->blocks when the last counted block was a step */
    uint64_t cr3_reserved; /* bits of CR3 that the model does not have */
    uint64_t good_cr3;   /* the last one without them */
    void *undo;          /* registers before a far transfer */
    uint64_t implicit_page; /* linear page granted to implicit accesses of a step; ~0: none */

    struct engine *engine;
    struct blocks *block_store;
    struct block_copies *copies;
    struct cpu_window windows[CPU_WINDOWS];
    struct cpu_decoded decoded[CPU_DECODED];
    uint8_t *flips;    /* of each frame: how often it became code */
    GArray *written;   /* frames with MMU_FRAME_WRITTEN */
    GArray *mixed;     /* frames with MMU_FRAME_MIXED */
    uint64_t mixed_until; /* instruction count at which they get another chance */
    struct cpu_tlb *tlb[CPU_MAX_VCPUS];
    unsigned ahead;           /* pages that the library has fetched from and that may not be executed ... */
    uint64_t ahead_pages[4];  /* ... the first of them: see tlb.c */
    uint64_t later_block, later_va; /* c->blocks when a block began to run of which a second page has
                                       been fetched, and that page */
    uint64_t cr3_block;       /* c->blocks when a block began to run that ends with MOV CR3 */
    struct cpu_env *env; /* raw view, or the saved context's data */
    bool portable;

    struct cpu_config config;
    struct cpu_bus bus;
    const struct cpu_model *model;
    struct cpu_timing timing;
    struct mmu_ram *ram;
    const struct base_probe *probe;
    unsigned current;
    uint64_t insns_at_load, blocks_at_load; /* of the loaded vCPU's counters */
    uint64_t block_at_load; /* c->blocks when it was loaded */
    struct cpu_vcpu vcpu[CPU_MAX_VCPUS];
    bool crashed;
    bool reset; /* triple fault */
    char fault_text[256];
};

static inline uint64_t cpu_now(const struct cpu *c)
{
    return c->limit - (uint64_t)c->left;
}

/* Move the point where left is 0 without moving time. */
static inline void cpu_set_limit(struct cpu *c, uint64_t limit)
{
    c->left += (int64_t)(limit - c->limit);
    c->limit = limit;
}

/* Blocks executed, whatever stops and self-modification made of them: an instruction that is stepped
 * is a part of the block that goes on behind it. */
static inline uint64_t blocks_done(const struct cpu *c)
{
    return c->blocks - c->parts;
}

static inline uint64_t cpu_key(const struct cpu *c, uint64_t va, uint32_t size)
{
    return va ^ ((uint64_t)size << CPU_KEY_SIZE_SHIFT) ^ c->mode_key;
}
static inline uint64_t cpu_key_va(uint64_t key)
{
    return (uint64_t)((int64_t)(key << 16) >> 16);
}
static inline uint32_t cpu_key_size(uint64_t key)
{
    return (uint32_t)((key ^ cpu_key_va(key)) >> CPU_KEY_SIZE_SHIFT) & 0x1fff;
}
static inline enum cpu_mode cpu_key_mode(uint64_t key)
{
    return (enum cpu_mode)(((key ^ cpu_key_va(key)) >> CPU_KEY_MODE_SHIFT) & 3);
}

/** engine_block_hook - the code of the block hook, for the library.  Lives as long as the engine. */
void *engine_block_hook(struct cpu *c);

/* ---- engine.c ---- */

bool engine_open(struct cpu *c, GError **error);
void engine_close(struct cpu *c);
/** engine_start - run from env->eip until a hook stops it; c->why says why. */
void engine_start(struct cpu *c);
/** engine_stop - from a hook: come back before the next block. */
void engine_stop(struct cpu *c, enum cpu_why why);
/** engine_flush_tlb - the library's, not the guest's: cpu_flush_tlb(). */
void engine_flush_tlb(struct cpu *c);
/** engine_settle - the library may give its TLB another size. */
void engine_settle(struct cpu *c);
/** engine_drop_all - forget all translated code. */
void engine_drop_all(struct cpu *c);
/** engine_drop_frame - forget translated code of frame @mfn. */
void engine_drop_frame(struct cpu *c, uint64_t mfn);
/** engine_drop_range - forget translated code at linear [@va, @va + @size). */
void engine_drop_range(struct cpu *c, uint64_t va, uint32_t size);
/** engine_cut - blocks translated from now on end before linear @va; 0 takes it back. */
void engine_cut(struct cpu *c, uint64_t va);
void *engine_context_new(struct cpu *c);
void engine_context_free(struct cpu *c, void *context);
void engine_context_save(struct cpu *c, void *context);
void engine_context_load(struct cpu *c, void *context);
/** engine_context_env - the registers in a saved context. */
struct cpu_env *engine_context_env(struct cpu *c, void *context);
void engine_visit_fpu(struct cpu *c, struct base_state *st);
const char *engine_text(const struct cpu *c);

/* ---- blocks.c ---- */

bool blocks_init(struct cpu *c);
void blocks_fini(struct cpu *c);
/** blocks_miss - the block hook's slow half: the front cache does not know the block. */
void blocks_miss(struct cpu *c, uint64_t va, uint32_t size);
/** blocks_due - the block hook's slow half: the counter ran out (the block is counted). */
void blocks_due(struct cpu *c, uint64_t va, uint32_t size, uint32_t insns, uint32_t cost);
/** blocks_page_is - the engine executes linear page @page from frame @mfn. */
void blocks_page_is(struct cpu *c, uint64_t page, uint64_t mfn);
/** blocks_frame_changed - code in frame @mfn is not what it was. */
void blocks_frame_changed(struct cpu *c, uint64_t mfn);
/** blocks_uncount_tail - the block that ran last was left before linear @va: take back the
 *  instructions from there to its end. */
void blocks_uncount_tail(struct cpu *c, uint64_t va);
/** blocks_is_inside - whether RIP lies in the block that ran last: it has been left early. */
bool blocks_is_inside(struct cpu *c);
/** blocks_last_insn - linear address of the last instruction of the block that ran last. */
bool blocks_last_insn(struct cpu *c, uint64_t *va);
/** blocks_rdtsc_tail - cost of the running block from its first RDTSC on. */
uint32_t blocks_rdtsc_tail(struct cpu *c);
/** blocks_last_flags - CPU_INSN_* of the last instruction of the block that ran last. */
uint32_t blocks_last_flags(struct cpu *c);
/** blocks_forget_all - empty the front cache. */
void blocks_forget_all(struct cpu *c);
/** blocks_forget_page - empty the front cache of blocks that have code in linear page @page. */
void blocks_forget_page(struct cpu *c, uint64_t page);
/** blocks_executes_frame - whether the block that runs now has code in frame @mfn. */
bool blocks_executes_frame(struct cpu *c, uint64_t mfn);

/* ---- tlb.c ---- */

struct cpu_tlb;

/* What a TLB grants of a page. */
struct tlb_page {
    uint64_t pa;
    unsigned rights; /* MMU_READ, MMU_WRITE, MMU_FETCH */
};

enum tlb_fetch {
    TLB_FETCHED,
    TLB_STEP,  /* to be executed step by step: the second page has not been accessed before */
    TLB_FAULT, /* c->fault is the page fault */
};

bool tlb_init(struct cpu *c);
void tlb_fini(struct cpu *c);
/** tlb_find - the page of linear @va for the privilege in @regs.  Returns: false unless the loaded
 *  vCPU's TLB grants @access (one of MMU_READ, MMU_WRITE, MMU_FETCH). */
bool tlb_find(struct cpu *c, const struct mmu_regs *regs, uint64_t va, unsigned access,
              struct tlb_page *out);
/** tlb_insert - what a walk has found for linear @va. */
void tlb_insert(struct cpu *c, const struct mmu_regs *regs, uint64_t va,
                const struct mmu_translation *t);
/** tlb_page_of - what a walk grants. */
void tlb_page_of(const struct mmu_translation *t, struct tlb_page *out);
/** tlb_drop_page - INVLPG of a page that tlb_may_be_large() says is not large. */
void tlb_drop_page(struct cpu *c, uint64_t va);
/** tlb_may_be_large - whether the TLB may hold a large page's entries around linear @va. */
bool tlb_may_be_large(const struct cpu *c, uint64_t va);
/** tlb_forget_all - empty the TLBs of all vCPUs. */
void tlb_forget_all(struct cpu *c);
/** tlb_cr3_is_loaded - the library has executed MOV CR3, and emptied its own. */
void tlb_cr3_is_loaded(struct cpu *c);
/** tlb_ahead - the library has been given linear @va to fetch from. */
void tlb_ahead(struct cpu *c, uint64_t va);
/** tlb_forget_ahead - nobody executes what the library has fetched. */
void tlb_forget_ahead(struct cpu *c);
/** tlb_fetch - the instructions in linear [@va, @va + @size), or @single one, are about to execute. */
enum tlb_fetch tlb_fetch(struct cpu *c, uint64_t va, uint32_t size, bool single);
/** tlb_left_early - the block that ran last has been left at linear @va, before its end. */
void tlb_left_early(struct cpu *c, uint64_t va);
/** tlb_visit - what the TLBs hold. */
void tlb_visit(struct cpu *c, struct base_state *st);

/* ---- frames.c: W^X ---- */

/** frames_fill - TLB fill.  Returns: false with c->fault set to refuse it. */
bool frames_fill(struct cpu *c, uint64_t va, unsigned access, uint64_t *pa, unsigned *rights);
/** frames_reconsider - MIXED frames become plain ones now and then; between runs of the engine. */
void frames_reconsider(struct cpu *c);
/** frames_flushed - the engine's TLB has been flushed. */
void frames_flushed(struct cpu *c);
/** frames_code_written - a CODE or MIXED frame is written from outside. */
void frames_code_written(void *user, uint64_t mfn);
/** frames_mix - frame @mfn holds code and data at once. */
void frames_mix(struct cpu *c, uint64_t mfn);
/** frames_visit - W^X states, as far as they outlive a flush; LOAD: after RAM has been cleared. */
void frames_visit(struct cpu *c, struct base_state *st);
bool frames_init(struct cpu *c);
void frames_fini(struct cpu *c);

/* ---- debug.c: breakpoints ---- */

/** debug_arm - the loaded vCPU's debug registers or CR4.DE may have changed. */
void debug_arm(struct cpu *c);
/** debug_in_block - an instruction breakpoint lies in linear [@va, @va + @size). */
bool debug_in_block(const struct cpu *c, uint64_t va, uint32_t size);
/** debug_withheld - rights that the TLB must not have for the page of @va. */
unsigned debug_withheld(struct cpu *c, uint64_t va);
/** debug_before - is an instruction breakpoint due at RIP?  Then DR6 says so. */
bool debug_before(struct cpu *c);
/** debug_look - note the breakpoints that @insn, about to be executed, hits. */
void debug_look(struct cpu *c, const struct cpu_insn *insn);
/** debug_take - B0 to B3 that are due now, after an instruction; @mov_ss: it holds them back. */
unsigned debug_take(struct cpu *c, bool mov_ss);

/* ---- device.c ---- */

bool device_init(struct cpu *c);
void device_fini(struct cpu *c);
/** device_scratch_page - the page that stands for that of linear @va; false: none does. */
bool device_scratch_page(struct cpu *c, uint64_t va, uint64_t *pa);
/** device_step - execute @insn, at env->eip, whose device access at c->fault has been refused.
 *  Returns: false when it needs more pages than there are. */
bool device_step(struct cpu *c, const struct cpu_insn *insn);
/** device_commit - the instruction is complete: what it has written goes to the device. */
void device_commit(struct cpu *c);

/* ---- execpoint.c ---- */

void execpoint_init(struct cpu *c);
void execpoint_fini(struct cpu *c);
/** execpoint_first - the lowest point in linear [@va, @va + @size).  Returns: false: there is none. */
bool execpoint_first(const struct cpu *c, uint64_t va, uint32_t size, uint64_t *first);
/** execpoint_fire - the instruction at linear @va, which may or may not be a point, is about to
 *  execute: tell the observers. */
void execpoint_fire(struct cpu *c, uint64_t va);
/** execpoint_forget_last - the instruction count has been set: no attempt has been told. */
void execpoint_forget_last(struct cpu *c);

/* ---- check.c, far.c: asked by the block hook's slow half ---- */

/** cpu_must_check - whether each instruction has to be checked before it is executed. */
bool cpu_must_check(struct cpu *c);
/** cpu_must_check_fsgs - the same for those that use FS or GS outside 64-bit mode. */
bool cpu_must_check_fsgs(struct cpu *c);
/** cpu_far_is_plain - IRET or SYSRET, alone in its block, needs no check beyond the library's. */
bool cpu_far_is_plain(struct cpu *c, const uint8_t *code, uint32_t size);

/* ---- run.c ---- */

/** cpu_arm - set the counter so that the hook looks when something is due. */
void cpu_arm(struct cpu *c);
/** cpu_can_interrupt - an interrupt or NMI would be taken before the next instruction. */
bool cpu_can_interrupt(struct cpu *c);
/** cpu_probe_at - where and when, for a probe. */
void cpu_probe_at(struct cpu *c, struct base_probe_at *at);

#endif
