/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport.  The ring belongs to the guest: indexes are read once, checked, and never trusted
 * again; only bytes that were copied out are looked at.
 */
#include "guests/dom0/xenstore_internal.h"

#include "guests/lib/errno.h"
#include "guests/lib/heap.h"
#include "guests/lib/string.h"

/* How much one call of xenstore_service() does, and how many answers may wait to be read. */
#define REQUESTS_AT_ONCE 16u
#define ANSWERS_WAITING  8u

#define HEADER_BYTES ((u32)sizeof(struct xsd_sockmsg))

static void give_up(struct xenstore_connection *c, u32 error)
{
    if (c->error)
        return;
    c->error = error;
    c->ring->error = error;
}

u32 xenstore_error(const struct xenstore_connection *connection)
{
    return connection->error;
}

bool xenstore_has_output(const struct xenstore_connection *connection)
{
    return connection->out_first && !connection->error;
}

static struct xenstore_message *message_new(u32 type, u32 req_id, u32 tx_id, u32 size_bytes)
{
    struct xsd_sockmsg header = {type, req_id, tx_id, size_bytes};
    struct xenstore_message *m = heap_alloc(sizeof *m + HEADER_BYTES + size_bytes);

    if (m) {
        m->size_bytes = HEADER_BYTES + size_bytes;
        memcpy(m->bytes, &header, HEADER_BYTES);
    }
    return m;
}

static void enqueue(struct xenstore_connection *c, struct xenstore_message *m)
{
    *(c->out_last ? &c->out_last->next : &c->out_first) = m;
    c->out_last = m;
    c->out_count++;
}

void xenstore_send(struct xenstore_connection *c, u32 type, u32 req_id, u32 tx_id,
                   const void *payload, u32 size_bytes)
{
    struct xenstore_message *m = message_new(type, req_id, tx_id, size_bytes);

    if (!m) {
        give_up(c, XENSTORE_ERROR_COMM);
        return;
    }
    memcpy(m->bytes + HEADER_BYTES, payload, size_bytes);
    enqueue(c, m);
}

void xenstore_send_event(struct xenstore_connection *c, const char *path, const char *token)
{
    size_t path_bytes = strlen(path) + 1, token_bytes = strlen(token) + 1;
    struct xenstore_message *m;

    if (c->error)
        return;
    if (path_bytes + token_bytes > XENSTORE_PAYLOAD_MAX || c->out_count >= XENSTORE_MAX_EVENTS) {
        give_up(c, XENSTORE_ERROR_COMM);
        return;
    }
    m = message_new(XS_WATCH_EVENT, 0, 0, (u32)(path_bytes + token_bytes));
    if (!m) {
        give_up(c, XENSTORE_ERROR_COMM);
        return;
    }
    memcpy(m->bytes + HEADER_BYTES, path, path_bytes);
    memcpy(m->bytes + HEADER_BYTES + path_bytes, token, token_bytes);
    /* The same event that the domain has not begun to read says it all. */
    for (struct xenstore_message *old = c->out_first; old; old = old->next)
        if (!old->sent_bytes && old->size_bytes == m->size_bytes &&
            !memcmp(old->bytes, m->bytes, m->size_bytes)) {
            heap_free(m);
            return;
        }
    enqueue(c, m);
}

struct xenstore_connection *xenstore_connect(struct xenstore *xs, u16 domid,
                                             struct xenstore_domain_interface *ring)
{
    struct xenstore_connection *c = heap_alloc(sizeof *c);

    if (!c)
        return NULL;
    c->domid = domid;
    c->ring = ring;
    ring->server_features = XENSTORE_SERVER_FEATURE_ERROR;
    ring->connection = XENSTORE_CONNECTED;
    ring->error = XENSTORE_ERROR_NONE;
    c->next = xs->connections;
    xs->connections = c;
    return c;
}

