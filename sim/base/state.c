/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/base/state.h"

#include <string.h>

void base_state_init_hash(struct base_state *st, struct base_hash *hash)
{
    *st = (struct base_state){.mode = BASE_STATE_HASH, .hash = hash};
}

void base_state_init_save(struct base_state *st, GByteArray *out)
{
    *st = (struct base_state){.mode = BASE_STATE_SAVE, .out = out};
}

void base_state_init_load(struct base_state *st, const void *data, size_t size_bytes)
{
    *st = (struct base_state){.mode = BASE_STATE_LOAD, .in = data, .in_left = size_bytes};
}

void base_state_bytes(struct base_state *st, void *data, size_t size_bytes)
{
    switch (st->mode) {
    case BASE_STATE_HASH:
        base_hash_update(st->hash, data, size_bytes);
        break;
    case BASE_STATE_SAVE:
        g_byte_array_append(st->out, data, (guint)size_bytes);
        break;
    case BASE_STATE_LOAD:
        if (st->bad || st->in_left < size_bytes) {
            st->bad = true;
            memset(data, 0, size_bytes);
            break;
        }
        memcpy(data, st->in, size_bytes);
        st->in += size_bytes;
        st->in_left -= size_bytes;
        break;
    }
}

void base_state_tag(struct base_state *st, const char *tag)
{
    char name[16] = {0};
    char seen[16];

    g_strlcpy(name, tag, sizeof(name));
    memcpy(seen, name, sizeof(seen));
    base_state_bytes(st, seen, sizeof(seen));
    if (st->mode == BASE_STATE_LOAD && memcmp(seen, name, sizeof(seen)) != 0)
        st->bad = true;
}
