/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions of hypervisor profiles: how a value is found in registers and memory.
 *
 *     u16[u64[current + 0x10]]            memory: u8, u16, u32, u64 at an address
 *     (rdi - 0xffff82e000000000) >> 5     rax ... r15: as they were when the function was entered
 *     i32(ret)                            ret: RAX when it returns; i32, i16, i8 extend the sign
 *     mfn(rdi)                            a definition of the profile; $ in it is the argument
 *     u64[&max_page]                      &name: address of a symbol
 *
 * Operators, from weakest to strongest, all on unsigned 64-bit numbers: `c ? a : b`, `|`, `^`, `&`,
 * `== != < <= > >=` (0 or 1), `<< >>`, `+ -`, `*`, and `~ ! -` before an operand.
 *
 * A value is unknown when memory that it needs cannot be read; so is all that is made of it.
 */
#ifndef PARAVANE_TRACES_EXPR_H
#define PARAVANE_TRACES_EXPR_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/base/guest.h"

struct trace_expr;

/** Who knows names: both functions may be NULL. */
struct trace_expr_names {
    void *user;
    /** definition - text of the definition @name; NULL if there is none. */
    const char *(*definition)(void *user, const char *name);
    /** symbol - false: there is none. */
    bool (*symbol)(void *user, const char *name, uint64_t *address);
};

/** What an expression is evaluated on. */
struct trace_expr_frame {
    const struct base_guest *guest;
    const uint64_t *entry;  /* 16 registers at the function's entry */
    const uint64_t *exit;   /* 16 registers at its return; NULL: it has not returned */
    uint64_t argument;      /* $ outside definitions */
};

/**
 * trace_expr_compile - @text as an expression, owned by the caller.
 * Returns: NULL with @error, which says what is wrong and where.
 */
struct trace_expr *trace_expr_compile(const char *text, const struct trace_expr_names *names,
                                      GError **error);
void trace_expr_free(struct trace_expr *expr);

/** trace_expr_value - false: unknown (*value is 0). */
bool trace_expr_value(const struct trace_expr *expr, const struct trace_expr_frame *frame,
                      uint64_t *value);

/** trace_expr_needs_exit - whether it uses `ret`. */
bool trace_expr_needs_exit(const struct trace_expr *expr);

GQuark trace_expr_error_quark(void);
#define TRACE_EXPR_ERROR trace_expr_error_quark()
enum trace_expr_error { TRACE_EXPR_ERROR_SYNTAX, TRACE_EXPR_ERROR_NAME };

#endif
