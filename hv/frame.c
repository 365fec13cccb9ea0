/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns which frame.
 *
 * Free frames are kept in an array without order, and a seeded generator picks one: no two
 * frames of a domain are neighbours except by chance, which is what a machine looks like after
 * some weeks of ballooning.  A frame is zeroed when it is handed out.
 */
#include "hv/frame.h"

#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/lib.h"
#include "hv/mm.h"

hv_mfn_t hv_max_mfn;
static u32 *pool;
static u64 nr_free, nr_total, random_state;

u64 hv_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

void hv_frame_pool_init(u64 pool_pa, u64 seed)
{
    pool = (u32 *)(HV_VA_DIRECT + pool_pa);
    random_state = seed * 0x9e3779b97f4a7c15ull | 1;
}

static void pool_put(struct hv_frame *f)
{
    f->owner = DOMID_INVALID;
    f->flags = HV_FRAME_RAM;
    f->type = HV_TYPE_NONE;
    f->count = f->type_count = 0;
    f->next = (u32)nr_free;
    pool[nr_free++] = (u32)hv_frame_mfn(f);
}

static void pool_take(struct hv_frame *f)
{
    u32 last = pool[--nr_free];
    pool[f->next] = last;
    hv_frame(last)->next = f->next;
}

void hv_frame_pool_add(u64 mfn, bool is_free)
{
    struct hv_frame *f = hv_frame(mfn);
    if (!(f->flags & HV_FRAME_RAM))
        nr_total++;
    f->flags |= HV_FRAME_RAM;
    if (is_free) {
        pool_put(f);
    } else {
        f->owner = DOMID_XEN;
        f->count = 1;
    }
}

/* Whoever calls this lies in those pages: there is no way back. */
void hv_boot_release(void)
{
    for (u64 va = (u64)hv_init; va < (u64)hv_init_end; va += HV_PAGE_SIZE) {
        *hv_walk_l1(hv_boot.idle_cr3, va) = 0;
        hv_invlpg(va);
        hv_frame_pool_add((va - HV_VA_IMAGE) >> 12, true);
    }
    hv_enter_guest();
}

u64 hv_frames_free(void) { return nr_free; }
u64 hv_frames_total(void) { return nr_total; }

/* ---- lists of a domain's frames --------------------------------------------------------------- */
static u32 *list_of(struct hv_domain *d, const struct hv_frame *f)
{
    return f->flags & HV_FRAME_SPECIAL ? &d->special_pages : &d->pages;
}

static void list_add(struct hv_domain *d, struct hv_frame *f)
{
    u32 *list = list_of(d, f);
    f->prev = 0;
    f->next = *list;
    if (*list)
        hv_frame(*list)->prev = (u32)hv_frame_mfn(f);
    *list = (u32)hv_frame_mfn(f);
    if (f->flags & HV_FRAME_SPECIAL)
        d->nr_special++;
    else
        d->tot_pages++;
}

static void list_del(struct hv_domain *d, struct hv_frame *f)
{
    if (f->prev)
        hv_frame(f->prev)->next = f->next;
    else
        *list_of(d, f) = f->next;
    if (f->next)
        hv_frame(f->next)->prev = f->prev;
    if (d->teardown == hv_frame_mfn(f))
        d->teardown = f->next;
    if (f->flags & HV_FRAME_SPECIAL)
        d->nr_special--;
    else
        d->tot_pages--;
}

/* A frame leaves the pool for its new life: nothing cached, nothing of its old contents. */
static void make_fresh(struct hv_frame *f)
{
    if (f->stamp == hv_cpu.tlb_clock)
        hv_tlb_flush_local();
    memset(hv_frame_va(f), 0, HV_PAGE_SIZE);
}

void hv_frame_give(struct hv_frame *f, struct hv_domain *d)
{
    f->owner = d->id;
    f->count = 1;
    f->type = HV_TYPE_NONE;
    f->type_count = 0;
    f->flags = HV_FRAME_RAM | HV_FRAME_ALLOCATED;
    f->nr_valid = 0;
    f->linear = 0;
    list_add(d, f);
}

struct hv_frame *hv_frame_alloc(struct hv_domain *d)
{
    if (d->tot_pages >= d->max_pages || !nr_free || d->dying)
        return NULL;
    struct hv_frame *f = hv_frame(pool[hv_random() % nr_free]);
    pool_take(f);
    make_fresh(f);
    hv_frame_give(f, d);
    return f;
}

static bool is_free(u64 mfn)
{
    return hv_mfn_is_ram(mfn) && hv_frame(mfn)->owner == DOMID_INVALID && !hv_frame(mfn)->count &&
           !(hv_frame(mfn)->flags & HV_FRAME_ALLOCATED);	/* that one is stolen, on its way to a domain */
}

