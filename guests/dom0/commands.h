/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the shell.
 */
#ifndef GUESTS_DOM0_COMMANDS_H
#define GUESTS_DOM0_COMMANDS_H

#include "guests/lib/types.h"

/** commands_run - run @words[0].  Returns false when it failed, after saying why. */
bool commands_run(char **words, u32 count);

/** commands_exit - end the machine; @status 0 is good.  Under Paravane it is the exit value. */
NORETURN void commands_exit(u32 status);

/** commands_guest - start the domain that domu/ in the initrd describes, and end as it ends. */
NORETURN void commands_guest(void);

#endif
