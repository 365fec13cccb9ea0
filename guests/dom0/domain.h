/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domains that this domain 0 has started: from their creation to the moment nothing of them is left.
 *
 *            domain_create            SCHEDOP_shutdown           domain_destroy
 *   (none) ----------------> paused/running -----------> ended ----------------> (none)
 *                                   \________________________________________/
 */
#ifndef GUESTS_DOM0_DOMAIN_H
#define GUESTS_DOM0_DOMAIN_H

#include "guests/dom0/console_service.h"
#include "guests/dom0/xenstore.h"
#include "guests/lib/types.h"

#define DOMAIN_NAME_BYTES 32

struct domain {
    struct domain *next; /* in the order of their creation */
    u16 domid;
    char name[DOMAIN_NAME_BYTES];
    u32 vcpus;
    bool ended;     /* it has shut down or crashed */
    u32 end_reason; /* SHUTDOWN_* */

    /* Its rings, mapped by grant, and our ends of its event channels; < 0: none. */
    u64 store_va, console_va;
    long store_handle, console_handle;
    long store_port, console_port;
    bool store_event, console_event; /* something came in, or is left to do */
    struct xenstore_connection *store;
    struct console console;
};

struct domain_config {
    const char *name, *cmdline;
    const u8 *kernel, *initrd; /* files in memory; @initrd may be NULL */
    u64 kernel_bytes, initrd_bytes;
    u64 pages;
    u32 vcpus;
};

extern struct xenstore domain_xenstore;
/** All domains, for reading. */
extern struct domain *domain_first;

void domain_init(void);

/**
 * domain_create - build a domain; it is left paused.
 * @why: on failure, a text for the user; it stays valid until the next call.
 * Returns: NULL on failure.
 */
struct domain *domain_create(const struct domain_config *config, const char **why);

/** domain_destroy - end it at once and forget it.  Its console's last words are printed first. */
void domain_destroy(struct domain *domain);

/** domain_find - by name, or by its number. */
struct domain *domain_find(const char *name);

/** domain_set_target - tell the domain how much memory it should have, and allow it. */
long domain_set_target(struct domain *domain, u64 pages);

/** domain_path - "/local/domain/ID/REST" in a buffer of the function, valid until the next call. */
const char *domain_path(const struct domain *domain, const char *rest);

/**
 * domain_service - serve the rings of all domains and see who has ended.  Bounded work.
 * Returns: whether there is more to do at once.
 */
bool domain_service(void);

/** domain_ended - note that VIRQ_DOM_EXC came: some domain may have ended. */
void domain_ended_event(void);

#endif
