/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_channel_op, all of it.  Unbound ports are found on the boards.
 *
 * Left out of a domain that is to survive: closing and moving the ports of its rings and its timers; so is
 * the reset of all ports, but of a reckless domain.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/event.h"

#include <xen/event_channel.h>

/* @note: for @learn. */
static bool event_op(struct fuzz_call *call, u32 command, void *op, fuzz_learner learn, u64 note)
{
    call->buffer = op;
    call->note[0] = note;
    call->learn = learn;
    fuzz_call_set(call, __HYPERVISOR_event_channel_op, command, command, (u64)op, 0);
    return true;
}

static u32 some_vcpu(struct fuzz_cpu *cpu)
{
    return fuzz_one_in(cpu, 10) ? (u32)fuzz_random(cpu) >> fuzz_below(cpu, 32) : (u32)fuzz_below(cpu, fuzz.vcpus);
}

/* A toolstack needs ports again and again: beyond those that fuzz_port() closes it keeps none. */
static void new_port(u32 port)
{
    if (fuzz.toolstack && port >= BOARD_PORTS)
        event_close(port);
}

/* The note: where the structure has the new port. */
static bool learn_port(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    (void)cpu;
    if (!result)
        new_port(*(u32 *)((u8 *)call->buffer + call->note[0]));
    return !result;
}

/* The note: whether it is ours. */
static bool learn_unbound(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    evtchn_alloc_unbound_t *op = call->buffer;

    (void)cpu;
    if (!result && call->note[0]) {
        if (op->port < BOARD_PORTS)
            fuzz_own_board()->port_for[op->port] = op->remote_dom;
        new_port(op->port);
    }
    return !result;
}

static bool gen_unbound(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_alloc_unbound_t *op = fuzz_buffer(cpu, sizeof *op);

    op->dom = fuzz_one_in(cpu, 12) ? fuzz_domid(cpu) : DOMID_SELF;
    op->remote_dom = fuzz_domid(cpu);
    return event_op(call, EVTCHNOP_alloc_unbound, op, learn_unbound, op->dom == DOMID_SELF);
}

static bool gen_interdomain(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_bind_interdomain_t *op = fuzz_buffer(cpu, sizeof *op);
    const struct board *peer = fuzz_one_in(cpu, 6) ? fuzz_own_board() : fuzz_peer(cpu);
    u32 i = (u32)fuzz_below(cpu, BOARD_PORTS);

    op->remote_dom = fuzz_domid(cpu);
    op->remote_port = fuzz_port(cpu);
    if (peer && !fuzz_one_in(cpu, 12)) {
        op->remote_dom = peer->domid;
        for (u32 n = 0; n < BOARD_PORTS; n++, i = (i + 1) % BOARD_PORTS)
            if (peer->port_for[i] == fuzz.domid)
                op->remote_port = i;
    }
    return event_op(call, EVTCHNOP_bind_interdomain, op, learn_port, offsetof(evtchn_bind_interdomain_t, local_port));
}

static bool gen_virq(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_bind_virq_t *op = fuzz_buffer(cpu, sizeof *op);

    op->virq = fuzz_one_in(cpu, 10) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 25);
    op->vcpu = op->virq < 2 ? some_vcpu(cpu) : fuzz_one_in(cpu, 5) ? some_vcpu(cpu) : 0;
    return event_op(call, EVTCHNOP_bind_virq, op, learn_port, offsetof(evtchn_bind_virq_t, port));
}

static bool gen_ipi(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_bind_ipi_t *op = fuzz_buffer(cpu, sizeof *op);

    op->vcpu = some_vcpu(cpu);
    return event_op(call, EVTCHNOP_bind_ipi, op, learn_port, offsetof(evtchn_bind_ipi_t, port));
}

static bool gen_pirq(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_bind_pirq_t *op = fuzz_buffer(cpu, sizeof *op);

    op->pirq = fuzz_one_in(cpu, 8) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 30);
    op->flags = (u32)fuzz_below(cpu, 3);
    return event_op(call, EVTCHNOP_bind_pirq, op, learn_port, offsetof(evtchn_bind_pirq_t, port));
}

static bool learn_close(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    const evtchn_close_t *op = call->buffer;

    (void)cpu;
    if (!result && op->port < BOARD_PORTS)
        fuzz_own_board()->port_for[op->port] = 0xffff;
    return !result;
}

/* close, send, unmask: a port and nothing else. */
static bool gen_port(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {EVTCHNOP_close, EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_send, EVTCHNOP_send, EVTCHNOP_unmask};
    evtchn_close_t *op = fuzz_buffer(cpu, sizeof *op);
    u32 command = FUZZ_PICK(cpu, commands);

    op->port = fuzz_port(cpu);
    return event_op(call, command, op, command == EVTCHNOP_close ? learn_close : NULL, 0);
}

static bool gen_status(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_status_t *op = fuzz_buffer(cpu, sizeof *op);

    op->dom = fuzz_one_in(cpu, 3) ? fuzz_domid(cpu) : DOMID_SELF;
    op->port = fuzz_port(cpu);
    return event_op(call, EVTCHNOP_status, op, NULL, 0);
}

static bool gen_vcpu(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_bind_vcpu_t *op = fuzz_buffer(cpu, sizeof *op);

    op->port = fuzz_port(cpu);
    op->vcpu = some_vcpu(cpu);
    return event_op(call, EVTCHNOP_bind_vcpu, op, NULL, 0);
}

static bool gen_reset(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    evtchn_reset_t *op = fuzz_buffer(cpu, sizeof *op);

    op->dom = fuzz_domid(cpu);
    if (!fuzz.reckless && (op->dom == DOMID_SELF || op->dom == fuzz.domid || (fuzz.dom0 && op->dom != fuzz.victim)))
        op->dom = DOMID_INVALID;
    call->whole = !fuzz.reckless; /* a bad pointer may lead to the number of a domain, too */
    return event_op(call, EVTCHNOP_reset, op, NULL, 0);
}

/* The FIFO ABI, which is not offered, and what does not exist. */
static bool gen_fifo(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u64 *arg = fuzz_buffer(cpu, 64);
    u32 command = EVTCHNOP_init_control + (u32)fuzz_below(cpu, 6);

    if (command == EVTCHNOP_init_control) {
        evtchn_init_control_t *op = (void *)arg;

        op->control_gfn = FUZZ_PICK(cpu, fuzz.page_mfn);
        op->offset = (u32)fuzz_below(cpu, 4096) & (fuzz_one_in(cpu, 4) ? ~0u : ~7u);
        op->vcpu = some_vcpu(cpu);
    } else if (command == EVTCHNOP_set_priority) {
        evtchn_set_priority_t *op = (void *)arg;

        op->port = fuzz_port(cpu);
        op->priority = (u32)fuzz_below(cpu, 20);
    } else {
        arg[0] = fuzz_mfn(cpu);
    }
    return event_op(call, command, arg, NULL, 0);
}

fuzz_generator fuzz_gen_events(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {
        gen_unbound, gen_unbound, gen_unbound, gen_interdomain, gen_interdomain, gen_interdomain, gen_virq, gen_ipi,
        gen_pirq,    gen_port,    gen_port,    gen_port,        gen_port,        gen_status,      gen_vcpu, gen_reset,
        gen_fifo};

    return FUZZ_PICK(cpu, generators);
}
