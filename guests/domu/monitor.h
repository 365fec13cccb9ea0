/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few commands for who types at the domain's console: help, ps, mem, poweroff.
 */
#ifndef GUESTS_DOMU_MONITOR_H
#define GUESTS_DOMU_MONITOR_H

/** monitor_start - start the thread that listens. */
void monitor_start(void);

#endif
