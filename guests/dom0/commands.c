/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the commands, and those that look at the whole machine or run others.
 */
#include "guests/dom0/commands_internal.h"

#include "guests/dom0/audit.h"
#include "guests/dom0/control.h"
#include "guests/dom0/cpio.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/dom0/words.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define SECOND_NS   1000000000ul
#define MAX_DOMAINS 64u
#define EXIT_PORT   0xf4

struct domain *commands_need_domain(const char *name)
{
    struct domain *d = domain_find(name);

    if (!d)
        shell_fail("there is no domain %s", name);
    return d;
}

bool commands_call_failed(const struct domain *d, long error)
{
    return error ? !shell_fail("%s: the hypervisor refuses: error %ld", d->name, error) : false;
}

bool commands_find_file(const char *name, struct cpio_file *out)
{
    if (start_info->mod_len &&
        cpio_find((const void *)start_info->mod_start, start_info->mod_len, name, out))
        return true;
    return shell_fail("there is no file %s in the initrd", name);
}

const char *commands_reason_name(u32 reason)
{
    static const char *const names[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft reset"};

    return reason < ARRAY_SIZE(names) ? names[reason] : "unknown reason";
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

bool commands_never(void *arg)
{
    (void)arg;
    return false;
}

/* How busy each domain was during a second, in tenths of a percent of one CPU. */
static bool command_top(char **words, u32 count)
{
    static domain_info_t before[MAX_DOMAINS], after[MAX_DOMAINS];
    u64 rounds = 1;

    if (count > 1 && !words_parse_count(words[1], 100000, &rounds))
        return shell_fail("top: %s is no number of seconds", words[1]);
    for (; rounds; rounds--) {
        long n = list_all(before), m;
        u64 start = clock_system_ns(), span;

        if (n < 0 || pump_until(commands_never, NULL, start + SECOND_NS) == PUMP_INTERRUPTED)
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

    if (count > 2 && !words_parse_count(words[2], 1000000, &times))
        return shell_fail("run: %s is no number of times", words[2]);
    if (!commands_find_file(words[1], &file))
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
    u64 frames = 0, first, last;

    if (!strcmp(words[1], "watch") && count == 4 && words_parse_count(words[2], UINT16_MAX, &first) &&
        words_parse_count(words[3], UINT16_MAX, &last))
        return audit_watch(first, last);
    if (!strcmp(words[1], "mark") && count == 2)
        return audit_mark();
    if (!strcmp(words[1], "check") &&
        (count == 2 || words_parse_count(words[2], UINT32_MAX, &frames)))
        return audit_check(frames);
    return shell_fail("audit: watch FIRST LAST, mark, or check [FRAMES]");
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
    if (!words_parse_count(words[1], 255, &status))
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
    {"audit", 1, 3, command_audit, "watch FIRST LAST|mark|check [FRAMES]",
     "note what is in use; see whether it is again, but for so many frames, and watched memory the same"},
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
