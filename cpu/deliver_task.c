/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task gates of the IDT (SDM 3A 6.12.2, 7.3). */
#include "cpu/deliver.h"

bool deliver_task(struct deliver *d, uint16_t selector)
{
    struct cpu_descriptor tss;
    unsigned type;

    if ((selector & 0xfffc) == 0 || (selector & 4)) {
        return deliver_fault_selector(d, EXC_GP, selector);
    }
    if (!deliver_descriptor(d, EXC_GP, selector, &tss)) {
        return false;
    }
    type = cpu_descriptor_type(&tss);
    if (type != SEG_TYPE_TSS16 && type != SEG_TYPE_TSS32) {
        return deliver_fault_selector(d, EXC_GP, selector);
    }
    if (!(tss.high & SEG_P)) {
        return deliver_fault_selector(d, EXC_NP, selector);
    }
    cpu_set_crash(d->c, "task gate not implemented: vector %u, TSS selector %#x", d->event.vector,
                  selector);
    return true;
}
