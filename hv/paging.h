/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a domain's page tables become the hardware's: one set of functions for each method,
 * chosen when a domain is created.  See ARCHITECTURE.md, "The hypervisor".
 */
#ifndef HV_PAGING_H
#define HV_PAGING_H

#include "hv/domain.h"
#include "hv/types.h"

struct hv_paging_ops {
    const char *name;
    /** new_root - checks @mfn as a root table and makes it @v's; 0, an error, -ERESTART. */
    int (*new_root)(struct hv_vcpu *v, hv_mfn_t mfn, bool user);
    /** write_entry - a hypercall changes an entry of a table; as hv_mod_entry(). */
    int (*write_entry)(struct hv_frame *f, u64 *slot, u64 val, struct hv_domain *d,
                       struct hv_domain *pg, bool preserve_ad);
    /** write_fault - a guest's write to @va faulted on a present mapping; true: done, go on. */
    bool (*write_fault)(struct hv_vcpu *v, u64 va);
    /** miss - any other fault; true: the tables were brought up to date, try again.  NULL: never. */
    bool (*miss)(struct hv_vcpu *v, u64 va, u32 error);
};
extern const struct hv_paging_ops hv_paging_direct;

#endif
