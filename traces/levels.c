/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/levels.h"

#include <glib.h>

struct trace_levels {
    GHashTable *level; /* frame -> 1 to 4 */
};

struct trace_levels *trace_levels_new(void)
{
    struct trace_levels *l = g_new0(struct trace_levels, 1);

    l->level = g_hash_table_new(g_direct_hash, g_direct_equal);
    return l;
}

void trace_levels_free(struct trace_levels *l)
{
    if (!l)
        return;
    g_hash_table_unref(l->level);
    g_free(l);
}

void trace_levels_event(struct trace_levels *l, const struct trace_event *e)
{
    uint64_t type, mfn;

    if (e->kind->id != TRACE_KIND_PAGE_TYPE || e->kind->fields <= TRACE_PAGE_TYPE_NEW)
        return;
    type = e->value[TRACE_PAGE_TYPE_NEW].u64;
    mfn = e->value[TRACE_PAGE_TYPE_MFN].u64;
    if (type >= TRACE_PAGE_L1 && type <= TRACE_PAGE_L4)
        g_hash_table_insert(l->level, (gpointer)mfn, GUINT_TO_POINTER(type));
    else
        g_hash_table_remove(l->level, (gconstpointer)mfn);
}

unsigned trace_levels_find(const struct trace_levels *l, uint64_t mfn)
{
    return l ? GPOINTER_TO_UINT(g_hash_table_lookup(l->level, (gconstpointer)mfn)) : 0;
}
