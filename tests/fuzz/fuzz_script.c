/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds console scripts, and plays each accepted one against a console that says its
 * own bytes back.
 */
#include <stdlib.h>

#include "tools/console_script.h"

#define POLLS 64
#define POLL_NS 1000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    GError *error = NULL;
    uint8_t typed[16];
    struct console_script *script =
        console_script_parse("fuzz", (const char *)data, size_bytes, &error);

    if (!script) {
        if (!error || !error->message[0])
            abort();
        g_error_free(error);
        return 0;
    }
    for (size_t i = 0; i < POLLS; i++) {
        size_t count = console_script_poll(script, i * POLL_NS, typed, sizeof typed);
        if (count > sizeof typed)
            abort();
        for (size_t j = 0; j < count; j++)
            console_script_output(script, typed[j]);
        if (size_bytes)
            console_script_output(script, data[i % size_bytes]);
        if (console_script_timed_out(script))
            break;
    }
    g_free(console_script_unmet(script));
    console_script_free(script);
    return 0;
}
