/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts for domain 0.
 *
 * A pirq is domain 0's number for a pin of the IO-APIC; usually both are the same.  It must be mapped
 * (PHYSDEVOP_map_pirq) before it can be bound to a port; bound, the pin is unmasked.  A level-triggered
 * pin is masked when it fires and unmasked by PHYSDEVOP_eoi, so that a line nobody serves does not
 * keep the CPU busy.
 */
#include "hv/irq.h"

#include "hv/apic.h"
#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/hypercall.h"

#define PIRQS 208u       /* of domain 0 */
#define PIRQS_GUEST 56u  /* of others: none of them is ever mapped */
#define PIRQ_DYNAMIC 16u /* the first that is given out when none is asked for */
#define GSI_TIMER 0u     /* the hypervisor's own, as the UART's */
#define GSI_UART 4u
#define GSI_ISA_LAST 15u

static struct {
    u8 pirq_plus_1; /* 0: not mapped */
    bool bound, level, low, set_up;
    bool needs_eoi;
    u16 port;
} pins[HV_NR_GSI];

/* The page which tells domain 0 which of its pirqs need an EOI; 0: none is registered. */
static u64 eoi_map_mfn;
static bool eoi_auto_unmask;

/* The pin behind a pirq; HV_NR_GSI if it is not mapped. */
static u32 pin_of(u32 pirq)
{
    u32 gsi = 0;

    while (gsi < HV_NR_GSI && pins[gsi].pirq_plus_1 != pirq + 1)
        gsi++;
    return gsi;
}

static void eoi_map_set(u32 gsi, bool needed)
{
    u32 pirq = pins[gsi].pirq_plus_1 - 1;

    if (eoi_map_mfn && pins[gsi].pirq_plus_1) {
        u64 *map = hv_mfn_va(eoi_map_mfn);

        if (needed)
            map[pirq / 64] |= 1ull << (pirq % 64);
        else
            map[pirq / 64] &= ~(1ull << (pirq % 64));
    }
}

u32 hv_pirq_limit(const struct hv_domain *d)
{
    return d->privileged ? PIRQS : PIRQS_GUEST;
}

int hv_pirq_check(struct hv_domain *d, u32 pirq)
{
    u32 gsi;

    if (pirq >= hv_pirq_limit(d))
        return -EINVAL;
    gsi = d == hv_dom0 ? pin_of(pirq) : HV_NR_GSI;
    if (gsi == HV_NR_GSI || !hv_range_holds(d->irqs, gsi, gsi))
        return -EPERM;
    return pins[gsi].bound ? -EEXIST : 0;
}

int hv_pirq_bind(struct hv_domain *d, u32 pirq, u32 port)
{
    u32 gsi = pin_of(pirq);

    if (gsi == GSI_UART || hv_ioapic_route(gsi, pins[gsi].level, pins[gsi].low))
        return -EBUSY;
    pins[gsi].bound = true;
    pins[gsi].port = port;
    pins[gsi].needs_eoi = false;
    eoi_map_set(gsi, pins[gsi].level);
    hv_ioapic_mask(gsi, false);
    return 0;
}

/* The binding of a port ends, also of one whose pirq was unmapped under it. */
void hv_pirq_unbind(struct hv_domain *d, u32 port)
{
    for (u32 gsi = 0; gsi < HV_NR_GSI; gsi++) {
        if (!pins[gsi].bound || pins[gsi].port != port)
            continue;
        hv_ioapic_mask(gsi, true);
        pins[gsi].bound = false;
        eoi_map_set(gsi, false);
    }
}

