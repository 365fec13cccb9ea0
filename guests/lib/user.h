/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User mode.  A 64-bit PV guest runs user code in ring 3 like itself; what separates the two is
 * a second set of page tables, which the hypervisor loads for user mode.
 */
#ifndef GUESTS_LIB_USER_H
#define GUESTS_LIB_USER_H

#include "guests/lib/trap.h"
#include "guests/lib/types.h"

/**
 * user_set_root - the L4 table of user mode, a pinnable table of this domain; 0 for none.
 * Returns: the hypervisor's answer.
 */
long user_set_root(u64 mfn);

/** user_init - let user mode share the kernel's own tables: enough for code that is trusted. */
void user_init(void);

/**
 * user_call - run @fn(@arg) in user mode on a stack of the runtime.  It ends by returning, by
 * user_exit() or by an exception nobody handles.
 * Returns: the vector of the exception (details in trap_last), else TRAP_NONE and the value in
 *          trap_result.
 */
u32 user_call(u64 (*fn)(u64), u64 arg);

/** user_call_flags - the same with RFLAGS bits set at the start (TF, IF ...). */
u32 user_call_flags(u64 (*fn)(u64), u64 arg, u64 rflags);

/** user_enter - return into user mode with all of @frame; never comes back.  RFLAGS.IF enables events. */
NORETURN void user_enter(const struct trap_frame *frame);

/** user_exit - from user mode: end the user_call() with @value.  A system call of number USER_EXIT. */
NORETURN void user_exit(u64 value);
#define USER_EXIT 0x45584954

#endif
