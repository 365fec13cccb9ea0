/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of page types, fed with nothing but events: each frame has a type and a count of references
 * to it.  It knows the rules and no hypervisor.
 *
 *   take T, success   count + 1; while there were references, the type was T already
 *   take, failure     the count is as before; without references the type may be anything
 *   drop, success     there was a reference; count - 1
 *   interrupted       (-EINTR, -ERESTART) at most one reference is held for the rest; after
 *                     -ERESTART the next take uses the one that is held
 *   set               whatever it says; these references are the hypervisor's own
 *   a new owner       nobody else has a reference
 */
#ifndef PARAVANE_TESTS_TRACE_PAGE_MODEL_H
#define PARAVANE_TESTS_TRACE_PAGE_MODEL_H

#include <stdbool.h>

#include "traces/event.h"

struct page_model;

/** page_model_new - @ends_only: of a frame's references only the first and the last are told. */
struct page_model *page_model_new(bool ends_only);
void page_model_free(struct page_model *model);
/** page_model_event - NULL, or how @event contradicts what was told before (static until the next
 *  call); other kinds are ignored. */
const char *page_model_event(struct page_model *model, const struct trace_event *event);
uint64_t page_model_events(const struct page_model *model);
/** page_model_frames - how many frames it has heard of. */
unsigned page_model_frames(const struct page_model *model);

#endif
