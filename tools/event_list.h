/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events to record: names of kinds and of groups of them, separated by commas.
 */
#ifndef PARAVANE_TOOLS_EVENT_LIST_H
#define PARAVANE_TOOLS_EVENT_LIST_H

#include <glib.h>
#include <stdbool.h>

#include "traces/event.h"

/** What `record` records when it is not told. */
#define EVENT_LIST_DEFAULT "hypercall,validation,grant,evtchn,domain,console,input"

/**
 * event_list_parse - @list: such as "hypercall,grant", "all", "none".
 * @want: by number of the kind.
 * Returns: FALSE with @error, which names the word that is not known and those that are.
 */
gboolean event_list_parse(const char *list, bool want[TRACE_KIND_MAX + 1], GError **error);

/** event_list_names - the kinds of @want by name, NULL-terminated; free with g_strfreev(). */
char **event_list_names(const bool want[TRACE_KIND_MAX + 1]);

#endif
