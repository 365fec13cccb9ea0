/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls by which domain 0 controls the machine: domctl and sysctl of the interface versions in
 * libxen-dev's headers.  Results are 0 or a negative errno, unless told otherwise.
 */
#ifndef GUESTS_DOM0_CONTROL_H
#define GUESTS_DOM0_CONTROL_H

#include "guests/lib/hypercall.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

typedef struct xen_domctl_getdomaininfo domain_info_t;

/** control_create - an empty, paused PV domain.  Returns: its id. */
long control_create(u32 vcpus);
/** control_destroy - and all it has; what others still map of it stays until they let go. */
long control_destroy(u16 domid);
long control_pause(u16 domid);
long control_unpause(u16 domid);
/** control_max_memory - how much it may have, in pages. */
long control_max_memory(u16 domid, u64 pages);
/** control_hypercall_page - have the hypervisor fill frame @mfn of the domain. */
long control_hypercall_page(u16 domid, u64 mfn);
long control_set_vcpu(u16 domid, u32 vcpu, vcpu_guest_context_t *context);
/** control_info - -ESRCH when the domain is gone. */
long control_info(u16 domid, domain_info_t *out);
/** control_list - up to @max domains from @first on.  Returns: how many. */
long control_list(u16 first, domain_info_t *out, u32 max);
long control_physinfo(struct xen_sysctl_physinfo *out);

/** control_populate - give the domain frames at @pfns (count of them), which become their mfns. */
long control_populate(u16 domid, u64 *pfns, u32 count);
/** control_pin_l4 - as the domain's own MMUEXT_PIN_L4_TABLE. */
long control_pin_l4(u16 domid, u64 mfn);
/** control_grant_frame - the first frame of the domain's grant table. */
long control_grant_frame(u16 domid, u64 *mfn);

#endif
