/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instruction after which two recorded runs have different states.
 *
 * Two runs of deterministic machines that are in the same state go on alike until something from
 * outside is different: an input, a cost, a piece of the machine.  A difference that is there
 * is taken to stay: the hash chains of both files say between which points it comes up, and
 * replaying halves that stretch until one instruction is left.
 */
#ifndef PARAVANE_TOOLS_BISECT_H
#define PARAVANE_TOOLS_BISECT_H

#include <glib.h>
#include <stdbool.h>

#include "traces/reader.h"

enum bisect_result {
    BISECT_EQUAL,     /* in all that both have */
    BISECT_DIFFERENT, /* @out says where and how */
    BISECT_ERROR      /* @error */
};

/**
 * bisect_run - replay @a and @b (named @name_a and @name_b in errors) as often as it takes.
 * @out: what was found, for people.
 */
enum bisect_result bisect_run(struct trace_reader *a, struct trace_reader *b, GString *out,
                              GError **error);

#endif
