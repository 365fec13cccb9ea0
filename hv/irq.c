/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts for domain 0.
 *
 * A pirq is a pin of the IO-APIC under the same number.  It must be mapped (PHYSDEVOP_map_pirq) before
 * it can be bound to a port; bound, the pin is unmasked.  A level-triggered pin is masked when it
 * fires and unmasked by PHYSDEVOP_eoi, so that a line nobody serves does not keep the CPU busy.
 */
#include "hv/irq.h"

#include "hv/apic.h"
#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/hypercall.h"

#define PIRQS_MSI 256u   /* numbers domain 0 may ask about above the pins */
#define PIRQS_GUEST 32u  /* the same for other domains */
#define GSI_UART 4u      /* the hypervisor's own */
#define GSI_ISA_LAST 15u

static struct {
    bool mapped, bound, level, low;
    bool needs_eoi;
    u16 port;
} pins[HV_NR_GSI];

/* The page which tells domain 0 which of its pirqs need an EOI; 0: none is registered. */
static u64 eoi_map_mfn;
static bool eoi_auto_unmask;

static void eoi_map_set(u32 pirq, bool needed)
{
    if (eoi_map_mfn) {
        u64 *map = hv_mfn_va(eoi_map_mfn);

        if (needed)
            map[pirq / 64] |= 1ull << (pirq % 64);
        else
            map[pirq / 64] &= ~(1ull << (pirq % 64));
    }
}

u32 hv_pirq_limit(const struct hv_domain *d)
{
    return HV_NR_GSI + (d->privileged ? PIRQS_MSI : PIRQS_GUEST);
}

int hv_pirq_check(struct hv_domain *d, u32 pirq)
{
    if (pirq >= hv_pirq_limit(d))
        return -EINVAL;
    if (pirq >= HV_NR_GSI || !pins[pirq].mapped || !hv_range_holds(d->irqs, pirq, pirq))
        return -EPERM;
    return pins[pirq].bound ? -EEXIST : 0;
}

int hv_pirq_bind(struct hv_domain *d, u32 pirq, u32 port)
{
    if (pirq == GSI_UART)
        return -EBUSY;
    if (hv_ioapic_route(pirq, pins[pirq].level, pins[pirq].low))
        return -EINVAL;
    pins[pirq].bound = true;
    pins[pirq].port = port;
    pins[pirq].needs_eoi = false;
    eoi_map_set(pirq, pins[pirq].level);
    hv_ioapic_mask(pirq, false);
    return 0;
}

void hv_pirq_unbind(struct hv_domain *d, u32 pirq)
{
    hv_ioapic_mask(pirq, true);
    pins[pirq].bound = false;
    eoi_map_set(pirq, false);
}

int hv_pirq_map(struct hv_domain *d, u32 gsi, s32 *pirq)
{
    if (gsi >= HV_NR_GSI || (*pirq >= 0 && (u32)*pirq != gsi))
        return -EINVAL;
    if (!hv_range_holds(d->irqs, gsi, gsi))
        return -EPERM;
    if (!pins[gsi].mapped && !pins[gsi].level && gsi > GSI_ISA_LAST)
        pins[gsi].level = pins[gsi].low = true; /* how PCI's lines are, until told otherwise */
    pins[gsi].mapped = true;
    *pirq = gsi;
    return 0;
}

int hv_pirq_unmap(struct hv_domain *d, u32 pirq)
{
    if (pirq >= HV_NR_GSI || !pins[pirq].mapped)
        return -EINVAL;
    if (pins[pirq].bound)
        hv_ioapic_mask(pirq, true); /* the port stays, deaf */
    pins[pirq].mapped = false;
    return 0;
}

int hv_pirq_eoi(struct hv_domain *d, u32 pirq)
{
    if (pirq >= hv_pirq_limit(d) || d != hv_dom0 || pirq >= HV_NR_GSI || !pins[pirq].bound)
        return -EINVAL;
    if (eoi_auto_unmask)
        hv_evtchn_unmask(pins[pirq].port);
    if (pins[pirq].needs_eoi) {
        pins[pirq].needs_eoi = false;
        if (pins[pirq].mapped)
            hv_ioapic_mask(pirq, false);
    }
    return 0;
}

void hv_pirq_eoi_all(struct hv_domain *d)
{
    for (u32 pirq = 0; d == hv_dom0 && pirq < HV_NR_GSI; pirq++)
        if (pins[pirq].needs_eoi)
            hv_pirq_eoi(d, pirq);
}

int hv_pirq_eoi_map(struct hv_domain *d, u64 gfn, bool auto_unmask)
{
    struct hv_frame *f;

    if (d != hv_dom0)
        return -EPERM;
    f = hv_get_page_mfn(gfn, d->id);
    if (!f)
        return -EINVAL;
    if (eoi_map_mfn || hv_get_type(f, HV_TYPE_WRITABLE)) {
        hv_put_page(f);
        return eoi_map_mfn ? -EBUSY : -EINVAL;
    }
    eoi_map_mfn = gfn; /* for good, with its references: domain 0 does not end before the machine */
    eoi_auto_unmask = auto_unmask;
    for (u32 pirq = 0; pirq < HV_NR_GSI; pirq++)
        eoi_map_set(pirq, pins[pirq].bound && pins[pirq].level);
    return 0;
}

int hv_pirq_setup(u32 gsi, bool level, bool low)
{
    if (gsi >= HV_NR_GSI)
        return -EINVAL;
    if (!pins[gsi].bound) {
        pins[gsi].level = level;
        pins[gsi].low = low;
    }
    return 0;
}

void hv_irq_guest(u32 gsi)
{
    if (gsi >= HV_NR_GSI || !pins[gsi].bound || pins[gsi].level)
        hv_ioapic_mask(gsi, true);
    if (gsi >= HV_NR_GSI || !pins[gsi].bound)
        return;
    pins[gsi].needs_eoi = pins[gsi].level;
    hv_evtchn_pirq(hv_dom0, pins[gsi].port);
}
