/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: mmu_update, update_va_mapping, mmuext_op, and the frames of descriptor tables.
 *
 * Left out of a domain that is to survive: entries of the kernel's own tables but those of the windows,
 * roots without the kernel, and clearing or overwriting what is not in the pools.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"

/* An entry for a table of any level. */
static u64 some_entry(struct fuzz_cpu *cpu, u64 mfn)
{
    u64 e = mfn << PAGE_SHIFT | PTE_P;

    if (fuzz_one_in(cpu, 4))
        return fuzz_one_in(cpu, 4) ? e & ~PTE_P : 0;
    if (!fuzz_one_in(cpu, 3) && fuzz_may_write(mfn))
        e |= PTE_RW;
    if (fuzz_one_in(cpu, 2))
        e |= PTE_US;
    e |= fuzz_one_in(cpu, 10) ? fuzz_random(cpu) & (e & PTE_RW ? 0xffful : 0xffful & ~PTE_RW) : PTE_A;
    if (fuzz_one_in(cpu, 16))
        e |= fuzz_random(cpu) & 0xfff0000000000000;
    return e;
}

/* Low slots, so that tables meet, and now and then any. */
static u64 slot(struct fuzz_cpu *cpu)
{
    return fuzz_one_in(cpu, 3) ? fuzz_below(cpu, 512) : fuzz_below(cpu, 6);
}

static u64 window_entry(struct fuzz_cpu *cpu)
{
    return fuzz.window_entry + fuzz_below(cpu, FUZZ_WINDOW) * 8;
}

/* The foreigndom argument, and frames that go with it. */
struct whose {
    u32 domid;
    struct board *of;  /* maps frames of this domain, NULL: own ones */
    bool its_tables;   /* into its tables */
};

static struct whose whose(struct fuzz_cpu *cpu)
{
    struct whose w = {.domid = DOMID_SELF};
    struct board *peer = fuzz_peer(cpu);

    if (peer && fuzz_one_in(cpu, fuzz.dom0 ? 4 : 20)) {
        w.domid = peer->domid;
        w.of = peer;
        w.its_tables = fuzz_one_in(cpu, 3);
        if (w.its_tables)
            w.domid |= (u32)(peer->domid + 1) << 16;
    } else if (fuzz_one_in(cpu, 30)) {
        w.domid = fuzz_domid(cpu);
        if (fuzz_one_in(cpu, 4))
            w.domid |= (u32)fuzz_random(cpu) << 16;
    }
    return w;
}

static u64 whose_mfn(struct fuzz_cpu *cpu, const struct whose *w)
{
    return w->of && !fuzz_one_in(cpu, 8) ? w->of->mfn[fuzz_below(cpu, BOARD_FRAMES)] : fuzz_mfn(cpu);
}

static bool learn_zero(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    (void)cpu;
    (void)call;
    return result == 0;
}

static u64 some_request_ptr(struct fuzz_cpu *cpu, const struct whose *w)
{
    u64 ptr;

    if (w->its_tables)
        ptr = w->of->mfn[fuzz_below(cpu, BOARD_FRAMES)] << PAGE_SHIFT | slot(cpu) << 3;
    else if (fuzz_one_in(cpu, 4))
        ptr = window_entry(cpu);
    else if (fuzz_one_in(cpu, 16))
        ptr = FUZZ_PICK(cpu, fuzz.page_mfn) << PAGE_SHIFT | slot(cpu) << 3;
    else
        ptr = fuzz_own_mfn(cpu) << PAGE_SHIFT | slot(cpu) << 3;
    if (fuzz_one_in(cpu, 8))
        ptr |= fuzz_one_in(cpu, 4) ? fuzz_below(cpu, 8) : MMU_PT_UPDATE_PRESERVE_AD;
    return ptr;
}

static bool gen_mmu_update(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = fuzz_one_in(cpu, 10) ? 1 + (u32)fuzz_below(cpu, 60) : 1 + (u32)fuzz_below(cpu, 4);
    mmu_update_t *request = fuzz_buffer(cpu, n * sizeof *request);
    u32 *done = fuzz_buffer(cpu, sizeof *done);
    struct whose w = whose(cpu);

    for (u32 i = 0; i < n; i++) {
        request[i].ptr = some_request_ptr(cpu, &w);
        request[i].val = (request[i].ptr & 7) == MMU_MACHPHYS_UPDATE ? fuzz_below(cpu, 0x1000)
                                                                     : some_entry(cpu, whose_mfn(cpu, &w));
        /* The frames that the kernel looks up in the machine-to-phys table are not in the pools. */
        if ((request[i].ptr & 7) == MMU_MACHPHYS_UPDATE && !fuzz.reckless)
            request[i].ptr = fuzz.mfn[fuzz_loose(cpu)] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
    }
    fuzz_call_set(call, __HYPERVISOR_mmu_update, 0, (u64)request, n,
                  fuzz_one_in(cpu, 2) ? fuzz_pointer(cpu, done) : 0);
    call->arg[3] = w.domid;
    call->learn = learn_zero;
    return true;
}

