/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers: local APIC (its timer, end of interrupt) and IO-APIC. */
#ifndef HV_APIC_H
#define HV_APIC_H

#include "hv/types.h"

#define HV_VECTOR_GSI 0x20u	/* vector of IO-APIC pin 0; 24 pins */
#define HV_NR_GSI 24u
#define HV_VECTOR_TIMER 0x38u
#define HV_VECTOR_SPURIOUS 0x3fu	/* the last one that has an entry of its own */

void hv_apic_init(void);
void hv_apic_eoi(void);
/** hv_apic_timer - one interrupt after @ticks of the APIC's clock; 0 stops it. */
void hv_apic_timer(u32 ticks);
u32 hv_apic_timer_left(void);

/**
 * hv_ioapic_route - pin @gsi delivers HV_VECTOR_GSI + gsi, masked until hv_ioapic_mask(gsi, false).
 * @level, @low: trigger mode and polarity. Returns 0 or -EINVAL.
 */
int hv_ioapic_route(u32 gsi, bool level, bool low);
void hv_ioapic_mask(u32 gsi, bool masked);
/** hv_ioapic_read, hv_ioapic_write - its indexed registers, for domain 0's PHYSDEVOP_apic_*. */
u32 hv_ioapic_read(u32 index);

#endif
