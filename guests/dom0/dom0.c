/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain 0: the domain that is started first and starts the others.
 *
 * Words on its command line:
 *   script=FILE  run the commands in FILE of the initrd; a failure ends the machine with status 1
 *   domu         start the one domain that domu/ in the initrd describes, and end as it ends
 * Without either, or when the script is through, there is a shell.
 */
#include "guests/dom0/commands.h"
#include "guests/dom0/domain.h"
#include "guests/dom0/foreign.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "guests/lib/console.h"
#include "guests/lib/grant.h"
#include "guests/lib/runtime.h"

void guest_main(void)
{
    char script[64], *words[] = {"run", script};

    if (!runtime_is_dom0())
        panic("this kernel is made to be domain 0");
    foreign_init();
    domain_init();
    pump_init();
    if (runtime_option("domu", NULL, 0))
        commands_guest();
    print("dom0: ready\n");
    if (runtime_option("script", script, sizeof script) && !commands_run(words, 2))
        commands_exit(1);
    shell_interactive();
}
