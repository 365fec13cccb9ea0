/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains and their vCPUs.
 *
 * There is one physical CPU, and the hypervisor is never interrupted in the middle of an
 * operation: no lock and no reference count protects these structures.  A pointer found by
 * hv_domain_find() is good until the handler returns, or drops the last reference to something of a
 * dead domain.  A domain that dies stays in the table (dying != HV_ALIVE), with its ports and grants,
 * until its last frame is free and the last handle of its grants is closed.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include "hv/types.h"

#include <xen/xen.h>
#include <xen/vcpu.h>

#include "hv/frame.h"
#include "hv/sched.h"
#include "hv/time.h"

#define HV_MAX_VCPUS 32u

enum hv_dying { HV_ALIVE, HV_DYING, HV_DEAD };

struct hv_evtchn_table;	/* evtchn.c */
struct hv_grant_table;	/* grant.c */
struct hv_paging_ops;	/* paging.h */

/* What of the machine's devices a domain may use; inclusive ranges, few. */
struct hv_range {
    u64 first, last;
    struct hv_range *next;
};

struct hv_vcpu {
    /* entry.S: a fault of the final IRET spills below regs; regs ends at 16-byte alignment. */
    u64 slack[17];
    struct cpu_user_regs regs;
    struct vcpu_info *info;	/* hypervisor's address of the guest's vcpu_info */
    u32 flags;			/* HV_VCPU_ of layout.h and below */
    u32 hold;			/* HV_HOLD_: reasons not to run */

    struct hv_domain *domain;
    u32 id;
    u32 pause_count;
    bool initialised;		/* has a context */

    /* page tables */
    u64 cr3;			/* kernel root, machine address */
    u64 user_cr3;		/* user root, 0 = none */
    u32 deferred;		/* stack of page tables to take apart, by mfn (mm_types.c) */
    u32 validating;		/* stack of page tables being validated, by mfn */
    u32 validating_root;

    /* exceptions and callbacks */
    struct trap_info *traps;	/* 256, a page of its own */
    u64 kernel_sp, kernel_ss;
    u64 event_callback, failsafe_callback, syscall_callback, syscall32_callback, sysenter_callback;
    u64 nmi_callback;
    bool syscall_masks, syscall32_masks, sysenter_masks, failsafe_masks;
    bool nmi_pending, nmi_masked;

    /* segments */
    u16 ds, es, fs, gs;		/* while it does not run */
    u64 fs_base, gs_base_kernel, gs_base_user;	/* while it does not run */
    u64 gdt_mfn[14];		/* HV_MFN_NONE: none */
    u32 gdt_ents;
    u32 ldt_ents;
    u64 ldt_base;
    u32 ldt_mapped;		/* bit for each LDT page that is mapped */

    /* control and debug registers as the guest sees them */
    u64 cr0_ts;			/* HV_CR0_TS or 0 */
    u64 cr4;
    u64 dr[4], dr6, dr7;
    u32 iopl;
    u64 iobitmap;		/* guest address of the port bitmap, 0: none */
    u32 iobitmap_ports;

    /* virtual interfaces */
    struct hv_frame *info_frame;	/* frame of a registered vcpu_info, NULL: shared info */
    u64 runstate_area;			/* guest address, 0: none */
    u64 time_area;
    struct vcpu_runstate_info runstate;

    /* time */
    struct hv_timer singleshot, periodic, poll_timer;
    u64 period_ns;
    s32 poll_port;		/* HV_POLL_NONE, HV_POLL_MANY, or the port it waits for */

    /* scheduler */
    struct hv_vcpu *run_next, *run_prev;
    u64 vruntime;
    u64 hard_affinity;
    u64 saved_affinity;
    bool pinned_temporarily;
    bool on_queue;

    bool fpu_dirty;		/* its state is in the CPU */
    u8 *fpu;			/* FXSAVE area, 512 bytes, aligned 16 */
};
#define HV_POLL_NONE (-1)
#define HV_POLL_MANY (-2)

struct hv_domain {
    u16 id;
    bool privileged;		/* domain 0's rights */
    u8 dying;			/* enum hv_dying */
    bool shut_down;
    u8 shutdown_code;		/* SHUTDOWN_, with shut_down */
    u32 paused_by_tools;	/* DOMCTL_pausedomain, counted */
    bool is_created;		/* DOMCTL_unpausedomain was called at least once */
    u32 pause_count;
    u32 max_vcpus;
    u32 wanted_vcpus;		/* XEN_DOMCTL_createdomain: as many as max_vcpus is to make */
    struct hv_vcpu *vcpu[HV_MAX_VCPUS];

    struct shared_info *shared;	/* a shared page */
    u32 pages;			/* list of frames, by mfn, 0 = end */
    u32 special_pages;		/* list of shared hypervisor frames */
    u64 tot_pages, max_pages, outstanding_pages;
    u64 nr_special;

    const struct hv_paging_ops *paging;
    u64 *perdomain_l3, *perdomain_l2;	/* slot 260 */
    u64 perdomain_l3_mfn;
    u64 *gdt_l1[HV_MAX_VCPUS / 16];	/* L1 tables under it: 32 pages for each vCPU */

    u64 vm_assist;
    u32 weight, cap;
    u32 pollers;		/* vCPUs in SCHEDOP_poll */
    struct hv_timer watchdog[2];
    bool watchdog_used[2];

    struct hv_range *io_ports, *io_mem, *irqs;
    struct hv_evtchn_table *evtchn;
    struct hv_grant_table *grants;

    s64 time_offset_seconds;
    u8 handle[16];
    u32 ssidref;
    u32 creation_flags;
    u32 suspend_port;
    bool disable_migrate;
    u32 pci_address;		/* port 0xcf8 as the domain sees it */
    u64 wallclock_version;
    u32 teardown;		/* dying: the next frame to be given up, by mfn */

