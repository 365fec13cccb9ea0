/* SPDX-License-Identifier: GPL-2.0-or-later */
/* callback_op and nmi_op: where the hypervisor enters the guest. */
#include "hv/access.h"
#include "hv/guest.h"
#include "hv/hypercall.h"

#include <xen/callback.h>
#include <xen/nmi.h>

/* The handler of NMIs is that of vector 2 in the trap table as well. */
static long nmi_register(u64 address)
{
    if (!hv_canonical(address))
        return -EINVAL;
    hv_current->nmi_callback = address;
    return 0;
}

static long callback_register(const callback_register_t *op)
{
    struct hv_vcpu *v = hv_current;
    bool masks = op->flags & CALLBACKF_mask_events;

    if (!hv_canonical(op->address))
        return -EINVAL;
    switch (op->type) {
    case CALLBACKTYPE_event: /* always masks */
        v->event_callback = op->address;
        return 0;
    case CALLBACKTYPE_failsafe:
        v->failsafe_callback = op->address;
        v->failsafe_masks = masks;
        return 0;
    case CALLBACKTYPE_syscall:
        v->syscall_callback = op->address;
        v->syscall_masks = masks;
        return 0;
    case CALLBACKTYPE_syscall32:
        v->syscall32_callback = op->address;
        v->syscall32_masks = masks;
        return 0;
    case CALLBACKTYPE_sysenter:
        v->sysenter_callback = op->address;
        v->sysenter_masks = masks;
        return 0;
    case CALLBACKTYPE_nmi:
        return nmi_register(op->address);
    default:
        return -ENOSYS;
    }
}

static long callback_unregister(const callback_unregister_t *op)
{
    switch (op->type) {
    case CALLBACKTYPE_event:
    case CALLBACKTYPE_failsafe:
    case CALLBACKTYPE_syscall:
    case CALLBACKTYPE_syscall32:
    case CALLBACKTYPE_sysenter:
        return -EINVAL; /* no guest can do without */
    case CALLBACKTYPE_nmi:
        hv_current->nmi_callback = 0;
        return 0;
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(callback_op)
{
    union {
        callback_register_t reg;
        callback_unregister_t unreg;
    } op;

    switch ((u32)a0) {
    case CALLBACKOP_register:
        return hv_load_guest(&op.reg, a1) ? -EFAULT : callback_register(&op.reg);
    case CALLBACKOP_unregister:
        return hv_load_guest(&op.unreg, a1) ? -EFAULT : callback_unregister(&op.unreg);
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(nmi_op)
{
    xennmi_callback_t op;

    switch ((u32)a0) {
    case XENNMI_register_callback:
        return hv_load_guest(&op, a1) ? -EFAULT : nmi_register(op.handler_address);
    case XENNMI_unregister_callback:
        hv_current->nmi_callback = 0;
        return 0;
    default:
        return -ENOSYS;
    }
}
