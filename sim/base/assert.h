/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Always-on assertions for bugs of the simulator itself.
 *
 * No guest input and no user input may reach one: guest errors are values,
 * host errors are GError.  A failing assertion prints where the simulated
 * machine stood (base_assert_set_context), so that the run can be repeated.
 */
#ifndef PARAVANE_SIM_BASE_ASSERT_H
#define PARAVANE_SIM_BASE_ASSERT_H

#include <stdio.h>

/** Writes one line about the state of the machine (seed, insns, vcpu, rip) to @out. */
typedef void base_assert_context_fn(FILE *out, void *user);

/**
 * base_assert_set_context - say who describes the machine when an assertion fails.
 * @fn:   NULL takes the description back.
 * @user: handed to @fn; borrowed until replaced.
 */
void base_assert_set_context(base_assert_context_fn *fn, void *user);

_Noreturn void base_assert_fail(const char *expr, const char *file, int line, const char *func);

#define BASE_ASSERT(expr)                                                                          \
    ((expr) ? (void)0 : base_assert_fail(#expr, __FILE__, __LINE__, __func__))

#endif
