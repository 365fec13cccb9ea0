/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are, for observers: the profile of this hypervisor reads these constants by their
 * symbols, and so need not change with the structures.  Nothing here is used by the hypervisor.
 */
#include <stddef.h>

#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/grant_table.h"

#define HV_OFFSET(name, type, member)                                                              \
    extern const u32 hv_offset_##name;                                                             \
    const u32 hv_offset_##name __attribute__((used)) = offsetof(type, member)

HV_OFFSET(vcpu_regs, struct hv_vcpu, regs);
HV_OFFSET(vcpu_flags, struct hv_vcpu, flags);
HV_OFFSET(vcpu_domain, struct hv_vcpu, domain);
HV_OFFSET(vcpu_id, struct hv_vcpu, id);
HV_OFFSET(vcpu_cr3, struct hv_vcpu, cr3);
HV_OFFSET(vcpu_user_cr3, struct hv_vcpu, user_cr3);
HV_OFFSET(vcpu_event_callback, struct hv_vcpu, event_callback);
HV_OFFSET(domain_id, struct hv_domain, id);
HV_OFFSET(frame_type_count, struct hv_frame, type_count);
HV_OFFSET(frame_owner, struct hv_frame, owner);

/* A profile takes a frame's type word as eight bytes: count, owner, type, flags. */
_Static_assert(offsetof(struct hv_frame, owner) == offsetof(struct hv_frame, type_count) + 4 &&
                   offsetof(struct hv_frame, type) == offsetof(struct hv_frame, type_count) + 6 &&
                   offsetof(struct hv_frame, flags) == offsetof(struct hv_frame, type_count) + 7,
               "traces/profiles/hv.profile knows this");
_Static_assert(offsetof(struct hv_grant_use, mfn) == 0x10, "traces/profiles/hv.profile knows this");
