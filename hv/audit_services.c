/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants of hv/evtchn.c and hv/grant_table.h, recounted. */
#include "hv/audit_services.h"

#include "hv/evtchn.h"
#include "hv/grant_table.h"
#include "hv/irq.h"
#include "hv/lib.h"

/* A disagreement, if @wrong.  Returns: how many. */
static unsigned complain(bool wrong, const struct hv_domain *d, const char *what, u32 at)
{
    if (wrong)
        hv_printk("(HV) audit: d%u: %s %u\n", d->id, what, at);
    return wrong;
}

unsigned hv_evtchn_audit(void)
{
    unsigned bad = 0;

    hv_for_each_domain(d) {
        const struct hv_evtchn_table *t = d->evtchn;
        unsigned active = 0;

        for (u32 port = 0; t && port < t->valid; port++) {
            const struct hv_evtchn *e = hv_evtchn_port(d, port), *peer;
            struct hv_domain *rd;

            active += e->state > HV_EVTCHN_RESERVED;
            switch (e->state) {
            case HV_EVTCHN_FREE:
                bad += complain(port < t->first_free, d, "below the first free port:", port);
                break;
            case HV_EVTCHN_INTERDOMAIN:
                rd = hv_domain_find(e->dom);
                peer = rd ? hv_evtchn_port(rd, e->port) : NULL;
                bad += complain(!peer || peer->state != HV_EVTCHN_INTERDOMAIN || peer->dom != d->id ||
                                peer->port != port, d, "without its other end: port", port);
                break;
            case HV_EVTCHN_VIRQ:
                bad += complain(t->virq_port[hv_virq_is_global(e->virq) ? 0 : e->vcpu][e->virq] != port, d,
                                "not where its VIRQ is kept: port", port);
                break;
            }
        }
        bad += complain(t && active != t->active, d, "miscounted ports:", active);
        for (u32 v = 0; t && v < HV_MAX_VCPUS; v++)
            for (u32 virq = 0; virq < NR_VIRQS; virq++) {
                const struct hv_evtchn *e = hv_evtchn_port(d, t->virq_port[v][virq]);

                bad += complain(t->virq_port[v][virq] && (!e || e->state != HV_EVTCHN_VIRQ || e->virq != virq), d,
                                "not a port of it: VIRQ", virq);
            }
    }
    return bad;
}

/* How many pins of @ref of @rd the maptrack entries of all domains account for. */
static u32 pins_owed(const struct hv_domain *rd, u32 ref)
{
    u32 pins = 0;

    hv_for_each_domain(d) {
        for (u32 handle = 0; d->grants && handle < d->grants->maptrack_limit; handle++) {
            const struct hv_grant_maptrack *m = hv_grant_maptrack(d->grants, handle);

            if (m->flags && m->domid == rd->id && m->ref == ref)
                pins += hv_grant_pins(m->flags);
        }
    }
    return pins;
}

/* Is every free handle once in the list, and no other? */
static bool maptrack_good(const struct hv_grant_table *t)
{
    u32 free = 0, listed = 0;

    for (u32 handle = 0; handle < t->maptrack_limit; handle++)
        free += !hv_grant_maptrack(t, handle)->flags;
    for (u32 h = t->free_head; h != HV_GRANT_NONE && listed <= free; listed++) {
        if (h >= t->maptrack_limit || hv_grant_maptrack(t, h)->flags)
            return false;
        h = hv_grant_maptrack(t, h)->ref;
    }
    return listed == free;
}

/* How many handles of @user name grants of domain @id. */
static u32 handles_of(const struct hv_domain *user, u16 id)
{
    u32 n = 0;

    for (u32 handle = 0; user->grants && handle < user->grants->maptrack_limit; handle++) {
        const struct hv_grant_maptrack *m = hv_grant_maptrack(user->grants, handle);

        n += m->flags && m->domid == id;
    }
    return n;
}

unsigned hv_grant_audit(void)
{
    unsigned bad = 0;
    u32 mapped;

    hv_for_each_domain(d) {
        struct hv_grant_table *t = d->grants;

        if (!t)
            continue;
        bad += complain(!maptrack_good(t), d, "a bad list of handles, of", t->maptrack_limit);
        mapped = 0;
        hv_for_each_domain(user)
            mapped += handles_of(user, d->id);
        bad += complain(mapped != t->mapped, d, "miscounted handles of others:", mapped);
        for (u32 ref = 0; ref < hv_grant_entries(t); ref++) {
            const struct hv_grant_active *a = hv_grant_active(t, ref);

            /* A host half may outlive its page-table entry, and then the frame: a device half does not. */
            if (a->pins)
                bad += complain(a->pins != pins_owed(d, ref), d, "miscounted users of entry", ref) +
                       complain(!hv_mfn_is_ram(a->mfn) ||
                                ((a->pins & PIN_DEVICE_MASK) && hv_frame(a->mfn)->owner != d->id), d,
                                "not the granter's any more: the frame of entry", ref);
        }
        /* Every handle must name an entry that knows of it. */
        for (u32 handle = 0; handle < t->maptrack_limit; handle++) {
            const struct hv_grant_maptrack *m = hv_grant_maptrack(t, handle);
            struct hv_domain *rd = m->flags ? hv_domain_find(m->domid) : NULL;

            if (m->flags)
                bad += complain(!rd || m->ref >= hv_grant_entries(rd->grants) ||
                                !hv_grant_active(rd->grants, m->ref)->pins, d, "of nothing: handle", handle);
        }
    }
    return bad;
}

void hv_service_visit(void (*fn)(hv_mfn_t mfn, bool writable, void *data), void *data)
{
    if (hv_pirq_eoi_frame())
        fn(hv_pirq_eoi_frame(), true, data);
    hv_for_each_domain(d) {
        for (u32 handle = 0; d->grants && handle < d->grants->maptrack_limit; handle++) {
            const struct hv_grant_maptrack *m = hv_grant_maptrack(d->grants, handle);
            const struct hv_domain *rd;

            if (!(m->flags & GNTMAP_device_map))
                continue;
            rd = hv_domain_find(m->domid);
            fn(hv_grant_active(rd->grants, m->ref)->mfn, !(m->flags & GNTMAP_readonly), data);
        }
    }
}
