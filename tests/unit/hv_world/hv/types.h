/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of hv/types.h: a host program does come with a library. */
#ifndef HV_WORLD_TYPES_H
#define HV_WORLD_TYPES_H

#include_next "hv/types.h"
#pragma GCC visibility pop

#endif
