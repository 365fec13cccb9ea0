/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the commands share: commands.c the table and what fits nowhere else,
 * command_domain.c, command_wait.c, command_store.c.
 */
#ifndef GUESTS_DOM0_COMMANDS_INTERNAL_H
#define GUESTS_DOM0_COMMANDS_INTERNAL_H

#include "guests/dom0/commands.h"
#include "guests/dom0/domain.h"

struct cpio_file;

/** commands_need_domain - by name or number; NULL after saying that there is none. */
struct domain *commands_need_domain(const char *name);
/** commands_call_failed, commands_store_write_failed - whether @error is one; says so. */
bool commands_call_failed(const struct domain *d, long error);
bool commands_store_write_failed(long error);
/** commands_find_file - a file of the initrd; false after saying that there is none. */
bool commands_find_file(const char *name, struct cpio_file *out);
/** commands_reason_name - of a SHUTDOWN_* code. */
const char *commands_reason_name(u32 reason);
/** commands_never - a condition for pump_until() that never comes. */
bool commands_never(void *arg);
/** commands_attached_done - forwards what is typed to the domain; true when it has ended or on Ctrl-]. */
bool commands_attached_done(void *arg);

/* What a command waits for. */
struct wait {
    char name[DOMAIN_NAME_BYTES];
    const char *key, *value; /* of `until` */
};

/* The commands: words[0] is the name; false after saying what is wrong. */
bool command_balloon(char **words, u32 count);
bool command_console(char **words, u32 count);
bool command_create(char **words, u32 count);
bool command_destroy(char **words, u32 count);
bool command_lag(char **words, u32 count);
bool command_link(char **words, u32 count);
bool command_pause(char **words, u32 count);
bool command_settle(char **words, u32 count);
bool command_shutdown(char **words, u32 count);
bool command_sleep(char **words, u32 count);
bool command_store(char **words, u32 count);
bool command_unpause(char **words, u32 count);
bool command_until(char **words, u32 count);
bool command_wait(char **words, u32 count);

#endif
