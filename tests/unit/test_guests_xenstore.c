/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "guests/dom0/xenstore.h"
#include "guests/lib/errno.h"
#include "sim/base/rng.h"
#include "tests/unit/guest_host.h"

/* A domain at the other end of its ring. */
struct client {
    struct xenstore_domain_interface ring;
    struct xenstore_connection *connection;
    u16 domid;
};

/* The answer that came last. */
static struct {
    struct xsd_sockmsg header;
    char body[XENSTORE_PAYLOAD_MAX + 1];
} answer;

static struct xenstore xs;
static struct client one, two;

static void connect_client(struct client *c, u16 domid)
{
    struct store_perm perms[] = {{domid, 0}};
    char path[32];

    memset(&c->ring, 0, sizeof c->ring);
    c->domid = domid;
    snprintf(path, sizeof path, "/local/domain/%u", domid);
    cr_assert_eq(xenstore_write(&xs, path, ""), 0);
    cr_assert_eq(xenstore_set_perms(&xs, path, perms, 1), 0);
    c->connection = xenstore_connect(&xs, domid, &c->ring);
    cr_assert_not_null(c->connection);
}

static void set_up(void)
{
    cr_assert_eq(xenstore_init(&xs), 0);
    connect_client(&one, 1);
    connect_client(&two, 2);
}

TestSuite(guests_xenstore, .init = set_up);

static void service(struct client *c)
{
    bool again = true;

    while (again)
        xenstore_service(&xs, c->connection, &again);
}

static u32 take(struct client *c, void *to, u32 want)
{
    u32 n = 0;

    while (n < want) {
        if (c->ring.rsp_cons == c->ring.rsp_prod) {
            service(c);
            if (c->ring.rsp_cons == c->ring.rsp_prod)
                break;
        }
        ((char *)to)[n++] = c->ring.rsp[MASK_XENSTORE_IDX(c->ring.rsp_cons++)];
    }
    return n;
}

/* The next message that comes out; false: there is none. */
static bool receive(struct client *c)
{
    if (take(c, &answer.header, sizeof answer.header) != sizeof answer.header)
        return false;
    cr_assert_leq(answer.header.len, XENSTORE_PAYLOAD_MAX);
    cr_assert_eq(take(c, answer.body, answer.header.len), answer.header.len);
    answer.body[answer.header.len] = '\0';
    return true;
}

static void put(struct client *c, const void *from, u32 size_bytes)
{
    for (u32 i = 0; i < size_bytes; i++) {
        if (c->ring.req_prod - c->ring.req_cons == XENSTORE_RING_SIZE)
            service(c);
        cr_assert_lt(c->ring.req_prod - c->ring.req_cons, (u32)XENSTORE_RING_SIZE);
        c->ring.req[MASK_XENSTORE_IDX(c->ring.req_prod++)] = ((const char *)from)[i];
    }
}

static void send(struct client *c, u32 type, u32 tx, const void *body, u32 size_bytes)
{
    struct xsd_sockmsg header = {type, 4711, tx, size_bytes};

    put(c, &header, sizeof header);
    put(c, body, size_bytes);
}

/* Events that came before an answer. */
static struct {
    struct client *client;
    char body[128];
} early[256];
static u32 early_first, early_count;

static void keep_early(struct client *c)
{
    cr_assert_lt(early_count, ARRAY_SIZE(early));
    early[early_count].client = c;
    cr_assert_leq(answer.header.len, sizeof early[0].body);
    memcpy(early[early_count++].body, answer.body, answer.header.len);
}

/* A request and its answer; events that come first are kept.  0, or the error by its name. */
static const char *ask(struct client *c, u32 type, u32 tx, const void *body, u32 size_bytes)
{
    send(c, type, tx, body, size_bytes);
    for (;;) {
        cr_assert(receive(c), "no answer to a request of type %u", type);
        if (answer.header.type != XS_WATCH_EVENT)
            break;
        keep_early(c);
    }
    cr_assert_eq(answer.header.req_id, 4711);
    cr_assert_eq(answer.header.tx_id, tx);
    if (answer.header.type == XS_ERROR)
        return answer.body;
    cr_assert_eq(answer.header.type, type);
    return NULL;
}

