/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: what each says, what it does to the tree, what is answered.
 */
#include "guests/dom0/xenstore_internal.h"

#include "guests/lib/console.h"
#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/string.h"

/* ---- names and numbers on the wire ---- */

static const char *error_name(int error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {XEN_EINVAL, "EINVAL"}, {XEN_EACCES, "EACCES"}, {XEN_EEXIST, "EEXIST"},
        {XEN_ENOENT, "ENOENT"}, {XEN_ENOMEM, "ENOMEM"}, {XEN_ENOSPC, "ENOSPC"},
        {XEN_ENOSYS, "ENOSYS"}, {XEN_EBUSY, "EBUSY"},   {XEN_EAGAIN, "EAGAIN"},
        {XEN_E2BIG, "E2BIG"},   {XEN_EPERM, "EPERM"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].number == -error)
            return names[i].name;
    return "EINVAL";
}

static void answer(struct xenstore_connection *c, const void *payload, u32 size_bytes)
{
    xenstore_send(c, c->in.type, c->in.req_id, c->in.tx_id, payload, size_bytes);
}

static void answer_error(struct xenstore_connection *c, int error)
{
    const char *name = error_name(error);

    xenstore_send(c, XS_ERROR, c->in.req_id, c->in.tx_id, name, (u32)strlen(name) + 1);
}

/* Most requests that have nothing to tell. */
static void answer_done(struct xenstore_connection *c, int error)
{
    if (error)
        answer_error(c, error);
    else
        answer(c, "OK", sizeof "OK");
}

static bool parse_number(const char *text, u32 max, u32 *out)
{
    u64 value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (u64)(*text - '0');
        if (value > max)
            return false;
    }
    *out = (u32)value;
    return true;
}

/* Cut the payload into its zero-terminated texts.  False unless there are exactly @count. */
static bool texts(struct xenstore_connection *c, const char **out, u32 count)
{
    u32 at = 0, n = 0;

    for (; at < c->in.len; n++) {
        if (n == count)
            return false;
        out[n] = c->payload + at;
        at += (u32)strlen(out[n]) + 1;
    }
    return n == count && at == c->in.len;
}

/*
 * The absolute form of @name in @path (STORE_PATH_BYTES); *@prefix_bytes (may be NULL) is what was
 * put before it.
 */
static bool absolute(const struct xenstore_connection *c, const char *name, char *path,
                     u32 *prefix_bytes)
{
    size_t n = 0;

    if (name[0] != '/') {
        if (strlen(name) > XENSTORE_REL_PATH_MAX)
            return false;
        n = print_to(path, STORE_PATH_BYTES, "/local/domain/%u%s", c->domid, *name ? "/" : "");
    }
    if (n + strlen(name) >= STORE_PATH_BYTES)
        return false;
    memcpy(path + n, name, strlen(name) + 1);
    if (prefix_bytes)
        *prefix_bytes = (u32)n;
    return store_path_check(path);
}

/* ---- requests that read ---- */

struct request {
    struct xenstore *xs;
    struct xenstore_connection *c;
    struct xenstore_tx *tx; /* or NULL */
    struct store *tree;     /* of the transaction, or the one and only */
};

/* The node that the first text of the payload names.  NULL: an error was answered. */
static const struct store_node *named(const struct request *r, const char *name)
{
    char path[STORE_PATH_BYTES];
    const struct store_node *node;
    int error;

    if (!absolute(r->c, name, path, NULL)) {
        answer_error(r->c, -XEN_EINVAL);
        return NULL;
    }
    if (r->tx)
        xenstore_tx_saw(r->tx, path);
    error = store_find(r->tree, r->c->domid, path, STORE_READ, &node);
    if (error)
        answer_error(r->c, error);
    return node;
}

static const struct store_node *named_alone(const struct request *r)
{
    const char *name;

    if (texts(r->c, &name, 1))
        return named(r, name);
    answer_error(r->c, -XEN_EINVAL);
    return NULL;
}

