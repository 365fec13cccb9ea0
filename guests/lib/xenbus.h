/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's access to xenstore (xen/io/xs_wire.h), over the ring of its store page.
 *
 * Requests wait for their answer; watch events that come meanwhile are kept until they are asked for.
 * Paths are as the protocol has them: relative ones belong to this domain.  Results are 0 or a
 * negative errno.
 */
#ifndef GUESTS_LIB_XENBUS_H
#define GUESTS_LIB_XENBUS_H

#include "guests/lib/types.h"

/**
 * xenbus_init - use the store page of start_info.
 * @wait:   called when there is nothing to do before the store has moved; NULL: yield to other domains.
 * Returns: -ENODEV when there is no store.
 */
int xenbus_init(void (*wait)(void));

/** xenbus_port - the event channel of the store. */
u32 xenbus_port(void);

/** xenbus_read - the value as text, cut to @size_bytes with its zero byte.  @tx: 0 outside of transactions. */
int xenbus_read(u32 tx, const char *path, char *value, size_t size_bytes);
int xenbus_write(u32 tx, const char *path, const char *value);
int xenbus_remove(u32 tx, const char *path);
/** xenbus_set_perms - @perms: up to 4 texts such as "n1", "r2", the owner's first, then NULL. */
int xenbus_set_perms(u32 tx, const char *path, const char *const *perms);
/** xenbus_watch - the events carry @token; one comes at once. */
int xenbus_watch(const char *path, const char *token);
int xenbus_unwatch(const char *path, const char *token);

int xenbus_transaction_start(u32 *tx);
/** xenbus_transaction_end - -EAGAIN: somebody else was faster, do it again. */
int xenbus_transaction_end(u32 tx, bool commit);

/**
 * xenbus_next_event - take the oldest watch event; does not wait.
 * @token: XENBUS_TOKEN_BYTES.
 * Returns: false when there is none.
 */
#define XENBUS_TOKEN_BYTES 64
bool xenbus_next_event(char *token);

/** xenbus_request - any request.  @answer gets up to @max_bytes of *@answer_bytes.  May be NULL with 0. */
int xenbus_request(u32 type, u32 tx, const void *payload, u32 size_bytes, void *answer, u32 max_bytes,
                   u32 *answer_bytes);

#endif
