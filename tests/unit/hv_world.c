/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/hv_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hv/apic.h"
#include "hv/audit_services.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/evtchn.h"
#include "hv/frame.h"
#include "hv/grant.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"

struct hv_cpu hv_cpu;
struct hv_domain *hv_domains, *hv_dom0;
hv_mfn_t hv_max_mfn = WORLD_FRAMES;

static struct hv_domain domains[WORLD_DOMAINS];
static struct hv_vcpu vcpus[WORLD_DOMAINS];
static uint64_t ptes[WORLD_DOMAINS][WORLD_ENTRIES];
static uint64_t own[WORLD_DOMAINS][WORLD_OWN];
static unsigned flushes, pages, preempt_every;

/* The call to be continued. */
static struct {
    bool due;
    u64 args[5];
} again;

static void map_fixed(uint64_t va, size_t size)
{
    if (mmap((void *)va, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)va)
        abort();
}

/* ---- frames ---- */

static struct hv_frame *frame_take(u16 owner)
{
    static unsigned next = 1;

    for (unsigned i = 0; i < WORLD_FRAMES; i++) {
        unsigned mfn = 1 + (next + i) % (WORLD_FRAMES - 1);
        struct hv_frame *f = hv_frame(mfn);

        if (f->count)
            continue;
        next = mfn;
        *f = (struct hv_frame){
            .count = 1, .owner = owner, .flags = HV_FRAME_RAM | HV_FRAME_ALLOCATED};
        memset(hv_frame_va(f), 0, HV_PAGE_SIZE);
        return f;
    }
    return NULL;
}

void hv_frame_release(struct hv_frame *f)
{
    if (f->type_count)
        abort();
    f->owner = DOMID_INVALID;
    f->type = HV_TYPE_NONE;
}

int hv_get_type_slow(struct hv_frame *f, enum hv_frame_type type)
{
    if (f->type_count && f->type != type)
        return -EINVAL;
    if (f->type_count >= 0xfffffff0u)
        return -EINVAL;
    f->type = type;
    f->flags |= HV_FRAME_VALIDATED;
    f->type_count++;
    return 0;
}

void hv_put_type_last(struct hv_frame *f)
{
    (void)f;
}

bool hv_frame_steal(struct hv_frame *f, struct hv_domain *d)
{
    if (f->owner != d->id || f->count != 1 || !(f->flags & HV_FRAME_ALLOCATED) || f->type_count ||
        (f->flags & HV_FRAME_SPECIAL))
        return false;
    f->count = 0;
    f->owner = DOMID_INVALID;
    d->tot_pages--;
    return true;
}

void hv_frame_give(struct hv_frame *f, struct hv_domain *d)
{
    f->count = 1;
    f->owner = d->id;
    f->flags |= HV_FRAME_ALLOCATED;
    d->tot_pages++;
}

void hv_frame_free(struct hv_frame *f)
{
    f->count = 0;
}

void *hv_page_alloc(void)
{
    struct hv_frame *f = frame_take(DOMID_XEN);

    pages += f != NULL;
    return f ? hv_frame_va(f) : NULL;
}

void hv_page_share(void *page, struct hv_domain *d)
{
    struct hv_frame *f = hv_frame(hv_va_mfn(page));

    f->owner = d->id;
    f->flags |= HV_FRAME_SPECIAL;
    f->type = HV_TYPE_WRITABLE;
    f->type_count = 1;
}

bool hv_page_unshare(void *page)
{
    struct hv_frame *f = hv_frame(hv_va_mfn(page));

    if (f->count != 1 || f->type_count != 1)
        return false;
    f->owner = DOMID_XEN;
    f->type_count = 0;
    f->flags &= ~HV_FRAME_SPECIAL;
    return true;
}

void hv_page_free(void *page)
{
    struct hv_frame *f = hv_frame(hv_va_mfn(page));

    if (f->flags & HV_FRAME_SPECIAL) {
        f->type_count--;
        f->flags &= ~HV_FRAME_SPECIAL;
    }
    f->flags &= ~HV_FRAME_ALLOCATED;
    pages--;
    hv_put_page(f);
}

/* ---- page-table entries: linear addresses WORLD_VA(), or their number times 8 as machine address ---- */

static uint64_t *pte_find(u64 host_addr, bool is_pte)
{
    u64 n = is_pte ? host_addr / 8 : (host_addr - WORLD_VA(0)) / 4096;

    if (n >= WORLD_ENTRIES || (is_pte && host_addr % 8))
        return NULL;
    return &ptes[hv_current->domain->id][n];
}

void hv_l1e_put(u64 e)
{
    if (!(e & HV_PTE_P))
        return;
    if (e & HV_PTE_RW)
        hv_put_type(hv_frame(hv_pte_mfn(e)));
    hv_put_page(hv_frame(hv_pte_mfn(e)));
}

int hv_pte_grant_set(u64 host_addr, bool contains_pte, u64 pte)
{
    uint64_t *slot = pte_find(host_addr, contains_pte), old;

    if (!slot)
        return -EINVAL;
    old = *slot;
    *slot = pte;
    hv_l1e_put(old);
    return 0;
}

