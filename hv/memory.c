/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercall memory_op: a domain's memory grows, shrinks, is exchanged. */

#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"

#include <xen/memory.h>

#define START_SHIFT 6	/* the command carries how many extents are done above it */

/* DOMID_SELF or, for the privileged, another. */
static int target(u16 id, struct hv_domain **d)
{
    *d = hv_domain_resolve(id);
    if (!*d || (*d)->dying)
        return -ESRCH;
    return *d == hv_current->domain || hv_current->domain->privileged ? 0 : -EPERM;
}

static bool populate(const struct xen_memory_reservation *r, struct hv_domain *d, u64 i, bool with_pfn)
{
    u64 n = 1ull << r->extent_order, pfn = 0, at = (u64)r->extent_start.p + i * 8;
    struct hv_frame *f;
    if (with_pfn && hv_load_guest64(&pfn, at))
        return false;
    f = hv_frame_alloc_run(d, r->extent_order, XENMEMF_get_address_bits(r->mem_flags));
    if (!f)
        return false;
    u64 mfn = hv_frame_mfn(f);
    for (u64 k = 0; k < n && with_pfn; k++)
        hv_m2p[mfn + k] = pfn + k;
    if (at >= 8 && r->extent_start.p && hv_store_guest64(at, mfn)) {
        for (u64 k = 0; k < n; k++)
            hv_frame_drop_allocation(hv_frame(mfn + k));
        return false;
    }
    return true;
}

static bool release(const struct xen_memory_reservation *r, struct hv_domain *d, u64 i)
{
    u64 n = 1ull << r->extent_order, mfn;
    if (hv_load_guest64(&mfn, (u64)r->extent_start.p + i * 8))
        return false;
    for (u64 k = 0; k < n; k++) {
        struct hv_frame *f = hv_get_page_mfn(mfn + k, d->id);
        if (!f)
            return false;
        if (f->flags & HV_FRAME_SPECIAL) {	/* not its memory: nothing to do, and no error */
            hv_put_page(f);
            continue;
        }
        if (!(f->flags & HV_FRAME_ALLOCATED)) {
            hv_put_page(f);
            return false;
        }
        hv_m2p[mfn + k] = ~0ull;
        hv_frame_drop_allocation(f);
        hv_put_page(f);
    }
    return true;
}

static long reservation(u32 cmd, u64 start, u64 arg)
{
    struct xen_memory_reservation r;
    struct hv_domain *d;
    u64 i;
    if (hv_load_guest(&r, arg))
        return (long)start;
    if (r.nr_extents > (~0ull >> START_SHIFT) || start >= r.nr_extents)
        return (long)start;
    if (!hv_guest_range_ok((u64)r.extent_start.p, r.nr_extents * 8) && r.extent_start.p)
        return (long)start;
    if (r.extent_order > (hv_current->domain->io_mem ? 18u : 9u))
        return (long)start;
    int rc = target(r.domid, &d);
    if (rc)
        return (long)start;
    for (i = start; i < r.nr_extents; i++) {
        if (i != start && hv_preempt())
            return HV_CONTINUE(__HYPERVISOR_memory_op, cmd | i << START_SHIFT, arg);
        if (!(cmd == XENMEM_decrease_reservation ? release(&r, d, i) : populate(&r, d, i, cmd == XENMEM_populate_physmap)))
            break;
    }
    return (long)i;
}

/* Stolen frames on their way: a stack by hv_frame.link, which keeps what the M2P said. */
static void push_stolen(u32 *stack, struct hv_frame *f, u64 pfn)
{
    f->next = (u32)pfn;
    f->prev = (u32)(pfn >> 32);
    f->link = *stack;
    *stack = (u32)hv_frame_mfn(f);
}

/* They go back to their domain, or away for good. */
static void drop_stolen(u32 stack, struct hv_domain *back_to)
{
    while (stack) {
        struct hv_frame *f = hv_frame(stack);
        u64 pfn = f->next | (u64)f->prev << 32, mfn = stack;
        stack = f->link;
        if (back_to) {
            hv_frame_give(f, back_to);
            hv_m2p[mfn] = pfn;
        } else {
            hv_frame_free(f);
        }
    }
}

/* One output extent for the frames of the input extents it covers: all, or nothing is changed. */
static int exchange_one(const struct xen_memory_exchange *e, struct hv_domain *d, u64 out_index)
{
    u32 order = e->out.extent_order, in_order = e->in.extent_order, stolen = 0;
    u64 n = 1ull << order, in_n = 1ull << in_order, mfn, pfn;
    struct hv_frame *run;
    int rc = 0;
    if (hv_load_guest64(&pfn, (u64)e->out.extent_start.p + out_index * 8))
        return -EFAULT;
    for (u64 k = 0; k < n && !rc; k++) {
        u64 at = out_index * n + k;
        if (hv_load_guest64(&mfn, (u64)e->in.extent_start.p + (at >> in_order) * 8)) {
            rc = -EFAULT;
            break;
        }
        mfn += at & (in_n - 1);
        u64 said = hv_mfn_is_ram(mfn) ? hv_m2p[mfn] : 0;
        if (hv_mfn_is_ram(mfn) && hv_frame_steal(hv_frame(mfn), d))
            push_stolen(&stolen, hv_frame(mfn), said);
        else
            rc = -EINVAL;
    }
    run = rc ? NULL : hv_frame_alloc_run(d, order, XENMEMF_get_address_bits(e->out.mem_flags));
    if (!run) {
        drop_stolen(stolen, d);
        return rc ? rc : -ENOMEM;
    }
    drop_stolen(stolen, NULL);
    mfn = hv_frame_mfn(run);
    for (u64 k = 0; k < n; k++)
        hv_m2p[mfn + k] = pfn + k;
    return hv_store_guest64((u64)e->out.extent_start.p + out_index * 8, mfn);
}

