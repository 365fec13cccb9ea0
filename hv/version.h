/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's name and command line. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

/* After "4.17", which is the interface's version, in XENVER_extraversion; at most 15 characters. */
#define HV_EXTRAVERSION "-paravane"

/** hv_command_line - of the hypervisor, as the boot loader gave it (boot.c). */
extern const char *hv_command_line;

#endif
