/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of frames: taking, validating, giving back.
 *
 * Invariants:
 *  1. VALIDATED and type L1..L4: each present entry (of L4: each guest's) holds its references.
 *  2. PARTIAL (L2..L4 only): entries [0, nr_valid) hold theirs, no other does.  The type count is 1
 *     and, like one count, belongs to the stack the frame is on.  Nobody else can take the type.
 *  3. Neither stack has a frame twice; hv_frame.link leads to the one below.
 *
 *             hv_get_type_slow                  validate_run: last entry
 *   NONE ------------------------> PARTIAL, on --------------------------> VALIDATED
 *     ^                            v->validating                               |
 *     |                                |  validate_fail, hv_types_abandon      | hv_put_type_last
 *     |   hv_types_drain               v                                       |
 *     +------------------------ PARTIAL, on v->deferred <----------------------+
 *
 * Nothing here recurses: a table that needs a lower one validated puts that on top of the stack;
 * one that is taken apart finds lower ones on top of its own.  So an operation can stop after any
 * entry and go on later, and the state is in the frames alone.
 */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/mm_entry.h"

void hv_tlb_flush_local(void)
{
    u64 cr4 = hv_read_cr4();
    hv_cpu.tlb_clock++;
    hv_write_cr4(cr4 & ~HV_CR4_PGE);
    hv_write_cr4(cr4);
}

static struct hv_domain *owner_of(const struct hv_frame *f)
{
    return likely(f->owner == hv_current->domain->id) ? hv_current->domain : hv_domain_find(f->owner);
}

static int validate_l1(struct hv_frame *f)
{
    u64 *table = hv_frame_va(f);
    struct hv_domain *d = owner_of(f);
    for (u32 i = 0; i < 512; i++) {
        u64 e = table[i];
        if (!(e & HV_PTE_P))
            continue;
        int rc = hv_l1e_get(&e, d, d);
        if (unlikely(rc)) {
            while (i--)
                hv_l1e_put(table[i]);
            return rc;
        }
        if (e != table[i])
            table[i] = e;
    }
    return 0;
}

HV_COLD static int validate_descriptors(struct hv_frame *f)
{
    u64 *table = hv_frame_va(f);
    for (u32 i = 0; i < 512; i++)
        if (!hv_descriptor_fix(&table[i]))
            return -EINVAL;
    return 0;
}

HV_COLD static void push_deferred(struct hv_vcpu *v, struct hv_frame *f)
{
    f->link = v->deferred;
    v->deferred = (u32)hv_frame_mfn(f);
    hv_cpu.work |= HV_WORK_VCPU;
}

HV_PROBE static void begin(struct hv_vcpu *v, struct hv_frame *f)
{
    f->type_count = 1;
    f->count++;
    f->flags |= HV_FRAME_PARTIAL;
    f->nr_valid = 0;
    f->linear = 0;
    f->link = v->validating;
    v->validating = (u32)hv_frame_mfn(f);
}

HV_COLD static bool on_stack(u32 mfn, const struct hv_frame *f)
{
    while (mfn && hv_frame(mfn) != f)
        mfn = hv_frame(mfn)->link;
    return mfn;
}

/* What @v has not finished taking apart is the current vCPU's to finish. */
HV_COLD void hv_types_take_over(struct hv_vcpu *v)
{
    hv_types_abandon(v);
    while (v != hv_current && v->deferred) {
        struct hv_frame *f = hv_frame(v->deferred);
        v->deferred = f->link;
        push_deferred(hv_current, f);
    }
}

HV_COLD void hv_types_abandon(struct hv_vcpu *v)
{
    while (v->validating) {
        struct hv_frame *f = hv_frame(v->validating);
        v->validating = f->link;
        push_deferred(hv_current, f);
    }
    v->validating_root = 0;
}

/* A type count is 0: gives the frame its new type; stale writable mappings go first. */
HV_COLD static void retype(struct hv_frame *f, enum hv_frame_type type)
{
    bool changes = f->type != type;
    f->type = (u8)type;
    f->flags &= (u8)~HV_FRAME_VALIDATED;
    if (changes && f->stamp == hv_cpu.tlb_clock)
        hv_tlb_flush_local();
}

/* @f is valid: what the stack held is the entry's now that made @upper ask for it. */
HV_PROBE static void adopt(struct hv_frame *upper, const struct hv_frame *f)
{
    (void)f;
    ((u64 *)hv_frame_va(upper))[upper->nr_valid++] |= HV_PTE_US;
}

/* Goes on with what is on top of v->validating until the root is done. */
static int validate_run(struct hv_vcpu *v)
{
    while (v->validating) {
        struct hv_frame *f = hv_frame(v->validating), *child;
        u64 *table = hv_frame_va(f);
        while (f->nr_valid < 512) {
            u32 i = f->nr_valid;
            u64 e = table[i];
            if (f->type == HV_TYPE_L4 && i == HV_L4_FIRST) {
                f->nr_valid = HV_L4_LAST + 1;
                continue;
            }
            if (!(e & HV_PTE_P)) {
                f->nr_valid++;
                continue;
            }
            if (hv_preempt())
                return -ERESTART;
            int rc = hv_upper_get(f, &e, &child);
            if (rc == HV_UPPER_NEEDS) {
                retype(child, f->type - 1);
                begin(v, child);
                break;
            }
            if (unlikely(rc)) {
                hv_types_abandon(v);
                return rc;
            }
            if (e != table[i])
                table[i] = e;
            f->nr_valid++;
        }
        if (f->nr_valid < 512)
            continue;
        if (f->type == HV_TYPE_L4)
            hv_l4_fill(table, owner_of(f));
        f->flags = (u8)((f->flags & ~HV_FRAME_PARTIAL) | HV_FRAME_VALIDATED);
        v->validating = f->link;
        if (v->validating)
            adopt(hv_frame(v->validating), f);
        else
            hv_put_page(f);
    }
    v->validating_root = 0;
    return 0;
}

HV_PROBE int hv_get_type_slow(struct hv_frame *f, enum hv_frame_type type)
{
    struct hv_vcpu *v = hv_current;
    int rc = 0;
    if (f->flags & HV_FRAME_PARTIAL) {
        if (type < HV_TYPE_L2 || type > HV_TYPE_L4)
            return -EBUSY;
        if (f->type != type)
            return -EINVAL;
        if (v->validating_root == hv_frame_mfn(f))
            return validate_run(v);
        /* Whoever has stopped in the middle of it may never go on: not to wait for it. */
        hv_for_each_domain(d)
            hv_for_each_vcpu(d, other)
                if (on_stack(other->validating, f) || on_stack(other->deferred, f))
                    hv_types_take_over(other);
        return -ERESTART;
    }
    if (f->type_count) {
        if (f->type != type || f->type_count >= 0xfffffff0u)
            return -EINVAL;
        f->type_count++;
        return 0;
    }
    if ((f->flags & HV_FRAME_VALIDATED) && f->type == type) {
        f->type_count = 1;
        return 0;
    }
    retype(f, type);
    if (type >= HV_TYPE_L2 && type <= HV_TYPE_L4) {
        if (v->validating)
            hv_types_abandon(v);
        v->validating_root = (u32)hv_frame_mfn(f);
        begin(v, f);
        return validate_run(v);
    }
    /* While it is checked the frame counts as in use: it may map itself. */
    f->type_count = 1;
    if (type == HV_TYPE_L1)
        rc = validate_l1(f);
    else if (type == HV_TYPE_SEG)
        rc = validate_descriptors(f);
    if (rc) {
        f->type_count = 0;
        f->type = HV_TYPE_NONE;
        f->stamp = hv_cpu.tlb_clock;
        return rc;
    }
    f->flags |= HV_FRAME_VALIDATED;
    return 0;
}

HV_PROBE void hv_put_type_last(struct hv_frame *f)
{
    if (f->type == HV_TYPE_L1) {
        u64 *table = hv_frame_va(f);
        f->flags &= (u8)~HV_FRAME_VALIDATED;
        f->type = HV_TYPE_NONE;
        for (u32 i = 0; i < 512; i++)
            if (table[i] & HV_PTE_P)
                hv_l1e_put(table[i]);
    } else if (f->type >= HV_TYPE_L2 && f->type <= HV_TYPE_L4) {
        f->type_count = 1;
        f->count++;
        f->flags = (u8)((f->flags & ~HV_FRAME_VALIDATED) | HV_FRAME_PARTIAL);
        f->nr_valid = 512;
        push_deferred(hv_current, f);
        return;
    }
    f->stamp = hv_cpu.tlb_clock;
}

/* Nothing of the table is left. */
HV_PROBE static void taken_apart(struct hv_vcpu *v, struct hv_frame *f)
{
    v->deferred = f->link;
    f->type_count = 0;
    f->type = HV_TYPE_NONE;
    f->flags &= (u8)~HV_FRAME_PARTIAL;
    f->stamp = hv_cpu.tlb_clock;
}

HV_COLD int hv_types_drain(void)
{
    struct hv_vcpu *v = hv_current;
    while (v->deferred) {
        u32 mfn = v->deferred;
        struct hv_frame *f = hv_frame(mfn);
        u64 *table = hv_frame_va(f);
        while (f->nr_valid && v->deferred == mfn) {
            u32 i = --f->nr_valid;
            if (f->type == HV_TYPE_L4 && i == HV_L4_LAST) {
                f->nr_valid = HV_L4_FIRST;
                continue;
            }
            if (!(table[i] & HV_PTE_P))
                continue;
            hv_upper_put(f, table[i]);
            if (hv_preempt())
                return -ERESTART;
        }
        if (v->deferred != mfn)
            continue;
        taken_apart(v, f);
        hv_put_page(f);
    }
    return 0;
}