void xenstore_disconnect(struct xenstore *xs, struct xenstore_connection *connection)
{
    struct xenstore_connection **at = &xs->connections;

    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    while (connection->transactions)
        xenstore_tx_end(xs, connection, connection->transactions->id, false);
    xenstore_watch_remove_all(connection);
    while (connection->out_first) {
        struct xenstore_message *m = connection->out_first;

        connection->out_first = m->next;
        heap_free(m);
    }
    heap_free(connection);
}

/* Copy up to @want bytes from the request ring; how many there were. */
static u32 ring_read(struct xenstore_connection *c, void *to, u32 want)
{
    volatile struct xenstore_domain_interface *ring = c->ring;
    u32 cons = ring->req_cons, filled = ring->req_prod - cons, n;

    if (filled > XENSTORE_RING_SIZE) {
        give_up(c, XENSTORE_ERROR_RINGIDX);
        return 0;
    }
    n = want < filled ? want : filled;
    __sync_synchronize();
    for (u32 i = 0; i < n; i++)
        ((char *)to)[i] = ring->req[MASK_XENSTORE_IDX(cons + i)];
    __sync_synchronize();
    ring->req_cons = cons + n;
    return n;
}

static u32 ring_write(struct xenstore_connection *c, const void *from, u32 want)
{
    volatile struct xenstore_domain_interface *ring = c->ring;
    u32 prod = ring->rsp_prod, filled = prod - ring->rsp_cons, n;

    if (filled > XENSTORE_RING_SIZE) {
        give_up(c, XENSTORE_ERROR_RINGIDX);
        return 0;
    }
    n = want < XENSTORE_RING_SIZE - filled ? want : XENSTORE_RING_SIZE - filled;
    __sync_synchronize();
    for (u32 i = 0; i < n; i++)
        ring->rsp[MASK_XENSTORE_IDX(prod + i)] = ((const char *)from)[i];
    __sync_synchronize();
    ring->rsp_prod = prod + n;
    return n;
}

/* Whether a request is complete.  *@moved: whether bytes were taken. */
static bool read_request(struct xenstore_connection *c, bool *moved)
{
    u32 n;

    while (c->in_bytes < HEADER_BYTES) {
        n = ring_read(c, (u8 *)&c->in + c->in_bytes, HEADER_BYTES - c->in_bytes);
        if (!n)
            return false;
        c->in_bytes += n;
        *moved = true;
    }
    if (c->in.len > XENSTORE_PAYLOAD_MAX) {
        give_up(c, XENSTORE_ERROR_PROTO);
        return false;
    }
    while (c->in_bytes < HEADER_BYTES + c->in.len) {
        u32 have = c->in_bytes - HEADER_BYTES;

        n = ring_read(c, c->payload + have, c->in.len - have);
        if (!n)
            return false;
        c->in_bytes += n;
        *moved = true;
    }
    c->payload[c->in.len] = '\0';
    return true;
}

static bool write_messages(struct xenstore_connection *c)
{
    bool moved = false;

    while (c->out_first && !c->error) {
        struct xenstore_message *m = c->out_first;
        u32 n = ring_write(c, m->bytes + m->sent_bytes, m->size_bytes - m->sent_bytes);

        moved |= n > 0;
        m->sent_bytes += n;
        if (m->sent_bytes < m->size_bytes)
            break;
        c->out_first = m->next;
        if (!m->next)
            c->out_last = NULL;
        c->out_count--;
        heap_free(m);
    }
    return moved;
}

bool xenstore_service(struct xenstore *xs, struct xenstore_connection *c, bool *again)
{
    bool moved = false;
    u32 done = 0;

    *again = false;
    if (c->error)
        return false;
    moved |= write_messages(c);
    while (!c->error && c->out_count < ANSWERS_WAITING && read_request(c, &moved)) {
        xenstore_request(xs, c);
        xs->requests++;
        c->in_bytes = 0;
        moved |= write_messages(c);
        if (++done == REQUESTS_AT_ONCE) {
            *again = true;
            break;
        }
    }
    return moved || c->error;
}
