/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files traces/capture*.c. */
#ifndef PARAVANE_TRACES_CAPTURE_INTERNAL_H
#define PARAVANE_TRACES_CAPTURE_INTERNAL_H

#include <glib.h>

#include "sim/base/types.h"
#include "traces/capture.h"

#define CAPTURE_VCPUS_MAX 64

/* A hypercall under way, or complete. */
struct capture_call {
    uint64_t number, arg[6], rip, rsp;
    int64_t result;
    uint64_t count_after[2]; /* second and third argument when it goes on; else as arg */
    uint64_t insns, cycles;  /* at its entry */
    uint64_t switches;       /* of the capture, at its entry */
    uint64_t user_root;      /* the guest's user base pointer at its entry; 0: not known */
    unsigned domid, dom_vcpu;
    unsigned depth, index;
    unsigned entries; /* of a multicall: how many have begun */
    enum trace_hypercall_end end;
    GArray *grant_frame;       /* struct capture_grant_frame: what copies have resolved */
    struct trace_build *build; /* with the memory of its entry */
};

struct capture_grant_frame {
    uint32_t domid, ref;
    uint64_t mfn;
};

/* A function that has been entered and not yet returned. */
struct activation {
    const struct trace_point *point;
    uint64_t sp, ra; /* at its entry: RSP, and the return address there */
    uint64_t gpr[16];
    uint64_t value[TRACE_OPERANDS_MAX];
    uint32_t known; /* bit: value is */
    unsigned domid, dom_vcpu;
    struct capture_call *call; /* hypercalls only; owned */
    /* What an inner point has told: the port that became pending. */
    bool has_pending;
    uint64_t pending[3]; /* domain, vCPU, port */
};

/* One stack of the hypervisor; activations grow inwards. */
struct capture_stack {
    uint64_t base;
    GArray *active; /* struct activation */
};

/* A grant that is mapped. */
struct capture_mapping {
    uint64_t key; /* mapper << 32 | handle */
    uint32_t granter, ref;
    uint64_t mfn;
    uint32_t halves; /* GNTMAP_device_map, GNTMAP_host_map */
};

struct capture_who {
    unsigned domid, dom_vcpu;
};

/* A hypercall of an unknown hypervisor: until the guest goes on behind it. */
struct guest_call {
    struct capture_call *call;
    uint64_t rsp;
    unsigned vcpu;
};

struct trace_capture {
    const struct base_guest *guest;
    const struct trace_profile *profile;
    struct trace_sink sink;
    bool want[TRACE_KIND_MAX + 1];
    bool sees_multicall_entries, sees_cr3, sees_flushes, sees_sends;
    struct point_user *users;
    unsigned user_count;
    GHashTable *returns; /* return addresses with an execution point: looked up, freed */
    GArray *return_list; /* the same, to take back */
    GArray *stacks;
    unsigned last_stack;
    GPtrArray *builders; /* not in use */
    struct trace_build *scratch;
    GArray *mappings; /* struct capture_mapping, by key */
    struct capture_who who[CAPTURE_VCPUS_MAX]; /* who ran last on each vCPU of the machine */
    uint64_t switches; /* how often another vCPU has begun to run, anywhere */
    unsigned last_vcpu;
    GArray *guest_calls; /* struct guest_call */
    GArray *guest_returns; /* addresses behind hypercalls, with an execution point */
    bool seen_high;      /* a SYSCALL from the upper half */
    GString *console;    /* the line that is not complete */
    struct trace_capture_counts counts;
};

struct point_user {
    struct trace_capture *capture;
    const struct trace_point *point;
};

/* ---- capture.c ---- */

static inline bool capture_knows(const struct activation *a, unsigned operand)
{
    return (a->known >> operand & 1) != 0;
}

/** capture_begin - an event in the scratch builder, at @view, of the vCPU that runs. */
struct trace_build *capture_begin(struct trace_capture *c, enum trace_kind_id kind,
                                  const struct base_guest_view *view);
void capture_emit(struct trace_capture *c, struct trace_build *b);
/** capture_who_runs - by the profile, in the hypervisor; noted for events from the guest. */
void capture_who_runs(struct trace_capture *c, const struct base_guest_view *view,
                      unsigned *domid, unsigned *dom_vcpu);
/** capture_outer - the innermost activation of @kind below the top of the stack of @sp. */
struct activation *capture_outer(struct trace_capture *c, uint64_t sp, enum trace_point_kind kind);
struct trace_build *capture_builder_take(struct trace_capture *c);
void capture_builder_give(struct trace_capture *c, struct trace_build *b);
bool capture_is_call(const struct trace_point *point);
/** capture_forget - all that is under way, and the points at return addresses. */
void capture_forget(struct trace_capture *c);
/** capture_watch_again - put points at the return addresses in the lists. */
void capture_watch_again(struct trace_capture *c);
void capture_guest_watch_again(struct trace_capture *c); /* capture_call.c */
/** capture_note_vcpu - @vcpu of the machine runs. */
void capture_note_vcpu(struct trace_capture *c, unsigned vcpu);

/* ---- capture_call.c ---- */

void capture_hypercall_entry(struct trace_capture *c, struct activation *a,
                             const struct base_guest_view *view);
void capture_hypercall_exit(struct trace_capture *c, struct activation *a,
                            const struct base_guest_view *view);
/** capture_hypercall_lost - it will not return. */
void capture_hypercall_lost(struct trace_capture *c, struct capture_call *call, uint64_t insns,
                            uint64_t virtual_ns, unsigned vcpu);
void capture_call_free(struct trace_capture *c, struct capture_call *call);
struct capture_call *capture_call_new(struct trace_capture *c);
/** capture_guest_syscall - of an unknown hypervisor. */
void capture_guest_syscall(struct trace_capture *c, uint64_t rip);
void capture_guest_calls_end(struct trace_capture *c, uint64_t insns, uint64_t virtual_ns);

/* ---- capture_memory.c ---- */

void capture_memory(struct trace_capture *c, struct trace_build *build,
                    const struct capture_call *call, const struct base_guest_view *view,
                    unsigned stage);
size_t capture_grant_op_bytes(uint64_t command);

/* ---- capture_derived.c ---- */

/** capture_derive_entry - of one that has just begun. */
void capture_derive_entry(struct trace_capture *c, const struct capture_call *call,
                          const struct base_guest_view *view);
/** capture_derive - events that follow from a complete hypercall's memory and result. */
void capture_derive(struct trace_capture *c, const struct capture_call *call,
                    const struct base_guest_view *view);

/* ---- capture_points.c ---- */

/** capture_point - the event of a point that is no hypercall: at its entry, or at its return if it
 *  has operands there. */
void capture_point(struct trace_capture *c, struct activation *a,
                   const struct base_guest_view *view);

/* ---- capture_probe.c ---- */

/** capture_read_l1e - the entry that maps @va; false if tables or entry are not there. */
bool capture_read_l1e(const struct base_guest *guest, uint64_t cr3, uint64_t va, uint64_t *pte);
void capture_console_flush(struct trace_capture *c, const struct base_probe_at *at);

#endif
