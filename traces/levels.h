/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What frames are, as the page-type events so far tell: so that an entry of an mmu_update can
 * be called "l1e" when its table is one.
 */
#ifndef PARAVANE_TRACES_LEVELS_H
#define PARAVANE_TRACES_LEVELS_H

#include "traces/event.h"

struct trace_levels;

struct trace_levels *trace_levels_new(void);
void trace_levels_free(struct trace_levels *l);
/** trace_levels_event - learn from @event; those of other kinds are not looked at. */
void trace_levels_event(struct trace_levels *l, const struct trace_event *event);
/** trace_levels_find - 1 to 4 if @mfn is a page table of that level, else 0.  @l may be NULL. */
unsigned trace_levels_find(const struct trace_levels *l, uint64_t mfn);

#endif
