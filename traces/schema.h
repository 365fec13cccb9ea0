/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A schema as bytes, so that a file brings its own.
 */
#ifndef PARAVANE_TRACES_SCHEMA_H
#define PARAVANE_TRACES_SCHEMA_H

#include "traces/event.h"
#include "traces/pack.h"

/** trace_schema_put - append @schema to @out. */
void trace_schema_put(const struct trace_schema *schema, GByteArray *out);

/** trace_schema_get - read one.  Returns: NULL if it is damaged or beyond what this version can
 *  hold; else free with trace_schema_free(). */
struct trace_schema *trace_schema_get(struct unpack *in);
void trace_schema_free(struct trace_schema *schema);

#endif
