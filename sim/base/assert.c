/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/base/assert.h"

#include <stddef.h>
#include <stdlib.h>

static base_assert_context_fn *context_fn;
static void *context_user;

void base_assert_set_context(base_assert_context_fn *fn, void *user)
{
    context_fn = fn;
    context_user = user;
}

_Noreturn void base_assert_fail(const char *expr, const char *file, int line, const char *func)
{
    fprintf(stderr, "paravane %s: bug: %s:%d: %s: assertion failed: %s\n", PARAVANE_VERSION, file,
            line, func, expr);
    if (context_fn) {
        base_assert_context_fn *fn = context_fn;
        context_fn = NULL; /* the description must not recurse into us */
        fn(stderr, context_user);
    }
    abort();
}