/* Body: one text, with its zero byte. */
#define ASK(c, type, tx, text) ask(c, type, tx, text, sizeof(text))
/* Body: without the last zero byte, as XS_WRITE wants it. */
#define WRITE(c, tx, text) ask(c, XS_WRITE, tx, text, sizeof(text) - 1)

#define GOOD(expression)                                                                           \
    do {                                                                                           \
        const char *error_ = (expression);                                                         \
        cr_assert_null(error_, "%s: %s", #expression, error_);                                     \
    } while (0)
#define BAD(expression, name)                                                                      \
    do {                                                                                           \
        const char *error_ = (expression);                                                         \
        cr_assert_not_null(error_, "%s worked", #expression);                                      \
        cr_assert_str_eq(error_, name, "%s: %s", #expression, error_);                             \
    } while (0)

static void expect_event(struct client *c, const char *path, const char *token)
{
    if (early_first < early_count && early[early_first].client == c) {
        memcpy(answer.body, early[early_first++].body, sizeof early[0].body);
        answer.header.type = XS_WATCH_EVENT;
    } else {
        cr_assert(receive(c), "no event for %s", path);
    }
    cr_assert_eq(answer.header.type, XS_WATCH_EVENT, "type %u", answer.header.type);
    cr_assert_str_eq(answer.body, path);
    cr_assert_str_eq(answer.body + strlen(path) + 1, token);
}

static void expect_no_event(struct client *c)
{
    cr_assert_eq(early_first, early_count, "an event: %s", early[early_first].body);
    cr_assert_not(receive(c), "type %u: %s", answer.header.type, answer.body);
}

static u32 begin(struct client *c)
{
    u32 tx = 0;

    GOOD(ask(c, XS_TRANSACTION_START, 0, "", 1));
    cr_assert_eq(sscanf(answer.body, "%u", &tx), 1);
    return tx;
}

Test(guests_xenstore, values_are_written_and_read)
{
    GOOD(WRITE(&one, 0, "data/x\0hello"));
    GOOD(ASK(&one, XS_READ, 0, "data/x"));
    cr_assert_eq(answer.header.len, 5);
    cr_assert_str_eq(answer.body, "hello");
    /* Relative paths are the domain's own. */
    GOOD(ASK(&one, XS_READ, 0, "/local/domain/1/data/x"));
    BAD(ASK(&one, XS_READ, 0, "data/y"), "ENOENT");
    BAD(ASK(&two, XS_READ, 0, "/local/domain/1/data/x"), "EACCES");
    GOOD(ASK(&one, XS_DIRECTORY, 0, "/local/domain/1"));
    cr_assert_eq(answer.header.len, sizeof "data");
    cr_assert_str_eq(answer.body, "data");
}

Test(guests_xenstore, what_is_no_request_is_answered_with_an_error)
{
    BAD(ask(&one, XS_READ, 0, "data", 4), "EINVAL"); /* no zero byte */
    BAD(ask(&one, XS_READ, 0, "", 0), "EINVAL");
    BAD(ask(&one, XS_READ, 0, "a\0b", 4), "EINVAL");
    BAD(ASK(&one, XS_READ, 0, "a b"), "EINVAL");
    BAD(ask(&one, XS_WRITE, 0, "data", 4), "EINVAL");
    BAD(ASK(&one, XS_READ, 99, "data"), "ENOENT"); /* no such transaction */
    BAD(ASK(&one, 99, 0, "data"), "ENOSYS");
    BAD(ASK(&one, XS_CONTROL, 0, "help"), "EACCES");
    BAD(ASK(&one, XS_INTRODUCE, 0, "3\0001\0002"), "EACCES");
    BAD(ASK(&one, XS_TRANSACTION_END, 7, "T"), "ENOENT");
    BAD(ASK(&one, XS_SET_PERMS, 0, "data"), "EINVAL");
    BAD(ASK(&one, XS_UNWATCH, 0, "data\0t"), "ENOENT");
}

Test(guests_xenstore, permissions_travel_as_text)
{
    GOOD(WRITE(&one, 0, "data\0x"));
    GOOD(ASK(&one, XS_SET_PERMS, 0, "data\0n1\0r2\0b3"));
    GOOD(ASK(&one, XS_GET_PERMS, 0, "data"));
    cr_assert_eq(answer.header.len, 9);
    cr_assert(!memcmp(answer.body, "n1\0r2\0b3", 9));
    GOOD(ASK(&two, XS_READ, 0, "/local/domain/1/data"));
    BAD(WRITE(&two, 0, "/local/domain/1/data\0y"), "EACCES");
    BAD(ASK(&one, XS_SET_PERMS, 0, "data\0x1"), "EINVAL");
    BAD(ASK(&one, XS_SET_PERMS, 0, "data\0n65536"), "EINVAL");
    BAD(ASK(&one, XS_SET_PERMS, 0, "data\0n2"), "EPERM");
}

Test(guests_xenstore, a_watch_tells_of_itself_and_of_changes)
{
    GOOD(ASK(&one, XS_WATCH, 0, "data\0token"));
    expect_event(&one, "data", "token");
    BAD(ASK(&one, XS_WATCH, 0, "data\0token"), "EEXIST");
    GOOD(WRITE(&one, 0, "data/x\0001"));
    expect_event(&one, "data/x", "token");
    xenstore_write(&xs, "/local/domain/1/data", "from domain 0");
    expect_event(&one, "data", "token");
    GOOD(WRITE(&one, 0, "other\0001"));
    expect_no_event(&one);
    /* Below what was removed. */
    GOOD(ASK(&one, XS_WATCH, 0, "/local/domain/1/data/x\0deep"));
    expect_event(&one, "/local/domain/1/data/x", "deep");
    GOOD(ASK(&one, XS_RM, 0, "data"));
    expect_event(&one, "data", "token");
    expect_event(&one, "/local/domain/1/data/x", "deep");
    GOOD(ASK(&one, XS_UNWATCH, 0, "data\0token"));
    GOOD(WRITE(&one, 0, "data\0again"));
    expect_no_event(&one);
}

Test(guests_xenstore, nobody_is_told_of_what_he_may_not_read)
{
    GOOD(ASK(&two, XS_WATCH, 0, "/local/domain/1\0t"));
    expect_event(&two, "/local/domain/1", "t");
    GOOD(WRITE(&one, 0, "data\0secret"));
    expect_no_event(&two);
    GOOD(ASK(&one, XS_SET_PERMS, 0, "data\0n1\0r2"));
    expect_event(&two, "/local/domain/1/data", "t");
    xenstore_fire_special(&xs, "@releaseDomain");
    expect_no_event(&two);
}

Test(guests_xenstore, equal_events_that_wait_are_one)
{
    GOOD(ASK(&one, XS_WATCH, 0, "data\0t"));
    expect_event(&one, "data", "t");
    for (int i = 0; i < 100; i++)
        xenstore_write(&xs, "/local/domain/1/data", "x");
    expect_event(&one, "data", "t");
    expect_no_event(&one);
}

Test(guests_xenstore, a_transaction_is_seen_when_it_is_committed)
{
    u32 tx = begin(&one);

    GOOD(WRITE(&one, tx, "data/x\0new"));
    GOOD(ASK(&one, XS_READ, tx, "data/x"));
    BAD(ASK(&one, XS_READ, 0, "data/x"), "ENOENT");
    GOOD(ASK(&one, XS_TRANSACTION_END, tx, "T"));
    GOOD(ASK(&one, XS_READ, 0, "data/x"));
    tx = begin(&one);
    GOOD(WRITE(&one, tx, "data/x\0newer"));
    GOOD(ASK(&one, XS_TRANSACTION_END, tx, "F"));
    GOOD(ASK(&one, XS_READ, 0, "data/x"));
    cr_assert_str_eq(answer.body, "new");
    BAD(ASK(&one, XS_TRANSACTION_END, tx, "T"), "ENOENT");
}

Test(guests_xenstore, a_transaction_that_saw_what_has_changed_fails)
{
    u32 tx;

    GOOD(WRITE(&one, 0, "data/x\0001"));
    tx = begin(&one);
    GOOD(ASK(&one, XS_READ, tx, "data/x"));
    GOOD(WRITE(&one, tx, "data/y\0002"));
    xenstore_write(&xs, "/local/domain/1/data/x", "3");
    /* Still as it was, inside. */
    GOOD(ASK(&one, XS_READ, tx, "data/x"));
    cr_assert_str_eq(answer.body, "1");
    BAD(ASK(&one, XS_TRANSACTION_END, tx, "T"), "EAGAIN");
    BAD(ASK(&one, XS_READ, 0, "data/y"), "ENOENT");
}

Test(guests_xenstore, transactions_on_different_nodes_do_not_meet)
{
    u32 tx = begin(&one), other = begin(&one);

    GOOD(WRITE(&one, tx, "data/x\0001"));
    GOOD(WRITE(&one, other, "data/y\0002"));
    GOOD(ASK(&one, XS_TRANSACTION_END, tx, "T"));
    GOOD(ASK(&one, XS_TRANSACTION_END, other, "T"));
    GOOD(ASK(&one, XS_READ, 0, "data/x"));
    GOOD(ASK(&one, XS_READ, 0, "data/y"));
}

Test(guests_xenstore, a_transaction_does_not_bring_back_what_was_removed)
{
    u32 tx;

    GOOD(WRITE(&one, 0, "data/dir\0"));
    tx = begin(&one);
    GOOD(WRITE(&one, tx, "data/dir/x\0001"));
    xenstore_remove(&xs, "/local/domain/1/data/dir");
    BAD(ASK(&one, XS_TRANSACTION_END, tx, "T"), "EAGAIN");
    BAD(ASK(&one, XS_READ, 0, "data/dir"), "ENOENT");
}

Test(guests_xenstore, a_domain_has_limits)
{
    char body[64];

    for (u32 i = 0; i < XENSTORE_MAX_TRANSACTIONS; i++)
        begin(&one);
    BAD(ask(&one, XS_TRANSACTION_START, 0, "", 1), "ENOSPC");
    for (u32 i = 0; i < XENSTORE_MAX_WATCHES; i++) {
        int n = snprintf(body, sizeof body, "data%c%u", 0, i);

        GOOD(ask(&one, XS_WATCH, 0, body, (u32)n + 1));
    }
    BAD(ASK(&one, XS_WATCH, 0, "data\0more"), "E2BIG");
    GOOD(ask(&one, XS_RESET_WATCHES, 0, "", 1));
    GOOD(ASK(&one, XS_WATCH, 0, "data\0more"));
    begin(&one);
}

Test(guests_xenstore, a_long_list_comes_in_parts)
{
    char path[64], list[XENSTORE_PAYLOAD_MAX * 2];
    u32 at = 0, names = 0;

    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "/local/domain/1/many/a-rather-long-name-%03d", i);
        cr_assert_eq(xenstore_write(&xs, path, ""), 0);
    }
    BAD(ASK(&one, XS_DIRECTORY, 0, "many"), "E2BIG");
    for (;;) {
        char body[32];
        int n = snprintf(body, sizeof body, "many%c%u", 0, at);
        u32 start, bytes;

        GOOD(ask(&one, XS_DIRECTORY_PART, 0, body, (u32)n + 1));
        start = (u32)strlen(answer.body) + 1;
        bytes = answer.header.len - start;
        memcpy(list + at, answer.body + start, bytes);
        at += bytes;
        if (bytes >= 2 && !answer.body[answer.header.len - 2])
            break;
    }
    for (u32 i = 0; list[i]; i += (u32)strlen(list + i) + 1)
        names++;
    cr_assert_eq(names, 300, "%u names", names);
}

Test(guests_xenstore, a_broken_ring_ends_its_own_connection_only)
{
    bool again;

    one.ring.req_prod = one.ring.req_cons + XENSTORE_RING_SIZE + 1;
    cr_assert(xenstore_service(&xs, one.connection, &again));
    cr_assert_eq(one.ring.error, XENSTORE_ERROR_RINGIDX);
    cr_assert_eq(xenstore_error(one.connection), XENSTORE_ERROR_RINGIDX);
    cr_assert_not(xenstore_service(&xs, one.connection, &again));
    GOOD(WRITE(&two, 0, "data\0still here"));
}

Test(guests_xenstore, a_message_that_is_too_long_ends_the_connection)
{
    struct xsd_sockmsg header = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};

    put(&one, &header, sizeof header);
    service(&one);
    cr_assert_eq(xenstore_error(one.connection), XENSTORE_ERROR_PROTO);
}

