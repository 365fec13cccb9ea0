/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/xenbus.h"

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#include <xen/io/xs_wire.h>

/* Watch events that nobody has asked for yet: only their tokens are kept. */
#define KEPT_EVENTS 64u

static volatile struct xenstore_domain_interface *ring;
static void (*wait_hook)(void);
static u32 next_request;

static struct xsd_sockmsg message;
static char payload[XENSTORE_PAYLOAD_MAX + 1];

static char kept[KEPT_EVENTS][XENBUS_TOKEN_BYTES];
static u32 kept_read, kept_written; /* free-running */

static void notify(void)
{
    event_send(xenbus_port());
}

static void wait(void)
{
    if (wait_hook)
        wait_hook();
    else
        hypercall_sched_op(SCHEDOP_yield, NULL);
}

u32 xenbus_port(void)
{
    return start_info->store_evtchn;
}

int xenbus_init(void (*wait_function)(void))
{
    if (runtime_is_dom0() || !start_info->store_mfn)
        return -XEN_ENODEV;
    ring = memory_mfn_to_virt(start_info->store_mfn);
    wait_hook = wait_function;
    return 0;
}

static void write_bytes(const void *from, u32 size_bytes)
{
    const char *bytes = from;

    while (size_bytes) {
        u32 prod = ring->req_prod, room = XENSTORE_RING_SIZE - (prod - ring->req_cons);

        if (!room) {
            wait();
            continue;
        }
        for (; room && size_bytes; room--, size_bytes--)
            ring->req[MASK_XENSTORE_IDX(prod++)] = *bytes++;
        __sync_synchronize();
        ring->req_prod = prod;
        notify();
    }
}

static void read_bytes(void *to, u32 size_bytes)
{
    char *bytes = to;

    while (size_bytes) {
        u32 cons = ring->rsp_cons, filled = ring->rsp_prod - cons;

        if (!filled) {
            wait();
            continue;
        }
        __sync_synchronize();
        for (; filled && size_bytes; filled--, size_bytes--)
            *bytes++ = ring->rsp[MASK_XENSTORE_IDX(cons++)];
        __sync_synchronize();
        ring->rsp_cons = cons;
        notify();
    }
}

/* One whole message into `message` and `payload`. */
static void read_message(void)
{
    read_bytes(&message, sizeof message);
    if (message.len > XENSTORE_PAYLOAD_MAX)
        panic("the store sent a message of %u bytes", message.len);
    read_bytes(payload, message.len);
    payload[message.len] = '\0';
}

static void keep_event(void)
{
    size_t path_bytes = strlen(payload) + 1;
    const char *token = path_bytes < message.len ? payload + path_bytes : "";

    /* The same token once more says nothing new. */
    for (u32 i = kept_read; i != kept_written; i++)
        if (!strcmp(kept[i % KEPT_EVENTS], token))
            return;
    if (kept_written - kept_read == KEPT_EVENTS)
        panic("too many watch events were left lying about");
    print_to(kept[kept_written++ % KEPT_EVENTS], XENBUS_TOKEN_BYTES, "%s", token);
}

bool xenbus_next_event(char *token)
{
    while (kept_read == kept_written && ring->rsp_cons != ring->rsp_prod) {
        read_message();
        if (message.type == XS_WATCH_EVENT)
            keep_event();
    }
    if (kept_read == kept_written)
        return false;
    memcpy(token, kept[kept_read++ % KEPT_EVENTS], XENBUS_TOKEN_BYTES);
    return true;
}

static int error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
        {"EINVAL", XEN_EINVAL}, {"EACCES", XEN_EACCES}, {"EEXIST", XEN_EEXIST},
        {"ENOENT", XEN_ENOENT}, {"ENOMEM", XEN_ENOMEM}, {"ENOSPC", XEN_ENOSPC},
        {"ENOSYS", XEN_ENOSYS}, {"EBUSY", XEN_EBUSY},   {"EAGAIN", XEN_EAGAIN},
        {"E2BIG", XEN_E2BIG},   {"EPERM", XEN_EPERM},
    };

    for (u32 i = 0; i < ARRAY_SIZE(errors); i++)
        if (!strcmp(errors[i].name, name))
            return -errors[i].number;
    return -XEN_EIO;
}

int xenbus_request(u32 type, u32 tx, const void *body, u32 size_bytes, void *answer, u32 max_bytes,
                   u32 *answer_bytes)
{
    struct xsd_sockmsg header = {type, ++next_request, tx, size_bytes};

    if (!ring)
        return -XEN_ENODEV;
    if (size_bytes > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    write_bytes(&header, sizeof header);
    write_bytes(body, size_bytes);
    for (;;) {
        read_message();
        if (message.type == XS_WATCH_EVENT)
            keep_event();
        else if (message.req_id == header.req_id)
            break;
    }
    if (message.type == XS_ERROR)
        return error_number(payload);
    if (answer_bytes)
        *answer_bytes = message.len;
    if (max_bytes)
        memcpy(answer, payload, message.len < max_bytes ? message.len : max_bytes);
    return 0;
}

/* A request whose payload is one text or two; @last_zero: the second one ends in a zero byte. */
static int texts(u32 type, u32 tx, const char *one, const char *two, bool last_zero)
{
    char body[XENSTORE_PAYLOAD_MAX];
    size_t n = strlen(one) + 1, m = two ? strlen(two) + last_zero : 0;

    if (n + m > sizeof body)
        return -XEN_E2BIG;
    memcpy(body, one, n);
    if (two)
        memcpy(body + n, two, m);
    return xenbus_request(type, tx, body, (u32)(n + m), NULL, 0, NULL);
}

int xenbus_read(u32 tx, const char *path, char *value, size_t size_bytes)
{
    u32 n;
    int error = xenbus_request(XS_READ, tx, path, (u32)strlen(path) + 1, value,
                               (u32)size_bytes - 1, &n);

    if (!error)
        value[n < size_bytes ? n : size_bytes - 1] = '\0';
    return error;
}

int xenbus_write(u32 tx, const char *path, const char *value)
{
    return texts(XS_WRITE, tx, path, value, false);
}

int xenbus_remove(u32 tx, const char *path)
{
    return texts(XS_RM, tx, path, NULL, false);
}

int xenbus_set_perms(u32 tx, const char *path, const char *const *perms)
{
    char body[XENSTORE_REL_PATH_MAX];
    size_t n = strlen(path) + 1;

    if (n + 32 > sizeof body)
        return -XEN_E2BIG;
    memcpy(body, path, n);
    for (; *perms && n + 8 <= sizeof body; perms++)
        n += print_to(body + n, 8, "%s", *perms) + 1;
    return xenbus_request(XS_SET_PERMS, tx, body, (u32)n, NULL, 0, NULL);
}

int xenbus_watch(const char *path, const char *token)
{
    return texts(XS_WATCH, 0, path, token, true);
}

int xenbus_unwatch(const char *path, const char *token)
{
    return texts(XS_UNWATCH, 0, path, token, true);
}

int xenbus_transaction_start(u32 *tx)
{
    char text[16] = "";
    int error = xenbus_request(XS_TRANSACTION_START, 0, "", 1, text, sizeof text - 1, NULL);
    u64 id = 0;

    for (u32 i = 0; text[i] >= '0' && text[i] <= '9'; i++)
        id = id * 10 + (u64)(text[i] - '0');
    *tx = (u32)id;
    return error;
}

int xenbus_transaction_end(u32 tx, bool commit)
{
    return texts(XS_TRANSACTION_END, tx, commit ? "T" : "F", NULL, false);
}
