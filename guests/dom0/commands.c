/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/commands.h"

#include "guests/dom0/audit.h"
#include "guests/dom0/control.h"
#include "guests/dom0/cpio.h"
#include "guests/dom0/domain.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define SECOND_NS      1000000000ul
#define DEFAULT_PAGES  (16ul << (20 - PAGE_SHIFT))
#define MAX_PAGES      (1ul << (40 - PAGE_SHIFT))
#define MAX_DOMAINS    64u
#define EXIT_PORT      0xf4
#define DETACH         0x1d /* Ctrl-] */

/* ---- words ---- */

static bool parse_u64(const char *text, u64 *out, const char **end)
{
    u64 value = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (u64)(*text - '0');
    }
    *out = value;
    *end = text;
    return true;
}

static bool parse_count(const char *text, u64 max, u64 *out)
{
    const char *end;

    return parse_u64(text, out, &end) && !*end && *out <= max;
}

/* A size of memory: MiB, or with K, M, G behind it. */
static bool parse_pages(const char *text, u64 *pages)
{
    const char *end, *unit;
    u64 value, shift = 20;

    if (!parse_u64(text, &value, &end) || value >= 1ul << 40)
        return false;
    if (*end) {
        unit = strchr("KMG", *end);
        if (!unit || end[1])
            return false;
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
    }
    *pages = (value << shift) >> PAGE_SHIFT;
    return *pages && *pages <= MAX_PAGES;
}

static struct domain *need_domain(const char *name)
{
    struct domain *d = domain_find(name);

    if (!d)
        shell_fail("there is no domain %s", name);
    return d;
}

static bool call_failed(const struct domain *d, long error)
{
    return error ? !shell_fail("%s: the hypervisor refuses: error %ld", d->name, error) : false;
}

static bool find_file(const char *name, struct cpio_file *out)
{
    if (start_info->mod_len &&
        cpio_find((const void *)start_info->mod_start, start_info->mod_len, name, out))
        return true;
    return shell_fail("there is no file %s in the initrd", name);
}

static const char *reason_name(u32 reason)
{
    static const char *const names[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft reset"};

    return reason < ARRAY_SIZE(names) ? names[reason] : "unknown reason";
}

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
        if (!parse_pages(value, &c->config.pages))
            return shell_fail("create: mem=%s is no size, such as 64M", value);
    } else if (!strcmp(word, "vcpus")) {
        if (!parse_count(value, XEN_LEGACY_MAX_VCPUS, &number) || !number)
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
    if (!find_file(c->kernel, &kernel) || (c->initrd && !find_file(c->initrd, &initrd)))
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

static bool command_create(char **words, u32 count)
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
    return c.paused || !call_failed(d, control_unpause(d->domid));
}

/* ---- looking ---- */

static const char *state_of(const domain_info_t *info)
{
    return info->flags & XEN_DOMINF_dying      ? "dying"
           : info->flags & XEN_DOMINF_shutdown ? "ended"
           : info->flags & XEN_DOMINF_paused   ? "paused"
           : info->flags & XEN_DOMINF_running  ? "running"
           : info->flags & XEN_DOMINF_blocked  ? "blocked"
                                               : "ready";
}

static const char *name_of(u16 domid)
{
    char number[8];
    struct domain *d;

    if (!domid)
        return "Domain-0";
    print_to(number, sizeof number, "%u", domid);
    d = domain_find(number);
    return d ? d->name : "?";
}

static long list_all(domain_info_t *infos)
{
    long n = control_list(0, infos, MAX_DOMAINS);

    if (n < 0)
        shell_fail("the hypervisor tells no list: error %ld", n);
    return n;
}

