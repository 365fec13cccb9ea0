/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References of single entries, for mm_types.c. */
#ifndef HV_MM_ENTRY_H
#define HV_MM_ENTRY_H

#include "hv/frame.h"

#define HV_UPPER_NEEDS 1	/* the lower table must be validated first */

/**
 * hv_upper_get - takes the references of entry *@e of table @f, an L2, L3 or L4.
 * @e: US is set in it. @child: the lower table's frame.
 * Returns: 0; -EINVAL, -EBUSY; HV_UPPER_NEEDS: nothing taken, @child is an L2 or L3 to be.
 */
int hv_upper_get(struct hv_frame *f, u64 *e, struct hv_frame **child);
void hv_upper_put(struct hv_frame *f, u64 e);

#endif
