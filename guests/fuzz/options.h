/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUESTS_FUZZ_OPTIONS_H
#define GUESTS_FUZZ_OPTIONS_H

#include "guests/lib/runtime.h"

/** fuzz_option - the number behind NAME= on the command line, or @otherwise. */
static inline u64 fuzz_option(const char *name, u64 otherwise)
{
    char text[24];
    u64 value = 0;

    if (!runtime_option(name, text, sizeof text))
        return otherwise;
    for (const char *at = text; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (u64)(*at - '0');
    return value;
}

#endif
