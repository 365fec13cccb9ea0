/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's frames, domains, ports and grants on the host, as they are: only the processor, the
 * scheduler and the page tables are missing.  There is so much memory as a test leaves.
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

#endif