Test(guests_xenstore, a_domain_that_never_reads_is_given_up)
{
    char path[64];

    GOOD(ASK(&one, XS_WATCH, 0, "data\0t"));
    for (u32 i = 0; i < 4 * XENSTORE_MAX_EVENTS && !xenstore_error(one.connection); i++) {
        snprintf(path, sizeof path, "/local/domain/1/data/%u", i);
        cr_assert_eq(xenstore_write(&xs, path, ""), 0);
    }
    cr_assert_eq(xenstore_error(one.connection), XENSTORE_ERROR_COMM);
}

static u32 random_text(struct base_rng *rng, char *to)
{
    static const char *const parts[] = {"data",  "/",  "/local/domain/1/data", "x",  "/x", "/y/z",
                                        "token", "T",  "F",                    "n1", "r2", "b0",
                                        "@releaseDomain", "0", "1", "..", "\xff"};
    u32 n = 0;

    for (u32 i = 0, count = (u32)(base_rng_next(rng) % 4); i <= count; i++) {
        const char *part = parts[base_rng_next(rng) % ARRAY_SIZE(parts)];

        n += (u32)sprintf(to + n, "%s", part);
        if (base_rng_next(rng) % 2)
            to[n++] = '\0';
    }
    return n;
}

Test(guests_xenstore, random_requests_do_no_harm_and_leave_nothing)
{
    struct base_rng rng;
    char body[256];

    base_rng_init(&rng, 20, 0);
    for (int i = 0; i < 30000; i++) {
        struct client *c = base_rng_next(&rng) % 2 ? &one : &two;

        send(c, (u32)(base_rng_next(&rng) % (XS_TYPE_COUNT + 2)),
             (u32)(base_rng_next(&rng) % 3 ? 0 : base_rng_next(&rng) % 12), body,
             random_text(&rng, body));
        if (base_rng_next(&rng) % 3)
            while (receive(c))
                ;
        if (xenstore_error(c->connection)) {
            xenstore_disconnect(&xs, c->connection);
            xenstore_remove(&xs, c == &one ? "/local/domain/1" : "/local/domain/2");
            connect_client(c, c->domid);
        }
    }
    xenstore_disconnect(&xs, one.connection);
    xenstore_disconnect(&xs, two.connection);
    store_fini(&xs.tree);
    cr_assert_eq(heap_used_bytes(), 0, "%zu bytes are left", heap_used_bytes());
}
