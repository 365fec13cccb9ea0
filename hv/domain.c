/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains and vCPUs: their coming, their state, their end. */
#include "hv/domain.h"

#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/evtchn.h"
#include "hv/grant.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

#include <xen/sched.h>

struct hv_domain *hv_domains, *hv_dom0;
struct hv_domain hv_xen_domain = {.id = DOMID_XEN};

_Static_assert(sizeof(struct hv_domain) <= HV_PAGE_SIZE && sizeof(struct hv_vcpu) + 512 + 16 <= HV_PAGE_SIZE,
               "each fits into a page");

struct hv_domain *hv_domain_find(u16 id)
{
    struct hv_domain *d = hv_domains;
    while (d && d->id < id)
        d = d->next;
    return d && d->id == id ? d : NULL;
}

struct hv_domain *hv_domain_resolve(u16 id)
{
    return id == DOMID_SELF ? hv_current->domain : hv_domain_find(id);
}

/* ---- ranges ----------------------------------------------------------------------------------------- */
/* Nodes live in pages of their own, as they are few. */
static struct hv_range *free_ranges;

static struct hv_range *range_new(u64 first, u64 last)
{
    if (!free_ranges) {
        struct hv_range *page = hv_page_alloc();
        if (!page)
            return NULL;
        for (u32 i = 0; i < HV_PAGE_SIZE / sizeof(*page); i++) {
            page[i].next = free_ranges;
            free_ranges = &page[i];
        }
    }
    struct hv_range *r = free_ranges;
    free_ranges = r->next;
    *r = (struct hv_range){first, last, NULL};
    return r;
}

static void range_free(struct hv_range *r)
{
    r->next = free_ranges;
    free_ranges = r;
}

int hv_range_remove(struct hv_range **list, u64 first, u64 last)
{
    for (struct hv_range **p = list; *p;) {
        struct hv_range *r = *p;
        if (r->last < first || r->first > last) {
            p = &r->next;
        } else if (r->first < first && r->last > last) {
            struct hv_range *upper = range_new(last + 1, r->last);
            if (!upper)
                return -ENOMEM;
            upper->next = r->next;
            r->next = upper;
            r->last = first - 1;
            return 0;
        } else if (r->first < first) {
            r->last = first - 1;
            p = &r->next;
        } else if (r->last > last) {
            r->first = last + 1;
            p = &r->next;
        } else {
            *p = r->next;
            range_free(r);
        }
    }
    return 0;
}

int hv_range_add(struct hv_range **list, u64 first, u64 last)
{
    struct hv_range *r = range_new(first, last);
    if (!r)
        return -ENOMEM;
    hv_range_remove(list, first, last);	/* only cuts ends: no node is needed unless it lies inside */
    for (struct hv_range **p = list; *p;) {	/* neighbours join, so that one range answers */
        struct hv_range *n = *p;
        if (n->last + 1 == r->first || r->last + 1 == n->first) {
            r->first = HV_MIN(r->first, n->first);
            r->last = HV_MAX(r->last, n->last);
            *p = n->next;
            range_free(n);
        } else {
            p = &n->next;
        }
    }
    r->next = *list;
    *list = r;
    return 0;
}

bool hv_range_holds(const struct hv_range *r, u64 first, u64 last)
{
    for (; r; r = r->next)
        if (first >= r->first && last <= r->last)
            return true;
    return false;
}

void hv_range_clear(struct hv_range **list)
{
    while (*list) {
        struct hv_range *r = *list;
        *list = r->next;
        range_free(r);
    }
}

/* ---- creation ---------------------------------------------------------------------------------------- */
int hv_domain_create(u16 id, bool privileged, struct hv_domain **out)
{
    struct hv_domain *d, **p = &hv_domains;
    if (hv_domain_find(id))
        return -EEXIST;
    d = hv_page_alloc();
    if (!d)
        return -ENOMEM;
    d->id = id;
    d->privileged = privileged;
    d->weight = HV_WEIGHT_DEFAULT;
    d->paging = &hv_paging_direct;
    d->pause_count = 1;
    d->paused_by_tools = true;
    while (*p && (*p)->id < id)
        p = &(*p)->next;
    d->next = *p;
    *p = d;
    d->perdomain_l3 = hv_page_alloc();
    d->perdomain_l2 = hv_page_alloc();
    d->shared = hv_page_alloc();
    if (!d->perdomain_l3 || !d->perdomain_l2 || !d->shared)
        goto no_memory;
    d->perdomain_l3[0] = hv_va_mfn(d->perdomain_l2) << 12 | 0x63;
    d->perdomain_l3_mfn = hv_va_mfn(d->perdomain_l3);
    hv_page_share(d->shared, d);
    hv_wallclock_update(d);
    if (!hv_evtchn_domain_init(d) && !hv_grant_domain_init(d)) {
        *out = d;
        return 0;
    }
no_memory:
    d->dying = HV_DEAD;
    hv_domain_try_free(d);
    return -ENOMEM;
}

