/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine file: what a machine is made of.  docs/machine-file.md is the contract.
 */
#ifndef PARAVANE_SIM_CONFIG_H
#define PARAVANE_SIM_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/image.h"

/* A file of [archive.NAME]. */
struct sim_config_file {
    char *name; /* inside the archive */
    char *path; /* absolute, or relative to the working directory */
};

struct sim_config_module {
    char *name;       /* NAME of [module.NAME] */
    char *path;       /* absolute, or relative to the working directory; NULL: an archive */
    char *cmdline;    /* may be empty, never NULL */
    GPtrArray *files; /* of [archive.NAME]: struct sim_config_file *; see sim/module.h */
};

/* The module that [domu] becomes part of. */
#define SIM_CONFIG_DOMU_MODULE "initrd"

struct sim_config {
    char *file; /* the machine file's path, for messages */
    GHashTable *contents; /* path -> GBytes: of files that are not read again; see below */

    /* [machine] */
    uint64_t memory_bytes; /* memory = 768M */
    unsigned cpus;         /* cpus = 1 */
    uint64_t seed;         /* seed = 0 */
    char *cpu_model;       /* cpu = NAME */
    bool portable;         /* not of the file: only the CPU library's public interface */
    int64_t start_seconds; /* date = 2024-01-01T00:00:00Z: what the RTC shows at power-on */
    bool halted_is_good;   /* on-halt = good|bad: every CPU in HLT with interrupts off */

    /* [boot] */
    char *kernel;  /* multiboot 1 image, gzip allowed */
    char *cmdline; /* its command line, never NULL */

    /* [module.NAME], in the file's order: struct sim_config_module * */
    GPtrArray *modules;

    /* [domu]: a domain for a dom0 that can start one; without a kernel there is none */
    char *domu_kernel;          /* a PV kernel, or NULL */
    char *domu_initrd;          /* or NULL */
    char *domu_cmdline;         /* never NULL */
    uint64_t domu_memory_bytes; /* memory = 64M */
    unsigned domu_vcpus;        /* vcpus = 1 */

    /* [timing] */
    char *timing_model;       /* model = flat */
    uint64_t frequency_hz;    /* frequency = 1000000000 */
    unsigned rdtsc_cycles;    /* rdtsc-cycles = 0: extra cost of RDTSC(P) */
    unsigned port_cycles;     /* port-cycles: extra cost of a port access */
    unsigned mmio_cycles;     /* mmio-cycles: extra cost of a device memory access */
    uint64_t quantum_ns;      /* quantum-ns: how long a CPU runs before the next one's turn */
    uint64_t input_poll_ns;   /* input-poll-ns: how often console input is asked for */
};

/**
 * sim_config_load - read a machine file and apply overrides.
 * @path: of the file.
 * @sets: NULL-terminated "GROUP.KEY=VALUE" strings, applied in order; may be NULL.
 *        A group named module.NAME that the file lacks is added after the others.
 *        Relative paths in the file are relative to the file; those in @sets to the
 *        working directory.
 * Returns: owned by the caller (sim_config_free); NULL with @error, whose message names
 *          file, group and key: unknown groups and keys, bad numbers, values out of range.
 */
struct sim_config *sim_config_load(const char *path, const char *const *sets, GError **error);
/** sim_config_parse - the same for a text in memory; @path is for messages and relative paths. */
struct sim_config *sim_config_parse(const char *path, const char *text, size_t size_bytes,
                                    const char *const *sets, GError **error);
void sim_config_free(struct sim_config *config);

/* A file that the machine is made from. */
struct sim_config_image {
    char *name; /* "kernel", "module.NAME", "archive.NAME/MEMBER", or GROUP.KEY */
    char *path;
};

/** sim_config_images - all of them, in the order of the canonical text: struct sim_config_image *.
 *  Free with g_ptr_array_unref(). */
GPtrArray *sim_config_images(const struct sim_config *config);

/** sim_config_set_content - what the file at @path holds: it is not looked for.  Takes a
 *  reference. */
void sim_config_set_content(struct sim_config *config, const char *path, GBytes *content);

/** sim_config_read - as sim_image_read(), for a file of the machine. */
GBytes *sim_config_read(const struct sim_config *config, const char *path, uint64_t limit_bytes,
                        enum sim_image_mode mode, GError **error);

/** sim_config_to_text - the machine file after overrides, canonical form.  Free with g_free. */
char *sim_config_to_text(const struct sim_config *config);

GQuark sim_config_error_quark(void);
#define SIM_CONFIG_ERROR sim_config_error_quark()
enum sim_config_error { SIM_CONFIG_ERROR_FILE, SIM_CONFIG_ERROR_KEY, SIM_CONFIG_ERROR_VALUE };

#endif