/* The last argument of update_va_mapping: what is flushed, where. */
static u64 flush_flags(struct fuzz_cpu *cpu)
{
    u64 *vcpus;

    switch (fuzz_below(cpu, 8)) {
    case 0:
        vcpus = fuzz_buffer(cpu, 8);
        *vcpus = fuzz_random(cpu);
        return fuzz_pointer(cpu, vcpus) | fuzz_below(cpu, 3);
    case 1:
        return fuzz_random(cpu);
    case 2:
        return UVMF_ALL | fuzz_below(cpu, 4);
    }
    return fuzz_below(cpu, 4);
}

static bool gen_va_mapping(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct whose w = whose(cpu);
    /* Any address: but the kernel lives in the upper 2 GiB. */
    u64 va = fuzz_one_in(cpu, 16) ? fuzz_bad_pointer(cpu) : fuzz_window_address(cpu);

    if (fuzz.reckless && fuzz_one_in(cpu, 24))
        va = VIRT_BASE + fuzz_below(cpu, start_info->nr_pages) * PAGE_SIZE;
    else if (va >= VIRT_BASE && va - fuzz.window >= FUZZ_WINDOW * PAGE_SIZE && !fuzz.reckless)
        va = fuzz.window;
    if (w.its_tables) /* there is no such thing here */
        w.domid &= 0xffff;
    call->learn = learn_zero;
    if (w.domid == DOMID_SELF) {
        fuzz_call_set(call, __HYPERVISOR_update_va_mapping, 0, va, some_entry(cpu, fuzz_mfn(cpu)), flush_flags(cpu));
        return true;
    }
    fuzz_call_set(call, __HYPERVISOR_update_va_mapping_otherdomain, 0, va, some_entry(cpu, whose_mfn(cpu, &w)), flush_flags(cpu));
    call->arg[3] = w.domid;
    return true;
}

static void some_extended(struct fuzz_cpu *cpu, struct mmuext_op *op)
{
    static const u8 commands[] = {
        MMUEXT_PIN_L1_TABLE,     MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,     MMUEXT_PIN_L2_TABLE,
        MMUEXT_PIN_L3_TABLE,     MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,     MMUEXT_PIN_L4_TABLE,
        MMUEXT_UNPIN_TABLE,      MMUEXT_UNPIN_TABLE,  MMUEXT_UNPIN_TABLE,      MMUEXT_UNPIN_TABLE,
        MMUEXT_UNPIN_TABLE,      MMUEXT_NEW_BASEPTR,  MMUEXT_TLB_FLUSH_LOCAL,  MMUEXT_INVLPG_LOCAL,
        MMUEXT_TLB_FLUSH_MULTI,  MMUEXT_INVLPG_MULTI, MMUEXT_TLB_FLUSH_ALL,    MMUEXT_INVLPG_ALL,
        MMUEXT_FLUSH_CACHE,      MMUEXT_SET_LDT,      MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE,
        MMUEXT_CLEAR_PAGE,       MMUEXT_COPY_PAGE,    MMUEXT_COPY_PAGE,        MMUEXT_FLUSH_CACHE_GLOBAL,
        MMUEXT_MARK_SUPER,       MMUEXT_UNMARK_SUPER, 14,                      30};
    u64 *vcpus;

    op->cmd = FUZZ_PICK(cpu, commands);
    op->arg1.mfn = fuzz_mfn(cpu);
    op->arg2.src_mfn = fuzz_mfn(cpu);
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE: case MMUEXT_PIN_L2_TABLE: case MMUEXT_PIN_L3_TABLE: case MMUEXT_PIN_L4_TABLE:
    case MMUEXT_UNPIN_TABLE:
        /* Even the kernel's own: what it needs is held by more than pins. */
        if (!fuzz_one_in(cpu, 10))
            op->arg1.mfn = fuzz_own_mfn(cpu);
        break;
    case MMUEXT_NEW_BASEPTR:
        /* A root without the kernel would be the last one. */
        if (!fuzz.reckless || !fuzz_one_in(cpu, 8))
            op->arg1.mfn = fuzz_one_in(cpu, 16) ? fuzz_below(cpu, 2) * 0xffffff : FUZZ_PICK(cpu, fuzz.root_mfn);
        break;
    case MMUEXT_NEW_USER_BASEPTR:
        if (fuzz_one_in(cpu, 3))
            op->arg1.mfn = fuzz_one_in(cpu, 2) ? 0 : FUZZ_PICK(cpu, fuzz.root_mfn);
        break;
    case MMUEXT_INVLPG_LOCAL: case MMUEXT_INVLPG_MULTI: case MMUEXT_INVLPG_ALL: case MMUEXT_TLB_FLUSH_MULTI:
        op->arg1.linear_addr = fuzz_address(cpu);
        vcpus = fuzz_buffer(cpu, 8);
        *vcpus = fuzz_random(cpu);
        op->arg2.vcpumask.p = (void *)fuzz_pointer(cpu, vcpus);
        break;
    case MMUEXT_SET_LDT:
        op->arg1.linear_addr = fuzz_one_in(cpu, 4) ? fuzz_address(cpu) : fuzz_window_address(cpu);
        op->arg2.nr_ents = (u32)fuzz_below(cpu, fuzz_one_in(cpu, 4) ? 9000 : 32);
        break;
    case MMUEXT_CLEAR_PAGE: case MMUEXT_COPY_PAGE:
        op->arg1.mfn = fuzz_one_in(cpu, 4) ? FUZZ_PICK(cpu, fuzz.page_mfn) : fuzz_own_mfn(cpu);
        break;
    }
}

