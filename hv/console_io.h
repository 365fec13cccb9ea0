/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's ring, for XEN_SYSCTL_readconsole; see hv/hypercall.h for how it is filled. */
#ifndef HV_CONSOLE_IO_H
#define HV_CONSOLE_IO_H

#include "hv/types.h"

#include <xen/sysctl.h>

/** hv_console_ring_read - copies to the caller's buffer; fills in count and index.  0 or -EFAULT. */
int hv_console_ring_read(struct xen_sysctl_readconsole *op);

#endif
