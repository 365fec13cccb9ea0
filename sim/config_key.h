/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a machine file: which exist, what each may hold, and what is assumed without it.
 * For sim/config.c alone; sim/config.h is what everybody else uses.
 */
#ifndef PARAVANE_SIM_CONFIG_KEY_H
#define PARAVANE_SIM_CONFIG_KEY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SIM_CONFIG_MODULE_PREFIX  "module."
#define SIM_CONFIG_ARCHIVE_PREFIX "archive."

enum sim_config_kind {
    SIM_CONFIG_SIZE,
    SIM_CONFIG_FREQUENCY,
    SIM_CONFIG_NUMBER,
    SIM_CONFIG_NAME,
    SIM_CONFIG_TEXT,
    SIM_CONFIG_PATH,
    SIM_CONFIG_DATE,
    SIM_CONFIG_GOOD
};

struct sim_config_key {
    const char *group; /* NULL: of every [module.NAME] */
    const char *name;
    enum sim_config_kind kind;
    uint16_t offset;             /* in struct sim_config, or in struct sim_config_module */
    uint16_t size_bytes;         /* of the member */
    uint64_t min, max, multiple; /* numbers */
    const char *fallback;        /* as it would stand in the file; NULL: there is none */
};

/* Where a value stands, for messages. */
struct sim_config_place {
    const char *file;
    const char *group;
    const char *key;
    bool by_set; /* given by --set, not in the file */
};

/** sim_config_keys - all keys, in the order of the canonical text, ended by one without a name. */
extern const struct sim_config_key sim_config_keys[];

/** sim_config_fail - sets @error to "PLACE: TEXT", one line.  Returns: FALSE. */
gboolean sim_config_fail(GError **error, const struct sim_config_place *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** sim_config_key_is_archive - whether @group is [archive.NAME]: its keys are names of files. */
bool sim_config_key_is_archive(const char *group);

/** sim_config_key_check_group - whether there can be a group @at->group; @at->key is not used. */
gboolean sim_config_key_check_group(const struct sim_config_place *at, GError **error);

/** sim_config_key_find - the key @at->key of the group @at->group, which is no archive.
 *  Returns: a row of sim_config_keys; NULL with @error, which names the nearest key. */
const struct sim_config_key *sim_config_key_find(const struct sim_config_place *at, GError **error);

/**
 * sim_config_key_set - give a member the value that a text says.
 * @base:  the structure that @key->offset counts from; what the member held is freed.
 * @value: without blanks at its ends.
 * Returns: FALSE with @error if it is none for this key; the member is as it was.
 */
gboolean sim_config_key_set(void *base, const struct sim_config_key *key,
                            const struct sim_config_place *at, const char *value, GError **error);

/** sim_config_key_set_path - the same for a path anywhere: *@path is freed and replaced. */
gboolean sim_config_key_set_path(char **path, const struct sim_config_place *at, const char *value,
                                 GError **error);

/** sim_config_key_text - the value of @key in @base as sim_config_key_set() takes it.
 *  Returns: free with g_free(); NULL for a path that is not given. */
char *sim_config_key_text(const void *base, const struct sim_config_key *key);

#endif
