/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the xenstore service share: xenstore.c requests, xenstore_ring.c transport,
 * xenstore_watch.c watches, xenstore_tx.c transactions.
 */
#ifndef GUESTS_DOM0_XENSTORE_INTERNAL_H
#define GUESTS_DOM0_XENSTORE_INTERNAL_H

#include "guests/dom0/xenstore.h"

/* An answer or event on its way out; the bytes of the message follow. */
struct xenstore_message {
    struct xenstore_message *next;
    u32 size_bytes, sent_bytes;
    u8 bytes[]; /* struct xsd_sockmsg and payload */
};

struct xenstore_watch {
    struct xenstore_watch *next;
    char *path;  /* absolute, or special with @ */
    char *token;
    u32 prefix_bytes; /* of path, that the domain did not write: events leave it out */
};

/* A change, as it is asked for, done in a transaction, and done again when that is committed. */
struct xenstore_change {
    u32 type; /* XS_WRITE, XS_MKDIR, XS_RM, XS_SET_PERMS */
    char *path;
    const void *data; /* value, or struct store_perm[] */
    u32 count;        /* bytes, or permissions */
};

struct xenstore_step {
    struct xenstore_step *next;
    struct xenstore_change change; /* or what was looked at: see xenstore_tx.c */
};

struct xenstore_tx {
    struct xenstore_tx *next;
    u32 id;
    struct store base; /* as it was at the start */
    struct store tree; /* with the transaction's changes */
    struct xenstore_step *first, *last;
    u32 steps;
    bool failed; /* a step could not be kept: it can only be aborted */
};

struct xenstore_connection {
    struct xenstore_connection *next;
    u16 domid;
    u32 error; /* XENSTORE_ERROR_*; if not NONE the ring is not looked at any more */
    struct xenstore_domain_interface *ring;

    /* The request that is being read, always followed by a zero byte. */
    u32 in_bytes;
    struct xsd_sockmsg in;
    char payload[XENSTORE_PAYLOAD_MAX + 1];

    struct xenstore_message *out_first, *out_last;
    u32 out_count;

    struct xenstore_watch *watches;
    u32 watch_count;
    struct xenstore_tx *transactions;
    u32 tx_count, next_tx_id;
};

/* xenstore_ring.c */
/** Queue a message; without memory the connection is given up. */
void xenstore_send(struct xenstore_connection *c, u32 type, u32 req_id, u32 tx_id,
                   const void *payload, u32 size_bytes);
/** Queue a watch event, unless the same one is waiting already. */
void xenstore_send_event(struct xenstore_connection *c, const char *path, const char *token);

/* xenstore.c */
void xenstore_request(struct xenstore *xs, struct xenstore_connection *c);
/** The change on @tree, by @domid. */
int xenstore_apply(struct store *tree, u16 domid, const struct xenstore_change *change);

/* xenstore_watch.c */
int xenstore_watch_add(struct xenstore_connection *c, const char *path, u32 prefix_bytes,
                       const char *token);
int xenstore_watch_remove(struct xenstore_connection *c, const char *path, const char *token);
void xenstore_watch_remove_all(struct xenstore_connection *c);
/** Tell everybody who watches and may know.  @tree: after the change, or before it for XS_RM. */
void xenstore_fire(struct xenstore *xs, const struct store *tree, const char *path, bool removed);

/* xenstore_tx.c */
int xenstore_tx_start(struct xenstore *xs, struct xenstore_connection *c, u32 *id);
struct xenstore_tx *xenstore_tx_find(struct xenstore_connection *c, u32 id);
/** Note that @path was looked at. */
void xenstore_tx_saw(struct xenstore_tx *tx, const char *path);
/** Note a change that was done on tx->tree. */
void xenstore_tx_changed(struct xenstore_tx *tx, const struct xenstore_change *change);
/** Returns 0, -EAGAIN when what was seen has changed, -ENOMEM.  The transaction is gone. */
int xenstore_tx_end(struct xenstore *xs, struct xenstore_connection *c, u32 id, bool commit);

#endif
