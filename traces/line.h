/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event as one line, as strace would show it:
 *
 *     [  1.234567890 d0v0] mmu_update([{l1e 0x1a2b3[7] <- 0x4d5e067 mfn 0x4d5e RW U A D}], ...
 *
 * Entries of a multicall are indented; the multicall itself is the line behind them.
 */
#ifndef PARAVANE_TRACES_LINE_H
#define PARAVANE_TRACES_LINE_H

#include <glib.h>

#include "traces/decode.h"

struct trace_line_options {
    bool number, insns, vcpu; /* show the event's number, instruction count, machine vCPU, too */
    bool bare;                /* without the time, insns and cycles: to compare two lines */
};

/** trace_line_start - "[  1.234567890 d0v0] " and the indentation. */
void trace_line_start(GString *out, const struct trace_event *event,
                      const struct trace_line_options *options);

/**
 * trace_line - append @event's line, without a line feed.
 * @o: with what is wanted of the text (items_max, terms, only_hits, levels); its text and json
 *     are set here; afterwards it says what was hit.
 */
void trace_line(GString *out, const struct trace_event *event, struct trace_out *o,
                const struct trace_line_options *options);

/** trace_line_title - a few words: "mmu_update", "exception #PF", "page_type take l1"; of a switch
 *                     who runs now: "d0v0". */
void trace_line_title(GString *out, const struct trace_event *event);

/** trace_event_is_machines - to be shown with the machine's vCPU rather than with a domain's. */
bool trace_event_is_machines(const struct trace_event *event);

#endif
