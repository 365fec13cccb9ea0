/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmuext_op: roots, pins, flushes, LDT. */
#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

HV_PROBE void hv_load_cr3(struct hv_vcpu *v)
{
    u64 cr3 = v->flags & HV_VCPU_KERNEL ? v->cr3 : v->user_cr3;
    hv_cpu.cr3 = cr3;
    hv_write_cr3(cr3);
}

int hv_new_root(struct hv_vcpu *v, hv_mfn_t mfn, bool user)
{
    u64 *root = user ? &v->user_cr3 : &v->cr3, old = *root;
    if (!user || mfn) {
        if (old && old >> 12 == mfn) {
            if (!user && v == hv_current)
                hv_tlb_flush_local();
            return 0;
        }
        struct hv_frame *f = hv_get_page_mfn(mfn, v->domain->id);
        if (!f)
            return -EINVAL;
        int rc = hv_get_type(f, HV_TYPE_L4);
        if (rc) {
            hv_put_page(f);
            return rc;
        }
    }
    if (mfn)
        hv_l4_strict(hv_mfn_va(mfn), v->domain, !user);
    *root = mfn << 12;
    if (!user)
        hv_ldt_drop(v);
    if (v == hv_current && !user) {
        hv_load_cr3(v);
        hv_tlb_flush_local();
    }
    if (old)
        hv_put_page_and_type(hv_frame(old >> 12));
    return 0;
}

void hv_drop_roots(struct hv_vcpu *v)
{
    u64 kernel = v->cr3, user = v->user_cr3;
    v->cr3 = v->user_cr3 = 0;
    if (user)
        hv_put_page_and_type(hv_frame(user >> 12));
    if (kernel)
        hv_put_page_and_type(hv_frame(kernel >> 12));
}

HV_PROBE int hv_pin(struct hv_domain *pg, hv_mfn_t mfn, enum hv_frame_type type)
{
    struct hv_frame *f = hv_get_page_mfn(mfn, pg->id);
    if (!f)
        return -EINVAL;
    int rc = hv_get_type(f, type);
    if (rc) {
        hv_put_page(f);
        return rc;
    }
    if (f->flags & HV_FRAME_PINNED) {
        hv_put_page_and_type(f);
        return -EINVAL;
    }
    f->flags |= HV_FRAME_PINNED;
    return 0;
}

HV_PROBE int hv_unpin(struct hv_domain *pg, hv_mfn_t mfn)
{
    struct hv_frame *f = hv_get_page_mfn(mfn, pg->id);
    if (!f)
        return -EINVAL;
    if (!(f->flags & HV_FRAME_PINNED)) {
        hv_put_page(f);
        return -EINVAL;
    }
    f->flags &= (u8)~HV_FRAME_PINNED;
    hv_put_page_and_type(f);
    hv_put_page(f);
    return 0;
}

static int clear_or_copy(struct hv_domain *pg, hv_mfn_t to, hv_mfn_t from, bool copy)
{
    struct hv_frame *source = NULL, *target = NULL;
    int rc = -EINVAL;
    if (copy && !(source = hv_get_page_mfn(from, pg->id)))
        return -EINVAL;
    if (hv_mfn_is_ram(to) && hv_get_page_and_type(hv_frame(to), pg->id, HV_TYPE_WRITABLE)) {
        target = hv_frame(to);
        if (copy)
            memcpy(hv_frame_va(target), hv_frame_va(source), HV_PAGE_SIZE);
        else
            memset(hv_frame_va(target), 0, HV_PAGE_SIZE);
        hv_put_page_and_type(target);
        rc = 0;
    }
    if (source)
        hv_put_page(source);
    return rc;
}

static int set_ldt(struct hv_vcpu *v, u64 base, u64 ents)
{
    u64 end = base + ents * 8;
    if (ents > 8192 || (base & 0xfff) || (ents && (!hv_guest_range_ok(base, ents * 8) || !hv_canonical(end))))
        return -EINVAL;
    if (v->ldt_ents == ents && v->ldt_base == base)
        return 0;
    hv_ldt_drop(v);
    v->ldt_base = base;
    v->ldt_ents = (u32)ents;
    hv_load_gdt(v);
    return 0;
}

