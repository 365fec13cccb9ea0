/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and sizes on the command line.  Test: test_guests_words.c
 */
#ifndef GUESTS_DOM0_WORDS_H
#define GUESTS_DOM0_WORDS_H

#include "guests/lib/types.h"

/** words_parse_u64 - the decimal number @text begins with; @end: what follows it. */
bool words_parse_u64(const char *text, u64 *out, const char **end);

/** words_parse_count - a number of at most @max, and nothing else. */
bool words_parse_count(const char *text, u64 max, u64 *out);

/** words_parse_pages - a size of memory in MiB, or with K, M, G behind it, as whole pages; not 0. */
bool words_parse_pages(const char *text, u64 *pages);

#endif
