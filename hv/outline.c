/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small functions of headers, for those who call them (types.h: HV_INLINE). */
#define HV_OUTLINE

#include "hv/cpu.h"
#include "hv/evtchn.h"
#include "hv/frame.h"
#include "hv/guest.h"
