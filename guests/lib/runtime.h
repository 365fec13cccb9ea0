/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a PV guest: what it was given at the start, and its end.
 *
 * A guest is one C file:
 *
 *     #include "guests/lib/console.h"
 *     #include "guests/lib/runtime.h"
 *
 *     void guest_main(void)
 *     {
 *         print("hello from a domain of %lu pages\n", start_info->nr_pages);
 *     }
 *
 * When guest_main() is called, the console works, exceptions are handled, the page allocator
 * and the event channels are ready, and upcalls are still masked (event_enable()).  When it
 * returns, the domain powers off.
 */
#ifndef GUESTS_LIB_RUNTIME_H
#define GUESTS_LIB_RUNTIME_H

#include "guests/lib/types.h"

#include <xen/xen.h>

/** What the domain builder says about this domain. */
extern start_info_t *start_info;
/** The page shared with the hypervisor, mapped by the runtime. */
extern shared_info_t *shared_info;
/** Supplied by a guest that uses several vCPUs: which one runs.  NULL: there is only vCPU 0. */
extern u32 (*runtime_vcpu)(void);
/** The vCPU that runs: its part of shared_info. */
static inline vcpu_info_t *vcpu_info(void)
{
    return &shared_info->vcpu_info[runtime_vcpu ? runtime_vcpu() : 0];
}

/** The registers at the first instruction, as start.S found them. */
struct boot_registers {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rflags, cs, ss, ds, es, fs, gs;
};
extern struct boot_registers boot_registers;

/** Supplied by the guest. */
void guest_main(void);

/**
 * runtime_option - the value of `NAME=VALUE`, or of a lone `NAME`, on the command line.
 * @size_bytes: of @value, which may be NULL with 0.
 * Returns: whether the option is there.
 */
bool runtime_option(const char *name, char *value, size_t size_bytes);

/** runtime_number - the decimal digits that @text begins with; 0 without any. */
u64 runtime_number(const char *text);

/** runtime_option_number - the number behind `NAME=` on the command line; @otherwise if it is not there. */
u64 runtime_option_number(const char *name, u64 otherwise);

/** runtime_is_dom0 - whether this is the initial domain. */
bool runtime_is_dom0(void);

/**
 * runtime_exit - end this domain.
 * @reason: SHUTDOWN_* of xen/sched.h.
 */
NORETURN void runtime_exit(u32 reason);

/**
 * panic - say why and end the domain with SHUTDOWN_crash.
 */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("%s:%d: not true: %s", __FILE__, __LINE__, #condition);                          \
    } while (0)

#endif