int hv_pirq_map(struct hv_domain *d, u32 gsi, s32 *pirq)
{
    u32 wanted = *pirq;

    if (gsi >= HV_NR_GSI || *pirq >= (s32)PIRQS)
        return -EINVAL;
    if (gsi == GSI_TIMER || !hv_range_holds(d->irqs, gsi, gsi))
        return -EPERM;
    if (pins[gsi].pirq_plus_1) {
        if (*pirq >= 0 && wanted + 1 != pins[gsi].pirq_plus_1)
            return -EEXIST;
        *pirq = pins[gsi].pirq_plus_1 - 1;
        return 0;
    }
    if (*pirq < 0)
        for (wanted = PIRQ_DYNAMIC; pin_of(wanted) != HV_NR_GSI; wanted++)
            ; /* more numbers than pins */
    else if (pin_of(wanted) != HV_NR_GSI)
        return -EEXIST;
    if (!pins[gsi].set_up && gsi > GSI_ISA_LAST)
        pins[gsi].level = pins[gsi].low = true; /* how PCI's lines are */
    pins[gsi].pirq_plus_1 = wanted + 1;
    *pirq = wanted;
    return 0;
}

int hv_pirq_unmap(struct hv_domain *d, u32 pirq)
{
    u32 gsi = pirq < PIRQS ? pin_of(pirq) : HV_NR_GSI;

    if (gsi == HV_NR_GSI)
        return -EINVAL;
    if (pins[gsi].bound)
        hv_pirq_unbind(d, pins[gsi].port); /* the port stays, deaf */
    pins[gsi].pirq_plus_1 = 0;
    return 0;
}

int hv_pirq_eoi(struct hv_domain *d, u32 pirq)
{
    u32 gsi = d == hv_dom0 && pirq < PIRQS ? pin_of(pirq) : HV_NR_GSI;

    if (gsi == HV_NR_GSI)
        return -EINVAL;
    if (eoi_auto_unmask && pins[gsi].bound)
        hv_evtchn_unmask(pins[gsi].port);
    if (pins[gsi].needs_eoi && pins[gsi].bound)
        hv_ioapic_mask(gsi, false);
    pins[gsi].needs_eoi = false;
    return 0;
}

void hv_pirq_eoi_all(struct hv_domain *d)
{
    for (u32 gsi = 0; d == hv_dom0 && gsi < HV_NR_GSI; gsi++)
        if (pins[gsi].needs_eoi)
            hv_pirq_eoi(d, pins[gsi].pirq_plus_1 - 1);
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
    for (u32 gsi = 0; gsi < HV_NR_GSI; gsi++)
        eoi_map_set(gsi, pins[gsi].bound && pins[gsi].level);
    return 0;
}

hv_mfn_t hv_pirq_eoi_frame(void)
{
    return eoi_map_mfn;
}

int hv_pirq_setup(u32 gsi, bool level, bool low)
{
    if (gsi >= HV_NR_GSI)
        return -EINVAL;
    if (pins[gsi].bound || pins[gsi].set_up)
        return -EEXIST;
    pins[gsi].level = level;
    pins[gsi].low = low;
    pins[gsi].set_up = true;
    return 0;
}

void hv_irq_guest(u32 gsi)
{
    if (gsi >= HV_NR_GSI)
        return;
    if (!pins[gsi].bound || pins[gsi].level)
        hv_ioapic_mask(gsi, true);
    if (!pins[gsi].bound)
        return;
    pins[gsi].needs_eoi = pins[gsi].level;
    hv_evtchn_pirq(hv_dom0, pins[gsi].port);
}

#ifdef HV_AUDIT
#include "hv/audit_services.h"

/* A bound pin has its port, mapped or not, and each pirq one pin. */
unsigned hv_irq_audit(void)
{
    unsigned bad = 0;

    for (u32 gsi = 0; gsi < HV_NR_GSI; gsi++) {
        const struct hv_evtchn *e = pins[gsi].bound ? hv_evtchn_port(hv_dom0, pins[gsi].port) : NULL;

        bad += pins[gsi].bound && (!e || e->state != HV_EVTCHN_PIRQ);
        bad += pins[gsi].needs_eoi && !pins[gsi].level;
        for (u32 other = 0; other < gsi; other++)
            bad += pins[gsi].pirq_plus_1 && pins[gsi].pirq_plus_1 == pins[other].pirq_plus_1;
    }
    return bad;
}
#endif
