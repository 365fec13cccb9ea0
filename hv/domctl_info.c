/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers about domains. */
#include "hv/domctl.h"

#include "hv/guest.h"
#include "hv/lib.h"

#define PAGE_INFO_MAX 1024u /* frames in one call */
#define BITMAP_MAX 1024u    /* bits a caller may have room for */

void hv_domain_info(const struct hv_domain *d, struct xen_domctl_getdomaininfo *out)
{
    bool blocked = true;
    u32 r[4];

    memset(out, 0, sizeof(*out));
    out->domain = d->id;
    out->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    hv_for_each_vcpu(d, v) {
        out->max_vcpu_id = v->id;
        out->cpu_time += hv_vcpu_state_time(v, RUNSTATE_running);
        if (v->hold & HV_HOLD_DOWN)
            continue;
        out->nr_online_vcpus++;
        blocked &= !!(v->hold & HV_HOLD_BLOCKED);
        if (v == hv_current)
            out->flags |= XEN_DOMINF_running;
    }
    out->flags |= (blocked && out->nr_online_vcpus ? XEN_DOMINF_blocked : 0) |
                  (d->dying == HV_DEAD ? XEN_DOMINF_dying : 0) |
                  (d->paused_by_tools ? XEN_DOMINF_paused : 0);
    if (d->shut_down)
        out->flags |= XEN_DOMINF_shutdown | (u32)d->shutdown_code << XEN_DOMINF_shutdownshift;
    else
        out->flags |= ~0u << XEN_DOMINF_shutdownshift; /* no code */
    out->tot_pages = d->tot_pages;
    out->max_pages = d->max_pages;
    out->outstanding_pages = d->outstanding_pages;
    out->shared_info_frame = d->shared ? hv_va_mfn(d->shared) : HV_MFN_NONE;
    out->ssidref = d->ssidref;
    hv_cpuid(0x80000008, 0, r);
    out->gpaddr_bits = r[0];
    if (d == hv_dom0) /* the timer's ports that a PV domain 0 may use */
        out->arch_config.emulation_flags = XEN_X86_EMU_PIT;
    memcpy(out->handle, d->handle, sizeof(out->handle));
}

static u64 frame_info(struct hv_domain *d, u64 mfn)
{
    const struct hv_frame *f = hv_frame(mfn);

    if (!hv_mfn_is_ram(mfn) || f->owner != d->id || !f->count)
        return XEN_DOMCTL_PFINFO_XTAB;
    if (f->type < HV_TYPE_L1 || f->type > HV_TYPE_L4 || !f->type_count)
        return XEN_DOMCTL_PFINFO_NOTAB;
    return (u64)(f->type - HV_TYPE_L1 + 1) << XEN_DOMCTL_PFINFO_LTAB_SHIFT |
           (f->flags & HV_FRAME_PINNED ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
}

long hv_page_frame_info(struct hv_domain *d, const struct xen_domctl_getpageframeinfo3 *op)
{
    u64 at = (u64)op->array.p, mfn;

    if (op->num > PAGE_INFO_MAX)
        return -E2BIG;
    for (u32 i = 0; i < op->num; i++, at += sizeof(mfn)) {
        if (hv_load_guest64(&mfn, at) || hv_store_guest64(at, frame_info(d, mfn)))
            return -EFAULT;
    }
    return 0;
}

int hv_bitmap_put(const struct xenctl_bitmap *to, u64 bits, u32 nr)
{
    u8 bytes[BITMAP_MAX / 8] = {0};

    if (to->nr_bits > BITMAP_MAX)
        return -EINVAL;
    memcpy(bytes, &bits, (nr + 7) / 8);
    return hv_copy_to_guest((u64)to->bitmap.p, bytes, (to->nr_bits + 7) / 8) ? -EFAULT : 0;
}

int hv_bitmap_get(const struct xenctl_bitmap *from, u64 *bits, u32 nr)
{
    u32 known = HV_MIN(from->nr_bits, nr);

    *bits = 0;
    if (hv_copy_from_guest(bits, (u64)from->bitmap.p, (known + 7) / 8))
        return -EFAULT;
    *bits &= known < 64 ? (1ull << known) - 1 : ~0ull;
    return 0;
}
