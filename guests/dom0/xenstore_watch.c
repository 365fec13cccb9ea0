/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/xenstore_internal.h"

#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/string.h"

static char *text_copy(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = heap_alloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}

static void watch_free(struct xenstore_watch *watch)
{
    heap_free(watch->path);
    heap_free(watch->token);
    heap_free(watch);
}

static struct xenstore_watch **watch_find(struct xenstore_connection *c, const char *path,
                                          const char *token)
{
    struct xenstore_watch **at = &c->watches;

    while (*at && (strcmp((*at)->path, path) || strcmp((*at)->token, token)))
        at = &(*at)->next;
    return at;
}

int xenstore_watch_add(struct xenstore_connection *c, const char *path, u32 prefix_bytes,
                       const char *token)
{
    struct xenstore_watch **at = watch_find(c, path, token), *watch;

    if (*at)
        return -XEN_EEXIST;
    if (c->watch_count >= XENSTORE_MAX_WATCHES)
        return -XEN_E2BIG;
    watch = heap_alloc(sizeof *watch);
    if (!watch)
        return -XEN_ENOMEM;
    watch->path = text_copy(path);
    watch->token = text_copy(token);
    watch->prefix_bytes = prefix_bytes;
    if (!watch->path || !watch->token) {
        watch_free(watch);
        return -XEN_ENOMEM;
    }
    *at = watch;
    c->watch_count++;
    return 0;
}

int xenstore_watch_remove(struct xenstore_connection *c, const char *path, const char *token)
{
    struct xenstore_watch **at = watch_find(c, path, token), *watch = *at;

    if (!watch)
        return -XEN_ENOENT;
    *at = watch->next;
    watch_free(watch);
    c->watch_count--;
    return 0;
}

void xenstore_watch_remove_all(struct xenstore_connection *c)
{
    while (c->watches) {
        struct xenstore_watch *watch = c->watches;

        c->watches = watch->next;
        watch_free(watch);
    }
    c->watch_count = 0;
}

/* Whether @path is @above or lies below it. */
static bool is_below(const char *path, const char *above)
{
    size_t n = strlen(above);

    if (n == 1 && above[0] == '/')
        return true;
    return !strncmp(path, above, n) && (!path[n] || path[n] == '/');
}

static void event(struct xenstore_connection *c, const struct xenstore_watch *watch,
                  const char *path)
{
    size_t n = strlen(path);

    xenstore_send_event(c, path + (watch->prefix_bytes < n ? watch->prefix_bytes : n),
                        watch->token);
}

void xenstore_fire(struct xenstore *xs, const struct store *tree, const char *path, bool removed)
{
    const struct store_node *node;

    for (struct xenstore_connection *c = xs->connections; c; c = c->next)
        for (struct xenstore_watch *watch = c->watches; watch; watch = watch->next) {
            /* Above the change: told of the node; below a removed one: told of itself. */
            const char *of = is_below(path, watch->path)               ? path
                             : removed && is_below(watch->path, path) ? watch->path
                                                                       : NULL;

            if (!of)
                continue;
            node = store_lookup(tree, of);
            if (node && store_node_allows(node, c->domid, STORE_READ))
                event(c, watch, of);
        }
}

void xenstore_fire_special(struct xenstore *xs, const char *name)
{
    for (struct xenstore_connection *c = xs->connections; c; c = c->next)
        for (struct xenstore_watch *watch = c->watches; watch; watch = watch->next)
            if (!strcmp(watch->path, name) && !c->domid)
                event(c, watch, name);
}
