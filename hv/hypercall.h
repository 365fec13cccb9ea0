/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercall table: Xen's numbers, one handler each. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "hv/types.h"

/* A handler gets the five argument registers and returns the new RAX. */
#define HV_HYPERCALL(name) long hv_do_##name(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
typedef long (*hv_hypercall_fn)(u64, u64, u64, u64, u64);

HV_HYPERCALL(set_trap_table);		/* trap.c */
HV_HYPERCALL(mmu_update);		/* mm_update.c */
HV_HYPERCALL(set_gdt);			/* mm_desc.c */
HV_HYPERCALL(stack_switch);		/* trap.c */
HV_HYPERCALL(set_callbacks);		/* trap.c */
HV_HYPERCALL(fpu_taskswitch);		/* vcpu.c */
HV_HYPERCALL(sched_op_compat);		/* compat.c */
HV_HYPERCALL(platform_op);		/* platform.c */
HV_HYPERCALL(set_debugreg);		/* debugreg.c */
HV_HYPERCALL(get_debugreg);		/* debugreg.c */
HV_HYPERCALL(update_descriptor);	/* mm_desc.c */
HV_HYPERCALL(memory_op);		/* memory.c */
HV_HYPERCALL(multicall);		/* multicall.c */
HV_HYPERCALL(update_va_mapping);	/* mm_update.c */
HV_HYPERCALL(set_timer_op);		/* time.c */
HV_HYPERCALL(event_channel_op_compat);	/* compat.c */
HV_HYPERCALL(xen_version);		/* version.c */
HV_HYPERCALL(console_io);		/* console_io.c */
HV_HYPERCALL(physdev_op_compat);	/* compat.c */
HV_HYPERCALL(grant_table_op);		/* grant.c */
HV_HYPERCALL(vm_assist);		/* domain.c */
HV_HYPERCALL(update_va_mapping_otherdomain);	/* mm_update.c */
HV_HYPERCALL(iret);			/* trap.c */
HV_HYPERCALL(vcpu_op);			/* vcpu_op.c */
HV_HYPERCALL(set_segment_base);		/* segment.c */
HV_HYPERCALL(mmuext_op);		/* mm_ext.c */
HV_HYPERCALL(xsm_op);			/* stubs of version.c */
HV_HYPERCALL(nmi_op);			/* callback.c */
HV_HYPERCALL(sched_op);			/* sched_op.c */
HV_HYPERCALL(callback_op);		/* callback.c */
HV_HYPERCALL(event_channel_op);		/* evtchn.c */
HV_HYPERCALL(physdev_op);		/* physdev.c */
HV_HYPERCALL(hvm_op);			/* version.c */
HV_HYPERCALL(sysctl);			/* sysctl.c */
HV_HYPERCALL(domctl);			/* domctl.c */

#ifdef HV_AUDIT
HV_HYPERCALL(audit);			/* audit.c; test builds, number 63 */
#endif

#define HV_NR_HYPERCALLS 64u

/* What the other parts of the hypervisor need of hv/evtchn.c, hv/grant.c, hv/console_io.c. */
int hv_evtchn_domain_init(struct hv_domain *d);
void hv_evtchn_domain_fini(struct hv_domain *d);
int hv_grant_domain_init(struct hv_domain *d);
/** hv_grant_domain_kill - gives up maps and grants of a dying domain; 0 or -ERESTART. */
int hv_grant_domain_kill(struct hv_domain *d);
void hv_grant_domain_fini(struct hv_domain *d);
/** hv_evtchn_vcpu_moved - @v's vcpu_info lies elsewhere now: raise what is pending again. */
void hv_evtchn_vcpu_moved(struct hv_vcpu *v);
/** hv_evtchn_poll_check - for SCHEDOP_poll: 1 pending, 0 not, -EINVAL no such port. */
int hv_evtchn_poll_check(struct hv_domain *d, u32 port);
void hv_virq_raise_vcpu(struct hv_vcpu *v, u32 virq);
void hv_virq_raise_global(u32 virq);
/** hv_console_ring_put - keeps console output for XEN_SYSCTL_readconsole. */
void hv_console_ring_put(const char *text, size_t size);
/** hv_console_input - bytes from the UART have arrived (hv_uart_getc). */
void hv_console_input(void);
/** hv_irq_guest - interrupt of IO-APIC pin @gsi that hv_ioapic_bind() gave to guests. */
void hv_irq_guest(u32 gsi);

#endif
