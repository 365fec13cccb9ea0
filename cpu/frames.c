/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB's fill: page walk, device memory, and W^X for each frame.
 *
 * The library drops translated code only when it sees the write, and it does not see writes
 * through another linear address whose TLB entry is warm, nor ours.  So a frame is never
 * writable and executable at once:
 *
 *            fetch fill: flush if WRITTEN
 *     DATA ------------------------------> CODE     DATA: no TLB entry may execute it
 *          <------------------------------          CODE: no TLB entry may write it
 *            write fill or outside write:
 *            drop its code, flush
 *
 *     -> MIXED, from either, when the writer executes from the very frame (the write is refused
 *        first and done again, so that the block notices) or it has flipped FLIPS_MAX times: writable and executable, and every TLB entry says so, because only
 *        then does the library check stores against code.  blocks.c checks no-execute there.
 *
 * Frame states, and so flips and flushes, depend on the guest's history only.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"

#define FLIPS_MAX 16
/* Frames are MIXED mostly while a kernel patches its text: after so many instructions they are
 * tried as plain ones again, with FLIPS_AGAIN flips to go. */
#define MIXED_INSNS 30000000u
#define FLIPS_AGAIN 4

bool frames_init(struct cpu *c)
{
    c->flips = calloc(c->ram->top >> PAGE_SHIFT, 1); /* pages that are never touched cost nothing */
    c->written = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->mixed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return c->flips != NULL;
}

void frames_fini(struct cpu *c)
{
    free(c->flips);
    if (c->written)
        g_array_free(c->written, TRUE);
    if (c->mixed)
        g_array_free(c->mixed, TRUE);
}

void frames_flushed(struct cpu *c)
{
    for (guint i = 0; i < c->written->len; i++)
        c->ram->frame[g_array_index(c->written, uint64_t, i)] &= (uint8_t)~MMU_FRAME_WRITTEN;
    g_array_set_size(c->written, 0);
}

static void mark_written(struct cpu *c, uint64_t mfn)
{
    uint8_t *f = &c->ram->frame[mfn];

    if (!(*f & MMU_FRAME_WRITTEN)) {
        *f |= MMU_FRAME_WRITTEN;
        g_array_append_val(c->written, mfn);
        mmu_ram_mark(c->ram, mfn);
    }
}

/* One more flip of @mfn.  Returns: how many there were. */
static unsigned count_flip(struct cpu *c, uint64_t mfn)
{
    if (c->flips[mfn] <= FLIPS_MAX)
        c->flips[mfn]++;
    return c->flips[mfn];
}

/* Flushes the TLB as well. */
static void drop_code(struct cpu *c, uint64_t mfn)
{
    engine_drop_frame(c, mfn);
    blocks_frame_changed(c, mfn);
}

void frames_mix(struct cpu *c, uint64_t mfn)
{
    drop_code(c, mfn);
    c->ram->frame[mfn] = (uint8_t)((c->ram->frame[mfn] & ~MMU_FRAME_CODE) | MMU_FRAME_MIXED);
    g_array_append_val(c->mixed, mfn);
    if (c->mixed->len == 1)
        c->mixed_until = c->insns + MIXED_INSNS;
}

void frames_reconsider(struct cpu *c)
{
    if (!c->mixed->len || c->insns < c->mixed_until)
        return;
    for (guint i = 0; i < c->mixed->len; i++) {
        uint64_t mfn = g_array_index(c->mixed, uint64_t, i);

        drop_code(c, mfn);
        c->ram->frame[mfn] &= (uint8_t)~(MMU_FRAME_MIXED | MMU_FRAME_CODE);
        c->flips[mfn] = FLIPS_MAX - FLIPS_AGAIN;
    }
    g_array_set_size(c->mixed, 0);
}

void frames_code_written(void *user, uint64_t mfn)
{
    struct cpu *c = user;

    drop_code(c, mfn);
    c->ram->frame[mfn] &= (uint8_t)~MMU_FRAME_CODE;
}

