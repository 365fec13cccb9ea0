/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: entries and what a change of one does.
 *
 * Entry of a guest's table (64 bit):
 *
 *   63  62..53  52   51..12  11..9  8  7    6 5 4    3    2  1  0
 *   NX  avail   GK   frame   avail  G  PAT  D A PCD  PWT  US RW P
 *                                      PSE
 *
 * GK (_PAGE_GUEST_KERNEL) marks a kernel page; kernel and user both run in ring 3, so every
 * present entry has US set, and user pages are kept from the other root.
 */
#ifndef HV_MM_H
#define HV_MM_H

#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/types.h"

/* Set in the count of a call that goes on: part of it is done. */
#define MMU_UPDATE_PREEMPTED (1u << 31)

#define HV_PTE_P 0x001ull
#define HV_PTE_RW 0x002ull
#define HV_PTE_US 0x004ull
#define HV_PTE_PWT 0x008ull
#define HV_PTE_PCD 0x010ull
#define HV_PTE_A 0x020ull
#define HV_PTE_D 0x040ull
#define HV_PTE_PSE 0x080ull
#define HV_PTE_PAT 0x080ull
#define HV_PTE_G 0x100ull
#define HV_PTE_AVAIL 0xe00ull
#define HV_PTE_GK (1ull << 52)
#define HV_PTE_AVAIL_HIGH (0x7ffull << 52)
#define HV_PTE_NX (1ull << 63)
#define HV_PTE_FRAME 0x000ffffffffff000ull
#define HV_PTE_CACHE (HV_PTE_PAT | HV_PTE_PCD | HV_PTE_PWT)

static inline hv_mfn_t hv_pte_mfn(u64 e) { return (e & HV_PTE_FRAME) >> 12; }

/* ---- grants (for grant.c) ------------------------------------------------------------------ */
/**
 * hv_pte_grant_set - puts @pte where a grant map wants it, for the current domain.
 * @host_addr: linear address, or with @contains_pte the machine address of the entry.
 * @pte:       its references are the caller's and now the entry's; user/kernel adjusted here.
 * The old entry's references are dropped. Returns: 0 or -EINVAL (no such L1 entry).
 */
int hv_pte_grant_set(u64 host_addr, bool contains_pte, u64 pte);
/**
 * hv_pte_grant_clear - clears the entry if it maps @mfn with RW as @writable says.
 * The references it held are now the caller's to drop, after hv_tlb_flush_local().
 * Returns: 0 or -EINVAL.
 */
int hv_pte_grant_clear(u64 host_addr, bool contains_pte, hv_mfn_t mfn, bool writable);
/** hv_pte_grant_replace - as clear, but the entry of @new_addr moves there. 0 or -EINVAL. */
int hv_pte_grant_replace(u64 host_addr, u64 new_addr, hv_mfn_t mfn, bool writable);

/* ---- TLB ------------------------------------------------------------------------------------ */
/** hv_tlb_flush_local - all entries, global ones included, now. */
void hv_tlb_flush_local(void);

/* ---- types (mm_types.c) ---------------------------------------------------------------------- */
/**
 * hv_types_drain - takes apart what hv_put_type() queued on the current vCPU.
 * Returns: 0, or -ERESTART when it should go on later (the way out to the guest does).
 */
int hv_types_drain(void);
/** hv_types_abandon - gives up a validation that @v left unfinished: it is the current vCPU's to undo;
 * hv_types_take_over - and so is what @v had still to take apart. */
void hv_types_take_over(struct hv_vcpu *v);
void hv_types_abandon(struct hv_vcpu *v);

/* ---- entries (mm_entry.c); d is the owner of the table, pg the owner of the mapped frame -------- */
/** hv_l1e_get - checks *e, adjusts it and takes its references. 0 or a negative error. */
int hv_l1e_get(u64 *e, struct hv_domain *d, struct hv_domain *pg);
void hv_l1e_put(u64 e);
/** hv_mod_entry - changes an entry of a validated table @f of any level. */
int hv_mod_entry(struct hv_frame *f, u64 *slot, u64 val, struct hv_domain *d, struct hv_domain *pg,
                 bool preserve_ad);
/** hv_l4_fill - writes the hypervisor's slots into an L4 table of @d. */
void hv_l4_fill(u64 *l4, struct hv_domain *d);
/** hv_l4_strict - with VMASST_TYPE_m2p_strict: only the kernel's roots show the machine-to-phys table. */
void hv_l4_strict(u64 *l4, const struct hv_domain *d, bool kernel);
/** hv_walk_l1 - the L1 entry that maps @va under root @cr3, NULL if there is none; reads tables only. */
u64 *hv_walk_l1(u64 cr3, u64 va);

/**
 * hv_page_owner - whose frames a call is about: DOMID_SELF, a domain the caller has rights over, or
 * DOMID_IO (*@d = NULL: device memory only).  Returns: 0; -ESRCH none, or it is dying; -EPERM.
 */
int hv_page_owner(u16 id, struct hv_domain **d);

/* ---- descriptors (mm_desc.c) ----------------------------------------------------------------- */
int hv_set_gdt(struct hv_vcpu *v, const u64 *frames, u32 entries);
void hv_destroy_gdt(struct hv_vcpu *v);
/** hv_ldt_drop - unmaps all LDT pages and drops their references. */
void hv_ldt_drop(struct hv_vcpu *v);
/** hv_descriptor_fix - whether a guest may have the descriptor; adjusts it. */
bool hv_descriptor_fix(u64 *d);
/** hv_ldt_fault - maps LDT page of offset @off on demand; false: not the guest's LDT. */
bool hv_ldt_fault(struct hv_vcpu *v, u64 off);

/* ---- roots --------------------------------------------------------------------------------- */
/** hv_new_root - makes @mfn the vCPU's kernel (or user) root. 0 or an error, also -ERESTART. */
int hv_new_root(struct hv_vcpu *v, hv_mfn_t mfn, bool user);
/** hv_load_cr3 - loads the root of the current vCPU's mode. */
void hv_load_cr3(struct hv_vcpu *v);
/** hv_drop_roots - gives up both roots of a vCPU that does not run. */
void hv_drop_roots(struct hv_vcpu *v);

#endif