static void singleshot_due(void *data) { hv_virq_raise_vcpu(data, VIRQ_TIMER); }

static void periodic_due(void *data)
{
    struct hv_vcpu *v = data;
    hv_virq_raise_vcpu(v, VIRQ_TIMER);
    hv_timer_set(&v->periodic, HV_MAX(v->periodic.deadline_ns + v->period_ns, hv_now()));
}

extern u64 hv_zero_mfn;

static void reset_registers(struct hv_vcpu *v)
{
    u64 *fpu = (u64 *)v->fpu;
    memset(&v->regs, 0, sizeof(v->regs));
    memset(v->fpu, 0, 512);
    fpu[0] = 0x37f;
    fpu[3] = 0x1f80;
    memset(v->traps, 0, HV_PAGE_SIZE);
    v->event_callback = v->failsafe_callback = v->syscall_callback = 0;
    v->syscall32_callback = v->sysenter_callback = 0;
    v->dr6 = 0xffff0ff0;
    v->dr7 = 0x400;
    memset(v->dr, 0, sizeof(v->dr));
    v->cr0_ts = v->cr4 = 0;
    v->ds = v->es = v->fs = v->gs = 0;
    v->fs_base = v->gs_base_kernel = v->gs_base_user = 0;
    v->flags = 0;
}

static struct hv_vcpu *vcpu_create(struct hv_domain *d, u32 id)
{
    struct hv_vcpu *v = hv_page_alloc();
    u64 **l1 = &d->gdt_l1[id / 16];
    if (!v)
        return NULL;
    v->traps = hv_page_alloc();
    if (!*l1 && (*l1 = hv_page_alloc()))
        d->perdomain_l2[id / 16] = hv_va_mfn(*l1) << 12 | 0x63;
    if (!v->traps || !*l1) {
        hv_page_free(v->traps);
        hv_page_free(v);
        return NULL;
    }
    v->fpu = (u8 *)v + HV_PAGE_SIZE - 512;
    v->domain = d;
    v->id = id;
    v->info = &d->shared->vcpu_info[id];
    v->hold = HV_HOLD_DOWN | (d->pause_count ? HV_HOLD_PAUSED : 0) | (d->shut_down ? HV_HOLD_SHUTDOWN : 0);
    v->pause_count = 0;
    v->poll_port = HV_POLL_NONE;
    reset_registers(v);
    for (u32 i = 0; i < 14; i++) {
        v->gdt_mfn[i] = HV_MFN_NONE;
        (*l1)[(id % 16) * 32 + i] = hv_zero_mfn << 12 | HV_PTE_P | HV_PTE_A | HV_PTE_NX;
    }
    (*l1)[(id % 16) * 32 + 14] = hv_gdt_page_mfn() << 12 | 0x63 | HV_PTE_NX;
    hv_timer_init(&v->singleshot, singleshot_due, v);
    hv_timer_init(&v->periodic, periodic_due, v);
    hv_sched_vcpu_init(v);
    hv_time_vcpu_update(v);
    return v;
}

int hv_domain_set_max_vcpus(struct hv_domain *d, u32 n)
{
    if (n == 0 || n > HV_MAX_VCPUS || n < d->max_vcpus)
        return -EINVAL;
    while (d->max_vcpus < n) {
        d->vcpu[d->max_vcpus] = vcpu_create(d, d->max_vcpus);
        if (!d->vcpu[d->max_vcpus])
            return -ENOMEM;
        d->max_vcpus++;
    }
    return 0;
}

