/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of a boot module: a file, or an archive that is put together from files.
 *
 * The archive is a cpio archive of the format "newc", the one of an initial RAM file system: the
 * files of [archive.NAME], and in the module "initrd" what [domu] says, below domu/.  The same files
 * give the same bytes everywhere: owners are 0, times are 0, entries are sorted.
 */
#ifndef PARAVANE_SIM_MODULE_H
#define PARAVANE_SIM_MODULE_H

#include "sim/config.h"

/**
 * sim_module_read - all bytes of @module of @config.
 * @limit_bytes: neither a file nor the files of an archive together may be larger.
 * Returns: NULL with @error, whose message names the file.
 */
GBytes *sim_module_read(const struct sim_config *config, const struct sim_config_module *module,
                        uint64_t limit_bytes, GError **error);

#endif
