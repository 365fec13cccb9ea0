/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of a run: what came in from outside, and points of the hash chain.  The payload of a
 * LOG frame, and of the ENDING frame.
 *
 * A point is a digest of the whole state at an instant between two instructions.  It depends
 * on the state only, so that it can be checked from any checkpoint on.  Of the CPUs it has the
 * main registers themselves, so that a difference has a name.
 */
#ifndef PARAVANE_TRACES_LOG_H
#define PARAVANE_TRACES_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TRACE_LINK_VCPUS 8
#define TRACE_LINK_REGS  28

/** Names of a point's registers: rax ... r15, rip, rflags, cr0, cr2, cr3, cr4, efer, cs, ss,
 *  fs_base, gs_base, cycles. */
extern const char *const trace_link_reg_names[TRACE_LINK_REGS];

/* Exactly where a machine stands, also while it sleeps. */
struct trace_position {
    uint64_t insns;
    uint64_t virtual_ns;
    uint64_t slice_ns; /* where the scheduler's slice began */
    uint64_t turn;     /* and whose turn in it is next */
};

/* Digests of the state by parts. */
struct trace_digest {
    /*
     * Sums over all frames of h and of frame number times h, where h is the hash of a frame's
     * content, 0 if that is all zero.  Should one frame differ, the quotient of the two
     * differences is its number.
     */
    uint64_t memory, memory_by_frame;
    uint64_t devices;
    uint64_t cpus;
};

struct trace_link {
    struct trace_position at;
    struct trace_digest digest;
    uint64_t event; /* number of the next event, if events are recorded */
    unsigned vcpus;
    uint64_t reg[TRACE_LINK_VCPUS][TRACE_LINK_REGS];
};

/* What one poll brought. */
struct trace_input {
    uint32_t channel;
    uint64_t virtual_ns, insns;
    const uint8_t *data;
    uint32_t size_bytes;
};

/* One LOG frame: all that came in up to the instant @until, and the points up to there. */
struct trace_log {
    struct trace_position until;
    GArray *inputs; /* struct trace_input; their bytes are in @bytes, or in a payload */
    GArray *points; /* struct trace_link */
    GByteArray *bytes;
    GBytes *payload; /* that bytes of inputs lie in; owned, may be NULL */
};

struct trace_log *trace_log_new(void);
void trace_log_free(struct trace_log *log);
void trace_log_clear(struct trace_log *log);

/** trace_log_input - append; the bytes are copied. */
void trace_log_input(struct trace_log *log, const struct trace_input *input);

GByteArray *trace_log_put(const struct trace_log *log);
/** trace_log_get - append what @data, which must outlive @log, says to @log.  Returns: false if
 *  it is damaged. */
bool trace_log_get(struct trace_log *log, const void *data, size_t size_bytes);

/* The end of a recording. */
struct trace_end {
    char *stop_reason;
    bool has_exit_value;
    uint32_t exit_value;
    char *state_hash; /* empty: not computed */
    struct trace_link point;
};

GByteArray *trace_end_put(const struct trace_end *end);
/** trace_end_get - Returns: false if it is damaged.  trace_end_clear() in any case. */
bool trace_end_get(struct trace_end *end, const void *data, size_t size_bytes);
void trace_end_clear(struct trace_end *end);

#endif