static int one(const struct mmuext_op *op, struct hv_domain *pg)
{
    struct hv_vcpu *v = hv_current;
    u64 map;
    bool foreign = pg != v->domain;
    /* The hypervisor's own frames are nobody's to pin, clear or copy, not even domain 0's. */
    if (unlikely(pg == &hv_xen_domain) &&
        (op->cmd <= MMUEXT_UNPIN_TABLE || op->cmd == MMUEXT_CLEAR_PAGE || op->cmd == MMUEXT_COPY_PAGE))
        return -EINVAL;
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return hv_pin(pg, op->arg1.mfn, HV_TYPE_L1 + op->cmd);
    case MMUEXT_UNPIN_TABLE:
        return hv_unpin(pg, op->arg1.mfn);
    case MMUEXT_NEW_BASEPTR:
        return foreign ? -EPERM : v->domain->paging->new_root(v, op->arg1.mfn, false);
    case MMUEXT_NEW_USER_BASEPTR:
        return foreign ? -EPERM : v->domain->paging->new_root(v, op->arg1.mfn, true);
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
        if (foreign)
            return -EPERM;
        if (hv_load_guest64(&map, (u64)op->arg2.vcpumask.p))
            return -EINVAL;
        if (op->cmd == MMUEXT_INVLPG_MULTI)
            goto invlpg;
        hv_tlb_flush_local();
        return 0;
    case MMUEXT_TLB_FLUSH_LOCAL:
    case MMUEXT_TLB_FLUSH_ALL:
        if (foreign)
            return -EPERM;
        hv_tlb_flush_local();
        return 0;
    case MMUEXT_INVLPG_LOCAL:
    case MMUEXT_INVLPG_ALL:
        if (foreign)
            return -EPERM;
    invlpg:
        if (hv_canonical(op->arg1.linear_addr))
            hv_invlpg(op->arg1.linear_addr);
        return 0;
    case MMUEXT_FLUSH_CACHE:
        if (foreign)
            return -EPERM;
        if (!v->domain->io_mem && !v->domain->io_ports)
            return -EACCES;
        __asm__ volatile("wbinvd" ::: "memory");
        return 0;
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        if (foreign)
            return -EPERM;
        if (!v->domain->io_mem && !v->domain->io_ports)
            return -EINVAL;
        __asm__ volatile("wbinvd" ::: "memory");
        return 0;
    case MMUEXT_SET_LDT:
        return foreign ? -EPERM : set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
    case MMUEXT_CLEAR_PAGE:
        return clear_or_copy(pg, op->arg1.mfn, 0, false);
    case MMUEXT_COPY_PAGE:
        return clear_or_copy(pg, op->arg1.mfn, op->arg2.src_mfn, true);
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return -EOPNOTSUPP;
    }
    return -ENOSYS;
}

HV_HYPERCALL(mmuext_op)
{
    u64 ops = a0, done_ptr = a2;
    u32 count = (u32)a1, done = 0, i = 0;
    struct hv_domain *pg;
    struct mmuext_op op;
    int rc = hv_page_owner((u16)a3 == DOMID_IO ? DOMID_XEN : (u16)a3, &pg);
    (void)a4;
    count &= ~MMU_UPDATE_PREEMPTED;
    if (rc)
        return rc;
    if (done_ptr && ((u32)a1 & MMU_UPDATE_PREEMPTED) && hv_load_guest32(&done, done_ptr))
        return -EFAULT;
    if (!hv_guest_range_ok(ops, (u64)count * sizeof(op)))
        return -EFAULT;
    for (; i < count; i++, ops += sizeof(op)) {
        if (hv_preempt()) {
            rc = -ERESTART;
            break;
        }
        if (hv_load_guest(&op, ops)) {
            rc = -EFAULT;
            break;
        }
        rc = one(&op, pg);
        if (rc)
            break;
        if (hv_current->deferred && hv_types_drain()) {
            i++, ops += sizeof(op);
            rc = i < count ? -ERESTART : 0;
            break;
        }
    }
    done += i;
    if (done_ptr && hv_store_guest32(done_ptr, done) && rc == -ERESTART)
        return -EFAULT;		/* it would not know where to go on */
    if (rc == -ERESTART)
        return HV_CONTINUE(__HYPERVISOR_mmuext_op, ops, (count - i) | MMU_UPDATE_PREEMPTED, done_ptr, a3);
    return rc;
}