/* ---- pausing, shutting down ---------------------------------------------------------------------------- */
void hv_vcpu_pause(struct hv_vcpu *v)
{
    v->pause_count++;
    hv_hold(v, HV_HOLD_PAUSED);
}

void hv_vcpu_unpause(struct hv_vcpu *v)
{
    if (--v->pause_count == 0 && !v->domain->pause_count)
        hv_unhold(v, HV_HOLD_PAUSED);
}

void hv_domain_pause(struct hv_domain *d)
{
    d->pause_count++;
    hv_for_each_vcpu(d, v)
        hv_hold(v, HV_HOLD_PAUSED);
}

void hv_domain_unpause(struct hv_domain *d)
{
    if (--d->pause_count)
        return;
    hv_for_each_vcpu(d, v)
        if (!v->pause_count)
            hv_unhold(v, HV_HOLD_PAUSED);
}

void hv_domain_shutdown(struct hv_domain *d, u8 reason)
{
    if (d->shut_down)
        return;
#ifdef HV_AUDIT
    if (hv_do_audit(0, 0, 0, 0, 0))
        hv_panic("the books are wrong when domain %u ends", d->id);
#endif
    d->shut_down = true;
    d->shutdown_code = reason;
    if (d == hv_dom0) {
        static const char *const names[] = {"powers off", "reboots", "suspends", "crashed", "watchdog"};
        hv_printk("(HV) domain 0 %s\n", reason < 5 ? names[reason] : "shuts down");
        if (reason == SHUTDOWN_reboot)
            hv_machine_reboot();
        hv_machine_off(reason == SHUTDOWN_poweroff ? 0 : reason);
    }
    hv_for_each_vcpu(d, v)
        hv_hold(v, HV_HOLD_SHUTDOWN);
    hv_virq_raise_global(VIRQ_DOM_EXC);
}

void hv_domain_resume(struct hv_domain *d)
{
    d->shut_down = false;
    d->shutdown_code = 0;
    hv_for_each_vcpu(d, v)
        hv_unhold(v, HV_HOLD_SHUTDOWN);
}

void hv_domain_crash(struct hv_domain *d, const char *why)
{
    struct cpu_user_regs *r = &hv_current->regs;
    if (d->shut_down)
        return;
    hv_printk("(HV) d%u crashed: %s\n(HV) d%uv%u rip %lx rsp %lx rax %lx rdi %lx error %x vector %u cr2 %lx\n", d->id,
              why, hv_current->domain->id, hv_current->id, r->rip, r->rsp, r->rax, r->rdi, r->error_code,
              r->entry_vector, hv_current->info->arch.cr2);
    hv_domain_shutdown(d, SHUTDOWN_crash);
}

/* ---- the end --------------------------------------------------------------------------------------------- */
static void vcpu_stop(struct hv_vcpu *v)
{
    hv_hold(v, HV_HOLD_DOWN);
    hv_unhold(v, HV_HOLD_BLOCKED);
    hv_timer_stop(&v->singleshot);
    hv_timer_stop(&v->periodic);
}

/* Gives up everything a vCPU refers to. */
static void vcpu_release(struct hv_vcpu *v)
{
    hv_types_take_over(v);
    hv_ldt_drop(v);
    v->ldt_ents = 0;
    hv_destroy_gdt(v);
    hv_drop_roots(v);
    if (v->info_frame) {
        struct hv_frame *f = v->info_frame;
        v->info_frame = NULL;
        v->info = &v->domain->shared->vcpu_info[v->id];
        hv_put_page_and_type(f);
    }
}

int hv_vcpu_reset(struct hv_vcpu *v)
{
    vcpu_stop(v);
    vcpu_release(v);
    reset_registers(v);
    v->initialised = false;
    v->runstate_area = v->time_area = 0;
    return hv_types_drain();
}

/*
 * Pins and allocations of all frames; d->teardown is the next one, whatever happens to frames in between
 * (list_del()).  A frame that others map stays on the list without an allocation.
 */
static int relinquish(struct hv_domain *d)
{
    while (d->teardown) {
        struct hv_frame *f = hv_frame(d->teardown);
        d->teardown = f->next;
        if (f->flags & HV_FRAME_PINNED) {
            f->flags &= (u8)~HV_FRAME_PINNED;
            hv_put_page_and_type(f);	/* the allocation still holds it */
        }
        hv_frame_drop_allocation(f);
        if (hv_types_drain() || hv_preempt())
            return -ERESTART;
    }
    return 0;
}

