/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds machine files.  A file that is accepted has a canonical form, which is accepted
 * again and is its own canonical form.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* The canonical form, or NULL if the text is refused; a refusal has a message. */
static char *canonical(const char *text, size_t size_bytes)
{
    GError *error = NULL;
    struct sim_config *config =
        sim_config_parse("/fuzz/x.machine", text, size_bytes, NULL, &error);
    if (!config) {
        if (!error || !error->message[0])
            abort();
        g_error_free(error);
        return NULL;
    }
    if (error)
        abort();
    char *form = sim_config_to_text(config);
    sim_config_free(config);
    return form;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    char *once = canonical((const char *)data, size_bytes);
    if (!once)
        return 0;
    char *twice = canonical(once, strlen(once));
    if (!twice || strcmp(once, twice) != 0)
        abort();
    g_free(twice);
    g_free(once);
    return 0;
}
