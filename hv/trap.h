/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions, and how a guest is told of them. */
#ifndef HV_TRAP_H
#define HV_TRAP_H

#include "hv/domain.h"
#include "hv/types.h"

#define HV_TRAP_DB 1u
#define HV_TRAP_UD 6u
#define HV_TRAP_NM 7u
#define HV_TRAP_GP 13u
#define HV_TRAP_PF 14u

void hv_trap_init(void);
void hv_trap_late_init(void);
/** hv_inject - bounces exception @vector to the current guest's handler, now. */
void hv_inject(u32 vector, u32 error);
void hv_inject_pf(u64 va, u32 error);
/** hv_bounce - pushes a frame for @entry and goes there; false: the guest has crashed. */
bool hv_bounce(u64 entry, bool has_error, u32 error, bool mask, bool failsafe);
/** hv_toggle_mode - between guest kernel and guest user mode of the current vCPU. */
void hv_toggle_mode(struct hv_vcpu *v);
/** hv_emulate_gp - tries a privileged instruction; true: done (or an exception is injected). */
bool hv_emulate_gp(struct cpu_user_regs *r);
/** hv_emulate_ud - the forced-emulation CPUID. */
bool hv_emulate_ud(struct cpu_user_regs *r);
void hv_event_upcall(struct hv_vcpu *v);
u64 hv_gdt_page_mfn(void);
bool hv_ptwr(struct hv_vcpu *v, u64 va);
/** hv_segments_load, hv_segments_save - selectors and bases at a context switch. */
void hv_segments_load(struct hv_vcpu *v);
void hv_segments_save(struct hv_vcpu *v);
void hv_fpu_load(struct hv_vcpu *v);
void hv_fpu_save(struct hv_vcpu *v);
void hv_load_gdt(struct hv_vcpu *v);
/** hv_set_rsp0 - where exceptions push: the end of @v's registers. */
void hv_set_rsp0(struct hv_vcpu *v);
int hv_set_debugreg(struct hv_vcpu *v, u32 n, u64 value);
void hv_debugregs_load(struct hv_vcpu *v);
/** hv_virtual_cpuid - what guests are told (emul_cpuid.c). */
bool hv_virtual_fsgsbase(void);
void hv_virtual_cpuid(u32 leaf, u32 sub, u32 r[4]);

#endif
