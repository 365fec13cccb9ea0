/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second domain, made by a conformance guest that is the initial domain: enough of one to own frames,
 * grants and event channels, and to run a few instructions.
 */
#ifndef GUESTS_CONFORM_CHILD_H
#define GUESTS_CONFORM_CHILD_H

#include "guests/conform/conform.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

#define CHILD_PAGES   16u
#define CHILD_PORTS   20u
/* Where its pages lie in its own address space, in order. */
#define CHILD_VA      0x400000ul
/* Its pages: child_boot() uses the first ones. */
enum { CHILD_L4, CHILD_L3, CHILD_L2, CHILD_L1, CHILD_CODE, CHILD_STACK, CHILD_DATA, CHILD_FREE };

struct child {
    u16 domid;
    u64 mfn[CHILD_PAGES];        /* by its pfn */
    grant_entry_v1_t *grants;    /* its table, mapped here */
    shared_info_t *shared;       /* its shared info page, mapped here */
};

/** domctl_op - the interface version and the domain filled in; @op keeps what the hypervisor wrote. */
long domctl_op(xen_domctl_t *op, u32 cmd, u16 domid);

/** sysctl_op - the same. */
long sysctl_op(xen_sysctl_t *op, u32 cmd);

/** domctl_plain - a domctl without arguments. */
long domctl_plain(u32 cmd, u16 domid);

/**
 * child_make - a paused domain with @vcpus vCPUs, CHILD_PAGES pages, CHILD_PORTS ports at most and a
 * grant table of one frame.
 * Returns: 0, or the hypervisor's answer to the step that failed.
 */
long child_make(struct child *child, u32 vcpus);

/**
 * child_end - destroy it; what this domain maps of it is let go first, but for maps of grants.
 * Returns: the hypervisor's answer.
 */
long child_end(struct child *child);

/** child_info - getdomaininfo.  Returns: 0; -ESRCH when it is gone. */
long child_info(const struct child *child, xen_domctl_getdomaininfo_t *info);

/** child_map - frame @mfn of the domain, writable, in the window; NULL on failure. */
void *child_map(const struct child *child, u64 mfn);

/** What its code does next; it counts, yielding, while that is CHILD_COUNT. */
enum { CHILD_COUNT, CHILD_SHUTDOWN, CHILD_UNDEFINED, CHILD_BLOCK, CHILD_CALL };

/** The start of its page CHILD_DATA, where its code looks for what to do. */
struct child_data {
    u64 counter;
    u64 command; /* CHILD_COUNT again after a CHILD_CALL */
    u64 reason;  /* of CHILD_SHUTDOWN */
    u64 result;
    u64 number, args[5]; /* of CHILD_CALL */
};

/**
 * child_boot - page tables that map all its pages at CHILD_VA, code in one of them, and vCPU 0 set up
 * to start there, as a kernel with a stack; it stays paused.
 */
long child_boot(struct child *child);

/** child_context - (re)set vCPU 0 to the start of its code. */
long child_context(const struct child *child);

/**
 * child_call - have a child that runs make a hypercall; @data: its page CHILD_DATA, mapped here.
 * Returns: its answer; panics when it makes none.
 */
long child_call(volatile struct child_data *data, u64 number, u64 a, u64 b, u64 c, u64 d, u64 e);

#endif
