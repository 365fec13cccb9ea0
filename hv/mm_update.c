/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercalls that change entries: mmu_update, update_va_mapping and its sibling. */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

/* A store to a table, which a guest's kernel sees read-only. */
static bool write_fault(struct hv_vcpu *v, u64 va)
{
    return (v->flags & HV_VCPU_KERNEL) &&
           (v->domain->privileged || (v->domain->vm_assist & 1ull << VMASST_TYPE_writable_pagetables)) &&
           hv_ptwr(v, va);
}

const struct hv_paging_ops hv_paging_direct = {
    .name = "direct",
    .new_root = hv_new_root,
    .write_entry = hv_mod_entry,
    .write_fault = write_fault,
    .miss = NULL,		/* the guest's tables are what the processor walks: the fault is the guest's */
};

HV_COLD int hv_page_owner(u16 id, struct hv_domain **d)
{
    struct hv_domain *self = hv_current->domain;
    *d = self;
    if (likely(id == DOMID_SELF))
        return 0;
    if (id == DOMID_XEN) {
        *d = &hv_xen_domain;
        return self->privileged ? 0 : -EPERM;
    }
    if (id == DOMID_IO) {
        *d = NULL;
        return 0;
    }
    *d = hv_domain_find(id);
    if (!*d || (*d)->dying || *d == self)	/* to itself it is DOMID_SELF, and not its number */
        return -ESRCH;
    return self->privileged ? 0 : -EPERM;
}

/* One request of mmu_update. */
static int update_one(u64 ptr, u64 val, struct hv_domain *pt, struct hv_domain *pg)
{
    unsigned cmd = ptr & 7;
    hv_mfn_t mfn = ptr >> 12;
    if (cmd == MMU_MACHPHYS_UPDATE) {
        if (!pg || !hv_mfn_is_ram(mfn) || hv_frame(mfn)->owner != pg->id || !hv_frame(mfn)->count)
            return -EINVAL;
        hv_m2p[mfn] = val;
        return 0;
    }
    if (cmd != MMU_NORMAL_PT_UPDATE && cmd != MMU_PT_UPDATE_PRESERVE_AD && cmd != MMU_PT_UPDATE_NO_TRANSLATE)
        return -ENOSYS;
    struct hv_frame *f = hv_get_page_mfn(mfn, pt->id);
    if (!f)
        return -EINVAL;
    u64 *slot = (u64 *)((char *)hv_frame_va(f) + (ptr & 0xff8));
    int rc;
    if (f->type >= HV_TYPE_L1 && f->type <= HV_TYPE_L4 && f->type_count) {
        rc = -EBUSY;
        if (f->flags & HV_FRAME_VALIDATED)
            rc = pt->paging->write_entry(f, slot, val, pt, pg, cmd == MMU_PT_UPDATE_PRESERVE_AD);
    } else {
        rc = hv_get_type(f, HV_TYPE_WRITABLE) ? -EINVAL : 0;
        if (rc == 0) {
            *slot = val;
            hv_put_type(f);
        }
    }
    hv_put_page(f);
    return rc;
}

HV_HYPERCALL(mmu_update)
{
    u64 reqs = a0, done_ptr = a2, ptr, val;
    u32 count = (u32)a1, done = 0, i = 0, foreign = (u32)a3;
    struct hv_domain *pg, *pt = hv_current->domain;
    int rc;
    (void)a4;
    count &= ~MMU_UPDATE_PREEMPTED;
    if (unlikely(foreign >> 16)) {
        rc = hv_page_owner((u16)((foreign >> 16) - 1), &pt);
        if (rc || !pt)
            return rc ? rc : -EINVAL;
        if (pt == hv_current->domain || pt == &hv_xen_domain)
            return -ESRCH;
    }
    rc = hv_page_owner((u16)foreign, &pg);
    if (rc)
        return rc;
    if (done_ptr && ((u32)a1 & MMU_UPDATE_PREEMPTED) && hv_load_guest32(&done, done_ptr))
        return -EFAULT;
    if (!hv_guest_range_ok(reqs, (u64)count * 16))
        return -EFAULT;
    for (; i < count; i++, reqs += 16) {
        if (hv_preempt()) {
            rc = -ERESTART;
            break;
        }
        rc = hv_load_guest64(&ptr, reqs);
        if (!rc)
            rc = hv_load_guest64(&val, reqs + 8);
        if (!rc)
            rc = update_one(ptr, val, pt, pg);
        if (rc)
            break;
        if (unlikely(hv_current->deferred) && hv_types_drain()) {
            i++, reqs += 16;
            rc = i < count ? -ERESTART : 0;
            break;
        }
    }
    done += i;
    if (done_ptr && hv_store_guest32(done_ptr, done) && rc == -ERESTART)
        return -EFAULT;		/* it would not know where to go on */
    if (rc == -ERESTART)
        return HV_CONTINUE(__HYPERVISOR_mmu_update, reqs, (count - i) | MMU_UPDATE_PREEMPTED, done_ptr, foreign);
    return rc;
}

static int va_flush(u64 va, u64 flags)
{
    u64 scope = flags & ~(u64)UVMF_FLUSHTYPE_MASK, map;
    if (!(flags & UVMF_FLUSHTYPE_MASK))
        return 0;
    if (scope && scope != UVMF_ALL && hv_load_guest64(&map, scope))
        return -EFAULT;
    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
        hv_invlpg(va);
    else if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH)
        hv_tlb_flush_local();
    return 0;
}

static long update_va(u64 va, u64 val, u64 flags, struct hv_domain *pg)
{
    struct hv_vcpu *v = hv_current;
    u64 *slot;
    if (!hv_canonical(va) || (va >= HV_VA_START && va < HV_VA_END) || !(slot = hv_walk_l1(v->cr3, va)))
        return -EINVAL;
    struct hv_frame *f = hv_frame(hv_va_mfn(slot));
    if (f->type != HV_TYPE_L1)	/* a recursive entry leads to another level */
        return -EINVAL;
    int rc = v->domain->paging->write_entry(f, slot, val, v->domain, pg, false);
    return rc ? rc : va_flush(va, flags);
}

HV_HYPERCALL(update_va_mapping)
{
    (void)a3, (void)a4;
    return update_va(a0, a1, a2, hv_current->domain);
}

HV_HYPERCALL(update_va_mapping_otherdomain)
{
    struct hv_domain *pg;
    int rc = hv_page_owner((u16)a3, &pg);
    (void)a4;
    /* Frames of nobody, too, are for the privileged here. */
    if (!rc && pg != hv_current->domain && !hv_current->domain->privileged)
        return -EPERM;
    return rc ? rc : update_va(a0, a1, a2, pg);
}