static void do_read(const struct request *r)
{
    const struct store_node *node = named_alone(r);

    if (node)
        answer(r->c, node->value,
               node->value_bytes < XENSTORE_PAYLOAD_MAX ? node->value_bytes : XENSTORE_PAYLOAD_MAX);
}

/* All children's names from byte @offset of their list on, as far as they fit.  *@whole: all did. */
static u32 list_children(const struct store_node *node, u32 offset, char *to, u32 max, bool *whole)
{
    u32 at = 0, n = 0;

    *whole = true;
    for (u32 i = 0; i < node->child_count; i++) {
        u32 bytes = (u32)strlen(node->children[i]->name) + 1;

        at += bytes;
        if (at - bytes < offset)
            continue;
        if (n + bytes > max) {
            *whole = false;
            break;
        }
        memcpy(to + n, node->children[i]->name, bytes);
        n += bytes;
    }
    return n;
}

static void do_directory(const struct request *r)
{
    char list[XENSTORE_PAYLOAD_MAX];
    const struct store_node *node = named_alone(r);
    bool whole;
    u32 n;

    if (!node)
        return;
    n = list_children(node, 0, list, sizeof list, &whole);
    if (whole)
        answer(r->c, list, n);
    else
        answer_error(r->c, -XEN_E2BIG);
}

/* Payload: path, offset.  Answer: generation, names; an empty name after the last one. */
static void do_directory_part(const struct request *r)
{
    char list[XENSTORE_PAYLOAD_MAX];
    const char *texts_of[2];
    const struct store_node *node;
    u32 offset, n;
    bool whole;

    if (!texts(r->c, texts_of, 2) || !parse_number(texts_of[1], UINT32_MAX, &offset)) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    node = named(r, texts_of[0]);
    if (!node)
        return;
    n = (u32)print_to(list, sizeof list, "%lu", node->generation) + 1;
    n += list_children(node, offset, list + n, sizeof list - n - 1, &whole);
    if (whole)
        list[n++] = '\0';
    answer(r->c, list, n);
}

static void do_get_perms(const struct request *r)
{
    const struct store_node *node = named_alone(r);
    char list[STORE_MAX_PERMS * 8];
    u32 n = 0;

    if (!node)
        return;
    for (u32 i = 0; i < node->perm_count; i++)
        n += (u32)print_to(list + n, sizeof list - n, "%c%u", "nrwb"[node->perms[i].mode & 3],
                           node->perms[i].domid) + 1;
    answer(r->c, list, n);
}

static void do_domain_path(const struct request *r)
{
    const char *text;
    char path[32];
    u32 domid;

    if (texts(r->c, &text, 1) && parse_number(text, UINT16_MAX, &domid))
        answer(r->c, path, (u32)print_to(path, sizeof path, "/local/domain/%u", domid) + 1);
    else
        answer_error(r->c, -XEN_EINVAL);
}

static void do_is_introduced(const struct request *r)
{
    struct xenstore_connection *other = r->xs->connections;
    const char *text;
    u32 domid;

    if (!texts(r->c, &text, 1) || !parse_number(text, UINT16_MAX, &domid)) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    while (other && other->domid != domid)
        other = other->next;
    answer(r->c, other || !domid ? "T" : "F", 2);
}

/* ---- requests that change ---- */

int xenstore_apply(struct store *tree, u16 domid, const struct xenstore_change *change)
{
    switch (change->type) {
    case XS_WRITE:
        return store_write(tree, domid, change->path, change->data, change->count);
    case XS_MKDIR:
        return store_mkdir(tree, domid, change->path);
    case XS_RM:
        return store_remove(tree, domid, change->path);
    default:
        return store_set_perms(tree, domid, change->path, change->data, change->count);
    }
}

/* Do it at once and tell the watchers. */
static int change_now(struct xenstore *xs, u16 domid, const struct xenstore_change *change)
{
    bool removed = change->type == XS_RM;
    struct store before;
    int error = removed ? store_snapshot(&xs->tree, &before) : 0;

    if (error)
        return error;
    error = xenstore_apply(&xs->tree, domid, change);
    if (!error)
        xenstore_fire(xs, removed ? &before : &xs->tree, change->path, removed);
    if (removed)
        store_fini(&before);
    return error;
}

