/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invariants:
 *  1. node.references counts the trees and the parents that hold the node.
 *  2. A node with more than one reference, or below one with more than one, is never changed: unshare()
 *     copies it first, from the root down.
 *  3. children is sorted by name, without doubles; perm_count is at least 1.
 *  4. owners says of each domain how many nodes in this tree have it as perms[0].domid.
 *
 * An operation that fails for want of memory leaves the tree's content as it was; copies that were
 * already made stay and do no harm.
 */
#include "guests/dom0/store.h"

#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/string.h"

/* ---- single nodes ---- */

static void node_put(struct store_node *node)
{
    if (!node || --node->references)
        return;
    for (u32 i = 0; i < node->child_count; i++)
        node_put(node->children[i]);
    heap_free(node->children);
    heap_free(node->perms);
    heap_free(node->value);
    heap_free(node->name);
    heap_free(node);
}

static void *copy_of(const void *from, size_t size_bytes)
{
    void *to = heap_alloc(size_bytes);

    if (to && size_bytes)
        memcpy(to, from, size_bytes);
    return to;
}

/* A node of one reference, without children. */
static struct store_node *node_new(const char *name, size_t name_bytes, const void *value,
                                   u32 value_bytes, const struct store_perm *perms, u32 perm_count)
{
    struct store_node *node = heap_alloc(sizeof *node);

    if (!node)
        return NULL;
    node->references = 1;
    node->value_bytes = value_bytes;
    node->perm_count = perm_count;
    node->name = heap_alloc(name_bytes + 1);
    node->value = copy_of(value, value_bytes);
    node->perms = copy_of(perms, perm_count * sizeof *perms);
    if (!node->name || !node->value || !node->perms) {
        node_put(node);
        return NULL;
    }
    memcpy(node->name, name, name_bytes);
    return node;
}

/* Make the node in *@slot changeable.  NULL: no memory. */
static struct store_node *unshare(struct store_node **slot)
{
    struct store_node *old = *slot, *node;

    if (old->references == 1)
        return old;
    node = node_new(old->name, strlen(old->name), old->value, old->value_bytes, old->perms,
                    old->perm_count);
    if (!node)
        return NULL;
    node->children = copy_of(old->children, old->child_count * sizeof(struct store_node *));
    if (!node->children) {
        node_put(node);
        return NULL;
    }
    node->generation = old->generation;
    node->child_count = old->child_count;
    for (u32 i = 0; i < node->child_count; i++)
        node->children[i]->references++;
    node_put(old);
    *slot = node;
    return node;
}

static int name_compare(const char *part, size_t part_bytes, const char *name)
{
    int order = strncmp(part, name, part_bytes);

    return order ? order : name[part_bytes] ? -1 : 0;
}

