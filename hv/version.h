/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's name. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

/* After "4.17", which is the interface's version, in XENVER_extraversion; at most 15 characters. */
#define HV_EXTRAVERSION "-paravane"

#endif
