/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of hv/cpu.h: a host program has no control registers. */
#include_next "hv/cpu.h"

#ifndef HV_WORLD_CPU_H
#define HV_WORLD_CPU_H

#define hv_read_cr4() 0ull
#define hv_write_cr4(value) ((void)(value))

#endif
