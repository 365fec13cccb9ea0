/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the hypervisor profile (traces/profile.h) and the symbols for a machine's kernel.
 */
#ifndef PARAVANE_TOOLS_PROFILES_H
#define PARAVANE_TOOLS_PROFILES_H

#include <glib.h>

#include "traces/profile.h"

/**
 * profiles_find - the profile for the image that a machine boots.
 * @kernel:  path of the image.
 * @profile: path of a profile; "none"; or NULL: the installed one with the image's build-id.
 * @symbols: path of an ELF file with the image's symbols and build-id; NULL: the image itself if
 *           it has symbols, else a file beside it whose name contains "syms".
 * @out:     set to the profile, owned by the caller, or to NULL: nothing is known of the image
 *           (only when @profile is NULL or "none").
 * @note:    set to a line for the user: what was taken, or why nothing; free with g_free.
 * Returns: FALSE with @error when a file that was named is not fit.
 */
gboolean profiles_find(const char *kernel, const char *profile, const char *symbols,
                       struct trace_profile **out, char **note, GError **error);

#endif