struct hv_frame *hv_frame_alloc_run(struct hv_domain *d, unsigned order, unsigned max_bits)
{
    u64 n = 1ull << order, top = hv_max_mfn, mfn, i;
    if (order == 0 && !max_bits)
        return hv_frame_alloc(d);
    if (d->tot_pages + n > d->max_pages || nr_free < n || d->dying)
        return NULL;
    if (max_bits && max_bits < 52)
        top = HV_MIN(top, max_bits > 12 ? 1ull << (max_bits - 12) : 0);
    for (mfn = top & ~(n - 1); mfn >= n;) {
        mfn -= n;
        for (i = 0; i < n && is_free(mfn + i); i++)
            ;
        if (i < n)
            continue;
        for (i = 0; i < n; i++) {
            pool_take(hv_frame(mfn + i));
            make_fresh(hv_frame(mfn + i));
            hv_frame_give(hv_frame(mfn + i), d);
        }
        return hv_frame(mfn);
    }
    return NULL;
}

/* The last count is gone. */
void hv_frame_release(struct hv_frame *f)
{
    struct hv_domain *d = hv_domain_find(f->owner);
    HV_ASSERT(f->type_count == 0);
    f->stamp = hv_cpu.tlb_clock;
    hv_m2p[hv_frame_mfn(f)] = ~0ull;
    if (d)
        list_del(d, f);
    pool_put(f);
    if (d)
        hv_domain_try_free(d);
}

bool hv_frame_drop_allocation(struct hv_frame *f)
{
    if (!(f->flags & HV_FRAME_ALLOCATED))
        return false;
    f->flags &= (u8)~HV_FRAME_ALLOCATED;
    hv_put_page(f);
    return true;
}

bool hv_frame_steal(struct hv_frame *f, struct hv_domain *d)
{
    if (f->owner != d->id || f->count != 1 || f->type_count || !(f->flags & HV_FRAME_ALLOCATED) ||
        (f->flags & HV_FRAME_SPECIAL))
        return false;
    hv_tlb_flush_local();
    list_del(d, f);
    f->owner = DOMID_INVALID;
    f->count = 0;
    f->type = HV_TYPE_NONE;
    /* not in the pool: nobody may take it for free meanwhile */
    f->flags = HV_FRAME_RAM | HV_FRAME_ALLOCATED;
    hv_m2p[hv_frame_mfn(f)] = ~0ull;
    return true;
}

void hv_frame_free(struct hv_frame *f)
{
    f->stamp = hv_cpu.tlb_clock;
    pool_put(f);
}

/* ---- the hypervisor's own pages -------------------------------------------------------------- */
void *hv_page_alloc(void)
{
    if (!nr_free)
        return NULL;
    struct hv_frame *f = hv_frame(pool[hv_random() % nr_free]);
    pool_take(f);
    make_fresh(f);
    f->owner = DOMID_XEN;
    f->count = 1;
    f->flags = HV_FRAME_RAM;
    return hv_frame_va(f);
}

void hv_page_share(void *page, struct hv_domain *d)
{
    struct hv_frame *f = hv_frame(hv_va_mfn(page));
    f->owner = d->id;
    f->flags = HV_FRAME_RAM | HV_FRAME_SPECIAL | HV_FRAME_ALLOCATED | HV_FRAME_VALIDATED;
    f->type = HV_TYPE_WRITABLE;
    f->type_count = 1;
    list_add(d, f);
}

bool hv_page_unshare(void *page)
{
    struct hv_frame *f = hv_frame(hv_va_mfn(page));
    struct hv_domain *d = hv_domain_find(f->owner);
    if (f->count != 1 || f->type_count != 1)
        return false;
    list_del(d, f);
    hv_tlb_flush_local();
    f->owner = DOMID_XEN;
    f->type = HV_TYPE_NONE;
    f->type_count = 0;
    f->flags = HV_FRAME_RAM;
    return true;
}

void hv_pages_disown(struct hv_domain *d)
{
    for (u32 mfn = d->special_pages; mfn; mfn = hv_frame(mfn)->next)
        hv_frame(mfn)->owner = DOMID_INVALID;
}

void hv_page_free(void *page)
{
    if (!page)
        return;
    struct hv_frame *f = hv_frame(hv_va_mfn(page));
    if (f->flags & HV_FRAME_SPECIAL) {
        hv_put_type(f);
        f->flags &= (u8)~HV_FRAME_ALLOCATED;
    }
    hv_put_page(f);
}