/* Where the child of this name is, or would be put. */
static bool child_index(const struct store_node *node, const char *part, size_t part_bytes,
                        u32 *index)
{
    u32 low = 0, high = node->child_count;

    while (low < high) {
        u32 middle = (low + high) / 2;
        int order = name_compare(part, part_bytes, node->children[middle]->name);

        if (!order) {
            *index = middle;
            return true;
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    *index = low;
    return false;
}

static int child_insert(struct store_node *node, u32 index, struct store_node *child)
{
    struct store_node **grown = heap_alloc((node->child_count + 1) * sizeof *grown);

    if (!grown)
        return -XEN_ENOMEM;
    if (node->child_count) {
        memcpy(grown, node->children, index * sizeof *grown);
        memcpy(grown + index + 1, node->children + index,
               (node->child_count - index) * sizeof *grown);
    }
    grown[index] = child;
    heap_free(node->children);
    node->children = grown;
    node->child_count++;
    return 0;
}

static void child_remove(struct store_node *node, u32 index)
{
    node_put(node->children[index]);
    node->child_count--;
    memmove(node->children + index, node->children + index + 1,
            (node->child_count - index) * sizeof *node->children);
}

/* ---- who owns how much ---- */

static struct store_owner *owner_find(const struct store *store, u16 domid)
{
    for (u32 i = 0; i < store->owner_count; i++)
        if (store->owners[i].domid == domid)
            return &store->owners[i];
    return NULL;
}

/* Have room for @count owners, those that are there first. */
static int owners_resize(struct store *store, u32 count)
{
    u32 kept = count < store->owner_count ? count : store->owner_count;
    struct store_owner *owners = heap_alloc(count * sizeof *owners);

    if (!owners)
        return -XEN_ENOMEM;
    if (kept)
        memcpy(owners, store->owners, kept * sizeof *owners);
    heap_free(store->owners);
    store->owners = owners;
    return 0;
}

/* Make sure that own() of @domid can be done. */
static int owner_prepare(struct store *store, u16 domid)
{
    int error;

    if (owner_find(store, domid))
        return 0;
    error = owners_resize(store, store->owner_count + 1);
    if (!error)
        store->owners[store->owner_count++] = (struct store_owner){domid, 0};
    return error;
}

static void own(struct store *store, u16 domid, u32 nodes)
{
    owner_find(store, domid)->nodes += nodes;
}

/* A domain that owns nothing is forgotten. */
static void disown(struct store *store, u16 domid)
{
    struct store_owner *owner = owner_find(store, domid);

    if (--owner->nodes)
        return;
    *owner = store->owners[--store->owner_count];
    /* Without memory for a smaller list the larger one does as well. */
    owners_resize(store, store->owner_count);
}

u32 store_owned(const struct store *store, u16 domid)
{
    const struct store_owner *owner = owner_find(store, domid);

    return owner ? owner->nodes : 0;
}

static void disown_all(struct store *store, const struct store_node *node)
{
    disown(store, node->perms[0].domid);
    for (u32 i = 0; i < node->child_count; i++)
        disown_all(store, node->children[i]);
}

/* ---- trees ---- */

int store_init(struct store *store, u64 *clock)
{
    static const struct store_perm perms = {0, 0};

    *store = (struct store){.clock = clock};
    store->root = node_new("", 0, "", 0, &perms, 1);
    if (!store->root || owner_prepare(store, 0)) {
        store_fini(store);
        return -XEN_ENOMEM;
    }
    own(store, 0, 1);
    return 0;
}

void store_fini(struct store *store)
{
    node_put(store->root);
    heap_free(store->owners);
    *store = (struct store){0};
}

int store_snapshot(const struct store *store, struct store *out)
{
    *out = *store;
    out->owners = copy_of(store->owners, store->owner_count * sizeof *store->owners);
    if (!out->owners)
        return -XEN_ENOMEM;
    out->root->references++;
    return 0;
}

/* ---- paths ---- */

/* The next part of a path; *@path moves behind it.  Its length, 0 at the end. */
static size_t next_part(const char **path, const char **part)
{
    size_t n = 0;

    while (**path == '/')
        (*path)++;
    *part = *path;
    while ((*part)[n] && (*part)[n] != '/')
        n++;
    *path += n;
    return n;
}

static u32 count_parts(const char *path)
{
    const char *part;
    u32 parts = 0;

    while (next_part(&path, &part))
        parts++;
    return parts;
}

bool store_path_check(const char *path)
{
    size_t n = strlen(path);

    if (path[0] != '/' || n >= STORE_PATH_BYTES || (n > 1 && path[n - 1] == '/') ||
        strstr(path, "//"))
        return false;
    if (count_parts(path) > STORE_MAX_DEPTH)
        return false;
    for (; *path; path++)
        if (!((*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
              (*path >= '0' && *path <= '9') || strchr("-/_@", *path)))
            return false;
    return true;
}

/*
 * The deepest node of @path that exists; *@rest is what is left of the path: "" if the node is the
 * one that was asked for.
 */
static const struct store_node *deepest(const struct store *store, const char *path,
                                        const char **rest)
{
    const struct store_node *node = store->root;
    const char *part;
    size_t n;

    for (;;) {
        u32 index;

        *rest = path;
        n = next_part(&path, &part);
        if (!n || !child_index(node, part, n, &index))
            break;
        node = node->children[index];
    }
    if (!n)
        *rest = "";
    return node;
}

const struct store_node *store_lookup(const struct store *store, const char *path)
{
    const char *rest;
    const struct store_node *node = deepest(store, path, &rest);

    return *rest ? NULL : node;
}

bool store_node_allows(const struct store_node *node, u16 domid, u16 mode)
{
    u16 allowed = node->perms[0].mode;

    if (!domid || node->perms[0].domid == domid)
        return true;
    for (u32 i = 1; i < node->perm_count; i++)
        if (node->perms[i].domid == domid) {
            allowed = node->perms[i].mode;
            break;
        }
    return (allowed & mode) == mode;
}

int store_find(const struct store *store, u16 domid, const char *path, u16 mode,
               const struct store_node **out)
{
    const char *rest;
    const struct store_node *node = deepest(store, path, &rest);

    *out = NULL;
    if (!store_node_allows(node, domid, mode))
        return -XEN_EACCES;
    if (*rest)
        return -XEN_ENOENT;
    *out = node;
    return 0;
}

/* The node at @path, which exists, and all above it unshared.  NULL: no memory. */
static struct store_node *changeable(struct store *store, const char *path)
{
    struct store_node *node = unshare(&store->root);
    const char *part;
    size_t n;

    while (node && (n = next_part(&path, &part)) != 0) {
        u32 index;

        if (!child_index(node, part, n, &index))
            return NULL;
        node = unshare(&node->children[index]);
    }
    return node;
}

/* ---- changes ---- */

/* The nodes named by @rest, as a chain; the last one holds the value. */
static struct store_node *chain_new(struct store *store, const char *rest, const void *value,
                                    u32 value_bytes, const struct store_perm *perms, u32 perm_count)
{
    const char *part;
    size_t n = next_part(&rest, &part);
    bool last = !count_parts(rest);
    struct store_node *node = node_new(part, n, last ? value : "", last ? value_bytes : 0, perms,
                                       perm_count);
    struct store_node *below;

    if (!node)
        return NULL;
    node->generation = ++*store->clock;
    if (last)
        return node;
    below = chain_new(store, rest, value, value_bytes, perms, perm_count);
    if (!below || child_insert(node, 0, below)) {
        node_put(below);
        node_put(node);
        return NULL;
    }
    return node;
}

/* Make what is missing of @path; @rest begins below @above, which exists. */
static int create(struct store *store, u16 domid, const char *path, const char *rest,
                  const struct store_node *above, const void *value, u32 value_bytes)
{
    struct store_perm perms[STORE_MAX_PERMS];
    u32 perm_count = above->perm_count, parts = count_parts(rest), index;
    char parent_path[STORE_PATH_BYTES];
    struct store_node *parent, *chain;
    const char *part, *at = rest;
    size_t n;
    u16 owner;

    memcpy(perms, above->perms, perm_count * sizeof *perms);
    if (domid)
        perms[0].domid = domid;
    owner = perms[0].domid;
    if (domid && store_owned(store, owner) + parts > STORE_MAX_NODES)
        return -XEN_ENOSPC;
    memcpy(parent_path, path, (size_t)(rest - path));
    parent_path[rest - path] = '\0';
    parent = changeable(store, parent_path);
    chain = chain_new(store, rest, value, value_bytes, perms, perm_count);
    if (!parent || !chain || owner_prepare(store, owner))
        goto failed;
    n = next_part(&at, &part);
    child_index(parent, part, n, &index);
    if (child_insert(parent, index, chain))
        goto failed;
    parent->generation = ++*store->clock;
    own(store, owner, parts);
    return 0;
failed:
    node_put(chain);
    return -XEN_ENOMEM;
}

int store_write(struct store *store, u16 domid, const char *path, const void *value,
                size_t size_bytes)
{
    const char *rest;
    const struct store_node *there = deepest(store, path, &rest);
    struct store_node *node;
    u8 *copy;

    if (!store_node_allows(there, domid, STORE_WRITE))
        return -XEN_EACCES;
    if (domid && size_bytes > STORE_MAX_VALUE_BYTES)
        return -XEN_ENOSPC;
    if (*rest)
        return create(store, domid, path, rest, there, value, (u32)size_bytes);
    node = changeable(store, path);
    copy = copy_of(value, size_bytes);
    if (!node || !copy) {
        heap_free(copy);
        return -XEN_ENOMEM;
    }
    heap_free(node->value);
    node->value = copy;
    node->value_bytes = (u32)size_bytes;
    node->generation = ++*store->clock;
    return 0;
}

int store_mkdir(struct store *store, u16 domid, const char *path)
{
    const char *rest;
    const struct store_node *there = deepest(store, path, &rest);

    if (!store_node_allows(there, domid, STORE_WRITE))
        return -XEN_EACCES;
    return *rest ? create(store, domid, path, rest, there, "", 0) : 0;
}

int store_remove(struct store *store, u16 domid, const char *path)
{
    const char *rest, *part;
    const struct store_node *there = deepest(store, path, &rest);
    char parent_path[STORE_PATH_BYTES];
    struct store_node *parent;
    const char *slash = path;
    u32 index;
    size_t n;

    if (!count_parts(path))
        return -XEN_EINVAL;
    if (!store_node_allows(there, domid, STORE_WRITE))
        return -XEN_EACCES;
    if (*rest)
        return count_parts(rest) == 1 ? 0 : -XEN_ENOENT;
    for (const char *at = path; *at; at++)
        if (*at == '/')
            slash = at;
    memcpy(parent_path, path, (size_t)(slash - path));
    parent_path[slash - path] = '\0';
    parent = changeable(store, parent_path);
    n = next_part(&slash, &part);
    if (!parent || !child_index(parent, part, n, &index))
        return -XEN_ENOMEM;
    disown_all(store, parent->children[index]);
    child_remove(parent, index);
    parent->generation = ++*store->clock;
    return 0;
}

int store_set_perms(struct store *store, u16 domid, const char *path,
                    const struct store_perm *perms, u32 count)
{
    const struct store_node *there;
    struct store_node *node;
    struct store_perm *copy;
    int error = store_find(store, domid, path, STORE_WRITE, &there);

    if (error)
        return error;
    if (domid && there->perms[0].domid != domid)
        return -XEN_EACCES;
    if (domid && perms[0].domid != domid)
        return -XEN_EPERM;
    if (count > STORE_MAX_PERMS)
        return -XEN_ENOSPC;
    node = changeable(store, path);
    copy = copy_of(perms, count * sizeof *perms);
    if (!node || !copy || owner_prepare(store, perms[0].domid)) {
        heap_free(copy);
        return -XEN_ENOMEM;
    }
    own(store, perms[0].domid, 1);
    disown(store, node->perms[0].domid);
    heap_free(node->perms);
    node->perms = copy;
    node->perm_count = count;
    node->generation = ++*store->clock;
    return 0;
}
