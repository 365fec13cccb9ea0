/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC and IO-APIC at their usual addresses, seen through HV_VA_DEVICES. */
#include "hv/apic.h"

#include "hv/cpu.h"
#include "hv/layout.h"
#include "hv/lib.h"

#define LAPIC(reg) (*(volatile u32 *)(HV_VA_DEVICES + (reg)))
#define IOAPIC_INDEX (*(volatile u32 *)(HV_VA_DEVICES + 0x1000))
#define IOAPIC_DATA (*(volatile u32 *)(HV_VA_DEVICES + 0x1010))

void hv_apic_init(void)
{
    hv_outb(0x21, 0xff);
    hv_outb(0xa1, 0xff);
    LAPIC(0xf0) = 0x100 | HV_VECTOR_SPURIOUS;
    LAPIC(0x80) = 0;
    LAPIC(0x3e0) = 0xb;			/* the timer counts undivided */
    LAPIC(0x320) = HV_VECTOR_TIMER;	/* one-shot */
    LAPIC(0x350) = 0x10000;
    LAPIC(0x360) = 0x10000;
    for (u32 i = 0; i < HV_NR_GSI; i++)
        hv_ioapic_mask(i, true);
}

void hv_apic_eoi(void) { LAPIC(0xb0) = 0; }
void hv_apic_timer(u32 ticks) { LAPIC(0x380) = ticks; }
u32 hv_apic_timer_left(void) { return LAPIC(0x390); }

u32 hv_ioapic_read(u32 index)
{
    IOAPIC_INDEX = index;
    return IOAPIC_DATA;
}

static void ioapic_write(u32 index, u32 value)
{
    IOAPIC_INDEX = index;
    IOAPIC_DATA = value;
}

int hv_ioapic_route(u32 gsi, bool level, bool low)
{
    if (gsi >= HV_NR_GSI)
        return -EINVAL;
    ioapic_write(0x11 + gsi * 2, (LAPIC(0x20) >> 24) << 24);
    ioapic_write(0x10 + gsi * 2, 0x10000 | (level ? 0x8000 : 0) | (low ? 0x2000 : 0) | (HV_VECTOR_GSI + gsi));
    return 0;
}

void hv_ioapic_mask(u32 gsi, bool masked)
{
    u32 low = hv_ioapic_read(0x10 + gsi * 2);
    ioapic_write(0x10 + gsi * 2, masked ? low | 0x10000 : low & ~0x10000u);
}
