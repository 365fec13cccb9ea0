/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/trial.h"

#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

long mmuext(u32 cmd, u64 arg1, u64 arg2)
{
    struct mmuext_op op = {.cmd = cmd};

    op.arg1.mfn = arg1;
    memcpy(&op.arg2, &arg2, sizeof arg2);
    return hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

u64 *table_page(void)
{
    u64 *page = page_alloc();

    if (memory_protect(page, MEMORY_RO))
        panic("a fresh page cannot be made read-only");
    return page;
}

u16 own_id(void)
{
    static u16 id;
    evtchn_status_t status = {.dom = DOMID_SELF};
    long port;

    if (id)
        return id;
    port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    if (port < 0)
        panic("no event channel: %ld", port);
    status.port = (u32)port;
    hypercall_event_channel_op(EVTCHNOP_status, &status);
    event_close((u32)port);
    return id = status.u.unbound.dom;
}
