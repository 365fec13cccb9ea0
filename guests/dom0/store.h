/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of xenstore: nodes with values and permissions, and snapshots of it.
 *
 * A tree is a root and shares its nodes with the snapshots taken of it; whoever changes a node
 * copies the path to it first.  So a snapshot costs nothing, and a transaction is one.
 *
 * Paths are absolute here ("/", "/local/domain/1/name").  Results are 0 or a negative errno of
 * xen/errno.h.  Rules and limits: docs/misc/xenstore.txt of Xen.  Test: test_guests_store.c
 */
#ifndef GUESTS_DOM0_STORE_H
#define GUESTS_DOM0_STORE_H

#include "guests/lib/types.h"

/* Limits of a domain without privilege, and of every path; those of Debian's xenstored. */
#define STORE_MAX_NODES       1000u /* a domain may own */
#define STORE_MAX_VALUE_BYTES 2048u
#define STORE_MAX_PERMS       5u
#define STORE_MAX_DEPTH       128u /* parts of a path: the tree is walked by recursion */
#define STORE_PATH_BYTES      3073u /* with its zero byte */

enum { STORE_READ = 1, STORE_WRITE = 2 };

struct store_perm {
    u16 domid;
    u16 mode; /* STORE_READ | STORE_WRITE */
};

struct store_node {
    u32 references; /* trees and parents that hold it */
    u32 value_bytes;
    u64 generation; /* when value, permissions or the set of children changed last */
    char *name;
    u8 *value;
    struct store_perm *perms; /* [0]: the owner, and what everybody else may do */
    struct store_node **children; /* sorted by name */
    u32 perm_count, child_count;
};

struct store_owner {
    u32 domid, nodes;
};

struct store {
    struct store_node *root;
    struct store_owner *owners; /* domains that own nodes, in no order */
    u32 owner_count;
    u64 *clock; /* gives each change its generation; shared by all snapshots */
};

/** store_init - an empty tree that belongs to domain 0.  @clock is borrowed. */
int store_init(struct store *store, u64 *clock);
void store_fini(struct store *store);

/** store_snapshot - @out becomes a tree of its own with the content of @store. */
int store_snapshot(const struct store *store, struct store *out);

/**
 * store_path_check - whether @path is a path at all: absolute, of the permitted characters, not too long,
 * without empty parts.
 */
bool store_path_check(const char *path);

/**
 * store_find - the node at @path if @domid may use it in the way @mode.
 * @mode: STORE_READ, STORE_WRITE, or 0: only whether it is there.
 * Returns: 0; -ENOENT; -EACCES, also for a node that is not there when the caller must not know.
 */
int store_find(const struct store *store, u16 domid, const char *path, u16 mode,
               const struct store_node **out);

/** store_lookup - the node at @path, whoever asks; NULL when there is none. */
const struct store_node *store_lookup(const struct store *store, const char *path);

/** store_node_allows - whether @domid may use @node in the way @mode. */
bool store_node_allows(const struct store_node *node, u16 domid, u16 mode);

/**
 * store_write - set a value; the node and the nodes above it are made when they are missing, with
 * the permissions of the nearest node that exists.
 * Returns: 0, -EACCES, -ENOSPC (a limit), -ENOMEM.
 */
int store_write(struct store *store, u16 domid, const char *path, const void *value, size_t size_bytes);

/** store_mkdir - make the node with an empty value; 0 as well if it is there and may be written. */
int store_mkdir(struct store *store, u16 domid, const char *path);

/**
 * store_remove - remove a node and all below.
 * Returns: 0, also if it is missing but the node above exists; -EINVAL for the root; -ENOENT; -EACCES.
 */
int store_remove(struct store *store, u16 domid, const char *path);

/** store_set_perms - by the owner or domain 0.  @count at least 1.  -EPERM: only domain 0 may change the owner. */
int store_set_perms(struct store *store, u16 domid, const char *path, const struct store_perm *perms,
                    u32 count);

/** store_owned - how many nodes @domid owns. */
u32 store_owned(const struct store *store, u16 domid);

#endif