static long exchange(u64 arg)
{
    struct xen_memory_exchange e;
    struct hv_domain *d;
    u64 done_at = arg + offsetof(struct xen_memory_exchange, nr_exchanged), i, outputs;
    int rc = 0;
    if (hv_load_guest(&e, arg))
        return -EFAULT;
    if (e.in.extent_order > 18 || e.out.extent_order > 18 || e.nr_exchanged > e.in.nr_extents ||
        e.in.nr_extents > ~0ull >> 24 || e.out.nr_extents > ~0ull >> 24 ||
        e.in.nr_extents << e.in.extent_order != e.out.nr_extents << e.out.extent_order || e.in.domid != e.out.domid)
        return -EINVAL;
    if (!hv_guest_range_ok((u64)e.in.extent_start.p, e.in.nr_extents * 8) ||
        !hv_guest_range_ok((u64)e.out.extent_start.p, e.out.nr_extents * 8))
        return -EFAULT;
    if (e.in.extent_order && e.out.extent_order)
        return -EINVAL;
    if ((e.in.extent_order > e.out.extent_order ? e.in.extent_order : e.out.extent_order) > (hv_current->domain->io_mem ? 18u : 9u))
        return -EPERM;
    rc = target(e.in.domid, &d);
    if (rc)
        return rc;
    outputs = e.out.nr_extents;
    for (i = e.nr_exchanged << e.in.extent_order >> e.out.extent_order; i < outputs; i++) {
        rc = exchange_one(&e, d, i);
        if (rc)
            break;
        /* the number done counts input extents, whole ones */
        u64 done = (i + 1) << e.out.extent_order >> e.in.extent_order;
        if (hv_store_guest64(done_at, done))
            return -EFAULT;
        if (((done << e.in.extent_order) >> e.out.extent_order) == i + 1 && hv_preempt())
            return HV_CONTINUE(__HYPERVISOR_memory_op, XENMEM_exchange, arg);
    }
    return rc;
}

static long memory_map(u64 arg, bool machine)
{
    struct xen_memory_map m;
    struct {
        u64 addr, size;
        u32 type;
    } __attribute__((packed)) e;
    u32 n = 0;
    if (machine && !hv_current->domain->privileged)
        return -EPERM;
    if (hv_load_guest(&m, arg))
        return -EFAULT;
    if (!machine)
        return -ENOSYS;		/* set by DOMCTL only; a guest without one uses its size */
    for (; n < hv_boot.nr_map && n < m.nr_entries; n++) {
        e.addr = hv_boot.map[n].start;
        e.size = hv_boot.map[n].end - hv_boot.map[n].start;
        e.type = hv_boot.map[n].type;
        if (hv_copy_to_guest((u64)m.buffer.p + n * sizeof(e), &e, sizeof(e)))
            return -EFAULT;
    }
    if (n < hv_boot.nr_map)
        return -EINVAL;
    m.nr_entries = n;
    return hv_store_guest(arg, &m);
}

/* The machine-to-phys table's frames, one for each 2 MiB of it. */
static long machphys_list(u64 arg)
{
    struct xen_machphys_mfn_list l;
    u32 n = 0;
    if (hv_load_guest(&l, arg))
        return -EFAULT;
    for (u64 mfn = 0; mfn < hv_max_mfn && n < l.max_extents; mfn += 0x200000 / 8, n++) {
        if (hv_store_guest64((u64)l.extent_start.p + n * 8, (hv_boot.m2p_pa + mfn * 8) >> 12))
            return -EFAULT;
    }
    l.nr_extents = n;
    return hv_store_guest(arg, &l);
}

HV_HYPERCALL(memory_op)
{
    u32 cmd = (u32)a0 & ((1u << START_SHIFT) - 1);
    u64 start = a0 >> START_SHIFT;
    struct hv_domain *d;
    u16 id;
    int rc;
    (void)a2, (void)a3, (void)a4;
    switch (cmd) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return reservation(cmd, start, a1);
    }
    if (start)
        return -ENOSYS;
    switch (cmd) {
    case XENMEM_exchange:
        return exchange(a1);
    case XENMEM_maximum_ram_page:
        return (long)hv_max_mfn - 1;
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        if (hv_copy_from_guest(&id, a1, 2))
            return -EFAULT;
        rc = target(id, &d);
        if (rc)
            return rc;
        if (cmd == XENMEM_maximum_gpfn)
            return (long)d->shared->arch.max_pfn - 1;
        return (long)(cmd == XENMEM_current_reservation ? d->tot_pages : d->max_pages);
    case XENMEM_memory_map:
    case XENMEM_machine_memory_map:
        return memory_map(a1, cmd == XENMEM_machine_memory_map);
    case XENMEM_machphys_mapping: {
        struct xen_machphys_mapping m = {HV_VA_M2P, HV_VA_M2P + 0x4000000000ull, 0};
        m.max_mfn = 0x4000000000ull / 8 - 1;
        return hv_store_guest(a1, &m);
    }
    case XENMEM_machphys_mfn_list:
        return machphys_list(a1);
    case XENMEM_claim_pages: {
        struct xen_memory_reservation r;
        return hv_load_guest(&r, a1) ? -EFAULT : -EOPNOTSUPP;
    }
    case XENMEM_get_vnumainfo:
        return -EOPNOTSUPP;
    case XENMEM_add_to_physmap:
    case XENMEM_remove_from_physmap:
    case XENMEM_add_to_physmap_batch:
        if (hv_copy_from_guest(&id, a1, 2))
            return -EFAULT;
        return -EACCES;	/* for translated guests */
    }
    return -ENOSYS;
}
