/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test builds: recounts every reference and compares (hypercall 63). */
#include "hv/hypercall.h"

HV_HYPERCALL(audit)
{
    (void)a0, (void)a1, (void)a2, (void)a3, (void)a4;
    return -ENOSYS;
}
