/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak versions of what other files define: calls that do not exist answer -ENOSYS. */
#include "hv/hypercall.h"

#define NOT_THERE(name) \
    HV_WEAK HV_HYPERCALL(name) { (void)a0, (void)a1, (void)a2, (void)a3, (void)a4; return -ENOSYS; }
NOT_THERE(sched_op_compat)
NOT_THERE(platform_op)
NOT_THERE(event_channel_op_compat)
NOT_THERE(xen_version)
NOT_THERE(console_io)
NOT_THERE(physdev_op_compat)
NOT_THERE(grant_table_op)
NOT_THERE(xsm_op)
NOT_THERE(nmi_op)
NOT_THERE(callback_op)
NOT_THERE(event_channel_op)
NOT_THERE(physdev_op)
NOT_THERE(hvm_op)
NOT_THERE(sysctl)
NOT_THERE(domctl)

HV_WEAK int hv_evtchn_domain_init(struct hv_domain *d) { (void)d; return 0; }
HV_WEAK void hv_evtchn_domain_fini(struct hv_domain *d) { (void)d; }
HV_WEAK int hv_grant_domain_init(struct hv_domain *d) { (void)d; return 0; }
HV_WEAK int hv_grant_domain_kill(struct hv_domain *d) { (void)d; return 0; }
HV_WEAK void hv_grant_domain_fini(struct hv_domain *d) { (void)d; }
HV_WEAK void hv_evtchn_vcpu_moved(struct hv_vcpu *v) { (void)v; }
HV_WEAK int hv_evtchn_poll_check(struct hv_domain *d, u32 port) { (void)d, (void)port; return -EINVAL; }
HV_WEAK void hv_virq_raise_vcpu(struct hv_vcpu *v, u32 virq) { (void)v, (void)virq; }
HV_WEAK void hv_virq_raise_global(u32 virq) { (void)virq; }
HV_WEAK void hv_console_ring_put(const char *text, size_t size) { (void)text, (void)size; }
HV_WEAK void hv_console_input(void) {}
HV_WEAK void hv_irq_guest(u32 gsi) { (void)gsi; }
