/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's error numbers, as XEN_EINVAL and so on.
 */
#ifndef GUESTS_LIB_ERRNO_H
#define GUESTS_LIB_ERRNO_H

#define XEN_ERRNO(name, value) enum { XEN_##name = value };
#include <xen/errno.h>

#endif