int hv_pte_grant_clear(u64 host_addr, bool contains_pte, hv_mfn_t mfn, bool writable)
{
    uint64_t *slot = pte_find(host_addr, contains_pte);

    if (!slot || !(*slot & HV_PTE_P) || hv_pte_mfn(*slot) != mfn ||
        !!(*slot & HV_PTE_RW) != writable)
        return -EINVAL;
    *slot = 0;
    return 0;
}

int hv_pte_grant_replace(u64 host_addr, u64 new_addr, hv_mfn_t mfn, bool writable)
{
    uint64_t *from = pte_find(new_addr, false), *to = pte_find(host_addr, false), moved;

    if (!from || !to)
        return -EINVAL;
    moved = *from;
    *from = 0;
    if (hv_pte_grant_clear(host_addr, false, mfn, writable)) {
        hv_l1e_put(moved);
        return -EINVAL;
    }
    *to = moved;
    return 0;
}

void hv_tlb_flush_local(void)
{
    flushes++;
}

/* ---- the rest of what the services call ---- */

struct hv_domain *hv_domain_find(u16 id)
{
    return id < WORLD_DOMAINS ? &domains[id] : NULL;
}

struct hv_domain *hv_domain_resolve(u16 id)
{
    return id == DOMID_SELF ? hv_current->domain : hv_domain_find(id);
}

void hv_domain_try_free(struct hv_domain *d)
{
    (void)d;
}

void hv_vcpu_kick(struct hv_vcpu *v)
{
    (void)v;
}

void hv_poll_wake_slow(struct hv_domain *d, u32 port)
{
    (void)d, (void)port;
}

bool hv_preempt_slow(void)
{
    hv_cpu.budget = preempt_every;
    return preempt_every != 0;
}

size_t hv_copy_raw(void *to, const void *from, size_t size)
{
    if ((u64)to < 4096 || (u64)from < 4096)
        return size;
    memcpy(to, from, size);
    return 0;
}

long hv_continue(u32 nr, u32 nr_args, const u64 *args)
{
    (void)nr;
    again.due = true;
    memcpy(again.args, args, nr_args * sizeof(*args));
    return -ERESTART;
}

int hv_ioapic_route(u32 gsi, bool level, bool low)
{
    (void)level, (void)low;
    return gsi < HV_NR_GSI ? 0 : -EINVAL;
}

void hv_ioapic_mask(u32 gsi, bool masked)
{
    (void)gsi, (void)masked;
}

bool hv_range_holds(const struct hv_range *list, u64 first, u64 last)
{
    (void)list, (void)first, (void)last;
    return true;
}

/* ---- the test's side ---- */

void world_init(void)
{
    map_fixed(HV_VA_DIRECT, WORLD_FRAMES * HV_PAGE_SIZE);
    map_fixed(HV_VA_FRAMES, WORLD_FRAMES * sizeof(struct hv_frame));
    map_fixed(HV_VA_M2P_RW, WORLD_FRAMES * sizeof(u64));
    memset(domains, 0, sizeof(domains));
    memset(vcpus, 0, sizeof(vcpus));
    memset(ptes, 0, sizeof(ptes));
    flushes = pages = 0;
    world_preempt(0);
    hv_domains = hv_dom0 = &domains[0];
    for (unsigned id = 0; id < WORLD_DOMAINS; id++) {
        struct hv_domain *d = &domains[id];

        d->id = id;
        d->privileged = id == 0;
        d->max_vcpus = 1;
        d->vcpu[0] = &vcpus[id];
        d->max_pages = WORLD_OWN + 4;
        d->next = id + 1 < WORLD_DOMAINS ? &domains[id + 1] : NULL;
        d->shared = hv_page_alloc();
        vcpus[id].domain = d;
        vcpus[id].info = &d->shared->vcpu_info[0];
        if (hv_evtchn_domain_init(d) || hv_grant_domain_init(d))
            abort();
        for (unsigned n = 0; n < WORLD_OWN; n++)
            own[id][n] = hv_frame_mfn(frame_take(id));
        d->tot_pages = WORLD_OWN;
    }
    world_is(0);
}

void world_fini(void)
{
    for (unsigned id = 0; id < WORLD_DOMAINS; id++) {
        hv_grant_domain_fini(&domains[id]);
        hv_evtchn_domain_fini(&domains[id]);
    }
    munmap((void *)HV_VA_DIRECT, WORLD_FRAMES * HV_PAGE_SIZE);
    munmap((void *)HV_VA_FRAMES, WORLD_FRAMES * sizeof(struct hv_frame));
    munmap((void *)HV_VA_M2P_RW, WORLD_FRAMES * sizeof(u64));
}

void world_is(unsigned domain)
{
    hv_cpu.current = &vcpus[domain];
}

uint64_t world_mfn(unsigned domain, unsigned n)
{
    return own[domain][n];
}

void *world_frame(uint64_t mfn)
{
    return hv_mfn_va(mfn);
}

