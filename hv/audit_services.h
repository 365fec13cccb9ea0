/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recounting ports and grants, for test builds. */
#ifndef HV_AUDIT_SERVICES_H
#define HV_AUDIT_SERVICES_H

#include "hv/frame.h"

/** hv_evtchn_audit, hv_grant_audit - recount the tables.  Return: the number of disagreements. */
unsigned hv_evtchn_audit(void);
unsigned hv_grant_audit(void);

/**
 * hv_service_visit - calls @fn for each reference to a frame which belongs to no page-table entry but
 * to a service: a device half of a grant map, the page of EOIs.  @writable: a type reference as well.
 */
void hv_service_visit(void (*fn)(hv_mfn_t mfn, bool writable, void *data), void *data);

/* Of the scheduler (sched.c), of time (time.c), of interrupts: the number of disagreements. */
unsigned hv_sched_audit(void);
unsigned hv_time_audit(void);
unsigned hv_irq_audit(void);

#endif
