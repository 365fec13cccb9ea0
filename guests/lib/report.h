/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conformance cases.  A case opens with its hypothesis, which is what the reference does; then
 * it compares.  Its verdict is printed when the next one opens or the guest ends, in one line
 * that a program can read (fields separated by '|'):
 *
 *     case|GUEST/NAME|VERDICT|detail|hypothesis
 *
 * VERDICT: Success; Failure, the subject is broken (the detail names the first comparison that
 * failed); Skip, this case has nothing to say here (the detail says why); Error, the test itself
 * is broken: what it needs could not be set up.
 *
 * The last line is  `end|GUEST|CASES|SUCCESSES|FAILURES|SKIPS|ERRORS`.
 */
#ifndef GUESTS_LIB_REPORT_H
#define GUESTS_LIB_REPORT_H

#include "guests/lib/types.h"

/** report_start - name the guest. */
void report_start(const char *guest);

/** report_end - close the last case, print the end line. */
void report_end(void);

/** test - open a case.  @name: a word, unique in the guest; the rest: the hypothesis as a format. */
void test(const char *name, const char *hypothesis, ...) PRINTF_LIKE(2, 3);

/** equal - the case fails unless @got is @want; numbers, shown signed and in hex. */
void equal(const char *what, u64 got, u64 want);

/** differ - the case fails if @got is @unwanted. */
void differ(const char *what, u64 got, u64 unwanted);

/** holds - the case fails unless @condition. */
void holds(const char *what, bool condition);

/** skip - the case does not apply here. */
void skip(const char *format, ...) PRINTF_LIKE(1, 2);

/** broken - the case cannot be set up. */
void broken(const char *format, ...) PRINTF_LIKE(1, 2);

/**
 * crashes - announce that the next thing the open case does ends the domain, and that this is
 * right; printed at once as `crash|GUEST/NAME|hypothesis`.  If the guest goes on, the case fails.
 */
void crashes(void);

#endif