static void do_change(const struct request *r, const char *name, struct xenstore_change *change)
{
    char path[STORE_PATH_BYTES];
    int error;

    if (!absolute(r->c, name, path, NULL)) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    change->path = path;
    if (r->tx) {
        xenstore_tx_saw(r->tx, path);
        error = xenstore_apply(r->tree, r->c->domid, change);
        if (!error)
            xenstore_tx_changed(r->tx, change);
    } else {
        error = change_now(r->xs, r->c->domid, change);
    }
    answer_done(r->c, error);
}

static void do_write(const struct request *r)
{
    u32 name_bytes = (u32)strlen(r->c->payload) + 1;
    struct xenstore_change change = {.type = XS_WRITE, .data = r->c->payload + name_bytes};

    if (name_bytes > r->c->in.len) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    change.count = r->c->in.len - name_bytes;
    do_change(r, r->c->payload, &change);
}

static void do_named_change(const struct request *r)
{
    struct xenstore_change change = {.type = r->c->in.type, .data = ""};
    const char *name;

    if (texts(r->c, &name, 1))
        do_change(r, name, &change);
    else
        answer_error(r->c, -XEN_EINVAL);
}

static bool parse_perm(const char *text, struct store_perm *out)
{
    const char *letter = *text ? strchr("nrwb", *text) : NULL;
    u32 domid;

    if (!letter || !parse_number(text + 1, UINT16_MAX, &domid))
        return false;
    out->domid = (u16)domid;
    out->mode = (u16)(letter - strchr("nrwb", 'n'));
    return true;
}

static void do_set_perms(const struct request *r)
{
    struct store_perm perms[STORE_MAX_PERMS];
    struct xenstore_change change = {.type = XS_SET_PERMS, .data = perms};
    u32 at = (u32)strlen(r->c->payload) + 1;

    for (; at < r->c->in.len; at += (u32)strlen(r->c->payload + at) + 1) {
        if (change.count == STORE_MAX_PERMS) {
            answer_error(r->c, -XEN_ENOSPC);
            return;
        }
        if (!parse_perm(r->c->payload + at, &perms[change.count++])) {
            answer_error(r->c, -XEN_EINVAL);
            return;
        }
    }
    if (at != r->c->in.len || !change.count) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    do_change(r, r->c->payload, &change);
}

/* ---- watches and transactions ---- */

static void do_watch(const struct request *r)
{
    bool add = r->c->in.type == XS_WATCH;
    char path[STORE_PATH_BYTES];
    const char *text[2];
    u32 prefix_bytes = 0;
    int error;

    if (!texts(r->c, text, 2)) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    if (!strcmp(text[0], "@introduceDomain") || !strcmp(text[0], "@releaseDomain")) {
        memcpy(path, text[0], strlen(text[0]) + 1);
    } else if (!absolute(r->c, text[0], path, &prefix_bytes)) {
        answer_error(r->c, -XEN_EINVAL);
        return;
    }
    error = add ? xenstore_watch_add(r->c, path, prefix_bytes, text[1])
                : xenstore_watch_remove(r->c, path, text[1]);
    answer_done(r->c, error);
    /* A new watch fires once, so that nothing is missed between a look and the watch. */
    if (add && !error)
        xenstore_send_event(r->c, text[0], text[1]);
}

static void do_reset_watches(const struct request *r)
{
    xenstore_watch_remove_all(r->c);
    while (r->c->transactions)
        xenstore_tx_end(r->xs, r->c, r->c->transactions->id, false);
    answer_done(r->c, 0);
}

static void do_tx_start(const struct request *r)
{
    char text[16];
    u32 id;
    int error = r->c->in.tx_id ? -XEN_EBUSY : xenstore_tx_start(r->xs, r->c, &id);

    if (error)
        answer_error(r->c, error);
    else
        answer(r->c, text, (u32)print_to(text, sizeof text, "%u", id) + 1);
}

