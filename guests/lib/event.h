/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels, two-level ABI, vCPU 0.
 */
#ifndef GUESTS_LIB_EVENT_H
#define GUESTS_LIB_EVENT_H

#include "guests/lib/types.h"

/** Called with @port's pending bit cleared and all upcalls masked. */
typedef void (*event_handler)(u32 port, void *arg);

/** event_init - mask all ports; called by the runtime. */
void event_init(void);

/** event_dispatch - handle all pending ports; called by the upcall. */
void event_dispatch(void);

/** event_set_handler - who gets @port; NULL: its events are dropped.  Does not unmask. */
void event_set_handler(u32 port, event_handler handler, void *arg);
bool event_has_handler(u32 port);

/** event_enable, event_disable - upcalls to this vCPU; enabling delivers what is pending. */
void event_enable(void);
void event_disable(void);
/** event_enabled - whether upcalls are enabled; false before shared_info is mapped. */
bool event_enabled(void);

/** event_mask, event_unmask - one port. */
void event_mask(u32 port);
void event_unmask(u32 port);

/** event_pending - whether the port's bit is set; event_clear: clear it, returning what it was. */
bool event_pending(u32 port);
bool event_clear(u32 port);

/*
 * The hypercalls.  Those that make a port return it, or a negative errno.
 */
long event_alloc_unbound(u16 domid, u16 remote_domid);
long event_bind_interdomain(u16 remote_domid, u32 remote_port);
long event_bind_virq(u32 virq, u32 vcpu);
long event_bind_ipi(u32 vcpu);
long event_send(u32 port);
long event_close(u32 port);

/** event_wait - block until an upcall has been handled (SCHEDOP_block). */
void event_wait(void);

#endif
