/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the library keeps its state: found and tried out at start-up.  Only for engine.c.
 */
#ifndef PARAVANE_CPU_ENGINE_LAYOUT_H
#define PARAVANE_CPU_ENGINE_LAYOUT_H

#include "cpu/internal.h"

struct engine_layout {
    size_t header_bytes; /* of a context, before the data */
    struct env_offsets off;
};

struct uc_struct;  /* the library's, opaque: uc_engine */
struct uc_context;

struct engine {
    struct uc_struct *uc;
    struct uc_context *scratch; /* of the portable view */
    bool loaded;         /* scratch holds the current state */
    bool fill_refused;
    bool dropping;       /* engine_drop_frame() is at work: MAGIC_BASE addresses are ours */
    uint64_t clock_us;   /* what the library takes for the time: see gettimeofday() */
    bool uses_raw, uses_no_exit;
    uint8_t *skip_sync; /* the library's flag: it need not work out RIP for the RDTSC hook; NULL:
                           not found */
    int *nesting;       /* the library's count of uc_emu_start() under way; NULL: not found */
    unsigned fault_address; /* where the library keeps the address that faulted; 0: not found */
    uint8_t *near;      /* the page with the block hook beside the translated code; NULL: see engine_hook.c */
    struct cpu_env *raw_env;
    struct engine_layout layout;
    char text[96];
};

/** engine_layout_find - fill e->layout; FALSE with @error when it is not the expected one. */
bool engine_layout_find(struct engine *e, GError **error);
/** engine_layout_find_fault_address - fill e->fault_address if it can be found. */
void engine_layout_find_fault_address(struct engine *e);
/** engine_layout_find_raw - find the live state: e->raw_env.  Returns: false if not found. */
bool engine_layout_find_raw(struct engine *e);
/** engine_layout_find_nesting - fill e->nesting if it can be found. */
void engine_layout_find_nesting(struct engine *e);
/** engine_layout_find_skip_sync - fill e->skip_sync if the flag does what is expected. */
void engine_layout_find_skip_sync(struct engine *e);
/** engine_layout_leave_out_exit_checks - set the library's flag if it does what is expected. */
bool engine_layout_leave_out_exit_checks(struct engine *e);

#endif
