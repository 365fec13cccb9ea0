/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The balloon: frames that this domain has given back, so that others can have them.
 *
 * Each is a hole in the pseudo-physical memory: a pfn without an mfn.  A thread keeps their number
 * at what memory/target in the store asks for.
 */
#ifndef GUESTS_DOMU_BALLOON_H
#define GUESTS_DOMU_BALLOON_H

#include "guests/lib/types.h"

/** balloon_start - start the thread. */
void balloon_start(void);

/** balloon_target_changed - have the thread look at the target. */
void balloon_target_changed(void);

/**
 * balloon_take_page - turn a page of ours into a hole and keep its frame.
 * @page: from page_alloc(), unmapped afterwards.
 * Returns: the frame, which belongs to nobody's pseudo-physical memory now.
 */
u64 balloon_take_page(void *page);


/** balloon_make_hole - give one frame back to the hypervisor.  False: no memory to spare, or refused. */
bool balloon_make_hole(void);

/** balloon_fill_hole - put @mfn, a frame that came to us, into a hole.  Returns its page, NULL: refused. */
void *balloon_fill_hole(u64 mfn);

#endif
