/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What domctl and sysctl share. */
#ifndef HV_DOMCTL_H
#define HV_DOMCTL_H

#include "hv/domain.h"
#include "hv/types.h"

#include <xen/domctl.h>

/* How the scheduler calls itself: it has the credit2 scheduler's parameter, a weight. */
#define HV_SCHED_ID XEN_SCHEDULER_CREDIT2

/** hv_domain_info - fills in all of @out. */
void hv_domain_info(const struct hv_domain *d, struct xen_domctl_getdomaininfo *out);

/** hv_page_frame_info - replaces frame numbers in the caller's array by their types.  0, -E2BIG, -EFAULT. */
long hv_page_frame_info(struct hv_domain *d, const struct xen_domctl_getpageframeinfo3 *op);

/**
 * hv_bitmap_put - stores @bits (@nr of them) in a caller's bitmap, zeros in what more it has.
 * hv_bitmap_get - loads them; bits the caller has not are 0.
 * Returns: 0; -EFAULT; -EINVAL: room for more than 1024.
 */
int hv_bitmap_put(const struct xenctl_bitmap *to, u64 bits, u32 nr);
int hv_bitmap_get(const struct xenctl_bitmap *from, u64 *bits, u32 nr);

#endif
