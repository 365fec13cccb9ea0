/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xenstore service: the connections of the domains, by the wire protocol of xen/io/xs_wire.h
 * over the ring of their store page, and domain 0's own access.
 *
 * A connection reads requests from its ring, answers in order, and is told of watched changes.
 * Whatever a guest puts into its ring, the worst that happens is that its own connection is given
 * up (connection.error says why, in the ring as well).  Test: test_guests_xenstore.c
 */
#ifndef GUESTS_DOM0_XENSTORE_H
#define GUESTS_DOM0_XENSTORE_H

#include "guests/dom0/store.h"

#include <xen/xen.h>
#include <xen/io/xs_wire.h>

/* Limits for each domain, those of Debian's xenstored, but for the last. */
#define XENSTORE_MAX_WATCHES      128u
#define XENSTORE_MAX_TRANSACTIONS 10u
#define XENSTORE_MAX_TX_STEPS     1024u
#define XENSTORE_MAX_EVENTS       1024u /* waiting to be read by the domain */

struct xenstore_connection;
struct xenstore_watch;

struct xenstore {
    struct store tree;
    u64 clock;
    struct xenstore_connection *connections; /* newest first */
    u64 requests; /* answered so far */
};

/** xenstore_init - an empty store with /local/domain and /tool.  0 or -ENOMEM. */
int xenstore_init(struct xenstore *xs);

/**
 * xenstore_connect - serve a domain.
 * @ring: its store page; borrowed until xenstore_disconnect().
 * Returns: NULL when there is no memory.
 */
struct xenstore_connection *xenstore_connect(struct xenstore *xs, u16 domid,
                                             struct xenstore_domain_interface *ring);
void xenstore_disconnect(struct xenstore *xs, struct xenstore_connection *connection);

/**
 * xenstore_service - take requests from the ring and put answers and events into it, a bounded amount.
 * @again: whether there is more to do at once.
 * Returns: whether the domain must be notified.
 */
bool xenstore_service(struct xenstore *xs, struct xenstore_connection *connection, bool *again);

/** xenstore_has_output - whether something waits to be put into the ring. */
bool xenstore_has_output(const struct xenstore_connection *connection);

/** xenstore_error - XENSTORE_ERROR_*: why the connection was given up. */
u32 xenstore_error(const struct xenstore_connection *connection);

/*
 * Domain 0's own access.  Paths absolute; results 0 or a negative errno.  Watches fire.
 */
int xenstore_write(struct xenstore *xs, const char *path, const char *value);
int xenstore_remove(struct xenstore *xs, const char *path);
int xenstore_set_perms(struct xenstore *xs, const char *path, const struct store_perm *perms,
                       u32 count);
/** xenstore_read - the value as text, cut to @size_bytes with its zero byte. */
int xenstore_read(const struct xenstore *xs, const char *path, char *value, size_t size_bytes);

/** xenstore_fire_special - tell the watchers of "@introduceDomain" and "@releaseDomain". */
void xenstore_fire_special(struct xenstore *xs, const char *name);

#endif