    struct hv_domain *next;	/* table: ascending id */
};

/* Stands for the owner of what is the hypervisor's: only the machine-to-phys table can be mapped. */
extern struct hv_domain hv_xen_domain;
extern struct hv_domain *hv_domains;	/* first of the list, ascending id */
extern struct hv_domain *hv_dom0;
extern struct hv_vcpu *hv_idle_vcpu;

/** hv_domain_find - the domain of this number, dying ones included; NULL if none. */
struct hv_domain *hv_domain_find(u16 id);
/** hv_domain_resolve - the same, DOMID_SELF is the caller's own. */
struct hv_domain *hv_domain_resolve(u16 id);
/** hv_vcpu_find - vCPU @id of @d if it was created, or NULL. */
static inline struct hv_vcpu *hv_vcpu_find(struct hv_domain *d, u32 id)
{
    return id < d->max_vcpus ? d->vcpu[id] : NULL;
}
#define hv_for_each_domain(d) for (struct hv_domain *d = hv_domains; d; d = d->next)
#define hv_for_each_vcpu(d, v) \
    for (u32 v##_i = 0; v##_i < (d)->max_vcpus; v##_i++) \
        for (struct hv_vcpu *v = (d)->vcpu[v##_i]; v; v = NULL)

/**
 * hv_domain_create - a new domain without memory; vCPUs come by hv_domain_set_max_vcpus().
 * @id: free domain number. Returns: 0; -ENOMEM; -EEXIST. It is paused until the first
 * hv_domain_unpause().
 */
int hv_domain_create(u16 id, bool privileged, struct hv_domain **out);
/** hv_domain_set_max_vcpus - creates vCPUs 0..@n-1, down. 0; -EINVAL; -ENOMEM. */
int hv_domain_set_max_vcpus(struct hv_domain *d, u32 n);
/**
 * hv_domain_kill - begins and goes on with the end of a domain.
 * Returns: 0 when all it owned is given up (frames others still map live on); -ERESTART:
 * call again; -EINVAL for domain 0.
 */
int hv_domain_kill(struct hv_domain *d);
/** hv_domain_try_free - frees a dead domain once nobody uses anything of it. */
void hv_domain_try_free(struct hv_domain *d);

/* Pauses nest; a paused vCPU is not in the guest when the call returns. */
void hv_domain_pause(struct hv_domain *d);
void hv_domain_unpause(struct hv_domain *d);
void hv_vcpu_pause(struct hv_vcpu *v);
void hv_vcpu_unpause(struct hv_vcpu *v);

/** hv_domain_shutdown - SHUTDOWN_ @reason: all vCPUs stop, domain 0 gets VIRQ_DOM_EXC; domain
 * 0 itself ends the machine. */
void hv_domain_shutdown(struct hv_domain *d, u8 reason);
/** hv_domain_resume - undoes it. */
void hv_domain_resume(struct hv_domain *d);
/** hv_domain_crash - the guest cannot go on: says why on the console, SHUTDOWN_crash. */
void hv_domain_crash(struct hv_domain *d, const char *why) __attribute__((cold));

/**
 * hv_vcpu_set_context - gives a vCPU a new state, as VCPUOP_initialise and setvcpucontext do.
 * @c: trusted no more than the guest is. Returns: 0; -EINVAL; -ERESTART (page tables).
 * hv_vcpu_get_context - the reverse.  The vCPU must not run.
 */
int hv_vcpu_set_context(struct hv_vcpu *v, struct vcpu_guest_context *c);
void hv_vcpu_get_context(struct hv_vcpu *v, struct vcpu_guest_context *c);
/** hv_vcpu_reset - back to down and uninitialised; 0 or -ERESTART. */
int hv_vcpu_reset(struct hv_vcpu *v);

/**
 * hv_vcpu_mark_pending - an event is to be delivered: sets evtchn_upcall_pending and wakes
 * the vCPU as needed (hv_vcpu_kick alone: wakes it to look again).
 */
void hv_vcpu_kick(struct hv_vcpu *v);
static inline void hv_vcpu_mark_pending(struct hv_vcpu *v)
{
    if (!HV_READ_ONCE(v->info->evtchn_upcall_pending)) {
        HV_WRITE_ONCE(v->info->evtchn_upcall_pending, 1);
        hv_vcpu_kick(v);
    }
}
static inline bool hv_vcpu_has_events(const struct hv_vcpu *v)
{
    return HV_READ_ONCE(v->info->evtchn_upcall_pending) && !HV_READ_ONCE(v->info->evtchn_upcall_mask);
}
/** hv_vcpu_nmi - an NMI for @v, which wakes up. */
void hv_vcpu_nmi(struct hv_vcpu *v);
/** hv_poll_wake - see sched.h. */
static inline void hv_poll_wake(struct hv_domain *d, u32 port)
{
    if (unlikely(d->pollers))
        hv_poll_wake_slow(d, port);
}

/** hv_hypercall_page_fill - writes the stubs of a hypercall page. */
void hv_hypercall_page_fill(u8 *page);
/** hv_iobitmap_set - where the guest keeps its port permission bitmap; 0. */
int hv_iobitmap_set(struct hv_vcpu *v, u64 bitmap, u32 ports);

/* Permissions as ranges; -ENOMEM. */
int hv_range_add(struct hv_range **list, u64 first, u64 last);
int hv_range_remove(struct hv_range **list, u64 first, u64 last);
bool hv_range_holds(const struct hv_range *list, u64 first, u64 last);
void hv_range_clear(struct hv_range **list);

#endif
