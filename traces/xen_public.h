/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's public interface, in the version that the decoders know; to be included before any other
 * header of it.
 */
#ifndef PARAVANE_TRACES_XEN_PUBLIC_H
#define PARAVANE_TRACES_XEN_PUBLIC_H

#include <stdint.h>
#include <string.h>

#define __XEN_TOOLS__             1 /* domctl, sysctl, parts of memory_op */
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/xen.h>

#endif
