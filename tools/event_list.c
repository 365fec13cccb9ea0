/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/event_list.h"

#include <string.h>

#include "sim/base/types.h"
#include "tools/run_options.h"

#define GROUP_KINDS_MAX 8

static const struct group {
    const char *name;
    enum trace_kind_id kind[GROUP_KINDS_MAX]; /* 0 ends it */
} groups[] = {
    {"validation",
     {TRACE_KIND_PAGE_TYPE, TRACE_KIND_PIN, TRACE_KIND_CR3, TRACE_KIND_PT_WRITE,
      TRACE_KIND_TLB_FLUSH}},
    {"grant",
     {TRACE_KIND_GRANT_MAP, TRACE_KIND_GRANT_UNMAP, TRACE_KIND_GRANT_COPY,
      TRACE_KIND_GRANT_TRANSFER, TRACE_KIND_FRAME_OWNER}},
    {"evtchn", {TRACE_KIND_EVTCHN_SEND, TRACE_KIND_VIRQ, TRACE_KIND_UPCALL}},
    {"device", {TRACE_KIND_PORT, TRACE_KIND_MMIO, TRACE_KIND_DMA}},
};

static gboolean unknown(const char *word, GError **error)
{
    g_autoptr(GString) text = g_string_new("all, none");

    for (unsigned i = 0; i < ARRAY_LEN(groups); i++)
        g_string_append_printf(text, ", %s", groups[i].name);
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        if (trace_schema_builtin()->kind[k])
            g_string_append_printf(text, ", %s", trace_schema_builtin()->kind[k]->name);
    g_set_error(error, RUN_OPTIONS_ERROR, RUN_OPTIONS_ERROR_USAGE,
                "--events: \"%s\" is not known; there are %s", word, text->str);
    return FALSE;
}

static gboolean add(const char *word, bool *want, GError **error)
{
    const struct trace_schema *schema = trace_schema_builtin();
    const struct trace_kind *kind = trace_schema_find(schema, word);

    if (strcmp(word, "none") == 0)
        return TRUE;
    if (kind) {
        want[kind->id] = true;
        return TRUE;
    }
    if (strcmp(word, "all") == 0) {
        for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
            want[k] = schema->kind[k] != NULL;
        return TRUE;
    }
    for (unsigned i = 0; i < ARRAY_LEN(groups); i++) {
        if (strcmp(word, groups[i].name) != 0)
            continue;
        for (unsigned k = 0; k < GROUP_KINDS_MAX && groups[i].kind[k]; k++)
            want[groups[i].kind[k]] = true;
        return TRUE;
    }
    return unknown(word, error);
}

gboolean event_list_parse(const char *list, bool want[TRACE_KIND_MAX + 1], GError **error)
{
    g_auto(GStrv) words = g_strsplit(list, ",", -1);

    memset(want, 0, (TRACE_KIND_MAX + 1) * sizeof(*want));
    for (unsigned i = 0; words[i]; i++)
        if (!add(g_strstrip(words[i]), want, error))
            return FALSE;
    return TRUE;
}

char **event_list_names(const bool want[TRACE_KIND_MAX + 1])
{
    GPtrArray *names = g_ptr_array_new();

    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        if (want[k] && trace_schema_builtin()->kind[k])
            g_ptr_array_add(names, g_strdup(trace_schema_builtin()->kind[k]->name));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
