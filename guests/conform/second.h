/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second vCPU of a conformance guest (those named smp-* have one).  It waits for a job, yielding,
 * and does it while the first waits, yielding too: so only one of them uses guests/lib at a time.
 */
#ifndef GUESTS_CONFORM_SECOND_H
#define GUESTS_CONFORM_SECOND_H

#include "guests/conform/conform.h"

/** The registers at its first instruction. */
extern struct boot_registers second_registers;
/** Its stack. */
#define SECOND_STACK_BYTES 16384ul
extern u8 second_stack[SECOND_STACK_BYTES];

/** second_context - (re)make and return a context that starts it at its loop, as a kernel. */
struct vcpu_guest_context *second_context(void);

/** second_alive - wait until it has come to its loop.  False: it does not. */
bool second_alive(void);

/** second_up - the case `start`: initialise it, bring it up, see it in its loop.  False: it is not. */
bool second_up(void);

/** second_wait - yield until its job is done, at most @yields times; returns whether it is. */
bool second_wait(u32 yields);

/** second_start - do @job(@arg) there, without waiting for its end. */
void second_start(u64 (*job)(u64), u64 arg);

/** second_done - whether the last job is done; its result is second_result. */
bool second_done(void);
extern volatile u64 second_result;

/** second_run - do @job(@arg) there; returns its result.  Panics if it does not end. */
u64 second_run(u64 (*job)(u64), u64 arg);

#endif
