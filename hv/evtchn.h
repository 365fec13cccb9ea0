/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels, the 2-level ABI: 4096 ports of each domain, whose pending and mask bits are in its
 * shared info page.  What the rest of the hypervisor calls is in hv/hypercall.h.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include "hv/domain.h"
#include "hv/types.h"

#include <xen/xen.h>

#define HV_EVTCHN_PORTS 4096u /* of the 2-level ABI; port 0 is never valid */
#define HV_EVTCHN_PER_PAGE 512u
#define HV_EVTCHN_STEP 64u /* ports come into existence in steps of this size, as on Xen */

enum hv_evtchn_state {
    HV_EVTCHN_FREE,
    HV_EVTCHN_RESERVED,
    HV_EVTCHN_UNBOUND,
    HV_EVTCHN_INTERDOMAIN,
    HV_EVTCHN_PIRQ,
    HV_EVTCHN_VIRQ,
    HV_EVTCHN_IPI,
};

struct hv_evtchn {
    u8 state; /* enum hv_evtchn_state */
    u8 virq;  /* VIRQ */
    u16 vcpu; /* which is notified */
    u16 dom;  /* UNBOUND, INTERDOMAIN: the other end's */
    u16 port; /* INTERDOMAIN: the other end's; PIRQ: the pirq */
};

/** struct hv_evtchn_table - the ports of a domain, a page. */
struct hv_evtchn_table {
    struct hv_evtchn *page[HV_EVTCHN_PORTS / HV_EVTCHN_PER_PAGE]; /* allocated as ports come */
    u16 limit;      /* one above the highest port the domain may have */
    u16 valid;      /* ports below this one exist */
    u16 first_free; /* no port below this one is free */
    u16 active;     /* ports that are neither free nor reserved */
    u16 closing;    /* the next port an interrupted reset or kill looks at */
    u16 virq_port[HV_MAX_VCPUS][NR_VIRQS]; /* 0: not bound; global ones are vCPU 0's */
};

/** hv_evtchn_port - the entry of a port; NULL if there is no such port (a free one is there). */
HV_INLINE struct hv_evtchn *hv_evtchn_port(const struct hv_domain *d, u32 port) HV_BODY({
    if (port >= d->evtchn->valid)
        return NULL;
    return &d->evtchn->page[port / HV_EVTCHN_PER_PAGE][port % HV_EVTCHN_PER_PAGE];
})

/** hv_virq_is_global - whether a VIRQ is the machine's, and not one of each vCPU. */
static inline bool hv_virq_is_global(u32 virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/** hv_virq_port - where the port of each VIRQ of @v is kept; of a global one if @v is vCPU 0. */
static inline u16 *hv_virq_port(const struct hv_vcpu *v)
{
    return v->domain->evtchn->virq_port[v->id];
}

/* Bits of the shared info page. */
static inline bool hv_bit_get(const xen_ulong_t *map, unsigned n)
{
    return map[n / 64] >> (n % 64) & 1;
}
static inline void hv_bit_clear(xen_ulong_t *map, unsigned n)
{
    map[n / 64] &= ~(1ul << (n % 64));
}
/** hv_bit_set - returns what the bit was. */
static inline bool hv_bit_set(xen_ulong_t *map, unsigned n)
{
    bool was = hv_bit_get(map, n);

    map[n / 64] |= 1ul << (n % 64);
    return was;
}

/** hv_evtchn_limit - sets the highest port @d may have; before its first use. */
void hv_evtchn_limit(struct hv_domain *d, u32 max_port);

/**
 * hv_evtchn_kill_begin - @d is dying now: no port of it is given out any more.
 * hv_evtchn_kill - closes all its ports.  Returns: 0; -ERESTART: call again.
 */
void hv_evtchn_kill_begin(struct hv_domain *d);
int hv_evtchn_kill(struct hv_domain *d);

/** hv_evtchn_pirq - the physical interrupt that is bound to @port of @d arrived. */
void hv_evtchn_pirq(struct hv_domain *d, u32 port);

/** hv_evtchn_set_pending - an event for @port, whose entry is @e, of @d. */
void hv_evtchn_set_pending(struct hv_domain *d, unsigned port, const struct hv_evtchn *e);

/** hv_evtchn_send - EVTCHNOP_send of the current domain. */
int hv_evtchn_send(u32 port);

/** hv_evtchn_op - every EVTCHNOP_; for the handler of the call: may continue it. */
long hv_evtchn_op(u32 cmd, u64 arg);

/** hv_virq_handler - who gets a global VIRQ; NULL: domain 0. */
extern struct hv_domain *hv_virq_handler[NR_VIRQS];

/** hv_virq_handler_set - makes @d handle a global VIRQ instead of domain 0.  Returns: 0, -EINVAL. */
int hv_virq_handler_set(struct hv_domain *d, u32 virq);

/** hv_evtchn_unmask - as EVTCHNOP_unmask of the current domain. */
int hv_evtchn_unmask(u32 port);

#endif