static bool command_list(char **words, u32 count)
{
    static domain_info_t infos[MAX_DOMAINS];
    long n = list_all(infos);

    (void)words;
    (void)count;
    if (n < 0)
        return false;
    print("%-20s %5s %9s %5s %-8s %9s\n", "name", "id", "mem KiB", "vcpus", "state", "time ms");
    for (long i = 0; i < n; i++)
        print("%-20s %5u %9lu %5u %-8s %9lu\n", name_of(infos[i].domain), infos[i].domain,
              (u64)infos[i].tot_pages * 4, infos[i].nr_online_vcpus, state_of(&infos[i]),
              (u64)infos[i].cpu_time / 1000000);
    return true;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* How busy each domain was during a second, in tenths of a percent of one CPU. */
static bool command_top(char **words, u32 count)
{
    static domain_info_t before[MAX_DOMAINS], after[MAX_DOMAINS];
    u64 rounds = 1;

    if (count > 1 && !parse_count(words[1], 100000, &rounds))
        return shell_fail("top: %s is no number of seconds", words[1]);
    for (; rounds; rounds--) {
        long n = list_all(before), m;
        u64 start = clock_system_ns(), span;

        if (n < 0 || pump_until(never, NULL, start + SECOND_NS) == PUMP_INTERRUPTED)
            return n >= 0;
        m = list_all(after);
        span = clock_system_ns() - start;
        print("%-20s %5s %9s %6s\n", "name", "id", "mem KiB", "cpu %");
        for (long i = 0; i < m; i++)
            for (long k = 0; k < n; k++)
                if (after[i].domain == before[k].domain) {
                    u64 used = (after[i].cpu_time - before[k].cpu_time) * 1000 / span;

                    print("%-20s %5u %9lu %4lu.%lu\n", name_of(after[i].domain), after[i].domain,
                          (u64)after[i].tot_pages * 4, used / 10, used % 10);
                }
    }
    return true;
}

static bool command_info(char **words, u32 count)
{
    struct xen_sysctl_physinfo info;
    xen_extraversion_t extra = "";
    long version = hypercall_xen_version(XENVER_version, NULL), error = control_physinfo(&info);

    (void)words;
    (void)count;
    if (error)
        return shell_fail("the hypervisor tells nothing of the machine: error %ld", error);
    hypercall_xen_version(XENVER_extraversion, extra);
    print("hypervisor  version %ld.%ld%s\n", version >> 16, version & 0xffff, extra);
    print("cpus        %u at %u kHz\n", info.nr_cpus, info.cpu_khz);
    print("memory      %lu KiB, %lu KiB of it free\n", (u64)info.total_pages * 4,
          (u64)info.free_pages * 4);
    print("store       %lu requests\n", domain_xenstore.requests);
    return true;
}

/* ---- controlling ---- */

static bool command_pause(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);

    (void)count;
    return d && !call_failed(d, control_pause(d->domid));
}

static bool command_unpause(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);

    (void)count;
    return d && !call_failed(d, control_unpause(d->domid));
}

static bool command_destroy(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);

    (void)count;
    if (d)
        domain_destroy(d);
    return d;
}

static bool store_write_failed(long error)
{
    return error ? !shell_fail("the store refuses: error %ld", error) : false;
}

static bool command_shutdown(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
    const char *how = count > 2 ? words[2] : "poweroff";

    if (!d)
        return false;
    return !store_write_failed(
        xenstore_write(&domain_xenstore, domain_path(d, "control/shutdown"), how));
}

static bool command_balloon(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
    u64 pages;

    (void)count;
    if (!d)
        return false;
    if (!parse_pages(words[2], &pages))
        return shell_fail("balloon: %s is no size, such as 12M", words[2]);
    return !call_failed(d, domain_set_target(d, pages));
}

/* ---- waiting ---- */

struct wait {
    char name[DOMAIN_NAME_BYTES];
    const char *key, *value; /* of `until` */
};