uint64_t world_pte(unsigned domain, unsigned n)
{
    return ptes[domain][n];
}

bool world_pte_set(unsigned domain, unsigned n, uint64_t pte)
{
    uint64_t old = ptes[domain][n];

    if (pte & HV_PTE_P) {
        struct hv_frame *f = hv_frame(hv_pte_mfn(pte));

        if (!hv_get_page(f, domain))
            return false;
        if ((pte & HV_PTE_RW) && hv_get_type(f, HV_TYPE_WRITABLE)) {
            hv_put_page(f);
            return false;
        }
    }
    ptes[domain][n] = pte;
    hv_l1e_put(old);
    return true;
}

uint32_t world_count(uint64_t mfn)
{
    return hv_frame(mfn)->count;
}

uint32_t world_type_count(uint64_t mfn)
{
    return hv_frame(mfn)->type_count;
}

unsigned world_owner(uint64_t mfn)
{
    return hv_frame(mfn)->count ? hv_frame(mfn)->owner : DOMID_INVALID;
}

unsigned world_flushes(void)
{
    return flushes;
}

void world_preempt(unsigned every)
{
    preempt_every = every;
    hv_cpu.budget = every;
}

unsigned world_pages(void)
{
    return pages;
}

bool world_event_pending(unsigned domain, uint32_t port)
{
    return domains[domain].shared->evtchn_pending[port / 64] >> (port % 64) & 1;
}

bool world_upcall_pending(unsigned domain)
{
    return vcpus[domain].info->evtchn_upcall_pending;
}

void world_event_mask(unsigned domain, uint32_t port, bool masked)
{
    u64 bit = 1ull << (port % 64), *word = &domains[domain].shared->evtchn_mask[port / 64];

    *word = masked ? *word | bit : *word & ~bit;
}

void world_event_clear(unsigned domain, uint32_t port)
{
    domains[domain].shared->evtchn_pending[port / 64] &= ~(1ull << (port % 64));
    vcpus[domain].info->evtchn_pending_sel = 0;
    vcpus[domain].info->evtchn_upcall_pending = 0;
}

static long call(hv_hypercall_fn fn, u64 a0, u64 a1, u64 a2)
{
    long rc;

    again.args[0] = a0;
    again.args[1] = a1;
    again.args[2] = a2;
    do {
        again.due = false;
        rc = fn(again.args[0], again.args[1], again.args[2], 0, 0);
    } while (again.due);
    return rc;
}

long world_grant_op(unsigned cmd, void *arg, unsigned count)
{
    return call(hv_do_grant_table_op, cmd, (u64)arg, count);
}

long world_evtchn_op(unsigned cmd, void *arg)
{
    return call(hv_do_event_channel_op, cmd, (u64)arg, 0);
}

void world_kill(unsigned domain)
{
    struct hv_domain *d = &domains[domain];

    d->dying = HV_DYING;
    hv_evtchn_kill_begin(d);
    while (hv_evtchn_kill(d))
        ;
    while (hv_grant_domain_kill(d))
        ;
    for (unsigned n = 0; n < WORLD_ENTRIES; n++)
        world_pte_set(domain, n, 0);
}

void world_virq(unsigned domain, unsigned virq)
{
    hv_virq_raise_vcpu(&vcpus[domain], virq);
}

void world_evtchn_limit(unsigned domain, uint32_t max_port)
{
    hv_evtchn_limit(&domains[domain], max_port);
}

int world_grant_limit(unsigned domain, int32_t frames, int32_t maptrack, unsigned version)
{
    return hv_grant_limit(&domains[domain], frames, maptrack, version);
}

struct counted {
    u64 mfn;
    u32 count, type;
};

static void count_device(hv_mfn_t mfn, bool writable, void *data)
{
    struct counted *c = data;

    if (mfn == c->mfn) {
        c->count++;
        c->type += writable;
    }
}

/* Are the counts of each frame what the allocation, the entries and the grants account for? */
static unsigned audit_frames(void)
{
    unsigned bad = 0;

    for (u64 mfn = 1; mfn < WORLD_FRAMES; mfn++) {
        const struct hv_frame *f = hv_frame(mfn);
        struct counted c = {mfn, f->count && (f->flags & HV_FRAME_ALLOCATED),
                            f->count && (f->flags & HV_FRAME_SPECIAL)};

        for (unsigned d = 0; d < WORLD_DOMAINS; d++)
            for (unsigned n = 0; n < WORLD_ENTRIES; n++)
                if ((ptes[d][n] & HV_PTE_P) && hv_pte_mfn(ptes[d][n]) == mfn) {
                    c.count++;
                    c.type += !!(ptes[d][n] & HV_PTE_RW);
                }
        hv_service_visit(count_device, &c);
        bad += f->count != c.count || f->type_count != c.type;
    }
    return bad;
}

unsigned world_audit(void)
{
    return hv_evtchn_audit() + hv_grant_audit() + audit_frames();
}

/* What the recount disagrees with; standard output is the test's. */
void hv_printk(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}
