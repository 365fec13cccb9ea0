/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small kernel for a domain without privilege: processes, timers, a balloon, work with a peer.
 *
 * It runs the program `init` once, says how it went in data/state of the store ("ready", then "worked"
 * or "failed"), and then does what the store asks for: another memory size (memory/target), work with
 * another domain (data/peer), the end (control/shutdown).
 *
 * Words on its command line: `once` ends the domain after that (`end=reboot`: by a reboot), `init=NAME`
 * is another program to run, `idle` runs none.
 */
#include "guests/domu/balloon.h"
#include "guests/domu/cpu.h"
#include "guests/domu/monitor.h"
#include "guests/domu/pair.h"
#include "guests/domu/process.h"
#include "guests/domu/store.h"
#include "guests/domu/task.h"
#include "guests/lib/console.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

static bool with_store;

static void report(const char *state)
{
    console_flush();
    if (with_store)
        store_write("data/state", state);
}

NORETURN static void end_domain(u32 reason)
{
    console_flush();
    runtime_exit(reason);
}

static void shutdown_changed(void)
{
    char how[16] = "";

    if (store_take("control/shutdown", how, sizeof how) || !how[0])
        return;
    print("domu: %s, as asked\n", how);
    if (!strcmp(how, "poweroff") || !strcmp(how, "halt"))
        end_domain(SHUTDOWN_poweroff);
    if (!strcmp(how, "reboot"))
        end_domain(SHUTDOWN_reboot);
    print("domu: it does not know how to\n");
}

/* How the domain ends by itself. */
NORETURN static void end_once(bool good)
{
    char how[16] = "";

    runtime_option("end", how, sizeof how);
    end_domain(!good ? SHUTDOWN_crash : !strcmp(how, "reboot") ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}

static void work(void *arg)
{
    char program[32] = "init";
    long status = 0;

    (void)arg;
    with_store = store_start();
    if (with_store) {
        balloon_start();
        pair_start();
        store_watch("memory/target", balloon_target_changed);
        store_watch("control/shutdown", shutdown_changed);
    }
    monitor_start();
    cpu_start_others();
    report("ready");
    if (!runtime_option("idle", NULL, 0)) {
        runtime_option("init", program, sizeof program);
        status = process_run(program);
        if (status)
            print("domu: %s: %ld\n", program, status);
    }
    report(status ? "failed" : "worked");
    if (runtime_option("once", NULL, 0) || !with_store)
        end_once(!status);
}

void guest_main(void)
{
    cpu_init();
    process_init();
    print("domu: %lu KiB\n", start_info->nr_pages * 4);
    task_start_thread("work", work, NULL);
    task_idle_loop();
}
