/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transaction works on a snapshot of its own and writes down each path it looked at and each
 * change it made.  It can be committed if every path it looked at still is what it was at the
 * start; then its changes are made again, all or none, on the tree of that time.
 */
#include "guests/dom0/xenstore_internal.h"

#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/string.h"

/* Steps that are no changes: a node must be as it was; a node must be there. */
#define LOOKED XS_READ
#define RELIED XS_DIRECTORY

static void tx_free(struct xenstore_tx *tx)
{
    while (tx->first) {
        struct xenstore_step *step = tx->first;

        tx->first = step->next;
        heap_free(step->change.path);
        heap_free((void *)step->change.data);
        heap_free(step);
    }
    if (tx->base.root)
        store_fini(&tx->base);
    if (tx->tree.root)
        store_fini(&tx->tree);
    heap_free(tx);
}

int xenstore_tx_start(struct xenstore *xs, struct xenstore_connection *c, u32 *id)
{
    struct xenstore_tx *tx;

    if (c->tx_count >= XENSTORE_MAX_TRANSACTIONS)
        return -XEN_ENOSPC;
    tx = heap_alloc(sizeof *tx);
    if (!tx)
        return -XEN_ENOMEM;
    if (store_snapshot(&xs->tree, &tx->base) || store_snapshot(&xs->tree, &tx->tree)) {
        tx_free(tx);
        return -XEN_ENOMEM;
    }
    do
        tx->id = ++c->next_tx_id;
    while (!tx->id || xenstore_tx_find(c, tx->id));
    tx->next = c->transactions;
    c->transactions = tx;
    c->tx_count++;
    *id = tx->id;
    return 0;
}

struct xenstore_tx *xenstore_tx_find(struct xenstore_connection *c, u32 id)
{
    struct xenstore_tx *tx = c->transactions;

    while (tx && tx->id != id)
        tx = tx->next;
    return tx;
}

static u32 data_bytes(const struct xenstore_change *change)
{
    return change->type == XS_SET_PERMS ? change->count * (u32)sizeof(struct store_perm)
                                        : change->count;
}

static void add_step(struct xenstore_tx *tx, const struct xenstore_change *change)
{
    struct xenstore_step *step = tx->steps < XENSTORE_MAX_TX_STEPS ? heap_alloc(sizeof *step) : NULL;
    size_t path_bytes = strlen(change->path) + 1;
    void *data;

    if (!step) {
        tx->failed = true;
        return;
    }
    data = heap_alloc(data_bytes(change));
    step->change = *change;
    step->change.path = heap_alloc(path_bytes);
    step->change.data = data;
    if (step->change.path)
        memcpy(step->change.path, change->path, path_bytes);
    if (data)
        memcpy(data, change->data, data_bytes(change));
    if (!data || !step->change.path)
        tx->failed = true;
    *(tx->last ? &tx->last->next : &tx->first) = step;
    tx->last = step;
    tx->steps++;
}

static void add_look(struct xenstore_tx *tx, u32 type, const char *path)
{
    struct xenstore_change seen = {.type = type, .path = (char *)path, .data = ""};

    for (struct xenstore_step *step = tx->first; step; step = step->next)
        if (step->change.type == type && step->change.path && !strcmp(step->change.path, path))
            return;
    add_step(tx, &seen);
}

void xenstore_tx_saw(struct xenstore_tx *tx, const char *path)
{
    char above[STORE_PATH_BYTES];
    size_t n = strlen(path);

    add_look(tx, LOOKED, path);
    if (store_lookup(&tx->base, path))
        return;
    /* What is missing would be made below the nearest node there is, which must stay. */
    memcpy(above, path, n + 1);
    while (n && !store_lookup(&tx->base, above)) {
        while (n && above[--n] != '/')
            ;
        above[n] = '\0';
    }
    add_look(tx, RELIED, n ? above : "/");
}

void xenstore_tx_changed(struct xenstore_tx *tx, const struct xenstore_change *change)
{
    add_step(tx, change);
}

static bool is_look(const struct xenstore_step *step)
{
    return step->change.type == LOOKED || step->change.type == RELIED;
}

/* Whether the node at @path is the same in both trees, or missing in both. */
static bool unchanged(const struct store *a, const struct store *b, const char *path)
{
    const struct store_node *in_a = store_lookup(a, path), *in_b = store_lookup(b, path);

    if (!in_a || !in_b)
        return in_a == in_b;
    return in_a->generation == in_b->generation;
}

static int commit(struct xenstore *xs, struct xenstore_connection *c, struct xenstore_tx *tx)
{
    struct store next, before;
    int error;

    for (struct xenstore_step *step = tx->first; step; step = step->next)
        if ((step->change.type == LOOKED && !unchanged(&tx->base, &xs->tree, step->change.path)) ||
            (step->change.type == RELIED && !store_lookup(&xs->tree, step->change.path)))
            return -XEN_EAGAIN;
    error = store_snapshot(&xs->tree, &next);
    if (error)
        return error;
    for (struct xenstore_step *step = tx->first; step && !error; step = step->next)
        if (!is_look(step))
            error = xenstore_apply(&next, c->domid, &step->change);
    if (error) {
        store_fini(&next);
        return error == -XEN_ENOMEM ? error : -XEN_EAGAIN;
    }
    before = xs->tree;
    xs->tree = next;
    for (struct xenstore_step *step = tx->first; step; step = step->next)
        if (!is_look(step)) {
            bool removed = step->change.type == XS_RM;

            xenstore_fire(xs, removed ? &before : &xs->tree, step->change.path, removed);
        }
    store_fini(&before);
    return 0;
}

int xenstore_tx_end(struct xenstore *xs, struct xenstore_connection *c, u32 id, bool keep)
{
    struct xenstore_tx **at = &c->transactions, *tx;
    int error = 0;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    tx = *at;
    if (!tx)
        return -XEN_ENOENT;
    *at = tx->next;
    c->tx_count--;
    if (keep)
        error = tx->failed ? -XEN_ENOSPC : commit(xs, c, tx);
    tx_free(tx);
    return error;
}
