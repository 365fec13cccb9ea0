/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a text in a stream of bytes, one byte at a time.
 */
#ifndef PARAVANE_TOOLS_TEXT_MATCH_H
#define PARAVANE_TOOLS_TEXT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_match {
    const uint8_t *text; /* borrowed */
    size_t size_bytes;
    size_t *fallback; /* owned; see text_match.c */
    size_t matched;   /* how much of the text the last bytes are */
};

/** text_match_init - look for @size_bytes > 0 at @text, borrowed until text_match_fini(). */
void text_match_init(struct text_match *match, const void *text, size_t size_bytes);
void text_match_fini(struct text_match *match);

/** text_match_byte - true when @byte completes the text; the search then starts anew. */
bool text_match_byte(struct text_match *match, uint8_t byte);

#endif
