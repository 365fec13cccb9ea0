/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the guests, tested as host programs: what guests/lib supplies inside a guest.
 */
#ifndef TESTS_UNIT_GUEST_HOST_H
#define TESTS_UNIT_GUEST_HOST_H

#include "guests/lib/heap.h"
#include "guests/lib/types.h"

/** host_heap_fail_after - let the @count-th allocation from now on fail, and all after it; 0: none. */
void host_heap_fail_after(u32 count);

/** host_printed - all that was printed since the last call; valid until the next one. */
const char *host_printed(void);

#endif
