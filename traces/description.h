/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trace is of: the payload of its first frame.
 */
#ifndef PARAVANE_TRACES_DESCRIPTION_H
#define PARAVANE_TRACES_DESCRIPTION_H

#include <glib.h>

#include "traces/event.h"
#include "traces/reader.h"

struct trace_description {
    char *program;     /* version of the program that wrote it */
    char *config;      /* the machine file after --set */
    char *config_name; /* its path, for messages */
    char *cpu_model;
    char *profile;     /* of the hypervisor, see traces/profile.h; NULL: none */
    uint64_t seed;
    uint64_t frequency_hz;
    unsigned vcpus;
    bool has_input;        /* somebody could have typed: a machine that sleeps waits for him */
    uint64_t hash_insns;   /* distance of the points of the hash chain */
    uint64_t state_number; /* which states, hidden ones included, checkpoints hold */
    char **kinds;          /* names of the kinds of events that were asked for */
    GArray *images;        /* struct trace_image, whose texts are owned */
    struct trace_schema *schema; /* owned if @owns_schema */
    bool owns_schema;
};

struct trace_description *trace_description_new(void);
void trace_description_free(struct trace_description *d);

/** trace_description_add_image - texts and @build_id are copied. */
void trace_description_add_image(struct trace_description *d, const struct trace_image *image);

/** trace_description_put - as a payload; the schema is trace_schema_builtin() if there is none. */
GByteArray *trace_description_put(const struct trace_description *d);
/** trace_description_get - Returns: NULL if it is damaged. */
struct trace_description *trace_description_get(const void *data, size_t size_bytes);

#endif
