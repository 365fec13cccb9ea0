/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing the state of a part of the machine.
 *
 * A component has ONE function that visits its fields in a fixed order; the
 * visitor decides whether they are hashed, written or read back.  So the hash
 * of a machine, its snapshot and its restoration can never disagree about what
 * the state is.
 *
 *     static void pit_state(void *dev, struct base_state *st)
 *     {
 *         struct pit *p = dev;
 *         base_state_tag(st, "i8254");
 *         BASE_STATE(st, p->channel);
 *     }
 *
 * Only values may be visited: no pointers, no padding (visit members, not whole
 * structs with holes), no host facts.
 */
#ifndef PARAVANE_SIM_BASE_STATE_H
#define PARAVANE_SIM_BASE_STATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/base/hash.h"

enum base_state_mode { BASE_STATE_HASH, BASE_STATE_SAVE, BASE_STATE_LOAD };

struct base_state {
    enum base_state_mode mode;
    struct base_hash *hash; /* HASH */
    GByteArray *out;        /* SAVE */
    const uint8_t *in;      /* LOAD */
    size_t in_left;
    bool bad; /* LOAD: input too short or a tag did not match; fields are then unspecified */
};

void base_state_init_hash(struct base_state *st, struct base_hash *hash);
void base_state_init_save(struct base_state *st, GByteArray *out);
void base_state_init_load(struct base_state *st, const void *data, size_t size_bytes);

/** base_state_tag - mark the start of a component; LOAD checks it. */
void base_state_tag(struct base_state *st, const char *tag);

/** base_state_bytes - visit @size_bytes at @data. */
void base_state_bytes(struct base_state *st, void *data, size_t size_bytes);

#define BASE_STATE(st, field) base_state_bytes((st), &(field), sizeof(field))

#endif
