/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of hv/layout.h: memory of the world lies where a host process can have it.
 */
#include_next "hv/layout.h"

#ifndef HV_WORLD_LAYOUT_H
#define HV_WORLD_LAYOUT_H

#undef HV_VA_DIRECT
#undef HV_VA_FRAMES
#undef HV_VA_M2P_RW
#define HV_VA_DIRECT 0x200000000000
#define HV_VA_FRAMES 0x210000000000
#define HV_VA_M2P_RW 0x220000000000

#endif
