/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched_op in its first form: a number instead of a structure. */
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/hypercall.h"

#include <xen/sched.h>

HV_HYPERCALL(sched_op_compat)
{
    switch ((u32)a0) {
    case SCHEDOP_yield:
    case SCHEDOP_block:
        return hv_do_sched_op(a0, 0, 0, 0, 0);
    case SCHEDOP_shutdown:
        hv_domain_shutdown(hv_current->domain, a1);
        return 0;
    default:
        return -ENOSYS;
    }
}