/* The deadline in word @index, seconds; none if there is no such word. */
static bool wait_deadline(char **words, u32 count, u32 index, u64 *deadline_ns)
{
    u64 seconds;

    *deadline_ns = PUMP_FOR_EVER;
    if (index >= count)
        return true;
    if (!parse_count(words[index], 1000000, &seconds))
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
static bool command_wait(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
    struct wait wait = {0};
    u64 deadline_ns;

    if (!d || !wait_deadline(words, count, 2, &deadline_ns))
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    if (!wait_result("wait", d->name, pump_until(has_ended, &wait, deadline_ns)))
        return false;
    print("%s: ended: %s\n", d->name, reason_name(d->end_reason));
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

static bool command_until(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
    struct wait wait = {.key = words[2], .value = words[3]};
    u64 deadline_ns;

    if (!d || !wait_deadline(words, count, 4, &deadline_ns))
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    if (!wait_result("until", d->name, pump_until(has_value, &wait, deadline_ns)))
        return false;
    return d->ended ? shell_fail("until %s: it has ended: %s", d->name, reason_name(d->end_reason))
                    : true;
}

static u64 target_of(struct domain *d)
{
    const char *end;
    char text[24];
    u64 kib;

    if (xenstore_read(&domain_xenstore, domain_path(d, "memory/target"), text, sizeof text) ||
        !parse_u64(text, &kib, &end))
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
static bool command_settle(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
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
        return shell_fail("settle %s: it has ended: %s", d->name, reason_name(d->end_reason));
    print("%s: %lu KiB\n", d->name, target_of(d) * 4);
    return true;
}

static bool command_sleep(char **words, u32 count)
{
    u64 ms;

    (void)count;
    if (!parse_count(words[1], 1000000000, &ms))
        return shell_fail("sleep: %s is no number of milliseconds", words[1]);
    return pump_until(never, NULL, clock_system_ns() + ms * 1000000) != PUMP_INTERRUPTED;
}

/* How late domain 0 gets the processor when it wants it: many short sleeps. */
static bool command_lag(char **words, u32 count)
{
    u64 limit_ms, worst_ns = 0;

    (void)count;
    if (!parse_count(words[1], 1000000, &limit_ms))
        return shell_fail("lag: %s is no number of milliseconds", words[1]);
    for (u32 i = 0; i < 100; i++) {
        u64 due = clock_system_ns() + SECOND_NS / 1000, now;

        if (pump_until(never, NULL, due) == PUMP_INTERRUPTED)
            return shell_fail("lag: interrupted");
        now = clock_system_ns();
        worst_ns = now - due > worst_ns ? now - due : worst_ns;
    }
    if (worst_ns > limit_ms * 1000000)
        return shell_fail("lag: %lu us, allowed are %lu ms", worst_ns / 1000, limit_ms);
    return true;
}

/* ---- the console of a domain ---- */

static bool attached_done(void *arg)
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

static bool command_console(char **words, u32 count)
{
    struct domain *d = need_domain(words[1]);
    struct wait wait = {0};

    (void)count;
    if (!d)
        return false;
    memcpy(wait.name, d->name, sizeof wait.name);
    print("console of %s; Ctrl-] comes back\n", d->name);
    console_end_line(&d->console);
    d->console.attached = true;
    /* Ctrl-C is for the domain here. */
    while (pump_until(attached_done, &wait, PUMP_FOR_EVER) == PUMP_INTERRUPTED)
        ;
    d->console.attached = false;
    print("\n");
    return true;
}

/* ---- the store ---- */

/* `NAME:REST` is REST of the domain's own part of the store. */
static bool store_path(const char *word, char *path)
{
    char name[DOMAIN_NAME_BYTES];
    const char *colon = strchr(word, ':');
    struct domain *d;

    if (!colon) {
        print_to(path, STORE_PATH_BYTES, "%s", word);
        return store_path_check(path) || shell_fail("store: %s is no path", word);
    }
    print_to(name, sizeof name, "%s", word);
    if ((size_t)(colon - word) < sizeof name)
        name[colon - word] = '\0';
    d = need_domain(name);
    if (!d)
        return false;
    print_to(path, STORE_PATH_BYTES, "%s", domain_path(d, colon + 1));
    return store_path_check(path) || shell_fail("store: %s is no path", word);
}

static void print_value(const struct store_node *node)
{
    for (u32 i = 0; i < node->value_bytes; i++)
        if (node->value[i] >= ' ' && node->value[i] < 127)
            print("%c", node->value[i]);
        else
            print("\\x%02x", node->value[i]);
}

static bool store_list(const char *path)
{
    const struct store_node *node = store_lookup(&domain_xenstore.tree, path);

    if (!node)
        return shell_fail("store: there is no %s", path);
    for (u32 i = 0; i < node->child_count; i++) {
        print("%s = \"", node->children[i]->name);
        print_value(node->children[i]);
        print("\"");
        for (u32 k = 0; k < node->children[i]->perm_count; k++)
            print(" %c%u", "nrwb"[node->children[i]->perms[k].mode & 3],
                  node->children[i]->perms[k].domid);
        print("\n");
    }
    return true;
}

static bool command_store(char **words, u32 count)
{
    const char *what = words[1];
    const struct store_node *node;
    char path[STORE_PATH_BYTES];

    if (!store_path(count > 2 ? words[2] : "/", path))
        return false;
    if (!strcmp(what, "ls"))
        return store_list(path);
    if (!strcmp(what, "read") && count == 3) {
        node = store_lookup(&domain_xenstore.tree, path);
        if (!node)
            return shell_fail("store: there is no %s", path);
        print_value(node);
        print("\n");
        return true;
    }
    if (!strcmp(what, "write") && count == 4)
        return !store_write_failed(xenstore_write(&domain_xenstore, path, words[3]));
    if (!strcmp(what, "rm") && count == 3)
        return !store_write_failed(xenstore_remove(&domain_xenstore, path));
    return shell_fail("store: ls [PATH], read PATH, write PATH VALUE, or rm PATH");
}

static long link_one(struct domain *d, struct domain *peer, const char *role)
{
    char number[8];
    long error;

    print_to(number, sizeof number, "%u", peer->domid);
    error = xenstore_write(&domain_xenstore, domain_path(d, "data/role"), role);
    return error ? error : xenstore_write(&domain_xenstore, domain_path(d, "data/peer"), number);
}

/* Tell two domains of each other. */
static bool command_link(char **words, u32 count)
{
    struct domain *one = need_domain(words[1]), *two = one ? need_domain(words[2]) : NULL;
    long error;

    (void)count;
    if (!two)
        return false;
    error = link_one(one, two, "first");
    return !store_write_failed(error ? error : link_one(two, one, "second"));
}

/* ---- scripts and the end ---- */

static bool command_echo(char **words, u32 count)
{
    for (u32 i = 1; i < count; i++)
        print("%s%s", i == 1 ? "" : " ", words[i]);
    print("\n");
    return true;
}

static bool command_run(char **words, u32 count)
{
    static u32 depth;
    struct cpio_file file;
    u64 times = 1;
    bool good = true;

    if (count > 2 && !parse_count(words[2], 1000000, &times))
        return shell_fail("run: %s is no number of times", words[2]);
    if (!find_file(words[1], &file))
        return false;
    if (depth == 4)
        return shell_fail("run: scripts call each other too deeply");
    depth++;
    while (times-- && good)
        good = shell_script(file.name, (const char *)file.data, file.size_bytes);
    depth--;
    return good;
}

static bool command_audit(char **words, u32 count)
{
    (void)count;
    if (!strcmp(words[1], "mark"))
        return audit_mark();
    if (!strcmp(words[1], "check"))
        return audit_check();
    return shell_fail("audit: mark or check");
}

void commands_exit(u32 status)
{
    physdev_set_iopl_t iopl = {.iopl = 1};

    if (status && !hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl))
        __asm__ volatile("outl %0, %1" : : "a"(status), "Nd"((u16)EXIT_PORT));
    /* Where there is no exit port the status is lost. */
    runtime_exit(SHUTDOWN_poweroff);
}

static bool command_poweroff(char **words, u32 count)
{
    (void)words;
    (void)count;
    commands_exit(0);
}

static bool command_exit(char **words, u32 count)
{
    u64 status;

    (void)count;
    if (!parse_count(words[1], 255, &status))
        return shell_fail("exit: %s is no status, 0 to 255", words[1]);
    commands_exit((u32)status);
}

static bool command_help(char **words, u32 count);

static const struct command {
    const char *name;
    u32 min_words, max_words; /* after the name */
    bool (*run)(char **words, u32 count);
    const char *arguments, *help;
} commands[] = {
    {"create", 1, 8, command_create,
     "NAME [kernel=FILE] [mem=SIZE] [vcpus=N] [initrd=FILE] [cmdline=\"...\"] [paused]",
     "start a domain; files are those of the initrd"},
    {"list", 0, 0, command_list, "", "all domains"},
    {"top", 0, 1, command_top, "[SECONDS]", "how busy they are"},
    {"info", 0, 0, command_info, "", "the hypervisor and the machine"},
    {"pause", 1, 1, command_pause, "NAME", "stop a domain's vCPUs"},
    {"unpause", 1, 1, command_unpause, "NAME", "let them go on"},
    {"shutdown", 1, 2, command_shutdown, "NAME [reboot]", "ask a domain to end"},
    {"destroy", 1, 1, command_destroy, "NAME", "end a domain without asking"},
    {"console", 1, 1, command_console, "NAME", "use a domain's console; Ctrl-] comes back"},
    {"balloon", 2, 2, command_balloon, "NAME SIZE", "set the memory a domain should have"},
    {"settle", 1, 2, command_settle, "NAME [SECONDS]", "wait until it has that"},
    {"wait", 1, 2, command_wait, "NAME [SECONDS]", "wait for a domain's end and clear it away"},
    {"until", 3, 4, command_until, "NAME KEY VALUE [SECONDS]",
     "wait for a value in a domain's part of the store"},
    {"link", 2, 2, command_link, "NAME NAME", "tell two domains of each other"},
    {"store", 1, 3, command_store, "ls|read|write|rm [PATH] [VALUE]",
     "look into xenstore; NAME:PATH is a domain's part"},
    {"sleep", 1, 1, command_sleep, "MILLISECONDS", ""},
    {"lag", 1, 1, command_lag, "MILLISECONDS", "fail if domain 0 waits longer for the processor"},
    {"echo", 0, 30, command_echo, "[TEXT]", ""},
    {"run", 1, 2, command_run, "FILE [TIMES]", "commands from the initrd"},
    {"audit", 1, 1, command_audit, "mark|check", "note what is in use; see whether it is again"},
    {"poweroff", 0, 0, command_poweroff, "", "end the machine"},
    {"exit", 1, 1, command_exit, "STATUS", "end the machine with an exit status, under Paravane"},
    {"help", 0, 0, command_help, "", ""},
};

static bool command_help(char **words, u32 count)
{
    (void)words;
    (void)count;
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
        print("%s %s%s%s\n", commands[i].name, commands[i].arguments,
              *commands[i].help ? "\n    " : "", commands[i].help);
    print("A SIZE is MiB, or has K, M or G behind it.  Several commands: a;b\n");
    return true;
}

bool commands_run(char **words, u32 count)
{
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->name, words[0]))
            continue;
        if (count - 1 < c->min_words || count - 1 > c->max_words)
            return shell_fail("usage: %s %s", c->name, c->arguments);
        return c->run(words, count);
    }
    return shell_fail("there is no command %s; try help", words[0]);
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

    if (!find_file("domu/config", &config))
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
    if (call_failed(d, control_unpause(d->domid)))
        commands_exit(255);
    while (pump_until(attached_done, &wait, PUMP_FOR_EVER) == PUMP_INTERRUPTED || !d->ended)
        ;
    if (d->end_reason)
        print("dom0: the guest ended: %s\n", reason_name(d->end_reason));
    commands_exit(d->end_reason);
}
