/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts for domain 0: pins of the IO-APIC as pirqs, bound to event channels.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include "hv/frame.h"
#include "hv/types.h"

/** hv_pirq_limit - how many pirqs @d can name; those above the IO-APIC's pins are never mapped. */
u32 hv_pirq_limit(const struct hv_domain *d);

/**
 * hv_pirq_check - may @d bind @pirq to a port?
 * Returns: 0; -EINVAL no such pirq; -EPERM not its own, or not mapped; -EEXIST it is bound already.
 */
int hv_pirq_check(struct hv_domain *d, u32 pirq);
/** hv_pirq_bind - routes the interrupt to @port.  Returns: 0; -EBUSY the hypervisor's own.  After hv_pirq_check(). */
int hv_pirq_bind(struct hv_domain *d, u32 pirq, u32 port);
/** hv_pirq_unbind - @port is closed: the pin is masked. */
void hv_pirq_unbind(struct hv_domain *d, u32 port);

/** hv_pirq_map - gives pin @gsi of the IO-APIC to domain 0 as pirq @pirq, or a free one if that is negative.
 * Returns: 0 with @pirq set; -EINVAL; -EPERM; -EEXIST one of the two is mapped otherwise. */
int hv_pirq_map(struct hv_domain *d, u32 gsi, s32 *pirq);
/** hv_pirq_unmap - takes it back.  0; -EINVAL not mapped. */
int hv_pirq_unmap(struct hv_domain *d, u32 pirq);
/** hv_pirq_eoi - the guest has served it.  0; -EINVAL. */
int hv_pirq_eoi(struct hv_domain *d, u32 pirq);
/** hv_pirq_eoi_all - the same for all that wait for it. */
void hv_pirq_eoi_all(struct hv_domain *d);
/** hv_pirq_eoi_map - sets @gfn as the page whose bits say which pirqs need EOIs.  0; -EINVAL, -EBUSY. */
int hv_pirq_eoi_map(struct hv_domain *d, u64 gfn, bool auto_unmask);
/** hv_pirq_eoi_frame - the frame of that page, with its references; 0: none. */
hv_mfn_t hv_pirq_eoi_frame(void);
/** hv_pirq_setup - trigger and polarity of a pin, before it is bound, once.  0; -EINVAL; -EEXIST. */
int hv_pirq_setup(u32 gsi, bool level, bool low);

#endif
