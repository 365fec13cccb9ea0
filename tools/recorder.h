/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording a run: a probe and a wrapper around its input, which write a trace.
 *
 *     rec = recorder_new(&options, config, &error);      images are read
 *     attach.input = recorder_input(rec, attach.input);  before the machine is made
 *     machine = sim_machine_new(config, &attach, &error);
 *     recorder_start(rec, machine, &error);              the file exists
 *     ... run ...
 *     recorder_finish(rec, &ending, &error);
 *
 * The machine does not notice: its run has the same state as one that is not recorded.
 */
#ifndef PARAVANE_TOOLS_RECORDER_H
#define PARAVANE_TOOLS_RECORDER_H

#include "sim/config.h"
#include "sim/machine.h"
#include "traces/event.h"
#include "traces/log.h"
#include "traces/profile.h"

/* Instructions between checkpoints when nothing else is said; docs/benchmarks.md has the
 * measurements. */
#define RECORDER_CHECKPOINT_INSNS 100000000u

struct recorder_options {
    const char *path;
    bool want[TRACE_KIND_MAX + 1];       /* kinds of events */
    const struct trace_profile *profile; /* of the hypervisor, borrowed; NULL: none */
    uint64_t checkpoint_insns;           /* at multiples of SIM_MACHINE_SETTLE_INSNS; 0: none */
    uint64_t save_at; /* a single checkpoint, such that a run until here is short, and
                         nothing behind it; 0: a whole recording */
    bool has_input;   /* recorder_input() will be given one */
    bool no_pack;     /* leave out the images themselves */
};

struct recorder;

/** recorder_new - read the images, which are given to @config, borrowed.  No file is written. */
struct recorder *recorder_new(const struct recorder_options *options, struct sim_config *config,
                              GError **error);

/** recorder_input - what to attach in the place of @input; NULL if that is NULL. */
const struct base_input *recorder_input(struct recorder *rec, const struct base_input *input);

/** recorder_start - start the file; @machine, borrowed, is at power-on.  Nothing that was at the
 *  path before is lost until a machine stands. */
gboolean recorder_start(struct recorder *rec, struct sim_machine *machine, GError **error);

/** recorder_failed - writing has failed.  The machine has been asked to stop. */
bool recorder_failed(const struct recorder *rec);

/**
 * recorder_finish - the run has ended, or is to be recorded no further: write the ending.
 * @stop_reason, @exit_value (NULL: none), @state_hash (may be empty): of the summary.
 * Returns: FALSE with @error if the file is not whole; what could be written stays.
 */
gboolean recorder_finish(struct recorder *rec, const char *stop_reason, const uint32_t *exit_value,
                         const char *state_hash, GError **error);

/** recorder_free - as recorder_finish() without an ending, as if the file was cut off. */
void recorder_free(struct recorder *rec);

#endif
