/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/store.h"

#include "guests/domu/task.h"
#include "guests/lib/console.h"
#include "guests/lib/errno.h"
#include "guests/lib/event.h"
#include "guests/lib/runtime.h"
#include "guests/lib/xenbus.h"

#define MAX_WATCHES 8u

static bool busy;            /* a thread is in the middle of a request */
static char moved_channel;   /* the ring has moved */
static void (*watchers[MAX_WATCHES])(void);
static u32 watch_count;

static void on_store(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    task_wake(&moved_channel);
}

static void wait_for_ring(void)
{
    task_sleep_on(&moved_channel, TASK_NEVER);
}

static void begin(void)
{
    while (busy)
        task_sleep_on(&busy, TASK_NEVER);
    busy = true;
}

static void end(void)
{
    busy = false;
    task_wake(&busy);
}

/* Tokens of our watches are one letter: 'a' and the number of the watcher. */
static void listen(void *arg)
{
    (void)arg;
    for (;;) {
        char token[XENBUS_TOKEN_BYTES];
        bool any;

        begin();
        any = xenbus_next_event(token);
        end();
        if (!any)
            task_sleep_on(&moved_channel, TASK_NEVER);
        else if ((u32)(token[0] - 'a') < watch_count)
            watchers[token[0] - 'a']();
    }
}

bool store_start(void)
{
    if (xenbus_init(wait_for_ring))
        return false;
    event_set_handler(xenbus_port(), on_store, NULL);
    event_unmask(xenbus_port());
    task_start_thread("store", listen, NULL);
    return true;
}

void store_watch(const char *path, void (*changed)(void))
{
    char token[2] = {(char)('a' + watch_count), '\0'};
    int error;

    ASSERT(watch_count < MAX_WATCHES);
    watchers[watch_count++] = changed;
    begin();
    error = xenbus_watch(path, token);
    end();
    if (error)
        print("watch of %s: error %d\n", path, error);
}

int store_read(const char *path, char *value, size_t size_bytes)
{
    int error;

    begin();
    error = xenbus_read(0, path, value, size_bytes);
    end();
    return error;
}

int store_write(const char *path, const char *value)
{
    int error;

    begin();
    error = xenbus_write(0, path, value);
    end();
    return error;
}

int store_share(const char *path, u16 domid)
{
    char owner[8], reader[8], self[8];
    const char *perms[] = {owner, reader, NULL};
    int error;

    begin();
    error = xenbus_read(0, "domid", self, sizeof self);
    print_to(owner, sizeof owner, "n%s", self);
    print_to(reader, sizeof reader, "r%u", domid);
    if (!error)
        error = xenbus_set_perms(0, path, perms);
    end();
    return error;
}

int store_take(const char *path, char *value, size_t size_bytes)
{
    int error;
    u32 tx;

    begin();
    do {
        error = xenbus_transaction_start(&tx);
        if (error)
            break;
        error = xenbus_read(tx, path, value, size_bytes);
        if (!error && value[0])
            error = xenbus_write(tx, path, "");
        if (error)
            xenbus_transaction_end(tx, false);
        else
            error = xenbus_transaction_end(tx, true);
    } while (error == -XEN_EAGAIN);
    end();
    return error;
}

u64 store_read_number(const char *path, u64 otherwise)
{
    char text[24];
    u64 value = 0;

    if (store_read(path, text, sizeof text) || !text[0])
        return otherwise;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9')
            return otherwise;
        value = value * 10 + (u64)(*at - '0');
    }
    return value;
}

int store_write_number(const char *path, u64 value)
{
    char text[24];

    print_to(text, sizeof text, "%lu", value);
    return store_write(path, text);
}