static bool gen_extended(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = fuzz_one_in(cpu, 6) ? 1 + (u32)fuzz_below(cpu, 12) : 1;
    struct mmuext_op *op = fuzz_buffer(cpu, n * sizeof *op);
    u32 *done = fuzz_buffer(cpu, sizeof *done);
    struct board *peer = fuzz_peer(cpu);
    u32 domid = DOMID_SELF;

    for (u32 i = 0; i < n; i++)
        some_extended(cpu, &op[i]);
    /* On behalf of others, as a toolstack pins their roots. */
    if (peer && fuzz_one_in(cpu, fuzz.dom0 ? 6 : 30)) {
        domid = peer->domid;
        for (u32 i = 0; i < n; i++)
            op[i].arg1.mfn = peer->mfn[fuzz_below(cpu, BOARD_FRAMES)];
    }
    fuzz_call_set(call, __HYPERVISOR_mmuext_op, op->cmd, (u64)op, n, fuzz_one_in(cpu, 2) ? fuzz_pointer(cpu, done) : 0);
    call->arg[3] = domid;
    call->learn = learn_zero;
    return true;
}

static bool gen_gdt(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u32 odd[] = {7168, 7169, 8192, ~0u};
    u64 *frames = fuzz_buffer(cpu, 16 * sizeof *frames);
    u32 entries = fuzz_one_in(cpu, 10) ? FUZZ_PICK(cpu, odd) : (u32)fuzz_below(cpu, fuzz_one_in(cpu, 3) ? 1600 : 512);

    for (u32 i = 0; i < 16; i++)
        frames[i] = fuzz_one_in(cpu, 6) ? fuzz_mfn(cpu) : fuzz.mfn[fuzz_loose(cpu)];
    fuzz_call_set(call, __HYPERVISOR_set_gdt, 0, (u64)frames, entries, 0);
    call->learn = learn_zero;
    return true;
}

static bool gen_descriptor(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u64 good[] = {0, 0x00affb000000ffff, 0x00cff3000000ffff, 0x00cffb000000ffff,
                               0x0020fb0000000000, 0x0000e20000000000 | 0xe0330000, 0x00008b0000000067};
    u64 mfn = fuzz_one_in(cpu, 6) ? FUZZ_PICK(cpu, fuzz.page_mfn) : fuzz_own_mfn(cpu);

    fuzz_call_set(call, __HYPERVISOR_update_descriptor, 0,
                  mfn << PAGE_SHIFT | slot(cpu) << 3 | (fuzz_one_in(cpu, 20) ? fuzz_below(cpu, 8) : 0),
                  fuzz_one_in(cpu, 3) ? fuzz_random(cpu) : FUZZ_PICK(cpu, good), 0);
    return true;
}

fuzz_generator fuzz_gen_tables(struct fuzz_cpu *cpu)
{
    switch (fuzz_below(cpu, 16)) {
    case 0: case 1: case 2: case 3: case 4: case 5:
        return gen_mmu_update;
    case 6: case 7: case 8:
        return gen_va_mapping;
    case 9:
        return gen_gdt;
    case 10:
        return gen_descriptor;
    }
    return gen_extended;
}
