/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that wait: for domains, for time, for what is typed.
 */
#include "guests/dom0/commands_internal.h"

#include "guests/dom0/control.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/dom0/words.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/string.h"

#define SECOND_NS 1000000000ul
#define DETACH    0x1d /* Ctrl-] */

/* ---- waiting ---- */

/* The deadline in word @index, seconds; none if there is no such word. */
static bool wait_deadline(char **words, u32 count, u32 index, u64 *deadline_ns)
{
    u64 seconds;

    *deadline_ns = PUMP_FOR_EVER;
    if (index >= count)
        return true;
    if (!words_parse_count(words[index], 1000000, &seconds))
        return shell_fail("%s: %s is no number of seconds", words[0], words[index]);
    *deadline_ns = clock_system_ns() + seconds * SECOND_NS;
    return true;
}

static bool wait_result(const char *command, const char *name, enum pump_end end)
{
    if (end == PUMP_DONE)
        return true;
    return shell_fail("%s %s: %s", command, name, end == PUMP_TIMEOUT ? "it takes too long"
                                                                       : "interrupted");
}

static bool has_ended(void *arg)
{
    struct domain *d = domain_find(((struct wait *)arg)->name);

    return !d || d->ended;
}

/* Wait for the end of a domain, say how it ended, and clear it away. */
bool command_wait(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    struct wait wait = {0};
    u64 deadline_ns;

    if (!d || !wait_deadline(words, count, 2, &deadline_ns))
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    if (!wait_result("wait", d->name, pump_until(has_ended, &wait, deadline_ns)))
        return false;
    print("%s: ended: %s\n", d->name, commands_reason_name(d->end_reason));
    domain_destroy(d);
    return true;
}

static bool has_value(void *arg)
{
    struct wait *wait = arg;
    struct domain *d = domain_find(wait->name);
    char value[STORE_MAX_VALUE_BYTES];

    if (!d || d->ended)
        return true;
    return !xenstore_read(&domain_xenstore, domain_path(d, wait->key), value, sizeof value) &&
           !strcmp(value, wait->value);
}

bool command_until(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    struct wait wait = {.key = words[2], .value = words[3]};
    u64 deadline_ns;

    if (!d || !wait_deadline(words, count, 4, &deadline_ns))
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    if (!wait_result("until", d->name, pump_until(has_value, &wait, deadline_ns)))
        return false;
    return d->ended ? shell_fail("until %s: it has ended: %s", d->name, commands_reason_name(d->end_reason))
                    : true;
}

static u64 target_of(struct domain *d)
{
    const char *end;
    char text[24];
    u64 kib;

    if (xenstore_read(&domain_xenstore, domain_path(d, "memory/target"), text, sizeof text) ||
        !words_parse_u64(text, &kib, &end))
        return 0;
    return kib / 4;
}

static bool has_settled(void *arg)
{
    struct domain *d = domain_find(((struct wait *)arg)->name);
    domain_info_t info;

    return !d || d->ended || control_info(d->domid, &info) || info.tot_pages == target_of(d);
}

/* Memory changes without an event for us: look now and then. */
bool command_settle(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    struct wait wait = {0};
    enum pump_end end;
    u64 deadline_ns;

    if (!d || !wait_deadline(words, count, 2, &deadline_ns))
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    do {
        u64 look = clock_system_ns() + SECOND_NS / 100;

        end = pump_until(has_settled, &wait, look < deadline_ns ? look : deadline_ns);
    } while (end == PUMP_TIMEOUT && clock_system_ns() < deadline_ns);
    if (!wait_result("settle", d->name, end))
        return false;
    if (d->ended)
        return shell_fail("settle %s: it has ended: %s", d->name, commands_reason_name(d->end_reason));
    print("%s: %lu KiB\n", d->name, target_of(d) * 4);
    return true;
}

bool command_sleep(char **words, u32 count)
{
    u64 ms;

    (void)count;
    if (!words_parse_count(words[1], 1000000000, &ms))
        return shell_fail("sleep: %s is no number of milliseconds", words[1]);
    return pump_until(commands_never, NULL, clock_system_ns() + ms * 1000000) != PUMP_INTERRUPTED;
}

/* How late domain 0 gets the processor when it wants it: many short sleeps. */
bool command_lag(char **words, u32 count)
{
    u64 limit_ms, worst_ns = 0;

    (void)count;
    if (!words_parse_count(words[1], 1000000, &limit_ms))
        return shell_fail("lag: %s is no number of milliseconds", words[1]);
    for (u32 i = 0; i < 100; i++) {
        u64 due = clock_system_ns() + SECOND_NS / 1000, now;

        if (pump_until(commands_never, NULL, due) == PUMP_INTERRUPTED)
            return shell_fail("lag: interrupted");
        now = clock_system_ns();
        worst_ns = now - due > worst_ns ? now - due : worst_ns;
    }
    if (worst_ns > limit_ms * 1000000)
        return shell_fail("lag: %lu us, allowed are %lu ms", worst_ns / 1000, limit_ms);
    return true;
}

/* ---- the console of a domain ---- */

bool commands_attached_done(void *arg)
{
    struct domain *d = domain_find(((struct wait *)arg)->name);
    int c;

    if (!d || d->ended)
        return true;
    while ((c = pump_read()) >= 0) {
        char text = (char)c;

        if (c == DETACH)
            return true;
        if (console_type(&d->console, &text, 1))
            event_send((u32)d->console_port);
    }
    return false;
}

bool command_console(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    struct wait wait = {0};

    (void)count;
    if (!d)
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    print("console of %s; Ctrl-] comes back\n", d->name);
    console_end_line(&d->console);
    d->console.attached = true;
    /* Ctrl-C is for the domain here. */
    while (pump_until(commands_attached_done, &wait, PUMP_FOR_EVER) == PUMP_INTERRUPTED)
        ;
    d->console.attached = false;
    print("\n");
    return true;
}
