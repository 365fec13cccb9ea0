/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables, versions 1 and 2: how a domain lets another use its frames.  What the rest of the
 * hypervisor calls is in hv/hypercall.h.
 */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include "hv/types.h"

#define HV_GRANT_FRAMES_MAX 64    /* of the table of one domain */
#define HV_GRANT_MAPTRACK_MAX 1024 /* in units of HV_GRANT_MAPTRACK_STEP */

/**
 * hv_grant_limit - sets how large the tables of @d may become; before their first use.
 * @d: NULL only checks the limits.
 * @frames_max, @maptrack_max: negative: as much as there can be.
 * @version_max: the highest version of the interface the domain may choose, 1 or 2.
 * Returns: 0; -EINVAL for more than there can be, and for no frame at all.
 */
int hv_grant_limit(struct hv_domain *d, s32 frames_max, s32 maptrack_max, unsigned version_max);

/** hv_grant_mapped - how many handles of all domains name grants of @d. */
u32 hv_grant_mapped(const struct hv_domain *d);

#endif