/* Rights that the W^X state of @mfn leaves of those that the page tables give. */
static unsigned frame_rights(struct cpu *c, uint64_t mfn, unsigned access, unsigned rights)
{
    uint8_t *f = &c->ram->frame[mfn];

    if (*f & MMU_FRAME_MIXED) {
        if (rights & MMU_WRITE)
            mark_written(c, mfn);
        return rights | MMU_FETCH;
    }
    if (access == MMU_FETCH) {
        if (*f & MMU_FRAME_CODE)
            return rights & ~(unsigned)MMU_WRITE;
        if (count_flip(c, mfn) > FLIPS_MAX) {
            frames_mix(c, mfn);
            if (rights & MMU_WRITE)
                mark_written(c, mfn);
            return rights | MMU_FETCH;
        }
        if (*f & MMU_FRAME_WRITTEN)
            engine_flush_tlb(c);
        *f |= MMU_FRAME_CODE;
        return rights & ~(unsigned)MMU_WRITE;
    }
    if (access == MMU_WRITE && (*f & MMU_FRAME_CODE))
        frames_code_written(c, mfn);
    rights &= ~(unsigned)((*f & MMU_FRAME_CODE) ? MMU_WRITE : MMU_FETCH);
    if (rights & MMU_WRITE)
        mark_written(c, mfn);
    return rights;
}

static bool refuse(struct cpu *c, enum cpu_fault_kind kind, unsigned access, uint64_t va,
                   uint64_t pa, uint32_t error_code)
{
    c->fault = (struct cpu_fault){
        .kind = kind, .access = access, .va = va, .pa = pa, .error_code = error_code};
    return false;
}

/*
 * Outside 64-bit mode linear addresses have 32 bits, and so has EIP; the library's have more where code
 * goes around: Jcc, LOOP and JCXZ leave EIP as it is, CS's base may carry.  Returns: false when EIP
 * itself is wrong.
 */
static bool fetch_address(struct cpu *c, uint64_t *va)
{
    const struct cpu_env *env;

    if (!(*va >> 32))
        return true;
    env = env_load(c);
    if (env->hflags & HF_CS64)
        return true;
    *va &= 0xffffffff;
    return !(env->eip >> 32);
}

/* Fetching sets A bits when it is known what will be executed: tlb_fetch(). */
static bool walk(struct cpu *c, const struct mmu_regs *regs, uint64_t va, unsigned access,
                 struct mmu_translation *t)
{
    switch (mmu_walk(c->ram, regs, GVA(va), access == MMU_FETCH ? MMU_FETCH | MMU_PROBE : access, t)) {
    case MMU_FAULT:
        return refuse(c, FAULT_PAGE, access, va, 0, t->error_code);
    case MMU_NONCANONICAL:
        return refuse(c, FAULT_NONCANONICAL, access, va, 0, 0);
    case MMU_BUS:
        return refuse(c, FAULT_BUS, access, va, t->pte_pa[t->levels ? t->levels - 1 : 0], 0);
    default:
        return true;
    }
}

/* What the library gets of a page of RAM: less where there are breakpoints, and W^X.  Returns: false to
 * refuse the access. */
static bool grant(struct cpu *c, uint64_t va, unsigned access, struct tlb_page *page)
{
    uint64_t mfn = page->pa >> PAGE_SHIFT;
    unsigned withheld = 0;

    if (base_unlikely(c->watch.data))
        withheld = debug_withheld(c, va);
    if (withheld & access)
        return refuse(c, FAULT_WATCH, access, va, page->pa | (va & PAGE_MASK), 0);
    if (access == MMU_WRITE && (c->ram->frame[mfn] & MMU_FRAME_CODE) &&
        blocks_executes_frame(c, mfn))
        return refuse(c, FAULT_OWN_CODE, access, va, page->pa | (va & PAGE_MASK), 0);
    c->ram->frame[mfn] |= MMU_FRAME_TOUCHED;
    page->rights = frame_rights(c, mfn, access, page->rights) & ~withheld;
    return true;
}

