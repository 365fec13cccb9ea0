/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knuth, Morris and Pratt: fallback[n] is the length of the longest proper prefix of the text
 * that is also the end of its first n bytes; so no byte of the stream is looked at twice.
 */
#include "tools/text_match.h"

#include <glib.h>

void text_match_init(struct text_match *match, const void *text, size_t size_bytes)
{
    size_t prefix = 0;

    match->text = text;
    match->size_bytes = size_bytes;
    match->matched = 0;
    match->fallback = g_new0(size_t, size_bytes + 1);
    for (size_t n = 1; n < size_bytes; n++) {
        while (prefix > 0 && match->text[n] != match->text[prefix])
            prefix = match->fallback[prefix];
        if (match->text[n] == match->text[prefix])
            prefix++;
        match->fallback[n + 1] = prefix;
    }
}

void text_match_fini(struct text_match *match)
{
    g_clear_pointer(&match->fallback, g_free);
}

bool text_match_byte(struct text_match *match, uint8_t byte)
{
    while (match->matched > 0 && match->text[match->matched] != byte)
        match->matched = match->fallback[match->matched];
    if (match->text[match->matched] == byte)
        match->matched++;
    if (match->matched < match->size_bytes)
        return false;
    match->matched = 0;
    return true;
}
