/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole machine: composition, run loop, state.
 *
 * Life: sim_machine_new() builds RAM, CPUs and devices from a configuration, loads the
 * images and leaves the machine at power-on; sim_machine_run() goes on from where it is
 * until a limit or an end; it may be called again after a limit.
 */
#ifndef PARAVANE_SIM_MACHINE_H
#define PARAVANE_SIM_MACHINE_H

#include <glib.h>

#include "cpu/cpu.h"
#include "sim/base/input.h"
#include "sim/base/probe.h"
#include "sim/base/state.h"
#include "sim/bus.h"
#include "sim/config.h"

struct sim_machine;

/* What outside the machine it talks to; every member may be NULL. */
struct sim_attachments {
    const struct base_input *input; /* console bytes in; borrowed */
    /* Console bytes out, in order; what it does must not change the machine. */
    void (*console)(void *user, uint8_t byte);
    void *console_user;
};

struct sim_limits {
    uint64_t insns;      /* stop before instruction number insns+1; UINT64_MAX: none */
    uint64_t virtual_ns; /* stop at this instant; UINT64_MAX: none */
};

/*
 * Every so many instructions a machine settles: it forgets what it need not remember, so that
 * its state can be saved and goes on in another process exactly as here.  This is part of what
 * a run is: it happens whether somebody looks or not.
 */
#define SIM_MACHINE_SETTLE_INSNS 10000000u

/* Raised whenever a state that was saved would not go on as before in a newer version. */
#define SIM_MACHINE_STATE_NUMBER 2u

/* Where a run stands, also while no instruction is executed. */
struct sim_position {
    uint64_t insns;
    uint64_t slice_ns; /* where the scheduler's slice began */
    uint32_t turn;     /* whose turn in it is next */
};

enum sim_stop {
    SIM_STOP_LIMIT,     /* a limit was reached; run again to go on */
    SIM_STOP_REQUEST,   /* sim_machine_request_stop(); run again to go on */
    SIM_STOP_POWER_OFF, /* ACPI S5 */
    SIM_STOP_RESET,     /* the guest asked for a reset */
    SIM_STOP_EXIT_PORT, /* sim_machine_exit_value() */
    SIM_STOP_HALTED,    /* every CPU in HLT with interrupts off */
    SIM_STOP_IDLE,      /* every CPU in HLT and no event will ever come */
    SIM_STOP_TRIPLE_FAULT,
    SIM_STOP_CRASH,
};

struct sim_machine *sim_machine_new(const struct sim_config *config,
                                    const struct sim_attachments *attach, GError **error);
void sim_machine_free(struct sim_machine *m);

enum sim_stop sim_machine_run(struct sim_machine *m, const struct sim_limits *limits);

/** sim_machine_request_stop - from a console or probe callback (not async-signal-safe). */
void sim_machine_request_stop(struct sim_machine *m);
/** sim_machine_interrupt - the same from a signal handler: sets a flag only.  The instant is
 *  not part of the machine's history: for leaving, not for looking. */
void sim_machine_interrupt(struct sim_machine *m);

/** sim_stop_name - "power-off", "reset", "exit-port", "halted", "idle", "triple-fault",
 *  "crash", "limit", "request": as the summary has them. */
const char *sim_stop_name(enum sim_stop stop);

uint64_t sim_machine_insns(const struct sim_machine *m);
uint64_t sim_machine_virtual_ns(const struct sim_machine *m);
uint32_t sim_machine_exit_value(const struct sim_machine *m);
unsigned sim_machine_cpus(const struct sim_machine *m);
struct cpu *sim_machine_cpu(struct sim_machine *m);
struct mmu_ram *sim_machine_ram(struct sim_machine *m);

void sim_machine_position(const struct sim_machine *m, struct sim_position *out);

/**
 * sim_machine_run_to - go on until exactly @to.
 * Returns: LIMIT when the machine is there, or past it because it is not on the way:
 *          sim_machine_position() tells; else why it stopped before.
 */
enum sim_stop sim_machine_run_to(struct sim_machine *m, const struct sim_position *to);

/** sim_machine_set_input - who is asked from now on; as attach.input. */
void sim_machine_set_input(struct sim_machine *m, const struct base_input *input);

/** sim_machine_on_settled - @fn is called between two instructions whenever the machine has
 *  settled; a state that is saved there goes on exactly as this machine does.  NULL: nobody. */
void sim_machine_on_settled(struct sim_machine *m, void (*fn)(void *user), void *user);

void sim_machine_attach_probe(struct sim_machine *m, const struct base_probe *probe);

/* Parts of the state. */
enum {
    SIM_PART_DEVICES = 1, /* and the scheduler and the timeline */
    SIM_PART_CPUS = 2,
    SIM_PART_HIDDEN = 4,  /* see cpu_hidden_state() */
    SIM_PART_RAM = 8,
};

/** sim_machine_visit - visit some parts, in the order of the list. */
void sim_machine_visit(struct sim_machine *m, struct base_state *st, unsigned parts);

/**
 * sim_machine_load - devices, CPUs and hidden state as @data has them, saved by
 *                    sim_machine_visit(); RAM is cleared: fill it with mmu_ram_restore().
 * Returns: FALSE with @error if they are not those of such a machine; it must not be run then.
 */
gboolean sim_machine_load(struct sim_machine *m, const void *data, size_t size_bytes,
                          GError **error);

/** sim_machine_state - visit everything: CPUs, RAM, devices, timeline, scheduler. */
void sim_machine_state(struct sim_machine *m, struct base_state *st);
/** sim_machine_state_hash - of the same. */
void sim_machine_state_hash(struct sim_machine *m, char text[BASE_HASH_TEXT]);

#endif