int hv_domain_kill(struct hv_domain *d)
{
    int rc;
    if (d == hv_dom0)
        return -EINVAL;
    if (d->dying == HV_DEAD)
        return 0;
    if (hv_types_drain())
        return -ERESTART;
    if (d->dying == HV_ALIVE) {
        hv_domain_pause(d);
        d->dying = HV_DYING;
        for (u32 i = 0; i < 2; i++)
            hv_timer_stop(&d->watchdog[i]);
        hv_for_each_vcpu(d, v) {
            vcpu_stop(v);
            vcpu_release(v);
        }
        d->teardown = d->pages;
        hv_evtchn_kill_begin(d);
        if (hv_types_drain())
            return -ERESTART;
    }
    rc = hv_evtchn_kill(d);
    if (!rc)
        rc = hv_grant_domain_kill(d);
    if (!rc)
        rc = relinquish(d);
    if (rc)
        return rc;
    d->dying = HV_DEAD;
    hv_domain_try_free(d);
    return 0;
}

void hv_domain_try_free(struct hv_domain *d)
{
    struct hv_domain **p = &hv_domains;
    if (likely(d->dying != HV_DEAD) || d->pages || hv_grant_mapped(d))
        return;
    while (*p != d)
        p = &(*p)->next;
    *p = d->next;
    /* Nobody finds it any more. */
    hv_pages_disown(d);
    hv_evtchn_domain_fini(d);
    hv_grant_domain_fini(d);
    hv_for_each_vcpu(d, v) {
        hv_page_free(v->traps);
        hv_page_free(v);
    }
    hv_range_clear(&d->io_ports);
    hv_range_clear(&d->io_mem);
    hv_range_clear(&d->irqs);
    for (u32 i = 0; i < HV_ARRAY_SIZE(d->gdt_l1); i++)
        hv_page_free(d->gdt_l1[i]);
    hv_page_free(d->shared);
    hv_page_free(d->perdomain_l2);
    hv_page_free(d->perdomain_l3);
    hv_page_free(d);
    hv_virq_raise_global(VIRQ_DOM_EXC);
}

/* What a kernel calls instead of SYSCALL, one stub for each number. */
void hv_hypercall_page_fill(u8 *page)
{
    /* push rcx; push r11; mov eax,i; syscall; pop r11; pop rcx; ret */
    static const u8 code[] = {0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    /* push rcx; push r11; push rax; mov eax,23; syscall */
    static const u8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05};
    memset(page, 0xcc, HV_PAGE_SIZE);
    for (u32 i = 0; i < 128; i++, page += 32) {
        memcpy(page, code, sizeof(code));
        page[4] = (u8)i;
        if (i == __HYPERVISOR_iret)
            memcpy(page, iret, sizeof(iret));
    }
}

/* ---- vm_assist ------------------------------------------------------------------------------------------- */
HV_HYPERCALL(vm_assist)
{
    const u64 valid = 1ull << VMASST_TYPE_4gb_segments | 1ull << VMASST_TYPE_4gb_segments_notify |
                      1ull << VMASST_TYPE_writable_pagetables | 1ull << VMASST_TYPE_pae_extended_cr3 |
                      1ull << VMASST_TYPE_architectural_iopl | 1ull << VMASST_TYPE_runstate_update_flag |
                      1ull << VMASST_TYPE_m2p_strict;
    struct hv_domain *d = hv_current->domain;
    (void)a2, (void)a3, (void)a4;
    if ((u32)a1 >= 64 || !(valid >> (u32)a1 & 1))
        return -EINVAL;
    switch ((u32)a0) {
    case VMASST_CMD_enable:
        d->vm_assist |= 1ull << (u32)a1;
        return 0;
    case VMASST_CMD_disable:
        d->vm_assist &= ~(1ull << (u32)a1);
        return 0;
    }
    return -ENOSYS;
}

int hv_iobitmap_set(struct hv_vcpu *v, u64 bitmap, u32 ports)
{
    if (ports > 0x10000 || !hv_guest_range_ok(bitmap, (ports + 7) / 8))
        return -EINVAL;
    v->iobitmap = bitmap;
    v->iobitmap_ports = ports;
    return 0;
}
