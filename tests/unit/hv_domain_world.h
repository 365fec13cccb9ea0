/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's frames, their types, domains, ports and grants on the host, as they are: only the processor
 * and the scheduler are missing.  There is so much memory as a test leaves.
 *
 * Tests include this and none of the hypervisor's headers, whose names of errors are the host's too.
 */
#ifndef TESTS_UNIT_HV_DOMAIN_WORLD_H
#define TESTS_UNIT_HV_DOMAIN_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define DOMAIN_WORLD_FRAMES 512u

/** domain_world_init - domain 0 is there, and nothing else. */
void domain_world_init(void);
void domain_world_fini(void);

/** domain_world_leave - take frames away, or give them back, until @n are free. */
void domain_world_leave(uint64_t n);
/** domain_world_free - how many frames are free. */
uint64_t domain_world_free(void);

/** domain_world_create - a domain of this number with this many vCPUs (0: none).  Returns: 0 or the error. */
int domain_world_create(uint16_t id, unsigned vcpus);
/** domain_world_exists - whether it is found. */
bool domain_world_exists(uint16_t id);
/** domain_world_vcpus - how many it has. */
unsigned domain_world_vcpus(uint16_t id);
/** domain_world_kill - end it. */
void domain_world_kill(uint16_t id);

/* ---- page tables ---- */

/** domain_world_is - whose calls follow: a vCPU of a domain. */
void domain_world_is(uint16_t id, unsigned vcpu);
/** domain_world_preempt - an operation is stopped after so many units of work; 0: never. */
void domain_world_preempt(unsigned every);
/** domain_world_frame - a new frame of a domain; domain_world_table - its 512 entries. */
uint64_t domain_world_frame(uint16_t id);
uint64_t *domain_world_table(uint64_t mfn);
/**
 * domain_world_get, domain_world_put - take and drop a reference to a frame as a table of @level.
 * Returns: 0, an error, or -ERESTART when it was stopped and is to be called again.
 */
int domain_world_get(uint64_t mfn, unsigned level);
void domain_world_put(uint64_t mfn);
/** domain_world_drain - take apart what is due; 0 or -ERESTART. */
int domain_world_drain(void);
/** domain_world_entries - how many entries of a table have been checked so far. */
unsigned domain_world_entries(uint64_t mfn);
/** domain_world_valid - whether all have. */
bool domain_world_valid(uint64_t mfn);
uint32_t domain_world_count(uint64_t mfn);
uint32_t domain_world_type_count(uint64_t mfn);

#endif
