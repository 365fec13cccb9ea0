/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that make, control and end domains.
 */
#include "guests/dom0/commands_internal.h"

#include "guests/dom0/control.h"
#include "guests/dom0/cpio.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/dom0/words.h"
#include "guests/lib/console.h"
#include "guests/lib/string.h"

#define DEFAULT_PAGES (16ul << (20 - PAGE_SHIFT))

/* ---- creating ---- */

struct create {
    struct domain_config config;
    const char *kernel, *initrd;
    bool paused;
};

/* One `KEY=VALUE` of the command create. */
static bool create_option(struct create *c, char *word)
{
    char *value = strchr(word, '=');
    u64 number;

    if (!strcmp(word, "paused")) {
        c->paused = true;
        return true;
    }
    if (!value)
        return shell_fail("create: what is %s?", word);
    *value++ = '\0';
    if (!strcmp(word, "kernel")) {
        c->kernel = value;
    } else if (!strcmp(word, "initrd")) {
        c->initrd = value;
    } else if (!strcmp(word, "cmdline")) {
        c->config.cmdline = value;
    } else if (!strcmp(word, "mem")) {
        if (!words_parse_pages(value, &c->config.pages))
            return shell_fail("create: mem=%s is no size, such as 64M", value);
    } else if (!strcmp(word, "vcpus")) {
        if (!words_parse_count(value, XEN_LEGACY_MAX_VCPUS, &number) || !number)
            return shell_fail("create: vcpus=%s is not 1 to %d", value, XEN_LEGACY_MAX_VCPUS);
        c->config.vcpus = (u32)number;
    } else {
        return shell_fail("create: there is no option %s", word);
    }
    return true;
}

static bool name_is_good(const char *name)
{
    size_t n = 0;

    for (; name[n]; n++)
        if (!((name[n] >= 'a' && name[n] <= 'z') || (name[n] >= 'A' && name[n] <= 'Z') ||
              (n && ((name[n] >= '0' && name[n] <= '9') || name[n] == '-' || name[n] == '_'))))
            return false;
    return n && n < DOMAIN_NAME_BYTES;
}

static struct domain *create(struct create *c)
{
    struct cpio_file kernel, initrd;
    struct domain *d;
    const char *why;

    if (!name_is_good(c->config.name)) {
        shell_fail("create: %s is no name: a letter, then letters, digits, - and _", c->config.name);
        return NULL;
    }
    if (domain_find(c->config.name)) {
        shell_fail("create: there is a domain %s already", c->config.name);
        return NULL;
    }
    if (!commands_find_file(c->kernel, &kernel) || (c->initrd && !commands_find_file(c->initrd, &initrd)))
        return NULL;
    c->config.kernel = kernel.data;
    c->config.kernel_bytes = kernel.size_bytes;
    if (c->initrd) {
        c->config.initrd = initrd.data;
        c->config.initrd_bytes = initrd.size_bytes;
    }
    d = domain_create(&c->config, &why);
    if (!d)
        shell_fail("create: %s: %s", c->config.name, why);
    return d;
}

bool command_create(char **words, u32 count)
{
    struct create c = {
        .config = {.name = words[1], .cmdline = "", .pages = DEFAULT_PAGES, .vcpus = 1},
        .kernel = "domu.elf"};
    struct domain *d;

    for (u32 i = 2; i < count; i++)
        if (!create_option(&c, words[i]))
            return false;
    d = create(&c);
    if (!d)
        return false;
    print("%s: domain %u, %lu KiB, %u vCPU%s\n", d->name, d->domid, c.config.pages * 4, d->vcpus,
          d->vcpus == 1 ? "" : "s");
    return c.paused || !commands_call_failed(d, control_unpause(d->domid));
}

/* ---- controlling ---- */

bool command_pause(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);

    (void)count;
    return d && !commands_call_failed(d, control_pause(d->domid));
}

bool command_unpause(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);

    (void)count;
    return d && !commands_call_failed(d, control_unpause(d->domid));
}

bool command_destroy(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);

    (void)count;
    if (d)
        domain_destroy(d);
    return d;
}

bool command_shutdown(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    const char *how = count > 2 ? words[2] : "poweroff";

    if (!d)
        return false;
    return !commands_store_write_failed(
        xenstore_write(&domain_xenstore, domain_path(d, "control/shutdown"), how));
}

bool command_balloon(char **words, u32 count)
{
    struct domain *d = commands_need_domain(words[1]);
    u64 pages;

    (void)count;
    if (!d)
        return false;
    if (!words_parse_pages(words[2], &pages))
        return shell_fail("balloon: %s is no size, such as 12M", words[2]);
    return !commands_call_failed(d, domain_set_target(d, pages));
}

/* ---- one domain, and nothing else ---- */

/* domu/config: one option of `create` a line. */
static bool guest_options(struct create *c, char *text, size_t size_bytes)
{
    size_t at = 0;

    while (at < size_bytes) {
        char *line = text + at;

        while (at < size_bytes && text[at] != '\n')
            at++;
        text[at++] = '\0';
        if (*line && !create_option(c, line))
            return false;
    }
    return true;
}

void commands_guest(void)
{
    static char options[SHELL_LINE_BYTES * 2];
    struct create c = {.config = {.name = "guest", .cmdline = "", .pages = DEFAULT_PAGES, .vcpus = 1},
                       .kernel = "domu/kernel"};
    struct wait wait = {.name = "guest"};
    struct cpio_file config;
    struct domain *d;

    if (!commands_find_file("domu/config", &config))
        commands_exit(255);
    if (config.size_bytes >= sizeof options) {
        shell_fail("domu/config is too long");
        commands_exit(255);
    }
    memcpy(options, config.data, config.size_bytes);
    if (!guest_options(&c, options, config.size_bytes))
        commands_exit(255);
    d = create(&c);
    if (!d)
        commands_exit(255);
    d->console.plain = d->console.attached = true;
    if (commands_call_failed(d, control_unpause(d->domid)))
        commands_exit(255);
    while (pump_until(commands_attached_done, &wait, PUMP_FOR_EVER) == PUMP_INTERRUPTED || !d->ended)
        ;
    if (d->end_reason)
        print("dom0: the guest ended: %s\n", commands_reason_name(d->end_reason));
    commands_exit(d->end_reason);
}
