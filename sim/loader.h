/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot 1 loader: kernel (ELF32 or ELF64, or by the header's address fields), modules
 * with command lines, memory map, information structure.
 */
#ifndef PARAVANE_SIM_LOADER_H
#define PARAVANE_SIM_LOADER_H

#include <glib.h>

#include "mmu/ram.h"
#include "sim/config.h"

struct sim_loader_result {
    uint32_t entry;     /* of the kernel, physical */
    uint32_t info;      /* physical address of the multiboot information structure */
    uint32_t magic;     /* for EAX: 0x2badb002 */
};

/**
 * sim_loader_load - put kernel, modules and boot information into RAM.
 * @ram:    zeroed.
 * @config: kernel, command lines, modules.
 * Returns: FALSE with @error naming the file and what is wrong: missing, unreadable, empty,
 *          truncated, not a multiboot kernel, does not fit into RAM.
 * Source:  Multiboot Specification 0.6.96, section 3.
 */
gboolean sim_loader_load(struct mmu_ram *ram, const struct sim_config *config,
                         struct sim_loader_result *out, GError **error);

GQuark sim_loader_error_quark(void);
#define SIM_LOADER_ERROR sim_loader_error_quark()
enum sim_loader_error { SIM_LOADER_ERROR_FILE, SIM_LOADER_ERROR_FORMAT, SIM_LOADER_ERROR_SPACE };

#endif