bool frames_fill(struct cpu *c, uint64_t va, unsigned access, uint64_t *pa, unsigned *rights)
{
    uint64_t library_page = va >> PAGE_SHIFT;
    struct mmu_translation t;
    struct tlb_page page;
    struct mmu_regs regs;
    bool ahead = false;

    if (access == MMU_FETCH && !fetch_address(c, &va))
        return refuse(c, FAULT_AROUND, access, va, 0, 0);
    if (base_unlikely(c->cr3_block && c->cr3_block == c->blocks) && access == MMU_FETCH)
        tlb_cr3_is_loaded(c);
    if (base_unlikely(c->later_block == c->blocks) && va >> PAGE_SHIFT == c->later_va >> PAGE_SHIFT)
        c->later_block = 0; /* it stays: see tlb_left_early() */
    cpu_mmu_regs(c, c->current, &regs);
    if (base_unlikely(regs.cr3 & c->cr3_reserved))
        return refuse(c, FAULT_CR3, access, va, regs.cr3, 0);
    c->good_cr3 = regs.cr3;
    regs.implicit = (va >> PAGE_SHIFT) == c->implicit_page;
    if (!tlb_find(c, &regs, va, access, &page)) {
        if (!walk(c, &regs, va, access, &t))
            return false;
        tlb_page_of(&t, &page);
        if (!mmu_ram_has(c->ram, page.pa, PAGE_SIZE)) {
            *rights = page.rights;
            return (c->scratch.pages && access != MMU_FETCH && device_scratch_page(c, va, pa)) ||
                   refuse(c, FAULT_DEVICE, access, va, t.pa.v, 0);
        }
        if (access == MMU_FETCH)
            page.rights = MMU_FETCH; /* AHEAD: see tlb.c */
        else
            tlb_insert(c, &regs, va, &t);
        ahead = access == MMU_FETCH;
    }
    if (!grant(c, va, access, &page))
        return false;
    *pa = page.pa;
    *rights = page.rights;
    if (access == MMU_FETCH)
        blocks_page_is(c, library_page, page.pa >> PAGE_SHIFT);
    if (ahead)
        tlb_ahead(c, va);
    return true;
}

/* --- what a restored machine has to know ---------------------------------------------------- */

#define SAVED_STATES (MMU_FRAME_CODE | MMU_FRAME_MIXED)

static void visit_frame(struct cpu *c, uint64_t mfn, struct base_state *st)
{
    uint8_t state = c->ram->frame[mfn] & SAVED_STATES;

    BASE_STATE(st, state);
    BASE_STATE(st, c->flips[mfn]);
    if (st->mode != BASE_STATE_LOAD)
        return;
    if ((state & ~SAVED_STATES) || state == SAVED_STATES || c->flips[mfn] > FLIPS_MAX + 1)
        st->bad = true;
    if (st->bad)
        return;
    c->ram->frame[mfn] |= state;
    if (state & MMU_FRAME_MIXED)
        g_array_append_val(c->mixed, mfn);
}

void frames_visit(struct cpu *c, struct base_state *st)
{
    uint64_t frames = c->ram->top >> PAGE_SHIFT, end = UINT64_MAX, mfn;

    BASE_STATE(st, c->mixed_until);
    if (st->mode != BASE_STATE_LOAD) {
        for (mfn = 0; mfn < frames; mfn++) {
            if (!(c->ram->frame[mfn] & SAVED_STATES) && !c->flips[mfn])
                continue;
            BASE_STATE(st, mfn);
            visit_frame(c, mfn, st);
        }
        BASE_STATE(st, end);
        return;
    }
    memset(c->flips, 0, frames);
    g_array_set_size(c->mixed, 0);
    for (;;) {
        BASE_STATE(st, mfn);
        if (st->bad || mfn == end)
            return;
        if (mfn < frames)
            visit_frame(c, mfn, st);
        else
            st->bad = true;
    }
}
