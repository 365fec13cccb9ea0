/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for the hypervisor's services: frames, three domains and their page-table entries, kept by
 * the simplest code that keeps the promises of hv/frame.h, hv/domain.h and hv/mm.h.
 *
 * Tests include this and none of the hypervisor's headers, whose names of errors are the host's too.
 */
#ifndef TESTS_UNIT_HV_WORLD_H
#define TESTS_UNIT_HV_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define WORLD_DOMAINS 3u  /* 0, 1 and 2; 0 is privileged */
#define WORLD_FRAMES 512u /* of all */
#define WORLD_OWN 32u     /* frames of each domain at the start */
#define WORLD_ENTRIES 64u /* page-table entries of each domain, at host addresses WORLD_VA(n) */
#define WORLD_VA(n) (0x400000ull + (n) * 4096ull)

void world_init(void);
void world_fini(void);

/** world_is - the domain whose vCPU 0 makes the calls that follow. */
void world_is(unsigned domain);
/** world_mfn - frame number @n of those a domain had at the start. */
uint64_t world_mfn(unsigned domain, unsigned n);
void *world_frame(uint64_t mfn);
/** world_pte - the entry at WORLD_VA(@n) of a domain; world_pte_set - changes it as mmu_update would. */
uint64_t world_pte(unsigned domain, unsigned n);
bool world_pte_set(unsigned domain, unsigned n, uint64_t pte);
uint32_t world_count(uint64_t mfn);
uint32_t world_type_count(uint64_t mfn);
unsigned world_owner(uint64_t mfn);
/** world_flushes - how many times the TLB was flushed. */
unsigned world_flushes(void);
/** world_preempt - every so many checks for preemption find one due; 0: none. */
void world_preempt(unsigned every);
/** world_pages - pages the hypervisor has allocated for itself. */
unsigned world_pages(void);
bool world_event_pending(unsigned domain, uint32_t port);
bool world_upcall_pending(unsigned domain);
void world_event_mask(unsigned domain, uint32_t port, bool masked);
void world_event_clear(unsigned domain, uint32_t port);

/** world_grant_op, world_evtchn_op - the calls, continued until they are done. */
long world_grant_op(unsigned cmd, void *arg, unsigned count);
long world_evtchn_op(unsigned cmd, void *arg);
/** world_kill - ends a domain's use of grants and ports, as destroydomain does. */
void world_kill(unsigned domain);
void world_virq(unsigned domain, unsigned virq);
void world_evtchn_limit(unsigned domain, uint32_t max_port);
int world_grant_limit(unsigned domain, int32_t frames, int32_t maptrack, unsigned version);

/** world_audit - recounts everything.  Returns: the number of disagreements. */
unsigned world_audit(void);

#endif