static void do_tx_end(const struct request *r)
{
    const char *text;

    if (!texts(r->c, &text, 1) || (strcmp(text, "T") && strcmp(text, "F")))
        answer_error(r->c, -XEN_EINVAL);
    else
        answer_done(r->c, xenstore_tx_end(r->xs, r->c, r->c->in.tx_id, *text == 'T'));
}

/* ---- dispatch ---- */

static void do_privileged(const struct request *r)
{
    answer_error(r->c, -XEN_EACCES);
}

static const struct {
    void (*handle)(const struct request *r);
    bool in_tx; /* looks at the transaction that the request names */
} requests[XS_TYPE_COUNT] = {
    [XS_CONTROL] = {do_privileged, false},
    [XS_DIRECTORY] = {do_directory, true},
    [XS_READ] = {do_read, true},
    [XS_GET_PERMS] = {do_get_perms, true},
    [XS_WATCH] = {do_watch, false},
    [XS_UNWATCH] = {do_watch, false},
    [XS_TRANSACTION_START] = {do_tx_start, false},
    [XS_TRANSACTION_END] = {do_tx_end, false},
    [XS_INTRODUCE] = {do_privileged, false},
    [XS_RELEASE] = {do_privileged, false},
    [XS_GET_DOMAIN_PATH] = {do_domain_path, false},
    [XS_WRITE] = {do_write, true},
    [XS_MKDIR] = {do_named_change, true},
    [XS_RM] = {do_named_change, true},
    [XS_SET_PERMS] = {do_set_perms, true},
    [XS_IS_DOMAIN_INTRODUCED] = {do_is_introduced, false},
    [XS_RESUME] = {do_privileged, false},
    [XS_SET_TARGET] = {do_privileged, false},
    [XS_RESET_WATCHES] = {do_reset_watches, false},
    [XS_DIRECTORY_PART] = {do_directory_part, true},
};

void xenstore_request(struct xenstore *xs, struct xenstore_connection *c)
{
    struct request r = {xs, c, NULL, &xs->tree};
    u32 type = c->in.type;

    if (type >= XS_TYPE_COUNT || !requests[type].handle) {
        answer_error(c, -XEN_ENOSYS);
        return;
    }
    if (requests[type].in_tx && c->in.tx_id) {
        r.tx = xenstore_tx_find(c, c->in.tx_id);
        if (!r.tx) {
            answer_error(c, -XEN_ENOENT);
            return;
        }
        r.tree = &r.tx->tree;
    }
    requests[type].handle(&r);
}

/* ---- domain 0's own access ---- */

int xenstore_init(struct xenstore *xs)
{
    int error;

    *xs = (struct xenstore){0};
    error = store_init(&xs->tree, &xs->clock);
    if (!error)
        error = store_mkdir(&xs->tree, 0, "/local/domain");
    if (!error)
        error = store_mkdir(&xs->tree, 0, "/tool/xenstored");
    return error;
}

int xenstore_write(struct xenstore *xs, const char *path, const char *value)
{
    struct xenstore_change change = {XS_WRITE, (char *)path, value, (u32)strlen(value)};

    return store_path_check(path) ? change_now(xs, 0, &change) : -XEN_EINVAL;
}

int xenstore_remove(struct xenstore *xs, const char *path)
{
    struct xenstore_change change = {XS_RM, (char *)path, "", 0};

    return store_path_check(path) ? change_now(xs, 0, &change) : -XEN_EINVAL;
}

int xenstore_set_perms(struct xenstore *xs, const char *path, const struct store_perm *perms,
                       u32 count)
{
    struct xenstore_change change = {XS_SET_PERMS, (char *)path, perms, count};

    return store_path_check(path) ? change_now(xs, 0, &change) : -XEN_EINVAL;
}

int xenstore_read(const struct xenstore *xs, const char *path, char *value, size_t size_bytes)
{
    const struct store_node *node = store_path_check(path) ? store_lookup(&xs->tree, path) : NULL;
    size_t n;

    if (!node)
        return -XEN_ENOENT;
    n = node->value_bytes < size_bytes ? node->value_bytes : size_bytes - 1;
    memcpy(value, node->value, n);
    value[n] = '\0';
    return 0;
}
