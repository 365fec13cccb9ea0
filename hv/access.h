/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: the rule of Xen without a security module. */
#ifndef HV_ACCESS_H
#define HV_ACCESS_H

#include "hv/cpu.h"
#include "hv/domain.h"

/** hv_privileged - may the caller control the machine?  Domain 0 may. */
static inline bool hv_privileged(void)
{
    return hv_current->domain->privileged;
}

/** hv_controls - may the caller act for @d?  It is @d itself, or domain 0. */
static inline bool hv_controls(const struct hv_domain *d)
{
    return hv_current->domain == d || hv_privileged();
}

#endif
